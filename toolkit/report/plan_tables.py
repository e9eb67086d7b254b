"""Tables of a plan: what each tier can see, how units are spread, and what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.report.small_cells import HIDDEN, Mark, suppress_small
from toolkit.report.tables import Table
from toolkit.report.trial_cells import WHOLE
from toolkit.report.trial_tables import told_column, told_text
from toolkit.report.trial_words import Scale, bracketed, unbroken
from toolkit.report.words import MISSING

if TYPE_CHECKING:
    from toolkit.report.trial_words import Names
    from toolkit.strategy.plan import Plan

_HASH_SHOWN = 12


def by_worth(plan: Plan, wanted: float) -> tuple[list[str], list[str], list[str]]:
    """Return the tiers with the power that is wanted, those that are not worth testing, and those between.

    A tier counts by its best arm.
    """
    able, blind, between = [], [], []
    for tier, part in plan.tiers.groupby(level=0, sort=False, observed=True):
        if (part["power"] >= wanted).any():
            able.append(str(tier))
        elif (part["learn"] == "no").all():
            blind.append(str(tier))
        else:
            between.append(str(tier))
    return able, blind, between


def power_cells(plan: Plan, names: Names) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a plan's power by tier and overall as it is drawn, hidden where few people stand behind it."""
    scale, frame = names.scale(names.spec.primary), names.frame
    tiers = plan.tiers.reset_index(names="tier").astype({"tier": str})
    few = _few(plan, names)
    tiers.loc[tiers["tier"].isin(few), ["power", "power_simulated", "mde"]] = float("nan")
    tiers["told"] = [
        frame.words.label("status_hidden") if tier in few else scale.size(mde)
        for tier, mde in zip(tiers["tier"], tiers["mde"], strict=True)
    ]
    overall = plan.overall.reset_index(names="arm")
    return tiers, overall.assign(told=[scale.size(mde) for mde in overall["mde"]])


def tiers_table(plan: Plan, names: Names) -> Table:
    """Write units, what they did before, and what can be seen, for every tier and arm."""
    words, frame, scale = names.frame.words, names.frame, names.scale(names.spec.primary)
    few = _few(plan, names)
    rows = plan.tiers.reset_index(names="tier").astype({"tier": str})
    shown = pd.DataFrame(index=pd.Index([names.tier(tier) for tier in rows["tier"]], name="tier"))
    many = len(names.arms) > 1
    if many:
        shown["arm"] = list(rows["arm"].astype(str))
    shown["units"] = list(rows["units"])
    shown["baseline"] = told_column(rows["baseline"], map(scale.value, rows["baseline"]), shown.index)
    shown["rho"] = rows["rho"].to_numpy(dtype=float)
    for name in ("mde", "mde_unadjusted"):
        shown[name] = told_column(rows[name], map(scale.size, rows[name]), shown.index)
    powers = zip(rows["power"], rows["power_simulated"], strict=True)
    texts = [f"{words.percent(power)} ({words.percent(simulated)})" for power, simulated in powers]
    shown["power"] = told_column(rows["power"], texts, shown.index)
    shown["units_needed"] = rows["units_needed"].to_numpy(dtype=float)
    able, blind, _ = by_worth(plan, names.spec.power)
    hide = [tier in few for tier in rows["tier"]]
    if any(hide):
        for name in shown.columns.drop("arm", errors="ignore"):
            cells = zip(rows["tier"], shown[name], strict=True)
            shown[name] = pd.Series(
                [few.get(tier, cell) if name == "units" else HIDDEN if tier in few else cell for tier, cell in cells],
                index=shown.index,
                dtype=object,
            )
    worth = dict.fromkeys(able, "yes") | dict.fromkeys(blind, "no")
    shown["learn"] = [unbroken(words.label(f"learn_{worth.get(tier, 'some')}")) for tier in rows["tier"]]
    formats: dict[Any, Any] = dict.fromkeys(("baseline", "mde", "mde_unadjusted", "power"), told_text)
    formats |= {"units": frame.count, "rho": "{:.2f}", "units_needed": words.number, "arm": str, "learn": str}
    labels = {name: words.label(str(name)) for name in shown.columns.drop("units")}
    labels |= {"tier": words.label("tier"), "units": words.label(f"head_{names.spec.unit}")}
    caption = frame.say(
        "plan_caption", effect=scale.promised(names.spec.smallest_effect), metric=names.describe(names.spec.primary)
    )
    return Table(shown, formats, labels, caption)


def promise_table(names: Names, plan: Plan | None) -> Table:
    """Write in words what was promised; ``plan`` where one was written."""
    spec, words, say = names.spec, names.frame.words, names.frame.say
    between, percent = words.label("between"), words.percent
    scale = names.scale(spec.primary)
    arms = [
        f"{arm} {percent(share)}" + (say("is_control") if arm == spec.control else "")
        for arm, share in spec.arms.items()
    ]
    rows = {
        "one_question": spec.question,
        "the_arms": between.join(arms),
        "the_unit": names.units,
        "the_tiers": names.scheme,
        "assigned_days": words.span(spec.assigned.first, spec.assigned.last),
        "the_window": words.say("n_days_is", n=f"{spec.window_days:,}"),
        "the_primary": _named(names, spec.primary),
        "the_others": between.join(_named(names, name) for name in spec.metrics if name != spec.primary),
        "the_guardrails": between.join(
            say("guardrail_promise", metric=_named(names, name), margin=names.scale(name).promised(guard.margin),
                way=words.label("lower_way" if guard.worse == "lower" else "higher"))
            for name, guard in spec.guardrails.items()
        ),
        "the_effect": scale.promised(spec.smallest_effect),
        "the_level": say("level_and_power", alpha=percent(spec.alpha), power=percent(spec.power)),
        "the_covariate": say("covariate_days", n=f"{spec.covariate.days:,}") if spec.covariate else "",
        "the_costs": _costs(names),
        "the_holdout": percent(spec.holdout) if spec.holdout else "",
        "plan_written": words.date(plan.as_of) if plan is not None else "",
        "the_hash": spec.sha256[:_HASH_SHOWN],
    }  # fmt: skip
    told = {words.label(key): text for key, text in rows.items() if text}
    shown = pd.DataFrame({"promised": list(told.values())}, index=pd.Index(list(told), name="what"))
    return Table(shown, {"promised": str}, {"what": "", "promised": words.label("promised")})


def allocation_table(plan: Plan, names: Names) -> Table | None:
    """Write how many units of each tier there are, and how many take part under either way of choosing them."""
    if plan.allocation.empty:
        return None
    words, frame = names.frame.words, names.frame
    shown = plan.allocation[["available", "proportional", "neyman"]].astype("int64")
    shown = shown.set_axis([str(tier) for tier in shown.index])
    shown.loc[WHOLE] = shown.sum()
    if frame.min_cell:
        shown = suppress_small(shown, counts="available", total=WHOLE, min_cell=frame.min_cell)
    everybody = words.label("all_arms")
    index = [everybody if tier == WHOLE else names.tier(tier) for tier in shown.index]
    shown = shown.set_axis(pd.Index(index, name="tier"))
    labels = {name: words.label(str(name)) for name in shown.columns} | {"tier": words.label("tier")}
    return Table(shown, {}, labels, words.say("allocation_caption", control=names.spec.control), everybody)


def _few(plan: Plan, names: Names) -> dict[str, Mark | int]:
    """Return the tiers that a page says nothing about, with what stands for the count of their units.

    Their units are few, or few of them, but some, did what a share counts.
    """
    frame = names.frame
    if not frame.min_cell:
        return {}
    each = plan.tiers.groupby(level=0, sort=False, observed=True)[["units", "baseline"]].first()
    counts = suppress_small(each[["units"]], counts="units", min_cell=frame.min_cell)["units"]
    units = each["units"].astype(float)
    events = (units * each["baseline"]).round() if names.scale(names.spec.primary).unit else units
    return {
        str(tier): count
        for tier, count, did, did_not in zip(each.index, counts, events, units - events, strict=True)
        if isinstance(count, Mark) or frame.small(did) or frame.small(did_not)
    }


def _named(names: Names, metric: str) -> str:
    return bracketed(metric, names.describe(metric), names.frame.language)


def _costs(names: Names) -> str:
    spec, frame = names.spec, names.frame
    if spec.profit is None:
        return ""
    money = Scale.of_money(frame)
    told = [f"{arm} {money.value(cost)}" for arm, cost in spec.profit.offer_cost.items()] or [MISSING]
    return frame.say(
        "cost_promise", costs=frame.words.label("between").join(told), margin=frame.words.percent(spec.profit.margin),
        metric=spec.profit.of,
    )  # fmt: skip
