"""The two stores that the conformance suite runs on, behind one face."""

import asyncio
import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer

from shared.bus.kafka import OPEN, KafkaLog, Login
from shared.bus.log import BusError, Log
from shared.bus.postgres import PostgresLog

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Store:
    """One store; `address` is a database URL or a bootstrap address."""

    kind: str
    address: str = field(repr=False)
    login: Login = OPEN

    def log(self, timeout: float = 10.0, lease: float = 1.0) -> Log:
        """A log not yet started; seconds."""
        if self.kind == "postgres":
            return PostgresLog(self.address, timeout=timeout, lease=timedelta(seconds=lease))
        return KafkaLog(self.address, timeout=timeout, lease=timedelta(seconds=lease), login=self.login)

    @asynccontextmanager
    async def started(
        self, *topics: str, partitions: int = 1, timeout: float = 10.0, lease: float = 1.0
    ) -> AsyncIterator[Log]:
        log = self.log(timeout, lease)
        try:
            await log.start(dict.fromkeys(topics, partitions))
            yield log
        finally:
            await log.close()

    @property
    def port(self) -> int:
        return int(re.findall(r"127.0.0.1:(\d+)", self.address)[0])

    def at_port(self, port: int) -> "Store":
        """The same store behind another port of 127.0.0.1."""
        return replace(self, address=self.address.replace(f"127.0.0.1:{self.port}", f"127.0.0.1:{port}"))

    async def append_raw(self, topic: str, key: bytes, value: bytes) -> None:
        """Append into partition 0 as some other program would, with bytes that are no text."""
        if self.kind == "kafka":
            producer = AIOKafkaProducer(bootstrap_servers=self.address, **self.login.options)
            await producer.start()
            await producer.send_and_wait(topic, value, key, partition=0, headers=[("raw", b"\xff\x00")])
            await producer.stop()
            return
        connection = await asyncpg.connect(self.address.replace("+asyncpg", ""))
        async with connection.transaction():
            offset = await connection.fetchval(
                "UPDATE partitions SET next_offset = next_offset + 1 WHERE topic = $1 RETURNING next_offset - 1", topic
            )
            await connection.execute(
                "INSERT INTO records VALUES ($1, 0, $2, $3, $4, $5)", topic, offset, key, '{"raw": "x"}', value
            )
        await connection.close()


class Broker:
    """A Kafka of its own on a fixed port of 127.0.0.1, started by the launcher that `make kafka` uses.

    Its `store` is entered as the administrator, who may do everything.
    """

    def __init__(self, data: Path, port: int, advertised: int = 0, *, is_open: bool = False) -> None:
        self.data = data
        self.password = secrets.token_urlsafe(16)
        login = OPEN if is_open else Login("admin", self.password, "PLAIN")
        self.store = Store("kafka", f"127.0.0.1:{port}", login)
        self._secret = data.with_name(f"{data.name}-admin")
        self._arguments = ["--port", str(port), "--data", str(data), "--advertised", str(advertised)]
        self._arguments += ["--open"] if is_open else ["--password-file", str(self._secret)]
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Return when it answers; fail with its output when it does not within a minute."""
        command = [sys.executable, "-m", "deploy.kafka.launch", "--end-with-parent", str(os.getpid()), *self._arguments]
        self.data.mkdir(exist_ok=True)
        self._secret.write_text(self.password)
        output = self.data / "output.log"
        with output.open("wb") as sink:
            self._process = process = subprocess.Popen(command, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT)

        async def answers() -> bool:
            assert process.poll() is None, output.read_text()
            with contextlib.suppress(BusError):
                return bool(await self.identity())
            return False

        await eventually(answers, 60)

    async def identity(self) -> str:
        """The id of the cluster that it is now."""
        log = self.store.log(timeout=2)
        try:
            return await log.identity()
        finally:
            await log.close()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGTERM)
            process.wait(30)

    def kill(self) -> None:
        """Kill -9; start() then goes on with the same data."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait(30)


async def eventually(true: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Ask until it is true; fail when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not await true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.05)
