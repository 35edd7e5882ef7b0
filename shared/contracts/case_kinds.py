"""The kinds of cases by the type in their number: one table of what each is, owes and counts.

The law's part is here, once, for every service; what only the court decides is a setting. Who reads it decides
nothing by a type code.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from shared.calendar.periods import Length, Unit
from shared.contracts.case_number import parts
from shared.contracts.cases import PartyRole
from shared.contracts.reviews import (
    OBJECTIONS,
    RECONSIDERATIONS,
    Extension,
    Review,
    ReviewGround,
    Reviews,
)
from shared.contracts.stages import Milestone
from shared.powers import HANDLING, POSTS, Post, Power

_TYPE = re.compile(r"(执恢|执异|执复|执保|执监|执协|执他|执)(?:字第)?$")
_STEPS = (Milestone.FILING, Milestone.SCHEDULING)
_END = (Milestone.CLOSURE, Milestone.ARCHIVING)


class NoticeKind(StrEnum):
    """The notices that a filing can make due."""

    CASE_ACCEPTED = "CASE_ACCEPTED"
    ENFORCEMENT_NOTICE = "ENFORCEMENT_NOTICE"
    RIGHTS_RISKS = "RIGHTS_RISKS"
    INTEGRITY_CARD = "INTEGRITY_CARD"
    HANDLING = "HANDLING"


class DeadlineKind(StrEnum):
    """The periods that can run in a case, by what each waits for."""

    ASSIGNMENT = "assignment"
    EXECUTION_NOTICE = "execution_notice"
    EXECUTION_NOTICE_OUTER = "execution_notice_outer"
    COURT_LIMIT_REMINDER = "court_limit_reminder"
    COURT_LIMIT = "court_limit"
    STATUTORY_LIMIT = "statutory_limit"
    UPPER_COURT = "upper_court_six_months"
    PRESERVATION_BEGIN = "preservation_begin"
    OBJECTION_DECISION = "objection_decision"
    RECONSIDERATION_DECISION = "reconsideration_decision"

    @property
    def label(self) -> str:
        """Its name for people."""
        return _TITLES[self]


_TITLES: Mapping[DeadlineKind, str] = MappingProxyType({
    DeadlineKind.ASSIGNMENT: "确定承办人",
    DeadlineKind.EXECUTION_NOTICE: "发出执行通知",
    DeadlineKind.EXECUTION_NOTICE_OUTER: "发出执行通知（最迟）",
    DeadlineKind.COURT_LIMIT_REMINDER: "三个月期限届满前提醒",
    DeadlineKind.COURT_LIMIT: "本院三个月办案期限",
    DeadlineKind.STATUTORY_LIMIT: "法定执行期限",
    DeadlineKind.UPPER_COURT: "可以向上一级法院申请执行",
    DeadlineKind.PRESERVATION_BEGIN: "开始执行保全",
    DeadlineKind.OBJECTION_DECISION: "执行异议审查期限",
    DeadlineKind.RECONSIDERATION_DECISION: "执行复议审查期限",
})  # fmt: skip

FROM_RECEIPT = frozenset(
    {
        DeadlineKind.EXECUTION_NOTICE_OUTER,
        DeadlineKind.UPPER_COURT,
        DeadlineKind.PRESERVATION_BEGIN,
        DeadlineKind.OBJECTION_DECISION,
        DeadlineKind.RECONSIDERATION_DECISION,
    }
)
"""They count from the day on which the application came in; as long as it is not known they do not run.

Except a review that its own law counts from the filing: see `CaseKind.from_receipt`.
"""
REVIEWS = frozenset({DeadlineKind.OBJECTION_DECISION, DeadlineKind.RECONSIDERATION_DECISION})

_STATUTORY_EXTENSION = Extension(
    Length(3, Unit.MONTH),
    "《最高人民法院关于严格执行案件审理期限制度的若干规定》（法释〔2000〕29号）第五条",
    "院长或者副院长",
)
COURT_RULE = "本院执行工作改革措施（2009年12月1日起施行）"
COURT_LIMIT_RULE = f"{COURT_RULE}：三个月未执结案件警示"
# How much longer the reform does not say: see `WITHIN`.
_COURT_EXTENSION = Extension(Length(3, Unit.MONTH), COURT_LIMIT_RULE, "庭长")
_EXTENSIONS: Mapping[DeadlineKind, Extension] = MappingProxyType(
    {DeadlineKind.STATUTORY_LIMIT: _STATUTORY_EXTENSION, DeadlineKind.COURT_LIMIT: _COURT_EXTENSION}
)
WITHIN: Mapping[DeadlineKind, DeadlineKind] = MappingProxyType({DeadlineKind.COURT_LIMIT: DeadlineKind.STATUTORY_LIMIT})
"""No extension of the first goes further than the second, as that one stands."""


@dataclass(frozen=True)
class Particulars:
    """What besides its number makes a case what it is. Each belongs to some kinds only, and says nothing elsewhere.

    `urgent`: a preservation that is to begin at once. `ground`: what a review is about; None: nobody said.
    `report_ordered`: the respondent of a resumed case is to report their property again.
    """

    urgent: bool = False
    ground: ReviewGround | None = None
    report_ordered: bool = False


NOTHING_SAID = Particulars()


@dataclass(frozen=True)
class CaseKind:
    """A kind of case. `owed`: the notices of the filing, by side. `work`: what the court does in it, for the parties.

    `enforces`: the three periods, the execution notice and the quality checklists belong to it. `orders_report`: the
    execution notice carries a 报告财产令. `limit`: in words, where no clock says until when it is to be closed.
    `reviews`: how long its review may take by its ground, where it is one; `review`: the one that stands.
    """

    type: str
    title: str
    clocks: frozenset[DeadlineKind]
    milestones: tuple[Milestone, ...]
    owed: Mapping[PartyRole, tuple[NoticeKind, ...]]
    power: Power = Power.IMPLEMENTATION
    """The power that it is an exercise of: it goes to a department that has it, and only its members act in it."""
    enforces: bool = False
    orders_report: bool = False
    resumes: bool = False
    side_case: bool = True
    """Whether it may belong to an enforcement case, its `main_case`."""
    about_main: bool = False
    """Whether there always is a main case, by which it is known what is resumed, attacked or supervised."""
    work: str = ""
    limit: str = ""
    reviews: Reviews = field(default_factory=dict)
    review: Review | None = None
    awaits_ground: bool = False
    """Whether nobody has said yet what the review is about: its plain period stands, and parties are told no limit."""
    secures: bool = False
    """Whether it is a preservation, which may be urgent."""
    urgent: bool = False

    @property
    def handler(self) -> Post:
        """The post of those to whom it is given."""
        return POSTS[HANDLING[self.power]]

    @property
    def from_receipt(self) -> frozenset[DeadlineKind]:
        """Its clocks that count from the receipt of the application."""
        waiting = self.clocks & FROM_RECEIPT
        return waiting if self.review is None or self.review.from_receipt else waiting - REVIEWS

    @property
    def waiting(self) -> tuple[DeadlineKind, ...]:
        """Its clocks that do not run as long as the day of the receipt is not known, in the order of the table."""
        return tuple(clock for clock in DeadlineKind if clock in self.from_receipt)

    def may_be_about(self, main: "CaseKind") -> bool:
        """Whether its main case may be of kind `main`.

        What is resumed was enforced; objections are raised against preservations too (财产保全规定 26).
        """
        return main.enforces or (main.secures and not self.resumes)

    def attacked(self, main_case: str | None) -> str | None:
        """The case whose handling is reviewed: who implements there never reviews (异议复议规定 11(3))."""
        return main_case if self.reviews else None

    @property
    def grounds(self) -> tuple[ReviewGround, ...]:
        """What its review can be about."""
        return tuple(ground for ground in self.reviews if ground is not None)

    def extension_of(self, clock: DeadlineKind) -> Extension | None:
        """By how much the law, or the court's own rule, lets a clock be made longer; None: not at all."""
        if clock in REVIEWS:
            return None if self.review is None else self.review.extension
        return _EXTENSIONS.get(clock)

    def with_particulars(self, said: Particulars) -> "CaseKind":
        """The kind as it stands for one case."""
        if self.resumes:
            return replace(self, orders_report=said.report_ordered)
        if self.secures and said.urgent:
            return replace(self, urgent=True, limit=_AT_ONCE)
        review = None if said.ground is None else self.reviews.get(said.ground)
        return self if review is None else replace(self, review=review, limit=review.limit, awaits_ground=False)

    def main_notice(self, role: PartyRole) -> NoticeKind | None:
        """The notice that tells a side of the filing; None when it is told of nothing then."""
        return next(iter(self.owed[role]), None)


_ENFORCED: Mapping[PartyRole, tuple[NoticeKind, ...]] = MappingProxyType({
    PartyRole.APPLICANT: (NoticeKind.CASE_ACCEPTED, NoticeKind.RIGHTS_RISKS, NoticeKind.INTEGRITY_CARD),
    PartyRole.RESPONDENT: (NoticeKind.ENFORCEMENT_NOTICE, NoticeKind.RIGHTS_RISKS, NoticeKind.INTEGRITY_CARD),
})  # fmt: skip
_TOLD = (NoticeKind.HANDLING, NoticeKind.INTEGRITY_CARD)
_BOTH_TOLD: Mapping[PartyRole, tuple[NoticeKind, ...]] = MappingProxyType(dict.fromkeys(PartyRole, _TOLD))
# Whoever is to be secured against learns of it when it is done (CPL 103: no tipping off).
_APPLICANT_TOLD: Mapping[PartyRole, tuple[NoticeKind, ...]] = MappingProxyType(
    {PartyRole.APPLICANT: _TOLD, PartyRole.RESPONDENT: ()}
)
_NOBODY_TOLD: Mapping[PartyRole, tuple[NoticeKind, ...]] = MappingProxyType(dict.fromkeys(PartyRole, ()))
_ENFORCEMENT_CLOCKS = frozenset({
    DeadlineKind.ASSIGNMENT, DeadlineKind.EXECUTION_NOTICE, DeadlineKind.EXECUTION_NOTICE_OUTER,
    DeadlineKind.COURT_LIMIT_REMINDER, DeadlineKind.COURT_LIMIT, DeadlineKind.STATUTORY_LIMIT, DeadlineKind.UPPER_COURT,
})  # fmt: skip
_AT_ONCE = "本案情况紧急。保全裁定在接受申请后四十八小时内作出，裁定采取保全措施的，立即开始执行。"
_IN_FIVE_DAYS = "裁定采取保全措施的，自收到保全申请之日起五日内开始执行；须提供担保的，自提供担保之日起算。"
_BY_GROUND = "审查期限依审查事由确定；事由登记后，本院另行告知。"
_COURTS_OWN = "办理期限按本院的规定，没有法定的统一期限。"

KINDS: Mapping[str, CaseKind] = MappingProxyType({
    kind.type: kind
    for kind in (
        CaseKind("执", "执行案件", _ENFORCEMENT_CLOCKS, tuple(Milestone), _ENFORCED,
                 enforces=True, orders_report=True, side_case=False),
        CaseKind("执恢", "恢复执行案件", _ENFORCEMENT_CLOCKS, tuple(Milestone), _ENFORCED,
                 enforces=True, resumes=True, about_main=True),
        CaseKind("执保", "财产保全执行案件", frozenset({DeadlineKind.PRESERVATION_BEGIN}),
                 (*_STEPS, Milestone.ENFORCEMENT, *_END), _APPLICANT_TOLD, work="本院依法实施财产保全。",
                 limit=_IN_FIVE_DAYS, secures=True),
        CaseKind("执异", "执行异议案件", frozenset({DeadlineKind.OBJECTION_DECISION}), (*_STEPS, *_END), _BOTH_TOLD,
                 power=Power.ADJUDICATION, work="本院依法审查执行异议。", limit=_BY_GROUND, about_main=True,
                 reviews=OBJECTIONS, review=OBJECTIONS[None], awaits_ground=True),
        CaseKind("执复", "执行复议案件", frozenset({DeadlineKind.RECONSIDERATION_DECISION}), (*_STEPS, *_END),
                 _BOTH_TOLD, power=Power.ADJUDICATION, work="本院审查复议申请。", limit=_BY_GROUND, about_main=True,
                 reviews=RECONSIDERATIONS, review=RECONSIDERATIONS[None], awaits_ground=True),
        # The bureau has a department of its own for supervision; law and reform give only reviews to another division.
        CaseKind("执监", "执行监督案件", frozenset(), (*_STEPS, *_END), _BOTH_TOLD,
                 work="本院依法监督执行。", limit=_COURTS_OWN, about_main=True),
        CaseKind("执协", "执行协调案件", frozenset(), (*_STEPS, *_END), _NOBODY_TOLD,
                 work="本院协调处理执行争议或者协助执行事项。", limit=_COURTS_OWN),
        CaseKind("执他", "其他执行案件", frozenset(), (*_STEPS, *_END), _NOBODY_TOLD,
                 work="本院办理与执行有关的其他事项。", limit=_COURTS_OWN),
    )
})  # fmt: skip
_OTHER = KINDS["执他"]


def begins(clock: DeadlineKind, kind: CaseKind, received_on: date | None, secured_on: date | None) -> date | None:
    """From which day a clock that counts from the receipt counts; None while that day is not known.

    Where a preservation needs security its five days count from the day on which it was given (财产保全规定 4). The
    48 hours of an urgent one count from the application (CPL 103).
    """
    from_security = clock is DeadlineKind.PRESERVATION_BEGIN and not kind.urgent
    return (secured_on or received_on) if from_security else received_on


def kind_of(case_number: str, said: Particulars = NOTHING_SAID) -> CaseKind:
    """What kind of case a number names; of one that cannot be read nothing is owed and nothing counts."""
    found = parts(case_number)
    written = _TYPE.search(found.code) if found else None
    return (KINDS[written[1]] if written else _OTHER).with_particulars(said)
