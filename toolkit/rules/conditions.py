"""What a rule says, as a tree: comparisons of one column each, joined by and, or and not."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Population = Literal["buyers", "everyone"]
Sign = Literal["<", "<=", ">", ">="]


@dataclass(frozen=True)
class Learned:
    """A quantile of the column it is compared with: ``of_buyers(0.8)``, ``of_everyone(0.8)``."""

    population: Population
    fraction: Fraction

    def __str__(self) -> str:
        share = float(self.fraction)
        return f"of_{self.population}({share if Fraction(repr(share)) == self.fraction else self.fraction})"


@dataclass(frozen=True)
class Compare:
    """A column of numbers against a number or a learned cut; false where the value is missing."""

    column: str
    sign: Sign
    cut: Fraction | Learned


@dataclass(frozen=True)
class Among:
    """A column of text holds one of these values; false where it is missing."""

    column: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Missing:
    """The column has no value."""

    column: str


@dataclass(frozen=True)
class Yes:
    """A column of yes or no says yes."""

    column: str


@dataclass(frozen=True)
class Not:
    """What the part does not hold for, missing values included."""

    part: Condition


@dataclass(frozen=True)
class All:
    """Every part holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds."""

    parts: tuple[Condition, ...]


Leaf = Compare | Among | Missing | Yes
Condition = Leaf | Not | All | Some


def holds(condition: Condition, answer: Callable[[Leaf], Any]) -> Any:
    """Work out a condition from the answers to its comparisons: booleans, or arrays of them."""
    if isinstance(condition, Not):
        return ~holds(condition.part, answer)
    if isinstance(condition, All):
        return reduce(operator.and_, (holds(part, answer) for part in condition.parts))
    if isinstance(condition, Some):
        return reduce(operator.or_, (holds(part, answer) for part in condition.parts))
    return answer(condition)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """Yield the comparisons of a condition, as written."""
    if isinstance(condition, Not):
        yield from leaves(condition.part)
    elif isinstance(condition, (All, Some)):
        for part in condition.parts:
            yield from leaves(part)
    else:
        yield condition
