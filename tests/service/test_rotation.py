"""New keys while the product runs: rows follow in steps, and whoever looks finds and opens them all the time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, update

from services.case_intake.service import SERVICE
from services.case_intake.store.tables import cases, parties
from shared.clock import SystemClock
from shared.contracts.cases import IdKind, PartyIdentity
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import UNNAMED, Lookups
from shared.db.tables import canaries
from shared.db.transaction import new_id
from shared.http.routes import Zone
from shared.runtime import canaries as words
from shared.runtime.commands import rotate_keys
from shared.runtime.registry import load, service_names
from shared.runtime.resealing import PORTION, Resealer
from shared.runtime.rotating import rotate
from shared.runtime.secrets import Secret, Vault, kept
from shared.runtime.service import MORE, Kit
from shared.runtime.unit import build_kit
from shared.settings import Environment, RunSettings
from tests.fixtures.databases import FreshDatabase

HELD = SERVICE.held([Zone.STAFF])
PEOPLE = PORTION + 7


class Process:
    """A process of case_intake, with its keys in files."""

    def __init__(self, url: str, data: Path) -> None:
        self.run = RunSettings(environment=Environment.TEST, data=data, database_url=url)
        self.vault = Vault(self.run, spread=0)
        self.kit: Kit[Any] = build_kit(SERVICE, self.run, self.vault.keys(SERVICE.name, HELD), url, SystemClock())
        self.resealer = Resealer(self.kit, SERVICE.sealed, HELD, patience=0)

    def where(self, secret: Secret, service: str) -> Path:
        path = self.vault.path(secret, service)
        assert path
        return path

    async def rows(self) -> list[Any]:
        async with self.kit.db.read() as conn:
            return list(await conn.execute(select(parties).order_by(parties.c.id)))

    async def finish(self) -> int:
        steps = 1
        while await self.resealer.step() is MORE:
            steps += 1
        return steps

    async def under(self) -> set[tuple[str, str]]:
        """The keys under which the parties rest and are found."""
        return {(row.identity.split(".")[0], row.id_index.rpartition(".")[0]) for row in await self.rows()}


def identity(at: int) -> PartyIdentity:
    return PartyIdentity(name=f"某{at}", id_kind=IdKind.COMPANY, id_number=f"{at:018}")


async def fill(kit: Kit[Any], ring: KeyRing) -> None:
    case_id, now = new_id(), SystemClock().now()
    case = {"id": case_id, "case_number": "（2026）渝05执1号", "court": "渝05", "filed_on": now.date(), "cause": "x"}
    case |= {"basis_document": "x", "basis_maker": "x", "silent": False, "filed_by": new_id(), "registered_at": now}
    rows = [
        {
            "id": (one := new_id()),
            "case_id": case_id,
            "role": "applicant",
            "consents": False,
            "minor": False,
            "identity": ring.seal_model(identity(at), str(one)),
            "id_index": ring.blind_index(identity(at).id_number, "id_number"),
        }
        for at in range(PEOPLE)
    ]
    async with kit.db.begin() as tx:
        await tx.conn.execute(insert(cases).values(case | {"obligation": ring.seal("交付房屋", str(case_id))}))
        await tx.conn.execute(insert(parties), rows)


@pytest.fixture
async def place(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Process]:
    process = await asyncio.to_thread(Process, await fresh_database(SERVICE), tmp_path)
    await words.write(process.kit, HELD)
    await fill(process.kit, process.kit.keyring)
    yield process
    await process.kit.db.close()


def everybody_opens(process: Process, rows: list[Any]) -> bool:
    ring = process.kit.keyring
    opened = [ring.open_model(PartyIdentity, row.identity, str(row.id)) for row in rows]
    found = [
        row.id_index in ring.blind_indexes(who.id_number, "id_number") for row, who in zip(rows, opened, strict=True)
    ]
    return len(rows) == PEOPLE and all(found)


async def test_rows_follow_new_keys_step_by_step_and_are_found_all_the_while(place: Process) -> None:
    assert await place.finish() == 1, "nothing is to be done"
    ring = place.kit.keyring
    old = (ring.current, ring.lookups.current)
    rotate([SERVICE], place.where)
    place.vault.follow()
    assert place.kit.keyring is ring, "whoever holds the ring follows"
    new = (ring.current, ring.lookups.current)
    assert not {*new} & {*old}
    assert everybody_opens(place, await place.rows())
    while await place.resealer.step() is MORE:
        rows = await place.rows()
        assert everybody_opens(place, rows)
        if {row.identity.split(".")[0] for row in rows} == {old[0], new[0]}:
            break
    else:
        pytest.fail("the first portion was all")
    again = Process(place.run.database_url, place.run.data)  # the first one was killed
    assert await again.finish() > 1
    assert await again.under() == {new}
    assert everybody_opens(again, await again.rows())
    assert await again.finish() == 1
    alone = KeyRing({new[0]: ring.parts.keys[new[0]]}, Lookups.from_text(ring.lookups.to_text().split(",")[0]))
    (row, *_) = await again.rows()
    assert alone.open_model(PartyIdentity, row.identity, str(row.id)) == identity(0), "without any old key"
    await again.kit.db.close()


async def test_a_process_that_has_not_looked_yet_opens_what_another_sealed_with_the_new_key(place: Process) -> None:
    other = Process(place.run.database_url, place.run.data)
    rotate([SERVICE], place.where)
    other.vault.follow()
    sealed = other.kit.keyring.seal("x", "p")
    assert place.kit.keyring.open(sealed, "p") == "x"
    await other.kit.db.close()


async def test_a_new_index_key_finds_at_once_and_hashes_once_every_process_has_it(place: Process) -> None:
    slow = Vault(place.run)
    keys = slow.keys(SERVICE.name, HELD)
    former = [keys.keyring.lookups.current, keys.lookups.current]
    rotate([SERVICE], place.where)
    slow.follow()
    place.vault.follow()
    assert keys.keyring.current == place.kit.keyring.current, "it seals with the new one: a sealed text names its key"
    assert [keys.keyring.lookups.current, keys.lookups.current] == former
    for mine, theirs in ((keys.keyring.lookups, place.kit.keyring.lookups), (keys.lookups, place.kit.lookups)):
        assert theirs.index("x", "p") in mine.indexes("x", "p")
        assert mine.indexes("x", "p")[0] == mine.index("x", "p")
        assert mine.oldest_index("x", "p") == theirs.oldest_index("x", "p")
    waits = Resealer(replace(place.kit, keyring=keys.keyring, lookups=keys.lookups), SERVICE.sealed, HELD, patience=0)
    assert await waits.step() is None
    assert {hashed for _, hashed in await place.under()} == {former[0]}, "re-sealing waits for it"


async def test_what_does_not_open_stays_and_holds_up_nobody(place: Process) -> None:
    spoilt = (await place.rows())[3]
    async with place.kit.db.begin() as tx:
        broken = update(parties).where(parties.c.id == spoilt.id)
        await tx.conn.execute(broken.values(identity=f"{place.kit.keyring.current}.AAAA"))
    old = place.kit.keyring.current
    rotate([SERVICE], place.where)
    place.vault.follow()
    await place.finish()
    kept_as_it_was = [row for row in await place.rows() if row.identity.startswith(f"{old}.")]
    assert [(row.id, row.identity) for row in kept_as_it_was] == [(spoilt.id, f"{old}.AAAA")]


async def test_an_older_releases_rows_follow_by_themselves(fresh_database: FreshDatabase, tmp_path: Path) -> None:
    old = KeyRing({"k1": b"1" * 32}, Lookups({UNNAMED: b"i" * 32}))
    kept(RunSettings(data=tmp_path), "keyring.txt", old.to_text)
    process = await asyncio.to_thread(Process, await fresh_database(SERVICE), tmp_path)
    await fill(process.kit, old)
    await words.check(process.kit, HELD, SERVICE.sealed)
    await words.write(process.kit, HELD)
    await process.finish()
    assert await process.under() == {(process.kit.keyring.current, "")}, "its hashes are found as before"
    assert everybody_opens(process, await process.rows())
    await process.kit.db.close()


async def test_the_command_adds_keys_and_says_what_is_done(place: Process) -> None:
    await asyncio.to_thread(lambda: [Vault(place.run).keys(name, load(name).held([*Zone])) for name in service_names()])
    env = {"YANGGUANG_DATA": str(place.run.data), "YANGGUANG_DATABASE_URL": place.run.database_url}
    running = asyncio.create_task(_follow(place))
    done = await asyncio.to_thread(CliRunner(env=env).invoke, rotate_keys, ["--wait", "3"])
    running.cancel()
    assert done.exit_code == 0, done.output
    assert "新密钥已写入密钥文件" in done.output
    assert "case_intake：已完成" in done.output
    place.vault.follow()
    async with place.kit.db.read() as conn:
        sealed = (await conn.execute(select(canaries.c.sealed).where(canaries.c.secret == "keyring"))).scalar_one()
    assert sealed.startswith(f"{place.kit.keyring.current}.")


async def _follow(place: Process) -> None:
    while True:
        await asyncio.sleep(0.05)
        place.vault.follow()
        await place.resealer.step()


async def test_without_key_files_the_command_says_what_to_do(tmp_path: Path) -> None:
    done = await asyncio.to_thread(CliRunner(env={"YANGGUANG_DATA": str(tmp_path)}).invoke, rotate_keys)
    assert done.exit_code == 1
    assert "找不到 YANGGUANG_KEYRING 的密钥文件" in done.output
