"""The whole main job as its users do it: in Chromium, with mouse, keyboard and eyes only."""

import csv
import io
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from stdnum.cn import ric, uscc

from tests.fixtures.browsing import DESK, PHONE, Court, Person, chromium, open_browser
from tests.fixtures.running import Product, code_in

pytestmark = pytest.mark.browser

TIP_WORDS = ("线索", "举报", "值班员")
HEAD = "案号,立案日期,执行依据文号,作出机关,案由,执行标的金额,当事人地位,姓名或名称,证件类型,证件号码,手机号码,电子邮箱,同意电子送达,送达地址确认日期,法定代理人,法定代理人手机,送达地址,委托代理人,代理人手机,应履行义务"
OLD_STOCK = [
    ("2026-06-14", "买卖合同纠纷"),
    ("2026-08-26", "民间借贷纠纷"),
    ("2026-10-19", "建设工程施工合同纠纷"),
    ("2026-11-12", "房屋租赁合同纠纷"),
]


@dataclass(frozen=True)
class Someone:
    """A party of the filed case."""

    name: str
    id_kind: str
    id_number: str
    phone: str
    email: str = ""


def resident_id(serial: int) -> str:
    """A number with a real date and a right check digit."""
    body = f"50010319900101{serial:03d}"
    return body + str(ric.calc_check_digit(body + "0"))


def company_code(serial: int) -> str:
    body = f"91500103MA5U{serial:05d}"
    return body + str(uscc.calc_check_digit(body + "0"))


APPLICANT = Someone("陈示例", "居民身份证", resident_id(11), "19770000011", "applicant@example.com")
RESPONDENT = Someone("重庆示例建材有限公司", "统一社会信用代码", company_code(12), "19770000012")


@pytest.fixture(scope="module")
def court(product: Product) -> Iterator[Court]:
    executable = chromium()
    if executable is None and "CI" in os.environ:
        pytest.fail("没有找到 Chromium：持续集成中必须安装。")
    if executable is None:
        pytest.skip("没有找到 Chromium，浏览器测试未运行。")
    pictures = os.environ.get("YANGGUANG_PICTURES")
    expect.set_options(timeout=15_000)
    with open_browser(executable) as browser:
        yield Court(browser, product.url, product.sandbox_url, Path(pictures) if pictures else None)


def sign_in(person: Person, product: Product, login: str) -> None:
    page = person.page
    page.goto("/sign-in")
    person.look("sign-in")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码", exact=True).fill(product.password(login))
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("link", name=re.compile("修改密码")).first).to_be_attached()


def party_form(page: Page, number: int, who: Someone) -> Locator:
    """Fill in what every party has; the fields of one party stand in one group."""
    group = page.get_by_role("group", name=re.compile(f"^第{number}名当事人"))
    group.get_by_label("姓名或名称").fill(who.name)
    group.get_by_role("radio", name=who.id_kind).check()
    group.get_by_label("证件号码").fill(who.id_number)
    group.get_by_label("手机号码（选填）").fill(who.phone)
    group.get_by_label("电子邮箱（选填）").fill(who.email)
    group.get_by_role("radio", name="同意" if who.email else "不同意", exact=True).check()
    group.get_by_label("送达地址（选填）").fill("重庆市渝中区示例路1号")
    return group


def file_case(clerk: Person) -> str:
    """A case with one applicant (electronic service) and one respondent (paper), assigned by the rule; its number."""
    page = clerk.page
    page.get_by_role("link", name="立案", exact=True).click()
    clerk.look("cases-before")
    page.get_by_role("link", name="登记新案").first.click()
    page.get_by_label("执行依据文号").fill("（2025）渝05民终8685号")
    page.get_by_label("案由").fill("民间借贷纠纷")
    page.get_by_label("执行标的金额（选填）").fill("624998.14")
    page.get_by_label("应履行义务（选填）").fill("向申请执行人支付人民币624998.14元及逾期利息")
    party_form(page, 1, APPLICANT).get_by_label("送达地址确认日期（选填）").fill("2026-11-01")
    party_form(page, 2, RESPONDENT)
    clerk.look("case-new")
    page.get_by_role("radio", name="自动分案").check()
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("案件已登记")).to_be_visible()
    return page.get_by_role("heading", level=1).inner_text()


def read_case_page(clerk: Person) -> None:
    """The clocks and every tab are there."""
    page = clerk.page
    clocks = page.get_by_role("table", name="期限")
    expect(clocks.get_by_role("row", name=re.compile("分案|确定承办"))).to_contain_text("完成")
    expect(clocks).to_contain_text("第二百三十七条")
    clerk.look("case")
    tabs = page.get_by_role("navigation", name="本页内容")
    tabs.get_by_role("link", name="通知").click()
    expect(page.get_by_role("heading", name=re.compile("^被执行人"))).to_be_visible()
    expect(page.get_by_role("link", name="执行通知书")).to_be_visible()
    clerk.look("case-notices")
    tabs.get_by_role("link", name="待办").click()
    expect(page.get_by_text("本案没有待办事项")).to_be_visible()
    clerk.look("case-tasks")


def read_log(judge: Person, case_number: str) -> None:
    page = judge.page
    page.get_by_role("link", name=case_number, exact=True).click()
    page.get_by_role("navigation", name="本页内容").get_by_role("link", name="执行日志").click()
    expect(page.get_by_text("执行日志完整")).to_be_visible()
    judge.look("case-log")


def stock_file() -> bytes:
    """Cases of an old stock, a row per party; the last row's ID number has a wrong check digit."""
    rows = []
    for at, (filed_on, cause) in enumerate(OLD_STOCK):
        head = [
            f"（2026）渝05执{7101 + at}号",
            filed_on,
            "（2025）渝05民初77号",
            "重庆市第五中级人民法院",
            cause,
            "80000.00",
        ]
        for role, name, number in (("申请执行人", "王示例", 20 + at), ("被执行人", "李示例", 40 + at)):
            person = [role, name, "居民身份证", resident_id(number), f"197700001{number}", "", "否", "", "", ""]
            rows.append([*head, *person, "重庆市渝中区示例路2号", "", "", "支付人民币80000.00元"])
    right = rows[-1][9]
    rows[-1][9] = right[:-1] + ("1" if right[-1] != "1" else "2")
    text = io.StringIO()
    csv.writer(text).writerows([HEAD.split(","), *rows])
    return text.getvalue().encode()


def import_stock(clerk: Person) -> None:
    page = clerk.page
    page.get_by_role("link", name="批量导入").first.click()
    clerk.look("import")
    page.get_by_label("表格").set_input_files({"name": "存量案件.csv", "mimeType": "text/csv", "buffer": stock_file()})
    page.get_by_role("checkbox", name="存量迁移").check()
    page.get_by_role("button", name="开始导入").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("导入完毕")).to_be_visible()
    fault = page.get_by_role("table", name="需要处理的内容").get_by_role("row").nth(1)
    expect(fault).to_contain_text("9")
    expect(fault).to_contain_text("证件号码")
    expect(fault).to_contain_text("校验")
    clerk.look("import-report")


def read_sms(person: Person, sandbox_url: str, phone: str, holding: str) -> str:
    """The newest SMS on somebody's phone, which says `holding`."""
    page = person.page
    page.goto(f"{sandbox_url}/sandbox")
    page.get_by_label("查找手机号码或邮箱").fill(phone)
    page.get_by_role("button", name="查找").click()
    thread = page.get_by_role("region", name="短信内容")
    bubble = thread.get_by_role("listitem").filter(has_text=holding).last
    expect(bubble).to_be_visible()
    expect(bubble).to_contain_text("已送达")
    return bubble.inner_text()


def watch_the_desk(duty: Person) -> None:
    """From now on the desk's page notes when it first showed each row, in ms of the machine's clock."""
    expect(duty.page.get_by_role("heading", name="值班台")).to_be_attached()
    duty.page.evaluate(
        """() => {
          window.shownAt = new Map();
          const look = () => document.querySelectorAll("[data-row]").forEach((row) => {
            if (!window.shownAt.has(row.dataset.row)) window.shownAt.set(row.dataset.row, performance.timeOrigin + performance.now());
          });
          look();
          new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
        }"""
    )


def send_tip(visitor: Person) -> tuple[str, str, float]:
    """A tip on the public form: the receipt, the tip's number, and when the answer was there."""
    page = visitor.page
    page.goto("/")
    visitor.look("portal")
    page.get_by_role("link", name="提供线索").click()
    page.get_by_label("请写下您知道的情况").fill("被执行人在渝中区示例小区有一处房产，登记在亲属名下，现由其本人居住。")
    visitor.look("tip-form")
    page.get_by_role("button", name="提交线索").click()
    expect(page.get_by_role("heading", name="已收到您的线索")).to_be_visible()
    receipt = page.get_by_text(re.compile(r"^\w{4}(-\w{4}){3}$")).inner_text()
    number = re.search(r"线索编号：(\d+)", page.get_by_role("main").inner_text())
    assert number
    answered = page.evaluate("performance.timeOrigin + performance.getEntriesByType('navigation')[0].responseEnd")
    visitor.look("tip-receipt")
    return receipt, number[1], answered


def work_the_desk(duty: Person, tip_number: str, answered: float, case_number: str) -> None:
    """Take, accept, record: by the keys that the page offers, and never the mouse."""
    page = duty.page
    row = desk_rows(page).filter(has_text=tip_number)
    expect(row).to_be_visible()
    shown = page.evaluate("id => window.shownAt.get(id)", row.get_attribute("data-row"))
    assert shown - answered < 1000
    expect(page.get_by_text(f"新来件：可供执行财产 线索 {tip_number}")).to_be_visible()
    duty.look("desk-new")
    choose(page, row)
    page.keyboard.press("t")
    field = page.get_by_label("关联案号")
    expect(field).to_be_focused()
    duty.look("desk-taken")
    page.keyboard.press("Escape")
    choose(page, row)
    page.keyboard.press("a")
    expect(field).to_be_focused()
    page.keyboard.type(case_number)
    page.keyboard.press("Enter")
    deed = page.get_by_label("已采取的行动")
    expect(deed).to_be_focused()
    expect(row).to_contain_text("23:5")
    duty.look("desk-accepted")
    page.keyboard.press("Escape")
    choose(page, row)
    page.keyboard.press("r")
    expect(deed).to_be_focused()
    page.keyboard.type("已到现场核实并查封该房产，制作查封笔录。")
    page.keyboard.press("Control+Enter")
    expect(row).to_have_count(0)
    duty.look("desk-done")
    duty.page.get_by_role("link", name="已办结").click()
    expect(page.get_by_role("row").filter(has_text=tip_number)).to_contain_text("已行动，按时")
    duty.look("desk-closed")


def desk_rows(page: Page) -> Locator:
    return page.get_by_role("region", name="待办事项").get_by_role("article")


def choose(page: Page, row: Locator) -> None:
    """Walk the list from its top until the row has the focus."""
    rows = desk_rows(page)
    for _ in range(rows.count()):
        page.keyboard.press("ArrowUp")
    for _ in range(rows.count()):
        if row.evaluate("row => row === document.activeElement"):
            return
        page.keyboard.press("ArrowDown")
    expect(row).to_be_focused()


def ask_by_receipt(visitor: Person, receipt: str) -> None:
    page = visitor.page
    page.get_by_role("link", name="查询处理情况").click()
    page.get_by_label("回执号").fill(receipt)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("已处理")).to_be_visible()
    visitor.look("tip-status")


def enter_as_party(applicant: Person, code: str) -> None:
    page = applicant.page
    page.goto("/p")
    applicant.look("party-entry")
    page.get_by_label("查询码").fill(code)
    page.get_by_label("证件号码的后六位").fill(APPLICANT.id_number[-6:])
    page.get_by_role("button", name="查看我的案件").click()


def section(page: Page, heading: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=heading))


def read_party_page(applicant: Person, case_number: str) -> str:
    """Period, what is next and when, the judge's telephone, what was done; the number of an opened document."""
    page = applicant.page
    expect(page.get_by_role("heading", name=case_number)).to_be_visible()
    expect(page.get_by_role("list", name="执行进程的三个阶段")).to_contain_text("执行查证期")
    expect(page.get_by_role("paragraph").filter(has_text="最迟")).to_contain_text(re.compile(r"\d{4}年\d+月\d+日"))
    judge = page.get_by_role("listitem").filter(has_text="承办法官").get_by_role("link")
    expect(judge).to_have_attribute("href", re.compile("^tel:023-"))
    done = section(page, "已经做了什么")
    expect(done).to_contain_text("进展")
    for word in TIP_WORDS:
        expect(done).not_to_contain_text(word)
    applicant.look("party")
    document = page.get_by_role("link", name="执行案件受理通知书").first
    number = re.search(r"编号 ([\d -]{16,})", section(page, "法院文书").inner_text())
    assert number
    document.click()
    expect(page.get_by_role("main")).to_contain_text(case_number)
    applicant.look("letter")
    return number[1]


def verify(stranger: Person, number: str) -> None:
    page = stranger.page
    page.goto("/verify")
    page.get_by_label("文书编号").fill(number)
    page.get_by_label("收件手机号的后四位").fill(APPLICANT.phone[-4:])
    page.get_by_role("button", name="核对").click()
    expect(page.get_by_text("这份通知是本院制作的")).to_be_visible()
    stranger.look("verify")


def test_the_main_job(court: Court, product: Product) -> None:
    with court.person() as clerk, court.person() as duty, court.person(PHONE) as visitor:
        sign_in(duty, product, "duty")
        watch_the_desk(duty)
        sign_in(clerk, product, "clerk")
        case_number = file_case(clerk)
        read_case_page(clerk)
        import_stock(clerk)
        receipt, tip_number, answered = send_tip(visitor)
        work_the_desk(duty, tip_number, answered, case_number)
        ask_by_receipt(visitor, receipt)
        with court.person(PHONE) as applicant:
            code = code_in(read_sms(applicant, court.sandbox_url, APPLICANT.phone, "查询码"))
            applicant.look("sandbox")
            assert "进展" in read_sms(applicant, court.sandbox_url, APPLICANT.phone, "进展")
            enter_as_party(applicant, code)
            number = read_party_page(applicant, case_number)
        with court.person(PHONE, "dark") as stranger:
            verify(stranger, number)
        with court.person() as judge:
            sign_in(judge, product, "judge")
            walk(judge, {"我的工作": "work", "进程": "stages", "立案": "cases"})
            read_log(judge, case_number)
        walk(clerk, {"通知": "notices", "纸质送达": "paper", "待核实发送": "unknown"})


def walk(person: Person, entries: dict[str, str]) -> None:
    """Through the rail, entry by entry."""
    for word, name in entries.items():
        person.page.get_by_role("navigation", name="主菜单").get_by_role("link", name=word, exact=True).click()
        expect(person.page.get_by_role("heading", level=1)).to_be_visible()
        person.look(name)


def test_a_faulty_form_says_everything_at_once_and_keeps_what_was_typed(court: Court, product: Product) -> None:
    with court.person() as clerk:
        sign_in(clerk, product, "clerk")
        page = clerk.page
        page.goto("/cases/new")
        page.get_by_label("案由").fill("民间借贷纠纷")
        page.get_by_label("执行标的金额（选填）").fill("-5")
        page.get_by_role("button", name="登记", exact=True).click()
        summary = page.get_by_role("alert").filter(has_text="请改正以下内容")
        expect(summary).to_be_visible()
        clerk.look("faults")
        assert page.get_by_label("案由").input_value() == "民间借贷纠纷"
