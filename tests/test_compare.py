"""`recbench compare` says of two rows what a plain loop over users says, and refuses what does not stand on one
ground."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from splits_by_hand import split_by_hand

from recbench import benchmark, metrics
from recbench.cli import cli, run
from recbench.cli.compare import compare as command_of_compare
from recbench.cli.offers import registry
from recbench.comparing import Comparison, Contrast, Request, against, compare
from recbench.comparing.groups import by_activity, by_popularity, by_tags
from recbench.data import FloatArray, Int32Array, Split
from recbench.errors import RecbenchError
from recbench.protocols.loading import load
from recbench.recording import MadeElsewhere, record_of_external
from recbench.records import Record, Status, Store, trial_id
from recbench.records import load as load_record
from recbench.scene import Scene, prepare

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "comparing.md").read_text(encoding="utf-8")
N_USERS, N_ITEMS, DEPTH = 80, 40, 5

PROTOCOL = """
name = "toy"
title = "Toy | ratings"
[data]
interactions = {{ path = "ratings.tsv", format = "csv", separator = "\\t", columns = {columns} }}
scale = [1, 5]
[split]
kind = "{kind}"
{more}
[evaluation]
primary = "recall@5"
cutoffs = [3, 5]
metrics = {metrics}
relevant_at_least = {relevant}
"""
COLUMNS = '["user", "item", "rating", "time"]'
METRICS = '["recall", "ndcg", "coverage", "rmse", "mae"]'


class World:
    """A folder with data and a protocol, and stores below it that hold rows of the test's making."""

    def __init__(self, folder: Path, name: str = "toy.toml", **changes: Any) -> None:
        self.folder = folder
        draw = np.random.default_rng(3)
        popular = np.linspace(3.0, 0.5, N_ITEMS)
        rows = [
            (user, item, draw.integers(1, 6), 1_600_000_000 + 100 * user + draw.integers(0, 2_000))  # some come late
            for user in range(N_USERS)
            for item in draw.choice(N_ITEMS, 8 + user % 13, replace=False, p=popular / popular.sum())
        ]
        (folder / "ratings.tsv").write_text("\n".join("\t".join(map(str, row)) for row in rows) + "\n")
        self.protocol = folder / name
        values = {
            "kind": "holdout",
            "more": "seed = 1",
            "metrics": METRICS,
            "columns": COLUMNS,
            "relevant": 3,
        } | changes
        self.protocol.write_text(PROTOCOL.format(**values))
        self.scene: Scene = prepare(load(self.protocol, {}), registry())

    def request(self, *wanted: str, store: str = "out", **more: Any) -> Request:
        return Request(wanted=wanted, output=self.folder / store, protocol=str(self.protocol), **more)

    def compare(self, *wanted: str, **more: Any) -> Comparison:
        return compare(self.request(*wanted, **more), registry())

    def save(
        self,
        label: str,
        lists: Callable[[Split], Int32Array],
        *,
        store: str = "out",
        seed: int = 0,
        predictions: Callable[[Split], FloatArray] | None = None,
        **changes: Any,
    ) -> list[Path]:
        """A row as a run would leave it: a record for each fold, and lists beside."""
        return [
            self._save_fold(label, split, lists(split), predictions and predictions(split), store, seed, changes)
            for split in self.scene.splits
        ]

    def _save_fold(
        self,
        label: str,
        split: Split,
        lists: Int32Array,
        predictions: FloatArray | None,
        store: str,
        seed: int,
        changes: dict[str, Any],
    ) -> Path:
        record = record_of_external(MadeElsewhere(name=label, lists=lists, predictions=predictions), self.scene, split)
        algorithm = {"name": label, "distribution": "test", "target": "test:Fake", "parameters": {}}
        identity = {**record.identity, "algorithm": algorithm, "parts": ["lists", "predictions"], "seed": seed}
        record = replace(record, seed=seed, identity=identity, trial_id=trial_id(identity), **changes)
        keeps = record.status is Status.OK
        return Store(self.folder / store).save(record, lists=lists if keeps else None, predictions=predictions)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ranker(skill: float, seed: int = 0, users: Sequence[int] | None = None) -> Callable[[Split], Int32Array]:
    """Lists with a user's test items in front with that probability each; `users`: who are served so, else chance."""

    def lists(split: Split) -> Int32Array:
        draw = np.random.default_rng(seed)
        score = draw.random((N_USERS, N_ITEMS))
        test = split.test()
        found = draw.random(len(test)) < skill
        if users is not None:
            found &= np.isin(test.user, users)
        score[test.user[found], test.item[found]] += 2
        train = split.train().interactions
        score[train.user, train.item] = -1
        return np.argsort(-score, axis=1)[:, :DEPTH].astype(np.int32)

    return lists


chance = ranker(0.0, 9)


def rater(noise: float) -> Callable[[Split], FloatArray]:
    def predictions(split: Split) -> FloatArray:
        rating = split.test().rating.astype(np.float64)
        return np.clip(rating + noise * np.random.default_rng(1).normal(size=len(rating)), 1.0, 5.0)

    return predictions


def recall_by_user(lists: Int32Array, split: Split) -> dict[int, float]:
    """The plain loop: recall at 5."""
    test = split.test()
    relevant: dict[int, set[int]] = {}
    for user, item, rating in zip(test.user.tolist(), test.item.tolist(), test.rating.tolist(), strict=True):
        if rating >= 3:
            relevant.setdefault(user, set()).add(item)
    return {user: len(items & set(lists[user].tolist())) / len(items) for user, items in relevant.items()}


def of(found: Comparison, key: str) -> Contrast:
    (metric,) = (each for each in found.metrics if each.key == key)
    (contrast,) = metric.contrasts
    return contrast


def command(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["compare", *map(str, arguments)], standalone_mode=False)


# What is compared


def test_a_difference_is_that_of_a_plain_loop_over_users(world: World) -> None:
    world.save("good", ranker(0.7, 1))
    world.save("poor", ranker(0.2, 2))
    found = of(world.compare("good", "poor"), "recall@5")
    (split,) = world.scene.splits
    good, poor = (recall_by_user(ranker(*each)(split), split) for each in ((0.7, 1), (0.2, 2)))
    differences = np.array([good[user] - poor[user] for user in good])
    assert found.difference.estimate == pytest.approx(differences.mean())
    assert (found.wins, found.ties, found.losses) == tuple(
        int(n) for n in ((differences > 0).sum(), (differences == 0).sum(), (differences < 0).sum())
    )
    assert found.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found.scatter == pytest.approx(np.quantile(differences, [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert found.p < 0.001


def test_scores_are_those_of_the_records_and_the_best_stands_first(world: World) -> None:
    paths = [*world.save("poor", ranker(0.2, 2)), *world.save("good", ranker(0.7, 1))]
    found = world.compare("poor", "good").metrics
    poor, good = (load_record(path) for path in paths)
    for metric in found:
        assert {row.name: row.mean for row in metric.rows} == pytest.approx(
            {record.label: record.scores[metric.key] for record in (poor, good) if metric.key in record.scores}
        )
    assert [row.name for row in found[0].rows] == ["good", "poor"]
    assert [row.letters for row in found[0].rows] == ["a", "b"]
    assert [row.ranks for row in found[0].rows] == [(1, 1), (2, 2)]


def test_of_errors_the_lower_wins_and_users_count_by_their_pairs(world: World) -> None:
    near = world.save("near", ranker(0.5), predictions=rater(0.3))
    far = world.save("far", ranker(0.5, 1), predictions=rater(0.9))
    found = world.compare("near", "far")
    means = [load_record(path).scores["rmse"] for path in (*near, *far)]
    rmse = of(found, "rmse")
    assert rmse.difference.estimate == pytest.approx(means[0] - means[1])
    assert rmse.wins > rmse.losses
    rows = {row.name: row for metric in found.metrics if metric.key == "rmse" for row in metric.rows}
    assert (rows["near"].ranks, rows["far"].ranks) == ((1, 1), (2, 2))


def test_a_row_without_predictions_is_told_and_the_others_are_compared(world: World) -> None:
    world.save("near", ranker(0.5), predictions=rater(0.3))
    world.save("far", ranker(0.5, 1), predictions=rater(0.9))
    world.save("mute", ranker(0.5, 2))
    metric = next(each for each in world.compare("near", "mute", "far").metrics if each.key == "rmse")
    assert metric.without == ("mute",)
    assert [(each.first, each.second) for each in metric.contrasts] == [("near", "far")]


def test_seeds_are_averaged_before_users_are_drawn(world: World) -> None:
    for seed in (0, 1):
        world.save("seeded", ranker(0.6, seed), seed=seed)
    world.save("other", ranker(0.3, 5))
    metric = world.compare("seeded", "other").metrics[0]
    (split,) = world.scene.splits
    each = [recall_by_user(ranker(0.6, seed)(split), split) for seed in (0, 1)]
    means = [np.mean(list(one.values())) for one in each]
    seeded = metric.rows[0]
    assert seeded.mean == pytest.approx(np.mean(means))
    assert seeded.spread == pytest.approx(np.std(means, ddof=1))
    assert seeded.interval is not None
    assert seeded.interval.n_users == len(each[0])


def test_a_figure_over_all_lists_has_no_interval_and_no_test(world: World) -> None:
    world.save("good", ranker(0.7, 1))
    world.save("poor", ranker(0.2, 2))
    metric = next(each for each in world.compare("good", "poor").metrics if each.key == "coverage@5")
    assert metric.contrasts == ()
    assert all(row.interval is None for row in metric.rows)


def test_folds_are_put_together_by_user(tmp_path: Path) -> None:
    world = World(tmp_path, kind="k-fold", more="folds = 3\nseed = 1")
    near = world.save("near", ranker(0.7, 1), predictions=rater(0.3))
    far = world.save("far", ranker(0.3, 2), predictions=rater(0.9))
    found = world.compare("near", "far")
    recall: dict[int, list[float]] = {}
    for split in world.scene.splits:
        good, poor = (recall_by_user(ranker(*each)(split), split) for each in ((0.7, 1), (0.3, 2)))
        for user in good:
            recall.setdefault(user, []).append(good[user] - poor[user])
    assert of(found, "recall@5").difference.estimate == pytest.approx(np.mean([np.mean(d) for d in recall.values()]))
    squares = []
    for paths in (near, far):
        records = [load_record(path) for path in paths]
        n = [record.split["test"] for record in records]
        squares.append(sum(r.scores["rmse"] ** 2 * n for r, n in zip(records, n, strict=True)) / sum(n))
    assert of(found, "rmse").difference.estimate == pytest.approx(math.sqrt(squares[0]) - math.sqrt(squares[1]))


def test_users_without_a_history_count_no_more_than_on_the_board(tmp_path: Path) -> None:
    world = World(tmp_path, kind="time")
    good, poor = ([load_record(path) for path in world.save(*row)] for row in (("good", ranker(0.7)), ("poor", chance)))
    assert good[0].scores_warm is not None
    assert good[0].scores_warm != good[0].scores
    found = world.compare("good", "poor")
    assert found.population == "users with a history"
    means = [np.mean([(record.scores_warm or {})["recall@5"] for record in records]) for records in (good, poor)]
    assert [row.mean for row in found.metrics[0].rows] == pytest.approx(means)


def test_where_rows_differ_is_found(world: World) -> None:
    times = np.bincount(world.scene.splits[0].dataset.interactions.user)
    active = np.flatnonzero(times > 17)
    world.save("everybody", ranker(0.8, 1))
    world.save("some", ranker(0.8, 1, users=np.setdiff1d(np.arange(N_USERS), active)))
    groups = [each for each in world.compare("everybody", "some").groups if each.kind == "activity"]
    assert [each.difference.excludes_zero for each in groups] == [False, False, True]
    assert groups[2].group.startswith("most active")


def test_items_are_told_apart_by_recall_over_their_own_test_pairs(world: World) -> None:
    data = world.scene.splits[0].dataset
    (head, *_) = by_popularity(data)

    def without_head(split: Split) -> Int32Array:
        lists = ranker(1.0)(split)
        lists[head.members[lists]] = -1
        order = np.argsort(lists < 0, axis=1, kind="stable")
        return np.take_along_axis(lists, order, axis=1)

    world.save("all", ranker(1.0))
    world.save("deep", without_head)
    groups = {each.group: each for each in world.compare("all", "deep").groups if each.kind == "popularity"}
    (split,) = world.scene.splits
    test, lists = split.test(), ranker(1.0)(split)
    counts = (test.rating >= 3) & head.members[test.item]
    hits = sum(item in lists[user] for user, item in zip(test.user[counts], test.item[counts], strict=True))
    assert groups[head.name].means == pytest.approx((hits / counts.sum(), 0.0))
    assert [each.difference.excludes_zero for each in groups.values()] == [True, False, False]


def test_every_user_and_every_item_is_in_one_group(world: World) -> None:
    data = world.scene.splits[0].dataset
    everybody = np.ones(N_USERS, dtype=np.bool_)
    for groups in (by_activity(data, everybody), by_popularity(data)):
        assert len(groups) == 3
        assert (sum(group.members.astype(int) for group in groups) == 1).all()
    head, _, tail = (group.members.sum() for group in by_popularity(data))
    assert head < tail


def test_the_items_of_each_tag_are_a_group_and_the_most_common_tags_come_first() -> None:
    tags = [[0], [0, 1], [1], [], [0]]
    data = split_by_hand(n_users=3, n_items=5, test=[(0, 2), (1, 2), (2, 1)], train=[(0, 0)], tags=tags).dataset
    groups = by_tags(data)
    assert [group.name for group in groups] == ["genres tag 1, 2 items", "genres tag 0, 3 items"]
    assert [np.flatnonzero(group.members).tolist() for group in groups] == [[1, 2], [0, 1, 4]]


def test_rows_come_from_labels_files_and_folders_each_once(world: World) -> None:
    (path,) = world.save("here", ranker(0.5, 1))
    world.save("there", ranker(0.4, 2), store="other")
    world.save("here", ranker(0.3, 3), store="other")
    other = str(world.folder / "other")
    names = [row.name for row in world.compare("here", str(path), other).metrics[0].rows]
    assert sorted(names) == sorted(["there", f"here ({world.folder / 'out'})", f"here ({other})"])


def test_a_row_that_failed_is_left_out_of_a_folder_and_refused_by_its_name(world: World) -> None:
    world.save("good", ranker(0.7, 1))
    world.save("poor", ranker(0.2, 2))
    world.save("broken", ranker(0.2, 3), status=Status.FAILED, reason="it fell over", scores={})
    assert world.compare().left_out == {"broken": "failed: it fell over"}
    with pytest.raises(RecbenchError, match="it fell over"):
        world.compare("good", "broken")


# What is refused


def test_another_evaluation_is_named_and_rescoring_brings_the_rows_together(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    strict = World(world.folder, "strict.toml", relevant=5)
    strict.save("theirs", ranker(0.2, 2), store="other")
    wanted = [str(world.folder / "out"), str(world.folder / "other")]
    with pytest.raises(RecbenchError, match=r"evaluation\.relevant_at_least is 3\.0 and 5\.0") as caught:
        world.compare(*wanted)
    assert f"Error: {caught.value.what}\nFix:   {caught.value.fix}\n" in PAGE
    benchmark.rescore(world.scene.protocol, registry(), world.folder / "other")
    (record,) = (path for path in Store(world.folder / "other").paths() if _is_of(path, world.scene))
    assert of(world.compare(wanted[0], str(record)), "recall@5").p < 0.001


def _is_of(path: Path, scene: Scene) -> bool:
    return bool(load_record(path).protocol["fingerprint"] == scene.fingerprint)


def test_another_split_is_named_and_both_are_to_be_run_again(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    World(world.folder, "seeded.toml", more="seed = 2").save("theirs", ranker(0.2, 2), store="other")
    with pytest.raises(RecbenchError, match=r"split\.seed is 1 and 2") as caught:
        world.compare(str(world.folder / "out"), str(world.folder / "other"))
    assert "recbench run" in caught.value.fix


def test_another_version_of_the_metrics_is_named(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    world.save("theirs", ranker(0.2, 2), store="other", metrics_version=metrics.METRICS_VERSION + 1)
    with pytest.raises(RecbenchError, match=r"of version 1, those of 'theirs' of version 2"):
        world.compare(str(world.folder / "out"), str(world.folder / "other"))


def test_other_data_than_the_records_were_made_from_is_refused(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    world.save("theirs", ranker(0.2, 2))
    lines = (world.folder / "ratings.tsv").read_text().splitlines()
    (world.folder / "ratings.tsv").write_text("\n".join(lines[1:]) + "\n")
    with pytest.raises(RecbenchError, match="the data at hand gives other splits"):
        world.compare("mine", "theirs")


def test_without_the_data_or_the_protocol_it_is_said_what_lacks(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    world.save("theirs", ranker(0.2, 2))
    with pytest.raises(RecbenchError, match="need the protocol 'toy'") as caught:
        compare(Request(wanted=("mine", "theirs"), output=world.folder / "out"), registry())
    assert "-p" in caught.value.fix
    (world.folder / "ratings.tsv").unlink()
    with pytest.raises(RecbenchError, match=r"ratings\.tsv"):
        world.compare("mine", "theirs")


def test_a_score_that_does_not_follow_from_the_lists_is_found(world: World) -> None:
    world.save("mine", ranker(0.7, 1), scores={"recall@5": 0.99})
    world.save("theirs", ranker(0.2, 2))
    with pytest.raises(RecbenchError, match=r"says recall@5 0\.99, and its lists give"):
        world.compare("mine", "theirs")


def test_names_that_nothing_goes_by_are_told_with_the_close_ones(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    world.save("theirs", ranker(0.2, 2))
    with pytest.raises(RecbenchError, match="close: 'theirs'"):
        world.compare("mine", "their")
    with pytest.raises(RecbenchError, match="'recal@5' is not the name of a score; close: 'recall@5'"):
        world.compare("mine", "theirs", keys=("recal@5",))
    with pytest.raises(RecbenchError, match="1 rows to compare"):
        world.compare("mine")


def test_a_label_under_several_protocols_asks_for_one(world: World) -> None:
    world.save("mine", ranker(0.7, 1))
    World(world.folder, "other.toml", relevant=5).save("mine", ranker(0.7, 1))
    with pytest.raises(RecbenchError, match="stands under several protocols"):
        world.compare("mine", "mine")


# Against an earlier state


@pytest.mark.parametrize(("skill", "verdict"), [(0.2, "worse"), (1.0, "better"), (0.7, "same")])
def test_a_row_is_held_against_its_earlier_self(world: World, skill: float, verdict: str) -> None:
    world.save("mine", ranker(0.7, 1), store="before")
    world.save("mine", ranker(skill, 1))
    world.save("young", ranker(0.5, 2))
    found = against(world.request(), world.folder / "before", registry())
    assert [(each.name, each.key, each.verdict) for each in found.changes] == [("mine", "recall@5", verdict)]
    assert bool(found.worse) == (verdict == "worse")
    assert found.new == ("young",)


def test_an_error_that_grows_is_a_regression(world: World) -> None:
    world.save("mine", ranker(0.5), store="before", predictions=rater(0.3))
    world.save("mine", ranker(0.5), predictions=rater(0.9))
    found = against(world.request(keys=("rmse", "recall@5")), world.folder / "before", registry())
    assert [each.verdict for each in found.changes] == ["worse", "same"]


def test_nothing_in_common_is_an_error_and_not_a_pass(world: World) -> None:
    world.save("old", ranker(0.7, 1), store="before")
    world.save("mine", ranker(0.7, 1))
    with pytest.raises(RecbenchError, match="no row of"):
        against(world.request(), world.folder / "before", registry())


# The command


def test_against_exits_with_3_on_a_regression_alone_and_prints_a_table_for_github(world: World) -> None:
    world.save("a|b", ranker(0.7, 1), store="before")
    world.save("a|b", ranker(0.2, 1))
    options = ("-o", world.folder / "out", "-p", world.protocol, "--against", world.folder / "before", "--markdown")
    done = command(*options)
    assert done.return_value == 3
    head, rule, row = (line for line in done.stdout.splitlines() if line.startswith("|"))
    assert head.startswith("| row | score | before | now |")
    assert rule.startswith("| :-- | --: |")
    assert row.startswith(r"| a\|b | recall@5")
    assert "| worse |" in row
    world.save("a|b", ranker(0.7, 1))
    assert command(*options).return_value == 0


def test_json_holds_every_pair(world: World) -> None:
    for place in range(5):
        world.save(f"row {place}", ranker(place / 5, place))
    done = command(world.folder / "out", "-p", world.protocol, "--json")
    found = json.loads(done.stdout)
    assert [len(each["contrasts"]) for each in found["metrics"] if each["key"] == "recall@5"] == [10]
    assert found["protocol"] == "toy"


def test_the_terminal_shows_rows_pairs_and_groups(world: World) -> None:
    world.save("good", ranker(0.7, 1))
    world.save("poor", ranker(0.2, 2))
    done = command("good", "poor", "-o", world.folder / "out", "-p", world.protocol, "--metric", "recall@5")
    assert done.return_value == 0
    for shown in ("recall@5 ↑, ", "good − poor", "by how active users are", "by how popular the test items are"):  # noqa: RUF001
        assert shown in done.stdout
    assert "ndcg" not in done.stdout


def test_two_forms_at_once_are_wrong_usage(world: World) -> None:
    done = CliRunner().invoke(cli, ["compare", "--json", "--markdown"])
    assert done.exit_code == 2


def test_a_record_file_alone_is_a_row(world: World) -> None:
    files = [*world.save("good", ranker(0.7, 1)), *world.save("poor", ranker(0.2, 2))]
    records: list[Record] = [load_record(path) for path in files]
    found = of(world.compare(*map(str, files)), "ndcg@5")
    assert found.difference.estimate == pytest.approx(records[0].scores["ndcg@5"] - records[1].scores["ndcg@5"])


def test_the_page_says_what_runs() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    expected = block.rstrip().rpartition("# ")[2]
    assert repr(names["letters"](names["symmetric"](names["pairs"]), names["values"].mean(axis=1))) == expected


def test_the_page_names_no_option_that_there_is_not() -> None:
    known = {option for each in (command_of_compare, run.run) for one in each.params for option in one.opts}
    lines = re.findall(r"^\$ recbench (?:compare|run) (.*)$", PAGE, flags=re.MULTILINE)
    named = {word for line in lines for word in line.split() if word.startswith("-")}
    assert named
    assert named <= known
