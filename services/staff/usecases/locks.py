"""Wrong passwords: counted where they come from, so that a stranger at the door keeps out nobody but himself.

A try counts for the login together with its source, and, from wherever it comes, for the login among all that is
unknown there. A device that has signed in before is counted by itself, and a password that an administrator has just
given lets its owner in whatever strangers do: nobody guesses it.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.store import doors
from services.staff.usecases.kit import StaffKit
from shared.db import tries
from shared.errors import TooMany

STRANGERS = 100
"""Wrong tries of one login from all unknown places together, until only known devices are let through for a while."""


GUESSES = 20
"""Wrong codes of one login from all unknown places together: who types them knows the password."""


@dataclass(frozen=True)
class Place:
    """Where somebody stands who wants to come in: their source, and what their device shows of earlier visits."""

    source: str
    device: str | None = None


@dataclass(frozen=True)
class Count:
    """One count of tries; `text` says to whom it is full."""

    mark: str
    most: int
    text: str


_HERE = "这里连续5次没有输对密码，已暂停从这里用该登录名登录。请在{}分钟后再试；如忘记密码，请联系系统管理员重置。"
_ANYWHERE = (
    "这个登录名近来输错密码的次数太多，暂时只能在以前登录过的电脑上登录。"
    "请在{}分钟后再试；或请系统管理员重置密码，用新的初始密码可以立即登录。"
)

_OFFERED = (
    "新手机上的验证码连续输错的次数太多，没有启用。请核对手机时间准确、扫描的是页面上最新的二维码，在{}分钟后再试。"
)
_CODES = "验证码连续输错的次数太多，请在{}分钟后再试；手机丢失或换过的，请联系系统管理员重置两步验证。"


def counts_for(kit: StaffKit, login: str, place: Place, *, known: bool, initial: bool) -> list[Count]:
    """What a try by this login counts for, from a device that is known or not, at a password just given or not."""
    mark = _mark(kit, login)
    if known:
        return [Count(f"{mark}/device/{_hidden(kit, place.device or '')}", tries.TRIES, _HERE)]
    here = Count(f"{mark}/source/{_hidden(kit, place.source)}", tries.TRIES, _HERE)
    return [here] if initial else [here, Count(f"{mark}/strangers", STRANGERS, _ANYWHERE)]


def own_count(kit: StaffKit, login: str) -> list[Count]:
    """For what a try counts of somebody who is signed in and gives their own password."""
    return [Count(f"{_mark(kit, login)}/own", tries.TRIES, _HERE)]


def code_counts(kit: StaffKit, login: str, place: Place, *, known: bool) -> list[Count]:
    """What a code counts for at the door, apart from passwords: the right one of those forgets nothing here."""
    mark = f"{_mark(kit, login)}/code"
    if known:
        return [Count(f"{mark}/device/{_hidden(kit, place.device or '')}", tries.TRIES, _CODES)]
    here = Count(f"{mark}/source/{_hidden(kit, place.source)}", tries.TRIES, _CODES)
    return [here, Count(f"{mark}/strangers", GUESSES, _CODES)]


def own_code_count(kit: StaffKit, login: str) -> list[Count]:
    """What a code counts for of somebody who is signed in."""
    return [Count(f"{_mark(kit, login)}/code/own", tries.TRIES, _CODES)]


def offer_counts(kit: StaffKit, login: str, place: Place) -> list[Count]:
    """What the first code of a new telephone counts for, apart from those of the one that holds."""
    mark = f"{_mark(kit, login)}/offer"
    here = Count(f"{mark}/source/{_hidden(kit, place.source)}", tries.TRIES, _OFFERED)
    return [here, Count(f"{mark}/anywhere", GUESSES, _OFFERED)]


async def is_known(conn: AsyncConnection, staff_id: UUID, place: Place) -> bool:
    """Whether the member has signed in from this device before."""
    return place.device is not None and await doors.knows(conn, staff_id, digest(place.device))


def digest(secret: str) -> bytes:
    """What is kept of a random secret."""
    return hashlib.sha256(secret.encode()).digest()


async def claim(conn: AsyncConnection, counts: Sequence[Count]) -> None:
    """Count one try before its password is looked at. Raises TooMany, and then nothing is counted."""
    for count in counts:
        left = await tries.claim(conn, count.mark, count.most)
        if left:
            raise TooMany("sign_in_locked", count.text.format(math.ceil(left / 60)), math.ceil(left))


async def forget(conn: AsyncConnection, counts: Sequence[Count]) -> None:
    """The right password came."""
    for count in counts:
        await tries.forget(conn, count.mark)


async def unlock(kit: StaffKit, conn: AsyncConnection, login: str) -> None:
    """Whatever was counted of this login is forgotten."""
    await tries.forget_below(conn, _mark(kit, login))


def _mark(kit: StaffKit, login: str) -> str:
    return kit.keyring.blind_index(login, "login")


def _hidden(kit: StaffKit, text: str) -> str:
    return kit.keyring.blind_index(text, "sign-in place")
