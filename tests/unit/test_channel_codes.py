"""Each answer of the carrier, judged."""

import json

import pytest

from services.party_notification.channels.aliyun_codes import RULES, Fate, judge
from services.party_notification.channels.outcome import Refused, Scope, Sent, Throttled, Unknown, masked


def reply(code: str, message: str = "", **fields: object) -> bytes:
    return json.dumps({"Code": code, "Message": message, "RequestId": "R", **fields}).encode()


def test_ok_with_a_receipt_number_is_sent():
    assert judge(200, reply("OK", BizId="9^0")).outcome == Sent("9^0")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b'{"Code":"OK","BizId":"9^0"'),
        (200, b"[]"),
        (200, b'"OK"'),
        (200, b'{"BizId":"9^0"}'),
        (200, b'{"Code":null,"BizId":"9^0"}'),
        (200, b"[" * 100_000),
        (200, b"\xff\xfe\x00"),
        (200, reply("OK")),
        (200, reply("OK", BizId="")),
        (200, reply("OK", BizId=9)),
        (502, reply("OK", BizId="9^0")),
        (404, b"<html>not found</html>"),
        (500, reply("InternalError")),
        (503, reply("ServiceUnavailable")),
        (200, reply("isp.SYSTEM_ERROR")),
        (200, reply("isp.ANYTHING_NEW")),
        (200, reply("SOMETHING_NEW")),
        (400, reply("SignatureNonceUsed")),
        (408, reply("RequestTimeout")),
    ],
)
def test_what_leaves_it_open_is_unknown(status, body):
    verdict = judge(status, body)
    assert isinstance(verdict.outcome, Unknown)
    assert not verdict.by_one


@pytest.mark.parametrize(
    ("code", "message", "seconds"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", 60),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", 3600),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:10", 86400),
        ("isv.BUSINESS_LIMIT_CONTROL", "", 600),
        ("isv.DAY_LIMIT_CONTROL", "", 3600),
        ("isv.AMOUNT_NOT_ENOUGH", "", 600),
    ],
)
def test_limits_and_an_empty_account_pass_with_time(code, message, seconds):
    outcome = judge(200, reply(code, message)).outcome
    assert isinstance(outcome, Throttled)
    assert outcome.retry_after == seconds


@pytest.mark.parametrize("status", [400, 429, 503])
def test_the_gateways_throttling_is_not_accepted(status):
    assert isinstance(judge(status, reply("Throttling.User")).outcome, Throttled)


@pytest.mark.parametrize(
    ("status", "code", "scope", "by_one"),
    [
        (200, "isv.MOBILE_NUMBER_ILLEGAL", Scope.RECIPIENT, True),
        (200, "isv.PARAM_LENGTH_LIMIT", Scope.MESSAGE, True),
        (200, "isv.SMS_TEMPLATE_ILLEGAL", Scope.ACCOUNT, False),
        (200, "isv.NEVER_HEARD_OF", Scope.ACCOUNT, False),
        (400, "SignatureDoesNotMatch", Scope.ACCOUNT, False),
        (404, "InvalidAction.NotFound", Scope.ACCOUNT, False),
    ],
)
def test_refusals_say_what_they_are_about(status, code, scope, by_one):
    verdict = judge(status, reply(code, "号码19912345678有误"))
    assert isinstance(verdict.outcome, Refused)
    assert (verdict.outcome.code, verdict.outcome.scope, verdict.by_one) == (code, scope, by_one)
    assert "19912345678" not in verdict.outcome.reason


def test_every_rule_gives_its_fate():
    kinds = {Fate.THROTTLED: Throttled, Fate.REFUSED: Refused, Fate.UNKNOWN: Unknown}
    for code, rule in RULES.items():
        assert isinstance(judge(200, reply(code)).outcome, kinds[rule.fate]), code


def test_masking_hides_numbers_and_addresses():
    text = masked("550 <zhang@example.cn> 19912345678 unknown " + "x" * 300)
    assert "zhang" not in text
    assert "199" not in text
    assert len(text) == 200
