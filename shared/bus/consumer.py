"""A service's reader of the log: polls batches, lets each key's events pass in order, commits what is settled."""

import asyncio
import logging
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from shared.bus.lanes import LANES_SIGNAL, LaneKeeper, Verdict, is_passing
from shared.bus.log import BusFencedError, Delivered, Log, Place, Subscription
from shared.db.failures import is_away
from shared.signals import Signals
from shared.telemetry.metrics import CONSUMER_BEHIND, EVENTS_CONSUMED

log = logging.getLogger(__name__)

_COUNT_EVERY = 5.0  # seconds between two looks at how far the log has gone on


class CeilingError(Exception):
    """A large share of the last events failed: the fault is ours, so nothing more is parked."""


class FailureCeiling:
    """Watches the share of failures among the last `window` events."""

    def __init__(self, window: int = 50, least: int = 20, share: float = 0.5) -> None:
        self._least = least
        self._share = share
        self._last: deque[bool] = deque(maxlen=window)

    def note(self, *, failed: bool) -> None:
        """Count one event. Raises CeilingError when the share is reached."""
        self._last.append(failed)
        if len(self._last) >= self._least and sum(self._last) >= self._share * len(self._last):
            self._last.clear()
            raise CeilingError


class Consumer:
    """Reads all topics of a service in the group that bears its name."""

    def __init__(self, bus: Log, topics: Sequence[str], keeper: LaneKeeper, signals: Signals) -> None:
        self._bus = bus
        self._topics = topics
        self._keeper = keeper
        self._signals = signals
        self._ceiling = FailureCeiling()
        self._progress = time.monotonic()
        self._counted = -math.inf
        self.batch = 200
        self.at_once = 4
        self.together = 40
        self.pause = 30.0

    def lag_seconds(self) -> float:
        """Seconds since the last completed round, without end once a round could not be; health is tied to it."""
        return time.monotonic() - self._progress

    async def run(self) -> None:
        """Read for ever; come back by itself when the log or the database was away."""
        while True:
            try:
                await self._read()
            except CeilingError:
                log.critical("consumer stopped: most events fail", extra={"service": self._keeper.service})
                self._progress = -math.inf
                await asyncio.sleep(self.pause)
            except Exception as error:
                if not (is_away(error) or is_passing(error)):
                    raise
                log.warning(
                    "log or database away", extra={"service": self._keeper.service, "error": type(error).__name__}
                )
                self._progress = -math.inf
                await asyncio.sleep(1)

    async def _read(self) -> None:
        subscription = await self._bus.subscribe(self._keeper.service, self._topics)
        try:
            while True:
                await self._round(subscription)
                self._progress = time.monotonic()
                await self._count(subscription)
        finally:
            await subscription.close()

    async def _count(self, subscription: Subscription) -> None:
        if time.monotonic() - self._counted > _COUNT_EVERY:
            CONSUMER_BEHIND.labels(self._keeper.service).set(await subscription.behind())
            self._counted = time.monotonic()

    async def _round(self, subscription: Subscription) -> None:
        batch = await subscription.poll(self.batch, 0.5)
        if not batch:
            return
        verdicts = await self._settle_all(batch)
        try:
            await subscription.commit(_ends(batch))
        except BusFencedError:
            # Another member reads these partitions now and repeats what we settled; the inbox makes that harmless.
            log.info("partitions went to another member", extra={"service": self._keeper.service})
        for verdict in verdicts:
            if verdict is not Verdict.REPEATED:
                self._ceiling.note(failed=verdict is Verdict.FAILED)

    async def _settle_all(self, batch: Sequence[Delivered]) -> list[Verdict]:
        gate = asyncio.Semaphore(self.at_once)
        tasks = (self._settle_parcel(parcel, gate) for parcel in _parcels(batch, self.together))
        verdicts: list[Verdict] = []
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
            verdicts += result
        return verdicts

    async def _settle_parcel(self, parcel: Sequence[Delivered], gate: asyncio.Semaphore) -> list[Verdict]:
        async with gate:
            verdicts = await self._keeper.settle_all(parcel)
        counts = Counter((record.place.topic, verdict) for record, verdict in zip(parcel, verdicts, strict=True))
        for (topic, verdict), count in counts.items():
            EVENTS_CONSUMED.labels(self._keeper.service, topic, verdict.name.lower()).inc(count)
        return verdicts

    async def revisit(self) -> None:
        """Try closed lanes whenever something was handled, and every half second in any case."""
        while True:
            await self._signals.wait(LANES_SIGNAL, 0.5)
            try:
                await self._keeper.revisit()
                await asyncio.sleep(0.1)
            except Exception as error:
                if not (is_away(error) or is_passing(error)):
                    raise
                log.warning("database away", extra={"service": self._keeper.service, "error": type(error).__name__})
                await asyncio.sleep(1)


def _parcels(batch: Sequence[Delivered], most: int) -> list[list[Delivered]]:
    """What is settled together: about `most` events, all of a key in one parcel, its topics in order of their names.

    Keys go in order, so that parcels settled at once lock rows in one order and share none.
    """
    by_key: dict[bytes, list[Delivered]] = defaultdict(list)
    for record in sorted(batch, key=lambda each: (each.key, each.place.topic)):
        by_key[record.key].append(record)
    parcels: list[list[Delivered]] = []
    for records in by_key.values():
        if not parcels or len(parcels[-1]) >= most:
            parcels.append([])
        parcels[-1] += records
    return parcels


def _ends(batch: Sequence[Delivered]) -> dict[Place, int]:
    ends: dict[Place, int] = {}
    for delivered in batch:
        ends[delivered.place] = max(ends.get(delivered.place, 0), delivered.offset + 1)
    return ends
