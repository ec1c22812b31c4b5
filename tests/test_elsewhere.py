"""`--python PLUGIN=PATH`: a plugin's algorithms run under another interpreter, and records say which."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from test_run import RECBENCH, json_lines, write_adjacency

import recbench
from recbench import elsewhere
from recbench.api import Algorithm
from recbench.cli.offers import registry
from recbench.collecting import Loaded
from recbench.distribution import distribution
from recbench.elsewhere import DistantPlugin, Interpreter, how_to_install, join, lacking, parse
from recbench.errors import RecbenchError, UnknownName
from recbench.execution.runner import Bay
from recbench.execution.slot import Slot
from recbench.installed import Plugin
from recbench.protocols.loading import load
from recbench.registry import Broken, Offered, Registry
from recbench.trials import Selection, select

ROOT = Path(recbench.__file__).resolve().parent.parent
PLUGIN = """
import sys
import numpy as np
from recbench.api import Algorithm, hookimpl

class Tiny:
    def __init__(self, sign: int = 1) -> None:
        self.sign = sign
    def fit(self, train, *, seed):
        import only_there
        print("prefix", sys.prefix)
        print("leaked", [path for path in sys.path if "only-here" in path])
        self.counts = self.sign * np.bincount(train.interactions.item, minlength=train.n_items)
    def score(self, users):
        return np.broadcast_to(self.counts, (len(users), len(self.counts)))

@hookimpl
def recbench_algorithms():
    yield Algorithm(name="tiny", target="tiny_plugin:Tiny", deterministic=True)
    yield Algorithm(name="tiny-lacking", target="tiny_plugin:Tiny", requires=("no_such_module",))
"""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A virtual environment that has recbench and what this one has, and maybe a plugin."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        (found,) = (self.folder / "lib").glob("python*/site-packages")
        return found

    def install(self, version: str = "1.0", *, code: str = PLUGIN, name: str = "tiny-plugin") -> None:
        """What pip would leave behind."""
        module = name.replace("-", "_")
        info = self.packages / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[recbench]\ntiny = {module}\n")
        (self.packages / f"{module}.py").write_text(code)

    def run(self, *arguments: object, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """`recbench run` on the world in `cwd`, with this environment's interpreter."""
        return subprocess.run(
            [self.python, "-P", "-m", "recbench", "run", "-p", "mine.toml", "--json", *map(str, arguments)],
            cwd=cwd,
            env={**_without_paths(), "HOME": str(cwd), **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )


def _without_paths() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in elsewhere.ANOTHERS}


def environment(folder: Path, *, root: Path | None = ROOT) -> Environment:
    """Make one. `root`: where its recbench is imported from; None: it has none."""
    venv.EnvBuilder(symlinks=True).create(folder)
    made = Environment(folder=folder)
    if root is not None:
        shared = [path for path in sys.path if path.endswith("site-packages")]
        lines = [str(root), str(root / "plugins"), *shared]
        (made.packages / "shared.pth").write_text("\n".join(lines) + "\n")
    return made


def prefix_of(record: Mapping[str, Any]) -> str:
    return re.findall(r"^prefix (.*)$", record["output"], re.MULTILINE)[0]


def record(folder: Path, line: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / line["record"]).read_text())
    return found


def distant(name: str = "tiny", *, requires: tuple[str, ...] = (), components: tuple[str, ...] = ()) -> Loaded:
    """A plugin of another interpreter that offers one algorithm by its own name."""
    plugin = DistantPlugin(
        name=name,
        module=name,
        distribution=f"{name}-plugin",
        version="1.0",
        interpreter=Interpreter(path=Path("/there/bin/python"), machine={"python": "3.99"}),
        sources={},
        lacking={name: requires},
    )
    algorithm = Algorithm(
        name=name, target=f"{name}:It", requires=requires, components=components, parameters={"of": "popularity"}
    )
    return Loaded(plugin=plugin, algorithms=(algorithm,))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Loaded]:
    """What other interpreters say, by the name that is asked for."""
    said: dict[str, Loaded] = {}
    monkeypatch.setattr(elsewhere, "_survey", lambda name, path: (said[name],))
    return said


@pytest.mark.slow
def test_a_plugin_of_another_environment_runs_there_and_the_rest_here(tmp_path: Path) -> None:
    here, there = environment(tmp_path / "here"), environment(tmp_path / "there")
    there.install()
    (there.packages / "only_there.py").write_text("")
    (here.packages / "only-here").mkdir()
    (here.packages / "more.pth").write_text(f"{here.packages}/only-here\n")
    write_adjacency(tmp_path)
    arguments = ("-a", "tiny", "-a", "popularity")

    without = here.run(*arguments, cwd=tmp_path)
    assert without.returncode == 1
    assert "'tiny' is not the name of an algorithm" in without.stderr

    done = here.run(*arguments, "--python", f"tiny={there.python}", cwd=tmp_path)
    lines = {line["label"]: line for line in json_lines(done)}
    assert done.returncode == 0, done.stderr
    assert lines["tiny"]["scores"] == lines["popularity"]["scores"]
    tiny, popularity = (record(tmp_path, lines[label]) for label in ("tiny", "popularity"))
    assert prefix_of(tiny) == str(there.folder)
    assert "leaked []" in tiny["output"]
    assert tiny["provenance"]["packages"]["tiny-plugin"] == "1.0"
    assert "tiny-plugin" not in popularity["provenance"]["packages"]
    assert tiny["identity"]["algorithm"]["version"] == tiny["version"] == "1.0"
    board = (tmp_path / "recbench-out" / "mine.md").read_text()
    assert "$ recbench run -p mine.toml --python tiny=PATH -a popularity -a tiny\n" in board

    again = here.run(*arguments, "--python", f"tiny-plugin={there.python}", cwd=tmp_path)
    assert {line["record"] for line in json_lines(again)} == {line["record"] for line in lines.values()}
    assert record(tmp_path, lines["tiny"]) == tiny


@pytest.mark.slow
def test_the_other_environments_version_wins_and_a_protocol_can_ask_for_it(tmp_path: Path) -> None:
    here, there = environment(tmp_path / "here"), environment(tmp_path / "there")
    here.install("1.0", code="raise ImportError('needs an older NumPy')")
    there.install("2.0")
    (there.packages / "only_there.py").write_text("")
    write_adjacency(tmp_path)
    with (tmp_path / "mine.toml").open("a") as file:
        file.write("[python]\ntiny = './there/bin/python'\n[algorithms.tiny]\nsign = -1\n")
    done = here.run("-a", "tiny", "-a", "tiny-lacking", cwd=tmp_path, PYTHONPATH=str(tmp_path / "nowhere"))
    lines = {line["label"]: line for line in json_lines(done)}
    assert lines["tiny"]["status"] == "ok", done.stderr
    assert record(tmp_path, lines["tiny"])["version"] == "2.0"
    assert "broken" not in done.stderr
    assert lines["tiny-lacking"]["status"] == "unavailable"
    assert lines["tiny-lacking"]["reason"] == f"not installed: {there.python} -m pip install no_such_module"


@pytest.mark.slow
def test_an_interpreter_that_cannot_serve_is_an_error_before_anything_trains(tmp_path: Path) -> None:
    there, bare = environment(tmp_path / "there"), environment(tmp_path / "bare", root=None)
    there.install(code="raise ValueError('no good')")
    other = tmp_path / "copy"
    shutil.copytree(ROOT / "recbench", other / "recbench", ignore=shutil.ignore_patterns("__pycache__"))
    (other / "recbench" / "added.py").write_text("")
    info = other / "recbench_suite-0.1.0.dist-info"
    info.mkdir()
    own = distribution()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {own.name}\nVersion: {own.version}\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nrecbench = recbench.cli:main\n")
    changed = environment(tmp_path / "changed", root=other)
    known = registry()
    for name, python, what in (
        ("tiny", bare.python, "No module named"),
        ("tiny", there.python, "is broken under .*: ValueError: no good"),
        ("tinny", there.python, "'tinny' is not the name of a plugin; close: 'tiny'"),
        ("tiny", changed.python, "of other code than this one"),
    ):
        with pytest.raises(RecbenchError, match=what):
            join(known, {name: python})
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {own.name}\nVersion: 0.0.1\n")
    with pytest.raises(RecbenchError, match=re.escape(f"has recbench 0.0.1, and this is {own.version}")):
        join(known, {"tiny": changed.python})


def test_no_interpreter_is_an_error_that_names_the_plugin() -> None:
    with pytest.raises(RecbenchError, match="plugin 'tiny' is to run under '/no/such/python'"):
        join(Registry(), {"tiny": Path("/no/such/python")})


def test_a_program_that_is_no_interpreter_is_an_error() -> None:
    with pytest.raises(RecbenchError, match="cannot run trials") as caught:
        join(Registry(), {"tiny": Path("/bin/true")})
    assert "pip install" in caught.value.fix


def test_our_own_interpreter_serves_for_another_one() -> None:
    """The question and the answer are the same code, whichever environment they are in."""
    known = registry()
    joined = join(known, {"baselines": Path(sys.executable)})
    assert joined.algorithms.keys() == known.algorithms.keys()
    here, there = known.algorithm("popularity"), joined.algorithm("popularity")
    assert there.value == here.value
    assert isinstance(there.plugin, DistantPlugin)
    assert there.plugin.source_of(there.value.target) == here.plugin.source_of(here.value.target)
    assert not isinstance(joined.algorithm("ease").plugin, DistantPlugin)
    assert joined.metrics == known.metrics


@pytest.mark.parametrize("option", ["tiny", "=python", "tiny="])
def test_an_option_without_plugin_or_path_is_an_error(option: str) -> None:
    with pytest.raises(RecbenchError, match="names no interpreter"):
        parse((option,))
    assert parse(("a=b=c",)) == {"a": Path("b=c")}


def test_a_name_that_another_plugin_has_is_an_error(answers: dict[str, Loaded]) -> None:
    answers["tiny"] = replace(distant(), algorithms=(Algorithm(name="popularity", target="tiny:It"),))
    with pytest.raises(RecbenchError, match="'popularity' of 'tiny' has the name of one of 'baselines'") as caught:
        join(registry(), {"tiny": Path("python")})
    assert "--disable-plugin baselines" in caught.value.fix


def test_a_plugin_broken_here_does_not_count_when_it_runs_there(answers: dict[str, Loaded]) -> None:
    answers["tiny"] = distant()
    broken = Broken(plugin=Plugin(name="tiny", module="tiny", distribution="tiny-plugin", version="1.0"), reason="why")
    joined = join(Registry(plugins=(broken,)), {"tiny": Path("python")})
    assert joined.plugins == (answers["tiny"],)


def test_what_is_missing_there_is_installed_there(answers: dict[str, Loaded]) -> None:
    answers["tiny"] = distant(requires=("json_of_old",))
    offered = join(Registry(), {"tiny": Path("python")}).algorithm("tiny")
    assert lacking(offered) == ("json_of_old",)
    assert how_to_install(offered) == "/there/bin/python -m pip install json_of_old"


def test_components_must_run_where_the_algorithm_runs(tmp_path: Path, answers: dict[str, Loaded]) -> None:
    write_adjacency(tmp_path)
    protocol = load(tmp_path / "mine.toml", {})
    answers["tiny"] = distant(components=("of",))
    known = join(registry(), {"tiny": Path("python")})
    (row,) = select(protocol, known, Selection(wanted=("tiny",)))  # recbench's own plugins are there, too
    assert set(row.components) == {"popularity"}
    strange = Plugin(name="strange", module="strange", distribution="strange", version="1.0")
    popularity = Offered(value=known.algorithm("popularity").value, plugin=strange)
    with pytest.raises(RecbenchError, match="'tiny' builds 'popularity', which runs under another interpreter"):
        select(
            protocol,
            replace(known, algorithms={**known.algorithms, "popularity": popularity}),
            Selection(wanted=("tiny",)),
        )


def test_a_job_keeps_one_server_for_each_interpreter_and_its_frameworks() -> None:
    made = []

    def make(python: Path | None, frameworks: frozenset[str]) -> Slot:
        made.append((python, frameworks))
        return Slot(threads=1, sandbox=None, python=python, frameworks=sorted(frameworks))

    bay, other, none, one = Bay(make), Path("python"), frozenset[str](), frozenset({"torch"})
    assert bay.slot(None, none) is bay.slot(None, none)
    assert bay.slot(other, none) is bay.slot(other, none)
    assert bay.slot(other, none) is not bay.slot(None, none)
    assert bay.slot(None, one) is not bay.slot(None, none)
    assert made == [(None, none), (other, none), (None, one)]


def test_in_process_and_another_interpreter_exclude_each_other(tmp_path: Path) -> None:
    write_adjacency(tmp_path)
    done = subprocess.run(
        [*RECBENCH, "run", "-p", "mine.toml", "--in-process", "--python", f"baselines={sys.executable}"],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "not in this process" in done.stderr


def test_an_unknown_plugin_lists_those_that_are_there() -> None:
    with pytest.raises(UnknownName, match="close: 'baselines'"):
        join(registry(), {"baseline": Path(sys.executable)})
