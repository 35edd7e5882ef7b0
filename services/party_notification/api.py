"""JSON routes: notices, evidence, what waits for a person, the paper worklist, the carrier's receipts."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request

from services.party_notification.schemas import (
    Bundle,
    CheckAnswer,
    CheckedNotice,
    CheckInput,
    ContactRuling,
    PaperInput,
    ReadingRuling,
    ReceiptAnswer,
    RulingInput,
)
from services.party_notification.usecases import checking, confirming, deciding, evidence, overview, readings, receipts
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.views import NoticeList, NoticeView, PaperList, TroubleList
from shared.db.lists import PAGE, Part
from shared.http.bodies import RECEIPTS
from shared.http.limits import MACHINES
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

staff = Routes(Zone.STAFF)
public = Routes(Zone.PUBLIC)
TheKit = Annotated[NotificationKit, Depends(kit_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
NoticeState = Literal["waiting", "issued", "served", "unserved", "withdrawn"]
PaperState = Literal["to_print", "posted", "served", "returned", "withdrawn"]


@staff.get("/api/notices", Action.NOTICES_READ)
async def list_notices(
    kit: TheKit,
    caller: CurrentCaller,
    case_number: Annotated[str | None, Query(max_length=64)] = None,
    state: NoticeState | None = None,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Limit | None = None,
) -> NoticeList:
    """Notices of one case (number or id; 200 a page), or of all (50 a page), newest first."""
    at_once = limit or (PAGE if case_number is None else overview.LIMIT_OF_CASE)
    part = Part(cursor=cursor, limit=at_once)
    found, following = await overview.listed(kit, caller, overview.Asked(state, case=case_number), part)
    return NoticeList(items=found, next=following)


@staff.get("/api/notices/troubles", Action.NOTICES_READ)
async def list_troubles(kit: TheKit, caller: CurrentCaller) -> TroubleList:
    """Deliveries of unknown fate and doubtful readings, which wait for a decision; what may have arrived twice."""
    return await overview.for_person(kit, caller)


@staff.get("/api/notices/paper", Action.PAPER_WORK)
async def list_paper(
    kit: TheKit,
    state: PaperState | None = None,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Limit = 50,
) -> PaperList:
    """The paper worklist, oldest first."""
    return await overview.papers(kit, state, Part(cursor=cursor, limit=limit))


@staff.get("/api/notices/{notice_id}", Action.NOTICES_READ)
async def get_notice(notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> NoticeView:
    """One notice with its deliveries and legal effect."""
    return await overview.one(kit, notice_id, caller)


@staff.get("/api/notices/{notice_id}/evidence", Action.NOTICES_READ)
async def get_evidence(notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> Bundle:
    """The signed evidence bundle, without query codes and full addresses."""
    return Bundle.model_validate(await evidence.bundle(kit, notice_id, caller))


@staff.post("/api/notices/deliveries/{delivery_id}/ruling", Action.NOTICES_DECIDE, status_code=204)
async def rule_on_delivery(delivery_id: UUID, body: RulingInput, kit: TheKit, caller: CurrentCaller) -> None:
    """Decide on a delivery of unknown fate."""
    await deciding.rule(kit, delivery_id, body.ruling, body.remark, caller)


@staff.post("/api/notices/readings/{reading_id}/ruling", Action.NOTICES_DECIDE, status_code=204)
async def rule_on_reading(reading_id: UUID, body: ReadingRuling, kit: TheKit, caller: CurrentCaller) -> None:
    """Decide whether a doubtful reading was the party's own; nobody decides in a case of their own."""
    await readings.decide(kit, reading_id, own=body.own, remark=body.remark, caller=caller)


@staff.post("/api/notices/contacts/{doubt_id}/ruling", Action.NOTICES_DECIDE, status_code=204)
async def rule_on_contact(doubt_id: UUID, body: ContactRuling, kit: TheKit, caller: CurrentCaller) -> None:
    """Decide whether a disowned contact is the party's own; nobody decides in a case of their own."""
    await confirming.decide(kit, doubt_id, own=body.own, remark=body.remark, caller=caller)


@staff.post("/api/notices/paper/{paper_id}", Action.PAPER_WORK, status_code=204)
async def record_paper(paper_id: UUID, body: PaperInput, kit: TheKit, caller: CurrentCaller) -> None:
    """Record posting, delivery or return of letters."""
    await deciding.record_paper(kit, paper_id, body.act, body.on, body.tracking, caller)


@public.post("/api/notices/receipts/{provider}/{secret}", PUBLIC, limit=MACHINES, most=RECEIPTS)
async def take_receipts(provider: str, secret: str, request: Request, kit: TheKit) -> ReceiptAnswer:
    """The carrier's receipts: a JSON array, unsigned, so the URL holds a secret."""
    await receipts.take_receipts(kit, provider, secret, await request.body())
    return ReceiptAnswer()


@public.post("/api/notices/check", PUBLIC)
async def check_notice(body: CheckInput, kit: TheKit) -> CheckAnswer:
    """Is it real? By the notice's number, or an SMS's query code, and the telephone's last four digits."""
    newest, *others = await checking.check_notice(kit, body.number, body.last_four)
    more = [CheckedNotice.model_validate(other, from_attributes=True) for other in others]
    return CheckAnswer(**vars(CheckedNotice.model_validate(newest, from_attributes=True)), others=more)
