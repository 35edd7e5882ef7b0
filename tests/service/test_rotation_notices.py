"""New index keys while notices are sent: whatever is looked for by a hash is found before, amid and after."""

import asyncio
import base64
import hashlib
import importlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, insert, text, update

from services.party_notification.channels.outcome import Sent
from services.party_notification.channels.sms import SmsBatch
from services.party_notification.domain.addresses import ADDRESS
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import receipts
from services.party_notification.usecases.addresses import ids_for, mark_ends
from services.party_notification.usecases.checking import check_notice
from services.party_notification.usecases.doors import hash_anew, make_door
from services.party_notification.usecases.readings import Whence
from services.party_notification.usecases.visits import enter, read_document
from shared.contracts.cases import PartyChanged
from shared.contracts.notices import ContactDisowned
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import ProgressPublished
from shared.crypto.boxes import Drop
from shared.crypto.keyring import KeyRing, Parts
from shared.crypto.lookups import Lookups
from shared.db.access import settle
from shared.db.sealed import Keys
from shared.db.tables import set_aside
from shared.db.transaction import new_id
from shared.http.routes import Zone
from shared.runtime import canaries
from shared.runtime.resealing import Resealer
from shared.runtime.rotating import RotationError, promote, rotate
from shared.runtime.secrets import Secret
from shared.runtime.service import MORE, Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Sealed, Story, entered, person, settled
from tests.fixtures.databases import TESTERS
from tests.fixtures.kits import KEYRING, NOON, as_owner, client, in_public, told
from tests.service.test_notices import Carrier, MailServer, Office, receipt, send_all, take
from tests.service.test_party_doors import outside

HELD = SERVICE.held([Zone.STAFF])
ONE, OTHER = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
PEOPLE = ((ONE, "19900000005"), (OTHER, "19900000006"))


class Numbered(Carrier):
    """A carrier that gives every batch an id of its own."""

    async def send_batch(self, batch: SmsBatch) -> Sequence[Any]:
        self.batches.append(batch)
        return [Sent(f"biz-{len(self.batches)}") for _ in batch.items]


class House:
    """The service with one case, whose keys are its own and change."""

    def __init__(self, kit: Kit[Any]) -> None:
        self.kit = kit
        self.story = Story(kit)
        self.office = Office(kit)
        self.public = in_public(outside(kit))
        self.resealer = self.resealing()
        self.carrier, self.server = Numbered(), MailServer()

    def resealing(self, portion: int = 1) -> Resealer:
        """Re-sealing as a process that has just begun does it."""
        return Resealer(self.kit, SERVICE.sealed, HELD, patience=0, portion=portion)

    async def file(self) -> Any:
        return await self.story.file(ONE, OTHER)

    async def send(self) -> None:
        await send_all(self.office, self.carrier, self.server)

    def rotate(self) -> None:
        self.kit.keyring.become(self.kit.keyring.rotated(index=True).parts)
        self.kit.lookups.become(self.kit.lookups.rotated())

    async def until_half(self, table: Any, column: str) -> None:
        """Re-seal until some rows of the table are under the new index key, and some are not; then the process dies."""
        while len(await self.under(table, column)) < 2:
            assert await self.resealer.step() is MORE, "it is never half done"
        self.resealer = self.resealing()

    async def under(self, table: Any, column: str) -> set[str]:
        """The index keys under which the column's hashes are."""
        return {getattr(row, column).rpartition(".")[0] for row in await self.story.rows(table)}

    async def finish(self) -> None:
        self.resealer = self.resealing(200)
        while await self.resealer.step() is MORE:
            pass
        assert await canaries.is_current(self.kit, HELD)
        self.resealer = self.resealing()

    def without_old_keys(self) -> Kit[Any]:
        """The kit of a process that never had the former keys."""
        parts = self.kit.keyring.parts
        ring = KeyRing({self.kit.keyring.current: parts.keys[self.kit.keyring.current]}, _newest(parts), parts.boxes)
        return replace(self.kit, keyring=ring, lookups=Lookups.from_text(self.kit.lookups.to_text().split(",")[0]))

    async def is_open(self, kit: Kit[Any] | None = None) -> None:
        """Whoever was written to checks it, by number and by code, and comes in at their page."""
        public = self.public if kit is None else in_public(outside(kit))
        for party, number in PEOPLE:
            code = await self.story.code(party)
            by_code = await check_notice(public, code, number[-4:])
            assert by_code
            assert await check_notice(public, by_code[0].number, number[-4:])
            visitor = await enter(public, code, f"06{number[-4:]}")
            assert visitor.party.party_id == party.party_id


def _newest(parts: Parts) -> Lookups:
    assert parts.lookups
    return Lookups.from_text(parts.lookups.to_text().split(",")[0])


@pytest.fixture
async def house(kit: Kit[Any]) -> House:
    ring = KeyRing.generate().with_also(KEYRING)
    kit = replace(kit, keyring=ring, drop=ring.drop, lookups=Lookups.generate())
    await canaries.write(kit, HELD)
    return House(kit)


def test_the_index_key_is_replaced_with_the_others(tmp_path: Any) -> None:
    paths = {secret: tmp_path / secret for secret in Secret}
    ring, hashes = KeyRing.generate(), Lookups.generate()
    paths[Secret.KEYRING].write_text(ring.to_text())
    paths[Secret.LOOKUPS].write_text(hashes.to_text())
    rotate([SERVICE], lambda secret, _: paths[secret])
    assert KeyRing.from_text(paths[Secret.KEYRING].read_text()).lookups.current != ring.lookups.current
    assert Lookups.from_text(paths[Secret.LOOKUPS].read_text()).current != hashes.current


async def test_notices_are_checked_and_pages_entered_all_the_while_and_at_last_without_old_keys(house: House) -> None:
    await house.file()
    await house.send()
    await house.is_open()
    house.rotate()
    await house.is_open()
    await house.until_half(tables.addresses, "address_index")
    await house.is_open()
    await house.until_half(tables.doors, "code_index")
    await house.is_open()
    await house.finish()
    await house.is_open(house.without_old_keys())
    for each in SERVICE.sealed:
        for column, hashed in each.hashes.items():
            keys = house.kit.lookups if hashed.keys is Keys.LOOKUPS else house.kit.keyring.lookups
            assert await house.under(each.table, column) <= {keys.current}


async def test_receipts_find_their_messages_and_are_known_again(house: House) -> None:
    await house.file()
    await house.send()
    said = [receipt(number, biz=f"biz-{at}") for at, number in await _batches(house)]
    house.rotate()
    await house.until_half(tables.addresses, "address_index")
    faulty = json.dumps([7]).encode()
    for each in (*said, *said):
        await take(house.office, each)
    await _take_faulty(house, faulty)
    states = [row.state for row in await house.story.rows(tables.deliveries) if row.channel == "sms"]
    assert states == ["delivered", "delivered"]
    seen = len(await house.story.rows(tables.observations))
    await house.finish()
    house.rotate()
    for half in (True, False):
        await (house.until_half(tables.receipts, "mark") if half else house.finish())
        for each in said:
            await take(house.office, each)
        await _take_faulty(house, faulty)
    assert len(await house.story.rows(tables.receipts)) == 2
    assert len(await house.story.rows(tables.faulty_receipts)) == 1
    assert len(await house.story.rows(tables.observations)) == seen
    alone = house.without_old_keys().keyring
    for row in await house.story.rows(tables.receipts):
        assert alone.open(row.raw, row.mark)


async def test_a_receipt_that_an_older_release_kept_is_known_again(house: House) -> None:
    """Its mark was a SHA-256 of what it says of the number's keyed hash."""
    await house.file()
    await house.send()
    (at, number), *_ = await _batches(house)
    said = receipt(number, biz=f"biz-{at}")
    await take(house.office, said)
    (row,) = await house.story.rows(tables.receipts)
    seen = len(await house.story.rows(tables.observations))
    told = f"biz-{at}/{house.kit.keyring.blind_index(number, 'address')}/True/DELIVERED"
    mark = hashlib.sha256(told.encode()).hexdigest()
    raw = house.kit.keyring.seal(house.kit.keyring.open(row.raw, row.mark), mark)
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(update(tables.receipts).values(mark=mark, raw=raw))
    for rotated in (False, True):
        await take(house.office, said)
        assert len(await house.story.rows(tables.receipts)) == 1, rotated
        assert len(await house.story.rows(tables.observations)) == seen
        house.rotate()
    await house.finish()
    (row,) = await house.story.rows(tables.receipts)
    assert row.mark.startswith(f"{house.kit.keyring.lookups.current}.")


async def _batches(house: House) -> list[tuple[int, str]]:
    """Each batch's number with each telephone in it."""
    return [(at, item.number) for at, batch in enumerate(house.carrier.batches, 1) for item in batch.items]


async def _take_faulty(house: House, body: bytes) -> None:
    about = new_id()
    sealed = house.kit.drop.seal(base64.b64encode(body).decode(), f"{about}/receipts")
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(insert(tables.receipt_posts).values(about=about, sealed=sealed))
    while await receipts.fold_post(house.kit):
        pass


async def test_a_receipt_that_came_too_early_is_matched_across_the_change_of_keys(house: House) -> None:
    await house.file()
    for _, number in PEOPLE:
        for batch in ("biz-1", "biz-2"):
            await take(house.office, receipt(number, biz=batch))
    house.rotate()
    await house.until_half(tables.addresses, "address_index")
    await house.send()
    assert len(await _batches(house)) == 2
    assert {row.state for row in await house.story.rows(tables.deliveries) if row.channel == "sms"} == {"delivered"}


async def test_nothing_is_planned_twice_and_one_address_stays_one(house: House) -> None:
    await house.file()
    before = await house.story.rows(tables.deliveries)
    house.rotate()
    await house.until_half(tables.addresses, "address_index")
    for party, _ in PEOPLE:
        await house.story.feeder.feed(PartyChanged(case_id=await _case(house), party=party))
    after = await house.story.rows(tables.deliveries)
    assert [(row.delivery_id, row.state) for row in after] == [(row.delivery_id, row.state) for row in before]
    assert len(await house.story.rows(tables.addresses)) == 4
    await house.story.file(_again(5), _again(6))
    assert len(await house.story.rows(tables.addresses)) == 4, "whoever is in two cases has one address"
    await house.send()
    for batch in house.carrier.batches:
        numbers = [item.number for item in batch.items]
        assert len(numbers) == len(set(numbers)), "a receipt tells two messages of one batch apart by the number"
    assert len(await _batches(house)) == 4


def _again(number: int) -> Any:
    return person(APPLICANT if number == 5 else RESPONDENT, "某", number)


async def _case(house: House) -> Any:
    return (await house.story.rows(tables.cases))[0].case_id


async def test_whoever_says_not_me_is_written_to_no_more_whichever_key_their_address_is_under(house: House) -> None:
    case_id = await house.file()
    codes = [await house.story.code(party) for party, _ in PEOPLE]
    house.rotate()
    await house.until_half(tables.addresses, "address_index")
    async with client(SERVICE, outside(house.kit)) as web:
        for code, (_, number) in zip(codes, PEOPLE, strict=True):
            assert await _not_me(web, code, number) == 200
        assert await _not_me(web, codes[0], "p5@example.com") == 200
    await house.finish()  # before anybody follows what was taken down
    await settled(house.kit)
    assert sorted(event.channel for event in await told(house.kit, ContactDisowned)) == ["mail", "sms", "sms"]
    house.rotate()
    await house.until_half(tables.addresses, "address_index")
    await house.story.feeder.feed(_progress(house, case_id, 7))
    await house.finish()
    await house.story.feeder.feed(_progress(house, case_id, 8))
    await house.send()
    assert house.carrier.batches == []
    assert {envelope.recipient for envelope in house.server.envelopes} == {"p6@example.com"}


async def _not_me(web: httpx.AsyncClient, reference: str, contact: str) -> int:
    return (await web.post("/p/not-me", data={"reference": reference, "contact": contact})).status_code


def _progress(house: House, case_id: Any, entry: int) -> ProgressPublished:
    sealed = Sealed(house.kit.keyring.seal("已查封一处房产。", str(case_id)))
    told_of = {"case_id": case_id, "entry": entry, "at": NOON, "title": "查封房产", "text": sealed}
    return ProgressPublished(**told_of, audience=(APPLICANT, RESPONDENT), notify=True)


@pytest.mark.parametrize("place", [Whence("203.0.113.88", None), Whence("203.0.113.9", "staff-device")])
async def test_staff_are_recognised_by_where_they_were_seen_before_and_after(house: House, place: Whence) -> None:
    await house.file()
    await house.story.staff_at(place.source if place.device is None else "203.0.113.1", place.device)
    notice = await house.story.notice(ONE, "CASE_ACCEPTED")
    await read_document(house.public, await entered(house.kit, ONE), notice.notice_id, place)
    house.rotate()
    await house.finish()
    await settled(house.kit)
    await read_document(house.public, await entered(house.kit, ONE), notice.notice_id, place)
    await settled(house.kit)
    assert [row.state for row in await house.story.rows(tables.readings)] == ["doubtful", "doubtful"]


async def test_new_keys_are_handed_out_to_every_process_before_any_uses_them(house: House, tmp_path: Path) -> None:
    """Where keys come by a restart alone, processes with and without the new ones work side by side, twice."""
    await house.file()
    await house.send()
    ring, hashes = house.kit.keyring, house.kit.lookups
    paths = {secret: tmp_path / secret for secret in Secret}
    paths[Secret.KEYRING].write_text(ring.to_text())
    paths[Secret.LOOKUPS].write_text(hashes.to_text())

    def restarted() -> Kit[Any]:
        held = KeyRing.from_text(paths[Secret.KEYRING].read_text()).with_also(KEYRING)
        return replace(house.kit, keyring=held, lookups=Lookups.from_text(paths[Secret.LOOKUPS].read_text()))

    former = restarted()
    assert rotate([SERVICE], lambda secret, _: paths[secret], waits=True) == {SERVICE.name: ring.current}
    with pytest.raises(RotationError, match="--promote"):
        rotate([SERVICE], lambda secret, _: paths[secret], waits=True)
    handed = restarted()
    await _work_side_by_side(former, handed)
    assert Drop.from_text(paths[Secret.DROP].read_text()).key_id == ring.drop.key_id
    new = promote([SERVICE], lambda secret, _: paths[secret])
    assert new == promote([SERVICE], lambda secret, _: paths[secret]) != {SERVICE.name: ring.current}
    led = restarted()
    await _work_side_by_side(handed, led)
    assert len(await house.story.rows(tables.addresses)) == 4 + 4
    house.kit.keyring.become(led.keyring.parts)
    house.kit.lookups.become(led.lookups)
    await house.finish()
    await house.is_open(house.without_old_keys())


async def _work_side_by_side(one: Kit[Any], other: Kit[Any]) -> None:
    """Each opens what the other seals, finds what it hashes, and neither adds an address that the other has added."""
    for kit, beside in ((one, other), (other, one)):
        assert beside.keyring.open(kit.keyring.seal("x", "y"), "y") == "x"
        assert beside.keyring.open(kit.keyring.drop.seal("x", "y"), "y") == "x"
        number = f"199{new_id().int % 10**8:08d}"
        async with kit.db.begin() as tx:
            made = await ids_for(kit, tx, [number])
        async with beside.db.begin() as tx:
            assert await ids_for(beside, tx, [number]) == made


async def test_two_processes_with_different_keys_make_one_row_of_a_new_address(house: House) -> None:
    former = replace(house.kit, keyring=KeyRing(**vars(house.kit.keyring.parts)))
    house.rotate()
    async with former.db.begin() as first:
        made = await ids_for(former, first, ["19900000009"])
        other = asyncio.create_task(_ids_for(house.kit, "19900000009"))
        await _waits(house, other)
    assert await other == made


async def _ids_for(kit: Kit[Any], address: str) -> Any:
    async with kit.db.begin() as tx:
        return await ids_for(kit, tx, [address])


async def _waits(house: House, task: asyncio.Task[Any]) -> None:
    query = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    for _ in range(200):
        async with house.kit.db.read() as conn:
            if (await conn.execute(query)).scalar_one():
                return
        assert not task.done()
        await asyncio.sleep(0.05)
    pytest.fail("the second one does not wait for the first")


async def test_a_hash_that_another_row_has_already_holds_up_no_rotation(house: House) -> None:
    former = house.kit.keyring.parts
    await take(house.office, receipt("19900000005"))
    house.rotate()
    (row,) = await house.story.rows(tables.receipts)
    raw = house.kit.keyring.open(row.raw, row.mark)
    twin = house.kit.keyring.blind_index(receipts.said(raw), receipts.RECEIPT)
    values = {"provider": "aliyun", "provider_id": "biz", "delivered": True, "mark": twin}
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(insert(tables.receipts).values(raw=house.kit.keyring.seal(raw, twin), **values))
    await house.finish()
    kept = {row.mark: row.raw for row in await house.story.rows(tables.receipts)}
    assert len(kept) == 2
    assert former.lookups
    assert {mark.partition(".")[0] for mark in kept} == {former.lookups.current, house.kit.keyring.lookups.current}
    assert all(house.kit.keyring.open(raw, mark) for mark, raw in kept.items())


async def test_doors_of_before_their_codes_were_kept_follow_one_by_one(house: House) -> None:
    await house.file()
    await house.send()
    await house.is_open()
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(update(tables.doors).values(code=None))
    assert not await hash_anew(house.kit), "no new key, nothing to do"
    house.rotate()
    await house.finish()
    await house.is_open()
    while await hash_anew(house.kit):
        pass
    await house.is_open(house.without_old_keys())


async def test_a_door_whose_code_does_not_open_keeps_no_other_from_its_new_hash(house: House) -> None:
    await house.file()
    await house.send()
    await house.is_open()
    first = min(row.party_id for row in await house.story.rows(tables.parties))
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(update(tables.doors).values(code=None))
        spoilt = update(tables.parties).where(tables.parties.c.party_id == first)
        await tx.conn.execute(spoilt.values(code="k1.spoilt", door_due=True))
    house.rotate()
    await house.finish()
    for job in (hash_anew, make_door):
        while await job(house.kit):
            pass
    assert {row.party_id for row in await house.story.rows(tables.doors) if row.code is None} == {first}
    apart = {(row.stream, row.item) for row in await house.story.rows(set_aside)}
    assert apart == {("codes", str(first)), ("doors", str(first))}
    assert {trouble.kind for trouble in await told(house.kit, TroubleReported)} == {"set_aside"}


OLDER = """
DROP TABLE contact_doubts, party_contacts;
ALTER TABLE parties DROP contacts_due;
ALTER TABLE messages ADD address_index text;
UPDATE messages SET address_index = a.address_index FROM addresses a WHERE a.address_id = messages.address_id;
ALTER TABLE messages DROP address_id;
ALTER TABLE deliveries ADD address_index text;
UPDATE deliveries SET address_index = a.address_index FROM addresses a WHERE a.address_id = deliveries.address_id;
ALTER TABLE deliveries DROP address_id;
ALTER TABLE receipts ADD address_index text;
UPDATE receipts SET address_index = a.address_index FROM addresses a WHERE a.address_id = receipts.address_id;
ALTER TABLE receipts DROP address_id;
ALTER TABLE disownings ADD address_index text;
UPDATE disownings SET address_index = a.address_index FROM addresses a WHERE a.address_id = disownings.address_id;
ALTER TABLE disownings DROP address_id;
ALTER TABLE parties ADD old text[] NOT NULL DEFAULT '{}';
UPDATE parties SET old = ARRAY(SELECT address_index FROM addresses WHERE address_id = ANY(disowned));
ALTER TABLE parties DROP disowned;
ALTER TABLE parties RENAME old TO disowned;
CREATE TABLE contact_marks (party_id uuid);
ALTER TABLE notices ADD check_index text;
ALTER TABLE readings ADD source_mark text, ADD device_mark text;
ALTER TABLE doors DROP code;
DROP TABLE addresses
"""
"""From these tables to those of the release before."""


async def test_an_older_installation_is_carried_over(house: House) -> None:
    case_id = await house.file()
    await house.send()
    for _, number in PEOPLE:
        await take(house.office, receipt(number, biz="biz-1"))
    async with client(SERVICE, outside(house.kit)) as web:
        assert await _not_me(web, await house.story.code(ONE), "0005") == 200
        await settled(house.kit)
        assert await _not_me(web, await house.story.code(OTHER), "0006") == 200
    async with as_owner(house.kit) as conn:
        for each in OLDER.split(";"):
            await conn.execute(text(each))
    async with as_owner(house.kit) as conn:
        for step in ("0015_addresses", "0017_contacts"):
            await conn.run_sync(_upgrade, importlib.import_module(f"services.party_notification.migrations.{step}"))
        await settle(conn, SERVICE.access(TESTERS))
    while await mark_ends(house.kit):
        pass
    await settled(house.kit)
    await house.is_open()
    disowned = await told(house.kit, ContactDisowned)
    assert len(disowned) == 3, "what was taken down before is followed after, and what was followed is told anew"
    doubts = await house.story.rows(tables.contact_doubts)
    assert [row.state for row in doubts] == ["open", "open"]
    house.rotate()
    await house.finish()
    await house.story.feeder.feed(_progress(house, case_id, 7))
    before = len(await _batches(house))
    await house.send()
    assert len(await _batches(house)) == before, "who disowned an address before is not written to after"
    for row in await house.story.rows(tables.addresses):
        address = house.kit.keyring.open(row.address, f"{row.address_id}/address")
        assert row.address_index == house.kit.keyring.blind_index(address.lower(), ADDRESS)


def _upgrade(conn: Connection, step: Any) -> None:
    with Operations.context(MigrationContext.configure(conn)):
        step.upgrade()
