"""The made-up course seller's engagement: sessions, looks at a product before it is bought, lessons, service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_community as community
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_columns import DAY_SECONDS, choose, clock, labelled, moments, text, within
from toolkit.data.synthetic_orders import PAID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.data.synthetic_identities import Ids

KIND = {kind: code for code, kind in enumerate(community.EVENT_KINDS)}
CHANNELS = tuple(market.SALES_CHANNELS)
_ITEMS = list(market.PRODUCTS.values())
LESSON_COUNTS = np.array([community.LESSONS.get((item.kind, item.layer), 0) for item in _ITEMS])
"""Lessons of each product."""
_LESSON_NAMES = [
    f"{name}-L{number:02d}"
    for name, count in zip(market.PRODUCTS, LESSON_COUNTS, strict=True)
    for number in range(1, count + 1)
]
CONTENTS = (*market.PRODUCTS, *_LESSON_NAMES, *community.ARTICLES)
_FIRST_LESSON = len(market.PRODUCTS) + np.cumsum(LESSON_COUNTS) - LESSON_COUNTS
_FIRST_ARTICLE = len(market.PRODUCTS) + len(_LESSON_NAMES)
_COURSES = np.array([code for code, item in enumerate(_ITEMS) if item.kind == "course"])


def levels(rng: np.random.Generator, people: pd.DataFrame, process: pd.DataFrame) -> pd.DataFrame:
    """Draw each one's ``engagement`` (around 1), ``completion`` probability and when each ``leaves`` (process days)."""
    size = len(people)
    strength = process["purchase_rate"].to_numpy() / market.PURCHASE_MEAN
    noise = rng.normal(0.0, community.ENGAGEMENT_NOISE, size)
    engagement = strength**community.ENGAGEMENT_POWER * np.exp(noise)
    odds = community.COMPLETION_LEVEL + rng.normal(0.0, community.COMPLETION_NOISE, size)
    odds += community.COMPLETION_ENGAGEMENT * np.log(engagement)
    interest = people["joined"].to_numpy() + rng.exponential(community.INTEREST_DAYS, size)
    return pd.DataFrame(
        {
            "engagement": engagement,
            "completion": 1 / (1 + np.exp(-odds)),
            "leaves": np.where(process["buyer"], process["end"], interest),
        }
    )


def acts(
    customer: NDArray[np.int32],
    second: NDArray[np.int64],
    kind: NDArray[np.int8] | str,
    channel: NDArray[np.int8],
    *,
    content: NDArray[np.integer] | int = -1,
    duration: NDArray[np.integer] | int = -1,
) -> pd.DataFrame:
    """Return events as codes, as narrow as they are; -1 is missing."""
    return pd.DataFrame(
        {
            "customer": customer,
            "second": second,
            "kind": np.int8(KIND[kind]) if isinstance(kind, str) else kind,
            "channel": channel,
            "content": np.asarray(content, dtype=np.int16),
            "duration": np.asarray(duration, dtype=np.int16),
        }
    )


def sessions(rng: np.random.Generator, people: pd.DataFrame, level: pd.DataFrame, days: int) -> list[pd.DataFrame]:
    """Draw sessions: from joining to leaving at the engagement's rate, then fading, then none."""
    joined, leaves = people["joined"].to_numpy(), level["leaves"].to_numpy()
    rate = community.SESSIONS * level["engagement"].to_numpy()
    span = np.minimum(leaves, days) - joined
    lively = rng.poisson(rate * span)
    late = rng.poisson(rate * np.where(leaves < days, community.FADE_SHARE * community.FADE_DAYS, 0.0))
    everybody = np.arange(len(people), dtype=np.int32)
    customer = np.concatenate([np.repeat(everybody, lively), np.repeat(everybody, late)])
    at = np.concatenate(
        [
            joined[customer[: lively.sum()]] + rng.random(lively.sum()) * span[customer[: lively.sum()]],
            leaves[customer[lively.sum() :]] + rng.exponential(community.FADE_DAYS, late.sum()),
        ]
    )
    kept = (at < days) & (at < leaves[customer] + community.SILENT_AFTER)
    customer, at = customer[kept], at[kept]
    second = clock(at, people["persona"].to_numpy()[customer])
    channel = choose(rng, list(market.SALES_CHANNELS.values()), len(customer))
    reads = np.isin(channel, [CHANNELS.index(community.WECOM), CHANNELS.index(community.SERVICE_ACCOUNT)])
    article = _FIRST_ARTICLE + rng.integers(0, len(community.ARTICLES), len(customer))
    first = acts(
        customer,
        second,
        np.where(reads, KIND["open"], KIND["login"]).astype(np.int8),
        channel,
        content=np.where(reads, article, -1),
    )
    more = rng.poisson(community.ACTS_PER_SESSION, len(customer))
    pace = rng.integers(15, 120, len(customer))
    row = np.repeat(np.arange(len(customer)), more)
    second = second[row] + (1 + within(more)) * pace[row]
    row, second = row[second < days * DAY_SECONDS], second[second < days * DAY_SECONDS]
    return [first, _session_acts(rng, customer[row], second, channel[row])]


def _session_acts(
    rng: np.random.Generator, customer: NDArray[np.int32], second: NDArray[np.int64], channel: NDArray[np.int8]
) -> pd.DataFrame:
    size = len(customer)
    kind = choose(rng, list(community.ACTS.values()), size)
    priced = (kind == KIND["click"]) | ((kind == KIND["view"]) & (rng.random(size) < community.VIEWS_OF_PRODUCTS))
    content = _FIRST_ARTICLE + rng.integers(0, len(community.ARTICLES), size, dtype=np.int16)
    content[priced] = rng.choice(_COURSES, int(priced.sum()))
    content[kind == KIND["check_in"]] = -1
    duration = np.full(size, -1, dtype=np.int16)
    viewed = kind == KIND["view"]
    duration[viewed] = _stay(rng, int(viewed.sum()))
    return acts(customer, second, kind, channel, content=content, duration=duration)


def _stay(rng: np.random.Generator, size: int) -> NDArray[np.int64]:
    return np.clip(rng.lognormal(3.7, 0.8, size), 3, 1_800).astype(np.int64)


def approaches(rng: np.random.Generator, people: pd.DataFrame, bought: pd.DataFrame) -> list[pd.DataFrame]:
    """Draw looks at a product in the days before each purchase of it: views, some with a click."""
    row = np.repeat(np.arange(len(bought)), rng.poisson(community.APPROACHES, len(bought)))
    customer = bought["customer"].to_numpy()
    at = bought["at"].to_numpy()[row] - rng.exponential(community.APPROACH_DAYS, len(row))
    later = at >= people["joined"].to_numpy()[customer[row]]
    row, at = row[later], at[later]
    product, customer = bought["product"].to_numpy()[row], customer[row]
    second = clock(at, people["persona"].to_numpy()[customer])
    channel = choose(rng, list(market.SALES_CHANNELS.values()), len(row))
    views = acts(customer, second, "view", channel, content=product, duration=_stay(rng, len(row)))
    clicked = rng.random(len(row)) < community.APPROACH_CLICKS
    moment = np.minimum(second + rng.integers(10, 180, len(row)), bought["second"].to_numpy()[row])
    clicks = acts(customer[clicked], moment[clicked], "click", channel[clicked], content=product[clicked])
    return [views, clicks]


def lessons(
    rng: np.random.Generator,
    people: pd.DataFrame,
    level: pd.DataFrame,
    lines: pd.DataFrame,
    *,
    closed_from: NDArray[np.int64],
    days: int,
) -> list[pd.DataFrame]:
    """Draw lessons from the day after a course is bought or tried until leaving.

    Parameters
    ----------
    rng
        Where chance comes from.
    people, level
        As `synthetic_people.join` and `levels` return them.
    lines
        Order lines, as `synthetic_orders.till` returns them.
    closed_from
        Per customer, second from which the window of the experiment holds its own lessons instead; -1 for none.
    days
        Length of the whole time.
    """
    courses = lines.loc[(lines["line"] == 1) & (lines["status"] == PAID) & (LESSON_COUNTS[lines["product"]] > 0)]
    begun = rng.random(len(courses)) < community.BEGUN
    reached = np.minimum(rng.geometric(community.LAST_LESSON, len(courses)), LESSON_COUNTS[courses["product"]])
    count = np.where(begun, reached, 0)
    row, number = np.repeat(np.arange(len(courses)), count), within(count)
    passed = np.cumsum(rng.exponential(community.LESSON_DAYS, len(row)))
    bought = courses["second"].to_numpy() // DAY_SECONDS
    at = bought[row] + 1 + rng.random(len(courses))[row] + passed - passed[np.arange(len(row)) - number]
    customer = courses["customer"].to_numpy()[row]
    kept = at < np.minimum(level["leaves"].to_numpy()[customer], days)
    row, number, customer, at = row[kept], number[kept], customer[kept], at[kept]
    content = _FIRST_LESSON[courses["product"].to_numpy()[row]] + number
    second = clock(at, people["persona"].to_numpy()[customer])
    completed = rng.random(len(row)) < level["completion"].to_numpy()[customer]
    start, done = taken(rng, customer, second, content, completed)
    end = closed_from[customer] + community.OUTCOME_DAYS * DAY_SECONDS
    outside = (closed_from[customer] < 0) | (second + _LONGEST < closed_from[customer]) | (second >= end)
    done_outside = outside[completed] & (done["second"] < days * DAY_SECONDS).to_numpy()
    return [start.loc[outside], done.loc[done_outside]]


_SHORTEST, _LONGEST = 300, 2_400
"""Seconds that a lesson takes."""


def taken(
    rng: np.random.Generator,
    customer: NDArray[np.int32],
    second: NDArray[np.int64],
    content: NDArray[np.int64],
    completed: NDArray[np.bool_],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return lessons as events: their starts, and the completions; who does not complete stays half as long."""
    channel = choose(rng, list(market.SALES_CHANNELS.values()), len(customer))
    length = rng.integers(_SHORTEST, _LONGEST, len(customer))
    stay = np.where(completed, -1, length // 2)
    starts = acts(customer, second, "lesson_start", channel, content=content, duration=stay)
    done = acts(
        customer[completed],
        (second + length)[completed],
        "lesson_complete",
        channel[completed],
        content=content[completed],
        duration=length[completed],
    )
    return starts, done


def lesson_of(product: NDArray[np.int8], number: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the content of lessons of products, numbered from 0."""
    content: NDArray[np.int64] = _FIRST_LESSON[product] + number
    return content


def service(
    rng: np.random.Generator, people: pd.DataFrame, level: pd.DataFrame, bought: pd.DataFrame, days: int
) -> list[pd.DataFrame]:
    """Draw complaints after purchases, and the service's replies and follow-ups."""
    complained = np.flatnonzero(rng.random(len(bought)) < community.COMPLAINED)
    at = bought["at"].to_numpy()[complained] + rng.exponential(community.COMPLAINT_DAYS, len(complained))
    customer = bought["customer"].to_numpy()[complained]
    kept = at < np.minimum(level["leaves"].to_numpy()[customer], days)
    customer, at = customer[kept], at[kept]
    size = len(customer)
    second = clock(at, people["persona"].to_numpy()[customer])
    channel = rng.choice([CHANNELS.index(community.WECOM), CHANNELS.index(community.SERVICE_ACCOUNT)], size)
    reply = second + 600 + (3_600 * rng.exponential(community.REPLY_HOURS, size)).astype(np.int64)
    follow_up = reply + rng.integers(DAY_SECONDS, 3 * DAY_SECONDS, size)
    replied = rng.random(size) < community.REPLIED
    followed = replied & (rng.random(size) < community.FOLLOWED_UP)
    parts = []
    for kind, moment, done in (
        ("complaint", second, np.ones(size, dtype=bool)),
        ("reply", reply, replied),
        ("follow_up", follow_up, followed),
    ):
        seen = done & (moment < days * DAY_SECONDS)
        parts.append(acts(customer[seen], moment[seen], kind, channel[seen].astype(np.int8)))
    return parts


def exported_events(parts: list[pd.DataFrame], ids: Ids, origin: np.datetime64) -> pd.DataFrame:
    """Return events in order of time as an export writes them; see `toolkit.data.synthetic.course_seller`."""
    order = np.argsort(np.concatenate([part["second"] for part in parts]), kind="stable")
    column = {name: np.concatenate([part[name] for part in parts])[order] for name in parts[0]}
    kind, content, duration = column["kind"], column["content"], column["duration"]
    prices = np.full(len(CONTENTS), np.nan)
    prices[: len(_ITEMS)] = [item.list_price for item in _ITEMS]
    return pd.DataFrame(
        {
            "customer_id": text(ids.written(column["customer"], column["channel"], CHANNELS)),
            "occurred_at": moments(origin, column["second"]),
            "kind": labelled(kind, community.EVENT_KINDS),
            "channel": labelled(column["channel"], CHANNELS),
            "content_id": labelled(content, CONTENTS),
            "duration_seconds": np.where(duration < 0, np.nan, duration),
            "value": np.where(content < 0, np.nan, prices[content]),
        }
    )
