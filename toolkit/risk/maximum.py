"""Maximum likelihood over positive parameters, with the proof that a maximum was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.optimize import minimize

from toolkit.intervals import Z

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray
    from scipy.optimize import OptimizeResult

    Floats = NDArray[np.float64]
    Evaluation = tuple[float, Floats, Floats]

FAR = 12.0
"""A logarithm beyond this is a parameter that runs away: no maximum is inside."""
_ENOUGH = 1e-6
_FLAT = 100.0
"""Where the logarithm of a parameter has a larger standard error, the likelihood levels off towards 0 or infinity:
with nothing left to gain (`_ENOUGH`) and one parameter, the error there is at least 700."""


@dataclass(frozen=True)
class Maximum:
    """Where a log-likelihood is highest, or how the search ended; see `maximise`.

    Attributes
    ----------
    logs
        Logarithms of the parameters.
    log_likelihood
        There.
    gradient_norm
        Largest entry of the gradient of the mean log-likelihood by the logarithms.
    to_gain
        What a further Newton step would add to the log-likelihood (half the squared Newton decrement).
    covariance
        Inverse of the observed information of the logarithms.
    reason
        Why it is no maximum; empty where it is one.
    """

    logs: Floats
    log_likelihood: float
    gradient_norm: float
    to_gain: float
    covariance: Floats
    reason: str

    @property
    def converged(self) -> bool:
        """Whether it is a maximum: nothing to gain, information positive definite, all parameters determined."""
        return not self.reason

    def table(self, names: tuple[str, ...], units: Floats | None = None) -> pd.DataFrame:
        """Return ``value standard_error lower upper`` by parameter; all missing where it is no maximum.

        The interval is that of the logarithm, 95 %.
        """
        logs, covariance = (
            (self.logs, self.covariance) if self.converged else (self.logs * np.nan, self.covariance * np.nan)
        )
        values = np.exp(logs) * (1.0 if units is None else units)
        spread = np.sqrt(np.diag(covariance))
        columns = {
            "value": values,
            "standard_error": values * spread,
            "lower": values * np.exp(-Z * spread),
            "upper": values * np.exp(Z * spread),
        }
        return pd.DataFrame(columns, index=pd.Index(names, name="parameter"))


def maximise(evaluate: Callable[[Floats], Evaluation], starts: Iterable[Floats], n: int) -> Maximum:
    """Search the maximum of a log-likelihood by Newton steps in a trust region.

    Parameters
    ----------
    evaluate
        Logarithms of the parameters -> log-likelihood, gradient and Hessian by the logarithms.
    starts
        Where to start; the next is tried where one leads to no maximum.
    n
        Observations, by which the objective is divided.

    Returns
    -------
    Maximum
        The first one that is found, else the best end of all searches with its reason.

    Notes
    -----
    Conn, Gould and Toint (2000), "Trust region methods", section 7.3, as in `scipy.optimize` (``trust-exact``).
    """
    ends = []
    for start in starts:
        ends.append(_search(evaluate, start, n))
        if ends[-1].converged:
            return ends[-1]
    return max(ends, key=lambda end: end.log_likelihood)


class _Negative:
    """Mean negative log-likelihood; the last evaluation is kept, as value and Hessian are asked for apart."""

    def __init__(self, evaluate: Callable[[Floats], Evaluation], n: int) -> None:
        self._evaluate, self._n = evaluate, n
        self._at: Floats | None = None
        self._hessian: Floats

    def value(self, logs: Floats) -> tuple[float, Floats]:
        likelihood, gradient, hessian = self._evaluate(logs)
        self._at, self._hessian = logs.copy(), -hessian / self._n
        return -likelihood / self._n, -gradient / self._n

    def hessian(self, logs: Floats) -> Floats:
        if self._at is None or not np.array_equal(self._at, logs):
            self.value(logs)
        return self._hessian


def _search(evaluate: Callable[[Floats], Evaluation], start: Floats, n: int) -> Maximum:
    def stop_far_away(intermediate_result: OptimizeResult) -> None:
        if np.abs(intermediate_result.x).max() > FAR:
            raise StopIteration

    negative = _Negative(evaluate, n)
    options = {"gtol": 1e-9, "maxiter": 100, "initial_trust_radius": 1.0, "max_trust_radius": 2.0}
    end = minimize(
        negative.value,
        start,
        jac=True,
        hess=negative.hessian,
        method="trust-exact",
        callback=stop_far_away,
        options=options,
    )
    return _judged(end.x, *evaluate(end.x), n)


def _judged(logs: Floats, likelihood: float, gradient: Floats, hessian: Floats, n: int) -> Maximum:
    missing = np.full_like(hessian, np.nan)
    norm = float(np.abs(gradient).max() / n)
    if not (np.isfinite(likelihood) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return Maximum(logs, -np.inf, norm, np.nan, missing, "the likelihood is not finite")
    if np.abs(logs).max() > FAR:
        return Maximum(logs, likelihood, norm, np.nan, missing, "a parameter runs to 0 or infinity")
    try:
        factor = cho_factor(-hessian)
    except LinAlgError:
        reason = "the information matrix is not positive definite"
        return Maximum(logs, likelihood, norm, np.nan, missing, reason)
    covariance = cho_solve(factor, np.eye(len(logs)))
    to_gain = float(gradient @ covariance @ gradient) / 2
    reason = "" if to_gain < _ENOUGH else f"a further step would gain {to_gain:.2g} of log-likelihood"
    if np.diag(covariance).max() > _FLAT**2:
        reason = "the histories do not determine a parameter"
    return Maximum(logs, likelihood, norm, to_gain, covariance, reason)
