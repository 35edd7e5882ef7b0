"""What the carrier does with a call once it knows who calls: templates, messages, queries, receipts. Pure.

Formats: SendSms, SendBatchSms, QuerySendDetails, CreateSmsTemplate, GetSmsTemplate and SmsReport of Dysmsapi
2017-05-25 (https://help.aliyun.com/zh/sms/developer-reference).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.sandbox.domain.faults import ReceiptFault
from shared.clock import SHANGHAI

MAX_NUMBERS = 100
MAX_VARIABLE = 35  # a variable of kind "others"
_PREFIX = re.compile(r"^(\+86|0086|86|\+)(?=1\d{10}$)")
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
APPROVED, REFUSED = 1, 2  # TemplateStatus
_STATUS = {"waiting": 1, "failed": 2, "delivered": 3}


class CarrierRefusal(Exception):  # noqa: N818 - the carrier's answer
    """The carrier takes nothing of this call: its code and message."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Template:
    """A message text with `${name}` variables; `state` as GetSmsTemplate tells it (0, 1, 2, 10)."""

    code: str
    name: str
    content: str
    state: int = APPROVED


@dataclass(frozen=True)
class CarrierMessage:
    """One message that the carrier took; `body` with the signature, as the telephone shows it."""

    number: str
    body: str
    template_code: str
    out_id: str
    biz_id: str
    segments: int
    sent_at: datetime


@dataclass(frozen=True)
class KnownMessage:
    """A message and what has become of it: `waiting`, `failed` or `delivered`."""

    message: CarrierMessage
    status: str
    err_code: str = ""
    reported_at: datetime | None = None


@dataclass(frozen=True)
class PlannedReceipt:
    """A receipt to post `after` seconds from now, dated `dated` seconds after the sending."""

    after: float
    dated: float
    delivered: bool
    err_code: str


def new_template(params: Mapping[str, str], code: str, state: int = APPROVED) -> Template:
    """The template that CreateSmsTemplate or AddSmsTemplate hands in. Raises CarrierRefusal."""
    name, content = params.get("TemplateName", ""), params.get("TemplateContent", "")
    if not 1 <= len(name) <= 30 or not 1 <= len(content) <= 500:
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "模板名称或内容的长度不合规范")
    if "【" in content or "】" in content:
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "模板内容不能含有【】")
    if not _VARIABLE.sub("", content).strip():
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "模板不能只有变量")
    return Template(code, name, content, state)


def plain_number(number: str) -> str:
    """A number without spaces and its +86, as the carrier knows it; anything else only stripped."""
    return _PREFIX.sub("", number.strip())


ADDRESS = "address"
"""What the keyed hash of a telephone or a mail address is for."""


def same_address(address: str) -> str:
    """A telephone or a mail address in its one form."""
    return plain_number(address).lower()


def numbers_of(action: str, params: Mapping[str, str]) -> list[str]:
    """The numbers of a sending call without their +86. Raises CarrierRefusal."""
    single = action == "SendSms"
    numbers = params.get("PhoneNumbers", "").split(",") if single else _texts(params, "PhoneNumberJson")
    if not 1 <= len(numbers) <= (1000 if single else MAX_NUMBERS):
        raise CarrierRefusal("isv.MOBILE_COUNT_OVER_LIMIT", "手机号码数量超过限制")
    plain = [plain_number(number) for number in numbers]
    if not all(_MOBILE.fullmatch(number) for number in plain):
        raise CarrierRefusal("isv.MOBILE_NUMBER_ILLEGAL", "手机号码格式错误")
    return plain


def take(
    action: str,
    params: Mapping[str, str],
    template: Template | None,
    biz_id: str,
    now: datetime,
) -> list[CarrierMessage]:
    """The messages of SendSms or SendBatchSms, all or none. Raises CarrierRefusal."""
    numbers = numbers_of(action, params)
    if template is None or template.state != APPROVED:
        raise CarrierRefusal("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
    signs, values = _per_number(action, params, len(numbers))
    if len(signs) != len(numbers) or len(values) != len(numbers):
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "号码、签名与变量的个数不一致")
    messages = []
    for number, sign, value in zip(numbers, signs, values, strict=True):
        body = f"【{_checked_sign(sign)}】{render(template.content, value)}"
        out_id = params.get("OutId", "")
        messages.append(CarrierMessage(number, body, template.code, out_id, biz_id, segments(body), now))
    return messages


def render(content: str, values: Any) -> str:
    """The template's text with its variables filled in. Raises CarrierRefusal."""
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise CarrierRefusal("isv.INVALID_JSON_PARAM", "参数格式错误，请修改为字符串值")
    needed = _VARIABLE.findall(content)
    missing = [name for name in needed if not values.get(name)]
    if missing:
        raise CarrierRefusal("isv.TEMPLATE_MISSING_PARAMETERS", f"模板变量缺少对应参数值：{'、'.join(missing)}")
    if any(len(values[name]) > MAX_VARIABLE for name in needed):
        raise CarrierRefusal("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制")
    if any(_LINK.search(values[name]) for name in needed):
        raise CarrierRefusal("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL")
    return _VARIABLE.sub(lambda match: str(values[match.group(1)]), content)


def segments(body: str) -> int:
    """How many messages are charged: 70 UTF-16 units in one, 67 in each of several."""
    units = len(body.encode("utf-16-le")) // 2
    return 1 if units <= 70 else -(-units // 67)


def details_answer(known: Sequence[KnownMessage], params: Mapping[str, str]) -> dict[str, Any]:
    """The page of QuerySendDetails that was asked for. Raises CarrierRefusal."""
    try:
        page, size = int(params.get("CurrentPage", "")), int(params.get("PageSize", ""))
    except ValueError as exc:
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "分页参数错误") from exc
    if page < 1 or not 1 <= size <= 50:
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "分页参数错误")
    rows = [_detail(item) for item in known[(page - 1) * size : page * size]]
    return {"TotalCount": len(known), "SmsSendDetailDTOs": {"SmsSendDetailDTO": rows}}


def plan_receipts(fault: ReceiptFault | None, normal_after: float = 0.5) -> list[PlannedReceipt]:
    """When which receipts of one message go out."""
    good = PlannedReceipt(normal_after, normal_after, delivered=True, err_code="DELIVERED")
    if fault is None:
        return [good]
    match fault.kind:
        case "late":
            return [PlannedReceipt(fault.seconds, fault.seconds, delivered=True, err_code="DELIVERED")]
        case "twice":
            return [good, good]
        case "out_of_order":
            older = PlannedReceipt(normal_after * 2, 0.0, delivered=False, err_code=fault.code)
            later = PlannedReceipt(normal_after, max(1.0, normal_after), delivered=True, err_code="DELIVERED")
            return [later, older]
        case "never":
            return []
        case "failed":
            return [PlannedReceipt(normal_after, normal_after, delivered=False, err_code=fault.code)]


def receipt_item(
    message: CarrierMessage,
    reported_at: datetime,
    err_code: str,
    *,
    delivered: bool,
) -> dict[str, Any]:
    """One element of the array that SmsReport posts."""
    return {
        "phone_number": message.number,
        "send_time": _beijing(message.sent_at),
        "report_time": _beijing(reported_at),
        "success": delivered,
        "err_code": err_code,
        "err_msg": "用户接收成功" if delivered else "用户接收失败",
        "sms_size": str(message.segments),
        "biz_id": message.biz_id,
        "out_id": message.out_id,
    }


def _per_number(action: str, params: Mapping[str, str], count: int) -> tuple[list[str], list[Any]]:
    if action == "SendSms":
        values = _json(params.get("TemplateParam") or "{}")
        return [params.get("SignName", "")] * count, [values] * count
    values = _json(params.get("TemplateParamJson") or json.dumps([{}] * count))
    return _texts(params, "SignNameJson"), values if isinstance(values, list) else []


def _checked_sign(sign: str) -> str:
    if not 2 <= len(sign) <= 12 or "【" in sign or "】" in sign:
        raise CarrierRefusal("isv.SMS_SIGNATURE_ILLEGAL", "该账号下找不到对应签名")
    return sign


def _texts(params: Mapping[str, str], name: str) -> list[str]:
    values = _json(params.get(name, ""))
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise CarrierRefusal("isv.INVALID_JSON_PARAM", f"{name}应为字符串数组")
    return values


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise CarrierRefusal("isv.INVALID_JSON_PARAM", "参数不是JSON") from exc


def _detail(known: KnownMessage) -> dict[str, Any]:
    message = known.message
    row: dict[str, Any] = {
        "PhoneNum": message.number,
        "SendStatus": _STATUS[known.status],
        "ErrCode": known.err_code,
        "TemplateCode": message.template_code,
        "OutId": message.out_id,
        "Content": message.body,
        "SendDate": _beijing(message.sent_at),
    }
    if known.reported_at is not None:
        row["ReceiveDate"] = _beijing(known.reported_at)
    return row


def _beijing(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
