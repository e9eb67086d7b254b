"""Cells of the page on risk: each shows one thing, or one line that says why it is not there."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.report import plots_curves, plots_risk
from toolkit.report.backtest_tables import (
    own_means,
)
from toolkit.report.headline import Figure, Headline
from toolkit.report.note import Note
from toolkit.report.outlook import ENOUGH_BUYERS, Reason, missing, read_at
from toolkit.report.risk_checks import checks_table, served_name
from toolkit.report.risk_tables import (
    BANDS,
    HIGH,
    SURE,
    at_risk,
    bands_of,
    by_risk,
    curves_cells,
    drivers_table,
    mean_risks,
    risk_bands,
    written_p,
)
from toolkit.report.words import MISSING
from toolkit.risk.clock import ChurnClock
from toolkit.risk.curves import SurvivalCurves, survival_curves
from toolkit.risk.validation import Backtest
from toolkit.schema import LANDMARK, SEGMENT
from toolkit.segments.classify import SCORED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.outlook import Outlook
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.rfm import RFM

PAIRS_NAMED = 4


def curves_of(study: Warehouse, ahead: Outlook, tiers: RFM) -> SurvivalCurves | Reason:
    """Follow the buyers of the day one horizon ago, by the type they had then, or say why it cannot be done."""
    if "risk" in ahead.reasons:
        return ahead.reasons["risk"]
    landmark = ahead.as_of - timedelta(days=ahead.horizon)
    try:
        seen = study.episodes([landmark], as_of=ahead.as_of, columns=list(SCORED))
        return survival_curves(tiers.transform(seen), by=SEGMENT, horizon=ahead.horizon)
    except ToolkitError as error:
        return Reason.of(error)


def risk_story(
    ahead: Outlook, before: Outlook | None, grades: Backtest | Reason, found: ChurnClock | Reason, page: Page
) -> Headline:
    """Say how many are at high risk, how much money that is, and how far the risk can be trusted."""
    words, frame = page.words, page.frame
    if ahead.churn is None:
        return Headline(words.say("verdict_no_risk", why=ahead.reasons["risk"].told(frame)), ())
    risk = ahead.own_risk
    high = int((risk >= HIGH).sum())
    since_high = changed(high, int((before.own_risk >= HIGH).sum()), page, people=True) if before else ""
    share = MISSING if frame.small(high) else words.percent(high / len(risk))
    told = {"n": str(ahead.horizon), "from_risk": words.percent(HIGH), "buyers": frame.count(len(risk))}
    verdict = words.say("verdict_risk", high=frame.count(high), share=share, **told)
    figures = [
        Figure(words.label("buyers_at_high_risk"), frame.count(high), since_high),
        Figure(words.label("mean_risk"), words.percent(float(risk.mean()))),
    ]
    if len(ahead.money_at_risk):
        at_risk, active = (float(ahead.table[name].sum()) for name in ("money_at_risk", "expected_spend_given_active"))
        since = changed(at_risk, float(before.money_at_risk.sum()), page) if before else ""
        verdict += words.say("verdict_risk_money", money=frame.money(at_risk), active=frame.money(active))
        figures.append(Figure(words.label("money_at_risk"), frame.money(at_risk), since))
    if isinstance(found, ChurnClock):
        window = words.say("n_days_is", n=f"{found.recommended:,}")
        figures.append(Figure(words.label("churn_window"), window))
    if isinstance(grades, Reason):
        return Headline(verdict + words.say("verdict_not_graded"), tuple(figures))
    own = own_means(grades)
    auc, slope = f"{own['auc']:.2f}", f"{own['slope']:.2f}"
    shares = {name: words.percent(own[key]) for name, key in (("predicted", "mean_risk"), ("observed", "observed"))}
    verdict += words.say("verdict_graded", origins=f"{own['origins']:.0f}", auc=auc, slope=slope, **shares)
    figures.append(Figure(words.label("auc_out_of_time"), auc))
    figures.append(Figure(words.label("calibration_slope"), slope))
    return Headline(verdict, tuple(figures))


def bands(ahead: Outlook, tiers: RFM, page: Page) -> Note | None:
    """Draw how each type's buyers spread over bands of risk."""
    if ahead.churn is None:
        return missing("risk", ahead.reasons["risk"], page)
    types = tiers.transform(ahead.buyers)[SEGMENT]
    cells = risk_bands(ahead.own_risk, types, frame=page.frame)
    means = mean_risks(ahead.own_risk, types, frame=page.frame)
    page.show(plots_risk.risk_bars(cells, means, by=SEGMENT, horizon=ahead.horizon, frame=page.frame))
    return None


def curves(found: SurvivalCurves | Reason, ahead: Outlook, page: Page) -> Note | None:
    """Draw how soon each type comes back."""
    if isinstance(found, Reason):
        return missing("curves", found, page)
    left = at_risk(found.curves, _days_named(ahead.horizon), frame=page.frame)
    since = (ahead.as_of - timedelta(days=ahead.horizon)).isoformat()
    page.show(plots_curves.curve_lines(found.curves, left, by=SEGMENT, since=since, frame=page.frame))
    return None


def curves_table(found: SurvivalCurves | Reason, page: Page) -> Table | None:
    """Write how many of each type ordered, and how soon."""
    return None if isinstance(found, Reason) else curves_cells(found.summary, frame=page.frame)


def curves_note(found: SurvivalCurves | Reason, page: Page) -> Note | None:
    """Say whether the types differ, and which neighbours do not surely."""
    if isinstance(found, Reason) or len(found.summary) < 2:
        return None
    words, test = page.words, found.logrank
    said = words.say("curves_apart" if test.p_value < SURE else "curves_alike", p=written_p(test.p_value))
    pairs = found.contrasts[~found.contrasts["small"].astype(bool)]
    alike = pairs[pairs["p_adjusted"] >= SURE]
    named = [
        words.say("pair", one=words.segment(str(one)), other=words.segment(str(other)))
        for one, other in zip(alike["group"], alike["other"], strict=True)
    ]
    if pairs.empty:
        return Note(said)
    key = "pairs_many_alike" if len(named) > PAIRS_NAMED else "pairs_alike" if named else "pairs_all_apart"
    told = {"n": f"{len(pairs):,}", "alike": f"{len(named):,}", "pairs": words.label("between").join(named)}
    return Note(said + words.say(key, **told))


def drivers(ahead: Outlook, page: Page) -> Note | None:
    """Draw what raises and what lowers risk."""
    if ahead.churn is None:
        return missing("risk", ahead.reasons["risk"], page)
    told = by_risk(ahead.churn.drivers(), ahead.churn.outcome)
    if told.empty:
        return Note(page.words.say("no_drivers"))
    page.show(plots_risk.drivers_forest(told, outcome=ahead.churn.outcome, frame=page.frame))
    return None


def drivers_of(ahead: Outlook, page: Page) -> Table | None:
    """Write the same as a table."""
    if ahead.churn is None:
        return None
    told = by_risk(ahead.churn.drivers(), ahead.churn.outcome)
    return None if told.empty else drivers_table(told, frame=page.frame)


def members(study: Warehouse, ahead: Outlook, page: Page) -> Note | None:
    """Draw how long members stay, entering late those who were there before."""
    if "memberships" not in study.files:
        return Note(page.words.say("no_members"))
    landmark = ahead.as_of - timedelta(days=2 * ahead.horizon)
    try:
        seen = study.episodes([landmark], as_of=ahead.as_of, columns=[], outcome="end")
        late = survival_curves(seen)
        naive = survival_curves(seen.assign(entry_days=0.0))
    except ToolkitError as error:
        return missing("members", Reason.of(error), page)
    if len(seen) < ENOUGH_BUYERS:
        few = Reason("few_members", {"n": page.frame.count(len(seen)), "need": str(ENOUGH_BUYERS)})
        return missing("members", few, page)
    page.show(plots_curves.member_curve(late.curves, naive=naive.curves, frame=page.frame))
    return Note(page.words.say("members_explained", n=page.frame.count(len(seen)), day=page.words.date(landmark)))


def fit_note(ahead: Outlook, page: Page) -> Note | None:
    """Say what the model learned from and which one served."""
    if ahead.churn is None:
        return None
    words, days = page.words, ahead.episodes[LANDMARK]
    told = {
        "landmarks": str(days.nunique()),
        "first": words.date(days.min().date()),
        "last": words.date(days.max().date()),
        "episodes": f"{ahead.churn.n_episodes_:,}",
        "events": page.frame.count(ahead.churn.n_events_),
        "served": served_name(ahead.churn.served_, page.frame),
    }
    return Note(words.say("fit_note", **told))


def checks(parts: Sequence[object], page: Page) -> Table:
    """Write what is doubtful about the model, the curves, the clock and the back-test."""
    told = [getattr(part, name, ()) for part in parts for name in ("checks", "checks_")]
    return checks_table((check for checks_of in told for check in checks_of), frame=page.frame)


def lists_note(ahead: Outlook, page: Page) -> Note | None:
    """Say where the risk of each buyer is found."""
    return Note(page.words.say("risk_in_your_notebook")) if ahead.churn is not None else None


def recorded(ahead: Outlook, grades: Backtest | Reason, found: ChurnClock | Reason, page: Page) -> dict[str, object]:
    """Return what the page's results hold beside the headline."""
    known: dict[str, object] = {"horizon": ahead.horizon}
    if ahead.churn is None:
        return known | {"not_estimated": ahead.reasons["risk"].key}
    cells = bands_of(ahead.own_risk.dropna()).value_counts()
    known["served"] = ahead.churn.served_
    known["buyers_by_risk"] = {str(band): page.frame.count(int(cells.get(str(band), 0))) for band in BANDS}
    if isinstance(grades, Backtest):
        own = own_means(grades)
        names = ("brier", "log_loss", "auc", "slope", "mean_risk", "observed")
        known["out_of_time"] = {name: round(own[name], 3) for name in names if math.isfinite(own[name])}
    if isinstance(found, ChurnClock):
        known["churn_window_days"] = found.recommended
    return known


def _days_named(horizon: int) -> list[int]:
    """Return the days that the axis of curves names: thirds of the horizon."""
    return sorted({0, round(horizon / 3), round(2 * horizon / 3), horizon})


def earlier(study: Warehouse, ahead: Outlook, page: Page) -> Outlook | None:
    """Read the same models a month before; nothing where no order is that old."""
    try:
        return read_at(study, ahead, page.month_before)
    except ToolkitError:
        return None


def changed(now: float, then: float, page: Page, *, people: bool = False) -> str:
    """Say how much a figure changed since the month before; nothing where few people are behind it."""
    frame = page.frame
    if not then or (people and any(map(frame.small, (now, then, abs(now - then))))):
        return ""
    size = f"{100 * (now / then - 1):+.1f}%".replace("-", "−")
    return frame.say("change_since", change=size, on=page.words.date(page.month_before))
