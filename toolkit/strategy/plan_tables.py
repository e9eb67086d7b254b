"""The tables of a plan, from its history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.strategy.allocation import allocate, split
from toolkit.strategy.plan_doubts import doubts
from toolkit.strategy.plan_figures import Comparison, past_figures
from toolkit.strategy.plan_history import GROUP, PER, TIER, X, Y
from toolkit.strategy.plan_simulation import Design, Simulated, simulate, simulations_of
from toolkit.strategy.plan_simulation_groups import simulate_groups
from toolkit.strategy.power import cuped_sd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.plan_figures import Past
    from toolkit.strategy.plan_history import History

OUT_OF_REACH = "the rate cannot rise by the smallest effect worth acting on"
_ALLOCATIONS = ("proportional", "neyman")
LEARNS = 0.5
"""Power under which a tier is better not tested by itself."""


@dataclass(frozen=True, eq=False)
class Sizes:
    """How many customers take part.

    Attributes
    ----------
    pool
        Per tier, those who are held out left aside.
    units
        Per tier, those there is room for.
    counts
        By tier and arm, shape (T, A).
    groups
        Groups by tier, and groups by arm; None where customers are assigned one by one.
    """

    pool: NDArray[np.int64]
    units: NDArray[np.int64]
    counts: NDArray[np.int64]
    groups: tuple[NDArray[np.float64], NDArray[np.int64]] | None


@dataclass(frozen=True, eq=False)
class Outset:
    """Everything that the tables are made of; arms by position in ``spec.arms``.

    Attributes
    ----------
    spec
        The experiment.
    order
        The tiers.
    shares
        By tier and arm, shape (T, A).
    past
        The primary metric by tier.
    sizes, neyman
        Who takes part in proportion to the tiers, and by weight times standard deviation.
    level
        Of the test of a tier.
    drawn
        The simulation.
    weekly
        Newcomers who take part, per tier and week.
    full
        Whether there is no room for more.
    """

    spec: Experiment
    order: tuple[str, ...]
    shares: NDArray[np.float64]
    past: Past
    sizes: Sizes
    neyman: Sizes
    level: float
    drawn: Simulated
    weekly: NDArray[np.float64]
    full: bool

    @property
    def overall_level(self) -> float:
        """Level of the test of the overall: the first step of Holm over arms."""
        return self.spec.alpha / (len(self.spec.arms) - 1)


def planned(found: History, spec: Experiment, *, simulations: int, seed: int) -> dict[str, Any]:
    """Compute the tables of a plan; see `toolkit.strategy.plan.Plan`."""
    order = tuple(map(str, found.pool[TIER].cat.categories))
    past = past_figures(found.past, found.pool, spec.metrics[spec.primary].kind)
    shares = np.array([[spec.shares(tier)[arm] for arm in spec.arms] for tier in order])
    control = list(spec.arms).index(spec.control)
    treated = [arm for arm in range(len(spec.arms)) if arm != control]
    rooms = _rooms(found, spec, past, shares, control)
    sizes, neyman = (_sizes(found, spec, shares, control, rooms[name].to_numpy()) for name in _ALLOCATIONS)
    reasons = [_comparison(past, sizes, (arm, control), shares).why_not() for arm in treated]
    level = spec.alpha / max(int((np.array(reasons) == "").sum()), 1)
    kind = spec.metrics[spec.primary].kind
    design = Design(kind, control, sizes.counts, spec.smallest_effect, level, spec.alpha / len(treated))
    weekly = np.fromiter(found.weekly.reindex(order, fill_value=0.0), dtype=np.float64) * (1 - spec.holdout)
    outset = Outset(
        spec,
        order,
        shares,
        past,
        sizes,
        neyman,
        level,
        _simulated(found, sizes, design, simulations, seed),
        weekly,
        full=int(rooms[_ALLOCATIONS[0]].sum()) < int(rooms["available"].sum()),
    )
    tiers = pd.concat([_tier_rows(outset, place, (arm, control)) for place, arm in enumerate(treated)])
    tiers = tiers.sort_index(key=lambda index: index.map(order.index), kind="stable")
    overall = pd.DataFrame([_overall_row(outset, place, (arm, control)) for place, arm in enumerate(treated)])
    overall = overall.set_index("arm")
    lacking = overall["units_needed"].max(skipna=False) - sizes.units.sum()
    more = doubts(spec, tiers, overall, rooms, past, simulations=outset.drawn.simulations, groups=sizes.groups)
    return {
        "tiers": tiers,
        "overall": overall,
        "allocation": rooms,
        "design_effect": past.overall_effect,
        "icc": past.icc,
        "days": (spec.closes_on - spec.assigned.first).days + 1,
        "weeks_to_fill": float(_weeks([lacking], outset.weekly.sum(keepdims=True), full=outset.full)[0]),
        "checks": (*found.checks, *more),
    }


def _tier_rows(outset: Outset, place: int, pair: tuple[int, int]) -> pd.DataFrame:
    """Return what every tier learns of an arm; ``place`` is that of the arm among those outside control."""
    spec, past, sizes, level = outset.spec, outset.past, outset.sizes, outset.level
    one = _comparison(past, sizes, pair, outset.shares)
    why = one.why_not()
    power = one.power(spec.smallest_effect, level)
    why = np.where((why == "") & np.isnan(power), OUT_OF_REACH, why)
    power = np.where(why == "", power, 0.0)
    needed = one.units_needed(
        spec.smallest_effect, spec.power, level, (outset.shares[:, pair[0]], outset.shares[:, pair[1]])
    )
    simulated = np.where(why == OUT_OF_REACH, np.nan, outset.drawn.tiers[:, place])
    mde, plain = (
        np.where((why == "") | (why == OUT_OF_REACH), one.mde(spec.power, level, adjusted=by), np.nan)
        for by in (True, False)
    )
    columns = {
        "arm": list(spec.arms)[pair[0]],
        "units": sizes.units,
        "weight": one.weights,
        "treated": one.treated,
        "control": one.control,
        "level": level,
        "baseline": past.baseline,
        "sd": past.sd,
        "rho": past.rho,
        "sd_adjusted": cuped_sd(past.sd, past.rho),
        "mde": mde,
        "mde_unadjusted": plain,
        "power": power,
        "power_simulated": simulated,
        "simulation_error": _error(simulated, outset.drawn.simulations),
        "units_needed": needed,
        "weeks_to_fill": _weeks(needed - sizes.units, outset.weekly, full=outset.full),
        "learn": np.where(power >= LEARNS, "yes", "no"),
        "why": [_why(*each) for each in zip(why, power, needed / np.maximum(sizes.units, 1), strict=True)],
    }
    return pd.DataFrame(columns, index=pd.Index(outset.order, name=TIER))


def _overall_row(outset: Outset, place: int, pair: tuple[int, int]) -> dict[str, Any]:
    """Return what the weighted overall learns of an arm."""
    spec, level, units = outset.spec, outset.overall_level, int(outset.sizes.units.sum())
    one = _comparison(outset.past, outset.sizes, pair, outset.shares)
    other = _comparison(outset.past, outset.neyman, pair, outset.shares, weights=outset.neyman.pool)
    simulated = outset.drawn.overall[[place]]
    return {
        "arm": list(spec.arms)[pair[0]],
        "units": units,
        "level": level,
        "mde": one.overall_mde(spec.power, level),
        "mde_unadjusted": one.overall_mde(spec.power, level, adjusted=False),
        "mde_neyman": other.overall_mde(spec.power, level),
        "power": one.overall_power(spec.smallest_effect, level),
        "power_simulated": float(simulated[0]),
        "simulation_error": float(_error(simulated, outset.drawn.simulations)[0]),
        "units_needed": one.overall_units_needed(spec.smallest_effect, spec.power, level, units),
    }


def _rooms(found: History, spec: Experiment, past: Past, shares: NDArray[np.float64], control: int) -> pd.DataFrame:
    """Return the customers outside control by tier: all, and those there is room for by either allocation."""
    index = pd.Index(list(map(str, found.pool[TIER].cat.categories)), name=TIER)
    pool = _pool(found, spec)
    outside = 1 - shares[:, control]
    available = np.rint(pool * outside).astype(np.int64)
    room = int(available.sum()) if spec.capacity is None else spec.capacity
    if GROUP in found.pool:
        groups = found.pool[GROUP].nunique() * (1 - spec.holdout) * float(outside.mean())
        part = 1.0 if spec.capacity is None else min(1.0, spec.capacity / max(groups, 1.0))
        some = np.rint(available * part).astype(np.int64)
        return pd.DataFrame({"available": available, "proportional": some, "neyman": some}, index)
    treated = np.delete(shares, control, axis=1)
    per_unit = (1 / treated + 1 / shares[:, [control]]).mean(axis=1)
    spread = np.nan_to_num(cuped_sd(past.sd, past.rho))
    wanted = pool * spread * np.sqrt(per_unit * outside)
    by = {"proportional": allocate(room, available, available), "neyman": allocate(room, wanted, available)}
    return pd.DataFrame({"available": available, **by}, index)


def _pool(found: History, spec: Experiment) -> NDArray[np.int64]:
    counts = found.pool[TIER].value_counts(sort=False).to_numpy(dtype=np.float64)
    there: NDArray[np.int64] = np.rint(counts * (1 - spec.holdout)).astype(np.int64)
    return there


def _sizes(
    found: History, spec: Experiment, shares: NDArray[np.float64], control: int, outside: NDArray[np.int64]
) -> Sizes:
    """Return units by tier and arm, given those outside control."""
    pool = _pool(found, spec)
    all_outside = np.rint(pool * (1 - shares[:, control])).astype(np.int64)
    units = np.where(outside == all_outside, pool, np.rint(outside / (1 - shares[:, control]))).astype(np.int64)
    counts = np.stack([split(int(whole), part) for whole, part in zip(units, shares, strict=True)])
    if GROUP not in found.pool:
        return Sizes(pool, units, counts, None)
    part = units / np.maximum(found.pool[TIER].value_counts(sort=False).to_numpy(), 1)
    by_tier = found.pool.groupby(TIER, observed=False)[GROUP].nunique().to_numpy() * part
    whole = found.pool[GROUP].nunique() * units.sum() / max(len(found.pool), 1)
    by_arm = split(int(np.rint(whole)), np.average(shares, axis=0, weights=np.maximum(units, 1e-9)))
    return Sizes(pool, units, counts, (by_tier, by_arm))


def _comparison(
    past: Past,
    sizes: Sizes,
    pair: tuple[int, int],
    shares: NDArray[np.float64],
    *,
    weights: NDArray[np.int64] | None = None,
) -> Comparison:
    weight = sizes.units if weights is None else weights
    groups = None
    if sizes.groups is not None:
        by_tier, by_arm = sizes.groups
        groups = (by_tier * shares[:, pair].sum(axis=1), float(by_arm[list(pair)].sum()))
    return Comparison(past, sizes.counts[:, pair[0]], sizes.counts[:, pair[1]], weight / max(weight.sum(), 1), groups)


def _simulated(found: History, sizes: Sizes, design: Design, simulations: int, seed: int) -> Simulated:
    many = simulations_of(design, simulations)
    arms = design.counts.shape[1] - 1
    if not many:
        return Simulated(0, np.full((len(sizes.units), arms), np.nan), np.full(arms, np.nan))
    if sizes.groups is not None:
        weights = sizes.units / max(sizes.units.sum(), 1)
        return simulate_groups(found.past, design, sizes.groups[1], weights, simulations=many, seed=seed)
    tier = found.past[TIER].cat.codes.to_numpy()
    names = [name for name in (Y, PER, X) if name in found.past]
    rows = []
    for number in range(len(sizes.units)):
        mine = tier == number
        rows.append({name: found.past[name].to_numpy()[mine if mine.sum() > 1 else []] for name in names})
    return simulate(rows, design, many, seed)


def _error(share: NDArray[np.float64], simulations: int) -> NDArray[np.float64]:
    return np.sqrt(share * (1 - share) / max(simulations, 1))


def _weeks(lacking: ArrayLike, weekly: ArrayLike, *, full: bool) -> NDArray[np.float64]:
    """Return the weeks until newcomers have brought what is lacking; never where there is no room for them."""
    more = np.asarray(lacking, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        weeks = np.where(full, np.inf, more / np.asarray(weekly, dtype=np.float64))
    return np.where(more <= 0, 0.0, np.where(np.isnan(more), np.inf, weeks))


def _why(reason: str, power: float, times: float) -> str:
    if reason:
        return reason
    said = f"power {power:.2f} at the smallest effect worth acting on"
    return f"{said}; would need {times:,.1f} times as many units" if times > 1 else said
