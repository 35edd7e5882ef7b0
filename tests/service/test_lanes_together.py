"""Events of several keys settled in one transaction: one that fails costs its neighbours nothing."""

import uuid

from shared.bus.consumer import _parcels
from shared.bus.lanes import Verdict
from shared.bus.log import Delivered, Place
from shared.errors import NotYet
from tests.service.test_lanes import Bench, bench

__all__ = ["bench"]

HANDLED, QUEUED, FAILED, REPEATED = Verdict.HANDLED, Verdict.QUEUED, Verdict.FAILED, Verdict.REPEATED


async def test_several_keys_pass_together_and_a_repetition_changes_nothing(bench: Bench) -> None:
    one, two = uuid.uuid4(), uuid.uuid4()
    records = [bench.event(one, 1), bench.event(two, 1), bench.event(one, 2)]
    assert await bench.keeper.settle_all(records) == [HANDLED] * 3
    again = [*records, bench.event(two, 2)]
    assert await bench.keeper.settle_all(again) == [REPEATED] * 3 + [HANDLED]
    assert sorted(await bench.rows()) == sorted(f"{key.hex[:4]}-{n}" for key in (one, two) for n in (1, 2))


async def test_a_key_that_fails_is_parked_and_its_neighbours_pass_in_order(bench: Bench) -> None:
    good, bad, other = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    bench.fail, bench.fail_for = ValueError("boom"), {bad}
    records = [bench.event(good, 1), bench.event(bad, 1), bench.event(other, 1), bench.event(bad, 2)]
    records.append(bench.event(good, 2))
    assert await bench.keeper.settle_all(records) == [HANDLED, FAILED, HANDLED, QUEUED, HANDLED]
    assert [row for row in await bench.rows() if row.startswith(good.hex[:4])] == [
        f"{good.hex[:4]}-{n}" for n in (1, 2)
    ]
    assert not [row for row in await bench.rows() if row.startswith(bad.hex[:4])]


async def test_a_gap_and_bytes_that_nobody_can_decode_stop_nobody_else(bench: Bench) -> None:
    good, gap = uuid.uuid4(), uuid.uuid4()
    rubbish = Delivered(Place("tips", 0), 99, b"rubbish", b"{")
    records = [rubbish, bench.event(gap, 2), bench.event(good, 1)]
    assert await bench.keeper.settle_all(records) == [FAILED, FAILED, HANDLED]


async def test_who_waits_is_queued_while_the_others_pass(bench: Bench) -> None:
    late, good = uuid.uuid4(), uuid.uuid4()
    bench.fail, bench.fail_for = NotYet(), {late}
    assert await bench.keeper.settle_all([bench.event(late, 1), bench.event(good, 1)]) == [QUEUED, HANDLED]
    bench.fail = None
    assert await bench.keeper.revisit() == 1
    assert len(await bench.rows()) == 2


def test_a_parcel_holds_whole_keys_in_order() -> None:
    records = [Delivered(Place("tips", n % 2), n, b"k%d" % (n % 3), b"") for n in range(12)]
    parcels = _parcels(records, 5)
    assert sorted(record.offset for parcel in parcels for record in parcel) == list(range(12))
    assert [{record.key for record in parcel} for parcel in parcels] == [{b"k0", b"k1"}, {b"k2"}]
    of_one = [record.offset for record in parcels[0] if record.key == b"k1"]
    assert of_one == sorted(of_one)
