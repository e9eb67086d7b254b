"""How fast `ChurnModel` is beside lifelines: ``python -m bench.churn [--rows 1000000]``.

The same episodes (integer days, ten columns, three rows a customer). "plain" and "robust" are `ChurnModel.fit` on named
features with all its checks; lifelines fits plain errors. Risk at three horizons is beside
``predict_survival_function`` at the same times, on a fit of the same episodes.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter

import toolkit as tk
from bench.harness import peak_mb, race_here, ratio, say, table, wanted

HORIZONS = (7, 30, 90)
NAMES = tuple(f"x{number}" for number in range(10))


def episodes(rows: int, seed: int = 7) -> pd.DataFrame:
    """Make episodes in whole days, censored after 91, three of each customer."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, len(NAMES)))
    frailty = np.repeat(rng.gamma(2.0, 0.5, rows // 3 + 1), 3)[:rows]
    hazard = frailty * np.exp(x @ np.linspace(-0.5, 0.5, len(NAMES)))
    days = np.ceil(rng.exponential(80 / hazard))
    frame = pd.DataFrame(x, columns=list(NAMES), index=pd.Index(np.arange(rows) // 3, name="customer_id"))
    return frame.assign(duration_days=np.minimum(days, 91.0), event=(days <= 91).astype("int64"))


def main() -> None:
    """Run the rounds and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    frame = episodes(options.rows)
    theirs = CoxPHFitter().fit(frame, "duration_days", "event")
    ours = tk.ChurnModel(outcome="end", features=NAMES, robust=False).fit(frame, entry=None)
    runs = race_here(
        {
            "lifelines": lambda: CoxPHFitter().fit(frame, "duration_days", "event"),
            "plain": lambda: tk.ChurnModel(outcome="end", features=NAMES, robust=False).fit(frame, entry=None),
            "robust": lambda: tk.ChurnModel(outcome="end", features=NAMES).fit(frame, entry=None),
            "survival function": lambda: theirs.predict_survival_function(frame, times=list(HORIZONS)),
            "risk": lambda: ours.risk(frame, HORIZONS),
        },
        options.rounds,
    )
    say(f"{options.rows:,} episodes x {len(NAMES)}, {int(frame['event'].sum()):,} events; peak {peak_mb():,.0f} MB")
    table(runs, "plain", ["seconds"])
    wanted("plain / lifelines", ratio(runs, "plain", "lifelines"), most=1.25)
    wanted("robust / plain", ratio(runs, "robust", "plain"), most=3)
    wanted("risk / survival function", ratio(runs, "risk", "survival function"), most=0.2)
    curves, risk = (runs[name][-1]["result"].to_numpy() for name in ("survival function", "risk"))
    wanted("risk against lifelines, at most apart", float(np.abs(1 - curves.T - risk).max()), most=1e-6)
    apart = np.abs(theirs.params_.to_numpy() - ours.coef_["coef"].to_numpy()).max()
    say(f"  coefficients apart by {apart:.1e} at most")


if __name__ == "__main__":
    main()
