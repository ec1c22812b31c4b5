"""From values to places on a drawing, and the round values that are written beside it. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values from `low` to `high` lie between the places `start` and `end`; evenly, or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool = False

    def place(self, value: float) -> float:
        """Where a value lies; what is out of range lies at the edge."""
        low, high, value = (self._even(each) for each in (self.low, self.high, min(max(value, self.low), self.high)))
        share = (value - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def _even(self, value: float) -> float:
        return math.log10(value) if self.is_log else value

    def ticks(self) -> tuple[float, ...]:
        """Round values in the range."""
        return tuple(_powers(self.low, self.high) if self.is_log else _steps(self.low, self.high))


def linear(values: Sequence[float], start: float, end: float) -> Scale:
    """As wide as the values, and 4 % more on each side; at least as wide as one can draw."""
    low, high = min(values), max(values)
    margin = 0.04 * (high - low) or 0.04 * abs(high) or 1.0
    return Scale(low=low - margin, high=high + margin, start=start, end=end)


def logarithmic(values: Sequence[float], start: float, end: float) -> Scale:
    """The same by factors; what is not above zero lies where the least of the others does."""
    above = [value for value in values if value > 0] or [1.0]
    margin = (max(above) / min(above)) ** 0.05 * 1.1
    return Scale(low=min(above) / margin, high=max(above) * margin, start=start, end=end, is_log=True)


def _steps(low: float, high: float, most: int = 6) -> Iterator[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(each * power for each in _STEPS if each * power >= rough)
    for n in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield n * step


def _powers(low: float, high: float) -> Iterator[float]:
    """Powers of ten, and between them 2 and 5 times those where few of them fit."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    few = math.log10(high / low) < 2
    for decade in decades:
        for factor in (1, 2, 5) if few else (1,):
            if low <= (value := factor * 10.0**decade) <= high:
                yield value


def shown(value: float) -> str:
    """A tick's value, without digits that say nothing."""
    return f"{value:,.10g}" if abs(value) >= 1e-4 or not value else f"{value:.0e}"
