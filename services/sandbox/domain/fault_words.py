"""Faults in words for people, and the choice of them that the page offers."""

from typing import assert_never

from services.sandbox.domain.faults import Fault, MailFault, MailStage, ReceiptFault, SmsFault, TemplateFault

_SMS = {
    "refuse": "短信：运营商拒绝",
    "timeout_before": "短信：未受理，久不答复后断线",
    "cut_after_commit": "短信：已受理，不答复即断线",
    "timeout_after": "短信：已受理，久不答复后断线",
    "http_500": "短信：未受理，运营商系统出错",
    "http_500_after_commit": "短信：已受理，却答复系统出错",
}
_RECEIPTS = {
    "late": "回执：迟到",
    "twice": "回执：重复",
    "out_of_order": "回执：先报送达，后报较早的失败",
    "never": "回执：不来",
    "failed": "回执：未送达",
}
_STAGES: dict[MailStage, str] = {
    "connect": "连接时",
    "mail": "报发件人时",
    "rcpt": "报收件人时",
    "data_start": "开始传正文时",
    "data_end": "传完正文后",
}
_MAIL = {"refuse": "拒收", "cut": "断线", "delay": "迟迟不答复"}


def words_of(fault: Fault) -> str:
    """What goes wrong, in a few words."""
    match fault:
        case SmsFault():
            return _SMS[fault.kind]
        case ReceiptFault():
            return _RECEIPTS[fault.kind]
        case TemplateFault():
            return "短信模板：审核不通过"
        case MailFault():
            kept = "（已收下）" if fault.at == "data_end" and fault.committed and fault.kind != "refuse" else ""
            return f"邮件：{_STAGES[fault.at]}{_MAIL[fault.kind]}{kept}"
        case _:
            assert_never(fault)


_OFFERED: list[Fault] = [
    *(SmsFault.model_validate({"kind": kind}) for kind in _SMS),
    *(ReceiptFault.model_validate({"kind": kind}) for kind in _RECEIPTS),
    MailFault(kind="refuse", at="rcpt", reply="550 5.1.1 no such user"),
    MailFault(kind="refuse", at="data_end", reply="451 4.3.0 try again later"),
    MailFault(kind="cut", at="connect"),
    MailFault(kind="cut", at="data_start"),
    MailFault(kind="cut", at="data_end"),
    MailFault(kind="delay", at="data_end"),
    TemplateFault(),
]
CHOICES: dict[str, Fault] = {str(number): fault for number, fault in enumerate(_OFFERED)}
"""The faults that the page offers, by the value of its choice."""


def changed(fault: Fault, recipient: str | None, count: int | None, seconds: float | None) -> Fault:
    """The offered fault for one recipient, so many times, with another wait. Raises pydantic's ValidationError."""
    changes: dict[str, object] = {"recipient": recipient, "count": count}
    if seconds is not None and not isinstance(fault, TemplateFault):
        changes["seconds"] = seconds
    return type(fault).model_validate({**fault.model_dump(), **changes})
