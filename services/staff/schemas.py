"""What comes in over HTTP, as JSON or as a form, and what goes out."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo

from services.staff.domain.doors import SESSION
from services.staff.domain.people import Member
from services.staff.usecases.court import Proposal
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.members import member_version
from services.staff.usecases.sessions import Credentials
from services.staff.usecases.tokens import NewApiToken
from shared.contracts.landline import is_landline, written
from shared.contracts.staff import ChangeState, CourtData
from shared.http.inputs import VERBATIM, Input, Line, Prose
from shared.http.versions import FIELD, Edit, NamedVersion, Version
from shared.powers import Action, Role
from shared.runtime.service import kit_of

HandedKit = Annotated[StaffKit, Depends(kit_of)]


def _landline(typed: str) -> str:
    text = written(typed)
    if not is_landline(text):
        raise ValueError("请填写带区号的固定电话，如“023-12345678”，不含分机号；手机号不能写入短信。")
    return text


Password = Annotated[str, VERBATIM, StringConstraints(strip_whitespace=False, min_length=1, max_length=128)]
Code = Annotated[Line, StringConstraints(max_length=40)]
Login = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{1,31}$")]
Landline = Annotated[str, AfterValidator(_landline)]
Roles = Annotated[tuple[Role, ...], Field(min_length=1), AfterValidator(lambda roles: tuple(dict.fromkeys(roles)))]


def _same_as(field: str) -> Callable[[str | None, ValidationInfo], str | None]:
    def check(again: str | None, info: ValidationInfo) -> str | None:
        if again != info.data.get(field, again):
            raise ValueError("两次输入的新密码不一致，请重新输入。")
        return again

    return check


class SignIn(Input):
    """Login and password; a new password where one is due; the second factor's code for whoever has one."""

    login: Annotated[Line, AfterValidator(str.lower)]
    password: Password
    new_password: Password | None = None
    code: Code | None = None

    def credentials(self) -> Credentials:
        """As the use cases take them."""
        return Credentials(self.login, self.password, self.new_password, self.code)


class SignInForm(SignIn):
    """The same on the page: with the path to go to, and the new password once more."""

    next: str = ""
    again: Annotated[Password | None, AfterValidator(_same_as("new_password"))] = Field(None, validate_default=True)


class CodeForm(Input):
    """A code of the second factor, or a recovery code."""

    code: Code


class ConfirmForm(CodeForm):
    """The code by which a telephone shows that it has the secret offered."""

    offer: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class EnrolForm(ConfirmForm):
    """The same at the door, with the code that an administrator handed out."""

    granted: Code


class ProofForm(CodeForm):
    """What somebody who is signed in shows before their second factor is changed."""

    password: Password


class PasswordChange(Input):
    """One's own password, replaced."""

    old: Password
    new: Password


class PasswordForm(PasswordChange):
    """The same on the page: with the new password once more."""

    again: Annotated[Password | None, AfterValidator(_same_as("new"))] = Field(None, validate_default=True)


class NewMember(Input):
    """A member of staff to be added."""

    login: Login
    name: Line
    phone: Landline
    department: Line
    panel: Line | None = None
    roles: Roles

    def member(self, staff_id: UUID, court: str) -> Member:
        """The member that they become: active, with an initial password."""
        return Member(id=staff_id, court=court, active=True, must_change=True, **dict(self))


class MemberChange(Input):
    """What is to change of a member; what is left out stays, and `panel: null` takes them out of their panel."""

    name: Line = ""
    phone: Landline = ""
    department: Line = ""
    panel: Line | None = None
    roles: Roles = ()
    active: bool = True
    version: NamedVersion = None

    def changes(self) -> dict[str, Any]:
        """The fields that were named."""
        return {name: getattr(self, name) for name in self.model_fields_set - {FIELD}}


class MemberForm(Input):
    """The page's form for changing a member: every field, as it now is."""

    name: Line
    phone: Landline
    department: Line
    panel: Line | None = None
    roles: Roles
    active: bool = False
    version: Version


class ApiTokenInput(Input):
    """A token for another system: its purpose, what it may do, and for how many days."""

    name: Line
    scopes: Annotated[tuple[Action, ...], Field(min_length=1), AfterValidator(lambda each: tuple(dict.fromkeys(each)))]
    days: Annotated[int, Field(ge=1, le=366)] = 90

    def asked(self) -> NewApiToken:
        """As the use case takes it."""
        return NewApiToken(self.name, self.scopes, self.days)


class ApiTokenAnswer(BaseModel):
    """A token for another system, without its secret."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    owner: str
    name: str
    scopes: tuple[Action, ...]
    made_at: datetime
    ends_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiTokens(BaseModel):
    """Tokens, newest first."""

    items: list[ApiTokenAnswer]


class MadeApiTokenAnswer(ApiTokenAnswer):
    """A new one with its secret, which is in this answer alone."""

    secret: str


class Token(BaseModel):
    """A bearer token, and for how many seconds it is good."""

    token: str
    token_type: str = "Bearer"  # noqa: S105 - RFC 6750's name of the scheme
    expires_in: int = int(SESSION.total_seconds())


class MemberAnswer(BaseModel):
    """A member as they now are, and the version to be named when they are changed.

    `waiting` are posts that the integrity office has yet to confirm: they give no power. Who is `doubted` does nothing
    of what matters most until that office has looked into a reset, or into a new post.
    """

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    login: str
    name: str
    phone: str
    department: str
    panel: str | None
    roles: list[Role]
    waiting: list[Role]
    doubted: bool
    court: str
    active: bool
    must_change: bool
    version: str

    @classmethod
    def of(cls, kit: StaffKit, member: Member) -> "MemberAnswer":
        """For the API."""
        return cls(**asdict(member), version=member_version(kit, member))


class Members(BaseModel):
    """A page of members; `next` is the cursor of the page after it."""

    items: list[MemberAnswer]
    next: str | None


class InitialPassword(BaseModel):
    """Shown once: the member must replace it at the next sign-in."""

    initial_password: str


class EnrolmentCode(BaseModel):
    """Shown once: with it the member sets up the second factor that their posts need, within seven days."""

    enrolment_code: str


class AddedMember(InitialPassword):
    """The new member with their initial password, and the enrolment code where their posts need a second factor."""

    member: MemberAnswer
    enrolment_code: str | None


def _account(text: str) -> str:
    plain = text.replace(" ", "").replace("-", "")
    if not (plain.isascii() and plain.isdecimal() and 8 <= len(plain) <= 32):
        raise ValueError("账号应为8至32位数字，可以用空格分组，请核对。")
    return " ".join(text.split())


class CourtDataInput(Input):
    """What is to hold: the account that parties pay into, and the telephones."""

    case_account_name: Line
    case_account_bank: Line
    case_account_number: Annotated[Line, AfterValidator(_account)]
    supervision_phone: Landline
    duty_phone: Landline
    reason: Prose
    version: NamedVersion = None

    def proposal(self, edit: Edit) -> Proposal:
        """As the use case takes it."""
        data = CourtData.model_validate(self.model_dump(exclude={"reason", "version"}))
        return Proposal(data, self.reason, edit)


class CourtChangeAnswer(BaseModel):
    """A change of the court's data. `state`: proposed, confirmed, rejected, withdrawn."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: ChangeState
    before: CourtData
    proposed: CourtData
    reason: str
    proposer: str
    proposed_at: datetime
    decider: str | None
    decided_at: datetime | None


class CourtAnswer(BaseModel):
    """What holds, its version, and the change that waits for a second person."""

    model_config = ConfigDict(from_attributes=True)

    data: CourtData
    version: str
    pending: CourtChangeAnswer | None


class CourtChanges(BaseModel):
    """A page of changes, newest first; `next` is the cursor of the page after it."""

    items: list[CourtChangeAnswer]
    next: str | None
