"""The command line itself: what it imports, what it says, and that its pages agree with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from recbench import leaderboard
from recbench.cli import cli
from recbench.records import Store
from recbench.registry import discover

REPOSITORY = Path(__file__).resolve().parent.parent
README = (REPOSITORY / "README.md").read_text()
HEAVY = ("torch", "tensorflow", "keras", "numba", "sklearn", "pandas", "scipy")


def loaded_by(*arguments: str) -> set[str]:
    """The modules in memory after a command."""
    code = (
        "import sys\n"
        f"sys.argv = ['recbench', *{arguments!r}]\n"
        "from recbench.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('\\nLOADED', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("list", "plugins"), ("show", "ease")])
def test_looking_around_imports_no_framework(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments).isdisjoint(HEAVY)


def test_help_does_not_even_import_numpy() -> None:
    assert "numpy" not in loaded_by("--help")


def test_offering_algorithms_imports_no_implementation() -> None:
    offered = discover().algorithms.values()
    targets = {each.value.target.partition(":")[0] for each in offered}
    assert targets.isdisjoint(loaded_by("list"))


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help_that_fits_the_terminal(name: str) -> None:
    command = cli.commands[name]
    context = click.Context(command, info_name=name, terminal_width=80)
    shown = command.get_help(context)
    assert command.help
    assert max(map(len, shown.splitlines())) <= 80


def test_list_fits_the_terminal_and_shows_every_kind() -> None:
    environment = {**os.environ, "COLUMNS": "80"}
    shown = subprocess.run(
        [sys.executable, "-m", "recbench", "list"], capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert max(map(len, shown.splitlines())) <= 80
    for name in ("popularity", "movietweetings-100k", "movielens-100k", "ndcg", "baselines"):
        assert re.search(rf"^  {name}\b", shown, re.MULTILINE)


def test_show_tells_license_and_citation_of_the_data() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "recbench", "show", "movietweetings-100k"], capture_output=True, text=True, check=True
    ).stdout
    assert re.search(r"^license +MIT", shown, re.MULTILINE)
    assert re.search(r"^citation +Simon Dooms", shown, re.MULTILINE)


def test_a_plugin_that_is_broken_is_told_and_harms_nobody(tmp_path: Path) -> None:
    (tmp_path / "broken_one.py").write_text("raise RuntimeError('not today')")
    done = subprocess.run(
        [sys.executable, "-m", "recbench", "list", "plugins", "--plugin", str(tmp_path / "broken_one.py")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert "broken: RuntimeError: not today" in done.stdout
    assert "baselines" in done.stdout


def test_the_readme_s_plugin_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(# my_algo\.py\n.*?)```", README, re.DOTALL)
    assert len([line for line in block.splitlines() if line.strip()]) <= 16
    (tmp_path / "my_algo.py").write_text(block)
    done = subprocess.run(
        [sys.executable, "-m", "recbench", "run", "--plugin", "my_algo.py", "-a", "my-popularity", "-a", "popularity"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    scores = re.findall(r"popularity[ *]+(0\.\d{4})", done.stdout)
    assert len(scores) == 2
    assert scores[0] == scores[1]


def test_the_readme_begins_with_a_run_its_table_and_a_plugin() -> None:
    assert "@hookimpl" in "\n".join(README.splitlines()[:45])


def test_the_readme_shows_the_published_board() -> None:
    store = Store(REPOSITORY / "leaderboards")
    default = [record for record in store.load_all()[0] if record.protocol["name"] == "movietweetings"]
    analysis = store.analyses()[0][default[0].protocol["fingerprint"]]
    shown = leaderboard.terminal(default, analysis, width=108, color=False).splitlines()[:12]
    assert "\n".join(shown) in README


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_every_command_of_the_readme_is_one() -> None:
    commands = re.findall(r"recbench ([a-z]+)", README)
    assert set(commands) - set(cli.commands) - {"in"} == set()


def test_what_ci_runs_is_what_the_readme_says() -> None:
    ci = (REPOSITORY / ".ci" / "run").read_text()
    assert "pip install -e '.[all,test]' && pytest -n logical --dist worksteal\n" in README
    assert "-e '.[all,test]'" in ci
    assert "\npytest -n logical --dist worksteal\n" in ci
