"""docs/plugins.md: the tutorial runs from first to last line, and the reference leaves nothing out."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from recbench import api, hookspecs
from recbench.testing import RULES

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "plugins.md").read_text()
BLOCK = re.compile(r"```(console|python)\n(.*?)```", re.DOTALL)
HOOKS = {name: each for name, each in vars(hookspecs).items() if name.startswith("recbench_")}
CONTRACT = (api.Fits, api.Ranks, api.Predicts, api.Recommends, api.ScoresNew, api.Explains)


def section(heading: str) -> str:
    """The text under a heading of the page, up to the next one of the same depth or less (`# ` begins comments)."""
    depth = heading.count("#")
    start = PAGE.index(f"\n{heading}\n")
    end = re.compile(rf"\n#{{2,{depth}}} ").search(PAGE, start + len(heading) + 1)
    return PAGE[start : end.start() if end else None]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A virtual environment of its own that also sees what is installed here, so that nothing is downloaded."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder / "venv")
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    here = [path for path in [*site.getsitepackages(), *sys.path] if path]
    (packages / "here.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in here))
    for name, module in (("recbench", "recbench.cli"), ("pip", "pip._internal.cli.main")):
        command = folder / "venv" / "bin" / name
        command.write_text(f"#!{folder}/venv/bin/python\nimport sys\nfrom {module} import main\nsys.exit(main())\n")
        command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{folder}/venv/bin{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the wrong way round: there is none
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.mark.slow
def test_the_tutorial_runs_from_its_first_line_to_its_last(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path
    for language, text in BLOCK.findall(section("## From an idea to a row on the board") + section("## A single file")):
        if language == "python":
            (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
            continue
        for line in text.splitlines():
            command = line.removeprefix("$ ")
            if command.startswith("cd "):
                folder /= command.removeprefix("cd ")
                continue
            done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert (folder / "recbench-out" / "movietweetings-time.md").exists()
    assert list((folder / "dist").glob("trendy-*.whl"))


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_signature(name: str) -> None:
    signature = str(inspect.signature(HOOKS[name])).replace("'", "")
    assert f"`{name}{signature}`" in section("## The hooks")


@pytest.mark.parametrize("contract", CONTRACT, ids=lambda contract: contract.__name__)
def test_every_method_of_the_contract_is_documented_with_its_arguments(contract: type) -> None:
    methods = {name: each for name, each in vars(contract).items() if inspect.isfunction(each) and name[0] != "_"}
    assert methods
    for name, method in methods.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}("))
        for argument in list(inspect.signature(method).parameters)[1:]:
            assert re.search(rf"\b{argument}\b", row)


@pytest.mark.parametrize(
    ("declaration", "heading"),
    [
        (api.Algorithm, "### `Algorithm`"),
        (api.Metric, "### `Metric`"),
        (api.Source, "### `Source` and `SourceFile`"),
        (api.SourceFile, "### `Source` and `SourceFile`"),
    ],
)
def test_every_field_of_a_declaration_is_documented(declaration: type, heading: str) -> None:
    for field in dataclasses.fields(declaration):
        assert f"\n| `{field.name}` | " in section(heading)


def test_every_rule_is_listed_with_its_reason() -> None:
    rows = [f"| `{rule.name}` | {rule.reason} |" for rule in RULES]
    found = [line for line in section("## The rules").splitlines() if line.startswith("| `")]
    assert found == rows
