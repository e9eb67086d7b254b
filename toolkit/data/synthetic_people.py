"""The made-up course seller's people: who joins, how often each buys, what is known of them, what they cost."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa

from toolkit.data import synthetic_community as community
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_columns import choose, clock, labelled, moments, text

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

_ACQUISITION = list(market.ACQUISITION_CHANNELS)
_TREATED_BETTER = 3
_INTERESTS = (*community.INTERESTS, *map(";".join, combinations(community.INTERESTS, 2)))


def join(rng: np.random.Generator, size: int, days: int) -> pd.DataFrame:
    """Draw who joins, and when.

    Returns
    -------
    pandas.DataFrame
        ``joined`` (process days), ``joined_second`` (since the first midnight), ``persona``, ``acquisition``,
        ``gender``, ``age`` and ``region`` (codes).
    """
    kinds, channels = list(market.PERSONAS.values()), market.ACQUISITION_CHANNELS.values()
    persona = choose(rng, [kind.share for kind in kinds], size)
    joined = rng.random(size) * days
    return pd.DataFrame(
        {
            "joined": joined,
            "joined_second": clock(joined, persona),
            "persona": persona,
            "acquisition": choose(rng, [channel.share for channel in channels], size),
            "gender": (rng.random(size) >= np.array([kind.female for kind in kinds])[persona]).astype(np.int8),
            "age": choose(rng, np.array([kind.ages for kind in kinds])[persona], size),
            "region": choose(rng, list(market.REGIONS.values()), size),
        }
    )


def purchase_process(rng: np.random.Generator, people: pd.DataFrame, days: int) -> pd.DataFrame:
    """Draw each one's rates of purchase and drop-out, first purchase and drop-out.

    Returns
    -------
    pandas.DataFrame
        ``buyer`` and ``gone`` (by ``as_of``), ``wait``, ``first`` and ``end`` (process days), ``purchase_rate``,
        ``dropout_rate``, ``lifetime_days``, ``exposure_days`` and ``spend_level``; also of those who never buy.
    """
    size = len(people)
    channel = pd.DataFrame(market.ACQUISITION_CHANNELS.values()).take(people["acquisition"].to_numpy())
    persona = pd.DataFrame(market.PERSONAS.values()).take(people["persona"].to_numpy())
    buys = rng.random(size) < channel["buys"].to_numpy()
    wait = rng.exponential(market.FIRST_PURCHASE_DAYS, size)
    purchase = rng.gamma(market.PURCHASE_SHAPE, market.PURCHASE_MEAN / market.PURCHASE_SHAPE, size)
    dropout = (
        rng.gamma(market.DROPOUT_SHAPE, market.DROPOUT_MEAN / market.DROPOUT_SHAPE, size)
        * channel["dropout"].to_numpy()
    )
    lifetime = rng.exponential(1.0, size) / dropout
    level = rng.normal(0.0, 1.0, size) + persona["spend_level"].to_numpy() + channel["spend_level"].to_numpy()
    first = people["joined"].to_numpy() + wait
    buyer = buys & (first < days)
    return pd.DataFrame(
        {
            "buyer": buyer,
            "gone": buyer & (first + lifetime < days),
            "wait": wait,
            "first": first,
            "end": first + lifetime,
            "purchase_rate": purchase * channel["purchase"].to_numpy(),
            "dropout_rate": dropout,
            "lifetime_days": lifetime,
            "exposure_days": np.minimum(lifetime, days - first),
            "spend_level": level,
        }
    )


def profile(rng: np.random.Generator, people: pd.DataFrame, process: pd.DataFrame) -> pd.DataFrame:
    """Draw what else is known of people.

    Returns
    -------
    pandas.DataFrame
        ``referrer`` (row of ``people`` who bought on an earlier day; -1 where there is none, and for other channels),
        ``followers``, ``occupation`` and ``interests`` (codes).
    """
    size, shares = len(people), np.array(list(community.OCCUPATIONS.values())).T
    followers = rng.lognormal(community.FOLLOWERS_LEVEL, community.FOLLOWERS_SPREAD, size)
    return pd.DataFrame(
        {
            "referrer": _referrers(rng, people, process),
            "followers": followers.astype(np.int64),
            "occupation": choose(rng, shares[people["persona"]], size),
            "interests": rng.integers(0, len(_INTERESTS), size, dtype=np.int8),
        }
    )


def _referrers(rng: np.random.Generator, people: pd.DataFrame, process: pd.DataFrame) -> NDArray[np.int64]:
    buyers = np.flatnonzero(process["buyer"])
    first_day = np.floor(process["first"].to_numpy()[buyers])
    order = np.argsort(first_day, kind="stable")
    earlier = np.searchsorted(first_day[order], np.floor(people["joined"]))
    place = np.floor(rng.random(len(people)) * earlier).astype(np.int64)
    referrer = np.full(len(people), -1, dtype=np.int64)
    referred = (people["acquisition"] == _ACQUISITION.index(community.REFERRAL)).to_numpy() & (earlier > 0)
    referrer[referred] = buyers[order[place[referred]]]
    return referrer


def exported_customers(
    people: pd.DataFrame, profiles: pd.DataFrame, ids: pa.Array, origin: np.datetime64
) -> pd.DataFrame:
    """Return the people as an export writes them; see `toolkit.data.synthetic.course_seller` for the columns."""
    referrer = profiles["referrer"].to_numpy()
    return pd.DataFrame(
        {
            "customer_id": text(ids),
            "joined_at": moments(origin, people["joined_second"]),
            "acquisition_channel": labelled(people["acquisition"], market.ACQUISITION_CHANNELS),
            "persona": labelled(people["persona"], market.PERSONAS),
            "gender": labelled(people["gender"], market.GENDERS),
            "age_band": labelled(people["age"], market.AGE_BANDS),
            "region": labelled(people["region"], market.REGIONS),
            "referred_by": text(ids.take(pa.array(referrer, mask=referrer < 0))),
            "occupation": labelled(profiles["occupation"], community.OCCUPATIONS),
            "interests": labelled(profiles["interests"], _INTERESTS),
            "followers": profiles["followers"],
            "override": _set_by_hand(referrer),
        }
    )


def _set_by_hand(referrer: NDArray[np.int64]) -> pd.Series[str]:
    """Let the business treat those who bring the most customers as high payers."""
    brought = np.bincount(referrer[referrer >= 0], minlength=len(referrer))
    most = np.argsort(-brought, kind="stable")[:_TREATED_BETTER]
    kept = pd.Series(pd.NA, index=range(len(referrer)), dtype="string[pyarrow]")
    kept.iloc[most[brought[most] > 0]] = "payment_tier=high"
    kept.iloc[most[:1][brought[most[:1]] > 0]] = "payment_tier=high; recommendation=promoter"
    return kept


def costs(rng: np.random.Generator, people: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Draw what was spent per acquisition channel and month, from the joiners of the month."""
    start, channels = np.datetime64(first, "M"), len(_ACQUISITION)
    months = np.arange(start, np.datetime64(last, "M") + 1)
    joined = moments(np.datetime64(first, "s"), people["joined_second"])
    month = (joined.astype("datetime64[M]") - start).astype(np.int64)
    joiners = np.bincount(month * channels + people["acquisition"].to_numpy(), minlength=len(months) * channels)
    each = np.tile(list(community.COST_PER_JOINER.values()), len(months))
    amount = joiners * each * rng.lognormal(0.0, community.COST_NOISE, len(each))
    channel = np.tile(np.arange(channels, dtype=np.int8), len(months))
    return pd.DataFrame(
        {
            "channel": labelled(channel, community.COST_PER_JOINER),
            "period_start": np.repeat(months, channels).astype("datetime64[s]"),
            "amount": amount.round(2),
        }
    )
