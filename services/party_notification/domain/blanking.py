"""What staff see of what was sent: without what would let them pass for the party, and with masked addresses. Pure."""

import re
from collections.abc import Mapping

CODE = "＊＊＊＊＊＊＊＊"
"""Stands where a query code was."""
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")
_NOTHING = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def blanked(text: str, code: str, masked: Mapping[str, str] | None = None) -> str:
    """The text without the query code, nor the QR code that holds it; what is to be masked is.

    Letters and mails carry no other picture than that QR code.
    """
    shown = _PICTURE.sub(_NOTHING, text).replace(code, CODE)
    for full, mask in (masked or {}).items():
        shown = shown.replace(full, mask)
    return shown
