"""Published data sets stand beside the project; without them these tests are skipped."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import toolkit as tk

HERE = Path(__file__).resolve().parent
OF_A_COURSE = ["code_module", "code_presentation"]


@pytest.fixture(scope="session")
def datasets() -> Path:
    folder = HERE.parents[2] / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip("no folder shared/datasets beside the project: published figures are not reproduced here")
    return folder


@pytest.fixture(scope="session")
def cdnow(datasets: Path) -> tk.Study:
    return tk.Study.open(HERE / "cdnow.yaml")


@pytest.fixture(scope="session")
def online_retail(datasets: Path) -> tk.Study:
    return tk.Study.open(HERE / "online_retail.yaml")


@pytest.fixture(scope="session")
def registrations(datasets: Path) -> pd.DataFrame:
    """Return every registration of the Open University's, with the length of its course."""
    folder = datasets / "oulad"
    courses = pd.read_parquet(folder / "course.parquet")
    found = pd.read_parquet(folder / "student_registration.parquet")
    return found.merge(courses, on=OF_A_COURSE, validate="many_to_one")
