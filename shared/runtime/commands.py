"""Commands of the runtime that touch keys."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db.tables import canaries
from shared.runtime.postgres import PostgresStartError, read_url
from shared.runtime.registry import load, service_names
from shared.runtime.rotating import RotationError, rotate
from shared.runtime.secrets import Secret, Vault
from shared.settings import RunSettings

_EVERY = 1.0


@click.command("rotate-keys")
@click.option("--wait", default=600, show_default=True, help="最多等待多少秒，看旧数据换用新密钥的进度。")
def rotate_keys(wait: int) -> None:
    """换新密钥：新密钥立即启用，已有数据由运行中的系统分批改用新密钥；可随时中断，重启后继续。"""
    run = RunSettings()
    vault = Vault(run)

    def where(secret: Secret, service: str) -> Path:
        path = vault.path(secret, service)
        if path is None or (secret is Secret.KEYRING and not path.exists()):
            raise click.ClickException(
                f"找不到 {secret.setting} 的密钥文件：本命令只更换保存在文件中的密钥。请先启动一次系统，"
                "或用 python -m deploy.make_secrets --rotate 更换部署用的密钥。"
            )
        return path

    try:
        new = rotate([load(name) for name in service_names()], where)
    except RotationError as error:
        raise click.ClickException(str(error)) from None
    click.echo("新密钥已写入密钥文件；旧密钥保留在文件中，用来打开尚未更换的数据。请把密钥文件另行备份。")
    left = _watch(run, new, wait)
    if left is None:
        click.echo("系统没有运行：下次启动后会自动把已有数据改用新密钥。")
    elif left:
        click.echo(f"仍在进行：{'、'.join(sorted(left))}。系统会继续，再次查看不需要重复本命令。")
    else:
        click.echo("全部数据已改用新密钥。")


def _watch(run: RunSettings, new: Mapping[str, str], wait: int) -> set[str] | None:
    """Which services are not done when the time is over; None when the product is not running."""
    left, end = set(new), time.monotonic() + wait
    while left and time.monotonic() < end:
        for name in sorted(left):
            key_id = asyncio.run(_key_of(run, name))
            if key_id is None:
                return None
            if key_id == new[name]:
                left.discard(name)
                click.echo(f"  {name}：已完成")
        if left:
            time.sleep(_EVERY)
    return left


async def _key_of(run: RunSettings, service: str) -> str | None:
    """The id of the key that all rows of the service are under; None when its database does not answer."""
    try:
        engine = create_async_engine(_url(run, service), hide_parameters=True, connect_args={"timeout": 10})
        try:
            async with engine.connect() as conn:
                query = select(canaries.c.sealed).where(canaries.c.secret == Secret.KEYRING.value)
                return str((await conn.execute(query)).scalar_one_or_none() or "").partition(".")[0]
        finally:
            await engine.dispose()
    except (OSError, TimeoutError, SQLAlchemyError, PostgresStartError):
        return None


def _url(run: RunSettings, service: str) -> str:
    if run.database_url:
        return run.database_url.format(service=service)
    return read_url(run.data / "postgres", service)
