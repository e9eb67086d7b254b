"""The made-up course seller's message log: routine messages that keep the rules, and messages that break them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_community as community
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_columns import DAY_SECONDS, choose, labelled, moments, text
from toolkit.data.synthetic_experiment import NEVER, tier_at
from toolkit.data.synthetic_orders import PAID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.data.synthetic_identities import Ids

CHANNELS = tuple(community.CONTACT_CHANNELS)
KIND = {kind: code for code, kind in enumerate(community.OFFER_KINDS)}
BREAKING: tuple[str, ...] = ("PUSH-TRIAL-COURSE", "FIXED-HOUR", "WELCOME-PREMIUM", "FLASH")
"""Campaigns that break rules; all others, which are numbered by weeks, keep them."""
PUSH, FIXED_HOUR, WELCOME, FLASH = range(len(BREAKING))
_PERSONAS = list(market.PERSONAS)
_HOURS = np.array([community.SEND_HOURS[name] for name in _PERSONAS])
_PRICES = np.array([item.list_price for item in market.PRODUCTS.values()])
_ITEMS = list(market.PRODUCTS.values())
_OFFERED = [
    np.array([code for code, item in enumerate(_ITEMS) if item.kind == "course" and item.layer == layer])
    for layer in range(len(market.LAYERS))
]


def contacts(
    rng: np.random.Generator,
    people: pd.DataFrame,
    level: pd.DataFrame,
    times: NDArray[np.int64],
    days: int,
) -> pd.DataFrame:
    """Draw the messages, by customer and time.

    Returns
    -------
    pandas.DataFrame
        ``customer``, ``second``, ``campaign``, ``kind`` and ``channel`` (codes), ``price`` (yuan, missing without an
        offer), ``delivered``, ``opened``, ``opted_out``, ``after_opt_out``.
    """
    parts = [
        _push(rng, people, days),
        _fixed_hour(rng, people, days),
        _welcome(rng, people),
        _crowd(rng, people, days),
        _routine(rng, people, times, days),
    ]
    sent = pd.concat(parts, ignore_index=True).astype({"campaign": "int16", "kind": "int8", "customer": "int32"})
    sent = sent.take(np.lexsort((sent["second"], sent["customer"]))).reset_index(drop=True)
    sent["channel"] = choose(rng, list(community.CONTACT_CHANNELS.values()), len(sent))
    return _answered(rng, people, level, sent)


def _sent(
    customer: NDArray[np.integer], second: NDArray[np.int64], campaign: object, kind: object, price: object
) -> pd.DataFrame:
    return pd.DataFrame({"customer": customer, "second": second, "campaign": campaign, "kind": kind, "price": price})


def _routine(rng: np.random.Generator, people: pd.DataFrame, times: NDArray[np.int64], days: int) -> pd.DataFrame:
    joined = np.floor(people["joined"].to_numpy()).astype(np.int64)
    customer = np.repeat(np.arange(len(people), dtype=np.int32), rng.poisson(community.MESSAGES * (days - 1 - joined)))
    after = 1 + np.floor(rng.random(len(customer)) * (days - 1 - joined[customer])).astype(np.int64)
    day = joined[customer] + after
    second = _in_send_hours(rng, people, customer, day)
    tier = tier_at(times, customer, second)
    upsell = np.minimum(tier, len(market.LAYERS) - 1)
    product = np.empty(len(customer), dtype=np.int64)
    for layer, offered in enumerate(_OFFERED):
        product[upsell == layer] = rng.choice(offered, int((upsell == layer).sum()))
    price = _PRICES[product]
    too_early = (price >= community.HIGH_PRICE) & (after < community.HIGH_PRICE_AFTER)
    plain = too_early | (rng.random(len(customer)) < community.CONTENT_ONLY)
    kind = np.where(plain, KIND["content"], KIND["course"])
    campaign = len(BREAKING) + 2 * (day // 7) + kind
    return _sent(customer, second, campaign, kind, np.where(plain, np.nan, price))


def _in_send_hours(
    rng: np.random.Generator, people: pd.DataFrame, customer: NDArray[np.int32], day: NDArray[np.int64]
) -> NDArray[np.int64]:
    hours = _HOURS[people["persona"].to_numpy()[customer]]
    part = rng.random(len(customer)) * (hours[:, 1] - hours[:, 0])
    second: NDArray[np.int64] = day * DAY_SECONDS + (3_600 * (hours[:, 0] + part)).astype(np.int64)
    return second


def _push(rng: np.random.Generator, people: pd.DataFrame, days: int) -> pd.DataFrame:
    start = int(days * community.PUSHED_ON) * DAY_SECONDS + 20 * 3_600
    customer = np.flatnonzero(people["joined_second"].to_numpy() < start)
    second = start + rng.integers(0, 1_800, len(customer))
    return _sent(customer, second, PUSH, KIND["trial_course"], community.PUSHED_PRICE)


def _fixed_hour(rng: np.random.Generator, people: pd.DataFrame, days: int) -> pd.DataFrame:
    joined, persona = people["joined_second"].to_numpy(), people["persona"].to_numpy()
    parts = []
    for name, hour in community.DISTURBED.items():
        for part in community.DISTURBED_ON:
            start = int(days * part) * DAY_SECONDS + hour * 3_600
            chosen = rng.random(len(people)) < community.DISTURBED_SHARE
            customer = np.flatnonzero((persona == _PERSONAS.index(name)) & (joined < start) & chosen)
            second = start + rng.integers(0, 300, len(customer))
            parts.append(_sent(customer, second, FIXED_HOUR, KIND["content"], np.nan))
    return pd.concat(parts, ignore_index=True)


def _welcome(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    joined = people["joined_second"].to_numpy()
    second = joined + rng.integers(60, community.EARLY_SECONDS, len(people))
    same_day = second // DAY_SECONDS == joined // DAY_SECONDS
    customer = np.flatnonzero(same_day & (rng.random(len(people)) < community.EARLY))
    price = rng.choice(_PRICES[_OFFERED[-1]], len(customer))
    return _sent(customer, second[customer], WELCOME, KIND["course"], price)


def _crowd(rng: np.random.Generator, people: pd.DataFrame, days: int) -> pd.DataFrame:
    first = np.floor(people["joined"].to_numpy()).astype(np.int64) + 1
    crowded = np.flatnonzero((rng.random(len(people)) < community.CROWDED) & (first < days))
    customer = np.repeat(crowded.astype(np.int32), community.CROWD)
    day = np.repeat(rng.integers(first[crowded], days), community.CROWD)
    return _sent(customer, _in_send_hours(rng, people, customer, day), FLASH, KIND["content"], np.nan)


def _answered(rng: np.random.Generator, people: pd.DataFrame, level: pd.DataFrame, sent: pd.DataFrame) -> pd.DataFrame:
    customer, second = sent["customer"].to_numpy(), sent["second"].to_numpy()
    size, breaking = len(sent), sent["campaign"].to_numpy() < len(BREAKING)
    delivered = rng.random(size) < community.DELIVERED
    engagement = level["engagement"].to_numpy()[customer]
    hour = second % DAY_SECONDS // 3_600
    active = np.array([kind.active for kind in market.PERSONAS.values()])[people["persona"].to_numpy()[customer]]
    chance = community.OPENED * engagement / (1 + engagement)
    chance *= np.where((hour >= active[:, 0]) & (hour < active[:, 1]), 1.0, community.OFF_HOURS)
    chance *= np.where(second < level["leaves"].to_numpy()[customer] * DAY_SECONDS, 1.0, community.AFTER_LEAVING)
    opened = delivered & (rng.random(size) < chance)
    fed_up = delivered & (rng.random(size) < np.where(breaking, community.OPT_OUT_DISTURBED, community.OPT_OUT))
    place = np.flatnonzero(fed_up)[::-1]
    first = np.full(len(people), size)
    first[customer[place]] = place
    opted_out_at = np.append(second, NEVER)[first][customer]
    after = second > opted_out_at
    kept: NDArray[np.bool_] = ~after | breaking | (rng.random(size) < community.STILL_WRITTEN_TO)
    answered = sent.assign(
        delivered=delivered,
        opened=opened & ~after,
        opted_out=first[customer] == np.arange(size),
        after_opt_out=after,
    )
    return answered.loc[kept]


def broken_rules(sent: pd.DataFrame, people: pd.DataFrame, lines: pd.DataFrame) -> dict[str, int]:
    """Count the messages that break each rule, by what the tables show."""
    customer, second = sent["customer"].to_numpy(), sent["second"].to_numpy()
    price, day = sent["price"].to_numpy(), second // DAY_SECONDS
    premium = np.array([item.layer == len(market.LAYERS) - 1 for item in _ITEMS])
    plain = (lines["status"] == PAID) & (lines["cents"] > 0) & ~lines["nobody"] & ~lines["unreadable"]
    dear = lines.loc[plain & premium[lines["product"]]].iloc[::-1]
    premium_since = np.full(len(people), NEVER)
    premium_since[dear["customer"]] = dear["second"]
    joined = people["joined_second"].to_numpy()[customer] // DAY_SECONDS
    hour = second % DAY_SECONDS // 3_600
    disturbing = np.array([community.DISTURBED.get(name, -1) for name in _PERSONAS])
    starts = np.flatnonzero((np.diff(customer, prepend=-1) != 0) | (np.diff(day, prepend=-1) != 0))
    on_day = np.diff(starts, append=len(sent))
    return {
        "same_push_contacts": int(((price <= community.PUSHED_PRICE) & (second > premium_since[customer])).sum()),
        "fixed_hour_contacts": int((hour == disturbing[people["persona"].to_numpy()[customer]]).sum()),
        "early_price_contacts": int(((price >= community.HIGH_PRICE) & (day == joined)).sum()),
        "after_opt_out_contacts": int(sent["after_opt_out"].sum()),
        "crowded_day_contacts": int(on_day[on_day > community.MOST_A_DAY].sum()),
    }


def exported_contacts(sent: pd.DataFrame, ids: Ids, origin: np.datetime64, days: int) -> pd.DataFrame:
    """Return the messages in order of time; see `toolkit.data.synthetic.course_seller` for the columns."""
    sent = sent.take(np.argsort(sent["second"].to_numpy(), kind="stable"))
    weeks = [f"W{week:03d}-{kind}" for week in range(days // 7 + 1) for kind in community.OFFER_KINDS[:2]]
    channel = sent["channel"].to_numpy()
    return pd.DataFrame(
        {
            "customer_id": text(ids.written(sent["customer"].to_numpy(), channel, CHANNELS)),
            "sent_at": moments(origin, sent["second"]),
            "channel": labelled(channel, CHANNELS),
            "campaign_id": labelled(sent["campaign"], (*BREAKING, *weeks)),
            "offer_kind": labelled(sent["kind"], community.OFFER_KINDS),
            "offer_price": sent["price"].to_numpy(),
            "delivered": sent["delivered"].to_numpy(),
            "opened": sent["opened"].to_numpy(),
            "opted_out": sent["opted_out"].to_numpy(),
        }
    )
