"""What every picture of a report shares: day, window, language, currency, and how axes and bars are labelled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib.dates as mdates
import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from toolkit.report.look import EDGE, INK, MUTED
from toolkit.report.words import Language, Words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """What every picture of a report shares.

    Attributes
    ----------
    as_of
        The report's day.
    window_days
        Length of the window, in days.
    language
        ``zh`` or ``en``.
    currency
        ISO code.
    min_cell
        Counts below it are written as such, and nothing is shown about them.
    """

    as_of: date | str
    window_days: int = 365
    language: Language = "en"
    currency: str = "CNY"
    min_cell: int = 10

    @property
    def words(self) -> Words:
        """The words of the language."""
        return Words(self.language)

    def say(self, key: str, **figures: str) -> str:
        """Return a sentence that may name the day, the window and the currency beside its own figures."""
        words = self.words
        known = {
            "as_of": words.date(self.as_of),
            "days": f"{self.window_days:,}",
            "sign": words.sign(self.currency).strip(),
        }
        return words.say(key, **(known | figures))

    def money(self, value: float) -> str:
        """Write an amount in the report's currency."""
        return self.words.money(value, self.currency)

    def exact(self, value: float) -> str:
        """Write an amount to the cent, whole ones without cents.

        Examples
        --------
        >>> [Frame("2026-10-31").exact(amount) for amount in (47_686.2, 1_200, -0.5)]
        ['¥47,686.20', '¥1,200', '-¥0.50']
        """
        sign = "-" if value < 0 else ""
        return f"{sign}{self.words.sign(self.currency)}{abs(value):,.2f}".removesuffix(".00")

    def money_ticks(self) -> FuncFormatter:
        """Write amounts at an axis, without idle zeros."""
        return FuncFormatter(lambda value, _: re.sub(r"\.(\d*?)0+(?=\D*$)", _point, self.money(value)))

    def count(self, customers: float) -> str:
        """Write a count of people, or only that it is small.

        Examples
        --------
        >>> [Frame("2026-10-31").count(n) for n in (0, 9, 4_338)]
        ['0', '<10', '4,338']
        """
        return f"<{self.min_cell}" if self.small(customers) else f"{customers:,.0f}"

    def small(self, customers: float) -> bool:
        """Whether a count is too small to say anything about."""
        return bool(0 < customers < self.min_cell)


def headline(ax: Axes, finding: str, *, rise: float = 14) -> None:
    """Write what the picture shows over it, from its left edge on, ``rise`` points above the axes."""
    ax.set_title(finding, loc="left", pad=rise)


def count_axis(ax: Axes, label: str) -> None:
    """Make the upright axis one of counts from zero."""
    ax.set_ylabel(label)
    ax.set_ylim(bottom=0)
    ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)


def day_numbers(moments: object) -> NDArray[np.float64]:
    """Return where moments or days stand on an axis of dates: days and parts of days, whole at midnight."""
    days = np.atleast_1d(np.asarray(moments, dtype="datetime64[s]"))
    found: NDArray[np.float64] = mdates.date2num(days)  # type: ignore[no-untyped-call]  # no types for dates
    return found


def date_axis(ax: Axes, *, frame: Frame) -> None:
    """Make the lying axis one of days: months named, the year at the first tick and at each January."""
    months = frame.words.label("months").split(",")

    def written(value: float, place: int | None) -> str:
        day = mdates.num2date(value)  # type: ignore[no-untyped-call]  # as above
        month = months[day.month - 1]
        text = month if day.day == 1 else f"{month}{day.day}日" if frame.language == "zh" else f"{day.day} {month}"
        return f"{text}\n{day.year}" if place == 0 or (day.month == day.day == 1) else text

    ax.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=9))  # type: ignore[no-untyped-call]  # as above
    ax.xaxis.set_major_formatter(FuncFormatter(written))


def bars_down(ax: Axes, names: Sequence[str]) -> None:
    """Name lying bars from the top down."""
    ax.set_yticks(range(len(names)), names, color=INK, fontsize=11)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=MUTED, linewidth=1)


def at_bar_end(ax: Axes, value: float, place: float, text: str, *, bold: bool = False) -> None:
    """Write a figure behind the end of a lying bar, whichever way it points."""
    side, gap = ("right", -5) if value < 0 else ("left", 5)
    ax.annotate(
        text,
        (value, place),
        xytext=(gap, 0),
        textcoords="offset points",
        ha=side,
        va="center",
        fontweight="bold" if bold else "normal",
        color=INK if bold else MUTED,
    )


def key(ax: Axes, colours: Mapping[str, str], *, below: bool = False) -> None:
    """Name colours in a line over or under the picture, where a label at the thing itself has no room."""
    ax.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=EDGE, linewidth=0.5, label=name) for name, colour in colours.items()
        ],
        loc="upper left" if below else "lower left",
        bbox_to_anchor=(0, -0.02 if below else 1),
        ncols=len(colours),
        frameon=False,
        borderaxespad=0.2,
        borderpad=0,
        handlelength=1,
        handleheight=1,
        labelcolor=INK,
    )


def _point(match: re.Match[str]) -> str:
    return f".{match[1]}" if match[1] else ""
