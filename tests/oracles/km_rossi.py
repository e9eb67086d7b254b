"""The columns that ``km_uno_brier.R`` makes of ``rossi``, made again, and the numbers it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit


def expected() -> dict[str, float]:
    table = pd.read_csv(Path(__file__).with_name("km_uno_brier.csv"))
    return dict(zip(table["name"], table["value"], strict=True))


def rossi() -> pd.DataFrame:
    from lifelines.datasets import load_rossi

    found: pd.DataFrame = load_rossi()
    limit = 10 + (found["age"] * 7 + found["prio"] * 3) % 45
    time = np.minimum(found["week"], limit)
    status = ((found["arrest"] == 1) & (found["week"] <= limit)).astype("int64")
    return found.assign(
        time=time,
        status=status,
        kind=np.where((status == 1) & (found["prio"] >= 5), 2, status),
        entry=time // 3 * (found["age"] % 2),
        risk=0.3 * found["prio"] - 0.05 * found["age"],
        forecast=expit(-1.5 + 0.15 * found["prio"] - 0.04 * (found["age"] - 24)),
        group=found["fin"].astype(str) + found["race"].astype(str),
    )
