"""From a record to the data, the splits and the metrics it must agree with, made anew on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from recbench.errors import RecbenchError
from recbench.protocols.loading import MEANINGFUL, load, parse
from recbench.protocols.spec import PinnedSpec, Protocol, canonical
from recbench.records import Record
from recbench.registry import Registry
from recbench.scene import Scene, prepare

OWN = "out of the record"
_MOST_FOLDS, _MOST_COLUMNS, _DEEPEST = 100, 100, 10_000


@dataclass(slots=True, kw_only=True, eq=False)
class Scenes:
    """Scenes by what decides them; each is made once.

    Attributes:
        registry: what is installed here.
        given: protocols that the user names. Only these may name files of this machine.
        folder: where TOML files of protocols may lie beside records, made by whoever made those.
    """

    registry: Registry
    given: Sequence[Protocol] = ()
    folder: Path | None = None
    data_dir: Path | None = None
    _made: dict[str, Scene | str] = field(default_factory=dict)

    def protocol_of(self, record: Record) -> Protocol:
        """The protocol whose data, split and evaluation the record states.

        Raises:
            RecbenchError: nobody here knows it, and the record alone does not tell which files it needs.
        """
        stated = record.protocol["deciding"]
        known = [each for each in self._known() if each.deciding() == stated]
        known.sort(key=lambda each: each.name != record.protocol["name"])
        return known[0] if known else _from_record(record, stated)

    def scene_of(self, record: Record) -> Scene | str:
        """The scene of a record, or why there is none here."""
        key = canonical([record.protocol["deciding"], record.protocol["name"]])
        if key not in self._made:
            try:
                protocol = self.protocol_of(record)
                bare = replace(protocol, pinned=PinnedSpec())  # whoever verifies looks at the pins
                scene = prepare(bare, self.registry, data_dir=self.data_dir)
                self._made[key] = replace(scene, protocol=protocol)
            except RecbenchError as error:
                self._made[key] = f"{error.what} ({error.fix})"
        return self._made[key]

    def _known(self) -> Iterator[Protocol]:
        yield from self.given
        offered = {name: each.value for name, each in self.registry.protocols.items()}
        for name in offered:
            protocol = _loaded(name, offered)
            if protocol is not None:
                yield protocol
        for path in sorted(self.folder.glob("*.toml")) if self.folder is not None else ():
            protocol = _loaded(path, {}) if path.is_file() and not path.is_symlink() else None
            if protocol is not None and is_of_a_source(protocol):
                yield protocol


def is_of_a_source(protocol: Protocol) -> bool:
    """Whether a protocol names no file of its own, so that it is safe to follow whoever wrote it."""
    data = protocol.data
    return data.source is not None and not data.folds and isinstance(protocol.evaluation.candidates, str)


def _loaded(reference: str | Path, offered: Mapping[str, Path]) -> Protocol | None:
    """A protocol; None where it is broken, which concerns those only who ask for it."""
    try:
        return load(reference, offered)
    except RecbenchError:
        return None


def _from_record(record: Record, stated: Mapping[str, Any]) -> Protocol:
    """The protocol as the record has it, where that names no file and asks for nothing outlandish."""
    name = str(record.protocol["name"])
    unknown = RecbenchError(f"there is no protocol like its {name[:64]!r} here", fix="give its file with -p")
    if not _is_modest(stated):
        raise unknown
    kind = stated["split"]["kind"]
    document = {
        "name": "record",
        "data": {key: stated["data"][key] for key in ("source", "core") if key in stated["data"]},
        "split": {k: v for k, v in stated["split"].items() if kind in MEANINGFUL.get(k, (kind,))},
        "evaluation": {key: value for key, value in stated["evaluation"].items() if value is not None},
    }
    try:
        protocol = parse(document, Path(OWN))
    except RecbenchError as error:
        raise unknown from error
    if protocol.deciding() != stated or not is_of_a_source(protocol):
        raise unknown
    return replace(protocol, name=name, title=str(record.protocol["title"]), path=None)


def _is_modest(stated: Mapping[str, Any]) -> bool:
    """Whether following it costs no more than benchmarks do."""
    split, evaluation = stated["split"], stated["evaluation"]
    return (
        split.get("folds", 1) * split.get("repeats", 1) <= _MOST_FOLDS
        and len(evaluation["cutoffs"]) * len(evaluation["metrics"]) <= _MOST_COLUMNS * _MOST_COLUMNS
        and max(evaluation["cutoffs"], default=0) <= _DEEPEST
        and (evaluation["candidates"] == "all" or len(str(evaluation["candidates"])) <= len("uniform:10000"))
    )
