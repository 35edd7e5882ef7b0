"""What the product tells of itself: figures, the way of a case through the services, and never anything of a person."""

import asyncio
import io
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiohttp import web
from fastapi import FastAPI
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import func, insert, select

from services.case_intake.service import SERVICE as INTAKE
from services.party_notification.channels.outcome import Outcome, Sent
from services.party_notification.channels.sms import SmsBatch, TemplateState
from services.party_notification.service import SERVICE as NOTIFICATION
from services.party_notification.store import tables as pn
from services.party_notification.usecases import sending
from services.stage_tracking.service import SERVICE as STAGES
from services.stage_tracking.store import tables as st
from shared.bus.postgres import PostgresLog
from shared.contracts.envelope import decode
from shared.contracts.topics import TOPICS
from shared.db import inbox
from shared.db.tables import lanes, outbox
from shared.db.transaction import made_at, new_id
from shared.http.app import build_app
from shared.http.routes import PUBLIC, Routes, Zone
from shared.powers import Role
from shared.runtime.gauges import GaugeReader
from shared.runtime.logging import JsonLines
from shared.runtime.service import Kit, Service
from shared.runtime.telemetry import Metrics, TelemetrySettings, traced
from shared.runtime.unit import Unit
from shared.telemetry.metrics import REGISTRY
from shared.telemetry.traces import TRACING, SpanKind
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.filing import JUDGES, filing, judge
from tests.fixtures.kits import NOON, Feeder, client, make_kit

SECRETS = ("刘艳", "张静", "19900000005", "19900000006", "510212199101060000", "u1@example.com", "三峡广场", "624998")


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"yangguang_{name}", labels)


def counted(about: dict[str, str]) -> Counter[str]:
    """How many requests had which status; other tests of this process count too."""
    found = {status: value("http_requests_total", status=status, **about) for status in ("200", "404", "500")}
    return Counter({status: int(number) for status, number in found.items() if number})


async def refresh(service: Service, kit: Kit[Any]) -> None:
    await GaugeReader(kit.db, kit.clock, service.gauges).refresh()


@pytest.fixture
async def stages(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    kit = await make_kit(STAGES, await fresh_database(STAGES))
    yield kit
    await kit.db.close()


@pytest.fixture
async def notification(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    kit = await make_kit(NOTIFICATION, await fresh_database(NOTIFICATION))
    yield kit
    await kit.db.close()


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    TRACING.use(provider.get_tracer("test"))
    yield exporter
    TRACING.use(None)
    provider.shutdown()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the kit logs, formatted at once as a process does it."""
    handler, kit_logger = logging.StreamHandler(io.StringIO()), logging.getLogger("shared")
    handler.setFormatter(JsonLines())
    before = kit_logger.level
    kit_logger.addHandler(handler)
    kit_logger.setLevel(logging.INFO)
    yield handler.stream
    kit_logger.setLevel(before)
    kit_logger.removeHandler(handler)


async def test_the_kits_figures_follow_the_tables_and_are_taken_back(stages: Kit[Any]) -> None:
    service = "stage_tracking"
    await refresh(STAGES, stages)
    assert value("outbox_oldest_seconds", service=service) == 0
    assert value("lanes_closed", service=service, state="parked") is None
    place = {"topic": "cases", "partition": 0, "offset": 1, "key": b"", "value": b"", "headers": {}, "why": "no JSON"}
    written = {"event_id": new_id(), "topic": "stages", "key": "k", "sequence": 1, "value": b""}
    async with stages.db.begin() as tx:
        await tx.conn.execute(insert(lanes), [{"topic": "cases", "key": str(n), "state": "parked"} for n in range(3)])
        await tx.conn.execute(insert(lanes).values(topic="cases", key="w", state="waiting"))
        await inbox.put_in_quarantine(tx.conn, place)
        await tx.conn.execute(insert(outbox).values(written_at=func.now() - timedelta(seconds=90), **written))
    await refresh(STAGES, stages)
    assert value("lanes_closed", service=service, state="parked") == 3
    assert value("lanes_closed", service=service, state="waiting") == 1
    assert value("quarantined", service=service) == 1
    assert 90 <= (value("outbox_oldest_seconds", service=service) or 0) < 120
    async with stages.db.begin() as tx:
        await tx.conn.execute(lanes.delete())
        await tx.conn.execute(outbox.delete())
    await refresh(STAGES, stages)
    assert value("lanes_closed", service=service, state="parked") is None
    assert value("outbox_oldest_seconds", service=service) == 0


async def test_a_clock_that_should_have_rung_shows_by_the_products_clock(stages: Kit[Any]) -> None:
    case_id = new_id()
    case = {
        "case_id": case_id,
        "court": "渝05",
        "number": "（2026）渝05执1号",
        "filed_on": NOON.date(),
        "cause": "民间借贷纠纷",
        "administrative": False,
        "silent": False,
        "period": "investigation",
    }
    day = {"start_on": NOON.date(), "due_on": NOON.date(), "calendar_until": NOON.date()}
    clock = {"case_id": case_id, "version": 1, "rule": "r", "article": "a", "provisional": False, **day}
    due = {"late": NOON - timedelta(seconds=40), "rung": NOON - timedelta(days=1), "later": NOON + timedelta(days=1)}
    async with stages.db.begin() as tx:
        await tx.conn.execute(insert(st.cases).values(case))
        for kind, due_at in due.items():
            fired_at = NOON if kind == "rung" else None
            row = {"id": new_id(), "kind": kind, "due_at": due_at, "fired_at": fired_at, **clock}
            await tx.conn.execute(insert(st.deadlines).values(row))
    await refresh(STAGES, stages)
    assert value("deadline_unfired_seconds", service="stage_tracking") == 40


class Carrier:
    """A carrier that takes everything."""

    async def send_batch(self, batch: SmsBatch) -> Sequence[Outcome]:
        return [Sent("biz") for _ in batch.items]

    async def register_template(self, _name: str, _content: str, _rules: Any = None) -> str:
        return "SMS_1"

    async def template_state(self, _code: str) -> TemplateState:
        return TemplateState.APPROVED


class MailServer:
    """A mail server that takes everything."""

    async def send(self, _envelope: Any) -> Outcome:
        return Sent("250 ok")


async def test_what_waits_and_what_nobody_knows_shows(notification: Kit[Any]) -> None:
    service = "party_notification"
    await Story(notification).file(person(APPLICANT, "赵一", 1), person(RESPONDENT, "钱二", 2), obligation=None)
    async with notification.db.begin() as tx:
        late = pn.deliveries.update().where(pn.deliveries.c.channel == "mail")
        await tx.conn.execute(late.values(due_at=func.clock_timestamp() - timedelta(minutes=3)))
    await refresh(NOTIFICATION, notification)
    assert value("notices_waiting", service=service, owner="clerk") == 1
    assert (value("sms_templates_unapproved", service=service) or 0) > 0
    assert (value("deliveries_overdue_seconds", service=service, channel="mail") or 0) >= 180
    async with notification.db.begin() as tx:
        await tx.conn.execute(pn.deliveries.update().values(state="unknown", step="reconcile"))
        person_decides = pn.deliveries.update().where(pn.deliveries.c.channel == "mail")
        await tx.conn.execute(person_decides.values(step="person", due_at=None))
    await refresh(NOTIFICATION, notification)
    assert value("deliveries_unknown", service=service, channel="mail", handling="person") == 2
    assert value("deliveries_unknown", service=service, channel="sms", handling="machine") == 2
    assert value("deliveries_overdue_seconds", service=service, channel="mail") is None


async def test_accepted_to_sent_counts_from_the_act(notification: Kit[Any]) -> None:
    before = value("accepted_to_sent_seconds_count", channel="mail") or 0.0
    await Story(notification).file(person(APPLICANT, "赵一", 1), person(RESPONDENT, "钱二", 2))
    while await sending.send_mails(notification, MailServer()):  # type: ignore[arg-type]
        pass
    assert value("accepted_to_sent_seconds_count", channel="mail") == before + 2
    assert value("accepted_to_sent_seconds_bucket", channel="mail", le="60.0") == before + 2


def test_an_id_tells_when_it_was_made() -> None:
    assert abs(made_at(new_id()).timestamp() - time.time()) < 1


def small_app(kit: Kit[Any]) -> FastAPI:
    routes = Routes(Zone.PUBLIC)

    @routes.get("/p/{code}", PUBLIC)
    async def page(code: str) -> dict[str, str]:
        if code == "break":
            raise ZeroDivisionError("刘艳 19900000005")
        return {"code": code}

    return build_app(kit, "test", [routes], tuple(Zone))


def browser(app: Any, **options: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, **options)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


async def test_a_request_counts_under_its_route_and_its_path_is_told_nowhere(
    stages: Kit[Any], spans: InMemorySpanExporter, logged: io.StringIO
) -> None:
    about = {"service": "stage_tracking", "method": "GET", "route": "/p/{code}"}
    nowhere = {**about, "route": "-"}
    before = counted(about), counted(nowhere)
    async with browser(small_app(stages)) as http:
        assert (await http.get("/p/K7M2Q9XW?last=123456")).status_code == 200
        assert (await http.get("/p/break")).status_code == 500
        assert (await http.get("/nowhere/19900000005")).status_code == 404
        assert (await http.request("刘艳".encode().hex(), "/p/K7M2Q9XW")).status_code == 405
    assert counted(about) - before[0] == Counter({"200": 1, "500": 1})
    assert counted(nowhere) - before[1] == Counter({"404": 1})
    assert (value("http_request_seconds_count", **about) or 0) >= 2
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert [line["status"] for line in requests] == ["200", "500", "404", "405"]
    assert requests[0]["route"] == "/p/{code}"
    assert requests[0]["trace"] == f"{spans.get_finished_spans()[0].context.trace_id:032x}"
    told = json.dumps(lines, ensure_ascii=False) + everything(spans.get_finished_spans())
    for secret in ("K7M2Q9XW", "123456", "19900000005", "刘艳"):
        assert secret not in told
    assert "ZeroDivisionError" in told


def everything(finished: Sequence[ReadableSpan]) -> str:
    """All that the spans would tell a collector."""
    return "\n".join(span.to_json() for span in finished)


async def test_figures_are_for_the_inner_network_alone() -> None:
    anywhere, here = Metrics(loopback_only=False), Metrics(loopback_only=True)

    async def ask(app: Metrics, host: str, **headers: str) -> int:
        async with browser(app, client=(host, 1)) as http:
            answer = await http.get("/metrics", headers=headers)
        assert ("yangguang_http_requests_total" in answer.text) == (answer.status_code == 200)
        return answer.status_code

    assert await ask(anywhere, "10.0.0.9") == 200
    assert await ask(here, "10.0.0.9") == 404
    assert [await ask(here, host) for host in ("127.0.0.1", "::1", "testclient")] == [200, 200, 404]
    for header in ("x-forwarded-for", "forwarded"):
        assert await ask(anywhere, "10.0.0.9", **{header: "10.0.0.1"}) == 404
        assert await ask(here, "127.0.0.1", **{header: "127.0.0.1"}) == 404


class Journey:
    """Three services on databases of their own, over one real log."""

    def __init__(self, units: dict[str, Unit]) -> None:
        self.units = units

    async def carry(self, unit: Unit, done: Callable[[], Any]) -> None:
        """Let a service consume until `done` finds something."""
        assert unit.consumer is not None
        reading = asyncio.ensure_future(unit.consumer.run())
        deadline = time.monotonic() + 20
        while not await done():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

    async def rows(self, name: str, query: Any) -> list[Any]:
        async with self.units[name].kit.db.read() as conn:
            return list(await conn.execute(query))


@pytest.fixture
async def journey(fresh_database: FreshDatabase) -> AsyncIterator[Journey]:
    log = PostgresLog(await fresh_database())
    await log.start(dict.fromkeys(TOPICS, 1))
    units = {
        service.name: Unit(service, await make_kit(service, await fresh_database(service)), log, tuple(Zone))
        for service in (INTAKE, STAGES, NOTIFICATION)
    }
    yield Journey(units)
    for unit in units.values():
        await unit.close()
    await log.close()


async def test_one_case_is_followed_from_the_request_to_the_other_services_and_the_messages(
    journey: Journey, spans: InMemorySpanExporter
) -> None:
    intake, notification = journey.units["case_intake"], journey.units["party_notification"]
    await Feeder(INTAKE, intake.kit).feed(judge(JUDGES[0]))
    spans.clear()
    async with client(INTAKE, intake.kit, Role.CLERK) as clerk:
        answer = await clerk.post("/api/cases", json=filing(assign="auto"), params={})
    assert answer.status_code == 201, answer.text
    await intake.relay.step()
    for name, table in (("stage_tracking", st.deadlines), ("party_notification", pn.messages)):
        unit = journey.units[name]
        await journey.carry(unit, lambda name=name, table=table: journey.rows(name, select(table)))  # type: ignore[misc]
    await sending.register_templates(notification.kit, Carrier())  # type: ignore[arg-type]
    while await sending.send_mails(notification.kit, MailServer()):  # type: ignore[arg-type]
        pass
    while await sending.send_sms_batch(notification.kit, Carrier()):  # type: ignore[arg-type]
        pass
    finished = spans.get_finished_spans()
    request = next(span for span in finished if span.name == "POST /api/cases")
    mine = [span for span in finished if span.context.trace_id == request.context.trace_id]
    handled = {
        (str((span.attributes or {})["service"]), span.name): span for span in mine if span.kind is SpanKind.CONSUMER
    }
    for service in ("stage_tracking", "party_notification"):
        for event in ("case.filed.v1", "case.assigned.v1"):
            parent = handled[service, f"handle {event}"].parent
            assert parent is not None
            assert parent.span_id == request.context.span_id
    assigned = handled["party_notification", "handle case.assigned.v1"].context.span_id
    sends = [span for span in mine if span.kind is SpanKind.CLIENT]
    assert sorted(span.name for span in sends) == ["send SMS", "send SMS", "send mail"]
    assert {span.parent.span_id for span in sends if span.parent} == {assigned}
    for secret in (*SECRETS, answer.json()["id"], answer.json()["case_number"]):
        assert secret not in everything(finished)


async def test_the_trace_travels_in_outbox_rows_envelopes_and_headers(
    journey: Journey, spans: InMemorySpanExporter
) -> None:
    intake, bus = journey.units["case_intake"], journey.units["case_intake"].relay._bus
    async with client(INTAKE, intake.kit, Role.CLERK) as clerk:
        parent = "00-" + "5" * 32 + "-" + "6" * 16 + "-01"
        assert (await clerk.post("/api/cases", json=filing(), headers={"traceparent": parent})).status_code == 201
    await intake.relay.step()
    (request,) = [span for span in spans.get_finished_spans() if span.kind is SpanKind.SERVER]
    expected = f"00-{'5' * 32}-{request.context.span_id:016x}-01"
    rows = await journey.rows("case_intake", select(outbox))
    assert {row.traceparent for row in rows} == {expected}
    member = await bus.subscribe("reader", ["cases"])
    records = await member.poll(10, 2)
    await member.close()
    assert {record.headers["traceparent"].decode() for record in records} == {expected}
    assert {decode(record.value)[0].traceparent for record in records} == {expected}


async def test_without_a_collector_nothing_is_traced(journey: Journey) -> None:
    intake = journey.units["case_intake"]
    async with client(INTAKE, intake.kit, Role.CLERK) as clerk:
        parent = "00-" + "5" * 32 + "-" + "6" * 16 + "-01"
        assert (await clerk.post("/api/cases", json=filing(), headers={"traceparent": parent})).status_code == 201
    rows = await journey.rows("case_intake", select(outbox))
    assert [row.traceparent for row in rows] == [None] * len(rows)
    assert all(decode(bytes(row.value))[0].traceparent is None for row in rows)
    async with traced("test", TelemetrySettings(exporter_otlp_endpoint="")):
        assert TRACING.trace_id() is None


def test_a_failure_is_told_by_its_kind_alone(spans: InMemorySpanExporter) -> None:
    def fail() -> None:
        with TRACING.span("act", SpanKind.INTERNAL):
            raise ValueError("刘艳 19900000005")

    with pytest.raises(ValueError, match="刘艳"):
        fail()
    (span,) = spans.get_finished_spans()
    assert span.status.description == "ValueError"
    assert span.events == ()


async def test_spans_reach_the_collector_that_the_settings_name() -> None:
    taken: list[tuple[str, bytes]] = []

    async def take(request: web.Request) -> web.Response:
        taken.append((request.path, await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    settings = TelemetrySettings(exporter_otlp_endpoint=f"http://127.0.0.1:{port}")
    async with traced("case_intake", settings):
        with TRACING.span("POST /api/cases", SpanKind.SERVER):
            assert TRACING.trace_id()
    await runner.cleanup()
    (one,) = taken
    assert one[0] == "/v1/traces"
    assert b"POST /api/cases" in one[1]
    assert b"case_intake" in one[1]
    assert TRACING.trace_id() is None
