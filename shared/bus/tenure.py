"""What a member may commit: only what it was given since it last took hold of the partition.

A partition that was lost and taken again may have been carried further by another member meanwhile; offsets of the
earlier hold would move the group back.
"""

from collections.abc import Iterable, Mapping

from shared.bus.log import BusFencedError, Delivered, Place


class Tenure:
    """The span of offsets handed out per partition held."""

    def __init__(self) -> None:
        self._spans: dict[Place, tuple[int, int]] = {}
        self._committed: dict[Place, int] = {}

    def hand_out(self, records: Iterable[Delivered]) -> None:
        """Note records as given to the consumer, in the order of their offsets."""
        for record in records:
            first, _ = self._spans.get(record.place, (record.offset, 0))
            self._spans[record.place] = (first, record.offset + 1)

    def check(self, offsets: Mapping[Place, int]) -> None:
        """Raise BusFencedError when an offset was not handed out in the present hold of its partition."""
        refused = sorted(place for place, offset in offsets.items() if not self._covers(place, offset))
        if refused:
            raise BusFencedError(
                f"no longer held: {', '.join(f'{place.topic}/{place.partition}' for place in refused)}"
            )

    def committed(self, offsets: Mapping[Place, int]) -> None:
        self._committed.update(offsets)

    def is_idle(self, place: Place) -> bool:
        """Everything handed out of the partition has been committed."""
        span = self._spans.get(place)
        return span is None or self._committed.get(place, -1) >= span[1]

    def is_settled(self) -> bool:
        """Everything handed out of all partitions has been committed."""
        return all(self.is_idle(place) for place in self._spans)

    def lose(self, places: Iterable[Place]) -> None:
        for place in places:
            self._spans.pop(place, None)
            self._committed.pop(place, None)

    def _covers(self, place: Place, offset: int) -> bool:
        first, following = self._spans.get(place, (0, -1))
        return first <= offset <= following
