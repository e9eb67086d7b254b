"""The made-up course seller's other tables: they hang together, break rules as counted, and keep the known truth."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from tests.builders.profiles import THOROUGH, several
from tests.builders.sellers import AS_OF_END, by_owner, default, large
from toolkit.data import synthetic_community as community
from toolkit.data import synthetic_market as market
from toolkit.data.synthetic import Business, course_seller
from toolkit.tables import TABLES

pytestmark = pytest.mark.xdist_group("synthetic")

DAY = pd.Timedelta(days=1)
PINNED = {
    "customers": (5_000, "23df7fff463c8884c00590ede1aec4b290a3473defa399daef1c2a7f9851e86d"),
    "events": (157_881, "3768ced6c768c5499ec68ed1e51ca72847e46fc6fc821dee8725acfcc41346b5"),
    "contacts": (51_024, "3c260895aaab208adf5e56287abb7421831c47cf55b3bc10b88f92ed173349c8"),
    "memberships": (2_946, "8a84dcdd7575d3a86c8f15481a229ded4f9a0e61274c1d5ce1b5c645f3520163"),
    "surveys": (2_990, "1d7d6b6a6f69e4273ecbe720190292c087fd0d6761f8e51a2b814104d17c9844"),
    "costs": (120, "fae17a114145012515e3eaa117873ead507dda0b607241ac5f53c11cf877eedc"),
    "identities": (1_473, "ae10b8967f3add3e7f91c37aa1c2d96b18ef5340301e0e93ad7ff91702826382"),
    "assignments": (4_530, "6757decd9d36bd94b8feed40cd4b8a2dee13bc102df12c1843d7762de18228cc"),
}


def days_after(later: pd.Series[pd.Timestamp], earlier: pd.Series[pd.Timestamp]) -> pd.Series[float]:
    return (later - earlier).dt.total_seconds() / 86_400


@pytest.fixture(scope="module")
def business() -> Business:
    return large()


@pytest.fixture(scope="module")
def people(business: Business) -> pd.DataFrame:
    """Return what is known and what is true of each customer."""
    customers = business.tables["customers"].astype({"customer_id": object}).set_index("customer_id")
    return customers.join(business.truth.drop(columns=["persona", "acquisition_channel"]))


@pytest.fixture(scope="module")
def events(business: Business, people: pd.DataFrame) -> pd.DataFrame:
    wanted = ["joined_at", "persona", "buyer", "drop_out_at", "engagement", "completion_probability"]
    return by_owner(business, "events").join(people[wanted], on="customer_id")


@pytest.fixture(scope="module")
def contacts(business: Business, people: pd.DataFrame) -> pd.DataFrame:
    sent = by_owner(business, "contacts")
    orders = by_owner(business, "orders")
    premium = orders[(orders["status"] == "paid") & (orders["product_layer"] == "premium") & (orders["amount"] > 0)]
    first_premium = premium.groupby("customer_id")["ordered_at"].min().rename("premium_at")
    opted_out = sent[sent["opted_out"]].groupby("customer_id")["sent_at"].min().rename("opted_out_at")
    known = people[["joined_at", "persona", "engagement"]].join([first_premium, opted_out])
    return sent.join(known, on="customer_id")


def test_the_default_numbers_never_change() -> None:
    tables = default().tables
    written = {name: tables[name].to_csv(index=False, lineterminator="\n").encode() for name in PINNED}
    assert {name: (len(tables[name]), hashlib.sha256(written[name]).hexdigest()) for name in PINNED} == PINNED


def test_tables_have_columns_of_the_contract_only(business: Business) -> None:
    assert set(business.tables) == set(TABLES)
    for name, frame in business.tables.items():
        required = {column.name for column in TABLES[name].columns if column.required}
        assert required <= set(frame.columns) <= {column.name for column in TABLES[name].columns}, name


def test_nobody_acts_before_joining_or_after_as_of(
    business: Business, people: pd.DataFrame, events: pd.DataFrame, contacts: pd.DataFrame
) -> None:
    assert (events["occurred_at"] >= events["joined_at"]).all()
    assert (contacts["sent_at"] > contacts["joined_at"]).all()
    for name, moment in (("memberships", "starts_at"), ("surveys", "answered_at"), ("assignments", "assigned_at")):
        rows = business.tables[name].astype({"customer_id": object}).join(people["joined_at"], on="customer_id")
        assert (rows[moment] > rows["joined_at"]).all()
    assert max(events["occurred_at"].max(), contacts["sent_at"].max()) < AS_OF_END
    assert business.tables["memberships"]["cancelled_at"].max() < AS_OF_END


def test_engagement_goes_with_the_purchase_rate_and_shows_in_sessions(
    people: pd.DataFrame, events: pd.DataFrame
) -> None:
    buyers = people[people["buyer"]]
    assert 0.3 < np.log(buyers["engagement"]).corr(np.log(buyers["purchase_rate"])) < 0.9
    visits = events[events["kind"].isin(["login", "open"])].groupby("customer_id").size()
    long = buyers[buyers["exposure_days"] > 60]
    rate = visits.reindex(long.index, fill_value=0) / long["exposure_days"]
    assert (rate / long["engagement"]).mean() == pytest.approx(community.SESSIONS, rel=0.15)


def test_views_come_before_purchases(people: pd.DataFrame, events: pd.DataFrame, business: Business) -> None:
    orders = by_owner(business, "orders")
    sold = orders[(orders["status"] == "paid") & (orders["amount"] > 0)].drop_duplicates("order_id")
    sold = sold.dropna(subset="customer_id").join(people[["joined_at"]], on="customer_id")
    sold = sold[sold["ordered_at"] - sold["joined_at"] > 60 * DAY]
    viewed = events.loc[(events["kind"] == "view") & events["value"].notna(), ["customer_id", "occurred_at"]]
    rng = np.random.default_rng(1)
    earlier = sold["ordered_at"] - pd.to_timedelta(rng.uniform(8, 50, len(sold)), "D")

    def share(moment: pd.Series[pd.Timestamp]) -> float:
        pairs = sold.assign(moment=moment)[["order_id", "customer_id", "moment"]].merge(viewed, on="customer_id")
        before = pairs["moment"] - pairs["occurred_at"]
        return pairs[(before > pd.Timedelta(0)) & (before <= 7 * DAY)]["order_id"].nunique() / len(sold)

    assert share(sold["ordered_at"]) > 0.65
    assert share(earlier) < 0.35


def test_some_only_look(people: pd.DataFrame, events: pd.DataFrame) -> None:
    lookers = set(events.loc[events["value"].notna() & ~events["buyer"].astype(bool), "customer_id"])
    assert 0.2 < len(lookers) / (~people["buyer"]).sum() < 0.9


def test_after_drop_out_acts_fade_and_stop(events: pd.DataFrame) -> None:
    own = events[~events["kind"].isin(["reply", "follow_up"])]
    after = days_after(own["occurred_at"], own["drop_out_at"])
    after = after[after > 0.05]
    assert 0 < len(after) < 0.05 * len(own)
    assert after.max() < community.SILENT_AFTER + 1
    assert (after < 10).sum() > 2 * after.between(10, 20).sum() > 2 * (after > 20).sum()


def test_people_act_in_the_hours_of_their_persona(events: pd.DataFrame) -> None:
    begun = events[events["kind"].isin(["login", "open", "lesson_start"])]
    for persona, kind in market.PERSONAS.items():
        hour = begun.loc[begun["persona"] == persona, "occurred_at"].dt.hour
        start, end = kind.active
        share = ((hour >= start) & (hour < end)).mean()
        margin = 4 * np.sqrt(0.85 * 0.15 / len(hour))
        assert share == pytest.approx(market.ACTIVE_SHARE, abs=margin), persona


def test_lessons_are_of_what_was_bought_or_tried_and_completed_with_the_known_probability(
    business: Business, events: pd.DataFrame
) -> None:
    lessons = events[events["kind"].isin(["lesson_start", "lesson_complete"])]
    product = lessons["content_id"].astype(str).str.split("-L").str[0]
    orders = by_owner(business, "orders")
    own = set(zip(orders["customer_id"], orders["product_id"], strict=True))
    hidden = [
        (who, what) not in own for who, what in zip(lessons["customer_id"], product, strict=True) if what != "T01"
    ]
    assert np.mean(hidden) < 0.01
    starts = lessons[lessons["kind"] == "lesson_start"].set_index(["customer_id", "content_id"]).index
    done = lessons[lessons["kind"] == "lesson_complete"].set_index(["customer_id", "content_id"]).index
    assert done.isin(starts).all()
    units = set(business.tables["assignments"]["customer_id"])
    others = lessons[~lessons["customer_id"].isin(units)]
    started = others[others["kind"] == "lesson_start"]
    expected = started["completion_probability"]
    surplus = (others["kind"] == "lesson_complete").sum() - expected.sum()
    assert abs(surplus) < 4 * np.sqrt((expected * (1 - expected)).sum()) + 0.01 * len(started)


def test_values_and_durations_stand_where_they_belong(events: pd.DataFrame) -> None:
    prices = {name: item.list_price for name, item in market.PRODUCTS.items()}
    of_product = events["content_id"].isin(list(prices))
    assert (events["value"].notna() == of_product).all()
    assert (events.loc[of_product, "value"] == events.loc[of_product, "content_id"].astype(str).map(prices)).all()
    assert set(events.loc[of_product, "kind"]) == {"view", "click"}
    timed = set(events.loc[events["duration_seconds"].notna(), "kind"])
    assert timed == {"view", "lesson_start", "lesson_complete"}
    assert events["duration_seconds"].min() > 0


def test_the_service_answers_some_hours_later(events: pd.DataFrame) -> None:
    kinds = events["kind"].value_counts()
    assert kinds["complaint"] > kinds["reply"] > kinds["follow_up"] > 100
    complaints = events[events["kind"] == "complaint"]
    replies = events[events["kind"] == "reply"]
    both = replies.merge(complaints, on="customer_id", suffixes=("", "_complaint"))
    hours = 24 * days_after(both["occurred_at"], both["occurred_at_complaint"])
    first = hours[hours > 0].groupby([both["customer_id"], both["occurred_at"]]).min()
    assert len(first) == len(replies.drop_duplicates(["customer_id", "occurred_at"]))
    assert 2 < first.median() < 8


def test_broken_rules_stand_in_the_log_as_counted(business: Business, contacts: pd.DataFrame) -> None:
    hour, day = contacts["sent_at"].dt.hour, contacts["sent_at"].dt.normalize()
    on_day = contacts.groupby(["customer_id", day])["sent_at"].transform("size")
    disturbing = contacts["persona"].astype(str).map(community.DISTURBED)
    broken = {
        "same_push_contacts": (contacts["offer_price"] <= 399) & (contacts["sent_at"] > contacts["premium_at"]),
        "fixed_hour_contacts": hour == disturbing,
        "early_price_contacts": (contacts["offer_price"] >= 2_999) & (day == contacts["joined_at"].dt.normalize()),
        "after_opt_out_contacts": contacts["sent_at"] > contacts["opted_out_at"],
        "crowded_day_contacts": on_day > 3,
    }
    assert business.planted | {name: int(rows.sum()) for name, rows in broken.items()} == business.planted
    assert min(rows.sum() for rows in broken.values()) > several(150, 300)
    routine = contacts["campaign_id"].astype(str).str.fullmatch(r"W\d+-(?:content|course)")
    assert 0.7 < routine.mean() < 0.9
    for name in ("same_push_contacts", "fixed_hour_contacts", "early_price_contacts"):
        assert not broken[name][routine].any(), name


def test_who_is_engaged_opens_more(contacts: pd.DataFrame) -> None:
    delivered = contacts[contacts["delivered"]]
    opened = delivered["opened"].groupby(pd.qcut(delivered["engagement"], 4, labels=False)).mean()
    assert opened.is_monotonic_increasing
    assert not contacts.loc[~contacts["delivered"], ["opened", "opted_out"]].any(axis=None)
    assert contacts.groupby("customer_id")["opted_out"].sum().max() == 1


def test_members_renew_with_the_known_probability(business: Business) -> None:
    periods = business.tables["memberships"].astype({"customer_id": object})
    assert set((periods["ends_at"] - periods["starts_at"]).dt.days) == {30, 365}
    assert not periods.duplicated(["customer_id", "starts_at"]).any()
    cancelled = periods.dropna(subset="cancelled_at")
    assert cancelled["cancelled_at"].between(cancelled["starts_at"], cancelled["ends_at"], inclusive="left").all()
    starts = periods.set_index(["customer_id", "starts_at"]).index
    renewed = periods.set_index(["customer_id", "ends_at"]).index.isin(starts)
    assert not renewed[periods["cancelled_at"].notna()].any()
    decided = periods.assign(renewed=renewed)[periods["ends_at"] < AS_OF_END]
    rate = decided["customer_id"].map(business.truth["renewal_probability"])
    assert set(rate.round(2)) <= {p for plan in community.PLANS for p in plan.renewal}
    for probability, outcome in decided["renewed"].groupby(rate.round(2)):
        margin = 4 * np.sqrt(probability * (1 - probability) / len(outcome))
        assert outcome.mean() == pytest.approx(probability, abs=margin), probability
    members = set(periods["customer_id"])
    assert set(business.truth.index[business.truth["renewal_probability"].notna()]) == members


def test_scores_lie_in_their_range_and_follow_spend_and_completion(business: Business) -> None:
    answers = business.tables["surveys"]
    scores = answers.groupby("kind", observed=True)["score"]
    assert scores.max().to_dict() == {"nps": 10, "csat": 5, "feedback": 5}
    assert scores.min().to_dict() == {"nps": 0, "csat": 1, "feedback": 1}
    nps = answers[answers["kind"] == "nps"]
    for cause in ("spend_level", "completion_probability"):
        assert nps["score"].corr(nps["customer_id"].map(business.truth[cause])) > 0.1, cause


def test_costs_follow_the_joiners_of_the_month(business: Business, people: pd.DataFrame) -> None:
    costs = business.tables["costs"]
    assert len(costs) == 24 * len(market.ACQUISITION_CHANNELS)
    assert (costs["period_start"].dt.day == 1).all()
    joiners = people.groupby("acquisition_channel", observed=True).size()
    each = costs.groupby("channel", observed=True)["amount"].sum() / joiners
    assert each.to_dict() == pytest.approx(community.COST_PER_JOINER, rel=0.2)


def test_referrers_are_earlier_buyers(people: pd.DataFrame) -> None:
    referred = people[people["referred_by"].notna()]
    assert (referred["acquisition_channel"] == "referral").all()
    assert len(referred) > 0.95 * (people["acquisition_channel"] == "referral").sum()
    bought = people.loc[referred["referred_by"].astype(object), "first_purchase_at"]
    assert (bought.to_numpy() <= referred["joined_at"].to_numpy()).all()


def test_links_lead_every_id_to_its_owner_and_no_further(business: Business) -> None:
    links = business.tables["identities"]
    parent: dict[str, str] = {}

    def root(one: str) -> str:
        while parent.setdefault(one, one) != one:
            one = parent[one]
        return one

    for one, other in zip(links["customer_id"], links["id_value"], strict=True):
        parent[root(one)] = root(other)
    clusters = defaultdict(set)
    for one in list(parent):
        clusters[root(one)].add(one)
    owners = business.owners.to_dict()
    people = set(parent) - set(owners)
    assert len(people) == len(clusters) == len(set(owners.values()))
    never_named = set(links["customer_id"]) - set(links["id_value"])
    for cluster in clusters.values():
        assert {owners.get(one, one) for one in cluster} == cluster & people
        assert {min(cluster & never_named)} == cluster & people
    assert set(owners) <= set(parent)
    assert people <= set(business.truth.index)
    assert links["id_kind"].value_counts(normalize=True).min() > 0.1


def test_channel_ids_stand_where_the_channel_knows_the_person(business: Business, people: pd.DataFrame) -> None:
    prefixes = {"wecom": "wm", "service_account": "o"}
    assert business.owners.index.is_unique
    for name in ("orders", "events", "contacts"):
        table, own = business.tables[name], by_owner(business, name)["customer_id"]
        for channel in table["channel"].cat.categories:
            ids = table.loc[table["channel"] == channel, "customer_id"].dropna()
            foreign = ids[~ids.str.startswith("C")]
            if channel not in prefixes:
                assert foreign.empty, (name, channel)
                continue
            assert foreign.str.fullmatch(prefixes[channel] + "[0-9a-z]{10}").all()
            known = business.owners[business.owners.index.str.startswith(prefixes[channel])]
            assert not ids.isin(known).any()
            assert own[foreign.index].isin(known).all()
            assert 0.08 < len(foreign) / len(ids) < 0.14
    several = business.owners[~business.owners.index.str.startswith("u")].nunique()
    assert 0.18 < several / len(people) < 0.24


@pytest.fixture(scope="module")
def experiment() -> tuple[Business, pd.DataFrame]:
    """Return a large business and its units, each with the lessons completed in the 28 days from its assignment."""
    business = course_seller(customers=60_000, seed=2) if THOROUGH else large()
    units = business.tables["assignments"].astype({"customer_id": object})
    done = by_owner(business, "events").query("kind == 'lesson_complete'")
    pairs = done[["customer_id", "occurred_at"]].merge(units[["customer_id", "assigned_at"]], on="customer_id")
    after = pairs["occurred_at"] - pairs["assigned_at"]
    inside = pairs[(after >= pd.Timedelta(0)) & (after < 28 * DAY)].groupby("customer_id").size()
    return business, units.assign(lessons=units["customer_id"].map(inside).fillna(0))


def test_known_effects_are_found_in_the_events(experiment: tuple[Business, pd.DataFrame]) -> None:
    business, units = experiment
    assert business.effects["effect_points"].tolist() == pytest.approx([2, 8, 4, 0])
    for truth in business.effects.to_dict("records"):
        mine = units[units["tier"] == truth["tier"]]
        counts = mine["arm"].value_counts()
        assert [counts[arm] for arm in community.ARMS] == [truth["control_units"], truth["cashback_units"]]
        found_of = {"effect_points": 100.0 * (mine["lessons"] > 0), "effect_lessons": mine["lessons"]}
        for name, outcome in found_of.items():
            control, treated = (outcome[mine["arm"] == arm] for arm in community.ARMS)
            error = np.sqrt(control.var() / len(control) + treated.var() / len(treated))
            found = treated.mean() - control.mean()
            assert abs(found - truth[name]) < 3.5 * error, (truth["tier"], name)
            assert (found > 3.5 * error) or truth["tier"] not in {"lead_in", "entry"}


def test_assignments_are_balanced_within_tiers_and_dated(experiment: tuple[Business, pd.DataFrame]) -> None:
    business, units = experiment
    assert units["customer_id"].is_unique
    arms = pd.crosstab(units["tier"], units["arm"])
    assert (arms["control"] - arms["cashback"]).abs().max() <= 1
    assert arms["control"].min() > 0.05 * len(units)
    days = (AS_OF_END - units["assigned_at"]).dt.total_seconds() / 86_400
    assert days.between(community.ASSIGNED_BEFORE - community.ASSIGNED_WITHIN, community.ASSIGNED_BEFORE).all()
    joined = business.tables["customers"].set_index("customer_id")["joined_at"]
    assert (joined < units["assigned_at"].min()).sum() <= len(units) <= (joined < units["assigned_at"].max()).sum()
    truth = business.truth.loc[units["customer_id"]]
    for cause in ("engagement", "completion_probability"):
        values = truth[cause].groupby(units["arm"].to_numpy(), observed=True)
        difference = values.mean()["cashback"] - values.mean()["control"]
        assert abs(difference) < 4 * truth[cause].std() * np.sqrt(4 / len(units)), cause


def test_a_tier_is_the_highest_layer_bought_before(experiment: tuple[Business, pd.DataFrame]) -> None:
    business, units = experiment
    orders = by_owner(business, "orders")
    paid = orders[(orders["status"] == "paid") & ~(orders["amount"] <= 0)].dropna(subset="customer_id")
    bought = paid.merge(units[["customer_id", "assigned_at"]], on="customer_id")
    bought = bought[bought["ordered_at"] < bought["assigned_at"]]
    layer = bought["product_layer"].cat.codes.groupby(bought["customer_id"]).max() + 1
    seen = units["customer_id"].map(layer).fillna(0)
    assert (seen == units["tier"].cat.codes).mean() > 0.99
    assert (seen <= units["tier"].cat.codes).all()


def test_a_business_too_young_has_no_experiment() -> None:
    young = course_seller(customers=50, seed=1, start="2026-09-01", as_of="2026-10-31")
    assert young.tables["assignments"].empty
    assert young.effects["effect_points"].isna().all()
