"""Boards: what a reader sees follows from the records, in any order, and no name of a stranger does anything."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recbench import boards
from recbench.errors import BadRecord, RecbenchError
from recbench.leaderboard import files, render, terminal
from recbench.leaderboard.wording import escape
from recbench.records import Costs, Record, Status, Store, trial_id

GOLDEN = Path(__file__).parent / "golden"
METRICS: Mapping[str, Any] = {
    "ndcg": {"definition": "discounted gain / ideal", "best": "high", "range": [0.0, 1.0]},
    "rmse": {"definition": "square root of mse", "best": "low", "range": [0.0, None]},
    "gini": {"definition": "concentration", "best": "none", "range": [0.0, 1.0]},
}


def protocol(**more: Any) -> dict[str, Any]:
    evaluation = {
        "primary": "ndcg@10",
        "cutoffs": [5, 10],
        "metrics": ["rmse", "ndcg", "gini"],
        "relevant_at_least": 8.0,
        "train_at_least": None,
        "candidates": "all",
        "exclude_seen": True,
        "users": "all",
    }
    return {
        "name": "made-up",
        "title": "Made up, 5-core",
        "fingerprint": "ab" * 32,
        "is_pinned": True,
        "deciding": {"evaluation": evaluation, "split": {"kind": "holdout", "test": 0.2}, "data": {}},
        "trials": {"seeds": [0], "threads": 1},
        "tuned": None,
        "settings": {},
        "metrics": METRICS,
    } | more


def record(label: str, ndcg: float | None = None, **more: Any) -> Record:
    seed, fold = more.pop("seed", 0), more.pop("fold", 0)
    parameters = more.pop("parameters", {})
    code = more.pop("code", "1.0")
    identity = {
        "algorithm": {"name": label, "version": code, "parameters": parameters},
        "components": {},
        "seed": seed,
        "split": str(fold),
    }
    is_ok = ndcg is not None
    scores = {"rmse": 1 + (ndcg or 0), "ndcg@5": (ndcg or 0) / 2, "ndcg@10": ndcg, "gini@5": 0.5, "gini@10": 0.25}
    given: dict[str, Any] = {
        "trial_id": trial_id(identity),
        "identity": identity,
        "label": label,
        "algorithm": label,
        "distribution": "someone",
        "version": code,
        "deterministic": False,
        "baseline": False,
        "seed": seed,
        "fold": fold,
        "status": Status.OK if is_ok else Status.FAILED,
        "reason": None if is_ok else "ValueError: no good",
        "protocol": protocol(),
        "split": {
            "fold": fold,
            "fingerprint": f"{fold}c" * 32,
            "leaks_future": True,
            "users": 100,
            "items": 50,
            "train": 900,
            "validation": 90,
            "test": 100,
            "history": 0,
            "density": 0.18,
        },
        "data": {"name": "d", "title": "Data", "license": "MIT", "citation": "Somebody, 2013", "dropped": {}},
        "metrics_version": 1,
        "scores": scores if is_ok else {},
        "counts": {"users_evaluated": 60, "users_in_test": 90, "users_skipped": 30} if is_ok else {},
        "measured": Costs(fit_seconds=1.25, latency_p50_ms=0.5, peak_memory_mb=1234.5) if is_ok else Costs(),
        "provenance": {
            "recorded": "2026-11-24T10:00:00Z",
            "cpu": "A processor",
            "cores": 2,
            "threads": 1,
            "platform": "Linux x86_64",
            "python": "3.11.7",
            "recbench": "0.1.0",
            "packages": {"numpy": "2.0", "other": "1"},
            "jobs": 1,
            "sandboxed": False,
            "memory_limited": True,
        },
    }
    return Record(**(given | more))


def a_dozen() -> list[Record]:
    folds = [record("two-folds", 0.2 + fold / 100, fold=fold) for fold in (0, 1)]
    return [
        *folds,
        *(record("popularity", 0.1, fold=fold, baseline=True, deterministic=True) for fold in (0, 1)),
        *(record("tied", 0.1, fold=fold) for fold in (0, 1)),
        *(record("|<b>[x](http://evil)", 0.05, fold=fold, marks=("ties by the plugin",)) for fold in (0, 1)),
        *(record("tuned", 0.15, fold=fold, protocol=protocol(tuned=30)) for fold in (0, 1)),
        record("broken", None, fold=0),
        record("broken", 0.3, fold=1),
        record("slow", None, fold=0, status=Status.TIMEOUT, reason="took longer than 600 s"),
        record("unfinished", 0.4, fold=0),
        *(record("ease", 0.12, fold=fold, parameters={"l2": 100}) for fold in (0, 1)),
        *(record("ease", 0.13, fold=fold, parameters={"l2": 250}) for fold in (0, 1)),
    ]


def table(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    first = lines[: next((n for n, line in enumerate(lines) if n > 1 and line.startswith("| #")), len(lines))]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in first]


def names(text: str) -> list[str]:
    return [re.sub(r" <sub>.*", "", row[1]) for row in table(text)[2:]]


def test_the_board_is_the_golden_one(update_golden: bool) -> None:
    path = GOLDEN / "dozen.md"
    if update_golden:
        path.write_text(render(a_dozen()))
    assert render(a_dozen()) == path.read_text()


def test_the_terminal_shows_the_golden_table(update_golden: bool) -> None:
    path = GOLDEN / "dozen.txt"
    shown = terminal(a_dozen(), width=80, color=False, unavailable=[("mlp", "pip install 'x[torch]'")]) + "\n"
    if update_golden:
        path.write_text(shown)
    assert shown == path.read_text()


def test_the_order_of_records_changes_no_byte() -> None:
    shuffled = a_dozen()
    random.Random(5).shuffle(shuffled)
    assert render(shuffled) == render(a_dozen())


def test_rows_stand_by_the_primary_metric_and_equal_ones_share_a_rank() -> None:
    rows = table(render([record("a", 0.1), record("b", 0.3), record("c", 0.1), record("d", 0.2)]))[2:]
    assert [row[0] for row in rows] == ["1", "2", "3", "3"]
    assert [row[1][0] for row in rows] == ["b", "d", "a", "c"]


def test_where_lower_is_better_the_lowest_stands_first_and_is_bold() -> None:
    evaluation = protocol()["deciding"]["evaluation"] | {"primary": "rmse"}
    by_rmse = protocol(deciding=protocol()["deciding"] | {"evaluation": evaluation})
    text = render([record("high", 0.3, protocol=by_rmse), record("low", 0.1, protocol=by_rmse)])
    assert names(text) == ["low", "high"]
    assert table(text)[2][2] == "**1.100**"


def test_several_trials_show_mean_and_standard_deviation() -> None:
    text = render([record("a", value, fold=fold) for fold, value in enumerate((0.1, 0.2, 0.3))])
    assert table(text)[2][2] == "0.2000 ± 0.1000"


def test_a_row_with_a_trial_that_was_not_ok_is_not_ranked_and_says_why() -> None:
    rows = {row[1].split(" ")[0]: row for row in table(render(a_dozen()))[2:]}
    assert rows["broken"][0] == "-"
    assert "1 of 2 trials failed: ValueError: no good" in rows["broken"][1]
    assert "timeout: took longer than 600 s" in rows["slow"][1]
    assert "1 of 2 folds so far" in rows["unfinished"][1]
    assert rows["broken"][2] == ""


def test_rows_of_one_label_are_told_apart_by_their_parameters() -> None:
    assert {"ease (l2=100)", "ease (l2=250)"} <= set(names(render(a_dozen())))


def test_of_edited_code_only_the_newest_records_stand() -> None:
    older = record("a", 0.9, code="x", provenance={"recorded": "2026-01-01T00:00:00Z"})
    newer = record("a", 0.1, code="y", provenance={"recorded": "2026-02-01T00:00:00Z"})
    text = render([older, newer])
    assert names(text) == ["a"]
    assert table(text)[2][2] == "0.1000"
    assert "1 records of older code are in the store" in text


def test_warm_users_sort_where_both_are_shown() -> None:
    text = render(
        [
            record("a", 0.3, scores_warm={"ndcg@10": 0.1}),
            record("b", 0.2, scores_warm={"ndcg@10": 0.4}),
        ]
    )
    assert names(text) == ["b", "a"]
    assert table(text)[0][2:4] == ["ndcg@10 (warm)", "ndcg@10"]


@pytest.mark.parametrize(("leaks", "said"), [(True, "future: yes"), (False, "future: no"), (None, "future: unknown")])
def test_a_leak_of_the_future_is_said(leaks: bool | None, said: str) -> None:
    one = record("a", 0.1)
    assert said in render([record("a", 0.1, split={**one.split, "leaks_future": leaks})])


def test_the_command_makes_seeds_and_settings_again() -> None:
    settings = protocol(settings={"l2": 250})
    text = render([record("a b", 0.1, seed=seed, protocol=settings) for seed in (1, 2)])
    assert "recbench run -p made-up -a 'a b' --set 'a b.l2=250' --seed 1 --seed 2" in text


def test_each_metric_shown_is_defined() -> None:
    text = render(a_dozen())
    assert "- **ndcg**: discounted gain / ideal. Higher is better." in text
    assert "- **rmse**: square root of mse. Lower is better." in text


@pytest.mark.parametrize(
    "changes", [{"protocol": protocol(fingerprint="cd" * 32)}, {"metrics_version": 2}], ids=["protocol", "metrics"]
)
def test_what_cannot_be_compared_never_shares_a_table(changes: dict[str, Any]) -> None:
    with pytest.raises(BadRecord, match="are of several"):
        render([record("a", 0.1), record("b", 0.1, **changes)])


@given(st.text())
def test_escaped_text_is_one_line_without_markup(text: str) -> None:
    shown = escape(text)
    bare = re.sub(r"\\[\\`*_\[\]#~|!]|&(amp|lt|gt|quot|#58);", "", shown)
    assert "\n" not in shown
    assert not re.search(r"[\\`*\[\]<>|]", bare)
    assert "://" not in shown


def test_a_hostile_name_adds_no_column_link_or_markup() -> None:
    text = render(a_dozen()).partition("```")[0]
    rows = table(text)
    assert {len(row) for row in rows} == {len(rows[0])}
    assert "<b>" not in text
    assert not re.search(r"(?<!\\)\]\(", text)


def test_the_terminal_never_shows_control_characters() -> None:
    shown = terminal([record("a\x1b[2Jb", 0.1), record("c", None, reason="\x07bell")], width=80, color=False)
    assert all(char == "\n" or char.isprintable() for char in shown)


@given(st.integers(40, 200))
def test_the_terminal_fits_its_width(width: int) -> None:
    assert max(map(len, terminal(a_dozen(), width=width, color=False).splitlines())) <= width


def test_colour_is_only_there_when_asked_for() -> None:
    assert "\x1b" in terminal(a_dozen(), width=80, color=True)
    assert "\x1b" not in terminal(a_dozen(), width=80, color=False)


def test_every_protocol_has_a_file_and_the_index_links_them() -> None:
    other = record("a", 0.1, protocol=protocol(name="../other", fingerprint="cd" * 32))
    made = files([record("a", 0.1), other])
    assert set(made) == {"made-up.md", "other.md", "README.md"}
    assert "(other.md)" in made["README.md"]


def test_one_name_with_two_fingerprints_has_two_files() -> None:
    other = record("a", 0.1, protocol=protocol(fingerprint="cd" * 32))
    assert set(files([record("a", 0.1), other])) == {"made-up-abababab.md", "made-up-cdcdcdcd.md", "README.md"}


def test_boards_on_disk_are_held_against_the_records(tmp_path: Path) -> None:
    Store(tmp_path).save(record("a", 0.1), lists=None, predictions=None)
    boards.write(tmp_path)
    assert boards.check(tmp_path) == []
    board = tmp_path / "made-up.md"
    board.write_text(board.read_text().replace("0.1000", "0.9000"))
    assert boards.check(tmp_path) == [f"{board} differs from what the records say"]
    board.unlink()
    assert boards.check(tmp_path) == [f"{board} is missing"]


def test_a_damaged_record_stops_a_rendering_unless_somebody_hears_of_it(tmp_path: Path) -> None:
    path = Store(tmp_path).save(record("a", 0.1), lists=None, predictions=None)
    path.with_name("0" * 16 + ".json").write_text("{")
    with pytest.raises(BadRecord):
        boards.write(tmp_path)
    heard: list[BadRecord] = []
    assert "made-up.md" in boards.write(tmp_path, damaged=heard.append)
    assert len(heard) == 1


def test_a_folder_without_records_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecbenchError, match="holds no records"):
        boards.write(tmp_path)
