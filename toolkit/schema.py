"""The data contract: tables, columns, their kinds and the headers by which exports name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from toolkit.errors import ArgumentError

Kind = Literal["id", "text", "money", "number", "timestamp", "date", "flag", "status"]
Fate = Literal["used", "refund", "duplicate", "cancelled", "excluded", "quarantined", "later"]

FATES: tuple[Fate, ...] = ("used", "refund", "duplicate", "cancelled", "excluded", "quarantined", "later")

CUSTOMER_ID = "customer_id"
FIRST_ORDER_DATE = "first_order_date"
LAST_ORDER_DATE = "last_order_date"
RECENCY_DAYS = "recency_days"
TENURE_DAYS = "tenure_days"
ORDER_COUNT = "order_count"
ORDER_DAYS = "order_days"
SPEND = "spend"
WINDOW_ORDER_DAYS = "window_order_days"
WINDOW_SPEND = "window_spend"
R_SCORE, F_SCORE, M_SCORE = "r_score", "f_score", "m_score"
SEGMENT = "segment"

SEGMENTS: tuple[str, ...] = (
    "champions",
    "big_occasional",
    "lapsing_core",
    "slipping_big",
    "loyal_small",
    "newcomers",
    "fading_regulars",
    "lost",
)
"""The eight types in the order of their numbers 1 to 8."""
PROSPECT = "prospect"


@dataclass(frozen=True)
class Column:
    """One column of an input table."""

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One input table: what a row is, and its columns."""

    name: str
    row: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """Return the column called ``name`` (KeyError where there is none)."""
        return next(column for column in self.columns if column.name == name)


# fmt: off
ORDERS = Table(
    "orders",
    "an order line, or a refund",
    (
        Column(
            CUSTOMER_ID,
            "id",
            (
                "customer", "customer id", "customerid", "cust_id", "client_id", "user_id", "userid", "uid", "buyer_id",
                "member_id", "external_userid", "openid", "unionid", "客户id", "客户编号", "用户id", "用户编号", "会员id", "会员编号",
                "买家id", "买家编号", "买家会员名", "买家昵称", "顾客id", "学员id",
            ),
            required=True,
        ),
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
        Column("recorded_at", "timestamp", ("updated_at", "loaded_at", "ingested_at", "入库时间", "更新时间", "记录时间")),
    ),
)

CUSTOMERS = Table(
    "customers",
    "a person",
    (
        Column(CUSTOMER_ID, "id", ORDERS.columns[0].aliases, required=True),
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
        Column("referred_by", "id", ("referrer", "referrer_id", "inviter", "推荐人", "邀请人", "推荐人id")),
        Column("opted_out", "flag", ("unsubscribed", "opt_out", "退订", "是否退订", "拒收")),
        Column("valid_from", "timestamp", ("valid from", "snapshot_date", "生效时间")),
    ),
)

# fmt: on

TABLES: dict[str, Table] = {table.name: table for table in (ORDERS, CUSTOMERS)}


@dataclass(frozen=True)
class SnapshotColumn:
    """One column of the snapshot: name, pandas dtype, unit and meaning, and the SQL block that computes it."""

    name: str
    dtype: str
    unit: str
    meaning: str
    block: str


_DAY = "datetime64[s]"

# fmt: off
SNAPSHOT: tuple[SnapshotColumn, ...] = (
    SnapshotColumn(FIRST_ORDER_DATE, _DAY, "local day", "first day with a used order line", "days"),
    SnapshotColumn(LAST_ORDER_DATE, _DAY, "local day", "last day with a used order line", "days"),
    SnapshotColumn(RECENCY_DAYS, "float64", "days", "as_of minus the last order day; missing for never-buyers", "days"),
    SnapshotColumn(TENURE_DAYS, "float64", "days", "as_of minus the first order day; missing for never-buyers", "days"),
    SnapshotColumn(ORDER_COUNT, "int64", "orders", "distinct orders (lines where there is no order_id)", "orders"),
    SnapshotColumn(ORDER_DAYS, "int64", "days", "distinct days with an order", "days"),
    SnapshotColumn(SPEND, "float64", "currency", "paid minus refunded, ever", "days"),
    SnapshotColumn(WINDOW_ORDER_DAYS, "int64", "days", "distinct days with an order in the window", "days"),
    SnapshotColumn(WINDOW_SPEND, "float64", "currency", "paid minus refunded in the window", "days"),
    SnapshotColumn("mean_order_value", "float64", "currency", "paid (before refunds) per order", "orders"),
    SnapshotColumn("last_order_value", "float64", "currency", "paid in the last order (before refunds)", "orders"),
    SnapshotColumn("max_price", "float64", "currency", "highest price paid for one unit", "orders"),
    SnapshotColumn("refund_amount", "float64", "currency", "refunded, ever, as a positive number", "days"),
    SnapshotColumn("mean_gap_days", "float64", "days", "mean days between order days; missing under two order days", "days"),
    SnapshotColumn("joined_date", _DAY, "local day", "day the customer joined", "people"),
    SnapshotColumn("acquisition_channel", "str", "text", "where the customer came from", "people"),
    SnapshotColumn("persona", "str", "text", "persona as the business names it", "people"),
    SnapshotColumn("gender", "str", "text", "gender as recorded", "people"),
    SnapshotColumn("age_band", "str", "text", "age band as recorded", "people"),
    SnapshotColumn("region", "str", "text", "region as recorded", "people"),
)


def as_day(value: object, *, name: str = "as_of") -> date:
    """Take a date, a timestamp at midnight or ISO text as a local day.

    Raises
    ------
    ArgumentError
        The value is missing or is not a whole day.

    Examples
    --------
    >>> as_day("2026-10-31")
    datetime.date(2026, 10, 31)
    """
    try:
        moment = value if isinstance(value, date) and value == value else datetime.fromisoformat(str(value))  # noqa: PLR0124 - NaT is not itself
    except ValueError:
        raise ArgumentError("date", f"{name} is not a date: {value!r}", hint=f'{name}="2026-10-31"') from None
    if isinstance(moment, datetime):
        if (moment.hour, moment.minute, moment.second) != (0, 0, 0):
            raise ArgumentError("date", f"{name} is a whole day, not a moment: {value!r}", hint=f'{name}="{moment:%Y-%m-%d}"')
        return moment.date()
    return moment
