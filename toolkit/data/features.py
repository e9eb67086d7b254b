"""Clean rows -> one row per customer at a date, on DuckDB."""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

import pandas as pd

from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.schema import SNAPSHOT
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

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
    "opt_out": ("contacts", "customers"),
    "surveys": ("surveys",),
    "memberships": ("memberships",),
    "layers": (PRODUCT_LAYER,),
}
"""Block of features -> the tables that it can come from; a block that is not here needs orders only."""
_OPTED_OUT = {"contacts": "contacts_of.opted_out", "customers": "people.opted_out"}
_LAST_ACT = {"orders": "days.last_order_date", "events": "events_of.last_active_date"}
_JOINED = "CASE WHEN people.joined_date <= $as_of THEN people.joined_date END"
_LAST_DAYS = (7, 30, 90)
_ABOVE_NOISE = 1 + 1e-9
"""A price so little above a learned cut is at the cut: rounding must not tip it."""


@dataclass(frozen=True)
class Clock:
    """Where a snapshot stands in time.

    Attributes
    ----------
    as_of
        Where windows and recency end.
    until
        Last day of the rows that enter.
    known
        Day by which a row was recorded.
    window_days
        Length of the window.
    """

    as_of: date
    until: date
    known: date
    window_days: int

    @classmethod
    def at(cls, as_of: date, window_days: int) -> Self:
        """Return the clock of a day on which what happened and was recorded by then is known."""
        return cls(as_of, as_of, as_of, window_days)

    def values(self) -> dict[str, object]:
        """Return the parameters of the statements."""
        days = {"window_start": self.window_days} | {f"last_{days}": days for days in _LAST_DAYS}
        starts: dict[str, object] = {name: self.as_of - timedelta(days=length) for name, length in days.items()}
        return starts | {"as_of": self.as_of, "until": self.until, "known": self.known}


def snapshot(
    connection: duckdb.DuckDBPyConnection,
    clock: Clock,
    *,
    columns: Sequence[str] | None,
    tables: Collection[str],
    customers: Sequence[str] | None,
    one_row_a_day: bool,
    price_cuts: Callable[[], tuple[float, float]],
) -> pd.DataFrame:
    """Compute the snapshot; see `toolkit.Study.snapshot`.

    ``price_cuts`` is asked only where price bands are wanted; what it says stands in ``attrs``.
    ``one_row_a_day`` says that ``orders_days`` holds the used lines of a customer and day in one row: counting rows
    then counts days, and the engine takes twice as long to count distinct ones.
    """
    names = [name for name in _COLUMNS if available(name, tables)] if columns is None else list(columns)
    _check(names, tables)
    needed = {_COLUMNS[name].block for name in names}
    if "lessons" in needed:
        connection.execute(f"CREATE TABLE IF NOT EXISTS lessons AS {blocks('logs.sql')['lessons']}")
    statement = _statement(names, needed, tables, one_row_a_day=one_row_a_day)
    values = clock.values()
    cuts = price_cuts() if "bands" in needed else None
    if cuts is not None:
        values |= {"low_cut": cuts[0] * _ABOVE_NOISE, "high_cut": cuts[1] * _ABOVE_NOISE}
    with _rows_of(connection, customers, tables, needed):
        found = _frame(_ask(connection, statement, values), names)
    if customers is not None:
        found = found.loc[found.index.isin(customers)]
    found.attrs |= {"as_of": clock.as_of.isoformat(), "price_cuts": cuts}
    return found


@contextmanager
def _rows_of(
    connection: duckdb.DuckDBPyConnection,
    customers: Sequence[str] | None,
    tables: Collection[str],
    needed: Collection[str],
) -> Iterator[None]:
    """Let the statement see rows of these customers only, so that it need not go through everybody's."""
    if customers is None:
        yield
        return
    seen = ["orders_days", *(f"{table}_days" for table in ("events", "contacts") if table in tables)]
    seen += [table for table in ("surveys", "memberships") if table in tables]
    seen += ["first_seen"] if any(table in tables for table in LOGS) else []
    seen += ["orders"] if "intent" not in needed else []
    seen += ["customers"] if "customers" in tables and "referrals" not in needed else []
    place = connection.execute("SELECT current_database()").fetchall()[0][0]
    try:
        for table in seen:
            connection.execute(
                f"CREATE TEMP TABLE {table} AS SELECT * FROM {place}.main.{table}"  # noqa: S608 - canonical names
                " WHERE list_contains($1, customer_id)",
                [list(customers)],
            )
        yield
    finally:
        for table in seen:
            connection.execute(f"DROP TABLE IF EXISTS temp.main.{table}")


def learned_price_cuts(connection: duckdb.DuckDBPyConnection, clock: Clock) -> tuple[float, float]:
    """Learn the two prices that part low from mid and mid from high; infinite where nothing was paid in the window.

    Returns
    -------
    tuple of two floats
        Terciles (type 7) of the distinct prices of products, a product's price being its median.
    """
    cuts = _ask(connection, blocks("features.sql")["price_cuts"], clock.values()).column(0)[0].as_py()
    low, high = (float(f"{cut:.12g}") for cut in cuts or (math.inf, math.inf))
    return low, high


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


def note_layers(connection: duckdb.DuckDBPyConnection, layers: Mapping[str, Sequence[str]]) -> None:
    """Make the table ``layer_words``: what exports call each product layer, and its place from the lowest up."""
    connection.execute("CREATE TABLE layer_words (word VARCHAR, layer VARCHAR, place INTEGER)")
    for place, (layer, known) in enumerate(layers.items(), start=1):
        for word in {layer, *known}:
            connection.execute("INSERT INTO layer_words VALUES (lower($1), $2, $3)", [word, layer, place])


def note_first_days(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
    """Make the table ``first_seen``: the first day of each id in the tables beside orders and customers."""
    days = " UNION ALL ".join(f"SELECT customer_id, day, reason FROM {table}_days" for table in LOGS if table in tables)  # noqa: S608 - canonical names
    if days:
        connection.execute(f"CREATE TABLE first_seen AS {blocks('logs.sql')['first_seen'].format(days=days)}")


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


def _statement(names: list[str], needed: set[str], tables: Collection[str], *, one_row_a_day: bool) -> str:
    text = dict(blocks("features.sql"))
    if one_row_a_day:
        text["days"] = text["days"].replace("COUNT(DISTINCT order_day)", "COUNT(order_day)")
    how = dict(line.split(" = ", 1) for line in text["columns"].splitlines())
    opted_out = [f"COALESCE({column}, FALSE)" for table, column in _OPTED_OUT.items() if table in tables]
    how["opted_out"] = " OR ".join(opted_out)
    acts = [column for table, column in _LAST_ACT.items() if table in (*tables, "orders")]
    seen = [_JOINED] if "customers" in tables else []
    seen += ["others.day"] if any(table in tables for table in LOGS) else []
    how["idle_days"] = how["idle_days"].format(last_act=", ".join(acts), first_seen=", ".join(seen or ["NULL"]))
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
    wanted = needed - {"days", "people", "opt_out", "idle"}
    if "idle" in needed and "events" in tables:
        wanted.add("events")
    if "opt_out" in needed and "contacts" in tables:
        wanted.add("contacts")
    if "memberships" in needed:
        wanted.add("trials")
    return sorted(wanted)


def _ask(connection: duckdb.DuckDBPyConnection, statement: str, values: Mapping[str, object]) -> pa.Table:
    """Give the statement those of the values that it names."""
    named = {name: value for name, value in values.items() if re.search(rf"\${name}\b", statement)}
    return connection.execute(statement, named).to_arrow_table()


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
