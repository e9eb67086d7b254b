"""The empirical recency-by-frequency table, which serves where no model can be fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.risk.covariates import filled
from toolkit.risk.cox import ALL_STRATA, cox_curves
from toolkit.risk.episode_rows import numbers, require
from toolkit.schema import ORDER_DAYS, RECENCY_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.risk.cumulative import StepCurve
    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]

_OWN_EVENTS = 10
_ORDERS = (1.5, 3.5)


@dataclass(frozen=True, eq=False)
class RateTable:
    """Hazard of each cell against that of all.

    Attributes
    ----------
    features
        ``recency_days`` and ``order_days``, those that the frame has.
    cuts
        Upper limits of their classes: terciles of recency; one, two or three, and more order days.
    typical
        Training median of each.
    log_ratio
        Log of the hazard ratio of each cell against all.
    """

    features: tuple[str, ...]
    cuts: tuple[Floats, ...]
    typical: Mapping[str, float]
    log_ratio: Floats

    def values(self, frame: pd.DataFrame) -> dict[str, Floats]:
        """Return the features of a frame, missing ones as typical."""
        require(frame, self.features)
        return filled({name: numbers(frame, name) for name in self.features}, self.typical)

    def log_hazard(self, values: Mapping[str, Floats], rows: int) -> Floats:
        """Return the log of the hazard ratio of each row."""
        cell = tuple(np.digitize(values[name], cuts) for name, cuts in zip(self.features, self.cuts, strict=True))
        return np.broadcast_to(self.log_ratio[cell], rows).astype(np.float64)


def rate_table(frame: pd.DataFrame, rows: EpisodeRows) -> tuple[RateTable, dict[int, StepCurve]]:
    """Count events by recency and frequency against those that the hazard of all would give.

    Parameters
    ----------
    frame
        Training rows.
    rows
        Their times and events.

    Returns
    -------
    table, curves
        The table, and the cumulative hazard of all (Nelson-Aalen).

    Notes
    -----
    Ratio of a cell = (events + 10) / (expected events + 10): drawn to 1 as by ten events of the average customer, so
    that a cell of few says little.
    """
    nothing = np.zeros((len(rows.duration), 0))
    curves = cox_curves(nothing, rows, np.zeros(0))
    curve = curves[ALL_STRATA]
    expected = rows.weights * (curve.at(rows.duration) - curve.at(rows.start))
    features = tuple(name for name in (RECENCY_DAYS, ORDER_DAYS) if name in frame.columns)
    columns = {name: numbers(frame, name) for name in features}
    features = tuple(name for name in features if np.isfinite(columns[name]).any())
    typical = {name: float(np.nanmedian(columns[name])) for name in features}
    values = filled({name: columns[name] for name in features}, typical)
    cuts = tuple(
        np.asarray(_ORDERS) if name == ORDER_DAYS else np.unique(np.quantile(values[name], (1 / 3, 2 / 3)))
        for name in features
    )
    shape = tuple(len(edges) + 1 for edges in cuts)
    cell = np.zeros(len(frame), dtype=np.int64)
    for name, edges in zip(features, cuts, strict=True):
        cell = cell * (len(edges) + 1) + np.digitize(values[name], edges)
    events, hoped = (
        np.bincount(cell, counted, minlength=int(np.prod(shape))).reshape(shape)
        for counted in (rows.weights * rows.seen, expected)
    )
    return RateTable(features, cuts, typical, np.log((events + _OWN_EVENTS) / (hoped + _OWN_EVENTS))), curves
