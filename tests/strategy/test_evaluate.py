"""From assignments and logs to a verdict: against plain Python, point in time, and the demo beside its truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.trials import CLOSES, FIRST, LAST, SPEC, WINDOW, moved, spec_of, study_of, tables
from toolkit.data.synthetic import course_seller
from toolkit.errors import ArgumentError, StudyFileError
from toolkit.schema import SEGMENTS
from toolkit.segments.rfm import RFM
from toolkit.strategy.evaluate import evaluate
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.plan import Plan, plan_experiment
from toolkit.strategy.plan_checks import plan_check
from toolkit.strategy.unit_checks import difference_before
from toolkit.strategy.unit_frame import unit_frame
from toolkit.strict import read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.errors import Check
    from toolkit.strategy.evaluation import Evaluation

CLOSED = date.fromisoformat(CLOSES)


def by_hand(frames: dict[str, pd.DataFrame], spec: Experiment, as_of: date) -> dict[str, dict[str, Any]]:
    """Compute the frame again from raw rows, one unit at a time."""
    found = {}
    last = pd.Timestamp(as_of) + pd.Timedelta(days=1)
    orders = frames["orders"].to_dict("records")
    complaints = frames["events"].to_dict("records")
    for row in frames["assignments"].to_dict("records"):
        start = pd.Timestamp(row["assigned_at"])
        day = start.normalize()
        if not FIRST <= day.date() <= LAST or day.date() + timedelta(days=spec.window_days) > as_of:
            continue
        mine = [one for one in orders if one["customer_id"] == row["customer_id"] and one["ordered_at"] < last]
        said = [one for one in complaints if one["customer_id"] == row["customer_id"] and one["occurred_at"] < last]

        def inside(time: Any, first: Any, days: float) -> bool:
            return bool(first <= time < first + pd.Timedelta(days=days))

        def paid(first: Any, days: float, mine: list[Any] = mine) -> float:
            return sum(float(one["amount"]) for one in mine if inside(one["ordered_at"], first, days))

        def bought(first: Any, days: float, mine: list[Any] = mine) -> int:
            return len(
                {one["order_id"] for one in mine if inside(one["ordered_at"], first, days) and float(one["amount"]) > 0}
            )

        def angry(first: Any, days: float, said: list[Any] = said) -> int:
            return sum(inside(one["occurred_at"], first, days) for one in said)

        earlier = day - pd.Timedelta(days=60)
        later = start + pd.Timedelta(days=14)
        found[row["customer_id"]] = {
            "arm": row["arm"], "tier": row["tier"], "day": str(day.date()),
            "bought": float(bought(start, WINDOW) > 0), "spend": paid(start, WINDOW),
            "order_value": paid(start, WINDOW), "order_value per": float(bought(start, WINDOW)),
            "back": float(bought(later, 14) + angry(later, 14) > 0), "complaints": float(angry(start, WINDOW) > 0),
            "bought before": float(bought(earlier, 60)), "spend before": paid(earlier, 60),
            "order_value before": paid(earlier, 60), "complaints before": float(angry(earlier, 60)),
        }  # fmt: skip
    return found


@pytest.mark.parametrize("as_of", [CLOSED, date(2026, 10, 31), date(2026, 10, 2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_frame_is_what_plain_python_makes_of_the_rows(seed: int, as_of: date) -> None:
    frames = tables(150, seed)
    ours = unit_frame(study_of(frames), spec_of(), as_of).units
    known = pd.DataFrame.from_dict(by_hand(frames, spec_of(), as_of), orient="index")
    assert 60 < len(known) <= 150
    ours = ours.loc[known.index, known.columns]
    for name in known:
        assert ours[name].tolist() == pytest.approx(known[name].tolist()), name


def codes(frame: Any) -> dict[str, Check]:
    return {check.code: check for check in frame.checks}


def test_later_rows_change_nothing() -> None:
    """Whatever is dated after as_of, in every table."""
    frames = tables(120)
    rng = np.random.default_rng(1)
    for as_of in (CLOSED, date(2026, 10, 2)):
        after = pd.Timestamp(as_of) + pd.Timedelta(days=1)
        known = unit_frame(study_of({name: before(rows, after) for name, rows in frames.items()}), spec_of(), as_of)
        later = frames | {
            "orders": pd.concat([frames["orders"], extra(frames["orders"], rng, "ordered_at", after)]),
            "events": pd.concat([frames["events"], extra(frames["events"], rng, "occurred_at", after)]),
            "assignments": pd.concat([frames["assignments"], extra(frames["assignments"], rng, "assigned_at", after)]),
        }
        again = unit_frame(study_of(later), spec_of(), as_of)
        pd.testing.assert_frame_equal(known.units, again.units)
        assert known.checks == again.checks


def before(rows: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    (at,) = (name for name in map(str, rows) if name.endswith("_at"))
    return rows[rows[at] < moment]


def extra(rows: pd.DataFrame, rng: np.random.Generator, at: str, first: pd.Timestamp) -> pd.DataFrame:
    """Return rows of the same customers, dated after a moment; assignments to the other arm too."""
    some = rows.sample(40, random_state=int(rng.integers(2**31)))
    changed = some.assign(**{at: first + pd.to_timedelta(rng.integers(0, 86_400 * 20, 40), unit="s")})
    if "arm" in changed:
        changed["arm"] = np.where(changed["arm"] == "none", "coupon", "none")
    return changed


def test_the_order_of_rows_and_the_names_of_people_change_nothing() -> None:
    frames = tables(120)
    plain = unit_frame(study_of(frames), spec_of(), CLOSED).units
    shuffled = {name: rows.sample(frac=1, random_state=3) for name, rows in frames.items()}
    pd.testing.assert_frame_equal(plain, unit_frame(study_of(shuffled), spec_of(), CLOSED).units)
    named = {
        name: rows.assign(customer_id=[f"x{one[::-1]}" for one in rows["customer_id"]]) for name, rows in frames.items()
    }
    other = unit_frame(study_of(named), spec_of(), CLOSED).units
    pd.testing.assert_frame_equal(plain.reset_index(drop=True), other.reset_index(drop=True))


def test_money_in_another_unit_scales_money_and_nothing_else() -> None:
    frames = tables(120)
    cents = frames | {"orders": frames["orders"].assign(amount=[f"{one}00" for one in frames["orders"]["amount"]])}
    one, other = (evaluate(study_of(each), spec_of()) for each in (frames, cents))
    for table in ("overall", "tiers"):
        ours, theirs = getattr(one, table), getattr(other, table)
        money = ours["metric"].isin(["spend", "order_value"])
        scale = np.where(money, 100.0, 1.0)
        for name in ("lift", "lower", "upper", "value"):
            assert (ours[name] * scale).tolist() == pytest.approx(theirs[name].tolist(), nan_ok=True)
        for name in ("p_value", "p_adjusted", "relative_lift", "variance_ratio"):
            assert ours[name].tolist() == pytest.approx(theirs[name].tolist(), nan_ok=True)
        assert ours["status"].tolist() == theirs["status"].tolist()


def test_an_unknown_experiment_or_arm_is_named_with_its_nearest() -> None:
    study = study_of(tables(60))
    with pytest.raises(ArgumentError, match="did you mean 'coupon'"):
        evaluate(study, spec_of(experiment="cupon"))
    with pytest.raises(ArgumentError, match=r"arm 'coupon'; did you mean 'coupons'\? \(n=30\)"):
        evaluate(study, spec_of(arms={"none": 0.5, "coupons": 0.5}))
    frames = tables(60)
    del frames["assignments"]
    with pytest.raises(ArgumentError, match=r"no table assignments.*Try: tables: {assignments"):
        evaluate(study_of(frames), spec_of())


def test_without_a_closed_window_there_is_nothing_to_see() -> None:
    with pytest.raises(ArgumentError, match=r"no window of 28 days is closed at 2026-09-20.*as_of='2026-10-05'"):
        evaluate(study_of(tables(60)), spec_of(), as_of="2026-09-20", despite=["peeking"])


@pytest.mark.parametrize("name", ["arm", "day", "spend per", "bought before"])
def test_a_metric_called_like_a_column_of_ours_is_refused(name: str) -> None:
    metrics = {**SPEC["metrics"], name: {"kind": "mean", "of": "spend"}}
    with pytest.raises(ArgumentError, match=f"may not be called '{name}'"):
        evaluate(study_of(tables(60)), spec_of(metrics=metrics))


@pytest.mark.parametrize(("early", "status"), [(0, "passed"), (1, "informational"), (5, "failed")])
def test_other_days_are_left_out_and_counted(early: int, status: str) -> None:
    frames = tables(150)
    at = frames["assignments"]["assigned_at"].copy()
    at.iloc[:early] = pd.Timestamp("2026-08-31 23:59:59")
    found = unit_frame(study_of(moved(frames, assigned_at=at)), spec_of(), CLOSED)
    assert len(found.units) == 150 - early
    assert (codes(found)["unassigned_days"].status, codes(found)["unassigned_days"].count) == (status, early)


def test_who_is_held_out_is_in_no_arm() -> None:
    frames = tables(100)
    arm = frames["assignments"]["arm"].copy()
    arm.iloc[:10] = "holdout"
    found = unit_frame(study_of(moved(frames, arm=arm)), spec_of(holdout=0.1), CLOSED)
    assert (len(found.units), codes(found)["holdout"].count) == (90, 10)
    assert "holdout" not in set(found.units["arm"])


def test_groups_in_two_arms_are_left_out_whole() -> None:
    frames = tables(400)
    group = [f"g{place // 4}" for place in range(400)]
    arm = [("none", "coupon")[place // 4 % 2] for place in range(400)]
    spec = spec_of(unit="cluster", cluster="chat")
    clean = unit_frame(study_of(moved(frames, cluster_id=group, arm=arm)), spec, CLOSED)
    assert clean.units["cluster"].nunique() == 100
    arm[0] = "coupon"
    torn = unit_frame(study_of(moved(frames, cluster_id=group, arm=arm)), spec, CLOSED)
    assert len(torn.units) == 396
    assert [check.count for check in torn.checks if check.code == "two_arms"] == [0, 1]
    arm[8] = "coupon"
    with pytest.raises(ArgumentError, match="2 of 100 groups"):
        unit_frame(study_of(moved(frames, cluster_id=group, arm=arm)), spec, CLOSED)
    with pytest.raises(ArgumentError, match="n=400"):
        unit_frame(study_of(frames), spec, CLOSED)


def test_groups_are_the_unit_where_groups_were_assigned() -> None:
    frames = tables(400)
    group = [f"g{place // 4}" for place in range(400)]
    arm = [("none", "coupon")[place // 4 % 2] for place in range(400)]
    result = evaluate(study_of(moved(frames, cluster_id=group, arm=arm)), spec_of(unit="cluster", cluster="chat"))
    assert result.units == 100
    overall = result.sample_ratio[result.sample_ratio["scope"] == "overall"]
    assert overall["n"].tolist() == [50, 50]


def test_a_tier_that_the_table_lacks_is_that_of_the_day_before() -> None:
    """The snapshot's own column, ``none`` where it is empty, ``new`` for who came later."""
    frames = tables(150)
    untold = moved(frames, tier=None)
    study = study_of(untold)
    found = unit_frame(study, spec_of(tier="main_price_band"), CLOSED).units
    snap = study.snapshot("2026-08-31", ["main_price_band"])
    known = snap["main_price_band"].astype(object).fillna("none").reindex(found.index).fillna("new")
    assert found["tier"].tolist() == known.tolist()
    assert {"new", "none"} < set(found["tier"])
    assert found["tier"].cat.categories[0] == "none"
    assert found["tier"].cat.categories[-1] == "new"


def test_a_tier_may_come_from_a_transformer_fitted_to_the_day_before() -> None:
    frames = moved(tables(150), tier=None)
    study = study_of(frames)
    with pytest.raises(ArgumentError, match=r"'segment' is no column of the snapshot.*tiers="):
        unit_frame(study, spec_of(tier="segment"), CLOSED)
    rfm = RFM()
    found = unit_frame(study, spec_of(tier="segment"), CLOSED, rfm).units
    assert not hasattr(rfm, "cut_points_")
    snap = study.snapshot("2026-08-31")
    known = RFM().fit(snap).transform(snap)["segment"].astype(str)
    assert found["tier"].astype(str).tolist() == known.reindex(found.index).fillna("new").tolist()
    order = [name for name in (*SEGMENTS, "prospect", "new") if name in set(found["tier"])]
    assert found["tier"].cat.categories.tolist() == order
    with pytest.raises(ArgumentError, match="no column 'class'"):
        unit_frame(study, spec_of(tier="class"), CLOSED, rfm)


def test_before_the_first_order_everybody_is_new() -> None:
    frames = moved(tables(60), tier=None)
    frames["orders"] = frames["orders"][frames["orders"]["ordered_at"] >= pd.Timestamp("2026-09-02")]
    found = unit_frame(study_of(frames), spec_of(tier="main_price_band", covariate=None), CLOSED).units
    assert set(found["tier"]) == {"new"}


def test_a_unit_without_a_tier_among_others_has_none() -> None:
    frames = tables(60)
    tier = frames["assignments"]["tier"].copy()
    tier.iloc[:5] = None
    found = unit_frame(study_of(moved(frames, tier=tier)), spec_of(), CLOSED).units
    assert (found["tier"] == "none").sum() == 5


def sent(frames: dict[str, pd.DataFrame], to: list[str], campaign: str, shift: timedelta) -> pd.DataFrame:
    rows = frames["assignments"].set_index("customer_id").loc[to]
    return pd.DataFrame(
        {
            "customer_id": to,
            "sent_at": (rows["assigned_at"] + shift).to_numpy(),
            "campaign_id": campaign,
            "delivered": 1,
        }
    )


@pytest.mark.parametrize(
    ("share", "late", "leak", "failed"),
    [
        (1.0, 1, 0, set()),
        (0.3, 1, 0, set()),
        (0.0, 1, 0, {"never_delivered"}),
        (1.0, 29, 0, {"never_delivered"}),
        (1.0, 1, 3, {"control_delivered"}),
    ],
)
def test_what_was_delivered_is_looked_at(share: float, late: int, leak: int, failed: set[str]) -> None:
    frames = tables(100)
    rows = frames["assignments"]
    coupon, none = (rows.loc[rows["arm"] == arm, "customer_id"].tolist() for arm in ("coupon", "none"))
    parts = [
        sent(frames, coupon[: int(share * 50)], "C1", timedelta(days=late)),
        sent(frames, none[:leak], "C1", timedelta(days=2)),
        sent(frames, none, "other", timedelta(days=2)),
    ]
    study = study_of(frames | {"contacts": pd.concat(parts)})
    found = codes(unit_frame(study, spec_of(campaigns={"coupon": ["C1"]}), CLOSED))
    assert {code for code in ("never_delivered", "control_delivered") if found[code].status == "failed"} == failed
    assert found["control_delivered"].count == leak
    if leak:
        assert "6.0% of none" in found["control_delivered"].message
    assert codes(unit_frame(study, spec_of(), CLOSED))["delivery_unknown"].status == "informational"
    unknown = codes(unit_frame(study_of(frames), spec_of(campaigns={"coupon": ["C1"]}), CLOSED))
    assert "no table contacts" in unknown["delivery_unknown"].message


def test_the_source_is_the_channel_known_before() -> None:
    frames = tables(100)
    people = pd.DataFrame({"customer_id": frames["assignments"]["customer_id"], "joined_at": "2026-04-01"})
    people["acquisition_channel"] = np.where(np.arange(100) % 5, "search", "friend")
    result = evaluate(study_of(frames | {"customers": people}), spec_of())
    found = result.sample_ratio[result.sample_ratio["scope"] == "source"]
    assert found.groupby("value")["n"].sum().to_dict() == {"friend": 20, "search": 80}
    days = result.sample_ratio[result.sample_ratio["scope"] == "day"]
    assert (days["n"].sum(), days["value"].min(), days["value"].max()) == (100, "2026-09-01", "2026-09-07")


@pytest.mark.parametrize(
    ("last", "status"), [("2026-10-31", "passed"), ("2026-10-04", "passed"), ("2026-09-20", "failed")]
)
def test_exports_that_end_inside_the_windows_are_called_out(last: str, status: str) -> None:
    frames = tables(150)
    frames["orders"] = frames["orders"][frames["orders"]["ordered_at"] < pd.Timestamp(last) + pd.Timedelta(days=1)]
    found = codes(unit_frame(study_of(frames), spec_of(), CLOSED))["rows_end_early"]
    assert found.status == status
    if status == "failed":
        assert found.subject == last
        assert "15 days before 2026-10-05" in found.message


def test_the_same_seed_gives_the_same_evaluation() -> None:
    study = study_of(tables(200))
    one, other = (evaluate(study, spec_of(), test="randomisation", seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.overall, other.overall)
    assert [finding.text for finding in one.verdict] == [finding.text for finding in other.verdict]


def test_one_covariate_may_stand_for_all_metrics() -> None:
    frames = tables(150)
    found = unit_frame(study_of(frames), spec_of(covariate={"days": 60, "of": "order_days"}), CLOSED)
    assert set(found.covariates.values()) == {"before"}
    assert set(found.covariates) == set(found.metrics)
    known = by_hand(frames, spec_of(), CLOSED)
    days = {one: row["bought before"] for one, row in known.items()}
    assert (found.units["before"] <= pd.Series(days).reindex(found.units.index)).all()
    assert found.units["before"].sum() > 0
    assert unit_frame(study_of(frames), spec_of(covariate=None), CLOSED).covariates == {}


def test_several_arms_are_each_compared_with_the_control() -> None:
    frames = tables(300)
    arm = [("none", "coupon", "call")[place % 3] for place in range(300)]
    spec = spec_of(arms={"none": 0.34, "coupon": 0.33, "call": 0.33})
    result = evaluate(study_of(moved(frames, arm=arm)), spec)
    assert (result.control, result.arms) == ("none", ("coupon", "call"))
    assert [finding.figures["arm"] for finding in result.verdict if finding.code == "overall"] == ["coupon", "call"]
    bought = result.overall[result.overall["metric"] == "bought"]
    assert bought["n"].tolist() == [100, 100]


def test_every_promise_reaches_the_evaluation() -> None:
    skewed = {"core": {"none": 0.4, "coupon": 0.6}}
    profit = {"of": "spend", "margin": 0.5, "offer_cost": {"coupon": 3}}
    spec = spec_of(alpha=0.1, smallest_effect=0.07, profit=profit, shares_by_tier=skewed)
    found = evaluate(study_of(tables(300)), spec, despite=["sample_ratio"], draws=50, test="randomisation")
    assert (found.alpha, found.smallest_effect, found.primary) == (0.1, 0.07, "bought")
    assert found.guardrails[["metric", "margin", "worse"]].to_numpy().tolist() == [["complaints", 0.05, "higher"]]
    spend = found.overall.set_index("metric").loc["spend"]
    total = found.profit.set_index("tier").loc["total"]
    assert total["cost"] == 3
    assert total["lift"] == pytest.approx(0.5 * spend["lift"] - 3, abs=1)
    core = found.sample_ratio[(found.sample_ratio["scope"] == "tier") & (found.sample_ratio["value"] == "core")]
    assert (core["expected"] / core["n"].sum()).tolist() == pytest.approx([0.4, 0.6])
    assert found.tier_order == ("core", "new_stage")
    assert (found.overall["variance_ratio"].dropna() != 1).all()
    assert len(found.draws) == 50
    other = evaluate(study_of(tables(300)), spec, despite=["sample_ratio"], draws=50, test="randomisation", seed=1)
    assert found.draws["statistic"].tolist() != other.draws["statistic"].tolist()


def test_an_unknown_reason_to_look_all_the_same_is_refused() -> None:
    with pytest.raises(ArgumentError, match="did you mean 'peeking'"):
        evaluate(study_of(tables(60)), spec_of(), despite=["peking"])


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


def test_what_differs_before_is_wrong_as_often_as_it_says() -> None:
    """Rare things of 300 units, half and half: under .05 in 5 % of 500 draws, give or take."""
    found = []
    for seed in range(500):
        rng = np.random.default_rng(seed)
        did, arm = (rng.random(300) < 0.1).astype(float), rng.permutation(np.repeat(["none", "coupon"], 150))
        found.append(difference_before(did, arm, np.repeat(["a", "b", "c"], 100), "none")["coupon"] < 0.05)
    assert sum(found) <= 500 * 0.05 + 4 * np.sqrt(500 * 0.05 * 0.95)
    assert sum(found) >= 500 * 0.05 - 4 * np.sqrt(500 * 0.05 * 0.95)


@pytest.fixture(scope="module")
def demo() -> tuple[tk.Study, Experiment, Evaluation]:
    study = tk.Study.demo()
    spec = Experiment.open(study.experiments[0])
    return study, spec, evaluate(study, spec, as_of="2026-10-31")


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return course_seller(customers=5_000, seed=7).effects.set_index("tier")


@pytest.mark.parametrize(
    ("metric", "column", "unit"), [("completed", "effect_points", 100), ("lessons", "effect_lessons", 1)]
)
def test_the_demos_intervals_hold_the_truth(
    demo: tuple[Any, Any, Evaluation], truth: pd.DataFrame, metric: str, column: str, unit: float
) -> None:
    result = demo[2]
    assert result.tier_order == ("none", "lead_in", "entry", "premium")
    tiers = result.tiers[result.tiers["metric"] == metric].set_index("tier")
    assert (tiers["n"] == truth["cashback_units"]).all()
    known = tiers[tiers["status"] != "too_few"]
    assert len(known) >= 3
    true = truth.loc[known.index, column] / unit
    assert ((known["lower"] <= true) & (true <= known["upper"])).all()
    overall = result.overall.set_index("metric").loc[metric]
    weight = (truth["cashback_units"] + truth["control_units"]) / result.units
    whole = float((weight * truth[column] / unit)[known.index].sum() / weight[known.index].sum())
    assert overall["lower"] <= whole <= overall["upper"]


def test_the_demo_says_what_is_known_and_what_is_not(demo: tuple[Any, Any, Evaluation], truth: pd.DataFrame) -> None:
    """The plan gave the tiers none and premium no power: nothing is known of them, whatever is true."""
    study, spec, result = demo
    plan = plan_experiment(study, spec, simulations=100)
    told = evaluate(study, spec, as_of="2026-10-31", plan=plan)
    pd.testing.assert_frame_equal(told.tiers, result.tiers)
    weak = plan.tiers.index[plan.tiers["learn"] == "no"].tolist()
    assert {"none", "premium"} <= set(weak)
    status = told.tiers[told.tiers["metric"] == "completed"].set_index("tier")["status"]
    assert status[["lead_in", "entry"]].tolist() == ["better", "better"]
    assert set(status[["none", "premium"]]) <= {"not_known", "too_few"}
    (said,) = (finding.text for finding in told.verdict if finding.code == "tiers" and "Not known" in finding.text)
    assert said.count("so this says nothing either way") == 2
    assert "premium (" in said
    assert "none (" in said
    assert len(told.verdict) <= 8
    assert codes(told)["plan_matches"].status == "passed"


def test_the_plan_beside_the_experiments_file_is_read_by_itself(
    demo: tuple[Any, Experiment, Evaluation], tmp_path: Path
) -> None:
    study, spec, result = demo
    assert codes(result)["plan_matches"].status == "passed"
    file = tmp_path / "coupon.yaml"
    file.write_text(study.experiments[0].read_text("utf-8"), encoding="utf-8")
    alone = Experiment.open(file)
    assert alone.sha256 == spec.sha256
    assert alone.plan_path == tmp_path / "coupon.plan.yaml"
    assert codes(evaluate(study, alone, draws=99))["no_plan"].status == "informational"
    (tmp_path / "coupon.plan.yaml").write_text("tiers: []\n", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"coupon\.plan\.yaml"):
        evaluate(study, alone)
    parsed = Experiment.parse(read_yaml(file)[0])
    assert parsed.plan_path is None
    assert codes(evaluate(study, parsed, draws=99))["no_plan"].status == "informational"


def test_an_experiment_that_was_changed_after_its_plan_is_called_out(demo: tuple[Any, Experiment, Evaluation]) -> None:
    _, spec, _ = demo
    day = (spec.assigned.first - timedelta(days=1)).isoformat()
    empty = pd.DataFrame()
    plan = Plan(spec.experiment, day, spec.sha256, 0, empty, empty, empty, 1.0, 0.0, 35, 0.0, ())
    assert plan_check(spec, plan).code == "plan_matches"
    changed = plan_check(spec.model_copy(update={"smallest_effect": 0.01}), plan)
    assert (changed.code, changed.status) == ("plan_changed", "failed")
    late = plan_check(spec, replace(plan, as_of=spec.assigned.first.isoformat()))
    assert (late.code, late.status) == ("plan_late", "failed")


def test_the_last_closing_day_is_the_default(demo: tuple[tk.Study, Experiment, Evaluation]) -> None:
    study, spec, result = demo
    early = evaluate(study, spec)
    assert (early.as_of, early.withheld) == ("2026-09-26", ())
    assert early.units == result.units
    assert early.experiment == "checkin_cashback"
    assert early.question == spec.question
    assert early.verdict[-1].figures["window_days"] == 28
