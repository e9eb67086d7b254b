"""Curves, risks, values and grades of a made-up business, as frames laid out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from toolkit.report.plots_clock import ERRORS
from toolkit.report.words import TOTAL
from toolkit.schema import SEGMENTS

RATES = dict(zip(SEGMENTS, (0.02, 0.012, 0.006, 0.003, 0.014, 0.008, 0.004, 0.0002), strict=True))
"""Orders a day."""
SIZES = dict(zip(SEGMENTS, (320, 60, 180, 40, 700, 500, 150, 6), strict=True))


def curves() -> pd.DataFrame:
    """Lay out the share of each segment that has not ordered again, with its interval, over 90 days."""
    parts = []
    days = np.arange(0, 91.0)
    for tier, rate in RATES.items():
        left = np.exp(-rate * days)
        half = 1.96 * np.sqrt(left * (1 - left) / SIZES[tier])
        columns = {
            "group": tier, "time": days, "survival": left, "lower": (left - half).clip(0),
            "upper": (left + half).clip(None, 1), "at_risk": np.round(SIZES[tier] * left).astype(int),
        }  # fmt: skip
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def buyers(n: int = 2_000) -> tuple[pd.DataFrame, pd.Series]:
    """Draw buyers with risk and value, and their segments."""
    rng = np.random.default_rng(3)
    share = np.array([SIZES[name] for name in SEGMENTS]) / sum(SIZES.values())
    tiers = pd.Series(pd.Categorical(rng.choice(SEGMENTS, n, p=share), SEGMENTS, ordered=True), name="segment")
    risk = np.exp(-90 * tiers.astype(object).map(RATES).astype(float) * rng.gamma(4, 0.25, n))
    active = rng.lognormal(5, 1, n)
    table = pd.DataFrame({"risk": risk, "p_alive": 1 - risk**2, "expected_spend_given_active": active})
    table["expected_spend"] = table["p_alive"] * active
    table["money_at_risk"] = table["risk"] * active
    return table, tiers


def totals(table: pd.DataFrame, tiers: pd.Series) -> dict[str, pd.DataFrame]:
    parts = {name: table["expected_spend"][tiers == name].sum() for name in SEGMENTS}
    sums = {**parts, TOTAL: table["expected_spend"].sum()}
    return {
        name: pd.DataFrame({"expected": [spend], "lower": [0.8 * spend], "upper": [1.2 * spend]}, index=["spend"])
        for name, spend in sums.items()
    }


def drivers() -> pd.DataFrame:
    ratios = {
        "recency_days": (0.03, 0.02, 0.05, 0.0), "order_days": (1.7, 1.5, 1.9, 0.0),
        "window_spend": (1.05, 0.97, 1.14, 0.2),
    }  # fmt: skip
    table = pd.DataFrame.from_dict(ratios, orient="index", columns=["hazard_ratio", "lower", "upper", "p_value"])
    return table.assign(contrast=["311 against 43", "4 against 1", "1498 against 9.9"])


def candidates() -> pd.DataFrame:
    """Lay out the errors of a clock at windows of 30 to 360 days; few are called lost by the longest ones."""
    days = np.arange(30, 361, 30)
    lost = (3_000 * np.exp(-days / 60)).round()
    table = pd.DataFrame({"called_lost": lost.astype(int), "lost_but_ordered": 0.35 * np.exp(-days / 90)}, index=days)
    table["alive_but_silent"] = 0.25 + 0.35 * (1 - np.exp(-days / 150))
    for name in ERRORS:
        table[f"{name}_lower"], table[f"{name}_upper"] = table[name] * 0.9, table[name] * 1.1
    return table.rename_axis("window_days")


def weeks(after: float = 3.0) -> pd.DataFrame:
    """Lay out orders that were made and forecast; after the 41st point ``after`` times as many are forecast as came."""
    days = pd.date_range("2025-01-05", periods=50, freq="14D").as_unit("s")
    made = np.arange(50.0) * 20
    later = np.arange(50) > 40
    expected = np.where(later, made[40] + after * (made - made[40]), made)
    table = {"actual": made, "expected": expected, "lower": 0.9 * expected, "upper": 1.1 * expected, "forecast": later}
    return pd.DataFrame(table, index=days)


def bins() -> pd.DataFrame:
    told = np.linspace(0.05, 0.95, 10)
    return pd.DataFrame({"predicted": told, "observed": told, "lower": told - 0.04, "upper": told + 0.04, "n": 300})


def tenths() -> pd.DataFrame:
    observed = np.linspace(0.99, 0.1, 10)
    told = [">99.1%", *(f"{100 * share:.0f}%" for share in observed[1:-1]), "*"]
    return pd.DataFrame({"observed": observed, "told": told}, index=pd.RangeIndex(1, 11, name="decile"))
