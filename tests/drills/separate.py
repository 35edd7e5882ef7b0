"""The product as separate processes over a Kafka of its own, which a drill may kill, wipe and start again."""

import asyncio
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from shared.contracts.topics import TOPICS
from tests.contract.stores import Broker
from tests.e2e.test_import import Haystack
from tests.fixtures.running import Machine, Product, eventually, free_port, new_folder, remove

SERVICES = ("asset_tips", "case_intake", "duty_desk", "party_notification", "staff", "stage_tracking")
"""Those that work on cases; the sandbox stands outside, as the witness."""
SMS_AT_ONCE, MAILS_AT_ONCE = 20, 5
CAREFUL = {
    "PARTY_NOTIFICATION_SMS_AT_ONCE": str(SMS_AT_ONCE),
    "PARTY_NOTIFICATION_MAILS_AT_ONCE": str(MAILS_AT_ONCE),
    "PARTY_NOTIFICATION_SEND_TIMEOUT": "4",
    "PARTY_NOTIFICATION_LEASE": "12",
    "PARTY_NOTIFICATION_SETTLE": "3",
    "PARTY_NOTIFICATION_QUERY_GAP": "1",
}
"""Small batches and short waits, so that a kill leaves little in doubt and that little is cleared up soon."""


@dataclass(frozen=True)
class Worker:
    """A service's process in the staff zone, which consumes, relays and sends."""

    service: str
    pid: int
    port: int

    def kill(self) -> None:
        """Kill -9."""
        os.kill(self.pid, signal.SIGKILL)

    def is_ready(self) -> bool:
        """Whether it answers that it is."""
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def events(self) -> Counter[str]:
        """What it has taken from the log since its start, by verdict."""
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        found: Counter[str] = Counter()
        for verdict, number in re.findall(
            r'^yangguang_events_consumed_total{.*verdict="(\w+)"} (\S+)$', text, re.MULTILINE
        ):
            found[verdict] += int(float(number))
        return found


class Separate:
    """All processes, and the broker beside them."""

    def __init__(self, processes: str = "", settings: Mapping[str, str] = CAREFUL) -> None:
        self._loop = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._broker_folder = new_folder()
        self.broker = Broker(self._broker_folder / "kafka", free_port())
        env = {**settings, "YANGGUANG_KAFKA": self.broker.store.address, "YANGGUANG_PROCESSES": processes}
        env["YANGGUANG_KAFKA_ADMIN_PASSWORD"] = self.broker.password
        self.machine = Machine(new_folder(), free_port(), env)
        self.product = Product(self.machine.url, self.machine.folder)

    def start(self) -> None:
        """Return when all of it is ready."""
        self.start_kafka()
        self.machine.start()
        self.machine.wait_ready(180)

    def stop(self) -> None:
        """Everything must end well when asked to."""
        self.product.close()
        status = self.machine.stop()
        self.broker.stop()
        self._loop.close()
        assert status == 0, self.machine.log()[-3000:]
        remove(self.machine.folder)
        remove(self._broker_folder)

    def start_kafka(self) -> None:
        """On whatever data are there; returns when it answers."""
        self._loop.run(self.broker.start())

    def wipe_kafka(self) -> None:
        """Remove the data of a broker that is down; it comes back with another cluster id."""
        shutil.rmtree(self.broker.data)

    def cluster(self) -> str:
        """The id of the cluster that the broker is now."""
        return self._loop.run(self.broker.identity())

    def search(self, hay: Haystack) -> None:
        """Take in everything that Kafka's topics and the logs hold; the tables are the same as in one process."""
        self._loop.run(self._search_topics(hay))
        for path in self.machine.folder.rglob("*.log"):
            hay.add(path.read_bytes())

    async def _search_topics(self, hay: Haystack) -> None:
        async with self.broker.store.started() as log:
            reader = await log.subscribe("search", list(TOPICS))
            silent = 0
            while silent < 5:
                records = await reader.poll(500, 1)
                silent = 0 if records else silent + 1
                for value in (each for record in records for each in (record.key, record.value)):
                    hay.add(value)

    def is_ready(self) -> bool:
        """What the gateway says of all processes together."""
        return httpx.get(f"{self.machine.url}/readyz", timeout=10).status_code == 200

    def wait_ready(self, seconds: float) -> None:
        """Until /readyz answers 200 again."""
        eventually("everything ready again", seconds, self.is_ready)

    def workers(self) -> list[Worker]:
        """The processes as they run now."""
        return list(self._workers())

    def _workers(self) -> Iterator[Worker]:
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent != self.machine.pid or words[2:3] != ["serve"] or words[4:6] != ["--zone", "staff"]:
                    continue
                environ = dict(pair.partition("=")[::2] for pair in (entry / "environ").read_text().split("\0"))
                yield Worker(words[3], int(entry.name), int(environ["YANGGUANG_PORT"]))
            except (OSError, ValueError, KeyError):
                continue  # no process, or one that has just ended

    def events(self, service: str = "") -> list[Counter[str]]:
        """What each process of the service, or of all, has taken from the log since its start."""
        return [worker.events() for worker in self.workers() if service in {"", worker.service}]
