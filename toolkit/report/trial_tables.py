"""Tables of an evaluation: who was assigned, what it did overall and by tier, guardrails, profit, checks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from toolkit.report.risk_tables import written_p
from toolkit.report.small_cells import Mark
from toolkit.report.tables import Table
from toolkit.report.trial_cells import WHOLE
from toolkit.report.trial_words import Scale, relative_text, unbroken
from toolkit.report.words import MISSING, TOTAL
from toolkit.report.words_trial_names import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from toolkit.errors import Check
    from toolkit.report.frame import Frame
    from toolkit.report.trial_words import Names
    from toolkit.strategy.evaluation import Evaluation

TESTS = ("welch", "randomisation")
_BEFORE = " before"
_OF_PEOPLE = frozenset({
    "sample_ratio", "two_arms", "unassigned_days", "assigned_after_outcome", "outcome_before_assignment", "holdout",
    "open_windows", "repeated_units", "control_delivered", "several_clusters", "unknown_tier",
})  # fmt: skip


class Told(float):
    """A number that knows how it is written: columns of it stand to the right whatever their units."""

    text: str

    def __new__(cls, value: float, text: str) -> Self:
        """Keep the text beside the number."""
        found = super().__new__(cls, value)
        found.text = text
        return found


def told_column(values: Iterable[float], texts: Iterable[str], index: pd.Index[Any]) -> pd.Series[Any]:
    """Return a column of numbers, each written its own way."""
    cells = [Told(float(value), text) for value, text in zip(values, texts, strict=True)]
    return pd.Series(cells, index=index, dtype=object)


def ratio_table(ratio: pd.DataFrame, counts: pd.DataFrame, names: Names) -> Table:
    """Write how many units each arm got in every tier, and how probable that is under the planned shares."""
    words, spec = names.frame.words, names.spec
    table = ratio.drop_duplicates(["scope", "value"])
    tests = {
        (WHOLE if row["scope"] == "overall" else str(row["value"])): row
        for row in table[table["scope"].isin(["overall", "tier"])].to_dict("records")
    }
    shown = pd.DataFrame(index=pd.Index([_row(str(tier), names) for tier in counts.index], name="tier"))
    for arm in counts.columns:
        shown[f"n {arm}"] = list(counts[arm])
    for name in ("p_value", "p_adjusted"):
        shown[name] = [float(tests[str(tier)][name]) if str(tier) in tests else float("nan") for tier in counts.index]
    labels = {f"n {arm}": words.label("all_arms") if arm == WHOLE else str(arm) for arm in counts.columns}
    labels |= {"tier": words.label("tier"), "p_value": words.label("p_value"), "p_adjusted": words.label("p_adjusted")}
    formats: dict[Any, Callable[[Any], str]] = {f"n {arm}": lambda n: f"{n:,.0f}" for arm in counts.columns}
    shares = words.label("between").join(f"{arm} {words.percent(share)}" for arm, share in spec.arms.items())
    key = "ratio_caption_by_tier" if spec.shares_by_tier else "ratio_caption"
    return Table(
        shown, formats | {"p_value": written_p, "p_adjusted": written_p}, labels, words.say(key, shares=shares),
        _row(WHOLE, names),
    )  # fmt: skip


def overall_table(result: Evaluation, names: Names) -> Table:
    """Write the overall effect on every metric, the primary first."""
    guards = set(result.guardrails["metric"]) if len(result.guardrails) else set()
    mine = result.overall[~result.overall["metric"].isin(guards)]
    first = mine["metric"] == result.primary
    rows = pd.concat([mine[first], mine[~first]])
    shown = pd.DataFrame(index=pd.Index([str(metric) for metric in rows["metric"]], name="metric"))
    _effects(shown, rows, result, names, p_values=())
    _relative(shown, rows, names.frame)
    shown["result"] = [status_name(str(status), names.frame) for status in rows["status"]]
    return _written(shown, result, names, caption=names.frame.words.say("overall_caption"))


def tiers_table(result: Evaluation, names: Names) -> Table:
    """Write the effect on the primary metric in every tier, alone and drawn to the overall effect."""
    rows = _by_tier(result, [result.primary])
    scale = names.scale(result.primary)
    shown = pd.DataFrame(index=pd.Index([names.tier(tier) for tier in rows["tier"]], name="tier"))
    _effects(shown, rows, result, names)
    if rows["lift_shrunken"].notna().any():
        lifts, lower, upper = (rows[f"{name}_shrunken"].astype(float) for name in ("lift", "lower", "upper"))
        shown["lift_shrunken"] = told_column(lifts, map(scale.lift, lifts), shown.index)
        shown["interval_shrunken"] = told_column(lower, map(scale.bare_span, lower, upper), shown.index)
    shown["result"] = [status_name(str(status), names.frame) for status in rows["status"]]
    return _written(shown, result, names, caption=names.describe(result.primary))


def other_tiers_table(result: Evaluation, names: Names) -> Table | None:
    """Write the effects on the other metrics by tier; nothing where there is no other metric."""
    others = [name for name in names.spec.metrics if name != result.primary]
    rows = _by_tier(result, others)
    if rows.empty:
        return None
    before = ["", *(str(metric) for metric in rows["metric"])]
    metrics = ["" if now == last else now for now, last in zip(before[1:], before, strict=False)]
    tiers = [names.tier(tier) for tier in rows["tier"]]
    shown = pd.DataFrame(index=pd.MultiIndex.from_arrays([metrics, tiers], names=["metric", "tier"]))
    _effects(shown, rows, result, names)
    shown = shown.drop(columns="arm_value")
    shown["result"] = [status_name(str(status), names.frame) for status in rows["status"]]
    return _written(shown, result, names, caption=names.frame.words.say("others_caption"))


def guardrails_table(result: Evaluation, names: Names) -> Table | None:
    """Write whether each guardrail holds; nothing where there is none."""
    rows, words, frame = result.guardrails, names.frame.words, names.frame
    if rows.empty:
        return None
    shown = pd.DataFrame(index=pd.Index([str(metric) for metric in rows["metric"]], name="guardrail"))
    _effects(shown, rows, result, names, p_values=())
    scales = [names.scale(str(metric)) for metric in rows["metric"]]
    shown["worse"] = [words.label("lower_way" if way == "lower" else "higher") for way in rows["worse"]]
    for name in ("margin", "harm_bound"):
        sizes = rows[name].astype(float)
        texts = [scale.promised(size) if name == "margin" else scale.lift(size)
                 for scale, size in zip(scales, sizes, strict=True)]  # fmt: skip
        shown[name] = told_column(sizes, texts, shown.index)
    shown["p_value"] = rows["p_value"].astype(float).to_numpy()
    known = zip(rows["status"], rows["harm_bound"].notna(), strict=True)
    shown["result"] = [status_name(str(status) if there else "too_few", frame) for status, there in known]
    return _written(shown, result, names, caption=words.say("guardrails_caption"))


def profit_table(result: Evaluation, names: Names) -> Table | None:
    """Write what each arm brings after its cost, by tier; nothing where no profit is asked for."""
    rows, words, frame = result.profit, names.frame.words, names.frame
    if rows.empty:
        return None
    scale = Scale.of_money(frame)
    shown = pd.DataFrame(index=pd.Index([_tier(tier, names) for tier in rows["tier"]], name="tier"))
    if len(result.arms) > 1:
        shown["arm"] = list(rows["arm"])
    for head, name in (("value_lift", "value_lift"), ("offer_cost", "cost"), ("profit_per_unit", "lift")):
        write = scale.value if head == "offer_cost" else scale.lift
        shown[head] = told_column(rows[name], map(write, rows[name]), shown.index)
    shown["interval"] = told_column(rows["lower"], map(scale.span, rows["lower"], rows["upper"]), shown.index)
    shown["profit_total_head"] = told_column(rows["total"], map(scale.lift, rows["total"]), shown.index)
    total, margin = TOTAL if len(result.arms) == 1 else None, names.spec.profit.margin if names.spec.profit else 1.0
    caption = words.say("profit_caption", margin=words.percent(margin))
    return _written(shown, result, names, caption=caption, total=total)


def trial_checks(checks: Iterable[Check], names: Names, *, frame: Frame) -> Table:
    """Write the checks that did not simply pass, those that failed first."""
    words = frame.words
    told = {(check.code, check.subject): check for check in checks if check.status != "passed"}
    order = sorted(told.values(), key=lambda check: (check.status != "failed", check.code, check.subject))
    rows = pd.DataFrame(
        {
            "check": [check_name(check.code, frame) for check in order] or [check_name("all_passed", frame)],
            "subject": [_subject(check.subject, names, frame) for check in order] or [""],
            "how_many": [_count(check, frame) for check in order] or [""],
        },
        index=pd.Index([words.check(check.status) for check in order] or [words.check("passed")], name="status"),
    )
    return Table(rows, {}, {name: words.label(name) for name in ("status", *rows.columns)})


def check_name(code: str, frame: Frame) -> str:
    """Name what was looked at; a check that is not known keeps its own code."""
    return CHECKS[code][frame.language == "en"] if code in CHECKS else code


def status_name(status: str, frame: Frame) -> str:
    """Name what is known of an effect."""
    return unbroken(frame.words.label(f"status_{status}"))


def _by_tier(result: Evaluation, metrics: list[str]) -> pd.DataFrame:
    """Return the rows of some metrics by tier, in the order of metrics, tiers and arms."""
    rows = result.tiers[result.tiers["metric"].isin(metrics)]
    known = {"metric": metrics, "tier": result.tier_order, "arm": result.arms}
    keys = pd.DataFrame(
        {
            name: pd.Categorical(rows[name].astype(str), [str(one) for one in order], ordered=True)
            for name, order in known.items()
        },
        index=rows.index,
    )
    return rows.loc[keys.sort_values(list(known)).index]


def _effects(
    shown: pd.DataFrame,
    rows: pd.DataFrame,
    result: Evaluation,
    names: Names,
    *,
    p_values: Sequence[str] = ("p_adjusted",),
) -> None:
    """Write arm, values, lift and interval of each row, in the metric's own units."""
    scales = [names.scale(str(metric)) for metric in rows["metric"]]
    known = {
        name: [float(value) for value in rows[name]] for name in ("value", "control_value", "lift", "lower", "upper")
    }
    if len(result.arms) > 1:
        shown["arm"] = [str(arm) for arm in rows["arm"]]
    for head, name in (("control_value", "control_value"), ("arm_value", "value")):
        texts = [scale.value(value) for scale, value in zip(scales, known[name], strict=True)]
        shown[head] = told_column(known[name], texts, shown.index)
    texts = [scale.lift(lift) for scale, lift in zip(scales, known["lift"], strict=True)]
    shown["lift"] = told_column(known["lift"], texts, shown.index)
    ends = zip(scales, known["lower"], known["upper"], strict=True)
    texts = [scale.bare_span(low, high) for scale, low, high in ends]
    shown["interval"] = told_column(known["lower"], texts, shown.index)
    for name in p_values:
        shown[name] = rows[name].astype(float).to_numpy()


def _relative(shown: pd.DataFrame, rows: pd.DataFrame, frame: Frame) -> None:
    """Write relative lifts with their intervals, and p values with their adjusted ones and the test they are of."""
    ends = ("relative_lift", "relative_lower", "relative_upper")
    texts = []
    for row in rows.to_dict("records"):
        p, adjusted, test = written_p(float(row["p_value"])), written_p(float(row["p_adjusted"])), str(row["test"])
        texts.append(f"{p} ({adjusted}), {unbroken(frame.words.label(test))}" if test in TESTS else p)
    shown["relative_lift"] = [relative_text(*(float(row[end]) for end in ends)) for row in rows.to_dict("records")]
    shown["p_both"] = texts


def _written(
    shown: pd.DataFrame,
    result: Evaluation,
    names: Names,
    *,
    caption: str,
    total: str | None = None,
) -> Table:
    words = names.frame.words
    known: dict[Any, Callable[[Any], str]] = dict.fromkeys(shown.columns, told_text)
    known |= {"p_value": written_p, "p_adjusted": written_p}
    labels = {name: words.label(str(name)) for name in (*shown.columns, *shown.index.names)}
    level = words.percent(1 - result.alpha)
    labels["interval"] = words.say("interval_head", level=level)
    if len(result.arms) == 1:
        labels |= {"control_value": str(result.control), "arm_value": str(result.arms[0])}
    return Table(shown, known, labels, caption, _tier(total, names) if total else None)


def told_text(cell: object) -> str:
    """Write a cell of `told_column`, or any other."""
    return cell.text if isinstance(cell, Told) else str(cell)


def _row(tier: str, names: Names) -> str:
    return names.frame.words.label("all_tiers_plain") if tier == WHOLE else names.tier(tier)


def _tier(tier: object, names: Names) -> str:
    return names.frame.words.label("all_tiers_plain") if str(tier) == TOTAL else names.tier(tier)


def _subject(subject: str, names: Names, frame: Frame) -> str:
    parts = [part.strip() for part in subject.split(",") if part.strip()]
    written = [_thing(part, names, frame) for part in parts]
    return frame.words.label("between").join(dict.fromkeys(written))


def _thing(part: str, names: Names, frame: Frame) -> str:
    if part in ("green", "amber", "red", "cluster_id"):
        return frame.words.label(part)
    if part.endswith(_BEFORE):
        return frame.say("known_before", name=part.removesuffix(_BEFORE))
    try:
        days = [date.fromisoformat(day) for day in part.split(" to ")]
        return frame.words.span(days[0], days[-1])
    except ValueError:
        return names.tier(part)


def _count(check: Check, frame: Frame) -> str:
    if not check.count or isinstance(check.count, Mark):
        return MISSING
    return frame.count(check.count) if check.code in _OF_PEOPLE else f"{check.count:,}"
