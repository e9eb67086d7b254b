"""The engine: DuckDB in memory, which reads the study's folders and nothing else, and spills into a private folder."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from toolkit.data.memory import available
from toolkit.data.sql import blocks
from toolkit.study import CURRENCY_MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.study import StudyFile

SHARE_OF_MEMORY = 0.4
"""Of the memory that is free when a study is opened, how much the engine may hold before it spills."""

LEAST_MEMORY = 256
"""Megabytes that it takes however little is free."""


class Spill:
    """A folder of this study's own (mode 0700), gone with the study: what does not fit in memory stands there.

    Attributes
    ----------
    path
        The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="toolkit-study-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


def connect(settings: StudyFile, folders: Iterable[Path], spill: Path) -> duckdb.DuckDBPyConnection:
    """Open an in-memory engine that can read the study's folders and nothing else.

    Parameters
    ----------
    settings
        The study file; its policies become variables of the engine.
    folders
        Folders that hold the exports.
    spill
        Folder for what does not fit in memory.
    """
    connection = duckdb.connect(":memory:")
    connection.create_function("normal_text", _normal_text, ["VARCHAR"], "VARCHAR", type="arrow")  # type: ignore[call-overload]
    for name, value in _variables(settings).items():
        connection.execute(f"SET VARIABLE {name} = $1", [value])
    connection.execute(blocks("clean.sql")["macros"])
    exclude(connection, settings)
    rates = {code.upper(): rate for code, rate in settings.currency_rates.items()}
    connection.execute(
        "CREATE TABLE rates AS SELECT unnest($1::VARCHAR[]) AS currency, unnest($2::DOUBLE[]) AS rate",
        [list(rates), list(rates.values())],
    )
    connection.execute("SET temp_directory = $1", [str(spill / "engine")])
    if (free := available()) is not None:
        connection.execute("SET memory_limit = $1", [f"{max(int(free * SHARE_OF_MEMORY / 1e6), LEAST_MEMORY)}MB"])
    connection.execute("SET allowed_directories = $1", [[str(folder) for folder in (*folders, spill)]])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def exclude(connection: duckdb.DuckDBPyConnection, settings: StudyFile) -> None:
    """Tell the engine which customers are left out."""
    connection.execute(
        "SET VARIABLE exclude_customers = (SELECT list(clean_id(id)) FROM (SELECT unnest($1) AS id))",
        [list(settings.exclude_customers)],
    )


def _variables(settings: StudyFile) -> dict[str, object]:
    policies = settings.policies
    marks = "|".join(re.escape(mark) for mark in _marks(settings.currency))
    return {
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
    }


def _marks(currency: str) -> tuple[str, ...]:
    return tuple(sorted(CURRENCY_MARKS.get(currency, (currency,)), key=len, reverse=True))


def _normal_text(values: pa.ChunkedArray) -> pa.Array:
    text = pc.utf8_normalize(values, form="NFKC")
    text = pc.replace_substring_regex(text, r"[\x{200B}-\x{200F}\x{2060}\x{FEFF}\x{00AD}]", "")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s\x{00A0}]+", " "))
