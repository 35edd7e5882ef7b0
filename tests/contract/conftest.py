"""Real Kafka for the contract tests: required where the environment says CI, left out with a line elsewhere."""

import os
import socket
from collections.abc import AsyncIterator

import pytest

from deploy.kafka.launch import missing
from tests.contract.proxy import Proxy
from tests.contract.stores import Broker, Store


@pytest.fixture(scope="session")
def kafka_machine() -> None:
    """Skip, or fail in CI, when Java or Maven is missing."""
    lack = missing()
    if lack is not None and os.environ.get("CI"):  # noqa: TID251 - the one switch of the test run itself
        pytest.fail(lack)
    if lack is not None:
        pytest.skip(lack)


@pytest.fixture(scope="session")
async def kafka(kafka_machine: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Store]:
    """The session's Kafka; tests tell themselves apart by their topics."""
    broker = Broker(tmp_path_factory.mktemp("kafka") / "data", _free_port())
    await broker.start()
    yield broker.store
    broker.stop()


@pytest.fixture(scope="session")
async def kafka_behind_proxy(
    kafka_machine: None, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Broker, Proxy]]:
    """A second Kafka, which tells its clients to come through a proxy."""
    proxy = Proxy()
    port = _free_port()
    await proxy.start(port)
    broker = Broker(tmp_path_factory.mktemp("proxied") / "data", port, proxy.port)
    await broker.start()
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


@pytest.fixture(params=["postgres", pytest.param("kafka", marks=pytest.mark.kafka)])
async def cuttable(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Store, Proxy]]:
    """Each store in turn behind a proxy that the test may cut or freeze; mended afterwards."""
    if request.param == "postgres":
        direct = Store("postgres", request.getfixturevalue("bus_url"))
        proxy = Proxy()
        await proxy.start(int(direct.address.rpartition("/")[0].rpartition(":")[2]))
        yield direct.at_port(proxy.port), proxy
        await proxy.cut()
        return
    broker, proxy = request.getfixturevalue("kafka_behind_proxy")
    yield broker.store.at_port(proxy.port), proxy
    await proxy.mend()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
