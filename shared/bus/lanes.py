"""Handling one event: inbox row, handler's writes and the lane's move in one transaction; or the lane is closed."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, auto
from uuid import UUID

from shared.bus.log import BusError, Delivered
from shared.contracts.envelope import REGISTRY, Envelope, Event, Types, UndecodableError, UnknownTypeError, decode
from shared.contracts.operations import TroubleReported
from shared.db import inbox
from shared.db.failures import is_away
from shared.db.failures import is_passing as passes_in_database
from shared.db.inbox import Lane, LaneState
from shared.db.transaction import Database, Transaction, new_id
from shared.errors import NotYet
from shared.telemetry.traces import TRACING, SpanKind

log = logging.getLogger(__name__)

Handler = Callable[[Transaction, Event, Envelope], Awaitable[None]]

Decoded = tuple[Envelope, Event | None, Delivered]
Place = tuple[str, str]
"""A lane: topic and key."""

LANES_SIGNAL = "lanes"


class Verdict(Enum):
    """What became of one event."""

    HANDLED = auto()
    REPEATED = auto()
    QUEUED = auto()
    FAILED = auto()


class GapError(Exception):
    """An event's sequence is not the next of its key: something before it is missing."""


@dataclass(frozen=True)
class LanePolicy:
    """How patient a service is with its lanes."""

    quick_tries: int = 3
    first_wait: timedelta = timedelta(milliseconds=200)
    longest_wait: timedelta = timedelta(minutes=5)
    """Between two tries of a parked lane."""
    longest_waiting: timedelta = timedelta(seconds=5)
    """Between two tries of a lane that waits: once the fact is there, it goes on soon."""
    claim: timedelta = timedelta(seconds=20)
    """For how long one process has a closed lane to itself while it tries it again."""
    patience: timedelta = timedelta(minutes=2)
    """How long a lane may wait for another topic's fact before a person is told."""


def is_passing(error: BaseException) -> bool:
    """Whether the same event may well succeed in a moment."""
    return isinstance(error, BusError) or passes_in_database(error)


class LaneKeeper:
    """Takes events to the handlers of one service, each key in its order."""

    def __init__(
        self,
        db: Database,
        service: str,
        handlers: Mapping[type[Event], Handler],
        policy: LanePolicy | None = None,
        types: Types = REGISTRY,
    ) -> None:
        self.db = db
        self.service = service
        self.handlers = handlers
        self.policy = policy or LanePolicy()
        self.types = types
        """All event types that this build knows, whether it handles them or not."""

    async def settle_all(self, records: Sequence[Delivered]) -> list[Verdict]:
        """Records of some keys, each key's in order: in one transaction when all goes well, else key by key.

        The verdicts come in the order of the records.
        """
        if len(records) > 1:
            try:
                return await self._handle([(*decode(record.value, self.types), record) for record in records])
            except Exception as error:
                if is_away(error):
                    raise
        runs = _by_key(records)
        settle = self._settle_each if len(runs) == 1 else self.settle_all
        verdicts: dict[int, Verdict] = {}
        for run in runs:
            verdicts.update(zip(run, await settle([records[at] for at in run]), strict=True))
        return [verdicts[at] for at in range(len(records))]

    async def _settle_each(self, run: Sequence[Delivered]) -> list[Verdict]:
        return [await self.settle(record) for record in run]

    async def settle(self, delivered: Delivered) -> Verdict:
        """Handle, queue, park or quarantine one record. Raises only when the database is away or busy."""
        try:
            envelope, event = decode(delivered.value, self.types)
        except UndecodableError as error:
            await self._quarantine(delivered, str(error))
            return Verdict.FAILED
        tries = 0
        while True:
            try:
                return (await self._handle([(envelope, event, delivered)]))[0]
            except Exception as error:
                if is_away(error):
                    raise
                tries += 1
                if is_passing(error) and tries < self.policy.quick_tries:
                    continue
                return await self._set_aside(envelope, delivered, error)

    async def _handle(self, decoded: Sequence[Decoded]) -> list[Verdict]:
        async with self.db.begin() as tx:
            passage = await self._enter(tx, decoded)
            verdicts = [await self._handle_one(tx, passage, each) for each in decoded]
            await inbox.advance(tx.conn, passage.moved)
            tx.wake(LANES_SIGNAL)
        return verdicts

    async def _enter(self, tx: Transaction, decoded: Sequence[Decoded]) -> "Passage":
        """Lock all lanes and note all events at once: few statements, however many events."""
        lanes = await inbox.lock_all(tx.conn, [_place(each) for each in decoded])
        passing = [
            envelope.id
            for envelope, event, record in decoded
            if _may_pass(lanes[record.place.topic, envelope.subject], envelope) and self._wants(envelope, event)
        ]
        return Passage(lanes, await inbox.new_among(tx.conn, passing))

    def _wants(self, envelope: Envelope, event: Event | None) -> bool:
        """Whether a handler here asks for the event; else it is passed over. Raises UnknownTypeError."""
        if event is None:
            raise UnknownTypeError(envelope.type)
        return type(event) in self.handlers

    async def _handle_one(self, tx: Transaction, passage: "Passage", decoded: Decoded) -> Verdict:
        envelope, event, record = decoded
        place = _place(decoded)
        lane, stands = passage.lanes[place], passage.stands(place)
        if envelope.sequence <= stands:
            return Verdict.REPEATED
        if lane.state is not LaneState.OPEN:
            await inbox.queue(tx.conn, envelope, lane.topic, record.value)
            return Verdict.QUEUED
        if self._wants(envelope, event):
            _check_sequence(envelope, stands)
        if envelope.id in passage.fresh:
            await self._give(tx, envelope, event)
            passage.fresh.discard(envelope.id)
        passage.moved[place] = envelope.sequence
        return Verdict.HANDLED

    async def _give(self, tx: Transaction, envelope: Envelope, event: Event | None) -> None:
        if event is not None:
            parent, about = envelope.traceparent, {"service": self.service, "type": envelope.type}
            with TRACING.span(f"handle {envelope.type}", SpanKind.CONSUMER, parent, **about):
                await self.handlers[type(event)](tx, event, envelope)

    async def _pass(self, tx: Transaction, lane: Lane, envelope: Envelope, event: Event | None) -> None:
        if self._wants(envelope, event):
            _check_sequence(envelope, lane.sequence)
            if await inbox.is_new(tx.conn, envelope.id):
                await self._give(tx, envelope, event)
        await inbox.advance(tx.conn, {(lane.topic, lane.key): envelope.sequence})

    async def _set_aside(self, envelope: Envelope, delivered: Delivered, error: Exception) -> Verdict:
        try:
            return await self._close(envelope, delivered, error)
        except Exception as refused:
            if is_away(refused) or is_passing(refused):
                raise
            await self._quarantine(delivered, f"cannot be stored: {type(refused).__name__}")
            return Verdict.FAILED

    async def _close(self, envelope: Envelope, delivered: Delivered, error: Exception) -> Verdict:
        async with self.db.begin() as tx:
            lane = await inbox.lock(tx.conn, delivered.place.topic, envelope.subject)
            await inbox.queue(tx.conn, envelope, lane.topic, delivered.value)
            return await self._block(tx, lane, error)

    async def _block(self, tx: Transaction, lane: Lane, error: Exception) -> Verdict:
        state = LaneState.WAITING if isinstance(error, NotYet) or is_passing(error) else LaneState.PARKED
        longest = self.policy.longest_wait
        if state is LaneState.WAITING:
            longest = min(longest, self.policy.longest_waiting)
        wait = min(self.policy.first_wait * 2 ** min(inbox.tries_so_far(lane, state), 12), longest)
        if not isinstance(error, NotYet):
            log.error(
                "lane closed", extra={"topic": lane.topic, "error": type(error).__name__, "place": _place_of(error)}
            )
        await inbox.block(tx.conn, lane, state, type(error).__name__, wait)
        return Verdict.QUEUED if isinstance(error, NotYet) else Verdict.FAILED

    async def _quarantine(self, delivered: Delivered, why: str) -> None:
        async with self.db.begin() as tx:
            row = {
                "topic": delivered.place.topic,
                "partition": delivered.place.partition,
                "offset": delivered.offset,
                "key": delivered.key,
                "value": delivered.value,
                "headers": {_storable(name): value.hex() for name, value in delivered.headers.items()},
                "why": _storable(why),
            }
            if await inbox.put_in_quarantine(tx.conn, row):
                summary = f"{self.service} 收到无法解读的消息，已隔离保存，请系统管理员检查。"
                await self._report(tx, "quarantine", summary)

    async def revisit(self) -> int:
        """Try closed lanes whose time has come; how many were opened again. Tells the desk of what stays closed."""
        async with self.db.read() as conn:
            if not await inbox.any_closed(conn):
                return 0
        async with self.db.begin() as tx:
            candidates = await inbox.claim_due(tx.conn, 200, self.policy.claim)
        opened = 0
        for topic, key in candidates:
            opened += await self._drain(topic, key)
        await self._report_closed()
        return opened

    async def _drain(self, topic: str, key: str) -> bool:
        while True:
            async with self.db.begin() as tx:
                lane = await inbox.lock(tx.conn, topic, key)
                value = await inbox.first_waiting(tx.conn, lane)
                if value is None:
                    await inbox.reopen(tx.conn, lane)
                    return True
            try:
                envelope, event = decode(value, self.types)
                async with self.db.begin() as tx:
                    lane = await inbox.lock(tx.conn, topic, key)
                    if envelope.sequence > lane.sequence:
                        await self._pass(tx, lane, envelope, event)
                    await inbox.unqueue(tx.conn, envelope, topic)
            except Exception as error:
                if is_away(error):
                    raise
                async with self.db.begin() as tx:
                    await self._block(tx, await inbox.lock(tx.conn, topic, key), error)
                return False

    async def _report_closed(self) -> None:
        async with self.db.begin() as tx:
            for row in await inbox.to_report(tx.conn, self.policy.patience):
                waits = row.state == LaneState.WAITING
                what = "一直等待前置信息、暂不可用的资源或认识这类消息的新版本" if waits else "处理失败，已停放"
                summary = (
                    f"{self.service} 的“{row.topic}”消息{what}（{row.reason}），"
                    "同一事项的后续消息按序等待。请系统管理员检查后重放。"
                )
                await self._report(tx, "lane", summary)

    async def _report(self, tx: Transaction, kind: str, summary: str) -> None:
        await tx.emit(
            TroubleReported(trouble_id=new_id(), service=self.service, kind=kind, summary=summary, noticed_at=tx.now)
        )


@dataclass
class Passage:
    """Some lanes, locked, while events pass. `fresh`: events not handled before; `moved`: how far each lane got."""

    lanes: Mapping[Place, Lane]
    fresh: set[UUID]
    moved: dict[Place, int] = field(default_factory=dict)

    def stands(self, place: Place) -> int:
        """The sequence of the last event that passed."""
        return self.moved.get(place, self.lanes[place].sequence)


def _place(decoded: Decoded) -> Place:
    envelope, _, record = decoded
    return record.place.topic, envelope.subject


def _may_pass(lane: Lane, envelope: Envelope) -> bool:
    return lane.state is LaneState.OPEN and envelope.sequence > lane.sequence


def _check_sequence(envelope: Envelope, stands: int) -> None:
    if envelope.sequence != stands + 1:
        raise GapError(f"event {envelope.sequence} after {stands}")


def _by_key(records: Sequence[Delivered]) -> list[list[int]]:
    """The places of each key's records in the sequence."""
    runs: dict[tuple[str, bytes], list[int]] = {}
    for at, record in enumerate(records):
        runs.setdefault((record.place.topic, record.key), []).append(at)
    return list(runs.values())


def _place_of(error: Exception) -> str:
    """File and line where it broke; its message may carry personal data."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "?"


def _storable(text: str) -> str:
    """What PostgreSQL takes as text: no NUL, no lone surrogates."""
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
