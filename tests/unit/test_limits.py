"""What one source may ask, and what counts as one source."""

import pytest

from shared.http.limits import _SOURCES, RETRIES, Limit, Limiter, source_of
from shared.http.sources import DEVICE_COOKIE, handed_over
from tests.fixtures.edge import Edge

THREE = Limit(3, 10.0)


class Watch:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_a_household_is_one_source(host: str, source: str) -> None:
    assert source_of(host) == source


def test_a_source_that_asks_too_much_waits_and_no_other_notices() -> None:
    watch = Watch()
    limiter = Limiter(watch)
    assert [limiter.wait("a", "x", THREE) for _ in range(3)] == [0, 0, 0]
    assert limiter.wait("a", "x", THREE) == pytest.approx(10)
    assert (limiter.wait("a", "y", THREE), limiter.wait("b", "x", THREE)) == (0, 0)
    watch.now += 4
    assert limiter.wait("a", "x", THREE) == pytest.approx(6), "what was refused is not counted"
    watch.now += 6
    assert limiter.wait("a", "x", THREE) == 0
    assert limiter.wait("a", "x", THREE) == pytest.approx(10)
    watch.now += 1000
    assert [limiter.wait("a", "x", THREE) for _ in range(4)][:3] == [0, 0, 0]


def test_it_remembers_only_so_many_sources() -> None:
    limiter = Limiter(Watch())
    for number in range(_SOURCES + 10):
        limiter.wait("a", str(number), THREE)
    assert len(limiter._paid) == _SOURCES


async def test_a_flood_from_the_same_address_keeps_no_known_device_out() -> None:
    edge = Edge()
    edge.app.state.limiter = Limiter(Watch())
    mark = handed_over(edge.app.state.kit.exchange)
    async with edge.client() as flood, edge.client() as colleague, edge.client() as liar:
        colleague.cookies.set(DEVICE_COOKIE, mark)
        liar.cookies.set(DEVICE_COOKIE, "x" + mark[1:] if mark[0] != "x" else "y" + mark[1:])
        assert {(await flood.post("/api/edge", content=b"{")).status_code for _ in range(70)} == {422, 429}
        assert (await liar.post("/api/edge", content=b"{")).status_code == 429, "a mark that nobody made is none"
        answers = [(await colleague.post("/api/edge", content=b"{")).status_code for _ in range(61)]
        assert answers == [422] * 60 + [429], "counted by itself"


async def test_a_route_for_anybody_refuses_before_it_reads_and_says_when_to_come_again() -> None:
    edge = Edge()
    edge.app.state.limiter = Limiter(Watch())
    async with edge.client() as http:
        answers = [await http.post("/api/edge", content=b"{") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [422] * 60 + [429]
    assert (answers[-1].json()["code"], answers[-1].headers["retry-after"]) == ("too_many_requests", "1")
    async with edge.signed_in()[1] as http:
        assert {(await http.get("/api/edge/me")).status_code for _ in range(400)} == {200}, (
            "whoever is known is not held"
        )


async def test_a_retry_gets_its_old_answer_before_any_limit_and_no_flood_gets_round_it() -> None:
    edge = Edge()
    edge.app.state.limiter = Limiter(Watch())
    async with edge.client() as http:
        note, retry = {"text": "线索"}, {"Idempotency-Key": "one"}
        assert (await http.post("/api/edge", json=note, headers=retry)).status_code < 300
        assert {(await http.post("/api/edge", content=b"{")).status_code for _ in range(60)} == {422, 429}
        again = [(await http.post("/api/edge", json=note, headers=retry)).status_code for _ in range(RETRIES + 1)]
        assert [status < 300 for status in again] == [True] * RETRIES + [False]
        assert again[-1] == 429
        assert (await http.post("/api/edge", json=note, headers={"Idempotency-Key": "new"})).status_code == 429


async def test_what_was_refused_is_no_old_answer_and_counts_each_time() -> None:
    edge = Edge()
    edge.app.state.limiter = Limiter(Watch())
    async with edge.client(**{"Idempotency-Key": "one"}) as http:
        answers = [(await http.post("/api/edge", content=b"{")).status_code for _ in range(61)]
    assert answers == [422] * 60 + [429]
