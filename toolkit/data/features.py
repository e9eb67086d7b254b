"""Clean rows -> one row per customer at a date, on DuckDB."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.schema import SNAPSHOT
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    import duckdb
    import pyarrow as pa

_COLUMNS = {column.name: column for column in SNAPSHOT}
LOGS = ("events", "contacts", "surveys", "memberships", "assignments")
"""Tables beside orders and customers whose ids count as seen."""
LIST_PRICE = "orders.list_price"
_NEEDS: dict[str, tuple[str, ...]] = {
    "people": ("customers",),
    "referrals": ("customers",),
    "discounts": (LIST_PRICE,),
    "events": ("events",),
    "lessons": ("events",),
    "intent": ("events",),
    "contacts": ("contacts",),
    "opt_out": ("contacts", "customers"),
    "surveys": ("surveys",),
    "memberships": ("memberships",),
}
"""Block of features -> the tables that it can come from; a block that is not here needs orders only."""
_OPTED_OUT = {"contacts": "contacts_of.opted_out", "customers": "people.opted_out"}
_LAST_DAYS = (7, 30, 90)


def snapshot(
    connection: duckdb.DuckDBPyConnection,
    *,
    as_of: date,
    window_days: int,
    columns: Sequence[str] | None,
    tables: Collection[str],
    one_row_a_day: bool,
) -> pd.DataFrame:
    """Compute the snapshot; see `toolkit.Study.snapshot`.

    ``one_row_a_day`` says that ``orders_days`` holds the used lines of a customer and day in one row: counting rows
    then counts days, and the engine takes twice as long to count distinct ones.
    """
    names = [name for name in _COLUMNS if _available(name, tables)] if columns is None else list(columns)
    _check(names, tables)
    needed = {_COLUMNS[name].block for name in names}
    if "lessons" in needed:
        connection.execute(f"CREATE TABLE IF NOT EXISTS lessons AS {blocks('logs.sql')['lessons']}")
    statement = _statement(names, needed, tables, one_row_a_day=one_row_a_day)
    values: dict[str, date] = {"as_of": as_of, "window_start": as_of - timedelta(days=window_days)}
    values |= {f"last_{days}": as_of - timedelta(days=days) for days in _LAST_DAYS}
    found = connection.execute(
        statement, {name: value for name, value in values.items() if re.search(rf"\${name}\b", statement)}
    ).to_arrow_table()
    return _frame(found, names)


def calendar(connection: duckdb.DuckDBPyConnection, as_of: date) -> pd.DataFrame:
    """Count used order lines and money per local day; see `toolkit.Study.calendar`."""
    found = connection.execute(
        "SELECT order_day AS day, COUNT(*) AS lines, CAST(SUM(paid) AS DOUBLE) AS spend FROM orders"
        " WHERE visible_day <= $as_of AND order_day IS NOT NULL GROUP BY order_day ORDER BY order_day",
        {"as_of": as_of},
    ).df()
    found["day"] = pd.to_datetime(found["day"])
    days = pd.date_range(found["day"].min(), as_of, name="day")
    return found.set_index("day").reindex(days, fill_value=0).astype({"lines": "int64", "spend": "float64"})


def note_first_days(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
    """Make the table ``first_seen``: the first day of each id in the tables beside orders and customers."""
    days = " UNION ALL ".join(f"SELECT customer_id, day, reason FROM {table}_days" for table in LOGS if table in tables)  # noqa: S608 - canonical names
    if days:
        connection.execute(f"CREATE TABLE first_seen AS {blocks('logs.sql')['first_seen'].format(days=days)}")


def _available(name: str, tables: Collection[str]) -> bool:
    needs = _NEEDS.get(_COLUMNS[name].block)
    return needs is None or any(table in tables for table in needs)


def _check(names: list[str], tables: Collection[str]) -> None:
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        raise ArgumentError(
            "snapshot-column", f"unknown: {', '.join(unknown)}", hint=f"columns from: {', '.join(_COLUMNS)}"
        )
    for table in dict.fromkeys(needs[0] for needs in _NEEDS.values()):
        absent = [n for n in names if not _available(n, tables) and _NEEDS[_COLUMNS[n].block][0] == table]
        if absent:
            hint = f"tables: {{{table}: {{files: {table}.csv}}}}"
            if table == LIST_PRICE:
                hint = "tables: {orders: {columns: {list_price: YOUR HEADER}}}"
            raise ArgumentError(
                "snapshot-column",
                f"{', '.join(absent)} come from {table}, which this study does not have",
                hint=f"{hint} in the study file",
            )


def _statement(names: list[str], needed: set[str], tables: Collection[str], *, one_row_a_day: bool) -> str:
    text = dict(blocks("features.sql"))
    if one_row_a_day:
        text["days"] = text["days"].replace("COUNT(DISTINCT order_day)", "COUNT(order_day)")
    how = dict(line.split(" = ", 1) for line in text["columns"].splitlines())
    opted_out = [f"COALESCE({column}, FALSE)" for table, column in _OPTED_OUT.items() if table in tables]
    how["opted_out"] = " OR ".join(opted_out)
    parts, joins = [f"days AS ({text['days']})"], ["days"]
    if "customers" in tables:
        parts.append(f"people AS ({text['people']})")
        joins.append("FULL JOIN people USING (customer_id)")
    if any(table in tables for table in LOGS):
        parts.append(f"others AS ({text['others']})")
        joins.append("FULL JOIN others USING (customer_id)")
    for block in _relations(needed, tables):
        parts.append(f"{block}_of AS ({text[block]})")
        joins.append(f"LEFT JOIN {block}_of USING (customer_id)")
    if "orders" in needed:
        parts.insert(0, f"visible AS ({text['visible']})")
    chosen = "".join(f", {how[name]} AS {name}" for name in names)
    return (
        f"WITH {', '.join(parts)} SELECT customer_id{chosen}"  # noqa: S608 - fixed blocks and canonical names only
        f" FROM {' '.join(joins)} ORDER BY customer_id"
    )


def _relations(needed: set[str], tables: Collection[str]) -> list[str]:
    """Return the relations to join for these blocks, beside days and people."""
    wanted = needed - {"days", "people", "opt_out"}
    if "opt_out" in needed and "contacts" in tables:
        wanted.add("contacts")
    if "memberships" in needed:
        wanted.add("trials")
    return sorted(wanted)


def _frame(found: pa.Table, names: list[str]) -> pd.DataFrame:
    index = pd.Index(pd.array(found.column(0), dtype="string[pyarrow]"), name=CUSTOMER_ID)
    data: dict[str, object] = {}
    for name in names:
        dtype = _COLUMNS[name].dtype
        column = found.column(name)
        if dtype == "str":
            data[name] = pd.Series(pd.array(column, dtype="string[pyarrow]"), index=index)
        else:
            data[name] = pd.Series(column.to_numpy().astype(dtype), index=index)
    return pd.DataFrame(data, index=index, columns=names, copy=False)
