"""Words: every key in both languages, and figures as people read them."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from datetime import date
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.profiles import examples
from toolkit.data.seasons import SEASONS
from toolkit.data.vocabulary import SURVEY_WORDS
from toolkit.errors import ArgumentError
from toolkit.report import (
    words_clusters,
    words_experiment,
    words_models,
    words_moves,
    words_risk,
    words_tiers,
    words_trial,
    words_value,
)
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
ALIKE = (
    words_risk.LABELS, words_risk.SENTENCES, words_value.LABELS, words_value.SENTENCES, words_models.CHECKS,
    words_models.SERVED, words_models.FORMS,
)  # fmt: skip
"""Of these some Chinese words are only signs."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_word_stands_in_both_languages_with_the_same_figures() -> None:
    for table in (*WORDS, *ALIKE):
        for key, (zh, en) in table.items():
            assert CHINESE.search(zh) or table in ALIKE, key
            assert en, key
            assert not CHINESE.search(en), key
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


def test_every_kind_of_act_has_a_name() -> None:
    told = {
        "order", "refund", "order_undone", "joined", "assigned", "sent", "not_delivered", "opened", "opted_out",
        "membership_started", "membership_ended", "membership_cancelled", "event", "answer",
    }  # fmt: skip
    assert told | set(get_args(EventKind)) | set(SURVEY_WORDS) <= set(ACTS)


def test_an_act_that_only_the_business_knows_keeps_its_own_name() -> None:
    assert words("en").act("抽奖 <b>") == "抽奖 <b>"


def test_days_and_spans_of_days() -> None:
    spans = {
        ("2026-11-01", "2026-11-11"): ("2026年11月1日至11日", "1–11 November 2026"),
        ("2026-02-16", "2026-03-03"): ("2026年2月16日至3月3日", "16 February – 3 March 2026"),
        ("2026-12-28", "2027-01-03"): ("2026年12月28日至2027年1月3日", "28 December 2026 – 3 January 2027"),
        ("2026-11-11", "2026-11-11"): ("2026年11月11日", "11 November 2026"),
        ("2025-11-30", "2026-11-01"): ("2025年11月30日至2026年11月1日", "30 November 2025 – 1 November 2026"),
    }
    days = {(first, last): (date.fromisoformat(first), date.fromisoformat(last)) for first, last in spans}
    assert {key: (words("zh").span(*span), words("en").span(*span)) for key, span in days.items()} == spans
    assert words("zh").date("2026-01-05") == "2026年1月5日"
    assert words("en").date("2026-01-05") == "5 January 2026"


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


def test_money() -> None:
    written = {
        0: ("¥0", "¥0"),
        99.5: ("¥99.50", "¥99.50"),
        -1_234.4: ("-¥1,234", "-¥1,234"),
        9_996: ("¥9,996", "¥9,996"),
        9_999.7: ("¥10.0k", "¥1.00万"),
        71_234: ("¥71.2k", "¥7.12万"),
        999_960: ("¥1.00M", "¥100.0万"),
        1_234_000: ("¥1.23M", "¥123.4万"),
        99_999_999: ("¥100M", "¥1.00亿"),
        1_234_567_890: ("¥1.23B", "¥12.3亿"),
    }
    found = {value: (words("en").money(value, "CNY"), words("zh").money(value, "CNY")) for value in written}
    assert found == written
    assert {words(language).money(math.nan, "CNY") for language in get_args(Language)} == {"–"}


@examples(dev=25, ci=100)
@given(st.floats(0, 1))
def test_a_percentage_never_hides_something_or_its_absence(share: float) -> None:
    text = words("en").percent(share)
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)


@examples(dev=25, ci=100)
@given(st.floats(-1e12, 1e12))
def test_numbers_stay_within_one_percent_of_the_truth(value: float) -> None:
    shown = float(words("en").number(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.006)


@examples(dev=25, ci=100)
@given(st.floats(100, 1e12), st.sampled_from(get_args(Language)))
def test_money_stays_within_one_percent_of_the_truth(value: float, language: Language) -> None:
    text = words(language).money(value, "EUR")
    units = {"k": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8}
    shown = float(text.strip("€kMB万亿").replace(",", "")) * units.get(text[-1], 1)
    assert shown == pytest.approx(value, rel=0.006)


def test_the_words_need_no_drawing_library() -> None:
    code = "import sys, toolkit.report.words; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
