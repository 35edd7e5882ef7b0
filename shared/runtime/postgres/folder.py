"""What lies in the server's folder: the data, the credentials, the log and the owner's lock."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

SUPERUSER = "postgres"
_LOG_BYTES_KEPT = 10_000_000
_LOCK_PATIENCE = 1.0  # seconds


class PostgresStartError(Exception):
    """The embedded PostgreSQL cannot run; says in Chinese what stands in the way and what to do."""


@dataclass
class Credentials:
    """The remembered port and one password per role. The file is the truth: the server is set by it."""

    port: int = 0
    passwords: dict[str, str] = field(default_factory=dict)

    def add_missing(self, roles: Iterable[str]) -> None:
        for role in roles:
            self.passwords.setdefault(role, secrets.token_urlsafe(32))


@dataclass(frozen=True)
class ServerFolder:
    """Paths and files of one server; `root` is absolute."""

    root: Path

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def log(self) -> Path:
        return self.root / "postgres.log"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    def load_credentials(self) -> Credentials:
        """Read the file; FileNotFoundError when there is none."""
        try:
            stored = json.loads(self.credentials.read_text(encoding="utf-8"))
            return Credentials(int(stored["port"]), dict(stored["passwords"]))
        except (ValueError, KeyError, TypeError) as fault:
            raise PostgresStartError(
                f"数据库口令文件 {self.credentials} 已损坏。请从备份恢复该文件后重新启动。"
            ) from fault

    def save_credentials(self, credentials: Credentials) -> None:
        """Replace the file in one step, readable by its owner alone."""
        temporary = self.credentials.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"port": credentials.port, "passwords": credentials.passwords}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(self.credentials)
        sync(self.root)

    def open_log(self) -> TextIO:
        """Open the log for appending; one that has grown past 10 MB makes room first."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES_KEPT:
            self.log.replace(self.log.with_suffix(".log.1"))
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def take_lock(self) -> TextIO:
        """Become the folder's owner until the returned file is closed or this process ends, however it ends."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        stream = os.fdopen(descriptor, "r+", encoding="utf-8")
        deadline = time.monotonic() + _LOCK_PATIENCE
        while not _locked(stream):
            if time.monotonic() > deadline:
                holder = stream.read().strip() or "未知"
                stream.close()
                raise PostgresStartError(
                    f"数据目录 {self.root} 正由另一个进程（进程号 {holder}）使用。"
                    "请先停止该进程，或者换一个数据目录，再重新启动。"
                )
            time.sleep(0.05)
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        return stream


def _locked(stream: TextIO) -> bool:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def make_missing(folder: Path, mode: int) -> None:
    """Make the missing folders on the way, and them alone, with `mode`, whatever the umask."""
    for path in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        path.mkdir(exist_ok=True)
        path.chmod(mode)


def sync(folder: Path) -> None:
    """Make a rename in `folder` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
