"""Tables of a data-health page: where rows went, what was looked at, how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.seasons import seasons
from toolkit.errors import Check, InputError
from toolkit.report.note import Note
from toolkit.schema import FATES
from toolkit.segments.identity_effect import identity_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.frame import Frame
    from toolkit.report.words import Words


_OF_PEOPLE = (
    "buyers_unknown", "case_variants", "few_buyers", "ids_joined", "ids_linked", "never_bought", "split_sides",
    "strangers", "two_arms",
)  # fmt: skip
"""Checks that count people, not rows."""


def visible_rows(ledger: pd.DataFrame, table: str = "orders") -> pd.DataFrame:
    """Return a table's rows of the ledger that are visible: what is later changes no page."""
    return ledger[(ledger["table"] == table) & (ledger["fate"] != "later")]


def rows_by_fate(ledger: pd.DataFrame) -> dict[str, int]:
    """Count rows by fate, those without any left out."""
    counts = ledger.groupby("fate")["rows"].sum()
    return {fate: int(counts[fate]) for fate in FATES if fate in counts}


def orders_by_week(calendar: pd.DataFrame) -> pd.Series[int]:
    """Add up order lines by week.

    Parameters
    ----------
    calendar
        Output of ``Study.calendar``: column ``lines``, indexed by every day.

    Returns
    -------
    Series
        Lines per whole week, indexed by its Monday; all weeks where none is whole.

    Examples
    --------
    >>> days = pd.date_range("2026-10-01", "2026-10-18", name="day")
    >>> orders_by_week(pd.DataFrame({"lines": 1}, index=days))
    week
    2026-10-05    7
    2026-10-12    7
    Name: lines, dtype: int64
    """
    monday = pd.Index(calendar.index - pd.to_timedelta(pd.DatetimeIndex(calendar.index).weekday, unit="D"), name="week")
    weeks = calendar["lines"].groupby(monday).agg(["sum", "size"])
    whole = weeks[weeks["size"] == 7]
    return (weeks if whole.empty else whole)["sum"].rename("lines")


def seasons_of(study: Warehouse, calendar: pd.DataFrame) -> pd.DataFrame:
    """List the seasons between the first and the last day of a calendar of orders."""
    return seasons(calendar.index[0].date(), calendar.index[-1].date(), study.settings)


def failures(checks: Sequence[Check]) -> int:
    """Count the checks that failed."""
    return sum(check.status == "failed" for check in checks)


def ledger_table(ledger: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Write the ledger for a page: fate, reason, rows with their share, money, and a row of totals."""
    rows = int(ledger["rows"].sum())
    table = pd.DataFrame(
        {
            "fate": [words.label(str(fate)) for fate in ledger["fate"]],
            "reason": [words.reason(str(reason)) for reason in ledger["reason"]],
            "rows": ledger["rows"].to_numpy(),
            "share_of_rows": (ledger["rows"] / max(rows, 1)).to_numpy(),
            "money": [float(money) for money in ledger["money"]],
        },
        index=pd.Index(range(1, len(ledger) + 1)),
    )
    money = float(sum(ledger["money"]))
    total = pd.DataFrame(
        {"fate": [words.reason("total")], "reason": [""], "rows": [rows], "share_of_rows": [1.0], "money": [money]},
        index=pd.Index(["total"]),
    )
    return pd.concat([table, total]).set_index("fate")


def tables_table(ledger: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Write how many rows of each table came in up to the day, are used, and could not be read.

    Parameters
    ----------
    ledger
        Output of ``Study.ledger_at``.
    words
        The page's language.
    """
    visible = ledger[ledger["fate"] != "later"]
    rows = visible.pivot_table("rows", "table", "fate", aggfunc="sum", fill_value=0, sort=False)
    rows = rows.reindex(columns=list(FATES), fill_value=0).astype("int64")
    total = rows.sum(axis="columns")
    return pd.DataFrame(
        {
            "rows": total,
            "rows_used": rows["used"],
            "share_used": rows["used"] / total.clip(lower=1),
            "rows_quarantined": rows["quarantined"],
        }
    ).rename(index=lambda name: words.label(f"table_{name}"))


def ids_joined(study: Warehouse, *, frame: Frame) -> Note | None:
    """Say how many ids are how many people, and what joining them does to the eight types; None without identities."""
    if "identities" not in study.files:
        return None
    words = frame.words
    try:
        effect = identity_effect(study, frame.as_of)
    except InputError:
        return Note(words.say("ids_joined_only"))
    figures = {name: frame.count(getattr(effect, name)) for name in ("ids", "people", "moved", "moved_by_cuts")}
    kept = words.say("money_kept" if all(check.status == "passed" for check in effect.checks) else "money_differs")
    return Note(words.say("ids_joined", day=words.date(effect.as_of), kept=kept, **figures))


def checks_table(checks: Sequence[Check], *, frame: Frame) -> pd.DataFrame:
    """Write the checks that did not simply pass for a page, those that failed first; few people are not counted."""
    words = frame.words
    told = [check for check in checks if check.status != "passed"] or [Check("all_passed", "passed", "")]
    order = sorted(told, key=lambda check: (check.status != "failed", check.code))
    return pd.DataFrame(
        {
            "status": [words.check(check.status) for check in order],
            "check": [words.check(check.code) for check in order],
            "subject": [check.subject for check in order],
            "how_many": [
                frame.count(check.count) if check.code in _OF_PEOPLE else words.number(check.count) for check in order
            ],
        }
    ).set_index("status")


def files_table(study: Warehouse, words: Words) -> pd.DataFrame:
    """Write which file was read how, and which header became which column."""
    rows = [
        {
            "file": file.name,
            "encoding": file.encoding,
            "header": "; ".join(
                f"{' × '.join(headers)} → {words.label(column)}" for column, headers in file.mapping.items()
            ),
        }
        for files in study.files.values()
        for file in files
    ]
    return pd.DataFrame(rows).set_index("file")


def policies_table(study: Warehouse, words: Words) -> pd.DataFrame:
    """Write the settings and policies that decided about rows."""
    settings = study.settings
    policies = settings.policies
    said = {
        "timezone": settings.timezone,
        "currency": settings.currency,
        "amount_basis": settings.amount_basis,
        "window_days": f"{settings.window_days:,}",
        "cuts_learned_at": words.date(settings.cuts.learned_at) if settings.cuts else words.policy("as_of_itself"),
        **{name: words.policy(value) for name, value in policies.model_dump().items()},
        "loss_budget": f"{words.percent(settings.loss_budget.rows)} / {words.percent(settings.loss_budget.money)}",
        "min_cell": str(settings.min_cell),
        "purpose": settings.purpose,
        "retain_until": words.date(settings.retain_until) if settings.retain_until else "",
    }
    known = {words.policy(name): value for name, value in said.items() if value}
    return pd.DataFrame({"setting": list(known), "value": list(known.values())}).set_index("setting")
