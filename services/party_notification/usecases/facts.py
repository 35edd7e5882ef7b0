"""Rows opened into the domain's facts. Only here does personal data stand in plain text, for the act's length."""

from datetime import date
from typing import Any, Literal

from sqlalchemy import Row

from services.party_notification.domain.addresses import ADDRESS, same
from services.party_notification.domain.notices import CaseAccount, CaseFacts, CourtFacts, Judge, PartyFacts, Role
from services.party_notification.settings import NotificationSettings
from shared.contracts.case_kinds import Particulars
from shared.contracts.cases import PartyIdentity
from shared.contracts.reviews import ReviewGround
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError
from shared.http.auth import Caller
from shared.powers import Handlers, Power, power_of
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


def case_facts(keyring: KeyRing, row: Row[Any], statutory_due: date | None = None) -> CaseFacts:
    """A case as notices state it; an unassigned one has an empty judge."""
    return CaseFacts(
        case_id=str(row.case_id),
        case_number=row.case_number,
        court=row.court,
        filed_on=row.filed_on,
        basis_document=row.basis_document,
        basis_maker=row.basis_maker,
        cause=row.cause,
        judge=Judge(row.judge_name or "", row.judge_phone or "", _title(row)),
        claim_amount=row.claim_amount,
        obligation=None if row.obligation is None else keyring.open(row.obligation, str(row.case_id)),
        clerk_name=row.clerk_name,
        panel=row.panel,
        department=row.department,
        statutory_due=statutory_due,
        main_case=row.main_case,
        particulars=particulars_of(row),
    )


def _title(row: Row[Any]) -> str:
    """Who implements is called so; whoever reviews is a judge of another division."""
    return "执行法官" if power_of(row.department) is Power.IMPLEMENTATION else "法官"


def particulars_of(row: Row[Any]) -> Particulars:
    """What besides its number makes the case of a row what it is."""
    ground = None if row.ground is None else ReviewGround(row.ground)
    return Particulars(row.urgent, ground, row.report_ordered)


def handlers_of(row: Row[Any]) -> Handlers:
    """Whose a case is."""
    return Handlers(row.judge_id, row.judge_name, row.clerk_name)


def ever_handled(row: Row[Any], caller: Caller) -> bool:
    """Whether the caller handles the case of a row, or ever did: to hand it on for a moment changes nothing."""
    return handlers_of(row).own(caller.staff_id, caller.name) or not {str(caller.staff_id), caller.name}.isdisjoint(
        row.handled_by
    )


def identity_of(keyring: KeyRing, row: Row[Any]) -> PartyIdentity:
    """Who a party is."""
    return keyring.open_model(PartyIdentity, row.identity, str(row.party_id))


def party_facts(keyring: KeyRing, row: Row[Any]) -> PartyFacts:
    """A party as notices address it: without a contact whose holder says that it is not the party's."""
    identity = identity_of(keyring, row)

    def owned(address: str | None) -> str | None:
        return None if _is_disowned(keyring, row, address) else address

    return PartyFacts(
        party_id=str(row.party_id),
        role=Role(row.role),
        name=identity.name,
        phone=owned(identity.phone),
        email=owned(identity.email),
        consents=row.consents,
        address_confirmed_on=row.address_confirmed_on,
        postal_address=identity.postal_address,
        minor=row.minor,
        guardian_name=identity.guardian_name,
        guardian_phone=owned(identity.guardian_phone),
    )


def _is_disowned(keyring: KeyRing, row: Row[Any], address: str | None) -> bool:
    return bool(address and row.disowned) and not set(indexes(keyring, address or "")).isdisjoint(row.disowned_indexes)


def registered(keyring: KeyRing, row: Row[Any]) -> dict[Literal["sms", "mail"], str]:
    """Where the party is registered, by channel, whoever holds it; nowhere, when that cannot be read."""
    try:
        identity = identity_of(keyring, row)
    except SealError:
        return {}
    phone = identity.guardian_phone if row.minor else identity.phone
    contacts: dict[Literal["sms", "mail"], str | None] = {"sms": phone, "mail": identity.email}
    return {channel: address for channel, address in contacts.items() if address}


def query_code_of(keyring: KeyRing, row: Row[Any]) -> str:
    """The party's personal query code."""
    return keyring.open(row.code, f"{row.party_id}/code")


def indexes(keyring: KeyRing, address: str) -> tuple[str, ...]:
    """The keyed hashes under which an address (telephone or mail) may be found, that of the current key first."""
    return keyring.blind_indexes(same(address), ADDRESS)
