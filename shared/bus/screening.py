"""What both logs refuse before anything is sent, so that a move from one to the other surprises nobody."""

from collections.abc import Container, Sequence

from shared.bus.log import BusError, BusRefusedError, Record

# Key, headers and value together. A Kafka broker takes 1 MiB a batch unless told otherwise.
MAX_RECORD_BYTES = 900_000


def screen(records: Sequence[Record], topics: Container[str]) -> list[BusError | None]:
    """Per record the fault it has by itself; a later record of the same topic and key is held back with it."""
    outcome: list[BusError | None] = []
    failed: set[tuple[str, str]] = set()
    for record in records:
        place = (record.topic, record.key)
        fault = held_back(record) if place in failed else _fault(record, topics)
        if fault is not None:
            failed.add(place)
        outcome.append(fault)
    return outcome


def held_back(record: Record) -> BusRefusedError:
    """Why a record that is sound by itself was not appended."""
    return BusRefusedError(f"not appended to {record.topic}: an earlier record of its key was not")


def _fault(record: Record, topics: Container[str]) -> BusRefusedError | None:
    if record.topic not in topics:
        return BusRefusedError(f"the log has no topic {record.topic}")
    try:
        size = _size(record)
    except UnicodeEncodeError:
        return BusRefusedError(f"a key or header for {record.topic} is not valid Unicode")
    if size > MAX_RECORD_BYTES:
        return BusRefusedError(f"a record for {record.topic} has {size} bytes; at most {MAX_RECORD_BYTES} are taken")
    return None


def _size(record: Record) -> int:
    headers = sum(len(name.encode()) + len(text.encode()) for name, text in record.headers.items())
    return len(record.key.encode()) + len(record.value) + headers
