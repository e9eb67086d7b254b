"""What joining a person's ids does to the eight types: who was counted twice, and who stands elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import ArgumentError, Check, InputError
from toolkit.schema import (
    ORDER_COUNT,
    PROSPECT,
    RECENCY_DAYS,
    SEGMENT,
    SEGMENTS,
    WINDOW_ORDER_DAYS,
    WINDOW_SPEND,
    as_day,
)
from toolkit.segments.rfm import RFM
from toolkit.segments.summary import TOTAL

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse

UNSEEN = "unseen"
"""Row of ``moves`` of people whose own id stands in no row: only their other ids do."""
_SCORED = [ORDER_COUNT, RECENCY_DAYS, WINDOW_ORDER_DAYS, WINDOW_SPEND]
_ORDER = (*SEGMENTS, PROSPECT)
_PER_UNIT = 10_000


@dataclass(frozen=True, repr=False, eq=False)
class IdentityEffect:
    """Segments with every id a customer of its own, and with ids joined; see `identity_effect`.

    Attributes
    ----------
    as_of
        The day.
    ids, people
        Customers seen up to the day, ids apart and joined.
    moved
        People who stand in another segment than their own id did apart.
    moved_by_cuts
        Those of them whose own figures are the same: only the cut points moved.
    segments
        Index ``segment`` (those that occur, then ``total``). ``customers_apart`` less ``absorbed`` (ids that are
        somebody else's) less ``left`` plus ``entered`` is ``customers_joined``; ``spend_apart``, ``spend_joined``
        (currency, window). The total of ``entered`` has people whose own id was unseen beside those who moved.
    moves
        People by segment of their own id apart (rows, ``unseen`` last) and segment joined (columns).
    checks
        Whether the window's money is the same, to the digit.
    """

    as_of: date
    ids: int
    people: int
    moved: int
    moved_by_cuts: int
    segments: pd.DataFrame
    moves: pd.DataFrame
    checks: tuple[Check, ...]

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        return (
            f"{self.ids:,} ids are {self.people:,} people on {self.as_of}; {self.moved:,} of them stand in another"
            f" segment than their own id alone, {self.moved_by_cuts:,} only because cut points moved;"
            f" {self.checks[0].message}."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.segments.to_string(float_format='{:,.2f}'.format)}"

    def _repr_html_(self) -> str:
        table = self.segments.to_html(float_format="{:,.2f}".format, border=0)
        return f"<p>{self.sentence}</p>{table}"


def identity_effect(study: Warehouse, as_of: str | date) -> IdentityEffect:
    """Compare the segments of a study with those it would have if every id were a customer of its own.

    Parameters
    ----------
    study
        A study with the table ``identities``.
    as_of
        The day.

    Returns
    -------
    IdentityEffect
        Segments apart and joined, who moved, and whether money is conserved.

    Raises
    ------
    ArgumentError
        The study has no identities.
    InputError
        As for ``study.snapshot``; or the exports stop without identities, such as an order in two files under two ids.

    Notes
    -----
    A person stands under one of the linked ids, the own one (`toolkit.data.identity.people`); segments before and after
    are those of that id. The cuts of ``RFM()`` are learned on the study's cut date, apart and joined. Links have no
    date: they join ids on every day alike.

    Examples
    --------
    >>> import toolkit as tk
    >>> orders = pd.DataFrame({"customer_id": ["C1", "wm1", "C2", "C3"], "amount": [60, 50, 80, 10],
    ...                        "ordered_at": ["2026-01-05", "2026-02-20", "2026-02-01", "2026-01-10"]})
    >>> links = pd.DataFrame({"customer_id": ["C1"], "id_kind": ["external_userid"], "id_value": ["wm1"]})
    >>> study = tk.Study.from_frames(orders, identities=links, timezone="Asia/Shanghai", currency="CNY")
    >>> effect = identity_effect(study, "2026-02-28")
    >>> effect.ids, effect.people, effect.moved
    (4, 3, 2)
    >>> effect.segments[["customers_apart", "absorbed", "left", "entered", "customers_joined"]]
                    customers_apart  absorbed  left  entered  customers_joined
    segment
    champions                     0         0     0        1                 1
    big_occasional                1         0     1        0                 0
    slipping_big                  1         0     1        0                 0
    newcomers                     1         1     0        0                 0
    lost                          1         0     0        1                 2
    total                         4         1     2        2                 3
    """
    if "identities" not in study.files:
        hint = "tables: {identities: {files: identities.csv}} in the study file"
        raise ArgumentError("no-identities", "the study has no table identities, so no id is joined", hint=hint)
    day = as_day(as_of)
    joined = _scored(study, day)
    try:
        apart = _scored(study.apart(), day)
    except InputError as error:
        raise InputError(
            "identities-needed",
            f"without identities the exports stop ({error.code}), so there is nothing to compare with",
            where="identities",
            hint="toolkit check STUDY, with and without the table identities",
        ) from None
    own = apart.reindex(joined.index)
    before = own[SEGMENT].astype(object).where(own[SEGMENT].notna(), UNSEEN)
    after = joined[SEGMENT].astype(object)
    moved = (before != after) & (before != UNSEEN)
    same = (own[_SCORED].fillna(-1.0) == joined[_SCORED].fillna(-1.0)).all(axis="columns")
    return IdentityEffect(
        as_of=day,
        ids=len(apart),
        people=len(joined),
        moved=int(moved.sum()),
        moved_by_cuts=int((moved & same).sum()),
        segments=_segments(apart, joined, before, after),
        moves=pd.crosstab(before, after)
        .rename_axis(index="apart", columns="joined")
        .reindex(index=_present((*_ORDER, UNSEEN), before), columns=_present(_ORDER, after)),
        checks=(_money(apart, joined),),
    )


def _scored(study: Warehouse, day: date) -> pd.DataFrame:
    learned, snap = (study.snapshot(one, columns=_SCORED) for one in (study.cuts_date(day), day))
    return RFM().fit(learned).transform(snap)


def _segments(apart: pd.DataFrame, joined: pd.DataFrame, before: pd.Series[str], after: pd.Series[str]) -> pd.DataFrame:
    moved = before != after
    counts = {
        "customers_apart": apart[SEGMENT],
        "absorbed": apart.loc[~apart.index.isin(joined.index), SEGMENT],
        "left": before[moved & (before != UNSEEN)],
        "entered": after[moved],
        "customers_joined": joined[SEGMENT],
    }
    spend = {
        f"spend_{name}": frame[WINDOW_SPEND].groupby(frame[SEGMENT].astype(object)).sum()
        for name, frame in (("apart", apart), ("joined", joined))
    }
    names = [*_present(_ORDER, pd.concat([apart[SEGMENT].astype(object), after]))]
    table = pd.DataFrame(
        {name: values.astype(object).value_counts() for name, values in counts.items()} | spend, index=names
    ).fillna(0)
    table.loc[TOTAL] = table.sum()
    return table.astype(dict.fromkeys(counts, "int64")).rename_axis(SEGMENT)


def _present(order: tuple[str, ...], values: pd.Series[str]) -> list[str]:
    found = set(values)
    return [name for name in order if name in found]


def _money(apart: pd.DataFrame, joined: pd.DataFrame) -> Check:
    """Compare the money in ten-thousandths, the unit in which it is exact."""
    one, other = (int(np.rint(frame[WINDOW_SPEND] * _PER_UNIT).astype("int64").sum()) for frame in (apart, joined))
    if one == other:
        return Check("money_conserved", "passed", f"spend is {one / _PER_UNIT:,.2f}, apart and joined")
    message = (
        f"spend is {one / _PER_UNIT:,.2f} apart and {other / _PER_UNIT:,.2f} joined: excluded customers leave with all"
        " their ids, and orders that two files give to two ids of a person are taken once"
    )
    return Check("money_conserved", "failed", message, 1)
