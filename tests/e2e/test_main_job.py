"""The whole main job, over HTTP: filing, notices, clocks, a tip, the desk, progress, the party's page."""

import contextlib
import json
import os
import re
import subprocess
import time
from typing import Any

import httpx
import pytest

from tests.fixtures.running import YANGGUANG, Product, code_in, eventually

TIP_WORDS = ("线索", "举报", "值班")


def case_body(serial: int) -> dict[str, Any]:
    """A case with one applicant (electronic) and two respondents (electronic, paper)."""
    return {
        "case_number": f"（2026）渝05执{serial}号",
        "filed_on": "2026-11-20",
        "received_on": "2026-11-20",
        "basis_document": "（2025）渝05民终8685号",
        "basis_maker": "重庆市第五中级人民法院",
        "cause": "民间借贷纠纷",
        "claim_amount": "624998.14",
        "obligation": "向申请执行人支付人民币624998.14元及逾期利息",
        "assign": "auto",
        "parties": [
            party("applicant", serial, 1, "510212199101060000", email=f"a{serial}@example.com"),
            party("respondent", serial, 2, "511222199907060003", email=f"b{serial}@example.com"),
            party("respondent", serial, 3, "500103196112070004", email=None),
        ],
    }


def party(role: str, serial: int, number: int, id_number: str, email: str | None) -> dict[str, Any]:
    person: dict[str, Any] = {
        "role": role,
        "name": f"测试当事人{'甲乙丙'[number - 1]}",
        "id_kind": "resident_id",
        "id_number": id_number,
        "phone": f"1990{serial % 10000:04d}{number:03d}",
        "consents": email is not None,
        "postal_address": "重庆市渝中区测试路1号",
    }
    return person | ({"email": email, "address_confirmed_on": "2026-11-01"} if email else {})


@pytest.fixture(scope="module")
def filed(product: Product) -> dict[str, Any]:
    body = case_body(60001)
    answer = product.as_("clerk").post("/api/cases", json=body, headers={"Idempotency-Key": "main-job"})
    assert answer.status_code == 201, answer.text
    again = product.as_("clerk").post("/api/cases", json=body, headers={"Idempotency-Key": "main-job"})
    assert again.json() == answer.json()
    other = product.as_("clerk").post("/api/cases", json=case_body(60002), headers={"Idempotency-Key": "main-job"})
    assert other.status_code == 409
    assert other.headers["content-type"] == "application/problem+json"
    addresses = [p["phone"] for p in body["parties"]] + [p["email"] for p in body["parties"] if "email" in p]
    body["first"] = {to: received(product, to, 1) for to in addresses}
    return body


def received(product: Product, to: str, count: int) -> list[dict[str, Any]]:
    def look() -> list[dict[str, Any]] | None:
        found = product.messages(to)
        return found if len(found) >= count else None

    return eventually(f"{count} messages", 20, look)


def test_every_party_gets_one_sms_and_whoever_consented_one_mail(filed: dict[str, Any]) -> None:
    applicant, second, third = filed["parties"]
    for who in (applicant, second, third):
        (sms,) = filed["first"][who["phone"]]
        assert sms["channel"] == "sms"
        assert sms["body"].startswith("【重庆五中院】")
        assert "12368" in sms["body"]
        assert "://" not in sms["body"]
        assert who["name"] not in sms["body"]
        assert code_in(sms["body"])
    assert "电子送达地址" in filed["first"][applicant["phone"]][0]["body"]
    assert "邮寄" in filed["first"][third["phone"]][0]["body"]
    for who in (applicant, second):
        (mail,) = filed["first"][who["email"]]
        assert mail["channel"] == "mail"
        assert who["name"] not in mail["subject"]
        assert len(mail["attachments"]) == 3


def notices_of(product: Product, case_number: str) -> list[dict[str, Any]]:
    answer = product.as_("clerk").get("/api/notices", params={"case_number": case_number})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_receipts_come_back_and_legal_effect_is_true_to_the_way(product: Product, filed: dict[str, Any]) -> None:
    def delivered() -> bool:
        states = [
            delivery["state"]
            for notice in notices_of(product, filed["case_number"])
            for delivery in notice["deliveries"]
            if delivery["channel"] == "sms"
        ]
        return len(states) >= 9 and set(states) == {"delivered"}

    eventually("all SMS reported delivered", 20, delivered)
    notices = [n for n in notices_of(product, filed["case_number"]) if n["kind"] != "PROGRESS"]
    assert len(notices) == 9
    for notice in notices:
        by_mail = any(delivery["channel"] == "mail" for delivery in notice["deliveries"])
        assert (notice["legal_effect"]["served_on"] is not None) == by_mail
    paper = product.as_("clerk").get("/api/notices/paper", params={"state": "to_print"}).json()["items"]
    assert [job["case_number"] for job in paper].count(filed["case_number"]) == 1


def test_the_investigation_period_runs_with_every_deadline(product: Product, filed: dict[str, Any]) -> None:
    def look() -> dict[str, Any] | None:
        answer = product.as_("judge").get(f"/api/stages/{filed['case_number']}")
        stages = answer.json()
        done = answer.status_code == 200 and any(d["kind"] == "assignment" and d["met_at"] for d in stages["deadlines"])
        return stages if done else None

    stages = eventually("stages of the case", 20, look)
    assert stages["period"] == "investigation"
    kinds = {deadline["kind"]: deadline for deadline in stages["deadlines"]}
    expected = {"assignment", "execution_notice", "execution_notice_outer"}
    assert expected | {"court_limit", "court_limit_reminder", "statutory_limit"} <= set(kinds)
    for deadline in kinds.values():
        assert deadline["rule"]
        assert deadline["article"]
    assert kinds["court_limit"]["due_on"] == "2027-02-22"  # 20 February 2027 is a Saturday
    assert kinds["statutory_limit"]["due_on"] == "2027-05-20"
    assert kinds["statutory_limit"]["provisional"]


def submit_tip(product: Product) -> tuple[str, float]:
    tip = {"text": "被执行人在渝中区某小区有一处房产，登记在亲属名下。", "ground": "property"}
    answer = product.as_("public").post("/api/tips", json=tip)
    assert answer.status_code == 201, answer.text
    return answer.json()["receipt"], time.monotonic()


def test_a_tip_reaches_the_desk_within_a_second_and_its_way_to_the_end(product: Product, filed: dict[str, Any]) -> None:
    desk = product.as_("duty")
    before = {item["item_id"] for item in desk.get("/api/desk/queue").json()["items"]}
    receipt, sent_at = submit_tip(product)

    def look() -> dict[str, Any] | None:
        items = desk.get("/api/desk/queue").json()["items"]
        return next((item for item in items if item["item_id"] not in before), None)

    item = eventually("the tip on the desk", 5, look)
    assert time.monotonic() - sent_at < 1.0
    assert item["clock"] == "triage"
    assert 0 < item["seconds_left"] <= 30 * 60
    path = f"/api/desk/items/{item['item_id']}"
    assert desk.post(f"{path}/act", json={"deed": "查封"}).status_code == 409
    assert desk.post(f"{path}/take").status_code == 200
    assert desk.post(f"{path}/take").status_code == 409
    accepted = desk.post(f"{path}/accept-evidence", json={"case_number": filed["case_number"]})
    assert accepted.status_code == 200, accepted.text
    assert accepted.json()["clock"] == "deed"
    assert 24 * 3600 - 60 < accepted.json()["seconds_left"] <= 24 * 3600
    telling = desk.post(f"{path}/act", json={"deed": "已查封", "progress": "根据举报线索已查封。"})
    assert telling.status_code == 422
    done = desk.post(f"{path}/act", json={"deed": "已查封该房产。"})
    assert done.status_code == 200, done.text
    assert done.json()["clock"] is None

    def acted() -> bool:
        answer = product.as_("public").get("/api/tips/status", headers={"X-Receipt": receipt})
        return answer.json()["state"] == "acted"

    eventually("the sender sees the end", 10, acted)
    sms = received(product, filed["parties"][0]["phone"], 2)[-1]
    assert "进展" in sms["body"]
    mail = received(product, filed["parties"][0]["email"], 2)[-1]
    for word in TIP_WORDS:
        assert word not in sms["body"].replace("24小时值班", "")
        assert word not in mail["subject"]
    assert len(product.messages(filed["parties"][1]["phone"])) == 1


def enter(product: Product, code: str, last_six: str) -> httpx.Client:
    visitor = httpx.Client(base_url=product.url, follow_redirects=False)
    answer = visitor.post("/p", data={"code": code, "last_six": last_six})
    assert answer.status_code == 303, answer.text[:2000]
    return visitor


def test_a_party_enters_with_the_code_and_sees_the_case(product: Product, filed: dict[str, Any]) -> None:
    applicant, respondent = filed["parties"][0], filed["parties"][1]
    code = code_in(filed["first"][applicant["phone"]][0]["body"])
    with contextlib.closing(enter(product, code, applicant["id_number"][-6:])) as visitor:
        page = visitor.get("/p/case").text
        assert filed["case_number"] in page
        assert "查证" in page
        assert "12368" in page
        assert "tel:" in page
        assert respondent["phone"] not in page
        document = re.search(r"/p/documents/[0-9a-f-]{36}", page)
        assert document
        letter = visitor.get(document[0])
        assert letter.status_code == 200
        assert filed["case_number"] in letter.text
    wrong = product.as_("public").post("/p", data={"code": code, "last_six": "000000"})
    assert wrong.status_code == 422


def test_the_evidence_is_verified_offline_and_a_changed_byte_is_refused(
    product: Product, filed: dict[str, Any], tmp_path: Any
) -> None:
    notice = next(n for n in notices_of(product, filed["case_number"]) if n["legal_effect"]["served_on"])
    answer = product.as_("clerk").get(f"/api/notices/{notice['notice_id']}/evidence")
    assert answer.status_code == 200, answer.text
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(answer.text)
    bundle = answer.json()
    bad.write_text(json.dumps({**bundle, "content": bundle["content"].replace('"attempt": 1', '"attempt": 2', 1)}))
    env = {**os.environ, "PYTHONPATH": ""}
    assert subprocess.run([YANGGUANG, "verify-evidence", good], env=env, check=False).returncode == 0
    assert subprocess.run([YANGGUANG, "verify-evidence", bad], env=env, check=False).returncode != 0


def test_anybody_can_check_that_a_notice_is_real(product: Product, filed: dict[str, Any]) -> None:
    notice = notices_of(product, filed["case_number"])[0]
    who = next(p for p in filed["parties"] if p["role"] == notice["recipient_role"])
    others = [p["phone"][-4:] for p in filed["parties"] if p["role"] == notice["recipient_role"]]
    answers = [
        product.as_("public").post("/api/notices/check", json={"number": notice["number"], "last_four": tail})
        for tail in {who["phone"][-4:], *others}
    ]
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) == 1
    assert who["name"] not in good[0].text
    wrong = product.as_("public").post("/api/notices/check", json={"number": notice["number"], "last_four": "0000"})
    assert wrong.status_code == 422


def test_an_objection_goes_to_the_adjudication_and_is_worked_there_alone(
    product: Product, filed: dict[str, Any]
) -> None:
    """Last of the story: it tells its parties, too."""
    number = filed["case_number"].replace("执", "执异")
    body = {**case_body(60003), "case_number": number, "main_case": filed["case_number"], "ground": "conduct"}
    answer = product.as_("clerk").post("/api/cases", json=body, headers={"Idempotency-Key": "objection"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["assigned"]
    case = product.as_("clerk").get(f"/api/cases/{number}").json()
    assert (case["department"], case["judge"]["name"]) == ("审判监督庭", "裁决法官")
    work = {"kind": "work", "title": "审查", "text": "已听取当事人意见。", "evidence": "听证笔录"}

    def acted() -> bool:
        return product.as_("adjudication").post(f"/api/stages/{number}/acts", json=work).status_code == 201

    eventually("the objection with its judge in the stages", 20, acted)
    for login in ("judge", "chief", "presiding"):
        refused = product.as_(login).post(f"/api/stages/{number}/acts", json=work)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_own_case"), login
    refused = product.as_("adjudication").post(f"/api/stages/{filed['case_number']}/acts", json=work)
    assert refused.status_code == 403
    for read in (number, filed["case_number"]):
        assert product.as_("adjudication").get(f"/api/stages/{read}/log").status_code == 200
        notices = product.as_("adjudication").get("/api/notices", params={"case_number": read})
        assert notices.status_code == 200
    assert product.as_("judge").get(f"/api/stages/{number}/log").status_code == 403
