"""What people and tests look at: messages in order, boxes, files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Row

from services.sandbox import store
from services.sandbox.domain.mails import File, attachment, html_of
from services.sandbox.usecases.keeping import address_of, raw_of, summary_of
from services.sandbox.usecases.world import SandboxKit, indexes
from shared.errors import NotFound

SHOWN_BOXES = 60
SHOWN_MESSAGES = 60


class MessageView(BaseModel):
    """A message as its recipient has it; what only the other channel has is left out. `received_at`: product's time."""

    id: int
    channel: str
    to: str
    body: str
    received_at: datetime
    subject: str | None = None
    sender: str | None = None
    message_id: str | None = None
    attachments: tuple[str, ...] | None = None
    html: bool | None = None
    template_code: str | None = None
    out_id: str | None = None
    biz_id: str | None = None
    segments: int | None = None
    status: str | None = None


class MessageList(BaseModel):
    """Messages, oldest first, and the cursor after the last of them."""

    items: list[MessageView]
    next: int


@dataclass(frozen=True)
class Box:
    """A phone (`sms`) or a mailbox (`mail`)."""

    box_id: int
    channel: str
    address: str
    messages: int
    last_id: int


async def messages(kit: SandboxKit, to: str | None, after: int, limit: int) -> MessageList:
    """Messages after a cursor; with none new, the same cursor again."""
    wanted = None if to is None else indexes(kit.keyring, to)
    async with kit.db.read() as conn:
        rows = await store.list_messages(conn, after, limit, wanted)
    return MessageList(items=[_view(kit, row) for row in rows], next=rows[-1].id if rows else after)


async def boxes(kit: SandboxKit, channel: str | None) -> list[Box]:
    """The boxes with the newest messages; of one channel, or of both."""
    async with kit.db.read() as conn:
        return [_box(kit, row) for row in await store.list_boxes(conn, channel, SHOWN_BOXES)]


async def box(kit: SandboxKit, box_id: int) -> Box:
    """One box. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await store.get_box(conn, box_id)
    if row is None:
        raise NotFound("no_such_box", "没有这个手机或邮箱，请从列表中选择。")
    return _box(kit, row)


async def find_box(kit: SandboxKit, address: str) -> int:
    """The box of a number, with or without spaces, or of a mail address. Raises NotFound."""
    async with kit.db.read() as conn:
        box_id = await store.find_box(conn, indexes(kit.keyring, "".join(address.split())))
    if box_id is None:
        raise NotFound("no_such_box", "这个号码或邮箱还没有收到任何消息，请核对。")
    return box_id


async def in_box(kit: SandboxKit, box_id: int) -> Sequence[MessageView]:
    """The newest messages of a box, oldest first."""
    async with kit.db.read() as conn:
        rows = await store.list_box(conn, box_id, SHOWN_MESSAGES)
    return [_view(kit, row) for row in reversed(rows)]


async def letter(kit: SandboxKit, number: int, attached: int) -> File:
    """An attachment of a mail, counted from 0. Raises NotFound."""
    found = attachment(await _raw(kit, number), attached)
    if found is None:
        raise NotFound("no_such_attachment", "这封邮件没有这个附件。")
    return found


async def html(kit: SandboxKit, number: int) -> str:
    """A mail's HTML. Raises NotFound."""
    found = html_of(await _raw(kit, number))
    if found is None:
        raise NotFound("no_html", "这封邮件没有网页格式的正文。")
    return found


async def _raw(kit: SandboxKit, number: int) -> bytes:
    async with kit.db.read() as conn:
        row = await store.get_message(conn, number)
    if row is None or row.raw is None:
        raise NotFound("no_such_mail", "没有这封邮件。")
    return raw_of(kit, row)


def _box(kit: SandboxKit, row: Row[Any]) -> Box:
    return Box(row.box_id, row.channel, address_of(kit, row), row.messages, row.last_id)


def _view(kit: SandboxKit, row: Row[Any]) -> MessageView:
    summary = summary_of(kit, row)
    mail = {} if row.channel == "sms" else summary.model_dump(exclude={"body"})
    return MessageView(
        id=row.id,
        channel=row.channel,
        to=address_of(kit, row),
        body=summary.body,
        received_at=row.received_at,
        template_code=row.template_code,
        out_id=row.out_id,
        biz_id=row.biz_id,
        segments=row.segments,
        status=row.status,
        **mail,
    )
