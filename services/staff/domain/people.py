"""Who works at the court, what must hold for them, and where sign-in leads. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.errors import Fault
from shared.powers import CONFIRMED, NOT_IN_DOUBT, POSTS, STANDS_IN, Power, Role, roles_for

SHORTEST_PASSWORD = 12

GUARDED = roles_for(CONFIRMED)
"""Posts that an administrator alone gives to nobody: who confirms, sees senders of tips, reviews, administers."""
_APART = roles_for(STANDS_IN)
"""Posts that an administrator alone gives to nobody who administers, least of all to himself."""
_LOOKED_INTO = roles_for(NOT_IN_DOUBT)

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
    """A member of staff. `phone` is a landline of the court; `must_change` asks for a new password at sign-in.

    Posts that are `waiting` give no power yet: the integrity office has to confirm them. Who is `doubted` does nothing
    of `NOT_IN_DOUBT` until that office has looked into who let them in.
    """

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
    waiting: tuple[Role, ...] = ()
    doubted: bool = False

    @property
    def title(self) -> str:
        """The posts in Chinese."""
        return titles(self.roles)

    @property
    def waiting_title(self) -> str:
        """The posts that wait, in Chinese."""
        return titles(self.waiting)

    @property
    def given(self) -> tuple[Role, ...]:
        """The posts that an administrator gave them, whether they hold yet or not."""
        return self.roles + self.waiting

    def texts(self) -> dict[str, str]:
        """What of them can be changed, in words."""
        return {
            "name": self.name,
            "phone": self.phone,
            "department": self.department,
            "panel": self.panel or "",
            "roles": titles(self.given),
            "active": "在岗" if self.active else "已停用",
        }

    @property
    def administers(self) -> bool:
        """Whether they can sign in and manage others."""
        return self.active and Role.ADMIN in self.roles


def titles(roles: Collection[Role]) -> str:
    """Posts in Chinese, in the order of the table of posts."""
    return "、".join(POSTS[role].title for role in Role if role in roles)


def settled(wanted: Member, had: Collection[Role], by: UUID) -> Member:
    """The member with the posts that `by` wants for them, of which guarded ones wait that they did not have."""
    administers = by == wanted.id or Role.ADMIN in wanted.roles
    guarded = GUARDED | _APART if administers else GUARDED
    waiting = tuple(role for role in wanted.roles if role in guarded and role not in had)
    return replace(wanted, roles=tuple(role for role in wanted.roles if role not in waiting), waiting=waiting)


def raises_doubt(member: Member, had: Collection[Role]) -> bool:
    """Whether somebody has to look into the posts that hold now and did not, before they are used for what counts."""
    return bool(_LOOKED_INTO & (set(member.roles) - set(had)))


def told_apart(before: Member, after: Member, names: Collection[str]) -> str:
    """In words, how these texts of a member differ; empty when they do not."""
    was, now = before.texts(), after.texts()
    return "；".join(f"{was[name] or '无'}改为{now[name] or '无'}" for name in names if was[name] != now[name])


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
