"""Cookies are set in one place, where each of them becomes Secure as soon as the site is https."""

from pathlib import Path

from fastapi import Response

from shared.http.cookies import drop_cookie, keep_cookie
from shared.settings import RunSettings

ROOT = Path(__file__).parents[2]


def test_no_other_place_sets_a_cookie() -> None:
    files = [path for room in ("services", "shared", "deploy") for path in (ROOT / room).rglob("*.py")]
    found = [path.name for path in files if {"set_cookie(", "delete_cookie("} & set(_calls(path))]
    assert found == ["cookies.py"]


def _calls(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    return [name for name in ("set_cookie(", "delete_cookie(") if f".{name}" in text]


def test_every_cookie_is_secure_where_the_site_is_https() -> None:
    for site, secure in (("https://zx.example.cn", True), ("http://127.0.0.1:8000", False)):
        answer = Response()
        keep_cookie(answer, RunSettings(site_url=site), "a", "b", 60, "/p")
        drop_cookie(answer, RunSettings(site_url=site), "a", "/p")
        cookies = answer.headers.getlist("set-cookie")
        assert [("Secure" in cookie, "HttpOnly" in cookie, "SameSite=lax" in cookie) for cookie in cookies] == [
            (secure, True, True)
        ] * 2


def test_every_client_of_the_product_keeps_no_cookie() -> None:
    """A kept cookie goes out with the next person's request: clients are made in one place."""
    files = [path for room in ("services", "shared") for path in (ROOT / room).rglob("*.py")]
    found = [path.name for path in files if "httpx.AsyncClient(" in path.read_text(encoding="utf-8")]
    assert found == ["outgoing.py"]
