"""Words: every key in both languages, and figures as people read them."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.data.seasons import SEASONS
from toolkit.data.sql import blocks
from toolkit.data.vocabulary import SURVEY_WORDS
from toolkit.errors import ArgumentError
from toolkit.report import words_clusters, words_experiment, words_moves, words_tiers, words_trial
from toolkit.report.labels import ACTS, LABELS, SEGMENT_ACTIONS, SEGMENT_TRAITS, SEGMENT_WORDS
from toolkit.report.sentences import SENTENCES
from toolkit.report.words import Language, Words, words
from toolkit.schema import FATES, PROSPECT, SEGMENTS, SNAPSHOT
from toolkit.study import EventKind
from toolkit.tables import TABLES

PARTS = (words_clusters, words_experiment, words_moves, words_tiers, words_trial)
WORDS = (
    ACTS, LABELS, SEGMENT_ACTIONS, SEGMENT_TRAITS, SEGMENT_WORDS, SENTENCES, words_tiers.SCHEMES, words_tiers.TIERS,
    *(part.LABELS for part in PARTS), *(part.SENTENCES for part in PARTS),
)  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_word_stands_in_both_languages() -> None:
    for table in WORDS:
        for key, (zh, en) in table.items():
            assert CHINESE.search(zh), key
            assert en, key
            assert not CHINESE.search(en), key


def test_a_sentence_has_the_same_figures_in_both_languages() -> None:
    for key, (zh, en) in [pair for table in (SENTENCES, *(part.SENTENCES for part in PARTS)) for pair in table.items()]:
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en)), key


@pytest.mark.parametrize("language", get_args(Language))
def test_columns_fates_and_segments_all_have_a_name(language: Language) -> None:
    w = words(language)
    assert all(w.label(column.name) for column in SNAPSHOT)
    assert all(w.label(fate) for fate in FATES)
    assert all(w.label(column.name) for table in TABLES.values() for column in table.columns)
    assert all(w.label(f"table_{table}") for table in TABLES)
    assert all(w.label(season) for season in SEASONS)
    names = [w.segment(key) for key in (*SEGMENTS, PROSPECT)]
    assert len(set(names)) == 9
    assert all(w.describe(key) and w.action(key) for key in (*SEGMENTS, PROSPECT))


def test_every_kind_of_act_that_the_gate_or_the_timeline_names_has_a_name() -> None:
    told = set(
        re.findall(r"(?:THEN|ELSE|'kind':|COALESCE\(kind,) '([a-z_]+)'", "".join(blocks("timeline.sql").values()))
    )
    told |= set(re.findall(r"'([a-z_]+)' AS kind", "".join(blocks("timeline.sql").values())))
    assert {"order", "refund", "order_undone", "joined", "assigned", "sent", "opened", "membership_ended"} <= told
    assert told | set(get_args(EventKind)) | set(SURVEY_WORDS) <= set(ACTS)


def test_an_act_that_only_the_business_knows_keeps_its_own_name() -> None:
    assert words("en").act("抽奖 <b>") == "抽奖 <b>"


@pytest.mark.parametrize(
    ("first", "last", "en", "zh"),
    [
        ("2026-11-01", "2026-11-11", "1–11 November 2026", "2026年11月1日至11日"),
        ("2026-02-16", "2026-03-03", "16 February – 3 March 2026", "2026年2月16日至3月3日"),
        ("2026-12-28", "2027-01-03", "28 December 2026 – 3 January 2027", "2026年12月28日至2027年1月3日"),
        ("2026-11-11", "2026-11-11", "11 November 2026", "2026年11月11日"),
        ("2025-11-30", "2026-11-01", "30 November 2025 – 1 November 2026", "2025年11月30日至2026年11月1日"),
    ],
)
def test_spans_of_days(first: str, last: str, en: str, zh: str) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    assert words("en").span(*days) == en
    assert words("zh").span(*days) == zh


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
