"""Who works at the court, what must hold for them, and where sign-in leads. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from shared.contracts.staff import ChangeState, CourtData
from shared.errors import Fault
from shared.powers import POSTS, Action, Power, Role

SESSION = timedelta(minutes=30)
"""How long a signed token lives; until then no service asks whether its bearer still works here."""
REFRESH = timedelta(hours=12)
"""How long one sign-in can be renewed: a shift."""
DEVICE = timedelta(days=180)
"""For how long a device that has signed in is known as theirs."""
SHORTEST_PASSWORD = 12

DEPARTMENTS: tuple[str, ...] = tuple(dict.fromkeys(post.department for post in POSTS.values()))

_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\\\x7f]*")
_LANDINGS = {
    Role.DUTY: "/desk",
    Role.COMMAND: "/desk",
    Role.CLERK: "/cases",
    Role.ADMIN: "/staff",
    Role.INTEGRITY: "/staff/record",
}


@dataclass(frozen=True)
class Member:
    """A member of staff. `phone` is a landline of the court; `must_change` asks for a new password at sign-in."""

    id: UUID
    login: str
    name: str
    phone: str
    department: str
    panel: str | None
    roles: tuple[Role, ...]
    court: str
    active: bool
    must_change: bool

    @property
    def title(self) -> str:
        """The posts in Chinese."""
        return "、".join(POSTS[role].title for role in self.roles)

    def texts(self) -> dict[str, str]:
        """What of them can be changed, in words."""
        return {
            "name": self.name,
            "phone": self.phone,
            "department": self.department,
            "panel": self.panel or "",
            "roles": self.title,
            "active": "在岗" if self.active else "已停用",
        }

    @property
    def administers(self) -> bool:
        """Whether they can sign in and manage others."""
        return self.active and Role.ADMIN in self.roles


def member_faults(member: Member, panels: Collection[str]) -> list[Fault]:
    """All that is wrong with a member as they would become."""
    faults = [Fault("roles", _misplaced(role)) for role in member.roles if not _has_place(role, member.department)]
    if member.department not in DEPARTMENTS:
        faults.append(Fault("department", f"没有这个部门。可选：{'、'.join(DEPARTMENTS)}。"))
    if member.panel is not None and member.panel not in panels:
        faults.append(Fault("panel", f"没有这个合议庭。可选：{'、'.join(panels)}。"))
    return faults


def _has_place(role: Role, department: str) -> bool:
    """The reform of 2009 separates the three powers: who holds one belongs to the department that has it."""
    return POSTS[role].power is Power.SERVICE or POSTS[role].department == department


def _misplaced(role: Role) -> str:
    post = POSTS[role]
    return f"{post.title}只能由{post.department}的人员担任：执行实施、执行裁决、财产变现三权分离。"


def password_faults(field: str, login: str, password: str) -> list[Fault]:
    """What makes a new password too easy to guess."""
    faults = []
    if len(password) < SHORTEST_PASSWORD:
        faults.append(Fault(field, f"密码至少{SHORTEST_PASSWORD}个字符，请加长。"))
    if len(set(password)) < 5:
        faults.append(Fault(field, "密码中不同的字符太少，请换一个。"))
    if login in password.lower():
        faults.append(Fault(field, "密码不能包含登录名，请换一个。"))
    return faults


def landing(roles: Sequence[Role]) -> str:
    """The page where somebody's work begins."""
    return next((_LANDINGS[role] for role in roles if role in _LANDINGS), "/work")


def local_path(text: str) -> str | None:
    """`text` when it is a path of this site, else None: nobody is led from the sign-in page to another site."""
    return text if _LOCAL_PATH.fullmatch(text) else None


@dataclass(frozen=True)
class CourtChange:
    """A change of the court's account or telephones: what held, what is to hold, who asked and who decided."""

    id: UUID
    court: str
    before: CourtData
    proposed: CourtData
    reason: str
    state: ChangeState
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    decided_by: UUID | None = None
    decider: str | None = None
    decided_at: datetime | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """What would change."""
        before, proposed = self.before.model_dump(), self.proposed.model_dump()
        return tuple(name for name, value in proposed.items() if value != before[name])

    def decided(self, outcome: ChangeState, by: UUID, name: str, at: datetime) -> Self:
        """The same, decided."""
        return replace(self, state=outcome, decided_by=by, decider=name, decided_at=at)


class DoorKind(StrEnum):
    """What was done to somebody's sign-in."""

    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name
    NOT_MINE = "not_mine"
    TOKEN_PRINTED = "token_printed"  # noqa: S105
    API_TOKEN_MADE = "api_token_made"  # noqa: S105
    API_TOKEN_REVOKED = "api_token_revoked"  # noqa: S105

    @property
    def words(self) -> str:
        """In Chinese."""
        return _DOOR_WORDS[self]

    @property
    def is_reviewed(self) -> bool:
        """Whether the integrity office looks into each."""
        return self in {DoorKind.PASSWORD_RESET, DoorKind.NOT_MINE}

    @property
    def is_shown(self) -> bool:
        """Whether its owner is shown it at the next sign-in; who can print tokens is the machine's own keeper."""
        return self in {DoorKind.PASSWORD_RESET, DoorKind.API_TOKEN_REVOKED}


_DOOR_WORDS = {
    DoorKind.PASSWORD_RESET: "密码被重置",
    DoorKind.NOT_MINE: "本人称重置并非其要求",
    DoorKind.TOKEN_PRINTED: "在服务器上生成临时令牌",
    DoorKind.API_TOKEN_MADE: "新建访问令牌",
    DoorKind.API_TOKEN_REVOKED: "撤销访问令牌",
}


@dataclass(frozen=True)
class DoorEvent:
    """One of those, with the names of whom it concerns; without a `doer` it was done on the machine itself."""

    id: int
    kind: DoorKind
    owner: str
    doer: str
    at: datetime
    note: str
    owner_saw_at: datetime | None
    reviewer: str
    reviewed_at: datetime | None


LONGEST_API_TOKEN = timedelta(days=366)


@dataclass(frozen=True)
class ApiToken:
    """A token for another system: who answers for it, what it may do, until when."""

    id: UUID
    staff_id: UUID
    owner: str
    name: str
    scopes: tuple[Action, ...]
    made_at: datetime
    ends_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
