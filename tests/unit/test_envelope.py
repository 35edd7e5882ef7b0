"""Envelopes whose numbers no database can keep are no envelopes."""

import json
from uuid import uuid4

import pytest

from shared.contracts.envelope import UndecodableError, decode

SOUND = {
    "id": str(uuid4()),
    "source": "/bench",
    "type": "nobody.knows.v1",
    "subject": "k",
    "time": "2026-11-23T04:00:00Z",
    "sequence": 2**63 - 1,
    "court": "渝05",
    "data": {},
}


def test_the_largest_sequence_is_read() -> None:
    assert decode(json.dumps(SOUND).encode())[0].sequence == 2**63 - 1


@pytest.mark.parametrize("sequence", [0, -1, 2**63, 99999999999999999999])
def test_a_sequence_out_of_bounds_is_undecodable(sequence: int) -> None:
    with pytest.raises(UndecodableError, match="sequence"):
        decode(json.dumps({**SOUND, "sequence": sequence}).encode())


def test_a_nest_without_end_is_undecodable() -> None:
    with pytest.raises(UndecodableError):
        decode(b"[" * 200_000)
