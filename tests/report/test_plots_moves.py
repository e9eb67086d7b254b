"""Pictures and tables of moves: what they say, what they hide, and that nothing overlaps."""

from __future__ import annotations

import logging
import re
import warnings
from typing import TYPE_CHECKING, get_args

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.text import Text

import toolkit as tk
from toolkit.report import moves, moves_tables, plots_bridge, plots_moves, plots_rhythm
from toolkit.report.frame import Frame
from toolkit.report.look import SEGMENT_COLOURS, use_look
from toolkit.report.moves_cells import bridge_of, crosstab
from toolkit.report.rhythm_cells import cohorts_of, periods_of, settings_of
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL, Language
from toolkit.segments.bridge import PARTS
from toolkit.segments.history import compare_hysteresis
from toolkit.segments.moved import GONE, NEW

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from matplotlib.axes import Axes

    from toolkit.segments.accounting import GrowthAccounting
    from toolkit.segments.migration import Migration
    from toolkit.segments.retention import CohortRetention

AS_OF = "2026-10-31"
LANGUAGES = get_args(Language)
PICTURES = ["alluvial", "bridge", "bridge_spend", "waterfall", "matrix", "accounting", "cohorts", "hysteresis"]


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def study() -> tk.Study:
    return tk.Study.demo(customers=700, seed=5)


@pytest.fixture(scope="module")
def move(study: tk.Study) -> Migration:
    return tk.migrate(study, "2026-07-31", AS_OF, tiers=tk.RFM())


@pytest.fixture(scope="module")
def accounting(study: tk.Study) -> GrowthAccounting:
    return tk.growth_accounting(study, "M", as_of=AS_OF)


@pytest.fixture(scope="module")
def cohorts(study: tk.Study) -> CohortRetention:
    return tk.cohort_retention(study, AS_OF)


@pytest.fixture(scope="module")
def settings(study: tk.Study) -> pd.DataFrame:
    return compare_hysteresis(study, moves.evaluations(study, pd.Timestamp(AS_OF).date()), tiers=tk.RFM())


def framed(language: Language = "en", min_cell: int = 0) -> Frame:
    return Frame(AS_OF, 365, language, "CNY", min_cell)


@pytest.fixture
def draw(
    move: Migration, accounting: GrowthAccounting, cohorts: CohortRetention, settings: pd.DataFrame
) -> Callable[[str, Frame], Axes]:
    def bars(measure: str, frame: Frame) -> Axes:
        table = bridge_of(move, measure, frame=frame)
        return plots_bridge.bridge_bars(table, by="segment", measure=measure, since=move.before, frame=frame)

    def of_the_matrix(plot: Callable[..., Axes], frame: Frame) -> Axes:
        return plot(crosstab(move, frame=frame), by="segment", since=move.before, frame=frame)

    def waterfall(frame: Frame) -> Axes:
        table = bridge_of(move, "customers", frame=frame)
        return plots_bridge.waterfall(table, tier="champions", by="segment", frame=frame)

    drawn: dict[str, Callable[[Frame], Axes]] = {
        "alluvial": lambda frame: of_the_matrix(plots_moves.alluvial, frame),
        "matrix": lambda frame: of_the_matrix(plots_moves.matrix_heat, frame),
        "bridge": lambda frame: bars("customers", frame),
        "bridge_spend": lambda frame: bars("spend", frame),
        "waterfall": waterfall,
        "accounting": lambda frame: plots_rhythm.accounting_bars(periods_of(accounting, frame=frame), frame=frame),
        "cohorts": lambda frame: plots_rhythm.cohort_triangle(
            cohorts_of(cohorts, frame=frame), cohorts.overall, frame=frame
        ),
        "hysteresis": lambda frame: plots_rhythm.hysteresis_bars(settings_of(settings, frame=frame), frame=frame),
    }
    return lambda name, frame: drawn[name](frame)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text)]


@pytest.mark.parametrize("min_cell", [0, 10])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(
    name: str, language: Language, min_cell: int, draw: Callable[[str, Frame], Axes], caplog: pytest.LogCaptureFixture
) -> None:
    assert use_look(language).status == "passed"
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        ax = draw(name, framed(language, min_cell))
        ax.figure.canvas.draw()
    assert not caplog.records
    figure = ax.figure.get_figure(root=True)
    assert figure is not None
    box = figure.get_tightbbox()
    assert min(box.min) >= -0.01
    assert (box.max <= figure.get_size_inches() + 0.01).all()
    assert ax.get_title(loc="left")
    assert bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax)))) == (language == "zh")
    assert not any("�" in text or "{" in text for text in texts(ax))


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_beside_the_streams_never_overlap(language: Language, draw: Callable[[str, Frame], Axes]) -> None:
    use_look(language)
    ax = draw("alluvial", framed(language))
    ax.figure.canvas.draw()
    drawn = [text.get_window_extent() for text in ax.texts]
    assert len(drawn) > 15
    assert not any(one.overlaps(other) for i, one in enumerate(drawn) for other in drawn[:i])


def test_names_of_many_tiny_types_stand_apart_too() -> None:
    names = [*SEGMENT_COLOURS]
    cells = pd.DataFrame(1, index=[*names, NEW], columns=[*names, GONE])
    cells.loc["prospect", "prospect"] = 4_000
    cells[TOTAL] = cells.sum(axis="columns")
    cells.loc[TOTAL] = cells.sum()
    use_look("en")
    ax = plots_moves.alluvial(cells, by="segment", since=pd.Timestamp("2026-07-31").date(), frame=framed())
    ax.figure.canvas.draw()
    drawn = [text.get_window_extent() for text in ax.texts]
    assert len(drawn) == 22
    assert not any(one.overlaps(other) for i, one in enumerate(drawn) for other in drawn[:i])


def test_streams_are_as_wide_as_their_customers(move: Migration, draw: Callable[[str, Frame], Axes]) -> None:
    use_look("en")
    ax = draw("alluvial", framed())
    widths = [np.asarray(patch.get_path().vertices)[[0, -2], 1] for patch in ax.patches if isinstance(patch, PathPatch)]
    counts = move.matrix.loc[move.matrix["customers"] > 0, "customers"]
    assert sorted(round(float(bottom - top) * counts.sum()) for top, bottom in widths) == sorted(counts)
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sum(bar.get_height() for bar in bars) == pytest.approx(2)


def test_bars_end_where_the_parts_do(move: Migration, draw: Callable[[str, Frame], Axes]) -> None:
    use_look("en")
    ax = draw("bridge", framed())
    drawn = sum(bar.get_width() for bar in ax.patches if isinstance(bar, Rectangle))
    rows = move.bridge[(move.bridge["measure"] == "customers") & (move.bridge["tier"] != "total")]
    assert drawn == pytest.approx(sum(rows[list(PARTS)].sum()))
    assert drawn == pytest.approx(sum(rows["end"]) - sum(rows["start"]))


def small(text: str) -> bool:
    return bool(re.fullmatch(r"[+−-]?[1-9]", text))


@pytest.mark.parametrize("name", ["alluvial", "matrix", "bridge", "waterfall", "accounting"])
def test_a_published_picture_writes_no_small_count(name: str, draw: Callable[[str, Frame], Axes]) -> None:
    use_look("en")
    hidden, shown = (list(draw(name, framed(min_cell=n)).texts) for n in (10, 0))
    parts = [part for text in hidden for part in re.split(r"\s{2}|\n| → ", text.get_text())]
    assert not any(map(small, parts))
    if name == "matrix":
        assert any(small(text.get_text()) for text in shown)


def test_hidden_cells_draw_no_stream(move: Migration, draw: Callable[[str, Frame], Axes]) -> None:
    use_look("en")
    frame = framed(min_cell=10)
    cells = crosstab(move, frame=frame).drop(index=TOTAL, columns=TOTAL)
    numbers = sum(not isinstance(cell, Mark) and cell > 0 for cell in cells.to_numpy().ravel())
    streams = [patch for patch in draw("alluvial", frame).patches if isinstance(patch, PathPatch)]
    assert len(streams) == numbers
    assert any(isinstance(cell, Mark) for cell in cells.to_numpy().ravel())


@pytest.mark.parametrize("measure", ["customers", "spend"])
def test_parts_of_the_bridge_that_are_few_people_are_hidden_and_do_not_follow(move: Migration, measure: str) -> None:
    open_, closed = (bridge_of(move, measure, frame=framed(min_cell=n)) for n in (0, 10))
    counts = bridge_of(move, "customers", frame=framed())
    marked = closed.map(lambda cell: isinstance(cell, Mark))
    few = counts[[*PARTS, "drift"]].map(lambda part: 0 < abs(part) < 10).any(axis="columns")
    assert few.any()
    assert marked.loc[few, [*PARTS, "drift"]].all(axis=None)
    rows = marked[PARTS[0]]
    assert rows.sum() != 1
    assert (marked[list(PARTS)].sum(axis="columns").isin([0, len(PARTS)])).all()
    for tier, part in zip(*(axis.tolist() for axis in (~marked).to_numpy().nonzero()), strict=True):
        assert open_.iloc[tier, part] == closed.iloc[tier, part]
    cells = crosstab(move, frame=framed(min_cell=10))
    for tier in move.tiers:
        assert isinstance(cells.loc[NEW, tier], Mark) <= bool(rows[tier])


def test_a_single_hidden_row_gets_company(move: Migration) -> None:
    """Make every part but one large: then the total would tell what that tier's parts are."""
    table = move.bridge.copy()
    people = table["measure"] == "customers"
    for part in (*PARTS, "drift"):
        table.loc[people, part] = 100
    table.loc[people & (table["tier"] == "lost"), "clock"] = 3
    changed = type(move)(**{**vars(move), "bridge": table, "matrix": move.matrix.assign(customers=100)})
    rows = bridge_of(changed, "customers", frame=framed(min_cell=10))[PARTS[0]]
    assert sum(isinstance(cell, Mark) for cell in rows) == 2


def test_tables_write_money_and_hide_what_pictures_hide(move: Migration, settings: pd.DataFrame) -> None:
    frame = framed(min_cell=10)
    shown = [
        moves_tables.matrix_table(move, frame=frame),
        moves_tables.bridge_table(move, "customers", frame=frame),
        moves_tables.bridge_table(move, "spend", frame=frame),
        moves_tables.entered_and_left(move, frame=frame),
    ]
    for table in shown:
        html = table._repr_html_()
        assert "Champions" in html
        assert "Total" in html or table is shown[-1]
        assert not re.search(r'class="num">[-−]?[1-9]<', html)
    assert "¥" in shown[2]._repr_html_()
    assert "*" in repr(moves_tables.hysteresis_table(settings, frame=frame))
    assert "*" not in repr(moves_tables.hysteresis_table(settings, frame=framed()))


def test_the_story_adds_up(move: Migration) -> None:
    story = moves.moves_story(move, frame=framed())
    moved, up, down, clock, new, _ = (figure.value for figure in story.figures)
    assert int(moved) == int(up) + int(down)
    assert int(clock) <= int(moved)
    assert int(new) == int((move.moved["from"] == NEW).sum())
    assert move.sentence.split(" customers who")[0].removeprefix("Of ") in story.verdict
    assert "No snapshot was stored" in str(moves.correction_note(move, frame=framed()))
    assert "Checked: start and parts" in str(moves.sums_note(move.checks, frame=framed()))


@pytest.mark.parametrize(
    ("as_of", "months", "expected"),
    [
        ("2026-10-31", 3, "2026-07-31"),
        ("2026-05-31", 3, "2026-02-28"),
        ("2026-02-28", 3, "2025-11-30"),
        ("2026-10-15", 3, "2026-07-15"),
        ("2025-01-31", 3, "2024-11-30"),
    ],
)
def test_the_earlier_day_is_three_months_back_or_as_far_as_orders_go(
    study: tk.Study, as_of: str, months: int, expected: str
) -> None:
    day = moves.earlier(study, pd.Timestamp(as_of).date(), months)
    assert day.isoformat() == expected


def test_evaluations_are_month_ends_with_orders(study: tk.Study) -> None:
    days = moves.evaluations(study, pd.Timestamp("2025-01-31").date())
    assert [day.isoformat() for day in days] == ["2024-11-30", "2024-12-31", "2025-01-31"]


def test_nothing_to_show_is_said() -> None:
    use_look("en")
    orders = pd.DataFrame({"customer_id": ["C1", "C2"], "amount": [5, 6], "ordered_at": ["2026-10-01", "2026-10-02"]})
    shop = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    move = tk.migrate(shop, "2026-10-30", AS_OF, tiers=tk.RFM())
    frame = framed(min_cell=10)
    assert "No move large enough" in plots_moves.alluvial(
        crosstab(move, frame=frame), by="segment", since=move.before, frame=frame
    ).get_title(loc="left")
    assert moves.moves_story(move, frame=frame).verdict.endswith("learned anew each time.")
    cohorts = tk.cohort_retention(shop, AS_OF)
    ax = plots_rhythm.cohort_triangle(cohorts_of(cohorts, frame=frame), cohorts.overall, frame=frame)
    assert "No cohort has completed" in ax.get_title(loc="left")


def test_a_type_whose_streams_are_hidden_still_has_its_bar() -> None:
    cells = pd.DataFrame(
        {"champions": [600, 20], "lost": [30, Mark("<10")], TOTAL: [630, 28]}, index=["champions", "lost"], dtype=object
    )
    cells.loc[TOTAL] = [620, 38, 658]
    use_look("en")
    ax = plots_moves.alluvial(cells, by="segment", since=pd.Timestamp("2026-07-31").date(), frame=framed(min_cell=10))
    heights = [patch.get_height() * 658 for patch in ax.patches if isinstance(patch, Rectangle)]
    assert heights == pytest.approx([630, 28, 620, 38])
    assert ax.get_title(loc="left") == "The largest stream: 30 from Champions to Lost"
