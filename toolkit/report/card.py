"""One customer on one card, as a notebook shows it."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.report.card_facts import CustomerFacts
from toolkit.report.card_page import as_html, as_text


@dataclass(frozen=True, repr=False, eq=False)
class CustomerCard(CustomerFacts):
    """What is known of one customer at a date; the last line of a notebook's cell shows it.

    Its fields are those of `toolkit.report.card_facts.CustomerFacts`; `gather` makes one.
    """

    def __repr__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)
