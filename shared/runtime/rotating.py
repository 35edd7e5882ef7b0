"""New keys in front of the old ones, in the files that hold them; the product follows and re-seals by itself.

Where processes learn of keys by a restart alone, new ones are handed out first and lead in a second step: until all
have been restarted, some would meet what they cannot open, and hash what others do not find.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.runtime.secrets import Secret
from shared.runtime.service import Service

Where = Callable[[Secret, str], Path]


class RotationError(Exception):
    """The files are not in the state that the step begins with; the message says in Chinese what to do."""


def rotate(services: Iterable[Service], where: Where, *, waits: bool = False) -> dict[str, str]:
    """Add new keys to the files at `where`, as far as they are there; the id of each service's current key by its name.

    With `waits` they do not lead before `promote`. Raises RotationError while others wait. Everything is read and made
    before anything is written. Old keys stay: rows are put under the new ones step by step, and the case log and past
    events never are.
    """

    def ring(held: KeyRing, *, index: bool) -> KeyRing:
        if held.parts.waiting:
            raise RotationError(_UNFINISHED)
        return held.rotated(index=index, waits=waits)

    def lookups(held: Lookups) -> Lookups:
        if held.waiting:
            raise RotationError(_UNFINISHED)
        return held.rotated(waits=waits)

    return _rewrite(services, where, ring, lookups)


def promote(services: Iterable[Service], where: Where) -> dict[str, str]:
    """What was handed out leads; the id of each service's current key by its name. May be repeated."""
    return _rewrite(services, where, _promoted, Lookups.promoted)


def _promoted(held: KeyRing, **_: bool) -> KeyRing:
    return held.promoted()


class _Ring(Protocol):
    def __call__(self, held: KeyRing, *, index: bool) -> KeyRing: ...


def _rewrite(
    services: Iterable[Service], where: Where, ring: _Ring, lookups: Callable[[Lookups], Lookups]
) -> dict[str, str]:
    found: dict[str, str] = {}
    texts: dict[Path, str] = {}
    for secret in (Secret.EXCHANGE, Secret.PARTY_SESSIONS):
        if (path := where(secret, "")).exists():
            texts[path] = ring(KeyRing.from_text(path.read_text()), index=False).to_text()
    for service in services:
        path, hashes = where(Secret.KEYRING, service.name), where(Secret.LOOKUPS, service.name)
        own = ring(KeyRing.from_text(path.read_text()), index=True)
        texts |= {path: own.to_text(), where(Secret.DROP, service.name): own.drop.to_text()}
        if hashes.exists():
            texts[hashes] = lookups(Lookups.from_text(hashes.read_text())).to_text()
        found[service.name] = own.current
    for path, text in texts.items():
        write(path, text)
    return found


_UNFINISHED = "上一次换的新密钥还没有启用：请先重启全部进程，再运行 python -m deploy.make_secrets --promote。"


def write(path: Path, text: str) -> None:
    """All at once, on the disk, with the rights that the file has: a power cut must not take the only key."""
    draft = path.with_name(f"{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o600)
    for each in (draft, path.parent):
        number = os.open(each, os.O_RDONLY)
        os.fsync(number)
        os.close(number)
        if each == draft:
            draft.replace(path)
