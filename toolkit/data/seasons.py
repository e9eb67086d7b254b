"""The calendar of seasons: days on which people buy unlike on others, and what a window holds of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from toolkit.study import StudyFile

Kind = Literal["holiday", "sale", "own"]
_Season = tuple[str, date, date, Kind]

# fmt: off
_NEW_YEARS: tuple[date, ...] = tuple(map(date.fromisoformat, (
    "2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19", "2016-02-08", "2017-01-28",
    "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29",
    "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23", "2032-02-11", "2033-01-31",
    "2034-02-19", "2035-02-08",
)))
_YEARLY: tuple[tuple[str, Kind, tuple[int, int], tuple[int, int]], ...] = (
    ("618", "sale", (6, 1), (6, 20)),
    ("national_day", "holiday", (10, 1), (10, 7)),
    ("double_11", "sale", (11, 1), (11, 11)),
)
# fmt: on
SEASONS: tuple[str, ...] = ("spring_festival", *(name for name, *_ in _YEARLY))
"""Seasons that ``holidays: china`` knows; their names stand in the report's words."""

COLUMNS = ("name", "first", "last", "kind")
_BEFORE_NEW_YEAR, _AFTER_NEW_YEAR = timedelta(days=1), timedelta(days=14)


def seasons(first: date, last: date, settings: StudyFile) -> pd.DataFrame:
    """List the seasons that touch a range of days, clipped to it.

    Parameters
    ----------
    first, last
        The range, both days included.
    settings
        The study file: ``holidays`` (``china`` or ``none``) and ``calendar`` (the business's own seasons).

    Returns
    -------
    pandas.DataFrame
        One row per season, in order of time: ``name`` (one of `SEASONS`, or the user's own), ``first``, ``last``
        (local days, ``datetime64[s]``, both included), ``kind`` (``holiday``, ``sale`` or ``own``).

    Notes
    -----
    Known in advance: nothing here depends on rows. ``china`` holds, for 2010 to 2035,

    - Spring Festival from New Year's Eve to the Lantern Festival (the 15th day of the first month): 16 days, which
      hold every public holiday week of these years. New Year's days are those of the Hong Kong Observatory's
      "Gregorian-Lunar Calendar Conversion Table";
    - 618, 1 to 20 June;
    - the National Day golden week, 1 to 7 October;
    - Double 11, 1 to 11 November. Platforms have opened it in late October since 2020, on another day each year: a
      business that takes part from then on writes its own days under ``calendar``. Double 12, which the biggest
      platform gave up in 2023, is left to ``calendar`` as well.

    Examples
    --------
    >>> from toolkit.study import parse_study
    >>> shop = parse_study({"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY",
    ...     "tables": {"orders": {"files": "orders.csv"}},
    ...     "calendar": [{"name": "Anniversary", "first": "2026-02-25", "last": "2026-02-28"}]})
    >>> seasons(date(2026, 2, 20), date(2026, 6, 5), shop)
                  name      first       last     kind
    0  spring_festival 2026-02-20 2026-03-03  holiday
    1      Anniversary 2026-02-25 2026-02-28      own
    2              618 2026-06-01 2026-06-05     sale
    """
    touching = _touching(first, last, settings)
    return _frame([(name, max(start, first), min(end, last), kind) for name, start, end, kind in touching])


def held(last: date, days: int, settings: StudyFile) -> pd.DataFrame:
    """Say how many days of each season a window holds.

    Parameters
    ----------
    last
        Last day of the window.
    days
        Length of the window: it holds the days in (last - days, last].
    settings
        The study file.

    Returns
    -------
    pandas.DataFrame
        One row per season that the window touches, in order of time: ``name first last kind`` of the whole season,
        ``days`` of it in the window, and ``length`` in days. It is cut where ``days`` is smaller than ``length``.

    Examples
    --------
    >>> from toolkit.study import parse_study
    >>> shop = parse_study({"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY",
    ...     "tables": {"orders": {"files": "orders.csv"}}})
    >>> held(date(2026, 11, 3), 30, shop)[["name", "days", "length"]]
               name  days  length
    0  national_day     3       7
    1     double_11     3      11
    """
    first = last - timedelta(days=days - 1)
    touching = _touching(first, last, settings)
    inside = [(min(end, last) - max(start, first)).days + 1 for _, start, end, _ in touching]
    length = [(end - start).days + 1 for _, start, end, _ in touching]
    return _frame(touching).assign(days=inside, length=length).astype({"days": "int64", "length": "int64"})


def _touching(first: date, last: date, settings: StudyFile) -> list[_Season]:
    known: list[_Season] = [(season.name, season.first, season.last, "own") for season in settings.calendar]
    if settings.holidays == "china":
        known += _china()
    touching = [season for season in known if season[1] <= last and first <= season[2]]
    return sorted(touching, key=lambda season: (season[1], season[2], season[0]))


def _frame(found: list[_Season]) -> pd.DataFrame:
    table = pd.DataFrame(found, columns=list(COLUMNS))
    return table.astype({"first": "datetime64[s]", "last": "datetime64[s]"})


def _china() -> list[_Season]:
    known: list[_Season] = []
    for day in _NEW_YEARS:
        known.append(("spring_festival", day - _BEFORE_NEW_YEAR, day + _AFTER_NEW_YEAR, "holiday"))
        known += [(name, date(day.year, *start), date(day.year, *end), kind) for name, kind, start, end in _YEARLY]
    return known
