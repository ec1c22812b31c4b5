"""The forms that a board can be exported in, by the endings of files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Literal, TypeAlias

from recbench.api import Algorithm
from recbench.errors import RecbenchError
from recbench.exports.bibtex import to_bibtex
from recbench.exports.latex import to_latex
from recbench.exports.tables import to_csv, to_json, to_parquet
from recbench.exports.tidy import Tidy, tidy
from recbench.leaderboard.standings import Board
from recbench.registry import Offered

Form: TypeAlias = Literal["csv", "json", "parquet", "latex", "bibtex"]
ENDINGS: Mapping[str, Form] = {
    ".csv": "csv", ".json": "json", ".parquet": "parquet", ".tex": "latex", ".bib": "bibtex",
}  # fmt: skip
TABLES: Mapping[Form, Callable[[Tidy], bytes]] = {"csv": to_csv, "json": to_json, "parquet": to_parquet}


def form_of(path: PurePath) -> Form:
    """What a file's ending says.

    Raises:
        RecbenchError: it says nothing.
    """
    form = ENDINGS.get(path.suffix.lower())
    if form is None:
        raise RecbenchError(f"{path.name!r} does not end like an export", fix=f"end it with {', '.join(ENDINGS)}")
    return form


def content(
    board: Board,
    form: Form,
    *,
    columns: Sequence[str] = (),
    algorithms: Callable[[], Mapping[str, Offered[Algorithm]]],
) -> bytes:
    """A board in one of the forms.

    Args:
        columns: of a LaTeX table; all other forms have all.
        algorithms: those on offer, asked for by BibTeX alone.

    Raises:
        RecbenchError: columns are chosen for another form or not known, or pyarrow is not installed.
    """
    if columns and form != "latex":
        raise RecbenchError(f"columns cannot be chosen for {form}", fix="leave them out, or export LaTeX")
    if form == "latex":
        return to_latex(board, columns).encode()
    if form == "bibtex":
        return to_bibtex(board, algorithms()).encode()
    return TABLES[form](tidy(board))
