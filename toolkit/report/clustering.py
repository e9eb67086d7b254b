"""Fitted clusters -> the verdict, the tables and the figures that a page shows of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from toolkit.errors import Check
from toolkit.report.headline import Figure, Headline
from toolkit.report.small_cells import HIDDEN, Mark, suppress_crosstab, suppress_small
from toolkit.report.tables import Table, plainly
from toolkit.report.words import MISSING
from toolkit.schema import SNAPSHOT
from toolkit.segments.cluster_match import CLUSTER
from toolkit.segments.summary import TOTAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from toolkit.report.frame import Frame
    from toolkit.segments.cluster_match import Agreement
    from toolkit.segments.cluster_rules import Condition, Rule
    from toolkit.segments.clusters import Clusters

_MONEY = frozenset(column.name for column in SNAPSHOT if column.unit == "currency")
_NOT_GROUPS = {
    "few_buyers": "verdict_few_buyers",
    "one_point": "verdict_one_point",
    "cluster_structure": "verdict_no_structure",
    "cluster_stability": "verdict_not_stable",
}
_PERCENT = frozenset({"share_of_customers", "share_of_spend", "precision", "recall", "smallest_share"})
_OTHERS = "other"
_STEPS = ("feature", "transform", "unit", "drawn_low", "drawn_high", "centre", "scale", "beyond")
_CRITERIA = (
    "silhouette", "calinski_harabasz", "davies_bouldin", "gap", "surplus", "stability", "smallest_share", "votes",
)  # fmt: skip


def clusters_story(clusters: Clusters, earlier: Clusters, snap: pd.DataFrame, *, frame: Frame) -> Headline:
    """Say whether buyers fall into groups of their own.

    Parameters
    ----------
    clusters, earlier
        Fitted clusters at the report's day and a month before; the later ones with ``previous=earlier``.
    snap
        The snapshot of the report's day.
    frame
        Day, window, language, currency.
    """
    words = frame.words
    profile = clusters.profile_
    buyers = float(profile["customers"][TOTAL])
    best = leader(clusters)
    kept, stayed = kept_labels(clusters, earlier, snap)
    ari = agreement_of_halves(clusters, frame)
    figures = (
        Figure(words.label("clustered_buyers"), frame.count(buyers)),
        Figure(words.label("cluster_count"), str(clusters.k_), words.say("since_k", k=str(earlier.k_))),
        Figure(words.label("top_cluster_spend"), _share(clusters, "1", "share_of_spend", frame)),
        Figure(words.label("halves_agree"), ari),
        Figure(words.label("rules_hold"), _rules_hold(clusters, frame)),
        Figure(
            words.label("kept_cluster"),
            MISSING if frame.small(stayed) else words.percent(kept),
            words.say("of_stayers", n=frame.count(stayed)),
        ),
    )
    known = {"k": str(clusters.k_), "n": best, "ari": ari}
    known |= {"customers": _share(clusters, best, "share_of_customers", frame)}
    known |= {"spend": _share(clusters, best, "share_of_spend", frame), "buyers": frame.count(buyers)}
    verdict = frame.say(verdict_key(clusters), **known)
    return Headline(verdict, figures)


def verdict_key(clusters: Clusters) -> str:
    """Return which sentence is true of the clusters."""
    failed = {check.code for check in clusters.checks_ if check.status == "failed"}
    return next((sentence for code, sentence in _NOT_GROUPS.items() if code in failed), "verdict_clusters")


def leader(clusters: Clusters) -> str:
    """Return the cluster that brings the largest share of spend."""
    groups = clusters.profile_.drop(index=TOTAL)
    return str(groups["spend"].idxmax() if "spend" in groups else groups.index[0])


def kept_labels(clusters: Clusters, earlier: Clusters, snap: pd.DataFrame) -> tuple[float, int]:
    """Return which share of those who did not move have the label they had, and how many did not move.

    Who did not move is a buyer of both days whom the earlier clusters put into the same cluster on both.
    """
    before, now = earlier.labels_.dropna(), clusters.labels_.dropna()
    both = before.index.intersection(now.index)
    seen = earlier.predict(snap)
    old, new, again = (labels[both].astype(str).to_numpy() for labels in (before, now, seen))
    still = old == again
    return (float((new == old)[still].mean()) if still.any() else float("nan")), int(still.sum())


@dataclass(frozen=True)
class Heat:
    """What marks each cluster, for `toolkit.report.plots_clusters.cluster_heat`; rows are clusters.

    Attributes
    ----------
    groups
        ``customers share_of_customers`` and, where spend is known, ``share_of_spend``.
    distances
        Per feature, the cluster's median less that of all buyers in standard deviations on the prepared scale.
    written
        Per feature, the cluster's median in natural units.
    hidden
        Clusters of which nothing is told: small ones, and those that would tell their size.
    """

    groups: pd.DataFrame
    distances: pd.DataFrame
    written: pd.DataFrame
    hidden: frozenset[str]


def heat(clusters: Clusters, *, frame: Frame) -> Heat:
    """Compare each cluster's medians with those of all buyers."""
    groups = clusters.profile_.drop(index=TOTAL)
    secret = hidden_clusters(clusters, frame)
    hidden = np.array([name in secret for name in groups.index])
    distances, written = pd.DataFrame(index=groups.index), pd.DataFrame(index=groups.index)
    for step in clusters.preparation_.steps:
        medians = clusters.profile_[f"median_{step.column}"]
        own = medians[groups.index].to_numpy()
        write = _writer(step.column, frame)
        middle = float(step.apply(medians.loc[[TOTAL]].to_numpy())[0])
        distances[step.column] = np.where(hidden, 0.0, step.apply(own) - middle)
        written[step.column] = [MISSING if hide else write(value) for hide, value in zip(hidden, own, strict=True)]
    return Heat(groups, distances, written, secret)


def hidden_clusters(clusters: Clusters, frame: Frame) -> frozenset[str]:
    """Return the clusters of which a published page tells nothing."""
    shown = _profile(clusters, frame)["customers"].drop(index=TOTAL)
    return frozenset(str(name) for name, count in shown.items() if isinstance(count, Mark))


def profile_table(clusters: Clusters, *, frame: Frame) -> Table:
    """Write who is in each cluster and what they bring, small clusters hidden where the page is published."""
    return _table(_profile(clusters, frame), frame, total=True)


def rules_table(clusters: Clusters, *, frame: Frame) -> Table:
    """Write the rule of each cluster in words, with how far it is true."""
    table = clusters.rules_.rename(columns={"customers": "named"})
    if frame.min_cell:
        table = suppress_small(table, counts="named", min_cell=frame.min_cell)
    secret = [name in hidden_clusters(clusters, frame) for name in table.index]
    figures = {
        name: [HIDDEN if hide else value for value, hide in zip(table[name], secret, strict=True)]
        for name in ("named", "precision", "recall")
    }
    spoken = [rule_in_words(rule, frame) for rule in clusters.conditions_.values()]
    caption = frame.say("caption_rules", share=_rules_hold(clusters, frame))
    return _table(table.assign(rule=spoken, **figures), frame, caption=caption)


def rule_in_words(rule: Rule, frame: Frame) -> str:
    """Write a rule in the page's language."""
    words = frame.words
    if not rule:
        return words.label("nobody")
    lines = [
        words.label("rule_and").join(_condition(one, frame) for one in conjunction) or words.label("everybody")
        for conjunction in rule
    ]
    return words.label("rule_or").join(lines)


def agreement_table(clusters: Clusters, found: Agreement, *, frame: Frame) -> Table:
    """Write how many customers of each class stand in each cluster, small counts hidden where the page is published.

    Clusters of which nothing is told there are one column.
    """
    table = found.table
    secret = [name for name in table.columns if name in hidden_clusters(clusters, frame)]
    if secret:
        table = table.drop(columns=secret)
        table.insert(table.shape[1] - 1, _OTHERS, found.table[secret].sum(axis="columns"))
    if frame.min_cell:
        table = suppress_crosstab(table, total=TOTAL, min_cell=frame.min_cell)
    words = frame.words
    labels = {name: _name(name, frame) for name in table.columns}
    rows = pd.Index([words.tier(found.by, str(name)) for name in table.index], name=found.by)
    caption = frame.say("caption_agreement", ari=f"{found.ari:.2f}", ami=f"{found.ami:.2f}")
    named = table.set_axis(rows, axis="index").rename_axis(columns=None)
    return Table(
        named, labels={**labels, found.by: words.scheme(found.by)}, caption=caption, total=words.segment(TOTAL)
    )


def choice_table(clusters: Clusters, *, frame: Frame) -> Table | None:
    """Show all criteria of each number of clusters together; None where no numbers were compared."""
    table = clusters.choice_
    if table.empty:
        return None
    buyers = float(clusters.profile_["customers"][TOTAL])
    least = [HIDDEN if share * buyers < frame.min_cell else share for share in table["smallest_share"]]
    surplus = table["separation"] - table["separation_reference"]
    shown = table.assign(surplus=surplus, smallest_share=least).astype({"votes": "int64"})
    return _table(shown[list(_CRITERIA)], frame)


def steps_table(clusters: Clusters, *, frame: Frame) -> Table:
    """Write what is done to each feature before distances are taken; percentiles that a few people make are hidden."""
    words = frame.words
    few = clusters.profile_["customers"][TOTAL] < 100 * frame.min_cell
    rows = []
    for step in clusters.preparation_.steps:
        write = _writer(step.column, frame)
        logarithm = step.transform == "log"
        rows.append(
            {
                "feature": words.label(step.column),
                "transform": words.label("transform_log" if logarithm else "transform_plain"),
                "unit": write(step.unit) if logarithm and step.column in _MONEY else MISSING,
                "drawn_low": HIDDEN if few else write(step.low),
                "drawn_high": HIDDEN if few else write(step.high),
                "centre": step.centre,
                "scale": step.scale,
                "beyond": frame.count(step.beyond),
            }
        )
    return _table(pd.DataFrame(rows, columns=list(_STEPS)).set_index("feature"), frame)


def checks_table(clusters: Clusters, *, frame: Frame) -> Table:
    """Write the checks that did not simply pass, those that failed first."""
    words = frame.words
    told = [check for check in clusters.checks_ if check.status != "passed"] or [Check("all_passed", "passed", "")]
    order = sorted(told, key=lambda check: (check.status != "failed", check.code))
    rows = {
        "check": [words.label(f"check_{check.code}") for check in order],
        "subject": [_subject(check, frame) for check in order],
        "how_many": [frame.count(check.count) if check.count else MISSING for check in order],
    }
    statuses = pd.Index([words.check(check.status) for check in order], name="status")
    return _table(pd.DataFrame(rows, index=statuses), frame)


def _table(table: pd.DataFrame, frame: Frame, *, caption: str = "", total: bool = False) -> Table:
    """Name columns and clusters in the page's language, and write values by what they are."""
    words = frame.words
    labels = {str(name): words.label(str(name)) for name in (*table.columns, table.index.name)}
    formats: dict[str, Callable[[Any], str]] = {
        name: words.percent if name in _PERCENT else frame.money if name.removeprefix("median_") in _MONEY else plainly
        for name in labels
    }
    if table.index.name == CLUSTER:
        names = [_name(name, frame) for name in table.index]
        table = table.set_axis(pd.Index(names, name=CLUSTER), axis="index")
    return Table(table, formats, labels, caption, words.segment(TOTAL) if total else None)


def _subject(check: Check, frame: Frame) -> str:
    if check.code == "constant_features":
        return ", ".join(frame.words.label(name) for name in check.subject.split(", "))
    return ", ".join(_name(name, frame) for name in check.subject.split(", ")) if check.subject else ""


def _condition(condition: Condition, frame: Frame) -> str:
    write = frame.exact if condition.column in _MONEY else frame.words.number
    low = f"{write(condition.above)} < " if np.isfinite(condition.above) else ""
    high = f" ≤ {write(condition.up_to)}" if np.isfinite(condition.up_to) else ""
    name = frame.words.label(condition.column)
    return f"{low}{name}{high}" if high else f"{name} > {write(condition.above)}"


def _share(clusters: Clusters, name: str, column: str, frame: Frame) -> str:
    row = clusters.profile_.loc[name]
    hidden = name in hidden_clusters(clusters, frame) or column not in row.index
    return MISSING if hidden else frame.words.percent(float(row[column]))


def agreement_of_halves(clusters: Clusters, frame: Frame) -> str:
    """Say how far random halves agree on the clusters; nothing where there is only one."""
    halves = clusters.stability_["ari"]
    return MISSING if halves.empty else frame.words.number(round(float(halves.mean()), 2))


def _rules_hold(clusters: Clusters, frame: Frame) -> str:
    right = clusters.rules_["customers"] * clusters.rules_["precision"]
    return frame.words.percent(float(right.sum() / clusters.profile_["customers"][TOTAL]))


def _name(number: object, frame: Frame) -> str:
    known = {TOTAL: frame.words.segment(TOTAL), _OTHERS: frame.words.label(_OTHERS)}
    return known.get(str(number)) or frame.say("cluster_name", n=str(number))


def _profile(clusters: Clusters, frame: Frame) -> pd.DataFrame:
    if not frame.min_cell:
        return clusters.profile_
    return suppress_small(clusters.profile_, counts="customers", total=TOTAL, min_cell=frame.min_cell)


def _writer(column: str, frame: Frame) -> Callable[[float], str]:
    return frame.money if column in _MONEY else frame.words.number
