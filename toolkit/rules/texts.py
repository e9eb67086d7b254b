"""Texts of a study file, made as the engine makes cells of exports."""

from __future__ import annotations

import re
import unicodedata

_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")


def as_read(text: str) -> str:
    """Return a text as a cell of an export is kept: full-width characters plain, white space one space.

    Examples
    --------
    >>> as_read(" 体验课（９元） ")
    '体验课(9元)'
    """
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFKC", text)).split())
