"""Ties a process's life to that of whoever started it, where the system can (Linux)."""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def end_with_parent(parent: int) -> None:
    """Let the kernel send this process SIGTERM when its parent dies; survives an exec.

    `parent` is the pid that must still be the parent's once the signal is set: else it died before, and so must we.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)
