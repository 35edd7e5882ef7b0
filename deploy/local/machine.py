"""All processes of the product on this machine: started, kept alive, ended in order.

YANGGUANG_KAFKA names a broker that runs already; else one is started. YANGGUANG_PROCESSES sets how many processes a
role has, as `party_notification=2`. Each process writes its log to a file of its own below `<data>/logs`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from socket import socket

import click
import httpx
import uvicorn
import uvloop
from starlette.types import ASGIApp

from deploy.kafka.launch import missing
from deploy.local.children import Child, Command
from deploy.local.gateway import gateway, readiness
from deploy.local.layout import OUTSIDE, Role, copies, roles
from deploy.local.log import admin_file, log_settings, told_of_log
from deploy.local.ports import free_ports
from shared.db.access import Part
from shared.db.migrate import migrate_at
from shared.runtime.cli import announce
from shared.runtime.connection import server_config
from shared.runtime.forward import forwarding_client
from shared.runtime.listener import LaunchError
from shared.runtime.logging import configure
from shared.runtime.logs import Logs, kafka_log
from shared.runtime.postgres import EmbeddedPostgres, PostgresStartError, keep_alive
from shared.runtime.prepare import tend_log
from shared.runtime.progress import Progress
from shared.runtime.secrets import Vault
from shared.settings import RunSettings

SMTP_ABOVE = 25
"""The sandbox's mail server listens this far above its HTTP port."""


_FOLLOW = ("--end-with-parent", str(os.getpid()))


class Machine:
    """All processes of the product on this machine."""

    def __init__(
        self, run: RunSettings, broker: str, numbers: Mapping[str, int], kafka_cache: Path, door: socket
    ) -> None:
        self.run_settings = run
        self._door = door
        self.roles = roles()
        self.numbers = {role.name: numbers.get(role.name, 1) for role in self.roles}
        connections = (sum(self.numbers.values()) + 2) * (run.pool_size + 6)
        names = sorted({role.service.name for role in self.roles})
        self.postgres = EmbeddedPostgres(run.data / "postgres", names, connections)
        self._kafka_cache = kafka_cache
        self._logs = run.data / "logs"
        self._own_broker = not broker
        ports = free_ports(sum(self.numbers.values()) + 1, SMTP_ABOVE)
        self.broker = broker or f"127.0.0.1:{ports.pop()}"
        self._entry = log_settings(run, self.broker, names, own=self._own_broker)
        self.ports = {name: [ports.pop() for _ in range(number)] for name, number in self.numbers.items()}

    @property
    def urls(self) -> dict[str, list[str]]:
        """Role → the URLs of its processes."""
        return {name: [f"http://127.0.0.1:{port}" for port in ports] for name, ports in self.ports.items()}

    def children(self) -> list[Child]:
        """Every process; the database must be up."""
        self._logs.mkdir(parents=True, exist_ok=True)
        found = [self._kafka()] if self._own_broker else []
        found += [self._process(role, port) for role in self.roles for port in self.ports[role.name]]
        return found

    def _kafka(self) -> Child:
        words = [sys.executable, "-m", "deploy.kafka.launch", *_FOLLOW, "--port", self.broker.split(":")[1]]
        words += ["--data", str(self.run_settings.data / "kafka"), "--cache", str(self._kafka_cache)]
        words += ["--password-file", str(admin_file(self.run_settings))]
        return Child(Command("kafka", words, os.environ, self._logs / "kafka.log"))  # noqa: TID251 - handed on whole

    def _process(self, role: Role, port: int) -> Child:
        words = [str(Path(sys.executable).parent / "yangguang"), "serve", role.service.name]
        words += ["--zone", role.zone, *_FOLLOW]
        return Child(Command(role.name, words, self._environment(role, port), self._logs / f"{role.name}-{port}.log"))

    def _environment(self, role: Role, port: int) -> Mapping[str, str]:
        sandbox = self.ports[OUTSIDE][0]
        return {
            **told_of_log(self._entry, role, os.environ),  # noqa: TID251 - handed on whole
            "YANGGUANG_DATA": str(self.run_settings.data),
            "YANGGUANG_PORT": str(port),
            "YANGGUANG_SITE_URL": self.run_settings.base_url,
            "YANGGUANG_DATABASE_URL": self.postgres.url(role.service.name, role.part),
            "YANGGUANG_TRUSTED_PROXY": "127.0.0.1",
            "YANGGUANG_SANDBOX_URL": f"http://127.0.0.1:{sandbox}",
            "YANGGUANG_SANDBOX_SMTP_PORT": str(sandbox + SMTP_ABOVE),
        }

    async def run(self, progress: Progress) -> None:
        """Until SIGINT or SIGTERM."""
        self._make_pairs()
        progress.step("启动数据库（首次要建库）")
        await asyncio.to_thread(self.postgres.start)
        try:
            progress.step("准备各服务的数据表")
            await self._migrate()
            progress.step("启动 Kafka 和各服务的进程")
            async with asyncio.TaskGroup() as group, forwarding_client() as client:
                tasks = [group.create_task(child.run()) for child in self.children()]
                tasks += [group.create_task(self._tell(client, progress)), group.create_task(keep_alive(self.postgres))]
                tasks.append(group.create_task(self._tend_log(progress)))
                await self._serve(gateway(self.roles, self.urls, client))
                for task in tasks:
                    task.cancel()
        finally:
            await asyncio.to_thread(self.postgres.stop)

    def _make_pairs(self) -> None:
        """Or else whoever starts first makes them, and that may be one who is to hold the public half alone."""
        vault = Vault(self.run_settings)
        vault.staff_tokens  # noqa: B018 - made at the first look
        for role in self.roles:
            vault.drop(role.service.name)

    async def _tend_log(self, progress: Progress) -> None:
        """As Kafka's administrator, whose password no child but the broker is given; else only see who is let in."""
        services = list({role.service.name: role.service for role in self.roles}.values())
        if self._entry.kafka_admin_password:
            await tend_log(services, self._entry, progress.remark)
            return
        logs = Logs(services, self._entry, partial(kafka_log, self._entry))
        try:
            while not logs.started:
                await logs.begin(progress.remark)
                await asyncio.sleep(1)
        finally:
            await logs.close()

    async def _migrate(self) -> None:
        """As the tables' owner, whose password no child is given."""
        for service in {role.service.name: role.service for role in self.roles}.values():
            url = self.postgres.url(service.name, Part.OWNER)
            await migrate_at(url, *service.packages, access=service.access(self.run_settings))

    async def _serve(self, app: ASGIApp) -> None:
        config = server_config(app)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)  # uvicorn raises it again at its end; the rest is ours
        await uvicorn.Server(config).serve(sockets=[self._door])

    async def _tell(self, client: httpx.AsyncClient, progress: Progress) -> None:
        while not all((await readiness(self.urls, client)).values()):  # noqa: ASYNC110 - they fire no event here
            await asyncio.sleep(0.3)
        progress.close()
        announce(self.run_settings)
        click.echo(f"  各进程的日志：{self._logs}    Kafka：{self.broker}\n")


def run_machine(broker: str, processes: str, kafka_cache: Path, run: RunSettings, door: socket) -> None:
    """Check, then run until a signal asks for the end. Raises ClickException."""
    configure()
    lack = None if broker else missing(kafka_cache)
    if lack is not None:
        raise click.ClickException(lack)
    try:
        machine = Machine(run, broker, copies(processes), kafka_cache, door)
        with closing(Progress(click.echo)) as progress:
            uvloop.run(machine.run(progress))
    except (ValueError, LaunchError, PostgresStartError) as error:
        raise click.ClickException(str(error)) from None
