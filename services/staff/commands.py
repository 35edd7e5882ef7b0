"""Commands of the staff service: a token for scripts, and how to sign in to a demonstration.

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
from services.staff.domain.people import Member
from services.staff.store import people, record
from services.staff.usecases.passwords import fits
from services.staff.usecases.seeds import SEEDS, secret_name
from services.staff.usecases.sessions import caller_for
from shared.runtime.postgres import PostgresStartError, read_url
from shared.runtime.secrets import SecretsMissingError, Vault, secret_path
from shared.settings import Environment, RunSettings

T = TypeVar("T")

_AWAY = "无法读取人员数据：系统没有运行，或数据库地址不对。请先启动系统（make run），再执行本命令。"
_HEAD = ("登录名", "姓名", "部门", "密码")


@click.command("token")
@click.option("--login", required=True, help="登录名，例如 clerk。")
@click.option("--minutes", type=click.IntRange(1, 30), default=30, show_default=True, help="有效分钟数。")
def token(login: str, minutes: int) -> None:
    """打印一个供脚本使用的临时令牌（仅限演示环境，留有记录）。"""
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
    click.echo(signer.for_staff(caller_for(member), timedelta(minutes=minutes)))


async def _noted(conn: AsyncConnection, login: str, minutes: int) -> Member | None:
    """The member; that a token was printed for them is kept in the record of the door."""
    member = await people.by_login(conn, login)
    if member is not None and member.active:
        await record.note(conn, DoorKind.TOKEN_PRINTED, member.id, None, f"{minutes}分钟")
    return member


@click.command("logins")
def logins() -> None:
    """列出演示环境的登录名和密码。"""
    run = RunSettings()
    if run.environment is Environment.PRODUCTION:
        raise click.ClickException("生产环境没有演示账号：人员由系统管理员在“人员”页添加。")
    rows = _ask(run, lambda conn: _rows(conn, run))
    widths = [max(map(_width, column)) for column in zip(_HEAD, *rows, strict=True)]
    for row in (_HEAD, *rows):
        click.echo(
            "  ".join(text + " " * (width - _width(text)) for text, width in zip(row, widths, strict=True)).rstrip()
        )


async def _rows(conn: AsyncConnection, run: RunSettings) -> list[tuple[str, ...]]:
    found = [(seed.login, await people.by_login(conn, seed.login)) for seed in SEEDS]
    return [
        (login, member.name, member.department, await _password(conn, run, login)) for login, member in found if member
    ]


async def _password(conn: AsyncConnection, run: RunSettings, login: str) -> str:
    """What opens the door now: a seeded password that somebody replaced is not shown as if it did."""
    path = secret_path(run, secret_name(login))
    password = path.read_text() if path.exists() else ""
    known = await people.proof(conn, login)
    if known is None:
        return "（已停用）"
    return password if await fits(password, known.password_hash) else "（已由本人或管理员更换）"


def _ask(run: RunSettings, question: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    """The answer of the staff database. Raises ClickException when it is away."""
    try:
        return asyncio.run(_answer(_url(run), question))
    except PostgresStartError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, TimeoutError, SQLAlchemyError):
        raise click.ClickException(_AWAY) from None


def _url(run: RunSettings) -> str:
    if run.database_url:
        return run.database_url.format(service="staff")
    return read_url(run.data / "postgres", "staff")


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
