"""Real Kafka for the contract tests: required where the environment says CI, left out with a line elsewhere."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.proxy import Proxy
from tests.contract.reading import append, numbered
from tests.contract.stores import Broker, Store
from tests.fixtures.running import free_port, require_kafka


async def _warmed(store: Store) -> None:
    """A broker's first topic takes as long as all that follows: it is not what these tests' bounds are about."""
    async with store.started("warm") as log:
        await append(log, numbered("warm", 1))


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    """The session's Kafka; tests tell themselves apart by their topics."""
    require_kafka()
    broker = Broker(tmp_path_factory.mktemp("kafka") / "data", free_port())
    await broker.start()
    await _warmed(broker.store)
    yield broker.store
    broker.stop()


@pytest.fixture(scope="session")
async def kafka_behind_proxy(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Broker, Proxy]]:
    """A second Kafka, which tells its clients to come through a proxy."""
    require_kafka()
    proxy = Proxy()
    port = free_port()
    await proxy.start(port)
    broker = Broker(tmp_path_factory.mktemp("proxied") / "data", port, proxy.port)
    await broker.start()
    await _warmed(broker.store.at_port(proxy.port))
    yield broker, proxy
    broker.stop()
    await proxy.cut()


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store in turn."""
    if request.param == "postgres":
        return Store("postgres", request.getfixturevalue("bus_url"))
    found: Store = request.getfixturevalue("kafka")
    return found


@pytest.fixture(scope="session")
async def postgres_behind_proxy(bus_url: str) -> AsyncIterator[tuple[Store, Proxy]]:
    """The session's PostgreSQL, reached through a proxy."""
    proxy, direct = Proxy(), Store("postgres", bus_url)
    await proxy.start(direct.port)
    yield direct.at_port(proxy.port), proxy
    await proxy.cut()


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
def cuttable(request: pytest.FixtureRequest) -> tuple[Store, Proxy]:
    """Each store in turn behind a proxy that the test may cut or freeze."""
    if request.param == "postgres":
        found: tuple[Store, Proxy] = request.getfixturevalue("postgres_behind_proxy")
        return found
    broker, proxy = request.getfixturevalue("kafka_behind_proxy")
    return broker.store.at_port(proxy.port), proxy
