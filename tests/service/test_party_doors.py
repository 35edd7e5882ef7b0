"""The party's page is sealed to the party: the public process opens nothing by itself, and still does its work."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update

from services.party_notification.service import OUTSIDE, SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.receipts import receipt_secret
from shared.contracts.cases import PartyChanged, PartyFacts, PartyIdentity, PartyRole
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactDisowned
from shared.contracts.stages import ProgressPublished
from shared.crypto.boxes import Box, unlocked
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError
from shared.http.routes import Zone
from shared.runtime.secrets import Absent, Secret
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person, settled
from tests.fixtures.kits import KEYRING, NOON, client, told
from tests.service.test_notices import receipt

HTML = {"accept": "text/html"}
FIELDS = {
    Secret.KEYRING: "keyring",
    Secret.EXCHANGE: "exchange",
    Secret.TOKEN_KEY: "staff_signer",
    Secret.SIGNING_KEY: "signing",
}


def outside(kit: Kit[Any]) -> Kit[Any]:
    """The kit as a process of the public zone holds it."""
    absent = {field: Absent(secret) for secret, field in FIELDS.items() if secret not in OUTSIDE}
    return replace(kit, **absent)  # type: ignore[arg-type]


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def web(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, outside(kit)) as web:
        web.headers.update(HTML)
        yield web


async def enter(web: httpx.AsyncClient, code: str, last_six: str) -> int:
    return (await web.post("/p", data={"code": code, "last_six": last_six})).status_code


def changed(party: PartyFacts, **changes: Any) -> PartyFacts:
    identity = KEYRING.open_model(PartyIdentity, party.identity, str(party.party_id))
    sealed = Sealed(KEYRING.seal_model(identity.model_copy(update=changes), str(party.party_id)))
    return party.model_copy(update={"identity": sealed})


def test_the_public_pages_declare_no_key_that_opens_what_is_kept() -> None:
    assert SERVICE.secrets[Zone.PUBLIC] == OUTSIDE
    assert not OUTSIDE & {Secret.KEYRING, Secret.EXCHANGE, Secret.SIGNING_KEY, Secret.TOKEN_KEY}


async def test_the_public_pages_do_all_their_work_with_what_they_hold(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    code, notice = await story.code(applicant), await story.notice(applicant, "CASE_ACCEPTED")
    assert await enter(web, code, "060005") == 303
    assert "刘艳" in (await web.get("/p/case")).text
    assert "受理通知书" in (await web.get(f"/p/documents/{notice.notice_id}")).text
    checked = await web.post("/verify", data={"number": notice.number, "last_four": "0005"})
    assert "这份通知是本院制作的" in checked.text
    path = f"/api/notices/receipts/aliyun/{receipt_secret(kit)}"
    assert (await web.post(path, content=receipt("19900000005"))).status_code == 200
    assert (await web.post("/p/not-me", data={"reference": code, "contact": "0005"})).status_code == 200
    assert (await web.post("/p/not-me", data={"reference": notice.number, "contact": "9999"})).status_code == 422
    await settled(kit)
    assert [event.channel for event in await told(kit, ContactDisowned)] == ["sms"]
    assert len(await story.rows(tables.reads)) == 1


async def _sealed(kit: Kit[Any]) -> dict[str, set[str]]:
    """Every text that the database holds, by its column."""
    found: dict[str, set[str]] = {}
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    async with kit.db.read() as conn:
        for table, column in (await conn.execute(text(query))).all():
            rows = (await conn.execute(text(f'SELECT "{column}"::text FROM "{table}"'))).scalars()  # noqa: S608
            found[f"{table}.{column}"] = {value for value in rows if value}
    return found


async def test_a_stolen_public_process_opens_no_row(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    """Its keys, and every row of the database, more than its role reaches; while a party is at their page."""
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    assert await enter(web, await story.code(applicant), "060005") == 303
    await web.get(f"/p/documents/{notice.notice_id}")
    await web.post("/p/not-me", data={"reference": await story.code(applicant), "contact": "p5@example.com"})
    held, opened, tried = outside(kit), [], 0
    sessions: KeyRing = held.party_sessions._ring  # type: ignore[attr-defined]
    rows = await _sealed(kit)
    parties = [str(row.party_id) for row in await story.rows(tables.parties)]
    abouts = [f"{party}/{what}" for party in parties for what in ("page", "door", "code")] + parties
    abouts += [f"{notice.notice_id}/sheet", str(notice.notice_id)]
    for column, texts in rows.items():
        for value in texts:
            for secret in ("刘艳", "张静", "19900000005", "p5@example.com", "510212199101060005", "三峡广场"):
                assert secret not in value, column
            for about in abouts:
                tried += 1
                try:
                    opened.append(sessions.open(value, about))
                except SealError:
                    continue
    assert (opened, tried > 1000) == ([], True)
    for ring in ("keyring", "exchange", "signing", "staff_signer"):
        with pytest.raises(Exception, match="holds no"):
            getattr(held, ring).anything()


async def test_the_door_opens_to_the_right_end_of_the_number_alone(kit: Kit[Any], story: Story) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.code(applicant)
    (door,) = [row for row in await story.rows(tables.doors) if row.party_id == applicant.party_id]
    for guess in (b"\x00" * 32, door.salt * 2):
        with pytest.raises(SealError):
            unlocked(door.locked_key, guess, f"{applicant.party_id}/door")
    (page,) = [row.page for row in await story.rows(tables.party_pages) if row.party_id == applicant.party_id]
    with pytest.raises(SealError):
        Box.generate().open(page, f"{applicant.party_id}/page")
    with pytest.raises(SealError):
        kit.keyring.open(page, f"{applicant.party_id}/page")


async def test_a_corrected_number_makes_another_door_and_ends_the_visit(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    code = await story.code(applicant)
    assert await enter(web, code, "060005") == 303
    moved = changed(applicant, phone="19988887777")
    await story.feeder.feed(PartyChanged(case_id=case_id, party=moved))
    await settled(kit)
    assert (await web.get("/p/case")).status_code == 200, "a new telephone is no new door"
    corrected = changed(applicant, id_number="510212199101069999")
    await story.feeder.feed(PartyChanged(case_id=case_id, party=corrected))
    await settled(kit)
    away = await web.get("/p/case")
    assert (away.status_code, away.headers["location"]) == (303, "/p")
    assert await enter(web, code, "060005") == 422
    assert await enter(web, code, "069999") == 303
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    assert "受理通知书" in (await web.get(f"/p/documents/{notice.notice_id}")).text, "letters are sealed anew"


async def test_an_older_installations_codes_go_on_opening(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
    await story.file(applicant, respondent)
    codes = [await story.code(each) for each in (applicant, respondent)]
    async with kit.db.begin() as tx:  # as the migration leaves it
        for table in (tables.doors, tables.party_pages, tables.party_sheets, tables.stale_pages):
            await tx.conn.execute(table.delete())
        await tx.conn.execute(update(tables.parties).values(door_due=True))
    assert await enter(web, codes[0], "060005") == 422
    await settled(kit)
    assert [await enter(web, code, end) for code, end in zip(codes, ("060005", "060006"), strict=True)] == [303, 303]


async def test_what_may_not_be_shown_yet_is_not_on_the_page_until_it_may(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(person(APPLICANT, "刘艳", 5), respondent)
    event = ProgressPublished(
        case_id=case_id,
        entry=1,
        at=NOON,
        title="查封房产",
        text=Sealed(kit.keyring.seal("已查封一处房产。", str(case_id))),
        audience=(PartyRole.RESPONDENT,),
        not_before=NOON + timedelta(hours=3),
        notify=False,
    )
    await story.feeder.feed(event)
    assert await enter(web, await story.code(respondent), "060006") == 303
    assert "一处房产" not in (await web.get("/p/case")).text
    kit.clock.move(timedelta(hours=3, minutes=1))  # type: ignore[attr-defined]
    await settled(kit)
    assert "已查封一处房产。" in (await web.get("/p/case")).text


async def test_tries_of_one_number_are_one_count_at_all_pages(story: Story, web: httpx.AsyncClient) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    number, code = (await story.notice(applicant, "CASE_ACCEPTED")).number, await story.code(applicant)
    for _ in range(3):
        assert (await web.post("/verify", data={"number": number, "last_four": "9999"})).status_code == 422
    for _ in range(2):
        assert (await web.post("/p/not-me", data={"reference": number, "contact": "9999"})).status_code == 422
    assert (await web.post("/p/not-me", data={"reference": number, "contact": "0005"})).status_code == 429
    assert (await web.post("/verify", data={"number": number, "last_four": "0005"})).status_code == 429
    for _ in range(5):
        assert (await web.post("/p/not-me", data={"reference": code, "contact": "9999"})).status_code == 422
    assert await enter(web, code, "060005") == 429


async def test_a_page_is_written_only_for_whom_it_is(kit: Kit[Any], story: Story) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
    await story.file(applicant, respondent)
    await settled(kit)
    async with kit.db.read() as conn:
        keys = {row.party_id: row.public_key for row in await conn.execute(select(tables.doors))}
        sheets = list(await conn.execute(select(tables.party_sheets)))
    assert len(set(keys.values())) == len(keys) == 2
    assert {re.match("box-[0-9a-f]+", row.sheet)[0] for row in sheets} == {row.key_id for row in sheets}  # type: ignore[index]
    assert len({row.key_id for row in sheets}) == 2
