"""When each message passed each stage, from the tables of the services and of the outside world."""

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import asyncpg

from shared.contracts.cases import CaseAssigned
from tests.bench.stands import Stand

_TOLD = "SELECT event_id, value, written_at, delivered_at FROM outbox WHERE topic = 'cases'"
_HANDLED = "SELECT event_id, handled_at FROM inbox"
_SENT = """
    SELECT m.message_id, m.channel, m.cause, d.out_id, d.planned_at,
           min(o.noted_at) FILTER (WHERE o.seen = 'intent') AS claimed_at,
           min(o.noted_at) FILTER (WHERE o.seen = 'sent') AS noted_at
    FROM messages m JOIN deliveries d USING (message_id) JOIN observations o USING (delivery_id)
    GROUP BY m.message_id, d.delivery_id
"""
_RECEIVED = "SELECT out_id, taken_at FROM messages"

STAGES = {
    "relayed": "written to the outbox → acknowledged by the log",
    "consumed": "acknowledged → its handling begins in party_notification",
    "planned": "handling begins → messages written and planned",
    "claimed": "planned → intent committed by a sender",
    "received": "intent → taken by the carrier or mail server",
    "noted": "taken → outcome written down",
}


@dataclass(frozen=True)
class Journey:
    """A message's instants: its case assigned (accepted), and each stage after that."""

    channel: str
    accepted_at: datetime
    relayed_at: datetime
    consumed_at: datetime
    planned_at: datetime
    claimed_at: datetime
    received_at: datetime
    noted_at: datetime

    @property
    def accepted_to_sent(self) -> float:
        """Seconds from the act that owes the message to its reception."""
        return (self.received_at - self.accepted_at).total_seconds()

    def stages(self) -> dict[str, float]:
        """Seconds spent in each stage; slightly below 0 where the next began before this one was marked."""
        instants = [self.accepted_at, *(getattr(self, f"{stage}_at") for stage in STAGES)]
        return {
            stage: (after - before).total_seconds()
            for stage, (before, after) in zip(STAGES, pairwise(instants), strict=True)
        }


async def journeys(stand: Stand) -> list[Journey]:
    """Of every message received."""
    told = {row["event_id"]: row for row in await _rows(stand, "case_intake", _TOLD) if _assigns(row["value"])}
    handled = {row["event_id"]: row["handled_at"] for row in await _rows(stand, "party_notification", _HANDLED)}
    taken = {row["out_id"]: row["taken_at"] for row in await _rows(stand, "sandbox", _RECEIVED)}
    sent = await _rows(stand, "party_notification", _SENT)
    return [_journey(row, told[row["cause"]], handled[row["cause"]], taken[_out_id(row)]) for row in sent]


def _assigns(value: bytes) -> bool:
    """The assignment is the act by which the notices of a filing are owed."""
    return bool(json.loads(value)["type"] == CaseAssigned.type)


def _out_id(row: asyncpg.Record) -> str:
    """What the outside world knows it by: an SMS by its batch, a mail by its own id."""
    return str(row["out_id"] if row["channel"] == "sms" else row["message_id"].hex)


def _journey(row: asyncpg.Record, told: asyncpg.Record, consumed_at: datetime, received_at: datetime) -> Journey:
    return Journey(
        channel=row["channel"],
        accepted_at=told["written_at"],
        relayed_at=told["delivered_at"],
        consumed_at=consumed_at,
        planned_at=row["planned_at"],
        claimed_at=row["claimed_at"],
        received_at=received_at,
        noted_at=row["noted_at"],
    )


async def _rows(stand: Stand, service: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(stand.database(service))
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
