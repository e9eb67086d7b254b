"""Published data sets stand beside the project; without them these tests are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def datasets() -> Path:
    folder = HERE.parents[2] / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("no folder shared/datasets beside the project: published figures are not reproduced here")
    return folder


@pytest.fixture(scope="session")
def study_files(datasets: Path) -> Path:
    return HERE
