"""What the community around the made-up course seller is like: how people act, and how it writes to them."""

from __future__ import annotations

from typing import NamedTuple

OCCUPATIONS: dict[str, tuple[float, ...]] = {
    "engineer": (0.24, 0.00, 0.00, 0.08, 0.16),
    "teacher": (0.18, 0.00, 0.00, 0.24, 0.14),
    "nurse": (0.12, 0.00, 0.00, 0.14, 0.02),
    "sales": (0.22, 0.00, 0.00, 0.10, 0.14),
    "clerk": (0.18, 0.00, 0.00, 0.20, 0.04),
    "shopkeeper": (0.06, 0.04, 0.00, 0.14, 0.20),
    "designer": (0.00, 0.00, 0.00, 0.02, 0.22),
    "homemaker": (0.00, 0.96, 0.00, 0.08, 0.08),
    "student": (0.00, 0.00, 1.00, 0.00, 0.00),
}
"""Shares of the occupations within each persona, in the order of `synthetic_market.PERSONAS`."""
INTERESTS: tuple[str, ...] = ("parenting", "career", "english", "finance", "health", "writing", "painting", "travel")
FOLLOWERS_LEVEL, FOLLOWERS_SPREAD = 4.2, 1.3
"""Followers are log-normal: mean and standard deviation of their logarithm."""
REFERRAL = "referral"
"""The acquisition channel whose joiners were brought by an earlier buyer."""
COST_PER_JOINER: dict[str, float] = {
    "short_video": 38.0,
    "official_account": 12.0,
    "search_ads": 65.0,
    "referral": 20.0,
    "offline_event": 90.0,
}
COST_NOISE = 0.15
"""Yuan spent for one joiner of a channel, times a log-normal factor of the month."""

WECOM, SERVICE_ACCOUNT = "wecom", "service_account"
IN_WECOM, IN_SERVICE_ACCOUNT, LINKED_DIRECTLY = 0.11, 0.11, 0.6
"""Shares of the people known in a channel by another id, and of those ids that the customer's own row names."""

ENGAGEMENT_POWER, ENGAGEMENT_NOISE = 0.6, 0.5
"""Engagement is (purchase rate / mean rate) to a power, times a log-normal factor."""
COMPLETION_LEVEL, COMPLETION_ENGAGEMENT, COMPLETION_NOISE = 0.3, 0.5, 0.8
"""Log-odds of completing a lesson that is started: a constant, ln(engagement) weighted, plus chance."""
INTEREST_DAYS = 45.0
"""Mean time that those who have not bought stay after joining."""
SESSIONS = 0.045
"""Sessions a day of one whose engagement is 1."""
FADE_DAYS, FADE_SHARE, SILENT_AFTER = 12.0, 0.5, 45.0
"""After leaving, sessions fall exponentially from a share of their rate; nothing after so many days."""
ACTS_PER_SESSION = 1.3
"""Mean acts of a session after its first."""
ACTS: dict[str, float] = {"view": 0.48, "click": 0.12, "like": 0.16, "comment": 0.07, "share": 0.04, "check_in": 0.13}
VIEWS_OF_PRODUCTS = 0.2
"""Share of the views of a session that are of a product."""
SERVICE_KINDS: tuple[str, ...] = ("complaint", "reply", "follow_up")
EVENT_KINDS: tuple[str, ...] = (*ACTS, "open", "login", "lesson_start", "lesson_complete", *SERVICE_KINDS)
ARTICLES: tuple[str, ...] = tuple(f"A{number:02d}" for number in range(1, 41))
APPROACHES, APPROACH_DAYS, APPROACH_CLICKS = 1.3, 2.5, 0.4
"""Views of a product before each purchase of it, mean time before it, and the share followed by a click."""
LESSONS: dict[tuple[str, int], int] = {("trial", 0): 3, ("course", 0): 4, ("course", 1): 8, ("course", 2): 12}
"""Lessons of a product by its kind and layer; materials have none."""
BEGUN, LAST_LESSON, LESSON_DAYS = 0.7, 0.4, 2.5
"""Share of the courses begun, chance that a lesson is the last, and mean time from one lesson to the next."""
COMPLAINED, COMPLAINT_DAYS, REPLIED, REPLY_HOURS, FOLLOWED_UP = 0.03, 5.0, 0.9, 6.0, 0.5
"""Complaints per purchase, their mean delay, share replied to, mean hours to the reply, share followed up."""

EXPERIMENT, ARMS = "checkin_cashback", ("control", "cashback")
TIERS: tuple[str, ...] = ("none", "lead_in", "entry", "premium")
ASSIGNED_BEFORE, ASSIGNED_WITHIN, OUTCOME_DAYS = 70, 7, 28
"""Days from the first assignment to ``as_of``, days over which assignments spread, length of the outcome window."""
EFFECTS: tuple[float, ...] = (0.02, 0.08, 0.04, 0.0)
"""What the cash-back adds to the probability of completing a lesson in the window, on average over a tier."""
LARGEST_EFFECT = 0.5
"""Most that it adds for one unit, where few of a tier are still there."""
BASE_COMPLETES, COMPLETES = 0.05, 0.4
"""Probability of completing one without it: a constant plus (completion x engagement / (1 + engagement)), weighted."""
LESSONS_DONE: tuple[float, ...] = (0.5, 0.3, 0.2)
"""How often one who completes any completes 1, 2 and 3."""
ONLY_STARTED = 0.25
"""Share of the others still there who start one."""

CONTACT_CHANNELS: dict[str, float] = {WECOM: 0.45, SERVICE_ACCOUNT: 0.35, "sms": 0.20}
MESSAGES = 1 / 40
"""Routine messages to a customer per day."""
SEND_HOURS: dict[str, tuple[int, int]] = {
    "office_worker": (20, 22),
    "full_time_mother": (10, 15),
    "student": (19, 22),
    "retiree": (8, 11),
    "freelancer": (13, 18),
}
"""Hours ``[from, to)`` of the routine messages to each persona."""
DISTURBED: dict[str, int] = {"full_time_mother": 9, "office_worker": 23}
"""The hour at which a message disturbs a persona."""
DISTURBED_ON, DISTURBED_SHARE = (0.5, 0.65, 0.9), 0.4
"""When such messages went out, as parts of the whole time, and the share of the persona that got each."""
OFFER_KINDS: tuple[str, ...] = ("content", "course", "trial_course")
CONTENT_ONLY = 0.5
"""Share of the routine messages without a price."""
HIGH_PRICE, HIGH_PRICE_AFTER = 2_999.0, 14
"""A price that no routine message names before so many days."""
PUSHED_ON, PUSHED_PRICE = 0.85, 399.0
"""When a trial course was pushed to the whole pool, as a part of the whole time, and its price."""
EARLY, EARLY_SECONDS = 0.02, 3_600
"""Share of the joiners to whom a high price is named at once, and how soon."""
CROWDED, CROWD, MOST_A_DAY = 0.005, 4, 3
"""Share of the people crowded on one day, with how many messages, and how many a day are sensible."""
OPT_OUT, OPT_OUT_DISTURBED, STILL_WRITTEN_TO = 0.002, 0.02, 0.03
"""Opt-outs per routine and per rule-breaking message, and share of the routine messages that still go out after one."""
DELIVERED, OPENED, OFF_HOURS, AFTER_LEAVING = 0.97, 0.6, 0.6, 0.15
"""Share delivered; opening: a constant x engagement / (1 + engagement), with factors outside the active hours and after
leaving."""


class Plan(NamedTuple):
    """A membership: ``days`` of a period, ``share`` of the members, probability of each renewal by layer."""

    days: int
    share: float
    renewal: tuple[float, float, float]


PLANS: tuple[Plan, ...] = (Plan(365, 0.7, (0.45, 0.60, 0.75)), Plan(30, 0.3, (0.70, 0.80, 0.90)))
MEMBERS: tuple[float, float, float] = (0.05, 0.30, 0.50)
"""Chance of becoming a member on first reaching each layer."""
CANCELLED = 0.4
"""Share of those who do not renew who cancel before the end."""

SURVEY_KINDS: tuple[str, ...] = ("nps", "csat", "feedback")
ANSWERED: tuple[float, ...] = (0.10, 0.06, 0.02)
"""Answers of each kind per purchase."""
ANSWER_DAYS: tuple[float, ...] = (14.0, 2.0, 7.0)
"""Mean time from the purchase to the answer."""
HIGHEST: tuple[int, ...] = (10, 5, 5)
LOWEST: tuple[int, ...] = (0, 1, 1)
SCORE_LEVEL, SCORE_SPEND, SCORE_COMPLETION, SCORE_NOISE = 0.70, 0.06, 0.30, 0.18
"""A score, as a part of its range: a constant, spend level and completion probability (above 1/2) weighted, chance."""
