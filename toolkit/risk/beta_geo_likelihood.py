"""BG/NBD log-likelihood with gradient and Hessian, on different histories and how often each occurs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln, polygamma

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from toolkit.risk.histories import Histories

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PARAMETERS = ("r", "alpha", "a", "b")
_BLOCK = 1 << 11
"""Rows at a time: they stay in the processor's cache, and are too few for a product to start threads."""


class BetaGeoLikelihood:
    """Log-likelihood of BG/NBD as a function of the logarithms of ``r alpha a b``.

    Parameters
    ----------
    found
        Different histories, sorted by repeats.
    counts
        How many customers have each.
    unit_days
        Days in one unit of time.

    Notes
    -----
    Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24, equation 6, written as

        ln G(r+x) - ln G(r) + r ln alpha - (r+x) ln(alpha+T) + ln B(a, b+x) - ln B(a, b) + ln(1 + exp u),
        u = ln a - ln(b+x-1) + (r+x) (ln(alpha+T) - ln(alpha+t)),

    where the last term stands for x > 0 only and exp(u) are the odds of having left. Gamma functions are evaluated
    once per different x and logarithms once per different day; only u needs every history.
    """

    def __init__(self, found: Histories, counts: Ints, unit_days: float) -> None:
        weight = counts.astype(np.float64)
        self.customers = float(weight.sum())
        days = int(found.tenure.max(initial=0)) + 1
        self._times = np.arange(days) / unit_days
        self._by_tenure = np.bincount(found.tenure, weight, days)
        self._repeats_by_tenure = np.bincount(found.tenure, weight * found.repeats, days)
        values, codes = np.unique(found.repeats, return_inverse=True)
        self._x = values.astype(np.float64)
        self._by_x = np.bincount(codes, weight, len(values))
        again = found.repeats > 0
        self._code = codes[again]
        self._repeats = found.repeats[again].astype(np.float64)
        self._last, self._tenure, self._weight = found.last[again], found.tenure[again], weight[again]

    def starts(self) -> Iterator[Floats]:
        """Yield logarithms of parameters to start from: moments of the counts, then others around them."""
        mean = float(self._by_x @ self._x) / self.customers
        variance = float(self._by_x @ (self._x - mean) ** 2) / self.customers
        length = float(self._by_tenure @ self._times) / self.customers
        r = float(np.clip(mean**2 / (variance - mean), 0.1, 5.0)) if variance > mean > 0 else 1.0
        alpha = r * max(length, 1e-3) / max(mean, 1e-3)
        for scale, a, b in ((1.0, 0.7, 2.5), (1.0, 0.2, 2.0), (0.5, 1.0, 1.0), (2.0, 1.5, 15.0), (1.0, 0.05, 0.5)):
            yield np.log([r * scale, alpha * scale, a, b])

    def __call__(self, logs: Floats) -> tuple[float, Floats, Floats]:
        """Return log-likelihood, gradient and Hessian by the logarithms."""
        r, alpha, a, b = theta = np.exp(logs)
        value, gradient, hessian = self._counts(r, alpha, a, b)
        left = self._leaving(r, alpha, a, b)
        value, gradient, hessian = value + left[0], gradient + left[1], hessian + left[2]
        return value, theta * gradient, np.outer(theta, theta) * hessian + np.diag(theta * gradient)

    def _counts(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats, Floats]:
        """Return the terms without u, and their derivatives by the parameters themselves."""
        x, n = self._x, self._by_x
        inverse = 1 / (alpha + self._times)
        exponents = r * self._by_tenure + self._repeats_by_tenure
        logarithms = np.log(alpha + self._times)
        value = (
            n @ (gammaln(r + x) - gammaln(r) + gammaln(b + x) - gammaln(b) + gammaln(a + b) - gammaln(a + b + x))
            + self.customers * r * np.log(alpha)
            - exponents @ logarithms
        )
        both = n @ (digamma(a + b) - digamma(a + b + x))
        gradient = np.array(
            [
                n @ (digamma(r + x) - digamma(r)) + self.customers * np.log(alpha) - self._by_tenure @ logarithms,
                self.customers * r / alpha - exponents @ inverse,
                both,
                both + n @ (digamma(b + x) - digamma(b)),
            ]
        )
        bent = n @ (polygamma(1, a + b) - polygamma(1, a + b + x))
        hessian = np.zeros((4, 4))
        hessian[0, 0] = n @ (polygamma(1, r + x) - polygamma(1, r))
        hessian[0, 1] = hessian[1, 0] = self.customers / alpha - self._by_tenure @ inverse
        hessian[1, 1] = -self.customers * r / alpha**2 + exponents @ inverse**2
        hessian[2:, 2:] = bent
        hessian[3, 3] += n @ (polygamma(1, b + x) - polygamma(1, b))
        return float(value), gradient, hessian

    def _leaving(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats, Floats]:
        """Return the sum of ln(1 + exp u), and its derivatives by the parameters themselves."""
        logarithms, inverse = np.log(alpha + self._times), 1 / (alpha + self._times)
        after_first = b + np.maximum(self._x, 1) - 1
        log_b, inverse_b = np.log(after_first), 1 / after_first
        value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
        for start in range(0, len(self._weight), _BLOCK):
            block = slice(start, start + _BLOCK)
            code, last, tenure = self._code[block], self._last[block], self._tenure[block]
            weight, s = self._weight[block], r + self._repeats[block]
            by_tenure, by_last = inverse[tenure], inverse[last]
            slopes = np.empty((4, len(weight)))
            np.subtract(logarithms[tenure], logarithms[last], out=slopes[0])
            np.subtract(by_tenure, by_last, out=slopes[1])
            rate = slopes[1].copy()
            slopes[1] *= s
            slopes[2] = 1 / a
            np.negative(inverse_b[code], out=slopes[3])
            u = np.log(a) - log_b[code] + s * slopes[0]
            small = np.exp(-np.abs(u))
            value += float(weight @ (np.maximum(u, 0) + np.log1p(small)))
            left = np.where(u > 0, 1.0, small) / (1 + small)
            times = weight * left
            gradient += slopes @ times
            hessian += (slopes * (times * (1 - left))) @ slopes.T
            cross = float(times @ rate)
            hessian[0, 1] += cross
            hessian[1, 0] += cross
            hessian[1, 1] -= float((times * s) @ (rate * (by_tenure + by_last)))
            hessian[2, 2] -= float(times.sum()) / a**2
            hessian[3, 3] += float(times @ slopes[3] ** 2)
        return value, gradient, hessian
