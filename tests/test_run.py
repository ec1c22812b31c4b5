"""The straight line as a user meets it: `recbench run` on files, its figures, what it leaves behind, how it resumes."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

RECBENCH = [sys.executable, "-m", "recbench"]
N_USERS, N_ITEMS = 40, 25

ADJACENCY = """
name = "mine"
title = "Mine"
[data]
train = { path = "train.txt", format = "adjacency" }
test = { path = "test.txt", format = "adjacency" }
[split]
kind = "provided"
[evaluation]
primary = "recall@5"
cutoffs = [3, 5]
metrics = ["recall", "precision", "ap", "ap_capped", "mrr", "hit", "ndcg", "coverage"]
[trials]
algorithms = ["popularity"]
"""

RATINGS = """
name = "ratings"
title = "Ratings"
[data]
train = { path = "train.tsv", format = "csv", separator = "\\t", columns = ["user", "item", "rating"] }
test = { path = "test.tsv", format = "csv", separator = "\\t", columns = ["user", "item", "rating"] }
scale = [1, 5]
[split]
kind = "provided"
[evaluation]
primary = "rmse"
cutoffs = [5]
metrics = ["mse", "rmse", "mae", "recall"]
relevant_at_least = 4
[trials]
algorithms = ["item-mean", "global-mean"]
"""


def recbench(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [*RECBENCH, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "HOME": str(cwd), "COLUMNS": "80", **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def json_lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def write_adjacency(folder: Path) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """A world where no two items are equally popular, so that the naive script needs no tie rule."""
    draw = random.Random(7)
    train: dict[int, list[int]] = {user: [] for user in range(N_USERS)}
    for item in range(N_ITEMS):
        for user in draw.sample(range(N_USERS), N_ITEMS + 10 - item):
            train[user].append(item)
    test = {}
    for user in range(0, N_USERS, 2):
        unseen = sorted(set(range(N_ITEMS)) - set(train[user]))
        test[user] = draw.sample(unseen, min(len(unseen), 1 + user % 6))
    for name, part in (("train", train), ("test", test)):
        lines = (" ".join(map(str, (user, *items))) for user, items in part.items())
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / "mine.toml").write_text(ADJACENCY)
    return train, {user: items for user, items in test.items() if items}


def naive_scores(train: dict[int, list[int]], test: dict[int, list[int]], k: int) -> dict[str, float]:
    popularity = Counter(item for items in train.values() for item in items)
    sums: dict[str, float] = defaultdict(float)
    listed: set[int] = set()
    for user, relevant in test.items():
        ranked = sorted(set(range(N_ITEMS)) - set(train[user]), key=lambda item: -popularity[item])[:k]
        hits = [item in relevant for item in ranked]
        listed |= set(ranked)
        sums["recall"] += sum(hits) / len(relevant)
        sums["precision"] += sum(hits) / k
        precisions = sum(sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits) if hit)
        sums["ap"] += precisions / len(relevant)
        sums["ap_capped"] += precisions / min(k, len(relevant))
        sums["mrr"] += next((1 / (place + 1) for place, hit in enumerate(hits) if hit), 0)
        sums["hit"] += any(hits)
        gain = sum(1 / np.log2(place + 2) for place, hit in enumerate(hits) if hit)
        sums["ndcg"] += gain / sum(1 / np.log2(place + 2) for place in range(min(k, len(relevant))))
    scores = {f"{name}@{k}": total / len(test) for name, total in sums.items()}
    return scores | {f"coverage@{k}": len(listed) / N_ITEMS}


def test_figures_on_adjacency_lists_equal_those_of_a_naive_script(tmp_path: Path) -> None:
    train, test = write_adjacency(tmp_path)
    (line,) = json_lines(recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path))
    expected = naive_scores(train, test, 3) | naive_scores(train, test, 5)
    assert line["status"] == "ok"
    # Users who have only a test list are in nobody's popularity, but all of them are ranked for.
    assert line["scores"] == pytest.approx(expected, abs=1e-12)


def test_rating_figures_on_own_files_equal_those_of_a_naive_script(tmp_path: Path) -> None:
    draw = random.Random(3)
    pairs = [(u, i, draw.randint(1, 5)) for u in range(20) for i in range(15) if draw.random() < 0.6]
    parts: dict[str, list[tuple[int, int, int]]] = {"train": [], "test": []}
    for pair in pairs:
        parts["test" if draw.random() < 0.2 else "train"].append(pair)
    for name, rows in parts.items():
        (tmp_path / f"{name}.tsv").write_text("".join(f"u{u}\ti{i}\t{r}\n" for u, i, r in rows))
    (tmp_path / "ratings.toml").write_text(RATINGS)
    lines = {line["label"]: line for line in json_lines(recbench("run", "-p", "ratings.toml", "--json", cwd=tmp_path))}
    mean = sum(r for *_, r in parts["train"]) / len(parts["train"])
    errors = [r - mean for *_, r in parts["test"]]
    mse = sum(e * e for e in errors) / len(errors)
    assert lines["global-mean"]["scores"]["mse"] == pytest.approx(mse)
    assert lines["global-mean"]["scores"]["rmse"] == pytest.approx(mse**0.5)
    assert lines["global-mean"]["scores"]["mae"] == pytest.approx(sum(map(abs, errors)) / len(errors))
    assert 0 < lines["item-mean"]["scores"]["recall@5"] <= 1


def test_json_is_a_line_a_trial_and_nothing_else(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    done = recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path)
    (line,) = json_lines(done)
    assert done.returncode == 0
    assert line.keys() == {
        *("algorithm", "label", "seed", "fold", "status", "reason", "scores", "fit_seconds", "peak_memory_mb", "record")
    }
    assert (tmp_path / line["record"]).is_file()


def test_a_run_writes_a_board_a_record_and_says_where(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    done = recbench("run", "-p", "mine.toml", cwd=tmp_path)
    assert "recbench-out/mine.md" in done.stdout
    assert "popularity" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "popularity" in (tmp_path / "recbench-out" / "mine.md").read_text()


def test_the_second_run_trains_nothing_and_changes_no_byte(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    recbench("run", "-p", "mine.toml", cwd=tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "recbench-out").rglob("*") if path.is_file()}
    done = recbench("run", "-p", "mine.toml", cwd=tmp_path)
    after = {path: path.read_bytes() for path in (tmp_path / "recbench-out").rglob("*") if path.is_file()}
    assert "there already" in done.stderr
    assert after == before


def test_another_relevance_is_scored_anew_without_training(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    (first,) = json_lines(recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path))
    fewer = ADJACENCY.replace('"recall", "precision"', '"recall", "user_coverage"')
    (tmp_path / "mine.toml").write_text(fewer)
    (second,) = json_lines(recbench("run", "-p", "mine.toml", "--json", cwd=tmp_path))
    assert second["fit_seconds"] == first["fit_seconds"]
    assert second["scores"]["recall@5"] == first["scores"]["recall@5"]
    assert "user_coverage@5" in second["scores"]


def test_a_dry_run_trains_nothing(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    done = recbench("run", "-p", "mine.toml", "--dry-run", cwd=tmp_path)
    assert "would run popularity" in done.stdout
    assert not (tmp_path / "recbench-out").exists()


def test_a_dry_run_writes_nothing_where_lists_would_be_scored_anew(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    recbench("run", "-p", "mine.toml", cwd=tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "recbench-out").rglob("*") if path.is_file()}
    (tmp_path / "mine.toml").write_text(ADJACENCY.replace('"recall", "precision"', '"recall", "user_coverage"'))
    done = recbench("run", "-p", "mine.toml", "--dry-run", cwd=tmp_path)
    after = {path: path.read_bytes() for path in (tmp_path / "recbench-out").rglob("*") if path.is_file()}
    assert "there     popularity" in done.stdout
    assert after == before


def test_a_failed_trial_is_a_row_with_its_reason_and_exit_code_3(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    (tmp_path / "broken_algo.py").write_text(
        "from recbench.api import Algorithm, hookimpl\n"
        "class Broken:\n"
        "    def fit(self, train, *, seed): raise ValueError('no good')\n"
        "@hookimpl\n"
        "def recbench_algorithms(): yield Algorithm(name='|<b>', target='broken_algo:Broken')\n"
    )
    arguments = ("run", "-p", "mine.toml", "--plugin", "broken_algo.py", "-a", "|<b>", "-a", "popularity")
    done = recbench(*arguments, cwd=tmp_path)
    board = (tmp_path / "recbench-out" / "mine.md").read_text()
    assert done.returncode == 3
    assert "no good" in done.stdout
    assert "no good" in board
    assert "<b>" not in board.partition("```")[0]
    (_, line) = json_lines(recbench(*arguments, "--json", cwd=tmp_path))
    shown = recbench("show", line["record"], cwd=tmp_path).stdout
    assert "raise ValueError('no good')" in shown


def test_what_failed_is_tried_again_only_when_asked(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    (tmp_path / "counting.py").write_text(
        "from recbench.api import Algorithm, hookimpl\n"
        "class Counting:\n"
        "    def fit(self, train, *, seed):\n"
        f"        open({str(tmp_path / 'count')!r}, 'a').write('x')\n"
        "        raise ValueError('no good')\n"
        "@hookimpl\n"
        "def recbench_algorithms(): yield Algorithm(name='counting', target='counting:Counting')\n"
    )
    arguments = ("run", "-p", "mine.toml", "--plugin", "counting.py", "-a", "counting")
    for more, tries in ((), 1), ((), 1), (("--retry",), 2), (("--fresh",), 3):
        recbench(*arguments, *more, cwd=tmp_path)
        assert (tmp_path / "count").read_text() == "x" * tries


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("run", "-a", "popularty"), "close: 'popularity'", "recbench list"),
        (("run", "-p", "no-such"), "no-such", "recbench list"),
        (("run", "-p", "missing.toml"), "missing.toml", ""),
        (("run", "--set", "x"), "does not set a parameter", "--set ALGORITHM.PARAMETER=VALUE"),
        (("run", "--plugin", "none.py"), "no plugin file", "--plugin"),
        (("show", "no-such-thing"), "no-such-thing", "recbench list"),
        (("data", "fetch", "no-such-data"), "no-such-data", "recbench list"),
        (("render", "no-such-folder"), "no-such-folder", ""),
    ],
)
def test_errors_say_what_and_how_to_mend_it_without_a_traceback(
    tmp_path: Path, arguments: tuple[str, ...], what: str, fix: str
) -> None:
    done = recbench(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert what in done.stderr
    assert fix in done.stderr.partition("Fix:")[2]
    assert "Traceback" not in done.stderr


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    assert recbench("run", "--no-such-option", cwd=tmp_path).returncode == 2


SLOW = """
import time
import numpy as np
from recbench.api import Algorithm, hookimpl

class Slow:
    def __init__(self, *, number: int = 0) -> None:
        self.number = number
    def fit(self, train, *, seed):
        with open({log!r}, "a") as log:
            log.write(f"{{self.number}}\\n")
        time.sleep(0.05)
        self.scores = np.random.default_rng(self.number).random(train.n_items)
    def score(self, users):
        return np.broadcast_to(self.scores, (len(users), len(self.scores)))

@hookimpl
def recbench_algorithms():
    for number in range(8):
        yield Algorithm(name=f"slow-{{number}}", target="slow_algo:Slow", parameters={{"number": number}})
"""


def start(folder: Path, output: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*RECBENCH, "run", "-p", "mine.toml", "--plugin", "slow_algo.py", "-a", "slow-*", "-o", output],
        cwd=folder,
        env={**os.environ, "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def without_costs(board: Path) -> str:
    """The board without the last three columns of its first table, which are costs, Pareto fronts, and dates."""
    text = re.sub(r"( +\| +[*<\d.,]+){3} \|$", "", board.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^\| +#.*$|^\| -.*$|^- \S+ against .*$", "", text, flags=re.MULTILINE)
    return re.sub(r"\d{4}-\d\d-\d\d", "", text)


@pytest.mark.slow
def test_after_kill_9_at_any_moment_nothing_is_lost_and_nothing_runs_twice(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    log = tmp_path / "log"
    (tmp_path / "slow_algo.py").write_text(SLOW.format(log=str(log)))
    calm = start(tmp_path, "calm")
    began = time.monotonic()
    assert calm.wait(120) == 0
    whole = time.monotonic() - began
    draw = random.Random(11)
    for attempt in range(20):
        output = f"out{attempt // 4}"
        if attempt % 4 == 0:
            log.write_text("")
        records = tmp_path / output / "records"
        started = start(tmp_path, output)
        time.sleep(draw.uniform(0.2, whole))
        started.send_signal(signal.SIGKILL)
        started.wait()
        finished = {path.name: path.read_bytes() for path in records.rglob("*[0-9a-f].json")}
        n_started_before = len(log.read_text().split())
        if attempt % 4 < 3:
            continue
        assert start(tmp_path, output).wait(120) == 0
        kept = {path.name: path.read_bytes() for path in records.rglob("*[0-9a-f].json")}
        assert finished.items() <= kept.items()
        assert len(kept) == 8
        assert len(log.read_text().split()) - n_started_before == 8 - len(finished)
        assert without_costs(tmp_path / output / "mine.md") == without_costs(tmp_path / "calm" / "mine.md")


@pytest.mark.slow
def test_an_interrupted_run_renders_what_is_finished_and_leaves_no_process(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    (tmp_path / "slow_algo.py").write_text(SLOW.format(log=str(tmp_path / "log")).replace("0.05", "2 * self.number"))
    started = start(tmp_path, "out")
    records = tmp_path / "out" / "records"
    deadline = time.monotonic() + 60
    while not list(records.rglob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)
    assert started.wait(30) == 130
    assert (tmp_path / "out" / "mine.md").is_file()
    alive = subprocess.run(["ps", "-eo", "sid,args"], capture_output=True, text=True, check=True).stdout
    assert str(tmp_path) not in alive


@pytest.mark.slow
def test_lists_and_scores_do_not_depend_on_hash_seed_or_outside_threads(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    algorithms = ("-a", "item-cosine", "-a", "user-cosine", "-a", "random", "-a", "bias")
    seen = []
    for seed, threads in (("1", "1"), ("2", "2")):
        out = f"out{seed}"
        done = recbench(
            "run", "-p", "mine.toml", *algorithms, "-o", out, "--json",
            cwd=tmp_path, PYTHONHASHSEED=seed, OMP_NUM_THREADS=threads, OPENBLAS_NUM_THREADS=threads,
        )  # fmt: skip
        lists = {path.name: path.read_bytes() for path in (tmp_path / out).rglob("*.npz")}
        seen.append((lists, [(line["label"], line["scores"]) for line in json_lines(done)]))
    assert len(seen[0][0]) == 4
    assert seen[0] == seen[1]
