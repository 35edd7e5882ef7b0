"""Every text to a party, for each kind of notice, role, minor, way and kind of case, says only what is kept."""

import html
import importlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.party_notification.domain.notices import CaseFacts, Kind, PartyFacts, Role, ServiceWay
from services.party_notification.domain.owed import due_for_party
from services.party_notification.domain.sms_texts import (
    all_plans,
    correction_templates,
    fitting,
    retraction_template,
    sms_templates,
)
from services.party_notification.render import Renderer
from shared.contracts.case_kinds import KINDS, NOTHING_SAID, Particulars
from shared.contracts.reviews import OBJECTIONS, RECONSIDERATIONS, ReviewGround
from tests.fixtures.notice_facts import APPLICANT, CASE, CHILD, COURT, QUERY_CODE, RESPONDENT, SITE, notice, travelling

RENDERER = Renderer(COURT, SITE)
SAID = {
    "执恢": [Particulars(report_ordered=True)],
    "执保": [Particulars(urgent=True)],
    "执异": [Particulars(ground=ground) for ground in OBJECTIONS],
    "执复": [Particulars(ground=ground) for ground in RECONSIDERATIONS],
}
CASES = [
    replace(CASE, case_number=f"（2026）渝05{code}12345号", main_case=main, particulars=said)
    for code in KINDS
    for main in (None, "（2026）渝05执7号")
    for said in (NOTHING_SAID, *SAID.get(code, []))
]
PARTIES = [APPLICANT, RESPONDENT, CHILD, replace(CHILD, role=Role.APPLICANT)]
NEVER = {
    "nobody reads replies": r"请回复|回复确认收到|查阅并回复|回复收悉",
    "nothing tells of a change": r"将及时通知|及时告知你方",
    "nothing tells of the result": r"将处理结果告知|告知处理结果",
    "not every party has a telephone": r"用短信提醒",
}
THREATS = r"拘留|罚款|失信|媒体公布|信用惩戒|征信|刑事责任|限制(?:你方的)?消费|限制出境|曝光"
OF_ENFORCEMENT = r"执行通知书|报告财产令|财产调查表|责令你方|强制执行|被执行人|申请执行人"
PROMISES = {
    r"纸质(?:文书|版)将邮寄": "services.party_notification.usecases.planning:to_paper",
    r"将另行送达": "services.party_notification.usecases.issuing:settle_debts",
    r"将依法强制执行": "services.stage_tracking.domain.acts:Work",
    r"将依照《最高人民法院关于公布失信": "services.stage_tracking.domain.acts:Work",
    r"将你方纳入失信被执行人名单": "services.stage_tracking.domain.acts:Work",
    r"不再(?:就该案)?向您发送": "services.party_notification.usecases.disowning:disown",
    r"将款项交给个人": "services.party_notification.domain.notices:CaseAccount",
}
"""What a text says of the future, and the mechanism that keeps it."""


def letters(case: CaseFacts, party: PartyFacts) -> Iterator[str]:
    owed = [due.kind for due in due_for_party(case, party) if due.waits is None]
    for kind in [*owed, Kind.PROGRESS]:
        for way in ServiceWay:
            page = RENDERER.letter(kind, case, travelling(party, way), notice(kind, party), QUERY_CODE)
            yield _plain(page.decode())
    for way in (way for way in ServiceWay if way.by_mail):
        for kinds in ([owed] if owed else []) + [[Kind.PROGRESS]] + [owed[1:]] * bool(owed[1:]):
            mail = RENDERER.mail(travelling(party, way), case, [notice(kind, party) for kind in kinds], QUERY_CODE)
            yield f"{mail.subject}\n{mail.text}"
            yield _plain(mail.html)


def _plain(page: str) -> str:
    body = re.sub(r"<style>.*?</style>|data:image[^\"]*", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", body))


EVERY = [(case, party) for case in CASES for party in PARTIES]


@pytest.mark.parametrize(("case", "party"), EVERY, ids=lambda each: getattr(each, "case_number", ""))
def test_no_letter_or_mail_says_what_is_not_kept(case: CaseFacts, party: PartyFacts) -> None:
    for text in letters(case, party):
        for why, sentence in NEVER.items():
            assert not re.search(sentence, text), why
        if party.minor and party.role is Role.RESPONDENT:
            assert not re.search(THREATS, text), re.findall(f".{{20}}(?:{THREATS}).{{10}}", text)
        if case.kind_of_case.enforces and party.role is Role.RESPONDENT:
            assert "不需要做什么" not in text
        if not case.kind_of_case.enforces:
            assert not re.search(OF_ENFORCEMENT, text), re.findall(f".{{20}}(?:{OF_ENFORCEMENT})", text)
        if not case.kind_of_case.orders_report:
            assert "报告财产令" not in text
        kept = re.sub("|".join(PROMISES), "", text)
        assert not re.search(r"本院将|将(?:另行|通知|告知|发送|答复|处理)", kept), kept


def test_every_promise_has_the_mechanism_that_keeps_it() -> None:
    for place in PROMISES.values():
        module, name = place.split(":")
        assert hasattr(importlib.import_module(module), name), place


@pytest.mark.parametrize("code", KINDS)
def test_no_sms_says_what_is_not_kept(code: str) -> None:
    case = replace(CASE, case_number=f"（2026）渝05{code}12345号")
    for plan in all_plans([f"渝05{code}"]):
        text = fitting(sms_templates(plan, COURT), case, COURT, QUERY_CODE).text
        for why, sentence in NEVER.items():
            assert not re.search(sentence, text), why
        assert ("已发至" in text) is plan.taken, text
        owes = plan.role is Role.RESPONDENT and plan.case_kind.enforces
        assert not (owes and "不需要做什么" in text), text
        assert plan.case_kind.enforces or not re.search(OF_ENFORCEMENT, text), text
    for template in (*correction_templates(f"渝05{code}", COURT), retraction_template(f"渝05{code}", COURT)):
        assert not any(re.search(sentence, template) for sentence in NEVER.values())


def test_what_a_filing_owes_by_kind_of_case() -> None:
    owed = {
        code: (
            [due.kind.value for due in due_for_party(replace(CASE, case_number=f"（2026）渝05{code}1号"), APPLICANT)],
            [due.kind.value for due in due_for_party(replace(CASE, case_number=f"（2026）渝05{code}1号"), RESPONDENT)],
        )
        for code in KINDS
    }
    enforced = (
        ["CASE_ACCEPTED", "RIGHTS_RISKS", "INTEGRITY_CARD"],
        ["ENFORCEMENT_NOTICE", "RIGHTS_RISKS", "INTEGRITY_CARD"],
    )
    both = ["HANDLING", "INTEGRITY_CARD"]
    assert owed == {
        "执": enforced,
        "执恢": enforced,
        "执保": (both, []),  # whoever is to be secured against is not warned
        "执异": (both, both),
        "执复": (both, both),
        "执监": (both, both),
        "执协": ([], []),
        "执他": ([], []),
    }


def test_a_resumption_says_what_is_resumed() -> None:
    case = replace(CASE, case_number="（2026）渝05执恢12345号", main_case="（2024）渝05执7号")
    for kind, party in ((Kind.CASE_ACCEPTED, APPLICANT), (Kind.ENFORCEMENT_NOTICE, RESPONDENT)):
        text = _plain(RENDERER.letter(kind, case, party, notice(kind, party), QUERY_CODE).decode())
        assert "立案恢复执行（原执行案号（2024）渝05执7号）" in text


def test_a_resumption_waits_for_what_is_resumed() -> None:
    for code, waiting in (("执", False), ("执恢", True)):
        case = replace(CASE, case_number=f"（2026）渝05{code}12345号", main_case=None)
        for party in (APPLICANT, RESPONDENT):
            due = {each.kind: each.waits for each in due_for_party(case, party)}
            held = {kind for kind, waits in due.items() if waits}
            assert held == ({Kind.CASE_ACCEPTED, Kind.ENFORCEMENT_NOTICE} & set(due) if waiting else set())
            for kind in held:
                waits = due[kind]
                assert waits is not None
                assert (waits.fields, waits.owner) == (("原执行案号",), "clerk")


def test_a_resumption_offers_no_periods_anew_that_ran_from_the_first_notice() -> None:
    for code, offered in (("执", True), ("执恢", False)):
        case = replace(CASE, case_number=f"（2026）渝05{code}12345号", main_case="（2024）渝05执7号")
        for kind in (Kind.ENFORCEMENT_NOTICE, Kind.RIGHTS_RISKS):
            letter = RENDERER.letter(kind, case, RESPONDENT, notice(kind, RESPONDENT), QUERY_CODE)
            text = _plain(letter.decode())
            assert ("管辖权有异议" in text, "不予执行情形" in text) == (offered, offered), (code, kind)
            assert "提出书面异议" in text


def handling(code: str, said: Particulars) -> str:
    case = replace(CASE, case_number=f"（2026）渝05{code}12345号", main_case="（2026）渝05执7号", particulars=said)
    return _plain(
        RENDERER.letter(Kind.HANDLING, case, APPLICANT, notice(Kind.HANDLING, APPLICANT), QUERY_CODE).decode()
    )


def test_a_preservation_is_told_the_one_limit_that_is_true_of_it() -> None:
    plain, urgent = handling("执保", NOTHING_SAID), handling("执保", Particulars(urgent=True))
    assert "办理期限：裁定采取保全措施的，自收到保全申请之日起五日内开始执行；须提供担保的" in plain
    assert not re.search("紧急|立即开始|四十八小时", plain)
    assert "四十八小时内作出，裁定采取保全措施的，立即开始执行" in urgent
    assert "五日" not in urgent


@pytest.mark.parametrize(
    ("code", "ground", "limit"),
    [
        ("执异", None, "审查期限依审查事由确定；事由登记后，本院另行告知。"),
        ("执异", ReviewGround.CONDUCT, "自收到书面异议之日起15日内审查。"),
        ("执异", ReviewGround.THIRD_PARTY, "自收到书面异议之日起15日内审查。"),
        ("执异", ReviewGround.CHANGE_OF_PARTY, "自收到书面申请之日起60日内审查；有特殊情况的"),
        (
            "执异",
            ReviewGround.AWARD_REFUSAL,
            "自立案之日起2个月内审查；有特殊情况的，经本院院长批准可以延长，最长1个月。",
        ),
        (
            "执异",
            ReviewGround.NOTARIAL_REFUSAL,
            "自受理之日起60日内审查；有特殊情况的，经本院院长批准可以延长，最长30日。",
        ),
        ("执复", None, "审查期限依审查事由确定；事由登记后，本院另行告知。"),
        (
            "执复",
            ReviewGround.CONDUCT,
            "自收到复议申请之日起30日内审查；有特殊情况的，经本院院长批准可以延长",
        ),
        ("执复", ReviewGround.CHANGE_OF_PARTY, "自收到复议申请之日起60日内审查"),
    ],
)
def test_the_limit_of_a_review_follows_its_ground(code: str, ground: ReviewGround | None, limit: str) -> None:
    text = handling(code, Particulars(ground=ground))
    assert f"办理期限：{limit}" in text
    assert ("审查事由：" in text) is (ground is not None)
    assert ground is None or f"审查事由：{ground.label}" in text
    assert ground is not None or not re.search(r"\d日", text.partition("办理期限")[2].partition("。")[0])


def test_a_resumption_orders_a_report_only_when_it_is_said() -> None:
    case = replace(CASE, case_number="（2026）渝05执恢12345号", main_case="（2024）渝05执7号")

    def letter(case: CaseFacts) -> str:
        kind = Kind.ENFORCEMENT_NOTICE
        return _plain(RENDERER.letter(kind, case, RESPONDENT, notice(kind, RESPONDENT), QUERY_CODE).decode())

    assert "报告财产" not in letter(case).replace("违反财产报告制度", "")
    ordered = letter(replace(case, particulars=Particulars(report_ordered=True)))
    assert "按照后附的《报告财产令》" in ordered
    assert "责令你方再次报告财产" in ordered
    assert "立案恢复执行申请执行人" in ordered
    assert "附件：报告财产令、被执行人财产调查表" in ordered


PAGES = Path(__file__).parents[2] / "services" / "party_notification" / "templates"


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.html")), ids=lambda path: path.name)
def test_no_page_or_template_holds_such_a_sentence(path: Path) -> None:
    text = path.read_text()
    for why, sentence in NEVER.items():
        assert not re.search(sentence, text), why
