"""The made-up course seller: its truth holds, its blemishes are counted, and its numbers stay."""

from __future__ import annotations

import hashlib
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tests.builders.profiles import examples
from tests.builders.sellers import AS_OF_END, by_owner, default, large
from toolkit.data import synthetic
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic import Business, course_seller
from toolkit.errors import ArgumentError

pytestmark = pytest.mark.xdist_group("synthetic")

MOMENTS = {
    "orders": "ordered_at",
    "events": "occurred_at",
    "contacts": "sent_at",
    "memberships": "starts_at",
    "surveys": "answered_at",
    "costs": "period_start",
    "assignments": "assigned_at",
}


def digest(frame: pd.DataFrame) -> str:
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def money_orders(business: Business) -> pd.DataFrame:
    """Return one row per purchase that the tables show, by the same rule as the docstring: paid, with money."""
    orders = by_owner(business, "orders")
    sold = orders[(orders["status"] == "paid") & (orders["amount"].isna() | (orders["amount"] > 0))]
    return sold.drop_duplicates("order_id")


@pytest.fixture(scope="module")
def business() -> Business:
    return large()


@pytest.fixture(scope="module")
def shown(business: Business) -> pd.DataFrame:
    return money_orders(business)


@pytest.fixture(scope="module")
def orders(business: Business) -> pd.DataFrame:
    return by_owner(business, "orders")


@pytest.fixture(scope="module")
def buyers(business: Business) -> pd.DataFrame:
    return business.truth[business.truth["buyer"]]


def test_the_numbers_of_the_orders_and_customers_never_change() -> None:
    business = default()
    orders, customers = by_owner(business, "orders"), business.tables["customers"]
    assert (len(orders), len(customers)) == (23_923, 5_000)
    of_orders = {
        "free_orders": 1_976,
        "cancelled_orders": 357,
        "refund_lines": 528,
        "missing_customer_lines": 111,
        "unreadable_amount_lines": 27,
        "repeated_lines": 46,
    }
    assert business.planted | of_orders == business.planted
    assert round(orders["amount"].sum() * 100) == 1_010_084_394
    assert int(business.truth["purchases"].sum()) == 17_269
    first_columns = customers.loc[:, :"region"]
    assert digest(first_columns) == "3b38ef6a106e8eb99e8de7acf912d3bb4e26945843427d19fe25887d4735e7f7"
    assert digest(orders) == "1b73a662148433f688deed632f95fbd86b831b75cd9825840367924265a719fb"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not() -> None:
    one, two, other = (course_seller(customers=300, seed=seed) for seed in (3, 3, 4))
    assert_frame_equal(one.truth, two.truth, check_exact=True)
    for name, table in one.tables.items():
        assert digest(table) == digest(two.tables[name])
        assert digest(table) != digest(other.tables[name])


@pytest.fixture(scope="module")
def before() -> Business:
    return course_seller(customers=200, seed=5)


def with_more_draws(child: str, monkeypatch: pytest.MonkeyPatch) -> Business:
    genuine = synthetic._generators

    def generators(seed: int) -> dict[str, np.random.Generator]:
        children = genuine(seed)
        children[child].random(5)
        return children

    with monkeypatch.context() as patch:
        patch.setattr(synthetic, "_generators", generators)
        return course_seller(customers=200, seed=5)


OF_CHILD: dict[str, set[str]] = {
    "orders": {"orders", "events", "contacts", "memberships", "surveys", "assignments"},
    "refunds": {"orders"},
    "blemishes": {"orders"},
    "profile": {"customers"},
    "identities": {"identities", "orders", "events", "contacts"},
    "engagement": {"events", "contacts", "surveys"},
    "assignments": {"assignments", "events"},
    "events": {"events"},
    "contacts": {"contacts"},
    "memberships": {"memberships"},
    "surveys": {"surveys"},
    "costs": {"costs"},
}
"""Which tables hold what a child draws, or what follows from it."""
OF_CHILD["process"] = OF_CHILD["orders"] | {"customers"}
OF_CHILD["customers"] = OF_CHILD["process"] | {"costs"}


@pytest.mark.parametrize("child", synthetic.CHILDREN)
def test_more_draws_by_one_child_leave_what_the_others_draw(
    before: Business, child: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = with_more_draws(child, monkeypatch)
    changed = {name for name, table in before.tables.items() if digest(table) != digest(after.tables[name])}
    assert changed == OF_CHILD[child]
    rates = ["purchase_rate", "dropout_rate", "lifetime_days", "spend_level"]
    if child not in {"customers", "process"}:
        assert_frame_equal(before.truth[rates], after.truth[rates], check_exact=True)
    if child == "identities":
        for name in changed - {child}:
            assert_frame_equal(by_owner(before, name), by_owner(after, name), check_exact=True)
    if child not in {"customers", "process", "orders", "engagement", "memberships"}:
        assert_frame_equal(before.truth, after.truth, check_exact=True)


def test_a_later_table_changes_no_earlier_number(before: Business, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "CHILDREN", (*synthetic.CHILDREN, "a table of a later step"))
    after = course_seller(customers=200, seed=5)
    assert [digest(table) for table in before.tables.values()] == [digest(table) for table in after.tables.values()]


def test_repeat_purchases_given_the_exposure_are_poisson_with_the_true_rate(buyers: pd.DataFrame) -> None:
    expected = buyers["purchase_rate"] * buyers["exposure_days"]
    repeats = buyers["purchases"] - 1
    assert abs((repeats - expected).sum()) < 4 * np.sqrt(expected.sum())
    often = expected > 1
    dispersion = ((repeats - expected) ** 2 / expected)[often]
    assert abs(dispersion.mean() - 1) < 4 * np.sqrt(3 / often.sum())


def test_the_rate_of_purchases_does_not_change_with_time_while_alive(shown: pd.DataFrame, buyers: pd.DataFrame) -> None:
    repeats = shown.dropna(subset="customer_id").set_index("customer_id")["ordered_at"].to_frame()
    repeats = repeats.join(buyers[buyers["exposure_days"] > 60], how="inner")
    repeats = repeats[repeats["ordered_at"] > repeats["first_purchase_at"]]
    end = repeats["drop_out_at"].fillna(AS_OF_END)
    part = (repeats["ordered_at"] - repeats["first_purchase_at"]) / (end - repeats["first_purchase_at"])
    assert abs(part.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(part))
    assert abs((part < 0.1).mean() - 0.1) < 4 * np.sqrt(0.09 / len(part))


def test_lifetimes_are_exponential_with_the_true_rate(buyers: pd.DataFrame) -> None:
    unit = np.sort((buyers["dropout_rate"] * buyers["lifetime_days"]).to_numpy())
    distance = np.abs((np.arange(len(unit)) + 0.5) / len(unit) - (1 - np.exp(-unit))).max()
    assert distance < 1.95 / np.sqrt(len(unit))


def test_drop_outs_seen_match_the_rate_times_the_exposure(buyers: pd.DataFrame) -> None:
    expected = (buyers["dropout_rate"] * buyers["exposure_days"]).sum()
    assert abs(buyers["drop_out_at"].notna().sum() - expected) < 4 * np.sqrt(expected)
    days = (buyers["drop_out_at"] - buyers["first_purchase_at"]).dt.total_seconds() / 86_400
    assert (days - buyers["lifetime_days"]).abs().max() < 1


def test_rates_are_gamma_within_a_channel(buyers: pd.DataFrame) -> None:
    for channel, kind in market.ACQUISITION_CHANNELS.items():
        mine = buyers[buyers["acquisition_channel"] == channel]
        for column, mean, shape in (
            ("purchase_rate", market.PURCHASE_MEAN * kind.purchase, market.PURCHASE_SHAPE),
            ("dropout_rate", market.DROPOUT_MEAN * kind.dropout, market.DROPOUT_SHAPE),
        ):
            assert mine[column].mean() == pytest.approx(mean, rel=4 / np.sqrt(shape * len(mine))), (channel, column)
            assert mine[column].var() / mine[column].mean() ** 2 == pytest.approx(1 / shape, rel=0.25), (
                channel,
                column,
            )


def test_channels_differ_in_quality(business: Business) -> None:
    quality = business.truth.groupby("acquisition_channel", observed=True)[["buyer", "purchases"]].mean()
    assert quality["buyer"].idxmax() == quality["purchases"].idxmax() == "referral"
    assert quality["buyer"].idxmin() == quality["purchases"].idxmin() == "short_video"


def test_the_tables_show_the_purchases_of_the_truth(
    business: Business, shown: pd.DataFrame, buyers: pd.DataFrame
) -> None:
    assert len(shown) == business.truth["purchases"].sum()
    by_customer = shown.groupby("customer_id")["order_id"].nunique().reindex(business.truth.index, fill_value=0)
    hidden = business.truth["purchases"] - by_customer
    assert hidden.min() == 0
    assert hidden.sum() <= business.planted["missing_customer_lines"]
    whole = hidden[business.truth["buyer"] & (hidden == 0)].index
    first = shown.groupby("customer_id")["ordered_at"].min()
    assert (first[whole].to_numpy() == buyers.loc[whole, "first_purchase_at"].to_numpy()).all()
    layer = shown["product_layer"].cat.set_categories(market.LAYERS).cat.codes.groupby(shown["customer_id"]).max()
    assert (layer[whole].to_numpy() == buyers.loc[whole, "top_layer"].cat.codes.to_numpy()).all()


def test_prospects_have_no_purchase_and_no_rates(business: Business, shown: pd.DataFrame) -> None:
    prospects = business.truth[~business.truth["buyer"]]
    assert 0.12 < len(prospects) / len(business.truth) < 0.18
    assert (prospects["purchases"] == 0).all()
    rates = ["purchase_rate", "dropout_rate", "lifetime_days", "exposure_days"]
    assert prospects[[*rates, "first_purchase_at", "drop_out_at", "top_layer"]].isna().all(axis=None)
    assert not shown["customer_id"].isin(prospects.index).any()


def test_orders_lie_between_joining_and_drop_out_or_as_of(business: Business, orders: pd.DataFrame) -> None:
    assert orders["ordered_at"].is_monotonic_increasing
    assert orders["ordered_at"].max() < AS_OF_END
    joined = business.tables["customers"].set_index("customer_id")["joined_at"]
    assert joined.min() >= pd.Timestamp("2024-11-01")
    known = orders.dropna(subset="customer_id")
    assert (known["ordered_at"].to_numpy() >= joined[known["customer_id"]].to_numpy()).all()
    sold = known[~(known["amount"] < 0)]
    end = business.truth["drop_out_at"].fillna(AS_OF_END)[sold["customer_id"]]
    assert (sold["ordered_at"].to_numpy() <= end.to_numpy()).all()


def test_planted_blemishes_stand_in_the_table(business: Business, orders: pd.DataFrame) -> None:
    free = orders[(orders["status"] == "paid") & (orders["amount"] == 0)]
    found = {
        "free_orders": free["order_id"].nunique(),
        "cancelled_orders": orders.loc[orders["status"] == "cancelled", "order_id"].nunique(),
        "refund_lines": (orders["amount"] < 0).sum(),
        "missing_customer_lines": orders["customer_id"].isna().sum(),
        "unreadable_amount_lines": orders["amount"].isna().sum(),
        "repeated_lines": orders.duplicated("line_id").sum(),
    }
    assert business.planted | found == business.planted
    assert orders.duplicated("line_id").sum() == orders.duplicated().sum()
    share = {name: count / len(orders) for name, count in business.planted.items()}
    assert share["missing_customer_lines"] == pytest.approx(0.004, rel=0.25)
    assert share["unreadable_amount_lines"] == pytest.approx(0.001, rel=0.4)
    assert share["repeated_lines"] == pytest.approx(0.002, rel=0.3)
    purchases = business.truth["purchases"].sum()
    assert business.planted["cancelled_orders"] / purchases == pytest.approx(0.02, rel=0.2)
    assert business.planted["refund_lines"] / purchases == pytest.approx(0.03, rel=0.2)


def test_refunds_take_back_a_paid_line_later(orders: pd.DataFrame) -> None:
    refunds = orders[orders["amount"] < 0]
    assert refunds["line_id"].is_unique
    paid = orders[(orders["status"] == "paid") & ~(orders["amount"] < 0)].drop_duplicates("line_id")
    pairs = refunds.merge(paid, on=["order_id", "product_id"], suffixes=("", "_paid"), validate="one_to_one")
    assert len(pairs) == len(refunds)
    assert not pairs["line_id"].isin(paid["line_id"]).any()
    days = (pairs["ordered_at"] - pairs["ordered_at_paid"]).dt.days
    assert days.between(1, 60).all()
    assert (-pairs["amount"] <= pairs["amount_paid"].fillna(np.inf)).all()
    assert ((-pairs["amount"] - pairs["amount_paid"]).abs() < 0.005).mean() == pytest.approx(0.8, abs=0.05)


def test_people_buy_in_the_hours_of_their_persona(business: Business, shown: pd.DataFrame) -> None:
    personas = shown["customer_id"].map(business.truth["persona"].astype(object))
    for persona, kind in market.PERSONAS.items():
        hour = shown.loc[personas == persona, "ordered_at"].dt.hour
        start, end = kind.active
        active = ((hour >= start) & (hour < end)).mean()
        margin = 4 * np.sqrt(0.85 * 0.15 / len(hour))
        assert active == pytest.approx(market.ACTIVE_SHARE, abs=margin), persona


def test_layers_have_their_prices_and_climb_with_purchases(shown: pd.DataFrame, orders: pd.DataFrame) -> None:
    prices = orders.groupby("product_layer", observed=True)["list_price"].agg(["min", "max"])
    assert prices.loc[list(market.LAYERS)].to_numpy().tolist() == [[0, 49], [199, 999], [2999, 19800]]
    number = shown.groupby("customer_id").cumcount()
    layer = shown["product_layer"].cat.codes.groupby(number.clip(upper=5)).mean()
    assert layer.is_monotonic_increasing
    assert orders.groupby("order_id")["line_id"].nunique().value_counts().index.isin([1, 2, 3, 4]).all()


def test_amounts_are_whole_cents_of_the_price_less_a_known_discount(orders: pd.DataFrame) -> None:
    amount = orders["amount"].dropna()
    assert (amount == amount.round(2)).all()
    sold = orders[orders["amount"] > 0]
    percent = 100 * sold["amount"] / (sold["list_price"] * sold["quantity"])
    assert set(percent.round().astype(int)) == set(market.DISCOUNTS)


def test_a_fifth_of_the_buyers_bring_most_of_the_money(orders: pd.DataFrame, buyers: pd.DataFrame) -> None:
    paid = orders[orders["status"] == "paid"].drop_duplicates("line_id")
    spend = paid.groupby("customer_id")["amount"].sum().reindex(buyers.index, fill_value=0).sort_values(ascending=False)
    assert 0.65 < spend.head(len(spend) // 5).sum() / spend.sum() < 0.80


@examples(dev=8, ci=25)
@given(customers=st.integers(1, 40), seed=st.integers(0, 2**32), length=st.integers(0, 400))
def test_any_size_gives_whole_tables(customers: int, seed: int, length: int) -> None:
    last = pd.Timestamp("2025-01-01") + pd.Timedelta(days=length)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        business = course_seller(customers=customers, seed=seed, start="2025-01-01", as_of=str(last.date()))
    people = business.tables["customers"]
    assert people["customer_id"].is_unique
    assert list(people["customer_id"]) == list(business.truth.index)
    for name in set(business.tables) - {"costs", "identities"}:
        assert by_owner(business, name)["customer_id"].dropna().isin(people["customer_id"]).all(), name
    for name, moment in MOMENTS.items():
        happened = business.tables[name][moment]
        assert str(happened.dtype) == "datetime64[s]"
        assert (happened < last + pd.Timedelta(days=1)).all()
        assert happened.is_monotonic_increasing
    assert business.as_of == last.date()


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ArgumentError, match="no-customers"):
        course_seller(customers=0)
    with pytest.raises(ArgumentError, match="dates-reversed"):
        course_seller(start="2026-01-02", as_of="2026-01-01")
    assert course_seller(customers=1, start="2026-01-01", as_of="2026-01-01").as_of == date(2026, 1, 1)
