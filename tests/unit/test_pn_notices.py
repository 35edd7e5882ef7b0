"""Who is owed which notice, what waits, and how documents may travel."""

from dataclasses import replace

import pytest

from services.party_notification.domain.notices import Judge, Kind, Role, ServiceWay, split_number, way_of
from services.party_notification.domain.owed import due_for_party, due_on_assignment, is_complete, missing
from shared.errors import Conflict
from tests.fixtures.notice_facts import APPLICANT, CASE, CHILD, RESPONDENT, travelling


@pytest.mark.parametrize("way", ServiceWay)
def test_way_is_true_to_consent_and_addresses(way: ServiceWay) -> None:
    assert way_of(travelling(APPLICANT, way)) is way


def test_consent_without_mail_address_is_no_electronic_service() -> None:
    assert way_of(replace(APPLICANT, email=None)) is ServiceWay.PAPER
    assert way_of(replace(APPLICANT, email="", postal_address="")) is ServiceWay.COLLECT


def test_only_mail_ways_stay_off_the_paper_worklist() -> None:
    assert [way for way in ServiceWay if way.by_paper] == [ServiceWay.PAPER, ServiceWay.COLLECT]
    assert all(way.by_mail is not way.by_paper for way in ServiceWay)


@pytest.mark.parametrize("parties", [[], [APPLICANT], [RESPONDENT, CHILD]])
def test_an_incomplete_case_tells_nobody(parties: list) -> None:
    assert not is_complete(CASE, parties)
    assert due_on_assignment(CASE, parties) == []


def test_assignment_makes_three_notices_due_to_each_party() -> None:
    due = due_on_assignment(CASE, [APPLICANT, RESPONDENT, CHILD])
    assert [(d.party_id, d.kind) for d in due] == [
        ("p1", Kind.CASE_ACCEPTED),
        ("p1", Kind.RIGHTS_RISKS),
        ("p1", Kind.INTEGRITY_CARD),
        ("p2", Kind.ENFORCEMENT_NOTICE),
        ("p2", Kind.RIGHTS_RISKS),
        ("p2", Kind.INTEGRITY_CARD),
        ("p3", Kind.ENFORCEMENT_NOTICE),
        ("p3", Kind.RIGHTS_RISKS),
        ("p3", Kind.INTEGRITY_CARD),
    ]
    assert all(d.waits is None for d in due)


@pytest.mark.parametrize("obligation", [None, "", "  "])
def test_only_the_enforcement_notice_waits_for_the_obligation(obligation: str | None) -> None:
    due = due_on_assignment(replace(CASE, obligation=obligation), [APPLICANT, RESPONDENT])
    waiting = {d.kind: d.waits for d in due if d.waits}
    assert set(waiting) == {Kind.ENFORCEMENT_NOTICE}
    waits = waiting[Kind.ENFORCEMENT_NOTICE]
    assert (waits.fields, waits.owner) == (("应履行义务",), "clerk")
    assert "缺少应履行义务" in waits.reason


def test_a_party_added_later_is_told_alone() -> None:
    assert {d.party_id for d in due_for_party(CASE, CHILD)} == {"p3"}


def test_a_party_without_telephone_is_still_owed_notices() -> None:
    party = replace(RESPONDENT, phone=None)
    assert party.contact_phone is None
    assert all(d.waits is None for d in due_for_party(CASE, party))


def test_a_minors_contact_is_the_guardians_alone() -> None:
    assert CHILD.contact_phone == "19900000008"
    assert replace(CHILD, guardian_phone=None).contact_phone is None
    assert CHILD.addressee == "张小宝的法定代理人张大明"


@pytest.mark.parametrize(
    ("case", "party", "kind", "field", "owner"),
    [
        (CASE, replace(CHILD, guardian_name=None), Kind.RIGHTS_RISKS, "法定代理人", "clerk"),
        (CASE, replace(RESPONDENT, name=" "), Kind.INTEGRITY_CARD, "当事人姓名或名称", "clerk"),
        (
            replace(CASE, judge=Judge("", "023-12345678", "执行法官")),
            APPLICANT,
            Kind.RIGHTS_RISKS,
            "承办人",
            "management",
        ),
        (
            replace(CASE, judge=Judge("李", "19900000001", "执行法官")),
            APPLICANT,
            Kind.PROGRESS,
            "承办人的固定电话",
            "management",
        ),
        (replace(CASE, basis_document=""), APPLICANT, Kind.CASE_ACCEPTED, "执行依据文号", "clerk"),
        (replace(CASE, basis_maker=""), RESPONDENT, Kind.ENFORCEMENT_NOTICE, "执行依据作出机关", "clerk"),
        (replace(CASE, cause=""), APPLICANT, Kind.CASE_ACCEPTED, "案由", "clerk"),
    ],
)
def test_a_missing_field_makes_its_notice_wait(case, party, kind, field, owner) -> None:
    waits = missing(kind, case, party)
    assert waits is not None
    assert (waits.fields, waits.owner) == ((field,), owner)
    assert field in waits.reason
    assert kind.label in waits.reason


def test_every_missing_field_is_named_at_once() -> None:
    waits = missing(Kind.ENFORCEMENT_NOTICE, replace(CASE, obligation=None, cause=""), RESPONDENT)
    assert waits is not None
    assert waits.fields == ("案由", "应履行义务")


@pytest.mark.parametrize(
    ("number", "parts"),
    [
        ("（2026）渝05执5001号", ("2026", "渝05执", "5001")),
        ("（2026）渝05执恢12号", ("2026", "渝05执恢", "12")),
        ("(2009)渝五中法执字第123号", ("2009", "渝五中法执字第", "123")),
        ("（2026）渝0153执保7号", ("2026", "渝0153执保", "7")),
    ],
)
def test_case_number_splits_into_the_templates_parts(number: str, parts: tuple) -> None:
    assert split_number(number) == parts


@pytest.mark.parametrize("number", ["", "2026渝05执5001号", "（2026）号", "（26）渝05执1号"])
def test_a_case_number_that_is_none_is_refused(number: str) -> None:
    with pytest.raises(Conflict):
        split_number(number)


def test_personal_data_stays_out_of_repr() -> None:
    shown = repr(CHILD) + repr(RESPONDENT) + repr(CASE)
    for secret in ("张小宝", "张大明", "张静", "19900000008", "example.com", "沙坪坝", "624998.14元"):
        assert secret not in shown


def test_role_and_kind_have_chinese_labels() -> None:
    assert all(not label.isascii() for label in [*(r.label for r in Role), *(k.label for k in Kind)])
