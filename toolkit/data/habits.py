"""Clean rows -> what groups of customers buy, read and say and at which hour; what everybody did in a period."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from toolkit.data.sql import blocks, readable
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import duckdb
    from numpy.typing import NDArray

    from toolkit.data.warehouse import Warehouse

TOP_CONTENTS = 12
"""Contents that are followed hour by hour: those with most readers."""
_CODE, _WHAT, _KIND, _HOUR = "code", "what", "kind", "hour"
_COLUMNS = {
    "products": [_CODE, _WHAT, "customers", "lines", "spend"],
    "products_all": [_CODE, "customers", "spend"],
    "content": [_CODE, _WHAT, "customers", "acts", "seconds"],
    "content_all": [_CODE, "customers"],
    "content_hours": [_CODE, _WHAT, _HOUR, "customers", "acts"],
    "hours": [_CODE, _KIND, _HOUR, "customers", "acts"],
    "service": [_CODE, "complaints", "customers", "answered", "median_reply_hours"],
    "surveys": [_CODE, _KIND, "customers", "answers", "mean_score"],
}
_TABLE_OF = {"content": "events", "hours": "orders", "service": "events", "surveys": "surveys"}


@dataclass(frozen=True)
class Habits:
    """What groups did in the window, as counts per group code and thing; see `habits`.

    Attributes
    ----------
    products, products_all
        ``code what customers lines spend``: buyers, lines and what was paid (before refunds); and of all products that
        have an id.
    content, content_all
        ``code what customers acts seconds``: who looked at it and for how long; and of all contents.
    content_hours
        ``code what hour customers acts`` of the contents with most readers.
    hours
        ``code kind hour customers acts``: acts by kind and local hour; an order is one. Empty where the export has days
        only.
    service
        ``code complaints customers answered median_reply_hours``; code -1 is everybody.
    surveys
        ``code kind customers answers mean_score``.
    """

    products: pd.DataFrame
    products_all: pd.DataFrame
    content: pd.DataFrame
    content_all: pd.DataFrame
    content_hours: pd.DataFrame
    hours: pd.DataFrame
    service: pd.DataFrame
    surveys: pd.DataFrame


@readable
def habits(study: Warehouse, ids: pd.Index[Any], codes: NDArray[Any], *, since: date, as_of: date) -> Habits:
    """Count what groups of customers bought, read and said after ``since``.

    Parameters
    ----------
    study
        The study.
    ids
        Customers.
    codes
        The group of each, a whole number.
    since, as_of
        Rows dated after the one and visible at the other count.

    Returns
    -------
    Habits
        Counts per group; what the study has no table or column for is empty.
    """
    study.check(as_of)
    connection = study._connection  # noqa: SLF001 - of its own room
    days = {"since": since, "as_of": as_of}
    with _grouped(connection, ids, codes):
        found = {
            name: _counted(connection, name, days)
            for name in ("products", "products_all", "content", "content_all", "service", "surveys")
            if _TABLE_OF.get(name.removesuffix("_all"), "orders") in study.files
        }
        hours = [_counted(connection, "order_hours", days)]
        if "events" in study.files:
            hours.append(_counted(connection, "event_hours", days))
            readers = found["content"].groupby(_WHAT)["customers"].sum()
            most = readers.sort_index().sort_values(ascending=False, kind="stable").index[:TOP_CONTENTS]
            named = days | {"whats": [str(what) for what in most]}
            timed = hours[-1]["timed"].sum() > 0
            if len(most) and timed:
                found["content_hours"] = _counted(connection, "content_hours", named)
    told = [part for part in hours if part["timed"].sum() > 0]
    found["hours"] = pd.concat(told, ignore_index=True) if told else pd.DataFrame()
    return Habits(
        **{name: found.get(name, pd.DataFrame()).reindex(columns=columns) for name, columns in _COLUMNS.items()}
    )


@readable
def period_acts(study: Warehouse, *, since: date, as_of: date) -> pd.DataFrame:
    """Say what each customer did after ``since`` up to ``as_of``.

    Returns
    -------
    pandas.DataFrame
        Index ``customer_id`` (whoever did or got anything); ``orders`` (int64), ``spend`` (currency, paid minus
        refunded), ``active`` (an order, or an act of their own), ``contacted`` (a message that was not undelivered) and
        ``came_after`` (an act on or after the day of the first one).
    """
    study.check(as_of)
    text = blocks("habits.sql")
    messages = text["messages" if "contacts" in study.files else "no_messages"]
    statement = text["period"].format(acts=_acts(study), messages=messages)
    found = study._connection.execute(statement, {"since": since, "as_of": as_of}).df()  # noqa: SLF001 - of its own room
    return found.astype({"orders": "int64", "spend": "float64"}).set_index(CUSTOMER_ID)


@readable
def newcomers_back(study: Warehouse, ages: tuple[int, ...], *, since: date, as_of: date) -> pd.DataFrame:
    """Count who of those who joined after ``since`` acted or ordered exactly so many days after joining.

    Returns
    -------
    pandas.DataFrame
        Index ``age`` (days; an age that is over for nobody is left out); ``customers`` for whom the day is over, and
        how many of them were ``active`` on it.
    """
    study.check(as_of)
    statement = blocks("habits.sql")["newcomers"].format(
        starts=blocks("rhythm.sql")["starts_joined"], acts=_acts(study)
    )
    given = {"since": since, "as_of": as_of, "ages": list(ages)}
    found = study._connection.execute(statement, given).df()  # noqa: SLF001 - of its own room
    return found.set_index("age").sort_index().astype("int64")


@readable
def channel_costs(study: Warehouse, *, since: date, as_of: date) -> pd.Series[float]:
    """Add up costs per channel (currency) of periods that start after ``since`` and not after ``as_of``."""
    study.check(as_of)
    given = {"since": since, "as_of": as_of}
    found = study._connection.execute(blocks("habits.sql")["costs"], given).df()  # noqa: SLF001 - of its own room
    costs: pd.Series[float] = found.astype({"channel": "object", "cost": "float64"}).set_index("channel")["cost"]
    return costs.sort_index()


def _acts(study: Warehouse) -> str:
    text = blocks("rhythm.sql")
    tables = ["order", *(["event"] if "events" in study.files else [])]
    return " UNION ALL ".join(f"({text[f'acts_{table}']})" for table in tables)


@contextmanager
def _grouped(connection: duckdb.DuckDBPyConnection, ids: pd.Index[Any], codes: NDArray[Any]) -> Iterator[None]:
    """Show the engine who is in which group."""
    table = pa.table(
        {
            CUSTOMER_ID: pa.array(ids, type=pa.string(), from_pandas=True),
            "who": pa.array(range(len(ids)), type=pa.int64()),
            _CODE: pa.array(codes, type=pa.int32()),
        }
    )
    connection.register("grouped", table)
    try:
        yield
    finally:
        connection.unregister("grouped")


def _counted(connection: duckdb.DuckDBPyConnection, block: str, given: dict[str, Any]) -> pd.DataFrame:
    found = connection.execute(blocks("habits.sql")[block], given).df()
    keys = [name for name in (_CODE, _WHAT, _KIND, _HOUR) if name in found]
    return found.sort_values(keys, ignore_index=True)
