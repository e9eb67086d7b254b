"""What the values of a column look like: dates, money, ids, and what is personal and must not be loaded."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.data.ledger import format_hint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LOOKED_AT = 1_000
"""How many filled values of a column are looked at."""

_YEAR_FIRST = re.compile(r"(19|20)\d\d\s*[-/.年]\s*(0?[1-9]|1[0-2])\s*[-/.月]\s*(0?[1-9]|[12]\d|3[01])(?!\d)")
_COMPACT = re.compile(r"(199\d|20[0-3]\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])( ?\d\d:?\d\d:?\d\d)?$")
_YEAR_LAST = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})\b")
_NAMED_MONTH = re.compile(r"([A-Za-z]{3,9}\.? \d{1,2},? \d{4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4})\b")
_NAMED_FORMATS = ("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", ", %H:%M", ", %I:%M %p")
_MARKS = r"(?:US\$|HK\$|NT\$|S\$|[¥$€£元円]|RMB|CNY|USD|EUR|GBP|JPY|HKD|TWD|SGD|人民币)"
_MONEY = re.compile(rf"[(]?[+-]? ?{_MARKS}? ?[+-]?(\d{{1,3}}(,\d{{3}})+|\d+)(\.\d+)? ?{_MARKS}?[)]?$", re.IGNORECASE)
_COMMA_MONEY = re.compile(
    rf"[(]?[+-]? ?{_MARKS}? ?[+-]?(\d{{1,3}}([. ]\d{{3}})+|\d+),\d{{1,2}} ?{_MARKS}?[)]?$", re.IGNORECASE
)
_MARK = re.compile(_MARKS, re.IGNORECASE)
_PHONE = re.compile(r"(\+?(00)?86[- ]?)?1[3-9][\d*]{9}$|\+\d[\d ()-]{8,16}$|\(?0\d{2,3}\)?-\d{7,8}$")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z*]{2,}$")
_ID_CARD = re.compile(r"[1-9]\d{5}(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dXx]$")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID = re.compile(r"[#'`]?[\w.:@*=\"-]{2,64}$")
_FLAGS = {"true", "false", "yes", "no", "y", "n", "t", "f", "0", "1", "是", "否", "有", "无", "已退订", "未退订"}
_NOTHING = {"", "null", "none", "nan", "nat", "n/a", "-", "--", "/"}

_PERSONAL_HEADERS: tuple[tuple[str, str], ...] = (
    ("telephone", r"手机|电话|座机|联系方式|phone|mobile|\btel\b|whatsapp|\bfax\b"),
    ("e-mail", r"邮箱|邮件|e-?mail"),
    ("address", r"地址|住址|街道|邮编|门牌|address|street|postcode|postal|\bzip\b"),
    ("ID card", r"身份证|证件|护照|passport|id[ _-]?card|\bssn\b"),
    ("birth", r"生日|出生|birth"),
    ("account", r"微信号|支付宝账|银行卡|卡号|对方账|wechat|\bip\b|ip[ _]address"),
    ("name", r"姓名|收货人|收件人|联系人|真实名|客户名|客户备注|用户名称|学员名|昵称|头像"),
    (
        "name",
        r"(first|last|full|family|given|billing|shipping|customer|buyer|contact|recipient|user|nick)[ _-]*name",
    ),
    ("name", r"^(name|customer|addressee|recipient|receiver|交易对方)$"),
    ("free text", r"留言|备注|notes?$|note attributes|comment|remark"),
)


@dataclass(frozen=True)
class Content:
    """What the values of one column look like; shares are of the filled values, ``filled`` of all rows.

    Attributes
    ----------
    filled, dates, money, comma_money, fractions, ids, flags, distinct, negatives
        Shares between 0 and 1. ``money`` counts plain numbers too, ``fractions`` those with decimals
        or a currency mark.
    personal
        What kind of personal value it holds, else empty.
    form
        The form of a typical value: digits as 9, letters as a or A, Chinese as 字.
    """

    filled: float
    dates: float
    money: float
    comma_money: float
    fractions: float
    ids: float
    flags: float
    distinct: float
    negatives: float
    personal: str
    form: str


def looked_at(values: Sequence[str]) -> Content:
    """Look at the values of a column.

    Examples
    --------
    >>> found = looked_at(["¥12.50", "8", "", "-3.00"])
    >>> found.filled, found.money, found.form
    (0.75, 1.0, '¥99.99')
    """
    filled = [text for text in (plain(value) for value in values) if text.lower() not in _NOTHING]
    step = max(1, len(filled) // LOOKED_AT)
    some = filled[::step]
    money = [text for text in some if _MONEY.match(text)]
    comma = [text for text in some if _COMMA_MONEY.match(text)]
    return Content(
        filled=len(filled) / len(values) if values else 0.0,
        dates=_share(some, is_date),
        money=len(money) / len(some) if some else 0.0,
        comma_money=len(comma) / len(some) if some else 0.0,
        fractions=sum("." in text or _MARK.search(text) is not None for text in money) / len(some) if some else 0.0,
        ids=_share(some, lambda text: _ID.match(text) is not None),
        flags=_share(some, lambda text: text.lower() in _FLAGS),
        distinct=len(set(filled)) / len(filled) if filled else 0.0,
        negatives=sum(is_negative(text) for text in filled) / len(filled) if filled else 0.0,
        personal=next((kind for kind, holds in _PERSONAL_VALUES if _share(some, holds) >= 0.3), ""),
        form=form_of(some[0]) if some else "empty",
    )


def plain(text: str) -> str:
    """Return a cell as the gate compares it: full-width characters made plain, outer spaces gone."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def is_date(text: str) -> bool:
    """Tell a date or a moment from other text; which of day and month comes first is not asked."""
    return any(shape.match(text) is not None for shape in (_YEAR_FIRST, _COMPACT, _YEAR_LAST, _NAMED_MONTH))


def is_money(text: str) -> bool:
    """Tell an amount, plain numbers included, from other text."""
    return _MONEY.match(text) is not None or _COMMA_MONEY.match(text) is not None


def is_negative(text: str) -> bool:
    """Tell a negative amount: -5, ¥-5 or (5)."""
    return is_money(text) and ("-" in text or text.startswith("("))


def personal_header(header: str) -> str:
    """Say what kind of personal value a header announces, else empty.

    Examples
    --------
    >>> personal_header("收货人姓名"), personal_header("Billing Zip"), personal_header("商品名称")
    ('name', 'address', '')
    """
    text = unicodedata.normalize("NFKC", header).casefold()
    return next((kind for kind, words in _PERSONAL_HEADERS if re.search(words, text)), "")


def form_of(text: str) -> str:
    """Return the form of a value without its content.

    Examples
    --------
    >>> form_of("2026-01-05 10:30"), form_of("C-88a"), form_of("北京1")
    ('9999-99-99 99:99', 'A-99a', '字字9')
    """
    kinds = {"Nd": "9", "Lu": "A", "Ll": "a"}
    shown = (
        kinds.get(unicodedata.category(one), "字" if unicodedata.category(one)[0] == "L" else one) for one in text[:24]
    )
    return "".join(one if one.isprintable() else "?" for one in shown)


def date_formats(values: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Return the sets of date formats that fit every value, where the year does not come first.

    Returns
    -------
    tuple of tuple of str
        None where the year comes first or no format fits; two where day-first and month-first both fit.

    Examples
    --------
    >>> date_formats(["13/01/2026", "02/01/2026"]), date_formats(["2026-01-02"])
    ((('%d/%m/%Y',),), ())
    >>> date_formats(["1/2/2026 3:05 PM"])
    (('%d/%m/%Y %I:%M %p',), ('%m/%d/%Y %I:%M %p',))
    """
    texts = [text for text in (plain(value) for value in values) if is_date(text)]
    if not texts or all(_YEAR_FIRST.match(text) or _COMPACT.match(text) for text in texts):
        return ()
    if all(_YEAR_LAST.match(text) for text in texts):
        hinted = [tuple(re.findall(r'"([^"]+)"', part)) for part in format_hint(pd.Series(texts)).split("  or  ")]
        fitting = [formats for formats in hinted if formats and _fit(texts, formats)]
        if fitting:
            return tuple(fitting)
        days = sorted({one.split(" ")[0] for formats in hinted for one in formats})
    else:
        days = list(_NAMED_FORMATS)
    return tuple((day + time,) for day in days for time in _TIMES if _fit(texts, (day + time,)))[:2]


def _fit(texts: Sequence[str], formats: Sequence[str]) -> bool:
    return all(any(_reads(text, one) for one in formats) for text in texts)


def _reads(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007 - only whether it reads is asked
    except ValueError:
        return False
    return True


def _is_id_card(text: str) -> bool:
    if not _ID_CARD.match(text) or not text.isascii():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(text, _ID_WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == text[-1].upper()


_PERSONAL_VALUES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("ID card", _is_id_card),
    ("telephone", lambda text: _PHONE.match(text) is not None),
    ("e-mail", lambda text: _MAIL.match(text) is not None),
)


def _share(texts: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts) if texts else 0.0
