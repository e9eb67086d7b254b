"""A portrait on a page: each part as a table or picture, or one line that says why it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.report import portrait_tables as tables
from toolkit.report.note import Note
from toolkit.report.plots_stages import hour_heat
from toolkit.report.plots_tiers import index_dots

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.portrait import Portrait


def traits(told: Portrait, page: Page) -> Table | Note:
    """Show what marks each tier."""
    marked = told.traits()
    if marked.empty:
        return Note(page.words.say("no_traits"))
    undated = marked.index.get_level_values("attribute").isin(told.undated).any()
    caption = page.words.say("undated_traits" if undated else "multiples")
    return page.table(tables.traits_table(told, frame=page.frame), caption=caption)


def attribute(told: Portrait, page: Page) -> Note | None:
    """Draw the attribute in which a tier is most surely unlike everybody."""
    marked = told.traits(1)
    over = marked[marked["side"] == "over"]
    if over.empty:
        return None
    name = str(over.index[int(over["lower"].to_numpy().argmax())][0])
    page.show(index_dots(told, name, frame=page.frame))
    return Note(page.words.say("undated")) if name in told.undated else None


def habits(told: Portrait, page: Page) -> Table | Note:
    """Show what each tier buys and reads most, and when it is busiest."""
    table = tables.habits_table(told, frame=page.frame)
    return page.table(table) if table.shape[1] else Note(page.words.say("no_habits"))


def measures(told: Portrait, page: Page) -> Table | None:
    """Show the means of what was measured of each tier; nothing where nothing was."""
    table = tables.measures_table(told, frame=page.frame)
    return page.table(table) if table.shape[1] else None


def contents_by_hour(told: Portrait, page: Page) -> Note | None:
    """Draw at which hours the contents with most readers are read; acts of every kind where there are no contents."""
    of_contents = len(told.content_hours) > 0
    source = told.content_hours if of_contents else told.hours
    if source.empty:
        return Note(page.words.say("no_hours"))
    table = tables.by_hour(source, frame=page.frame)
    names = [str(thing) if of_contents else page.words.act(str(thing)) for thing in table.index]
    return _heat(table, names, page, index=False)


def types_by_hour(told: Portrait, page: Page) -> Note | None:
    """Draw at which hours each tier is busier than everybody."""
    if told.hours.empty:
        return None
    table = tables.tiers_by_hour(told, frame=page.frame)
    return _heat(table, [page.words.tier(told.by, str(tier)) for tier in table.index], page, index=True)


def _heat(table: pd.DataFrame, names: list[str], page: Page, *, index: bool) -> Note | None:
    if table.notna().to_numpy().any():
        page.show(hour_heat(table, names, index=index, frame=page.frame))
        return None
    return Note(page.words.say("few_acts"))
