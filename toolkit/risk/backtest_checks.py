"""What is doubtful about a back-test, as values."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.errors import Check
from toolkit.risk.contenders import BG_NBD, CHURN_MODEL, read_risk
from toolkit.risk.leak import telling_features, too_good
from toolkit.risk.metrics import auc
from toolkit.risk.redraws import KAPLAN_MEIER
from toolkit.risk.trial import ALL, ENOUGH, FLATTEST, STEEPEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from toolkit.risk.contenders import Forecast
    from toolkit.risk.past import Past
    from toolkit.risk.trial import Trial

_MANY = 100


def leak_checks(past: Past, came: pd.DataFrame, forecast: Forecast) -> tuple[Check, Check]:
    """Look for the future among the features of one origin.

    Parameters
    ----------
    past
        What the model learned from.
    came
        What came, as `toolkit.risk.past.look_back` returns it.
    forecast
        What the model said.
    """
    latest = past.latest
    learned = past.bad(latest)
    bad = came["bad"].to_numpy(dtype=np.bool_)
    where_learned = auc(learned, read_risk(forecast.fitted, latest, past.horizon))
    apart = too_good(where_learned, auc(bad, forecast.risk), int((~bad).sum()), int(bad.sum()))
    return telling_features(latest, learned), apart


def backtest_checks(trials: Sequence[Trial], scores: pd.DataFrame, means: pd.DataFrame) -> tuple[Check, ...]:
    """Return all checks of a back-test, one of each kind.

    Parameters
    ----------
    trials
        One per origin, with the checks of its own.
    scores, means
        As `toolkit.risk.validation.Backtest` holds them.
    """
    return (
        *(_worst(trials, number) for number in range(len(trials[0].checks))),
        _outcomes(trials),
        _slope(means),
        _beats_kaplan_meier(means),
        _beats_others(means),
        _served(trials),
        _overlap(trials),
        *([_tiers(scores)] if (scores["scheme"] != ALL).any() else []),
    )


def _worst(trials: Sequence[Trial], number: int) -> Check:
    """Return a check of the origins: the first that failed, else the first; its message says which origin."""
    all_of_it = [(trial.origin, trial.checks[number]) for trial in trials]
    failed = [one for one in all_of_it if one[1].status == "failed"]
    origin, check = (failed or all_of_it)[0]
    return Check(check.code, check.status, f"{origin}: {check.message}", check.count, check.subject)


def _outcomes(trials: Sequence[Trial]) -> Check:
    rarer = {str(trial.origin): int(min(trial.came["bad"].sum(), (~trial.came["bad"]).sum())) for trial in trials}
    origin = min(rarer, key=lambda day: rarer[day])
    least = rarer[origin]
    status = "failed" if least < ENOUGH else "informational" if least < _MANY else "passed"
    message = f"{least:,} of the rarer outcome at {origin}; figures are steady from {_MANY} on"
    return Check("few_events", status, message, least, origin)  # type: ignore[arg-type]  # one of three words


def _slope(means: pd.DataFrame) -> Check:
    found = _of(means, CHURN_MODEL, "slope")
    off = bool(found["lower"] > STEEPEST or found["upper"] < FLATTEST)
    message = f"slope {found['mean']:.2f} ({found['lower']:.2f} to {found['upper']:.2f}); 1 is right"
    return Check("calibration_slope", "failed" if off or np.isnan(found["mean"]) else "passed", message)


def _beats_kaplan_meier(means: pd.DataFrame) -> Check:
    found = _of(means, KAPLAN_MEIER, "brier")
    message = f"Brier score lower than Kaplan-Meier's by {_with_interval(found)}"
    return Check("beats_kaplan_meier", "passed" if found["difference_lower"] > 0 else "failed", message)


def _beats_others(means: pd.DataFrame) -> Check:
    """Say which contender is surely better on Brier score or log-loss."""
    surely = means[means["metric"].isin(["brier", "log_loss"]) & (means["difference_upper"] < 0)]
    if surely.empty:
        return Check("beats_contenders", "passed", "no contender is surely better on Brier score or log-loss")
    ends = ["difference", "difference_upper", "difference_lower"]
    said = [f"{row['model']} on {row['metric']} by {_with_interval(-row[ends])}" for _, row in surely.iterrows()]
    who = surely["model"].unique()
    return Check("beats_contenders", "failed", f"surely better: {', '.join(said)}", len(who), ", ".join(who))


def _of(means: pd.DataFrame, model: str, metric: str) -> pd.Series[Any]:
    return means[(means["model"] == model) & (means["metric"] == metric)].iloc[0]


def _with_interval(row: pd.Series[Any]) -> str:
    value, lower, upper = row.iloc[-3:]
    return f"{value:.4f} ({lower:.4f} to {upper:.4f})"


def _served(trials: Sequence[Trial]) -> Check:
    stood_in = [
        f"{trial.origin} {name}: {trial.served[name]}"
        for trial in trials
        for name in (CHURN_MODEL, BG_NBD)
        if name in trial.served and trial.served[name] not in ("cox", "weibull", BG_NBD)
    ]
    if stood_in:
        message = f"not the model itself, but what serves where it does not converge: {'; '.join(stood_in)}"
        return Check("model_served", "informational", message, len(stood_in))
    return Check("model_served", "passed", "every model converged at every origin")


def _overlap(trials: Sequence[Trial]) -> Check:
    close = sum((later.origin - one.origin).days < one.horizon for one, later in pairwise(trials))
    if close:
        message = f"{close} horizons begin before the one before is over: the origins share outcomes"
        return Check("origins_overlap", "informational", message, close)
    return Check("origins_overlap", "passed", "no two horizons overlap")


def _tiers(scores: pd.DataFrame) -> Check:
    tiers = scores[(scores["model"] == CHURN_MODEL) & (scores["scheme"] != ALL)]
    barred = tiers.loc[~tiers["use_here"], "tier"].unique().astype(str)
    message = f"at some origin not to be used in {len(barred)} of {tiers['tier'].nunique()} tiers"
    return Check("use_here", "informational" if len(barred) else "passed", message, len(barred), ", ".join(barred))
