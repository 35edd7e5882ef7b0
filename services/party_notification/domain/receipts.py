"""When two receipts of the carrier are the same. Pure."""

import json

RECEIPT, FAULTY = "receipt", "faulty receipt"
"""What the keyed hashes are for by which a repetition is known: of what a receipt says, of one that cannot be read."""


def said(record: str) -> str:
    """What a receipt says of which message to which number, from its record; when it says so does not matter."""
    entry = json.loads(record)
    return "/".join(str(entry.get(name) or "") for name in ("biz_id", "phone_number", "success", "err_code"))
