"""The wording of each SMS, as templates a carrier approves beforehand: fixed text with ${name} variables.

One SMS per person and cause tells of all notices due together, and is true to the way of service (domain C).
The type code stands in the fixed text: one template per type code (domain D).
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from services.party_notification.domain.notices import (
    MAIN_KIND,
    CaseFacts,
    CourtFacts,
    Kind,
    PartyFacts,
    Role,
    ServiceWay,
    way_of,
)
from services.party_notification.domain.sms import MAX_UNITS, NOTHING_TO_DO, check_sms
from shared.contracts.landline import LONGEST as LONGEST_LANDLINE
from shared.errors import Conflict

_LONGEST_NAME = 4
_LONGEST: Mapping[str, int] = MappingProxyType({
    "year": 4, "serial": 5, "judge_name": _LONGEST_NAME, "judge_phone": LONGEST_LANDLINE, "query_code": 8,
    "perform_days": 2, "report_days": 2, "clue_days": 2,
})  # fmt: skip
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Contents(StrEnum):
    """What the SMS tells of."""

    FULL = "full"
    WITHOUT_MAIN = "without_main"
    MAIN_ONLY = "main_only"
    PROGRESS = "progress"


@dataclass(frozen=True)
class SmsPlan:
    """Which template: the side, whether its legal representative reads it, how the documents travel, which."""

    role: Role
    represented: bool
    way: ServiceWay
    contents: Contents
    type_code: str


def contents_of(role: Role, kinds: Collection[Kind]) -> Contents:
    """What the notices that travel together amount to in one SMS."""
    if set(kinds) == {Kind.PROGRESS}:
        return Contents.PROGRESS
    if MAIN_KIND[role] not in kinds:
        return Contents.WITHOUT_MAIN
    return Contents.MAIN_ONLY if len(set(kinds)) == 1 else Contents.FULL


def plan_sms(case: CaseFacts, party: PartyFacts, kinds: Collection[Kind]) -> SmsPlan:
    """The template for one person's notices of one cause."""
    return SmsPlan(party.role, party.minor, way_of(party), contents_of(party.role, kinds), case.type_code)


def all_plans(type_codes: Iterable[str]) -> list[SmsPlan]:
    """Every template that these type codes need, to be registered with the carrier."""
    return [
        SmsPlan(role, represented, way, contents, code)
        for code in type_codes
        for role in Role
        for contents in Contents
        for way in ServiceWay
        for represented in (False, True)
    ]


def template_key(plan: SmsPlan) -> str:
    """A stable name, by which settings map the template to the carrier's own code."""
    reader = "guardian" if plan.represented else "party"
    return f"{plan.role}-{reader}-{plan.contents}-{plan.way}-{plan.type_code}"


_MAIN_TITLE: Mapping[Role, str] = MappingProxyType({role: kind.label for role, kind in MAIN_KIND.items()})


def sms_template(plan: SmsPlan, court: CourtFacts) -> str:
    """The body without signature: the fullest wording that two segments hold with every variable at its longest."""
    message = _opening(plan) + "，".join([_documents(plan), *_to_do(plan, court)]) + "。"
    whose = "其" if plan.represented else ""
    entry = f"登录官网“{court.site_name}”，查询码${{query_code}}+{whose}证件后六位。"
    for contact in _CONTACTS:
        body = message + entry + contact
        if _longest(body, court.sms_signature) <= MAX_UNITS:
            return body
    raise Conflict("sms_too_long", "短信模板超过两条的长度，请缩短设置中的网站名称或者短信签名。")


_CONTACTS = (
    "承办人${judge_name}，电话${judge_phone}，核实请拨12368。",
    "承办人${judge_name}，${judge_phone}，核实拨12368。",
    "承办人电话${judge_phone}，核实拨12368。",
    "承办电话${judge_phone}，核实拨12368。",
)


def _opening(plan: SmsPlan) -> str:
    number = f"（${{year}}）{plan.type_code}${{serial}}号案"
    if plan.role is Role.RESPONDENT:
        return f"您代理的{number}，" if plan.represented else f"致{number}被执行人："
    return f"您{'代理' if plan.represented else '申请'}的{number}{_OPENED[plan.contents]}，"


_OPENED: Mapping[Contents, str] = MappingProxyType(
    {
        Contents.FULL: "已立案",
        Contents.MAIN_ONLY: "已立案",
        Contents.WITHOUT_MAIN: "",
        Contents.PROGRESS: "有新进展",
    }
)


def _documents(plan: SmsPlan) -> str:
    """Which papers, and where they are: said as it is for this party, never otherwise."""
    main = _MAIN_TITLE[plan.role]
    papers, sheets = {
        Contents.FULL: (f"{main}等", "文书"),
        Contents.MAIN_ONLY: (main, "版"),
        Contents.WITHOUT_MAIN: ("权利告知书等", "文书"),
        Contents.PROGRESS: ("进展告知书", "版"),
    }[plan.contents]
    collect = "可登录查看或联系承办人领取" if plan.contents is Contents.PROGRESS else "请联系承办人领取"
    return (
        papers
        + {
            ServiceWay.ELECTRONIC: "已发至您确认的电子送达地址",
            ServiceWay.ELECTRONIC_UNCONFIRMED: "已发至您的邮箱，请查阅并回复",
            ServiceWay.PAPER: f"纸质{sheets}将邮寄至您的送达地址",
            ServiceWay.COLLECT: collect,
        }[plan.way]
    )


def _to_do(plan: SmsPlan, court: CourtFacts) -> list[str]:
    """What to do and by when. Periods run from receipt of the document, so no date is named."""
    # Who must answer or fetch something is asked so already, and not told that nothing need be done.
    asked = "请" in _documents(plan)
    if plan.contents in {Contents.FULL, Contents.MAIN_ONLY}:
        return [("" if asked else "请") + _main_duty(plan.role, court)]
    later = [f"{_MAIN_TITLE[plan.role]}另送"] if plan.contents is Contents.WITHOUT_MAIN else []
    return later if asked else [*later, NOTHING_TO_DO]


def _main_duty(role: Role, court: CourtFacts) -> str:
    if role is Role.APPLICANT:
        return "收到后${clue_days}日内提供财产线索"
    if court.perform_days == court.report_days:
        return "收到后${perform_days}日内履行并报告财产"
    return "收到后${perform_days}日内履行、${report_days}日内报财产"


def correction_key(type_code: str) -> str:
    """A stable name of the template by which an error is taken back."""
    return f"correction-{type_code}"


def correction_template(type_code: str, court: CourtFacts) -> str:
    """To a number that was written to by mistake: no name, nothing to do, no query code, an apology."""
    return (
        f"更正：此前就（${{year}}）{type_code}${{serial}}号案发给您的消息系本院误发，您不是该案当事人，"
        f"原查询码已停用，{NOTHING_TO_DO}。给您添了麻烦，谨致歉意。核实请拨12368或{court.supervision_phone}。"
    )


def _longest(body: str, signature: str) -> int:
    """UTF-16 units of the whole text with every variable at its longest."""
    text = _VARIABLE.sub(lambda found: "长" * _LONGEST[found[1]], f"【{signature}】{body}")
    return len(text.encode("utf-16-le")) // 2


def sms_params(template: str, case: CaseFacts, court: CourtFacts, query_code: str) -> dict[str, str]:
    """A value for each variable of the template, and no other."""
    name = case.judge.name
    values = {
        "year": case.year,
        "serial": case.serial,
        # A longer name would cost a third segment; the letter states it in full.
        "judge_name": name if len(name) <= _LONGEST_NAME else "见文书",
        "judge_phone": case.judge.phone,
        "query_code": query_code,
        "perform_days": str(court.perform_days),
        "report_days": str(court.report_days),
        "clue_days": str(court.clue_days),
    }
    return {name: values[name] for name in _VARIABLE.findall(template)}


def render_sms(signature: str, template: str, params: Mapping[str, str]) -> str:
    """The whole text as the recipient reads it. Raises Conflict when it breaks a rule of `check_sms`."""
    body = _VARIABLE.sub(lambda found: params[found[1]], template)
    text = f"【{signature}】{body}"
    faults = check_sms(text, signature)
    if faults:
        raise Conflict("sms_not_allowed", f"短信不符合规定：{'；'.join(faults)}。")
    return text
