"""What algorithms are trained on and measured with. Frozen, with read-only arrays, and without any I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Int32Array: TypeAlias = NDArray[np.int32]
Int64Array: TypeAlias = NDArray[np.int64]
RowArray: TypeAlias = NDArray[np.int64]
Float32Array: TypeAlias = NDArray[np.float32]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
StrArray: TypeAlias = NDArray[np.str_]

ROWS_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interactions:
    """Who did what with which item: one row an interaction, in the file's order, no pair twice.

    Attributes:
        user: (n,) int32, a row of the table of users.
        item: (n,) int32, a row of the table of items.
        rating: (n,) float32; all 1 where the data has no ratings.
        time: (n,) int64 seconds since 1970, or None where the data has no times.
    """

    user: Int32Array
    item: Int32Array
    rating: Float32Array
    time: Int64Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "user", frozen(self.user, np.int32))
        object.__setattr__(self, "item", frozen(self.item, np.int32))
        object.__setattr__(self, "rating", frozen(self.rating, np.float32))
        if self.time is not None:
            object.__setattr__(self, "time", frozen(self.time, np.int64))
        lengths = {len(column) for column in (self.user, self.item, self.rating, self.time) if column is not None}
        if len(lengths) != 1:
            raise ValueError(f"columns differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.user)

    def take(self, rows: NDArray[np.integer] | BoolArray) -> Interactions:
        """The interactions at `rows` (indexes or a mask), in that order."""
        return Interactions(
            user=owned(self.user[rows]),
            item=owned(self.item[rows]),
            rating=owned(self.rating[rows]),
            time=None if self.time is None else owned(self.time[rows]),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbers:
    """A column of numbers: (n,) float64, NaN where unknown. Years and ages are such."""

    values: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, np.float64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Categories:
    """A column with one category a row: (n,) int32 codes into `names`, -1 where unknown. Gender is one."""

    codes: Int32Array
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "codes", frozen(self.codes, np.int32))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tags:
    """A column with any number of categories a row. Genres are such.

    Row r has the names at `codes[starts[r]:starts[r + 1]]`; starts: (n + 1,) int64, codes: int32 into `names`.
    """

    starts: Int64Array
    codes: Int32Array
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "starts", frozen(self.starts, np.int64))
        object.__setattr__(self, "codes", frozen(self.codes, np.int32))

    def matrix(self) -> csr_matrix:
        """(n, len(names)) sparse float64 of zeros and ones."""
        from scipy.sparse import csr_matrix

        ones = np.ones(len(self.codes))
        return csr_matrix((ones, self.codes, self.starts), shape=(len(self.starts) - 1, len(self.names)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Texts:
    """A column of text: (n,) str, empty where unknown. Titles are such."""

    values: StrArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", frozen(self.values, np.asarray(self.values).dtype))


Column: TypeAlias = Numbers | Categories | Tags | Texts


def take_rows(column: Column, rows: NDArray[np.integer]) -> Column:
    """The column of the rows at `rows`, in that order."""
    if isinstance(column, Numbers):
        return Numbers(values=owned(column.values[rows]))
    if isinstance(column, Texts):
        return Texts(values=owned(column.values[rows]))
    if isinstance(column, Categories):
        return Categories(codes=owned(column.codes[rows]), names=column.names)
    lengths = (column.starts[1:] - column.starts[:-1])[rows]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    places = np.repeat(column.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
    return Tags(starts=owned(starts), codes=owned(column.codes[places]), names=column.names)


def _no_columns() -> Mapping[str, Column]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """Interactions with the table of users and the table of items they point into.

    Attributes:
        name: where the data comes from.
        interactions: the rows; a training set holds those of train only.
        user_ids: (n_users,) str, the ids the data's owner uses.
        item_ids: (n_items,) str. Every item of the data set, those without an interaction here included.
        users: columns of (n_users,) rows by name, as far as the data has them.
        items: columns of (n_items,) rows by name, as far as the data has them.
        scale: least and greatest possible rating, or None where the data has no ratings.
        positive_at_least: the rating from which the protocol lets a ranker count an interaction as positive;
            None means every interaction is.
    """

    name: str
    interactions: Interactions
    user_ids: StrArray
    item_ids: StrArray
    users: Mapping[str, Column] = field(default_factory=_no_columns)
    items: Mapping[str, Column] = field(default_factory=_no_columns)
    scale: tuple[float, float] | None = None
    positive_at_least: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_ids", frozen(self.user_ids, np.asarray(self.user_ids).dtype))
        object.__setattr__(self, "item_ids", frozen(self.item_ids, np.asarray(self.item_ids).dtype))
        object.__setattr__(self, "users", MappingProxyType(dict(self.users)))
        object.__setattr__(self, "items", MappingProxyType(dict(self.items)))

    @property
    def n_users(self) -> int:
        """Number of users in the table, those without an interaction here included."""
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        """Number of items in the catalogue, those without an interaction here included."""
        return len(self.item_ids)

    def positives(self) -> Interactions:
        """The interactions a ranker may count as positive under this protocol."""
        if self.positive_at_least is None:
            return self.interactions
        return self.interactions.take(self.interactions.rating >= self.positive_at_least)

    def user_item(self, values: Literal["rating", "one"] = "rating", *, positives_only: bool = False) -> csr_matrix:
        """The interactions as a sparse matrix.

        Args:
            values: "rating" stores ratings (a rating of 0 is stored too), "one" stores ones.
            positives_only: take `positives()` instead of all interactions.

        Returns:
            (n_users, n_items) CSR, float64, column indexes sorted within each row.
        """
        from scipy.sparse import csr_matrix

        rows = self.positives() if positives_only else self.interactions
        data = rows.rating.astype(np.float64) if values == "rating" else np.ones(len(rows))
        matrix = csr_matrix((data, (rows.user, rows.item)), shape=(self.n_users, self.n_items))
        matrix.sort_indices()
        return matrix

    def with_interactions(self, interactions: Interactions) -> Dataset:
        """The same tables around other interactions."""
        return replace(self, interactions=interactions)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Train, validation and test of one fold, as rows of one data set.

    Attributes:
        dataset: the data set, with the interactions of all parts.
        fold: 0, 1, ... within its protocol: folds first, then repeats.
        train_rows: rows to fit on, without the validation part, ascending.
        validation_rows: rows held out of train for early stopping and tuning, ascending; may be empty.
        test_rows: rows that no plugin ever sees, ascending.
        history_rows: first interactions of held-out users (cold-user splits), ascending; else empty.
        fingerprint: sha256 in hexadecimal over all of the above and the tables.
        leaks_future: whether any train time is later than a test time; None where there are no times.
    """

    dataset: Dataset
    fold: int
    train_rows: RowArray
    validation_rows: RowArray
    test_rows: RowArray
    history_rows: RowArray
    fingerprint: str
    leaks_future: bool | None

    def train(self) -> Dataset:
        """Train with the validation part in it, in the file's order."""
        return self._part(self.all_train_rows())

    def train_without_validation(self) -> Dataset:
        """Train for those who take the validation part apart from it."""
        return self._part(self.train_rows)

    def validation(self) -> Dataset:
        """The validation part."""
        return self._part(self.validation_rows)

    def all_train_rows(self) -> RowArray:
        """Rows of train with the validation part, ascending."""
        if not len(self.validation_rows):
            return self.train_rows
        return np.sort(np.concatenate([self.train_rows, self.validation_rows]))

    def test(self) -> Interactions:
        """The test part. The parent's only."""
        return self.dataset.interactions.take(self.test_rows)

    def history(self) -> Interactions:
        """What held-out users did first: given to `score_new`, and counted as seen."""
        return self.dataset.interactions.take(self.history_rows)

    def _part(self, rows: RowArray) -> Dataset:
        return self.dataset.with_interactions(self.dataset.interactions.take(rows))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """Train and test of one fold as the data's files give them, as rows of the data set; each (n,) int64."""

    train_rows: RowArray
    test_rows: RowArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "train_rows", frozen(self.train_rows, np.int64))
        object.__setattr__(self, "test_rows", frozen(self.test_rows, np.int64))


def steps(n: int) -> Iterator[slice]:
    """Slices of n rows, so that what is worked out of them takes little memory at a time."""
    return (slice(first, first + ROWS_AT_ONCE) for first in range(0, n, ROWS_AT_ONCE))


def counts_of(codes: Int32Array, n: int) -> Int64Array:
    """(n,) how often each code below n occurs, without turning all of them into int64 at once."""
    counts = np.zeros(n, dtype=np.int64)
    for block in steps(len(codes)):
        counts += np.bincount(codes[block], minlength=n)
    return counts


def owned(array: NDArray[Any]) -> NDArray[Any]:
    """Make an array that nobody else holds read-only, without a copy."""
    array.flags.writeable = False
    return array


def frozen(array: Any, dtype: Any) -> Any:
    """A read-only array of `dtype`: itself where it is one already, else a copy, since its owner can still write."""
    found = np.asanyarray(array)
    if found.dtype == np.dtype(dtype) and not found.flags.writeable:
        return found
    return owned(np.array(found, dtype=dtype))
