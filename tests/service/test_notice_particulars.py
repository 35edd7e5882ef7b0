"""What letters and party pages say of urgency, grounds and ordered reports: as it stood when they were written."""

import importlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.letters import letter_bytes
from services.party_notification.usecases.reissuing import post_anew
from services.party_notification.usecases.visits import Visit, visit
from shared.contracts.cases import CaseCorrected, CaseFacts, PartyRole
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import DeadlineSet
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.case_story import APPLICANT, FILED_ON, RESPONDENT, Story, entered, person
from tests.fixtures.kits import as_owner, caller

RESUMED, OBJECTION, PRESERVATION = "（2026）渝05执恢1号", "（2026）渝05执异1号", "（2026）渝05执保1号"
MAIN = "（2024）渝05执7号"
ORDER = "责令你方再次报告财产"


@pytest.fixture
def service() -> Service:
    return SERVICE


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


async def letter(story: Story, party: Any, kind: str) -> str:
    return letter_bytes(story.kit, await story.notice(party, kind)).decode()


async def seen(story: Story, party: Any) -> Visit:
    return await visit(story.kit, await entered(story.kit, party))


async def correct(story: Story, case_id: UUID, number: str, **told: Any) -> None:
    values = {"case_number": number, "filed_on": FILED_ON, "basis_document": "x", "basis_maker": "y", "cause": "z"}
    facts = CaseFacts(**{**values, **told})
    await story.feeder.feed(CaseCorrected(case_id=case_id, facts=facts))


async def test_letters_and_pages_name_the_department_that_has_the_case(story: Story) -> None:
    objector, creditor = person(APPLICANT, "刘艳", 5), person(APPLICANT, "王芳", 7)
    await story.file(objector, person(RESPONDENT, "张静", 6), case_number=OBJECTION, main_case=MAIN)
    await story.file(creditor, person(RESPONDENT, "李强", 8))
    told = await letter(story, objector, "HANDLING")
    assert "本案由本院审判监督庭办理，承办人为欧阳建国" in told
    assert "执行法官" not in told
    assert "执行局" not in told
    assert (await seen(story, objector)).case.department == "审判监督庭"
    assert "本案由本院执行局办理，承办人为执行法官欧阳建国" in await letter(story, creditor, "CASE_ACCEPTED")


async def test_a_resumed_case_orders_a_report_when_it_is_said_and_the_party_page_says_the_same(story: Story) -> None:
    plain, ordered = person(RESPONDENT, "张静", 6), person(RESPONDENT, "李强", 8)
    await story.file(person(APPLICANT, "刘艳", 5), plain, case_number=RESUMED, main_case=MAIN)
    await story.file(
        person(APPLICANT, "王芳", 7),
        ordered,
        case_number="（2026）渝05执恢2号",
        main_case=MAIN,
        report_ordered=True,
    )
    for party, expected in ((plain, False), (ordered, True)):
        page, own = await letter(story, party, "ENFORCEMENT_NOTICE"), (await seen(story, party)).own
        assert (ORDER in page) is expected
        assert "立案恢复执行（原执行案号（2024）渝05执7号）" in page
        assert own is not None
        assert ("报告财产" in own.text) is expected


async def test_the_sms_of_a_resumed_case_names_the_report_that_its_notice_orders(story: Story) -> None:
    plain, ordered = person(RESPONDENT, "张静", 6), person(RESPONDENT, "李强", 8)
    await story.file(person(APPLICANT, "刘艳", 5), plain, case_number=RESUMED, main_case=MAIN)
    await story.file(
        person(APPLICANT, "王芳", 7), ordered, case_number="（2026）渝05执恢2号", report_ordered=True, main_case=MAIN
    )
    assert ("报告财产" in await sms(story, plain), "报告财产" in await sms(story, ordered)) == (False, True)


async def sms(story: Story, party: Any) -> str:
    (row,) = [
        each for each in await story.rows(tables.messages) if each.party_id == party.party_id and each.channel == "sms"
    ]
    return story.kit.keyring.open(row.content, str(row.message_id))


async def test_both_sides_read_of_an_extension_and_are_told_by_sms(story: Story) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
    case_id = await story.file(applicant, respondent, case_number=OBJECTION, ground=ReviewGround.AWARD_REFUSAL)
    words = "“执行异议审查期限”经本院院长批准延长1个月，由2026年12月9日延至2027年1月9日。理由：案情复杂。"
    await story.progress(case_id, 9, "期限延长", words, *PartyRole, notify=True)
    for party in (applicant, respondent):
        assert words in await letter(story, party, "PROGRESS")
        assert [entry.text for entry in (await seen(story, party)).entries if entry.title == "期限延长"] == [words]
        prompts = [row for row in await story.rows(tables.messages) if row.party_id == party.party_id]
        texts = [story.kit.keyring.open(row.content, str(row.message_id)) for row in prompts if row.channel == "sms"]
        assert any("有新进展，进展告知书" in each for each in texts), texts


@pytest.mark.parametrize("code", ["执协", "执他"])
async def test_where_nobody_is_told_of_the_filing_one_side_alone_is_told_of_progress(story: Story, code: str) -> None:
    asked = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(asked, case_number=f"（2026）渝05{code}1号")
    await story.progress(case_id, 9, "协调完毕", "协助法院已回函。", APPLICANT, notify=True)
    assert "协助法院已回函。" in await letter(story, asked, "PROGRESS")


async def test_where_the_filing_is_told_nothing_is_told_before_both_sides_are_there(story: Story) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, case_number=OBJECTION)
    await story.progress(case_id, 9, "听证", "定于十二月听证。", APPLICANT, notify=True)
    assert await story.rows(tables.notices) == []


async def test_a_letter_that_has_left_and_its_page_stay_as_they_were_written(story: Story) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(person(APPLICANT, "刘艳", 5), respondent, case_number=RESUMED, main_case=MAIN)
    sealed = story.kit.keyring.seal("支付人民币100元", str(case_id))
    await correct(story, case_id, RESUMED, report_ordered=True, obligation=sealed, main_case=MAIN)
    assert ORDER not in await letter(story, respondent, "ENFORCEMENT_NOTICE")
    assert not (await seen(story, respondent)).kind.orders_report
    notice = await story.notice(respondent, "ENFORCEMENT_NOTICE")
    clerk = caller(Role.CLERK)
    for _ in range(2):  # the answer to the first was lost
        await post_anew(story.kit, notice.notice_id, "当事人要求纸质文书。", clerk, ("form/1", "mark"))
    letters = [row.letter for row in await story.rows(tables.paper_notices) if row.notice_id == notice.notice_id]
    texts = [story.kit.keyring.open(sealed, f"{notice.notice_id}/paper") for sealed in letters if sealed]
    assert len(texts) == 1
    assert all(ORDER not in each for each in texts)


async def test_a_notice_that_waited_is_written_with_what_is_known_by_then(story: Story) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(
        person(APPLICANT, "刘艳", 5), respondent, obligation=None, case_number=RESUMED, main_case=MAIN
    )
    sealed = story.kit.keyring.seal("支付人民币100元", str(case_id))
    await correct(story, case_id, RESUMED, report_ordered=True, obligation=sealed, main_case=MAIN)
    assert ORDER in await letter(story, respondent, "ENFORCEMENT_NOTICE")
    assert (await seen(story, respondent)).kind.orders_report


async def test_a_resumed_case_tells_what_is_resumed_or_waits_for_it(story: Story) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(person(APPLICANT, "刘艳", 5), respondent, case_number=RESUMED)
    notice = await story.notice(respondent, "ENFORCEMENT_NOTICE")
    assert (notice.state, notice.waits_owner) == ("waiting", "clerk")
    assert "缺少原执行案号" in notice.waits_reason
    assert (await story.notice(respondent, "RIGHTS_RISKS")).state == "issued"
    sealed = story.kit.keyring.seal("支付人民币100元", str(case_id))
    await correct(story, case_id, RESUMED, obligation=sealed, main_case=MAIN)
    assert f"立案恢复执行（原执行案号{MAIN}）" in await letter(story, respondent, "ENFORCEMENT_NOTICE")
    # What had left before anybody asked is written anew for paper as it stood.
    await correct(story, case_id, RESUMED, obligation=sealed)
    notice = await story.notice(respondent, "ENFORCEMENT_NOTICE")
    await post_anew(story.kit, notice.notice_id, "当事人要求纸质文书。", caller(Role.CLERK))


async def test_as_long_as_nobody_said_the_ground_parties_are_told_no_limit(story: Story) -> None:
    objector = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(objector, person(RESPONDENT, "张静", 6), case_number=OBJECTION)
    clock = DeadlineSet(
        case_id=case_id,
        kind="objection_decision",
        version=1,
        due_at=story.kit.clock.now() + timedelta(days=9),
        rule="规则",
        article="条文",
        provisional=False,
    )
    await story.feeder.feed(clock)
    page = await seen(story, objector)
    assert (page.limit, "另行告知" in page.court.note) == (None, True)
    await correct(story, case_id, OBJECTION, ground=ReviewGround.CONDUCT)
    page = await seen(story, objector)
    assert page.limit is not None
    assert page.court.note == "自收到书面异议之日起15日内审查。"


async def test_the_limit_of_a_review_and_of_an_urgent_preservation_is_told(story: Story) -> None:
    objector, urgent = person(APPLICANT, "刘艳", 5), person(APPLICANT, "王芳", 7)
    award = ReviewGround.AWARD_REFUSAL
    await story.file(objector, person(RESPONDENT, "张静", 6), case_number=OBJECTION, ground=award)
    await story.file(urgent, person(RESPONDENT, "李强", 8), case_number=PRESERVATION, urgent=True)
    told = await letter(story, objector, "HANDLING")
    assert "审查事由：不予执行仲裁裁决" in told
    assert "自立案之日起2个月内审查" in told
    assert (await seen(story, objector)).court.note.startswith("自立案之日起2个月内审查")
    told = await letter(story, urgent, "HANDLING")
    assert ("立即开始执行" in told, "五日内开始执行" in told) == (True, False)
    assert "立即开始执行" in (await seen(story, urgent)).court.note


async def test_the_migration_keeps_cases_and_letters(story: Story) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    await story.file(person(APPLICANT, "刘艳", 5), respondent, case_number=RESUMED, main_case=MAIN)
    before = await letter(story, respondent, "ENFORCEMENT_NOTICE")
    step = importlib.import_module("services.party_notification.migrations.0014_particulars_of_kinds")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(story.kit) as conn:
        for table, name in (
            ("cases", "urgent"),
            ("cases", "ground"),
            ("cases", "report_ordered"),
            ("notices", "report_ordered"),
        ):
            await conn.execute(text(f"ALTER TABLE {table} DROP COLUMN {name}"))
        await conn.run_sync(run)
    assert await letter(story, respondent, "ENFORCEMENT_NOTICE") == before
    assert (await seen(story, respondent)).own is not None
