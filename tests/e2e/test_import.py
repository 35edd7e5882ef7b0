"""The import of an exported file, against what the sandbox received: exactly whom the law owes, once."""

import csv
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.running import Process, Product, eventually, free_port, new_folder, remove

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILE = FIXTURES / "cases.csv"
EXPECT = json.loads((FIXTURES / "cases.expect.json").read_text())
REASONS = {
    "check digit": "校验",
    "no such date": "日期",
    "not a mobile number": "手机",
    "negative amount": "金额",
    "not a case number": "案号",
    "not an address": "邮箱",
    "unknown role": "地位",
    "empty name": "必填",
    "a minor needs a guardian": "法定代理人",
    "the same party twice: nothing changes": "重复",
}


@pytest.fixture(scope="module")
def fresh() -> Any:
    """A product of its own: the file's cases are the only ones."""
    folder = new_folder()
    process = Process(["all"], folder, free_port())
    process.start()
    process.wait_ready()
    product = Product(process.url, folder)
    yield product
    product.close()
    assert process.stop() == 0
    remove(folder)


def upload(product: Product, content: bytes, name: str = "cases.csv") -> dict[str, Any]:
    answer = product.as_("clerk").post("/api/cases/import", files={"file": (name, content, "text/csv")})
    assert answer.status_code in {200, 202}, answer.text
    where = f"/api/cases/imports/{answer.json()['id']}"

    def finished() -> dict[str, Any] | None:
        report: dict[str, Any] = product.as_("clerk").get(where).json()
        return report if report["state"] == "done" else None

    return eventually("the import done", 120, finished)


def good_rows() -> list[dict[str, str]]:
    bad = {line for line, _, _ in EXPECT["bad"]}
    with FILE.open(encoding="utf-8-sig", newline="") as file:
        return [row for line, row in enumerate(csv.DictReader(file), start=2) if line not in bad]


def settled(product: Product, least: int) -> list[dict[str, Any]]:
    """All messages, once at least `least` are there and no more have come for two seconds."""
    seen: tuple[int, float] = (0, time.monotonic())

    def look() -> list[dict[str, Any]] | None:
        nonlocal seen
        messages = product.messages()
        if len(messages) != seen[0]:
            seen = (len(messages), time.monotonic())
        return messages if len(messages) >= least and time.monotonic() - seen[1] > 2 else None

    return eventually(f"{least} messages and silence", 180, look)


def test_the_file_is_filed_and_exactly_whom_it_owes_is_told(fresh: Product) -> None:
    report = upload(fresh, FILE.read_bytes())
    assert report["rows"] == EXPECT["rows"]
    assert report["cases"] == EXPECT["cases"]
    assert report["filed"] == EXPECT["cases_filed"]
    found = {(fault["line"], fault["column"]): fault["reason"] for fault in report["faults"]}
    assert set(found) == {(line, column) for line, column, _ in EXPECT["bad"]}
    for line, column, why in EXPECT["bad"]:
        assert REASONS[why] in found[line, column], (line, column, found[line, column])
    lacking = set(EXPECT["cases_lacking_a_role"])
    told = [row for row in good_rows() if row["案号"] not in lacking]
    phones = [row["手机号码"] for row in told]
    assert len(phones) == EXPECT["phones_of_cases_with_both_roles"]
    mails = [row["电子邮箱"] for row in told if row["电子邮箱"] and row["同意电子送达"] == "是"]
    messages = settled(fresh, len(phones) + len(mails))
    by_channel = {channel: Counter(m["to"] for m in messages if m["channel"] == channel) for channel in ("sms", "mail")}
    assert by_channel["sms"] == Counter(phones)
    assert by_channel["mail"] == Counter(mails)
    check_attachments(told, messages)


def check_attachments(told: list[dict[str, str]], messages: list[dict[str, Any]]) -> None:
    """Each mail carries every notice due, less the execution notice that waits for its obligation."""
    waiting = set(EXPECT["cases_lacking_the_obligation"])
    by_mail = {row["电子邮箱"]: row for row in told if row["电子邮箱"]}
    for message in messages:
        if message["channel"] == "mail":
            row = by_mail[message["to"]]
            waits = row["案号"] in waiting and row["当事人地位"] == "被执行人"
            assert len(message["attachments"]) == (2 if waits else 3), row["案号"]


def test_the_same_file_again_changes_nothing(fresh: Product) -> None:
    before = len(settled(fresh, 1))
    report = upload(fresh, FILE.read_bytes())
    assert report["filed"] == 0
    assert report["unchanged"] == EXPECT["cases_filed"]
    gb = upload(fresh, FILE.read_text(encoding="utf-8-sig").encode("gb18030"))
    assert gb["filed"] == 0
    assert len(settled(fresh, before)) == before


def test_a_waiting_notice_goes_out_alone_once_its_field_is_there(fresh: Product) -> None:
    number = EXPECT["cases_lacking_the_obligation"][0]
    clerk = fresh.as_("clerk")
    notices = clerk.get("/api/notices", params={"case_number": number}).json()["items"]
    waiting = [notice for notice in notices if notice["state"] == "waiting"]
    assert waiting
    assert all("应履行义务" in notice["waits_because"] and notice["waits_owner"] == "clerk" for notice in waiting)
    before = len(settled(fresh, 1))
    case = clerk.get(f"/api/cases/{number}").json()
    answer = clerk.patch(f"/api/cases/{case['case_id']}", json={"obligation": "交付位于渝中区的房屋"})
    assert answer.status_code == 200, answer.text
    rows = [row for row in good_rows() if row["案号"] == number and row["当事人地位"] == "被执行人"]
    mails = sum(1 for row in rows if row["电子邮箱"] and row["同意电子送达"] == "是")
    assert len(settled(fresh, before + len(rows))) == before + len(rows) + mails


def test_a_completed_case_tells_everybody_then(fresh: Product) -> None:
    number = EXPECT["cases_lacking_a_role"][0]
    clerk = fresh.as_("clerk")
    case = clerk.get(f"/api/cases/{number}").json()
    roles = {party["role"] for party in case["parties"]}
    missing = ({"applicant", "respondent"} - roles).pop()
    phones = [party["phone"] for party in case["parties"]]
    assert all(not fresh.messages(phone) for phone in phones)
    body = {
        "role": missing,
        "name": "重庆补录测试有限公司",
        "id_kind": "resident_id",
        "id_number": "510212199101060000",
        "phone": "19911112222",
        "consents": False,
        "postal_address": "重庆市渝中区测试路2号",
    }
    answer = clerk.post(f"/api/cases/{case['case_id']}/parties", json=body)
    assert answer.status_code in {200, 201}, answer.text
    for phone in [*phones, "19911112222"]:
        eventually("the completed case tells everybody", 20, lambda phone=phone: fresh.messages(phone))
        assert len([m for m in fresh.messages(phone) if m["channel"] == "sms"]) == 1
