"""The command that verifies a case's enforcement log: in the product's database, over HTTP, or in exported files."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import click
import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from services.stage_tracking.store import cases
from services.stage_tracking.store.tables import LEDGER
from services.stage_tracking.usecases.proof import Extract, NotProvenError, joined
from services.stage_tracking.usecases.verdict import verdict
from shared.crypto.signing import KeyFormatError, public_keys
from shared.http.outgoing import outgoing_client
from shared.ledger.days import Keys
from shared.ledger.store import read
from shared.runtime.postgres import PostgresStartError, read_url
from shared.runtime.secrets import Secret, SecretsMissingError, Vault
from shared.settings import RunSettings
from shared.web.formats import cn_time

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_AWAY = "无法读取执行日志：系统没有运行，或数据库地址不对。请先启动系统（make run），或者用 --file 核验导出的文件。"
_NO_KEYS = (
    "未完全核验：没有法院的公钥，每日签署的签名没有核对，整条日志连同链头被重新生成还不能发现。"
    "请用 --key 指定法院公布的公钥再核验一次。"
)
_UNCOVERED_FILE = "签名证明导出时日志就是这样；导出时系统没有说明是否与每日签署的链头相符，请重新导出后再核验。"


@click.command("verify-log")
@click.argument("case")
@click.option("--file", "files", type=_FILE, multiple=True, help="GET /api/stages/{案号}/log 保存的文件；可以有几份。")
@click.option("--url", help="正在运行的系统的网址，例如 http://127.0.0.1:8000。须同时给出令牌。")
@click.option("--token", envvar="YANGGUANG_TOKEN", help="yangguang token 打印的令牌，也可放在 YANGGUANG_TOKEN。")
@click.option("--key", type=_FILE, help="法院的公钥（PEM）；不给时只按导出文件自带的公钥核验。")
def verify_log(case: str, files: tuple[Path, ...], url: str | None, token: str | None, key: Path | None) -> None:
    """核验一个案件（案号或编号）的执行日志：记录链是否完整、有无改动，与每日签署的链头是否相符。"""
    try:
        if files or url:
            answers = [path.read_bytes() for path in files] or asyncio.run(_fetched(url or "", case, token or ""))
            lines = _of_extracts(answers, case, _trusted(key))
        else:
            lines = _of_database(case, key)
    except NotProvenError as error:
        raise click.ClickException(f"核验不通过：{error}") from None
    except _NotAll as found:
        click.echo("\n".join(found.lines))
        raise click.ClickException(_NO_KEYS) from None
    click.echo("\n".join(lines))


class _NotAll(Exception):  # noqa: N818 - no error was found
    """What was looked at holds, but nobody could look at the signatures."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self.lines = lines


def _trusted(key: Path | None) -> Keys | None:
    try:
        return None if key is None else public_keys(key.read_text())
    except (KeyFormatError, UnicodeDecodeError):
        raise click.ClickException("公钥文件无法识别，应为 Ed25519 公钥（PEM）。") from None


def _of_extracts(answers: Sequence[bytes], case: str, trusted: Keys | None) -> list[str]:
    parts = joined([Extract.read(answer) for answer in answers], case, trusted)
    first, last = parts[0], parts[-1]
    entries = [entry for part in parts for entry in part.entries]
    if not entries:
        raise NotProvenError("文件里没有一条记录。")
    lines = [
        _passed(last.case_number, [(entry.position, entry.at) for entry in (entries[0], entries[-1])], len(entries)),
        f"签署的链头：第 {last.head.position} 条，摘要 {last.head.digest}。",
        f"签名：由公钥 {last.signer(trusted).key_id} 签署，导出于{cn_time(last.issued_at)}。",
    ]
    if first.since.position:
        lines.append(f"未核验：第 1 至 {first.since.position} 条不在文件中。")
    if last.until.position < last.head.position:
        lines.append(f"未核验：第 {last.until.position + 1} 至 {last.head.position} 条不在文件中。")
    if trusted is None:
        lines.append("注意：未指定法院公钥，仅证明文件自签名后未被改动。请用 --key 指定法院公布的公钥再核验一次。")
    told = first.verdict if first.since.position == 0 else ""
    return [*lines, f"导出时系统核验：{told}" if told else _UNCOVERED_FILE]


def _passed(number: str, ends: Sequence[tuple[int, datetime]], count: int) -> str:
    return f"核验通过：{_chained(number, ends, count)}"


def _chained(number: str, ends: Sequence[tuple[int, datetime]], count: int) -> str:
    (first, since), (last, until) = ends
    return (
        f"{number} 的执行日志 {count} 条，从第 {first} 条（{cn_time(since)}）到第 {last} 条"
        f"（{cn_time(until)}）前后衔接，没有缺少或者改动。"
    )


async def _fetched(url: str, case: str, token: str) -> list[bytes]:
    """Every page of the log. Raises ClickException."""
    pages: list[bytes] = []
    cursor: int | None = 0
    async with outgoing_client(30, base_url=url, headers={"authorization": f"Bearer {token}"}) as http:
        while cursor is not None:
            try:
                answer = await http.get(f"/api/stages/{quote(case, safe='')}/log?limit=200&cursor={cursor}")
            except (httpx.HTTPError, httpx.InvalidURL):
                raise click.ClickException(f"{url} 没有应答，请核对网址，并确认系统正在运行。") from None
            if answer.status_code != httpx.codes.OK:
                raise click.ClickException(_refusal(answer.status_code))
            pages.append(answer.content)
            cursor = answer.json()["next"]
    return pages


def _refusal(status: int) -> str:
    if status == httpx.codes.NOT_FOUND:
        return "没有这个案件，请核对案号。"
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return "令牌无效，或者没有查阅执行日志的权限。请用 yangguang token --login judge 取得令牌，以 --token 给出。"
    return f"系统没有给出执行日志（状态码{status}），请稍后重试。"


def _of_database(case: str, key: Path | None) -> list[str]:
    """Of the embedded product, or of the database that YANGGUANG_DATABASE_URL names."""
    run = RunSettings()
    try:
        given = run.database_url.format(service="stage_tracking")
        keys = _trusted(key) if key else _own_keys(run, embedded=not given)
        return asyncio.run(_asked(given or read_url(run.data / "postgres", "stage_tracking"), case, keys))
    except (PostgresStartError, SecretsMissingError) as error:
        raise click.ClickException(str(error)) from None
    except (OSError, TimeoutError, SQLAlchemyError):
        raise click.ClickException(_AWAY) from None


def _own_keys(run: RunSettings, *, embedded: bool) -> Keys | None:
    """Those that the settings name, or of the embedded product, whose key lies beside its database.

    Nothing is made where there is none.
    """
    if not (embedded or run.signing_key):
        return None
    vault = Vault(run)
    path = vault.path(Secret.SIGNING_KEY, "")
    return vault.signing.keys if path is None or path.exists() else None


async def _asked(url: str, case: str, keys: Keys | None) -> list[str]:
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 10})
    try:
        async with engine.connect() as conn:
            return await _checked(await conn.execution_options(isolation_level="REPEATABLE READ"), case, keys)
    finally:
        await engine.dispose()


async def _checked(conn: AsyncConnection, case_key: str, keys: Keys | None) -> list[str]:
    case = await cases.find(conn, case_key)
    if case is None:
        raise click.ClickException("没有这个案件，请核对案号。")
    chain_id = str(case.case_id)
    found = await verdict(conn, chain_id, keys)
    if not found.intact:
        raise NotProvenError(found.words)
    head = found.head
    if not head.position:
        raise NotProvenError("执行日志里没有一条记录，可能被整条删除。")
    ends = [(await read(conn, LEDGER, chain_id, after, 1))[0] for after in (0, head.position - 1)]
    places = [(entry.position, entry.at) for entry in ends]
    there = f"链头：第 {head.position} 条，摘要 {head.digest}。"
    if not found.signatures:
        raise _NotAll([_chained(case.number, places, head.position), there, found.words])
    return [_passed(case.number, places, head.position), there, found.words]
