"""What every service offers its operators: which keys wait or are parked, what lies in quarantine, and the replay."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends
from pydantic import BaseModel

from shared.db import inbox
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


class Lanes(BaseModel):
    """All that does not pass."""

    lanes: list[ClosedLane]
    quarantine: list[Quarantined]


class Replay(Input):
    """Which key to try again at once."""

    topic: Line
    key: Line


def operations_routes(path: str) -> Routes:
    """`GET <path>/lanes` and `POST <path>/lanes/replay` of one service."""
    routes = Routes(Zone.STAFF)

    @routes.get(f"{path}/lanes", Action.OPERATIONS, name="closed lanes")
    async def closed_lanes(kit: AnyKit) -> Lanes:
        async with kit.db.read() as conn:
            lanes = [ClosedLane.model_validate(row, from_attributes=True) for row in await inbox.closed(conn)]
            held = [Quarantined.model_validate(row, from_attributes=True) for row in await inbox.quarantined(conn)]
        return Lanes(lanes=lanes, quarantine=held)

    @routes.post(f"{path}/lanes/replay", Action.OPERATIONS, name="replay a lane", status_code=202)
    async def replay_lane(body: Replay, kit: AnyKit, caller: CurrentCaller) -> Replay:
        async with kit.db.begin() as tx:
            if not await inbox.hasten(tx.conn, body.topic, body.key, caller.staff_id):
                raise NotFound("lane_not_closed", "这个事项没有停放的消息，无需重放。")
        return body

    return routes
