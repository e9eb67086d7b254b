"""Read all units once: what every metric comes to in each tier and arm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.strategy.arm_values import SIZE, ArmValues, Metric, arm_values
from toolkit.strategy.asked import known, read_shares, shares_by_tier
from toolkit.strategy.group_rows import GroupRows, across_tiers, group_rows
from toolkit.strategy.moments import ARMS_AT_MOST, Gathering
from toolkit.strict import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.asked import Asked
    from toolkit.strategy.unit_rows import Codes, UnitRows

TIERS_AT_MOST = 1_000


@dataclass(frozen=True, eq=False)
class ReadUnits:
    """Everything that the effects are made of.

    Attributes
    ----------
    arms, tiers
        Names in order; one nameless tier where none were given.
    arm_codes, tier_codes
        Their codes in the rows.
    found
        Metric, or column known before -> what it comes to.
    across
        Metric -> covariance between tiers, where groups were assigned.
    counts
        Units by tier and arm; groups count in every tier in which they have customers.
    customers
        The same, customers of groups.
    arm_units
        Units of each arm.
    shares
        Planned share by tier and arm.
    grouped
        The groups, where they were assigned.
    """

    arms: list[str]
    tiers: list[str]
    arm_codes: list[int]
    tier_codes: list[int]
    found: dict[Metric, ArmValues]
    across: dict[Metric, NDArray[np.float64]]
    counts: NDArray[np.int64]
    customers: NDArray[np.float64]
    arm_units: NDArray[np.int64]
    shares: NDArray[np.float64]
    grouped: GroupRows | None

    @property
    def units(self) -> int:
        """Units analysed."""
        return int(self.arm_units.sum())

    @property
    def groups(self) -> NDArray[np.int64] | None:
        """Groups by arm, where they were assigned."""
        return None if self.grouped is None else self.arm_units


def read_units(rows: UnitRows, asked: Asked, shares: Mapping[str, Any] | None) -> ReadUnits:
    """Read the units and estimate every metric in every tier and arm.

    Raises
    ------
    ArgumentError
        No units, an unknown control, one arm only, far too many arms or tiers, shares that do not fit.
    """
    metrics = (*asked.metrics, *asked.balance)
    sizes = [SIZE] if asked.cluster else []
    columns = list(dict.fromkeys([*(name for metric in metrics for name in metric.columns), *sizes]))
    binary = [] if asked.cluster else [columns.index(name) for name in asked.zero_one]
    together = [[columns.index(name) for name in each] for each in (*(metric.columns for metric in metrics), sizes)]
    gathering = Gathering(columns, together, binary)
    grouped = None
    if asked.cluster is None:
        for batch in rows.batches(asked.texts, asked.numbers, asked.must):
            tier = batch.codes[asked.tier] if asked.tier else np.zeros(batch.rows, dtype=np.intp)
            _few(rows, asked)
            gathering.add(tier, batch.codes[asked.arm], batch.numbers)
    else:
        grouped = group_rows(rows, asked)
        _few(rows, asked)
        gathering.add(grouped.tier, grouped.arm[grouped.group], grouped.numbers)
    arm_labels = rows.labels(asked.arm)
    if gathering.units == 0:
        raise ArgumentError("units-empty", "there are no units", hint="one row per unit that was assigned")
    arms, tiers = _arms(arm_labels, asked.control, shares), [""]
    arm_codes, tier_codes = [arm_labels.labels.index(name) for name in arms], [0]
    if asked.tier:
        labels = rows.labels(asked.tier)
        tiers = _in_order(labels, list(shares_by_tier(shares) or {}), gathering.seen_tiers())
        tier_codes = [labels.labels.index(name) for name in tiers]
    moments = gathering.finish(tier_codes, arm_codes)
    found = {metric: arm_values(moments, metric, columns) for metric in metrics}
    customers, arm_units, across = moments.n.astype(np.float64), moments.n.sum(axis=0), {}
    if grouped is not None:
        size = columns.index(SIZE)
        customers = np.nan_to_num(moments.mean[..., size]) * moments.n
        arm_units = np.bincount(grouped.arm, minlength=len(arm_labels.labels))[arm_codes]
        across = {metric: across_tiers(grouped, metric, found[metric], tier_codes, arm_codes) for metric in metrics}
    planned = read_shares(shares, arms, tiers)
    share = np.array([[planned[tier][arm] for arm in arms] for tier in tiers])
    return ReadUnits(arms, tiers, arm_codes, tier_codes, found, across, moments.n, customers, arm_units, share, grouped)


def _few(rows: UnitRows, asked: Asked) -> None:
    for name, most in ((asked.arm, ARMS_AT_MOST), (asked.tier, TIERS_AT_MOST)):
        if name is not None and len(rows.labels(name).labels) > most:
            what = f"holds more than {most:,} different values"
            raise ArgumentError("units-column", what, column=name, hint="the column of arms or tiers, not one of ids")


def _arms(labels: Codes, control: str, shares: Mapping[str, Any] | None) -> list[str]:
    """Return all arms in order; an arm that is planned and empty is an arm."""
    by_tier = shares_by_tier(shares)
    planned = [str(name) for name in (next(iter(by_tier.values())) if by_tier else shares or {})]
    for name in planned:
        if name not in labels.labels:
            labels.labels.append(name)
    found = _in_order(labels, planned, range(len(labels.labels)))
    if control not in found:
        what = f"control {control!r} is no arm{nearest(control, found)}"
        raise ArgumentError("control", what, hint=f"one of {', '.join(found)}")
    if len(found) < 2:
        what = f"there is one arm only, {found[0]!r}"
        raise ArgumentError("one-arm", what, hint="give the units of all arms, control included")
    if planned:
        known(found, planned, "shares", "arm")
    return found


def _in_order(labels: Codes, planned: list[str], there: Sequence[int]) -> list[str]:
    """Order names as their categories are, else as they are planned, else as text."""
    found = [labels.labels[code] for code in there]
    if labels.ordered:
        return found
    place = {name: at for at, name in enumerate(planned)}
    return sorted(found, key=lambda name: (place.get(name, len(place)), name))
