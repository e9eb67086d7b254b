"""From moments to the value of a metric in each tier and arm, its variance, and how skewed its units are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.experiment import Kind
    from toolkit.strategy.moments import Moments

UNITS, EVENTS, GROUPS = 20, 5, 5
"""Fewest units (means, ratios), events and non-events (proportions), and groups in an arm that an estimate needs."""
SIZE = "customers of the group"
"""Name of the column that counts a group's customers, where groups were assigned."""
_FLAT = 1e-12
"""A standard deviation below this share of the mean, or a variance below it of the unadjusted one, is rounding."""


@dataclass(frozen=True)
class Metric:
    """What a metric is made of: columns of numbers by name.

    Attributes
    ----------
    name, kind
        As the caller gave them.
    value, per
        Mean of ``value``, or its sum over the sum of ``per``.
    covariate, covariate_per
        The same of what was known before assignment.
    """

    name: str
    kind: Kind
    value: str
    per: str | None = None
    covariate: str | None = None
    covariate_per: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Its columns, each once."""
        return tuple(dict.fromkeys(c for c in (self.value, self.per, self.covariate, self.covariate_per) if c))


@dataclass(frozen=True, eq=False)
class ArmValues:
    """A metric in ``T`` tiers and ``A`` arms; arrays of shape (T, A) unless said otherwise.

    Attributes
    ----------
    n
        Units.
    value, variance
        Adjusted by the covariate; ``variance`` is that of the value.
    raw_variance
        The variance without the covariate.
    total
        Sum of the numerator: events of a proportion.
    size
        Sum of the denominator; units where there is none.
    theta
        Slope on the covariate, shape (T,); 0 without.
    loadings, centre
        A unit's contribution to the value is ``loadings @ (columns - centre)``: both (T, K), arms together.
    second, third
        Mean square and mean cube of these contributions in a tier, shape (T,).
    arm_loadings
        As ``loadings``, with the arm's own ratios, shape (T, A, K).
    """

    n: NDArray[np.int64]
    value: NDArray[np.float64]
    variance: NDArray[np.float64]
    raw_variance: NDArray[np.float64]
    total: NDArray[np.float64]
    size: NDArray[np.float64]
    theta: NDArray[np.float64]
    loadings: NDArray[np.float64]
    centre: NDArray[np.float64]
    second: NDArray[np.float64]
    third: NDArray[np.float64]
    arm_loadings: NDArray[np.float64]

    @property
    def skewness(self) -> NDArray[np.float64]:
        """Of the contributions, by tier; 0 where they do not vary."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.second > 0, self.third / self.second**1.5, 0.0)


def arm_values(moments: Moments, metric: Metric, columns: Sequence[str]) -> ArmValues:
    """Estimate a metric in every tier and arm.

    Parameters
    ----------
    moments
        Of all columns.
    metric
        Which of them it is made of.
    columns
        Names of the columns, in the order of ``moments``.

    Notes
    -----
    Ratios by the delta method (Deng, Knoblich and Lu 2018, "Applying the delta method in metric analytics", KDD).
    CUPED: Deng, Xu, Kohavi and Walker (2013), "Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data", WSDM, equation 4, with one theta per tier from all its arms together.
    """
    at = [columns.index(name) for name in metric.columns]
    place = {name: number for number, name in enumerate(metric.columns)}
    y, d = place[metric.value], place.get(metric.per or "")
    mean, pooled_mean = moments.mean[..., at], moments.pooled_mean[..., at]
    second = moments.second[..., at, :][..., at]
    pooled = moments.pooled_second[..., at, :][..., at]
    third = moments.pooled_third[:, at][:, :, at][..., at]
    n, all_n = moments.n, moments.n.sum(axis=1)

    with np.errstate(invalid="ignore", divide="ignore"):
        value, slope = _ratio(mean, y, d)
        _, loadings = _ratio(pooled_mean, y, d)
        raw = slope
        theta = np.zeros(len(all_n))
        if metric.covariate is not None:
            x, e = place[metric.covariate], place.get(metric.covariate_per or "")
            before, before_slope = _ratio(mean, x, e)
            before_all, before_loadings = _ratio(pooled_mean, x, e)
            spread = _form(pooled, before_loadings)
            flat = spread <= all_n * (_FLAT * before_all) ** 2
            theta = np.where(flat, 0.0, _form(pooled, loadings, before_loadings) / np.where(flat, 1.0, spread))
            value = value - theta[:, None] * (before - before_all[:, None])
            slope = slope - theta[:, None, None] * before_slope
            loadings = loadings - theta[:, None] * before_loadings
        freedom = np.where(n > 1, n * (n - 1.0), np.nan)
        raw_variance = _form(second, raw) / freedom
        raw_variance = np.where(raw_variance <= (_FLAT * value) ** 2 / n, raw_variance * 0.0, raw_variance)
        variance = raw_variance
        if metric.covariate is not None:
            variance = _form(second, slope) / freedom
            variance = np.where(variance <= _FLAT * raw_variance, raw_variance * 0.0, variance)
        size = n * mean[..., d] if d is not None else n.astype(np.float64)
        total = n * mean[..., y]
        mean_square = _form(pooled, loadings) / all_n
        mean_cube = np.einsum("tijk,ti,tj,tk->t", third, loadings, loadings, loadings) / all_n
    return ArmValues(
        n, value, variance, raw_variance, total, size, theta, loadings, pooled_mean, mean_square, mean_cube, slope
    )


def _ratio(mean: NDArray[np.float64], top: int, below: int | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean, or ratio of means, and how it changes with each column."""
    slope = np.zeros_like(mean)
    if below is None:
        slope[..., top] = 1.0
        return mean[..., top], slope
    value = mean[..., top] / mean[..., below]
    slope[..., top] = 1 / mean[..., below]
    slope[..., below] = -value / mean[..., below]
    return value, slope


def _form(
    second: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.einsum("...ij,...i,...j->...", second, left, left if right is None else right)
    return found
