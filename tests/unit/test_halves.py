"""What cannot be done among many is found in few steps."""

from collections.abc import Sequence

from shared.halves import in_halves


class Doer:
    """Does all but the odd ones, together or not at all."""

    def __init__(self, *odd: int) -> None:
        self.odd = set(odd)
        self.done: list[int] = []
        self.calls = 0

    async def do(self, some: Sequence[int]) -> bool:
        self.calls += 1
        if not self.odd.isdisjoint(some):
            return False
        self.done += some
        return True


async def test_one_call_does_them_all() -> None:
    doer = Doer()
    assert await in_halves(range(200), doer.do) == []
    assert (doer.calls, len(doer.done)) == (1, 200)
    assert await in_halves([], doer.do) == []
    assert doer.calls == 1


async def test_those_that_cannot_be_done_keep_no_other_from_it() -> None:
    doer = Doer(3, 150)
    assert await in_halves(range(200), doer.do) == [3, 150]
    assert sorted(doer.done) == [number for number in range(200) if number not in {3, 150}]
    assert doer.calls < 40


async def test_where_nothing_can_be_done_each_is_tried_by_itself() -> None:
    doer = Doer(0, 1, 2)
    assert await in_halves(range(3), doer.do) == [0, 1, 2]
    assert doer.done == []
