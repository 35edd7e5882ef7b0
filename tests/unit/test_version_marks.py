"""The mark of what was read stays good when keys change: nobody is told of a change that nobody made."""

from uuid import UUID

import pytest

from shared.crypto.keyring import KeyRing
from shared.http.versions import Edit, Stale, mark, refuse_stale, state

ME, OTHER = UUID(int=1), UUID(int=2)


def test_what_was_read_before_new_keys_is_not_older_than_what_stands() -> None:
    former = KeyRing.generate()
    seen = mark(former, "case", {"cause": "民间借贷纠纷"})
    now = state(former.rotated(index=True).rotated(index=True), "case", {"cause": "民间借贷纠纷"}, OTHER)
    assert now.version != seen
    refuse_stale(Edit(ME, seen), now, {"cause": "买卖合同纠纷"})
    with pytest.raises(Stale):
        refuse_stale(Edit(ME, mark(former, "case", {"cause": "其他"})), now, {"cause": "买卖合同纠纷"})
