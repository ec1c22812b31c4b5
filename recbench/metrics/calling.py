"""Metrics by name, the functions behind them, and the guard around what those give."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np

from recbench.api import Metric
from recbench.data import BoolArray, Dataset, FloatArray, Tags
from recbench.errors import RecbenchError, UnknownName

Function: TypeAlias = Callable[..., Any]

# Sums of rounded numbers may pass an end of the range by this much; they are put back.
_TOLERANCE = 1e-9


class MetricFault(RecbenchError):
    """A metric's function cannot be imported, raises, or gives something that has not the form of a score."""


class OutOfRange(MetricFault):
    """A value that the metric, by its own declaration, cannot have."""


def resolve(names: Iterable[str], metrics: Mapping[str, Metric]) -> tuple[Metric, ...]:
    """The metrics of these names, in that order.

    Raises:
        UnknownName: nothing goes by one of the names.
    """
    for name in names:
        if name not in metrics:
            raise UnknownName.among(
                "metric", name, metrics, fix="run `recbench list metrics`, or install the package that offers it"
            )
    return tuple(metrics[name] for name in names)


def check(metrics: Iterable[Metric], dataset: Dataset) -> None:
    """Find out before anything is trained whether these metrics can be computed on this data.

    Raises:
        RecbenchError: a metric needs what the data lacks.
        MetricFault: a metric's function cannot be imported.
    """
    has_tags = any(isinstance(column, Tags) for column in dataset.items.values())
    for metric in metrics:
        load(metric)
        if "tags" in metric.needs and not has_tags:
            raise RecbenchError(
                f"metric {metric.name!r} needs tags of the items, and {dataset.name!r} has none",
                fix=f"take {metric.name!r} out of [evaluation] metrics, or give items with a column of tags",
            )


def load(metric: Metric) -> Function:
    """Import the function that `metric.target` names.

    Raises:
        MetricFault: there is no such module or function, or importing it raises.
    """
    module, _, name = metric.target.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # foreign code; the reason is shown
        raise MetricFault(
            f"metric {metric.name!r}: {metric.target!r} cannot be imported: {type(error).__name__}: {error}",
            fix="correct the metric's target, or install what it imports",
        ) from error
    if not callable(function):
        raise MetricFault(
            f"metric {metric.name!r}: {metric.target!r} is {function!r}", fix="let the target name a function"
        )
    return function  # type: ignore[no-any-return]


def values_of(metric: Metric, function: Function, argument: object, n: int) -> FloatArray:
    """What a function of kind "user" or "pair" gives: (n,) float64, NaN where it is undefined.

    Raises:
        MetricFault: it raises, or gives another shape or type.
    """
    given = _call(metric, function, argument)
    values = np.asarray(given)
    if values.shape != (n,) or values.dtype.kind not in "biuf":
        raise MetricFault(
            f"metric {metric.name!r} gave {values.dtype} of shape {values.shape}; expected {n} real numbers",
            fix="let it return one number for each row it is given",
        )
    return values.astype(np.float64)


def value_of(metric: Metric, function: Function, *arguments: object) -> float:
    """What a function of kind "catalogue" gives; NaN where it is undefined.

    Raises:
        MetricFault: it raises, or gives no number.
    """
    given = _call(metric, function, *arguments)
    try:
        return float(given)
    except (TypeError, ValueError) as error:
        raise MetricFault(
            f"metric {metric.name!r} gave {given!r}; expected a number", fix="let it return a float"
        ) from error


def within(metric: Metric, key: str, values: FloatArray) -> FloatArray:
    """`values` in the metric's range, rounding at its ends undone; NaN stays.

    Raises:
        OutOfRange: a value lies outside, or is infinite.
    """
    least, greatest = metric.range
    beyond: BoolArray = (values < least - _TOLERANCE) | (values > greatest + _TOLERANCE) | np.isinf(values)
    if beyond.any():
        raise OutOfRange(
            f"{key} is {float(values[beyond][0])!r}, outside its range of {least:g} to {greatest:g}",
            fix=f"tell the author of metric {metric.name!r} ({metric.target}); a score that cannot be is not kept",
        )
    return np.clip(values, least, greatest)


def _call(metric: Metric, function: Function, *arguments: object) -> Any:
    try:
        return function(*arguments)
    except Exception as error:  # foreign code; the reason is shown
        raise MetricFault(
            f"metric {metric.name!r} failed: {type(error).__name__}: {error}",
            fix=f"tell its author ({metric.target}), or take it out of [evaluation] metrics",
        ) from error
