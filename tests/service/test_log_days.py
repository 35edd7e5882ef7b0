"""A day of the log that its database's owner rewrites is found: here, at the desk, and by the evidence."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import Table, delete, select, text, update

from services.duty_desk.service import SERVICE as DESK
from services.duty_desk.store import items
from services.party_notification.service import SERVICE as NOTICES
from services.party_notification.usecases.evidence import bundle, faults_of_bundle
from services.stage_tracking.commands import verify_log
from services.stage_tracking.service import SERVICE
from services.stage_tracking.store import days
from services.stage_tracking.store.tables import LEDGER, log_day_heads, log_days
from services.stage_tracking.usecases.sealing import seal_days
from services.stage_tracking.usecases.verdict import Verdict, verdict
from shared.contracts.cases import PartyRole
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import LogDaySealed
from shared.crypto.signing import SigningKey
from shared.ledger.chain import Head, genesis, link
from shared.ledger.days import NOTHING, SealedDay, heads_digest
from shared.ledger.store import check, read
from shared.powers import Role
from shared.runtime.service import MORE
from tests.fixtures.case_story import Story, person
from tests.fixtures.desk import desk_kit
from tests.fixtures.kits import NOON, Feeder, as_owner, caller, client, make_kit, told
from tests.fixtures.staging import NUMBER, assigned, filed

TODAY = date(2026, 11, 23)
OTHER = "（2026）渝05执5002号"
ENTRIES = LEDGER.entries


@pytest.fixture
async def desk(fresh_database: Any) -> AsyncIterator[Any]:
    kit = await desk_kit(await fresh_database(DESK))
    yield kit
    await kit.db.close()


@pytest.fixture
async def case_id(kit: Any) -> UUID:
    """A case with several entries of today, beside another; yesterday is sealed, without an entry."""
    await seal_days(kit)
    event = filed()
    await Feeder(SERVICE, kit).feed(event, assigned(event.case_id, NOON), filed(case_number=OTHER))
    return event.case_id


async def night(kit: Any, nights: int = 1) -> None:
    """Days pass, and the job runs."""
    kit.clock.move(timedelta(days=nights))
    while await seal_days(kit) is MORE:
        pass


async def judged(kit: Any, case_id: UUID) -> Verdict:
    async with kit.db.read() as conn:
        return await verdict(conn, str(case_id), kit.signing.keys)


async def relinked(kit: Any, case_id: UUID) -> None:
    """The database's owner rewrites the second entry, and everything after it, so that the chain holds."""
    chain = str(case_id)
    async with as_owner(kit) as conn:
        for table in ("ledger_entries", "log_days", "log_day_heads"):
            await conn.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        head = genesis(chain)
        for entry in await read(conn, LEDGER, chain):
            body = {**entry.body, "title": "改写"} if entry.position == 2 else entry.body
            new = link(head, entry.at, entry.kind, body)
            here = (ENTRIES.c.chain_id == chain) & (ENTRIES.c.position == entry.position)
            values = {"body": new.text, "previous": new.previous, "digest": new.digest}
            await conn.execute(update(ENTRIES).where(here).values(values))
            head = new.head
        await conn.execute(update(LEDGER.heads).where(LEDGER.heads.c.chain_id == chain).values(digest=head.digest))
        assert await check(conn, LEDGER, chain) is None


async def forged(kit: Any, case_id: UUID, key: SigningKey) -> None:
    """The owner rewrites the log, and the day's lines and its record as well, signed with `key`."""
    await relinked(kit, case_id)
    async with as_owner(kit) as conn:
        here = log_day_heads.c.chain_id == str(case_id)
        newer = select(LEDGER.heads.c.digest).where(LEDGER.heads.c.chain_id == str(case_id)).scalar_subquery()
        await conn.execute(update(log_day_heads).where(here).values(digest=newer))
        heads = (await conn.execute(select(log_day_heads).where(log_day_heads.c.day == TODAY))).all()
        before, *_ = await days.every(conn)
        new = SealedDay.seal(key, kit.court.name, TODAY, before.digest, 1, [_head(row) for row in heads])
        values = {"text": new.text, "signature": new.signature, "key_id": new.key_id}
        await conn.execute(update(log_days).where(log_days.c.day == TODAY).values(values))


def _head(row: Any) -> Head:
    return Head(row.chain_id, row.position, row.digest)


def _signature(key: SigningKey, body: str) -> str:
    return base64.b64encode(key.sign(body.encode())).decode()


async def command(kit: Any, folder: Path) -> tuple[int, str]:
    (folder / "key.pem").write_text(kit.signing.verifying_key.to_pem())
    env = {"YANGGUANG_DATABASE_URL": kit.db.engine.url.render_as_string(hide_password=False)}
    runner = CliRunner(env=env)
    done = await asyncio.to_thread(runner.invoke, verify_log, [NUMBER, "--key", str(folder / "key.pem")])
    return done.exit_code, done.output


async def test_every_day_is_signed_and_told_the_empty_ones_too(kit: Any, case_id: UUID) -> None:
    await night(kit, 60)
    sealed = await told(kit, LogDaySealed)
    assert [event.day for event in sealed] == [TODAY + timedelta(days=number) for number in range(-1, 60)]
    async with kit.db.read() as conn:
        lines = (await conn.execute(select(log_day_heads).where(log_day_heads.c.day == TODAY))).all()
        kept = await days.heads_by_day(conn)
    assert len(lines) == 2
    assert kept == {
        TODAY: heads_digest(_head(line) for line in lines)
    }  # what the database computes is what is documented
    record = json.loads(sealed[1].record)
    assert (record["chains"], record["entries"]) == (2, sum(line.position for line in lines))
    assert json.loads(sealed[2].record)["heads_sha256"] == NOTHING
    assert await seal_days(kit) is None
    assert not await told(kit, TroubleReported)


async def test_command_api_and_page_say_the_same_words(kit: Any, case_id: UUID, tmp_path: Path) -> None:
    for rewritten in (False, True):
        if rewritten:
            await relinked(kit, case_id)
        else:
            await night(kit)
        words = (await judged(kit, case_id)).words
        async with client(SERVICE, kit, Role.JUDGE) as http:
            answer = (await http.get(f"/api/stages/{NUMBER}/log")).json()
            page = (await http.get(f"/stages/cases/{case_id}/log")).text
        assert (answer["intact"], answer["verdict"]) == (not rewritten, words)
        assert words in page
        code, output = await command(kit, tmp_path)
        assert (code, words in output) == (int(rewritten), True), output
    assert "2026年11月23日（周一）签署的链头不符" in words
    assert answer["fault"]["position"] == len(answer["items"])


async def test_a_relinked_day_is_found_and_comes_to_the_desk(kit: Any, desk: Any, case_id: UUID) -> None:
    await night(kit)
    assert (await judged(kit, case_id)).intact
    await relinked(kit, case_id)
    found = await judged(kit, case_id)
    assert (found.broken, found.day, found.rewritten is not None) == (None, None, True)
    other = await client_case(kit, OTHER)
    assert (await judged(kit, other)).intact  # others' logs are not suspected
    await night(kit)
    (trouble,) = await told(kit, TroubleReported)
    assert NUMBER in trouble.summary
    assert OTHER not in trouble.summary
    await Feeder(DESK, desk).feed(trouble)
    assert await troubles(desk) == [trouble.summary]


async def client_case(kit: Any, number: str) -> UUID:
    async with client(SERVICE, kit, Role.JUDGE) as http:
        return UUID((await http.get(f"/api/stages/{number}")).json()["case_id"])


async def troubles(desk: Any) -> list[str]:
    async with desk.db.read() as conn:
        rows = (await conn.execute(select(items).where(items.c.number == "log_rewritten"))).all()
    return [desk.keyring.open(row.body, str(row.item_id)) for row in rows]


async def test_a_foreign_key_and_altered_lines_are_found(kit: Any, case_id: UUID) -> None:
    await night(kit)
    await forged(kit, case_id, SigningKey.generate())
    assert "签名不符" in (await judged(kit, case_id)).words
    await forged(kit, case_id, kit.signing)
    async with as_owner(kit) as conn:
        await conn.execute(delete(log_day_heads).where(log_day_heads.c.chain_id == str(case_id)))
    assert "登记的各案链头与签署的不符" in (await judged(kit, case_id)).words


async def test_even_with_the_courts_key_the_desk_finds_it(kit: Any, desk: Any, case_id: UUID) -> None:
    feeder = Feeder(DESK, desk)
    await night(kit)
    await feeder.feed(*await told(kit, LogDaySealed))
    assert await troubles(desk) == []
    await forged(kit, case_id, kit.signing)
    assert (await judged(kit, case_id)).intact  # nothing here shows it
    await night(kit)
    await feeder.feed((await told(kit, LogDaySealed))[-1])
    (summary,) = await troubles(desk)
    assert "2026年11月23日（周一）的每日签署被替换" in summary


async def test_a_day_signed_anew_is_told_again_and_found(kit: Any, desk: Any, case_id: UUID) -> None:
    feeder = Feeder(DESK, desk)
    await night(kit)
    await feeder.feed(*await told(kit, LogDaySealed))
    await relinked(kit, case_id)
    async with as_owner(kit) as conn:
        for table in (log_days, log_day_heads):
            await conn.execute(delete(table).where(table.c.day == TODAY))
    await seal_days(kit)
    assert (await judged(kit, case_id)).intact
    again = (await told(kit, LogDaySealed))[-1]
    assert again.day == TODAY
    await feeder.feed(again, again)
    (summary,) = await troubles(desk)
    assert "与值班台此前留存的不一致" in summary


async def test_days_in_another_order_are_no_trouble(kit: Any, desk: Any, case_id: UUID) -> None:
    await night(kit, 3)
    await Feeder(DESK, desk).feed(*reversed(await told(kit, LogDaySealed)))
    assert await troubles(desk) == []


async def test_evidence_carries_the_signed_days(kit: Any, case_id: UUID, fresh_database: Any) -> None:
    notices = replace(await make_kit(NOTICES, await fresh_database(NOTICES)), signing=kit.signing)
    story = Story(notices)
    applicant = person(PartyRole.APPLICANT, "刘艳", 5)
    await story.file(applicant, person(PartyRole.RESPONDENT, "张静", 6))
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    await night(kit, 10)
    await Feeder(NOTICES, notices).feed(*await told(kit, LogDaySealed))
    answer = await bundle(notices, notice.notice_id, caller(Role.CLERK))
    content = json.loads(answer["content"])
    assert content["format"] == "yangguang-evidence/3"
    assert [each["day"] for each in content["log_days"]] == [f"2026-{day}" for day in DAYS]
    assert faults_of_bundle(json.dumps(answer).encode(), kit.signing.keys) == []
    content["log_days"][2]["record"] = content["log_days"][2]["record"].replace("本", "他")
    content["log_days"][2]["signature"] = _signature(SigningKey.generate(), content["log_days"][2]["record"])
    forged_text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    resigned = {**answer, "content": forged_text, "signature": _signature(kit.signing, forged_text)}
    assert "每日签署不成立" in "".join(faults_of_bundle(json.dumps(resigned).encode(), kit.signing.keys))
    await notices.db.close()


DAYS = ("11-26", "11-27", "11-28", "11-29", "11-30", "12-01", "12-02")


@pytest.mark.parametrize("table", [log_days, log_day_heads], ids=lambda table: table.name)
async def test_not_even_the_owner_rewrites_days_unnoticed_by_the_trigger(kit: Any, case_id: UUID, table: Table) -> None:
    await night(kit)
    async with as_owner(kit) as conn:
        with pytest.raises(Exception, match="append-only"):
            await conn.execute(delete(table))
