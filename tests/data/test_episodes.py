"""Episodes: features as visible at each landmark, and what came of each customer, by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT, LANDMARK


def study(orders: list[tuple[str, str]] | None = None, **tables: Any) -> tk.Study:
    rows = orders or [("C1", "2026-01-05")]
    frame = pd.DataFrame(
        {"customer_id": [who for who, _ in rows], "ordered_at": [day for _, day in rows], "amount": 10}
    )
    frames = {name: pd.DataFrame(rows) if isinstance(rows, list) else rows for name, rows in tables.items()}
    return tk.Study.from_frames(orders=frame, timezone="Asia/Shanghai", currency="CNY", **frames)


def found(episodes: pd.DataFrame) -> dict[tuple[str, str], tuple[float, int, float]]:
    return {
        (str(who), f"{row[LANDMARK]:%Y-%m-%d}"): (row[DURATION_DAYS], row[EVENT], row[ENTRY_DAYS])
        for who, row in episodes.iterrows()
    }


def test_the_next_order_is_a_day_and_who_does_not_order_is_censored() -> None:
    shop = study([("C1", "2026-01-05"), ("C1", "2026-02-01 08:00"), ("C1", "2026-02-01 09:00"), ("C2", "2026-02-03")])
    episodes = shop.episodes(["2026-01-31", "2026-02-01", "2026-02-28"], "2026-02-28", columns=["order_days"])
    assert found(episodes) == {
        ("C1", "2026-01-31"): (1, 1, 0), ("C1", "2026-02-01"): (27, 0, 0), ("C1", "2026-02-28"): (0, 0, 0),
        ("C2", "2026-02-28"): (0, 0, 0),
    }  # fmt: skip
    assert list(episodes["order_days"]) == [1, 2, 2, 1]
    assert episodes.attrs["landmarks"] == ("2026-01-31", "2026-02-01", "2026-02-28")


def test_what_is_recorded_late_is_no_feature_but_an_outcome() -> None:
    orders = pd.DataFrame(
        {
            "customer_id": ["C1", "C1", "C1"],
            "ordered_at": ["2026-01-05", "2026-01-20", "2026-02-10"],
            "recorded_at": ["2026-01-05", "2026-02-05", "2026-03-05"],
            "amount": [10, 20, 30],
        }
    )
    shop = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    at = shop.episodes(["2026-01-10", "2026-01-31"], "2026-02-28", columns=["order_days", "spend"])
    assert found(at) == {("C1", "2026-01-10"): (10, 1, 0), ("C1", "2026-01-31"): (28, 0, 0)}
    assert list(at["spend"]) == [10, 10]
    assert found(shop.episodes(["2026-01-31"], "2026-03-31"))["C1", "2026-01-31"] == (10, 1, 0)


def test_a_deleted_account_ends_an_episode_and_has_none_later() -> None:
    events = [{"customer_id": "C1", "occurred_at": "2026-02-10 10:00", "kind": "注销账号"},
              {"customer_id": "C2", "occurred_at": "2026-02-10 10:00", "kind": "注销"}]  # fmt: skip
    shop = study([("C1", "2026-01-05"), ("C2", "2026-01-05"), ("C2", "2026-02-05")], events=events)
    expected = {("C1", "2026-01-31"): (10, 2, 0), ("C2", "2026-01-31"): (5, 1, 0)}
    assert found(shop.episodes(["2026-01-31"], "2026-02-28")) == expected
    with pytest.raises(ArgumentError, match="no buyer at any of the landmarks"):
        shop.episodes(["2026-02-10"], "2026-02-28")


def test_a_membership_runs_from_its_start_and_members_enter_late() -> None:
    memberships = [
        {"customer_id": "M1", "starts_at": "2026-01-01", "ends_at": "2026-01-31", "cancelled_at": None},
        {"customer_id": "M1", "starts_at": "2026-02-01", "ends_at": "2026-02-28", "cancelled_at": None},
        {"customer_id": "M2", "starts_at": "2026-01-11", "ends_at": "2026-12-31", "cancelled_at": "2026-02-20"},
        {"customer_id": "M3", "starts_at": "2026-01-01", "ends_at": "2026-01-31", "cancelled_at": None},
        {"customer_id": "M3", "starts_at": "2026-02-02", "ends_at": "2026-12-31", "cancelled_at": None},
        {"customer_id": "M4", "starts_at": "2025-02-01", "ends_at": None, "cancelled_at": None},
    ]
    shop = study(memberships=memberships)
    assert found(shop.episodes(["2026-01-21", "2026-02-10"], "2026-03-31", columns=[], outcome="end")) == {
        ("M1", "2026-01-21"): (59, 1, 20), ("M1", "2026-02-10"): (59, 1, 40),
        ("M2", "2026-01-21"): (40, 1, 10), ("M2", "2026-02-10"): (40, 1, 30),
        ("M3", "2026-01-21"): (31, 1, 20), ("M3", "2026-02-10"): (57, 0, 8),
        ("M4", "2026-01-21"): (423, 0, 354), ("M4", "2026-02-10"): (423, 0, 374),
    }  # fmt: skip
    early = shop.episodes(["2026-01-21"], "2026-02-15", columns=[], outcome="end")
    assert found(early)["M2", "2026-01-21"] == (35, 0, 10)


def test_who_never_bought_loses_no_reach_and_an_opt_out_ends_no_order_episode() -> None:
    contacts = [{"customer_id": who, "sent_at": "2026-02-10 10:00", "opted_out": "yes"} for who in ("C1", "P1")]
    shop = study([("C1", "2026-01-05"), ("C1", "2026-02-20")], contacts=contacts)
    assert found(shop.episodes(["2026-01-31"], "2026-02-28", outcome="lost_reach")) == {
        ("C1", "2026-01-31"): (10, 1, 0)
    }
    assert found(shop.episodes(["2026-01-31"], "2026-02-28")) == {("C1", "2026-01-31"): (20, 1, 0)}


@pytest.mark.parametrize(
    ("landmarks", "more", "message"),
    [
        ([], {}, "no landmark was given"),
        (["2026-02-01", "2026-02-01"], {}, "given twice"),
        (["2026-03-01"], {}, "after as_of"),
        (["2025-01-01"], {}, "no buyer at any of the landmarks"),
        (["2026-02-01"], {"outcome": "end"}, "needs the table memberships"),
        (["2026-02-01"], {"outcome": "gone"}, "unknown: 'gone'"),
        (["2026-02-01"], {"columns": ["recensy_days"]}, "unknown: recensy_days"),
        (["2026-02-01 10:00"], {}, "whole day"),
    ],
)
def test_what_cannot_be_asked_is_refused(landmarks: list[str], more: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        study().episodes(landmarks, "2026-02-28", **more)
