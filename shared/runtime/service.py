"""What a service is made of, and what each is handed: the kit."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from argon2 import PasswordHasher
from fastapi import Request
from pydantic_settings import BaseSettings
from sqlalchemy import MetaData
from starlette.types import ASGIApp

from shared.clock import Clock
from shared.contracts.envelope import Envelope, Event
from shared.contracts.operations import TroubleReported
from shared.contracts.sandbox import ClockMoved
from shared.contracts.staff import AccessRevoked, CourtDataChanged
from shared.contracts.topics import topics_of
from shared.crypto.boxes import Drop
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.crypto.signing import SigningKey
from shared.crypto.slow import HASHER
from shared.db.access import Access, May
from shared.db.sealed import SealedTable
from shared.db.tables import KIT, PUBLIC_KIT
from shared.db.transaction import Database, Transaction
from shared.http.routes import Routes, Zone
from shared.http.tokens import PartySessions, StaffSigner, StaffTokens
from shared.runtime.gauges import SqlGauge
from shared.runtime.secrets import USUAL, Declared, Secret
from shared.settings import CourtSettings, Environment, RunSettings
from shared.signals import Signals

S = TypeVar("S", bound=BaseSettings)


@dataclass(frozen=True)
class Kit(Generic[S]):
    """Everything a use case may need, handed in; a test builds its own.

    Of the secrets there are only those that the service declares for the zones served: touching another one raises.
    """

    service: str
    run: RunSettings
    court: CourtSettings
    settings: S
    clock: Clock
    db: Database
    keyring: KeyRing
    """Seals and finds the service's own rows; opens what came in events or was put into the service's box, too."""
    exchange: KeyRing
    """Seals personal data for events."""
    lookups: Lookups
    """Keyed hashes that the service's process of the public zone makes, too."""
    drop: Drop
    """Seals what the process of the public zone takes in; only `keyring` opens it again."""
    staff_tokens: StaffTokens
    staff_signer: StaffSigner
    party_sessions: PartySessions
    signing: SigningKey
    signals: Signals
    hasher: PasswordHasher = HASHER
    """Of passwords; slow on purpose."""


EventHandler = Callable[[Any, Transaction, Any, Envelope], Awaitable[None]]
"""(kit, transaction, event, envelope): writes within the transaction; raises NotYet to wait."""


KIT_TELLS: Final = (TroubleReported,)
"""What any service tells: its own troubles."""
KIT_FOLLOWS: Final = (CourtDataChanged, AccessRevoked, ClockMoved)
"""What the kit follows in every service."""

MORE: Final = object()
"""What a job's `run` answers when more is due already: it is called again at once."""


@dataclass(frozen=True)
class Job:
    """Work that recurs: `run` is called again after `every`, or as soon as `signal` fires in this process."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]
    signal: str | None = None
    close: Callable[[], Awaitable[None]] | None = None
    """Releases what the job holds, when the service ends."""


@dataclass(frozen=True)
class Service:
    """One service. `paths` and `public_paths` are the URL prefixes that the gateway gives it, by zone."""

    name: str
    title: str
    package: str
    paths: Sequence[str]
    settings: type[BaseSettings]
    routes: Sequence[Routes]
    tables: MetaData = field(default_factory=MetaData)
    public_paths: Sequence[str] = ()
    public_tables: Sequence[May] = ()
    """What the pages of the public zone need of the tables, and all that their process's database role may do."""
    handlers: Mapping[type[Event], EventHandler] = field(default_factory=dict)
    tells: Sequence[type[Event]] = ()
    """Events whose topics it writes; another one cannot be told, neither here nor by its user at Kafka."""
    jobs: Callable[[Any], Sequence[Job]] = lambda _kit: ()
    mounts: Callable[[Any], Mapping[str, ASGIApp]] = lambda _kit: {}
    """ASGI applications by path, below `public_paths`, which see the connection itself: no middleware."""
    gauges: Sequence[SqlGauge] = ()
    start: Callable[[Any], Awaitable[None]] | None = None
    """Runs once after the migrations, before the service is ready; must be repeatable."""
    secrets: Declared = field(default_factory=lambda: USUAL)
    """The secrets that a process of each zone is given."""
    sealed: Sequence[SealedTable] = ()
    """Which of its columns hold sealed texts and keyed hashes."""

    def held(self, zones: Collection[Zone]) -> frozenset[Secret]:
        """The secrets that a process which serves these zones is given."""
        return frozenset(secret for zone in zones for secret in self.secrets.get(zone, ()))

    @property
    def told(self) -> frozenset[str]:
        """The topics that it writes."""
        return _topics([*self.tells, *KIT_TELLS])

    def followed(self, environment: Environment) -> frozenset[str]:
        """The topics that it reads."""
        return _topics([*self.handlers, *KIT_FOLLOWS]) & topics_of(environment).keys()

    def topics(self, environment: Environment) -> dict[str, int]:
        """The topics that it needs, with their partitions."""
        needed = self.told | self.followed(environment)
        return {name: n for name, n in topics_of(environment).items() if name in needed}

    @property
    def packages(self) -> tuple[str, str]:
        """Whose migrations make the service's database."""
        return "shared.db", self.package

    def access(self, run: RunSettings) -> Access:
        """Who may do what in the service's database."""
        public = run.public_role.format(service=self.name) if self.public_tables else ""
        tables = [*PUBLIC_KIT, *self.public_tables]
        return Access((KIT, self.tables), tables, run.service_role.format(service=self.name), public)

    def prefixes(self, zones: Collection[Zone]) -> tuple[str, ...]:
        """The URL prefixes of the zones."""
        by_zone = {Zone.STAFF: self.paths, Zone.PUBLIC: self.public_paths}
        return tuple(prefix for zone in Zone if zone in zones for prefix in by_zone[zone])


def _topics(events: Sequence[type[Event]]) -> frozenset[str]:
    return frozenset(event.topic for event in events)


def kit_of(request: Request) -> Any:
    """The kit of the service that serves this request."""
    return request.app.state.kit
