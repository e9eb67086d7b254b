"""Product layers: their names, low to high, and the words of exports for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.rules.faults import RuleError
from toolkit.rules.texts import as_read

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYER_WORDS: dict[str, tuple[str, ...]] = {
    "lead_in": (
        "lead_in",
        "lead-in",
        "lead in",
        "trial",
        "引流",
        "引流品",
        "引流课",
        "引流产品",
        "体验课",
        "低价课",
        "公开课",
    ),
    "entry": ("entry", "pool", "入门", "入门课", "基础课", "正价课", "正价", "流量池", "常规课"),
    "premium": ("premium", "core", "high", "高价", "高价课", "高客单", "高端", "核心", "核心产品", "私教", "年卡"),
}
LAYERS = tuple(LAYER_WORDS)
"""The default layers."""


def named(layers: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the layers with their own names among their words, all as cells of exports are read.

    Raises
    ------
    RuleError
        There is no layer, a name is none, or a word means two layers.

    Examples
    --------
    >>> named({"lead_in": ("试听",), "circle": ("私董会",)})
    {'lead_in': ('lead_in', '试听'), 'circle': ('circle', '私董会')}
    """
    if not layers:
        raise RuleError("layers names no layer; remove the key to take the default", "layers")
    meaning: dict[str, str] = {}
    read = {name: (name, *map(as_read, words)) for name, words in layers.items()}
    for name, words in read.items():
        if not name.isidentifier():
            raise RuleError(f"{name!r} is no name of a layer: letters, digits and _ only", "layers", name)
        for word in sorted({word.casefold() for word in words}):
            if meaning.setdefault(word, name) != name:
                raise RuleError(f"{word!r} means two layers, {meaning[word]} and {name}", "layers", name)
    return {name: tuple(dict.fromkeys(words)) for name, words in read.items()}
