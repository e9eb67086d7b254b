"""Parquet files in batches: the same as frames, however rows are laid out, and no digits lost to large means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit as tk
from tests.builders.ab_units import same
from tests.builders.profiles import examples, several
from toolkit.strategy.moments import CHUNK, Gathering

if TYPE_CHECKING:
    from pathlib import Path

ASKED: dict[str, Any] = {
    "arm": "arm", "control": "none", "tier": "tier", "draws": 99,
    "metrics": {"spend": "mean", "visit": "proportion", "per": ("spend", "orders")},
    "covariates": {"spend": "before", "visit": "before", "per": "before"}, "sample_ratio_by": ["source"],
}  # fmt: skip
TABLES = ("overall", "tiers", "interaction", "sample_ratio")
N = several(12_000, 40_000)


def made_up(n: int, seed: int = 2) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    before = np.exp(rng.normal(1, 1, n))
    frame = pd.DataFrame({
        "customer_id": np.arange(n), "arm": rng.choice(["none", "coupon", "call"], n), "before": before,
        "tier": rng.choice(["new", "old", "top"], n, p=[0.6, 0.3, 0.1]), "spend": before + np.exp(rng.normal(0, 1, n)),
        "visit": rng.random(n) < 0.3, "orders": rng.integers(0, 5, n), "source": rng.choice(["app", "web"], n),
        "note": "not read",
    })  # fmt: skip
    return frame.sort_values("tier", ignore_index=True)  # tiers come one after the other: some batches lack some


def test_a_file_is_its_frame(tmp_path: Path) -> None:
    frame = made_up(N)
    whole = tk.evaluate_units(frame, **ASKED)
    assert {"welch", "randomisation"} == set(whole.tiers["test"])
    for groups in (N // 80, N // 6 + 1, 2 * N):
        path = tmp_path / f"{groups}.parquet"
        frame.to_parquet(path, row_group_size=groups)
        found = tk.evaluate_units(path, **ASKED)
        assert found.units == whole.units == N
        assert found.tier_order == whole.tier_order
        same(found, whole, frames=(*TABLES, "draws"))


def test_groups_from_a_file(tmp_path: Path) -> None:
    frame = made_up(3_000).assign(home=lambda each: each["customer_id"] // 5)
    frame["arm"] = np.array(["none", "coupon", "call"])[frame["home"] % 3]
    frame.to_parquet(tmp_path / "homes.parquet", row_group_size=400)
    asked = ASKED | {"cluster": "home"}
    one, other = tk.evaluate_units(frame, **asked), tk.evaluate_units(tmp_path / "homes.parquet", **asked)
    assert one.units == 600
    same(one, other, frames=TABLES)


def test_dictionaries_that_differ_between_row_groups(tmp_path: Path) -> None:
    frame = made_up(600).drop(columns="note")
    with pq.ParquetWriter(tmp_path / "parts.parquet", pa.Schema.from_pandas(frame)) as writer:
        for part in (frame.iloc[::-1].iloc[:100], frame.iloc[:300], frame.iloc[300:500]):
            writer.write_table(pa.Table.from_pandas(part.reset_index(drop=True), schema=pa.Schema.from_pandas(frame)))
    one, other = tk.evaluate_units(frame, **ASKED), tk.evaluate_units(tmp_path / "parts.parquet", **ASKED)
    same(one, other, frames=TABLES)


def test_categories_keep_their_order_and_their_empty_arms(tmp_path: Path) -> None:
    frame = made_up(900)
    frame = frame[frame["arm"] != "call"]
    frame = frame.assign(
        arm=pd.Categorical(frame["arm"], ["none", "coupon", "call"]),
        tier=pd.Categorical(frame["tier"], ["top", "gone", "new", "old"]),
    )
    frame.to_parquet(tmp_path / "categories.parquet", row_group_size=100)
    for units in (frame, tmp_path / "categories.parquet"):
        found = tk.evaluate_units(units, **ASKED)
        assert (found.arms, found.tier_order) == (("coupon", "call"), ("top", "new", "old"))
        assert found.withheld == ("sample_ratio",)


def test_columns_that_are_not_named_are_not_read(tmp_path: Path) -> None:
    """The bytes of one column are spoiled: whoever reads it, fails."""
    frame = made_up(5_000).assign(note=[f"note {number}" for number in range(5_000)])
    path = tmp_path / "units.parquet"
    frame.drop(columns="customer_id").to_parquet(path, compression="zstd")
    at = pq.ParquetFile(path).metadata.row_group(0)
    column = next(at.column(number) for number in range(at.num_columns) if at.column(number).path_in_schema == "note")
    start = column.dictionary_page_offset or column.data_page_offset
    spoiled = bytearray(path.read_bytes())
    spoiled[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(spoiled)
    with pytest.raises(OSError, match=r".+"):
        pq.read_table(path)
    assert tk.evaluate_units(path, **ASKED).units == 5_000


@examples(6, 25)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 1.0, 1e6, -1e9]),
    st.lists(st.integers(1, 400), min_size=1, max_size=6),
)
def test_moments_are_those_of_two_passes(seed: int, offset: float, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    n = sum(cuts)
    tier, arm = np.sort(rng.integers(0, 3, n)), rng.integers(0, 2, n)
    numbers: dict[str, Any] = {
        "y": offset * (1 + tier) + rng.normal(size=n),
        "b": (rng.random(n) < 0.4) * 1.0,
        "x": rng.exponential(size=n),
    }
    gathering = Gathering(["y", "b", "x"], [[0, 1, 2]], binary=[1])
    start = 0
    for many in cuts:
        rows = slice(start, start + many)
        gathering.add(tier[rows], arm[rows], {name: values[rows] for name, values in numbers.items()})
        start += many
    seen = gathering.seen_tiers()
    found = gathering.finish(seen, [1, 0])
    whole = np.column_stack([numbers[name].astype(np.longdouble) for name in ("y", "b", "x")])
    size = max(1.0, abs(offset) * 1e-6)  # what float64 itself rounds off the values
    for place, code in enumerate(seen):
        mine = whole[tier == code]
        left = mine - mine.mean(axis=0)
        cubes = np.einsum("ni,nj,nk->ijk", left, left, left)
        close(found.pooled_mean[place], mine.mean(axis=0), 1e-14, 0)
        close(found.pooled_second[place], left.T @ left, 1e-9, 1e-8 * size)
        close(found.pooled_third[place], cubes, 1e-8, 1e-7 * size)
        for at, which in enumerate((1, 0)):
            each = whole[(tier == code) & (arm == which)]
            assert found.n[place, at] == len(each)
            if len(each):
                left = each - each.mean(axis=0)
                close(found.mean[place, at], each.mean(axis=0), 1e-13, 0)
                close(found.second[place, at], left.T @ left, 1e-9, 1e-8 * size)


def close(found: Any, known: Any, rtol: float, atol: float) -> None:
    np.testing.assert_allclose(found, known.astype(np.float64), rtol=rtol, atol=atol)


def test_more_units_than_a_chunk() -> None:
    n = 2 * CHUNK + 17
    rng = np.random.default_rng(0)
    y, arm = rng.normal(100, 1, n), rng.integers(0, 2, n)
    gathering = Gathering(["y"], [[0]])
    gathering.add(np.zeros(n, dtype=np.intp), arm, {"y": y})
    found = gathering.finish([0], [0, 1])
    assert found.n.sum() == gathering.units == n
    for which in (0, 1):
        assert found.mean[0, which, 0] == pytest.approx(y[arm == which].mean(), rel=1e-14)
        assert found.second[0, which, 0, 0] == pytest.approx(
            ((y[arm == which] - y[arm == which].mean()) ** 2).sum(), rel=1e-11
        )


def test_large_means_lose_no_digits(tmp_path: Path) -> None:
    frame = made_up(4_000)
    far = frame.assign(spend=frame["spend"] + 1e9, before=frame["before"] - 1e9)
    far.to_parquet(tmp_path / "far.parquet", row_group_size=500)
    asked = ASKED | {"metrics": {"spend": "mean"}, "covariates": {"spend": "before"}, "test": "welch"}
    one, other = tk.evaluate_units(frame, **asked), tk.evaluate_units(tmp_path / "far.parquet", **asked)
    np.testing.assert_allclose(one.tiers["lift"], other.tiers["lift"], atol=1e-6)
    np.testing.assert_allclose(one.tiers["se"], other.tiers["se"], rtol=1e-6)
