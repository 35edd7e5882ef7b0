"""Rows opened into the domain's facts. Only here does personal data stand in plain text, for the act's length."""

from typing import Any

from sqlalchemy import Row

from services.party_notification.domain.notices import CaseAccount, CaseFacts, CourtFacts, Judge, PartyFacts, Role
from services.party_notification.settings import NotificationSettings
from shared.contracts.cases import PartyIdentity
from shared.crypto.keyring import KeyRing
from shared.runtime.service import Kit
from shared.settings import CourtSettings

NotificationKit = Kit[NotificationSettings]


def court_facts(court: CourtSettings) -> CourtFacts:
    """The court's own data, as notices state it."""
    return CourtFacts(
        name=court.name,
        sms_signature=court.short_name,
        supervision_phone=court.supervision_phone,
        duty_phone=court.duty_phone,
        site_name=court.site_name,
        address=court.address,
        postal_code=court.postal_code,
        account=CaseAccount(court.case_account_name, court.case_account_bank, court.case_account_number),
        perform_days=court.perform_days,
        report_days=court.report_days,
        clue_days=court.clue_days,
        hotline=court.hotline,
    )


def case_facts(keyring: KeyRing, row: Row[Any]) -> CaseFacts:
    """A case as notices state it; an unassigned one has an empty judge."""
    return CaseFacts(
        case_id=str(row.case_id),
        case_number=row.case_number,
        court=row.court,
        filed_on=row.filed_on,
        basis_document=row.basis_document,
        basis_maker=row.basis_maker,
        cause=row.cause,
        judge=Judge(row.judge_name or "", row.judge_phone or ""),
        claim_amount=row.claim_amount,
        obligation=None if row.obligation is None else keyring.open(row.obligation, str(row.case_id)),
        clerk_name=row.clerk_name,
        panel=row.panel,
        department=row.department,
    )


def identity_of(keyring: KeyRing, row: Row[Any]) -> PartyIdentity:
    """Who a party is."""
    return keyring.open_model(PartyIdentity, row.identity, str(row.party_id))


def party_facts(keyring: KeyRing, row: Row[Any]) -> PartyFacts:
    """A party as notices address it."""
    identity = identity_of(keyring, row)
    return PartyFacts(
        party_id=str(row.party_id),
        role=Role(row.role),
        name=identity.name,
        phone=identity.phone,
        email=identity.email,
        consents=row.consents,
        address_confirmed_on=row.address_confirmed_on,
        postal_address=identity.postal_address,
        minor=row.minor,
        guardian_name=identity.guardian_name,
        guardian_phone=identity.guardian_phone,
    )


def query_code_of(keyring: KeyRing, row: Row[Any]) -> str:
    """The party's personal query code."""
    return keyring.open(row.code, f"{row.party_id}/code")


def index(keyring: KeyRing, address: str) -> str:
    """The keyed hash by which an address (telephone or mail) is found."""
    return keyring.blind_index(address.lower(), "address")
