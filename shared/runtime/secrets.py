"""Keys and passwords: from the environment, or, never in production, from files below the data folder."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from shared.crypto.keyring import KeyRing
from shared.crypto.signing import SigningKey
from shared.http.auth import Tokens
from shared.settings import Environment, RunSettings


class SecretsMissingError(Exception):
    """Production does not start without keys that lie apart from the data."""


@dataclass(frozen=True)
class Secrets:
    """The keys that a process holds."""

    keyring: KeyRing
    signing: SigningKey
    tokens: Tokens


def secret_path(run: RunSettings, name: str) -> Path:
    """Where the secret `name` lies below the data folder."""
    return run.data / "secrets" / name


def kept(run: RunSettings, name: str, make: Callable[[], str]) -> str:
    """The secret `name` below the data folder, made at first use, readable by its owner alone.

    Of several processes that start at once, one makes it and all read that one.
    """
    path = secret_path(run, name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(make())
        _sync(draft)
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    for folder in (path.parent, *path.parent.parents):  # also when another process made it a moment ago
        _sync(folder)
        if folder == run.data:
            break
    return path.read_text()


def _sync(path: Path) -> None:
    """Bring a file's content, or a folder's entries, to the disk: a power cut must not take the only key."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _given(run: RunSettings, value: str, name: str, make: Callable[[], str]) -> str:
    if value:
        return Path(value[1:]).read_text() if value.startswith("@") else value
    if run.environment is Environment.PRODUCTION:
        setting = name.partition(".")[0].upper()
        raise SecretsMissingError(
            f"缺少 YANGGUANG_{setting}：生产环境的密钥必须由环境变量给出（可写 @文件路径），不得与数据放在一起。"
        )
    return kept(run, name, make)


def load_secrets(run: RunSettings) -> Secrets:
    """Read, or for a demonstration make, the keys. Raises SecretsMissingError."""
    keyring = KeyRing.from_text(_given(run, run.keyring, "keyring.txt", lambda: KeyRing.generate().to_text()))
    signing = SigningKey.from_pem(
        _given(run, run.signing_key, "signing_key.pem", lambda: SigningKey.generate().to_pem())
    )
    token = _given(run, run.token_key, "token_key.pem", lambda: SigningKey.generate().to_pem())
    key = load_pem_private_key(token.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise SecretsMissingError("YANGGUANG_TOKEN_KEY 不是 Ed25519 私钥，请重新生成。")
    return Secrets(keyring, signing, Tokens(key))
