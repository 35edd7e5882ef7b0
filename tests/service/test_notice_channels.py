"""The ways out: what production must be told, and that no two processes ask the carrier for the same."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.party_notification.channels.mail import MailServer, Tls
from services.party_notification.channels.outcome import Unknown
from services.party_notification.channels.sms import SendDetail
from services.party_notification.domain.delivery import Seen
from services.party_notification.jobs import mail_server
from services.party_notification.service import SERVICE
from services.party_notification.settings import NotificationSettings
from services.party_notification.store import tables
from services.party_notification.store.sending import machine_time
from services.party_notification.usecases import reconciling, sending
from services.party_notification.usecases.outgoing import TEMPLATE_SIGNAL
from shared.contracts.cases import JudgeCorrected, Officer, PartyAdded
from shared.contracts.notices import NoticeWaits
from shared.db.transaction import new_id
from shared.powers import Role
from shared.runtime.secrets import SecretsMissingError
from shared.runtime.service import Kit
from shared.settings import Environment
from tests.fixtures.kits import client, told
from tests.service.test_notices import APPLICANT, FULL, RESPONDENT, Carrier, Office, person, send_all
from tests.service.test_notices import MailServer as Scripted

REAL = {
    "receipt_secret": "a-secret",
    "carrier_url": "https://sms.internal",
    "carrier_key_id": "LTAI5t",
    "carrier_key_secret": "another-secret",
    "smtp_host": "smtp.court.internal",
    "smtp_port": 587,
    "smtp_tls": "starttls",
    "smtp_username": "zhixing",
    "smtp_password": "a-third-secret",
    "mail_sender": "zhixing@court.internal",
    "mail_domain": "court.internal",
}


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


def production(office: Office, data: Path, **changes: Any) -> Any:
    """The kit as a production has it, with these settings besides the real ones; None leaves one out."""
    run = office.kit.run.model_copy(update={"environment": Environment.PRODUCTION, "data": data})
    given = {name: value for name, value in (REAL | changes).items() if value is not None}
    return replace(office.kit, run=run, settings=NotificationSettings.model_validate(given))


async def test_a_production_starts_with_everything_given_and_makes_no_secret(office: Office, tmp_path: Path) -> None:
    kit = production(office, tmp_path)
    assert SERVICE.start is not None
    await SERVICE.start(kit)
    for job in SERVICE.jobs(kit):
        if job.close is not None:
            await job.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("receipt_secret", None),
        ("carrier_url", None),
        ("carrier_url", "http://sandbox:8000/sandbox/carrier"),
        ("carrier_url", "https://sms.example"),
        ("carrier_key_id", None),
        ("carrier_key_secret", None),
        ("smtp_host", None),
        ("smtp_host", "sandbox"),
        ("smtp_port", None),
        ("smtp_tls", None),
        ("smtp_password", None),
        ("mail_sender", None),
        ("mail_domain", None),
    ],
)
async def test_a_production_refuses_what_is_missing_or_for_show(
    office: Office, tmp_path: Path, name: str, value: str | None
) -> None:
    kit = production(office, tmp_path, **{name: value})
    assert SERVICE.start is not None
    with pytest.raises(SecretsMissingError, match=f"：PARTY_NOTIFICATION_{name.upper()}（[^；]*）。"):
        await SERVICE.start(kit)
    with pytest.raises(SecretsMissingError):
        SERVICE.jobs(kit)
    assert list(tmp_path.iterdir()) == []


async def test_mail_goes_out_as_the_settings_say(office: Office, tmp_path: Path) -> None:
    wanted = MailServer("smtp.court.internal", 587, Tls.STARTTLS, "zhixing", "a-third-secret", "court.internal")
    assert mail_server(production(office, tmp_path)) == wanted
    changed = production(office, tmp_path, smtp_username="", smtp_tls="tls", smtp_helo="mx1.court.internal")
    assert mail_server(changed) == MailServer("smtp.court.internal", 587, Tls.TLS, helo="mx1.court.internal")
    assert mail_server(office.kit) == MailServer("127.0.0.1", office.kit.run.smtp_port, Tls.NONE, helo="court.example")


class Slow(Carrier):
    """A carrier whose answers wait until `go`."""

    def __init__(self, *outcomes: Any) -> None:
        super().__init__(*outcomes)
        self.asked, self.go = asyncio.Event(), asyncio.Event()
        self.names: list[str] = []

    async def _wait(self) -> None:
        self.asked.set()
        await self.go.wait()

    async def register_template(self, name: str, content: str, rules: Any = None) -> str:
        self.names.append(name)
        await self._wait()
        return await super().register_template(name, content, rules)

    async def query(self, number: str, day: date, biz_id: str | None = None) -> Sequence[SendDetail]:
        await self._wait()
        return await super().query(number, day, biz_id)


async def test_of_two_processes_one_registers_a_template_and_nobody_waits_for_it(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    slow, other = Slow(), Slow()
    other.go.set()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(sending.register_templates(office.kit, slow))  # type: ignore[arg-type]
        await slow.asked.wait()
        await sending.register_templates(office.kit, other)  # type: ignore[arg-type]
        await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 3)))
        slow.go.set()
    templates = await office.rows(tables.sms_templates)
    assert set(Counter(slow.names + other.names).values()) == {1}
    assert len(slow.names + other.names) == len(templates)
    assert all(row.code and row.approved_at for row in templates)


async def test_only_a_new_template_wakes_whoever_registers_them(office: Office) -> None:
    async def woken(number: int) -> bool:
        office.case_id = new_id()
        office.serial += 1
        waiting = asyncio.ensure_future(office.kit.signals.wait(TEMPLATE_SIGNAL, 60))
        await asyncio.sleep(0)
        await office.file(person(APPLICANT, number), person(RESPONDENT, number + 1))
        await asyncio.sleep(0)
        there = waiting.done()
        waiting.cancel()
        return there

    assert await woken(1)
    assert not await woken(3)


async def test_of_two_answers_to_one_question_after_an_sms_one_counts(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    await send_all(office, Carrier(Unknown("无答复。")), Scripted())
    slow = Slow()
    await office.hasten()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(reconciling.reconcile_sms(office.kit, slow))  # type: ignore[arg-type]
        await slow.asked.wait()
        async with office.kit.db.read() as conn:
            now = await machine_time(conn)
        assert (await office.delivery("sms")).due_at - now > office.kit.settings.policy.query_gap - timedelta(minutes=1)
        await office.hasten()
        await reconciling.reconcile_sms(office.kit, Carrier())  # type: ignore[arg-type]
        slow.go.set()
    seen = Counter(row.seen for row in await office.rows(tables.observations))
    assert seen[Seen.QUERY_NOT_FOUND] == 1


async def test_a_corrected_landline_of_the_judge_releases_what_waited_for_it(office: Office) -> None:
    assigned = office.assigned()
    unreachable = Officer(staff_id=assigned.judge.staff_id, name="甲法官", phone="12")
    office.assigned = lambda *, silent=False: assigned.model_copy(  # type: ignore[method-assign]
        update={"judge": unreachable, "silent": silent}
    )
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    assert await office.kinds() == []
    assert await told(office.kit, NoticeWaits)
    await office.feeder.feed(JudgeCorrected(case_id=office.case_id, judge=assigned.judge))
    assert await office.kinds() == FULL


async def test_the_notices_of_a_case_come_with_every_filter(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2), obligation=None)
    case, office.case_id, office.serial = office.case_id, new_id(), 5002
    await office.file(person(APPLICANT, 3), person(RESPONDENT, 4), obligation=None)
    async with client(SERVICE, office.kit, Role.JUDGE) as http:

        async def asked(**params: Any) -> dict[str, Any]:
            answer = await http.get("/api/notices", params={"case_number": "(2026)渝05执5001号"} | params)
            assert answer.status_code == 200, answer.text
            body: dict[str, Any] = answer.json()
            assert {item["case_id"] for item in body["items"]} == {str(case)}
            return body

        everything = await asked()
        assert (len(everything["items"]), everything["next"]) == (6, None)
        (waiting,) = (await asked(state="waiting"))["items"]
        assert waiting["kind"] == "ENFORCEMENT_NOTICE"
        first = await asked(limit=4)
        rest = await asked(limit=4, cursor=first["next"])
        assert first["items"] + rest["items"] == everything["items"]
        missing = await http.get("/api/notices", params={"case_number": "（2026）渝05执9号"})
        assert missing.status_code == 404
