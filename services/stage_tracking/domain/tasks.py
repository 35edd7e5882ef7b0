"""Tasks: each open one has exactly one owner, a person or a role. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from shared.contracts.case_kinds import CaseKind, DeadlineKind
from shared.powers import POSTS, Role


class TaskKind(StrEnum):
    """What is to be done."""

    ASSIGN_JUDGE = "assign_judge"
    COMPLETE_PARTIES = "complete_parties"
    SUPPLY_FIELD = "supply_field"
    ASK_RECEIPT = "ask_receipt"
    ASK_GROUND = "ask_ground"
    ASK_MAIN_CASE = "ask_main_case"
    BEGIN_NOW = "begin_now"
    REPORT_ORDER = "report_order"
    OVERDUE_REASONS = "overdue_reasons"
    REMINDER = "reminder"
    DELIVERY_TROUBLE = "delivery_trouble"
    SERVE_ANEW = "serve_anew"
    CHECKLIST = "checklist"
    REWRITE_PROGRESS = "rewrite_progress"
    POWER_CONFLICT = "power_conflict"
    CONTACT_DISOWNED = "contact_disowned"
    READING_DOUBTED = "reading_doubted"

    @property
    def label(self) -> str:
        """What it is called in lists."""
        return _WORDS[self][0]

    @property
    def deed(self) -> str:
        """What its owner does: the words on the button."""
        return _WORDS[self][1]

    @property
    def closes_itself(self) -> bool:
        """Whether the awaited event closes it, and nobody by hand."""
        return self in _BY_EVENT

    def place(self, case_id: UUID) -> str:
        """The page on which it is done: that of the case, where no other is."""
        return _PLACES.get(self, "/cases/{case_id}").format(case_id=case_id)

    @property
    def needs_note(self) -> bool:
        """Whether whoever finishes it must write what was done or why."""
        return self in _WITH_NOTE


_WORDS: dict[TaskKind, tuple[str, str]] = {
    TaskKind.ASSIGN_JUDGE: ("确定承办法官", "去分案"),
    TaskKind.COMPLETE_PARTIES: ("补充当事人", "去补充"),
    TaskKind.SUPPLY_FIELD: ("补填信息", "去补填"),
    TaskKind.ASK_RECEIPT: ("补填收到申请的日期", "去补填"),
    TaskKind.ASK_GROUND: ("补填审查事由", "去补填"),
    TaskKind.ASK_MAIN_CASE: ("补填所属执行案件", "去补填"),
    TaskKind.BEGIN_NOW: ("立即开始执行", "去登记执行"),
    TaskKind.REPORT_ORDER: ("告知报告财产的变化", "登记办理结果"),
    TaskKind.OVERDUE_REASONS: ("说明超期理由", "说明理由"),
    TaskKind.REMINDER: ("期限提醒", "标为已知悉"),
    TaskKind.DELIVERY_TROUBLE: ("核实发送", "登记已核实"),
    TaskKind.SERVE_ANEW: ("重新送达", "登记重新送达"),
    TaskKind.CHECKLIST: ("质量核对", "登记核对结果"),
    TaskKind.REWRITE_PROGRESS: ("改写进展", "登记已改写"),
    TaskKind.POWER_CONFLICT: ("更换承办人", "去分案"),
    TaskKind.READING_DOUBTED: ("核实阅读", "去核实"),
    TaskKind.CONTACT_DISOWNED: ("核实联系方式", "登记核实结果"),
}
FACTS = {TaskKind.ASK_RECEIPT, TaskKind.ASK_GROUND, TaskKind.ASK_MAIN_CASE}
_PLACES = {
    **dict.fromkeys(FACTS, "/cases/{case_id}/edit"),
    TaskKind.ASSIGN_JUDGE: "/cases/{case_id}#assignment",
    TaskKind.POWER_CONFLICT: "/cases/{case_id}#assignment",
    TaskKind.COMPLETE_PARTIES: "/cases/{case_id}/parties/new",
    TaskKind.READING_DOUBTED: "/unknown/readings",
}
_BY_EVENT = FACTS | {
    TaskKind.ASSIGN_JUDGE,
    TaskKind.BEGIN_NOW,
    TaskKind.POWER_CONFLICT,
    TaskKind.COMPLETE_PARTIES,
    TaskKind.SUPPLY_FIELD,
    TaskKind.READING_DOUBTED,
}
_WITH_NOTE = {
    TaskKind.OVERDUE_REASONS,
    TaskKind.SERVE_ANEW,
    TaskKind.REPORT_ORDER,
    TaskKind.CHECKLIST,
    TaskKind.CONTACT_DISOWNED,
}


@dataclass(frozen=True)
class Rule:
    """Tasks of one sort: of one kind, and of one clock where a clock asks for them. Written `kind` or `kind:clock`."""

    kind: TaskKind
    clock: DeadlineKind | None = None

    @classmethod
    def read(cls, text: str) -> "Rule | None":
        """The rule that is written so; None when there is none."""
        kind, _, clock = text.partition(":")
        if kind not in set(TaskKind) or (clock and clock not in set(DeadlineKind)):
            return None
        return cls(TaskKind(kind), DeadlineKind(clock) if clock else None)

    @property
    def label(self) -> str:
        """Its name for people."""
        return f"{self.kind.label}：{self.clock.label}" if self.clock else self.kind.label


OF_CLOCKS = frozenset({TaskKind.OVERDUE_REASONS, TaskKind.REMINDER})
"""Their subject is the clock that asks for them."""


_ASSIGNING = (TaskKind.ASSIGN_JUDGE, "case")
BEFORE_IT_RINGS = {_ASSIGNING: DeadlineKind.ASSIGNMENT}
"""Tasks, by kind and subject, that stand while their clock still runs: its day, once it is certain, is theirs."""


@dataclass(frozen=True)
class Owner:
    """A person or a role: exactly one of the two."""

    staff_id: UUID | None = None
    role: Role | None = None

    def __post_init__(self) -> None:
        if (self.staff_id is None) == (self.role is None):
            raise ValueError("a task has exactly one owner")


@dataclass(frozen=True)
class Task:
    """An open task. `subject` tells tasks of one kind in one case apart; `detail` is sealed where it rests."""

    kind: TaskKind
    subject: str
    title: str
    detail: str
    owner: Owner
    due_at: datetime | None = None


def owner_title(role: str) -> str:
    """The post of a role in Chinese; an unknown one stays as it is."""
    return POSTS[Role(role)].title if role in set(Role) else role


def role_owner(role: str) -> Owner:
    """The owner whom another service names; management finds one when the role is unknown here."""
    return Owner(role=Role(role) if role in set(Role) else Role.MANAGEMENT)


def handler(judge_id: UUID | None) -> Owner:
    """Who answers for a case: its judge, or management as long as it has none."""
    return Owner(role=Role.MANAGEMENT) if judge_id is None else Owner(staff_id=judge_id)


def ask_receipt(clocks: Sequence[DeadlineKind]) -> Task:
    """What does not run as long as nobody says when the application came in."""
    names = "、".join(f"“{kind.label}”" for kind in clocks)
    detail = f"没有登记收到申请的日期，{names}不能计算，不以立案日期代替。请在案件信息中补填，补填后自动办结。"
    return Task(TaskKind.ASK_RECEIPT, "case", "补填收到申请的日期", detail, Owner(role=Role.CLERK))


def ask_ground(period: str) -> Task:
    """What a review is about decides how long it may take."""
    detail = f"没有登记审查事由，审查期限暂按{period}计算。请在案件信息中补填，补填后期限重新计算，本事项自动办结。"
    return Task(TaskKind.ASK_GROUND, "case", "补填审查事由", detail, Owner(role=Role.CLERK))


def ask_main_case(kind: CaseKind) -> Task:
    """Which case is resumed, attacked or supervised must be known to its parties and to those who handle it."""
    name = "原执行案号" if kind.resumes else "所属执行案件的案号"
    held = "待发的受理通知书、执行通知书补填后才发出" if kind.resumes else "告知当事人的文书和案件页面暂不能写明"
    detail = f"本案是{kind.title}，没有登记{name}，{held}。请在案件信息的“所属执行案件”中补填，补填后自动办结。"
    return Task(TaskKind.ASK_MAIN_CASE, "case", f"补填{name}", detail, Owner(role=Role.CLERK))


def assign_judge(kind: CaseKind, due_at: datetime | None) -> Task:
    """A case that came in needs its judge."""
    post = kind.handler
    detail = f"本案由{post.department}办理，请在{post.title}中确定承办人和合议庭。确定后本事项自动办结。"
    return Task(*_ASSIGNING, "确定承办法官", detail, Owner(role=Role.CLERK), due_at)


def assign_other(why: str) -> Task:
    """Whoever has the case may not work it: it needs another judge."""
    title, detail = "承办人不能办理本案，请重新分案", f"{why}重新分案后本事项自动办结。"
    return Task(TaskKind.POWER_CONFLICT, "judge", title, detail, Owner(role=Role.MANAGEMENT))


def begin_now(judge_id: UUID | None, due_at: datetime | None) -> Task:
    """An urgent preservation begins at once; its clock, where it runs, says by when at the latest."""
    detail = "本案登记为情况紧急：裁定采取保全措施的，应当立即开始执行。开始后请登记“执行”节点，本事项随即办结。"
    title = "情况紧急，请立即开始执行保全"
    return Task(TaskKind.BEGIN_NOW, "case", title, detail, handler(judge_id), due_at)


def tell_of_report(judge_id: UUID | None, *, ordered: bool) -> Task:
    """The execution notice had left before this was decided: it says otherwise."""
    if ordered:
        title = "责令再次报告财产，请另行送达报告财产令"
        detail = "执行通知书已在登记之前发出，没有附报告财产令。请另行制作、送达报告财产令，并写明送达情况。"
    else:
        title = "不再责令报告财产，请书面告知被执行人"
        detail = (
            "执行通知书已在更正之前发出。此前送达过报告财产令的，请书面告知被执行人不必报告；没有送达过的，写明即可。"
        )
    return Task(TaskKind.REPORT_ORDER, "case", title, detail, handler(judge_id))


class Standing(NamedTuple):
    """A clock in the version that stands: whether that one has rung, and whether its deed is done."""

    kind: DeadlineKind
    rang: bool
    met: bool


def asked_by(clocks: Iterable[Standing]) -> set[tuple[TaskKind, DeadlineKind]]:
    """The tasks that ringing clocks may still ask for: what an older version asked for went with it.

    A reminder is over with the deed, that of the court's limit with the limit; a late deed still owes its reasons.
    """
    rang = {clock.kind: clock for clock in clocks if clock.rang}
    reminding = {kind for kind, clock in rang.items() if not clock.met}
    if DeadlineKind.COURT_LIMIT in rang:
        reminding.discard(DeadlineKind.COURT_LIMIT_REMINDER)
    return {(TaskKind.REMINDER, kind) for kind in reminding} | {(TaskKind.OVERDUE_REASONS, kind) for kind in rang}


@dataclass(frozen=True)
class Rung:
    """A clock that ran out. `due_day` is in words; `open_work` lists what is not done yet."""

    kind: DeadlineKind
    due_day: str
    due_at: datetime
    provisional: bool
    open_work: str


def rung_task(rung: Rung, judge_id: UUID | None) -> Task:
    """What a clock's ringing asks for; what is only provisional urges, and reproaches nobody."""
    kind, due_day, mark = rung.kind, rung.due_day, "（暂定，待该年放假安排公布）" if rung.provisional else ""
    if kind is DeadlineKind.COURT_LIMIT_REMINDER:
        title = f"三个月办案期限提醒：{due_day}届满{mark}"
        detail = f"尚未完成：{rung.open_work}。请在期限内办结；不能办结的，由合议庭说明理由，报庭长审批延期。"
        return Task(
            TaskKind.REMINDER, kind, title, detail, handler(judge_id), None if rung.provisional else rung.due_at
        )
    if kind is DeadlineKind.UPPER_COURT:
        title = f"收到申请满六个月：{due_day}届满{mark}，此后申请执行人可以向上一级法院申请执行"
        detail = f"尚未完成：{rung.open_work}。请核对本案办理情况，做好说明准备（民事诉讼法第二百三十七条）。"
        return Task(TaskKind.REMINDER, kind, title, detail, handler(judge_id))
    owner = Owner(role=Role.MANAGEMENT) if kind is DeadlineKind.ASSIGNMENT else handler(judge_id)
    if rung.provisional:
        title = f"“{kind.label}”暂定期限已到：{due_day}"
        detail = f"该年放假安排尚未公布，期限待公布后确定，现在不计超期。尚未完成：{rung.open_work}。请抓紧办理。"
        return Task(TaskKind.REMINDER, kind, title, detail, owner)
    title = f"“{kind.label}”已超期，请说明理由"
    detail = f"期限于{due_day}届满。尚未完成：{rung.open_work}。请说明超期理由和下一步安排，并抓紧办理。"
    return Task(TaskKind.OVERDUE_REASONS, kind, title, detail, owner, rung.due_at)
