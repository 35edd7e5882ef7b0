"""The carrier's answer to one sending call, judged by a table of its error codes. Pure.

Source: https://help.aliyun.com/document_detail/101346.html. `isv.` codes are raised by checks before anything is
sent, and gateway errors (HTTP 4xx) before the SMS service sees the call: both mean "not accepted". An `isp.` code, a
5xx or words that we do not know leave open how far the call got; the provider documents none of them as "not
accepted", and the call is not idempotent: Unknown. SignatureNonceUsed says that a copy of this call was seen before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.party_notification.channels.outcome import Outcome, Refused, Scope, Sent, Throttled, Unknown, masked


class Fate(StrEnum):
    """What a code says of the call."""

    THROTTLED = "throttled"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rule:
    """One code: its fate, what it is about, the reason in Chinese, and seconds to wait if it passes by itself."""

    fate: Fate
    scope: Scope
    reason: str
    retry_after: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The outcome for the call, and whether one number or message of it may have spoilt it for the others."""

    outcome: Outcome
    by_one: bool = False


def _throttled(scope: Scope, seconds: float, reason: str) -> Rule:
    return Rule(Fate.THROTTLED, scope, reason, seconds)


def _refused(scope: Scope, reason: str) -> Rule:
    return Rule(Fate.REFUSED, scope, reason)


_RECIPIENT, _MESSAGE, _ACCOUNT = Scope.RECIPIENT, Scope.MESSAGE, Scope.ACCOUNT

RULES: Mapping[str, Rule] = {
    "isv.BUSINESS_LIMIT_CONTROL": _throttled(_RECIPIENT, 600, "该号码收信过于频繁，运营商暂缓发送。"),
    "isv.DAY_LIMIT_CONTROL": _throttled(_ACCOUNT, 3600, "短信账户已达当日发送上限。"),
    "isv.MONTH_LIMIT_CONTROL": _throttled(_ACCOUNT, 21600, "短信账户已达当月发送上限。"),
    "isv.AMOUNT_NOT_ENOUGH": _throttled(_ACCOUNT, 600, "短信账户余额不足，请充值。"),
    "isv.OUT_OF_SERVICE": _throttled(_ACCOUNT, 600, "短信账户已停机，请充值或联系服务商。"),
    "Throttling": _throttled(_ACCOUNT, 2, "调用过于频繁，服务商暂缓受理。"),
    "isv.MOBILE_NUMBER_ILLEGAL": _refused(_RECIPIENT, "手机号码不合法。"),
    "isv.DOMESTIC_NUMBER_NOT_SUPPORTED": _refused(_RECIPIENT, "该号码不支持接收此类短信。"),
    "isv.PARAM_LENGTH_LIMIT": _refused(_MESSAGE, "模板变量超过长度限制。"),
    "isv.PARAM_NOT_SUPPORT_URL": _refused(_MESSAGE, "模板变量中含有网址。"),
    "isv.BLACK_KEY_CONTROL_LIMIT": _refused(_MESSAGE, "模板变量中含有禁用词。"),
    "isv.SMS_CONTENT_ILLEGAL": _refused(_MESSAGE, "短信内容含有禁止发送的内容。"),
    "isv.TEMPLATE_MISSING_PARAMETERS": _refused(_MESSAGE, "缺少模板变量。"),
    "isv.TEMPLATE_PARAMS_ILLEGAL": _refused(_MESSAGE, "模板变量不合规范。"),
    "isv.INVALID_JSON_PARAM": _refused(_MESSAGE, "模板变量格式错误。"),
    "isv.SMS_TEMPLATE_ILLEGAL": _refused(_ACCOUNT, "短信模板不存在或未通过审核。"),
    "isv.SMS_SIGNATURE_ILLEGAL": _refused(_ACCOUNT, "短信签名不存在或未通过审核。"),
    "isv.SIGN_STATE_ILLEGAL": _refused(_ACCOUNT, "短信签名不可用。"),
    "isv.SMS_SIGN_ILLEGAL": _refused(_ACCOUNT, "短信签名被禁止使用。"),
    "isv.SMS_SIGNATURE_SCENE_ILLEGAL": _refused(_ACCOUNT, "短信签名与模板类型不一致。"),
    "isv.MOBILE_COUNT_OVER_LIMIT": _refused(_ACCOUNT, "一次提交的号码过多。"),
    "isv.PRODUCT_UN_SUBSCRIPT": _refused(_ACCOUNT, "尚未开通短信服务。"),
    "isv.ACCOUNT_ABNORMAL": _refused(_ACCOUNT, "短信账户异常。"),
    "isv.DENY_IP_RANGE": _refused(_ACCOUNT, "本机网络地址不在允许范围内。"),
    "isp.RAM_PERMISSION_DENY": _refused(_ACCOUNT, "访问密钥没有发送短信的权限。"),
    "SignatureDoesNotMatch": _refused(_ACCOUNT, "请求签名不符，请核对访问密钥。"),
    "InvalidAccessKeyId.NotFound": _refused(_ACCOUNT, "访问密钥不存在。"),
    "InvalidTimeStamp.Expired": _refused(_ACCOUNT, "本机时钟与服务商相差过大。"),
    "SignatureNonceUsed": Rule(Fate.UNKNOWN, _ACCOUNT, "服务商已见过同一请求，无法确定是否已受理。"),
    "isp.SYSTEM_ERROR": Rule(Fate.UNKNOWN, _ACCOUNT, "服务商系统错误，无法确定是否已受理。"),
    "isp.GATEWAY_ERROR": Rule(Fate.UNKNOWN, _ACCOUNT, "服务商网关错误，无法确定是否已受理。"),
}
_WAITS = (("分钟级", 60.0), ("小时级", 3600.0), ("天级", 86400.0))


def judge(status: int, body: bytes) -> Verdict:
    """The verdict on a whole reply: its HTTP status and its body as received."""
    reply = parse_reply(body)
    if reply is None:
        return Verdict(Unknown(f"短信平台的答复无法辨认（状态码{status}）。"))
    code, message = str(reply["Code"]), str(reply.get("Message", ""))
    if code == "OK":
        return Verdict(_accepted(status, reply))
    rule = RULES.get(code) or _by_family(status, code, message)
    return Verdict(_outcome(rule, code, message), rule.fate is not Fate.UNKNOWN and rule.scope is not _ACCOUNT)


def parse_reply(body: bytes) -> dict[str, Any] | None:
    """The reply's JSON object with its `Code`, or None when it is anything else."""
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) and isinstance(reply.get("Code"), str) else None


def _accepted(status: int, reply: Mapping[str, Any]) -> Outcome:
    biz_id = reply.get("BizId")
    if status == 200 and isinstance(biz_id, str) and biz_id:
        return Sent(biz_id)
    return Unknown("短信平台答复成功，但没有回执号。")


def _by_family(status: int, code: str, message: str) -> Rule:
    """A code that the table does not list, judged by who raised it."""
    if code.startswith("Throttling") or status == 429:
        return RULES["Throttling"]
    reason = f"短信平台拒绝受理：{masked(message)}"
    if code.startswith("isv."):
        return _refused(_ACCOUNT, reason)
    if 400 <= status < 500 and status != 408:
        return _refused(_ACCOUNT, reason)
    return Rule(Fate.UNKNOWN, _ACCOUNT, f"短信平台出错，无法确定是否已受理：{masked(message)}")


def _outcome(rule: Rule, code: str, message: str) -> Outcome:
    match rule.fate:
        case Fate.THROTTLED:
            return Throttled(rule.reason, _wait(rule, code, message))
        case Fate.REFUSED:
            return Refused(code, rule.reason, rule.scope)
        case Fate.UNKNOWN:
            return Unknown(rule.reason)


def _wait(rule: Rule, code: str, message: str) -> float:
    """Seconds; a number's limit names its period in the message (触发小时级流控Permits:5)."""
    if code != "isv.BUSINESS_LIMIT_CONTROL":
        return rule.retry_after
    return next((seconds for word, seconds in _WAITS if word in message), rule.retry_after)
