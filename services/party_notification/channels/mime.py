"""A mail as bytes that are ready for DATA: 7-bit, CRLF, short lines, the same bytes for the same input.

multipart/mixed(multipart/alternative(text, related(html, QR code)), attachments). The parts are base64, so that no
relay has a reason to recode them; identical attachments (leaflets that go to everybody) are encoded once.
Sources: RFC 5322, RFC 2045-2047, RFC 2231 (file names), RFC 3834 (Auto-Submitted).
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from services.party_notification.channels.addresses import on_the_wire
from shared.clock import SHANGHAI

QR_CID = "qr@inline"
_CACHED_PARTS = 64
_CRLF = b"\r\n"


@dataclass(frozen=True)
class Attachment:
    """One file; `name` may be Chinese."""

    name: str
    content: bytes
    media_type: str = "text/html"


@dataclass(frozen=True)
class Letter:
    """What the mail says. `sender` and `recipient` are header values; the HTML shows `qr_png` as `cid:qr@inline`."""

    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    message_id: str
    sent_at: datetime
    attachments: Sequence[Attachment] = ()
    qr_png: bytes | None = None


def build_mail(letter: Letter) -> bytes:
    """The whole mail. Raises ValueError when a header value holds a line break or a Message-ID is not ASCII."""
    boundary = hashlib.sha256(letter.message_id.encode()).hexdigest()[:24]
    parts = [_body(letter, boundary)]
    parts += [_attachment(file.name, file.media_type, file.content) for file in letter.attachments]
    return b"".join([*_headers(letter), _multipart("mixed", f"=_m{boundary}", parts)])


def _headers(letter: Letter) -> list[bytes]:
    date = format_datetime(letter.sent_at.astimezone(SHANGHAI))
    return [
        _cached_header("From", letter.sender),
        _header("To", on_the_wire(letter.recipient)),
        _header("Subject", letter.subject),
        _plain("Date", date),
        _plain("Message-ID", letter.message_id),
        _plain("Auto-Submitted", "auto-generated"),
        _plain("MIME-Version", "1.0"),
    ]


def _body(letter: Letter, boundary: str) -> bytes:
    html = _text("html", letter.html)
    if letter.qr_png is not None:
        html = _multipart("related", f"=_r{boundary}", [html, _picture(letter.qr_png)])
    return _multipart("alternative", f"=_a{boundary}", [_text("plain", letter.text), html])


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    head = _plain("Content-Type", f'multipart/{subtype}; boundary="{boundary}"')
    line = b"--" + boundary.encode()
    return head + _CRLF + b"".join(line + _CRLF + part for part in parts) + line + b"--" + _CRLF


def _text(subtype: str, text: str) -> bytes:
    canonical = "\r\n".join(text.splitlines()) + "\r\n"
    return _part(_plain("Content-Type", f"text/{subtype}; charset=utf-8"), canonical.encode())


def _picture(png: bytes) -> bytes:
    head = _plain("Content-Type", "image/png") + _plain("Content-ID", f"<{QR_CID}>")
    return _part(head + _plain("Content-Disposition", "inline"), png)


@lru_cache(maxsize=_CACHED_PARTS)
def _attachment(name: str, media_type: str, content: bytes) -> bytes:
    kind = f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    disposition = _header("Content-Disposition", f'attachment; filename="{quoted}"')
    return _part(_plain("Content-Type", kind) + disposition, content)


def _part(head: bytes, content: bytes) -> bytes:
    encoded = base64.encodebytes(content).replace(b"\n", _CRLF)
    return head + _plain("Content-Transfer-Encoding", "base64") + _CRLF + encoded


@lru_cache(maxsize=8)
def _cached_header(name: str, value: str) -> bytes:
    """For what is the same on every mail; folding costs as much as all the rest."""
    return _header(name, value)


def _header(name: str, value: str) -> bytes:
    """A header folded and encoded by the standard library (RFC 2047, RFC 2231)."""
    if value.isascii() and len(value) < 60:
        return _plain(name, value)
    return SMTP.fold_binary(*SMTP.header_store_parse(name, value))


def _plain(name: str, value: str) -> bytes:
    """A header of printable ASCII that stands as it is, unfolded."""
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{name} must be printable ASCII")
    return f"{name}: {value}\r\n".encode("ascii")
