"""Notices that waited when a backup was taken: what the product before may have sent is asked after, and soon."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert

from services.party_notification.channels.sms import DetailStatus, SendDetail
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import reconciling
from services.party_notification.usecases.readiness import start
from shared.db.tables import restorations
from shared.runtime.service import Kit, Service
from tests.fixtures.kits import KEYRING
from tests.service.test_notices import APPLICANT, RESPONDENT, Carrier, MailServer, Office, person, send_all

TAKEN = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def service() -> Service:
    return SERVICE


@pytest.fixture
async def office(kit: Kit[Any]) -> Office:
    """An SMS waits for its mail; the data come back from a backup."""
    office = Office(kit)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    async with kit.db.begin() as tx:
        await tx.conn.execute(insert(restorations).values(taken_at=TAKEN, restored_at=func.clock_timestamp()))
    await start(kit)
    return office


async def wordings(office: Office) -> dict[str, str]:
    """Both texts of the one SMS."""
    (row,) = [row for row in await office.rows(tables.messages) if row.channel == "sms"]
    return {name: KEYRING.open(getattr(row, name), str(row.message_id)) for name in ("content", "alt_content")}


async def asked_after(office: Office, carrier: Carrier) -> None:
    """What is in doubt by now is asked after; what the carrier does not know is sent."""
    assert await reconciling.doubt_restored(office.kit), "it does not wait on for its mail"
    await office.hasten()
    while await reconciling.reconcile_sms(office.kit, carrier):  # type: ignore[arg-type]
        pass
    await send_all(office, carrier, MailServer())


async def test_an_sms_in_doubt_waits_for_its_mail_no_longer_than_any_other(office: Office) -> None:
    carrier = Carrier()
    await send_all(office, carrier, MailServer())
    assert carrier.batches == [], "it may have left: the carrier is asked before"
    await asked_after(office, carrier)
    (batch,) = carrier.batches
    assert len(batch.items) == 1, "the carrier had none"
    (mail,) = [row for row in await office.rows(tables.messages) if row.channel == "mail"]
    assert mail.possibly_twice


@pytest.mark.parametrize("wording", ["content", "alt_content"])
async def test_what_left_in_either_wording_is_not_sent_again(office: Office, wording: str) -> None:
    carrier = Carrier()
    text = (await wordings(office))[wording]
    await send_all(office, carrier, MailServer())
    carrier.details = [SendDetail("", DetailStatus.DELIVERED, "", "", text, TAKEN, TAKEN)]
    await asked_after(office, carrier)
    assert carrier.batches == []
    assert (await office.delivery("sms")).state == "delivered"
