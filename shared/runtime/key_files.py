"""Key files that change while processes hold what was in them: all follow, and none misses what others hash."""

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.crypto.sealed import KeyRingError

log = logging.getLogger(__name__)

SPREAD: Final = 5.0
"""Seconds within which every process follows new keys."""


class Take(Protocol):
    """Takes over a file's text. Without `hashing`, what is new in it finds, and what hashed before goes on hashing."""

    def __call__(self, text: str, *, hashing: bool) -> None: ...


def following_ring(ring: KeyRing) -> Take:
    """What takes over a changed file for a ring. It seals with the new key at once: a sealed text names its key."""

    def take(text: str, *, hashing: bool) -> None:
        parts, former = KeyRing.from_text(text).parts, ring.parts.lookups
        if parts.lookups is not None and former is not None and not hashing:
            parts = replace(parts, lookups=parts.lookups.led_by(former.current))
        ring.become(parts)

    return take


def following_lookups(lookups: Lookups) -> Take:
    """What takes over a changed file for index keys."""

    def take(text: str, *, hashing: bool) -> None:
        new = Lookups.from_text(text)
        lookups.become(new if hashing else new.led_by(lookups.current))

    return take


@dataclass
class _Source:
    """A file that keys were read from, and what takes over its new content."""

    path: Path
    take: Take
    stamp: tuple[int, int] | None
    hashes_from: float | None = None
    """From when on what was taken over hashes, too; None: it does."""


class KeyFiles:
    """The files that a process follows."""

    def __init__(self, spread: float) -> None:
        self._spread = spread
        self._sources: list[_Source] = []

    def watch(self, path: Path, take: Take) -> None:
        """Follow the file from what it holds now."""
        self._sources.append(_Source(path, take, _stamp(path)))

    def follow(self) -> None:
        """Take over what changed; a spoilt file changes nothing.

        A new index key finds at once, and hashes when every process has had the time to find with it.
        """
        now = time.monotonic()
        for source in self._sources:
            stamp = _stamp(source.path)
            if stamp not in (source.stamp, None) and _is_taken(source, hashing=False):
                source.stamp, source.hashes_from = stamp, now + self._spread
            if source.hashes_from is not None and now >= source.hashes_from and _is_taken(source, hashing=True):
                source.hashes_from = None


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        known = path.stat()
    except OSError:
        return None
    return known.st_mtime_ns, known.st_ino


def _is_taken(source: _Source, *, hashing: bool) -> bool:
    try:
        source.take(source.path.read_text(), hashing=hashing)
    except (OSError, KeyRingError):
        log.warning("a changed key file cannot be read", extra={"file": source.path.name})
        return False
    return True
