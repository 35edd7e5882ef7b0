"""What a tipster, a party and a stranger do at the public pages and on their phones, by what they see."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.people import APPLICANT
from tests.fixtures.browsing import Person

TIP_WORDS = ("线索", "举报", "值班员")


def read_sms(person: Person, sandbox_url: str, phone: str, holding: str) -> str:
    """The newest SMS on somebody's phone that says `holding`, with its receipt."""
    page = person.page
    page.goto(f"{sandbox_url}/sandbox")
    page.get_by_label("查找手机号码或邮箱").fill(phone)
    page.get_by_role("button", name="查找").click()
    bubble = page.get_by_role("region", name="短信内容").get_by_role("listitem").filter(has_text=holding).last
    expect(bubble).to_contain_text("已送达")
    return bubble.inner_text()


def send_tip(visitor: Person) -> tuple[str, str, float]:
    """A tip on the public form: the receipt, the tip's number, and when the answer was there."""
    page = visitor.page
    page.goto("/")
    visitor.look("portal")
    page.get_by_role("link", name="提供线索").click()
    page.get_by_role("radio", name="我知道被执行人的财产").check()
    page.get_by_label("请写下您知道的情况").fill("被执行人在渝中区示例小区有一处房产，登记在亲属名下，现由其本人居住。")
    visitor.look("tip-form")
    page.get_by_role("button", name="提交线索").click()
    expect(page.get_by_role("heading", name="已收到您的线索")).to_be_visible()
    answered = page.evaluate("performance.timeOrigin + performance.getEntriesByType('navigation')[0].responseEnd")
    receipt = page.get_by_text(re.compile(r"^\w{4}(-\w{4}){3}$")).inner_text()
    number = re.search(r"线索编号：(\d+)", page.get_by_role("main").inner_text())
    assert number
    return receipt, number[1], answered


def ask_by_receipt(visitor: Person, receipt: str) -> None:
    page = visitor.page
    visitor.look("tip-receipt")
    page.get_by_role("link", name="查询处理情况").click()
    page.get_by_label("回执号").fill(receipt)
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_text("已处理")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="已采取行动")).to_be_visible()
    visitor.look("tip-status")


def enter(applicant: Person, code: str) -> None:
    page = applicant.page
    page.goto("/p")
    applicant.look("party-entry")
    page.get_by_label("查询码").fill(code)
    page.get_by_label("证件号码的后六位").fill(APPLICANT.id_number[-6:])
    page.get_by_role("button", name="查看我的案件").click()


def section(page: Page, heading: str) -> Locator:
    return page.locator("section").filter(has=page.get_by_role("heading", name=heading))


def read_party_page(applicant: Person, case_number: str) -> None:
    """Period, what is next and when, the judge's telephone, what was done: and no word of a tip in it."""
    page = applicant.page
    expect(page.get_by_role("heading", name=case_number)).to_be_visible()
    expect(page.get_by_role("list", name="执行进程的三个阶段")).to_contain_text("执行查证期")
    expect(page.get_by_role("paragraph").filter(has_text="最迟")).to_contain_text(re.compile(r"\d{4}年\d+月\d+日"))
    judge = page.get_by_role("listitem").filter(has_text="承办法官").get_by_role("link")
    expect(judge).to_have_attribute("href", re.compile("^tel:023-"))
    done = section(page, "已经做了什么").get_by_role("listitem")
    expect(done.first).to_be_visible()
    for word in TIP_WORDS:
        expect(done.filter(has_text=word)).to_have_count(0)
    applicant.look("party")
    applicant.look("party-done", section(page, "已经做了什么"))


def open_document(applicant: Person, case_number: str) -> str:
    """Opens the notice of acceptance; its number."""
    page = applicant.page
    entry = section(page, "法院文书").get_by_role("listitem").filter(has_text="受理")
    number = re.search(r"编号 ([\d -]{16,})", entry.inner_text())
    assert number
    entry.get_by_role("link").first.click()
    expect(page.get_by_role("article").first).to_contain_text(case_number)
    applicant.look("letter")
    page.go_back()
    expect(entry).to_contain_text("已读")
    return number[1]


def verify(stranger: Person, number: str) -> None:
    """The notice is real; with another telephone it cannot be told."""
    page = stranger.page
    page.goto("/")
    page.get_by_role("link", name="核对通知真伪").click()
    page.get_by_label("文书编号").fill(number)
    page.get_by_label("手机号的后四位").fill(APPLICANT.phone[-4:])
    stranger.look("verify")
    page.get_by_role("button", name="核对").click()
    expect(page.get_by_text("这份通知是本院制作的")).to_be_visible()
    stranger.look("verified")
