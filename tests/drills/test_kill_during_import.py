"""The product in one process killed -9 again and again during an import, the sandbox standing apart as the witness.

Every fourth time only its database is killed, which it has to start anew.

Promise: never silently lost, never silently twice. Every notice due is received or listed as unknown; unknowns are
no more than what was in flight at the kills; whatever came twice is listed as possibly twice.

In full (YANGGUANG_DRILLS=full) twenty kills over the whole file; the short run of the gates does four over a quarter.
"""

import contextlib
import logging
import os
import random
import signal
import time

import httpx
import pytest

from shared.runtime.postgres.process import postmaster_of
from tests.drills.drill import FULL, portion
from tests.drills.separate import CAREFUL, MAILS_AT_ONCE, SMS_AT_ONCE
from tests.drills.witness import Inflow, imported, settled
from tests.fixtures.running import Process, Product, eventually, free_port, new_folder, remove

KILLS = 20 if FULL else 4
SECRETS = {"carrier": "drill-carrier-secret", "receipt": "drill-receipt-secret"}
MINE = portion(0)
FILE = {"file": ("cases.csv", MINE.content, "text/csv")}


def processes() -> tuple[Process, Process]:
    port, sandbox_port = free_port(), free_port()
    sandbox_env = {
        "SANDBOX_CARRIER_SECRET": SECRETS["carrier"],
        "SANDBOX_RECEIPT_URL": f"http://127.0.0.1:{port}/api/notices/receipts/aliyun/{SECRETS['receipt']}",
    }
    env = {
        **CAREFUL,
        "YANGGUANG_SANDBOX_URL": f"http://127.0.0.1:{sandbox_port}",
        "YANGGUANG_SANDBOX_SMTP_PORT": str(sandbox_port + 25),
        "PARTY_NOTIFICATION_CARRIER_KEY_SECRET": SECRETS["carrier"],
        "PARTY_NOTIFICATION_RECEIPT_SECRET": SECRETS["receipt"],
    }
    sandbox = Process(["sandbox"], new_folder(), sandbox_port, sandbox_env)
    main = Process(["all", "--without", "sandbox"], new_folder(), port, env)
    return main, sandbox


def import_with_kills(main: Process, product: Product, dice: random.Random) -> int:
    """Upload, then kill and start again; how many kills fell before everything was sent."""
    headers = {"authorization": f"Bearer {product.token('clerk')}"}
    with httpx.Client(base_url=main.url, headers=headers, timeout=10) as clerk:
        with contextlib.suppress(httpx.TimeoutException):
            clerk.post("/api/cases/import", files=FILE, timeout=0.6)
        early, inflow = 0, Inflow(product)
        for number in range(1, KILLS + 1):
            time.sleep(dice.uniform(0.1, 1.3))
            early += inflow.number() < sum(MINE.due.values())
            if number % 4 == 0:
                kill_database(main)
            else:
                main.kill()
                main.start()
            main.wait_ready()
    return early


def kill_database(main: Process) -> None:
    """It alone; return when the process has noticed, so that whoever waits for its return does."""
    server = postmaster_of(main.folder / "postgres" / "data")
    assert server is not None
    os.kill(server, signal.SIGKILL)
    eventually("its death noticed", 20, lambda: httpx.get(f"{main.url}/readyz", timeout=10).status_code != 200)


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_kills_lose_nothing_in_silence_and_send_nothing_twice_in_silence() -> None:
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
    if not clerk.get("/api/cases/imports").json()["items"]:
        clerk.post("/api/cases/import", files=FILE)  # the first kill was faster than the file
    eventually("the import done", 120, lambda: imported(product))
    found = settled(product, MINE.due)
    figures = {"kills": KILLS, "in the middle": early}
    logging.getLogger(__name__).warning("killed in one process: %s", {**found.figures(), **figures})
    found.check(KILLS * (SMS_AT_ONCE + MAILS_AT_ONCE))
    assert early >= KILLS // 2
