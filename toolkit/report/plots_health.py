"""Pictures of what came in: a calendar of orders, and the fate of the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toolkit.report.frame import at_bar_end, bars_down, headline, key
from toolkit.report.look import ALERT, BAR, INK, MUTED, SEGMENT_COLOURS, SEQUENCE, canvas
from toolkit.schema import FATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from toolkit.report.frame import Frame


def coverage(orders: pd.Series[int], ax: Axes | None = None, *, frame: Frame) -> Axes:
    """Draw a calendar of orders per day in which days without any stand out.

    Parameters
    ----------
    orders
        Orders per day, indexed by day; days that are not in the index had none.
    ax
        Where to draw; a new figure where None.
    frame
        Day, window, language, currency.

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


def _places(days: pd.DatetimeIndex) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each day: nine rows a year (seven weekdays from Monday, two blank), one column a week."""
    first_weekday = pd.to_datetime(days.year.astype(str) + "-01-01").weekday.to_numpy(np.int64)
    row = 9 * (days.year - days.year.min()) + days.weekday
    column = (days.dayofyear.to_numpy(np.int64) - 1 + first_weekday) // 7
    return row.to_numpy(np.int64), column
