"""When two receipts of the carrier are the same. Pure."""

import hashlib
import json
from collections.abc import Iterable

RECEIPT, FAULTY = "receipt", "faulty receipt"
"""What the keyed hashes are for by which a repetition is known: of what a receipt says, of one that cannot be read."""


def said(record: str) -> str:
    """What a receipt says of which message to which number, from its record; when it says so does not matter."""
    entry = json.loads(record)
    return "/".join(str(entry.get(name) or "") for name in ("biz_id", "phone_number", "success", "err_code"))


def former_marks(biz_id: str, numbers: Iterable[str], err_code: str, *, delivered: bool) -> list[str]:
    """Under which marks an older release kept the same; `numbers`: the keyed hashes of the telephone.

    They stay until the next change of index keys.
    """
    told = (f"{biz_id}/{number}/{delivered}/{err_code}" for number in numbers)
    return [hashlib.sha256(each.encode()).hexdigest() for each in told]
