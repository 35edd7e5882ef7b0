"""Who should hold which partition: every member can tell by itself, from what the group's rows say."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from shared.bus.log import Place


@dataclass(frozen=True)
class Share:
    """What one member should give up, because it holds more than its share, and what it should take."""

    surplus: tuple[Place, ...]
    take: tuple[Place, ...]


def share(member: str, members: Mapping[str, Collection[str]], holders: Mapping[Place, str | None]) -> Share:
    """The share of `member`, given each live member's topics, and each partition's live holder or None.

    Per topic no two members differ by more than one partition; who gets the odd one turns from topic to topic.
    """
    surplus: list[Place] = []
    take: list[Place] = []
    for turn, topic in enumerate(sorted(set().union(*members.values()))):
        if topic not in members[member]:
            continue
        places = sorted(place for place in holders if place.topic == topic)
        quota = _quota(member, [name for name in sorted(members) if topic in members[name]], len(places), turn)
        mine = [place for place in places if holders[place] == member]
        free = [place for place in places if holders[place] is None]
        surplus += mine[quota:]
        take += free[: max(0, quota - len(mine))]
    return Share(tuple(surplus), tuple(take))


def _quota(member: str, members: list[str], places: int, turn: int) -> int:
    even, odd = divmod(places, len(members))
    return even + ((members.index(member) + turn) % len(members) < odd)
