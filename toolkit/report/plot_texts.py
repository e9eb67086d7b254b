"""Texts in pictures that hold names from somebody's files: they are cut, fit, and written as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from matplotlib.lines import Line2D
from matplotlib.text import Text

from toolkit.report.look import INK, MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

TITLE_WIDTH = 62
_NAME_WIDTH = 26
_IN_A_ROW = 3


def short(name: str, width: int = _NAME_WIDTH) -> str:
    r"""Cut a name that is too long for a picture.

    Examples
    --------
    >>> short("Entry"), short("a" * 40), short("two\nlines")
    ('Entry', 'aaaaaaaaaaaaaaaaaaaaaaaaa…', 'two lines')
    """
    text = " ".join(name.split())
    if text_width(text) <= width:
        return text
    cut = [sign for at, sign in enumerate(text) if text_width(text[: at + 1]) < width]
    return f"{''.join(cut)}…"


def text_width(text: str) -> int:
    """Return how wide a text is, in Latin letters; Chinese signs are two wide."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def plainly_written(ax: Axes) -> None:
    """Write every text as it is: a dollar sign in somebody's name starts no formula."""
    for text in ax.findobj(Text):
        text.set_parse_math(False)


def fitting(*titles: str) -> str:
    """Return the first title that fits over a picture, else the last."""
    return next((title for title in titles if text_width(title) <= TITLE_WIDTH), titles[-1])


def at_edge(ax: Axes, at: float, text: str, *, bold: bool = False) -> None:
    """Write a text behind the right edge, beside what it is about."""
    ax.text(1.02, at, text, transform=ax.get_yaxis_transform(), va="center", color=INK if bold else MUTED, fontsize=9.5,
            fontweight="bold" if bold else "normal")  # fmt: skip


def mark(shape: str, face: str, edge: str, label: str, line: str = "none") -> Line2D:
    """Return a sign for the key."""
    return Line2D([], [], marker=shape, color=line, markerfacecolor=face, markeredgecolor=edge, markersize=6.5,
                  linewidth=2, label=label)  # fmt: skip


def legend(ax: Axes, handles: Sequence[Any]) -> int:
    """Name shapes and colours over the picture, and return in how many rows."""
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=min(len(handles), _IN_A_ROW),
              frameon=False, borderaxespad=0.2, borderpad=0, handlelength=1.6, columnspacing=1.4, labelcolor=INK,
              fontsize=9.5)  # fmt: skip
    return -(-len(handles) // _IN_A_ROW)
