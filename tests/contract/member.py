"""A member of a group in a process of its own, so that a test can stop or kill it in earnest.

Usage: member.py KIND ADDRESS GROUP TOPIC LEASE (seconds); the administrator's password at Kafka stands in the
environment. Says `joined`, then `read N` once it holds N > 0 records that
it does not commit; then waits for a line and says what became of its commit.
"""

import asyncio
import os
import sys

from shared.bus.kafka import OPEN, Login
from shared.bus.log import BusError, BusFencedError, Delivered, Place
from tests.contract.stores import Store

PASSWORD = "KAFKA_PASSWORD"


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def _main(kind: str, address: str, group: str, topic: str, lease: str) -> None:
    login = Login("admin", os.environ[PASSWORD], "PLAIN") if kind == "kafka" else OPEN
    async with Store(kind, address, login).started(topic, lease=float(lease)) as log:
        subscription = await log.subscribe(group, [topic])
        _say("joined")
        records: list[Delivered] = []
        while not records:
            records.extend(await subscription.poll(100, 1.0))
        _say(f"read {len(records)}")
        await asyncio.to_thread(sys.stdin.readline)
        offsets: dict[Place, int] = {record.place: record.offset + 1 for record in records}
        try:
            await subscription.commit(offsets)
            _say("committed")
        except BusFencedError:
            _say("fenced")
        except BusError as fault:
            _say(f"failed {fault}")


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
