"""Lifts and their tests as tables: families adjusted, statuses given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from toolkit.intervals import difference_interval
from toolkit.strategy.chosen_test import against
from toolkit.strategy.families import benjamini_hochberg, holm
from toolkit.strategy.relative import fieller
from toolkit.strategy.shrink import shrink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from toolkit.strategy.chosen_test import LiftTests
    from toolkit.strategy.lifts import Lifts

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Effects:
    """All comparisons of an evaluation: ``metrics x arms`` of them, metrics outside, each with T + 1 rows.

    Attributes
    ----------
    metrics, arms, tiers
        Names.
    lifts, tested
        Of all comparisons in order.
    columns
        Column of the tables -> array (comparisons, T + 1).
    """

    metrics: tuple[str, ...]
    arms: tuple[str, ...]
    tiers: tuple[str, ...]
    lifts: Sequence[Lifts]
    tested: LiftTests
    columns: dict[str, NDArray[Any]]

    def at(self, metric: str, arm: str) -> int:
        """Return the number of a comparison."""
        return self.metrics.index(metric) * len(self.arms) + self.arms.index(arm)


def effects(
    metrics: Sequence[str],
    arms: Sequence[str],
    tiers: Sequence[str],
    lifts: Sequence[Lifts],
    tested: LiftTests,
    *,
    primary: str,
    unadjusted: Sequence[str],
    alpha: float,
    smallest_effect: float | None,
) -> Effects:
    """Put intervals, families and statuses to the lifts.

    Parameters
    ----------
    metrics, arms, tiers
        Names; ``lifts`` has all arms of the first metric, then of the next.
    lifts, tested
        Comparisons and their tests.
    primary
        Its overall rows are one family (Holm), its tier rows another (Holm).
    unadjusted
        Guardrails. All other metrics are two families more (Benjamini and Hochberg): overall rows, tier rows.
    alpha, smallest_effect
        What statuses look at.
    """
    stacked: dict[str, NDArray[Any]] = {
        name: np.array([getattr(one, name) for one in lifts])
        for name in ("n", "control_n", "value", "control_value", "lift", "se", "df", "variance_ratio", "why")
    }
    lift, se = stacked["lift"], stacked["se"]
    with np.errstate(invalid="ignore"):
        lower, upper = lift - tested.high * se, lift - tested.low * se
    relative = fieller(
        stacked["value"],
        stacked["control_value"],
        np.array([one.variance for one in lifts]),
        np.array([one.control_variance for one in lifts]),
        low=tested.low,
        high=tested.high,
    )
    known = np.isfinite(lift)
    of = np.repeat(np.array(metrics, dtype=object), len(arms))
    adjusted = _families(tested.p_value, of == primary, np.isin(of, list(unadjusted)) & (of != primary))
    status = np.where(known, "not_known", "too_few").astype(object)
    if smallest_effect is not None:
        inside = (np.maximum(np.abs(lower), np.abs(upper)) < smallest_effect) & (of == primary)[:, None]
        status[inside] = "no_worthwhile_effect"
    status[(adjusted < alpha) & (lift > 0)] = "better"
    status[(adjusted < alpha) & (lift < 0)] = "worse"
    columns = stacked | {
        "lower": lower,
        "upper": upper,
        "relative_lift": np.where(known, relative[0], np.nan),
        "relative_lower": relative[1],
        "relative_upper": relative[2],
        "p_value": tested.p_value,
        "p_adjusted": adjusted,
        "test": tested.test,
        "variance_ratio": np.where(known, stacked["variance_ratio"], np.nan),
        "status": status,
    }
    return Effects(tuple(metrics), tuple(arms), tuple(tiers), lifts, tested, columns)


def _families(p: Floats, primary: NDArray[np.bool_], unadjusted: NDArray[np.bool_]) -> Floats:
    adjusted = p.copy()
    others = ~(primary | unadjusted)
    for which, adjust in ((primary, holm), (others, benjamini_hochberg)):
        adjusted[which, -1] = adjust(p[which, -1])
        adjusted[which, :-1] = adjust(p[which, :-1])
    return adjusted


_ORDER = (
    "n", "control_n", "value", "control_value", "lift", "lower", "upper", "relative_lift", "relative_lower",
    "relative_upper", "se", "df", "p_value", "p_adjusted", "test", "variance_ratio", "status", "why",
)  # fmt: skip


def overall_table(found: Effects) -> pd.DataFrame:
    """Return one row per metric and arm."""
    names = _names(found, 1)
    return pd.DataFrame(names | {name: found.columns[name][:, -1] for name in _ORDER}, copy=False)


def tier_table(found: Effects, alpha: float) -> pd.DataFrame:
    """Return one row per metric, arm and tier, with the lifts drawn toward the overall one."""
    tiers = len(found.tiers)
    drawn = [
        shrink(
            one.lift[:-1], np.where(known[:-1], one.se[:-1] ** 2, np.nan), one.lift[-1], one.se[-1] ** 2, alpha=alpha
        )
        for one, known in zip(found.lifts, found.tested.test != "", strict=True)
    ]
    many = len(found.lifts) if tiers else 0
    names = _names(found, tiers) | {"tier": np.tile(np.array(found.tiers, dtype=object), many)}
    weights = [one.weights for one in found.lifts]
    columns = {name: found.columns[name][:, :tiers].ravel() for name in _ORDER}
    return pd.DataFrame(
        names
        | {"weight": _flat(weights, tiers)}
        | columns
        | {f"{end}_shrunken": _flat([getattr(one, part) for one in drawn], tiers) for end, part in _ENDS},
        copy=False,
    )


_ENDS = (("lift", "value"), ("lower", "lower"), ("upper", "upper"))


def interaction_table(found: Effects) -> pd.DataFrame:
    """Return one row per metric and arm; none without tiers."""
    rows = np.array([one.interaction for one in found.lifts]).T
    names = _names(found, 1)
    table = pd.DataFrame(names | dict(zip(("statistic", "df_num", "df_den", "p_value"), rows, strict=True)))
    return table if found.tiers else table.iloc[:0]


def guardrail_table(found: Effects, guardrails: Mapping[str, tuple[float, str]], alpha: float) -> pd.DataFrame:
    """Return one row per guardrail and arm.

    Harm is often rare. A proportion with too few events for an estimate still has an interval, by Newcombe's method,
    which is good for no event at all: it bounds the harm.
    """
    rows = []
    for name, (margin, worse) in guardrails.items():
        for arm in found.arms:
            at = found.at(name, arm)
            row = {column: found.columns[column][at, -1] for column in _SHOWN}
            rare = found.lifts[at]
            if np.isnan(row["lift"]) and np.isfinite(rare.rates[0]):
                row["lower"], row["upper"] = difference_interval(rare.rates, rare.rows, z=float(ndtri(1 - alpha / 2)))
            limit = margin if worse == "higher" else -margin
            ends = (row["lower"], row["upper"]) if worse == "higher" else (-row["upper"], -row["lower"])
            with np.errstate(invalid="ignore", divide="ignore"):
                statistic = (row["lift"] - limit) / row["se"]
            p = against(statistic, row["df"], found.tested.draws.get(at))
            status = "holds" if ends[1] < margin else "broken" if ends[0] > margin else "not_known"
            rows.append(
                {"metric": name, "arm": arm}
                | {column: row[column] for column in _SHOWN[:5]}
                | {"margin": margin, "worse": worse, "harm_bound": ends[1], "p_value": p, "status": status}
            )
    return pd.DataFrame(rows, columns=_GUARDRAIL)


_SHOWN = ("value", "control_value", "lift", "lower", "upper", "se", "df")
_GUARDRAIL = ["metric", "arm", *_SHOWN[:5], "margin", "worse", "harm_bound", "p_value", "status"]


def draw_table(found: Effects, primary: str) -> pd.DataFrame:
    """Return the statistics of the primary's overall lifts when arms are dealt anew."""
    parts = []
    for arm in found.arms:
        statistic = found.tested.draws.get(found.at(primary, arm))
        if statistic is not None:
            parts.append(pd.DataFrame({"arm": arm, "draw": np.arange(len(statistic)), "statistic": statistic}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["arm", "draw", "statistic"])


def _names(found: Effects, repeats: int) -> dict[str, NDArray[Any]]:
    metric = np.repeat(np.array(found.metrics, dtype=object), len(found.arms))
    arm = np.tile(np.array(found.arms, dtype=object), len(found.metrics))
    return {"metric": np.repeat(metric, repeats), "arm": np.repeat(arm, repeats)}


def _flat(arrays: Sequence[Floats], tiers: int) -> Floats:
    return np.concatenate([one[:tiers] for one in arrays])
