"""The randomisation test where whole groups were assigned: groups are dealt anew, customers stay in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.strategy.rerandomise import Rerandomised, checked, studentised
from toolkit.strategy.subset_sums import masks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CELLS = 2_000_000
_ROUNDING = 1e-12


def rerandomise_groups(
    sums: Floats,
    sizes: Floats,
    treated: NDArray[np.bool_],
    strata: NDArray[np.intp],
    weights: Floats,
    *,
    draws: int,
    seed: int,
) -> Rerandomised:
    """Deal whole groups anew to two arms, as many to each as it had, within strata of groups.

    Parameters
    ----------
    sums, sizes
        Sum of the outcome, and customers (or sum of the denominator), per group and tier: shape (groups, tiers); 0
        where a group has no customer of a tier.
    treated
        Whether the group is in the treated arm (else: control), shape (groups,).
    strata
        Number of the group's stratum of assignment, from 0; all 0 where groups were assigned together.
    weights
        Weight of each tier in the overall difference; need not add up to 1.
    draws, seed
        How often, and the seed.

    Returns
    -------
    Rerandomised
        ``strata`` per tier: d / sqrt(v), d the difference of ratios R = sum of sums / sum of sizes, v the sum over
        arms of sum u^2 / (n (n - 1)), n the arm's groups, u = (y - R x) / mean(x) over them. ``overall``: sum w d
        over the same of sum w u, so that what tiers share within groups counts. A tier of which an arm has no
        customer in a draw takes no part in that draw.

    Raises
    ------
    ArgumentError
        No draws, arrays of unequal length, a value that is not finite, fewer than two groups in an arm.

    Notes
    -----
    The variance of a ratio over groups: Cochran (1977), "Sampling Techniques", chapter 6. Dealing groups anew: Gail,
    Mark, Carroll, Green, Pee (1996), "On design considerations and randomization-based inference for community
    intervention trials", Statistics in Medicine 15.

    Examples
    --------
    >>> sums, sizes = np.arange(12.0)[:, None], np.full((12, 1), 5.0)
    >>> first, one = np.zeros(12, dtype=np.intp), np.ones(1)
    >>> dealt = rerandomise_groups(sums, sizes, np.arange(12) >= 6, first, one, draws=999, seed=0)
    >>> dealt.strata.shape, bool(np.allclose(dealt.strata[:, 0], dealt.overall))
    ((999, 1), True)
    """
    sums, sizes = np.asarray(sums, dtype=np.float64), np.asarray(sizes, dtype=np.float64)
    weights, treated = np.asarray(weights, dtype=np.float64), np.asarray(treated, dtype=np.bool_)
    strata = np.asarray(strata)
    checked(draws, (sums, sizes, treated, strata))
    if min(int(treated.sum()), int((~treated).sum())) < 2:
        raise ArgumentError("groups", "an arm has fewer than two groups", hint="assign more groups")
    chances = np.random.SeedSequence(seed).spawn(int(strata.max()) + 1)
    parts = [(np.flatnonzero(strata == number), np.random.default_rng(one)) for number, one in enumerate(chances)]
    total = sizes.sum(axis=0)
    left = sums - sums.sum(axis=0) / np.where(total > 0, total, 1.0) * sizes
    both = np.hstack([left, sizes])
    products = (both[:, :, None] * both[:, None, :]).reshape(len(both), -1)
    overall, tiers = np.empty(draws), np.empty((draws, len(weights)))
    step = max(1, _CELLS // len(both))
    for start in range(0, draws, step):
        many = min(step, draws - start)
        dealt = np.empty((many, len(both)))
        for part, rng in parts:
            dealt[:, part] = masks(len(part), int(treated[part].sum()), draws=many, rng=rng).T
        arms = [_linearised(arm @ both, arm @ products, int(arm[0].sum())) for arm in (dealt, 1 - dealt)]
        difference = arms[0][0] - arms[1][0]
        covariance = arms[0][1] + arms[1][1]
        known = np.where(np.isnan(difference), 0.0, weights)
        variance = np.einsum("dt,dtu,du->d", known, np.nan_to_num(covariance), known)
        rows = slice(start, start + many)
        found = studentised((np.nan_to_num(difference) * known).sum(axis=1), variance)
        overall[rows] = np.where(known.any(axis=1), found, np.nan)
        tiers[rows] = studentised(difference, np.diagonal(covariance, axis1=1, axis2=2))
    return Rerandomised(overall, tiers, exact=True)


def _linearised(sums: Floats, products: Floats, groups: int) -> tuple[Floats, Floats]:
    """Return ratios (draws, tiers) of one arm and their covariance (draws, tiers, tiers)."""
    tiers = sums.shape[1] // 2
    y, x = sums[:, :tiers], sums[:, tiers:]
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(x > 0, y / x, np.nan)
    square = products.reshape(len(sums), 2 * tiers, 2 * tiers)
    down, across = ratio[:, :, None], ratio[:, None, :]
    mixed = square[:, :tiers, tiers:]
    pure, even = square[:, :tiers, :tiers], square[:, tiers:, tiers:]
    squares = pure - across * mixed - down * mixed.transpose(0, 2, 1) + down * across * even
    rounding = _ROUNDING * (np.abs(pure) + np.abs(down * across) * even)
    squares = np.where(np.abs(squares) <= rounding, 0.0, squares)
    with np.errstate(invalid="ignore", divide="ignore"):
        return ratio, squares * groups / ((groups - 1) * x[:, :, None] * x[:, None, :])
