"""Figures of an experiment as English text: percent and percentage points never mixed, sensible digits."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = ("proportion", "retention")
"""Kinds of metrics whose values are shares of units."""
_NOTHING = 1e-4
"""Percentage points that are written as none."""


def number(value: float, *, sign: bool = False) -> str:
    """Write a number with three significant digits at least and thousands apart.

    Examples
    --------
    >>> number(12345.678), number(0.012345, sign=True), number(-4.0)
    ('12,346', '+0.0123', '-4')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "unknown"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float, *, sign: bool = False) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> percent(0.30556), percent(-0.005, sign=True), percent(0.0004)
    ('30.6 %', '-0.5 %', '0.04 %')
    """
    return f"{_tenths(100 * share, sign=sign)} %"


def value(amount: float, kind: str) -> str:
    """Write the value of a metric in one arm."""
    return percent(amount) if kind in SHARES else number(amount)


def lift(amount: float, kind: str, *, sign: bool = True) -> str:
    """Write a difference between arms with its unit.

    Examples
    --------
    >>> lift(-0.0833, "proportion"), lift(3.2, "mean")
    ('-8.3 percentage points', '+3.2')
    """
    if kind not in SHARES:
        return number(amount, sign=sign)
    return f"{_tenths(100 * amount, sign=sign)} percentage points"


def between(lower: float, upper: float, kind: str) -> str:
    """Write the ends of an interval of a difference, the unit left to the figure before it.

    Examples
    --------
    >>> between(-0.1657, -0.0001, "proportion")
    '-16.6 to -0.01'
    """
    if kind in SHARES:
        return f"{_tenths(100 * lower, sign=True)} to {_tenths(100 * upper, sign=True)}"
    return f"{number(lower, sign=True)} to {number(upper, sign=True)}"


def p_value(p: float) -> str:
    """Write a p-value.

    Examples
    --------
    >>> p_value(0.0496), p_value(0.343), p_value(1e-9)
    ('p = 0.0496', 'p = 0.34', 'p < 0.0001')
    """
    if p < 1e-4:
        return "p < 0.0001"
    return f"p = {p:.3g}" if p < 0.1 else f"p = {p:.2g}"


def listed(names: Sequence[str]) -> str:
    """Join names with commas and ``and``.

    Examples
    --------
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _tenths(amount: float, *, sign: bool) -> str:
    """One decimal; more where that would read as nothing though it is something."""
    if not math.isfinite(amount):
        return "unknown"
    if abs(amount) < _NOTHING:
        return "0.0"
    if abs(amount) < 0.05:
        return f"{amount:{'+' if sign else ''}.1g}"
    return f"{amount:{'+' if sign else ''}.1f}"
