"""Orders of the R package rfm: its recency, frequency and monetary value, and the segment counts of its vignette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import toolkit as tk

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ANALYSIS_DATE = "2006-12-31"

SCORE_RANGES = {
    "Champions": ((5, 5), (5, 5), (5, 5)),
    "Potential Loyalist": ((3, 5), (3, 5), (2, 5)),
    "Loyal": ((2, 4), (2, 4), (2, 4)),
    "Promising": ((3, 4), (1, 3), (3, 5)),
    "New": ((4, 5), (1, 3), (1, 5)),
    "Can't Lose": ((1, 2), (3, 4), (4, 5)),
    "At Risk": ((1, 2), (2, 5), (4, 5)),
    "Need Attention": ((1, 3), (3, 5), (3, 5)),
    "About To Sleep": ((2, 3), (1, 3), (1, 4)),
    "Lost": ((1, 1), (1, 5), (1, 5)),
}
"""Lowest and highest recency, frequency and monetary score, documentation of rfm 0.3.0; the first that fits counts."""

VIGNETTE = {
    "Champions": 35,
    "Potential Loyalist": 342,
    "Loyal": 170,
    "Promising": 9,
    "New": 104,
    "Can't Lose": 47,
    "At Risk": 28,
    "Need Attention": 10,
    "About To Sleep": 102,
    "Lost": 148,
}


@pytest.fixture(scope="module")
def orders(datasets: Path) -> pd.DataFrame:
    return pd.read_csv(datasets / "rfm_r" / "rfm_data_orders.csv", dtype=str)


@pytest.fixture(scope="module")
def snap(orders: pd.DataFrame) -> pd.DataFrame:
    study = tk.Study.from_frames(orders=orders, timezone="UTC", currency="USD")
    return study.snapshot(ANALYSIS_DATE)


def test_recency_frequency_and_monetary_value(orders: pd.DataFrame, snap: pd.DataFrame) -> None:
    typed = orders.assign(day=pd.to_datetime(orders["order_date"]), revenue=orders["revenue"].astype(float))
    expected = typed.groupby("customer_id").agg(last=("day", "max"), orders=("day", "size"), spend=("revenue", "sum"))
    recency = (pd.Timestamp(ANALYSIS_DATE) - expected["last"]).dt.days
    assert (len(orders), len(snap)) == (4_906, 995)
    assert snap["recency_days"].to_dict() == recency.to_dict()
    assert snap["order_count"].to_dict() == expected["orders"].to_dict()
    assert snap["spend"].to_dict() == expected["spend"].to_dict()


def test_the_rule_of_the_r_package_gives_the_counts_of_its_vignette(snap: pd.DataFrame) -> None:
    scores = np.column_stack(
        [
            6 - _score_as_in_r(snap["recency_days"].to_numpy()),
            _score_as_in_r(snap["order_count"].to_numpy()),
            _score_as_in_r(snap["spend"].to_numpy()),
        ]
    )
    left, counts = np.ones(len(snap), dtype=bool), {}
    for name, ranges in SCORE_RANGES.items():
        low, high = np.array(ranges).T
        here = left & ((scores >= low) & (scores <= high)).all(axis=1)
        counts[name] = int(here.sum())
        left &= ~here
    assert counts == VIGNETTE
    assert not left.any()


def _score_as_in_r(values: NDArray[np.float64]) -> NDArray[np.int64]:
    cuts = np.quantile(values, [0.2, 0.4, 0.6, 0.8]) + 1
    return 1 + np.searchsorted(cuts, values, side="right")
