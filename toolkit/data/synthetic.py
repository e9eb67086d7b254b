"""A seeded course seller whose truth is known: what an estimate should find stands beside the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.data import synthetic_contacts as messages
from toolkit.data import synthetic_engagement as engagement
from toolkit.data import synthetic_experiment as experiment
from toolkit.data import synthetic_market as market
from toolkit.data import synthetic_memberships as members
from toolkit.data import synthetic_orders as orders
from toolkit.data import synthetic_people as persons
from toolkit.data.synthetic_columns import clock, labelled, moments, numbered, text
from toolkit.data.synthetic_identities import identify
from toolkit.errors import ArgumentError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

CHILDREN: tuple[str, ...] = (
    "customers",
    "process",
    "orders",
    "refunds",
    "blemishes",
    "profile",
    "identities",
    "engagement",
    "assignments",
    "events",
    "contacts",
    "memberships",
    "surveys",
    "costs",
)
"""Whose child of the seed is which: a later table appends its name and changes no earlier number."""


@dataclass(frozen=True, eq=False)
class Business:
    """A made-up business and the truth about it.

    Attributes
    ----------
    tables
        The tables as exports would hold them, blemishes included; see `course_seller`.
    truth
        One row per customer, indexed by the customer's own id; see `course_seller`.
    as_of
        Last day that the tables know.
    planted
        How many blemishes of each kind stand in ``orders``, and how many rows of ``contacts`` break each rule:
        ``same_push_contacts`` (a price of at most 399 yuan named to one for whom ``orders`` shows a paid premium line
        before), ``fixed_hour_contacts`` (between 9 and 10 to full-time mothers, from 23 on to office workers),
        ``early_price_contacts`` (2,999 yuan or more on the day of joining), ``after_opt_out_contacts`` (to a person
        who has opted out before), ``crowded_day_contacts`` (on days with more than three to the person). A row that
        breaks two rules counts under both.
    owners
        Customer's own id by each of the other ids in ``identities``.
    effects
        The experiment's truth, one row per ``tier``: ``effect_points`` (percentage points that the cash-back adds to
        the probability of completing a lesson in the window), ``effect_lessons`` (lessons per unit that it adds),
        ``control_units`` and ``cashback_units``. Averages over the units, both arms, exact in expectation over what is
        drawn; missing for a tier without units.
    """

    tables: dict[str, pd.DataFrame]
    truth: pd.DataFrame
    as_of: date
    planted: dict[str, int]
    owners: pd.Series[str]
    effects: pd.DataFrame


def course_seller(
    *, customers: int = 5_000, seed: int = 7, start: str = "2024-11-01", as_of: str = "2026-10-31"
) -> Business:
    """Make a course seller's exports, with known individual rates, drop-out times, identities and effects.

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
        Its tables, in order of time where they have one (naive local time; money in yuan; ids as text), hold:

        ``orders``, one line each: ``order_id line_id customer_id ordered_at product_id product_layer list_price
        quantity amount channel status`` (list prices 0 to 49, 199 to 999 and 2,999 to 19,800 by layer, ``amount`` =
        price x quantity less a discount; a course may come with materials, which are lead-in products; a refund
        repeats the line it takes back with its own time and ``line_id`` and a negative amount).

        ``customers``, in order of their ids: ``customer_id joined_at acquisition_channel persona gender age_band
        region referred_by`` (an earlier buyer, for the referral channel) ``occupation interests`` (one or two, by
        ``;``) ``followers`` (people)
        ``override`` (text; three are treated as high payers).

        ``events``: ``customer_id occurred_at kind channel content_id`` (product, article, or lesson such as
        ``E03-L05``) ``duration_seconds`` (of views and lessons) ``value`` (list price of a product viewed or clicked).

        ``contacts``: ``customer_id sent_at channel campaign_id offer_kind offer_price`` (missing for content)
        ``delivered opened opted_out`` (flags; opted out by this message).

        ``memberships``, one period each: ``customer_id starts_at ends_at`` (365 or 30 days later, excluded)
        ``cancelled_at`` (missing where not cancelled by ``as_of``); a renewal starts where the period before ends.

        ``surveys``: ``customer_id answered_at kind score`` (nps 0 to 10, csat and feedback 1 to 5).
        ``costs``: ``channel period_start`` (first of a month) ``amount``.

        ``identities``: ``customer_id id_kind id_value``, both of one person. ``assignments``: ``experiment_id
        customer_id arm assigned_at tier`` (the highest layer of a purchase before, or none).

        Where a line, event or message is of the channel ``wecom`` or ``service_account``, its ``customer_id`` is the
        person's id of that channel, if there is one.

        ``truth``: ``buyer`` (has purchased by ``as_of``), ``purchase_rate`` and ``dropout_rate`` (per day),
        ``lifetime_days`` (first purchase to drop-out, also where that lies after ``as_of``), ``exposure_days`` (first
        purchase to drop-out or ``as_of``, whichever comes first), ``first_purchase_at``, ``drop_out_at`` (missing
        where it lies after ``as_of``), ``purchases``, ``top_layer``, ``spend_level``, ``persona``,
        ``acquisition_channel``, ``engagement`` (factor on the rate of sessions), ``completion_probability`` (of a
        lesson started, outside the experiment's windows), ``renewal_probability`` (of each renewal; missing for those
        who are no members). From ``purchase_rate`` to ``top_layer`` missing (``purchases``: 0) for those who have not
        bought by ``as_of``.

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

    Engagement is correlated with the purchase rate: (rate / 0.019 per day) to the power 0.6, times a log-normal factor.
    Sessions are Poisson from joining to drop-out (of those who do not buy: some weeks), fade and stop after 45 days;
    each purchase is preceded by views of its product; lessons follow from the day after a course is bought or tried.
    Memberships end on their own account, not by the drop-out from purchases.

    The experiment assigns everybody who joined before, 64 to 70 days before ``as_of``, one to one within tiers. Its
    outcome is read in the 28 days from each unit's assignment, where a unit completes a lesson with a probability that
    is known for either arm, and no other lessons of the unit are kept.

    Examples
    --------
    >>> business = course_seller(customers=200, seed=1)
    >>> business.tables["customers"].shape, int(business.truth["buyer"].sum())
    ((200, 12), 162)
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
    people = persons.join(draws["customers"], customers, days)
    process = persons.purchase_process(draws["process"], people, days)
    bought = orders.purchases(draws["orders"], people, process)
    sold = orders.till(draws["orders"], people, process, bought, days)
    lines = orders.blemish(draws["blemishes"], orders.refund(draws["refunds"], sold, days))
    origin = np.datetime64(first, "s")
    own = numbered("C", np.arange(1, customers + 1), max(6, len(str(customers))))
    ids = identify(draws["identities"], own)

    level = engagement.levels(draws["engagement"], people, process)
    times = experiment.layer_times(bought, customers)
    units = experiment.assign(draws["assignments"], people, times, days)
    probabilities = experiment.completion_probabilities(units, level)
    sent = messages.contacts(draws["contacts"], people, level, times, days)
    periods, renewal = members.memberships(draws["memberships"], times, days)
    answers = members.surveys(draws["surveys"], people, process, level, bought=bought, days=days)
    windows, drawn = experiment.window_starts(units, customers), draws["events"]
    acts = [
        *engagement.sessions(drawn, people, level, days),
        *engagement.approaches(drawn, people, bought),
        *engagement.lessons(drawn, people, level, sold, closed_from=windows, days=days),
        *engagement.service(drawn, people, level, bought, days),
        *experiment.outcome_lessons(drawn, people, level, bought=bought, units=units, probabilities=probabilities),
    ]
    profiles = persons.profile(draws["profile"], people, process)
    named = ids.written(lines["customer"].to_numpy(), lines["channel"].to_numpy(), market.SALES_CHANNELS)
    return Business(
        tables={
            "orders": orders.exported(lines, named, origin),
            "customers": persons.exported_customers(people, profiles, own, origin),
            "events": engagement.exported_events(acts, ids, origin),
            "contacts": messages.exported_contacts(sent, ids, origin, days),
            "memberships": members.exported_memberships(periods, own, origin),
            "surveys": members.exported_surveys(answers, own, origin),
            "costs": persons.costs(draws["costs"], people, first, last),
            "identities": ids.links,
            "assignments": experiment.exported_assignments(units, own, origin),
        },
        truth=_truth(people, process, bought, own, origin).assign(
            engagement=level["engagement"].to_numpy(),
            completion_probability=level["completion"].to_numpy(),
            renewal_probability=renewal,
        ),
        as_of=last,
        planted=orders.planted(lines) | messages.broken_rules(sent, people, lines),
        owners=ids.owners,
        effects=experiment.true_effects(units, probabilities),
    )


def _generators(seed: int) -> dict[str, np.random.Generator]:
    children = np.random.SeedSequence(seed).spawn(len(CHILDREN))
    return {name: np.random.default_rng(child) for name, child in zip(CHILDREN, children, strict=True)}


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
    when = np.full(len(known), np.datetime64("NaT", "s"), dtype="datetime64[s]")
    when[known] = moments(origin, clock(process_days[known], persona[known]))
    return when
