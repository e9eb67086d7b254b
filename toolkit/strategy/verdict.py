"""What an evaluation comes to, in a few plain sentences that a careful analyst would sign.

Codes of the findings, in their order, and what ``figures`` holds (numbers raw, shares not percent):

================ =============== ===================================================================================
code             once per        figures
================ =============== ===================================================================================
withheld         reason          reason (``sample_ratio``, ``peeking``) closes_on as_of; nothing else is said then
sample_ratio     evaluation      status (``amber``, ``red``) p_value arms (list of arm n expected)
failed_checks    evaluation      codes
overall          arm             metric kind arm control status value control_value lift lower upper relative_lift
                                 relative_lower relative_upper p_value p_adjusted alpha level smallest_effect
                                 thin (bool) worthwhile (``yes``, ``no``, ``not_known``, ``""``) causal (bool)
interaction      arm             metric arm differs (bool, or None where it cannot be tested) p_value tiers
tiers            arm and status  metric kind arm status compared smallest_effect level tiers (list of tier lift lower
                                 upper p_adjusted lift_shrunken power n control_n why;
                                 tiers with too few units are ``not_known``, without an estimate)
secondary        evaluation      found, metrics (list of metric kind arm status lift lower upper p_adjusted)
guardrails       evaluation      metrics (list of metric kind arm status lift lower upper margin harm_bound worse)
profit           arm             arm status (``pays``, ``costs``, ``not_known``) profit lower upper total units level
                                 currency
scope            evaluation      experiment as_of units window_days
================ =============== ===================================================================================

``better`` and ``worse`` say the sign of a lift; whether more of a metric is good is for the reader to know, so the text
says higher and lower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.strategy.finding import Finding
from toolkit.strategy.phrases import between, lift, listed, p_value, percent, value
from toolkit.strategy.verdict_others import MOVED, guardrails, profit, records, secondary
from toolkit.strategy.verdict_tiers import interaction, tier_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from toolkit.strategy.evaluation import Evaluation

THIN = 0.2
"""From this share of alpha on, evidence against no effect is called thin."""
SPOILS_CAUSE = {"balance", "assigned_after_outcome", "outcome_before_assignment"}
"""Checks whose failure takes the causal words away, as a broken sample ratio does."""
_APART = {"sample_ratio", "empty_arm", "peeking"}


def verdict(
    evaluation: Evaluation,
    *,
    power: Mapping[Any, float] | None = None,
    window_days: int | None = None,
    currency: str = "",
) -> tuple[Finding, ...]:
    """Say what an evaluation comes to.

    Parameters
    ----------
    evaluation
        The evaluation.
    power
        Power that the plan promised, by tier or by (tier, arm).
    window_days
        Days over which each unit's outcome counts.
    currency
        Currency of the profit.

    Returns
    -------
    tuple of Finding
        See the table of this module.
    """
    if evaluation.withheld:
        return tuple(_withheld(evaluation, reason) for reason in evaluation.withheld)
    primary = evaluation.overall[evaluation.overall["metric"] == evaluation.primary]
    causal = evaluation.sample_ratio_status != "red" and not SPOILS_CAUSE & set(_failed(evaluation))
    found = [*_ratio(evaluation), *_doubts(evaluation)]
    for row in records(primary):
        found.append(_overall(evaluation, row, causal=causal))
        if len(evaluation.tier_order) > 1:
            found += [*interaction(evaluation, row["arm"]), *tier_findings(evaluation, row["arm"], power or {})]
    found += [*secondary(evaluation), *guardrails(evaluation), *profit(evaluation, currency)]
    return (*found, _scope(evaluation, window_days))


def _withheld(evaluation: Evaluation, reason: str) -> Finding:
    closes_on = next((check.subject for check in evaluation.checks if check.code == "peeking"), "")
    if reason == "peeking":
        until = f"until {closes_on}, when the last window closes" if closes_on else "until the last window closes"
        text = (
            f"No effect is shown on {evaluation.as_of}: wait {until}, because who looks early and stops at a good"
            ' moment finds effects that are not there (despite=["peeking"] shows them all the same).'
        )
    else:
        text = (
            f"No effect is shown, because the arms are not of the sizes that were planned ({_sizes(evaluation)}):"
            " something took units out of an arm or put them in, and whoever they are may be all that differs. Find"
            ' what did it, then evaluate again (despite=["sample_ratio"] shows the effects all the same).'
        )
    return Finding("withheld", text, {"reason": reason, "closes_on": closes_on, "as_of": evaluation.as_of})


def _ratio(evaluation: Evaluation) -> list[Finding]:
    status = evaluation.sample_ratio_status
    if status == "green":
        return []
    whole = evaluation.sample_ratio[evaluation.sample_ratio["scope"] == "overall"]
    end = (
        "look for the reason before relying on what follows"
        if status == "amber"
        else "what follows is shown because you asked for it and may be due to who is missing, not to the arms"
    )
    text = (
        f"The arms are not quite of the sizes that were planned ({_sizes(evaluation)}; sample ratio {status}): {end}."
    )
    arms = records(whole[["arm", "n", "expected"]])
    return [Finding("sample_ratio", text, {"status": status, "p_value": float(whole["p_value"].iloc[0]), "arms": arms})]


def _sizes(evaluation: Evaluation) -> str:
    whole = evaluation.sample_ratio[evaluation.sample_ratio["scope"] == "overall"]
    rows = records(whole)
    counts = [f"{row['arm']} {row['n']:,.0f} where {row['expected']:,.0f} were expected" for row in rows]
    return f"{', '.join(counts)}, {p_value(rows[0]['p_value'])}"


def _failed(evaluation: Evaluation) -> list[str]:
    found = [check.code for check in evaluation.checks if check.status == "failed" and check.code not in _APART]
    return list(dict.fromkeys(found))


def _doubts(evaluation: Evaluation) -> list[Finding]:
    codes = _failed(evaluation)
    if not codes:
        return []
    many = "A check failed" if len(codes) == 1 else f"{len(codes)} checks failed"
    text = f"{many} and must be read before what follows: {listed(codes)}."
    return [Finding("failed_checks", text, {"codes": codes})]


def _overall(evaluation: Evaluation, row: dict[str, Any], *, causal: bool) -> Finding:
    kind, alpha = evaluation.kinds[evaluation.primary], evaluation.alpha
    figures = {
        name: row[name]
        for name in (
            "metric", "arm", "status", "value", "control_value", "lift", "lower", "upper", "relative_lift",
            "relative_lower", "relative_upper", "p_value", "p_adjusted",
        )
    }  # fmt: skip
    moved = row["status"] in MOVED
    worthwhile = _worthwhile(row, evaluation.smallest_effect) if moved else ""
    thin = moved and row["p_adjusted"] >= THIN * alpha
    figures |= {
        "kind": kind, "control": evaluation.control, "alpha": alpha, "level": 1 - alpha, "thin": thin,
        "smallest_effect": evaluation.smallest_effect, "worthwhile": worthwhile, "causal": causal,
    }  # fmt: skip
    return Finding("overall", _overall_text(figures, row.get("why", "")), figures)


def _overall_text(of: dict[str, Any], why: object) -> str:
    metric, arm, kind, status = of["metric"], of["arm"], of["kind"], of["status"]
    if status == "too_few":
        return f"Nothing can be said of the effect of {arm} on {metric}: {why or 'too few units'}."
    level = f"{100 * of['level']:g} % interval"
    against = f"{value(of['value'], kind)} against {value(of['control_value'], kind)} with {of['control']}"
    size = f"{lift(of['lift'], kind)} ({level} {between(of['lower'], of['upper'], kind)})"
    act = lift(of["smallest_effect"], kind, sign=False) if of["smallest_effect"] is not None else ""
    if status == "not_known":
        text = f"Whether {arm} changes {metric} is not known: {against}, {size}, {p_value(of['p_adjusted'])}"
        if of["lower"] > 0 or of["upper"] < 0:
            text += " after the adjustment for several arms"
    elif status == "no_worthwhile_effect":
        text = f"{arm} changes {metric} by less than the {act} worth acting on, if at all: {against}, {size}"
    else:
        higher = status == "better"
        said = f"{arm} {'raised' if higher else 'lowered'} {metric}"
        if not of["causal"]:
            said = f"{metric} is {'higher' if higher else 'lower'} with {arm}, which may be no doing of it"
        text = f"{said}: {against}, {size}, {p_value(of['p_adjusted'])}"
        if np.isfinite(of["relative_lift"]):
            text += f"; relative lift {percent(of['relative_lift'], sign=True)}"
            if np.isfinite(of["relative_lower"]):
                ends = (percent(of[end], sign=True) for end in ("relative_lower", "relative_upper"))
                text += f" ({' to '.join(ends)})"
        if of["thin"]:
            text += "; the evidence is thin, an effect close to none fits nearly as well"
        text += {
            "yes": f"; more than the {act} worth acting on",
            "no": f"; but less than the {act} worth acting on",
            "not_known": f"; whether it reaches the {act} worth acting on is not known",
        }.get(of["worthwhile"], "")
    return f"{text}."


def _worthwhile(row: dict[str, Any], smallest: float | None) -> str:
    if smallest is None:
        return ""
    if min(abs(row["lower"]), abs(row["upper"])) >= smallest:
        return "yes"
    return "no" if max(abs(row["lower"]), abs(row["upper"])) < smallest else "not_known"


def _scope(evaluation: Evaluation, window_days: int | None) -> Finding:
    window = f", over the {window_days} days after assignment" if window_days else ", over the window that was measured"
    text = (
        f"All of it is about the {evaluation.units:,} units that were assigned, whether or not the offer reached them"
        f" (intention to treat){window}; it says nothing about other customers, another offer, or what comes later."
    )
    figures = {
        "experiment": evaluation.experiment, "as_of": evaluation.as_of, "units": evaluation.units,
        "window_days": window_days,
    }  # fmt: skip
    return Finding("scope", text, figures)
