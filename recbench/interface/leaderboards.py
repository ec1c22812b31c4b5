"""A leaderboard that scripts and notebooks hold in their hands."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recbench import boards, comparing, exports
from recbench.errors import RecbenchError
from recbench.exports.charts import Cost, Kind, intervals_chart, pareto_chart
from recbench.exports.forms import content, form_of
from recbench.exports.notebook import to_html
from recbench.interface.arguments import OUTPUT, AnyPath, offered, passed_over, path_or_none, several
from recbench.interface.charts import Chart
from recbench.interface.differences import Differences
from recbench.leaderboard import Board
from recbench.leaderboard.terminal import terminal_board
from recbench.protocols.loading import load as load_protocol
from recbench.records import write_whole
from recbench.statistics import Test

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Leaderboard:
    """The leaderboard of one protocol. Shows as a table, in notebooks as HTML.

    Attributes:
        board: its rows and all that is known of them.
        output: the folder that its records are in.
        protocol: its name, or its file where it was given by that.
        unavailable: rows that could not run here, each with the reason.
        plugins: single-file plugins that are on offer beside what is installed.
        data_dir: a folder that holds data sets, each in a folder of its name.
    """

    board: Board
    output: Path
    protocol: str
    unavailable: tuple[tuple[str, str], ...] = ()
    plugins: tuple[Path, ...] = ()
    data_dir: Path | None = None

    @classmethod
    def load(
        cls,
        output: AnyPath = OUTPUT,
        *,
        protocol: AnyPath | None = None,
        plugins: Sequence[AnyPath] = (),
        data_dir: AnyPath | None = None,
    ) -> Leaderboard:
        """The leaderboard in a folder of records. Needs neither data nor plugins.

        A damaged record is a warning, and passed over.

        Args:
            output: where `recbench run` wrote, or a publication.
            protocol: its name, or its TOML file; None: the only one.
            plugins: for `compare` and `to_bibtex`: single-file plugins.
            data_dir: for `compare`: where data sets are.

        Raises:
            RecbenchError: there are no records, or no such board, or several where none is named.
        """
        found = boards.read_one(Path(output), _name(protocol), damaged=passed_over)
        return cls(
            board=found,
            output=Path(output),
            protocol=str(protocol if _is_file(protocol) else found.protocol["name"]),
            plugins=tuple(map(Path, plugins)),
            data_dir=path_or_none(data_dir),
        )

    def __repr__(self) -> str:
        width = shutil.get_terminal_size((80, 24)).columns
        return terminal_board(self.board, width=width, color=False, unavailable=self.unavailable)

    def _repr_html_(self) -> str:
        return to_html(self.board, self.unavailable)

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each algorithm; the columns are those of `recbench export --format csv`."""
        return exports.to_pandas(exports.tidy(self.board))

    def to_latex(self, columns: Sequence[str] = ()) -> str:
        """A table for a paper.

        Args:
            columns: by the names that they have in `to_pandas`; none: those that matter most.

        Raises:
            UnknownName: there is no such column.
        """
        return exports.to_latex(self.board, columns)

    def to_bibtex(self) -> str:
        """What to cite: recbench, the data, and the algorithms as far as they are installed here."""
        return exports.to_bibtex(self.board, self._algorithms())

    def save(self, path: AnyPath, columns: Sequence[str] = ()) -> None:
        """Write a file in the form that its ending says: .csv, .json, .parquet, .tex or .bib.

        Args:
            columns: of a LaTeX table, as in `to_latex`.

        Raises:
            RecbenchError: the ending says nothing, the file cannot be written, or pyarrow is not installed.
        """
        path = Path(path)
        write_whole(path, content(self.board, form_of(path), columns=columns, algorithms=self._algorithms))

    def chart(self, kind: Kind = "pareto", *, metric: str | None = None, cost: Cost = "fit_seconds") -> Chart:
        """A score against a cost with the Pareto front, or scores with their intervals.

        Args:
            metric: as in "ndcg@10"; None: what sorts.
            cost: what the score is set against in the first kind.

        Raises:
            RecbenchError: there is nothing of that kind to draw, or matplotlib is not installed.
        """
        if kind == "pareto":
            return Chart(figure=pareto_chart(self.board, cost=cost, key=metric))
        if kind == "intervals":
            return Chart(figure=intervals_chart(self.board, key=metric))
        raise RecbenchError(f"{kind!r} is not a kind of chart", fix="give 'pareto' or 'intervals'")

    def compare(self, *rows: str, metrics: str | Sequence[str] = (), test: Test = "permutation") -> Differences:
        """Compare rows, paired by user, as `recbench compare` does. Needs the data.

        Args:
            rows: names of rows, files of records or folders; none: all rows of `output`.
            metrics: as in "ndcg@10"; none: all at the cut-off of the one that sorts.
            test: which paired test.

        Raises:
            RecbenchError: a row or the data is not there, or the rows do not stand on one ground.
        """
        request = comparing.Request(
            output=self.output, wanted=rows, protocol=self.protocol, keys=several(metrics), test=test,
            data_dir=self.data_dir,
        )  # fmt: skip
        return Differences(found=comparing.compare(request, offered(self.plugins)))

    def _algorithms(self) -> Mapping[str, Any]:
        return offered(self.plugins).algorithms


def _is_file(protocol: AnyPath | None) -> bool:
    return protocol is not None and Path(protocol).suffix == ".toml"


def _name(protocol: AnyPath | None) -> str | None:
    """The name of a protocol that is given by its name or its file."""
    if protocol is None:
        return None
    return load_protocol(Path(protocol), {}).name if _is_file(protocol) else str(protocol)
