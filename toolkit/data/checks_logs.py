"""What an analyst should know about the tables beside orders and customers before trusting their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.data.vocabulary import EVENT_WORDS
from toolkit.errors import Check

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import duckdb

_VISIBLE = "COALESCE(visible_day <= $as_of, TRUE)"
_LOGS = ("events", "contacts", "surveys", "memberships", "assignments")


def log_checks(connection: duckdb.DuckDBPyConnection, tables: Collection[str], as_of: date | None) -> list[Check]:
    """Look at unknown kinds, strangers, impossible durations, overlapping periods, two arms, gaps and linked ids."""
    found = [check for table in _LOGS if table in tables for check in _strangers(connection, table, tables, as_of)]
    looks = {
        "events": (_event_kinds, _durations, _silent_days),
        "contacts": (_opened_undelivered,),
        "surveys": (_surveys_without_kind,),
        "memberships": (_overlapping_periods,),
        "assignments": (_two_arms,),
        "identities": (_linked,),
    }
    for table, questions in looks.items():
        if table in tables:
            found += [check for question in questions if (check := question(connection, as_of))]
    return found


def _strangers(
    connection: duckdb.DuckDBPyConnection, table: str, tables: Collection[str], as_of: date | None
) -> list[Check]:
    """Count people of a table who neither ordered nor stand in the table customers."""
    known = "SELECT customer_id FROM orders_days WHERE COALESCE(late_day, day) <= $as_of OR $as_of IS NULL"
    if "customers" in tables:
        known += f" UNION ALL SELECT customer_id FROM customers WHERE fate = 'used' AND {_VISIBLE}"  # noqa: S608 - the same
    mine = (
        f"SELECT DISTINCT customer_id FROM {table}_days WHERE log_fate(reason) = 'used'"  # noqa: S608 - canonical names
        " AND customer_id IS NOT NULL AND COALESCE(day <= $as_of, TRUE)"
    )
    (people,) = _row(connection, f"SELECT COUNT(*) FROM ({mine})", as_of)  # noqa: S608 - canonical names
    (strangers,) = _row(
        connection,
        f"SELECT COUNT(*) FROM ({mine}) AS mine ANTI JOIN ({known}) AS known USING (customer_id)",  # noqa: S608 - the same
        as_of,
    )
    if not strangers:
        return []
    share = strangers / people
    message = f"{table}: {strangers:,} of {people:,} people have neither ordered nor stand in customers"
    if share > 0.5 and "identities" not in tables:
        message += "; are these other ids of the same people? tables: {identities: ...} links them"
    return [Check("strangers", "failed" if share > 0.5 else "informational", message, strangers, table)]


def _event_kinds(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    known = ", ".join(f"'{word}'" for word in EVENT_WORDS)
    rows = connection.execute(
        "SELECT kind, COUNT(*) FROM events WHERE reason = 'event'"  # noqa: S608 - our own words
        f" AND {_VISIBLE} AND COALESCE(kind NOT IN ({known}), TRUE) GROUP BY kind ORDER BY COUNT(*) DESC, kind",
        {"as_of": as_of},
    ).fetchall()
    if not rows:
        return None
    count = sum(row[1] for row in rows)
    message = (
        f"events: {count:,} rows of {len(rows):,} kinds that are not known count as activity only;"
        " event_kinds: {view: [...]} names them"
    )
    return Check("unknown_kinds", "informational", message, count, "events")


def _durations(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    count, long = _row(
        connection,
        "SELECT COUNT(*) FILTER (WHERE duration_seconds < 0), COUNT(*) FILTER (WHERE duration_seconds > 86400)"
        " FROM events_plain WHERE COALESCE(CAST(occurred_at AS DATE) <= $as_of, TRUE)",
        as_of,
    )
    if not count and not long:
        return None
    message = f"events: {count:,} durations are negative (left out), {long:,} are longer than a day: are they seconds?"
    return Check("durations", "failed", message, count + long, "events")


def _silent_days(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    days, span = _row(
        connection,
        "SELECT COUNT(DISTINCT day), COALESCE(DATE_DIFF('day', MIN(day), MAX(day)) + 1, 0) FROM events_days"
        " WHERE reason = 'event' AND COALESCE(day <= $as_of, TRUE)",
        as_of,
    )
    missing = span - days
    if missing == 0 or days < 30 or missing > span / 2:
        return None
    message = f"events: {missing:,} days between the first and the last event have none: is part of the log missing?"
    return Check("silent_days", "failed", message, missing, "events")


def _opened_undelivered(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    (count,) = _row(
        connection,
        f"SELECT COUNT(*) FROM contacts WHERE reason = 'contact' AND {_VISIBLE} AND opened AND NOT delivered",  # noqa: S608
        as_of,
    )
    message = f"contacts: {count:,} messages were opened and, as the log says, not delivered"
    return Check("opened_undelivered", "failed", message, count, "contacts") if count else None


def _surveys_without_kind(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    (count,) = _row(
        connection,
        f"SELECT COUNT(*) FROM surveys WHERE reason = 'answer' AND {_VISIBLE} AND COALESCE(kind, '') = ''",  # noqa: S608
        as_of,
    )
    message = (
        f"surveys: {count:,} answers do not say what was asked; columns: {{kind: {{constant: nps}}}} says it for all"
    )
    return Check("survey_kind", "failed", message, count, "surveys") if count else None


def _overlapping_periods(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    (count,) = _row(
        connection,
        "SELECT COUNT(*) FROM (SELECT starts_at < LAG(COALESCE(ends_at, TIMESTAMP '9999-12-31')) OVER"  # noqa: S608
        " (PARTITION BY customer_id ORDER BY starts_at, ends_at) AS crosses"
        f" FROM memberships WHERE reason = 'membership' AND {_VISIBLE}) WHERE crosses",
        as_of,
    )
    message = (
        f"memberships: {count:,} periods start before the customer's earlier one ends; they count as one membership"
    )
    return Check("overlapping_periods", "informational", message, count, "memberships") if count else None


def _two_arms(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:
    (count,) = _row(
        connection,
        "SELECT COUNT(*) FROM (SELECT 1 FROM assignments WHERE reason = 'assignment'"  # noqa: S608 - no user text
        f" AND {_VISIBLE} GROUP BY experiment_id, customer_id HAVING COUNT(DISTINCT arm) > 1)",
        as_of,
    )
    message = f"assignments: {count:,} customers stand in two arms of one experiment"
    return Check("two_arms", "failed", message, count, "assignments") if count else None


def _linked(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> Check | None:  # noqa: ARG001 - links have no date
    ids, people = _row(connection, "SELECT COUNT(*), COUNT(DISTINCT person) FROM people", None)
    message = f"identities: {ids:,} ids are other ids of {people:,} people; links are as exported, not as of the date"
    return Check("ids_linked", "informational", message, ids, f"{ids:,} → {people:,}") if ids else None


def _row(connection: duckdb.DuckDBPyConnection, statement: str, as_of: date | None) -> tuple[int, ...]:
    row = connection.execute(statement, {"as_of": as_of} if "$as_of" in statement else {}).fetchone()
    return tuple(int(value or 0) for value in row or ())
