"""Section C: who is who. The numbers are those of the list of faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pytest

import toolkit as tk
from tests.builders.shop import HEADER, assert_nothing_lost, check_of, fates, good_lines, spend
from toolkit.errors import InputError

if TYPE_CHECKING:
    from tests.builders.shop import Shop


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_33_leading_zeros_keep_customers_apart(shop: Shop, kind: str) -> None:
    frame = pd.DataFrame(
        {"customer_id": ["00123", "0123", "123"], "ordered_at": "2026-01-05", "amount": ["1", "2", "4"]}
    )
    study = shop.open(frame if kind == "parquet" else frame.to_csv(index=False))
    assert spend(study) == {"00123": 1.0, "0123": 2.0, "123": 4.0}


def test_34_long_ids_beside_a_blank_stay_exact(shop: Shop) -> None:
    study = shop.lines(
        "110101199003071233,2026-01-05,1",
        "110101199003071234,2026-01-05,2",
        ",2026-01-05,4",
        policies={"missing_customer": "exclude"},
    )
    assert spend(study) == {"110101199003071233": 1.0, "110101199003071234": 2.0}
    assert_nothing_lost(study, 3, "7")


def test_34_floating_point_ids_are_taken_only_without_loss(shop: Shop) -> None:
    orders = pd.DataFrame(
        {"customer_id": [1.0, float("nan"), 3.0], "ordered_at": "2026-01-05", "amount": [1.0, 2.0, 4.0]}
    )
    exclude = {"missing_customer": "exclude"}
    study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", policies=exclude)
    assert spend(study) == {"1": 1.0, "3": 4.0} == spend(shop.open(orders, policies=exclude))
    for lossy in (110101199003071234.0, 1.5, float("inf")):
        broken = orders.assign(customer_id=[1.0, float("nan"), lossy])
        shop.stops("id-float", broken, "customer_id", "n=1")
        with pytest.raises(InputError, match="E-id-float"):
            tk.Study.from_frames(orders=broken, timezone="Asia/Shanghai", currency="CNY")


@pytest.mark.parametrize("missing", ["", "  ", "NULL", "nan", "None", "N/A", "\\N", "-", "\u3000", "\u200b"])
def test_36_rows_without_a_customer_stop_or_are_counted_apart(shop: Shop, missing: str) -> None:
    text = "\n".join([HEADER, *good_lines(5), f"{missing},2026-01-05,7", ""])
    shop.stops("no-customer", text, "n=1", "policies: {missing_customer: exclude}", "orders_1.csv:7")
    study = shop.open(text, policies={"missing_customer": "exclude"})
    assert fates(study) == {"order": 5, "missing_customer": 1}
    assert_nothing_lost(study, 6, "57")


def test_36_rows_without_a_customer_are_outside_the_budget(shop: Shop) -> None:
    study = shop.lines(
        *[",2026-01-05,7"] * 50, good=50, policies={"missing_customer": "exclude"}, loss_budget={"rows": 0, "money": 0}
    )
    study.check("2026-12-31")


@pytest.mark.parametrize(
    "customer", ["0", "00", "nobody", "x" * 5000, "😀", "a,b", "'; DROP TABLE orders; --", "{}", "%s"]
)
def test_36_ids_that_look_empty_or_odd_are_ids(shop: Shop, customer: str) -> None:
    assert spend(shop.lines(f'"{customer}",2026-01-05,7')) == {customer: 7.0}


def test_37_ids_are_compared_as_text(shop: Shop) -> None:
    customers = pd.DataFrame({"customer_id": [1, 2], "persona": ["a", "b"]})
    study = shop.lines("001,2026-01-05,1", "1,2026-01-05,2", customers=customers)
    found = study.snapshot("2026-12-31")
    assert list(found.index) == ["001", "1", "2"]
    assert found["persona"].isna().tolist() == [True, False, False]


def test_39_variants_of_one_id_are_one_and_are_counted(shop: Shop) -> None:
    study = shop.lines("Ａ１,2026-01-05,1", " A1 ,2026-01-05,2", "A\u200b1,2026-01-05,4", "A1,2026-01-05,8")
    assert spend(study) == {"A1": 15.0}
    assert check_of(study, "ids_repaired").count == 3
    assert (check_of(study, "ids_joined").status, check_of(study, "ids_joined").count) == ("failed", 1)


def test_39_case_is_kept_unless_folding_is_asked_for(shop: Shop) -> None:
    lines = ("Ab,2026-01-05,1", "aB,2026-01-05,2")
    study = shop.lines(*lines)
    assert spend(study) == {"Ab": 1.0, "aB": 2.0}
    assert (check_of(study, "case_variants").status, check_of(study, "case_variants").count) == ("failed", 1)
    assert spend(shop.lines(*lines, fold_case=True)) == {"ab": 3.0}


@pytest.mark.parametrize("listed", ["13800138000", " １３８００１３８０００ "])
def test_41_excluded_ids_leave_with_their_money(shop: Shop, listed: str) -> None:
    study = shop.lines("13800138000,2026-01-05,999", "C1,2026-01-05,1", exclude_customers=[listed])
    assert spend(study) == {"C1": 1.0}
    assert fates(study) == {"order": 1, "excluded_customer": 1}
    assert_nothing_lost(study, 2, "1000")


def test_41_excluded_ids_are_folded_like_the_others(shop: Shop) -> None:
    study = shop.lines("STAFF-1,2026-01-05,999", "C1,2026-01-05,1", exclude_customers=["Staff-1"], fold_case=True)
    assert spend(study) == {"c1": 1.0}


def test_41_a_customer_with_much_of_the_spend_is_a_warning(shop: Shop) -> None:
    study = shop.lines("W,2026-01-05,400", good=300)
    assert check_of(study, "top_customer").status == "failed"
    assert "W" not in check_of(study, "top_customer").message.split()


def test_42_a_customer_twice_doubles_nothing(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,100", customers="customer_id,persona\nC1,a\nC1,a\n")
    assert spend(study) == {"C1": 100.0}
    assert fates(study, "customers") == {"customer": 1, "repeated_customer": 1}
    assert_nothing_lost(study, 2, "0", table="customers")


@pytest.mark.parametrize(
    ("header", "one", "other"),
    [("persona", "a", "b"), ("opted_out", "no", "yes"), ("followers", "1", "2"), ("interests", "x", "y")],
)
def test_42_a_customer_in_two_rows_that_differ_stops(shop: Shop, header: str, one: str, other: str) -> None:
    customers = f"customer_id,{header}\nC1,{one}\nC1,{other}\n"
    shop.stops("conflicting-customer", f"{HEADER}\nC1,2026-01-05,10\n", "customers.csv:3", customers=customers)


def test_42_a_customer_over_time_is_read_at_the_date(shop: Shop) -> None:
    customers = "customer_id,persona,valid_from\nC1,old,2026-01-01\nC1,new,2026-06-01\n"
    study = shop.lines("C1,2026-01-05,10", customers=customers)
    assert study.snapshot("2026-05-31")["persona"].tolist() == ["old"]
    assert study.snapshot("2026-06-01")["persona"].tolist() == ["new"]


def test_42_two_truths_from_one_day_stop(shop: Shop) -> None:
    customers = "customer_id,persona,valid_from\nC1,old,2026-01-01\nC1,new,2026-01-01\n"
    shop.stops("conflicting-customer", f"{HEADER}\nC1,2026-01-05,10\n", customers=customers)


def test_43_customers_without_orders_and_the_reverse_are_kept_and_counted(shop: Shop) -> None:
    study = shop.lines("C1,2026-01-05,10", "C2,2026-01-05,10", customers="customer_id,persona\nC2,a\nC3,b\nC4,b\n")
    assert list(study.snapshot("2026-12-31").index) == ["C1", "C2", "C3", "C4"]
    assert check_of(study, "buyers_unknown").count == 1
    assert check_of(study, "never_bought").count == 2


def test_beyond_whole_number_ids_in_parquet_are_text(shop: Shop) -> None:
    ids = pa.array([2**63 - 1, 2**63 - 2], pa.int64())
    study = shop.open(pa.table({"customer_id": ids, "ordered_at": ["2026-01-05"] * 2, "amount": [1, 2]}))
    assert spend(study) == {str(2**63 - 2): 2.0, str(2**63 - 1): 1.0}
