"""JSON routes of the outside world: messages as received, faults, the clock."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Path, Query
from starlette.responses import Response

from services.sandbox.schemas import ClockAnswer, ClockInput, FaultList, Faults, HandedKit, Standing
from services.sandbox.usecases import clock, reading
from services.sandbox.usecases.reading import MessageList
from services.sandbox.usecases.world import SandboxKit, add_faults, faults_of
from shared.http.bodies import UPLOAD
from shared.http.limits import OUTSIDE
from shared.http.routes import PUBLIC, Routes, Zone

routes = Routes(Zone.PUBLIC, limit=OUTSIDE, most=UPLOAD)

_BIGGEST = 2**63 - 1
Cursor = Annotated[int, Query(ge=0, le=_BIGGEST)]
Number = Annotated[int, Path(ge=1, le=_BIGGEST)]
MAIL_POLICY = (
    "sandbox allow-popups; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""A mail may come from anybody: it is shown without scripts and apart from this site."""


@routes.get("/sandbox/messages", PUBLIC, response_model_exclude_none=True)
async def list_messages(
    kit: HandedKit,
    to: Annotated[str | None, Query(min_length=1, max_length=320)] = None,
    after: Cursor = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> MessageList:
    """Messages after a cursor, oldest first; of one number or address, or of all. Go on with `next`."""
    return await reading.messages(kit, to, after, limit)


@routes.get("/sandbox/messages/{number}/attachments/{attached}", PUBLIC, response_class=Response)
async def get_attachment(number: Number, attached: Annotated[int, Path(ge=0, le=999)], kit: HandedKit) -> Response:
    """An attachment of a mail, counted from 0, as it came."""
    file = await reading.letter(kit, number, attached)
    headers = {"content-disposition": f"inline; filename*=UTF-8''{quote(file.name, safe='')}"}
    return Response(
        file.content, media_type=file.media_type, headers={**headers, "content-security-policy": MAIL_POLICY}
    )


@routes.get("/sandbox/messages/{number}/html", PUBLIC, response_class=Response)
async def get_html(number: Number, kit: HandedKit) -> Response:
    """A mail's HTML."""
    content = await reading.html(kit, number)
    return Response(content, media_type="text/html", headers={"content-security-policy": MAIL_POLICY})


@routes.get("/sandbox/faults", PUBLIC)
async def list_faults(kit: HandedKit) -> Faults:
    """The faults in force."""
    return _in_force(kit)


def _in_force(kit: SandboxKit) -> Faults:
    return Faults(items=[Standing(fault=fault, left=left) for fault, left in faults_of(kit).listed()])


@routes.post("/sandbox/faults", PUBLIC, status_code=201)
async def post_faults(body: FaultList, kit: HandedKit) -> Faults:
    """Put faults behind those in force."""
    add_faults(kit, body)
    return _in_force(kit)


@routes.delete("/sandbox/faults", PUBLIC, status_code=204)
async def delete_faults(kit: HandedKit) -> None:
    """End all faults."""
    faults_of(kit).clear()


@routes.post("/sandbox/clock", PUBLIC)
async def move_clock(body: ClockInput, kit: HandedKit) -> ClockAnswer:
    """Move the product's clock."""
    if body.reset:
        return ClockAnswer(now=await clock.reset(kit))
    if body.now is not None:
        return ClockAnswer(now=await clock.set_now(kit, body.now))
    return ClockAnswer(now=await clock.move_by(kit, body.by))
