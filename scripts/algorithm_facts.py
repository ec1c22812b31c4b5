"""What can be read from an algorithm's class: parameters with their types, ranges and meanings, and what it offers."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from recbench.api import Algorithm
from recbench.distribution import distribution
from recbench.registry import Offered, Registry

ADAPTERS = "recbench_adapters"
FAR = 10_000
ENTRY = re.compile(r" {4}(\w+): (.*)")
ELSEWHERE = re.compile(r"as in `\w+`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An argument of the constructor.

    Attributes:
        kind: "int", "float", "bool", "str", "algorithm" or "algorithms".
        choices: the values there are, or none where there are many.
        range: which numbers the constructor takes, "≥ 1"; empty where it takes any.
        default: the preset's own value where it has one.
        tuned: values that tuning tries.
        meaning: from the docstring; empty where there is none.
    """

    name: str
    kind: str
    choices: tuple[Any, ...]
    range: str
    default: Any
    tuned: tuple[Any, ...]
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenClass:
    """A class as its source has it: methods that it defines itself, and the arguments its docstring tells."""

    name: str
    methods: frozenset[str]
    arguments: Mapping[str, str]


def built_in(registry: Registry) -> Mapping[str, Offered[Algorithm]]:
    """The algorithms of recbench's own distribution, adapters apart."""
    return {name: each for name, each in _own(registry).items() if each.plugin.module != ADAPTERS}


def adapters(registry: Registry) -> Mapping[str, Offered[Algorithm]]:
    """Models of other libraries: their classes cannot be looked at where the library is missing."""
    return {name: each for name, each in _own(registry).items() if each.plugin.module == ADAPTERS}


def _own(registry: Registry) -> Mapping[str, Offered[Algorithm]]:
    own = distribution().name
    return {name: each for name, each in registry.algorithms.items() if each.plugin.distribution == own}


def class_of(algorithm: Algorithm) -> type[Any]:
    """The class, imported with its framework."""
    module, _, name = algorithm.target.partition(":")
    found: type[Any] = getattr(importlib.import_module(module), name)
    return found


def offers(cls: type[Any], method: str) -> bool:
    """Whether every fitted algorithm of the class has the method."""
    return callable(getattr(cls, method, None))


def extra_of(module: str) -> str:
    """The extra of recbench that brings `module`: called like it, or "peer-" and its name."""
    extras: list[str] = importlib.metadata.metadata(distribution().name).get_all("Provides-Extra") or []
    found = [extra for extra in extras if extra in (module, f"peer-{module}")]
    if len(found) != 1:
        raise LookupError(f"no extra of {distribution().name} is called after {module!r}: {', '.join(extras)}")
    return found[0]


def written_class(algorithm: Algorithm) -> WrittenClass:
    """What the source says of the class; nothing is imported."""
    module, _, name = algorithm.target.partition(":")
    package, _, stem = module.partition(".")
    folder = next(iter(importlib.import_module(package).__path__))
    tree = ast.parse((Path(folder) / f"{stem}.py").read_text(encoding="utf-8"))
    found = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    methods = frozenset(node.name for node in found.body if isinstance(node, ast.FunctionDef))
    return WrittenClass(name=name, methods=methods, arguments=arguments(ast.get_docstring(found) or ""))


def parameters_of(algorithm: Algorithm) -> tuple[Parameter, ...]:
    """All parameters, in the order of the constructor."""
    cls = class_of(algorithm)
    if cls.__init__ is object.__init__:
        return ()
    hints = get_type_hints(cls.__init__)
    signature = inspect.signature(cls).parameters
    return tuple(_parameter(algorithm, cls, name, hints[name], each.default) for name, each in signature.items())


def _parameter(algorithm: Algorithm, cls: type[Any], name: str, hint: Any, default: Any) -> Parameter:
    kind = _kind(hint, is_component=name in algorithm.components)
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    value = algorithm.parameters.get(name, default)

    def takes(number: float) -> bool:
        try:
            cls(**{**algorithm.parameters, name: number})
        except ValueError:
            return False
        return True

    return Parameter(
        name=name,
        kind=kind,
        choices=choices,
        range={"int": _whole_numbers, "float": _numbers}[kind](takes, value) if kind in ("int", "float") else "",
        default=value,
        tuned=tuple(algorithm.space.get(name, ())),
        meaning=meaning_of(cls, name),
    )


def _kind(hint: Any, *, is_component: bool) -> str:
    if is_component:
        return "algorithm" if hint is str else "algorithms"
    if get_origin(hint) is Literal:
        return "str"
    if hint not in (int, float, bool, str):
        raise TypeError(f"a parameter of type {hint!r}: say how the page is to show it")
    return str(hint.__name__)


def meaning_of(cls: type[Any], name: str) -> str:
    """What the docstring of the class says of a parameter, or that of its nearest parent that does; "" if none."""
    for each in cls.__mro__:
        said = arguments(vars(each).get("__doc__") or "").get(name, "")
        if said and not ELSEWHERE.match(said):
            return said
    return ""


def arguments(docstring: str) -> Mapping[str, str]:
    """The section "Args:" of a docstring: each parameter with its text in one line."""
    lines = inspect.cleandoc(docstring).splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in lines[lines.index("Args:") + 1 :] if "Args:" in lines else ():
        if not line.startswith("    "):
            break
        if entry := ENTRY.fullmatch(line):
            name = entry[1]
            found[name] = entry[2]
        else:
            found[name] += f" {line.strip()}"
    return found


def _whole_numbers(takes: Callable[[int], bool], default: int) -> str:
    """Which numbers a constructor takes, by trying; its own default is one of them."""
    least, most = -FAR, max(FAR, 100 * default)
    low = None if takes(least) else _edge(takes, default, least)
    high = None if takes(most) else _edge(takes, default, most)
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    return f"≥ {low:,}" if low is not None else "" if high is None else f"≤ {high:,}"


def _edge(takes: Callable[[int], bool], inside: int, outside: int) -> int:
    """The last number that is taken on the way from one that is to one that is not."""
    while abs(outside - inside) > 1:
        middle = (inside + outside) // 2
        inside, outside = (middle, outside) if takes(middle) else (inside, middle)
    return inside


def _numbers(takes: Callable[[float], bool], _default: float) -> str:
    low = "" if takes(-1e9) else _bound(takes, 0.0, (1e-9, "> 0"), "≥ 0")
    high = "" if takes(1e9) else _bound(takes, 1.0, (1.0 - 1e-9, "< 1"), "≤ 1")
    return ", ".join(filter(None, (low, high)))


def _bound(takes: Callable[[float], bool], at: float, inside: tuple[float, str], closed: str) -> str:
    if takes(at):
        return closed
    if not takes(inside[0]):
        raise ValueError(f"a bound that is neither 0 nor 1: neither {at!r} nor {inside[0]!r} is taken")
    return inside[1]


def components_of(algorithm: Algorithm) -> Sequence[str]:
    """Names of the algorithms that it is made of by default."""
    named = [each.default for each in parameters_of(algorithm) if each.kind in ("algorithm", "algorithms")]
    return tuple(name for value in named for name in ([value] if isinstance(value, str) else value))
