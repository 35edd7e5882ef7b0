"""What the rows of one case come to: the good ones, and a fault for each reason why another is left out."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.case_intake.domain.filing import (
    CASE_FIELDS,
    MAX_PARTIES,
    CaseEntry,
    PartyEntry,
    case_texts,
    party_texts,
    read_case,
    read_party,
)
from services.case_intake.domain.sheet import RowGroup, SheetRow
from services.case_intake.domain.words import COLUMNS
from shared.contracts.cases import PartyRole

DIFFERS = "与已登记的内容不同，未改动。如确需更正，请在案件页面修改。"
FAR_NUMBER = (
    "案号的序号远大于已登记的序号，请核对是否多写了数字；未确认前本行不立案。确认无误的，立案后不影响自动编号。"
)
HIDDEN = "本行在表格中是隐藏的（例如被筛选掉），未办理。需要办理的，请在表格中取消隐藏后重新上传。"
REPEATED = "同一当事人重复，未作改动"


@dataclass(frozen=True)
class RowFault:
    """A line of the file, the column (empty: the whole row), and in Chinese what is wrong and what to do.

    `note`: nothing has to be done.
    """

    line: int
    column: str
    reason: str
    case_number: str | None = None
    note: bool = False


@dataclass(frozen=True)
class GoodRow:
    """A row that can be filed."""

    line: int
    case: CaseEntry
    party: PartyEntry


@dataclass(frozen=True)
class Judged:
    """The rows of one case after all checks; the case's own columns are those of the first good row."""

    good: list[GoodRow]
    faults: list[RowFault]


def judge(group: RowGroup, court: str, today: date) -> Judged:
    """Check every row of a case; what repeats a party, or exceeds the number of parties, is left out."""
    good: list[GoodRow] = []
    faults: list[RowFault] = []
    seen: set[tuple[PartyRole, str]] = set()
    for row in group.rows:
        read = [RowFault(row.line, "", HIDDEN)] if row.hidden else _read(row, court, today)
        if isinstance(read, list):
            faults += read
        elif read.party.same_as in seen:
            faults.append(RowFault(row.line, "", REPEATED, note=True))
        elif len(good) == MAX_PARTIES:
            faults.append(RowFault(row.line, "", f"一个案件最多导入{MAX_PARTIES}名当事人，请在案件页面逐名添加。"))
        else:
            seen.add(read.party.same_as)
            good.append(read)
    if group.far:
        return Judged([], [*faults, *(RowFault(row.line, COLUMNS["case_number"], FAR_NUMBER) for row in good)])
    return Judged(good, [*faults, *_inconsistent(good)])


def _read(row: SheetRow, court: str, today: date) -> GoodRow | list[RowFault]:
    if row.cells != row.columns:
        reason = f"本行有{row.cells}列，应为{row.columns}列。请检查逗号和引号，含逗号的内容要放在引号内。"
        return [RowFault(row.line, "", reason)]
    case, faults = read_case(row.texts, court, today, numbered=True)
    dated = not any(fault.field == "filed_on" for fault in faults)
    party, more = read_party(row.texts, case.filed_on if dated else None, today)
    found = {fault.field: fault.reason for fault in (*faults, *more)} | row.spoilt
    return [RowFault(row.line, COLUMNS[field], reason) for field, reason in found.items()] or GoodRow(
        row.line, case, party
    )


def _inconsistent(good: list[GoodRow]) -> Iterable[RowFault]:
    for row in good[1:]:
        for field in case_differences(row.case, good[0].case):
            reason = f"与本案第{good[0].line}行不同，案件信息已按第{good[0].line}行登记；本行当事人已登记。请核对。"
            yield RowFault(row.line, COLUMNS[field], reason)


def case_differences(told: CaseEntry, registered: CaseEntry) -> list[str]:
    """The fields in which what is told differs from what is registered; what is left empty tells nothing."""
    new, old = case_texts(told), case_texts(registered)
    return [field for field in CASE_FIELDS if new[field] and new[field] != old[field]]


def party_differences(told: PartyEntry, registered: PartyEntry) -> list[str]:
    """The same of a party."""
    new, old = party_texts(told), party_texts(registered)
    return [field for field in new if new[field] and new[field] != old[field]]
