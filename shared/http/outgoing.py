"""The client of every request that the product makes itself."""

from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx


def outgoing_client(
    timeout: float | httpx.Timeout,
    *,
    limits: httpx.Limits | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    base_url: str = "",
    headers: Mapping[str, str] | None = None,
) -> httpx.AsyncClient:
    """A client that keeps no cookie and asks no proxy of the environment. Close it with aclose().

    A cookie that one answer sets would go out with the next person's request. `timeout` is in seconds.
    """
    return httpx.AsyncClient(
        timeout=timeout,
        limits=limits or httpx.Limits(),
        transport=transport,
        base_url=base_url,
        headers=headers,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        trust_env=False,
        follow_redirects=False,
    )
