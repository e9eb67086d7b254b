"""The churn clock: after how many days without an order may a customer be called lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError, Check
from toolkit.risk.clock_looks import MOST_LANDMARKS, Tiering, looks_at, refuse_open
from toolkit.risk.clock_rates import ALIVE_BUT_SILENT, LOST_BUT_ORDERED, Looks, rates_by_cut, smallest
from toolkit.risk.clock_tables import MULTIPLES, WINDOWS, by_group, gap_bands, sensitivity
from toolkit.schema import DURATION_DAYS, EVENT, LANDMARK, MEAN_GAP_DAYS, ORDER_DAYS, RECENCY_DAYS, as_day

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse

ENOUGH_ORDER_DAYS = 3
_ERRORS = (LOST_BUT_ORDERED, ALIVE_BUT_SILENT)


@dataclass(frozen=True, repr=False, eq=False)
class ChurnClock:
    """Windows after which customers may be called lost, and how often that errs; see `churn_clock`.

    All tables have ``called_lost`` (looks at a customer that the rule calls lost), ``lost_but_ordered`` (share of them
    with an order within the horizon) and ``alive_but_silent`` (share of the others without), each share with ``_lower``
    and ``_upper``.

    Attributes
    ----------
    recommended
        Days: the smallest candidate at which the upper limit of ``lost_but_ordered`` is within the tolerance; where
        none is, the largest candidate (and a failed check).
    recommended_multiple
        The same for multiples of the own mean gap; missing where none is.
    horizon, tolerance, by
        As given.
    landmarks
        Days on which customers were looked at.
    looks, customers
        Rows behind the tables, and the customers they are of.
    candidates
        One row per ``window_days``: called lost when idle at least as long.
    by_tier
        Index ``tier``: ``looks``, ``ordered`` (share with an order within the horizon), both error rates at the
        recommended window, the tier's own ``recommended`` window, whether it was ``reached``, and ``small`` (fewer than
        20 customers). Empty without tiers.
    by_gap
        The same by band of the customer's mean gap (``days``), of customers with 3 or more order days.
    by_cadence
        One row per ``multiple``: called lost when idle at least so many own mean gaps, of the same customers.
    sensitivity
        Index ``change`` (-25 %, 0, +25 % of the recommended window): ``window_days``, both error rates, ``changed`` and
        ``changed_share``: customers of the latest landmark who are called otherwise than by the recommended window.
    checks
        What is doubtful.
    """

    recommended: int
    recommended_multiple: float
    horizon: int
    tolerance: float
    by: str
    landmarks: tuple[date, ...]
    looks: int
    customers: int
    candidates: pd.DataFrame
    by_tier: pd.DataFrame
    by_gap: pd.DataFrame
    by_cadence: pd.DataFrame
    sensitivity: pd.DataFrame
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        lost, silent = (_shown(self.sensitivity.loc[[0.0]], name)[0] for name in _ERRORS)
        return (
            f"Called lost after {self.recommended} days without an order: {lost} of them ordered within {self.horizon}"
            f" days all the same; called alive before: {silent} of them did not. {self.looks:,} looks at"
            f" {self.customers:,} customers, on {', '.join(map(str, self.landmarks))}."
        )

    @property
    def table(self) -> pd.DataFrame:
        """The candidates as text, intervals in brackets."""
        shown = {name: _shown(self.candidates, name) for name in _ERRORS}
        return self.candidates[["window_days", "called_lost"]].assign(**shown).set_index("window_days")

    def __repr__(self) -> str:
        return "\n".join([self.sentence, *self._failed(), self.table.to_string()])

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{text}</p>" for text in (self.sentence, *self._failed()))
        return said + self.table.to_html(border=0)

    def _failed(self) -> list[str]:
        return [check.message for check in self.checks if check.status == "failed"]


def churn_clock(
    study: Warehouse,
    as_of: str | date,
    *,
    horizon: int = 90,
    tiers: Tiering | None = None,
    by: str | None = None,
    tolerance: float = 0.1,
) -> ChurnClock:
    """Find after how many days without an order a customer may be called lost.

    Parameters
    ----------
    study
        The study.
    as_of
        The day; only rows visible at its end count.
    horizon
        Days that an order is waited for.
    tiers
        A transformer from snapshot to columns, such as ``RFM()``: a copy is fitted to the snapshot of each landmark.
    by
        Which of the schemes (columns of text or categories) that it adds; needed where there are several.
    tolerance
        Share of those called lost that may order within the horizon all the same.

    Returns
    -------
    ChurnClock
        Candidates with both error rates, a recommendation, tables by tier and by own cadence, sensitivity.

    Raises
    ------
    ArgumentError
        Nobody had ordered a horizon before ``as_of``; an option is wrong; or ``tiers`` has no such column.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    Customers with an order are looked at ``as_of - horizon``, ``as_of - 2 horizon``, ... (at most four days), so that
    every outcome is known by ``as_of`` and no order is waited for twice. Idle means ``recency_days``: days since the
    last ORDER, as that is what is waited for; acts of other kinds do not stop this clock. A deleted account is one
    without an order.

    A customer may be looked at several times; intervals know it (`toolkit.risk.clock_rates.clustered_share`). The
    recommendation takes the upper limit of the interval, not the estimate: a window that few customers stand behind is
    then not chosen by luck, and to call somebody lost too late is the cheaper error.

    Examples
    --------
    >>> import toolkit as tk
    >>> clock = churn_clock(tk.Study.demo(customers=500, seed=7), "2026-10-31", horizon=60)
    >>> clock.landmarks[0].isoformat(), clock.horizon, len(clock.landmarks)
    ('2026-03-05', 60, 4)
    """
    day = as_day(as_of)
    _refuse(horizon, tolerance)
    episodes, by = looks_at(study, day, horizon, tiers=tiers, by=by)
    return clock_of(episodes, horizon, by=by, tolerance=tolerance)


def clock_of(episodes: pd.DataFrame, horizon: int, *, by: str | None = None, tolerance: float = 0.1) -> ChurnClock:
    """Find the same from episodes; see `churn_clock`.

    Parameters
    ----------
    episodes
        One row per landmark and customer (index), landmarks at least a horizon apart: ``landmark``, ``duration_days``,
        ``event``, ``recency_days``, ``order_days``, ``mean_gap_days``, and the column of tiers.
    horizon, by, tolerance
        As for `churn_clock`.

    Returns
    -------
    ChurnClock
        As for `churn_clock`.

    Raises
    ------
    ArgumentError
        There is no row; a row was followed for less than the horizon; landmarks are nearer than it; or an option is
        wrong.

    Examples
    --------
    >>> idle = np.arange(4_000) % 200.0
    >>> ordered = (np.arange(4_000) // 200 < 12) & (idle < 60)
    >>> frame = pd.DataFrame({"landmark": pd.Timestamp("2026-08-02"), "duration_days": np.where(ordered, 30.0, 90.0),
    ...                       "event": ordered.astype(int), "recency_days": idle, "order_days": 1})
    >>> clock = clock_of(frame.assign(mean_gap_days=np.nan), 90)
    >>> print(clock.sentence)
    Called lost after 45 days without an order: 5.8% (5.0% to 6.7%) of them ordered within 90 days all the same;
    called alive before: 40.0% (36.8% to 43.2%) of them did not. 4,000 looks at 4,000 customers, on 2026-08-02.
    """
    _refuse(horizon, tolerance)
    if by is not None and by not in episodes.columns:
        raise ArgumentError("no-column", f"the episodes have no {by}", hint="one of their columns")
    days = tuple(stamp.date() for stamp in sorted(pd.DatetimeIndex(episodes[LANDMARK].unique())))
    refuse_open(episodes, days, horizon)
    looks = Looks(
        customer=pd.factorize(episodes.index)[0].astype(np.int64),
        idle=episodes[RECENCY_DAYS].to_numpy(dtype=np.float64),
        ordered=((episodes[EVENT] == 1) & (episodes[DURATION_DAYS] <= horizon)).to_numpy(),
    )
    candidates = rates_by_cut(looks, looks.idle, WINDOWS, "window_days")
    best, reached = smallest(candidates, "window_days", tolerance)
    if candidates.empty:
        best = WINDOWS[0]
    window = int(best)
    gap = episodes[MEAN_GAP_DAYS].to_numpy(dtype=np.float64)
    regular = (episodes[ORDER_DAYS] >= ENOUGH_ORDER_DAYS).to_numpy() & (gap > 0)
    own = looks.of(regular)
    cadence = rates_by_cut(own, own.idle / gap[regular], MULTIPLES, "multiple")
    multiple, found = smallest(cadence, "multiple", tolerance)
    bands = gap_bands(gap[regular])
    latest = (episodes[LANDMARK] == episodes[LANDMARK].max()).to_numpy()
    tiers = episodes[by] if by is not None else pd.Series(index=episodes.index, dtype="object")
    return ChurnClock(
        recommended=window,
        recommended_multiple=multiple if found else np.nan,
        horizon=horizon,
        tolerance=tolerance,
        by=by or "",
        landmarks=days,
        looks=len(episodes),
        customers=int(looks.customer.max()) + 1,
        candidates=candidates,
        by_tier=by_group(looks, tiers, window, tolerance).rename_axis("tier"),
        by_gap=by_group(own, bands, window, tolerance).rename_axis("days"),
        by_cadence=cadence,
        sensitivity=sensitivity(looks, window, latest),
        checks=_checks(candidates, reached=reached, window=window, tolerance=tolerance, days=days),
    )


def _refuse(horizon: int, tolerance: float) -> None:
    if horizon < 1:
        raise ArgumentError("horizon", f"horizon is at least a day, not {horizon}", hint="horizon=90")
    if not 0 < tolerance < 1:
        raise ArgumentError("tolerance", f"tolerance is a share, not {tolerance}", hint="tolerance=0.1")


def _checks(
    candidates: pd.DataFrame, *, reached: bool, window: int, tolerance: float, days: tuple[date, ...]
) -> tuple[Check, ...]:
    found = []
    if not reached:
        message = (
            f"no window is long enough: at the longest ({window} days) it is not sure that at most {tolerance:.0%} of"
            " those called lost order all the same"
        )
        found.append(Check("tolerance_not_reached", "failed", message, len(candidates)))
    if len(days) < MOST_LANDMARKS:
        message = f"customers could be looked at on {len(days)} days only: a season may stand for the year"
        found.append(Check("few_landmarks", "informational", message, len(days)))
    return tuple(found)


def _shown(rates: pd.DataFrame, name: str) -> list[str]:
    columns = rates[[name, f"{name}_lower", f"{name}_upper"]].to_numpy(dtype=np.float64)
    return ["none" if np.isnan(row[0]) else "{:.1%} ({:.1%} to {:.1%})".format(*row) for row in columns]
