"""The one rule for texts, whichever way they come in."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from services.case_intake.domain import search
from services.case_intake.domain.texts import FaultyTextError, Reader, amount, email, line, mobile, prose, words
from services.party_notification.channels.addresses import on_the_wire
from services.party_notification.channels.mail import is_sendable
from shared.contracts.gb18030 import STANDARD
from shared.contracts.landline import is_landline, written
from shared.contracts.texts import UNKNOWN_CHARACTER, UnknownCharacterError, cleaned, length
from shared.http.forms import understood
from shared.http.inputs import Input, Line, Prose

UNSEEN = ["\u200b", "\u200d", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad", "\u3164", "\uffa0", "\u115f", "\u2800"]
UNSEEN += ["\u180e", "\u2060", "\U000e0041", "\U000e007f", "\u061c"]


class Note(Input):
    title: Line
    text: Prose | None = None
    tags: tuple[Line, ...] = ()


@pytest.mark.parametrize("sign", UNSEEN)
def test_what_nobody_sees_is_dropped_whichever_way_a_text_comes_in(sign: str) -> None:
    reader = Reader({"name": f"{sign}王{sign}芳{sign}"})
    assert reader.must("name", line, "") == "王芳"
    assert Note(title=f"{sign}王{sign}芳", tags=(f"甲{sign}",)) == Note(title="王芳", tags=("甲",))
    assert understood(Note, {"title": "甲", "text": sign}).text is None
    with pytest.raises(ValidationError):
        Note(title=f" {sign} ")
    assert Reader({"name": sign}).may("name", line) is None


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\x7f", "\x84"])
def test_control_characters_are_refused_whichever_way_a_text_comes_in(sign: str) -> None:
    with pytest.raises(ValidationError):
        Note(title="甲", text=f"甲{sign}乙")
    with pytest.raises(FaultyTextError):
        prose(cleaned(f"甲{sign}乙"))


def test_variation_selectors_stay_with_their_character_alone() -> None:
    assert cleaned("葛\U000e0100城 ⚖\ufe0f") == "葛\U000e0100城 ⚖\ufe0f"
    assert cleaned("\ufe0f\U000e0100") == ""


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\v", "\f", "\u2028", "\x85"])
def test_an_end_of_line_of_any_kind_counts_once_as_a_browser_counts_it(end: str) -> None:
    text = "甲" * 2499 + end + "乙" * 2500
    assert Note(title="甲", text=text).text == "甲" * 2499 + "\n" + "乙" * 2500
    assert prose(cleaned(text)) == Note(title="甲", text=text).text
    with pytest.raises(ValidationError, match="5000"):
        Note(title="甲", text=text + "丙")
    with pytest.raises(ValidationError):
        Note(title=f"甲{end}乙")


def test_a_rare_character_counts_twice_as_a_browser_counts_it() -> None:
    assert length("𠮷䶮") == 3
    assert Note(title="𠮷" * 100).title == "𠮷" * 100
    with pytest.raises(ValidationError):
        Note(title="𠮷" * 101)


def test_private_use_characters_become_what_the_standard_says_or_are_a_fault() -> None:
    assert cleaned("\ue863\ue81e\ue816") == "䶮\u9fb4\U00020087"
    assert len(STANDARD) == 3 + 10 + 13 + 80
    for sign in ("\ue000", "\uf8ff", "\U000f0000", "\U0010fffd"):
        with pytest.raises(UnknownCharacterError):
            cleaned(f"王{sign}")
        reader = Reader({"name": f"王{sign}"})
        reader.must("name", line, "")
        assert [(fault.field, fault.reason) for fault in reader.faults] == [("name", UNKNOWN_CHARACTER)]
        with pytest.raises(ValidationError, match="自造字"):
            Note(title=sign)


def test_the_table_of_private_use_characters_agrees_with_the_codec() -> None:
    """Python's codec knows two thirds of the block by the standard; of the others it still gives the old code point."""
    known = 0
    for at in range(80):
        code = 0xFE50 + at + (at >= 0x2F)
        sign = code.to_bytes(2).decode("gb18030")
        if not "\ue000" <= sign <= "\uf8ff":
            known += 1
            assert STANDARD[0xE815 + at] == sign
        else:
            assert ord(sign) == 0xE815 + at
    assert known == 66


@settings(deadline=None)
@given(st.text())
def test_cleaning_is_done_once(text: str) -> None:
    try:
        once = cleaned(text)
    except UnknownCharacterError:
        return
    assert cleaned(once) == once


@pytest.mark.parametrize(
    "typed",
    ["\u202d139 0000 0001\u202c", "139\u20110000\u20130001", "+86 139−0000−0001", "0086１３９００００\u200b０００１"],
)
def test_marks_hyphens_and_spaces_never_refuse_a_telephone(typed: str) -> None:
    assert mobile(cleaned(typed)) == "13900000001"


def test_a_landline_is_written_as_a_machine_writes_it() -> None:
    assert written("\u200e023\u20116767 0001\u200f") == "023-67670001"
    assert is_landline(written("０２３－67670001"))


@pytest.mark.parametrize("typed", ["624998,14", "1,23,456", "1,2345", "12,345,67.80", "1234,567", ",123", "624998，14"])
def test_a_comma_stands_between_groups_of_three_or_is_a_fault(typed: str) -> None:
    with pytest.raises(FaultyTextError):
        amount(typed)


def test_groups_of_three_are_an_amount() -> None:
    assert [str(amount(text)) for text in ("1,234,567.80", "１，２３４", "999", "12,345")] == [
        "1234567.80",
        "1234.00",
        "999.00",
        "12345.00",
    ]


@pytest.mark.parametrize("text", ["0", "0.00", "２０２６", "0；", "-", "12,345", "…"])
def test_a_bare_number_says_nothing(text: str) -> None:
    with pytest.raises(FaultyTextError):
        words(line)(text)
    assert words(line)("7-11便利店") == "7-11便利店"


@pytest.mark.parametrize(
    "address",
    ["张三@example.com", "a" * 65 + "@example.com", "a..b@example.com", '"a b"@example.com', "a@b@example.com"],
)
def test_an_address_that_our_sender_refuses_is_refused_when_it_comes_in(address: str) -> None:
    with pytest.raises(FaultyTextError):
        email(address)


@settings(deadline=None)
@given(
    st.text(string.ascii_letters + string.digits + "._+-'!#$%&*/=?^`{|}~<>()\" 张\u00e9", min_size=1, max_size=70),
    st.sampled_from(["example.com", "法院.中国", "xn--fiqs8s.cn", "müller.de", "sub.example.org"]),
)
def test_whatever_is_taken_can_be_sent(local: str, domain: str) -> None:
    try:
        taken = email(f"{local}@{domain}")
    except FaultyTextError:
        return
    assert is_sendable(on_the_wire(taken))


def test_a_domain_in_chinese_is_kept_as_written_and_sent_as_xn() -> None:
    assert email("u1@法院.中国") == "u1@法院.中国"
    assert on_the_wire("u1@法院.中国") == "u1@xn--49sxa437k.xn--fiqs8s" or on_the_wire("u1@法院.中国").startswith(
        "u1@xn--"
    )


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("张\u3164静\ufeff", "张静"),
        ("张\u200b静", "张静"),
        ("张静\ue000", "张静\ue000"),
        ("\ufe0f", ""),
    ],
)
def test_a_search_follows_the_rule_by_which_names_are_filed(typed: str, name: str) -> None:
    assert search.read(typed).name == name


def test_a_search_finds_what_an_older_system_wrote_with_its_own_signs() -> None:
    old, new = next((chr(code), sign) for code, sign in STANDARD.items())
    assert search.read(f"张{old}").name == search.read(f"张{new}").name
