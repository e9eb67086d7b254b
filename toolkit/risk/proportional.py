"""Whether hazards are proportional: does a column's log hazard ratio change with time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import stats

from toolkit.errors import Check
from toolkit.risk.contrasts import holm
from toolkit.risk.cox import strata_sums
from toolkit.risk.efron import gradient, information, risk_sets, score_residuals
from toolkit.risk.sandwich import by_cluster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]

_LEVEL = 0.05
_SMALL_DRIFT = 1.1


def proportional_test(
    x: Floats, rows: EpisodeRows, beta: Floats, names: Sequence[str], *, robust: bool
) -> pd.DataFrame:
    """Test whether the log hazard ratio of each column changes with time.

    Parameters
    ----------
    x, rows, beta
        Standardised columns, shape (n, columns), their episodes, and fitted log hazard ratios.
    names
        Names of the columns.
    robust
        Whether customers, not episodes, are independent.

    Returns
    -------
    DataFrame, index ``covariate``
        ``chi2`` (one degree of freedom), ``p_value``, ``p_adjusted`` (Holm over the columns), and ``drift``: factor
        by which the hazard ratio per standard deviation changes from the first event time to the last.

    Notes
    -----
    Score test of a column times ``g(t)``, one less the Kaplan-Meier estimate just before t: the test of scaled
    Schoenfeld residuals against that time (Grambsch and Therneau 1994, Biometrika 81), as R's ``cox.zph`` computes it,
    with Efron's ties. With ``robust`` its variance is that of sums over customers of the score residuals, those of
    the tested column less what the fitted ones explain (Lin and Wei 1989), so that several episodes of a customer
    count as one.
    """
    size = x.shape[1]
    clock = _clock(rows)
    fitted, crossed, squared = (np.zeros((size, size)) for _ in range(3))
    slope, score = np.zeros(size), np.zeros(size)
    residuals = [np.zeros((len(x), size)) for _ in range(2)] if robust else []
    for places, sets, sums in strata_sums(x, rows, beta):
        at = np.interp(sets.times, *clock)
        part = x[places]
        fitted += information(sets, sums, part)
        crossed += information(sets, sums, part, at)
        squared += information(sets, sums, part, at**2)
        slope += gradient(sets, sums, part)
        score += gradient(sets, sums, part, at)
        for found, factor in zip(residuals, (None, at), strict=False):
            found[places] = score_residuals(sets, sums, part, factor)
    explained = crossed @ np.linalg.pinv(fitted)
    score -= explained @ slope
    by_model = np.diag(squared - explained @ crossed.T)
    variance = by_model
    if robust:
        of_customers = by_cluster(residuals[1] - residuals[0] @ explained.T, rows.clusters)
        variance = (of_customers**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.where(variance > 0, score**2 / variance, 0.0)
        drift = np.where(by_model > 0, score / by_model, 0.0) * np.ptp(clock[1])
    p_value = stats.chi2.sf(chi2, 1)
    return pd.DataFrame(
        {
            "chi2": chi2,
            "p_value": p_value,
            "p_adjusted": holm(p_value),
            "drift": np.exp(np.clip(drift, -50, 50)),
        },
        index=pd.Index(names, name="covariate"),
    )


def not_tested() -> pd.DataFrame:
    """Return the table of `proportional_test` without rows."""
    return pd.DataFrame(columns=["chi2", "p_value", "p_adjusted", "drift"], index=pd.Index([], name="covariate"))


def proportional_check(table: pd.DataFrame, *, allowed_for: bool) -> Check:
    """Say which columns drift: adjusted p under .05, and a drift of a tenth or more either way.

    Parameters
    ----------
    table
        Of `proportional_test`.
    allowed_for
        Whether the risk lets the log hazard's slope change with time (`toolkit.risk.stretch`).
    """
    large = (table["drift"] > _SMALL_DRIFT) | (table["drift"] < 1 / _SMALL_DRIFT)
    drifting = table[(table["p_adjusted"] < _LEVEL) & large]
    if drifting.empty:
        told = f"no hazard ratio of {len(table)} changes over the follow-up by a tenth or more that chance would not do"
        return Check("proportional_hazards", "passed", told)
    names = ", ".join(map(str, drifting.index))
    changes = "; ".join(f"{name} x {row.drift:.2f} (p = {row.p_adjusted:.2g})" for name, row in drifting.iterrows())
    so = "; the risk allows for it" if allowed_for else ""
    message = f"hazard ratios that change over the follow-up, so that those printed are means{so}: {changes}"
    return Check("proportional_hazards", "informational" if allowed_for else "failed", message, len(drifting), names)


def _clock(rows: EpisodeRows) -> tuple[Floats, Floats]:
    """Return event times of all strata, and one less the Kaplan-Meier estimate just before each."""
    sets = risk_sets(rows.duration, rows.seen, rows.entry, rows.weights)
    hazard = sets.of_dead(rows.weights) / sets.total(rows.weights)
    return sets.times, 1.0 - np.append(1.0, np.cumprod(1.0 - hazard)[:-1])
