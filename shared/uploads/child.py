"""The child in which one uploaded file is read: `python -m shared.uploads.child HEAD`, the file on standard input.

It takes its limits upon itself before it imports the reader or sees a byte of the file. It imports little, because it
starts anew for each file. It answers with lines of JSON on standard output: the reader's items one by one, and in
the last line the faults for which the file is refused, of a good one none.
"""

import importlib
import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import Invalid

OUT_OF_MEMORY = 3
"""The exit status that says so; a parser in another language is aborted instead."""


def _limit(limits: Mapping[str, int]) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory"], limits["memory"]))
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu"], limits["cpu"] + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))


def _read(head: Mapping[str, Any], content: bytes) -> Any:
    """Write the items as they come; the faults, if it is refused."""
    module, _, function = head["entry"].partition(":")
    try:
        for item in getattr(importlib.import_module(module), function)(content, **head["options"]):
            _write(item)
    except Invalid as refusal:
        return [[fault.field, fault.reason] for fault in refusal.faults]
    return []


def _write(item: Any) -> None:
    sys.stdout.buffer.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")


def main(arguments: Sequence[str]) -> None:
    """Read one file."""
    head = json.loads(arguments[0])
    _limit(head["limits"])
    try:
        faults = _read(head, sys.stdin.buffer.read())
        _write(faults)
        sys.stdout.buffer.flush()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    # Nothing is to be tidied up, and giving back a large table piece by piece takes time.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
