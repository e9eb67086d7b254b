"""Whether the tests bite: ``python -m tests.mutate [ID ...] [--whole] [--at REVISION]``.

Each fault of mutations.yaml is put into a copy of the project, then the tests of its room run until one fails; with
``--whole`` all tests. ``--at`` takes code and tests as they were committed there.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
EVERYWHERE = ("tests/test_properties.py",)
TESTS = {
    "data": ("toolkit/data", "tests/data", "tests/faults"),
    "rules": ("toolkit/rules", "tests/rules", "tests/faults/test_j_rules.py", "tests/segments"),
    "segments": ("toolkit/segments", "tests/segments"),
    "risk": ("toolkit/risk", "tests/risk", "tests/published"),
    "strategy": ("toolkit/strategy", "tests/strategy", "tests/faults/test_experiment_faults.py", "tests/gates"),
    "report": ("toolkit/report", "tests/report"),
}


def tree(revision: str, folder: Path) -> None:
    """Write the files that git has of a revision; ``shared`` beside them is ours."""
    files = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        archive.extractall(folder, filter="data")
    if (shared := ROOT.parent / "shared").is_dir():
        (folder.parent / "shared").symlink_to(shared)


def survives(fault: dict[str, Any], revision: str, *, whole: bool) -> str:
    """Return what became of a fault: the test that fails, or that it survives."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "project")
        tree(revision, folder)
        file = folder / fault["file"]
        text = file.read_text("utf-8")
        if text.count(fault["from"]) != 1:
            return "DOES NOT APPLY"
        file.write_text(text.replace(fault["from"], fault["to"]), "utf-8")
        paths = [] if whole else [path for path in (*TESTS[fault["room"]], *EVERYWHERE) if (folder / path).exists()]
        start = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=no", *paths],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        failed = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        said = failed[0].partition(" - ")[0] if failed else "SURVIVES" if run.returncode == 0 else run.stdout[-300:]
        return f"{said} ({time.monotonic() - start:.0f} s)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--whole", action="store_true", help="all tests, not those of the fault's room")
    parser.add_argument("--at", default="HEAD", help="the revision whose code and tests are taken")
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    faults = yaml.safe_load((ROOT / "tests" / "mutations.yaml").read_text("utf-8"))
    wanted = [fault for fault in faults if not asked.ids or fault["id"] in asked.ids]
    with ThreadPoolExecutor(asked.jobs) as pool:
        running = [(fault["id"], pool.submit(survives, fault, asked.at, whole=asked.whole)) for fault in wanted]
        for name, result in running:
            sys.stdout.write(f"{name}: {result.result()}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
