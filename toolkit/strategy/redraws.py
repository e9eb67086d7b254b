"""Deal arms anew for the comparisons that need it, from their own columns, read again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.strategy.group_rows import placed
from toolkit.strategy.rerandomise import rerandomise
from toolkit.strategy.rerandomise_groups import rerandomise_groups

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.arm_values import ArmValues, Metric
    from toolkit.strategy.asked import Asked
    from toolkit.strategy.lifts import Lifts
    from toolkit.strategy.read_units import ReadUnits
    from toolkit.strategy.rerandomise import Rerandomised
    from toolkit.strategy.unit_rows import UnitRows

    Floats = NDArray[np.float64]


class Redraws:
    """Called with comparison -> tiers that are wanted (the overall last), returns comparison -> draws.

    Parameters
    ----------
    rows, asked, read
        The units, what was asked, and what was read.
    arms
        Treatment arms: comparisons are all arms of the first metric, then of the next.
    compared
        The comparisons.
    draws, seed
        How often, and the seed.
    """

    def __init__(
        self,
        rows: UnitRows,
        asked: Asked,
        read: ReadUnits,
        arms: Sequence[str],
        compared: Sequence[Lifts],
        *,
        draws: int,
        seed: int,
    ) -> None:
        self._rows, self._asked, self._read = rows, asked, read
        self._arms, self._compared = arms, compared
        self._draws, self._seed = draws, seed

    def __call__(self, wanted: Mapping[int, NDArray[np.bool_]]) -> dict[int, Rerandomised]:
        """Deal anew; draws of tiers that are not wanted may be missing."""
        numbers = sorted({at // len(self._arms) for at in wanted})
        metrics = {number: self._asked.metrics[number] for number in numbers}
        if self._read.grouped is not None:
            return {at: self._groups(at, metrics[at // len(self._arms)]) for at in wanted}
        outcome, sizes, tier, arm = self._units(metrics)
        found = {}
        for at, rows in wanted.items():
            number, one = at // len(self._arms), self._read.arms.index(self._arms[at % len(self._arms)])
            weights = self._compared[at].weights
            tiers = rows[:-1] | ((weights > 0) & rows[-1])
            control = self._read.arms.index(self._asked.control)
            mine = ((arm == one) | (arm == control)) & tiers[tier]
            found[at] = rerandomise(
                outcome[number][mine],
                arm[mine] == one,
                tier[mine],
                weights,
                draws=self._draws,
                seed=self._seed,
                sizes=sizes[number][mine] if number in sizes else None,
            )
        return found

    def _units(
        self, metrics: Mapping[int, Metric]
    ) -> tuple[dict[int, Floats], dict[int, Floats], NDArray[np.intp], NDArray[np.intp]]:
        """Return outcome (and denominator of ratios) by metric, and tier and arm, of all units."""
        asked, read = self._asked, self._read
        columns = list(dict.fromkeys(name for metric in metrics.values() for name in metric.columns))
        texts = [name for name in (asked.arm, asked.tier) if name is not None]
        tiers, arms = [], []
        outcomes: dict[int, list[Floats]] = {number: [] for number in metrics}
        sizes: dict[int, list[Floats]] = {number: [] for number, metric in metrics.items() if metric.per}
        for batch in self._rows.batches(texts, columns):
            tier = batch.codes[asked.tier] if asked.tier else np.zeros(batch.rows, dtype=np.intp)
            tiers.append(placed(tier, read.tier_codes))
            arms.append(placed(batch.codes[asked.arm], read.arm_codes))
            for number, metric in metrics.items():
                outcomes[number].append(_outcome(metric, read.found[metric], batch.numbers, tiers[-1]))
                if metric.per:
                    sizes[number].append(batch.numbers[metric.per])
        joined, joined_sizes = (
            {number: np.concatenate(parts) for number, parts in each.items()} for each in (outcomes, sizes)
        )
        return joined, joined_sizes, np.concatenate(tiers), np.concatenate(arms)

    def _groups(self, at: int, metric: Metric) -> Rerandomised:
        read, grouped = self._read, self._read.grouped
        assert grouped is not None  # noqa: S101  # the caller looked: this is for the type checker
        tier = placed(grouped.tier, read.tier_codes)
        outcome = _outcome(metric, read.found[metric], grouped.numbers, tier)
        arm = placed(grouped.arm, read.arm_codes)
        one, control = (read.arms.index(name) for name in (self._arms[at % len(self._arms)], self._asked.control))
        mine = (arm == one) | (arm == control)
        return rerandomise_groups(
            grouped.wide(outcome, read.tier_codes)[mine],
            grouped.wide(grouped.numbers[str(metric.per)], read.tier_codes)[mine],
            arm[mine] == one,
            np.zeros(int(mine.sum()), dtype=np.intp),
            self._compared[at].weights,
            draws=self._draws,
            seed=self._seed,
        )


def _outcome(metric: Metric, found: ArmValues, numbers: Mapping[str, Floats], tier: NDArray[np.intp]) -> Floats:
    """Return each unit's outcome less what the covariate foretells, in the units of the numerator."""
    value = numbers[metric.value]
    if metric.covariate is None:
        return value
    place = {name: at for at, name in enumerate(metric.columns)}
    before, centre = numbers[metric.covariate], found.centre[:, place[metric.covariate]]
    scale = np.ones(len(centre))
    if metric.covariate_per:  # sums of groups: covariate less its mean per customer
        customers = found.centre[:, place[metric.covariate_per]]
        before = before - (centre / customers)[tier] * numbers[metric.covariate_per]
        scale = 1 / customers
    else:
        before = before - centre[tier]
    if metric.per:
        scale = scale * found.centre[:, place[metric.per]]
    return value - (found.theta * scale)[tier] * before
