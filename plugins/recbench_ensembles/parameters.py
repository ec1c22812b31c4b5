"""Refusing parameters that cannot be."""

from __future__ import annotations


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a value below `least`, and NaN."""
    if not value >= least:
        raise ValueError(f"{name} must be {least} or more, not {value!r}")


def above_0(name: str, value: float) -> None:
    """Refuse 0, what is below, and NaN."""
    if not value > 0:
        raise ValueError(f"{name} must be above 0, not {value!r}")


def share(name: str, value: float) -> None:
    """Refuse what is no part of a whole."""
    if not 0 < value <= 1:
        raise ValueError(f"{name} must be above 0 and at most 1, not {value!r}")
