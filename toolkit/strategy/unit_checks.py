"""What is looked at before an effect is: who is counted, whether arms were alike before, what was delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import norm

from toolkit.errors import ArgumentError, Check, Status
from toolkit.strategy.families import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import ArrayLike

    from toolkit.strategy.experiment import Experiment

MOST_TWO_ARMS = 0.01
"""Share of the units that may stand in two arms; above it everything stops."""
MOST_UNASSIGNED_DAYS = 0.01
ALIKE = 0.001
"""Below this p-value arms are called different before they were treated."""


def two_arms(count: int, units: int, *, what: str = "units") -> Check:
    """Check how many units stand in two arms; they are to be left out.

    Parameters
    ----------
    count, units
        Units in two arms or more, and all units.
    what
        What a unit is called, in the plural.

    Raises
    ------
    ArgumentError
        More than 1 % stand in two arms: the assignment was not kept.

    Examples
    --------
    >>> two_arms(3, 1_000).message
    '3 of 1,000 units stand in two arms and are left out'
    """
    said = f"{count:,} of {units:,} {what} stand in two arms"
    if count > MOST_TWO_ARMS * units:
        hint = "find out why the assignment was not kept; one arm per unit and experiment in the table assignments"
        raise ArgumentError("two-arms", f"{said}: more than {MOST_TWO_ARMS:.0%}", count=count, hint=hint)
    return Check(
        "two_arms",
        "failed" if count else "passed",
        f"{said} and are left out" if count else f"no {what} stand in two arms",
        count,
    )


def outside_days(count: int, units: int, spec: Experiment) -> Check:
    """Check how many units were assigned on other days than promised; they are left out."""
    span = f"{spec.assigned.first} to {spec.assigned.last}"
    status: Status = "failed" if count > MOST_UNASSIGNED_DAYS * units else "informational" if count else "passed"
    message = f"{count:,} of {units:,} units were assigned outside {span} and are left out"
    return Check("unassigned_days", status, message if count else f"all units were assigned {span}", count, span)


def balance(names: Sequence[str], p_values: Sequence[float]) -> Check:
    """Check that arms were alike in what was known before assignment.

    Parameters
    ----------
    names, p_values
        What was compared, and the p-value of each comparison; with several arms names come several times.

    Notes
    -----
    Failed where a p-value adjusted by Holm over all of them is under .001.
    """
    adjusted = holm(p_values)
    apart = list(dict.fromkeys(name for name, p in zip(names, adjusted, strict=True) if p < ALIKE))
    if not apart:
        known = f"arms do not differ in what was known before assignment ({len(set(names))} columns looked at)"
        return Check("balance", "passed", known, 0, ", ".join(dict.fromkeys(names)))
    message = f"arms differed before assignment in {', '.join(apart)} (adjusted p = {np.nanmin(adjusted):.2g})"
    return Check("balance", "failed", message, len(apart), ", ".join(apart))


def difference_before(values: ArrayLike, arm: ArrayLike, tier: ArrayLike, control: str) -> dict[str, float]:
    """Compare what units had before assignment: each arm with the control, within tiers.

    Parameters
    ----------
    values, arm, tier
        One number, one arm and one tier per unit.
    control
        The arm that the others are compared with.

    Returns
    -------
    dict
        Arm -> two-sided p-value of the difference, weighted by the tiers' shares; 1 where nobody varies.

    Notes
    -----
    Under the null both arms are draws of one population, so the variance of a tier is that of both arms together.
    """
    columns = {"tier": np.asarray(tier, dtype=object), "arm": np.asarray(arm, dtype=object)}
    frame = pd.DataFrame({"y": np.asarray(values, dtype=np.float64), **columns})
    weight = frame["tier"].value_counts(normalize=True)
    found = {}
    for name in sorted(set(frame["arm"]) - {control}):
        pair = frame[frame["arm"].isin([name, control])]
        size, mean = (
            pair.pivot_table("y", "tier", "arm", how).reindex(columns=[name, control]).dropna()
            for how in ("count", "mean")
        )
        spread = pair.groupby("tier")["y"].var().reindex(mean.index).fillna(0.0)
        share = weight.reindex(mean.index)
        lift = float((share * (mean[name] - mean[control])).sum())
        variance = float((share**2 * spread * (1 / size).sum(axis=1)).sum())
        found[str(name)] = float(2 * norm.sf(abs(lift) / np.sqrt(variance))) if variance > 0 else 1.0
    return found


def after_outcome(before: pd.Series, units: pd.DataFrame, control: str) -> Check:
    """Check that what units did in the 24 hours before their assignment did not decide their arm.

    Parameters
    ----------
    before
        The primary measure over these 24 hours.
    units
        Columns ``arm`` and ``tier``, indexed alike.
    control
        The control arm.
    """
    did = (before != 0).to_numpy(dtype=np.float64)
    p_values = difference_before(did, units["arm"], units["tier"], control)
    least = min(p_values.values(), default=1.0) * max(len(p_values), 1)
    who = f"{did.mean():.1%} of units had the outcome in the 24 hours before they were assigned"
    if least < ALIKE:
        message = f"assignment came after the outcome: {who}, and arms differ in it (p = {least:.2g})"
        return Check("assigned_after_outcome", "failed", message, int(did.sum()))
    return Check("assigned_after_outcome", "passed", f"{who}, alike in all arms", int(did.sum()))


def rows_reach(calendar: pd.DataFrame, last: date) -> Check:
    """Check that the exports go on until the last window closes.

    Parameters
    ----------
    calendar
        As ``study.calendar`` returns it, up to ``last`` at least.
    last
        Last day that counts.

    Notes
    -----
    Failed where no order is dated within as many days before ``last`` as never passed without one in the 90 days up to
    the last order, and at least two.
    """
    days = calendar.index[calendar["lines"] > 0]
    days = days[days <= pd.Timestamp(last)]
    if days.empty:
        return Check("rows_end_early", "failed", f"there is no order up to {last}")
    final = days[-1]
    lately = days[days >= final - pd.Timedelta(days=90)]
    usual = int(np.diff(lately.to_numpy()).max() / np.timedelta64(1, "D")) if len(lately) > 1 else 1
    silent = (pd.Timestamp(last) - final).days
    if silent > max(usual, 1):
        message = (
            f"the last order is of {final.date()}, {silent} days before {last}, and {usual} days was the longest pause"
            " before: the exports may end inside the windows, and outcomes be missing"
        )
        return Check("rows_end_early", "failed", message, silent, str(final.date()))
    return Check("rows_end_early", "passed", f"there are orders up to {final.date()}", silent, str(final.date()))


def delivery(reached: Mapping[str, pd.Series], arm: pd.Series, spec: Experiment) -> tuple[Check, ...]:
    """Check that each arm got its own campaigns and the control none of the others'.

    Parameters
    ----------
    reached
        Arm -> messages of its campaigns per unit, in its window.
    arm
        Arm per unit, indexed alike.
    spec
        The experiment.
    """
    checks = []
    shares = {name: float((count[arm == name] > 0).mean()) for name, count in reached.items() if (arm == name).any()}
    never = [name for name, share in shares.items() if share == 0]
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    if never:
        message = f"no unit of {', '.join(never)} got a message of its campaigns within the window ({told})"
        checks.append(Check("never_delivered", "failed", message, len(never), ", ".join(never)))
    else:
        checks.append(Check("never_delivered", "passed", f"share of units that got its campaigns: {told}", 0, told))
    control = arm == spec.control
    own = set(spec.campaigns.get(spec.control, ()))
    others = [count for name, count in reached.items() if name != spec.control and not own & set(spec.campaigns[name])]
    got = int(np.logical_or.reduce([(count[control] > 0).to_numpy() for count in others]).sum()) if others else 0
    share = got / max(int(control.sum()), 1)
    if got:
        message = f"{share:.1%} of {spec.control} got campaigns of another arm ({got:,} units)"
        checks.append(Check("control_delivered", "failed", message, got, f"{share:.4f}"))
    else:
        checks.append(Check("control_delivered", "passed", f"no unit of {spec.control} got campaigns of another arm"))
    return tuple(checks)


def shared_clusters(cluster: pd.Series, arm: pd.Series) -> Check | None:
    """Check that no group holds units of different arms, where single customers were assigned; None without groups."""
    known = cluster.notna()
    if not known.any():
        return None
    arms = arm[known].groupby(cluster[known]).nunique()
    shared = int((arms > 1).sum())
    if not shared:
        return Check("shared_clusters", "passed", f"none of {len(arms):,} groups holds units of different arms")
    message = (
        f"{shared:,} of {len(arms):,} groups (cluster_id) hold units of different arms: who shares a home or a chat"
        " passes the offer on, and the effect comes out too small; assign whole groups (unit: cluster)"
    )
    return Check("shared_clusters", "failed", message, shared, "cluster_id")
