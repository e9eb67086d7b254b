"""A finding: one plain sentence with the figures behind it, so that a page can say it in another language."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Finding:
    """What an evaluation comes to, one sentence of it; `toolkit.strategy.verdict` lists the codes.

    Attributes
    ----------
    code
        Short stable name of what is said.
    text
        One plain sentence in English.
    figures
        Raw figures and names: numbers are not rounded, shares are shares and not percent.
    """

    code: str
    text: str
    figures: dict[str, object] = field(default_factory=dict)
