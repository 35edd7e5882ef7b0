"""What the outside world does by itself and at our bidding: receipts, faults, the clock, the page."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web

from services.party_notification.channels.outcome import Sent
from services.sandbox.service import SERVICE
from services.sandbox.usecases.reporting import RETRIES
from shared.clock import SystemClock
from shared.contracts.sandbox import ClockMoved
from shared.runtime.service import Kit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import client, told
from tests.service.outside import PHONES, court, put_faults, quick_kit, received, send, send_mail, taking

NOTHING = timedelta(0)


@pytest.fixture
async def kit(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    made = await quick_kit(await fresh_database(SERVICE))
    yield made
    await made.db.close()


# --- receipts --------------------------------------------------------------------------------------------------------


async def test_a_receipt_reaches_the_court_and_names_the_message(kit):
    async with court(kit) as sms:
        outcome, _ = await send(sms, *PHONES, out_id="o9")
    assert isinstance(outcome, Sent)
    async with taking(kit) as taker:
        await taker.after(NOTHING)
        assert [(receipt.number, receipt.biz_id, receipt.out_id, receipt.delivered) for receipt in taker.receipts] == [
            (number, outcome.provider_id, "o9", True) for number in PHONES
        ]
        await taker.after(timedelta(days=1))
        assert len(taker.posts) == 1


async def test_a_receipt_that_is_not_taken_comes_again_three_times(kit):
    async with court(kit) as sms:
        await send(sms, PHONES[0])
    async with taking(kit) as taker:
        texts = [web.Response(text=text) for text in ('{"code":1}', "no json", "[0]")]
        taker.answers = [web.Response(status=500), *texts]
        await taker.after(NOTHING)
        for count, wait in enumerate(RETRIES, 1):
            await taker.after(wait - timedelta(seconds=20))
            assert len(taker.posts) == count
            await taker.after(timedelta(seconds=30))
            assert len(taker.posts) == count + 1
        await taker.after(timedelta(days=1))
    assert len(taker.posts) == 4
    assert len(set(taker.posts)) == 1


@pytest.mark.parametrize(
    ("kind", "told_at_once", "told_in_all", "status"),
    [
        ("late", [], [True], "delivered"),
        ("twice", [True, True], [True, True], "delivered"),
        ("out_of_order", [True, False], [True, False], "delivered"),
        ("never", [], [], "waiting"),
        ("failed", [False], [False], "failed"),
    ],
)
async def test_receipts_go_wrong_as_told(kit, kind, told_at_once, told_in_all, status):
    await put_faults(kit, {"channel": "receipt", "kind": kind, "seconds": 600})
    async with court(kit) as sms:
        await send(sms, PHONES[0])
    async with taking(kit) as taker:
        await taker.after(NOTHING)
        assert [receipt.delivered for receipt in taker.receipts] == told_at_once
        await taker.after(timedelta(minutes=11))
        assert [receipt.delivered for receipt in taker.receipts] == told_in_all
    (item,) = (await received(kit))["items"]
    assert item["status"] == status
    assert len(taker.posts) == len(told_in_all)


# --- faults ----------------------------------------------------------------------------------------------------------


async def test_faults_are_put_listed_and_cleared(kit):
    async with client(SERVICE, kit) as http:
        faults = [
            {"channel": "sms", "kind": "refuse", "recipient": PHONES[0], "count": 2},
            {"channel": "mail", "kind": "delay", "at": "mail", "seconds": 1},
        ]
        assert (await http.post("/sandbox/faults", json=faults)).status_code == 201
        standing = (await http.get("/sandbox/faults")).json()["items"]
        assert [(item["fault"]["channel"], item["left"]) for item in standing] == [("sms", 2), ("mail", None)]
        await http.delete("/sandbox/faults")
        assert (await http.get("/sandbox/faults")).json() == {"items": []}


async def test_faulty_faults_change_nothing(kit):
    bad = [{"channel": "fax"}], [{"channel": "sms", "kind": "refuse", "typo": 1}], [{"channel": "sms"}] * 101
    async with client(SERVICE, kit) as http:
        for body in ([], {}, *bad):
            answer = await http.post("/sandbox/faults", json=body)
            assert answer.status_code == 422, body
            assert answer.json()["errors"]
        assert (await http.get("/sandbox/faults")).json() == {"items": []}


# --- the clock -------------------------------------------------------------------------------------------------------


async def test_the_clock_moves_on_tells_everybody_and_comes_back(kit):
    async with client(SERVICE, kit) as http:
        first = await http.post("/sandbox/clock", json={"days": 2, "hours": 1})
        second = await http.post("/sandbox/clock", json={"minutes": 30})
        back = await http.post("/sandbox/clock", json={"hours": -1})
        target = SystemClock().now() + timedelta(days=40)
        third = await http.post("/sandbox/clock", json={"now": target.isoformat()})
        last = await http.post("/sandbox/clock", json={"reset": True})
    hour = 3600
    told_offsets = [event.offset_seconds for event in await told(kit, ClockMoved)]
    assert told_offsets[:3] == [49 * hour, 49 * hour + hour // 2, 48 * hour + hour // 2]
    assert told_offsets[4] == 0
    now = SystemClock().now()
    expected = [timedelta(hours=49), timedelta(hours=49.5), timedelta(hours=48.5), timedelta(days=40), timedelta(0)]
    for answer, ahead in zip((first, second, back, third, last), expected, strict=True):
        assert abs(datetime.fromisoformat(answer.json()["now"]) - now - ahead) < timedelta(seconds=30)
    assert datetime.fromisoformat(third.json()["now"]) >= target


NOT_SO: list[Any] = [
    {},
    {"hours": 0},
    {"hours": -1},
    {"now": "2020-01-01T00:00:00Z"},
    {"now": "2026-12-01T00:00:00"},
    {"now": "9999-12-31T23:59:59Z"},
    {"hours": 1, "reset": True},
    {"days": 3660, "hours": 1},
    {"days": 10**9},
    {"weeks": 1},
    [],
]


async def test_a_clock_that_cannot_go_so_stands(kit):
    async with client(SERVICE, kit) as http:
        for body in NOT_SO:
            answer = await http.post("/sandbox/clock", json=body)
            assert answer.status_code == 422, body
            assert answer.json()["errors"]
    assert await told(kit) == []


# --- the page --------------------------------------------------------------------------------------------------------


async def test_the_page_shows_phones_mails_and_what_comes_new(kit):
    async with client(SERVICE, kit) as http:
        assert "还没有人收到消息" in (await http.get("/sandbox")).text
        async with court(kit) as sms:
            await send(sms, PHONES[0])
        page = (await http.get("/sandbox")).text
        assert "138 0000 0001" in page
        assert "【重庆五中院】查询码一，请查收。" in page
        assert "尚无回执" in page
        await nothing_new(http, page)
        async with taking(kit) as taker:
            await taker.after(NOTHING)
        fresh = (await http.get(_poll(page))).text
        assert "回执：已送达" in fresh
        assert "part-boxes" not in fresh
        await nothing_new(http, fresh)
        await send_mail(kit)
        mailbox = (await http.get("/sandbox?only=mail")).text
        assert "受理通知书.html" in mailbox
        assert "138 0000 0001" not in mailbox
        assert (await http.get("/sandbox?box=999")).status_code == 404


async def nothing_new(http: httpx.AsyncClient, page: str) -> None:
    """A poll brings nothing; but a minute may just have passed, and then the next brings nothing."""
    answer = await http.get(_poll(page))
    if answer.status_code == 200:
        answer = await http.get(_poll(answer.text))
    assert answer.status_code == 204


def _poll(page: str) -> str:
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found
    return found[1].replace("&amp;", "&")


async def test_the_panel_finds_moves_and_breaks(kit):
    async with court(kit) as sms:
        await send(sms, *PHONES)
    async with client(SERVICE, kit) as http:
        found = await http.post("/sandbox/find", data={"address": "138 0000 0002"})
        assert (found.status_code, found.headers["location"]) == (303, "/sandbox?box=2#screen")
        missed = await http.post("/sandbox/find", data={"address": "13900000000", "box": "1"})
        assert missed.status_code == 404
        assert "还没有收到任何消息" in missed.text
        moved = await http.post("/sandbox/panel/clock", data={"days": "7", "box": "1"})
        assert moved.headers["location"] == "/sandbox?box=1#panel"
        assert "比真实时间快 7 天" in (await http.get("/sandbox")).text
        faulty = await http.post("/sandbox/panel/faults", data={"choice": "0", "count": "0"})
        assert faulty.status_code == 422
        put = await http.post("/sandbox/panel/faults", data={"choice": "0", "recipient": PHONES[0], "forever": "true"})
        assert put.status_code == 303
        (standing,) = (await http.get("/sandbox/faults")).json()["items"]
        assert (standing["fault"]["recipient"], standing["left"]) == (PHONES[0], None)
        assert "短信：运营商拒绝" in (await http.get("/sandbox")).text
        await http.post("/sandbox/panel/faults/clear", data={})
        assert (await http.get("/sandbox/faults")).json() == {"items": []}
