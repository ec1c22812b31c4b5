"""Plugins in real distributions: each fault has its line in `recbench list plugins`, and harms nobody else."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest
from distributions_by_hand import Distribution, build_project, build_wheel, install, offers, write

from recbench.cli import cli
from recbench.collecting import load
from recbench.installed import Broken, Plugin, find

TESTS = Path(__file__).parent
BUILT_IN = ("recbench", "baselines", "clusters", "factors", "linear", "mlp", "neighbors", "qlearning")
LONG = "the weights could not be found, " + "since the folder that they should lie in is not there, " * 6 + "at last."
HOOK = "from recbench.api import Algorithm, hookimpl\n\n@hookimpl\ndef recbench_algorithms():\n"
WATCHED = 'import os, pathlib\npathlib.Path(os.environ["IMPORTED"], __name__).touch()\n'
EVIL_NUMPY = {"evil_folder/json.py": "raise RuntimeError('somebody else got the wrong module')"}


def by_hook(*lines: str) -> str:
    return HOOK + "".join(f"    {line}\n" for line in lines)


def calm(name: str, before: str = "", **more: str) -> Distribution:
    """A distribution that offers one algorithm, after the lines `before`."""
    return Distribution(name=name, code=before + offers(name, f"{name}-item"), **more)


def naming(name: str) -> str:
    return by_hook(f"yield Algorithm(name={name!r}, target='a:B')")


# A name, what its module does, and what `recbench list plugins` must say.
FAULTS = (
    ("faulty-import", "import no_such_module", "broken: ModuleNotFoundError: No module named 'no_such_module'"),
    ("faulty-raise", f"raise RuntimeError({LONG!r})", f"broken: RuntimeError: {LONG}"),
    ("faulty-syntax", "def (", "broken: SyntaxError: invalid syntax (faulty_syntax.py, line 1)"),
    ("faulty-exit", "import sys; sys.exit('bye')", "broken: SystemExit: bye"),
    ("faulty-base", "class Odd(BaseException): pass\nraise Odd('deep')", "broken: Odd: deep"),
    ("faulty-silent", "raise ValueError", "broken: ValueError"),
    (
        "faulty-message",
        "class Mute(Exception):\n    def __str__(self): raise KeyError('no')\nraise Mute",
        "broken: Mute: its message cannot be made: KeyError",
    ),
    (
        "rubbish-dict",
        by_hook("yield {'name': 'x'}"),
        "broken: TypeError: a hook gave {'name': 'x'}, which is not a recbench.api.Algorithm",
    ),
    ("rubbish-number", by_hook("return 7"), "broken: TypeError: 'int' object is not iterable"),
    (
        "rubbish-repr",
        by_hook("class Odd:", "    __repr__ = None", "yield Odd()"),
        "broken: TypeError: a hook gave <Odd",
    ),
    (
        "rubbish-halfway",
        by_hook("yield Algorithm(name='half', target='a:B')", "raise OSError('then no more')"),
        "broken: OSError: then no more",
    ),
    (
        "rubbish-endless",
        by_hook("while True: yield Algorithm(name='again', target='a:B')"),
        "broken: ValueError: a hook gives more than 10,000 offers: does it ever end?",
    ),
    ("rubbish-twice", naming("same") + "    yield Algorithm(name='same', target='a:C')", "broken: it offers two"),
    ("rubbish-name", naming("\x1b[31mred"), "broken: ValueError: '\\x1b[31mred' is not a name: 1 to 64 printable"),
    (
        "misspelt-hook",
        "from recbench.api import hookimpl\n@hookimpl\ndef recbench_algorithm(): return ()",
        "broken: PluginValidationError: unknown hook 'recbench_algorithm'",
    ),
    ("shadow", offers("shadow", "popularity"), "broken: the name 'popularity' (algorithms) is taken by recbench-suite"),
    ("quiet", "", "offers nothing"),
    ("api-new", "RECBENCH_API = 2", "broken: asks for API 2, this recbench has 1: pip install -U recbench-suite"),
    (
        "api-old",
        "RECBENCH_API = 0",
        "broken: asks for API 0, the oldest that this recbench has is 1: pip install -U api-old",
    ),
    ("api-text", "RECBENCH_API = '1'", "broken: RECBENCH_API is '1', and must be an integer, as in RECBENCH_API = 1"),
    ("api-bool", "RECBENCH_API = True", "broken: RECBENCH_API is True, and must be an integer"),
    (
        "api-name",
        "from recbench.api import NotYet",
        "it may ask for an API newer than 1: pip install -U recbench-suite",
    ),
)
POINTS = (
    ("point-garbage", "[recbench]\npoint-garbage = not a module!!\n", "is 'not a module!!', which is no module: write"),
    ("point-object", "[recbench]\npoint-object = point_object:plugin\n", "write point-object = 'point_object'"),
    ("point-empty", "[recbench]\npoint-empty =\n", "broken: its entry point is '', which is no module"),
    ("point-gone", "[recbench]\npoint-gone = nowhere_to_be_found\n", "broken: ModuleNotFoundError: No module named"),
)
WELL = (
    (calm("api-now", "RECBENCH_API = 1\n"), "1 algorithm"),
    (
        calm("loud", "print('hello'); import sys; sys.stdout.write('there')\n"),
        "1 algorithm; prints when it is imported",
    ),
    (calm("closing", "import sys; sys.stdout.close()\n"), "1 algorithm"),
    (
        calm(
            "a-pathfinder",
            "import os, sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'evil_folder'))\n"
            "sys.path.remove(os.path.dirname(__file__))\n",
            files=EVIL_NUMPY,
        ),
        "1 algorithm; changes sys.path when it is imported",
    ),
    (calm("b-importer", "import sys\nsys.modules.pop('json', None)\nimport json\njson.dumps(1)\n"), "1 algorithm"),
    (calm("path-swapper", "import sys\nsys.path = ['/nowhere']\n"), "1 algorithm; changes sys.path"),
    (calm("walker", "import os; os.chdir('/')\n"), "1 algorithm; changes the working folder when it is imported"),
    (calm("slow", "import time; time.sleep(1.5)\n"), "1 algorithm"),
    (calm("UPPER_case"), "1 algorithm"),
)
DAMAGED = (
    (calm("no-name", metadata="Metadata-Version: 2.1\nVersion: 1\n"), "its metadata gives no name and version"),
    (
        calm("no-version", metadata="Metadata-Version: 2.1\nName: no-version\n"),
        "its metadata gives no name and version",
    ),
    (calm("no-metadata", metadata=None), "its metadata gives no name and version"),
    (calm("odd-name", metadata="Name: odd\x1b[31m\nVersion: 1\n"), "its metadata gives no name and version"),
    (calm("points-bytes", points=b"[recbench]\nx = \xff\xfe\n"), "entry_points.txt cannot be read: UnicodeDecodeError"),
    (calm("points-lines", points="[recbench]\nno equals sign\n"), "entry_points.txt cannot be read:"),
    (calm("points-name", points="[recbench]\n\x1b[2Jcls = points_name\n"), "name of its entry point, '\\x1b[2Jcls',"),
    (calm("direct-url", files={"info/direct_url.json": "[{"}), "1 algorithm"),
)
BYSTANDER = calm("bystander", metadata=None, points="[console_scripts]\nbystander = recbench_of_old:main\n")


@pytest.fixture(scope="session")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which pip installed all of the above at once, and in which some more lie about by hand."""
    folder, wheels = tmp_path_factory.mktemp("crowd"), tmp_path_factory.mktemp("wheels")
    project = shutil.copytree(
        TESTS / "thirdparty", wheels / "project", ignore=shutil.ignore_patterns("build", "*.egg*")
    )
    wanted = [Distribution(name=name, code=code) for name, code, _ in FAULTS]
    wanted += [Distribution(name=name, code="", points=points) for name, points, _ in POINTS]
    wanted += [each for each, _ in WELL]
    install([build_project(project, wheels), *(build_wheel(each, wheels) for each in wanted)], folder)
    for each in (*(each for each, _ in DAMAGED), BYSTANDER):
        write(each, folder)
    return folder


def recbench(*words: str, path: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command with `path` before all else, 80 columns wide, outside the clone."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "recbench", *words],
        env={**os.environ, "PYTHONPATH": str(path), "COLUMNS": "80", **environment},
        cwd=str(path).partition(os.pathsep)[0],
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="session")
def listing(crowd: Path) -> str:
    """What `recbench list plugins` prints of the crowd."""
    done = recbench("list", "plugins", path=crowd)
    assert done.stderr == ""
    assert done.returncode == 0
    return done.stdout


def told(listing: str, distribution: str) -> str:
    """What a listing says of a distribution, in one line; what did not fit into its line stands six blanks deep."""
    blocks = re.split(r"\n  (?! {3})", listing)
    (block,) = (block for block in blocks if re.search(rf"(^| ){re.escape(distribution)}( |$)", block.split("\n")[0]))
    return " ".join(block.split())


@pytest.mark.parametrize(
    ("distribution", "expected"),
    [
        *((f"{name} 1.0", expected) for name, _, expected in FAULTS),
        *((f"{name} 1.0", expected) for name, _, expected in POINTS),
        *((f"{each.name} 1.0", expected) for each, expected in WELL),
    ],
)
def test_what_pip_installs_has_its_line(listing: str, distribution: str, expected: str) -> None:
    assert expected in told(listing, distribution)


@pytest.mark.parametrize(("distribution", "expected"), [(each.info, expected) for each, expected in DAMAGED[:5]])
def test_a_distribution_whose_metadata_is_damaged_goes_by_its_folder(
    listing: str, distribution: str, expected: str
) -> None:
    assert expected in told(listing, distribution.replace("points_bytes-1.0.dist-info", "points-bytes 1.0"))


@pytest.mark.parametrize(("name", "expected"), [(each.name, expected) for each, expected in DAMAGED[5:]])
def test_a_distribution_whose_other_files_are_damaged_goes_by_its_name(listing: str, name: str, expected: str) -> None:
    assert expected in told(listing, f"{name} 1.0")


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_stays_on_offer_beside_them(listing: str, name: str) -> None:
    assert "broken" not in told(listing.replace(f"  {name} ", f"  {name}|", 1), f"{name}|")


def test_an_outside_wheel_is_listed(listing: str) -> None:
    assert told(listing, "thirdparty-recommender 1.2") == "thirdparty thirdparty-recommender 1.2 1 algorithm"


def test_what_an_outside_wheel_offers_is_attributed_to_it(crowd: Path) -> None:
    code = (
        "from recbench.registry import discover; o = discover().algorithms['oldest'];"
        "print(o.plugin.distribution, o.plugin.version, o.plugin.is_pinned)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(crowd)}, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == ["thirdparty-recommender", "1.2", "True"]


def test_damaged_distributions_that_offer_nothing_to_recbench_are_no_affair_of_ours(listing: str) -> None:
    assert "bystander" not in listing


def test_the_listing_fits_the_terminal_and_moves_no_cursor(listing: str) -> None:
    assert max(map(len, listing.splitlines())) <= 80
    assert all(char.isprintable() or char == "\n" for char in listing)


def test_what_a_plugin_prints_stays_out_of_the_output_of_a_command(crowd: Path) -> None:
    done = recbench("run", "--dry-run", "-a", "popularity", path=crowd)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"would run popularity  fold \d  seed \d\n", done.stdout)
    assert "Plugin faulty-exit is broken: SystemExit: bye\n" in done.stderr


def test_what_is_installed_beside_damaged_distributions_is_still_on_record(crowd: Path) -> None:
    code = "import json, recbench.provenance as p; print(json.dumps(p.machine()['packages']))"
    shown = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(crowd)}, capture_output=True, text=True, check=True
    )
    packages = json.loads(shown.stdout)
    assert packages["thirdparty-recommender"] == "1.2"
    assert "recbench-suite" in packages


def test_show_gives_the_traceback_from_the_plugins_own_code_on(crowd: Path) -> None:
    shown = recbench("show", "rubbish-halfway", path=crowd).stdout
    assert "broken  OSError: then no more" in shown
    first, *_ = re.findall(r'File "(.*)"', shown)
    assert Path(first) == crowd / "rubbish_halfway.py"
    assert "invalid syntax" in recbench("show", "faulty-syntax", path=crowd).stdout


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders, each with a distribution that offers `twin-item`; both write down that they were imported."""
    folders = []
    for name in ("beta-twin", "alpha-twin"):
        wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp(name)
        twin = Distribution(name=name, code=WATCHED + offers(name, "twin-item"))
        install([build_wheel(twin, wheels)], folder)
        folders.append(folder)
    return folders[0], folders[1]


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """The folder that plugins write down in that they were imported."""
    folder = tmp_path / "imported"
    folder.mkdir()
    return folder


def both(twins: tuple[Path, Path]) -> str:
    return os.pathsep.join(map(str, twins))


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_of_two_distributions_that_offer_one_name_the_first_by_name_has_it(
    twins: tuple[Path, Path], imported: Path
) -> None:
    for path in (both(twins), both(twins[::-1])):
        listing = recbench("list", "plugins", path=path, IMPORTED=str(imported)).stdout
        assert told(listing, "alpha-twin 1.0").endswith("1 algorithm")
        assert told(listing, "beta-twin 1.0").endswith(
            "broken: the name 'twin-item' (algorithms) is taken by alpha-twin 1.0, plugin 'alpha-twin': "
            "to have this one instead, --disable-plugin alpha-twin"
        )


@pytest.mark.parametrize("name", ["alpha-twin", "Alpha_Twin"])
def test_a_disabled_plugin_is_listed_and_not_imported(twins: tuple[Path, Path], imported: Path, name: str) -> None:
    done = recbench("list", "plugins", "--disable-plugin", name, path=both(twins), IMPORTED=str(imported))
    assert told(done.stdout, "alpha-twin 1.0").endswith("disabled by --disable-plugin")
    assert told(done.stdout, "beta-twin 1.0").endswith("1 algorithm")
    assert names_in(imported) == {"beta_twin"}


def test_the_environment_disables_plugins_and_warns_of_names_it_does_not_know(
    twins: tuple[Path, Path], imported: Path
) -> None:
    done = recbench(
        *("list", "plugins"),
        path=both(twins),
        IMPORTED=str(imported),
        RECBENCH_DISABLE_PLUGINS=" alpha-twin, beta-twinn,recbench-suite,",
    )
    assert done.returncode == 0
    assert told(done.stdout, "alpha-twin 1.0").endswith("disabled by RECBENCH_DISABLE_PLUGINS")
    assert told(done.stdout, "beta-twin 1.0").endswith("1 algorithm")
    assert "mlp         recbench-suite 0.1.0  disabled by" in done.stdout
    warning = "Warning: RECBENCH_DISABLE_PLUGINS: 'beta-twinn' is not the name of a plugin; close: 'beta-twin'"
    assert done.stderr.startswith(warning)
    assert names_in(imported) == {"beta_twin"}


def test_disabling_a_plugin_that_is_not_there_is_an_error_with_the_close_names(
    twins: tuple[Path, Path], imported: Path
) -> None:
    done = recbench("list", "--disable-plugin", "beta-twinn", path=both(twins), IMPORTED=str(imported))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: 'beta-twinn' is not the name of a plugin; close: 'beta-twin'")
    assert names_in(imported) == set()


@pytest.mark.parametrize("words", [("run", "-a", "twin-item", "--dry-run"), ("check", "twin-item")])
def test_what_a_disabled_plugin_offers_cannot_be_asked_for(
    twins: tuple[Path, Path], imported: Path, words: tuple[str, ...]
) -> None:
    disabled = ("--disable-plugin", "alpha-twin", "--disable-plugin", "beta-twin")
    done = recbench(*words, *disabled, path=both(twins), IMPORTED=str(imported))
    assert done.returncode == 1
    assert "'twin-item' is not the name of an algorithm" in done.stderr
    assert names_in(imported) == set()


def commands(group: click.Group) -> list[click.Command]:
    found: list[click.Command] = []
    for each in group.commands.values():
        found += commands(each) if isinstance(each, click.Group) else [each]
    return found


def test_every_command_that_takes_plugins_can_disable_some() -> None:
    takers = [each for each in commands(cli) if "plugins" in {option.name for option in each.params}]
    assert {"run", "check", "list", "show", "tune"} <= {each.name for each in takers}
    assert [each.name for each in takers if "disable_plugin" not in {option.name for option in each.params}] == []


PROTOCOL = """
name = "tiny"
title = "Tiny"
[data]
train = { path = "train.txt", format = "adjacency" }
test = { path = "test.txt", format = "adjacency" }
[split]
kind = "provided"
[evaluation]
primary = "recall@2"
cutoffs = [2]
metrics = ["recall"]
[trials]
algorithms = ["popularity"]
"""


def test_records_outlive_their_plugin_and_a_run_says_that_it_is_gone(crowd: Path, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("".join(f"{user} {user % 5} {5 + user % 3} 9\n" for user in range(20)))
    (tmp_path / "test.txt").write_text("".join(f"{user} {(user + 1) % 5}\n" for user in range(20)))
    (tmp_path / "tiny.toml").write_text(PROTOCOL)
    protocol, out = ("-p", str(tmp_path / "tiny.toml")), str(tmp_path / "out")
    done = recbench("run", *protocol, "-a", "oldest", "-o", out, path=crowd)
    assert done.returncode == 0, done.stderr
    (board,) = Path(out).glob("tiny*.md")
    before = board.read_bytes()
    assert b"oldest" in before

    rendered = recbench("render", out, path=tmp_path)
    assert rendered.returncode == 0, rendered.stderr
    assert board.read_bytes() == before
    gone = recbench("run", *protocol, "-a", "oldest", "-o", out, path=tmp_path)
    assert gone.returncode == 1
    assert gone.stderr.startswith("Error: 'oldest' is not the name of an algorithm")
    assert "install the package that offers it" in gone.stderr
    close = recbench("run", *protocol, "-a", "populraity", "-o", out, path=tmp_path)
    assert "close: 'popularity'" in close.stderr


def test_an_interrupt_passes_and_names_the_plugin_that_was_being_imported(tmp_path: Path) -> None:
    write(Distribution(name="endless", code="raise KeyboardInterrupt"), tmp_path)
    done = recbench("list", path=tmp_path)
    assert done.returncode == 130
    assert "Plugin 'endless' was being imported; --disable-plugin endless leaves it out." in done.stderr
    assert "Interrupted." in done.stderr
    assert recbench("list", "--disable-plugin", "endless", path=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("folder", "files", "is_editable"),
    [
        ("thing-1.0.dist-info", {}, False),
        ("thing-1.0.dist-info", {"direct_url.json": '{"url": "file:///x", "dir_info": {}}'}, False),
        ("thing-1.0.dist-info", {"direct_url.json": '{"dir_info": {"editable": true}}'}, True),
        ("thing-1.0.dist-info", {"direct_url.json": '["what"]'}, True),
        ("thing.egg-info", {"SOURCES.txt": "thing.py"}, True),
        ("thing.egg-info", {"SOURCES.txt": "thing.py", "installed-files.txt": "thing.py"}, False),
    ],
)
def test_code_counts_as_editable_where_its_version_does_not_pin_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, files: dict[str, str], is_editable: bool
) -> None:
    (tmp_path / folder).mkdir()
    metadata = {"METADATA" if folder.endswith("dist-info") else "PKG-INFO": "Name: thing\nVersion: 1.0\n"}
    for name, text in {**metadata, "entry_points.txt": "[recbench]\nthing = thing\n", **files}.items():
        (tmp_path / folder / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    (found,) = (each for each in find() if isinstance(each, Plugin) and each.name == "thing")
    assert found.editable is is_editable


def test_of_two_copies_of_a_distribution_the_one_that_is_imported_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write(Distribution(name="copied", code="", version="1.0", points="[recbench]\nold = copied\n"), first)
    write(Distribution(name="copied", code="", version="2.0", points="[recbench]\nnew = copied\n"), second)
    monkeypatch.setattr(sys, "path", [str(first), str(second), *sys.path])
    found = [each for each in find() if isinstance(each, Plugin) and each.distribution == "copied"]
    assert [(each.name, each.version) for each in found] == [("old", "1.0")]


def bench_discovery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_discovery", TESTS.parent / "benchmarks" / "bench_discovery.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_500_plugins_are_found_and_loaded_for_less_than_five_times_what_bare_imports_take() -> None:
    bench: Any = bench_discovery()
    found = bench.compare(500, 3)
    assert {n for n, _, _ in found["recbench"]} == {n for n, _, _ in found["bare"]}
    assert found["recbench"][0][0] > 500
    ours, bare = (min(cpu for _, _, cpu in found[way]) for way in ("recbench", "bare"))
    assert ours < 5 * bare


def test_the_file_of_a_broken_single_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "sole.py").write_text("RECBENCH_API = 0")
    broken = load(
        Plugin(
            name=str(tmp_path / "sole.py"),
            module="sole",
            distribution="sole.py",
            version="file",
            file=tmp_path / "sole.py",
        )
    )
    sys.modules.pop("sole")
    assert isinstance(broken, Broken)
    assert broken.reason.endswith("is 1: bring the file up to date")
