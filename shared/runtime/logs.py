"""The event logs of a process: who signs in where, and which topics are needed.

Over Kafka each service is a user of its own; without users, and over PostgreSQL, all share one log.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from shared.bus.kafka import KafkaLog, Login, LogUser, settle
from shared.bus.log import BusDeniedError, BusError, BusUnavailableError, Log, Record, Subscription
from shared.contracts.topics import topics_of
from shared.runtime.listener import LaunchError
from shared.runtime.service import Service
from shared.settings import RunSettings

log = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a call to Kafka may take."""


class NoLog:
    """Stands for the log in a process of the public zone: it has none."""

    async def start(self, topics: Mapping[str, int]) -> None:
        """There is nothing to start."""

    async def identity(self) -> str:
        """Raises BusUnavailableError."""
        raise BusUnavailableError("this process has no log")

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        """Appends nothing, and says so."""
        return [BusUnavailableError("this process has no log")] * len(records)

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Raises BusUnavailableError."""
        raise BusUnavailableError(f"this process has no log: {group} reads {topics} elsewhere")

    async def close(self) -> None:
        """There is nothing to close."""


class Logs:
    """The logs of the services of one process. `make` makes the one that a login leads to."""

    def __init__(self, services: Iterable[Service], run: RunSettings, make: Callable[[Login], Log]) -> None:
        self._run = run
        self._services = {service.name: login_of(run, service.name) for service in services}
        self._topics: dict[Login, dict[str, int]] = {}
        for service in services:
            known = self._topics.setdefault(self._services[service.name], {})
            known.update(service.topics(run.environment))
        self._logs = {login: make(login) for login in self._topics}
        self._waiting = list(self._logs)

    @property
    def started(self) -> bool:
        """Whether all have begun."""
        return not self._waiting

    def of(self, service: str) -> Log:
        """The log as the service enters it."""
        return self._logs[self._services[service]]

    async def begin(self, tell: Callable[[str], None]) -> None:
        """Start what has not begun yet; one that is away is left for the next time. What keeps a user out is told."""
        for login in list(self._waiting):
            try:
                await self._logs[login].start(self._topics[login])
                self._waiting.remove(login)
            except BusDeniedError as error:
                tell(str(error))
            except BusError as error:
                log.warning("log away", extra={"error": type(error).__name__})

    async def close(self) -> None:
        """Close all."""
        for each in self._logs.values():
            await each.close()


def login_of(run: RunSettings, service: str) -> Login:
    """How a service signs in at Kafka. Raises LaunchError."""
    if run.log != "kafka" or not run.kafka_user:
        return _usable(Login(tls=run.kafka_tls, ca=run.kafka_ca))
    try:
        password = run.kafka_password_of(service)
    except ValueError as error:
        raise LaunchError(str(error)) from None
    user = run.kafka_user.replace("{service}", service)
    return _usable(Login(user, password, run.kafka_mechanism, tls=run.kafka_tls, ca=run.kafka_ca))


def admin_of(run: RunSettings) -> Login:
    """How Kafka's administrator signs in. Raises LaunchError."""
    return _usable(
        Login(
            run.kafka_admin_user,
            run.kafka_admin_password,
            run.kafka_admin_mechanism,
            is_admin=True,
            tls=run.kafka_tls,
            ca=run.kafka_ca,
        )
    )


def _usable(login: Login) -> Login:
    try:
        _ = login.options
    except OSError:  # ssl.SSLError, too
        raise LaunchError(f"YANGGUANG_KAFKA_CA 所指的 {login.ca} 不是可用的证书文件（PEM）。") from None
    return login


def kafka_log(run: RunSettings, login: Login) -> KafkaLog:
    """The log in Kafka, entered with `login`."""
    return KafkaLog(run.kafka, timeout=PATIENCE, replication=run.kafka_replication, login=login)


def user_of(run: RunSettings, service: Service) -> LogUser:
    """The service's user at Kafka, and what its declarations let it do."""
    login = login_of(run, service.name)
    known = topics_of(run.environment).keys()
    return LogUser(login.user, service.name, service.followed(run.environment), service.told & known, login.password)


async def prepare_log(services: Sequence[Service], run: RunSettings) -> str:
    """Make the topics, the users and their rules in Kafka; the id of the cluster that has them now.

    May be repeated. Raises BusError, and LaunchError for a password that cannot be read.
    """
    if not run.kafka_user:
        raise LaunchError("缺少 YANGGUANG_KAFKA_USER：各服务在 Kafka 的用户名（可写 {service}）。")
    topics = {name: n for service in services for name, n in service.topics(run.environment).items()}
    admin = kafka_log(run, admin_of(run))
    try:
        await admin.start(topics)
        await settle(run.kafka, admin_of(run), [user_of(run, service) for service in services])
        return await admin.identity()
    finally:
        await admin.close()
