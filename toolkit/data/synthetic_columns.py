"""How draws become columns: choices, times of day, ids and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.arrays import ArrowStringArray

from toolkit.data import synthetic_market as market

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

DAY_SECONDS = 86_400


def choose(rng: np.random.Generator, weights: object, size: int) -> NDArray[np.int8]:
    """Draw ``size`` codes 0, 1, ... by weights that add up to 1: one row of them for all, or one row each."""
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64), axis=-1)[..., :-1]
    codes: NDArray[np.int8] = (rng.random(size)[:, None] >= bounds).sum(axis=1, dtype=np.int8)
    return codes


def clock(process_days: NDArray[np.float64], persona: NDArray[np.int8]) -> NDArray[np.int64]:
    """Turn process time (days) into seconds since the first midnight, each day stretched over the persona's hours.

    Examples
    --------
    >>> (clock(np.array([0.5, 1.5]), np.array([0, 1], dtype=np.int8)) / 3600).round(1).tolist()
    [21.3, 36.7]
    """
    whole = np.floor(process_days)
    part, seconds, hours = process_days - whole, np.zeros(len(process_days)), np.arange(24)
    for code, persona_kind in enumerate(market.PERSONAS.values()):
        active = (hours >= persona_kind.active[0]) & (hours < persona_kind.active[1])
        idle = np.where(active, 0.0, np.where(hours < 7, 0.05, 1.0))
        share = market.ACTIVE_SHARE * active / active.sum() + (1 - market.ACTIVE_SHARE) * idle / idle.sum()
        mine = persona == code
        seconds[mine] = np.interp(part[mine], np.append(0.0, np.cumsum(share)), np.arange(25) * 3_600.0)
    return (whole * DAY_SECONDS + np.minimum(seconds, DAY_SECONDS - 1)).astype(np.int64)


def numbered(prefix: str, numbers: NDArray[np.int64], width: int) -> pa.Array:
    """Return ids such as ``C000123``.

    Examples
    --------
    >>> numbered("C", np.array([7]), 3).to_pylist()
    ['C007']
    """
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def text(values: pa.Array) -> ArrowStringArray:
    """Return Arrow text as ``string[pyarrow]``, not copied."""
    return ArrowStringArray(pa.chunked_array([values]))


def labelled(
    codes: pd.Series[int] | NDArray[np.integer], labels: Iterable[str], *, ordered: bool = False
) -> pd.Categorical:
    """Return codes as a categorical column; -1 is missing."""
    positions = cast("Sequence[int]", np.asarray(codes))
    return pd.Categorical.from_codes(positions, categories=pd.Index(list(labels)), ordered=ordered)


def moments(origin: np.datetime64, seconds: NDArray[np.int64] | pd.Series[int]) -> NDArray[np.datetime64]:
    """Return seconds since the first midnight as local times."""
    times: NDArray[np.datetime64] = origin + np.asarray(seconds).astype("timedelta64[s]")
    return times


def within(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number from 0 of each row within its group, for groups that stand one after the other.

    Examples
    --------
    >>> within(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    return np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
