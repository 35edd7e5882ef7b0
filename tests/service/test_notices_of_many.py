"""A case of many parties asks no more of the database than one of few, and no two cases hold each other up."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import text, update

from services.party_notification.channels.outcome import Sent
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.store.receipts import keep_post
from services.party_notification.usecases.receipts import fold_post
from shared.contracts.cases import CaseFiled, PartyFacts, PartyIdentity, PartyRole
from shared.contracts.envelope import Sealed
from shared.db.tables import set_aside
from shared.db.transaction import new_id
from shared.runtime.service import Kit, Service
from tests.fixtures.case_story import Story
from tests.fixtures.kits import KEYRING, as_owner
from tests.fixtures.statements import asked
from tests.service.test_notices import Carrier, MailServer, Office, person, receipt, send_all, take


@pytest.fixture
def service() -> Service:
    return SERVICE


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


def parties(numbers: Sequence[int], *, email: bool = True) -> list[PartyFacts]:
    """An applicant and some respondents, each with a telephone and a mailbox of their own."""
    first, *others = numbers
    applicant = person(PartyRole.APPLICANT, first, email=email)
    return [applicant, *(person(PartyRole.RESPONDENT, number, email=email) for number in others)]


async def filed(office: Office, parties: Sequence[PartyFacts]) -> Office:
    """Another case, which waits for its judge."""
    other = Office(office.kit)
    await other.feeder.feed(CaseFiled(case_id=other.case_id, facts=other.facts(), parties=tuple(parties)))
    return other


@pytest.mark.parametrize("email", [True, False])
async def test_the_notices_of_many_parties_take_no_more_statements(office: Office, email: bool) -> None:
    counts = []
    for numbers in (range(3), range(100, 126)):
        with asked(office.kit) as statements:
            one = await filed(office, parties(numbers, email=email))
            await one.feeder.feed(one.assigned())
        counts.append(Counter(" ".join(statement.split()[:3]) for statement in statements))
    few, many = counts
    assert many == few
    messages = await office.rows(tables.messages)
    assert len(messages) == (2 * 29 if email else 29)
    assert len({message.address_id for message in messages}) == len(messages)


async def test_cases_of_the_same_people_in_another_order_both_get_through(office: Office) -> None:
    before = await filed(office, parties(range(20, 22)))
    await before.feeder.feed(before.assigned())  # the templates are known, at which one would wait for the other
    people = range(13)
    one, other = await filed(office, parties(people)), await filed(office, parties(people[::-1]))
    # A handler that the database stops in a deadlock is a failure here, though the lane would try again.
    await asyncio.gather(one.feeder.feed(one.assigned()), other.feeder.feed(other.assigned()))
    messages = await office.rows(tables.messages)
    addresses = Counter(message.address_id for message in messages if message.case_id != before.case_id)
    assert len(addresses) == 26
    assert set(addresses.values()) == {2}


async def test_an_address_written_in_two_ways_gets_one_id(office: Office) -> None:
    one, other = person(PartyRole.APPLICANT, 1), person(PartyRole.RESPONDENT, 2)
    loud = Sealed(KEYRING.seal_model(identity(one, email="P2@EXAMPLE.com"), str(one.party_id)))
    await office.file(one.model_copy(update={"identity": loud}), other)
    mails = [message for message in await office.rows(tables.messages) if message.channel == "mail"]
    assert len(mails) == 2
    assert len({mail.address_id for mail in mails}) == 1


def identity(party: PartyFacts, **other: str) -> PartyIdentity:
    """Who a party is, with other particulars."""
    known = KEYRING.open_model(PartyIdentity, party.identity, str(party.party_id))
    return known.model_copy(update=other)


async def test_the_places_where_staff_were_signed_in_are_kept_at_once(office: Office) -> None:
    with asked(office.kit) as statements:
        await Story(office.kit).staff_at("203.0.113.9", "a device")
    assert len([each for each in statements if each.startswith("INSERT INTO staff_marks")]) == 1
    assert len(await office.rows(tables.staff_marks)) == 2


async def test_a_receipt_that_cannot_be_taken_keeps_no_other_from_it(office: Office) -> None:
    await office.file(*parties(range(1, 9)))
    await send_all(office, Carrier(*[Sent("biz")] * 8), MailServer())
    async with as_owner(office.kit) as conn:
        await conn.execute(text("ALTER TABLE receipts ADD CONSTRAINT odd CHECK (provider_id <> 'odd')"))
    entries = [json.loads(receipt(f"1990000{number:04d}"))[0] for number in range(1, 9)]
    entries[2]["biz_id"] = "odd"
    await take(office, json.dumps(entries).encode())
    (apart,) = await office.rows(set_aside)
    (post,) = await office.rows(tables.receipt_posts)
    assert (apart.stream, apart.item, apart.reason) == ("receipts", str(post.id), "IntegrityError")
    states = [row.state for row in await office.rows(tables.deliveries) if row.channel == "sms"]
    assert sorted(states) == ["delivered"] * 7 + ["sent"]
    async with as_owner(office.kit) as conn:
        await conn.execute(text("ALTER TABLE receipts DROP CONSTRAINT odd"))
        await conn.execute(update(set_aside).values(retry_at=apart.since))
    assert await fold_post(office.kit)
    assert len(await office.rows(tables.receipts)) == 8
    assert await office.rows(tables.receipt_posts) == await office.rows(set_aside) == []


async def test_a_post_of_receipts_that_does_not_open_holds_up_no_other(office: Office) -> None:
    await office.file(person(PartyRole.APPLICANT, 1), person(PartyRole.RESPONDENT, 2, phone=False))
    await send_all(office, Carrier(Sent("biz")), MailServer())
    async with office.kit.db.begin() as tx:
        await keep_post(tx.conn, new_id(), "not sealed at all")
    await take(office, receipt("19900000001"))
    assert (await office.delivery("sms")).state == "delivered"
    assert [row.reason for row in await office.rows(set_aside)] == ["SealError"]
