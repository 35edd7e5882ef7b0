"""Events of the topics `desk`, `staff` and `looks`."""

from services.stage_tracking.domain.acts import Publication
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.tasks import Task, TaskKind, handler
from services.stage_tracking.events.cases import known_case
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import looks, tasks
from services.stage_tracking.usecases.asking import open_task
from services.stage_tracking.usecases.journal import publish, published_facts, write
from services.stage_tracking.usecases.looks import account
from shared.contracts.cases import PartyRole
from shared.contracts.confidential import telling
from shared.contracts.desk import ItemActed
from shared.contracts.envelope import Envelope
from shared.contracts.looks import ListExported, LookTaken, Seen
from shared.contracts.staff import MemberChanged
from shared.db.transaction import Transaction
from shared.web.formats import cn_time

_TO_APPLICANTS = Publication((PartyRole.APPLICANT,), notify=True)


async def on_item_acted(kit: StageKit, tx: Transaction, event: ItemActed, _envelope: Envelope) -> None:
    """The duty desk did something in a case. Neither the log nor the applicant learns what had set it off.

    The deed itself stays sealed at the desk. A sentence that would give a tip away goes back to be rewritten.
    """
    if event.case_id is None:
        return
    case = await known_case(tx, event.case_id)
    told = None if event.progress is None else kit.keyring.open(event.progress, str(event.case_id))
    publishable = told is not None and telling(told) is None
    plain = {"published": published_facts(_TO_APPLICANTS)} if publishable else {}
    in_time = "在规定时限内办理" if event.in_time else "超过规定时限办理"
    text = f"执行指挥中心已就本案采取行动，{cn_time(event.acted_at)}，{in_time}。"
    note = Note(EntryKind.DUTY_ACTED, text, by=event.acted_by, plain=plain)
    entry = await write(kit, tx, event.case_id, note)
    if told is not None and publishable:
        await publish(kit, tx, event.case_id, entry, _TO_APPLICANTS, told)
    elif told is not None:
        title = "值班进展未公开，请改写后公开"
        detail = "值班人员填写的进展可能泄露信息来源，没有发给当事人。请核对后以“记录执行工作”改写并公开办理结果。"
        owner = handler(case.judge_id)
        task = Task(TaskKind.REWRITE_PROGRESS, str(event.item_id), title, detail, owner)
        await open_task(kit, tx, event.case_id, task)


async def on_member_changed(_kit: StageKit, tx: Transaction, event: MemberChanged, _envelope: Envelope) -> None:
    """Who can own tasks."""
    row = {"staff_id": event.staff_id, "name": event.name, "roles": list(event.roles), "active": event.active}
    await tasks.put_member(tx.conn, row)


async def on_look_taken(kit: StageKit, tx: Transaction, event: LookTaken, _envelope: Envelope) -> None:
    """Who saw what, for those who supervise. The reason stays sealed."""
    reason = None if event.reason is None else kit.keyring.taken_in(event.reason, str(event.look_id))
    await looks.add(tx.conn, {**event.model_dump(), "reason": reason})


async def on_list_exported(kit: StageKit, tx: Transaction, event: ListExported, _envelope: Envelope) -> None:
    """Who took which list away, beside the looks; what it was narrowed by is sealed with the rest of the account."""
    filters = "" if event.filters is None else kit.keyring.open(event.filters, str(event.look_id))
    row = {
        "look_id": event.look_id,
        "by": event.by,
        "by_name": event.by_name,
        "seen": Seen.EXPORT,
        "subject": event.look_id,
        "own": False,
        "reason": kit.keyring.seal(account(event, filters), str(event.look_id)),
        "looked_at": event.exported_at,
    }
    await looks.add(tx.conn, row)
