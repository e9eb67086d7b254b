"""How many units each arm got, and how many were planned: overall, by tier, by day, by source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.strategy.group_rows import placed
from toolkit.strategy.sample_ratio import OVERALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.asked import Asked
    from toolkit.strategy.read_units import ReadUnits
    from toolkit.strategy.unit_rows import UnitRows


def count_arms(rows: UnitRows, asked: Asked, read: ReadUnits, by: Sequence[str]) -> pd.DataFrame:
    """Count units for `toolkit.strategy.sample_ratio.sample_ratio`.

    Parameters
    ----------
    rows, asked, read
        The units, what was asked, and what was read.
    by
        Further columns of text.

    Returns
    -------
    DataFrame
        ``scope value arm n expected``; values without a unit are left out. Groups count once, in the tiers, days and
        sources of any of their customers.
    """
    per_tier = read.counts.sum(axis=1)
    weight = read.customers.sum(axis=1) / read.customers.sum()
    planned = weight @ read.shares
    parts = [_part(OVERALL, [""], read.arm_units[None, :], planned[None, :] * read.units, read.arms)]
    if asked.tier:
        parts.append(_part("tier", read.tiers, read.counts, per_tier[:, None] * read.shares, read.arms))
    for name in by:
        counts = _counted(rows, asked, read, name)
        shares = planned[None, :] if asked.cluster else read.shares
        expected = np.einsum("vta,tb->vb", counts, shares)
        labels = rows.labels(name).labels
        order = sorted(range(len(labels)), key=labels.__getitem__)
        there = [at for at in order if counts[at].any()]
        values = [labels[at] for at in there]
        parts.append(_part(name, values, counts.sum(axis=1)[there], expected[there], read.arms))
    names = ("scope", "value", "arm", "n", "expected")
    return pd.DataFrame({name: np.concatenate([part[name] for part in parts]) for name in names})


def _counted(rows: UnitRows, asked: Asked, read: ReadUnits, by: str) -> NDArray[np.int64]:
    """Return units by value of a column, tier and arm."""
    texts = list(dict.fromkeys([*asked.texts, by]))
    read_all = list(rows.batches(texts, []))
    codes = {name: np.concatenate([batch.codes[name] for batch in read_all]) for name in texts}
    value, arm = codes[by], placed(codes[asked.arm], read.arm_codes)
    tier = placed(codes[asked.tier], read.tier_codes) if asked.tier else np.zeros(len(arm), dtype=np.intp)
    shape = (len(rows.labels(by).labels), len(read.tiers), len(read.arms))
    if asked.cluster:
        shape = (shape[0], 1, shape[2])
        _, first = np.unique(codes[asked.cluster] * shape[0] + value, return_index=True)
        value, arm, tier = value[first], arm[first], np.zeros(len(first), dtype=np.intp)
    cell = np.ravel_multi_index((value, tier, arm), shape)
    return np.bincount(cell, minlength=int(np.prod(shape))).reshape(shape)


def _part(
    scope: str, values: list[str], n: NDArray[np.int64], expected: NDArray[np.float64], arms: list[str]
) -> dict[str, NDArray[Any]]:
    return {
        "scope": np.full(n.size, scope, dtype=object),
        "value": np.repeat(np.array(values, dtype=object), len(arms)),
        "arm": np.tile(np.array(arms, dtype=object), len(values)),
        "n": n.ravel(),
        "expected": expected.ravel(),
    }
