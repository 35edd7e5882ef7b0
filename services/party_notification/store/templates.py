"""The templates of SMS, as the carrier knows them."""

from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import sms_templates


async def put_template(conn: AsyncConnection, key: str, body: str) -> bool:
    """Make sure that the template is on the list, whose wording never changes under its key; whether it is new."""
    statement = upsert(sms_templates).values(key=key, body=body).on_conflict_do_nothing()
    return (await conn.execute(statement.returning(sms_templates.c.key))).one_or_none() is not None


async def templates_to_register(conn: AsyncConnection) -> list[str]:
    """The keys of the templates that the carrier has not approved yet."""
    query = select(sms_templates.c.key).where(sms_templates.c.approved_at.is_(None)).order_by(sms_templates.c.key)
    return list((await conn.execute(query)).scalars())


async def claim_template(conn: AsyncConnection, key: str) -> Row[Any] | None:
    """The template, locked, unless it is approved or another process has it in hand; messages may still name it."""
    query = select(sms_templates).where(sms_templates.c.key == key, sms_templates.c.approved_at.is_(None))
    return (await conn.execute(query.with_for_update(skip_locked=True, key_share=True))).one_or_none()


async def set_template(conn: AsyncConnection, key: str, values: dict[str, Any]) -> None:
    """Keep the carrier's code, its approval or its objection."""
    await conn.execute(update(sms_templates).where(sms_templates.c.key == key).values(values))
