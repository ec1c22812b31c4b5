"""What `recbench new` writes: it installs, is found, keeps the rules and runs as it comes, and spoils nothing."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recbench import scaffold
from recbench.cli import cli
from recbench.distribution import distribution
from recbench.errors import RecbenchError
from recbench.scaffold.naming import LONGEST
from recbench.scaffold.rendering import Request, render

TEMPLATES = Path(scaffold.__file__).parent / "templates"
FRAMEWORKS = {"torch": "torch", "tensorflow": "tensorflow"}

# Name of the variant: what `recbench new` is asked for.
LIGHT = {
    "x-ranker": ("algorithm",),
    "x-rating": ("algorithm", "--kind", "rating"),
    "x-ranker-sklearn": ("algorithm", "--framework", "sklearn"),
    "x-rating-sklearn": ("algorithm", "--kind", "rating", "--framework", "sklearn"),
    "x-metric": ("metric",),
    "x-source": ("source",),
    "x-protocol": ("protocol",),
}
HEAVY = {
    f"x-{kind}-{framework}": ("algorithm", "--kind", kind, "--framework", framework)
    for kind in ("ranker", "rating")
    for framework in FRAMEWORKS
}
ALGORITHMS = tuple(name for name, (kind, *_) in LIGHT.items() if kind == "algorithm")

Run = Callable[..., subprocess.CompletedProcess[str]]


def write(name: str, into: Path, *options: str) -> Path:
    """Write a distribution by the command, and give its folder."""
    kind, *more = options
    done = CliRunner().invoke(cli, ["new", kind, name, "--into", str(into), *more], catch_exceptions=False)
    assert done.exit_code == 0
    return into / name


def install(folders: Sequence[Path], target: Path) -> None:
    """Build and install, without an index."""
    quiet = ["-q", "--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, "--target", target, *folders], check=True)


def runner(target: Path, home: Path) -> Run:
    """Runs Python with what is installed in `target`."""
    environment = {**os.environ, "PYTHONPATH": str(target), "HOME": str(home), "COLUMNS": "200"}

    def run(*arguments: str, cwd: Path = home) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-P", "-m", *arguments]
        return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)

    return run


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each variant that needs no framework."""
    into = tmp_path_factory.mktemp("written")
    return {name: write(name, into, *options) for name, options in LIGHT.items()}


@pytest.fixture(scope="module")
def run(written: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs Python where all of them are installed."""
    target = tmp_path_factory.mktemp("target")
    install(list(written.values()), target)
    return runner(target, tmp_path_factory.mktemp("home"))


def request_for(name: str, options: Sequence[str]) -> Request:
    """The request that the command would make."""
    given: dict[str, Any] = dict(zip(options[1::2], options[2::2], strict=True))
    return Request(
        name=name,
        kind=options[0],  # type: ignore[arg-type]
        author="A. Author",
        year=2026,
        suite="recbench-suite",
        version="0.1.0",
        answers=given.get("--kind", "ranker"),
        framework=given.get("--framework", "none"),
    )


# As it comes


def test_everything_is_on_offer_once_installed(run: Run) -> None:
    shown = run("recbench", "list").stdout
    assert "broken" not in shown
    for name in LIGHT:
        assert f"\n  {name} " in shown


def test_algorithms_run_on_the_data_set_that_was_written_beside_them(run: Run, tmp_path: Path) -> None:
    asked = [argument for name in ALGORITHMS for argument in ("-a", name)]
    done = run("recbench", "run", "-p", "x-source", *asked, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert all(f"  {name} " in done.stdout for name in ALGORITHMS)


def test_the_protocol_runs(run: Run, tmp_path: Path) -> None:
    done = run("recbench", "run", "-p", "x-protocol", "-a", "popularity", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr


def test_the_metric_can_be_asked_for_in_a_protocol(run: Run, written: dict[str, Path], tmp_path: Path) -> None:
    text = (written["x-source"] / "x_source" / "x-source.toml").read_text()
    protocol = tmp_path / "mine.toml"
    protocol.write_text(text.replace('name = "x-source"', 'name = "mine"').replace('"recall"', '"x-metric"'))
    done = run("recbench", "run", "-p", str(protocol), "-a", "popularity", "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert "x-metric@5" in done.stdout


@pytest.mark.parametrize("name", ["x-metric", "x-source", "x-protocol"])
def test_the_tests_that_are_written_pass(run: Run, written: dict[str, Path], name: str) -> None:
    done = run("pytest", "-q", "-p", "no:cacheprovider", cwd=written[name])
    assert done.returncode == 0, done.stdout


def test_the_tests_of_an_algorithm_are_the_conformance_kit(run: Run, written: dict[str, Path]) -> None:
    done = run("pytest", "-v", "-p", "no:cacheprovider", "-k", "shapes or one-user", cwd=written["x-ranker"])
    assert done.returncode == 0, done.stdout
    assert "[shapes-and-types-are-right] PASSED" in done.stdout
    assert "[copes-with-one-user] PASSED" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ALGORITHMS)
def test_an_algorithm_keeps_every_rule(run: Run, name: str) -> None:
    done = run("recbench", "check", name)
    assert done.returncode == 0, done.stdout + done.stderr


OF_FRAMEWORKS = (
    "one-seed-gives-the-same-bytes",
    "size-of-the-block-does-not-matter",
    "global-state-is-left-alone",
    "importing-is-cheap",
    "nothing-is-printed",
    "no-file-is-left",
    "learns-a-checkerboard",
    "wrong-parameters-are-refused",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY)
def test_an_algorithm_in_a_framework_runs_and_keeps_the_rules_that_frameworks_break(name: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(HEAVY[name][-1]) is None:
        pytest.skip(f"{HEAVY[name][-1]} is not installed")
    install([write(name, tmp_path, *HEAVY[name]), write("x-source", tmp_path, "source")], tmp_path / "target")
    run = runner(tmp_path / "target", tmp_path)
    done = run("recbench", "run", "-p", "x-source", "-a", name, "-o", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    rules = [word for rule in OF_FRAMEWORKS for word in ("--rule", rule)]
    done = run("recbench", "check", name, *rules)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["q", "my-algorithm", "a" * LONGEST, "-".join(["ab"] * 13)])
def test_what_is_written_is_formatted_and_free_of_findings(name: str, tmp_path: Path) -> None:
    for variant, options in {**LIGHT, **HEAVY}.items():
        for path, text in render(request_for(name, options)).items():
            place = tmp_path / variant / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
    for command in (("check",), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("variant", [*LIGHT, *HEAVY])
def test_every_function_that_is_written_is_typed(variant: str) -> None:
    functions = [
        node
        for path, text in render(request_for("my-own", {**LIGHT, **HEAVY}[variant])).items()
        if path.suffix == ".py"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef)
    ]
    assert functions
    for function in functions:
        arguments = [*function.args.args, *function.args.kwonlyargs]
        assert function.returns is not None
        assert all(argument.annotation or argument.arg == "self" for argument in arguments)


@pytest.mark.slow
def test_mypy_finds_nothing_in_what_is_written(tmp_path: Path) -> None:
    for name, options in {**LIGHT, **HEAVY}.items():
        write(name, tmp_path, *options)
    code = [str(path) for pattern in ("*/x_*.py", "*/x_*/", "*/tests/") for path in tmp_path.glob(pattern)]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--ignore-missing-imports",
            "--follow-imports=silent",
            "--check-untyped-defs",
            *code,
        ],
        env={**os.environ, "MYPYPATH": str(Path(scaffold.__file__).parents[2])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("variant", HEAVY)
def test_a_framework_is_imported_by_the_model_alone(variant: str) -> None:
    files = render(request_for("my-own", HEAVY[variant]))
    framework = HEAVY[variant][-1]
    importing = {str(path) for path, text in files.items() if f"import {framework}" in text}
    assert importing == {"my_own/model.py"}
    assert f'requires=("{framework}",)' in next(text for path, text in files.items() if path.name == "__init__.py")


def test_every_template_is_of_use() -> None:
    used = {path.name for options in (*LIGHT.values(), *HEAVY.values()) for path in render(request_for("x", options))}
    names = {path.name.removesuffix(".template") for path in TEMPLATES.rglob("*") if path.is_file()}
    assert {name.replace("dot_", ".").replace("MODULE", "x").replace("NAME", "x") for name in names} == used


# What it says


def test_it_depends_on_recbench_by_the_name_and_version_that_is_installed(tmp_path: Path) -> None:
    project = tomllib.loads((write("mine", tmp_path, "algorithm") / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [f"{distribution().name}>={distribution().version}"]
    assert project["entry-points"] == {"recbench": {"mine": "mine"}}


def test_a_version_between_releases_is_a_bound_that_pip_takes() -> None:
    request = Request(
        name="mine", kind="metric", author="A", year=2026, suite="recbench-suite", version="0.2.0.dev1+gabc"
    )
    text = {str(path): text for path, text in render(request).items()}["pyproject.toml"]
    assert tomllib.loads(text)["project"]["dependencies"] == ["recbench-suite>=0.2.0.dev1"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_framework_comes_by_the_extra_that_recbench_has_for_it(framework: str, tmp_path: Path) -> None:
    folder = write("mine", tmp_path, "algorithm", "--framework", framework)
    (found,) = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["dependencies"]
    assert found.startswith(f"{distribution().name}[{framework}]>=")
    assert framework in (distribution().metadata.get_all("Provides-Extra") or [])


@pytest.mark.parametrize("author", ['Zoë "Z" O\'Neill', "back\\slash $name", "two\nlines"])
def test_an_author_may_have_any_name(author: str, tmp_path: Path) -> None:
    folder = write("mine", tmp_path, "metric", "--author", author)
    (found,) = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["authors"]
    assert found["name"] == " ".join(author.split())
    assert f" {found['name']}\n" in (folder / "LICENSE").read_text()


def test_the_author_is_whom_git_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").write_text("[user]\n  name = Ada Lovelace\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    assert "Ada Lovelace" in (write("mine", tmp_path, "metric") / "LICENSE").read_text()


def test_without_git_the_authors_go_by_the_name_of_what_they_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "The authors of mine" in (write("mine", tmp_path, "metric") / "LICENSE").read_text()


def test_the_end_says_what_to_do_next(tmp_path: Path) -> None:
    into = tmp_path / "with blank"
    done = CliRunner().invoke(cli, ["new", "algorithm", "mine", "-o", str(into)])
    assert done.output.split("Next:\n")[1].splitlines() == [
        f"  cd '{into / 'mine'}' && pip install -e '.[test]'",
        "  recbench check mine",
        "  recbench run -a mine -a popularity",
    ]


# What it refuses


def refused(*arguments: str) -> RecbenchError:
    """The error that `recbench new` ends with."""
    with pytest.raises(RecbenchError) as caught:
        CliRunner().invoke(cli, ["new", *arguments], catch_exceptions=False)
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("My-algo", "cannot be the name of a package"),
        ("my_algo", "cannot be the name of a package"),
        ("my--algo", "cannot be the name of a package"),
        ("-algo", "cannot be the name of a package"),
        ("algo-", "cannot be the name of a package"),
        ("2fast", "cannot be the name of a package"),
        ("", "cannot be the name of a package"),
        ("algo\n", "cannot be the name of a package"),
        ("../algo", "cannot be the name of a package"),
        ("a" * (LONGEST + 1), "cannot be the name of a package"),
        ("class", "a word of Python's own"),
        ("tests", "means something to Python's tools"),
        ("dataset", "is in use in the code"),
        ("json", "a module called 'json' can be imported already"),
        ("recbench-mlp", "a module called 'recbench_mlp' can be imported already"),
        ("scikit-learn", "a package called 'scikit-learn' is installed already"),
    ],
)
def test_a_name_that_would_not_work_is_refused_and_nothing_is_written(name: str, what: str, tmp_path: Path) -> None:
    assert what in refused("algorithm", "--into", str(tmp_path), "--", name).what
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "name", "what"),
    [
        ("algorithm", "random", "an algorithm called 'random' is on offer already"),
        ("metric", "ndcg", "a metric called 'ndcg' is on offer already"),
        ("source", "ml-1m", "a source called 'ml-1m' is on offer already"),
        ("source", "movielens-1m", "a source called 'movielens-1m' is on offer already"),
        ("protocol", "table32", "a protocol called 'table32' is on offer already"),
    ],
)
def test_a_name_that_is_on_offer_is_refused(kind: str, name: str, what: str, tmp_path: Path) -> None:
    error = refused(kind, name, "--into", str(tmp_path))
    assert error.what == what
    assert error.fix == f"take another name, such as 'my-{name}'"


def test_a_name_may_be_taken_by_another_kind(tmp_path: Path) -> None:
    assert write("ndcg", tmp_path, "algorithm").is_dir()


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    error = refused("metric", "mine", "--into", str(tmp_path))
    assert "exists already, and nothing was written" in error.what
    assert "--force" in error.fix
    assert list((tmp_path / "mine").iterdir()) == []


def test_force_writes_over_its_own_files_and_no_others(tmp_path: Path) -> None:
    folder = write("mine", tmp_path, "metric")
    before = (folder / "mine.py").read_text()
    (folder / "mine.py").write_text("spoilt")
    (folder / "notes.txt").write_text("kept")
    write("mine", tmp_path, "metric", "--force")
    assert (folder / "mine.py").read_text() == before
    assert (folder / "notes.txt").read_text() == "kept"


def test_what_is_installed_from_the_folder_itself_can_be_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write("installed-from-here", tmp_path, "metric")
    monkeypatch.syspath_prepend(folder)
    assert write("installed-from-here", tmp_path, "metric", "--force") == folder
    error = refused("metric", "installed-from-here", "--into", str(tmp_path / "elsewhere"))
    assert "can be imported already" in error.what


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    error = refused("metric", "mine", "--into", str(tmp_path / "file" / "below"))
    assert "Not a directory" in error.what
    assert "--into" in error.fix


def test_a_folder_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "mine" / "LICENSE").mkdir(parents=True)
    assert "LICENSE: Is a directory" in refused("metric", "mine", "--into", str(tmp_path), "--force").what


def test_numpy_and_scikit_learn_come_with_recbench() -> None:
    needed = {requirement.split(">")[0] for requirement in importlib.metadata.requires(distribution().name) or ()}
    assert {"numpy", "scikit-learn"} <= needed
