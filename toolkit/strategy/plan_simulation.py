"""Power by simulation: units drawn from history, an effect added, the test that `evaluate` uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from toolkit.strategy.arm_values import EVENTS, UNITS, Metric, arm_values
from toolkit.strategy.moments import Moments
from toolkit.strategy.plan_history import PER, X, Y

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.arm_values import ArmValues
    from toolkit.strategy.experiment import Kind

    Floats = NDArray[np.float64]

_DRAWN_AT_ONCE = 2_000_000
_DRAWN_AT_MOST = 40_000_000
FEWEST = 100
"""Simulations under which their share says too little."""


@dataclass(frozen=True, eq=False)
class Simulated:
    """Shares of simulations whose test found the effect.

    Attributes
    ----------
    simulations
        How many there were; 0 where units are so many that the formula is as good.
    tiers
        Shape (T, arms outside control); missing where nothing was drawn.
    overall
        Shape (arms outside control,).
    """

    simulations: int
    tiers: Floats
    overall: Floats


@dataclass(frozen=True)
class Design:
    """What is simulated: arms by position, sizes by tier and arm, and what is to be found at which level."""

    kind: Kind
    control: int
    counts: NDArray[np.int64]
    effect: float
    tier_level: float
    overall_level: float


def simulations_of(design: Design, wanted: int) -> int:
    """Return how many simulations there is time for."""
    possible = _DRAWN_AT_MOST // max(int(design.counts.sum()), 1)
    return min(wanted, possible) if possible >= FEWEST else 0


def simulate(rows: Sequence[dict[str, Floats]], design: Design, simulations: int, seed: int) -> Simulated:
    """Simulate the experiment and its test of every tier and of the weighted overall.

    Parameters
    ----------
    rows
        Per tier: columns ``y``, ``per`` and ``x`` of its history; two rows at least, or none.
    design
        Arms, sizes, effect.
    simulations, seed
        How many, and the seed of the draws: each tier has its own stream.
    """
    arms = design.counts.shape[1]
    treated = [arm for arm in range(arms) if arm != design.control]
    weights = design.counts.sum(axis=1) / max(int(design.counts.sum()), 1)
    hits = np.full((len(rows), len(treated)), np.nan)
    lift, parts, freed = (np.zeros((simulations, len(treated))) for _ in range(3))
    streams = np.random.SeedSequence(seed).spawn(len(rows))
    usable = [bool(len(row[Y])) and design.counts[tier].min() >= 2 for tier, row in enumerate(rows)]
    for tier, row in enumerate(rows):
        if not usable[tier]:
            continue
        rng = np.random.default_rng(streams[tier])
        found = [
            values_of(drawn(rng, row, design, tier, many), design)
            for many in chunks(simulations, int(design.counts[tier].sum()))
        ]
        value, variance = (np.concatenate([getattr(one, name) for one in found]) for name in ("value", "variance"))
        seen = np.concatenate([_estimable(one, design) for one in found])
        freedom = design.counts[tier] - 1.0
        for place, arm in enumerate(treated):
            pair = [arm, design.control]
            t, df = welch(value[:, pair], variance[:, pair], freedom[pair])
            critical = stats.t.isf(design.tier_level / 2, df)
            hits[tier, place] = ((np.abs(t) > critical) & seen[:, pair].all(axis=1)).mean()
            apart, spread = value[:, arm] - value[:, design.control], variance[:, pair]
            # a ratio without a denominator in an arm adds nothing: t does not change with the scale of the weights
            w = weights[tier]
            lift[:, place] += w * np.nan_to_num(apart)
            parts[:, place] += w**2 * np.nan_to_num(spread.sum(axis=1))
            freed[:, place] += w**4 * np.nan_to_num((spread**2 / freedom[pair]).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        critical = stats.t.isf(design.overall_level / 2, parts**2 / freed)
        overall = (np.abs(lift) > critical * np.sqrt(parts)).mean(axis=0)
    return Simulated(simulations, hits, overall if any(usable) else np.full(len(treated), np.nan))


def chunks(simulations: int, units: int) -> Iterator[int]:
    """Yield how many simulations to draw at a time, so that memory is small."""
    at_once = max(1, _DRAWN_AT_ONCE // max(units, 1))
    for start in range(0, simulations, at_once):
        yield min(at_once, simulations - start)


def drawn(
    rng: np.random.Generator, row: dict[str, Floats], design: Design, tier: int, many: int
) -> list[dict[str, Floats]]:
    """Draw the arms of a tier from its history, with replacement, and add the effect outside control.

    Returns
    -------
    list of dict
        Per arm: columns of shape (many, units of the arm).
    """
    arms = []
    for arm, units in enumerate(design.counts[tier]):
        at = rng.integers(0, len(row[Y]), (many, int(units)))
        columns = {name: values[at] for name, values in row.items()}
        if arm != design.control:
            columns[Y] = raised(rng, columns, float(row[Y].mean()), design)
        arms.append(columns)
    return arms


def raised(rng: np.random.Generator, columns: dict[str, Floats], rate: float, design: Design) -> Floats:
    """Add the effect: to everybody's value, by denominator where that is a ratio, by flipping zeros of a share."""
    if design.kind == "ratio":
        return columns[Y] + design.effect * columns[PER]
    if design.kind == "mean":
        return columns[Y] + design.effect
    flip = rng.random(columns[Y].shape) < design.effect / max(1 - rate, design.effect)
    return np.maximum(columns[Y], flip)


def values_of(arms: Sequence[dict[str, Floats]], design: Design) -> ArmValues:
    """Return value and variance by simulation (as if it were a tier) and arm, as `evaluate_units` computes them."""
    names = list(arms[0])
    many, k = len(arms[0][Y]), len(names)
    n = np.tile([one[Y].shape[1] for one in arms], (many, 1)).astype(np.int64)
    mean, second = np.zeros((many, len(arms), k)), np.zeros((many, len(arms), k, k))
    for arm, columns in enumerate(arms):
        table = np.stack([columns[name] for name in names], axis=1)
        mean[:, arm] = table.mean(axis=2)
        table -= mean[:, arm, :, None]
        second[:, arm] = table @ table.transpose(0, 2, 1)
    middle = np.einsum("sa,sak->sk", n / n.sum(axis=1, keepdims=True), mean)
    apart = mean - middle[:, None, :]
    around = second.sum(axis=1) + np.einsum("sa,sai,saj->sij", n.astype(np.float64), apart, apart)
    moments = Moments(n, mean, second, middle, around, np.zeros((many, k, k, k)))
    metric = Metric(Y, design.kind, Y, PER if PER in names else None, X if X in names else None)
    return arm_values(moments, metric, names)


def welch(value: Floats, variance: Floats, freedom: Floats) -> tuple[Floats, Floats]:
    """Return Welch's t and its degrees of freedom; columns are the arm and control."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (value[:, 0] - value[:, 1]) / np.sqrt(variance.sum(axis=1))
        return t, variance.sum(axis=1) ** 2 / (variance**2 / freedom).sum(axis=1)


def _estimable(found: ArmValues, design: Design) -> NDArray[np.bool_]:
    if design.kind in ("proportion", "retention"):
        return np.minimum(found.total, found.n - found.total) > EVENTS - 0.5
    return found.n >= UNITS
