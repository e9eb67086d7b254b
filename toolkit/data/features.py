"""Clean rows -> one row per customer at a date, on DuckDB."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Self

import pandas as pd

from toolkit.data.question import LOGS, as_frame, ask, chosen, needed_blocks, statement
from toolkit.data.sql import blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import duckdb

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
    names = chosen(columns, tables)
    needed = needed_blocks(names)
    prepare(connection, needed)
    question = statement(names, tables, one_row_a_day=one_row_a_day)
    cuts = price_cuts() if "bands" in needed else None
    with _rows_of(connection, customers, tables, needed):
        found = as_frame(ask(connection, f"{question} ORDER BY customer_id", clock.values() | band_limits(cuts)), names)
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
    cuts = ask(connection, blocks("features.sql")["price_cuts"], clock.values()).column(0)[0].as_py()
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
    rows = [(word, layer, n) for n, (layer, known) in enumerate(layers.items(), 1) for word in {layer, *known}]
    connection.execute(
        "CREATE TABLE layer_words AS SELECT lower(unnest($1::VARCHAR[])) AS word, unnest($2::VARCHAR[]) AS layer,"
        " unnest($3::INTEGER[]) AS place",
        [[row[column] for row in rows] for column in range(3)],
    )


def note_first_days(connection: duckdb.DuckDBPyConnection, tables: Collection[str]) -> None:
    """Make the table ``first_seen``: the first day of each id in the tables beside orders and customers."""
    days = " UNION ALL ".join(f"SELECT customer_id, day, reason FROM {table}_days" for table in LOGS if table in tables)  # noqa: S608 - canonical names
    if days:
        connection.execute(f"CREATE TABLE first_seen AS {blocks('logs.sql')['first_seen'].format(days=days)}")


def prepare(connection: duckdb.DuckDBPyConnection, needed: Collection[str]) -> None:
    """Make the tables that are made when first needed."""
    if "lessons" in needed:
        connection.execute(f"CREATE TABLE IF NOT EXISTS lessons AS {blocks('logs.sql')['lessons']}")


def band_limits(cuts: tuple[float, float] | None) -> dict[str, object]:
    """Return the parameters that part price bands."""
    return {} if cuts is None else {"low_cut": cuts[0] * _ABOVE_NOISE, "high_cut": cuts[1] * _ABOVE_NOISE}
