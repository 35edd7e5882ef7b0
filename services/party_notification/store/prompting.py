"""The SMS that tell of what was mailed: which wording of them stands, and which had said what came to nothing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import NOW, deliveries, message_notices, messages, notices
from services.party_notification.store.withdrawing import LEFT

_BEFORE = ("send", "doubt")
"""The steps of an SMS that this product has not sent: it leaves next, or the carrier is asked first."""
_WORDINGS = ("template_key", "params", "content", "content_sha256")


def _telling_of(mail_ids: Sequence[UUID]) -> Select[tuple[UUID]]:
    """The SMS that tell of a notice which one of these mails carries."""
    mailed = message_notices.alias("mailed")
    query = select(messages.c.message_id)
    query = query.join(message_notices, message_notices.c.message_id == messages.c.message_id)
    query = query.join(mailed, mailed.c.notice_id == message_notices.c.notice_id)
    return query.where(mailed.c.message_id.in_(mail_ids), messages.c.channel == "sms", ~messages.c.corrects)


async def say(conn: AsyncConnection, mail_ids: Sequence[UUID], *, mailed: bool) -> bool:
    """Take the wording that is true by now in each SMS that has not left, and let it leave; whether there was one."""
    two_ways = _telling_of(mail_ids).where(messages.c.alt_content.is_not(None))
    waiting = deliveries.c.message_id.in_(two_ways) & (deliveries.c.state == "planned") & deliveries.c.step.in_(_BEFORE)
    # The delivery's row is what a sender locks: from here on the words are ours to change.
    held = update(deliveries).where(waiting).values(due_at=NOW).returning(deliveries.c.message_id)
    ids = list((await conn.execute(held)).scalars())
    if ids:
        swapped: dict[str, Any] = {"says_mailed": mailed}
        for name in _WORDINGS:
            swapped |= {name: messages.c[f"alt_{name}"], f"alt_{name}": messages.c[name]}
        wrong = messages.c.message_id.in_(ids) & messages.c.says_mailed.is_(not mailed)
        await conn.execute(update(messages).where(wrong).values(swapped))
    return bool(ids)


async def said_mailed(conn: AsyncConnection, mail_id: UUID) -> list[Row[Any]]:
    """The SMS that have, or may have, left saying that this mail was sent, as long as none of them is taken back."""
    left = exists().where(deliveries.c.message_id == messages.c.message_id, deliveries.c.state.in_(LEFT))
    other = messages.alias("other")
    taken_back = exists().where(other.c.retracts == mail_id)
    here = messages.c.message_id.in_(_telling_of([mail_id])) & messages.c.says_mailed
    return list(await conn.execute(select(messages).where(here, left, ~taken_back).order_by(messages.c.message_id)))


async def are_mailed(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> bool:
    """Whether a mail with each of these notices was taken, and none came back."""
    standing = notices.c.sent_at.is_not(None) & notices.c.lapsed_at.is_(None)
    by_mail = exists().where(
        message_notices.c.notice_id == notices.c.notice_id,
        messages.c.message_id == message_notices.c.message_id,
        messages.c.channel == "mail",
        deliveries.c.message_id == messages.c.message_id,
        deliveries.c.state.in_(("sent", "delivered")),
    )
    query = select(notices.c.notice_id).where(notices.c.notice_id.in_(notice_ids), standing, by_mail)
    return len(list(await conn.execute(query))) == len(set(notice_ids)) > 0
