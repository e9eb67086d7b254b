"""The days from which a churn model learns, and what it learns there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from toolkit.data.rhythm import first_order_day
from toolkit.errors import ArgumentError
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, as_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from toolkit.data.episodes import Outcome
    from toolkit.data.warehouse import Warehouse

MOST = 12
_WEEK = 7


def training_landmarks(first_day: str | date, origin: str | date, horizon: int) -> tuple[date, ...]:
    """Choose the landmarks from which a model for ``(origin, origin + horizon]`` learns: a rule, not a search.

    Parameters
    ----------
    first_day
        First day of the log.
    origin
        Day at which the model is made; what happens later is not known to it.
    horizon
        Days ahead that the model must reach.

    Returns
    -------
    tuple of date
        Rising, 1 to 12 of them, each before ``origin``.

    Raises
    ------
    ArgumentError
        The log is too short for a landmark whose whole horizon is over by ``origin``, or ``horizon`` is no whole number
        of days above 0.

    Notes
    -----
    Counted back from the origin in steps of a third of the horizon, in whole weeks, so that every landmark is the
    origin's day of the week and weekly habits fall on the same days of the time that follows. A wider step would leave
    recent behaviour unused; a narrower one repeats the same customers with the same outcome. The last landmarks are
    closer to the origin than the horizon: the time that follows them is censored there, and tells the hazard of its
    first days as of now. The earliest leave half a horizon of the log before them, since features of an empty past
    say nothing; more than twelve would learn from a business that has changed.

    Examples
    --------
    >>> [str(day) for day in training_landmarks("2026-01-01", "2026-06-30", 90)]
    ['2026-03-10', '2026-04-07', '2026-05-05', '2026-06-02']
    """
    first, last = as_day(first_day, name="first_day"), as_day(origin, name="origin")
    refuse_horizon(horizon)
    step = _step(horizon)
    known = (last - first).days
    if known < _needed(horizon):
        raise ArgumentError("short-log", _short(first, last, horizon), hint=_hint(first, known, horizon))
    count = min(MOST, (known - _burn_in(horizon)) // step)
    return tuple(last - timedelta(days=step * back) for back in range(count, 0, -1))


def training_episodes(
    study: Warehouse,
    as_of: str | date,
    horizon: int = 90,
    *,
    columns: Sequence[str] | None = None,
    outcome: Outcome = "order",
) -> pd.DataFrame:
    """Return the episodes from which a model for the days after ``as_of`` learns.

    Parameters
    ----------
    study
        The study.
    as_of
        Day at which the model is made; only rows visible then enter, and time that follows a landmark ends there.
    horizon
        Days ahead that the model must reach; the time that follows a landmark is looked at for as long.
    columns
        Snapshot columns wanted; all by default.
    outcome
        As for ``study.episodes``.

    Returns
    -------
    DataFrame
        As ``study.episodes`` returns it, at the landmarks of `training_landmarks`; ``duration_days`` is at most
        ``horizon`` (beyond ``entry_days``).

    Raises
    ------
    ArgumentError
        As for `training_landmarks`.
    InputError
        As for ``study.snapshot``.
    """
    day = as_day(as_of)
    landmarks = training_landmarks(first_order_day(study, day), day, horizon)
    return censored(study.episodes(landmarks, as_of=day, columns=columns, outcome=outcome), horizon)


def censored(episodes: pd.DataFrame, horizon: float) -> pd.DataFrame:
    """Return episodes that are looked at for ``horizon`` days at most; what happens later is not seen.

    Examples
    --------
    >>> import pandas as pd
    >>> censored(pd.DataFrame({"duration_days": [30.0, 120.0], "event": [1, 1], "entry_days": [0.0, 0.0]}), 90)
       duration_days  event  entry_days
    0           30.0      1         0.0
    1           90.0      0         0.0
    """
    end = episodes[ENTRY_DAYS] + horizon
    beyond = (episodes[DURATION_DAYS] > end).to_numpy()
    seen = episodes.copy(deep=False)
    seen[DURATION_DAYS] = episodes[DURATION_DAYS].where(~beyond, end)
    seen[EVENT] = np.where(beyond, 0, episodes[EVENT]).astype(np.int64)
    return seen


def refuse_horizon(horizon: object) -> None:
    """Refuse a horizon that is no whole number of days above 0."""
    if not isinstance(horizon, int | np.integer) or isinstance(horizon, bool) or horizon < 1:
        what = f"horizon is a whole number of days above 0, not {horizon!r}"
        raise ArgumentError("horizon", what, hint="horizon=90")


def _step(horizon: int) -> int:
    """Return a third of the horizon in whole weeks, one at least."""
    return _WEEK * max(1, round(horizon / (3 * _WEEK)))


def _burn_in(horizon: int) -> int:
    return -(-horizon // 2)


def _needed(horizon: int) -> int:
    """Return the days that a log must have for one landmark with burn-in and a whole horizon."""
    step = _step(horizon)
    return _burn_in(horizon) + step * -(-horizon // step)


def _short(first: date, origin: date, horizon: int) -> str:
    return (
        f"the log starts on {first}, so that at {origin} no landmark has {_burn_in(horizon)} days before it and "
        f"{horizon} after it"
    )


def _hint(first: date, known: int, horizon: int) -> str:
    later = f"an origin from {first + timedelta(days=_needed(horizon))} on"
    shorter = next((days for days in range(horizon, 0, -1) if _needed(days) <= known), None)
    return f"{later}, or horizon={shorter}" if shorter else later
