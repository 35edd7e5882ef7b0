"""Receipts as the provider posts them, and everything that is not one."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.party_notification.channels.receipts import parse_receipts

GOOD = {
    "phone_number": "13800000001",
    "send_time": "2026-11-23 14:05:00",
    "report_time": "2026-11-23 14:05:03",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "2",
    "biz_id": "900619746936498440^0",
    "out_id": "0190f3a0",
}


def post(*entries: object) -> bytes:
    return json.dumps(list(entries)).encode()


def test_a_receipt_is_read_with_beijing_time():
    result = parse_receipts(post(GOOD))
    assert not result.faults
    (receipt,) = result.receipts
    assert receipt.number == "13800000001"
    assert receipt.sent_at == datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
    assert receipt.reported_at == datetime(2026, 11, 23, 6, 5, 3, tzinfo=UTC)
    assert (receipt.delivered, receipt.segments, receipt.out_id) == (True, 2, "0190f3a0")
    assert json.loads(receipt.raw) == GOOD


def test_only_what_is_needed_must_be_there():
    least = {name: GOOD[name] for name in ("phone_number", "report_time", "success", "biz_id")}
    (receipt,) = parse_receipts(post(least)).receipts
    assert (receipt.out_id, receipt.sent_at, receipt.segments, receipt.err_code) == (None, None, None, "")


@pytest.mark.parametrize("written", ["+8613800000001", "8613800000001", "008613800000001"])
def test_the_country_code_is_left_off(written):
    (receipt,) = parse_receipts(post({**GOOD, "phone_number": written})).receipts
    assert receipt.number == "13800000001"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"phone_number": ""}, "1.phone_number"),
        ({"phone_number": 13800000001}, "1.phone_number"),
        ({"biz_id": None}, "1.biz_id"),
        ({"report_time": "2026-13-01 00:00:00"}, "1.report_time"),
        ({"report_time": "0001-01-01 00:00:00"}, "1.report_time"),
        ({"send_time": 5}, "1.send_time"),
        ({"success": "true"}, "1.success"),
        ({"err_msg": "x" * 501}, "1.err_msg"),
        ({"out_id": "a\x00b"}, "1"),
        ({"out_id": "a\ud800"}, "1"),
        ({"extra": float("inf")}, "1"),
    ],
)
def test_a_faulty_entry_is_named_and_the_others_count(change, field):
    result = parse_receipts(post(GOOD, {**GOOD, **change}, GOOD))
    assert len(result.receipts) == 2
    assert [fault.field for fault in result.faults] == [field]


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b"\xff", b"[" * 100_000, b'[{"a":1'])
def test_anything_else_is_one_fault(raw):
    result = parse_receipts(raw)
    assert not result.receipts
    assert len(result.faults) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, "x"]), inner),
    max_leaves=12,
)


@given(st.lists(json_values | st.fixed_dictionaries(dict.fromkeys(GOOD, json_values))))
def test_no_json_makes_it_fail_and_no_entry_is_lost(entries):
    result = parse_receipts(post(*entries))
    assert len(result.receipts) + len(result.faults) == len(entries)


@given(st.binary())
def test_no_bytes_make_it_fail(raw):
    parse_receipts(raw)
