"""rossi as the experiment that it was: rearrest within 52 weeks by financial aid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lifelines.datasets import load_rossi
from scipy import stats

import toolkit as tk

if TYPE_CHECKING:
    import pandas as pd

KNOWN_BEFORE = ["age", "race", "wexp", "mar", "paro", "prio"]


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    frame: pd.DataFrame = load_rossi()
    return frame.assign(aid=frame["fin"].map({0: "none", 1: "aid"}))


def ask(people: pd.DataFrame, **options: Any) -> Any:
    asked: dict[str, Any] = {
        "arm": "aid",
        "control": "none",
        "metrics": {"arrest": "proportion"},
        "balance": KNOWN_BEFORE,
    }
    return tk.evaluate_units(people, **(asked | options))


def test_the_difference_of_proportions(people: pd.DataFrame) -> None:
    """66 of 216 without aid and 48 of 216 with it were arrested again."""
    row = ask(people, test="welch").overall.iloc[0]
    assert (row["control_value"], row["value"]) == pytest.approx((66 / 216, 48 / 216))
    assert row["lift"] == pytest.approx(-18 / 216)
    treated, control = (people.loc[people["aid"] == arm, "arrest"] for arm in ("aid", "none"))
    answer = stats.ttest_ind(treated, control, equal_var=False)
    interval = answer.confidence_interval(0.95)
    assert row["p_value"] == pytest.approx(answer.pvalue)
    assert (row["lower"], row["upper"]) == pytest.approx((interval.low, interval.high))
    assert (round(row["p_value"], 3), round(row["lower"], 3), round(row["upper"], 4)) == (0.050, -0.167, -0.0002)


def test_the_tool_does_not_trust_the_t_test_here(people: pd.DataFrame) -> None:
    """114 arrests are few: 355 x skewness^2 is 405, more than the 216 of an arm, so arms are dealt anew."""
    found = ask(people)
    row = found.overall.iloc[0]
    assert row["test"] == "randomisation"
    # the same draws by the book: how often 216 of 432 hold at most 48, or at least 66, of the 114
    exact = min(1.0, 2 * stats.hypergeom.cdf(48, 432, 114, 216))
    assert row["p_value"] == pytest.approx(exact, abs=4 * (exact * (1 - exact / 2) * 2 / 2_000) ** 0.5)
    assert stats.fisher_exact([[48, 168], [66, 150]]).pvalue == pytest.approx(exact)
    assert row["status"] == "not_known"
    assert row["lower"] == pytest.approx(-0.167, abs=0.005)
    assert 0 <= row["upper"] < 0.01


def test_the_sentence(people: pd.DataFrame) -> None:
    found = ask(people)
    assert {check.code: check.status for check in found.checks} == {
        "sample_ratio": "passed", "balance": "passed", "test": "informational",
    }  # fmt: skip
    first = found.verdict[0]
    assert first.code == "overall"
    assert first.text.startswith(
        "Whether aid changes arrest is not known: 22.2 % against 30.6 % with none, -8.3 percentage points (95 %"
    )
    assert not any(word in first.text for word in ("no effect", "does not change", "lowered"))
    assert "intention to treat" in found.verdict[-1].text
