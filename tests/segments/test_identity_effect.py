"""What joining ids does to the eight types, worked by hand and on the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

import toolkit as tk
from toolkit.errors import ArgumentError, InputError
from toolkit.schema import PROSPECT, SEGMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.segments.identity_effect import IdentityEffect

AS_OF = "2026-02-28"
STATED: dict[str, Any] = {"timezone": "Asia/Shanghai", "currency": "CNY"}
LINKED = pd.DataFrame({"customer_id": ["C1"], "id_kind": ["external_userid"], "id_value": ["wm1"]})


def orders(*lines: tuple[str, str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(lines), columns=["customer_id", "ordered_at", "amount"])


def cells(table: pd.DataFrame, row: str, *columns: str) -> list[Any]:
    return [table[column].to_dict()[row] for column in columns]


# Apart: recencies 54, 8, 27, 49 (median 38), order days 1, 1, 1, 1, spend 60, 50, 80, 10 (median 55).
# Joined: recencies 8, 27, 49 (median 27), order days 2, 1, 1 (median 1), spend 110, 80, 10 (median 80).
LINES = orders(("C1", "2026-01-05", 60), ("wm1", "2026-02-20", 50), ("C2", "2026-02-01", 80), ("C3", "2026-01-10", 10))


@pytest.fixture(scope="module")
def joined() -> IdentityEffect:
    return tk.identity_effect(tk.Study.from_frames(LINES, identities=LINKED, **STATED), AS_OF)


@pytest.mark.fault(40)
def test_two_ids_of_one_person_make_a_champion_of_two_lesser_customers(joined: IdentityEffect) -> None:
    assert (joined.ids, joined.people, joined.moved, joined.moved_by_cuts) == (4, 3, 2, 1)
    assert {name: tuple(row) for name, row in joined.segments.T.to_dict("list").items()} == {
        "champions": (0, 0, 0, 1, 1, 0.0, 110.0),
        "big_occasional": (1, 0, 1, 0, 0, 80.0, 0.0),
        "slipping_big": (1, 0, 1, 0, 0, 60.0, 0.0),
        "newcomers": (1, 1, 0, 0, 0, 50.0, 0.0),
        "lost": (1, 0, 0, 1, 2, 10.0, 90.0),
        "total": (4, 1, 2, 2, 3, 200.0, 200.0),
    }
    columns = "customers_apart absorbed left entered customers_joined spend_apart spend_joined"
    assert list(joined.segments.columns) == columns.split()
    assert joined.moves.loc["slipping_big", "champions"] == joined.moves.loc["big_occasional", "lost"] == 1
    assert joined.moves.loc["lost", "lost"] == 1
    assert joined.moves.to_numpy().sum() == joined.people
    assert [check.status for check in joined.checks] == ["passed"]
    assert joined.sentence.startswith("4 ids are 3 people on 2026-02-28; 2 of them stand in another segment")
    assert joined.sentence.endswith("spend is 200.00, apart and joined.")
    for shown in (repr(joined), joined._repr_html_()):
        assert joined.sentence in shown
        assert "champions" in shown
        assert not {"C1", "wm1"} & set(shown.replace("<", " ").replace(">", " ").split())


def test_who_was_only_known_by_another_id_comes_from_nowhere() -> None:
    study = tk.Study.from_frames(LINES[LINES["customer_id"] != "C1"], identities=LINKED, **STATED)
    effect = tk.identity_effect(study, AS_OF)
    assert (effect.ids, effect.people, effect.moved) == (3, 3, 0)
    assert effect.moves.loc["unseen"].sum() == 1
    assert cells(effect.segments, "total", "absorbed", "left", "entered") == [1, 0, 1]


def test_a_prospect_whose_other_id_bought_is_none_any_more() -> None:
    people = pd.DataFrame({"customer_id": ["C1"], "joined_at": ["2026-01-01"]})
    study = tk.Study.from_frames(LINES[LINES["customer_id"] != "C1"], people, identities=LINKED, **STATED)
    effect = tk.identity_effect(study, AS_OF)
    assert cells(effect.segments, PROSPECT, "customers_apart", "left", "customers_joined") == [1, 1, 0]
    assert effect.moved == 1


def test_cuts_are_learned_on_the_study_s_cut_date() -> None:
    late = orders(("C1", "2026-03-20", 500), ("C2", "2026-03-21", 500))
    given = {"identities": LINKED, **STATED}
    fixed = tk.Study.from_frames(pd.concat([LINES, late]), cuts={"learned_at": AS_OF}, **given)
    snap = fixed.snapshot("2026-03-31")
    expected = tk.RFM().fit(fixed.snapshot(AS_OF)).transform(snap)["segment"].value_counts()
    found = tk.identity_effect(fixed, "2026-03-31").segments["customers_joined"].drop("total")
    assert found[found > 0].to_dict() == expected[expected > 0].to_dict()


@pytest.mark.fault(51)
def test_later_rows_change_nothing(joined: IdentityEffect) -> None:
    later = orders(("C3", "2026-03-01", 9_999), ("wm1", "2026-03-02", 1), ("new", "2026-03-03", 7))
    other = tk.identity_effect(tk.Study.from_frames(pd.concat([LINES, later]), identities=LINKED, **STATED), AS_OF)
    pd.testing.assert_frame_equal(joined.segments, other.segments)
    pd.testing.assert_frame_equal(joined.moves, other.moves)


def test_without_identities_there_is_nothing_to_compare() -> None:
    with pytest.raises(ArgumentError, match=r"E-no-identities: .* Try: tables: \{identities:"):
        tk.identity_effect(tk.Study.from_frames(LINES, **STATED), AS_OF)


@pytest.fixture
def overlapping(tmp_path: Path) -> Path:
    (tmp_path / "identities.csv").write_text("customer_id,id_kind,id_value\nC1,openid,wm1\n", encoding="utf-8")
    tables = "tables:\n  orders: {files: 'orders_*.csv'}\n  identities: {files: identities.csv}\n"
    text = f"name: shop\ntimezone: Asia/Shanghai\ncurrency: CNY\n{tables}"
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def _write(folder: Path, header: str, first: str, second: str) -> Path:
    for n, row in enumerate((first, second), 1):
        (folder / f"orders_{n}.csv").write_text(f"{header}\n{row}\nC2,2026-02-0{n},3,B{n}\n", encoding="utf-8")
    return folder / "study.yaml"


def test_an_order_that_two_files_give_to_two_ids_cannot_be_taken_apart(overlapping: Path) -> None:
    path = _write(overlapping, "customer_id,ordered_at,amount,order_id", "C1,2026-01-05,10,A", "wm1,2026-01-05,10,A")
    with pytest.raises(InputError, match=r"E-identities-needed .*\(files-disagree\)"):
        tk.identity_effect(tk.Study.open(path), AS_OF)


def test_money_that_is_not_the_same_apart_is_told(overlapping: Path) -> None:
    path = _write(overlapping, "customer_id,ordered_at,amount,note", "C1,2026-01-05,10,", "wm1,2026-01-05,10,")
    effect = tk.identity_effect(tk.Study.open(path), AS_OF)
    assert [(check.code, check.status) for check in effect.checks] == [("money_conserved", "failed")]
    assert cells(effect.segments, "total", "spend_apart", "spend_joined") == [26.0, 16.0]
    assert "spend is 26.00 apart and 16.00 joined" in effect.checks[0].message


def test_on_the_demo_people_and_money_add_up() -> None:
    study = tk.Study.demo(customers=400, seed=3)
    effect = tk.identity_effect(study, "2026-10-31")
    joined, apart = study.snapshot("2026-10-31"), study.apart().snapshot("2026-10-31")
    assert (effect.ids, effect.people) == (len(apart), len(joined))
    assert effect.ids > effect.people
    table = effect.segments
    bridged = table["customers_apart"] - table["absorbed"] - table["left"] + table["entered"]
    assert bridged.tolist() == table["customers_joined"].tolist()
    assert table.drop("total").sum().round(4).tolist() == table.T["total"].round(4).tolist()
    assert set(table.index) <= {*SEGMENTS, PROSPECT, "total"}
    joined_people = table["customers_joined"].drop("total")
    assert dict(effect.moves.sum()) == dict(joined_people[joined_people > 0])
    assert effect.checks[0].status == "passed"
    assert 0 <= effect.moved_by_cuts <= effect.moved
