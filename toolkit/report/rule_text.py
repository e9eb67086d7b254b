"""Rules and values of tiers as people read them: columns by their names, figures in their units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from toolkit.report.card_words import write
from toolkit.report.words_tiers import SCHEMES
from toolkit.schema import PROSPECT, SEGMENT, SEGMENTS, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.report.frame import Frame
    from toolkit.report.words import Words

_PART = re.compile(r"[A-Za-z_]\w*|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|==|.", re.ASCII)
_NUMBER = re.compile(r"-?\d")
_COLUMNS = {column.name for column in SNAPSHOT}
_LOGIC = ("and", "or", "not", "in", "missing", "else")
_PHRASES = {
    "else, since none of these holds: ": "rule_else",
    "; one class up, for ": "rule_up",
    " (by hand)": "rule_by_hand",
    "is not known": "rule_unknown",
    "is missing": "rule_missing",
}
_LEVELS = ("main_price_band",)


def rule_text(text: str, frame: Frame) -> str:
    """Write a rule, or the values that it compares, in the page's language.

    Parameters
    ----------
    text
        As `toolkit.Tiers.explain` gives it.
    frame
        Language and currency.

    Examples
    --------
    >>> from toolkit.report.frame import Frame
    >>> rule_text("window_spend > 1081.2 and not stage == loss", Frame("2026-10-31"))
    'Spend in window > ¥1,081.20 and not Stage = Loss'
    """
    words = frame.words
    if words.language == "zh":
        for phrase, key in _PHRASES.items():
            text = text.replace(phrase, words.say(key))
    parts = _PART.findall(text.replace(">=", "≥").replace("<=", "≤"))
    written = []
    subject = ""
    for place, part in enumerate(parts):
        if part in _COLUMNS or part in SCHEMES:
            subject = part
            written.append(words.scheme(part) if part in SCHEMES else words.label(part))
        elif part in _LOGIC:
            written.append(words.label(f"word_{part}"))
        elif _NUMBER.match(part):
            about = _next(parts[place:]) if not _compares(parts[:place]) else subject
            written.append(write(about, float(part), frame))
        elif part.isidentifier() and part.isascii():
            written.append(_named(subject, part, frame.words))
        else:
            written.append("=" if part == "==" else part)
    return "".join(written)


def _named(subject: str, value: str, words: Words) -> str:
    """Name a value of a scheme or of a price band; other words stay."""
    if subject in _LEVELS and value in ("high", "mid", "low"):
        return words.label(value)
    known = value in (*SEGMENTS, PROSPECT) if subject == SEGMENT else subject in SCHEMES
    return words.tier(subject, value) if known else value


def _compares(before: Sequence[str]) -> bool:
    """Whether a figure stands behind a comparison with what was named before it."""
    return any(part in ("<", ">", "≤", "≥", "=", "==") for part in [part for part in before if part != " "][-2:])


def _next(after: Sequence[str]) -> str:
    return next((part for part in after if part in _COLUMNS), "")
