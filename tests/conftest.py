"""What every test has: one thread, its own place for what the toolkit keeps of a user; and the table of faults."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import duckdb
import matplotlib as mpl
import pytest
from threadpoolctl import threadpool_limits

from tests.builders.profiles import THOROUGH
from tests.builders.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

mpl.use("Agg")

SECTIONS = {
    "A files": 1, "B schema": 24, "C identity": 33, "D time": 44, "E money": 59, "F scale": 70, "G survival": 77,
    "H clustering": 88, "I experiments": 93, "J rules": 109, "K runs": 116, "L privacy": 132, "M exports": 147,
    "N pages": 163, "O units": 173,
}  # fmt: skip
"""Section of the list of faults -> its first number."""


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two workers own the two cores: neither DuckDB nor BLAS starts a thread per core in each study."""
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setattr(duckdb, "connect", partial(duckdb.connect, config={"threads": 1}))
        for library in ("OMP", "OPENBLAS"):
            patch.setenv(f"{library}_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="session", autouse=True)
def no_key_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Make the key of pseudonyms, which a report makes on first use, in a folder that goes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note the faults that tests show, let dear files begin, so that no worker ends with one, leave out the slow."""
    for item in items:
        if numbers := sorted({number for mark in item.iter_markers("fault") for number in mark.args}):
            item.user_properties.append(("faults", numbers))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
    if not THOROUGH:
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests tell, and which numbers of the list of faults this run has shown, by how many tests each."""
    shown: dict[int, int] = {}
    broken: set[int] = set()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            properties = dict(report.user_properties)
            for number in properties.pop("faults", ()):
                shown[number] = shown.get(number, 0) + 1
                broken |= {number} if outcome == "failed" else set()
            for told, text in properties.items():
                terminalreporter.write_line(f"{told}: {text}")
    if not shown:
        return
    terminalreporter.section("faults shown: number (tests, where there are several)")
    starts = [*SECTIONS.values(), 10_000]
    for section, first, after in zip(SECTIONS, starts, starts[1:], strict=False):
        numbers = [number for number in sorted(shown) if first <= number < after]
        texts = [
            f"{number}{f' ({shown[number]})' if shown[number] > 1 else ''}{' FAILED' if number in broken else ''}"
            for number in numbers
        ]
        terminalreporter.write_line(f"{section}: {', '.join(texts) or '-'}")
