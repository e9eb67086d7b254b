"""Time episodes at twelve landmarks against one snapshot: ``python -m bench.episodes STUDY.yaml [--rounds 3]``.

Both open the study: once with the columns that come from sums per day only, what `toolkit.ChurnModel` takes of a study
of orders, and once with all columns of such a study.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from functools import partial

from bench.harness import Facts, race, ratio, say, table, timed

LEAN = (
    "recency_days", "tenure_days", "order_days", "spend", "window_order_days", "window_spend", "refund_amount",
    "mean_gap_days",
)  # fmt: skip
LAST = date(2026, 10, 31)
LANDMARKS = [LAST - timedelta(days=28 * number) for number in range(12, 0, -1)]


def asked(what: str, study: str, *, lean: bool) -> Facts:
    """Open the study and ask; ``seconds`` are those of the call, ``whole`` with opening."""
    import toolkit as tk

    names = LEAN if lean else None
    opening, opened = timed(lambda: tk.Study.open(study))
    calls = {
        "snapshot": lambda: opened.snapshot(LAST, names),
        "episodes": lambda: opened.episodes(LANDMARKS, LAST, names),
    }
    seconds, found = timed(calls[what])
    return {"seconds": seconds, "whole": opening + seconds, "rows": len(found)}


CONTESTANTS = {what: partial(asked, what) for what in ("snapshot", "episodes")}


def main() -> None:
    """Run both in alternation and print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for lean in (True, False):
        runs = race("bench.episodes", dict.fromkeys(CONTESTANTS), options.rounds, study=options.study, lean=lean)
        say("columns of sums per day" if lean else "all columns")
        table(runs, "snapshot", ["seconds", "whole", "peak_mb", "rows"])
        say(f"  episodes / snapshot, with opening: {ratio(runs, 'episodes', 'snapshot', 'whole'):.2f}")


if __name__ == "__main__":
    main()
