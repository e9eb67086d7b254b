"""What is known of one customer at a date: portrait, timeline, scores and their cuts, gap to the core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import pandas as pd

from toolkit.data import timeline as acts
from toolkit.data.seasons import seasons
from toolkit.errors import ArgumentError
from toolkit.report.card_risk import CustomerOutlook, customer_outlook
from toolkit.report.card_tiers import spells
from toolkit.report.frame import Frame
from toolkit.report.results import is_published
from toolkit.schema import (
    F_SCORE,
    M_SCORE,
    PROSPECT,
    R_SCORE,
    SEGMENT,
    SNAPSHOT,
    UNDATED,
    as_day,
)
from toolkit.segments.core import core_gap
from toolkit.segments.rfm import DIMENSIONS
from toolkit.segments.tiers import Tiers
from toolkit.tables import CUSTOMER_ID

if TYPE_CHECKING:
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.words import Language
    from toolkit.segments.rfm import RFM

_WHO = ("joined_date", "acquisition_channel", "persona", "gender", "age_band", "region", "occupation", "interests",
        "followers", "override", "membership_state", "membership_end_date", "opted_out")  # fmt: skip
_SCORES = dict(zip(DIMENSIONS, (R_SCORE, F_SCORE, M_SCORE), strict=True))
_GAPS = ("recency_gap_days", "order_days_gap", "spend_gap")


@dataclass(frozen=True, repr=False, eq=False)
class CustomerFacts:
    """What is known of one customer at a date.

    Attributes
    ----------
    customer_id
        The id under which the person stands in the snapshot.
    as_of
        The day; nothing on the card depends on later rows.
    segment
        One of the eight types, or ``prospect``, as computed; a type set by hand stands in ``tiers``.
    portrait
        Who it is: index ``name``, columns ``value`` and ``dated`` (whether the value is known as of the day).
    figures
        What was measured: index ``name`` (columns of the snapshot), column ``value``.
    timeline
        Every act, in order of time: ``moment table kind detail amount``.
    by_week
        Acts of engagement per week, by its Monday.
    scores
        Index ``dimension``; ``value``, ``score`` of ``scores``, the cut it is better than (``cut``), the next it is
        not (``next_cut``), ``split`` and ``high``. Empty for a prospect.
    gap
        One row: what is missing to the core, as ``toolkit.core_gap`` measures it.
    tiers
        The tier in every scheme and why: index ``scheme``, columns as ``toolkit.Tiers.explain`` gives them.
    spells
        The main tiers over the last twelve months: ``scheme tier since until changed``; see
        `toolkit.report.card_tiers.spells`.
    ahead
        Risk with its drivers, and what is expected; see `toolkit.report.card_risk.CustomerOutlook`.
    other_ids
        Other ids of the person, ``id_value`` and ``id_kind``: empty where the card is published.
    seasons
        Seasons that the timeline touches.
    tables
        Tables that the study has.
    learned_at
        Day at which cut points were learned.
    frame
        Day, window, language, currency.
    """

    customer_id: str
    as_of: date
    segment: str
    portrait: pd.DataFrame
    figures: pd.DataFrame
    timeline: pd.DataFrame
    by_week: pd.Series[int]
    scores: pd.DataFrame
    gap: pd.DataFrame
    tiers: pd.DataFrame
    spells: pd.DataFrame
    ahead: CustomerOutlook
    other_ids: pd.DataFrame
    seasons: pd.DataFrame
    tables: tuple[str, ...]
    learned_at: date
    frame: Frame

    @property
    def is_prospect(self) -> bool:
        """Whether the customer has never ordered."""
        return self.segment == PROSPECT

    @classmethod
    def gather(cls, study: Warehouse, customer_id: str, as_of: str | date, *, lang: Language | None = None) -> Self:
        """Put together what is known of a customer; see `toolkit.Study.customer`."""
        day = as_day(as_of)
        connection, tables = study._connection, study._tables  # noqa: SLF001 - the study is shown by its own room
        person = acts.person_of(connection, tables, customer_id) if isinstance(customer_id, str) else None
        own = study.snapshot(day, customers=[person or ""])
        if own.empty:
            everybody = len(study.snapshot(day, columns=[]))
            raise ArgumentError(
                "unknown-customer",
                f"there is no such customer among the {everybody:,} known at {day}",
                column=CUSTOMER_ID,
                examples=[customer_id],
                hint=f'study.snapshot("{day}").index lists the ids that there are; an id is text',
            )
        who = str(own.index[0])
        learned_at = study.cuts_date(day)
        tiers = Tiers(study)
        tiers.fit(study.snapshot(learned_at, columns=tiers.columns_needed(), cuts_at=learned_at))
        rfm = tiers.rfm_
        scored = rfm.transform(own)
        gap = core_gap(scored, rfm=rfm)
        row = scored.iloc[0]
        lived = acts.timeline(connection, tables, who, day)
        hidden = is_published()
        start = lived["moment"].min().date() if len(lived) else day
        return cls(
            customer_id=who,
            as_of=day,
            segment=str(row[SEGMENT]),
            portrait=_portrait(row, acts.attributes(connection, tables, who, day), study, hidden=hidden),
            figures=_figures(row),
            timeline=lived,
            by_week=_by_week(lived),
            scores=_scores(row, rfm, gap),
            gap=gap,
            tiers=tiers.explain(scored, who),
            spells=spells(study, tiers, who, day),
            ahead=customer_outlook(study, who, day),
            other_ids=acts.other_ids(connection, () if hidden else tables, who),
            seasons=seasons(start, day, study.settings),
            tables=tuple(tables),
            learned_at=learned_at,
            frame=_frame(study, day, lang),
        )


def _frame(study: Warehouse, day: date, lang: Language | None) -> Frame:
    settings = study.settings
    return Frame(day, settings.window_days, lang or settings.language, settings.currency, min_cell=0)


def _portrait(row: pd.Series, more: dict[str, object], study: Warehouse, *, hidden: bool) -> pd.DataFrame:
    dated = all("valid_from" in file.mapping for file in study.files.get("customers", []))
    known = {name: row[name] for name in _WHO if name in row.index and pd.notna(row[name])}
    known |= {name: value for name, value in more.items() if not (hidden and name == "referred_by")}
    return pd.DataFrame(
        {"value": list(known.values()), "dated": [dated or name not in (*UNDATED, *more) for name in known]},
        index=pd.Index(list(known), name="name"),
        dtype="object",
    )


def _figures(row: pd.Series) -> pd.DataFrame:
    names = [column.name for column in SNAPSHOT if column.name in row.index and column.name not in _WHO]
    known = {name: row[name] for name in names if pd.notna(row[name])}
    return pd.DataFrame({"value": pd.Series(known, dtype="object")}).rename_axis("name")


def _by_week(lived: pd.DataFrame) -> pd.Series[int]:
    days = lived.loc[lived["table"] == "events", "moment"].dt.normalize()
    mondays = days - pd.to_timedelta(days.dt.weekday, unit="D")
    counted: pd.Series[int] = mondays.value_counts().sort_index().rename_axis("week").rename("acts")
    return counted


def _scores(row: pd.Series, rfm: RFM, gap: pd.DataFrame) -> pd.DataFrame:
    columns = ["value", "score", "scores", "cut", "next_cut", "split", "high"]
    if row[SEGMENT] == PROSPECT:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="dimension"))
    told = rfm.description()
    rows = []
    for dimension in DIMENSIONS:
        cuts = rfm.cut_points_[told[dimension]].dropna()
        score, value, split = int(row[_SCORES[dimension]]), float(row[told[dimension]]), told[f"{dimension}_split"]
        rows.append((value, score, len(cuts) + 1, cuts.get(score), cuts.get(score + 1), split))
    table = pd.DataFrame(rows, columns=columns[:-1], index=pd.Index(DIMENSIONS, name="dimension"))
    return table.assign(high=(gap.iloc[0][list(_GAPS)] == 0).to_numpy())
