"""What a notice is, whom and what it is about, and how it may travel.

Dates are days in Asia/Shanghai. Names, telephones and addresses are left out of `repr`, so no log can show them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from shared.contracts.case_kinds import NOTHING_SAID, CaseKind, Particulars, kind_of
from shared.contracts.case_number import parts
from shared.contracts.cases import PartyRole
from shared.errors import Conflict


class Role(StrEnum):
    """On which side of the case a party stands."""

    APPLICANT = "applicant"
    RESPONDENT = "respondent"

    @property
    def label(self) -> str:
        return {Role.APPLICANT: "申请执行人", Role.RESPONDENT: "被执行人"}[self]


class Kind(StrEnum):
    """A kind of notice. One notice is one legal act with its own number and record."""

    CASE_ACCEPTED = "CASE_ACCEPTED"
    ENFORCEMENT_NOTICE = "ENFORCEMENT_NOTICE"
    RIGHTS_RISKS = "RIGHTS_RISKS"
    INTEGRITY_CARD = "INTEGRITY_CARD"
    HANDLING = "HANDLING"
    PROGRESS = "PROGRESS"
    MISFILED_CORRECTION = "MISFILED_CORRECTION"

    @property
    def label(self) -> str:
        return _TITLES[self]


_TITLES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.CASE_ACCEPTED: "受理通知书",
        Kind.ENFORCEMENT_NOTICE: "执行通知书",
        Kind.RIGHTS_RISKS: "权利义务及执行风险告知书",
        Kind.INTEGRITY_CARD: "廉政监督卡",
        Kind.HANDLING: "案件办理告知书",
        Kind.PROGRESS: "执行进展告知书",
        Kind.MISFILED_CORRECTION: "更正告知书",
    }
)


class ServiceWay(StrEnum):
    """How documents may travel to a party (CPL 90; JI 136: consent stands in the confirmation of address)."""

    ELECTRONIC = "electronic"
    ELECTRONIC_UNCONFIRMED = "electronic_unconfirmed"
    PAPER = "paper"
    COLLECT = "collect"

    @property
    def by_mail(self) -> bool:
        return self in {ServiceWay.ELECTRONIC, ServiceWay.ELECTRONIC_UNCONFIRMED}

    @property
    def by_paper(self) -> bool:
        """True when the letters belong on the clerk's paper worklist."""
        return not self.by_mail


@dataclass(frozen=True)
class Judge:
    """Who handles the case; `phone` is a landline of the court."""

    name: str
    phone: str
    title: str


@dataclass(frozen=True)
class CaseAccount:
    """The court's account for the money of cases; no other may be paid into."""

    name: str
    bank: str
    number: str


@dataclass(frozen=True)
class CourtFacts:
    """The court's own data, from its settings. Periods are in days from receipt."""

    name: str
    sms_signature: str
    supervision_phone: str
    duty_phone: str
    site_name: str
    address: str
    postal_code: str
    account: CaseAccount
    perform_days: int = 10
    report_days: int = 10
    clue_days: int = 10
    hotline: str = "12368"


@dataclass(frozen=True)
class CaseFacts:
    """What a notice may say of its case. `statutory_due` is the six months' day, where it is known."""

    case_id: str
    case_number: str
    court: str
    filed_on: date
    basis_document: str
    basis_maker: str
    cause: str
    judge: Judge
    claim_amount: Decimal | None = None
    obligation: str | None = field(default=None, repr=False)
    clerk_name: str | None = None
    panel: str | None = None
    department: str | None = None
    statutory_due: date | None = None
    main_case: str | None = None
    particulars: Particulars = NOTHING_SAID

    @property
    def kind_of_case(self) -> CaseKind:
        """What kind of case it is, as far as is known. Raises Conflict for a number of which nothing follows."""
        split_number(self.case_number)
        return kind_of(self.case_number, self.particulars)

    def ordering_report(self, ordered: bool) -> Self:  # noqa: FBT001 - a row's column
        """The case as letters tell it that were written when a report was, or was not, ordered."""
        return replace(self, particulars=replace(self.particulars, report_ordered=ordered))

    @property
    def year(self) -> str:
        return split_number(self.case_number)[0]

    @property
    def type_code(self) -> str:
        """Court and type of the case number, such as 渝05执恢: the fixed part of an SMS template."""
        return split_number(self.case_number)[1]

    @property
    def serial(self) -> str:
        return split_number(self.case_number)[2]


@dataclass(frozen=True)
class PartyFacts:
    """One party of a case. A minor's contact is the guardian's: `email` is then the guardian's too."""

    party_id: str
    role: Role
    name: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    consents: bool = False
    address_confirmed_on: date | None = None
    postal_address: str | None = field(default=None, repr=False)
    minor: bool = False
    guardian_name: str | None = field(default=None, repr=False)
    guardian_phone: str | None = field(default=None, repr=False)

    @property
    def contact_phone(self) -> str | None:
        """The only telephone that may be written to; None means: no SMS."""
        return (self.guardian_phone if self.minor else self.phone) or None

    @property
    def addressee(self) -> str:
        """Whom a letter addresses."""
        return f"{self.name}的法定代理人{self.guardian_name}" if self.minor else self.name


@dataclass(frozen=True)
class Progress:
    """A publishable entry of the enforcement log, as the applicant may read it."""

    happened_on: date
    action: str
    log_entry: str
    result: str | None = None
    next_step: str | None = None


@dataclass(frozen=True)
class WronglyTold:
    """A notice that went to somebody who is no party: what a correction names."""

    title: str
    number: str


@dataclass(frozen=True)
class NoticeFacts:
    """One notice to be written: number, day, the other side's names, the kinds that travel with it.

    `way` is set where the paper follows a mail that failed; else it is that of the party. `wrongly_told`: what a
    correction takes back.
    """

    number: str
    kind: Kind
    issued_on: date
    opponents: tuple[str, ...] = field(default=(), repr=False)
    enclosures: tuple[Kind, ...] = ()
    progress: Progress | None = None
    way: ServiceWay | None = None
    wrongly_told: tuple[WronglyTold, ...] = ()


def split_number(case_number: str) -> tuple[str, str, str]:
    """Year, court with type, and serial of a case number (domain B). Raises Conflict on anything else."""
    found = parts(case_number)
    if found is None:
        raise Conflict(
            "case_number_unreadable",
            "案号无法识别，不能据此制作通知。案号登记后不能更改，请立案人员以正确的案号另行立案，本案报系统管理员处理。",
        )
    return found


def way_of(party: PartyFacts) -> ServiceWay:
    """The only way of service that is true for this party; an SMS never is one."""
    if party.consents and party.email:
        confirmed = party.address_confirmed_on is not None
        return ServiceWay.ELECTRONIC if confirmed else ServiceWay.ELECTRONIC_UNCONFIRMED
    return ServiceWay.PAPER if party.postal_address else ServiceWay.COLLECT


def main_kind(case_number: str, role: Role) -> Kind | None:
    """The notice that tells this side of the filing; None when nothing is told then."""
    main = kind_of(case_number).main_notice(PartyRole(role))
    return None if main is None else Kind(main)
