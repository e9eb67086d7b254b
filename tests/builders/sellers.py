"""Businesses of the made-up course seller, made once and read by many tests, which leave them as they are."""

from __future__ import annotations

from functools import cache

import pandas as pd

from tests.builders.profiles import several
from toolkit.data.synthetic import Business, course_seller

AS_OF_END = pd.Timestamp("2026-11-01")
"""The day after the last one of every business here."""


@cache
def default() -> Business:
    """Return the business of the demo."""
    return course_seller()


@cache
def large() -> Business:
    """Return one large enough for laws of chance to show."""
    return course_seller(customers=several(10_000, 20_000), seed=11)


def by_owner(business: Business, name: str) -> pd.DataFrame:
    """Return a table with each customer's own id instead of those of channels."""
    written = business.tables[name]["customer_id"].astype(object)
    return business.tables[name].assign(customer_id=written.map(business.owners.to_dict()).fillna(written))
