"""Portraits as a page shows them: what marks each tier in words, what it buys, reads and does, few people left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from toolkit.report.words import MISSING
from toolkit.segments.portrait_index import TIER

if TYPE_CHECKING:
    from toolkit.report.frame import Frame
    from toolkit.report.words import Words
    from toolkit.segments.portrait import Portrait

_MEASURES = ("active_days", "stay_seconds_30d", "intent_30d", "completion_rate", "last_nps")
_TOP = 3
_BETWEEN = {"zh": "；", "en": "; "}
_BUSY = 3
_HOURS = 24
_EXPECTED = 40
"""Acts that a tier would have at an hour if it were like everybody: with fewer, chance makes the index."""


def traits_table(told: Portrait, *, frame: Frame, each: int = 3) -> pd.DataFrame:
    """Write what marks each tier: the shares that are surely above and below everybody's, as multiples of these."""
    words = frame.words
    traits = told.traits(each)
    few = np.array([frame.small(n) for n in traits["customers"]], dtype=bool)
    lines: dict[tuple[str, str], list[str]] = {}
    for (attribute, value, tier), row in zip(traits[~few].index, traits[~few].to_dict("records"), strict=True):
        mark = " *" if attribute in told.undated else ""
        text = (
            f"{words.label(attribute)}: {value_name(attribute, value, words)}{mark} ×{words.number(row['index'] / 100)}"
        )
        lines.setdefault((tier, row["side"]), []).append(text)
    comma = _BETWEEN[words.language]
    return pd.DataFrame(
        {
            side: [comma.join(lines.get((tier, side), [])) or MISSING for tier in told.customers.index]
            for side in ("over", "under")
        },
        index=told.customers.index.rename(told.by),
    ).rename(columns={"over": "over_everybody", "under": "under_everybody"})


def habits_table(told: Portrait, *, frame: Frame) -> pd.DataFrame:
    """Write what each tier buys and reads most beside everybody, and at which hours it is busiest."""
    words = frame.words
    columns = {}
    for name, frame_of in (("buys", told.products), ("reads", told.content)):
        if len(frame_of):
            columns[name] = [_most(frame_of, tier, frame) for tier in told.customers.index]
    if len(told.hours):
        columns["busiest_hours"] = [_busiest(told.hours, str(tier), frame) for tier in told.customers.index]
    if len(told.service):
        few = [
            frame.small(n) or frame.small(of - n)
            for n, of in zip(told.service["customers"], told.customers, strict=True)
        ]
        written = [words.number(n) for n in told.service["complaints_per_100"]]
        columns["complaints_per_100"] = ["*" if hide else text for hide, text in zip(few, written, strict=True)]
    return pd.DataFrame(columns, index=told.customers.index.rename(told.by))


def measures_table(told: Portrait, *, frame: Frame) -> pd.DataFrame:
    """Take means of what was measured, per tier; those of few customers are hidden."""
    columns: dict[str, list[str]] = {}
    for measure in _MEASURES:
        if measure in told.numbers.index.get_level_values("measure"):
            part = told.numbers.T[measure].T
            columns[measure] = [
                "*" if frame.small(n) else MISSING if np.isnan(mean) else _measure(measure, mean, frame.words)
                for n, mean in zip(part["customers"], part["mean"], strict=True)
            ]
    return pd.DataFrame(columns, index=told.customers.index.rename(told.by))


def by_hour(table: pd.DataFrame, *, frame: Frame) -> pd.DataFrame:
    """Share the acts of each thing out over the day: a row per thing, a column per hour; what few did is left out."""
    acts = _over_the_day(table, str(table.index.names[0]), "acts")
    kept = acts[acts.sum(axis="columns") >= max(frame.min_cell, 1) * _HOURS]
    return kept.div(kept.sum(axis="columns"), axis="index")


def tiers_by_hour(told: Portrait, *, frame: Frame) -> pd.DataFrame:
    """Compare at which hours each tier acts with when everybody does: 100 is alike; missing where few acts are due."""
    acts, who = (_over_the_day(told.hours, TIER, name) for name in ("acts", "customers"))
    order = [tier for tier in told.customers.index if tier in acts.index]
    acts, who = acts.loc[order], who.loc[order]
    share = acts.div(acts.sum(axis="columns"), axis="index")
    whole = acts.sum() / acts.to_numpy().sum()
    enough = (who >= max(frame.min_cell, told.min_cell)) & (np.outer(acts.sum(axis="columns"), whole) >= _EXPECTED)
    index: pd.DataFrame = 100 * share / whole.where(whole > 0)
    return index.where(enough)


def _over_the_day(table: pd.DataFrame, thing: str, value: str) -> pd.DataFrame:
    found: pd.DataFrame = table.pivot_table(index=thing, columns="hour", values=value, aggfunc="sum", fill_value=0)
    return found.reindex(columns=range(_HOURS), fill_value=0)


def value_name(attribute: str, value: str, words: Words) -> str:
    """Name a value of an attribute: those of the toolkit in the page's language, others as they are."""
    if attribute == "membership_state":
        return words.label(f"membership_{value}")
    return words.tier("need", value) if attribute == "need" else value


def _most(table: pd.DataFrame, tier: object, frame: Frame) -> str:
    """Name the things that most of a tier took, with their share and its multiple of everybody's."""
    words = frame.words
    own = table[table.index.get_level_values(TIER) == tier].droplevel(TIER)
    enough = own[own["customers"] >= max(frame.min_cell, 1)].sort_values("customers", ascending=False, kind="stable")
    texts = [
        f"{thing} {words.percent(row['share'])} (×{words.number(row['index'] / 100)})"
        for thing, row in enough.head(_TOP).to_dict("index").items()
    ]
    return _BETWEEN[words.language].join(texts) or MISSING


def _busiest(hours: pd.DataFrame, tier: str, frame: Frame) -> str:
    """Name the three hours in a row that hold most of a tier's acts."""
    own = hours.xs(tier, level=TIER)
    acts = own.groupby(level="hour")["acts"].sum().reindex(range(_HOURS), fill_value=0).to_numpy()
    if acts.sum() < max(frame.min_cell, 1):
        return MISSING
    around = np.array([acts.take(range(hour, hour + _BUSY), mode="wrap").sum() for hour in range(_HOURS)])
    first = int(around.argmax())
    share = frame.words.percent(float(around[first] / acts.sum()))
    return f"{first}:00–{(first + _BUSY) % _HOURS}:00 ({share})"


def _measure(name: str, mean: float, words: Words) -> str:
    return words.percent(mean) if name == "completion_rate" else words.number(mean)
