"""Which header of an export is which canonical column."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import TYPE_CHECKING

from toolkit.errors import InputError
from toolkit.study import Constant, Multiply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.study import TableFile
    from toolkit.tables import Table


FIRST_CELL, RAGGED, SOURCE_FILE, SOURCE_ROW = "first_cell", "ragged", "source_file", "source_row"
"""What reading adds: the row's first cell, the raw text of a ragged row, the number of its file, its line there."""


@dataclass(frozen=True)
class SourceFile:
    """What was found out about one file while it was read.

    Attributes
    ----------
    name
        File name without its folder.
    digest
        SHA-256 of the bytes, or how to compute it: a large file is only read for it when it is asked for.
    encoding, delimiter
        As detected or stated; empty for Excel, Parquet and frames.
    sheet
        The sheet that was read; empty for all but Excel.
    repairs
        What was repaired, counted.
    mapping
        Canonical column -> header(s) of the file.
    constants
        Canonical column -> the value that the study file gives it in every row.
    dropped
        Headers that were not loaded.
    """

    name: str
    digest: str | Callable[[], str] = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    repairs: dict[str, int] = field(default_factory=dict)
    mapping: dict[str, tuple[str, ...]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the file."""
        return self.digest if isinstance(self.digest, str) else self.digest()


def constants_of(spec: TableFile) -> dict[str, str]:
    """Return the columns that the study file gives one value, and the value.

    Examples
    --------
    >>> from toolkit.study import TableFile
    >>> constants_of(TableFile(files=("nps.csv",), columns={"kind": {"constant": "nps"}, "score": "打分"}))
    {'kind': 'nps'}
    """
    return {name: said.constant for name, said in spec.columns.items() if isinstance(said, Constant)}


def map_columns(
    headers: Sequence[str], spec: TableFile, table: Table, where: str
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Find the header of each canonical column: as the study file says, else by name, else by alias.

    A column that the study file gives one value has no header.

    Returns
    -------
    tuple of dict and tuple
        Canonical column -> its header or headers, and the headers that are not used.

    Raises
    ------
    InputError
        A mapped header is not there or there twice, an alias is ambiguous, or a required column is missing.
    """
    mapping = _stated(headers, spec, table, where)
    taken = {header for name, used in mapping.items() for header in used if len(used) == 1}
    keys = {header: folded(header) for header in headers}
    for column in table.columns:
        if column.name in spec.columns:
            continue
        free = [header for header in headers if header not in taken]
        exact = [header for header in free if keys[header] == folded(column.name)]
        matches = exact or [header for header in free if keys[header] in _folded_aliases(column.aliases)]
        if len(set(matches)) > 1:
            raise InputError(
                "ambiguous-column",
                f"{column.name} could be any of: {', '.join(matches)}",
                where=where,
                hint=_snippet(table.name, column.name, matches[0]),
            )
        if matches:
            mapping[column.name] = (matches[0],)
            taken.add(matches[0])
        elif column.required:
            raise InputError(
                "missing-column",
                f"the required column {column.name} was not found; headers: {_listed(headers)}",
                where=where,
                hint=_snippet(table.name, column.name, _nearest_header(column.name, free)),
            )
    used = {header for group in mapping.values() for header in group}
    for header in used:
        if list(headers).count(header) > 1:
            raise InputError(
                "repeated-header",
                "two columns have the same name",
                where=where,
                column=header,
                hint="rename one of them",
            )
    return mapping, tuple(header for header in headers if header and header not in used)


def is_header(cells: Sequence[str], spec: TableFile, table: Table) -> bool:
    """Tell whether a row of cells names every required column, be it twice or doubtfully.

    Examples
    --------
    >>> from toolkit.study import TableFile
    >>> from toolkit.tables import TABLES
    >>> is_header(["渠道", "日期", "花费"], TableFile(files=("costs.csv",)), TABLES["costs"])
    True
    """
    if len(cells) < 2:
        return False
    try:
        map_columns(cells, spec, table, "")
    except InputError as error:
        return error.code in ("ambiguous-column", "repeated-header")
    return True


def _stated(headers: Sequence[str], spec: TableFile, table: Table, where: str) -> dict[str, tuple[str, ...]]:
    mapping: dict[str, tuple[str, ...]] = {}
    for name, said in spec.columns.items():
        if isinstance(said, Constant):
            continue
        wanted = said.multiply if isinstance(said, Multiply) else (said,) if said else ()
        for header in wanted:
            if header not in headers:
                raise InputError(
                    "missing-column",
                    f"the study file maps {name} to a header that is not there; found: {_listed(headers)}",
                    where=where,
                    column=header,
                    hint=_snippet(table.name, name, _nearest_header(header, headers)),
                )
        if wanted:
            mapping[name] = tuple(wanted)
        elif table.column(name).required:
            raise InputError(
                "missing-column",
                f"the study file leaves out {name}, which is required",
                where=where,
                column=name,
                hint=_snippet(table.name, name, _nearest_header(name, headers)),
            )
    return mapping


def _listed(headers: Sequence[str]) -> str:
    named = [header for header in headers if header]
    return ", ".join(named[:60]) + (f" and {len(named) - 60} more" if len(named) > 60 else "")


def folded(header: str) -> str:
    """Return a header as headers are compared: case, spaces, hyphens and underscores do not count."""
    return re.sub(r"[\s_\-]+", "", unicodedata.normalize("NFKC", header)).casefold()


@cache
def _folded_aliases(aliases: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(folded, aliases))


def _nearest_header(name: str, headers: Sequence[str]) -> str:
    keys = {folded(header): header for header in headers if header}
    close = difflib.get_close_matches(folded(name), keys, n=1, cutoff=0.4)
    return keys[close[0]] if close else "YOUR HEADER"


def _snippet(table: str, column: str, header: str) -> str:
    return f"tables: {{{table}: {{columns: {{{column}: {header}}}}}}}"
