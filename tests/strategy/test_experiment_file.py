"""What an experiment file says is what is read, and any promise in it changes its hash."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import toolkit as tk
from tests.builders.good_files import EXPERIMENT
from toolkit import Experiment
from toolkit.data.measures import Measure

if TYPE_CHECKING:
    from pathlib import Path

SHA256 = "1e6beac5f61af5af335e8cd434e605cd2f700afbd427668a000d36da32847a7c"


def opened(folder: Path, text: str) -> Experiment:
    path = folder / "coupon.yaml"
    path.write_text(text, "utf-8")
    return Experiment.open(path)


def changed(old: str, new: str) -> str:
    assert EXPERIMENT.count(old) >= 1, old
    return EXPERIMENT.replace(old, new, 1)


def test_what_it_says_is_what_is_read(tmp_path: Path) -> None:
    spec = opened(tmp_path, EXPERIMENT)
    assert spec.arms == {"none": 0.4, "mail": 0.3, "call": 0.3}
    assert (spec.assigned.first, spec.assigned.last) == (date(2026, 9, 1), date(2026, 9, 7))
    assert spec.closes_on == date(2026, 10, 5)
    assert spec.metrics["basket"].per == Measure("orders")
    assert spec.metrics["lessons"].of == Measure("events", ("lesson_complete", "lesson_start"))
    assert spec.metrics["still_here"].days == (21, 28)
    assert (spec.guardrails["opted_out"].margin, spec.guardrails["opted_out"].worse) == (0.01, "higher")
    assert spec.campaigns == {"mail": ("autumn_mail",), "call": ("autumn_call",)}


def test_what_is_not_said_takes_its_default(tmp_path: Path) -> None:
    spec = opened(tmp_path, EXPERIMENT)
    assert (spec.unit, spec.cluster, spec.alpha, spec.power, spec.holdout, spec.capacity, spec.salt) == (
        "customer", None, 0.05, 0.8, 0.0, None, "",
    )  # fmt: skip


def test_a_tier_has_its_own_shares_or_those_of_all(tmp_path: Path) -> None:
    spec = opened(
        tmp_path,
        EXPERIMENT
        + "shares_by_tier: {new: {none: 0.9, mail: 0.05, call: 0.05}, '3': {none: 0.8, mail: 0.1, call: 0.1}}\n",
    )
    assert spec.shares("new")["none"] == 0.9
    assert spec.shares(3)["none"] == 0.8
    assert spec.shares("old") == {"none": 0.4, "mail": 0.3, "call": 0.3}


def test_the_hash_is_the_same_however_the_file_is_laid_out(tmp_path: Path) -> None:
    spec = opened(tmp_path, EXPERIMENT)
    content = yaml.safe_load(EXPERIMENT)

    def turned(value: Any) -> Any:
        return {key: turned(one) for key, one in reversed(value.items())} if isinstance(value, dict) else value

    for text in (
        yaml.safe_dump(turned(content), sort_keys=False),
        yaml.safe_dump(content, default_flow_style=True),
        "# a note\n\n" + EXPERIMENT.replace("0.3", "0.30").replace("[autumn_mail]", "autumn_mail"),
        EXPERIMENT + "alpha: 0.05\nunit: customer\nholdout: 0\n",
    ):
        assert opened(tmp_path, text).sha256 == spec.sha256
    assert Experiment.parse(content).sha256 == spec.sha256
    assert Experiment.model_validate(spec.model_dump()).sha256 == spec.sha256


def test_the_hash_is_that_of_any_machine() -> None:
    assert Experiment.parse(yaml.safe_load(EXPERIMENT)).sha256 == SHA256


CHANGES = (
    ("experiment: coupon", "experiment: coupons"),
    ("question: Does a coupon", "question: Does the coupon"),
    ("{none: 0.4, mail: 0.3,", "{none: 0.3, mail: 0.4,"),
    ("control: none", "control: mail"),
    ("tier: stage", "tier: segment"),
    ("first: 2026-09-01", "first: 2026-09-02"),
    ("last: 2026-09-07", "last: 2026-09-08"),
    ("window_days: 28", "window_days: 29"),
    ("primary: bought", "primary: spend"),
    ("proportion, of: orders", "proportion, of: order_days"),
    ("kind: mean, of: {events", "kind: proportion, of: {events"),
    ("per: orders", "per: order_days"),
    ("days: [21, 28]", "days: [20, 28]"),
    ("lesson_complete, lesson_start", "lesson_complete"),
    ("margin: 0.01", "margin: 0.02"),
    ("worse: higher", "worse: lower"),
    ("smallest_effect: 0.02", "smallest_effect: 0.020001"),
    ("covariate: {days: 90}", "covariate: {days: 91}"),
    ("covariate: {days: 90}", "covariate: {days: 90, of: orders}"),
    ("covariate: {days: 90}\n", ""),
    ("margin: 0.6", "margin: 0.5"),
    ("call: 5", "call: 6"),
    ("[autumn_mail]", "[autumn_mail, winter_mail]"),
    *(("covariate:", f"{line}\ncovariate:") for line in (
        "alpha: 0.01", "power: 0.9", "holdout: 0.1", "capacity: 100", "salt: pepper", "unit: cluster",
        "unit: cluster\ncluster: household", "shares_by_tier: {new: {none: 0.4, mail: 0.3, call: 0.3}}",
    )),
)  # fmt: skip


def test_any_promise_changes_the_hash() -> None:
    found = {("", ""): SHA256} | {
        change: Experiment.parse(yaml.safe_load(changed(*change))).sha256 for change in CHANGES
    }
    assert [change for change, sha in found.items() if list(found.values()).count(sha) > 1] == []


def test_a_promise_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    spec = opened(tmp_path, EXPERIMENT)
    with pytest.raises(ValueError, match="frozen"):
        spec.window_days = 7  # type: ignore[misc]  # that it cannot be is what is tested


def test_the_demo_ships_one() -> None:
    (path,) = tk.Study.demo(customers=500, seed=7).experiments
    spec = tk.Experiment.open(path)
    assert spec.experiment == "checkin_cashback"
    assert {metric.kind for metric in spec.metrics.values()} == {"proportion", "mean", "ratio", "retention"}
