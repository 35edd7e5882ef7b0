"""The keys that a process holds: from the environment, or, never in production, from files below the data folder.

A process reads only what its services declare for the zones that it serves; the rest is absent, and touching it
raises. Each service has rings of its own; `exchange` alone is shared, for what is sealed inside events.
"""

import logging
import os
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum, auto
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from shared.crypto.boxes import Drop
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.crypto.sealed import KeyRingError
from shared.crypto.signing import KeyFormatError, SigningKey
from shared.http.routes import Zone
from shared.http.tokens import PartySessions, StaffSigner, StaffTokens
from shared.runtime.key_files import SPREAD, KeyFiles, Take, following_lookups, following_ring
from shared.settings import Environment, RunSettings

T = TypeVar("T")
log = logging.getLogger(__name__)


class SecretsMissingError(Exception):
    """The product does not start without its keys, or with others; the message says so in Chinese."""


class SecretAbsentError(Exception):
    """The process does not hold the secret: its service declares none for the zones that it serves."""


class Secret(StrEnum):
    """What a service may declare. Each is a setting `YANGGUANG_<NAME>` and a file of its own."""

    KEYRING = auto()
    """Seals and opens the service's own rows; finds by keyed hash; opens what its public process put in."""
    EXCHANGE = auto()
    """Seals and opens personal data inside events."""
    LOOKUPS = auto()
    """Keyed hashes that a process of the public zone needs, too: codes, receipts, sources."""
    DROP = auto()
    """Public half of the service's box: seals, and does not open."""
    TOKEN_KEY = auto()
    """Signs staff tokens."""
    TOKEN_PUBLIC_KEY = auto()
    """Verifies staff tokens. Everybody has it."""
    PARTY_SESSIONS = auto()
    """Seals the cookie of a party's visit."""
    SIGNING_KEY = auto()
    """Signs evidence and the daily heads of the case log."""

    @property
    def setting(self) -> str:
        """The variable that carries it: the value, or `@` and the path of a file; `{service}` stands for the name."""
        return f"YANGGUANG_{self.name}"

    def file_name(self, service: str) -> str:
        """The file that holds it: one for each service, or one for all that declare it."""
        return f"{self.value}_{service}" if self in PER_SERVICE else self.value


PER_SERVICE: Final = frozenset({Secret.KEYRING, Secret.LOOKUPS, Secret.DROP})
Declared = Mapping[Zone, Collection[Secret]]
INSIDE: Final = frozenset({Secret.KEYRING, Secret.EXCHANGE, Secret.LOOKUPS, Secret.DROP, Secret.TOKEN_PUBLIC_KEY})
"""What a process of the court's inner network has in any case."""
USUAL: Final[Declared] = {Zone.STAFF: INSIDE, Zone.PUBLIC: frozenset({Secret.TOKEN_PUBLIC_KEY})}


class Absent:
    """Stands for a secret that this process does not hold."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    def __getattr__(self, name: str) -> Any:
        raise SecretAbsentError(f"this process holds no {self._secret.value}")


@dataclass(frozen=True)
class Keys:
    """What one service holds in this process; what it does not declare raises SecretAbsentError when touched."""

    keyring: KeyRing
    exchange: KeyRing
    lookups: Lookups
    drop: Drop
    staff_tokens: StaffTokens
    staff_signer: StaffSigner
    party_sessions: PartySessions
    signing: SigningKey


class Vault:
    """Reads secrets, each when it is first asked for; in a demonstration it makes what is missing.

    Raises SecretsMissingError for what is not there, or is not what it should be.
    """

    def __init__(self, run: RunSettings, spread: float = SPREAD) -> None:
        self._run = run
        self._made: list[Path] = []
        self._files = KeyFiles(spread)

    def follow(self) -> None:
        """Take over what changed in the key files since they were read; a spoilt file changes nothing."""
        self._files.follow()

    def discard_made(self) -> None:
        """Delete what was made for this start: it opens nothing, and the right keys are to take its place."""
        while self._made:
            self._made.pop().unlink(missing_ok=True)

    def keys(self, service: str, declared: Collection[Secret]) -> Keys:
        """What `service` may hold."""

        def held(secret: Secret, read: Callable[[], T]) -> T:
            return read() if secret in declared else cast(T, Absent(secret))

        if {Secret.TOKEN_KEY, Secret.TOKEN_PUBLIC_KEY} <= set(declared):
            self._check_pair()
        return Keys(
            keyring=held(Secret.KEYRING, lambda: self._opening(service, declared)),
            exchange=held(Secret.EXCHANGE, lambda: self.exchange),
            lookups=held(Secret.LOOKUPS, lambda: self.lookups(service)),
            drop=held(Secret.DROP, lambda: self.drop(service)),
            staff_tokens=held(Secret.TOKEN_PUBLIC_KEY, lambda: self.staff_tokens),
            staff_signer=held(Secret.TOKEN_KEY, lambda: self.staff_signer),
            party_sessions=held(Secret.PARTY_SESSIONS, lambda: self.party_sessions),
            signing=held(Secret.SIGNING_KEY, lambda: self.signing),
        )

    def keyring(self, service: str) -> KeyRing:
        """The service's own ring."""
        return self._read(Secret.KEYRING, service, KeyRing.from_text, lambda: self._ring().to_text())

    def lookups(self, service: str) -> Lookups:
        """The service's keyed hashes."""
        found = self._read(Secret.LOOKUPS, service, Lookups.from_text, lambda: self._new_lookups().to_text())
        self._watch(Secret.LOOKUPS, service, following_lookups(found))
        return found

    def drop(self, service: str) -> Drop:
        """The public half of the service's box."""
        return self._read(Secret.DROP, service, Drop.from_text, lambda: self._public_half(service))

    def _public_half(self, service: str) -> str:
        return self.keyring(service).drop.to_text()

    @cached_property
    def exchange(self) -> KeyRing:
        """The ring for events."""
        return self._followed(Secret.EXCHANGE, lambda: self._ring().to_text())

    @cached_property
    def staff_tokens(self) -> StaffTokens:
        """What verifies staff tokens."""
        return self._read(Secret.TOKEN_PUBLIC_KEY, "", StaffTokens.from_pem, lambda: self.staff_signer.public_pem)

    @cached_property
    def staff_signer(self) -> StaffSigner:
        """What signs staff tokens."""
        return self._read(Secret.TOKEN_KEY, "", StaffSigner.from_pem, lambda: SigningKey.generate().to_pem())

    @cached_property
    def party_sessions(self) -> PartySessions:
        """What seals parties' visits."""
        return PartySessions(self._followed(Secret.PARTY_SESSIONS, lambda: KeyRing.generate().to_text()))

    @cached_property
    def signing(self) -> SigningKey:
        """The court's signature."""
        return self._read(Secret.SIGNING_KEY, "", SigningKey.from_pem, lambda: SigningKey.generate().to_pem())

    def _check_pair(self) -> None:
        if not self.staff_tokens.accepts(self.staff_signer.public_pem):
            raise SecretsMissingError(
                "签发登录令牌的私钥 YANGGUANG_TOKEN_KEY 与公钥 YANGGUANG_TOKEN_PUBLIC_KEY 不配对："
                "请从备份恢复 token_key 和 token_public_key，或将两者一并重新生成（所有人须重新登录）。"
            )

    def _followed(self, secret: Secret, make: Callable[[], str]) -> KeyRing:
        ring = self._read(secret, "", KeyRing.from_text, make)
        ring.missed = self.follow
        self._watch(secret, "", following_ring(ring))
        return ring

    def _opening(self, service: str, declared: Collection[Secret]) -> KeyRing:
        """The service's ring, which opens what came in events, too."""
        own = self.keyring(service).with_also(*([self.exchange] if Secret.EXCHANGE in declared else []))
        own.missed = self.follow
        self._watch(Secret.KEYRING, service, following_ring(own))
        return own

    def _watch(self, secret: Secret, service: str, take: Take) -> None:
        path = self.path(secret, service)
        if path is not None:
            self._files.watch(path, take)

    def path(self, secret: Secret, service: str) -> Path | None:
        """The file that holds the secret; None when its value stands in the environment."""
        value = str(getattr(self._run, secret.value)).replace("{service}", service)
        if value:
            return Path(value[1:]) if value.startswith("@") else None
        return secret_path(self._run, secret.file_name(service) + _suffix(secret))

    def _ring(self) -> KeyRing:
        """A new ring; in a place that an older release filled, it goes on opening and finding what is there."""
        old, new = self._old(), KeyRing.generate()
        return new if old is None else new.taking_over(old)

    def _new_lookups(self) -> Lookups:
        """A new key; and of an older release's one only what finds what was public then."""
        old, new = self._old(), Lookups.generate()
        return new if old is None else new.with_bound(old.lookups.bound_to(*PUBLIC_PURPOSES))

    def _old(self) -> KeyRing | None:
        path = secret_path(self._run, OLD_RING)
        return KeyRing.from_text(path.read_text()) if path.exists() else None

    def _read(self, secret: Secret, service: str, parse: Callable[[str], T], make: Callable[[], str]) -> T:
        try:
            return parse(self._text(secret, service, make))
        except (KeyRingError, KeyFormatError):
            raise SecretsMissingError(f"{secret.setting} 的内容不是可用的密钥：请换成备份中的同名密钥。") from None

    def _text(self, secret: Secret, service: str, make: Callable[[], str]) -> str:
        value = str(getattr(self._run, secret.value)).replace("{service}", service)
        if value:
            return _given(secret, value)
        if self._run.environment is Environment.PRODUCTION:
            raise SecretsMissingError(
                f"缺少 {secret.setting}：生产环境的密钥必须由环境变量给出（可写 @文件路径），不得与数据放在一起。"
            )
        name = secret.file_name(service) + _suffix(secret)
        if not secret_path(self._run, name).exists():
            self._made.append(secret_path(self._run, name))
        return kept(self._run, name, make)


OLD_RING: Final = "keyring.txt"
"""The one ring that older releases had for everything."""
PUBLIC_PURPOSES: Final = ("tip receipt", "query code")
"""What hashes of an older release are looked for from the public zone."""
_PEM: Final = frozenset({Secret.TOKEN_KEY, Secret.TOKEN_PUBLIC_KEY, Secret.SIGNING_KEY})


def _suffix(secret: Secret) -> str:
    return ".pem" if secret in _PEM else ".txt"


def _given(secret: Secret, value: str) -> str:
    if not value.startswith("@"):
        return value
    try:
        return Path(value[1:]).read_text()
    except OSError:
        raise SecretsMissingError(f"无法读取 {secret.setting} 所指的密钥文件 {value[1:]}。") from None


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
