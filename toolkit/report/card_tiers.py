"""One customer's tiers at a date and why, and the last twelve months of the main ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.errors import InputError
from toolkit.schema import ORDER_COUNT, SEGMENT
from toolkit.segments.classify import SCORED
from toolkit.segments.overrides import OVERRIDE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.segments.tiers import Tiers

FOLLOWED = (SEGMENT, "stage", "payment_tier")
"""Schemes whose spells the card tells."""
MONTHS = 12
SPELL = ["scheme", "tier", "since", "until", "changed"]


def spells(study: Warehouse, tiers: Tiers, person: str, as_of: date) -> pd.DataFrame:
    """Tell in which tiers a customer was at the last month ends, under one set of cut points.

    Parameters
    ----------
    study
        The study.
    tiers
        Fitted; its cut points hold for every month.
    person
        The customer.
    as_of
        The last day, whether it ends a month or not.

    Returns
    -------
    DataFrame
        One row per stay in a tier: ``scheme tier since until`` (days looked at; ``until`` is the last one with that
        tier) and ``changed``: pairs of a snapshot column and its values before and after, of what the scheme compares.
        Days on which the customer was not yet known, or whose rows the gate refuses, are left out.
    """
    followed = [scheme for scheme in FOLLOWED if scheme in tiers.schemes_]
    seen = list(_months(study, tiers, person, as_of, followed))
    rows: list[dict[str, Any]] = []
    for scheme in followed:
        compared = _compared(tiers, scheme)
        before: pd.Series[Any] | None = None
        for day, row in seen:
            tier = str(row[scheme])
            if before is not None and rows[-1]["tier"] == tier:
                rows[-1]["until"] = day
            else:
                changed = () if before is None else _changed(before, row, compared)
                rows.append({"scheme": scheme, "tier": tier, "since": day, "until": day, "changed": changed})
            before = row
    return pd.DataFrame(rows, columns=SPELL)


def _months(
    study: Warehouse, tiers: Tiers, person: str, as_of: date, followed: list[str]
) -> Iterator[tuple[pd.Timestamp, pd.Series[Any]]]:
    """Yield the customer's row, tiers included, at each day."""
    last = pd.Timestamp(as_of)
    days = [*pd.date_range(end=last - pd.Timedelta(days=1), periods=MONTHS - 1, freq="ME"), last]
    columns = tiers.columns_needed(followed)
    for day in days:
        try:
            cuts_at = study.cuts_date(as_of)
            own = study.snapshot(day.date(), columns=columns, cuts_at=cuts_at, customers=[person])
        except InputError:
            continue
        if len(own):
            yield day, tiers.transform(own, only=followed).iloc[0]


def _compared(tiers: Tiers, scheme: str) -> list[str]:
    needed = [name for name in tiers.columns_needed((scheme,)) if name != ORDER_COUNT]
    own = [name for name in needed if name not in SCORED]
    return needed if scheme == SEGMENT or own in ([], [OVERRIDE]) else own


def _changed(before: pd.Series[Any], after: pd.Series[Any], names: list[str]) -> tuple[tuple[str, object, object], ...]:
    pairs = [(name, _known(before[name]), _known(after[name])) for name in names]
    return tuple((name, old, new) for name, old, new in pairs if old != new)


def _known(value: Any) -> object:
    return None if pd.isna(value) else value
