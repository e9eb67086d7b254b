"""Does the higher risk come first: Harrell's and Uno's C."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import ArgumentError
from toolkit.risk.dominance import weight_below
from toolkit.risk.product_limit import followed_to, observed

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from toolkit.risk.product_limit import Floats, Ints


def harrell_c(duration: ArrayLike, event: ArrayLike, risk: ArrayLike, entry: ArrayLike | None = None) -> float:
    """Share of comparable pairs in which the one with the higher risk has the event first.

    Parameters
    ----------
    duration
        Days to the event or to the end of follow-up, shape (rows,).
    event
        1 where the event happened, 0 where follow-up ended, 2 where another event (deletion) made it impossible.
    risk
        Anything that is higher where the event is expected EARLIER. Where the event is the good one
        (``outcome="order"``), pass ``1 - risk``.
    entry
        Day from which each row was under observation (late entry); from the start by default.

    Returns
    -------
    float
        In [0, 1]; 0.5 for a coin; missing where no pair is comparable.

    Raises
    ------
    ArgumentError
        Lengths differ, a value is missing, a duration is negative, or an event is none of 0, 1, 2.

    Notes
    -----
    A pair is comparable when one has the event while the other is at risk: entered before that day, and followed
    beyond it or censored on it. Equal risks count a half; two events on one day are not compared. Harrell, Lee, Mark
    (1996), "Multivariable prognostic models", Stat. Med. 15. Rows with event 2 never have the event and stay comparable
    (Wolbers et al., 2009, "Prognostic models with competing risks", Epidemiology 20). Depends on how much is
    censored; `uno_c` does not.

    Examples
    --------
    >>> harrell_c([1, 2, 3, 4], [1, 1, 0, 1], [0.9, 0.4, 0.4, 0.1])
    0.9
    >>> harrell_c([1, 2], [0, 0], [0.9, 0.4])
    nan
    """
    days, code, start = observed(duration, event, entry)
    score = scores(risk, len(days))
    there = start < days
    days, code, start, score = days[there], code[there], start[there], score[there]
    days = np.where(code == 2, np.inf, days)
    opens = np.flatnonzero(code == 1)
    rank = _ranks(score)
    own = rank[opens]
    pairs, right = _tally(*_beyond(days, code, days[opens]), rank, own)
    if np.isfinite(start).any():
        absent, wrong = _tally(*_from_above(start, days[opens]), rank, own)
        pairs, right = pairs - absent, right - wrong
    return _ratio(float(right.sum()), float(pairs.sum()))


def uno_c(duration: ArrayLike, event: ArrayLike, risk: ArrayLike, tau: float | None = None) -> float:
    """Concordance up to a horizon, with pairs weighted for those whom censoring took away.

    Parameters
    ----------
    duration, event, risk
        As for `harrell_c`: a higher risk should have the event EARLIER.
    tau
        Only events up to this day (inclusive) open pairs; all by default. Take the horizon of the forecast.

    Returns
    -------
    float
        In [0, 1]; missing where no pair is comparable.

    Raises
    ------
    ArgumentError
        As for `harrell_c`.

    Notes
    -----
    Uno et al. (2011), "On the C-statistics for evaluating overall adequacy of risk prediction procedures with censored
    survival data", Stat. Med. 30, eq. 6: an event on day T has weight 1/G(T-)^2, G the Kaplan-Meier curve of censoring
    (events of a day leave before the censored ones). Rows with event 2 before T stay comparable with weight
    1/(G(T-)G(S-)), S their own day (Wolbers et al., 2014, "Concordance for prognostic models with competing risks",
    Biostatistics 15).

    Examples
    --------
    >>> round(uno_c([1, 2, 3, 4, 5], [1, 0, 1, 1, 0], [0.9, 0.3, 0.5, 0.1, 0.2]), 4)
    0.8095
    """
    days, code, _ = observed(duration, event, None)
    score = scores(risk, len(days))
    opens = np.flatnonzero((code == 1) & (days <= (np.inf if tau is None else tau)))
    followed = followed_to(days, code, days)
    rank = _ranks(score)
    own, weight = rank[opens], 1 / followed[opens]
    pairs, right = _tally(*_beyond(days, code, days[opens]), rank, own)
    top, bottom = float(weight**2 @ right), float(weight**2 @ pairs)
    gone = code == 2
    if gone.any():
        order, first = _from_above(-days[gone], -days[opens], strictly=True)
        pairs, right = _tally(order, first, rank[gone], own, 1 / followed[gone])
        top, bottom = top + float(weight @ right), bottom + float(weight @ pairs)
    return _ratio(top, bottom)


def scores(risk: ArrayLike, rows: int) -> Floats:
    """Take one finite figure per row.

    Raises
    ------
    ArgumentError
        Lengths differ, or a figure is missing or infinite.
    """
    found = np.asarray(risk, dtype=np.float64)
    if found.shape != (rows,):
        raise ArgumentError("length", f"{rows} rows, but {found.shape} risks", hint="one risk per row")
    if not np.isfinite(found).all():
        count = int((~np.isfinite(found)).sum())
        raise ArgumentError("risk-missing", "a risk is missing or infinite", count=count, hint="leave never-buyers out")
    return found


def _ranks(score: Floats) -> Ints:
    return np.unique(score, return_inverse=True)[1].astype(np.int64)


def _beyond(days: Floats, code: Ints, moments: Floats) -> tuple[Ints, Ints]:
    """Order rows so that those still without the event after each moment come first, and say how many they are."""
    same = np.sort(days[code != 1])
    later = len(days) - np.searchsorted(np.sort(days), moments, side="right")
    today = np.searchsorted(same, moments, side="right") - np.searchsorted(same, moments, side="left")
    return np.lexsort((code == 1, -days)), later + today


def _from_above(values: Floats, moments: Floats, *, strictly: bool = False) -> tuple[Ints, Ints]:
    """Order rows from the highest value, and say how many are at (unless ``strictly``) or above each moment."""
    below = np.searchsorted(np.sort(values), moments, side="right" if strictly else "left")
    return np.argsort(-values, kind="stable"), len(values) - below


def _tally(order: Ints, first: Ints, rank: Ints, own: Ints, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """Weigh, for each event, the first rows in order, and those of them that stand lower (a tie is a half)."""
    rank = rank[order]
    weights = None if weights is None else weights[order]
    everybody = first.astype(np.float64) if weights is None else np.concatenate([[0.0], np.cumsum(weights)])[first]
    lower, up_to = (weight_below(rank, weights, first, limit) for limit in (own, own + 1))
    return everybody, (lower + up_to) / 2


def _ratio(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom > 0 else np.nan
