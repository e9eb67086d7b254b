"""How much memory and disk are left, so that a file too large for either is met before it is read."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyarrow.parquet as pq

from toolkit.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

PEAK_PER_BYTE = 7
"""Bytes of memory held at most for one byte of text until it is read and typed."""
DISK_PER_BYTE = 1.0
"""Bytes of disk taken by one byte of text that is set aside as Parquet; real exports take half of it."""


def available() -> int | None:
    """Return the bytes that can be taken without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def fits(size: int) -> bool:
    """Tell whether text of this many bytes can be held in memory."""
    left = available()
    return left is None or size * PEAK_PER_BYTE <= left


def refuse_larger_than_disk(size: int, folder: Path, where: str) -> None:
    """Refuse text that cannot be set aside.

    Parameters
    ----------
    size
        Its bytes.
    folder
        Where it would be set aside.
    where
        File or files, for the message.

    Raises
    ------
    InputError
        With the estimate and a way round.
    """
    needed, left = size * DISK_PER_BYTE, shutil.disk_usage(folder).free
    if needed > left:
        raise InputError(
            "too-large",
            f"it fits neither in memory nor on the disk: setting it aside takes about {needed / 1e9:,.1f} GB,"
            f" and {left / 1e9:,.1f} GB are free",
            where=where,
            hint="set TMPDIR to a folder on a larger disk, or export it as Parquet, which is read where it stands",
        )


class Aside:
    """Rows of one file, set aside as Parquet while it is read; the file is gone if that fails.

    Parameters
    ----------
    path
        The Parquet file to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is not None:
            with suppress(OSError):
                self._writer.close()
        if kind is not None:
            self.path.unlink(missing_ok=True)

    def keep(self, rows: pa.Table) -> None:
        """Write some rows.

        Raises
        ------
        InputError
            The disk is full.
        """
        try:
            if self._writer is None:
                self._writer = pq.ParquetWriter(self.path, rows.schema)
            self._writer.write_table(rows)
        except OSError as error:
            raise InputError(
                "too-large", f"its rows cannot be set aside ({error.strerror or 'the disk is full'})",
                where=self.path.parent.name, hint="set TMPDIR to a folder on a larger disk",
            ) from None  # fmt: skip
