"""Whom the server runs as: PostgreSQL refuses root, so root lends it to an unprivileged account."""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from shared.runtime.postgres.folder import PostgresStartError

ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
_DESCRIPTORS = Path("/proc/self/fd")
_TIMEOUT = 300  # seconds; initdb on a slow disk


class Account(NamedTuple):
    """Numeric user and group."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """None when we are not root and run everything as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(65534, 65534)
    return Account(entry.pw_uid, entry.pw_gid)


def run_as(
    account: Account | None, command: Sequence[str | Path], passing: Sequence[int] = ()
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in a bare environment; the caller looks at the return code.

    `passing` are the open descriptors that it inherits.
    """
    try:
        return subprocess.run(  # noqa: S603 - our own binaries, no shell
            command,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            pass_fds=passing,
            env=ENVIRONMENT,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as fault:
        raise PostgresStartError(
            f"{command[0]} 在 {_TIMEOUT} 秒内没有完成。请检查磁盘是否正常，再重新启动。"
        ) from fault


def give(path: Path, account: Account | None) -> None:
    """Hand a file or tree of ours to the account; its top comes last and says that all below is done."""
    if account is None or path.stat().st_uid == account.uid:
        return
    for part in (*path.rglob("*"), path):
        os.chown(part, account.uid, account.gid, follow_symlinks=False)


@contextmanager
def passage(folder: Path, account: Account | None) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """How the account's process spells `folder`, and the descriptors that it must inherit for it.

    Below a folder that only root may enter nothing has a path for the account. It goes there by an open descriptor
    (Linux), so that nobody needs to open folders with chmod.
    """
    if untraversable(folder, account) is None or not _DESCRIPTORS.is_dir():
        yield folder, ()
        return
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield _DESCRIPTORS / str(number), (number,)
    finally:
        os.close(number)


def untraversable(path: Path, account: Account | None) -> Path | None:
    """Name the outermost folder on the way to `path`, itself included, that the account cannot pass."""
    if account is None:
        return None
    for folder in (*reversed(path.parents), path):
        status = folder.stat()
        shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
        if not status.st_mode >> shift & 1:
            return folder
    return None
