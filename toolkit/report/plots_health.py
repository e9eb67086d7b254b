"""Pictures of what came in: a calendar of orders, and the fate of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toolkit.report.frame import at_bar_end, bars_down, count_axis, date_axis, day_numbers, headline, key
from toolkit.report.look import ALERT, BAR, INK, MUTED, SEGMENT_COLOURS, SEQUENCE, canvas
from toolkit.report.seasons import free_row, season_name, shade
from toolkit.schema import FATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from toolkit.report.frame import Frame


def orders_by_week(weeks: pd.Series[int], ax: Axes | None = None, *, frame: Frame, seasons: pd.DataFrame) -> Axes:
    """Draw order lines per week over time, with the seasons behind them.

    Parameters
    ----------
    weeks
        Output of ``toolkit.report.health.orders_by_week``.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.
    seasons
        Output of ``toolkit.data.seasons.seasons``.

    Returns
    -------
    Axes
        The picture; the title names the usual and the busiest week.
    """
    ax = canvas(ax, rows=10)
    days = pd.DatetimeIndex(weeks.index)
    middle = day_numbers(days) + 3.5
    ax.plot(middle, weeks.to_numpy(), color=SEGMENT_COLOURS["champions"], linewidth=2)
    ax.set_xlim(middle[0] - 3.5, middle[-1] + 3.5)
    count_axis(ax, frame.words.label("orders_per_week"))
    date_axis(ax, frame=frame)
    peak = int(np.argmax(weeks.to_numpy()))
    ax.plot(middle[peak], weeks.iloc[peak], "o", color=INK, markersize=6)
    rise = shade(ax, seasons, frame=frame)
    named = frame.say("week_from", day=frame.words.date(days[peak].date()))
    side = "right" if peak > len(weeks) / 2 else "left"
    where = (middle[peak], weeks.iloc[peak])
    ax.annotate(
        named, where, xytext=(-8 if side == "right" else 8, 0), textcoords="offset points", ha=side, va="center"
    )
    told = {"median": f"{weeks.median():,.0f}", "peak": f"{weeks.iloc[peak]:,}"}
    headline(ax, frame.say("title_weeks", **told), rise=10 + rise)
    return ax


def coverage(
    orders: pd.Series[int], ax: Axes | None = None, *, frame: Frame, seasons: pd.DataFrame | None = None
) -> Axes:
    """Draw a calendar of orders per day in which days without any stand out.

    Parameters
    ----------
    orders
        Orders per day, indexed by day; days that are not in the index had none.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.
    seasons
        Output of ``toolkit.data.seasons.seasons``: marked and named under their weeks.

    Returns
    -------
    Axes
        The picture: a strip per year, a column per week, a cell per day from the first to the last in the index.
    """
    days = pd.date_range(orders.index.min(), orders.index.max(), freq="D")
    counts = orders.reindex(days, fill_value=0).to_numpy(dtype=float)
    years = days.year.unique()
    ax = canvas(ax, rows=3.5 * len(years) + 4)
    row, column = _places(days)
    cells = np.full((9 * len(years) - 1, 54), np.nan)
    cells[row, column] = np.where(counts > 0, counts, np.nan)
    holes = np.full(cells.shape, np.nan)
    holes[row[counts == 0], column[counts == 0]] = 1.0
    colours = ListedColormap(mpl.colormaps[SEQUENCE](np.linspace(0.18, 1, 256)))
    mesh = ax.pcolormesh(
        cells,
        cmap=colours,
        norm=Normalize(1, max(float(np.quantile(counts, 0.98)), 2.0)),
        edgecolor="white",
        linewidth=1,
    )
    ax.pcolormesh(holes, cmap=ListedColormap([ALERT]), edgecolor="white", linewidth=1)
    missing = int((counts == 0).sum())
    ax.plot(column[counts == 0] + 0.5, row[counts == 0] + 0.5, "x", color="white", markersize=4, markeredgewidth=1.2)
    ax.invert_yaxis()
    ax.set_aspect("equal", anchor="N")
    firsts = pd.date_range(f"{years[0]}-01-01", periods=12, freq="MS")
    ax.set_xticks(_places(firsts)[1] + 0.5, frame.words.label("months").split(","), ha="left")
    ax.xaxis.tick_top()
    names = frame.words.label("weekdays").split(",")
    ax.set_yticks([9 * i + 3.5 for i in range(len(years))], [str(year) for year in years], color=INK, fontweight="bold")
    ax.set_yticks(
        [9 * i + day + 0.5 for i in range(len(years)) for day in range(7)], names * len(years), minor=True, fontsize=8
    )
    ax.tick_params(which="both", length=0)
    ax.tick_params(axis="y", which="major", pad=30)
    ax.spines[:].set_visible(False)
    bar = ax.figure.colorbar(
        mesh, ax=ax, orientation="horizontal", aspect=60, shrink=0.5, anchor=(1.0, 1.0), pad=0.02, extend="max"
    )
    bar.ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    bar.set_label(frame.words.label("orders_per_day"), color=MUTED)
    bar.outline.set_visible(False)
    if seasons is not None:
        _mark_weeks(ax, seasons, years[0], len(years), frame)
    if missing:
        key(ax, {frame.words.label("no_orders"): ALERT}, below=True)
    title = "title_coverage" if missing else "title_coverage_full"
    told = {"missing": f"{missing:,}", "days": f"{len(days):,}", "last": frame.words.date(days[-1].date())}
    headline(ax, frame.say(title, **told), rise=24)
    return ax


def ledger_bars(rows: Mapping[str, int], ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw what became of the rows that came in.

    Parameters
    ----------
    rows
        Number of rows by fate; fates that are not named had none, and ``later`` is drawn only where it is named.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

    Returns
    -------
    Axes
        The picture: one bar per fate, in one order, with count and share.
    """
    fates = [fate for fate in FATES if fate != "later" or fate in rows]
    ax = canvas(ax, rows=len(fates) + 3.5)
    counts = [int(rows.get(fate, 0)) for fate in fates]
    total = sum(counts)
    colours = {"used": SEGMENT_COLOURS["champions"], "quarantined": ALERT}
    ax.barh(range(len(fates)), counts, 0.66, color=[colours.get(fate, BAR) for fate in fates])
    for place, count in enumerate(counts):
        share = f" · {frame.words.percent(count / total)}" if total and count else ""
        at_bar_end(ax, count, place, f"{count:,}{share}")
    bars_down(ax, [frame.words.label(fate) for fate in fates])
    ax.set_xlim(0, 1.15 * max(*counts, 1))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(axis="x")
    ax.set_xlabel(frame.say("axis_table_rows"))
    used = frame.words.percent(counts[0] / total) if total else frame.words.percent(0)
    told = {"rows": f"{total:,}", "used": used, "quarantined": f"{rows.get('quarantined', 0):,}"}
    headline(ax, frame.say("title_ledger", **told))
    return ax


def _mark_weeks(ax: Axes, seasons: pd.DataFrame, first_year: int, years: int, frame: Frame) -> None:
    """Mark the weeks of each season under the strip of its year, and name it where there is room."""
    ax.set_ylim(9 * years, 0)
    ax.figure.get_figure(root=True).draw_without_rendering()
    taken: dict[int, list[tuple[float, float]]] = {}
    for season in seasons.itertuples():
        days = pd.date_range(str(season.first), str(season.last))
        for year in days.year.unique():
            column = _places(days[days.year == year])[1]
            start, end, strip = column[0], column[-1] + 1, 9 * (year - first_year)
            ax.plot([start + 0.1, end - 0.1], [strip + 7.4] * 2, color=MUTED, linewidth=2, solid_capstyle="butt")
            name = season_name(str(season.name), str(season.kind), frame.words)
            text = ax.text((start + end) / 2, strip + 8.3, name, ha="center", va="center", fontsize=8, color=MUTED)
            text.set_parse_math(False)
            row = taken.setdefault(strip, [])
            if free_row(text, [row]) is None:
                text.set(x=start + 0.1, ha="left")
                if free_row(text, [row]) is None:
                    text.remove()


def _places(days: pd.DatetimeIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each day: nine rows a year (seven weekdays from Monday, two blank), one column a week."""
    first_weekday = pd.to_datetime(days.year.astype(str) + "-01-01").weekday.to_numpy(np.int64)
    row = 9 * (days.year - days.year.min()) + days.weekday
    column = (days.dayofyear.to_numpy(np.int64) - 1 + first_weekday) // 7
    return row.to_numpy(np.int64), column
