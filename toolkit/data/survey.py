"""A folder of exports: which files are alike, what each kind is taken for, and which are read."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from toolkit.data.peek import KINDS, ROWS_LOOKED_AT, Sample, peek
from toolkit.data.recognise import Recognised, recognise
from toolkit.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_OWN = {"study.yaml", "quarantine.csv"}
_RANK = {"sure": 2, "likely": 1, "unsure": 0}


@dataclass(frozen=True)
class Kind:
    """Files (or sheets) that are alike.

    Attributes
    ----------
    found
        What they were taken for, looking at all of them together.
    names
        Their names, relative to the folder.
    files
        What ``files:`` of the study file says: one pattern where it matches just these, else the names.
    """

    found: Recognised
    names: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def label(self) -> str:
        """The files and, in a workbook of several sheets, the sheet."""
        sheet = f" [{self.found.sample.sheet}]" if self.found.sample.sheets > 1 else ""
        return f"{', '.join(self.files)}{sheet}"


@dataclass(frozen=True)
class Survey:
    """What was found in a folder.

    Attributes
    ----------
    tables
        Table -> the files that are taken for it.
    rivals
        Files that look like a table that better ones were found for.
    unknown
        Files that are no table that is known.
    ignored
        File -> why it was not looked at.
    """

    folder: Path
    tables: dict[str, Kind]
    rivals: tuple[Kind, ...] = ()
    unknown: tuple[Kind, ...] = ()
    ignored: dict[str, str] = field(default_factory=dict)


def survey(folder: Path) -> Survey:
    """Look at every export in a folder and in the folders right below it.

    Raises
    ------
    ArgumentError
        It is no folder.
    InputError
        It holds no export, or none that could be orders.
    """
    if not folder.is_dir():
        raise ArgumentError("no-folder", "there is no such folder", where=str(folder), hint="toolkit init FOLDER")
    ignored: dict[str, str] = {}
    samples: dict[tuple[object, ...], list[Sample]] = {}
    paths = _files(folder)
    for path in paths:
        name = _name(path, folder)
        if not path.name.lower().endswith(KINDS):
            old = " (save it as .xlsx in Excel)" if path.suffix.lower() == ".xls" else ""
            ignored[name] = f"not CSV, TSV, TXT, XLSX or Parquet{old}"
            continue
        try:
            for sample in peek(path):
                key = (sample.headers, path.suffix.lower() == ".parquet", _is_excel(path), sample.sheet)
                samples.setdefault(key, []).append(sample)
        except InputError as error:
            ignored[name] = error.what
    kinds = [_kind(folder, alike, paths) for alike in samples.values()]
    tables: dict[str, Kind] = {}
    rivals: list[Kind] = []
    for kind in sorted(kinds, key=_worth, reverse=True):
        if kind.found.table and kind.found.table not in tables:
            tables[kind.found.table] = kind
        elif kind.found.table:
            rivals.append(kind)
    found = Survey(folder, tables, tuple(rivals), tuple(kind for kind in kinds if not kind.found.table), ignored)
    if "orders" not in tables:
        raise _no_orders(found)
    return found


def _files(folder: Path) -> list[Path]:
    try:
        here = sorted(folder.iterdir())
        below = [
            inner
            for path in here
            if path.is_dir() and not path.name.startswith(".")
            for inner in sorted(path.iterdir())
        ]
    except OSError:
        raise ArgumentError(
            "no-folder", "the folder cannot be read", where=str(folder), hint="check its permissions"
        ) from None
    return [
        path
        for path in (*here, *below)
        if path.is_file() and not path.name.startswith((".", "~$")) and path.name not in _OWN
    ]


def _kind(folder: Path, alike: Sequence[Sample], paths: Iterable[Path]) -> Kind:
    names = tuple(_name(sample.path, folder) for sample in alike)
    each = max(1, ROWS_LOOKED_AT // len(alike))
    first = alike[0]
    if len(alike) > 1:
        shared = [header for header in first.columns if all(header in sample.columns for sample in alike)]
        first = replace(
            first,
            columns={
                header: tuple(value for sample in alike for value in sample.columns[header][:each]) for header in shared
            },
            rows=sum(min(sample.rows, each) for sample in alike),
            whole=all(sample.whole and sample.rows <= each for sample in alike),
        )
    return Kind(recognise(first), names, _pattern(names, {_name(path, folder) for path in paths}, folder))


def _pattern(names: Sequence[str], others: set[str], folder: Path) -> tuple[str, ...]:
    """Return one pattern that matches these files and no other, else their names."""
    if len(names) == 1:
        return tuple(names)
    shortest = min(map(len, names))
    start = next((n for n in range(shortest) if len({name[n] for name in names}) > 1), shortest)
    rest = min(len(name) - start for name in names)
    end = next((n for n in range(rest) if len({name[-n - 1] for name in names}) > 1), rest)
    pattern = f"{names[0][:start]}*{names[0][len(names[0]) - end :] if end else ''}"
    if any(sign in pattern.replace("*", "", 1) for sign in "*?[") or (folder / pattern).exists():
        return tuple(names)
    matched = {_name(path, folder) for path in folder.glob(pattern) if path.is_file()}
    return (pattern,) if matched == set(names) and matched <= others else tuple(names)


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _is_excel(path: Path) -> bool:
    return path.suffix.lower().startswith(".xls")


def _worth(kind: Kind) -> tuple[int, bool, int]:
    found = kind.found
    return _RANK[found.sure], found.preset is not None, found.sample.rows


def _no_orders(found: Survey) -> InputError:
    seen = [f"{kind.label} ({table})" for table, kind in found.tables.items()]
    seen += [f"{kind.label} ({_unknown(kind)})" for kind in found.unknown]
    seen += [f"{name} ({why})" for name, why in found.ignored.items()]
    return InputError(
        "no-orders",
        "no file looks like orders, which have a customer, a date and an amount;"
        f" looked at: {'; '.join(seen[:8]) or 'none'}",
        where=str(found.folder),
        hint="put an export of orders (CSV, TSV, TXT, XLSX or Parquet) into the folder, then toolkit init again",
    )


def _unknown(kind: Kind) -> str:
    headers = kind.found.sample.headers
    twice = sorted({header for header in headers if header and headers.count(header) > 1})
    return f"no table that is known{f'; the header {twice[0]} is there twice' if twice else ''}"


def describe(found: Survey) -> str:
    """Say per file what it was taken for and how sure that is, as text for a terminal."""
    lines: list[str] = []
    for kind in (*found.tables.values(), *found.rivals, *found.unknown):
        taken = kind.found
        known = f" ({taken.preset.zh} / {taken.preset.en})" if taken.preset else ""
        what = f"{taken.table}, {taken.sure}{known}" if taken.table else f"{_unknown(kind)}: not loaded"
        if kind in found.rivals:
            what += f"; not loaded, {taken.table} are read from {found.tables[taken.table].label}"
        lines.append(f"  {kind.label}: {what}")
        rows = f"{taken.sample.rows:,} rows" if taken.sample.whole else f"the first {taken.sample.rows:,} rows"
        lines.append(f"      {rows}, header in row {taken.sample.header_row}, {len(kind.names)} file(s)")
        if kind in found.tables.values():
            lines += _columns(taken)
    lines += [f"  {name}: ignored, {why}" for name, why in found.ignored.items()]
    return "\n".join(lines)


def _columns(taken: Recognised) -> list[str]:
    lines: list[str] = []
    for column, choice in taken.columns.items():
        others = f"; could also be {', '.join(choice.others)}" if choice.others else ""
        unsure = "unsure: " if choice.unsure else ""
        lines.append(f"      {unsure}{' x '.join(choice.headers)} -> {column} (by {choice.why}{others})")
    lines += [f"      nothing -> {column}: say in the study file which column it is" for column in taken.missing]
    if taken.personal:
        lines.append(f"      not loaded, personal: {', '.join(taken.personal)}")
    return lines
