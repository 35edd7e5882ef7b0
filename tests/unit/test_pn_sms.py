"""Every SMS at its longest: two segments, true to the way of service, understood alone."""

import re
from dataclasses import replace

import pytest

from services.party_notification.domain.notices import Judge, Kind, Role, ServiceWay
from services.party_notification.domain.sms import NOTHING_TO_DO, check_sms, segments
from services.party_notification.domain.sms_texts import (
    Contents,
    SmsPlan,
    all_plans,
    contents_of,
    correction_key,
    correction_templates,
    fitting,
    plan_sms,
    render_sms,
    retraction_template,
    sms_params,
    sms_templates,
    template_key,
)
from services.party_notification.domain.wording import VERIFY_PAGE
from shared.errors import Conflict
from tests.fixtures.notice_facts import APPLICANT, CASE, CHILD, COURT, NUMBER, QUERY_CODE, RESPONDENT, travelling

TYPES = ("执", "执恢", "执异", "执复", "执保", "执监", "执协", "执他")
CODES = [*(f"渝05{kind}" for kind in TYPES), "渝五中法执字第"]
PLANS = all_plans(CODES)
FIRST = replace(CASE, case_number="（2026）渝05执12345号")
TWO_PERIODS = replace(COURT, perform_days=10, report_days=15)
TRUE_TO_THE_WAY = {
    ServiceWay.ELECTRONIC: r"已发至您确认的电子送达地址",
    ServiceWay.ELECTRONIC_UNCONFIRMED: r"已发至您的邮箱，请登录阅读",
    ServiceWay.PAPER: r"纸质(文书|版)将邮寄至您的送达地址",
    ServiceWay.COLLECT: r"(请|或)联系承办人领取",
}


def text_of(plan: SmsPlan, court=COURT) -> str:
    case = replace(CASE, case_number=f"（2026）{plan.type_code}12345号")
    return fitting(sms_templates(plan, court), case, court, QUERY_CODE).text


@pytest.mark.parametrize("court", [COURT, TWO_PERIODS], ids=["one period", "two periods"])
def test_every_text_at_its_longest_keeps_every_rule(court) -> None:
    for plan in PLANS:
        text = text_of(plan, court)
        assert segments(text) <= 2, text
        assert check_sms(text, court.sms_signature) == ()


def test_every_text_says_who_what_and_how_to_check() -> None:
    for plan in PLANS:
        text = text_of(plan)
        assert text.startswith("【重庆五中院】")
        assert f"（2026）{plan.type_code}12345号案" in text
        assert "023-12345678" in text
        assert re.search("核实(请)?拨12368", text)
        assert f"登录官网“重庆五中院执行公开”，查询码{QUERY_CODE}+" in text
        assert not re.search("[，：]。|，，", text)
        assert len(re.findall("(?<!申)请", text.partition("登录官网")[0])) <= 1


def test_every_text_is_true_to_the_way_of_service() -> None:
    for plan in PLANS:
        text = text_of(plan)
        for way, sentence in TRUE_TO_THE_WAY.items():
            said = way is plan.way and (plan.taken or not way.by_mail)
            assert bool(re.search(sentence, text)) is said, text
        if plan.way.by_mail and not plan.taken:
            assert "请登录查看" in text
            assert not re.search("邮箱|电子送达地址|已发", text)


def test_the_type_code_is_fixed_text_and_variables_never_touch() -> None:
    for plan in PLANS:
        for template in sms_templates(plan, COURT):
            assert plan.type_code in template
            assert "}$" not in template
            assert "【" not in template
            assert len(re.sub(r"\$\{\w+\}", "", template)) > 40


def test_template_keys_are_unique() -> None:
    assert len({template_key(plan) for plan in PLANS}) == len(PLANS)


@pytest.mark.parametrize(
    ("party", "kinds", "contents", "says"),
    [
        (APPLICANT, [Kind.CASE_ACCEPTED, Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD], Contents.FULL, "10日内提供财产线索"),
        (RESPONDENT, [Kind.ENFORCEMENT_NOTICE, Kind.RIGHTS_RISKS], Contents.FULL, "10日内履行并报告财产"),
        (
            RESPONDENT,
            [Kind.RIGHTS_RISKS, Kind.INTEGRITY_CARD],
            Contents.WITHOUT_MAIN,
            "执行通知书另送，请依法履行义务",
        ),
        (RESPONDENT, [Kind.ENFORCEMENT_NOTICE], Contents.MAIN_ONLY, "执行通知书已发至"),
        (
            APPLICANT,
            [Kind.PROGRESS],
            Contents.PROGRESS,
            "有新进展，进展告知书已发至您确认的电子送达地址，您现在不需要做什么",
        ),
    ],
)
def test_one_message_tells_of_all_notices_due_together(party, kinds, contents, says) -> None:
    plan = plan_sms(FIRST, party, kinds, taken=True)
    assert plan.contents is contents
    assert says in text_of(plan)


def test_an_ordered_report_of_a_resumed_case_is_named_to_the_respondent_alone() -> None:
    resumed = replace(CASE, case_number="（2026）渝05执恢12345号")
    for ordered in (False, True):
        case = resumed.ordering_report(ordered)
        plan = plan_sms(case, RESPONDENT, [Kind.ENFORCEMENT_NOTICE])
        text = fitting(sms_templates(plan, COURT), case, COURT, QUERY_CODE).text
        assert ("10日内履行并报告财产" in text, "报告" in text, "10日内履行" in text) == (ordered, ordered, True)
        assert ("report" in template_key(plan), plan in PLANS) == (ordered, True)
        for party, kinds in ((APPLICANT, [Kind.CASE_ACCEPTED]), (RESPONDENT, [Kind.PROGRESS])):
            assert not plan_sms(case, party, kinds).ordered
    first = replace(FIRST, particulars=case.particulars)
    assert not plan_sms(first, RESPONDENT, [Kind.ENFORCEMENT_NOTICE]).ordered, "the template of 执 is one"


def test_contents_of_every_bundle() -> None:
    assert contents_of(Kind.CASE_ACCEPTED, [Kind.CASE_ACCEPTED]) is Contents.MAIN_ONLY
    assert contents_of(Kind.CASE_ACCEPTED, [Kind.RIGHTS_RISKS]) is Contents.WITHOUT_MAIN
    assert contents_of(None, [Kind.PROGRESS]) is Contents.PROGRESS


def test_a_guardian_is_not_told_to_be_the_party() -> None:
    for way in ServiceWay:
        text = text_of(plan_sms(CASE, travelling(CHILD, way), [Kind.ENFORCEMENT_NOTICE]))
        assert "您代理的" in text
        assert "其证件后六位" in text
        assert "张小宝" not in text
        assert "1990000" not in text


def test_params_are_exactly_the_templates_variables() -> None:
    for plan in PLANS:
        for template in sms_templates(plan, COURT):
            params = sms_params(template, CASE, COURT, QUERY_CODE)
            assert set(params) == set(re.findall(r"\$\{(\w+)\}", template))


def test_a_longer_judges_name_is_left_to_the_letter() -> None:
    for name in ("阿卜杜拉·买买提", "𠮷𡈽𠀋"):
        case = replace(CASE, judge=Judge(name, "023-12345678", "执行法官"))
        sms = fitting(sms_templates(plan_sms(case, APPLICANT, [Kind.PROGRESS]), COURT), case, COURT, QUERY_CODE)
        assert "承办人见文书" in sms.text


def test_a_name_of_rare_characters_is_measured_as_the_carrier_measures_it() -> None:
    """Two characters of the second plane are four UTF-16 units: the template is chosen by them."""
    case = replace(CASE, judge=Judge("𠮷𡈽", "0812-12345678", "执行法官"))
    for plan in PLANS:
        numbered = replace(case, case_number=f"（2026）{plan.type_code}99999999号")
        sms = fitting(sms_templates(plan, COURT), numbered, COURT, QUERY_CODE)
        assert segments(sms.text) <= 2
        assert check_sms(sms.text, COURT.sms_signature) == ()


def test_a_site_name_too_long_leaves_a_text_that_fits_and_only_an_absurd_one_does_not() -> None:
    long = replace(COURT, site_name="重庆市第五中级人民法院阳光执行信息公开网站")
    templates = sms_templates(PLANS[0], long)
    absurd = sms_templates(PLANS[0], replace(COURT, site_name="站" * 90))
    assert "请联系承办人" in fitting(absurd, CASE, COURT, QUERY_CODE).text
    with pytest.raises(Conflict):
        fitting(templates, replace(CASE, judge=Judge("周", "0" * 120, "执行法官")), long, QUERY_CODE)


def test_whoever_owes_is_never_told_that_there_is_nothing_to_do() -> None:
    for plan in PLANS:
        owes = plan.role is Role.RESPONDENT and plan.case_kind.enforces
        assert not (owes and NOTHING_TO_DO in text_of(plan)), text_of(plan)


def test_only_an_order_to_report_asks_for_a_report() -> None:
    for plan in PLANS:
        if "报告财产" in text_of(plan):
            assert plan.ordered or plan.type_code in {"渝05执", "渝五中法执字第"}


@pytest.mark.parametrize("code", CODES)
def test_the_retraction_keeps_every_rule_and_says_what_is_true_instead(code: str) -> None:
    case = replace(CASE, case_number=f"（2026）{code}12345号")
    sms = fitting([retraction_template(code, COURT)], case, COURT, QUERY_CODE)
    assert check_sms(sms.text, COURT.sms_signature) == ()
    for needed in (f"（2026）{code}12345号案", "更正", "未能送达", "纸质方式", "请联系承办人", "12368"):
        assert needed in sms.text


@pytest.mark.parametrize("code", CODES)
def test_the_correction_keeps_every_rule_and_says_all(code: str) -> None:
    case = replace(CASE, case_number=f"（2026）{code}12345号")
    for site_name in (COURT.site_name, "执行" * 30):
        court = replace(COURT, site_name=site_name)
        sms = fitting(correction_templates(code, court), case, court, QUERY_CODE, NUMBER)
        assert check_sms(sms.text, COURT.sms_signature) == ()
        for needed in (f"（2026）{code}12345号案", "误发", "您不是该案当事人", "您现在不需要做什么", "歉意", "12368"):
            assert needed in sms.text
        assert "编号7319-2044-8812-0635" in sms.text, "what is not numbered cannot be checked"
        assert f"“{VERIFY_PAGE}”" in sms.text
        assert QUERY_CODE not in sms.text
        assert "}$" not in sms.template
    assert correction_key(code) not in {template_key(plan) for plan in PLANS}


@pytest.mark.parametrize(
    ("text", "count"),
    [("长" * 70, 1), ("长" * 71, 2), ("长" * 134, 2), ("长" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2), ("", 1)],
)
def test_segments_count_utf16_units(text: str, count: int) -> None:
    assert segments(text) == count


GOOD = "【重庆五中院】请联系承办人，023-12345678，核实拨12368。"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD.replace("12368", "12345"), "12368"),
        (GOOD.replace("023-12345678", "19912345678"), "手机号码"),
        (GOOD.replace("023-12345678", ""), "固定电话"),
        (GOOD + "023-87654321", "固定电话"),
        (GOOD.replace("【重庆五中院】", ""), "签名"),
        (GOOD.replace("重庆五中院", "别的法院"), "签名"),
        (GOOD + "【注】", "【】"),
        (GOOD + "http://a.example/x", "网址"),
        (GOOD + "www.court", "网址"),
        (GOOD + "624998.14元", "金额"),
        (GOOD + "￥5", "金额"),
        (GOOD + "3101000104001234", "账号"),
        (GOOD + "51021219910106000X", "账号"),
        (GOOD + "a@example.org", "邮箱"),
        (GOOD + "纳入失信名单", "失信"),
        (GOOD.replace("请", ""), "需要做什么"),
        (GOOD.replace("请联系", "申请").replace("核实拨", "核实请拨"), "需要做什么"),
        (GOOD + "长" * 134, "长度"),
        (GOOD + "${year}", "变量"),
    ],
)
def test_each_rule_can_be_broken(text: str, fault: str) -> None:
    assert check_sms(GOOD, "重庆五中院") == ()
    assert any(fault in found for found in check_sms(text, "重庆五中院"))


def test_a_text_that_breaks_a_rule_is_not_rendered() -> None:
    with pytest.raises(Conflict, match="12368"):
        render_sms("重庆五中院", "请联系承办人${judge_phone}。", {"judge_phone": "023-12345678"})
