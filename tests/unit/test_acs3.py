"""The signature against the provider's own example, and what the checker refuses."""

import pytest

from shared.http.acs3 import BadSignature, Call, encode, sign, verify

EXAMPLE = Call(
    host="ecs.cn-shanghai.aliyuncs.com",
    action="RunInstances",
    version="2014-05-26",
    date="2023-10-26T10:22:32Z",
    nonce="3156853299f313e23d1673dc12e1703d",
    query={"ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", "RegionId": "cn-shanghai"},
)
ODD = {"名称": "a b+c&=%~*'()中文/:?@", "空": "", "A": "1"}


def received(call: Call) -> dict[str, str]:
    return {name.lower(): value for name, value in sign(call, "id", "secret").items()}


def secret_of(key_id: str) -> str | None:
    return {"id": "secret"}.get(key_id)


def form(body: bytes = b"x=1") -> Call:
    return Call("h:1", "SendBatchSms", "v", "d", "n", ODD, body, "application/x-www-form-urlencoded")


def test_the_providers_example():
    signed = sign(EXAMPLE, "YourAccessKeyId", "YourAccessKeySecret")
    assert signed["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;"
        "x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_encoding_follows_rfc_3986():
    assert encode({"b": "a b*~", "a": "+/"}.items()) == "a=%2B%2F&b=a%20b%2A~"


@pytest.mark.parametrize("query", [encode(ODD.items()), encode(ODD.items()).replace("%20", "+")])
def test_a_signed_request_is_recognised_however_its_spaces_travel(query):
    call = form()
    assert verify("POST", query, received(call), call.body, secret_of) == call


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"authorization": ""}, "IncompleteSignature"),
        ({"authorization": "Basic abc"}, "IncompleteSignature"),
        ({"x-acs-date": "other"}, "SignatureDoesNotMatch"),
        ({"x-acs-content-sha256": "0" * 64}, "SignatureDoesNotMatch"),
        ({"host": "elsewhere"}, "SignatureDoesNotMatch"),
    ],
)
def test_a_changed_request_is_refused(change, code):
    call = form()
    with pytest.raises(BadSignature) as refused:
        verify("POST", encode(ODD.items()), {**received(call), **change}, call.body, secret_of)
    assert refused.value.code == code


def test_a_changed_body_query_or_method_is_refused():
    call = form()
    headers = received(call)
    for method, query, body in [
        ("POST", encode(ODD.items()), b"x=2"),
        ("POST", "A=1", call.body),
        ("GET", encode(ODD.items()), call.body),
    ]:
        with pytest.raises(BadSignature):
            verify(method, query, headers, body, secret_of)


def test_an_unsigned_required_header_is_refused():
    call = form()
    headers = received(call)
    headers["authorization"] = headers["authorization"].replace("x-acs-date;", "")
    with pytest.raises(BadSignature) as refused:
        verify("POST", encode(ODD.items()), headers, call.body, secret_of)
    assert refused.value.code == "IncompleteSignature"


def test_an_unknown_key_is_refused():
    call = form()
    with pytest.raises(BadSignature) as refused:
        verify("POST", encode(ODD.items()), received(call), call.body, lambda _: None)
    assert refused.value.code == "InvalidAccessKeyId.NotFound"
