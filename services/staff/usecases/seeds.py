"""Whom a new installation begins with: one login per role for a demonstration, one administrator in production."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.staff.domain.people import Member, password_faults
from services.staff.store import people
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.members import enrol
from services.staff.usecases.passwords import all_hashed, hashed, made_up
from shared.db.transaction import new_id
from shared.powers import POSTS, Role
from shared.runtime.secrets import SecretsMissingError, kept
from shared.settings import Environment, RunSettings

_FIRST_PANEL, _SECOND_PANEL = "执行一合议庭", "执行二合议庭"


@dataclass(frozen=True)
class Seed:
    """A member of the demonstration court, named by the post: nobody is invented."""

    login: str
    name: str
    role: Role
    panel: str | None = None


SEEDS = (
    Seed("clerk", "立案员", Role.CLERK),
    Seed("judge", "法官甲", Role.JUDGE, _FIRST_PANEL),
    Seed("judge2", "法官乙", Role.JUDGE, _FIRST_PANEL),
    Seed("judge3", "法官丙", Role.JUDGE, _SECOND_PANEL),
    Seed("presiding", "执行审判长", Role.PRESIDING, _FIRST_PANEL),
    Seed("chief", "执行庭庭长", Role.CHIEF, _SECOND_PANEL),
    Seed("president", "分管院长", Role.PRESIDENT),
    Seed("management", "执行管理员", Role.MANAGEMENT),
    Seed("supervision", "执行监督员", Role.SUPERVISION),
    Seed("office", "审判管理员", Role.OFFICE),
    Seed("adjudication", "裁决法官", Role.ADJUDICATION),
    Seed("auction", "评估拍卖员", Role.AUCTION),
    Seed("integrity", "监察员", Role.INTEGRITY),
    Seed("duty", "值班员", Role.DUTY),
    Seed("command", "指挥员", Role.COMMAND),
    Seed("admin", "系统管理员", Role.ADMIN),
)


def secret_name(login: str) -> str:
    """The name under which the password of a seeded login is kept."""
    return f"logins/{login}"


async def seed(kit: StaffKit) -> None:
    """Add whom the installation begins with; whoever is there already stays untouched."""
    async with kit.db.read() as conn:
        present = await people.logins(conn)
    if kit.run.environment is not Environment.PRODUCTION:
        numbered = {f"023-123457{number:02}": each for number, each in enumerate(SEEDS, 1)}
        await _enrol_demonstration(kit, {phone: each for phone, each in numbered.items() if each.login not in present})
    elif not present:
        await _enrol_first_administrator(kit)


async def _enrol_demonstration(kit: StaffKit, seeds: Mapping[str, Seed]) -> None:
    passwords = await asyncio.to_thread(_kept_passwords, kit.run, [each.login for each in seeds.values()])
    for (phone, each), password_hash in zip(seeds.items(), await all_hashed(passwords), strict=True):
        await _enrol(kit, _member(kit, each, phone), password_hash)


async def _enrol_first_administrator(kit: StaffKit) -> None:
    password = kit.settings.admin_password.get_secret_value()
    if password_faults("", "admin", password):
        raise SecretsMissingError(
            "缺少 STAFF_ADMIN_PASSWORD：生产环境首次启动时，须用它给出系统管理员（登录名 admin）的初始密码，"
            "至少12个字符且不含登录名；首次登录时须修改。"
        )
    first = _member(kit, SEEDS[-1], kit.court.duty_phone)
    await _enrol(kit, replace(first, must_change=True), await hashed(password))


async def _enrol(kit: StaffKit, member: Member, password_hash: str) -> None:
    async with kit.db.begin() as tx:
        await enrol(tx, member, password_hash)


def _kept_passwords(run: RunSettings, logins: Sequence[str]) -> list[str]:
    return [kept(run, secret_name(login), made_up) for login in logins]


def _member(kit: StaffKit, seed: Seed, phone: str) -> Member:
    return Member(
        id=new_id(),
        login=seed.login,
        name=seed.name,
        phone=phone,
        department=POSTS[seed.role].department,
        panel=seed.panel,
        roles=(seed.role,),
        court=kit.court.code,
        active=True,
        must_change=False,
    )
