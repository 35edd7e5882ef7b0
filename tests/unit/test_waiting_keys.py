"""Keys that are handed out and do not lead yet: they open and find, and nothing is sealed or hashed with them."""

from collections.abc import Callable

import pytest

from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.crypto.sealed import KeyRingError


def test_a_waiting_ring_seals_as_before_and_opens_what_comes() -> None:
    ring = KeyRing.generate()
    handed = KeyRing.from_text(ring.rotated(index=True, waits=True).to_text())
    led = KeyRing.from_text(handed.promoted().to_text())
    assert (handed.current, handed.drop.key_id) == (ring.current, ring.drop.key_id)
    assert handed.blind_index("x", "y") == ring.blind_index("x", "y")
    assert led.current != ring.current
    assert led.drop.key_id != ring.drop.key_id
    assert handed.open(led.seal("x", "y"), "y") == "x"
    assert handed.open(led.drop.seal("x", "y"), "y") == "x"
    assert led.blind_index("x", "y") in handed.blind_indexes("x", "y")
    assert "+" not in led.to_text()


def test_all_processes_meet_at_the_oldest_key_whatever_waits() -> None:
    lookups = Lookups.generate()
    handed = Lookups.from_text(lookups.rotated(waits=True).to_text())
    for each in (handed, handed.promoted(), handed.led_by(lookups.current)):
        assert each.oldest_index("x", "y") == lookups.oldest_index("x", "y")
    assert (handed.current, handed.newest) == (lookups.current, lookups.newest)


@pytest.mark.parametrize("read", [KeyRing.from_text, Lookups.from_text])
def test_something_must_lead(read: Callable[[str], object]) -> None:
    text = KeyRing.generate().to_text().split(";", maxsplit=1)[0]
    with pytest.raises(KeyRingError):
        read(f"+{text}")
