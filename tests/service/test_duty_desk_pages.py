"""The desk's pages and its live stream, over a real server."""

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from services.duty_desk.domain import PROGRESS
from services.duty_desk.service import SERVICE
from services.duty_desk.usecases.acts import ring_due_clocks
from services.duty_desk.usecases.queue import watch
from shared.clock import SystemClock
from shared.contracts.desk import ItemActed
from shared.contracts.staff import AccessRevoked
from shared.contracts.tips import TipGround
from shared.db.revocations import note, standing
from shared.db.transaction import Database, new_id
from shared.http.access import FRESH, Access
from shared.http.auth import still
from shared.powers import POWERS, Action, Role
from shared.runtime.service import Kit
from shared.signals import Signals
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.desk import BODY, CASE, arrive, desk_kit, fail, later
from tests.fixtures.kits import app_of, caller, client, told
from tests.fixtures.running import slowness
from tests.fixtures.serving import Listener, serving

HTMX = {"hx-request": "true"}
HTML = {"accept": "text/html"}


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(SERVICE)


@pytest.fixture
async def kit(url: str) -> AsyncIterator[Kit[Any]]:
    kit = await desk_kit(url)
    yield kit
    await kit.db.close()


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.DUTY) as http:
        yield http


def bearer(kit: Kit[Any], role: Role = Role.DUTY) -> dict[str, str]:
    return {"authorization": "Bearer " + kit.staff_signer.for_staff(caller(role), timedelta(hours=1))}


async def post(http: httpx.AsyncClient, item: UUID, act: str, hx: bool = False, **form: str) -> httpx.Response:
    return await http.post(f"/desk/items/{item}/{act}", data=form, headers=HTMX if hx else HTML)


async def test_the_main_job_without_scripts(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit, case_number=CASE)
    assert f'action="/desk/items/{item}/take"' in (await http.get("/desk")).text
    for act, form, word in (
        ("take", {}, "已由您接手"),
        ("accept", {"case_number": CASE}, "行动期限开始计算"),
        ("act", {"deed": "已扣押车辆。", "tell": "1", "progress": PROGRESS}, "期限停止计算"),
    ):
        answer = await post(http, item, act, **form)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/desk/items/{item}?done={act}")
        page = (await http.get(answer.headers["location"])).text
        assert word in page
        assert BODY in page
    assert "已扣押车辆。" in page
    assert "<form" not in without_search(page)
    [acted] = await told(kit, ItemActed)
    assert kit.keyring.open(acted.progress, str(acted.case_id)) == PROGRESS
    assert "现在没有待办事项" in (await http.get("/desk")).text
    done = (await http.get("/desk/done")).text
    assert CASE in done
    assert "已行动，按时" in done


async def test_beside_the_list_the_answer_is_a_fragment(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    answer = await post(http, item, "take", hx=True)
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert f'hx-post="/desk/items/{item}/accept"' in answer.text


async def test_the_senders_case_is_filled_in_only_when_it_is_on_record(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    known, unknown = await arrive(kit, case_number=CASE), await arrive(kit, case_number="（2026）渝05执4号")
    for item in (known, unknown):
        await post(http, item, "take")
    assert f'value="{CASE}"' in (await http.get(f"/desk/items/{known}")).text
    page = (await http.get(f"/desk/items/{unknown}")).text
    assert 'name="case_number" value=""' in page
    assert "（2026）渝05执4号 没有查到" in page


@pytest.mark.parametrize("hx", [True, False])
async def test_faults_stand_beside_their_fields_and_what_was_typed_is_kept(
    kit: Kit[Any], http: httpx.AsyncClient, hx: bool
) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    unknown = await post(http, item, "accept", hx, case_number="（2026）渝05执4号")
    assert unknown.status_code == 422
    assert 'value="（2026）渝05执4号"' in unknown.text
    assert "没有这个案号的案件" in unknown.text
    empty = await post(http, item, "dismiss", hx, reason="")
    assert empty.status_code == 422
    assert '<details class="disclosure" open>' in empty.text
    await post(http, item, "accept", case_number=CASE)
    both = await post(http, item, "act", hx, deed="", tell="1", progress="根据举报已查封。")
    assert both.status_code == 422
    assert both.text.count('aria-invalid="true"') == 2
    assert "根据举报已查封。</textarea>" in both.text
    missing = await post(http, item, "act", hx, deed="已查封<b>", tell="1", progress="")
    assert missing.status_code == 422, "a sentence that was taken out is not put back in silence"
    assert "已查封&lt;b&gt;</textarea>" in missing.text
    assert await told(kit, ItemActed) == []


async def test_unticking_tells_nobody(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    await post(http, item, "accept", case_number=CASE)
    assert (await post(http, item, "act", deed="已查封。", progress=PROGRESS)).status_code == 303
    [acted] = await told(kit, ItemActed)
    assert acted.progress is None


@pytest.mark.parametrize(("hx", "status"), [(True, 422), (False, 409)])
async def test_whoever_comes_second_keeps_what_they_wrote(
    kit: Kit[Any], http: httpx.AsyncClient, hx: bool, status: int
) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    await post(http, item, "accept")
    await post(http, item, "act", deed="先到者已登记。")
    second = await post(http, item, "act", hx, deed="后到者写了很多。")
    assert second.status_code == status
    assert "该事项已办结" in second.text
    assert "后到者写了很多。" in second.text
    assert "先到者已登记。" in second.text


def without_search(page: str) -> str:
    """The page without the search in its head."""
    return re.sub(r'<form class="search-box".*?</form>', "", page, flags=re.DOTALL)


@pytest.mark.parametrize("role", sorted(POWERS[Action.DESK_READ].roles))
async def test_the_search_stands_in_the_desks_head_for_those_who_may(kit: Kit[Any], role: Role) -> None:
    async with client(SERVICE, kit, role) as somebody:
        for path, there in (("/desk", True), ("/desk/done", True), ("/desk/wall", False)):
            page = (await somebody.get(path, headers=HTML)).text
            found = '<form class="search-box" role="search" aria-label="查找案件" method="post" action="/search">'
            assert (found in page) is (there and role in POWERS[Action.CASES_SEARCH].roles), (path, role)


async def test_who_only_reads_sees_no_buttons(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    async with client(SERVICE, kit, Role.CHIEF) as chief:
        for path in ("/desk", f"/desk/items/{item}", "/desk/wall"):
            page = (await chief.get(path, headers=HTML)).text
            assert "<form" not in without_search(page)
            assert "采信证据</span>" not in page.replace("未采信证据</span>", "")
        assert BODY in (await chief.get(f"/desk/items/{item}")).text
        assert (await post(chief, item, "accept")).status_code == 403


async def test_a_row_tells_its_whole_story_but_not_the_tip(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await arrive(kit, TipGround.URGENT, CASE)
    await fail(kit)
    for path in ("/desk", "/desk/wall"):
        page = (await http.get(path)).text
        for words in ("情况紧急", f"举报案号 {CASE}", "未接手", "未采信证据", "系统故障", "请系统管理员检查"):
            assert words in page, words
        assert "2026-11-23T04:05:00.000Z" in page, "the instant by which somebody must have taken it"
        assert "南坪" not in page
        assert "lane" not in page, "no code of a trouble is shown"


async def test_an_item_that_runs_over_announces_itself_again(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    assert f'data-announce="{item}"' in (await http.get("/desk")).text
    later(kit, minutes=31)
    await ring_due_clocks(kit)
    page = (await http.get("/desk")).text
    assert f'data-announce="{item}/triage"' in page
    assert "已超期，接手期限" in page


async def test_what_was_done_lately_is_leafed_through(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    items = []
    for _ in range(52):
        items.append(await arrive(kit))
        await post(http, items[-1], "take")
        later(kit, seconds=1)
        await post(http, items[-1], "dismiss", reason="核实无果。")
    first = await http.get("/desk/done")
    shown = [str(item) in first.text for item in items]
    assert shown == [False] * 2 + [True] * 50
    (following,) = re.findall(r'href="(/desk/done\?cursor=[^"]+)"', first.text)
    second = await http.get(following)
    assert [str(item) in second.text for item in items] == [True] * 2 + [False] * 50
    assert (await http.get("/desk/done?cursor=x", headers=HTML)).status_code == 422


async def test_nobody_hears_the_desk_without_its_powers(kit: Kit[Any]) -> None:
    async with client(SERVICE, kit) as http:
        assert (await http.get("/desk/stream")).status_code == 401
        assert (await http.get("/desk", headers=HTML)).status_code == 303
        assert (await http.get("/desk/stream", headers=bearer(kit, Role.CLERK))).status_code == 403


@asynccontextmanager
async def listening(kit: Kit[Any], *paths: str) -> AsyncIterator[tuple[uvicorn.Server, list[Listener]]]:
    """The desk's server, and who listens to its streams."""
    async with AsyncExitStack() as stack:
        server, base = await stack.enter_async_context(serving(SERVICE, kit))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, headers=bearer(kit)))
        responses = [await stack.enter_async_context(http.stream("GET", path)) for path in paths]
        assert {response.headers["content-type"].partition(";")[0] for response in responses} == {"text/event-stream"}
        yield server, [Listener(response) for response in responses]


STREAMS = ("/desk/stream", "/desk/stream?view=wall", "/api/desk/stream")


async def test_a_tip_is_on_the_stream_within_a_second(kit: Kit[Any], url: str) -> None:
    """Whichever process handled it: the one that serves the stream, or another, whose signal is not heard here."""
    slow = slowness()  # a second, on a quiet machine
    elsewhere = Database(url, kit.service, kit.court.code, kit.clock, signals := Signals(), 2)
    async with listening(kit, *STREAMS) as (_, listeners):
        for listener in listeners:
            await listener.next("queue")
        for source in (kit, kit, replace(kit, db=elsewhere, signals=signals), kit):
            await asyncio.gather(*(listener.next("tick") for listener in listeners))
            began = time.monotonic()
            item = await arrive(source)
            for listener in listeners:
                assert str(item) in await listener.next("queue")
            assert time.monotonic() - began < slow
    await elsewhere.close()


async def test_a_quiet_stream_gives_the_servers_instant_about_every_second(kit: Kit[Any]) -> None:
    async with listening(kit, "/desk/stream") as (_, [listener]):
        assert "现在没有待办事项" in await listener.next("queue")
        assert await listener.next("tick") == "2026-11-23T04:00:00+00:00"
        began = time.monotonic()
        for _ in range(2):
            await listener.next("tick")
        assert 1.0 < time.monotonic() - began < 4.0


async def test_open_streams_end_properly_when_the_server_is_asked_to_stop(kit: Kit[Any]) -> None:
    async with listening(kit, *STREAMS) as (server, listeners):
        for listener in listeners:
            await listener.next("tick")
        began = time.monotonic()
        server.should_exit = True
        for listener in listeners:
            await listener.rest()
        assert time.monotonic() - began < 2.0, "before the server would cut them off"


async def always() -> bool:
    return True


async def test_an_open_stream_ends_when_sign_in_is_taken_back(kit: Kit[Any], url: str) -> None:
    app, seconds = app_of(SERVICE, kit), itertools.count(step=int(FRESH))
    app.state.access = Access(lambda: standing(kit.db), lambda: float(next(seconds)))
    member = new_id()
    token = kit.staff_signer.for_staff(caller(Role.DUTY, member), timedelta(hours=1))
    request = Request({"type": "http", "app": app, "headers": [(b"authorization", f"Bearer {token}".encode())]})
    sights = watch(kit, asyncio.Event(), partial(still, request, Action.DESK_READ))
    assert await anext(sights) is not None
    gone = AccessRevoked(revocation_id=new_id(), staff_id=member, not_before=SystemClock().now(), session=None)
    async with kit.db.begin() as tx:
        await note(tx.conn, gone)
    await arrive(kit)
    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(sights), 5)


@pytest.mark.parametrize("path", STREAMS)
async def test_whoever_is_signed_out_hears_no_more_of_a_quiet_desk_either(kit: Kit[Any], path: str) -> None:
    """Each stream that is served asks anew: at its next sign of life, though nothing has happened."""
    member, seconds = new_id(), itertools.count(step=int(FRESH))
    token = kit.staff_signer.for_staff(caller(Role.DUTY, member), timedelta(hours=1))
    async with serving(SERVICE, kit) as (server, base):
        server.config.app.state.access = Access(lambda: standing(kit.db), lambda: float(next(seconds)))
        http = httpx.AsyncClient(base_url=base, headers={"authorization": f"Bearer {token}"})
        async with http, http.stream("GET", path) as response:
            listener = Listener(response)
            await listener.next("queue")
            gone = AccessRevoked(revocation_id=new_id(), staff_id=member, not_before=SystemClock().now(), session=None)
            async with kit.db.begin() as tx:
                await note(tx.conn, gone)
            async with asyncio.timeout(5):
                await listener.rest()


class Leaving(Database):
    """A database that can be out of reach."""

    away = False

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        if self.away:
            raise ConnectionRefusedError
        return super().read()


async def test_while_the_database_is_away_no_tick_says_that_all_is_well(kit: Kit[Any], url: str) -> None:
    leaving = Leaving(url, kit.service, kit.court.code, kit.clock, kit.signals, 2)
    sights = watch(replace(kit, db=leaving), asyncio.Event(), always)
    assert (await anext(sights)).items == []
    leaving.away = True
    item = await arrive(kit)
    coming = asyncio.ensure_future(anext(sights))
    done, _ = await asyncio.wait([coming], timeout=1.2)
    assert not done
    leaving.away = False
    [row] = (await asyncio.wait_for(coming, 5)).items
    assert row.item_id == item
    await sights.aclose()
    await leaving.close()
