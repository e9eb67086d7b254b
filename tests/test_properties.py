"""What may not matter changes no answer: rows of later days, order of rows, cut into files, ids, unit of money."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.exports import ANCHORS, Exports, drawn, later_rows
from tests.builders.profiles import several
from toolkit.data.measures import Measure
from toolkit.errors import ToolkitError
from toolkit.risk.landmarks import training_episodes
from toolkit.risk.tracking import track
from toolkit.segments.history import compare_hysteresis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.builders.made_up import Row

BEFORE, AS_OF = "2026-03-31", "2026-06-30"
MONTHS = ("2026-04-30", "2026-05-31", AS_OF)
LANDMARKS = ("2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31")
RULES = {
    "purchase_habit": {"frequent": "window_order_days >= 2", "occasional": "window_order_days == 1",
                       "potential": "window_order_days == 0"},
    "value_class": {"high": "window_spend > of_buyers(0.5)", "low": "else"},
}  # fmt: skip
TRIAL = tk.Experiment.parse(
    {
        "experiment": "E1", "question": "Does it help?", "arms": {"old": 0.5, "new": 0.5}, "control": "old",
        "tier": "segment", "assigned": {"first": "2026-05-01", "last": "2026-05-06"}, "window_days": 28,
        "primary": "active", "smallest_effect": 0.2, "covariate": {"days": 60},
        "metrics": {"active": {"kind": "proportion", "of": "active_days"}, "spend": {"kind": "mean", "of": "spend"}},
        "guardrails": {"opt_outs": {"kind": "proportion", "of": "opt_outs", "margin": 0.05, "worse": "higher"}},
    }
)  # fmt: skip
MEASURES = {
    **{name: Measure(name) for name in ("spend", "orders", "active_days", "messages", "opt_outs")},
    "lessons": Measure("events", ("lesson_start", "lesson_complete")),
}  # fmt: skip


# every answer


def _rows(study: tk.Study) -> dict[str, Any]:
    book, quarantine = study.ledger_at(AS_OF), study.quarantine(AS_OF).drop(columns=["file", "row"])
    return {
        "ledger": book[book["fate"] != "later"].reset_index(drop=True),
        "calendar": study.calendar(AS_OF),
        "quarantine": quarantine.sort_values(list(quarantine.columns)).reset_index(drop=True),
        "checks": tuple(map(str, study.checks(AS_OF))),
    }


def _scores(study: tk.Study) -> dict[str, Any]:
    snap = study.snapshot(AS_OF)
    now = tk.RFM().fit_transform(snap)
    before = tk.RFM().fit(study.snapshot(BEFORE)).transform(snap)
    return {
        "snapshot": snap,
        "scores": now,
        "by the mean": tk.RFM(split="mean").fit_transform(snap),
        "with earlier cuts": before,
        "summary": tk.segment_summary(now),
        "gap": (tk.core_gap(now), tk.core_gap(before)),
    }


def _outcomes(study: tk.Study) -> Any:
    assigned = study.assignments("E1", AS_OF)
    starts = assigned.drop_duplicates("customer_id").set_index("customer_id")["assigned_at"]
    return assigned, study.outcomes(starts, AS_OF, MEASURES), study.outcomes(starts, AS_OF, MEASURES, first_day=-90)


def _tiers(study: tk.Study) -> dict[str, Any]:
    tiers = tk.Tiers(study).fit(study.snapshot(BEFORE))
    snap = study.snapshot(AS_OF, cuts_at=BEFORE)
    tiered = tiers.transform(snap)
    return {
        "cuts": (tiers.cut_points_, tiers.schemes_, tiers.left_out_, tiers.rfm_.splits_),
        "tiered": tiered,
        "tiered anew": tk.Tiers(study).fit_transform(study.snapshot(AS_OF)),
        "shifted": tiers.shifted(0.2).transform(snap),
        "explained": {who: tiers.explain(tiered, who) for who in tiered.index[:: max(1, len(tiered) // 4)]},
        "compared": tk.compare(tiers, RULES, snap),
    }


def _moves(study: tk.Study) -> dict[str, Any]:
    then = study.snapshot(BEFORE)
    tiers = tk.Tiers(study).fit(then)
    return {by: tk.migrate(study, BEFORE, AS_OF, by=by, tiers=tiers) for by in ("segment", "value_class", "layer")} | {
        "stored": tk.migrate(study, BEFORE, AS_OF, by="stage", stored=then)
    }


def _portrait(study: tk.Study) -> Any:
    told = tk.portrait(tk.Tiers(study).fit_transform(study.snapshot(AS_OF)), by="stage", study=study)
    return told, told.traits()


def _clusters(study: tk.Study) -> dict[str, Any]:
    snap = study.snapshot(AS_OF)
    earlier = tk.Clusters(k=2, n_init=3).fit(study.snapshot(BEFORE))
    now = tk.Clusters(k=3, n_init=3).fit(snap, previous=earlier)
    names = ("labels_", "choice_", "stability_", "rules_", "profile_", "steps_", "features_", "checks_")
    return {name: getattr(now, name) for name in names} | {
        "predicted then": earlier.predict(snap), "predicted": now.predict(snap),
    }  # fmt: skip


def _churn(study: tk.Study) -> dict[str, Any]:
    snap, episodes = study.snapshot(AS_OF), study.episodes(LANDMARKS, AS_OF)
    kinds: tuple[Any, ...] = ("cox", "weibull")
    models = {kind: tk.ChurnModel(kind=kind).fit(episodes) for kind in kinds}
    buyer = snap.index[snap["order_days"] > 0][0]
    return {"episodes": episodes} | {
        f"{kind}, {name}": answer
        for kind, model in models.items()
        for name, answer in {
            "risk": model.risk(snap, horizons=(7, 30)),
            "drivers": model.drivers(),
            "coef": model.coef_,
            "served": (model.served_, model.checks_, model.n_episodes_, model.n_events_, model.features_),
            "explained": model.explain(snap, buyer),
        }.items()
    }


def _value(study: tk.Study) -> dict[str, Any]:
    snap = study.snapshot(AS_OF)
    orders, spend = tk.BetaGeo().fit(snap), tk.GammaGamma().fit(snap)
    return {
        "params": (orders.params_, spend.params_, orders.served_, spend.served_, orders.checks_, spend.checks_),
        "value": tk.customer_value(snap, orders, spend, days=30),
    }


def _tracking(study: tk.Study) -> pd.DataFrame:
    return track(study, tk.BetaGeo().fit(study.snapshot("2026-04-30")), AS_OF, every_weeks=8)


def _backtest(study: tk.Study) -> Any:
    return tk.backtest(study, tk.ChurnModel(), origins=["2026-05-20"], horizon=21, as_of=AS_OF, tiers=tk.RFM())


CALLS: dict[str, dict[str, Callable[[tk.Study], Any]]] = {
    "data": {
        "rows": _rows,
        "scores": _scores,
        "outcomes": _outcomes,
        "members": lambda study: study.episodes(LANDMARKS, AS_OF, ["spend"], outcome="end"),
        "reach": lambda study: study.episodes(LANDMARKS, AS_OF, ["spend"], outcome="lost_reach"),
    },
    "segments": {
        "tiers": _tiers,
        "moves": _moves,
        "history": lambda study: tk.tier_history(study, MONTHS, band=0.1, minimum_stay=2),
        "hysteresis": lambda study: compare_hysteresis(study, MONTHS, bands=(0, 0.2), stays=(1, 2)),
        "accounting": lambda study: tk.growth_accounting(study, "M", as_of=AS_OF),
        "accounting of quarters": lambda study: tk.growth_accounting(study, [BEFORE, AS_OF]),
        "retention": lambda study: tk.cohort_retention(study, AS_OF),
        "of joiners": lambda study: tk.cohort_retention(study, AS_OF, cohort="joined", act="event", unit="week"),
        "of members": lambda study: tk.cohort_retention(study, AS_OF, cohort="membership", act="membership"),
        "portrait": _portrait,
        "stages": lambda study: tk.stage_figures(study, AS_OF),
        "clusters": _clusters,
    },
    "risk": {
        "training": lambda study: training_episodes(study, AS_OF, 30, columns=["spend"]),
        "churn": _churn,
        "value": _value,
        "tracking": _tracking,
        "clock": lambda study: tk.churn_clock(study, AS_OF, horizon=30),
        "clock of types": lambda study: tk.churn_clock(study, AS_OF, horizon=30, tiers=tk.RFM()),
        "curves": lambda study: tk.survival_curves(study.episodes(["2026-04-30"], AS_OF)),
        "back-test": _backtest,
    },
    "strategy": {
        "plan": lambda study: tk.plan_experiment(study, TRIAL, tiers=tk.RFM(), as_of=AS_OF, simulations=20),
        "evaluation": lambda study: tk.evaluate(
            study, TRIAL, as_of=AS_OF, draws=200, despite=("sample_ratio",)
        ),
    },
}  # fmt: skip
"""Room -> what is asked of a study."""


def answers(study: tk.Study, room: str) -> dict[str, Any]:
    """Ask a study everything, part by part; what it refuses is answered by the refusal."""
    found: dict[str, Any] = {}
    for name, call in CALLS[room].items():
        try:
            answer = call(study)
        except ToolkitError as refusal:
            found[name] = f"refused: {refusal}"
        else:
            whole = is_dataclass(answer) or not parts_of(answer)
            found |= {name: answer} if whole else {f"{name}, {part}": one for part, one in parts_of(answer).items()}
    return found


def parts_of(answer: Any) -> dict[Any, Any]:
    """Return what an answer is made of; nothing where it is a frame, a figure or a text."""
    if is_dataclass(answer) and not isinstance(answer, type):
        return {field.name: getattr(answer, field.name) for field in fields(answer)}
    return dict(enumerate(answer)) if isinstance(answer, tuple) else answer if isinstance(answer, dict) else {}


def text_of(answer: Any) -> str:
    """Write every frame, figure and sentence of an answer so that each digit, type and missing value shows."""
    if isinstance(answer, pd.DataFrame | pd.Series):
        frame = answer.to_frame() if isinstance(answer, pd.Series) else answer
        return f"{answer.attrs}\n{frame.dtypes.to_dict()}\n{frame.to_csv(na_rep='<NA>')}"
    if is_dataclass(answer):
        said = {name: getattr(answer, name) for name in ("sentence", "verdict") if hasattr(answer, name)}
        parts = {name: part for name, part in (parts_of(answer) | said).items() if not callable(part)}
        return f"{text_of(parts)}\n{answer!r}"
    if parts := parts_of(answer):
        return "\n".join(f"{name}: {text_of(part)}" for name, part in parts.items())
    return repr(answer)


def frames_of(answer: Any, name: str) -> dict[str, pd.DataFrame]:
    """Return every frame of an answer, with its index as columns."""
    if isinstance(answer, pd.DataFrame | pd.Series):
        frame = answer.to_frame() if isinstance(answer, pd.Series) else answer
        return {name: frame if frame.index.names == [None] else frame.reset_index()}
    parts = parts_of(answer).items()
    return {key: frame for part, one in parts for key, frame in frames_of(one, f"{name}, {part}").items()}


# what may not matter


def with_later_rows(exports: Exports, rng: np.random.Generator) -> Exports:
    """Mix in rows of later days, and let memberships be cancelled later."""
    tables = dict(exports.tables)
    for name in ANCHORS:
        tables[name] = list(tables[name])
        for row in later_rows(rng, name, tables[name][0]):
            tables[name].insert(int(rng.integers(len(tables[name]) + 1)), row)
    cancelled = itertools.cycle(("2026-07-01", "", "2027-01-01"))
    tables["memberships"] = [
        row | {"cancelled_at": next(cancelled)}
        if row["cancelled_at"] == "" and row["ends_at"] in ("", "9999-12-31", "2026-12-31")
        else row
        for row in tables["memberships"]
    ]
    return exports.changed(**tables)


def shuffled(exports: Exports, rng: np.random.Generator) -> Exports:
    return exports.changed(
        **{name: [rows[place] for place in rng.permutation(len(rows))] for name, rows in exports.tables.items()}
    )


def cut_up(exports: Exports, rng: np.random.Generator) -> Exports:
    return replace(exports, parts=int(rng.integers(2, 5)))


SILENT = {"later rows": with_later_rows, "order of rows": shuffled, "cut into files": cut_up}
"""What may change no byte."""


def renamed(exports: Exports, rng: np.random.Generator) -> tuple[Exports, dict[str, str]]:
    """Give every customer another name; in the same order where ids are linked, for the least one stands for all."""
    cells = {row.get(key, "") for rows in exports.tables.values() for row in rows for key in IDS}
    old = sorted({cell.strip() for cell in cells} - {"", "staff", "nobody"})
    new = ["!", "00", "10", "9", "Z", "c1", "~", *(f"甲{n:03d}" for n in range(len(old)))][: len(old)]
    names = dict(
        zip(old, sorted(new) if "identities" in exports.tables else rng.permutation(new).tolist(), strict=True)
    )

    def rename(row: Row) -> Row:
        return row | {
            key: row[key].replace(row[key].strip(), names.get(row[key].strip(), row[key].strip()))
            for key in IDS
            if row.get(key, "").strip()
        }

    return exports.with_rows(rename), names


def in_unit(exports: Exports, unit: str) -> Exports:
    """Give every amount of money in so many units."""

    def change(row: Row) -> Row:
        return row | {key: re.sub(r"[\d.,]+", partial(_times, unit), row[key]) for key in MONEY if row.get(key)}

    return exports.with_rows(change)


def _times(unit: str, number: re.Match[str]) -> str:
    return f"{Decimal(number[0].replace(',', '')) * Decimal(unit):f}"


IDS = ("customer_id", "referred_by", "id_value")
MONEY = ("amount", "list_price", "offer_price", "value")
UNITS = ("0.01", "100", "7.3")
MONEY_COLUMN = re.compile(
    "(^|(?<!of)(?<!without)_)(spend|money|cost|mean_order_value|last_order_value|max_price|refund_amount|"
    "expected_value)(?!_(index|share))"
)
BOUND = re.compile("quarantine|checks|cuts|coef|explained|gap|numbers|params|stages, table|steps_")
"""Answers that are of this unit or these ids."""


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
    """Return the names of the answers whose text differs."""
    return {name for name, answer in one.items() if text_of(answer) != text_of(other[name])}


def translated(frame: pd.DataFrame, names: Mapping[str, str], unit: str) -> pd.DataFrame:
    """Return a frame as it would be with other ids, sorted by them, and with money in so many units."""
    found = frame[frame["metric"] != "spend"] if "metric" in frame else frame
    found = found.drop(columns=["rule", "power_simulated", "simulation_error"], errors="ignore")
    found.columns = pd.Index(map(str, found.columns))
    for column in found.columns:
        if found[column].dtype == object or isinstance(found[column].dtype, pd.CategoricalDtype | pd.StringDtype):
            cells = found[column].astype(object)
            found[column] = cells.map(lambda cell: names.get(cell, cell) if isinstance(cell, str) else cell)
        if MONEY_COLUMN.search(column):
            found[column] = found[column].map(
                lambda money: money * (Decimal(unit) if isinstance(money, Decimal) else float(unit))
            )
        elif "measure" in found and column not in ("tier", "measure"):
            scaled = found[column].map(lambda money: money * Decimal(unit))
            found[column] = found[column].where(found["measure"] != "spend", scaled)
    keys = [column for column in found.columns if found[column].dtype != float]
    return found.sort_values(keys, key=lambda cells: cells.astype(str)) if "customer_id" in keys else found


def same(one: Mapping[str, Any], other: Mapping[str, Any], names: Mapping[str, str], unit: str) -> None:
    """Demand that the frames of answers differ in nothing but ids and the unit of money."""
    for name, answer in one.items():
        found = frames_of(other[name], name)
        for part, frame in frames_of(answer, name).items():
            if not BOUND.search(part):
                pd.testing.assert_frame_equal(
                    translated(found[part], {}, "1").reset_index(drop=True),
                    translated(frame, names, unit).reset_index(drop=True),
                    check_dtype=False, rtol=1e-6, atol=1e-9, obj=part,
                )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What one business answers."""

    room: str
    seed: int
    exports: Exports
    answers: dict[str, Any]

    def again(self, exports: Exports, folder: Path) -> dict[str, Any]:
        return answers(exports.opened(folder), self.room)


COUNTS = {"data": several(3, 48), "segments": several(1, 8), "risk": several(1, 6), "strategy": several(1, 6)}
STARTS = {"data": 0, "segments": 1, "risk": 2, "strategy": 5}
"""Room -> its first seed; Parquet, seeds 3, 7, 11 .., costs eight times as much as the other sources: ci only."""
EXAMPLES = [
    pytest.param((room, start + seed), id=f"{room}-{start + seed}", marks=pytest.mark.xdist_group(f"{room}-{seed}"))
    for room, start in STARTS.items()
    for seed in range(COUNTS[room])
]


@pytest.fixture(scope="module", params=EXAMPLES)
def asked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Asked:
    room, seed = request.param
    exports = drawn(seed)
    return Asked(room, seed, exports, answers(exports.opened(tmp_path_factory.mktemp("asked") / "one"), room))


def test_rows_of_later_days_their_order_and_files_change_no_byte(asked: Asked, tmp_path: Path) -> None:
    """All at once; where something differs, each alone, to say which does it."""
    other, rng = asked.exports, np.random.default_rng(asked.seed)
    for change in SILENT.values():
        other = change(other, rng)
    found = differing(asked.answers, asked.again(other, tmp_path / "all"))
    guilty = {
        name: differing(asked.answers, asked.again(change(asked.exports, rng), tmp_path / name))
        for name, change in SILENT.items()
        if found
    }
    assert not found, guilty


def test_ids_and_the_unit_of_money_change_no_answer(asked: Asked, tmp_path: Path) -> None:
    unit = UNITS[asked.seed % len(UNITS)]
    other, names = renamed(in_unit(asked.exports, unit), np.random.default_rng(asked.seed))
    same(asked.answers, asked.again(other, tmp_path / "other"), names, unit)


def test_every_answer_answers_and_earlier_rows_change_it(asked: Asked, tmp_path: Path) -> None:
    """So that the two above can fail."""
    if asked.seed != STARTS[asked.room]:
        return
    order = ANCHORS["orders"][0]
    days = [f"2026-0{month}-1{n % 9}" for n in range(0, 40, 3) for month in (2, 4, 5, 6)]
    more = asked.exports.more(
        orders=[
            *(order | {"customer_id": f"B{place // 4 * 3:02d}", "ordered_at": day, "amount": "900", "product_id": "K1",
                       "order_id": f"M{place}"}
              for place, day in enumerate(days)),
            order | {"amount": "abc"},
        ],
        customers=[ANCHORS["customers"][0] | {"customer_id": "B99"}],
        events=[ANCHORS["events"][0] | {"customer_id": "B08", "occurred_at": "2026-06-20"}],
        contacts=[ANCHORS["contacts"][0] | {"customer_id": "B07", "sent_at": "2026-06-02", "opted_out": "1"}],
        memberships=[ANCHORS["memberships"][0] | {"customer_id": "B08", "starts_at": "2026-02-01"}],
        assignments=[ANCHORS["assignments"][0] | {"customer_id": "C0"}],
    )  # fmt: skip
    assert {name: answer for name, answer in asked.answers.items() if str(answer).startswith("refused")} == {}
    found = differing(asked.answers, asked.again(more, tmp_path / "more"))
    assert set(asked.answers) - found - {"clusters, features_"} == set()


def test_a_change_that_matters_is_found(tmp_path: Path) -> None:
    """Every change against an answer that does depend on it."""
    exports, rng = drawn(1), np.random.default_rng(1)
    study = exports.opened(tmp_path / "one")
    depends: dict[str, Callable[[tk.Study], Any]] = {
        "later rows": lambda study: study.ledger_at("2026-07-31"),
        "order of rows": lambda study: study.quarantine(AS_OF)["row"],
        "cut into files": lambda study: len(study.input_hashes()),
    }
    for name, call in depends.items():
        other = SILENT[name](exports, rng).opened(tmp_path / name)
        assert text_of(call(study)) != text_of(call(other)), name
    apart, names = renamed(exports, rng)
    one, found = (of.snapshot(AS_OF, ["spend"]) for of in (study, apart.opened(tmp_path / "names")))
    same({"spend": one}, {"spend": found}, names, "1")
    for wrong in (found * 2, found.set_axis(found.index[::-1]).rename_axis("customer_id"), found.iloc[1:]):
        with pytest.raises(AssertionError):
            same({"spend": one}, {"spend": wrong}, names, "1")
    found = in_unit(exports, "100").opened(tmp_path / "unit").snapshot(AS_OF, ["spend"])
    same({"spend": one}, {"spend": found}, {}, "100")
    with pytest.raises(AssertionError):
        same({"spend": one > 50}, {"spend": found > 50}, {}, "100")
