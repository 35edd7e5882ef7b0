"""A process on the internet is taken over and writes what its database role may: what others leave goes on.

Every column that the public roles may write is given every kind of nonsense; then an honest visitor comes.
"""

import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import DateTime, Integer, Text, Uuid, insert, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError

from services.asset_tips import store as tips
from services.asset_tips.service import SERVICE as TIPS
from services.asset_tips.usecases import tell
from services.party_notification.service import SERVICE as NOTICES
from services.party_notification.store import tables
from services.party_notification.usecases import disowning, receipts
from services.party_notification.usecases.readings import weigh
from shared.clock import court_date
from shared.contracts.cases import PartyFacts
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipReceived
from shared.crypto.codes import normalize
from shared.db import aside
from shared.db.access import ALL, May
from shared.db.tables import replays, set_aside
from shared.powers import Role
from shared.runtime.registry import load, service_names
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person
from tests.fixtures.databases import TESTERS, FreshDatabase
from tests.fixtures.kits import NOON, client, in_public, make_kit, told

JUNK: dict[type, tuple[str, ...]] = {
    Text: ("''", "'rubbish'", "'k1.rubbish'", "repeat('x', 1000000)", "'（）'", "'\u0001'"),
    Uuid: ("gen_random_uuid()", "'00000000-0000-0000-0000-000000000000'"),
    DateTime: (
        "'-infinity'",
        "'infinity'",
        "'4713-01-01 00:00:00Z BC'",
        "'0001-01-02Z'",
        "'2000-01-02Z'",
        "'9999-12-31Z'",
        "'12026-01-01Z'",
        "now() + interval '900 years'",
    ),
    Integer: ("-2147483648", "2147483647", "0"),
    JSONB: ("'[]'", "'1'", "'null'", "'{}'"),
}
NEW = "gen_random_uuid()"
Row = Mapping[str, str]
"""A row by its columns, in SQL."""


@dataclass
class House:
    """A service and, by table, a row that its public role could write: each of its columns is spoilt in turn."""

    kit: Kit[Any]
    rows: dict[str, Callable[[], Awaitable[Row]]]
    entered: dict[str, int] = field(default_factory=dict)

    async def spoil(self) -> None:
        """Write all of it, as the public role."""
        for may in inserted(self.kit.service):
            for column in columns_of(may):
                for junk in JUNK[type(may.table.c[column].type)]:
                    row = {**await self.rows[may.table.name](), column: junk}
                    self.entered[may.table.name] = self.entered.get(may.table.name, 0) + await self.write(may, row)

    async def write(self, may: May, row: Row) -> bool:
        """Whether the database took it."""
        statement = f"INSERT INTO {may.table.name} ({', '.join(row)}) VALUES ({', '.join(row.values())})"  # noqa: S608 - it is the attack
        try:
            async with in_public(self.kit).db.engine.begin() as conn:
                await conn.execute(text(statement))
        except DBAPIError:
            return False
        return True

    async def work(self, step: Callable[[Any], Awaitable[object]]) -> None:
        """A job, called again whatever it raises, as its runner does; it comes to its end."""
        for _ in range(200):
            with suppress(Exception):
                if not await step(self.kit):
                    return
        pytest.fail("there is no end to it")

    async def apart(self, stream: str) -> set[str]:
        """What was set aside."""
        async with self.kit.db.read() as conn:
            return {row.item for row in await aside.listed(conn) if row.stream == stream}


def inserted(service: str) -> list[May]:
    """What the public role of a service may write."""
    return [may for may in load(service).access(TESTERS).public if may.insert]


def columns_of(may: May) -> list[str]:
    return [column.name for column in may.table.columns] if may.insert is ALL else list(may.insert)


async def _of(row: Row) -> Row:
    return row


def of_kit(kit: Kit[Any], tried: str) -> dict[str, Callable[[], Awaitable[Row]]]:
    """`tried`: what the honest visitor is going to type."""
    mark = kit.lookups.index(tried, "tried")

    async def a_try() -> Row:
        async with in_public(kit).db.engine.begin() as conn:
            await conn.execute(text("DELETE FROM wrong_tries WHERE mark = :mark"), {"mark": mark})
        return {"mark": f"'{mark}'", "tried": "5", "last_at": "now()"}

    return {
        "answers": lambda: _of({"scope": "'s'", "key": f"{NEW}::text", "fingerprint": "''", "answer": "'{}'"}),
        "wrong_tries": a_try,
    }


@pytest.fixture
async def tip_house(fresh_database: FreshDatabase) -> AsyncIterator[House]:
    kit = await make_kit(TIPS, await fresh_database(TIPS))
    mark = kit.lookups.index("127.0.0.1", "tip source")
    a_tip = {
        "tip_id": NEW,
        "tip_number": "lpad((random() * 1e13)::bigint::text, 14, '2')",
        "receipt_index": f"{NEW}::text",
        "ground": "'property'",
        "case_number": "NULL",
        "body": "'k1.x'",
        "channel": "'web'",
        "arrived_at": "'2020-01-01Z'",
    }

    async def a_sender() -> Row:
        tip_id = f"'{uuid4()}'"
        (may,) = [each for each in inserted(kit.service) if each.table is tips.tips]
        assert await house.write(may, {**a_tip, "tip_id": tip_id})
        return {"tip_id": tip_id, "contact": "'k1.x'"}

    rows = {
        **of_kit(kit, "x"),
        "tips": lambda: _of(a_tip),
        "senders": a_sender,
        "submissions": lambda: _of({"source": f"'{mark}'", "at": "now()"}),
    }
    house = House(kit, rows)
    yield house
    await kit.db.close()


async def test_an_honest_tip_reaches_the_desk_after_all_that_a_stolen_process_can_write(tip_house: House) -> None:
    kit = tip_house.kit
    for _ in range(3):
        await tip_house.spoil()
    assert tip_house.entered["tips"] > 10, "there is something to stand in the way"
    body = {"text": "被执行人在示例路有一处房产。", "ground": "property", "contact": "李证人"}
    async with client(TIPS, kit) as http:
        answer = await http.post("/api/tips", json=body, headers={"Idempotency-Key": "0197c2f0-1111-7000"})
    assert answer.status_code == 201, answer.text
    await tip_house.work(tell)
    opened = {kit.keyring.open(tip.body, str(tip.tip_id)) for tip in await told(kit, TipReceived)}
    assert body["text"] in opened
    async with kit.db.read() as conn:
        waiting = select(tips.tips.c.tip_id).where(tips.tips.c.told_at.is_(None))
        left = {str(each) for each in (await conn.execute(waiting)).scalars()}
    assert left == await tip_house.apart("tips") != set(), "what could not be told of is known by name"
    assert {trouble.kind for trouble in await told(kit, TroubleReported)} == {"set_aside"}


@dataclass
class Served:
    """A party who consented, without a confirmed address: a mail alone serves nothing."""

    house: House
    story: Story
    party: PartyFacts

    async def reads(self) -> Any:
        """They enter, open the notice of acceptance, and it is weighed; the notice."""
        kit, notice = self.house.kit, await self.story.notice(self.party, "CASE_ACCEPTED")
        async with client(NOTICES, kit) as web:
            web.headers["accept"] = "text/html"
            form = {"code": await self.story.code(self.party), "last_six": "060005"}
            assert (await web.post("/p", data=form)).status_code == 303
            assert (await web.get(f"/p/documents/{notice.notice_id}")).status_code == 200
        await self.house.work(weigh)
        return await self.story.notice(self.party, "CASE_ACCEPTED")


@pytest.fixture
async def served(fresh_database: FreshDatabase) -> AsyncIterator[Served]:
    kit = await make_kit(NOTICES, await fresh_database(NOTICES))
    story = Story(kit)
    party = person(APPLICANT, "刘艳", 5, address_confirmed_on=None)
    await story.file(party, person(RESPONDENT, "张静", 6))
    notice, code = await story.notice(party, "CASE_ACCEPTED"), await story.code(party)
    sent = {row.channel: row.address_id for row in await story.rows(tables.messages) if row.party_id == party.party_id}
    a_reading = {
        "reading_id": NEW,
        "notice_id": f"'{notice.notice_id}'",
        "party_id": f"'{party.party_id}'",
        "visit": NEW,
        "read_at": f"'{NOON.isoformat()}'",
        "evidence": "'k1.x'",
    }
    rows = {
        **of_kit(kit, normalize(code)),
        "readings": lambda: _of(a_reading),
        "receipt_posts": lambda: _of({"about": NEW, "sealed": "'k1.x'"}),
        "disownings": lambda: _of({"party_id": f"'{party.party_id}'", "address_id": f"'{sent['mail']}'"}),
    }
    yield Served(House(kit, rows), story, party)
    await kit.db.close()


async def test_a_party_reads_a_receipt_counts_a_number_is_disowned_after_all_that_a_stolen_process_can_write(
    served: Served,
) -> None:
    house, kit = served.house, served.house.kit
    await house.spoil()
    assert min(house.entered[name] for name in ("readings", "receipt_posts", "disownings", "wrong_tries")) > 3
    notice = await served.reads()
    assert (notice.served_by, notice.served_on) == ("reading", court_date(NOON))
    junk = [row for row in await served.story.rows(tables.readings) if row.state != "counted"]
    assert len(junk) == house.entered["readings"]
    assert {row.state for row in junk} == {"doubtful"}
    entry = {"phone_number": "19900000005", "success": True, "biz_id": "b", "err_code": "DELIVERED"}
    body = json.dumps([{**entry, "report_time": "2026-11-23 12:00:00"}]).encode()
    await receipts.take_receipts(in_public(kit), receipts.PROVIDER, receipts.receipt_secret(kit), body)
    await house.work(receipts.fold_post)
    assert len(await served.story.rows(tables.receipts)) == 1
    posts = await served.story.rows(tables.receipt_posts)
    assert {str(row.id) for row in posts} == await house.apart("receipts")
    assert len(posts) == house.entered["receipt_posts"]
    await disowning.disown(in_public(kit), notice.number, "0005")
    await house.work(disowning.follow)
    (party,) = [row for row in await served.story.rows(tables.parties) if row.party_id == served.party.party_id]
    assert len(party.disowned) == 1
    left = await served.story.rows(tables.disownings)
    assert {str(row.id) for row in left} == await house.apart("disownings")
    assert left, "nobody was written to there: they stay, and an operator sees them"
    assert {trouble.kind for trouble in await told(kit, TroubleReported)} == {"set_aside"}


def test_every_table_that_a_public_role_may_write_is_tried() -> None:
    """A new one needs a row above, and a look at who takes it."""
    written = {may.table.name for name in service_names() for may in inserted(name)}
    assert written == {
        "answers",
        "wrong_tries",
        "tips",
        "senders",
        "submissions",
        "readings",
        "receipt_posts",
        "disownings",
    }


async def test_what_was_set_aside_is_seen_and_taken_again_by_an_operator(served: Served) -> None:
    kit, story = served.house.kit, served.story
    about = uuid4()
    async with kit.db.begin() as tx:
        await tx.conn.execute(insert(tables.receipt_posts).values(about=about, sealed="k1.x"))
    assert await receipts.fold_post(kit)
    assert not await receipts.fold_post(kit), "not at once again"
    (post,) = await story.rows(tables.receipt_posts)
    async with client(NOTICES, kit, Role.ADMIN) as admin:
        (apart,) = (await admin.get("/api/notices/lanes")).json()["set_aside"]
        assert (apart["stream"], apart["item"], apart["reason"]) == ("receipts", str(post.id), "SealError")
        entry = {"phone_number": "19900000005", "success": True, "biz_id": "b", "report_time": "2026-11-23 12:00:00"}
        body = base64.b64encode(json.dumps([entry]).encode()).decode()
        async with kit.db.begin() as tx:
            mended = update(tables.receipt_posts).values(sealed=kit.drop.seal(body, f"{about}/receipts"))
            await tx.conn.execute(mended)
        again = {"stream": "receipts", "item": str(post.id)}
        assert (await admin.post("/api/notices/lanes/again", json=again)).status_code == 202
        assert await receipts.fold_post(kit)
        assert (await admin.get("/api/notices/lanes")).json()["set_aside"] == []
        assert (await admin.post("/api/notices/lanes/again", json=again)).status_code == 404
    assert len(await story.rows(tables.receipts)) == 1
    (kept,) = await story.rows(replays)
    assert (kept.topic, kept.reason) == ("receipts", "SealError")


async def test_it_is_tried_again_by_itself_later_each_time_and_told_of_once(served: Served) -> None:
    kit = served.house.kit
    async with kit.db.begin() as tx:
        await tx.conn.execute(insert(tables.receipt_posts).values(about=uuid4(), sealed="k1.x"))
    waits = []
    for _ in range(3):
        assert await receipts.fold_post(kit)
        (row,) = await served.story.rows(set_aside)
        waits.append(round((row.retry_at - datetime.now(UTC)) / timedelta(minutes=1)))
        async with kit.db.begin() as tx:
            await tx.conn.execute(update(set_aside).values(retry_at=row.since))
    assert waits == [1, 2, 4]
    assert len(await told(kit, TroubleReported)) == 1
