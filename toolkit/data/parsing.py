"""Columns as they were read -> typed columns: SQL composed of fixed snippets and canonical names only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import duckdb

from toolkit.data.headers import FIRST_CELL, RAGGED, SOURCE_FILE, SOURCE_ROW
from toolkit.errors import InputError, StudyFileError
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.study import TableFile
    from toolkit.tables import Kind, Table

_FLOATS = ("DOUBLE", "FLOAT")
_NUMBERS = (
    *_FLOATS,
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
_SQL_TYPE: dict[Kind, str] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "status": "VARCHAR",
    "money": "DECIMAL(18, 4)",
    "number": "DOUBLE",
    "timestamp": "TIMESTAMP",
    "period": "TIMESTAMP",
    "flag": "BOOLEAN",
}
_FROM_TEXT: dict[Kind, str] = {
    "id": "clean_id({c})",
    "text": "clean_text({c})",
    "status": "COALESCE(clean_text({c}), '')",
    "money": "{money}({c})",
    "number": "{number}({c})",
    "timestamp": "local_time({c}, {formats})",
    "period": "period_time({c}, {formats})",
    "flag": "flag({c})",
}
_FROM_TYPE: dict[tuple[Kind, str], str] = {
    ("money", "number"): "money_of_number({c})",
    ("money", "decimal"): "TRY_CAST({c} AS DECIMAL(18, 4))",
    ("number", "number"): "finite(CAST({c} AS DOUBLE))",
    ("number", "decimal"): "CAST({c} AS DOUBLE)",
    ("timestamp", "time"): "TRY_CAST({c} AS TIMESTAMP)",
    ("timestamp", "zoned"): "timezone(getvariable('timezone'), {c})",
    ("period", "time"): "TRY_CAST({c} AS TIMESTAMP)",
    ("period", "zoned"): "timezone(getvariable('timezone'), {c})",
    ("flag", "flag"): "{c}",
}
FREE_IDS = ("product_id", "content_id", "campaign_id", "experiment_id", "referred_by")
"""Ids that people make up as they like: one that looks like 1E+5 may be meant so."""
PERIOD_ENDS = ("ends_at", "cancelled_at")
"""Optional dates that may be missing but not unreadable: without an end, a membership would never end."""
LOST_ID = r"\d(\.\d+)?[Ee]\+\d+"
"""How Excel writes a long id once it has rounded it."""


def typed_select(table: Table, spec: TableFile, kinds: Mapping[str, str]) -> str:
    """Compose the statement that types the columns of ``<table>_raw``.

    Parameters
    ----------
    table, spec
        The table and what the study file says about it.
    kinds
        Column of the raw relation -> its SQL type.

    Returns
    -------
    str
        A SELECT of every canonical column, of ``<column>_fault`` for what cannot be read, and of what reading adds.
    """
    columns = [part for column in table.columns for part in _column(table, spec, column.name, kinds)]
    text_key = kinds.get(CUSTOMER_ID) == "VARCHAR"
    ids = [
        column.name
        for column in table.columns
        if column.kind == "id"
        and column.name not in FREE_IDS
        and kinds.get(column.name) == "VARCHAR"
        and (column.required or FIRST_CELL in kinds)
    ]
    could_be_lost = [
        f"CASE WHEN contains({name}, '+') THEN regexp_full_match(trim({name}), '{LOST_ID}') ELSE FALSE END"
        for name in ids
    ]
    columns += [
        f"{' OR '.join(could_be_lost) or 'FALSE'} AS id_lost",
        "customer_id IS DISTINCT FROM clean_id(customer_id) AS repaired" if text_key else "FALSE AS repaired",
        *(f"{name if name in kinds else 'CAST(NULL AS VARCHAR)'} AS {name}" for name in (FIRST_CELL, RAGGED)),
        SOURCE_FILE,
        SOURCE_ROW,
    ]
    return f"SELECT {', '.join(columns)} FROM {table.name}_raw"  # noqa: S608 - canonical names and fixed snippets


def _column(table: Table, spec: TableFile, name: str, kinds: Mapping[str, str]) -> list[str]:
    column = table.column(name)
    factors = [factor for factor in (f"{name}_1", f"{name}_2") if factor in kinds]
    typed = {
        source: _typed(table, spec, column.kind, source, kinds[source])
        for source in (name, *factors)
        if source in kinds
    }
    if factors:
        product = " * ".join(f"CAST({typed[factor]} AS DECIMAL(18, 4))" for factor in factors)
        size = " * ".join(f"CAST({typed[factor]} AS DOUBLE)" for factor in factors)
        value = f"TRY_CAST(CASE WHEN abs({size}) < 1e14 THEN {product} END AS DECIMAL(18, 4))"
    else:
        value = typed.get(name, f"CAST(NULL AS {_SQL_TYPE[column.kind]})")
    if column.kind in ("timestamp", "period") and not column.required and name in kinds:
        value = f"CASE WHEN no_date(CAST({value} AS DATE)) THEN NULL ELSE {value} END"
    parts = [f"{value} AS {name}"]
    if column.kind == "flag":
        readable = _category(kinds[name]) == "flag" if name in kinds else True
        fault = "CAST(NULL AS VARCHAR)" if readable else f"flag_fault(CAST({name} AS VARCHAR))"
        parts.append(f"{fault} AS {name}_fault")
    elif column.required and column.kind == "money":
        cases = "".join(
            f" WHEN {typed[source]} IS NULL THEN money_fault(CAST({source} AS VARCHAR))" for source in typed
        )
        parts.append(f"CASE WHEN {value} IS NOT NULL THEN NULL{cases} ELSE 'unreadable_amount' END AS {name}_fault")
    elif column.required and column.kind == "number":
        fault = f"number_fault(CAST({name} AS VARCHAR))"
        parts.append(f"CASE WHEN {value} IS NULL THEN {fault} END AS {name}_fault")
    elif column.required and column.kind in ("timestamp", "period"):
        fault = f"time_fault(CAST({name} AS VARCHAR), {_formats(table)})"
        parts.append(f"CASE WHEN {value} IS NULL THEN {fault} END AS {name}_fault")
    elif name in PERIOD_ENDS:
        fault = f"optional_time_fault(CAST({name} AS VARCHAR), {_formats(table)})"
        parts.append(
            f"CASE WHEN {value} IS NULL THEN {fault if name in kinds else 'CAST(NULL AS VARCHAR)'} END AS {name}_fault"
        )
    return parts


def _typed(table: Table, spec: TableFile, kind: Kind, column: str, sql_type: str) -> str:
    category = _category(sql_type)
    if kind == "id" and sql_type in _FLOATS:
        return f"CAST(CAST({column} AS BIGINT) AS VARCHAR)"
    if (kind, category) in _FROM_TYPE:
        return _FROM_TYPE[kind, category].format(c=column)
    if category != "text" and kind in ("id", "text", "status"):
        text = f"CAST({column} AS VARCHAR)"
        text = f"regexp_replace({text}, '\\.0+$', '')" if sql_type in _FLOATS or category == "decimal" else text
        return f"COALESCE({text}, '')" if kind == "status" else text
    text = column if sql_type == "VARCHAR" else f"CAST({column} AS VARCHAR)"
    money, number = ("money_comma", "number_comma") if spec.decimal == "," else ("money", "number_of_text")
    plain = _FROM_TEXT[kind].format(c=text, money=money, number=number, formats=_formats(table))
    if column == "duration_seconds":
        return f"COALESCE(clock_seconds({text}), CASE WHEN NOT contains({text}, '分') THEN {plain} END)"
    return plain


def _formats(table: Table) -> str:
    return f"getvariable('{table.name}_date_formats')"


def _category(sql_type: str) -> str:
    if sql_type.startswith("DECIMAL"):
        return "decimal"
    if sql_type in _NUMBERS:
        return "number"
    if sql_type == "TIMESTAMP WITH TIME ZONE":
        return "zoned"
    if sql_type.startswith("TIMESTAMP") or sql_type == "DATE":
        return "time"
    return "flag" if sql_type == "BOOLEAN" else "text"


def date_formats(connection: duckdb.DuckDBPyConnection, spec: TableFile) -> list[str]:
    """Return the stated date formats, checked, and the one that dates have as text.

    Raises
    ------
    StudyFileError
        One is not a date format.
    """
    for text in spec.date_formats:
        try:
            known = bool(re.fullmatch(r"[%A-Za-z0-9年月日时分秒:/., _-]+", text) and re.search("%[A-Za-z]", text))
            connection.execute("SELECT try_strptime('', $1)", [text])
        except duckdb.Error:
            known = False
        if not known:
            raise StudyFileError(
                "date-format", f"{text!r} is not a date format", where="study.yaml",
                hint='date_formats: ["%d/%m/%Y %H:%M"]',
            )  # fmt: skip
    return [*spec.date_formats, "%Y-%m-%d %H:%M:%S"]


def refuse_lossy_ids(raw: duckdb.DuckDBPyRelation, table: Table, kinds: Mapping[str, str]) -> None:
    """Refuse floating-point ids that cannot be turned back into whole numbers.

    Raises
    ------
    InputError
        With the column and how many rows are concerned.
    """
    for column in table.columns:
        if column.kind != "id" or kinds.get(column.name) not in _FLOATS:
            continue
        name = column.name
        lossy = raw.filter(
            f"{name} IS NOT NULL AND NOT COALESCE(abs({name}) < 9007199254740992 AND {name} = floor({name}), FALSE)"
        )
        count = lossy.count("*").fetchone()
        if count and count[0]:
            raise InputError(
                "id-float",
                "ids are stored as floating point and may already be wrong",
                where=table.name,
                column=name,
                count=int(count[0]),
                hint="export the column as text, or read it with dtype=str",
            )
