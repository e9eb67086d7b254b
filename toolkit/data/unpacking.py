"""Packed files: how large they are once unpacked, refused before they are where that is out of proportion."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from functools import partial
from typing import TYPE_CHECKING, cast

from toolkit.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from toolkit.data.encoding import Source

RATIO = 200
"""How many times its size a file may hold; a table of one repeated line reaches about 100 in a workbook."""
HARMLESS = 1 << 27
"""Bytes that may be unpacked whatever the ratio."""
_CHUNK = 1 << 20


def source_of(path: Path) -> Source:
    """Return what opens the bytes of a text file, unpacked where its name ends in ``.gz``."""
    return partial(_unpacked if path.suffix.lower() == ".gz" else _plain, path)


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, unpacked.

    Raises
    ------
    InputError
        It is packed and damaged, or unpacks to more than `RATIO` times its size.
    """
    packed = path.stat().st_size
    if path.suffix.lower() == ".gz":
        return _size_of_gzip(path, packed)
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _size_of_zip(path, packed)
    return packed


def _plain(path: Path) -> BinaryIO:
    return path.open("rb")


def _unpacked(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path))


def _size_of_gzip(path: Path, packed: int) -> int:
    size = 0
    try:
        with _unpacked(path) as handle:
            while data := handle.read(_CHUNK):
                size += len(data)
                _refuse_bomb(size, packed, path.name)
    except (EOFError, OSError, zlib.error):
        raise InputError(
            "damaged-gzip", "the file is damaged, cut off or no gzip file", where=path.name,
            hint="download it again, or unpack it and give the CSV",
        ) from None  # fmt: skip
    return size


def _size_of_zip(path: Path, packed: int) -> int:
    with path.open("rb") as handle:
        start = handle.read(4)
    if not packed:
        raise InputError("empty-file", "the file is empty (0 bytes)", where=path.name, hint="export it again")
    if start == b"\xd0\xcf\x11\xe0":
        raise InputError(
            "not-excel", "it has a password, or is an Excel file of the old kind", where=path.name,
            hint="open it in Excel and save it as .xlsx without password",
        )  # fmt: skip
    if not start.startswith(b"PK"):
        raise InputError(
            "not-excel", "this is no Excel workbook, whatever its name says", where=path.name,
            hint="give it the ending .csv if it is text, or open it in Excel and save it as .xlsx",
        )  # fmt: skip
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise InputError(
            "damaged-excel", "the workbook is damaged or cut off", where=path.name, hint="download or export it again"
        ) from None
    _refuse_bomb(size, packed, path.name)
    return size


def _refuse_bomb(size: int, packed: int, where: str) -> None:
    if size > HARMLESS and size > RATIO * packed:
        raise InputError(
            "too-packed", f"the file unpacks to more than {RATIO} times its size and may be an attack", where=where,
            hint="export it again as plain CSV",
        )  # fmt: skip
