"""Tables of a fitted churn model: coefficients, whether hazards are proportional, and what features are told by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.risk.covariates import Design
from toolkit.risk.drivers import coefficient_table, no_coefficients, quantiles
from toolkit.risk.proportional import not_tested, proportional_check, proportional_test

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from toolkit.errors import Check
    from toolkit.risk.episode_rows import EpisodeRows
    from toolkit.risk.serving import Serving


@dataclass(frozen=True, eq=False)
class FittedTables:
    """See `fitted_tables`.

    Attributes
    ----------
    coef
        Index ``covariate``: `toolkit.risk.drivers.coefficient_table`.
    proportional
        Index ``covariate``: `toolkit.risk.proportional.proportional_test`.
    quantiles
        Two values of each feature between which drivers are told.
    checks
        Whether hazards are proportional.
    """

    coef: pd.DataFrame
    proportional: pd.DataFrame
    quantiles: Mapping[str, tuple[float, float]]
    checks: tuple[Check, ...]


def fitted_tables(
    serving: Serving,
    frame: pd.DataFrame,
    x: NDArray[np.float64],
    rows: EpisodeRows,
    *,
    test: bool,
    robust: bool,
) -> FittedTables:
    """Tell of a fitted model what can be told without its data later.

    Parameters
    ----------
    serving
        What serves.
    frame, x, rows
        Training rows, their standardised columns, shape (n, columns), and their episodes.
    test
        Whether to test for proportional hazards.
    robust
        Whether customers, not episodes, are independent.

    Returns
    -------
    FittedTables
        Tables without rows where the table of rates serves.
    """
    design, fit = serving.learned, serving.fit
    if fit is None or not isinstance(design, Design):
        return FittedTables(no_coefficients(), not_tested(), {}, ())
    coef = coefficient_table(design, fit.beta, fit.plain, fit.covariance)
    between = quantiles(design, frame)
    if not test:
        return FittedTables(coef, not_tested(), between, ())
    names = [form.name for form in design.forms]
    proportional = proportional_test(x, rows, fit.beta, names, robust=robust)
    check = proportional_check(proportional, allowed_for=len(serving.parts) > 1)
    return FittedTables(coef, proportional, between, (check,))
