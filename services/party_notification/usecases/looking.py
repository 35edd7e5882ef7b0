"""Staff look at what a party got: told of in the transaction that opens it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store import cases, notices
from services.party_notification.usecases.facts import NotificationKit, handlers_of, query_code_of
from shared.contracts.looks import Seen
from shared.db.transaction import Transaction
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.auth import Caller
from shared.powers import Action
from shared.runtime.looks import Look, record


@dataclass(frozen=True)
class Looked:
    """A written notice with its case, and the query code that nobody of staff is to see."""

    notice: Row[Any]
    case: Row[Any]
    code: str


async def refuse_beyond(conn: AsyncConnection, case_id: UUID, caller: Caller) -> None:
    """Raises Forbidden for who reads the notices of other cases only."""
    if not await cases.is_within(conn, case_id, caller.reach(Action.NOTICES_READ)):
        reason = "您不能查看本案的通知：只能查看本部门办理的案件、自己承办的案件，以及其被异议、复议的案件。"
        raise Forbidden("not_within_reach", reason)


async def looked_at(kit: NotificationKit, tx: Transaction, notice_id: UUID, seen: Seen, caller: Caller) -> Looked:
    """Tell of the look. Raises NotFound, Forbidden, and Conflict for a notice that is not written yet."""
    notice = await notices.get(tx.conn, notice_id)
    if notice is None:
        raise NotFound("no_such_notice", "没有这份通知。")
    await refuse_beyond(tx.conn, notice.case_id, caller)
    if notice.letter is None:
        raise Conflict("notice_waits", f"这份通知尚未发出：{notice.waits_reason or '文书尚未制作。'}")
    case, party = await cases.get_case(tx.conn, notice.case_id), await cases.get_party(tx.conn, notice.party_id)
    assert case is not None and party is not None  # noqa: S101, PT018 - there by the notice's foreign keys
    own = handlers_of(case).own(caller.staff_id, caller.name)
    await record(kit, tx, caller, Look(seen, notice_id, notice.case_id, case.case_number, own))
    return Looked(notice, case, query_code_of(kit.keyring, party))
