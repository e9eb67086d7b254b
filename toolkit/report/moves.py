"""Who moved and why, as a page says it: the days to compare, the verdict and the notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.rhythm import first_order_day
from toolkit.report.headline import Figure, Headline
from toolkit.report.note import Note
from toolkit.report.seasons import season_note
from toolkit.segments.moved import GONE, NEW

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.errors import Check
    from toolkit.report.frame import Frame
    from toolkit.segments.history import TierHistory
    from toolkit.segments.migration import Migration
    from toolkit.study import StudyFile

_MONTHS_BACK = 3


def earlier(study: Warehouse, as_of: date, months: int = _MONTHS_BACK) -> date:
    """Return the day so many months before, a month's last day for a month's last day; less where no order is so old.

    Parameters
    ----------
    study
        The study.
    as_of
        The report's day.
    months
        How many months to go back, at most.

    Raises
    ------
    ArgumentError
        No order is visible at ``as_of``.
    """
    first = first_order_day(study, as_of)
    days = [_back(as_of, months_back) for months_back in range(months, 0, -1)]
    return next((day for day in days if day >= first), first)


def evaluations(study: Warehouse, as_of: date, months: int = 6) -> list[date]:
    """Return the days at which tiers are evaluated: each month's up to ``as_of``, as far back as orders go."""
    first = first_order_day(study, as_of)
    days = [_back(as_of, back) for back in range(months, -1, -1)]
    return [day for day in days if day >= first]


def moves_story(move: Migration, *, frame: Frame) -> Headline:
    """Say how many moved, which way, and how much of it the clock and the cut points made.

    Parameters
    ----------
    move
        Output of ``migrate``.
    frame
        Day, window, language, currency.
    """
    words = frame.words
    known = move.matrix[(move.matrix["from"] != NEW) & (move.matrix["to"] != GONE)]
    place = {name: n for n, name in enumerate(move.tiers)}
    origin, target = (known[side].astype("object").map(place).astype("int64") for side in ("from", "to"))
    people, up, down = (
        int(known.loc[rows, "customers"].sum()) for rows in (origin >= 0, target < origin, target > origin)
    )
    by_clock = move.moved[(move.moved["from"] != NEW) & (move.moved["cause"] == "clock")]
    clock = int((by_clock["clocked"].astype("object") == by_clock["to"].astype("object")).sum())
    new = int(move.matrix.loc[move.matrix["from"] == NEW, "customers"].sum())
    moved, drift = up + down, move.drift
    share = words.percent(moved / people) if people and not frame.small(moved) else "–"
    told = {"moved": moved, "up": up, "down": down, "clock": clock, "new": new, "known": people}
    counts = {name: frame.count(count) for name, count in told.items()}
    verdict = words.say("verdict_moves", since=words.date(move.before), share=share, **counts)
    if drift.naive_moved:
        verdict += words.say("verdict_drift", **_drift_figures(move, frame))
    else:
        verdict += words.say("verdict_drift_none")
    figures = (
        Figure(words.label("moved"), counts["moved"], share),
        Figure(words.label("moved_up"), counts["up"]),
        Figure(words.label("moved_down"), counts["down"]),
        Figure(words.label("moved_by_clock"), counts["clock"]),
        Figure(words.label("moves_first_seen"), counts["new"]),
        Figure(words.label("moves_drift_share"), _drift_figures(move, frame)["share"]),
    )
    return Headline(verdict, figures)


def drift_note(move: Migration, *, frame: Frame) -> Note:
    """Say how much of naive migration was threshold drift, and what it would have hidden."""
    words = frame.words
    told = {"same": move.drift.moved_same_cuts, "hidden": move.drift.hidden_by_drift}
    counts = {name: frame.count(count) for name, count in told.items()}
    naive = words.say("verdict_drift", **_drift_figures(move, frame)) if move.drift.naive_moved else ""
    return Note((naive or words.say("verdict_drift_none")).strip() + " " + words.say("drift_fixed", **counts))


def correction_note(move: Migration, *, frame: Frame) -> Note:
    """Say when cut points were learned, and whether corrections could be measured."""
    words = frame.words
    key = "moves_not_measured" if move.not_measured else "moves_measured"
    learned = words.say("moves_learned", day=words.date(move.learned_at))
    measured = words.say(key) if move.not_measured else words.say(key, day=words.date(move.before))
    return Note(f"{learned} {measured} {words.say('bridge_sums')}")


def window_note(move: Migration, settings: StudyFile, *, frame: Frame) -> Note | None:
    """Say where one of the two windows cuts a season, or holds other seasons than the other; mostly nothing."""
    return season_note(move.after, frame.window_days, settings, words=frame.words, compared=move.before)


def sums_note(checks: Iterable[Check], *, frame: Frame) -> Note:
    """Say whether customers and money add up."""
    told = [check for check in checks if check.code.endswith("_up")]
    return Note("".join(frame.say(f"checked_{check.code}_{check.status}") for check in told).strip())


def history_note(history: TierHistory, *, frame: Frame) -> Note:
    """Say what the flap meter reads without hysteresis."""
    words, found = frame.words, history.flaps_without
    told = {"customers": found.customers, "changes": found.changes, "judged": found.judged, "flaps": found.flaps}
    share = "–" if frame.small(found.flaps) else words.percent(found.share)
    counts = {name: frame.count(count) for name, count in told.items()}
    return Note(words.say("history_meter", n=f"{len(history.per_date):,}", share=share, **counts))


def _drift_figures(move: Migration, frame: Frame) -> dict[str, str]:
    drift = move.drift
    few = frame.small(drift.naive_moved) or frame.small(drift.drift_only)
    return {
        "naive": frame.count(drift.naive_moved),
        "drift": frame.count(drift.drift_only),
        "share": "–" if few else frame.words.percent(drift.share),
    }


def _back(day: date, months: int) -> date:
    at = pd.Timestamp(day)
    then = at - pd.DateOffset(months=months)
    return (then + pd.offsets.MonthEnd(0) if at.is_month_end else then).date()
