"""FAULTS section I for `evaluate_units`: hostile units are refused with their count, or counted and told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import ArgumentError
from toolkit.strategy.experiment import Profit
from toolkit.strategy.units import evaluate_units

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N = 400


def made_up() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    return pd.DataFrame({
        "arm": np.tile(["none", "coupon"], N // 2),
        "tier": np.repeat(["new", "old"], N // 2),
        "before": rng.normal(5, 1, N),
        "spend": rng.normal(10, 2, N),
        "visit": rng.integers(0, 2, N),
        "orders": rng.integers(0, 4, N),
        "assigned": pd.Timestamp("2026-08-23 10:00"),
        "measured": pd.Timestamp("2026-08-22"),
        "bought": pd.Timestamp("2026-09-02"),
    })  # fmt: skip


@pytest.fixture(params=["frame", "file"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Any]:
    """Evaluate the same units as a frame and from a Parquet file."""

    def evaluated(frame: pd.DataFrame, **options: Any) -> Any:
        asked: dict[str, Any] = {
            "arm": "arm", "control": "none", "tier": "tier",
            "metrics": {"spend": "mean", "visit": "proportion", "per": ("spend", "orders")},
            "covariates": {"spend": "before"},
        }  # fmt: skip
        units: Any = frame
        if request.param == "file":
            units = tmp_path / "units.parquet"
            frame.to_parquet(units, row_group_size=90)
        return evaluate_units(units, **(asked | options))

    return evaluated


def put(column: str, values: Any, rows: Any = slice(0, 2)) -> pd.DataFrame:
    frame = made_up()
    frame[column] = frame[column].astype(object)
    frame.loc[frame.index[rows], column] = values
    return frame.infer_objects()


MISSING = [
    (put("arm", None), "column arm", 3 - 1),
    (put("tier", None), "column tier", 2),
    (put("spend", np.nan), "column spend", 2),
    (put("visit", np.nan, slice(0, 7)), "column visit", 7),
    (put("before", np.nan, [N - 1]), "column before", 1),
    (put("spend", np.inf, [5]), "column spend", 1),
    (put("spend", -np.inf, [5, N - 2]), "column spend", 2),
    (put("orders", np.nan), "column orders", 2),
]  # fmt: skip


@pytest.mark.parametrize(("frame", "column", "count"), MISSING)
def test_nobody_is_left_out_silently(run: Callable[..., Any], frame: pd.DataFrame, column: str, count: int) -> None:
    with pytest.raises(ArgumentError, match="left out silently") as refusal:
        run(frame)
    assert refusal.value.code == "units-missing"
    assert refusal.value.count == count
    assert column in str(refusal.value)


def test_infinities_that_cancel_are_seen(run: Callable[..., Any]) -> None:
    with pytest.raises(ArgumentError, match="finite") as refusal:
        run(put("spend", [np.inf, -np.inf]))
    assert refusal.value.count == 2


@pytest.mark.parametrize(
    ("frame", "code", "said"),
    [
        (put("visit", 2), "units-share", "column visit: .*0 and 1 .n=2"),
        (put("visit", 0.5, [3]), "units-share", "n=1"),
        (put("orders", -1), "units-denominator", "column orders: .*negative .n=2"),
        (put("spend", "12 yuan", slice(None)), "units-number", "column spend: holds"),
        (made_up().assign(spend=pd.Timestamp("2026-01-01")), "units-number", "to_numeric"),
        (made_up().iloc[:0], "units-empty", "no units"),
        (made_up().assign(arm="none"), "one-arm", "one arm only"),
        (made_up().assign(arm=np.arange(N).astype(str)), "units-column", "more than 64 different values"),
        (made_up().assign(tier="same", arm="coupon"), "control", "control 'none' is no arm"),
        (made_up().drop(columns="spend"), "units-column", "no column 'spend'"),
        (made_up().drop(columns="before").assign(befor=1), "units-column", "befor"),
    ],
)  # fmt: skip
def test_columns_that_hold_something_else(run: Callable[..., Any], frame: pd.DataFrame, code: str, said: str) -> None:
    with pytest.raises(ArgumentError, match=said) as refusal:
        run(frame)
    assert refusal.value.code == code
    assert "Try:" in str(refusal.value)


def test_a_tier_column_of_ids_is_refused(run: Callable[..., Any]) -> None:
    frame = pd.concat([made_up()] * 3, ignore_index=True)
    with pytest.raises(ArgumentError, match="more than 1,000 different values"):
        run(frame.assign(tier=np.arange(len(frame)).astype(str)))


OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"metrics": {}}, "no metrics"),
    ({"metrics": {"spend": "median"}}, "unknown kind 'median'"),
    ({"metrics": {"spend": "ratio"}}, "ratio without its columns"),
    ({"metrics": {"spend": ("spend",)}}, "not of two columns"),
    ({"metrics": {"spend": ("visit", "visit")}}, "not of two columns"),
    ({"primary": "clicks"}, "'clicks' is no metric"),
    ({"covariates": {"spend": "spend"}}, "is the metric itself"),
    ({"covariates": {"per": "orders"}}, "is the metric itself"),
    ({"covariates": {"click": "before"}}, "'click' is no metric"),
    ({"guardrails": {"clicks": (0.1, "higher")}}, "'clicks' is no metric"),
    ({"guardrails": {"visit": (0.0, "higher")}}, "a margin above 0"),
    ({"guardrails": {"visit": (0.1, "bad")}}, "what is worse"),
    ({"shares": {"none": 0.5, "coupon": 0.6}}, "do not add up to 1"),
    ({"shares": {"none": 1.0, "coupon": 0.0}}, "not all above 0"),
    ({"shares": {"none": 0.5, "call": 0.5}}, "'coupon' is no arm"),
    ({"shares": {"new": {"none": 0.5, "coupon": 0.5}}}, "'old' is no tier"),
    ({"alpha": 0.0}, "no level"),
    ({"alpha": 5}, "no level"),
    ({"smallest_effect": -1}, "not above 0"),
    ({"draws": 0}, "deals no arms anew"),
    ({"test": "t-test"}, "unknown test"),
    ({"despite": ["sample ratio"]}, "no reason"),
    ({"despite": "sample_ratios"}, "no reason"),
    ({"profit": Profit(of="visit")}, "no metric of kind mean"),
    ({"profit": Profit(of="spend", offer_cost={"coupn": 1.0})}, "did you mean|coupon"),
    ({"control": "nobody"}, "control 'nobody' is no arm"),
    ({"covariate_at": "measured"}, "moment of assignment"),
    ({"sample_ratio_by": ["city"]}, "no column 'city'"),
    ({"balance": ["city"]}, "no column 'city'"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), OPTIONS)
def test_options_that_mean_nothing(run: Callable[..., Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ArgumentError, match=said) as refusal:
        run(made_up(), **options)
    assert "Try:" in str(refusal.value)


def test_units_that_are_no_units(tmp_path: Path) -> None:
    asked: dict[str, Any] = {"arm": "arm", "control": "none", "metrics": {"spend": "mean"}}
    with pytest.raises(ArgumentError, match="neither a frame nor the path"):
        evaluate_units([1, 2], **asked)  # type: ignore[arg-type]  # what is tested
    with pytest.raises(ArgumentError, match="no Parquet file"):
        evaluate_units(tmp_path / "nowhere.parquet", **asked)
    (tmp_path / "text.parquet").write_text("arm,spend\nnone,1\n")
    with pytest.raises(ArgumentError, match="no Parquet file"):
        evaluate_units(str(tmp_path / "text.parquet"), **asked)
    twice = made_up()
    twice.columns = ["arm", "spend", "before", "spend", *twice.columns[4:]]
    with pytest.raises(ArgumentError, match="two columns are called 'spend'"):
        evaluate_units(twice, **asked)


def test_a_customer_in_several_rows_is_left_out_and_counted(run: Callable[..., Any]) -> None:
    frame = made_up().assign(customer_id=[f"C{number}" for number in range(N)])
    clean = run(frame.drop(index=[6, 7, 8]))
    frame.loc[7, "customer_id"] = frame.loc[6, "customer_id"]  # stands in both arms
    frame.loc[8, "customer_id"] = frame.loc[6, "customer_id"]
    found = run(frame)
    check = next(check for check in found.checks if check.code == "repeated_units")
    assert (check.status, check.count) == ("failed", 1)
    assert "C6" not in check.message
    assert found.units == N - 3
    pd.testing.assert_frame_equal(found.overall, clean.overall)
    frame.loc[range(20, 40), "customer_id"] = [f"C{number}" for number in range(40, 60)]
    with pytest.raises(ArgumentError, match="more than 1%") as refusal:
        run(frame)
    assert refusal.value.count == 21


def test_an_index_with_a_name_is_an_id_and_one_without_is_not() -> None:
    asked: dict[str, Any] = {"arm": "arm", "control": "none", "metrics": {"spend": "mean"}}
    halves = pd.concat([made_up().iloc[:200], made_up().iloc[200:].reset_index(drop=True)])
    assert evaluate_units(halves, **asked).units == N
    with pytest.raises(ArgumentError, match="several rows"):
        evaluate_units(halves.rename_axis("customer_id"), **asked)
    named = made_up().rename_axis("customer_id")
    assert evaluate_units(named, **asked).checks[1].status == "passed"
    named.index = pd.Index([0, 0, *range(2, N)], name="customer_id")
    assert evaluate_units(named, **asked).units == N - 2


def test_orders_in_the_place_of_customers_are_refused(run: Callable[..., Any]) -> None:
    """FAULTS 98: randomised by customer, tested by order."""
    orders = made_up().assign(customer_id=np.arange(N) // 4)
    with pytest.raises(ArgumentError, match="one row per customer"):
        run(orders)


def test_a_covariate_after_assignment_stops(run: Callable[..., Any]) -> None:
    dates: dict[str, Any] = {"assigned_at": "assigned", "covariate_at": "measured", "outcome_at": "bought"}
    codes = {check.code: check.status for check in run(made_up(), **dates).checks}
    assert codes["covariate_before_assignment"] == codes["outcome_before_assignment"] == "passed"
    late = made_up()
    late.loc[:4, "measured"] = late["assigned"]
    with pytest.raises(ArgumentError, match="at or after assignment") as refusal:
        run(late, **dates)
    assert refusal.value.count == 5
    unknown = made_up()
    unknown.loc[0, "assigned"] = pd.NaT
    with pytest.raises(ArgumentError, match="no moment of assignment"):
        run(unknown, **dates)
    with pytest.raises(ArgumentError, match="holds no moments"):
        run(made_up().assign(measured="some day"), **dates)


def test_outcomes_before_assignment_are_counted(run: Callable[..., Any]) -> None:
    early = made_up()
    early.loc[:2, "bought"] = pd.Timestamp("2026-08-01")
    found = run(early, assigned_at="assigned", outcome_at="bought")
    check = next(check for check in found.checks if check.code == "outcome_before_assignment")
    assert (check.status, check.count) == ("failed", 3)
    assert "causal" in found.verdict[-1].figures or any("outcome_before" in str(f.figures) for f in found.verdict)


def test_moments_with_and_without_a_zone_agree(run: Callable[..., Any]) -> None:
    zoned = made_up().assign(measured=lambda frame: frame["measured"].dt.tz_localize("Asia/Shanghai"))
    zoned["assigned"] = zoned["assigned"].dt.tz_localize("Asia/Shanghai")
    run(zoned, assigned_at="assigned", covariate_at="measured")


def test_a_group_in_two_arms_is_refused(run: Callable[..., Any]) -> None:
    frame = made_up().assign(home=np.arange(N) // 4)
    with pytest.raises(ArgumentError, match="groups hold customers of several arms") as refusal:
        run(frame, cluster="home")
    assert refusal.value.count == N // 4
    frame["arm"] = np.where(frame["home"] % 2, "coupon", "none")
    assert run(frame, cluster="home").units == N // 4


def test_what_frames_hold_is_what_files_hold(run: Callable[..., Any]) -> None:
    frame = made_up()
    odd = frame.assign(
        visit=frame["visit"].astype(bool), spend=frame["spend"].astype("Float64"),
        orders=frame["orders"].astype("int8"), arm=frame["arm"].astype("category"), tier=frame["tier"].astype("string"),
    )  # fmt: skip
    one, other = run(frame), run(odd)
    assert other.control == "none"
    pd.testing.assert_frame_equal(one.tiers, other.tiers, check_dtype=False)
    before = frame.copy()
    run(frame)
    pd.testing.assert_frame_equal(frame, before)
