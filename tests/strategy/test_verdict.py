"""What an evaluation comes to: sentences that say no more than the figures, and no less."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

from toolkit.errors import Check
from toolkit.strategy import verdict as module
from toolkit.strategy.evaluation import Evaluation
from toolkit.strategy.units import evaluate_units
from toolkit.strategy.verdict import verdict

if TYPE_CHECKING:
    from toolkit.strategy.finding import Finding

OVERALL: dict[str, Any] = {
    "metric": "completed", "arm": "cashback", "n": 2_265, "control_n": 2_265, "value": 0.087, "control_value": 0.045,
    "lift": 0.042, "lower": 0.028, "upper": 0.056, "relative_lift": 0.933, "relative_lower": 0.55,
    "relative_upper": 1.4, "se": 0.007, "df": 4_000.0, "p_value": 1e-9, "p_adjusted": 1e-9, "test": "welch",
    "variance_ratio": 0.98, "status": "better", "why": "",
}  # fmt: skip
RATIO = pd.DataFrame(
    {"scope": "overall", "value": "", "arm": ["control", "cashback"], "n": [2_300, 2_230], "expected": 2_265.0,
     "p_value": 0.004, "p_adjusted": 0.004}
)  # fmt: skip


def tier_row(tier: str, lift: float, half: float, status: str, **more: Any) -> dict[str, Any]:
    return OVERALL | {
        "tier": tier, "lift": lift, "lower": lift - half, "upper": lift + half, "status": status, "weight": 0.25,
        "lift_shrunken": 0.042 + 0.7 * (lift - 0.042), "lower_shrunken": 0.0, "upper_shrunken": 0.1,
        "p_adjusted": 0.001 if status in ("better", "worse") else 0.5, "n": 300, "control_n": 300, **more,
    }  # fmt: skip


TIERS = [
    tier_row("none", 0.018, 0.02, "not_known"),
    tier_row("lead_in", 0.082, 0.03, "better"),
    tier_row("entry", 0.036, 0.02, "better"),
    tier_row("premium", 0.001, 0.02, "no_worthwhile_effect"),
    tier_row("vip", np.nan, np.nan, "too_few", p_adjusted=np.nan, lift_shrunken=np.nan, why="fewer than 5 events"),
]


def made(row: dict[str, Any] | None = None, /, **changes: Any) -> Evaluation:
    rows = [OVERALL | (row or {})]
    base = Evaluation(
        experiment="checkin_cashback", question="Does it?", control="control", arms=("cashback",),
        tier_order=("none", "lead_in", "entry", "premium", "vip"), primary="completed",
        kinds={"completed": "proportion", "spend": "mean", "opted_out": "proportion"}, alpha=0.05,
        smallest_effect=0.03, units=4_530, as_of="2026-10-31", checks=(), sample_ratio=RATIO,
        sample_ratio_status="green", withheld=(), overall=pd.DataFrame(rows),
        interaction=pd.DataFrame([{"metric": "completed", "arm": "cashback", "statistic": 3.4, "df_num": 3.0,
                                   "df_den": 900.0, "p_value": 0.017}]),
        tiers=pd.DataFrame(TIERS), guardrails=pd.DataFrame(), profit=pd.DataFrame(), draws=pd.DataFrame(), verdict=(),
    )  # fmt: skip
    return replace(base, **changes)


def said(evaluation: Evaluation, code: str, **options: Any) -> list[Finding]:
    return [finding for finding in verdict(evaluation, **options) if finding.code == code]


def only(evaluation: Evaluation, code: str, **options: Any) -> Finding:
    (found,) = said(evaluation, code, **options)
    return found


def test_codes_are_few_and_all_documented() -> None:
    texts = [row.split()[0] for row in (module.__doc__ or "").splitlines() if row[:1].isalpha() and "  " in row]
    documented = {word for word in texts if word.islower()} - {"code"}
    many = made(
        sample_ratio_status="amber",
        checks=(Check("never_delivered", "failed", "nobody got it"),),
        overall=pd.DataFrame([OVERALL, OVERALL | {"metric": "spend", "status": "not_known"}]),
        guardrails=pd.DataFrame([guardrail("holds")]),
        profit=pd.DataFrame([money(0.2, 0.1, 0.3)]),
    )
    codes = [finding.code for finding in (*verdict(many), *verdict(made(withheld=("peeking",))))]
    assert set(codes) == documented
    assert len(documented) == 10


def test_the_first_sentence_is_about_the_arms_when_they_are_odd() -> None:
    first = verdict(made(sample_ratio_status="amber"))[0]
    assert first.code == "sample_ratio"
    assert first.figures["status"] == "amber"
    assert "2,230 where 2,265 were expected" in first.text
    assert "p = 0.004" in first.text


def test_an_effect_is_told_in_points_with_interval_and_relative_lift() -> None:
    text = only(made(), "overall").text
    assert text.startswith("cashback raised completed: 8.7 % against 4.5 % with control, +4.2 percentage points")
    assert "95 % interval +2.8 to +5.6" in text
    assert "relative lift +93.3 % (+55.0 % to +140.0 %)" in text
    assert "whether it reaches the 3.0 percentage points worth acting on is not known" in text


@pytest.mark.parametrize(
    ("lower", "upper", "worthwhile"),
    [
        (0.031, 0.06, "yes"),
        (0.028, 0.056, "not_known"),
        (0.001, 0.029, "no"),
        (-0.06, -0.031, "yes"),
        (-0.02, -0.01, "no"),
    ],
)
def test_worth_acting_on_is_judged_by_the_interval(lower: float, upper: float, worthwhile: str) -> None:
    middle = (lower + upper) / 2
    row = {"lower": lower, "upper": upper, "lift": middle, "status": "better" if middle > 0 else "worse"}
    assert only(made(row), "overall").figures["worthwhile"] == worthwhile


def test_a_lower_value_is_called_lower_and_never_worse() -> None:
    """More rearrests would be no gain: whether more is good is for the reader to know."""
    row = {"lift": -0.0833, "lower": -0.1664, "upper": -0.0002, "status": "worse", "p_adjusted": 0.0494}
    finding = only(made(row), "overall")
    assert "cashback lowered completed" in finding.text
    assert "worse" not in finding.text
    assert "-16.6 to -0.02" in finding.text
    assert finding.figures["thin"] is True
    assert "the evidence is thin" in finding.text


def test_thin_is_not_said_of_strong_evidence() -> None:
    assert only(made(), "overall").figures["thin"] is False
    assert "thin" not in only(made(), "overall").text


def test_not_known_is_not_no_effect() -> None:
    row = {"status": "not_known", "lift": 0.01, "lower": -0.01, "upper": 0.03, "p_adjusted": 0.3}
    text = only(made(row), "overall").text
    assert text.startswith("Whether cashback changes completed is not known")
    assert "raised" not in text


def test_an_interval_without_zero_that_the_adjustment_takes_back_is_explained() -> None:
    row = {"status": "not_known", "lift": 0.03, "lower": 0.001, "upper": 0.06, "p_adjusted": 0.08}
    assert only(made(row), "overall").text.endswith("p = 0.08 after the adjustment for several arms.")
    rows = [tier_row("none", 0.03, 0.029, "not_known", p_adjusted=0.17), tier_row("core", 0.0, 0.1, "not_known")]
    text = only(made(tiers=pd.DataFrame(rows)), "tiers").text
    assert text.count("clear of 0 by itself") == 1
    why = "clear of 0 by itself, but not among so many comparisons, p = 0.17"
    assert f"none (+3.0 percentage points, +0.1 to +5.9; {why})" in text


def test_no_effect_worth_acting_on_is_a_finding_of_its_own() -> None:
    row = {"status": "no_worthwhile_effect", "lift": 0.001, "lower": -0.01, "upper": 0.012}
    text = only(made(row), "overall").text
    assert "by less than the 3.0 percentage points worth acting on, if at all" in text


def test_too_few_says_why() -> None:
    row = {"status": "too_few", "lift": np.nan, "why": "fewer than 5 events in control"}
    assert "fewer than 5 events in control" in only(made(row), "overall").text


def test_means_carry_no_percentage_points() -> None:
    kinds = {"completed": "mean"}
    row = {"lift": 12.345, "lower": 1.2, "upper": 23.5, "value": 1_512.3, "control_value": 1_500.0}
    text = only(made(row, kinds=kinds, smallest_effect=None, tier_order=()), "overall").text
    assert "1,512 against 1,500 with control, +12.3 (95 % interval +1.2 to +23.5)" in text
    assert "points" not in text


def test_the_level_is_that_of_the_experiment() -> None:
    assert "90 % interval" in only(made(alpha=0.1), "overall").text


@pytest.mark.parametrize(
    ("p", "differs", "words"),
    [
        (0.017, True, "differs between tiers (interaction p = 0.017)"),
        (0.34, False, "which does not say that it is the same in all"),
        (np.nan, None, "cannot be tested"),
    ],
)
def test_no_sign_that_tiers_differ_is_not_that_they_do_not(p: float, differs: bool | None, words: str) -> None:
    table = made().interaction.assign(p_value=p)
    finding = only(made(interaction=table), "interaction")
    assert finding.figures["differs"] is differs
    assert words in finding.text


def test_tiers_are_told_by_what_is_known_of_them() -> None:
    found = {finding.figures["status"]: finding for finding in said(made(), "tiers")}
    names = {status: [row["tier"] for row in one.figures["tiers"]] for status, one in found.items()}  # type: ignore[attr-defined]  # a list of rows
    assert names == {
        "better": ["lead_in", "entry"], "no_worthwhile_effect": ["premium"], "not_known": ["none", "vip"],
    }  # fmt: skip
    assert "Adjusted for the 4 comparisons of tiers" in found["better"].text
    assert "lead_in (+8.2 percentage points, +5.2 to +11.2)" in found["better"].text
    assert "looks larger than it is, so rather expect +7.0 percentage points and +3.8" in found["better"].text
    assert "less than the 3.0 percentage points worth acting on" in found["no_worthwhile_effect"].text
    unknown = "Not known: the effect of cashback on completed in none (+1.8 percentage points, -0.2 to +3.8) and vip"
    assert found["not_known"].text == f"{unknown} (fewer than 5 events)."


def test_without_shrinkage_none_is_promised() -> None:
    tiers = pd.DataFrame(TIERS).assign(lift_shrunken=np.nan)
    assert "rather expect" not in " ".join(finding.text for finding in said(made(tiers=tiers), "tiers"))


@pytest.mark.parametrize(
    ("power", "words"),
    [
        ({"none": 0.31}, "the plan gave it 31.0 % power, so this says nothing either way"),
        ({("none", "cashback"): 0.31, "none": 0.9}, "31.0 % power, so this says nothing either way"),
        ({"none": 0.62}, "the plan gave it 62.0 % power)"),
        ({"none": 0.9}, "+3.8) and vip"),
        ({}, "+3.8) and vip"),
    ],
)
def test_a_tier_without_power_says_nothing_either_way(power: dict[Any, float], words: str) -> None:
    found = [finding for finding in said(made(), "tiers", power=power) if finding.figures["status"] == "not_known"]
    assert words in found[0].text
    assert ("either way" in found[0].text) == ("either way" in words)


def test_one_tier_needs_no_sentences_about_tiers() -> None:
    codes = {finding.code for finding in verdict(made(tier_order=()))}
    assert codes == {"overall", "scope"}


def guardrail(status: str) -> dict[str, Any]:
    return {
        "metric": "opted_out", "arm": "cashback", "value": 0.012, "control_value": 0.011, "lift": 0.001,
        "lower": -0.005, "upper": 0.007, "margin": 0.01, "worse": "higher", "harm_bound": 0.006, "p_value": 0.001,
        "status": status,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "words"),
    [("holds", "holds ("), ("broken", "is broken ("), ("not_known", "is not known to hold (")],
)
def test_guardrails_hold_or_break_or_neither(status: str, words: str) -> None:
    text = only(made(guardrails=pd.DataFrame([guardrail(status)])), "guardrails").text
    assert f"opted_out with cashback {words}+0.1 percentage points, -0.5 to +0.7, margin 1.0 percentage points)" in text


def test_a_guardrail_without_an_estimate_is_not_known() -> None:
    row = guardrail("not_known") | {"lift": np.nan, "lower": np.nan, "upper": np.nan, "harm_bound": np.nan}
    text = only(made(guardrails=pd.DataFrame([row])), "guardrails").text
    assert text == "Guardrails: opted_out with cashback is not known to hold (too few to estimate)."


def test_a_guardrail_without_an_estimate_may_hold_by_its_bound() -> None:
    text = only(made(guardrails=pd.DataFrame([guardrail("holds") | {"lift": np.nan}])), "guardrails").text
    assert "holds (too few for an estimate, yet harm is 0.6 percentage points at most, margin 1.0" in text


def money(profit: float, lower: float, upper: float) -> dict[str, Any]:
    return {
        "arm": "cashback", "tier": "total", "n": 2_265, "value_lift": profit + 2, "cost": 2.0, "lift": profit,
        "lower": lower, "upper": upper, "total": profit * 2_265,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ends", "status", "words"),
    [
        ((0.5, 2.9), "pays", "cashback pays: +1.2 CNY a unit"),
        ((-3.0, -0.5), "costs", "costs more than it brings"),
        ((-0.5, 2.9), "not_known", "is not known to pay"),
        ((np.nan, np.nan), "not_known", "is not known to pay"),
    ],
)
def test_profit_is_only_claimed_beyond_its_interval(ends: tuple[float, float], status: str, words: str) -> None:
    profit = pd.DataFrame([money(1.2, *ends), money(9.0, 8.0, 10.0) | {"tier": "entry"}])
    finding = only(made(profit=profit), "profit", currency="CNY")
    assert finding.figures["status"] == status
    assert words in finding.text


def test_other_metrics_are_counted_whether_or_not_they_moved() -> None:
    """FAULTS 105: the guardrail is none of them."""
    rows = [
        OVERALL,
        OVERALL | {"metric": "spend", "status": "not_known", "lift": 3.0, "lower": -1.0, "upper": 7.0},
        OVERALL | {"metric": "opted_out", "status": "not_known"},
    ]
    finding = only(made(overall=pd.DataFrame(rows), guardrails=pd.DataFrame([guardrail("holds")])), "secondary")
    assert finding.figures["found"] == 0
    assert finding.text.startswith("1 other comparison was looked at")
    assert "no difference found" in finding.text
    rows[1] |= {"status": "better", "lower": 1.0}
    finding = only(made(overall=pd.DataFrame(rows)), "secondary")
    assert "different in spend with cashback (+3, +1 to +7)" in finding.text


@pytest.mark.parametrize("reason", ["sample_ratio", "peeking"])
def test_what_is_withheld_is_all_that_is_said(reason: str) -> None:
    checks = (Check("peeking", "failed", "looked early", 3, "2026-09-26"),)
    found = verdict(made(withheld=(reason,), sample_ratio_status="red", checks=checks))
    assert [finding.code for finding in found] == ["withheld"]
    assert f'despite=["{reason}"]' in found[0].text
    assert "percentage points" not in found[0].text
    assert ("2026-09-26" in found[0].text) == (reason == "peeking")
    assert found[0].figures["reason"] == reason


@pytest.mark.parametrize(
    "changes",
    [
        {"sample_ratio_status": "red"},
        {"checks": (Check("assigned_after_outcome", "failed", "late"),)},
        {"checks": (Check("balance", "failed", "unlike"),)},
    ],
)
def test_no_causal_words_where_arms_were_unlike_before(changes: dict[str, Any]) -> None:
    finding = only(made(**changes), "overall")
    assert finding.figures["causal"] is False
    assert finding.text.startswith("completed is higher with cashback, which may be no doing of it")
    assert "raised" not in finding.text


def test_checks_that_failed_are_named_before_the_effects() -> None:
    checks = (
        Check("never_delivered", "failed", "none"),
        Check("two_arms", "passed", "none"),
        Check("a", "failed", "b"),
    )
    found = verdict(made(checks=checks))
    assert (found[0].code, found[0].figures["codes"]) == ("failed_checks", ["never_delivered", "a"])
    assert "never_delivered and a" in found[0].text


def test_the_last_sentence_says_what_it_does_not_mean() -> None:
    last = verdict(made(), window_days=28)[-1]
    assert last.code == "scope"
    for words in ("4,530 units", "whether or not the offer reached them", "28 days after assignment", "another offer"):
        assert words in last.text


def test_it_stays_short() -> None:
    full = made(
        guardrails=pd.DataFrame([guardrail("holds")]), profit=pd.DataFrame([money(1.0, 0.5, 1.5)]),
        overall=pd.DataFrame([OVERALL, OVERALL | {"metric": "spend"}]),
    )  # fmt: skip
    assert len(verdict(full)) <= 9


def test_with_several_arms_each_has_its_own_sentences() -> None:
    rows = [OVERALL, OVERALL | {"arm": "coupon", "status": "not_known"}]
    tiers = [*TIERS, *(row | {"arm": "coupon", "status": "not_known"} for row in TIERS)]
    both = made(overall=pd.DataFrame(rows), tiers=pd.DataFrame(tiers), arms=("cashback", "coupon"))
    assert [finding.figures["arm"] for finding in said(both, "overall")] == ["cashback", "coupon"]
    coupon = [finding for finding in said(both, "tiers") if finding.figures["arm"] == "coupon"]
    assert len(coupon) == 1
    assert coupon[0].figures["compared"] == 8


@pytest.mark.parametrize(
    ("test", "sentence"),
    [
        (
            "welch",
            (
                "aid lowered rearrest: 22.2 % against 30.6 % with no aid, -8.3 percentage points (95 % interval -16.7"
                " to -0.02), p = 0.0496; relative lift -27.3 % (-48.3 % to -0.1 %); the evidence is thin, an effect"
                " close to none fits nearly as well."
            ),
        ),
        (
            "auto",
            (
                "Whether aid changes rearrest is not known: 22.2 % against 30.6 % with no aid, -8.3 percentage points"
                " (95 % interval -16.7 to 0.0), p = 0.073."
            ),
        ),
    ],
)
def test_rossi_as_an_experiment_gets_the_sentence_of_a_careful_analyst(test: Any, sentence: str) -> None:
    """Financial aid and rearrest within 52 weeks: 48 of 216 with aid, 66 of 216 without.

    It is on the edge: p is .0496 by Welch, and .063 by Fisher's exact test, which dealing anew is a draw of.
    """
    people = load_rossi()
    units = pd.DataFrame({"aid": np.where(people["fin"] == 1, "aid", "no aid"), "rearrest": people["arrest"]})
    found = evaluate_units(units, arm="aid", control="no aid", metrics={"rearrest": "proportion"}, test=test)
    assert [finding.code for finding in found.verdict] == ["overall", "scope"]
    text = found.verdict[0].text
    assert text.partition(", p = ")[0] == sentence.partition(", p = ")[0]
    assert text.partition(";")[2] == sentence.partition(";")[2]
