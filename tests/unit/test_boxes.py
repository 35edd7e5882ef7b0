"""What is put into a box comes out with the private key alone."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from shared.crypto.boxes import Box, Drop, stretched
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import UNNAMED, Lookups
from shared.crypto.sealed import KeyRingError, SealError

BOX = Box.generate()


def test_who_has_the_public_half_puts_in_and_only_the_private_half_takes_out() -> None:
    drop = Drop.from_text(BOX.drop.to_text() + "\n")
    sealed = drop.seal("13900000005", "tip-1/contact")
    assert sealed.startswith(f"{BOX.key_id}.")
    assert sealed != drop.seal("13900000005", "tip-1/contact")
    assert Box.from_text(BOX.to_text()).open(sealed, "tip-1/contact") == "13900000005"
    assert not hasattr(drop, "open")


@pytest.mark.parametrize("other", [Box.generate(), Box(X25519PrivateKey.generate())])
def test_another_box_opens_nothing(other: Box) -> None:
    with pytest.raises(SealError):
        other.open(BOX.drop.seal("x", "p"), "p")


def test_nor_does_the_right_one_under_another_subject_or_when_a_character_changed() -> None:
    sealed = BOX.drop.seal("x", "p")
    with pytest.raises(SealError):
        BOX.open(sealed, "q")
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(SealError):
            BOX.open(changed, "p")


@pytest.mark.parametrize("sealed", ["", ".", "{key}", "{key}.", "{key}.AAAA", "{key}.汉字"])
def test_what_was_never_put_in_does_not_come_out(sealed: str) -> None:
    with pytest.raises(SealError):
        BOX.open(sealed.format(key=BOX.key_id), "p")


def test_the_box_is_hpke_with_the_published_key_of_rfc_9180() -> None:
    """RFC 9180, A.1.1 lists the pair: skRm and pkRm."""
    private = bytes.fromhex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8")
    public = bytes.fromhex("3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d")
    box = Box(X25519PrivateKey.from_private_bytes(private))
    assert box.key_id == f"box-{hashlib.sha256(public).hexdigest()[:16]}"
    assert box.open(box.drop.seal("x", "p"), "p") == "x"


@pytest.mark.parametrize("text", ["", "AAAA", "=" * 44, "汉" * 43])
def test_what_is_no_key_is_refused(text: str) -> None:
    for read in (Box.from_text, Drop.from_text):
        with pytest.raises(KeyRingError):
            read(text)


def test_a_ring_opens_what_was_put_into_its_box_and_a_process_without_the_ring_cannot() -> None:
    ring = KeyRing.from_text(KeyRing.generate().to_text())
    assert ring.open(ring.drop.seal("x", "p"), "p") == "x"
    with pytest.raises(SealError):
        KeyRing.generate().open(ring.drop.seal("x", "p"), "p")


def test_a_ring_opens_what_came_in_events_and_hands_over_what_goes_out() -> None:
    exchange, own, other = KeyRing.generate(), KeyRing.generate(), KeyRing.generate()
    out = own.hand_over(own.seal("x", "p"), "p", exchange)
    assert other.with_also(exchange).open(out, "p") == "x"
    with pytest.raises(SealError):
        other.with_also(exchange).open(own.seal("x", "p"), "p")
    assert own.with_also(exchange).seal("x", "p").startswith(f"{own.current}."), "but seals with its own key"


def test_a_new_ring_that_takes_over_opens_and_finds_what_is_old() -> None:
    old = KeyRing({"k1": b"1" * 32}, Lookups({UNNAMED: b"i" * 32}))
    new = KeyRing.from_text(KeyRing.generate().taking_over(old).to_text())
    assert new.open(old.seal("x", "p"), "p") == "x"
    assert not new.seal("x", "p").startswith("k1.")
    assert old.blind_index("x", "phone") in new.blind_indexes("x", "phone")
    assert new.open(new.drop.seal("x", "p"), "p") == "x"


def test_hashes_name_their_key_and_older_ones_are_still_searched_for() -> None:
    old, new = Lookups({"a1": b"1" * 32}), Lookups({"b2": b"2" * 32, "a1": b"1" * 32})
    assert new.index("x", "code").startswith("b2.")
    assert new.indexes("x", "code") == (new.index("x", "code"), old.index("x", "code"))
    assert Lookups.from_text(new.to_text()).indexes("x", "code") == new.indexes("x", "code")


def test_a_key_bound_to_a_purpose_finds_nothing_else() -> None:
    old, new = Lookups({UNNAMED: b"1" * 32}), Lookups({"b2": b"2" * 32})
    bound = Lookups.from_text(Lookups({"b2": b"2" * 32}, old.bound_to("tip receipt")).to_text())
    assert bound.indexes("x", "tip receipt") == (new.index("x", "tip receipt"), old.index("x", "tip receipt"))
    assert bound.indexes("x", "phone") == (new.index("x", "phone"),)


def test_a_key_from_typed_words_is_argon2id_and_salted() -> None:
    key = stretched("ABCD2345123456", b"s" * 16)
    assert len(key) == 32
    assert key == stretched("ABCD2345123456", b"s" * 16)
    assert key != stretched("ABCD2345123456", b"t" * 16)
    assert key != stretched("ABCD2345123457", b"s" * 16)
