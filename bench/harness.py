"""Contestants side by side, in turn, round after round: medians, and ratios pair by pair, as a slow minute hurts both.

A benchmark is a module with ``CONTESTANTS``: name -> function that takes keyword arguments, does its imports, and
returns facts, ``seconds`` among them. Each runs in a fresh process, peers in environments of their own in ``.bench``.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
import venv
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bench"
PACKAGES = {
    "polars": ("polars==2.1.0", "pyarrow", "pandas"),
    "lifetimes": ("lifetimes==0.11.3", "pandas<2", "numpy<2", "pyarrow<15", "setuptools"),
    "pymc-marketing": ("pymc-marketing==0.19.2", "pyarrow"),
    "tea": ("tea-tasting==1.14.0", "statsmodels==0.15.0", "polars==2.1.0", "pandas", "pyarrow"),
    "tea-duckdb": ("tea-tasting==1.14.0", "ibis-framework[duckdb]==12.0.0", "duckdb<2"),
}
"""Environment of peers that do not share ours -> what is installed in it."""

T = TypeVar("T")
Facts = dict[str, Any]
Runs = dict[str, list[Facts]]


def say(text: str) -> None:
    """Write a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the seconds that some work took, and its result."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def peak_mb() -> float:
    """Return the most memory that this process held, from Linux."""
    status = Path("/proc/self/status").read_text("utf-8")
    return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1024


def python_of(environment: str | None) -> str:
    """Return the interpreter of an environment, made and filled if it is not there; None is our own."""
    if environment is None:
        return sys.executable
    folder = FOLDER / "peers" / environment
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = "\n".join(PACKAGES[environment])
    if not ready.exists() or ready.read_text("utf-8") != wanted:
        say(f"installing {environment} into an environment of its own ...")
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES[environment]]
        subprocess.run(pip, check=True)
        ready.write_text(wanted, "utf-8")
    return str(python)


def alone(module: str, name: str, arguments: Mapping[str, Any], environment: str | None = None) -> Facts:
    """Run one contestant in a fresh process; ``process`` is the time from start to end."""
    words = [python_of(environment), "-W", "ignore", "-m", "bench.harness", module, name, json.dumps(arguments)]
    took, run = timed(lambda: subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT))
    facts: Facts = json.loads(run.stdout.splitlines()[-1])
    return facts | {"process": took}


def race(
    module: str, environments: Mapping[str, str | None], rounds: int, *, after: Callable[[str], None] = lambda _: None,
    **arguments: Any,
) -> Runs:  # fmt: skip
    """Run contestants (name -> environment) of a module in turn; ``after`` is called with the name after each run."""
    FOLDER.mkdir(exist_ok=True)
    for environment in environments.values():
        python_of(environment)
    runs: Runs = {name: [] for name in environments}
    for number in range(1, rounds + 1):
        for name, done in runs.items():
            done.append(alone(module, name, arguments, environments[name]))
            say(f"round {number}: {name:<20}{done[-1]['seconds']:>9.3f} s")
            after(name)
    return runs


def race_here(works: Mapping[str, Callable[[], Any]], rounds: int) -> Runs:
    """Run works in turn in this process; the result of each stands beside its seconds."""
    runs: Runs = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            took, result = timed(work)
            runs[name].append({"seconds": took, "result": result})
    return runs


def middle(runs: Runs, name: str, fact: str = "seconds") -> float:
    """Return the median of a fact over the rounds."""
    return float(median(facts[fact] for facts in runs[name]))


def ratio(runs: Runs, name: str, beside: str, fact: str = "seconds") -> float:
    """Return the median over the rounds of one contestant's fact over another's in the same round."""
    return float(median(one[fact] / other[fact] for one, other in zip(runs[name], runs[beside], strict=True)))


def table(runs: Runs, ours: str, facts: Iterable[str] = ("seconds", "process", "peak_mb")) -> None:
    """Print the median of each fact, the fastest run, and how many times our seconds each took."""
    facts = list(facts)
    say(f"{'contestant':<20}{''.join(f'{fact:>12}' for fact in facts)}{'fastest':>12}{'x ours':>9}")
    for name, done in runs.items():
        cells = "".join(f"{middle(runs, name, fact):>12,.3f}" for fact in facts)
        fastest = min(one["seconds"] for one in done)
        say(f"{name:<20}{cells}{fastest:>12,.3f}{ratio(runs, name, ours):>9.2f}")


def wanted(what: str, value: float, *, least: float | None = None, most: float | None = None) -> None:
    """Print a figure and whether it is what was wanted."""
    reached = (least is None or value >= least) and (most is None or value <= most)
    bound = f"at least {least:g}" if least is not None else f"at most {most:g}"
    say(f"  {what}: {value:.4g}; wanted {bound}: {'reached' if reached else 'MISSED'}")


if __name__ == "__main__":
    home, contestant, given = sys.argv[1:]
    answer = importlib.import_module(home).CONTESTANTS[contestant](**json.loads(given))
    say(json.dumps(answer | {"peak_mb": peak_mb()}))
