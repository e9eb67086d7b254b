"""Where every row and its money went, and what stops a study."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import Check, InputError
from toolkit.schema import FATES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import duckdb

    from toolkit.data.headers import SourceFile
    from toolkit.study import StudyFile

LEDGER_COLUMNS = ("table", "fate", "reason", "rows", "money", "rows_without_money")

STOPS: dict[str, tuple[str, str]] = {
    "id_lost": (
        "ids were turned into 1.38E+16 by Excel: the information is lost",
        "export again and do not save it in Excel",
    ),
    "decimal_comma": ("amounts are written 1.234,50", 'decimal: ","'),
    "other_currency": ("amounts are in another currency than the study's", "export one currency per study"),
    "day_or_month_first": (
        "dates could be day-first or month-first",
        'date_formats: ["%d/%m/%Y"]  or  date_formats: ["%m/%d/%Y"]',
    ),
    "files_disagree": ("an order stands in two files with different lines", "remove the older export from files:"),
    "no_customer": ("rows have no customer", "policies: {missing_customer: exclude}"),
    "negative_unstated": (
        "there are negative amounts and nothing says what they are",
        "policies: {negative_amounts: refund}",
    ),
    "refunded_unstated": (
        "there are rows with a refunded status: the order itself taken back, or a record beside it?",
        "policies: {refunded_rows: reversed_order}  or  policies: {refunded_rows: refund_record}",
    ),
    "conflicting_customer": ("a customer stands in two rows that differ", "map valid_from, or remove the older rows"),
}
"""Reasons that no budget covers: what is wrong, and what to type."""

_HINTS = {
    "unreadable_date": 'check the column, or state date_formats: ["..."]',
    "unreadable_amount": "check the column mapped to amount",
    "unknown_status": 'statuses: {paid: ["..."], cancelled: ["..."]}',
}


def ledger(connection: duckdb.DuckDBPyConnection, tables: Sequence[str], *, as_of: date | None) -> pd.DataFrame:
    """Sum rows and signed money by fate and reason, exactly; see `toolkit.Study.ledger`."""
    parts = []
    for table in tables:
        found = connection.execute(
            f"SELECT CASE WHEN visible_day > $as_of THEN 'later' ELSE fate END AS fate,"  # noqa: S608 - a canonical name
            f" CASE WHEN visible_day > $as_of THEN 'after as_of' ELSE reason END AS reason, COUNT(*),"
            f" COALESCE(SUM(amount), 0), COUNT(*) FILTER (WHERE amount IS NULL), COALESCE(SUM(abs(amount)), 0)"
            f" FROM {table} GROUP BY ALL",
            {"as_of": as_of},
        ).fetchall()
        parts += [(table, *row) for row in found]
    order = {fate: position for position, fate in enumerate(FATES)}
    parts.sort(key=lambda row: (tables.index(row[0]), order[row[1]], row[2]))
    frame = pd.DataFrame(parts, columns=[*LEDGER_COLUMNS, "absolute_money"])
    frame["money"] = [Decimal(value) for value in frame["money"]]
    return frame


def refuse(
    connection: duckdb.DuckDBPyConnection,
    settings: StudyFile,
    files: Mapping[str, Sequence[SourceFile]],
    book: pd.DataFrame,
    as_of: date | None,
) -> None:
    """Stop on what no budget covers, and on more quarantined rows or money than the budget allows.

    Raises
    ------
    InputError
        With the file and row of the first case, how many there are, masked examples and the option that would help.
    """
    lost = book[book["fate"] == "quarantined"]
    for row in lost.itertuples():
        if row.reason in STOPS:
            what, hint = STOPS[str(row.reason)]
            raise _stop(connection, files, str(row.table), str(row.reason), int(str(row.rows)), what, hint, as_of)
    for table, rows in book[book["fate"] != "later"].groupby("table", sort=False):
        gone = rows[rows["fate"] == "quarantined"]
        share = gone["rows"].sum() / rows["rows"].sum()
        money = sum(rows["absolute_money"], Decimal(0))
        money_share = float(sum(gone["absolute_money"], Decimal(0)) / money) if money else 0.0
        if share > settings.loss_budget.rows or money_share > settings.loss_budget.money:
            worst = gone.sort_values("rows", ascending=False).iloc[0]
            reasons = ", ".join(f"{row.reason} {row.rows:,}" for row in gone.itertuples())
            raise _stop(
                connection, files, str(table), str(worst["reason"]), int(gone["rows"].sum()),
                f"{share:.1%} of rows and {money_share:.1%} of money would be quarantined ({reasons}),"
                f" over the budget of {settings.loss_budget.rows:.1%} and {settings.loss_budget.money:.1%}",
                _HINTS.get(str(worst["reason"]), "toolkit check STUDY writes them to quarantine.csv"), as_of,
            )  # fmt: skip


def _stop(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[SourceFile]],
    table: str,
    reason: str,
    count: int,
    what: str,
    hint: str,
    as_of: date | None,
) -> InputError:
    column = {"amount": "amount", "date": "ordered_at", "id": "customer_id"}
    about = next(
        (name for word, name in column.items() if word in reason), "customer_id" if "customer" in reason else ""
    )
    about = "amount" if reason in ("decimal_comma", "other_currency", "negative_unstated") else about
    about = "ordered_at" if reason == "day_or_month_first" else about
    about = "status" if "status" in reason or reason == "refunded_unstated" else about
    rows = quarantine(connection, files, table, as_of=as_of)
    rows = rows[rows["reason"] == reason]
    first = rows.iloc[0]
    examples = rows[about].head(3) if about in rows.columns else []
    mapping = files[table][0].mapping.get(about, (about,))
    return InputError(
        reason.replace("_", "-"), what, where=f"{first['file']}:{first['row']}", column=", ".join(mapping), count=count,
        examples=examples, hint=hint,
    )  # fmt: skip


def quarantine(
    connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[SourceFile]], table: str, *, as_of: date | None
) -> pd.DataFrame:
    """Return the quarantined rows of ``table`` as they were read, with file, row and reason; private to the analyst."""
    rows = connection.execute(
        f"SELECT reason, raw.* FROM {table} JOIN {table}_raw AS raw USING (source_file, source_row)"  # noqa: S608
        f" WHERE fate = 'quarantined' AND COALESCE(visible_day <= $as_of, TRUE) ORDER BY source_file, source_row",
        {"as_of": as_of},
    ).df()
    names = {number: file.name for number, file in enumerate(files[table], 1)}
    rows.insert(0, "file", rows.pop("source_file").map(names))
    rows.insert(1, "row", rows.pop("source_row"))
    return rows.drop(columns=["first_cell"], errors="ignore")


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
            if source.preamble_lines:
                found.append(Check("preamble", "informational", f"{source.name}: {source.preamble_lines} lines before the header were skipped", source.preamble_lines))  # fmt: skip
            if "transcoded" in source.repairs:
                found.append(Check("encoding", "informational", f"{source.name}: read as {source.encoding}", 1))
            if source.dropped:
                found.append(Check("dropped_columns", "informational", f"{source.name}: not loaded: {', '.join(source.dropped)}", len(source.dropped)))  # fmt: skip
            if "excel_row_limit" in source.repairs:
                found.append(Check("excel_row_limit", "failed", f"{source.name} ends exactly at Excel's last row: rows are probably missing", source.repairs["excel_row_limit"]))  # fmt: skip
            for name in ("trailing_delimiter", "empty_extra_cells"):
                if name in source.repairs:
                    found.append(Check(name, "informational", f"{source.name}: rows with empty cells beyond the header were taken", source.repairs[name]))  # fmt: skip
        repaired = _one(connection, f"SELECT COUNT(*) FROM {table} WHERE repaired AND COALESCE(visible_day <= $as_of, TRUE) AND customer_id IS NOT NULL", as_of)  # noqa: S608  # fmt: skip
        if repaired:
            found.append(Check("ids_repaired", "informational", f"{table}: {repaired:,} ids had spaces, full-width or invisible characters", repaired))  # fmt: skip
    found += _order_checks(connection, as_of)
    return tuple(found)


def _order_checks(connection: duckdb.DuckDBPyConnection, as_of: date | None) -> list[Check]:
    found: list[Check] = []
    repeats = _one(
        connection,
        "SELECT COALESCE(SUM(n - 1), 0) FROM (SELECT COUNT(*) AS n FROM orders WHERE fate IN ('used', 'refund')"
        " AND COALESCE(visible_day <= $as_of, TRUE) GROUP BY source_file, customer_id, ordered_at, amount, order_id,"
        " line_id, product_id, quantity HAVING COUNT(*) > 1)",
        as_of,
    )
    if repeats:
        found.append(
            Check(
                "exact_repeats",
                "failed",
                f"{repeats:,} lines repeat another one exactly; they are kept, map line_id to remove them",
                repeats,
            )  # fmt: skip
        )
    top = connection.execute(
        "SELECT MAX(money) / NULLIF(SUM(money), 0), COUNT(*) FROM (SELECT SUM(net) AS money FROM orders"
        " WHERE COALESCE(visible_day <= $as_of, TRUE) AND order_day IS NOT NULL GROUP BY customer_id)",
        {"as_of": as_of},
    ).fetchone()
    if top and top[0] and top[0] > 0.05 and top[1] >= 20:
        found.append(
            Check(
                "top_customer",
                "failed",
                f"one customer brings {float(top[0]):.1%} of spend: a shared, test or staff id? exclude_customers: leaves it out",
                1,
            )  # fmt: skip
        )
    case = _one(
        connection,
        "SELECT COUNT(*) FROM (SELECT lower(customer_id) FROM orders WHERE COALESCE(visible_day <= $as_of, TRUE)"
        " GROUP BY lower(customer_id) HAVING COUNT(DISTINCT customer_id) > 1)",
        as_of,
    )
    if case:
        found.append(
            Check(
                "case_variants",
                "failed",
                f"{case:,} ids differ from another only by upper and lower case; fold_case: true joins them",
                case,
            )  # fmt: skip
        )
    unmatched = _one(
        connection,
        "SELECT COUNT(*) FROM orders AS r WHERE r.fate = 'refund' AND COALESCE(r.visible_day <= $as_of, TRUE) AND (r.order_id IS NULL"
        " OR NOT EXISTS (SELECT 1 FROM orders AS o WHERE o.order_id = r.order_id AND o.fate = 'used'"
        " AND COALESCE(o.visible_day <= $as_of, TRUE)))",
        as_of,
    )
    if unmatched:
        found.append(
            Check(
                "unmatched_refunds",
                "informational",
                f"{unmatched:,} refunds have no order of the same order_id",
                unmatched,
            )
        )
    return found


def _one(connection: duckdb.DuckDBPyConnection, statement: str, as_of: date | None) -> int:
    row = connection.execute(statement, {"as_of": as_of}).fetchone()
    return int(row[0]) if row else 0
