"""Whoever holds a genuine letter is never told that it is not the court's: what it says to type, the page takes."""

import re

import httpx
import pytest
from sqlalchemy import update

from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.checking import check_notice
from services.party_notification.usecases.disowning import disown
from services.party_notification.usecases.reissuing import post_anew
from shared.contracts.cases import PartyChanged
from shared.errors import Invalid, Unavailable
from shared.powers import Role
from tests.fixtures.case_story import APPLICANT, RESPONDENT, person, settled
from tests.fixtures.kits import caller, client
from tests.service.test_notice_not_me import changed
from tests.service.test_party_doors import outside
from tests.service.test_rotation_notices import ONE, OTHER, House, house

__all__ = ["house"]


def says(letter: str) -> str:
    """What a letter says to type."""
    (found,) = re.findall("核验真伪[^<]*", letter)
    return str(found)


async def test_a_letter_is_checked_by_the_telephone_that_is_registered_now_and_by_the_former_one(house: House) -> None:
    case_id = await house.file()
    await house.send()
    old = await house.story.notice(ONE, "CASE_ACCEPTED")
    await house.story.feeder.feed(PartyChanged(case_id=case_id, party=changed(ONE, phone="19900007777")))
    await settled(house.kit)
    notice = await house.story.notice(ONE, "CASE_ACCEPTED")
    await post_anew(house.kit, notice.notice_id, "来电", caller(Role.CLERK))
    (entry,) = await house.story.rows(tables.paper_notices)
    assert "预留手机号码的后四位" in says(house.kit.keyring.open(entry.letter, f"{entry.notice_id}/paper"))
    code = await house.story.code(ONE)
    for end in ("7777", "0005"):
        assert await check_notice(house.public, old.number, end)
        assert await check_notice(house.public, code, end)
    with pytest.raises(Invalid):
        await check_notice(house.public, old.number, "6666")


async def test_a_letter_to_a_party_without_a_telephone_says_what_the_page_takes(house: House) -> None:
    alone = person(APPLICANT, "刘艳", 5, phone=None, email=None, consents=False)
    await house.story.file(alone, person(RESPONDENT, "张静", 6))
    code = await house.story.code(alone)
    notice = await house.story.notice(alone, "CASE_ACCEPTED")
    said = says(house.kit.keyring.open(notice.letter, str(notice.notice_id)))
    assert f"输入文书编号和查询码{code}" in said
    async with client(SERVICE, outside(house.kit)) as web:
        web.headers["accept"] = "text/html"
        form = {"number": notice.number, "last_four": f" {code.lower()}"}
        answer = await web.post("/verify", data=form)
        assert (answer.status_code, "这份通知是本院制作的" in answer.text) == (200, True)
        other = await house.story.notice(alone, "RIGHTS_RISKS")
        assert (await web.post("/verify", data={**form, "number": other.number})).status_code == 200
        assert (await web.post("/verify", data={**form, "last_four": "ZZZZZZZZ"})).status_code == 422


async def test_another_partys_code_proves_nothing(house: House) -> None:
    await house.file()
    notice = await house.story.notice(ONE, "CASE_ACCEPTED")
    code = await house.story.code(OTHER)
    with pytest.raises(Invalid):
        await check_notice(house.public, notice.number, code)
    assert await check_notice(house.public, notice.number, await house.story.code(ONE))


@pytest.mark.parametrize("due", ["addresses", "contacts"])
async def test_after_an_upgrade_it_says_later_and_counts_no_try(house: House, due: str) -> None:
    await house.file()
    await house.send()
    await settled(house.kit)
    notice = await house.story.notice(ONE, "CASE_ACCEPTED")
    async with house.kit.db.begin() as tx:
        if due == "addresses":
            await tx.conn.execute(update(tables.addresses).values(end_index=None))
        else:
            await tx.conn.execute(update(tables.parties).values(contacts_due=True))
    async with client(SERVICE, outside(house.kit)) as web:
        web.headers["accept"] = "text/html"
        for _ in range(7):
            answer = await web.post("/verify", data={"number": notice.number, "last_four": "0005"})
            assert answer.status_code == 503
        assert "这不说明通知的真假" in answer.text
        assert "不要转账" not in answer.text
        assert await _not_me(web, notice.number) == (503 if due == "addresses" else 200)
    with pytest.raises(Unavailable):
        await check_notice(house.public, notice.number, "0005")
    if due == "addresses":
        with pytest.raises(Unavailable):
            await disown(house.public, notice.number, "0005")


async def _not_me(web: httpx.AsyncClient, number: str) -> int:
    return (await web.post("/p/not-me", data={"reference": number, "contact": "0005"})).status_code
