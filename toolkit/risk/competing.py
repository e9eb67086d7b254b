"""The hazard of deletion, which ends an episode before the modelled event can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import Check
from toolkit.risk.covariates import EVENTS_PER_COVARIATE
from toolkit.risk.cox import ALL_STRATA, FitFailedError, cox_curves, fit_cox
from toolkit.risk.cumulative import Cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.risk.cumulative import StepCurve
    from toolkit.risk.episode_rows import EpisodeRows

    Floats = NDArray[np.float64]

DELETION = 2
_PRIOR_EVENTS = 10


@dataclass(frozen=True, eq=False)
class Deletion:
    """Cause-specific hazard of deletion.

    Attributes
    ----------
    beta
        Log hazard ratios on the columns of the model; None where deletion is the same for all.
    curve
        Baseline cumulative hazard.
    """

    beta: Floats | None
    curve: StepCurve

    def cause(self, x: Floats | None, rows: int) -> Cause:
        """Return the hazard of some customers."""
        relative = np.ones(rows) if self.beta is None or x is None else np.exp(x @ self.beta)
        return Cause(self.curve, relative)


def learn_deletion(x: Floats | None, rows: EpisodeRows) -> tuple[Deletion | None, list[Check]]:
    """Fit the hazard of deletion by the model's own columns where there are events enough for it.

    Parameters
    ----------
    x
        Standardised columns, shape (n, columns); None where the table serves.
    rows
        The episodes.

    Returns
    -------
    deletion, checks
        None, and no check, where nobody was deleted.

    Notes
    -----
    Always a Cox fit, drawn to 0 as by ten events, so that a few deletions that are all alike do no harm.
    """
    deleted = rows.of_cause(DELETION).in_strata(None)
    count = int(deleted.seen.sum())
    if not count:
        return None, []
    beta = None
    if x is not None and count >= EVENTS_PER_COVARIATE * x.shape[1]:
        try:
            beta = fit_cox(x, deleted, penalizer=_PRIOR_EVENTS / len(x))[0]
        except FitFailedError:
            beta = None
    columns = np.zeros((len(rows.duration), 0)) if beta is None or x is None else x
    curve = cox_curves(columns, deleted, np.zeros(0) if beta is None else beta)[ALL_STRATA]
    how = "alike for all" if beta is None else "by the same covariates"
    message = f"{count:,} episodes end in deletion, which competes: its hazard is taken {how}"
    return Deletion(beta, curve), [Check("competing_deletion", "informational", message, count)]
