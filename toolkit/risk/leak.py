"""Does a model know what it cannot know: signs of the future among its features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.errors import Check
from toolkit.risk.metrics import auc
from toolkit.risk.past import LABELS
from toolkit.schema import ENTRY_DAYS, LANDMARK

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Bools = NDArray[np.bool_]

TELLING = 0.95
"""A single feature that parts outcomes better than this, either way, is not believed."""
GAP = 0.1
"""How much better than out of time, beyond its noise, a model may part the outcomes that it learned from."""
_CLASSES = 20
_FEWEST = 10


def telling_features(episodes: pd.DataFrame, bad: Bools) -> Check:
    """Look for a feature that alone tells the outcome.

    Parameters
    ----------
    episodes
        Training episodes of one landmark whose horizon is over, with their features.
    bad
        Whether the bad event came.

    Returns
    -------
    Check
        ``leak_suspected``, failed where the AUC of a single column (missing values taken as lowest, then as highest;
        texts of up to 20 classes by the share of each) is above .95 or below .05; ``subject`` names these columns.
        Not looked for among fewer than 10 of either outcome.

    Examples
    --------
    >>> came = np.tile([True, False], 10)
    >>> rows = pd.DataFrame({"spend": np.arange(20.0), "next_order": np.where(came, np.nan, 9.0)})
    >>> telling_features(rows, came).subject
    'next_order'
    """
    names = [name for name in episodes.columns if name not in (*LABELS, LANDMARK, ENTRY_DAYS)]
    found = {name: _telling(episodes[name], bad) for name in names}
    told = {name: value for name, value in found.items() if value > TELLING}
    if told:
        worst = max(told, key=lambda name: told[name])
        message = f"{worst} alone tells the outcome (AUC {told[worst]:.3f} in training); was it known at the landmark?"
        return Check("leak_suspected", "failed", message, len(told), ", ".join(told))
    return Check("leak_suspected", "passed", f"none of {len(names)} columns alone tells the outcome", len(names))


def too_good(learned: float, tested: float, good: int, bad: int) -> Check:
    """Compare how a model parts the outcomes that it learned from with how it parts those that came later.

    Parameters
    ----------
    learned, tested
        AUC at the last training landmark whose horizon is over, and at the origin.
    good, bad
        Outcomes at the origin.

    Returns
    -------
    Check
        ``too_good_in_training``, failed where the first is higher by .1 and twice the second's standard error at most
        (Van Dantzig's bound: sqrt(AUC (1 - AUC) / the rarer outcome)).

    Examples
    --------
    >>> too_good(0.99, 0.72, 500, 800).status, too_good(0.75, 0.72, 500, 800).status
    ('failed', 'passed')
    """
    noise = 2 * np.sqrt(tested * (1 - tested) / max(1, min(good, bad)))
    failed = learned - tested > GAP + noise
    message = f"AUC {learned:.3f} where it learned, {tested:.3f} out of time"
    if failed:
        message += ": a feature may know the future, or the model learned its buyers by heart"
    return Check("too_good_in_training", "failed" if failed else "passed", message)


def _telling(values: pd.Series, bad: Bools) -> float:
    """Return how well a column parts the outcomes, either way; missing where it cannot be told."""
    if min(bad.sum(), (~bad).sum()) < _FEWEST:
        return np.nan
    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype == object or pd.api.types.is_string_dtype(values):
        groups = values.astype(object).where(values.notna(), "")
        if groups.nunique() > _CLASSES:
            return np.nan
        return _either_way(bad, pd.Series(bad).groupby(groups.to_numpy()).transform("mean"))
    return max(_either_way(bad, values.rank(na_option=missing)) for missing in ("top", "bottom"))


def _either_way(bad: Bools, score: ArrayLike) -> float:
    found = auc(bad, np.asarray(score, dtype=np.float64))
    return max(found, 1 - found)
