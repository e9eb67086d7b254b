"""Pages on experiments: what they say at every stage, in both languages, and what a published page keeps to itself."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders import laid_out
from toolkit.errors import ArgumentError, Check
from toolkit.report import experiments, plan_tables, planning, trial_story, trial_tables, trialling
from toolkit.report.experiments import Promise, Recipe
from toolkit.report.frame import Frame
from toolkit.report.outlook import Reason
from toolkit.report.page import Page
from toolkit.report.results import TOKEN_VARIABLE, plain
from toolkit.report.small_cells import Mark
from toolkit.report.trial_cells import WHOLE, arm_counts, publishable
from toolkit.report.trial_ratio import assigned_so_far
from toolkit.report.trial_words import Names
from toolkit.report.trialling import Trial
from toolkit.report.words import Language
from toolkit.report.words_trial_names import CHECKS
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.finding import Finding
from toolkit.strategy.plan import Plan, plan_experiment
from toolkit.strategy.sample_ratio import SampleRatio
from toolkit.strategy.verdict import verdict

LANGUAGES = get_args(Language)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
SPEC_FILE = """\
experiment: {name}
question: Does a coupon bring people to order?
arms: {{none: 0.5, coupon: 0.5}}
control: none
tier: stage
assigned: {{first: {first}, last: {last}}}
window_days: 28
primary: bought
metrics: {{bought: {{kind: proportion, of: orders}}}}
smallest_effect: 0.05
"""


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=1_500, seed=7)


@pytest.fixture(autouse=True)
def _own_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def shop(**settings: Any) -> tk.Study:
    days = pd.date_range("2026-01-01", periods=40, freq="D").astype(str)
    orders = pd.DataFrame({"customer_id": [f"C{n:03}" for n in range(40)], "ordered_at": days, "amount": 10.0})
    return tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY", **settings)


def names_of(promise: Experiment | None = None, language: Language = "en", min_cell: int = 0) -> Names:
    return Names(promise or laid_out.spec(), Frame("2026-10-31", 365, language, "CNY", min_cell))


def told(changed: dict[str, Any] | None = None, *, promise: Experiment | None = None) -> Any:
    result = laid_out.evaluation(promise, **(changed or {}))
    return replace(result, verdict=verdict(result, window_days=28, currency="CNY"))


def html(shown: object) -> str:
    return str(shown._repr_html_())  # type: ignore[attr-defined]  # what a notebook asks of it


# which experiment


def test_a_study_without_experiments_is_told_what_to_write(tmp_path: Path) -> None:
    study = shop()
    page = Page(study, "2026-03-31")
    recipe = experiments.listing(study, page)
    assert isinstance(recipe, Recipe)
    assert [name for name, _ in recipe.files] == ["study.yaml", "coupon.yaml"]
    (tmp_path / "coupon.yaml").write_text(recipe.files[1][1], "utf-8")
    assert Experiment.open(tmp_path / "coupon.yaml").experiment == "coupon"
    assert "<pre>experiments: [coupon.yaml]</pre>" in html(recipe)
    for cells in (planning, trialling):
        looked = cells.look(study, page)
        story = cells.plan_story if cells is planning else cells.trial_story
        assert repr(story(looked, page)) == "This study has no experiment yet."
        assert plain(cells.recorded(looked)) == {"experiment": None}
    assert planning.power(planning.look(study, page), page) is None
    assert trialling.known(trialling.look(study, page), page) is None


def write(folder: Path, name: str, first: str, last: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(SPEC_FILE.format(name=name, first=first, last=last), "utf-8")
    return path


def test_the_last_experiment_is_shown_and_all_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = {
        "may": ("2026-05-01", "2026-05-07"),
        "june": ("2026-06-01", "2026-06-07"),
        "july": ("2026-07-01", "2026-07-02"),
    }
    paths = tuple(write(tmp_path, name, *days[name]) for name in ("july", "may", "june"))
    study = shop()
    monkeypatch.setattr(type(study), "experiments", property(lambda _: paths))
    page = Page(study, "2026-06-15")
    shown = {begun: experiments.promised(study, page, begun=begun) for begun in (False, True)}
    assert {begun: found.spec.experiment for begun, found in shown.items() if found} == {False: "july", True: "june"}
    table = experiments.listing(study, page)
    assert table is not None
    assert re.findall(r"(may|june|july).*(closed|running|not begun)", repr(table)) == [
        ("may", "closed"), ("june", "running"), ("july", "not begun"),
    ]  # fmt: skip
    named = experiments.promised(study, page, "may")
    assert named is not None
    assert named.state == "closed"
    with pytest.raises(ArgumentError, match=r"no experiment .mai..*.may."):
        experiments.promised(study, page, "mai")


@pytest.mark.parametrize(
    ("day", "state"),
    [("2026-08-22", "planned"), ("2026-08-23", "running"), ("2026-09-25", "running"), ("2026-09-26", "closed")],
)
def test_a_state_begins_with_its_first_day(day: str, state: str) -> None:
    assert experiments.state_of(laid_out.spec(), date.fromisoformat(day)) == state


def test_a_plan_counts_from_the_day_it_was_written_as_of(
    demo: tk.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkin.yaml"
    path.write_text(Path(demo.experiments[0]).read_text("utf-8"), "utf-8")
    spec = Experiment.open(path)
    tk_plan = plan_experiment(demo, spec, simulations=100)
    tk_plan.write(path.with_name("checkin.plan.yaml"))
    monkeypatch.setattr(type(demo), "experiments", property(lambda _: (path,)))
    for day, written in (("2026-08-21", False), ("2026-08-22", True), ("2026-10-31", True)):
        page = Page(demo, day)
        outset = planning.look(demo, page)
        assert outset.promise is not None
        assert (outset.promise.plan is not None) == written
        assert (planning.plan_missing(outset, page) is None) == written
        assert isinstance(outset.plan, Plan)
        assert outset.plan.as_of == min(day, "2026-08-22")
        assert "Entry product" in repr(planning.by_tier(outset, page))
        assert "plan" not in repr(planning.checks(outset, page))
    path.write_text(path.read_text("utf-8").replace("smallest_effect: 0.03", "smallest_effect: 0.02"), "utf-8")
    changed = planning.look(demo, Page(demo, "2026-10-31"))
    assert "not the one that was planned" in repr(planning.checks(changed, Page(demo, "2026-10-31")))


# the whole way, on the demo


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demo_is_evaluated_in_both_languages(demo: tk.Study, language: Language) -> None:
    page = Page(demo, "2026-10-31", language)
    trial = trialling.look(demo, page)
    shown = [
        trialling.trial_story(trial, page), trialling.ratio_table(trial, page), trialling.ratio_note(trial, page),
        trialling.checks(trial, page), trialling.known(trial, page), trialling.tiers_table(trial, page),
        trialling.overall_table(trial, page), trialling.other_tiers(trial, page), trialling.guardrails(trial, page),
        trialling.profit(trial, page), trialling.method(trial, page),
    ]  # fmt: skip
    for part in shown:
        assert part is not None
        assert bool(CHINESE.search(repr(part))) == (language == "zh")
        assert not re.search(r"\bnan\b|\{|E-", repr(part))
    if language == "zh":
        assert not re.search(r"\b(the|and|of|which|with)\b", "\n".join(map(repr, shown)))
    assert len(trialling.trial_story(trial, page).figures) <= 6
    recorded = plain(trialling.recorded(trial))
    assert recorded["state"] == "closed"
    assert recorded["sample_ratio"] == "green"
    assert set(recorded["overall"]) == {"cashback"}  # type: ignore[call-overload]  # a dict


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_demo_is_planned_in_both_languages(demo: tk.Study, language: Language) -> None:
    page = Page(demo, "2026-08-10", language)
    outset = planning.look(demo, page)
    shown = [
        planning.plan_story(outset, page), planning.by_tier(outset, page), planning.allocation(outset, page),
        planning.length(outset, page), planning.checks(outset, page), planning.plan_missing(outset, page),
    ]  # fmt: skip
    for part in shown:
        assert bool(CHINESE.search(repr(part))) == (language == "zh")
        assert not re.search(r"\bnan\b|\{|E-", repr(part))
    promise = repr(planning.promise_table(outset, page))
    assert demo.name in promise or "cashback" in promise
    assert plain(planning.recorded(outset))["planned_as_of"] == "2026-08-10"


def test_before_and_while_it_runs_a_page_shows_no_effect(demo: tk.Study) -> None:
    page = Page(demo, "2026-08-10")
    before = trialling.look(demo, page)
    assert "assignment begins on 23 August 2026" in trialling.trial_story(before, page).verdict
    assert trialling.ratio_table(before, page) is None
    for day in ("2026-08-26", "2026-09-21"):
        page = Page(demo, day)
        running = trialling.look(demo, page)
        story = trialling.trial_story(running, page)
        assert "still running" in story.verdict
        assert "26 September 2026" in story.verdict
        assert trialling.ratio_table(running, page) is not None
        assert trialling.tiers_table(running, page) is None
        assert trialling.profit(running, page) is None
        assert trialling.redraws(running, page) is None or "No effect" in repr(trialling.redraws(running, page))
        assert not re.search(r"\bpp\b|raised|lowered", repr(story) + repr(trialling.known(running, page)))


def test_who_was_assigned_so_far_is_counted_by_hand(demo: tk.Study) -> None:
    spec = Experiment.open(demo.experiments[0])
    found = assigned_so_far(demo, spec, date(2026, 8, 26))
    assert found is not None
    rows = demo.assignments(spec.experiment, "2026-08-26")
    counts = rows["arm"].value_counts()
    whole = found.table[found.table["scope"] == "overall"].set_index("arm")
    assert whole["n"].to_dict() == {arm: int(counts[arm]) for arm in spec.arms}
    assert whole["expected"].sum() == pytest.approx(len(rows))
    tiers = found.table[found.table["scope"] == "tier"]
    assert list(dict.fromkeys(tiers["value"])) == ["none", "lead_in", "entry", "premium"]
    assert assigned_so_far(demo, spec, date(2026, 8, 22)) is None
    assert assigned_so_far(shop(), spec, date(2026, 3, 31)) is None


def test_a_broken_ratio_is_said_while_it_runs() -> None:
    table = laid_out.ratio(["control", "cashback"]).assign(p_value=1e-9, p_adjusted=1e-8)
    promise = Promise(laid_out.spec(), Path("cashback.yaml"), "running", None)
    page = Page(shop(), "2026-09-10")
    trial = Trial(promise, Reason("windows_open", {"day": "26 September 2026"}), SampleRatio(table, "red", ()))
    assert trialling.trial_story(trial, page).verdict.startswith("The arms are not of the sizes that were planned")


# what a verdict says


def test_the_first_sentences_name_the_effect_its_interval_and_the_tiers() -> None:
    said = trial_story.first_sentences(told(), names_of())
    assert said.startswith(
        "cashback raised the share with “lesson completed” within 28 days from 30% to 34.1%: +4.1 pp"
    )
    assert "surely higher in Lead-in product (+8.1 pp)" in said.replace("\xa0", " ")
    assert "not known in No purchase yet, Entry product, Premium product" in said


def test_no_cause_is_named_where_a_check_takes_it_away() -> None:
    doubtful = told({"checks": (Check("balance", "failed", "arms differed"),)})
    assert "need not be its doing" in trial_story.first_sentences(doubtful, names_of())
    assert "raised" not in repr(trial_story.points(doubtful, names_of()))
    assert "Arms differed before assignment" in repr(trial_story.points(doubtful, names_of()))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"lift": 0.01, "lower": -0.01, "upper": 0.02, "status": "no_worthwhile_effect"}, "by less than the 3 pp"),
        ({"lift": 0.01, "lower": -0.05, "upper": 0.07, "status": "not_known"}, "is not known"),
        ({"lift": np.nan, "lower": np.nan, "upper": np.nan, "status": "too_few"}, "Nothing can be said"),
        ({"lift": -0.05, "lower": -0.08, "upper": -0.02, "status": "worse", "p_adjusted": 0.001}, "lowered"),
        ({"lift": 0.02, "lower": 0.01, "upper": 0.028, "status": "better", "p_adjusted": 0.001}, "But it is less than"),
        ({"lift": 0.05, "lower": 0.001, "upper": 0.1, "status": "better", "p_adjusted": 0.04}, "evidence is thin"),
    ],
)
def test_every_end_of_an_experiment_has_its_sentence(changed: dict[str, Any], said: str) -> None:
    overall = laid_out.evaluation().overall
    for name, value in changed.items():
        overall.loc[0, name] = value
    result = told({"overall": overall})
    assert said in trial_story.first_sentences(result, names_of())
    assert CHINESE.search(trial_story.first_sentences(result, names_of(language="zh")))


@pytest.mark.parametrize("reason", ["sample_ratio", "peeking"])
def test_withheld_effects_are_nowhere_on_the_page(reason: str) -> None:
    hidden = laid_out.evaluation(withheld=(reason,), sample_ratio_status="red")
    result = replace(hidden, verdict=verdict(hidden, window_days=28))
    promise = Promise(laid_out.spec(), Path("cashback.yaml"), "closed", None)
    page = Page(shop(), "2026-10-31")
    trial = Trial(promise, result, SampleRatio(result.sample_ratio, "red", ()))
    shown = [cell(trial, page) for cell in (
        trialling.trial_story, trialling.known, trialling.forest, trialling.tiers_table, trialling.overall_table,
        trialling.other_tiers, trialling.guardrails, trialling.profit, trialling.redraws, trialling.method,
    )]  # fmt: skip
    assert not re.search(r"\bpp\b|raised|34\.1", "\n".join(map(repr, shown)))
    assert (
        "cashback 2,265 where 2,265 were planned" in repr(shown[0])
        if reason == "sample_ratio"
        else "running" in repr(shown[0])
    )


def test_a_code_that_is_not_known_keeps_its_own_sentence() -> None:
    result = laid_out.evaluation(verdict=(Finding("something_new", "Something new.", {}),))
    assert repr(trial_story.points(result, names_of())) == "- Something new."


def test_several_arms_each_have_their_sentence() -> None:
    promise = laid_out.two_arms()
    said = trial_story.first_sentences(told(promise=promise), names_of(promise))
    assert said.count("cash $5 back") >= 2
    assert "coupon" in said
    table = trial_tables.tiers_table(told(promise=promise), names_of(promise))
    assert repr(table).count("coupon") == 4


# what a published page keeps to itself


def test_tiers_with_few_people_or_few_events_are_hidden_everywhere() -> None:
    sizes = {**laid_out.SIZES, "premium": 8}
    tiers = laid_out.evaluation().tiers
    tiers.loc[tiers["tier"] == "premium", ["n", "control_n"]] = 8
    result = told({"tiers": tiers, "sample_ratio": laid_out.ratio(["control", "cashback"], sizes)})
    names = names_of(min_cell=10)
    shown = publishable(result, frame=names.frame)
    hidden = shown.tiers[shown.tiers["status"] == "hidden"]
    assert set(hidden["tier"]) == {"premium", "none"}  # one alone could be worked out from the others
    assert hidden[["value", "lift", "lower", "p_value", "lift_shrunken"]].isna().to_numpy().all()
    assert set(shown.profit.loc[shown.profit["lift"].isna(), "tier"]) <= {"premium", "none", "lead_in"}
    counts = arm_counts(result.sample_ratio, frame=names.frame)
    assert isinstance(counts.loc["premium", "control"], Mark)
    said = trial_story.first_sentences(shown, names) + repr(trial_story.points(shown, names))
    assert "Premium" not in said
    assert "Entry product" in said


def test_an_analysts_own_page_hides_nothing() -> None:
    result = told()
    assert publishable(result, frame=names_of().frame) is result


def test_a_share_of_few_is_hidden_and_so_is_what_tells_it() -> None:
    overall = laid_out.evaluation().overall
    overall.loc[0, ["value", "control_value"]] = 0.003, 0.05
    shown = publishable(told({"overall": overall}), frame=names_of(min_cell=10).frame)
    row = shown.overall.iloc[0]
    assert row["status"] == "hidden"
    assert np.isnan([row["value"], row["lift"], row["control_value"], row["upper"], row["relative_lift"]]).all()
    assert shown.overall.iloc[1]["status"] != "hidden"
    assert "too few people" in trial_story.first_sentences(shown, names_of(min_cell=10))


def test_a_published_plan_counts_no_few_people() -> None:
    promise = laid_out.spec()
    frames = laid_out.plan_frames(promise)
    frames["tiers"]["units"] = [8, 900, 2_000, 400]
    allocation = pd.DataFrame({"available": [4, 450, 1_000, 200]}, index=frames["tiers"].index)
    allocation = allocation.assign(proportional=allocation["available"], neyman=allocation["available"])
    known: dict[str, Any] = {
        "experiment": "x",
        "as_of": "2026-08-22",
        "spec_sha256": "",
        "seed": 0,
        "days": 35,
        **frames,
    }
    plan = Plan(**known, allocation=allocation, design_effect=1.0, icc=np.nan, weeks_to_fill=0.0, checks=())
    names = names_of(promise, min_cell=10)
    for table in (plan_tables.tiers_table(plan, names), plan_tables.allocation_table(plan, names)):
        text = repr(table)
        assert "<10" in text
        assert "≥10" in text
        assert not re.search(r"(?<![\d,.])(8|4)(?![\d,.%])", text)
    assert "8" in repr(plan_tables.tiers_table(plan, names_of(promise)))


def test_a_published_plan_says_nothing_of_a_tier_where_few_did_it() -> None:
    frames = laid_out.plan_frames()
    frames["tiers"]["baseline"] = [0.3, 0.004, 0.3, 0.0]
    known: dict[str, Any] = {
        "experiment": "x",
        "as_of": "2026-08-22",
        "spec_sha256": "",
        "seed": 0,
        "days": 35,
        **frames,
    }
    plan = Plan(**known, allocation=pd.DataFrame(), design_effect=1.0, icc=np.nan, weeks_to_fill=0.0, checks=())
    lines = repr(plan_tables.tiers_table(plan, names_of(min_cell=10))).splitlines()
    assert re.search(r"Lead-in product +996 +\* +\* ", "\n".join(lines))
    assert re.search(r"Premium product +494 +0% ", "\n".join(lines))
    assert "0.4%" in repr(plan_tables.tiers_table(plan, names_of()))


# names from files


def test_names_from_a_file_stand_as_text() -> None:
    odd = "<b>x</b> & $5$"
    promise = laid_out.spec(arms={"control": 0.5, odd: 0.5}, profit=None, tier="house")
    tiers = {tier: f"<i>{tier}</i>" for tier in laid_out.TIERS}
    result = laid_out.evaluation(promise)
    result = replace(
        result, tiers=result.tiers.assign(tier=result.tiers["tier"].map(tiers)), tier_order=tuple(tiers.values())
    )
    result = replace(result, verdict=verdict(result, window_days=28))
    names = names_of(promise)
    parts = [
        trial_story.points(result, names),
        trial_tables.tiers_table(result, names),
        trial_tables.overall_table(result, names),
    ]
    for part in parts:
        assert not re.search(r"<(b|i)>", html(part))
        assert "&lt;" in html(part)


def test_tiers_have_names_and_unknown_ones_keep_their_own() -> None:
    zh = names_of(language="zh")
    assert [zh.tier(tier) for tier in laid_out.TIERS] == ["未购客户", "引流品客户", "入门品客户", "高价品客户"]
    assert names_of(laid_out.spec(tier="stage"), "zh").tier("dormancy") == "休眠期"
    assert names_of(laid_out.spec(tier="segment")).tier("VIP") == "VIP"
    assert names_of(laid_out.spec(tier="house")).tier("$ all") == "$ all"
    assert names_of(laid_out.spec(tier="stage"), "zh").tier("none") == "无层级"
    assert names_of(laid_out.spec(tier="layer")).tier("none") == "None"
    assert names_of(laid_out.spec(tier="house"), "zh").tier("total") == "total"


def test_a_tier_and_an_arm_may_be_called_total() -> None:
    table = laid_out.ratio(["total", "cashback"], {"total": 30, "other": 7})
    counts = arm_counts(table, frame=names_of().frame)
    assert list(counts.loc["total"]) == [30, 30, 60]
    assert list(counts.loc[WHOLE]) == [37, 37, 74]
    promise = laid_out.spec(arms={"total": 0.5, "cashback": 0.5}, control="total", tier="house", profit=None)
    assert repr(trial_tables.ratio_table(table, counts, names_of(promise))).count("total") == 3


@pytest.mark.parametrize(
    ("metric", "en", "zh"),
    [
        ({"kind": "proportion", "of": "orders"}, "share with orders within 28 days", "28 天内有订单的占比"),
        ({"kind": "mean", "of": "spend"}, "mean spend within 28 days", "28 天内人均净消费"),
        (
            {"kind": "ratio", "of": "spend", "per": "orders"},
            "spend per order within 28 days",
            "28 天内每笔订单的净消费",
        ),
        (
            {"kind": "retention", "of": "active_days", "days": [7, 14]},
            "share with active days on days 7 to 14",
            "第 7–14 天有活跃天数的占比",
        ),
    ],
)
def test_a_metric_is_described_in_words(metric: dict[str, Any], en: str, zh: str) -> None:
    promise = laid_out.spec(metrics={"completed": metric, "paid": {"kind": "mean", "of": "spend"}}, profit=None)
    assert names_of(promise).describe("completed") == en
    assert names_of(promise, "zh").describe("completed") == zh


def test_money_is_written_as_money_and_shares_as_points() -> None:
    names = names_of()
    assert names.scale("paid").lift(-3.5) == "−¥3.50"
    assert names.scale("completed").lift(-0.035) == "−3.5 pp"
    assert names.scale("completed").lift(0.0) == "±0.0 pp"
    assert names.scale("completed").lift(float("nan")) == "–"


def test_checks_are_named_failed_first_and_passed_ones_left_out() -> None:
    checks = [
        Check("no_plan", "informational", "no plan"),
        Check("two_arms", "failed", "two", 7),
        Check("sample_ratio", "passed", "fine", 4_530, "green"),
        Check("brand_new", "informational", "new"),
    ]
    text = repr(trial_tables.trial_checks(checks, names_of(min_cell=10), frame=names_of(min_cell=10).frame))
    lines = text.splitlines()[1:]
    assert "In two arms" in lines[0]
    assert "<10" in lines[0]
    assert any("brand_new" in line for line in lines)
    assert len(lines) == 3


def test_every_check_of_the_strategy_room_has_a_name() -> None:
    room = Path(trial_tables.__file__).parent.parent / "strategy"
    texts = "".join(path.read_text("utf-8") for path in room.glob("*.py"))
    said = set(re.findall(r"Check\(\s*\"([a-z_]+)\"", texts))
    assert {"sample_ratio", "balance", "no_plan"} <= said
    assert said <= set(CHECKS), said - set(CHECKS)
