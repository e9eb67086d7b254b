"""Relative lifts: a ratio of two estimates, with the interval that belongs to the test of the lift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def fieller(
    value: ArrayLike,
    control_value: ArrayLike,
    variance: ArrayLike,
    control_variance: ArrayLike,
    *,
    low: ArrayLike,
    high: ArrayLike,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the relative lift and its interval.

    Parameters
    ----------
    value, control_value
        Of two independent samples.
    variance, control_variance
        Of these values.
    low, high
        The lift is not significant where it lies between so many standard errors; they need not be symmetrical.

    Returns
    -------
    relative_lift, lower, upper : array
        ``value / control_value - 1``, missing where control is not above 0; ends missing where the set of ratios that
        fit is unbounded: where control itself is not significantly above 0. The interval excludes 0 just where the lift
        is significant.

    Notes
    -----
    Fieller (1954), "Some problems in interval estimation", J. R. Stat. Soc. B 16: all r with
    ``low <= (value - (1 + r) control) / sqrt(variance + (1 + r)^2 control_variance) <= high``.

    Examples
    --------
    >>> [round(float(each), 3) for each in fieller(12.0, 10.0, 0.25, 0.25, low=-1.96, high=1.96)]
    [0.2, 0.057, 0.366]
    """
    top, base, of_top, of_base = (
        np.asarray(each, dtype=np.float64) for each in (value, control_value, variance, control_variance)
    )
    usable = base > 0
    ends = []
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        relative = np.where(usable, top / base - 1, np.nan)
        for q in (np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64)):
            room = base**2 - q**2 * of_base
            root = np.sqrt(of_top * room + top**2 * of_base)
            ends.append(np.where(usable & (room > 0), (base * top - q * root) / room - 1, np.nan))
    bounded = ~np.isnan(ends[0] + ends[1])
    return relative, np.where(bounded, ends[0], np.nan), np.where(bounded, ends[1], np.nan)
