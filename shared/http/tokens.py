"""Who made a token, and whether it is good: staff tokens are signed by the staff service alone, parties' are sealed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from shared.clock import SystemClock
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError
from shared.crypto.signing import KeyFormatError, VerifyingKey, blocks
from shared.errors import Unauthenticated
from shared.http.auth import NEVER_READ, Caller, PartyCaller
from shared.powers import Action, Role

LONGEST = timedelta(hours=1)
"""No staff token lives longer, whoever signed it: longer access is a matter of API tokens, which can be taken back."""

_AUDIENCE = "staff"
_ALGORITHM = "EdDSA"
_REQUIRED = ["exp", "iat", "sub"]


class StaffTokens:
    """Verifies staff tokens, by public keys alone; several while one takes over from another.

    Tokens live by the machine's clock: moving the product's clock signs nobody out.
    """

    def __init__(self, keys: Sequence[Ed25519PublicKey]) -> None:
        self._keys = tuple(keys)

    @classmethod
    def from_pem(cls, text: str) -> "StaffTokens":
        """Read one or more public keys. Raises KeyFormatError."""
        return cls([_public(block) for block in blocks(text) or [text]])

    def accepts(self, pem: str) -> bool:
        """Whether tokens of the owner of this public key are good."""
        return _public(pem) in self._keys

    def staff(self, token: str) -> Caller:
        """The member of staff whom a token names. Raises Unauthenticated."""
        claims = self._claims(token)
        try:
            roles = frozenset(Role(role) for role in claims["roles"])
            session, scopes, factor = (claims.get(name) for name in ("sid", "scopes", "factor"))
            return Caller(
                UUID(claims["sub"]),
                claims["login"],
                claims["name"],
                claims["court"],
                claims["department"],
                roles,
                None if session is None else UUID(session),
                None if scopes is None else frozenset(map(Action, scopes)),
                datetime.fromtimestamp(claims.get("born", claims["iat"]), UTC),
                None if factor is None else datetime.fromtimestamp(factor, UTC),
                bool(claims.get("doubted")),
            )
        except (KeyError, ValueError, TypeError):  # signed by an older or a newer release, which knows other roles
            raise lapsed() from None

    def issued_at(self, token: str) -> datetime:
        """When a good token was issued (UTC). Raises Unauthenticated."""
        return datetime.fromtimestamp(self._claims(token)["iat"], UTC)

    def _claims(self, token: str) -> dict[str, Any]:
        for key in self._keys:
            try:
                claims: dict[str, Any] = jwt.decode(
                    token, key, algorithms=[_ALGORITHM], audience=_AUDIENCE, options={"require": _REQUIRED}
                )
            except (jwt.PyJWTError, ValueError, RecursionError):  # the last two: headers made to upset the parser
                continue
            if claims["exp"] - claims["iat"] <= LONGEST.total_seconds():
                return claims
        raise lapsed()


class StaffSigner:
    """Signs staff tokens. Only the staff service has it."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._clock = SystemClock()

    @classmethod
    def from_pem(cls, text: str) -> "StaffSigner":
        """Read the private key. Raises KeyFormatError."""
        try:
            key = load_pem_private_key(text.encode(), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFormatError("not the PEM text of an unencrypted Ed25519 private key")
        return cls(key)

    @property
    def tokens(self) -> StaffTokens:
        """What verifies the tokens signed here."""
        return StaffTokens([self._key.public_key()])

    @property
    def public_pem(self) -> str:
        """The public half, for everybody else."""
        return VerifyingKey(self._key.public_key()).to_pem()

    def for_staff(self, caller: Caller, lifetime: timedelta) -> str:
        """A token for a member of staff, good for at most `LONGEST`."""
        now = self._clock.now()
        claims = {
            "sub": str(caller.staff_id),
            "aud": _AUDIENCE,
            "iat": now,
            "exp": now + min(lifetime, LONGEST),
            "login": caller.login,
            "name": caller.name,
            "court": caller.court,
            "department": caller.department,
            "roles": sorted(caller.roles),
            "born": (now if caller.born == NEVER_READ else caller.born).timestamp(),
            "sid": caller.session and str(caller.session),
            "scopes": None if caller.scopes is None else sorted(caller.scopes),
            "factor": caller.factor_at and caller.factor_at.timestamp(),
            "doubted": caller.doubted or None,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)


class PartySessions:
    """A party's visit, sealed into their cookie. `carried` is what the cookie keeps for the visit, such as their key.

    The ring is of no other use, and the subject of the seal says what it is: no other sealed text passes for a visit.
    """

    _ABOUT = "party session"

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._clock = SystemClock()

    def for_party(self, party: PartyCaller, lifetime: timedelta, carried: str = "") -> str:
        """The cookie's value for a visit of `lifetime`."""
        until = self._clock.now() + lifetime
        ids = [str(party.party_id), str(party.case_id), str(party.visit)]
        visit = [*ids, party.entered_at.timestamp(), int(until.timestamp()), carried]
        return self._ring.seal(json.dumps(visit), self._ABOUT)

    def party(self, token: str) -> PartyCaller:
        """The party whom a cookie names. Raises Unauthenticated."""
        party_id, case_id, visit, entered_at, _, _ = self._visit(token)
        return PartyCaller(UUID(party_id), UUID(case_id), UUID(visit), datetime.fromtimestamp(entered_at, UTC))

    def carried(self, token: str) -> str:
        """What the cookie keeps for the visit. Raises Unauthenticated."""
        return str(self._visit(token)[5])

    def _visit(self, token: str) -> tuple[str, str, str, float, int, str]:
        try:
            party_id, case_id, visit, entered_at, until, carried = json.loads(self._ring.open(token, self._ABOUT))
        except (SealError, ValueError):
            raise lapsed() from None
        if until <= self._clock.now().timestamp():
            raise lapsed()
        return party_id, case_id, visit, entered_at, until, carried


def _public(block: str) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(block.encode())
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFormatError("not the PEM text of an Ed25519 public key")
    return key


def lapsed() -> Unauthenticated:
    """A token or visit that is not, or no longer, good."""
    return Unauthenticated("not_signed_in", "登录已失效，请重新登录。")
