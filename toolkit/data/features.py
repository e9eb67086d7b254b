"""Clean rows -> one row per customer at a date, on DuckDB."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.schema import SNAPSHOT
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import duckdb
    import pyarrow as pa

_COLUMNS = {column.name: column for column in SNAPSHOT}
_RELATION = {"days": "days", "orders": "orders_of", "people": "people"}


def snapshot(
    connection: duckdb.DuckDBPyConnection,
    *,
    as_of: date,
    window_days: int,
    columns: Sequence[str] | None,
    has_customers: bool,
    one_row_a_day: bool,
) -> pd.DataFrame:
    """Compute the snapshot; see `toolkit.Study.snapshot`.

    ``one_row_a_day`` says that ``customer_days`` holds the used lines of a customer and day in one row: counting rows
    then counts days, and the engine takes twice as long to count distinct ones.
    """
    names = list(_COLUMNS) if columns is None else list(columns)
    if columns is None and not has_customers:
        names = [name for name in names if _COLUMNS[name].block != "people"]
    _check(names, has_customers=has_customers)
    found = connection.execute(
        _statement(names, has_customers=has_customers, one_row_a_day=one_row_a_day),
        {"as_of": as_of, "window_start": as_of - timedelta(days=window_days)},
    ).to_arrow_table()
    return _frame(found, names)


def _check(names: list[str], *, has_customers: bool) -> None:
    unknown = [name for name in names if name not in _COLUMNS]
    if unknown:
        raise ArgumentError(
            "snapshot-column", f"unknown: {', '.join(unknown)}", hint=f"columns from: {', '.join(_COLUMNS)}"
        )
    absent = [name for name in names if _COLUMNS[name].block == "people" and not has_customers]
    if absent:
        raise ArgumentError(
            "snapshot-column", f"{', '.join(absent)} come from the table customers, which this study does not have",
            hint="add tables: {customers: {files: customers.csv}} to the study file",
        )  # fmt: skip


def _statement(names: list[str], *, has_customers: bool, one_row_a_day: bool) -> str:
    text = dict(blocks("features.sql"))
    if one_row_a_day:
        text["days"] = text["days"].replace("COUNT(DISTINCT order_day)", "COUNT(order_day)")
    how = dict(line.split(" = ", 1) for line in text["columns"].splitlines())
    needed = {_COLUMNS[name].block for name in names}
    joins = {"days": ""}
    if has_customers:
        joins["people"] = " FULL JOIN people USING (customer_id)"
    if "orders" in needed:
        joins["orders"] = " LEFT JOIN orders_of USING (customer_id)"
    parts = [f"{_RELATION[block]} AS ({text[block]})" for block in joins]
    if "orders" in needed:
        parts.insert(0, f"visible AS ({text['visible']})")
    chosen = "".join(f", {how[name]} AS {name}" for name in names)
    return (
        f"WITH {', '.join(parts)} SELECT customer_id{chosen}"  # noqa: S608 - fixed blocks and canonical names only
        f" FROM days{''.join(joins.values())} ORDER BY customer_id"
    )


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
