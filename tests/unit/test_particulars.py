"""What besides its number makes a case what it is: each period with its article, extensions, words, refused fields."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.case_intake.domain.filing import OWN_FIELDS, case_texts, own_fields, read_case
from services.case_intake.domain.limits import past_limits
from services.stage_tracking.domain.acts import ExtendLimit
from services.stage_tracking.domain.deadlines import CaseDates, Deadline, Figures, Longer, deadlines_of
from services.stage_tracking.domain.extending import Limit, extendable, extension_faults, refuse_extension
from shared.calendar.periods import Length, Unit
from shared.calendar.workdays import CourtCalendar
from shared.clock import end_of_day
from shared.contracts.case_kinds import KINDS, CaseKind, DeadlineKind, Particulars, kind_of
from shared.contracts.cases import CaseFacts
from shared.contracts.reviews import ReviewGround
from shared.errors import Conflict

CALENDAR = CourtCalendar()
FILED, RECEIVED = date(2026, 6, 10), date(2026, 6, 8)
OBJECTION, AGAIN = "（2026）渝05执异1号", "（2026）渝05执复1号"
PRESERVATION, RESUMED = "（2026）渝05执保1号", "（2026）渝05执恢1号"
GROUND = ReviewGround
CASE = {
    "filed_on": "2026-06-10",
    "basis_document": "（2025）渝05民终8685号",
    "basis_maker": "重庆市第五中级人民法院",
    "cause": "民间借贷纠纷",
}


def clock(number: str, said: Particulars, **more: Any) -> Deadline | None:
    dates = CaseDates(kind_of(number, said), FILED, **{"received_on": RECEIVED, **more})
    return next(iter(deadlines_of(dates, Figures(), CALENDAR)), None)


@pytest.mark.parametrize(
    ("number", "ground", "start", "due", "article"),
    [
        (OBJECTION, None, RECEIVED, date(2026, 6, 23), "《中华人民共和国民事诉讼法》第二百三十六条、第二百三十八条"),
        (OBJECTION, GROUND.CONDUCT, RECEIVED, date(2026, 6, 23), "《中华人民共和国民事诉讼法》第二百三十六条"),
        (OBJECTION, GROUND.THIRD_PARTY, RECEIVED, date(2026, 6, 23), "《中华人民共和国民事诉讼法》第二百三十八条"),
        (OBJECTION, GROUND.CHANGE_OF_PARTY, RECEIVED, date(2026, 8, 7), "变更、追加当事人若干问题的规定》第二十八条"),
        (OBJECTION, GROUND.AWARD_REFUSAL, FILED, date(2026, 8, 10), "仲裁裁决执行案件若干问题的规定》第十二条"),
        (OBJECTION, GROUND.NOTARIAL_REFUSAL, FILED, date(2026, 8, 10), "公证债权文书执行若干问题的规定》第十六条"),
        (AGAIN, None, RECEIVED, date(2026, 7, 8), "执行程序若干问题的解释》第八条"),
        (AGAIN, GROUND.CONDUCT, RECEIVED, date(2026, 7, 8), "执行程序若干问题的解释》第八条"),
        (AGAIN, GROUND.CHANGE_OF_PARTY, RECEIVED, date(2026, 8, 7), "变更、追加当事人若干问题的规定》第三十一条"),
        (AGAIN, GROUND.AWARD_REFUSAL, RECEIVED, date(2026, 7, 8), "执行程序若干问题的解释》第八条"),
        (
            AGAIN,
            GROUND.THIRD_PARTY,
            RECEIVED,
            date(2026, 7, 8),
            "执行程序若干问题的解释》第八条",
        ),
    ],
)
def test_how_long_a_review_may_take(
    number: str, ground: ReviewGround | None, start: date, due: date, article: str
) -> None:
    found = clock(number, Particulars(ground=ground))
    assert found is not None
    assert (found.start_on, found.due_on) == (start, due)
    assert article in found.article


@pytest.mark.parametrize("ground", list(GROUND))
def test_a_review_that_counts_from_the_filing_waits_for_no_day_of_receipt(ground: ReviewGround) -> None:
    from_filing = ground in {GROUND.AWARD_REFUSAL, GROUND.NOTARIAL_REFUSAL}
    found = clock(OBJECTION, Particulars(ground=ground), received_on=None)
    assert (found is not None) is from_filing
    dates = CaseDates(kind_of(OBJECTION, Particulars(ground=ground)), FILED)
    assert bool(dates.waiting) is not from_filing


@pytest.mark.parametrize(
    ("number", "ground", "most", "due", "article"),
    [
        (OBJECTION, None, None, None, ""),
        (OBJECTION, GROUND.CONDUCT, None, None, ""),
        (OBJECTION, GROUND.THIRD_PARTY, None, None, ""),
        (OBJECTION, GROUND.CHANGE_OF_PARTY, Length(60), date(2026, 10, 8), "第二十八条"),  # 6 October: National Day
        (OBJECTION, GROUND.AWARD_REFUSAL, Length(1, Unit.MONTH), date(2026, 9, 10), "第十二条"),
        (OBJECTION, GROUND.NOTARIAL_REFUSAL, Length(30), date(2026, 9, 9), "第十六条"),
        (AGAIN, None, Length(30), date(2026, 8, 7), "第八条"),
        (AGAIN, GROUND.CONDUCT, Length(30), date(2026, 8, 7), "第八条"),
        (AGAIN, GROUND.CHANGE_OF_PARTY, Length(60), date(2026, 10, 8), "第三十一条"),
    ],
)
def test_by_how_much_a_review_may_be_longer(
    number: str, ground: ReviewGround | None, most: Length | None, due: date | None, article: str
) -> None:
    said = Particulars(ground=ground)
    kind, plain = kind_of(number, said), clock(number, said)
    assert plain is not None
    law = kind.extension_of(plain.kind)
    assert (law and law.most) == most
    if law is None or most is None:
        return
    assert (article in law.article, law.approver) == (True, "院长")
    longer = {(plain.kind, law.article): Longer(most, law.article, date(2026, 6, 15))}
    found = clock(number, said, longer=longer)
    assert found is not None
    assert found.due_on == due
    assert found.due_at == end_of_day(found.due_on)
    assert f"2026年6月15日经院长批准延长{most.words}" in found.rule
    # What was approved by another law moves nothing.
    other = clock(number, said, longer={(plain.kind, "别的条文"): Longer(most, "别的条文", date(2026, 6, 15))})
    assert other == plain


def test_the_courts_own_limit_may_be_longer_by_its_division_chief_and_its_reminder_follows() -> None:
    enforcement, court = KINDS["执"], DeadlineKind.COURT_LIMIT
    law = enforcement.extension_of(court)
    assert law is not None
    assert (law.most, law.approver) == (Length(3, Unit.MONTH), "庭长")
    longer = {(court, law.article): Longer(Length(2, Unit.MONTH), law.article, date(2026, 9, 8))}
    found = {
        each.kind: each for each in deadlines_of(CaseDates(enforcement, FILED, longer=longer), Figures(), CALENDAR)
    }
    assert found[court].due_on == date(2026, 11, 10)
    assert found[court].article == law.article
    assert "经庭长批准延长2个月" in found[court].rule
    assert found[DeadlineKind.COURT_LIMIT_REMINDER].due_on == date(2026, 11, 3)
    assert found[DeadlineKind.STATUTORY_LIMIT].due_on == date(2026, 12, 10)


def test_the_statutory_limit_may_be_three_months_longer_and_no_other_limit_of_the_law() -> None:
    enforcement = KINDS["执"]
    laws = {each: enforcement.extension_of(each) for each in enforcement.clocks}
    assert {each for each, law in laws.items() if law} == {DeadlineKind.COURT_LIMIT, DeadlineKind.STATUTORY_LIMIT}
    law = laws[DeadlineKind.STATUTORY_LIMIT]
    assert law is not None
    assert (law.most, law.approver) == (Length(3, Unit.MONTH), "院长或者副院长")
    longer = {(DeadlineKind.STATUTORY_LIMIT, law.article): Longer(law.most, law.article, date(2026, 12, 8))}
    found = deadlines_of(CaseDates(enforcement, FILED, longer=longer), Figures(), CALENDAR)
    due = next(each for each in found if each.kind is DeadlineKind.STATUTORY_LIMIT)
    assert due.due_on == date(2027, 3, 10)
    assert "法释〔2000〕29号" in due.article


LIMIT = Limit(DeadlineKind.RECONSIDERATION_DECISION, RECEIVED, date(2026, 7, 8), met=False)
DEED = ExtendLimit(LIMIT.kind, 30, "王院长", date(2026, 7, 1), "案情复杂。", "审批表1号")


def test_an_extension_is_refused_where_the_law_knows_none_twice_or_too_late() -> None:
    again, objection = kind_of(AGAIN), kind_of(OBJECTION)
    law = refuse_extension(again, LIMIT.kind, LIMIT, {})
    taken = {(LIMIT.kind, law.article): Longer(law.most, law.article, RECEIVED)}
    assert extendable(again, [LIMIT], {}) == {LIMIT.kind: law}
    assert extendable(again, [LIMIT], taken) == {}
    met = Limit(LIMIT.kind, RECEIVED, LIMIT.due_on, met=True)
    for refused, limit, extended, code in (
        (again, LIMIT, taken, "limit_extended_already"),
        (again, None, {}, "limit_not_running"),
        (again, met, {}, "limit_over"),
        (KINDS["执"], LIMIT, {}, "limit_not_extendable"),
    ):
        with pytest.raises(Conflict, match=code):
            refuse_extension(refused, LIMIT.kind, limit, extended)
    with pytest.raises(Conflict, match="请先补填") as unsaid:
        refuse_extension(objection, DeadlineKind.OBJECTION_DECISION, LIMIT, {})
    assert unsaid.value.code == "limit_not_extendable"
    conduct = kind_of(OBJECTION, Particulars(ground=GROUND.CONDUCT))
    with pytest.raises(Conflict) as never:
        refuse_extension(conduct, DeadlineKind.OBJECTION_DECISION, LIMIT, {})
    assert "补填" not in never.value.detail


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"count": 31}, ["extend.count"]),
        ({"count": 0}, ["extend.count"]),
        ({"approved_on": date(2026, 7, 8)}, []),
        ({"approved_on": date(2026, 7, 9)}, ["extend.approved_on"]),
        ({"approved_on": RECEIVED - timedelta(days=1)}, ["extend.approved_on"]),
        ({"approved_on": date(2026, 7, 20)}, ["extend.approved_on"]),
    ],
)
def test_an_approval_gives_no_more_than_the_law_and_comes_in_time(changes: dict[str, Any], fields: list[str]) -> None:
    law = kind_of(AGAIN).extension_of(LIMIT.kind)
    assert law is not None
    deed = ExtendLimit(**{**{name: getattr(DEED, name) for name in DEED.__dataclass_fields__}, **changes})
    found = extension_faults(deed, LIMIT, law.most, date(2026, 7, 15))
    assert [fault.field for fault in found] == fields


def test_an_urgent_preservation_begins_at_once_and_another_within_five_days() -> None:
    plain = clock(PRESERVATION, Particulars())
    assert plain is not None
    assert (plain.start_on, plain.due_on) == (RECEIVED, date(2026, 6, 15)), "13 June is a Saturday"
    assert "紧急" not in plain.rule
    assert "立案" not in plain.rule
    later = clock(PRESERVATION, Particulars(), received_on=date(2026, 6, 3))
    assert later is not None
    assert later.due_on == date(2026, 6, 8), "from the receipt, a week before the filing"
    at_once = clock(PRESERVATION, Particulars(urgent=True), received_on=date(2026, 6, 19))
    assert at_once is not None
    assert at_once.due_on == date(2026, 6, 20), "48 hours from a Friday end on the Saturday, and never move"
    assert at_once.due_at == end_of_day(date(2026, 6, 20))
    assert not at_once.provisional
    assert "第一百零三条" in at_once.article


@pytest.mark.parametrize("urgent", [False, True])
def test_no_preservation_counts_from_a_day_that_nobody_said(urgent: bool) -> None:
    assert clock(PRESERVATION, Particulars(urgent=urgent), received_on=None) is None
    assert CaseDates(kind_of(PRESERVATION, Particulars(urgent=urgent)), FILED).waiting == (
        DeadlineKind.PRESERVATION_BEGIN,
    )
    case = read_case({**CASE, "case_number": PRESERVATION, "urgent": "是" if urgent else ""}, "渝05", FILED)[0]
    assert past_limits(case, date(2026, 9, 1), CALENDAR) == []


def test_five_days_count_from_the_security_and_the_48_hours_never_do() -> None:
    given_on = FILED + timedelta(days=9)
    plain = clock(PRESERVATION, Particulars(), secured_on=given_on)
    assert plain is not None
    assert (plain.start_on, plain.due_on) == (given_on, date(2026, 6, 24))
    alone = clock(PRESERVATION, Particulars(), received_on=None, secured_on=given_on)
    assert alone is not None
    assert alone.due_on == plain.due_on
    urgent = clock(PRESERVATION, Particulars(urgent=True), secured_on=given_on)
    assert urgent is not None
    assert urgent.start_on == RECEIVED
    assert clock(PRESERVATION, Particulars(urgent=True), received_on=None, secured_on=given_on) is None


def test_security_is_given_after_the_application_perhaps_after_the_filing_and_never_tomorrow() -> None:
    def faults(received_on: str, secured_on: str) -> list[str]:
        texts = {**CASE, "case_number": PRESERVATION, "received_on": received_on, "secured_on": secured_on}
        return [fault.field for fault in read_case(texts, "渝05", date(2026, 6, 20))[1]]

    assert faults("2026-06-08", "2026-06-19") == [], "the filing was on the 10th"
    assert faults("", "2026-06-19") == []
    assert faults("2026-06-08", "2026-06-07") == ["secured_on"]
    assert faults("2026-06-08", "2026-06-21") == ["secured_on"]
    texts = {**CASE, "case_number": PRESERVATION, "received_on": "2026-06-01", "secured_on": "2026-06-19"}
    entry = read_case(texts, "渝05", date(2026, 6, 20))[0]
    assert past_limits(entry, date(2026, 6, 20), CALENDAR) == []
    assert read_case(case_texts(entry), "渝05", date(2026, 6, 20))[0] == entry


def test_the_words_of_a_limit_follow_what_is_known() -> None:
    assert kind_of(PRESERVATION).limit == (
        "裁定采取保全措施的，自收到保全申请之日起五日内开始执行；须提供担保的，自提供担保之日起算。"
    )
    urgent = kind_of(PRESERVATION, Particulars(urgent=True)).limit
    assert ("立即开始执行" in urgent, "五日" in urgent) == (True, False)
    for number in (OBJECTION, AGAIN):
        assert kind_of(number).limit == "审查期限依审查事由确定；事由登记后，本院另行告知。"
        assert kind_of(number).awaits_ground
    conduct = kind_of(OBJECTION, Particulars(ground=GROUND.CONDUCT))
    assert (conduct.limit, conduct.awaits_ground) == ("自收到书面异议之日起15日内审查。", False)
    assert kind_of(AGAIN, Particulars(ground=GROUND.CONDUCT)).limit.startswith("自收到复议申请之日起30日内审查")
    award = kind_of(OBJECTION, Particulars(ground=GROUND.AWARD_REFUSAL)).limit
    assert award == "自立案之日起2个月内审查；有特殊情况的，经本院院长批准可以延长，最长1个月。"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.type)
def test_what_belongs_to_other_kinds_says_nothing_and_is_refused(kind: CaseKind) -> None:
    every = Particulars(urgent=True, ground=GROUND.CHANGE_OF_PARTY, report_ordered=True)
    number = f"（2026）渝05{kind.type}1号"
    assert (kind_of(number, every) == kind) is (not set(own_fields(kind)) - {"non_litigation"})
    given = {
        "non_litigation": "是",
        "urgent": "是",
        "ground": "变更、追加当事人",
        "report_ordered": "是",
        "secured_on": "2026-06-10",
    }
    main = "" if kind.type == "执" else "（2025）渝05执7号"
    texts = {**CASE, "case_number": number, "main_case": main}
    entry, found = read_case({**texts, **given}, "渝05", FILED)
    assert {fault.field for fault in found} == set(OWN_FIELDS) - set(own_fields(kind))
    assert all("请留空" in fault.reason for fault in found)
    none = {"non_litigation": "否", "urgent": "否", "ground": "", "report_ordered": "否", "secured_on": ""}
    assert read_case({**texts, **none}, "渝05", FILED)[1] == []
    again = read_case(case_texts(entry), "渝05", FILED)[0]
    assert (again.urgent, again.ground, again.report_ordered) == (entry.urgent, entry.ground, entry.report_ordered)


def test_a_ground_is_typed_in_words_or_by_name_and_must_be_one_of_its_kind() -> None:
    def read(number: str, ground: str) -> tuple[ReviewGround | None, list[str]]:
        entry, faults = read_case({**CASE, "case_number": number, "ground": ground}, "渝05", FILED)
        return entry.ground, [fault.field for fault in faults]

    assert read(OBJECTION, "案外人异议") == (GROUND.THIRD_PARTY, [])
    assert read(OBJECTION, "award_refusal") == (GROUND.AWARD_REFUSAL, [])
    assert read(OBJECTION, "别的事由") == (None, ["ground"])
    assert read(AGAIN, "案外人异议")[1] == ["ground"], "a third party goes to court, not to the upper court"


@pytest.mark.parametrize(
    ("number", "said", "today", "rule"),
    [
        (PRESERVATION, {"urgent": "是"}, date(2026, 6, 10), "48小时内"),
        (PRESERVATION, {"urgent": "否"}, date(2026, 6, 16), "5日内开始"),
        (OBJECTION, {"ground": "conduct"}, date(2026, 6, 24), "自收到书面异议之日起15日内审查"),
        (OBJECTION, {"ground": "award_refusal"}, date(2026, 8, 11), "自立案之日起2个月内审查"),
        (AGAIN, {"ground": "change_of_party"}, date(2026, 8, 8), "自收到复议申请之日起60日内审查"),
    ],
)
def test_the_preview_of_an_import_counts_as_the_clocks_do(
    number: str, said: dict[str, str], today: date, rule: str
) -> None:
    case, faults = read_case({**CASE, "received_on": "2026-06-08", "case_number": number, **said}, "渝05", FILED)
    assert faults == []
    assert past_limits(case, today - timedelta(days=1), CALENDAR) == []
    assert [limit.rule.startswith(rule) for limit in past_limits(case, today, CALENDAR)] == [True]


def test_what_was_told_before_there_were_particulars_is_still_read() -> None:
    old = {"case_number": OBJECTION, "filed_on": "2026-06-10", "basis_document": "x", "basis_maker": "y", "cause": "z"}
    facts = CaseFacts.model_validate(old)
    assert (facts.urgent, facts.ground, facts.report_ordered) == (False, None, False)
