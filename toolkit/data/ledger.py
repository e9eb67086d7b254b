"""Where every row and its money went, and what stops a study."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from toolkit.data.parsing import LOST_ID
from toolkit.data.sql import blocks, unreadable
from toolkit.errors import InputError
from toolkit.schema import FATES
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from toolkit.data.headers import SourceFile
    from toolkit.study import StudyFile
    from toolkit.tables import Table

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
    "unreadable_number": "check the column mapped to score",
    "score_out_of_range": "columns: {kind: {constant: csat}} where another question was asked, or check score",
    "ends_before_start": "check the columns mapped to starts_at and ends_at",
    "serial_date": "format the column as a date in Excel before exporting: 45321 is Excel's count of days",
    "unreadable_amount": "check the column mapped to amount",
}


_DATE_FAULT = ("timestamp", "optional_time_fault($1, getvariable('{table}_date_formats'))")
_FAULTS = {
    "unreadable_flag": ("flag", "flag_fault($1)"),
    "unreadable_date": _DATE_FAULT,
    "serial_date": _DATE_FAULT,
    "day_or_month_first": _DATE_FAULT,
    "other_currency": ("money", "CASE WHEN money($1) IS NULL THEN money_fault($1) END"),
}
"""Reasons that several columns of a table may give: the kind of these columns, and what tells which one it is."""


def ledger(connection: duckdb.DuckDBPyConnection, tables: Sequence[str], *, as_of: date | None) -> pd.DataFrame:
    """Sum rows and signed money by fate and reason, exactly; see `toolkit.Study.ledger`."""
    parts = []
    for table in tables:
        try:
            statements = blocks("ledger.sql")
            statement = statements["orders"] if table == "orders" else statements["others"].format(table=table)
            found = connection.execute(statement, {"as_of": as_of}).fetchall()
        except duckdb.Error as error:
            raise unreadable(table, error) from None
        parts += [(table, *row) for row in found]
    order = {fate: position for position, fate in enumerate(FATES)}
    parts.sort(key=lambda row: (tables.index(row[0]), order[row[1]], row[2]))
    frame = pd.DataFrame(parts, columns=list(LEDGER_COLUMNS))
    frame["money"] = frame["money"].map(Decimal)
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
            raise _stop(
                connection, files, str(row.table), str(row.reason), count=int(str(row.rows)), what=what, hint=hint,
                as_of=as_of,
            )  # fmt: skip
    for table, rows in book[book["fate"] != "later"].groupby("table", sort=False):
        gone = rows[rows["fate"] == "quarantined"]
        if gone.empty:
            continue
        share = gone["rows"].sum() / rows["rows"].sum()
        money_share = _money_share(connection, str(table), as_of)
        if share > settings.loss_budget.rows or money_share > settings.loss_budget.money:
            worst = gone.sort_values("rows", ascending=False).iloc[0]
            reasons = ", ".join(f"{row.reason} {row.rows:,}" for row in gone.itertuples())
            raise _stop(
                connection, files, str(table), str(worst["reason"]), count=int(gone["rows"].sum()),
                what=f"{share:.1%} of rows and {money_share:.1%} of money would be quarantined ({reasons}),"
                f" over the budget of {settings.loss_budget.rows:.1%} and {settings.loss_budget.money:.1%}",
                hint=_HINTS.get(str(worst["reason"]), "toolkit check STUDY writes them to quarantine.csv"), as_of=as_of,
            )  # fmt: skip


def _money_share(connection: duckdb.DuckDBPyConnection, table: str, as_of: date | None) -> float:
    """Return the quarantined share of all visible money, refunds counted as positive."""
    if table not in ("orders", "costs"):
        return 0.0
    found = connection.execute(
        "SELECT SUM(abs(amount)) FILTER (WHERE fate = 'quarantined') / NULLIF(SUM(abs(amount)), 0)"  # noqa: S608
        f" FROM {table} WHERE COALESCE(visible_day <= $as_of, TRUE)",
        {"as_of": as_of},
    ).fetchone()
    return float(found[0] or 0) if found else 0.0


def _stop(
    connection: duckdb.DuckDBPyConnection,
    files: Mapping[str, Sequence[SourceFile]],
    table: str,
    reason: str,
    *,
    count: int,
    what: str,
    hint: str,
    as_of: date | None,
) -> InputError:
    rows = quarantine(connection, files, table, as_of=as_of)
    rows = rows[rows["reason"] == reason]
    first = rows.iloc[0]
    about = _about(connection, TABLES[table], reason, rows)
    examples: list[object] = rows[about].head(3).tolist() if about in rows.columns else []
    mapping = files[table][0].mapping.get(about, (about,))
    if reason == "day_or_month_first":
        hint = format_hint(rows[about])
    if reason == "unknown_status":
        hint = status_hint(rows[about])
    if about == "currency":
        hint = f"currency_rates: {{USD: 7.1}}, or {hint}"
    if reason == "unreadable_flag":
        hint = f"columns: {{{about}: null}} leaves the column out, or write yes or no in it"
    return InputError(
        reason.replace("_", "-"), what, where=f"{first['file']}:{first['row']}", column=", ".join(mapping), count=count,
        examples=examples, hint=hint,
    )  # fmt: skip


def _about(connection: duckdb.DuckDBPyConnection, table: Table, reason: str, rows: pd.DataFrame) -> str:
    """Name the column that a reason is about."""
    if reason == "id_lost":
        ids = (column.name for column in table.columns if column.kind == "id" and column.name in rows.columns)
        return next((name for name in ids if re.fullmatch(LOST_ID, str(rows[name].iloc[0]).strip())), "customer_id")
    if reason in _FAULTS:
        kind, fault = _FAULTS[reason]
        for column in table.columns:
            if column.kind == kind and column.name in rows.columns:
                cell = rows[column.name].iloc[0]
                text = None if pd.isna(cell) else str(cell)
                found = connection.execute(f"SELECT {fault.format(table=table.name)}", [text]).fetchone()
                if found == (reason,):
                    return column.name
    parts = {
        "amount": ("amount", "decimal_comma", "negative"),
        "currency": ("other_currency",),
        table.when or "customer_id": ("date", "day_or_month", "after_export"),
        "status": ("status", "refunded"),
        "score": ("number", "score"),
        "ends_at": ("ends_before_start",),
        "line_id": ("line_id",),
        "order_id": ("files_disagree",),
        "customer_id": ("customer",),
    }
    return next((column for column, words in parts.items() if any(word in reason for word in words)), "")


def format_hint(texts: pd.Series) -> str:
    """Propose the date formats that fit every one of these texts; both where both do.

    Examples
    --------
    >>> format_hint(pd.Series(["12/1/2010 8:26", "12/13/2010 8:26"]))
    'date_formats: ["%m/%d/%Y %H:%M"]'
    """
    parts = texts.astype(str).str.strip().str.extract(r"^(\d{1,2})([-/.])(\d{1,2})[-/.](\d{4}|\d{2})(.*)$").dropna()
    readings = []
    for first, second, largest in (("%d", "%m", parts[2]), ("%m", "%d", parts[0])):
        if (largest.astype(int) <= 12).all():
            shapes = {
                f'"{first}{row[1]}{second}{row[1]}{"%Y" if len(row[3]) == 4 else "%y"}'
                f'{["", "", " %H:%M", " %H:%M:%S"][min(1 + str(row[4]).count(":"), 3)]}"'
                for row in parts.drop_duplicates([1, 4]).head(100).to_numpy()
            }
            readings.append(f"date_formats: [{', '.join(sorted(shapes))}]")
    return "  or  ".join(readings) or 'date_formats: ["..."], or one kind of date per file'


def status_hint(texts: pd.Series) -> str:
    """Propose where unknown statuses are named; many different ones are not statuses, and are not shown.

    Examples
    --------
    >>> status_hint(pd.Series(["待评价", "已寄出", "待评价"]))
    'statuses: {paid: ["待评价", "已寄出"]}, or the same under cancelled:, refunded: or unpaid:'
    """
    names = texts.fillna("").drop_duplicates()
    if len(names) > 8 or names.str.len().max() > 20:
        return "check the column mapped to status"
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"statuses: {{paid: [{quoted}]}}, or the same under cancelled:, refunded: or unpaid:"


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
