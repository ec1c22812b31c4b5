"""What a new plugin may be called: a name that is a distribution's and a module's, and nobody else's."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
from collections.abc import Collection
from pathlib import Path
from typing import Final

from recbench.errors import RecbenchError

LONGEST: Final = 40
_FORM: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

# Files and folders of these names mean something to setuptools, pip or pytest.
_RESERVED: Final = frozenset({"build", "conftest", "dist", "setup", "tests"})

# Classes of these names are imported or defined beside the one that is called after the distribution.
_IN_USE: Final = frozenset({"algorithm", "dataset", "iterable", "network", "ridge"})


def module_of(name: str) -> str:
    """The module that goes with a distribution's name."""
    return name.replace("-", "_")


def class_of(name: str) -> str:
    """The class that goes with a distribution's name: "my-algo" gives "MyAlgo"."""
    return "".join(part.capitalize() for part in name.split("-"))


def check_name(name: str, *, kind: str, offered: Collection[str], folder: Path) -> None:
    """Refuse a name that would not work, or that somebody else has.

    Args:
        name: what the author asks for.
        kind: what is made, for messages: "algorithm".
        offered: names of that kind that are on offer here.
        folder: where the distribution will be; what was installed from there is no stranger's.

    Raises:
        RecbenchError: the name is of the wrong form, or taken.
    """
    _check_form(name)
    if _is_within(module_of(name), folder):
        return
    if name in offered:
        raise _taken(f"an {kind}" if kind[0] in "aeiou" else f"a {kind}", name, "is on offer already")
    if importlib.util.find_spec(module_of(name)) is not None:
        raise _taken("a module", module_of(name), "can be imported already, and yours would stand in its way")
    if _is_installed(name):
        raise _taken("a package", name, "is installed already")


def _check_form(name: str) -> None:
    if not _FORM.fullmatch(name) or len(name) > LONGEST:
        raise RecbenchError(
            f"{name!r} cannot be the name of a package",
            fix=f"take 1 to {LONGEST} lower-case letters, digits and single hyphens, a letter first: 'my-algorithm'",
        )
    if keyword.iskeyword(name):
        raise RecbenchError(f"{name!r} is a word of Python's own, so no module can have it", fix=_another(name))
    if name in _RESERVED:
        raise RecbenchError(f"{name!r} means something to Python's tools", fix=_another(name))
    if name in _IN_USE:
        raise RecbenchError(f"{name!r} is in use in the code that would be written", fix=_another(name))


def _taken(what: str, name: str, why: str) -> RecbenchError:
    return RecbenchError(f"{what} called {name!r} {why}", fix=_another(name.replace("_", "-")))


def _another(name: str) -> str:
    return f"take another name, such as 'my-{name}'"


def _is_within(module: str, folder: Path) -> bool:
    """Whether `module` comes from `folder`: then the author writes the same distribution anew."""
    spec = importlib.util.find_spec(module)
    if spec is None:
        return False
    places = [*(spec.submodule_search_locations or ()), *([spec.origin] if spec.origin else [])]
    return any(Path(place).resolve().is_relative_to(folder.resolve()) for place in places)


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
