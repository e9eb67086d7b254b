"""The sentences of a verdict that are not about the metric that decides: others, guardrails, profit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.strategy.finding import Finding
from toolkit.strategy.phrases import between, lift, listed, number, percent

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.strategy.evaluation import Evaluation

MOVED = ("better", "worse")
_NAMED_AT_MOST = 6


def secondary(evaluation: Evaluation) -> list[Finding]:
    """Say how many other metrics were looked at, and which of them moved."""
    others = evaluation.overall[evaluation.overall["metric"] != evaluation.primary]
    if not evaluation.guardrails.empty:
        others = others[~others["metric"].isin(evaluation.guardrails["metric"])]
    if others.empty:
        return []
    columns = ["metric", "arm", "status", "lift", "lower", "upper", "p_adjusted"]
    rows = [row | {"kind": evaluation.kinds[row["metric"]]} for row in records(others[columns])]
    moved = [row for row in rows if row["status"] in MOVED]
    names = [f"{row['metric']} with {row['arm']} ({_size(row)})" for row in moved[:_NAMED_AT_MOST]]
    more = f" and {len(moved) - _NAMED_AT_MOST} more" if len(moved) > _NAMED_AT_MOST else ""
    said = f"different in {listed(names)}{more}" if names else "no difference found"
    many = "1 other comparison was" if len(rows) == 1 else f"{len(rows)} other comparisons were"
    text = (
        f"{many} looked at beside the one that decides (false discoveries held at {percent(evaluation.alpha)}): {said}."
    )
    return [Finding("secondary", text, {"found": len(moved), "metrics": rows})]


def guardrails(evaluation: Evaluation) -> list[Finding]:
    """Say which guardrails hold."""
    if evaluation.guardrails.empty:
        return []
    columns = ["metric", "arm", "status", "lift", "lower", "upper", "margin", "harm_bound", "worse"]
    rows = [row | {"kind": evaluation.kinds[row["metric"]]} for row in records(evaluation.guardrails[columns])]
    words = {"holds": "holds", "broken": "is broken", "not_known": "is not known to hold"}
    said = [f"{row['metric']} with {row['arm']} {words[row['status']]} ({_harm(row)})" for row in rows]
    return [Finding("guardrails", f"Guardrails: {listed(said)}.", {"metrics": rows})]


def _harm(row: dict[str, Any]) -> str:
    margin = f"margin {lift(row['margin'], row['kind'], sign=False)}"
    if np.isfinite(row["lift"]):
        return f"{_size(row)}, {margin}"
    if np.isfinite(row["harm_bound"]):
        return (
            f"too few for an estimate, yet harm is {lift(row['harm_bound'], row['kind'], sign=False)} at most, {margin}"
        )
    return "too few to estimate"


def profit(evaluation: Evaluation, currency: str) -> list[Finding]:
    """Say whether each arm pays."""
    if evaluation.profit.empty:
        return []
    whole = evaluation.profit[evaluation.profit["tier"].astype(str) == "total"]
    return [_profit_of(evaluation, row, currency) for row in records(whole)]


def _profit_of(evaluation: Evaluation, row: dict[str, Any], currency: str) -> Finding:
    status = "pays" if row["lower"] > 0 else "costs" if row["upper"] < 0 else "not_known"
    said = {"pays": "pays", "costs": "costs more than it brings", "not_known": "is not known to pay"}[status]
    money = f" {currency}" if currency else ""
    level = 1 - evaluation.alpha
    text = (
        f"{row['arm']} {said}: {number(row['lift'], sign=True)}{money} a unit after the offer's cost"
        f" ({100 * level:g} % interval {between(row['lower'], row['upper'], 'mean')})."
    )
    figures = {
        "arm": row["arm"], "status": status, "profit": row["lift"], "lower": row["lower"], "upper": row["upper"],
        "total": row["total"], "units": row["n"], "level": level, "currency": currency,
    }  # fmt: skip
    return Finding("profit", text, figures)


def _size(row: dict[str, Any]) -> str:
    return f"{lift(row['lift'], row['kind'])}, {between(row['lower'], row['upper'], row['kind'])}"


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries."""
    return [dict(zip(map(str, frame.columns), row, strict=True)) for row in frame.itertuples(index=False)]
