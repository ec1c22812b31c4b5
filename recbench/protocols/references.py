"""Published figures: a TOML file a publication, to be shown beside the rows of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbench.errors import BadProtocol, RecbenchError
from recbench.protocols.document import read
from recbench.protocols.readers import Unfit, label, list_of, number, positive, set_of, sha256, text, whole
from recbench.protocols.sections import Section
from recbench.protocols.spec import PublishedRow, Reference

PUBLISHED = Path(__file__).parent / "published"


def shipped() -> tuple[Reference, ...]:
    """The references that come with recbench, by the names of their files."""
    return tuple(load(path) for path in sorted(PUBLISHED.glob("*.toml")))


def load(path: Path) -> Reference:
    """Read a file of references.

    Raises:
        BadProtocol: the file cannot be read, or says what cannot be meant.
    """
    return parse(read(path), path)


def parse(document: Mapping[str, Any], path: Path) -> Reference:
    """Make a reference of what a TOML file holds.

    Raises:
        BadProtocol: a key is unknown or missing, or a value cannot be meant.
    """
    top = Section.open("reference", dict(document), path=path, name="")
    scores = top.required("scores", set_of(text))
    rows = tuple(_row(each, scores) for each in top.tables("row", "row"))
    _check_rows(rows, path)
    return Reference(
        title=top.required("title", text),
        citation=top.required("citation", text),
        link=top.required("link", text),
        protocol=top.required("protocol", text),
        fingerprint=top.required("fingerprint", sha256),
        scores=scores,
        rows=rows,
        fold=top.optional("fold", whole(least=0), default=None),
        note=top.optional("note", text, default=""),
    )


def of(known: Sequence[Reference], protocol: str, fingerprint: str) -> tuple[Reference, ...]:
    """Those that are of a protocol with these splits.

    Args:
        known: what there is to choose from.
        protocol: its name.
        fingerprint: of the protocol with its splits.

    Raises:
        RecbenchError: there are none.
    """
    found = tuple(each for each in known if each.fingerprint == fingerprint)
    if found:
        return found
    names = sorted({each.protocol for each in known})
    if protocol in names:
        raise RecbenchError(
            f"the published figures for {protocol!r} are of other data, another split or another evaluation: "
            f"its fingerprint is {fingerprint[:16]} here",
            fix="undo the changes to the protocol, or give figures for it with --reference FILE.toml",
        )
    raise RecbenchError(
        f"there are no published figures for protocol {protocol!r}",
        fix=f"give a file of them with --reference FILE.toml; known here: {', '.join(names)}",
    )


def _row(section: Section, scores: Sequence[str]) -> PublishedRow:
    if "label" not in section:
        section.refuse("within", because="without label: there is nothing of ours to compare")
    figures = section.required("figures", list_of(number))
    if len(figures) != len(scores):
        raise section.unfit("figures", Unfit(list(figures), f"a list of {len(scores)}, one for each of scores"))
    return PublishedRow(
        published_as=section.required("published_as", label),
        figures=figures,
        label=section.optional("label", label, default=""),
        within=section.required("within", positive) if "label" in section else 0.0,
    )


def _check_rows(rows: Sequence[PublishedRow], path: Path) -> None:
    if not any(row.label for row in rows):
        raise BadProtocol(f"{path}: no [[row]] has a label", fix="say which row of ours a published one is")
    for what, names in (
        ("label", [row.label for row in rows if row.label]),
        ("published_as", [row.published_as for row in rows]),
    ):
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise BadProtocol(f"{path}: {what} {twice!r} stands twice", fix="keep one of the two rows")
