"""Power by simulation where whole groups are assigned: groups drawn from history, whole, with all their tiers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from toolkit.strategy.plan_history import GROUP, PER, TIER, X, Y
from toolkit.strategy.plan_simulation import Simulated, chunks

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.strategy.plan_simulation import Design

    Floats = NDArray[np.float64]


def group_sums(past: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """Add up each group's customers of each tier.

    Returns
    -------
    top, size, noise : array
        Shape (groups, T): sum of the outcome, sum of the denominator (customers where there is none), and what is to be
        taken off the outcome because the covariate explains it.
    """
    tier = past[TIER].cat.codes.to_numpy()
    names, group = np.unique(past[GROUP].to_numpy(dtype=object), return_inverse=True)
    y = past[Y].to_numpy(dtype=np.float64)
    per = past[PER].to_numpy(dtype=np.float64) if PER in past else np.ones(len(y))
    noise, shape = np.zeros(len(y)), (len(names), len(past[TIER].cat.categories))
    for number in range(shape[1] if X in past else 0):
        mine = tier == number
        x = past[X].to_numpy(dtype=np.float64)[mine]
        if mine.sum() > 1 and per[mine].sum() > 0 and x.std() > 0:
            x -= x.mean()
            noise[mine] = x * (x @ (y[mine] - y[mine].sum() / per[mine].sum() * per[mine])) / (x @ x)
    sums = []
    for values in (y, per, noise):
        wide = np.zeros(shape)
        np.add.at(wide, (group, tier), values)
        sums.append(wide)
    return sums[0], sums[1], sums[2]


def simulate_groups(
    past: pd.DataFrame, design: Design, groups: NDArray[np.int64], weights: Floats, *, simulations: int, seed: int
) -> Simulated:
    """Simulate the experiment with so many groups per arm; see `toolkit.strategy.plan_simulation.simulate`.

    Notes
    -----
    Value of an arm: sum over sum, its variance from the groups' residuals (delta method), as for the evaluation; the
    slope on the covariate is that of the whole history.
    """
    top, size, noise = group_sums(past)
    rng = np.random.default_rng(seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = top.sum(axis=0) / size.sum(axis=0)
    treated = [arm for arm in range(len(groups)) if arm != design.control]
    found: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
    for many in chunks(simulations, int(groups.sum()) * 3 * top.shape[1]):
        values, residuals = [], []
        for arm, units in enumerate(groups):
            at = rng.integers(0, len(top), (many, int(units)))
            y, m = top[at], size[at]
            if arm != design.control:
                y = _raised(rng, y, m, rate, design)
            y = y - noise[at]
            with np.errstate(divide="ignore", invalid="ignore"):
                total = m.sum(axis=1)
                value = y.sum(axis=1) / total
                residual = (y - value[:, None, :] * m) / total[:, None, :]
            values.append(value)
            residuals.append(residual)
        hits = [
            _hits(values, residuals, (arm, design.control), design, groups=groups, weights=weights) for arm in treated
        ]
        found.append((np.stack([one for one, _ in hits], axis=2), np.stack([all_ for _, all_ in hits], axis=1)))
    tiers, overall = (np.concatenate([one[part] for one in found]) for part in (0, 1))
    there = np.isfinite(rate)[:, None]
    return Simulated(simulations, np.where(there, tiers.mean(axis=0), np.nan), overall.mean(axis=0))


def _raised(rng: np.random.Generator, y: Floats, m: Floats, rate: Floats, design: Design) -> Floats:
    if design.kind in ("proportion", "retention"):
        chance = np.clip(design.effect / np.maximum(1 - np.nan_to_num(rate), design.effect), 0, 1)
        return y + rng.binomial(np.rint(m - y).astype(np.int64), chance)
    return y + design.effect * m


def _hits(
    values: list[Floats],
    residuals: list[Floats],
    pair: tuple[int, int],
    design: Design,
    *,
    groups: NDArray[np.int64],
    weights: Floats,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell in which simulations the effect is found: (simulations, T) and (simulations,)."""
    times = {arm: groups[arm] / max(groups[arm] - 1.0, 1.0) for arm in pair}
    lift = values[pair[0]] - values[pair[1]]
    parts = [times[arm] * (residuals[arm] ** 2).sum(axis=1) for arm in pair]
    usable = np.isfinite(lift)
    w = np.where(usable, weights, 0.0)
    w /= np.maximum(w.sum(axis=1, keepdims=True), 1e-300)
    all_lift = (w * np.nan_to_num(lift)).sum(axis=1)
    mixed = [np.einsum("st,sgt->sg", w, np.nan_to_num(residuals[arm])) for arm in pair]
    all_parts = [times[arm] * (one**2).sum(axis=1) for arm, one in zip(pair, mixed, strict=True)]
    freedom = [max(groups[arm] - 1.0, 1.0) for arm in pair]

    def beyond(apart: Floats, one: list[Floats], level: float) -> NDArray[np.bool_]:
        with np.errstate(divide="ignore", invalid="ignore"):
            total = one[0] + one[1]
            df = total**2 / (one[0] ** 2 / freedom[0] + one[1] ** 2 / freedom[1])
            found: NDArray[np.bool_] = np.abs(apart) > stats.t.isf(level / 2, df) * np.sqrt(total)
        return found

    return beyond(lift, parts, design.tier_level), beyond(all_lift, all_parts, design.overall_level)
