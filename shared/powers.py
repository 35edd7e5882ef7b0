"""Who may do what: one table, action → power → roles. Every route names an action of it, or is marked public.

The reform separates three powers: implementation (执行实施), adjudication (执行裁决) and realization (财产变现);
nobody holds two of them in one case. Management, supervision and the desk watch and serve, and hold none of the three.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID


class Power(StrEnum):
    """The power of which an act is an exercise."""

    IMPLEMENTATION = "implementation"
    ADJUDICATION = "adjudication"
    REALIZATION = "realization"
    SERVICE = "service"
    """Filing, managing, supervising, the duty desk: no power over the parties."""


class Role(StrEnum):
    """What a member of staff is signed in as."""

    CLERK = "clerk"
    JUDGE = "judge"
    PRESIDING = "presiding"
    CHIEF = "chief"
    PRESIDENT = "president"
    MANAGEMENT = "management"
    SUPERVISION = "supervision"
    OFFICE = "office"
    ADJUDICATION = "adjudication"
    AUCTION = "auction"
    INTEGRITY = "integrity"
    DUTY = "duty"
    COMMAND = "command"
    ADMIN = "admin"


@dataclass(frozen=True)
class Post:
    """Where a role stands: its department and title in Chinese, and the power it exercises."""

    department: str
    title: str
    power: Power


POSTS: dict[Role, Post] = {
    Role.CLERK: Post("立案庭", "立案人员", Power.SERVICE),
    Role.JUDGE: Post("执行局", "承办法官", Power.IMPLEMENTATION),
    Role.PRESIDING: Post("执行局", "审判长", Power.IMPLEMENTATION),
    Role.CHIEF: Post("执行局", "庭长", Power.IMPLEMENTATION),
    Role.PRESIDENT: Post("院领导", "院长", Power.SERVICE),
    Role.MANAGEMENT: Post("执行局", "执行管理人员", Power.SERVICE),
    Role.SUPERVISION: Post("执行局", "执行监督人员", Power.SERVICE),
    Role.OFFICE: Post("审判管理办公室", "审判管理人员", Power.SERVICE),
    Role.ADJUDICATION: Post("审判监督庭", "裁决法官", Power.ADJUDICATION),
    Role.AUCTION: Post("司法行政处", "评估拍卖人员", Power.REALIZATION),
    Role.INTEGRITY: Post("监察室", "监察人员", Power.SERVICE),
    Role.DUTY: Post("执行指挥中心", "值班员", Power.SERVICE),
    Role.COMMAND: Post("执行指挥中心", "指挥人员", Power.SERVICE),
    Role.ADMIN: Post("信息中心", "系统管理员", Power.SERVICE),
}


class Action(StrEnum):
    """What a route lets one do."""

    CASES_READ = "cases.read"
    CASES_SEARCH = "cases.search"
    CASES_FILE = "cases.file"
    CASES_CORRECT = "cases.correct"
    CASES_ASSIGN = "cases.assign"
    CASES_LOOK = "cases.look"
    STAGES_READ = "stages.read"
    STAGES_ACT = "stages.act"
    LOG_READ = "log.read"
    NOTICES_READ = "notices.read"
    NOTICES_DECIDE = "notices.decide"
    PAPER_WORK = "paper.work"
    DESK_READ = "desk.read"
    DESK_WORK = "desk.work"
    TIP_SENDERS_LOOK = "tip_senders.look"
    TIP_LOOKS_READ = "tip_looks.read"
    COURT_READ = "court.read"
    COURT_PROPOSE = "court.propose"
    COURT_CONFIRM = "court.confirm"
    LOOKS_READ = "looks.read"
    STAFF_READ = "staff.read"
    STAFF_OWN = "staff.own"
    STAFF_MANAGE = "staff.manage"
    STAFF_WATCH = "staff.watch"
    STAFF_REVIEW = "staff.review"
    OPERATIONS = "operations.replay"


HANDLING: Mapping[Power, Role] = MappingProxyType(
    {Power.IMPLEMENTATION: Role.JUDGE, Power.ADJUDICATION: Role.ADJUDICATION}
)
"""To whom cases are given, by the power that a case is an exercise of."""


def handled(roles: Collection[Role]) -> frozenset[Power]:
    """The powers whose cases can be given to somebody with these posts."""
    return frozenset(power for power, role in HANDLING.items() if role in roles)


def exercised(roles: Collection[Role]) -> frozenset[Power]:
    """The powers over the parties that somebody with these posts exercises."""
    return frozenset(POSTS[role].power for role in roles) - {Power.SERVICE}


def power_of(department: str | None) -> Power | None:
    """The power over the parties that a department has; None: it has none, or nobody said which it is."""
    found = (post.power for post in POSTS.values() if post.department == department)
    return next((power for power in found if power is not Power.SERVICE), None)


@dataclass(frozen=True)
class Rule:
    """Which power an action exercises, None: that of the case in which it is done; and who may."""

    power: Power | None
    roles: frozenset[Role]


def _rule(power: Power | None, *roles: Role) -> Rule:
    return Rule(power, frozenset(roles))


_EVERYONE = frozenset(Role) - {Role.ADMIN}
_BENCH = (Role.JUDGE, Role.PRESIDING, Role.CHIEF)
_HANDLE = (*_BENCH, Role.ADJUDICATION)
_INSPECT = (Role.SUPERVISION, Role.INTEGRITY)
_WATCH = (Role.MANAGEMENT, Role.SUPERVISION, Role.OFFICE, Role.PRESIDENT)

POWERS: dict[Action, Rule] = {
    Action.CASES_READ: Rule(Power.SERVICE, _EVERYONE),
    Action.CASES_SEARCH: _rule(Power.SERVICE, Role.CLERK, *_HANDLE, *_WATCH, Role.DUTY, Role.COMMAND),
    Action.CASES_FILE: _rule(Power.SERVICE, Role.CLERK),
    Action.CASES_CORRECT: _rule(Power.SERVICE, Role.CLERK),
    Action.CASES_ASSIGN: _rule(Power.SERVICE, Role.CLERK, Role.CHIEF, Role.MANAGEMENT),
    Action.CASES_LOOK: _rule(Power.SERVICE, Role.CLERK, *_HANDLE, Role.MANAGEMENT, Role.COMMAND, *_INSPECT),
    Action.STAGES_READ: Rule(Power.SERVICE, _EVERYONE),
    Action.STAGES_ACT: _rule(None, *_HANDLE),
    Action.LOG_READ: _rule(Power.SERVICE, *_HANDLE, *_WATCH),
    Action.NOTICES_READ: _rule(Power.SERVICE, Role.CLERK, *_HANDLE, *_WATCH),
    Action.NOTICES_DECIDE: _rule(Power.SERVICE, Role.CLERK, Role.MANAGEMENT),
    Action.PAPER_WORK: _rule(Power.SERVICE, Role.CLERK),
    Action.DESK_READ: _rule(Power.SERVICE, Role.DUTY, Role.COMMAND, Role.CHIEF, Role.PRESIDING, Role.MANAGEMENT),
    Action.DESK_WORK: _rule(Power.SERVICE, Role.DUTY, Role.COMMAND),
    Action.TIP_SENDERS_LOOK: _rule(Power.SERVICE, Role.DUTY, Role.COMMAND),
    Action.TIP_LOOKS_READ: _rule(Power.SERVICE, *_INSPECT),
    Action.LOOKS_READ: _rule(Power.SERVICE, *_INSPECT),
    Action.COURT_READ: _rule(Power.SERVICE, *_WATCH, Role.CHIEF, Role.INTEGRITY, Role.DUTY, Role.COMMAND),
    Action.COURT_PROPOSE: _rule(Power.SERVICE, Role.OFFICE, Role.MANAGEMENT),
    Action.COURT_CONFIRM: _rule(Power.SERVICE, Role.PRESIDENT, Role.CHIEF, Role.INTEGRITY),
    Action.STAFF_READ: Rule(Power.SERVICE, frozenset(Role)),
    Action.STAFF_OWN: Rule(Power.SERVICE, frozenset(Role)),
    Action.STAFF_MANAGE: _rule(Power.SERVICE, Role.ADMIN),
    Action.STAFF_WATCH: _rule(Power.SERVICE, Role.ADMIN, Role.SUPERVISION, Role.INTEGRITY),
    Action.STAFF_REVIEW: _rule(Power.SERVICE, Role.INTEGRITY),
    Action.OPERATIONS: _rule(Power.SERVICE, Role.ADMIN),
}


ACTION_WORDS: dict[Action, str] = {
    Action.CASES_READ: "查看案件",
    Action.CASES_SEARCH: "查找案件和当事人",
    Action.CASES_LOOK: "查看当事人完整信息",
    Action.CASES_FILE: "立案和导入",
    Action.CASES_CORRECT: "更正案件",
    Action.CASES_ASSIGN: "分案",
    Action.STAGES_READ: "查看进程和期限",
    Action.STAGES_ACT: "登记办理行为",
    Action.LOG_READ: "查看执行日志",
    Action.NOTICES_READ: "查看通知和送达证据",
    Action.NOTICES_DECIDE: "决定通知的发送",
    Action.PAPER_WORK: "登记邮寄",
    Action.DESK_READ: "查看值班台",
    Action.DESK_WORK: "办理值班事项",
    Action.TIP_SENDERS_LOOK: "查看举报人的联系方式",
    Action.TIP_LOOKS_READ: "查看对举报人的查询记录",
    Action.COURT_READ: "查看本院设置",
    Action.COURT_PROPOSE: "提出变更本院设置",
    Action.COURT_CONFIRM: "确认变更本院设置",
    Action.LOOKS_READ: "查看对当事人信息的查询记录",
    Action.STAFF_READ: "查看人员",
    Action.STAFF_OWN: "管理本人的登录",
    Action.STAFF_MANAGE: "管理人员",
    Action.STAFF_WATCH: "查看登录记录",
    Action.STAFF_REVIEW: "核对登录记录",
    Action.OPERATIONS: "重放消息",
}
"""In Chinese, for who chooses among them."""


FACTOR_WITHIN: dict[Action, timedelta] = {Action.TIP_SENDERS_LOOK: timedelta(minutes=15)}
"""What is done only by whoever has given their second factor so lately; an API token never has."""


CONFIRMED = frozenset({Action.COURT_CONFIRM, Action.TIP_SENDERS_LOOK, Action.STAFF_REVIEW, Action.STAFF_MANAGE})
"""What opens most: posts that let one do it hold once the integrity office has confirmed them."""
STANDS_IN = frozenset({Action.CASES_LOOK, Action.PAPER_WORK, Action.NOTICES_DECIDE})
"""By what somebody of the court could come in as a party, or settle what reached one; no part of administering."""
NOT_IN_DOUBT = CONFIRMED | {Action.COURT_PROPOSE, Action.PAPER_WORK, Action.NOTICES_DECIDE}
"""What nobody does whom somebody else may have let in, until the integrity office has looked into that."""
IN_PERSON = NOT_IN_DOUBT | {Action.CASES_LOOK, Action.STAFF_OWN}
"""What only somebody does who is there in person: it goes on record as theirs. No API token does it or carries it."""


def roles_for(actions: Collection[Action]) -> frozenset[Role]:
    """Who may do one of these at least."""
    return frozenset(role for action in actions for role in POWERS[action].roles)


def allowed(action: Action, roles: frozenset[Role]) -> bool:
    """Whether somebody with `roles` may do `action`."""
    return bool(POWERS[action].roles & roles)


_WITHIN_POWER = frozenset({Action.LOG_READ, Action.NOTICES_READ})
"""What is read of the inside of cases: whoever exercises a power reads it in the cases of that power."""


def read_within(action: Action, roles: frozenset[Role]) -> frozenset[Power] | None:
    """In cases of which powers somebody with `roles` does what they may; None: in all, as where one of them serves."""
    if action not in _WITHIN_POWER:
        return None
    posts = [POSTS[role] for role in POWERS[action].roles & roles]
    return None if any(post.power is Power.SERVICE for post in posts) else frozenset(post.power for post in posts)


@dataclass(frozen=True)
class Handlers:
    """Whose a case is: its judge, its clerk (known by name alone), and who presides over its panel."""

    judge_id: UUID | None = None
    judge_name: str | None = None
    clerk_name: str | None = None
    presiding: Collection[UUID] = ()

    def own(self, staff_id: UUID, name: str) -> bool:
        """Whether the case is this member's own. Of two with one name neither counts as a stranger."""
        return staff_id == self.judge_id or staff_id in self.presiding or name in {self.judge_name, self.clerk_name}
