"""A sentence under the figures that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Note:
    """A sentence under the figures that it is about.

    Attributes
    ----------
    text
        The sentence.
    """

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return f'<p class="note">{escape(self.text)}</p>'
