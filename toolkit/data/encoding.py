"""Bytes of an export -> text: what the file really is, which encoding it has, and where it is damaged."""

from __future__ import annotations

from toolkit.errors import InputError


def refuse_other_formats(data: bytes, where: str) -> None:
    if not data.strip():
        raise InputError("empty-file", f"the file is empty ({len(data)} bytes)", where=where, hint="export it again")
    head = data[:512].lstrip().lower()
    if data[:2] == b"PK" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise InputError(
            "not-text",
            "this is an Excel or zip file, not CSV",
            where=where,
            hint="save it as CSV UTF-8 and give that",
        )
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise InputError(
            "not-text",
            "this is an HTML or XML file, not CSV",
            where=where,
            hint="open it in Excel, save it as CSV UTF-8",
        )


def decode(data: bytes, where: str, stated: str | None) -> tuple[str, str]:
    if stated:
        try:
            return data.decode(stated).removeprefix("\ufeff"), stated
        except (UnicodeDecodeError, LookupError):
            raise InputError(
                "encoding",
                f"the file is not {stated}",
                where=where,
                hint="remove encoding: from the study file",
            ) from None
    for mark, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(name), name
            except UnicodeDecodeError as error:
                raise _bad_byte(data, error.start, name, where) from None
    if b"\x00" in data[:4096]:
        raise InputError(
            "encoding",
            "the file holds zero bytes: it looks like UTF-16 without its mark",
            where=where,
            hint="encoding: utf-16-le",
        )
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        utf8_failure = error.start
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise _bad_byte(data, utf8_failure, "utf-8 nor GB18030 throughout", where) from None
    _refuse_mixed(data, where)
    return text, "gb18030"


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
    as_utf8 = [number for number, line in beyond_ascii if _is_utf8(line)]
    if len(as_utf8) > 0.05 * len(beyond_ascii):
        raise InputError(
            "encoding",
            "the file holds lines of UTF-8 and lines of GB18030",
            where=f"{where}:{as_utf8[0]}",
            count=len(as_utf8),
            hint="export the parts apart and list both under files:",
        )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
