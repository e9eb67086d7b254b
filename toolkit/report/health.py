"""Tables of a data-health page: where rows went, what was looked at, how it was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import Check
from toolkit.schema import FATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.frame import Frame
    from toolkit.report.words import Words


_OF_PEOPLE = ("buyers_unknown", "case_variants", "few_buyers", "ids_joined", "never_bought", "split_sides")
"""Checks that count people, not rows."""


def visible_rows(ledger: pd.DataFrame, table: str = "orders") -> pd.DataFrame:
    """Return a table's rows of the ledger that are visible: what is later changes no page."""
    return ledger[(ledger["table"] == table) & (ledger["fate"] != "later")]


def rows_by_fate(ledger: pd.DataFrame) -> dict[str, int]:
    """Count rows by fate, those without any left out."""
    counts = ledger.groupby("fate")["rows"].sum()
    return {fate: int(counts[fate]) for fate in FATES if fate in counts}


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
