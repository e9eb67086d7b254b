"""Lifts against control: in each tier, overall, and whether they differ between tiers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.strategy.arm_values import EVENTS, GROUPS, UNITS
from toolkit.strategy.interaction import wald, welch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.strategy.arm_values import ArmValues
    from toolkit.strategy.experiment import Kind

    Floats = NDArray[np.float64]

FEW_UNITS = f"fewer than {UNITS} units in an arm"
FEW_EVENTS = f"fewer than {EVENTS} events or non-events in an arm"
FEW_GROUPS = f"fewer than {GROUPS} groups in an arm"
NO_DENOMINATOR = "the denominator adds up to 0 in an arm"
FLAT = "does not vary"
APART = "no tier has two units in both arms"
REASONS = (FEW_UNITS, FEW_EVENTS, FEW_GROUPS, NO_DENOMINATOR, FLAT, APART)
"""Everything that ``why`` can say of a missing estimate or test."""
_COUNTED = ("proportion", "retention")


@dataclass(frozen=True, eq=False)
class Lifts:
    """One metric, one arm against control: a row per tier and, last, the weighted overall; arrays of length T + 1.

    Attributes
    ----------
    n, control_n
        Units of analysis.
    value, control_value, lift, se, df
        Missing where the estimate is.
    variance, control_variance
        Of the two values.
    variance_ratio
        Variance of the lift over that without the covariate; 1 without.
    why
        Why an estimate or its test is missing, else ``""``.
    weights
        Of the tiers in the overall, shape (T,): 0 where a tier takes no part.
    covered
        Share of all units whose tiers take part.
    skewness, smaller_arm
        What the choice of the test looks at.
    rates, rows
        Of a proportion of units: the two weighted shares of events, unadjusted, and by how many independent units
        each is known; missing otherwise.
    interaction
        F statistic, its degrees of freedom and p-value; missing where fewer than two tiers can be compared.
    """

    n: NDArray[np.int64]
    control_n: NDArray[np.int64]
    value: Floats
    control_value: Floats
    lift: Floats
    se: Floats
    df: Floats
    variance: Floats
    control_variance: Floats
    variance_ratio: Floats
    why: list[str]
    weights: Floats
    covered: float
    skewness: Floats
    smaller_arm: Floats
    rates: tuple[float, float]
    rows: tuple[float, float]
    interaction: tuple[float, float, float, float]


def lifts(
    found: ArmValues,
    kind: Kind,
    arms: tuple[int, int],
    *,
    customers: NDArray[np.float64],
    across: Floats | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Lifts:
    """Compare an arm with control.

    Parameters
    ----------
    found
        Values by tier and arm.
    kind
        Of the metric.
    arms
        Positions of the arm and of control.
    customers
        Customers by tier and arm, shape (T, A): they are the units, except where groups are.
    across
        Covariance of each arm's values between tiers, shape (A, T, T), where groups were assigned.
    groups
        Groups by arm, shape (A,), then.

    Notes
    -----
    Overall: sum of w x lift, w the tier's share of all units of all arms (of the tiers that take part: two units in
    both arms). Degrees of freedom: Welch (1947), "The generalization of Student's problem", Biometrika 34, and
    Satterthwaite (1946), over all tiers and both arms. A variance without degrees of freedom is missing.
    """
    pair = list(arms)
    n, sizes = found.n[:, pair], customers[:, pair]
    value, variance = found.value[:, pair], found.variance[:, pair]
    if across is not None:
        variance = np.stack([np.diagonal(across[one]) for one in pair], axis=1)
    there = np.asarray((n >= 2).all(axis=1))
    usable = there & np.asarray(np.isfinite(value).all(axis=1))
    shares = customers.sum(axis=1) / customers.sum()
    covered = float(shares[usable].sum())
    weights = np.where(usable, shares, 0.0) / (covered or 1.0)
    w = weights[usable]

    freedom = n - 1.0
    parts = w[:, None] ** 2 * variance[usable]
    all_value = w @ value[usable]
    all_variance, all_freedom = parts.sum(axis=0), freedom[usable]
    if across is not None and groups is not None:
        inner = np.ix_(usable, usable)
        all_variance = np.array([w @ across[one][inner] @ w for one in pair])
        parts, all_freedom = all_variance[None, :], groups[pair][None, :] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        df = variance.sum(axis=1) ** 2 / (variance**2 / freedom).sum(axis=1)
        all_df = parts.sum() ** 2 / (parts**2 / all_freedom).sum()
    if not usable.any():
        all_value = all_variance = np.full(2, np.nan)

    units = np.vstack([n, n.sum(axis=0) if groups is None else groups[pair]])
    values, variances = np.vstack([value, all_value]), np.vstack([variance, all_variance])
    totals = np.vstack([found.total[:, pair], found.total[there][:, pair].sum(axis=0)])
    people = np.vstack([sizes, sizes[there].sum(axis=0)])
    spread = np.append(variance.sum(axis=1), all_variance.sum())
    finite = np.asarray(np.isfinite(values).all(axis=1))
    why = _reasons(kind, units, people, totals, finite=finite, spread=spread, grouped=groups is not None)
    if not there.any():
        why[-1] = APART
    known = np.array([not reason or reason == FLAT for reason in why])
    moving = np.array([not reason for reason in why])
    shown = np.where(known[:, None], values, np.nan)
    tested, lift = moving[:-1], (shown[:, 0] - shown[:, 1])[:-1]
    skewness, smaller = _shape(found, n, usable, w)
    return Lifts(
        units[:, 0],
        units[:, 1],
        shown[:, 0],
        shown[:, 1],
        shown[:, 0] - shown[:, 1],
        np.where(known, np.sqrt(spread), np.nan),
        np.where(moving, np.append(df, all_df), np.nan),
        variances[:, 0],
        variances[:, 1],
        _variance_ratio(found, pair, usable, w),
        why,
        weights,
        covered,
        skewness,
        smaller if groups is None else np.append(smaller[:-1], groups[pair].min()),
        *_rates(kind, found.total[usable][:, pair], n[usable], w, grouped=groups is not None),
        welch(lift[tested], variance.sum(axis=1)[tested], df[tested])
        if across is None or groups is None
        else wald(lift[tested], [across[one][np.ix_(tested, tested)] for one in pair], groups[pair]),
    )


def _rates(
    kind: Kind, events: Floats, units: NDArray[np.int64], w: Floats, *, grouped: bool
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return weighted shares of events and the units behind each: those of Kish (1965), "Survey Sampling"."""
    if kind not in _COUNTED or grouped or not len(w):
        return (np.nan, np.nan), (np.nan, np.nan)
    one, other = w @ (events / units)
    mine, control = 1 / (w[:, None] ** 2 / units).sum(axis=0)
    return (float(one), float(other)), (float(mine), float(control))


def _reasons(
    kind: Kind,
    units: NDArray[np.int64],
    customers: Floats,
    totals: Floats,
    *,
    finite: NDArray[np.bool_],
    spread: Floats,
    grouped: bool,
) -> list[str]:
    few = np.where((customers < UNITS).any(axis=1), FEW_UNITS, "")
    if kind in _COUNTED:
        least = np.minimum(totals, customers - totals).min(axis=1)
        few = np.where(least < EVENTS - 0.5, FEW_EVENTS, "")
    if grouped:
        few = np.where((units < GROUPS).any(axis=1) & (few == ""), FEW_GROUPS, few)
    few = np.where((few == "") & ~finite, NO_DENOMINATOR, few)
    return [str(one) for one in np.where((few == "") & ~(spread > 0), FLAT, few)]


def _variance_ratio(found: ArmValues, pair: list[int], usable: NDArray[np.bool_], w: Floats) -> Floats:
    both = [each[:, pair].sum(axis=1) for each in (found.variance, found.raw_variance)]
    if found.variance is found.raw_variance:
        return np.ones(len(both[0]) + 1)
    adjusted, raw = (np.append(each, w**2 @ each[usable]) for each in both)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(raw > 0, adjusted / raw, 1.0)


def _shape(found: ArmValues, n: NDArray[np.int64], usable: NDArray[np.bool_], w: Floats) -> tuple[Floats, Floats]:
    """Return skewness and size of the smaller arm, by tier and overall.

    Overall, the smaller arm is the harmonic one: it equals the arm where shares are the same in all tiers.
    """
    units = found.n.sum(axis=1)[usable]
    second, third = found.second[usable] @ units, found.third[usable] @ units
    total = units.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        skewness = np.append(found.skewness, np.where(second > 0, third * np.sqrt(total) / second**1.5, 0.0))
        harmonic = 1 / (w[:, None] ** 2 / n[usable]).sum(axis=0)
    return skewness, np.append(n.min(axis=1), harmonic.min()).astype(np.float64)
