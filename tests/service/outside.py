"""The sandbox at work for tests: its carrier at a real server, its mail port, and somebody who takes its receipts."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import uvicorn
from aiohttp import web

from services.party_notification.channels.mail import MailEnvelope, Mailer, MailServer, Tls
from services.party_notification.channels.mime import Attachment, Letter, build_mail
from services.party_notification.channels.outcome import Outcome
from services.party_notification.channels.receipts import Receipt, parse_receipts
from services.party_notification.channels.sms import AliyunAccount, AliyunSms, SmsBatch, SmsItem, sms_client
from services.sandbox import store
from services.sandbox.service import SERVICE
from services.sandbox.settings import SandboxSettings
from services.sandbox.usecases.reporting import post_receipts
from services.sandbox.usecases.world import carrier_secret
from shared.clock import SystemClock
from shared.runtime.gateway import Gateway
from shared.runtime.service import Kit
from shared.settings import RunSettings
from tests.fixtures.kits import client, make_kit

PHONES = ("13800000001", "13800000002")
QUICK = SandboxSettings(receipt_after=0.0)


async def quick_kit(url: str) -> Kit[Any]:
    """The sandbox's kit, with receipts due at once."""
    return replace(await make_kit(SERVICE, url), settings=QUICK)


@contextlib.asynccontextmanager
async def court(kit: Kit[Any], key: str | None = None, timeout: float = 5.0) -> AsyncIterator[AliyunSms]:
    """The court's own client of the carrier."""
    async with _listening(kit) as url, sms_client(timeout) as http:
        account = AliyunAccount(url, "sandbox", key or carrier_secret(kit), "重庆五中院")
        yield AliyunSms(http, account, SystemClock(), timeout)


@contextlib.asynccontextmanager
async def _listening(kit: Kit[Any]) -> AsyncIterator[str]:
    """The carrier at a real server behind the real gateway; its URL."""
    gateway = Gateway(SERVICE.mounts(kit))
    server = uvicorn.Server(uvicorn.Config(gateway, port=0, log_config=None, timeout_graceful_shutdown=1))
    task = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/sandbox/carrier"
    server.should_exit = True
    await task


async def send(sms: AliyunSms, *numbers: str, out_id: str = "o1", word: str = "一") -> list[Outcome]:
    """One batch by a new template."""
    code = await sms.register_template("提示", "查询码${word}，请查收。")
    items = tuple(SmsItem(number, {"word": word}) for number in numbers)
    return list(await sms.send_batch(SmsBatch(code, out_id, items)))


async def received(kit: Kit[Any], query: str = "") -> dict[str, Any]:
    """The answer of GET /sandbox/messages."""
    async with client(SERVICE, kit) as http:
        answer = await http.get(f"/sandbox/messages{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def put_faults(kit: Kit[Any], *faults: dict[str, Any]) -> None:
    """Something shall go wrong."""
    async with client(SERVICE, kit) as http:
        assert (await http.post("/sandbox/faults", json=list(faults))).status_code == 201


def mail() -> MailEnvelope:
    """A mail as the court writes them."""
    letter = Letter(
        sender="重庆市第五中级人民法院 <court@example.cn>",
        recipient="party@example.cn",
        subject="受理通知书",
        text="张三：\n您好。",
        html='<p>张三</p><img src="cid:qr@inline">',
        message_id="<1@example.cn>",
        sent_at=datetime(2026, 11, 23, tzinfo=UTC),
        attachments=[Attachment("受理通知书.html", "<h1>受理</h1>".encode())],
        qr_png=b"png",
    )
    return MailEnvelope("court@example.cn", "Party@example.cn", "<1@example.cn>", build_mail(letter), "env1")


@contextlib.asynccontextmanager
async def at_work(kit: Kit[Any]) -> AsyncIterator[Kit[Any]]:
    """The service's jobs as the launcher makes them, with the mail port open; the kit knows which."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    there = replace(kit, run=RunSettings(data=kit.run.data, sandbox_smtp_port=port))
    jobs = SERVICE.jobs(there)
    for _ in range(2):
        await jobs[0].run()
    yield there
    for job in jobs:
        assert job.close is not None
        await job.close()


async def send_mail(kit: Kit[Any]) -> Outcome:
    """One mail through the open port."""
    async with at_work(kit) as there:
        mailer = Mailer(MailServer("127.0.0.1", there.run.smtp_port, Tls.NONE), 1, 5.0)
        outcome = await mailer.send(mail())
        await mailer.close()
    return outcome


class Taker:
    """Stands where the court takes receipts; says what it is told to, else that it took them."""

    def __init__(self, kit: Kit[Any]) -> None:
        self._kit = kit
        self.posts: list[bytes] = []
        self.answers: list[web.Response] = []

    async def take(self, request: web.Request) -> web.Response:
        """Answer one POST."""
        self.posts.append(await request.read())
        return self.answers.pop(0) if self.answers else web.json_response({"code": 0, "msg": "接收成功"})

    async def after(self, passed: timedelta) -> None:
        """Let the sandbox post whatever is due, as if so much time had passed."""
        async with self._kit.db.begin() as tx:
            due = store.receipts.c.due_at - passed
            await tx.conn.execute(store.receipts.update().values(due_at=due))
        async with httpx.AsyncClient(trust_env=False, timeout=2.0) as http:
            while await post_receipts(self._kit, http):
                pass

    @property
    def receipts(self) -> list[Receipt]:
        """What was posted, as the court reads it."""
        return [receipt for post in self.posts for receipt in parse_receipts(post).receipts]


@contextlib.asynccontextmanager
async def taking(kit: Kit[Any]) -> AsyncIterator[Taker]:
    """Somebody who takes the receipts."""
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    taker: Taker | None = None

    async def take(request: web.Request) -> web.Response:
        assert taker is not None
        return await taker.take(request)

    app.router.add_post("/receipts", take)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/receipts"
    taker = Taker(replace(kit, settings=QUICK.model_copy(update={"receipt_url": url})))
    yield taker
    await runner.cleanup()
