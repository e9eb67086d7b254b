"""How probably a two-sided test of a difference finds an effect, and how many units it needs for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from toolkit.errors import ArgumentError
from toolkit.strategy.bisection import smallest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_MOST_UNITS = 1e15
_PRECISE = 1e-12
_FAR = 1e3
_FURTHEST = 100.0


def power_at(effect: ArrayLike, se: ArrayLike, df: ArrayLike, alpha: ArrayLike = 0.05) -> NDArray[np.float64]:
    """Return the power of a two-sided t-test of an estimate with this standard error.

    Parameters
    ----------
    effect
        True value of what is estimated; its sign is of no account.
    se
        Standard error of the estimate, above 0, in the unit of ``effect``.
    df
        Degrees of freedom of the standard error; infinite for the normal distribution.
    alpha
        Level of the test.

    Returns
    -------
    array
        Probabilities, of the shape that the arguments broadcast to; both tails are counted.

    Notes
    -----
    Noncentral t with noncentrality ``effect / se`` (Cohen 1988, "Statistical power analysis", 2nd ed., section 12.9.1).

    Examples
    --------
    >>> power_at([0.0, 2.8, 2.8], 1.0, [np.inf, np.inf, 18]).round(4).tolist()
    [0.05, 0.7996, 0.7543]
    """
    delta, spread, free, level = np.broadcast_arrays(*_floats(effect, se, df, alpha))
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.abs(delta) / spread
    critical = stats.t.isf(level / 2, free)
    normal = stats.norm.sf(critical - apart) + stats.norm.cdf(-critical - apart)
    # beyond that both are 1, and scipy overflows
    curved = np.isfinite(free) & (apart < _FAR * np.maximum(critical, 1))
    own, shift = np.where(curved, free, 1.0), np.where(curved, apart, 0.0)
    # scipy has no number for the far tail where that is under 1e-12
    exact = stats.nct.sf(critical, own, shift) + np.nan_to_num(stats.nct.cdf(-critical, own, shift))
    found: NDArray[np.float64] = np.where(curved, exact, normal)
    return found


def standard_error(
    effect: ArrayLike,
    *,
    treated: ArrayLike,
    control: ArrayLike,
    sd: ArrayLike | None = None,
    rate: ArrayLike | None = None,
    factor: ArrayLike = 1.0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the standard error of a difference of two arms and its degrees of freedom, under the alternative.

    Parameters
    ----------
    effect
        Difference of the arms; it sets the variance of the treated arm where a ``rate`` is given.
    treated, control
        Units per arm; need not be whole.
    sd
        Standard deviation of the outcome in both arms, or
    rate
        share of the control arm, whose variance is ``rate * (1 - rate)``; the treated arm has ``rate + effect``.
    factor
        What the variance is multiplied by: ``(1 - rho**2) * design_effect``.

    Returns
    -------
    se, df : array
        Missing where ``rate + effect`` is no share or an arm has fewer than two units. ``df`` by Welch and
        Satterthwaite.

    Raises
    ------
    ArgumentError
        Both of ``sd`` and ``rate`` are given, or neither.

    Examples
    --------
    >>> se, df = standard_error(0.1, treated=100, control=100, rate=0.5)
    >>> float(se.round(4)), float(df.round(1))
    (0.07, 197.9)
    """
    if (sd is None) == (rate is None):
        raise ArgumentError("power", "give either sd or rate", hint="sd=30.0 for a mean, rate=0.12 for a share")
    delta, n1, n0, level, times = np.broadcast_arrays(
        *_floats(effect, treated, control, sd if rate is None else rate, factor)
    )
    if rate is not None:
        raised = level + delta
        inside = (raised >= -_PRECISE) & (raised <= 1 + _PRECISE)
        v0, v1 = level * (1 - level), np.where(inside, np.clip(raised * (1 - raised), 0, None), np.nan)
    else:
        v1 = v0 = level**2
    enough = (n1 >= 2) & (n0 >= 2)
    more1, more0 = np.where(enough, n1, 2.0), np.where(enough, n0, 2.0)
    part1, part0 = v1 / more1 * times, v0 / more0 * times
    total = part1 + part0
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(total == 0, more1 + more0 - 2, total**2 / (part1**2 / (more1 - 1) + part0**2 / (more0 - 1)))
    return np.where(enough, np.sqrt(total), np.nan), np.where(enough, df, np.nan)


def power(
    effect: ArrayLike,
    *,
    treated: ArrayLike,
    control: ArrayLike,
    sd: ArrayLike | None = None,
    rate: ArrayLike | None = None,
    factor: ArrayLike = 1.0,
    alpha: ArrayLike = 0.05,
    df: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the power of Welch's two-sided test of a difference of means or shares.

    Parameters
    ----------
    effect, treated, control, sd, rate, factor
        As for `standard_error`; all broadcast.
    alpha
        Level of the test.
    df
        Degrees of freedom instead of Welch's: of groups, where whole groups are assigned.

    Returns
    -------
    array
        Probabilities; missing where `standard_error` is.

    Raises
    ------
    ArgumentError
        As for `standard_error`.

    Notes
    -----
    Equal to ``power.t.test`` of R and ``TTestIndPower`` of statsmodels for two arms of the same size.

    Examples
    --------
    >>> power(5.0, treated=[20, 64], control=[20, 64], sd=10.0).round(4).tolist()
    [0.3379, 0.8015]
    >>> float(power(0.03, treated=4_000, control=4_000, rate=0.3).round(3))
    0.824
    """
    se, free = standard_error(effect, treated=treated, control=control, sd=sd, rate=rate, factor=factor)
    return power_at(effect, se, free if df is None else df, alpha)


def mde(
    target: float,
    *,
    treated: ArrayLike,
    control: ArrayLike,
    sd: ArrayLike | None = None,
    rate: ArrayLike | None = None,
    factor: ArrayLike = 1.0,
    alpha: ArrayLike = 0.05,
    df: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """Return the smallest effect that is found with a given power.

    Parameters
    ----------
    target
        Power, above ``alpha`` and under 1.
    treated, control, sd, rate, factor, alpha, df
        As for `power`.

    Returns
    -------
    array
        Positive, in the unit of ``sd`` or as a share; missing where no rise of the rate is large enough.

    Raises
    ------
    ArgumentError
        As for `standard_error`.

    Examples
    --------
    >>> mde(0.8, treated=64, control=64, sd=10.0).round(2).tolist()
    4.99
    >>> mde(0.8, treated=[50, 5_000], control=[50, 5_000], rate=0.3).round(3).tolist()
    [0.27, 0.026]
    """

    def reached(effect: NDArray[np.float64]) -> NDArray[np.float64]:
        return power(effect, treated=treated, control=control, sd=sd, rate=rate, factor=factor, alpha=alpha, df=df)

    se, free = standard_error(0.0, treated=treated, control=control, sd=sd, rate=rate, factor=factor)
    if rate is not None:
        (share,) = _floats(rate)
        return smallest(reached, target, 1 - share + np.zeros(reached(np.zeros(())).shape))
    free, level = np.broadcast_arrays(*_floats(free if df is None else df, alpha))
    return smallest(reached, target, _FURTHEST * se * (stats.t.isf(level / 2, free) + stats.t.isf(1 - target, free)))


def units_needed(
    effect: ArrayLike,
    *,
    target: float,
    treated: ArrayLike = 0.5,
    control: ArrayLike = 0.5,
    sd: ArrayLike | None = None,
    rate: ArrayLike | None = None,
    factor: ArrayLike = 1.0,
    alpha: ArrayLike = 0.05,
) -> NDArray[np.float64]:
    """Return how many units it takes, all arms together, to find an effect with a given power.

    Parameters
    ----------
    effect
        The effect, not 0.
    target
        Power.
    treated, control
        Shares of the two arms among the units; together at most 1.
    sd, rate, factor, alpha
        As for `power`.

    Returns
    -------
    array
        Whole numbers as float64: the smallest at which the power is reached. Missing where ``rate + effect`` is no
        share.

    Raises
    ------
    ArgumentError
        As for `standard_error`.

    Examples
    --------
    >>> units_needed(5.0, target=0.8, sd=10.0).tolist()
    128.0
    >>> units_needed(5.0, target=0.8, sd=10.0, factor=1 - 0.6**2).tolist()
    83.0
    """
    share1, share0 = _floats(treated, control)

    def reached(units: NDArray[np.float64]) -> NDArray[np.float64]:
        n1, n0 = units * share1, units * share0
        return power(effect, treated=n1, control=n0, sd=sd, rate=rate, factor=factor, alpha=alpha)

    most = np.full(reached(np.asarray(_MOST_UNITS)).shape, _MOST_UNITS)
    return np.ceil(smallest(reached, target, most, lower=2 / np.minimum(share1, share0)))


def cuped_sd(sd: ArrayLike, rho: ArrayLike) -> NDArray[np.float64]:
    """Return the standard deviation that is left when a covariate explains its part.

    Parameters
    ----------
    sd
        Standard deviation of the outcome.
    rho
        Correlation of outcome and covariate.

    Notes
    -----
    Deng, Xu, Kohavi and Walker (2013), "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data", equation 4.

    Examples
    --------
    >>> float(cuped_sd(10.0, 0.6))
    8.0
    """
    spread, correlation = _floats(sd, rho)
    left: NDArray[np.float64] = spread * np.sqrt(1 - correlation**2)
    return left


def _floats(*parts: ArrayLike | None) -> list[NDArray[np.float64]]:
    return [np.asarray(part, dtype=np.float64) for part in parts]
