"""The experiment file is read strictly: what it refuses, on which line, and what changes its hash."""

from __future__ import annotations

import itertools
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import toolkit as tk
from toolkit.data.measures import Measure
from toolkit.errors import StudyFileError
from toolkit.strategy.experiment import Experiment

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
experiment: coupon
question: Does a coupon bring people back?
arms: {none: 0.4, mail: 0.3, call: 0.3}
control: none
tier: stage
assigned: {first: 2026-09-01, last: 2026-09-07}
window_days: 28
primary: bought
metrics:
  bought: {kind: proportion, of: orders}
  spend: {kind: mean, of: spend}
  basket: {kind: ratio, of: spend, per: orders}
  still_here: {kind: retention, of: active_days, days: [21, 28]}
  lessons: {kind: mean, of: {events: [lesson_complete, lesson_start]}}
guardrails:
  opted_out: {kind: proportion, of: opt_outs, margin: 0.01, worse: higher}
smallest_effect: 0.02
covariate: {days: 90}
profit: {of: spend, margin: 0.6, offer_cost: {mail: 2, call: 5}}
campaigns: {mail: [autumn_mail], call: autumn_call}
"""
END = GOOD.count("\n") + 1
SHA256 = "1e6beac5f61af5af335e8cd434e605cd2f700afbd427668a000d36da32847a7c"


def opened(folder: Path, text: str) -> Experiment:
    path = folder / "coupon.yaml"
    path.write_text(text, "utf-8")
    return Experiment.open(path)


def refused(folder: Path, text: str) -> StudyFileError:
    with pytest.raises(StudyFileError, match=r"^E-[a-z-]+ coupon\.yaml(:\d+)?: .+[.?] Try: .+") as caught:
        opened(folder, text)
    return caught.value


def changed(old: str, new: str) -> str:
    assert GOOD.count(old) >= 1, old
    return GOOD.replace(old, new, 1)


def test_what_it_says_is_what_is_read(tmp_path: Path) -> None:
    spec = opened(tmp_path, GOOD)
    assert spec.arms == {"none": 0.4, "mail": 0.3, "call": 0.3}
    assert (spec.assigned.first, spec.assigned.last) == (date(2026, 9, 1), date(2026, 9, 7))
    assert spec.closes_on == date(2026, 10, 5)
    assert spec.metrics["basket"].per == Measure("orders")
    assert spec.metrics["lessons"].of == Measure("events", ("lesson_complete", "lesson_start"))
    assert spec.metrics["still_here"].days == (21, 28)
    assert (spec.guardrails["opted_out"].margin, spec.guardrails["opted_out"].worse) == (0.01, "higher")
    assert spec.campaigns == {"mail": ("autumn_mail",), "call": ("autumn_call",)}


def test_what_is_not_said_takes_its_default(tmp_path: Path) -> None:
    spec = opened(tmp_path, GOOD)
    assert (spec.unit, spec.cluster, spec.alpha, spec.power, spec.holdout, spec.capacity, spec.salt) == (
        "customer",
        None,
        0.05,
        0.8,
        0.0,
        None,
        "",
    )


def test_a_tier_has_its_own_shares_or_those_of_all(tmp_path: Path) -> None:
    spec = opened(
        tmp_path,
        GOOD + "shares_by_tier: {new: {none: 0.9, mail: 0.05, call: 0.05}, '3': {none: 0.8, mail: 0.1, call: 0.1}}\n",
    )
    assert spec.shares("new")["none"] == 0.9
    assert spec.shares(3)["none"] == 0.8
    assert spec.shares("old") == {"none": 0.4, "mail": 0.3, "call": 0.3}


@pytest.mark.parametrize(
    ("old", "new", "line", "nearest"),
    [
        ("control:", "contrl:", 4, "control"),
        ("window_days:", "window_day:", 7, "window_days"),
        ("last: 2026-09-07", "lasst: 2026-09-07", 6, "last"),
        ("per: orders", "pre: orders", 12, "per"),
        ("worse: higher", "wors: higher", 16, "worse"),
        ("guardrails:", "gaurdrails:", 15, "guardrails"),
        ("covariate: {days", "covariate: {day", 18, "days"),
        ("margin: 0.6", "magin: 0.6", 19, "margin"),
    ],
)
def test_an_unknown_key_stops_on_its_line_with_the_nearest(
    tmp_path: Path, old: str, new: str, line: int, nearest: str
) -> None:
    message = str(refused(tmp_path, changed(old, new)))
    assert message.startswith(f"E-experiment-key coupon.yaml:{line}:"), message
    assert f"did you mean '{nearest}'?" in message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD + "control: none\n", END),
        (changed("call: 0.3}", "call: 0.3, call: 0.3}"), 3),
        (changed("  spend: {kind", "  bought: {kind"), 11),
        (changed("{kind: mean, of: spend}", "{kind: mean, of: spend, of: orders}"), 11),
    ],
)
def test_a_key_given_twice_stops_on_the_second(tmp_path: Path, text: str, line: int) -> None:
    message = str(refused(tmp_path, text))
    assert f"coupon.yaml:{line}:" in message
    assert "is given twice" in message


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("call: 0.3}", "call: 0.4}", 3, "shares add up to 1.1 and not to 1"),
        ("call: 0.3}", "call: 0.299999}", 3, "and not to 1"),
        ("call: 0.3}", "call: 0.0}", 3, "greater than 0"),
        ("{none: 0.4, mail: 0.3, call: 0.3}", "{none: 1}", 3, "less than 1"),
        ("{none: 0.4, mail: 0.3, call: 0.3}", "[none, mail]", 3, "arms"),
        ("mail: 0.3", "mail: '0.3'", 3, "valid number"),
        ("mail: 0.3", "mail: .nan", 3, "finite number"),
        ("mail: 0.3", "no: 0.3", 3, "write it in quotes"),
        ("mail: 0.3", "2: 0.3", 3, "write it in quotes"),
        ("mail: 0.3", "'': 0.3", 3, "write it in quotes"),
        ("mail: 0.3", "holdout: 0.3", 3, "write holdout: 0.1"),
        ("control: none", "control: non", 4, "did you mean 'none'?"),
        ("control: none", "control: no", 4, "control"),
        ("tier: stage", "tier: ''", 5, "tier"),
        ("first: 2026-09-01", "first: 2026-09-08", 6, "ends before it starts"),
        ("first: 2026-09-01", "first: 01/09/2026", 6, "write it as 2026-08-23"),
        ("first: 2026-09-01", "first: 2026-09-31", 6, ""),
        ("first: 2026-09-01", "first: 20001", 6, "write it as 2026-08-23"),
        ("first: 2026-09-01", "first: 2026-09-01 10:00", 6, "write it as 2026-08-23"),
        (", last: 2026-09-07", "", 6, "key 'last' is required"),
        ("window_days: 28", "window_days: 28.5", 7, "window_days"),
        ("window_days: 28", "window_days: 0", 7, "window_days"),
        ("window_days: 28", "window_days: true", 7, "window_days"),
        ("window_days: 28", "window_days: 27", 13, "days [21, 28] end after the window of 27 days"),
        ("primary: bought", "primary: bougt", 8, "did you mean 'bought'?"),
        ("primary: bought", "primary: opted_out", 8, "is no metric"),
        ("kind: mean, of: spend", "kind: median, of: spend", 11, "metrics.spend.kind"),
        ("kind: mean, of: spend", "kind: mean, of: spent", 11, "did you mean 'spend'?"),
        ("kind: mean, of: spend", "kind: mean, of: 7", 11, "is no measure"),
        ("kind: mean, of: spend", "kind: mean, of: events", 11, "events"),
        ("kind: mean, of: spend", "kind: mean, of: {events: lesson}", 11, "is no measure"),
        ("kind: mean, of: spend", "kind: mean, of: {evnts: [lesson]}", 11, "did you mean 'events'?"),
        ("kind: mean, of: spend", "kind: mean", 11, "key 'of' is required"),
        ("kind: mean, of: spend", "kind: mean, of: spend, per: orders", 11, "goes with kind: ratio"),
        (", per: orders", "", 12, "goes with kind: ratio"),
        (", days: [21, 28]", "", 13, "goes with kind: retention"),
        ("days: [21, 28]", "days: [28, 21]", 13, "do not rise"),
        ("days: [21, 28]", "days: [-1, 28]", 13, "do not rise"),
        ("days: [21, 28]", "days: [21]", 13, "days"),
        ("days: [21, 28]", "days: [yes, 28]", 13, "days"),
        ("  opted_out: {kind", "  bought: {kind", 16, "give one another name"),
        ("margin: 0.01", "margin: 0", 16, "margin"),
        ("margin: 0.01, ", "", 16, "key 'margin' is required"),
        ("worse: higher", "worse: up", 16, "worse"),
        ("smallest_effect: 0.02", "smallest_effect: 2%", 17, "smallest_effect"),
        ("smallest_effect: 0.02", "smallest_effect: yes", 17, "smallest_effect"),
        ("smallest_effect: 0.02", "smallest_effect: .inf", 17, "smallest_effect"),
        ("smallest_effect: 0.02", "smallest_effect: 0", 17, "smallest_effect"),
        ("covariate: {days: 90}", "covariate: 90", 18, "covariate"),
        ("covariate: {days: 90}", "covariate: {days: 0}", 18, "covariate.days"),
        ("of: spend, margin", "of: bought, margin", 19, "no metric of kind mean"),
        ("mail: 2,", "male: 2,", 19, "did you mean 'mail'?"),
        ("mail: 2,", "mail: -2,", 19, "offer_cost"),
        ("margin: 0.6", "margin: 60", 19, "margin"),
        ("mail: [autumn_mail]", "mial: [autumn_mail]", 20, "did you mean 'mail'?"),
    ],
)  # fmt: skip
def test_a_promise_that_cannot_be_stops_on_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    error = refused(tmp_path, changed(old, new))
    assert says in error.what, error
    if says:
        assert f"coupon.yaml:{line}:" in str(error)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("alpha: 0.5", "alpha"),
        ("power: 0.4", "power"),
        ("power: 80%", "power"),
        ("unit: household", "unit"),
        ("cluster: household", "goes with unit: cluster"),
        ("holdout: 1", "holdout"),
        ("capacity: 0", "capacity"),
        ("capacity: true", "capacity"),
        ("capacity: 10.5", "capacity"),
        ("salt: 7", "salt"),
        ("shares_by_tier: {new: {none: 0.9, mail: 0.1, call: 0.1}}", "add up to 1.1"),
        ("shares_by_tier: {new: {none: 0.9, mail: 0.1}}", "must name the arms none, mail, call"),
        ("shares_by_tier: {new: {none: 0.9, mail: 0.05, cal: 0.05}}", "must name the arms none, mail, call"),
    ],
)
def test_an_option_that_cannot_be_stops(tmp_path: Path, line: str, says: str) -> None:
    error = refused(tmp_path, f"{GOOD}{line}\n")
    assert says in error.what, error
    assert f"coupon.yaml:{END}:" in str(error)


@pytest.mark.parametrize("name", ["", "a b", "-a", "é", "x" * 65, "../x"])
def test_an_id_that_could_not_be_a_file_name_stops(tmp_path: Path, name: str) -> None:
    assert "experiment" in refused(tmp_path, changed("experiment: coupon", f"experiment: '{name}'")).what


@pytest.mark.parametrize(
    "key", ["experiment", "arms", "control", "tier", "assigned", "window_days", "primary", "metrics", "smallest_effect"]
)
def test_a_missing_key_stops_and_is_named(key: str) -> None:
    content = yaml.safe_load(GOOD)
    del content[key]
    with pytest.raises(StudyFileError, match=f"key '{key}' is required"):
        Experiment.parse(content)


def test_no_file_and_no_settings_stop(tmp_path: Path) -> None:
    with pytest.raises(StudyFileError, match="no such file"):
        Experiment.open(tmp_path / "nowhere.yaml")
    for text in ("", "- a\n", "{", "\x00"):
        refused(tmp_path, text)


def test_the_hash_is_the_same_however_the_file_is_laid_out(tmp_path: Path) -> None:
    spec = opened(tmp_path, GOOD)
    content = yaml.safe_load(GOOD)

    def turned(value: Any) -> Any:
        return {key: turned(one) for key, one in reversed(value.items())} if isinstance(value, dict) else value

    for text in (
        yaml.safe_dump(turned(content), sort_keys=False),
        yaml.safe_dump(content, default_flow_style=True),
        "# a note\n\n" + GOOD.replace("0.3", "0.30").replace("[autumn_mail]", "autumn_mail"),
        GOOD + "alpha: 0.05\nunit: customer\nholdout: 0\n",
    ):
        assert opened(tmp_path, text).sha256 == spec.sha256
    assert Experiment.parse(content).sha256 == spec.sha256
    assert Experiment.model_validate(spec.model_dump()).sha256 == spec.sha256


def test_the_hash_is_that_of_any_machine() -> None:
    assert Experiment.parse(yaml.safe_load(GOOD)).sha256 == SHA256


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
    found = [Experiment.parse(yaml.safe_load(changed(old, new))).sha256 for old, new in CHANGES]
    found.append(Experiment.parse(yaml.safe_load(GOOD)).sha256)
    for one, other in itertools.combinations(found, 2):
        assert one != other


def test_a_promise_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    spec = opened(tmp_path, GOOD)
    with pytest.raises(ValueError, match="frozen"):
        spec.window_days = 7  # type: ignore[misc]  # that it cannot be is what is tested


def test_the_demo_ships_one() -> None:
    (path,) = tk.Study.demo(customers=500, seed=7).experiments
    spec = tk.Experiment.open(path)
    assert spec.experiment == "checkin_cashback"
    assert {metric.kind for metric in spec.metrics.values()} == {"proportion", "mean", "ratio", "retention"}
