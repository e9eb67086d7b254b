"""The plan: what it learns from history, by hand and by simulation, what it promises, and that its file is kept."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.profiles import examples, several
from toolkit.errors import ArgumentError, StudyFileError
from toolkit.strategy.allocation import allocate, split
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.grouping import design_effect, icc
from toolkit.strategy.lifts import FEW_EVENTS, FEW_UNITS
from toolkit.strategy.plan import Plan, plan_experiment
from toolkit.strategy.plan_figures import NO_HISTORY
from toolkit.strategy.plan_simulation import Design, drawn, simulate, values_of, welch
from toolkit.strategy.plan_simulation_groups import simulate_groups
from toolkit.strategy.plan_tables import OUT_OF_REACH
from toolkit.strategy.power import mde, power, units_needed

if TYPE_CHECKING:
    from pathlib import Path

AS_OF = "2026-06-30"
WINDOW = 30
START = pd.Timestamp("2026-06-01")
"""First day of the window that ends with AS_OF."""
PROMISE: dict[str, Any] = {
    "experiment": "coupon",
    "arms": {"none": 0.5, "coupon": 0.5},
    "control": "none",
    "tier": "acquisition_channel",
    "assigned": {"first": "2026-07-01", "last": "2026-07-10"},
    "window_days": WINDOW,
    "primary": "bought",
    "metrics": {
        "bought": {"kind": "proportion", "of": "orders"},
        "spend": {"kind": "mean", "of": "spend"},
        "basket": {"kind": "ratio", "of": "spend", "per": "orders"},
        "back": {"kind": "retention", "of": "active_days", "days": [10, 20]},
    },
    "smallest_effect": 0.05,
    "covariate": {"days": 60},
}


def spec_of(**changes: Any) -> Experiment:
    return Experiment.parse(PROMISE | changes)


def people(seed: int = 0, **sizes: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw customers by channel and their orders over half a year: who buys once buys more often."""
    rng = np.random.default_rng(seed)
    sizes = sizes or {"app": 600, "shop": 300, "fair": 12}
    channel = np.repeat(list(sizes), list(sizes.values()))
    keen = rng.gamma(2.0, 0.5, len(channel)) * np.where(channel == "shop", 1.4, 1.0)
    ids = np.array([f"C{number:04d}" for number in range(len(channel))])
    joined = pd.DataFrame({"customer_id": ids, "ordered_at": pd.Timestamp("2026-01-10"), "amount": 9.0})
    number = rng.poisson(keen * 2)
    who = np.repeat(np.arange(len(ids)), number)
    later = pd.DataFrame({
        "customer_id": ids[who],
        "ordered_at": pd.Timestamp("2026-01-11") + pd.to_timedelta(rng.integers(0, 171, len(who)), unit="D"),
        "amount": rng.gamma(3.0, 20.0, len(who)).round(2),
    })  # fmt: skip
    orders = pd.concat([joined, later], ignore_index=True)
    return orders, pd.DataFrame({"customer_id": ids, "acquisition_channel": channel, "joined_at": "2026-01-10"})


def study_of(orders: pd.DataFrame, customers: pd.DataFrame | None, **frames: pd.DataFrame) -> tk.Study:
    return tk.Study.from_frames(orders=orders, customers=customers, timezone="Asia/Shanghai", currency="CNY", **frames)


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return study_of(*people())


@pytest.fixture(scope="module")
def plan(study: tk.Study) -> Plan:
    return plan_experiment(study, spec_of(), simulations=300)


class Planned(Protocol):
    def __call__(self, **changes: Any) -> Plan: ...


@pytest.fixture(scope="module")
def planned(study: tk.Study) -> Planned:
    """Plan with such changes of the promise, each only once."""
    made: dict[str, Plan] = {}

    def ask(**changes: Any) -> Plan:
        key = json.dumps(changes, sort_keys=False)
        if key not in made:
            made[key] = plan_experiment(study, spec_of(**changes), simulations=100)
        return made[key]

    return ask


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=1_000, seed=7)


def past(seed: int = 0) -> pd.DataFrame:
    """Count by hand: outcome over the window, and over 60 days before it."""
    orders, customers = people(seed)
    found = customers.set_index("customer_id")[["acquisition_channel"]]
    after = orders[orders["ordered_at"] >= START]
    before = orders[orders["ordered_at"].between(START - pd.Timedelta(days=60), START, inclusive="left")]
    for name, rows in (("after", after), ("before", before)):
        found[name] = rows.groupby("customer_id").size().reindex(found.index, fill_value=0)
        found[f"spend_{name}"] = rows.groupby("customer_id")["amount"].sum().reindex(found.index, fill_value=0.0)
    return found


def check(plan: Plan, code: str) -> str:
    """Return the status of a check, or nothing where the plan has none."""
    return next((one.status for one in plan.checks if one.code == code), "")


def test_history_is_counted_as_by_hand(plan: Plan) -> None:
    rows = past()
    for tier, mine in rows.groupby("acquisition_channel"):
        bought = (mine["after"] > 0).astype(float)
        found = plan.tiers.loc[str(tier)]
        assert found["units"] == len(mine)
        assert found["baseline"] == pytest.approx(bought.mean())
        assert found["sd"] == pytest.approx((bought.mean() * (1 - bought.mean())) ** 0.5)
        assert found["rho"] == pytest.approx(np.corrcoef(bought, mine["before"])[0, 1])
        assert found["sd_adjusted"] == pytest.approx(found["sd"] * (1 - found["rho"] ** 2) ** 0.5)
        assert found["weight"] == pytest.approx(len(mine) / len(rows))
        assert (found["treated"], found["control"]) == (len(mine) // 2, len(mine) // 2)
    assert plan.as_of == AS_OF
    assert plan.days == 10 + WINDOW
    assert plan.spec_sha256 == spec_of().sha256


@pytest.mark.parametrize("metric", ["spend", "basket"])
def test_means_and_ratios_are_counted_as_by_hand(planned: Planned, metric: str) -> None:
    found = planned(primary=metric, smallest_effect=5.0).tiers
    for tier, mine in past().groupby("acquisition_channel"):
        y, per = mine["spend_after"], mine["after"] if metric == "basket" else pd.Series(1.0, mine.index)
        ratio = y.sum() / per.sum()
        part = (y - ratio * per) / per.mean()
        assert found["baseline"].loc[str(tier)] == pytest.approx(ratio)
        assert found["sd"].loc[str(tier)] == pytest.approx(part.std())
        assert found["rho"].loc[str(tier)] == pytest.approx(np.corrcoef(part, mine["spend_before"])[0, 1])


def test_retention_looks_at_its_own_days(planned: Planned) -> None:
    orders, customers = people()
    days = orders["ordered_at"].between(START + pd.Timedelta(days=10), START + pd.Timedelta(days=20), inclusive="left")
    back = set(orders.loc[days, "customer_id"])
    found = planned(primary="back").tiers
    for tier, mine in customers.groupby("acquisition_channel"):
        assert found["baseline"].loc[str(tier)] == pytest.approx(mine["customer_id"].isin(back).mean())


def test_power_is_that_of_the_formula(plan: Plan) -> None:
    level = 0.05 / 2  # two of three tiers can be estimated
    for tier in ("app", "shop"):
        row = plan.tiers.loc[tier]
        sizes = {"treated": row["treated"], "control": row["control"], "rate": row["baseline"], "alpha": level}
        left = 1 - row["rho"] ** 2
        assert row["level"] == pytest.approx(level)
        assert row["power"] == pytest.approx(float(power(0.05, **sizes, factor=left)))
        assert row["mde"] == pytest.approx(float(mde(0.8, **sizes, factor=left)))
        assert row["mde_unadjusted"] == pytest.approx(float(mde(0.8, **sizes)))
        assert row["mde"] < row["mde_unadjusted"]
        needed = units_needed(0.05, target=0.8, rate=row["baseline"], factor=left, alpha=level)
        assert row["units_needed"] == float(needed)


def test_the_overall_is_the_weighted_sum_of_the_tiers(plan: Plan) -> None:
    rows, effect = plan.tiers, plan.overall["mde"].loc["coupon"]
    raised = rows["baseline"] + effect
    left = 1 - rows["rho"] ** 2
    parts1 = rows["weight"] ** 2 * left * raised * (1 - raised) / rows["treated"]
    parts0 = rows["weight"] ** 2 * left * rows["baseline"] * (1 - rows["baseline"]) / rows["control"]
    # z of 5 % and of 80 %: with 900 units t is hardly wider
    assert effect == pytest.approx((1.95996 + 0.84162) * (parts1 + parts0).sum() ** 0.5, rel=5e-3)
    assert plan.overall["units"].loc["coupon"] == rows["units"].sum() == 912


def test_a_tier_that_cannot_be_estimated_cannot_learn(planned: Planned, plan: Plan) -> None:
    fair = plan.tiers.loc["fair"]
    assert (fair["learn"], fair["why"], fair["power"]) == ("no", FEW_EVENTS, 0.0)
    assert np.isnan(fair["mde"])
    assert fair["units_needed"] > fair["units"]
    by_mean = planned(primary="spend", smallest_effect=5.0).tiers
    assert by_mean["why"].loc["fair"] == FEW_UNITS
    assert check(plan, "tiers_cannot_learn") == "informational"


def test_who_cannot_learn_is_told_how_many_more_it_takes(planned: Planned) -> None:
    found = planned(smallest_effect=0.03).tiers.loc["shop"]
    assert found["learn"] == "no"
    times = found["units_needed"] / found["units"]
    assert found["why"] == (
        f"power {found['power']:.2f} at the smallest effect worth acting on; would need {times:.1f} times as many units"
    )
    assert planned(smallest_effect=0.3).tiers["learn"].loc["shop"] == "yes"


@pytest.mark.parametrize(
    ("kind", "covariate"), [("proportion", True), ("proportion", False), ("mean", True), ("ratio", True)]
)
def test_the_test_in_the_simulation_is_that_of_the_evaluation(kind: Any, covariate: bool) -> None:
    """Compare each simulated experiment with what `evaluate_units` says of the same units."""
    rng, runs = np.random.default_rng(0), 12
    counts, rows = np.array([[40, 60, 50], [45, 35, 55], [6, 5, 7]]), []
    for tier in range(3):
        per = rng.integers(1, 4, 200).astype(float)
        y = rng.binomial(1, 0.3 + 0.2 * tier, 200).astype(float) if kind == "proportion" else rng.gamma(2, 3, 200) * per
        columns = {"y": y} | ({"per": per} if kind == "ratio" else {})
        rows.append(columns | ({"x": y + rng.normal(size=200)} if covariate else {}))
    design = Design(kind, 1, counts, {"proportion": 0.2, "mean": 0.5, "ratio": 1.0}[kind], 0.05, 0.05)
    found = simulate(rows, design, runs, seed=5)
    drawings = [
        drawn(np.random.default_rng(stream), row, design, tier, runs)
        for tier, (stream, row) in enumerate(zip(np.random.SeedSequence(5).spawn(3), rows, strict=True))
    ]
    values = [values_of(arms, design) for arms in drawings]
    by_tier, overall = [], []
    for run in range(runs):
        units = pd.concat([
            pd.DataFrame({name: column[run] for name, column in columns.items()}).assign(tier=f"t{tier}", arm=f"a{arm}")
            for tier, arms in enumerate(drawings) for arm, columns in enumerate(arms)
        ])  # fmt: skip
        asked = tk.evaluate_units(
            units, arm="arm", control="a1", tier="tier", test="welch",
            metrics={"y": ("y", "per")} if kind == "ratio" else {"y": kind},
            covariates={"y": "x"} if covariate else None,
        )  # fmt: skip
        overall.append((asked.overall["p_value"] < 0.05).to_numpy())
        table = asked.tiers.set_index(["tier", "arm"])
        by_tier.append([[table["p_value"].loc[(f"t{tier}", arm)] < 0.05 for arm in ("a0", "a2")] for tier in range(3)])
        for tier, arm in ((0, 0), (0, 2), (1, 0), (1, 2)):
            pair = [arm, 1]
            t, df = welch(values[tier].value[:, pair], values[tier].variance[:, pair], counts[tier, pair] - 1.0)
            said = asked.tiers[(asked.tiers["tier"] == f"t{tier}") & (asked.tiers["arm"] == f"a{arm}")].iloc[0]
            if said["why"]:
                assert np.isnan(said["lift"])
                continue
            assert said["lift"] / said["se"] == pytest.approx(t[run], rel=1e-9)
            assert said["df"] == pytest.approx(df[run], rel=1e-9)
    np.testing.assert_allclose(found.tiers, np.mean(by_tier, axis=0))
    np.testing.assert_allclose(found.overall, np.mean(overall, axis=0))
    assert found.overall.min() > 0
    assert found.tiers.max() < 1


def test_a_tier_without_a_denominator_leaves_the_overall_to_the_others() -> None:
    rng, counts = np.random.default_rng(0), np.array([[90, 90], [3, 3]])
    rows = [{"y": rng.gamma(2, 3, 300), "per": np.ones(300)}, {"y": rng.gamma(2, 3, 300), "per": np.ones(300)}]
    rows[1] = {name: values * (np.arange(300) % 2) for name, values in rows[1].items()}
    found = simulate(rows, Design("ratio", 1, counts, 3.0, 0.05, 0.05), 500, seed=0)
    alone = simulate(rows[:1], Design("ratio", 1, counts[:1], 3.0, 0.05, 0.05), 500, seed=0)
    assert found.overall[0] == pytest.approx(alone.overall[0], abs=0.05)
    assert found.overall[0] > 0.9


@pytest.mark.parametrize(("metric", "effect"), [("bought", 0.1), ("spend", 15.0), ("basket", 12.0)])
def test_simulation_and_formula_agree_on_tame_data(study: tk.Study, metric: str, effect: float) -> None:
    found = plan_experiment(study, spec_of(primary=metric, smallest_effect=effect), simulations=2_000)
    rows = found.tiers.loc[["app", "shop"]]
    # 99.9 % of the simulation's own error, and three hundredths for skewness, which the formula does not know
    assert ((rows["power_simulated"] - rows["power"]).abs() < 3.29 * rows["simulation_error"] + 0.03).all()
    assert (rows["power"].between(0.2, 0.999)).all()
    whole = found.overall.loc["coupon"]
    assert abs(whole["power_simulated"] - whole["power"]) < 3.29 * whole["simulation_error"] + 0.03
    assert check(found, "formula_off") == "passed"


def test_without_an_effect_the_simulation_finds_its_level(study: tk.Study) -> None:
    found = plan_experiment(study, spec_of(smallest_effect=1e-9), simulations=several(dev=2_000, ci=4_000))
    for row in (found.tiers.loc["app"], found.overall.loc["coupon"]):
        assert row["power_simulated"] == pytest.approx(row["level"], abs=0.012)


def test_several_arms_share_the_level(study: tk.Study) -> None:
    arms = {"none": 0.4, "mail": 0.3, "call": 0.3}
    found = plan_experiment(study, spec_of(arms=arms), simulations=300)
    assert found.tiers["arm"].tolist() == ["mail", "call"] * 3
    assert found.tiers.index.tolist() == ["app"] * 2 + ["fair"] * 2 + ["shop"] * 2
    assert (found.tiers["level"] == 0.05 / 4).all()
    assert (found.overall["level"] == 0.05 / 2).all()
    assert found.tiers["treated"].loc["app"].tolist() == [180, 180]
    assert found.tiers["control"].loc["app"].tolist() == [240, 240]


def test_sizes_follow_shares_and_hold_out(planned: Planned) -> None:
    shares = {"shop": {"none": 0.9, "coupon": 0.1}}
    found = planned(shares_by_tier=shares, holdout=0.2).tiers
    assert found["units"].to_dict() == {"app": 480, "fair": 10, "shop": 240}
    assert found["treated"].to_dict() == {"app": 240, "fair": 5, "shop": 24}
    assert found["control"].to_dict() == {"app": 240, "fair": 5, "shop": 216}


def test_a_capacity_that_binds_is_shared_out(study: tk.Study, planned: Planned) -> None:
    found = planned(primary="spend", smallest_effect=5.0, capacity=90)
    table = found.allocation
    assert table.sum().to_dict() == {"available": 456, "proportional": 90, "neyman": 90}
    wanted = found.tiers["weight"] * found.tiers["sd_adjusted"]
    assert table["proportional"].tolist() == pytest.approx(90 * table["available"] / 456, abs=1)
    assert table["neyman"].tolist() == pytest.approx((90 * wanted / wanted.sum()).tolist(), abs=1)
    assert (found.tiers["treated"] == table["proportional"]).all()
    assert found.overall["mde_neyman"].loc["coupon"] <= found.overall["mde"].loc["coupon"]
    assert check(found, "capacity") == "informational"
    assert found.weeks_to_fill == np.inf
    rows = tk.assign(
        study.snapshot(AS_OF, ["acquisition_channel"]), spec_of(capacity=90), quotas=table["neyman"].to_dict()
    )
    assert rows[rows["arm"] == "coupon"].groupby("tier").size().to_dict() == table["neyman"].to_dict()


def test_the_other_allocation_knows_that_shares_differ(study: tk.Study) -> None:
    shares = {"shop": {"none": 0.8, "coupon": 0.2}}
    spec = spec_of(primary="spend", smallest_effect=5.0, capacity=50, shares_by_tier=shares)
    found = plan_experiment(study, spec, simulations=100)
    control = np.array([0.5, 0.5, 0.8])
    weight = np.array([600, 12, 300]) / 912

    def variance(outside: np.ndarray[Any, Any]) -> float:
        units = outside / (1 - control)
        each = found.tiers["sd_adjusted"].to_numpy() ** 2 / units * (1 / control + 1 / (1 - control))
        return float((weight**2 * each).sum())

    chosen = found.allocation["neyman"].to_numpy(dtype=float)
    for one, other in ((0, 2), (2, 0), (0, 1), (1, 0)):
        moved = chosen.copy()
        moved[one] += 3
        moved[other] -= 3
        if (moved > 0).all():
            assert variance(moved) > variance(chosen)


def test_the_units_needed_are_enough_to_estimate(planned: Planned) -> None:
    found = planned(smallest_effect=0.6).tiers.loc["shop"]
    assert found["units_needed"] == np.ceil(5 / min(found["baseline"], 1 - found["baseline"]) / 0.5)
    by_mean = planned(primary="spend", smallest_effect=1e4).tiers
    assert by_mean["units_needed"].tolist() == [40.0, 40.0, 40.0]


def test_a_capacity_that_does_not_bind_changes_nothing(study: tk.Study, plan: Plan) -> None:
    found = plan_experiment(study, spec_of(capacity=456), simulations=300)
    pd.testing.assert_frame_equal(found.tiers, plan.tiers)
    assert (found.allocation["neyman"] == found.allocation["available"]).all()
    assert check(found, "capacity") == "passed"


@examples(dev=25, ci=100)
@given(
    room=st.integers(0, 60),
    tiers=st.lists(st.tuples(st.integers(0, 25), st.floats(0.1, 9.0)), min_size=1, max_size=3),
)
def test_allocation_has_the_smallest_variance(room: int, tiers: list[tuple[int, float]]) -> None:
    there, wanted = np.array([one for one, _ in tiers]), np.array([one for _, one in tiers])
    found = allocate(room, wanted, there)
    assert found.sum() == min(room, there.sum())
    assert ((found >= 0) & (found <= there)).all()

    def variance(units: np.ndarray[Any, Any]) -> float:
        return float((wanted[units > 0] ** 2 / units[units > 0]).sum()) if (units[there > 0] > 0).all() else np.inf

    # no swap of two units improves on it by more than rounding does
    for one in range(len(there)):
        for other in range(len(there)):
            moved = found.copy()
            moved[one] += 2
            moved[other] -= 2
            if one != other and moved[one] <= there[one] and moved[other] > 0:
                assert variance(moved) >= variance(found) * (1 - 1e-9)


@examples(dev=25, ci=100)
@given(whole=st.integers(0, 10_000), shares=st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_a_split_leaves_no_rest(whole: int, shares: list[float]) -> None:
    found = split(whole, shares)
    total = sum(shares)
    if total == 0:
        assert found.sum() == 0
        return
    assert found.sum() == whole
    assert (np.abs(found - whole * np.array(shares) / total) < 1 + 1e-6).all()


@cache
def grouped() -> tuple[tk.Study, pd.Series[str]]:
    """Draw groups of five who buy together or not."""
    orders, customers = people(3, app=600, shop=300)
    group = pd.Series([f"G{number // 5}" for number in range(900)], index=customers["customer_id"])
    lucky = set(pd.unique(group)[::3])
    extra = customers.loc[group.isin(lucky).to_numpy(), ["customer_id"]].assign(ordered_at=START, amount=50.0)
    return study_of(pd.concat([orders, extra]), customers), group


def test_groups_multiply_the_variance_by_the_design_effect() -> None:
    study, group = grouped()
    alone = plan_experiment(study, spec_of(covariate=None), simulations=100)
    found = plan_experiment(study, spec_of(covariate=None, unit="cluster"), groups=group, simulations=1_000)
    rows = study.outcomes(
        pd.Series(START, index=group.index), AS_OF, {"y": spec_of().metrics["bought"].of}, last_day=30
    )
    bought = (rows["y"] > 0).astype(float)
    channel = study.snapshot(AS_OF, ["acquisition_channel"])["acquisition_channel"].reindex(group.index)
    alike = icc(bought - bought.groupby(channel.to_numpy()).transform("mean"), group.astype("category").cat.codes)
    assert found.icc == pytest.approx(alike)
    assert found.icc > 0.3
    assert found.design_effect == pytest.approx(1 + 4 * alike)
    assert (alone.design_effect, np.isnan(alone.icc)) == (1.0, True)
    ratio = found.overall["mde"].loc["coupon"] / alone.overall["mde"].loc["coupon"]
    assert ratio == pytest.approx(found.design_effect**0.5, rel=0.05)
    assert found.tiers["units"].tolist() == alone.tiers["units"].tolist()
    assert (found.tiers["units_needed"] > 1.5 * alone.tiers["units_needed"]).all()


@pytest.mark.parametrize(("metric", "effect"), [("bought", 0.15), ("spend", 15.0), ("basket", 6.0)])
@pytest.mark.parametrize("covariate", [None, {"days": 60}])
def test_simulated_groups_agree_with_the_formula(metric: str, effect: float, covariate: Any) -> None:
    study, group = grouped()
    spec = spec_of(unit="cluster", primary=metric, smallest_effect=effect, covariate=covariate)
    found = plan_experiment(study, spec, groups=group, simulations=2_000)
    whole = found.overall.loc["coupon"]
    assert 0.2 < whole["power"] < 0.999
    assert abs(whole["power_simulated"] - whole["power"]) < 3.29 * whole["simulation_error"] + 0.05
    apart = (found.tiers["power_simulated"] - found.tiers["power"]).abs()
    assert (apart < 3.29 * found.tiers["simulation_error"] + 0.05).all()


def test_simulated_groups_find_their_level_without_an_effect() -> None:
    study, group = grouped()
    spec = spec_of(unit="cluster", smallest_effect=1e-9)
    found = plan_experiment(study, spec, groups=group, simulations=several(dev=2_000, ci=4_000))
    assert found.overall["power_simulated"].loc["coupon"] == pytest.approx(0.05, abs=0.015)


def test_the_test_of_simulated_groups_is_that_of_the_evaluation() -> None:
    rng, runs = np.random.default_rng(0), 12
    past = pd.DataFrame({
        "tier": pd.Categorical(rng.choice(["a", "b"], 400, p=[0.7, 0.3]), ordered=True),
        "group": [f"G{number:02d}" for number in rng.integers(0, 60, 400)],
    })  # fmt: skip
    shared = dict(zip(past["group"].unique(), rng.normal(0, 2, 60), strict=True))
    past["y"] = past["group"].map(shared) + rng.normal(10, 4, 400)
    groups, weights = np.array([25, 30]), np.array([0.7, 0.3])
    design = Design("mean", 1, np.array([[1, 1], [1, 1]]), 1.5, 0.05, 0.05)
    found = simulate_groups(past, design, groups, weights, simulations=runs, seed=3)
    again = np.random.default_rng(3)
    places = [again.integers(0, 60, (runs, units)) for units in groups]
    members = [rows for _, rows in past.groupby("group")]
    apart = 0.0
    for run in range(runs):
        units = pd.concat([
            members[place].assign(group=f"{arm}-{number}", arm=f"a{arm}", y=members[place]["y"] + 1.5 * (arm == 0))
            for arm in (0, 1) for number, place in enumerate(places[arm][run])
        ])  # fmt: skip
        asked = tk.evaluate_units(
            units, arm="arm", control="a1", tier="tier", cluster="group", test="welch", metrics={"y": "mean"}
        )
        apart += float((asked.tiers["p_value"] < 0.05).to_numpy() @ weights)
    # the evaluation weights tiers by the customers who were drawn, and counts only groups that have some in a tier
    assert float(found.tiers[:, 0] @ weights) == pytest.approx(apart / runs, abs=1 / runs)
    assert 0.1 < apart / runs < 0.9


def test_a_covariate_helps_simulated_groups() -> None:
    rng = np.random.default_rng(0)
    past = pd.DataFrame({"tier": pd.Categorical(["a"] * 400), "group": [f"G{number // 5}" for number in range(400)]})
    past["y"] = rng.normal(10, 4, 400)
    design = Design("mean", 1, np.array([[1, 1]]), 1.0, 0.05, 0.05)
    without, helped = (
        simulate_groups(frame, design, np.array([40, 40]), np.array([1.0]), simulations=1_000, seed=0).overall[0]
        for frame in (past, past.assign(x=past["y"] + rng.normal(0, 2, 400)))
    )
    by_formula = power(1.0, treated=200, control=200, sd=4.0, factor=[1.0, 0.2])
    assert [without, helped] == pytest.approx(by_formula.tolist(), abs=0.08)


def test_groups_are_one_for_each_customer(study: tk.Study) -> None:
    _, group = grouped()
    spec = spec_of(unit="cluster")
    for wrong, code in ((None, "no-cluster"), (group.iloc[:-3], "groups"), (pd.concat([group, group]), "groups")):
        with pytest.raises(ArgumentError, match=r"Try: ") as caught:
            plan_experiment(grouped()[0], spec, groups=wrong)
        assert caught.value.code == code
    with pytest.raises(ArgumentError, match="unit: cluster"):
        plan_experiment(study, spec_of(), groups=group)


def test_groups_may_be_a_column_of_the_snapshot() -> None:
    orders, customers = people()
    region = pd.Series(range(len(customers))).mod(40).map("R{}".format)
    study = study_of(orders, customers.assign(region=region))
    found = plan_experiment(study, spec_of(unit="cluster", cluster="region"), simulations=100)
    as_series = plan_experiment(
        study, spec_of(unit="cluster", cluster="region"), groups=region.set_axis(customers["customer_id"]),
        simulations=100,
    )  # fmt: skip
    assert found.sha256 == as_series.sha256
    assert found.design_effect == pytest.approx(design_effect(found.icc, np.bincount(np.arange(912) % 40)))


def test_newcomers_of_the_window_are_units_and_no_history() -> None:
    orders, customers = people()
    joined = pd.DataFrame(
        {"customer_id": [f"N{number}" for number in range(90)], "ordered_at": "2026-06-20", "amount": 5}
    )
    new = joined[["customer_id"]].assign(acquisition_channel="app", joined_at="2026-06-20")
    found = plan_experiment(
        study_of(pd.concat([orders, joined]), pd.concat([customers, new])), spec_of(), simulations=100
    )
    before = plan_experiment(study_of(orders, customers), spec_of(), simulations=100)
    assert found.tiers["units"].loc["app"] == 690
    assert found.tiers["baseline"].loc["app"] == before.tiers["baseline"].loc["app"]


def test_a_tier_without_a_past_cannot_learn() -> None:
    orders, customers = people()
    joined = pd.DataFrame(
        {"customer_id": [f"N{number}" for number in range(90)], "ordered_at": "2026-06-20", "amount": 5}
    )
    new = joined[["customer_id"]].assign(acquisition_channel="video", joined_at="2026-06-20")
    found = plan_experiment(
        study_of(pd.concat([orders, joined]), pd.concat([customers, new])), spec_of(), simulations=100
    )
    row = found.tiers.loc["video"]
    assert (row["learn"], row["why"], row["units"]) == ("no", NO_HISTORY, 90)
    assert np.isnan(row["baseline"])
    assert np.isfinite(found.overall["power"].loc["coupon"])


def test_tiers_of_history_are_those_of_then(demo: tk.Study) -> None:
    """Who rose to a higher layer in the window counts in the layer that they had before it."""
    spec = tk.Experiment.open(demo.experiments[0])
    found = plan_experiment(demo, spec, simulations=100).tiers
    then = demo.snapshot("2026-07-25", ["top_layer"])["top_layer"].astype(object).fillna("none")
    rows = demo.outcomes(
        pd.Series(pd.Timestamp("2026-07-26"), index=then.index), "2026-08-22", {"y": spec.metrics["completed"].of}
    )
    share = (rows["y"] > 0).groupby(then.to_numpy()).mean()
    now = demo.snapshot("2026-08-22", ["top_layer"])["top_layer"].astype(object).fillna("none").value_counts()
    assert found.index.tolist() == ["none", "lead_in", "entry", "premium"]
    for tier in found.index:
        assert found["baseline"].loc[tier] == pytest.approx(share[tier])
        assert found["units"].loc[tier] == now[tier]


def test_tiers_may_be_what_a_transformer_adds(study: tk.Study) -> None:
    spec = spec_of(tier="segment")
    with pytest.raises(ArgumentError, match="no column of the snapshot"):
        plan_experiment(study, spec)
    found = plan_experiment(study, spec, tiers=tk.RFM(), simulations=100)
    fitted = plan_experiment(study, spec, tiers=tk.RFM().fit(study.snapshot(AS_OF)), simulations=100)
    assert found.sha256 == fitted.sha256
    assert found.tiers["units"].sum() == 912
    with pytest.raises(ArgumentError, match="no column 'stag'"):
        plan_experiment(study, spec_of(tier="stag"), tiers=tk.RFM())


def test_newcomers_fill_what_is_lacking() -> None:
    orders, customers = people(0, app=300)
    joined = pd.DataFrame({
        "customer_id": [f"N{number:03d}" for number in range(120)], "amount": 5,
        "ordered_at": pd.Timestamp("2026-04-09") + pd.to_timedelta(np.arange(120) % 20, unit="D"),
    })  # fmt: skip
    new = joined[["customer_id"]].assign(acquisition_channel="app", joined_at="2026-04-09")
    study = study_of(pd.concat([orders, joined]), pd.concat([customers, new]))
    found = plan_experiment(study, spec_of(holdout=0.25), simulations=100)
    lacking = found.overall["units_needed"].loc["coupon"] - 315
    assert lacking > 0
    assert found.weeks_to_fill == pytest.approx(lacking / (120 / 12 * 0.75))
    assert found.tiers["weeks_to_fill"].loc["app"] == pytest.approx(found.weeks_to_fill, rel=1e-3)
    enough = plan_experiment(study, spec_of(smallest_effect=0.5), simulations=100)
    assert enough.weeks_to_fill == 0 == enough.tiers["weeks_to_fill"].loc["app"]
    nobody = plan_experiment(study_of(orders, customers), spec_of(), simulations=100)
    no_room = plan_experiment(study, spec_of(capacity=50), simulations=100)
    assert no_room.weeks_to_fill == np.inf == no_room.tiers["weeks_to_fill"].loc["app"]
    assert nobody.weeks_to_fill == np.inf == nobody.tiers["weeks_to_fill"].loc["app"]


def test_the_units_that_are_needed_have_the_power() -> None:
    found = plan_experiment(study_of(*people()), spec_of(), simulations=100)
    times = found.overall["units_needed"].loc["coupon"] / found.overall["units"].loc["coupon"]
    rows, raised = found.tiers, found.tiers["baseline"] + 0.05
    left = (1 - rows["rho"] ** 2) * rows["weight"] ** 2 / times
    se = left * (raised * (1 - raised) / rows["treated"] + rows["baseline"] * (1 - rows["baseline"]) / rows["control"])
    assert 0.05 / se.sum() ** 0.5 == pytest.approx(1.95996 + 0.84162, rel=5e-3)


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({}, "history", "passed"),
        ({"covariate": {"days": 200}}, "short_history", "failed"),
        ({}, "no_covariate", ""),
        ({"covariate": {"days": 60, "of": {"events": ["open"]}}}, "no_covariate", "failed"),
        ({"smallest_effect": 0.02}, "overall_power", "failed"),
        ({"smallest_effect": 0.2}, "overall_power", "passed"),
        ({"smallest_effect": 0.75}, "effect_out_of_reach", "failed"),
        ({}, "effect_out_of_reach", ""),
        ({"shares_by_tier": {"shp": {"none": 0.9, "coupon": 0.1}}}, "unknown_tier", "failed"),
        ({}, "tier_undated", ""),
        ({}, "capacity", ""),
    ],
)  # fmt: skip
def test_what_is_doubtful_is_a_check(planned: Planned, changes: dict[str, Any], code: str, status: str) -> None:
    assert check(planned(**changes), code) == status


def test_an_effect_that_cannot_be_is_never_found(planned: Planned) -> None:
    found = planned(smallest_effect=0.75)
    shop = found.tiers.loc["shop"]
    assert (shop["learn"], shop["why"], shop["power"]) == ("no", OUT_OF_REACH, 0.0)
    assert np.isnan(shop["units_needed"])
    # where the rate cannot rise so far it rises to 1
    lift = (found.tiers["weight"] * np.minimum(0.75, 1 - found.tiers["baseline"])).sum()
    assert lift < 0.75
    assert found.overall["power"].loc["coupon"] == pytest.approx(1.0)
    assert check(found, "overall_power") == "passed"
    assert check(found, "effect_out_of_reach") == "failed"


def test_a_plan_after_the_first_assignment_is_late(study: tk.Study) -> None:
    assert check(plan_experiment(study, spec_of(), as_of="2026-07-01", simulations=100), "plan_late") == "failed"


def test_a_tier_known_as_exported_only_is_a_check() -> None:
    orders, customers = people()
    study = study_of(orders, customers.assign(persona=customers["acquisition_channel"]))
    found = plan_experiment(study, spec_of(tier="persona"), simulations=100)
    assert check(found, "tier_undated") == "informational"


def test_without_its_covariate_the_plan_is_the_one_without(planned: Planned) -> None:
    unknown = {"days": 60, "of": {"events": ["open"]}}
    found = planned(covariate=unknown)
    assert (found.tiers["rho"] == 0).all()
    assert (found.tiers["mde"].dropna() == found.tiers["mde_unadjusted"].dropna()).all()


def test_heavy_tails_are_told() -> None:
    orders, customers = people()
    whale = pd.DataFrame({"customer_id": ["C0000"], "ordered_at": [START], "amount": [1e6]})
    spec = spec_of(primary="spend", smallest_effect=500.0)
    found = plan_experiment(study_of(pd.concat([orders, whale]), customers), spec, simulations=500)
    assert check(found, "other_test") == "informational"
    assert any("app" in one.subject for one in found.checks if one.code == "other_test")


def test_nothing_to_learn_from_stops(study: tk.Study) -> None:
    with pytest.raises(ArgumentError, match="nobody was a customer 30 days before") as caught:
        plan_experiment(study, spec_of(), as_of="2026-01-20")
    assert caught.value.code == "no-history"
    with pytest.raises(ArgumentError, match="y: events come from events"):
        plan_experiment(study, spec_of(metrics={"bought": {"kind": "mean", "of": {"events": ["open"]}}}))


def test_one_tier_and_one_outcome_for_all_are_no_error() -> None:
    orders, customers = people(0, app=60)
    flat = plan_experiment(study_of(orders[orders["ordered_at"] < START], customers), spec_of(), simulations=100)
    assert flat.tiers[["baseline", "power", "learn"]].to_numpy().tolist() == [[0.0, 0.0, "no"]]
    assert FEW_EVENTS in repr(flat)


def test_later_rows_change_nothing(study: tk.Study, plan: Plan) -> None:
    orders, customers = people()
    later = pd.DataFrame({
        "customer_id": [f"C{number:04d}" for number in range(0, 900, 2)] + ["L1"], "amount": 777,
        "ordered_at": "2026-07-03",
    })  # fmt: skip
    found = plan_experiment(study_of(pd.concat([orders, later]), customers), spec_of(), simulations=300)
    assert found.sha256 == plan.sha256


def test_the_order_of_rows_changes_nothing(plan: Plan) -> None:
    orders, customers = people()
    mixed = orders.sample(frac=1, random_state=1), customers.sample(frac=1, random_state=2)
    assert plan_experiment(study_of(*mixed), spec_of(), simulations=300).sha256 == plan.sha256


def test_the_seed_is_of_the_simulation_only(study: tk.Study, plan: Plan) -> None:
    again, other = (plan_experiment(study, spec_of(), simulations=300, seed=seed) for seed in (0, 1))
    assert again.sha256 == plan.sha256 != other.sha256
    changed = ["power_simulated", "simulation_error"]
    pd.testing.assert_frame_equal(other.tiers.drop(columns=changed), plan.tiers.drop(columns=changed))
    assert (other.tiers["power_simulated"] != plan.tiers["power_simulated"]).any()


def test_many_units_are_not_simulated(study: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.strategy.plan_simulation._DRAWN_AT_MOST", 912 * 99)
    found = plan_experiment(study, spec_of(), simulations=300)
    assert found.tiers["power_simulated"].isna().all()
    assert np.isfinite(found.tiers["power"].loc["app"])
    assert check(found, "not_simulated") == "informational"


def test_drawing_in_parts_changes_nothing_but_the_draws(study: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.strategy.plan_simulation._DRAWN_AT_ONCE", 10_000)
    found = plan_experiment(study, spec_of(smallest_effect=0.08), simulations=2_000).tiers.loc[["app", "shop"]]
    assert ((found["power_simulated"] - found["power"]).abs() < 3.29 * found["simulation_error"] + 0.03).all()


def test_the_file_is_read_as_it_was_written(plan: Plan, planned: Planned, tmp_path: Path) -> None:
    arms = {"none": 0.4, "no": 0.3, "1": 0.3}
    odd = planned(arms=arms, capacity=50, smallest_effect=0.75)
    for one in (plan, odd):
        path = one.write(tmp_path / "coupon.plan.yaml")
        found = Plan.read(path)
        for name in ("tiers", "overall", "allocation"):
            pd.testing.assert_frame_equal(getattr(found, name), getattr(one, name), check_exact=True)
        assert found.checks == one.checks
        assert (found.sha256, found.spec_sha256, found.days) == (one.sha256, one.spec_sha256, one.days)
        assert found.weeks_to_fill == one.weeks_to_fill
        assert found.write(tmp_path / "again.yaml").read_bytes() == path.read_bytes()


def refused(path: Path, text: str) -> StudyFileError:
    path.write_text(text, "utf-8")
    with pytest.raises(StudyFileError, match=r"^E-[a-z-]+ coupon\.plan\.yaml(:\d+)?: .+ Try: .+") as caught:
        Plan.read(path)
    return caught.value


@settings(examples(dev=15, ci=60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_line_can_be_changed_unseen(plan: Plan, tmp_path: Path, data: st.DataObject) -> None:
    path = plan.write(tmp_path / "coupon.plan.yaml")
    lines = path.read_text("utf-8").splitlines()
    at = data.draw(st.integers(1, len(lines) - 1))
    digits = [place for place, letter in enumerate(lines[at]) if letter.isdigit()]
    if not digits:
        return
    place = data.draw(st.sampled_from(digits))
    lines[at] = lines[at][:place] + str((int(lines[at][place]) + 1) % 10) + lines[at][place + 1 :]
    text = "\n".join(lines) + "\n"
    try:
        same = yaml.safe_load(text) == yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError:
        same = False
    if not same:
        assert refused(path, text).code in ("plan-changed", "plan-key", "study-yaml")


def test_a_file_that_is_not_what_was_written_stops(plan: Plan, tmp_path: Path) -> None:
    path = plan.write(tmp_path / "coupon.plan.yaml")
    text = path.read_text("utf-8")
    assert refused(path, text.replace("learn: 'no'", "learn: 'yes'", 1)).code == "plan-changed"
    assert refused(path, text.replace("as_of: '2026-06-30'", "as_of: 2026-06-30", 1)).code == "plan-changed"
    assert "plan_experiment" in refused(path, text.replace("seed: 0", "seed: 1")).hint
    assert "did you mean 'seed'?" in str(refused(path, text.replace("seed: 0", "sed: 0")))
    assert "is given twice" in str(refused(path, text + "seed: 0\n"))
    assert "'sha256' is required" in str(refused(path, text.partition("sha256: " + plan.sha256)[0]))
    assert refused(path, "").code == "study-yaml"
    with pytest.raises(StudyFileError, match="no such file"):
        Plan.read(tmp_path / "nowhere.yaml")


def test_comments_and_layout_are_no_change(plan: Plan, tmp_path: Path) -> None:
    path = plan.write(tmp_path / "coupon.plan.yaml")
    content = yaml.safe_load(path.read_text("utf-8"))
    path.write_text("# seen by the team\n" + yaml.safe_dump(content, sort_keys=True, default_flow_style=True), "utf-8")
    assert Plan.read(path).sha256 == plan.sha256


def test_it_shows_itself(plan: Plan) -> None:
    assert plan.sentence.startswith("coupon: 912 units over 40 days; overall power 0.")
    assert plan.sentence.endswith("do not test by itself: app, fair, shop.")
    page = plan._repr_html_()
    assert plan.sentence in page
    assert "<table" in page
    assert "fewer than 5 events" in repr(plan)


def test_what_it_shows_is_escaped() -> None:
    orders, customers = people(0, app=50)
    study = study_of(orders, customers.assign(acquisition_channel="<b>app</b>"))
    page = plan_experiment(study, spec_of(), simulations=100)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;app" in page


def test_the_evaluation_takes_the_plan(demo: tk.Study) -> None:
    spec = tk.Experiment.open(demo.experiments[0])
    promised = tk.plan_experiment(demo, spec, simulations=200)
    result = tk.evaluate(demo, spec, plan=promised)
    assert next(one.status for one in result.checks if one.code == "plan_matches") == "passed"
    assert result.tier_order == tuple(promised.tiers.index)


def test_the_demos_plan_is_the_one_that_is_made_today() -> None:
    study = tk.Study.demo()
    path = study.experiments[0]
    written = Plan.read(path.with_name("checkin_cashback.plan.yaml"))
    made = tk.plan_experiment(study, tk.Experiment.open(path))
    assert written.spec_sha256 == made.spec_sha256
    for name in ("tiers", "overall", "allocation"):
        pd.testing.assert_frame_equal(getattr(written, name), getattr(made, name), rtol=1e-6, check_dtype=False)
