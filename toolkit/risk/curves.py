"""Survival curves by group: how long until it happens, for whom, and do groups differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.intervals import Z
from toolkit.risk.contrasts import log_rank, restricted_mean_contrasts
from toolkit.risk.curve_groups import SMALL, curve_checks, grouped
from toolkit.schema import DURATION_DAYS, EVENT

if TYPE_CHECKING:
    from toolkit.errors import Check
    from toolkit.risk.contrasts import LogRank
    from toolkit.risk.curve_groups import Groups
    from toolkit.risk.product_limit import Days, Floats, Rows

_HALF = 0.5 + 1e-9
_TICKS = 5


@dataclass(frozen=True, repr=False, eq=False)
class SurvivalCurves:
    """Curves of several groups and what they come to; see `survival_curves`.

    Attributes
    ----------
    by
        Column of the groups; empty where there is one.
    horizon
        Days up to which restricted means are taken.
    curves
        ``group time survival lower upper at_risk events``: one row per group and day on which somebody left, and day 0.
        ``survival`` is the share for whom the event has not come by the end of the day: one minus the cumulative
        incidence where deletions occur. ``at_risk``: at risk on the day; on day 0 those followed from the start.
    summary
        Index ``group``: ``n``, ``events``, ``deletions``; ``median`` days (missing where not reached) with
        ``median_lower`` and ``median_upper``; ``rmst`` (mean days without the event up to the horizon, missing where
        follow-up is shorter) with ``lower`` and ``upper``; ``small`` (fewer than 20 people).
    at_risk
        Index ``group``: customers at risk on five days from 0 to the horizon.
    logrank
        Test over all groups (`toolkit.risk.contrasts.log_rank`).
    contrasts
        Differences of restricted means, by pair (`toolkit.risk.contrasts.restricted_mean_contrasts`).
    checks
        What is doubtful.
    """

    by: str
    horizon: float
    curves: pd.DataFrame
    summary: pd.DataFrame
    at_risk: pd.DataFrame
    logrank: LogRank
    contrasts: pd.DataFrame
    checks: tuple[Check, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The summary as text: medians that are not reached say so, small groups have a star."""
        shown, mean = self.summary, f"mean to {self.horizon:g} days"
        return pd.DataFrame(
            {
                "n": shown["n"].map("{:,}".format) + np.where(shown["small"], " *", ""),
                "events": shown["events"].map("{:,}".format),
                "median": _spans(shown, ("median", "median_lower", "median_upper"), ",.0f", "not reached"),
                mean: _spans(shown, ("rmst", "lower", "upper"), ",.1f", "not followed"),
            }
        )

    def __repr__(self) -> str:
        return "\n".join([self.table.to_string(), *self._notes()])

    def _repr_html_(self) -> str:
        return self.table.to_html(border=0) + "".join(f"<p>{note}</p>" for note in self._notes())

    def _notes(self) -> list[str]:
        star = [f"* fewer than {SMALL} people"] if self.summary["small"].any() else []
        test = [repr(self.logrank)] if len(self.summary) > 1 else []
        return [*star, *test, *(check.message for check in self.checks if check.status == "failed")]


def survival_curves(
    frame: pd.DataFrame,
    by: str | None = None,
    *,
    duration: str = DURATION_DAYS,
    event: str = EVENT,
    entry: str | None = None,
    horizon: float | None = None,
) -> SurvivalCurves:
    """Estimate how long it takes until the event comes, by group.

    Parameters
    ----------
    frame
        One row per customer, such as the episodes of one landmark: days and event codes (0 censored, 1 the event, 2
        deletion, which competes).
    by
        Column of groups, such as a tier as it was at the landmark; rows without a value are left out. One group by
        default. Ordered categories keep their order.
    duration, event
        Columns of days and codes.
    entry
        Column of the day from which a row was under observation (late entry). By default ``entry_days`` where the frame
        has it, else all were followed from the start.
    horizon
        Days up to which restricted means are taken; by default as long as all groups of 20 or more were followed.

    Returns
    -------
    SurvivalCurves
        Curves with intervals and counts at risk, medians and restricted means, tests.

    Raises
    ------
    ArgumentError
        A column is missing; a group has several landmarks; memberships (``outcome="end"``) come without their entry; a
        duration is negative or missing; an event is none of 0, 1, 2; or there is no row.

    Notes
    -----
    Kaplan, Meier (1958), "Nonparametric estimation from incomplete observations", J. Am. Stat. Assoc. 53; in groups
    with deletions one minus the cumulative incidence of Aalen, Johansen (1978). Risk sets start at the entry (Tsai,
    Jewell, Wang, 1987). 95 % intervals are symmetric for log(-log(survival)); the median's are the days on which those
    of the curve pass one half (Brookmeyer, Crowley, 1982). Rows that leave on the day they enter are never at risk.

    Examples
    --------
    >>> frame = pd.DataFrame({"duration_days": [5, 8, 12, 3, 20, 20], "event": [1, 1, 0, 1, 0, 0]})
    >>> survival_curves(frame.assign(tier=list("aaabbb")), by="tier", horizon=10)
             n events                median    mean to 10 days
    group
    a      3 *      2  8 (5 to not reached)  7.7 (5.3 to 10.0)
    b      3 *      1           not reached  7.7 (3.9 to 10.0)
    * fewer than 20 people
    log-rank: chi-square 0.22 on 1, p .642
    """
    groups = grouped(frame, by, duration=duration, event=event, entry=entry)
    end = float(horizon) if horizon is not None else _followed(groups)
    rows, tables = groups.rows, groups.tables
    return SurvivalCurves(
        by=by or "",
        horizon=end,
        curves=pd.concat([_curve(name, tables[name], rows[name]) for name in rows], ignore_index=True),
        summary=pd.DataFrame(
            [_summary(tables[name], rows[name], end) for name in rows], index=pd.Index(list(rows), name="group")
        ).assign(small=[name in groups.small for name in rows]),
        at_risk=_counts(rows, end),
        logrank=log_rank(rows),
        contrasts=restricted_mean_contrasts(tables, end, groups.small),
        checks=curve_checks(groups),
    )


def _followed(groups: Groups) -> float:
    """Return how long every group was followed; small ones do not shorten it."""
    judged = [table for name, table in groups.tables.items() if name not in groups.small] or [*groups.tables.values()]
    ends = [(float(table.time[-1]), bool(table.free[-1] > 0)) for table in judged if len(table.time)]
    return min((end for end, open_ in ends if open_), default=max((end for end, _ in ends), default=0.0))


def _curve(name: str, table: Days, rows: Rows) -> pd.DataFrame:
    survival = table.survival
    lower, upper = _log_log(survival, table.incidence_variance)
    curve = pd.DataFrame(
        {
            "group": name,
            "time": table.time,
            "survival": survival,
            "lower": lower,
            "upper": upper,
            "at_risk": table.at_risk.astype(np.int64),
            "events": table.events.astype(np.int64),
        }
    )
    if len(table.time) and table.time[0] <= 0:
        return curve
    first = {"group": name, "time": 0.0, "survival": 1.0, "lower": 1.0, "upper": 1.0, "events": 0}
    return pd.concat([pd.DataFrame([first | {"at_risk": _there(rows, 0.0)}])[curve.columns], curve], ignore_index=True)


def _there(rows: Rows, day: float) -> int:
    """Count those at risk on a day; on day 0 those who are from then on."""
    days, _, start = rows
    return int(((start < day) & (days >= day)).sum() if day > 0 else ((start <= day) & (days > start)).sum())


def _counts(rows: dict[str, Rows], end: float) -> pd.DataFrame:
    ticks = np.unique(np.round(np.linspace(0, end, _TICKS))) if end >= _TICKS else np.linspace(0, end, _TICKS)
    table = {name: [_there(own, tick) for tick in ticks] for name, own in rows.items()}
    return pd.DataFrame.from_dict(table, orient="index", columns=pd.Index(ticks, name="time")).rename_axis("group")


def _log_log(survival: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return the interval that is symmetric for log(-log(survival)); missing at 0, where the curve has no one left."""
    inside = (survival > 0) & (survival < 1)
    safe = np.where(inside, survival, 0.5)
    spread = np.exp(Z * np.sqrt(variance) / (safe * np.abs(np.log(safe))))
    rest = np.where(survival >= 1, 1.0, np.nan)
    return np.where(inside, safe**spread, rest), np.where(inside, safe ** (1 / spread), rest)


def _summary(table: Days, rows: Rows, end: float) -> dict[str, float]:
    survival = table.survival
    lower, upper = _log_log(survival, table.incidence_variance)
    mean, variance = table.restricted_mean(end)
    half = Z * np.sqrt(variance)
    return {
        "n": len(rows[0]),
        "events": int((rows[1] == 1).sum()),
        "deletions": int((rows[1] == 2).sum()),
        "median": _first(table.time, survival),
        "median_lower": _first(table.time, lower),
        "median_upper": _first(table.time, upper),
        "rmst": mean,
        "lower": mean - half,
        "upper": min(mean + half, end) if not np.isnan(mean) else np.nan,
    }


def _first(time: Floats, curve: Floats) -> float:
    """Return the first day on which a curve is at or below one half."""
    reached = np.flatnonzero(curve <= _HALF)
    return float(time[reached[0]]) if len(reached) else np.nan


def _spans(shown: pd.DataFrame, names: tuple[str, str, str], form: str, missing: str) -> list[str]:
    """Write each figure with its interval; what is missing says why."""
    texts = []
    for row in shown[list(names)].to_numpy(dtype=np.float64):
        middle, lower, upper = (missing if np.isnan(value) else format(value, form) for value in row)
        texts.append(missing if middle == missing else f"{middle} ({lower} to {upper})")
    return texts
