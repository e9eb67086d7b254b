"""What pictures and pages need around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

from toolkit.report.results import TOKEN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def closed() -> Iterator[None]:
    """Close every picture afterwards, and take its look back."""
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture
def own_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in an analyst's notebook, which hides nothing."""
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in the run of a report, which hides small cells."""
    monkeypatch.setenv(TOKEN_VARIABLE, "run")
