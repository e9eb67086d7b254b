"""Hostile units for `evaluate_units`, as a frame and as a file: refused with their count, or counted and told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.trials import check
from toolkit.errors import ArgumentError
from toolkit.strategy.experiment import Profit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

N = 400
ASKED: dict[str, Any] = {
    "arm": "arm", "control": "none", "tier": "tier", "covariates": {"spend": "before"}, "test": "welch",
    "metrics": {"spend": "mean", "visit": "proportion", "per": ("spend", "orders")},
}  # fmt: skip


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
        units: Any = frame
        if request.param == "file":
            units = tmp_path / "units.parquet"
            frame.to_parquet(units, row_group_size=90)
        return tk.evaluate_units(units, **(ASKED | options))

    return evaluated


def put(column: str, values: Any, rows: Any = slice(0, 2)) -> pd.DataFrame:
    frame = made_up()
    frame[column] = frame[column].astype(object)
    frame.loc[frame.index[rows], column] = values
    return frame.infer_objects()


def refusal(run: Callable[..., Any], frame: pd.DataFrame, **options: Any) -> ArgumentError:
    with pytest.raises(ArgumentError, match=r"Try:") as found:
        run(frame, **options)
    return found.value


MISSING = [
    (put("arm", None), "arm", 2),
    (put("tier", None), "tier", 2),
    (put("spend", np.nan), "spend", 2),
    (put("visit", np.nan, slice(0, 7)), "visit", 7),
    (put("before", np.nan, [N - 1]), "before", 1),
    (put("spend", np.inf, [5]), "spend", 1),
    (put("spend", -np.inf, [5, N - 2]), "spend", 2),
    (put("spend", [np.inf, -np.inf]), "spend", 2),
    (put("orders", np.nan), "orders", 2),
]


def test_nobody_is_left_out_silently(run: Callable[..., Any]) -> None:
    for frame, column, count in MISSING:
        found = refusal(run, frame)
        assert (found.code, found.count) == ("units-missing", count), column
        assert re.search(f"column {column}.*left out silently", str(found))


OTHERWISE = [
    (put("visit", 2), "units-share", "column visit: .*0 and 1 .n=2"),
    (put("visit", 0.5, [3]), "units-share", "n=1"),
    (put("orders", -1), "units-denominator", "column orders: .*negative .n=2"),
    (put("spend", "12 yuan", slice(None)), "units-number", "column spend: holds"),
    (made_up().assign(spend=pd.Timestamp("2026-01-01")), "units-number", "to_numeric"),
    (made_up().iloc[:0], "units-empty", "no units"),
    (made_up().assign(arm="none"), "one-arm", "one arm only.*control included"),
    (made_up().assign(arm=np.arange(N).astype(str)), "units-column", "more than 64 different values"),
    (
        pd.concat([made_up()] * 3, ignore_index=True).assign(tier=np.arange(3 * N).astype(str)),
        "units-column", "more than 1,000 different values",
    ),
    (made_up().assign(tier="same", arm="coupon"), "control", "control 'none' is no arm"),
    (made_up().drop(columns="spend"), "units-column", "no column 'spend'"),
    (made_up().drop(columns="before").assign(befor=1), "units-column", "befor"),
]  # fmt: skip


@pytest.mark.fault(106)
def test_columns_that_hold_something_else(run: Callable[..., Any]) -> None:
    """One arm alone, before and after, is no experiment."""
    for frame, code, said in OTHERWISE:
        found = refusal(run, frame)
        assert found.code == code, said
        assert re.search(said, str(found))


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
]


def test_options_that_mean_nothing(run: Callable[..., Any]) -> None:
    for options, said in OPTIONS:
        assert re.search(said, str(refusal(run, made_up(), **options))), options


def test_units_that_are_no_units(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("arm,spend\nnone,1\n")
    twice = made_up()
    twice.columns = ["arm", "spend", "before", "spend", *twice.columns[4:]]
    units: list[tuple[Any, str]] = [
        ([1, 2], "neither a frame nor the path"),
        (tmp_path / "nowhere.parquet", "no Parquet file"),
        (str(tmp_path / "text.parquet"), "no Parquet file"),
        (twice, "two columns are called 'spend'"),
    ]
    for each, said in units:
        with pytest.raises(ArgumentError, match=said):
            tk.evaluate_units(each, arm="arm", control="none", metrics={"spend": "mean"})


@pytest.mark.fault(96, 98)
def test_a_customer_in_several_rows_is_left_out_and_counted(run: Callable[..., Any]) -> None:
    """Up to 1 %; more are orders in the place of customers."""
    frame = made_up().assign(customer_id=[f"C{number}" for number in range(N)])
    clean = run(frame.drop(index=[6, 7, 8]))
    assert check(clean, "repeated_units").status == "passed"
    frame.loc[7, "customer_id"] = frame.loc[6, "customer_id"]  # stands in both arms
    frame.loc[8, "customer_id"] = frame.loc[6, "customer_id"]
    found = run(frame)
    told = check(found, "repeated_units")
    assert (told.status, told.count, found.units) == ("failed", 1, N - 3)
    assert "C6" not in told.message
    pd.testing.assert_frame_equal(found.overall, clean.overall)
    frame.loc[range(20, 40), "customer_id"] = [f"C{number}" for number in range(40, 60)]
    many = refusal(run, frame)
    assert many.count == 21
    assert "more than 1%" in str(many)
    assert "one row per customer" in str(refusal(run, made_up().assign(customer_id=np.arange(N) // 4)))


def test_an_index_with_a_name_is_an_id_and_one_without_is_not() -> None:
    asked: dict[str, Any] = {"arm": "arm", "control": "none", "metrics": {"spend": "mean"}}
    halves = pd.concat([made_up().iloc[:200], made_up().iloc[200:].reset_index(drop=True)])
    assert tk.evaluate_units(halves, **asked).units == N
    with pytest.raises(ArgumentError, match="several rows"):
        tk.evaluate_units(halves.rename_axis("customer_id"), **asked)
    named = made_up().rename_axis("customer_id")
    assert check(tk.evaluate_units(named, **asked), "repeated_units").status == "passed"
    named.index = pd.Index([0, 0, *range(2, N)], name="customer_id")
    assert tk.evaluate_units(named, **asked).units == N - 2


@pytest.mark.fault(97, 102)
def test_covariates_and_outcomes_are_dated_beside_the_assignment(run: Callable[..., Any]) -> None:
    dates: dict[str, Any] = {"assigned_at": "assigned", "covariate_at": "measured", "outcome_at": "bought"}
    clean = run(made_up(), **dates)
    for code in ("covariate_before_assignment", "outcome_before_assignment"):
        assert check(clean, code).status == "passed"
    late, unknown, early = made_up(), made_up(), made_up()
    late.loc[:4, "measured"] = late["assigned"]
    unknown.loc[0, "assigned"] = pd.NaT
    early.loc[:2, "bought"] = pd.Timestamp("2026-08-01")
    early.loc[3, "bought"] = early.loc[3, "assigned"]
    refused = refusal(run, late, **dates)
    assert refused.count == 5
    assert "at or after assignment" in str(refused)
    assert "no moment of assignment" in str(refusal(run, unknown, **dates))
    assert "holds no moments" in str(refusal(run, made_up().assign(measured="some day"), **dates))
    found = run(early, **dates)
    told = check(found, "outcome_before_assignment")
    assert (told.status, told.count) == ("failed", 3)
    assert found.verdict[0].figures["codes"] == ["outcome_before_assignment"]
    assert next(each for each in found.verdict if each.code == "overall").figures["causal"] is False
    zoned = made_up().assign(measured=lambda frame: frame["measured"].dt.tz_localize("Asia/Shanghai"))
    zoned["assigned"] = zoned["assigned"].dt.tz_localize("Asia/Shanghai")
    run(zoned, assigned_at="assigned", covariate_at="measured")


def test_a_group_in_two_arms_is_refused(run: Callable[..., Any]) -> None:
    frame = made_up().assign(home=np.arange(N) // 4)
    found = refusal(run, frame, cluster="home")
    assert found.count == N // 4
    assert "groups hold customers of several arms" in str(found)
    frame["arm"] = np.where(frame["home"] % 2, "coupon", "none")
    assert run(frame, cluster="home").units == N // 4


def test_what_frames_hold_is_what_files_hold(run: Callable[..., Any]) -> None:
    frame = made_up()
    odd = frame.assign(
        visit=frame["visit"].astype(bool), spend=frame["spend"].astype("Float64"),
        orders=frame["orders"].astype("int8"), arm=frame["arm"].astype("category"), tier=frame["tier"].astype("string"),
    )  # fmt: skip
    before = frame.copy()
    one, other = run(frame), run(odd)
    assert other.control == "none"
    pd.testing.assert_frame_equal(one.tiers, other.tiers, check_dtype=False)
    pd.testing.assert_frame_equal(frame, before)
