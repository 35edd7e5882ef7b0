"""The templates of SMS, as the carrier knows them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, Text, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import sms_templates
from shared.db.arrays import Columns, arrays, unnested

_TEMPLATE: Columns = {"key": Text, "body": Text}
_PUT = (
    upsert(sms_templates)
    .from_select(list(_TEMPLATE), select(unnested(_TEMPLATE)))
    .on_conflict_do_nothing()
    .returning(sms_templates.c.key)
)


async def put_templates(conn: AsyncConnection, bodies: Mapping[str, str]) -> bool:
    """Make sure that templates are on the list, by their keys; whether one is new.

    The wording never changes under its key. They are put there in one order, whoever brings them.
    """
    rows = [{"key": key, "body": body} for key, body in sorted(bodies.items())]
    return bool((await conn.execute(_PUT, arrays(_TEMPLATE, rows))).all())


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
