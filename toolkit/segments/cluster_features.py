"""From a snapshot to the plane in which distances are compared: logarithm, winsor, scale, all learned once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.schema import ORDER_COUNT, RECENCY_DAYS, SNAPSHOT, TENURE_DAYS, WINDOW_ORDER_DAYS, WINDOW_SPEND
from toolkit.segments.quantiles import deviation, mean, quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DEFAULT_FEATURES = (RECENCY_DAYS, WINDOW_ORDER_DAYS, WINDOW_SPEND, "mean_order_value", TENURE_DAYS, "active_days")
_MONEY = frozenset(column.name for column in SNAPSHOT if column.unit == "currency")
_COUNTS = frozenset(column.name for column in SNAPSHOT if column.dtype == "int64")
_TAILS = [(1, 100), (99, 100)]
_DIGITS = 9


@dataclass(frozen=True)
class Step:
    """What is done to one column.

    Attributes
    ----------
    column
        Its name in the snapshot.
    transform
        ``log`` (signed ``log1p``) or ``as it is``.
    unit
        What it is divided by before the logarithm: the median size of amounts that are not 0; 1 for counts.
    low, high
        1st and 99th percentile of the learning buyers, in the column's own unit; values beyond are drawn in to them.
    centre, scale
        Mean and standard deviation after that, on the transformed scale.
    beyond
        Learning buyers that were drawn in.
    """

    column: str
    transform: str
    unit: float
    low: float
    high: float
    centre: float
    scale: float
    beyond: int

    def apply(self, values: Floats) -> Floats:
        """Return values on the learned scale, rounded so that rounding errors of a unit move nobody."""
        clipped = np.clip(values, self.low, self.high)
        return np.round(
            (_bent(clipped, self.unit if self.transform == "log" else None) - self.centre) / self.scale, _DIGITS
        )


@dataclass(frozen=True)
class Preparation:
    """The learned steps of every feature that is used, and the features that say nothing.

    Attributes
    ----------
    steps
        One per feature used.
    dropped
        Features that have one value between their 1st and 99th percentile.
    """

    steps: tuple[Step, ...]
    dropped: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Features that are used."""
        return [step.column for step in self.steps]

    def apply(self, snap: pd.DataFrame, buyers: NDArray[np.bool_]) -> Floats:
        """Return buyers x features on the learned scale."""
        table = np.empty((int(buyers.sum()), len(self.steps)))
        for place, step in enumerate(self.steps):
            table[:, place] = step.apply(raw(snap, step.column, buyers))
        return table

    def table(self) -> pd.DataFrame:
        """Write the steps: index ``feature``; ``transform unit low high centre scale beyond``."""
        rows = [{name: getattr(step, name) for name in _SHOWN} for step in self.steps]
        return pd.DataFrame(rows, index=pd.Index(self.columns, name="feature"), columns=list(_SHOWN))


_SHOWN = ("transform", "unit", "low", "high", "centre", "scale", "beyond")


def chosen(snap: pd.DataFrame, features: Sequence[str] | None) -> list[str]:
    """Return the features asked for, or the default ones that the snapshot has.

    Raises
    ------
    ArgumentError
        One is missing, named twice, not numeric, or there is none.
    """
    names = [name for name in DEFAULT_FEATURES if name in snap.columns] if features is None else list(features)
    missing = [name for name in (ORDER_COUNT, *names) if name not in snap.columns]
    if missing:
        what = f"the snapshot has no {', '.join(missing)}"
        raise ArgumentError("missing-column", what, hint="study.snapshot(as_of)")
    text = [name for name in names if not pd.api.types.is_numeric_dtype(snap[name])]
    if text or not names or len(set(names)) < len(names):
        what = f"not numbers: {', '.join(text)}" if text else "features must name different columns, at least one"
        raise ArgumentError("features", what, hint=f"features={list(DEFAULT_FEATURES[:3])}")
    return names


def buyers_of(snap: pd.DataFrame) -> NDArray[np.bool_]:
    """Say who has an order."""
    return np.asarray(snap[ORDER_COUNT].to_numpy() > 0)


def raw(snap: pd.DataFrame, column: str, buyers: NDArray[np.bool_]) -> Floats:
    """Return the buyers' values of a column.

    Raises
    ------
    ArgumentError
        A buyer's value is missing or infinite.
    """
    values = snap[column].to_numpy(dtype=np.float64, na_value=np.nan)[buyers]
    bad = int((~np.isfinite(values)).sum())
    if bad:
        hint = f"snap[np.isfinite(snap['{column}']) | (snap['{ORDER_COUNT}'] == 0)]"
        raise ArgumentError(
            "not-finite", "buyers with a missing or infinite value", column=column, count=bad, hint=hint
        )
    return values


def learn(snap: pd.DataFrame, features: Sequence[str], buyers: NDArray[np.bool_]) -> Preparation:
    """Learn the steps from the buyers of a snapshot.

    Parameters
    ----------
    snap
        One row per customer.
    features
        Columns to use.
    buyers
        Who teaches.

    Returns
    -------
    Preparation
        Steps that give every feature mean 0 and variance 1.

    Raises
    ------
    ArgumentError
        A buyer's value is missing or infinite.

    Notes
    -----
    Money and counts are skewed, so they go through ``sign(x) log(1 + |x| / unit)``; money is first divided by a
    learned amount, so that a currency's unit cannot matter. Days and shares stay as they are.

    Examples
    --------
    >>> snap = pd.DataFrame({"order_count": [1] * 4, "window_spend": [0.0, 50.0, 100.0, 150.0], "spend": [7.0] * 4})
    >>> found = learn(snap, ["window_spend", "spend"], buyers_of(snap))
    >>> found.dropped, found.steps[0].unit
    (('spend',), 100.0)
    """
    steps: list[Step] = []
    dropped: list[str] = []
    for column in features:
        ranked = np.sort(raw(snap, column, buyers))
        low, high = (float(cut) for cut in quantiles(ranked, _TAILS))
        if not low < high:
            dropped.append(column)
            continue
        bent = column in _MONEY or column in _COUNTS
        unit = _typical(ranked) if column in _MONEY else 1.0
        moved = _bent(np.clip(ranked, low, high), unit if bent else None)
        beyond = int((ranked < low).sum() + (ranked > high).sum())
        shape = "log" if bent else "as it is"
        steps.append(Step(column, shape, unit, low, high, mean(moved), deviation(moved), beyond))
    return Preparation(tuple(steps), tuple(dropped))


def _typical(ranked: Floats) -> float:
    sizes = np.sort(np.abs(ranked[ranked != 0]))
    return float(quantiles(sizes, [(1, 2)])[0])


def _bent(values: Floats, unit: float | None) -> Floats:
    return values if unit is None else np.sign(values) * np.log1p(np.abs(values) / unit)
