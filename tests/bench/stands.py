"""The product set up for the bench, with the outside world as a process of its own that bears witness."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.runtime.postgres import read_url
from tests.bench import cpu
from tests.fixtures.running import Machine, Process, Product, free_port, new_folder, remove

_SECRETS = {"carrier": "bench-carrier-secret", "receipt": "bench-receipt-secret"}
PRODUCT, SANDBOX = "product", "sandbox"


@dataclass(frozen=True)
class Stand:
    """A running product. `outside`: the data folder of the sandbox; `roots`: the processes started, by name."""

    product: Product
    outside: Path
    roots: Mapping[int, str]

    def database(self, name: str) -> str:
        """The URL of a service's database, as its own role."""
        folder = self.outside if name == SANDBOX else self.product.folder
        return read_url(folder / "postgres", name).replace("+asyncpg", "", 1)

    def cpu_seconds(self) -> dict[str, float]:
        """By group: the product, the gateway, the sandbox, PostgreSQL (the sandbox's apart if it has one), Kafka."""
        return cpu.used(self.roots, _group)


def _group(root: str, command: str) -> str:
    words = command.split()
    program = words[0].rpartition("/")[2] if words else ""
    if program in {"postgres", "postgres:"}:
        return "PostgreSQL" if root == PRODUCT else "PostgreSQL of the sandbox"
    if program == "java" or "deploy.kafka.launch" in words:
        return "Kafka"
    if "deploy.local.launch" in words:
        return "gateway"
    return SANDBOX if words[2:4] == ["serve", SANDBOX] else root


@contextmanager
def embedded() -> Iterator[Stand]:
    """All services in one process over the log in PostgreSQL, the sandbox in another with a database of its own."""
    port, outside_port = free_port(), free_port()
    receipts = f"http://127.0.0.1:{port}/api/notices/receipts/aliyun/{_SECRETS['receipt']}"
    env = {"SANDBOX_CARRIER_SECRET": _SECRETS["carrier"], "SANDBOX_RECEIPT_URL": receipts}
    sandbox = Process([SANDBOX], new_folder(), outside_port, env)
    told = {
        "YANGGUANG_SANDBOX_URL": sandbox.url,
        "YANGGUANG_SANDBOX_SMTP_PORT": str(outside_port + 25),
        "PARTY_NOTIFICATION_CARRIER_KEY_SECRET": _SECRETS["carrier"],
        "PARTY_NOTIFICATION_RECEIPT_SECRET": _SECRETS["receipt"],
    }
    main = Process(["all", "--without", SANDBOX], new_folder(), port, told)
    with _started({PRODUCT: main, SANDBOX: sandbox}) as roots:
        yield Stand(Product(main.url, main.folder, sandbox.url), sandbox.folder, roots)


@contextmanager
def kafka() -> Iterator[Stand]:
    """A process per service and zone over a real Kafka, one PostgreSQL for all of them and the sandbox."""
    machine = Machine(new_folder(), free_port())
    with _started({PRODUCT: machine}) as roots:
        yield Stand(Product(machine.url, machine.folder), machine.folder, roots)


@contextmanager
def _started(processes: Mapping[str, Process]) -> Iterator[Mapping[int, str]]:
    try:
        for process in processes.values():
            process.start()
        for process in processes.values():
            process.wait_ready(180)
        yield {process.pid: name for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.stop()
            remove(process.folder)
