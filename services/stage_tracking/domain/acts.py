"""What a judge records in a case, and what of it may be told to whom. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.cases import PartyRole
from shared.contracts.confidential import telling
from shared.contracts.stages import Milestone, Period
from shared.errors import Fault


@dataclass(frozen=True)
class Publication:
    """Who may read a piece of work, and from when. `carried_out`: the measure that it tells of is done."""

    audience: tuple[PartyRole, ...]
    notify: bool
    not_before: datetime | None = None
    carried_out: bool = False


@dataclass(frozen=True)
class Work:
    """What was done."""

    title: str
    text: str
    evidence: str | None = None
    publish: Publication | None = None
    kind: str = "work"


@dataclass(frozen=True)
class ReachMilestone:
    """A milestone was reached on a day, proved by a document."""

    milestone: Milestone
    on: date
    evidence: str
    kind: str = "milestone"


@dataclass(frozen=True)
class EnterPeriod:
    """The case enters a period on a day, by a document. `checked`: what of the quality checklist is confirmed."""

    period: Period
    on: date
    evidence: str
    checked: Sequence[str] = ()
    kind: str = "enter_period"


@dataclass(frozen=True)
class ExtendLimit:
    """Whom the law lets do so made a limit longer: by how many days or months, when, why, by which document."""

    clock: DeadlineKind
    count: int
    approved_by: str
    approved_on: date
    reason: str
    evidence: str
    kind: str = "extend"


Act = Work | ReachMilestone | EnterPeriod | ExtendLimit


def publication_faults(work: Work, now: datetime) -> list[Fault]:
    """Why the work may not be published as asked; empty when it may, or stays internal."""
    if work.publish is None:
        return []
    faults = [
        Fault(f"work.{field}", "公开的内容不得提及举报、线索及其来源，请改写为核查、办理的结果。")
        for field, text in (("title", work.title), ("text", work.text))
        if telling(text)
    ]
    if PartyRole.RESPONDENT in work.publish.audience and not work.publish.carried_out:
        reason = "措施尚未实施完毕的，不得向被执行人公开；请确认已实施，或者只向申请执行人公开。"
        faults.append(Fault("work.publish.carried_out", reason))
    if work.publish.notify and work.publish.not_before is not None and work.publish.not_before > now:
        # A notice goes out at once: it would tell before its time what is still to stay unknown.
        reason = (
            "最早公开时间尚未到，现在不能发出通知。请取消“同时发出进展通知”，到时只在案件页面公开；"
            "需要通知的，请在该时间以后再登记。"
        )
        faults.append(Fault("work.publish.notify", reason))
    return faults
