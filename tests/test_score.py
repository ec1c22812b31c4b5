"""`recbench score`: lists made elsewhere are scored as any others, and what is wrong with them is named by its line."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_by_hand import of_external, record
from test_split_export import N_ITEMS, N_USERS, dataset, scene

from recbench import boards, leaderboard, outside
from recbench.cli import score as command
from recbench.cli.offers import registry
from recbench.data import FloatArray, Int32Array, Split
from recbench.errors import BadData, BadRecord, RecbenchError, UnknownName
from recbench.outside import reading
from recbench.outside.checking import lists_of, predictions_of
from recbench.outside.reading import read_lists, read_predictions, recognised
from recbench.protocols.loading import load
from recbench.ranking import Seen, tie_seed, top_k
from recbench.recording import MADE_ELSEWHERE, PAIRS_VISIBLE, MadeElsewhere, record_of_external, rescored
from recbench.records import Costs, Status, Store, from_json, to_json, trial_id
from recbench.records import read_lists as read_kept

DEPTH = 5
SCENE = scene(dataset())
(SPLIT,) = SCENE.splits
REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "outside.md").read_text(encoding="utf-8")
awk = pytest.mark.skipif(shutil.which("awk") is None, reason="needs awk")

Line = tuple[str, str, int, float]


def best_lists() -> Int32Array:
    """What a scorer with many ties ranks first, as recbench itself does."""
    seen = Seen.of(SPLIT.train().interactions, n_users=N_USERS, n_items=N_ITEMS)
    users, seed = np.arange(N_USERS), tie_seed(SPLIT.fingerprint)
    return top_k(scores(), users=users, k=DEPTH, seen=seen, seed=seed).lists


def scores() -> FloatArray:
    return np.add.outer(np.arange(N_USERS), np.arange(N_ITEMS)) % 4 / 2.0


def lines_of(lists: Int32Array, split: Split = SPLIT) -> list[Line]:
    ids = split.dataset
    return [
        (str(ids.user_ids[user]), str(ids.item_ids[item]), place + 1, float(scores()[user, item]))
        for user, row in enumerate(lists)
        for place, item in enumerate(row.tolist())
        if item >= 0
    ]


def quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'


def read(path: Path, form: str | None = None, split: Split = SPLIT, **more: Any) -> Int32Array:
    return lists_of(
        read_lists(path, form), split, **({"depth": DEPTH, "exclude_seen": True, "candidates": None} | more)
    )


# Forms


def as_csv(lines: list[Line], path: Path) -> None:
    rows = [f"{user},{quoted(item)},{rank}" for user, item, rank, _ in lines]
    path.write_text("\n".join(["user,item,rank", *rows]) + "\n")


def as_semicolons(lines: list[Line], path: Path) -> None:
    rows = [f"{rank};{quoted(item)};x,y;{user}" for user, item, rank, _ in lines]
    path.write_text("\n".join(["Rank;item;note;userID", *rows]) + "\r\n")


def as_tsv(lines: list[Line], path: Path) -> None:
    path.write_text("\n".join(["user\titem\tscore", *(f"{user}\t{item}\t{score!r}" for user, item, _, score in lines)]))


def as_lenskit(lines: list[Line], path: Path) -> None:
    rows = [f"{user},{quoted(item)},{score},{rank}" for user, item, rank, score in lines]
    path.write_text("\n".join(["user_id,item_id,score,rank", *rows]) + "\n")


def as_trec(lines: list[Line], path: Path) -> None:
    path.write_text("".join(f"{user} Q0  {item}\t{rank - 1} {score} mine \n" for user, item, rank, score in lines))


def as_recbole(lines: list[Line], path: Path) -> None:
    rows = [f"{user}\t{item}\t{score}" for user, item, _, score in lines]
    path.write_text("\n".join(["user_id:token\titem_id:token\tscore:float", *rows]) + "\n")


def as_gzip(lines: list[Line], path: Path) -> None:
    as_csv(lines, path)
    path.write_bytes(gzip.compress(path.read_bytes()))


def as_parquet(lines: list[Line], path: Path) -> None:
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    user, item, rank, score = (list(column) for column in zip(*lines, strict=True))
    parquet.write_table(pa.table({"user_id": user, "item_id": item, "score": score, "rank": rank}), path)


def as_nested_parquet(lines: list[Line], path: Path) -> None:
    """As `ItemListCollection.save_parquet` writes it."""
    pa, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    users, rows = [], []
    for user, group in itertools.groupby(lines, key=lambda line: line[0]):
        users.append(user)
        rows.append([{"item_id": item, "score": score, "rank": rank} for _, item, rank, score in group])
    kind = pa.list_(pa.struct({"item_id": pa.string(), "score": pa.float32(), "rank": pa.int32()}))
    parquet.write_table(pa.table({"user_id": users, "items": pa.array(rows, kind)}), path)


FORMS: Mapping[str, tuple[Callable[[list[Line], Path], None], str]] = {
    "csv": (as_csv, "csv"),
    "semicolons": (as_semicolons, "csv"),
    "gzip": (as_gzip, "csv"),
    "tsv": (as_tsv, "tsv"),
    "lenskit": (as_lenskit, "csv"),
    "trec": (as_trec, "trec"),
    "recbole": (as_recbole, "recbole"),
    "parquet": (as_parquet, "parquet"),
    "lenskit's parquet": (as_nested_parquet, "parquet"),
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_recognised_and_gives_the_same_lists(name: str, tmp_path: Path) -> None:
    write, form = FORMS[name]
    write(lines_of(best_lists()), tmp_path / "lists")
    assert recognised(tmp_path / "lists") == form
    assert read(tmp_path / "lists").tolist() == best_lists().tolist()
    asked = "lenskit" if name == "lenskit" else form
    assert read(tmp_path / "lists", asked).tolist() == best_lists().tolist()


def test_scores_are_ranked_and_ties_broken_as_for_an_algorithm_that_recbench_runs(tmp_path: Path) -> None:
    known = set(zip(SPLIT.train().interactions.user.tolist(), SPLIT.train().interactions.item.tolist(), strict=True))
    pairs = [(user, item) for user in range(N_USERS) for item in range(N_ITEMS) if (user, item) not in known]
    data, table = SPLIT.dataset, scores()
    lines = [(str(data.user_ids[u]), str(data.item_ids[i]), 0, float(table[u, i])) for u, i in pairs]
    as_tsv(lines, tmp_path / "lists.tsv")
    assert read(tmp_path / "lists.tsv").tolist() == best_lists().tolist()


@given(order=st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_the_order_of_lines_says_nothing(order: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    lines = lines_of(best_lists())
    order.shuffle(lines)
    path = tmp_path_factory.mktemp("lists") / "lists.csv"
    as_csv(lines, path)
    assert read(path).tolist() == best_lists().tolist()


def test_long_lists_are_cut_and_short_and_missing_ones_have_empty_places(tmp_path: Path) -> None:
    lines = [line for line in lines_of(best_lists()) if line[0] != "u3" and not (line[0] == "u4" and line[2] > 2)]
    as_csv(lines, tmp_path / "lists.csv")
    expected = best_lists().copy()
    expected[3], expected[4, 2:] = -1, -1
    assert read(tmp_path / "lists.csv").tolist() == expected.tolist()
    assert read(tmp_path / "lists.csv", depth=2).tolist() == expected[:, :2].tolist()


def test_seen_items_may_be_listed_where_the_protocol_says_so(tmp_path: Path) -> None:
    train = SPLIT.train().interactions
    user, item = (
        str(ids[rows[0]]) for ids, rows in ((SPLIT.dataset.user_ids, train.user), (SPLIT.dataset.item_ids, train.item))
    )
    as_csv([(user, item, 1, 1.0)], tmp_path / "lists.csv")
    assert read(tmp_path / "lists.csv", exclude_seen=False)[train.user[0], 0] == train.item[0]


# Errors


def unseen(user: int, n: int = 1) -> list[str]:
    """Items that a user does not have in train."""
    train = SPLIT.train().interactions
    known = set(train.item[train.user == user].tolist())
    return [str(SPLIT.dataset.item_ids[item]) for item in range(N_ITEMS) if item not in known][:n]


FIRST, SECOND, THIRD = (item for item in unseen(0, 3))
SEEN = str(SPLIT.dataset.item_ids[SPLIT.train().interactions.item[SPLIT.train().interactions.user == 0][0]])

BAD_LISTS: Mapping[str, tuple[str, str]] = {
    "unknown user": (
        f"user\titem\trank\nu0\t{FIRST}\t1\nu99\t{FIRST}\t1\n",
        r"line 3: user 'u99' is not in the data; close: 'u9'",
    ),
    "unknown item": ('user\titem\trank\nu0\ti"99\t1\n', r"line 2: item 'i\"99' is not in the data; close: 'i\"9'"),
    "seen": (
        f"user\titem\trank\nu0\t{FIRST}\t1\nu0\t{SEEN}\t2\n",
        r"line 3: user 'u0' and item '.*': the user has the item in train",
    ),
    "double": (
        f"user\titem\trank\nu0\t{FIRST}\t1\nu1\t{unseen(1)[0]}\t1\nu0\t{FIRST}\t2\n",
        r"line 4: .* twice, first in line 2",
    ),
    "nan": (f"user\titem\tscore\nu0\t{FIRST}\t1\nu0\t{SECOND}\tnan\n", r"line 3: score 'nan' is NaN"),
    "infinite": (f"user\titem\tscore\nu0\t{FIRST}\tinf\n", r"line 2: score 'inf' is infinite"),
    "no number": (f"user\titem\tscore\nu0\t{FIRST}\thigh\n", r"line 2: score 'high' is not a number"),
    "no score": (f"user\titem\tscore\nu0\t{FIRST}\t\n", r"line 2: the score is missing"),
    "no user": (f"user\titem\tscore\n\t{FIRST}\t1\n", r"line 2: the user is missing"),
    "gap": (
        f"user\titem\trank\nu0\t{FIRST}\t1\nu0\t{SECOND}\t2\nu0\t{THIRD}\t4\n",
        r"line 4: user 'u0' has rank 4 and no rank 3",
    ),
    "no first": (
        f"user\titem\trank\nu1\t{unseen(1)[0]}\t1\nu0\t{FIRST}\t2\n",
        r"line 3: user 'u0' has rank 2 and no rank 1",
    ),
    "from 0 and from 1": (
        f"user\titem\trank\nu1\t{unseen(1)[0]}\t0\nu0\t{FIRST}\t1\n",
        r"line 3: .* rank 1 and no rank 0",
    ),
    "rank twice": (
        f"user\titem\trank\nu0\t{FIRST}\t1\nu0\t{SECOND}\t1\n",
        r"line 3: user 'u0' has rank 1 twice, also in line 2",
    ),
    "half a rank": (f"user\titem\trank\nu0\t{FIRST}\t1.5\n", r"line 2: rank 1.5 is not a whole number"),
    "below 0": (f"user\titem\trank\nu0\t{FIRST}\t-1\n", r"line 2: rank -1 is below 0"),
    "contradiction": (
        f"user\titem\trank\tscore\nu0\t{FIRST}\t1\t0.5\nu0\t{SECOND}\t2\t0.75\n",
        r"line 3: score 0.75 is higher",
    ),
    "cells": (f"user\titem\trank\nu0\t{FIRST}\t1\nu0\t{SECOND}\n", r"line 3: 2 cells where 3 are expected"),
    "cells before ids": (f"user\titem\trank\n\t{FIRST}\t1\nu0\t{SECOND}\n", r"line 2: the user is missing"),
    "trec cells": (f"u0 Q0 {FIRST} 1 1.0 mine\nu0 Q0 {SECOND} 2 0.5\n", r"line 2: 5 cells where 6"),
    "no header": (f"u0\t{FIRST}\t1\nu0\t{SECOND}\t2\n", r"line 1: there is no column 'user'"),
    "no rank": (f"user\titem\tplace\nu0\t{FIRST}\t1\n", r"neither a column 'rank' nor a column 'score'"),
    "two columns": (
        f"user\titem\tItem_ID\tuser_id\tuser\nu0\t{FIRST}\t1\t2\t3\n",
        r"line 1: there are two columns 'user'",
    ),
    "empty": ("user\titem\trank\n", "has no rows"),
    "nothing": ("", "has no"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_what_is_wrong_with_lists_is_named_by_its_line(name: str, tmp_path: Path) -> None:
    content, said = BAD_LISTS[name]
    (tmp_path / "lists.tsv").write_text(content)
    with pytest.raises(BadData, match=said) as caught:
        read(tmp_path / "lists.tsv", "trec" if "trec" in name else "tsv")
    assert str(tmp_path / "lists.tsv") in caught.value.what
    assert caught.value.fix


def test_of_several_faults_the_topmost_is_named(tmp_path: Path) -> None:
    (tmp_path / "lists.tsv").write_text(f"user\titem\trank\nu0\t{FIRST}\t1\nu0\t{SEEN}\t2\nu99\t{FIRST}\t1\n")
    with pytest.raises(BadData, match=r"line 3: .*in train"):
        read(tmp_path / "lists.tsv")


def test_rows_of_parquet_are_called_rows(tmp_path: Path) -> None:
    as_parquet([("u0", FIRST, 1, 1.0), ("u0", "nobody's", 2, 0.5)], tmp_path / "lists.parquet")
    with pytest.raises(BadData, match=r"lists\.parquet, row 2: item \"nobody's\" is not in the data"):
        read(tmp_path / "lists.parquet")


def test_damaged_parquet_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "lists").write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(BadData, match="no Parquet file"):
        read(tmp_path / "lists")


def test_only_candidates_may_be_listed_where_there_are_some(tmp_path: Path) -> None:
    sets = np.full((N_USERS, 1), -1, dtype=np.int32)
    sets[0, 0] = SPLIT.dataset.item_ids.tolist().index(FIRST)
    as_csv([("u0", FIRST, 1, 1.0)], tmp_path / "good.csv")
    assert read(tmp_path / "good.csv", candidates=sets)[0, 0] == sets[0, 0]
    as_csv([("u0", FIRST, 1, 1.0), ("u0", SECOND, 2, 0.5)], tmp_path / "lists.csv")
    with pytest.raises(BadData, match=r"line 3: .* not among the user's candidates"):
        read(tmp_path / "lists.csv", candidates=sets)


# Predictions


def pairs_to_predict() -> list[tuple[str, str, float]]:
    test, ids = SPLIT.test(), SPLIT.dataset
    return [
        (str(ids.user_ids[user]), str(ids.item_ids[item]), 1 + row % 5 + 0.25)
        for row, (user, item) in enumerate(zip(test.user.tolist(), test.item.tolist(), strict=True))
    ]


def write_predictions(path: Path, pairs: list[tuple[str, str, float]], head: str = "prediction") -> None:
    rows = [f"{user}\t{item}\t{value}" for user, item, value in pairs]
    path.write_text("\n".join([f"user\titem\t{head}", *rows]) + "\n")


@pytest.mark.parametrize("head", ["prediction", "score", "Rating"])
def test_predictions_come_into_the_split_s_order_whatever_theirs(head: str, tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.tsv", sorted(pairs_to_predict()), head)
    found = predictions_of(read_predictions(tmp_path / "p.tsv"), SPLIT)
    assert found.tolist() == [value for _, _, value in pairs_to_predict()]


def test_a_missing_pair_is_an_error_that_names_it(tmp_path: Path) -> None:
    (user, item, _), *others = pairs_to_predict()
    write_predictions(tmp_path / "p.tsv", others)
    said = re.escape(f"1 of {len(others) + 1} pairs have no prediction, among them user {user!r} and item {item!r}")
    with pytest.raises(BadData, match=said):
        predictions_of(read_predictions(tmp_path / "p.tsv"), SPLIT)


def _not_asked(pairs: list[tuple[str, str, float]]) -> None:
    pairs[3] = ("u0", SEEN, 3.0)


def _twice(pairs: list[tuple[str, str, float]]) -> None:
    pairs[3] = pairs[0]


def _nan(pairs: list[tuple[str, str, float]]) -> None:
    pairs[3] = (*pairs[3][:2], float("nan"))


def _unknown(pairs: list[tuple[str, str, float]]) -> None:
    pairs[3] = ("u77", *pairs[3][1:])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_not_asked, "are not a pair to predict"), (_twice, "there twice, first in line 2"),
        (_nan, "prediction 'nan' is NaN"), (_unknown, "user 'u77' is not in the data"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_predictions_is_named_by_its_line(
    spoil: Callable[[list[tuple[str, str, float]]], None], said: str, tmp_path: Path
) -> None:
    pairs = pairs_to_predict()
    spoil(pairs)
    write_predictions(tmp_path / "p.tsv", pairs)
    with pytest.raises(BadData, match=f"line 5: .*{said}"):
        predictions_of(read_predictions(tmp_path / "p.tsv"), SPLIT)


def test_a_file_without_predictions_is_an_error(tmp_path: Path) -> None:
    write_predictions(tmp_path / "p.tsv", pairs_to_predict(), "guess")
    with pytest.raises(BadData, match="no column 'prediction'"):
        read_predictions(tmp_path / "p.tsv")


# Records


def made(**more: Any) -> MadeElsewhere:
    return MadeElsewhere(**({"name": "mine", "lists": best_lists()} | more))


def predictions() -> FloatArray:
    return np.array([value for _, _, value in pairs_to_predict()])


def test_the_same_lists_have_the_same_id_and_others_another() -> None:
    first = record_of_external(made(files={"a": "00" * 32}, costs=Costs(fit_seconds=1.0)), SCENE, SPLIT)
    again = record_of_external(made(lists=best_lists().copy()), SCENE, SPLIT)
    turned = record_of_external(made(lists=best_lists()[:, ::-1].copy()), SCENE, SPLIT)
    named = record_of_external(made(name="yours"), SCENE, SPLIT)
    both = record_of_external(made(predictions=predictions()), SCENE, SPLIT)
    assert first.trial_id == again.trial_id
    assert len({each.trial_id for each in (first, turned, named, both)}) == 4


def test_a_record_survives_its_file_and_scores_anew_to_the_same(tmp_path: Path) -> None:
    found = record_of_external(made(predictions=predictions(), files={"a": "00" * 32}), SCENE, SPLIT)
    assert found.status is Status.OK, found.reason
    path = Store(tmp_path).save(found, lists=best_lists(), predictions=predictions())
    (kept,) = Store(tmp_path).load_all()[0]
    assert to_json(replace(kept, lists=None)) == to_json(found)
    assert from_json(to_json(found), "here").is_external
    lists, values = read_kept(path, kept)
    assert rescored(kept, SCENE, SPLIT, lists, values).scores == found.scores
    assert found.marks == (MADE_ELSEWHERE, PAIRS_VISIBLE)


def test_without_predictions_nothing_is_said_of_pairs() -> None:
    assert record_of_external(made(), SCENE, SPLIT).marks == (MADE_ELSEWHERE,)


def test_predictions_alone_have_no_scores_of_lists_neither_now_nor_when_scored_anew() -> None:
    found = record_of_external(made(lists=None, predictions=predictions()), SCENE, SPLIT)
    empty = np.full((N_USERS, DEPTH), -1, dtype=np.int32)
    for each in (found, rescored(found, SCENE, SPLIT, empty, predictions())):
        assert set(each.scores) == {"rmse"}
        assert "users_without_list" not in each.counts
        assert each.counts["pairs"] == len(predictions())


# Boards


def test_a_row_made_elsewhere_says_so_and_its_costs_are_stated_and_never_best() -> None:
    ours, slower = record("ease"), record("bias", scores={"ndcg@10": 0.125}, measured={"fit_seconds": 2.0})
    text = leaderboard.render([ours, slower, of_external("mine", measured={"fit_seconds": 0.5})])
    assert "mine <sub>external</sub>" in text
    assert "| 0.50 stated |" in text
    assert "**1.50**" in text
    assert "Made elsewhere, scored here and not run, costs as stated: mine." in text
    assert "marked as stated are not measured" in text
    (line,) = [line for line in text.splitlines() if "| lists 0000000000" in line]
    assert line.count("not known") == 2
    assert "recbench score LISTS -p toy --name mine" in text
    assert "recbench run -p toy -a bias -a ease\n" in text
    assert "mine (external)" in leaderboard.terminal([ours, of_external("mine")], width=100, color=False)


def test_a_board_of_nothing_else_tells_of_no_machine_sandbox_or_run() -> None:
    text = leaderboard.render([of_external("mine")])
    for word in ("## Machine", "sandbox", "recbench run -p"):
        assert word not in text


def test_a_board_without_such_rows_does_not_speak_of_them() -> None:
    text = leaderboard.render([record("ease")])
    for word in ("external", "stated", "elsewhere", "recbench score"):
        assert word not in text


def test_folds_scored_one_after_the_other_are_one_row_and_new_lists_take_the_place_of_old() -> None:
    when = [{"recorded": f"2026-01-0{day}T00:00:00Z"} for day in (1, 2, 3)]
    first = of_external("mine", fold=0, source="01", provenance=when[0], scores={"ndcg@10": 0.5})
    second = of_external("mine", fold=1, source="02", provenance=when[1], scores={"ndcg@10": 0.25})
    better = of_external("mine", fold=1, source="03", provenance=when[2], scores={"ndcg@10": 0.75})
    assert "0.3750" in leaderboard.render([first, second])
    assert "0.6250" in leaderboard.render([first, second, better])
    assert "--fold 1 --name mine" in leaderboard.render([first, second])
    assert "1 of 2 folds so far" in leaderboard.render([first, record("ease"), record("ease", fold=1)])


def test_a_row_made_elsewhere_is_never_taken_for_an_algorithm_of_its_name() -> None:
    text = leaderboard.render([record("ease", scores={"ndcg@10": 0.5}), of_external("ease", scores={"ndcg@10": 0.25})])
    assert "0.5000" in text
    assert "0.2500" in text
    assert "2 algorithms" in text


def test_a_record_that_claims_odd_parts_is_refused(tmp_path: Path) -> None:
    document = json.loads(to_json(of_external("mine")))
    document["identity"]["parts"] = ["scores"]
    with pytest.raises(RecbenchError, match=r"identity\.parts"):
        from_json(json.dumps(document), "there")


def places_in(value: Any, above: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    below = [place for key in value for place in places_in(value[key], (*above, key))]
    return [*((*above, key) for key in value), *below]


@pytest.mark.parametrize("odd", [None, 1, "x", [], {}, ["lists"], True], ids=repr)
def test_whatever_stands_in_such_a_record_it_is_refused_or_can_be_shown(odd: Any) -> None:
    usual = json.loads(to_json(of_external("m|<b>`$x")))
    shown = 0
    for *above, key in places_in(usual):
        document = json.loads(json.dumps(usual))
        table = document
        for name in above:
            table = table[name]
        table[key] = odd
        if isinstance(document["identity"], dict):
            document["trial_id"] = trial_id(document["identity"])
        try:
            found = from_json(json.dumps(document), "there")
        except BadRecord:
            continue
        assert leaderboard.render([found])
        assert leaderboard.terminal([found], width=80, color=False)
        shown += 1
    assert shown


# The way through


def csv_rows(path: Path, head: str, rows: list[tuple[object, ...]]) -> None:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A protocol with given folds, in whose training part no two items are equally popular."""
    for fold in (0, 1):
        parts: dict[str, list[tuple[object, ...]]] = {"train": [], "test": []}
        for item, user in itertools.product(range(12), range(30)):
            place = 29 - user if fold else user
            if place < 30 - 2 * item or place % 3 == 0:
                part = "train" if place < 30 - 2 * item else "test"
                parts[part].append((f"u{user}", f"i{item}", 1 + (user + user * item) % 5))
        for part, rows in parts.items():
            csv_rows(tmp_path / f"{part}{fold}.csv", "user,item,rating", rows)
    (tmp_path / "shop.toml").write_text(
        'name = "shop"\n[data]\nscale = [1, 5]\n'
        + "".join(
            f'[[data.fold]]\ntrain = {{ path = "train{n}.csv" }}\ntest = {{ path = "test{n}.csv" }}\n' for n in (0, 1)
        )
        + '[split]\nkind = "provided"\n[evaluation]\nprimary = "ndcg@5"\nrelevant_at_least = 3\ncutoffs = [3, 5]\n'
        'metrics = ["ndcg", "recall", "ap", "coverage", "rmse", "mae"]\n'
    )
    return tmp_path


POPULAR = re.findall(r"```awk\n(.*?)```", PAGE, re.DOTALL)[0]


def recbench(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "recbench", *arguments], capture_output=True, text=True, cwd=cwd)


def run_awk(program: str, *files: str, cwd: Path) -> str:
    return subprocess.run(["awk", program, *files], capture_output=True, text=True, check=True, cwd=cwd).stdout


@awk
@pytest.mark.slow
def test_a_program_in_another_language_scores_just_as_the_built_in_that_does_the_same(shop: Path) -> None:
    assert recbench("split", "export", "shop.toml", "out", cwd=shop).returncode == 0
    mean = 'BEGIN { FS = OFS = "\\t"; print "user", "item", "prediction" } FNR == 1 { part++; next }\n'
    mean += 'part == 1 { sum += $3; n++ } part == 2 { printf "%s\\t%s\\t%.17g\\n", $1, $2, sum / n }'
    for fold in ("0", "1"):
        folder = shop / "out" / f"fold-{fold}"
        (folder / "lists.tsv").write_text(run_awk(POPULAR, "train.tsv", "items.tsv", "users.tsv", cwd=folder))
        (folder / "p.tsv").write_text(run_awk(mean, "train.tsv", "pairs/pairs.tsv", cwd=folder))
        lists = recbench(
            "score", f"out/fold-{fold}/lists.tsv", "-p", "shop.toml", "--fold", fold, "--name", "awk", cwd=shop
        )
        assert lists.returncode == 0, lists.stderr
        rated = recbench(
            "score",
            "-p",
            "shop.toml",
            "--fold",
            fold,
            "--name",
            "awk-mean",
            "--predictions",
            f"out/fold-{fold}/p.tsv",
            cwd=shop,
        )
        assert rated.returncode == 0, rated.stderr
    assert recbench("run", "-p", "shop.toml", "-a", "popularity", "-a", "global-mean", cwd=shop).returncode == 0
    records, problems = Store(shop / "recbench-out").load_all()
    assert not problems
    found = {(each.label, each.fold): each for each in records}
    for fold in (0, 1):
        ours, theirs = found["popularity", fold], found["awk", fold]
        assert theirs.scores == ours.scores
        assert theirs.split == ours.split
        ours, theirs = found["global-mean", fold], found["awk-mean", fold]
        assert theirs.scores == pytest.approx({key: ours.scores[key] for key in ("rmse", "mae")}, rel=1e-6)
    assert recbench("render", "--check", cwd=shop).returncode == 0
    again = recbench("rescore", "-p", "shop.toml", cwd=shop)
    assert again.stdout.startswith("8 records scored anew, 0 ")
    assert {each.trial_id: each.scores for each in Store(shop / "recbench-out").load_all()[0]} == {
        each.trial_id: each.scores for each in records
    }


def submit(shop: Path, **more: Any) -> outside.Scored:
    offered = registry()
    protocol = load(str(shop / "shop.toml"), {})
    submission = outside.Submission(**({"name": "mine", "fold": 0} | more))
    return outside.score(submission, protocol, offered, shop / "out")


def one_list(shop: Path) -> Path:
    csv_rows(shop / "lists.csv", "user,item,rank", [("u29", "i1", 1), ("u29", "i2", 2)])
    return shop / "lists.csv"


def test_short_and_missing_lists_are_counted(shop: Path) -> None:
    found = submit(shop, lists=one_list(shop), costs=Costs(fit_seconds=3.0))
    assert (found.users, found.short, found.without) == (30, 1, 29)
    assert found.record.measured.fit_seconds == 3.0
    assert found.record.provenance["files"].keys() == {"lists.csv"}
    assert submit(shop, lists=one_list(shop)).path == found.path


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"name": "popularity"}, "name of an algorithm on offer"), ({"name": "a\nb"}, "cannot be that of a row"),
        ({"fold": None}, "2 folds, and lists are of one"), ({"fold": 2}, "has no fold 2"),
        ({"lists": None}, "nothing to score"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_an_error(more: dict[str, Any], said: str, shop: Path) -> None:
    with pytest.raises(RecbenchError, match=said):
        submit(shop, **({"lists": one_list(shop)} | more))
    assert not (shop / "out").exists()


def test_predictions_for_data_without_ratings_or_a_protocol_without_such_metrics_are_an_error(shop: Path) -> None:
    text = (shop / "shop.toml").read_text()
    (shop / "shop.toml").write_text(text.replace(', "rmse", "mae"', ""))
    with pytest.raises(RecbenchError, match="no metric of predictions"):
        submit(shop, predictions=one_list(shop))
    for path in shop.glob("*.csv"):
        path.write_text("\n".join(line.rpartition(",")[0] for line in path.read_text().splitlines()) + "\n")
    (shop / "shop.toml").write_text(
        (shop / "shop.toml").read_text().replace("scale = [1, 5]\n", "").replace("relevant_at_least = 3\n", "")
    )
    with pytest.raises(RecbenchError, match="no ratings"):
        submit(shop, predictions=one_list(shop))


def test_costs_are_taken_as_stated_and_others_are_errors() -> None:
    assert outside.stated(["fit_seconds=12", "peak_memory_mb=0.5"]) == Costs(fit_seconds=12.0, peak_memory_mb=0.5)
    with pytest.raises(UnknownName, match="close: 'fit_seconds'"):
        outside.stated(["fit_second=12"])
    for bad in ("fit_seconds", "fit_seconds=fast", "fit_seconds=-1", "fit_seconds=nan", "fit_seconds=inf"):
        with pytest.raises(RecbenchError, match="fit_seconds is"):
            outside.stated([bad])


def test_an_error_of_the_command_is_a_message_and_its_exit_code(shop: Path) -> None:
    csv_rows(shop / "lists.csv", "user,item,rank", [("u29", "i1", 1), ("u29", "i77", 2)])
    done = recbench("score", "lists.csv", "-p", "shop.toml", "--fold", "0", "--name", "mine", cwd=shop)
    assert done.returncode == 1
    assert "lists.csv, line 3: item 'i77' is not in the data" in done.stderr
    assert "items.tsv" in done.stderr
    assert not (shop / "recbench-out").exists()


def test_the_command_offers_every_form() -> None:
    assert command.FORMATS == reading.FORMATS


# The page


@awk
@pytest.mark.slow
def test_the_page_s_commands_run_and_its_tables_are_whole(tmp_path: Path) -> None:
    (tmp_path / "popular.awk").write_text(POPULAR)
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    script = "\n".join(re.sub(r"^\$ ", "", block, flags=re.MULTILINE) for block in blocks)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "awk-popular (external)" in done.stdout
    board = (tmp_path / "recbench-out" / "movietweetings.md").read_text()
    assert "0.10 stated" in board
    assert "Pairs visible in training: awk-mean." in board
    assert not boards.check(tmp_path / "recbench-out")
    for each in fields(Costs):
        assert f"`{each.name}`" in PAGE
