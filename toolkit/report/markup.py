"""HTML as a page may hold it: nothing that acts, tables that scroll inside themselves, numbers to the right."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from bs4 import BeautifulSoup

if TYPE_CHECKING:
    from bs4 import Tag

LONG_TEXT = 24
ACTIVE = ("script", "iframe", "object", "embed", "link", "meta", "base", "form", "style[scoped]")
_NUMBER = re.compile(r"^[<>≤≥~±+\-−(]*\s*[¥￥$€£]?\s*[+\-−]?\d[\d,.\s]*(%|pp|[KMB万亿×x])?\)?$")
_DAY = re.compile(r"^\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?$")
_MISSING = frozenset({"", "nan", "none", "<na>", "nat", "-", "–", "—"})


def tidy(html: str) -> str:
    """Return HTML made fit for a page.

    Parameters
    ----------
    html
        A fragment, from a notebook's output or from Markdown.

    Returns
    -------
    str
        Without elements that act or load, and without the style that pandas puts before each table. Each table stands
        in an element of its own that scrolls, with one row of heads where pandas makes two. Columns of numbers have
        the class ``num``, of days ``day``, of long texts ``words``.

    Examples
    --------
    >>> tidy("<p>a<script>b()</script></p>")
    '<p>a</p>'
    """
    soup = BeautifulSoup(html, "html.parser")
    for tag in soup.select(", ".join(ACTIVE)):
        tag.decompose()
    for table in soup.find_all("table"):
        _join_head(table)
        _mark_columns(table)
        del table["border"]
        table.wrap(soup.new_tag("div", attrs={"class": "scroll", "tabindex": "0"}))
    return str(soup)


def _join_head(table: Tag) -> None:
    """Put the names of row labels, which pandas writes under the heads, into the empty heads above them."""
    head = table.find("thead")
    rows = head.find_all("tr") if head else []
    if len(rows) != 2:
        return
    above, below = ([cell.get_text(strip=True) for cell in row.find_all("th")] for row in rows)
    if len(above) == len(below) and not any(one and other for one, other in zip(above, below, strict=True)):
        for cell, name in zip(rows[0].find_all("th"), below, strict=True):
            if name:
                cell.string = name
        rows[1].decompose()


def _mark_columns(table: Tag) -> None:
    """Mark what columns hold; they are counted from the right, where row labels with a span do not matter."""
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")]
    width = max((len(row) for row in rows), default=0)
    for place in range(1, width + 1):
        column = [row[-place] for row in rows if len(row) >= place]
        kind = _kind([cell.get_text(strip=True) for cell in column if cell.name == "td"])
        for cell in column:
            if kind and not cell.has_attr("colspan"):
                cell["class"] = " ".join([*(str(name) for name in cell.get_attribute_list("class") if name), kind])


def _width(text: str) -> int:
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _kind(texts: list[str]) -> str:
    known = [text for text in texts if text.casefold() not in _MISSING]
    if known and all(map(_NUMBER.match, known)):
        return "num"
    if known and all(map(_DAY.match, known)):
        return "day"
    return "words" if max(map(_width, known), default=0) > LONG_TEXT else ""
