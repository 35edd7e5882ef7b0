"""Make the cluster, start it, hand out its URLs, stop it."""

import asyncio
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import asyncpg

from shared.db.access import Part
from shared.runtime.postgres.account import give, passage, run_as, unprivileged_account, untraversable
from shared.runtime.postgres.folder import SUPERUSER, Credentials, PostgresStartError, ServerFolder, make_missing, sync
from shared.runtime.postgres.installation import installed_bin_folder, server_version, usable_bin_folder
from shared.runtime.postgres.process import FOLDER, ServerProcess, postmaster_of, retire_orphan
from shared.runtime.postgres.provision import provision

_HOST = "127.0.0.1"
_NAME = re.compile(r"(?!pg_|postgres$|template[01]$|public$|none$)[a-z][a-z0-9_]{0,62}")
_SETTINGS = {
    "listen_addresses": _HOST,
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # No personal data in the log: the server's own events only (`log` ranks above `error`), no detail, no
    # statement, no parameter. The client still gets the whole error.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
}
# What passes: backends of a killed server that still end, and a port taken between our look and the bind.
_PASSING = ("pre-existing shared memory block", "could not create any TCP/IP sockets")
_ATTEMPTS = 20
_PATIENCE = 180.0  # seconds; recovery after a power cut reads the write-ahead log first


class EmbeddedPostgres:
    """One server for one folder. The methods block: call them from plain code or from a thread.

    `settings`: the server's own, over the usual ones.
    As root the server runs as `nobody`. Only the owner of the folder's lock may start it.
    """

    def __init__(
        self,
        folder: Path,
        databases: Sequence[str],
        max_connections: int = 200,
        bin_folder: Path | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        faulty = [name for name in databases if not _NAME.fullmatch(name)]
        if faulty:
            raise ValueError(f"not usable as database names: {faulty}")
        self._folder = ServerFolder(folder.resolve())
        self._databases = tuple(databases)
        self._settings = {**_SETTINGS, "max_connections": str(max_connections), **(settings or {})}
        self._bin_folder = bin_folder
        self._account = unprivileged_account()
        self._credentials = Credentials()
        self._process: ServerProcess | None = None
        self._lock: TextIO | None = None

    def start(self) -> None:
        """Return when every role and database is there and takes connections; PostgresStartError otherwise."""
        if self._lock:
            raise PostgresStartError(f"数据目录 {self._folder.root} 的数据库已由本进程启动，无需再次启动。")
        try:
            make_missing(self._folder.root, 0o711 if self._account else 0o700)
            self._lock = self._folder.take_lock()
            self._start_locked()
        except OSError as fault:
            self.stop()
            raise PostgresStartError(
                f"无法使用 {fault.filename or self._folder.root}：{fault.strerror or fault}。"
                f"请检查数据目录 {self._folder.root} 的权限和磁盘空间。"
            ) from fault
        except BaseException:
            self.stop()
            raise

    def url(self, database: str, part: Part = Part.SERVICE) -> str:
        """Return the asyncpg URL of a database, as one of its roles."""
        if database not in self._databases:
            raise KeyError(database)
        return _url(self._credentials, database, part)

    def stop(self) -> None:
        """End the server within 25 s at the most, normally at once; give the folder free. May be repeated."""
        process, self._process = self._process, None
        if process:
            process.stop()
        lock, self._lock = self._lock, None
        if lock:
            lock.close()

    def is_running(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def revive(self) -> bool:
        """Start a server anew that died (killed for want of memory, say); whether it had died.

        It comes back at its old port or not at all, since its URLs are handed out. Raises PostgresStartError.
        """
        if self._lock is None or self.is_running():
            return False
        retire_orphan(self._folder.data)
        self._launch(self._binaries(), keep_port=True)
        return True

    def _binaries(self) -> Path:
        return usable_bin_folder(self._bin_folder or installed_bin_folder(), self._account)

    def _start_locked(self) -> None:
        binaries = self._binaries()
        retire_orphan(self._folder.data)
        self._load_credentials()
        if not self._folder.data.exists():
            self._initialize(binaries)
        give(self._folder.data, self._account)
        self._check_version(binaries)
        self._launch(binaries)

    def _load_credentials(self) -> None:
        """Write new passwords down before the server learns them."""
        try:
            self._credentials = self._folder.load_credentials()
        except FileNotFoundError:
            if self._folder.data.exists():
                raise PostgresStartError(
                    f"数据目录 {self._folder.root} 中有数据，但缺少口令文件 {self._folder.credentials.name}。"
                    "请从备份恢复该文件后重新启动。"
                ) from None
        roles = (part.role(name) for name in self._databases for part in Part)
        self._credentials.add_missing((SUPERUSER, *roles))
        self._folder.save_credentials(self._credentials)

    def _initialize(self, binaries: Path) -> None:
        """Run initdb in a folder of its own and rename the outcome: a crash leaves nothing half-made."""
        for left in self._folder.root.glob("initdb-*"):
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix="initdb-", dir=self._folder.root))
        word = work / "password"
        word.touch(mode=0o600)
        word.write_text(self._credentials.passwords[SUPERUSER], encoding="ascii")
        give(work, self._account)
        with passage(work, self._account) as (there, passing):
            outcome = run_as(self._account, [
                binaries / "initdb", "-D", there / "data", "-U", SUPERUSER, f"--pwfile={there / word.name}",
                "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
            ], passing)  # fmt: skip
        if outcome.returncode:
            raise self._failure(outcome.stderr)
        (work / "data").rename(self._folder.data)
        sync(self._folder.root)
        shutil.rmtree(work)

    def _check_version(self, binaries: Path) -> None:
        stored = (self._folder.data / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = server_version(binaries)
        if ours.split(".")[0] != stored:
            raise PostgresStartError(
                f"数据目录 {self._folder.root} 属于 PostgreSQL {stored}，本软件带的是 {ours}。"
                "请用原版本导出数据，再导入新的数据目录。"
            )

    def _launch(self, binaries: Path, *, keep_port: bool = False) -> None:
        output = ""
        for _ in range(_ATTEMPTS):
            port = _free_port(self._credentials.port)
            if keep_port and port != self._credentials.port:
                raise self._failure(f"端口 {self._credentials.port} 已被别的程序占用")
            self._remember_port(port)
            process, written = self._spawn(binaries)
            if self._becomes_ready(process):
                return self._provision()
            output = self._folder.log.read_bytes()[written:].decode(errors="replace")
            if not any(text in output for text in _PASSING):
                break
            time.sleep(0.5)
        raise self._failure(output)

    def _remember_port(self, port: int) -> None:
        if port != self._credentials.port:
            self._credentials.port = port
            self._folder.save_credentials(self._credentials)

    def _spawn(self, binaries: Path) -> tuple[ServerProcess, int]:
        """Start the child; return it, and where in the log its own lines begin."""
        settings = {**self._settings, "port": self._credentials.port, FOLDER: str(self._folder.data)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._folder.open_log() as log, passage(self._folder.data, self._account) as (there, passing):
            written = log.tell()
            command = [str(binaries / "postgres"), "-D", str(there), *options]
            self._process = process = ServerProcess(command, self._account, log, passing)
            process.start()
        return process, written

    def _becomes_ready(self, process: ServerProcess) -> bool:
        """Wait for the child's own word, so that a stranger on the port is never taken for it."""
        deadline = time.monotonic() + _PATIENCE
        while process.is_alive():
            if postmaster_of(self._folder.data, ready=True):
                return True
            if time.monotonic() > deadline:
                raise PostgresStartError(
                    f"数据目录 {self._folder.root} 的 PostgreSQL 在 {_PATIENCE:.0f} 秒内没有就绪。"
                    f"请查看日志 {self._folder.log}，再重新启动。"
                )
            time.sleep(0.02)
        return False

    def _provision(self) -> None:
        """Connect in a thread of its own, as the caller's may be running an event loop."""
        try:
            with ThreadPoolExecutor(max_workers=1) as pool:
                pool.submit(asyncio.run, provision(self._credentials, self._databases)).result()
        except asyncpg.InvalidPasswordError as fault:
            raise PostgresStartError(
                f"口令文件 {self._folder.credentials} 与数据不相符。请从同一次备份恢复口令文件和数据后重新启动。"
            ) from fault
        except (asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            raise self._failure(str(fault)) from fault

    def _failure(self, output: str) -> PostgresStartError:
        """Explain by the folder that stands in the way, or else by the server's last words."""
        closed = untraversable(self._folder.root, self._account)
        if closed:
            return PostgresStartError(
                f"数据库以普通用户身份运行，但该用户无法进入目录 {closed}。"
                f"请执行 chmod o+x '{closed}'，或者换一个数据目录，再重新启动。"
            )
        words = "；".join(output.strip().splitlines()[-3:]) or "没有说明原因"
        return PostgresStartError(
            f"数据目录 {self._folder.root} 的 PostgreSQL 未能启动：{words}。日志见 {self._folder.log}。"
        )


def read_url(folder: Path, database: str, part: Part = Part.SERVICE) -> str:
    """Return the URL of a database whose server another process runs; PostgresStartError when it does not."""
    place = ServerFolder(folder.resolve())
    try:
        credentials = place.load_credentials()
        running = postmaster_of(place.data, ready=True) is not None
    except FileNotFoundError:
        raise PostgresStartError(f"{place.root} 中没有数据库。请先启动系统，或者指明正确的数据目录。") from None
    except PermissionError:
        raise PostgresStartError(f"无权读取 {place.root}。请换用启动系统的那个用户执行。") from None
    if not running:
        raise PostgresStartError(f"数据目录 {place.root} 的数据库没有运行。请先启动系统，再执行本命令。")
    if database == SUPERUSER or database not in credentials.passwords:
        raise PostgresStartError(f"数据目录 {place.root} 中没有名为 {database} 的数据库。")
    return _url(credentials, database, part)


def _url(credentials: Credentials, database: str, part: Part) -> str:
    role = part.role(database)
    return f"postgresql+asyncpg://{role}:{credentials.passwords[role]}@{_HOST}:{credentials.port}/{database}"


def _free_port(remembered: int) -> int:
    """Return the remembered port when it is free, another otherwise."""
    for port in (remembered, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise PostgresStartError("本机没有空闲的网络端口。请关闭不用的程序后重新启动。")
