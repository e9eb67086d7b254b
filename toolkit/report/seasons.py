"""Seasons as people see them: shaded in pictures over time, and a note where a window cuts one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.seasons import held
from toolkit.report.frame import day_numbers
from toolkit.report.look import MUTED
from toolkit.report.note import Note

if TYPE_CHECKING:
    from datetime import date

    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase
    from matplotlib.text import Annotation, Text

    from toolkit.report.frame import Frame
    from toolkit.report.words import Words
    from toolkit.study import StudyFile

SEASON_COLOURS: dict[str, str] = {"holiday": "#f4dfbd", "sale": "#dcd8ee", "own": "#cfe6d4"}
_ROW = 12.0
_ROWS, _ROWS_OF_A_REPEAT = 4, 2
_APART = 4.0


def season_name(name: str, kind: str, words: Words) -> str:
    """Return what people call a season: the business's own ones as it names them."""
    return name if kind == "own" else words.label(name)


def season_note(
    as_of: date, window_days: int, settings: StudyFile, *, words: Words, compared: date | None = None
) -> Note | None:
    """Say where a window, or the one it is compared with, cuts a season or holds other seasons.

    Parameters
    ----------
    as_of
        Last day of the window.
    window_days
        Its length: it holds the days in (as_of - window_days, as_of].
    settings
        The study file.
    words
        The page's language.
    compared
        Last day of the window of the same length that figures are compared with; None where nothing is compared.

    Returns
    -------
    Note or None
        None where every season is whole and both windows hold as many days of each.

    Examples
    --------
    >>> from datetime import date
    >>> from toolkit.report.words import words
    >>> from toolkit.study import parse_study
    >>> shop = parse_study({"name": "shop", "timezone": "Asia/Shanghai", "currency": "CNY",
    ...     "tables": {"orders": {"files": "orders.csv"}}})
    >>> season_note(date(2026, 12, 11), 30, shop, words=words("en"), compared=date(2026, 11, 11))
    Double 11: 0 days in this period, 11 in the earlier one. Compare with care.
    >>> season_note(date(2026, 10, 31), 365, shop, words=words("en"), compared=date(2026, 9, 30))
    """
    ends = [as_of, *([compared] if compared else [])]
    windows = [held(end, window_days, settings) for end in ends]
    cut = [_cut(window, end, window_days, words) for window, end in zip(windows, ends, strict=True)]
    text = "".join([*cut, _differing(windows[0], windows[-1], words)])
    return Note(text + words.say("season_care")) if text else None


def shade(ax: Axes, found: pd.DataFrame, *, frame: Frame) -> float:
    """Shade seasons behind a picture over time and name them above it, so that no two names overlap.

    Parameters
    ----------
    ax
        Axes whose lying axis is one of dates and has its final limits.
    found
        Output of ``toolkit.data.seasons.seasons``.
    frame
        Day, window, language, currency.

    Returns
    -------
    float
        Height of the names in points: what ``headline`` needs as additional ``rise``.

    Notes
    -----
    The latest of each season is named first; one of an earlier year stays without a name where there is no room.
    """
    left, right = ax.get_xlim()
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_ROWS)]
    named: set[str] = set()
    for season in found.iloc[::-1].itertuples():
        first, last = day_numbers([season.first, season.last])
        after = last + 1
        if after <= left or right <= first:
            continue
        start, end = max(first, left), min(after, right)
        ax.axvspan(start, end, color=SEASON_COLOURS[str(season.kind)], linewidth=0, zorder=0.5)
        name = season_name(str(season.name), str(season.kind), frame.words)
        text = _name_above(ax, (start + end) / 2, name)
        row = free_row(text, taken[: _ROWS_OF_A_REPEAT if name in named else _ROWS])
        if row is None:
            text.remove()
            continue
        text.xyann = (0, 3 + _ROW * row)
        named.add(name)
    ax.set_xlim(left, right)
    return _ROW * sum(map(bool, taken))


def free_row(text: Text, rows: list[list[tuple[float, float]]]) -> int | None:
    """Take the lowest row in which a text overlaps none that stands there already; None where there is no such row."""
    box = text.get_window_extent(_renderer(text))
    for place, row in enumerate(rows):
        if all(box.x1 + _APART < low or high + _APART < box.x0 for low, high in row):
            row.append((box.x0, box.x1))
            return place
    return None


def _name_above(ax: Axes, place: float, name: str) -> Annotation:
    return ax.annotate(
        name,
        (place, 1),
        xycoords=ax.get_xaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8.5,
        color=MUTED,
        annotation_clip=False,
        parse_math=False,
    )


def _renderer(text: Text) -> RendererBase:
    figure = text.get_figure(root=True)
    renderer: RendererBase = figure.canvas.get_renderer()  # type: ignore[union-attr]  # every canvas that draws has one
    return renderer


def _cut(window: pd.DataFrame, end: date, window_days: int, words: Words) -> str:
    parts = [
        words.say(
            "season_part",
            season=season_name(str(row.name), str(row.kind), words),
            span=words.span(pd.Timestamp(str(row.first)).date(), pd.Timestamp(str(row.last)).date()),
            days=f"{row.days:,}",
            length=f"{row.length:,}",
        )
        for row in window[window["days"] < window["length"]].itertuples()
    ]
    told = {"day": words.date(end), "window": f"{window_days:,}", "seasons": words.label("and").join(parts)}
    return words.say("season_cut", **told) if parts else ""


def _differing(now: pd.DataFrame, then: pd.DataFrame, words: Words) -> str:
    days = [window.groupby(["kind", "name"], sort=False)["days"].sum() for window in (now, then)]
    seasons = list(dict.fromkeys([*days[0].index, *days[1].index]))
    totals = [(*season, *(int(window.get(season, 0)) for window in days)) for season in seasons]
    return "".join(
        words.say("season_days", season=season_name(name, kind, words), now=f"{new:,}", then=f"{old:,}")
        for kind, name, new, old in totals
        if new != old
    )
