"""Cookie Cats: the published rates and p-values, and a sample ratio that is told before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from scipy import stats

import toolkit as tk

if TYPE_CHECKING:
    from pathlib import Path

ARMS: dict[str, Any] = {"arm": "version", "control": "gate_30"}


@pytest.fixture(scope="module")
def players(datasets: Path) -> pd.DataFrame:
    return pd.read_parquet(datasets / "cookie_cats" / "cookie_cats.parquet")


@pytest.fixture(scope="module")
def found(players: pd.DataFrame) -> Any:
    kinds: dict[str, Any] = {"retention_7": "retention", "retention_1": "retention", "sum_gamerounds": "mean"}
    return tk.evaluate_units(players, **ARMS, metrics=kinds)


@pytest.mark.parametrize(
    ("metric", "control", "treated", "p"),
    [("retention_1", 0.4482, 0.4423, 0.074), ("retention_7", 0.1902, 0.1820, 0.0016)],
)
def test_published_rates(found: Any, metric: str, control: float, treated: float, p: float) -> None:
    row = found.overall.set_index("metric").loc[metric]
    assert (round(row["control_value"], 4), round(row["value"], 4)) == (control, treated)
    assert float(f"{row['p_value']:.2g}") == p
    assert row["test"] == "welch"
    assert (row["lower"] > 0 or row["upper"] < 0) == (p < 0.05)


def test_a_file_gives_the_same(found: Any, datasets: Path) -> None:
    path = datasets / "cookie_cats" / "cookie_cats.parquet"
    kinds: dict[str, Any] = {"retention_7": "retention", "retention_1": "retention", "sum_gamerounds": "mean"}
    pd.testing.assert_frame_equal(tk.evaluate_units(path, **ARMS, metrics=kinds).overall, found.overall, rtol=1e-9)


def test_the_sample_ratio_is_amber_and_comes_first(found: Any) -> None:
    assert found.units == 90_189
    assert found.sample_ratio_status == "amber"
    assert round(found.sample_ratio["p_value"].iloc[0], 4) == 0.0086
    assert not found.withheld
    assert found.verdict[0].code == "sample_ratio"
    for shown in (repr(found), found._repr_html_()):
        assert shown.index("sample ratio amber") < shown.index("18.2 %")
    assert found.overall.set_index("metric")["status"].to_dict() == {
        "retention_7": "worse", "retention_1": "not_known", "sum_gamerounds": "not_known",
    }  # fmt: skip


def test_one_player_with_49854_rounds(found: Any, players: pd.DataFrame) -> None:
    """A t-test of rounds is about that one player: arms are dealt anew instead, and the interval is lopsided."""
    assert players["sum_gamerounds"].max() == 49_854
    row = found.overall.set_index("metric").loc["sum_gamerounds"]
    skewness = stats.skew(players["sum_gamerounds"])
    assert 355 * skewness**2 > 44_700
    assert row["test"] == "randomisation"
    assert "sum_gamerounds" in next(check.message for check in found.checks if check.code == "test")
    assert row["p_value"] > 0.05
    assert row["lower"] < 0 < row["upper"]
    assert row["lift"] - row["lower"] == pytest.approx(row["upper"] - row["lift"], rel=0.15)
    # without the player a t-test would do, and the difference is next to nothing
    rest = tk.evaluate_units(players[players["sum_gamerounds"] < 49_854], **ARMS, metrics={"sum_gamerounds": "mean"})
    without = rest.overall.iloc[0]
    assert without["test"] == "welch"
    assert abs(without["lift"]) < 0.1 < abs(row["lift"])
    assert without["se"] < 0.6 * row["se"]
