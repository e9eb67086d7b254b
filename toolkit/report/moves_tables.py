"""Tables of a page on moves: the bridge, who entered and left, periods and hysteresis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.report.export import Table
from toolkit.report.moves_cells import bridge_of, crosstab, name_of
from toolkit.report.rhythm_cells import periods_of, settings_of
from toolkit.report.small_cells import HIDDEN, Mark
from toolkit.report.words import TOTAL
from toolkit.segments.bridge import PARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.report.frame import Frame
    from toolkit.segments.accounting import GrowthAccounting
    from toolkit.segments.migration import Migration

_COUNTS = ("changes", "flaps", "flaps_avoided", "lasting", "late")


def matrix_table(move: Migration, *, frame: Frame) -> Table:
    """Write the matrix: customers by where they came from and where they are."""
    words = frame.words
    cells = crosstab(move, frame=frame)
    named = cells.rename(
        index=lambda key: name_of(key, move.by, words), columns=lambda key: name_of(key, move.by, words)
    )
    named.index.name = "from"
    heads = {"from": f"{words.label('moves_before')} \\ {words.label('moves_to')}"}
    return Table(named, {}, heads, "", name_of(TOTAL, move.by, words))


def bridge_table(move: Migration, measure: str, *, frame: Frame) -> Table:
    """Write the bridge of customers or of spend; a cause that changes nothing anywhere is left out."""
    cells = bridge_of(move, measure, frame=frame)
    idle = [part for part in PARTS if (move.bridge[part] == 0).all()]
    write: Callable[[Any], str] = _count if measure == "customers" else lambda value: frame.money(float(value))
    return _tiers(move, cells.drop(columns=idle), dict.fromkeys(cells.columns, write), "part_", frame)


def entered_and_left(move: Migration, *, frame: Frame) -> Table:
    """Write who left and who entered each tier, with their money."""
    cells = crosstab(move, frame=frame)
    rows = {}
    for tier in move.tiers:
        left, entered = move.left(tier), move.entered(tier)
        start, end, stayed = cells.loc[tier, TOTAL], cells.loc[TOTAL, tier], cells.loc[tier, tier]
        row: dict[str, Any] = {"tier_start": start, "tier_end": end}
        for name, who, spend, whole in (
            ("left", left, "spend_before", start),
            ("entered", entered, "spend_after", end),
        ):
            told = any(isinstance(cell, Mark) for cell in (whole, stayed)) or frame.small(len(who))
            row[f"tier_{name}"] = HIDDEN if told else len(who)
            row[f"spend_{name}"] = HIDDEN if told else float(who[spend].sum())
        rows[tier] = row
    columns = ["tier_start", "tier_left", "spend_left", "tier_entered", "spend_entered", "tier_end"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype="object")
    formats: dict[str, Callable[[Any], str]] = {
        name: frame.money if name.startswith("spend") else _count for name in columns
    }
    return _tiers(move, table, formats, "", frame)


def periods_table(accounting: GrowthAccounting, *, frame: Frame) -> Table:
    """Write new, retained, resurrected and dormant buyers of the last periods, with their money."""
    words = frame.words
    cells = periods_of(accounting, frame=frame)
    columns = ["active", "new", "retained", "resurrected", "dormant", "spend", "spend_new", "spend_retained",
               "spend_resurrected", "spend_dormant"]  # fmt: skip
    formats: dict[str, Callable[[Any], str]] = {
        name: frame.money if name.startswith("spend") else _count for name in columns
    }
    formats["period"] = lambda day: words.date(day.date())
    labels = {name: words.label(name) for name in [*columns, "period"]}
    return Table(cells[columns], formats, labels)


def hysteresis_table(table: pd.DataFrame, *, frame: Frame) -> Table:
    """Write what each setting of hysteresis saves and costs."""
    words = frame.words
    flat = settings_of(table, frame=frame).reset_index()
    formats: dict[str, Callable[[Any], str]] = {
        "band": words.percent,
        "flap_share": words.percent,
        "mean_delay_days": words.number,
        "misplaced_customers": lambda value: frame.count(round(value)),
        "misplaced_spend": frame.money,
        **dict.fromkeys(_COUNTS, _count),
    }
    return Table(flat, formats, {name: words.label(str(name)) for name in flat.columns})


def _tiers(
    move: Migration, cells: pd.DataFrame, formats: dict[str, Callable[[Any], str]], prefix: str, frame: Frame
) -> Table:
    words = frame.words
    named = cells.rename(index=lambda key: name_of(key, move.by, words)).rename_axis("tier")
    labels = {name: words.label(f"{prefix}{name}") for name in cells.columns} | {"tier": words.scheme(move.by)}
    return Table(named, formats, labels, "", name_of(TOTAL, move.by, words))


def _count(value: float) -> str:
    return f"{int(value):,}"
