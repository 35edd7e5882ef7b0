"""What the API takes and gives beside the views."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel

from services.party_notification.usecases.deciding import PaperAct, Ruling
from shared.http.inputs import Input, Line, Prose


class RulingInput(Input):
    """An officer's decision on a delivery of unknown fate or a mail that came back, with the reason."""

    ruling: Ruling
    remark: Prose


class ReadingRuling(Input):
    """Whether a doubtful reading was the party's own, and how that was found out."""

    own: bool
    remark: Prose


class ContactRuling(Input):
    """Whether a disowned contact is the party's own after all, and how that was found out."""

    own: bool
    remark: Prose


class ReadingForm(Input):
    """The same from a form: `own` is 是 or 否."""

    own: Literal["yes", "no"]
    remark: Prose


class ReturnedForm(Input):
    """How it was found out that a mail did not arrive, or why a letter goes on paper, too."""

    remark: Prose


class PaperInput(Input):
    """What became of letters on paper."""

    act: PaperAct
    on: date | None = None
    tracking: Line | None = None


class Bundle(BaseModel):
    """Signed evidence: `content` is canonical JSON text, verified by `yangguang verify-evidence`."""

    content: str
    signature: str
    algorithm: str
    key_id: str
    public_key: str


class ReceiptAnswer(BaseModel):
    """What the carrier expects to be told."""

    code: int = 0
    msg: str = "接收成功"


class EntryInput(Input):
    """A party's query code and the last six characters of their ID or company number."""

    code: Line
    last_six: Line


class NotMeInput(Input):
    """A notice's number or a query code, and the telephone's last four digits or the mailbox to which it came."""

    reference: Line
    contact: Line


class CheckInput(Input):
    """A notice's number and the last four digits of its party's telephone, or the query code that stands on it.

    Or the query code of an SMS, and the last four digits.
    """

    number: Line
    last_four: Line


class CheckedNotice(BaseModel):
    """A genuine notice: what was sent and when, no names. `withdrawn`: sent in error, nothing follows from it."""

    title: str
    issued_at: datetime
    sent_at: datetime | None
    withdrawn: bool


class CheckAnswer(CheckedNotice):
    """The notice of a number; of a query code the newest one, and the `others` of which its messages told."""

    others: list[CheckedNotice]
