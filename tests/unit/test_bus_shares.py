"""Each member reckons its share by itself; together the shares must be fair and whole."""

from hypothesis import given
from hypothesis import strategies as st

from shared.bus.log import Place
from shared.bus.postgres.shares import share

TOPICS = ("cases", "desk", "notices")
members = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]), st.sets(st.sampled_from(TOPICS), min_size=1), min_size=1
)
partitions = st.fixed_dictionaries({topic: st.integers(0, 7) for topic in TOPICS})


def _settle(group: dict[str, set[str]], holders: dict[Place, str | None]) -> None:
    """Everybody gives up and takes until nothing changes."""
    for _ in range(5):
        for name in group:
            what = share(name, group, holders)
            holders.update(dict.fromkeys(what.surplus))
            assert all(holders[place] is None for place in what.take)
            holders.update(dict.fromkeys(what.take, name))


@given(members, partitions, st.data())
def test_shares_settle_fair_and_whole(group: dict[str, set[str]], counts: dict[str, int], data: st.DataObject) -> None:
    places = [Place(topic, n) for topic, count in counts.items() for n in range(count)]
    start = st.sampled_from([None, *group])
    holders: dict[Place, str | None] = {place: data.draw(start) for place in places}
    for place, holder in holders.items():
        if holder is not None and place.topic not in group[holder]:
            holders[place] = None
    _settle(group, holders)
    for topic in TOPICS:
        interested = [name for name, topics in group.items() if topic in topics]
        held = [
            sum(place.topic == topic and holder == name for place, holder in holders.items()) for name in interested
        ]
        if interested:
            assert sum(held) == counts[topic]
            assert max(held) - min(held) <= 1


def test_the_odd_partitions_go_round() -> None:
    group = {"a": set(TOPICS), "b": set(TOPICS)}
    holders: dict[Place, str | None] = {Place(topic, 0): None for topic in TOPICS}
    _settle(group, holders)
    assert sorted(map(str, holders.values())) in (["a", "a", "b"], ["a", "b", "b"])


def test_a_settled_group_changes_nothing() -> None:
    group = {"a": {"cases"}, "b": {"cases"}}
    holders: dict[Place, str | None] = {Place("cases", 0): "b", Place("cases", 1): "a"}
    for name in group:
        what = share(name, group, holders)
        assert what.surplus == what.take == ()
