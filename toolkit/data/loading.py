"""The gate: messy files -> clean rows in DuckDB, each with a fate and a reason."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import duckdb

from toolkit.data.filling import fill_down
from toolkit.data.identity import link
from toolkit.data.parsing import date_formats, refuse_lossy_ids, typed_select
from toolkit.data.reading import raw_relation
from toolkit.data.sql import blocks, unreadable
from toolkit.data.vocabulary import map_words, vocabulary
from toolkit.errors import InputError
from toolkit.tables import CUSTOMER_ID, TABLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from toolkit.data.headers import SourceFile
    from toolkit.study import StudyFile, TableFile
    from toolkit.tables import Table


def load_tables(
    connection: duckdb.DuckDBPyConnection,
    settings: StudyFile,
    sources: Mapping[str, Sequence[Path] | pd.DataFrame],
    spill: Path,
) -> dict[str, list[SourceFile]]:
    """Make the clean relation of each table from its files or frame, and ``<table>_days``, its rows summed once.

    Text is parsed once into a table; Parquet is read through a view, only the columns that a question needs.

    Parameters
    ----------
    connection
        From `toolkit.data.engine.connect`.
    settings
        The study file.
    sources
        Table -> its files (all text or Excel, or all Parquet), or a pandas frame with one row per row of the table.
    spill
        Folder for what does not fit in memory.

    Returns
    -------
    dict of str to list of SourceFile
        Table -> what was found out about each of its files, in the order of the contract.

    Raises
    ------
    InputError
        See `toolkit.data.files.read_csv`, `toolkit.data.typed.parquet_mapping` and `toolkit.data.identity.people`.
    """
    merged = "identities" in sources
    files: dict[str, list[SourceFile]] = {}
    for name in sorted((name for name in TABLES if name in sources), key=lambda name: name != "identities"):
        try:
            files[name] = _load(connection, settings, TABLES[name], sources[name], spill=spill, merged=merged)
        except duckdb.Error as error:
            raise unreadable(name, error) from None
        if name == "identities":
            link(connection, settings)
    return {name: files[name] for name in TABLES if name in files}


def _load(
    connection: duckdb.DuckDBPyConnection,
    settings: StudyFile,
    table: Table,
    source: Sequence[Path] | pd.DataFrame,
    *,
    spill: Path,
    merged: bool,
) -> list[SourceFile]:
    name, spec = table.name, settings.tables[table.name]
    connection.execute(f"SET VARIABLE {name}_date_formats = $1", [date_formats(connection, spec)])
    connection.execute(f"SET VARIABLE {name}_exported_at = $1", [spec.exported_at])
    raw, sources, lazy = raw_relation(connection, spec, table, source, spill=spill)
    _refuse_other_count(raw, spec, sources)
    kinds = {column: str(kind) for column, kind in zip(raw.columns, raw.types, strict=True)}
    refuse_lossy_ids(raw, table, kinds)
    raw.create_view(f"{name}_raw", replace=True)
    if spec.fill_down:
        fill_down(connection, spec.fill_down, kinds)
    make = "VIEW" if lazy else "TABLE"
    connection.execute(f"CREATE OR REPLACE {make} {name}_plain AS {typed_select(table, spec, kinds)}")
    mapped = _words_are_mapped(table, kinds)
    if mapped:
        map_words(connection, settings, name)
    typed = _typed(table, mapped=mapped, merged=merged, with_currency="currency" in kinds)
    connection.execute(f"CREATE OR REPLACE VIEW {name}_typed AS {typed}")
    _find_repeats(connection, table, kinds, several_files=len(sources) > 1, merged=merged)
    statements = blocks("clean.sql") if name == "orders" else blocks("logs.sql")
    connection.execute(f"CREATE OR REPLACE {make} {name} AS {statements[name]}")
    connection.execute(f"CREATE OR REPLACE TABLE {name}_days AS {_days(table, kinds)}")
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


def _words_are_mapped(table: Table, kinds: dict[str, str]) -> bool:
    found = vocabulary(table.name)
    return found is not None and found[0] in kinds


def _typed(table: Table, *, mapped: bool, merged: bool, with_currency: bool) -> str:
    """Compose the view that adds words, the person behind an id and the study's currency to plain rows."""
    name = table.name
    replaced: list[str] = []
    added = ["words.word" if mapped else "CAST(NULL AS VARCHAR) AS word"]
    joins = ""
    found = vocabulary(name)
    if mapped and found is not None:
        joins += f" LEFT JOIN {name}_words AS words ON plain.{found[0]} = words.text"
    if table.has_customers and name != "identities":
        added.append("plain.customer_id AS own_id")
        if merged:
            joins += " LEFT JOIN people ON plain.customer_id = people.id"
            replaced.append("COALESCE(people.person, plain.customer_id) AS customer_id")
    if name == "customers" and merged:
        joins += " LEFT JOIN people AS referrers ON plain.referred_by = referrers.id"
        replaced.append("COALESCE(referrers.person, plain.referred_by) AS referred_by")
    if name == "orders" and with_currency:
        joins += " LEFT JOIN rates ON upper(plain.currency) = rates.currency"
        replaced += [f"{_exchanged(column)} AS {column}" for column in ("amount", "list_price")]
        added.append("is_own(plain.currency) OR rates.rate IS NOT NULL AS currency_known")
    elif name == "orders":
        added.append("TRUE AS currency_known")
    star = f"plain.* REPLACE ({', '.join(replaced)})" if replaced else "plain.*"
    return f"SELECT {star}, {', '.join(added)} FROM {name}_plain AS plain{joins}"  # noqa: S608 - canonical names


def _exchanged(column: str) -> str:
    changed = f"TRY_CAST(plain.{column} * rates.rate AS DECIMAL(18, 4))"
    return f"CASE WHEN rates.rate IS NULL THEN plain.{column} ELSE {changed} END"


def _find_repeats(
    connection: duckdb.DuckDBPyConnection, table: Table, kinds: dict[str, str], *, several_files: bool, merged: bool
) -> None:
    name = table.name
    if name == "orders":
        connection.execute(f"CREATE OR REPLACE VIEW order_days AS {blocks('clean.sql')['order_days']}")
    wanted = _repeats(connection, table, kinds, several_files=several_files, merged=merged)
    read = f"SELECT *, CAST(NULL AS VARCHAR) AS repeat FROM {name}_typed"  # noqa: S608 - a canonical name
    if wanted:
        found = " UNION ALL ".join(f"SELECT * FROM ({statement})" for statement in wanted)  # noqa: S608 - from our own files
        connection.execute(
            f"CREATE OR REPLACE TABLE {name}_repeats AS"  # noqa: S608 - a canonical name
            f" SELECT source_file, source_row, MIN(repeat) AS repeat"
            f" FROM ({found}) WHERE repeat IS NOT NULL GROUP BY source_file, source_row"
        )
        read = (
            f"SELECT {name}_typed.*, repeat FROM {name}_typed"  # noqa: S608 - a canonical name
            f" LEFT JOIN {name}_repeats USING (source_file, source_row)"
        )
    connection.execute(f"CREATE OR REPLACE VIEW {name}_read AS {read}")


def _repeats(
    connection: duckdb.DuckDBPyConnection, table: Table, kinds: dict[str, str], *, several_files: bool, merged: bool
) -> list[str]:
    """Return the statements that find rows which stand for nothing new."""
    ours, others = blocks("clean.sql"), blocks("logs.sql")
    if table.name == "orders":
        may_repeat = several_files and ("recorded_at" in kinds or _files_overlap(connection, table))
        wanted = [ours["repeated_orders"]] if may_repeat else []
        return [*wanted, ours["repeated_lines"]] if "line_id" in kinds else wanted
    if table.name == "customers":
        return [others["repeated_customers"], *([others["merged_customers"]] if merged else [])]
    wanted = [others["repeated_assignments"]] if table.name == "assignments" else []
    if table.when and several_files and _files_overlap(connection, table):
        content = ", ".join(column.name for column in table.columns)
        wanted.append(others["repeated_rows"].format(content=content, table=table.name, when=table.when))
    return wanted


def _files_overlap(connection: duckdb.DuckDBPyConnection, table: Table) -> bool:
    """Tell whether two files hold rows of one day: only then can a row stand in both."""
    spans = connection.execute(
        f"SELECT MIN(CAST({table.when} AS DATE)) AS first, MAX(CAST({table.when} AS DATE)) AS last"  # noqa: S608 - canonical names
        f" FROM {table.name}_typed WHERE {table.when} IS NOT NULL GROUP BY source_file ORDER BY first"
    ).fetchall()
    ends = accumulate((last for _, last in spans), max)
    return any(first <= end for (first, _), end in zip(spans[1:], ends, strict=False))


def _days(table: Table, kinds: dict[str, str]) -> str:
    statements = blocks("logs.sql")
    if table.name == "orders":
        days = blocks("clean.sql")["orders_days"]
        return days if "recorded_at" in kinds else days.replace("NULLIF(visible_day, day)", "CAST(NULL AS DATE)")
    if f"{table.name}_days" in statements:
        return statements[f"{table.name}_days"]
    has_money = any(column.name == "amount" for column in table.columns)
    return statements["days"].format(
        customer=CUSTOMER_ID if table.has_customers else "CAST(NULL AS VARCHAR)",
        amount="SUM(amount)" if has_money else "CAST(NULL AS DECIMAL(38, 4))",
        money="COUNT(amount)" if has_money else "CAST(0 AS BIGINT)",
        table=table.name,
    )
