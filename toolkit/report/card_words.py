"""What a customer's card says: title, verdict, strip of figures, and why each score is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.report.headline import Figure
from toolkit.report.results import is_published
from toolkit.report.words import MISSING
from toolkit.schema import ORDER_COUNT, RECENCY_DAYS, REPEAT_SPEND, SPEND, WINDOW_SPEND

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.report.card_facts import CustomerFacts
    from toolkit.report.frame import Frame

GAPS = {"recency": "recency_gap_days", "frequency": "order_days_gap", "monetary": "spend_gap"}
MONEY = (
    SPEND, WINDOW_SPEND, "mean_order_value", "last_order_value", "max_price", "refund_amount", REPEAT_SPEND,
    "acquisition_cost",
)  # fmt: skip
_SHARES = ("completion_rate", "discount_share", "high_band_share", "low_band_share")
_LEVELS = ("main_price_band",)
_BETTER = {"recency": "under", "frequency": "over", "monetary": "over"}
_STRIP = (
    WINDOW_SPEND, ORDER_COUNT, RECENCY_DAYS, "mean_order_value", "joined_date", "active_days_30d", "contacts_30d",
    SPEND, "refund_amount", "opens_30d", "intent_30d",
)  # fmt: skip
_OF_BUYERS = (WINDOW_SPEND, ORDER_COUNT, SPEND, "refund_amount")
_STRIP_LENGTH = 6


def title(card: CustomerFacts) -> str:
    """Name the customer; on a published page nobody is named."""
    words = card.frame.words
    return words.say("card_title_hidden") if is_published() else words.say("card_title", id=card.customer_id)


def verdict(card: CustomerFacts) -> str:
    """Say which type the customer is and what is missing to the core."""
    words = card.frame.words
    row = card.gap.iloc[0]
    if pd.isna(row["shortest"]):
        standing = words.say("card_core", day=words.date(row["keep_until"].date()))
    else:
        dimension = str(row["shortest"])
        standing = words.say("card_short", dimension=words.label(dimension), gap=gap(card, dimension))
    name, traits = words.segment(card.segment), words.describe(card.segment)
    return words.say("card_verdict", segment=name, traits=traits, standing=standing)


def strip(card: CustomerFacts) -> tuple[Figure, ...]:
    """Return the first figures of the card; a prospect has none of orders."""
    words, known = card.frame.words, card.figures["value"]
    if card.is_prospect:
        known = pd.concat([card.portrait["value"], known.drop(list(_OF_BUYERS))])
    names = [name for name in _STRIP if name in known.index]
    opened = known.get("contact_opens_30d", 0) if known.get("contacts_30d", 0) else None
    notes = {} if opened is None else {"contacts_30d": words.say("card_opened", n=words.number(float(opened)))}
    return tuple(
        Figure(words.label(name), write(name, known[name], card.frame), notes.get(name, ""))
        for name in names[:_STRIP_LENGTH]
    )


def finding(card: CustomerFacts) -> str:
    """Say what the timeline shows."""
    frame, known = card.frame, card.figures["value"]
    if card.is_prospect:
        return frame.say("card_timeline_prospect")
    told = {"orders": f"{int(known[ORDER_COUNT]):,}", "spend": frame.exact(float(known[SPEND]))}
    return frame.say("card_timeline", last=frame.words.date(known["last_order_date"].date()), **told)


def alternative_text(card: CustomerFacts) -> str:
    """Say in words what the picture of the timeline shows."""
    lived = card.timeline
    messages = lived[lived["table"] == "contacts"]
    return card.frame.say(
        "card_alt",
        title=finding(card),
        messages=f"{len(messages):,}",
        opened=f"{int((messages['kind'] == 'opened').sum()):,}",
        acts=f"{int((lived['table'] == 'events').sum()):,}",
    )


def reason(card: CustomerFacts, dimension: str) -> str:
    """Say why a customer has a score, and why it is high or low, with the cuts in natural units."""
    words, row = card.frame.words, card.scores.loc[dimension]
    better, unit = words.label(_BETTER[dimension]), _unit(dimension, card.frame)
    cut, following = row["cut"], row["next_cut"]
    if row["scores"] == 1:
        key = "score_only"
    elif pd.isna(following):
        key = "score_best"
    else:
        key = "score_worst" if pd.isna(cut) else "score_between"
    told = {name: "" if pd.isna(value) else unit(float(value)) for name, value in (("cut", cut), ("next", following))}
    text = words.say(key, score=str(row["score"]), better=better, **told)
    side = words.say("side_high" if row["high"] else "side_low", better=better, split=unit(float(row["split"])))
    return text + side


def measured(card: CustomerFacts, dimension: str) -> str:
    """Write what was measured of a dimension, in its unit."""
    return _unit(dimension, card.frame)(float(card.scores["value"][dimension]))


def gap(card: CustomerFacts, dimension: str) -> str:
    """Say what is missing to be high on a dimension, or until when recency stays high."""
    words, row = card.frame.words, card.gap.iloc[0]
    size = row[GAPS[dimension]]
    if pd.isna(size):
        return MISSING
    if size == 0:
        kept = dimension == "recency" and pd.notna(row["keep_until"])
        return words.say("gap_kept", day=words.date(row["keep_until"].date())) if kept else MISSING
    if dimension == "monetary":
        return words.say("gap_monetary", n=card.frame.exact(float(size)))
    return words.say(f"gap_{dimension}{'_one' if size == 1 else ''}", n=words.number(float(size)))


def write(name: str, value: object, frame: Frame) -> str:
    """Write a value of the snapshot or of the table of customers as its column asks."""
    words = frame.words
    if isinstance(value, pd.Timestamp):
        return words.date(value.date())
    if isinstance(value, str) and name in _LEVELS:
        return words.label(value)
    if isinstance(value, str):
        return words.label(f"membership_{value}") if name == "membership_state" else value
    if isinstance(value, bool | np.bool_):
        return words.label("yes" if value else "no")
    number = float(str(value))
    if name in MONEY:
        return frame.exact(number)
    return words.percent(number) if name in _SHARES else words.number(number)


def _unit(dimension: str, frame: Frame) -> Callable[[float], str]:
    if dimension == "monetary":
        return frame.exact
    return lambda days: frame.words.say("n_days_one" if days == 1 else "n_days", n=frame.words.number(days))
