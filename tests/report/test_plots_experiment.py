"""Pictures of experiments: names from files, which tiers are sure or can learn, where dots and bars stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon
from matplotlib.text import Text

from tests.builders import laid_out
from tests.builders.pictures import bars, drawn_quietly, figures, forest, names_of, power, redraws, texts, title
from toolkit.report.plot_texts import TITLE_WIDTH, short, text_width
from toolkit.report.trial_words import arm_looks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

pytestmark = pytest.mark.usefixtures("closed")
HOSTILE = "5$ off_{x} <b>^ $\\frac"
LONG = "a tier with a name that no picture has room for, however wide it is drawn"


# names


@pytest.mark.parametrize("name", ["forest", "power"])
def test_names_from_a_file_are_written_as_they_are_and_cut_where_they_are_long(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    promise = laid_out.spec(
        tier="house", arms={HOSTILE: 0.5, LONG: 0.5}, control=LONG, profit=None, holdout=0.0, shares_by_tier={}
    )
    odd = {"none": HOSTILE, "lead_in": LONG, "entry": "多层级" * 12, "premium": "\n"}

    def draw() -> Axes:
        if name == "forest":
            return forest(names_of(promise), tiers=lambda part: part.assign(tier=part["tier"].map(odd)))
        return power(names_of(promise), tiers=laid_out.plan_frames(promise)["tiers"].rename(index=odd))

    ax = drawn_quietly(draw, "en", caplog)
    assert HOSTILE in texts(ax)
    assert not any(text.get_parse_math() for text in ax.findobj(Text) if isinstance(text, Text) and text.get_text())
    assert text_width(title(ax)) <= TITLE_WIDTH


def test_names_are_cut_by_width() -> None:
    assert short("短") == "短"
    assert text_width(short("多层级" * 12)) <= 26
    assert short("two\nlines") == "two lines"


def test_arms_differ_in_colour_in_grey_and_in_shape() -> None:
    looks = arm_looks(["a", "b", "c", "d"])
    greys = sorted(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for colour, _ in looks.values())
    assert np.diff(greys[:2]).min() > 0.0
    assert len(set(looks.values())) == len({shape for _, shape in looks.values()}) == 4
    assert arm_looks(["a", "b"])["a"] == looks["a"]


# the forest


def test_the_forest_says_in_which_tiers_an_effect_is_sure() -> None:
    surely = title(forest(names_of()))
    assert surely.endswith("higher: Lead-in product")
    both = title(forest(names_of(), tiers=lambda part: part.assign(status=["better", "worse", "better", "not_known"])))
    assert figures(both) == ["2", "4", "1", "4"]
    assert both.index("higher") < both.index("lower")
    unsure = title(forest(names_of(), tiers=lambda part: part.assign(status="not_known")))
    few = title(forest(names_of(), tiers=lambda part: part.assign(lift=np.nan, status="too_few")))
    assert len({surely, both, unsure, few}) == 4
    assert "too few" in few
    assert not any(word in unsure + few for word in ("higher", "lower"))


def test_the_forest_draws_raw_shrunken_and_overall_where_they_are() -> None:
    result = laid_out.evaluation()
    ax = forest(names_of())
    dots = {round(float(np.asarray(line.get_xdata())[0]), 6) for line in ax.lines if line.get_marker() == "o"}
    expected = pd.concat([result.tiers["lift"], result.tiers["lift_shrunken"]])
    assert dots == {round(float(value), 6) for value in expected}
    diamond = next(patch for patch in ax.patches if isinstance(patch, Polygon) and len(patch.get_xy()) == 5)
    whole = result.overall.iloc[0]
    assert min(diamond.get_xy()[:, 0]) == pytest.approx(whole["lower"])
    assert max(diamond.get_xy()[:, 0]) == pytest.approx(whole["upper"])
    band = bars(ax)[0]
    assert (band.get_x(), band.get_x() + band.get_width()) == pytest.approx((-0.03, 0.03))


def test_an_interval_that_is_far_longer_than_others_is_cut_and_says_so() -> None:
    def stretch(part: pd.DataFrame) -> pd.DataFrame:
        return part.assign(lower=part["lower"].where(part["tier"] != "none", -3.0))

    ax = forest(names_of(), tiers=stretch)
    assert ax.get_xlim()[0] > -0.5
    assert [line.get_marker() for line in ax.lines].count("<") == 1
    assert "<" not in [line.get_marker() for line in forest(names_of()).lines]


def test_a_tier_that_is_not_shown_has_no_dot_but_its_name() -> None:
    def hide(part: pd.DataFrame) -> pd.DataFrame:
        columns = part.columns[part.columns.str.contains("lift|lower|upper")]
        return part.assign(**{name: part[name].mask(part["tier"] == "premium") for name in columns})

    ax = forest(names_of(), tiers=hide)
    assert "Premium product" in texts(ax)
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 6


# power


@pytest.mark.parametrize(
    ("powers", "learn", "overall", "said"),
    [
        ([0.9, 0.9, 0.9, 0.9], "yes", 0.99, "Every tier"),
        ([0.1, 0.9, 0.6, 0.1], "yes", 0.99, "Only Lead-in product"),
        ([0.9, 0.9, 0.9, 0.1], "yes", 0.99, "3 of 4 tiers"),
        ([0.6, 0.6, 0.6, 0.6], "yes", 0.99, "Only all tiers together"),
        ([0.6, 0.6, 0.6, 0.6], "yes", 0.7, "No tier"),
        ([0.1, 0.1, 0.1, 0.1], "no", 0.3, "Too few"),
    ],
)
def test_the_title_says_which_tiers_can_learn(powers: list[float], learn: str, overall: float, said: str) -> None:
    frames = laid_out.plan_frames()
    tiers = frames["tiers"].assign(power=powers, learn=learn)
    ax = power(names_of(), tiers=tiers, overall=frames["overall"].assign(power=overall))
    assert title(ax).startswith(said)
    assert "3 pp" in title(ax)


def test_bars_of_power_end_at_one_and_those_not_worth_testing_are_pale() -> None:
    ax = power(names_of())
    assert ax.get_xlim() == (0.0, 1.0)
    assert {bar.get_x() for bar in bars(ax)} == {0.0}
    shades = [sum(to_rgb(bar.get_facecolor())) for bar in bars(ax)]
    assert shades[0] == shades[3] > shades[1] == shades[2]


@pytest.mark.fault(134)
def test_a_published_plan_shows_no_power_of_a_few_people() -> None:
    tiers = laid_out.plan_frames()["tiers"].assign(units=[8, 900, 2_000, 400])
    ax = power(names_of(min_cell=10), tiers=tiers)
    assert texts(ax).count("not shown") == 2
    assert len(bars(ax)) == 3


# what chance alone gives


def test_the_title_says_how_often_chance_alone_does_it() -> None:
    rare, usual = title(redraws(names_of(), 500, p_value=0.004)), title(redraws(names_of(), 0, p_value=0.4))
    assert figures(rare) == ["0.4%"]
    assert figures(usual) == ["40%"]
    assert usual.startswith("Even")
    assert not rare.startswith("Even")


def test_bars_of_re_assignments_add_up_to_one_and_the_result_stands_where_it_is() -> None:
    ax = redraws(names_of(), 500)
    assert sum(bar.get_height() for bar in bars(ax)) == pytest.approx(1.0)
    low, *_, high = (bar.get_facecolor() for bar in bars(ax))
    assert low == high != bars(ax)[len(bars(ax)) // 2].get_facecolor()
    row = laid_out.evaluation().overall.iloc[0]
    assert np.asarray(ax.lines[0].get_xdata())[0] == pytest.approx(row["lift"] / row["se"])


def test_a_result_far_outside_stays_in_the_picture() -> None:
    low, high = redraws(names_of(), 500, lift=0.5).get_xlim()
    assert low < -10
    assert high > 0.5 / laid_out.evaluation().overall.iloc[0]["se"]
