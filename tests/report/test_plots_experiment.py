"""Pictures of experiments: what they say, what they hide, and that nothing leaves its canvas."""

from __future__ import annotations

import logging
import re
import warnings
from typing import TYPE_CHECKING, Any, get_args

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text

from tests.builders import laid_out
from toolkit.report import plots_experiment
from toolkit.report.frame import Frame
from toolkit.report.look import use_look
from toolkit.report.plan_tables import power_cells
from toolkit.report.plot_texts import TITLE_WIDTH, short, text_width
from toolkit.report.trial_words import Names, arm_looks
from toolkit.report.words import Language
from toolkit.strategy.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    from toolkit.strategy.experiment import Experiment

LANGUAGES = get_args(Language)
HOSTILE = "5$ off_{x} <b>^ $\\frac"
LONG = "a tier with a name that no picture has room for, however wide it is drawn"


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


def names_of(promise: Experiment | None = None, language: Language = "en", min_cell: int = 0) -> Names:
    return Names(promise or laid_out.spec(), Frame("2026-10-31", 365, language, "CNY", min_cell))


def forest(names: Names, **changed: Any) -> Axes:
    result = laid_out.evaluation(names.spec)
    scale = names.scale("completed")
    parts = {"tiers": result.tiers, "overall": result.overall.query("metric == 'completed'")}
    parts = {name: changed.get(name, lambda part: part)(part.copy()) for name, part in parts.items()}
    for part in parts.values():
        part["told"] = [
            f"{scale.lift(x)} ({scale.span(low, up)})" for x, low, up in part[["lift", "lower", "upper"]].to_numpy()
        ]
    return plots_experiment.effect_forest(parts["tiers"], parts["overall"], names=names, smallest=0.03)


def plan_of(promise: Experiment, **changed: Any) -> Plan:
    known: dict[str, Any] = {
        "experiment": promise.experiment, "as_of": "2026-08-22", "spec_sha256": promise.sha256, "seed": 0,
        "allocation": pd.DataFrame(), "design_effect": 1.0, "icc": float("nan"), "days": 35, "weeks_to_fill": 0.0,
        "checks": (), **laid_out.plan_frames(promise),
    }  # fmt: skip
    return Plan(**(known | changed))


def power(names: Names, **changed: Any) -> Axes:
    tiers, overall = power_cells(plan_of(names.spec, **changed), names)
    return plots_experiment.power_bars(tiers, overall, names=names)


def redraws(names: Names, draws: int, **changed: Any) -> Axes:
    result = laid_out.evaluation(names.spec, draws=draws)
    row = result.overall.iloc[0].copy()
    row.update(pd.Series(changed, dtype=object))
    mine = result.draws.loc[result.draws["arm"] == row["arm"], "statistic"].to_numpy(dtype=float)
    return plots_experiment.redraw_bars(mine, row, names=names, alpha=0.05)


DRAWN: dict[str, Callable[[Names], Axes]] = {
    "forest": forest,
    "power": power,
    "draws": lambda names: redraws(names, 500),
    "curve": lambda names: redraws(names, 0),
}


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text) if isinstance(text, Text)]


def assert_fits(ax: Axes, caplog: pytest.LogCaptureFixture) -> None:
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ax.figure.canvas.draw()
    assert not caplog.records
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = figure.get_tightbbox()
    assert min(box.min) >= -0.01
    assert (box.max <= figure.get_size_inches() + 0.01).all()


@pytest.mark.parametrize("arms", ["one", "two"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", DRAWN)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(
    name: str, language: Language, arms: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert use_look(language).status == "passed"
    ax = DRAWN[name](names_of(laid_out.two_arms() if arms == "two" else None, language))
    assert_fits(ax, caplog)
    assert ax.get_title(loc="left")
    assert bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax)))) == (language == "zh")
    assert not any("�" in text or "{" in text for text in texts(ax))


@pytest.mark.parametrize("name", ["forest", "power"])
def test_names_from_a_file_are_written_as_they_are_and_cut_where_they_are_long(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    use_look("en")
    promise = laid_out.spec(
        tier="house", arms={HOSTILE: 0.5, LONG: 0.5}, control=LONG, profit=None, holdout=0.0, shares_by_tier={}
    )
    names = names_of(promise)
    odd = {"none": HOSTILE, "lead_in": LONG, "entry": "多层级" * 12, "premium": "\n"}
    rename: Callable[[pd.DataFrame], pd.DataFrame] = lambda part: part.assign(tier=part["tier"].map(odd))  # noqa: E731 - given twice
    if name == "forest":
        ax = forest(names, tiers=rename)
    else:
        tiers = laid_out.plan_frames(promise)["tiers"].rename(index=odd)
        ax = power(names, tiers=tiers)
    assert_fits(ax, caplog)
    assert HOSTILE in texts(ax)
    assert not any(text.get_parse_math() for text in ax.findobj(Text) if isinstance(text, Text) and text.get_text())
    assert text_width(ax.get_title(loc="left")) <= TITLE_WIDTH


def test_names_are_cut_by_width() -> None:
    assert short("短") == "短"
    assert text_width(short("多层级" * 12)) <= 26
    assert short("two\nlines") == "two lines"


def test_the_forest_says_in_which_tiers_an_effect_is_sure() -> None:
    assert forest(names_of()).get_title(loc="left") == "Surely higher: Lead-in product"
    unsure = forest(names_of(), tiers=lambda part: part.assign(status="not_known"))
    assert unsure.get_title(loc="left") == "No tier taken alone shows a sure effect"
    both = forest(names_of(), tiers=lambda part: part.assign(status=["better", "worse", "better", "not_known"]))
    assert both.get_title(loc="left") == "Surely higher in 2 of 4 tiers; Surely lower in 1 of 4 tiers"
    few = forest(names_of(), tiers=lambda part: part.assign(lift=np.nan, status="too_few"))
    assert few.get_title(loc="left") == "Every tier has too few units"


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
    band = next(patch for patch in ax.patches if isinstance(patch, Rectangle))
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
        hidden = part["tier"] == "premium"
        columns = part.columns[part.columns.str.contains("lift|lower|upper")]
        return part.assign(**{name: part[name].mask(hidden) for name in columns})

    ax = forest(names_of(), tiers=hide)
    assert "Premium product" in texts(ax)
    assert len([line for line in ax.lines if line.get_marker() == "o"]) == 6


@pytest.mark.parametrize(
    ("powers", "learn", "overall", "said"),
    [
        ([0.9, 0.9, 0.9, 0.9], "yes", 0.99, "Every tier can see an effect of 3 pp"),
        ([0.1, 0.9, 0.6, 0.1], "yes", 0.99, "Only Lead-in product can see an effect of 3 pp"),
        ([0.9, 0.9, 0.9, 0.1], "yes", 0.99, "3 of 4 tiers can see an effect of 3 pp"),
        ([0.6, 0.6, 0.6, 0.6], "yes", 0.99, "Only all tiers together can see an effect of 3 pp"),
        ([0.6, 0.6, 0.6, 0.6], "yes", 0.7, "No tier can be relied on to see 3 pp"),
        ([0.1, 0.1, 0.1, 0.1], "no", 0.3, "Too few to see an effect of 3 pp: do not test"),
    ],
)
def test_the_title_says_which_tiers_can_learn(powers: list[float], learn: str, overall: float, said: str) -> None:
    frames = laid_out.plan_frames()
    tiers = frames["tiers"].assign(power=powers, learn=learn)
    ax = power(names_of(), tiers=tiers, overall=frames["overall"].assign(power=overall))
    assert ax.get_title(loc="left") == said


def test_bars_of_power_start_at_zero_and_those_not_worth_testing_are_pale() -> None:
    ax = power(names_of())
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert {round(bar.get_x(), 9) for bar in bars} == {0.0}
    assert ax.get_xlim() == (0.0, 1.0)
    shades = [sum(to_rgb(bar.get_facecolor())) for bar in bars]
    assert shades[0] == shades[3] > shades[1] == shades[2]


def test_a_published_plan_shows_no_power_of_a_few_people() -> None:
    frames = laid_out.plan_frames()
    tiers = frames["tiers"].assign(units=[8, 900, 2_000, 400])
    ax = power(names_of(min_cell=10), tiers=tiers)
    assert texts(ax).count("not shown") == 2
    assert len([patch for patch in ax.patches if isinstance(patch, Rectangle)]) == 3


def test_the_title_says_how_often_chance_alone_does_it() -> None:
    rare = redraws(names_of(), 500, p_value=0.004)
    assert rare.get_title(loc="left") == "Without any effect, so large a difference comes up 0.4% of the time"
    usual = redraws(names_of(), 0, p_value=0.4)
    assert usual.get_title(loc="left") == "Even without any effect, so large a difference comes up 40% of the time"


def test_bars_of_re_assignments_add_up_to_one_and_the_result_stands_where_it_is() -> None:
    ax = redraws(names_of(), 500)
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(1.0)
    row = laid_out.evaluation().overall.iloc[0]
    assert np.asarray(ax.lines[0].get_xdata())[0] == pytest.approx(row["lift"] / row["se"])


def test_a_result_far_outside_stays_in_the_picture() -> None:
    ax = redraws(names_of(), 500, lift=0.5)
    low, high = ax.get_xlim()
    assert low < -10
    assert high > 0.5 / laid_out.evaluation().overall.iloc[0]["se"]


def test_arms_differ_in_colour_in_grey_and_in_shape() -> None:
    looks = arm_looks(["a", "b", "c", "d"])
    greys = sorted(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for colour, _ in looks.values())
    assert np.diff(greys[:2]).min() > 0.0
    assert len(set(looks.values())) == len({shape for _, shape in looks.values()}) == 4
    assert arm_looks(["a", "b"])["a"] == looks["a"]


def test_a_picture_is_drawn_where_it_is_asked_to_be() -> None:
    ax = plt.subplots()[1]
    row = laid_out.evaluation().overall.iloc[0]
    assert plots_experiment.redraw_bars(np.array([]), row, ax, names=names_of(), alpha=0.05) is ax
