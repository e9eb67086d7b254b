"""UCI Online Retail, read as published: every line and every penny is accounted for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import toolkit as tk

LAST_DAY = "2011-12-09"
pytestmark = pytest.mark.xdist_group("online retail")
COUNTED_AS_ONE = ["CustomerID", "InvoiceDate", "UnitPrice", "InvoiceNo", "StockCode", "Quantity"]


@pytest.fixture(scope="module")
def lines(datasets: Path) -> pd.DataFrame:
    frame: pd.DataFrame = pq.read_table(datasets / "online_retail" / "online_retail.parquet").to_pandas()
    money = zip(frame["Quantity"].tolist(), frame["UnitPrice"].tolist(), strict=True)
    frame["amount"] = [quantity * Decimal(repr(price)) for quantity, price in money]
    return frame


def _exact(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def test_every_line_comes_in(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    assert online_retail.ledger["rows"].sum() == 541_909
    assert online_retail.ledger["rows_without_money"].sum() == 0
    assert _exact(online_retail.ledger["money"]) == _exact(lines["amount"])


@pytest.mark.parametrize("as_of", ["2011-03-31", "2011-09-30", LAST_DAY])
def test_the_parts_add_up_at_every_date(online_retail: tk.Study, lines: pd.DataFrame, as_of: str) -> None:
    book = online_retail.ledger_at(as_of)
    later = lines["InvoiceDate"] >= pd.Timestamp(as_of) + pd.Timedelta(days=1)
    seen = book["fate"] != "later"
    assert (book.loc[seen, "rows"].sum(), book.loc[~seen, "rows"].sum()) == ((~later).sum(), later.sum())
    assert _exact(book.loc[seen, "money"]) == _exact(lines.loc[~later, "amount"])
    assert _exact(book.loc[~seen, "money"]) == _exact(lines.loc[later, "amount"])


def test_the_published_cleaning(online_retail: tk.Study) -> None:
    used = online_retail.ledger[online_retail.ledger["fate"] == "used"]
    assert used["rows"].sum() == 397_884
    assert _exact(used["money"]) == Decimal("8911407.904")
    assert (online_retail.snapshot(LAST_DAY, columns=["order_count"])["order_count"] > 0).sum() == 4_338


def test_lines_without_a_customer_are_counted_apart(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    apart = online_retail.ledger[online_retail.ledger["reason"] == "missing_customer"].iloc[0]
    assert (apart["fate"], apart["rows"]) == ("excluded", 135_080)
    assert apart["money"] == _exact(lines.loc[lines["CustomerID"].isna(), "amount"])


def test_everyone_with_an_id_is_in_the_snapshot(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    snap = online_retail.snapshot(LAST_DAY, columns=["order_count"])
    assert len(snap) == 4_372
    assert set(snap.index) == set(lines["CustomerID"].dropna().astype("int64").astype(str))


def test_cancelled_lines_are_refunds(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    cancelled = lines["InvoiceNo"].str.startswith("C")
    known = lines["CustomerID"].notna()
    refunds = online_retail.ledger[online_retail.ledger["fate"] == "refund"]
    assert cancelled.sum() == 9_288
    assert refunds["rows"].sum() == (cancelled & known).sum()
    assert _exact(refunds["money"]) == _exact(lines.loc[cancelled & known, "amount"])


def test_invoices_are_orders(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    assert lines["InvoiceNo"].nunique() == 25_900
    bought = lines["CustomerID"].notna() & (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0)
    orders = online_retail.snapshot(LAST_DAY, columns=["order_count"])["order_count"]
    assert orders.sum() == lines.loc[bought, "InvoiceNo"].nunique()


def test_exact_repeats_are_reported_and_kept(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    published = lines.drop(columns="amount").duplicated().sum()
    counted = lines[lines["CustomerID"].notna() & (lines["amount"] != 0)]
    reported = next(check for check in online_retail.checks(LAST_DAY) if check.code == "exact_repeats")
    assert published == 5_268
    assert reported.count == counted.duplicated(COUNTED_AS_ONE).sum()
    assert reported.status == "failed"


def test_spend_of_each_customer(online_retail: tk.Study, lines: pd.DataFrame) -> None:
    spend = lines[lines["CustomerID"].notna()].groupby("CustomerID")["amount"].agg(_exact)
    spend.index = spend.index.astype("int64").astype(str)
    snap = online_retail.snapshot(LAST_DAY, columns=["spend"])
    assert snap["spend"].to_dict() == spend.map(float).to_dict()
