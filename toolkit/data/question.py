"""The question behind a snapshot: fixed blocks of SQL, joined as the columns asked for need them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.schema import SNAPSHOT
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import duckdb
    import pyarrow as pa

_COLUMNS = {column.name: column for column in SNAPSHOT}
LOGS = ("events", "contacts", "surveys", "memberships", "assignments")
"""Tables beside orders and customers whose ids count as seen."""
LIST_PRICE = "orders.list_price"
PRODUCT_LAYER = "orders.product_layer"
_NEEDS: dict[str, tuple[str, ...]] = {
    "people": ("customers",),
    "referrals": ("customers",),
    "discounts": (LIST_PRICE,),
    "events": ("events",),
    "lessons": ("events",),
    "intent": ("events",),
    "contacts": ("contacts",),
    "opt_out": ("contacts", "customers", "events"),
    "surveys": ("surveys",),
    "memberships": ("memberships",),
    "layers": (PRODUCT_LAYER,),
}
"""Block of features -> the tables that it can come from; a block that is not here needs orders only."""
_OPTED_OUT = {"contacts": "contacts_of.opted_out", "customers": "people.opted_out", "events": "events_of.unfollowed"}
_LAST_ACT = {"orders": "days.last_order_date", "events": "events_of.last_active_date"}
_JOINED = "CASE WHEN people.joined_date <= $as_of THEN people.joined_date END"


def chosen(columns: Sequence[str] | None, tables: Collection[str]) -> list[str]:
    """Return the columns that were asked for, or all that these tables give.

    Raises
    ------
    ArgumentError
        One of them is unknown or needs a table that is not there.
    """
    names = [name for name in _COLUMNS if available(name, tables)] if columns is None else list(columns)
    _check(names, tables)
    return names


def needed_blocks(names: Iterable[str]) -> set[str]:
    """Return the blocks of features that compute these columns."""
    return {_COLUMNS[name].block for name in names}


def available(name: str, tables: Collection[str]) -> bool:
    """Say whether a column of the snapshot can come from these tables."""
    needs = _NEEDS.get(_COLUMNS[name].block)
    return needs is None or any(table in tables for table in needs)


def _check(names: list[str], tables: Collection[str]) -> None:
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        raise ArgumentError(
            "snapshot-column", f"unknown: {', '.join(unknown)}", hint=f"columns from: {', '.join(_COLUMNS)}"
        )
    for table in dict.fromkeys(needs[0] for needs in _NEEDS.values()):
        absent = [n for n in names if not available(n, tables) and _NEEDS[_COLUMNS[n].block][0] == table]
        if absent:
            hint = f"tables: {{{table}: {{files: {table}.csv}}}}"
            if table in (LIST_PRICE, PRODUCT_LAYER):
                hint = f"tables: {{orders: {{columns: {{{table.removeprefix('orders.')}: YOUR HEADER}}}}}}"
            raise ArgumentError(
                "snapshot-column",
                f"{', '.join(absent)} come from {table}, which this study does not have",
                hint=f"{hint} in the study file",
            )


def statement(
    names: Iterable[str],
    tables: Collection[str],
    *,
    one_row_a_day: bool,
    made: Mapping[str, str] | None = None,
    of: str = "",
) -> str:
    """Return the question for one row per customer, in no order.

    Parameters
    ----------
    names
        Columns of the snapshot.
    tables
        What the study has.
    one_row_a_day
        See `toolkit.data.features.snapshot`.
    made
        Blocks that stand in tables already, and how to ask these.
    of
        Name of a relation of the only customers wanted, whose other columns come first.
    """
    names = list(names)
    needed = needed_blocks(names)
    text = blocks("features.sql") | dict(made or {})
    if one_row_a_day:
        text["days"] = text["days"].replace("COUNT(DISTINCT order_day)", "COUNT(order_day)")
        text["repeats"] = text["repeats_of_days"]
    how = dict(line.split(" = ", 1) for line in text["columns"].splitlines())
    opted_out = [f"COALESCE({column}, FALSE)" for table, column in _OPTED_OUT.items() if table in tables]
    how["opted_out"] = " OR ".join(opted_out)
    acts = [column for table, column in _LAST_ACT.items() if table in (*tables, "orders")]
    seen = [_JOINED] if "customers" in tables else []
    seen += ["others.day"] if any(table in tables for table in LOGS) else []
    how["idle_days"] = how["idle_days"].format(last_act=", ".join(acts), first_seen=", ".join(seen or ["NULL"]))
    parts = [f"order_days AS ({text['order_days']})", f"days AS ({text['days']})"]
    joins = [f"{of} LEFT JOIN days USING (customer_id)" if of else "days"]
    for relation in _everybody(needed, tables, all_seen=not of):
        parts.append(f"{relation} AS ({text[relation]})")
        joins.append(f"{'LEFT' if of else 'FULL'} JOIN {relation} USING (customer_id)")
    for block in _relations(needed, tables):
        parts.append(f"{block}_of AS ({text[block]})")
        joins.append(f"LEFT JOIN {block}_of USING (customer_id)")
    if "orders" in needed:
        parts.insert(0, f"visible AS ({text['visible']})")
    wanted = f", {of}.* EXCLUDE (customer_id)" if of else ""
    wanted += "".join(f", {how[name]} AS {name}" for name in names)
    return f"WITH {', '.join(parts)} SELECT customer_id{wanted} FROM {' '.join(joins)}"  # noqa: S608 - fixed blocks and canonical names only


def _everybody(needed: set[str], tables: Collection[str], *, all_seen: bool) -> list[str]:
    """Return the relations beside days whose customers count as seen, or only those that the columns need."""
    found = ["people"] if "customers" in tables and (all_seen or needed & {"people", "opt_out", "idle"}) else []
    logs = any(table in tables for table in LOGS) and (all_seen or "idle" in needed)
    return [*found, "others"] if logs else found


def _relations(needed: set[str], tables: Collection[str]) -> list[str]:
    """Return the relations to join for these blocks, beside days and people."""
    wanted = needed - {"days", "people", "opt_out", "idle"}
    if "idle" in needed and "events" in tables:
        wanted.add("events")
    if "opt_out" in needed:
        wanted |= {"contacts", "events"} & set(tables)
    if "memberships" in needed:
        wanted.add("trials")
    return sorted(wanted)


def ask(connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, object]) -> pa.Table:
    """Give the statement those of the values that it names."""
    named = {name: value for name, value in values.items() if re.search(rf"\${name}\b", statement)}
    return connection.execute(statement, named).to_arrow_table()


def as_frame(found: pa.Table, names: list[str]) -> pd.DataFrame:
    """Return what was found with the types of the snapshot, indexed by customer."""
    index = pd.Index(pd.array(found.column(0), dtype="string[pyarrow]"), name=CUSTOMER_ID)
    data = {name: as_series(found.column(name), name, index) for name in names}
    return pd.DataFrame(data, index=index, columns=names, copy=False)


def as_series(found: pa.ChunkedArray, name: str, index: pd.Index) -> pd.Series:
    """Return one column of the snapshot with its type."""
    dtype = _COLUMNS[name].dtype
    if dtype == "str":
        return pd.Series(pd.array(found, dtype="string[pyarrow]"), index=index)
    return pd.Series(found.to_numpy().astype(dtype, copy=False), index=index)
