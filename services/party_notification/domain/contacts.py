"""A telephone or mailbox of which its holder says that it is not the party's. Pure."""

from enum import StrEnum


class DoubtState(StrEnum):
    """What became of it."""

    HELD = "held"
    """Nothing follows until a person has looked at it."""
    OPEN = "open"
    """Nothing is sent there; it is registered as the party's."""
    REPLACED = "replaced"
    """Nothing is sent there; another is registered, or none."""
    CONFIRMED = "confirmed"
    """A person found out that it is the party's after all."""


WAITING = (DoubtState.HELD, DoubtState.OPEN)
"""What a person can decide on."""


class HeldBecause(StrEnum):
    """Why nothing follows at once."""

    FLOOD = "flood"
    CONFIRMED_BEFORE = "confirmed_before"

    @property
    def label(self) -> str:
        """For people."""
        return _WHY[self]


_WHY = {
    HeldBecause.FLOOD: "一小时内被否认的联系方式过多，可能有人恶意提交，尚未停止发送。",
    HeldBecause.CONFIRMED_BEFORE: "此前已核实为当事人使用，现再次被否认，尚未停止发送。",
}


def why_held(*, confirmed_before: bool, lately: int, most: int) -> HeldBecause | None:
    """Why a person must look first: it was verified once, or `lately` (within an hour) there were `most` already."""
    if confirmed_before:
        return HeldBecause.CONFIRMED_BEFORE
    return HeldBecause.FLOOD if lately >= most else None
