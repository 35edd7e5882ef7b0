"""Run as a script in a fresh interpreter: lower the rights, tie the life to the parent's, become `postgres`.

Arguments: the parent's pid, uid and gid (or `-` twice), then the command. A script rather than a hook between
fork and exec: a hook may deadlock when other threads run.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def become_server(parent: str, uid: str, gid: str, command: list[str]) -> None:
    """Replace this process by `command`. The death signal comes last, as a change of uid clears it."""
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
    if os.getppid() != int(parent):  # the parent died before the signal was set
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    become_server(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
