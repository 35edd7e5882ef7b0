"""The mark of the device that a request is sent from. It only ever rests as a keyed hash, or sealed."""

import hmac
import re
import secrets

from fastapi import Request

from shared.crypto.keyring import KeyRing

DEVICE_COOKIE = "yg_device"
_PROOF, _PURPOSE = 22, "device mark"
_MARK = re.compile(r"[A-Za-z0-9_-]{22,64}")
KEPT = 400 * 24 * 3600
"""As long as browsers keep a cookie at most (RFC 6265bis, 5.5), in seconds."""


def device(request: Request) -> str | None:
    """The mark of the device that this request is sent from, if it has one."""
    mark = request.cookies.get(DEVICE_COOKIE, "")
    return mark if _MARK.fullmatch(mark) else None


def handed_over(ring: KeyRing) -> str:
    """A mark for the device of somebody who has signed in: its end proves that it was made here."""
    secret = secrets.token_urlsafe(24)
    return secret + _end(ring.blind_index(secret, _PURPOSE))


def is_handed_over(ring: KeyRing, mark: str) -> bool:
    """Whether somebody has signed in from the device that shows this mark."""
    secret, proof = mark[:-_PROOF], mark[-_PROOF:]
    right = ring.blind_indexes(secret, _PURPOSE)
    return any(hmac.compare_digest(_end(each).encode(), proof.encode()) for each in right)


def _end(index: str) -> str:
    """The first 88 bits of a keyed hash, without the name of its key."""
    return index.rpartition(".")[2][:_PROOF]


def marked(request: Request) -> str:
    """The mark of the device, a new one for a device that has none: it is handed over in a cookie."""
    return device(request) or secrets.token_urlsafe(16)
