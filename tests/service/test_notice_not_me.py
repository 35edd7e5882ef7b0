"""Messages that reach the wrong person: whoever says so is written to no more, and the answer tells nothing."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.party_notification.channels.outcome import NotLeft
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import paperwork, sending
from services.party_notification.usecases.facts import query_code_of
from services.party_notification.usecases.visits import enter
from shared.contracts.cases import (
    PartyChanged,
    PartyFacts,
    PartyIdentity,
    PartyMisfiled,
)
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactDisowned, ContactReplaced
from shared.db.transaction import new_id
from shared.errors import TooMany
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.case_story import settled
from tests.fixtures.kits import KEYRING, caller, client, told
from tests.service.test_notices import APPLICANT, RESPONDENT, Carrier, MailServer, Office, person, send_all

NUMBER = "19900000002"
MAILBOX = "p2@example.com"


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


@pytest.fixture
async def web(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, office.kit) as web:
        web.headers["accept"] = "text/html"
        yield web


async def misfile(office: Office, party: PartyFacts) -> None:
    await office.feeder.feed(PartyMisfiled(case_id=office.case_id, party_id=party.party_id, by=new_id()))


def sms_to(carrier: Carrier, number: str) -> list[Any]:
    return [item for batch in carrier.batches for item in batch.items if item.number == number]


async def code_of(office: Office, party: PartyFacts) -> str:
    (row,) = [row for row in await office.rows(tables.parties) if row.party_id == party.party_id]
    return query_code_of(KEYRING, row)


async def not_me(office: Office, web: httpx.AsyncClient, reference: str, contact: str) -> httpx.Response:
    """The page is sent, and what it takes down followed."""
    await settled(office.kit)
    answer = await web.post("/p/not-me", data={"reference": reference, "contact": contact})
    await settled(office.kit)
    return answer


async def test_a_stranger_stops_the_sms_and_the_clerk_hears_of_it(office: Office, web: httpx.AsyncClient) -> None:
    party = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), party)
    code = await code_of(office, party)
    for _ in range(2):
        answer = await not_me(office, web, f" {code.lower()}", "０００２")
        assert answer.status_code == 200
        assert "随即停止" in answer.text
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    assert sms_to(carrier, NUMBER) == []
    assert MAILBOX in {envelope.recipient for envelope in server.envelopes}, "the mailbox is another matter"
    (event,) = await told(office.kit, ContactDisowned)
    assert (event.channel, event.party_id) == ("sms", party.party_id)


async def test_letters_for_a_disowned_mailbox_go_on_paper(office: Office, web: httpx.AsyncClient) -> None:
    party = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), party)
    number = next(row.number for row in await office.rows(tables.notices) if row.party_id == party.party_id)
    assert (await not_me(office, web, number, MAILBOX.upper())).status_code == 200
    server = MailServer()
    await send_all(office, Carrier(), server)
    assert MAILBOX not in {envelope.recipient for envelope in server.envelopes}
    (paper,) = await office.rows(tables.paper)
    assert paper.party_id == party.party_id
    document = await paperwork.print_document(office.kit, paper.paper_id, caller(Role.CLERK))
    assert "您确认的电子送达地址" not in document


async def test_a_mail_under_way_to_a_disowned_mailbox_is_not_sent_again_but_goes_on_paper(
    office: Office, web: httpx.AsyncClient
) -> None:
    party = person(RESPONDENT, 2, phone=False)
    await office.file(person(APPLICANT, 1, email=False), party)
    code = await code_of(office, party)

    class Slow(MailServer):
        async def send(self, envelope: Any) -> Any:
            await not_me(office, web, code, MAILBOX)
            return await super().send(envelope)

    server = Slow(NotLeft("未连接。"))
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    await office.hasten()
    assert not await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert party.party_id in {row.party_id for row in await office.rows(tables.paper)}


def changed(party: PartyFacts, **changes: Any) -> PartyFacts:
    identity = KEYRING.open_model(PartyIdentity, party.identity, str(party.party_id))
    sealed = Sealed(KEYRING.seal_model(identity.model_copy(update=changes), str(party.party_id)))
    return party.model_copy(update={"identity": sealed})


async def test_only_another_contact_lifts_the_suppression(office: Office, web: httpx.AsyncClient) -> None:
    party = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), party)
    await not_me(office, web, await code_of(office, party), "0002")
    same = changed(party, postal_address="重庆市渝中区测试路2号")
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=same))
    assert await told(office.kit, ContactReplaced) == []
    other = changed(party, phone="19988887777")
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=other))
    (event,) = await told(office.kit, ContactReplaced)
    assert (event.channel, event.party_id) == ("sms", party.party_id)
    carrier = Carrier()
    await send_all(office, carrier, MailServer())
    assert sms_to(carrier, NUMBER) == []
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=party))
    (row,) = [row for row in await office.rows(tables.parties) if row.party_id == party.party_id]
    assert len(row.disowned) == 1, "whoever disowned it once has disowned it"


async def test_wrong_tries_lock_and_nobody_learns_what_there_is(office: Office, web: httpx.AsyncClient) -> None:
    applicant, party = person(APPLICANT, 1), person(RESPONDENT, 2)
    await office.file(applicant, party)
    code = await code_of(office, party)
    wrong = [await not_me(office, web, code, "9999") for _ in range(5)]
    unknown = [await not_me(office, web, "ZZZZZZZZ", "9999") for _ in range(5)]
    assert [answer.status_code for answer in (*wrong, *unknown)] == [422] * 10
    assert wrong[0].text.replace(code, "ZZZZZZZZ") == unknown[0].text
    locked, none = await not_me(office, web, code, "0002"), await not_me(office, web, "ZZZZZZZZ", "0002")
    assert (locked.status_code, none.status_code) == (429, 429), "also what there is not"
    assert 0 < int(locked.headers["retry-after"]) <= 900
    texts = [re.sub(r"12:\d\d</strong>", "", answer.text) for answer in (locked, none)]
    assert texts[0].replace(code, "ZZZZZZZZ") == texts[1]
    assert await told(office.kit, ContactDisowned) == []
    with pytest.raises(TooMany, match="code_locked"):
        await enter(office.kit, code, "060000")  # Tries count together at every page that takes a code.
    other = await enter(office.kit, await code_of(office, applicant), "060000")
    assert other.party.party_id == applicant.party_id, "another code is not locked"


async def test_a_misfiled_party_cannot_be_disowned_any_more_but_the_answer_is_kind(
    office: Office, web: httpx.AsyncClient
) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    await misfile(office, wrong)
    assert (await not_me(office, web, await code_of(office, wrong), "0002")).status_code == 200
    assert await told(office.kit, ContactDisowned) == []


async def test_an_empty_form_says_what_is_missing(office: Office, web: httpx.AsyncClient) -> None:
    assert (await web.get("/p/not-me")).status_code == 200
    answer = await not_me(office, web, "", " ")
    assert answer.status_code == 422
    assert answer.text.count("此项必填") >= 4
