"""The book of faults: who is struck, how often, and the same script twice the same."""

import pytest
from pydantic import ValidationError

from services.sandbox.domain.faults import FAULTS, FaultBook, MailFault, ReceiptFault, SmsFault


def test_a_fault_strikes_its_recipient_as_often_as_told():
    book = FaultBook([SmsFault(kind="refuse", recipient="1", count=2)])
    assert book.sms(["2", "3"]) is None
    assert book.sms(["2", "1"]) is not None
    assert book.sms(["1"]) is not None
    assert book.sms(["1"]) is None
    assert book.listed()[0][1] == 0


def test_without_a_count_it_strikes_for_ever_and_clearing_ends_it():
    book = FaultBook()
    book.add(ReceiptFault(kind="never"))
    assert all(book.receipt(str(number)) for number in range(5))
    book.clear()
    assert book.receipt("1") is None


def test_channels_and_stages_do_not_mix():
    book = FaultBook([SmsFault(kind="http_500"), MailFault(kind="cut", at="rcpt", recipient="a@b")])
    assert book.receipt("1") is None
    assert book.mail("mail") is None
    assert book.mail("rcpt", ["c@d"]) is None
    fault = book.mail("rcpt", ["a@b"])
    assert fault is not None
    assert fault.kind == "cut"


def test_chance_is_seeded():
    def script(seed: int) -> list[bool]:
        book = FaultBook([SmsFault(kind="refuse", probability=0.5, seed=seed)])
        return [book.sms(["1"]) is not None for _ in range(200)]

    assert script(1) == script(1)
    assert script(1) != script(2)
    assert 60 < sum(script(1)) < 140


def test_the_first_that_strikes_wins_and_a_spent_one_makes_room():
    book = FaultBook([SmsFault(kind="refuse", count=1), SmsFault(kind="http_500")])
    assert [getattr(book.sms(["1"]), "kind", None) for _ in range(2)] == ["refuse", "http_500"]


def test_faults_are_read_from_json():
    raw = '[{"channel":"sms","kind":"timeout_after","seconds":2},{"channel":"mail","kind":"delay","at":"mail"}]'
    first, second = FAULTS.validate_json(raw)
    assert isinstance(first, SmsFault)
    assert isinstance(second, MailFault)


@pytest.mark.parametrize(
    "raw",
    [
        '[{"channel":"fax","kind":"refuse"}]',
        '[{"channel":"sms","kind":"refuse","probability":2}]',
        '[{"channel":"sms","kind":"refuse","count":0}]',
        '[{"channel":"mail","kind":"refuse","at":"mail","reply":"250 fine"}]',
        '[{"channel":"mail","kind":"refuse","at":"mail","reply":"550 a\\r\\n250 b"}]',
        '[{"channel":"sms","kind":"refuse","typo":1}]',
    ],
)
def test_faulty_faults_are_refused(raw):
    with pytest.raises(ValidationError):
        FAULTS.validate_json(raw)
