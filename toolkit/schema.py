"""The data contract: tables, columns, their kinds and the headers by which exports name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

Fate = Literal["used", "refund", "duplicate", "cancelled", "excluded", "quarantined", "later"]

FATES: tuple[Fate, ...] = ("used", "refund", "duplicate", "cancelled", "excluded", "quarantined", "later")

FIRST_ORDER_DATE = "first_order_date"
LAST_ORDER_DATE = "last_order_date"
RECENCY_DAYS = "recency_days"
TENURE_DAYS = "tenure_days"
ORDER_COUNT = "order_count"
ORDER_DAYS = "order_days"
SPEND = "spend"
WINDOW_ORDER_DAYS = "window_order_days"
WINDOW_SPEND = "window_spend"
R_SCORE, F_SCORE, M_SCORE = "r_score", "f_score", "m_score"
SEGMENT = "segment"
REPEAT_SPEND = "repeat_spend"
MEAN_GAP_DAYS = "mean_gap_days"
LANDMARK, DURATION_DAYS, EVENT, ENTRY_DAYS = "landmark", "duration_days", "event", "entry_days"

SEGMENTS: tuple[str, ...] = (
    "champions",
    "big_occasional",
    "lapsing_core",
    "slipping_big",
    "loyal_small",
    "newcomers",
    "fading_regulars",
    "lost",
)
"""The eight types in the order of their numbers 1 to 8."""
PROSPECT = "prospect"


@dataclass(frozen=True)
class SnapshotColumn:
    """One column of the snapshot: name, pandas dtype, unit and meaning, and the block of features that computes it."""

    name: str
    dtype: str
    unit: str
    meaning: str
    block: str

    @property
    def never_missing(self) -> bool:
        """Whether every customer has a value: counts and sums are 0 where there is nothing."""
        return self.dtype in ("int64", "bool") or self.name in _SUMS


_SUMS = (SPEND, WINDOW_SPEND, "refund_amount", REPEAT_SPEND, "stay_seconds_30d")
_DAY = "datetime64[s]"

# fmt: off
SNAPSHOT: tuple[SnapshotColumn, ...] = (
    SnapshotColumn(FIRST_ORDER_DATE, _DAY, "local day", "first day with a used order line", "days"),
    SnapshotColumn(LAST_ORDER_DATE, _DAY, "local day", "last day with a used order line", "days"),
    SnapshotColumn(RECENCY_DAYS, "float64", "days", "as_of minus the last order day; missing for never-buyers", "days"),
    SnapshotColumn(TENURE_DAYS, "float64", "days", "as_of minus the first order day; missing for never-buyers", "days"),
    SnapshotColumn(ORDER_COUNT, "int64", "orders", "distinct orders (lines where there is no order_id)", "orders"),
    SnapshotColumn(ORDER_DAYS, "int64", "days", "distinct days with an order", "days"),
    SnapshotColumn(SPEND, "float64", "currency", "paid minus refunded, ever", "days"),
    SnapshotColumn(WINDOW_ORDER_DAYS, "int64", "days", "distinct days with an order in the window", "days"),
    SnapshotColumn(WINDOW_SPEND, "float64", "currency", "paid minus refunded in the window", "days"),
    SnapshotColumn("mean_order_value", "float64", "currency", "paid (before refunds) per order", "orders"),
    SnapshotColumn("last_order_value", "float64", "currency", "paid in the last order (before refunds)", "orders"),
    SnapshotColumn("max_price", "float64", "currency", "highest price paid for one unit", "orders"),
    SnapshotColumn("refund_amount", "float64", "currency", "refunded, ever, as a positive number", "days"),
    SnapshotColumn(MEAN_GAP_DAYS, "float64", "days", "mean days between order days; missing under two order days", "days"),
    SnapshotColumn(REPEAT_SPEND, "float64", "currency", "paid (before refunds) on order days after the first", "repeats"),
    SnapshotColumn("joined_date", _DAY, "local day", "day the customer joined", "people"),
    SnapshotColumn("acquisition_channel", "str", "text", "where the customer came from", "people"),
    SnapshotColumn("persona", "str", "text", "persona as the business names it", "people"),
    SnapshotColumn("gender", "str", "text", "gender as recorded", "people"),
    SnapshotColumn("age_band", "str", "text", "age band as recorded", "people"),
    SnapshotColumn("region", "str", "text", "region as recorded", "people"),
    SnapshotColumn("occupation", "str", "text", "occupation as recorded", "people"),
    SnapshotColumn("interests", "str", "text", "interests as recorded", "people"),
    SnapshotColumn("followers", "float64", "people", "followers as recorded", "people"),
    SnapshotColumn("override", "str", "text", "tiers set by hand: scheme=class; scheme=class", "people"),
    SnapshotColumn("referrals", "int64", "customers", "customers who name this one as their referrer", "referrals"),
    SnapshotColumn("discount_share", "float64", "share", "discount off the list price of what was paid in the window; missing without list prices", "discounts"),
    SnapshotColumn("last_active_date", _DAY, "local day", "last day with an act of the customer's own (answers of the service are none)", "events"),
    SnapshotColumn("active_days", "int64", "days", "days with an act in the window", "events"),
    SnapshotColumn("active_days_30d", "int64", "days", "days with an act in the last 30 days", "events"),
    SnapshotColumn("interactions", "int64", "acts", "likes, comments, shares and check-ins in the window", "events"),
    SnapshotColumn("interactions_30d", "int64", "acts", "likes, comments, shares and check-ins in the last 30 days", "events"),
    SnapshotColumn("interaction_rate", "float64", "acts per day", "interactions per active day in the window; missing without active days", "events"),
    SnapshotColumn("opens", "int64", "acts", "opens in the window", "events"),
    SnapshotColumn("opens_30d", "int64", "acts", "opens in the last 30 days", "events"),
    SnapshotColumn("stay_seconds_30d", "float64", "seconds", "time spent in the last 30 days", "events"),
    SnapshotColumn("lessons_started", "int64", "lessons", "different lessons started or completed, ever", "lessons"),
    SnapshotColumn("lessons_completed", "int64", "lessons", "different lessons completed, ever", "lessons"),
    SnapshotColumn("completion_rate", "float64", "share", "lessons completed of those started; missing where none was", "lessons"),
    SnapshotColumn("intent_30d", "int64", "products", "priced products viewed or clicked in the last 30 days and not ordered since", "intent"),
    SnapshotColumn("contacts_7d", "int64", "messages", "messages sent and not undelivered in the last 7 days", "contacts"),
    SnapshotColumn("contacts_30d", "int64", "messages", "the same in the last 30 days", "contacts"),
    SnapshotColumn("contacts_90d", "int64", "messages", "the same in the last 90 days", "contacts"),
    SnapshotColumn("contact_opens_7d", "int64", "messages", "messages of the last 7 days that were opened", "contacts"),
    SnapshotColumn("contact_opens_30d", "int64", "messages", "messages of the last 30 days that were opened", "contacts"),
    SnapshotColumn("contact_opens_90d", "int64", "messages", "messages of the last 90 days that were opened", "contacts"),
    SnapshotColumn("offers", "int64", "messages", "messages with an offer, sent and not undelivered, ever", "contacts"),
    SnapshotColumn("days_since_contact", "float64", "days", "as_of minus the day of the last message; missing where none was sent", "contacts"),
    SnapshotColumn("opted_out", "bool", "yes or no", "has asked for no more messages, in the contact log, by unfollowing or in the table customers", "opt_out"),
    SnapshotColumn("last_nps", "float64", "0 to 10", "last NPS answer, ever", "surveys"),
    SnapshotColumn("days_since_nps", "float64", "days", "as_of minus the day of that answer", "surveys"),
    SnapshotColumn("membership_state", "str", "text", "member (a period covers as_of), lapsed (one did), trial (a free order, no period), else prospect", "memberships"),
    SnapshotColumn("membership_end_date", _DAY, "local day", "last day of the latest period; missing where it has no end", "memberships"),
    SnapshotColumn("idle_days", "float64", "days", "as_of minus the last day with an order or an act; for one without either, since first seen", "idle"),
    SnapshotColumn("top_layer", "str", "text", "highest product layer ever bought; missing where none was", "layers"),
    SnapshotColumn("lead_in_product", "str", "text", "first product bought of the lowest layer", "layers"),
    SnapshotColumn("lines", "int64", "lines", "paid order lines in the window", "bands"),
    SnapshotColumn("main_price_band", "str", "text", "price band (low, mid, high) with the largest part of what was paid in the window; ties to the higher", "bands"),
    SnapshotColumn("high_band_share", "float64", "share", "share of these lines in the highest price band; missing without lines", "bands"),
    SnapshotColumn("low_band_share", "float64", "share", "share of these lines in the lowest price band; missing without lines", "bands"),
)

UNDATED = ("persona", "age_band", "region", "occupation", "interests", "followers", "override", "opted_out")
"""Snapshot columns that change over time, and that the table customers only dates by its valid_from."""


def as_day(value: object, *, name: str = "as_of") -> date:
    """Take a date, a timestamp at midnight or ISO text as a local day.

    Raises
    ------
    ArgumentError
        The value is missing or is not a whole day.

    Examples
    --------
    >>> as_day("2026-10-31")
    datetime.date(2026, 10, 31)
    """
    try:
        moment = value if isinstance(value, date) and value == value else datetime.fromisoformat(str(value))  # noqa: PLR0124 - NaT is not itself
    except ValueError:
        raise ArgumentError("date", f"{name} is not a date: {value!r}", hint=f'{name}="2026-10-31"') from None
    if isinstance(moment, datetime):
        if (moment.hour, moment.minute, moment.second) != (0, 0, 0):
            raise ArgumentError("date", f"{name} is a whole day, not a moment: {value!r}", hint=f'{name}="{moment:%Y-%m-%d}"')
        return moment.date()
    return moment


def refuse_undated(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse to learn from columns whose past is unknown: the model would see the future.

    Parameters
    ----------
    frame
        A snapshot; ``attrs["not_point_in_time"]`` names such columns.
    columns
        What the model is about to use.

    Raises
    ------
    ArgumentError
        One of them is not point-in-time.

    Examples
    --------
    >>> import pandas as pd
    >>> snap = pd.DataFrame({"persona": ["student"], "spend": [5.0]})
    >>> snap.attrs["not_point_in_time"] = ("persona",)
    >>> refuse_undated(snap, ["spend"])
    >>> refuse_undated(snap, ["persona"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    toolkit.errors.ArgumentError: E-not-point-in-time: persona: known as exported, not as of the date... Try: ...
    """
    barred = [name for name in columns if name in frame.attrs.get("not_point_in_time", ())]
    if barred:
        raise ArgumentError(
            "not-point-in-time",
            f"{', '.join(barred)}: known as exported, not as of the date, so no model may learn from it",
            hint="leave it out, or tables: {customers: {columns: {valid_from: YOUR HEADER}}}",
        )
