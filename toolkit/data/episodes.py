"""Customers at landmarks and what became of them: rows for survival models, features as visible at each landmark."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.data.features import Clock, band_limits, prepare
from toolkit.data.question import LOGS, as_series, ask, chosen, needed_blocks, statement
from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, LANDMARK
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from datetime import date

    import duckdb

Outcome = Literal["order", "end", "lost_reach"]

_MADE = {"order_days": "FROM coded_order_days", "visible": blocks("episodes.sql")["visible"]}
_OF_LINES = ("discounts", "bands", "layers")
_TABLES_OF: dict[str, tuple[str, ...]] = {
    "people": ("customers",),
    "referrals": ("customers",),
    "opt_out": ("customers", "contacts_days", "events_days"),
    "idle": ("customers", "events_days", "first_seen"),
    "events": ("events_days",),
    "lessons": ("lessons",),
    "intent": ("events", "orders"),
    "contacts": ("contacts_days",),
    "surveys": ("surveys",),
    "memberships": ("memberships", "orders_days"),
} | dict.fromkeys(_OF_LINES, ("orders",))
"""Block of features -> the tables that it reads beside the block order_days."""
_LINE = ("day", "visible_day", "order_day", "paid", "quantity", "list_price", "reason", "product_id", "product_layer")
"""Columns of order lines that these blocks read."""
_REACH = ("contacts", "events")
_NOTHING, _HAPPENED, _DELETION = 0, 1, 2


def episodes(
    connection: duckdb.DuckDBPyConnection,
    landmarks: Sequence[date],
    as_of: date,
    *,
    outcome: Outcome,
    columns: Sequence[str] | None,
    tables: Collection[str],
    window_days: int,
    one_row_a_day: bool,
    price_cuts: Callable[[], tuple[float, float]],
) -> pd.DataFrame:
    """Compute episodes; see `toolkit.Study.episodes`."""
    _refuse(landmarks, as_of, outcome, tables)
    names = chosen(columns, tables)
    needed = needed_blocks(names)
    prepare(connection, needed)
    cuts = price_cuts() if "bands" in needed else None
    asked_first = f"WITH asked AS ({blocks('episodes.sql')[outcome]}), "
    question = statement(names, tables, one_row_a_day=one_row_a_day, made=_MADE, of="asked")
    question = question.replace("WITH ", asked_first, 1)
    with _coded(connection, needed, tables, outcome, as_of) as (ids, deleted):
        seen = {}
        for landmark in sorted(landmarks):
            values = Clock.at(landmark, window_days).values() | {"last": as_of} | band_limits(cuts)
            asked = ask(connection, f"{question} ORDER BY customer_id", values)
            seen[landmark] = _still_there(asked, landmark, deleted)
    found = _frame(seen, as_of, deleted, ids, names)
    if found.empty:
        raise ArgumentError(
            "landmarks", f"no {'member' if outcome == 'end' else 'buyer'} at any of the landmarks",
            hint="give later landmarks",
        )  # fmt: skip
    found.attrs |= {
        "as_of": as_of.isoformat(),
        "landmarks": tuple(day.isoformat() for day in sorted(landmarks)),
        "outcome": outcome,
        "price_cuts": cuts,
    }
    return found


def _refuse(landmarks: Sequence[date], as_of: date, outcome: Outcome, tables: Collection[str]) -> None:
    if not landmarks:
        raise ArgumentError("landmarks", "no landmark was given", hint='landmarks=["2026-06-30", "2026-07-31"]')
    if len(set(landmarks)) < len(landmarks):
        raise ArgumentError("landmarks", "a landmark was given twice", hint="give each day once")
    if max(landmarks) > as_of:
        raise ArgumentError(
            "landmarks", f"landmark {max(landmarks)} is after as_of {as_of}", hint="outcomes are known up to as_of only"
        )
    needs = {"order": {"orders"}, "end": {"memberships"}, "lost_reach": set(_REACH)}
    if outcome not in needs:
        raise ArgumentError("outcome", f"unknown: {outcome!r}", hint=f"one of {', '.join(needs)}")
    if not needs[outcome] & {*tables, "orders"}:
        raise ArgumentError(
            "outcome", f"outcome={outcome!r} needs the table {' or '.join(sorted(needs[outcome]))}",
            hint=f"tables: {{{min(needs[outcome])}: {{files: {min(needs[outcome])}.csv}}}} in the study file",
        )  # fmt: skip


@contextmanager
def _coded(
    connection: duckdb.DuckDBPyConnection,
    needed: Collection[str],
    tables: Collection[str],
    outcome: Outcome,
    as_of: date,
) -> Iterator[tuple[pa.ChunkedArray, np.ndarray]]:
    """Let the statement see tables in which customers are numbers in the order of their ids, sorted by them.

    Yields
    ------
    tuple
        The id of each number, and the day on which that account was deleted (NaT where it was not).
    """
    text = blocks("episodes.sql")
    made: list[str] = []

    def make(table: str, rows: str) -> None:
        connection.execute(f"CREATE TEMP TABLE {table} AS {rows}", {"last": as_of} if "$last" in rows else None)
        made.append(table)

    logs = [name for name in LOGS if name in tables]
    sources = ["orders_days", *(["customers"] if "customers" in tables else []), *(["first_seen"] if logs else [])]
    try:
        make("codes", text["codes"].format(tables=" UNION ALL SELECT customer_id FROM ".join(sources)))
        make("coded_order_days", text["coded_order_days"].format(order_days=blocks("features.sql")["order_days"]))
        if outcome == "end":
            make("spells", text["spells"])
        if outcome == "lost_reach":
            lost = " UNION ALL ".join(text[f"lost_in_{table}"] for table in _REACH if table in tables)
            make("lost", text["lost"].format(lost=lost))
        ids = connection.execute("SELECT id FROM codes ORDER BY code").to_arrow_table().column(0)
        deleted = np.array([], dtype="datetime64[D]")
        if "events" in tables:
            deleted = np.full(len(ids), np.datetime64("NaT", "D"))
            gone = connection.execute(text["deleted"], {"last": as_of}).to_arrow_table()
            deleted[gone.column(0).to_numpy()] = gone.column(1).to_numpy().astype("datetime64[D]")
        if "orders" in needed:
            make("coded_visible", text["coded_visible"])
        for table in sorted(_wanted(needed, tables)):
            make(table, _coded_rows(table))
        yield ids, deleted
    finally:
        for table in made:
            connection.execute(f"DROP TABLE IF EXISTS temp.main.{table}")


def _wanted(needed: Collection[str], tables: Collection[str]) -> set[str]:
    there = {"orders", "orders_days", "lessons", *tables, *(f"{table}_days" for table in tables)}
    there |= {"first_seen"} if any(table in tables for table in LOGS) else set()
    return {table for block in needed for table in _TABLES_OF.get(block, ())} & there


def _coded_rows(table: str) -> str:
    """Return the rows of a table with numbers for ids; a line without a customer stays, since its product was sold."""
    text = blocks("episodes.sql")
    if table == "orders":
        return text["coded"].format(columns=", ".join(_LINE), kind="LEFT JOIN", table=table)
    if table == "customers":
        return text["coded_customers"]
    return text["coded"].format(columns="rows.* EXCLUDE (customer_id)", kind="JOIN", table=table)


def _outcome(seen: pa.Table, landmark: date, as_of: date, deleted: np.ndarray) -> dict[str, np.ndarray]:
    """Return time, event and entry of each row at a landmark."""
    start = seen["start_day"].to_numpy().astype("datetime64[D]")
    happened = seen["event_day"].to_numpy().astype("datetime64[D]")
    here, last = np.datetime64(landmark, "D"), np.datetime64(as_of, "D")
    until = np.where(np.isnat(happened), last, happened)
    event = np.where(np.isnat(happened), _NOTHING, _HAPPENED)
    if len(deleted):
        gone = deleted[seen[CUSTOMER_ID].to_numpy()]
        competes = ~np.isnat(gone) & (np.isnat(happened) | (gone < happened))
        until, event = np.where(competes, gone, until), np.where(competes, _DELETION, event)
    return {
        DURATION_DAYS: (until - start).astype("float64"),
        EVENT: event.astype("int64"),
        ENTRY_DAYS: (here - start).astype("float64"),
    }


def _still_there(seen: pa.Table, landmark: date, deleted: np.ndarray) -> pa.Table:
    if not len(deleted):
        return seen
    gone = deleted[seen[CUSTOMER_ID].to_numpy()]
    return seen.filter(pa.array(np.isnat(gone) | (gone > np.datetime64(landmark, "D"))))


def _frame(
    seen: dict[date, pa.Table], as_of: date, deleted: np.ndarray, ids: pa.ChunkedArray, names: list[str]
) -> pd.DataFrame:
    """Put the landmarks under each other; ``seen`` is emptied on the way, so that rows are not held twice."""
    outcomes = [_outcome(table, landmark, as_of, deleted) for landmark, table in seen.items()]
    days = np.array(list(seen), dtype="datetime64[D]").astype("datetime64[s]")
    data: dict[str, object] = {LANDMARK: np.repeat(days, [table.num_rows for table in seen.values()])}
    rows = pa.concat_tables(seen.values())
    seen.clear()
    times = (DURATION_DAYS, EVENT, ENTRY_DAYS)
    data |= {name: np.concatenate([outcome.pop(name) for outcome in outcomes]) for name in times}
    who = ids.cast(pa.large_string()).combine_chunks().take(rows[CUSTOMER_ID].combine_chunks())
    index = pd.Index(pd.array(who, dtype="string[pyarrow]"), name=CUSTOMER_ID)
    for name in names:
        data[name] = as_series(rows[name], name, index)
        rows = rows.drop_columns([name])
    return pd.DataFrame(data, index=index, copy=False)
