"""Idempotency keys: the same key with the same body gets the same answer; with another body, a refusal.

An answer is kept for `KEEP`: nobody repeats a request after that, and a key used then begins anew.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import delete, func, insert, select, text, tuple_

from shared.db.portions import PORTION, delete_in_portions
from shared.db.tables import answers
from shared.db.transaction import Database, Transaction
from shared.errors import Conflict

KEEP = timedelta(days=30)


def fingerprint(body: BaseModel) -> str:
    """SHA-256 of the body as it was understood."""
    return hashlib.sha256(body.model_dump_json().encode()).hexdigest()


async def given_before(tx: Transaction, scope: str, key: str, mark: str) -> dict[str, Any] | None:
    """The answer already given to `key`, or None. Holds the key until the transaction ends.

    Raises Conflict when the key was used with another body.
    """
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    await tx.conn.execute(lock, {"name": f"{scope}:{key}"})
    query = select(answers.c.fingerprint, answers.c.answer).where(answers.c.scope == scope, answers.c.key == key)
    row = (await tx.conn.execute(query)).one_or_none()
    if row is None:
        return None
    if row.fingerprint != mark:
        raise Conflict("idempotency_key_reused", "这个幂等键已用于内容不同的请求，请换一个新的幂等键后重新提交。")
    return dict(row.answer)


async def remember(tx: Transaction, scope: str, key: str, mark: str, answer: Mapping[str, Any]) -> None:
    """Keep the answer in the transaction of the act itself."""
    row = {"scope": scope, "key": key, "fingerprint": mark, "answer": dict(answer)}
    await tx.conn.execute(insert(answers), row)


async def forget(db: Database, keep: timedelta = KEEP) -> None:
    """Delete answers given longer ago than `keep`."""
    old = select(answers.c.scope, answers.c.key).where(answers.c.given_at < func.now() - keep)
    await delete_in_portions(db, delete(answers).where(tuple_(answers.c.scope, answers.c.key).in_(old.limit(PORTION))))
