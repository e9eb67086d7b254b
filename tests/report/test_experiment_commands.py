"""The commands read the experiments of a study before anything long begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from toolkit.__main__ import app

if TYPE_CHECKING:
    from pathlib import Path

SPEC = """
experiment: coupon
arms: {none: 0.5, coupon: 0.5}
control: none
tier: top_layer
assigned: {first: 2026-09-01, last: 2026-09-07}
window_days: 28
primary: bought
metrics: {bought: {kind: proportion, of: orders}}
smallest_effect: 0.02
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\nC1,2026-01-05,10\n")
    (tmp_path / "coupon.yaml").write_text(SPEC)
    path = tmp_path / "study.yaml"
    path.write_text(
        "name: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\ntables: {orders: {files: orders.csv}}\n"
        "experiments: coupon.yaml\n"
    )
    return path


def test_check_names_the_experiments_and_when_they_may_be_read(study: Path) -> None:
    run = CliRunner().invoke(app, ["check", str(study)])
    assert run.exit_code == 0
    assert (
        "experiment: coupon (none, coupon; assigned 2026-09-01 to 2026-09-07, to be read from 2026-10-05)" in run.output
    )


def test_a_wrong_experiment_stops_at_once(study: Path) -> None:
    path = study.with_name("coupon.yaml")
    wrong = {
        SPEC.replace("control: none", "control: nobody"): "coupon.yaml:4: control 'nobody' is no arm",
        SPEC.replace("window_days", "window_day"): "did you mean 'window_days'",
        "": "holds no settings",
    }
    for text, message in wrong.items():
        path.write_text(text)
        run = CliRunner().invoke(app, ["check", str(study)])
        assert run.exit_code == 1
        assert message in run.output
    path.unlink()
    run = CliRunner().invoke(app, ["report", str(study), "--as-of", "2026-02-01"])
    assert run.exit_code == 1
    assert "there is no such file" in run.output
    assert not (study.parent / "reports").exists()
