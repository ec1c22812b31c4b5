"""The cluster's parts without a cluster: addresses, what travels of a split and a trial, who is used and who waits."""

from __future__ import annotations

import copy
import inspect
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dask_by_hand import write_world
from test_run import RECBENCH

from recbench import benchmark, provenance
from recbench.cli.offers import registry
from recbench.cluster import introductions
from recbench.cluster.address import Address
from recbench.cluster.frames import Damaged, describe_job, describe_outcome, job_from, outcome_from, seal, unseal
from recbench.cluster.host import Host
from recbench.cluster.introductions import GPU
from recbench.cluster.parcel import Contents, Parcel, blank, unpack
from recbench.cluster.recipe import Recipe
from recbench.cluster.roster import Member, NobodyCan, Roster
from recbench.data import Split, owned
from recbench.errors import RecbenchError
from recbench.execution import Component, Job, Outcome, Runner
from recbench.protocols.loading import load
from recbench.records import Costs, Status
from recbench.scene import prepare
from recbench.trials import Selection, select
from recbench.worker.channel import Message


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    write_world(folder)
    return folder


@pytest.fixture(scope="module")
def split(world: Path) -> Split:
    (made,) = prepare(load(world / "small.toml", {}), registry()).splits
    return made


def without_scale(split: Split) -> Split:
    return replace(split, dataset=replace(split.dataset, scale=None))


def arrived(contents: Contents) -> Contents:
    """What a worker has of a parcel."""
    parcel, host = Parcel(contents), Host()
    for offset, piece in parcel.pieces():
        host.receive("run", parcel.digest, parcel.head, parcel.size, offset, piece)
    (kept,) = host._kept.values()
    return kept


@pytest.mark.parametrize("text", ["local", "tcp://10.0.0.7:8786", "tls://head.example.org:8786", "tcp://[::1]:80"])
def test_an_address_is_read_and_written_alike(text: str) -> None:
    assert str(Address.parse(text)) == text


@pytest.mark.parametrize("text", ["", "here", "http://a:1", "tcp://a", "tcp://a:0", "tcp://a:99999", "tcp://a b:1"])
def test_what_is_no_address_is_an_error_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(RecbenchError, match="is not where a cluster is") as caught:
        Address.parse(text)
    assert caught.value.fix == "write --cluster local, tcp://HOST:PORT, tls://HOST:PORT or FILE.toml"


@pytest.mark.parametrize(
    "text", ["local", "tls://10.0.0.7:1", "tcp://127.0.0.1:1", "tcp://[::1]:1", "tcp://localhost:1"]
)
def test_a_guarded_address_needs_no_warning(text: str) -> None:
    assert Address.parse(text).warning is None


def test_a_scheduler_elsewhere_without_tls_is_warned_of() -> None:
    warning = Address.parse("tcp://10.0.0.7:8786").warning
    assert warning is not None
    assert "neither on this machine nor under TLS" in warning


def test_neither_ratings_nor_times_of_the_test_part_travel(split: Split) -> None:
    there = blank(split).test()
    assert len(there) == len(split.test()) > 0
    assert not there.rating.any()
    assert there.time is not None
    assert not there.time.any()


def test_where_no_ratings_are_predicted_nothing_of_the_test_part_travels(split: Split) -> None:
    sent = blank(without_scale(split))
    assert len(sent.test_rows) == 0
    assert len(sent.dataset.interactions) == len(split.train_rows) + len(split.validation_rows)


def test_a_split_arrives_as_it_was_but_for_the_answers(split: Split) -> None:
    candidates = owned(np.arange(12, dtype=np.int32).reshape(3, 4))
    there = arrived(Contents(split=blank(split), candidates=candidates))
    for part in ("train", "train_without_validation", "validation"):
        sent, got = getattr(split, part)().interactions, getattr(there.split, part)().interactions
        for column in ("user", "item", "rating", "time"):
            np.testing.assert_array_equal(getattr(got, column), getattr(sent, column))
            assert not getattr(got, column).flags.writeable
    np.testing.assert_array_equal(there.split.test().user, split.test().user)
    np.testing.assert_array_equal(there.split.test().item, split.test().item)
    np.testing.assert_array_equal(there.split.dataset.item_ids, split.dataset.item_ids)
    np.testing.assert_array_equal(there.candidates, candidates)
    assert there.split.fingerprint == split.fingerprint


@pytest.mark.parametrize("piece_bytes", [7, 64, 1 << 24])
def test_a_parcel_arrives_whole_whatever_the_size_of_its_pieces(
    split: Split, piece_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recbench.cluster.parcel.PIECE_BYTES", piece_bytes)
    parcel = Parcel(Contents(split=split, candidates=None))
    content = b"".join(piece for _, piece in parcel.pieces())
    assert len(content) == parcel.size
    assert unpack(parcel.head, content).split.fingerprint == split.fingerprint


def test_data_that_arrives_damaged_is_refused(split: Split) -> None:
    parcel, host = Parcel(Contents(split=split, candidates=None)), Host()
    *others, (offset, last) = parcel.pieces()
    for place, piece in others:
        host.receive("run", parcel.digest, parcel.head, parcel.size, place, piece)
    with pytest.raises(Damaged, match="arrived damaged"):
        host.receive("run", parcel.digest, parcel.head, parcel.size, offset, bytes([last[0] ^ 1]) + last[1:])
    assert not host._kept


def test_a_worker_keeps_a_few_splits_and_drops_the_one_longest_out_of_use(split: Split) -> None:
    host = Host()
    parcels = [Parcel(Contents(split=replace(split, fold=fold), candidates=None)) for fold in range(6)]
    for parcel in parcels:
        for offset, piece in parcel.pieces():
            host.receive("run", parcel.digest, parcel.head, parcel.size, offset, piece)
    assert list(host._kept) == [parcel.digest for parcel in parcels[2:]]


def test_a_job_arrives_as_it_was_with_the_text_of_its_plugin(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text("class Mine: ...\n")
    job = Job(
        target="mine:Mine",
        depth=10,
        parameters={"a": [1, 2.5, None]},
        plugin_file=plugin,
        components={"ease": Component(target="recbench_linear.ease:Ease", parameters={"l2": 1})},
        seed=3,
        latencies=False,
    )
    kept: dict[str, str] = {}

    def keep(name: str, text: str) -> Path:
        kept[name] = text
        return Path("/there", name)

    message = unseal(seal(Message(kind="trial", values={"job": describe_job(job)})))
    there = job_from(message.values["job"], None, keep)
    for name in Job.__slots__:
        assert getattr(there, name) == getattr(replace(job, plugin_file=Path("/there/mine.py")), name)
    assert kept == {"mine.py": "class Mine: ...\n"}


def test_an_outcome_arrives_as_it_was() -> None:
    outcome = Outcome(
        status=Status.OK,
        lists=np.array([[1, -1]], dtype=np.int32),
        predictions=np.array([1.5, np.nan]),
        n_never=4,
        marks=("ties by the plugin",),
        costs=Costs(fit_seconds=0.1),
        output="half a pair: \udc80",
    )
    there = outcome_from(unseal(seal(describe_outcome(outcome))), {"cpu": "theirs"})
    np.testing.assert_array_equal(there.lists, outcome.lists)
    np.testing.assert_array_equal(there.predictions, outcome.predictions)
    for name in ("status", "reason", "n_never", "marks", "costs", "output"):
        assert getattr(there, name) == getattr(outcome, name)
    assert there.where == {"cpu": "theirs"}


@pytest.mark.parametrize("place", [0, 31, 32, 40, -1])
def test_one_bit_over_anywhere_is_seen(place: int) -> None:
    sealed = bytearray(seal(describe_outcome(Outcome(status=Status.FAILED, reason="no luck"))))
    sealed[place] ^= 1
    with pytest.raises(Damaged, match="its checksum is wrong"):
        unseal(bytes(sealed))


class Errand:
    """Nobody wants it any more after the first look."""

    def __init__(self) -> None:
        self.stages: list[str] = []

    def is_wanted(self) -> bool:
        return "fit" not in self.stages

    def stage(self, stage: str) -> None:
        self.stages.append(stage)


def test_a_trial_that_nobody_waits_for_is_ended_and_its_worker_forgets_the_run(world: Path, split: Split) -> None:
    host, parcel = Host(), Parcel(Contents(split=split, candidates=None))
    for offset, piece in parcel.pieces():
        host.receive("run", parcel.digest, parcel.head, parcel.size, offset, piece)
    job = Job(target="idle:Waits", depth=5, parameters={"folder": str(world)}, plugin_file=world / "idle.py")
    settings = {"threads": 1, "sandbox": False, "hidden": []}
    values = {"parcel": parcel.digest, "settings": settings, "job": describe_job(job)}
    answer = host.answer(Message(kind="trial", values=values), Errand())
    assert answer.kind == "cancelled"
    assert not host._kept
    assert not any(host._idle.values())


def asked_and_answer(world: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    protocol, offered = load(world / "small.toml", {}), registry()
    options = benchmark.Options(output=world / "out")
    trials = benchmark.arrange(protocol, offered, Selection(wanted=("ease",)), options).trials
    asked = introductions.needs(trials)
    return asked, introductions.introduce(asked)


def test_this_very_installation_has_no_objection_to_itself(world: Path) -> None:
    asked, answer = asked_and_answer(world)
    assert introductions.objection(answer, asked) is None
    assert answer["lacking"] == []


def test_other_versions_of_recbench_python_and_plugins_are_named(world: Path) -> None:
    asked, answer = asked_and_answer(world)
    (target,) = asked["plugins"]
    own = provenance.build()["version"]
    name = asked["plugins"][target]["distribution"]

    def objection(*path: str, value: str) -> str | None:
        theirs = copy.deepcopy(answer)
        place = theirs
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        return introductions.objection(theirs, asked)

    assert objection("recbench", "version", value="0.0.1") == f"has recbench 0.0.1, and this is {own}"
    assert objection("recbench", "source", value="0" * 64) == f"has a recbench {own} of other code than this one"
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert objection("machine", "python", value="3.99.1") == f"has Python 3.99, and this is {here}"
    assert objection("plugins", target, "version", value="9.9") == f"has {name} 9.9, and this is {own}"


def member(name: str, *, lacking: tuple[str, ...] = (), free: int = 1, gpus: list[str] | None = None) -> Member:
    """A worker without a GPU, unless it is given some."""
    lacks = frozenset(lacking if gpus else (*lacking, GPU))
    return Member(address=f"tcp://{name}", name=name, where={}, lacking=lacks, free=free, gpus=gpus or [])


def indifferent(_: Member) -> int:
    return 0


def test_a_trial_goes_to_a_worker_that_has_what_it_needs() -> None:
    roster = Roster(grace_seconds=1, where="here")
    roster.join(member("bare", lacking=("torch",)))
    roster.join(member("rich"))
    taken = roster.take(frozenset({"torch"}), indifferent)
    assert taken is not None
    assert taken.member.name == "rich"


def test_what_no_worker_has_is_said_without_waiting() -> None:
    roster = Roster(grace_seconds=3600, where="here")
    roster.join(member("bare", lacking=("torch", "numba")))
    with pytest.raises(NobodyCan) as caught:
        roster.take(frozenset({"torch", "numpy"}), indifferent)
    assert caught.value.args == ({"torch"},)


def test_who_lost_the_only_worker_that_fits_waits_for_it_to_come_again() -> None:
    roster = Roster(grace_seconds=3600, where="here")
    roster.join(member("bare", lacking=("torch",)))
    rich = member("rich")
    roster.join(rich)
    roster.lose(rich)
    timer = threading.Timer(0.2, roster.join, [member("again")])
    timer.start()
    taken = roster.take(frozenset({"torch"}), indifferent)
    timer.join()
    assert taken is not None
    assert taken.member.name == "again"


def test_a_trial_with_a_gpu_goes_to_a_worker_that_has_one() -> None:
    roster = Roster(grace_seconds=1, where="here")
    roster.join(member("bare", free=8))
    roster.join(member("rich", gpus=["0"]))
    taken = roster.take(frozenset({GPU}), indifferent)
    assert taken is not None
    assert (taken.member.name, taken.gpu) == ("rich", "0")


def test_a_gpu_has_one_trial_at_a_time_and_others_do_not_wait_for_it() -> None:
    roster = Roster(grace_seconds=60, where="here")
    roster.join(member("rich", free=8, gpus=["2", "3"]))
    first, second = (roster.take(frozenset({GPU}), indifferent) for _ in range(2))
    assert first is not None
    assert second is not None
    assert {first.gpu, second.gpu} == {"2", "3"}
    without = roster.take(frozenset(), indifferent)
    assert without is not None
    assert without.gpu is None
    timer = threading.Timer(0.2, roster.give_back, [second])
    timer.start()
    third = roster.take(frozenset({GPU}), indifferent)
    timer.join()
    assert third is not None
    assert third.gpu == second.gpu


def test_workers_of_one_machine_share_its_gpus() -> None:
    roster, shared = Roster(grace_seconds=60, where="here"), ["0"]
    for name in ("one", "two"):
        roster.join(member(name, gpus=shared))
    taken = roster.take(frozenset({GPU}), indifferent)
    threading.Timer(0.1, roster.cancel).start()
    assert taken is not None
    assert roster.take(frozenset({GPU}), indifferent) is None


def test_where_no_worker_has_a_gpu_it_is_said_without_waiting() -> None:
    roster = Roster(grace_seconds=3600, where="here")
    roster.join(member("bare"))
    with pytest.raises(NobodyCan) as caught:
        roster.take(frozenset({GPU, "numpy"}), indifferent)
    assert introductions.words(caught.value.args[0]) == "a GPU"


def test_a_worker_says_which_gpus_it_has(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recbench.gpus.names", lambda: ("0", "1"))
    _, answer = asked_and_answer(world)
    assert answer["gpus"] == ["0", "1"]
    job = Job(target="json:It", depth=1, needs_gpu=True)
    assert introductions.needs_of(job) == {"json", GPU}
    assert introductions.needs_of(replace(job, needs_gpu=False)) == {"json"}


def test_without_any_worker_it_is_waited_no_longer_than_stated() -> None:
    roster = Roster(grace_seconds=0.1, where="the cluster here")
    roster.refuse("old", "has recbench 0.0.1, and this is 0.1.0")
    with pytest.raises(RecbenchError, match=r"the cluster here has had no worker .* for 0\.1 s; old has recbench 0\.0"):
        roster.take(frozenset(), indifferent)


def test_first_come_is_first_served() -> None:
    roster, order = Roster(grace_seconds=60, where="here"), []
    only = member("only")
    roster.join(only)
    first = roster.take(frozenset(), indifferent)
    assert first is not None
    assert first.member is only

    def wait(n: int) -> None:
        taken = roster.take(frozenset(), indifferent)
        assert taken is not None
        order.append(n)
        roster.give_back(taken)

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(5)]
    for n, thread in enumerate(threads):
        thread.start()
        while len(roster._queue) <= n:
            pass
    roster.give_back(first)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_a_cancelled_roster_gives_nobody_away() -> None:
    roster = Roster(grace_seconds=60, where="here")
    threading.Timer(0.1, roster.cancel).start()
    assert roster.take(frozenset(), indifferent) is None


def test_programs_and_this_process_do_not_go_to_a_cluster(world: Path) -> None:
    (world / "program.toml").write_text(
        (world / "small.toml").read_text() + '[[algorithm]]\nlabel = "mine"\ncommand = ["sh", "-c", "true", "{out}"]\n'
    )
    offered, cluster = registry(), Address.parse("local")
    protocol = load(world / "program.toml", {})
    assert select(protocol, offered, Selection(wanted=("mine",)))
    options = benchmark.Options(output=world / "out", cluster=cluster)
    with pytest.raises(RecbenchError, match="'mine' is a program of this machine"):
        benchmark.arrange(protocol, offered, Selection(wanted=("mine",)), options)
    with pytest.raises(RecbenchError, match="--in-process keeps trials here"):
        benchmark.arrange(protocol, offered, Selection(wanted=("ease",)), replace(options, in_process=True))


def test_without_the_extra_the_command_that_installs_it_is_named(world: Path, tmp_path: Path) -> None:
    (tmp_path / "distributed.py").write_text("raise ImportError\n")
    done = subprocess.run(
        [*RECBENCH, "run", "-p", str(world / "small.toml"), "-a", "random", "--cluster", "local"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Error: --cluster needs Dask, which is not installed" in done.stderr
    assert "Fix:   pip install 'recbench-suite[cluster]'" in done.stderr


def test_a_runner_and_a_cluster_are_asked_alike() -> None:
    from recbench.cluster import Cluster

    for name in ("run", "check", "cancel", "__enter__", "__exit__"):
        assert callable(getattr(Cluster, name))
        assert callable(getattr(Runner, name))


REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"


def test_every_test_that_the_page_names_is_there() -> None:
    named = re.findall(r"\btest_[a-z_]+(?=`)", (DOCS / "cluster.md").read_text())
    files = ("test_cluster.py", "test_cluster_faults.py", "test_cluster_run.py")
    code = "".join((REPOSITORY / "tests" / name).read_text() for name in files)
    assert len(named) > 15
    assert [name for name in named if f"def {name}(" not in code] == []


def test_the_script_for_slurm_can_be_read() -> None:
    subprocess.run(["bash", "-n", DOCS / "cluster" / "slurm.sh"], check=True)


def test_dask_jobqueue_makes_a_job_of_the_slurm_file() -> None:
    jobqueue = pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    recipe = Recipe.load(DOCS / "cluster" / "slurm.toml")
    assert recipe.target == "dask_jobqueue.SLURMCluster"
    own = ("security", "shared_temp_directory", "log_directory")  # they ask for more packages, and make a folder
    options = {name: value for name, value in recipe.options.items() if name not in own}
    code = f"import dask_jobqueue; print(dask_jobqueue.SLURMCluster(**{options!r}).job_script())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "#SBATCH --cpus-per-task=4" in done.stdout, done.stderr
    assert "--nthreads 1" in done.stdout
    assert set(own) <= {*inspect.signature(jobqueue.core.JobQueueCluster.__init__).parameters, "log_directory"}


def test_dask_kubernetes_makes_a_resource_of_the_kubernetes_file() -> None:
    recipe = Recipe.load(DOCS / "cluster" / "kubernetes.toml")
    assert recipe.target == "dask_kubernetes.operator.KubeCluster"
    operator = pytest.importorskip("dask_kubernetes.operator", reason="needs dask-kubernetes")
    inspect.signature(operator.KubeCluster).bind(**recipe.options)
    taken = inspect.signature(operator.make_cluster_spec).parameters
    options = {name: value for name, value in recipe.options.items() if name in taken}
    worker = operator.make_cluster_spec(**options, n_workers=recipe.workers)["spec"]["worker"]
    assert worker["replicas"] == 4
    (container,) = worker["spec"]["containers"]
    assert container["args"][:4] == ["dask", "worker", "--nthreads", "1"]


def write(folder: Path, text: str) -> Path:
    (folder / "cluster.toml").write_text(text)
    return folder / "cluster.toml"


def test_a_file_is_where_a_cluster_is_told(tmp_path: Path) -> None:
    file = write(tmp_path, 'class = "distributed.LocalCluster"\nworkers = 3\noptions = { n_workers = 0 }\n')
    address = Address.parse(str(file))
    assert address.recipe == Recipe(
        file=file, target="distributed.LocalCluster", workers=3, options={"n_workers": 0}, wait_seconds=3600
    )
    assert str(address) == f"of {file}"
    assert address.kind == "distributed.LocalCluster"
    assert address.warning is None
    assert not address.is_local


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("class = ", "line 1 is not TOML"),
        ('class = "a.B"\n', "workers is missing"),
        ("workers = 2\n", "class is missing"),
        ('class = "a.B"\nworker = 2\n', "worker is not a key; close: 'workers'"),
        ('class = "a.B"\nworkers = 0\n', "workers: 0 is not a whole number of at least 1"),
        ('class = "B"\nworkers = 2\n', 'class: "B" is not the name of a class with its module'),
        ('class = "a.B"\nworkers = 2\noptions = 3\n', "options: 3 is not a table"),
        ('class = "a.B"\nworkers = 2\nwait_seconds = 0\n', "wait_seconds: 0 is not a number above 0"),
    ],
)
def test_a_file_that_describes_no_cluster_is_refused_with_the_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RecbenchError, match=re.escape(problem)):
        Recipe.load(write(tmp_path, text))


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(RecbenchError, match=r"there is no file 'nowhere\.toml'"):
        Address.parse("nowhere.toml")


@pytest.mark.parametrize(
    ("target", "problem", "fix"),
    [
        ("no_such_thing.Cluster", "cannot be imported: ModuleNotFoundError", "pip install no-such-thing, or"),
        ("json.Cluster", "cannot be imported: AttributeError", "or correct the name"),
        ("json.JSONDecoder", "is not a cluster class of Dask's kind", "name one that has them"),
        ("clusters_by_hand.Refuses", "could not be started with the options in .*: ValueError: no such", "correct"),
    ],
)
def test_a_class_that_makes_no_cluster_is_refused_with_what_to_do(
    target: str, problem: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = "def __init__(self, **_):\n  raise ValueError('no such\\n partition')"
    body = "\n ".join((refuses.replace("\n", "\n "), "scale = close = scheduler_address = None"))
    (tmp_path / "clusters_by_hand.py").write_text(f"class Refuses:\n {body}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    recipe = Recipe.load(write(tmp_path, f'class = "{target}"\nworkers = 1\n'))
    with pytest.raises(RecbenchError, match=problem) as caught:
        recipe.make()
    assert fix in caught.value.fix
