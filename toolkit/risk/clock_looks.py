"""On which days the churn clock looks at customers, and what it sees."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import pandas as pd
from sklearn.base import clone

from toolkit.errors import ArgumentError
from toolkit.schema import DURATION_DAYS, EVENT, LANDMARK, MEAN_GAP_DAYS, ORDER_DAYS, RECENCY_DAYS

if TYPE_CHECKING:
    from toolkit.data.warehouse import Warehouse

MOST_LANDMARKS = 4


class Tiering(Protocol):
    """Anything of scikit-learn's manners that turns a snapshot into columns, such as ``RFM`` or ``Tiers``."""

    def fit(self, snap: pd.DataFrame) -> Tiering:
        """Learn cut points."""
        ...

    def transform(self, snap: pd.DataFrame) -> pd.DataFrame:
        """Return the snapshot's customers with their classes."""
        ...


def looks_at(
    study: Warehouse, as_of: date, horizon: int, *, tiers: Tiering | None, by: str | None
) -> tuple[pd.DataFrame, str | None]:
    """Look at buyers a horizon apart, the last time a horizon before ``as_of``.

    Parameters
    ----------
    study, as_of, horizon, tiers, by
        As for `toolkit.risk.clock.churn_clock`.

    Returns
    -------
    episodes : DataFrame
        As ``study.episodes`` returns it, with the class of each customer at the landmark.
    by : str
        Column of the classes; None without tiers.

    Raises
    ------
    ArgumentError
        Nobody had ordered by the last landmark, or ``by`` names no column of the tiers.

    Examples
    --------
    >>> import toolkit as tk
    >>> orders = pd.DataFrame({"customer_id": ["C1"], "ordered_at": ["2026-01-05"], "amount": [60]})
    >>> study = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    >>> looks_at(study, date(2026, 3, 31), 60, tiers=None, by=None)[0][["landmark", "duration_days", "recency_days"]]
                 landmark  duration_days  recency_days
    customer_id
    C1         2026-01-30           60.0          25.0
    """
    if by is not None and tiers is None:
        raise ArgumentError("by", f"there are no tiers to take {by} from", hint="tiers=RFM().fit(snap)")
    landmarks = [as_of - timedelta(days=horizon * number) for number in range(MOST_LANDMARKS, 0, -1)]
    try:
        episodes = study.episodes(landmarks, as_of, [RECENCY_DAYS, ORDER_DAYS, MEAN_GAP_DAYS])
    except ArgumentError as error:
        if error.code != "landmarks":
            raise
        what = f"nobody had ordered {horizon} days before {as_of}, so no outcome is known"
        raise ArgumentError("no-looks", what, hint="a shorter horizon, or a later as_of") from None
    return (episodes, None) if tiers is None else _with_tiers(study, episodes, tiers, by)


def refuse_open(episodes: pd.DataFrame, days: tuple[date, ...], horizon: int) -> None:
    """Refuse looks whose outcome is not known, or waited for twice.

    Raises
    ------
    ArgumentError
        There is no row, a row was followed for less than the horizon, or landmarks are nearer than it.

    Examples
    --------
    >>> looks = pd.DataFrame({"event": [0], "duration_days": [60.0]})
    >>> refuse_open(looks, (), 60)
    >>> refuse_open(looks, (), 90)
    Traceback (most recent call last):
    toolkit.errors.ArgumentError: E-horizon-open: followed for less than 90 days, so what came of them is not known...
    """
    if episodes.empty:
        raise ArgumentError("no-looks", "there is no episode", hint="a shorter horizon, or a later as_of")
    open_ = int(((episodes[EVENT] == 0) & (episodes[DURATION_DAYS] < horizon)).sum())
    if open_:
        what = f"followed for less than {horizon} days, so what came of them is not known"
        raise ArgumentError("horizon-open", what, count=open_, hint=f"landmarks up to as_of - {horizon} days")
    near = [later for earlier, later in pairwise(days) if (later - earlier).days < horizon]
    if near:
        what = f"landmarks nearer than {horizon} days wait for the same orders twice"
        raise ArgumentError("landmarks-near", what, count=len(near), hint=f"landmarks {horizon} days apart")


def _with_tiers(study: Warehouse, episodes: pd.DataFrame, tiers: Tiering, by: str | None) -> tuple[pd.DataFrame, str]:
    """Add the class that each customer had at the landmark."""
    parts = []
    for landmark in episodes[LANDMARK].unique():
        snap = study.snapshot(landmark.date())
        classes = clone(tiers).fit(snap).transform(snap)
        name = by or _only(classes.drop(columns=snap.columns).select_dtypes(exclude="number").columns)
        if name not in classes.columns:
            raise ArgumentError(
                "by", f"the tiers have no column {name}", hint=f"by= one of {', '.join(classes.columns)}"
            )
        rows = episodes[(episodes[LANDMARK] == landmark).to_numpy()]
        parts.append(rows.assign(**{name: classes[name].reindex(rows.index)}))
    return pd.concat(parts), name


def _only(added: pd.Index) -> str:
    if len(added) != 1:
        raise ArgumentError("by", f"the tiers add {len(added)} schemes", hint=f"by= one of {', '.join(added)}")
    return str(added[0])
