"""Whether opening a document at the party's page was the party's own doing. Pure.

A place (address or device) at which staff were signed in lately casts doubt: a person must judge then.
"""

from enum import StrEnum


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


def doubt(*, by_address: bool, by_device: bool, from_court: bool) -> str | None:
    """Why a reading does not count by itself, in Chinese; None when nothing speaks against it."""
    if by_device:
        return f"打开文书的设备在30天内登录过法院工作账号，{_SO}"
    if from_court:
        return f"文书是从法院自身的网络打开的，{_SO}"
    return f"打开文书的网络地址在30天内有法院工作账号登录，{_SO}" if by_address else None
