"""Bytes of an export -> text: what the file really is, which encoding it has, and where it is damaged."""

from __future__ import annotations

from toolkit.errors import InputError

_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "an Excel or zip file"),
    (b"\xd0\xcf\x11\xe0", "an Excel or zip file of the old kind"),
    (b"\x1f\x8b", "a gzip file"),
    (b"PAR1", "a Parquet file without the ending .parquet"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3", "a SQLite database"),
)
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def refuse_other_formats(data: bytes, where: str) -> None:
    """Refuse an empty file, and one that only has the name of a text file.

    Raises
    ------
    InputError
        With what the file is.
    """
    if not data.strip():
        raise _empty(data, where)
    for start, name in _OTHER_FORMATS:
        if data.startswith(start):
            raise InputError(
                "not-text", f"this is {name}, not CSV", where=where, hint="save it as CSV UTF-8 and give that"
            )
    head = data[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise InputError(
            "not-text",
            "this is an HTML or XML file, not CSV",
            where=where,
            hint="open it in Excel, save it as CSV UTF-8",
        )


def decode(data: bytes, where: str, stated: str | None) -> tuple[str, str]:
    """Return the text of a file and its encoding: as stated, else by its mark, else UTF-8, else GB18030, each strictly.

    Raises
    ------
    InputError
        The file is none of these throughout, holds two encodings or zero bytes, or is empty.
    """
    text, name = _stated(data, where, stated) if stated else _detected(data, where)
    text = text.replace("\ufeff", "")
    if not text.strip():
        raise _empty(data, where)
    if "\x00" in text:
        raise InputError(
            "encoding",
            "the file holds zero bytes",
            where=f"{where}:{text.count(chr(10), 0, text.index(chr(0))) + 1}",
            count=text.count("\x00"),
            hint="export it again, or remove them",
        )
    return text, name


def _stated(data: bytes, where: str, stated: str) -> tuple[str, str]:
    try:
        text = data.decode(stated)
        text.encode("utf-8")
    except (ValueError, LookupError):
        raise InputError(
            "encoding",
            f"the file is not {stated}",
            where=where,
            hint="remove encoding: from the study file",
        ) from None
    return text, stated


def _detected(data: bytes, where: str) -> tuple[str, str]:
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(name), name
            except UnicodeDecodeError as error:
                raise _bad_byte(data, error.start, name, where) from None
    head = data[:4096]
    if head.count(0) > len(head) / 5:
        raise InputError(
            "encoding",
            "the file holds zero bytes: it looks like UTF-16 without its mark",
            where=where,
            hint=f"encoding: utf-16-{'le' if head[1::2].count(0) > head[::2].count(0) else 'be'}",
        )
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        utf8_failure = error.start
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        _refuse_mixed(data, where)
        raise _bad_byte(data, utf8_failure, "UTF-8, nor is the file GB18030 throughout", where) from None
    _refuse_mixed(data, where)
    return text, "gb18030"


def _empty(data: bytes, where: str) -> InputError:
    return InputError("empty-file", f"the file is empty ({len(data)} bytes)", where=where, hint="export it again")


def _bad_byte(data: bytes, at: int, name: str, where: str) -> InputError:
    line = data.count(b"\n", 0, at) + 1
    return InputError(
        "encoding",
        f"byte {at + 1} is not {name}: two encodings in one file, or a damaged one",
        where=f"{where}:{line}",
        hint="export it again, or state encoding: in the study file",
    )


def _refuse_mixed(data: bytes, where: str) -> None:
    """Refuse GB18030 with UTF-8 lines in it: such lines decode without an error, into nonsense."""
    beyond_ascii = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if not line.isascii()]
    as_utf8 = {number for number, line in beyond_ascii if _is_cjk_utf8(line)}
    if len(as_utf8) > 0.005 * len(beyond_ascii):
        rest = [number for number, _ in beyond_ascii if number not in as_utf8]
        fewer = rest if 0 < len(rest) < len(as_utf8) else sorted(as_utf8)
        raise InputError(
            "encoding",
            "the file holds lines of UTF-8 and lines of GB18030",
            where=f"{where}:{fewer[0]}",
            count=len(fewer),
            hint="export the parts apart and list both under files:",
        )


def _is_cjk_utf8(line: bytes) -> bool:
    """Tell a line of UTF-8 from one of GB18030; a pair such as that of 联通 passes as two-byte UTF-8 by chance."""
    try:
        return any(character >= "\u0800" for character in line.decode("utf-8"))
    except UnicodeDecodeError:
        return False
