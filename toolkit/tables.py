"""The data contract's input tables: their columns, of what kind each is, and the headers by which exports name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "money", "number", "timestamp", "period", "flag", "status"]

CUSTOMER_ID = "customer_id"


@dataclass(frozen=True)
class Column:
    """One column of an input table."""

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One input table.

    Attributes
    ----------
    name, row
        Its name, and what one row is.
    columns
        Its columns.
    when
        Column that says when a row happened; empty for a table without one.
    good
        Reason of a row that nothing is wrong with.
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    when: str
    good: str

    def column(self, name: str) -> Column:
        """Return the column called ``name`` (KeyError where there is none)."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    @property
    def has_customers(self) -> bool:
        """Whether its rows belong to customers."""
        return any(column.name == CUSTOMER_ID for column in self.columns)


# fmt: off
_CUSTOMER_HEADERS = (
    "customer", "customer id", "customerid", "cust_id", "client_id", "user_id", "userid", "uid", "buyer_id",
    "member_id", "external_userid", "openid", "unionid", "客户id", "客户编号", "用户id", "用户编号", "会员id", "会员编号",
    "买家id", "买家编号", "买家会员名", "买家昵称", "顾客id", "学员id",
)
_CUSTOMER = Column(CUSTOMER_ID, "id", _CUSTOMER_HEADERS, required=True)

ORDERS = Table(
    "orders",
    "an order line, or a refund",
    (
        _CUSTOMER,
        Column(
            "ordered_at",
            "timestamp",
            (
                "order_date", "order date", "orderdate", "date", "order_time", "invoice_date", "invoicedate", "created_at",
                "created at", "paid_at", "paid at", "purchase_date", "purchased_at", "transaction_date", "下单时间", "订单时间",
                "订单创建时间", "付款时间", "支付时间", "订单付款时间", "交易时间", "购买时间", "成交时间", "日期", "下单日期",
            ),
            required=True,
        ),
        Column(
            "amount",
            "money",
            (
                "total", "revenue", "price_paid", "paid_amount", "order_amount", "total_amount", "sales", "dollars", "payment",
                "实付金额", "实付", "支付金额", "付款金额", "订单金额", "成交金额", "买家实付金额", "买家实际支付金额", "金额", "实收金额",
            ),
            required=True,
        ),
        Column("order_id", "id", ("order", "order id", "orderid", "order_no", "order_number", "invoice", "invoiceno", "invoice_no",
                                  "transaction_id", "订单号", "订单编号", "订单id", "主订单编号", "交易单号")),
        Column("line_id", "id", ("line", "line id", "lineid", "line_item_id", "order_line_id", "子订单编号", "子订单号", "明细id")),
        Column("product_id", "id", ("product", "product id", "productid", "sku", "stockcode", "stock_code", "item_id",
                                    "商品id", "商品编号", "商品编码", "课程id", "课程编号", "货号")),
        Column("product_layer", "text", ("layer", "product layer", "产品层级", "商品层级", "课程层级")),
        Column("list_price", "money", ("list price", "original_price", "商品原价", "标价", "原价", "吊牌价")),
        Column("quantity", "number", ("qty", "count", "数量", "购买数量", "商品数量")),
        Column("channel", "text", ("source", "sales_channel", "渠道", "来源", "下单渠道", "订单来源", "来源渠道")),
        Column("status", "status", ("state", "order_status", "order status", "financial status", "订单状态", "状态", "交易状态")),
        Column("currency", "text", ("currency_code", "currency code", "币种", "货币", "交易币种")),
        Column("recorded_at", "timestamp", ("updated_at", "loaded_at", "ingested_at", "入库时间", "更新时间", "记录时间")),
    ),
    "ordered_at",
    "order",
)

CUSTOMERS = Table(
    "customers",
    "a person",
    (
        _CUSTOMER,
        Column("joined_at", "timestamp", ("created_at", "created at", "registered_at", "signup_date", "join_date", "添加时间",
                                          "注册时间", "加入时间", "入会时间", "成为客户时间", "首次添加时间")),
        Column("acquisition_channel", "text", ("channel", "source", "utm_source", "渠道", "来源", "添加来源", "获客渠道", "来源渠道")),
        Column("acquisition_cost", "money", ("cac", "acquisition cost", "获客成本")),
        Column("persona", "text", ("人群", "画像", "用户画像", "人群标签")),
        Column("gender", "text", ("sex", "性别")),
        Column("age_band", "text", ("age", "age_group", "age band", "年龄段", "年龄")),
        Column("region", "text", ("province", "city", "country", "地区", "省份", "城市", "国家")),
        Column("occupation", "text", ("job", "职业")),
        Column("interests", "text", ("interest", "tags", "兴趣", "兴趣标签")),
        Column("followers", "number", ("follower_count", "粉丝数")),
        Column("override", "text", ("manual_tier", "manual tier", "手动分层", "人工分层", "手工调级")),
        Column("referred_by", "id", ("referrer", "referrer_id", "inviter", "推荐人", "邀请人", "推荐人id")),
        Column("opted_out", "flag", ("unsubscribed", "opt_out", "退订", "是否退订", "拒收")),
        Column("valid_from", "timestamp", ("valid from", "snapshot_date", "生效时间")),
    ),
    "",
    "customer",
)

EVENTS = Table(
    "events",
    "something a person did, or a service answer",
    (
        _CUSTOMER,
        Column("occurred_at", "timestamp", ("event_time", "event time", "timestamp", "time", "date", "created_at", "created at",
                                            "发生时间", "行为时间", "事件时间", "访问时间", "操作时间", "学习时间", "时间", "日期"), required=True),
        Column("kind", "status", ("event", "event_name", "event_type", "event type", "action", "type", "行为", "行为类型", "事件",
                                  "事件类型", "事件名称", "动作", "类型")),
        Column("channel", "text", ("source", "platform", "渠道", "来源", "端", "平台")),
        Column("content_id", "id", ("content", "item_id", "product_id", "lesson_id", "page", "内容id", "内容编号", "课程id", "商品id", "课时id",
                                    "页面")),
        Column("duration_seconds", "number", ("duration", "seconds", "stay_seconds", "停留时长", "时长", "停留时长(秒)", "学习时长(秒)")),
        Column("value", "money", ("price", "amount", "价格", "商品价格", "金额")),
    ),
    "occurred_at",
    "event",
)

CONTACTS = Table(
    "contacts",
    "a message we sent",
    (
        _CUSTOMER,
        Column("sent_at", "timestamp", ("send_time", "sent", "sent_time", "sent at", "push_time", "date", "time", "发送时间", "推送时间",
                                        "触达时间", "群发时间", "时间"), required=True),
        Column("channel", "text", ("source", "渠道", "触达渠道", "发送渠道", "推送渠道")),
        Column("campaign_id", "id", ("campaign", "campaign_name", "task_id", "活动id", "活动", "活动名称", "任务id", "任务名称", "群发任务")),
        Column("offer_kind", "text", ("offer", "offer_type", "优惠类型", "优惠", "内容类型")),
        Column("offer_price", "money", ("price", "优惠价", "商品价格", "推广价格", "价格")),
        Column("delivered", "flag", ("is_delivered", "success", "是否送达", "送达", "送达状态")),
        Column("opened", "flag", ("is_opened", "read", "clicked", "是否打开", "打开", "是否已读", "已读", "是否点击")),
        Column("opted_out", "flag", ("unsubscribed", "opt_out", "是否退订", "退订", "是否拉黑")),
    ),
    "sent_at",
    "contact",
)

SURVEYS = Table(
    "surveys",
    "an answer",
    (
        _CUSTOMER,
        Column("answered_at", "timestamp", ("answer_time", "submitted_at", "submit_time", "date", "time", "created_at", "填写时间", "提交时间",
                                            "答题时间", "回答时间", "时间"), required=True),
        Column("kind", "status", ("survey", "survey_type", "type", "问卷", "问卷类型", "类型")),
        Column("score", "number", ("rating", "answer", "nps_score", "nps", "评分", "得分", "分数", "打分"), required=True),
    ),
    "answered_at",
    "answer",
)

COSTS = Table(
    "costs",
    "money spent",
    (
        Column("channel", "text", ("source", "platform", "渠道", "投放渠道", "获客渠道", "平台"), required=True),
        Column("period_start", "period", ("date", "day", "month", "week", "period", "日期", "月份", "投放日期", "周期"), required=True),
        Column("amount", "money", ("cost", "spend", "total", "费用", "花费", "成本", "消耗", "金额", "投放金额"), required=True),
    ),
    "period_start",
    "cost",
)

IDENTITIES = Table(
    "identities",
    "an id of a person",
    (
        _CUSTOMER,
        Column("id_kind", "text", ("kind", "type", "id_type", "id类型", "类型", "标识类型")),
        Column("id_value", "id", ("value", "other_id", "alias", "linked_id", "id值", "标识", "标识值", "关联id"), required=True),
    ),
    "",
    "identity",
)

ASSIGNMENTS = Table(
    "assignments",
    "who got which arm",
    (
        Column("experiment_id", "id", ("experiment", "test_id", "实验id", "实验", "实验名称"), required=True),
        _CUSTOMER,
        Column("arm", "text", ("group", "variant", "version", "组别", "分组", "实验组"), required=True),
        Column("assigned_at", "timestamp", ("assigned", "assign_time", "date", "time", "分组时间", "入组时间", "时间"), required=True),
        Column("tier", "text", ("segment", "层级", "分层")),
        Column("cluster_id", "id", ("cluster", "group_id", "household", "群id", "家庭id")),
    ),
    "assigned_at",
    "assignment",
)

MEMBERSHIPS = Table(
    "memberships",
    "a paid period",
    (
        _CUSTOMER,
        Column("starts_at", "timestamp", ("start", "start_date", "starts", "valid_from", "开始时间", "生效时间", "开通时间", "会员开始时间", "开始日期"),
               required=True),
        Column("ends_at", "timestamp", ("end", "end_date", "ends", "expires_at", "expiry", "valid_to", "结束时间", "到期时间", "失效时间",
                                        "会员到期时间", "到期日期")),
        Column("cancelled_at", "timestamp", ("cancelled", "canceled_at", "cancel_date", "取消时间", "退会时间")),
    ),
    "starts_at",
    "membership",
)

# fmt: on

TABLES: dict[str, Table] = {
    table.name: table
    for table in (ORDERS, CUSTOMERS, EVENTS, CONTACTS, SURVEYS, COSTS, IDENTITIES, ASSIGNMENTS, MEMBERSHIPS)
}
