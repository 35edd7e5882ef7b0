"""Writes letters and covering mails from the facts of a case: pure text in, bytes out, nothing sent or stored.

A document without the supervision hotline does not render (domain A, row 11), nor one whose fields are missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import segno
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from services.party_notification.domain.notices import CaseFacts, CourtFacts, Kind, NoticeFacts, PartyFacts, way_of
from services.party_notification.domain.owed import missing
from services.party_notification.domain.wording import (
    MAIL_EFFECT,
    PROPERTY_CATEGORIES,
    SUPERVISED_ITEMS,
    VERIFY_PAGE,
    as_item,
    mail_duties,
    side_of,
    way_text,
)
from shared.crypto.codes import grouped
from shared.errors import Conflict

PARTY_PATH = "/p"
VERIFY_PATH = "/verify"
NOT_ME_PATH = "/p/not-me"
_TEMPLATES = Path(__file__).parent / "templates" / "notices"
_NUMERALS = "〇一二三四五六七八九"


@dataclass(frozen=True)
class Mail:
    """A covering mail. The subject names no person; the letters are its attachments."""

    subject: str
    text: str
    html: str


class Renderer:
    """One court's letters. `site_url` is the address of the public pages, without a path."""

    def __init__(self, court: CourtFacts, site_url: str, templates: Path = _TEMPLATES) -> None:
        self._court = court
        self._site = site_url.rstrip("/")
        self._templates = _environment(templates)

    def party_link(self, query_code: str) -> str:
        """The party page. The code stands in the fragment, which browsers keep to themselves: no log sees it."""
        return f"{self._site}{PARTY_PATH}#{query_code}"

    def letter(self, kind: Kind, case: CaseFacts, party: PartyFacts, notice: NoticeFacts, query_code: str) -> bytes:
        """The letter as standalone printable HTML in UTF-8. Raises Conflict when it may not go out."""
        self._must_be_ready(case, party, notice)
        html = self._render(
            f"{kind.lower()}/letter.html",
            case=case,
            party=party,
            notice=notice,
            progress=notice.progress,
            query_code=query_code,
            qr=_qr(self.party_link(query_code)),
            way_text=way_text(party, notice.way or way_of(party)),
            kind=case.kind_of_case,
            side=side_of(case, party),
            categories=PROPERTY_CATEGORIES,
            items=SUPERVISED_ITEMS,
        )
        if self._court.supervision_phone not in html:
            raise Conflict("hotline_missing", "文书模板未载明监督举报电话，不得发出，请修改模板。")
        return html.encode()

    def subject(self, kind: Kind, case: CaseFacts) -> str:
        """A line that names court, case and document, and no person."""
        return self._render(f"{kind.lower()}/subject.txt", case=case).strip()

    def mail(self, party: PartyFacts, case: CaseFacts, notices: Sequence[NoticeFacts], query_code: str) -> Mail:
        """The covering mail of all notices due together to one person. Raises Conflict without consent to mail."""
        way = way_of(party)
        if not way.by_mail or not notices:
            raise Conflict("not_by_mail", "该当事人未同意电子送达或者没有电子邮箱，文书须以纸质送达。")
        self._must_have_hotline()
        subject = self.subject(notices[0].kind, case) + (f"等{len(notices)}份文书" if len(notices) > 1 else "")
        facts = {
            "subject": subject,
            "case": case,
            "party": party,
            "notices": notices,
            "query_code": query_code,
            "party_link": self.party_link(query_code),
            "verify_link": self._site + VERIFY_PATH,
            "not_me_link": self._site + NOT_ME_PATH,
            "qr": _qr(self.party_link(query_code)),
            "duties": mail_duties(self._court, case, party, {notice.kind for notice in notices}),
            "kind": case.kind_of_case,
            "side": side_of(case, party),
            "effect": MAIL_EFFECT[way],
            "issued_on": notices[0].issued_on,
        }
        return Mail(subject, self._render("mail/mail.txt", **facts), self._render("mail/mail.html", **facts))

    def correction_mail(self, case: CaseFacts, notice: NoticeFacts) -> Mail:
        """The mail that takes back what went to somebody who is no party: no name, and nothing opens by it."""
        self._must_have_hotline()
        subject, folder = self.subject(notice.kind, case), notice.kind.lower()
        facts = {"subject": subject, "case": case, "notice": notice, "verify_link": self._site + VERIFY_PATH}
        mail = (self._render(f"{folder}/mail.{kind}", **facts) for kind in ("txt", "html"))
        return Mail(subject, *mail)

    def file_name(self, notice: NoticeFacts, case: CaseFacts) -> str:
        """The attachment's name: document and case number, no person."""
        return f"{notice.kind.label}{case.case_number}.html"

    def _render(self, template: str, **facts: Any) -> str:
        return self._templates.get_template(template).render(court=self._court, **facts)

    def _must_have_hotline(self) -> None:
        if not self._court.supervision_phone.strip():
            raise Conflict("hotline_missing", "未设置监督举报电话，文书不得发出，请先在设置中填写。")

    def _must_be_ready(self, case: CaseFacts, party: PartyFacts, notice: NoticeFacts) -> None:
        self._must_have_hotline()
        # What is written anew for paper stood once: what is asked for since then does not hold it up.
        waits = None if notice.way else missing(notice.kind, case, party)
        if waits:
            raise Conflict("notice_waits", waits.reason)
        if notice.kind is Kind.PROGRESS and notice.progress is None:
            raise Conflict("notice_waits", "缺少执行日志内容，执行进展告知书暂不发出。")
        if notice.kind is Kind.MISFILED_CORRECTION and not notice.wrongly_told:
            raise Conflict("notice_waits", "没有误发的文书，无需更正告知。")


@lru_cache(maxsize=4)
def _environment(templates: Path) -> Environment:
    """Compiled once: a renderer may be made for every notice."""
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(cn_date=cn_date, formal_date=formal_date, money=_money, as_item=as_item, grouped=grouped)
    environment.globals.update(verify_page=VERIFY_PAGE)
    return environment


@lru_cache(maxsize=256)
def _qr(link: str) -> str:
    """A QR code as a data: URI (PNG, which mail programs show too).

    The best of the eight masks is chosen (ISO/IEC 18004): that takes some milliseconds, and old telephones read it.
    """
    return str(segno.make(link, error="m", micro=False).png_data_uri(scale=6, border=2))


def cn_date(day: date) -> str:
    """2026年6月14日."""
    return f"{day.year}年{day.month}月{day.day}日"


def formal_date(day: date) -> str:
    """The date under a court's seal, in numerals: 二〇二六年六月十四日."""
    year = "".join(_NUMERALS[int(digit)] for digit in str(day.year))
    return f"{year}年{_count(day.month)}月{_count(day.day)}日"


def _count(number: int) -> str:
    """1 to 31 in Chinese numerals."""
    tens, ones = divmod(number, 10)
    head = {0: "", 1: "十"}.get(tens, f"{_NUMERALS[tens]}十")
    return head + (_NUMERALS[ones] if ones else "")


def _money(amount: Decimal) -> str:
    return f"{amount:,.2f}"
