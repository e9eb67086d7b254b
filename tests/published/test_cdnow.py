"""CDNOW master, read as published: the counts of Fader and Hardie."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    import toolkit as tk

LAST_DAY = "1998-06-30"
pytestmark = pytest.mark.xdist_group("cdnow")

Purchases = list[tuple[str, str, int, Decimal]]


@pytest.fixture(scope="module")
def purchases(datasets: Path) -> Purchases:
    lines = (datasets / "cdnow" / "CDNOW_master.txt").read_text(encoding="ascii").splitlines()[1:]
    return [(who, day, int(discs), Decimal(dollars)) for who, day, discs, dollars in (line.split() for line in lines)]


def test_every_purchase_is_used(cdnow: tk.Study) -> None:
    assert cdnow.ledger["rows"].sum() == 69_659
    assert set(cdnow.ledger["fate"]) == {"used"}
    assert cdnow.quarantine().empty


def test_money_adds_up_to_the_last_cent(cdnow: tk.Study, purchases: Purchases) -> None:
    assert sum(cdnow.ledger["money"], Decimal(0)) == sum((dollars for *_, dollars in purchases), Decimal(0))


def test_zero_purchases_stand_apart_and_count(cdnow: tk.Study, purchases: Purchases) -> None:
    zero = cdnow.ledger[cdnow.ledger["reason"] == "zero_order_counted"]
    assert zero["rows"].tolist() == [sum(dollars == 0 for *_, dollars in purchases)]


def test_customers_and_their_days(cdnow: tk.Study, purchases: Purchases) -> None:
    columns = ["order_count", "order_days", "first_order_date", "last_order_date"]
    snap = cdnow.snapshot(LAST_DAY, columns=columns)
    assert len(snap) == 23_570
    assert snap["order_count"].sum() == 69_659
    days = pd.DataFrame(purchases, columns=["who", "day", "discs", "dollars"])
    expected = days.groupby("who").agg(order_days=("day", "nunique"), first=("day", "min"), last=("day", "max"))
    assert snap.index.tolist() == expected.index.tolist()
    assert snap["order_days"].tolist() == expected["order_days"].tolist()
    assert snap["first_order_date"].dt.strftime("%Y%m%d").tolist() == expected["first"].tolist()
    assert snap["last_order_date"].dt.strftime("%Y%m%d").tolist() == expected["last"].tolist()


def test_ids_keep_their_leading_zeros(cdnow: tk.Study) -> None:
    assert cdnow.snapshot(LAST_DAY, columns=["order_count"]).index[0] == "00001"


def test_the_ledger_at_a_date_holds_the_same_rows_and_money(cdnow: tk.Study) -> None:
    book = cdnow.ledger_at("1997-09-30")
    assert book["rows"].sum() == 69_659
    assert sum(book["money"], Decimal(0)) == sum(cdnow.ledger["money"], Decimal(0))
    assert book.loc[book["fate"] == "later", "rows"].sum() > 0
