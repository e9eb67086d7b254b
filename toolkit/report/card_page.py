"""A customer's card as people see it: a piece of a page, or text."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from toolkit.report import card_risk
from toolkit.report import card_words as say
from toolkit.report.headline import Headline
from toolkit.report.look import WIDTH_PX, use_look
from toolkit.report.plots_card import customer_timeline
from toolkit.report.rule_text import rule_text
from toolkit.report.tables import Table
from toolkit.report.words import MISSING
from toolkit.schema import SNAPSHOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from toolkit.report.card_facts import CustomerFacts

ACTS = 10
_OF_ORDERS = ("days", "orders", "discounts", "bands", "layers")
_SHARP_DPI = 200
_STYLE = (
    "<style>.customer-card .lists{columns:22rem;column-gap:2.5rem}.customer-card .lists>div{break-inside:avoid}"
    ".customer-card figure{margin:1rem 0;overflow-x:auto}.customer-card h4{margin:1.4em 0 .3em}"
    ".customer-card .lists caption{caption-side:bottom;padding:.5rem 0 0}"
    ".customer-card .lists td:not(.words){white-space:nowrap}.customer-card :is(th,td){word-break:keep-all}</style>"
)


def as_html(card: CustomerFacts) -> str:
    """Write a card as a piece of a page: everything escaped, the picture inside it, nothing loaded."""
    head = Headline(say.verdict(card), say.strip(card))
    below = "".join(f"<h4>{escape(heading)}</h4>{table._repr_html_()}" for heading, table in _below(card))
    lists = "".join(f"<div>{table._repr_html_()}</div>" for table in _lists(card))
    return (
        f'<section class="customer-card">{_STYLE}<h3>{escape(say.title(card))}</h3>{head._repr_html_()}{_picture(card)}'
        f'{below}<div class="lists">{lists}</div></section>'
    )


def as_text(card: CustomerFacts) -> str:
    """Write a card as text."""
    head = Headline(say.verdict(card), say.strip(card))
    below = [f"\n{heading}\n{table!r}" for heading, table in _below(card)]
    return "\n".join([say.title(card), repr(head), *below, *(f"\n{table!r}" for table in _lists(card))])


def reasons(card: CustomerFacts) -> Table:
    """Show each dimension with its value, its score and why, and what is missing to the core."""
    words = card.frame.words
    labels = {name: words.label(name) for name in ("dimension", "value", "score", "why", "to_the_core")}
    rows = []
    for dimension in say.GAPS:
        row = {"dimension": words.label(dimension), "to_the_core": say.gap(card, dimension)}
        if not card.is_prospect:
            scores = {name: str(card.scores.loc[dimension, name]) for name in ("score", "scores")}
            row |= {
                "value": say.measured(card, dimension),
                "score": words.say("score_of", **scores),
                "why": say.reason(card, dimension),
            }
        rows.append(row)
    order = [name for name in ("value", "score", "why", "to_the_core") if name in rows[0]]
    caption = words.say("card_cuts", day=words.date(card.learned_at))
    return Table(pd.DataFrame(rows).set_index("dimension")[order], labels=labels, caption=caption)


def tiers_now(card: CustomerFacts) -> Table:
    """Show the tier in every scheme, the values that led there and the rule."""
    words = card.frame.words
    rows = []
    for scheme, row in zip(card.tiers.index, card.tiers.to_dict("records"), strict=True):
        tier = words.tier(str(scheme), str(row["tier"]))
        if row["by_hand"]:
            tier += f" ({words.say('by_hand', tier=words.tier(str(scheme), str(row['computed'])))})"
        told = {
            "because": rule_text(str(row["values"]), card.frame),
            "tier_rule": rule_text(str(row["rule"]), card.frame),
        }
        rows.append({"scheme": words.scheme(str(scheme)), "tier": tier, **told})
    labels = {name: words.label(name) for name in ("scheme", "tier", "because", "tier_rule")}
    return Table(pd.DataFrame(rows).set_index("scheme"), labels=labels)


def tiers_over_time(card: CustomerFacts) -> Table:
    """Show the stays in the main tiers, and what changed before each."""
    words = card.frame.words
    rows: list[dict[str, str]] = []
    for scheme, tier, since, until, changed in card.spells.itertuples(index=False, name=None):
        moved = [
            words.say(
                "moved_from_to", name=words.label(name), before=_told(name, old, card), after=_told(name, new, card)
            )
            for name, old, new in changed
        ]
        rows.append(
            {
                "scheme": "" if rows and rows[-1]["key"] == scheme else words.scheme(scheme),
                "key": scheme,
                "tier": words.tier(scheme, tier),
                "since": words.date(since.date()),
                "until": words.date(until.date()),
                "changed": ("；" if words.language == "zh" else "; ").join(moved),
            }
        )
    labels = {name: words.label(name) for name in ("scheme", "tier", "since", "until", "changed")}
    caption = words.say("card_tiers", day=words.date(card.learned_at))
    return Table(pd.DataFrame(rows).drop(columns="key").set_index("scheme"), labels=labels, caption=caption)


def last_acts(card: CustomerFacts) -> Table:
    """Show the last acts, the latest first."""
    words = card.frame.words
    last = card.timeline.iloc[::-1].head(ACTS)
    table = pd.DataFrame(
        {
            "moment": [_moment(moment, card) for moment in last["moment"]],
            "act": [words.act(str(kind)) for kind in last["kind"]],
            "detail": last["detail"].to_numpy(),
            "amount": last["amount"].to_numpy(),
        }
    ).set_index("moment")
    return Table(
        table,
        formats={"amount": card.frame.exact},
        labels={name: words.label(name) for name in ("moment", *table.columns)},
    )


def _below(card: CustomerFacts) -> Iterator[tuple[str, Table]]:
    words = card.frame.words
    yield words.label("to_the_core" if card.is_prospect else "why"), reasons(card)
    if not card.is_prospect:
        yield words.label("ahead"), card_risk.outlook_table(card.ahead, card.frame)
    if (card.ahead.drivers["contribution"] != 0).any():
        yield words.label("drivers_of"), card_risk.drivers_table(card.ahead, card.frame)
    yield words.label("tiers_now"), tiers_now(card)
    yield words.label("tiers_over_time"), tiers_over_time(card)
    told = {"n": f"{min(ACTS, len(card.timeline)):,}", "all": f"{len(card.timeline):,}"}
    yield words.say("card_acts", **told), last_acts(card)


def _lists(card: CustomerFacts) -> Iterator[Table]:
    """Show who it is, and what was measured of orders and of engagement."""
    words = card.frame.words
    who, known = card.portrait, card.figures["value"]
    if len(who):
        marks = ["" if dated else " *" for dated in who["dated"]]
        caption = "" if who["dated"].all() else words.say("undated")
        yield _listed("portrait", who["value"], card, marks=marks, caption=caption)
    of_orders = [column.block in _OF_ORDERS for column in SNAPSHOT if column.name in known.index]
    for heading, chosen in (("of_orders", known[of_orders]), ("of_engagement", known[np.logical_not(of_orders)])):
        if len(chosen):
            yield _listed(heading, chosen, card)
    if len(card.other_ids):
        labels = {name: words.label(name) for name in card.other_ids.columns}
        yield Table(card.other_ids.set_index("id_kind"), labels=labels)


def _listed(
    heading: str, values: pd.Series, card: CustomerFacts, *, marks: Sequence[str] = (), caption: str = ""
) -> Table:
    words = card.frame.words
    texts = [say.write(str(name), value, card.frame) for name, value in values.items()]
    marked = [text + mark for text, mark in zip(texts, marks or [""] * len(texts), strict=True)]
    names = pd.Index([words.label(str(name)) for name in values.index], name="name")
    return Table(pd.DataFrame({"value": marked}, index=names), {}, {"name": words.label(heading), "value": ""}, caption)


def _told(name: str, value: object, card: CustomerFacts) -> str:
    return MISSING if value is None else say.write(name, value, card.frame)


def _moment(moment: pd.Timestamp, card: CustomerFacts) -> str:
    day = card.frame.words.date(moment.date())
    return day if moment == moment.normalize() else f"{day} {moment:%H:%M}"


def _picture(card: CustomerFacts) -> str:
    png = io.BytesIO()
    with mpl.rc_context():
        use_look(card.frame.language)
        ax = customer_timeline(
            card.timeline,
            card.by_week,
            tables=card.tables,
            seasons=card.seasons,
            as_of=card.as_of,
            title=say.finding(card),
            frame=card.frame,
        )
        figure = ax.figure.get_figure(root=True)
        figure.savefig(png, format="png", dpi=_SHARP_DPI)
        plt.close(figure)
    source = base64.b64encode(png.getvalue()).decode()
    alt = escape(say.alternative_text(card))
    return f'<figure><img src="data:image/png;base64,{source}" alt="{alt}" width="{WIDTH_PX}"></figure>'
