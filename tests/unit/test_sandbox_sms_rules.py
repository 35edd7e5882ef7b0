"""What the carrier in the box takes, refuses, shows and reports."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from services.party_notification.channels.receipts import parse_receipts
from services.sandbox.domain.faults import ReceiptFault, ReceiptKind
from services.sandbox.domain.sms_rules import (
    CarrierMessage,
    CarrierRefusal,
    KnownMessage,
    Template,
    details_answer,
    new_template,
    plan_receipts,
    receipt_item,
    segments,
    take,
)

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
TEMPLATE = Template("SMS_1", "受理", "${case}案已立案，电话${phone}。")
VALUES = {"case": "（2026）渝05执1号", "phone": "023-12345678"}


def batch(**changes: object) -> dict[str, str]:
    params: dict[str, object] = {
        "PhoneNumberJson": ["13800000001", "+8613800000002"],
        "SignNameJson": ["重庆五中院", "重庆五中院"],
        "TemplateParamJson": [VALUES, {**VALUES, "case": "（2026）渝05执2号"}],
        **changes,
    }
    return {"OutId": "o", **{name: json.dumps(value) for name, value in params.items()}}


def test_a_batch_becomes_one_message_per_number():
    first, second = take("SendBatchSms", batch(), TEMPLATE, "7^0", NOW)
    assert first.body == "【重庆五中院】（2026）渝05执1号案已立案，电话023-12345678。"
    assert (second.number, second.out_id, second.biz_id, second.sent_at) == ("13800000002", "o", "7^0", NOW)
    assert "渝05执2号" in second.body


def test_a_single_send_takes_many_numbers_with_one_text():
    params = {"PhoneNumbers": "13800000001,13800000002", "SignName": "重庆五中院", "TemplateParam": json.dumps(VALUES)}
    messages = take("SendSms", params, TEMPLATE, "7^0", NOW)
    assert [message.number for message in messages] == ["13800000001", "13800000002"]
    assert messages[0].body == messages[1].body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PhoneNumberJson": ["12368", "13800000002"]}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"PhoneNumberJson": ["13800000001"] * 101}, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"PhoneNumberJson": []}, "isv.MOBILE_COUNT_OVER_LIMIT"),
        ({"PhoneNumberJson": "13800000001"}, "isv.INVALID_JSON_PARAM"),
        ({"SignNameJson": ["重庆五中院"]}, "isv.INVALID_PARAMETERS"),
        ({"SignNameJson": ["【重庆】", "重庆五中院"]}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateParamJson": [VALUES]}, "isv.INVALID_PARAMETERS"),
        ({"TemplateParamJson": {}}, "isv.INVALID_PARAMETERS"),
        ({"TemplateParamJson": [VALUES, {"case": "x"}]}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParamJson": [VALUES, {**VALUES, "phone": 5}]}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParamJson": [VALUES, {**VALUES, "case": "案" * 36}]}, "isv.PARAM_LENGTH_LIMIT"),
        ({"TemplateParamJson": [VALUES, {**VALUES, "case": "http://a.cn"}]}, "isv.PARAM_NOT_SUPPORT_URL"),
    ],
)
def test_a_faulty_batch_is_refused_whole(changes, code):
    with pytest.raises(CarrierRefusal) as refused:
        take("SendBatchSms", batch(**changes), TEMPLATE, "7^0", NOW)
    assert refused.value.code == code


@pytest.mark.parametrize("template", [None, Template("SMS_1", "n", "text", state=0)])
def test_a_template_must_be_approved(template):
    with pytest.raises(CarrierRefusal) as refused:
        take("SendBatchSms", batch(), template, "7^0", NOW)
    assert refused.value.code == "isv.SMS_TEMPLATE_ILLEGAL"


@pytest.mark.parametrize("content", ["", "${a}", "【院】${a}好", "字" * 501])
def test_an_unfit_template_is_refused(content):
    with pytest.raises(CarrierRefusal):
        new_template({"TemplateName": "受理", "TemplateContent": content}, "SMS_1")


def test_length_counts_utf16_units():
    assert [segments("字" * count) for count in (1, 70, 71, 134, 135)] == [1, 1, 2, 2, 3]
    assert segments("𠀀" * 36) == 2


def known(number: int) -> KnownMessage:
    return KnownMessage(CarrierMessage(str(number), "b", "SMS_1", "o", "7^0", 1, NOW), "waiting")


def test_details_come_in_pages():
    answer = details_answer([known(n) for n in range(5)], {"CurrentPage": "2", "PageSize": "2"})
    assert answer["TotalCount"] == 5
    rows = answer["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    assert [row["PhoneNum"] for row in rows] == ["2", "3"]
    assert rows[0]["SendDate"] == "2026-11-23 14:05:00"
    assert "ReceiveDate" not in rows[0]


@pytest.mark.parametrize("page", [{}, {"CurrentPage": "0", "PageSize": "10"}, {"CurrentPage": "1", "PageSize": "51"}])
def test_faulty_pages_are_refused(page):
    with pytest.raises(CarrierRefusal):
        details_answer([], page)


@pytest.mark.parametrize(
    ("kind", "delivered"),
    [("late", [True]), ("twice", [True, True]), ("never", []), ("failed", [False]), ("out_of_order", [True, False])],
)
def test_receipts_go_as_the_fault_says(kind: ReceiptKind, delivered: list[bool]):
    planned = plan_receipts(ReceiptFault(kind=kind, seconds=90))
    in_order = sorted(planned, key=lambda receipt: receipt.after)
    assert [receipt.delivered for receipt in in_order] == delivered
    if kind == "late":
        assert planned[0].after == 90
    if kind == "out_of_order":
        assert in_order[1].dated < in_order[0].dated


def test_a_receipt_is_what_the_court_reads():
    (message, _) = take("SendBatchSms", batch(), TEMPLATE, "7^0", NOW)
    item = receipt_item(message, NOW + timedelta(seconds=3), "DELIVERED", delivered=True)
    (receipt,) = parse_receipts(json.dumps([item]).encode()).receipts
    assert (receipt.number, receipt.biz_id, receipt.out_id) == ("13800000001", "7^0", "o")
    assert (receipt.sent_at, receipt.reported_at) == (NOW, NOW + timedelta(seconds=3))
    assert receipt.delivered
