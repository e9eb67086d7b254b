"""One origin of a back-test: what each contender said of the same buyers, what came, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.risk import metrics
from toolkit.risk.calibration import calibration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

    from toolkit.errors import Check
    from toolkit.risk.past import Outcome

    Floats = NDArray[np.float64]

ALL = "all"
"""Scheme and tier of the rows that hold every buyer."""
ENOUGH = 10
STEEPEST, FLATTEST = 1.25, 0.8


@dataclass(frozen=True, eq=False)
class Trial:
    """One origin.

    Attributes
    ----------
    origin, horizon, outcome
        As for `toolkit.risk.past.Past`.
    came
        Indexed by ``customer_id``: ``days event bad``, as `toolkit.risk.past.look_back` returns it.
    risks
        Indexed as ``came``: one column per contender.
    reference
        Risk of everybody, by Kaplan-Meier of the training.
    tiers
        Indexed as ``came``: one column of classes per scheme.
    references
        Risk of each class in training, by scheme and class.
    served
        Contender -> what served.
    checks
        What is doubtful here.
    """

    origin: date
    horizon: int
    outcome: Outcome
    came: pd.DataFrame
    risks: pd.DataFrame
    reference: float
    tiers: pd.DataFrame
    references: dict[tuple[str, str], float]
    served: dict[str, str]
    checks: tuple[Check, ...] = ()

    @property
    def models(self) -> list[str]:
        """The contenders."""
        return [str(name) for name in self.risks.columns]

    def risk(self, model: str) -> Floats:
        """Return what a contender said of each buyer."""
        return self.risks[model].to_numpy(dtype=np.float64)

    def parts(self) -> Iterator[tuple[str, str, Trial]]:
        """Yield everybody, then each tier of each scheme that has a buyer: scheme, tier, and the trial of these."""
        yield ALL, ALL, self
        for scheme in self.tiers:
            column = self.tiers[scheme].astype("category")
            for tier in column.cat.categories:
                here = (column == tier).to_numpy()
                if here.any():
                    reference = self.references.get((str(scheme), str(tier)), self.reference)
                    yield str(scheme), str(tier), self._only(here, reference)

    def _only(self, rows: NDArray[np.bool_], reference: float) -> Trial:
        return replace(self, came=self.came[rows], risks=self.risks[rows], reference=reference)

    def scores(self) -> pd.DataFrame:
        """Return one row per contender and tier; see `toolkit.risk.validation.Backtest`."""
        rows = [
            {"origin": pd.Timestamp(self.origin), "model": model, "scheme": scheme, "tier": tier}
            | _score(part, part.risk(model))
            for scheme, tier, part in self.parts()
            for model in self.models
        ]
        return pd.DataFrame(rows)


def sooner(risk: Floats, outcome: Outcome) -> Floats:
    """Turn a risk so that a higher figure means the modelled event earlier: an order is the good one."""
    return 1 - risk if outcome == "order" else risk


def usable(score: dict[str, Any]) -> bool:
    """Say whether a model may be used on such buyers.

    Notes
    -----
    Not where fewer than 10 had the bad event or fewer than 10 had not; where the 95 % interval of the slope lies wholly
    outside [.8, 1.25]; or where the Brier score is no better than that of Kaplan-Meier of the same buyers.
    """
    bad = round(score["observed"] * score["n"])
    off = score["slope_lower"] > STEEPEST or score["slope_upper"] < FLATTEST
    return bool(min(bad, score["n"] - bad) >= ENOUGH and not off and score["brier"] < score["brier_km"])


def _score(trial: Trial, risk: Floats) -> dict[str, Any]:
    came = trial.came
    bad = came["bad"].to_numpy(dtype=np.bool_)
    days, event = came["days"].to_numpy(dtype=np.float64), came["event"].to_numpy(dtype=np.int64)
    everybody = np.full(len(bad), trial.reference)
    found, early = calibration(bad, risk), sooner(risk, trial.outcome)
    score = {
        "n": len(bad),
        "events": int((event == 1).sum()),
        "brier": metrics.brier(bad, risk),
        "brier_km": metrics.brier(bad, everybody),
        "log_loss": metrics.log_loss(bad, risk),
        "log_loss_km": metrics.log_loss(bad, everybody),
        "auc": metrics.auc(bad, risk),
        "harrell_c": metrics.harrell_c(days, event, early),
        "uno_c": metrics.uno_c(days, event, early, tau=trial.horizon),
        "slope": found.slope,
        "slope_lower": found.slope_lower,
        "slope_upper": found.slope_upper,
        "intercept": found.intercept,
        "ici": found.ici,
        "mean_risk": found.predicted,
        "observed": found.observed,
    }
    return score | {"use_here": usable(score)}
