"""Tables of a back-test as a page may show them: contenders, tiers with their stamp, bins and tenths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.report.export import Table, suppress_small
from toolkit.report.risk_checks import served_name
from toolkit.report.risk_tables import tiers_in_order
from toolkit.report.small_cells import HIDDEN
from toolkit.report.words import MISSING
from toolkit.schema import SEGMENT

if TYPE_CHECKING:
    from toolkit.report.frame import Frame
    from toolkit.risk.validation import Backtest

OURS = "churn_model"
_ALL = "all"
_LOSSES = ("brier", "log_loss")
_OTHERS = ("auc", "slope")
_DIGITS = {"brier": 4, "log_loss": 4, "auc": 3, "slope": 2}


def own_means(graded: Backtest) -> dict[str, float]:
    """Return the churn model's scores, mean over origins, with ``origins`` and ``forecasts``, how many there were."""
    own = graded.means[graded.means["model"] == OURS].set_index("metric")["mean"]
    whole = graded.scores[(graded.scores["scheme"] == _ALL) & (graded.scores["model"] == OURS)]
    counts = {"origins": float(whole["origin"].nunique()), "forecasts": float(whole["n"].sum())}
    return {str(name): float(value) for name, value in own.items()} | counts


def contenders_table(graded: Backtest, *, frame: Frame) -> Table:
    """Write the scores of all contenders side by side, with how far each is from the churn model."""
    words = frame.words
    rows = {str(model): part.set_index("metric") for model, part in graded.means.groupby("model", sort=False)}
    table: dict[str, dict[str, str]] = {}
    for model, part in rows.items():
        cells: dict[str, str] = {}
        for name in _LOSSES:
            cells[name] = _number(part["mean"].get(name, np.nan), name)
            cells[f"{name}_difference"] = MISSING if model == OURS else _difference(part, name)
        for name in _OTHERS:
            cells[name] = _number(part["mean"].get(name, np.nan), name)
        table[words.label(model)] = cells
    shown = pd.DataFrame.from_dict(table, orient="index").rename_axis("contestant")
    labels = {name: words.label(str(name)) for name in ("contestant", *shown.columns)}
    own = own_means(graded)
    told = {"origins": f"{own['origins']:,.0f}", "n": f"{own['forecasts']:,.0f}"}
    return Table(shown, {}, labels, frame.say("means_caption", **told), words.label(OURS))


def grades_by_tier(graded: Backtest, scheme: str = SEGMENT) -> pd.DataFrame:
    """Return how the churn model did in each tier, all origins together.

    Returns
    -------
    DataFrame
        By tier: ``n not_events events mean_risk observed brier brier_km`` (of all forecasts together) and
        ``usable origins``: at how many origins it may be used on such buyers, and how many origins there were.
    """
    own = graded.scores[(graded.scores["scheme"] == scheme) & (graded.scores["model"] == OURS)]
    rows = {}
    for tier in tiers_in_order(own["tier"]):
        part = own[own["tier"].astype(str) == tier]
        weights = part["n"].to_numpy(dtype=float)
        names = ("mean_risk", "observed", "brier", "brier_km")
        mean = {name: float(np.average(part[name], weights=weights)) for name in names}
        bad = round(float((part["observed"] * part["n"]).sum()))
        rows[tier] = {
            "n": int(weights.sum()), "not_events": bad, "events": int(weights.sum()) - bad, **mean,
            "usable": int(part["use_here"].sum()), "origins": len(part),
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def grades_table(table: pd.DataFrame, scheme: str, *, frame: Frame) -> Table:
    """Write what `grades_by_tier` returns; tiers in which few ordered, or few did not, are hidden where published."""
    words = frame.words
    hidden = _hidden(table, frame)
    rows: dict[str, dict[str, Any]] = {}
    for tier, row in zip(table.index, table.to_dict("records"), strict=True):
        few = tier in hidden
        usable = row["usable"] == row["origins"]
        rows[words.tier(scheme, str(tier))] = {
            "forecasts": HIDDEN if few else f"{row['n']:,}",
            "events": HIDDEN if few else f"{row['events']:,}",
            "mean_risk": HIDDEN if few else words.percent(row["mean_risk"]),
            "observed": HIDDEN if few else words.percent(row["observed"]),
            "skill": HIDDEN if few else _skill(row["brier"], row["brier_km"], frame),
            "use_here": words.say(
                "usable" if usable else "do_not_use_here", n=str(row["usable"]), of=str(row["origins"])
            ),
        }
    shown = pd.DataFrame.from_dict(rows, orient="index").rename_axis("tier")
    labels = {name: words.label("orders_came" if name == "events" else str(name)) for name in shown.columns}
    return Table(shown, {}, labels | {"tier": words.scheme(scheme)}, frame.say("grades_caption"))


def calibration_bins(graded: Backtest, *, frame: Frame) -> pd.DataFrame:
    """Return predicted and observed risk of the churn model, bin by bin, without those that would tell of few."""
    bins = graded.calibration[graded.calibration["model"] == OURS]
    bad = (bins["observed"] * bins["n"]).round()
    few = [frame.small(n) or frame.small(b) or frame.small(n - b) for n, b in zip(bins["n"], bad, strict=True)]
    return bins[~np.array(few, dtype=bool)]


def lift_tenths(graded: Backtest, *, frame: Frame) -> pd.DataFrame:
    """Return the share that did not order by tenth of risk, indexed by ``decile``.

    Returns
    -------
    DataFrame
        ``observed`` and how it is written (``told``). Where few ordered it is only told that it is above what
        ``min_cell`` of them would make it; where few did not, or few are in a tenth, nothing is (missing).
    """
    lift = graded.lift.set_index("decile")
    rows = {}
    for decile, n, share in zip(lift.index, lift["n"], lift["observed"], strict=True):
        bad = round(n * share)
        if frame.small(n - bad) and not frame.small(bad):
            least = 1 - frame.min_cell / n
            rows[decile] = (least, frame.say("at_least", share=frame.words.percent(least)))
        elif frame.small(n) or frame.small(bad):
            rows[decile] = (np.nan, str(HIDDEN))
        else:
            rows[decile] = (float(share), frame.words.percent(float(share)))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["observed", "told"]).rename_axis("decile")


def served_table(graded: Backtest, *, frame: Frame) -> Table:
    """Write which model served at which origin."""
    words = frame.words
    wide = graded.served.pivot_table(index="origin", columns="model", values="served", aggfunc="first", sort=False)
    table = wide.set_axis([words.date(day.date()) for day in wide.index], axis="index").rename_axis(columns=None)
    labels = {str(name): words.label(str(name)) for name in table.columns}
    table = table.map(lambda name: served_name(str(name), frame))
    return Table(
        table.rename_axis("origin"), {}, labels | {"origin": words.label("origin")}, frame.say("served_caption")
    )


def _hidden(table: pd.DataFrame, frame: Frame) -> set[str]:
    """Return the tiers of which nothing is told, for the few in them or on one side."""
    if not frame.min_cell:
        return set()
    found: set[str] = set()
    for count in ("n", "events", "not_events"):
        marked = suppress_small(table[[count]].astype("int64"), counts=count, min_cell=frame.min_cell)[count]
        found |= {str(tier) for tier, cell in marked.items() if isinstance(cell, str)}
    return found


def _skill(brier: float, reference: float, frame: Frame) -> str:
    return frame.words.percent(1 - brier / reference) if reference else MISSING


def _number(value: float, name: str) -> str:
    return MISSING if pd.isna(value) else f"{value:.{_DIGITS[name]}f}"


def _difference(part: pd.DataFrame, name: str) -> str:
    digits = _DIGITS[name]
    ends = [part[f"difference{end}"].get(name, np.nan) for end in ("", "_lower", "_upper")]
    value, low, high = (f"{end:+.{digits}f}".replace("-", "−") for end in ends)
    return f"{value} ({low}\u00a0–\u2060\u00a0{high})"
