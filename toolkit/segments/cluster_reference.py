"""What a cloud without groups would look like: each feature in one heap, correlated as the customers are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.isotonic import isotonic_regression

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_BINS = 40


@dataclass(frozen=True)
class Heap:
    """The one-peaked distribution that is nearest to a feature's own.

    Attributes
    ----------
    places
        Its values where it has few; else edges of bins of equal width.
    cumulated
        Share up to each value, or up to each edge.
    few
        Whether ``places`` are values.
    """

    places: Floats
    cumulated: Floats
    few: bool

    @classmethod
    def nearest(cls, values: Floats) -> Self:
        """Fit it: counts rise to the best of all peaks and fall after it (least squares)."""
        places, counts = np.unique(values, return_counts=True)
        few = len(places) <= _BINS
        if not few:
            places = np.linspace(places[0], places[-1], _BINS + 1)
            counts = np.histogram(values, places)[0]
        smooth = one_peak(counts.astype(np.float64))
        cumulated = np.cumsum(smooth / smooth.sum())
        return cls(places, cumulated if few else np.concatenate(([0.0], cumulated)), few)

    def at(self, shares: Floats) -> Floats:
        """Return the values up to which the given shares lie."""
        if not self.few:
            return np.interp(shares, self.cumulated, self.places)
        return self.places[np.minimum(np.searchsorted(self.cumulated, shares, side="right"), len(self.places) - 1)]


@dataclass(frozen=True)
class Reference:
    """A cloud without groups, to draw from.

    Attributes
    ----------
    heaps
        One per feature.
    mixing
        Matrix that gives independent normal numbers the rank correlations of the customers.

    Notes
    -----
    Tibshirani, Walther and Hastie (2001) compare clusters with those of a uniform cloud. Features of customers are
    skewed, tied and correlated, and a uniform cloud would take each of that for groups. So the reference is a
    Gaussian copula: correlations of normal scores are kept, and each feature keeps its range, skew and ties, but
    has one peak only (isotonic regression on both sides of it).
    """

    heaps: tuple[Heap, ...]
    mixing: Floats

    @classmethod
    def of(cls, rows: Floats) -> Self:
        """Learn it from customers x features."""
        normal = norm.ppf((rankdata(rows, axis=0) - 0.5) / len(rows))
        values, vectors = np.linalg.eigh(np.atleast_2d(np.corrcoef(normal, rowvar=False)))
        return cls(tuple(Heap.nearest(column) for column in rows.T), vectors * np.sqrt(np.maximum(values, 0)))

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """Draw so many customers."""
        shares = norm.cdf(rng.standard_normal((size, len(self.heaps))) @ self.mixing.T)
        return np.column_stack([heap.at(column) for heap, column in zip(self.heaps, shares.T, strict=True)])


def one_peak(counts: Floats) -> Floats:
    """Return the nearest sequence that rises and then falls.

    Examples
    --------
    >>> one_peak(np.array([4.0, 1.0, 3.0, 0.0])).tolist()
    [4.0, 2.0, 2.0, 0.0]
    """
    fits = []
    for peak in range(len(counts)):
        up, down = isotonic_regression(counts[: peak + 1]), isotonic_regression(counts[peak:], increasing=False)
        fits.append(np.concatenate((up[:-1], [max(up[-1], down[0])], down[1:])))
    losses = [float(((fit - counts) ** 2).sum()) for fit in fits]
    return np.asarray(fits[int(np.argmin(losses))])
