"""What a churn model serves: a fit or the table, deletion beside it, and the incidence that follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.errors import Check
from toolkit.risk.competing import learn_deletion
from toolkit.risk.covariates import Design, learn_design
from toolkit.risk.cox import ALL_STRATA
from toolkit.risk.cumulative import Cause, incidence
from toolkit.risk.drivers import feature_groups
from toolkit.risk.fallback import rate_table
from toolkit.risk.ladder import TABLE, climb
from toolkit.risk.stretch import Part, learn_parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.errors import Status
    from toolkit.risk.competing import Deletion
    from toolkit.risk.episode_rows import EpisodeRows
    from toolkit.risk.fallback import RateTable
    from toolkit.risk.ladder import Fit, Kind
    from toolkit.risk.strata import Strata

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_PRIOR_EVENTS = 10


@dataclass(frozen=True, eq=False)
class Serving:
    """A model that answers.

    Attributes
    ----------
    served
        Name of the rung, or ``table``.
    learned
        The design, or the table.
    fit
        Coefficients of the design; None where the table serves.
    parts
        Times of the follow-up with their baselines; one, of slope 1, where hazards are taken as proportional.
    deletion
        The competing hazard; None where nobody was deleted.
    strata
        How rows find their curve; None where there is one.
    """

    served: str
    learned: Design | RateTable
    fit: Fit | None
    parts: tuple[Part, ...]
    deletion: Deletion | None
    strata: Strata | None

    def log_hazard(self, values: Mapping[str, Floats]) -> Floats:
        """Return the log relative hazard of features as `learned` gives them."""
        return self._log_hazard(values, len(next(iter(values.values()), ())))[0]

    def incidences(self, frame: pd.DataFrame, windows: Sequence[tuple[Floats | float, float]]) -> list[Floats]:
        """Return the cumulative incidence of the modelled event in each window.

        Parameters
        ----------
        frame
            Customers, with the features.
        windows
            Start of each customer, shape (n,), or one for all; and length in days.
        """
        log_hazard, x = self._log_hazard(self.learned.values(frame), len(frame))
        relative = [np.exp(part.slope * log_hazard) for part in self.parts]
        other = None if self.deletion is None else self.deletion.cause(x, len(frame))
        found = [np.empty(len(frame)) for _ in windows]
        for stratum, places in self._by_stratum(frame):
            event = [Cause(part.curves[stratum], one[places]) for part, one in zip(self.parts, relative, strict=True)]
            rival = None if other is None else Cause(other.curve, other.relative[places])
            for happened, (start, days) in zip(found, windows, strict=True):
                begin = start[places] if isinstance(start, np.ndarray) and start.ndim else start
                happened[places] = incidence(event, rival, begin, days)
        return found

    def groups(self) -> list[list[str]]:
        """Return the features, those that act together in one group."""
        if isinstance(self.learned, Design):
            return feature_groups(self.learned)
        return [list(self.learned.features)] if self.learned.features else []

    def _log_hazard(self, values: Mapping[str, Floats], rows: int) -> tuple[Floats, Floats | None]:
        if isinstance(self.learned, Design) and self.fit is not None:
            x = self.learned.matrix(values)
            return x @ self.fit.beta, x
        return self.learned.log_hazard(values, rows), None  # type: ignore[union-attr]  # a design comes with its fit

    def _by_stratum(self, frame: pd.DataFrame) -> Iterator[tuple[int, Ints | slice]]:
        if self.strata is None:
            yield ALL_STRATA, slice(None)
            return
        codes = self.strata.codes(frame)
        for code in np.unique(codes):
            yield int(code), np.flatnonzero(codes == code)


def learn(
    kind: Kind,
    frame: pd.DataFrame,
    rows: EpisodeRows,
    *,
    features: Sequence[str] | None,
    strata: Strata | None,
    penalizer: float,
    robust: bool,
) -> tuple[Serving, Floats, list[Check]]:
    """Learn the design, climb the ladder, and fall back to the table where no rung holds.

    Returns
    -------
    serving, x, checks
        What serves; the training columns, shape (n, columns), for further tests; what is doubtful.

    Notes
    -----
    Default features are drawn to 0 as by ten events of no lesson: a normal prior of precision 10 on each standardised
    column, where an event of the sample weighs about 1. Several columns are made of the same three features, and
    where a shop is small the data hardly tell them apart; where it is not, ten events do not count.
    """
    design, x, checks = learn_design(frame, features, seen=rows.seen)
    fit = None
    if design.forms:
        careful = features is None
        ridge = penalizer + (_PRIOR_EVENTS / len(frame) if careful else 0.0)
        fit, failed = climb(kind, x, rows, design.forms, penalizer=ridge, robust=robust, careful=careful)
        checks += failed
    deletion, found = learn_deletion(x if fit is not None else None, rows)
    checks += found
    if fit is not None:
        status: Status = "passed" if fit.served == kind else "failed" if "ridge" in fit.served else "informational"
        checks.append(Check("served", status, f"{fit.served} serves", 1, fit.served))
        parts = learn_parts(x @ fit.beta, rows) if kind == "cox" and features is None else ()
        return Serving(fit.served, design, fit, parts or (Part(1.0, fit.curves),), deletion, strata), x, checks
    table, curves = rate_table(frame, rows.in_strata(None))
    message = "no model could be fitted; the table of recency by frequency serves"
    checks.append(Check("served", "failed", message, 1, TABLE))
    return Serving(TABLE, table, None, (Part(1.0, {**curves}),), deletion, None), x, checks
