"""Which channel served a notice, on which day, or why it is not served yet (domain B, "Electronic service").

Sources: CPL 90, 91; JI 135-137; Online Litigation Rules 29-32. Days are in Asia/Shanghai. An SMS only prompts
the party to look (Rules 32): it never serves. Public announcement (CPL 95) is a later step and not judged here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Event(StrEnum):
    """What is proved about one notice."""

    MAIL_ACCEPTED = "mail_accepted"
    MAIL_BOUNCED = "mail_bounced"
    DOCUMENT_READ = "document_read"
    PAPER_DELIVERED = "paper_delivered"
    SMS_DELIVERED = "sms_delivered"


class ServedBy(StrEnum):
    """The channel that took effect."""

    MAIL = "mail"
    READING = "reading"
    PAPER = "paper"

    @property
    def label(self) -> str:
        return _TITLES[self]


_TITLES = {
    ServedBy.MAIL: "电子邮件",
    ServedBy.READING: "网上阅读",
    ServedBy.PAPER: "纸质送达",
}


@dataclass(frozen=True)
class Evidence:
    """A proved event on a day. A bounce cancels the acceptance that names the same delivery."""

    event: Event
    on: date
    delivery: str = ""


@dataclass(frozen=True)
class Served:
    """The notice took effect on `on`; `because` names the rule, in Chinese."""

    by: ServedBy
    on: date
    because: str


@dataclass(frozen=True)
class NotServed:
    """The notice has not taken effect; `because` says why, in Chinese."""

    because: str


_MAIL_RULE = (
    "受送达人同意电子送达并确认了送达地址，送达信息到达其电子邮箱所在系统之日为送达日期"
    "（民事诉讼法第九十条，民诉法解释第一百三十五条、第一百三十六条，在线诉讼规则第三十一条第一款）"
)
_READ_RULE = "受送达人已在网上阅读文书，推定完成有效送达（民事诉讼法第九十条，在线诉讼规则第三十一条第二款第二项）"
_PAPER_RULE = "纸质文书已由受送达人签收，以签收或者回执注明的日期为送达日期（民事诉讼法第八十七条、第九十一条）"


def legal_effect(
    *, consents: bool, address_confirmed_on: date | None, evidence: Iterable[Evidence]
) -> Served | NotServed:
    """The earliest effective channel and its day (Rules 31), or why there is none yet.

    Without consent only paper serves (CPL 90): reading the page does not replace it. An address confirmed after
    the mail arrived does not make that mail effective; reading does.
    """
    known = frozenset(evidence)
    ways = [_paper(known)]
    if consents:
        ways += [_mail(known, address_confirmed_on), _reading(known)]
    effective = [way for way in ways if way]
    if effective:
        return min(effective, key=lambda way: (way.on, way.by))
    return NotServed(_why_not(known, consents=consents))


def came_to_nothing(evidence: Iterable[Evidence]) -> bool:
    """Whether mails were taken and every one of them came back: then the sending counts for nothing either."""
    known = frozenset(evidence)
    taken = {e.delivery for e in known if e.event is Event.MAIL_ACCEPTED}
    return bool(taken) and not _standing_mail(known)


def _first(known: frozenset[Evidence], event: Event) -> date | None:
    return min((e.on for e in known if e.event is event), default=None)


def _standing_mail(known: frozenset[Evidence]) -> list[date]:
    """The days on which mails arrived that never bounced."""
    bounced = {e.delivery for e in known if e.event is Event.MAIL_BOUNCED}
    return [e.on for e in known if e.event is Event.MAIL_ACCEPTED and e.delivery not in bounced]


def _mail(known: frozenset[Evidence], confirmed_on: date | None) -> Served | None:
    if confirmed_on is None:
        return None
    days = [on for on in _standing_mail(known) if on >= confirmed_on]
    return Served(ServedBy.MAIL, min(days), _MAIL_RULE) if days else None


def _reading(known: frozenset[Evidence]) -> Served | None:
    read = _first(known, Event.DOCUMENT_READ)
    return Served(ServedBy.READING, read, _READ_RULE) if read is not None else None


def _paper(known: frozenset[Evidence]) -> Served | None:
    on = _first(known, Event.PAPER_DELIVERED)
    return Served(ServedBy.PAPER, on, _PAPER_RULE) if on else None


def _why_not(known: frozenset[Evidence], *, consents: bool) -> str:
    if not consents:
        return "尚未送达：受送达人未同意电子送达，须以纸质文书送达，尚无签收记录（民事诉讼法第九十条）。"
    if _standing_mail(known):
        return "尚未送达：邮件已到达，但电子送达地址未经确认，尚无阅读记录（在线诉讼规则第三十一条第二款）。"
    if any(e.event is Event.MAIL_BOUNCED for e in known):
        return "尚未送达：电子邮件被退回，须以纸质文书送达，尚无签收记录（民事诉讼法第九十一条）。"
    if any(e.event is Event.SMS_DELIVERED for e in known):
        return "尚未送达：短信只起提示作用，不构成送达（在线诉讼规则第三十二条）。"
    return "尚未送达：尚无任何送达记录。"
