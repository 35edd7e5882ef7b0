"""What became of a notice, step by step in words, and the evidence on which an officer decides. No party is named."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.delivery import Channel, Seen
from services.party_notification.domain.notices import Kind, Role
from services.party_notification.domain.readings import ReadingState
from services.party_notification.store import cases, notices, paper, readings, sending, troubles
from services.party_notification.store.troubles import Wanted
from services.party_notification.usecases import overview
from services.party_notification.usecases.facts import NotificationKit, identity_of
from services.party_notification.usecases.looking import refuse_beyond
from services.party_notification.usecases.views import NoticeView, TroubleView
from shared.clock import court_date
from shared.contracts.case_kinds import CaseKind, kind_of
from shared.db.lists import Part
from shared.db.readable import UNREADABLE_TEXT, one, text_of
from shared.errors import NotFound
from shared.http.auth import Caller
from shared.powers import Action
from shared.web.formats import masked_name

CHANNELS = {Channel.SMS.value: "短信", Channel.MAIL.value: "电子邮件", "paper": "纸质"}
SEEN = {
    Seen.INTENT: "开始发送",
    Seen.UNKNOWN: "是否发出不明",
    Seen.QUERY_NOT_FOUND: "向运营商查询，没有记录",
    Seen.NOT_LEFT: "未能发出",
    Seen.THROTTLED: "通道繁忙，未能发出",
    Seen.REFUSED: "被拒收",
    Seen.QUERY_FOUND: "向运营商查询，已受理",
    Seen.SENT: "已发出，对方系统已接收",
    Seen.RULED_NOT_ARRIVED: "工作人员认定未送达",
    Seen.RECEIPT_DELIVERED: "回执：已送达手机",
    Seen.RULED_ARRIVED: "工作人员认定已送达",
    Seen.RECEIPT_FAILED: "回执：未能送达手机",
    Seen.BOUNCED: "被对方邮箱退回",
}
_RULED = {Seen.RULED_ARRIVED, Seen.RULED_NOT_ARRIVED}
_DOUBTFUL = {Seen.UNKNOWN, Seen.QUERY_NOT_FOUND}
_FAILED = {Seen.NOT_LEFT, Seen.THROTTLED, Seen.REFUSED, Seen.RULED_NOT_ARRIVED, Seen.RECEIPT_FAILED, Seen.BOUNCED}


@dataclass(frozen=True)
class Step:
    """A line of the history; `state` colours it: done, now, next or late."""

    when: date
    title: str
    text: str = ""
    state: str = "done"


@dataclass(frozen=True)
class History:
    """A notice and its steps, oldest first."""

    notice: NoticeView
    steps: list[Step]
    misfiled: bool


async def of_notice(kit: NotificationKit, notice_id: UUID, caller: Caller) -> History:
    """One notice with all that happened to it. Raises NotFound and Forbidden."""
    notice = await overview.one(kit, notice_id, caller)
    async with kit.db.read() as conn:
        read = await notices.read_of(conn, [notice_id])
        papers = await paper.of_notice(conn, notice_id)
        messages = [row.message_id for row in await notices.messages_of(conn, notice_id)]
        seen = await sending.observed_of(conn, messages)
        party = await cases.get_party(conn, notice.party_id)
        openings = await readings.of_notice(conn, notice_id)
    steps = [*_writing(notice), *seen_steps(kit, seen), *(step for row in papers for step in _on_paper(kit, row))]
    steps += [step for row in openings for step in _opening(kit, row)]
    if notice_id in read and not openings:  # from before readings were kept each
        steps.append(Step(read[notice_id], "当事人在网上打开文书"))
    misfiled = party is not None and party.misfiled_at is not None
    if party is not None and misfiled and notice.state == "withdrawn":
        steps.append(Step(party.misfiled_at, "当事人系误登记，本通知作废", "", "late"))
    return History(notice, sorted(steps, key=_moment), misfiled)


def _moment(step: Step) -> tuple[date, float]:
    """A plain day stands after the instants of that day."""
    if isinstance(step.when, datetime):
        return court_date(step.when), step.when.timestamp()
    return step.when, float("inf")


def _writing(notice: NoticeView) -> list[Step]:
    if notice.issued_at is None and notice.state == "withdrawn":
        return [Step(notice.created_at, "应当发出，暂缓制作")]
    if notice.issued_at is None:
        title = "应当发出，等待补充信息" if notice.waits_owner else "应当发出，暂缓"
        return [Step(notice.created_at, title, notice.waits_because or "", "now")]
    if notice.issued_at == notice.created_at:
        return [Step(notice.issued_at, "文书制作完成")]
    return [Step(notice.created_at, "应当发出，暂缓制作"), Step(notice.issued_at, "文书制作完成")]


def seen_steps(kit: NotificationKit, rows: Iterable[Any]) -> list[Step]:
    """What was seen of deliveries, in words; an officer's ruling with its reason."""
    return [_seen_step(kit, row) for row in rows]


def _seen_step(kit: NotificationKit, row: Any) -> Step:
    seen = Seen(row.seen)
    text = row.detail or ""
    if seen in _RULED and row.raw is not None:
        text = f"理由：{text_of(kit.keyring, row.raw, f'{row.delivery_id}/raw')}"
    state = "late" if seen in _FAILED else ("now" if seen in _DOUBTFUL else "done")
    return Step(row.product_time, f"{CHANNELS[row.channel]}第{row.attempt}次：{SEEN[seen]}", text, state)


def _opening(kit: NotificationKit, row: Any) -> list[Step]:
    """The first line of a document's opening, and how a doubtful one was judged."""
    if row.doubt is None:
        return [Step(row.read_at, "当事人在网上打开文书")]
    undecided = row.decided_at is None
    steps = [Step(row.read_at, "有人凭查询码打开文书", row.doubt, "now" if undecided else "done")]
    if not undecided:
        own = row.state == ReadingState.ACCEPTED
        found = "认定为当事人本人阅读" if own else "不能认定为当事人本人阅读，不作为送达依据"
        steps.append(
            Step(row.decided_at, found, f"理由：{text_of(kit.keyring, row.remark, f'{row.reading_id}/remark')}")
        )
    return steps


def _on_paper(kit: NotificationKit, row: Any) -> list[Step]:
    why = "" if row.remark is None else f"理由：{text_of(kit.keyring, row.remark, f'{row.cause}/remark')}"
    steps = [Step(row.created_at, "列入纸质送达", f"{row.reason}{why}")]
    if row.posted_at is not None:
        returned = row.state == "returned"
        fate = "。后来被退回，请核对地址后再次寄出，或者联系当事人领取。" if returned else ""
        steps.append(Step(row.posted_at, "已寄出", f"邮件编号{row.tracking}{fate}", "late" if returned else "done"))
    if row.served_on is not None:
        steps.append(Step(row.served_on, "已签收"))
    return steps


@dataclass(frozen=True)
class Recipient:
    """A party's notices in one case. The name is masked: it only tells two of one side apart."""

    role: Role
    name: str
    notices: list[NoticeView]
    misfiled: bool


@dataclass(frozen=True)
class OfCase:
    """The notices of a case by recipient, applicants first, and whether the clerk holds them back."""

    recipients: list[Recipient]
    recalled_at: datetime | None = None
    hold_until: datetime | None = None
    quiet_kind: CaseKind | None = None
    """The kind of a case of whose filing nobody is told."""


def _masked_name(kit: NotificationKit, row: Row[Any]) -> str:
    return masked_name(identity_of(kit.keyring, row).name)


async def of_case(kit: NotificationKit, case_id: UUID, caller: Caller) -> OfCase:
    """The notices of a case; none for a case that is not known here yet. Raises Forbidden."""
    async with kit.db.read() as conn:
        if await cases.get_case(conn, case_id) is not None:
            await refuse_beyond(conn, case_id, caller)
    try:
        views = (await overview.of_case(kit, str(case_id))).items
    except NotFound:
        return OfCase([])
    now = kit.clock.now()
    async with kit.db.read() as conn:
        case, parties = await cases.get_case(conn, case_id), await cases.parties_of(conn, case_id)
    recipients = [
        Recipient(
            Role(row.role),
            one(row, partial(_masked_name, kit), lambda _: UNREADABLE_TEXT),
            mine,
            row.misfiled_at is not None,
        )
        for row in parties
        if (mine := [view for view in views if view.party_id == row.party_id])
    ]
    if case is None:
        return OfCase(recipients)
    held = case.hold_until is not None and case.hold_until > now
    kind = kind_of(case.case_number)
    quiet = None if any(kind.owed.values()) else kind
    return OfCase(recipients, case.recalled_at, case.hold_until if held else None, quiet)


@dataclass(frozen=True)
class Trouble:
    """A delivery that waits for a person, what its message carries, and the evidence."""

    delivery: TroubleView
    case_id: UUID
    letters: list[tuple[UUID, str]]
    steps: list[Step]


async def waiting(kit: NotificationKit, wanted: Wanted, part: Part) -> tuple[list[Trouble], str | None]:
    """Deliveries of unknown fate with all that an officer needs to decide on them, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await troubles.waiting(conn, wanted, part)
        messages = [row.message_id for row in rows]
        carried = await notices.carried(conn, messages)
        seen = await sending.observed_of(conn, messages)
    found = [
        Trouble(
            overview.trouble_view(kit, row),
            row.case_id,
            [(each.notice_id, Kind(each.kind).label) for each in carried if each.message_id == row.message_id],
            seen_steps(kit, (each for each in seen if each.message_id == row.message_id)),
        )
        for row in rows
    ]
    return found, following


async def counts(kit: NotificationKit, caller: Caller) -> Row[Any]:
    """How much lies before a person, and how many messages may have come twice and receipts could not be read.

    In the cases that the caller reads.
    """
    async with kit.db.read() as conn:
        return await troubles.counts(conn, caller.reach(Action.NOTICES_READ))
