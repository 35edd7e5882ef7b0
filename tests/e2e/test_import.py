"""The import of an exported file, against what the sandbox received: exactly whom the law owes, once."""

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from shared.contracts.case_kinds import kind_of
from shared.contracts.cases import PartyRole
from shared.crypto.keyring import KeyRing
from shared.db.access import Part
from shared.runtime.postgres import read_url
from shared.runtime.registry import service_names
from tests.fixtures.running import Process, Product, eventually, free_port, new_folder, remove

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILE = FIXTURES / "cases.csv"
EXPECT = json.loads((FIXTURES / "cases.expect.json").read_text())
REASONS = {
    "check digit": "校验位",
    "no such date": "没有这一天|日期不存在",
    "not a mobile number": "手机号码",
    "negative amount": "金额不能为负数",
    "not a case number": "案号格式",
    "not an address": "电子邮箱",
    "unknown role": "“申请执行人”或“被执行人”",
    "empty name": "请填写",
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


ROLES = {"申请执行人": PartyRole.APPLICANT, "被执行人": PartyRole.RESPONDENT}


def told_rows() -> list[dict[str, str]]:
    """The rows whose party is told of the filing: sound ones, of cases with both roles, of sides that are owed it.

    507 telephones belong to cases with both roles. 39 of them are of the 被执行人 of 执保 cases: who is to be secured
    against is not warned (CPL 103), so 468 are told, 351 of them by mail too (26 of the 377 mails were theirs).
    """
    lacking = set(EXPECT["cases_lacking_a_role"])
    rows = [row for row in good_rows() if row["案号"] not in lacking]
    return [row for row in rows if kind_of(row["案号"]).owed[ROLES[row["当事人地位"]]]]


class Imported:
    """The product after the first import came to rest: what it reported, and what the world had received by then."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.told = told_rows()
        self.phones = [row["手机号码"] for row in self.told]
        consents = [row for row in self.told if row["同意电子送达"] == "是"]
        self.mails = [row["电子邮箱"] for row in consents if row["电子邮箱"]]
        self.report = upload(product, FILE.read_bytes())
        self.messages = settled(product, len(self.phones) + len(self.mails))


@pytest.fixture(scope="module")
def imported(fresh: Product) -> Imported:
    return Imported(fresh)


def test_every_row_is_accounted_for(imported: Imported) -> None:
    report = imported.report
    assert report["rows"] == EXPECT["rows"]
    assert report["cases"] == EXPECT["cases"]
    assert report["filed"] == EXPECT["cases_filed"]
    found = {(fault["line"], fault["column"]): fault["reason"] for fault in report["faults"]}
    assert set(found) == {(line, column) for line, column, _ in EXPECT["bad"]}
    for line, column, why in EXPECT["bad"]:
        assert re.search(REASONS[why], found[line, column]), (line, column, found[line, column])


def test_exactly_whom_the_file_owes_is_told_once(imported: Imported) -> None:
    assert len(imported.phones) == EXPECT["phones_told_of_the_filing"]
    assert len(imported.mails) == EXPECT["mails_told_of_the_filing"]
    by_channel = {
        channel: Counter(m["to"] for m in imported.messages if m["channel"] == channel) for channel in ("sms", "mail")
    }
    assert by_channel["sms"] == Counter(imported.phones)
    assert by_channel["mail"] == Counter(imported.mails)
    check_attachments(imported.told, imported.messages)


def check_attachments(told: list[dict[str, str]], messages: list[dict[str, Any]]) -> None:
    """Each mail carries every notice due, less the execution notice that waits for its obligation.

    In a resumed case both main notices wait: the file does not say what is resumed.

    In a case of preservation (执保) nothing waits for an obligation: two are due, who handles it and the card.
    """
    waiting = set(EXPECT["cases_lacking_the_obligation"])
    by_mail = {row["电子邮箱"]: row for row in told if row["电子邮箱"]}
    for message in messages:
        if message["channel"] == "mail":
            row = by_mail[message["to"]]
            kind = kind_of(row["案号"])
            waits = kind.enforces and row["案号"] in waiting and row["当事人地位"] == "被执行人"
            waits |= kind.resumes
            due = len(kind.owed[ROLES[row["当事人地位"]]]) - waits
            assert len(message["attachments"]) == due, row["案号"]


def test_the_same_file_again_changes_nothing(imported: Imported) -> None:
    fresh = imported.product
    before = len(settled(fresh, 1))
    report = upload(fresh, FILE.read_bytes())
    assert report["filed"] == 0
    assert report["unchanged"] == EXPECT["cases_filed"]
    gb = upload(fresh, FILE.read_text(encoding="utf-8-sig").encode("gb18030"))
    assert gb["filed"] == 0
    assert len(settled(fresh, before)) == before


def test_a_waiting_notice_goes_out_alone_once_its_field_is_there(imported: Imported) -> None:
    fresh = imported.product
    number = EXPECT["cases_lacking_the_obligation"][0]
    clerk = fresh.as_("clerk")
    notices = clerk.get("/api/notices", params={"case_number": number}).json()["items"]
    waiting = [notice for notice in notices if notice["state"] == "waiting"]
    assert waiting
    assert all("应履行义务" in notice["waits_because"] and notice["waits_owner"] == "clerk" for notice in waiting)
    before = len(settled(fresh, 1))
    case = clerk.get(f"/api/cases/{number}").json()
    answer = clerk.patch(f"/api/cases/{case['id']}", json={"obligation": "交付位于渝中区的房屋"})
    assert answer.status_code == 200, answer.text
    rows = [row for row in good_rows() if row["案号"] == number and row["当事人地位"] == "被执行人"]
    mails = sum(1 for row in rows if row["电子邮箱"] and row["同意电子送达"] == "是")
    assert len(settled(fresh, before + len(rows))) == before + len(rows) + mails


def test_a_completed_case_tells_everybody_then(imported: Imported) -> None:
    fresh = imported.product
    number = EXPECT["cases_lacking_a_role"][0]
    clerk = fresh.as_("clerk")
    case = clerk.get(f"/api/cases/{number}").json()
    roles = {party["role"] for party in case["parties"]}
    missing = ({"applicant", "respondent"} - roles).pop()
    phones = [row["手机号码"] for row in good_rows() if row["案号"] == number]
    assert phones
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
    answer = clerk.post(f"/api/cases/{case['id']}/parties", json=body)
    assert answer.status_code in {200, 201}, answer.text
    for phone in [*phones, "19911112222"]:
        eventually("the completed case tells everybody", 60, lambda phone=phone: fresh.messages(phone))
        assert len([m for m in fresh.messages(phone) if m["channel"] == "sms"]) == 1


def needles() -> set[str]:
    """Every name, telephone, ID number, mail and postal address of the file."""
    columns = ("姓名或名称", "手机号码", "证件号码", "电子邮箱", "送达地址", "代理人手机")
    values = {row[column] for row in good_rows() for column in columns if len(row[column]) > 1}
    assert len(values) > 1500
    return values


class Haystack:
    """Everything readable in what was looked at: runs of Chinese, and what may be a number or an address."""

    readable = re.compile(r"[\u4e00-\u9fff（）0-9]+|(?<![\w-])[0-9A-Z]{11,18}(?![\w-])|[\w.+-]{1,64}@[\w.-]+")

    sealed = re.compile(r"\b[0-9a-f]{12}\.[\w-]{20,}")

    def __init__(self) -> None:
        self.found: set[str] = set()
        self.looked = 0

    def add(self, value: Any) -> None:
        self.looked += 1
        text = bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)
        self.found.update(self.readable.findall(self.sealed.sub("", text)))

    def holds(self, values: set[str]) -> list[str]:
        text = "\n".join(self.found)
        return [value for value in values if value in text]


def test_the_haystack_finds_what_it_should() -> None:
    hay = Haystack()
    for text in (
        b'{"name":"\xe5\x88\x98\xe8\x89\xb3","phone":"19900000005"}',
        "x 510212199101060000 y",
        "to u1@example.com",
    ):
        hay.add(text)
    hay.add(KeyRing.generate().seal("x" * 1_000_000, "a party"))
    assert hay.looked == len(hay.found) == 4
    wanted = {"刘艳", "19900000005", "510212199101060000", "u1@example.com"}
    assert set(hay.holds(wanted | {"19900000006"})) == wanted


async def search_databases(folder: Path, names: Iterable[str], hay: Haystack) -> None:
    """Every value of every table."""
    for name in names:
        url = read_url(folder / "postgres", name, Part.OWNER).replace("+asyncpg", "")
        conn = await asyncpg.connect(url)
        try:
            for (table,) in await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                for row in await conn.fetch(f'SELECT * FROM "{table}"'):  # noqa: S608 - names from the catalogue
                    for value in row.values():
                        hay.add(value)
        finally:
            await conn.close()


async def test_no_database_and_no_log_holds_personal_data_in_plain_text(imported: Imported) -> None:
    """In one process; a drill searches separate processes and Kafka's topics (tests/drills)."""
    product, hay = imported.product, Haystack()
    await search_databases(product.folder, ("bus", *service_names()), hay)
    assert hay.looked > 100_000
    logs = [log.read_bytes() for log in product.folder.rglob("*.log")]
    assert any(b'"message": "request"' in log for log in logs)
    figures = httpx.get(f"{product.url}/metrics")
    assert "yangguang_accepted_to_sent_seconds_bucket" in figures.text
    for told in (*logs, figures.content):
        hay.add(told)
    assert hay.holds(needles()) == []
