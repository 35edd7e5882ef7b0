"""Entries of the enforcement log: plain title by kind; what people wrote rests sealed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class EntryKind(StrEnum):
    """What an entry records."""

    FILED = "filed"
    CORRECTED = "corrected"
    PARTY_ADDED = "party_added"
    PARTY_CHANGED = "party_changed"
    PARTY_MISFILED = "party_misfiled"
    NOTICES_RECALLED = "notices_recalled"
    NOTICES_RELEASED = "notices_released"
    CONTACT_DISOWNED = "contact_disowned"
    CONTACT_CONFIRMED = "contact_confirmed"
    ASSIGNED = "assigned"
    CLOCKS = "clocks"
    CLOCKS_STOPPED = "clocks_stopped"
    RANG = "rang"
    NOTICE_ISSUED = "notice_issued"
    NOTICE_WAITS = "notice_waits"
    NOTICE_SENT = "notice_sent"
    NOTICE_SERVED = "notice_served"
    NOTICE_UNSERVED = "notice_unserved"
    NOTICE_WITHDRAWN = "notice_withdrawn"
    DELIVERY_TROUBLED = "delivery_troubled"
    READING_DOUBTED = "reading_doubted"
    READING_DECIDED = "reading_decided"
    SERVED = "served"
    SERVICE_UNDONE = "service_undone"
    DUTY_ACTED = "duty_acted"
    WORK = "work"
    MILESTONE = "milestone"
    PERIOD = "enter_period"
    EXTENDED = "extended"
    LIMIT_TOLD = "limit_told"
    TASK_DONE = "task_done"

    @property
    def label(self) -> str:
        """The entry's name when it has no title of its own."""
        return _TITLES[self]


_TITLES = {
    EntryKind.FILED: "立案",
    EntryKind.CORRECTED: "立案信息更正",
    EntryKind.PARTY_ADDED: "当事人增加",
    EntryKind.PARTY_CHANGED: "当事人信息变更",
    EntryKind.PARTY_MISFILED: "当事人误登记更正",
    EntryKind.NOTICES_RECALLED: "通知撤回",
    EntryKind.NOTICES_RELEASED: "通知恢复发出",
    EntryKind.CONTACT_DISOWNED: "联系方式被否认",
    EntryKind.CONTACT_CONFIRMED: "联系方式经核实",
    EntryKind.ASSIGNED: "确定承办人",
    EntryKind.CLOCKS: "期限设定",
    EntryKind.CLOCKS_STOPPED: "期限事项完成",
    EntryKind.RANG: "期限届至",
    EntryKind.NOTICE_ISSUED: "通知书制作",
    EntryKind.NOTICE_WAITS: "通知书暂缓制作",
    EntryKind.NOTICE_SENT: "通知书发出",
    EntryKind.NOTICE_SERVED: "通知书送达",
    EntryKind.NOTICE_UNSERVED: "通知书送达失效",
    EntryKind.NOTICE_WITHDRAWN: "通知书撤回",
    EntryKind.DELIVERY_TROUBLED: "送达异常",
    EntryKind.READING_DOUBTED: "阅读待核实",
    EntryKind.READING_DECIDED: "阅读已核实",
    EntryKind.SERVED: "送达节点完成",
    EntryKind.SERVICE_UNDONE: "送达节点撤销",
    EntryKind.DUTY_ACTED: "值班办理",
    EntryKind.WORK: "执行工作",
    EntryKind.MILESTONE: "办案节点",
    EntryKind.PERIOD: "进入新阶段",
    EntryKind.EXTENDED: "期限延长",
    EntryKind.LIMIT_TOLD: "期限变更",
    EntryKind.TASK_DONE: "待办事项办结",
}

NOTICE_TITLES = {
    "CASE_ACCEPTED": "受理通知书",
    "ENFORCEMENT_NOTICE": "执行通知书",
    "RIGHTS_RISKS": "权利义务及执行风险告知书",
    "INTEGRITY_CARD": "廉政监督卡",
    "HANDLING": "案件办理告知书",
    "PROGRESS": "执行进展告知书",
    "MISFILED_CORRECTION": "更正告知书",
}
EXECUTION_NOTICE = "ENFORCEMENT_NOTICE"
CORRECTION = "MISFILED_CORRECTION"
"""It goes to somebody who is no party of the case."""


def notice_title(kind: str) -> str:
    """A notice's name in Chinese; of a kind that is newer than this service, a general word."""
    return NOTICE_TITLES.get(kind, "通知书")


@dataclass(frozen=True)
class Note:
    """What is to be written into the log. `plain` holds facts without a person or free text."""

    kind: EntryKind
    text: str
    title: str | None = None
    evidence: str | None = None
    by: UUID | None = None
    by_name: str | None = None
    plain: Mapping[str, object] = field(default_factory=dict)
