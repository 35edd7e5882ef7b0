"""New keys in front of the old ones, in the files that hold them; the product follows and re-seals by itself."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.runtime.secrets import Secret
from shared.runtime.service import Service

Where = Callable[[Secret, str], Path]


def rotate(services: Iterable[Service], where: Where) -> dict[str, str]:
    """Add new keys to the files at `where`, as far as they are there; the id of each service's new key by its name.

    Everything is read and made before anything is written. Old keys stay: rows are put under the new ones step by
    step, and the case log and past events never are.
    """
    found: dict[str, str] = {}
    texts: dict[Path, str] = {}
    for secret in (Secret.EXCHANGE, Secret.PARTY_SESSIONS):
        if (path := where(secret, "")).exists():
            texts[path] = KeyRing.from_text(path.read_text()).rotated(index=False).to_text()
    for service in services:
        path, hashes = where(Secret.KEYRING, service.name), where(Secret.LOOKUPS, service.name)
        ring = KeyRing.from_text(path.read_text()).rotated(index=True)
        texts |= {path: ring.to_text(), where(Secret.DROP, service.name): ring.drop.to_text()}
        if hashes.exists():
            texts[hashes] = Lookups.from_text(hashes.read_text()).rotated().to_text()
        found[service.name] = ring.current
    for path, text in texts.items():
        write(path, text)
    return found


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
