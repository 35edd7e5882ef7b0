"""The carrier's receipts (SmsReport): a POST of a JSON array, unsigned, repeated until answered 200. Pure.

Source: https://help.aliyun.com/document_detail/101867.html. A faulty entry is listed with
what it said, to be kept and told; the others count.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.clock import SHANGHAI
from shared.errors import Fault

ACCEPTED = {"code": 0, "msg": "接收成功"}
LONGEST_UNREAD = 10_000
_PREFIX = re.compile(r"^(\+|00)?86(?=1\d{10}$)")
_UNFIT = re.compile(r"[\ud800-\udfff]|\\u0000")  # what neither a UTF-8 nor a JSON column can hold


@dataclass(frozen=True)
class Receipt:
    """What became of one message, by the carrier. Instants in UTC; `raw` is the entry as JSON, for the record."""

    number: str
    biz_id: str
    out_id: str | None
    delivered: bool
    err_code: str
    err_msg: str
    sent_at: datetime | None
    reported_at: datetime
    segments: int | None
    raw: str


MOST = 1000
"""Entries of one POST: the carrier sends far fewer."""


@dataclass(frozen=True)
class ReceiptPost:
    """The good entries of one POST; what is wrong with the others (`field` is `index.name`), and what they said."""

    receipts: tuple[Receipt, ...]
    faults: tuple[Fault, ...]
    unread: tuple[str, ...] = ()
    too_many: bool = False


class _FieldError(ValueError):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.fault = Fault(field, reason)


def parse_receipts(raw: bytes) -> ReceiptPost:
    """Read a POST's body; never raises."""
    try:
        entries = json.loads(raw)
    except (ValueError, RecursionError):
        return ReceiptPost((), (Fault("", "内容不是 JSON。"),))
    if not isinstance(entries, list):
        return ReceiptPost((), (Fault("", "内容应为 JSON 数组。"),))
    if len(entries) > MOST:
        return ReceiptPost((), (Fault("", f"一次最多{MOST}条。"),), too_many=True)
    receipts: list[Receipt] = []
    faults: list[Fault] = []
    unread: list[str] = []
    for index, entry in enumerate(entries):
        try:
            receipts.append(_receipt(entry))
        except _FieldError as exc:
            faults.append(Fault(f"{index}.{exc.fault.field}".rstrip("."), exc.fault.reason))
            unread.append(json.dumps(entry)[:LONGEST_UNREAD])
    return ReceiptPost(tuple(receipts), tuple(faults), tuple(unread))


def _receipt(entry: Any) -> Receipt:
    if not isinstance(entry, dict):
        raise _FieldError("", "回执应为 JSON 对象。")
    raw = _as_record(entry)
    if not isinstance(entry.get("success"), bool):
        raise _FieldError("success", "应为 true 或 false。")
    return Receipt(
        number=_PREFIX.sub("", _text(entry, "phone_number", 20)),
        biz_id=_text(entry, "biz_id", 100),
        out_id=_optional(entry, "out_id", 255) or None,
        delivered=entry["success"],
        err_code=_optional(entry, "err_code", 100),
        err_msg=_optional(entry, "err_msg", 500),
        sent_at=_instant(entry, "send_time") if entry.get("send_time") else None,
        reported_at=_instant(entry, "report_time"),
        segments=_count(entry),
        raw=raw,
    )


def _as_record(entry: dict[str, Any]) -> str:
    try:
        raw = json.dumps(entry, ensure_ascii=False, sort_keys=True, allow_nan=False)
    except (ValueError, RecursionError) as exc:
        raise _FieldError("", "含有无法保存的数值。") from exc
    if _UNFIT.search(raw):
        raise _FieldError("", "含有无法保存的字符。")
    return raw


def _text(entry: dict[str, Any], name: str, longest: int) -> str:
    text = _optional(entry, name, longest)
    if not text:
        raise _FieldError(name, "缺少该字段。")
    return text


def _optional(entry: dict[str, Any], name: str, longest: int) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > longest:
        raise _FieldError(name, f"应为不超过{longest}个字符的文字。")
    return value


def _instant(entry: dict[str, Any], name: str) -> datetime:
    """Beijing time without a zone, as the provider writes it, to UTC."""
    text = _text(entry, name, 30)
    try:
        local = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise _FieldError(name, "应为“2017-01-01 00:00:00”格式的时间。") from exc


def _count(entry: dict[str, Any]) -> int | None:
    text = str(entry.get("sms_size") or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None
