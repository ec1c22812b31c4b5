"""The page on the article: its commands run, what it shows is what they print, and its figures are those on record."""

from __future__ import annotations

import fnmatch
import importlib
import inspect
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from recbench_baselines import recbench_algorithms
from recbench_clusters.grouping import assign, k_means
from worlds import from_pairs

from recbench.cli import cli
from recbench.cli.offers import load_protocol, registry
from recbench.data import Interactions, Split
from recbench.datasets import builtin_sources, load
from recbench.protocols.spec import DataSpec, SplitSpec
from recbench.records import Record, Status, Store
from recbench.registry import discover
from recbench.splits import split
from recbench.trials import parse_settings

REPOSITORY = Path(__file__).resolve().parent.parent
PATH = REPOSITORY / "docs" / "article.md"
PAGE = PATH.read_text()
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TABLE = re.compile(r"^\| algorithm \|.*?(?=\n\n|\Z)", re.DOTALL | re.MULTILINE)
LINE = re.compile(r"^\|.*\|$", re.MULTILINE)
CELL = re.compile(r"(?<=\|)[^|]+(?=\|)")
COLUMN = re.compile(r"(?:`(?P<board>[\w-]+)` )?(?P<metric>[\w@]+)(?: \((?P<users>warm|all)\))?")
NUMBER = re.compile(r"-?\d+\.\d+")
DEFAULT, TIME = "movietweetings", "movietweetings-time"
ANOTHER_PLATFORM = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command of the page with what the page shows of its output."""

    command: str
    marks: str
    shown: str

    @property
    def is_quick(self) -> bool:
        return "quick" in self.marks.split()

    @property
    def exit_code(self) -> int:
        found = re.search(r"exit=(\d+)", self.marks)
        return int(found[1]) if found else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A figure of a table of the page, and where it stands there."""

    board: str
    label: str
    metric: str
    users: str
    text: str
    start: int

    @property
    def digits(self) -> int:
        return len(self.text.partition(".")[2])

    def written(self, value: float) -> str:
        """The value as the page writes it: with as many digits, and no 0 before the point."""
        return f"{value:.{self.digits}f}".removeprefix("0" if self.digits else "")

    def is_right(self, value: float) -> bool:
        return abs(value - float(self.text)) <= 0.5 * 10.0**-self.digits + ANOTHER_PLATFORM


def examples() -> Iterator[Example]:
    """The commands in their order; the output after a block of several is not taken apart."""
    blocks = [match.groups() for match in BLOCK.finditer(PAGE)]
    for (kind, marks, body), after in zip(blocks, [*blocks[1:], ("", "", "")], strict=True):
        commands = re.findall(r"^\$ (recbench .*)$", body, re.MULTILINE) if kind == "console" else []
        for command in commands:
            yield Example(command=command, marks=marks, shown=after[2] if after[0] == "text" else "")


EXAMPLES = list(examples())
QUICK = [example for example in EXAMPLES if example.is_quick]


def quoted(page: str) -> Iterator[Quoted]:
    """The figures of all tables with a column "algorithm"; columns that are no metrics are passed over."""
    for table in TABLE.finditer(page):
        lines = list(LINE.finditer(page, table.start(), table.end()))
        columns = [COLUMN.fullmatch(cell[0].strip()) for cell in CELL.finditer(lines[0][0])]
        for line in lines[2:]:
            label, *figures = CELL.finditer(line[0])
            for column, cell in zip(columns[1:], figures, strict=True):
                if column and cell[0].strip():
                    yield Quoted(
                        board=column["board"] or DEFAULT,
                        label=label[0].strip(),
                        metric=column["metric"],
                        users=column["users"] or "all",
                        text=cell[0].strip(),
                        start=line.start() + cell.start() + 1,
                    )


QUOTED = list(quoted(PAGE))


@cache
def published(board: str) -> tuple[Record, ...]:
    """The records of a published board."""
    records = Store(REPOSITORY / "leaderboards").load_all()[0]
    return tuple(record for record in records if record.protocol["name"] == board and record.status is Status.OK)


def score(record: Record, metric: str, users: str = "all") -> float:
    scores = record.scores_warm if users == "warm" else record.scores
    assert scores is not None
    return float(scores[metric])


def on_board(board: str, label: str, metric: str, users: str = "all") -> float:
    """The mean over seeds, as the board has it; without a board there is nothing to compare with."""
    if not published(board):
        pytest.skip(f"no board of {board} is published")
    found = [score(record, metric, users) for record in published(board) if record.label == label]
    assert found, f"{label} is not on the board of {board}"
    return float(np.mean(found))


def alike(one: str, other: str) -> bool:
    """The same words, and figures that differ by no more than another platform's rounding may make them."""
    if NUMBER.sub("#", one) != NUMBER.sub("#", other):
        return False
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(float(a) == pytest.approx(float(b), rel=1e-3, abs=2 * ANOTHER_PLATFORM) for a, b in pairs)


def agree(shown: str, printed: str) -> bool:
    """Whether the page shows what was printed, line breaks aside."""
    one, other = shown.split(), printed.split()
    return bool(one) and len(one) == len(other) and all(map(alike, one, other))


# Commands


@pytest.mark.parametrize("example", QUICK, ids=lambda example: example.command)
def test_a_quick_command_prints_what_the_page_shows(
    example: Example,
    tmp_path: Path,
    update_golden: bool,
) -> None:
    environment = {**os.environ, "COLUMNS": "80", "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(example.command)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == example.exit_code, done.stderr
    printed = done.stderr if example.exit_code else done.stdout
    if update_golden:
        PATH.write_text(PATH.read_text().replace(example.shown, printed))
    else:
        assert agree(example.shown, printed)


def given_to(command: str) -> Mapping[str, Any]:
    """The parameters of the command, as it parses them itself, refusing what it does not know; nothing runs."""
    name, *arguments = shlex.split(command)[1:]
    context = cli.commands[name].make_context(name, arguments)
    protocol = next(each.name for each in cli.commands[name].params if "--protocol" in each.opts)
    return {**context.params, "protocol": context.params[protocol]}


def parameters_of(algorithm: str) -> set[str]:
    """What the algorithm can be given."""
    module, _, name = discover().algorithms[algorithm].value.target.partition(":")
    return set(inspect.signature(getattr(importlib.import_module(module), name)).parameters)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command)
def test_a_command_names_what_there_is(example: Example) -> None:
    given, offered = given_to(example.command), registry(())
    assert load_protocol(given["protocol"], offered)
    wanted = [*given.get("wanted", ()), *filter(None, [given.get("algorithm")])]
    assert wanted
    assert [glob for glob in wanted if not fnmatch.filter(offered.algorithms, glob)] == []


@pytest.mark.parametrize(
    "example", [each for each in EXAMPLES if "--set" in each.command], ids=lambda each: each.command
)
def test_a_setting_of_a_command_is_a_parameter(example: Example) -> None:
    for algorithm, settings in parse_settings(given_to(example.command)["settings"]).items():
        for module in discover().algorithms[algorithm].value.requires:
            pytest.importorskip(module)
        assert settings.keys() <= parameters_of(algorithm)


def test_the_page_runs_something_quick_and_every_family_of_the_article() -> None:
    commands = " ".join(example.command for example in EXAMPLES)
    families = ["content", "user-pearson", "item-cosine", "mlp-torch-article", "hybrid-blend", "kmeans", "hierarchical"]
    families += ["bagging", "boosting", "stacking", "random-forest", "q-learning", "--user 943"]
    assert [family for family in families if family not in commands] == []
    assert len(QUICK) >= 5


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"(test_\w+\.py)::(test_\w+)", PAGE)
    assert len(named) == 5
    for file, test in named:
        assert f"def {test}(" in (REPOSITORY / "tests" / file).read_text()
    for file in re.findall(r"tests/test_\w+\.py", PAGE):
        assert (REPOSITORY / file).is_file()


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    assert [link for link in links if not (REPOSITORY / "docs" / link).exists()] == []
    assert "(docs/article.md)" in (REPOSITORY / "README.md").read_text()


# Figures


@pytest.mark.parametrize("board", [DEFAULT, TIME])
def test_the_figures_of_the_tables_are_those_of_the_records(board: str, update_golden: bool) -> None:
    found = [(each, on_board(board, each.label, each.metric, each.users)) for each in QUOTED if each.board == board]
    if update_golden:
        PATH.write_text(with_figures(PATH.read_text(), board))
        return
    wrong = [f"{each}: write {each.written(value)}" for each, value in found if not each.is_right(value)]
    assert wrong == []


def with_figures(page: str, board: str) -> str:
    """The page with the figures of the records in its tables, written from the last one to the first."""
    for each in reversed([each for each in quoted(page) if each.board == board]):
        value = each.written(on_board(board, each.label, each.metric, each.users))
        page = page[: each.start] + value + page[each.start + len(each.text) :]
    return page


def test_figures_are_written_into_their_places() -> None:
    spoilt = PAGE
    for each in reversed([each for each in QUOTED if each.board == DEFAULT]):
        spoilt = spoilt[: each.start] + each.written(9.87654321) + spoilt[each.start + len(each.text) :]
    assert "9.877" in spoilt
    right = with_figures(spoilt, DEFAULT)
    assert "9.877" not in right
    assert all(
        each.is_right(on_board(DEFAULT, each.label, each.metric)) for each in quoted(right) if each.board == DEFAULT
    )


def test_the_tables_have_figures_of_both_boards() -> None:
    assert {figure.board for figure in QUOTED} == {DEFAULT, TIME}
    assert {"mse", "precision@10", "recall@10", "coverage@10", "ndcg@10"} <= {figure.metric for figure in QUOTED}


def test_at_random_the_personalised_lead_and_recent_popularity_does_not() -> None:
    popularity = on_board(DEFAULT, "popularity", "ndcg@10")
    best = max(score(record, "ndcg@10") for record in published(DEFAULT))
    assert 1.35 < best / popularity < 1.5
    assert on_board(DEFAULT, "recent-popularity", "ndcg@10") < 1.1 * popularity
    assert {record.split["leaks_future"] for record in published(DEFAULT)} == {True}


@pytest.mark.parametrize("users", ["warm", "all"])
def test_in_time_recent_popularity_wins(users: str) -> None:
    recent = on_board(TIME, "recent-popularity", "ndcg@10", users)
    labels = {record.label for record in published(TIME)} - {"recent-popularity"}
    assert recent > max(on_board(TIME, label, "ndcg@10", users) for label in labels)
    counts = published(TIME)[0].counts
    said = ("cold_users_in_test", "users_in_test", "cold_items_in_test", "users_warm")
    assert [f"{counts[name]:,}" for name in said if f"{counts[name]:,}" not in PAGE] == []


def test_networks_predict_well_and_rank_like_chance() -> None:
    chance = on_board(DEFAULT, "random", "ndcg@10")
    for label in ("mlp-torch", "mlp-keras"):
        assert on_board(DEFAULT, label, "mse") < on_board(DEFAULT, "bias", "mse") - 0.08
        assert on_board(DEFAULT, label, "ndcg@10") < 2 * chance


def test_precision_has_the_ceiling_that_the_page_says() -> None:
    counts = {(record.counts["relevant_pairs"], record.counts["users_evaluated"]) for record in published(DEFAULT)}
    ((relevant, users),) = counts
    assert f"{relevant / users:.1f} relevant test items" in PAGE
    assert f"cannot pass {relevant / users / 10:.2f}".replace("0.", ".") in PAGE


# The article's arithmetic and code


def test_the_mean_of_2_4_6_is_4() -> None:
    world = from_pairs([0, 0, 0], [0, 1, 2], [2, 4, 6])
    for name in ("global-mean", "user-mean"):
        (offer,) = (offer for offer in recbench_algorithms() if offer.name == name)
        module, _, target = offer.target.partition(":")
        made = getattr(importlib.import_module(module), target)(**offer.parameters)
        made.fit(world, seed=0)
        assert made.predict(np.array([0]), np.array([1])) == pytest.approx([4.0])
    points = np.array([[2.0], [4.0], [6.0]])
    assert k_means(points, 1, seed=0).centres.tolist() == [[4.0]]


def test_the_groups_and_centres_that_the_page_says() -> None:
    points = np.array([[1.0, 0, 0, 1], [1, 1, 0, 1], [0, 0, 1, 0], [0, 1, 1, 0]])
    found = k_means(points, 2, seed=0, init=points[[0, 2]])
    assert assign(points, points[[0, 2]]).tolist() == [0, 0, 1, 1]
    assert found.centres.tolist() == [[1, 0.5, 0, 1], [0, 0.5, 1, 0]]


@pytest.mark.golden
@pytest.mark.slow
def test_the_article_s_network_knows_its_ratings_by_heart(shared_data: Callable[[str], Path]) -> None:
    pytest.importorskip("torch")
    from recbench_mlp import ARTICLE
    from recbench_mlp.in_torch import TorchMLP

    settings: dict[str, Any] = dict(ARTICLE)
    fold, made = first_of_surprises_folds(shared_data("ml-100k")), TorchMLP(**settings)
    made.fit(fold.train(), seed=0)
    known, unknown = (mean_squared_error(made, rows) for rows in (fold.train().interactions, fold.test()))
    assert 0.15 < known < 0.3
    assert 0.98**2 < unknown < 1.03**2


def first_of_surprises_folds(folder: Path) -> Split:
    """With the features of users and items."""
    sources = {source.name: source for source in builtin_sources()}
    dataset = load(DataSpec(source="ml-100k"), sources=sources, data_dir=folder.parent).dataset
    return split(dataset, SplitSpec(kind="k-fold", folds=5, shuffle="mt19937", seed=0))[0]


def mean_squared_error(algorithm: Any, rows: Interactions) -> float:
    predicted = algorithm.predict(rows.user.astype(np.int64), rows.item.astype(np.int64)).clip(1, 5)
    return float(np.mean((predicted - rows.rating) ** 2))
