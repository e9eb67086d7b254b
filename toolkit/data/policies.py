"""What the study file should say about rows that are not plain paid orders: read off the rows that were seen."""

from __future__ import annotations

import fnmatch
from collections import Counter
from typing import TYPE_CHECKING

import yaml

from toolkit.data.contents import is_negative, plain
from toolkit.data.vocabulary import STATUS_WORDS

if TYPE_CHECKING:
    from toolkit.data.recognise import Recognised

_LIKE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("refunded", ("退款", "退货", "refund", "return", "chargeback")),
    ("cancelled", ("取消", "关闭", "作废", "失败", "cancel", "void", "fail", "closed", "expired", "reject")),
    ("unpaid", ("待付", "未付", "未支付", "待支付", "等待买家付款", "unpaid", "pending", "hold", "await", "draft")),
)


def policy_lines(orders: Recognised) -> list[str]:
    """Propose policies, each with what was seen."""
    lines: list[str] = []
    customers = _values(orders, "customer_id")
    missing = sum(not plain(value) for value in customers) / len(customers) if customers else 0.0
    if missing:
        lines.append(f"  missing_customer: exclude  # {missing:.1%} of the rows name no customer; stop: refuse them")
    negative = sum(is_negative(plain(value)) for value in _values(orders, "amount"))
    if negative:
        lines.append(
            f"  # unsure: {negative:,} amounts are negative. Refunds, dated by their row, or errors that are left out?"
        )
        lines.append("  negative_amounts: refund")
        lines.append("  # negative_amounts: exclude")
    stated = orders.preset.policies.get("refunded_rows") if orders.preset else None
    words = {plain(value): word_of(plain(value), orders) for value in set(_values(orders, "status"))}
    refunded = {text for text, word in words.items() if word == "refunded"}
    if refunded or stated:
        reading, evidence = _refund_reading(orders, refunded)
        lines.append(
            "  # unsure: is a row with a refunded status the order itself, taken back (reversed_order),"
            " or a record beside it?"
        )
        lines.append(f"  #   {evidence}")
        lines.append(f"  refunded_rows: {stated or reading}")
        lines.append(
            f"  # refunded_rows: {'reversed_order' if (stated or reading) == 'refund_record' else 'refund_record'}"
        )
    return ["policies:", *lines] if lines else ["# policies: {}  # nothing was seen that needs one"]


def _refund_reading(orders: Recognised, refunded: set[str]) -> tuple[str, str]:
    """Return the likelier reading of refunded rows and why: an order that is there as paid too has a record."""
    numbers, texts = _values(orders, "order_id"), [plain(value) for value in _values(orders, "status")]
    if not numbers:
        return "reversed_order", "There is no order id to tell by."
    taken_back = {number for number, text in zip(numbers, texts, strict=False) if text in refunded and number}
    otherwise = {number for number, text in zip(numbers, texts, strict=False) if text not in refunded and text}
    both = len(taken_back & otherwise)
    reading = "refund_record" if taken_back and both >= len(taken_back) / 2 else "reversed_order"
    return (
        reading,
        f"{both:,} of the {len(taken_back):,} refunded orders that were seen also stand there with another status.",
    )


def status_lines(orders: Recognised) -> list[str]:
    """List the words of the export's statuses that are not built in; a guessed one is marked."""
    known = {word: list(texts) for word, texts in (orders.preset.statuses if orders.preset else {}).items()}
    lines: list[str] = []
    for word, texts in known.items():
        new = [text for text in texts if text.casefold() not in STATUS_WORDS[word]]
        lines += [f"  {word}: [{', '.join(map(_quoted, new))}]"] if new and "status" in orders.columns else []
    seen = Counter(plain(value) for value in _values(orders, "status"))
    guesses: dict[str, list[str]] = {}
    for text in sorted(seen):
        if word_of(text, orders, guess=False) is None:
            guesses.setdefault(word_of(text, orders) or "paid", []).append(text)
    for word, texts in guesses.items():
        escaped = [_quoted(text.replace("[", "[[]")) for text in texts]
        at = next((n for n, line in enumerate(lines) if line.startswith(f"  {word}:")), None)
        if at is None:
            lines.append(f"  {word}: [{', '.join(escaped)}]")
        else:
            lines[at] = f"{lines[at][:-1]}, {', '.join(escaped)}]"
        lines.append(
            f"  # unsure: {_told(texts, seen)} taken for {word};"
            " move it where it belongs: paid, refunded, cancelled, unpaid"
        )
    return ["statuses:", *lines] if lines else []


def _told(texts: list[str], seen: Counter[str]) -> str:
    return ", ".join(f"{_quoted(text)} ({seen[text]:,} rows)" for text in texts)


def filled_down(orders: Recognised) -> list[str]:
    """Return the columns that an order's first row gives for all its rows, as the known export says."""
    continues = orders.preset.continues if orders.preset else ()
    if "order_id" not in orders.columns:
        return []
    return [column for column, choice in orders.columns.items() if choice.headers and choice.headers[0] in continues]


def word_of(text: str, orders: Recognised, *, guess: bool = True) -> str | None:
    """Return what a status means: as the known export says, as is built in, else by the words that it holds."""
    folded = text.casefold()
    for word, patterns in (orders.preset.statuses if orders.preset else {}).items():
        if any(fnmatch.fnmatchcase(folded, pattern.casefold()) for pattern in patterns):
            return word
    built_in = next((word for word, texts in STATUS_WORDS.items() if folded in texts), None)
    if built_in or not guess:
        return built_in
    return next((word for word, parts in _LIKE if any(part in folded for part in parts)), "paid")


def _values(orders: Recognised, column: str) -> tuple[str, ...]:
    choice = orders.columns.get(column)
    if not choice:
        return ()
    values = orders.sample.columns[choice.headers[-1]]
    if column not in filled_down(orders):
        return values
    heads: dict[str, str] = {}
    numbers = orders.sample.columns[orders.columns["order_id"].headers[-1]]
    return tuple(
        heads.setdefault(number, value) if plain(value) else heads.get(number, value)
        for number, value in zip(numbers, values, strict=True)
    )


def _quoted(text: str) -> str:
    return str(yaml.dump(text, allow_unicode=True, default_style='"', width=1_000_000)).strip()
