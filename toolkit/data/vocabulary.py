"""What exports call statuses, kinds of events and kinds of surveys, and how such words are recognised."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import pyarrow as pa

from toolkit.rules.texts import as_read

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from toolkit.study import StudyFile

STATUS_WORDS: dict[str, tuple[str, ...]] = {
    "paid": (
        "paid", "completed", "complete", "success", "succeeded", "fulfilled", "delivered", "shipped", "processing",
        "交易成功", "已完成", "已付款", "已支付", "支付成功", "已发货", "已签收", "待发货", "交易完成", "完成",
    ),
    "refunded": ("refund", "refunded", "returned", "已退款", "退款成功", "已全额退款", "全额退款", "退货"),
    "cancelled": (
        "cancelled", "canceled", "cancel", "closed", "void", "voided", "failed", "已取消", "交易关闭", "已关闭", "取消",
    ),
    "unpaid": ("pending", "unpaid", "authorized", "待付款", "未付款", "待支付", "等待买家付款"),
}  # fmt: skip

EVENT_WORDS: dict[str, tuple[str, ...]] = {
    "open": ("open", "opened", "launch", "app_open", "打开", "启动", "进入", "打开推送"),
    "view": ("view", "page_view", "pageview", "browse", "visit", "read", "浏览", "访问", "查看", "阅读", "浏览商品", "观看"),
    "click": ("click", "clicked", "tap", "点击", "点击商品"),
    "like": ("like", "liked", "点赞", "赞", "喜欢"),
    "comment": ("comment", "commented", "review", "评论", "留言", "发言", "评价"),
    "share": ("share", "shared", "forward", "分享", "转发"),
    "check_in": ("check_in", "checkin", "check-in", "sign_in", "punch", "打卡", "签到"),
    "lesson_start": ("lesson_start", "start_lesson", "course_start", "play", "开始学习", "开始上课", "播放", "学习", "进入课程"),
    "lesson_complete": (
        "lesson_complete", "complete_lesson", "lesson_completed", "course_complete", "finish", "完成学习", "完课", "学完", "播放完成",
    ),
    "login": ("login", "log_in", "signin", "登录", "登陆"),
    "complaint": ("complaint", "complain", "ticket", "投诉", "客诉"),
    "reply": ("reply", "replied", "answer", "回复", "客服回复", "答复"),
    "unfollow": ("unfollow", "unfollowed", "unsubscribe", "remove_contact", "取关", "取消关注", "删除好友"),
    "delete_account": ("delete_account", "account_deleted", "deregister", "注销", "注销账号", "账号注销"),
    "follow_up": ("follow_up", "followup", "follow-up", "return_visit", "回访", "跟进", "跟进记录"),
}  # fmt: skip

SURVEY_WORDS: dict[str, tuple[str, ...]] = {
    "nps": ("nps", "net promoter score", "净推荐值", "推荐意愿", "nps调研"),
    "csat": ("csat", "satisfaction", "customer satisfaction", "满意度", "满意度调研", "课程满意度"),
    "feedback": ("feedback", "反馈", "意见反馈"),
}

Vocabulary = tuple[str, dict[str, tuple[str, ...]], str | None]


def vocabulary(table: str) -> Vocabulary | None:
    """Return the column of a table whose words are mapped, the words, and what an unknown one becomes (None: itself)."""
    known: dict[str, Vocabulary] = {
        "orders": ("status", STATUS_WORDS, "unknown_status"),
        "events": ("kind", EVENT_WORDS, None),
        "surveys": ("kind", SURVEY_WORDS, None),
    }
    return known.get(table)


def map_words(connection: duckdb.DuckDBPyConnection, settings: StudyFile, table: str) -> None:
    """Make the table ``<table>_words``: each text of the column that holds words, and the word it stands for."""
    found_in = vocabulary(table)
    if found_in is None:
        return
    column, words, otherwise = found_in
    stated: Mapping[str, tuple[str, ...]] = {}
    if table == "orders":
        stated = {str(word): patterns for word, patterns in settings.statuses.items()}
    elif table == "events":
        stated = {str(word): patterns for word, patterns in settings.event_kinds.items()}
    rows = connection.execute(f"SELECT DISTINCT {column} FROM {table}_plain ORDER BY 1").fetchall()  # noqa: S608 - canonical names
    texts = [row[0] for row in rows if row[0] is not None]
    means = [_meaning(text, stated, words) or otherwise for text in texts]
    connection.register(
        "words_found", pa.table({"text": pa.array(texts, pa.string()), "word": pa.array(means, pa.string())})
    )
    connection.execute(f"CREATE OR REPLACE TABLE {table}_words AS SELECT * FROM words_found")  # noqa: S608 - a canonical name
    connection.unregister("words_found")


def _meaning(text: str, stated: Mapping[str, tuple[str, ...]], known: Mapping[str, tuple[str, ...]]) -> str | None:
    """Return the word that a text stands for: as stated with ``*``, else as known.

    Examples
    --------
    >>> _meaning("浏览(商品)", {"view": ("浏览（*",)}, EVENT_WORDS), _meaning("Paid", {}, STATUS_WORDS)
    ('view', 'paid')
    """
    folded = text.casefold()
    for word, patterns in stated.items():
        if any(fnmatch.fnmatchcase(folded, as_read(pattern).casefold()) for pattern in patterns):
            return word
    return next((word for word, texts in known.items() if folded in texts), None)
