"""The same customers drawn anew, over all origins and contenders at once: intervals of a back-test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.risk.contenders import CHURN_MODEL
from toolkit.risk.metrics import CLIP
from toolkit.risk.trial import sooner
from toolkit.risk.weighted_scores import METRICS, WeightedScores, one_hot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from toolkit.risk.trial import Trial

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Key = tuple[str, str]

KAPLAN_MEIER = "kaplan_meier"
DRAWS = 1_000
_CELLS = 4_000_000
_ENDS = (2.5, 97.5)
_TENTHS = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True, eq=False)
class Redrawn:
    """What drawing customers anew gives; see `toolkit.risk.validation.Backtest` for the columns.

    Attributes
    ----------
    means, calibration, lift
        With their 95 % intervals: the middle of 1,000 draws.
    """

    means: pd.DataFrame
    calibration: pd.DataFrame
    lift: pd.DataFrame


def redraw(trials: Sequence[Trial], scores: pd.DataFrame, seed: int) -> Redrawn:
    """Draw customers anew, and score all contenders at all origins each time.

    Parameters
    ----------
    trials
        One per origin.
    scores
        Those of all buyers, one row per origin and contender.
    seed
        Seed of the draws.

    Notes
    -----
    A customer is drawn with all origins at once, so that what the origins share is not counted as independent
    (cluster bootstrap), and with all contenders, so that differences are paired. Each weight is Poisson with mean 1
    (Chamandy, Muralidharan, Najmi, Naidu, 2012, "Estimating uncertainty for massive data streams"). Customers take
    their weights in the order of what was said of them and what came: neither ids nor the order of rows matter.
    """
    customers, places = _in_order(trials)
    models = trials[0].models
    machines = {
        (number, model): _machine(trial, scores, model) for number, trial in enumerate(trials) for model in models
    }
    tenths = {model: _Tenths(trials, places, customers, model) for model in models}
    riskiest = _Tenths(trials, places, customers, CHURN_MODEL, riskiest_first=True)
    drawn: dict[Key, list[Floats]] = {}
    for weights in _weights(customers, seed):
        found: dict[Key, list[Floats]] = {}
        for number, (trial, place) in enumerate(zip(trials, places, strict=True)):
            mine = weights[:, place]
            said = {model: machines[number, model](mine) for model in models}
            for model, values in (said | {KAPLAN_MEIER: _reference(trial, mine)}).items():
                for metric, value in values.items():
                    found.setdefault((model, metric), []).append(value)
        for key, parts in found.items():
            drawn.setdefault(key, []).append(np.mean(parts, axis=0))
        for tenth in (*tenths.values(), riskiest):
            tenth.draw(weights)
    tables = [tenth.table().assign(model=model).rename_axis("bin").reset_index() for model, tenth in tenths.items()]
    lift = riskiest.table(of_all=True).rename_axis("decile").reset_index()
    return Redrawn(
        means=_means(_values(scores), {key: np.concatenate(values) for key, values in drawn.items()}),
        calibration=pd.concat(tables, ignore_index=True)[
            ["model", "bin", "predicted", "observed", "n", "lower", "upper"]
        ],
        lift=lift[["decile", "n", "predicted", "observed", "lift", "lower", "upper"]],
    )


class _Tenths:
    """Buyers of all origins by tenth of a contender's forecast; equal forecasts are never parted."""

    def __init__(
        self, trials: Sequence[Trial], places: list[Ints], customers: int, model: str, *, riskiest_first: bool = False
    ) -> None:
        self._risk = np.concatenate([trial.risk(model) for trial in trials])
        self._bad = np.concatenate([trial.came["bad"].to_numpy(dtype=np.float64) for trial in trials])
        score = -self._risk if riskiest_first else self._risk
        cuts = np.unique(np.quantile(score, _TENTHS))
        self._group = np.unique(np.searchsorted(cuts, score, side="left"), return_inverse=True)[1]
        groups = one_hot(self._group, int(self._group.max()) + 1)
        whose = one_hot(np.concatenate(places), customers).T
        self._rows, self._came = whose @ groups, whose @ groups.multiply(self._bad[:, None])
        self._drawn: list[tuple[Floats, Floats]] = []

    def draw(self, weights: Floats) -> None:
        """Note how many rows, and how many with the bad event, fall into each tenth."""
        self._drawn.append((weights @ self._rows, weights @ self._came))

    def table(self, *, of_all: bool = False) -> pd.DataFrame:
        """Return one row per tenth from 1: ``n predicted observed lower upper``; where asked, of the ``lift``."""
        rows, came = (np.concatenate(parts) for parts in zip(*self._drawn, strict=True))
        size = np.bincount(self._group)
        table = pd.DataFrame(
            {
                "n": size,
                "predicted": np.bincount(self._group, self._risk) / size,
                "observed": np.bincount(self._group, self._bad) / size,
            },
            index=pd.RangeIndex(1, len(size) + 1),
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            share = came / rows
            if of_all:
                table["lift"] = table["observed"] / self._bad.mean() if self._bad.any() else np.nan
                share = share / (came.sum(axis=1) / rows.sum(axis=1))[:, None]
        table["lower"], table["upper"] = _interval(share)
        return table


def _in_order(trials: Sequence[Trial]) -> tuple[int, list[Ints]]:
    """Return how many customers there are, and the place of each row's customer among them."""
    kept = [trial.came[["bad", "days", "event"]].join(trial.risks).astype("float64") for trial in trials]
    wide = pd.concat(kept, axis="columns", keys=range(len(kept)))
    order = np.lexsort(wide.fillna(-1.0).to_numpy().T)
    place = pd.Series(np.argsort(order), index=wide.index)
    return len(wide), [place.loc[trial.came.index].to_numpy(dtype=np.int64) for trial in trials]


def _weights(customers: int, seed: int) -> Iterator[Floats]:
    """Yield weights, shape (draws, customers), a thousand draws in all."""
    rng = np.random.default_rng(seed)
    size = max(1, _CELLS // customers)
    for start in range(0, DRAWS, size):
        yield rng.poisson(1.0, (min(size, DRAWS - start), customers)).astype(np.float64)


def _machine(trial: Trial, scores: pd.DataFrame, model: str) -> WeightedScores:
    here = scores[(scores["origin"] == pd.Timestamp(trial.origin)) & (scores["model"] == model)].iloc[0]
    risk, came = trial.risk(model), trial.came
    return WeightedScores(
        came["bad"].to_numpy(dtype=np.bool_),
        risk,
        days=came["days"].to_numpy(dtype=np.float64),
        event=came["event"].to_numpy(dtype=np.int64),
        early=sooner(risk, trial.outcome),
        score={metric: float(here[metric]) for metric in METRICS},
    )


def _values(scores: pd.DataFrame) -> dict[Key, float]:
    """Return the mean over origins of each score of each contender, and those of Kaplan-Meier."""
    found = {
        (str(model), metric): float(rows[metric].mean(skipna=False))
        for model, rows in scores.groupby("model", sort=False)
        for metric in METRICS
    }
    one = scores[scores["model"] == CHURN_MODEL]
    return found | {(KAPLAN_MEIER, metric): float(one[f"{metric}_km"].mean()) for metric in ("brier", "log_loss")}


def _reference(trial: Trial, weights: Floats) -> dict[str, Floats]:
    share = weights @ trial.came["bad"].to_numpy(dtype=np.float64) / weights.sum(axis=1)
    risk = float(np.clip(trial.reference, CLIP, 1 - CLIP))
    return {
        "brier": share * (1 - trial.reference) ** 2 + (1 - share) * trial.reference**2,
        "log_loss": -share * np.log(risk) - (1 - share) * np.log(1 - risk),
    }


def _means(values: dict[Key, float], drawn: dict[Key, Floats]) -> pd.DataFrame:
    rows = []
    for (model, metric), mean in values.items():
        lower, upper = _interval(drawn[model, metric])
        row = {"model": model, "metric": metric, "mean": mean, "lower": lower, "upper": upper}
        less, more = _interval(_apart(drawn[model, metric], drawn[CHURN_MODEL, metric]))
        apart = {
            "difference": mean - values[CHURN_MODEL, metric],
            "difference_lower": less,
            "difference_upper": more,
        }
        rows.append(row | (dict.fromkeys(apart, np.nan) if model == CHURN_MODEL else apart))
    return pd.DataFrame(rows)


def _apart(drawn: Floats, ours: Floats) -> Floats:
    """Subtract draw by draw; missing where a score of separated outcomes is infinite on either side."""
    both = np.isfinite(drawn) & np.isfinite(ours)
    return np.where(both, np.where(both, drawn, 0) - np.where(both, ours, 0), np.nan)


def _interval(drawn: Floats) -> Floats:
    """Return the middle 95 % over draws; missing where a draw is."""
    found: Floats = np.percentile(drawn, _ENDS, axis=0)
    return found
