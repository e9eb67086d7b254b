"""No change to rows after the latest day asked for changes an episode, a risk, a value or a grade, by one byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings

import toolkit as tk
from tests import test_point_in_time as orders_only
from tests import test_point_in_time_tables as tables
from tests.test_point_in_time_tiers import AS_OF, FEW, _of_orders, _of_tables, text_of
from toolkit.errors import ToolkitError
from toolkit.risk.landmarks import training_episodes
from toolkit.risk.tracking import track

if TYPE_CHECKING:
    from collections.abc import Callable

LANDMARKS = ("2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31")


def _churn(study: tk.Study) -> dict[str, Any]:
    snap = study.snapshot(AS_OF)
    found = {}
    for kind in ("cox", "weibull"):
        model = tk.ChurnModel(kind=kind).fit(study.episodes(LANDMARKS, AS_OF))
        who = snap.index[snap["order_days"] > 0][0]
        found[kind] = {
            "risk": model.risk(snap, horizons=(7, 30)),
            "drivers": model.drivers(),
            "coef": model.coef_,
            "served": (model.served_, model.checks_, model.n_episodes_, model.n_events_, model.features_),
            "explained": model.explain(snap, who),
        }
    return found


def _value(study: tk.Study) -> dict[str, Any]:
    snap = study.snapshot(AS_OF)
    orders, spend = tk.BetaGeo().fit(snap), tk.GammaGamma().fit(snap)
    return {
        "params": (orders.params_, spend.params_, orders.served_, spend.served_, orders.checks_, spend.checks_),
        "value": tk.customer_value(snap, orders, spend, days=30),
    }


CALLS: dict[str, Callable[[tk.Study], Any]] = {
    "episodes": lambda study: study.episodes(LANDMARKS, AS_OF),
    "members": lambda study: study.episodes(LANDMARKS, AS_OF, outcome="end"),
    "reach": lambda study: study.episodes(LANDMARKS, AS_OF, outcome="lost_reach"),
    "training": lambda study: training_episodes(study, AS_OF, 30),
    "churn": _churn,
    "value": _value,
    "tracking": lambda study: track(study, tk.BetaGeo().fit(study.snapshot("2026-04-30")), AS_OF),
    "clock": lambda study: tk.churn_clock(study, AS_OF, horizon=30),
    "clock of types": lambda study: tk.churn_clock(study, AS_OF, horizon=30, tiers=tk.RFM()),
    "curves": lambda study: tk.survival_curves(study.episodes(["2026-04-30"], AS_OF)),
    "back-test": lambda study: tk.backtest(study, tk.ChurnModel(), origins=["2026-05-20"], horizon=21, as_of=AS_OF),
}


def said(study: tk.Study) -> dict[str, str]:
    told = {}
    for name, call in CALLS.items():
        try:
            told[name] = text_of(call(study))
        except ToolkitError as refusal:
            told[name] = f"refused: {refusal}"
    return told


@settings(max_examples=3, **FEW)
@given(futures=tables._two_futures())
def test_later_rows_of_any_table_change_no_risk(futures: tuple[tables.Rows, tables.Rows]) -> None:
    one, other = (said(_of_tables(drawn)) for drawn in futures)
    for name, text in one.items():
        assert text == other[name], name


@settings(max_examples=3, **FEW)
@given(futures=orders_only._two_futures())
def test_orders_recorded_later_change_no_risk(futures: Any) -> None:
    one, other = (said(_of_orders(drawn)) for drawn in futures)
    for name, text in one.items():
        assert text == other[name], name


def test_every_call_answers_and_an_earlier_row_changes_every_answer() -> None:
    """So that the two above can fail."""
    drawn = {name: [row] for name, row in tables.ANCHORS.items()}
    drawn["memberships"] = [tables.ANCHORS["memberships"] | {"starts_at": "2026-01-05"}]
    order = tables.ANCHORS["orders"]
    more = drawn | {
        "orders": [
            *drawn["orders"],
            *(
                order
                | {"customer_id": f"B{n:02d}", "ordered_at": f"2026-0{month}-1{n % 9}", "order_id": f"A{n}-{month}"}
                for n in range(0, 40, 2)
                for month in (4, 5, 6)
            ),
        ],
        "memberships": [
            *drawn["memberships"],
            tables.ANCHORS["memberships"] | {"customer_id": "B08", "starts_at": "2026-02-01", "ends_at": "2026-12-01"},
        ],
        "contacts": [
            *drawn["contacts"],
            tables.ANCHORS["contacts"] | {"customer_id": "B07", "sent_at": "2026-06-02", "opted_out": "1"},
        ],
    }
    one, other = said(_of_tables(drawn)), said(_of_tables(more))
    assert {name: text[:200] for name, text in one.items() if text.startswith("refused")} == {}
    assert {name for name, text in one.items() if text == other[name]} == set()
