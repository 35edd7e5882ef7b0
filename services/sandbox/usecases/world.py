"""What the parts of the outside world share: the kit, the book of faults, how addresses are found."""

import secrets
from collections.abc import Sequence
from weakref import WeakKeyDictionary

from services.sandbox.domain.faults import Fault, FaultBook
from services.sandbox.domain.sms_rules import ADDRESS, same_address
from services.sandbox.settings import SandboxSettings
from shared.crypto.keyring import KeyRing
from shared.db.transaction import Database
from shared.errors import Conflict
from shared.runtime.secrets import kept
from shared.runtime.service import Kit

SandboxKit = Kit[SandboxSettings]

MOST_FAULTS = 1000

_BOOKS: WeakKeyDictionary[Database, FaultBook] = WeakKeyDictionary()


def faults_of(kit: SandboxKit) -> FaultBook:
    """The faults in force. They live in memory, one book per running service: a restart ends them all."""
    return _BOOKS.setdefault(kit.db, FaultBook())


def indexes(keyring: KeyRing, address: str) -> tuple[str, ...]:
    """The keyed hashes under which a telephone or a mail address may be found, that of the current key first."""
    return keyring.blind_indexes(same_address(address), ADDRESS)


def carrier_secret(kit: SandboxKit) -> str:
    """The secret of the carrier's access key, shared with who sends."""
    return kit.settings.carrier_secret or kept(kit.run, "carrier_secret.txt", lambda: secrets.token_urlsafe(24))


def receipt_url(kit: SandboxKit) -> str:
    """Where receipts go."""
    if kit.settings.receipt_url:
        return kit.settings.receipt_url
    secret = kept(kit.run, "receipt_secret.txt", lambda: secrets.token_urlsafe(24))
    return f"{kit.run.base_url}/api/notices/receipts/aliyun/{secret}"


def add_faults(kit: SandboxKit, faults: Sequence[Fault]) -> None:
    """Put faults behind those in force. Raises Conflict when there are too many."""
    book = faults_of(kit)
    if len(book.listed()) + len(faults) > MOST_FAULTS:
        raise Conflict("too_many_faults", f"预设的故障最多{MOST_FAULTS}个，请先清除。")
    for fault in faults:
        book.add(fault)
