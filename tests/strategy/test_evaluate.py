"""`evaluate`: beside units counted in plain Python, point in time, and what is left out or doubted on the way."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.ab_units import FRAMES, same
from tests.builders.profiles import several
from tests.builders.trials import (
    CLOSES,
    FIRST,
    LAST,
    SPEC,
    WINDOW,
    beside,
    check,
    moved,
    spec_of,
    study_of,
    tables,
)
from toolkit.errors import ArgumentError
from toolkit.schema import SEGMENTS
from toolkit.strategy.unit_checks import difference_before

if TYPE_CHECKING:
    from toolkit.strategy.evaluation import Evaluation

CLOSED, RUNNING = date.fromisoformat(CLOSES), date(2026, 10, 2)
ALL = (*FRAMES, "sample_ratio")
DATED = {"orders": "ordered_at", "events": "occurred_at", "assignments": "assigned_at"}
HALF = {"none": 0.5, "coupon": 0.5}
KINDS: dict[str, Any] = {
    "bought": "proportion", "spend": "mean", "order_value": ("order_value", "order_value per"), "back": "retention",
    "complaints": "proportion",
}  # fmt: skip


def evaluated(study: tk.Study, spec: tk.Experiment | None = None, **options: Any) -> Evaluation:
    asked: dict[str, Any] = {"test": "welch", "despite": ["peeking"]} | options
    return tk.evaluate(study, spec or spec_of(), **asked)


def by_hand(frames: dict[str, pd.DataFrame], as_of: date) -> pd.DataFrame:
    """Compute one row per unit from raw rows, one unit at a time."""
    found = {}
    last = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    orders, complaints = frames["orders"].to_dict("records"), frames["events"].to_dict("records")
    for row in frames["assignments"].to_dict("records"):
        start = pd.Timestamp(row["assigned_at"])
        day = start.normalize()
        if not FIRST <= day.date() <= LAST or day.date() + timedelta(days=WINDOW) > as_of:
            continue
        mine = [one for one in orders if one["customer_id"] == row["customer_id"] and one["ordered_at"] < last]
        said = [one for one in complaints if one["customer_id"] == row["customer_id"] and one["occurred_at"] < last]

        def inside(time: Any, first: Any, days: float) -> bool:
            return bool(first <= time < first + pd.Timedelta(days=days))

        def paid(first: Any, days: float, mine: list[Any] = mine) -> float:
            return sum(float(one["amount"]) for one in mine if inside(one["ordered_at"], first, days))

        def bought(first: Any, days: float, mine: list[Any] = mine) -> list[Any]:
            return [one for one in mine if inside(one["ordered_at"], first, days) and float(one["amount"]) > 0]

        def angry(first: Any, days: float, said: list[Any] = said) -> list[Any]:
            return [one["occurred_at"] for one in said if inside(one["occurred_at"], first, days)]

        def orders_in(first: Any, days: float, bought: Any = bought) -> float:
            return float(len({one["order_id"] for one in bought(first, days)}))

        earlier, later = day - pd.Timedelta(days=60), start + pd.Timedelta(days=14)
        order_days = {one["ordered_at"].date() for one in bought(earlier, 60)}
        found[row["customer_id"]] = {
            "arm": row["arm"], "tier": row["tier"], "day": str(day.date()),
            "bought": float(orders_in(start, WINDOW) > 0), "spend": paid(start, WINDOW),
            "order_value": paid(start, WINDOW), "order_value per": orders_in(start, WINDOW),
            "back": float(bool(bought(later, 14) or angry(later, 14))),
            "complaints": float(bool(angry(start, WINDOW))),
            "bought before": orders_in(earlier, 60), "spend before": paid(earlier, 60),
            "order_value before": paid(earlier, 60), "complaints before": float(len(angry(earlier, 60))),
            "back before": float(len(order_days | {at.date() for at in angry(earlier, 60)})),
            "before": float(len(order_days)), "just before": orders_in(start - pd.Timedelta(days=1), 1),
        }  # fmt: skip
    return pd.DataFrame.from_dict(found, orient="index")


@pytest.fixture(scope="module", params=range(several(1, 2)))
def drawn(request: pytest.FixtureRequest) -> tuple[dict[str, pd.DataFrame], tk.Study]:
    frames = tables(150, request.param)
    return frames, study_of(frames)


@pytest.mark.parametrize("as_of", [CLOSED, date(2026, 10, 31), RUNNING])
def test_an_evaluation_is_that_of_the_units_that_plain_python_counts(
    drawn: tuple[dict[str, pd.DataFrame], tk.Study], as_of: date
) -> None:
    frames, study = drawn
    units = by_hand(frames, as_of)
    assert len(units) == 150 if as_of >= CLOSED else 60 < len(units) < 150
    covariates: list[tuple[Any, dict[str, str]]] = [({"days": 60}, {name: f"{name} before" for name in KINDS})]
    if as_of == CLOSED:
        covariates += [(None, {}), ({"days": 60, "of": "order_days"}, dict.fromkeys(KINDS, "before"))]
    for covariate, columns in covariates:
        known = tk.evaluate_units(
            units, arm="arm", control="none", tier="tier", metrics=KINDS, covariates=columns, sample_ratio_by=["day"],
            shares=HALF, guardrails={"complaints": (0.05, "higher")}, smallest_effect=0.05, test="welch",
        )  # fmt: skip
        found = evaluated(study, spec_of(covariate=covariate), as_of=as_of)
        same(found, known, frames=ALL)
        assert (found.units, found.as_of) == (len(units), as_of.isoformat())
        assert check(found, "open_windows").count == 150 - len(units)
        assert check(found, "assigned_after_outcome").count == (units["just before"] > 0).sum()


def test_later_rows_change_nothing(drawn: tuple[dict[str, pd.DataFrame], tk.Study]) -> None:
    """Whatever is dated after as_of, in every table."""
    frames, _ = drawn
    rng = np.random.default_rng(1)
    for as_of in (RUNNING, CLOSED)[: several(1, 2)]:
        after = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        earlier = {name: rows[rows[DATED[name]] < after] for name, rows in frames.items()}
        later = {name: pd.concat([rows, extra(rows, rng, DATED[name], after)]) for name, rows in frames.items()}
        known, again = (evaluated(study_of(each), as_of=as_of) for each in (earlier, later))
        same(known, again, frames=ALL)
        assert known.checks == again.checks


def extra(rows: pd.DataFrame, rng: np.random.Generator, at: str, first: pd.Timestamp) -> pd.DataFrame:
    """Return rows of the same customers, dated after a moment; assignments to the other arm too."""
    some = rows.sample(40, random_state=int(rng.integers(2**31)))
    changed = some.assign(**{at: first + pd.to_timedelta(rng.integers(0, 86_400 * 20, 40), unit="s")})
    if "arm" in changed:
        changed["arm"] = np.where(changed["arm"] == "none", "coupon", "none")
    return changed


def test_the_order_of_rows_and_the_names_of_people_change_nothing(
    drawn: tuple[dict[str, pd.DataFrame], tk.Study],
) -> None:
    frames, study = drawn
    other = {
        name: rows.sample(frac=1, random_state=3).assign(
            customer_id=lambda each: [f"x{one[::-1]}" for one in each["customer_id"]]
        )
        for name, rows in frames.items()
    }
    plain, again = evaluated(study), evaluated(study_of(other))
    same(plain, again, frames=ALL)
    assert plain.checks == again.checks


def test_money_in_another_unit_scales_money_and_nothing_else(
    drawn: tuple[dict[str, pd.DataFrame], tk.Study],
) -> None:
    frames, study = drawn
    cents = frames | {"orders": frames["orders"].assign(amount=[f"{one}00" for one in frames["orders"]["amount"]])}
    plain, other = evaluated(study), evaluated(study_of(cents))
    for table in ("overall", "tiers"):
        ours, theirs = getattr(plain, table), getattr(other, table)
        scale = np.where(ours["metric"].isin(["spend", "order_value"]), 100.0, 1.0)
        money = ["value", "control_value", "lift", "lower", "upper", "se"]
        rest = ["p_value", "p_adjusted", "relative_lift", "variance_ratio", "n", "df"]
        np.testing.assert_allclose(ours[money] * scale[:, None], theirs[money], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(ours[rest], theirs[rest], rtol=1e-9, atol=1e-11)
        assert ours["status"].tolist() == theirs["status"].tolist()


def sent(frames: dict[str, pd.DataFrame], to: list[str], campaign: str, days: int) -> pd.DataFrame:
    at = frames["assignments"].set_index("customer_id").loc[to, "assigned_at"] + timedelta(days=days)
    return pd.DataFrame({"customer_id": to, "sent_at": at.to_numpy(), "campaign_id": campaign, "delivered": 1})


@pytest.fixture(scope="module")
def trial() -> tk.Study:
    """Many experiments of the same 200 customers, each with its own assignments, and what was sent to them."""
    frames = tables(200)
    rows = frames["assignments"]
    place = np.arange(200)
    arm, pairs = rows["arm"].to_numpy(), np.where(place // 2 % 2, "coupon", "none")
    outside = {
        f"early_{many}": {"assigned_at": rows["assigned_at"].mask(place < many, pd.Timestamp("2026-08-31 23:59:59"))}
        for many in (2, 3)
    }
    homes = {"cluster_id": [f"g{group}" for group in place // 2]}
    torn = {
        f"torn_{many}": homes | {"arm": np.where(np.isin(place, [0, 4][:many]), "coupon", pairs)} for many in (0, 1, 2)
    }
    others: dict[str, dict[str, Any]] = outside | torn | {
        "held": {"arm": np.where(place < 10, "holdout", arm)},
        "untold": {"tier": None},
        "told_in_part": {"tier": rows["tier"].mask(place < 5, None)},
        "three": {"arm": np.array(["none", "coupon", "call"])[place % 3]},
    }  # fmt: skip
    coupon, none = (rows.loc[rows["arm"] == name, "customer_id"].tolist() for name in ("coupon", "none"))
    contacts = [
        sent(frames, coupon, "all", 1), sent(frames, coupon[:30], "some", 1), sent(frames, coupon, "late", 29),
        sent(frames, coupon + none[:3], "leak", 2), sent(frames, none, "other", 2),
    ]  # fmt: skip
    return study_of(beside(frames, **others) | {"contacts": pd.concat(contacts)})


def test_what_is_not_there_is_named_with_its_nearest(trial: tk.Study) -> None:
    refused: list[tuple[tk.Experiment, dict[str, Any], str]] = [
        (spec_of("cupon"), {}, "did you mean 'coupon'"),
        (spec_of(arms={"none": 0.5, "coupons": 0.5}), {}, r"arm 'coupon'; did you mean 'coupons'\? \(n=100\)"),
        (spec_of(), {"as_of": "2026-09-20"}, r"no window of 28 days is closed at 2026-09-20.*as_of='2026-10-05'"),
        (spec_of(), {"despite": ["peking"]}, "did you mean 'peeking'"),
        (spec_of("untold", tier="segment"), {}, r"'segment' is no column of the snapshot.*tiers="),
        (spec_of("untold", tier="class"), {"tiers": tk.RFM()}, "no column 'class'"),
        (spec_of(unit="cluster", cluster="chat"), {}, "n=200"),
        (spec_of("torn_2", unit="cluster", cluster="chat"), {}, "2 of 100 groups"),
    ]
    for name in ("arm", "day", "spend per", "bought before"):
        metrics = {**SPEC["metrics"], name: {"kind": "mean", "of": "spend"}}
        refused.append((spec_of(metrics=metrics), {}, f"may not be called '{name}'"))
    for spec, options, said in refused:
        with pytest.raises(ArgumentError, match=said):
            evaluated(trial, spec, **options)
    frames = tables(20)
    del frames["assignments"]
    with pytest.raises(ArgumentError, match=r"no table assignments.*Try: tables: {assignments"):
        evaluated(study_of(frames))


def test_other_days_are_left_out_and_counted(trial: tk.Study) -> None:
    """1 % may be."""
    for experiment, early, status in (
        ("coupon", 0, "passed"),
        ("early_2", 2, "informational"),
        ("early_3", 3, "failed"),
    ):
        found = evaluated(trial, spec_of(experiment))
        assert found.units == 200 - early
        assert (check(found, "unassigned_days").status, check(found, "unassigned_days").count) == (status, early)


def test_who_is_held_out_is_in_no_arm(trial: tk.Study) -> None:
    found = evaluated(trial, spec_of("held", holdout=0.1))
    assert (found.units, check(found, "holdout").count, found.arms) == (190, 10, ("coupon",))


def test_groups_are_the_unit_where_groups_were_assigned_and_left_out_whole_where_torn(trial: tk.Study) -> None:
    for experiment, whole in (("torn_0", [50, 50]), ("torn_1", [49, 50])):
        found = evaluated(trial, spec_of(experiment, unit="cluster", cluster="chat"))
        overall = found.sample_ratio[found.sample_ratio["scope"] == "overall"].set_index("arm")["n"]
        assert overall[["none", "coupon"]].tolist() == whole
        assert found.units == sum(whole)
        assert [each.count for each in found.checks if each.code == "two_arms"] == [0, 100 - sum(whole)]


def counted(found: Evaluation) -> dict[Any, list[int]]:
    rows = found.tiers[found.tiers["metric"] == "bought"]
    return {row["tier"]: [row["control_n"], row["n"]] for row in rows.to_dict("records")}


def expected(trial: tk.Study, tier: pd.Series) -> dict[Any, list[int]]:
    rows = trial.assignments("untold", CLOSED).set_index("customer_id")
    each = tier.astype(object).fillna("none").reindex(rows.index).fillna("new")
    return pd.crosstab(each, rows["arm"])[["none", "coupon"]].T.to_dict("list")


def test_a_tier_that_the_table_lacks_is_that_of_the_day_before(trial: tk.Study) -> None:
    """The snapshot's own column, ``none`` where it is empty, ``new`` for who came later."""
    found = evaluated(trial, spec_of("untold", tier="main_price_band"))
    assert counted(found) == expected(trial, trial.snapshot("2026-08-31", ["main_price_band"])["main_price_band"])
    assert (found.tier_order[0], found.tier_order[-1]) == ("none", "new")
    assert len(found.tier_order) > 2
    assert counted(evaluated(trial, spec_of("told_in_part")))["none"] == [3, 2]


def test_before_the_first_order_everybody_is_new() -> None:
    frames = moved(tables(60), tier=None)
    frames["orders"] = frames["orders"][frames["orders"]["ordered_at"] >= pd.Timestamp("2026-09-02")]
    found = evaluated(study_of(frames), spec_of(tier="main_price_band", covariate=None))
    assert counted(found) == {"new": [30, 30]}


def test_a_tier_may_come_from_a_transformer_fitted_to_the_day_before(trial: tk.Study) -> None:
    rfm = tk.RFM()
    found = evaluated(trial, spec_of("untold", tier="segment"), tiers=rfm)
    assert not hasattr(rfm, "cut_points_")
    snap = trial.snapshot("2026-08-31")
    assert counted(found) == expected(trial, tk.RFM().fit(snap).transform(snap)["segment"])
    assert list(found.tier_order) == [name for name in (*SEGMENTS, "prospect", "new") if name in counted(found)]


def test_what_was_delivered_is_looked_at(trial: tk.Study, drawn: tuple[Any, tk.Study]) -> None:
    failures = {
        "all": [],
        "some": [],
        "nobody": ["never_delivered"],
        "late": ["never_delivered"],
        "leak": ["control_delivered"],
    }
    for campaign, failed in failures.items():
        found = evaluated(trial, spec_of(campaigns={"coupon": [campaign]}))
        assert [each.code for each in found.checks if each.status == "failed"] == failed
        assert check(found, "control_delivered").count == (3 if campaign == "leak" else 0)
        assert ("3.0% of none" in check(found, "control_delivered").message) == (campaign == "leak")
        assert ("30.0%" in check(found, "never_delivered").message) == (campaign == "some")
    assert check(evaluated(trial), "delivery_unknown").status == "informational"
    unknown = evaluated(drawn[1], spec_of(campaigns={"coupon": ["all"]}))
    assert "no table contacts" in check(unknown, "delivery_unknown").message


def test_the_source_is_the_channel_known_before() -> None:
    frames = tables(100)
    people = pd.DataFrame({"customer_id": frames["assignments"]["customer_id"], "joined_at": "2026-04-01"})
    people["acquisition_channel"] = np.where(np.arange(100) % 5, "search", "friend")
    ratio = evaluated(study_of(frames | {"customers": people})).sample_ratio
    source, day = (ratio[ratio["scope"] == scope] for scope in ("source", "day"))
    assert source.groupby("value")["n"].sum().to_dict() == {"friend": 20, "search": 80}
    assert (day["n"].sum(), day["value"].min(), day["value"].max()) == (100, "2026-09-01", "2026-09-07")


def test_exports_that_end_inside_the_windows_are_called_out(trial: tk.Study) -> None:
    """The last order is of 30 October, and three days was the longest from one to the next."""
    for window, silent, status in ((53, 0, "passed"), (56, 3, "passed"), (57, 4, "failed")):
        spec = spec_of(window_days=window)
        found = check(evaluated(trial, spec), "rows_end_early")
        assert (found.status, found.count, found.subject) == (status, silent, "2026-10-30")
        assert (f"{silent} days before {spec.closes_on}" in found.message) == (status == "failed")
    assert check(evaluated(trial, as_of="2026-12-31"), "rows_end_early").status == "passed"


def test_several_arms_are_each_compared_with_the_control(trial: tk.Study) -> None:
    found = evaluated(trial, spec_of("three", arms={"none": 0.34, "coupon": 0.33, "call": 0.33}))
    assert (found.control, found.arms) == ("none", ("coupon", "call"))
    assert [finding.figures["arm"] for finding in found.verdict if finding.code == "overall"] == ["coupon", "call"]
    bought = found.overall[found.overall["metric"] == "bought"]
    assert bought[["n", "control_n"]].to_numpy().tolist() == [[67, 67], [66, 67]]


def test_every_promise_reaches_the_evaluation(trial: tk.Study) -> None:
    profit = {"of": "spend", "margin": 0.5, "offer_cost": {"coupon": 3}}
    shares = {"core": {"none": 0.4, "coupon": 0.6}}
    spec = spec_of(alpha=0.1, smallest_effect=0.07, profit=profit, shares_by_tier=shares)
    options: dict[str, Any] = {"despite": ["sample_ratio"], "draws": 50, "test": "randomisation"}
    found, again, other = (evaluated(trial, spec, **options, seed=seed) for seed in (0, 0, 1))
    assert (found.alpha, found.smallest_effect, found.primary) == (0.1, 0.07, "bought")
    assert (found.experiment, found.question) == ("coupon", "Does a coupon sell?")
    assert spec.plan_path is None
    assert check(found, "no_plan").status == "informational"
    assert found.guardrails[["metric", "margin", "worse"]].to_numpy().tolist() == [["complaints", 0.05, "higher"]]
    total, spend = found.profit.iloc[-1], found.overall.set_index("metric").loc["spend"]
    assert (total["tier"], total["cost"]) == ("total", 3)
    assert total["lift"] == pytest.approx(0.5 * spend["lift"] - 3)
    core = found.sample_ratio[(found.sample_ratio["scope"] == "tier") & (found.sample_ratio["value"] == "core")]
    assert (core["expected"] / core["n"].sum()).tolist() == pytest.approx([0.4, 0.6])
    assert found.tier_order == ("core", "new_stage")
    assert (found.overall["variance_ratio"].dropna() != 1).all()
    assert set(found.overall["test"]) == {"randomisation"}
    assert len(found.draws) == 50
    assert found.draws["statistic"].tolist() != other.draws["statistic"].tolist()
    same(found, again, frames=(*ALL, "draws"))
    assert [finding.text for finding in found.verdict] == [finding.text for finding in again.verdict]
    assert {finding.figures.get("currency", "CNY") for finding in found.verdict} == {"CNY"}
    assert found.verdict[-1].figures["window_days"] == WINDOW


def test_what_differs_before_is_weighted_over_tiers() -> None:
    """Two tiers with unlike shares and unlike levels: pooled they differ, within them they do not."""
    tier = np.repeat(["low", "high"], 1_000)
    arm = np.concatenate([np.repeat(["none", "coupon"], [900, 100]), np.repeat(["none", "coupon"], [100, 900])])
    level = np.where(tier == "high", 5.0, 1.0)
    noise = np.tile([0.0, 1.0], 1_000)
    assert difference_before(level + noise, arm, tier, "none") == {"coupon": pytest.approx(1.0)}
    moved_up = level + noise + (arm == "coupon")
    assert difference_before(moved_up, arm, tier, "none")["coupon"] < 1e-9
    assert difference_before(np.ones(2_000), arm, tier, "none") == {"coupon": 1.0}
