"""Commands of the staff service: a token for scripts, how to sign in to a demonstration, a lost second factor.

Both ask the staff database of a product that is running, embedded or named by YANGGUANG_DATABASE_URL.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar
from unicodedata import east_asian_width

import click
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.staff.domain.doors import DoorKind
from services.staff.domain.factor import STEP, code_at, must_have_one, plain, step_of
from services.staff.domain.people import Member
from services.staff.store import factors, people, record
from services.staff.usecases import enrolment
from services.staff.usecases.admission import caller_for
from services.staff.usecases.codes import about
from services.staff.usecases.kit import MACHINE
from services.staff.usecases.passwords import fits
from services.staff.usecases.record import close_on_machine
from services.staff.usecases.seeds import SEEDS, secret_name
from shared.crypto.keyring import KeyRing
from shared.crypto.slow import HASHER
from shared.db.transaction import Database, Transaction
from shared.http.auth import NEVER_READ
from shared.runtime.postgres import PostgresStartError, read_url
from shared.runtime.secrets import SecretsMissingError, Vault, secret_path
from shared.settings import CourtSettings, Environment, RunSettings
from shared.signals import Signals

T = TypeVar("T")

_AWAY = "无法读取人员数据：系统没有运行，或数据库地址不对。请先启动系统（make run），再执行本命令。"
_HEAD = ("登录名", "姓名", "部门", "密码", "验证码")
_NO_CODE = "（未启用）"


@click.command("token")
@click.option("--login", required=True, help="登录名，例如 clerk。")
@click.option("--minutes", type=click.IntRange(1, 30), default=30, show_default=True, help="有效分钟数。")
def token(login: str, minutes: int) -> None:
    """打印一个供脚本使用的临时令牌（仅限演示环境，留有记录），视为已输入验证码。"""
    run = RunSettings()
    if run.environment is Environment.PRODUCTION:
        raise click.ClickException(
            "生产环境不在服务器上生成令牌：请登录后在“访问令牌”页新建，写明用途、范围和期限（见 docs/operations.md）。"
        )
    member = _ask(run, lambda conn: _noted(conn, login.lower(), minutes))
    if member is None or not member.active:
        raise click.ClickException(f"没有在岗人员使用登录名 {login}。请核对后重试。")
    try:
        signer = Vault(run).staff_signer
    except SecretsMissingError as error:
        raise click.ClickException(str(error)) from None
    caller = caller_for(member, NEVER_READ, factor_at=MACHINE.now())
    click.echo(signer.for_staff(caller, timedelta(minutes=minutes)))


async def _noted(conn: AsyncConnection, login: str, minutes: int) -> Member | None:
    """The member; that a token was printed for them is kept in the record of the door."""
    member = await people.by_login(conn, login)
    if member is not None and member.active:
        await record.note(conn, DoorKind.TOKEN_PRINTED, member.id, None, f"{minutes}分钟")
    return member


@click.command("logins")
def logins() -> None:
    """列出演示环境的登录名、密码和现在的验证码。"""
    run = _demonstration()
    rows = _ask(run, lambda conn: _rows(conn, run))
    widths = [max(map(_width, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        click.echo(
            "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        )

    click.echo(f"有验证码的，登录时输入密码后还要输入验证码。{_how_long()}用过一次即失效：请等下一个，再运行本命令。")


@click.command("code")
@click.argument("login", required=False)
@click.option("--secret", help="启用两步验证时页面上显示的密钥：没有手机时用它得到验证码。")
def code(login: str | None, secret: str | None) -> None:
    """打印演示环境一个登录名现在的验证码。"""
    run = _demonstration()
    if (login is None) == (secret is None):
        raise click.UsageError("请给出登录名，例如 yangguang code duty；或者用 --secret 给出页面上显示的密钥。")
    now = _now_shown(plain(secret).upper()) if secret is not None else _code_of(run, str(login).lower())
    click.echo(now)
    click.echo(f"{_how_long()}每个验证码只能用一次。", err=True)


def _code_of(run: RunSettings, login: str) -> str:
    async def asked(conn: AsyncConnection) -> str | None:
        member = await people.by_login(conn, login)
        return None if member is None else await _code(conn, _ring(run), member)

    found = _ask(run, asked)
    if found is None:
        raise click.ClickException(f"没有人使用登录名 {login}。请核对后重试。")
    if found == _NO_CODE:
        raise click.ClickException(f"登录名 {login} 没有启用两步验证，登录时只用密码。")
    return found


def _now_shown(secret: str) -> str:
    try:
        return code_at(secret, step_of(MACHINE.now()))
    except ValueError:
        raise click.ClickException("密钥不正确：应为页面上显示的字母和数字，请核对。") from None


def _how_long() -> str:
    """A code is good until a step after the one that shows it."""
    left = STEP - int(MACHINE.now().timestamp()) % STEP + STEP
    return f"验证码在{left}秒内有效，"


@click.command("reset-factor")
@click.option("--login", required=True, help="登录名，例如 admin。")
@click.confirmation_option(prompt="本人的两步验证（如已启用）将失效，各处的登录全部退出，确定吗？")
def reset_factor(login: str) -> None:
    """重置一人的两步验证并打印启用码：首次安装的系统管理员、丢失手机和恢复码的唯一系统管理员使用，留有记录。"""
    run = RunSettings()
    code = asyncio.run(_on_the_machine(run, lambda tx: _reset(tx, login.lower())))
    if code is None:
        raise click.ClickException(f"登录名 {login} 不存在，或不必用启用码启用两步验证，没有改动。")
    click.echo(f"启用码：{code}")
    click.echo("请与密码分开交给本人，7天内有效：本人下次登录时用它启用两步验证。", err=True)


async def _reset(tx: Transaction, login: str) -> str | None:
    member = await people.by_login(tx.conn, login)
    if member is None or not must_have_one(member):
        return None
    if not await enrolment.forget(tx, member.id, None):
        await record.note(tx.conn, DoorKind.ENROLMENT_CODE, member.id, None)
    return await enrolment.hand_out(tx, member.id)


async def _on_the_machine(run: RunSettings, act: Callable[[Transaction], Awaitable[T]]) -> T:
    """What is done by whoever has the machine itself. Raises ClickException while the database is away."""
    db = Database(_database_url(run), "staff", CourtSettings().code, MACHINE, Signals(), 1)
    try:
        async with db.begin() as tx:
            return await act(tx)
    except (OSError, TimeoutError, SQLAlchemyError):
        raise click.ClickException(_AWAY) from None
    finally:
        await db.close()


@click.command("confirm-posts")
@click.option("--login", required=True, help="登录名，例如 zhou。")
@click.confirmation_option(prompt="涉及本人的待核对记录将全部记为已核对，待确认的岗位立即生效，确定吗？")
def confirm_posts(login: str) -> None:
    """核对涉及一人的重置等记录、使待确认的岗位生效：监察部门没有其他人能核对时在服务器上使用，留有记录。"""
    run = RunSettings()
    if not asyncio.run(_on_the_machine(run, lambda tx: _confirm(tx, login.lower()))):
        raise click.ClickException(f"登录名 {login} 不存在，或没有待核对的记录，没有改动。")
    click.echo("涉及本人的记录已核对，待确认的岗位已生效；本次操作记入“登录记录”，有其他监察人员的，由其核对。")


async def _confirm(tx: Transaction, login: str) -> bool:
    member = await people.by_login(tx.conn, login)
    return member is not None and await close_on_machine(tx, member.id)


def _demonstration() -> RunSettings:
    run = RunSettings()
    if run.environment is Environment.PRODUCTION:
        raise click.ClickException("生产环境没有演示账号：人员由系统管理员在“人员”页添加。")
    return run


def _ring(run: RunSettings) -> KeyRing:
    """What opens the secrets of second factors; asked for once the database has answered."""
    try:
        return Vault(run).keyring("staff")
    except SecretsMissingError as error:
        raise click.ClickException(str(error)) from None


async def _rows(conn: AsyncConnection, run: RunSettings) -> list[tuple[str, ...]]:
    found = [await people.by_login(conn, seed.login) for seed in SEEDS]
    ring = _ring(run)
    return [
        (each.login, each.name, each.department, await _password(conn, run, each.login), await _code(conn, ring, each))
        for each in found
        if each is not None
    ]


async def _code(conn: AsyncConnection, ring: KeyRing, member: Member) -> str:
    """What a telephone shows now, whoever's it is."""
    factor = await factors.of(conn, member.id)
    return _NO_CODE if factor is None else _now_shown(ring.open(factor.secret, about(member.id)))


async def _password(conn: AsyncConnection, run: RunSettings, login: str) -> str:
    """What opens the door now: a seeded password that somebody replaced is not shown as if it did."""
    path = secret_path(run, secret_name(login))
    password = path.read_text() if path.exists() else ""
    known = await people.proof(conn, login)
    if known is None:
        return "（已停用）"
    return password if await fits(HASHER, password, known.password_hash) else "（已由本人或管理员更换）"


def _ask(run: RunSettings, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """The answer of the staff database. Raises ClickException when it is away."""
    url = _database_url(run)
    try:
        return asyncio.run(_answer(url, question))
    except (OSError, TimeoutError, SQLAlchemyError):
        raise click.ClickException(_AWAY) from None


def _database_url(run: RunSettings) -> str:
    """Raises ClickException."""
    if run.database_url:
        return run.database_url.format(service="staff")
    try:
        return read_url(run.data / "postgres", "staff")
    except (PostgresStartError, OSError) as error:
        raise click.ClickException(str(error) if isinstance(error, PostgresStartError) else _AWAY) from None


async def _answer(url: str, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 10})
    try:
        async with engine.begin() as conn:
            return await question(conn)
    finally:
        await engine.dispose()


def _width(text: str) -> int:
    """Columns on a terminal: a Chinese character takes two."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
