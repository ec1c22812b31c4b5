"""An outside library's models by name, with their parameters held against what they take."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any


def model_named(name: str, models: Mapping[str, Any], *, library: str) -> Any:
    """What `models` has under `name`.

    Raises:
        ValueError: there is none; the message lists the close names, or all of them.
    """
    if name in models:
        return models[name]
    raise ValueError(f"{library} has no model {name!r}; {close(name, models)}")


def made(make: Callable[..., Any], parameters: Mapping[str, Any], *, unnamed: Collection[str] = ()) -> Any:
    """Construct a model.

    Args:
        unnamed: names that `make` takes without saying so in its signature.

    Raises:
        ValueError: it does not take one of the parameters; the message lists the close ones.
    """
    known = (*named_parameters(make), *unnamed)
    for name in parameters:
        if name not in known:
            raise ValueError(f"{make.__name__} has no parameter {name!r}; {close(name, known)}")
    try:
        return make(**parameters)
    except TypeError as error:
        raise ValueError(f"{make.__name__} does not take these parameters: {error}") from error


def named_parameters(make: Callable[..., Any]) -> tuple[str, ...]:
    """The names a constructor takes. Where it hands `**kwargs` on to its parents, theirs are among them."""
    parents: tuple[Callable[..., Any], ...] = inspect.getmro(make)[1:-1] if inspect.isclass(make) else ()
    names: dict[str, None] = {}
    for each in (make, *parents):
        parameters = inspect.signature(each).parameters.values()
        names |= {p.name: None for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return tuple(names)


def close(name: str, known: Iterable[str]) -> str:
    """Which of `known` may have been meant by `name`, for a message: all of them where none is close."""
    by_lower = {each.lower(): each for each in known}
    close = [by_lower[each] for each in difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)]
    return f"close: {', '.join(map(repr, close))}" if close else f"it has {', '.join(sorted(by_lower.values()))}"
