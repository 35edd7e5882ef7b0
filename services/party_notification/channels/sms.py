"""SMS by Alibaba Cloud's Dysmsapi (version 2017-05-25), a format that other carriers speak too.

SendBatchSms: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-sendbatchsms. As the
provider's SDK 4.6.0 places them, OutId and TemplateCode go into the query, and PhoneNumberJson, SignNameJson and
TemplateParamJson into the form body; the other actions put all parameters into the query and send no body.
"""

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from enum import IntEnum, StrEnum
from typing import Any

import httpx

from services.party_notification.channels.aliyun_codes import Verdict, judge, parse_reply
from services.party_notification.channels.mishaps import in_words
from services.party_notification.channels.outcome import NotLeft, Outcome, Refused, Scope, Unknown, masked
from services.party_notification.channels.wire import recorded, sms_client
from shared.clock import SHANGHAI, Clock
from shared.errors import Conflict, Unavailable
from shared.http.acs3 import Call, encode, sign

__all__ = [
    "AliyunAccount",
    "AliyunSms",
    "DetailStatus",
    "SendDetail",
    "SmsBatch",
    "SmsItem",
    "TemplateState",
    "sms_client",
]

log = logging.getLogger(__name__)

VERSION = "2017-05-25"
MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_FORM = "application/x-www-form-urlencoded"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PAGE = 50
_MAX_PAGES = 20


@dataclass(frozen=True)
class AliyunAccount:
    """Where and as whom to call. `sign_name` is without 【】."""

    base_url: str
    access_key_id: str
    access_key_secret: str
    sign_name: str


@dataclass(frozen=True)
class SmsItem:
    """One number and the values of the template's variables for it."""

    number: str
    params: Mapping[str, str]


@dataclass(frozen=True)
class SmsBatch:
    """One call: one template, one OutId that is only echoed, at most 100 numbers, none of them twice."""

    template_code: str
    out_id: str
    items: tuple[SmsItem, ...]

    def __post_init__(self) -> None:
        numbers = {item.number for item in self.items}
        if not 1 <= len(self.items) <= 100 or len(numbers) != len(self.items):
            raise ValueError("a batch holds 1 to 100 numbers, none of them twice")
        if not 0 < len(self.out_id) < 256:
            raise ValueError("OutId holds 1 to 255 characters")


class DetailStatus(StrEnum):
    """SendStatus 1, 2, 3 of QuerySendDetails."""

    WAITING = "waiting"
    FAILED = "failed"
    DELIVERED = "delivered"


class TemplateState(IntEnum):
    """TemplateStatus of GetSmsTemplate and QuerySmsTemplate."""

    PENDING = 0
    APPROVED = 1
    REFUSED = 2
    CANCELLED = 10


@dataclass(frozen=True)
class SendDetail:
    """What the carrier knows of one message; instants in UTC."""

    number: str
    status: DetailStatus
    err_code: str
    out_id: str
    content: str
    sent_at: datetime | None
    received_at: datetime | None


class AliyunSms:
    """The carrier as seen from here. `timeout` seconds bound each call as a whole."""

    def __init__(self, client: httpx.AsyncClient, account: AliyunAccount, clock: Clock, timeout: float) -> None:
        self._client = client
        self._account = account
        self._clock = clock
        self._timeout = timeout
        self._url = httpx.URL(account.base_url)  # its path is `/` at the provider, and `/` is what is signed

    async def send_batch(self, batch: SmsBatch) -> Sequence[Outcome]:
        """One outcome per item, in order, within twice the time-out. A cancelled call must be taken as Unknown.

        When the carrier refuses the whole call for one number or message, nothing was sent: the halves are tried
        apart, so that one bad number does not hold up the others. What time did not allow is NotLeft.
        """
        outcomes: dict[str, Outcome] = {}
        fit = tuple(item for item in batch.items if MOBILE.fullmatch(item.number))
        if fit:
            deadline = asyncio.get_running_loop().time() + self._timeout
            results = await self._deliver(replace(batch, items=fit), deadline)
            outcomes = {item.number: outcome for item, outcome in zip(fit, results, strict=True)}
        bad = Refused("isv.MOBILE_NUMBER_ILLEGAL", "手机号码不合法，未提交。", Scope.RECIPIENT)
        return [outcomes.get(item.number, bad) for item in batch.items]

    async def query(self, number: str, day: date, biz_id: str | None = None) -> Sequence[SendDetail]:
        """All messages to `number` that the carrier took on `day` (Asia/Shanghai, 30 days back). Raises Unavailable.

        QuerySendDetails: https://help.aliyun.com/zh/sms/developer-reference/api-dysmsapi-2017-05-25-querysenddetails
        """
        found: list[SendDetail] = []
        base = {"PhoneNumber": number, "SendDate": f"{day:%Y%m%d}", "PageSize": str(_PAGE)}
        if biz_id is not None:
            base["BizId"] = biz_id
        for page in range(1, _MAX_PAGES + 1):
            details, total = _details(await self._ask("QuerySendDetails", {**base, "CurrentPage": str(page)}))
            found += details
            if not details or len(found) >= total:
                break
        return found

    async def register_template(self, name: str, content: str, rules: Mapping[str, str] | None = None) -> str:
        """Hand in a notice template (`${name}` variables) for approval and return its code.

        `rules` gives variables another kind than `others` (at most 35 characters), for instance `phone_number2`.
        Not idempotent. Raises Conflict with the carrier's reason, or Unavailable.
        """
        kinds = {variable: (rules or {}).get(variable, "others") for variable in _VARIABLE.findall(content)}
        params = {
            "TemplateName": name,
            "TemplateContent": content,
            "TemplateType": "1",
            "RelatedSignName": self._account.sign_name,
            "TemplateRule": _json(kinds),
            "Remark": "人民法院执行通知",
        }
        code = (await self._ask("CreateSmsTemplate", params)).get("TemplateCode")
        if not isinstance(code, str) or not code:
            raise _unavailable()
        return code

    async def template_state(self, code: str) -> TemplateState:
        """Where the approval of a template stands. Raises Conflict (no such template) or Unavailable."""
        reply = await self._ask("GetSmsTemplate", {"TemplateCode": code})
        try:
            return TemplateState(int(reply["TemplateStatus"]))
        except (KeyError, ValueError) as exc:
            raise _unavailable() from exc

    async def _deliver(self, batch: SmsBatch, deadline: float) -> list[Outcome]:
        if asyncio.get_running_loop().time() >= deadline:
            return [NotLeft("批次拆分后未及提交。") for _ in batch.items]
        verdict = await self._send_once(batch)
        if not verdict.by_one or len(batch.items) == 1:
            return [verdict.outcome for _ in batch.items]
        middle = len(batch.items) // 2
        first, second = (replace(batch, items=part) for part in (batch.items[:middle], batch.items[middle:]))
        return await self._deliver(first, deadline) + await self._deliver(second, deadline)

    async def _send_once(self, batch: SmsBatch) -> Verdict:
        query = {"TemplateCode": batch.template_code, "OutId": batch.out_id}
        form = {
            "PhoneNumberJson": _json([item.number for item in batch.items]),
            "SignNameJson": _json([self._account.sign_name for _ in batch.items]),
            "TemplateParamJson": _json([dict(item.params) for item in batch.items]),
        }
        with recorded() as phase:
            try:
                response = await self._post("SendBatchSms", query, encode(form.items()).encode())
            except Exception as exc:  # noqa: BLE001 - whatever went wrong, the recorded phase decides
                log.warning("no answer from the carrier", extra={"error": type(exc).__name__, **asdict(phase)})
                if phase.may_have_left:
                    return Verdict(Unknown(f"请求可能已发出，没有得到完整答复：{in_words(exc)}。"))
                return Verdict(NotLeft(f"短信没有发出，未能连接短信平台：{in_words(exc)}。"))
        return judge(response.status_code, response.content)

    async def _ask(self, action: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A call that sends no message. Raises Unavailable, or Conflict with the carrier's reason."""
        try:
            response = await self._post(action, query, b"")
        except Exception as exc:
            raise _unavailable() from exc
        reply = parse_reply(response.content)
        if reply is None or response.status_code >= 500:
            raise _unavailable()
        if reply["Code"] != "OK":
            raise Conflict("sms_provider_refused", f"短信平台答复：{masked(str(reply.get('Message', '')))}")
        return reply

    async def _post(self, action: str, query: Mapping[str, str], body: bytes) -> httpx.Response:
        call = Call(
            host=self._url.netloc.decode("ascii"),
            action=action,
            version=VERSION,
            date=f"{self._clock.now():%Y-%m-%dT%H:%M:%SZ}",
            nonce=uuid.uuid4().hex,
            query=query,
            body=body,
            content_type=_FORM if body else None,
        )
        headers = sign(call, self._account.access_key_id, self._account.access_key_secret)
        url = self._url.copy_with(query=encode(query.items()).encode())
        async with asyncio.timeout(self._timeout):
            return await self._client.post(url, content=body, headers=headers)


def _details(reply: Mapping[str, Any]) -> tuple[list[SendDetail], int]:
    try:
        rows = reply["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
        return [_detail(row) for row in rows], int(reply["TotalCount"])
    except (KeyError, TypeError, ValueError) as exc:
        raise _unavailable() from exc


def _detail(row: Mapping[str, Any]) -> SendDetail:
    statuses = {1: DetailStatus.WAITING, 2: DetailStatus.FAILED, 3: DetailStatus.DELIVERED}
    return SendDetail(
        number=str(row["PhoneNum"]),
        status=statuses[int(row["SendStatus"])],
        err_code=str(row.get("ErrCode") or ""),
        out_id=str(row.get("OutId") or ""),
        content=str(row.get("Content") or ""),
        sent_at=_instant(row.get("SendDate")),
        received_at=_instant(row.get("ReceiveDate")),
    )


def _instant(text: object) -> datetime | None:
    """The carrier's `2019-01-08 16:44:13` is Beijing time; the answer is UTC."""
    if not text:
        return None
    local = datetime.strptime(str(text), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    return local.astimezone(UTC)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _unavailable() -> Unavailable:
    return Unavailable("sms_provider_unavailable", "短信平台暂时没有可用的答复，请稍后再试。")
