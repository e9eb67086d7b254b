"""Pictures and tables of clusters: the verdict with and without groups, what is few, rules in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.builders.pictures import (
    LANGUAGES,
    apart,
    buyers_with,
    choice_lines,
    cluster_heat,
    clustered,
    figures,
    fits,
    four_groups,
    framed,
    laid_down,
    title,
)
from toolkit.report import clustering
from toolkit.report.look import use_look
from toolkit.segments.cluster_features import DEFAULT_FEATURES
from toolkit.segments.cluster_rules import Condition
from toolkit.segments.clusters import Clusters
from toolkit.segments.rfm import RFM

if TYPE_CHECKING:
    import pandas as pd

pytestmark = [pytest.mark.usefixtures("closed"), pytest.mark.xdist_group("pictures")]

VERDICTS = {
    "groups": "verdict_clusters", "cloud": "verdict_no_structure", "unstable": "verdict_not_stable",
    "few": "verdict_few_buyers", "alike": "verdict_one_point",
}  # fmt: skip


@pytest.fixture(scope="module")
def fitted() -> dict[str, tuple[Clusters, pd.DataFrame]]:
    rng = np.random.default_rng(1)
    corners = np.repeat([[0.0, 0.0], [100.0, 0.0], [50.0, 86.6]], 200, axis=0)
    spread = corners + 12 * np.random.default_rng(2).standard_normal(corners.shape)
    snaps = {
        "cloud": buyers_with(**{name: 300 + 40 * rng.standard_normal(300) for name in DEFAULT_FEATURES[:5]}),
        "few": four_groups(12),
        "alike": buyers_with(**dict.fromkeys(DEFAULT_FEATURES, [3.0] * 40)),
        "unstable": buyers_with(recency_days=spread[:, 0] + 100, tenure_days=spread[:, 1] + 100, window_spend=5.0),
    }
    numbers: dict[str, Any] = {"cloud": 3, "unstable": 2}
    found = {kind: (Clusters(k=numbers.get(kind, "auto")).fit(snap), snap) for kind, snap in snaps.items()}
    return {"groups": (clustered(), four_groups()), **found}


@pytest.mark.parametrize("kind", VERDICTS)
def test_the_verdict_is_that_of_the_checks(kind: str, fitted: dict[str, tuple[Clusters, pd.DataFrame]]) -> None:
    clusters, snap = fitted[kind]
    assert clustering.verdict_key(clusters) == VERDICTS[kind]
    assert (kind == "groups") == (clusters.banner_ == "")
    for language in LANGUAGES:
        story = clustering.clusters_story(clusters, clusters, snap, frame=framed(language))
        assert "{" not in story.verdict
        assert len(story.figures) == 6
        assert story.figures[-1].value == "100%"


def test_titles_say_the_finding(fitted: dict[str, tuple[Clusters, pd.DataFrame]]) -> None:
    use_look("en")
    pictures = {
        kind: (cluster_heat(found, framed()), choice_lines(found, framed())) for kind, (found, _) in fitted.items()
    }
    assert all(fits(ax) for kind, drawn in pictures.items() if kind != "groups" for ax in drawn)
    titles = {kind: [title(ax) for ax in drawn] for kind, drawn in pictures.items()}
    spend = fitted["groups"][0].profile_["share_of_spend"]["1"]
    assert figures(titles["groups"][0])[-1] == f"{100 * spend:.1f}%"
    assert figures(titles["groups"][1])[0] == "4"
    numbers = {kind: drawn[1] for kind, drawn in titles.items()}
    assert numbers["few"] == numbers["alike"]
    assert len(set(numbers.values())) == 4
    assert "no more apart than a cloud" in numbers["cloud"]
    assert "agree only" in numbers["unstable"]


def test_heads_of_the_heat_do_not_touch() -> None:
    snap = four_groups()
    six = Clusters(k=3).fit(snap.assign(active_days=np.arange(len(snap))))
    for language in LANGUAGES:
        use_look(language)
        ax = cluster_heat(six, framed(language))
        laid_down(ax)
        assert apart(ax.get_xticklabels()) == 6


@pytest.mark.parametrize("kind", VERDICTS)
def test_every_table_shows_itself(kind: str, fitted: dict[str, tuple[Clusters, pd.DataFrame]]) -> None:
    clusters, snap = fitted[kind]
    agreement = clusters.agreement(RFM(frequency="order_count").fit(snap).transform(snap))
    for language, min_cell in zip(LANGUAGES, (10, 0), strict=True):
        shown = framed(language, min_cell)
        rules = clustering.rules_table(clusters, frame=shown)
        assert len(rules.frame) == clusters.k_
        choice = clustering.choice_table(clusters, frame=shown)
        assert (choice is None) == (kind in {"few", "alike"})
        for table in (
            rules,
            clustering.profile_table(clusters, frame=shown),
            clustering.agreement_table(clusters, agreement, frame=shown),
            clustering.steps_table(clusters, frame=shown),
            clustering.checks_table(clusters, frame=shown),
            *([choice] if choice else []),
        ):
            assert "nan" not in (repr(table) + table._repr_html_()).lower()
            assert "{" not in table.caption


def test_the_strip_counts_who_did_not_move() -> None:
    snap, earlier = four_groups(), clustered()
    moved = snap.copy()
    first, other = earlier.labels_.index[:5], earlier.labels_.index[earlier.labels_ != earlier.labels_.iloc[0]][:5]
    moved.loc[first] = snap.loc[other].to_numpy()
    later = Clusters(k=4).fit(moved, previous=earlier)
    kept, stayed = clustering.kept_labels(later, earlier, moved)
    again = earlier.predict(moved).astype(str) == earlier.labels_.astype(str)
    assert stayed == again.sum() < len(snap)
    assert kept >= 0.95


@pytest.mark.fault(134)
def test_no_part_of_a_published_page_tells_what_another_hides() -> None:
    """Sizes 26, 15, 10 and 9: the 9 is small, so the 10 is hidden too, in every table and in the picture."""
    sizes = [26, 15, 10, 9]
    middle = np.repeat([[0.0, 0.0], [900.0, 0.0], [0.0, 900.0], [900.0, 900.0]], sizes, axis=0)
    rows = middle + np.random.default_rng(1).uniform(0, 20, middle.shape)
    spend = np.repeat([400.0, 300.0, 200.0, 100.0], sizes)
    snap = buyers_with(recency_days=rows[:, 0], tenure_days=rows[:, 1], window_spend=spend)
    clusters = Clusters(k=4).fit(snap)
    shown = framed(min_cell=10)
    assert clusters.profile_["customers"].tolist() == [*sizes, 60]
    assert clustering.hidden_clusters(clusters, shown) == {"3", "4"}
    profile = clustering.profile_table(clusters, frame=shown).frame
    assert [str(count) for count in profile["customers"]] == ["26", "15", "≥10", "<10", "60"]
    heat = clustering.heat(clusters, frame=shown)
    assert set(heat.written.loc[["3", "4"]].to_numpy().ravel()) == {"–"}
    assert (heat.distances.loc[["3", "4"]] == 0).all(axis=None)
    labels = [label.get_text() for label in cluster_heat(clusters, shown).get_yticklabels()]
    assert labels == ["Cluster 1\n26 buyers, 43.3%", "Cluster 2\n15 buyers, 25%", "Cluster 3", "Cluster 4"]
    assert [str(value) for value in clustering.rules_table(clusters, frame=shown).frame["named"][2:]] == ["*", "*"]
    assert {str(value) for value in clustering.steps_table(clusters, frame=shown).frame["drawn_high"]} == {"*"}
    choice = clustering.choice_table(clusters, frame=shown)
    assert choice is not None
    few = clusters.choice_["smallest_share"].to_numpy() * 60 < 10
    assert [str(share) == "*" for share in choice.frame["smallest_share"]] == few.tolist()
    assert few.any()
    tiers = clusters.agreement(RFM(frequency="order_count").fit(snap).transform(snap))
    table = clustering.agreement_table(clusters, tiers, frame=shown)
    assert "Cluster 3" not in repr(table)
    assert list(table.frame.columns) == ["1", "2", "other", "total"]


def test_rules_are_written_in_the_language_of_the_page() -> None:
    rule: Any = (
        (Condition("window_spend", above=1_640.0), Condition("recency_days", up_to=45.0)),
        (Condition("window_order_days", above=2.0, up_to=5.0),),
    )
    assert [clustering.rule_in_words(rule, framed(language)) for language in ("en", "zh")] == [
        "Spend in window > ¥1,640 and Days since last order ≤ 45; or 2 < Order days in window ≤ 5",
        "窗口内净消费 > ¥1,640 且 距最近下单天数 ≤ 45；或 2 < 窗口内下单天数 ≤ 5",
    ]
    everybody, nobody = (clustering.rule_in_words(none, framed()) for none in (((),), ()))
    assert everybody
    assert everybody != nobody
