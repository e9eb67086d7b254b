"""Pictures and tables of clusters: what they say in both languages, with few people, and where there are no groups."""

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
from matplotlib.text import Text

from tests.segments.test_clusters import gaussian, planted, snapshot
from toolkit.report import clustering
from toolkit.report.frame import Frame
from toolkit.report.look import use_look
from toolkit.report.plots_clusters import choice_lines, cluster_heat
from toolkit.report.words import Language
from toolkit.segments.cluster_features import DEFAULT_FEATURES
from toolkit.segments.cluster_rules import Condition
from toolkit.segments.clusters import Clusters
from toolkit.segments.rfm import RFM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

LANGUAGES = get_args(Language)
KINDS = ("groups", "cloud", "unstable", "few", "alike")
VERDICTS = dict(
    zip(
        KINDS,
        ("verdict_clusters", "verdict_no_structure", "verdict_not_stable", "verdict_few_buyers", "verdict_one_point"),
        strict=True,
    )
)


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    with mpl.rc_context():
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[Clusters, pd.DataFrame]]:
    snaps = {
        "groups": planted(1, 400)[0],
        "cloud": snapshot(gaussian(np.random.default_rng(1), 300)),
        "few": planted(1, 12)[0],
        "alike": snapshot(dict.fromkeys(DEFAULT_FEATURES, [3.0] * 40)),
    }
    found = {kind: (Clusters().fit(snap), snap) for kind, snap in snaps.items()}
    corners = np.repeat([[0.0, 0.0], [100.0, 0.0], [50.0, 86.6]], 200, axis=0)
    spread = corners + 12 * np.random.default_rng(2).standard_normal(corners.shape)
    three = snapshot({"recency_days": spread[:, 0] + 100, "tenure_days": spread[:, 1] + 100, "window_spend": 5.0})
    return found | {"unstable": (Clusters(k=2).fit(three), three)}


def frame(language: Language, min_cell: int = 0) -> Frame:
    return Frame("2026-10-31", 365, language, "CNY", min_cell)


def drawn(clusters: Clusters, shown: Frame) -> tuple[Axes, Axes]:
    heat = cluster_heat(clustering.heat(clusters, frame=shown), best=clustering.leader(clusters), frame=shown)
    ari = clustering.agreement_of_halves(clusters, shown)
    verdict = clustering.verdict_key(clusters)
    return heat, choice_lines(clusters.choice_, k=clusters.k_, verdict=verdict, ari=ari, frame=shown)


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.figure.findobj(Text)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_speaks_its_language_and_stays_on_its_canvas(
    kind: str, language: Language, fitted: dict[str, tuple[Clusters, pd.DataFrame]], caplog: pytest.LogCaptureFixture
) -> None:
    assert use_look(language).status == "passed"
    clusters, _ = fitted[kind]
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        for ax in drawn(clusters, frame(language)):
            ax.figure.canvas.draw()
            figure = ax.figure.get_figure(root=True)
            assert figure is not None
            box = figure.get_tightbbox()
            assert min(box.min) >= -0.01
            assert (box.max <= figure.get_size_inches() + 0.01).all()
            assert bool(re.search(r"[\u4e00-\u9fff]", "".join(texts(ax)))) == (language == "zh")
            assert not any("�" in text or "{" in text for text in texts(ax))
    assert not caplog.records


@pytest.mark.parametrize("language", LANGUAGES)
def test_heads_of_the_heat_do_not_touch(language: Language, fitted: dict[str, tuple[Clusters, pd.DataFrame]]) -> None:
    use_look(language)
    snap = fitted["groups"][1]
    six = Clusters(k=3).fit(snap.assign(active_days=np.arange(len(snap))))
    ax = drawn(six, frame(language))[0]
    ax.figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert len(boxes) == 6
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_titles_say_the_finding(fitted: dict[str, tuple[Clusters, pd.DataFrame]]) -> None:
    titles = {kind: [ax.get_title(loc="left") for ax in drawn(fitted[kind][0], frame("en"))] for kind in KINDS}
    spend = fitted["groups"][0].profile_["share_of_spend"]["1"]
    assert titles["groups"][0].endswith(f"{100 * spend:.1f}% of spend")
    assert titles["groups"][1].startswith("4 clusters stand apart, and random halves agree")
    assert "no more apart than a cloud" in titles["cloud"][1]
    assert "random halves agree only" in titles["unstable"][1]
    assert titles["few"][1] == titles["alike"][1] == "Under 30 buyers, or all alike: no numbers to compare"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_verdict_is_that_of_the_checks(
    kind: str, language: Language, fitted: dict[str, tuple[Clusters, pd.DataFrame]]
) -> None:
    clusters, snap = fitted[kind]
    story = clustering.clusters_story(clusters, clusters, snap, frame=frame(language))
    assert clustering.verdict_key(clusters) == VERDICTS[kind]
    assert (kind == "groups") == (clusters.banner_ == "")
    assert "{" not in story.verdict
    assert len(story.figures) == 6
    assert story.figures[-1].value == "100%"


def test_the_strip_counts_who_did_not_move() -> None:
    snap, _ = planted(2, 300)
    earlier = Clusters(k=4).fit(snap)
    moved = snap.copy()
    first, other = earlier.labels_.index[:5], earlier.labels_.index[earlier.labels_ != earlier.labels_.iloc[0]][:5]
    moved.loc[first] = snap.loc[other].to_numpy()
    later = Clusters(k=4).fit(moved, previous=earlier)
    kept, stayed = clustering.kept_labels(later, earlier, moved)
    again = earlier.predict(moved).astype(str) == earlier.labels_.astype(str)
    assert stayed == again.sum() < len(snap)
    assert kept >= 0.95


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("min_cell", [0, 10])
def test_every_table_shows_itself(
    kind: str, language: Language, min_cell: int, fitted: dict[str, tuple[Clusters, pd.DataFrame]]
) -> None:
    clusters, snap = fitted[kind]
    shown = frame(language, min_cell)
    scored = RFM(frequency="order_count").fit(snap).transform(snap)
    tables = [
        clustering.profile_table(clusters, frame=shown),
        clustering.rules_table(clusters, frame=shown),
        clustering.agreement_table(clusters, clusters.agreement(scored), frame=shown),
        clustering.steps_table(clusters, frame=shown),
        clustering.checks_table(clusters, frame=shown),
    ]
    choice = clustering.choice_table(clusters, frame=shown)
    assert (choice is None) == (kind in {"few", "alike"})
    for table in [*tables, *([choice] if choice else [])]:
        text = repr(table) + table._repr_html_()
        assert "nan" not in text.lower()
        assert "{" not in table.caption
    assert len(tables[1].frame) == clusters.k_


def test_small_clusters_say_nothing_where_the_page_is_published() -> None:
    snap = pd.concat([planted(1, 60)[0], planted(1, 60)[0].rename(index=lambda name: f"x{name}")])
    clusters = Clusters(k=8).fit(snap)
    sizes = clusters.profile_["customers"].drop(index="total")
    small = sizes.index[sizes < 10]
    assert len(small)
    shown = frame("en", 10)
    table = clustering.profile_table(clusters, frame=shown).frame
    assert {str(value) for value in table["customers"].iloc[: clusters.k_][sizes.to_numpy() < 10]} == {"<10"}
    heat = clustering.heat(clusters, frame=shown)
    assert set(heat.written.loc[small].to_numpy().ravel()) == {"–"}
    assert (heat.distances.loc[small] == 0).all(axis=None)
    steps = clustering.steps_table(clusters, frame=shown).frame
    assert {str(value) for value in steps["drawn_high"]} == {"*"}
    choice = clustering.choice_table(Clusters().fit(snap), frame=shown)
    assert choice is not None
    assert "*" in {str(share) for share in choice.frame["smallest_share"]}
    labels = [label.get_text() for label in drawn(clusters, shown)[0].get_yticklabels()]
    assert {f"Cluster {name}" for name in small} <= set(labels)


def test_no_part_of_a_published_page_tells_what_another_hides() -> None:
    """Sizes 26, 15, 10 and 9: the 9 is small, so the 10 is hidden too, in every table and in the picture."""
    sizes = [26, 15, 10, 9]
    middle = np.repeat([[0.0, 0.0], [900.0, 0.0], [0.0, 900.0], [900.0, 900.0]], sizes, axis=0)
    rows = middle + np.random.default_rng(1).uniform(0, 20, middle.shape)
    spend = np.repeat([400.0, 300.0, 200.0, 100.0], sizes)
    snap = snapshot({"recency_days": rows[:, 0], "tenure_days": rows[:, 1], "window_spend": spend})
    clusters = Clusters(k=4).fit(snap)
    shown = frame("en", 10)
    assert clusters.profile_["customers"].tolist() == [*sizes, 60]
    assert clustering.hidden_clusters(clusters, shown) == {"3", "4"}
    labels = [label.get_text() for label in drawn(clusters, shown)[0].get_yticklabels()]
    assert labels == ["Cluster 1\n26 buyers, 43.3%", "Cluster 2\n15 buyers, 25%", "Cluster 3", "Cluster 4"]
    assert [str(value) for value in clustering.rules_table(clusters, frame=shown).frame["named"][2:]] == ["*", "*"]
    scored = RFM(frequency="order_count").fit(snap).transform(snap)
    table = clustering.agreement_table(clusters, clusters.agreement(scored), frame=shown)
    assert "Cluster 3" not in repr(table)
    assert list(table.frame.columns) == ["1", "2", "other", "total"]


def test_rules_are_written_in_the_language_of_the_page() -> None:
    rule: Any = (
        (Condition("window_spend", above=1_640.0), Condition("recency_days", up_to=45.0)),
        (Condition("window_order_days", above=2.0, up_to=5.0),),
    )
    assert clustering.rule_in_words(rule, frame("en")) == (
        "Spend in window > ¥1,640 and Days since last order ≤ 45; or 2 < Order days in window ≤ 5"
    )
    assert clustering.rule_in_words(rule, frame("zh")) == (
        "窗口内净消费 > ¥1,640 且 距最近下单天数 ≤ 45；或 2 < 窗口内下单天数 ≤ 5"
    )
    assert clustering.rule_in_words(((),), frame("en")) == "every buyer"
    assert clustering.rule_in_words((), frame("en")) == "no line says it"
