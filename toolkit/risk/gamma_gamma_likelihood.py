"""Gamma-Gamma log-likelihood with gradient and Hessian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln, polygamma

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PARAMETERS = ("p", "q", "v")


class GammaGammaLikelihood:
    """Log-likelihood of Gamma-Gamma as a function of the logarithms of ``p q v``.

    Parameters
    ----------
    x
        Repeat order days of each customer, at least 1.
    spend
        What was paid on them together, above 0.

    Notes
    -----
    Fader and Hardie (2013), "The Gamma-Gamma model of monetary value", equation 1a, with spend = x times the mean:

        ln G(px+q) - ln G(px) - ln G(q) + q ln v + px ln spend - ln(spend/x) - (px+q) ln(spend+v).

    Gamma functions are evaluated once per different x.
    """

    def __init__(self, x: Ints, spend: Floats) -> None:
        values, codes, counts = np.unique(x, return_inverse=True, return_counts=True)
        self._values, self._counts = values.astype(np.float64), counts.astype(np.float64)
        self._x, self._spend, self._codes = x.astype(np.float64), spend, codes
        self._log_spend = float(self._x @ np.log(spend))
        self._log_mean = float(np.log(spend / self._x).sum())

    def starts(self) -> Iterator[Floats]:
        """Yield logarithms of parameters whose mean value is 1."""
        for p, q in ((3.0, 3.0), (1.0, 2.0), (10.0, 5.0), (1.0, 10.0), (30.0, 2.0)):
            yield np.log([p, q, (q - 1) / p])

    def __call__(self, logs: Floats) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, gradient and Hessian by the logarithms."""
        p, q, v = theta = np.exp(logs)
        x, n, customers = self._values, self._counts, len(self._x)
        shape = p * x + q
        logarithm, inverse = np.log(self._spend + v), 1 / (self._spend + v)
        by_x = np.bincount(self._codes, logarithm, len(x))
        inverse_by_x = np.bincount(self._codes, inverse, len(x))
        value = (
            n @ (gammaln(shape) - gammaln(p * x) - gammaln(q))
            + customers * q * np.log(v)
            + p * self._log_spend
            - self._log_mean
            - shape @ by_x
        )
        each = digamma(shape)
        gradient = np.array(
            [
                n @ (x * (each - digamma(p * x))) + self._log_spend - x @ by_x,
                n @ (each - digamma(q)) + customers * np.log(v) - by_x.sum(),
                customers * q / v - shape @ inverse_by_x,
            ]
        )
        bent = polygamma(1, shape)
        pq = n @ (x * bent)
        pv, qv = -x @ inverse_by_x, customers / v - inverse_by_x.sum()
        pp = n @ (x**2 * (bent - polygamma(1, p * x)))
        qq = n @ (bent - polygamma(1, q))
        vv = -customers * q / v**2 + shape @ np.bincount(self._codes, inverse**2, len(x))
        hessian = np.array([[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]])
        return float(value), theta * gradient, np.outer(theta, theta) * hessian + np.diag(theta * gradient)
