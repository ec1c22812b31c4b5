"""A run on a real scheduler and real workers: the same records, the same bytes, nothing lost, nothing doubled."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("distributed", reason="needs the extra cluster")

from dask_by_hand import Site, is_alive, numbers, queue, site, slurm

from recbench import boards
from recbench.records import Store, load, read_lists

pytestmark = pytest.mark.slow

SHORT = {"DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s"}

ROWS = ("-a", "popularity", "-a", "item-mean", "-a", "random", "-a", "nothing", "-a", "failing", "--seed=0", "--seed=1")

FAILING = """
from recbench.api import Algorithm, hookimpl


class Failing:
    def fit(self, train, *, seed):
        print("before it fails")
        raise RuntimeError("no luck")

    def score(self, users):
        raise AssertionError


@hookimpl
def recbench_algorithms():
    yield Algorithm(name="failing", target="failing:Failing")
"""


def ended(run: subprocess.Popen[str]) -> tuple[int, str, str]:
    output, errors = run.communicate(timeout=200)
    return run.returncode, output, errors


def run_here(there: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "recbench", "run", "-p", "small.toml", "--plugin", "idle.py", *arguments],
        cwd=there.folder,
        env=os.environ | {"HOME": str(there.folder)},
        capture_output=True,
        text=True,
        timeout=200,
    )


def without_costs(path: Path) -> dict[str, Any]:
    """A record but for what was measured, and where. A traceback names files of the machine."""
    document = json.loads(path.read_text())
    return {key: value for key, value in document.items() if key not in ("measured", "provenance", "traceback")}


def take_costs(output: Path, other: Path) -> None:
    """Give the records of `output` the costs and the provenance of the same trials' in `other`."""
    theirs = {path.name: load(path) for path in Store(other).paths()}
    for path in Store(output).paths():
        record, like = load(path), theirs[path.name]
        lists, predictions = (None, None) if record.lists is None else read_lists(path, record)
        levelled = replace(record, measured=like.measured, provenance=like.provenance)
        Store(output).save(levelled, lists=lists, predictions=predictions)


def test_two_workers_give_the_board_of_one_machine_byte_for_byte_costs_aside(tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(FAILING)
    with site(tmp_path, ["w1", "w2"]) as there:
        plugin = ("--plugin", "failing.py")
        code, _, errors = ended(there.run(*ROWS, *plugin, "-o", "many"))
        assert code == 3, errors  # one of them fails, as here
        assert run_here(there, *ROWS, *plugin, "-o", "one").returncode == 3
    many, one = Store(tmp_path / "many"), Store(tmp_path / "one")
    assert [path.name for path in many.paths()] == [path.name for path in one.paths()]
    assert len(one.paths()) == 8  # two of them are deterministic
    for ours, theirs in zip(one.paths(), many.paths(), strict=True):
        assert without_costs(ours) == without_costs(theirs)
        beside = (path.with_suffix(".npz") for path in (ours, theirs))
        assert len({path.read_bytes() if path.is_file() else b"" for path in beside}) == 1
        assert load(theirs).provenance["cluster"] == "tcp"
        assert load(theirs).provenance["packages"] == load(ours).provenance["packages"]
    assert "Some trials ran on the machines of a cluster" in (tmp_path / "many" / "small.md").read_text()
    take_costs(tmp_path / "many", tmp_path / "one")
    boards.write(tmp_path / "many")
    assert (tmp_path / "many" / "small.md").read_bytes() == (tmp_path / "one" / "small.md").read_bytes()


def test_a_cluster_of_its_own_does_what_one_machine_does(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        there.address = "local"
        code, _, errors = ended(there.run("-a", "popularity", "-a", "item-mean", "-j", "2", "-o", "many"))
        assert code == 0, errors
        assert run_here(there, "-a", "popularity", "-a", "item-mean", "-o", "one").returncode == 0
    pairs = zip(Store(tmp_path / "one").paths(), Store(tmp_path / "many").paths(), strict=True)
    assert all(without_costs(ours) == without_costs(theirs) for ours, theirs in pairs)


LOCAL = """
class = "distributed.LocalCluster"
workers = 2
[options]
n_workers = 0
threads_per_worker = 1
dashboard_address = ":0"
"""


def test_a_cluster_that_a_file_describes_does_what_one_machine_does(tmp_path: Path) -> None:
    (tmp_path / "cluster.toml").write_text(LOCAL)
    with site(tmp_path) as there:
        there.address = "cluster.toml"
        code, _, errors = ended(there.run("-a", "popularity", "-a", "item-mean", "-o", "many"))
        assert code == 0, errors
        assert "Waiting for workers of distributed.LocalCluster, up to 3600 s" in errors
        assert run_here(there, "-a", "popularity", "-a", "item-mean", "-o", "one").returncode == 0
    pairs = list(zip(Store(tmp_path / "one").paths(), Store(tmp_path / "many").paths(), strict=True))
    assert len(pairs) == 2
    assert all(without_costs(ours) == without_costs(theirs) for ours, theirs in pairs)
    assert {load(theirs).provenance["cluster"] for _, theirs in pairs} == {"distributed.LocalCluster"}


def test_jobs_of_slurm_do_what_one_machine_does_and_are_cancelled_at_the_end(tmp_path: Path) -> None:
    pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    with site(tmp_path, environment=queue(tmp_path)) as there:
        there.address = slurm(tmp_path)
        code, _, errors = ended(there.run("-a", "popularity", "-a", "item-mean", "-o", "many"))
        assert code == 0, errors
        assert run_here(there, "-a", "popularity", "-a", "item-mean", "-o", "one").returncode == 0
    pairs = zip(Store(tmp_path / "one").paths(), Store(tmp_path / "many").paths(), strict=True)
    assert all(without_costs(ours) == without_costs(theirs) for ours, theirs in pairs)
    jobs = numbers(tmp_path / "jobs")
    assert len(jobs) == 2
    assert sorted(numbers(tmp_path / "cancelled")) == sorted(jobs)
    assert not any(map(is_alive, jobs))


def test_trials_with_a_gpu_run_where_there_is_one_and_see_that_one_alone(tmp_path: Path) -> None:
    pretending = tmp_path / "pretending"
    pretending.mkdir()
    (pretending / "sitecustomize.py").write_text('import recbench.gpus\nrecbench.gpus.names = lambda: ("7",)\n')
    with site(tmp_path, ["bare"]) as there:
        there.start_worker("rich", environment={"PYTHONPATH": str(pretending)})
        code, _, errors = ended(there.run("-a", "on-gpu", "-a", "nothing", "--seed=0", "--seed=1"))
        assert code == 0, errors
        printed = [record["output"] for record in there.records() if record["algorithm"] == "on-gpu"]
        assert printed == ["sees 7\n"] * 2


def test_parameters_set_by_hand_are_checked_on_a_worker_before_anything_trains(tmp_path: Path) -> None:
    with site(tmp_path, ["w1"]) as there:
        code, _, errors = ended(there.run("-a", "popularity", "-a", "ease", "--set", "ease.l3=1"))
        assert code == 1
        assert "Error: ease: " in errors
        assert "l3" in errors
        assert not there.records()


def test_of_a_thousand_trials_of_nothing_none_is_lost_and_none_is_doubled(tmp_path: Path) -> None:
    seeds = [f"--seed={n}" for n in range(1000)]
    with site(tmp_path, ["w1", "w2"]) as there:
        code, output, errors = ended(there.run("-a", "nothing", *seeds, "--json"))
        assert code == 0, errors
        lines = [json.loads(line) for line in output.splitlines()]
        assert sorted(line["seed"] for line in lines) == list(range(1000))
        assert sorted(record["seed"] for record in there.records()) == list(range(1000))
        assert len([line for line in errors.splitlines() if line.startswith("ok ")]) == 1000


def certificates(folder: Path) -> dict[str, str]:
    """A certificate of its own for all sides, as settings of Dask."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("needs openssl")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=recbench-test")
    subprocess.run(
        [program, "req", *options, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    sides = {
        f"DASK_DISTRIBUTED__COMM__TLS__{side}__{part}": str(file)
        for side in ("CLIENT", "SCHEDULER", "WORKER")
        for part, file in (("CERT", certificate), ("KEY", key))
    }
    return {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(certificate), **sides}


def test_with_certificates_a_run_goes_by_tls_and_without_them_nobody_is_let_in(tmp_path: Path) -> None:
    known = certificates(tmp_path)
    with site(tmp_path, ["w1"], environment=known, scheme="tls") as there:
        assert there.address.startswith("tls://")
        code, _, errors = ended(there.run("-a", "nothing"))
        assert code == 0, errors
        (record,) = there.records()
        assert record["provenance"]["cluster"] == "tls"
        there.environment = {}
        code, _, errors = ended(there.run("-a", "nothing", "--fresh", **SHORT))
        assert code == 1
        assert f"Error: no scheduler answers at {there.address}" in errors
        assert "Fix:   see docs/cluster.md for the certificates that both sides need" in errors
        there.address = there.address.replace("tls://", "tcp://")
        code, _, errors = ended(there.run("-a", "nothing", "--fresh", **SHORT))
        assert code == 1
        assert "no scheduler answers" in errors


def test_where_no_scheduler_is_the_run_says_so(tmp_path: Path) -> None:
    with site(tmp_path) as there:
        there.address = "tcp://127.0.0.1:9"
        code, _, errors = ended(there.run("-a", "nothing", **SHORT))
        assert code == 1
        assert "Error: no scheduler answers at tcp://127.0.0.1:9" in errors
        assert "Traceback" not in errors
