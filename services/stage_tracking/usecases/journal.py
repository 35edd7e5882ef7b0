"""Writing and reading the enforcement log: one chain per case, what people wrote sealed about the case's id."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.stage_tracking.domain.acts import Publication
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store.tables import LEDGER
from shared.contracts.envelope import Sealed
from shared.contracts.stages import ProgressPublished
from shared.db.readable import UNREADABLE_TEXT, one
from shared.db.transaction import Transaction
from shared.ledger.chain import Entry
from shared.ledger.store import append_all, read

PROGRESS_TITLE = "执行工作进展"
"""Under this title parties read of work: it travels unsealed, and what somebody writes may name somebody."""
_TITLES: Mapping[str, str] = {kind: kind.label for kind in (EntryKind.EXTENDED, EntryKind.LIMIT_TOLD)}
"""What names nobody is called by its name."""


@dataclass(frozen=True)
class LogEntry:
    """An entry as those read it who may. `published` says to whom its work was told, or None."""

    position: int
    at: datetime
    kind: str
    title: str
    text: str
    evidence: str | None
    by: UUID | None
    by_name: str | None
    published: Mapping[str, Any] | None
    digest: str
    previous: str


async def write(kit: StageKit, tx: Transaction, case_id: UUID, note: Note) -> LogEntry:
    """Append one entry in the open transaction; it is written at its end."""
    told = {"title": note.title, "text": note.text, "evidence": note.evidence, "by_name": note.by_name}
    detail = kit.keyring.seal(json.dumps(told, ensure_ascii=False), str(case_id))
    by = None if note.by is None else str(note.by)
    body = {"title": note.kind.label, "by": by, "detail": detail, **note.plain}
    (entry,) = await append_all(tx, LEDGER, str(case_id), [(note.kind, body)])
    return opened(kit, case_id, entry)


def opened(kit: StageKit, case_id: UUID, entry: Entry) -> LogEntry:
    """The entry with what is sealed in it; an entry that cannot be read says so and hides none of the others."""
    body = entry.body
    told = one(body["detail"], lambda sealed: json.loads(kit.keyring.open(sealed, str(case_id))), _unreadable)
    return LogEntry(
        position=entry.position,
        at=entry.at,
        kind=entry.kind,
        title=told["title"] or body["title"],
        text=told["text"],
        evidence=told["evidence"],
        by=None if body["by"] is None else UUID(body["by"]),
        by_name=told["by_name"],
        published=body.get("published"),
        digest=entry.digest,
        previous=entry.previous,
    )


def _unreadable(_sealed: str) -> dict[str, str]:
    return {"title": "", "text": UNREADABLE_TEXT, "evidence": "", "by_name": ""}


async def entry_at(kit: StageKit, tx: Transaction, case_id: UUID, position: int) -> LogEntry:
    """The entry at a position that exists."""
    found = await read(tx.conn, LEDGER, str(case_id), after=position - 1, limit=1)
    return opened(kit, case_id, found[0])


def published_facts(publication: Publication) -> dict[str, Any]:
    """What the log keeps, unsealed, of a publication."""
    until = publication.not_before
    return {
        "audience": [str(role) for role in publication.audience],
        "not_before": None if until is None else until.isoformat(),
        "notify": publication.notify,
    }


async def publish(
    kit: StageKit, tx: Transaction, case_id: UUID, entry: LogEntry, publication: Publication, text: str
) -> None:
    """Tell the parties' side of an entry."""
    await tx.emit(
        ProgressPublished(
            case_id=case_id,
            entry=entry.position,
            at=tx.now,
            title=_TITLES.get(entry.kind, PROGRESS_TITLE),
            text=Sealed(kit.exchange.seal(text, str(case_id))),
            audience=publication.audience,
            not_before=publication.not_before,
            notify=publication.notify,
        )
    )
