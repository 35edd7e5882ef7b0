"""What the clerk, the duty officer and the judge do at the court's pages, by what they see."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import APPLICANT, RESPONDENT, Someone, days_ago, fill_in
from tests.fixtures.browsing import Person
from tests.fixtures.running import Product

NOTE_FIRST_SIGHT = """() => {
  window.shownAt = new Map();
  const now = () => performance.timeOrigin + performance.now();
  const look = () => document.querySelectorAll("[data-row]").forEach((row) => {
    if (!window.shownAt.has(row.dataset.row)) window.shownAt.set(row.dataset.row, now());
  });
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
}"""


def sign_in(person: Person, product: Product, login: str) -> None:
    page = person.page
    page.goto("/sign-in")
    page.get_by_label("登录名").fill(login)
    page.get_by_label("密码", exact=True).fill(product.password(login))
    page.get_by_role("button", name="登录").click()
    code = product.code(login)
    if code is not None:
        page.get_by_label("验证码", exact=True).fill(code)
        page.get_by_role("button", name="继续").click()
    expect(page.get_by_role("link", name=re.compile("修改密码")).first).to_be_attached()


def walk(person: Person, entries: dict[str, str]) -> None:
    """Through the rail, entry by entry."""
    for word, name in entries.items():
        rail = person.page.get_by_role("navigation", name="主菜单")
        rail.get_by_role("link", name=word, exact=True).click()
        expect(rail.get_by_role("link", name=word, exact=True)).to_have_attribute("aria-current", "page")
        person.look(name)


def open_new_case(clerk: Person) -> Page:
    """The empty form, with the facts of the case filled in."""
    page = clerk.page
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="立案", exact=True).click()
    page.get_by_role("link", name="登记新案").first.click()
    page.get_by_label("执行依据文号").fill("（2025）渝05民终8685号")
    page.get_by_label("案由").fill("民间借贷纠纷")
    page.get_by_label("收到申请的日期（选填）").fill(days_ago(3))
    page.get_by_label("执行标的金额（选填）").fill("624998.14")
    page.get_by_label("应履行义务（选填）").fill("向申请执行人支付人民币624998.14元及逾期利息")
    return page


def party_form(page: Page, number: int, who: Someone) -> Locator:
    """What every party has; the fields of one party stand in one group."""
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
    page = open_new_case(clerk)
    clerk.look("case-new")
    party_form(page, 1, APPLICANT).get_by_label("送达地址确认日期（选填）").fill("2026-11-01")
    party_form(page, 2, RESPONDENT)
    page.get_by_role("radio", name="自动分案").check()
    page.get_by_role("button", name="登记", exact=True).click()
    expect(page.get_by_text("案件已登记")).to_be_visible()
    return page.get_by_role("heading", level=1).inner_text()


def read_case_page(clerk: Person) -> None:
    """The clocks and every tab are there."""
    page = clerk.page
    clocks = page.get_by_role("table", name="期限")
    expect(clocks.get_by_role("row", name=re.compile("^确定承办人"))).to_contain_text("完成")
    expect(clocks.get_by_role("row", name=re.compile("^法定执行期限"))).to_contain_text("第一条")
    expect(clocks.get_by_text("第二百三十七条")).to_be_visible()
    clerk.look("case")
    tabs = page.get_by_role("navigation", name="本页内容")
    tabs.get_by_role("link", name="通知").click()
    expect(page.get_by_role("heading", name=re.compile("^申请执行人"))).to_be_in_viewport()
    expect(page.get_by_role("link", name="执行通知书")).to_be_visible()
    clerk.look("case-notices", tabs)
    tabs.get_by_role("link", name="待办").click()
    expect(page.get_by_text("本案没有待办事项")).to_be_visible()
    clerk.look("case-tasks", tabs)
    page.go_back()
    expect(page.get_by_role("heading", name=re.compile("^申请执行人"))).to_be_in_viewport()


def import_stock(clerk: Person) -> None:
    """The court's own template with an old stock, one row of it faulty: progress, then the report."""
    page = clerk.page
    page.get_by_role("navigation", name="主菜单").get_by_role("link", name="批量导入").click()
    clerk.look("import")
    with page.expect_download() as download:
        page.get_by_role("link", name="下载空白模板").click()
    content = fill_in(download.value.path())
    page.get_by_label("表格").set_input_files({"name": "存量案件.csv", "mimeType": "text/csv", "buffer": content})
    expect(page.get_by_role("button", name="上传并预览")).to_be_visible()
    page.get_by_role("radio", name="存量迁移，直接导入").check()
    page.get_by_role("button", name="直接导入，不预览").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.get_by_text("导入完毕")).to_be_visible()
    faults = page.get_by_role("table", name="需要处理的内容").get_by_role("row")
    expect(faults).to_have_count(2)
    expect(faults.nth(1)).to_have_text(re.compile("9.*证件号码.*校验.*7104号", re.DOTALL))
    clerk.look("import-report")


def read_log(judge: Person, case_number: str) -> None:
    page = judge.page
    page.get_by_role("link", name=case_number, exact=True).click()
    tabs = page.get_by_role("navigation", name="本页内容")
    tabs.get_by_role("link", name="执行日志").click()
    expect(page.get_by_text("执行日志完整", exact=True)).to_be_in_viewport()
    judge.look("case-log", tabs)


def open_desk(duty: Person) -> None:
    """From now on the page notes when it first showed each row, in ms of the machine's clock."""
    expect(desk_rows(duty.page)).to_have_count(2)
    duty.page.evaluate(NOTE_FIRST_SIGHT)


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


def see_arrival(duty: Person, tip_number: str, answered: float) -> Locator:
    """The tip's row, which was there within a second after its sender had the answer."""
    page = duty.page
    row = desk_rows(page).filter(has_text=tip_number)
    expect(row).to_be_visible()
    shown = page.evaluate("id => window.shownAt.get(id)", row.get_attribute("data-row"))
    assert shown - answered < 1000
    expect(page.get_by_text(f"新来件：可供执行财产 线索 {tip_number}")).to_be_visible()
    expect(row.get_by_role("timer")).to_contain_text(re.compile("还剩 00:(29|30):"))
    duty.look("desk-new")
    return row


def work_the_desk(duty: Person, row: Locator, case_number: str) -> None:
    """Take, accept, record: by the keys that the page offers, and never the mouse."""
    page = duty.page
    case, deed = page.get_by_label("关联案号"), page.get_by_label("已采取的行动")
    choose(page, row)
    page.keyboard.press("t")
    expect(case).to_be_focused()
    duty.look("desk-taken")
    page.keyboard.press("Escape")
    choose(page, row)
    page.keyboard.press("a")
    expect(case).to_be_focused()
    page.keyboard.type(case_number)
    page.keyboard.press("Enter")
    expect(deed).to_be_focused()
    expect(row.get_by_role("timer")).to_contain_text("还剩 23:5")
    page.keyboard.press("Escape")
    choose(page, row)
    page.keyboard.press("r")
    expect(deed).to_be_focused()
    page.keyboard.type("已到现场核实并查封该房产，制作查封笔录。")
    duty.look("desk-deed")
    page.keyboard.press("Control+Enter")
    expect(row).to_have_count(0)
    duty.look("desk-done")


def see_closed(duty: Person, tip_number: str) -> None:
    page = duty.page
    page.get_by_role("link", name="已办结").click()
    expect(page.get_by_role("row").filter(has_text=tip_number)).to_contain_text("已行动，按时")
    duty.look("desk-closed")
    page.get_by_role("link", name="大屏").click()
    expect(desk_rows(page).first).to_be_visible()
    duty.look("desk-wall")
