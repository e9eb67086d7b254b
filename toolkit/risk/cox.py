"""One fit of the Cox model: Newton's method by lifelines, on the sums of `toolkit.risk.efron`."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.risk.cumulative import StepCurve
from toolkit.risk.efron import efron_sums, gradient, hazard_steps, information, risk_sets, score_residuals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from toolkit.risk.efron import EfronSums, RiskSets
    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ALL_STRATA = -1
_STRATUM = "stratum"
_ROWS_A_DAY = 200
_HALVINGS = 10
_TIGHT = {"precision": 1e-9, "r_precision": 1e-12}


class FitFailedError(Exception):
    """A fit did not come to an end that can be believed: what lifelines raised or warned of."""


def fit_cox(
    x: Floats, rows: EpisodeRows, *, penalizer: float = 0.0, careful: bool = True, step_size: float | None = None
) -> tuple[Floats, Floats, float]:
    """Fit log hazard ratios.

    Parameters
    ----------
    x
        Standardised columns, shape (n, columns).
    rows
        Times, events, weights and strata.
    penalizer
        Ridge penalty of lifelines: ``n x penalizer x beta**2 / 2`` is taken from the log-likelihood.
    careful
        Whether the first step is halved until it gains.
    step_size
        First step of Newton's method; lifelines' own where None.

    Returns
    -------
    beta, covariance, log_likelihood
        Per standard deviation; the covariance is the inverse of the information.

    Raises
    ------
    FitFailedError
        lifelines raised, or warned.
    """
    order = np.lexsort((rows.seen, rows.duration))
    index = None if rows.strata is None else pd.Index(rows.strata[order], name=_STRATUM)
    columns = pd.DataFrame(x[order], index=index)
    duration, event, weights = (
        pd.Series(values[order], index=index) for values in (rows.duration, rows.seen, rows.weights)
    )
    entry = None if rows.entry is None else pd.Series(rows.entry[order], index=index)
    options: dict[str, Any] = _TIGHT | ({} if step_size is None else {"step_size": step_size, "max_steps": 2_000})
    newton = _newton()(penalizer=penalizer, strata=None if index is None else [_STRATUM])
    with lifelines_strictly():
        start = _first_step(x, rows, penalizer) if careful else None
        beta, log_likelihood, hessian = newton.maximise(
            columns, duration, event, weights, entry, initial_point=start, show_progress=False, **options
        )
        covariance = np.linalg.inv(-hessian)
    if not (np.isfinite(beta).all() and np.isfinite(covariance).all() and (np.diag(covariance) > 0).all()):
        raise FitFailedError("coefficients or their covariance are not finite")
    return beta, covariance, float(log_likelihood)


@contextmanager
def lifelines_strictly() -> Iterator[None]:
    """Turn what lifelines raises or warns of into failures of the fit; its other warnings pass.

    Raises
    ------
    FitFailedError
        What lifelines raised or warned of.
    """
    from lifelines import exceptions  # noqa: PLC0415 - seconds of import, before a fit only

    with warnings.catch_warnings():
        for kind in (exceptions.StatisticalWarning, exceptions.ApproximationWarning, RuntimeWarning):
            warnings.simplefilter("error", kind)
        warnings.filterwarnings("ignore", message="It appears your weights are not integers")
        try:
            yield
        except Exception as error:
            raise FitFailedError(" ".join(str(error).split())) from error


def cox_residuals(x: Floats, rows: EpisodeRows, beta: Floats) -> Floats:
    """Return score residuals of each row, weight included: shape (n, columns)."""
    found = np.zeros_like(x)
    for places, sets, sums in strata_sums(x, rows, beta):
        found[places] = score_residuals(sets, sums, x[places])
    return found


def cox_curves(x: Floats, rows: EpisodeRows, beta: Floats) -> dict[int, StepCurve]:
    """Return the baseline cumulative hazard of each stratum; `ALL_STRATA` is that of all rows together."""
    curves = {}
    for source in [rows.in_strata(None), *([rows] if rows.strata is not None else [])]:
        for places, sets, sums in strata_sums(x, source, beta):
            key = ALL_STRATA if source.strata is None else int(source.strata[places[0]])
            curves[key] = StepCurve(sets.times, np.cumsum(hazard_steps(sets, sums)))
    return curves


def strata_sums(x: Floats, rows: EpisodeRows, beta: Floats) -> Iterator[tuple[Ints, RiskSets, EfronSums]]:
    """Yield the places, risk sets and sums of each stratum."""
    for places in rows.by_stratum():
        entry = rows.entry[places] if rows.entry is not None else None
        sets = risk_sets(rows.duration[places], rows.seen[places], entry, rows.weights[places])
        yield places, sets, efron_sums(sets, x[places], beta)


def _first_step(x: Floats, rows: EpisodeRows, penalizer: float) -> Floats:
    """Return where Newton's first step leads, halved until it gains.

    Notes
    -----
    The curvature at 0 knows nothing of heavy tails: a full step from there may land where all weight is on a handful of
    customers, and lifelines' method never looks back.
    """
    beta = np.zeros(x.shape[1])
    before = _level(x, rows, beta)
    slope, curvature = np.zeros(len(beta)), len(x) * penalizer * np.eye(len(beta))
    for places, sets, sums in strata_sums(x, rows, beta):
        slope += gradient(sets, sums, x[places])
        curvature += information(sets, sums, x[places])
    step: Floats = np.asarray(np.linalg.lstsq(curvature, slope)[0], dtype=np.float64)
    for _ in range(_HALVINGS):
        if _level(x, rows, step) - len(x) * penalizer * step @ step / 2 > before:
            return step
        step /= 2
    return beta


def _level(x: Floats, rows: EpisodeRows, beta: Floats) -> float:
    return sum(sums.log_likelihood for _, _, sums in strata_sums(x, rows, beta))


@cache
def _newton() -> Any:
    from lifelines.fitters.coxph_fitter import SemiParametricPHFitter  # noqa: PLC0415 - seconds of import

    class Newton(SemiParametricPHFitter):  # type: ignore[misc]  # lifelines ships no types
        """lifelines' Newton method, on sums that loop over neither rows nor days, and are as fast under late entry."""

        event_col = "event"

        def maximise(self, *rows: Any, **options: Any) -> tuple[Floats, float, Floats]:
            """Return coefficients, log-likelihood and Hessian for rows that are sorted by time and event."""
            found: tuple[Floats, float, Floats] = self._newton_raphson_for_efron_model(*rows, **options)
            return found

        def _choose_gradient_calculator(self, duration: Any, _: Any, entry: Any) -> Any:
            if entry is None and duration.nunique() * _ROWS_A_DAY <= len(duration):
                return self._get_efron_values_batch
            return _newton_step

    return Newton


def _newton_step(  # noqa: PLR0917 - lifelines calls it so
    x: pd.DataFrame,
    duration: pd.Series[float],
    event: pd.Series[bool],
    weights: pd.Series[float],
    entry: pd.Series[float] | None,
    beta: Floats,
) -> tuple[Floats, Floats, float]:
    """Return Hessian, slope and log-likelihood in lifelines' order."""
    columns, last, weight = (np.asarray(part, dtype=np.float64) for part in (x, duration, weights))
    first = None if entry is None else np.asarray(entry, dtype=np.float64)
    sets = risk_sets(last, np.asarray(event, dtype=bool), first, weight)
    sums = efron_sums(sets, columns, beta)
    return -information(sets, sums, columns), gradient(sets, sums, columns), sums.log_likelihood
