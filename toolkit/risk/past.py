"""What was known at an origin of a back-test, and what then came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from toolkit.risk.landmarks import training_episodes
from toolkit.risk.metrics import outcomes_at, reference_risk
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, LANDMARK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from toolkit.data.warehouse import Warehouse

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

Outcome = Literal["order", "end"]
LABELS = (DURATION_DAYS, EVENT)
"""Columns of episodes that hold what came; whoever forecasts never sees those of the buyers who are scored."""


@dataclass(frozen=True, eq=False)
class Past:
    """What a contender may know at an origin.

    Attributes
    ----------
    origin
        The day.
    horizon
        Days ahead that are forecast.
    outcome
        ``order`` or ``end``.
    training
        Episodes, as `toolkit.risk.landmarks.training_episodes` returns them.
    buyers
        Whom to forecast: features as visible at the origin, without outcomes; indexed by ``customer_id``.
    """

    origin: date
    horizon: int
    outcome: Outcome
    training: pd.DataFrame
    buyers: pd.DataFrame

    @property
    def closed(self) -> pd.DataFrame:
        """Training episodes of landmarks whose whole horizon is over at the origin."""
        over = self.training[LANDMARK] <= pd.Timestamp(self.origin) - pd.Timedelta(days=self.horizon)
        return self.training[over.to_numpy()]

    @property
    def latest(self) -> pd.DataFrame:
        """Training episodes of the last such landmark: one row per customer."""
        closed = self.closed
        last: pd.DataFrame = closed[(closed[LANDMARK] == closed[LANDMARK].max()).to_numpy()]
        return last

    @property
    def reference(self) -> float:
        """Product-limit risk of all training episodes: the same for everybody, what a model has to beat."""
        return reference_risk(*_since_landmark(self.training), self.horizon, bad=_BAD[self.outcome])

    def bad(self, episodes: pd.DataFrame) -> Bools:
        """Say for whom the bad event came within the horizon; the horizon of all must be over."""
        return outcomes_at(*_since_landmark(episodes), self.horizon, bad=_BAD[self.outcome])[0]


def look_back(
    study: Warehouse, origin: date, horizon: int, *, outcome: Outcome, columns: Sequence[str] | None
) -> tuple[Past, pd.DataFrame]:
    """Return what was known at an origin, and what then came.

    Parameters
    ----------
    study
        The study.
    origin
        The day.
    horizon
        Days ahead.
    outcome
        As for ``study.episodes``.
    columns
        Snapshot columns wanted; all by default.

    Returns
    -------
    past : Past
        From rows visible at the origin: nothing later was asked for when it was made.
    came : DataFrame
        Indexed as ``past.buyers``: ``days`` (float64, from the origin to the event, the deletion or the horizon),
        ``event`` (int64: 0 none, 1 the modelled event, 2 deletion), ``bad`` (bool).

    Raises
    ------
    ArgumentError
        As for `toolkit.risk.landmarks.training_landmarks`.
    InputError
        As for ``study.snapshot``.
    """
    training = training_episodes(study, origin, horizon, columns=columns, outcome=outcome)
    buyers = study.episodes([origin], as_of=origin, columns=columns, outcome=outcome).drop(columns=list(LABELS))
    past = Past(origin, horizon, outcome, training, buyers)
    later = study.episodes([origin], as_of=origin + timedelta(days=horizon), columns=[], outcome=outcome)
    outcomes = later.loc[buyers.index]
    days, event = _since_landmark(outcomes)
    came = pd.DataFrame({"days": days, "event": event, "bad": past.bad(outcomes)}, index=buyers.index)
    return past, came


_BAD: dict[Outcome, Literal["event", "no_event"]] = {"order": "no_event", "end": "event"}


def _since_landmark(episodes: pd.DataFrame) -> tuple[Floats, NDArray[np.int64]]:
    days = (episodes[DURATION_DAYS] - episodes[ENTRY_DAYS]).to_numpy(dtype=np.float64)
    return days, episodes[EVENT].to_numpy(dtype=np.int64)
