"""Observed outcomes as a smooth function of the forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.risk.product_limit import Floats

POINTS = 200
SPAN = 0.75


def pooled(score: Floats, outcome: Floats, mass: Floats, most: int = POINTS) -> tuple[Floats, Floats, Floats]:
    """Draw rows together into at most so many points, equal forecasts into one.

    Parameters
    ----------
    score, outcome, mass
        Forecast, outcome and weight of each row.
    most
        Most points.

    Returns
    -------
    x, y, mass : array
        Forecast (increasing), outcome (weighted means) and weight of each point.

    Examples
    --------
    >>> import numpy as np
    >>> [part.tolist() for part in pooled(np.array([0.2, 0.1, 0.2]), np.array([1.0, 0.0, 0.0]), np.ones(3))]
    [[0.1, 0.2], [0.0, 0.5], [1.0, 2.0]]
    """
    values, place = np.unique(score, return_inverse=True)
    weight = _summed(place, mass)
    if len(values) > most:
        middle = np.cumsum(weight) - weight / 2
        place = np.unique((middle / weight.sum() * most).astype(np.int64), return_inverse=True)[1][place]
        weight = _summed(place, mass)
    return _summed(place, mass * score) / weight, _summed(place, mass * outcome) / weight, weight


def loess(x: Floats, y: Floats, mass: Floats, span: float = SPAN) -> Floats:
    """Fit a local quadratic at each point.

    Parameters
    ----------
    x, y, mass
        Points, their values, and how many rows each stands for.
    span
        Share of the rows that a fit looks at.

    Returns
    -------
    array
        Fitted value at each ``x``.

    Notes
    -----
    Cleveland, Devlin (1988), "Locally weighted regression", J. Am. Stat. Assoc. 83: degree 2, tricube weights over the
    nearest rows. Where these have fewer than three values, the fit of least norm.

    Examples
    --------
    >>> import numpy as np
    >>> loess(np.arange(6.0), np.arange(6.0) ** 2, np.ones(6)).round(6).tolist()
    [0.0, 1.0, 4.0, 9.0, 16.0, 25.0]
    """
    if not len(x):
        return y
    rows = max(np.floor(span * mass.sum() + 1e-5), 1.0)
    gap = np.abs(x[:, None] - x[None, :])
    order = np.argsort(gap, axis=1, kind="stable")
    enough = (np.cumsum(mass[order], axis=1) >= rows).argmax(axis=1)
    reach = np.take_along_axis(gap, np.take_along_axis(order, enough[:, None], axis=1), axis=1)
    scale = np.where(reach > 0, reach, 1.0)
    near = np.where(gap == 0, 1.0, np.clip(1 - (gap / scale) ** 3, 0, None) ** 3 * (reach > 0)) * mass
    u = (x[None, :] - x[:, None]) / scale
    moments = np.stack([np.einsum("ij,ij->i", near, u**power) for power in range(5)])
    right = np.stack([np.einsum("ij,ij,j->i", near, u**power, y) for power in range(3)])
    system = moments[np.add.outer(np.arange(3), np.arange(3))].transpose(2, 0, 1)
    fitted: Floats = np.einsum("ij,ji->i", np.linalg.pinv(system, rcond=1e-10, hermitian=True)[:, 0, :], right)
    return fitted


def _summed(place: NDArray[np.intp], values: Floats) -> Floats:
    return np.bincount(place, weights=values).astype(np.float64)
