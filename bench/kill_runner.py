"""kill -9 of ``toolkit report`` at random moments: ``python -m bench.kill_runner [KILLS]`` prints what was left.

The demo's real report, the real command. After each kill: does the last good report open, how long does any process of
the run live, and does the next run succeed and clear up?
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

from bench.harness import say
from tests.builders.toys import Started, content

SEED = 20_261_031
LONGEST = 3.0
"""Seconds that a process of a killed run may live."""


def whole(words: list[str], temporary: str) -> tuple[int, str, float]:
    """Run to the end; return exit status, what was said, and seconds, which the next kill falls into."""
    began = time.monotonic()
    status, said = Started(words, TMPDIR=temporary).ended()
    return status, said, time.monotonic() - began


def main(kills: int) -> int:
    """Kill as many runs; return how many of them left something that must not be."""
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as temporary:
        words = [sys.executable, "-m", "toolkit", "report", "--out", home]
        status, said, length = whole(words, temporary)
        if status:
            say(said)
            return kills
        (report,) = Path(home).glob("*/*")
        good, bad, slowest = content(report), 0, 0.0
        say(f"an undisturbed run takes {length:.1f} s; {kills} kills, seed {SEED}")
        say("killed at       | last said                           | processes gone | report | folders left | next run")
        dice = random.Random(SEED)  # noqa: S311 - moments, no secrets
        done = 0
        while done < kills:
            moment = dice.uniform(0, length)
            runner = Started(words, TMPDIR=temporary)
            time.sleep(moment)
            if runner.process.poll() is not None:
                runner.ended()
                continue
            runner.process.kill()
            killed = time.monotonic()
            left = runner.left(LONGEST)
            gone = time.monotonic() - killed
            _, said = runner.ended()
            stands = content(report) == good
            folders = len(list(report.parent.glob(".*.tmp"))) + len(list(Path(temporary).glob("toolkit-run-*")))
            within = length
            status, problem, length = whole(words, temporary)
            rest = sorted(path.name for path in report.parent.iterdir()) + sorted(
                path.name for path in Path(temporary).glob("toolkit-run-*")
            )
            fine = not left and stands and status == 0 and rest == [report.name, "kept"] and content(report) == good
            done, bad = done + 1, bad + (not fine)
            slowest = max(slowest, gone)
            lines = [line for line in said.splitlines() if "resource_tracker" not in line]
            last = (lines or ["nothing"])[-1]
            outcome = "good, all cleared" if fine else f"exit {status}, {rest}, {left}\n{problem}"
            when, opens = f"{moment:5.1f} of {within:4.1f} s", "good" if stands else "BROKEN"
            say(f"{when} | {last[:35]:35} | {gone:12.2f} s | {opens:6} | {folders:12} | {outcome}")
        say(f"{kills - bad} of {kills} good; the last process of a killed run was gone after {slowest:.2f} s at most")
        return bad


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
