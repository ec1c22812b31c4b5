"""The one door for plugin authors: what a plugin imports, offers and implements.

A plugin's module may say which form of this door it was written for: `RECBENCH_API = 1`. Where it says nothing, 1 is
meant. A recbench that lacks that form shows the plugin as broken, with what to install, and offers everything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias

import pluggy
from numpy.typing import NDArray

from recbench.blocks import Block, Catalogue, Pairs
from recbench.data import (
    Categories,
    Column,
    Dataset,
    FloatArray,
    Int32Array,
    Int64Array,
    Interactions,
    Numbers,
    Tags,
    Texts,
)
from recbench.explaining import greatest, item_names, written_out

__all__ = [
    "API_VERSION",
    "Algorithm",
    "Block",
    "Catalogue",
    "Categories",
    "Column",
    "Dataset",
    "Interactions",
    "Metric",
    "Numbers",
    "Pairs",
    "Source",
    "SourceFile",
    "Tags",
    "Texts",
    "greatest",
    "hookimpl",
    "item_names",
    "written_out",
]

API_VERSION = 1
"""The newest form of this door: it grows when something is added, and also when something changes its meaning."""

hookimpl = pluggy.HookimplMarker("recbench")
"""Marks a function as an implementation of one of the hooks in `recbench.hookspecs`."""

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Algorithm:
    """What a plugin offers: a name and where the class is, imported only by the trial that needs it.

    The class is called with its parameters as keyword arguments, then `fit` (see `Fits`), then one or both of
    `score` (`Ranks`) and `predict` (`Predicts`), or `recommend` (`Recommends`) instead of `score`.

    Attributes:
        name: how users call it: 1 to 64 printable characters without blanks; lower case with hyphens by custom.
        target: "module:Class".
        parameters: keyword arguments that differ from the constructor's own defaults; JSON values.
        deterministic: the seed changes nothing, so one seed is run and the board says so.
        baseline: marked as such on the board.
        requires: modules that must be importable, for example ("torch",); where one is missing the algorithm is
            shown as not installed, with the command that mends it.
        gpu: it needs a GPU; where there is none it is shown as not available, with the reason. Each trial that runs
            sees one GPU, by `CUDA_VISIBLE_DEVICES`.
        components: names of parameters whose value is the name, or a list of names, of other algorithms, which
            `fit` gets through its parameter `build`.
        space: values to try for each parameter when tuning.
        summary: one sentence.
        reference: where it was published.
        tuned_on: what its default parameters were chosen on, as in "validation part of ml-100k" or "nothing"; the
            board shows it, and "unknown" where it is empty.
        expected_failures: rules of the conformance kit that it breaks by its nature, each with the reason.
    """

    name: str
    target: str
    parameters: Mapping[str, Json] = field(default_factory=_nothing)
    deterministic: bool = False
    baseline: bool = False
    requires: tuple[str, ...] = ()
    gpu: bool = False
    components: tuple[str, ...] = ()
    space: Mapping[str, Sequence[Json]] = field(default_factory=_nothing)
    summary: str = ""
    reference: str = ""
    tuned_on: str = ""
    expected_failures: Mapping[str, str] = field(default_factory=_nothing)


class Build(Protocol):
    """Gives an unfitted algorithm by name: `build("svd", factors=50)`. Only declared components may be built."""

    def __call__(self, name: str, **parameters: Json) -> Any: ...


class Fits(Protocol):
    """Every algorithm. `fit` may also take `validation: Dataset` and `build: Build`, by these names.

    With `validation`, `train` comes without the validation part; without it, `train` is all there is.
    """

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Learn. Called once, in a process of its own. All arrays are read-only."""


class Ranks(Protocol):
    """A ranker."""

    def score(self, users: Int64Array) -> NDArray[Any]:
        """Score the whole catalogue: (m,) user indexes -> (m, n_items) real numbers, higher is better.

        NaN and -inf mean "never recommend"; +inf is refused. Seen items are masked by the harness.
        """


class Predicts(Protocol):
    """A rating predictor."""

    def predict(self, users: Int64Array, items: Int64Array) -> NDArray[Any]:
        """Predict ratings for pairs: (m,), (m,) -> (m,). NaN means "cannot say"; the harness clips to the scale."""


class Recommends(Protocol):
    """A ranker for catalogues too large to score whole."""

    def recommend(self, users: Int64Array, k: int, seen: tuple[Int64Array, Int32Array]) -> NDArray[Any]:
        """Give lists: (m,) -> (m, k) item indexes, best first, -1 for an empty place.

        `seen` is (starts, items): user `users[r]` has seen `items[starts[r]:starts[r + 1]]`, which must not come
        back (empty for everybody where the protocol lets seen items be recommended).
        """


class ScoresNew(Protocol):
    """A ranker that can serve users who were not there in `fit`."""

    def score_new(self, histories: Dataset) -> NDArray[Any]:
        """Score the catalogue for the users of `histories`, whose own table of users this is: -> (n_users, n_items)."""


class Explains(Protocol):
    """An algorithm that can say why."""

    def explain(self, user: int, items: Int64Array) -> Sequence[str]:
        """One sentence an item, with the figures that add up to the score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of a source.

    Attributes:
        name: the file's name in the data folder.
        url: where `recbench data fetch` gets it, or None where the owner wants a form filled in.
        sha256: hexadecimal, or None until a first fetch records it ("unverified").
        size: bytes, where known.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a data set comes from.

    Attributes:
        name: how protocols call it.
        title: for people.
        files: what is fetched into a folder named like the source.
        read: "module:function", called with that folder (a Path) and giving a Dataset; imported when needed.
        license: what the owner allows.
        citation: what the owner asks to cite.
        homepage: the owner's page.
        bundled: folder of the files where they come with the package, else None.
        contents: files inside an archive among `files` that are needed, with checksums where known; a copy at hand
            may hold these unpacked instead of the archive.
    """

    name: str
    title: str
    files: tuple[SourceFile, ...]
    read: str
    license: str
    citation: str
    homepage: str = ""
    bundled: Path | None = None
    contents: tuple[SourceFile, ...] = ()


PerUser: TypeAlias = Callable[[Block], FloatArray]
PerCatalogue: TypeAlias = Callable[[Int64Array, int, Catalogue], float]
PerPair: TypeAlias = Callable[[Pairs], FloatArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A way to score. `target` names a function, imported when the metric is asked for.

    `kind` says what the function takes and gives:

    - "user": `(Block) -> (b,) float64`, a value for each user, averaged over users; NaN where it is undefined.
    - "catalogue": `(counts, n_lists, Catalogue) -> float`, from how often each item is recommended; counts:
      (n_items,) int64, n_lists: users evaluated.
    - "pair": `(Pairs) -> (n,) float64`, a value for each test pair, averaged over pairs.

    Attributes:
        name: what protocols call it, without "@k".
        target: "module:function".
        kind: see above.
        best: whether "high" or "low" values are better, or "none" where neither is.
        range: least and greatest possible value, both included.
        definition: one line, with the formula, for the foot of the board.
        root: take the square root of the average ("pair" only).
        needs: what the data must have, or a protocol that asks for the metric is refused: "tags", a column of tags
            of the items.
        source: where the definition comes from.
    """

    name: str
    target: str
    kind: Literal["user", "catalogue", "pair"]
    best: Literal["high", "low", "none"]
    range: tuple[float, float]
    definition: str
    root: bool = False
    needs: tuple[Literal["tags"], ...] = ()
    source: str = ""


Protocols: TypeAlias = Iterable[Path]
"""What `recbench_protocols` gives: paths of TOML files."""
