"""Did the arms get the shares that were planned: overall, and wherever there are enough units to see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.stats import binomtest, chi2

from toolkit.errors import ArgumentError, Check
from toolkit.strategy.families import holm

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

RatioStatus = Literal["green", "amber", "red"]
OVERALL = "overall"
ENOUGH_EXPECTED = 50
"""Smallest expected count of a cell whose chi-square is trusted; other scopes than overall are not tested below it."""
RED, AMBER = 0.001, 0.01
_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class SampleRatio:
    """Counts beside what was expected; see `sample_ratio`.

    Attributes
    ----------
    table
        One row per scope, value and arm: ``scope value arm n expected p_value p_adjusted``; the p-values are those of
        the whole value (all its arms), missing where it was not tested.
    status
        ``red``: adjusted p under .001 anywhere, or an arm without anybody. ``amber``: unadjusted p under .01 overall.
    checks
        ``sample_ratio``, and ``empty_arm`` where an arm has nobody.
    """

    table: pd.DataFrame
    status: RatioStatus
    checks: tuple[Check, ...]


def sample_ratio(counts: pd.DataFrame) -> SampleRatio:
    """Test counts of units per arm against the shares that were planned.

    Parameters
    ----------
    counts
        One row per scope, value and arm: ``scope`` (``overall``, and columns such as ``tier``, ``day``, ``source``),
        ``value`` (``""`` overall), ``arm``, ``n`` (units), ``expected`` (units that the planned shares give that arm
        there: all arms together as many as counted).

    Returns
    -------
    SampleRatio
        Table, status and checks.

    Raises
    ------
    ArgumentError
        No scope ``overall``; expected counts that are not positive or do not add up to the counted ones.

    Notes
    -----
    Pearson's chi-square per value; overall, where an expected count is under 50, exact binomial tests of each arm
    against all others instead (one of two arms, with Bonferroni's factor of several). Other values with an expected
    count under 50 are not tested. Holm (1979) over all tests. Fabijan et al. (2019), "Diagnosing sample ratio mismatch
    in online controlled experiments", KDD. Where shares differ by tier the overall test is a little conservative.

    Examples
    --------
    >>> import pandas as pd
    >>> gates = pd.DataFrame({"scope": "overall", "value": "", "arm": ["gate_30", "gate_40"], "n": [44_700, 45_489],
    ...                       "expected": 90_189 / 2})
    >>> found = sample_ratio(gates)
    >>> found.status, round(float(found.table["p_value"].iloc[0]), 4)
    ('amber', 0.0086)
    """
    table = counts[["scope", "value", "arm", "n", "expected"]].reset_index(drop=True)
    cell = table.groupby(["scope", "value"], sort=False, observed=True, dropna=False).ngroup().to_numpy()
    n, expected = table["n"].to_numpy(dtype=np.float64), table["expected"].to_numpy(dtype=np.float64)
    overall = (table["scope"] == OVERALL).to_numpy()
    counted, planned = np.bincount(cell, n), np.bincount(cell, expected)
    _refuse(overall, expected, counted, planned)

    smallest = np.full(len(counted), np.inf)
    np.minimum.at(smallest, cell, expected)
    whole = np.bincount(cell, overall) > 0
    statistic = np.bincount(cell, (n - expected) ** 2 / expected)
    p_value = chi2.sf(statistic, np.bincount(cell) - 1)
    p_value[smallest < ENOUGH_EXPECTED] = np.nan
    for small in np.flatnonzero(whole & (smallest < ENOUGH_EXPECTED)):
        p_value[small] = _exact(n[cell == small], expected[cell == small])
    p_adjusted = holm(p_value)

    table = table.assign(p_value=p_value[cell], p_adjusted=p_adjusted[cell])
    empty = table.loc[overall & (n == 0), "arm"].astype(str).tolist()
    status: RatioStatus = "green"
    if empty or np.nanmin(p_adjusted) < RED:
        status = "red"
    elif p_value[whole][0] < AMBER:
        status = "amber"
    return SampleRatio(table, status, _checks(table, status, empty))


def _refuse(overall: NDArray[Any], expected: NDArray[Any], counted: NDArray[Any], planned: NDArray[Any]) -> None:
    if not overall.any():
        raise ArgumentError("sample-ratio", "no counts of scope 'overall'", hint="give scope, value, arm, n, expected")
    if not (expected > 0).all() or (np.abs(counted - planned) > _TOLERANCE * np.maximum(counted, 1)).any():
        what = "expected counts must be above 0 and add up to the counted units of their scope and value"
        raise ArgumentError("sample-ratio", what, hint="expected = units of the value x planned share of the arm")


def _exact(n: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the p-value of exact binomial tests, each arm against the others."""
    total = round(n.sum())
    if total == 0:
        return 1.0
    tests = 1 if len(n) == 2 else len(n)
    pairs = list(zip(n, expected, strict=True))[:tests]
    each = [binomtest(round(have), total, planned / total).pvalue for have, planned in pairs]
    return min(1.0, tests * float(min(each)))


def _checks(table: pd.DataFrame, status: RatioStatus, empty: list[str]) -> tuple[Check, ...]:
    whole = table[table["scope"] == OVERALL]
    facts = ", ".join(
        f"{arm} {n:,.0f} where {planned:,.0f} were expected"
        for arm, n, planned in zip(whole["arm"], whole["n"], whole["expected"], strict=True)
    )
    message = f"sample ratio {status}: {facts} (p = {whole['p_value'].iloc[0]:.2g})"
    if status == "red":
        tests = table.dropna(subset=["p_value"]).drop_duplicates(["scope", "value"])
        worst = tests.loc[tests["p_adjusted"].idxmin()]
        place = "overall" if worst["scope"] == OVERALL else f"{worst['scope']} {worst['value']}"
        message += f"; smallest of {len(tests)} adjusted p-values {worst['p_adjusted']:.2g}, {place}"
    ratio = Check("sample_ratio", "passed" if status == "green" else "failed", message, int(whole["n"].sum()), status)
    if not empty:
        return (ratio,)
    return (
        Check("empty_arm", "failed", f"nobody is in the arm {', '.join(empty)}", len(empty), ", ".join(empty)),
        ratio,
    )
