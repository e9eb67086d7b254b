"""No change to rows after the latest day asked for changes a tier, a move, a portrait or a cluster, by one byte."""

from __future__ import annotations

import tempfile
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings

import toolkit as tk
from tests import test_point_in_time as orders_only
from tests import test_point_in_time_tables as tables
from toolkit.errors import ToolkitError
from toolkit.segments.history import compare_hysteresis

if TYPE_CHECKING:
    from collections.abc import Callable

BEFORE, AS_OF = "2026-03-31", "2026-06-30"
MONTHS = ("2026-04-30", "2026-05-31", AS_OF)
Row = dict[str, str]
OTHER_RULES = {
    "purchase_habit": {"frequent": "window_order_days >= 2", "occasional": "window_order_days == 1",
                       "potential": "window_order_days == 0"},
    "value_class": {"high": "window_spend > of_buyers(0.5)", "low": "else"},
}  # fmt: skip


def _crowd() -> dict[str, list[Row]]:
    """Rows of forty customers that are the same in every future: enough to be tiered, clustered and followed."""
    rng = np.random.default_rng(4)
    found: dict[str, list[Row]] = {"orders": [], "events": [], "contacts": [], "customers": []}
    for n in range(40):
        who, joined = f"B{n:02d}", pd.Timestamp("2026-01-01") + pd.Timedelta(days=int(rng.integers(0, 120)))
        person = {
            "customer_id": who,
            "joined_at": f"{joined:%Y-%m-%d}",
            "valid_from": f"{joined:%Y-%m-%d}",
            "region": "沪" if n % 3 else "京",
            "gender": "f" if n % 2 else "m",
            "acquisition_channel": "wechat" if n % 4 else "shop",
            "opted_out": "no",
            "referred_by": "",
        }
        found["customers"].append(person)
        for k in range(1 + n % 4):
            day = joined + pd.Timedelta(days=int(rng.integers(0, 60)))
            found["orders"].append(
                {"customer_id": who, "ordered_at": f"{day:%Y-%m-%d} 10:00", "amount": f"{10 + (n % 3) * 200 + k}.00",
                 "order_id": f"{who}-{k}", "product_id": f"K{n % 3}", "list_price": "300", "currency": "CNY",
                 "line_id": "", "quantity": "1", "status": "paid",
                 "recorded_at": f"{day + pd.Timedelta(days=int(rng.integers(0, 90))):%Y-%m-%d}" if n % 5 == 0 else ""}
            )  # fmt: skip
            found["events"].append(
                {"customer_id": who, "occurred_at": f"{day:%Y-%m-%d} {n % 24:02d}:30",
                 "kind": "view" if n % 2 else "like", "content_id": f"K{n % 3}", "duration_seconds": "30", "value": ""}
            )  # fmt: skip
            found["contacts"].append(
                {"customer_id": who, "sent_at": f"{day:%Y-%m-%d}", "delivered": "1", "opened": "0", "opted_out": "",
                 "offer_price": "9" if n % 2 else ""}
            )  # fmt: skip
    return found


CROWD = _crowd()


def _with_crowd(drawn: dict[str, list[Row]]) -> dict[str, list[Row]]:
    return {
        name: [*rows, *({key: row[key] for key in rows[0]} for row in CROWD.get(name, ()))]
        for name, rows in drawn.items()
    }


def _of_tables(drawn: tables.Rows) -> tk.Study:
    with tempfile.TemporaryDirectory() as folder:
        return tables._from_frames(_with_crowd(drawn), Path(folder))


def _of_orders(drawn: tuple[list[Row], list[Row]]) -> tk.Study:
    whole = _with_crowd({"orders": drawn[0], "customers": drawn[1]})
    with tempfile.TemporaryDirectory() as folder:
        return orders_only._from_frames(whole["orders"], whole["customers"], Path(folder))


def text_of(result: Any) -> str:
    """Write every frame, figure and sentence of a result so that each digit, type and missing value shows."""
    if isinstance(result, (pd.DataFrame, pd.Series)):
        frame = result.to_frame() if isinstance(result, pd.Series) else result
        return f"{result.attrs}\n{frame.dtypes.to_dict()}\n{frame.to_csv(na_rep='<NA>')}"
    if is_dataclass(result) and not isinstance(result, type):
        parts = [f"{field.name}: {text_of(getattr(result, field.name))}" for field in fields(result)]
        return "\n".join([*parts, getattr(result, "sentence", ""), repr(result)])
    if isinstance(result, dict):
        return "\n".join(f"{key}: {text_of(value)}" for key, value in result.items())
    return repr(result)


def _tiers(study: tk.Study) -> dict[str, Any]:
    tiers = tk.Tiers(study).fit(study.snapshot(BEFORE))
    snap = study.snapshot(AS_OF, cuts_at=date.fromisoformat(BEFORE))
    tiered = tiers.transform(snap)
    anew = tk.Tiers(study).fit(study.snapshot(AS_OF))
    return {
        "cuts": tiers.cut_points_,
        "cuts anew": anew.cut_points_,
        "schemes": (tiers.schemes_, tiers.left_out_, tiers.rfm_.splits_),
        "tiered": tiered,
        "shifted": tiers.shifted(0.2).transform(snap),
        "explained": {who: tiers.explain(tiered, who) for who in tiered.index[:: max(1, len(tiered) // 4)]},
        "compared": tk.compare(tiers, OTHER_RULES, snap),
    }


def _portrait(study: tk.Study) -> Any:
    snap = study.snapshot(AS_OF)
    told = tk.portrait(tk.Tiers(study).fit(snap).transform(snap), by="stage", study=study)
    return told, told.traits()


def _clusters(study: tk.Study) -> dict[str, Any]:
    then = study.snapshot(BEFORE)
    earlier = tk.Clusters(k=2, n_init=3).fit(then)
    snap = study.snapshot(AS_OF)
    found = tk.Clusters(k=3, n_init=3).fit(snap, previous=earlier)
    names = ("labels_", "choice_", "stability_", "rules_", "profile_", "steps_", "features_", "checks_")
    return {name: getattr(found, name) for name in names} | {
        "predicted then": earlier.predict(snap),
        "predicted": found.predict(snap),
    }


CALLS: dict[str, Callable[[tk.Study], Any]] = {
    "tiers": _tiers,
    "migrate": lambda study: tk.migrate(study, BEFORE, AS_OF),
    "migrate by stage": lambda study: tk.migrate(study, BEFORE, AS_OF, by="stage", stored=study.snapshot(BEFORE)),
    "history": lambda study: tk.tier_history(study, MONTHS, band=0.1, minimum_stay=2),
    "hysteresis": lambda study: compare_hysteresis(study, MONTHS, bands=(0, 0.2), stays=(1, 2)),
    "accounting": lambda study: tk.growth_accounting(study, "M", as_of=AS_OF),
    "accounting of quarters": lambda study: tk.growth_accounting(study, [BEFORE, AS_OF]),
    "retention": lambda study: tk.cohort_retention(study, AS_OF),
    "retention of joiners": lambda study: tk.cohort_retention(study, AS_OF, cohort="joined", act="event", unit="week"),
    "retention of members": lambda study: tk.cohort_retention(study, AS_OF, cohort="membership", act="membership"),
    "portrait": _portrait,
    "stages": lambda study: tk.stage_figures(study, AS_OF),
    "clusters": _clusters,
}


def said(study: tk.Study) -> dict[str, str]:
    told = {}
    for name, call in CALLS.items():
        try:
            result = call(study)
        except ToolkitError as refusal:
            told[name] = str(refusal)
        else:
            told[name] = "\n".join(map(text_of, result)) if isinstance(result, tuple) else text_of(result)
    return told


FEW: dict[str, Any] = {"deadline": None, "derandomize": True, "phases": [Phase.generate]}


@settings(max_examples=4, **FEW)
@given(futures=tables._two_futures())
def test_later_rows_of_any_table_change_no_tier(futures: tuple[tables.Rows, tables.Rows]) -> None:
    one, other = (said(_of_tables(drawn)) for drawn in futures)
    for name, text in one.items():
        assert text == other[name], name


@settings(max_examples=4, **FEW)
@given(futures=orders_only._two_futures())
def test_orders_recorded_later_change_no_tier(futures: Any) -> None:
    one, other = (said(_of_orders(drawn)) for drawn in futures)
    for name, text in one.items():
        assert text == other[name], name


def test_every_call_answers_and_an_earlier_row_changes_every_answer() -> None:
    """So that the two above can fail."""
    drawn = {name: [row] for name, row in tables.ANCHORS.items()}
    more = drawn | {
        "orders": [*drawn["orders"], tables.ANCHORS["orders"] | {"customer_id": "B07", "ordered_at": "2026-03-02",
                                                                "order_id": "A7", "amount": "2000"},
                   *({"order_id": f"A8{n}", "currency": "CNY", "product_id": "K1", "list_price": "", "amount": "900",
                      "customer_id": f"B{n:02d}", "ordered_at": "2026-05-02"} for n in range(0, 40, 3))],
        "events": [*drawn["events"], tables.ANCHORS["events"] | {"customer_id": "B08", "occurred_at": "2026-06-20"}],
        "memberships": [*drawn["memberships"], tables.ANCHORS["memberships"] | {"customer_id": "B08"}],
        "customers": [*drawn["customers"], tables.ANCHORS["customers"] | {"customer_id": "B99"}],
    }  # fmt: skip
    one, other = said(_of_tables(drawn)), said(_of_tables(more))
    for name, text in one.items():
        assert not text.startswith("E-"), text
        assert text != other[name], name


LATER = ("2026-07-01 00:00:00", "2026-06-30T16:00:00Z")


@pytest.mark.parametrize("moment", LATER)
def test_the_latest_day_ends_at_local_midnight_for_every_answer(moment: str) -> None:
    drawn = {name: [row] for name, row in tables.ANCHORS.items()}
    big = tables.ANCHORS["orders"] | {"customer_id": "B07", "ordered_at": moment, "order_id": "A7", "amount": "9000"}
    act = tables.ANCHORS["events"] | {"customer_id": "B08", "occurred_at": moment, "kind": "like"}
    later = drawn | {"orders": [*drawn["orders"], big], "events": [*drawn["events"], act]}
    assert said(_of_tables(drawn)) == said(_of_tables(later))


def test_a_stored_snapshot_takes_no_later_row() -> None:
    """The rows of today that the bridge starts from end at the later day too."""
    drawn = {name: [row] for name, row in tables.ANCHORS.items()}
    stored = _of_tables(drawn).snapshot(BEFORE)
    late = tables.ANCHORS["orders"] | {"customer_id": "NEW", "ordered_at": "2026-07-01", "order_id": "A9"}
    moves = [
        text_of(tk.migrate(_of_tables(rows), BEFORE, AS_OF, stored=stored))
        for rows in (drawn, drawn | {"orders": [late, *drawn["orders"]]})
    ]
    assert moves[0] == moves[1]
