"""Made-up exports in three dresses, as shops really get them: no row, name or number in them is anybody's."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import openpyxl

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2025, 10, 1, 9, 0)  # noqa: DTZ001 - exports are in the shop's local time
DAYS = 390
NAMES = ("王芳", "李伟", "张敏", "刘洋", "陈静", "杨磊", "赵娜", "黄强", "周婷", "吴刚")
PLACES = ("北京市朝阳区建国路1号", "上海市浦东新区世纪大道2号", "广州市天河区体育西路3号")


def dice(seed: int) -> random.Random:
    """Make the source of everything random in one export."""
    return random.Random(seed)  # noqa: S311 - made-up rows hold no secret


@dataclass(frozen=True)
class Buyer:
    """One made-up buyer."""

    number: int
    appetite: float
    started: int

    @property
    def phone(self) -> str:
        """A telephone number in the form of real ones."""
        return f"139{self.number:08d}"

    @property
    def name(self) -> str:
        """A name that many share."""
        return NAMES[self.number % len(NAMES)]


def buyers(count: int, seed: int) -> list[Buyer]:
    """Make buyers, few of whom buy most."""
    draw = dice(seed)
    return [Buyer(n, draw.paretovariate(1.3), draw.randrange(DAYS - 30)) for n in range(1, count + 1)]


def purchases(count: int, seed: int) -> list[tuple[Buyer, datetime]]:
    """Make who bought when, in order of time."""
    draw = dice(seed + 1)
    people = buyers(max(40, count // 5), seed)
    chosen = draw.choices(people, [buyer.appetite for buyer in people], k=count)
    moments = [
        START + timedelta(days=draw.randrange(buyer.started, DAYS), seconds=draw.randrange(50_000)) for buyer in chosen
    ]
    return sorted(zip(chosen, moments, strict=True), key=lambda pair: pair[1])


TAOBAO = (
    "订单编号", "买家会员名", "买家支付宝账号", "买家应付货款", "买家应付邮费", "总金额", "买家实际支付金额",
    "订单状态", "买家留言", "收货人姓名", "收货地址", "联系电话", "联系手机", "订单创建时间", "订单付款时间",
    "宝贝标题", "宝贝总数量", "物流单号",
)  # fmt: skip


def taobao(folder: Path, rows: int = 2_000, seed: int = 3) -> Path:
    """Write a seller center's order report: GBK, lines before the header, a total at the end, personal columns."""
    draw = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    text.write(
        "店铺订单报表\n导出时间：[2026-10-31 08:12:52]\n"
        "起始时间：[2025-10-01 00:00:00]    终止时间：[2026-10-30 23:59:59]\n"
    )
    text.write("特别提示：,本报表仅供商家对账使用\n------------------------------------------------\n")
    writer = csv.writer(text)
    writer.writerow(TAOBAO)
    total = 0.0
    for number, (buyer, moment) in enumerate(purchases(rows, seed)):
        price = draw.choice((39.0, 99.0, 199.0, 699.0, 1999.0))
        status = draw.choices(
            ("交易成功", "卖家已发货，等待买家确认", "买家已付款，等待卖家发货", "等待买家付款", "交易关闭"),
            (86, 5, 3, 2, 4),
        )[0]
        paid = status not in ("等待买家付款", "交易关闭")
        total += price if paid else 0
        writer.writerow(
            (
                f"{2_400_000_000_000_000_000 + number}", f"tb_{buyer.number * 7919:07d}",
                f"139****{buyer.number % 10_000:04d}", f"{price:.2f}", "0.00", f"{price:.2f}",
                f"{price if paid else 0:.2f}", status, "请尽快发货" if number % 9 == 0 else "", buyer.name,
                PLACES[buyer.number % 3], "", f"'{buyer.phone}", f"{moment:%Y-%m-%d %H:%M:%S}",
                f"{moment + timedelta(minutes=2):%Y-%m-%d %H:%M:%S}" if paid else "", "零基础水彩课（含画材）", 1,
                f"SF{number:012d}",
            )
        )  # fmt: skip
    text.write(f"合计,,,,,,{total:.2f}\n共{rows}笔记录\n")
    path = folder / "ExportOrderList202610310812.csv"
    path.write_bytes(text.getvalue().replace("\n", "\r\n").encode("gbk"))
    return path


def workbook(folder: Path, rows: int = 1_500, seed: int = 5) -> Path:
    """Write a workbook: a sheet of orders under a title, one of customers, and a pivot."""
    draw = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    orders = book.active
    assert orders is not None
    orders.title = "订单明细"
    orders.append(["2026年10月 课程订单明细"])
    orders.append(["制表：运营部", None, "导出日期", datetime(2026, 10, 31)])  # noqa: DTZ001 - Excel knows no zones
    orders.append([])
    orders.append(
        ["订单号", "学员ID", "学员姓名", "手机号", "课程名称", "下单时间", "付款时间", "订单金额", "实付金额",
         "订单状态", "来源渠道"]
    )  # fmt: skip
    people: dict[int, Buyer] = {}
    months: dict[str, float] = {}
    for number, (buyer, moment) in enumerate(purchases(rows, seed)):
        price = draw.choice((9.9, 199, 1280, 3980))
        people[buyer.number] = buyer
        status = draw.choices(("已完成", "已退款"), (95, 5))[0]
        months[f"{moment:%Y年%m月}"] = months.get(f"{moment:%Y年%m月}", 0) + price
        orders.append(
            [
                f"XE{202610000000 + number}", f"u_{buyer.number:06x}", buyer.name, buyer.phone,
                draw.choice(("引流课", "进阶课", "大师课")), moment, moment + timedelta(minutes=3),
                round(price * 1.1, 2), price, status, draw.choice(("公众号", "视频号", "直播间")),
            ]
        )  # fmt: skip
    customers = book.create_sheet("学员")
    customers.append(["学员ID", "姓名", "手机号", "注册时间", "省份", "性别", "添加来源"])
    for buyer in people.values():
        customers.append(
            [
                f"u_{buyer.number:06x}", buyer.name, buyer.phone, START + timedelta(days=buyer.started),
                draw.choice(("北京", "上海", "广东")), draw.choice(("女", "男")), draw.choice(("扫码", "群聊", "名片")),
            ]
        )  # fmt: skip
    pivot = book.create_sheet("透视表")
    pivot.append(["行标签", "求和项:实付金额"])
    for month, money in months.items():
        pivot.append([month, round(money, 2)])
    pivot.append(["总计", round(sum(months.values()), 2)])
    path = folder / "课程订单.xlsx"
    book.save(path)
    return path


SHOPIFY = (
    "Name", "Email", "Financial Status", "Paid at", "Fulfillment Status", "Fulfilled at", "Accepts Marketing",
    "Currency", "Subtotal", "Shipping", "Taxes", "Total", "Discount Code", "Discount Amount", "Shipping Method",
    "Created at", "Lineitem quantity", "Lineitem name", "Lineitem price", "Lineitem compare at price", "Lineitem sku",
    "Lineitem requires shipping", "Lineitem taxable", "Lineitem fulfillment status", "Billing Name", "Billing Street",
    "Billing City", "Billing Zip", "Billing Country", "Billing Phone", "Shipping Name", "Shipping Street",
    "Shipping City", "Shipping Zip", "Shipping Country", "Shipping Phone", "Notes", "Cancelled at", "Payment Method",
    "Refunded Amount", "Vendor", "Id", "Tags", "Source", "Phone",
)  # fmt: skip

ADDRESS = {
    "Name": "Ada Example", "Street": "1 Fictional Lane", "City": "Testville", "Zip": "'00000", "Country": "US",
}  # fmt: skip


def shopify(folder: Path, orders: int = 1_200, seed: int = 9, *, repeat_email: bool = True) -> Path:
    """Write an orders export: one row per item, and what is of the order on its first row only."""
    draw = dice(seed)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "orders_export_1.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, SHOPIFY, restval="")
        writer.writeheader()
        for number, (buyer, moment) in enumerate(purchases(orders, seed), 1001):
            email = f"buyer{buyer.number}@example.com"
            created = f"{moment:%Y-%m-%d %H:%M:%S} -0400"
            items = [(draw.randint(1, 3), draw.choice((16.0, 25.0, 48.5))) for _ in range(draw.choice((1, 1, 1, 2, 3)))]
            subtotal = sum(count * price for count, price in items)
            status = draw.choices(("paid", "partially_refunded", "refunded", "voided", "pending"), (90, 3, 3, 1, 3))[0]
            for line, (count, price) in enumerate(items):
                row: dict[str, object] = {
                    "Name": f"#{number}", "Created at": created, "Lineitem quantity": count,
                    "Lineitem name": "Fern print, A4", "Lineitem price": f"{price:.2f}",
                    "Lineitem sku": f"FERN-{int(price)}", "Lineitem requires shipping": "true",
                    "Lineitem taxable": "true", "Lineitem fulfillment status": "fulfilled", "Vendor": "Fern & Co",
                }  # fmt: skip
                if line == 0 or repeat_email:
                    row["Email"] = email
                if line == 0:
                    address = {
                        f"{whose} {part}": value for whose in ("Billing", "Shipping") for part, value in ADDRESS.items()
                    }
                    row |= address | {
                        "Financial Status": status, "Paid at": created if status != "pending" else "",
                        "Fulfillment Status": "fulfilled", "Accepts Marketing": "no", "Currency": "USD",
                        "Subtotal": f"{subtotal:.2f}", "Shipping": "6.00", "Taxes": f"{subtotal * 0.07:.2f}",
                        "Total": f"{subtotal * 1.07 + 6:.2f}", "Discount Amount": "0.00",
                        "Shipping Method": "Standard", "Billing Phone": "+12025550123", "Refunded Amount": "0.00",
                        "Id": 5_550_000_000 + number, "Source": draw.choice(("web", "pos")),
                        "Payment Method": "Shopify Payments",
                    }  # fmt: skip
                writer.writerow(row)
    return path
