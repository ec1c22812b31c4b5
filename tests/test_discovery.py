"""Plugins in real distributions: each fault has its line in `recbench list plugins`, and harms nobody else."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from distributions_by_hand import Distribution, build_project, build_wheel, install, offers, write

from recbench.cli import cli
from recbench.collecting import load
from recbench.installed import Plugin

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
    ("api-old", "RECBENCH_API = 0", "broken: asks for API 0, this recbench has 1 to 1: pip install -U api-old"),
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
    """What a listing says of a distribution, its lines joined: a line of its own begins where the last one ended."""
    blocks = re.split(r"\n  (?=\S)", listing)
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


def test_damaged_distributions_that_offer_nothing_to_recbench_are_no_affair_of_ours(listing: str) -> None:
    assert "bystander" not in listing


def test_the_listing_fits_the_terminal_and_moves_no_cursor(listing: str) -> None:
    assert max(map(len, listing.splitlines())) <= 80
    assert all(char.isprintable() or char == "\n" for char in listing)
