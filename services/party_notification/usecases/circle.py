"""A case with all whom it concerns, opened for the length of one act; and what holds its notices back."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.notices import CaseFacts, Kind, PartyFacts, Progress
from services.party_notification.domain.owed import Waiting, is_complete, missing
from services.party_notification.render import Renderer
from services.party_notification.store import cases
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, case_facts, court_facts, party_facts
from shared.clock import court_date
from shared.db.transaction import Transaction
from shared.web.formats import cn_short

RECALLED = "立案人员已撤回，解除撤回后自动发出。"


@dataclass(frozen=True)
class Circle:
    """A case with its parties, opened. `row` and `rows` are as they rest."""

    case: CaseFacts
    row: Row[Any]
    parties: dict[UUID, PartyFacts]
    rows: dict[UUID, Row[Any]]
    cause: UUID
    now: datetime
    effects: Effects
    progress: Progress | None = None
    new: list[dict[str, Any]] = field(default_factory=list)
    """The notices that the act adds: written down at once for all parties."""

    def opponents(self, party: PartyFacts) -> tuple[str, ...]:
        """The names of the other side, as a letter needs them."""
        return tuple(other.name for other in self.parties.values() if other.role is not party.role)

    def waits(self, kind: Kind, party_id: UUID) -> Waiting | None:
        """Why this kind cannot go to this party yet: a field is missing, or the clerk holds it back."""
        return missing(kind, self.case, self.parties[party_id]) or self._held(party_id)

    def _held(self, party_id: UUID) -> Waiting | None:
        """Nobody owes anything here: such a notice has no owner."""
        if self.row.recalled_at is not None:
            return Waiting((), RECALLED, "")
        until = max((at for at in self._holds(party_id) if at > self.now), default=None)
        if until is None:
            return None
        return Waiting((), f"暂缓至{cn_short(until, self.now)}，此前立案人员可以撤回，届时自动发出。", "")

    def _holds(self, party_id: UUID) -> list[datetime]:
        return [at for at in (self.row.hold_until, self.rows[party_id].hold_until) if at is not None]

    def next_hold(self) -> datetime | None:
        """When the next hold ends."""
        holds = {at for party_id in self.rows for at in self._holds(party_id) if at > self.now}
        return min(holds, default=None)


async def load(kit: NotificationKit, tx: Transaction, case_id: UUID, cause: UUID) -> Circle | None:
    """The case, when it may tell anybody anything: a judge has it, and both sides are there."""
    row = await cases.lock_case(tx.conn, case_id)
    if row is None or row.assigned_at is None:
        return None
    found = await cases.parties_of(tx.conn, case_id)
    rows = {party.party_id: party for party in found if party.misfiled_at is None}
    parties = {party_id: party_facts(kit.keyring, party) for party_id, party in rows.items()}
    case = case_facts(kit.keyring, row, await statutory_due(tx.conn, case_id))
    if not is_complete(case, list(parties.values())):
        return None
    return Circle(case, row, parties, rows, cause, tx.now, Effects())


async def statutory_due(conn: AsyncConnection, case_id: UUID) -> date | None:
    """The statutory limit's last day, where it is known here and certain."""
    clock = await cases.clock_of(conn, case_id, "statutory_limit")
    return None if clock is None or clock.provisional else court_date(clock.due_at)


async def progress_of(kit: NotificationKit, tx: Transaction, case_id: UUID, entry: int | None) -> Progress | None:
    """The entry of the log that a notice tells of, if it tells of one."""
    return None if entry is None else opened(kit, await cases.get_progress(tx.conn, case_id, entry))


def opened(kit: NotificationKit, row: Row[Any]) -> Progress:
    """An entry of the log as its reader may read it."""
    text = kit.keyring.open(row.text, str(row.case_id))
    return Progress(court_date(row.at), row.title, str(row.entry), result=text)


def renderer(kit: NotificationKit) -> Renderer:
    """Who writes the court's letters."""
    return Renderer(court_facts(kit.court), kit.run.base_url)
