"""Ids leave as pseudonyms: keyed, stable, apart, and with a key that does not travel."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.errors import ArgumentError, RunError
from toolkit.report.pseudonyms import Pseudonyms, pseudonymised

if TYPE_CHECKING:
    from pathlib import Path

KEY = "0123456789abcdef" * 4


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "home")}


def test_a_pseudonym_is_the_head_of_hmac_sha256() -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    bits = int.from_bytes(hmac.new(KEY.encode(), "张三".encode(), hashlib.sha256).digest()) >> (256 - 60)
    expected = "p_" + "".join(alphabet[(bits >> (55 - 5 * place)) & 31] for place in range(12))
    assert Pseudonyms(KEY.encode()).of(pd.Series(["张三"])).tolist() == [expected]


@examples(dev=30, ci=100)
@example(ids=["", "\x00", "a", "a\x00b"])
@given(ids=st.lists(st.none() | st.text(max_size=8)))
def test_same_person_same_pseudonym_and_missing_stays_missing(ids: list[str | None]) -> None:
    people = pd.Series(ids, name="customer_id", dtype=object)
    names = Pseudonyms.demo().of(people)
    assert names.isna().tolist() == people.isna().tolist()
    pairs = set(zip(people.dropna(), names.dropna(), strict=True))
    assert len(pairs) == len(set(people.dropna())) == len(set(names.dropna()))


def test_every_way_to_hold_text_gives_the_same_names() -> None:
    for dtype in ("object", "string[python]", "string[pyarrow]", "category"):
        people = pd.Series(["C2", None, "C1"], index=[5, 3, 5], name="customer_id").astype(dtype)
        names = Pseudonyms.demo().of(people)
        assert names.tolist() == ["p_gy47enb4vpus", None, "p_dpo7oqzkj5bl"], dtype
        assert names.index.tolist() == [5, 3, 5]
        assert names.name == "customer_id"


def test_another_key_gives_other_names() -> None:
    people = pd.Series(["C1", "C2"])
    assert not set(Pseudonyms.demo().of(people)) & set(Pseudonyms(KEY.encode()).of(people))


def test_ids_that_are_numbers_are_refused_without_showing_them() -> None:
    with pytest.raises(ArgumentError, match="id-not-text") as refusal:
        Pseudonyms.demo().of(pd.Series([13800138000], name="customer_id"))
    assert "13800138000" not in str(refusal.value)


def test_two_ids_that_meet_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.report.pseudonyms._PSEUDONYM_CHARACTERS", 1)
    with pytest.raises(RunError, match="pseudonyms-meet"):
        Pseudonyms.demo().of(pd.Series([str(number) for number in range(100)]))


def test_the_key_comes_from_the_variable_first(home: dict[str, str]) -> None:
    pseudonyms = Pseudonyms.open(environment={"TOOLKIT_KEY": KEY, **home})
    assert (pseudonyms.key, pseudonyms.place, pseudonyms.created) == (KEY.encode(), "TOOLKIT_KEY", False)
    assert KEY not in repr(pseudonyms)


def test_a_short_key_is_refused(home: dict[str, str]) -> None:
    with pytest.raises(ArgumentError, match="key-too-short"):
        Pseudonyms.open(environment={"TOOLKIT_KEY": "secret"})


def test_the_key_file_is_made_once_for_its_owner_only(home: dict[str, str], tmp_path: Path) -> None:
    first = Pseudonyms.open(environment=home)
    place = tmp_path / "home" / "toolkit" / "key"
    assert (first.place, first.created) == (str(place), True)
    assert place.stat().st_mode & 0o777 == 0o600
    assert list(place.parent.iterdir()) == [place]
    second = Pseudonyms.open(environment=home)
    assert (second.key, second.created) == (first.key, False)
    assert len(first.key) == 64


def test_runs_that_start_at_once_share_one_key(home: dict[str, str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: Pseudonyms.open(environment=home), range(16)))
    assert len({pseudonyms.key for pseudonyms in opened}) == 1
    assert sum(pseudonyms.created for pseudonyms in opened) == 1


def test_without_a_configuration_folder_the_key_is_in_the_home(tmp_path: Path) -> None:
    code = "from toolkit.report.pseudonyms import Pseudonyms; print(Pseudonyms.open().place)"
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": "relative/is/ignored", "PATH": os.environ["PATH"]}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(tmp_path / ".config" / "toolkit" / "key")


def test_a_key_inside_a_folder_that_travels_is_refused_and_not_made(home: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"key-inside-project.*Try: .*XDG_CONFIG_HOME"):
        Pseudonyms.open(outside=[tmp_path / "elsewhere", tmp_path], environment=home)
    assert not (tmp_path / "home").exists()


def test_a_link_into_the_project_is_inside_the_project(home: dict[str, str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "home").symlink_to(project)
    with pytest.raises(RunError, match="key-inside-project"):
        Pseudonyms.open(outside=[project], environment=home)


def test_a_key_that_others_may_read_is_refused(home: dict[str, str], tmp_path: Path) -> None:
    Pseudonyms.open(environment=home)
    (tmp_path / "home" / "toolkit" / "key").chmod(0o640)
    with pytest.raises(RunError, match=r"key-readable.*Try: chmod 600"):
        Pseudonyms.open(environment=home)


def test_ids_are_found_in_columns_levels_and_headers() -> None:
    people = pd.MultiIndex.from_tuples([("Ann", 1), ("Bob", 2)], names=["customer_id", "rank"])
    frame = pd.DataFrame({"referred_by": ["Bob", None], "spend": [1.0, 2.0]}, index=people)
    shown = pseudonymised(frame, Pseudonyms.demo())
    for text in (shown.to_csv(), shown.T.to_csv(), pseudonymised(frame.T, Pseudonyms.demo()).to_csv()):
        assert "Ann" not in text
    assert "Bob" not in shown.to_csv()
    assert shown.index.get_level_values("customer_id")[1] == shown["referred_by"].iloc[0]
    assert shown.index.get_level_values("rank").tolist() == [1, 2]
    assert frame.index.tolist() == [("Ann", 1), ("Bob", 2)]


def test_ids_cannot_leave_without_pseudonyms() -> None:
    with pytest.raises(ArgumentError, match="ids-leave"):
        pseudonymised(pd.DataFrame({"customer_id": ["Ann"]}), None)
