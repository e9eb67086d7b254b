"""What an analyst should know before trusting the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.checks_logs import log_checks
from toolkit.errors import Check
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from toolkit.data.headers import SourceFile

_CHANGING = ("persona", "age_band", "region", "occupation", "interests", "followers", "opted_out")
_VISIBLE = "COALESCE(visible_day <= $as_of, TRUE)"
_REPAIRS = {
    "preamble_lines": ("preamble", "{:,} lines before the header were skipped"),
    "trailing_delimiter": ("trailing_delimiter", "every row ends with an empty cell; it was left out"),
}
"""Repair of a file -> its check, and what to say."""


def row_checks(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[SourceFile]],
    *,
    as_of: date | None,
) -> tuple[Check, ...]:
    """Look at what was repaired and at what an analyst should know before trusting the rows."""
    found: list[Check] = []
    for table, sources in files.items():
        for source in sources:
            found += _file_checks(source)
        found += _optional_checks(connection, table, as_of)
        if TABLES[table].has_customers:
            found += _id_checks(connection, table, as_of)
            found += _doubtful_ids(connection, table, as_of)
    found += log_checks(connection, files, as_of)
    found += _order_checks(connection, as_of)
    found += _refund_checks(connection, as_of)
    found += _missing_months(connection, as_of)
    if "customers" in files:
        found += _customer_checks(connection, files["customers"], as_of)
    return tuple(found)


def _file_checks(source: SourceFile) -> list[Check]:
    found: list[Check] = []
    if "transcoded" in source.repairs:
        found.append(Check("encoding", "informational", f"{source.name}: read as {source.encoding}", 1, source.name))
    if source.dropped:
        message = f"{source.name}: not loaded: {', '.join(source.dropped)}"
        found.append(Check("dropped_columns", "informational", message, len(source.dropped), ", ".join(source.dropped)))
    if "excel_row_limit" in source.repairs:
        message = f"{source.name} ends exactly at Excel's last row: rows are probably missing"
        found.append(Check("excel_row_limit", "failed", message, source.repairs["excel_row_limit"], source.name))
    found += [
        Check(
            _REPAIRS[name][0], "informational", f"{source.name}: {_REPAIRS[name][1].format(count)}", count, source.name
        )
        for name, count in source.repairs.items()
        if name in _REPAIRS
    ]
    return found


def _id_checks(connection: duckdb.DuckDBPyConnection, table: str, as_of: date | None) -> list[Check]:
    repaired = _one(
        connection,
        f"SELECT COUNT(*) FROM {table} WHERE repaired AND customer_id IS NOT NULL AND {_VISIBLE}",  # noqa: S608 - canonical names
        as_of,
    )
    if not repaired:
        return []
    message = (
        f"{table}: {repaired:,} ids were written with spaces, quotes, full-width or invisible characters, or in another"
        " case"
    )
    found = [Check("ids_repaired", "informational", message, repaired, table)]
    joined = _one(
        connection,
        f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} AS t"  # noqa: S608 - canonical names
        f" JOIN {table}_raw AS raw USING (source_file, source_row) WHERE t.customer_id IS NOT NULL AND {_VISIBLE}"
        " GROUP BY t.customer_id, clean_id(CAST(raw.customer_id AS VARCHAR))"
        " HAVING COUNT(DISTINCT raw.customer_id) > 1)",
        as_of,
    )
    if joined:
        message = f"{table}: {joined:,} customers are written in more than one way; they count as one"
        found.append(Check("ids_joined", "failed", message, joined, table))
    return found


def _doubtful_ids(connection: duckdb.DuckDBPyConnection, table: str, as_of: date | None) -> list[Check]:
    """Count ids that hide digits, and ids that a program has taken for numbers."""
    counts = connection.execute(
        "SELECT COUNT(DISTINCT customer_id) FILTER (WHERE contains(customer_id, '**')), COUNT(DISTINCT customer_id)"  # noqa: S608
        " FILTER (WHERE ends_with(customer_id, '.0') AND regexp_full_match(customer_id, '\\d+\\.0'))"
        f" FROM {table} WHERE {_VISIBLE}",
        {"as_of": as_of},
    ).fetchone()
    doubts = {
        "masked_ids": "ids are masked, such as 138****8000: people may share one",
        "numeric_ids": "ids end in .0: a program took them for numbers, other tables may not; export them as text",
    }
    return [
        Check(code, "failed", f"{table}: {count:,} {doubt}", count, table)
        for (code, doubt), count in zip(doubts.items(), counts or (), strict=True)
        if count
    ]


def _optional_checks(connection: duckdb.DuckDBPyConnection, table: str, as_of: date | None) -> list[Check]:
    raw = {row[0]: row[1] for row in connection.execute(f"DESCRIBE {table}_raw").fetchall()}
    names = [
        column.name
        for column in TABLES[table].columns
        if not column.required and column.kind in ("money", "number", "timestamp") and raw.get(column.name) == "VARCHAR"
    ]
    if not names:
        return []
    unread = {
        name: f"optional_time_fault(raw.{name}, getvariable('{table}_date_formats')) IS NOT NULL"
        if TABLES[table].column(name).kind == "timestamp"
        else f"NOT is_missing(raw.{name})"
        for name in names
    }
    counts = ", ".join(f"COUNT(*) FILTER (WHERE t.{name} IS NULL AND {unread[name]})" for name in names)
    row = connection.execute(
        f"SELECT {counts} FROM {table} AS t"  # noqa: S608 - canonical names
        f" JOIN {table}_raw AS raw USING (source_file, source_row) WHERE {_VISIBLE}",
        {"as_of": as_of},
    ).fetchone()
    return [
        Check(
            "unreadable_optional",
            "failed",
            f"{table}: {count:,} values of {name} cannot be read: missing",
            count,
            f"{table}: {name}",
        )
        for name, count in zip(names, row or (), strict=True)
        if count
    ]


def _customer_checks(
    connection: duckdb.DuckDBPyConnection, sources: Sequence[SourceFile], as_of: date | None
) -> list[Check]:
    found: list[Check] = []
    buyers = f"SELECT DISTINCT customer_id FROM orders WHERE order_day IS NOT NULL AND {_VISIBLE}"  # noqa: S608
    people = f"SELECT DISTINCT customer_id FROM customers WHERE fate = 'used' AND {_VISIBLE}"  # noqa: S608
    for code, some, others, message in (
        ("buyers_unknown", buyers, people, "buyers do not stand in the table customers"),
        ("never_bought", people, buyers, "people of the table customers have not bought"),
    ):
        count = _one(connection, f"SELECT COUNT(*) FROM ({some}) ANTI JOIN ({others}) USING (customer_id)", as_of)  # noqa: S608
        if count:
            found.append(Check(code, "informational", f"{count:,} {message}", count))
    undated = [name for name in _CHANGING if name in sources[0].mapping]
    if undated and "valid_from" not in sources[0].mapping:
        message = f"customers: {', '.join(undated)} are as exported, not as of the date; map valid_from to date them"
        found.append(Check("not_point_in_time", "informational", message, len(undated), ", ".join(undated)))
    return found


def _missing_months(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> list[Check]:
    rows = connection.execute(
        "SELECT DISTINCT strftime(order_day, '%Y-%m') FROM orders WHERE order_day IS NOT NULL"  # noqa: S608
        f" AND {_VISIBLE}",
        {"as_of": as_of},
    ).fetchall()
    months = pd.PeriodIndex([row[0] for row in rows], freq="M")
    if months.empty:
        return []
    missing = pd.period_range(months.min(), months.max(), freq="M").difference(months)
    if missing.empty:
        return []
    named = ", ".join(str(month) for month in missing[:6]) + (" ..." if len(missing) > 6 else "")
    message = f"{len(missing)} months between the first and the last order have none: {named}"
    return [Check("gap", "failed", message, len(missing), named)]


def _order_checks(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> list[Check]:
    found: list[Check] = []
    repeats = _one(
        connection,
        "SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM orders WHERE fate IN ('used', 'refund')"  # noqa: S608
        f" AND {_VISIBLE} GROUP BY source_file, customer_id, ordered_at, amount, order_id,"
        " line_id, product_id, quantity HAVING COUNT(*) > 1)",
        as_of,
    )
    if repeats:
        message = f"{repeats:,} lines repeat another one exactly; they are kept, map line_id to remove them"
        found.append(Check("exact_repeats", "failed", message, repeats))
    top = connection.execute(
        "SELECT MAX(money) / NULLIF(SUM(money), 0), COUNT(*) FROM (SELECT SUM(net) AS money FROM orders"  # noqa: S608
        f" WHERE {_VISIBLE} AND order_day IS NOT NULL GROUP BY customer_id)",
        {"as_of": as_of},
    ).fetchone()
    if top and top[0] and top[0] > 0.05 and top[1] >= 20:
        message = (
            f"one customer brings {float(top[0]):.1%} of spend: a shared, test or staff id?"
            " exclude_customers: leaves it out"
        )
        found.append(Check("top_customer", "failed", message, 1, f"{float(top[0]):.1%}"))
    case = _one(
        connection,
        f"SELECT COUNT(*) FROM (SELECT lower(customer_id) FROM orders WHERE {_VISIBLE}"  # noqa: S608
        " GROUP BY lower(customer_id) HAVING COUNT(DISTINCT customer_id) > 1)",
        as_of,
    )
    if case:
        message = f"{case:,} ids differ from another only by upper and lower case; fold_case: true joins them"
        found.append(Check("case_variants", "failed", message, case))
    return found


def _refund_checks(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> list[Check]:
    found: list[Check] = []
    unmatched = _one(
        connection,
        "SELECT COUNT(*) FROM orders AS r WHERE r.fate = 'refund' AND r.net < 0"
        " AND COALESCE(r.visible_day <= $as_of, TRUE)"
        " AND (r.order_id IS NULL OR NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = r.order_id"
        " AND o.fate = 'used' AND COALESCE(o.visible_day <= $as_of, TRUE)))",
        as_of,
    )
    if unmatched:
        message = f"{unmatched:,} refunds have no order of the same order_id"
        found.append(Check("unmatched_refunds", "informational", message, unmatched))
    beyond = _one(
        connection,
        "SELECT COUNT(*) FROM (SELECT 1 FROM orders WHERE order_id IS NOT NULL AND fate IN ('used', 'refund')"  # noqa: S608
        f" AND {_VISIBLE} GROUP BY order_id HAVING SUM(refunded) > SUM(paid) AND SUM(paid) > 0)",
        as_of,
    )
    if beyond:
        message = f"{beyond:,} orders have more refunded than was paid"
        found.append(Check("refunds_beyond_order", "failed", message, beyond))
    return found


def _one(connection: duckdb.DuckDBPyConnection, statement: str, as_of: date | None) -> int:
    row = connection.execute(statement, {"as_of": as_of}).fetchone()
    return int(row[0]) if row else 0
