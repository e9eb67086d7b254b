"""Tables and pictures that say how scores were made and what each type is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from toolkit.report.plots import distribution
from toolkit.schema import ORDER_COUNT, SEGMENT
from toolkit.segments.rfm import DIMENSIONS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from toolkit.report.frame import Frame
    from toolkit.report.words import Words
    from toolkit.segments.rfm import RFM, Dimension


def guide(summary: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Say of each type that is present who it is and what is usually done with it."""
    present = [str(name) for name in summary.index if name != "total"]
    return pd.DataFrame(
        {"traits": [words.describe(name) for name in present], "action": [words.action(name) for name in present]},
        index=pd.Index(present, name=SEGMENT),
    )


def spread(scored: pd.DataFrame, rfm: RFM, dimension: Dimension, *, frame: Frame) -> Axes:
    """Draw how buyers spread over one dimension, with its learned cut points and split."""
    column = rfm.get_params()[dimension]
    buyers = scored.loc[scored[ORDER_COUNT] > 0, column]
    cuts = [float(cut) for cut in rfm.cut_points_[column].dropna()]
    return distribution(buyers, dimension=dimension, cuts=cuts, split=rfm.splits_[dimension], frame=frame)


def cuts_table(rfm: RFM, *, frame: Frame) -> pd.DataFrame:
    """Write the learned cut points: which value reaches which score, and which value is high."""
    columns = {dimension: rfm.get_params()[dimension] for dimension in DIMENSIONS}
    write = {"recency": frame.words.number, "frequency": frame.words.number, "monetary": frame.money}
    rows = [
        {"score": f"≥ {score}", **{dimension: write[dimension](cuts[column]) for dimension, column in columns.items()}}
        for score, cuts in rfm.cut_points_.iterrows()
    ]
    high = {dimension: write[dimension](rfm.splits_[dimension]) for dimension in DIMENSIONS}
    rows.append({"score": frame.words.label("high"), **high})
    table = pd.DataFrame(rows).set_index("score")
    return table.rename(columns={dimension: f"{dimension}_better_than" for dimension in DIMENSIONS})
