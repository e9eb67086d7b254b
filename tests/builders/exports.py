"""Exports of a business as they come: forty customers, made-up rows beside them, dirty cells, rows of later days."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import yaml

import toolkit as tk
from tests.builders.made_up import CELLS, LINKS, SETTINGS, SIZES, WHEN, described_once, one_of, row_of
from tests.oracles.portrait import persons

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from tests.builders.made_up import Row, Tables

SOURCES = ("frames", "csv", "overlapping csv", "parquet")
STATED = SETTINGS | {"name": "exports", "currency_rates": {"USD": 7}}

ANCHORS: Tables = {
    "orders": [{"customer_id": "C1", "ordered_at": "2026-01-05 09:00", "recorded_at": "", "amount": "10.00",
                "order_id": "A1", "line_id": "", "product_id": "K1", "product_layer": "entry", "list_price": "12",
                "quantity": "1", "status": "paid", "currency": "CNY"}],
    "customers": [{"customer_id": "C0", "joined_at": "2026-01-02", "valid_from": "2026-01-02", "region": "沪",
                   "acquisition_channel": "wechat", "persona": "a", "gender": "f", "age_band": "", "occupation": "",
                   "interests": "", "followers": "3", "override": "", "referred_by": "C1", "opted_out": "no"}],
    "events": [{"customer_id": "C1", "occurred_at": "2026-06-05 09:00", "kind": "view", "content_id": "K2",
                "duration_seconds": "30", "value": "5"}],
    "contacts": [{"customer_id": "C1", "sent_at": "2026-06-05 09:00", "offer_kind": "course", "offer_price": "9",
                  "delivered": "1", "opened": "0", "opted_out": "no"}],
    "surveys": [{"customer_id": "C1", "answered_at": "2026-06-05", "kind": "nps", "score": "9"}],
    "costs": [{"channel": "wechat", "period_start": "2026-06-01", "amount": "10"}],
    "assignments": [{"experiment_id": "E1", "customer_id": "C1", "arm": "new", "assigned_at": "2026-05-05",
                     "tier": "core"}],
    "memberships": [{"customer_id": "C1", "starts_at": "2026-01-05", "ends_at": "2026-12-31", "cancelled_at": ""}],
}  # fmt: skip
"""A row of every table that nothing is wrong with, each column filled where it can be."""

_DAY = ("2026-06-30 23:59:59", "2026-06-30T15:59:00Z", "2026年6月30日", "2026-06-30 23:59")
_PEOPLE = ("00123", " C4 ", "c2")
DIRT: dict[str, dict[str, tuple[str, ...]]] = {
    "orders": {
        "customer_id": (*_PEOPLE, ""), "ordered_at": _DAY, "amount": ("¥1,200.00", "(2.50)", "abc", "", "5.5"),
        "order_id": ("O4", ""), "line_id": ("", "", "", "L1", "L2", "L3"), "product_id": ("K1", "K2"),
        "list_price": ("12", "x"), "quantity": ("x", ""), "status": ("交易成功", "待付款", "??", ""),
        "currency": ("", "CNY", "USD"),
    },
    "customers": {"customer_id": ("00123",), "region": ("310000",), "referred_by": ("C0", "")},
    "events": {
        "customer_id": (*_PEOPLE, ""), "occurred_at": (*_DAY, "soon", "1970-01-01"), "kind": ("点赞", "完课", "odd"),
        "content_id": ("K1", "K2"), "duration_seconds": ("1:02:03", "x"), "value": ("10", "abc"),
    },
    "contacts": {"customer_id": _PEOPLE, "sent_at": _DAY, "opted_out": ("?",), "offer_price": ("9", "x")},
    "surveys": {"customer_id": _PEOPLE, "answered_at": _DAY, "kind": ("满意度", ""), "score": ("9分", "12", "", "x")},
    "costs": {
        "channel": ("wechat", "shop", ""), "period_start": ("2026-05-03", "2026-06", "2026年6月", "soon"),
        "amount": ("10", "0.1", "-3", "x", ""),
    },
    "assignments": {"customer_id": _PEOPLE, "assigned_at": (*_DAY, "1970-01-01"), "arm": ("",), "tier": ("core", "")},
    "memberships": {
        "customer_id": _PEOPLE, "starts_at": _DAY, "ends_at": ("9999-12-31", "x", *_DAY), "cancelled_at": ("soon",),
    },
}  # fmt: skip
"""Cells of bad exports, on days up to 30 June or on no day."""

LATER = (
    "2026-07-01", "2026-07-01 00:00:00", "2026-06-30T16:00:00Z", "2026/7/1 00:00", "2026-08-31 12:30:15", "2027-12-31",
)  # fmt: skip
_NEW = ("C1", "C2", "B07", "00123", "NEW", "新客", "C1 ", "1.38E+16", "138****8000", "17.0", "", "null", '="C1"')
_EVIL = ("", "x", "-1", "1e308", "nan", "$5", "1.234,50", "maybe", "是", "never heard of", "99999999", "03/04/2026")


def _crowd() -> Tables:
    """Rows of forty customers that are the same in every business: enough to be tiered, clustered and followed."""
    rng = np.random.default_rng(4)
    found: Tables = {name: [] for name in ("orders", "events", "contacts", "customers", "assignments")}
    for n in range(40):
        who, joined = f"B{n:02d}", pd.Timestamp("2026-01-01") + pd.Timedelta(days=int(rng.integers(0, 120)))
        found["customers"].append(
            {"customer_id": who, "joined_at": f"{joined:%Y-%m-%d}", "valid_from": f"{joined:%Y-%m-%d}",
             "region": "沪" if n % 3 else "京", "gender": "f" if n % 2 else "m",
             "acquisition_channel": "wechat" if n % 4 else "shop", "opted_out": "no"}
        )  # fmt: skip
        found["assignments"].append(
            {"experiment_id": "E1", "customer_id": who, "arm": "new" if n % 2 else "old",
             "assigned_at": f"2026-05-{n % 6 + 1:02d} 09:00", "tier": "core" if n % 3 else "edge"}
        )  # fmt: skip
        for k in range(1 + n % 4):
            day = joined + pd.Timedelta(days=int(rng.integers(0, 60)))
            late = day + pd.Timedelta(days=int(rng.integers(0, 90)))
            found["orders"].append(
                {"customer_id": who, "ordered_at": f"{day:%Y-%m-%d} 10:00", "amount": f"{10 + (n % 3) * 200 + k}.00",
                 "order_id": f"{who}-{k}", "product_id": f"K{n % 3}", "list_price": "300", "currency": "CNY",
                 "product_layer": ("lead_in", "entry", "premium")[n % 3], "quantity": "1", "status": "paid",
                 "recorded_at": f"{late:%Y-%m-%d}" if n % 5 == 0 else ""}
            )  # fmt: skip
            found["events"].append(
                {"customer_id": who, "occurred_at": f"{day:%Y-%m-%d} {n % 24:02d}:30",
                 "kind": "view" if n % 2 else "like", "content_id": f"K{n % 3}", "duration_seconds": "30"}
            )  # fmt: skip
            found["contacts"].append(
                {"customer_id": who, "sent_at": f"{day:%Y-%m-%d}", "delivered": "1", "opened": "0",
                 "offer_price": "9" if n % 2 else ""}
            )  # fmt: skip
    return found


CROWD = _crowd()


def with_crowd(tables: Tables) -> Tables:
    """Stand forty customers beside these rows, in the same columns."""
    return {
        name: [*rows, *({key: row.get(key, "") for key in rows[0]} for row in CROWD.get(name, ()))]
        for name, rows in tables.items()
    }


@dataclass(frozen=True)
class Exports:
    """Tables, how they are exported, into how many files each is cut, and rows that one more file tells again."""

    tables: Tables
    source: str = "frames"
    parts: int = 1
    again: Tables = field(default_factory=dict)

    def changed(self, **tables: list[Row]) -> Exports:
        return replace(self, tables=self.tables | tables)

    def more(self, **tables: list[Row]) -> Exports:
        """Add rows, in the columns of their table."""
        fitting = {
            name: [{column: row.get(column, "") for column in self.tables[name][0]} for row in rows]
            for name, rows in tables.items()
        }
        return self.changed(**{name: [*self.tables[name], *rows] for name, rows in fitting.items()})

    def with_rows(self, change: Callable[[Row], Row]) -> Exports:
        tables, again = (
            {name: list(map(change, rows)) for name, rows in part.items()} for part in (self.tables, self.again)
        )
        return replace(self, tables=tables, again=again)

    def opened(self, folder: Path | None = None) -> tk.Study:
        """Open the exports as a study, from a new folder where they are files."""
        if folder and self.source != "frames":
            return tk.Study.open(self.written(folder))
        frames: dict[str, Any] = {name: pd.DataFrame(rows) for name, rows in self.tables.items()}
        return tk.Study.from_frames(**STATED, **frames)

    def written(self, folder: Path) -> Path:
        """Write the files and their study file into a new folder; return the latter."""
        folder.mkdir()
        for name, rows in self.tables.items():
            for number, part in enumerate(self._cut(name, rows)):
                _write(folder / f"{name}_{number}.{'parquet' if self.source == 'parquet' else 'csv'}", part)
        said = STATED | {"tables": {name: {"files": f"{name}_*"} for name in self.tables}}
        (folder / "study.yaml").write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
        return folder / "study.yaml"

    def _cut(self, name: str, rows: list[Row]) -> list[list[Row]]:
        """Put all rows of a person into one file."""
        who = persons(self.tables.get("identities", ()))
        parts: list[list[Row]] = [[] for _ in range(self.parts)]
        for row in rows:
            own = str(row.get("customer_id", row.get("channel"))).strip()
            parts[sum(map(ord, who.get(own, own))) % self.parts].append(row)
        return [part for part in (*parts, self.again.get(name)) if part]


def _write(path: Path, rows: list[Row]) -> None:
    if path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def exported(tables: Tables, source: str) -> Exports:
    """Export tables; those that overlap tell their anchors twice, orders and customers apart."""
    overlap = source == "overlapping csv"
    again = {name: rows for name, rows in ANCHORS.items() if overlap and name not in ("orders", "customers")}
    return Exports(with_crowd(tables), source, again=again)


def drawn(seed: int) -> Exports:
    """Draw exports of every table, a third of their cells dirty; by turns another source, links, moments of record."""
    rng = np.random.default_rng(seed)
    tables = {
        name: [*rows, *(_dirty(rng, name) for _ in range(rng.integers(2, SIZES.get(name, 8))))]
        for name, rows in ANCHORS.items()
    }
    tables["customers"] = described_once(tables["customers"])
    firsts = {row["line_id"]: row for row in reversed(tables["orders"]) if row["line_id"]}
    tables["orders"] = [_one_buyer(firsts.get(row["line_id"], row)) for row in tables["orders"]]
    if seed % 3 == 1:
        tables["orders"] = [{k: cell for k, cell in row.items() if k != "recorded_at"} for row in tables["orders"]]
    if (seed + seed // len(SOURCES)) % 2:
        tables["identities"] = [one_of(rng, LINKS) for _ in range(rng.integers(1, 5))]
    return exported(tables, SOURCES[seed % len(SOURCES)])


def _one_buyer(order: Row) -> Row:
    """Let nobody else have an order of this id: its rows stand in one file."""
    return order | {"order_id": order["order_id"] and f"{order['order_id']} of {order['customer_id'].strip()}"}


def _dirty(rng: np.random.Generator, table: str) -> Row:
    clean = row_of(rng, table) if table in CELLS else {}
    row = dict.fromkeys(ANCHORS[table][0], "")
    row |= {column: "" if cell is None else str(cell) for column, cell in clean.items()}
    return row | {
        column: one_of(rng, cells)
        for column, cells in DIRT[table].items()
        if column not in clean or rng.random() < 1 / 3
    }


def later_rows(rng: np.random.Generator, table: str, columns: Collection[str]) -> list[Row]:
    """Draw rows dated or recorded after 30 June: nothing wrong with them, dirty, or with anything in any cell."""
    moments = [*LATER[1:3], *(one_of(rng, LATER) for _ in range(rng.integers(1, 6)))]
    recorded = "recorded_at" in columns
    rows = [_later(rng, table, moment, recorded=recorded) for moment in moments]
    return [{column: row[column] for column in columns} for row in rows]


def _later(rng: np.random.Generator, table: str, moment: str, *, recorded: bool) -> Row:
    kind = rng.integers(4)
    row = _dirty(rng, table) if kind else _whole(rng, table)
    if kind > 1:
        for column in row:
            people = column in ("customer_id", "referred_by")
            row[column] = one_of(rng, (*(_NEW if people else _EVIL), row[column]))
    if table == "customers":
        dates = {"joined_at": moment, "valid_from": ""} if kind == 3 else {"valid_from": moment}
    elif table == "orders" and recorded and kind % 2:
        dates = {"recorded_at": moment, "ordered_at": one_of(rng, ("2026-06-30", "2026-02-01 08:00", *_DAY))}
    elif table == "orders":
        dates = {"recorded_at": "", "ordered_at": one_of(rng, (*(moment,) * 9, "9999-12-31"))}
    else:
        dates = {WHEN[table]: moment}
    return row | dates


def _whole(rng: np.random.Generator, table: str) -> Row:
    row = dict(ANCHORS[table][0])
    if "customer_id" in row:
        row["customer_id"] = one_of(rng, ("C1", "C2", "B07", "NEW"))
    if table == "events":
        row["kind"] = one_of(rng, ("view", "like", "lesson_start", "lesson_complete", "open"))
    if table == "orders":
        row["amount"] = one_of(rng, ("9000", "-7", "10"))
    return row
