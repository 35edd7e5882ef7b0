"""What judges record, over HTTP: acts, idempotency, powers, tasks, lists, pages."""

import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import METADATA, case_powers
from services.stage_tracking.usecases.reading import case_view
from services.stage_tracking.usecases.ringing import fire_due
from shared.contracts.cases import PartyRole
from shared.contracts.staff import MemberChanged
from shared.contracts.stages import DeadlineMet, MilestoneReached, Period, PeriodOpened, ProgressPublished
from shared.db.tables import KIT
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.powers import Role
from tests.fixtures.kits import NOON, Feeder, caller, told
from tests.fixtures.staging import JUDGE, NUMBER, assigned, filed, party

OBJECTION, REVIEWER = "（2026）渝05执异1号", UUID(int=8)
WORK = {"kind": "work", "title": "网络查控", "text": "已查询银行存款，冻结一笔。", "evidence": "查询回执1号"}


@pytest.fixture
async def case_id(kit: Any) -> UUID:
    """A case with a judge."""
    event = filed(party("applicant"), party("respondent"))
    await Feeder(SERVICE, kit).feed(event, assigned(event.case_id, NOON))
    return event.case_id


@pytest.fixture
async def http(kit: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = build_app(kit, SERVICE.title, SERVICE.routes, tuple(Zone))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        client.headers.update(signed(kit, Role.JUDGE, JUDGE))
        yield client


def signed(kit: Any, role: Role, staff_id: UUID | None = None) -> dict[str, str]:
    return {"authorization": "Bearer " + kit.staff_signer.for_staff(caller(role, staff_id), timedelta(hours=1))}


async def act(http: httpx.AsyncClient, body: dict[str, Any], **headers: str) -> httpx.Response:
    return await http.post(f"/api/stages/{NUMBER}/acts", json=body, headers=headers)


async def test_work_is_logged_and_told_to_its_audience(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    publish = {"audience": ["applicant", "respondent"], "carried_out": True, "notify": True}
    answer = await act(http, {**WORK, "publish": publish})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["entry"]["title"], body["entry"]["evidence"]) == ("网络查控", "查询回执1号")
    assert body["published"] == {"audience": ["applicant", "respondent"], "not_before": None, "notify": True}
    event = (await told(kit, ProgressPublished))[0]
    assert event.audience == (PartyRole.APPLICANT, PartyRole.RESPONDENT)
    assert kit.keyring.open(event.text, str(case_id)) == "网络查控：已查询银行存款，冻结一笔。"
    assert event.entry == body["entry"]["position"]


async def test_unpublished_work_is_told_to_nobody(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    assert (await act(http, WORK)).json()["published"] is None
    assert await told(kit, ProgressPublished) == []


async def test_what_is_not_carried_out_or_reveals_a_tip_is_refused(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    body = {**WORK, "text": "根据举报准备查封。", "publish": {"audience": ["respondent"]}}
    answer = await act(http, body)
    assert answer.status_code == 422
    assert {each["field"] for each in answer.json()["errors"]} == {"work.text", "work.publish.carried_out"}
    assert await told(kit, ProgressPublished) == []


async def test_a_notice_never_runs_ahead_of_its_publication(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    later = {"audience": ["applicant"], "not_before": (NOON + timedelta(days=1)).isoformat()}
    refused = await act(http, {**WORK, "publish": {**later, "notify": True}})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "work.publish.notify")
    assert await told(kit, ProgressPublished) == []
    assert (await act(http, {**WORK, "publish": later})).json()["published"]["notify"] is False
    assert (await act(http, {**WORK, "publish": {"audience": ["applicant"]}})).json()["published"]["notify"] is True
    kit.clock.move(timedelta(days=1))
    assert (await act(http, {**WORK, "publish": {**later, "notify": True}})).status_code == 201
    assert [event.notify for event in await told(kit, ProgressPublished)] == [False, True, True]


async def test_a_time_beyond_all_calendars_is_a_fault_of_its_field(http: httpx.AsyncClient, case_id: UUID) -> None:
    publish = {"audience": ["applicant"], "not_before": "9999-12-31T23:59:59-05:00"}
    answer = await act(http, {**WORK, "publish": publish})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["work.publish.not_before"]


async def test_the_same_key_gives_the_same_entry_and_never_another(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    body = {**WORK, "publish": {"audience": ["applicant"]}}
    first = await act(http, body, **{"Idempotency-Key": "k1"})
    again = await act(http, body, **{"Idempotency-Key": "k1"})
    assert again.json() == first.json()
    other = await act(http, {**body, "title": "别的工作"}, **{"Idempotency-Key": "k1"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert len(await told(kit, ProgressPublished)) == 1


async def test_only_the_own_judge_and_the_heads_of_the_department_act(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    for role, status in (
        (Role.JUDGE, 403),
        (Role.CLERK, 403),
        (Role.ADJUDICATION, 403),
        (Role.PRESIDING, 201),
        (Role.CHIEF, 201),
    ):
        assert (await act(http, WORK, **signed(kit, role))).status_code == status, role


async def test_in_a_review_only_the_adjudication_acts(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    review = filed(case_number=OBJECTION, main_case=NUMBER)
    await Feeder(SERVICE, kit).feed(review, assigned(review.case_id, NOON, REVIEWER, Role.ADJUDICATION))
    path = f"/api/stages/{OBJECTION}/acts"
    for role, staff_id in ((Role.JUDGE, REVIEWER), (Role.CHIEF, None), (Role.PRESIDING, None)):
        refused = await http.post(path, json=WORK, headers=signed(kit, role, staff_id))
        assert (refused.status_code, refused.json()["code"]) == (403, "not_own_case"), role
        assert "由审判监督庭办理" in refused.text
    own = signed(kit, Role.ADJUDICATION, REVIEWER)
    assert (await http.post(path, json=WORK, headers=own)).status_code == 201
    assert (await act(http, WORK, **own)).status_code == 403, "the enforcement itself is the bureau's"
    milestones = (await http.get(f"/api/stages/{OBJECTION}", headers=own)).json()["milestones"]
    assert {each["milestone"]: each["owner"] for each in milestones}["closure"] == "adjudication"
    forms = await http.get(f"/stages/cases/{review.case_id}/timeline", headers={**own, "accept": "text/html"})
    assert 'name="work.title"' in forms.text


async def test_who_exercises_a_power_reads_the_logs_of_its_cases_and_of_those_that_theirs_are_about(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    review, other = filed(case_number=OBJECTION, main_case=NUMBER), filed(case_number="（2026）渝05执6001号")
    await Feeder(SERVICE, kit).feed(
        *(review, other),
        assigned(review.case_id, NOON, REVIEWER, Role.ADJUDICATION),
        assigned(other.case_id, NOON, UUID(int=99)),
    )
    reads: dict[tuple[Role, UUID | None], list[bool]] = {
        (Role.ADJUDICATION, REVIEWER): [True, True, False],
        (Role.ADJUDICATION, None): [False, True, False],
        (Role.JUDGE, JUDGE): [True, False, True],
        (Role.SUPERVISION, None): [True, True, True],
        (Role.AUCTION, None): [False, False, False],
    }
    for who, expected in reads.items():
        headers = {**signed(kit, *who), "accept": "text/html"}
        for each, may in zip((case_id, review.case_id, other.case_id), expected, strict=True):
            status = 200 if may else 403
            assert (await http.get(f"/api/stages/{each}/log", headers=headers)).status_code == status, (who, each)
            assert (await http.get(f"/stages/cases/{each}/log", headers=headers)).status_code == status, (who, each)
    assert (await act(http, WORK)).status_code == 201
    for who, shown in reads.items():
        page = (await http.get(f"/stages/cases/{case_id}/timeline", headers=signed(kit, *who))).text
        assert (WORK["text"] in page, "您不能查看" in page) == (shown[0], not shown[0]), who


async def test_who_implemented_a_case_acts_in_no_review_of_it_and_the_reverse(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    review = filed(case_number=OBJECTION, main_case=NUMBER)
    await Feeder(SERVICE, kit).feed(review, assigned(review.case_id, NOON, JUDGE, Role.ADJUDICATION))
    (asked,) = [task for task in (await case_view(kit, OBJECTION)).tasks if task.kind == "power_conflict"]
    assert (asked.owner_role, asked.kind.closes_itself) == ("management", True)
    answer = await http.post(f"/api/stages/{OBJECTION}/acts", json=WORK, headers=signed(kit, Role.ADJUDICATION, JUDGE))
    assert (answer.status_code, answer.json()["code"]) == (409, "power_held")
    async with kit.db.begin() as tx:
        row = {"case_id": review.case_id, "staff_id": REVIEWER, "power": "adjudication", "since": NOON}
        await tx.conn.execute(case_powers.insert().values(row))
    answer = await act(http, WORK, **signed(kit, Role.CHIEF, REVIEWER))
    assert (answer.status_code, answer.json()["code"]) == (409, "power_held")


async def test_nobody_exercises_two_powers_in_one_case(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    chief = UUID(int=9)
    async with kit.db.begin() as tx:
        row = {"case_id": case_id, "staff_id": chief, "power": "adjudication", "since": NOON}
        await tx.conn.execute(case_powers.insert().values(row))
    answer = await act(http, WORK, **signed(kit, Role.CHIEF, chief))
    assert (answer.status_code, answer.json()["code"]) == (409, "power_held")


async def test_periods_need_evidence_and_an_allowed_transition(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    body = {"kind": "enter_period", "period": "compulsory", "on": "2026-11-23"}
    answer = await act(http, body)
    assert [each["field"] for each in answer.json()["errors"]] == ["enter_period.evidence"]
    body["evidence"] = "（2026）渝05执5001号之一裁定书"
    tomorrow = await act(http, {**body, "on": "2026-11-24", "checklist": ["nonsense"]})
    fields = [each["field"] for each in tomorrow.json()["errors"]]
    assert fields == ["enter_period.on", "enter_period.checklist"]
    entered = await act(http, {**body, "checklist": ["notices_sent", "network_inquiry"]})
    assert entered.json()["entry"]["evidence"] == body["evidence"]
    assert "2/4" in entered.json()["entry"]["text"]
    back = await act(http, {**body, "period": "investigation"})
    assert (back.status_code, back.json()["code"]) == (409, "period_not_allowed")
    assert [each.period for each in await told(kit, PeriodOpened)] == [Period.INVESTIGATION, Period.COMPULSORY]
    case = (await http.get(f"/api/stages/{NUMBER}")).json()
    assert [(each["period"], each["closed_on"]) for each in case["periods"]] == [
        ("investigation", "2026-11-23"),
        ("compulsory", None),
    ]
    assert [task["kind"] for task in case["tasks"]] == ["checklist"]


async def test_closure_comes_in_its_period_and_ends_every_clock(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    closure = {"kind": "milestone", "milestone": "closure", "on": "2026-11-23", "evidence": "结案通知书"}
    assert (await act(http, closure)).json()["code"] == "milestone_too_early"
    await act(http, {"kind": "enter_period", "period": "closure", "on": "2026-11-23", "evidence": "履行完毕笔录"})
    assert (await act(http, closure)).status_code == 201
    assert (await act(http, closure)).json()["code"] == "milestone_reached"
    kit.clock.move(timedelta(days=400))
    assert await fire_due(kit) == 0
    case = (await http.get(f"/api/stages/{case_id}")).json()
    assert all(each["met_at"] for each in case["deadlines"])
    assert len(await told(kit, DeadlineMet)) == 7
    assert (await told(kit, MilestoneReached))[-1].on == date(2026, 11, 23)


async def test_a_case_is_found_by_number_in_either_width_and_by_id(http: httpx.AsyncClient, case_id: UUID) -> None:
    body: dict[str, Any] = {}
    for key in (NUMBER, "(2026)渝05执5001号", str(case_id)):
        body = (await http.get(f"/api/stages/{key}")).json()
        assert (body["case_id"], body["case_number"], body["period"]) == (str(case_id), NUMBER, "investigation")
    limit = next(each for each in body["deadlines"] if each["kind"] == "court_limit")
    assert limit["due_on"] == "2027-02-23"
    assert limit["title"] == "本院三个月办案期限"
    assert (limit["version"], limit["provisional"], limit["fired_at"]) == (1, True, None)
    assert (await http.get("/api/stages/（2026）渝05执9号")).status_code == 404


async def test_the_log_goes_on_and_says_whether_it_is_intact(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    await act(http, WORK)
    first = (await http.get(f"/api/stages/{NUMBER}/log", params={"limit": 3})).json()
    rest = (await http.get(f"/api/stages/{NUMBER}/log", params={"cursor": first["next"]})).json()
    assert (first["intact"], first["fault"], rest["next"]) == (True, None, None)
    assert (rest["intact"], rest["fault"]) == (None, None), "the chain is verified once, not for each page"
    entries = first["items"] + rest["items"]
    assert [each["position"] for each in entries] == list(range(1, len(entries) + 1))
    assert [each["previous"] for each in entries[1:]] == [each["digest"] for each in entries[:-1]]
    assert entries[-1]["text"] == WORK["text"]
    assert (await http.get(f"/api/stages/{NUMBER}/log", headers=signed(kit, Role.CLERK))).status_code == 403


async def test_cases_come_by_urgency_page_by_page(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    feeder = Feeder(SERVICE, kit)
    for days in (1, 40, 80):
        filed_on = date(2026, 11, 23) - timedelta(days=days)
        await feeder.feed(filed(filed_on=filed_on, case_number=f"（2026）渝05执{days}号"))
    seen, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await http.get("/api/stages", params=params)).json()
        seen += [each["case_number"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == ["（2026）渝05执80号", "（2026）渝05执40号", NUMBER, "（2026）渝05执1号"]
    late = (await http.get("/api/stages", params={"state": "late"})).json()
    assert [each["case_number"] for each in late["items"]] == seen[:2]
    own = (await http.get("/api/stages", params={"judge": str(JUDGE)})).json()
    assert [each["case_id"] for each in own["items"]] == [str(case_id)]
    assert (await http.get("/api/stages", params={"cursor": "x"})).status_code == 422


async def test_a_task_is_finished_by_its_owner_with_the_reasons(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    kit.clock.move(timedelta(days=5))
    await fire_due(kit)
    (task,) = (await http.get("/api/stages/tasks")).json()["items"]
    path = f"/api/stages/tasks/{task['id']}/done"
    assert task["kind"] == "overdue_reasons"
    stranger = await http.post(path, json={"note": "x"}, headers=signed(kit, Role.CLERK))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "not_own_task")
    assert (await http.post(path, json={})).json()["errors"][0]["field"] == "note"
    done = await http.post(path, json={"note": "被执行人下落不明，正在查找。"})
    assert done.json()["done_at"] is not None
    again = await http.post(path, json={"note": "再次提交"})
    assert again.json() == done.json()
    entries = (await http.get(f"/api/stages/{NUMBER}/log")).json()["items"]
    assert [each["kind"] for each in entries].count("task_done") == 1
    assert "被执行人下落不明" in entries[-1]["text"]
    assert (await http.get("/api/stages/tasks")).json()["items"] == []


async def test_a_task_that_closes_itself_is_not_finished_by_hand(kit: Any, http: httpx.AsyncClient) -> None:
    await Feeder(SERVICE, kit).feed(filed())
    clerk = signed(kit, Role.CLERK)
    (task,) = (await http.get("/api/stages/tasks", headers=clerk)).json()["items"]
    answer = await http.post(f"/api/stages/tasks/{task['id']}/done", json={}, headers=clerk)
    assert (answer.status_code, answer.json()["code"]) == (409, "task_closes_itself")


async def test_a_dump_shows_nothing_of_what_people_wrote(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    secret = "张静名下存款"
    publish = {"audience": ["applicant"]}
    body = {"kind": "work", "title": secret, "text": secret, "evidence": secret, "publish": publish}
    assert (await act(http, body, **{"Idempotency-Key": "k"})).status_code == 201
    async with kit.db.read() as conn:
        for table in (*METADATA.sorted_tables, *KIT.sorted_tables):
            rows = (await conn.execute(select(table))).mappings().all()
            dump = json.dumps([dict(row) for row in rows], default=bytes_or_text, ensure_ascii=False)
            assert secret not in dump, table.name
            assert json.dumps(secret).strip('"') not in dump, table.name


def bytes_or_text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


async def test_an_old_number_is_found_with_brackets_of_either_width(kit: Any, http: httpx.AsyncClient) -> None:
    number = "(2009)渝五中法执字第1号"
    await Feeder(SERVICE, kit).feed(filed(case_number=number))
    for typed in (number, "（2009）渝五中法执字第1号", "（2009）", "五中法"):
        assert number in (await http.get("/stages", params={"q": typed})).text, typed
    assert number not in (await http.get("/stages", params={"q": "（2010）"})).text
    assert (await http.get("/api/stages/（2009）渝五中法执字第1号")).json()["case_number"] == number


async def test_pages_show_the_work_and_the_board(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    await Feeder(SERVICE, kit).feed(filed(filed_on=date(2026, 6, 14), case_number="（2026）渝05执6号"))
    await fire_due(kit)
    board = (await http.get("/stages")).text
    assert board.index("（2026）渝05执6号") < board.index(NUMBER)
    assert NUMBER not in (await http.get("/stages", params={"state": "late", "period": "", "judge": ""})).text
    assert "没有符合条件的案件" in (await http.get("/stages", params={"q": "（2026）渝05执99号"})).text
    assert "我承办案件的期限" in (await http.get("/work")).text
    management = await http.get("/work", headers=signed(kit, Role.MANAGEMENT))
    assert "待办无人可办" in management.text


async def test_with_people_in_every_role_each_task_has_its_owner(kit: Any, http: httpx.AsyncClient) -> None:
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(filed())
    for role in (Role.CLERK, Role.MANAGEMENT):
        member = {"login": role, "name": "某", "phone": "023-67670001", "department": "执行局", "panel": None}
        staff_id = caller(role).staff_id
        await feeder.feed(MemberChanged(staff_id=staff_id, roles=(role,), court="渝05", active=True, **member))
    page = await http.get("/work", headers=signed(kit, Role.MANAGEMENT))
    assert "每件待办都有负责人" in page.text


async def test_the_case_pages_fragments_and_forms(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    base = f"/stages/cases/{case_id}"
    assert "执行查证期" in (await http.get(f"{base}/clocks")).text
    assert "记录执行工作" in (await http.get(f"{base}/timeline")).text
    assert "记录执行工作" not in (await http.get(f"{base}/timeline", headers=signed(kit, Role.MANAGEMENT))).text
    assert "没有待办事项" in (await http.get(f"{base}/tasks")).text
    assert "执行日志完整" in (await http.get(f"{base}/log")).text
    form = {
        "kind": "work",
        "work.title": "网络查控",
        "work.text": "已冻结存款。",
        "work.evidence": "",
        "work.publish.audience": ["applicant"],
        "work.publish.not_before": "2026-12-01T08:30",
        "milestone.on": "",
    }
    saved = await http.post(f"{base}/acts", data=form, headers={"hx-request": "true"})
    assert (saved.status_code, saved.headers["hx-trigger"]) == (200, "stages-changed")
    assert "已记入执行日志" in saved.text
    event = (await told(kit, ProgressPublished))[0]
    assert event.not_before.isoformat() == "2026-12-01T00:30:00+00:00"
    assert event.notify is False
    plain = await http.post(f"{base}/acts", data={**form, "work.publish.audience": []})
    assert (plain.status_code, plain.headers["location"]) == (303, f"/cases/{case_id}")


async def test_a_form_sent_again_because_no_answer_came_acts_once(
    kit: Any, http: httpx.AsyncClient, case_id: UUID
) -> None:
    base = f"/stages/cases/{case_id}"
    keys = re.findall(r'name="_once" value="([^"]+)"', (await http.get(f"{base}/timeline")).text)
    assert len(keys) == len(set(keys)) >= 3
    form = {"kind": "work", "work.title": "网络查控", "work.text": "已冻结存款。", "_once": keys[0]}
    form |= {"work.publish.audience": "applicant", "work.publish.notify": "1"}
    for _ in range(2):
        saved = await http.post(f"{base}/acts", data=form, headers={"hx-request": "true"})
        assert (saved.status_code, saved.text.count("已冻结存款。")) == (200, 1)
    assert len(await told(kit, ProgressPublished)) == 1, "the parties are told once"
    await http.post(f"{base}/acts", data={**form, "work.text": "已冻结另一笔存款。"})
    await http.post(f"{base}/acts", data={**form, "_once": keys[1]})
    assert len(await told(kit, ProgressPublished)) == 3


async def test_the_form_says_what_to_do_about_an_early_notice(http: httpx.AsyncClient, case_id: UUID) -> None:
    form = {
        "kind": "work",
        "work.title": "网络查控",
        "work.text": "已冻结存款。",
        "work.publish.audience": ["applicant"],
        "work.publish.notify": "1",
        "work.publish.not_before": "2026-12-01T08:30",
    }
    page = await http.post(f"/stages/cases/{case_id}/acts", data=form)
    assert page.status_code == 422
    assert "最早公开时间尚未到" in page.text
    assert "2026-12-01T08:30" in page.text


async def test_faults_of_a_form_stand_at_its_fields(http: httpx.AsyncClient, case_id: UUID) -> None:
    base = f"/stages/cases/{case_id}/acts"
    form = {"kind": "milestone", "milestone.milestone": "service", "milestone.on": "2026-11-24"}
    problem = await http.post(base, data=form, headers={"hx-request": "true"})
    assert [each["field"] for each in problem.json()["errors"]] == ["milestone.evidence"]
    page = await http.post(base, data={**form, "milestone.evidence": "送达回证"})
    assert page.status_code == 422
    assert "日期不能晚于今天" in page.text
    assert "送达回证" in page.text


async def test_a_task_is_finished_on_the_page(kit: Any, http: httpx.AsyncClient, case_id: UUID) -> None:
    kit.clock.move(timedelta(days=5))
    await fire_due(kit)
    (task,) = (await http.get("/api/stages/tasks")).json()["items"]
    assert task["title"] in (await http.get("/work")).text
    form = {f"note-{task['id']}": "正在查找。", "back": "case"}
    done = await http.post(f"/work/tasks/{task['id']}/done", data=form)
    assert (done.status_code, done.headers["location"]) == (303, f"/cases/{case_id}")
    assert task["title"] not in (await http.get("/work")).text
