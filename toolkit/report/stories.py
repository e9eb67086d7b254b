"""Results -> the verdict and the figures that a page says first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.report.headline import Figure, Headline
from toolkit.report.words import MISSING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pandas as pd

    from toolkit.report.frame import Frame

_SLIPPING = ["lapsing_core", "slipping_big"]


def segments_story(summary: pd.DataFrame, before: pd.DataFrame, since: date, *, frame: Frame) -> Headline:
    """Say who brings the money and whose money is slipping away.

    Parameters
    ----------
    summary, before
        Output of ``segment_summary`` at the report's day and at ``since``, scored with the same cut points.
    since
        The earlier day.
    frame
        Day, window, language, currency.
    """
    now, then = (_core_figures(table) for table in (summary, before))
    words = frame.words
    on = words.date(since)

    def figure(label: str, key: str, group: str, write: Callable[[float], str]) -> Figure:
        few = frame.small(now[group])
        value = MISSING if few and key != group else write(now[key])
        change = "" if few or frame.small(then[group]) else _change(now[key], then[key], on, frame, key=key)
        return Figure(words.label(label), value, change)

    figures = (
        figure("customers", "customers", "customers", frame.count),
        figure("window_spend", "spend", "customers", frame.money),
        figure("champions", "champions", "champions", frame.count),
        figure("champions_spend_share", "champions_share", "champions", words.percent),
        figure("slipping", "slipping", "slipping", frame.count),
        figure("slipping_spend", "slipping_spend", "slipping", frame.money),
    )
    champions_share = now["champions"] / now["customers"]
    verdict = words.say(
        "verdict_segments" if now["slipping"] else "verdict_segments_calm",
        customers=MISSING if frame.small(now["champions"]) else words.percent(champions_share),
        spend=figures[3].value,
        slipping=figures[4].value,
        money=figures[5].value,
        days=f"{frame.window_days:,}",
    )
    return Headline(verdict, figures)


def health_story(ledger: pd.DataFrame, calendar: pd.DataFrame, failed: int, *, frame: Frame) -> Headline:
    """Say how much of what came in is used, what was lost, and whether days are missing.

    Parameters
    ----------
    ledger
        Visible rows of the table ``orders``: columns ``fate rows money``.
    calendar
        Output of ``Study.calendar``.
    failed
        How many checks failed.
    frame
        Day, window, language, currency.
    """
    words = frame.words
    rows = int(ledger["rows"].sum())
    by_fate = ledger.groupby("fate", observed=True)[["rows", "money"]].sum()
    used, lost = (int(by_fate["rows"].get(fate, 0)) for fate in ("used", "quarantined"))
    refunded = float(by_fate["money"].get("refund", 0))
    empty = int((calendar["lines"] == 0).sum())
    verdict = words.say(
        "verdict_health" if lost else "verdict_health_clean",
        rows=words.number(rows),
        used=words.percent(used / rows),
        lost=words.number(lost),
        share=words.percent(lost / rows),
    )
    verdict += words.say("verdict_checks" if failed else "verdict_no_checks", n=words.number(failed))
    figures = (
        Figure(words.label("rows_in"), words.number(rows)),
        Figure(words.label("rows_used"), words.number(used), words.percent(used / rows)),
        Figure(words.label("money_used"), frame.money(float(by_fate["money"].get("used", 0)))),
        Figure(words.label("refund_amount"), frame.money(abs(refunded))),
        Figure(words.label("rows_quarantined"), words.number(lost), words.percent(lost / rows)),
        Figure(
            words.label("days_without_orders"), words.number(empty), words.say("of_days", n=words.number(len(calendar)))
        ),
    )
    return Headline(verdict, figures)


def _core_figures(summary: pd.DataFrame) -> dict[str, float]:
    slipping = summary.reindex(_SLIPPING)
    champions = summary.reindex(["champions"])
    return {
        "customers": float(summary["customers"]["total"]),
        "spend": float(summary["spend"]["total"]),
        "champions": float(champions["customers"].sum()),
        "champions_share": float(champions["share_of_spend"].sum()),
        "slipping": float(slipping["customers"].sum()),
        "slipping_spend": float(slipping["spend"].sum()),
    }


def _change(now: float, then: float, on: str, frame: Frame, *, key: str) -> str:
    if not then:
        return ""
    points = key == "champions_share"
    size = 100 * (now - then) if points else 100 * (now / then - 1)
    unit = frame.words.label("points") if points else "%"
    return frame.say("change_since", change=f"{size:+.1f}{unit}".replace("-", "−"), on=on)
