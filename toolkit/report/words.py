"""Words and figures as the study's language writes them."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ArgumentError
from toolkit.report import (
    words_clusters,
    words_experiment,
    words_moves,
    words_risk,
    words_tiers,
    words_trial,
    words_value,
)
from toolkit.report.labels import ACTS, LABELS, SEGMENT_ACTIONS, SEGMENT_TRAITS, SEGMENT_WORDS
from toolkit.report.reasons import CHECKS, POLICIES, REASONS
from toolkit.report.sentences import SENTENCES
from toolkit.schema import SEGMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

Language = Literal["zh", "en"]

MISSING = "–"
TOTAL = "total"

_SIGNS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
_STEPS: dict[str, tuple[tuple[float, float, str], ...]] = {
    "zh": ((1e8, 1e8, "亿"), (1e4, 1e4, "万")),
    "en": ((1e9, 1e9, "B"), (1e6, 1e6, "M"), (1e4, 1e3, "k")),
}
"""From which size on, in what unit, called what."""
_PARTS = (words_tiers, words_clusters, words_moves, words_risk, words_value, words_experiment, words_trial)
_LABELS = {**LABELS, **{key: names for part in _PARTS for key, names in part.LABELS.items()}}
_SENTENCES = {**SENTENCES, **{key: texts for part in _PARTS for key, texts in part.SENTENCES.items()}}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True)
class Words:
    """Labels, sentences and figures in one language.

    Attributes
    ----------
    language
        ``zh`` or ``en``.

    Examples
    --------
    >>> w = Words("zh")
    >>> w.segment("champions"), w.label("quarantined"), w.money(1_234_000, "CNY"), w.date("2026-10-31")
    ('重要价值', '隔离', '¥123.4万', '2026年10月31日')
    >>> Words("en").label("quarantine")
    Traceback (most recent call last):
    toolkit.errors.ArgumentError: E-unknown-word: there is no label 'quarantine'. Try: 'quarantined'
    """

    language: Language

    def __post_init__(self) -> None:
        if self.language not in _STEPS:
            raise ArgumentError("language", f"there is no language {self.language!r}", hint="'zh' or 'en'")

    def label(self, key: str) -> str:
        """Return the name of a column, fate, ladder step or chart element.

        Raises
        ------
        ArgumentError
            There is no such key; the hint names the nearest.
        """
        return self._find(_LABELS, "label", key)

    def segment(self, key: str) -> str:
        """Return the name of one of the eight types, of ``prospect`` or of ``total``.

        Raises
        ------
        ArgumentError
            There is no such segment.
        """
        return self._find(SEGMENT_WORDS, "segment", key)

    def scheme(self, key: str) -> str:
        """Return the name of a scheme; one that only the study knows keeps its own name.

        Examples
        --------
        >>> Words("zh").scheme("stage"), Words("zh").scheme("house_rule")
        ('生命周期阶段', 'house_rule')
        """
        return self._find(words_tiers.SCHEMES, "scheme", key) if key in words_tiers.SCHEMES else key

    def tier(self, scheme: str, key: str) -> str:
        """Return the name of a class of a scheme; one that only the study knows keeps its own name.

        Examples
        --------
        >>> Words("zh").tier("stage", "dormancy"), Words("zh").tier("segment", "champions")
        ('休眠期', '重要价值')
        """
        if scheme == SEGMENT or key == TOTAL:
            return self.segment(key)
        name = f"{scheme}.{key}"
        return self._find(words_tiers.TIERS, "tier", name) if name in words_tiers.TIERS else key

    def describe(self, key: str) -> str:
        """Say in one sentence who a segment is.

        Raises
        ------
        ArgumentError
            There is no such segment.
        """
        return self._find(SEGMENT_TRAITS, "segment", key)

    def action(self, key: str) -> str:
        """Say in one sentence what is done with a segment.

        Raises
        ------
        ArgumentError
            There is no such segment.
        """
        return self._find(SEGMENT_ACTIONS, "segment", key)

    def act(self, key: str) -> str:
        """Return the name of what a customer did; one that only the business knows keeps its own name.

        Examples
        --------
        >>> Words("zh").act("check_in"), Words("zh").act("抽奖")
        ('打卡', '抽奖')
        """
        return self._find(ACTS, "act", key) if key in ACTS else key

    def reason(self, key: str) -> str:
        """Say why a row stands where it stands in the ledger.

        Raises
        ------
        ArgumentError
            There is no such reason.
        """
        return self._find(REASONS, "reason", key)

    def check(self, key: str) -> str:
        """Return the name of a check of the exports, or of its status.

        Raises
        ------
        ArgumentError
            There is no such check.
        """
        return self._find(CHECKS, "check", key)

    def policy(self, key: str) -> str:
        """Return the name of a setting of the study file, or of one of its values.

        Raises
        ------
        ArgumentError
            There is no such setting.
        """
        return self._find(POLICIES, "setting", key)

    def say(self, key: str, **figures: str) -> str:
        """Return a sentence with its figures, which are already written as this language writes them.

        Raises
        ------
        ArgumentError
            There is no such sentence.
        """
        return self._find(_SENTENCES, "sentence", key).format(**figures)

    def number(self, value: float) -> str:
        """Write a number: thousands separated, whole ones exact, others to three significant digits.

        Examples
        --------
        >>> w = Words("en")
        >>> w.number(1_234_567), w.number(12.345), w.number(0.01234), w.number(1234.5), w.number(float("nan"))
        ('1,234,567', '12.3', '0.0123', '1,234', '–')
        """
        if _missing(value):
            return MISSING
        if value == int(value) or abs(value) >= 100:
            return f"{value:,.0f}"
        decimals = 2 - math.floor(math.log10(abs(value)))
        return f"{value:,.{decimals}f}".rstrip("0").rstrip(".")

    def money(self, value: float, currency: str) -> str:
        """Write an amount with its currency sign: exact to the cent below 100, else about three significant digits.

        Examples
        --------
        >>> [Words("en").money(x, "CNY") for x in (12.3, 1_234, 71_234, 1_234_000, -3e9)]
        ['¥12.30', '¥1,234', '¥71.2k', '¥1.23M', '-¥3.00B']
        >>> [Words("zh").money(x, "SGD") for x in (9_999.6, 71_234, 123_400_000)]
        ['SGD 1.00万', 'SGD 7.12万', 'SGD 1.23亿']
        """
        if _missing(value):
            return MISSING
        size = abs(value)
        head = ("-" if value < 0 else "") + self.sign(currency)
        rounded = float(f"{size:.3g}") if size >= 1e4 else round(size)
        for start, divisor, unit in _STEPS[self.language]:
            if rounded >= start:
                return f"{head}{self._short(size / divisor)}{unit}"
        return f"{head}{size:,.0f}" if size >= 100 or size == 0 else f"{head}{size:.2f}"

    def sign(self, currency: str) -> str:
        """Return the sign that stands before an amount, or the code and a space.

        Examples
        --------
        >>> Words("en").sign("EUR"), Words("en").sign("JPY")
        ('€', 'JPY ')
        """
        return _SIGNS.get(currency, f"{currency} ")

    def percent(self, share: float) -> str:
        """Write a share as a percentage to one decimal; something small is never written as nothing.

        Examples
        --------
        >>> [Words("en").percent(x) for x in (0.7123, 0.2, 0.0001, -0.0001, 0.99999, 0, 1)]
        ['71.2%', '20%', '<0.1%', '>-0.1%', '>99.9%', '0%', '100%']
        """
        if _missing(share):
            return MISSING
        if 0 < abs(share) < 0.0005:
            return "<0.1%" if share > 0 else ">-0.1%"
        if 0.9995 <= share < 1:
            return ">99.9%"
        return f"{100 * share:,.1f}".removesuffix(".0") + "%"

    def span(self, first: date, last: date) -> str:
        """Write a range of days, both included; what both days share is written once.

        Examples
        --------
        >>> Words("en").span(date(2026, 11, 1), date(2026, 11, 11))
        '1–11 November 2026'
        >>> Words("zh").span(date(2026, 2, 16), date(2026, 3, 3))
        '2026年2月16日至3月3日'
        """
        one_year = first.year == last.year
        one_month = one_year and first.month == last.month
        if first == last:
            return self.date(last)
        if self.language == "zh":
            end = self.date(last)
            shared = f"{last.year}年{last.month}月" if one_month else f"{last.year}年" if one_year else ""
            return f"{self.date(first)}至{end.removeprefix(shared)}"
        if one_month:
            return f"{first.day}–{self.date(last)}"
        start = self.date(first)
        return f"{start.removesuffix(f' {first.year}') if one_year else start} – {self.date(last)}"

    def date(self, day: date | str) -> str:
        """Write a day in full; text is read as ISO 8601.

        Examples
        --------
        >>> Words("en").date(date(2026, 10, 31))
        '31 October 2026'
        """
        on = date.fromisoformat(day) if isinstance(day, str) else day
        if self.language == "zh":
            return f"{on.year}年{on.month}月{on.day}日"
        return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"

    def _short(self, size: float) -> str:
        one_decimal = 999.95 if self.language == "zh" else 99.95
        return f"{size:.2f}" if size < 9.995 else f"{size:.1f}" if size < one_decimal else f"{size:,.0f}"

    def _find(self, table: Mapping[str, tuple[str, str]], kind: str, key: str) -> str:
        if key not in table:
            near = difflib.get_close_matches(key, table, n=1, cutoff=0.3)
            hint = repr(near[0]) if near else f"one of {', '.join(table)}"
            raise ArgumentError("unknown-word", f"there is no {kind} {key!r}", hint=hint)
        return table[key][self.language == "en"]


def words(language: Language) -> Words:
    """Return the words of a language.

    Parameters
    ----------
    language
        ``zh`` or ``en``.

    Returns
    -------
    Words
        Labels, sentences and figures.

    Raises
    ------
    ArgumentError
        There is no such language.

    Examples
    --------
    >>> words("en").action("lost")
    'Leave them for now if the budget is limited.'
    """
    return Words(language)


def _missing(value: float) -> bool:
    return value is None or not math.isfinite(value)
