"""How fast `ChurnModel` is beside lifelines: ``python -m bench.churn [--rows 1000000]``.

The same episodes (integer days, ten columns, three rows a customer). "plain" and "robust" are `ChurnModel.fit` on named
features with all its checks; lifelines fits plain errors. Risk at three horizons is beside
``predict_survival_function`` at the same times, on a fit of the same episodes. Rounds alternate.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

from toolkit.risk.churn import ChurnModel

HORIZONS = (7, 30, 90)
NAMES = tuple(f"x{number}" for number in range(10))
WANTED = {"plain": ("lifelines", 1.25), "robust": ("plain", 3.0), "risk": ("survival function", 0.2)}


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def episodes(rows: int, seed: int = 7) -> pd.DataFrame:
    """Make episodes in whole days, censored after 91, three of each customer."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, len(NAMES)))
    frailty = np.repeat(rng.gamma(2.0, 0.5, rows // 3 + 1), 3)[:rows]
    hazard = frailty * np.exp(x @ np.linspace(-0.5, 0.5, len(NAMES)))
    days = np.ceil(rng.exponential(80 / hazard))
    frame = pd.DataFrame(x, columns=list(NAMES), index=pd.Index(np.arange(rows) // 3, name="customer_id"))
    return frame.assign(duration_days=np.minimum(days, 91.0), event=(days <= 91).astype("int64"))


def timed(work: Any) -> tuple[float, Any]:
    """Return seconds and result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def main() -> None:
    """Run the rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frame = episodes(options.rows)
    names = ("lifelines", "plain", "robust", "survival function", "risk")
    seconds: dict[str, list[float]] = {name: [] for name in names}
    apart, coefficients = 0.0, 0.0
    for _ in range(options.rounds):
        took, theirs = timed(partial(CoxPHFitter().fit, frame, "duration_days", "event"))
        seconds["lifelines"].append(took)
        took, ours = timed(partial(ChurnModel(outcome="end", features=NAMES, robust=False).fit, frame, entry=None))
        seconds["plain"].append(took)
        model = ChurnModel(outcome="end", features=NAMES)
        seconds["robust"].append(timed(partial(model.fit, frame, entry=None))[0])
        took, curves = timed(partial(theirs.predict_survival_function, frame, times=list(HORIZONS)))
        seconds["survival function"].append(took)
        took, risk = timed(partial(ours.risk, frame, HORIZONS))
        seconds["risk"].append(took)
        apart = max(apart, float(np.abs(1 - curves.to_numpy().T - risk.to_numpy()).max()))
        coefficients = max(coefficients, float(np.abs(theirs.params_.to_numpy() - ours.coef_["coef"].to_numpy()).max()))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    say(f"{options.rows:,} episodes x {len(NAMES)}, {int(frame['event'].sum()):,} events; peak memory {peak:,.0f} MB")
    for name, spent in seconds.items():
        line = f"  {name:<18}{median(spent):>9.2f} s"
        if name in WANTED:
            beside, most = WANTED[name]
            ratio = median(one / other for one, other in zip(spent, seconds[beside], strict=True))
            line += f"{ratio:>8.2f} x {beside}; wanted {most}: {'reached' if ratio <= most else 'MISSED'}"
        say(line)
    say(f"  risk against lifelines: {apart:.1e} at most, coefficients {coefficients:.1e}; wanted 1e-06 for risk")


if __name__ == "__main__":
    main()
