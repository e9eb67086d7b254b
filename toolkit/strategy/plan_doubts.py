"""What is doubtful about a plan, as checks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import Check
from toolkit.strategy.rerandomise import needs_rerandomisation

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.strategy.experiment import Experiment
    from toolkit.strategy.plan_figures import Past

_APART = 0.05
_ERRORS = 3


def doubts(
    spec: Experiment,
    tiers: pd.DataFrame,
    overall: pd.DataFrame,
    allocation: pd.DataFrame,
    past: Past,
    *,
    simulations: int,
    groups: tuple[NDArray[np.float64], NDArray[np.int64]] | None,
) -> tuple[Check, ...]:
    """Look at a plan's tables.

    Parameters
    ----------
    spec
        The experiment.
    tiers, overall, allocation
        As a plan holds them.
    past
        The primary metric by tier.
    simulations
        How many were drawn.
    groups
        Groups by tier and by arm, where groups are assigned.
    """
    return tuple(
        check
        for check in (
            _power(spec, overall),
            _tiers(tiers),
            _capacity(spec, overall, allocation),
            _reach(spec, tiers),
            _simulation(tiers, simulations),
            _other_test(tiers, past, groups),
        )
        if check is not None
    )


def _power(spec: Experiment, overall: pd.DataFrame) -> Check:
    power = float(overall["power"].min(skipna=False))
    message = f"overall power is {power:.2f} at the smallest effect worth acting on, {spec.power:.2f} was asked for"
    if power >= spec.power:
        return Check("overall_power", "passed", message, 0)
    needed = float(overall["units_needed"].max(skipna=False))
    more = f": {needed:,.0f} units are needed" if np.isfinite(needed) else ""
    return Check("overall_power", "failed", message + more, 0 if np.isnan(needed) else int(needed))


def _tiers(tiers: pd.DataFrame) -> Check:
    names = list(dict.fromkeys(tiers.index[tiers["learn"] == "no"]))
    message = (
        f"tiers that cannot learn by themselves: {', '.join(names)}" if names else "every tier can learn by itself"
    )
    return Check("tiers_cannot_learn", "informational" if names else "passed", message, len(names), ", ".join(names))


def _capacity(spec: Experiment, overall: pd.DataFrame, allocation: pd.DataFrame) -> Check | None:
    if spec.capacity is None:
        return None
    there, used = int(allocation["available"].sum()), int(allocation["proportional"].sum())
    if used == there:
        message = f"the capacity of {spec.capacity:,} does not bind: {there:,} customers would be outside control"
        return Check("capacity", "passed", message, there)
    mde, other = float(overall["mde"].max()), float(overall["mde_neyman"].max())
    message = (
        f"capacity binds: {used:,} of {there:,} customers can be outside control; smallest detectable effect {mde:.3g}"
        f" in proportion to the tiers, {other:.3g} by weight times standard deviation"
    )
    return Check("capacity", "informational", message, there - used)


def _reach(spec: Experiment, tiers: pd.DataFrame) -> Check | None:
    if spec.metrics[spec.primary].kind not in ("proportion", "retention"):
        return None
    names = list(dict.fromkeys(tiers.index[tiers["baseline"] + spec.smallest_effect > 1]))
    message = f"the rate cannot rise by {spec.smallest_effect:g} in {', '.join(names)}"
    return Check("effect_out_of_reach", "failed", message, len(names), ", ".join(names)) if names else None


def _simulation(tiers: pd.DataFrame, simulations: int) -> Check:
    if not simulations:
        message = "power was not simulated: with so many units the formula is as good"
        return Check("not_simulated", "informational", message)
    apart = (tiers["power_simulated"] - tiers["power"]).abs()
    far = tiers.index[(apart > _APART + _ERRORS * tiers["simulation_error"]) & (tiers["power"] > 0)]
    names = ", ".join(dict.fromkeys(far))
    if len(far):
        message = (
            f"formula and simulation differ in {names}: trust the simulation, its data are as skewed as the study's"
        )
        return Check("formula_off", "informational", message, len(far), names)
    return Check("formula_off", "passed", f"formula and {simulations:,} simulations agree", simulations)


def _other_test(
    tiers: pd.DataFrame, past: Past, groups: tuple[NDArray[np.float64], NDArray[np.int64]] | None
) -> Check | None:
    least = tiers[["treated", "control"]].min(axis=1).groupby(level=0, sort=False).min().to_numpy(dtype=np.float64)
    if groups is not None:
        least = np.full(len(least), float(groups[1].min()))
    needs = needs_rerandomisation(np.nan_to_num(past.skewness), np.maximum(least, 1.0), groups=groups is not None)
    names = [str(name) for name, one in zip(dict.fromkeys(tiers.index), needs, strict=True) if one]
    message = f"the randomisation test will serve in {', '.join(names)}; the power here is that of Welch's test"
    return Check("other_test", "informational", message, len(names), ", ".join(names)) if names else None
