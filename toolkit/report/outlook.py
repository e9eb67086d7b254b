"""What lies ahead of a study's buyers: the fitted models and what they say of each, or why nothing can be said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from toolkit.errors import ToolkitError
from toolkit.report.note import Note
from toolkit.risk.churn import ChurnModel
from toolkit.risk.landmarks import training_episodes
from toolkit.risk.value import BetaGeo, GammaGamma, customer_value
from toolkit.schema import ORDER_COUNT, ORDER_DAYS, RECENCY_DAYS, REPEAT_SPEND, TENURE_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.report.frame import Frame
    from toolkit.report.page import Page

HORIZON = 90
SHORT = 30
ENOUGH_BUYERS = 60
_HISTORY = (ORDER_DAYS, RECENCY_DAYS, TENURE_DAYS, REPEAT_SPEND)


@dataclass(frozen=True)
class Reason:
    """Why something cannot be estimated: a sentence of the words, with its figures.

    Attributes
    ----------
    key
        Of the sentence, without ``why_``.
    figures
        What it names.
    """

    key: str
    figures: Mapping[str, str] = field(default_factory=dict)

    def told(self, frame: Frame) -> str:
        """Say it in the page's language."""
        return frame.say(f"why_{self.key}", **self.figures)

    @classmethod
    def of(cls, error: ToolkitError) -> Reason:
        """Return the reason that a refusal is."""
        return cls("refused", {"code": error.code})


@dataclass(frozen=True, eq=False)
class Outlook:
    """What lies ahead of a study's buyers at a day.

    Attributes
    ----------
    as_of
        The day.
    horizon
        Days ahead.
    buyers
        Their snapshot.
    churn, orders, spend
        The fitted models; None where they could not be fitted.
    episodes
        What the churn model learned from; empty where there is none.
    risk
        Probability of no order within each horizon, by buyer; no rows where there is no model.
    worth
        Output of ``customer_value``, by buyer; no rows where there is no model.
    reasons
        ``risk`` and ``value``: why there is no model.
    """

    as_of: date
    horizon: int
    buyers: pd.DataFrame
    churn: ChurnModel | None
    orders: BetaGeo | None
    spend: GammaGamma | None
    episodes: pd.DataFrame
    risk: pd.DataFrame
    worth: pd.DataFrame
    reasons: Mapping[str, Reason]

    @property
    def money_at_risk(self) -> pd.Series[float]:
        """Risk times the spend expected of each buyer if active, both over the horizon; empty without both models."""
        if self.risk.empty or self.worth.empty:
            return pd.Series(dtype="float64", name="money_at_risk")
        found: pd.Series[float] = self.own_risk * self.worth["expected_spend_given_active"]
        return found.rename("money_at_risk")

    @property
    def own_risk(self) -> pd.Series[float]:
        """Risk within the horizon, by buyer; empty where there is no model."""
        column = f"risk_{self.horizon}d"
        return self.risk[column] if column in self.risk else pd.Series(dtype="float64", name=column)

    @property
    def table(self) -> pd.DataFrame:
        """By buyer: what `customer_value` gives, ``risk`` and ``money_at_risk``; no rows without both models."""
        known = self.worth if not self.risk.empty else self.worth.iloc[:0]
        money = self.money_at_risk.reindex(known.index)
        return known.assign(risk=self.own_risk.reindex(known.index), money_at_risk=money)


def look_ahead(study: Warehouse, as_of: date, horizon: int = HORIZON) -> Outlook:
    """Fit the models of risk and value on what is visible at a day, and read them for every buyer.

    Parameters
    ----------
    study
        The study.
    as_of
        The day.
    horizon
        Days ahead.

    Returns
    -------
    Outlook
        Never an error where there is too little to learn from: the reasons say what is missing.
    """
    snap = study.snapshot(as_of)
    buyers = snap[(snap[ORDER_COUNT] > 0).to_numpy()]
    short = too_little(buyers, horizon)
    if short:
        nothing = pd.DataFrame(index=buyers.index[:0])
        reasons = {"risk": short, "value": short}
        return Outlook(as_of, horizon, buyers, None, None, None, nothing, nothing, nothing, reasons)
    reasons = {}
    churn, episodes, risk = _risk(study, as_of, horizon, buyers, reasons)
    orders, spend, worth = _value(horizon, buyers, reasons)
    return Outlook(as_of, horizon, buyers, churn, orders, spend, episodes, risk, worth, reasons)


def read_at(study: Warehouse, ahead: Outlook, day: date) -> Outlook:
    """Read the same models for the buyers of another day: what changed since is then what they did, not the models.

    Raises
    ------
    InputError
        As for ``study.snapshot``.
    """
    columns = list(dict.fromkeys([ORDER_COUNT, *_HISTORY, *(ahead.churn.features_ if ahead.churn else ())]))
    snap = study.snapshot(day, columns=columns)
    buyers = snap[(snap[ORDER_COUNT] > 0).to_numpy()]
    risk = ahead.churn.risk(buyers, horizons=(ahead.horizon,)) if ahead.churn else ahead.risk
    worth = ahead.worth
    if ahead.orders is not None and ahead.spend is not None:
        worth = customer_value(buyers, ahead.orders, ahead.spend, days=ahead.horizon)
    return replace(ahead, as_of=day, buyers=buyers, risk=risk, worth=worth)


def too_little(buyers: pd.DataFrame, horizon: int) -> Reason | None:
    """Return why nothing can be learned from buyers, or None where something can."""
    if len(buyers) < ENOUGH_BUYERS:
        return Reason("few_buyers", {"n": f"{len(buyers):,}", "need": str(ENOUGH_BUYERS)})
    log = int(buyers[TENURE_DAYS].max())
    if log < 2 * horizon:
        return Reason("short_log", {"n": f"{log:,}", "need": f"{2 * horizon:,}", "horizon": f"{horizon:,}"})
    if not (buyers[ORDER_DAYS] > 1).any():
        return Reason("no_repeaters")
    return None


def _risk(
    study: Warehouse, as_of: date, horizon: int, buyers: pd.DataFrame, reasons: dict[str, Reason]
) -> tuple[ChurnModel | None, pd.DataFrame, pd.DataFrame]:
    nothing = pd.DataFrame(index=buyers.index[:0])
    try:
        episodes = training_episodes(study, as_of, horizon)
        churn = ChurnModel().fit(episodes)
        return churn, episodes, churn.risk(buyers, horizons=sorted({SHORT, horizon}))
    except ToolkitError as error:
        reasons["risk"] = Reason.of(error)
        return None, nothing, nothing


def _value(
    horizon: int, buyers: pd.DataFrame, reasons: dict[str, Reason]
) -> tuple[BetaGeo | None, GammaGamma | None, pd.DataFrame]:
    try:
        orders, spend = BetaGeo().fit(buyers), GammaGamma().fit(buyers)
        return orders, spend, customer_value(buyers, orders, spend, days=horizon)
    except ToolkitError as error:
        reasons["value"] = Reason.of(error)
        return None, None, pd.DataFrame(index=buyers.index[:0])


def missing(what: str, why: Reason, page: Page) -> Note:
    """Say what cannot be estimated, and why."""
    words = page.words
    return Note(words.say("not_estimated", what=words.say(f"what_{what}"), why=why.told(page.frame)))
