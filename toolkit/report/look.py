"""The one look of every picture: colours, type, size, and how a picture is put on the page."""

from __future__ import annotations

import base64
import dataclasses
import io
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib import font_manager
from matplotlib.axes import Axes
from PIL import Image

from toolkit.errors import Check
from toolkit.schema import PROSPECT, SEGMENTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from toolkit.report.words import Language

SEGMENT_COLOURS: dict[str, str] = dict(
    zip(
        (*SEGMENTS, PROSPECT),
        ("#0b2f5e", "#15498b", "#2c67ae", "#5085c4", "#c98429", "#dea04c", "#edbe7e", "#f7dab0", "#f1f1f1"),
        strict=True,
    )
)
"""Blue where much is spent, orange where little; the higher the value the darker: grey print keeps the order."""

DIMENSION_COLOURS: dict[str, str] = {"recency": "#4b2e83", "frequency": "#45b3a4", "monetary": "#f3dc9c"}
INK, MUTED, LINE, EDGE, BAR, ALERT = "#222222", "#5f5f5f", "#c9c9c9", "#4d4d4d", "#8aa9c9", "#c8420a"
SEQUENCE = "Blues"
WIDTH_PX = 840
_ROW_INCHES = 0.36
_DPI = 100
_RETINA = 2
_BOLD = (600, 700, 800, 900, "semibold", "bold", "heavy", "black")
_CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "WenQuanYi Micro Hei",
)


def use_look(language: Language) -> Check:
    """Set the look of all pictures that follow.

    Parameters
    ----------
    language
        ``zh`` needs a font with Chinese signs: an installed one, else the one that the extra ``zh`` brings.

    Returns
    -------
    Check
        ``font``: failed where Chinese is asked for and no font has it.

    Examples
    --------
    >>> use_look("en").status
    'passed'
    """
    chinese = _chinese_font()
    family = (
        [chinese, "DejaVu Sans"] if chinese and language == "zh" else ["DejaVu Sans", *([chinese] if chinese else [])]
    )
    sns.set_theme(
        style="white",
        rc={
            "font.family": family,
            "font.size": 11,
            "figure.dpi": _DPI,
            "figure.facecolor": "white",
            "figure.constrained_layout.h_pad": 0.08,
            "figure.constrained_layout.w_pad": 0.08,
            "text.color": INK,
            "axes.titlesize": 14,
            "axes.titleweight": "bold",
            "axes.labelcolor": MUTED,
            "axes.labelsize": 11,
            "axes.edgecolor": LINE,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.axisbelow": True,
            "axes.unicode_minus": False,
            "grid.color": "#e6e6e6",
            "xtick.color": MUTED,
            "ytick.color": MUTED,
            "xtick.labelsize": 10.5,
            "ytick.labelsize": 10.5,
        },
    )
    if chinese is None and language == "zh":
        hint = "pip install 'toolkit[zh]', or install Noto Sans CJK SC"
        return Check("font", "failed", f"no font has Chinese signs, so labels are boxes; try {hint}", 1)
    return Check("font", "passed", f"pictures are set in {family[0]}")


def canvas(ax: Axes | None, *, rows: float = 12) -> Axes:
    """Return the Axes to draw on: the given one, or that of a new figure of the common width.

    Parameters
    ----------
    ax
        Axes, or None.
    rows
        Height of a new figure, in rows of text and bars.

    Returns
    -------
    Axes
        Where to draw.
    """
    if ax is not None:
        return ax
    return plt.subplots(figsize=(WIDTH_PX / _DPI, _ROW_INCHES * rows), layout="constrained")[1]


def show(picture: Figure | Axes, alt: str) -> None:
    """Show a picture in a notebook once, sharp on dense screens, with its alternative text, and close it.

    Parameters
    ----------
    picture
        A figure, or Axes of it.
    alt
        What the picture shows, in one sentence: its finding.
    """
    from IPython.display import display  # noqa: PLC0415 - a second of import that only a kernel needs

    figure = picture.figure.get_figure(root=True) if isinstance(picture, Axes) else picture
    png = as_png(figure, dpi=_DPI * _RETINA)
    plt.close(figure)
    width = round(figure.get_figwidth() * _DPI)
    display(  # type: ignore[no-untyped-call]  # IPython ships no types for it
        {"image/png": base64.b64encode(png).decode(), "text/plain": alt},
        metadata={"image/png": {"alt": alt, "width": min(width, WIDTH_PX)}},
        raw=True,
    )


def as_png(figure: Figure, *, dpi: int) -> bytes:
    """Draw a figure in at most 256 colours: a third of the bytes, and nothing that the eye would miss."""
    drawn, png = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(png, "png", optimize=True)
    return png.getvalue()


def _chinese_font() -> str | None:
    entries = font_manager.fontManager.ttflist
    name = next((name for name in _CHINESE if any(font.name == name for font in entries)), None) or _brought_font()
    own = [font for font in entries if font.name == name]
    if own and not any(font.weight in _BOLD for font in own):
        entries.append(dataclasses.replace(own[0], weight=700))
    return name


def _brought_font() -> str | None:
    spec = find_spec("mplfonts")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "fonts" / "NotoSansCJKsc-Regular.otf"
    if not file.is_file():
        return None
    font_manager.fontManager.addfont(file)
    return font_manager.FontProperties(fname=str(file)).get_name()
