"""The second factor: codes by the time (RFC 6238) from a telephone, and recovery codes for when it is lost. Pure.

A telephone knows only the real time, so codes go by the machine's clock: whoever moves the product's clock moves no
code.
"""

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pyotp

from services.staff.domain.people import GUARDED, Member
from shared.crypto.codes import normalize
from shared.powers import Role

STEP = 30
"""Seconds for which a telephone shows one code."""
RECOVERY_CODES = 10
ENROLMENT = timedelta(days=7)
"""For how long a code that was handed out for the first enrolment is good."""
ISSUER = "阳光执行"
_AROUND = (0, -1, 1)
"""A telephone may be off by a step, and whoever types takes a moment."""


@dataclass(frozen=True)
class Factor:
    """What a member's codes are checked against. `secret` is sealed; of `last_step` and before no code is good."""

    staff_id: UUID
    secret: str
    last_step: int
    enrolled_at: datetime


def is_required(roles: Collection[Role]) -> bool:
    """Whether somebody with these posts comes in only with a second factor."""
    return bool(GUARDED & set(roles))


def must_have_one(member: Member) -> bool:
    """Whether the member comes in only with one: for posts that wait, too, lest the password alone set one up."""
    return is_required(member.given)


def new_secret() -> str:
    """What a telephone and the court share: 160 bits, in base32."""
    return pyotp.random_base32()


def link(secret: str, login: str) -> str:
    """What an authenticator reads from a QR code."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=login, issuer_name=ISSUER)


def grouped(secret: str) -> str:
    """A secret as somebody types it: in groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def step_of(instant: datetime) -> int:
    """The time step that an instant falls into."""
    return int(instant.timestamp()) // STEP


def code_at(secret: str, step: int) -> str:
    """The code that a telephone shows during a step."""
    return pyotp.TOTP(secret, interval=STEP).generate_otp(step)


def plain(typed: str) -> str:
    """The digits of what somebody typed: spaces and hyphens between groups mean nothing, nor does their width."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", typed) if sign.isascii() and sign.isalnum())


def accepted_step(secret: str, typed: str, now: datetime, last_step: int) -> int | None:
    """The step whose code this is; None for a wrong one, and for one that was given already, or an older one."""
    given, here = plain(typed), step_of(now)
    steps = (here + around for around in _AROUND if here + around > last_step)
    return next((step for step in steps if hmac.compare_digest(code_at(secret, step), given)), None)


def new_recovery_codes() -> list[str]:
    """Codes to be kept on paper: twelve digits each, so that the keys of a telephone suffice."""
    return ["-".join(f"{secrets.randbelow(10_000):04}" for _ in range(3)) for _ in range(RECOVERY_CODES)]


def recovery_mark(secret: str, typed: str) -> bytes:
    """What is kept of a recovery code: keyed with the secret, which is sealed, so that a copied table tells nothing."""
    return hmac.digest(secret.encode(), plain(typed).encode(), hashlib.sha256)


def enrolment_mark(typed: str) -> bytes:
    """What is kept of a code for the first enrolment: it is random, so a plain digest tells nothing."""
    return hashlib.sha256(normalize(typed).encode()).digest()
