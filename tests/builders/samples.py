"""One good row of each of the nine tables, and how to write such rows as a file or a frame."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd

import toolkit as tk
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.builders.shop import Shop

Row = dict[str, str]

GOOD: dict[str, Row] = {
    "orders": {
        "customer_id": "P1", "ordered_at": "2026-01-15 10:00:00", "amount": "10", "order_id": "O1", "line_id": "L1",
        "product_id": "K1", "product_layer": "entry", "list_price": "12", "quantity": "1", "channel": "wechat",
        "status": "paid", "currency": "CNY", "recorded_at": "2026-01-15 10:00:00",
    },
    "customers": {
        "customer_id": "P1", "joined_at": "2026-01-05", "acquisition_channel": "wechat", "acquisition_cost": "5",
        "persona": "student", "gender": "f", "age_band": "18-24", "region": "沪", "occupation": "nurse",
        "interests": "tea", "followers": "3", "override": "stage=loss", "referred_by": "P2", "opted_out": "no",
        "valid_from": "2026-01-05",
    },
    "events": {
        "customer_id": "P1", "occurred_at": "2026-01-15 10:00:00", "kind": "view", "channel": "app",
        "content_id": "K1", "duration_seconds": "30", "value": "10",
    },
    "contacts": {
        "customer_id": "P1", "sent_at": "2026-01-15 10:00:00", "channel": "sms", "campaign_id": "M1",
        "offer_kind": "coupon", "offer_price": "9", "delivered": "1", "opened": "0", "opted_out": "0",
    },
    "surveys": {"customer_id": "P1", "answered_at": "2026-01-15 10:00:00", "kind": "nps", "score": "9"},
    "costs": {"channel": "wechat", "period_start": "2026-01-01", "amount": "10"},
    "identities": {"customer_id": "P1", "id_kind": "openid", "id_value": "wx1"},
    "assignments": {
        "experiment_id": "X1", "customer_id": "P1", "arm": "none", "assigned_at": "2026-01-15 10:00:00",
        "tier": "core", "cluster_id": "H1",
    },
    "memberships": {
        "customer_id": "P1", "starts_at": "2026-01-15", "ends_at": "2027-01-14", "cancelled_at": "",
    },
}  # fmt: skip
"""Table -> a row that nothing is wrong with, every column of the contract filled where it can be."""

NINE = tuple(TABLES)
WITH_PEOPLE = tuple(name for name, table in TABLES.items() if table.has_customers)
DATED = tuple(name for name, table in TABLES.items() if table.when)
HOW = ("csv", "parquet", "frame")
REASON = {name: table.good for name, table in TABLES.items()}
"""Table -> the reason of a row that nothing is wrong with."""
LENIENT: dict[str, Any] = {"loss_budget": {"rows": 1, "money": 1}}


def rows_of(table: str, count: int = 1, /, **cells: str) -> list[Row]:
    """Good rows of different people and things, one after another by an hour, with these cells in every one."""
    return [GOOD[table] | _differences(table, number) | cells for number in range(1, count + 1)]


def _differences(table: str, number: int) -> Row:
    moment = f"2026-01-{15 + number // 24 % 14:02d} {number % 24:02d}:00:00"
    names = {
        "customer_id": f"P{number}", "order_id": f"O{number}", "line_id": f"L{number}", "id_value": f"wx{number}",
        "ordered_at": moment, "occurred_at": moment, "sent_at": moment, "answered_at": moment, "assigned_at": moment,
        "recorded_at": moment,
    }  # fmt: skip
    return {name: value for name, value in names.items() if name in GOOD[table]}


def csv_of(rows: Sequence[Row], *, header: Sequence[str] | None = None) -> str:
    """Write rows as CSV, under these headers instead of the rows' own."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header or list(rows[0]))
    writer.writerows(row.values() for row in rows)
    return buffer.getvalue()


def frame_of(rows: Sequence[Row]) -> pd.DataFrame:
    """Make a frame of text, which a shop writes as Parquet."""
    return pd.DataFrame(list(rows), dtype="string[pyarrow]").astype(object)


def opened(shop: Shop, tables: Mapping[str, Sequence[Row]], how: str, **settings: Any) -> tk.Study:
    """Open a study whose tables are CSV, Parquet or frames of these rows; good orders stand in where there are none."""
    if how == "csv":
        return shop.tables({table: csv_of(rows) for table, rows in tables.items()}, **settings)
    frames = {table: frame_of(rows) for table, rows in tables.items()}
    if how == "parquet":
        return shop.tables(frames, **settings)
    frames = {"orders": frame_of(rows_of("orders"))} | frames
    specs = settings.pop("specs", {})
    return tk.Study.from_frames(**frames, timezone="Asia/Shanghai", currency="CNY", tables=specs, **settings)


def money_of(table: str, rows: int) -> Decimal:
    """Money of so many good rows."""
    return Decimal(10 * rows if table in ("orders", "costs") else 0)
