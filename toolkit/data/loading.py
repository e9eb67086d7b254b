"""The gate: messy files -> clean rows in DuckDB, each with a fate and a reason."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.data.parsing import date_formats, refuse_lossy_ids, typed_select
from toolkit.data.reading import raw_relation
from toolkit.data.sql import blocks, unreadable
from toolkit.errors import InputError
from toolkit.study import CURRENCY_MARKS
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pandas as pd

    from toolkit.data.headers import SourceFile
    from toolkit.study import StudyFile, TableFile
    from toolkit.tables import Table

STATUS_WORDS: dict[str, tuple[str, ...]] = {
    "paid": (
        "paid", "completed", "complete", "success", "succeeded", "fulfilled", "delivered", "shipped", "processing",
        "交易成功", "已完成", "已付款", "已支付", "支付成功", "已发货", "已签收", "待发货", "交易完成", "完成",
    ),
    "refunded": ("refund", "refunded", "returned", "已退款", "退款成功", "已全额退款", "全额退款", "退货"),
    "cancelled": (
        "cancelled", "canceled", "cancel", "closed", "void", "voided", "failed", "已取消", "交易关闭", "已关闭", "取消",
    ),
    "unpaid": ("pending", "unpaid", "authorized", "待付款", "未付款", "待支付", "等待买家付款"),
}  # fmt: skip


def connect(settings: StudyFile, folders: Iterable[Path]) -> duckdb.DuckDBPyConnection:
    """Open an in-memory engine that can read the study's folders and nothing else.

    Parameters
    ----------
    settings
        The study file; its policies become variables of the engine.
    folders
        Folders that hold the exports.
    """
    connection = duckdb.connect(":memory:")
    connection.create_function("normal_text", _normal_text, ["VARCHAR"], "VARCHAR", type="arrow")  # type: ignore[call-overload]
    policies = settings.policies
    marks = "|".join(re.escape(mark) for mark in _marks(settings.currency))
    for name, value in {
        "timezone": settings.timezone,
        "fold_case": settings.fold_case,
        "own_marks": marks,
        "own_marks_at_ends": rf"^([(]?[+-]?) *(?:(?:{marks}) *)+|(?:{marks}) *([)]?)$",
        "missing_customer": "missing_customer" if policies.missing_customer == "exclude" else "no_customer",
        "negative_amount": {"refund": "negative_amount", "exclude": "negative_excluded", "stop": "negative_unstated"}[
            policies.negative_amounts
        ],
        "refunded_rows": policies.refunded_rows,
        "refunded_status": "refunded_unstated" if policies.refunded_rows == "stop" else "refunded_status",
        "zero_order": "zero_order" if policies.zero_orders == "exclude" else "zero_order_counted",
    }.items():
        connection.execute(f"SET VARIABLE {name} = $1", [value])
    for statement in blocks("clean.sql")["macros"].split(";\n"):
        connection.execute(statement)
    connection.execute(
        "SET VARIABLE exclude_customers = (SELECT list(clean_id(id)) FROM (SELECT unnest($1) AS id))",
        [list(settings.exclude_customers)],
    )
    connection.execute("SET allowed_directories = $1", [[str(folder) for folder in folders]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def load_table(
    connection: duckdb.DuckDBPyConnection,
    settings: StudyFile,
    name: str,
    source: Sequence[Path] | pd.DataFrame,
) -> list[SourceFile]:
    """Make the clean relation ``name`` from its files or frame.

    Text is parsed once into a table; Parquet is read through a view, only the columns that a question needs.

    Parameters
    ----------
    connection
        From `connect`.
    settings
        The study file.
    name
        ``orders`` or ``customers``.
    source
        Files (all CSV or all Parquet), or a pandas frame with one row per row of the table.

    Returns
    -------
    list of SourceFile
        What was found out about each file.

    Raises
    ------
    InputError
        See `toolkit.data.files.read_csv` and `toolkit.data.typed.parquet_mapping`.
    """
    try:
        return _load(connection, settings, TABLES[name], source)
    except duckdb.Error as error:
        raise unreadable(name, error) from None


def _load(
    connection: duckdb.DuckDBPyConnection, settings: StudyFile, table: Table, source: Sequence[Path] | pd.DataFrame
) -> list[SourceFile]:
    name, spec = table.name, settings.tables[table.name]
    connection.execute(f"SET VARIABLE {name}_date_formats = $1", [date_formats(connection, spec)])
    connection.execute(f"SET VARIABLE {name}_exported_at = $1", [spec.exported_at])
    raw, sources, lazy = raw_relation(connection, spec, table, source)
    _refuse_other_count(raw, spec, sources)
    kinds = {column: str(kind) for column, kind in zip(raw.columns, raw.types, strict=True)}
    refuse_lossy_ids(raw, table, kinds)
    raw.create_view(f"{name}_raw", replace=True)
    make = "VIEW" if lazy else "TABLE"
    connection.execute(f"CREATE OR REPLACE {make} {name}_plain AS {typed_select(table, spec, kinds)}")
    _map_statuses(connection, settings, table, mapped="status" in kinds)
    connection.execute(f"CREATE OR REPLACE VIEW {name}_typed AS {_with_words(table, mapped='status' in kinds)}")
    _find_repeats(connection, table, kinds, several_files=len(sources) > 1)
    connection.execute(f"CREATE OR REPLACE {make} {name} AS {blocks('clean.sql')[name]}")
    if name == "orders":
        days = blocks("clean.sql")["customer_days"]
        if "recorded_at" not in kinds:
            days = days.replace("NULLIF(visible_day, day)", "CAST(NULL AS DATE)")
        connection.execute(f"CREATE OR REPLACE TABLE customer_days AS {days}")
    return sources


def _refuse_other_count(raw: duckdb.DuckDBPyRelation, spec: TableFile, sources: Sequence[SourceFile]) -> None:
    if spec.expected_rows is None:
        return
    counted = raw.count("*").fetchone()
    rows = int(counted[0]) if counted else 0
    if rows != spec.expected_rows:
        raise InputError(
            "rows", f"{rows:,} rows, but expected_rows is {spec.expected_rows:,}",
            where=", ".join(source.name for source in sources), hint="download the file again, or mend expected_rows",
        )  # fmt: skip


def _marks(currency: str) -> tuple[str, ...]:
    return tuple(sorted(CURRENCY_MARKS.get(currency, (currency,)), key=len, reverse=True))


def _normal_text(values: pa.ChunkedArray) -> pa.Array:
    text = pc.utf8_normalize(values, form="NFKC")
    text = pc.replace_substring_regex(text, r"[\x{200B}-\x{200F}\x{2060}\x{FEFF}\x{00AD}]", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\x{00A0}]+", " "))


def _map_statuses(connection: duckdb.DuckDBPyConnection, settings: StudyFile, table: Table, *, mapped: bool) -> None:
    if table.name != "orders" or not mapped:
        return
    found = [
        row[0] for row in connection.execute("SELECT DISTINCT status FROM orders_plain ORDER BY status").fetchall()
    ]
    words = pa.table(
        {
            "status": pa.array(found, pa.string()),
            "word": pa.array([_word(text, settings) for text in found], pa.string()),
        }
    )
    connection.register("status_found", words)
    connection.execute("CREATE OR REPLACE TABLE status_words AS SELECT * FROM status_found")
    connection.unregister("status_found")


def _word(status: str, settings: StudyFile) -> str:
    folded = status.casefold()
    for word, patterns in settings.statuses.items():
        if any(fnmatch.fnmatchcase(folded, pattern.casefold()) for pattern in patterns):
            return word
    return next((word for word, known in STATUS_WORDS.items() if folded in known), "unknown_status")


def _with_words(table: Table, *, mapped: bool) -> str:
    if table.name == "orders" and mapped:
        return "SELECT orders_plain.*, status_words.word FROM orders_plain LEFT JOIN status_words USING (status)"
    return f"SELECT *, CAST(NULL AS VARCHAR) AS word FROM {table.name}_plain"  # noqa: S608 - a canonical name


def _find_repeats(
    connection: duckdb.DuckDBPyConnection, table: Table, kinds: dict[str, str], *, several_files: bool
) -> None:
    statements = blocks("clean.sql")
    wanted: list[str] = []
    if table.name == "orders":
        connection.execute(f"CREATE OR REPLACE VIEW order_days AS {statements['order_days']}")
        if several_files:
            wanted.append(statements["repeated_orders"])
        if "line_id" in kinds:
            wanted.append(statements["repeated_lines"])
    else:
        wanted.append(statements["repeated_customers"])
    read = f"SELECT *, CAST(NULL AS VARCHAR) AS repeat FROM {table.name}_typed"  # noqa: S608 - a canonical name
    if wanted:
        found = " UNION ALL ".join(f"SELECT * FROM ({statement})" for statement in wanted)  # noqa: S608 - from clean.sql
        connection.execute(
            f"CREATE OR REPLACE TABLE {table.name}_repeats AS"  # noqa: S608 - a canonical name
            f" SELECT source_file, source_row, MIN(repeat) AS repeat"
            f" FROM ({found}) WHERE repeat IS NOT NULL GROUP BY source_file, source_row"
        )
        read = (
            f"SELECT {table.name}_typed.*, repeat FROM {table.name}_typed"  # noqa: S608 - a canonical name
            f" LEFT JOIN {table.name}_repeats USING (source_file, source_row)"
        )
    connection.execute(f"CREATE OR REPLACE VIEW {table.name}_read AS {read}")
