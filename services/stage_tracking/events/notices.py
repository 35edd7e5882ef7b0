"""Events of the topic `notices`: what the parties were told, and what stands in the way."""

from uuid import UUID

from services.stage_tracking.domain.log import CORRECTION, EXECUTION_NOTICE, EntryKind, Note, notice_title
from services.stage_tracking.domain.tasks import Owner, Task, TaskKind, handler, role_owner, tell_of_report
from services.stage_tracking.events.cases import hold_case, known_case
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, serving, tasks, troubles
from services.stage_tracking.usecases.asking import open_task
from services.stage_tracking.usecases.journal import write
from services.stage_tracking.usecases.serving import take_sent, take_served, take_unserved
from shared.contracts.envelope import Envelope
from shared.contracts.notices import (
    ContactConfirmed,
    ContactDisowned,
    ContactReplaced,
    DeliveryTroubled,
    NoticeEvent,
    NoticeIssued,
    NoticeSent,
    NoticeServed,
    NoticeUnserved,
    NoticeWaits,
    NoticeWithdrawn,
    ReadingDecided,
    ReadingDoubted,
)
from shared.db.transaction import Transaction
from shared.errors import NotYet
from shared.powers import Role
from shared.web.formats import cn_date, cn_time

_ROLES = {"applicant": "申请执行人", "respondent": "被执行人"}
_CONTACTS = {"sms": "手机号码", "mail": "电子邮箱"}
_MEND = (
    "请向当事人核实：确非本人使用的，更正登记，更正后本事项自动办结；确为本人使用的，由未承办过本案的人员在“待核实发送”的"
    "“被否认的联系方式”中认定，认定后恢复发送，本事项自动办结；不能更正的，文书以纸质方式送达，写明核实情况后办结。"
)
_FORMER = "现在登记的联系方式不受影响。请写明核实情况后办结。"
_SERVED_THERE = (
    "此前发往该处的文书是否送达，请一并核实：邮箱确非当事人所用的，在“通知”中逐份登记未送达，文书即改为纸质送达。"
)
_WAYS = {"electronic": "电子送达", "paper": "纸质送达", "collect": "到院领取"}
_CHANNELS = {"sms": "短信", "mail": "电子邮件", "paper": "纸质方式", "reading": "网页查阅", "reply": "回复确认"}


async def _log(kit: StageKit, tx: Transaction, kind: EntryKind, event: NoticeEvent, text: str) -> None:
    what = f"{notice_title(event.kind)}（{_ROLES[event.role]}）"
    plain = {"notice": str(event.notice_id), "notice_kind": event.kind}
    await write(kit, tx, event.case_id, Note(kind, f"{what}：{text}", plain=plain))


async def on_notice_waits(kit: StageKit, tx: Transaction, event: NoticeWaits, _envelope: Envelope) -> None:
    """Whoever can supply what is missing gets a task; the clocks run all the same."""
    await hold_case(tx, event.case_id)
    await _log(kit, tx, EntryKind.NOTICE_WAITS, event, event.reason)
    if await cases.is_misfiled(tx.conn, event.party_id):
        return
    title = f"补充{notice_title(event.kind)}所缺信息"
    owner = role_owner(event.owner)
    await open_task(kit, tx, event.case_id, Task(TaskKind.SUPPLY_FIELD, _subject(event), title, event.reason, owner))


def _subject(event: NoticeEvent) -> str:
    return f"{event.party_id}/{event.kind}"


async def on_notice_issued(kit: StageKit, tx: Transaction, event: NoticeIssued, _envelope: Envelope) -> None:
    """Nothing is missing any more."""
    await hold_case(tx, event.case_id)
    await tasks.close(tx.conn, event.case_id, TaskKind.SUPPLY_FIELD, _subject(event), tx.now)
    await _log(kit, tx, EntryKind.NOTICE_ISSUED, event, f"已制作，送达方式：{_WAYS[event.way]}。")
    if event.kind == EXECUTION_NOTICE:
        await _note_order(kit, tx, event)


async def _note_order(kit: StageKit, tx: Transaction, event: NoticeIssued) -> None:
    """What it says of a report may have been decided otherwise while it was written. Raises NotYet."""
    if not await serving.set_issued(tx.conn, event.party_id, orders_report=event.report_ordered):
        raise NotYet(f"party {event.party_id}")
    case = await known_case(tx, event.case_id)
    if case.report_ordered != event.report_ordered:
        await open_task(kit, tx, event.case_id, tell_of_report(case.judge_id, ordered=case.report_ordered))


async def on_notice_sent(kit: StageKit, tx: Transaction, event: NoticeSent, _envelope: Envelope) -> None:
    """The log knows of it; an execution notice's sending counts for its clocks."""
    await hold_case(tx, event.case_id)
    channel = _CHANNELS.get(event.channel, "其他方式")
    await _log(kit, tx, EntryKind.NOTICE_SENT, event, f"{cn_time(event.sent_at)}以{channel}发出。")
    if event.kind == EXECUTION_NOTICE:
        await take_sent(kit, tx, event)


async def on_notice_served(kit: StageKit, tx: Transaction, event: NoticeServed, _envelope: Envelope) -> None:
    """Nobody need look after it any more; an execution notice's service counts for the milestone."""
    await hold_case(tx, event.case_id)
    channel = _CHANNELS.get(event.channel, "其他方式")
    await _log(kit, tx, EntryKind.NOTICE_SERVED, event, f"以{channel}送达，{cn_date(event.served_on)}生效。")
    await troubles.settle(tx.conn, event.case_id, event.notice_id, tx.now)
    # A task of before there was one per delivery is about one notice.
    await tasks.close(tx.conn, event.case_id, TaskKind.DELIVERY_TROUBLE, _subject(event), tx.now)
    anew = f"{event.party_id}/{event.notice_id}"
    await tasks.close(tx.conn, event.case_id, TaskKind.SERVE_ANEW, anew, tx.now)
    if event.kind == EXECUTION_NOTICE:
        await take_served(kit, tx, event)


async def on_notice_unserved(kit: StageKit, tx: Transaction, event: NoticeUnserved, _envelope: Envelope) -> None:
    """Somebody must serve it anew; what rested on an execution notice's service is taken back."""
    case = await known_case(tx, event.case_id)
    channel, served = _CHANNELS.get(event.channel, "其他方式"), event.served_on
    was = (
        f"原以{channel}送达，{cn_date(served)}生效，现已失去送达效力。"
        if served
        else f"原以{channel}发出，现查明没有到达。"
    )
    await _log(kit, tx, EntryKind.NOTICE_UNSERVED, event, f"{was}{event.reason}")
    if not await cases.is_misfiled(tx.conn, event.party_id):
        await _serve_anew(kit, tx, event, was, case.judge_id)
    if event.kind == EXECUTION_NOTICE:
        await take_unserved(kit, tx, event)


async def on_notice_withdrawn(kit: StageKit, tx: Transaction, event: NoticeWithdrawn, _envelope: Envelope) -> None:
    """It does not belong to the case: nobody need supply, look after or serve anything for it."""
    await hold_case(tx, event.case_id)
    await _log(kit, tx, EntryKind.NOTICE_WITHDRAWN, event, event.reason)
    await troubles.settle(tx.conn, event.case_id, event.notice_id, tx.now)
    subjects = {TaskKind.SUPPLY_FIELD: _subject(event), TaskKind.SERVE_ANEW: f"{event.party_id}/{event.notice_id}"}
    for kind, subject in subjects.items():
        await tasks.close(tx.conn, event.case_id, kind, subject, tx.now)


async def _serve_anew(kit: StageKit, tx: Transaction, event: NoticeUnserved, was: str, judge_id: UUID | None) -> None:
    """The case's service is its judge's; of other papers the clerk has the delivery's task, or gets one."""
    is_service = event.kind == EXECUTION_NOTICE
    if not is_service and await troubles.is_awaited(tx.conn, event.case_id, event.notice_id):
        return
    title = f"{notice_title(event.kind)}{'失去送达效力' if event.served_on else '没有到达'}，请重新送达"
    detail = f"{was}{event.reason}重新送达后本事项自动办结；“送达”节点如系凭书面材料登记，请一并核实。"
    owner = handler(judge_id) if is_service else Owner(role=Role.CLERK)
    task = Task(TaskKind.SERVE_ANEW, f"{event.party_id}/{event.notice_id}", title, detail, owner)
    await open_task(kit, tx, event.case_id, task)


async def on_delivery_troubled(kit: StageKit, tx: Transaction, event: DeliveryTroubled, _envelope: Envelope) -> None:
    """The clerk looks into it: they hold the paper worklist and decide on unknown sendings."""
    await hold_case(tx, event.case_id)
    what = "发送失败" if event.trouble == "failed" else "是否发出尚不明确"
    channel = _CHANNELS.get(event.channel, "其他方式")
    await _log(kit, tx, EntryKind.DELIVERY_TROUBLED, event, f"{channel}{what}。{event.reason}")
    if event.kind != CORRECTION and await cases.is_misfiled(tx.conn, event.party_id):
        return
    await _look_into(kit, tx, event, f"{channel}{what}，请核实")


async def _look_into(kit: StageKit, tx: Transaction, event: DeliveryTroubled, what: str) -> None:
    """One task for all that the delivery carries, and none for the attempts before it."""
    case_id, subject = event.case_id, f"{event.party_id}/{event.channel}/{event.delivery_id}"
    await troubles.settle(tx.conn, case_id, event.notice_id, tx.now, before=subject)
    notices = await troubles.awaited(tx.conn, case_id, subject) | {event.notice_id}
    carried = notice_title(event.kind) if len(notices) == 1 else f"{len(notices)}份文书的"
    detail = f"{event.reason}请在“通知”中查看记录，核实后改用其他方式送达。"
    task = Task(TaskKind.DELIVERY_TROUBLE, subject, f"{carried}{what}", detail, Owner(role=Role.CLERK))
    await open_task(kit, tx, case_id, task)
    await troubles.reword(tx.conn, case_id, subject, (task.title, kit.keyring.seal(detail, str(case_id))), notices)


async def on_reading_doubted(kit: StageKit, tx: Transaction, event: ReadingDoubted, _envelope: Envelope) -> None:
    """Management judges it: whoever works the case may not."""
    await hold_case(tx, event.case_id)
    await _log(kit, tx, EntryKind.READING_DOUBTED, event, f"{cn_time(event.read_at)}被打开。{event.reason}")
    if await cases.is_misfiled(tx.conn, event.party_id):
        return
    title = f"{notice_title(event.kind)}的阅读须核实是否当事人本人"
    detail = f"{event.reason}请在“待核实发送”中核实并认定，认定后本事项自动办结。"
    task = Task(TaskKind.READING_DOUBTED, str(event.reading_id), title, detail, Owner(role=Role.MANAGEMENT))
    await open_task(kit, tx, event.case_id, task)


async def on_reading_decided(kit: StageKit, tx: Transaction, event: ReadingDecided, _envelope: Envelope) -> None:
    """A person judged the reading."""
    await hold_case(tx, event.case_id)
    found = "认定为当事人本人阅读。" if event.own else "不能认定为当事人本人阅读，不作为送达依据。"
    await _log(kit, tx, EntryKind.READING_DECIDED, event, found)
    await tasks.close(tx.conn, event.case_id, TaskKind.READING_DOUBTED, str(event.reading_id), tx.now)


async def on_contact_disowned(kit: StageKit, tx: Transaction, event: ContactDisowned, _envelope: Envelope) -> None:
    """Whoever keeps the register finds out where the party is really reached."""
    await hold_case(tx, event.case_id)
    role = await cases.role_of(tx.conn, event.party_id)
    if role is None:
        raise NotYet(f"party {event.party_id}")
    contact = _CONTACTS[event.channel]
    which = "登记的" if event.registered else "此前登记、现已更正的"
    text = f"{_ROLES[role]}1名{which}{contact}，持有人表示与当事人无关，{cn_time(event.disowned_at)}起不再向其发送。"
    await write(kit, tx, event.case_id, Note(EntryKind.CONTACT_DISOWNED, text))
    if await cases.is_misfiled(tx.conn, event.party_id):
        return
    title = "当事人联系方式被持有人否认，请核实"
    detail = text + (_MEND if event.registered else _FORMER) + _SERVED_THERE
    task = Task(TaskKind.CONTACT_DISOWNED, _contact(event), title, detail, Owner(role=Role.CLERK))
    await open_task(kit, tx, event.case_id, task)


async def on_contact_confirmed(kit: StageKit, tx: Transaction, event: ContactConfirmed, _envelope: Envelope) -> None:
    """It is the party's after all; how that was found out is on record."""
    await hold_case(tx, event.case_id)
    role = await cases.role_of(tx.conn, event.party_id)
    if role is None:
        raise NotYet(f"party {event.party_id}")
    how = kit.keyring.open(event.how, str(event.case_id))
    text = f"{_ROLES[role]}1名被持有人否认的{_CONTACTS[event.channel]}，经核实为本人使用，照常发送。核实情况：{how}"
    await write(kit, tx, event.case_id, Note(EntryKind.CONTACT_CONFIRMED, text, by=event.confirmed_by))
    await tasks.close(tx.conn, event.case_id, TaskKind.CONTACT_DISOWNED, _contact(event), tx.now)


async def on_contact_replaced(_kit: StageKit, tx: Transaction, event: ContactReplaced, _envelope: Envelope) -> None:
    """The register was mended."""
    await hold_case(tx, event.case_id)
    await tasks.close(tx.conn, event.case_id, TaskKind.CONTACT_DISOWNED, _contact(event), tx.now)


def _contact(event: ContactDisowned | ContactConfirmed | ContactReplaced) -> str:
    former = isinstance(event, ContactDisowned) and not event.registered
    return f"{event.party_id}/{event.channel}/former" if former else f"{event.party_id}/{event.channel}"
