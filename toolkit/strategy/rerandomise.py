"""The randomisation test: what a studentised difference does when arms are dealt anew within tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.strategy.subset_sums import blocks, subset_sums

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

FEW_GROUPS = 50
"""Groups per arm below which a t-test is not trusted."""
_RULE = 355
_TIE = 1e-9
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Rerandomised:
    """Studentised statistics of arms dealt anew.

    Attributes
    ----------
    overall
        Sum of weighted differences over its standard error, shape (draws,).
    strata
        Each stratum's (or, of groups, tier's) difference over its standard error, shape (draws, strata); missing
        where there is none: fewer than two units in an arm.
    exact
        Whether every draw is a draw of whole units: no stratum was binned.
    """

    overall: Floats
    strata: Floats
    exact: bool


def needs_rerandomisation(skewness: ArrayLike, smaller_arm: ArrayLike, *, groups: bool = False) -> NDArray[np.bool_]:
    """Tell where a t-test would lie, so that arms have to be dealt anew instead.

    Parameters
    ----------
    skewness
        Of the pooled sample within tiers, both arms together; missing where nothing varies.
    smaller_arm
        Units (or groups) in the smaller arm, of the same shape.
    groups
        Whether whole groups were assigned: then fewer than 50 in an arm are too few, whatever their skewness.

    Returns
    -------
    array
        True where ``|skewness| / sqrt(smaller_arm) > 1 / sqrt(355)``, or where groups are few.

    Notes
    -----
    Kohavi, Deng, Longbotham, Xu (2014), "Seven rules of thumb for web site experimenters", KDD, rule 7: a mean needs
    at least 355 s^2 users in each arm, s the skewness. It looks at nothing that dealing the arms anew would change,
    so the choice of the test is the same under every re-randomisation, and the chosen test stays exact. Where
    few groups end depends on the case: at 20 to 50 where they are alike (Cameron and Miller, 2015, "A practitioner's
    guide to cluster-robust inference", J. Human Resources 50); we take the upper end.

    Examples
    --------
    >>> needs_rerandomisation([0.5, 6.2], [1_000, 10_000]).tolist()
    [False, True]
    """
    units = np.asarray(smaller_arm, dtype=np.float64)
    lopsided: NDArray[np.bool_] = np.abs(np.asarray(skewness, dtype=np.float64)) * np.sqrt(_RULE) > np.sqrt(units)
    return lopsided | (units < FEW_GROUPS) if groups else lopsided


def rerandomise(
    values: Floats,
    treated: NDArray[np.bool_],
    strata: NDArray[np.intp],
    weights: Floats,
    *,
    draws: int,
    seed: int,
    sizes: Floats | None = None,
) -> Rerandomised:
    """Deal two arms anew within strata, as many units to each as it had, and compare them each time.

    Parameters
    ----------
    values
        Outcome per unit, finite, shape (units,); of a ratio: the numerator.
    treated
        Whether the unit is in the treated arm (else: control).
    strata
        Number of the unit's stratum (tier), from 0.
    weights
        Weight of each stratum in the overall difference; need not add up to 1.
    draws, seed
        How often, and the seed. Neither the order of the units nor other strata change a stratum's draws.
    sizes
        Denominator per unit, where the outcome of an arm is the ratio of two sums.

    Returns
    -------
    Rerandomised
        ``strata``: d / sqrt(v), d the difference of means and v = s1^2 / n1 + s0^2 / n0 the unpooled variance; of a
        ratio d is the difference of ratios and s^2 the variance of (y - R x) / mean(x), R the arm's own ratio.
        ``overall``: sum w d / sqrt(sum w^2 v). A stratum with fewer than two units in an arm takes no part.

    Raises
    ------
    ArgumentError
        No draws, arrays of unequal length, a value that is not finite.

    Notes
    -----
    Studentising keeps the test right where only means are equal and not whole distributions: Chung and Romano
    (2013), "Exact and asymptotically robust permutation tests", Annals of Statistics 41. Strata with few distinct
    values or few units are drawn exactly; of large ones the far-out units are, and the others in bins of like values
    with their exact covariance: see `toolkit.strategy.subset_sums`.

    Examples
    --------
    >>> values, treated = np.arange(8.0), np.arange(8) >= 4
    >>> dealt = rerandomise(values, treated, np.zeros(8, dtype=np.intp), np.ones(1), draws=999, seed=0)
    >>> equal_tailed(4.38, dealt.overall)
    0.04
    """
    values, weights = np.asarray(values, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    columns = (values,) if sizes is None else (values, np.asarray(sizes, dtype=np.float64))
    checked(draws, (*columns, treated, strata))
    found = np.full((2, draws, len(weights)), np.nan)
    exact = True
    for number, chance in enumerate(np.random.SeedSequence(seed).spawn(len(weights))):
        mine = np.asarray(strata) == number
        units, many = int(mine.sum()), int(np.asarray(treated)[mine].sum())
        if min(many, units - many) < 2:
            continue
        laid = blocks(_centred([column[mine] for column in columns]))
        exact &= laid.exact
        fewer = min(many, units - many)
        arms = subset_sums(laid, fewer, draws=draws, rng=np.random.default_rng(chance))
        compare = _means if sizes is None else _ratios
        difference, found[1, :, number] = compare(*arms, fewer, units - fewer)
        found[0, :, number] = difference if 2 * many <= units else -difference
    differences, variances = found
    known = ~np.isnan(differences) & (weights != 0)
    total, variance = np.where(known, differences, 0) @ weights, np.where(known, variances, 0) @ weights**2
    overall = np.where(known.any(axis=1), studentised(total, variance), np.nan)
    return Rerandomised(overall, studentised(differences, variances), exact)


def equal_tailed(statistic: float, draws: Floats) -> float:
    """Return the two-sided p-value of a statistic among those of arms dealt anew.

    Parameters
    ----------
    statistic
        What was observed, by the same formula.
    draws
        What dealing anew gave, shape (draws,). A missing draw counts against the statistic on both sides.

    Returns
    -------
    float
        2 min(1 + draws at or above it, 1 + draws at or below it) / (draws + 1), at most 1; missing where the
        statistic is. Draws within 1e-9 of it are ties: what was dealt is one of the deals, however it was rounded.

    Notes
    -----
    Phipson and Smyth (2010), "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9.

    Examples
    --------
    >>> equal_tailed(2.0, np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 0.5, -0.5, 0.2]))
    0.6
    """
    if np.isnan(statistic):
        return float("nan")
    low, high = _with_ties(draws)
    tail = 1 + min(int((high >= statistic).sum()), int((low <= statistic).sum()))
    return min(1.0, 2 * tail / (len(low) + 1))


def critical(draws: Floats, alpha: float) -> tuple[float, float]:
    """Return the two values between which a statistic is not significant: `equal_tailed` turned round.

    Parameters
    ----------
    draws
        As in `equal_tailed`.
    alpha
        Level, in (0, 1).

    Returns
    -------
    lower, upper : float
        ``equal_tailed(t, draws) < alpha`` just where t is below the one or above the other; infinite where draws are
        too few for the level. The interval of a difference is from d - upper x se to d - lower x se.

    Examples
    --------
    >>> lower, upper = critical(np.arange(-50.0, 50.0), 0.1)
    >>> round(lower, 6), round(upper, 6)
    (-46.0, 45.0)
    >>> equal_tailed(45.5, np.arange(-50.0, 50.0)) < 0.1 <= equal_tailed(45.0, np.arange(-50.0, 50.0))
    True
    """
    low, high = _with_ties(draws)
    rank = int(alpha * (len(low) + 1) / 2)
    while 2 * rank / (len(low) + 1) >= alpha:
        rank -= 1
    while min(1.0, 2 * (rank + 1) / (len(low) + 1)) < alpha:
        rank += 1
    if rank < 1:
        return -np.inf, np.inf
    return float(np.sort(low)[rank - 1]), float(np.sort(high)[len(high) - rank])


def _with_ties(draws: Floats) -> tuple[Floats, Floats]:
    draws = np.asarray(draws, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        near = np.where(np.isfinite(draws), _TIE * np.maximum(1.0, np.abs(draws)), 0.0)
    missing = np.isnan(draws)
    return np.where(missing, -np.inf, draws - near), np.where(missing, np.inf, draws + near)


def studentised(difference: Floats, variance: Floats) -> Floats:
    """Divide by the standard error; where nothing varies: 0 or infinite, as the difference is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = np.where(difference == 0, 0.0, difference / np.sqrt(variance))
    return np.where(np.isnan(difference) | np.isnan(variance), np.nan, found)


def checked(draws: int, columns: tuple[NDArray[np.generic], ...]) -> None:
    """Refuse what cannot be dealt anew."""
    if draws < 1:
        raise ArgumentError("draws", f"draws={draws} deals no arms anew", hint="draws=2_000")
    if len({len(column) for column in columns}) > 1:
        raise ArgumentError("length", "outcomes, arms and strata differ in length", hint="one entry per unit in each")
    for column in columns:
        count = int((~np.isfinite(column)).sum())
        if count:
            raise ArgumentError("not-finite", "outcomes are missing or infinite", count=count, hint="drop or fill them")


def _centred(columns: list[Floats]) -> Floats:
    """Return the units sorted by their values less what is common to both arms, shape (columns, units)."""
    values = columns[0]
    if len(columns) == 1:
        values = np.sort(values)
        values -= values[0] if values[0] == values[-1] else values.mean()
        return values[None]
    sizes = columns[1]
    total = sizes.sum()
    values = values - (values.sum() / total if total else 0.0) * sizes
    order = np.lexsort((sizes, values))
    return np.stack([values[order], sizes[order]])


def _means(inside: Floats, outside: Floats, n_inside: int, n_outside: int) -> tuple[Floats, Floats]:
    """Return difference of means and its variance from sums and sums of squares."""
    mean, variance = [], []
    for arm, n in ((inside, n_inside), (outside, n_outside)):
        mean.append(arm[:, 0] / n)
        variance.append(_positive(arm[:, 1] - arm[:, 0] ** 2 / n, arm[:, 1]) / (n * (n - 1)))
    return mean[0] - mean[1], variance[0] + variance[1]


def _ratios(inside: Floats, outside: Floats, n_inside: int, n_outside: int) -> tuple[Floats, Floats]:
    """Return difference of ratios and its linearised variance; missing where an arm's denominator is 0."""
    ratio, variance = [], []
    for arm, n in ((inside, n_inside), (outside, n_outside)):
        y, x, yy, yx, xx = arm.T
        with np.errstate(invalid="ignore", divide="ignore"):
            r = np.where(x > 0, y / x, np.nan)
            ratio.append(r)
            variance.append(_positive(yy - 2 * r * yx + r**2 * xx, yy + r**2 * xx) * n / ((n - 1) * x**2))
    return ratio[0] - ratio[1], variance[0] + variance[1]


def _positive(squares: Floats, scale: Floats) -> Floats:
    """Take a sum of squares that is no more than rounding as 0."""
    return np.where(squares <= _ROUNDING * scale, 0.0, squares)
