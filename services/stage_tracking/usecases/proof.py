"""A part of the enforcement log that proves itself: its links as they are stored, under the court's signature.

Whoever has the answer of `GET /api/stages/{case}/log` in a file checks it offline, with the court's public key alone.
What people read in the file (`items`) is bound to the signed statement by a digest of each entry.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.reading import LogPage
from shared.contracts.case_number import reference, written
from shared.crypto.signing import VerifyingKey
from shared.ledger.chain import BrokenAt, Entry, Head, genesis, verify
from shared.ledger.days import Keys

FORMAT = "yangguang-log/1"


class NotProvenError(ValueError):
    """What does not fit, in Chinese: where a position can be named, the first one."""


def prove(kit: StageKit, page: LogPage, shown: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The signed statement of a page; `shown` are its entries as the answer gives them, in JSON's types."""
    statement = {
        "format": FORMAT,
        "court": kit.court.name,
        "case_id": str(page.case.case_id),
        "case_number": page.case.number,
        "issued_at": kit.clock.now().isoformat(),
        "since": _place(page.since),
        "head": _place(page.head),
        "entries": [_link(*pair) for pair in zip(page.chain, shown, strict=True)],
    }
    if page.verdict is not None:
        statement["verdict"] = {"intact": page.verdict.intact, "words": page.verdict.words}
    text = json.dumps(statement, ensure_ascii=False, sort_keys=True)
    return {
        "statement": text,
        "signature": base64.b64encode(kit.signing.sign(text.encode())).decode(),
        "algorithm": "Ed25519",
        "key_id": kit.signing.key_id,
        "public_key": kit.signing.verifying_key.to_pem(),
    }


def _place(head: Head) -> dict[str, Any]:
    return {"position": head.position, "digest": head.digest}


def _link(entry: Entry, shown: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "position": entry.position,
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "body": entry.text,
        "previous": entry.previous,
        "digest": entry.digest,
        "shown_sha256": _mark(shown),
    }


def _mark(shown: object) -> str:
    """The SHA-256 of an entry as it is shown, independent of spaces and of the order of its keys."""
    return hashlib.sha256(json.dumps(shown, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True)
class Extract:
    """A part of a log out of a file: what was signed, and what the file shows. Nothing of it is believed yet."""

    case_id: str
    case_number: str
    issued_at: datetime
    since: Head
    head: Head
    entries: list[Entry]
    marks: list[str]
    shown: list[Any]
    statement: bytes
    signature: bytes
    own_key: VerifyingKey
    intact: bool | None
    verdict: str
    """Whether the court's system found the whole log intact when it gave the file, and what it said of it."""

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read a saved answer. Raises NotProvenError when it is none."""
        try:
            return cls._of(json.loads(raw))
        except (KeyError, TypeError, ValueError):
            raise NotProvenError("不是一份有签名的执行日志：请用 GET /api/stages/{案号}/log 重新导出。") from None

    @classmethod
    def _of(cls, answer: Any) -> Self:
        proof = answer["proof"]
        told = json.loads(proof["statement"])
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        chain_id, links = told["case_id"], told["entries"]
        return cls(
            case_id=chain_id,
            case_number=told["case_number"],
            issued_at=datetime.fromisoformat(told["issued_at"]),
            since=Head(chain_id, **told["since"]),
            head=Head(chain_id, **told["head"]),
            entries=[_entry(chain_id, link) for link in links],
            marks=[link["shown_sha256"] for link in links],
            shown=list(answer["items"]),
            statement=proof["statement"].encode(),
            signature=base64.b64decode(proof["signature"]),
            own_key=VerifyingKey.from_pem(proof["public_key"]),
            intact=told.get("verdict", {}).get("intact"),
            verdict=told.get("verdict", {}).get("words", ""),
        )

    @property
    def until(self) -> Head:
        """The place of its last entry."""
        return self.entries[-1].head if self.entries else self.since

    def signer(self, trusted: Keys | None) -> VerifyingKey:
        """The key to check it with: of the court's public keys the one that it names, or any; else its own."""
        if not trusted:
            return self.own_key
        return trusted.get(self.own_key.key_id) or next(iter(trusted.values()))

    def check(self, trusted: Keys | None) -> None:
        """Raise NotProvenError unless signature, links and what is shown agree. `trusted`: the court's public keys."""
        broken = verify(self.entries, self.since)
        if not self.signer(trusted).verify(self.statement, self.signature):
            where = "" if broken is None else f"{words_of(broken)}；"
            raise NotProvenError(f"{where}签名不符：文件被改动，或者不是该公钥所属法院签发。")
        if broken is not None:
            raise NotProvenError(words_of(broken))
        self._check_shown()
        if self.intact is False:
            raise NotProvenError(self.verdict)

    def _check_shown(self) -> None:
        for entry, mark, shown in zip(self.entries, self.marks, self.shown, strict=False):
            if mark != _mark(shown):
                raise NotProvenError(f"第{entry.position}条：文件显示的内容与签署的不符，内容被改动或者顺序被调换。")
        if len(self.shown) < len(self.entries):
            raise NotProvenError(
                f"第{self.entries[len(self.shown)].position}条：已经签署，文件里没有显示，可能被删除。"
            )
        if len(self.shown) > len(self.entries):
            raise NotProvenError(f"第{self.until.position + 1}条：文件里有显示，但没有签署。")


def _entry(chain_id: str, link: Mapping[str, Any]) -> Entry:
    at = datetime.fromisoformat(link["at"])
    return Entry(chain_id, link["position"], at, link["kind"], link["body"], link["previous"], link["digest"])


def words_of(broken: BrokenAt) -> str:
    """The first entry that does not fit, in a sentence."""
    return f"第{broken.position}条：{broken.why.value}"


def joined(extracts: Sequence[Extract], case_key: str, trusted: Keys | None) -> list[Extract]:
    """The parts in order, each checked, each going on where the one before ends. Raises NotProvenError."""
    parts = sorted(extracts, key=lambda part: part.since.position)
    for part in parts:
        if str(reference(case_key)) not in {part.case_id, written(part.case_number)}:
            raise NotProvenError(f"文件是另一案件（{part.case_number}）的执行日志。")
        part.check(trusted)
    end = genesis(parts[0].case_id) if parts[0].since.position == 0 else parts[0].since
    for part in parts:
        if part.since != end:
            raise NotProvenError(f"第{end.position + 1}条：几份文件在此处不相衔接。")
        end = part.until
    return parts
