"""Who was assigned to what, and what each did over a window of its own: the rows behind an experiment."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.data.measures import TABLES_OF, Measure
from toolkit.data.question import ask
from toolkit.data.sql import blocks
from toolkit.errors import ArgumentError
from toolkit.strict import nearest
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from datetime import date

    import duckdb

_COLUMN: dict[str, str] = {
    "spend": "CAST(SUM(net) AS DECIMAL(38, 4))",
    "orders": "COUNT(DISTINCT order_key) FILTER (WHERE order_day IS NOT NULL)",
    "order_days": "COUNT(DISTINCT order_day)",
    "interactions": "COUNT(*) FILTER (WHERE kind IN ('like', 'comment', 'share', 'check_in'))",
    "events": "COUNT(*) FILTER (WHERE list_contains($kinds, kind))",
    "messages": "COUNT(*) FILTER (WHERE delivered IS NOT FALSE)",
    "messages of campaigns": "COUNT(*) FILTER (WHERE delivered IS NOT FALSE AND list_contains($kinds, campaign_id))",
    "opt_outs in events": "COUNT(*) FILTER (WHERE kind = 'unfollow')",
    "opt_outs in contacts": "COUNT(*) FILTER (WHERE opted_out)",
}
"""What a measure adds up over the rows of a window."""


def assignments(
    connection: duckdb.DuckDBPyConnection, experiment: str, as_of: date, tables: Collection[str]
) -> pd.DataFrame:
    """Return the assignments of an experiment; see `toolkit.Study.assignments`."""
    if "assignments" not in tables:
        raise ArgumentError(
            "no-assignments", "this study has no table assignments, so nobody is known to be in any arm",
            hint="tables: {assignments: {files: assignments.csv}} in the study file",
        )  # fmt: skip
    text = blocks("outcomes.sql")
    known = [str(row[0]) for row in connection.execute(text["experiments"], {"as_of": as_of}).fetchall()]
    if experiment not in known:
        raise ArgumentError(
            "unknown-experiment", f"nobody was assigned to {experiment!r} by {as_of}{nearest(experiment, known)}",
            hint="experiment: one of the ids in the table assignments, or a later as_of",
        )  # fmt: skip
    found = ask(connection, text["assignments"], {"as_of": as_of, "experiment": experiment})
    words = {
        name: pd.array(found.column(name), dtype="string[pyarrow]")
        for name in found.column_names
        if name != "assigned_at"
    }
    moments = found.column("assigned_at").to_numpy().astype("datetime64[s]")
    return pd.DataFrame({name: words.get(name, moments) for name in found.column_names}, copy=False)


def outcomes(
    connection: duckdb.DuckDBPyConnection,
    starts: pd.Series,
    as_of: date,
    measures: Mapping[str, Measure],
    *,
    days: tuple[int, int],
    tables: Collection[str],
) -> pd.DataFrame:
    """Measure units over their windows; see `toolkit.Study.outcomes`."""
    _refuse(starts, measures, days, tables)
    values = np.zeros((len(measures), len(starts)))
    named: dict[str, object] = {"as_of": as_of, "first_day": days[0], "last_day": days[1]}
    text = blocks("outcomes.sql")
    with _units(connection, starts):
        for place, measure in enumerate(measures.values()):
            for question in _questions(measure, text, tables):
                found = ask(
                    connection,
                    f"WITH windows AS ({text['windows']}) {question}",
                    named | {"kinds": list(measure.kinds)},
                )
                values[place, found.column(0).to_numpy()] += found.column(1).to_numpy().astype(np.float64)
    return pd.DataFrame(dict(zip(measures, values, strict=True)), index=starts.index, copy=False)


def _questions(measure: Measure, text: Mapping[str, str], tables: Collection[str]) -> list[str]:
    """Return what to ask for a measure: one statement per table that it is read from, whose values add up."""
    if measure.quantity == "active_days":
        acts = [text["acts_of_orders"], *([text["acts_of_events"]] if "events" in tables else [])]
        return [text["active"].format(acts=" UNION ALL ".join(acts))]
    there = [table for table in TABLES_OF[measure.quantity] if table in (*tables, "orders")]
    told = " of campaigns" if measure.quantity == "messages" and measure.kinds else ""
    names = [f"opt_outs in {table}" if measure.quantity == "opt_outs" else measure.quantity + told for table in there]
    return [text[table].format(value=_COLUMN[name]) for table, name in zip(there, names, strict=True)]


@contextmanager
def _units(connection: duckdb.DuckDBPyConnection, starts: pd.Series) -> Iterator[None]:
    rows = pa.table(
        {
            "unit": np.arange(len(starts), dtype=np.int64),
            "customer_id": pa.array(starts.index.astype("string[pyarrow]"), type=pa.string()),
            "start": pa.array(starts.to_numpy().astype("datetime64[us]")),
        }
    )
    connection.register("units", rows)
    try:
        yield
    finally:
        connection.unregister("units")


def _refuse(starts: pd.Series, measures: Mapping[str, Measure], days: tuple[int, int], tables: Collection[str]) -> None:
    if not pd.api.types.is_datetime64_any_dtype(starts) or starts.isna().any():
        raise ArgumentError(
            "starts", f"starts must be moments of local time, none missing, not {starts.dtype}",
            count=int(starts.isna().sum()), hint='pd.Series(pd.Timestamp("2026-09-01"), index=snap.index)',
        )  # fmt: skip
    if getattr(starts.dt, "tz", None) is not None:
        raise ArgumentError("starts", "starts have a time zone", hint="starts.dt.tz_convert(zone).dt.tz_localize(None)")
    if not starts.index.is_unique:
        raise ArgumentError(
            "starts", f"{CUSTOMER_ID} comes more than once", count=int(starts.index.duplicated().sum()),
            hint="give each customer one start",
        )  # fmt: skip
    if days[0] >= days[1]:
        raise ArgumentError("window", f"the window from day {days[0]} to day {days[1]} is empty", hint="last_day=28")
    for name, measure in measures.items():
        needs = TABLES_OF[measure.quantity]
        if not set(needs) & {*tables, "orders"}:
            raise ArgumentError(
                "measure", f"{name}: {measure.quantity} come from {' or '.join(needs)}, which this study does not have",
                hint=f"tables: {{{needs[0]}: {{files: {needs[0]}.csv}}}} in the study file",
            )  # fmt: skip
