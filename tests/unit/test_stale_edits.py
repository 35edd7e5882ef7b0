"""Who may save over what: by the version that was read, or as long as nobody else's change could be undone."""

from uuid import UUID

import pytest

from shared.crypto.keyring import KeyRing
from shared.http.versions import Edit, Stale, refuse_stale, state

ME, OTHER = UUID(int=1), UUID(int=2)
RING = KeyRing.generate()
TEXTS = {"cause": "甲纠纷", "obligation": "交付房屋"}


@pytest.mark.parametrize(
    ("seen", "changed_by", "taken"),
    [
        ("now", OTHER, True),
        ("now", None, True),
        ("old", OTHER, False),
        ("old", ME, False),
        ("old", None, False),
        (None, None, True),
        (None, ME, True),
        (None, OTHER, False),
    ],
)
def test_nobodys_change_is_undone_without_a_word(seen: str | None, changed_by: UUID | None, *, taken: bool) -> None:
    now = state(RING, "case", TEXTS, changed_by)
    edit = Edit(ME, now.version if seen == "now" else seen)
    mine = {"cause": "乙纠纷"}
    if taken:
        refuse_stale(edit, now, mine)
        return
    with pytest.raises(Stale) as refused:
        refuse_stale(edit, now, mine)
    assert refused.value.version == now.version
    assert [(each.field, each.mine, each.theirs) for each in refused.value.differences] == [
        ("cause", "乙纠纷", "甲纠纷")
    ]
    assert ("没有写明所读取的版本" in refused.value.detail) is (seen is None)


def test_what_changes_nothing_undoes_nothing() -> None:
    refuse_stale(Edit(ME, None), state(RING, "case", TEXTS, OTHER), TEXTS)
    refuse_stale(Edit(ME, "old"), state(RING, "case", TEXTS, OTHER), TEXTS)
