"""An SMS carrier that speaks Alibaba Cloud's Dysmsapi at the level of the protocol, with scriptable faults.

It checks the signature, takes the messages, has them stored, and only then answers: so it can bear witness. Storage is
handed in; the HTTP layer turns a `CarrierReply` into an answer, a wait, or a cut line.
"""

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import parse_qsl

from services.sandbox.domain.faults import FaultBook, SmsFault
from services.sandbox.domain.sms_rules import (
    APPROVED,
    REFUSED,
    CarrierMessage,
    CarrierRefusal,
    KnownMessage,
    Template,
    details_answer,
    new_template,
    numbers_of,
    take,
)
from shared.clock import Clock
from shared.http.acs3 import BadSignature, Call, verify

VERSION = "2017-05-25"
MAX_SKEW = timedelta(minutes=15)


class CarrierShelf(Protocol):
    """The storage the carrier needs; each call is done when it returns."""

    async def template(self, code: str) -> Template | None: ...

    async def add_template(self, template: Template) -> None: ...

    async def save(self, messages: Sequence[CarrierMessage]) -> None: ...

    async def known(self, number: str, day: date, biz_id: str | None) -> Sequence[KnownMessage]: ...


@dataclass(frozen=True)
class CarrierRequest:
    """An HTTP request as received: raw query, headers by lower-case name, raw body."""

    method: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class CarrierReply:
    """First wait `hold` seconds; then answer with `status` and `body`, or cut the line if there is no body."""

    status: int
    body: Mapping[str, Any] | None
    hold: float = 0.0


class Carrier:
    """The carrier's counter. `keys` gives each access key id its secret; `max_skew` None leaves dates unchecked."""

    def __init__(
        self,
        keys: Mapping[str, str],
        shelf: CarrierShelf,
        faults: FaultBook,
        clock: Clock,
        max_skew: timedelta | None = MAX_SKEW,
    ) -> None:
        self._keys = keys
        self._shelf = shelf
        self._faults = faults
        self._clock = clock
        self._max_skew = max_skew
        self._nonces: dict[str, datetime] = {}

    async def handle(self, request: CarrierRequest) -> CarrierReply:
        """Answer one request; what it sends is stored before this returns."""
        try:
            call = self._authenticated(request)
            return await self._act(call.action, _params(call))
        except BadSignature as exc:
            status = 404 if exc.code == "InvalidAccessKeyId.NotFound" else 400
            return _answer(status, exc.code, exc.message)
        except CarrierRefusal as exc:
            return _answer(exc.status, exc.code, exc.message)

    def _authenticated(self, request: CarrierRequest) -> Call:
        call = verify(request.method, request.query, request.headers, request.body, self._keys.get)
        if call.version != VERSION:
            raise CarrierRefusal("InvalidVersion", "没有这个版本。", 400)
        now = self._clock.now()
        self._check_date(call.date, now)
        self._nonces = {nonce: seen for nonce, seen in self._nonces.items() if now - seen < MAX_SKEW}
        if call.nonce in self._nonces:
            raise CarrierRefusal("SignatureNonceUsed", "随机数已用过。", 400)
        self._nonces[call.nonce] = now
        return call

    def _check_date(self, text: str, now: datetime) -> None:
        if self._max_skew is None:
            return
        try:
            made = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as exc:
            raise CarrierRefusal("InvalidTimeStamp.Format", "时间格式错误。", 400) from exc
        if abs(now - made) > self._max_skew:
            raise CarrierRefusal("InvalidTimeStamp.Expired", "时间戳已过期。", 400)

    async def _act(self, action: str, params: Mapping[str, str]) -> CarrierReply:
        match action:
            case "SendSms" | "SendBatchSms":
                return await self._send(action, params)
            case "QuerySendDetails":
                return await self._query(params)
            case "CreateSmsTemplate" | "AddSmsTemplate":
                return await self._new_template(params)
            case "GetSmsTemplate" | "QuerySmsTemplate":
                return await self._template(action, params.get("TemplateCode", ""))
            case _:
                raise CarrierRefusal("InvalidAction.NotFound", "没有这个接口。", 404)

    async def _send(self, action: str, params: Mapping[str, str]) -> CarrierReply:
        fault = self._faults.sms(numbers_of(action, params))
        early = _before_commit(fault)
        if early is not None:
            return early
        template = await self._shelf.template(params.get("TemplateCode", ""))
        biz_id = f"{secrets.randbelow(10**18):018d}^0"
        messages = take(action, params, template, biz_id, self._clock.now())
        await self._shelf.save(messages)
        return _after_commit(fault) or _answer(200, "OK", "OK", BizId=biz_id)

    async def _query(self, params: Mapping[str, str]) -> CarrierReply:
        try:
            day = datetime.strptime(params.get("SendDate", ""), "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError as exc:
            raise CarrierRefusal("isv.INVALID_PARAMETERS", "日期格式错误") from exc
        known = await self._shelf.known(params.get("PhoneNumber", ""), day, params.get("BizId"))
        return _answer(200, "OK", "OK", **details_answer(known, params))

    async def _new_template(self, params: Mapping[str, str]) -> CarrierReply:
        state = REFUSED if self._faults.template(params.get("TemplateName", "")) else APPROVED
        template = new_template(params, f"SMS_{secrets.randbelow(10**9):09d}", state)
        await self._shelf.add_template(template)
        return _answer(200, "OK", "OK", TemplateCode=template.code, TemplateName=template.name)

    async def _template(self, action: str, code: str) -> CarrierReply:
        template = await self._shelf.template(code)
        if template is None:
            raise CarrierRefusal("isv.SMS_TEMPLATE_ILLEGAL", "该账号下找不到对应模板")
        state: int | str = str(template.state) if action == "GetSmsTemplate" else template.state
        return _answer(
            200,
            "OK",
            "OK",
            TemplateCode=code,
            TemplateName=template.name,
            TemplateContent=template.content,
            TemplateStatus=state,
        )


def _params(call: Call) -> dict[str, str]:
    """Query and form data together: the provider's gateway reads a parameter from either. Raises CarrierRefusal."""
    form = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    params = {**dict(form), **call.query}
    if any("\x00" in value for value in params.values()):
        raise CarrierRefusal("isv.INVALID_PARAMETERS", "参数含有不能接受的字符")
    return params


def _before_commit(fault: SmsFault | None) -> CarrierReply | None:
    """What happens instead of taking the messages."""
    if fault is None:
        return None
    replies = {
        "refuse": _answer(200, fault.code, "按预设的故障拒绝"),
        "timeout_before": CarrierReply(0, None, fault.seconds),
        "http_500": _answer(500, "InternalError", "按预设的故障出错"),
    }
    return replies.get(fault.kind)


def _after_commit(fault: SmsFault | None) -> CarrierReply | None:
    """What happens instead of the answer, the messages being taken."""
    if fault is None:
        return None
    replies = {
        "cut_after_commit": CarrierReply(0, None),
        "timeout_after": CarrierReply(0, None, fault.seconds),
        "http_500_after_commit": _answer(500, "InternalError", "按预设的故障出错"),
    }
    return replies.get(fault.kind)


def _answer(status: int, code: str, message: str, **fields: Any) -> CarrierReply:
    body = {"RequestId": str(uuid.uuid4()).upper(), "Code": code, "Message": message, **fields}
    return CarrierReply(status, body)
