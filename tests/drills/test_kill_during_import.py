"""The product killed -9 twenty times during an import, the sandbox standing apart as the witness.

Promise: never silently lost, never silently twice. Every notice due is received or listed as unknown; unknowns are
no more than what was in flight at the kills; whatever came twice is listed as possibly twice.
"""

import contextlib
import logging
import random
import time
from collections import Counter
from typing import Any

import httpx
import pytest

from shared.web.formats import masked_phone
from tests.e2e.test_import import EXPECT, FILE, good_rows
from tests.fixtures.running import Process, Product, eventually, free_port, new_folder, remove

KILLS = 20
SMS_AT_ONCE, MAILS_AT_ONCE = 20, 5
SECRETS = {"carrier": "drill-carrier-secret", "receipt": "drill-receipt-secret"}


def processes() -> tuple[Process, Process]:
    port, sandbox_port = free_port(), free_port()
    sandbox_env = {
        "SANDBOX_CARRIER_SECRET": SECRETS["carrier"],
        "SANDBOX_RECEIPT_URL": f"http://127.0.0.1:{port}/api/notices/receipts/aliyun/{SECRETS['receipt']}",
    }
    env = {
        "YANGGUANG_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "YANGGUANG_SANDBOX_SMTP_PORT": str(sandbox_port + 25),
        "PARTY_NOTIFICATION_CARRIER_KEY_SECRET": SECRETS["carrier"],
        "PARTY_NOTIFICATION_RECEIPT_SECRET": SECRETS["receipt"],
        "PARTY_NOTIFICATION_SMS_AT_ONCE": str(SMS_AT_ONCE),
        "PARTY_NOTIFICATION_MAILS_AT_ONCE": str(MAILS_AT_ONCE),
        "PARTY_NOTIFICATION_SEND_TIMEOUT": "2",
        "PARTY_NOTIFICATION_LEASE": "6",
        "PARTY_NOTIFICATION_SETTLE": "3",
        "PARTY_NOTIFICATION_QUERY_GAP": "1",
    }
    sandbox = Process(["sandbox"], new_folder(), sandbox_port, sandbox_env)
    main = Process(["all", "--without", "sandbox"], new_folder(), port, env)
    return main, sandbox


def masked_mail(address: str) -> str:
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"


def import_with_kills(main: Process, product: Product, dice: random.Random) -> int:
    """Upload, then kill and start again; how many kills fell before everything was sent."""
    headers = {"authorization": f"Bearer {product.token('clerk')}"}
    with httpx.Client(base_url=main.url, headers=headers, timeout=10) as clerk:
        file = {"file": ("cases.csv", FILE.read_bytes(), "text/csv")}
        with contextlib.suppress(httpx.TimeoutException):
            clerk.post("/api/cases/import", files=file, timeout=0.6)
        early = 0
        for _ in range(KILLS):
            time.sleep(dice.uniform(0.1, 1.3))
            early += len(product.messages()) < expected_messages()
            main.kill()
            main.start()
            main.wait_ready()
    return early


def told_rows() -> list[dict[str, str]]:
    lacking = set(EXPECT["cases_lacking_a_role"])
    return [row for row in good_rows() if row["案号"] not in lacking]


def expected() -> Counter[tuple[str, str]]:
    rows = told_rows()
    due = Counter(("sms", row["手机号码"]) for row in rows)
    return due + Counter(("mail", row["电子邮箱"]) for row in rows if row["电子邮箱"] and row["同意电子送达"] == "是")


def expected_messages() -> int:
    return sum(expected().values())


def at_rest(clerk: httpx.Client) -> bool:
    """No notice has a delivery under way any more."""
    cursor: str | None = None
    while True:
        params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = clerk.get("/api/notices", params=params).json()
        for notice in page["items"]:
            for delivery in notice["deliveries"]:
                if delivery["step"] not in {"done", "person", "wait"} and delivery["state"] != "sent":
                    return False
        cursor = page["next"]
        if cursor is None:
            return True


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_twenty_kills_lose_nothing_in_silence_and_send_nothing_twice_in_silence() -> None:
    main, sandbox = processes()
    sandbox.start()
    main.start()
    sandbox.wait_ready()
    main.wait_ready()
    product = Product(main.url, main.folder, sandbox.url)
    try:
        early = import_with_kills(main, product, random.Random(20261123))
        check(product, early)
    finally:
        product.close()
        main.stop()
        sandbox.stop()
        remove(main.folder)
        remove(sandbox.folder)


def check(product: Product, early: int) -> None:
    clerk = product.as_("clerk")
    file = {"file": ("cases.csv", FILE.read_bytes(), "text/csv")}

    def imported() -> bool:
        items = clerk.get("/api/cases/imports").json()["items"]
        return bool(items) and all(item["state"] == "done" for item in items)

    if not clerk.get("/api/cases/imports").json()["items"]:
        clerk.post("/api/cases/import", files=file)
    eventually("the import done", 120, imported)
    eventually("deliveries at rest", 240, lambda: at_rest(clerk))
    received = Counter((message["channel"], message["to"]) for message in product.messages())
    troubles: dict[str, Any] = clerk.get("/api/notices/troubles").json()
    unknown = Counter((item["channel"], item["address"]) for item in troubles["unknown"])
    twice = Counter((item["channel"], item["address"]) for item in troubles["possibly_twice"])
    mask = {"sms": masked_phone, "mail": masked_mail}
    lost = [who for who in expected() if not received[who] and not unknown[who[0], mask[who[0]](who[1])]]
    doubled = [who for who, n in received.items() if n > 1 and not twice[who[0], mask[who[0]](who[1])]]
    strangers = [who for who in received if who not in expected()]
    report = {"early kills": early, "received": sum(received.values()), "due": expected_messages()}
    logging.getLogger(__name__).warning("%s", report | {"unknown": sum(unknown.values()), "twice": sum(twice.values())})
    assert early >= KILLS // 2
    assert lost == []
    assert doubled == []
    assert strangers == []
    assert sum(unknown.values()) <= KILLS * (SMS_AT_ONCE + MAILS_AT_ONCE)
