"""The evidence bundle of one notice: what was sent, the timeline, the raw receipts, the chain; signed.

Query codes are blanked and addresses masked: a bundle goes through many hands. Beside what is shown stands the digest
of the exact bytes, which rest sealed with the court and lie before the party.
"""

import base64
import hashlib
import json
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.blanking import blanked
from services.party_notification.store import log_days, notices, paper, readings
from services.party_notification.store.readings import Reading
from services.party_notification.store.tables import LEDGER
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.letters import letter_bytes
from services.party_notification.usecases.looking import looked_at
from services.party_notification.usecases.shown import masked_address, shown_letter, shown_message
from shared.contracts.looks import Seen
from shared.crypto.signing import VerifyingKey
from shared.http.auth import Caller
from shared.ledger.chain import Entry, Head, genesis, verify
from shared.ledger.days import Keys, SealedDay, verify_links
from shared.ledger.store import read, read_head
from shared.web.formats import cn_date

FORMAT = "yangguang-evidence/3"
"""Since 3 it carries `log_days`, the newest signed days of the enforcement log; older bundles verify as before."""
_LOG_DAYS = 7


async def bundle(kit: NotificationKit, notice_id: UUID, caller: Caller) -> dict[str, Any]:
    """The bundle as JSON-ready data: `content` as canonical text, its signature, the key that verifies it.

    The look is told of. Raises NotFound, and Conflict for a notice that is not written yet.
    """
    async with kit.db.begin() as tx:
        looked = await looked_at(kit, tx, notice_id, Seen.EVIDENCE, caller)
    async with kit.db.read() as conn:  # one snapshot: the chain and its head are of one moment
        row, code = await notices.get(conn, notice_id) or looked.notice, looked.code
        content = {
            "format": FORMAT,
            "court": kit.court.name,
            "case_number": looked.case.case_number,
            "notice": _notice(kit, row, code),
            "messages": await _messages(kit, conn, notice_id, code),
            "readings": [_reading(each) for each in await readings.of_notice(conn, notice_id)],
            "paper": [_plain(entry._asdict()) for entry in await paper.of_notice(conn, notice_id)],
            "log_days": _log_days(kit, await log_days.newest(conn, _LOG_DAYS)),
            "chain": await _chain(conn, str(row.case_id)),
            "issued_at": kit.clock.now().isoformat(),
        }
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    signature = base64.b64encode(kit.signing.sign(text.encode())).decode()
    return {
        "content": text,
        "signature": signature,
        "algorithm": "Ed25519",
        "key_id": kit.signing.key_id,
        "public_key": kit.signing.verifying_key.to_pem(),
    }


def _log_days(kit: NotificationKit, known: list[SealedDay]) -> list[dict[str, Any]]:
    """Each with the public key that signed it, where the court has it."""
    keys = kit.signing.keys
    return [
        {
            "day": each.day.isoformat(),
            "record": each.text,
            "signature": each.signature,
            "key_id": each.key_id,
            "public_key": keys[each.key_id].to_pem() if each.key_id in keys else None,
        }
        for each in known
    ]


def _reading(row: Reading) -> dict[str, Any]:
    """What is told of a reading; address, device and visit stay sealed, their digest binds them."""
    told = {name: str(getattr(row, name)) for name in ("reading_id", "state", "doubt", "decided_by", "decided_at")}
    digest = hashlib.sha256(row.evidence.encode()).hexdigest()
    return {**told, "read_at": row.read_at.isoformat(), "sealed_evidence_sha256": digest}


def _notice(kit: NotificationKit, row: Row[Any], code: str) -> dict[str, Any]:
    letter = letter_bytes(kit, row)
    shown = shown_letter(letter, code)
    return {
        "notice_id": str(row.notice_id),
        "number": row.number,
        "kind": row.kind,
        "issued_at": row.issued_at.isoformat(),
        "letter": base64.b64encode(shown).decode(),
        "shown_sha256": hashlib.sha256(shown).hexdigest(),
        "letter_sha256": hashlib.sha256(letter).hexdigest(),
        "served_on": None if row.served_on is None else row.served_on.isoformat(),
        "served_by": row.served_by,
        "because": row.served_because,
    }


async def _messages(kit: NotificationKit, conn: AsyncConnection, notice_id: UUID, code: str) -> list[dict[str, Any]]:
    deliveries = await notices.deliveries_of(conn, [notice_id])
    seen = await notices.observations_of(conn, [row.delivery_id for row in deliveries])
    answer = []
    for message in await notices.messages_of(conn, notice_id):
        sent = kit.keyring.open(message.content, str(message.message_id))
        address = kit.keyring.open(message.address, f"{message.message_id}/address")
        shown = shown_message(message.channel, sent, code, address)
        attempts = [row for row in deliveries if row.message_id == message.message_id]
        answer.append(
            {
                "message_id": str(message.message_id),
                "channel": message.channel,
                "to": masked_address(address),
                "bytes": base64.b64encode(shown).decode(),
                "shown_sha256": hashlib.sha256(shown).hexdigest(),
                "sha256": hashlib.sha256(sent.encode()).hexdigest(),
                "possibly_twice": message.possibly_twice,
                "attempts": [_attempt(kit, row, seen, (code, address)) for row in attempts],
            }
        )
    return answer


def _attempt(kit: NotificationKit, row: Row[Any], seen: list[Row[Any]], secrets: tuple[str, str]) -> dict[str, Any]:
    timeline = [
        {
            "seen": one.seen,
            "at": one.product_time.isoformat(),
            "noted_at": one.noted_at.isoformat(),
            "detail": one.detail,
            "raw": None if one.raw is None else _raw(kit, one, secrets),
        }
        for one in seen
        if one.delivery_id == row.delivery_id
    ]
    return {"attempt": row.attempt, "state": row.state, "provider_id": row.provider_id, "timeline": timeline}


def _raw(kit: NotificationKit, row: Row[Any], secrets: tuple[str, str]) -> str:
    """The other side's own words, without the address."""
    code, address = secrets
    return blanked(kit.keyring.open(row.raw, f"{row.delivery_id}/raw"), code, {address: masked_address(address)})


async def _chain(conn: Any, chain_id: str) -> dict[str, Any]:
    entries = await read(conn, LEDGER, chain_id, limit=100_000)
    head = await read_head(conn, LEDGER, chain_id)
    rows = [
        {
            "position": entry.position,
            "at": entry.at.isoformat(),
            "kind": entry.kind,
            "text": entry.text,
            "previous": entry.previous,
            "digest": entry.digest,
        }
        for entry in entries
    ]
    return {"chain_id": chain_id, "head": {"position": head.position, "digest": head.digest}, "entries": rows}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else str(value) for name, value in row.items()}


def faults_of_bundle(raw: bytes, trusted: Keys | None) -> list[str]:
    """Verify a bundle offline; every fault found, in Chinese; empty when it holds.

    With `trusted`, the court's public keys, the signature must be of one of them; without only the bundle's own.
    """
    try:
        outer = json.loads(raw)
        text, signature = outer["content"], base64.b64decode(outer["signature"])
        own = VerifyingKey.from_pem(outer["public_key"])
        key = (trusted.get(own.key_id) or next(iter(trusted.values()))) if trusted else own
        content = json.loads(text)
    except (KeyError, TypeError, ValueError):
        return ["不是一份有签名的送达证据文件。"]
    if not key.verify(text.encode(), signature):
        return ["签名不符：文件被改动，或不是该公钥所属法院签发。"]
    return [*_faulty_bytes(content), *_faulty_chain(content["chain"]), *_faulty_days(content, trusted)]


def _faulty_days(content: dict[str, Any], trusted: Keys | None) -> list[str]:
    """The signed days of the log: each by the key that it names, and each bound to the one before."""
    told = content.get("log_days", [])
    keys = trusted or {
        key.key_id: key for key in (VerifyingKey.from_pem(each["public_key"]) for each in told if each["public_key"])
    }
    days = [
        SealedDay(date.fromisoformat(each["day"]), each["record"], each["signature"], each["key_id"]) for each in told
    ]
    broken = verify_links(days, keys)
    return [] if broken is None else [f"执行日志{cn_date(broken.day)}的每日签署不成立：{broken.why.value}"]


def _faulty_bytes(content: dict[str, Any]) -> list[str]:
    notice = content["notice"]
    pairs = [(notice["letter"], notice.get("shown_sha256", notice["letter_sha256"]), "文书")]
    pairs += [(each["bytes"], each.get("shown_sha256", each["sha256"]), "消息") for each in content["messages"]]
    return [
        f"{name}内容与其摘要不符。"
        for encoded, digest, name in pairs
        if hashlib.sha256(base64.b64decode(encoded)).hexdigest() != digest
    ]


def _faulty_chain(chain: dict[str, Any]) -> list[str]:
    entries = [
        Entry(
            chain["chain_id"],
            row["position"],
            datetime.fromisoformat(row["at"]),
            row["kind"],
            row["text"],
            row["previous"],
            row["digest"],
        )
        for row in chain["entries"]
    ]
    head = Head(chain["chain_id"], chain["head"]["position"], chain["head"]["digest"])
    broken = verify(entries, genesis(chain["chain_id"]), head)
    return [] if broken is None else [f"记录链在第{broken.position}条处断裂：{broken.why.value}"]
