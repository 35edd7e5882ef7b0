"""What a failed SMTP exchange came to, by the step it had reached and the server's reply, if any. Pure.

Sources: RFC 5321 4.2 (replies), RFC 3463 (enhanced status codes: 5.1.x is about the address).
"""

import re
from enum import StrEnum

from aiosmtplib import SMTPAuthenticationError, SMTPResponseException

from services.party_notification.channels.mishaps import in_words
from services.party_notification.channels.outcome import (
    NotLeft,
    Outcome,
    Refused,
    Scope,
    Throttled,
    Unknown,
    masked,
)

_ENHANCED = re.compile(r"^([45]\.\d{1,3}\.\d{1,3})\b")
_NO_SUCH_BOX = re.compile(r"^5\.(1\.(?![78])\d{1,3}|2\.1)$")  # 5.1.7 and 5.1.8 are about the sender
_CLOSING, _GREYLISTED = 60.0, 300.0


class Step(StrEnum):
    """How far one exchange has come; from DATA on, the content may have left."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"


def judge(exc: Exception, step: Step) -> Outcome:
    """The outcome of an exchange that ended in `exc` during `step`."""
    if isinstance(exc, SMTPResponseException) and 400 <= exc.code < 600:
        return _answered(exc, step)
    if step is Step.DATA:
        return Unknown(f"邮件可能已发出，没有得到完整答复：{in_words(exc)}。")
    return NotLeft(f"邮件正文没有发出，未能与邮件服务器完成交接：{in_words(exc)}。")


def _answered(exc: SMTPResponseException, step: Step) -> Outcome:
    words = f"邮件服务器答复：{exc.code} {masked(exc.message)}"
    if exc.code < 500:
        return Throttled(words, _CLOSING if exc.code == 421 else _GREYLISTED)
    if step is Step.CONNECT and not isinstance(exc, SMTPAuthenticationError):
        return NotLeft(words)
    enhanced = _ENHANCED.match(exc.message)
    status = enhanced.group(1) if enhanced else ""
    return Refused(f"{exc.code} {status}".rstrip(), words, _scope(exc.code, status, step))


def _scope(code: int, status: str, step: Step) -> Scope:
    if step in {Step.CONNECT, Step.MAIL} and code != 552:
        return Scope.ACCOUNT
    if _NO_SUCH_BOX.match(status) or (not status and step is Step.RCPT and code in {550, 551, 553}):
        return Scope.RECIPIENT
    return Scope.MESSAGE
