"""One run: the import posted, then everything read that tells when what happened."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from shared.clock import court_date
from shared.runtime.secrets import Vault
from shared.settings import RunSettings
from tests.bench.court_file import court_file
from tests.bench.stages import Journey, journeys
from tests.bench.stands import Stand

_SERVICES = ("staff", "case_intake", "stage_tracking", "party_notification", "asset_tips", "duty_desk")
_IDLE_SECONDS = 5.0
_QUIET_SECONDS = 2.0


class UnexpectedError(Exception):
    """The outside world did not receive exactly what the file owes."""


@dataclass(frozen=True)
class Run:
    """What was measured. Instants are the machine's, UTC; CPU seconds by group, idle load per second."""

    cases: int
    received: Counter[str]
    notices: int
    posted_at: datetime
    last_received_at: datetime
    at_rest_after: float
    mail_sizes: list[int]
    cpu: Mapping[str, float]
    idle: Mapping[str, float]
    journeys: list[Journey]


async def measure(stand: Stand, cases: int, patience: float) -> Run:
    """File so many cases by one import and wait until all is received and written down. Raises UnexpectedError."""
    file = court_file(cases, court_date(datetime.now(UTC)))
    clerk = stand.product.as_("clerk")
    idle = await _idle(stand)
    before, began = stand.cpu_seconds(), time.monotonic()
    posted_at = datetime.now(UTC)
    form = {"file": ("cases.csv", file.content, "text/csv")}
    terms = {"hold_minutes": "0"}
    answer = await asyncio.to_thread(clerk.post, "/api/cases/import", files=form, data=terms)
    if answer.status_code not in {200, 202}:
        raise UnexpectedError(answer.text)
    took = await _until_at_rest(stand, file.due, patience) - began
    after = stand.cpu_seconds()
    received = await _received(stand, file.due)
    found = await journeys(stand)
    return Run(
        cases=cases,
        received=received,
        notices=await _count(stand, "party_notification", "SELECT count(DISTINCT notice_id) FROM message_notices"),
        posted_at=posted_at,
        last_received_at=max(journey.received_at for journey in found),
        at_rest_after=took,
        mail_sizes=await _mail_sizes(stand),
        cpu={group: after[group] - before.get(group, 0.0) for group in after},
        idle=idle,
        journeys=found,
    )


async def _idle(stand: Stand) -> dict[str, float]:
    """CPU seconds per second while nothing happens."""
    before = stand.cpu_seconds()
    await asyncio.sleep(_IDLE_SECONDS)
    return {group: (used - before.get(group, 0.0)) / _IDLE_SECONDS for group, used in stand.cpu_seconds().items()}


async def _count(stand: Stand, service: str, query: str) -> int:
    connection = await asyncpg.connect(stand.database(service))
    try:
        return int(await connection.fetchval(query))
    finally:
        await connection.close()


async def _until_at_rest(stand: Stand, due: Counter[tuple[str, str]], patience: float) -> float:
    """Wait until all is received, all receipts are in and nothing is left to relay or handle; since when."""
    deadline = time.monotonic() + patience
    last, since = -1, time.monotonic()
    while time.monotonic() < deadline:
        if await _count(stand, "sandbox", "SELECT count(*) FROM messages") >= due.total():
            now = await _handled(stand)
            if now != last:
                last, since = now, time.monotonic()
            if now >= 0 and time.monotonic() - since > _QUIET_SECONDS and await _receipts_in(stand, due):
                return since
        await asyncio.sleep(0.5)
    raise UnexpectedError(f"not at rest within {patience} s")


async def _handled(stand: Stand) -> int:
    """How many events all services have handled; -1 while one has still to be relayed."""
    undelivered = "SELECT count(*) FROM outbox WHERE delivered_at IS NULL"
    if any([await _count(stand, service, undelivered) for service in _SERVICES]):
        return -1
    return sum([await _count(stand, service, "SELECT count(*) FROM inbox") for service in _SERVICES])


async def _receipts_in(stand: Stand, due: Counter[tuple[str, str]]) -> bool:
    sms = sum(number for (channel, _), number in due.items() if channel == "sms")
    return await _count(stand, "party_notification", "SELECT count(*) FROM receipts") >= sms


async def _received(stand: Stand, due: Counter[tuple[str, str]]) -> Counter[str]:
    """Messages by channel, as the sandbox has them; exactly those that were due."""
    messages = await asyncio.to_thread(stand.product.messages)
    got = Counter((message["channel"], message["to"]) for message in messages)
    if got != due:
        raise UnexpectedError(f"{(due - got).total()} messages missing, {(got - due).total()} too many")
    return Counter(channel for channel, _ in got.elements())


async def _mail_sizes(stand: Stand) -> list[int]:
    """Bytes of the mails as they came, of at most 200 of them."""
    keyring = Vault(RunSettings(data=stand.outside)).keyring("sandbox")
    connection = await asyncpg.connect(stand.database("sandbox"))
    try:
        rows = await connection.fetch("SELECT message_id, raw FROM messages WHERE raw IS NOT NULL LIMIT 200")
    finally:
        await connection.close()
    return [len(keyring.open(row["raw"], f"{row['message_id']}/raw")) for row in rows]
