"""How long a sign-in lasts, what was done to somebody's sign-in, and tokens for other systems. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.powers import Action, Role

SESSION = timedelta(minutes=30)
"""How long a signed token lives; until then no service asks whether its bearer still works here."""
REFRESH = timedelta(hours=12)
"""How long one sign-in can be renewed: a shift."""
SHOWN_FOR = timedelta(days=30)
"""For how long the owner is shown a reset at every sign-in."""
DEVICE = timedelta(days=180)
"""For how long a device that has signed in is known as theirs."""


class DoorKind(StrEnum):
    """What was done to somebody's sign-in."""

    MEMBER_ADDED = "member_added"
    POSTS_CHANGED = "posts_changed"
    POSTS_REFUSED = "posts_refused"
    LOOKED_INTO = "looked_into"
    PARTICULARS_CHANGED = "particulars_changed"
    PASSWORD_RESET = "password_reset"  # noqa: S105 - a name
    NOT_MINE = "not_mine"
    TOKEN_PRINTED = "token_printed"  # noqa: S105
    API_TOKEN_MADE = "api_token_made"  # noqa: S105
    API_TOKEN_REVOKED = "api_token_revoked"  # noqa: S105
    ENROLMENT_CODE = "enrolment_code"
    FACTOR_SET = "factor_set"
    FACTOR_OFF = "factor_off"
    FACTOR_RESET = "factor_reset"
    RECOVERY_USED = "recovery_used"
    CODES_TRIED = "codes_tried"

    @property
    def words(self) -> str:
        """In Chinese."""
        return _DOOR_WORDS[self]

    @property
    def is_reviewed(self) -> bool:
        """Whether the integrity office looks into each."""
        return self in _REVIEWED

    @property
    def is_reset(self) -> bool:
        """Whether it lets another in in the owner's place: shown at every sign-in for a while, whoever has seen it."""
        return self in {DoorKind.PASSWORD_RESET, DoorKind.FACTOR_RESET}

    @property
    def is_shown(self) -> bool:
        """Whether its owner is shown it at the next sign-in; who can print tokens is the machine's own keeper."""
        return self in _SHOWN

    @property
    def is_told_anyway(self) -> bool:
        """Whether its owner is told even of what they did themselves: a session that somebody took over could, too."""
        return self is DoorKind.API_TOKEN_MADE

    @property
    def is_strange(self) -> bool:
        """Whether nobody knows who did it."""
        return self is DoorKind.CODES_TRIED


_REVIEWED = {
    DoorKind.MEMBER_ADDED,
    DoorKind.POSTS_CHANGED,
    DoorKind.LOOKED_INTO,
    DoorKind.PARTICULARS_CHANGED,
    DoorKind.PASSWORD_RESET,
    DoorKind.NOT_MINE,
    DoorKind.FACTOR_RESET,
    DoorKind.CODES_TRIED,
}
_SHOWN = {
    DoorKind.POSTS_CHANGED,
    DoorKind.POSTS_REFUSED,
    DoorKind.LOOKED_INTO,
    DoorKind.PARTICULARS_CHANGED,
    DoorKind.PASSWORD_RESET,
    DoorKind.API_TOKEN_MADE,
    DoorKind.API_TOKEN_REVOKED,
    DoorKind.ENROLMENT_CODE,
    DoorKind.FACTOR_RESET,
    DoorKind.CODES_TRIED,
}
_DOOR_WORDS = {
    DoorKind.MEMBER_ADDED: "添加人员",
    DoorKind.POSTS_CHANGED: "岗位变更",
    DoorKind.POSTS_REFUSED: "监察不予确认岗位",
    DoorKind.LOOKED_INTO: "在服务器上核对",
    DoorKind.PARTICULARS_CHANGED: "资料变更",
    DoorKind.PASSWORD_RESET: "密码被重置",
    DoorKind.NOT_MINE: "本人称重置并非其要求",
    DoorKind.TOKEN_PRINTED: "在服务器上生成临时令牌",
    DoorKind.API_TOKEN_MADE: "新建访问令牌",
    DoorKind.API_TOKEN_REVOKED: "撤销访问令牌",
    DoorKind.ENROLMENT_CODE: "发放两步验证启用码",
    DoorKind.FACTOR_SET: "启用两步验证",
    DoorKind.FACTOR_OFF: "停用两步验证",
    DoorKind.FACTOR_RESET: "两步验证被重置",
    DoorKind.RECOVERY_USED: "用恢复码登录",
    DoorKind.CODES_TRIED: "密码正确，验证码连续输错",
}


_OPERATOR = "服务器上的操作员"


@dataclass(frozen=True)
class DoorEvent:
    """One of those, with the names of whom it concerns, and the posts that take effect with its review."""

    id: int
    kind: DoorKind
    staff_id: UUID
    doer_id: UUID | None
    owner: str
    doer: str
    at: datetime
    note: str
    owner_saw_at: datetime | None
    reviewer: str
    reviewed_at: datetime | None
    held: tuple[Role, ...]
    doubts: bool
    refused: bool
    seen_from: str | None
    seen_on: bytes | None

    @property
    def by(self) -> str:
        """Who did it, in words."""
        return self.doer or ("不明" if self.kind.is_strange else _OPERATOR)

    @property
    def looked_into_by(self) -> str:
        """Who looked into it, in words."""
        return self.reviewer or _OPERATOR


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
