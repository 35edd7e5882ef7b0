"""Which marks of a device are taken."""

import pytest
from starlette.requests import Request

from shared.http.sources import DEVICE_COOKIE, device, marked


def _request(cookie: str) -> Request:
    headers = [(b"cookie", f"{DEVICE_COOKIE}={cookie}".encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize("cookie", ["", "short", "x" * 200, "中" * 22])
def test_what_is_no_mark_of_ours_is_none(cookie: str) -> None:
    assert device(_request(cookie)) is None
    assert device(_request(marked(_request(cookie)))) is not None


def test_a_device_keeps_its_mark() -> None:
    mark = marked(_request(""))
    assert marked(_request(mark)) == mark
