"""The cuts that rules learn: quantiles of the buyers, or of everybody."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.schema import ORDER_COUNT
from toolkit.segments.quantiles import quantiles
from toolkit.segments.tier_values import Cuts, numbers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from toolkit.rules.conditions import Learned, Population


def learn(snap: pd.DataFrame, wanted: Iterable[tuple[str, Learned]]) -> Cuts:
    """Learn cuts from a snapshot.

    Parameters
    ----------
    snap
        One row per customer, with ``order_count`` and the columns of the cuts.
    wanted
        Column and quantile.

    Returns
    -------
    dict
        The cut of each, in the column's unit; infinite where the population has no value, so that nobody is above it.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from toolkit.rules.conditions import Learned
    >>> snap = pd.DataFrame({"order_count": [1, 1, 0], "window_spend": [10.0, 30.0, 0.0]})
    >>> learn(snap, [("window_spend", Learned("buyers", Fraction(1, 2)))]).values()
    dict_values([20.0])
    """
    together: dict[tuple[str, Population], list[Learned]] = {}
    for column, cut in wanted:
        together.setdefault((column, cut.population), []).append(cut)
    buyers = np.flatnonzero(snap[ORDER_COUNT].to_numpy() > 0)
    found: Cuts = {}
    for (column, population), cuts in together.items():
        values = numbers(snap, column)
        ranked = _ranked(values.take(buyers) if population == "buyers" else values)
        shares = [(cut.fraction.numerator, cut.fraction.denominator) for cut in cuts]
        learned = quantiles(ranked, shares).tolist() if len(ranked) else [inf] * len(cuts)
        found |= {(column, cut): value for cut, value in zip(cuts, learned, strict=True)}
    return found


def table(cuts: Cuts) -> pd.DataFrame:
    """Return the cuts as a table: index ``(column, population, share)``, column ``cut`` (in the column's unit)."""
    rows = [(column, cut.population, float(cut.fraction), value) for (column, cut), value in cuts.items()]
    frame = pd.DataFrame(rows, columns=["column", "population", "share", "cut"])
    return frame.set_index(["column", "population", "share"]).sort_index()


def _ranked(values: NDArray[Any]) -> NDArray[Any]:
    """Sort what is finite."""
    return np.sort(values[np.isfinite(values)] if values.dtype.kind == "f" else values)
