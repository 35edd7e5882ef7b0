import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.chain import BodyError, Break, BrokenAt, Entry, Head, canonical, genesis, link, verify

CHAIN = "0190c0de-0000-7000-8000-000000000001"
NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
START = genesis(CHAIN)


def chain(length: int, chain_id: str = CHAIN) -> list[Entry]:
    entries: list[Entry] = []
    head = genesis(chain_id)
    for number in range(1, length + 1):
        body = {"步骤": f"第{number}步", "number": number, "done": False}
        entries.append(link(head, NOON + timedelta(hours=number), "act", body))
        head = entries[-1].head
    return entries


def test_a_chain_holds() -> None:
    entries = chain(5)
    assert [entry.position for entry in entries] == [1, 2, 3, 4, 5]
    assert verify(entries, START) is None
    assert verify(entries, START, entries[-1].head) is None
    assert verify(entries[2:], entries[1].head, entries[-1].head) is None  # any stretch after a trusted head
    assert verify([], START) is None


def test_the_first_entry_hangs_on_the_chains_id() -> None:
    assert Head(CHAIN, 0, hashlib.sha256(CHAIN.encode()).hexdigest()) == START
    assert chain(1)[0].previous == START.digest


def test_the_digest_can_be_computed_without_this_software() -> None:
    entry = link(START, NOON, "act", {"b": "查封", "a": [1, None, True]})
    assert entry.text == '{"a":[1,null,true],"b":"查封"}'
    header = (
        '{"at":"2026-03-02T04:00:00.123456+00:00",'
        f'"body_sha256":"{hashlib.sha256(entry.text.encode()).hexdigest()}",'
        f'"chain_id":"{CHAIN}","kind":"act","position":1,"previous":"{START.digest}"}}'
    )
    assert entry.digest == hashlib.sha256(header.encode()).hexdigest()


def test_a_link_keeps_the_instant_in_utc_and_its_own_copy_of_the_body() -> None:
    body: dict[str, Any] = {"list": [1]}
    entry = link(START, NOON.astimezone(ZoneInfo("Asia/Shanghai")), "act", body)
    body["list"].append(2)
    assert entry.body == {"list": [1]}
    assert entry.at.tzinfo is UTC
    assert entry == link(START, NOON, "act", {"list": (1,)})


@pytest.mark.parametrize(
    "change",
    [
        {"at": NOON},
        {"at": NOON.replace(tzinfo=None)},
        {"kind": "note"},
        {"text": '{"done":true}'},
        {"text": '{ "done":false,"number":3,"步骤":"第3步"}'},  # the same values, other bytes
        {"text": "\ud800"},
        {"previous": "0" * 64},
        {"digest": "0" * 64},
    ],
)
def test_each_changed_field_is_found(change: Mapping[str, Any]) -> None:
    entries = chain(5)
    entries[2] = replace(entries[2], **change)
    assert verify(entries, START) == BrokenAt(3, Break.ALTERED)


def test_an_entry_of_another_chain_is_found() -> None:
    entries = chain(5)
    entries[2] = chain(3, "another")[2]
    assert verify(entries, START) == BrokenAt(3, Break.OTHER_CHAIN)
    assert verify(chain(2, "another"), START) == BrokenAt(1, Break.OTHER_CHAIN)


def test_a_forged_entry_with_a_sound_digest_is_found_by_its_follower() -> None:
    entries = chain(5)
    entries[2] = link(entries[1].head, NOON, "act", {"forged": True})
    assert verify(entries, START) == BrokenAt(4, Break.UNLINKED)


@pytest.mark.parametrize("removed", [0, 2, 3])
def test_a_removed_entry_is_found(removed: int) -> None:
    entries = chain(5)
    del entries[removed]
    assert verify(entries, START) == BrokenAt(removed + 1, Break.MISSING)


def test_swapped_entries_are_found() -> None:
    entries = chain(5)
    entries[1], entries[2] = entries[2], entries[1]
    assert verify(entries, START) == BrokenAt(2, Break.MISSING)
    renumbered = [replace(entry, position=at) for at, entry in enumerate(entries, start=1)]
    assert verify(renumbered, START) == BrokenAt(2, Break.ALTERED)


def test_a_cut_tail_is_found_by_the_head() -> None:
    entries = chain(5)
    head = entries[-1].head
    assert verify(entries[:3], START) is None
    assert verify(entries[:3], START, head) == BrokenAt(4, Break.OTHER_HEAD)
    assert verify([], START, head) == BrokenAt(1, Break.OTHER_HEAD)
    assert verify(entries, START, entries[2].head) == BrokenAt(4, Break.OTHER_HEAD)


def test_a_rewritten_tail_is_found_by_the_head() -> None:
    entries = chain(3)
    forged = [*entries[:2], link(entries[1].head, NOON, "act", {"forged": True})]
    assert verify(forged, START) is None
    assert verify(forged, START, entries[-1].head) == BrokenAt(3, Break.OTHER_HEAD)


def test_canonical_text_follows_rfc_8785() -> None:
    # Keys by UTF-16 units: the astral character (d83d…) comes before U+FB33, against its code point.
    body = {"\ufb33": 1, "\U0001f600": 2, "\u20ac": 3, "\r": 4, "1": 5, "\u0080": 6, "ö": 7}
    text = '{"\\r":4,"1":5,"\u0080":6,"ö":7,"€":3,"\U0001f600":2,"\ufb33":1}'
    assert canonical(body) == text.encode()
    assert canonical({"t": '\u20ac$\u000f\nA\'B"\\\\"/'}) == '{"t":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'.encode()


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        Decimal("1.00"),
        date(2026, 3, 2),
        b"x",
        {1: "x"},
        {"x"},
        2**53,
        -(2**53),
        "\ud800",
        [{"deep": [0.5]}],
    ],
)
def test_what_has_no_canonical_text_is_refused(value: object) -> None:
    with pytest.raises(BodyError):
        canonical({"value": value})
    with pytest.raises(BodyError):
        link(START, NOON, "act", {"value": value})


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        link(START, NOON.replace(tzinfo=None), "act", {})


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(1 - 2**53, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_canonical_text_keeps_the_values_and_forgets_the_order(body: dict[str, Any]) -> None:
    assert json.loads(canonical(body)) == body
    assert canonical(dict(reversed(body.items()))) == canonical(body)
    entry = link(START, NOON, "act", body)
    assert entry.body == body
    assert verify([entry], START, entry.head) is None
