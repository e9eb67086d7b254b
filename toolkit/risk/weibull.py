"""One fit of the Weibull model by lifelines, told as log hazard ratios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.risk.cox import FitFailedError, lifelines_strictly
from toolkit.risk.cumulative import WeibullCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]

_SCALE, _SHAPE, _INTERCEPT = "lambda_", "rho_", "Intercept"


@dataclass(frozen=True, eq=False)
class WeibullFit:
    """A fitted accelerated life model ``log T = intercept + x slopes + noise / shape``.

    Attributes
    ----------
    slopes
        Of the logarithm of time per standard deviation, shape (columns,).
    intercept, log_shape
        The other two parameters.
    covariance
        Of slopes, intercept and log_shape, by the inverse of the information.
    log_likelihood
        Of the data.
    """

    slopes: Floats
    intercept: float
    log_shape: float
    covariance: Floats
    log_likelihood: float

    @property
    def beta(self) -> Floats:
        """Return log hazard ratios: slopes times minus the shape."""
        return np.asarray(-np.exp(self.log_shape) * self.slopes, dtype=np.float64)

    def of_beta(self, covariance: Floats) -> Floats:
        """Turn a covariance of the parameters into that of the log hazard ratios (delta method)."""
        size = len(self.slopes)
        slope = np.zeros((size, size + 2))
        slope[:, :size] = -np.exp(self.log_shape) * np.eye(size)
        slope[:, -1] = self.beta
        found: Floats = slope @ covariance @ slope.T
        return found

    def curve(self, longest: float) -> WeibullCurve:
        """Return the cumulative hazard where all columns are at their mean."""
        return WeibullCurve(float(np.exp(self.intercept)), float(np.exp(self.log_shape)), longest)

    def residuals(self, x: Floats, rows: EpisodeRows) -> Floats:
        """Return the slope of each row's log-likelihood by slopes, intercept and log_shape, weight included."""
        place = self.intercept + x @ self.slopes
        shape = np.exp(self.log_shape)
        end = shape * (np.log(rows.duration) - place)
        start = np.full_like(end, -np.inf)
        late = rows.start > 0
        start[late] = shape * (np.log(rows.start[late]) - place[late])
        entered = np.exp(start)
        started = np.where(late, np.where(late, start, 0.0) * entered, 0.0)
        by_place = shape * (np.exp(end) - entered - rows.seen)
        by_shape = rows.seen * (1 + end) - (end * np.exp(end) - started)
        return np.column_stack([x * by_place[:, None], by_place, by_shape]) * rows.weights[:, None]


def fit_weibull(x: Floats, rows: EpisodeRows, *, penalizer: float = 0.0) -> WeibullFit:
    """Fit the model.

    Parameters
    ----------
    x
        Standardised columns, shape (n, columns).
    rows
        Times, events and weights.
    penalizer
        Ridge penalty of lifelines: ``penalizer x slope**2 / 2`` is taken from the mean log-likelihood.

    Raises
    ------
    FitFailedError
        lifelines raised, or warned.
    """
    from lifelines import WeibullAFTFitter  # noqa: PLC0415 - seconds of import, before a fit only

    names = [f"x{number}" for number in range(x.shape[1])]
    frame = pd.DataFrame(x, columns=names).assign(
        duration=rows.duration, event=rows.seen.astype(np.float64), weight=rows.weights, entry=rows.start
    )
    fitter = WeibullAFTFitter(penalizer=penalizer)
    with lifelines_strictly():
        fitter.fit(frame, "duration", "event", weights_col="weight", entry_col="entry")
    wanted = [*((_SCALE, name) for name in names), (_SCALE, _INTERCEPT), (_SHAPE, _INTERCEPT)]
    params = fitter.params_.loc[wanted].to_numpy(dtype=np.float64)
    covariance = fitter.variance_matrix_.loc[wanted, wanted].to_numpy(dtype=np.float64)
    if not (np.isfinite(params).all() and np.isfinite(covariance).all()):
        raise FitFailedError("coefficients or their covariance are not finite")
    return WeibullFit(params[:-2], float(params[-2]), float(params[-1]), covariance, float(fitter.log_likelihood_))
