"""A look is an act: whoever sees what is masked otherwise is told of, with the reason, before it is shown."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.contracts.envelope import Sealed
from shared.contracts.looks import LookTaken, Seen
from shared.db.transaction import Transaction, new_id
from shared.errors import Fault, Invalid
from shared.http.auth import Caller
from shared.runtime.service import Kit

REASON_LENGTH = 8
_REASON = f"请写明查看的理由，至少{REASON_LENGTH}个字，例如：核对送达地址，联系当事人到院领取文书。"


@dataclass(frozen=True)
class Look:
    """What is looked at. `own`: of a case that is the caller's."""

    seen: Seen
    subject: UUID
    case_id: UUID | None = None
    case_number: str | None = None
    own: bool = False
    reason: str | None = None


def reasoned(reason: str | None, *, needed: bool = True) -> str | None:
    """The reason, if it says something. Raises Invalid for one that is too short where one is needed."""
    given = (reason or "").strip()
    if needed and len("".join(given.split())) < REASON_LENGTH:
        raise Invalid([Fault("reason", _REASON)])
    return given or None


async def record(kit: Kit[Any], tx: Transaction, caller: Caller, look: Look) -> None:
    """Tell of the look in the transaction that opens what is seen."""
    look_id = new_id()
    sealed = None if look.reason is None else Sealed(kit.exchange.seal(look.reason, str(look_id)))
    event = LookTaken(
        look_id=look_id,
        by=caller.staff_id,
        by_name=caller.name,
        seen=look.seen,
        subject=look.subject,
        case_id=look.case_id,
        case_number=look.case_number,
        own=look.own,
        reason=sealed,
        looked_at=tx.now,
    )
    await tx.emit(event)
