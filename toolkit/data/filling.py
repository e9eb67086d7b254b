"""Exports that say a thing once per order: what its first row gives is carried to its other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import duckdb

_BLANK = "NULLIF(trim(CAST({0}.{1} AS VARCHAR)), '') IS NULL"


def fill_down(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], kinds: Mapping[str, str]) -> None:
    """Fill blank cells of ``orders_raw`` from the first row of the same order and file that has the value.

    Parameters
    ----------
    connection
        The study's engine, which has the view ``orders_raw``.
    columns
        Columns to fill; those that are not mapped are left alone.
    kinds
        Columns of ``orders_raw``.

    Raises
    ------
    InputError
        Orders have no ``order_id``.

    Notes
    -----
    Rows of one order are taken to be of one time: which of them is visible at a date is not looked at.
    """
    if "order_id" not in kinds:
        raise InputError(
            "fill-down", "rows of one order cannot be told without an order_id", where="orders",
            hint="tables: {orders: {columns: {order_id: YOUR HEADER}}}",
        )  # fmt: skip
    wanted = [name for name in columns if name in kinds]
    if not wanted:
        return
    first = ", ".join(
        f"arg_min({name}, source_row) FILTER (WHERE NOT {_BLANK.format('own', name)}) AS {name}" for name in wanted
    )
    filled = ", ".join(
        f"CASE WHEN {_BLANK.format('own', name)} THEN heads.{name} ELSE own.{name} END AS {name}" for name in wanted
    )
    connection.execute("ALTER VIEW orders_raw RENAME TO orders_unfilled")
    connection.execute(
        f"CREATE TABLE orders_heads AS SELECT source_file, order_id, {first} FROM orders_unfilled AS own"  # noqa: S608 - canonical names
        " WHERE order_id IS NOT NULL GROUP BY source_file, order_id"
    )
    joined = "FROM orders_unfilled AS own LEFT JOIN orders_heads AS heads USING (source_file, order_id)"
    connection.execute(f"CREATE VIEW orders_raw AS SELECT own.* REPLACE ({filled}) {joined}")
