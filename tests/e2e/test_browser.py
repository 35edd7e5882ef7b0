"""The whole main job as its users do it: in Chromium, with mouse, keyboard and eyes only."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e import public_errands as public
from tests.e2e import staff_errands as staff
from tests.e2e.people import APPLICANT, RESPONDENT, Someone, stock_rows
from tests.fixtures.browsing import PHONE, Court, chromium, open_browser
from tests.fixtures.running import Product, code_in

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def executable() -> str:
    """Chromium; a machine without it leaves the browser out and says so, the gates never do."""
    found = chromium()
    if found is None and "CI" in os.environ:
        pytest.fail("没有找到 Chromium：持续集成中必须安装。")
    return found or pytest.skip("没有找到 Chromium，浏览器测试未运行。")


@pytest.fixture(scope="module")
def court(executable: str, product: Product) -> Iterator[Court]:
    """The product before a real browser. Pictures go to the folder that YANGGUANG_PICTURES names."""
    pictures = os.environ.get("YANGGUANG_PICTURES")
    expect.set_options(timeout=15_000)
    with open_browser(executable) as browser:
        yield Court(browser, product.url, product.sandbox_url, Path(pictures) if pictures else None)


def give_the_desk_work(product: Product) -> None:
    """Two other tips that wait while the story goes on."""
    for ground, text in (
        ("urgent", "被执行人正在示例路仓库装车运走钢材，预计一小时内离开。"),
        ("whereabouts", "被执行人每天晚上在南岸区示例广场的棋牌室。"),
    ):
        answer = product.as_("public").post("/api/tips", json={"ground": ground, "text": text})
        assert answer.status_code == 201, answer.text


def test_the_main_job(court: Court, product: Product) -> None:
    give_the_desk_work(product)
    with court.person() as clerk, court.person() as duty, court.person(PHONE) as visitor:
        visitor.page.goto("/sign-in")
        visitor.look("sign-in")
        staff.sign_in(duty, product, "duty")
        staff.open_desk(duty)
        staff.sign_in(clerk, product, "clerk")
        case_number = staff.file_case(clerk)
        staff.read_case_page(clerk)
        staff.import_stock(clerk)
        receipt, tip_number, answered = public.send_tip(visitor)
        row = staff.see_arrival(duty, tip_number, answered)
        staff.work_the_desk(duty, row, case_number)
        staff.see_closed(duty, tip_number)
        public.ask_by_receipt(visitor, receipt)
        with court.person(PHONE) as applicant:
            assert "进展" in public.read_sms(applicant, court.sandbox_url, APPLICANT.phone, "进展")
            code = code_in(public.read_sms(applicant, court.sandbox_url, APPLICANT.phone, "受理通知书"))
            applicant.look("sandbox")
            public.enter(applicant, code)
            public.read_party_page(applicant, case_number)
            number = public.open_document(applicant, case_number)
        for scheme in ("dark", "light"):
            with court.person(PHONE, scheme) as stranger:
                public.verify(stranger, number)
        with court.person() as judge:
            staff.sign_in(judge, product, "judge")
            staff.walk(judge, {"我的工作": "work", "进程": "stages", "立案": "cases"})
            staff.read_log(judge, case_number)
        staff.walk(clerk, {"通知": "notices", "纸质送达": "paper", "待核实发送": "unknown"})
    assert all(not product.messages(row["手机号码"]) for row in stock_rows())


def test_a_faulty_form_says_everything_at_once_and_keeps_what_was_typed(court: Court, product: Product) -> None:
    wrong = Someone("赵示例", "居民身份证", APPLICANT.id_number[:-1] + "A", "02312345", "邮箱")
    with court.person() as clerk:
        clerk.expected = {422}
        staff.sign_in(clerk, product, "clerk")
        page = staff.open_new_case(clerk)
        page.get_by_role("button", name="登记", exact=True).click()
        summary = page.get_by_role("alert").filter(has_text="请改正以下内容")
        expect(summary.get_by_role("listitem").filter(has_text="姓名或名称：请填写此项")).to_have_count(2)
        clerk.look("faults-at-once")
        first = staff.party_form(page, 1, wrong)
        staff.party_form(page, 2, RESPONDENT)
        page.get_by_label("执行标的金额（选填）").fill("-5")
        page.get_by_role("button", name="登记", exact=True).click()
        expect(summary.get_by_role("listitem")).to_have_count(4)
        for label, reason, typed in (
            ("证件号码", "18位", wrong.id_number),
            ("手机号码（选填）", "手机号", wrong.phone),
            ("电子邮箱（选填）", "邮箱", wrong.email),
        ):
            expect(first.get_by_label(label)).to_have_accessible_description(re.compile(reason))
            expect(first.get_by_label(label)).to_have_attribute("aria-invalid", "true")
            expect(first.get_by_label(label)).to_have_value(typed)
        expect(page.get_by_label("执行标的金额（选填）")).to_have_value("-5")
        expect(page.get_by_label("案由")).to_have_value("民间借贷纠纷")
        clerk.look("faults")


def test_the_watch_sees_what_must_not_happen(court: Court) -> None:
    with court.person(PHONE) as person:
        person.page.goto("/tips")
        person.page.evaluate("document.querySelector('h1').setAttribute('style', 'color: red')")
        person.page.evaluate("fetch('/nowhere')")
        person.page.evaluate(
            "document.body.append(Object.assign(new Image(), { src: '/static/none.png', width: 900 }))"
        )
        person.page.wait_for_event("response", lambda response: response.status == 404)
        with pytest.raises(AssertionError, match="too wide at 390 px"):
            person.look("planted")
        found = " ".join(person.troubles)
        assert "Content Security Policy" in found
        assert "404: GET" in found
        person.troubles.clear()
