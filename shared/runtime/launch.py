"""Starts one, some or all services in this process: database, event log, migrations, loops, HTTP."""

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from socket import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from shared.bus.kafka import Login
from shared.bus.log import Log
from shared.bus.postgres import PostgresLog
from shared.clock import SystemClock
from shared.db.access import Part
from shared.http.app import health_answer
from shared.http.guards import Headed, Strict
from shared.http.limits import Paced
from shared.http.routes import Zone
from shared.runtime.connection import server_config
from shared.runtime.docs import docs_routes
from shared.runtime.gateway import Gateway, paths_of
from shared.runtime.listener import LaunchError
from shared.runtime.logs import Logs, NoLog, kafka_log
from shared.runtime.postgres import EmbeddedPostgres, keep_alive
from shared.runtime.prepare import patiently
from shared.runtime.progress import Progress
from shared.runtime.registry import load
from shared.runtime.secrets import SecretsMissingError, Vault
from shared.runtime.service import Service
from shared.runtime.telemetry import Metrics, TelemetrySettings, traced
from shared.runtime.unit import Unit, build_kit
from shared.settings import CourtSettings, Environment, RunSettings
from shared.web.pages import static_app

log = logging.getLogger(__name__)

BUS = "bus"
SANDBOX = "sandbox"


def zones_of(run: RunSettings) -> tuple[Zone, ...]:
    """The zones that this process serves."""
    return tuple(Zone) if run.zone == "both" else (Zone(run.zone),)


def process_name(names: Sequence[str], run: RunSettings) -> str:
    """What this process is called in traces."""
    name = names[0] if len(names) == 1 else "yangguang"
    return f"{name}-public" if run.zone == "public" else name


def check(names: Sequence[str], run: RunSettings, court: CourtSettings | None = None) -> None:
    """Refuse what must not be: the outside world in parts, and in production what is for show. Raises LaunchError."""
    if SANDBOX in names and run.zone != "both":
        # Its carrier answers in the public zone, its receipts and mails are the work of the staff zone.
        raise LaunchError("sandbox 只能作为一个进程同时服务两个网段：请用 --zone both（默认）启动。")
    faults = _unfit(names, run, court or CourtSettings()) if run.environment is Environment.PRODUCTION else []
    if faults:
        raise LaunchError("\n".join(["生产环境不能这样启动，请改正以下各项：", *(f"  {fault}" for fault in faults)]))


def _unfit(names: Sequence[str], run: RunSettings, court: CourtSettings) -> list[str]:
    """All that keeps a production from starting, each with the setting that it is about."""
    faults = [f"{setting}：{why}，请按本院实际情况填写。" for setting, why in court.for_show().items()]
    if not run.is_https:
        faults.insert(0, "YANGGUANG_SITE_URL：须为https开头的网址，写入通知，当事人由此访问。")
    elif not run.is_reached_by_others:
        faults.insert(0, "YANGGUANG_SITE_URL：是示例网址或者本机地址，当事人打不开，请填写本院对外的网址。")
    if not run.database_url:
        faults.insert(0, "YANGGUANG_DATABASE_URL：须填写，内置数据库只供演示。")
    if run.log == "kafka" and Zone.STAFF in zones_of(run) and not (run.kafka_user and run.kafka_password):
        faults.insert(0, "YANGGUANG_KAFKA_USER、YANGGUANG_KAFKA_PASSWORD：须填写，Kafka须核对每个服务的口令。")
    if SANDBOX in names:
        faults.insert(0, "sandbox：生产环境不能启动，请用 yangguang serve 指定其他服务。")
    return faults


def recently(ask: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """The answer of `ask` as it was at most a second ago: whoever asks often makes nobody work more often."""
    line, told, until = asyncio.Lock(), Response(), 0.0

    async def answer(request: Request) -> Response:
        nonlocal told, until
        async with line:
            if time.monotonic() >= until:
                told, until = await ask(request), time.monotonic() + 1
        return Response(told.body, told.status_code, media_type=told.media_type)

    return answer


def front(services: Sequence[Service], readyz: Callable[[Request], Awaitable[Response]]) -> dict[str, ASGIApp]:
    """What stands before the services under its own paths: health, documentation, static files."""
    app = Starlette(
        routes=[
            Route("/healthz", lambda _: JSONResponse({"alive": True})),
            Route("/readyz", recently(readyz)),
            *docs_routes(services),
            Mount("/static", static_app()),
        ]
    )
    paths = ("/healthz", "/readyz", "/docs", "/asyncapi", "/static")
    return dict.fromkeys(paths, Paced(Headed(app)))


class Product:
    """The services of one process, over one database server and one event log."""

    def __init__(self, services: Sequence[Service], run: RunSettings, progress: Progress) -> None:
        self.run_settings = run
        self.progress = progress
        self.services = services
        self.clock = SystemClock()
        self.vault = Vault(run)
        self.keys = {each.name: self.vault.keys(each.name, each.held(zones_of(run))) for each in services}
        self.postgres = None if run.database_url else self._embedded()
        self.units: list[Unit] = []
        self.logs = Logs((), run, self.bus)
        self.ready = False

    def _embedded(self) -> EmbeddedPostgres:
        names = [service.name for service in self.services]
        connections = (len(names) + 2) * (self.run_settings.pool_size + 6)
        return EmbeddedPostgres(self.run_settings.data / "postgres", [BUS, *names], connections)

    def url(self, name: str) -> str:
        """The database URL of a service, as the role that runs it."""
        if self.postgres is not None:
            return self.postgres.url(name)
        return self.run_settings.database_url.format(service=name)

    def owner_url(self, name: str) -> str:
        """The URL of its tables' owner; nothing when somebody else migrates."""
        if self.postgres is not None:
            return self.postgres.url(name, Part.OWNER)
        return self.run_settings.owner_of(name)

    def bus(self, login: Login) -> Log:
        """The event log that the settings name. A process of the public zone alone has none."""
        if Zone.STAFF not in zones_of(self.run_settings):
            return NoLog()
        if self.run_settings.log == "kafka":
            return kafka_log(self.run_settings, login)
        return PostgresLog(self.postgres.url(BUS, Part.OWNER) if self.postgres else self.url(BUS))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything started; everything closed at the end."""
        if self.postgres is not None:
            self.progress.step("启动数据库（首次要建库）")
            await asyncio.to_thread(self.postgres.start)
        self.logs = Logs(self.services, self.run_settings, self.bus)
        try:
            self._build()
            await self._check_keys()
            self.progress.step("连接事件日志")
            await self._begin()
            await self._prepare()
            async with asyncio.TaskGroup() as group:
                loops = [group.create_task(unit.run()) for unit in self.units]
                loops.append(group.create_task(self._go_on_beginning()))
                loops.append(group.create_task(self._follow_keys()))
                if self.postgres is not None:
                    loops.append(group.create_task(keep_alive(self.postgres)))
                self.ready = True
                yield
                self.ready = False
                for task in loops:
                    task.cancel()
        finally:
            for unit in self.units:
                await unit.close()
            await self.logs.close()
            if self.postgres is not None:
                await asyncio.to_thread(self.postgres.stop)

    async def _begin(self) -> None:
        """A log that is away holds up nobody who files, asks or tips: what they tell waits in the outbox."""
        await self.logs.begin(self.progress.remark)

    async def _go_on_beginning(self) -> None:
        while not self.logs.started:
            await asyncio.sleep(1)
            await self._begin()

    def _build(self) -> None:
        for service in self.services:
            kit = build_kit(service, self.run_settings, self.keys[service.name], self.url(service.name), self.clock)
            zones = zones_of(self.run_settings)
            self.units.append(Unit(service, kit, self.logs.of(service.name), zones, self.owner_url(service.name)))

    async def _follow_keys(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.vault.follow()

    async def _check_keys(self) -> None:
        """Before anything is written. Keys that were made for this start, and are not the right ones, are not kept."""
        try:
            for unit in self.units:
                await patiently(unit.service.name, unit.check_keys)
        except SecretsMissingError:
            self.vault.discard_made()
            raise

    async def _prepare(self) -> None:
        for number, unit in enumerate(self.units, 1):
            self.progress.step(f"准备“{unit.service.title}”（{number}/{len(self.units)}）")
            await patiently(unit.service.name, unit.prepare)

    def app(self) -> ASGIApp:
        """The application that answers on this process's port."""
        owners = paths_of({unit.service.name: unit.prefixes for unit in self.units})
        apps = {unit.service.name: unit.app for unit in self.units}
        mounts: dict[str, ASGIApp] = {prefix: apps[name] for prefix, name in owners.items()}
        mounts |= {f"/openapi/{name}.json": Paced(app) for name, app in apps.items()}
        mounts |= {prefix: app for unit in self.units for prefix, app in unit.mounts.items()}
        metrics = Metrics(loopback_only=self.run_settings.zone == "both")
        gateway = Gateway({**mounts, **front(self.services, self._readyz), "/metrics": metrics})
        return Strict(gateway) if self.run_settings.is_https else gateway

    async def _readyz(self, _request: Request) -> Response:
        checks = {name: check for unit in self.units for name, check in unit.checks().items()}
        return health_answer({"started": lambda: self.ready, "log": lambda: self.logs.started, **checks})


async def serve(
    names: Iterable[str], run: RunSettings, door: socket, progress: Progress, announce: Callable[[], None]
) -> None:
    """Run until a signal asks for the end; `announce` is called once `door`, a bound socket, answers.

    Raises LaunchError, SecretsMissingError, PostgresStartError.
    """
    chosen = list(names)
    check(chosen, run)
    product = Product([load(name) for name in chosen], run, progress)
    async with traced(process_name(chosen, run), TelemetrySettings()), product.running():
        config = server_config(
            product.app(),
            proxy_headers=bool(run.trusted_proxy),
            forwarded_allow_ips=run.trusted_proxy,
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            # uvicorn stops at the signal and then raises it again: by then the end is ours to order.
            signal.signal(number, lambda *_: None)
        await _Server(config, announce).serve(sockets=[door])


class _Server(uvicorn.Server):
    """uvicorn that says when its port answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open the port, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()
