"""`toolkit init`: what it takes files for, what it never loads, what it asks, and that its file works."""

from __future__ import annotations

import csv
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import toolkit as tk
import toolkit.data.presets
from tests.builders.dresses import shopify, taobao, workbook
from tests.builders.profiles import examples
from toolkit.__main__ import app
from toolkit.data.contents import date_formats, looked_at, personal_header
from toolkit.data.drafting import draft, quoted
from toolkit.data.headers import map_columns
from toolkit.data.peek import peek
from toolkit.data.presets import presets
from toolkit.data.recognise import recognise
from toolkit.data.survey import survey
from toolkit.errors import StudyFileError, ToolkitError
from toolkit.strict import read_yaml
from toolkit.study import Multiply, StudyFile, parse_study, read_study_file
from toolkit.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HERE = {"timezone": "Asia/Shanghai", "currency": "CNY"}


def run(*words: object, ends: int = 0) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == ends, result.output
    return result.output


def write(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def shop(folder: Path, header: str, *rows: str, name: str = "orders.csv") -> Path:
    return write(folder / name, [header.split(","), *(row.split(",") for row in rows)])


def texted(folder: Path) -> str:
    return draft(survey(folder), **HERE)


def drafted(folder: Path) -> StudyFile:
    """Return the draft as the strict reader reads it, and hold it against the headers of its own files."""
    place = folder / "drafted.yaml"
    place.write_text(texted(folder), encoding="utf-8")
    content = read_study_file(place)
    place.unlink()
    for table, spec in content.tables.items():
        sample = next(
            sample
            for path in sorted(folder.glob(spec.files[0]))
            for sample in peek(path)
            if spec.sheet in (None, sample.sheet)
        )
        stated = {name: said for name, said in spec.columns.items() if said is not None}
        if all(spec.columns.get(column.name, "") is not None for column in TABLES[table].columns if column.required):
            mapping, _ = map_columns(sample.headers, spec, TABLES[table], table)
            assert set(mapping) == set(stated), "the gate loads what the draft does not say"
    return content


# the three dresses


@pytest.mark.fault(31, 132)
@pytest.mark.parametrize("dress", [taobao, workbook, shopify])
def test_a_dress_is_checked_after_init_alone_and_nothing_personal_reaches_its_file(
    tmp_path: Path, dress: Callable[[Path, int], Path]
) -> None:
    folder = tmp_path / "exports"
    dress(folder, 800)
    file = folder / "study.yaml"
    said = run("init", folder, "--timezone", "Asia/Shanghai", "--currency", "USD" if dress is shopify else "CNY")
    assert f"toolkit check {file}" in said
    assert "toolkit report" in run("check", file)
    snapshot = tk.Study.open(file).snapshot("2026-10-31")
    assert len(snapshot) > 100
    assert (snapshot["spend"] > 0).mean() > 0.8
    text = file.read_text("utf-8")
    assert not re.search(r"1[39]9\d{8}|王芳|李伟|example\.com|tb_\d|u_0000|SF0000|Fictional|人民路|建国路", text)
    file.unlink()
    for table in drafted(folder).tables.values():
        sources = [source for source in table.columns.values() if source is not None]
        headers = [one for said in sources for one in (said.multiply if isinstance(said, Multiply) else (str(said),))]
        assert headers
        assert not [one for one in headers if re.search(r"姓名|手机|电话|地址|Phone|Street|Billing|Shipping", one)]


@pytest.mark.fault(151)
def test_the_workbook_is_two_tables_and_a_pivot(tmp_path: Path) -> None:
    workbook(tmp_path, 100)
    found = survey(tmp_path)
    assert {table: kind.found.sample.sheet for table, kind in found.tables.items()} == {
        "orders": "订单明细",
        "customers": "学员",
    }
    assert [kind.found.sample.sheet for kind in found.unknown] == ["透视表"]
    content = drafted(tmp_path)
    assert content.tables["orders"].sheet == "订单明细"
    assert content.tables["orders"].columns["ordered_at"] == "付款时间"
    assert content.tables["customers"].columns["region"] == "省份"


def test_taobao_takes_the_time_that_is_always_there(tmp_path: Path) -> None:
    taobao(tmp_path, 200)
    content = drafted(tmp_path)
    assert content.tables["orders"].columns["ordered_at"] == "订单创建时间"
    assert content.tables["orders"].columns["amount"] == "买家实际支付金额"
    assert "could also be: 订单付款时间 (blank in" in texted(tmp_path)


@pytest.mark.fault(147, 149)
def test_shopify_says_what_it_cannot_do(tmp_path: Path) -> None:
    shopify(tmp_path, 200, repeat_email=False)
    text = texted(tmp_path)
    assert "customer_id: Email  # personal" in text
    assert "amount: {multiply: [Lineitem quantity, Lineitem price]}" in text
    assert "discounts, shipping" in text
    assert "missing_customer" not in text
    content = drafted(tmp_path)
    assert content.tables["orders"].fill_down == ("customer_id", "status")
    assert content.statuses["paid"] == ("partially_refunded",)


@pytest.mark.fault(149)
def test_what_shopify_adds_up_is_the_items_of_paid_orders(tmp_path: Path) -> None:
    header = "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem price"
    rows = [
        "#1,a@x.org,paid,2026-01-05 10:00:00 -0400,USD,58.00,2026-01-05 10:00:00 -0400,2,16.00",
        "#1,a@x.org,,,,,2026-01-05 10:00:00 -0400,1,20.00",
        "#2,b@x.org,pending,,USD,31.00,2026-01-06 10:00:00 -0400,1,25.00",
    ]
    shop(tmp_path, header, *rows)
    run("init", tmp_path, "--timezone", "America/New_York", "--currency", "USD")
    snapshot = tk.Study.open(tmp_path / "study.yaml").snapshot("2026-01-31")
    assert snapshot["spend"].to_dict() == {"a@x.org": 52.0, "b@x.org": 0.0}
    assert snapshot["order_count"].to_dict() == {"a@x.org": 1, "b@x.org": 0}


# what is asked, and what is never touched


def test_time_zone_and_currency_are_asked_for_and_not_assumed(tmp_path: Path) -> None:
    taobao(tmp_path, 50)
    assert "set timezone: and currency: in" in run("init", tmp_path)
    place = tmp_path / "study.yaml"
    asked = {"timezone": ("Asia/Shanghai", r":6.*time zone.*Asia/Shanghai"), "currency": ("CNY", ":7.*currency")}
    for option, (value, message) in asked.items():
        with pytest.raises(StudyFileError, match=rf"study\.yaml{message}"):
            read_study_file(place)
        place.write_text(place.read_text("utf-8").replace(f'{option}: "?"', f"{option}: {value}"), encoding="utf-8")
    assert read_study_file(place).language == "zh"


def test_a_study_file_is_never_overwritten_and_a_wrong_option_writes_none(tmp_path: Path) -> None:
    taobao(tmp_path, 50)
    file = tmp_path / "study.yaml"
    for option, value in (("--timezone", "Asia/Beijing"), ("--currency", "yuan"), ("--timezone", "")):
        assert "Try:" in run("init", tmp_path, option, value, ends=1)
        assert not file.exists()
    file.write_text("mine", encoding="utf-8")
    assert "E-study-exists" in run("init", tmp_path, ends=1)
    assert file.read_text("utf-8") == "mine"


@pytest.mark.fault(4, 9, 10, 18)
def test_a_folder_without_orders_is_refused_with_a_hint(tmp_path: Path) -> None:
    contents = [
        ("", b""), ("orders.csv", b""), ("orders.csv", b"\x00\x01\x02"), ("orders.csv", b"PK\x03\x04"),
        ("orders.csv", "客户,时间\n".encode("utf-16-le")), ("orders.xlsx", b"no workbook"), ("orders.xlsx", b""),
        ("orders.parquet", b"PAR1"), ("orders.csv", b"customer_id,ordered_at,amount\n"), ("orders.docx", b"text"),
        ("stock.csv", b"sku,left\nA,1\nB,2\n"),
    ]  # fmt: skip
    for n, (name, content) in enumerate(contents):
        folder = tmp_path / str(n)
        folder.mkdir()
        if name:
            (folder / name).write_bytes(content)
        assert re.search(r"E-no-orders .+ Try: .+", run("init", folder, ends=1)), (name, content)
    assert "E-no-folder" in run("init", tmp_path / "none", ends=1)


@pytest.mark.fault(126)
@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    taobao(tmp_path, 50)
    tmp_path.chmod(0o500)
    try:
        assert "E-study-write" in run("init", tmp_path, ends=1)
    finally:
        tmp_path.chmod(0o700)


# which files


def test_monthly_files_become_one_pattern(tmp_path: Path) -> None:
    for month in ("01", "02", "03"):
        rows = (f"C1,2026-{month}-05,10", f"C2,2026-{month}-06,5")
        shop(tmp_path, "客户编号,付款时间,实付金额", *rows, name=f"orders-2026-{month}.csv")
    (tmp_path / "notes.docx").write_bytes(b"x")
    assert drafted(tmp_path).tables["orders"].files == ("orders-2026-0*.csv",)
    assert survey(tmp_path).ignored == {"notes.docx": "not CSV, TSV, TXT, XLSX or Parquet"}


def test_a_pattern_that_would_match_more_is_not_used(tmp_path: Path) -> None:
    for month in ("1", "2"):
        shop(tmp_path, "客户编号,付款时间,实付金额", f"C1,2026-01-0{month},10", name=f"orders-{month}.csv")
    shop(tmp_path, "货号,库存", "A,1", "B,2", name="orders-stock.csv")
    assert drafted(tmp_path).tables["orders"].files == ("orders-1.csv", "orders-2.csv")


def test_folders_right_below_are_looked_at_and_no_deeper(tmp_path: Path) -> None:
    shop(tmp_path, "客户编号,付款时间,实付金额", "C1,2026-01-05,10", name="2026/orders.csv")
    shop(tmp_path, "客户编号,注册时间,城市", "C1,2026-01-05,北京", name="2026/old/customers.csv")
    assert list(drafted(tmp_path).tables) == ["orders"]


def test_the_surer_of_two_kinds_of_orders_is_read_and_the_other_named(tmp_path: Path) -> None:
    taobao(tmp_path, 60)
    rows = ("a1,2026-01-05,10.5", "a2,2026-01-06,8.5", "a1,2026-01-07,8.5")
    shop(tmp_path, "who,when bought,how much", *rows, name="x.csv")
    text = texted(tmp_path)
    assert "files: ExportOrderList" in text
    assert "also looks like orders, not loaded: x.csv" in text


@pytest.mark.fault(25)
def test_every_table_is_recognised_by_its_headers(tmp_path: Path) -> None:
    exports = {
        "events": "user_id,event_time,event_type,page|u1,2026-01-05 10:00,view,p1|u1,2026-01-05 10:01,click,p1",
        "contacts": "external_userid,发送时间,渠道,活动名称,是否打开|w1,2026-01-05 10:00,企微,春节,是"
                    "|w2,2026-01-05 10:00,企微,春节,否",
        "surveys": "用户ID,提交时间,评分|u1,2026-01-05,9|u2,2026-01-05,3",
        "costs": "投放渠道,投放日期,花费|抖音,2026-01-05,300|抖音,2026-01-06,310",
        "memberships": "user_id,start_date,end_date|u1,2026-01-05,2027-01-05|u2,2026-01-05,2027-01-05",
        "customers": "用户ID,注册时间,城市,性别|u1,2026-01-05,北京,女|u2,2026-01-06,上海,男",
        "assignments": "experiment,user_id,group,date|e1,u1,A,2026-01-05|e1,u2,B,2026-01-05",
        "identities": "user_id,id_type,id_value|u1,openid,o1|u1,unionid,x1",
    }  # fmt: skip
    for table, text in exports.items():
        found = recognise(peek(shop(tmp_path, *text.split("|"), name="export.csv"))[0])
        assert (found.table, found.left_out) == (table, {})
        assert {len(choice.headers) for choice in found.columns.values()} == {1}, table


# which columns


@pytest.mark.fault(154)
def test_an_export_that_nobody_has_seen_gets_a_draft_with_its_guesses_marked(tmp_path: Path) -> None:
    rows = [f"k{n % 7:03d},{n % 28 + 1:02d}.0{n % 9 + 1}.2026,{n}.50 €,note {n}" for n in range(60)]
    shop(tmp_path, "Kunde,Kaufdatum,Betrag,Text", *rows, name="umsatz.csv")
    said = run("init", tmp_path, "--timezone", "Europe/Berlin", "--currency", "EUR")
    assert "orders, unsure" in said
    text = (tmp_path / "study.yaml").read_text("utf-8")
    for column in ("customer_id: Kunde", "ordered_at: Kaufdatum", "amount: Betrag"):
        assert re.search(rf"{column}  # unsure: guessed by content; values like", text), text
    assert 'date_formats: ["%d.%m.%Y"]' in text
    assert "holidays: none" in text
    assert "toolkit report" in run("check", tmp_path / "study.yaml")


@pytest.mark.parametrize(
    ("header", "column", "chosen", "other"),
    [
        ("客户编号,下单时间,付款时间,实付金额", "ordered_at", "付款时间", ("下单时间",)),
        ("客户编号,付款时间,订单金额,实付金额", "amount", "实付金额", ("订单金额",)),
        ("customer_id,created_at,paid_at,amount", "ordered_at", "paid_at", ()),
    ],
)
def test_what_was_paid_comes_before_what_was_ordered(
    tmp_path: Path, header: str, column: str, chosen: str, other: tuple[str, ...]
) -> None:
    cells = [
        "2026-01-05" if re.search("时间|_at", name) else "9.90" if re.search("金额|amount", name) else "C1"
        for name in header.split(",")
    ]
    choice = recognise(peek(shop(tmp_path, header, ",".join(cells), ",".join(cells)))[0]).columns[column]
    assert choice.headers == (chosen,)
    assert set(other) <= set(choice.others)
    drafted(tmp_path)


@pytest.mark.fault(132)
def test_a_telephone_is_never_an_id_unasked(tmp_path: Path) -> None:
    shop(tmp_path, "客户编号,付款时间,实付金额", "13800138000,2026-01-05,10", "13900139000,2026-01-06,12")
    assert drafted(tmp_path).tables["orders"].columns["customer_id"] is None
    text = texted(tmp_path)
    assert "# customer_id: 客户编号  # personal" in text
    assert "138" not in text
    assert "Next: set timezone: and currency: and customer_id: in" in run("init", tmp_path)
    (tmp_path / "study.yaml").write_text(text, encoding="utf-8")
    assert "customer_id" in run("check", tmp_path / "study.yaml", ends=1)


@pytest.mark.fault(132)
def test_personal_values_and_headers_are_told_by_their_form() -> None:
    kinds = {
        ("13800138000", "13900139001"): "telephone", ("+86 13800138000",): "telephone", ("138****8000",): "telephone",
        ("+12025550123",): "telephone", ("a@b.cn", "x.y@z.org"): "e-mail", ("11010519491231002X",): "ID card",
        ("110105194912310021",): "", ("2400000000000000001",): "", ("20260105103000",): "",
    }  # fmt: skip
    assert {values: looked_at(list(values)).personal for values in kinds} == kinds
    personal = [
        "收货人姓名",
        "手机号",
        "收货地址",
        "Email",
        "Billing Name",
        "Phone",
        "身份证号",
        "微信号",
        "Shipping Zip",
    ]
    others = ["商品名称", "Lineitem name", "订单编号", "课程名称", "渠道", "event_name", "会员等级", "amount"]
    assert [header for header in [*personal, *others] if personal_header(header)] == personal


@pytest.mark.fault(44, 45)
def test_date_formats_are_proposed_where_the_year_is_not_first() -> None:
    formats: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {
        ("2026-01-05", "2026/1/6 10:00"): (),
        ("13/01/2026 10:00", "01/02/2026 11:00"): (("%d/%m/%Y %H:%M",),),
        ("01/02/2026", "02/03/2026"): (("%d/%m/%Y",), ("%m/%d/%Y",)),
        ("Jan 5, 2026",): (("%b %d, %Y",),),
        ("05-Jan-2026 10:00",): (("%d-%b-%Y %H:%M",),),
        ("1/13/2026 1:05 PM",): (("%m/%d/%Y %I:%M %p",),),
    }
    assert {values: date_formats(list(values)) for values in formats} == formats


@pytest.mark.fault(44)
def test_dates_that_read_both_ways_are_left_to_the_analyst(tmp_path: Path) -> None:
    shop(tmp_path, "customer_id,ordered_at,amount", "C1,01/02/2026,10", "C2,02/03/2026,12")
    text = texted(tmp_path)
    assert '# date_formats: ["%d/%m/%Y"]' in text
    assert '# date_formats: ["%m/%d/%Y"]' in text
    assert drafted(tmp_path).tables["orders"].date_formats == ()


@pytest.mark.fault(60)
def test_a_decimal_comma_is_seen(tmp_path: Path) -> None:
    rows = [["customer_id", "ordered_at", "amount"], ["C1", "2026-01-05", "1.234,50"], ["C2", "2026-01-06", "7,95"]]
    write(tmp_path / "o.csv", rows)
    assert drafted(tmp_path).tables["orders"].decimal == ","


# policies and statuses


@pytest.mark.fault(36, 62)
def test_negative_amounts_are_asked_about(tmp_path: Path) -> None:
    rows = ("C1,2026-01-05,10", "C1,2026-01-06,-10", "C2,2026-01-07,5", ",2026-01-08,5")
    shop(tmp_path, "customer_id,ordered_at,amount", *rows)
    policies = drafted(tmp_path).policies
    assert (policies.negative_amounts, policies.missing_customer) == ("refund", "exclude")
    text = texted(tmp_path)
    assert "# unsure: 1 amounts are negative" in text
    assert "# negative_amounts: exclude" in text


@pytest.mark.fault(148)
@pytest.mark.parametrize(("first", "reading"), [("已支付", "refund_record"), ("", "reversed_order")])
def test_a_refunded_row_beside_a_paid_one_is_a_record(tmp_path: Path, first: str, reading: str) -> None:
    rows = [f"C1,2026-01-05,10,A1,{first}"] if first else []
    rows += ["C1,2026-01-06,10,A1,已退款", "C2,2026-01-07,5,A2,已支付"]
    shop(tmp_path, "客户编号,付款时间,实付金额,订单号,订单状态", *rows)
    assert drafted(tmp_path).policies.refunded_rows == reading


@pytest.mark.fault(153)
def test_unknown_statuses_are_listed_as_unsure(tmp_path: Path) -> None:
    shop(
        tmp_path, "客户编号,付款时间,实付金额,订单状态",
        "C1,2026-01-05,10,待评价", "C2,2026-01-06,10,用户取消了", "C3,2026-01-07,10,已支付", "C4,2026-01-07,10,退款中",
    )  # fmt: skip
    content = drafted(tmp_path)
    assert content.statuses == {"paid": ("待评价",), "cancelled": ("用户取消了",), "refunded": ("退款中",)}
    assert '# unsure: "待评价" (1 rows) taken for paid' in texted(tmp_path)


def test_free_text_in_a_status_column_is_not_written_down(tmp_path: Path) -> None:
    rows = [f"C{n},2026-01-05,10,note about person {n}" for n in range(40)]
    shop(tmp_path, "customer_id,ordered_at,amount,status", *rows)
    assert "note about" not in texted(tmp_path)
    assert drafted(tmp_path).tables["orders"].columns["status"] is None


@pytest.mark.fault(17)
def test_a_header_that_is_there_twice_is_named(tmp_path: Path) -> None:
    shop(tmp_path, "customer_id,ordered_at,amount,amount", "C1,2026-01-05,10,9", "C2,2026-01-06,12,11")
    assert "the header amount is there twice" in run("init", tmp_path, ends=1)


@pytest.mark.fault(11)
def test_a_bill_with_backticks_and_totals_is_recognised(tmp_path: Path) -> None:
    header = "交易时间,微信订单号,商户订单号,用户标识,交易状态,订单金额"
    rows = [f"`2026-01-0{n} 10:00:00,`42{n},`S{n},`oA{n % 2},`SUCCESS,`9.90" for n in range(1, 6)]
    shop(tmp_path, header, *rows, "总交易单数,应结订单总金额", "`5,`49.50")
    found = survey(tmp_path).tables["orders"].found
    assert (found.sure, found.sample.rows, found.preset and found.preset.headers_known) == ("sure", 5, True)
    assert found.columns["ordered_at"].headers == ("交易时间",)


# presets


def test_presets_are_strict_say_where_their_headers_are_from_and_map_known_columns() -> None:
    content, _ = read_yaml(Path(str(toolkit.data.presets.__file__)).with_suffix(".yaml"))
    assert list(content) == list(presets())
    for name, preset in presets().items():
        known = {column.name for column in TABLES[preset.table].columns}
        assert set(preset.columns) | set(preset.multiply) <= known, name
        assert len(preset.source) > 20, name
        assert "http" not in preset.model_dump_json(), name
        parse_study(
            HERE
            | {"name": "x", "statuses": {word: list(texts) for word, texts in preset.statuses.items()}}
            | {"policies": preset.policies, "tables": {"orders": {"files": "o.csv"}}}
        )
    names = " ".join(preset.zh + preset.en for preset in presets().values())
    for platform in ("小鹅通", "有赞", "企业微信", "抖店", "淘宝", "微信支付", "Shopify", "WooCommerce", "支付宝"):
        assert platform in names


def test_unknown_real_headers_are_said_in_the_study_file(tmp_path: Path) -> None:
    rows = ("o1,u1,课,2026-01-05,9.9,已支付", "o2,u2,课,2026-01-05,9.9,已支付")
    shop(tmp_path, "订单号,用户ID,商品名称,支付时间,实付金额,订单状态", *rows)
    assert "UNSURE: ITS REAL HEADERS ARE NOT KNOWN" in texted(tmp_path)


# whatever the headers are

WORDS = [alias for table in TABLES.values() for column in table.columns for alias in (column.name, *column.aliases)]
ODD = [
    "手机号",
    "姓名",
    "Email",
    "a: b",
    "- x",
    "#",
    "yes",
    "1.0",
    "null",
    "{x}",
    "[y]",
    "'",
    '"',
    "x #y",
    "=1+1",
    "{{a}}",
]
VALUES = ["2026-01-05", "2026-02-06 10:00", "05/01/2026", "9.90", "¥12", "-3", "1.234,50", "C1", "C2", "A-7", "",
          "已支付", "是"]  # fmt: skip
HEADER = st.one_of(
    st.sampled_from(WORDS),
    st.sampled_from([header for preset in presets().values() for header in preset.fingerprint]),
    st.sampled_from(ODD),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
)
CELL = st.one_of(st.sampled_from(VALUES), st.text(st.characters(codec="utf-8"), max_size=8))


@settings(examples(dev=40, ci=120), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(headers=st.lists(HEADER, min_size=1, max_size=9), data=st.data())
def test_any_mix_of_headers_gives_a_draft_that_reads_or_a_refusal_with_a_hint(
    tmp_path_factory: pytest.TempPathFactory, headers: list[str], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    rows = data.draw(st.lists(st.lists(CELL, min_size=len(headers), max_size=len(headers)), min_size=1, max_size=6))
    write(folder / "orders.csv", [list(headers), *rows])
    hints = ["none needed"]
    try:
        drafted(folder)
    except ToolkitError as error:
        hints.append(error.hint)
    assert all(hints)


@examples(dev=50, ci=100)
@given(st.text(st.characters(codec="utf-8")))
def test_whatever_is_quoted_reads_back(text: str) -> None:
    assert yaml.safe_load(f"a: {quoted(text)}") == {"a": text}
