"""Pictures and tables of moves: widths and bars add up, names stand apart, few people do not follow."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import PathPatch

import toolkit as tk
from tests.builders.pictures import (
    AS_OF,
    LANGUAGES,
    apart,
    bars,
    demo,
    draw,
    framed,
    hysteresis,
    laid_down,
    move,
    title,
)
from toolkit.report import moves, moves_tables, plots_moves, plots_rhythm
from toolkit.report.look import SEGMENT_COLOURS, use_look
from toolkit.report.moves_cells import bridge_of, crosstab
from toolkit.report.rhythm_cells import cohorts_of
from toolkit.report.small_cells import Mark
from toolkit.report.words import TOTAL
from toolkit.segments.bridge import PARTS
from toolkit.segments.moved import GONE, NEW

pytestmark = [pytest.mark.usefixtures("closed"), pytest.mark.xdist_group("pictures")]
SINCE = date(2026, 7, 31)


# streams and bars


def test_names_beside_the_streams_never_overlap() -> None:
    for language in LANGUAGES:
        ax = draw("alluvial", language)
        laid_down(ax)
        assert apart(ax.texts) > 15


def test_names_of_many_tiny_types_stand_apart_too() -> None:
    names = [*SEGMENT_COLOURS]
    cells = pd.DataFrame(1, index=[*names, NEW], columns=[*names, GONE])
    cells.loc["prospect", "prospect"] = 4_000
    cells[TOTAL] = cells.sum(axis="columns")
    cells.loc[TOTAL] = cells.sum()
    use_look("en")
    ax = plots_moves.alluvial(cells, by="segment", since=SINCE, frame=framed())
    laid_down(ax)
    assert apart(ax.texts) == 22


def test_streams_are_as_wide_as_their_customers_and_hidden_ones_are_not_drawn() -> None:
    ax = draw("alluvial")
    widths = [np.asarray(patch.get_path().vertices)[[0, -2], 1] for patch in ax.patches if isinstance(patch, PathPatch)]
    counts = move().matrix.loc[move().matrix["customers"] > 0, "customers"]
    assert sorted(round(float(bottom - top) * counts.sum()) for top, bottom in widths) == sorted(counts)
    assert sum(bar.get_height() for bar in bars(ax)) == pytest.approx(2)
    cells = crosstab(move(), frame=framed(min_cell=10)).drop(index=TOTAL, columns=TOTAL).to_numpy().ravel()
    numbers = sum(not isinstance(cell, Mark) and cell > 0 for cell in cells)
    hidden = draw("alluvial", min_cell=10)
    assert sum(isinstance(patch, PathPatch) for patch in hidden.patches) == numbers < len(widths)


def test_a_type_whose_streams_are_hidden_still_has_its_bar() -> None:
    cells = pd.DataFrame(
        {"champions": [600, 20], "lost": [30, Mark("<10")], TOTAL: [630, 28]}, index=["champions", "lost"], dtype=object
    )
    cells.loc[TOTAL] = [620, 38, 658]
    use_look("en")
    ax = plots_moves.alluvial(cells, by="segment", since=SINCE, frame=framed(min_cell=10))
    assert [bar.get_height() * 658 for bar in bars(ax)] == pytest.approx([630, 28, 620, 38])
    assert title(ax).endswith("30 from Champions to Lost")


def test_bars_end_where_the_parts_do() -> None:
    drawn = sum(bar.get_width() for bar in bars(draw("bridge")))
    rows = move().bridge[(move().bridge["measure"] == "customers") & (move().bridge["tier"] != "total")]
    assert drawn == pytest.approx(sum(rows[list(PARTS)].sum()))
    assert drawn == pytest.approx(sum(rows["end"]) - sum(rows["start"]))


# few people


@pytest.mark.fault(134)
@pytest.mark.parametrize("name", ["alluvial", "matrix", "bridge", "waterfall", "accounting"])
def test_a_published_picture_writes_no_small_count(name: str) -> None:
    def small(min_cell: int) -> list[str]:
        parts = [
            part for text in draw(name, min_cell=min_cell).texts for part in re.split(r"\s{2}|\n| → ", text.get_text())
        ]
        return [part for part in parts if re.fullmatch(r"[+−-]?[1-9]", part)]

    assert not small(10)
    if name == "matrix":
        assert small(0)


@pytest.mark.fault(134)
@pytest.mark.parametrize("measure", ["customers", "spend"])
def test_parts_of_the_bridge_that_are_few_people_are_hidden_and_do_not_follow(measure: str) -> None:
    open_, closed = (bridge_of(move(), measure, frame=framed(min_cell=n)) for n in (0, 10))
    counts = bridge_of(move(), "customers", frame=framed())
    marked = closed.map(lambda cell: isinstance(cell, Mark))
    few = counts[[*PARTS, "drift"]].map(lambda part: 0 < abs(part) < 10).any(axis="columns")
    assert few.any()
    assert marked.loc[few, [*PARTS, "drift"]].all(axis=None)
    rows = marked[PARTS[0]]
    assert rows.sum() != 1
    assert (marked[list(PARTS)].sum(axis="columns").isin([0, len(PARTS)])).all()
    for tier, part in zip(*(axis.tolist() for axis in (~marked).to_numpy().nonzero()), strict=True):
        assert open_.iloc[tier, part] == closed.iloc[tier, part]
    cells = crosstab(move(), frame=framed(min_cell=10))
    for tier in move().tiers:
        assert isinstance(cells.loc[NEW, tier], Mark) <= bool(rows[tier])


@pytest.mark.fault(134)
def test_a_single_hidden_row_gets_company() -> None:
    """Make every part but one large: then the total would tell what that tier's parts are."""
    table = move().bridge.copy()
    people = table["measure"] == "customers"
    for part in (*PARTS, "drift"):
        table.loc[people, part] = 100
    table.loc[people & (table["tier"] == "lost"), "clock"] = 3
    changed = type(move())(**{**vars(move()), "bridge": table, "matrix": move().matrix.assign(customers=100)})
    rows = bridge_of(changed, "customers", frame=framed(min_cell=10))[PARTS[0]]
    assert sum(isinstance(cell, Mark) for cell in rows) == 2


def test_tables_write_money_and_hide_what_pictures_hide() -> None:
    frame = framed(min_cell=10)
    shown = [
        moves_tables.matrix_table(move(), frame=frame),
        moves_tables.bridge_table(move(), "customers", frame=frame),
        moves_tables.bridge_table(move(), "spend", frame=frame),
        moves_tables.entered_and_left(move(), frame=frame),
    ]
    for table in shown:
        html = table._repr_html_()
        assert "Champions" in html
        assert "Total" in html or table is shown[-1]
        assert not re.search(r'class="num">[-−]?[1-9]<', html)
    assert "¥" in shown[2]._repr_html_()
    assert "*" in repr(moves_tables.hysteresis_table(hysteresis(), frame=frame))
    assert "*" not in repr(moves_tables.hysteresis_table(hysteresis(), frame=framed()))


# what the page says


def test_the_story_adds_up() -> None:
    story = moves.moves_story(move(), frame=framed())
    moved, up, down, clock, new, _ = (figure.value for figure in story.figures)
    assert int(moved) == int(up) + int(down)
    assert int(clock) <= int(moved)
    assert int(new) == int((move().moved["from"] == NEW).sum())
    assert move().sentence.split(" customers who")[0].removeprefix("Of ") in story.verdict
    assert "No snapshot was stored" in str(moves.correction_note(move(), frame=framed()))
    assert "Checked" in str(moves.sums_note(move().checks, frame=framed()))


def test_the_earlier_day_is_three_months_back_or_as_far_as_orders_go() -> None:
    earlier = {
        "2026-10-31": "2026-07-31", "2026-05-31": "2026-02-28", "2026-02-28": "2025-11-30",
        "2026-10-15": "2026-07-15", "2025-01-31": "2024-11-30",
    }  # fmt: skip
    assert {day: moves.earlier(demo(), date.fromisoformat(day), 3).isoformat() for day in earlier} == earlier


def test_evaluations_are_month_ends_with_orders() -> None:
    days = moves.evaluations(demo(), date(2025, 1, 31))
    assert [day.isoformat() for day in days] == ["2024-11-30", "2024-12-31", "2025-01-31"]


def test_nothing_to_show_is_said() -> None:
    use_look("en")
    orders = pd.DataFrame({"customer_id": ["C1", "C2"], "amount": [5, 6], "ordered_at": ["2026-10-01", "2026-10-02"]})
    shop = tk.Study.from_frames(orders, timezone="Asia/Shanghai", currency="CNY")
    still = tk.migrate(shop, "2026-10-30", AS_OF, tiers=tk.RFM())
    frame = framed(min_cell=10)
    ax = plots_moves.alluvial(crosstab(still, frame=frame), by="segment", since=still.before, frame=frame)
    assert "No move" in title(ax)
    assert moves.moves_story(still, frame=frame).figures[0].value == "<10"
    cohorts = tk.cohort_retention(shop, AS_OF)
    ax = plots_rhythm.cohort_triangle(cohorts_of(cohorts, frame=frame), cohorts.overall, frame=frame)
    assert "No cohort" in title(ax)
