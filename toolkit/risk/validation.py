"""Back-tests: at dates that have passed, forecast from what was known then, and compare with what came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.errors import ArgumentError
from toolkit.risk.backtest_checks import backtest_checks, leak_checks
from toolkit.risk.contenders import CHURN_MODEL, HISTORY, forecasts
from toolkit.risk.covariates import DEFAULT_FEATURES
from toolkit.risk.landmarks import refuse_horizon
from toolkit.risk.past import look_back
from toolkit.risk.redraws import redraw
from toolkit.risk.trial import ALL, Trial
from toolkit.schema import LANDMARK, as_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from toolkit.data.warehouse import Warehouse
    from toolkit.errors import Check
    from toolkit.risk.past import Outcome, Past

_SHOWN = ("brier", "log_loss", "auc", "slope", "ici", "mean_risk", "observed")


@dataclass(frozen=True, repr=False, eq=False)
class Backtest:
    """How forecasts made at past dates came true; see `backtest`.

    Attributes
    ----------
    horizon
        Days ahead.
    outcome
        ``order``: the bad event is no order within the horizon. ``end``: it is the membership's end.
    scores
        One row per origin, contender and tier: ``origin model scheme tier n events brier brier_km log_loss log_loss_km
        auc harrell_c uno_c slope slope_lower slope_upper intercept ici mean_risk observed use_here``. ``scheme`` and
        ``tier`` are ``all`` for all buyers. ``events`` had the modelled event; ``observed`` is the share with the bad
        one; ``brier_km`` and ``log_loss_km`` are those of Kaplan-Meier in training (of the tier, at the last landmark
        whose horizon was over). ``use_here`` is False where the model must not be used on such buyers
        (`toolkit.risk.trial.usable`).
    means
        One row per contender and score: ``model metric mean lower upper difference difference_lower difference_upper``:
        mean over origins, with the 95 % interval of customers drawn anew; ``difference`` is from the churn model
        (contender minus model: above 0 the model is the better in Brier score and log-loss). ``kaplan_meier`` has rows
        for these two.
    calibration
        ``model bin predicted observed n lower upper``: by tenth of the forecast, lowest first, all origins together.
    lift
        ``decile n predicted observed lift lower upper`` of the churn model: 1 the riskiest tenth.
    served
        ``origin model served``: what each contender's figures came from.
    checks
        What is doubtful.
    risks
        ``customer_id origin model risk bad``, one row per forecast.
    """

    horizon: int
    outcome: Outcome
    scores: pd.DataFrame
    means: pd.DataFrame
    calibration: pd.DataFrame
    lift: pd.DataFrame
    served: pd.DataFrame
    checks: tuple[Check, ...]
    risks: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """Means over origins: one row per contender, one column per score."""
        wide = self.means.pivot_table(index="model", columns="metric", values="mean", sort=False)
        return wide.reindex(columns=list(_SHOWN)).rename_axis(columns=None)

    @property
    def sentence(self) -> str:
        """What it comes to, in one sentence."""
        ours = self.table.loc[CHURN_MODEL]
        origins, n = self.scores["origin"].nunique(), self.scores.loc[self.scores["tier"] == ALL, "n"].max()
        failed = sum(check.status == "failed" for check in self.checks)
        return (
            f"At {origins} origin{'s' if origins > 1 else ''}, up to {n:,} buyers, {self.horizon} days:"
            f" mean risk {ours['mean_risk']:.1%}, came true {ours['observed']:.1%}; AUC {ours['auc']:.3f},"
            f" slope {ours['slope']:.2f}, Brier {ours['brier']:.4f}; {failed} checks failed."
        )

    def __repr__(self) -> str:
        return f"{self.sentence}\n{self.table.to_string(float_format='{:.4f}'.format, na_rep='')}"

    def _repr_html_(self) -> str:
        return f"<p>{self.sentence}</p>{self.table.to_html(float_format='{:.4f}'.format, na_rep='', border=0)}"


def backtest(
    study: Warehouse,
    model: Any,
    *,
    origins: Sequence[str | date],
    horizon: int = 90,
    tiers: Any = None,
    seed: int = 7,
    as_of: str | date | None = None,
) -> Backtest:
    """Forecast at past dates from what was known then, and compare with what came.

    Parameters
    ----------
    study
        The study.
    model
        A `ChurnModel`, fitted or not: a copy is fitted anew at each origin. Its ``outcome`` says what is forecast.
    origins
        Days at which to forecast. The horizon of each must be over.
    horizon
        Days ahead: what came is looked for in ``(origin, origin + horizon]``.
    tiers
        A transformer from snapshot to columns of tiers, such as ``RFM()`` or ``Tiers(study)``: a copy is fitted at each
        origin to the snapshot of that day, and every column of text or categories that it adds is a scheme.
    seed
        Seed of the intervals.
    as_of
        Last day that the exports know. Where it is left out, an order on or after the end of each horizon must show
        that they reach so far.

    Returns
    -------
    Backtest
        Scores of the churn model, BG/NBD, a recency rule and a logistic model on the same buyers (of the first and the
        last where a membership's end is forecast), overall and per tier.

    Raises
    ------
    ArgumentError
        No origin, or a horizon that is not over; a log too short to learn from at an origin
        (`toolkit.risk.landmarks.training_landmarks`); or as for the model.
    InputError
        As for ``study.snapshot``.

    Notes
    -----
    At each origin: training episodes start at the landmarks of `toolkit.risk.landmarks.training_landmarks`, before the
    origin, and what followed them is known only up to the origin. Features of those who are forecast are asked for
    as of the origin; what came is asked for in a separate question, which no contender sees. A deletion within the
    horizon competes: no order came of it, nor an end of the membership. Intervals: see
    `toolkit.risk.redraws.redraw` and `toolkit.risk.weighted_scores.WeightedScores`.

    Examples
    --------
    >>> import toolkit as tk
    >>> study = tk.Study.demo(customers=600, seed=3)
    >>> found = backtest(study, tk.ChurnModel(), origins=["2026-04-30", "2026-07-31"])
    >>> found.table["brier"].idxmax()
    'kaplan_meier'
    >>> found.scores[["origin", "model", "n", "events"]].head(2)
          origin        model    n  events
    0 2026-04-30  churn_model  385     104
    1 2026-04-30       bg_nbd  385     104
    """
    refuse_horizon(horizon)
    days = _days(origins)
    outcome: Outcome = getattr(model, "outcome", "order")
    for day in days:
        _refuse_open(study, day, horizon, as_of)
    trials = [_trial(study, model, day, horizon=horizon, outcome=outcome, tiers=tiers) for day in days]
    scores = pd.concat([trial.scores() for trial in trials], ignore_index=True)
    redrawn = redraw(trials, scores[scores["scheme"] == ALL], seed)
    return Backtest(
        horizon=horizon,
        outcome=outcome,
        scores=scores,
        means=redrawn.means,
        calibration=redrawn.calibration,
        lift=redrawn.lift,
        served=pd.DataFrame(
            [(pd.Timestamp(trial.origin), *pair) for trial in trials for pair in trial.served.items()],
            columns=["origin", "model", "served"],
        ),
        checks=backtest_checks(trials, scores, redrawn.means),
        risks=pd.concat([_long(trial) for trial in trials], ignore_index=True),
    )


def _days(origins: Sequence[str | date]) -> list[date]:
    if isinstance(origins, str):
        raise ArgumentError("origins", "origins is one text, not a list of days", hint=f"origins=[{origins!r}]")
    days = sorted({as_day(day, name="origins") for day in origins})
    if not days:
        raise ArgumentError("origins", "there is no origin", hint='origins=["2026-03-31", "2026-06-30"]')
    return days


def _refuse_open(study: Warehouse, origin: date, horizon: int, as_of: str | date | None) -> None:
    """Refuse an origin whose horizon is not over."""
    end = origin + timedelta(days=horizon)
    if as_of is not None:
        last = as_day(as_of)
    else:
        book = study.ledger_at(end)
        later = book.loc[(book["table"] == "orders") & (book["fate"] == "later"), "rows"].sum() > 0
        lines = study.calendar(end)["lines"]
        last = end if later else lines.index[lines > 0].max().date()
    if last < end:
        what = f"the {horizon} days after {origin} end on {end}, and orders are known up to {last}"
        raise ArgumentError("horizon-open", what, hint=f"an origin up to {last - timedelta(days=horizon)}")


def _columns(study: Warehouse, model: Any) -> list[str] | None:
    """Return the snapshot columns that the contenders read; None (all) where the model does not say."""
    if not hasattr(model, "features"):
        return None
    default = [name for name in DEFAULT_FEATURES if name in study.columns]
    asked = default if model.features is None else model.features
    strata = [model.strata] if getattr(model, "strata", None) else []
    return list(dict.fromkeys([*HISTORY, *asked, *strata]))


def _trial(study: Warehouse, model: Any, origin: date, *, horizon: int, outcome: Outcome, tiers: Any) -> Trial:
    past, came = look_back(study, origin, horizon, outcome=outcome, columns=_columns(study, model))
    said = forecasts(model, past)
    schemes, references = _tiers(study, tiers, past)
    risks = pd.DataFrame({name: forecast.risk for name, forecast in said.items()}, index=came.index)
    return Trial(
        origin=origin,
        horizon=horizon,
        outcome=outcome,
        came=came,
        risks=risks,
        reference=past.reference,
        tiers=schemes,
        references=references,
        served={name: forecast.served for name, forecast in said.items()},
        checks=leak_checks(past, came, said[CHURN_MODEL]),
    )


def _tiers(study: Warehouse, tiers: Any, past: Past) -> tuple[pd.DataFrame, dict[tuple[str, str], float]]:
    """Return each buyer's tiers, and the risk of each tier at the last landmark whose horizon was over."""
    if tiers is None:
        return pd.DataFrame(index=past.buyers.index), {}
    from sklearn.base import clone  # noqa: PLC0415 - a second of import that only a fit needs

    latest = past.latest
    landmark = latest[LANDMARK].iloc[0].date()
    now, then = (study.snapshot(day, cuts_at=past.origin) for day in (past.origin, landmark))
    fitted = clone(tiers).fit(now)
    here, there = (_schemes(fitted.transform(snap), snap) for snap in (now, then))
    bad = past.bad(latest)
    references = {
        (str(scheme), str(tier)): float(rows.mean())
        for scheme, classes in there.loc[latest.index].items()
        for tier, rows in pd.Series(bad).groupby(classes.astype(object).to_numpy())
    }
    return here.loc[past.buyers.index], references


def _schemes(tiered: pd.DataFrame, snap: pd.DataFrame) -> pd.DataFrame:
    added = tiered[[name for name in tiered.columns if name not in snap.columns]]
    return added.select_dtypes(include=["category", "object", "string"])


def _long(trial: Trial) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "customer_id": trial.came.index,
                "origin": pd.Timestamp(trial.origin),
                "model": model,
                "risk": trial.risk(model),
                "bad": trial.came["bad"].to_numpy(),
            }
        )
        for model in trial.models
    ]
    return pd.concat(parts, ignore_index=True)
