"""Pages on experiments: what they say at every stage, in both languages, and what a published page keeps to itself."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders import laid_out
from tests.builders.pictures import LANGUAGES, demo, figures, names_of
from toolkit.errors import ArgumentError, Check
from toolkit.report import experiments, plan_tables, planning, trial_story, trial_tables, trialling
from toolkit.report.experiments import Promise, Recipe
from toolkit.report.outlook import Reason
from toolkit.report.page import Page
from toolkit.report.results import plain
from toolkit.report.small_cells import Mark
from toolkit.report.trial_cells import WHOLE, arm_counts, publishable
from toolkit.report.trial_ratio import assigned_so_far
from toolkit.report.trialling import Trial
from toolkit.strategy.experiment import Experiment
from toolkit.strategy.finding import Finding
from toolkit.strategy.plan import Plan, plan_experiment
from toolkit.strategy.sample_ratio import SampleRatio

if TYPE_CHECKING:
    from collections.abc import Iterable

    from toolkit.report.words import Language

pytestmark = [pytest.mark.usefixtures("own_notebook"), pytest.mark.xdist_group("pictures")]
CHINESE = re.compile(r"[\u4e00-\u9fff]")
EFFECT = re.compile(r"\bpp\b|raised|lowered|34\.1")
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
def shop() -> tk.Study:
    days = pd.date_range("2026-01-01", periods=40, freq="D").astype(str)
    orders = pd.DataFrame({"customer_id": [f"C{n:03}" for n in range(40)], "ordered_at": days, "amount": 10.0})
    return tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")


def html(shown: object) -> str:
    return str(shown._repr_html_())  # type: ignore[attr-defined]  # what a notebook asks of it


def in_its_language(parts: Iterable[object], language: Language) -> None:
    """Demand that every part is there, in words of the language only, without a hole or a raw number."""
    for part in parts:
        assert part is not None
        assert bool(CHINESE.search(repr(part))) == (language == "zh")
        assert not re.search(r"\bnan\b|\{|E-", repr(part))
        assert language == "en" or not re.search(r"\b(the|and|of|which|with)\b", repr(part))


# which experiment, and when


def test_a_study_without_experiments_is_told_what_to_write(shop: tk.Study, tmp_path: Path) -> None:
    page = Page(shop, "2026-03-31")
    recipe = experiments.listing(shop, page)
    assert isinstance(recipe, Recipe)
    assert [name for name, _ in recipe.files] == ["study.yaml", "coupon.yaml"]
    (tmp_path / "coupon.yaml").write_text(recipe.files[1][1], "utf-8")
    assert Experiment.open(tmp_path / "coupon.yaml").experiment == "coupon"
    assert "<pre>experiments: [coupon.yaml]</pre>" in html(recipe)
    outset, trial = planning.look(shop, page), trialling.look(shop, page)
    told = {repr(planning.plan_story(outset, page)), repr(trialling.trial_story(trial, page))}
    assert told == {"This study has no experiment yet."}
    assert plain(planning.recorded(outset)) == plain(trialling.recorded(trial)) == {"experiment": None}
    assert planning.power(outset, page) is None
    assert trialling.known(trial, page) is None


def test_the_last_experiment_is_shown_and_all_are_listed(
    shop: tk.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = {
        "july": ("2026-07-01", "2026-07-02"), "may": ("2026-05-01", "2026-05-07"), "june": ("2026-06-01", "2026-06-07"),
    }  # fmt: skip
    for name, (first, last) in days.items():
        (tmp_path / f"{name}.yaml").write_text(SPEC_FILE.format(name=name, first=first, last=last), "utf-8")
    paths = tuple(tmp_path / f"{name}.yaml" for name in days)
    monkeypatch.setattr(type(shop), "experiments", property(lambda _: paths))
    page = Page(shop, "2026-06-15")
    shown = {begun: experiments.promised(shop, page, begun=begun) for begun in (False, True)}
    assert {begun: found.spec.experiment for begun, found in shown.items() if found} == {False: "july", True: "june"}
    assert re.findall(r"(may|june|july).*(closed|running|not begun)", repr(experiments.listing(shop, page))) == [
        ("may", "closed"), ("june", "running"), ("july", "not begun"),
    ]  # fmt: skip
    named = experiments.promised(shop, page, "may")
    assert named is not None
    assert named.state == "closed"
    with pytest.raises(ArgumentError, match=r"no experiment .mai..*.may."):
        experiments.promised(shop, page, "mai")


def test_a_state_begins_with_its_first_day() -> None:
    states = {"2026-08-22": "planned", "2026-08-23": "running", "2026-09-25": "running", "2026-09-26": "closed"}
    assert {day: experiments.state_of(laid_out.spec(), date.fromisoformat(day)) for day in states} == states


def test_a_plan_counts_from_the_day_it_was_written_as_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkin.yaml"
    path.write_text(Path(demo().experiments[0]).read_text("utf-8"), "utf-8")
    plan_experiment(demo(), Experiment.open(path), simulations=100).write(path.with_name("checkin.plan.yaml"))
    monkeypatch.setattr(type(demo()), "experiments", property(lambda _: (path,)))
    for day, written in (("2026-08-21", False), ("2026-08-22", True), ("2026-10-31", True)):
        page = Page(demo(), day)
        outset = planning.look(demo(), page)
        assert outset.promise is not None
        assert (outset.promise.plan is not None) == written
        assert (planning.plan_missing(outset, page) is None) == written
        assert isinstance(outset.plan, Plan)
        assert outset.plan.as_of == min(day, "2026-08-22")
        assert "Entry product" in repr(planning.by_tier(outset, page))
        assert "plan" not in repr(planning.checks(outset, page))
    path.write_text(path.read_text("utf-8").replace("smallest_effect: 0.03", "smallest_effect: 0.02"), "utf-8")
    changed = planning.look(demo(), Page(demo(), "2026-10-31"))
    assert "not the one that was planned" in repr(planning.checks(changed, Page(demo(), "2026-10-31")))


# the whole way, on the demo


def test_the_demo_is_evaluated_in_both_languages() -> None:
    trial = trialling.look(demo(), Page(demo(), "2026-10-31"))
    for language in LANGUAGES:
        page = Page(demo(), "2026-10-31", language)
        shown = [
            trialling.trial_story(trial, page), trialling.ratio_table(trial, page), trialling.ratio_note(trial, page),
            trialling.checks(trial, page), trialling.known(trial, page), trialling.tiers_table(trial, page),
            trialling.overall_table(trial, page), trialling.other_tiers(trial, page),
            trialling.guardrails(trial, page), trialling.profit(trial, page), trialling.method(trial, page),
        ]  # fmt: skip
        in_its_language(shown, language)
        assert len(trialling.trial_story(trial, page).figures) <= 6
    recorded = plain(trialling.recorded(trial))
    assert recorded["state"] == "closed"
    assert recorded["sample_ratio"] == "green"
    assert set(recorded["overall"]) == {"cashback"}  # type: ignore[call-overload]  # a dict


def test_the_demo_is_planned_in_both_languages() -> None:
    outset = planning.look(demo(), Page(demo(), "2026-08-10"))
    for language in LANGUAGES:
        page = Page(demo(), "2026-08-10", language)
        shown = [
            planning.plan_story(outset, page), planning.by_tier(outset, page), planning.allocation(outset, page),
            planning.length(outset, page), planning.checks(outset, page), planning.plan_missing(outset, page),
        ]  # fmt: skip
        in_its_language(shown, language)
        assert "cashback" in repr(planning.promise_table(outset, page))
    assert plain(planning.recorded(outset))["planned_as_of"] == "2026-08-10"


@pytest.mark.fault(104)
def test_before_and_while_it_runs_a_page_shows_no_effect() -> None:
    page = Page(demo(), "2026-08-10")
    before = trialling.look(demo(), page)
    assert "23 August 2026" in trialling.trial_story(before, page).verdict
    assert trialling.ratio_table(before, page) is None
    for day in ("2026-08-26", "2026-09-21"):
        page = Page(demo(), day)
        running = trialling.look(demo(), page)
        story = trialling.trial_story(running, page)
        assert "still running" in story.verdict
        assert "26 September 2026" in story.verdict
        assert trialling.ratio_table(running, page) is not None
        assert trialling.tiers_table(running, page) is None
        assert trialling.profit(running, page) is None
        assert trialling.redraws(running, page) is None or "No effect" in repr(trialling.redraws(running, page))
        assert not EFFECT.search(repr(story) + repr(trialling.known(running, page)))


def test_who_was_assigned_so_far_is_counted_by_hand(shop: tk.Study) -> None:
    spec = Experiment.open(demo().experiments[0])
    found = assigned_so_far(demo(), spec, date(2026, 8, 26))
    assert found is not None
    rows = demo().assignments(spec.experiment, "2026-08-26")
    counts = rows["arm"].value_counts()
    whole = found.table[found.table["scope"] == "overall"].set_index("arm")
    assert whole["n"].to_dict() == {arm: int(counts[arm]) for arm in spec.arms}
    assert whole["expected"].sum() == pytest.approx(len(rows))
    tiers = found.table[found.table["scope"] == "tier"]
    assert list(dict.fromkeys(tiers["value"])) == ["none", "lead_in", "entry", "premium"]
    assert assigned_so_far(demo(), spec, date(2026, 8, 22)) is None
    assert assigned_so_far(shop, spec, date(2026, 3, 31)) is None


@pytest.mark.fault(95)
def test_a_broken_ratio_is_said_while_it_runs(shop: tk.Study) -> None:
    table = laid_out.ratio(["control", "cashback"]).assign(p_value=1e-9, p_adjusted=1e-8)
    promise = Promise(laid_out.spec(), Path("cashback.yaml"), "running", None)
    trial = Trial(promise, Reason("windows_open", {"day": "26 September 2026"}), SampleRatio(table, "red", ()))
    said = trialling.trial_story(trial, Page(shop, "2026-09-10")).verdict
    assert said.startswith("The arms are not of the sizes that were planned")


# what a verdict says first


def test_the_first_sentences_name_the_effect_its_interval_and_the_tiers() -> None:
    """The figures of every sentence are told beside the verdict of strategy."""
    for language in LANGUAGES:
        names = names_of(language=language)
        said = trial_story.first_sentences(laid_out.evaluation(), names).replace("\xa0", " ")
        for figure in ("30%", "34.1%", "+4.1 pp" if language == "en" else "+4.1", "95%", "+8.1"):
            assert figure in said
        assert [said.index(names.tier(tier)) for tier in ("lead_in", "none", "entry", "premium")] == sorted(
            said.index(names.tier(tier)) for tier in laid_out.TIERS
        )
    doubtful = laid_out.evaluation(checks=(Check("balance", "failed", "arms differed"),))
    assert not EFFECT.search(trial_story.first_sentences(doubtful, names_of()).replace("pp", "").replace("34.1", ""))
    assert "Arms differed before assignment" in repr(trial_story.points(doubtful, names_of()))


def test_several_arms_each_have_their_sentence_and_rows() -> None:
    promise = laid_out.two_arms()
    said = trial_story.first_sentences(laid_out.evaluation(promise), names_of(promise))
    assert said.count("cash $5 back") >= 2
    assert "coupon" in said
    assert repr(trial_tables.tiers_table(laid_out.evaluation(promise), names_of(promise))).count("coupon") == 4


def test_a_code_that_is_not_known_keeps_its_own_sentence() -> None:
    result = laid_out.evaluation(write_verdict=lambda _: (Finding("something_new", "Something new.", {}),))
    assert repr(trial_story.points(result, names_of())) == "- Something new."


@pytest.mark.fault(95, 104)
@pytest.mark.parametrize("reason", ["sample_ratio", "peeking"])
def test_withheld_effects_are_nowhere_on_the_page(shop: tk.Study, reason: str) -> None:
    result = laid_out.evaluation(withheld=(reason,), sample_ratio_status="red")
    promise = Promise(laid_out.spec(), Path("cashback.yaml"), "closed", None)
    page = Page(shop, "2026-10-31")
    trial = Trial(promise, result, SampleRatio(result.sample_ratio, "red", ()))
    shown = [cell(trial, page) for cell in (
        trialling.trial_story, trialling.known, trialling.forest, trialling.tiers_table, trialling.overall_table,
        trialling.other_tiers, trialling.guardrails, trialling.profit, trialling.redraws, trialling.method,
    )]  # fmt: skip
    assert not EFFECT.search("\n".join(map(repr, shown)))
    assert ("2,265 where 2,265" if reason == "sample_ratio" else "running") in repr(shown[0])


# what a published page keeps to itself


@pytest.mark.fault(134)
def test_tiers_with_few_people_or_few_events_are_hidden_everywhere() -> None:
    tiers = laid_out.evaluation().tiers
    tiers.loc[tiers["tier"] == "premium", ["n", "control_n"]] = 8
    ratio = laid_out.ratio(["control", "cashback"], {**laid_out.SIZES, "premium": 8})
    result = laid_out.evaluation(tiers=tiers, sample_ratio=ratio)
    names = names_of(min_cell=10)
    shown = publishable(result, frame=names.frame)
    assert shown.verdict == result.verdict
    hidden = shown.tiers[shown.tiers["status"] == "hidden"]
    assert set(hidden["tier"]) == {"premium", "none"}  # one alone could be worked out from the others
    assert hidden[["value", "lift", "lower", "p_value", "lift_shrunken"]].isna().to_numpy().all()
    assert set(shown.profit.loc[shown.profit["lift"].isna(), "tier"]) <= {"premium", "none", "lead_in"}
    assert isinstance(arm_counts(result.sample_ratio, frame=names.frame).loc["premium", "control"], Mark)
    said = trial_story.first_sentences(shown, names) + repr(trial_story.points(shown, names))
    assert "Premium" not in said
    assert "Entry product" in said
    assert publishable(result, frame=names_of().frame) is result


@pytest.mark.fault(134)
def test_a_share_of_few_is_hidden_and_so_is_what_tells_it() -> None:
    overall = laid_out.evaluation().overall
    overall.loc[0, ["value", "control_value"]] = 0.003, 0.05
    shown = publishable(laid_out.evaluation(overall=overall), frame=names_of(min_cell=10).frame)
    row = shown.overall.iloc[0]
    assert row["status"] == "hidden"
    assert np.isnan([row["value"], row["lift"], row["control_value"], row["upper"], row["relative_lift"]]).all()
    assert shown.overall.iloc[1]["status"] != "hidden"
    assert "too few people" in trial_story.first_sentences(shown, names_of(min_cell=10))
    for share in (0.01, 0.99):  # some 5 of 498 did it, or did not
        tiers = laid_out.evaluation().tiers
        tiers.loc[tiers["tier"] == "lead_in", "control_value"] = share
        rare = publishable(laid_out.evaluation(tiers=tiers), frame=names_of(min_cell=10).frame).tiers
        assert set(rare.loc[rare["status"] == "hidden", "tier"]) == {"lead_in", "premium"}  # the smallest other


@pytest.mark.fault(134)
def test_a_published_plan_counts_no_few_people_and_says_nothing_where_few_did_it() -> None:
    frames = laid_out.plan_frames()
    tiers = frames["tiers"].assign(units=[8, 900, 2_000, 400])
    allocation = pd.DataFrame({"available": [4, 450, 1_000, 200]}, index=tiers.index)
    allocation = allocation.assign(proportional=allocation["available"], neyman=allocation["available"])
    few = laid_out.plan(tiers=tiers, allocation=allocation)
    published = names_of(min_cell=10)
    for table in (plan_tables.tiers_table(few, published), plan_tables.allocation_table(few, published)):
        text = repr(table)
        assert "<10" in text
        assert "≥10" in text
        assert not re.search(r"(?<![\d,.])(8|4)(?![\d,.%])", text)
    assert "8" in repr(plan_tables.tiers_table(few, names_of()))
    rare = laid_out.plan(tiers=frames["tiers"].assign(baseline=[0.3, 0.004, 0.3, 0.0]))
    lines = repr(plan_tables.tiers_table(rare, published))
    assert re.search(r"Lead-in product +996 +\* +\* ", lines)
    assert re.search(r"Premium product +494 +0% ", lines)
    assert "0.4%" in repr(plan_tables.tiers_table(rare, names_of()))


# names and figures


@pytest.mark.fault(138)
def test_names_from_a_file_stand_as_text() -> None:
    odd = "<b>x</b> & $5$"
    promise = laid_out.spec(arms={"control": 0.5, odd: 0.5}, profit=None, tier="house")
    tiers = {tier: f"<i>{tier}</i>" for tier in laid_out.TIERS}
    table = laid_out.evaluation(promise).tiers
    result = laid_out.evaluation(
        promise, tiers=table.assign(tier=table["tier"].map(tiers)), tier_order=tuple(tiers.values())
    )
    names = names_of(promise)
    for part in (
        trial_story.points(result, names), trial_tables.tiers_table(result, names),
        trial_tables.overall_table(result, names),
    ):  # fmt: skip
        assert not re.search(r"<(b|i)>", html(part))
        assert "&lt;" in html(part)


def test_tiers_have_names_and_unknown_ones_keep_their_own() -> None:
    zh = names_of(language="zh")
    assert [zh.tier(tier) for tier in laid_out.TIERS] == ["未购客户", "引流品客户", "入门品客户", "高价品客户"]
    named = {
        ("stage", "zh", "dormancy"): "休眠期", ("segment", "en", "VIP"): "VIP", ("house", "en", "$ all"): "$ all",
        ("stage", "zh", "none"): "无层级", ("layer", "en", "none"): "None", ("house", "zh", "total"): "total",
    }  # fmt: skip
    found = {key: names_of(laid_out.spec(tier=key[0]), key[1]).tier(key[2]) for key in named}  # type: ignore[arg-type]  # languages
    assert found == named


def test_a_tier_and_an_arm_may_be_called_total() -> None:
    table = laid_out.ratio(["total", "cashback"], {"total": 30, "other": 7})
    counts = arm_counts(table, frame=names_of().frame)
    assert list(counts.loc["total"]) == [30, 30, 60]
    assert list(counts.loc[WHOLE]) == [37, 37, 74]
    promise = laid_out.spec(arms={"total": 0.5, "cashback": 0.5}, control="total", tier="house", profit=None)
    assert repr(trial_tables.ratio_table(table, counts, names_of(promise))).count("total") == 3


def test_a_metric_is_described_by_what_and_when() -> None:
    metrics: dict[str, dict[str, Any]] = {
        "share": {"kind": "proportion", "of": "orders"}, "mean": {"kind": "mean", "of": "spend"},
        "ratio": {"kind": "ratio", "of": "spend", "per": "orders"},
        "later": {"kind": "retention", "of": "active_days", "days": [7, 14]},
    }  # fmt: skip
    promise = laid_out.spec(metrics=metrics, primary="share", profit=None)
    for language in LANGUAGES:
        told = {name: names_of(promise, language).describe(name) for name in metrics}
        assert {name: figures(text) for name, text in told.items()} == {
            "share": ["28"], "mean": ["28"], "ratio": ["28"], "later": ["7", "14"],
        }  # fmt: skip
        assert len(set(told.values())) == 4


def test_money_is_written_as_money_and_shares_as_points() -> None:
    names = names_of()
    assert names.scale("paid").lift(-3.5) == "−¥3.50"
    assert [names.scale("completed").lift(lift) for lift in (-0.035, 0.0, np.nan)] == ["−3.5 pp", "±0.0 pp", "–"]


def test_checks_are_named_failed_first_and_passed_ones_left_out() -> None:
    checks = [
        Check("no_plan", "informational", "no plan"), Check("two_arms", "failed", "two", 7),
        Check("sample_ratio", "passed", "fine", 4_530, "green"), Check("brand_new", "informational", "new"),
    ]  # fmt: skip
    names = names_of(min_cell=10)
    lines = repr(trial_tables.trial_checks(checks, names, frame=names.frame)).splitlines()[1:]
    assert "In two arms" in lines[0]
    assert "<10" in lines[0]
    assert any("brand_new" in line for line in lines)
    assert len(lines) == 3
