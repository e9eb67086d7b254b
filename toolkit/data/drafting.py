"""A survey of exports -> the text of study.yaml, with every guess marked."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import yaml

from toolkit.data.contents import date_formats
from toolkit.data.policies import filled_down, policy_lines, status_lines
from toolkit.data.recognise import ENOUGH_FILLED
from toolkit.errors import ArgumentError, StudyFileError
from toolkit.study import CURRENCY_MARKS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.data.recognise import Choice, Recognised
    from toolkit.data.survey import Kind, Survey

ASK = '"?"'
_CHINESE_ZONES = ("Asia/Shanghai", "Asia/Chongqing", "Asia/Urumqi", "Asia/Harbin", "PRC")


def draft(found: Survey, *, timezone: str | None = None, currency: str | None = None) -> str:
    """Write the study file of a survey.

    Parameters
    ----------
    found
        What was found in the folder.
    timezone, currency
        Where they are not given the file asks for them: they are not assumed.

    Returns
    -------
    str
        YAML that `toolkit.study.read_study_file` accepts once the time zone and the currency are there.

    Raises
    ------
    ArgumentError
        The time zone is unknown, or the currency is not three letters.
    """
    _refuse_unknown(timezone, currency)
    orders = found.tables["orders"].found
    chinese = any(re.search(r"[\u4e00-\u9fff]", header) for header in orders.sample.headers)
    lines = [
        "# Written by `toolkit init` from what it saw. Every guess is marked:",
        '#   "unsure:" look at it once;  "could also be:" another column of the export that would fit.',
        f"# Next: {'' if timezone and currency else 'set timezone and currency, then '}toolkit check on this file.",
        "",
        f"name: {_slug(found.folder.resolve().name)}",
        *_asked(found, timezone, currency),
        f"language: {'zh' if chinese else 'en'}",
        "",
        "tables:",
    ]
    for table, kind in found.tables.items():
        lines += _table(table, kind)
    for kind in found.rivals:
        lines += _comment(f"also looks like {kind.found.table}, not loaded: {kind.label}", "  ")
    for kind in found.unknown:
        lines += _comment(f"no table that is known, not loaded: {kind.label}", "  ")
    lines += ["", *policy_lines(orders), *status_lines(orders)]
    if orders.preset and orders.preset.amount_basis and not orders.columns["amount"].unsure:
        lines.append(f"amount_basis: {quoted(orders.preset.amount_basis)}")
    if orders.preset and orders.preset.guests:
        lines.append(f"exclude_customers: [{', '.join(quoted(guest, always=True) for guest in orders.preset.guests)}]")
    lines += _holidays(timezone, currency, chinese=chinese)
    return "\n".join(lines) + "\n"


def write_draft(path: Path, text: str) -> Path:
    """Write a new study file; one that is there is never touched.

    Raises
    ------
    StudyFileError
        There is one already, or the folder cannot be written to.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise StudyFileError(
            "study-exists",
            "there is a study file already, and it is not overwritten",
            where=str(path),
            hint=f"toolkit check {path}   (to start again, move it away first)",
        ) from None
    except OSError:
        raise StudyFileError(
            "study-write", "the study file cannot be written", where=str(path), hint="make the folder writable"
        ) from None
    return path


def quoted(text: str, *, always: bool = False) -> str:
    """Return text as YAML writes it, in quotes where it could be taken for something else.

    Examples
    --------
    >>> quoted("订单编号"), quoted("a: b"), quoted("007")
    ('订单编号', '"a: b"', '"007"')
    """
    safe = re.fullmatch(r"[A-Za-z_\u4e00-\u9fff][\w \u4e00-\u9fff()（）./-]*", text) and not text.endswith(" ")
    if safe and not always and yaml.safe_load(text) == text:
        return text
    return str(yaml.dump(text, allow_unicode=True, default_style='"', width=1_000_000)).strip()


def _refuse_unknown(timezone: str | None, currency: str | None) -> None:
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise ArgumentError(
                "timezone", f"unknown time zone {timezone!r}", hint="--timezone Asia/Shanghai"
            ) from None
    if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency):
        raise ArgumentError("currency", f"{currency!r} is not three capital letters", hint="--currency CNY")


def _slug(folder: str) -> str:
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")[:64]
    return quoted(slug) if slug else "study"


def _asked(found: Survey, timezone: str | None, currency: str | None) -> list[str]:
    """Return the two lines that only the analyst can know."""
    seen = ", ".join(_currencies(found.tables["orders"].found))
    hint = f"; seen in the export: {seen}" if seen else ""
    zone = f"{ASK}  # ASK: type the zone in which the shop's days begin, such as Asia/Shanghai or America/New_York"
    money = f"{ASK}  # ASK: type three capital letters, such as CNY, USD or EUR{hint}"
    return [f"timezone: {timezone or zone}", f"currency: {currency or money}"]


def _currencies(found: Recognised) -> list[str]:
    """Return currency codes and marks that the export itself shows."""
    texts = [found.sample.columns[header][:200] for header in found.columns["amount"].headers]
    marks = {mark for known in CURRENCY_MARKS.values() for mark in known}
    seen = {mark for values in texts for text in values for mark in marks if mark in text}
    left = found.left_out.get("currency")
    if left and left[0] in found.sample.columns:
        seen |= {text for text in set(found.sample.columns[left[0]]) if re.fullmatch(r"[A-Z]{3}", text)}
    return sorted(seen, key=len, reverse=True)[:4]


def _table(table: str, kind: Kind) -> list[str]:
    found, sample = kind.found, kind.found.sample
    lines = [f"  {table}:"]
    looked = f"{sample.rows:,} rows" if sample.whole else f"the first {sample.rows:,} rows only"
    lines += _comment(f"{found.sure}; looked at {looked} of {len(kind.names)} file(s)", "    ")
    if found.preset:
        known = "its headers are known" if found.preset.headers_known else "UNSURE: ITS REAL HEADERS ARE NOT KNOWN"
        lines += _comment(f"taken for: {found.preset.zh} / {found.preset.en}; {known} ({found.preset.source})", "    ")
        for note in found.preset.notes:
            lines += _comment(f"note: {note}", "    ")
    files = ", ".join(quoted(file) for file in kind.files)
    lines.append(f"    files: {files if len(kind.files) == 1 else f'[{files}]'}")
    if sample.sheets > 1:
        lines.append(f"    sheet: {quoted(sample.sheet)}")
    lines += _formats(found)
    if table == "orders" and (filled := filled_down(found)):
        lines.append(f"    fill_down: [{', '.join(filled)}]  # on an order's first row only; holds for all")
    lines.append("    columns:")
    lines += [_column(found, column, choice) for column, choice in found.columns.items()]
    for column, (header, why) in found.left_out.items():
        personal = next(
            (one for one, kind_ in found.personal.items() if kind_ in ("telephone", "e-mail", "account")), ""
        )
        if column == "customer_id":
            lines += _no_customer(header, why, personal)
        else:
            lines.append(f"      {column}: null  # {_shown(header)}: {why}")
    if found.personal:
        shown = ", ".join(f"{_shown(header)} ({what})" for header, what in found.personal.items())
        lines += _comment(f"not loaded, personal: {shown}", "    ")
    used = {header for choice in found.columns.values() for header in choice.headers}
    rest = [
        _shown(header) for header in sample.headers if header and header not in used and header not in found.personal
    ]
    if rest:
        lines += _comment(f"not loaded: {', '.join(rest)}", "    ")
    return lines


def _column(found: Recognised, column: str, choice: Choice) -> str:
    written = quoted(choice.headers[0])
    if len(choice.headers) == 2:
        written = f"{{multiply: [{', '.join(quoted(header) for header in choice.headers)}]}}"
    remarks = []
    if choice.unsure:
        remarks.append(f"unsure: guessed by {choice.why}; values like {_shown(found.contents[choice.headers[0]].form)}")
    if choice.others:
        remarks.append(f"could also be: {', '.join(_other(found, header) for header in choice.others[:5])}")
    if column == "customer_id" and (
        found.contents[choice.headers[0]].personal or (found.preset and found.preset.personal_id)
    ):
        remarks.append("personal: it leaves the toolkit only as a pseudonym; map another id if there is one")
    return f"      {column}: {written}{'  # ' if remarks else ''}{'; '.join(remarks)}"


def _other(found: Recognised, header: str) -> str:
    filled = found.contents[header].filled
    return f"{_shown(header)}{f' (blank in {1 - filled:.1%} of the rows)' if filled < ENOUGH_FILLED else ''}"


def _no_customer(header: str, why: str, personal: str) -> list[str]:
    lines = [
        f"      customer_id: null  # ASK: type the customer's column ({_shown(header)}{': ' if header else ''}{why})"
    ]
    if personal:
        lines.append(
            f"      # customer_id: {quoted(personal)}  # personal, so not taken unasked; ids leave only as pseudonyms"
        )
    return lines


def _formats(found: Recognised) -> list[str]:
    """Return date formats and the decimal mark, where they are not the usual ones."""
    lines: list[str] = []
    dated = [choice.headers[0] for column, choice in found.columns.items() if _is_time(found, column)]
    sets = [date_formats(found.sample.columns[header]) for header in dated]
    written = [formats for formats in sets if formats]
    if any(len(formats) > 1 for formats in written):
        choices = next(formats for formats in written if len(formats) > 1)
        lines.append("    # unsure: day first or month first? Both fit every date; take the # from the right line:")
        lines += [
            f"    # date_formats: [{', '.join(quoted(form, always=True) for form in formats)}]" for formats in choices
        ]
    elif written:
        every = sorted({form for formats in written for form in formats[0]})
        lines.append(f"    date_formats: [{', '.join(quoted(form, always=True) for form in every)}]")
    money = [found.contents[header] for header in found.columns["amount"].headers] if "amount" in found.columns else []
    if any(content.comma_money > content.fractions for content in money):
        lines.append('    decimal: ","')
    return lines


def _is_time(found: Recognised, column: str) -> bool:
    return bool(found.columns[column].headers) and column.endswith(("_at", "_from", "_start"))


def _holidays(timezone: str | None, currency: str | None, *, chinese: bool) -> list[str]:
    known = timezone is not None or currency is not None
    if timezone in _CHINESE_ZONES or currency == "CNY" or (not known and chinese):
        return [
            "holidays: china  # Spring Festival, 618, Double 11 are shaded; holidays: none where they do not matter"
        ]
    return ["holidays: none  # holidays: china shades Spring Festival, 618 and Double 11"]


def _shown(text: str) -> str:
    """Return a header for a comment: on one line, printable."""
    return "".join(one if one.isprintable() else "?" for one in text)[:60]


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        text, 118, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ", break_on_hyphens=False
    )
