"""What a cluster does to a run: workers, scheduler and run killed, a full disk, other code, damaged results."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from dask_by_hand import await_, is_alive, numbers, queue, site, slurm
from distributions_by_hand import Distribution

import recbench
from recbench import gpus

pytestmark = pytest.mark.slow

SHORT = {"DASK_RECBENCH__GRACE_SECONDS": "4"}


def ended(run: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, output and errors of a run."""
    output, errors = run.communicate(timeout=120)
    return run.returncode, output, errors


def test_the_trial_of_a_killed_worker_runs_again_elsewhere_and_its_process_ends(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        first = there.start_worker("first")
        run = there.run("-a", "waits")
        (trial,) = there.began(1)
        there.start_worker("second")
        first.kill()
        await_(lambda: not is_alive(trial))
        there.began(2)
        there.let_go()
        code, _, errors = ended(run)
        assert code == 0, errors
        assert "first at tcp://127.0.0.1:" in errors
        assert "was lost; its trial starts again, after 1 of 3 tries" in errors
        (record,) = there.records()
        assert record["status"] == "ok"
        assert record["provenance"]["cluster"] == "tcp"


def test_a_trial_whose_workers_are_lost_three_times_is_a_row_with_its_reason(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        worker = there.start_worker("w1")
        run = there.run("-a", "waits", "-a", "nothing")
        for n in (1, 2, 3):
            there.began(n)
            following = there.start_worker(f"w{n + 1}")
            worker.kill()
            worker = following
        code, _, errors = ended(run)
        assert code == 3, errors
        found = {record["algorithm"]: record for record in there.records()}
        assert found["nothing"]["status"] == "ok"
        assert found["waits"]["status"] == "crashed"
        assert found["waits"]["reason"].startswith("was started 3 times, and no result came back: w1 at tcp://")


def test_without_a_worker_left_the_run_ends_with_a_clear_error_and_goes_on_later(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        last = there.start_worker("last")
        run = there.run("-a", "nothing", "-a", "waits", **SHORT)
        (trial,) = there.began(1)
        await_(there.records)
        last.kill()
        code, _, errors = ended(run)
        assert code == 1
        assert "No worker is left; one may come within 4 s" in errors
        assert f"Error: the cluster {there.address} has had no worker that may be used for 4 s" in errors
        assert not is_alive(trial)
        assert [record["algorithm"] for record in there.records()] == ["nothing"]
        there.let_go()
        there.start_worker("next")
        code, _, errors = ended(there.run("-a", "nothing", "-a", "waits"))
        assert code == 0, errors
        assert "1 trials are there already" in errors
        assert len(there.records()) == 2


def test_without_a_scheduler_the_run_ends_at_once_and_goes_on_later(tmp_path: Path) -> None:
    with site(tmp_path, ["w1", "w2"]) as there:
        run = there.run("-a", "nothing", "-a", "waits")
        (trial,) = there.began(1)
        await_(there.records)
        there.scheduler.kill()
        code, _, errors = ended(run)
        assert code == 1
        assert f"Error: the scheduler of the cluster {there.address} is gone" in errors
        assert "Traceback" not in errors
        await_(lambda: not is_alive(trial))
        (finished,) = there.records()
        there.start_scheduler()
        there.start_worker("w3")
        there.let_go()
        code, _, errors = ended(there.run("-a", "nothing", "-a", "waits"))
        assert code == 0, errors
        assert len(there.records()) == 2
        assert finished in there.records()


def test_the_trial_of_a_killed_run_ends_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with site(tmp_path, ["w1"]) as there:
        run = there.run("-a", "nothing", "-a", "waits")
        (trial,) = there.began(1)
        await_(there.records)
        run.kill()
        await_(lambda: not is_alive(trial))
        there.let_go()
        code, _, errors = ended(there.run("-a", "nothing", "-a", "waits"))
        assert code == 0, errors
        assert "1 trials are there already" in errors
        assert len(there.records()) == 2


def test_ctrl_c_ends_trials_on_workers_which_serve_the_next_run(tmp_path: Path) -> None:
    with site(tmp_path, ["w1", "w2"]) as there:
        run = there.run("-a", "waits", "--seed", "1")
        (trial,) = there.began(1)
        run.send_signal(signal.SIGINT)
        code, _, errors = ended(run)
        assert code == 130, errors
        assert "the same command goes on" in errors
        await_(lambda: not is_alive(trial))
        assert not there.records()
        there.let_go()
        assert ended(there.run("-a", "waits", "--seed", "1"))[0] == 0


def test_ctrl_c_leaves_no_process_of_a_cluster_of_its_own(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        there.address = "local"
        run = there.run("-a", "waits")
        there.began(1)
        below = psutil.Process(run.pid).children(recursive=True)
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        code, _, errors = ended(run)
        assert code == 130, errors
        await_(lambda: not any(is_alive(each.pid) for each in below))


def test_a_worker_whose_disk_is_full_is_named_and_others_do_its_trials(tmp_path: Path) -> None:
    small = tmp_path / "small-disk"
    small.mkdir()
    mount = f'mount -t tmpfs -o size=1m none {small} && exec "$@"'
    prefix = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh")
    if subprocess.run([*prefix, "true"], capture_output=True).returncode:
        pytest.skip("needs user namespaces")
    with site(tmp_path) as there:
        there.start_worker("full", prefix=prefix, environment={"TMPDIR": str(small)})
        run = there.run("-a", "nothing", "--seed", "1", "--seed", "2")
        # Until another one comes there is nobody.
        errors = []
        for line in run.stderr:
            errors.append(line)
            if "not used any more" in line:
                break
        there.start_worker("roomy")
        code, _, more = ended(run)
        assert code == 0, more
        assert "Worker full at tcp://" in "".join(errors)
        assert "is not used any more: it cannot run trials: its disk is full" in "".join(errors)
        assert len(there.records()) == 2


def test_a_worker_that_stands_still_for_a_while_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with site(tmp_path, ["fast", "slow"]) as there:
        slow = there.processes[2]
        run = there.run("-a", "nothing", *(f"--seed={n}" for n in range(12)))
        await_(lambda: len(there.records()) >= 2)
        slow.send_signal(signal.SIGSTOP)
        time.sleep(2)
        slow.send_signal(signal.SIGCONT)
        code, _, errors = ended(run)
        assert code == 0, errors
        assert sorted(record["seed"] for record in there.records()) == list(range(12))
        assert errors.count("ok ") == 12


def test_a_worker_with_another_plugin_is_named_and_nothing_runs_on_it(tmp_path: Path) -> None:
    code = """
from recbench.api import Algorithm, hookimpl

class Mine:
    def fit(self, train, *, seed): ...
    def score(self, users):
        raise AssertionError

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="mine", target="far_plugin:Mine")
"""
    for version in ("1.0", "1.1"):
        unpack(Distribution(name="far-plugin", code=code, version=version), tmp_path / version)
    with site(tmp_path) as there:
        there.call_worker("older", environment={"PYTHONPATH": search_path(tmp_path / "1.0")})
        there.call_worker("without")
        there.await_worker("older")
        there.await_worker("without")
        code, _, errors = ended(there.run("-a", "mine", PYTHONPATH=search_path(tmp_path / "1.1")))
        assert "Worker older at tcp://" in errors
        assert "is not used: it has far-plugin 1.0, and this is 1.1" in errors
        assert "mine cannot run: no worker has far_plugin: start one that has it" in errors
        assert code == 3
        assert not there.records()


def search_path(folder: Path) -> str:
    """Where modules are looked for: `folder` before the others."""
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def unpack(distribution: Distribution, folder: Path) -> None:
    """Install it, as no installer would."""
    for name, content in distribution.contents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_a_worker_with_another_recbench_is_named_and_nothing_runs_on_it(tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(Path(recbench.__file__).parent, other / "recbench", ignore=shutil.ignore_patterns("__pycache__"))
    blocks = other / "recbench" / "blocks.py"
    blocks.write_text(blocks.read_text() + "# other code\n")
    with site(tmp_path) as there:
        there.start_worker("older", environment={"PYTHONPATH": search_path(other)})
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 1
        assert "Worker older at tcp://" in errors
        assert "of other code than this one" in errors
        assert "has no worker that may be used" in errors
        there.start_worker("same")
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 0, errors
        assert "Worker older at tcp://" in errors
        (record,) = there.records()
        assert record["status"] == "ok"


DAMAGING = '''
import recbench.cluster.host as host
from recbench.cluster.frames import seal

outcomes = []


def careless(message):
    """Turn one bit over in what this worker says first of a trial."""
    frame = bytearray(seal(message))
    if message.kind == "outcome":
        outcomes.append(message)
        frame[len(frame) // 2] ^= len(outcomes) == 1
    return bytes(frame)


host.seal = careless
'''


def test_a_damaged_result_is_refused_and_the_trial_runs_again(tmp_path: Path) -> None:
    (tmp_path / "damaging.py").write_text(DAMAGING)
    with site(tmp_path) as there:
        there.start_worker("careless", "--preload", str(tmp_path / "damaging.py"))
        code, _, errors = ended(there.run("-a", "nothing", "--seed", "1", "--seed", "2"))
        assert code == 0, errors
        assert errors.count("its checksum is wrong; its trial starts again, after 1 of 3 tries") == 1
        assert [record["status"] for record in there.records()] == ["ok", "ok"]


BROKEN = """
import recbench.cluster.host as host


def answer(self, order, errand):
    return answer(self, order, errand)


host.Host.answer = answer
"""


def test_a_worker_on_which_recbench_itself_fails_is_named_and_not_used_any_more(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    with site(tmp_path) as there:
        there.start_worker("broken", "--preload", str(tmp_path / "broken.py"))
        code, _, errors = ended(there.run("-a", "nothing", **SHORT))
        assert code == 1, errors
        assert "is not used any more: it cannot run trials: RecursionError" in errors
        assert "no worker that may be used" in errors
        assert not there.records()


def test_what_no_worker_can_run_is_said_at_once(tmp_path: Path) -> None:
    with site(tmp_path, ["w1"]) as there:
        code, output, errors = ended(there.run("-a", "elsewhere", "-a", "on-gpu", "-a", "nothing"))
        assert code == 3, errors
        assert gpus.names() or "on-gpu cannot run: no worker has a GPU: start one that has it" in errors
        assert "elsewhere cannot run: no worker has no_such_framework: start one that has it" in errors
        assert "no worker has no_such_framework: start one that has it" in output
        assert {record["algorithm"] for record in there.records()} - {"on-gpu"} == {"nothing"}


def test_trials_that_may_take_more_memory_than_any_worker_has_are_refused_at_once(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        there.start_worker("small", "--memory-limit", "400MB")
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 1
        assert "it has 381 MB of memory, and a trial may take 500 MB" in errors
        assert "has no worker that may be used" in errors


def test_ctrl_c_cancels_the_jobs_that_a_run_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    with site(tmp_path, environment=queue(tmp_path)) as there:
        there.address = slurm(tmp_path)
        run = there.run("-a", "waits")
        (trial,) = there.began(1)
        run.send_signal(signal.SIGINT)
        code, _, errors = ended(run)
        assert code == 130, errors
        assert sorted(numbers(tmp_path / "cancelled")) == sorted(numbers(tmp_path / "jobs"))
        assert not any(map(is_alive, numbers(tmp_path / "jobs")))
        await_(lambda: not is_alive(trial))


def test_jobs_whose_run_was_killed_end_by_themselves(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    with site(tmp_path, environment=queue(tmp_path)) as there:
        there.address = slurm(tmp_path, workers=1)
        run = there.run("-a", "waits")
        (trial,) = there.began(1)
        run.kill()
        await_(lambda: not is_alive(trial))
        (job,) = numbers(tmp_path / "jobs")
        await_(lambda: not is_alive(job))


def test_a_job_that_came_to_its_end_is_asked_for_again(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    at_once = {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s"}
    with site(tmp_path, environment=queue(tmp_path) | at_once) as there:
        there.address = slurm(tmp_path, workers=1)
        run = there.run("-a", "waits")
        there.began(1)
        (job,) = numbers(tmp_path / "jobs")
        os.killpg(job, signal.SIGKILL)
        there.began(2)
        there.let_go()
        code, _, errors = ended(run)
        assert code == 0, errors
        assert "its trial starts again, after 1 of 3 tries" in errors
        assert len(numbers(tmp_path / "jobs")) == 2


def test_a_queue_that_takes_no_job_is_told_of_in_its_own_words(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    with site(tmp_path, environment=queue(tmp_path)) as there:
        (tmp_path / "programs" / "sbatch").write_text(
            "#!/bin/sh\necho 'sbatch: error: no such partition' >&2\nexit 1\n"
        )
        there.address = slurm(tmp_path)
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 1
        assert "Error: dask_jobqueue.SLURMCluster cannot start workers: " in errors
        assert "sbatch: error: no such partition" in errors
        assert "Traceback" not in errors


def test_jobs_that_wait_longer_than_the_file_allows_are_cancelled(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    with site(tmp_path, environment=queue(tmp_path)) as there:
        (tmp_path / "programs" / "sbatch").write_text("#!/bin/sh\necho Submitted batch job 77\n")
        (tmp_path / "programs" / "scancel").write_text('#!/bin/sh\necho "$1" >>cancelled\n')
        there.address = slurm(tmp_path, workers=1, wait_seconds=2)
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 1
        assert "Error: no worker of dask_jobqueue.SLURMCluster came within 2 s" in errors
        assert "raise wait_seconds in slurm.toml" in errors
        assert numbers(tmp_path / "cancelled") == [77]
