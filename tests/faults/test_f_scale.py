"""Section F: size and skew, as far as the data layer meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.profiles import several
from tests.builders.shop import HEADER, check_of, good_lines, spend

if TYPE_CHECKING:
    from tests.builders.shop import Shop


@pytest.mark.fault(70)
def test_one_customer_with_one_order(shop: Shop) -> None:
    found = shop.lines("C1,2026-01-05,10").snapshot("2026-01-05").iloc[0]
    assert (found["recency_days"], found["order_days"], found["spend"]) == (0, 1, 10.0)
    assert np.isnan(found["mean_gap_days"])


@pytest.mark.fault(71, 73)
def test_equal_customers_have_equal_rows_and_the_order_of_rows_changes_nothing(shop: Shop) -> None:
    lines = [*good_lines(200), *(f"C{n},2026-01-05,10" for n in range(40))]
    wanted = shop.lines(*lines).snapshot("2026-12-31")
    assert len(wanted[wanted.index.str.startswith("C")].drop_duplicates()) == 1
    shuffled = np.random.default_rng(7).permutation(lines)
    pd.testing.assert_frame_equal(shop.lines(*shuffled).snapshot("2026-12-31"), wanted)


@pytest.mark.fault(74)
def test_no_snapshot_value_is_infinite_and_a_whale_is_a_warning(shop: Shop) -> None:
    lines = [*(f"{line},1" for line in good_lines(300)), "W,2026-01-05,5000,1"]
    odd = ["C1,2026-01-05,10,0", "C2,2026-01-05,0,5", "C3,2026-01-05,10,inf"]
    study = shop.lines(*lines, *odd, header=f"{HEADER},quantity", policies={"zero_orders": "count"})
    numbers = study.snapshot("2026-12-31").select_dtypes("number").to_numpy(dtype=float)
    assert not np.isinf(numbers).any()
    assert check_of(study, "top_customer").status == "failed"


@pytest.mark.fault(75)
def test_many_lines_add_up() -> None:
    count = several(30_000, 100_000)
    generator = np.random.default_rng(7)
    cents = generator.integers(1, 10**6, count)
    orders = pd.DataFrame(
        {
            "customer_id": generator.integers(0, 10_000, count).astype(str),
            "ordered_at": pd.Timestamp("2026-01-01") + pd.to_timedelta(generator.integers(0, 300, count), unit="D"),
            "amount": cents / 100,
        }
    )
    study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    assert int(study.ledger["money"].sum() * 100) == cents.sum()
    wanted = orders.groupby("customer_id")["amount"].sum()
    found = pd.Series(spend(study)).sort_index()
    pd.testing.assert_series_equal(found, wanted, check_names=False, check_index_type=False)
