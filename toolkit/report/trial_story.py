"""What an evaluation comes to, in the page's language: from the codes and figures of its verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from toolkit.report.risk_tables import written_p
from toolkit.report.trial_cells import HIDDEN_STATUS
from toolkit.report.trial_tables import check_name
from toolkit.report.trial_words import CLAUSE, Scale, bracketed
from toolkit.strategy.verdict_tiers import LOW_POWER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd

    from toolkit.report.trial_words import Names
    from toolkit.strategy.evaluation import Evaluation
    from toolkit.strategy.finding import Finding

NAMED_AT_MOST = 4
FIRST = ("withheld", "sample_ratio", "overall", "tiers")
"""What a page says first; all else stands below."""


@dataclass(frozen=True)
class Points:
    """A few sentences, one under the other.

    Attributes
    ----------
    sentences
        Plain text.
    """

    sentences: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(f"- {sentence}" for sentence in self.sentences)

    def _repr_html_(self) -> str:
        return f"<ul>{''.join(f'<li>{escape(sentence)}</li>' for sentence in self.sentences)}</ul>"


def first_sentences(result: Evaluation, names: Names) -> str:
    """Write what a page says first: whether it can be read, the overall effect, and the tiers where it is sure."""
    findings = [one for one in result.verdict if one.code in FIRST]
    told = _said(result, names, findings, brief=True)
    for arm in result.arms:
        tiers = [one.figures for one in findings if one.code == "tiers" and one.figures["arm"] == arm]
        told += [_tiers_briefly(tiers, result, names)] if tiers else []
    return _joined([one for one in told if one], names)


def points(result: Evaluation, names: Names) -> Points:
    """Write everything that the verdict says."""
    return Points(tuple(_said(result, names, result.verdict, brief=False)))


def _said(result: Evaluation, names: Names, findings: Iterable[Finding], *, brief: bool) -> list[str]:
    tellers: Mapping[str, Callable[[dict[str, Any], Evaluation, Names], str]] = {
        "withheld": _withheld,
        "sample_ratio": _sample_ratio,
        "failed_checks": _failed_checks,
        "overall": _overall_briefly if brief else _overall,
        "interaction": _interaction,
        "tiers": _nothing if brief else _tiers,
        "secondary": _secondary,
        "guardrails": _guardrails,
        "profit": _profit,
        "scope": _scope,
    }
    told = [tellers[one.code](one.figures, result, names) if one.code in tellers else one.text for one in findings]
    return [sentence for sentence in told if sentence]


def _joined(sentences: list[str], names: Names) -> str:
    return (" " if names.frame.language == "en" else "").join(sentences)


def _withheld(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    say, words = names.frame.say, names.frame.words
    if of["reason"] == "peeking":
        return say("said_peeking", day=words.date(str(of["closes_on"] or names.spec.closes_on)))
    return ratio_said("said_ratio_red", result.sample_ratio, names)


def _sample_ratio(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    return ratio_said(f"said_ratio_{of['status']}_shown", result.sample_ratio, names)


def _failed_checks(of: dict[str, Any], _: Evaluation, names: Names) -> str:
    frame = names.frame
    told = frame.words.label("between").join(check_name(str(code), frame) for code in of["codes"])
    return frame.say("said_failed_checks", checks=told)


def _overall(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    frame, scale = names.frame, names.scale(of["metric"])
    status = HIDDEN_STATUS if _is_hidden(of, result) else of["status"]
    act = "" if of["smallest_effect"] is None else scale.promised(of["smallest_effect"])
    told = {"arm": of["arm"], "control": of["control"], "metric": names.describe(of["metric"]), "act": act}
    if status in ("too_few", HIDDEN_STATUS):
        return frame.say(f"said_overall_{status}", **told)
    told |= {
        "value": scale.value(of["value"]),
        "control_value": scale.value(of["control_value"]),
        "lift": scale.lift(of["lift"]),
        "span": scale.span(of["lower"], of["upper"]),
        "level": frame.words.percent(of["level"]),
        "p": written_p(of["p_adjusted"]),
    }
    if status not in ("better", "worse"):
        return frame.say(f"said_overall_{status}", **told)
    said = frame.say(f"said_overall_{status}" if of["causal"] else "said_overall_apart", **told)
    tails = [f"said_worthwhile_{of['worthwhile']}"] if of["worthwhile"] else []
    tails += ["said_thin"] if of["thin"] else []
    return _joined([said, *(frame.say(tail, **told) for tail in tails)], names)


def _interaction(of: dict[str, Any], _: Evaluation, names: Names) -> str:
    key = {True: "said_tiers_differ", False: "said_tiers_alike", None: "said_tiers_untested"}[of["differs"]]
    return names.frame.say(key, arm=of["arm"], p=written_p(of["p_value"]))


def _overall_briefly(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    """Write the overall effect without its p value; what makes less of it stays."""
    frame, scale = names.frame, names.scale(of["metric"])
    if of["status"] not in ("better", "worse") or not of["causal"] or _is_hidden(of, result):
        return _overall(of, result, names)
    told = {
        "arm": of["arm"],
        "metric": names.describe(of["metric"]),
        "value": scale.value(of["value"]),
        "control_value": scale.value(of["control_value"]),
        "lift": scale.lift(of["lift"]),
        "span": scale.span(of["lower"], of["upper"]),
        "level": frame.words.percent(of["level"]),
    }
    less = ["said_worthwhile_no"] if of["worthwhile"] == "no" else []
    less += ["said_thin"] if of["thin"] else []
    act = "" if of["smallest_effect"] is None else scale.promised(of["smallest_effect"])
    return _joined([frame.say(f"said_brief_{of['status']}", **told), *(frame.say(key, act=act) for key in less)], names)


def _tiers_briefly(found: list[dict[str, Any]], result: Evaluation, names: Names) -> str:
    """Write in one sentence in which tiers an arm is surely higher or lower, and in which it is not known."""
    frame, parts = names.frame, []
    for of in found:
        rows = _shown(of, result)
        if not rows:
            continue
        scale = names.scale(of["metric"])
        sure = of["status"] in ("better", "worse")
        told = [
            bracketed(names.tier(row["tier"]), scale.lift(row["lift"]), frame.language)
            if sure
            else names.tier(row["tier"])
            for row in rows[:NAMED_AT_MOST]
        ]
        if len(rows) > NAMED_AT_MOST:
            told.append(frame.say("and_others", n=str(len(rows) - NAMED_AT_MOST)))
        parts.append(frame.say(f"part_{of['status']}", tiers=frame.words.label("between").join(told)))
    said = CLAUSE[frame.language].join(parts)
    key = "said_by_tier" if len(result.arms) == 1 else "said_by_tier_of"
    return frame.say(key, arm=found[0]["arm"], parts=said) if parts else ""


def _nothing(_: dict[str, Any], __: Evaluation, ___: Names) -> str:
    return ""


def _tiers(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    frame, rows = names.frame, _shown(of, result)
    if not rows:
        return ""
    scale = names.scale(of["metric"])
    act = "" if of["smallest_effect"] is None else scale.promised(of["smallest_effect"])
    told = {"arm": of["arm"], "n": str(of["compared"]), "act": act, "tiers": _listed(rows, of, names)}
    said = frame.say(f"said_tiers_{of['status']}", **told)
    if of["status"] in ("better", "worse") and all(math.isfinite(row["lift_shrunken"]) for row in rows):
        lifts = frame.words.label("between").join(scale.lift(row["lift_shrunken"]) for row in rows[:NAMED_AT_MOST])
        return _joined([said, frame.say("said_expect", lifts=lifts)], names)
    blind = [row for row in rows if row["power"] is not None and row["power"] < LOW_POWER]
    if of["status"] == "not_known" and blind:
        powers = frame.words.label("between").join(
            f"{names.tier(row['tier'])} {frame.words.percent(row['power'])}" for row in blind[:NAMED_AT_MOST]
        )
        return _joined([said, frame.say("said_no_power", powers=powers)], names)
    return said


def _secondary(of: dict[str, Any], result: Evaluation, names: Names) -> str:
    frame = names.frame
    hidden = result.overall[result.overall["status"] == HIDDEN_STATUS]
    few = set(zip(hidden["metric"], hidden["arm"], strict=True))
    moved = [
        row for row in of["metrics"]
        if row["status"] in ("better", "worse") and (row["metric"], row["arm"]) not in few
    ]  # fmt: skip
    told = frame.words.label("between").join(
        frame.say("metric_lift", metric=str(row["metric"]), arm=str(row["arm"]), lift=scale.lift(row["lift"]),
                  span=scale.span(row["lower"], row["upper"]))
        for row, scale in ((row, names.scale(row["metric"])) for row in moved[:NAMED_AT_MOST])
    )  # fmt: skip
    key = "said_secondary" if moved else "said_secondary_none"
    return frame.say(key, n=str(len(of["metrics"])), found=str(len(moved)), metrics=told)


def _guardrails(of: dict[str, Any], _: Evaluation, names: Names) -> str:
    frame = names.frame
    told = [
        frame.say(f"guardrail_{row['status']}", metric=str(row["metric"]), arm=str(row["arm"]),
                  margin=names.scale(row["metric"]).promised(row["margin"]))
        for row in of["metrics"]
    ]  # fmt: skip
    return frame.say("said_guardrails", guardrails=CLAUSE[frame.language].join(told))


def _profit(of: dict[str, Any], _: Evaluation, names: Names) -> str:
    scale = Scale.of_money(names.frame)
    told = {"profit": scale.lift(of["profit"]), "span": scale.span(of["lower"], of["upper"])}
    return names.frame.say(f"said_profit_{of['status']}", arm=of["arm"], **told)


def _scope(of: dict[str, Any], _: Evaluation, names: Names) -> str:
    days = str(of["window_days"] or names.spec.window_days)
    return names.frame.say("said_scope", n=names.frame.count(float(of["units"])), unit=names.units, window=days)


def _is_hidden(of: dict[str, Any], result: Evaluation) -> bool:
    rows = result.overall[(result.overall["metric"] == of["metric"]) & (result.overall["arm"] == of["arm"])]
    return bool((rows["status"] == HIDDEN_STATUS).any())


def _shown(of: dict[str, Any], result: Evaluation) -> list[dict[str, Any]]:
    """Return the tiers of a finding that a page may name."""
    hidden = result.tiers[(result.tiers["metric"] == of["metric"]) & (result.tiers["status"] == HIDDEN_STATUS)]
    few = {(str(tier), arm) for tier, arm in zip(hidden["tier"], hidden["arm"], strict=True)}
    return [row for row in of["tiers"] if (str(row["tier"]), of["arm"]) not in few]


def _listed(rows: list[dict[str, Any]], of: dict[str, Any], names: Names) -> str:
    scale, say = names.scale(of["metric"]), names.frame.say
    few = names.frame.words.label("status_too_few")
    told = [
        say("tier_lift", tier=names.tier(row["tier"]), lift=scale.lift(row["lift"]),
            span=scale.span(row["lower"], row["upper"]))
        if math.isfinite(row["lift"])
        else bracketed(names.tier(row["tier"]), few, names.frame.language)
        for row in rows[:NAMED_AT_MOST]
    ]  # fmt: skip
    if len(rows) > NAMED_AT_MOST:
        told.append(say("and_others", n=str(len(rows) - NAMED_AT_MOST)))
    return names.frame.words.label("between").join(told)


def ratio_said(key: str, ratio: pd.DataFrame, names: Names) -> str:
    """Write a sentence about how many units each arm got where how many were planned."""
    whole = ratio[ratio["scope"] == "overall"]
    told = [
        names.frame.say(
            "arm_size", arm=str(row["arm"]), n=names.frame.count(row["n"]), planned=f"{row['expected']:,.0f}"
        )
        for row in whole.to_dict("records")
    ]
    sizes = names.frame.words.label("between").join(told)
    return names.frame.say(key, sizes=sizes, p=written_p(float(whole["p_value"].iloc[0])))
