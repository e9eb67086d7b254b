"""Toy notebooks, runs of them, and a way to watch what a run leaves; as a script: ``toolkit`` on toy notebooks.

The script is what a user starts, but for the study, which is a stub, and the folder of notebooks, its first argument.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import types
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit import __main__ as command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import pandas as pd

    from toolkit.report.runs import Report
    from toolkit.study import StudyFile

AS_OF = "2026-10-31"
PARAMETERS = 'study = "demo"\nas_of = "2026-10-31"\nlang = "en"'
RECORD = """import toolkit as tk
tk.record(verdict="All is well.", customers=3, day=as_of, figures=[{"label": "Buyers", "value": 1234}])"""
MARK = "TOYS_MARK"
"""Environment variable that a run's processes inherit, whoever their parent is."""


def toy(
    path: Path,
    *cells: str,
    title: str = "Who buys?",
    parameters: str | None = PARAMETERS,
    record: str | None = RECORD,
    language: str = "python",
) -> Path:
    """Write a notebook: a question, a parameters cell, code cells, a results cell."""
    import nbformat  # what is loaded first here, each process of a run loads

    v4: Any = nbformat.v4
    nb = v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": language}})
    nb.cells.append(v4.new_markdown_cell(f"# {title}"))
    if parameters is not None:
        nb.cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    nb.cells += [v4.new_code_cell(source) for source in cells]
    if record is not None:
        nb.cells.append(v4.new_code_cell(record, metadata={"tags": ["results"]}))
    for number, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{number}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nb), "utf-8")  # type: ignore[no-untyped-call]
    return path


def run(out: Path, *notebooks: Path, study: str = "demo", **options: Any) -> Report:
    """Run notebooks in this process."""
    from toolkit.report.runs import run_report

    return run_report(
        study,
        name="demo",
        language="en",
        notebooks=notebooks,
        out=out,
        **{"as_of": AS_OF, "inputs": {"orders.csv": "ab"}, **options},
    )


@contextmanager
def without_workers() -> Iterator[None]:
    """Make runs start their kernels from this process, one after the other: all of a run but its workers."""
    import pytest

    from toolkit.report.kernels import execute
    from toolkit.report.results import KEPT_VARIABLE, TOKEN_VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toolkit.report.pool.run_all", lambda tasks, *_: [execute(task) for task in tasks])
        for variable in (KEPT_VARIABLE, TOKEN_VARIABLE):
            patch.setenv(variable, "")
        patch.delenv("MPLBACKEND", raising=False)
        yield


def good_report(out: Path) -> Path:
    """Return the first page of a report that was published before."""
    index = out / "demo" / AS_OF / "index.html"
    index.parent.mkdir(parents=True)
    index.write_text("good", "utf-8")
    return index


def names(folder: Path) -> list[str]:
    """Return what a folder holds."""
    return sorted(path.name for path in folder.iterdir())


def toolkit(notebooks: Path, out: Path, *words: str) -> list[str]:
    """Return the command that makes a report of a folder's toy notebooks."""
    return [sys.executable, __file__, str(notebooks), "report", "--out", str(out), *words]


def _hears() -> None:
    """Restore what signals do: where this process ignores some, as one under nohup does, its children would too."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


class Started:
    """A command that runs as from a terminal, and all processes that came of it."""

    def __init__(self, words: Sequence[str], **variables: str) -> None:
        self.mark = secrets.token_hex(8)
        self.process = subprocess.Popen(
            words,
            env={**os.environ, **variables, MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_hears,  # noqa: PLW1509 - it takes no lock, and Popen has no other way to say it
        )

    def alive(self) -> list[str]:
        """Return the command lines of its processes."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if f"{MARK}={self.mark}".encode() in (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
        return found

    def left(self, seconds: float = 3.0) -> list[str]:
        """Return what is alive still when the time is up, or nothing as soon as nothing is."""
        end = time.monotonic() + seconds
        while (found := self.alive()) and time.monotonic() < end:
            time.sleep(0.05)
        return found

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return its exit status and what it said on stderr."""
        _, said = self.process.communicate(timeout=300)
        return self.process.returncode, said


def eventually(look: Callable[[], Any]) -> Any:
    """Return what is seen once it is true, within two minutes."""
    end = time.monotonic() + 120
    while not (seen := look()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return seen


def content(report: Path) -> dict[str, str]:
    """Return what a report holds: path to sha256, but for the times in its manifest. A broken one raises."""
    manifest = json.loads((report / "manifest.json").read_text("utf-8"))
    found = {"run_id": manifest["run_id"]}
    for path in sorted(report.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            data = path.read_bytes()
            assert path.suffix != ".html" or data.rstrip().endswith(b"</html>"), path
            found[path.relative_to(report).as_posix()] = hashlib.sha256(data).hexdigest()
    return found


def sealed(mounts: str, words: Sequence[str], look: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command among mounts of its own, print ``status N`` and what ``look`` shows; None where that is barred."""
    script = f'{mounts} || exit 99; "$@"; echo "status $?"; {look}'
    return subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def can_seal() -> bool:
    """Tell whether this system lets a user mount file systems of their own."""
    words = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


class StubStudy:
    """A study as the command line sees it."""

    name, language, last_day = "demo", "en", date.fromisoformat(AS_OF)
    columns, seed = ("order_count", "window_spend"), 7
    experiments: tuple[Path, ...] = ()

    @classmethod
    def demo(cls) -> StubStudy:
        return cls()

    open = demo

    def input_hashes(self) -> dict[str, str]:
        return {}

    def manifest(self, as_of: str) -> dict[str, object]:
        return {"as_of": as_of}

    @property
    def settings(self) -> StudyFile:
        from toolkit.study import parse_study

        return parse_study(
            {"name": "demo", "timezone": "Asia/Shanghai", "currency": "CNY", "tables": {"orders": {"files": "o.csv"}}}
        )

    def snapshot(self, as_of: date, columns: list[str]) -> pd.DataFrame:  # noqa: ARG002  # as the study is called
        import pandas as pd

        return pd.DataFrame(1.0, index=pd.Index(["C1", "C2"], name="customer_id"), columns=columns)


def workbench() -> types.ModuleType:
    """Return the module that the command takes its study from."""
    module = types.ModuleType("toolkit.report.workbench")
    module.Study = StubStudy  # type: ignore[attr-defined]
    return module


def nothing_kept() -> types.ModuleType:
    """Return a module that keeps no snapshot, in the place of the one for which all that makes tiers is loaded."""
    module = types.ModuleType("toolkit.report.keeping")
    module.keep, module.kept_hashes = lambda *_: None, lambda *_: {}  # type: ignore[attr-defined]
    module.key_of = lambda _: types.SimpleNamespace(created=False)  # type: ignore[attr-defined]
    return module


if __name__ == "__main__":
    sys.modules["toolkit.report.workbench"] = workbench()
    sys.modules["toolkit.report.keeping"] = nothing_kept()
    command.NOTEBOOKS = Path(sys.argv[1])
    command.app(sys.argv[2:])
