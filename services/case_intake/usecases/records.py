"""Between what a filing says, the rows that keep it sealed, and the facts that events tell."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.filing import CASE_FIELDS, CaseEntry, PartyEntry, case_texts, party_texts
from services.case_intake.domain.numbers import CaseNumber
from services.case_intake.domain.search import same_name
from services.case_intake.domain.weighing import Known
from services.case_intake.settings import IntakeKit
from shared.contracts.cases import CaseFacts, PartyFacts, PartyIdentity, PartyRole
from shared.contracts.envelope import Sealed
from shared.contracts.reviews import ReviewGround
from shared.db.transaction import new_id
from shared.errors import NotFound
from shared.http.versions import State, state

Values = dict[str, Any]


def present(row: Row[Any] | None) -> Row[Any]:
    """The case's row. Raises NotFound."""
    if row is None:
        raise NotFound("case_not_found", "没有这个案件，请核对案号或从案件列表中选择。")
    return row


def case_values(kit: IntakeKit, case_id: UUID, entry: CaseEntry) -> Values:
    """The columns that hold a case's facts."""
    return {
        "filed_on": entry.filed_on,
        "received_on": entry.received_on,
        "secured_on": entry.secured_on,
        "basis_document": entry.basis_document,
        "basis_maker": entry.basis_maker,
        "cause": entry.cause,
        "claim_amount": entry.claim_amount,
        "non_litigation": bool(entry.non_litigation),
        "main_case": entry.main_case,
        "urgent": bool(entry.urgent),
        "ground": entry.ground,
        "report_ordered": bool(entry.report_ordered),
        "obligation": entry.obligation and kit.keyring.seal(entry.obligation, str(case_id)),
    }


def case_entry(kit: IntakeKit, row: Row[Any]) -> CaseEntry:
    """The facts of a case's row, opened."""
    return CaseEntry(
        number=CaseNumber.on_record(row.case_number, row.court),
        filed_on=row.filed_on,
        basis_document=row.basis_document,
        basis_maker=row.basis_maker,
        cause=row.cause,
        received_on=row.received_on,
        secured_on=row.secured_on,
        claim_amount=row.claim_amount,
        non_litigation=row.non_litigation,
        main_case=row.main_case,
        urgent=row.urgent,
        ground=None if row.ground is None else ReviewGround(row.ground),
        report_ordered=row.report_ordered,
        obligation=row.obligation and kit.keyring.open(row.obligation, str(row.id)),
    )


def case_state(kit: IntakeKit, row: Row[Any]) -> State:
    """What of a case can be corrected, as it stands."""
    texts = case_texts(case_entry(kit, row))
    return state(kit.keyring, row.id, {name: texts[name] for name in CASE_FIELDS}, row.changed_by)


def party_state(kit: IntakeKit, row: Row[Any]) -> State:
    """What of a party can be changed, as it stands."""
    return state(kit.keyring, row.id, party_texts(party_entry(kit, row)), row.changed_by)


def assignment_state(kit: IntakeKit, row: Row[Any]) -> State:
    """Who has a case."""
    texts = {"judge_id": str(row.judge_id or ""), "panel": row.panel or "", "clerk_name": row.clerk_name or ""}
    return state(kit.keyring, row.id, texts, row.assigned_by)


def case_facts(kit: IntakeKit, case_id: UUID, values: Mapping[str, Any]) -> CaseFacts:
    """The facts as the topic tells them; the obligation sealed for those who read it."""
    told = {field: values[field] for field in CaseFacts.model_fields}
    if told["obligation"]:
        told["obligation"] = kit.keyring.hand_over(told["obligation"], str(case_id), kit.exchange)
    return CaseFacts(**told)


def party_values(kit: IntakeKit, entry: PartyEntry, party_id: UUID | None = None) -> Values:
    """The columns of a party, a new one unless it has an id already."""
    about = party_id or new_id()
    identity, keyring = entry.identity, kit.keyring
    return {
        "id": about,
        "role": entry.role.value,
        "consents": entry.consents,
        "address_confirmed_on": entry.address_confirmed_on,
        "minor": entry.minor,
        "identity": keyring.seal_model(identity, str(about)),
        "id_index": keyring.blind_index(identity.id_number, "id_number"),
        "name_index": keyring.blind_index(same_name(identity.name), "name"),
        "phone_index": keyring.blind_index(identity.phone, "phone") if identity.phone else None,
    }


def party_entry(kit: IntakeKit, row: Row[Any]) -> PartyEntry:
    """A party's row, opened."""
    return PartyEntry(
        role=PartyRole(row.role),
        identity=kit.keyring.open_model(PartyIdentity, row.identity, str(row.id)),
        consents=row.consents,
        address_confirmed_on=row.address_confirmed_on,
        minor=row.minor,
    )


def known_case(kit: IntakeKit, case: Row[Any], parties: Iterable[Row[Any]]) -> Known:
    """A case on file with all its parties, for weighing the rows of a file against it."""
    entries = [(party_entry(kit, row), row.misfiled_at is not None) for row in parties]
    return Known(
        case=case_entry(kit, case),
        parties=tuple(entry for entry, misfiled in entries if not misfiled),
        misfiled=frozenset(entry.same_as for entry, misfiled in entries if misfiled),
        silent=case.silent,
    )


def party_facts(kit: IntakeKit, values: Mapping[str, Any]) -> PartyFacts:
    """A party as the topic tells of it; the identity sealed for those who read it."""
    return PartyFacts(
        party_id=values["id"],
        role=PartyRole(values["role"]),
        consents=values["consents"],
        address_confirmed_on=values["address_confirmed_on"],
        minor=values["minor"],
        identity=Sealed(kit.keyring.hand_over(values["identity"], str(values["id"]), kit.exchange)),
    )
