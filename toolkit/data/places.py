"""Where the files of a table are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence


def find_files(folder: Path, patterns: Sequence[str], table: str) -> list[Path]:
    """Return the files that patterns name, relative to a folder, in the order of the patterns and then of their names.

    Raises
    ------
    InputError
        A pattern names none.
    ArgumentError
        Parquet files stand beside others.
    """
    paths: list[Path] = []
    for pattern in patterns:
        direct = Path(pattern) if Path(pattern).is_absolute() else folder / pattern
        matches = (
            [direct] if direct.exists() else sorted(folder.glob(pattern)) if not Path(pattern).is_absolute() else []
        )
        if not matches:
            raise InputError(
                "no-file", "there is no such file", where=pattern, hint=f"tables: {{{table}: {{files: YOUR FILE}}}}"
            )
        paths += matches
    kinds = {path.suffix.lower() for path in paths}
    if ".parquet" in kinds and len(kinds) > 1:
        raise ArgumentError("mixed-files", f"{table} mixes Parquet with other files", hint="give one kind per table")
    return paths
