"""New readers read old events: each committed sample still decodes to what it said when it was committed."""

import json
from pathlib import Path

import pytest

from shared.contracts.envelope import REGISTRY, UndecodableError, decode, encode
from shared.runtime.registry import load, service_names

for _name in service_names():
    load(_name)  # registers every contract

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_sample_is_read_and_nothing_of_it_is_lost(path: Path) -> None:
    raw = path.read_bytes()
    envelope, event = decode(raw)
    assert event is not None
    assert envelope.type == path.stem
    assert envelope.subject == event.key
    written = json.loads(
        encode(envelope.model_copy(update={"data": event.model_dump(mode="json", exclude_unset=True)}))
    )
    assert written == json.loads(raw)


def test_there_is_a_sample_of_every_type_and_none_of_a_type_that_is_gone() -> None:
    assert {path.stem for path in GOLDEN} == set(REGISTRY)


def test_who_knows_one_type_of_a_topic_knows_them_all() -> None:
    """A process that handles none of a topic's other types passes them over; it must know them for that."""
    modules = {(event.topic, event.__module__) for event in REGISTRY.values()}
    assert len(modules) == len({topic for topic, _ in modules})


def test_a_newer_field_is_ignored_and_an_unknown_type_has_no_event() -> None:
    sample = json.loads(GOLDEN[0].read_text())
    sample["data"]["of_a_later_version"] = 1
    assert decode(json.dumps(sample).encode())[1] is not None
    sample["type"] = "something.new.v9"
    assert decode(json.dumps(sample).encode())[1] is None


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", b"[]", b"{}", b'{"type": "case.filed.v1"}'])
def test_what_is_no_envelope_is_undecodable(raw: bytes) -> None:
    with pytest.raises(UndecodableError):
        decode(raw)


def test_the_reason_names_fields_and_never_their_values() -> None:
    sample = json.loads(next(path for path in GOLDEN if path.stem == "case.filed.v1").read_text())
    sample["data"]["parties"] = "13800000000"
    with pytest.raises(UndecodableError) as caught:
        decode(json.dumps(sample).encode())
    assert "13800000000" not in str(caught.value)
    assert "parties" in str(caught.value)
