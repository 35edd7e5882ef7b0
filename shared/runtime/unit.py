"""One service as it runs in this process: its kit, its tables, its application, its loops."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from shared.bus.consumer import Consumer
from shared.bus.lanes import LaneKeeper
from shared.bus.log import Log
from shared.clock import SystemClock
from shared.contracts.envelope import Envelope, Event
from shared.contracts.sandbox import ClockMoved
from shared.contracts.staff import AccessRevoked, CourtDataChanged
from shared.db import answers, inbox, revocations
from shared.db.access import SetupError, owns_tables
from shared.db.migrate import is_migrated, migrate_at
from shared.db.transaction import Database, Transaction
from shared.errors import Unavailable
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.outbox.relay import Relay
from shared.outbox.rows import forget_delivered
from shared.runtime import canaries, gauges, moved_clock
from shared.runtime.court import SIGNAL, CourtFollower, on_court_data_changed
from shared.runtime.jobs import JobRunner
from shared.runtime.loops import Loop
from shared.runtime.operations import operations_routes
from shared.runtime.resealing import Resealer
from shared.runtime.secrets import Keys, Secret
from shared.runtime.service import EventHandler, Job, Kit, Service
from shared.runtime.telemetry import watch
from shared.settings import CourtSettings, Environment, RunSettings
from shared.signals import Signals

_OWNER = (
    "{service} 的数据库地址（YANGGUANG_DATABASE_URL）用的是数据表所有者的角色，它能改写执行日志，不得用来运行服务。"
    "请换成只能读写数据的角色；所有者的地址由 yangguang prepare 使用（YANGGUANG_OWNER_URL）。"
)


class NotMigratedError(Unavailable):
    """The tables are older than this build, and this process is not their owner: it waits."""

    def __init__(self) -> None:
        super().__init__("not_prepared", "数据表尚未升级：请执行 yangguang prepare。")


def build_kit(service: Service, run: RunSettings, keys: Keys, url: str, clock: SystemClock) -> Kit:  # type: ignore[type-arg]
    """The kit of `service`, from this process's settings."""
    court = CourtSettings()
    signals = Signals()
    return Kit(
        service=service.name,
        run=run,
        court=court,
        settings=service.settings(),
        clock=clock,
        db=Database(url, service.name, court.code, clock, signals, run.pool_size).telling_on(service.told),
        keyring=keys.keyring,
        exchange=keys.exchange,
        lookups=keys.lookups,
        drop=keys.drop,
        staff_tokens=keys.staff_tokens,
        staff_signer=keys.staff_signer,
        party_sessions=keys.party_sessions,
        signing=keys.signing,
        signals=signals,
    )


class Unit:
    """A service at work. The inner network does the work: a process of the public zone alone only answers requests."""

    def __init__(
        self,
        service: Service,
        kit: Kit,  # type: ignore[type-arg]
        bus: Log,
        zones: Iterable[Zone],
        owner_url: str = "",
    ) -> None:
        self.service = service
        self.kit = kit
        self._owner_url = owner_url
        served = tuple(zones)
        self._works = Zone.STAFF in served
        self._held = service.held(served)
        handlers = {event: self._bound(handler) for event, handler in service.handlers.items()}
        handlers[CourtDataChanged] = on_court_data_changed
        self._court = CourtFollower(kit)
        handlers[AccessRevoked] = _on_access_revoked
        self._follower = None
        if kit.run.environment is not Environment.PRODUCTION:
            handlers[ClockMoved] = moved_clock.on_clock_moved
            self._follower = moved_clock.Follower(kit)
        self._resealer = Resealer(kit, service.sealed, self._held)
        self.keeper = LaneKeeper(kit.db, service.name, handlers)
        topics = sorted(service.followed(kit.run.environment))
        self.consumer = Consumer(bus, topics, self.keeper, kit.signals)
        self.relay = Relay(kit.db, bus, kit.signals)
        self.loops = self._loops()
        self.jobs = [JobRunner(job, kit.signals) for job in self._all_jobs()]
        if self._works:
            watch(service.name, self.relay, self.consumer, self.jobs)
        routes = (operations_routes(service.paths[0]), *service.routes)  # first: "lanes" is no case number
        self.prefixes = service.prefixes(served)
        self.app: FastAPI = build_app(kit, service.title, routes, served)
        self.mounts = service.mounts(kit) if Zone.PUBLIC in served else {}

    def _bound(self, handler: EventHandler) -> Callable[[Transaction, Event, Envelope], Awaitable[None]]:
        async def handle(tx: Transaction, event: Event, envelope: Envelope) -> None:
            await handler(self.kit, tx, event, envelope)

        return handle

    def _loops(self) -> list[Loop]:
        if not self._works:
            return []
        consumer = self.consumer
        return [
            Loop("relay", self.relay.run),
            Loop("consumer", consumer.run),
            Loop("revisit", consumer.revisit),
        ]

    def _all_jobs(self) -> list[Job]:
        jobs: list[Job] = []
        if self._works:
            jobs += self.service.jobs(self.kit)
            reader = gauges.GaugeReader(self.kit.db, self.kit.clock, self.service.gauges)
            jobs.append(Job(gauges.JOB, gauges.EVERY, reader.refresh))
            jobs.append(Job("re-seal", timedelta(seconds=2), self._resealer.step))
            jobs.append(Job("forget what is over", timedelta(hours=1), self._forget))
        jobs.append(Job("follow the court's data", timedelta(seconds=5), self._court.step, SIGNAL))
        if self._follower is not None:
            jobs.append(Job("follow the sandbox's clock", timedelta(milliseconds=500), self._follower.step))
        return jobs

    async def _forget(self) -> None:
        for forget in (forget_delivered, answers.forget, inbox.forget, revocations.forget):
            await forget(self.kit.db)

    async def check_keys(self) -> None:
        """Raises KeysDifferError for a database of other keys, SetupError for one of a newer build. Writes nothing.

        What an older release left is looked at by the owner: privileges come with the migration.
        """
        if not self._owner_url:
            await self._require_migrated()
            return await canaries.check(self.kit, self._held, self.service.sealed)
        db = self.kit.db.beside(self._owner_url)
        try:
            await is_migrated(db.engine, *self.service.packages)
            await canaries.check(replace(self.kit, db=db), self._held, self.service.sealed)
        finally:
            await db.close()

    async def _require_migrated(self) -> None:
        if not await is_migrated(self.kit.db.engine, *self.service.packages):
            raise NotMigratedError

    async def prepare(self) -> None:
        """Migrate, leave a canary, take over the sandbox's clock and the court's data, let the service prepare.

        May be repeated. Raises NotMigratedError while somebody else has yet to migrate, and SetupError.
        """
        if self._owner_url:
            await migrate_at(self._owner_url, *self.service.packages, access=self.service.access(self.kit.run))
        else:
            await self._require_migrated()
        async with self.kit.db.engine.connect() as conn:
            if await owns_tables(conn):
                raise SetupError(_OWNER.format(service=self.service.name))
        if self._works:
            await canaries.write(self.kit, self._held)
        await canaries.check(
            self.kit, self._held, self.service.sealed
        )  # another process, with other keys, may have been quicker
        if self._works:  # what its boxes receive may be handed out to the public zone before any of them leads here
            await canaries.renew(self.kit, self._held & {Secret.KEYRING}, only={Secret.DROP})
        if self._follower is not None:
            await self._follower.step()
        await self._court.step()
        if self.service.start is not None:
            await self.service.start(self.kit)

    async def run(self) -> None:
        """Relay, consume and do the jobs until cancelled."""
        async with asyncio.TaskGroup() as group:
            for loop in self.loops:
                group.create_task(loop.run())
            for job in self.jobs:
                group.create_task(job.run())

    def checks(self) -> dict[str, Callable[[], bool]]:
        """What health depends on: progress, not the process."""
        checks: dict[str, Callable[[], bool]] = {
            f"{self.service.name}.{runner.job.name}": lambda runner=runner: runner.lag_seconds() < 60  # type: ignore[misc]
            for runner in self.jobs
        }
        lags = {"relay": self.relay.lag_seconds, "consumer": self.consumer.lag_seconds}
        for loop in self.loops:
            checks[f"{self.service.name}.{loop.name}"] = partial(_goes_on, loop, lags.get(loop.name))
        return checks

    async def close(self) -> None:
        """Release what the service holds."""
        for runner in self.jobs:
            if runner.job.close is not None:
                await runner.job.close()
        await self.kit.db.close()


async def _on_access_revoked(tx: Transaction, event: Event, _envelope: Envelope) -> None:
    if isinstance(event, AccessRevoked):
        await revocations.note(tx.conn, event)


def _goes_on(loop: Loop, lag_seconds: Callable[[], float] | None) -> bool:
    return loop.is_well() and (lag_seconds is None or lag_seconds() < 15)
