"""Quantiles, means and comparisons that neither rounding nor the order of rows can tip."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Cut = TypeVar("Cut", float, "NDArray[np.float64]")

TOLERANCE = 1e-9
"""Relative: two values closer than this are the same value, so that a change of unit moves nobody."""


def quantiles(ranked: Floats, fractions: list[tuple[int, int]]) -> Floats:
    """Type-7 quantiles at the exact fractions ``k / d``: no rounding decides between two neighbours.

    Parameters
    ----------
    ranked
        At least one finite number, in ascending order.
    fractions
        Pairs ``(k, d)`` with 0 <= k <= d.

    Returns
    -------
    array
        One quantile per fraction.

    Notes
    -----
    Hyndman and Fan (1996), "Sample quantiles in statistical packages", definition 7.

    Examples
    --------
    >>> quantiles(np.array([10.0, 20.0, 30.0, 40.0]), [(1, 3), (1, 2)])
    array([20., 25.])
    """
    found = np.empty(len(fractions))
    for i, (k, d) in enumerate(fractions):
        low, rest = divmod((len(ranked) - 1) * k, d)
        found[i] = ranked[low]
        if rest and ranked[low] < ranked[low + 1]:
            below, above = float(ranked[low]), float(ranked[low + 1])
            found[i] = _rid_of_noise((below * (d - rest) + above * rest) / d, max(abs(below), abs(above)))
    return found


def mean(ranked: Floats) -> float:
    """Mean of values in ascending order: the order they came in cannot change its last digit.

    Examples
    --------
    >>> mean(np.array([-0.3, 0.1, 0.2]))
    0.0
    """
    return _rid_of_noise(float(np.mean(ranked)), float(np.abs(ranked[[0, -1]]).max()))


def deviation(ranked: Floats) -> float:
    """Return the standard deviation of values in ascending order: exactly 0 where all are the same.

    Examples
    --------
    >>> deviation(np.array([0.1, 0.1, 0.1])), deviation(np.array([1.0, 3.0]))
    (0.0, 1.0)
    """
    return float(np.std(ranked)) if ranked[0] < ranked[-1] else 0.0


def beyond(cut: Cut) -> Cut:
    """Return the number that a value must exceed to be strictly better than an (upward) cut.

    Examples
    --------
    >>> 0.1 + 0.2 > 0.3, 0.1 + 0.2 > beyond(0.3)
    (True, False)
    """
    return cut + TOLERANCE * abs(cut)


def _rid_of_noise(value: float, scale: float) -> float:
    return value if abs(value) > TOLERANCE * scale else 0.0
