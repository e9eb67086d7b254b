"""Cells of the page on an experiment's result: each shows one thing, or says why it is not there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import ToolkitError
from toolkit.report import plots_experiment, trial_tables
from toolkit.report.experiments import Promise, promised, refused, tiering
from toolkit.report.headline import Figure, Headline
from toolkit.report.note import Note
from toolkit.report.outlook import Reason, missing
from toolkit.report.risk_tables import written_p
from toolkit.report.trial_cells import arm_counts, publishable
from toolkit.report.trial_ratio import assigned_so_far
from toolkit.report.trial_story import Points, first_sentences, points, ratio_said
from toolkit.report.trial_words import Names, Scale, percent_signed
from toolkit.report.words import MISSING, TOTAL
from toolkit.strategy.evaluate import evaluate
from toolkit.strategy.sample_ratio import SampleRatio

if TYPE_CHECKING:
    from toolkit.data.warehouse import Warehouse
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.strategy.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Trial:
    """One experiment's result as a page may show it.

    Attributes
    ----------
    promise
        The experiment; None where the study has none.
    result
        Its evaluation without what few people stand behind, or why there is none.
    ratio
        Who was assigned to which arm by the report's day; None where nobody was.
    """

    promise: Promise | None
    result: Evaluation | Reason
    ratio: SampleRatio | None = None

    def names(self, page: Page) -> Names:
        """Return how the names of its file are written."""
        if self.promise is None:
            raise TypeError("there is no experiment to name")
        return Names(self.promise.spec, page.frame)


def look(study: Warehouse, page: Page, experiment: str = "") -> Trial:
    """Evaluate an experiment at the report's day: the last one that has begun, or the one of that id."""
    promise = promised(study, page, experiment, begun=True)
    if promise is None:
        return Trial(None, Reason("no_experiment"))
    if promise.state == "planned":
        return Trial(promise, Reason("not_begun", {"first": page.words.date(promise.spec.assigned.first)}))
    spec = promise.spec
    ratio = assigned_so_far(study, spec, page.as_of) if promise.state == "running" else None
    try:
        found = evaluate(study, spec, as_of=page.as_of, plan=promise.plan, tiers=tiering(study, spec))
    except ToolkitError as error:
        return Trial(promise, refused(error, promise, page), ratio)
    ratio = ratio or SampleRatio(found.sample_ratio, found.sample_ratio_status, ())
    return Trial(promise, publishable(found, frame=page.frame), ratio)


def trial_story(trial: Trial, page: Page) -> Headline:
    """Say whether it worked, where, and whether that can be relied on."""
    words, frame = page.words, page.frame
    if trial.promise is None:
        return Headline(words.say("verdict_no_experiment"), ())
    spec, result = trial.promise.spec, trial.result
    days = words.say("n_days_is", n=f"{max(0, (spec.closes_on - page.as_of).days):,}")
    reading = Figure(words.label("reading_in"), days, words.date(spec.closes_on))
    if trial.promise.state == "running" and trial.ratio is not None:
        return _running(trial.ratio, trial.names(page), reading)
    if isinstance(result, Reason):
        return Headline(words.say("verdict_no_result", experiment=spec.experiment, why=result.told(frame)), (reading,))
    names = trial.names(page)
    verdict = first_sentences(result, names)
    ratio = Figure(words.label("sample_ratio"), words.label(result.sample_ratio_status))
    size = Figure(words.label("units_analysed"), frame.count(result.units))
    if result.withheld:
        return Headline(verdict, (size, ratio))
    scale = names.scale(result.primary)
    figures = []
    rows = result.overall[result.overall["metric"] == result.primary].to_dict("records")
    for row in rows[:2]:
        label = words.label("lift_overall") if len(rows) == 1 else words.say("lift_of", arm=str(row["arm"]))
        figures.append(Figure(label, scale.lift(row["lift"]), scale.span(row["lower"], row["upper"])))
    if len(rows) == 1:
        relative = rows[0]["relative_lift"]
        told = percent_signed(relative) if math.isfinite(relative) else MISSING
        figures.append(Figure(words.label("relative_lift"), told))
        figures.append(Figure(words.label("control_value"), scale.value(rows[0]["control_value"])))
    profit = result.profit[result.profit["tier"].astype(str) == TOTAL].to_dict("records") if len(result.profit) else []
    if len(profit) == 1 and math.isfinite(profit[0]["lift"]):
        money, per_unit = Scale.of_money(frame), words.label("profit_per_unit")
        figures.append(
            Figure(per_unit, money.lift(profit[0]["lift"]), money.span(profit[0]["lower"], profit[0]["upper"]))
        )
    return Headline(verdict, (*figures, size, ratio)[:6])


def ratio_table(trial: Trial, page: Page) -> Table | None:
    """Write who got which arm, before any effect is read."""
    if trial.ratio is None:
        return None
    table = trial.ratio.table
    return trial_tables.ratio_table(table, arm_counts(table, frame=page.frame), trial.names(page))


def ratio_note(trial: Trial, page: Page) -> Note | None:
    """Say how many more tests of the sample ratio were made, and how the worst came out."""
    if trial.ratio is None:
        return None
    table = trial.ratio.table.dropna(subset=["p_value"]).drop_duplicates(["scope", "value"])
    worst = written_p(float(table["p_adjusted"].min()))
    more = int((~table["scope"].isin(["overall", "tier"])).sum())
    key = "ratio_further" if more else "ratio_these"
    return Note(page.words.say(key, n=str(len(table)), more=str(more), p=worst))


def checks(trial: Trial, page: Page) -> Table | None:
    """Write what is doubtful about the experiment."""
    if isinstance(trial.result, Reason):
        return None
    return trial_tables.trial_checks(trial.result.checks, trial.names(page), frame=page.frame)


def known(trial: Trial, page: Page) -> Points | Note | None:
    """Say what is known, what is not, and what it does not mean; or why no effect is shown."""
    if trial.promise is None:
        return None
    if isinstance(trial.result, Reason):
        return missing("effects", trial.result, page)
    return points(trial.result, trial.names(page))


def forest(trial: Trial, page: Page) -> Note | None:
    """Draw the effect in every tier and overall."""
    result = _shown(trial)
    if result is None:
        return _why_not(trial, page)
    names = trial.names(page)
    scale = names.scale(result.primary)
    tiers = result.tiers[result.tiers["metric"] == result.primary]
    overall = result.overall[result.overall["metric"] == result.primary]
    picture = plots_experiment.effect_forest(
        tiers.assign(tier=tiers["tier"].astype(str), told=_told(tiers, scale, page)),
        overall.assign(told=_told(overall, scale, page)),
        names=names,
        smallest=result.smallest_effect,
    )
    page.show(picture)
    return None


def tiers_table(trial: Trial, page: Page) -> Table | None:
    """Write the same as a table."""
    result = _shown(trial)
    return None if result is None else trial_tables.tiers_table(result, trial.names(page))


def overall_table(trial: Trial, page: Page) -> Table | Note | None:
    """Write the overall effect on every metric."""
    result = _shown(trial)
    return _why_not(trial, page) if result is None else trial_tables.overall_table(result, trial.names(page))


def other_tiers(trial: Trial, page: Page) -> Table | None:
    """Write the effects on other metrics by tier."""
    result = _shown(trial)
    return None if result is None else trial_tables.other_tiers_table(result, trial.names(page))


def guardrails(trial: Trial, page: Page) -> Table | Note | None:
    """Write whether anything got worse that must not."""
    result = _shown(trial)
    if result is None:
        return None
    return trial_tables.guardrails_table(result, trial.names(page)) or Note(page.words.say("no_guardrails"))


def profit(trial: Trial, page: Page) -> Table | Note | None:
    """Write what each arm brings after its cost."""
    result = _shown(trial)
    if result is None:
        return None
    return trial_tables.profit_table(result, trial.names(page)) or Note(page.words.say("no_profit"))


def redraws(trial: Trial, page: Page) -> Note | None:
    """Draw what chance alone gives, one picture an arm."""
    result = _shown(trial)
    if result is None:
        return _why_not(trial, page)
    rows = result.overall[result.overall["metric"] == result.primary]
    for _, row in rows[rows["se"] > 0].iterrows():
        mine = result.draws[result.draws["arm"] == row["arm"]] if len(result.draws) else pd.DataFrame()
        statistics = mine["statistic"].to_numpy(dtype=float) if len(mine) else pd.Series(dtype=float).to_numpy()
        page.show(plots_experiment.redraw_bars(statistics, row, names=trial.names(page), alpha=result.alpha))
    return None


def method(trial: Trial, page: Page) -> Note | None:
    """Say which test served, and how much noise the covariate took away."""
    result = _shown(trial)
    if result is None:
        return None
    words = page.words
    rows = result.overall[result.overall["metric"] == result.primary]
    row = rows.iloc[0]
    parts = [words.say(f"method_{row['test']}", n=f"{len(result.draws) // max(1, len(rows)):,}")]
    if math.isfinite(row["variance_ratio"]) and row["variance_ratio"] < 1:
        parts.append(words.say("method_covariate", share=words.percent(1 - float(row["variance_ratio"]))))
    tests = result.interaction[result.interaction["metric"] == result.primary]
    for test in tests.to_dict("records"):
        if math.isfinite(test["p_value"]):
            told = {"statistic": f"{test['statistic']:.2f}", "p": written_p(test["p_value"]), "arm": str(test["arm"])}
            freedom = {name: words.number(round(float(test[name]), 1)) for name in ("df_num", "df_den")}
            parts.append(words.say("method_interaction", **told, **freedom))
    return Note((" " if words.language == "en" else "").join(parts))


def recorded(trial: Trial) -> dict[str, object]:
    """Return what the page's results hold beside the headline."""
    if trial.promise is None:
        return {"experiment": None}
    about: dict[str, object] = {"experiment": trial.promise.spec.experiment, "state": trial.promise.state}
    if isinstance(trial.result, Reason):
        return about | {"not_evaluated": trial.result.key}
    result = trial.result
    about |= {"sample_ratio": result.sample_ratio_status, "withheld": list(result.withheld)}
    rows = result.overall[result.overall["metric"] == result.primary].to_dict("records")
    lifts = {
        str(row["arm"]): {name: _rounded(row[name]) for name in ("lift", "lower", "upper", "p_value")} for row in rows
    }
    return about | {"primary": result.primary, "overall": lifts, "failed_checks": _failed(result)}


def _running(ratio: SampleRatio, names: Names, reading: Figure) -> Headline:
    """Say that it is too early, and whether what can be looked at is as planned."""
    words, frame = names.frame.words, names.frame
    parts = [words.say("said_peeking", day=words.date(names.spec.closes_on))]
    if ratio.status != "green":
        parts.insert(0, ratio_said(f"said_ratio_running_{ratio.status}", ratio.table, names))
    units = int(ratio.table.loc[ratio.table["scope"] == "overall", "n"].sum())
    assigned = Figure(words.label("assigned_so_far"), frame.count(units), names.units)
    state = Figure(words.label("sample_ratio"), words.label(ratio.status))
    return Headline((" " if words.language == "en" else "").join(parts), (assigned, state, reading))


def _shown(trial: Trial) -> Evaluation | None:
    """Return the evaluation where its effects may be seen."""
    return None if isinstance(trial.result, Reason) or trial.result.withheld else trial.result


def _why_not(trial: Trial, page: Page) -> Note | None:
    """Say in one line why effects are not there; nothing where the first cells have said it."""
    if isinstance(trial.result, Reason):
        return None
    return Note(page.words.say("effects_withheld"))


def _told(rows: pd.DataFrame, scale: Scale, page: Page) -> list[str]:
    """Write each effect with its interval, or what is in its place."""
    return [
        f"{scale.lift(row['lift'])} ({scale.span(row['lower'], row['upper'])})"
        if math.isfinite(row["lift"])
        else page.words.label(f"status_{row['status']}")
        for row in rows.to_dict("records")
    ]


def _rounded(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None


def _failed(result: Evaluation) -> list[str]:
    return sorted({check.code for check in result.checks if check.status == "failed"})
