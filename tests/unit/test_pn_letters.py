"""Every letter and mail, for every role and way of service, says what the law and the court ask of it."""

import html
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.party_notification.domain.notices import Kind, PartyFacts, Role, ServiceWay
from services.party_notification.domain.wording import VERIFY_PAGE, as_item
from services.party_notification.render import NOT_ME_PATH, PARTY_PATH, VERIFY_PATH, Renderer, cn_date, formal_date
from shared.errors import Conflict
from tests.fixtures.notice_facts import (
    APPLICANT,
    CASE,
    CHILD,
    COURT,
    QUERY_CODE,
    RESPONDENT,
    SITE,
    notice,
    travelling,
)

RENDERER = Renderer(COURT, SITE)
FIRST = replace(CASE, case_number="（2026）渝05执12345号")
KINDS_OF = {
    Role.APPLICANT: [Kind.CASE_ACCEPTED, Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD, Kind.PROGRESS],
    Role.RESPONDENT: [Kind.ENFORCEMENT_NOTICE, Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD],
}
EVERY = [
    (party, kind, way)
    for party in (APPLICANT, RESPONDENT, CHILD)
    for kind in KINDS_OF[party.role]
    for way in ServiceWay
]
WAY_SENTENCE = {
    ServiceWay.ELECTRONIC: "发至您确认的电子送达地址",
    ServiceWay.ELECTRONIC_UNCONFIRMED: "发至您的电子邮箱，请登录网页阅读",
    ServiceWay.PAPER: "邮寄至您的送达地址：重庆市沙坪坝区三峡广场128号",
    ServiceWay.COLLECT: "请与承办人联系领取",
}


def letter(party: PartyFacts, kind: Kind, case=CASE, renderer: Renderer = RENDERER) -> str:
    page = renderer.letter(kind, case, party, notice(kind, party), QUERY_CODE).decode()
    return html.unescape(page)


@pytest.mark.parametrize(("party", "kind", "way"), EVERY)
def test_every_letter_carries_the_common_fields(party: PartyFacts, kind: Kind, way: ServiceWay) -> None:
    text = letter(travelling(party, way), kind)
    for needed in (
        COURT.name, kind.label, CASE.case_number, party.name, party.role.label, "启动合议庭", "欧阳建国",
        "李小红", "023-12345678", COURT.supervision_phone, "12368", "7319-2044-8812-0635", f"“{VERIFY_PAGE}”",
        QUERY_CODE, "data:image/png;base64,", COURT.address,
    ):  # fmt: skip
        assert needed in text, needed
    for other, sentence in WAY_SENTENCE.items():
        assert (sentence in text) is (other is way), sentence
    day = date(2026, 6, 16)
    assert (cn_date(day) if kind is Kind.INTEGRITY_CARD else formal_date(day)) in text
    assert ("（院印）" in text) is (kind is not Kind.INTEGRITY_CARD)


CARD = "监督卡编号 其他违反纪律的情形 监察部门"
SAYS = {
    (Role.APPLICANT, Kind.CASE_ACCEPTED): (
        "（2025）渝05民终8685号 624,998.14元 2026年6月14日 2026年12月14日 第二百三十七条 10日内 七日内 张静 "
        "财产调查表 收款账户确认书 立案恢复执行"
    ),
    (Role.RESPONDENT, Kind.ENFORCEMENT_NOTICE): (
        "第二百五十一条 第二百六十四条 第四百八十条 向申请执行人支付人民币624998.14元及逾期利息； 刘艳 申请执行费 "
        f"加倍支付迟延履行期间的债务利息 日万分之一点七五 第二百四十八条 第二百四十九条 申请不予执行 "
        f"{COURT.account.name} {COURT.account.bank} {COURT.account.number} "
        "不得向其他任何账户付款 失信被执行人名单 限制你方的消费 十日内提出 第二百三十六条 报告财产令 第二百五十二条 "
        "收到执行通知之日前一年 应当自变动之日起十日内 罚款、拘留 被执行人财产调查表"
    ),
    (Role.APPLICANT, Kind.RIGHTS_RISKS): (
        "第四十七条至第五十条 第二百三十七条 悬赏 第五百一十七条 第四百八十五条 私自会见"
    ),
    (Role.RESPONDENT, Kind.RIGHTS_RISKS): (
        "第四十七条至第五十条 第二百五十五条 第二百六十四条 第二百六十六条 生活必需 私自会见"
    ),
    (Role.APPLICANT, Kind.INTEGRITY_CARD): CARD,
    (Role.RESPONDENT, Kind.INTEGRITY_CARD): CARD,
    (Role.APPLICANT, Kind.PROGRESS): (
        "2026年6月20日 查询不动产、车辆登记 查得不动产一处 委托评估 第12号 你方现在不需要做什么"
    ),
}


@pytest.mark.parametrize(("role", "kind"), SAYS)
def test_each_kind_says_what_it_must(role: Role, kind: Kind) -> None:
    case = FIRST if role is Role.RESPONDENT else CASE
    text = re.sub(r"</?strong>", "", letter(APPLICANT if role is Role.APPLICANT else RESPONDENT, kind, case))
    for needed in SAYS[role, kind].split(" "):
        assert needed in text, needed


def test_the_applicants_rights_are_not_the_respondents() -> None:
    applicant, respondent = letter(APPLICANT, Kind.RIGHTS_RISKS), letter(RESPONDENT, Kind.RIGHTS_RISKS, FIRST)
    assert "悬赏" not in respondent
    assert "管辖权有异议" in respondent
    assert "管辖权有异议" not in applicant


def test_only_the_letter_that_needs_it_names_the_other_side() -> None:
    for kind in (Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD, Kind.PROGRESS):
        assert "张静" not in letter(APPLICANT, kind)


@pytest.mark.parametrize("kind", KINDS_OF[Role.RESPONDENT])
def test_a_minors_letter_addresses_the_guardian_and_threatens_no_listing(kind: Kind) -> None:
    text = letter(CHILD, kind)
    assert "张小宝的法定代理人张大明" in text
    assert "19900000007" not in text
    assert "失信被执行人名单" not in text


@pytest.mark.parametrize(("party", "kind", "way"), EVERY)
def test_no_letter_shows_a_telephone_or_mail_address_of_a_party(party, kind, way) -> None:
    text = letter(travelling(party, way), kind)
    assert "1990000" not in text
    assert "@example" not in text


@pytest.mark.parametrize("kind", Kind)
def test_without_the_supervision_hotline_nothing_renders(kind: Kind) -> None:
    party = RESPONDENT if kind is Kind.ENFORCEMENT_NOTICE else APPLICANT
    with pytest.raises(Conflict, match="监督举报电话"):
        letter(party, kind, renderer=Renderer(replace(COURT, supervision_phone=" "), SITE))
    with pytest.raises(Conflict, match="监督举报电话"):
        Renderer(replace(COURT, supervision_phone=""), SITE).mail(party, CASE, [notice(kind)], QUERY_CODE)


def test_a_template_that_forgets_the_hotline_is_caught(tmp_path: Path) -> None:
    (tmp_path / "progress").mkdir()
    (tmp_path / "progress" / "letter.html").write_text("{{ court.name }}", encoding="utf-8")
    with pytest.raises(Conflict, match="模板"):
        letter(APPLICANT, Kind.PROGRESS, renderer=Renderer(COURT, SITE, tmp_path))


def test_a_notice_that_waits_does_not_render() -> None:
    with pytest.raises(Conflict, match="应履行义务"):
        letter(RESPONDENT, Kind.ENFORCEMENT_NOTICE, replace(CASE, obligation=None))
    with pytest.raises(Conflict, match="执行日志"):
        RENDERER.letter(Kind.PROGRESS, CASE, APPLICANT, replace(notice(Kind.PROGRESS), progress=None), QUERY_CODE)


def test_what_is_not_known_is_left_out_not_invented() -> None:
    bare = replace(CASE, claim_amount=None, clerk_name=None, panel=None, department=None, statutory_due=None)
    text = letter(APPLICANT, Kind.CASE_ACCEPTED, bare)
    for absent in ("None", "人民币", "书记员", "合议庭", "一般应于"):
        assert absent not in text
    assert "应当在法律规定的期限内办结" in text


def test_a_first_filing_is_not_a_resumption() -> None:
    text = letter(APPLICANT, Kind.CASE_ACCEPTED, replace(CASE, case_number="（2026）渝05执1号"))
    assert "立案执行" in text
    assert "恢复执行" not in text


def test_paper_after_a_failed_mail_stays_true() -> None:
    on_paper = replace(notice(Kind.CASE_ACCEPTED), way=ServiceWay.PAPER)
    text = RENDERER.letter(Kind.CASE_ACCEPTED, CASE, APPLICANT, on_paper, QUERY_CODE).decode()
    assert "邮寄至您的送达地址：重庆市沙坪坝区" in text
    assert "电子送达地址" not in text


def test_what_a_party_wrote_cannot_become_markup() -> None:
    page = RENDERER.letter(
        Kind.RIGHTS_RISKS, CASE, replace(APPLICANT, name="<script>x</script>"), notice(Kind.RIGHTS_RISKS), QUERY_CODE
    ).decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_enclosures_are_named_only_when_they_travel_along() -> None:
    with_both = replace(notice(Kind.CASE_ACCEPTED), enclosures=(Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD))
    page = RENDERER.letter(Kind.CASE_ACCEPTED, CASE, APPLICANT, with_both, QUERY_CODE).decode()
    assert "《权利义务及执行风险告知书》《廉政监督卡》" in page
    assert "廉政监督卡" not in letter(APPLICANT, Kind.CASE_ACCEPTED)


def test_letters_load_nothing_from_outside() -> None:
    for party, kind, way in EVERY:
        page = letter(travelling(party, way), kind)
        assert not re.search(r"(?:src|href)=\"(?!data:)|url\(|<script", page)


@pytest.mark.parametrize("kind", Kind)
def test_subjects_and_file_names_name_the_case_and_no_person(kind: Kind) -> None:
    subject, name = RENDERER.subject(kind, CASE), RENDERER.file_name(notice(kind), CASE)
    for line in (subject, name):
        assert CASE.case_number in line
        assert kind.label in line
        assert "刘艳" not in line
        assert "张静" not in line
        assert "\n" not in line


BUNDLES = {
    Role.APPLICANT: [[Kind.CASE_ACCEPTED, Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD], [Kind.PROGRESS]],
    Role.RESPONDENT: [
        [Kind.ENFORCEMENT_NOTICE, Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD],
        [Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD],
        [Kind.ENFORCEMENT_NOTICE],
    ],
}
MAILS = [
    (party, kinds, way)
    for party in (APPLICANT, RESPONDENT, CHILD)
    for kinds in BUNDLES[party.role]
    for way in ServiceWay
    if way.by_mail
]


@pytest.mark.parametrize(("party", "kinds", "way"), MAILS)
def test_every_mail_is_understood_alone(party, kinds, way) -> None:
    mail = RENDERER.mail(travelling(party, way), CASE, [notice(kind, party) for kind in kinds], QUERY_CODE)
    for body in (mail.text, html.unescape(mail.html)):
        for needed in (
            COURT.name, CASE.case_number, party.addressee, "7319-2044-8812-0635", QUERY_CODE,
            f"{SITE}{PARTY_PATH}#{QUERY_CODE}", f"{SITE}{VERIFY_PATH}",
            "12368", COURT.supervision_phone, "023-12345678", "2026年6月16日",
            *(kind.label for kind in kinds),
        ):  # fmt: skip
            assert needed in body, needed
        assert "1990000" not in body
        assert not {"刘艳", "张静"} - {party.name} & set(re.findall("刘艳|张静", body))
        assert ("阅读之日为送达日期" in body) is (way is ServiceWay.ELECTRONIC_UNCONFIRMED)
        assert "请不要回复本邮件" in body
        assert ("到达您的邮箱所在系统之日为送达日期" in body) is (way is ServiceWay.ELECTRONIC)
        assert re.search("(?:1\\. |<li>)(?:请|您现在不需要做什么|尚未履行义务的，请)", body)
        assert ("您代理的当事人为" in body) is party.minor
    assert party.name not in mail.subject


@pytest.mark.parametrize(
    ("party", "kinds", "says"),
    [
        (APPLICANT, BUNDLES[Role.APPLICANT][0], ["10日内填写《财产调查表》"]),
        (APPLICANT, [Kind.PROGRESS], ["您现在不需要做什么"]),
        (RESPONDENT, BUNDLES[Role.RESPONDENT][0], ["10日内履行义务", "只汇入"]),
        (RESPONDENT, BUNDLES[Role.RESPONDENT][1], ["执行通知书将另行送达", "尚未履行义务的，请依法履行"]),
    ],
)
def test_a_mail_says_what_to_do_and_by_when(party, kinds, says) -> None:
    mail = RENDERER.mail(party, CASE, [notice(kind, party) for kind in kinds], QUERY_CODE)
    for sentence in says:
        assert sentence in mail.text
        assert sentence in mail.html


def test_the_subject_counts_the_documents() -> None:
    kinds = BUNDLES[Role.APPLICANT][0]
    assert RENDERER.mail(APPLICANT, CASE, [notice(kind) for kind in kinds], QUERY_CODE).subject == (
        "重庆市第五中级人民法院：（2026）渝05执恢12345号案受理通知书等3份文书"
    )


@pytest.mark.parametrize("way", [ServiceWay.PAPER, ServiceWay.COLLECT])
def test_no_mail_without_consent_and_address(way: ServiceWay) -> None:
    with pytest.raises(Conflict):
        RENDERER.mail(travelling(APPLICANT, way), CASE, [notice(Kind.RIGHTS_RISKS)], QUERY_CODE)


@pytest.mark.parametrize("party", [APPLICANT, RESPONDENT, CHILD])
def test_a_correction_takes_back_what_was_told_and_opens_nothing(party: PartyFacts) -> None:
    told = notice(Kind.MISFILED_CORRECTION, party)
    mail = RENDERER.correction_mail(CASE, told)
    for text in (letter(party, Kind.MISFILED_CORRECTION), mail.text, html.unescape(mail.html)):
        for needed in (
            CASE.case_number, "执行通知书", "1111-2222-3333-4444", "7319-2044-8812-0635", "误发", "不是该案的当事人",
            "您现在不需要做什么", "深表歉意", "12368", COURT.supervision_phone, "停用",
        ):  # fmt: skip
            assert needed in text, needed
        for absent in (QUERY_CODE, "刘艳", "张静", "张小宝", PARTY_PATH + "#", "1990000"):
            assert absent not in text, absent
    with pytest.raises(Conflict, match="没有误发"):
        RENDERER.letter(Kind.MISFILED_CORRECTION, CASE, party, replace(told, wrongly_told=()), "")


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("支付货款1.5万元及利息。", "支付货款1.5万元及利息"),
        ("一、支付货款1.5万元。", "支付货款1.5万元"),
        ("1. 支付货款；", "支付货款"),
        ("（一）支付货款", "支付货款"),
        ("1.5万元货款", "1.5万元货款"),
        ("按判决第一项：一、支付货款", "按判决第一项：一、支付货款"),
        ("一、支付货款；\n三、承担第一项的利息。", "法律文书确定的下列义务：“一、支付货款；\n三、承担第一项的利息”"),
    ],
)
def test_an_obligation_that_is_numbered_itself_is_numbered_once(text: str, item: str) -> None:
    assert as_item(text) == item
    page = letter(RESPONDENT, Kind.ENFORCEMENT_NOTICE, replace(CASE, obligation=text))
    assert f"<p>一、{item}；</p>" in page


def test_every_mail_says_how_a_stranger_stops_it() -> None:
    mail = RENDERER.mail(APPLICANT, CASE, [notice(Kind.CASE_ACCEPTED)], QUERY_CODE)
    for body in (mail.text, mail.html):
        assert f"{SITE}{NOT_ME_PATH}" in body


@pytest.mark.parametrize(
    ("day", "plain", "formal"),
    [
        (date(2026, 6, 14), "2026年6月14日", "二〇二六年六月十四日"),
        (date(2026, 10, 1), "2026年10月1日", "二〇二六年十月一日"),
        (date(2030, 12, 20), "2030年12月20日", "二〇三〇年十二月二十日"),
        (date(2027, 11, 30), "2027年11月30日", "二〇二七年十一月三十日"),
        (date(2027, 1, 31), "2027年1月31日", "二〇二七年一月三十一日"),
    ],
)
def test_dates_as_a_court_writes_them(day: date, plain: str, formal: str) -> None:
    assert (cn_date(day), formal_date(day)) == (plain, formal)
