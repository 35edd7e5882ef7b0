"""Whether opening a document at the party's page was the party's own doing. Pure.

A place (address or device) at which staff were signed in lately casts doubt: a person must judge then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class ReadingState(StrEnum):
    """How far a reading was weighed."""

    NEW = "new"
    COUNTED = "counted"
    DOUBTFUL = "doubtful"
    ACCEPTED = "accepted"
    REFUSED = "refused"


_SO = "不能认定为当事人本人阅读，不作为送达依据，须由工作人员核实。"
UNREADABLE = f"打开文书的来源记录无法读取，{_SO}"
"""Why a reading does not count of which nobody can tell whence it came."""
_OUT_OF_TIME = f"打开时间早于文书制作的时间，或者晚于系统收到记录的时间，{_SO}"
_FOREIGN = f"打开记录上的当事人不是该文书的收件人，{_SO}"
_DIFFERS = f"打开记录与其密封的来源记录不一致，{_SO}"
IMPOSSIBLE = frozenset({_OUT_OF_TIME, _FOREIGN})
"""Doubts that nobody can put aside: it cannot have been so when it was weighed, whatever the day is now."""
AHEAD = timedelta(minutes=1)
"""How far the clocks of two of the product's machines may differ."""


@dataclass(frozen=True)
class Opened:
    """Who opened a document, on which visit and when: by the row, or by its sealed evidence."""

    party_id: UUID
    visit: UUID
    at: datetime


def impossible(opened: Opened, party_id: UUID, issued_at: datetime | None, now: datetime) -> str | None:
    """Why it cannot have been so, in Chinese: by whose notice it is, when it was issued, when it is looked at.

    None when it can. The public pages write the row: a day on which nobody could have read the letter serves nobody.
    """
    if opened.party_id != party_id:
        return _FOREIGN
    possible = issued_at is not None and issued_at <= opened.at <= now + AHEAD
    return None if possible else _OUT_OF_TIME


def differs(opened: Opened, by_evidence: Opened) -> str | None:
    """Why the evidence does not bear the row out; None when it does."""
    return None if opened == by_evidence else _DIFFERS


def doubt(*, by_address: bool, by_device: bool, from_court: bool) -> str | None:
    """Why a reading does not count by itself, in Chinese; None when nothing speaks against it."""
    if by_device:
        return f"打开文书的设备在30天内登录过法院工作账号，{_SO}"
    if from_court:
        return f"文书是从法院自身的网络打开的，{_SO}"
    return f"打开文书的网络地址在30天内有法院工作账号登录，{_SO}" if by_address else None
