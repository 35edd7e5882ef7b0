"""The enforcement log of a case, with what proves it."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.journal import LogEntry
from services.stage_tracking.usecases.proof import prove
from services.stage_tracking.usecases.reading import LogPage
from shared.contracts.cases import PartyRole


class PublishedOut(BaseModel):
    """To whom an entry was told."""

    audience: list[PartyRole]
    not_before: datetime | None
    notify: bool


class EntryOut(BaseModel):
    """A log entry; `digest` covers it and `previous`, the digest before it."""

    position: int
    at: datetime
    kind: str
    title: str
    text: str
    evidence: str | None
    by: UUID | None
    by_name: str | None
    published: PublishedOut | None
    digest: str
    previous: str

    @classmethod
    def of(cls, entry: LogEntry) -> Self:
        """From the use case's view."""
        return cls.model_validate(entry, from_attributes=True)


class ActOut(BaseModel):
    """The log entry of an act, and what of it was published."""

    entry: EntryOut
    published: PublishedOut | None


class FaultOut(BaseModel):
    """Where the log does not hold, and why; no position where what is wrong is the seal of a day."""

    position: int | None
    why: str


class ProofOut(BaseModel):
    """What `yangguang verify-log` checks offline: `statement` is signed JSON text that holds the links of the chain."""

    statement: str
    signature: str
    algorithm: str
    key_id: str
    public_key: str


class LogOut(BaseModel):
    """Log entries in order. `intact`: the whole log holds; else `fault` says where it does not.

    `verdict` says in words whether it holds and against what, as the page and `yangguang verify-log` do.
    Only the first page (no cursor) verifies the log; `intact` and `verdict` are null on the others.
    """

    case_id: UUID
    items: list[EntryOut]
    next: int | None
    intact: bool | None
    fault: FaultOut | None
    verdict: str | None
    proof: ProofOut

    @classmethod
    def of(cls, kit: StageKit, page: LogPage) -> Self:
        """From the use case's view, signed as it is shown."""
        found = page.verdict
        items = [EntryOut.of(entry) for entry in page.entries]
        return cls(
            case_id=page.case.case_id,
            items=items,
            next=page.next,
            intact=None if found is None else found.intact,
            fault=None if found is None or found.intact else FaultOut(position=found.position, why=found.why),
            verdict=None if found is None else found.words,
            proof=ProofOut(**prove(kit, page, [item.model_dump(mode="json") for item in items])),
        )
