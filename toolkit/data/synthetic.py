"""A seeded course seller whose truth is known: what an estimate should find stands beside the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_market as market
from toolkit.data.synthetic_orders import (
    blemish,
    choose,
    clock,
    exported,
    labelled,
    numbered,
    planted,
    purchases,
    refund,
    text,
    till,
)
from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

CHILDREN: tuple[str, ...] = ("customers", "process", "orders", "refunds", "blemishes")
"""Whose child of the seed is which: a later table appends its name and changes no earlier number."""


@dataclass(frozen=True, eq=False)
class Business:
    """A made-up business and the truth about it.

    Attributes
    ----------
    tables
        ``orders`` and ``customers`` as exports would hold them, blemishes included; see `course_seller`.
    truth
        One row per customer, indexed by ``customer_id``; see `course_seller`.
    as_of
        Last day that the tables know.
    planted
        How many blemishes of each kind stand in ``orders``.
    """

    tables: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    as_of: date
    planted: dict[str, int]


def course_seller(
    *, customers: int = 5_000, seed: int = 7, start: str = "2024-11-01", as_of: str = "2026-10-31"
) -> Business:
    """Make a course seller's orders and customers, with known individual rates and drop-out times.

    Parameters
    ----------
    customers
        Number of people who join between ``start`` and ``as_of``, prospects included.
    seed
        Everything follows from it; the same seed gives the same tables.
    start, as_of
        First and last local day, ISO dates.

    Returns
    -------
    Business
        ``tables["orders"]``, one line each, in order of time: ``order_id line_id customer_id ordered_at product_id
        product_layer list_price quantity amount channel status`` (yuan; naive local time; list prices 0 to 49,
        199 to 999 and 2,999 to 19,800 by layer, ``amount`` = price x quantity less a discount; a course may come with
        materials, which are lead-in products; a refund repeats the line it takes back with its own time and
        ``line_id`` and a negative amount). ``tables["customers"]``:
        ``customer_id joined_at acquisition_channel persona gender age_band region``. ``truth``: ``buyer`` (has
        purchased by ``as_of``), ``purchase_rate`` and ``dropout_rate`` (per day), ``lifetime_days`` (first purchase to
        drop-out, also where that lies after ``as_of``), ``exposure_days`` (first purchase to drop-out or ``as_of``,
        whichever comes first), ``first_purchase_at``, ``drop_out_at`` (missing where it lies after ``as_of``),
        ``purchases``, ``top_layer``, ``spend_level``, ``persona``, ``acquisition_channel``. All but the last three are
        missing (``purchases``: 0) for those who have not bought by ``as_of``.

    Raises
    ------
    ArgumentError
        Fewer than one customer, or ``as_of`` before ``start``.

    Notes
    -----
    The process is the Pareto/NBD of Schmittlein, Morrison and Colombo, "Counting Your Customers: Who Are They and What
    Will They Do Next?", Management Science 33 (1987), 1-24. From the first purchase on a buyer purchases as a Poisson
    process with rate lambda until an exponential drop-out with rate mu; over the buyers of one acquisition channel
    lambda is gamma with shape 1.8 and mu gamma with shape 1.5, independent, with means 0.019 and 0.007 per day times
    the channel's factor (``synthetic_market.ACQUISITION_CHANNELS``). The first purchase follows joining after an
    exponential wait.

    Time of day is an exact change of time (inversion of the cumulative rate; Cinlar, Introduction to Stochastic
    Processes, 1975): each day's unit of process time is stretched over the persona's hours, so that counts
    over whole days, and counts given ``exposure_days``, which is in process time, keep the stated rates.

    A *purchase* is a paid order with money. Two kinds of orders stand outside the process and change none of its truth:
    a free trial between joining and the first purchase (also of people who never buy), and a cancelled attempt
    shortly before a purchase. Missing customers and unreadable amounts hide some purchases from the tables.

    Examples
    --------
    >>> business = course_seller(customers=200, seed=1)
    >>> business.tables["customers"].shape, int(business.truth["buyer"].sum())
    ((200, 7), 162)
    """
    first, last = date.fromisoformat(start), date.fromisoformat(as_of)
    if customers < 1:
        raise ArgumentError("no-customers", f"customers is {customers}", hint="customers=5_000")
    if last < first:
        raise ArgumentError(
            "dates-reversed", f"as_of {last} lies before start {first}", hint=f"as_of={start!r} or later"
        )
    days = (last - first).days + 1
    draws = _generators(seed)
    people = _people(draws["customers"], customers, days)
    process = _process(draws["process"], people, days)
    bought = purchases(draws["orders"], people, process)
    lines = till(draws["orders"], people, process, bought, days)
    lines = blemish(draws["blemishes"], refund(draws["refunds"], lines, days))
    origin = np.datetime64(first, "s")
    ids = numbered("C", np.arange(1, customers + 1), max(6, len(str(customers))))
    return Business(
        tables={"orders": exported(lines, ids, origin), "customers": _customers(people, ids, origin)},
        truth=_truth(people, process, bought, ids, origin),
        as_of=last,
        planted=planted(lines),
    )


def _generators(seed: int) -> dict[str, np.random.Generator]:
    children = np.random.SeedSequence(seed).spawn(len(CHILDREN))
    return {name: np.random.default_rng(child) for name, child in zip(CHILDREN, children, strict=True)}


def _people(rng: np.random.Generator, size: int, days: int) -> pd.DataFrame:
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


def _process(rng: np.random.Generator, people: pd.DataFrame, days: int) -> pd.DataFrame:
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


def _customers(people: pd.DataFrame, ids: pa.Array, origin: np.datetime64) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": text(ids),
            "joined_at": origin + people["joined_second"].to_numpy().astype("timedelta64[s]"),
            "acquisition_channel": labelled(people["acquisition"], market.ACQUISITION_CHANNELS),
            "persona": labelled(people["persona"], market.PERSONAS),
            "gender": labelled(people["gender"], market.GENDERS),
            "age_band": labelled(people["age"], market.AGE_BANDS),
            "region": labelled(people["region"], market.REGIONS),
        }
    )


def _truth(
    people: pd.DataFrame, process: pd.DataFrame, bought: pd.DataFrame, ids: pa.Array, origin: np.datetime64
) -> pd.DataFrame:
    buyer, persona = process["buyer"].to_numpy(), people["persona"].to_numpy()
    count = np.bincount(bought["customer"], minlength=len(people))
    top = np.full(len(people), -1, dtype=np.int8)
    if buyer.any():
        top[buyer] = np.maximum.reduceat(bought["layer"].to_numpy(), (np.cumsum(count) - count)[buyer])
    first, end = process["first"].to_numpy(), process["end"].to_numpy()
    rates = ["purchase_rate", "dropout_rate", "lifetime_days", "exposure_days"]
    return (
        process[rates]
        .where(process["buyer"])
        .set_index(pd.Index(text(ids), name="customer_id"))
        .assign(
            buyer=buyer,
            first_purchase_at=_moments(first, persona, buyer, origin),
            drop_out_at=_moments(end, persona, process["gone"].to_numpy(), origin),
            purchases=count,
            top_layer=labelled(top, market.LAYERS, ordered=True),
            spend_level=process["spend_level"].to_numpy(),
            persona=labelled(people["persona"], market.PERSONAS),
            acquisition_channel=labelled(people["acquisition"], market.ACQUISITION_CHANNELS),
        )
    )


def _moments(
    process_days: NDArray[np.float64], persona: NDArray[np.int8], known: NDArray[np.bool_], origin: np.datetime64
) -> NDArray[np.datetime64]:
    moments = np.full(len(known), np.datetime64("NaT", "s"), dtype="datetime64[s]")
    moments[known] = origin + clock(process_days[known], persona[known]).astype("timedelta64[s]")
    return moments
