"""Words: every key in both languages, and figures as people read them."""

from __future__ import annotations

import math
import re
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.errors import ArgumentError
from toolkit.report.labels import LABELS, SEGMENT_ACTIONS, SEGMENT_TRAITS, SEGMENT_WORDS, SENTENCES
from toolkit.report.words import Language, Words, words
from toolkit.schema import FATES, PROSPECT, SEGMENTS, SNAPSHOT

TABLES = (LABELS, SEGMENT_ACTIONS, SEGMENT_TRAITS, SEGMENT_WORDS, SENTENCES)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_word_stands_in_both_languages() -> None:
    for table in TABLES:
        for key, (zh, en) in table.items():
            assert CHINESE.search(zh), key
            assert en, key
            assert not CHINESE.search(en), key


def test_a_sentence_has_the_same_figures_in_both_languages() -> None:
    for key, (zh, en) in SENTENCES.items():
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), key


@pytest.mark.parametrize("language", get_args(Language))
def test_columns_fates_and_segments_all_have_a_name(language: Language) -> None:
    w = words(language)
    assert all(w.label(column.name) for column in SNAPSHOT)
    assert all(w.label(fate) for fate in FATES)
    names = [w.segment(key) for key in (*SEGMENTS, PROSPECT)]
    assert len(set(names)) == 9
    assert all(w.describe(key) and w.action(key) for key in (*SEGMENTS, PROSPECT))


def test_chinese_names_are_those_of_the_field() -> None:
    w = words("zh")
    assert [w.segment(key) for key in SEGMENTS] == [
        "重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留",
    ]  # fmt: skip
    assert [w.label(fate) for fate in FATES] == ["已用", "退款", "重复", "取消", "排除", "隔离", "之后"]


def test_an_unknown_word_names_the_nearest() -> None:
    with pytest.raises(ArgumentError, match="Try: 'champions'"):
        words("en").segment("champion")
    with pytest.raises(ArgumentError, match="no language 'fr'"):
        Words("fr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "en", "zh"),
    [
        (0, "¥0", "¥0"),
        (99.5, "¥99.50", "¥99.50"),
        (-1_234.4, "-¥1,234", "-¥1,234"),
        (9_996, "¥9,996", "¥9,996"),
        (9_999.7, "¥10.0k", "¥1.00万"),
        (71_234, "¥71.2k", "¥7.12万"),
        (999_960, "¥1.00M", "¥100.0万"),
        (1_234_000, "¥1.23M", "¥123.4万"),
        (99_999_999, "¥100M", "¥1.00亿"),
        (1_234_567_890, "¥1.23B", "¥12.3亿"),
        (math.nan, "–", "–"),
    ],
)
def test_money(value: float, en: str, zh: str) -> None:
    assert words("en").money(value, "CNY") == en
    assert words("zh").money(value, "CNY") == zh


def test_dates() -> None:
    assert words("zh").date("2026-01-05") == "2026年1月5日"
    assert words("en").date("2026-01-05") == "5 January 2026"


@given(st.floats(0, 1))
def test_a_percentage_never_hides_something_or_its_absence(share: float) -> None:
    text = words("en").percent(share)
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)


@given(st.floats(-1e12, 1e12))
def test_numbers_stay_within_one_percent_of_the_truth(value: float) -> None:
    shown = float(words("en").number(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.006)


@given(st.floats(100, 1e12), st.sampled_from(get_args(Language)))
def test_money_stays_within_one_percent_of_the_truth(value: float, language: Language) -> None:
    text = words(language).money(value, "EUR")
    units = {"k": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8}
    shown = float(text.strip("€kMB万亿").replace(",", "")) * units.get(text[-1], 1)
    assert shown == pytest.approx(value, rel=0.006)
