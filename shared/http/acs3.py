"""ACS3-HMAC-SHA256: Alibaba Cloud's request signature V3, for calls in RPC style (path `/`). Pure.

Source: https://help.aliyun.com/document_detail/2593177.html. A signer and a checker share the canonical form here.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

ALGORITHM = "ACS3-HMAC-SHA256"
_REQUIRED = ("host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version")


class BadSignature(Exception):  # noqa: N818 - named after what it says of a request
    """The request does not prove who sent it; `code` is the provider's own."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Call:
    """A POST before it is signed. `date` is UTC as 2023-10-26T10:22:32Z; `nonce` is used once."""

    host: str
    action: str
    version: str
    date: str
    nonce: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str | None = None


def encode(params: Iterable[tuple[str, str]]) -> str:
    """Parameters sorted by name, percent-encoded by RFC 3986: good as a query and as form data."""
    return "&".join(f"{_quote(name)}={_quote(value)}" for name, value in sorted(params))


def sign(call: Call, key_id: str, secret: str) -> dict[str, str]:
    """All headers of the signed request, `host` and `Authorization` among them."""
    headers = {
        "host": call.host,
        "x-acs-action": call.action,
        "x-acs-content-sha256": _sha256(call.body),
        "x-acs-date": call.date,
        "x-acs-signature-nonce": call.nonce,
        "x-acs-version": call.version,
    }
    if call.content_type is not None:
        headers["content-type"] = call.content_type
    names = sorted(headers)
    signature = _signature("POST", call.query.items(), headers, names, secret)
    credential = f"Credential={key_id},SignedHeaders={';'.join(names)},Signature={signature}"
    return {**headers, "Authorization": f"{ALGORITHM} {credential}"}


def verify(
    method: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    secret_of: Callable[[str], str | None],
) -> Call:
    """The call that a received request proves to be; `headers` by lower-case name. Raises BadSignature."""
    claimed = _claims(headers.get("authorization", ""))
    names = claimed["SignedHeaders"].split(";")
    if not set(_REQUIRED) <= set(names) or not set(names) <= set(headers):
        raise BadSignature("IncompleteSignature", "必要的请求头没有签名。")
    if not hmac.compare_digest(headers["x-acs-content-sha256"], _sha256(body)):
        raise BadSignature("SignatureDoesNotMatch", "请求体与其摘要不符。")
    secret = secret_of(claimed["Credential"])
    if secret is None:
        raise BadSignature("InvalidAccessKeyId.NotFound", "没有这个访问密钥。")
    params = parse_qsl(query, keep_blank_values=True)
    expected = _signature(method, params, headers, sorted(names), secret)
    if not hmac.compare_digest(expected.encode(), claimed["Signature"].encode()):
        raise BadSignature("SignatureDoesNotMatch", "签名不符。")
    return _call(headers, dict(params), body)


def _call(headers: Mapping[str, str], query: dict[str, str], body: bytes) -> Call:
    return Call(
        host=headers["host"],
        action=headers["x-acs-action"],
        version=headers["x-acs-version"],
        date=headers["x-acs-date"],
        nonce=headers["x-acs-signature-nonce"],
        query=query,
        body=body,
        content_type=headers.get("content-type"),
    )


def _claims(authorization: str) -> dict[str, str]:
    algorithm, _, rest = authorization.partition(" ")
    claims = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= claims.keys():
        raise BadSignature("IncompleteSignature", "缺少签名，或签名格式不对。")
    return claims


def _signature(
    method: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    names: list[str],
    secret: str,
) -> str:
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    canonical = "\n".join(
        [method, "/", encode(query), lines, ";".join(names), headers["x-acs-content-sha256"]],
    )
    to_sign = f"{ALGORITHM}\n{_sha256(canonical.encode())}"
    return hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _quote(text: str) -> str:
    return quote(text, safe="~")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
