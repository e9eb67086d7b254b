"""Bytes of an export -> text: what the file really is, which encoding it has, and where it is damaged."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

from toolkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Source: TypeAlias = "Callable[[], BinaryIO]"
"""Opens the bytes of a file anew each time it is called."""

PIECE = 1 << 22
"""Bytes that are decoded at once."""

_OTHER_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "a zip file", "unpack it and give what is in it"),
    (b"\xd0\xcf\x11\xe0", "an Excel file of the old kind, or one with a password", "save it as .xlsx without password"),
    (b"\x1f\x8b", "a gzip file", "give it the ending .csv.gz"),
    (b"PAR1", "a Parquet file", "give it the ending .parquet"),
    (b"%PDF", "a PDF", "export it as CSV UTF-8"),
    (b"SQLite format 3", "a SQLite database", "export the table as CSV UTF-8"),
)
_TWO_HIGH_BYTES = re.compile(rb"[\x80-\xff]{2}")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def refuse_other_formats(head: bytes, where: str) -> None:
    """Refuse a file that only has the name of a text file.

    Parameters
    ----------
    head
        How the file begins, a few thousand bytes.
    where
        File, for the message.

    Raises
    ------
    InputError
        With what the file is, and what to do with it.
    """
    if head.startswith(b"PK\x03\x04") and (b"[Content_Types].xml" in head or b"xl/" in head):
        raise InputError(
            "not-text",
            "this is an Excel file, not CSV",
            where=where,
            hint="give it the ending .xlsx, or save it as CSV",
        )
    for start, name, hint in _OTHER_FORMATS:
        if head.startswith(start):
            raise InputError("not-text", f"this is {name}, not CSV", where=where, hint=hint)
    text = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise InputError(
            "not-text",
            "this is an HTML or XML file, not CSV",
            where=where,
            hint="open it in Excel, save it as CSV UTF-8",
        )


def decode(data: bytes, where: str, stated: str | None) -> tuple[str, str]:
    """Return the text of bytes and their encoding; see `detect`."""
    name = detect(lambda: io.BytesIO(data), where, stated)
    return data.decode(name).replace("\ufeff", ""), name


def texts(source: Source, encoding: str, advance: Callable[[int], object]) -> Iterator[str]:
    r"""Yield the text piece by piece, without byte order marks, each line end as ``\n``.

    Parameters
    ----------
    source
        The file.
    encoding
        From `detect`.
    advance
        Is told the size of every piece, in bytes.

    Examples
    --------
    >>> "".join(texts(lambda: io.BytesIO("\ufeff甲\r\n乙\r".encode("utf-16-le")), "utf-16-le", lambda size: None))
    '甲\n乙\n'
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = io.IncrementalNewlineDecoder(None, translate=True)
    with source() as handle:
        while data := handle.read(PIECE):
            yield lines.decode(decoder.decode(data).replace("\ufeff", ""))
            advance(len(data))
    yield lines.decode(decoder.decode(b"", final=True).replace("\ufeff", ""), final=True)


def detect(source: Source, where: str, stated: str | None, advance: Callable[[int], object] = int) -> str:
    """Return the encoding of a file: as stated, else by its mark, else UTF-8, else GB18030, each strictly throughout.

    Parameters
    ----------
    source
        The file; all of it is read, piece by piece.
    where
        File, for the message.
    stated
        What the study file says.
    advance
        Is told the size of every piece that was read, in bytes.

    Raises
    ------
    InputError
        The file is none of these throughout, holds two encodings or zero bytes, or is empty.
    """
    look = _Look(source, advance)
    name, seen = _stated(look, where, stated) if stated else _detected(look, where)
    if seen.empty:
        raise InputError("empty-file", f"the file is empty ({seen.size} bytes)", where=where, hint="export it again")
    if seen.zeros:
        raise InputError(
            "encoding",
            "the file holds zero bytes",
            where=f"{where}:{seen.line_of_zero}",
            count=seen.zeros,
            hint="export it again, or remove them",
        )
    return name


class _UndecodableError(Exception):
    """The byte at which a file stops to be of an encoding."""

    def __init__(self, at: int) -> None:
        self.at = at


@dataclass
class _Seen:
    """What a file of some encoding holds."""

    size: int = 0
    lines: int = 0
    empty: bool = True
    zeros: int = 0
    line_of_zero: int = 0

    def add(self, text: str) -> None:
        self.empty = self.empty and (not text or text.isspace())
        if "\x00" in text:
            self.line_of_zero = self.line_of_zero or self.lines + text.count("\n", 0, text.index("\x00")) + 1
            self.zeros += text.count("\x00")
        self.lines += text.count("\n")


@dataclass(frozen=True)
class _Look:
    """Reads a whole file as text of an encoding."""

    source: Source
    advance: Callable[[int], object]

    def head(self) -> bytes:
        with self.source() as handle:
            return handle.read(4096)

    def through(self, encoding: str, *, unicode_only: bool = False) -> _Seen:
        """Decode all of it strictly; with ``unicode_only`` half characters are refused too."""
        decoder = codecs.getincrementaldecoder(encoding)()
        seen = _Seen()
        with self.source() as handle:
            while True:
                data = handle.read(PIECE)
                try:
                    text = decoder.decode(data, final=not data).replace("\ufeff", "")
                    if unicode_only:
                        text.encode("utf-8")
                except UnicodeDecodeError as error:
                    raise _UndecodableError(seen.size + len(data) - len(error.object) + error.start) from None
                seen.add(text)
                if not data:
                    return seen
                seen.size += len(data)
                self.advance(len(data))


def _stated(look: _Look, where: str, stated: str) -> tuple[str, _Seen]:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=stated)
        return stated, look.through(stated, unicode_only=True)
    except (ValueError, LookupError, _UndecodableError):
        raise InputError(
            "encoding",
            f"the file is not {stated}",
            where=where,
            hint="remove encoding: from the study file",
        ) from None


def _detected(look: _Look, where: str) -> tuple[str, _Seen]:
    head = look.head()
    for mark, name in _MARKS:
        if head.startswith(mark):
            try:
                return name, look.through(name)
            except _UndecodableError as fault:
                raise _bad_byte(look, fault.at, name, where) from None
    if head.count(0) > len(head) / 5:
        raise InputError(
            "encoding",
            "the file holds zero bytes: it looks like UTF-16 without its mark",
            where=where,
            hint=f"encoding: utf-16-{'le' if head[1::2].count(0) > head[::2].count(0) else 'be'}",
        )
    try:
        return "utf-8", look.through("utf-8")
    except _UndecodableError as fault:
        utf8_fault = fault.at
    try:
        seen = look.through("gb18030")
    except _UndecodableError:
        _refuse_mixed(look, where)
        raise _bad_byte(look, utf8_fault, "UTF-8, nor is the file GB18030 throughout", where) from None
    _refuse_mixed(look, where, western=True)
    return "gb18030", seen


def _bad_byte(look: _Look, at: int, name: str, where: str) -> InputError:
    line, left = 1, at
    with look.source() as handle:
        while left and (data := handle.read(min(left, PIECE))):
            line += data.count(b"\n")
            left -= len(data)
    return InputError(
        "encoding",
        f"byte {at + 1} is not {name}: two encodings in one file, or a damaged one",
        where=f"{where}:{line}",
        hint="export it again, or state encoding: in the study file, such as cp1252 or big5",
    )


def _refuse_mixed(look: _Look, where: str, *, western: bool = False) -> None:
    """Refuse GB18030 with UTF-8 lines in it: such lines decode without an error, into nonsense.

    With ``western``, refuse what only looks like GB18030 because an accented letter stands before a plain one, too: a
    common Chinese character has two bytes beyond ASCII.
    """
    beyond_ascii = as_utf8 = chinese = first = first_utf8 = 0
    with look.source() as handle:
        for number, line in enumerate(handle, 1):
            if line.isascii():
                continue
            beyond_ascii += 1
            chinese += bool(_TWO_HIGH_BYTES.search(line))
            if _is_cjk_utf8(line):
                as_utf8 += 1
                first_utf8 = first_utf8 or number
            else:
                first = first or number
    if as_utf8 > 0.005 * beyond_ascii:
        rest = beyond_ascii - as_utf8
        raise InputError(
            "encoding",
            "the file holds lines of UTF-8 and lines of GB18030",
            where=f"{where}:{first if 0 < rest < as_utf8 else first_utf8}",
            count=rest if 0 < rest < as_utf8 else as_utf8,
            hint="export the parts apart and list both under files:",
        )
    if western and chinese < beyond_ascii / 2:
        raise InputError(
            "encoding",
            "the file looks like a Western encoding, not like a Chinese one",
            where=f"{where}:{first}",
            count=beyond_ascii,
            hint="encoding: cp1252  or, if it is Chinese all the same,  encoding: gb18030",
        )


def _is_cjk_utf8(line: bytes) -> bool:
    """Tell a line of UTF-8 from one of GB18030; a pair such as that of 联通 passes as two-byte UTF-8 by chance."""
    try:
        return any(character >= "\u0800" for character in line.decode("utf-8"))
    except UnicodeDecodeError:
        return False
