"""What a protocol says, as frozen plain values. `docs/protocols.md` is the reference of every key."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["holdout", "k-fold", "leave-last-out", "time", "cold-user", "cold-item", "provided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """A file of interactions. `columns` as a tuple names the columns of a file without a header, in order (names
    other than user, item, rating and time are passed over); as a mapping it says which column of the header is which.
    """

    path: Path
    format: Literal["csv", "adjacency", "parquet", "npy", "atomic"] = "csv"
    separator: str = ","
    header: bool = True
    columns: tuple[str, ...] | Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSpec:
    """A file of features of users or items: which column is the id, and the type of each other column that counts."""

    path: Path
    id: str
    format: Literal["csv", "parquet", "atomic"] = "csv"
    separator: str = ","
    header: bool = True
    columns: tuple[str, ...] | None = None
    types: Mapping[str, Literal["number", "category", "tags", "text"]] = field(default_factory=dict)
    tag_separator: str = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldSpec:
    """Train and test of one provided fold."""

    train: FileSpec
    test: FileSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """One of `source`, `interactions` and `folds` is given; `train` and `test` in the file become one fold.

    `folds` may stand beside `source`: then their paths start in the source's folder, as those of MovieLens 100K's
    five official folds do, and the tables of users and items are the source's.
    """

    source: str | None = None
    interactions: FileSpec | None = None
    folds: tuple[FoldSpec, ...] = ()
    users: TableSpec | None = None
    items: TableSpec | None = None
    scale: tuple[float, float] | None = None
    core: int = 0
    on_bad_rows: Literal["error", "drop"] = "error"
    duplicates: Literal["error", "first", "last", "mean"] = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitSpec:
    """How train and test come about."""

    kind: Kind
    by: Literal["user", "all"] = "user"
    test: float = 0.2
    validation: float = 0.0
    seed: int = 42
    folds: int = 5
    repeats: int = 1
    shuffle: Literal["pcg64", "mt19937"] = "pcg64"
    history: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSpec:
    """What counts as right, and what is measured. `candidates`: "all", "uniform:99", or a file of pairs.

    `users_at_most`: rank for so many users, drawn from all, and judge those alone; None: everybody.
    """

    primary: str
    cutoffs: tuple[int, ...]
    metrics: tuple[str, ...]
    relevant_at_least: float | None = None
    train_at_least: float | None = None
    candidates: str | FileSpec = "all"
    exclude_seen: bool = True
    users: Literal["all", "warm"] = "all"
    users_at_most: int | None = None

    @property
    def depth(self) -> int:
        """Length of the lists: the greatest cut-off."""
        return max(self.cutoffs)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialSpec:
    """What runs, and within which limits."""

    algorithms: tuple[str, ...] = ("*",)
    seeds: tuple[int, ...] = (0,)
    threads: int = 1
    seconds: float = 600.0
    memory_mb: int = 4096
    output_mb: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmSpec:
    """A row of the board that the protocol asks for: `[[algorithm]]`, or `[algorithms.NAME]` where label is name.

    Attributes:
        name: of the algorithm; empty where a program makes the row.
        command: of the program, its words; empty where an algorithm makes the row.
    """

    label: str
    name: str = ""
    command: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedSpec:
    """Fingerprints a shipped protocol must have; a run that finds others stops."""

    protocol: str | None = None
    splits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """A row of a published table.

    Attributes:
        published_as: what the publication calls it.
        figures: one for each of the reference's scores, in their order.
        label: our row with the same algorithm and parameters; empty where there is none.
        within: how far ours may be off and still be the same, as a share of the published figure.
    """

    published_as: str
    figures: tuple[float, ...]
    label: str = ""
    within: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Published figures under a protocol.

    Attributes:
        protocol: the protocol's name.
        fingerprint: of the protocol with its splits, as records and boards have it.
        fold: the only one that the figures are of; None: means over all folds.
        scores: what the figures are, as in "recall@20".
        note: what one must know to compare.
    """

    title: str
    citation: str
    link: str
    protocol: str
    fingerprint: str
    scores: tuple[str, ...]
    rows: tuple[PublishedRow, ...]
    fold: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """A pinned way to evaluate.

    Attributes:
        parameters: `[algorithms.NAME]`: parameters of an algorithm under this protocol.
        rows: `[[algorithm]]`: rows beside those that `trials.algorithms` selects.
        tuned: `[tuned]`: validation trials spent on an algorithm's parameters here, by label.
        python: `[python]`: another interpreter by the name of a plugin or a distribution.
        path: the file it was read from; relative paths in it start there. None where it came out of a record.
        file: the name of that file where it was asked for by its path; empty where it is on offer by its name.
    """

    name: str
    title: str
    data: DataSpec
    split: SplitSpec
    evaluation: EvaluationSpec
    trials: TrialSpec = field(default_factory=TrialSpec)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    rows: tuple[AlgorithmSpec, ...] = ()
    tuned: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    pinned: PinnedSpec = field(default_factory=PinnedSpec)
    python: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))
    path: Path | None = None
    file: str = ""

    def deciding(self) -> dict[str, Any]:
        """What decides scores, as JSON values: data, split, evaluation. Not titles, limits or algorithms.

        Files stand by name only: their content is in the splits' fingerprints. `users_at_most` stands only where it
        is given: fingerprints are older than it.
        """
        deciding = {part: as_json(getattr(self, part)) for part in ("data", "split", "evaluation")}
        if self.evaluation.users_at_most is None:
            del deciding["evaluation"]["users_at_most"]
        return deciding

    @property
    def fingerprint(self) -> str:
        """sha256 in hexadecimal over `deciding()`."""
        return fingerprint(self.deciding())


def as_json(value: Any) -> Any:
    """`value` as plain JSON values; paths by their last part."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: as_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): as_json(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [as_json(each) for each in value]
    if isinstance(value, Path):
        return value.name
    return value


def canonical(value: Any) -> str:
    """The one way `value` is written as JSON where a hash is taken: sorted keys, no blanks, no NaN."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def fingerprint(value: Any) -> str:
    """sha256 in hexadecimal over canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
