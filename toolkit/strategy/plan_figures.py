"""What the history of a tier says of its primary metric, and what an experiment of some size learns from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from toolkit.strategy.arm_values import EVENTS, GROUPS, UNITS
from toolkit.strategy.bisection import smallest
from toolkit.strategy.grouping import design_effect, icc
from toolkit.strategy.lifts import FEW_EVENTS, FEW_GROUPS, FEW_UNITS, FLAT
from toolkit.strategy.plan_history import GROUP, PER, TIER, X, Y
from toolkit.strategy.power import mde, power, power_at, units_needed

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.strategy.experiment import Kind

    Floats = NDArray[np.float64]

NO_HISTORY = "nobody was in this tier a window ago"
COUNTED = ("proportion", "retention")
_MOST_TIMES = 1e9
_FURTHEST = 1e3
_LEAST_FREEDOM = 0.5
"""Of a variance from fewer than two units, which only a search for the units needed comes by."""
_OWN_GROUPS = 20
"""Groups of a tier under which members are taken to be as alike as those of all tiers."""


@dataclass(frozen=True, eq=False)
class Past:
    """The primary metric in ``T`` tiers a window ago; arrays of shape (T,).

    Attributes
    ----------
    counted
        Whether it is a share of units: then the variance follows from the rate.
    baseline, sd, rho, skewness
        Value, standard deviation of a unit's contribution to it, its correlation with the covariate, and how skewed it
        is once the covariate is taken off.
    effect
        Design effect of groups: 1 where customers are assigned one by one.
    icc, overall_effect
        Intraclass correlation of the contributions within tiers, and the design effect of all tiers together.
    """

    counted: bool
    baseline: Floats
    sd: Floats
    rho: Floats
    skewness: Floats
    effect: Floats
    icc: float
    overall_effect: float

    @property
    def left(self) -> Floats:
        """Share of the variance that the covariate leaves."""
        return 1 - self.rho**2


def past_figures(past: pd.DataFrame, pool: pd.DataFrame, kind: Kind) -> Past:
    """Describe the primary metric by tier.

    Parameters
    ----------
    past, pool
        As `toolkit.strategy.plan_history.History` holds them.
    kind
        Of the metric.

    Notes
    -----
    A unit's contribution to a ratio is ``(y - ratio * per) / mean(per)`` (delta method).
    """
    order = past[TIER].cat.categories
    tier = past[TIER].cat.codes.to_numpy()
    rows = {name: past[name].to_numpy(dtype=np.float64) for name in (Y, PER, X) if name in past}
    shape = len(order)
    baseline, sd, rho, skewness = (np.full(shape, np.nan) for _ in range(4))
    residual = np.zeros(len(past))
    for number in range(shape):
        mine = tier == number
        if mine.sum() < 2:
            continue
        y = rows[Y][mine]
        per = rows[PER][mine] if PER in rows else np.ones(len(y))
        if per.sum() == 0:
            continue
        baseline[number] = y.sum() / per.sum()
        part = (y - baseline[number] * per) / per.mean()
        sd[number] = np.sqrt(baseline[number] * (1 - baseline[number])) if kind in COUNTED else part.std(ddof=1)
        rho[number] = 0.0
        if X in rows and part.std() > 0 and rows[X][mine].std() > 0:
            x = rows[X][mine] - rows[X][mine].mean()
            rho[number] = np.corrcoef(part, x)[0, 1]
            part = part - x * (part @ x) / (x @ x)
        skewness[number] = stats.skew(part) if part.std() > 0 else 0.0
        residual[mine] = part
    alike, effect, overall = float("nan"), np.ones(shape), 1.0
    if GROUP in pool:
        group = past[GROUP].astype("category").cat.codes.to_numpy()
        alike = icc(residual, group)
        overall = design_effect(alike, pool.groupby(GROUP).size())
        for number, name in enumerate(order):
            mine = tier == number
            own = icc(residual[mine], group[mine]) if len(np.unique(group[mine])) >= _OWN_GROUPS else np.nan
            sizes = pool.loc[pool[TIER] == name, GROUP].value_counts()
            effect[number] = design_effect(alike if np.isnan(own) else own, sizes)
    return Past(kind in COUNTED, baseline, sd, rho, skewness, effect, alike, overall)


@dataclass(frozen=True, eq=False)
class Comparison:
    """One arm against control in every tier: sizes, and what they can find.

    Attributes
    ----------
    past
        The metric.
    treated, control
        Units per tier, shape (T,).
    groups
        Groups of both arms by tier, shape (T,), and of both arms together; None where customers are assigned.
    weights
        Of the tiers in the overall, shape (T,).
    """

    past: Past
    treated: NDArray[np.int64]
    control: NDArray[np.int64]
    weights: Floats
    groups: tuple[Floats, float] | None = None

    def why_not(self) -> NDArray[np.str_]:
        """Say why `evaluate` will give no estimate of a tier; empty where it will."""
        past, least = self.past, np.minimum(self.treated, self.control)
        few = np.where(least < UNITS, FEW_UNITS, "")
        if past.counted:
            rare = least * np.minimum(past.baseline, 1 - past.baseline)
            few = np.where(rare < EVENTS, FEW_EVENTS, "")
        if self.groups is not None:
            few = np.where((few == "") & (self.groups[0] < 2 * GROUPS), FEW_GROUPS, few)
        few = np.where((few == "") & ~(past.sd > 0), FLAT, few)
        return np.where(np.isnan(past.baseline), NO_HISTORY, few)

    def power(self, effect: float, alpha: float) -> Floats:
        """Return the power by tier."""
        return power(effect, **self._sizes(), **self._spread(), alpha=alpha, df=self._df())

    def mde(self, target: float, alpha: float, *, adjusted: bool = True) -> Floats:
        """Return the smallest detectable effect by tier."""
        return mde(target, **self._sizes(), **self._spread(adjusted=adjusted), alpha=alpha, df=self._df())

    def units_needed(self, effect: float, target: float, alpha: float, shares: tuple[Floats, Floats]) -> Floats:
        """Return the units of all arms that a tier needs; ``shares`` are those of the arm and of control."""
        past, least = self.past, np.minimum(*shares)
        found = units_needed(effect, target=target, treated=shares[0], control=shares[1], **self._spread(), alpha=alpha)
        with np.errstate(divide="ignore"):
            rare = EVENTS / np.minimum(past.baseline, 1 - past.baseline) if past.counted else UNITS
            fewest = np.ceil(rare / least)
        return np.where(np.isfinite(fewest), np.maximum(found, fewest), np.nan)

    def overall_power(self, effect: float, alpha: float, times: float = 1.0) -> float:
        """Return the power of the weighted overall, with so many times the units."""
        return float(power_at(*self._overall(effect, times=times), alpha))

    def overall_mde(self, target: float, alpha: float, *, adjusted: bool = True) -> float:
        """Return the smallest overall lift that is found, from an effect that is the same in all tiers."""
        if not self._usable().any():
            return float("nan")

        def reached(effect: Floats) -> Floats:
            return power_at(*self._overall(float(effect), adjusted=adjusted), alpha)

        upper = 1.0 if self.past.counted else _FURTHEST * self._overall(0.0, adjusted=adjusted)[1]
        return self._overall(float(smallest(reached, target, upper)))[0]

    def overall_units_needed(self, effect: float, target: float, alpha: float, units: int) -> float:
        """Return the units of all tiers and arms that the overall needs, the mix unchanged."""

        def reached(times: Floats) -> Floats:
            return np.asarray(self.overall_power(effect, alpha, float(times)))

        return float(np.ceil(units * smallest(reached, target, _MOST_TIMES, lower=1 / _MOST_TIMES)))

    def _usable(self) -> NDArray[np.bool_]:
        return (np.minimum(self.treated, self.control) >= 2) & np.isfinite(self.past.sd) & (self.weights > 0)

    def _overall(self, effect: float, *, adjusted: bool = True, times: float = 1.0) -> tuple[float, float, float]:
        """Return lift, standard error and degrees of freedom.

        Tiers without two units in both arms take no part, and a rate rises to 1 at most.
        """
        usable, past = self._usable(), self.past
        w = self.weights[usable] / max(self.weights[usable].sum(), np.finfo(float).tiny)
        n1, n0 = self.treated[usable] * times, self.control[usable] * times
        lift, v1 = np.full(len(w), effect), past.sd[usable] ** 2
        v0 = v1
        if past.counted:
            base = past.baseline[usable]
            lift = np.minimum(effect, 1 - base)
            v1, v0 = (base + lift) * (1 - base - lift), base * (1 - base)
        left = (past.left[usable] if adjusted else 1.0) * past.overall_effect * w**2
        parts = np.stack([left * v1 / n1, left * v0 / n0])
        total = float(parts.sum())
        freedom = np.maximum(np.stack([n1, n0]) - 1, _LEAST_FREEDOM)
        df = float(total**2 / (parts**2 / freedom).sum()) if total > 0 else float("nan")
        if self.groups is not None:
            df = max(self.groups[1] * times - 2, 1.0)
        return float(w @ lift), np.sqrt(total), df

    def _sizes(self) -> dict[str, NDArray[np.int64]]:
        return {"treated": self.treated, "control": self.control}

    def _spread(self, *, adjusted: bool = True) -> dict[str, Floats]:
        known = {"rate": self.past.baseline} if self.past.counted else {"sd": self.past.sd}
        return known | {"factor": self.past.effect * (self.past.left if adjusted else 1.0)}

    def _df(self) -> Floats | None:
        return None if self.groups is None else np.maximum(self.groups[0] - 2, 1.0)
