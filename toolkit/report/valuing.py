"""Cells of the page on value: each shows one thing, or one line that says why it is not there."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import ToolkitError
from toolkit.report import plots_value, value_tables
from toolkit.report.headline import Figure, Headline
from toolkit.report.keeping import key_of
from toolkit.report.note import Note
from toolkit.report.outlook import Reason, missing
from toolkit.report.results import is_published
from toolkit.report.risk_checks import checks_table, served_name
from toolkit.report.risking import changed
from toolkit.report.words import MISSING, TOTAL
from toolkit.risk.tracking import track
from toolkit.risk.value import BetaGeo, value_total
from toolkit.schema import ORDER_DAYS, RECENCY_DAYS, SEGMENT, TENURE_DAYS

if TYPE_CHECKING:
    from toolkit.data.warehouse import Warehouse
    from toolkit.report.outlook import Outlook
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.rfm import RFM

LISTED = 20
_SHARE = 0.5


def value_story(ahead: Outlook, before: Outlook | None, page: Page) -> Headline:
    """Say what buyers are expected to spend, how concentrated that is, and how few hold half of the money at risk."""
    words, frame = page.words, page.frame
    if ahead.orders is None or ahead.spend is None:
        return Headline(words.say("verdict_no_value", why=ahead.reasons["value"].told(frame)), ())
    total = value_total(ahead.buyers, ahead.orders, ahead.spend, days=ahead.horizon).loc["spend"]
    spend, low, high = (float(total[name]) for name in ("expected", "lower", "upper"))
    fifth = value_tables.top_share(ahead.worth["expected_spend"], 0.2)
    since = changed(spend, float(before.worth["expected_spend"].sum()), page) if before else ""
    told = {"n": str(ahead.horizon), "buyers": frame.count(len(ahead.buyers)), "fifth": words.percent(fifth)}
    verdict = words.say("verdict_value", spend=frame.money(spend), low=frame.money(low), high=frame.money(high), **told)
    figures = [
        Figure(words.label("expected_spend_ahead"), frame.money(spend), since),
        Figure(words.label("top_fifth_expected"), words.percent(fifth)),
    ]
    alive = ahead.worth["p_alive"][ahead.buyers[ORDER_DAYS] > 1]
    if alive.notna().any():
        of = words.say("of_repeaters", n=frame.count(len(alive)))
        figures.append(Figure(words.label("still_alive"), frame.count(round(float(alive.sum()))), of))
    money = ahead.money_at_risk
    if len(money):
        first = value_tables.holders_of(money, _SHARE)
        few = frame.small(first)
        share = MISSING if few else words.percent(first / len(ahead.buyers))
        at_risk = float(money.sum())
        since_risk = changed(at_risk, float(before.money_at_risk.sum()), page) if before else ""
        verdict += words.say("verdict_save", save=frame.count(first), share=share, money=frame.money(at_risk))
        figures += [
            Figure(words.label("money_at_risk"), frame.money(at_risk), since_risk),
            Figure(words.label("to_save_first"), frame.count(first), words.say("half_of_money")),
        ]
    return Headline(verdict, tuple(figures))


def save_grid(ahead: Outlook, page: Page) -> Note | None:
    """Draw risk against value with the money at risk in each cell."""
    if (why := _why_not(ahead, page)) is not None:
        return why
    counts = value_tables.save_counts(ahead.table, frame=page.frame)
    money = value_tables.save_money(ahead.table, counts, frame=page.frame)
    page.show(plots_value.save_grid(counts, money, horizon=ahead.horizon, frame=page.frame))
    return None


def save_list(ahead: Outlook, tiers: RFM, study: Warehouse, page: Page) -> Table | Note | None:
    """List the buyers with most money at risk under pseudonyms; a published page lists nobody."""
    if _why_not(ahead, page) is not None:
        return None
    if is_published():
        return Note(page.words.say("list_not_published"))
    types = tiers.transform(ahead.buyers)[SEGMENT]
    table = ahead.table.assign(recency_days=ahead.buyers[RECENCY_DAYS])
    return value_tables.save_list(table, types, SEGMENT, key_of(study), top=LISTED, frame=page.frame)


def by_type(ahead: Outlook, tiers: RFM, page: Page) -> pd.DataFrame:
    """Add up by type what is expected and what is at risk; no rows where it cannot be estimated."""
    if ahead.orders is None or ahead.spend is None or _why_not(ahead, page) is not None:
        return pd.DataFrame()
    types = tiers.transform(ahead.buyers)[SEGMENT]
    repeats = ahead.buyers[ORDER_DAYS] > 1
    known = ahead.table.assign(p_alive=ahead.worth["p_alive"].where(repeats))
    groups = {str(name): ahead.buyers.index[(types == name).to_numpy()] for name in types.dropna().unique()}
    totals = {
        name: value_total(ahead.buyers.loc[ids], ahead.orders, ahead.spend, days=ahead.horizon)
        for name, ids in {**groups, TOTAL: ahead.buyers.index}.items()
    }
    return value_tables.by_tier(known, types, totals, frame=page.frame)


def money_bars(table: pd.DataFrame, ahead: Outlook, page: Page) -> Note | None:
    """Draw money at risk by type."""
    if table.empty:
        return _why_not(ahead, page)
    page.show(plots_value.money_bars(table, by=SEGMENT, horizon=ahead.horizon, frame=page.frame))
    return None


def type_table(table: pd.DataFrame, page: Page) -> Table | None:
    """Write the same with everything that is expected."""
    return None if table.empty else value_tables.tier_table(table, SEGMENT, frame=page.frame)


def spend_dots(table: pd.DataFrame, ahead: Outlook, page: Page) -> Note | None:
    """Draw what a buyer of each type is expected to spend."""
    if table.empty:
        return _why_not(ahead, page)
    page.show(plots_value.spend_dots(table, by=SEGMENT, horizon=ahead.horizon, frame=page.frame))
    return None


def alive_bars(table: pd.DataFrame, page: Page) -> None:
    """Draw which share of each type's repeat buyers is still active."""
    if not table.empty and table["mean_p_alive"].notna().any():
        page.show(plots_value.alive_bars(table, by=SEGMENT, frame=page.frame))


def pareto(ahead: Outlook, page: Page) -> Note | None:
    """Draw how concentrated expected spend is."""
    if ahead.worth.empty:
        return missing("value", ahead.reasons["value"], page)
    curve = value_tables.concentration(ahead.worth["expected_spend"])
    page.show(plots_value.expected_pareto(curve, horizon=ahead.horizon, frame=page.frame))
    return None


def tracked(study: Warehouse, ahead: Outlook) -> pd.DataFrame | Reason:
    """Follow the buyers of an earlier day, of which alone the model knows, up to the report's day."""
    if "value" in ahead.reasons:
        return ahead.reasons["value"]
    log = int(ahead.buyers[TENURE_DAYS].max())
    back = 2 * ahead.horizon if log >= 4 * ahead.horizon else ahead.horizon
    if log < back + ahead.horizon:
        return Reason("no_tracking")
    day = ahead.as_of - timedelta(days=back)
    try:
        model = BetaGeo().fit(study.snapshot(day, columns=[ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS]))
        found = track(study, model, ahead.as_of)
    except ToolkitError as error:
        return Reason.of(error)
    return Reason("table_serves") if found["expected"].isna().any() else found


def tracking(found: pd.DataFrame | Reason, page: Page) -> Note | None:
    """Draw actual against expected repeat orders, and say how far they are apart after the model's day."""
    if isinstance(found, Reason):
        return missing("tracking", found, page)
    weeks = found.set_index("day")
    fitted = weeks.index[~weeks["forecast"].to_numpy()][-1]
    page.show(plots_value.tracking_lines(weeks, frame=page.frame))
    counts = weeks[["actual", "expected"]]
    since = counts.iloc[-1] - counts.loc[fitted]
    told = {name: page.frame.count(round(float(since[name]))) for name in ("actual", "expected")}
    days = (weeks.index[-1] - fitted).days
    return Note(page.words.say("tracking_note", day=page.words.date(fitted.date()), n=f"{days:,}", **told))


def independence(ahead: Outlook, page: Page) -> Note | None:
    """Say whether how often and how much are related, which the model of order values assumes they are not."""
    if ahead.spend is None:
        return None
    r, low, high = ahead.spend.correlation_
    if not all(map(math.isfinite, (r, low, high))):
        return Note(page.words.say("independence_unknown"))
    key = "independence_fails" if ahead.spend.independence_.status == "failed" else "independence_holds"
    told = {name: f"{value:.2f}".replace("-", "−") for name, value in (("r", r), ("low", low), ("high", high))}
    return Note(page.words.say(key, **told))


def parameters(ahead: Outlook, page: Page) -> Table | None:
    """Write the parameters of both models with their intervals."""
    if ahead.orders is None or ahead.spend is None:
        return None
    models = [(ahead.orders.served_, ahead.orders.params_), (ahead.spend.served_, ahead.spend.params_)]
    known = [(served, params) for served, params in models if params["value"].notna().all()]
    return value_tables.parameters_table(known, frame=page.frame) if known else None


def served_note(ahead: Outlook, page: Page) -> Note | None:
    """Say which models served, and what their intervals hold."""
    if ahead.orders is None or ahead.spend is None:
        return None
    names = {
        "orders": served_name(ahead.orders.served_, page.frame),
        "spend": served_name(ahead.spend.served_, page.frame),
    }
    between = " " if page.frame.language == "en" else ""
    return Note(between.join(page.words.say(key, **names) for key in ("value_served", "intervals_of_value")))


def checks(ahead: Outlook, page: Page) -> Table | None:
    """Write what is doubtful about the models."""
    if ahead.orders is None or ahead.spend is None:
        return None
    return checks_table((*ahead.orders.checks_, *ahead.spend.checks_), frame=page.frame)


def caveats(page: Page) -> Note:
    """Say what expected spend and money at risk are not."""
    return Note(page.words.say("value_caveats"))


def recorded(ahead: Outlook) -> dict[str, object]:
    """Return what the page's results hold beside the headline."""
    known: dict[str, object] = {"horizon": ahead.horizon}
    if ahead.orders is None or ahead.spend is None:
        return known | {"not_estimated": ahead.reasons["value"].key}
    known["served"] = [ahead.orders.served_, ahead.spend.served_]
    money = {"expected_spend": ahead.worth["expected_spend"], "money_at_risk": ahead.money_at_risk}
    return known | {name: round(float(values.sum())) for name, values in money.items() if len(values)}


def _why_not(ahead: Outlook, page: Page) -> Note | None:
    """Say what is missing of risk and value, or nothing where both are there."""
    for what in ("value", "risk"):
        if what in ahead.reasons:
            return missing(what, ahead.reasons[what], page)
    return None
