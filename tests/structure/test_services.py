"""The structure itself: routes, zones, topics, paths, contracts, migrations, lock files."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.routing import APIRoute
from sqlalchemy import Connection, MetaData

from shared.contracts.envelope import REGISTRY, Sealed
from shared.contracts.topics import TOPICS
from shared.db.migrate import version_table
from shared.db.tables import KIT
from shared.http.routes import PUBLIC, Zone
from shared.powers import POWERS, Action, Role
from shared.runtime.gateway import matches, paths_of
from shared.runtime.registry import load, service_names
from shared.runtime.service import Service
from shared.settings import Environment
from tests.fixtures.kits import caller, client, make_kit

ROOT = Path(__file__).parents[2]
SERVICES = [load(name) for name in service_names()]


def routes_of(service: Service) -> list[APIRoute]:
    return [route for each in service.routes for route in each.router.routes if isinstance(route, APIRoute)]


def test_all_seven_services_are_found_by_their_entry_points() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}
    assert {service.name for service in SERVICES} == folders
    assert len(folders) == 7


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
def test_every_route_names_its_permission_and_zone(service: Service) -> None:
    for route in routes_of(service):
        extra = route.openapi_extra or {}
        assert extra.get("x-permission") in {PUBLIC, *Action}, route.path
        assert extra.get("x-zone") in set(Zone), route.path
        guarded = len(route.dependencies) > 0
        assert guarded == (extra["x-permission"] != PUBLIC), route.path


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
def test_every_route_lies_below_its_services_paths_of_its_zone(service: Service) -> None:
    for route in routes_of(service):
        zone = Zone((route.openapi_extra or {})["x-zone"])
        below = [prefix for prefix in service.prefixes(set(Zone)) if matches(route.path, prefix)]
        assert below, route.path
        assert max(below, key=len) in service.prefixes({zone}), route.path


def test_no_two_services_claim_a_path() -> None:
    assert paths_of({service.name: service.prefixes(set(Zone)) for service in SERVICES})


def test_public_routes_and_staff_routes_stand_apart() -> None:
    for service in SERVICES:
        for each in service.routes:
            for route in each.router.routes:
                if each.zone is Zone.PUBLIC and isinstance(route, APIRoute):
                    assert (route.openapi_extra or {})["x-permission"] == PUBLIC, route.path


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
async def test_every_guarded_route_lets_in_exactly_whom_the_table_names(service: Service, fresh_database: Any) -> None:
    kit = await make_kit(service, await fresh_database(service))
    async with client(service, kit, Role.CLERK) as http:
        del http.headers["authorization"]
        for route in routes_of(service):
            permission = (route.openapi_extra or {})["x-permission"]
            if permission == PUBLIC:
                continue
            path = re.sub(r"\{[^}]+\}", "00000000-0000-7000-8000-000000000000", route.path)
            method = next(iter(route.methods or {"GET"}))
            assert (await http.request(method, path)).status_code in {401, 303}, route.path
            for role in Role:
                token = kit.staff_signer.for_staff(caller(role), timedelta(minutes=5))
                allowed = role in POWERS[Action(permission)].roles
                if allowed and route.path.endswith("/stream"):
                    continue  # its answer never ends; tests/service/test_duty_desk_pages.py reads it
                answer = await http.request(method, path, headers={"authorization": f"Bearer {token}"}, json={})
                if not allowed:
                    assert answer.status_code == 403, (route.path, role)
                else:
                    forbidden_by_table = answer.status_code == 403 and '"not_allowed"' in answer.text
                    assert not forbidden_by_table, (route.path, role)
    await kit.db.close()


def test_every_topic_has_a_consumer_and_every_event_a_topic() -> None:
    consumed = {event.topic for service in SERVICES for event in service.handlers} | {"sandbox"}
    assert consumed == set(TOPICS)
    assert {event.topic for event in REGISTRY.values()} == set(TOPICS)


def test_every_event_type_ends_in_its_version_and_has_a_golden_sample() -> None:
    samples = {path.stem for path in (ROOT / "tests" / "contract" / "golden").glob("*.json")}
    for name in REGISTRY:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+\.v\d+", name), name
        assert name in samples, f"no golden sample of {name}"


PERSONAL = {"identity", "obligation", "text", "body", "deed", "progress", "phone_number", "email", "id_number"}


def test_personal_fields_of_events_are_sealed() -> None:
    found = 0
    for event in REGISTRY.values():
        for name, field in event.model_fields.items():
            if name in PERSONAL:
                found += 1
                assert Sealed in (field.annotation, *getattr(field.annotation, "__args__", ())), (event.type, name)
    assert found >= 4


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
async def test_the_migrations_make_exactly_the_tables(service: Service, fresh_database: Any) -> None:
    kit = await make_kit(service, await fresh_database(service))
    metadata = MetaData()
    for each in (KIT, service.tables):
        for table in each.sorted_tables:
            table.to_metadata(metadata)

    def differences(conn: Connection) -> list[Any]:
        versions = {version_table("shared.db"), version_table(service.package)}
        options = {"include_name": lambda name, kind, _: not (kind == "table" and name in versions)}
        return compare_metadata(MigrationContext.configure(conn, opts=options), metadata)

    async with kit.db.engine.connect() as conn:
        assert await conn.run_sync(differences) == []
    await kit.db.close()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_carry_hashes_and_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    pins = re.findall(r"^\S+==\S+", text, re.MULTILINE)
    assert len(pins) > 40
    assert text.count("--hash=sha256:") >= len(pins)


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: s.name)
def test_the_architecture_names_the_topics_that_a_service_tells_and_reads(service: Service) -> None:
    """Beside those of the kit. Its user at Kafka may use no other."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    row = re.findall(rf"^\| `{service.name}` \| .* \| (.+) \| (.+) \|$", text, re.MULTILINE)
    ((tells, reads),) = row
    assert set(re.findall(r"`(\w+)`", tells)) == {event.topic for event in service.tells}
    assert set(re.findall(r"`(\w+)`", reads)) == {event.topic for event in service.handlers}
    assert service.told == {event.topic for event in service.tells} | {"operations"}
    assert service.followed(Environment.DEMO) == {e.topic for e in service.handlers} | {"staff", "sandbox"}
    assert service.followed(Environment.PRODUCTION) == service.followed(Environment.DEMO) - {"sandbox"}
