"""The ladder of fits: full Newton, smaller step, ridge; what fails on one rung is tried on the next."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from toolkit.errors import ArgumentError, Check
from toolkit.risk.cox import ALL_STRATA, FitFailedError, cox_curves, cox_residuals, fit_cox
from toolkit.risk.sandwich import sandwich
from toolkit.risk.separation import separating, telling
from toolkit.risk.weibull import fit_weibull

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from toolkit.risk.cumulative import Curve
    from toolkit.risk.episode_rows import EpisodeRows
    from toolkit.risk.forms import Form

    Floats = NDArray[np.float64]

Kind = Literal["cox", "weibull"]
TABLE = "table"
_SMALL_STEP = 0.5
_RIDGE_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted model on standardised columns.

    Attributes
    ----------
    served
        Name of the rung.
    beta
        Log hazard ratio per standard deviation of each column.
    plain
        Their covariance by the information, shape (columns, columns).
    covariance
        The one that intervals use: by clusters, or `plain`.
    curves
        Baseline cumulative hazard of each stratum, and of all.
    log_likelihood
        Of the model; partial for Cox.
    """

    served: str
    beta: Floats
    plain: Floats
    covariance: Floats
    curves: dict[int, Curve]
    log_likelihood: float


def climb(
    kind: Kind,
    x: Floats,
    rows: EpisodeRows,
    forms: Sequence[Form],
    *,
    penalizer: float,
    robust: bool,
    careful: bool,
) -> tuple[Fit | None, list[Check]]:
    """Try one rung after the other.

    Parameters
    ----------
    kind
        ``cox`` or ``weibull``.
    x, rows, forms
        Standardised columns, shape (n, columns), their episodes and their forms.
    penalizer
        Ridge of the first rungs. That of the last is worth a tenth of the events' information, or ten times this.
    robust
        Whether intervals are by clusters.
    careful
        Whether the first rung of Cox already halves Newton's first step until it gains.

    Returns
    -------
    fit, checks
        The first fit that can be believed, None where there is none; and why the rungs before it failed.

    Raises
    ------
    ArgumentError
        A column separates those with the event from those without.
    """
    ridge = max(10 * penalizer, _RIDGE_SHARE * float(rows.seen.mean()))
    first = {"careful": careful} if kind == "cox" else {}
    rungs: list[tuple[str, partial[_Found]]] = [(kind, partial(_RUNGS[kind], penalizer=penalizer, **first))]
    if kind == "cox":
        rungs.append(("cox, smaller step", partial(_cox, penalizer=penalizer, step_size=_SMALL_STEP)))
    rungs.append((f"{kind}, ridge", partial(_RUNGS[kind], penalizer=ridge)))
    checks = []
    apart = ""
    for served, fit in rungs:
        try:
            beta, *_ = found = fit(x, rows, robust=robust)
        except FitFailedError as error:
            checks.append(Check("rung", "failed", f"{served} did not converge: {error}", 1, served))
            apart = ""
            continue
        if served != "cox" and (apart := telling(x, rows, forms)):
            break
        apart = separating(x, beta, forms)
        if not apart:
            return Fit(served, *found), checks
        checks.append(Check("rung", "failed", f"{served}: {apart} separates those with the event", 1, served))
    if apart:
        what = (
            "it separates those with the event from those without, so that only a penalty keeps its coefficient finite"
        )
        raise ArgumentError("separation", what, column=apart, hint="leave it out: features=(...)")
    return None, checks


_Found = tuple["Floats", "Floats", "Floats", "dict[int, Curve]", float]


def _cox(
    x: Floats,
    rows: EpisodeRows,
    *,
    penalizer: float,
    robust: bool,
    careful: bool = True,
    step_size: float | None = None,
) -> _Found:
    beta, plain, log_likelihood = fit_cox(x, rows, penalizer=penalizer, careful=careful, step_size=step_size)
    covariance = sandwich(cox_residuals(x, rows, beta), plain, rows.clusters) if robust else plain
    return beta, plain, covariance, {**cox_curves(x, rows, beta)}, log_likelihood


def _weibull(x: Floats, rows: EpisodeRows, *, penalizer: float, robust: bool) -> _Found:
    fit = fit_weibull(x, rows, penalizer=penalizer)
    plain = fit.of_beta(fit.covariance)
    by_clusters = sandwich(fit.residuals(x, rows), fit.covariance, rows.clusters) if robust else None
    covariance = plain if by_clusters is None else fit.of_beta(by_clusters)
    return fit.beta, plain, covariance, {ALL_STRATA: fit.curve(float(rows.duration.max()))}, fit.log_likelihood


_RUNGS: dict[Kind, Callable[..., _Found]] = {"cox": _cox, "weibull": _weibull}
