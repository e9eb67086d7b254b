"""The scores of a contender as sums over buyers, so that buyers can be drawn anew a thousand times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse
from scipy.special import expit, logit

from toolkit.risk.metrics import CLIP
from toolkit.risk.smoothing import loess, pooled

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

METRICS = (
    "brier", "log_loss", "auc", "harrell_c", "uno_c", "slope", "intercept", "ici", "mean_risk", "observed",
)  # fmt: skip
_POINTS = 50
_LEVELS = 1_000
_STEPS = 50


class WeightedScores:
    """Scores of one contender at one origin, with any weights of buyers.

    Parameters
    ----------
    bad, risk
        Outcome and forecast of each buyer.
    days, event
        Days to the event and its code, as `toolkit.risk.past.look_back` gives them.
    early
        Higher where the modelled event is expected earlier.
    score
        The unweighted scores (`toolkit.risk.trial.Trial.scores`).

    Notes
    -----
    Means (Brier, log-loss, risk, outcome) are exact. AUC and concordance are linear in the weights to first order
    (DeLong, DeLong, Clarke-Pearson, 1988, "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44); slope and intercept are one Newton step from the unweighted fit (Davison,
    Hinkley, 1997, "Bootstrap methods and their application", 7.2); the ICI moves as
    that over at most 50 points with the smoothing of the unweighted buyers, and is never below 0.
    """

    def __init__(
        self, bad: Bools, risk: Floats, *, days: Floats, event: Ints, early: Floats, score: Mapping[str, float]
    ) -> None:
        self._score = score
        y, x = bad.astype(np.float64), logit(np.clip(risk, CLIP, 1 - CLIP))
        low = np.clip(risk, CLIP, 1 - CLIP)
        above, below = _placements(bad, risk)
        won, pairs = pair_counts(days, event, early)
        self._level = _level(x, y, score["slope"])
        joint = expit(self._level + score["slope"] * x)
        alone = expit(score["intercept"] + x)
        spread = joint * (1 - joint)
        self._columns = np.column_stack(
            [
                np.ones(len(y)), y, risk, (risk - y) ** 2, -np.log(np.where(bad, low, 1 - low)),
                y * above, (1 - y) * below, won, pairs,
                y - joint, (y - joint) * x, spread, spread * x, spread * x**2,
                y - alone, alone * (1 - alone),
            ]
        )  # fmt: skip
        self._pairs = won.sum(), pairs.sum()
        self._points, _, held = pooled(risk, y, np.ones(len(y)), most=_POINTS)
        upto = np.searchsorted(np.sort(risk), risk, side="right")
        self._groups = one_hot(np.searchsorted(np.cumsum(held), upto - 0.5), len(held))
        self._smoother = np.column_stack([loess(self._points, unit, held) for unit in np.eye(len(held))])
        self._y = y
        self._ici_as_is = self._ici(np.ones((1, len(y))))

    def __call__(self, weights: Floats) -> dict[str, Floats]:
        """Return each score for each row of weights, shape (draws, buyers)."""
        total = (weights @ self._columns).T
        n, bad = total[0], total[1]
        won, pairs = self._pairs
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = (2 * total[7] / won - 1) / (2 * total[8] / pairs - 1)
            determinant = total[11] * total[13] - total[12] ** 2
            return {
                "brier": total[3] / n,
                "log_loss": total[4] / n,
                "auc": total[5] / bad + total[6] / (n - bad) - self._score["auc"],
                "harrell_c": self._score["harrell_c"] * moved,
                "uno_c": self._score["uno_c"] * moved,
                "slope": self._score["slope"] + (total[11] * total[10] - total[12] * total[9]) / determinant,
                "intercept": self._score["intercept"] + total[14] / total[15],
                "ici": np.maximum(self._score["ici"] + self._ici(weights) - self._ici_as_is, 0.0),
                "mean_risk": total[2] / n,
                "observed": bad / n,
            }

    def _ici(self, weights: Floats) -> Floats:
        held = weights @ self._groups
        came = (weights * self._y) @ self._groups
        seen = np.divide(came, held, out=np.zeros_like(came), where=held > 0)
        fitted = np.clip(seen @ self._smoother.T, 0, 1)
        gaps: Floats = (held * np.abs(fitted - self._points)).sum(axis=1) / held.sum(axis=1)
        return gaps


def one_hot(group: Ints, groups: int) -> sparse.csr_array:
    """Return a sparse matrix with one row per buyer and a 1 in the column of the buyer's group."""
    return sparse.csr_array((np.ones(len(group)), group, np.arange(len(group) + 1)), shape=(len(group), groups))


def pair_counts(days: Floats, event: Ints, early: Floats) -> tuple[Floats, Floats]:
    """Count, for each buyer, the comparable pairs that the buyer is in, and those that are ordered rightly.

    Parameters
    ----------
    days, event
        Day of leaving; 0 nothing happened by then, 1 the event, 2 deletion (after which no event ever comes).
    early
        Higher where the event is expected earlier; equal figures count a half.

    Returns
    -------
    won, pairs : array
        Each pair counts for both of its buyers. Their ratio is `toolkit.risk.concordance.harrell_c`. More than 1,000
        different figures are drawn together into 1,000 levels.

    Examples
    --------
    >>> won, pairs = pair_counts(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 1, 0, 1]), np.array([0.9, 0.4, 0.4, 0.1]))
    >>> won.tolist(), pairs.tolist()
    ([3.0, 2.5, 1.5, 2.0], [3.0, 3.0, 2.0, 2.0])
    """
    level = _levels(early)
    opening = np.unique(days[event == 1])
    if not len(opening):
        return np.zeros(len(days)), np.zeros(len(days))
    left = np.searchsorted(opening, np.where(event == 2, np.inf, days), side="right")
    own = np.where(event == 1, left - 1, -1)
    shape = (len(opening), int(level.max()) + 1)
    opened, rest = np.zeros(shape), np.zeros((shape[0] + 1, shape[1]))
    np.add.at(opened, (own[event == 1], level[event == 1]), 1.0)
    np.add.at(rest, (np.where(event == 1, own, left), level), 1.0)
    later = np.cumsum(rest[::-1], axis=0)[::-1][1:]
    lower = np.cumsum(later, axis=1) - later / 2
    higher = np.cumsum(np.cumsum(opened[:, ::-1], axis=1)[:, ::-1] - opened / 2, axis=0)
    opens = np.cumsum(opened.sum(axis=1))
    before = np.where(event == 1, own, left) - 1
    met = before >= 0
    won, pairs = np.where(met, higher[before, level], 0.0), np.where(met, opens[before], 0.0)
    mine = own >= 0
    won[mine] += lower[own[mine], level[mine]]
    pairs[mine] += later.sum(axis=1)[own[mine]]
    return won, pairs


def _levels(values: Floats) -> Ints:
    """Return the rank of each value among the different ones, in at most 1,000 levels of about equally many rows."""
    rank, counts = (np.unique(values, return_inverse=True, return_counts=True)[place] for place in (1, 2))
    if len(counts) > _LEVELS:
        rank = ((np.cumsum(counts) - counts / 2) / len(values) * _LEVELS).astype(np.int64)[rank]
    return rank.astype(np.int64)


def _placements(bad: Bools, risk: Floats) -> tuple[Floats, Floats]:
    """Return the share of good outcomes with a lower risk, and of bad ones with a higher; ties count a half."""

    def below(part: Floats) -> Floats:
        ordered = np.sort(part)
        both = [np.searchsorted(ordered, risk, side=side) for side in ("left", "right")]
        return (both[0] + both[1]) / (2 * max(1, len(part)))

    return below(risk[~bad]), 1 - below(risk[bad])


def _level(x: Floats, y: Floats, slope: float) -> float:
    """Return the intercept that belongs to a slope; missing where the slope is."""
    if np.isnan(slope):
        return np.nan
    level = 0.0
    for _ in range(_STEPS):
        fitted = expit(level + slope * x)
        step = (y - fitted).sum() / (fitted * (1 - fitted)).sum()
        level += np.clip(step, -2, 2)
        if abs(step) < 1e-12:
            break
    return float(level)
