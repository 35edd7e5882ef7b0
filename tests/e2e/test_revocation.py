"""Whoever signed out everywhere, or was dismissed, is out of every service within five seconds."""

import time

import httpx

from tests.fixtures.running import Product, eventually

WITHIN = 5.0
"""Seconds."""
DOORS = (
    "/api/staff/me",
    "/api/cases",
    "/api/stages",
    "/api/notices?case_number=x",  # 404 for who is let in
    "/api/tip-senders",
    "/api/desk/queue",
)
"""One of each service that has people's doors. Whether the post may come in there is not asked here."""


def refused(product: Product, token: str) -> list[str]:
    """The doors at which a bearer is told to sign in."""
    headers = {"authorization": f"Bearer {token}"}
    answers = {door: httpx.get(f"{product.url}{door}", headers=headers, timeout=60) for door in DOORS}
    assert all(answer.status_code in {200, 401, 403, 404} for answer in answers.values()), answers
    return [door for door, answer in answers.items() if answer.status_code == 401]


def taken_back(product: Product, token: str, since: float) -> None:
    """Waits until a bearer is worth nothing anywhere; fails when that takes longer than promised."""
    eventually("out of every service", 60, lambda: len(refused(product, token)) == len(DOORS))
    assert time.monotonic() - since < WITHIN


def test_signing_out_everywhere_is_heard_by_every_service(product: Product) -> None:
    copied, other = product.token("auction"), product.token("auction")
    assert refused(product, copied) == refused(product, other) == []
    since = time.monotonic()
    answer = httpx.post(
        f"{product.url}/api/staff/sign-out-everywhere", headers={"authorization": f"Bearer {other}"}, timeout=60
    )
    assert answer.status_code == 204, answer.text
    taken_back(product, copied, since)
    assert refused(product, product.token("auction")) == [], "and may come in again"


def test_a_dismissal_is_heard_by_every_service(product: Product) -> None:
    token, admin = product.token("office"), product.as_("admin")
    assert refused(product, token) == []
    (member,) = [item for item in admin.get("/api/staff/members").json()["items"] if item["login"] == "office"]
    since = time.monotonic()
    answer = admin.patch(f"/api/staff/members/{member['id']}", json={"active": False})
    assert answer.status_code == 200, answer.text
    taken_back(product, token, since)
    assert admin.patch(f"/api/staff/members/{member['id']}", json={"active": True}).status_code == 200
