"""What every service offers its operators: what waits, is parked, in quarantine or set aside, and another try."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel

from shared.db import aside, inbox
from shared.errors import NotFound
from shared.http.inputs import Input, Line
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import Kit, kit_of
from shared.settings import RunSettings

AnyKit = Annotated[Kit[RunSettings], Depends(kit_of)]


class ClosedLane(BaseModel):
    """A key whose events wait, and why; `waiting` counts them."""

    topic: str
    key: str
    state: str
    reason: str | None
    tries: int
    since: datetime
    waiting: int


class Quarantined(BaseModel):
    """The place of a record that nobody could decode."""

    topic: str
    partition: int
    offset: int
    why: str


class SetAside(BaseModel):
    """Something that came in and could not be taken: from which stream, which row, and why."""

    stream: str
    item: str
    reason: str
    tries: int
    since: datetime


class Lanes(BaseModel):
    """All that does not pass."""

    lanes: list[ClosedLane]
    quarantine: list[Quarantined]
    set_aside: list[SetAside]


class Replay(Input):
    """Which key to try again at once."""

    topic: Line
    key: Line


class Again(Input):
    """What to take again at once."""

    stream: Line
    item: Line


def operations_routes(path: str) -> Routes:
    """`GET <path>/lanes`, `POST <path>/lanes/replay` and `POST <path>/lanes/again` of one service."""
    routes = Routes(Zone.STAFF)

    @routes.get(f"{path}/lanes", Action.OPERATIONS, name="closed lanes")
    async def closed_lanes(kit: AnyKit) -> Lanes:
        async with kit.db.read() as conn:
            lanes = [ClosedLane.model_validate(row, from_attributes=True) for row in await inbox.closed(conn)]
            held = [Quarantined.model_validate(row, from_attributes=True) for row in await inbox.quarantined(conn)]
            apart = [SetAside.model_validate(row, from_attributes=True) for row in await aside.listed(conn)]
        return Lanes(lanes=lanes, quarantine=held, set_aside=apart)

    @routes.post(f"{path}/lanes/replay", Action.OPERATIONS, name="replay a lane", status_code=202)
    async def replay_lane(body: Replay, kit: AnyKit, caller: CurrentCaller) -> Replay:
        async with kit.db.begin() as tx:
            if not await inbox.hasten(tx.conn, body.topic, body.key, caller.staff_id):
                raise NotFound("lane_not_closed", "这个事项没有停放的消息，无需重放。")
        return body

    @routes.post(f"{path}/lanes/again", Action.OPERATIONS, name="take again", status_code=202)
    async def take_again(body: Again, kit: AnyKit, caller: CurrentCaller) -> Again:
        async with kit.db.begin() as tx:
            if not await aside.hasten(tx.conn, body.stream, body.item, caller.staff_id):
                raise NotFound("not_set_aside", "没有这条放在一边的记录，可能已经办理。")
        return body

    return routes
