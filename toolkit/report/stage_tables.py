"""Stages and channels as a page shows them: figures written with their intervals, small cells hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.report.note import Note
from toolkit.report.small_cells import HIDDEN
from toolkit.report.words import MISSING
from toolkit.segments.channels import best_and_worst
from toolkit.segments.stage_rows import SHARES

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.report.frame import Frame
    from toolkit.report.page import Page
    from toolkit.report.tables import Table
    from toolkit.segments.stages import StageFigures

    Write = Callable[[float], str]

KEY_FIGURES = {
    "introduction": "conversion", "growth": "active_share", "maturity": "conversion", "dormancy": "wake_rate",
    "loss": "return_rate",
}  # fmt: skip
"""The one figure of each stage that its picture shows."""
_MONEY = "spend_per_customer"
_LOSS = "loss"


def stage_table(figures: StageFigures, *, frame: Frame) -> pd.DataFrame:
    """Write the figures of each stage with bounds and counts; stages that nobody is in are left out."""
    words = frame.words
    hidden = hidden_figures(figures, frame=frame)
    rows: list[dict[str, str]] = []
    for (stage, figure), row in _rows(figures).items():
        write = _writer(figure, frame)
        if row["of"] == 0:
            continue
        few = (stage, figure) in hidden
        known = pd.notna(row["value"])
        rows.append(
            {
                "stage": "" if rows and rows[-1]["key"] == stage else words.tier("stage", stage),
                "key": stage,
                "figure": words.label(f"figure_{figure}"),
                "value": HIDDEN if few else write(row["value"]) if known else MISSING,
                "interval": "" if few or pd.isna(row["lower"]) else _span(row["lower"], row["upper"], write),
                "count_of": HIDDEN if few else _count_of(row, figure, frame) if known else "",
            }
        )
    return pd.DataFrame(rows).drop(columns="key").set_index("stage")


def hidden_figures(figures: StageFigures, *, frame: Frame) -> set[tuple[str, str]]:
    """Return the figures that rest on too few people to be published, or would tell one that does."""
    found = set()
    for (stage, figure), row in _rows(figures).items():
        people = [row["count"], row["of"] - row["count"]] if figure in SHARES else []
        if any(frame.small(n) for n in [row["of"], *people] if pd.notna(n)):
            found.add((stage, figure))
    if {(_LOSS, "recall_rate"), (_LOSS, "natural_return")} & found:
        found.add((_LOSS, "return_rate"))
    return found


def why_missing(figures: StageFigures, *, frame: Frame) -> Note | None:
    """Say which tables were missing, and what therefore cannot be told."""
    words = frame.words
    told = [words.say(f"missing_{name}") for name in figures.missing if name in ("events", "contacts", "newcomers")]
    return Note("".join(told).strip()) if told else None


def channels_table(figures: StageFigures, *, frame: Frame) -> pd.DataFrame:
    """Return the table of channels with its intervals written; figures of few buyers are hidden."""
    words, told = frame.words, figures.channels
    table = told[["joined", "converted", "conversion"]].copy()
    table["interval"] = _spans(told, "lower", "upper", words.percent)
    table["window_spend"] = told["spend"]
    if told["cost"].notna().any():
        table[["cost", "cost_per_customer", "cost_per_buyer"]] = told[["cost", "cost_per_customer", "cost_per_buyer"]]
        table["return"] = told["return"]
        table["return_interval"] = _spans(told, "return_lower", "return_upper", words.number)
    few = [frame.small(n) or frame.small(of - n) for n, of in zip(told["converted"], told["joined"], strict=True)]
    table = table.astype(object)
    table.loc[few, [name for name in table if name not in ("joined", "cost", "cost_per_customer")]] = HIDDEN
    return table.astype({"joined": "int64"})


def channels(figures: StageFigures, page: Page) -> Table | None:
    """Show the table of channels; nothing where the study does not know any."""
    if figures.channels.empty:
        return None
    return page.table(_without_names_of_few(channels_table(figures, frame=page.frame), page.frame), counts="joined")


def _without_names_of_few(table: pd.DataFrame, frame: Frame) -> pd.DataFrame:
    """Leave out channels that brought few: their very name might tell who came that way."""
    return table[[not frame.small(joined) for joined in table["joined"]]]


def channel_advice(figures: StageFigures, *, frame: Frame) -> Note:
    """Say where the next money may go, and what that does not rest on."""
    words = frame.words
    if "channels" in figures.missing:
        return Note(words.say("no_channels"))
    ends = best_and_worst(figures.channels, min_cell=max(frame.min_cell, 1))
    if ends is None:
        return Note(words.say("no_costs"))
    best, worst, apart = ends
    back = figures.channels["return"]
    told = {"best": best, "high": words.number(back[best]), "worst": worst, "low": words.number(back[worst])}
    key = "channel_only" if best == worst else "channels_apart" if apart else "channels_alike"
    return Note(words.say(key, **told) + words.say("no_control"))


def _rows(figures: StageFigures) -> dict[tuple[str, str], dict[str, float]]:
    numbers = figures.table[["count", "of", "value", "lower", "upper"]]
    keys = [(str(stage), str(figure)) for stage, figure in figures.table.index]
    return dict(zip(keys, numbers.to_dict("records"), strict=True))  # type: ignore[arg-type]  # names of columns are text


def _writer(figure: str, frame: Frame) -> Write:
    if figure in SHARES:
        return frame.words.percent
    return frame.money if figure == _MONEY else frame.words.number


def _count_of(row: dict[str, float], figure: str, frame: Frame) -> str:
    words = frame.words
    count = frame.money(row["count"]) if figure == _MONEY else words.number(row["count"])
    return words.say("n_of", n=count, of=words.number(row["of"]))


def _span(low: float, high: float, write: Write) -> str:
    return f"{write(low)} – {write(high)}"


def _spans(table: pd.DataFrame, low: str, high: str, write: Write) -> list[str]:
    ends = zip(table[low], table[high], strict=True)
    return [MISSING if pd.isna(first) else _span(first, last, write) for first, last in ends]
