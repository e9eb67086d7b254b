"""An evaluation as a page may show it: what few people stand behind is taken out of every part of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.report.small_cells import Mark, suppress_crosstab

if TYPE_CHECKING:
    from toolkit.report.frame import Frame
    from toolkit.strategy.evaluation import Evaluation

HIDDEN_STATUS = "hidden"
WHOLE = ""
"""Label of the row and the column of totals: no tier and no arm is called so."""
_SHARES = ("proportion", "retention")
_KEPT = ("margin", "harm_bound", "variance_ratio")


def arm_counts(table: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Count units by tier (rows) and arm (columns), with totals; small counts, and what tells them, are marked.

    Parameters
    ----------
    table
        Sample ratio: ``scope value arm n``; tiers and arms come in its order.
    frame
        Language, and under which count a cell is hidden.
    """
    tiers = table[table["scope"] == "tier"]
    whole = table[table["scope"] == "overall"].set_index("arm")["n"]
    arms = [str(arm) for arm in whole.index]
    if tiers.empty:
        counts = pd.DataFrame([[int(whole[arm]) for arm in arms]], index=[WHOLE], columns=arms)
        counts[WHOLE] = counts.sum(axis="columns")
        return counts
    counts = tiers.pivot_table(index="value", columns="arm", values="n", aggfunc="sum", fill_value=0, observed=True)
    order = list(dict.fromkeys(tiers["value"].astype(str)))
    counts = counts.set_axis(counts.index.astype(str)).reindex(index=order, columns=arms, fill_value=0).astype("int64")
    counts = counts.rename_axis(index=None, columns=None)
    counts[WHOLE] = counts.sum(axis="columns")
    counts.loc[WHOLE] = counts.sum()
    return suppress_crosstab(counts, total=WHOLE, min_cell=frame.min_cell) if frame.min_cell else counts


def publishable(result: Evaluation, *, frame: Frame) -> Evaluation:
    """Return the evaluation without the figures that few people stand behind; all of it where nothing is published.

    Notes
    -----
    A row is hidden where one of its counts is, or where few of its people, but some, did what a share counts or did
    not. Where one tier alone would be hidden, the smallest other goes with it, since the overall figure would tell it.
    """
    if not frame.min_cell:
        return result
    counts = arm_counts(result.sample_ratio, frame=frame)
    marked = {
        (tier, arm)
        for tier in counts.index
        if tier != WHOLE
        for arm in result.arms
        if any(isinstance(counts.loc[tier, one], Mark) for one in (arm, result.control))
    }
    tiers = result.tiers.copy()
    few = _few_events(tiers, result, frame)
    few |= np.array([(str(t), a) in marked for t, a in zip(tiers["tier"], tiers["arm"], strict=True)], dtype=bool)
    for _, part in tiers.groupby(["metric", "arm"], sort=False, observed=True):
        mine = tiers.index.get_indexer(part.index)
        if few[mine].sum() == 1 and len(part) > 1:
            others = mine[~few[mine]]
            few[others[np.argmin(tiers["n"].to_numpy(dtype=float)[others])]] = True
    uncounted = {tier for tier, _ in marked}
    profit = result.profit
    if len(profit):
        profit = _blank(profit, np.array([str(tier) in uncounted for tier in profit["tier"]], dtype=bool))
    overall, guardrails = result.overall, result.guardrails
    return replace(
        result,
        overall=_blank(overall, _few_events(overall, result, frame), status=HIDDEN_STATUS),
        tiers=_blank(tiers, few, status=HIDDEN_STATUS),
        guardrails=_blank(guardrails, _few_events(_with_counts(guardrails, overall, result), result, frame)),
        profit=profit,
        write_verdict=lambda _: result.verdict,
    )


def _few_events(table: pd.DataFrame, result: Evaluation, frame: Frame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say in which rows a share counts some people, but few, or few but some are left."""
    found = np.zeros(len(table), dtype=bool)
    for place, row in enumerate(table.to_dict("records")):
        if result.kinds[str(row["metric"])] not in _SHARES:
            continue
        for share, n in ((row["value"], row["n"]), (row["control_value"], row["control_n"])):
            if np.isfinite(share) and n > 0:
                events = round(float(share) * float(n))
                found[place] |= frame.small(events) or frame.small(float(n) - events)
    return found


def _with_counts(guardrails: pd.DataFrame, overall: pd.DataFrame, result: Evaluation) -> pd.DataFrame:
    """Put the arms' sizes beside guardrails; they are those of any metric of the arm."""
    sizes = overall.drop_duplicates("arm").set_index("arm")
    columns = {name: guardrails["arm"].map(sizes[name]).astype(float) for name in ("n", "control_n")}
    return guardrails.assign(**columns) if len(guardrails) and result.arms else guardrails


def _blank(table: pd.DataFrame, rows: np.ndarray[Any, np.dtype[np.bool_]], *, status: str = "") -> pd.DataFrame:
    if not rows.any():
        return table
    table = table.copy()
    for name in table.columns:
        if pd.api.types.is_numeric_dtype(table[name]) and name not in _KEPT:
            table[name] = table[name].astype(float).mask(rows)
    if status:
        table["status"] = table["status"].astype(object).mask(rows, status)
    return table
