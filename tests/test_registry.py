"""Finding and loading plugins: whatever one of them does, the others stay on offer."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from recbench.api import Algorithm
from recbench.errors import RecbenchError, UnknownName
from recbench.registry import Broken, Loaded, Offered, Plugin, discover, find, how_to_install, load, missing

GOOD = """
from recbench.api import Algorithm, hookimpl

@hookimpl
def recbench_algorithms():
    yield Algorithm(name={name!r}, target="{module}:Thing"{more})
"""


ALL = """
from pathlib import Path
from recbench.api import Metric, Source, hookimpl

@hookimpl
def recbench_sources():
    yield Source(name="mine", title="Mine", files=(), read="m:read", license="MIT", citation="me")

@hookimpl
def recbench_metrics():
    yield Metric(name="taste", target="m:taste", kind="user", best="high", range=(0, 1), definition="taste")

@hookimpl
def recbench_protocols():
    yield Path("my-protocol.toml")
"""


@pytest.fixture
def plugin_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a single-file plugin."""

    def write(stem: str, text: str) -> Path:
        path = tmp_path / f"{stem}.py"
        path.write_text(text)
        return path

    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def good(stem: str, *, name: str, more: str = "") -> str:
    return GOOD.format(name=name, module=stem, more=more)


def reason_of(path: Path) -> str:
    (broken,) = (each for each in discover(files=[path]).plugins if isinstance(each, Broken))
    return broken.reason


def test_the_built_in_algorithms_come_in_by_entry_points() -> None:
    offered = discover().algorithms["popularity"]
    assert offered.plugin.name == "baselines"
    assert offered.plugin.distribution == "recbench-suite"


def test_a_single_file_offers_algorithms(plugin_file: Callable[..., Path]) -> None:
    path = plugin_file("single_good", good("single_good", name="single"))
    offered = discover(files=[path]).algorithms["single"]
    assert offered.plugin.file == path
    assert offered.value.target == "single_good:Thing"


@pytest.mark.parametrize(
    ("stem", "text", "reason"),
    [
        ("breaks_import", "import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
        ("breaks_syntax", "def (", "SyntaxError"),
        ("breaks_exit", "raise SystemExit(3)", "SystemExit: 3"),
        ("breaks_late", good("breaks_late", name="late") + "    raise RuntimeError('late')", "RuntimeError: late"),
        ("breaks_type", good("x", name="x").replace("yield Algorithm", "yield dict"), "not a recbench.api.Algorithm"),
        ("breaks_number", good("x", name="x").replace("yield", "return 7 #"), "TypeError"),
        ("breaks_name", good("breaks_name", name="two words"), "'two words' is not a name"),
        ("breaks_empty", good("breaks_empty", name=""), "'' is not a name"),
        ("breaks_target", good("breaks target", name="x"), "not of the form 'module:Class'"),
        ("breaks_hook", good("x", name="x").replace("recbench_algorithms", "recbench_algoritms"), "unknown hook"),
        ("breaks_requires", good("b", name="x", more=", requires='torch'"), "must be a tuple of strings"),
        ("breaks_json", good("b", name="x", more=", parameters={'a': object()}"), "not JSON values"),
        ("breaks_argument", good("x", name="x").replace("algorithms()", "algorithms(wanted)"), "wanted"),
    ],
)
def test_one_broken_plugin_is_named_and_leaves_the_others_on_offer(
    plugin_file: Callable[..., Path], stem: str, text: str, reason: str
) -> None:
    path = plugin_file(stem, text)
    assert reason in reason_of(path)
    assert "popularity" in discover(files=[path]).algorithms


def test_a_plugin_offers_sources_metrics_and_protocols_too(plugin_file: Callable[..., Path]) -> None:
    offered = discover(files=[plugin_file("offers_all", ALL)])
    assert offered.sources["mine"].value.title == "Mine"
    assert offered.metrics["taste"].value.kind == "user"
    assert offered.protocols["my-protocol"].value == Path("my-protocol.toml")


def test_a_name_that_is_taken_breaks_the_one_who_came_later(plugin_file: Callable[..., Path]) -> None:
    path = plugin_file("shadows", good("shadows", name="popularity"))
    assert reason_of(path).startswith("the name 'popularity' (algorithms) is taken by recbench-suite")
    assert discover(files=[path]).algorithms["popularity"].plugin.name == "baselines"


def test_one_plugin_may_not_offer_a_name_twice(plugin_file: Callable[..., Path]) -> None:
    text = good("twice", name="same") + '    yield Algorithm(name="same", target="twice:Other")\n'
    assert "two algorithms called 'same'" in reason_of(plugin_file("twice", text))


def test_names_of_strangers_may_hold_markup(plugin_file: Callable[..., Path]) -> None:
    path = plugin_file("markup", good("markup", name="|<b>"))
    assert "|<b>" in discover(files=[path]).algorithms


def test_a_plugin_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecbenchError, match="there is no plugin file") as caught:
        discover(files=[tmp_path / "missing.py"])
    assert "--plugin" in caught.value.fix


def test_an_unknown_name_lists_the_close_ones() -> None:
    with pytest.raises(UnknownName, match="close: 'popularity'"):
        discover().algorithm("popularty")


def test_a_missing_framework_is_shown_with_the_extra_that_brings_it() -> None:
    (plugin,) = (plugin for plugin in find() if plugin.name == "baselines")
    lacking = Algorithm(name="x", target="a:B", requires=("torch",))
    absent = Algorithm(name="x", target="a:B", requires=("no_such_framework",))
    assert missing(absent) == ("no_such_framework",)
    assert how_to_install(Offered(value=absent, plugin=plugin)) == "pip install no_such_framework"
    if not missing(lacking):
        pytest.skip("PyTorch is installed here")
    assert how_to_install(Offered(value=lacking, plugin=plugin)) == "pip install 'recbench-suite[torch]'"


def test_the_source_of_a_file_changes_with_the_file(plugin_file: Callable[..., Path]) -> None:
    path = plugin_file("edited", good("edited", name="edited"))
    plugin = discover(files=[path]).algorithms["edited"].plugin
    before = plugin.source_of("edited:Thing")
    path.write_text(path.read_text() + "\n# edited\n")
    assert not plugin.is_pinned
    assert plugin.source_of("edited:Thing") != before


def test_loading_a_plugin_that_was_removed_is_a_value() -> None:
    gone = Plugin(name="gone", module="gone_since_yesterday", distribution="gone", version="1")
    assert isinstance(load(gone), Broken)


def test_loaded_plugins_say_what_they_offer() -> None:
    (loaded,) = (each for each in discover().plugins if each.plugin.name == "baselines")
    assert isinstance(loaded, Loaded)
    assert "popularity" in {algorithm.name for algorithm in loaded.algorithms}


def test_every_hook_is_named_in_a_test() -> None:
    hookspecs = importlib.import_module("recbench.hookspecs")
    hooks = [name for name in vars(hookspecs) if name.startswith("recbench_")]
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    assert hooks
    assert [hook for hook in hooks if f"def {hook}(" not in text] == []
