"""`yangguang backup` and `yangguang restore`."""

import asyncio
from pathlib import Path

import asyncpg
import click
from sqlalchemy.exc import SQLAlchemyError

from shared.runtime.backup import keys
from shared.runtime.backup.archive import Manifest, known_file, read_manifest
from shared.runtime.backup.bring_back import bring_back
from shared.runtime.backup.cut import BackupError
from shared.runtime.backup.keep import keep
from shared.runtime.backup.places import made, reached
from shared.settings import RunSettings
from shared.web.formats import cn_time

_FILE = click.Path(dir_okay=False, path_type=Path)
_AWAY = "无法连接数据库，没有完成。请核对数据库是否运行、地址和口令是否正确，再试一次。"


@click.command("backup")
@click.argument("file", type=_FILE)
@click.option("--keys", "key_file", type=_FILE, help="密钥写入这个文件（须在另一个目录）。")
def backup(file: Path, key_file: Path | None) -> None:
    """把全部数据写入 FILE，系统不必停止；密钥另存，不与数据放在一起。"""
    run = RunSettings()
    try:
        if key_file is not None:
            keys.check_apart(file, key_file)
        with reached(run) as urls:
            manifest = asyncio.run(keep(urls, file, click.echo))
        _tell("备份完成", file, manifest)
        if key_file is not None:
            click.echo(f"密钥 {keys.keep_keys(run, key_file)} 个已写入 {key_file}。请与数据分开保管。")
        else:
            click.echo("密钥没有写入：没有密钥，数据备份打不开。请用 --keys 另存，或按运行手册保管。")
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        raise click.ClickException(_AWAY) from None


@click.command("restore")
@click.argument("file", type=_FILE)
@click.option("--keys", "key_file", type=_FILE, help="备份时另存的密钥文件。")
def restore(file: Path, key_file: Path | None) -> None:
    """把 FILE 恢复到空的数据目录或空的数据库；系统须已停止。"""
    run = RunSettings()
    try:
        with known_file(file) as archive:
            if key_file is not None:
                keys.bring_keys_back(run, key_file)
            with made(run, list(read_manifest(archive).databases)) as urls:
                manifest = asyncio.run(bring_back(urls, archive))
        _tell("恢复完成", file, manifest)
        click.echo(
            "备份之后原系统发出的通知，本系统无从知道：凡可能已经发出的，短信先向运营商查询，邮件标明“可能重复”。\n"
            "备份之后登记的案件、线索和办理需要重新登记。现在可以启动系统。"
        )
    except BackupError as error:
        raise click.ClickException(str(error)) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError):
        raise click.ClickException(_AWAY) from None


def _tell(what: str, file: Path, manifest: Manifest) -> None:
    rows = sum(table.rows for database in manifest.databases.values() for table in database.tables.values())
    names = len(manifest.databases)
    click.echo(f"{what}：{file}，{names} 个数据库，{rows} 行，时刻 {cn_time(manifest.taken_at)}。")
