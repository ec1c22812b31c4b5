"""Whether parameters, which are JSON values, fit a class's constructor: by name and by annotation."""

from __future__ import annotations

import difflib
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

_ARRAYS = (list, tuple, set, frozenset, Sequence, Iterable, Collection)
_OBJECTS = (dict, Mapping)
_SCALARS = (bool, int, float, str, type(None))
_JSON_NAMES = {bool: "true or false", int: "an integer", float: "a number", str: "a string", type(None): "null"}


class BadParameters(ValueError):
    """Parameters that the constructor does not take."""


def check_parameters(cls: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """Hold parameters against the constructor's signature and annotations.

    An integer is fine for a float; true and false are no integers. Parameters without an annotation, and
    annotations that no JSON value can meet, are left to the constructor.

    Raises:
        BadParameters: an unknown name, a missing one, or a value of the wrong type; the message says which.
    """
    signature = inspect.signature(cls)
    named = {p.name: p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    for name in parameters:
        if name not in named and not takes_any:
            raise BadParameters(_unknown(cls, name, list(named)))
    for name, parameter in named.items():
        if parameter.default is parameter.empty and name not in parameters:
            raise BadParameters(f"{_name(cls)} needs a value for the parameter {name!r}")
    hints = _hints(cls)
    for name, value in parameters.items():
        if name in named and name in hints and not _fits(value, hints[name]):
            raise BadParameters(f"parameter {name!r} of {_name(cls)} is {value!r}, and must be {_say(hints[name])}")


def _unknown(cls: Callable[..., Any], name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"close: {', '.join(map(repr, close))}" if close else f"it takes {', '.join(map(repr, known)) or 'none'}"
    return f"{_name(cls)} has no parameter {name!r}; {hint}"


def _name(cls: Callable[..., Any]) -> str:
    return str(getattr(cls, "__name__", cls))


def _hints(cls: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of the constructor; none where they cannot be resolved, as under `if TYPE_CHECKING`."""
    try:
        return typing.get_type_hints(cls.__init__ if inspect.isclass(cls) else cls)
    except Exception:  # foreign annotations may be anything
        return {}


def _fits(value: Any, hint: Any) -> bool:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is typing.Literal:
        return any(value == arg and type(value) is type(arg) for arg in args)
    if origin is typing.Annotated:
        return _fits(value, args[0])
    kind = origin or hint
    if kind in _SCALARS or kind is None:
        return _is_scalar(value, kind)
    if kind in _ARRAYS:
        return _fits_array(value, kind, args)
    if kind in _OBJECTS:
        return isinstance(value, Mapping) and (len(args) != 2 or all(_fits(each, args[1]) for each in value.values()))
    return True


def _is_scalar(value: Any, kind: Any) -> bool:
    if kind is None or kind is type(None):
        return value is None
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _fits_array(value: Any, kind: Any, args: tuple[Any, ...]) -> bool:
    if not isinstance(value, list | tuple):
        return False
    if kind is tuple and args and args[-1] is not Ellipsis:
        return len(value) == len(args) and all(map(_fits, value, args))
    return not args or all(_fits(each, args[0]) for each in value)


def _say(hint: Any) -> str:
    """What JSON value an annotation asks for, in words."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_say, args))
    if origin is typing.Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin is typing.Annotated:
        return _say(args[0])
    kind = origin or hint
    if kind in _ARRAYS:
        inner = [_say(arg) for arg in args if arg is not Ellipsis]
        return "a list" + (f" of {', '.join(inner)}" if inner else "")
    if kind in _OBJECTS:
        return "an object"
    return _JSON_NAMES.get(kind, str(getattr(kind, "__name__", kind)))
