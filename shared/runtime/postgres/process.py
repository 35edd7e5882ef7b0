"""The server's process: our child, and one that a killed owner left behind."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from shared.runtime.postgres.account import ENVIRONMENT, Account, run_as
from shared.runtime.postgres.folder import PostgresStartError

logger = logging.getLogger(__name__)
FOLDER = "yangguang.folder"
"""A setting that means nothing to PostgreSQL: it tells us whose server a process is."""
_CHILD = Path(__file__).with_name("child.py")
# Seconds granted to each way to end a server: fast (SIGINT), immediate (SIGQUIT), hard (SIGKILL). Not more for the
# fast one: PostgreSQL 18 ignores it while it recovers from the crash of a connection. None loses a commit.
_ENDINGS = ((signal.SIGINT, 10.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0))
_OWN_DEATH = 8.0  # an orphan that got its death signal needs up to 5 s for its own children


class ServerProcess:
    """One `postgres`, started and awaited by a thread of its own.

    The kernel's death signal follows the thread that started the child, not the process: a borrowed thread that
    ends (a pool's) would take the server with it.
    """

    def __init__(
        self, command: Sequence[str], account: Account | None, log: TextIO, passing: Sequence[int] = ()
    ) -> None:
        self._command = command
        self._passing = passing
        self._account = account
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._fault: OSError | None = None
        self._started = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="postgres-keeper", daemon=True)

    def start(self) -> None:
        """Return when the child exists; OSError when it cannot be made."""
        self._keeper.start()
        self._started.wait()
        if self._fault:
            raise self._fault

    def _keep(self) -> None:
        ids = [str(number) for number in self._account] if self._account else ["-", "-"]
        launcher = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), *ids]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own binaries, no shell
                [*launcher, *self._command],
                env=ENVIRONMENT,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=self._passing,
                start_new_session=True,  # Ctrl-C is for us; we stop the server when our work is written
            )
        except OSError as fault:
            self._fault = fault
            return
        finally:
            self._started.set()
        self._process.wait()

    def is_alive(self) -> bool:
        return self._keeper.is_alive()

    def stop(self) -> None:
        """Shut down fast; harder only when that takes too long."""
        for number, patience in _ENDINGS:
            if self._process and self._keeper.is_alive():
                self._process.send_signal(number)
            self._keeper.join(patience)
            if not self._keeper.is_alive():
                return


def postmaster_of(data: Path, *, ready: bool = False) -> int | None:
    """Return the pid of the living server of this data folder, whoever started it; if asked, only a ready one."""
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid = int(lines[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None
    if ready and lines[7:8] != ["ready   "]:  # the eighth line is the state, of fixed width
        return None
    return pid if _serves(pid, data) else None


def _serves(pid: int, data: Path) -> bool:
    """Judge by the command line: the number may have passed to a stranger since the file was written.

    A zombie's is empty. (What /proc says of its program and folder is closed even to root in many containers.)
    """
    if sys.platform != "linux":
        command = run_as(None, ["ps", "-o", "command=", "-p", str(pid)]).stdout.strip()
    else:
        try:
            command = os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
        except OSError:
            return False
    words = f"{command} "
    # The second is how a server says it that was started before `FOLDER` was.
    return "/postgres -D " in words and (f" {FOLDER}={data} " in words or f"/postgres -D {data} " in words)


def retire_orphan(data: Path, patience: float = _OWN_DEATH) -> None:
    """End what a killed owner left. Only for the holder of the folder's lock: nobody else owns a server here."""
    pid = postmaster_of(data)
    if pid is not None and not _gone(pid, data, patience):
        logger.warning("a postgres without an owner is stopped", extra={"server_pid": pid})
        _end(pid, data)
    # A stale file whose number a stranger carries by now would make the new server refuse.
    (data / "postmaster.pid").unlink(missing_ok=True)


def _end(pid: int, data: Path) -> None:
    for number, patience in _ENDINGS[:2]:  # a hard kill would leave its backends in the data
        os.kill(pid, number)
        if _gone(pid, data, patience):
            return
    raise PostgresStartError(
        f"数据目录 {data.parent} 上仍有一个无法停止的 PostgreSQL（进程号 {pid}）。请先结束该进程，再重新启动。"
    )


def _gone(pid: int, data: Path, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while _serves(pid, data):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
