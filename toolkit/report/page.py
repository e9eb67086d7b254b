"""One notebook's page: results as the study's language writes them, small cells hidden where it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.report.export import Table, suppress_small
from toolkit.report.frame import Frame
from toolkit.report.look import show, use_look
from toolkit.report.results import is_published
from toolkit.report.seasons import season_note
from toolkit.report.small_cells import Mark
from toolkit.report.words_tiers import SCHEMES
from toolkit.schema import SEGMENT, as_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.note import Note

SHARES = ("share", "share_used", "share_of_customers", "share_of_spend", "share_of_rows", "conversion")
MONEY = (
    "spend", "money", "mean_window_spend", "window_spend", "mean_order_value", "spend_gap", "median_spend_gap",
    "cost", "cost_per_customer", "cost_per_buyer",
)  # fmt: skip
PEOPLE = ("one_order_away",)


class Page:
    """What a notebook needs to show its results.

    Parameters
    ----------
    study
        The study.
    as_of
        The report's day.
    lang
        ``zh`` or ``en``; the study's own language where empty.

    Attributes
    ----------
    frame
        Day, window, language, currency, and under which count a cell is hidden: none in an analyst's own notebook.
    words
        Labels, sentences and figures in the page's language.
    month_before
        The day one month before, with which the strip of figures compares.
    """

    def __init__(self, study: Warehouse, as_of: str, lang: str = "") -> None:
        settings = study.settings
        self.as_of = as_day(as_of)
        self.frame = Frame(
            self.as_of,
            settings.window_days,
            "zh" if (lang or settings.language) == "zh" else "en",
            settings.currency,
            settings.min_cell if is_published() else 0,
        )
        self.words = self.frame.words
        day = pd.Timestamp(self.as_of)
        self.month_before = (day - pd.offsets.MonthEnd() if day.is_month_end else day - pd.DateOffset(months=1)).date()
        use_look(self.frame.language)

    def show(self, picture: Axes) -> None:
        """Show a picture once; its title, which says the finding, is its alternative text."""
        show(picture, picture.get_title(loc="left") or picture.get_title())

    def table(
        self, frame: pd.DataFrame, *, counts: str | None = None, total: str | None = None, caption: str = ""
    ) -> Table:
        """Return a table with heads, names and figures written in the page's language.

        Parameters
        ----------
        frame
            Columns by their canonical names; an index or a column of tiers, named by its scheme, is written by their
            names.
        counts
            Column that counts people; small ones are hidden, with what depends on them, where the page is published.
        total
            Index label of the row of totals.
        caption
            One line above the table.
        """
        if counts and self.frame.min_cell:
            frame = suppress_small(frame, counts=counts, total=total, min_cell=self.frame.min_cell)
        labels = {name: self._head(str(name)) for name in (*frame.columns, *frame.index.names) if name is not None}
        scheme = str(frame.index.name)
        if scheme in SCHEMES:
            frame = frame.rename(index=lambda tier: self.words.tier(scheme, str(tier)))
            total = self.words.tier(scheme, total) if total else None
        named = {name: frame[name].map(self._tier(str(name))) for name in frame.columns if name in SCHEMES}
        frame = frame.assign(**named)
        return Table(frame, self._formats(frame), labels, caption, total)

    def cuts_caption(self, study: Warehouse) -> str:
        """Say when cut points were learned, and whether scores compare between periods."""
        key = "cuts_fixed" if study.settings.cuts else "cuts_moving"
        return self.words.say(key, day=self.words.date(study.cuts_date(self.as_of)))

    def season_note(self, study: Warehouse) -> Note | None:
        """Say where the window, or that of the month before, cuts a season or holds other seasons; mostly nothing."""
        days = self.frame.window_days
        return season_note(self.as_of, days, study.settings, words=self.words, compared=self.month_before)

    def _head(self, name: str) -> str:
        """Name a column; schemes have their own names."""
        return self.words.scheme(name) if name in SCHEMES and name != SEGMENT else self.words.label(name)

    def _tier(self, scheme: str) -> Callable[[object], object]:
        return lambda tier: (
            self.words.tier(scheme, tier) if isinstance(tier, str) and not isinstance(tier, Mark) else tier
        )

    def _formats(self, frame: pd.DataFrame) -> Mapping[Any, Callable[[Any], str]]:
        known: dict[str, Callable[[Any], str]] = dict.fromkeys(SHARES, self.words.percent)
        known.update(dict.fromkeys(MONEY, self.frame.money))
        known.update(dict.fromkeys(PEOPLE, self.frame.count))
        return {name: known.get(str(name), self._plain) for name in frame.columns}

    def _plain(self, value: object) -> str:
        if isinstance(value, pd.Timestamp):
            return self.words.date(value.date())
        return value if isinstance(value, str) else self.words.number(float(str(value)))
