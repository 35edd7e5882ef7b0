"""A received mail as its reader sees it: subject, text, HTML and attachments. Lenient: a broken mail still reads."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from pydantic import BaseModel


class Summary(BaseModel):
    """What a list shows of a message; of an SMS only the body. `attachments` are the files' names, in order."""

    body: str
    subject: str | None = None
    message_id: str | None = None
    sender: str | None = None
    attachments: tuple[str, ...] = ()
    html: bool = False


@dataclass(frozen=True)
class File:
    """One attachment."""

    name: str
    media_type: str
    content: bytes


def summarize(raw: bytes) -> Summary:
    """The summary of a mail; the body is its text/plain part, or empty."""
    mail = message_from_bytes(raw)
    plain = _first(mail, "text/plain")
    return Summary(
        body="" if plain is None else _text(plain).replace("\r\n", "\n").strip(),
        subject=_header(mail, "Subject"),
        message_id=_header(mail, "Message-ID"),
        sender=_header(mail, "From"),
        attachments=tuple(_name(part) for part in _attached(mail)),
        html=_first(mail, "text/html") is not None,
    )


def attachment(raw: bytes, number: int) -> File | None:
    """The attachment with this number, counted from 0."""
    for index, part in enumerate(_attached(message_from_bytes(raw))):
        if index == number:
            return File(_name(part), part.get_content_type(), _content(part))
    return None


def html_of(raw: bytes) -> str | None:
    """The HTML part, with its inline pictures (`cid:`) put in as data."""
    mail = message_from_bytes(raw)
    part = _first(mail, "text/html")
    if part is None:
        return None
    html = _text(part)
    for picture in mail.walk():
        if picture.get_content_maintype() == "image" and picture["Content-ID"]:
            data = base64.b64encode(_content(picture)).decode()
            cid = str(picture["Content-ID"]).strip().strip("<>")
            html = html.replace(f"cid:{cid}", f"data:{picture.get_content_type()};base64,{data}")
    return html


def _attached(mail: Message) -> Iterator[Message]:
    return (part for part in mail.walk() if part.get_content_disposition() == "attachment")


def _first(mail: Message, media_type: str) -> Message | None:
    fitting = (part for part in mail.walk() if part.get_content_type() == media_type)
    return next((part for part in fitting if part.get_content_disposition() != "attachment"), None)


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    try:
        return _content(part).decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return _content(part).decode("utf-8", "replace")


def _header(mail: Message, name: str) -> str | None:
    value = mail[name]
    return None if value is None else _decoded(str(value))


def _name(part: Message) -> str:
    return _decoded(part.get_filename() or "") or "附件"


def _decoded(value: str) -> str:
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        text = value
    return "".join(" " if char in "\r\n\t" else char for char in text if char.isprintable() or char in "\r\n\t").strip()
