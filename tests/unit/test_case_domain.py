"""The rules of filing: numbers, identifiers, minors, whole bodies, tables."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.case_intake.domain import identifiers, texts
from services.case_intake.domain.assignment import fewest_open_cases
from services.case_intake.domain.filing import MAX_PARTIES, case_texts, party_texts, read_case, read_filing, read_party
from services.case_intake.domain.numbers import CaseNumber
from services.case_intake.domain.rows import REPEATED, judge
from services.case_intake.domain.sheet import RowGroup, SheetRow, grouped
from services.case_intake.domain.texts import FaultyTextError
from services.case_intake.domain.words import COLUMNS
from shared.contracts.cases import CaseFacts, CaseFiled, PartyFacts
from shared.contracts.envelope import Envelope, Sealed, encode
from shared.contracts.texts import LONGEST, TooLongTextError, cleaned
from shared.crypto.keyring import KeyRing
from shared.db.transaction import MAX_EVENT_BYTES
from shared.errors import Invalid
from tests.fixtures.tables import read_table

COURT = "渝05"
FILED = date(2026, 11, 23)
TODAY = date(2026, 12, 31)
CASE = {
    "case_number": "（2026）渝05执5001号",
    "filed_on": "2026-11-23",
    "basis_document": "（2025）渝05民终1号",
    "basis_maker": "重庆市第五中级人民法院",
    "cause": "买卖合同纠纷",
    "claim_amount": "624998.1",
    "obligation": "支付人民币624998.10元",
}
PARTY = {
    "role": "申请执行人",
    "name": "刘艳",
    "id_kind": "居民身份证",
    "id_number": "510212199101060000",
    "phone": "19900000005",
    "email": "u1@example.com",
    "consents": "是",
    "address_confirmed_on": "2026-11-01",
}
CHILD = {**PARTY, "id_number": "50010820150601000X", "role": "被执行人"}


def faults_of(party: dict[str, str]) -> list[str]:
    return [fault.field for fault in read_party(party, FILED, TODAY)[1]]


@pytest.mark.parametrize("kind", ["执", "执恢", "执异", "执复", "执保", "执监", "执协", "执他"])
def test_a_case_number_tells_year_type_and_serial(kind: str) -> None:
    number = CaseNumber.parse(f"（2026）渝05{kind}5001号", COURT)
    assert (number.year, number.kind, number.serial, number.counted) == (2026, kind, 5001, True)


@pytest.mark.parametrize("text", ["(2009)渝五中法执字第12号", "（2009）渝五中法执字第12号"])
def test_the_older_form_is_taken_and_counts_in_no_series(text: str) -> None:
    number = CaseNumber.parse(text, COURT)
    assert (number.text, number.year, number.counted) == ("(2009)渝五中法执字第12号", 2009, False)


@pytest.mark.parametrize(
    "text",
    [
        "(2026)渝05执5001号",
        "（2026）渝05执",
        "（2026）渝06执1号",
        "（2026）渝05终1号",
        "（2026）渝05执０１号",
        "（2026）渝05执01号",
        "（1999）渝05执1号",
        "x（2026）渝05执1号",
        "（2026）渝05执1号\n",
    ],
)
def test_what_is_no_case_number_is_refused(text: str) -> None:
    with pytest.raises(FaultyTextError, match="案号"):
        CaseNumber.parse(text, COURT)


def test_resident_ids_with_old_area_codes_are_right() -> None:
    assert identifiers.resident_id("511222199907060003") == "511222199907060003"
    assert identifiers.resident_id(" 50010319881216000x ") == "50010319881216000X"


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.integers(0, 999), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(born: date, serial: int, at: int, by: int) -> None:
    body = f"500103{born:%Y%m%d}{serial:03}"
    number = (
        body
        + identifiers._CHECK_DIGITS[
            sum(weight * int(digit) for weight, digit in zip(identifiers._WEIGHTS, body, strict=True)) % 11
        ]
    )
    assert identifiers.resident_id(number) == number
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    with pytest.raises(FaultyTextError):
        identifiers.resident_id(wrong)


@pytest.mark.parametrize("number", ["500103199002300000", "50010319900230000X", "12345", "", "5001031990023000０0"])
def test_a_resident_id_needs_its_form_and_a_real_date(number: str) -> None:
    with pytest.raises(FaultyTextError):
        identifiers.resident_id(number)


def test_the_eighteenth_birthday_ends_minority() -> None:
    number = "500108200811240000"
    assert identifiers.is_minor(number, date(2026, 11, 23))
    assert not identifiers.is_minor(number, date(2026, 11, 24))


def test_a_minor_needs_a_guardian_with_name_and_mobile() -> None:
    assert faults_of(CHILD) == ["guardian_name"]
    assert faults_of({**CHILD, "guardian_name": "何建"}) == ["guardian_phone"]
    assert faults_of({**CHILD, "guardian_name": "何建", "guardian_phone": "110"}) == ["guardian_phone"]
    entry, faults = read_party({**CHILD, "guardian_name": "何建", "guardian_phone": "19900000001"}, FILED, TODAY)
    assert entry.minor
    assert faults == []


@pytest.mark.parametrize("text", ["2026-11-23", "2026/11/23", "2026年11月23日", "2026.11.23", "２０２６-11-23"])
def test_days_are_read_as_they_are_exported(text: str) -> None:
    assert texts.day(text) == FILED


@pytest.mark.parametrize("text", ["2026-02-30", "20261123", "2026-13-01", "9999-01-01", "1066-10-14", "23.11.2026"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(FaultyTextError):
        texts.day(text)


@pytest.mark.parametrize("text", ["-5.00", "1.234", "1e5", "nan", "100000000000000", "五元"])
def test_amounts_are_plain_and_not_negative(text: str) -> None:
    with pytest.raises(FaultyTextError):
        texts.amount(text)


def test_amounts_have_two_places() -> None:
    assert texts.amount("1,234,567.5") == Decimal("1234567.50")
    assert str(texts.amount("0")) == "0.00"


@pytest.mark.parametrize("text", ["12345", "29900000005", "1990000000", "199000000055"])
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    with pytest.raises(FaultyTextError):
        texts.mobile(text)


def test_mobile_numbers_are_brought_to_one_form() -> None:
    assert texts.mobile("+86 199-0000-0005") == "19900000005"


def test_every_fault_of_a_body_is_told_at_once() -> None:
    parties = [{**PARTY, "phone": "1", "email": "x"}, {"role": "路人"}, {**PARTY}]
    with pytest.raises(Invalid) as refusal:
        read_filing({**CASE, "filed_on": "2026-02-30", "claim_amount": "-1", "cause": " "}, parties, COURT, TODAY)
    assert {fault.field for fault in refusal.value.faults} == {
        "filed_on",
        "claim_amount",
        "cause",
        "parties.0.phone",
        "parties.0.email",
        "parties.1.role",
        "parties.1.name",
        "parties.1.id_kind",
        "parties.1.id_number",
        "parties.1.consents",
        "parties.2.id_number",
    }


def test_a_number_of_unknown_kind_is_judged_by_nobody() -> None:
    assert faults_of({**PARTY, "id_kind": "护照", "id_number": "十八个字不是数字的证件号码写在这里了吧"}) == ["id_kind"]


@pytest.mark.parametrize("field", ["name", "postal_address", "agent_name"])
def test_lines_hold_no_control_characters_and_an_end(field: str) -> None:
    assert faults_of({**PARTY, field: "甲\x00乙"}) == [field]
    assert faults_of({**PARTY, field: "甲\u202e乙"}) == []
    assert faults_of({**PARTY, field: "甲" * 201}) == [field]


def test_of_a_cell_no_more_comes_out_than_refuses_it() -> None:
    content = f"{HEADER}\n{LINE.replace(CASE['cause'], '字' * 100_000)}\n".encode()
    (row,) = read_table(content, 100).rows
    assert len(row.texts["cause"]) == LONGEST + 1
    with pytest.raises(TooLongTextError):
        cleaned(row.texts["cause"])


def test_entries_become_texts_and_entries_again() -> None:
    case, _ = read_case(CASE, COURT, TODAY)
    party, _ = read_party(PARTY, FILED, TODAY)
    assert read_case(case_texts(case), COURT, TODAY) == (case, [])
    assert read_party(party_texts(party), FILED, TODAY) == (party, [])


def test_receipt_does_not_follow_filing() -> None:
    assert [fault.field for fault in read_case({**CASE, "received_on": "2026-11-24"}, COURT, TODAY)[1]] == [
        "received_on"
    ]
    assert read_case({**CASE, "received_on": "2026-11-23"}, COURT, TODAY)[1] == []


def test_the_judge_with_the_fewest_open_cases_is_next_and_ties_go_by_id() -> None:
    first, second, third = (UUID(int=number) for number in (1, 2, 3))
    assert fewest_open_cases([third, second, first], {first: 1, second: 1, third: 1}) == first
    assert fewest_open_cases([first, second, third], {first: 2, second: 1}) == third


def test_what_belongs_to_an_enforcement_case_names_it() -> None:
    def faults(number: str, main: str) -> list[str]:
        return [fault.field for fault in read_case({**CASE, "case_number": number, "main_case": main}, COURT, TODAY)[1]]

    objection, enforcement = "（2026）渝05执异1号", "（2026）渝05执5001号"
    assert faults(objection, enforcement) == []
    assert faults(objection, "（2025）渝0105执77号") == [], "the case of a lower court"
    assert faults("（2026）渝05执恢1号", "(2025)渝05执7号") == []
    assert faults(enforcement, "（2026）渝05执5002号") == ["main_case"], "an enforcement belongs to none"
    assert faults(objection, "（2026）渝05执保2号") == [], "of a preservation one can complain before any suit"
    assert faults(objection, "（2026）渝05执异2号") == ["main_case"]
    assert faults(objection, "（2026）渝05民初2号") == ["main_case"]
    assert faults("（2026）渝05执恢1号", "（2026）渝05执保2号") == ["main_case"], "only an enforcement is resumed"
    for old in ("（2009）渝五中执字第100-1号", "（2009）渝五中执字第100号之一", "(2009)渝五中法执字第100号"):
        assert faults("（2026）渝05执恢1号", old) == []
    assert faults(objection, "执行案") == ["main_case"]
    assert faults("（2026）渝05执恢1号", "（2026）渝05执恢1号") == ["main_case"]


def row(line: int, **changes: str) -> SheetRow:
    return SheetRow(
        line=line,
        texts={**dict.fromkeys(COLUMNS, ""), **CASE, **PARTY, **changes},
        cells=len(COLUMNS),
        columns=len(COLUMNS),
    )


def test_the_case_is_told_by_its_first_good_row_and_a_repeated_party_is_reported() -> None:
    rows = [
        row(2, claim_amount="-5"),
        row(3, claim_amount="5", role="被执行人"),
        row(4, claim_amount="6"),
        row(5, claim_amount="5", phone="19900000009"),
    ]
    judged = judge(RowGroup(case_number=CASE["case_number"], rows=rows), COURT, TODAY)
    assert [good.line for good in judged.good] == [3, 4]
    assert judged.good[0].case.claim_amount == Decimal("5.00")
    assert [(fault.line, fault.column) for fault in judged.faults] == [
        (2, "执行标的金额"),
        (5, ""),
        (4, "执行标的金额"),
    ]
    assert judged.faults[1].reason == REPEATED


HEADER = ",".join(COLUMNS.values())
LINE = ",".join({**dict.fromkeys(COLUMNS, ""), **CASE, **PARTY}.values())


def refused(content: bytes, most: int = 100) -> str:
    with pytest.raises(Invalid) as refusal:
        read_table(content, most)
    (fault,) = refusal.value.faults
    assert fault.field == "file"
    return fault.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_in_each_encoding(encoding: str, end: str) -> None:
    table = read_table(f"{HEADER}{end}{LINE}{end}".encode(encoding), 100)
    (group,) = grouped(table.rows, COURT)
    assert (len(group.rows), group.case_number) == (1, CASE["case_number"])
    assert group.rows[0].texts["name"] == "刘艳"


def test_lines_are_counted_as_they_stand_in_the_file() -> None:
    broken = LINE.replace(CASE["obligation"], '"分两\r\n次，""支付"""')
    content = "\r\n".join([HEADER, broken, "", LINE, "," * (len(COLUMNS) - 1), LINE, ""])
    rows = read_table(content.encode(), 100).rows
    assert [(row.line, row.cells) for row in rows] == [(2, len(COLUMNS)), (5, len(COLUMNS)), (7, len(COLUMNS))]
    assert rows[0].texts["obligation"] == '分两\r\n次，"支付"'


def test_a_row_with_too_few_cells_is_left_out_alone() -> None:
    short = LINE.rsplit(",", 1)[0]
    (group,) = grouped(read_table(f"{HEADER}\n{short}\n{LINE}\n".encode(), 100).rows, COURT)
    judged = judge(group, COURT, TODAY)
    assert [good.line for good in judged.good] == [3]
    assert [(fault.line, fault.column) for fault in judged.faults] == [(2, "")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (b"\xef\xbb\xbf", "空的"),
        (b" \r\n\n", "空的"),
        (HEADER.encode(), "只有表头"),
        (HEADER.replace("案由,", "").encode(), "缺少列：案由"),
        (HEADER.replace("案由", "案件").encode(), "不认识的列：案件"),
        (f"{HEADER},案由".encode(), "重复的列：案由"),
        (f",{HEADER}\n多余,{LINE}\n".encode(), "（空白）"),
        (f'{HEADER}\n"{LINE}\n'.encode(), "第2行"),
        (f"{HEADER}\n{LINE}\n{LINE}\n{LINE}\n".encode(), "超过2行"),
        (b"PK\x03\x04xlsx", "损坏"),
        (HEADER.encode("utf-16"), "编码"),
        (HEADER.encode() + b"\xff\xff\xff", "编码"),
        (bytes(range(128, 256)), "编码"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_with_what_to_do(content: bytes, words: str) -> None:
    assert words in refused(content, 2)


@given(st.binary(max_size=400))
def test_whatever_bytes_come_the_answer_is_a_refusal(content: bytes) -> None:
    refused(content)


def test_the_largest_filing_fits_into_one_event() -> None:
    ring, long, case_id = KeyRing.generate(), "汉" * 200, uuid4()
    given = dict.fromkeys(("name", "postal_address", "guardian_name", "agent_name"), long)
    given |= dict.fromkeys(("guardian_phone", "agent_phone"), PARTY["phone"])
    given["email"] = "u" * 64 + "@" + ".".join(["e" * 60] * 3) + ".com"
    party, faults = read_party({**PARTY, **given}, FILED, TODAY)
    case, more = read_case({**CASE, "obligation": "汉" * 5000, "cause": long, "basis_maker": long}, COURT, TODAY)
    assert (faults, more) == ([], [])
    facts = PartyFacts(
        party_id=uuid4(),
        role=party.role,
        consents=party.consents,
        address_confirmed_on=FILED,
        identity=Sealed(ring.seal_model(party.identity, "x")),
    )
    unsaid = dict.fromkeys(("non_litigation", "urgent", "report_ordered"), False)
    texts_of_case = {**vars(case), **unsaid, "case_number": CASE["case_number"], "basis_document": long}
    about = CaseFacts.model_validate({**texts_of_case, "obligation": ring.seal(case.obligation or "", "x")})
    event = CaseFiled(case_id=case_id, facts=about, parties=(facts,) * MAX_PARTIES)
    envelope = Envelope(
        id=case_id,
        source="/case_intake",
        type=event.type,
        subject=event.key,
        time=datetime(2026, 11, 23, tzinfo=UTC),
        sequence=1,
        court=COURT,
        data=event.model_dump(mode="json"),
    )
    assert len(encode(envelope)) <= MAX_EVENT_BYTES
