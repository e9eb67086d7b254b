"""Forms in which a feature enters a model: as it is, as a logarithm, bent, against the customer's own gap, crossed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from toolkit.schema import ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Form(Protocol):
    """One column of a design: a function of the features."""

    @property
    def name(self) -> str:
        """How tables call it."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it from filled features; ``? name`` is 1 where the feature ``name`` was missing."""


@dataclass(frozen=True)
class AsIs:
    """The feature itself."""

    feature: str

    @property
    def name(self) -> str:
        """How tables call it."""
        return self.feature

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (self.feature,)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        return values[self.feature]


@dataclass(frozen=True)
class Missing:
    """Whether the feature is missing."""

    feature: str

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.feature} missing"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (self.feature,)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        return values[f"? {self.feature}"]


@dataclass(frozen=True)
class Log:
    """``log(1 + feature / unit)``, the feature drawn in to what was seen in training.

    Attributes
    ----------
    unit
        1 for days and counts; for money its training median, so that the currency does not matter.
    highest
        Largest value that is believed; time has none, it goes on.
    """

    feature: str
    unit: float = 1.0
    highest: float = np.inf

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"log {self.feature}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (self.feature,)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        found: Floats = np.log1p(np.clip(values[self.feature], 0.0, self.highest) / self.unit)
        return found


@dataclass(frozen=True)
class OwnGaps:
    """``log(1 + silence / own gap)``: how many of the customer's own gaps between orders the silence lasts.

    Attributes
    ----------
    usual
        Median gap of all repeat buyers in days; the own gap is drawn to it as by one more gap of that length.
    highest
        Largest number of gaps that is believed.
    since
        The silence: ``recency_days``, or ``idle_days``, without any act.
    """

    usual: float
    highest: float = np.inf
    since: str = RECENCY_DAYS

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"log {self.since} in own gaps"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return tuple(dict.fromkeys((self.since, RECENCY_DAYS, TENURE_DAYS, ORDER_DAYS)))

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        repeats = np.maximum(values[ORDER_DAYS] - 1, 0.0)
        span = np.maximum(values[TENURE_DAYS] - values[RECENCY_DAYS], 0.0) * (repeats > 0)
        gap = (span + self.usual) / (repeats + 1)
        found: Floats = np.log1p(np.minimum(np.maximum(values[self.since], 0.0) / gap, self.highest))
        return found


@dataclass(frozen=True)
class OwnRate:
    """``log((repeats + 1/4) / (tenure + usual gap))``: the customer's own rate of orders after the first.

    Attributes
    ----------
    usual
        As of `OwnGaps`; with the quarter of an order it keeps the rate of those who have just come finite.
    """

    usual: float

    @property
    def name(self) -> str:
        """How tables call it."""
        return "log own rate"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (ORDER_DAYS, TENURE_DAYS)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        repeats = np.maximum(values[ORDER_DAYS] - 1, 0.0)
        found: Floats = np.log((repeats + 0.25) / (np.maximum(values[TENURE_DAYS], 0.0) + self.usual))
        return found


@dataclass(frozen=True)
class Missed:
    """Orders that the own rate would have brought since the last one: ``log(1 + m)`` or ``log(1 + e**m / orders)``.

    Attributes
    ----------
    usual
        As of `OwnGaps`.
    odds
        Whether to take the second: nearly 0 until an order is missed, then growing with each.
    highest
        Largest m that is believed.

    Notes
    -----
    ``m = repeats x log((tenure + usual) / (days from first to last order + usual))``. With gamma-distributed rates and
    a chance of leaving after each order, the odds of having left grow with ``e**m`` (Fader, Hardie and Lee 2005,
    "Counting your customers the easy way", Marketing Science 24, eq. 10); who never repeated has m = 0.
    """

    usual: float
    odds: bool
    highest: float = np.inf

    @property
    def name(self) -> str:
        """How tables call it."""
        return "log odds of having left" if self.odds else "log orders missed"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (RECENCY_DAYS, TENURE_DAYS, ORDER_DAYS)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        repeats = np.maximum(values[ORDER_DAYS] - 1, 0.0)
        tenure = np.maximum(values[TENURE_DAYS], 0.0)
        span = np.maximum(tenure - np.maximum(values[RECENCY_DAYS], 0.0), 0.0)
        missed = np.minimum(repeats * np.log((tenure + self.usual) / (span + self.usual)), self.highest)
        if not self.odds:
            return np.asarray(np.log1p(missed), dtype=np.float64)
        odds: Floats = np.logaddexp(0.0, missed - np.log(repeats + 1))
        return np.where(repeats > 0, odds, 0.0)


@dataclass(frozen=True)
class Bend:
    """The curved part of a restricted cubic spline of another form: straight beyond the outer knots.

    Attributes
    ----------
    form
        What is bent.
    knots
        At least three, rising.
    number
        Which of the ``len(knots) - 2`` curved columns.

    Notes
    -----
    Harrell (2015), "Regression Modeling Strategies", section 2.4.5; columns are divided by the squared distance of
    the outer knots.
    """

    form: Form
    knots: tuple[float, ...]
    number: int

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.form.name}, bend {self.number + 1}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return self.form.sources

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        x = self.form.of(values)
        before, last = self.knots[-2:]
        here = self.knots[self.number]

        def cubed(knot: float) -> Floats:
            return np.maximum(x - knot, 0.0) ** 3

        found = cubed(here)
        found -= cubed(before) * (last - here) / (last - before)
        found += cubed(last) * (before - here) / (last - before)
        found /= (last - self.knots[0]) ** 2
        return found


@dataclass(frozen=True)
class Cross:
    """The product of two forms, each less its training mean."""

    one: Form
    other: Form
    middle: tuple[float, float]

    @property
    def name(self) -> str:
        """How tables call it."""
        return f"{self.one.name} x {self.other.name}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Features that it is made of."""
        return (*self.one.sources, *self.other.sources)

    def of(self, values: Mapping[str, Floats]) -> Floats:
        """Compute it."""
        found: Floats = (self.one.of(values) - self.middle[0]) * (self.other.of(values) - self.middle[1])
        return found
