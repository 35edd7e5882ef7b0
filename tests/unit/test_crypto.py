import base64
import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.crypto import codes
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import UNNAMED, Lookups
from shared.crypto.sealed import KeyRingError, SealError
from shared.crypto.signing import KeyFormatError, SigningKey, VerifyingKey

K1, K2, INDEX = b"1" * 32, b"2" * 32, b"i" * 32
OLD = KeyRing({"k1": K1}, Lookups({UNNAMED: INDEX}))
NEW = KeyRing({"k2": K2, "k1": K1}, Lookups({UNNAMED: INDEX}))


class Contact(BaseModel):
    name: str
    phone: str | None


class Account(BaseModel):
    number: int


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens(text: str, about: str) -> None:
    assert NEW.open(NEW.seal(text, about), about) == text


def test_a_sealed_text_names_its_key_and_never_repeats() -> None:
    sealed = NEW.seal("张三", "party-1/name")
    assert sealed.startswith("k2.")
    assert sealed != NEW.seal("张三", "party-1/name")


def test_old_texts_open_under_the_new_ring_and_not_the_other_way() -> None:
    assert NEW.open(OLD.seal("13900000005", "p"), "p") == "13900000005"
    with pytest.raises(SealError, match="not on this ring"):
        OLD.open(NEW.seal("13900000005", "p"), "p")


def test_another_subject_cannot_be_opened() -> None:
    with pytest.raises(SealError):
        NEW.open(NEW.seal("13900000005", "party-1/phone"), "party-2/phone")


def test_a_key_of_the_same_name_is_not_the_same_key() -> None:
    with pytest.raises(SealError):
        KeyRing({"k1": K2}).open(OLD.seal("x", "p"), "p")


def test_every_changed_character_is_noticed() -> None:
    sealed = OLD.seal("李四", "p")
    for at in range(len(sealed)):
        changed = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(SealError):
            OLD.open(changed, "p")


@pytest.mark.parametrize("sealed", ["", ".", "k1", "k1.", "k1.AAAA", "k1.汉字", "k1.A", "k9.AAAA", "nonsense"])
def test_what_was_never_sealed_cannot_be_opened(sealed: str) -> None:
    with pytest.raises(SealError):
        OLD.open(sealed, "p")


@pytest.mark.parametrize("extra", ["=", "\n", " ", "!", "A"])
def test_only_the_exact_text_opens(extra: str) -> None:
    with pytest.raises(SealError):
        OLD.open(OLD.seal("x", "p") + extra, "p")


def test_models_are_sealed_whole() -> None:
    contact = Contact(name="王五", phone=None)
    sealed = NEW.seal_model(contact, "party-3")
    assert NEW.open_model(Contact, sealed, "party-3") == contact


def test_a_model_of_another_kind_is_an_error_without_the_content() -> None:
    sealed = NEW.seal_model(Contact(name="王五", phone="13900000005"), "party-3")
    with pytest.raises(SealError) as caught:
        NEW.open_model(Account, sealed, "party-3")
    assert "Account" in str(caught.value)
    assert "王五" not in str(caught.value)


def test_blind_indexes_find_equals_per_purpose_and_ring() -> None:
    index = OLD.blind_index("13900000005", "phone")
    assert len(index) == 64
    assert index == NEW.blind_index("13900000005", "phone")  # survives a change of keys
    assert index != OLD.blind_index("13900000006", "phone")
    assert index != OLD.blind_index("13900000005", "id_number")
    assert index != KeyRing({"k1": K1}, Lookups({UNNAMED: K2})).blind_index("13900000005", "phone")


def test_blind_index_is_hmac_under_an_hkdf_subkey() -> None:
    # RFC 5869 by hand: extract with a salt of zeros, expand by one block
    pseudo = hmac.digest(b"\0" * 32, INDEX, "sha256")
    subkey = hmac.digest(pseudo, b"blind index/phone\x01", "sha256")
    assert OLD.blind_index("13900000005", "phone") == hmac.digest(subkey, b"13900000005", "sha256").hex()


def test_a_ring_travels_as_one_line_with_the_current_key_first() -> None:
    text = NEW.to_text()
    assert text.startswith("k2:")
    again = KeyRing.from_text(text + "\n")
    assert again.to_text() == text
    assert again.seal("x", "p").startswith("k2.")
    assert again.open(OLD.seal("x", "p"), "p") == "x"
    assert again.blind_index("x", "p") == NEW.blind_index("x", "p")


def test_generated_rings_differ() -> None:
    ring, other = KeyRing.generate(), KeyRing.generate()
    assert KeyRing.from_text(ring.to_text()).open(ring.seal("x", "p"), "p") == "x"
    with pytest.raises(SealError):
        other.open(ring.seal("x", "p"), "p")


KEY = base64.urlsafe_b64encode(K1).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        f"k1:{KEY};index:",
        f";index:{KEY}",
        f"k1:{KEY};index:{KEY};index:{KEY}",
        f"k1:{KEY};chest:{KEY}",
        f"k1:{KEY};box:{KEY[:-4]}",
        f"k1:{KEY};index:a:{KEY},a:{KEY}",
        f"k1:{KEY};index:a/phone:{KEY}",
        f"k1:{KEY}=;index:{KEY}",
        f"k1:{KEY[:-4]};index:{KEY}",
        f"K1:{KEY};index:{KEY}",
        f"k1:{KEY},k1:{KEY};index:{KEY}",
    ],
)
def test_faulty_rings_are_refused_without_repeating_a_key(text: str) -> None:
    with pytest.raises(KeyRingError) as caught:
        KeyRing.from_text(text)
    assert KEY[:8] not in str(caught.value)


def test_a_ring_without_a_key_is_none() -> None:
    with pytest.raises(KeyRingError):
        KeyRing({})


def test_signatures_hold_for_exactly_these_bytes_and_this_key() -> None:
    key = SigningKey.generate()
    signature = key.sign("证据".encode())
    public = VerifyingKey.from_pem(key.verifying_key.to_pem())
    assert public.verify("证据".encode(), signature)
    assert not public.verify("证据。".encode(), signature)
    assert not public.verify("证据".encode(), signature[:-1] + bytes([signature[-1] ^ 1]))
    assert not public.verify("证据".encode(), b"")
    assert not SigningKey.generate().verifying_key.verify("证据".encode(), signature)


# RFC 8032, 7.1, test 2
RFC_PRIVATE = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
RFC_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n"


def test_the_rfcs_vector() -> None:
    private = pem("PRIVATE KEY", bytes.fromhex("302e020100300506032b657004220420") + RFC_PRIVATE)
    key = SigningKey.from_pem(private)
    assert key.sign(b"\x72") == RFC_SIGNATURE
    assert key.key_id == hashlib.sha256(RFC_PUBLIC).hexdigest()[:16]
    public = VerifyingKey.from_pem(pem("PUBLIC KEY", bytes.fromhex("302a300506032b6570032100") + RFC_PUBLIC))
    assert public.verify(b"\x72", RFC_SIGNATURE)
    assert public.key_id == key.key_id


def test_a_signing_key_survives_its_file() -> None:
    key = SigningKey.generate()
    again = SigningKey.from_pem(key.to_pem())
    assert again.key_id == key.key_id
    assert again.sign(b"x") == key.sign(b"x")


def test_the_wrong_kind_of_key_is_refused_without_repeating_it() -> None:
    key = SigningKey.generate()
    other_kind = pem("PRIVATE KEY", bytes.fromhex("302e020100300506032b656e04220420") + RFC_PRIVATE)  # X25519
    for text in ("", "nonsense", key.verifying_key.to_pem(), other_kind):
        with pytest.raises(KeyFormatError):
            SigningKey.from_pem(text)
    for text in ("", "nonsense", key.to_pem()):
        with pytest.raises(KeyFormatError) as caught:
            VerifyingKey.from_pem(text)
        assert "BEGIN" not in str(caught.value)


def test_query_codes_are_easy_to_read() -> None:
    made = [codes.query_code() for _ in range(500)]
    assert all(len(code) == 8 for code in made)
    assert not set("".join(made)) & set("0O1ILU")
    assert len(set(made)) == 500
    assert all(codes.normalize(code.lower()) == code for code in made)


def test_receipt_codes_carry_eighty_bits() -> None:
    assert len(set(codes.ALPHABET)) ** 16 == 2**80
    made = [codes.receipt_code() for _ in range(500)]
    assert all([len(group) for group in code.split("-")] == [4, 4, 4, 4] for code in made)
    assert set("".join(made)) == {*codes.ALPHABET, "-"}
    assert len({codes.normalize(code) for code in made}) == 500


def test_notice_numbers_are_sixteen_random_digits() -> None:
    made = [codes.notice_number() for _ in range(500)]
    assert all([len(group) for group in number.split("-")] == [4, 4, 4, 4] for number in made)
    assert all(codes.normalize(number).isdecimal() and len(codes.normalize(number)) == 16 for number in made)
    assert not any(number.startswith("0") for number in made)
    assert len(set(made)) == 500


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" ab2c-3d4e ", "AB2C3D4E"),
        ("oil0-ou", "01100V"),
        ("ＡＢ２Ｃ－３Ｄ４Ｅ", "AB2C3D4E"),  # full-width, as an input method leaves it
        ("AB2C—3D4E\u3000", "AB2C3D4E"),
        ("AB2C 3D4E。", "AB2C3D4E"),
        ("查询码：AB2C3D4E", "AB2C3D4E"),
        ("查询码", ""),
        ("", ""),
    ],
)
def test_typed_codes_are_brought_to_one_form(typed: str, meant: str) -> None:
    assert codes.normalize(typed) == meant


@given(st.text())
def test_normalizing_twice_changes_nothing(typed: str) -> None:
    once = codes.normalize(typed)
    assert codes.normalize(once) == once
