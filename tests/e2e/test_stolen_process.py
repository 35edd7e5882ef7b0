"""A process on the internet is taken over, while the product runs as separate processes over a real Kafka.

The thief has what the running process has: its environment, each file of secrets that it was handed, its database role,
its code. On one machine all processes are one user's, who could read every file; in containers each gets its own, and
`test_it_holds_nothing_beyond_what_it_was_handed` looks into the process's memory for the others. What a thief sees who
goes on serving (codes and numbers as parties type them) is no part of this: decision 34.

Every attack is made with the haul of a process of the inner network, too, where it must succeed: so it can.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from shared.bus.kafka import OPEN, KafkaLog, Login
from shared.bus.log import BusDeniedError
from shared.crypto.boxes import Box
from shared.crypto.keyring import KeyRing
from shared.db.access import Part
from shared.http.auth import PARTY_COOKIE, PartyCaller
from shared.http.tokens import PartySessions
from shared.runtime.postgres import read_url
from shared.runtime.registry import load, service_names
from shared.settings import RunSettings
from tests.e2e.test_main_job import case_body, enter, received
from tests.e2e.test_revocation import DOORS
from tests.fixtures.haul import Haul, running
from tests.fixtures.running import Machine, Product, code_in, eventually, free_port, new_folder, remove, require_kafka
from tests.fixtures.thief import Column, Opener, Rows, columns, readable, rows_of, tokens

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

T = TypeVar("T")
TIP, CONTACT = "被执行人在示例路有一处房产，登记在亲属名下。", "李证人 13800138000"
HANDED = {
    "asset_tips-public": {"drop_asset_tips.txt", "lookups_asset_tips.txt", "token_public_key.pem"},
    "party_notification-public": {
        "drop_party_notification.txt",
        "lookups_party_notification.txt",
        "party_sessions.txt",
        "token_public_key.pem",
    },
}
"""The files of secrets that each process on the internet is handed, beside its database's URL and its settings."""


@dataclass(frozen=True)
class Scene:
    """The product at work, what was done there, and what each of its processes holds."""

    product: Product
    folder: Path
    hauls: dict[str, Haul]
    known: list[str]
    """Names, telephones, numbers, words that were typed in: none of them may come to light."""
    code: str
    last_six: str

    @property
    def stolen(self) -> list[Haul]:
        """Those on the internet."""
        return [haul for haul in self.hauls.values() if haul.zone == "public"]

    def owner_url(self, service: str) -> str:
        return read_url(self.folder / "postgres", service, Part.OWNER).replace("+asyncpg", "")


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    """A case is filed, letters go out, a party reads them, a tip with a contact comes in."""
    require_kafka()
    folder = new_folder()
    machine = Machine(folder, free_port())
    machine.start()
    try:
        machine.wait_ready(180)
        with closing(Product(machine.url, folder)) as product:
            known, code, last_six = play(product)
            yield Scene(product, folder, {haul.name: haul for haul in running(folder)}, known, code, last_six)
    finally:
        status = machine.stop()
    assert status == 0, machine.log()[-3000:]
    remove(folder)


def play(product: Product) -> tuple[list[str], str, str]:
    """What was typed, and how the applicant enters."""
    body = case_body(60001)
    answer = product.as_("clerk").post("/api/cases", json=body, headers={"Idempotency-Key": "stolen"})
    assert answer.status_code == 201, answer.text
    tip = {"text": TIP, "contact": CONTACT, "ground": "property"}
    receipt = product.as_("public").post("/api/tips", json=tip, headers={"Idempotency-Key": "0197c2f0-1111-7000"})
    assert receipt.status_code == 201, receipt.text
    applicant = body["parties"][0]
    code = code_in(received(product, applicant["phone"], 1)[0]["body"])
    for party in body["parties"]:
        received(product, party.get("email") or party["phone"], 1)
    eventually("the tip on the desk", 20, lambda: product.as_("duty").get("/api/desk/queue").json()["items"])
    eventually("the applicant's page", 30, lambda: opens_the_page(product, code, applicant["id_number"][-6:]))
    known = [party[key] for party in body["parties"] for key in ("name", "phone", "email", "id_number") if key in party]
    return (
        [*known, TIP, CONTACT, receipt.json()["receipt"], code, body["obligation"]],
        code,
        applicant["id_number"][-6:],
    )


def opens_the_page(product: Product, code: str, last_six: str) -> bool:
    with suppress(AssertionError), closing(enter(product, code, last_six)) as visitor:
        page = visitor.get("/p/case").text
        return "测试当事人甲" in page and "/p/documents/" in page
    return False


def run(act: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(act)


async def at(url: str, act: Callable[[asyncpg.Connection], Coroutine[Any, Any, T]]) -> T:
    connection = await asyncpg.connect(url)
    try:
        return await act(connection)
    finally:
        await connection.close()


async def everything(connection: asyncpg.Connection) -> Rows:
    return await rows_of(connection, await columns(connection))


def sealed_with_rows(service: str, rows: Rows) -> set[Column]:
    """The declared columns of which there is something."""
    declared = {(each.table.name, column) for each in load(service).sealed for column in each.columns}
    return {(table, column) for table, column in declared if any(column in row for row in rows[table])}


def test_each_is_handed_what_it_needs_and_nothing_of_kafka(scene: Scene) -> None:
    assert {haul.name: set(haul.files) for haul in scene.stolen} == HANDED
    assert {haul.service for haul in scene.stolen} == {name for name in service_names() if load(name).public_paths} - {
        "sandbox"
    }
    for haul in scene.stolen:
        assert not [name for name in haul.env if "KAFKA" in name or "PASSWORD" in name or "OWNER" in name], haul.name
        assert f"//{haul.service}_public:" in haul.env["YANGGUANG_DATABASE_URL"]


def test_it_holds_nothing_beyond_what_it_was_handed(scene: Scene) -> None:
    """Its memory is searched for each key of the product that it was not handed; those that it was are found."""
    files = {path.name: path.read_text() for path in (scene.folder / "secrets").iterdir() if path.is_file()}
    assert len(files) > 20
    for haul in scene.stolen:
        foreign = {name: of_file(text) - of_haul(haul) for name, text in files.items() if name not in haul.files}
        found = haul.remembered(set().union(*foreign.values()))
        assert [name for name, keys in foreign.items() if keys & found] == [], haul.name
        assert haul.remembered(of_haul(haul)), haul.name
    inner = scene.hauls["asset_tips-staff"]
    assert inner.remembered(of_file(files["keyring_asset_tips.txt"]))


def of_haul(haul: Haul) -> set[bytes]:
    """Keys as bytes, and words of one line as they stand in a file."""
    return {*haul.keys, *(word.encode() for word in haul.words)}


def of_file(text: str) -> set[bytes]:
    return of_haul(Haul("", "", {}, {"": text}))


@pytest.mark.parametrize("service", [name for name in service_names() if name != "sandbox"])
def test_its_keys_open_no_row_even_of_the_whole_database(scene: Scene, service: str) -> None:
    rows = run(at(scene.owner_url(service), everything))
    for haul in scene.stolen:
        opener = Opener(haul, scene.known)
        assert opener.opened(rows) == set(), haul.name
        assert opener.tried > 10, haul.name
    inner = scene.hauls[f"{service}-staff"]
    assert Opener(inner, scene.known).opened(rows) >= sealed_with_rows(service, rows)


@pytest.mark.parametrize("name", HANDED)
def test_one_key_too_many_would_be_noticed(scene: Scene, name: str) -> None:
    haul = scene.hauls[name]
    rows = run(at(scene.owner_url(haul.service), everything))
    ring = (scene.folder / "secrets" / f"keyring_{haul.service}.txt").read_text()
    given = replace(haul, files={**haul.files, "anything": ring})
    assert Opener(given, scene.known).opened(rows) >= sealed_with_rows(haul.service, rows) != set()


@pytest.mark.parametrize("name", HANDED)
def test_its_database_role_reads_what_its_pages_need_and_opens_none_of_it(scene: Scene, name: str) -> None:
    haul = scene.hauls[name]
    every = set(run(at(scene.owner_url(haul.service), columns)))
    reached = run(at(haul.database_url, readable))
    access = load(haul.service).access(RunSettings())
    wanted = {
        (table, column)
        for table, column in every
        for each in access.wanted(table)
        if each.role == f"{haul.service}_public" and each.verb == "SELECT" and each.column in {"", column}
    }
    assert reached == wanted
    hidden = {"outbox.value", "tips.body", "senders.contact", "parties.identity", "notices.letter", "readings.evidence"}
    assert {f"{table}.{column}" for table, column in reached} & hidden == set()
    found = run(at(haul.database_url, lambda connection: rows_of(connection, reached)))
    assert sum(map(len, found.values())) > 5
    assert Opener(haul, scene.known).opened(found) == set()
    assert not [word for word in scene.known for rows in found.values() for row in rows if word in str(row)]


BREAKING_OUT = (
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "CREATE TABLE mine (id int)",
    "CREATE ROLE mine",
    "ALTER TABLE answers DISABLE TRIGGER ALL",
)


@pytest.mark.parametrize("name", HANDED)
def test_its_database_role_goes_nowhere_else(scene: Scene, name: str) -> None:
    haul = scene.hauls[name]

    async def refused(act: Coroutine[Any, Any, object]) -> None:
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidPasswordError)):
            await act

    async def attack(connection: asyncpg.Connection) -> int:
        roles = [row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname <> current_user")]
        words = [f'SET ROLE "{role}"' for role in roles if not role.startswith("pg_")]
        for statement in (*words, *BREAKING_OUT):
            await refused(connection.execute(statement))
        for other in {*service_names(), "postgres", "template1"} - {haul.service}:
            await refused(asyncpg.connect(haul.database_url, database=other))
            await refused(asyncpg.connect(haul.database_url, database=other, user=other))
        return len(words)

    assert run(at(haul.database_url, attack)) > 3 * len(service_names()) - 1


def admitted(product: Product, made: Iterable[str]) -> set[str]:
    """Where one of the tokens passes for somebody."""
    with httpx.Client(base_url=product.url, timeout=60) as web:
        answers = [
            (door, web.get(door, headers={"authorization": f"Bearer {token}"})) for token in made for door in DOORS
        ]
    assert {answer.status_code for _, answer in answers} <= {200, 401, 403, 404}
    return {door for door, answer in answers if answer.status_code != 401}


def test_no_token_of_staff_can_be_made(scene: Scene) -> None:
    for haul in scene.stolen:
        made = tokens(haul)
        assert len(made) > 5
        assert admitted(scene.product, made) == set(), haul.name
    doors = admitted(scene.product, tokens(scene.hauls["staff-staff"]))
    assert doors >= {*DOORS} - {"/api/staff/me"}, "whoever takes the process that signs is everybody"


def test_kafka_lets_nobody_in_with_what_it_holds(scene: Scene) -> None:
    inner = scene.hauls["asset_tips-staff"]
    address = inner.env["YANGGUANG_KAFKA"]

    async def enters(login: Login) -> bool:
        log = KafkaLog(address, timeout=5, login=login)
        try:
            return bool(await log.identity())
        except BusDeniedError:
            return False
        finally:
            await log.close()

    async def any_of(logins: list[Login]) -> bool:
        return any([await enters(login) for login in logins])

    for haul in scene.stolen:
        users = [Login(haul.service, word) for word in haul.words]
        users += [Login("admin", word, "PLAIN", is_admin=True) for word in haul.words]
        assert len(users) > 4
        assert not run(any_of([OPEN, *users])), haul.name
    assert run(any_of([Login(inner.service, word) for word in inner.words]))


def test_no_visit_at_a_partys_page_can_be_forged(scene: Scene) -> None:
    """The session key makes a cookie; what the cookie must carry, the party's own key, nobody has."""
    haul = scene.hauls["party_notification-public"]
    rows = run(at(haul.database_url, readable_rows))
    sessions = PartySessions(KeyRing.from_text(haul.files["party_sessions.txt"]))
    documents = [row["notice_id"] for row in rows["party_sheets"]]
    assert len(rows["party_pages"]) == 3
    for row in rows["party_pages"]:
        for carried in ("", Box.generate().to_text(), *haul.words):
            visit = PartyCaller(UUID(row["party_id"]), uuid4(), uuid4(), datetime.now(UTC))
            cookie = sessions.for_party(visit, timedelta(hours=1), carried)
            with httpx.Client(base_url=scene.product.url, cookies={PARTY_COOKIE: cookie}, timeout=60) as thief:
                pages = [thief.get("/p/case"), *(thief.get(f"/p/documents/{each}") for each in documents)]
            assert {page.status_code for page in pages} <= {303, 401, 404}
            assert not [word for word in scene.known for page in pages if word in page.text]
    assert opens_the_page(scene.product, scene.code, scene.last_six), "and the party goes on"


async def readable_rows(connection: asyncpg.Connection) -> Rows:
    return await rows_of(connection, await readable(connection))
