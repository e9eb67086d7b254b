"""Time episodes at twelve landmarks against one snapshot: ``python -m bench.episodes FILE.yaml [--rounds 3]``.

Both in fresh processes that open the study (made by ``bench/orders.py``): once with the columns that come from
sums per day only, what `toolkit.ChurnModel` takes of a study of orders, and once with all columns of such a study.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta

import toolkit as tk

LEAN = (
    "recency_days", "tenure_days", "order_days", "spend", "window_order_days", "window_spend", "refund_amount",
    "mean_gap_days",
)  # fmt: skip
LAST = date(2026, 10, 31)
LANDMARKS = [LAST - timedelta(days=28 * number) for number in range(12, 0, -1)]


def once(what: str, columns: str, path: str) -> dict[str, float]:
    """Open the study and ask, in this process."""
    start = time.perf_counter()
    study = tk.Study.open(path)
    opened = time.perf_counter()
    names = LEAN if columns == "lean" else None
    found = study.snapshot(LAST, names) if what == "snapshot" else study.episodes(LANDMARKS, LAST, names)
    asked = time.perf_counter()
    return {
        "whole": asked - start,
        "call": asked - opened,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": len(found),
    }


def main() -> None:
    """Run both in alternation and print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("study")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", nargs=2, metavar=("WHAT", "COLUMNS"))
    asked = parser.parse_args()
    if asked.once:
        print(json.dumps(once(asked.once[0], asked.once[1], asked.study)))
        return
    for columns in ("lean", "all"):
        times: dict[str, list[dict[str, float]]] = {"snapshot": [], "episodes": []}
        for _ in range(asked.rounds):
            for what, seen in times.items():
                command = [sys.executable, "-m", "bench.episodes", asked.study, "--once", what, columns]
                seen.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
        middle = {
            what: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for what, runs in times.items()
        }
        for what, figures in middle.items():
            print(columns, what, {key: round(value, 2) for key, value in figures.items()})
        ratios = {key: middle["episodes"][key] / middle["snapshot"][key] for key in ("whole", "call")}
        print(columns, "episodes / snapshot", {key: round(value, 2) for key, value in ratios.items()})


if __name__ == "__main__":
    main()
