"""Letters and messages as staff see them: query codes blanked, addresses masked. The exact bytes stay sealed.

Whoever has the code and the ID number opens the party's page, and what is opened there may count as service.
"""

import email
from collections.abc import Mapping
from email.message import Message
from email.policy import SMTP

from services.party_notification.domain.blanking import blanked
from shared.web.formats import masked_phone
from shared.web.masking import masked_mail


def masked_address(address: str) -> str:
    """A telephone or mailbox of which only the ends are told."""
    return masked_mail(address) if "@" in address else masked_phone(address)


def shown_letter(letter: bytes, code: str) -> bytes:
    """A letter without its query code."""
    return blanked(letter.decode(), code).encode()


def shown_message(channel: str, raw: str, code: str, address: str) -> bytes:
    """An SMS or a mail without query code, its address masked."""
    masked = {address: masked_address(address)}
    return blanked(raw, code, masked).encode() if channel == "sms" else _shown_mail(raw, code, masked)


def _shown_mail(raw: str, code: str, masked: Mapping[str, str]) -> bytes:
    mail = email.message_from_string(raw, policy=SMTP)
    if mail["To"]:
        mail.replace_header("To", blanked(str(mail["To"]), code, masked))
    for part in mail.walk():
        _blank(part, code, masked)
    return mail.as_bytes()


def _blank(part: Message, code: str, masked: Mapping[str, str]) -> None:
    """The part's text anew, under its own headers; no picture."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return
    is_text = part.get_content_maintype() == "text"
    shown = blanked(payload.decode("utf-8", "replace"), code, masked) if is_text else ""
    del part["Content-Transfer-Encoding"]
    part.set_payload(shown, "utf-8" if is_text else None)
