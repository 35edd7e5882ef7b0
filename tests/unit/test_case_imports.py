"""The rules of an import: workbooks, cells that spreadsheets changed, previews, mends, limits, holds."""

import contextlib
import io
import json
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.case_intake.domain import cells, packed, places, workbook
from services.case_intake.domain.cells import ROUNDED, SCIENTIFIC, Lost
from services.case_intake.domain.filing import PartyEntry, read_case, read_party
from services.case_intake.domain.holds import Hold, NoticesState, recalls, releases
from services.case_intake.domain.limits import past_limits
from services.case_intake.domain.mending import Mend, mended, new_mends
from services.case_intake.domain.preview import Circumstances, Preview, preview
from services.case_intake.domain.rows import DIFFERS, judge
from services.case_intake.domain.sheet import SheetRow, Table, grouped
from services.case_intake.domain.template import workbook_template
from services.case_intake.domain.weighing import FIXED, MISFILED, Known, Messages, only_approved, weigh
from services.case_intake.domain.words import COLUMNS, REQUIRED
from shared.calendar.workdays import CourtCalendar
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.cases import CaseFiled, PartyAdded
from shared.contracts.envelope import decode
from shared.contracts.texts import LONGEST, TOO_LONG
from shared.errors import Conflict, Invalid
from tests.fixtures.tables import read_table
from tests.unit.test_case_domain import CASE, CHILD, COURT, FILED, PARTY, TODAY, faults_of

GOLDEN = Path(__file__).parents[1] / "contract" / "golden"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
NUMBER = CASE["case_number"]
ROW: dict[str, Any] = {**dict.fromkeys(COLUMNS, ""), **CASE, **PARTY}
OTHER = {"role": "被执行人", "name": "张静", "id_number": "511222199907060003", "email": "", "phone": "19900000006"}


def book(*rows: dict[str, Any], sheets: int = 1) -> bytes:
    made = openpyxl.Workbook()
    for at in range(sheets):
        sheet = made.active if at == 0 else made.create_sheet()
        sheet.append(list(COLUMNS.values()))
        for row in rows:
            sheet.append(list(row.values()))
    return saved(made)


def saved(made: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    made.save(content)
    return content.getvalue()


def table_of(*rows: dict[str, Any]) -> Table:
    return read_table(book(*rows), 100)


def faults(read: Table) -> list[tuple[int, str, str]]:
    found = [fault for group in grouped(read.rows, COURT) for fault in judge(group, COURT, TODAY).faults]
    return [(fault.line, fault.column, fault.reason) for fault in found]


def refused(content: bytes, most: int = 100) -> str:
    with pytest.raises(Invalid) as refusal:
        read_table(content, most)
    return refusal.value.faults[0].reason


def test_a_workbook_says_the_same_as_its_text() -> None:
    read = table_of({**ROW, "phone": "19900000005 "})
    text = read_table(read.text.encode(), 100)
    assert text.rows == read.rows
    assert faults(read) == []


def test_what_a_spreadsheet_turned_into_numbers_and_dates_is_read_as_it_was_typed() -> None:
    typed = {"phone": 19900000005, "filed_on": date(2026, 11, 23), "address_confirmed_on": 46350, "claim_amount": 5.1}
    workbook_read = table_of({**ROW, **typed, "consents": True})
    (row,) = workbook_read.rows
    read = {field: row.texts[field] for field in (*typed, "consents")}
    assert read == {
        "phone": "19900000005",
        "filed_on": "2026-11-23",
        "address_confirmed_on": "2026-11-24",
        "claim_amount": "5.1",
        "consents": "是",
    }
    assert faults(workbook_read) == []


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("id_number", 510212199101060013, ROUNDED),
        ("id_number", "5.10212E+17", SCIENTIFIC),
        ("phone", "1.99E+10", SCIENTIFIC),
        ("phone", "#N/A", Lost.FAILED.value),
    ],
)
def test_what_a_spreadsheet_spoilt_is_a_fault_with_its_name(field: str, value: object, reason: str) -> None:
    assert faults(table_of({**ROW, field: value})) == [(2, COLUMNS[field], reason)]


def test_fifteen_digits_are_kept_and_judged_as_they_stand() -> None:
    assert cells.read("id_number", 510212910106001.0) == ("510212910106001", None)
    assert cells.read("claim_amount", 624998.1399999999) == ("624998.14", None)
    assert cells.read("obligation", 46349.0) == ("46349", None)
    assert cells.read("filed_on", datetime(2026, 11, 23, 9, 30)) == ("2026-11-23", None)  # noqa: DTZ001 - a cell


def test_lines_are_those_of_the_workbook() -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.append([])
    sheet.append([*COLUMNS.values(), None, None])
    sheet.append([])
    sheet.append([*ROW.values(), " "])
    sheet.append([*ROW.values(), "多余"])
    rows = read_table(saved(made), 100).rows
    assert [(row.line, row.cells) for row in rows] == [(4, len(COLUMNS)), (5, len(COLUMNS) + 1)]


def test_a_cell_is_cut_where_it_is_refused_and_never_where_it_would_be_taken_for_less() -> None:
    """After twenty thousand signs that nobody sees there may stand what was meant: cut off, the cell were empty."""
    header = ",".join(COLUMNS.values())
    long = {**ROW, "obligation": "\u200b" * LONGEST + "支付人民币一元" * 9}
    read = read_table(f"{header}\n{','.join(map(str, long.values()))}\n".encode(), 100)
    assert len(read.rows[0].texts["obligation"]) == LONGEST + 1
    assert faults(read) == [(2, COLUMNS["obligation"], TOO_LONG)]


def far_out(cell: str) -> bytes:
    made = openpyxl.load_workbook(io.BytesIO(book(ROW)))
    made.active[cell] = "x"
    return saved(made)


def test_a_workbook_that_cannot_be_taken_says_why() -> None:
    whole = book(ROW)
    assert refused(whole[:1500]) == places.BROKEN
    assert refused(workbook.COMPOUND + b"x") == workbook.OLD_FORMAT
    assert refused(workbook.COMPOUND + b"x" + "EncryptedPackage".encode("utf-16-le")) == packed.LOCKED
    assert refused(book(ROW, sheets=2)) == workbook.SEVERAL
    assert "超过2行" in refused(book(ROW, ROW, ROW), 2)
    assert refused(far_out("XFD1048576")) == places.FAR_OUT.format(100)
    assert "只有表头" in refused(book())
    assert "空的" in refused(saved(openpyxl.Workbook()))


def test_a_workbook_that_unpacks_to_too_much_is_refused_unread() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (161 * 1024 * 1024))
    assert len(content.getvalue()) < 1_000_000
    assert refused(content.getvalue()) == places.TOO_LARGE


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_refused_or_read_and_nothing_else(data: st.DataObject) -> None:
    parts = {}
    with zipfile.ZipFile(io.BytesIO(book(ROW))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = data.draw(st.sampled_from(sorted(parts)))
    at = data.draw(st.integers(0, len(parts[name])))
    parts[name] = parts[name][:at] + data.draw(st.binary(max_size=8)) + parts[name][at + data.draw(st.integers(0, 9)) :]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for part, written in parts.items():
            packed.writestr(part, written)
    with contextlib.suppress(Invalid):
        assert read_table(content.getvalue(), 100).rows


def test_the_template_keeps_long_numbers_as_text_and_takes_rows() -> None:
    made = openpyxl.load_workbook(io.BytesIO(workbook_template()))
    sheet = made.active
    assert [cell.value for cell in sheet[1]] == list(COLUMNS.values())
    assert {sheet[f"{letter}1"].number_format for letter in ("A", "J", "T")} == {"@"}
    sheet.append(list(ROW.values()))
    assert faults(read_table(saved(made), 100)) == []


def a_row(line: int = 2, **changes: str) -> SheetRow:
    return SheetRow(line=line, texts={**ROW, **changes}, cells=len(COLUMNS), columns=len(COLUMNS))


def test_a_cell_is_mended_and_what_was_left_alone_is_not() -> None:
    rows = [
        a_row(phone="1"),
        a_row(3, id_number="510212199101060000").model_copy(update={"spoilt": {"id_number": ROUNDED}}),
    ]
    typed = {
        "cell.2.phone": " 19900000005 ",
        "cell.2.name": "刘艳",
        "cell.3.id_number": "",
        "cell.9.phone": "1",
        "x": "1",
    }
    assert new_mends(rows, typed) == [Mend(line=2, field="phone", text="19900000005")]
    same = Mend(line=3, field="id_number", text="510212199101060000")
    assert new_mends(rows, {"cell.3.id_number": same.text}) == [same]
    after = mended(rows, [Mend(line=2, field="phone", text="19900000005"), same])
    assert (after[0].texts["phone"], after[1].spoilt) == ("19900000005", {})
    assert rows[0].texts["phone"] == "1"


def seen(*rows: SheetRow, known: Known | None = None, silent: bool = False) -> Preview:
    judged = [(group, judge(group, COURT, TODAY)) for group in grouped(rows, COURT)]
    now = Circumstances(date(2026, 11, 23), CourtCalendar(), silent)
    return preview(judged, {NUMBER: known} if known else {}, now)[0]


def party(**changes: str) -> PartyEntry:
    entry, found = read_party({**PARTY, **changes}, FILED, TODAY)
    assert found == []
    return entry


def on_file(*parties: PartyEntry, **facts: Any) -> Known:
    case, _ = read_case({**CASE, **facts.pop("case", {})}, COURT, TODAY)
    return Known(case, parties, **facts)


def test_a_preview_counts_cases_parties_and_messages_by_channel() -> None:
    found = seen(a_row(), a_row(3, **OTHER), a_row(4, case_number="（2026）渝05执5002号"), a_row(5, phone="1"))
    assert (found.rows, found.filed, found.refused, found.parties) == (4, 2, 0, 3)
    assert found.messages == Messages(sms=2, mail=1, paper=1)
    assert [(fault.line, fault.column, fault.case_number) for fault in found.faults] == [(5, "手机号码", NUMBER)]
    assert seen(a_row(), a_row(3, **OTHER), silent=True).messages == Messages()


def test_a_minor_is_prompted_through_the_guardian() -> None:
    child = {**CHILD, "guardian_name": "何建", "guardian_phone": "19900000001", "phone": "", "email": ""}
    assert seen(a_row(), a_row(3, **child)).messages == Messages(sms=2, mail=1, paper=1)


def test_completing_a_case_tells_everybody_and_joining_one_the_newcomer_alone() -> None:
    assert seen(a_row(), a_row(3, **OTHER), known=on_file(party())).messages == Messages(2, 1, 1)
    third = party(**{**OTHER, "id_number": "50010319881216000x"})
    assert seen(a_row(), a_row(3, **OTHER), known=on_file(party(), third)).messages == Messages(1, 0, 1)
    assert seen(a_row(), a_row(3, **OTHER), known=on_file(party(), silent=True)).messages == Messages(1, 0, 1)
    assert seen(a_row(), known=on_file(party())).messages == Messages()


def test_a_corrected_file_shows_its_differences_and_only_the_approved_are_made() -> None:
    known = on_file(party(phone="19900000099"), party(**OTHER), case={"cause": "借款"})
    judged = judge(grouped([a_row()], COURT)[0], COURT, TODAY)
    weighed = weigh(judged, known)
    assert weighed.outcome == "corrected"
    shown = [(change.about, change.field, change.old, change.new) for change in weighed.changes]
    assert shown == [("", "cause", "借款", "买卖合同纠纷"), ("刘艳", "phone", "19900000099", "19900000005")]
    some = only_approved(weighed, weighed.changes[:1])
    assert (some.outcome, some.changes) == ("corrected", weighed.changes[:1])
    assert [(fault.column, fault.reason) for fault in some.faults] == [("手机号码", DIFFERS)]
    assert only_approved(weighed, ()).outcome == "unchanged"
    assert weigh(judged, on_file(party(), party(**OTHER))).outcome == "unchanged"


def test_the_day_of_filing_and_a_misfiled_party_stay_as_they_are() -> None:
    known = on_file(party(), misfiled=frozenset({party(**OTHER).same_as}), case={"filed_on": "2026-11-20"})
    found = seen(a_row(), a_row(3, **OTHER), known=known)
    assert (found.unchanged, found.parties, found.changes) == (1, 0, [])
    assert [(fault.line, fault.reason) for fault in found.faults] == [(2, FIXED), (3, MISFILED)]


def test_another_id_number_shows_whom_the_file_leaves_out() -> None:
    found = seen(
        a_row(), a_row(3, **OTHER), known=on_file(party(), party(**{**OTHER, "id_number": "50010319881216000X"}))
    )
    assert [(absent.case_number, absent.name) for absent in found.absent] == [(NUMBER, "张静")]
    assert found.completed == 1


def test_limits_are_past_from_the_day_after_their_last() -> None:
    calendar, filed = CourtCalendar(), date(2026, 6, 1)

    def rules(today: date, received: date | None = None, **more: str) -> list[str]:
        texts = {**CASE, "filed_on": filed.isoformat(), "received_on": received.isoformat() if received else ""}
        return [limit.rule[:3] for limit in past_limits(read_case({**texts, **more}, COURT, TODAY)[0], today, calendar)]

    assert rules(date(2026, 6, 8)) == []
    assert rules(date(2026, 6, 9)) == ["立案后"]
    assert rules(date(2026, 6, 9), date(2026, 5, 20)) == ["立案后", "收到申"]
    assert rules(date(2026, 9, 1)) == ["立案后"], "nobody said when the application came in"
    assert rules(date(2026, 9, 2)) == ["立案后", "3个月"]
    assert rules(date(2026, 12, 2), filed) == ["立案后", "收到申", "3个月", "6个月"]
    assert rules(date(2026, 9, 2), non_litigation="是") == ["立案后", "3个月", "3个月"]
    assert rules(date(2026, 6, 9), filed, case_number="（2026）渝05执保1号") == ["5日内"]
    assert rules(date(2026, 12, 2), case_number="（2026）渝05执保1号") == []
    assert rules(date(2026, 12, 2), case_number="（2026）渝05执异1号") == []
    assert rules(date(2026, 12, 2), filed, case_number="（2026）渝05执异1号") == ["自收到"]
    late = seen(a_row(filed_on="2026-08-21")).late
    assert [(case.case_number, len(case.limits)) for case in late] == [(NUMBER, 1)]


def test_a_provisional_day_is_not_past() -> None:
    case = read_case({**CASE, "filed_on": "2026-12-28"}, COURT, TODAY)[0]
    assert past_limits(case, date(2027, 6, 1), CourtCalendar()) == []


def test_a_cause_that_sounds_like_non_litigation_is_asked_about_and_never_decides() -> None:
    asked = seen(a_row(cause="非诉行政执行"), a_row(3, **OTHER, cause="非诉行政执行"))
    assert [(ask.case_number, ask.cause) for ask in asked.asks] == [(NUMBER, "非诉行政执行")]
    assert asked.without_receipt == 1
    assert asked.uncounted == (DeadlineKind.EXECUTION_NOTICE_OUTER, DeadlineKind.UPPER_COURT)
    kept = seen(a_row(case_number="（2026）渝05执保1号", received_on=""))
    assert kept.uncounted == (DeadlineKind.PRESERVATION_BEGIN,)
    for said in ("是", "否"):
        assert seen(a_row(cause="非诉行政执行", non_litigation=said, received_on="2026-05-20")).asks == []


def test_a_side_that_is_owed_nothing_in_its_kind_of_case_is_not_told() -> None:
    number = "（2026）渝05执保1号"
    found = seen(a_row(case_number=number), a_row(3, **OTHER, case_number=number))
    assert found.messages == Messages(sms=1, mail=1, paper=0), "the applicant alone: nobody is tipped off"
    number = "（2026）渝05执协1号"
    assert seen(a_row(case_number=number), a_row(3, **OTHER, case_number=number)).messages == Messages()


def test_columns_that_may_be_left_out() -> None:
    header = ",".join(COLUMNS[field] for field in REQUIRED)
    line = ",".join(str(ROW[field]) for field in REQUIRED)
    (group,) = grouped(read_table(f"{header}\n{line}\n".encode(), 10).rows, COURT)
    assert judge(group, COURT, TODAY).faults == []
    with_one = f"{header},收到申请日期\n{line},2026-05-20\n"
    (group,) = grouped(read_table(with_one.encode(), 10).rows, COURT)
    assert judge(group, COURT, TODAY).good[0].case.received_on == date(2026, 5, 20)


def test_a_hold_ends_after_its_minutes_unless_it_was_decided() -> None:
    minutes = timedelta(minutes=10)
    held = Hold(10, NOON, None, None)
    assert held.state(NOON + minutes - timedelta(seconds=1)) is NoticesState.HELD
    assert held.state(NOON + minutes) is NoticesState.OVER
    assert Hold(10, None, None, None).state(NOON + minutes) is NoticesState.HELD
    assert Hold(0, NOON, None, None).state(NOON) is NoticesState.AT_ONCE
    assert Hold(10, NOON, NOON, None).state(NOON + minutes) is NoticesState.RECALLED
    assert Hold(10, NOON, NOON, NOON).state(NOON) is NoticesState.RELEASED
    assert (held.until(NOON), Hold(10, None, None, NOON).until(NOON), Hold(0, None, None, None).until(NOON)) == (
        NOON + minutes,
        None,
        None,
    )


def test_what_a_clerk_can_still_decide() -> None:
    assert {state: _tried(recalls, state) for state in NoticesState} == {
        NoticesState.AT_ONCE: None,
        NoticesState.HELD: True,
        NoticesState.OVER: None,
        NoticesState.RECALLED: False,
        NoticesState.RELEASED: None,
    }
    assert {state: _tried(releases, state) for state in NoticesState} == {
        NoticesState.AT_ONCE: None,
        NoticesState.HELD: True,
        NoticesState.OVER: None,
        NoticesState.RECALLED: True,
        NoticesState.RELEASED: False,
    }


def _tried(decide: Any, state: NoticesState) -> bool | None:
    try:
        return bool(decide(state))
    except Conflict:
        return None


@pytest.mark.parametrize("name", ["case.filed.v1", "case.party_added.v1"])
def test_an_event_from_before_holds_is_read_as_not_held(name: str) -> None:
    sample = json.loads((GOLDEN / f"{name}.json").read_text())
    del sample["data"]["hold_until"]
    _, event = decode(json.dumps(sample).encode())
    assert isinstance(event, CaseFiled | PartyAdded)
    assert event.hold_until is None


def test_a_minors_contact_is_the_guardians() -> None:
    assert party().contact_phone == PARTY["phone"]
    assert faults_of({**CHILD, "guardian_name": "何建", "guardian_phone": "19900000001"}) == []
    child = party(**{**CHILD, "guardian_name": "何建", "guardian_phone": "19900000001"})
    assert child.contact_phone == "19900000001"
