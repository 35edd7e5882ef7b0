"""A disowned contact is verified: sending goes on, what was held back is sent; a flood switches nothing off."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.confirming import decide
from services.party_notification.usecases.registering import list_contacts
from shared.contracts.cases import PartyChanged, PartyMisfiled
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactConfirmed, ContactDisowned, ContactReplaced
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import ProgressPublished
from shared.db.transaction import new_id
from shared.errors import Conflict, Forbidden
from shared.http.auth import Caller
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.case_story import settled
from tests.fixtures.kits import KEYRING, NOON, caller, client, told
from tests.service.test_notice_not_me import MAILBOX, NUMBER, changed, code_of, not_me, sms_to
from tests.service.test_notices import APPLICANT, RESPONDENT, Carrier, MailServer, Office, person, send_all

HOW = "当事人到院出示身份证件，当场接到本院电话。"


class House(Office):
    """A case with one respondent who is disowned, confirmed, disowned again."""

    def __init__(self, kit: Any) -> None:
        super().__init__(kit)
        self.party = person(RESPONDENT, 2)

    async def begin(self) -> None:
        await self.file(person(APPLICANT, 1), self.party)
        await settled(self.kit)

    async def sent(self) -> tuple[Carrier, MailServer]:
        carrier, server = Carrier(), MailServer()
        await self.hasten()
        await send_all(self, carrier, server)
        return carrier, server

    async def disown(self, web: httpx.AsyncClient, contact: str = NUMBER) -> Any:
        """The contact is disowned; the doubt that stands."""
        assert (await not_me(self, web, await code_of(self, self.party), contact)).status_code == 200
        return max(await self.rows(tables.contact_doubts), key=lambda row: row.noted_at)

    async def confirm(self, doubt: Any, by: Caller | None = None) -> None:
        await decide(self.kit, doubt.doubt_id, own=True, remark=HOW, caller=by or caller(Role.CLERK))

    async def register(self, **changes: Any) -> None:
        party = changed(self.party, **changes)
        await self.feeder.feed(PartyChanged(case_id=self.case_id, party=party))

    async def progress(self, entry: int) -> None:
        text = Sealed(KEYRING.seal("已查封一处房产。", str(self.case_id)))
        told_of = {"case_id": self.case_id, "entry": entry, "at": NOON, "title": "查封房产", "text": text}
        await self.feeder.feed(ProgressPublished(**told_of, audience=(APPLICANT, RESPONDENT), notify=True))

    def address_in(self, event: Any) -> str:
        return KEYRING.open(event.address, str(event.party_id))

    async def flood(self) -> None:
        """What the public pages' database role may do: take down every contact at once."""
        async with self.kit.db.begin() as tx:
            every = select(tables.messages.c.party_id, tables.messages.c.address_id).distinct()
            await tx.conn.execute(insert(tables.disownings).from_select(["party_id", "address_id"], every))
        await settled(self.kit)


@pytest.fixture
async def house(kit: Kit[Any]) -> House:
    house = House(kit)
    await house.begin()
    return house


@pytest.fixture
async def web(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, house.kit) as web:
        web.headers["accept"] = "text/html"
        yield web


async def test_a_confirmed_number_gets_what_was_held_back_and_what_comes_after(
    house: House, web: httpx.AsyncClient
) -> None:
    doubt = await house.disown(web)
    await house.progress(7)
    carrier, _ = await house.sent()
    assert sms_to(carrier, NUMBER) == []
    await house.confirm(doubt)
    carrier, _ = await house.sent()
    (late,) = sms_to(carrier, NUMBER)
    carried = {row.notice_id for row in await house.rows(tables.message_notices)}
    mine = {row.notice_id for row in await house.rows(tables.notices) if row.party_id == house.party.party_id}
    assert mine <= carried
    await house.progress(8)
    carrier, _ = await house.sent()
    assert len(sms_to(carrier, NUMBER)) == 1
    (event,) = await told(house.kit, ContactConfirmed)
    assert (house.address_in(event), KEYRING.open(event.how, str(event.case_id))) == (NUMBER, HOW)
    (kept,) = await house.rows(tables.contact_doubts)
    assert (kept.state, KEYRING.open(kept.remark, f"{kept.doubt_id}/remark")) == ("confirmed", HOW)
    assert late.number == NUMBER


async def test_a_confirmed_mailbox_gets_the_letters_that_went_on_paper_meanwhile(
    house: House, web: httpx.AsyncClient
) -> None:
    doubt = await house.disown(web, MAILBOX)
    await house.progress(7)
    _, server = await house.sent()
    assert MAILBOX not in {envelope.recipient for envelope in server.envelopes}
    await house.confirm(doubt)
    _, server = await house.sent()
    assert [envelope.recipient for envelope in server.envelopes] == [MAILBOX]
    assert {row.state for row in await house.rows(tables.paper)} == {"to_print"}, "what is on paper stays"
    served = [row for row in await house.rows(tables.notices) if row.party_id == house.party.party_id]
    assert all(row.served_by == "mail" for row in served)


async def test_what_had_left_before_is_not_sent_again(house: House, web: httpx.AsyncClient) -> None:
    carrier, _ = await house.sent()
    assert len(sms_to(carrier, NUMBER)) == 1
    await house.confirm(await house.disown(web))
    carrier, _ = await house.sent()
    assert sms_to(carrier, NUMBER) == []


async def test_nobody_confirms_a_contact_in_a_case_of_their_own(house: House, web: httpx.AsyncClient) -> None:
    doubt = await house.disown(web)
    (case,) = await house.rows(tables.cases)
    with pytest.raises(Forbidden, match="own_case"):
        await house.confirm(doubt, caller(Role.CLERK, case.judge_id))
    await house.feeder.feed(house.assigned())  # handed on for a moment
    with pytest.raises(Forbidden, match="own_case"):
        await house.confirm(doubt, caller(Role.CLERK, case.judge_id))
    with pytest.raises(Conflict, match="suppressed_already"):
        await decide(house.kit, doubt.doubt_id, own=False, remark=HOW, caller=caller(Role.CLERK))
    await house.confirm(doubt)
    with pytest.raises(Conflict, match="not_for_decision"):
        await house.confirm(doubt)


async def test_the_same_contact_registered_again_is_in_doubt_again(house: House, web: httpx.AsyncClient) -> None:
    await house.disown(web)
    await house.register(phone="19900007777")
    assert len(await told(house.kit, ContactReplaced)) == 1
    await house.register(phone=NUMBER)
    first, again = await told(house.kit, ContactDisowned)
    assert (house.address_in(first), house.address_in(again), again.registered) == (NUMBER, NUMBER, True)
    await house.progress(7)
    carrier, _ = await house.sent()
    assert sms_to(carrier, NUMBER) == []
    (doubt,) = await house.rows(tables.contact_doubts)
    await house.confirm(doubt)
    carrier, _ = await house.sent()
    assert len(sms_to(carrier, NUMBER)) == 1


async def test_a_former_number_that_is_disowned_casts_no_doubt_on_the_present_one(
    house: House, web: httpx.AsyncClient
) -> None:
    await house.sent()
    await house.register(phone="19900007777")
    await house.disown(web)
    (event,) = await told(house.kit, ContactDisowned)
    assert (house.address_in(event), event.registered) == (NUMBER, False)
    await house.progress(7)
    carrier, _ = await house.sent()
    assert len(sms_to(carrier, "19900007777")) == 1


async def test_a_flood_waits_for_a_person_and_the_desk_hears_of_it_once(house: House) -> None:
    house.kit.settings.disownings_an_hour = 1
    await house.flood()
    states = sorted(row.state for row in await house.rows(tables.contact_doubts))
    assert states == ["held", "held", "held", "open"]
    assert len(await told(house.kit, ContactDisowned)) == 1
    (trouble,) = await told(house.kit, TroubleReported)
    assert trouble.kind == "disowned_contacts"
    carrier, server = await house.sent()
    assert sum(len(batch.items) for batch in carrier.batches) + len(server.envelopes) == 3
    held = [row for row in await house.rows(tables.contact_doubts) if row.state == "held"]
    await decide(house.kit, held[0].doubt_id, own=False, remark=HOW, caller=caller(Role.CLERK))
    await house.confirm(held[1])
    states = sorted(row.state for row in await house.rows(tables.contact_doubts))
    assert states == ["confirmed", "held", "open", "open"]
    assert len(await told(house.kit, ContactDisowned)) == 2
    carrier, server = await house.sent()
    assert (carrier.batches, server.envelopes) == ([], []), "it had all been sent"


async def test_what_was_verified_once_is_not_undone_by_a_stranger(house: House, web: httpx.AsyncClient) -> None:
    await house.confirm(await house.disown(web))
    await house.sent()
    again = await house.disown(web)
    assert (again.state, again.held_because) == ("held", "confirmed_before")
    assert len(await told(house.kit, TroubleReported)) == 1
    await house.progress(7)
    carrier, _ = await house.sent()
    assert len(sms_to(carrier, NUMBER)) == 1


async def test_the_page_lists_them_and_takes_the_decision(house: House, web: httpx.AsyncClient) -> None:
    doubt = await house.disown(web)
    async with client(SERVICE, house.kit, Role.CLERK) as clerk:
        clerk.headers["accept"] = "text/html"
        shown = (await clerk.get("/unknown/contacts")).text
        assert "手机号码　199****0002" in shown
        assert "已停止向它发送" in shown
        assert "核实为本人使用" in shown
        assert "确非本人使用" not in shown, "that is how it stands already"
        path = f"/unknown/contacts/{doubt.doubt_id}"
        assert (await clerk.post(path, data={})).status_code == 422
        form = {f"own-{doubt.doubt_id}": "yes", f"remark-{doubt.doubt_id}": HOW}
        assert (await clerk.post(path, data=form)).status_code == 303
        assert "没有被否认的联系方式" in (await clerk.get("/unknown/contacts")).text
        assert (await clerk.post(path, data=form)).status_code == 409
    async with client(SERVICE, house.kit, Role.JUDGE) as judge:
        body = {"own": True, "remark": HOW}
        path = f"/api/notices/contacts/{doubt.doubt_id}/ruling"
        assert (await judge.post(path, json=body)).status_code == 403


async def test_the_api_lists_them_and_takes_the_decision(house: House, web: httpx.AsyncClient) -> None:
    doubt = await house.disown(web)
    async with client(SERVICE, house.kit, Role.MANAGEMENT) as manager:
        (listed,) = (await manager.get("/api/notices/troubles")).json()["disowned"]
        assert (listed["doubt_id"], listed["held"]) == (str(doubt.doubt_id), None)
        body = {"own": True, "remark": HOW}
        path = "/api/notices/contacts/{}/ruling"
        assert (await manager.post(path.format(doubt.doubt_id), json=body)).status_code == 204
        assert (await manager.post(path.format(new_id()), json=body)).status_code == 404


async def test_what_was_disowned_before_an_upgrade_is_found_again(house: House, web: httpx.AsyncClient) -> None:
    """As the migration leaves it: it knows neither the register, nor whether anybody was told."""
    await house.disown(web)
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(tables.contact_doubts.update().values(state="replaced"))
        await tx.conn.execute(tables.parties.update().values(contacts_due=True))
    while await list_contacts(house.kit):
        pass
    assert len(await told(house.kit, ContactDisowned)) == 2
    (doubt,) = await house.rows(tables.contact_doubts)
    assert doubt.state == "open"


async def test_a_misfiled_party_or_one_that_cannot_be_read_holds_up_nobody(
    house: House, web: httpx.AsyncClient
) -> None:
    await house.feeder.feed(PartyMisfiled(case_id=house.case_id, party_id=house.party.party_id, by=new_id()))
    async with house.kit.db.begin() as tx:
        await tx.conn.execute(tables.parties.update().values(contacts_due=True, identity="k1.spoilt"))
    while await list_contacts(house.kit):
        pass
    assert not any(row.contacts_due for row in await house.rows(tables.parties))
