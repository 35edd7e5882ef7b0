"""Kafka asks everybody for a password, and lets each service do what its declarations say and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest

from shared.bus.kafka import OPEN, KafkaLog, Login
from shared.bus.log import BusDeniedError, BusError, BusRefusedError, Record
from shared.contracts.topics import TOPICS
from shared.runtime.listener import LaunchError
from shared.runtime.logs import Logs, login_of, prepare_log
from shared.runtime.prepare import prepare
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service
from shared.settings import Environment, RunSettings
from tests.contract.reading import append, ends, numbers, read, unique
from tests.contract.stores import Broker, Store
from tests.fixtures.running import free_port, require_kafka

pytestmark = pytest.mark.kafka

SERVICES = [load(name) for name in service_names()]
TIPS = load("asset_tips")
STRANGE = sorted(TOPICS.keys() - TIPS.told - TIPS.followed(Environment.TEST))
"""Topics that asset_tips neither tells nor follows."""


def run_of(store: Store) -> RunSettings:
    return RunSettings(
        log="kafka",
        kafka=store.address,
        kafka_user="{service}",
        kafka_password="password of {service}",
        kafka_admin_password=store.login.password,
        environment=Environment.TEST,
    )


@pytest.fixture(scope="module")
async def run(kafka: Store) -> RunSettings:
    """How the services enter the session's Kafka, which was prepared for them twice: nothing comes of that."""
    found = run_of(kafka)
    assert await prepare_log(SERVICES, found) == await prepare_log(SERVICES, found)
    return found


@asynccontextmanager
async def entered(run: RunSettings, login: Login) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(run.kafka, timeout=5.0, login=login)
    try:
        yield log
    finally:
        await log.close()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_service_does_its_work(run: RunSettings, kafka: Store, service: Service) -> None:
    """It finds its topics, tells on its own, follows those of others in its group, and commits."""
    followed = sorted(service.followed(run.environment))
    async with entered(run, login_of(run, service.name)) as log, entered(run, kafka.login) as admin:
        await log.start(service.topics(run.environment))
        await append(log, [Record(topic, "k", b"0") for topic in sorted(service.told)])
        member = await log.subscribe(service.name, followed)
        await append(admin, [Record(topic, "k", b"1") for topic in followed])
        records = await read(member, len(followed))
        assert {record.place.topic for record in records} <= set(followed)
        await member.commit(ends(records))
        assert await member.behind() >= 0


@pytest.mark.parametrize("topic", STRANGE)
async def test_a_service_cannot_write_or_read_what_it_does_not_declare(run: RunSettings, topic: str) -> None:
    async with entered(run, login_of(run, TIPS.name)) as log:
        assert [type(fault) for fault in await log.append([Record(topic, "k", b"x")])] == [BusRefusedError]
        with pytest.raises(BusError, match=topic):
            await log.subscribe(TIPS.name, [topic])
        with pytest.raises(BusDeniedError, match=f"不允许用户“asset_tips”建立或使用主题 {topic}：请执行"):
            await log.start({topic: 1})


async def test_the_broker_itself_refuses_what_is_not_declared(run: RunSettings) -> None:
    """A program that goes past our own log gets no further: reading, writing, other groups, topics, rules."""
    options: dict[str, Any] = login_of(run, TIPS.name).options | {"bootstrap_servers": run.kafka}
    producer = AIOKafkaProducer(**options)
    await producer.start()
    with pytest.raises(TopicAuthorizationFailedError):
        await producer.send_and_wait("cases", b"x", partition=0)
    with pytest.raises(TopicAuthorizationFailedError):
        await producer.send_and_wait("desk", b"it only follows", partition=0)
    await producer.stop()

    consumer = AIOKafkaConsumer(**options, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition("tips", 0)])  # it only tells there
    with pytest.raises(TopicAuthorizationFailedError):
        await asyncio.wait_for(consumer.getone(), 10)
    await consumer.stop()

    other = AIOKafkaConsumer(**options, group_id="duty_desk", enable_auto_commit=False)
    await other.start()
    other.assign([TopicPartition("desk", 0)])
    with pytest.raises(GroupAuthorizationFailedError):
        await other.commit({TopicPartition("desk", 0): 0})
    await other.stop()

    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    made = await admin.create_topics([NewTopic(unique("mine"), 1, 1)])
    assert [error for _, error, *_ in made.topic_errors] == [29]
    gone = await admin.delete_topics(["tips"])
    assert [error for _, error in gone.topic_error_codes] == [29]
    await admin.close()

    client = AIOKafkaClient(**options)
    await client.bootstrap()
    node = client.get_random_node()
    await client.ready(node)
    granted = await client.send(node, CreateAclsRequest(2, "cases", 3, "User:asset_tips", "*", 4, 3))
    assert [code for code, _ in granted.creation_responses] == [31]
    await client.close()


WRONG = Login("asset_tips", "wrong")


@pytest.mark.parametrize(
    ("login", "words"),
    [
        (OPEN, "要求用户和口令：请填写 YANGGUANG_KAFKA_USER 和 YANGGUANG_KAFKA_PASSWORD"),
        (WRONG, "不接受用户“asset_tips”的口令：请核对 YANGGUANG_KAFKA_PASSWORD"),
        (Login("nobody", "password of nobody"), "不接受用户“nobody”的口令"),
        (Login("admin", "wrong", "PLAIN", is_admin=True), "请核对 YANGGUANG_KAFKA_ADMIN_PASSWORD；管理员"),
        (Login("asset_tips", "password of asset_tips", "SCRAM-SHA-256"), "没有启用登录方式 SCRAM-SHA-256"),
    ],
    ids=["nobody", "wrong password", "unknown user", "administrator", "mechanism"],
)
async def test_who_is_not_let_in_is_told_why_in_one_sentence(run: RunSettings, login: Login, words: str) -> None:
    async with entered(run, login) as log:
        for call in (log.start({"tips": 4}), log.identity(), log.subscribe("asset_tips", ["desk"])):
            with pytest.raises(BusDeniedError) as told:
                await call
            assert words in str(told.value)
            assert str(told.value).count("。") == 1
        (fault,) = await log.append([Record("tips", "k", b"x")])
        assert words in str(fault)


async def test_it_is_logged_now_and_then_and_not_at_each_try(
    run: RunSettings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.bus.kafka.login._TELL_AFTER", 0)
    async with entered(run, WRONG) as log:
        for _ in range(4):
            with pytest.raises(BusDeniedError):
                await log.identity()
    (record,) = (each for each in caplog.records if each.message == "Kafka refuses this process")
    assert "不接受用户“asset_tips”的口令" in record.__dict__["why"]


async def test_preparing_takes_back_what_is_no_longer_declared(run: RunSettings, kafka: Store) -> None:
    """And what somebody else gave to one of our users; a new password holds from then on."""
    client = AIOKafkaClient(bootstrap_servers=run.kafka, **kafka.login.options)
    await client.bootstrap()
    node = client.get_random_node()
    await client.ready(node)
    for pattern, name in ((3, "cases"), (4, "c")):  # by its whole name, by its beginning
        given = await client.send(node, CreateAclsRequest(2, name, pattern, "User:asset_tips", "*", 4, 3))
        assert [code for code, _ in given.creation_responses] == [0]
    await client.close()
    async with entered(run, login_of(run, TIPS.name)) as log:
        await append(log, [Record("cases", "k", b"x")])
    anew = run.model_copy(update={"kafka_password": "another password of {service}"})
    await prepare_log(SERVICES, anew)
    async with entered(run, login_of(anew, TIPS.name)) as log:
        assert [type(fault) for fault in await log.append([Record("cases", "k", b"x")])] == [BusRefusedError]
        await append(log, [Record("tips", "k", b"x")])
    async with entered(run, login_of(run, TIPS.name)) as log:
        with pytest.raises(BusDeniedError):
            await log.identity()
    await prepare_log(SERVICES, run)


async def test_a_production_has_no_topic_and_no_rule_of_the_sandbox(run: RunSettings) -> None:
    real = run.model_copy(update={"environment": Environment.PRODUCTION})
    assert all("sandbox" not in service.topics(real.environment) for service in SERVICES)
    await prepare_log(SERVICES, real)
    async with entered(run, login_of(run, TIPS.name)) as log:
        with pytest.raises(BusError, match="sandbox"):
            await log.subscribe(TIPS.name, ["sandbox"])
    await prepare_log(SERVICES, run)


async def test_a_service_that_is_not_let_in_says_so_and_goes_on_once_it_is(run: RunSettings) -> None:
    """The start tells whoever watches; health waits; nothing has to be started again."""
    wrong = run.model_copy(update={"kafka_password": "wrong"})
    said: list[str] = []
    logs = Logs([TIPS], wrong, lambda login: KafkaLog(run.kafka, timeout=5.0, login=login))
    await logs.begin(said.append)
    (sentence,) = said
    assert "不接受用户“asset_tips”的口令：请核对 YANGGUANG_KAFKA_PASSWORD" in sentence
    assert not logs.started
    await prepare_log([TIPS], wrong)  # the password becomes the one that it has
    await logs.begin(said.append)
    assert logs.started
    await logs.close()
    await prepare_log([TIPS], run)


async def test_an_administrator_who_is_not_let_in_ends_the_preparation(run: RunSettings) -> None:
    wrong = run.model_copy(update={"kafka_admin_password": "wrong"})
    nameless = run.model_copy(update={"kafka_user": ""})
    with pytest.raises(LaunchError, match="缺少 YANGGUANG_KAFKA_USER"):
        await prepare([], nameless)
    with pytest.raises(LaunchError, match="不接受用户“admin”的口令：请核对 YANGGUANG_KAFKA_ADMIN_PASSWORD"):
        await prepare([], wrong)


async def test_an_older_kafka_without_passwords_is_used_as_it_is_until_it_asks_for_them(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Then it has the same identity and the same records, and whoever has no password is kept out."""
    require_kafka()
    data, port = tmp_path_factory.mktemp("open") / "data", free_port()
    broker = Broker(data, port, is_open=True)
    await broker.start()
    try:
        async with broker.store.started("desk") as log:
            await append(log, [Record("desk", "k", b"7")])
            assert numbers(await read(await log.subscribe(unique("g"), ["desk"]), 1)) == [7]
            identity = await log.identity()
        log = KafkaLog(broker.store.address, timeout=5.0, login=WRONG)
        with pytest.raises(BusDeniedError, match="不核对口令"):
            await log.start({"desk": 1})
        await log.close()
        older = broker.store
        broker.stop()
        broker = Broker(data, port)
        await broker.start()
        assert await broker.identity() == identity
        run = run_of(broker.store)
        await prepare_log(SERVICES, run)
        async with entered(run, login_of(run, TIPS.name)) as entry:
            assert numbers(await read(await entry.subscribe(TIPS.name, ["desk"]), 1)) == [7]
        with pytest.raises(BusDeniedError, match="要求用户和口令"):
            await older.log().start({"desk": 1})
    finally:
        broker.stop()
