"""Published figures beside those of a board, for the terminal. Pure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recbench.leaderboard.standings import Standing, board
from recbench.leaderboard.wording import cut, pad, plain, width
from recbench.protocols.spec import PublishedRow, Reference
from recbench.records import Record, Status

GAP = "  "
NAME_WIDTH = 26
OURS, DIFFERENCE = "ours", "off by"
FURTHER_OFF = "!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A published row and a row of the board.

    Attributes:
        ours: one for each of the reference's scores; NaN where the row has none.
    """

    name: str
    row: PublishedRow
    ours: tuple[float, ...]

    def is_as_published(self, place: int) -> bool:
        """Whether a figure of ours is within what the reference allows of the published one, or is not there."""
        return not abs(self.ours[place] - self.row.figures[place]) > self.row.within * abs(self.row.figures[place])


def beside(records: Iterable[Record], reference: Reference, *, width: int) -> str:
    """Published figures, ours, and the difference, in tables of at most `width` columns where a figure fits.

    Args:
        records: of the reference's protocol.
        reference: the figures.
        width: of the terminal.
    """
    pairs, missing = pair_up(records, reference)
    blocks = [_wrapped(f"{reference.title}, {reference.link}", width), *_tables(pairs, reference, width)]
    blocks.append("\n".join(_wrapped(line, width) for line in _said(pairs, missing, reference)))
    return "\n\n".join(block for block in blocks if block)


def pair_up(records: Iterable[Record], reference: Reference) -> tuple[list[Pair], list[str]]:
    """The published rows that the board has figures for, in the publication's order, and labels without figures."""
    standings = board(records).standings
    pairs, missing = [], []
    for row in (each for each in reference.rows if each.label):
        ours = [_pair(row, each, reference) for each in standings if each.first.label == row.label]
        found = [each for each in ours if not all(map(math.isnan, each.ours))]
        pairs += found
        missing += [] if found else [row.label]
    return pairs, missing


def _pair(row: PublishedRow, standing: Standing, reference: Reference) -> Pair:
    by_hand = " (set by hand)" if standing.first.protocol.get("settings") else ""
    ours = tuple(_figure(standing, score, reference.fold) for score in reference.scores)
    return Pair(name=standing.name + by_hand, row=row, ours=ours)


def _figure(standing: Standing, score: str, fold: int | None) -> float:
    """The mean over all trials, or over those of one fold; NaN where there is none."""
    if fold is None:
        return standing.scores[score].mean if score in standing.scores else math.nan
    found = [each for each in standing.records if each.fold == fold and each.status is Status.OK]
    figures = [each.scores[score] for each in found if score in each.scores]
    return math.fsum(figures) / len(figures) if figures else math.nan


def _tables(pairs: Sequence[Pair], reference: Reference, available: int) -> Iterator[str]:
    """As many tables as it takes to show all scores; the first one has the published names."""
    names = _column("algorithm", [each.name for each in pairs])
    published = _column("published as", [each.row.published_as for each in pairs])
    left = [_scores(pairs, reference, place) for place in range(len(reference.scores))] if pairs else []
    heads = [names, published]
    while left:
        n = max(1, _fitting(left, available - width(GAP.join(column[0] for column in heads))))
        yield _side_by_side([*heads, *left[:n]])
        left, heads = left[n:], [names]


def _fitting(columns: Sequence[Sequence[str]], room: int) -> int:
    """How many columns fit."""
    n = 0
    for column in columns:
        room -= len(GAP) + width(column[0])
        if room < 0:
            break
        n += 1
    return n


def _side_by_side(columns: Sequence[Sequence[str]]) -> str:
    return "\n".join(GAP.join(line).rstrip() for line in zip(*columns, strict=True))


def _column(head: str, names: Sequence[str]) -> list[str]:
    shown = [head, *(cut(plain(name), NAME_WIDTH) for name in names)]
    return [pad(each, max(map(width, shown)), right=False) for each in shown]


def _scores(pairs: Sequence[Pair], reference: Reference, place: int) -> list[str]:
    """Published, ours and the difference under one score, as one column of lines."""
    places = max(_places(each.row.figures[place]) for each in pairs)
    rows = [(plain(reference.scores[place]), OURS, DIFFERENCE), *(_cells(each, place, places) for each in pairs)]
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = (GAP.join(pad(cell, w, right=True) for cell, w in zip(row, widths, strict=True)) for row in rows)
    marks = [" ", *(" " if each.is_as_published(place) else FURTHER_OFF for each in pairs)]
    return [line + mark for line, mark in zip(lines, marks, strict=True)]


def _cells(pair: Pair, place: int, places: int) -> tuple[str, str, str]:
    published, ours = pair.row.figures[place], pair.ours[place]
    if math.isnan(ours):
        return f"{published:.{places}f}", "", ""
    difference = f"{ours - published:+.{places}f}"
    return f"{published:.{places}f}", f"{ours:.{places}f}", difference if float(difference) else difference[1:]


def _places(figure: float) -> int:
    """Decimals that a figure was published with; what ends in a zero shares its column's."""
    return len(repr(figure).partition(".")[2])


def _said(pairs: Sequence[Pair], missing: Sequence[str], reference: Reference) -> Iterator[str]:
    shown = [(each, place) for each in pairs for place, ours in enumerate(each.ours) if not math.isnan(ours)]
    alike = sum(each.is_as_published(place) for each, place in shown)
    further = f"; {FURTHER_OFF} is further off" if alike < len(shown) else ""
    yield f"{alike} of {len(shown)} figures are as published, within each row's tolerance{further}."
    if reference.fold is not None:
        yield f"The figures are of fold {reference.fold} alone."
    if reference.note:
        yield plain(reference.note)
    if missing:
        yield f"No figures here: {', '.join(map(plain, missing))}."
    if others := [plain(row.published_as) for row in reference.rows if not row.label]:
        yield f"Published, and no row here: {', '.join(others)}."
    yield plain(reference.citation)


def _wrapped(text: str, columns: int) -> str:
    return textwrap.fill(plain(text), max(columns, NAME_WIDTH), break_long_words=False, break_on_hyphens=False)
