"""Section F: size and skew, as far as the data layer meets them. The numbers are those of the list of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import toolkit as tk
from tests.builders.shop import HEADER, check_of, good_lines, spend

if TYPE_CHECKING:
    from tests.builders.shop import Shop


def test_70_one_customer_with_one_order(shop: Shop) -> None:
    found = shop.lines("C1,2026-01-05,10").snapshot("2026-01-05").iloc[0]
    assert (found["recency_days"], found["order_days"], found["spend"]) == (0, 1, 10.0)
    assert np.isnan(found["mean_gap_days"])


def test_71_equal_customers_have_equal_rows(shop: Shop) -> None:
    found = shop.lines(*(f"C{n},2026-01-05,10" for n in range(40))).snapshot("2026-12-31")
    assert len(found.drop_duplicates()) == 1


def test_73_the_order_of_rows_changes_nothing(shop: Shop) -> None:
    lines = good_lines(200)
    wanted = shop.open("\n".join([HEADER, *lines])).snapshot("2026-12-31")
    shuffled = np.random.default_rng(7).permutation(lines)
    pd.testing.assert_frame_equal(shop.open("\n".join([HEADER, *shuffled])).snapshot("2026-12-31"), wanted)


def test_74_no_snapshot_value_is_infinite(shop: Shop) -> None:
    study = shop.lines(
        "C1,2026-01-05,10,0",
        "C2,2026-01-05,0,5",
        "C3,2026-01-05,10,inf",
        header=f"{HEADER},quantity",
        good=0,
        policies={"zero_orders": "count"},
    )
    numbers = study.snapshot("2026-12-31").select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()


def test_74_a_whale_is_a_warning(shop: Shop) -> None:
    assert check_of(shop.lines("W,2026-01-05,5000", good=300), "top_customer").status == "failed"


def test_75_a_hundred_thousand_lines_add_up() -> None:
    generator = np.random.default_rng(7)
    cents = generator.integers(1, 10**6, 100_000)
    orders = pd.DataFrame(
        {
            "customer_id": generator.integers(0, 10_000, 100_000).astype(str),
            "ordered_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(generator.integers(0, 300, 100_000), unit="D"),
            "amount": cents / 100,
        }
    )
    study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    assert int(study.ledger["money"].sum() * 100) == cents.sum()
    wanted = orders.groupby("customer_id")["amount"].sum()
    pd.testing.assert_series_equal(
        pd.Series(spend(study)).sort_index(), wanted, check_names=False, check_index_type=False
    )
