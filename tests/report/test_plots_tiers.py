"""Pictures and tables of tiers: they say what was found, speak both languages, and show nothing about few people."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt

import toolkit as tk
from toolkit.report import portrait_page, portrait_tables, stage_tables, tiering
from toolkit.report.frame import Frame
from toolkit.report.look import use_look
from toolkit.report.page import Page
from toolkit.report.plots_stages import hour_heat, stage_bars
from toolkit.report.plots_tiers import index_dots, scheme_grid, tier_colours
from toolkit.report.results import TOKEN_VARIABLE
from toolkit.report.small_cells import Mark
from toolkit.schema import SEGMENTS
from toolkit.segments.scheme_summary import scheme_summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from toolkit.report.words import Language
    from toolkit.segments.portrait import Portrait
    from toolkit.segments.stages import StageFigures

AS_OF = date(2026, 10, 31)
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@pytest.fixture(scope="module")
def demo() -> tk.Study:
    return tk.Study.demo(customers=600, seed=3)


@pytest.fixture(scope="module")
def tiered(demo: tk.Study) -> pd.DataFrame:
    return tiering.tiers_at(demo, AS_OF)[1]


@pytest.fixture(scope="module")
def told(demo: tk.Study, tiered: pd.DataFrame) -> Portrait:
    return tk.portrait(tiered, study=demo)


@pytest.fixture(scope="module")
def stages(demo: tk.Study) -> StageFigures:
    return tk.stage_figures(demo, AS_OF)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def frame(language: Language = "en", min_cell: int = 10) -> Frame:
    return Frame(AS_OF, 365, language, "CNY", min_cell)


def texts(ax: Axes) -> str:
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]  # it has a figure
    return "\n".join(text.get_text() for text in ax.figure.findobj(mpl.text.Text))


def grid(**classes: list[str]) -> pd.DataFrame:
    table = pd.DataFrame({name: pd.Categorical(values, ordered=True) for name, values in classes.items()})
    return table.assign(window_spend=1.0)


def test_the_summary_holds_everybody_once_per_scheme(tiered: pd.DataFrame) -> None:
    table = scheme_summary(tiered, ["segment", "stage", "need"])
    whole = table.groupby(level="scheme")[["customers", "share_of_customers", "share_of_spend"]].sum()
    assert (whole["customers"] == len(tiered)).all()
    assert np.allclose(whole.drop(columns="customers"), 1)
    assert table["spend"].groupby(level="scheme").sum().to_numpy() == pytest.approx(tiered["window_spend"].sum())


def test_a_class_that_would_tell_a_hidden_one_is_hidden_too() -> None:
    """Three of fine are hidden with the next smallest; broad is made of whole classes of fine, one of them hidden."""
    fine = ["a"] * 3 + ["b"] * 40 + ["c"] * 60 + ["d"] * 90
    broad = ["x"] * 43 + ["y"] * 60 + ["z"] * 90
    torn = ["p"] * 100 + ["q"] * 93
    table = tiering.schemes(grid(fine=fine, broad=broad, torn=torn), ["fine", "broad", "torn"], frame=frame())
    hidden = {key for key, count in table["customers"].items() if isinstance(count, Mark)}
    assert hidden == {("fine", "a"), ("fine", "b"), ("broad", "x")}
    assert isinstance(table["spend"]["broad", "x"], Mark)
    whole = tiering.schemes(grid(fine=fine, broad=broad), ["fine", "broad"], frame=frame(min_cell=0))
    assert whole["customers"].to_dict()["broad", "x"] == 43


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_grid_names_schemes_and_classes(tiered: pd.DataFrame, language: Language) -> None:
    use_look(language)
    own = frame(language, 0)
    ax = scheme_grid(tiering.schemes(tiered, ["segment", "purchase_habit", "contribution"], frame=own), frame=own)
    said = texts(ax)
    for scheme, tier in (("segment", "champions"), ("purchase_habit", "frequent"), ("contribution", "ordinary")):
        assert own.words.scheme(scheme) in said
        assert own.words.tier(scheme, tier) in said.replace("\n", " ")
    assert own.words.tier("contribution", "super_fan") in ax.get_title(loc="left")
    assert ax.get_xlim() == (0, 1)


def test_bars_of_a_scheme_are_as_wide_as_its_shares() -> None:
    shown = tiering.schemes(grid(fine=["a"] * 20 + ["b"] * 60), ["fine"], frame=frame())
    ax = scheme_grid(shown, frame=frame())
    widths: list[float] = [bar.get_width() for bar in cast("Any", ax.patches)]
    assert widths == pytest.approx([0.25, 0.75, 0.25, 0.75])


def test_colours_go_from_dark_to_pale_and_types_keep_their_own() -> None:
    shades = [mpl.colors.to_rgb(colour) for colour in tier_colours("stage", list("abcde")).values()]
    light = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in shades]
    assert light == sorted(light)
    assert len(set(tier_colours("segment", list(SEGMENTS)).values())) == 8


def people(*rows: tuple[str, str, int, int]) -> Portrait:
    snap = pd.DataFrame(
        [(tier, value) for tier, value, count, _ in rows for _ in range(count)], columns=["segment", "gender"]
    )
    return tk.portrait(snap.assign(segment=pd.Categorical(snap["segment"], SEGMENTS, ordered=True)))


def test_dots_say_the_surest_trait_and_leave_out_what_few_have() -> None:
    told = people(("champions", "f", 90, 0), ("champions", "m", 30, 0), ("lost", "m", 150, 0), ("lost", "f", 9, 0))
    ax = index_dots(told, "gender", frame=frame())
    assert ax.get_title(loc="left") == "Champions: f 2.11 times as common as overall"
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 3
    low, high = ax.get_xlim()
    assert low < 100 < high
    alike = people(("champions", "f", 50, 0), ("champions", "m", 50, 0), ("lost", "m", 50, 0), ("lost", "f", 50, 0))
    assert "no tier is surely unlike" in index_dots(alike, "gender", frame=frame()).get_title(loc="left")


@pytest.mark.parametrize("language", LANGUAGES)
def test_hours_say_when(language: Language) -> None:
    use_look(language)
    table = pd.DataFrame(0.0, index=["view"], columns=range(24))
    table[21] = 1.0
    assert "21:00" in hour_heat(table, ["V"], index=False, frame=frame(language)).get_title(loc="left")
    index = pd.DataFrame(100.0, index=["champions", "lost"], columns=range(24))
    index.loc["lost", 7] = 250.0
    index.loc["champions", 3] = np.nan
    title = hour_heat(index, ["C", "L"], index=True, frame=frame(language)).get_title(loc="left")
    assert "L" in title
    assert "7:00" in title
    assert "2.5" in title


def test_a_tiers_hours_are_compared_only_where_acts_are_due(told: Portrait) -> None:
    table = portrait_tables.tiers_by_hour(told, frame=frame())
    assert table.shape[1] == 24
    acts = told.hours.groupby(level="tier")["acts"].sum()
    quiet = acts.index[acts < 24]
    assert table.loc[table.index.isin(quiet)].isna().all(axis=None)
    busiest = str(acts.idxmax())
    assert table.loc[busiest].notna().any()
    assert portrait_tables.by_hour(told.hours, frame=frame()).sum(axis="columns").to_numpy() == pytest.approx(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_of_stages_counts_customers_and_hides_few(stages: StageFigures, language: Language) -> None:
    use_look(language)
    ax = stage_bars(stages, frame=frame(language))
    said = texts(ax)
    words = frame(language).words
    for stage, count in stages.customers.items():
        assert words.tier("stage", str(stage)) in said
        assert frame(language).count(count) in said
    hidden = stage_tables.hidden_figures(stages, frame=frame())
    assert ("dormancy", "wake_rate") in hidden
    assert words.say("fewer", n="10") in said
    assert words.say("fewer", n="10") not in texts(stage_bars(stages, frame=frame(language, 0)))


def test_few_people_are_hidden_in_the_table_of_stages(stages: StageFigures) -> None:
    open_table = stage_tables.stage_table(stages, frame=frame(min_cell=0))
    table = stage_tables.stage_table(stages, frame=frame())
    assert not open_table["value"].map(lambda value: isinstance(value, Mark)).any()
    for shown, known in zip(table.to_dict("records"), open_table.to_dict("records"), strict=True):
        counted = re.fullmatch(r"([\d,]+) of ([\d,]+)", known["count_of"])
        if counted and "%" in known["value"]:
            hits, of = (int(text.replace(",", "")) for text in counted.groups())
            few = any(0 < n < 10 for n in (hits, of, of - hits))
            assert not few or isinstance(shown["value"], Mark)
            assert not few or shown["interval"] == ""


def test_channels_of_few_buyers_keep_their_secret(stages: StageFigures) -> None:
    table = stage_tables.channels_table(stages, frame=frame())
    counts = stages.channels
    few = [name for name in counts.index if 0 < counts["joined"][name] - counts["converted"][name] < 10]
    assert few, "the demo should hold such a channel"
    assert all(isinstance(table["converted"][name], Mark) for name in few)
    assert "without a control" in repr(stage_tables.channel_advice(stages, frame=frame()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_tables_of_a_portrait_name_every_tier(told: Portrait, language: Language) -> None:
    own = frame(language)
    for table in (
        portrait_tables.traits_table(told, frame=own),
        portrait_tables.habits_table(told, frame=own),
        portrait_tables.measures_table(told, frame=own),
    ):
        assert table.index.name == "segment"
        assert list(table.index) == list(told.customers.index)
        assert "nan" not in table.to_string().lower()
    traits = portrait_tables.traits_table(told, frame=own).to_string()
    assert own.words.label("membership_state") in traits


def test_a_page_writes_tiers_by_their_names(demo: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    page = Page(demo, AS_OF.isoformat(), "zh")
    table = pd.DataFrame(
        {"need": ["price", None], "customers": [3, 4]}, index=pd.Index(["maturity", "loss"], name="stage")
    )
    shown = repr(page.table(table, counts="customers"))
    for name in ("生命周期阶段", "成熟期", "流失期", "需求维度", "价格敏感"):
        assert name in shown
    total = pd.DataFrame({"customers": [3, 3]}, index=pd.Index(["maturity", "total"], name="stage"))
    assert "合计" in repr(page.table(total, counts="customers", total="total"))


def test_a_study_of_orders_alone_has_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "run")
    days = [f"2026-0{month}-1{day}" for month in range(1, 7) for day in range(10)]
    orders = pd.DataFrame(
        {"customer_id": [f"C{n % 23}" for n in range(60)], "ordered_at": days, "amount": range(1, 61)}
    )
    study = tk.Study.from_frames(orders=orders, timezone="Asia/Shanghai", currency="CNY")
    page = Page(study, "2026-06-30", "en")
    tiers, tiered = tiering.tiers_at(study, page.as_of)
    table = tiering.schemes(tiered, tiers.schemes_, frame=page.frame)
    assert repr(page.table(tiering.named(table, frame=page.frame)))
    assert "Product layer" in repr(tiering.left_out(tiers, frame=page.frame))
    assert scheme_grid(table, frame=page.frame).get_title(loc="left")
    stages = tk.stage_figures(study, "2026-06-30")
    assert "Without a table of events" in repr(stage_tables.why_missing(stages, frame=page.frame))
    assert stage_tables.channels(stages, page) is None
    assert "channels cannot be compared" in repr(stage_tables.channel_advice(stages, frame=page.frame))
    told = tk.portrait(tiered, study=study)
    parts: list[Any] = [
        portrait_page.traits(told, page), portrait_page.attribute(told, page), portrait_page.habits(told, page),
        portrait_page.contents_by_hour(told, page), portrait_page.types_by_hour(told, page),
    ]  # fmt: skip
    assert [type(part).__name__ for part in parts] == ["Note", "NoneType", "Note", "Note", "NoneType"]
