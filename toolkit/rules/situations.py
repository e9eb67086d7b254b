"""Every kind of value that a rule can tell apart in one column, each with an example."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

from toolkit.rules.conditions import Among, Compare, Learned, Missing, Yes
from toolkit.rules.faults import RuleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.rules.columns import Domain
    from toolkit.rules.conditions import Leaf, Sign

Value = Fraction | str | bool | None
Points = list[frozenset[Fraction | Learned]]
_MOST_ORDERS = 20_000


@dataclass(frozen=True)
class Situation:
    """An example value (None: missing), what the learned cuts are then, and which comparisons hold."""

    value: Value
    cuts: dict[Learned, Fraction]
    truths: tuple[bool, ...]


def situations(domain: Domain, compared: Sequence[Leaf]) -> list[Situation]:
    """Return one example of every combination of answers that a column's comparisons can have.

    Parameters
    ----------
    domain
        What the column can hold.
    compared
        Its comparisons.

    Notes
    -----
    Numbers and learned cuts split the line into points and the open intervals between them. Where a learned cut lies
    among the numbers is not known when the rules are read, so every order is tried; of two cuts of one population the
    one of the smaller share never lies above the other. A learned cut may lie above everything that the column can
    hold: where there was nothing to learn from nobody is above it.
    """
    found: dict[tuple[bool, ...], Situation] = {}
    if domain.may_be_missing:
        _note(found, None, {}, compared)
    if domain.kind == "text":
        mentioned = {value: None for leaf in compared if isinstance(leaf, Among) for value in leaf.texts}
        for word in domain.values or (*mentioned, _another(mentioned)):
            _note(found, word, {}, compared)
    elif domain.kind == "yes_no":
        for answer in (False, True):
            _note(found, answer, {}, compared)
    else:
        cuts = list(dict.fromkeys(leaf.cut for leaf in compared if isinstance(leaf, Compare)))
        low, high = _ends(domain)
        for points in _orders(cuts, low, high):
            for value, placed in _examples(points, low, high, whole=domain.kind == "whole"):
                _note(found, value, placed, compared)
    return list(found.values())


def true_of(leaf: Leaf, value: Value, cuts: dict[Learned, Fraction]) -> bool:
    """Answer one comparison for one value."""
    if isinstance(leaf, Missing):
        return value is None
    if isinstance(leaf, Yes):
        return value is True
    if isinstance(leaf, Among):
        return value in leaf.texts
    if not isinstance(value, Fraction):
        return False
    cut = cuts[leaf.cut] if isinstance(leaf.cut, Learned) else leaf.cut
    return _ANSWERS[leaf.sign][(value > cut) - (value < cut)]


_ANSWERS: dict[Sign, dict[int, bool]] = {
    "<": {-1: True, 0: False, 1: False},
    "<=": {-1: True, 0: True, 1: False},
    ">": {-1: False, 0: False, 1: True},
    ">=": {-1: False, 0: True, 1: True},
}


def _note(
    found: dict[tuple[bool, ...], Situation], value: Value, cuts: dict[Learned, Fraction], compared: Sequence[Leaf]
) -> None:
    truths = tuple(true_of(leaf, value, cuts) for leaf in compared)
    found.setdefault(truths, Situation(value, cuts, truths))


def _another(mentioned: dict[str, None]) -> str:
    name = "another"
    while name in mentioned:
        name += "_one"
    return name


def _ends(domain: Domain) -> tuple[Fraction | None, Fraction | None]:
    if domain.kind == "number":
        return None, None
    return Fraction(0), Fraction(1) if domain.kind == "share" else None


def _orders(cuts: list[Fraction | Learned], low: Fraction | None, high: Fraction | None) -> list[Points]:
    """Return the points of the line from left to right, in every order that learned cuts can have."""
    numbers = {cut for cut in cuts if isinstance(cut, Fraction)} | {end for end in (low, high) if end is not None}
    start: Points = [frozenset([number]) for number in sorted(numbers)]
    learned = sorted((cut for cut in cuts if isinstance(cut, Learned)), key=lambda cut: (cut.population, cut.fraction))
    orders = [start]
    for cut in learned:
        orders = [after for order in orders for after in _placed(order, cut, low)]
        if len(orders) > _MOST_ORDERS:
            raise RuleError(f"has so many learned cuts ({len(learned)}) that its classes cannot be proven disjoint")
    return orders


def _placed(order: Points, cut: Learned, low: Fraction | None) -> Iterator[Points]:
    below = [
        at
        for at, point in enumerate(order)
        if low in point or any(isinstance(one, Learned) and one.population == cut.population for one in point)
    ]
    first = max(below, default=-1)
    for at in range(max(first, 0), len(order)):
        yield [*order[:at], order[at] | {cut}, *order[at + 1 :]]
    for at in range(first + 1, len(order) + 1):
        yield [*order[:at], frozenset([cut]), *order[at:]]


def _examples(
    points: Points, low: Fraction | None, high: Fraction | None, *, whole: bool
) -> Iterator[tuple[Fraction, dict[Learned, Fraction]]]:
    """Yield a value at every point and in every interval, with learned cuts placed around it."""
    fixed = [next((one for one in point if isinstance(one, Fraction)), None) for point in points]
    for at, number in enumerate(fixed):
        if number is not None and not (whole and number.denominator > 1) and _inside(number, low, high):
            yield number, _cuts(points, _spread(fixed))
        elif number is None:
            chosen = _between(fixed, at - 1, at + 1, whole=whole)
            if chosen is not None and _inside(chosen, low, high):
                yield chosen, _cuts(points, _spread([*fixed[:at], chosen, *fixed[at + 1 :]]))
    for at in range(len(points) + 1):
        chosen = _between(fixed, at - 1, at, whole=whole)
        if chosen is not None and _inside(chosen, low, high):
            spread = _spread([*fixed[:at], chosen, *fixed[at:]])
            yield chosen, _cuts(points, [*spread[:at], *spread[at + 1 :]])


def _inside(value: Fraction, low: Fraction | None, high: Fraction | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _between(fixed: list[Fraction | None], left: int, right: int, *, whole: bool) -> Fraction | None:
    """Return a plain number between the nearest fixed numbers at or beyond two places; None where there is none."""
    a = next((number for number in reversed(fixed[: left + 1]) if number is not None), None)
    b = next((number for number in fixed[right:] if number is not None), None)
    if a is None:
        return Fraction(1) if b is None else Fraction(ceil(b) - 1)
    if b is None or floor(a) + 1 < b:
        return Fraction(floor(a) + 1)
    return None if whole else (a + b) / 2


def _spread(fixed: list[Fraction | None]) -> list[Fraction]:
    """Give the places without a number one, evenly between their neighbours."""
    known = [at for at, number in enumerate(fixed) if number is not None]
    if not known:
        return [Fraction(at) for at in range(len(fixed))]
    numbers = dict(zip(known, (number for number in fixed if number is not None), strict=True))
    first, last = known[0], known[-1]
    numbers |= {at: numbers[first] - (first - at) for at in range(first)}
    numbers |= {at: numbers[last] + (at - last) for at in range(last + 1, len(fixed))}
    for a, b in pairwise(known):
        numbers |= {at: numbers[a] + (numbers[b] - numbers[a]) * Fraction(at - a, b - a) for at in range(a + 1, b)}
    return [numbers[at] for at in range(len(fixed))]


def _cuts(points: Points, values: list[Fraction]) -> dict[Learned, Fraction]:
    return {
        cut: value for point, value in zip(points, values, strict=True) for cut in point if isinstance(cut, Learned)
    }
