"""Churn risk: survival models of the next order, or of a membership's end, over lifelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from toolkit.errors import ArgumentError
from toolkit.risk.churn_options import HORIZONS, refuse_horizons, refuse_options
from toolkit.risk.covariates import Design
from toolkit.risk.drivers import contributions, driver_table, explanation, no_drivers
from toolkit.risk.episode_rows import (
    FEWEST_CUSTOMERS,
    Columns,
    buyers,
    entry_column,
    episode_rows,
    numbers,
    require,
    row_checks,
    start_days,
)
from toolkit.risk.fitted_tables import fitted_tables
from toolkit.risk.serving import learn
from toolkit.risk.strata import learn_strata
from toolkit.schema import DURATION_DAYS, ENTRY_DAYS, EVENT

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from toolkit.errors import Check
    from toolkit.risk.churn_options import Outcome
    from toolkit.risk.episode_rows import EpisodeRows
    from toolkit.risk.ladder import Kind

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_SETTLED = 10


class ChurnModel(BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Probability of the bad event within a horizon, by a survival model of episodes.

    Parameters
    ----------
    kind
        ``cox`` (any baseline hazard) or ``weibull`` (one that rises or falls steadily).
    penalizer
        Ridge penalty of lifelines on standardised columns; 0 for none.
    outcome
        What the episodes' event 1 is: ``order`` (the good event; risk is that there is none) or ``end`` (the bad one:
        a membership's end, an opt-out).
    features
        Columns that enter as they are. None takes `toolkit.risk.covariates.DEFAULT_FEATURES` that the frame has, in
        logarithms, bends and against each customer's own gap, drawn to 0 as by ten events beyond ``penalizer``.
    strata
        Column whose values have a baseline hazard of their own (``cox`` only).
    robust
        Whether errors take a customer's episodes as one (by the index, or ``cluster`` of `fit`), which takes at least
        20 customers.

    Attributes
    ----------
    served_ : str
        What serves: ``cox``, ``cox, smaller step``, ``cox, ridge``, ``weibull``, ``weibull, ridge``, or ``table``.
    checks_ : tuple of Check
        What is doubtful.
    coef_ : DataFrame, index ``covariate``
        ``coef`` (log hazard ratio per unit), ``se`` (that of the intervals), ``se_plain``, ``lower upper p_value``;
        empty where the table serves.
    proportional_ : DataFrame, index ``covariate``
        Whether hazard ratios change with time (`toolkit.risk.proportional.proportional_test`); empty but for ``cox``.
    features_ : tuple of str
        Features that are used.
    follow_up_days_ : float
        Longest episode; no horizon may go beyond it.
    n_episodes_, n_events_, n_customers_ : int
        What was learned from.
    log_likelihood_ : float
        Of the model (partial for Cox); missing where the table serves.

    Notes
    -----
    Cox (1972), with Efron's ties and risk sets that begin at the entry; baseline hazard by Breslow (1974). Newton's
    method is that of lifelines. Whatever lifelines warns of is a failure of the rung: full step, smaller step, ridge,
    then the empirical recency-by-frequency table. Deletion (event 2) competes by its own cause-specific hazard.
    With the default features of a Cox model the log hazard has a slope of its own in each of up to four times of the
    follow-up, so that risks stay calibrated where hazards are not proportional (`toolkit.risk.stretch`); with named
    ones it is the textbook's model.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> recency = rng.integers(0, 200, 400)
    >>> days = rng.exponential(20 + recency).round() + 1
    >>> episodes = pd.DataFrame({"duration_days": np.minimum(days, 91), "event": (days <= 91).astype(int),
    ...                          "recency_days": recency, "order_days": 1})
    >>> model = ChurnModel(features=("recency_days",)).fit(episodes)
    >>> model.served_, model.drivers()[["raises_risk", "contrast"]].to_dict("records")
    ('cox', [{'raises_risk': True, 'contrast': 'per unit'}])
    >>> model.risk(episodes.head(2), horizons=(30,)).shape
    (2, 1)
    """

    def __init__(
        self,
        kind: Kind = "cox",
        penalizer: float = 0.0,
        *,
        outcome: Outcome = "order",
        features: tuple[str, ...] | None = None,
        strata: str | None = None,
        robust: bool = True,
    ) -> None:
        self.kind = kind
        self.penalizer = penalizer
        self.outcome = outcome
        self.features = features
        self.strata = strata
        self.robust = robust

    def fit(
        self,
        episodes: pd.DataFrame,
        *,
        duration: str = DURATION_DAYS,
        event: str = EVENT,
        entry: str | None = ENTRY_DAYS,
        cluster: str | None = None,
        weights: str | None = None,
    ) -> Self:
        """Learn from episodes.

        Parameters
        ----------
        episodes
            One row per landmark and customer, as ``study.episodes`` gives them. For the outcome ``order`` never-buyers
            are left out where the frame has ``order_days``.
        duration, event
            Columns of the days to the event or to the end of what is seen, and of its code: 0 censored, 1 the
            modelled event, 2 deletion.
        entry
            Column of the day from which the episode is seen. It must be there for the outcome ``end``: who is a
            member at the landmark has already lasted. None says that all are seen from day 0.
        cluster
            Column of the customer; the index where None.
        weights
            Column of weights.

        Returns
        -------
        ChurnModel
            Itself, fitted.

        Raises
        ------
        ArgumentError
            An option, a column, a time, a code or a weight is wrong; there is no buyer or no event; a column is not
            point-in-time; or a column separates those with the event from those without.
        """
        refuse_options(episodes, kind=self.kind, outcome=self.outcome, penalizer=self.penalizer, strata=self.strata)
        entered = entry_column(episodes, entry, needed=self.outcome == "end")
        columns = Columns(duration, event, entered, cluster, weights)
        require(episodes, [name for name in (duration, event, cluster, weights) if name is not None])
        taken = self._modelled(episodes)
        frame = episodes if taken.all() else episodes.loc[taken]
        if not len(frame):
            hint = "a later landmark"
            raise ArgumentError("no-buyers", "no episode of a buyer, so there is nothing to learn from", hint=hint)
        rows, checks = episode_rows(frame, columns)
        if not rows.seen.any():
            what = f"0 events; need >= 10 per covariate, in {len(frame):,} episodes"
            raise ArgumentError("no-events", what, column=event, hint="earlier landmarks, or a later as_of")
        self._entry = columns.entry
        self.follow_up_days_ = float(rows.duration.max())
        self._settled = float(np.sort(rows.duration)[-min(_SETTLED, len(frame))])
        self.n_episodes_, self.n_events_ = len(frame), int(rows.seen.sum())
        self.n_customers_ = int(rows.clusters.max()) + 1
        self._learn(frame, rows, [*checks, *row_checks(rows, len(episodes) - len(frame), robust=self.robust)])
        return self

    def risk(self, frame: pd.DataFrame, horizons: Sequence[float] = HORIZONS) -> pd.DataFrame:
        """Return the probability of the bad event within each horizon.

        Parameters
        ----------
        frame
            One row per customer, with the features: a snapshot, or episodes.
        horizons
            Days. For the outcome ``end`` they count from the frame's own entry (the column of `fit`, where the frame
            has it, else day 0).

        Returns
        -------
        DataFrame, index of ``frame``
            ``risk_7d`` and so on, in [0, 1]. Outcome ``order``: one less the cumulative incidence of an order, missing
            for never-buyers. Outcome ``end``: the cumulative incidence of the end, given that it has not come yet.

        Raises
        ------
        ArgumentError
            A horizon is not above 0 or beyond the follow-up of the training; a feature is missing or infinite.

        Notes
        -----
        Who has lasted longer than almost all training episodes takes the last window that ten of them lived to see.
        """
        check_is_fitted(self, "served_")
        refuse_horizons(horizons, self.follow_up_days_)
        taken = self._modelled(frame)
        part = frame if taken.all() else frame.loc[taken]
        begin = start_days(part, self._entry) if self.outcome == "end" else 0.0
        windows = [(np.minimum(begin, max(self._settled - days, 0.0)), float(days)) for days in horizons]
        found = {}
        for (_, days), happened in zip(windows, self._serving.incidences(part, windows), strict=True):
            column = np.full(len(frame), np.nan)
            column[taken] = np.clip(1.0 - happened if self.outcome == "order" else happened, 0.0, 1.0)
            found[f"risk_{days:g}d"] = column
        return pd.DataFrame(found, index=frame.index)

    def drivers(self) -> pd.DataFrame:
        """Return what each feature does to the hazard, the strongest first.

        Returns
        -------
        DataFrame, index ``feature``
            ``hazard_ratio lower upper`` (95 %) of the modelled event between the two values in ``contrast``: per unit
            for named features; for default ones from the 25th to the 75th percentile (further out where these are
            equal) with the others at their median, all columns made of the feature moving with it. ``p_value``: that
            none of its columns matters (Wald). ``raises_risk``: whether the higher value raises the risk of the bad
            event; an order is the good one, so a ratio above 1 lowers it. Errors as ``robust`` says. Empty where the
            table serves.
        """
        check_is_fitted(self, "served_")
        design, fit = self._serving.learned, self._serving.fit
        if fit is None or not isinstance(design, Design):
            return no_drivers()
        return driver_table(design, fit.beta, fit.covariance, self._quantiles, bad=self.outcome == "end")

    def explain(self, frame: pd.DataFrame, customer_id: Hashable, *, horizon: float | None = None) -> pd.DataFrame:
        """Say what makes a customer's risk differ from that of a typical one.

        Parameters
        ----------
        frame
            A snapshot, or the episodes of one landmark.
        customer_id
            A customer of its index.
        horizon
            Days of the column ``risk``; by default the longest of 7, 30 and 90 within the follow-up.

        Returns
        -------
        DataFrame, index ``feature``
            ``value``; ``typical`` (training median); ``contribution`` to the log hazard, above 0 where it raises the
            risk, adding up to the distance from a customer with all features typical; ``risk`` of the customer, the
            same in each row. The largest contribution first.

        Raises
        ------
        ArgumentError
            The frame has no such customer, or has several rows of it, or the customer has never bought.
        """
        check_is_fitted(self, "served_")
        row = frame.loc[frame.index == customer_id]
        if len(row) != 1:
            what = f"the frame has {len(row)} rows of the customer"
            raise ArgumentError("customer", what, examples=[customer_id], hint="a snapshot, or one landmark")
        if not self._modelled(row).all():
            raise ArgumentError("never-bought", "the customer has never bought", examples=[customer_id], hint="a buyer")
        fits: list[float] = [days for days in HORIZONS if days <= self.follow_up_days_] or [self.follow_up_days_]
        days = fits[-1] if horizon is None else horizon
        learned = self._serving.learned
        own = {name: float(numbers(row, name)[0]) for name in learned.features}
        shares = contributions(self._serving.log_hazard, self._serving.groups(), own, learned.typical)
        risk = float(self.risk(row, horizons=(days,)).to_numpy()[0, 0])
        return explanation(own, learned.typical, shares, bad=self.outcome == "end", risk=risk, horizon=days)

    def _learn(self, frame: pd.DataFrame, rows: EpisodeRows, checks: list[Check]) -> None:
        robust = self.robust and self.n_customers_ >= FEWEST_CUSTOMERS
        strata = None
        if self.strata is not None:
            strata, check = learn_strata(frame, self.strata, rows.seen)
            rows = rows.in_strata(strata.fitting(frame))
            checks.append(check)
        self._serving, x, found = learn(
            self.kind,
            frame,
            rows,
            features=self.features,
            strata=strata,
            penalizer=self.penalizer,
            robust=robust,
        )
        self.served_, self.features_ = self._serving.served, tuple(self._serving.learned.features)
        tables = fitted_tables(self._serving, frame, x, rows, test=self.kind == "cox", robust=robust)
        self.coef_, self.proportional_, self._quantiles = tables.coef, tables.proportional, tables.quantiles
        self.log_likelihood_ = np.nan if self._serving.fit is None else self._serving.fit.log_likelihood
        self.checks_ = (*checks, *found, *tables.checks)

    def _modelled(self, frame: pd.DataFrame) -> Bools:
        """Say which rows the model is about: buyers, where it is about orders."""
        return buyers(frame) if self.outcome == "order" else np.ones(len(frame), dtype=bool)
