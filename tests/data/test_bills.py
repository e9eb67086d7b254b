"""A merchant's bill as WeChat Pay writes it: a backtick before every cell, heads of totals and their figures below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.testing import CliRunner

import toolkit as tk
from toolkit.__main__ import app

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ",".join(
    [
        *("交易时间", "公众账号ID", "商户号", "微信订单号", "商户订单号", "用户标识", "交易类型", "交易状态"),
        *("付款银行", "货币种类", "应结订单金额", "退款金额", "商品名称", "手续费", "订单金额"),
    ]
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,手续费总金额,订单总金额\n`40,`3960.00,`0.00,`24.00,`3960.00\n"


def bill(folder: Path) -> Path:
    rows = [
        f"2026-03-{n % 27 + 1:02d} 10:00:{n:02d},wx1,160,4200{n:012d},M{n:04d},oU{n % 8:04d},JSAPI,SUCCESS,OTHERS,CNY,"
        f"99.00,0.00,课程,0.60,99.00"
        for n in range(40)
    ]
    marked = [",".join(f"`{cell}" for cell in row.split(",")) for row in rows]
    (folder / "bill.csv").write_text("\n".join([HEADER, *marked, TOTALS]), "utf-8")
    return folder


def test_init_and_check_read_a_whole_bill(tmp_path: Path) -> None:
    for command in (
        ["init", str(bill(tmp_path)), "--timezone", "Asia/Shanghai", "--currency", "CNY"],
        ["check", str(tmp_path / "study.yaml")],
    ):
        ended = CliRunner().invoke(app, command)
        assert ended.exit_code == 0, ended.output
    study = tk.Study.open(tmp_path / "study.yaml")
    assert study.ledger.set_index("reason")["rows"].to_dict() == {"order": 40, "footer": 2}
    found = study.snapshot("2026-12-31", columns=["order_count", "spend"])
    assert found.loc["oU0001"].to_dict() == {"order_count": 5, "spend": 495.0}


def test_a_short_line_that_is_not_under_heads_of_totals_is_quarantined(tmp_path: Path) -> None:
    file = bill(tmp_path) / "bill.csv"
    file.write_text(file.read_text("utf-8") + "`40,`3960.00\n", "utf-8")
    CliRunner().invoke(app, ["init", str(tmp_path), "--timezone", "Asia/Shanghai", "--currency", "CNY"])
    study = tk.Study.open(tmp_path / "study.yaml")
    assert study.ledger.set_index("reason")["rows"].to_dict() == {"order": 40, "footer": 2, "ragged_row": 1}
