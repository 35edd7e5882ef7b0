"""CPU seconds by group of processes, from /proc: every descendant of the processes that a bench started."""

import os
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_CPU_FIELDS = slice(11, 15)
"""utime, stime, cutime, cstime of proc(5), counted after the name: what ended children used stays in the sum."""


@dataclass(frozen=True)
class _Seen:
    pid: int
    parent: int
    seconds: float
    command: str


def used(roots: Mapping[int, str], group_of: Callable[[str, str], str]) -> dict[str, float]:
    """CPU seconds by group. `roots` names each pid with all below it; `group_of` takes that name and a command."""
    seen = _processes()
    children: dict[int, list[_Seen]] = defaultdict(list)
    for process in seen:
        children[process.parent].append(process)
    total: dict[str, float] = defaultdict(float)
    waiting = [(process, roots[process.pid]) for process in seen if process.pid in roots]
    while waiting:
        process, root = waiting.pop()
        total[group_of(root, process.command)] += process.seconds
        waiting += [(child, root) for child in children[process.pid]]
    return dict(total)


def _processes() -> list[_Seen]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # ended meanwhile
            seconds = sum(map(int, stat[_CPU_FIELDS])) / _TICKS
            found.append(_Seen(int(folder.name), int(stat[1]), seconds, command))
    return found
