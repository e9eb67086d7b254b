"""Where whole groups were assigned: their sums by tier, and how tiers vary together because groups span them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.strategy.arm_values import SIZE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.arm_values import ArmValues, Metric
    from toolkit.strategy.asked import Asked
    from toolkit.strategy.unit_rows import UnitRows


@dataclass(frozen=True, eq=False)
class GroupRows:
    """One row per group and tier in which it has customers.

    Attributes
    ----------
    group, tier
        Codes per row.
    arm
        Code per group.
    numbers
        Sums over the group's customers of the tier, by column; `SIZE` counts them.
    """

    group: NDArray[np.intp]
    tier: NDArray[np.intp]
    arm: NDArray[np.intp]
    numbers: dict[str, NDArray[np.float64]]

    def wide(self, values: NDArray[np.float64], tiers: Sequence[int]) -> NDArray[np.float64]:
        """Lay a value per row out by group and tier, tiers in the order of these codes; 0 where there is no row."""
        laid = np.zeros((len(self.arm), len(tiers)))
        laid[self.group, placed(self.tier, tiers)] = values
        return laid


def placed(codes: NDArray[np.intp], order: Sequence[int]) -> NDArray[np.intp]:
    """Return the place of each code in an order of all codes that occur."""
    place = np.zeros(max(order) + 1, dtype=np.intp)
    place[list(order)] = np.arange(len(order))
    return place[codes]


def group_rows(rows: UnitRows, asked: Asked) -> GroupRows:
    """Add up the customers of each group and tier.

    Raises
    ------
    ArgumentError
        A group holds customers of several arms.
    """
    read = list(rows.batches(asked.texts, asked.numbers, asked.must))
    codes = {name: np.concatenate([batch.codes[name] for batch in read]) for name in asked.texts}
    arms, groups = codes[asked.arm], codes[str(asked.cluster)]
    tiers = codes[asked.tier] if asked.tier else np.zeros(len(arms), dtype=np.intp)
    many = int(groups.max()) + 1 if len(groups) else 0
    of_group = np.zeros(many, dtype=np.intp)
    of_group[groups] = arms
    torn = len(np.unique(groups[of_group[groups] != arms]))
    if torn:
        hint = "a group has one arm; leave cluster= out where single customers were assigned"
        raise ArgumentError(
            "group-arms", "groups hold customers of several arms", column=str(asked.cluster), count=torn, hint=hint
        )
    width = int(tiers.max(initial=0)) + 1
    kept, row = np.unique(groups * width + tiers, return_inverse=True)
    sums: dict[str, Any] = {SIZE: np.bincount(row, minlength=len(kept)).astype(np.float64)}
    for name in asked.numbers:
        values = np.concatenate([batch.numbers[name] for batch in read])
        sums[name] = np.bincount(row, weights=values, minlength=len(kept))
    return GroupRows(kept // width, kept % width, of_group, sums)


def across_tiers(
    groups: GroupRows, metric: Metric, found: ArmValues, tiers: Sequence[int], arms: Sequence[int]
) -> NDArray[np.float64]:
    """Return the covariance of an arm's values of different tiers, shape (A, T, T).

    Parameters
    ----------
    groups
        Sums by group and tier.
    metric, found
        A metric whose values are ratios, and what was found of it.
    tiers, arms
        Codes, in the order of ``found``.

    Notes
    -----
    Sum over an arm's n groups of the products of their contributions, times n / (n - 1): Cochran (1977), "Sampling
    Techniques", chapter 6; as `toolkit.strategy.rerandomise_groups` has it.
    """
    arm_of_group = placed(groups.arm, arms)
    own_tier, own_arm = placed(groups.tier, tiers), arm_of_group[groups.group]
    columns = np.column_stack([groups.numbers[name] for name in metric.columns])
    with np.errstate(invalid="ignore", divide="ignore"):
        given = found.arm_loadings / found.n[..., None]
    part = groups.wide(np.einsum("rk,rk->r", columns, given[own_tier, own_arm]), tiers)
    covariance = np.full((len(arms), len(tiers), len(tiers)), np.nan)
    for at in range(len(arms)):
        mine = part[arm_of_group == at]
        if len(mine) > 1:
            covariance[at] = mine.T @ mine * len(mine) / (len(mine) - 1)
    return covariance
