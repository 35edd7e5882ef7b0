"""`yangguang verify-log`: what was changed, removed, put in another order or signed by somebody else is found."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, func, select, text, update

from services.stage_tracking.commands import verify_log
from services.stage_tracking.schemas.log import LogOut
from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import LEDGER
from services.stage_tracking.usecases.reading import log_page
from shared.crypto.signing import SigningKey
from shared.powers import Role
from tests.fixtures.kits import NOON, Feeder, as_owner, client
from tests.fixtures.serving import serving
from tests.fixtures.staging import NUMBER, assigned, filed, party, sent, served

Answer = dict[str, Any]
ENTRIES = LEDGER.entries


@pytest.fixture
async def case_id(kit: Any) -> UUID:
    """A case with several entries."""
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    steps = (assigned(event.case_id, NOON), sent(event.case_id, respondent, NOON))
    await Feeder(SERVICE, kit).feed(event, *steps, served(event.case_id, respondent, NOON.date()))
    return event.case_id


@pytest.fixture
async def answer(kit: Any, case_id: UUID) -> Answer:
    """What the API gave."""
    async with client(SERVICE, kit, Role.JUDGE) as http:
        body: Answer = (await http.get(f"/api/stages/{NUMBER}/log")).json()
    assert len(body["items"]) > 4
    return body


async def run(kit: Any, *args: object, signing_key: str = "") -> Result:
    url = kit.db.engine.url.render_as_string(hide_password=False)
    env = {"YANGGUANG_DATABASE_URL": url, "YANGGUANG_SIGNING_KEY": signing_key}
    return await asyncio.to_thread(CliRunner(env=env).invoke, verify_log, [str(each) for each in args])


async def checked(kit: Any, folder: Path, *answers: Answer, key: SigningKey | None = None) -> Result:
    args: list[object] = [NUMBER]
    for at, each in enumerate(answers):
        (folder / f"{at}.json").write_text(json.dumps(each, ensure_ascii=False))
        args += ["--file", folder / f"{at}.json"]
    (folder / "key.pem").write_text((key or kit.signing).verifying_key.to_pem())
    return await run(kit, *args, "--key", folder / "key.pem")


def restated(answer: Answer, change: Callable[[Answer], None]) -> Answer:
    """The answer with its statement changed after it was signed."""
    statement = json.loads(answer["proof"]["statement"])
    change(statement)
    return {**answer, "proof": {**answer["proof"], "statement": json.dumps(statement, ensure_ascii=False)}}


def courts_key(kit: Any, folder: Path) -> Path:
    (folder / "court.pem").write_text(kit.signing.verifying_key.to_pem())
    return folder / "court.pem"


async def test_a_database_whose_signatures_nobody_read_does_not_pass(kit: Any, case_id: UUID) -> None:
    here = await run(kit, NUMBER)
    assert here.exit_code != 0
    assert "核验通过" not in here.output
    assert "未完全核验：没有法院的公钥" in here.output
    assert "--key" in here.output


async def test_the_key_that_the_settings_name_is_read(kit: Any, case_id: UUID, tmp_path: Path) -> None:
    (tmp_path / "signing.pem").write_text(kit.signing.to_pem())
    here = await run(kit, NUMBER, signing_key=f"@{tmp_path / 'signing.pem'}")
    assert (here.exit_code, "核验通过" in here.output) == (0, True), here.output


async def test_an_intact_log_passes_and_says_what_is_not_covered(
    kit: Any, case_id: UUID, answer: Answer, tmp_path: Path
) -> None:
    count = len(answer["items"])
    here = await run(kit, NUMBER.replace("（", "(").replace("）", ")"), "--key", courts_key(kit, tmp_path))
    assert here.exit_code == 0, here.output
    assert f"执行日志 {count} 条，从第 1 条（2026年11月23日" in here.output
    assert answer["items"][-1]["digest"] in here.output
    assert "尚未覆盖" in here.output


async def test_a_file_passes_offline_by_the_courts_key(kit: Any, answer: Answer, tmp_path: Path) -> None:
    good = await checked(kit, tmp_path, answer)
    assert good.exit_code == 0, good.output
    assert f"由公钥 {kit.signing.key_id} 签署" in good.output
    assert "注意" not in good.output
    unnamed = await run(kit, NUMBER, "--file", tmp_path / "0.json")
    assert (unnamed.exit_code, "未指定法院公钥" in unnamed.output) == (0, True)


async def test_pages_go_together_and_a_missing_page_is_named(kit: Any, answer: Answer, tmp_path: Path) -> None:
    pages = [LogOut.of(kit, await log_page(kit, NUMBER, cursor, 2)).model_dump(mode="json") for cursor in (0, 2, 4)]
    whole = await checked(kit, tmp_path, pages[2], pages[0], pages[1])
    assert (whole.exit_code, "从第 1 条" in whole.output) == (0, True), whole.output
    first = await checked(kit, tmp_path, pages[0])
    assert f"未核验：第 3 至 {len(answer['items'])} 条不在文件中" in first.output
    gap = await checked(kit, tmp_path, pages[0], pages[2])
    assert (gap.exit_code, "第3条：几份文件在此处不相衔接" in gap.output) == (1, True)


def _text(answer: Answer) -> Answer:
    items = [dict(each) for each in answer["items"]]
    items[2]["text"] += "。"
    return {**answer, "items": items}


def _removed(answer: Answer) -> Answer:
    return {**answer, "items": [*answer["items"][:2], *answer["items"][3:]]}


def _cut(answer: Answer) -> Answer:
    return {**answer, "items": answer["items"][:2]}


def _swapped(answer: Answer) -> Answer:
    first, second, third, fourth, *rest = answer["items"]
    return {**answer, "items": [first, second, fourth, third, *rest]}


def _link_text(answer: Answer) -> Answer:
    return restated(answer, lambda told: told["entries"][2].update(body=told["entries"][2]["body"] + " "))


def _link_removed(answer: Answer) -> Answer:
    return restated(answer, lambda told: told["entries"].pop(2))


def _link_swapped(answer: Answer) -> Answer:
    def swap(told: Answer) -> None:
        told["entries"][2:4] = reversed(told["entries"][2:4])

    return restated(answer, swap)


@pytest.mark.parametrize(
    "forge", [_text, _removed, _cut, _swapped, _link_text, _link_removed, _link_swapped], ids=lambda f: f.__name__
)
async def test_what_was_done_to_a_file_is_found_at_its_place(
    kit: Any, answer: Answer, tmp_path: Path, forge: Callable[[Answer], Answer]
) -> None:
    found = await checked(kit, tmp_path, forge(answer))
    assert found.exit_code == 1
    assert "核验不通过：第3条" in found.output


async def test_a_foreign_signature_is_found(kit: Any, answer: Answer, tmp_path: Path) -> None:
    foreign = await checked(kit, tmp_path, answer, key=SigningKey.generate())
    assert (foreign.exit_code, "签名不符" in foreign.output) == (1, True)
    later = restated(answer, lambda told: told.update(issued_at="2027-01-01T00:00:00+00:00"))
    assert "签名不符" in (await checked(kit, tmp_path, later)).output


async def test_what_is_no_log_or_anothers_is_refused(kit: Any, answer: Answer, tmp_path: Path) -> None:
    wrongs: list[Answer] = [{}, {"proof": {}}, {**answer, "proof": {**answer["proof"], "statement": "[]"}}]
    for wrong in wrongs:
        refused = await checked(kit, tmp_path, wrong)
        assert (refused.exit_code, "不是一份有签名的执行日志" in refused.output) == (1, True)
    (tmp_path / "0.json").write_text(json.dumps(answer))
    other = await run(kit, "（2026）渝05执9号", "--file", tmp_path / "0.json")
    assert (other.exit_code, "另一案件" in other.output) == (1, True)


async def test_what_was_done_to_the_database_is_found(kit: Any, case_id: UUID, tmp_path: Path) -> None:
    here = ENTRIES.c.chain_id == str(case_id)
    third = here & (ENTRIES.c.position == 3)
    for forge in (
        update(ENTRIES).where(third).values(body=ENTRIES.c.body + " "),
        delete(ENTRIES).where(third),
        update(ENTRIES).where(here).values(position=func.abs(ENTRIES.c.position - 100)),
    ):
        async with as_owner(kit) as conn:
            await conn.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER USER"))
            kept = (await conn.execute(select(ENTRIES).where(here))).mappings().all()
            await conn.execute(forge)
        found = await run(kit, case_id)
        assert found.exit_code == 1
        assert ("核验不通过：第3条" in found.output) or ("核验不通过：第1条" in found.output)
        async with as_owner(kit) as conn:
            await conn.execute(delete(ENTRIES).where(here))
            await conn.execute(ENTRIES.insert(), [dict(row) for row in kept])
    assert (await run(kit, case_id, "--key", courts_key(kit, tmp_path))).exit_code == 0
    async with as_owner(kit) as conn:
        await conn.execute(delete(ENTRIES).where(here))
    assert (await run(kit, case_id)).exit_code == 1
    assert "没有这个案件" in (await run(kit, "（2026）渝05执9号")).output


async def test_a_running_product_is_asked_over_http(kit: Any, answer: Answer) -> None:
    async with client(SERVICE, kit, Role.JUDGE) as http, serving(SERVICE, kit) as (_, url):
        token = http.headers["authorization"].removeprefix("Bearer ")
        told = await run(kit, NUMBER, "--url", url, "--token", token)
        assert (told.exit_code, f"执行日志 {len(answer['items'])} 条" in told.output) == (0, True), told.output
        assert "令牌无效" in (await run(kit, NUMBER, "--url", url, "--token", "x")).output
        assert "没有这个案件" in (await run(kit, "（2026）渝05执9号", "--url", url, "--token", token)).output
    assert "没有应答" in (await run(kit, NUMBER, "--url", "http://127.0.0.1:9", "--token", token)).output
