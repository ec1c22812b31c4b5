"""A folder of records made into one that others can check, whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from recbench import boards
from recbench.errors import RecbenchError
from recbench.leaderboard.wording import escape
from recbench.records import Record, load, write_whole
from recbench.verifying import SUMS, Means, Verification, checksums, verify
from recbench.verifying.places import Places, survey
from recbench.verifying.scenes import Scenes
from recbench.verifying.whole import PROTOCOLS

ABOUT = "ABOUT.md"
ENVIRONMENTS = "environments"
PUBLISHER = "PUBLISHER"
"""Who published, in one line, as they say themselves."""
_SHOWN = 3
_MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What was published.

    Attributes:
        n_bytes: of all files.
        verification: of the folder as it was published; nothing in it fails to hold.
    """

    folder: Path
    records: int
    files: int
    n_bytes: int
    verification: Verification


def publish(folder: Path, output: Path, means: Means, *, by: str = "") -> Publication:
    """Write a publication of the records below `folder` to `output`, whole or not at all.

    Args:
        folder: what `recbench run -o` wrote to.
        output: the folder to make.
        means: what there is to check it with.
        by: who publishes, as in "Ada Lovelace <ada@example.org>"; empty says nothing of it.

    Raises:
        RecbenchError: `output` is there already or cannot be written, or something in `folder` does not hold.
    """
    if by and not is_a_publisher(by):
        raise RecbenchError(
            f"{by[:80]!r} is not the name of a publisher",
            fix=f"give one line of at most {_MOST_CHARACTERS} characters, as in 'Ada Lovelace <ada@example.org>'",
        )
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise RecbenchError(f"{str(output)!r} is there already", fix="give a folder that is not there yet with -o")
    places = survey(folder)
    _refuse([f"{each.where} {each.what}" for each in places.findings])
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".recbench-publish-", dir=output.parent) as made:
            inside = Path(made) / "publication"
            publication = _fill(places, inside, output, means, by)
            os.replace(inside, output)
    except OSError as error:
        raise RecbenchError(
            f"{output} cannot be written: {error.strerror or error}", fix="free space, or give another folder with -o"
        ) from error
    return publication


def is_a_publisher(text: str) -> bool:
    """Whether it is one line that can stand beside a row."""
    return 0 < len(text) <= _MOST_CHARACTERS and text.isprintable() and text == text.strip()


def _fill(places: Places, inside: Path, output: Path, means: Means, by: str) -> Publication:
    """Make the publication in a folder nobody else looks at, and look at it as others will."""
    records = [load(path) for path in places.records]
    wanted = {*places.records, *places.analyses}
    for path in places.files:
        if path in wanted or (path.with_suffix(".json") in places.files and path.suffix == ".npz"):
            _copy(path, inside / path.relative_to(places.root))
    protocols = _protocols(records, means, places.root / PROTOCOLS)
    environments = _environments(records)
    boards.write(inside)
    for name, content in {**protocols, **environments}.items():
        write_whole(inside / name, content)
    if by:
        write_whole(inside / PUBLISHER, f"{by}\n".encode())
    write_whole(inside / ABOUT, _about(records, [*protocols, *environments], by).encode())
    files = sorted(path for path in inside.rglob("*") if path.is_file())
    write_whole(inside / SUMS, checksums(inside, files).encode())
    found = verify(inside, means)
    _refuse([f"{each.where}: {each.what}" for each in found.findings])
    return Publication(
        folder=output,
        records=len(records),
        files=len(files) + 1,
        n_bytes=sum(path.stat().st_size for path in (*files, inside / SUMS)),
        verification=found,
    )


def _refuse(findings: Sequence[str]) -> None:
    if findings:
        more = f"; and {len(findings) - _SHOWN} more" if len(findings) > _SHOWN else ""
        raise RecbenchError(
            f"what does not hold is not published: {'; '.join(findings[:_SHOWN])}{more}",
            fix="run `recbench verify` on the folder; remove the records and run again, or `recbench rescore` them",
        )


def _copy(path: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, target, follow_symlinks=False)


def _protocols(records: Iterable[Record], means: Means, beside: Path) -> Mapping[str, bytes]:
    """The TOML files of the records' protocols, by the name that their records' folder has; those that are known."""
    scenes = Scenes(registry=means.registry, given=means.protocols, folder=beside, data_dir=means.data_dir)
    found: dict[str, bytes] = {}
    for record in {str(each.protocol["fingerprint"]): each for each in records}.values():
        try:
            protocol = scenes.protocol_of(record)
        except RecbenchError:
            continue  # what decides scores stands in the records, too
        if protocol.path is not None:
            name = f"{PROTOCOLS}/{protocol.name}-{record.protocol['fingerprint'][:8]}.toml"
            found[name] = protocol.path.read_bytes()
    return found


def _environments(records: Iterable[Record]) -> Mapping[str, bytes]:
    """Each environment that records were made in, as requirements that pip can install."""
    texts = sorted({_requirements(record) for record in records if record.provenance.get("packages")})
    return {f"{ENVIRONMENTS}/{number}.txt": text.encode() for number, text in enumerate(texts, 1)}


def _requirements(record: Record) -> str:
    made = record.provenance
    lines = [f"{name}=={version}" for name, version in sorted(made["packages"].items())]
    head = f"# Python {made.get('python', '')} on {made.get('platform', '')}; recbench {made.get('recbench', '')}"
    return "".join(f"{_one_line(line)}\n" for line in (head, *lines))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _about(records: Sequence[Record], more: Sequence[str], by: str) -> str:
    data = {str(record.data.get("name")): record.data for record in records}
    facts = [
        f"- {escape(str(each.get('title') or name))}: license {escape(str(each.get('license') or 'unknown'))}"
        + (f"; cite {escape(str(each['citation']))}" if each.get("citation") else "")
        for name, each in sorted(data.items())
    ]
    rows = [
        "- `README.md` and the boards it names: made from the records, and from nothing else.",
        "- `records/`: one JSON file a trial, beside it its lists and predictions; `analysis.json`: the statistics.",
        *(
            f"- `{name}`: {'a protocol' if name.startswith(PROTOCOLS) else 'the packages of an environment'}."
            for name in more
        ),
        f"- `{SUMS}`: checksums of all other files; `sha256sum -c {SUMS}` compares them.",
    ]
    return "\n".join(
        [
            "# About this publication",
            "",
            f"{len(records)} records of trials, made with recbench{f', published by {escape(by)}' if by else ''}.",
            "",
            *rows,
            "",
            "## Check it",
            "",
            "```console",
            "$ recbench verify .",
            "$ recbench reproduce records/PROTOCOL/ID.json",
            "```",
            "",
            "`verify` makes the split again from the data, scores every list anew and finds what does not agree.",
            "A forgery that agrees with itself throughout is found by `reproduce` only, which runs a trial again.",
            "",
            "## Data",
            "",
            "The data itself is not here.",
            "",
            *facts,
            "",
        ]
    )
