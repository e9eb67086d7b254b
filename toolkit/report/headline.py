"""A page's first screen: the verdict and a strip of figures."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

_IN_A_NOTEBOOK = (
    "<style scoped>.verdict{font-size:1.15em;max-width:48em}.figures{display:flex;flex-wrap:wrap;gap:1em 2em}"
    ".figures dt{opacity:.7;font-size:.85em}.figures dd{margin:0;font-size:1.3em;font-weight:600}"
    ".figures small{display:block;font-size:.6em;font-weight:400;opacity:.7}</style>"
)


@dataclass(frozen=True)
class Figure:
    """One figure of the strip, already written: its label, its value and its change."""

    label: str
    value: str
    change: str = ""


@dataclass(frozen=True)
class Headline:
    """What a page says first.

    Attributes
    ----------
    verdict
        One or two sentences with the figures that carry them.
    figures
        At most six.

    Examples
    --------
    >>> Headline("All is well.", (Figure("Customers", "4,338", "+2% on 30 September"),))
    All is well.
    Customers: 4,338 (+2% on 30 September)
    """

    verdict: str
    figures: tuple[Figure, ...]

    def __repr__(self) -> str:
        lines = [f"{one.label}: {one.value}{f' ({one.change})' if one.change else ''}" for one in self.figures]
        return "\n".join([self.verdict, *lines])

    def _repr_html_(self) -> str:
        strip = "".join(
            f"<div><dt>{escape(one.label)}</dt><dd>{escape(one.value)}"
            f"{f'<small>{escape(one.change)}</small>' if one.change else ''}</dd></div>"
            for one in self.figures
        )
        return f'{_IN_A_NOTEBOOK}<p class="verdict">{escape(self.verdict)}</p><dl class="figures">{strip}</dl>'

    def recorded(self) -> dict[str, object]:
        """Return what `toolkit.record` keeps of it: ``verdict`` and ``figures``."""
        return {
            "verdict": self.verdict,
            "figures": [{"label": one.label, "value": one.value, "change": one.change} for one in self.figures],
        }
