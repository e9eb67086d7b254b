"""Tables of value as a page may show them: risk against value, tiers, concentration, who to save first."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.report.export import Table, suppress_small
from toolkit.report.risk_checks import served_name
from toolkit.report.risk_tables import BANDS, bands_of, spanned, tiers_in_order, with_totals
from toolkit.report.small_cells import HIDDEN, Mark
from toolkit.report.words import TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from toolkit.report.frame import Frame
    from toolkit.report.pseudonyms import Pseudonyms

VALUE_BANDS = 5
_POINTS = 101


def value_bands(worth: pd.Series[float], *, frame: Frame) -> pd.Series[str]:
    """Return the fifth that each buyer's worth stands in, named with what it holds, the most valuable first.

    Equal worth is in one band: fewer bands than five where many are worth the same.
    """
    known = worth.dropna()
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, VALUE_BANDS + 1)[1:-1])) if len(known) else np.array([])
    cuts = cuts[cuts > known.min()]
    place = np.searchsorted(cuts, known.to_numpy(), side="right")
    edges = [frame.money(float(edge)) for edge in cuts]
    if edges:
        between = [frame.say("band_between", low=low, high=high) for low, high in pairwise(edges)]
        names = [frame.say("band_under", high=edges[0]), *between, frame.say("band_over", low=edges[-1])]
    else:
        names = [frame.say("band_any")]
    order = pd.CategoricalDtype(list(dict.fromkeys(reversed(names))), ordered=True)
    return pd.Series(pd.Categorical(np.array(names, dtype=object)[place], dtype=order), index=known.index, name="value")


def save_counts(ahead: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Count buyers by band of value and band of risk, with totals; small counts, and what tells them, are marked.

    Parameters
    ----------
    ahead
        By buyer: ``risk expected_spend_given_active money_at_risk``.
    frame
        Day, window, language, currency.
    """
    known = ahead.dropna(subset=["risk", "expected_spend_given_active"])
    value = value_bands(known["expected_spend_given_active"], frame=frame)
    table = pd.crosstab(value, bands_of(known["risk"]).to_numpy(), dropna=False)
    bands = [str(band) for band in BANDS]
    return with_totals(table.reindex(columns=bands, fill_value=0).set_axis([str(n) for n in table.index]), frame)


def save_money(ahead: pd.DataFrame, counts: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Add money at risk up over the cells of `save_counts`; that of hidden counts is hidden."""
    known = ahead.dropna(subset=["risk", "expected_spend_given_active"])
    value = value_bands(known["expected_spend_given_active"], frame=frame)
    added = known["money_at_risk"].groupby([value.astype(str), bands_of(known["risk"])]).sum()
    rows, bands = ([name for name in axis if name != TOTAL] for axis in (counts.index, counts.columns))
    return pd.DataFrame(
        [
            [
                HIDDEN if isinstance(counts.loc[row, band], Mark) else float(added.get((row, band), 0.0))
                for band in bands
            ]
            for row in rows
        ],
        index=rows,
        columns=bands,
        dtype=object,
    )


def by_tier(
    ahead: pd.DataFrame, tiers: pd.Series[Any], totals: Mapping[str, pd.DataFrame], *, frame: Frame
) -> pd.DataFrame:
    """Add up by tier what is expected and what is at risk, with the total; small tiers are hidden where published.

    Parameters
    ----------
    ahead
        By buyer: ``risk p_alive expected_spend expected_spend_given_active money_at_risk``.
    tiers
        By buyer.
    totals
        By tier and for the total: what ``value_total`` says of its buyers; intervals of buyers do not add up.
    frame
        Day, window, language, currency.

    Returns
    -------
    DataFrame
        By tier, best first: ``customers mean_risk mean_p_alive mean_spend mean_spend_lower mean_spend_upper
        expected_spend expected_spend_given_active money_at_risk``.
    """
    known = ahead.assign(tier=tiers.loc[ahead.index].astype(str).to_numpy())
    parts = {tier: known[known["tier"] == tier] for tier in tiers_in_order(tiers.loc[ahead.index])} | {TOTAL: known}
    table = pd.DataFrame.from_dict({tier: _sums(part, totals[tier]) for tier, part in parts.items()}, orient="index")
    table["customers"] = table["customers"].astype("int64")
    return suppress_small(table, counts="customers", total=TOTAL, min_cell=frame.min_cell) if frame.min_cell else table


def tier_table(table: pd.DataFrame, by: str, *, frame: Frame) -> Table:
    """Write what `by_tier` returns."""
    words = frame.words
    shown = pd.DataFrame(index=pd.Index([words.tier(by, str(tier)) for tier in table.index], name="tier"))
    shown["customers"] = table["customers"].to_numpy()
    for name in ("mean_risk", "mean_p_alive", "mean_spend"):
        shown[name] = table[name].to_numpy()
    ends = zip(table["mean_spend_lower"], table["mean_spend_upper"], strict=True)
    shown["interval"] = [
        str(HIDDEN) if isinstance(low, Mark) else spanned(float(low), float(high), frame.money) for low, high in ends
    ]
    for name in ("expected_spend", "expected_spend_given_active", "money_at_risk"):
        shown[name] = table[name].to_numpy()
    formats: dict[str, Callable[[float], str]] = dict.fromkeys(shown.columns, frame.money)
    formats |= dict.fromkeys(("mean_risk", "mean_p_alive"), words.percent)
    formats["customers"] = lambda count: f"{count:,.0f}"
    formats["interval"] = str
    labels = {name: words.label(str(name)) for name in shown.columns} | {"tier": words.scheme(by)}
    return Table(shown, formats, labels, words.say("alive_caption"), words.tier(by, TOTAL))


def top_share(expected: pd.Series[float], share: float) -> float:
    """Return which share of expected spend the top share of buyers brings."""
    curve = concentration(expected)
    return float(np.interp(share, curve["share_of_customers"], curve["share_of_spend"]))


def holders_of(money: pd.Series[float], share: float) -> int:
    """Return how few buyers hold a share of the money.

    Examples
    --------
    >>> holders_of(pd.Series([50.0, 30.0, 10.0, 10.0]), 0.5), holders_of(pd.Series([1.0, 1.0, 1.0]), 0.5)
    (1, 2)
    """
    line = np.sort(money.dropna().to_numpy())[::-1].cumsum()
    return int(np.searchsorted(line, share * line[-1] * (1 - 1e-12)) + 1) if len(line) and line[-1] > 0 else 0


def concentration(expected: pd.Series[float]) -> pd.DataFrame:
    """Return the cumulated share of expected spend at every hundredth of buyers, those worth most first."""
    line = np.sort(expected.dropna().to_numpy())[::-1]
    shares = np.linspace(0, 1, _POINTS)
    whole = line.sum() or 1.0
    cumulated = np.concatenate([[0.0], line.cumsum() / whole])
    reached = np.interp(shares * len(line), np.arange(len(line) + 1), cumulated)
    return pd.DataFrame({"share_of_customers": shares, "share_of_spend": reached})


def save_list(
    ahead: pd.DataFrame, tiers: pd.Series[Any], by: str, pseudonyms: Pseudonyms, *, top: int, frame: Frame
) -> Table:
    """List the buyers with most money at risk, under pseudonyms; equal ones by id."""
    words = frame.words
    known = ahead.dropna(subset=["money_at_risk"])
    order = np.lexsort((known.index.astype(str), -known["money_at_risk"].to_numpy()))
    first = known.iloc[order[:top]]
    table = pd.DataFrame(
        {
            "tier": [words.tier(by, str(tier)) for tier in tiers.loc[first.index]],
            "recency_days": [words.number(float(days)) for days in first["recency_days"]],
            "risk": [words.percent(risk) for risk in first["risk"]],
            "p_alive": [words.percent(alive) for alive in first["p_alive"]],
            "expected_spend_given_active": [frame.money(spend) for spend in first["expected_spend_given_active"]],
            "money_at_risk": [frame.money(money) for money in first["money_at_risk"]],
        },
        index=first.index,
    )
    labels = {name: words.label(str(name)) for name in (*table.columns, str(table.index.name))} | {
        "tier": words.scheme(by)
    }
    return Table(table, {}, labels, frame.say("list_caption", n=f"{len(table):,}"), None, pseudonyms)


def parameters_table(models: Sequence[tuple[str, pd.DataFrame]], *, frame: Frame) -> Table:
    """Write the parameters of fitted models with their intervals."""
    words = frame.words
    rows = [
        {
            "parameter": f"{served_name(served, frame)}: {name}",
            "estimate": words.number(float(row["value"])),
            "interval": spanned(float(row["lower"]), float(row["upper"]), words.number),
        }
        for served, table in models
        for name, row in table.iterrows()
    ]
    shown = pd.DataFrame(rows).set_index("parameter")
    return Table(shown, {}, {name: words.label(name) for name in ("parameter", "estimate", "interval")})


def _sums(part: pd.DataFrame, total: pd.DataFrame) -> dict[str, float]:
    spend, active = float(part["expected_spend"].sum()), float(part["expected_spend_given_active"].sum())
    return {
        "customers": len(part),
        "mean_risk": float(part["risk"].mean()),
        "mean_p_alive": float(part["p_alive"].mean()),
        "mean_spend": float(part["expected_spend"].mean()),
        "mean_spend_lower": float(total["lower"]["spend"]) / len(part),
        "mean_spend_upper": float(total["upper"]["spend"]) / len(part),
        "expected_spend": spend,
        "expected_spend_given_active": active,
        "money_at_risk": float(part["money_at_risk"].sum()),
    }
