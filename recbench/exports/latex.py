"""A board as a table for LaTeX papers. Pure: the same board gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recbench.exports.tex import escape, label
from recbench.exports.tidy import chosen
from recbench.leaderboard import certainty
from recbench.leaderboard.columns import COSTS, Cell, Column, best_of, grid, main, primary
from recbench.leaderboard.standings import Board, Standing

REASON_LENGTH = 60
ALIKE = 2
"""So many columns of the kind that sorts fit on a page beside another score and a cost."""
ARROWS = {"high": r" $\uparrow$", "low": r" $\downarrow$"}
ORDERS = {"high": " (higher is better)", "low": " (lower is better)"}


def to_latex(board: Board, names: Sequence[str] = ()) -> str:
    """A table with caption and label, in the manner of booktabs.

    The best of a column is in bold. Letters in superscript are shared by algorithms that the paired test cannot tell
    apart. Rows without a rank stand below, with the reason where they have no figures.

    Args:
        names: of columns, as in `tidy`; those that matter most where there are none.

    Raises:
        UnknownName: the board has no such column.
    """
    return "\n".join(_lines(board, chosen(board, names) if names else _usual(board))) + "\n"


def _usual(board: Board) -> list[Column]:
    """What sorts and its next of kin, the first of the other kind, and how long training takes."""
    scores = [column for column in main(board) if column.kind != "cost"]
    has_cutoff = "@" in primary(board).key
    alike = [column for column in scores if ("@" in column.key) == has_cutoff]
    other = [column for column in scores if column not in alike]
    return [*alike[:ALIKE], *other[:1], COSTS[0]]


def _lines(board: Board, columns: Sequence[Column]) -> Iterator[str]:
    rows = grid(board, columns)
    is_wide = [any(cell is not None and cell.spread for cell in column) for column in zip(*rows, strict=True)]
    yield f"% Made by `recbench export` from records of the protocol {_comment(board)}."
    yield r"% Needs \usepackage{booktabs}."
    yield r"\begin{table}"
    yield r"  \centering\footnotesize\setlength{\tabcolsep}{4pt}"
    yield rf"  \caption{{{_caption(board, columns, rows)}}}\smallskip"
    yield rf"  \label{{tab:{label(str(board.protocol['name']))}}}"
    yield rf"  \begin{{tabular}}{{rl{''.join('r@{}l' if wide else 'r' for wide in is_wide)}}}"
    yield r"    \toprule"
    heads = [_head(board, column, wide=wide) for column, wide in zip(columns, is_wide, strict=True)]
    yield _row([r"\#", "Algorithm", *heads])
    yield r"    \midrule"
    yield from _body(board, rows, is_wide)
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _comment(board: Board) -> str:
    """Letters and digits alone: a line break in a comment would end it."""
    return f"{label(str(board.protocol['name']))}, fingerprint {label(str(board.protocol['fingerprint']))[:16]}"


def _caption(board: Board, columns: Sequence[Column], rows: Sequence[Sequence[Cell | None]]) -> str:
    whose = " of users with a history" if board.sorts_warm else ""
    order = ORDERS.get(board.best_of(board.primary), "")
    said = [escape(board.protocol["title"]), f"Sorted by {escape(board.primary)}{whose}{order}"]
    if any(cell and cell.is_best for row in rows for cell in row):
        said.append("The best of each column is in bold")
    if any(cell and cell.spread for row in rows for cell in row):
        said.append(r"$\pm$: standard deviation over folds and seeds")
    if certainty.has_letters(board):
        tied = f"Algorithms that share a letter cannot be told apart by {escape(board.primary)} at 5\\,\\%"
        said.append(f"{tied}; \\# is the range of ranks that this leaves open")
    if any(standing.first.baseline for standing in board.standings):
        said.append(r"Baselines are in \emph{italics}")
    if any(column.kind == "cost" for column in columns):
        said.append("Costs are means over trials")
    return ". ".join(said) + "."


def _head(board: Board, column: Column, *, wide: bool) -> str:
    arrow = "" if column.kind == "cost" else ARROWS.get(best_of(board, column), "")
    text = escape(column.title) + arrow
    return rf"\multicolumn{{2}}{{c}}{{{text}}}" if wide else text


def _body(board: Board, rows: Sequence[Sequence[Cell | None]], is_wide: Sequence[bool]) -> Iterator[str]:
    """The ranked rows, and below a rule the others."""
    n_ranked = len(board.ranked)
    for place, (standing, row) in enumerate(zip(board.standings, rows, strict=True)):
        if place == n_ranked and place:
            yield r"    \midrule"
        yield _row([*_name(standing), *_figures(standing, row, is_wide)])


def _row(cells: Sequence[str]) -> str:
    return f"    {' & '.join(cells)} \\\\"


def _name(standing: Standing) -> tuple[str, str]:
    letters = rf"\textsuperscript{{{escape(standing.letters)}}}" if standing.letters else ""
    rank = certainty.rank(standing).replace("-", "--")
    name = escape(standing.name)
    return rank, (rf"\emph{{{name}}}" if standing.first.baseline else name) + letters


def _figures(standing: Standing, row: Sequence[Cell | None], is_wide: Sequence[bool]) -> Iterator[str]:
    if standing.trouble is not None and not any(row):
        n = len(row) + sum(is_wide)
        yield rf"\multicolumn{{{n}}}{{l}}{{{escape(standing.trouble.what, REASON_LENGTH)}}}"
        return
    for cell, wide in zip(row, is_wide, strict=True):
        text = "" if cell is None else escape(cell.text)
        yield rf"\textbf{{{text}}}" if cell and cell.is_best else text
        if wide:
            yield _spread(cell.spread) if cell else ""


def _spread(text: str) -> str:
    """With thin blanks; LaTeX would drop the first one of a cell."""
    return r"\," + escape(text).replace(" ", r"\,") if text else ""
