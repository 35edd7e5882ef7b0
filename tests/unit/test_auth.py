"""Tokens: whose they are, for how long, for what; and what a forged one is worth."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.clock import SystemClock
from shared.crypto.keyring import KeyRing
from shared.db.transaction import new_id
from shared.errors import Unauthenticated
from shared.http.auth import PARTY_COOKIE, STAFF_COOKIE, PartyCaller
from shared.http.tokens import LONGEST, PartySessions, StaffSigner, StaffTokens
from shared.powers import ACTION_WORDS, POWERS, Action, Role
from tests.fixtures.edge import Edge
from tests.fixtures.kits import caller

KEY = Ed25519PrivateKey.generate()
SIGNER = StaffSigner(KEY)
TOKENS = SIGNER.tokens
VISITS = PartySessions(KeyRing.generate())
HOUR = timedelta(hours=1)
CLERK = caller(Role.CLERK)
PARTY = PartyCaller(new_id(), new_id(), new_id(), datetime(2026, 11, 23, tzinfo=UTC))


def test_a_token_names_whom_it_was_issued_to() -> None:
    assert TOKENS.staff(SIGNER.for_staff(CLERK, HOUR)) == CLERK
    assert VISITS.party(VISITS.for_party(PARTY, HOUR)) == PARTY


def test_a_token_says_when_the_second_factor_was_given_if_it_was() -> None:
    for given_at in (SystemClock().now(), None):
        assert TOKENS.staff(SIGNER.for_staff(replace(CLERK, factor_at=given_at), HOUR)).factor_at == given_at
    assert TOKENS.staff(_signed()).factor_at is None, "one of an older release"


def test_one_kind_of_person_never_passes_for_another() -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.staff(VISITS.for_party(PARTY, HOUR))
    with pytest.raises(Unauthenticated):
        VISITS.party(SIGNER.for_staff(CLERK, HOUR))


def _body(**changes: Any) -> dict[str, Any]:
    now = SystemClock().now()
    body = {
        "sub": str(CLERK.staff_id),
        "aud": "staff",
        "iat": now,
        "exp": now + HOUR,
        "login": "clerk",
        "name": "某人",
        "court": "渝05",
        "department": "立案庭",
        "roles": ["clerk"],
    }
    return {name: value for name, value in {**body, **changes}.items() if value is not None}


def _signed(key: Any = KEY, algorithm: str | None = "EdDSA", **changes: Any) -> str:
    return jwt.encode(_body(**changes), key, algorithm=algorithm)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


PUBLIC_PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _confused() -> str:
    """Signed by HMAC with the public key, which anybody may know."""
    head, body = (
        _part({"alg": "HS256", "typ": "JWT"}),
        _part({"sub": str(new_id()), "aud": "staff", "roles": ["admin"]}),
    )
    signature = jwt.get_algorithm_by_name("HS256").sign(f"{head}.{body}".encode(), PUBLIC_PEM)
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _altered() -> str:
    head, _, signature = _signed().split(".")
    claims = _body(roles=["admin"], iat=None, exp=2**40)
    return f"{head}.{_part(claims)}.{signature}"


FORGED = {
    "expired": _signed(exp=SystemClock().now() - timedelta(seconds=1)),
    "without an end": _signed(exp=None),
    "without a subject": _signed(sub=None),
    "without an audience": _signed(aud=None),
    "for another audience": _signed(aud="party"),
    "by another key": _signed(Ed25519PrivateKey.generate()),
    "unsigned": _signed(None, None),
    "by HMAC with the public key": _confused(),
    "altered": _altered(),
    "without roles": _signed(roles=None),
    "with a role that nobody has": _signed(roles=["emperor"]),
    "with a factor that is no instant": _signed(factor="lately"),
    "of nobody": _signed(sub="nobody"),
    "without a beginning": _signed(iat=None),
    "longer than any may live": _signed(exp=SystemClock().now() + timedelta(days=365 * 31)),
    "begun long ago, to live longer": _signed(iat=SystemClock().now() - LONGEST, exp=SystemClock().now() + HOUR),
    "not yet issued": _signed(iat=SystemClock().now() + HOUR),
    "empty": "",
    "no token": "x",
    "two dots": "..",
    "not latin": "令牌.令牌.令牌",
    "deeply nested": f"{base64.urlsafe_b64encode(b'[' * 50_000).decode()}.{_part({})}.x",
    "with a huge number": f"{base64.urlsafe_b64encode(b'9' * 6000).decode()}.{_part({})}.x",
}


def test_the_forgers_pen_writes_good_tokens_too() -> None:
    assert TOKENS.staff(_signed()).staff_id == CLERK.staff_id


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_what_is_forged_or_lapsed_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        TOKENS.staff(token)


@pytest.mark.parametrize("token", [token for token in FORGED.values() if token.isascii()])
async def test_and_refused_at_the_edge_as_bearer_and_as_cookie(token: str) -> None:
    edge = Edge()
    async with (
        edge.client(authorization=f"Bearer {token}") as bearer,
        edge.client(cookie=f"{STAFF_COOKIE}={token}") as browser,
    ):
        for http in (bearer, browser):
            answer = await http.get("/api/edge/me")
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


async def test_a_token_is_taken_from_the_cookie_or_the_header() -> None:
    edge = Edge()
    token = edge.signer.for_staff(CLERK, HOUR)
    for headers in ({"authorization": f"bearer {token}"}, {"cookie": f"{STAFF_COOKIE}={token}"}):
        async with edge.client(**headers) as http:
            assert (await http.get("/api/edge/me")).json() == {"login": "clerk"}


async def test_a_partys_token_opens_no_staff_route_and_the_reverse() -> None:
    edge = Edge()
    party, staff = edge.visits.for_party(PARTY, HOUR), edge.signer.for_staff(CLERK, HOUR)
    for headers in (
        {"authorization": f"Bearer {party}"},
        {"cookie": f"{STAFF_COOKIE}={party}"},
        {"cookie": f"{PARTY_COOKIE}={party}"},
    ):
        async with edge.client(**headers) as http:
            assert (await http.get("/api/edge/me")).status_code == 401, headers
    async with edge.client(cookie=f"{PARTY_COOKIE}={party}") as http:
        assert (await http.get("/api/edge/party")).json() == {"party": str(PARTY.party_id)}
    for headers in ({"cookie": f"{PARTY_COOKIE}={staff}"}, {"cookie": f"{STAFF_COOKIE}={staff}"}):
        async with edge.client(**headers) as http:
            answer = await http.get("/api/edge/party")
            assert answer.status_code == 401, headers


def test_every_action_has_a_rule_and_words_for_whoever_hands_it_on() -> None:
    assert set(POWERS) == set(ACTION_WORDS) == set(Action)


@pytest.mark.parametrize("role", Role)
async def test_the_powers_table_decides(role: Role) -> None:
    edge = Edge()
    somebody, http = edge.signed_in(role)
    async with http:
        answer = await http.get("/api/edge/me")
    if role in POWERS[Action.CASES_READ].roles:
        assert answer.json() == {"login": somebody.login}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


async def test_a_browser_without_a_token_is_shown_the_way_in_and_back() -> None:
    async with Edge().client(accept="text/html") as http:
        answer = await http.get("/edge/staff?q=案件&next=//evil.example")
    assert answer.status_code == 303
    target = answer.headers["location"]
    assert target.startswith("/sign-in/refresh?next=%2Fedge%2Fstaff%3F")
    assert "//" not in target


def test_the_subject_of_a_token_is_an_id() -> None:
    claims = jwt.decode(SIGNER.for_staff(CLERK, HOUR), options={"verify_signature": False})
    assert UUID(claims["sub"]) == CLERK.staff_id
    assert claims["exp"] - claims["iat"] == HOUR.total_seconds()


def test_two_keys_are_good_while_one_takes_over_from_the_other() -> None:
    other = StaffSigner(Ed25519PrivateKey.generate())
    both = StaffTokens.from_pem(other.public_pem + SIGNER.public_pem)
    assert both.staff(SIGNER.for_staff(CLERK, HOUR)) == both.staff(other.for_staff(CLERK, HOUR)) == CLERK
    with pytest.raises(Unauthenticated):
        other.tokens.staff(SIGNER.for_staff(CLERK, HOUR))


def test_nobody_is_given_a_token_that_lives_too_long() -> None:
    claims = jwt.decode(SIGNER.for_staff(CLERK, timedelta(days=30)), options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == LONGEST.total_seconds()


def test_a_visit_carries_what_it_was_given_and_ends() -> None:
    assert VISITS.carried(VISITS.for_party(PARTY, HOUR, "钥匙")) == "钥匙"
    for token in (VISITS.for_party(PARTY, timedelta(0)), PartySessions(KeyRing.generate()).for_party(PARTY, HOUR)):
        with pytest.raises(Unauthenticated):
            VISITS.party(token)
