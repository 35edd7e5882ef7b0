"""The command line. `serve` is the runtime's; services add theirs by the entry-point group `yangguang.commands`.

What takes seconds to import is imported by the command that needs it: a start that cannot be is told before.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import entry_points
from socket import socket

import click

from shared.runtime.listener import LaunchError, check_mail_port, listener
from shared.runtime.parent import end_with_parent
from shared.runtime.progress import Progress, silent
from shared.settings import Environment, RunSettings

COMMANDS = "yangguang.commands"
SERVICES = "yangguang.services"
SANDBOX = "sandbox"


class Commands(click.Group):
    """Finds a command by its name, and imports only that one's service."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own and the installed ones."""
        return sorted({*super().list_commands(ctx), *(point.name for point in entry_points(group=COMMANDS))})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Our own, else an installed one."""
        own = super().get_command(ctx, cmd_name)
        found = [point for point in entry_points(group=COMMANDS) if point.name == cmd_name]
        if own is not None or not found:
            return own
        command: click.Command = found[0].load()
        return command


@click.group(cls=Commands)
def main() -> None:
    """阳光执行：法院执行局的案件、期限、通知与值班。"""


def announce(run: RunSettings) -> None:
    """Say where to look and, in a demonstration, how to sign in.

    A process that was given its database is one of many: whoever started them all speaks for it.
    """
    if run.database_url:
        return
    click.echo(f"\n阳光执行已就绪：{run.base_url}")
    click.echo(f"  当事人查询 {run.base_url}/p    提供线索 {run.base_url}/tips    核对通知 {run.base_url}/verify")
    click.echo(f"  工作人员登录 {run.base_url}/sign-in    演示用的手机和邮箱 {run.base_url}/sandbox")
    logins = sorted(path for path in (run.data / "secrets" / "logins").glob("*") if "." not in path.name)
    if run.environment is not Environment.PRODUCTION and logins:
        click.echo("  演示登录名和密码（保存在数据目录的 secrets/logins 下，只在本机使用）：")
        for path in logins:
            second = "  另需验证码" if (run.data / "secrets" / "factors" / path.name).exists() else ""
            click.echo(f"    {path.name:<14}{path.read_text().strip()}{second}")
        where = f"YANGGUANG_DATA={run.data} " if "data" in run.model_fields_set else ""
        click.echo(f"  验证码半分钟一换，现在的由命令给出，例如 {where}.venv/bin/yangguang code duty")
    click.echo("  按 Ctrl+C 停止；数据保留，下次启动继续。\n")


@main.command("serve")
@click.argument("names", nargs=-1, required=True)
@click.option("--without", multiple=True, help="与 all 连用：不启动的服务。")
@click.option("--zone", type=click.Choice(["public", "staff", "both"]), help="只提供外网或内网的页面。")
@click.option("--end-with-parent", "parent", type=int, metavar="PID", help="启动者（进程号）退出时一并停止。")
def serve_command(names: tuple[str, ...], without: tuple[str, ...], zone: str | None, parent: int | None) -> None:
    """启动一个、几个或全部（all）服务。"""
    if parent is not None:
        end_with_parent(parent)
    chosen = _chosen(names, without)
    run = RunSettings.model_validate({"zone": zone} if zone else {})
    try:
        door = listener(run)
        if SANDBOX in chosen:
            check_mail_port(run)
    except LaunchError as error:
        raise click.ClickException(str(error)) from None
    with door, closing(_progress(run)) as progress:
        _serve(names, chosen, run, door, progress)


def _chosen(names: tuple[str, ...], without: Sequence[str] = ()) -> list[str]:
    known = sorted(point.name for point in entry_points(group=SERVICES))
    chosen = [name for name in known if name not in without] if names == ("all",) else list(names)
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise click.UsageError(f"没有这个服务：{'、'.join(unknown)}。可选：{'、'.join(known)}。")
    return chosen


def _progress(run: RunSettings) -> Progress:
    """To whoever started the whole product by hand; of a process that is one of many the log tells."""
    return silent() if run.database_url else Progress(lambda line: click.echo(line, file=sys.stdout))


def _serve(names: Sequence[str], chosen: Sequence[str], run: RunSettings, door: socket, progress: Progress) -> None:
    progress.step("载入程序")
    import uvloop

    from shared.db.access import SetupError
    from shared.runtime.launch import serve
    from shared.runtime.logging import configure
    from shared.runtime.postgres import PostgresStartError
    from shared.runtime.secrets import SecretsMissingError

    configure(process="+".join(names), zone=run.zone)

    def ready() -> None:
        progress.close()
        announce(run)

    try:
        uvloop.run(serve(chosen, run, door, progress, ready))
    except (LaunchError, SecretsMissingError, SetupError, PostgresStartError) as error:
        raise click.ClickException(str(error)) from None


@main.command("prepare")
@click.argument("names", nargs=-1, required=True)
def prepare_command(names: tuple[str, ...]) -> None:
    """以数据表所有者的身份升级数据库并设置各角色的权限：一个、几个或全部（all）服务。"""
    from shared.db.access import SetupError
    from shared.runtime.logging import configure
    from shared.runtime.prepare import prepare
    from shared.runtime.registry import load

    configure(process="prepare")
    try:
        asyncio.run(prepare([load(name) for name in _chosen(names)], RunSettings()))
    except (LaunchError, SetupError) as error:
        raise click.ClickException(str(error)) from None
