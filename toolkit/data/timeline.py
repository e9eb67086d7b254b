"""What one customer did and what was done with them, act by act, up to a date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.sql import blocks
from toolkit.tables import CUSTOMERS, IDENTITIES, TABLES

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import duckdb

_BEYOND_THE_SNAPSHOT = ("occupation", "interests", "followers", "acquisition_cost", "referred_by")


def timeline(
    connection: duckdb.DuckDBPyConnection, tables: Collection[str], customer_id: str, as_of: date
) -> pd.DataFrame:
    """List the acts of a customer in order of time.

    Parameters
    ----------
    connection
        The engine with the clean tables.
    tables
        Names of the tables that the study has.
    customer_id
        The customer, as `person_of` returns it.
    as_of
        Local day; only rows visible at its end count, and what a membership has ahead of it is left out.

    Returns
    -------
    pandas.DataFrame
        Columns ``moment`` (local time, ``datetime64[us]``), ``table`` (where it was told), ``kind`` (such as
        ``order``, ``refund``, ``order_undone``; ``sent``, ``opened``, ``not_delivered``, ``opted_out``; the kind of an
        event or survey; ``joined``; ``membership_started``), ``detail`` (products, campaign, content, score, arm) and
        ``amount`` (currency; of orders and refunds, whose sum is the customer's spend).
    """
    statements = blocks("timeline.sql")
    person = f"WITH person AS ({statements['person']}) " if CUSTOMERS.name in tables else ""
    told = [statements[name] for name in TABLES if name in tables and name in statements]
    acts = " UNION ALL ".join(f"({statement})" for statement in told)
    found = connection.execute(
        f"{person}SELECT * FROM ({acts}) WHERE moment IS NOT NULL"  # noqa: S608 - fixed blocks only
        " ORDER BY moment, source, kind, detail, amount",
        {"customer_id": customer_id, "as_of": as_of},
    ).df()
    return found.rename(columns={"source": "table"})


def attributes(
    connection: duckdb.DuckDBPyConnection, tables: Collection[str], customer_id: str, as_of: date
) -> dict[str, object]:
    """Return what the table of customers holds of a person beside the snapshot's columns; empty values are left out."""
    if CUSTOMERS.name not in tables:
        return {}
    rows = connection.execute(blocks("timeline.sql")["person"], {"customer_id": customer_id, "as_of": as_of}).df()
    known = rows[list(_BEYOND_THE_SNAPSHOT)].to_dict("records")
    return {str(name): value for row in known for name, value in row.items() if pd.notna(value)}


def person_of(connection: duckdb.DuckDBPyConnection, tables: Collection[str], customer_id: str) -> str | None:
    """Return the id under which a person stands in the snapshot, whichever id of theirs is given; None for no text."""
    if IDENTITIES.name in tables:
        found = connection.execute(blocks("timeline.sql")["person_of"], {"customer_id": customer_id}).fetchone()
    else:
        found = connection.execute("SELECT clean_id($customer_id)", {"customer_id": customer_id}).fetchone()
    return str(found[0]) if found and found[0] is not None else None


def other_ids(connection: duckdb.DuckDBPyConnection, tables: Collection[str], customer_id: str) -> pd.DataFrame:
    """List the other ids of a person: columns ``id_value`` and ``id_kind``."""
    if IDENTITIES.name not in tables:
        return pd.DataFrame(columns=["id_value", "id_kind"], dtype="object")
    return connection.execute(blocks("timeline.sql")["other_ids"], {"customer_id": customer_id}).df()
