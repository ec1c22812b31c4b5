"""The analysis of a board says what records and data give, lies beside them, and is found out where it is forged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import publications
import pytest
from click.testing import CliRunner
from publications import path_of, said, verified

from recbench import boards, leaderboard
from recbench.cli import cli
from recbench.cli.offers import registry
from recbench.comparing import Request, analyse_store, compare
from recbench.comparing.groups import by_user_columns
from recbench.data import Categories, Dataset, Interactions, Numbers
from recbench.errors import BadRecord
from recbench.metrics import per_user
from recbench.protocols.loading import load
from recbench.records import Analysis, Store, digest, load_analysis, read_lists
from recbench.records import load as load_record
from recbench.scene import Scene, prepare
from recbench.statistics import gap_intervals, mean_interval


def analysis_of(output: Path) -> Path:
    (path,) = output.glob("records/*/analysis.json")
    return path


def scene_of(output: Path) -> Scene:
    return prepare(load(output.parent / "small.toml", {}), registry())


def values_of(output: Path, label: str, key: str) -> np.ndarray:
    """By the metric's own function, without anything of the comparing package."""
    path, scene = path_of(output, label), scene_of(output)
    lists, _ = read_lists(path, load_record(path))
    protocol = scene.protocol
    (split,) = scene.splits
    return per_user(lists=lists, split=split, evaluation=protocol.evaluation, metrics=scene.metrics)[key]


def row_of(analysis: Analysis, name: str) -> Any:
    return next(row for row in analysis.rows if row.name == name)


def test_a_run_leaves_an_analysis_of_all_rows_that_have_scores(output: Path) -> None:
    found = load_analysis(analysis_of(output))
    assert {row.name for row in found.rows} == {"popularity", "item-mean", "random", "mine"}
    assert found.protocol == load_record(path_of(output, "popularity")).protocol["fingerprint"]


def test_an_interval_is_the_bootstrap_of_the_users_values(output: Path) -> None:
    values = values_of(output, "popularity", "ndcg@5")
    expected = mean_interval(values)
    assert row_of(load_analysis(analysis_of(output)), "popularity").intervals["ndcg@5"] == pytest.approx(
        (expected.low, expected.high)
    )


def test_metrics_over_the_catalogue_have_no_interval(output: Path) -> None:
    for row in load_analysis(analysis_of(output)).rows:
        assert "coverage@5" not in row.intervals


def test_letters_and_ranks_are_those_of_compare(output: Path) -> None:
    found = compare(Request(output=output, protocol=str(output.parent / "small.toml"), keys=("ndcg@5",)), registry())
    expected = {row.name: (row.letters, row.ranks) for row in found.metrics[0].rows}
    analysis = load_analysis(analysis_of(output))
    assert {row.name: (row.letters, row.ranks) for row in analysis.rows} == expected


def test_the_distribution_counts_each_evaluated_user_once(output: Path) -> None:
    row = row_of(load_analysis(analysis_of(output)), "popularity")
    expected = np.histogram(values_of(output, "popularity", "ndcg@5"), bins=10, range=(0, 1))[0]
    assert row.distribution == tuple(expected.tolist())


def test_figures_by_activity_are_means_over_the_users_of_each_group(output: Path) -> None:
    analysis, scene = load_analysis(analysis_of(output)), scene_of(output)
    place = [each.kind for each in analysis.groupings].index("activity")
    grouped = row_of(analysis, "popularity").grouped["ndcg@5"][place]
    weights = list(analysis.groupings[place].sizes)
    overall = np.average(list(grouped.means), weights=weights)
    assert overall == pytest.approx(values_of(output, "popularity", "ndcg@5").mean())
    assert sum(weights) == analysis.n_users <= scene.splits[0].dataset.n_users


def test_figures_by_popularity_take_a_groups_items_as_the_only_relevant_ones(output: Path) -> None:
    analysis, scene = load_analysis(analysis_of(output)), scene_of(output)
    place = [each.kind for each in analysis.groupings].index("popularity")
    (split,) = scene.splits
    times = np.bincount(split.dataset.interactions.item, minlength=split.dataset.n_items)
    order = np.argsort(-times, kind="stable")
    head = {int(item) for item, before in zip(order, np.cumsum(times[order]) - times[order], strict=True)
            if 3 * before < times.sum()}  # fmt: skip
    path = path_of(output, "popularity")
    lists, _ = read_lists(path, load_record(path))
    test, shares = split.test(), []
    for user in range(split.dataset.n_users):
        relevant = {
            int(i) for u, i, r in zip(test.user, test.item, test.rating, strict=True) if u == user and r >= 4
        } & head
        if relevant:
            shares.append(len(relevant & set(lists[user, :5].tolist())) / len(relevant))
    assert row_of(analysis, "popularity").grouped["recall@5"][place].means[0] == pytest.approx(np.mean(shares))


def test_users_are_grouped_by_columns_of_numbers_and_of_categories() -> None:
    n = 9
    dataset = Dataset(
        name="toy",
        interactions=Interactions(
            user=np.arange(n, dtype=np.int32), item=np.zeros(n, dtype=np.int32), rating=np.ones(n, dtype=np.float32)
        ),
        user_ids=np.arange(n).astype(np.str_),
        item_ids=np.array(["0"]),
        users={
            "age": Numbers(values=np.array([20, 30, 40, 21, 31, 41, 22, 32, np.nan])),
            "gender": Categories(codes=np.array([0, 1, 1, 1, 0, 1, 1, 1, -1], dtype=np.int32), names=("F", "M")),
            "same": Categories(codes=np.zeros(n, dtype=np.int32), names=("x",)),
        },
    )
    found = by_user_columns(dataset, np.ones(n, dtype=np.bool_))
    assert {kind: [(g.name, int(g.members.sum())) for g in groups] for kind, groups in found.items()} == {
        "age": [("20 to 22", 3), ("30 to 32", 3), ("40 to 41", 2)],
        "gender": [("M", 6), ("F", 2)],
    }


def test_the_interval_of_a_gap_holds_what_it_should_in_nineteen_worlds_of_twenty() -> None:
    draw, n_worlds, held = np.random.default_rng(0), 400, 0
    for world in range(n_worlds):
        members = draw.random(200) < 0.3
        values = draw.exponential(np.where(members, 1.0, 1.5))[None, :]
        first, last = np.where(members, values, np.nan), np.where(~members, values, np.nan)
        (found,) = gap_intervals(first, last, resamples=400, seed=world)
        held += found.low <= -0.5 <= found.high
    assert 0.91 <= held / n_worlds <= 0.985


def test_a_gap_needs_two_users_in_each_group() -> None:
    first = np.array([[1.0, np.nan, np.nan]])
    with pytest.raises(ValueError, match="at least 2 users in each group"):
        gap_intervals(first, np.array([[np.nan, 1.0, 0.5]]))


def test_the_same_records_give_the_same_bytes(output: Path) -> None:
    path = analysis_of(output)
    before = path.read_bytes()
    path.unlink()
    analyse_store(Store(output), scene_of(output))
    assert path.read_bytes() == before


def test_the_board_shows_intervals_letters_and_ranks(output: Path) -> None:
    text = (output / "small.md").read_text()
    assert "| 95 % interval | ties |" in " ".join(text.split()).replace("95 % interval |", "95 % interval |")
    assert "ndcg@5 by how active users are" in text
    assert "Not analysed" not in text


def test_a_run_shows_ties_in_the_terminal(output: Path) -> None:
    arguments = ["run", "-p", str(output.parent / "small.toml"), "-o", str(output.parent / "again"), "--in-process"]
    done = CliRunner().invoke(cli, [*arguments, "-a", "popularity", "-a", "random"], standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "rows that share a letter are tied" in " ".join(done.output.split())
    assert re.search(r"^ *1(-2)?  popularity \*  +0\.\d+  a", done.output, re.MULTILINE)


def test_a_run_that_is_interrupted_while_it_analyses_keeps_its_records_and_goes_on(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    arguments = ["run", "-p", str(output.parent / "small.toml"), "-o", str(output.parent / "again"), "--in-process"]
    arguments += ["-a", "popularity", "-a", "random"]
    with monkeypatch.context() as patched:
        patched.setattr("recbench.benchmark.carrying_out.analyse_store", interrupted)
        done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.return_value == 130
    assert len(Store(output.parent / "again").paths()) == 2
    assert "Not analysed" in (output.parent / "again" / "small.md").read_text()
    assert CliRunner().invoke(cli, arguments, standalone_mode=False).return_value == 0
    assert "Not analysed" not in (output.parent / "again" / "small.md").read_text()


def test_a_row_that_was_made_since_has_no_interval_and_takes_the_letters_with_it(output: Path) -> None:
    records, _ = Store(output).load_all()
    analyses, _ = Store(output).analyses()
    (analysis,) = analyses.values()
    fewer = [each for each in records if each.label != "random"]
    board = next(iter(leaderboard.standings(fewer, analyses).values()))
    assert all(each.intervals for each in board.ranked)
    assert not any(each.letters or each.ranks for each in board.standings)
    assert {digest([each]) for each in records if each.scores} == {row.records for row in analysis.rows}


def test_lists_that_cannot_be_read_cost_their_own_row_its_interval_only(output: Path) -> None:
    path_of(output, "random").with_suffix(".npz").write_bytes(b"no archive")
    analysis_of(output).unlink()
    found = analyse_store(Store(output), scene_of(output))
    assert found is not None
    assert {row.name for row in found.rows} == {"popularity", "item-mean", "mine"}


def test_render_needs_no_data_for_the_intervals(output: Path) -> None:
    before = (output / "small.md").read_bytes()
    (output.parent / "ratings.tsv").unlink()
    boards.write(output)
    assert (output / "small.md").read_bytes() == before


def test_rescore_makes_the_analysis_anew(output: Path) -> None:
    path = analysis_of(output)
    before = path.read_bytes()
    path.unlink()
    done = CliRunner().invoke(cli, ["rescore", str(output), "-p", str(output.parent / "small.toml")])
    assert done.exit_code == 0, done.output
    assert path.read_bytes() == before


def test_where_all_intervals_overlap_the_board_says_that_it_does_not_rank(output: Path) -> None:
    analysis, records = load_analysis(analysis_of(output)), Store(output).load_all()[0]
    wide = [replace(row, intervals=dict.fromkeys(row.intervals, (0.0, 1.0))) for row in analysis.rows]
    page = leaderboard.render(records, replace(analysis, rows=tuple(wide)))
    assert "**This table does not rank these.** The intervals of all rows overlap in rmse" in page
    apart = [replace(row, intervals={"ndcg@5": (n, n + 0.5)}) for n, row in enumerate(analysis.rows)]
    assert "does not rank" not in leaderboard.render(records, replace(analysis, rows=tuple(apart)))


FORGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an interval": (lambda d: d["rows"][0]["intervals"].update({"ndcg@5": [0.9, 0.91]}), "states other intervals"),
    "letters": (lambda d: d["rows"][0].update(letters="a2"), "states the letters 'a2'"),
    "ranks": (lambda d: d["rows"][0].update(ranks=[1, 1]), "states the ranks (1, 1)"),
    "a distribution": (lambda d: d["rows"][0].update(distribution=[1] * 10), "states the distribution"),
    "a gap": (lambda d: d["rows"][0]["grouped"]["ndcg@5"][0].update(gap=[0.0, 0.0, 0.0]), "figures by groups"),
    "a group": (lambda d: d["groupings"][0]["groups"].__setitem__(0, "the happy"), "states other groups"),
    "a row less": (lambda d: d["rows"].pop(), "was made from other records"),
    "the number of users": (lambda d: d.update(n_users=9_999), "states 9,999 users"),
    "another protocol": (lambda d: d.update(protocol="ab" * 32), "is of the protocol abababababab"),
    "a key more": (lambda d: d.update(luck=1), "has the unknown key 'luck'"),
    "an interval of three ends": (lambda d: d["rows"][0]["intervals"].update({"ndcg@5": [0, 1, 2]}), "is [0, 1, 2]"),
    "letters that are markup": (lambda d: d["rows"][0].update(letters="<b>"), "letters is '<b>'"),
    "another schema": (lambda d: d.update(schema=99), "is of schema 99"),
    "a mean less": (lambda d: d["rows"][0]["grouped"]["ndcg@5"][0]["means"].pop(), "has other groups than"),
    "a size less": (lambda d: d["groupings"][0]["sizes"].pop(), "not as many sizes as groups"),
}


@pytest.mark.parametrize("name", FORGED)
def test_verify_finds_a_forged_analysis(output: Path, name: str) -> None:
    change, message = FORGED[name]
    path = analysis_of(output)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    found = verified(output)
    assert any(message in line and "analysis.json" in line for line in said(found).splitlines()), said(found)
    assert not found.holds


def test_a_damaged_analysis_is_refused_by_render_and_told_by_run(output: Path) -> None:
    analysis_of(output).write_text("{")
    with pytest.raises(BadRecord, match="is not JSON"):
        boards.write(output)
    heard: list[BadRecord] = []
    boards.write(output, damaged=heard.append)
    assert len(heard) == 1


def test_an_analysis_is_not_computed_anew_where_a_record_does_not_hold(output: Path) -> None:
    publications.edit(path_of(output, "popularity"), lambda d: d["scores"].update({"ndcg@5": 0.99}))
    found = verified(output)
    assert "was not computed anew: records beside it do not hold" in [each.what for each in found.unchecked]
