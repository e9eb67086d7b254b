"""Cells of the page on an experiment's plan: each shows one thing, or says why it is not there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from toolkit.errors import Check, ToolkitError
from toolkit.report import plan_tables, plots_experiment, trial_tables
from toolkit.report.experiments import Promise, plan_note, promised, refused, tiering
from toolkit.report.headline import Figure, Headline
from toolkit.report.note import Note
from toolkit.report.outlook import Reason, missing
from toolkit.report.trial_story import NAMED_AT_MOST
from toolkit.report.trial_words import CLAUSE, Names
from toolkit.report.words import MISSING
from toolkit.strategy.plan import Plan, plan_experiment
from toolkit.strategy.verdict_tiers import NO_POWER

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.page import Page
    from toolkit.report.tables import Table


@dataclass(frozen=True, eq=False)
class Outset:
    """One experiment before it begins.

    Attributes
    ----------
    promise
        The experiment; None where the study has none.
    plan
        What was written beside its file, else a plan computed now, or why there is none.
    """

    promise: Promise | None
    plan: Plan | Reason

    def names(self, page: Page) -> Names:
        """Return how the names of its file are written."""
        if self.promise is None:
            raise TypeError("there is no experiment to name")
        return Names(self.promise.spec, page.frame)


def look(study: Warehouse, page: Page, experiment: str = "") -> Outset:
    """Read what was planned for an experiment, or plan it as of the report's day, at most the day before it begins."""
    promise = promised(study, page, experiment)
    if promise is None:
        return Outset(None, Reason("no_experiment"))
    if promise.plan is not None:
        return Outset(promise, promise.plan)
    spec = promise.spec
    day = min(page.as_of, spec.assigned.first - timedelta(days=1))
    try:
        return Outset(promise, plan_experiment(study, spec, as_of=day, tiers=tiering(study, spec)))
    except ToolkitError as error:
        return Outset(promise, refused(error, promise, page))


def plan_story(outset: Outset, page: Page) -> Headline:
    """Say which tiers are worth testing, what can be seen overall, and when the answer is there."""
    words, frame = page.words, page.frame
    if outset.promise is None:
        return Headline(words.say("verdict_no_experiment"), ())
    spec, plan, names = outset.promise.spec, outset.plan, outset.names(page)
    reading = Figure(words.label("reading_day"), words.date(spec.closes_on))
    if isinstance(plan, Reason):
        return Headline(words.say("verdict_no_plan", experiment=spec.experiment, why=plan.told(frame)), (reading,))
    scale = names.scale(spec.primary)
    able, blind, between = plan_tables.by_worth(plan, spec.power)
    whole = plan.overall.loc[plan.overall["power"].idxmin()]
    told = {
        "effect": scale.promised(spec.smallest_effect),
        "metric": names.describe(spec.primary),
        "power_all": words.percent(float(whole["power"])),
        "mde": scale.size(float(whole["mde"])),
        "day": words.date(spec.closes_on),
        "days": f"{plan.days:,}",
    }
    worth = "yes" if whole["power"] >= spec.power else "hardly" if whole["power"] >= NO_POWER else "no"
    known = {"able": able, "hardly": between, "blind": blind}
    parts = [words.say(f"part_{name}", tiers=_few_named(tiers, page, names)) for name, tiers in known.items() if tiers]
    by_tier = words.say("verdict_plan_tiers", parts=CLAUSE[words.language].join(parts))
    verdict = (" " if words.language == "en" else "").join([words.say(f"verdict_plan_{worth}", **told), by_tier])
    count = f"{len(able)} / {len(able) + len(blind) + len(between)}"
    figures = (
        Figure(words.label("tiers_worth_testing"), count),
        Figure(words.label("seen_overall"), told["mde"], words.say("wanted_effect", effect=told["effect"])),
        Figure(words.label("power_overall"), told["power_all"], words.say("at_effect", **told)),
        Figure(words.label("customers_needed"), frame.count(float(whole["units"]))),
        Figure(words.label("how_long"), words.say("n_days_is", n=told["days"]), words.say("until_day", **told)),
    )
    return Headline(verdict, figures)


def power(outset: Outset, page: Page) -> Note | None:
    """Draw how likely each tier is to show the smallest effect worth acting on."""
    if outset.promise is None:
        return None
    plan, names = outset.plan, outset.names(page)
    if isinstance(plan, Reason):
        return missing("plan", plan, page)
    tiers, overall = plan_tables.power_cells(plan, names)
    page.show(plots_experiment.power_bars(tiers, overall, names=names))
    return None


def by_tier(outset: Outset, page: Page) -> Table | None:
    """Write what each tier can see with each arm."""
    plan = _planned(outset)
    return None if plan is None else plan_tables.tiers_table(plan, outset.names(page))


def allocation(outset: Outset, page: Page) -> Table | None:
    """Write how units could be spread over arms and tiers."""
    plan = _planned(outset)
    return None if plan is None else plan_tables.allocation_table(plan, outset.names(page))


def length(outset: Outset, page: Page) -> Note | None:
    """Say how long it takes, and why."""
    plan = _planned(outset)
    if plan is None or outset.promise is None:
        return None
    spec, words = outset.promise.spec, page.words
    told = {
        "window": f"{spec.window_days:,}",
        "assigned": words.span(spec.assigned.first, spec.assigned.last),
        "day": words.date(spec.closes_on),
        "days": f"{plan.days:,}",
        "weeks": words.number(round(float(plan.weeks_to_fill), 1)),
    }
    parts = [words.say("plan_length", **told)]
    weeks = plan.weeks_to_fill
    key = "plan_never_fills" if not math.isfinite(weeks) else "plan_fills" if weeks > 0 else "plan_is_full"
    parts.append(words.say(key, **told))
    if spec.unit == "cluster":
        effect, icc = (words.number(round(float(value), 3)) for value in (plan.design_effect, plan.icc))
        parts.append(words.say("plan_groups", effect=effect, icc=icc))
    return Note((" " if words.language == "en" else "").join(parts))


def promise_table(outset: Outset, page: Page) -> Table | None:
    """Write what was promised, in words."""
    if outset.promise is None:
        return None
    plan = None if isinstance(outset.plan, Reason) else outset.plan
    return plan_tables.promise_table(outset.names(page), plan if outset.promise.plan is not None else None)


def plan_missing(outset: Outset, page: Page) -> Note | None:
    """Say where nothing was written before the experiment began."""
    return plan_note(outset.promise, page) if outset.promise else None


def checks(outset: Outset, page: Page) -> Table | None:
    """Write what is doubtful about the plan."""
    plan = _planned(outset)
    if plan is None or outset.promise is None:
        return None
    found: Sequence[Check] = plan.checks
    if plan.spec_sha256 != outset.promise.spec.sha256:
        found = (*found, Check("plan_hash", "failed", "the experiment file is not the one that was planned"))
    return trial_tables.trial_checks(found, outset.names(page), frame=page.frame)


def recorded(outset: Outset) -> dict[str, object]:
    """Return what the page's results hold beside the headline."""
    if outset.promise is None:
        return {"experiment": None}
    spec = outset.promise.spec
    about: dict[str, object] = {"experiment": spec.experiment, "state": outset.promise.state}
    if isinstance(outset.plan, Reason):
        return about | {"not_planned": outset.plan.key}
    able, blind, _ = plan_tables.by_worth(outset.plan, spec.power)
    about |= {"spec_sha256": spec.sha256, "planned_as_of": outset.plan.as_of, "able": able, "not_to_test": blind}
    return about | {"days": outset.plan.days, "mde": _plain(outset.plan.overall)}


def _few_named(tiers: Sequence[str], page: Page, names: Names) -> str:
    """Name some tiers and count the others."""
    rest = len(tiers) - NAMED_AT_MOST
    named = names.listed(tiers[:NAMED_AT_MOST])
    more = [page.words.say("and_others", n=str(rest))] if rest > 0 else []
    return page.words.label("between").join([named, *more])


def _planned(outset: Outset) -> Plan | None:
    return None if isinstance(outset.plan, Reason) else outset.plan


def _plain(overall: pd.DataFrame) -> dict[str, Any]:
    return {
        str(arm): round(float(mde), 6) if math.isfinite(mde) else MISSING
        for arm, mde in zip(overall.index, overall["mde"], strict=True)
    }
