"""Every step of the bridge, who moved and why, and the drift, once more from raw rows of every table."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import astuple
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import toolkit as tk
from tests.builders.made_up import AS_OF, BOUGHT, Row, Tables, one_of, study_of, tables_of
from tests.builders.profiles import several
from tests.oracles.portrait import Portrait, quantile, rows_up_to
from toolkit.schema import PROSPECT, SEGMENTS

if TYPE_CHECKING:
    from toolkit.segments.migration import Migration

AFTER, LEARNED = AS_OF, AS_OF - timedelta(days=60)
BEFORE = AS_OF - timedelta(days=30)
HALF, TOP = Fraction(1, 2), Fraction(4, 5)
TYPES = (7, 5, 3, 1, 6, 4, 2, 0)
"""Segments in their order as bits: 4 for nearer, 2 for more often, 1 for more spend."""
STAGES = ("maturity", "growth", "introduction", "dormancy", "loss")
CLASSES = {
    "segment": (*SEGMENTS, PROSPECT),
    "value_class": ("high", "general", "low"),
    "stage": STAGES,
}
State = dict[str, tuple[str, Fraction]]
"""Person -> tier and spend in the window."""
EARLY = BOUGHT | {"ordered_at": "2025-11-03"}


def seen(tables: Tables, clock: date, until: date, known: date) -> dict[str, Row]:
    """Return what is known of everybody from rows dated up to a day and recorded by another."""
    rows = rows_up_to(tables, until, known)
    rows["orders"] = [row | {"recorded_at": None} for row in rows["orders"]]
    return Portrait(rows, clock).columns


def cuts_of(people: dict[str, Row]) -> dict[str, Fraction]:
    buyers = [one for one in people.values() if one["order_count"]]

    def cut(column: str, share: Fraction) -> Fraction:
        return quantile(sorted(Fraction(one[column]) for one in buyers), share)

    return {name: cut(name, HALF) for name in ("recency_days", "window_order_days", "window_spend")} | {
        "top": cut("window_spend", TOP)
    }


def segment(one: Row, cuts: dict[str, Fraction]) -> str:
    if not one["order_count"]:
        return PROSPECT
    bits = 4 * (one["recency_days"] < cuts["recency_days"])
    bits += 2 * (one["window_order_days"] > cuts["window_order_days"]) + (one["window_spend"] > cuts["window_spend"])
    return SEGMENTS[TYPES.index(bits)]


def value_class(one: Row, cuts: dict[str, Fraction]) -> str:
    spend = one["window_spend"]
    return "high" if spend > cuts["top"] else "general" if spend > cuts["window_spend"] else "low"


def stage(one: Row, _: dict[str, Fraction]) -> str:
    idle, days = one["idle_days"] or 0, one["order_days"]
    if one["override"] == "stage=loss" or idle > 180:
        return "loss"
    if idle > 90:
        return "dormancy"
    if days >= 2:
        return "maturity"
    return "growth" if days == 1 or one["active_days_30d"] >= 4 else "introduction"


RULES: dict[str, Any] = {"segment": segment, "value_class": value_class, "stage": stage}


def state(by: str, people: dict[str, Row], cuts: dict[str, Fraction]) -> State:
    return {who: (RULES[by](one, cuts), Fraction(one["window_spend"])) for who, one in people.items()}


def bridge_of(steps: dict[str, State], anew: State) -> dict[tuple[str, str, str], Fraction]:
    """Add up tier, measure and part, one customer after the other."""
    cells: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)

    def add(part: str, what: tuple[str, Fraction] | None, sign: int) -> None:
        if what:
            cells[what[0], "customers", part] += sign
            cells[what[0], "spend", part] += sign * what[1]

    for who in {who for one in steps.values() for who in one}:
        start, corrected, clock, end = (steps[name].get(who) for name in ("start", "correction", "clock", "end"))
        add("start", start, 1)
        add("end", end, 1)
        if start and not corrected:
            add("gone", start, -1)
        else:
            add("correction", start, -1)
            add("correction", corrected, 1)
        add("clock", corrected, -1)
        add("clock", clock, 1)
        add("behaviour" if clock else "new", clock, -1)
        add("behaviour" if clock else "new", end, 1)
        add("drift", end, -1)
        add("drift", anew.get(who), 1)
    return cells


def cause_of(places: list[str | None]) -> str:
    start, corrected, clock, _ = places
    if start and not corrected:
        return "gone"
    if corrected != start:
        return "correction"
    if clock != corrected:
        return "clock"
    return "behaviour" if start else "new"


def agrees(move: Migration, steps: dict[str, State], anew: State, naive: State) -> None:
    cells = bridge_of(steps, anew)
    for row in move.bridge.to_dict("records"):
        tiers = CLASSES[move.by] if row["tier"] == "total" else (row["tier"],)
        for part in move.bridge.columns[2:]:
            told: Any = sum((cells[tier, row["measure"], part] for tier in tiers), Fraction(0))
            assert Fraction(row[part]) == told, (row["tier"], row["measure"], part)
    everybody = {who for one in steps.values() for who in one}
    places = {who: [one[who][0] if who in one else None for one in steps.values()] for who in everybody}
    pairs = Counter((found[0] or "new", found[3] or "gone") for found in places.values() if found[0] or found[3])
    told_pairs = {(row["from"], row["to"]): row["customers"] for row in move.matrix.to_dict("records")}
    assert {pair: count for pair, count in told_pairs.items() if count} == dict(pairs)
    money = {
        (row["from"], row["to"]): (row["spend_before"], row["spend_after"]) for row in move.matrix.to_dict("records")
    }
    for (before, after), sides in money.items():
        whose = [who for who, found in places.items() if (found[0] or "new", found[3] or "gone") == (before, after)]
        for side, name in zip(sides, ("start", "end"), strict=True):
            assert side == pytest.approx(float(sum(steps[name][who][1] for who in whose if who in steps[name])))
    told = {
        row["customer_id"]: (row["from"], row["to"], row["cause"])
        for row in move.moved.astype(object).to_dict("records")
    }
    assert told == {
        who: (found[0] or "new", found[3] or "gone", cause_of(found))
        for who, found in places.items()
        if found[0] != found[3]
    }
    both = [who for who in steps["start"] if who in steps["end"] and who in naive]
    moves = [(naive[who][0] != anew[who][0], places[who][0] != places[who][3]) for who in both]
    assert astuple(move.drift) == (
        sum(free for free, _ in moves),
        sum(same for _, same in moves),
        sum(free and not same for free, same in moves),
        sum(same and not free for free, same in moves),
    )
    assert move.checks[0].status == "passed"


def walked(now: Tables, first: dict[str, Row]) -> dict[str, dict[str, Row]]:
    return {
        "start": first,
        "correction": seen(now, BEFORE, BEFORE, AFTER),
        "clock": seen(now, AFTER, BEFORE, AFTER),
        "end": seen(now, AFTER, AFTER, AFTER),
    }


@pytest.mark.parametrize("seed", range(several(4, 16)))
def test_late_rows_and_merged_ids_of_every_table(seed: int) -> None:
    """Cuts of the earlier day and cuts of the study by turns."""
    tables, fixed = tables_of(seed), bool(seed % 2)
    tables["orders"] = [EARLY, *tables["orders"]]
    more = {"cuts": {"learned_at": LEARNED.isoformat()}} if fixed else {}
    study = study_of(tables, **more)
    day = LEARNED if fixed else BEFORE
    people = walked(tables, seen(tables, BEFORE, BEFORE, BEFORE))
    cuts, then, now = (cuts_of(one) for one in (seen(tables, day, day, day), people["start"], people["end"]))
    for by in CLASSES:
        steps = {name: state(by, one, cuts) for name, one in people.items()}
        move = tk.migrate(study, BEFORE, AFTER, by=by)
        agrees(move, steps, state(by, people["end"], now), state(by, people["start"], then))
        assert move.not_measured
        assert (move.bridge["gone"] == 0).all()


FATES = ("same", "same", "same", "late", "withdrawn", "cancelled since", "paid since", "dearer", "another's")


def as_it_was(order: Row, fate: str) -> list[Row]:
    """Return an order as the earlier report had it."""
    if fate == "late":
        return []
    then = {
        "cancelled since": {"status": "paid"},
        "paid since": {"status": "cancelled"},
        "dearer": {"amount": str(Decimal(order["amount"]) / 10)},
        "another's": {"customer_id": "C5"},
    }
    return [order | then.get(fate, {})]


@pytest.mark.parametrize("seed", range(100, several(103, 110)))
def test_what_was_stored_and_since_rewritten_deleted_or_merged(seed: int) -> None:
    """The stored snapshot of exports of then: no row is known but those; today some say otherwise, some are no more."""
    tables, rng = tables_of(seed), np.random.default_rng(seed)
    told = [(row, one_of(rng, FATES)) for row in tables["orders"]]
    deleted = {one_of(rng, ("C2", "C3", "C4", "A1", "零")) for _ in range(rng.integers(3))}
    orders = [
        row | ({"status": "cancelled"} if fate == "cancelled since" else {})
        for row, fate in told
        if fate != "withdrawn"
    ]
    then: Tables = tables | {"orders": [EARLY, *(old for row, fate in told for old in as_it_was(row, fate))]}
    now: Tables = {
        name: [row for row in rows if row["customer_id"] not in deleted]
        for name, rows in (tables | {"orders": [EARLY, *orders]}).items()
    }
    if seed % 2:
        then = then | {"identities": []}
    stored = study_of({name: rows for name, rows in then.items() if rows}).snapshot(BEFORE)
    people = walked(now, seen(then, BEFORE, BEFORE, BEFORE))
    cuts, end_cuts = cuts_of(people["start"]), cuts_of(people["end"])
    study = study_of({name: rows for name, rows in now.items() if rows})
    for by in CLASSES:
        steps = {name: state(by, one, cuts) for name, one in people.items()}
        move = tk.migrate(study, BEFORE, AFTER, by=by, stored=stored)
        agrees(move, steps, state(by, people["end"], end_cuts), steps["start"])
        assert not move.not_measured
