"""Tables of risk as a page may show them: tiers by band, who is still looked at, drivers, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.report.export import Table, suppress_crosstab
from toolkit.report.small_cells import HIDDEN
from toolkit.report.words import MISSING, TOTAL
from toolkit.schema import SEGMENT, SEGMENTS, SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from toolkit.report.frame import Frame

    Write = Callable[[Any], str]

BANDS = (0.0, 0.2, 0.4, 0.6, 0.8)
"""Where bands of risk begin."""
HIGH = BANDS[-1]
SURE = 0.05
_COLUMNS = frozenset(column.name for column in SNAPSHOT)
_MONEY = frozenset(column.name for column in SNAPSHOT if column.unit == "currency")


def band_name(band: str, frame: Frame) -> str:
    """Write a band of risk: ``0.8`` and what lies above it.

    Examples
    --------
    >>> from toolkit.report.frame import Frame
    >>> [band_name(band, Frame("2026-10-31")) for band in ("0.0", "0.4", "0.8")]
    ['under 20%', '40%–60%', '80% or more']
    """
    place = BANDS.index(float(band))
    ends = [frame.words.percent(edge) for edge in (*BANDS, 1.0)[place : place + 2]]
    key = "band_under" if place == 0 else "band_over" if place == len(BANDS) - 1 else "band_between"
    return frame.say(key, low=ends[0], high=ends[1])


def bands_of(risk: pd.Series[float]) -> pd.Series[str]:
    """Return the band that each risk stands in, by where it begins."""
    place = np.clip(np.searchsorted(BANDS, risk.to_numpy(), side="right") - 1, 0, None)
    return pd.Series(np.array([str(band) for band in BANDS], dtype=object)[place], index=risk.index, name="band")


def tiers_in_order(tiers: pd.Series[Any]) -> list[str]:
    """Return the tiers that somebody is in: the eight types by value, those of a category in its order, else sorted."""
    present = set(tiers.dropna().astype(str))
    if present <= set(SEGMENTS):
        known: Sequence[str] = SEGMENTS
    elif isinstance(tiers.dtype, pd.CategoricalDtype):
        known = [str(name) for name in tiers.cat.categories]
    else:
        known = sorted(present)
    return [name for name in known if name in present]


def risk_bands(risk: pd.Series[float], tiers: pd.Series[Any], *, frame: Frame) -> pd.DataFrame:
    """Count buyers by tier and band of risk, with totals; small counts, and what tells them, are marked.

    Parameters
    ----------
    risk
        By buyer.
    tiers
        By buyer.
    frame
        Day, window, language, currency.
    """
    known = risk.dropna()
    names, bands = tiers.loc[known.index].astype(str), bands_of(known)
    counted = pd.crosstab(names.to_numpy(), bands.to_numpy())
    table = counted.reindex(
        index=tiers_in_order(tiers.loc[known.index]), columns=[str(band) for band in BANDS], fill_value=0
    )
    return with_totals(table, frame)


def mean_risks(risk: pd.Series[float], tiers: pd.Series[Any], *, frame: Frame) -> dict[str, str]:
    """Write the mean risk of each tier and of all; that of few people is not told."""
    known = risk.dropna()
    parts = {str(name): part for name, part in known.groupby(tiers.loc[known.index].astype(str).to_numpy())}
    told = {name: part for name, part in (parts | {TOTAL: known}).items() if not frame.small(len(part))}
    return {name: frame.words.percent(float(part.mean())) for name, part in told.items()}


def with_totals(table: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Add totals to a table of counts, and hide small ones with whatever tells them where the page is published."""
    table = table.astype("int64").rename_axis(index=None, columns=None)
    table[TOTAL] = table.sum(axis="columns")
    table.loc[TOTAL] = table.sum()
    return suppress_crosstab(table, total=TOTAL, min_cell=frame.min_cell) if frame.min_cell else table


def at_risk(curves: pd.DataFrame, days: Sequence[int], *, frame: Frame) -> pd.DataFrame:
    """Count who has not ordered yet at the start of some days, by tier; tiers that are too small are left out.

    Parameters
    ----------
    curves
        ``group time at_risk events``, as ``toolkit.survival_curves`` gives them.
    days
        Which days.
    frame
        Day, window, language, currency.

    Notes
    -----
    On a published page a count is hidden where it is small or differs by a small count from the last one shown, which
    would tell how few ordered in between.
    """
    rows = {}
    for tier, part in curves.groupby("group", sort=False, observed=True):
        left = [_left_at(part, day) for day in days]
        if frame.small(left[0]):
            continue
        shown: list[str] = []
        before = left[0]
        for count in left:
            if frame.small(count) or frame.small(before - count):
                shown.append(frame.count(count) if frame.small(count) else str(HIDDEN))
            else:
                shown.append(f"{count:,}")
                before = count
        rows[str(tier)] = shown
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(days))


def curves_cells(summary: pd.DataFrame, *, frame: Frame) -> Table:
    """Write how many of each tier ordered, by when half had, and the mean days without an order.

    Parameters
    ----------
    summary
        ``SurvivalCurves.summary``, by type.
    frame
        Day, window, language, currency.
    """
    words, rows = frame.words, {}
    for tier, row in zip(summary.index, summary.to_dict("records"), strict=True):
        few = any(map(frame.small, (row["n"], row["events"], row["n"] - row["events"])))
        told = {
            "buyers": frame.count(row["n"]),
            "orders_came": f"{row['events']:,.0f}",
            "median_days": words.label("not_reached") if pd.isna(row["median"]) else words.number(row["median"]),
            "rmst": words.number(row["rmst"]),
            "interval": spanned(row["lower"], row["upper"], words.number),
        }
        rows[words.segment(str(tier))] = told | dict.fromkeys(
            [name for name in told if few and name != "buyers"], HIDDEN
        )
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis(SEGMENT)
    return Table(table, {}, {name: words.label(name) for name in (SEGMENT, *table.columns)})


def by_risk(drivers: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Turn hazard ratios so that over 1 raises risk: an order that comes sooner lowers it, an end that does raises it.

    Parameters
    ----------
    drivers
        ``ChurnModel.drivers()``.
    outcome
        ``order`` or ``end``.

    Returns
    -------
    DataFrame
        ``times lower upper p_value sure contrast`` by feature, in the order given.
    """
    low, high = ("upper", "lower") if outcome == "order" else ("lower", "upper")
    power = -1.0 if outcome == "order" else 1.0
    return pd.DataFrame(
        {
            "times": drivers["hazard_ratio"] ** power,
            "lower": drivers[low] ** power,
            "upper": drivers[high] ** power,
            "p_value": drivers["p_value"],
            "sure": drivers["p_value"] < SURE,
            "contrast": drivers["contrast"],
        }
    )


def drivers_table(drivers: pd.DataFrame, *, frame: Frame) -> Table:
    """Write what `by_risk` returns."""
    words = frame.words
    ends = zip(drivers["lower"], drivers["upper"], strict=True)
    rows = pd.DataFrame(
        {
            "driver": [driver_name(str(name), frame) for name in drivers.index],
            "contrast": [contrast_text(str(name), str(said), frame) for name, said in drivers["contrast"].items()],
            "times": [f"×{times:.2f}" for times in drivers["times"]],
            "interval": [f"×{low:.2f}\u00a0–\u2060\u00a0×{high:.2f}" for low, high in ends],
            "p_value": [written_p(p) for p in drivers["p_value"]],
            "way": [words.label("raises" if times > 1 else "lowers") if sure else MISSING
                    for times, sure in zip(drivers["times"], drivers["sure"], strict=True)],
        }
    ).set_index("driver")  # fmt: skip
    return Table(rows, {}, {name: words.label(name) for name in ("driver", *rows.columns)})


def driver_name(feature: str, frame: Frame) -> str:
    """Name a feature of the churn model: that of its snapshot column, else as it is."""
    return frame.words.label(feature) if feature in _COLUMNS else feature


def contrast_text(feature: str, contrast: str, frame: Frame) -> str:
    """Write between which two values of a feature its effect is told, such as ``12 → 140``.

    Examples
    --------
    >>> from toolkit.report.frame import Frame
    >>> frame = Frame("2026-10-31")
    >>> contrast_text("recency_days", "140 against 12.5", frame), contrast_text("window_spend", "1200 against 0", frame)
    ('12.5 → 140', '¥0 → ¥1,200')
    >>> contrast_text("anything", "per unit", frame)
    '+1'
    """
    high, _, low = contrast.partition(" against ")
    if not low:
        return "+1"
    return " → ".join(write_feature(feature, float(value), frame) for value in (low, high))


def write_feature(feature: str, value: float, frame: Frame) -> str:
    """Write a value of a feature as its unit asks."""
    return frame.money(value) if feature in _MONEY else frame.words.number(value)


def spanned(low: float, high: float, write: Write) -> str:
    """Write an interval."""
    return MISSING if pd.isna(low) or pd.isna(high) else f"{write(low)}\u00a0–\u2060\u00a0{write(high)}"


def written_p(p: float) -> str:
    """Write a p value.

    Examples
    --------
    >>> [written_p(p) for p in (0.2, 0.0314, 0.00001, float("nan"))]
    ['0.20', '0.031', '<0.001', '–']
    """
    if pd.isna(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def _left_at(part: pd.DataFrame, day: int) -> int:
    """Return how many are still looked at at the start of a day: the count of the first step from then on."""
    days = part["time"].to_numpy(dtype=float)
    later = np.flatnonzero(days >= day)
    return int(part["at_risk"].iloc[later[0]]) if len(later) else 0
