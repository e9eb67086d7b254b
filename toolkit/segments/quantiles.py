"""Quantiles, means and comparisons that neither rounding nor the order of rows can tip."""

from __future__ import annotations

from math import ceil, floor, isinf
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.rules.conditions import Sign

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


def compared(values: NDArray[Any], sign: Sign, cut: float) -> NDArray[np.bool_]:
    """Compare values with a cut so that neither rounding nor a change of unit tips one that is at the cut.

    Parameters
    ----------
    values
        Whole numbers or floats; missing (NaN) compares false.
    sign
        Such as ``>``: strictly better than the cut.
    cut
        In the unit of the values; infinite: nobody is above it.

    Examples
    --------
    >>> compared(np.array([0.1 + 0.2, 0.4, np.nan]), ">", 0.3).tolist()
    [False, True, False]
    >>> compared(np.array([0.1 + 0.2, 0.4, np.nan]), "<=", 0.3).tolist()
    [True, False, False]
    """
    bound = cut if isinf(cut) else float(beyond(cut)) if sign in ("<=", ">") else -float(beyond(-cut))
    if values.dtype.kind == "i" and not isinf(bound):
        bound = floor(bound) if sign in ("<=", ">") else ceil(bound)
    answers: NDArray[np.bool_] = _COMPARE[sign](values, bound)
    return answers


_COMPARE: dict[Sign, np.ufunc] = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}


def _rid_of_noise(value: float, scale: float) -> float:
    return value if abs(value) > TOLERANCE * scale else 0.0
