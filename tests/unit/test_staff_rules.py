from uuid import UUID

import pytest

from services.staff.domain.people import DEPARTMENTS, Member, landing, local_path, member_faults, password_faults
from shared.powers import POSTS, Role

PANELS = ("执行一合议庭",)
JUDGE = Member(
    id=UUID(int=1),
    login="judge",
    name="承办法官甲",
    phone="023-12345701",
    department="执行局",
    panel="执行一合议庭",
    roles=(Role.JUDGE,),
    court="渝05",
    active=True,
    must_change=False,
)


def with_facts(**facts: object) -> Member:
    return Member(**{**JUDGE.__dict__, **facts})


def test_every_post_has_its_place() -> None:
    for role, post in POSTS.items():
        assert member_faults(with_facts(roles=(role,), department=post.department), PANELS) == []


@pytest.mark.parametrize(
    ("department", "roles"),
    [
        ("执行局", (Role.ADJUDICATION,)),
        ("执行局", (Role.JUDGE, Role.AUCTION)),
        ("审判监督庭", (Role.ADJUDICATION, Role.JUDGE)),
        ("司法行政处", (Role.AUCTION, Role.CHIEF)),
    ],
)
def test_nobody_holds_two_of_the_three_powers(department: str, roles: tuple[Role, ...]) -> None:
    assert [fault.field for fault in member_faults(with_facts(department=department, roles=roles), PANELS)] == ["roles"]


def test_every_fault_of_a_member_is_named_at_once() -> None:
    faults = member_faults(with_facts(department="后勤", panel="三合议庭"), PANELS)
    assert [fault.field for fault in faults] == ["roles", "department", "panel"]
    assert all(department in faults[1].reason for department in DEPARTMENTS)


@pytest.mark.parametrize(
    ("password", "count"),
    [("kx7m-9qfw-2hcd", 0), ("short-1A", 1), ("aaaaaaaaaaaa", 1), ("my-JUDGE-password", 0), ("xx-Clerk-2026-11", 1)],
)
def test_weak_passwords(password: str, count: int) -> None:
    assert len(password_faults("new", "clerk", password)) == count


@pytest.mark.parametrize(
    ("roles", "path"),
    [
        ((Role.DUTY,), "/desk"),
        ((Role.COMMAND,), "/desk"),
        ((Role.CLERK,), "/cases"),
        ((Role.ADMIN,), "/staff"),
        ((Role.JUDGE,), "/work"),
        ((Role.PRESIDENT, Role.OFFICE), "/work"),
    ],
)
def test_sign_in_leads_where_the_work_is(roles: tuple[Role, ...], path: str) -> None:
    assert landing(roles) == path


@pytest.mark.parametrize("path", ["/", "/work", "/cases?q=1&cursor=%E6%A1%88", "/cases/%EF%BC%882026%EF%BC%89#log"])
def test_local_paths_are_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        *("", "work", " /work", "http:/work", "https://evil.example/", "javascript:alert(1)"),
        *("//evil.example", "/\\evil.example", "\\/evil.example", "/\t/evil.example", "/a\\b", "/\x7f"),
        "/ok\nSet-Cookie: a=b",
    ],
)
def test_nothing_leads_to_another_site(path: str) -> None:
    assert local_path(path) is None
