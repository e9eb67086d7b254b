"""Pictures and tables of tiers, portraits and stages: shares and names, colours by value, what is few, little data."""

from __future__ import annotations

import re
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import toolkit as tk
from tests.builders.pictures import (
    AS_OF,
    LANGUAGES,
    bars,
    demo,
    draw,
    framed,
    portrait,
    stages,
    texts,
    tiered,
    title,
)
from toolkit.report import portrait_page, portrait_tables, stage_tables, tiering
from toolkit.report.page import Page
from toolkit.report.plots_stages import stage_bars
from toolkit.report.plots_tiers import index_dots, scheme_grid, tier_colours
from toolkit.report.small_cells import Mark
from toolkit.schema import SEGMENTS
from toolkit.segments.scheme_summary import scheme_summary

pytestmark = [pytest.mark.usefixtures("closed"), pytest.mark.xdist_group("pictures")]
FRAME = framed(min_cell=10)


# schemes


def grid(**classes: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({name: pd.Categorical(values, ordered=True) for name, values in classes.items()})
    return table.assign(window_spend=1.0)


def test_the_summary_holds_everybody_once_per_scheme() -> None:
    table = scheme_summary(tiered(), ["segment", "stage", "need"])
    whole = table.groupby(level="scheme")[["customers", "share_of_customers", "share_of_spend"]].sum()
    assert (whole["customers"] == len(tiered())).all()
    assert np.allclose(whole.drop(columns="customers"), 1)
    assert table["spend"].groupby(level="scheme").sum().to_numpy() == pytest.approx(tiered()["window_spend"].sum())


@pytest.mark.fault(134)
def test_a_class_that_would_tell_a_hidden_one_is_hidden_too() -> None:
    """Three of fine are hidden with the next smallest; broad is made of whole classes of fine, one of them hidden."""
    fine = ["a"] * 3 + ["b"] * 40 + ["c"] * 60 + ["d"] * 90
    broad = ["x"] * 43 + ["y"] * 60 + ["z"] * 90
    torn = ["p"] * 100 + ["q"] * 93
    table = tiering.schemes(grid(fine=fine, broad=broad, torn=torn), ["fine", "broad", "torn"], frame=FRAME)
    hidden = {key for key, count in table["customers"].items() if isinstance(count, Mark)}
    assert hidden == {("fine", "a"), ("fine", "b"), ("broad", "x")}
    assert isinstance(table["spend"]["broad", "x"], Mark)
    whole = tiering.schemes(grid(fine=fine, broad=broad), ["fine", "broad"], frame=framed())
    assert whole["customers"].to_dict()["broad", "x"] == 43


def test_the_grid_names_schemes_and_classes_as_wide_as_their_shares() -> None:
    for language in LANGUAGES:
        words = framed(language).words
        ax = draw("scheme_grid", language)
        said = "\n".join(texts(ax))
        for scheme, tier in (("segment", "champions"), ("purchase_habit", "frequent"), ("contribution", "ordinary")):
            assert words.scheme(scheme) in said
            assert words.tier(scheme, tier) in said.replace("\n", " ")
        assert words.tier("contribution", "super_fan") in title(ax)
    two = scheme_grid(tiering.schemes(grid(fine=["a"] * 20 + ["b"] * 60), ["fine"], frame=FRAME), frame=FRAME)
    assert [bar.get_width() for bar in bars(two)] == pytest.approx([0.25, 0.75, 0.25, 0.75])


def test_colours_go_from_dark_to_pale_and_types_keep_their_own() -> None:
    shades = [mpl.colors.to_rgb(colour) for colour in tier_colours("stage", list("abcde")).values()]
    light = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in shades]
    assert light == sorted(light)
    assert len(set(tier_colours("segment", list(SEGMENTS)).values())) == 8


# portraits


def test_dots_say_the_surest_trait_and_leave_out_what_few_have() -> None:
    def people(**counts: int) -> Any:
        rows = [name.split("_") for name, count in counts.items() for _ in range(count)]
        snap = pd.DataFrame(rows, columns=["segment", "gender"])
        return tk.portrait(snap.assign(segment=pd.Categorical(snap["segment"], SEGMENTS, ordered=True)))

    ax = index_dots(people(champions_f=90, champions_m=30, lost_m=150, lost_f=9), "gender", frame=FRAME)
    assert title(ax).startswith("Champions: f 2.11 ")
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 3
    low, high = ax.get_xlim()
    assert low < 100 < high
    alike = index_dots(people(champions_f=50, champions_m=50, lost_m=50, lost_f=50), "gender", frame=FRAME)
    assert "no tier is surely unlike" in title(alike)


def test_hours_say_when() -> None:
    for language in LANGUAGES:
        assert "21:00" in title(draw("hours", language))
        told = title(draw("tier_hours", language))
        assert "L" in told
        assert {"7", "2.5"} <= set(re.findall(r"\d+(?:\.\d+)?", told.replace(":00", "")))


def test_a_tiers_hours_are_compared_only_where_acts_are_due() -> None:
    table = portrait_tables.tiers_by_hour(portrait(), frame=FRAME)
    assert table.shape[1] == 24
    acts = portrait().hours.groupby(level="tier")["acts"].sum()
    quiet = acts.index[acts < 24]
    assert table.loc[table.index.isin(quiet)].isna().all(axis=None)
    assert table.loc[str(acts.idxmax())].notna().any()
    assert portrait_tables.by_hour(portrait().hours, frame=FRAME).sum(axis="columns").to_numpy() == pytest.approx(1)


def test_tables_of_a_portrait_name_every_tier() -> None:
    for language in LANGUAGES:
        frame = framed(language, 10)
        traits = portrait_tables.traits_table(portrait(), frame=frame)
        habits = portrait_tables.habits_table(portrait(), frame=frame)
        for table in (traits, habits, portrait_tables.measures_table(portrait(), frame=frame)):
            assert table.index.name == "segment"
            assert list(table.index) == list(portrait().customers.index)
            assert "nan" not in table.to_string().lower()
        assert frame.words.label("membership_state") in traits.to_string()


# stages


def test_the_picture_of_stages_counts_customers_and_hides_few() -> None:
    assert ("dormancy", "wake_rate") in stage_tables.hidden_figures(stages(), frame=FRAME)
    for language in LANGUAGES:
        frame = framed(language, 10)
        said = "\n".join(texts(draw("stage_bars", language, 10)))
        for stage, count in stages().customers.items():
            assert frame.words.tier("stage", str(stage)) in said
            assert frame.count(count) in said
        assert frame.words.say("fewer", n="10") in said
    assert framed().words.say("fewer", n="10") not in "\n".join(texts(stage_bars(stages(), frame=framed())))


@pytest.mark.fault(134)
def test_few_people_are_hidden_in_the_table_of_stages() -> None:
    open_table = stage_tables.stage_table(stages(), frame=framed())
    table = stage_tables.stage_table(stages(), frame=FRAME)
    assert not open_table["value"].map(lambda value: isinstance(value, Mark)).any()
    few_rows = 0
    for shown, known in zip(table.to_dict("records"), open_table.to_dict("records"), strict=True):
        counted = re.fullmatch(r"([\d,]+) of ([\d,]+)", known["count_of"])
        if counted and "%" in known["value"]:
            hits, of = (int(text.replace(",", "")) for text in counted.groups())
            if any(0 < n < 10 for n in (hits, of, of - hits)):
                few_rows += 1
                assert isinstance(shown["value"], Mark)
                assert shown["interval"] == ""
    assert few_rows


@pytest.mark.fault(134)
def test_channels_of_few_buyers_keep_their_secret() -> None:
    table = stage_tables.channels_table(stages(), frame=FRAME)
    counts = stages().channels
    few = [name for name in counts.index if 0 < counts["joined"][name] - counts["converted"][name] < 10]
    assert few, "the demo should hold such a channel"
    assert all(isinstance(table["converted"][name], Mark) for name in few)
    assert "without a control" in repr(stage_tables.channel_advice(stages(), frame=FRAME))


# pages


@pytest.mark.usefixtures("own_notebook")
def test_a_page_writes_tiers_by_their_names() -> None:
    page = Page(demo(), AS_OF, "zh")
    table = pd.DataFrame(
        {"need": ["price", None], "customers": [3, 4]}, index=pd.Index(["maturity", "loss"], name="stage")
    )
    shown = repr(page.table(table, counts="customers"))
    for name in ("生命周期阶段", "成熟期", "流失期", "需求维度", "价格敏感"):
        assert name in shown
    total = pd.DataFrame({"customers": [3, 3]}, index=pd.Index(["maturity", "total"], name="stage"))
    assert "合计" in repr(page.table(total, counts="customers", total="total"))


@pytest.mark.usefixtures("published")
def test_a_study_of_orders_alone_has_a_page() -> None:
    days = [f"2026-0{month}-1{day}" for month in range(1, 7) for day in range(10)]
    orders = pd.DataFrame(
        {"customer_id": [f"C{n % 23}" for n in range(60)], "ordered_at": days, "amount": range(1, 61)}
    )
    study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    page = Page(study, "2026-06-30", "en")
    tiers, people = tiering.tiers_at(study, page.as_of)
    table = tiering.schemes(people, tiers.schemes_, frame=page.frame)
    assert repr(page.table(tiering.named(table, frame=page.frame)))
    assert "Product layer" in repr(tiering.left_out(tiers, frame=page.frame))
    assert title(scheme_grid(table, frame=page.frame))
    of_orders = tk.stage_figures(study, "2026-06-30")
    assert "table of events" in repr(stage_tables.why_missing(of_orders, frame=page.frame))
    assert stage_tables.channels(of_orders, page) is None
    assert "cannot be compared" in repr(stage_tables.channel_advice(of_orders, frame=page.frame))
    told = tk.portrait(people, study=study)
    parts: list[Any] = [
        portrait_page.traits(told, page), portrait_page.attribute(told, page), portrait_page.habits(told, page),
        portrait_page.contents_by_hour(told, page), portrait_page.types_by_hour(told, page),
    ]  # fmt: skip
    assert [type(part).__name__ for part in parts] == ["Note", "NoneType", "Note", "Note", "NoneType"]
