"""Words by which headers and file names are recognised where they are no known alias: regular expressions, as data."""

from __future__ import annotations

from toolkit.tables import CUSTOMER_ID

PREFERRED: dict[tuple[str, str], tuple[str, ...]] = {
    ("orders", "ordered_at"): (
        r"付款|支付|paid|pay",
        r"成交|交易|transaction|purchase",
        r"下单|订单|创建|order|created",
    ),
    ("orders", "amount"): (r"实付|实收|实际支付|paid", r"支付|付款|成交|payment", r"应付", r"订单|总|total|revenue"),
}
"""Of several candidates the one that says what was paid, and when it was paid, comes first."""

LIKE_HEADERS: dict[tuple[str, str], str] = {
    ("", CUSTOMER_ID): r"(用户|会员|客户|买家|学员|顾客|粉丝).*(id|编号|号|账号|标识)|openid|unionid|external_?user"
    r"|(customer|buyer|member|user|client|student|cust).*(id|no|num|code|key|#)$",
    ("orders", "ordered_at"): r"(下单|付款|支付|成交|订单|交易|购买|消费|结算).*(时间|日期|日)"
    r"|(order|paid|pay|purchase|transaction|sale|bought).*(date|time|at|on|day)$",
    ("orders", "amount"): r"(实付|实收|支付|付款|应付|订单|成交|消费|交易|总).*(金额|款|额|价)"
    r"|amount|revenue|total|paid|gross|turnover",
    ("orders", "order_id"): r"(订单|单据|交易|流水).*(号|编号|id)"
    r"|(order|invoice|receipt|transaction).*(id|no|num|number|#)$",
}
"""(Table, column) -> headers that could be it; an empty table stands for any."""

NAMED_FILES: dict[str, str] = {
    "orders": r"order|订单|交易|sales|transaction|bill|账单|流水",
    "customers": r"customer|client|user|客户|用户|学员|member(?!ship)",
    "events": r"event|behavio|行为|埋点|学习记录|互动",
    "contacts": r"contact|message|群发|触达|推送|push|短信",
    "surveys": r"survey|问卷|nps|评分|反馈",
    "costs": r"cost|spend|投放|费用|花费",
    "identities": r"identit|id.?map|映射",
    "assignments": r"assign|experiment|实验|分组",
    "memberships": r"membership|subscription|会员期|订阅",
}
"""Table -> what files of it are called."""

NOT_A_CUSTOMER = r"订单|商品|课程|子订单|order|product|sku|item|line|invoice"
"""Headers of ids of something else."""
