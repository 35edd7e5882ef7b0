"""Whom a new installation begins with: one login per role for a demonstration, one administrator in production."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from services.staff.domain.factor import is_required, new_secret
from services.staff.domain.people import Member, password_faults
from services.staff.store import factors, people
from services.staff.usecases.codes import about
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.members import enrol
from services.staff.usecases.passwords import all_hashed, hashed, made_up
from shared.db.transaction import new_id
from shared.powers import POSTS, Role
from shared.runtime.secrets import SecretsMissingError, kept, secret_path
from shared.settings import Environment, RunSettings

_FIRST_PANEL, _SECOND_PANEL, _REVIEW_PANEL = "执行一合议庭", "执行二合议庭", "审监一合议庭"


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
    Seed("adjudication", "裁决法官", Role.ADJUDICATION, _REVIEW_PANEL),
    Seed("auction", "评估拍卖员", Role.AUCTION),
    Seed("integrity", "监察员", Role.INTEGRITY),
    Seed("duty", "值班员", Role.DUTY),
    Seed("command", "指挥员", Role.COMMAND),
    Seed("admin", "系统管理员", Role.ADMIN),
)


def secret_name(login: str) -> str:
    """The name under which the password of a seeded login is kept."""
    return f"logins/{login}"


def factor_name(login: str) -> str:
    """The name under which is kept what a telephone of a seeded login would know."""
    return f"factors/{login}"


async def seed(kit: StaffKit) -> None:
    """Add whom the installation begins with; whoever is there already stays untouched.

    Of a demonstration that an older release seeded, those who need a second factor are given one, once.
    """
    async with kit.db.read() as conn:
        present = await people.logins(conn)
    if kit.run.environment is not Environment.PRODUCTION:
        numbered = {f"023-123457{number:02}": each for number, each in enumerate(SEEDS, 1)}
        lacking = [each.login for each in SEEDS if _lacks_factor(kit.run, each, present)]
        await _enrol_demonstration(kit, {phone: each for phone, each in numbered.items() if each.login not in present})
        await _give_factors(kit, lacking)
    elif not present:
        await _enrol_first_administrator(kit)


async def _enrol_demonstration(kit: StaffKit, seeds: Mapping[str, Seed]) -> None:
    names = [secret_name(each.login) for each in seeds.values()]
    passwords = await asyncio.to_thread(_all_kept, kit.run, names, made_up)
    for (phone, each), password_hash in zip(seeds.items(), await all_hashed(kit.hasher, passwords), strict=True):
        await _enrol(kit, _member(kit, each, phone), password_hash)


def _lacks_factor(run: RunSettings, seed: Seed, present: Collection[str]) -> bool:
    """Whoever had one, and had it taken away, sets another up as anybody does."""
    known = seed.login in present and secret_path(run, factor_name(seed.login)).exists()
    return is_required([seed.role]) and not known


async def _give_factors(kit: StaffKit, logins: Sequence[str]) -> None:
    secrets = await asyncio.to_thread(_all_kept, kit.run, list(map(factor_name, logins)), new_secret)
    async with kit.db.begin() as tx:
        for login, secret in zip(logins, secrets, strict=True):
            member = await people.by_login(tx.conn, login)
            if member is not None and await factors.of(tx.conn, member.id) is None:
                await factors.put(tx.conn, member.id, kit.keyring.seal(secret, about(member.id)), 0)


async def _enrol_first_administrator(kit: StaffKit) -> None:
    password = kit.settings.admin_password.get_secret_value()
    if password_faults("", "admin", password):
        raise SecretsMissingError(
            "缺少 STAFF_ADMIN_PASSWORD：生产环境首次启动时，须用它给出系统管理员（登录名 admin）的初始密码，"
            "至少12个字符且不含登录名；首次登录时须修改。"
        )
    first = _member(kit, SEEDS[-1], kit.court.duty_phone)
    await _enrol(kit, replace(first, must_change=True), await hashed(kit.hasher, password))


async def _enrol(kit: StaffKit, member: Member, password_hash: str) -> None:
    async with kit.db.begin() as tx:
        await enrol(tx, member, password_hash)


def _all_kept(run: RunSettings, names: Sequence[str], make: Callable[[], str]) -> list[str]:
    return [kept(run, name, make) for name in names]


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
