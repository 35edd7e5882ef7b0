"""The rules that every SMS obeys: its length, and what it must and must not contain (domain C, D, and B "Privacy")."""

import re

from shared.contracts.landline import LANDLINE

MAX_SEGMENTS = 2
_SINGLE, _PART = 70, 67
MAX_UNITS = MAX_SEGMENTS * _PART
NOTHING_TO_DO = "您现在不需要做什么"

_FORBIDDEN = (
    (re.compile(r"https?:|www\.|://|\.(?:com|cn|net|org|gov)\b", re.IGNORECASE), "不得包含网址"),
    (re.compile(r"[¥￥$]|人民币|\d[\d,.]*\s*(?:万|亿)?元"), "不得包含金额"),
    (re.compile(r"(?<![\d-])1[3-9]\d{9}(?!\d)"), "不得包含手机号码"),
    (re.compile(r"\d{12,}|\d{8,}[Xx]"), "不得包含证件号码或账号"),
    (re.compile(r"[\w.+-]+@[\w-]+"), "不得包含邮箱地址"),
    (re.compile(r"失信|拘留|限制消费|举报人|查封|冻结"), "不得包含失信、强制措施或举报内容"),
    (re.compile(r"\$\{|\}"), "有未填写的变量"),
)

# A request to the reader; 申请 asks nothing of them, and "call to check" is no duty.
_ASKS = re.compile(r"(?<!申)请(?!拨)")


def units(text: str) -> int:
    """How long the carrier counts a text: in UTF-16 units, of which a rare character takes two."""
    return len(text.encode("utf-16-le")) // 2


def segments(text: str) -> int:
    """How many segments the carrier counts, the signature included."""
    length = units(text)
    return 1 if length <= _SINGLE else -(-length // _PART)


def check_sms(text: str, signature: str) -> tuple[str, ...]:
    """Every rule that the whole text (signature first) breaks, in Chinese; empty when it may be sent."""
    head = f"【{signature}】"
    body = text.removeprefix(head)
    faults = [reason for pattern, reason in _FORBIDDEN if pattern.search(body)]
    if not text.startswith(head) or not 2 <= len(signature) <= 12:
        faults.append("须以本院签名开头")
    if re.search(r"[【】]", body):
        faults.append("正文不得包含【】")
    if segments(text) > MAX_SEGMENTS:
        faults.append("长度超过两条短信")
    if not re.search(r"(?<!\d)12368(?!\d)", body):
        faults.append("须包含12368")
    if len(LANDLINE.findall(body)) != 1:
        faults.append("须包含且仅包含一个固定电话")
    if not _ASKS.search(body) and NOTHING_TO_DO not in body:
        faults.append("须说明需要做什么，或者说明现在不需要做什么")
    return tuple(faults)
