"""Cases and parties at the API. Requests carry texts; the domain judges them, so that all faults come at once."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.case_intake.domain.filing import MAX_PARTIES
from services.case_intake.usecases.filing import Assign, Doubt
from services.case_intake.usecases.reading import CaseView, PartyView
from shared.contracts.cases import IdKind, PartyRole
from shared.contracts.reviews import ReviewGround
from shared.http.inputs import Input, Line, Prose
from shared.http.versions import NamedVersion

Typed = str | None


def _texts(body: BaseModel, *leave: str) -> dict[str, str]:
    """The fields that were given, as texts; null empties a field."""
    words = {None: "", True: "是", False: "否"}
    given = {field: getattr(body, field) for field in body.model_fields_set if field not in leave}
    return {
        field: words[value] if value is None or isinstance(value, bool) else str(value)
        for field, value in given.items()
    }


def _needed(*fields: str) -> ConfigDict:
    """Fields that must be given; the domain says so, together with every other fault."""
    return ConfigDict(json_schema_extra={"required": list(fields)})


_GROUND = "审查事由；只有执行异议、复议案件可以填写：" + "、".join(
    f"{ground.value}（{ground.label}）" for ground in ReviewGround
)


class PartyFields(Input):
    """What changes of a party; null takes a value back. The role stays: another role is another party."""

    name: Typed = None
    id_kind: Typed = Field(None, description="resident_id（居民身份证）或 uscc（统一社会信用代码）")
    id_number: Typed = None
    phone: Typed = Field(None, description="手机号码，11位")
    email: Typed = None
    consents: bool | None = Field(None, description="是否同意电子送达")
    address_confirmed_on: Typed = Field(None, description="送达地址确认日期，如 2026-11-23")
    postal_address: Typed = None
    guardian_name: Typed = Field(None, description="法定代理人；未满18周岁的当事人必填")
    guardian_phone: Typed = None
    agent_name: Typed = None
    agent_phone: Typed = None

    def texts(self) -> dict[str, str]:
        """As the domain reads it."""
        return _texts(self, "version")


class PartyPatch(PartyFields):
    """The same, over a version that was read."""

    version: NamedVersion = None


class PartyInput(PartyFields):
    """A party to be registered."""

    model_config = _needed("role", "name", "id_kind", "id_number", "consents")

    role: Typed = Field(None, description="applicant（申请执行人）或 respondent（被执行人）")


class CaseFields(Input):
    """What is completed or corrected of a case; null takes a value back."""

    basis_document: Typed = Field(None, description="执行依据文号")
    basis_maker: Typed = Field(None, description="作出机关")
    cause: Typed = Field(None, description="案由")
    received_on: Typed = Field(None, description="收到申请的日期")
    claim_amount: str | int | float | None = Field(None, description="执行标的金额，人民币元，最多两位小数")
    obligation: Typed = Field(None, description="应履行义务")
    non_litigation: bool | None = Field(None, description="是否非诉执行（行政非诉案件，法定期限三个月）")
    main_case: Typed = Field(None, description="所属执行案件的案号；恢复执行的，原执行案件的案号")
    urgent: bool | None = Field(None, description="是否情况紧急；只有财产保全案件（执保）可以填写")
    secured_on: Typed = Field(None, description="须提供担保的，提供担保的日期；只有财产保全案件（执保）可以填写")
    ground: Typed = Field(None, description=_GROUND)
    report_ordered: bool | None = Field(None, description="是否责令再次报告财产；只有恢复执行案件（执恢）可以填写")

    def texts(self) -> dict[str, str]:
        """As the domain reads it."""
        return _texts(self, "version")


class CasePatch(CaseFields):
    """The same, over a version that was read."""

    version: NamedVersion = None


class CaseInput(CaseFields):
    """A case to be filed; without a number the next serial is allotted."""

    model_config = _needed("filed_on", "basis_document", "basis_maker", "cause", "parties")

    case_number: Typed = Field(None, description="案号，如（2026）渝05执5001号；不填则自动编号")
    filed_on: Typed = Field(None, description="立案日期，如 2026-11-23")
    parties: list[PartyInput] = Field(default_factory=list, max_length=MAX_PARTIES)
    assign: Assign = Field(Assign.BY_HAND, description="auto：按在办案件最少自动分案")
    confirmed: list[Doubt] = Field(
        default_factory=list,
        description="对系统疑问的确认：serial_far（序号远大于已登记的序号，无误）、filed_already（确属另一件案件）",
    )

    def texts(self) -> dict[str, str]:
        """As the domain reads it, without the parties."""
        return _texts(self, "parties", "assign", "confirmed")


class AssignmentInput(Input):
    """To whom a case is given. Without a panel the judge's own."""

    judge_id: UUID
    panel: Line | None = None
    clerk_name: Line | None = None
    version: NamedVersion = None
    """The `assignment_version` that was read."""


class FiledParty(BaseModel):
    """A party's id."""

    id: UUID
    role: PartyRole


class FiledCase(BaseModel):
    """A case on file. `assigned`: a judge has it already."""

    id: UUID
    case_number: str
    assigned: bool
    parties: list[FiledParty]


class LookInput(Input):
    """Why somebody needs the parties' full particulars; nothing is needed where the case is their own."""

    reason: Prose | None = None


class PartyAnswer(BaseModel):
    """A party. ID number, telephones and addresses are masked unless somebody looked."""

    id: UUID
    role: PartyRole
    consents: bool
    address_confirmed_on: date | None
    minor: bool
    name: str
    id_kind: IdKind
    id_number: str
    phone: str | None
    email: str | None
    postal_address: str | None
    guardian_name: str | None
    guardian_phone: str | None
    agent_name: str | None
    agent_phone: str | None
    disowned: list[Literal["sms", "mail"]] = Field(description="持有人称不是本人的联系方式，待核实")
    version: str


class JudgeAnswer(BaseModel):
    """The judge who has a case."""

    staff_id: UUID
    name: str
    phone: str


class CaseLine(BaseModel):
    """A case in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    case_number: str
    filed_on: date
    cause: str
    claim_amount: Decimal | None
    states: list[Literal["unreadable", "incomplete", "unassigned", "assigned", "closed", "archived"]]
    lacks: list[Literal["applicant", "respondent", "obligation"]]


class CaseAnswer(CaseLine):
    """A case whole."""

    received_on: date | None
    basis_document: str
    basis_maker: str
    obligation: str | None
    non_litigation: bool
    main_case: str | None
    urgent: bool
    secured_on: date | None
    ground: ReviewGround | None
    report_ordered: bool
    kind: str
    side_cases: list[str]
    silent: bool
    judge: JudgeAnswer | None
    clerk_name: str | None
    panel: str | None
    department: str | None
    rule: str | None
    assigned_at: datetime | None
    parties: list[PartyAnswer]
    version: str
    assignment_version: str


def case_answer(view: CaseView) -> CaseAnswer:
    """A case for the API."""
    parties = [_party(party) for party in view.parties]
    judge = view.judge and view.judge.model_dump()
    more = {"kind": view.kind.title, "side_cases": [related.case_number for related in view.side_cases]}
    return CaseAnswer.model_validate({**vars(view), "judge": judge, "parties": parties, **more})


def _party(party: PartyView) -> dict[str, Any]:
    return {**vars(party.entry), **party.entry.identity.model_dump(), **_own(party)}


def _own(party: PartyView) -> dict[str, Any]:
    return {"id": party.id, "disowned": party.disowned, "version": party.version}


class CaseList(BaseModel):
    """A page of cases."""

    items: list[CaseLine]
    next: str | None
