"""The wording of each SMS, as templates a carrier approves beforehand: fixed text with ${name} variables.

One SMS per person and cause tells of all notices due together, and is true to the way of service (domain C).
The type code stands in the fixed text: one template per type code (domain D).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.party_notification.domain.notices import (
    CaseFacts,
    CourtFacts,
    Kind,
    PartyFacts,
    Role,
    ServiceWay,
    main_kind,
    way_of,
)
from services.party_notification.domain.sms import MAX_UNITS, NOTHING_TO_DO, check_sms, units
from services.party_notification.domain.wording import VERIFY_PAGE
from shared.contracts.case_kinds import CaseKind, Particulars, kind_of
from shared.crypto.codes import grouped
from shared.errors import Conflict

_LONGEST_NAME = 4
"""UTF-16 units of a judge's name that a text states; a longer one the letter states in full."""
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Contents(StrEnum):
    """What the SMS tells of."""

    FULL = "full"
    WITHOUT_MAIN = "without_main"
    MAIN_ONLY = "main_only"
    PROGRESS = "progress"


@dataclass(frozen=True)
class SmsPlan:
    """Which template: the side, whether its legal representative reads it, how the documents travel, which.

    `taken`: the mail server has the mail by now; before that a text says nothing of it. `ordered`: a resumed case whose
    notice orders another report of property.
    """

    role: Role
    represented: bool
    way: ServiceWay
    contents: Contents
    type_code: str
    taken: bool = False
    ordered: bool = False

    @property
    def case_kind(self) -> CaseKind:
        """The kind of case that the type code names."""
        return kind_of(f"（2026）{self.type_code}1号", Particulars(report_ordered=self.ordered))

    @property
    def main(self) -> Kind | None:
        """The notice that tells this side of the filing."""
        return main_kind(f"（2026）{self.type_code}1号", self.role)


def contents_of(main: Kind | None, kinds: Collection[Kind]) -> Contents:
    """What the notices that travel together amount to in one SMS."""
    if set(kinds) == {Kind.PROGRESS}:
        return Contents.PROGRESS
    if main not in kinds:
        return Contents.WITHOUT_MAIN
    return Contents.MAIN_ONLY if len(set(kinds)) == 1 else Contents.FULL


def plan_sms(case: CaseFacts, party: PartyFacts, kinds: Collection[Kind], *, taken: bool = False) -> SmsPlan:
    """The template for one person's notices of one cause."""
    way = way_of(party)
    contents = contents_of(main_kind(case.case_number, party.role), kinds)
    plan = SmsPlan(party.role, party.minor, way, contents, case.type_code, taken and way.by_mail)
    return replace(plan, ordered=case.particulars.report_ordered and _may_order(plan))


def _may_order(plan: SmsPlan) -> bool:
    """Whether the text says something else where a report is ordered."""
    main = plan.contents in {Contents.FULL, Contents.MAIN_ONLY}
    return main and plan.role is Role.RESPONDENT and plan.case_kind.resumes


def all_plans(type_codes: Iterable[str]) -> list[SmsPlan]:
    """Every template that these type codes can need."""
    plans = [
        SmsPlan(role, represented, way, contents, code, taken)
        for code in type_codes
        for role in Role
        for contents in Contents
        for way in ServiceWay
        for represented in (False, True)
        for taken in ((False, True) if way.by_mail else (False,))
    ]
    plans += [replace(plan, ordered=True) for plan in plans if _may_order(plan)]
    return [plan for plan in plans if plan.main is not None or plan.contents is Contents.PROGRESS]


def template_key(plan: SmsPlan) -> str:
    """A stable name, by which settings map the template to the carrier's own code."""
    reader = "guardian" if plan.represented else "party"
    more = f"{'-taken' if plan.taken else ''}{'-report' if plan.ordered else ''}"
    return f"{plan.role}-{reader}-{plan.contents}-{plan.way}{more}-{plan.type_code}"


def sms_templates(plan: SmsPlan, court: CourtFacts) -> list[str]:
    """The bodies without signature, the fullest wording first; the last is the shortest that still says all."""
    message = _opening(plan) + "，".join([_documents(plan), *_to_do(plan, court)]) + "。"
    whose = "其" if plan.represented else ""
    entry = f"登录官网“{court.site_name}”，查询码${{query_code}}+{whose}证件后六位。"
    short = f"{_opening(plan)}有文书待您查看，请联系承办人${{judge_phone}}。核实拨12368，查询码${{query_code}}。"
    return [*(message + entry + contact for contact in _CONTACTS), short]


_CONTACTS = (
    "承办人${judge_name}，电话${judge_phone}，核实请拨12368。",
    "承办人${judge_name}，${judge_phone}，核实拨12368。",
    "承办人电话${judge_phone}，核实拨12368。",
    "承办电话${judge_phone}，核实拨12368。",
)


def _opening(plan: SmsPlan) -> str:
    number = f"（${{year}}）{plan.type_code}${{serial}}号案"
    opened = {Contents.FULL: "已立案", Contents.MAIN_ONLY: "已立案", Contents.PROGRESS: "有新进展"}
    said = opened.get(plan.contents, "")
    if not plan.case_kind.enforces:
        return f"您{'代理' if plan.represented else '参与'}的{number}{said}，"
    if plan.role is Role.RESPONDENT:
        return f"您代理的{number}，" if plan.represented else f"致{number}被执行人："
    return f"您{'代理' if plan.represented else '申请'}的{number}{said}，"


def _documents(plan: SmsPlan) -> str:
    """Which papers, and where they are: said as it is for this party by now, never otherwise."""
    main = plan.main.label if plan.main else ""
    papers, sheets = {
        Contents.FULL: (f"{main}等", "文书"),
        Contents.MAIN_ONLY: (main, "版"),
        Contents.WITHOUT_MAIN: ("权利告知书等" if plan.case_kind.enforces else "廉政监督卡", "文书"),
        Contents.PROGRESS: ("进展告知书", "版"),
    }[plan.contents]
    return papers + _where(plan, sheets)


def _where(plan: SmsPlan, sheets: str) -> str:
    if plan.way.by_mail and not plan.taken:
        return "请登录查看"
    collect = "可登录查看或联系承办人领取" if plan.contents is Contents.PROGRESS else "请联系承办人领取"
    return {
        ServiceWay.ELECTRONIC: "已发至您确认的电子送达地址",
        ServiceWay.ELECTRONIC_UNCONFIRMED: "已发至您的邮箱，请登录阅读",
        ServiceWay.PAPER: f"纸质{sheets}将邮寄至您的送达地址",
        ServiceWay.COLLECT: collect,
    }[plan.way]


def _to_do(plan: SmsPlan, court: CourtFacts) -> list[str]:
    """What to do and by when. Periods run from receipt of the document, so no date is named.

    Who owes something is never told that there is nothing to do.
    """
    asked = "" if "请" in _documents(plan) else "请"
    if plan.contents in {Contents.FULL, Contents.MAIN_ONLY} and plan.case_kind.enforces:
        return [asked + _main_duty(plan, court)]
    if plan.role is Role.RESPONDENT and plan.case_kind.enforces:
        later = ["执行通知书另送"] if plan.contents is Contents.WITHOUT_MAIN else []
        return [*later, f"{asked}依法履行义务"]
    later = [f"{plan.main.label}另送"] if plan.main and plan.contents is Contents.WITHOUT_MAIN else []
    return [*later, NOTHING_TO_DO] if asked else later


def _main_duty(plan: SmsPlan, court: CourtFacts) -> str:
    if plan.role is Role.APPLICANT:
        return "收到后${clue_days}日内提供财产线索"
    if not plan.case_kind.orders_report:
        return "收到后${perform_days}日内履行"
    if court.perform_days == court.report_days:
        return "收到后${perform_days}日内履行并报告财产"
    return "收到后${perform_days}日内履行、${report_days}日内报财产"


def correction_key(type_code: str) -> str:
    """A stable name of the template by which an error is taken back."""
    return f"correction-{type_code}"


def correction_templates(type_code: str, court: CourtFacts) -> list[str]:
    """To a number that was written to by mistake: no name, nothing to do, no query code, an apology; fullest first.

    The notice's number is there: without a query code nothing else can be checked on the site.
    """
    case, phone = f"（${{year}}）{type_code}${{serial}}号案", court.supervision_phone
    wrong = f"更正：此前就{case}发给您的消息系误发，您不是该案当事人"
    said = f"{wrong}，原查询码已停用，{NOTHING_TO_DO}，谨致歉意。"
    return [
        f"{said}登录官网“{court.site_name}”“{VERIFY_PAGE}”，编号${{number}}，或拨12368、{phone}。",
        f"{said}编号${{number}}，可在官网“{VERIFY_PAGE}”核对，或拨12368、{phone}。",
        f"{wrong}，{NOTHING_TO_DO}，谨致歉意。编号${{number}}，核实拨12368、{phone}。",
    ]


def retraction_key(type_code: str) -> str:
    """A stable name of the template that takes back "it was mailed"."""
    return f"not-mailed-{type_code}"


def retraction_template(type_code: str, court: CourtFacts) -> str:
    """The mail that a former text had told of did not arrive: what is true instead, and what to do."""
    return (
        f"更正：此前短信称（${{year}}）{type_code}${{serial}}号案文书已发至您的邮箱，该邮件未能送达，文书改用纸质方式"
        f"送达。也可登录官网“{court.site_name}”查看，查询码${{query_code}}。邮箱有误的，请联系承办人${{judge_phone}}，"
        "核实拨12368。"
    )


def sms_params(template: str, case: CaseFacts, court: CourtFacts, query_code: str, number: str = "") -> dict[str, str]:
    """A value for each variable of the template, and no other. `number`: of the notice, where the text names it."""
    name = case.judge.name
    values = {
        "year": case.year,
        "serial": case.serial,
        # A longer name would cost a third segment; the letter states it in full.
        "judge_name": name if units(name) <= _LONGEST_NAME else "见文书",
        "judge_phone": case.judge.phone,
        "query_code": query_code,
        "number": grouped(number),
        "perform_days": str(court.perform_days),
        "report_days": str(court.report_days),
        "clue_days": str(court.clue_days),
    }
    return {name: values[name] for name in _VARIABLE.findall(template)}


def render_sms(signature: str, template: str, params: Mapping[str, str]) -> str:
    """The whole text as the recipient reads it. Raises Conflict when it breaks a rule of `check_sms`."""
    text = _filled(signature, template, params)
    faults = check_sms(text, signature)
    if faults:
        raise Conflict("sms_not_allowed", f"短信不符合规定：{'；'.join(faults)}。")
    return text


def _filled(signature: str, template: str, params: Mapping[str, str]) -> str:
    return f"【{signature}】{_VARIABLE.sub(lambda found: params[found[1]], template)}"


@dataclass(frozen=True)
class Fitting:
    """A template with its values, and the whole text."""

    template: str
    params: dict[str, str]
    text: str


def fitting(templates: Sequence[str], case: CaseFacts, court: CourtFacts, query_code: str, number: str = "") -> Fitting:
    """The first template that two segments hold with these very values, by UTF-16 units. Raises Conflict."""
    for template in templates:
        params = sms_params(template, case, court, query_code, number)
        if units(_filled(court.sms_signature, template, params)) <= MAX_UNITS:
            return Fitting(template, params, render_sms(court.sms_signature, template, params))
    raise Conflict("sms_too_long", "短信超过两条的长度，请缩短设置中的网站名称或者短信签名。")
