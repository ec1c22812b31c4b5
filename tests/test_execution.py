"""How trials run in isolation: every way a plugin may misbehave has its status, and harms nobody else."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recbench.data import Categories, Dataset, Interactions, Numbers, Split, Tags, Texts
from recbench.errors import RecbenchError
from recbench.execution import Job, Outcome, Runner
from recbench.execution import runner as execution_runner
from recbench.execution.slot import Sandbox, Slot, environment
from recbench.records import Status

HOSTILE = Path(__file__).parent / "hostile" / "hostile.py"
N_USERS, N_ITEMS, DEPTH = 40, 60, 5
LEFT, RIGHT = 0x5A3C96E1F0, 0x0F1E2D3C4B
TEST_MARK = LEFT ^ RIGHT
TRAIN_MARK = TEST_MARK ^ 0x1111111111


def world(*, validation: bool = False, history: bool = False) -> Split:
    """A split whose test rows can be told by their times wherever they turn up."""
    rng = np.random.default_rng(7)
    pairs = rng.permutation(N_USERS * N_ITEMS)[: N_USERS * 12]
    user, item = (pairs // N_ITEMS).astype(np.int32), (pairs % N_ITEMS).astype(np.int32)
    n = len(pairs)
    part = rng.random(n)
    test = part < 0.25
    is_new = (user < 4) if history else np.zeros(n, dtype=bool)
    old = ~test & ~is_new
    held = old & (part > 0.9) if validation else np.zeros(n, dtype=bool)
    mark = np.where(test, TEST_MARK, TRAIN_MARK).astype(np.uint64) << np.uint64(24)
    dataset = Dataset(
        name="marked",
        interactions=Interactions(
            user=user,
            item=item,
            rating=rng.integers(1, 6, n).astype(np.float32),
            time=(mark.view(np.int64) + np.arange(n)),
        ),
        user_ids=np.array([f"u{u}" for u in range(N_USERS)]),
        item_ids=np.array([f"i{i}" for i in range(N_ITEMS)]),
        users={"age": Numbers(values=np.arange(float(N_USERS)))},
        items={
            "genres": Tags(
                starts=np.arange(N_ITEMS + 1), codes=np.arange(N_ITEMS, dtype=np.int32) % 3, names=("a", "b", "ü")
            ),
            "kind": Categories(codes=np.zeros(N_ITEMS, dtype=np.int32), names=("film",)),
            "title": Texts(values=np.array([f"Title {i}" for i in range(N_ITEMS)])),
        },
        scale=(1.0, 5.0),
    )
    return Split(
        dataset=dataset,
        fold=0,
        train_rows=np.flatnonzero(old & ~held),
        validation_rows=np.flatnonzero(held),
        test_rows=np.flatnonzero(test),
        history_rows=np.flatnonzero(is_new & ~test),
        fingerprint=hashlib.sha256(f"{validation} {history}".encode()).hexdigest(),
        leaks_future=None,
    )


SPLIT = world()


def job(name: str, **changes: object) -> Job:
    defaults: dict[str, object] = {"seconds": 20.0, "memory_mb": 400, "output_mb": 16}
    parameters = {key: changes.pop(key) for key in list(changes) if key not in Job.__slots__}
    return Job(
        target=f"hostile:{name}", plugin_file=HOSTILE, depth=DEPTH, parameters=parameters, **(defaults | changes)
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as running:
        yield running


@pytest.fixture(scope="module")
def good(runner: Runner) -> Outcome:
    return run(runner, "Good")


def run(runner: Runner, name: str, split: Split = SPLIT, **changes: object) -> Outcome:
    outcome = runner.run(job(name, **changes), split)
    assert outcome is not None
    return outcome


def bytes_of(outcome: Outcome) -> tuple[bytes, bytes]:
    assert outcome.lists is not None, outcome
    assert outcome.predictions is not None
    return outcome.lists.tobytes(), outcome.predictions.tobytes()


HOSTILES = [
    ("RaisesInFit", {}, "failed", r"^ValueError in fit: no such luck$"),
    ("RaisesInScore", {}, "failed", r"^ZeroDivisionError in rank: in score$"),
    ("RaisesWhatCannotBeShown", {}, "failed", r"^Silent in fit: \(its text cannot be shown\)$"),
    ("CallsExit", {}, "failed", r"^SystemExit in fit: enough$"),
    ("Interrupts", {}, "failed", r"^KeyboardInterrupt in fit$"),
    ("LeavesAtOnce", {}, "crashed", r"^ended with exit code 3 before it was done, in fit$"),
    ("LeavesQuietly", {}, "crashed", r"^ended with exit code 0 before it was done, in fit$"),
    ("Segfaults", {}, "crashed", r"^ended by SIGSEGV \(a segmentation fault\), in rank$"),
    ("Aborts", {}, "crashed", r"^ended by SIGABRT .*, in fit$"),
    ("KillsItself", {}, "crashed", r"^ended by SIGKILL \(not sent by recbench: the system may have been out of mem"),
    ("Loops", {"seconds": 0.5}, "timeout", r"^was not done after 0.5 s, in fit$"),
    ("EatsMemory", {"memory_mb": 150}, "out-of-memory", r"^took more than 150 MB in fit$"),
    ("EatsMemoryInAChild", {"memory_mb": 150}, "out-of-memory", r"^took more than 150 MB in fit$"),
    ("WantsTooMuchAtOnce", {}, "out-of-memory", r"^_?(Array)?MemoryError in fit: "),
    ("FrameworkRunsOut", {}, "out-of-memory", r"^RuntimeError in fit: DefaultCPUAllocator"),
    ("PrintsWithoutEnd", {}, "failed", r"^printed more than 16 MB, in fit$"),
    ("WritesAHugeFile", {}, "failed", r"^OSError in fit: \[Errno 27\] File too large$"),
    ("WrongShape", {}, "invalid", r"^rank: scores have the shape \(40, 61\); expected \(40, 60\)$"),
    ("WrongRank", {}, "invalid", r"^rank: scores have the shape \(60,\); expected \(40, 60\)$"),
    ("AllNaN", {}, "invalid", r"^rank: all scores are NaN for user 0, who has a history$"),
    ("Infinite", {}, "invalid", r"^rank: scores have \+inf"),
    ("Complex", {}, "invalid", r"^rank: scores are of type complex128; expected real numbers$"),
    ("Objects", {}, "invalid", r"^rank: scores are of type object"),
    ("Strings", {}, "invalid", r"^rank: scores are of type <U32"),
    ("Nothing", {}, "invalid", r"^rank: scores have the shape \(\)"),
    ("PredictsTooFew", {}, "invalid", r"^predict: predictions have the shape \(\d+,\); expected \(\d+,\)$"),
    ("PredictsInfinity", {}, "invalid", r"^predict: predictions have infinities"),
    ("PredictsNothing", {}, "invalid", r"^predict said nothing \(NaN\) for (\d+) of \1 pairs .*; at most 5% may be so"),
    ("Recommends", {"fault": "seen"}, "invalid", r"^rank: a list has an item that its user has seen$"),
    ("Recommends", {"fault": "double"}, "invalid", r"^rank: an item is twice in one list$"),
    ("Recommends", {"fault": "unknown"}, "invalid", r"^rank: lists have items outside 0 to 59$"),
    ("Recommends", {"fault": "short"}, "invalid", r"^rank: lists have the shape \(40, 4\)"),
    ("MutatesTrain", {}, "failed", r"^ValueError in fit: .*read-only"),
    ("MakesTrainWritable", {}, "failed", r"^ValueError in fit: cannot set WRITEABLE"),
    ("WritesBehindTrain", {}, "crashed", r"^ended by SIGSEGV"),
    ("MutatesUsers", {}, "failed", r"^ValueError in rank: .*read-only"),
    ("ClosesEverything", {}, "crashed", r"^ended with exit code 1 before it was done"),
    ("WritesGarbage", {}, "invalid", r"^wrote to recbench's own channel in fit: bytes that are no frame$"),
    ("ForgesAHugeFrame", {}, "invalid", r"^wrote to recbench's own channel in fit: a frame of \d+ \+ \d+ bytes$"),
    ("ForgesTheEnd", {}, "invalid", r"^wrote to recbench's own channel in fit: 'done' out of turn$"),
    (
        "KillsItsParent",
        {},
        "crashed",
        r"^the process that watches over it was killed, by itself or by the system, in fit$",
    ),
]


@pytest.mark.parametrize(("name", "changes", "status", "reason"), HOSTILES)
def test_a_hostile_plugin_gets_its_status_and_the_next_trial_gives_the_same_bytes(
    runner: Runner, good: Outcome, name: str, changes: dict[str, object], status: str, reason: str
) -> None:
    outcome = run(runner, name, **changes)
    assert outcome.status == status, outcome
    assert re.search(reason, outcome.reason or "", re.DOTALL), outcome.reason
    assert outcome.lists is None
    assert outcome.predictions is None
    assert bytes_of(run(runner, "Good")) == bytes_of(good)


@pytest.mark.parametrize(
    "name", ["PrintsMegabytes", "ChangesRandomState", "WritesIntoItsFolder", "WritesToTrainFile", "UsesRandomState"]
)
def test_what_is_merely_bad_manners_is_ok_and_stays_without_effect(runner: Runner, good: Outcome, name: str) -> None:
    assert run(runner, name).status is Status.OK
    assert bytes_of(run(runner, "Good")) == bytes_of(good)


def test_lists_hold_no_seen_item_and_follow_the_scores(good: Outcome) -> None:
    assert good.lists is not None
    assert good.lists.shape == (N_USERS, DEPTH)
    assert good.lists.dtype == np.int32
    train = SPLIT.train()
    counts = np.bincount(train.interactions.item, minlength=N_ITEMS) + np.random.default_rng(0).random(N_ITEMS)
    for user, row in enumerate(good.lists):
        seen = set(train.interactions.item[train.interactions.user == user].tolist())
        expected = [item for item in np.argsort(-counts).tolist() if item not in seen][:DEPTH]
        assert row.tolist() == expected


def test_predictions_come_back_in_the_order_of_the_test_part(good: Outcome) -> None:
    test = SPLIT.test()
    mean = float(SPLIT.train().interactions.rating.mean())
    assert good.predictions is not None
    assert good.predictions.tolist() == (mean + 0.001 * test.item + 0.01 * test.user).tolist()


def test_costs_are_measured(good: Outcome) -> None:
    costs = good.costs
    assert costs.peak_memory_mb is not None
    assert 5 < costs.peak_memory_mb < 100
    for seconds in (costs.fit_seconds, costs.rank_seconds, costs.predict_seconds, costs.cpu_seconds):
        assert seconds is not None
        assert 0 < seconds < 5
    assert 0 < (costs.latency_p50_ms or 0) <= (costs.latency_p95_ms or 0) <= (costs.latency_p99_ms or 0)
    assert (costs.wall_seconds or 0) >= (costs.fit_seconds or 0) + (costs.rank_seconds or 0)


def test_the_stages_are_told_in_order(runner: Runner) -> None:
    heard: list[str] = []
    runner.run(job("Good"), SPLIT, on_stage=heard.append)
    assert heard == ["start", "fit", "rank", "predict", "latency"]


def test_no_pairs_are_predicted_unless_asked_for(runner: Runner) -> None:
    outcome = run(runner, "PredictsInfinity", predictions=False)
    assert outcome.status is Status.OK
    assert outcome.predictions is None


def test_the_models_seed_decides_the_global_random_state_too(runner: Runner) -> None:
    first, again, other = (run(runner, "UsesRandomState", seed=seed) for seed in (1, 1, 2))
    assert bytes_of(first) == bytes_of(again)
    assert bytes_of(first) != bytes_of(other)


def test_tracebacks_begin_in_the_plugin(runner: Runner) -> None:
    traceback = run(runner, "RaisesInFit").traceback or ""
    assert "hostile.py" in traceback
    assert "no such luck" in traceback
    assert "recbench" not in traceback.replace(str(HOSTILE), "")


def test_of_megabytes_of_output_the_beginning_and_the_end_are_kept(runner: Runner) -> None:
    output = run(runner, "PrintsMegabytes").output
    assert output.startswith("the beginning")
    assert output.rstrip().endswith("the end")
    assert "bytes left out" in output
    assert len(output) < 100_000


def test_what_was_printed_before_a_crash_is_kept(runner: Runner) -> None:
    assert "last words" in run(runner, "LeavesAtOnce").output
    crash = run(runner, "Segfaults").output
    assert "before the crash" in crash
    assert "hostile.py" in crash  # where it was, by faulthandler


@pytest.mark.parametrize("name", ["LeavesAChild", "LeavesADaemon", "KillsItsParentAndStays"])
def test_no_process_outlives_its_trial(runner: Runner, good: Outcome, tmp_path: Path, name: str) -> None:
    place = tmp_path / "pid"
    outcome = run(runner, name, place=str(place))
    assert outcome.status is (Status.CRASHED if name == "KillsItsParentAndStays" else Status.OK)
    assert is_gone(int(place.read_text()))
    assert bytes_of(run(runner, "Good")) == bytes_of(good)


def test_a_stopped_server_is_replaced(good: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbench.execution.watch._PATIENCE_SECONDS", 0.3)
    with Runner() as runner:
        outcome = run(runner, "StopsItsParent", seconds=0.5)
        assert outcome.status is Status.TIMEOUT
        assert bytes_of(run(runner, "Good")) == bytes_of(good)


def test_a_trial_finds_an_empty_folder_of_its_own_and_leaves_none(runner: Runner) -> None:
    for _ in range(2):
        output = run(runner, "WritesIntoItsFolder").output
        assert output.startswith("found []")


def test_a_trial_cannot_write_to_the_training_data_through_its_descriptors(runner: Runner) -> None:
    assert re.search(r"stopped [1-9]", run(runner, "WritesToTrainFile").output)


def test_no_trace_of_the_run_is_in_arguments_environment_descriptors_or_folder(
    runner: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with open(tmp_path / "secret-test-data", "w") as file:
        os.set_inheritable(file.fileno(), True)
        monkeypatch.setenv("RECBENCH_DATA", str(tmp_path / "secret"))
        with Runner() as fresh:
            output = run(fresh, "Looks").output
    assert "secret" not in output
    assert "RECBENCH_DATA" not in output
    descriptors = re.search(r"descriptors (\{.*\})", output)
    assert descriptors
    targets = [re.sub(r"\d+", "N", target) for target in eval(descriptors.group(1)).values()]
    allowed = {"/dev/null", "pipe:[N]", "socket:[N]", "/memfd:recbench-train (deleted)", "/proc/N/fd"}
    assert set(targets) <= allowed
    assert targets.count("socket:[N]") == 1
    assert re.search(r"folder \S+/trial-\w+ \[\]", output)


def test_the_memory_of_a_trial_holds_no_test_row_before_its_lists_are_in(runner: Runner) -> None:
    control = run(runner, "SearchesMemory", left=LEFT ^ 0x1111111111, right=RIGHT)
    assert control.status is Status.OK, control
    assert re.search(r"searched True found [1-9]", control.output)
    assert "searched True found 0" in run(runner, "SearchesMemory", left=LEFT, right=RIGHT).output


def test_a_trial_of_each_slot_runs_at_once() -> None:
    with Runner(slots=2) as runner:
        done: list[Outcome] = []
        threads = [threading.Thread(target=lambda: done.append(run(runner, "Good"))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len({bytes_of(outcome) for outcome in done}) == 1
    assert len(done) == 6


def test_cancelling_ends_what_runs_and_starts_nothing_more() -> None:
    with Runner() as runner:
        timer = threading.Timer(0.8, runner.cancel)
        timer.start()
        start = time.monotonic()
        assert runner.run(job("Loops"), SPLIT) is None
        assert time.monotonic() - start < 5
        assert runner.run(job("Good"), SPLIT) is None
        timer.join()


def test_a_listener_that_raises_leaves_no_trial_behind(good: Outcome) -> None:
    def refuse(stage: str) -> None:
        if stage == "fit":
            raise OSError("the listener is gone")

    with Runner() as runner:
        with pytest.raises(OSError, match="the listener is gone"):
            runner.run(job("Loops"), SPLIT, on_stage=refuse)
        assert bytes_of(run(runner, "Good")) == bytes_of(good)


KILLED = """
import sys
sys.path.insert(0, {tests!r})
from test_execution import SPLIT, Runner, job
with Runner() as runner:
    print("go", flush=True)
    runner.run(job({name!r}, **{parameters!r}), SPLIT, on_stage=lambda stage: print(stage, flush=True))
"""


def test_a_killed_run_takes_its_trials_and_folders_with_it(tmp_path: Path) -> None:
    script = KILLED.format(tests=str(Path(__file__).parent), name="Loops", parameters={})
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environ)
    assert process.stdout is not None
    while process.stdout.readline() != "fit\n":
        assert process.poll() is None
    (home,) = tmp_path.glob("recbench-*")
    below = tree(process.pid)
    assert len(below) == 2  # the server and the trial
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert all(is_gone(pid) for pid in below)
    assert soon(lambda: not home.exists())


def test_in_process_gives_the_same_bytes(good: Outcome) -> None:
    with Runner(in_process=True) as runner:
        assert bytes_of(run(runner, "Good")) == bytes_of(good)
        failed = run(runner, "RaisesInScore")
        assert failed.status is Status.FAILED
        assert failed.reason == "ZeroDivisionError in rank: in score"
        assert run(runner, "WrongShape").status is Status.INVALID
        with pytest.raises(KeyboardInterrupt):
            run(runner, "Interrupts")
        assert runner.check(job("Good")) is None
        assert "has no parameter 'faul'" in (runner.check(job("Recommends", faul="x")) or "")


def test_a_server_with_threads_of_its_own_can_fork(good: Outcome) -> None:
    with Runner(threads=2) as runner:
        assert run(runner, "Multiplies").status is Status.OK
        assert bytes_of(run(runner, "Good")) == bytes_of(good)


def test_an_interpreter_for_each_trial_gives_the_same_bytes(good: Outcome) -> None:
    with Runner(fresh=True) as runner:
        assert bytes_of(run(runner, "Good")) == bytes_of(good)
        assert run(runner, "Segfaults").status is Status.CRASHED
        assert run(runner, "Loops", seconds=1.5).status is Status.TIMEOUT
        assert bytes_of(run(runner, "Good")) == bytes_of(good)


FRAMED = """
import sys
print("there already" if "slow_framework" in sys.modules else "imported now")
import slow_framework

class Framed:
    def fit(self, train, *, seed):
        print("trained", len(slow_framework.TRAINED), "times before")
        slow_framework.TRAINED.append(seed)
        self.n_items = train.n_items

    def score(self, users):
        return users[:, None] + range(self.n_items)
"""


@pytest.fixture
def framed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Job]:
    """A trial that requires a framework, made of its source."""
    monkeypatch.setattr(execution_runner, "FRAMEWORKS", frozenset({"slow_framework"}))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(source: str) -> Job:
        (tmp_path / "slow_framework.py").write_text(source)
        (tmp_path / "framed.py").write_text(FRAMED)
        return Job(
            target="framed:Framed", plugin_file=tmp_path / "framed.py", requires=("slow_framework",), depth=DEPTH
        )

    return make


def test_a_framework_is_there_before_the_trial_and_as_fresh_for_each(framed: Callable[[str], Job]) -> None:
    job_with = framed("TRAINED = []")
    with Runner() as runner:
        outcomes = [runner.run(job_with, SPLIT) for _ in range(2)]
        plain = run(runner, "Good")
    for outcome in outcomes:
        assert outcome is not None
        assert outcome.status is Status.OK, outcome.reason
        assert outcome.output == "there already\ntrained 0 times before\n"
    assert plain.status is Status.OK


@pytest.mark.parametrize("fault", ["raise OSError('no such library')", "import os; os.abort()"])
def test_a_framework_that_cannot_be_imported_fails_the_trial_alone(framed: Callable[[str], Job], fault: str) -> None:
    job_with = framed(fault)
    with Runner() as runner:
        outcome = runner.run(job_with, SPLIT)
        assert outcome is not None
        assert outcome.reason == ("OSError in start: no such library" if "OSError" in fault else outcome.reason)
        assert outcome.status is (Status.FAILED if "OSError" in fault else Status.CRASHED)
        assert outcome.output.startswith("imported now\n")
        assert run(runner, "Good").status is Status.OK


def test_check_says_what_is_wrong_with_parameters_without_training(runner: Runner) -> None:
    assert runner.check(job("Loops")) is None
    assert "has no parameter 'faul'; close: 'fault'" in (runner.check(job("Recommends", faul="x")) or "")
    assert "and must be a string" in (runner.check(job("Recommends", fault=3)) or "")
    assert "No module named 'nowhere'" in (
        runner.check(replace(job("Good"), target="nowhere:X", plugin_file=None)) or ""
    )
    assert "has no attribute 'Nobody'" in (runner.check(job("Nobody")) or "")


def test_wrong_parameters_end_a_trial_before_it_trains(runner: Runner) -> None:
    outcome = run(runner, "Recommends", faults="x")
    assert outcome.status is Status.FAILED
    assert outcome.reason == "BadParameters in start: Recommends has no parameter 'faults'; close: 'fault'"


def test_lists_of_the_plugins_own_are_marked_and_their_gaps_closed(runner: Runner) -> None:
    outcome = run(runner, "Recommends", fault="gap")
    assert outcome.marks == ("ties by the plugin",)
    assert outcome.lists is not None
    assert (outcome.lists[:, -1] == -1).all()
    assert (outcome.lists[:, :-1] >= 0).all()


def test_outside_settings_of_threads_are_replaced() -> None:
    outside = {"OMP_NUM_THREADS": "7", "OMP_DYNAMIC": "1", "MKL_CBWR": "x", "RECBENCH_DATA": "/d", "PATH": "/bin"}
    built = environment(outside, threads=2)
    assert built["OMP_NUM_THREADS"] == built["OPENBLAS_NUM_THREADS"] == built["TF_NUM_INTRAOP_THREADS"] == "2"
    assert built["PYTHONHASHSEED"] == "0"
    assert built["PATH"] == "/bin"
    assert not {"OMP_DYNAMIC", "MKL_CBWR", "RECBENCH_DATA"} & set(built)


def test_a_worker_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Runner() as runner, pytest.raises(RecbenchError, match="the process that runs trials did not start") as caught:
        run(runner, "Good")
    assert "can import recbench" in caught.value.fix


@pytest.fixture(params=["namespaces", "bubblewrap"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A way to make a sandbox, used by every runner, or a skip where it does not work here."""
    program = shutil.which("bwrap")
    if request.param == "bubblewrap" and program is None:
        pytest.skip("bubblewrap is not installed")
    bubblewrap = program if request.param == "bubblewrap" else None
    slot = Slot(threads=1, sandbox=Sandbox(hidden=(), bubblewrap=bubblewrap))
    try:
        slot.await_ready()
    except RecbenchError as error:
        pytest.skip(str(error))
    finally:
        slot.close()
    monkeypatch.setattr(
        "recbench.execution.runner.find_sandbox", lambda hidden: Sandbox(hidden=hidden, bubblewrap=bubblewrap)
    )
    return str(request.param)


@pytest.mark.usefixtures("way")
def test_a_sandboxed_trial_sees_neither_data_nor_network(good: Outcome, tmp_path: Path) -> None:
    hidden = tmp_path / "data"
    hidden.mkdir()
    (hidden / "ratings.csv").write_text("secret")
    file, missing = tmp_path / "test.csv", tmp_path / "not-there-yet"
    file.write_text("secret")
    with Runner() as open_runner:
        assert f"seen ['{hidden}']" in run(open_runner, "OpensFiles", places=[str(hidden)], run=os.getpid()).output
    with Runner(sandbox=True, hidden=(hidden, file, missing)) as runner:
        outcome = run(runner, "OpensFiles", places=[str(hidden)], run=os.getpid())
        assert outcome.status is Status.OK, outcome
        assert outcome.sandboxed
        assert outcome.output == "seen []\ninterfaces ['lo']\n"
        assert run(runner, "EatsMemory", memory_mb=150).status is Status.OUT_OF_MEMORY
        assert run(runner, "Loops", seconds=0.5).status is Status.TIMEOUT
        assert run(runner, "KillsItsParent").status is Status.CRASHED
        assert bytes_of(run(runner, "Good")) == bytes_of(good)
        assert "secret" not in run(runner, "ReadsFile", place=str(file)).output
    assert (hidden / "ratings.csv").read_text() == "secret"
    assert missing.is_dir()


def test_a_sandbox_that_is_impossible_is_an_error_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recbench.execution.slot.IS_LINUX", False)
    with pytest.raises(RecbenchError, match="no sandbox") as caught, Runner(sandbox=True, hidden=(tmp_path,)):
        pass
    assert "without --sandbox" in caught.value.fix


def tree(pid: int) -> list[int]:
    import psutil

    return [process.pid for process in psutil.Process(pid).children(recursive=True)]


def is_gone(pid: int) -> bool:
    import psutil

    def gone() -> bool:
        try:
            return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    return soon(gone)


def soon(claim: object) -> bool:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if claim():  # type: ignore[operator]
            return True
        time.sleep(0.02)
    return False
