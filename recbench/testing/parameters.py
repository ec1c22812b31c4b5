"""Rules on an algorithm's parameters."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from recbench.testing import worlds
from recbench.testing.rule import Breach, NotApplicable
from recbench.testing.subject import Subject

_NOBODYS_PARAMETER = "no_algorithm_has_this_parameter"


def parameters_are_json(subject: Subject) -> None:
    """Parameters are written into protocols and records: each has a default, or a declared value, that JSON can say."""
    for name, value in _in_force(subject).items():
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            fix = "take numbers, strings, truth values, and lists and objects of them"
            raise Breach(f"parameter {name!r} is {value!r}, which JSON cannot say", fix=fix) from error


def declared_values_are_taken(subject: Subject) -> None:
    """`recbench tune` draws from `Algorithm(space=...)`: the constructor must take each value of it."""
    for name, values in subject.declaration.space.items():
        for value in values:
            subject.make(**{name: value})


def parameters_are_honoured(subject: Subject) -> None:
    """A parameter that changes nothing misleads whoever tunes it."""
    space = {name: values for name, values in subject.declaration.space.items() if len(values) > 1}
    if not space:
        raise NotApplicable("it declares no space of parameters to try")
    idle = [name for name in space if not _matters(subject, name, space)]
    if idle:
        raise Breach(
            f"no value of {', '.join(map(repr, idle))} in its space changes an answer",
            fix="use the parameter, or take it out of the space",
        )


def wrong_parameters_are_refused(subject: Subject) -> None:
    """A misspelt or impossible parameter must stop the run before anything trains, not be passed over."""
    if _is_taken(subject, _NOBODYS_PARAMETER, 1):
        fix = "name each parameter in the constructor, instead of **kwargs"
        raise Breach(f"it takes a parameter called {_NOBODYS_PARAMETER!r}", fix=fix)
    for name, value in _in_force(subject).items():
        if isinstance(value, int | float) and _is_taken(subject, name, "nonsense"):
            fix = "annotate the constructor's parameters: recbench checks JSON values against annotations"
            raise Breach(f"it takes 'nonsense' for the parameter {name!r}, whose default is {value!r}", fix=fix)


def _in_force(subject: Subject) -> dict[str, Any]:
    """The constructor's defaults, and what the plugin declares over them."""
    signature = inspect.signature(type(subject.make()))
    defaults = {name: each.default for name, each in signature.parameters.items() if each.default is not each.empty}
    return {**defaults, **subject.declaration.parameters}


def _is_taken(subject: Subject, name: str, value: Any) -> bool:
    try:
        subject.make(**{name: value})
    except (ValueError, TypeError):
        return False
    return True


def _matters(subject: Subject, name: str, space: Mapping[str, Sequence[Any]]) -> bool:
    """Whether two of the values give different answers, be it only where the other parameters are small or large.

    The ends of the range are looked at first, as most likely to.
    """
    others = {other: values for other, values in space.items() if other != name}
    ends: list[dict[str, Any]] = [{other: values[end] for other, values in others.items()} for end in (0, -1)]
    values = space[name]
    return any(
        _is_heard(subject, name, tried, around)
        for around in ({}, *ends)
        for tried in ((values[0], values[-1]), values[1:-1])
    )


def _is_heard(subject: Subject, name: str, values: Sequence[Any], around: Mapping[str, Any]) -> bool:
    said = {_answers(subject, {**around, name: value}) for value in values}
    return len(said) > 1


def _answers(subject: Subject, changes: Mapping[str, Any]) -> bytes:
    fitted = subject.fit(worlds.crowd(200, 150, length=30), **changes)
    return b"".join(each.tobytes() for each in fitted.answers(fitted.everybody()).values())
