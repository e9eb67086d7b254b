"""Which test each lift gets, its p-value, and the critical values that its intervals are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import stdtr, stdtrit

from toolkit.strategy.rerandomise import critical, equal_tailed, needs_rerandomisation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.lifts import Lifts
    from toolkit.strategy.rerandomise import Rerandomised

    Floats = NDArray[np.float64]
    Test = Literal["auto", "welch", "randomisation"]
    Redraw = Callable[[Mapping[int, NDArray[np.bool_]]], Mapping[int, Rerandomised]]
WELCH, RANDOMISATION = "welch", "randomisation"


@dataclass(frozen=True, eq=False)
class LiftTests:
    """Tests of ``P`` comparisons (a metric, an arm) with T + 1 rows each, the overall last; arrays (P, T + 1).

    Attributes
    ----------
    test
        ``welch``, ``randomisation``, or ``""`` where there is none.
    p_value, low, high
        Two-sided p-value, and the statistics between which a lift is not significant.
    draws
        Comparison -> overall statistics of arms dealt anew, where that test served.
    """

    test: NDArray[np.str_]
    p_value: Floats
    low: Floats
    high: Floats
    draws: dict[int, Floats]


def run_tests(found: Sequence[Lifts], alpha: float, test: Test, redraw: Redraw, *, groups: bool) -> LiftTests:
    """Choose and run a test for every lift.

    Parameters
    ----------
    found
        One per comparison.
    alpha
        Level, two-sided.
    test
        ``auto`` deals anew where `toolkit.strategy.rerandomise.needs_rerandomisation` says so.
    redraw
        Deals anew: gets comparison -> tiers whose draws are needed, shape (T + 1,), the last for the overall.
    groups
        Whether the units are groups.
    """
    lift, se, df, skewness, smaller = (
        np.array([getattr(one, name) for one in found]) for name in ("lift", "se", "df", "skewness", "smaller_arm")
    )
    there = np.array([[not reason for reason in one.why] for one in found])
    with np.errstate(invalid="ignore", divide="ignore"):
        statistic = np.where(there, lift / se, np.nan)
    p_value = 2 * stdtr(df, -np.abs(statistic))
    high = np.where(there, stdtrit(df, 1 - alpha / 2), np.nan)
    low = -high
    dealt = there & (
        needs_rerandomisation(skewness, smaller, groups=groups) if test == "auto" else test == RANDOMISATION
    )
    named = np.where(dealt, RANDOMISATION, np.where(there, WELCH, ""))
    draws = {}
    wanted = {at: rows for at, rows in enumerate(dealt) if rows.any()}
    for at, again in (redraw(wanted) if wanted else {}).items():
        for row in np.flatnonzero(dealt[at]):
            mine = again.overall if row == dealt.shape[1] - 1 else again.strata[:, row]
            p_value[at, row] = equal_tailed(statistic[at, row], mine)
            low[at, row], high[at, row] = critical(mine, alpha)
        if dealt[at, -1]:
            draws[at] = again.overall
    return LiftTests(named, p_value, low, high, draws)


def against(statistic: float, df: float, draws: Floats | None) -> float:
    """Return the two-sided p-value of another statistic of the same lift, by the same test."""
    if draws is not None:
        return equal_tailed(statistic, draws)
    return float(2 * stdtr(df, -abs(statistic)))
