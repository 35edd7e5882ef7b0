"""The mark of the device that a request is sent from. It only ever rests as a keyed hash, or sealed."""

import re
import secrets

from fastapi import Request

DEVICE_COOKIE = "yg_device"
_MARK = re.compile(r"[A-Za-z0-9_-]{22,64}")
KEPT = 400 * 24 * 3600
"""As long as browsers keep a cookie at most (RFC 6265bis, 5.5), in seconds."""


def device(request: Request) -> str | None:
    """The mark of the device that this request is sent from, if it has one."""
    mark = request.cookies.get(DEVICE_COOKIE, "")
    return mark if _MARK.fullmatch(mark) else None


def marked(request: Request) -> str:
    """The mark of the device, a new one for a device that has none: it is handed over in a cookie."""
    return device(request) or secrets.token_urlsafe(16)
