"""Through both services, each fed from what the other told: a mail comes back, a clock runs again, paper stops it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE as NOTIFICATION
from services.party_notification.store import tables
from services.party_notification.usecases import deciding
from services.party_notification.usecases.observing import Sighting, note
from services.party_notification.usecases.visits import visit
from services.stage_tracking.domain.acts import EnterPeriod, ReachMilestone
from services.stage_tracking.service import SERVICE as STAGES
from services.stage_tracking.usecases.acts import act
from services.stage_tracking.usecases.reading import case_view
from services.stage_tracking.usecases.ringing import fire_due
from shared.bus.lanes import Verdict
from shared.bus.log import Delivered, Place
from shared.contracts.cases import CaseFiled
from shared.contracts.stages import DeadlineRang, Milestone, Period
from shared.db.tables import outbox
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.case_story import entered, settled
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import Feeder, caller, make_kit, told
from tests.service.test_notices import APPLICANT, RESPONDENT, Carrier, MailServer, Office, person, send_all

DUE = "execution_notice"


class Both:
    """The two services on databases of their own, with one case; a log between them."""

    def __init__(self, notification: Kit[Any], stages: Kit[Any]) -> None:
        self.office, self.stages = Office(notification), stages
        self.feeder = Feeder(STAGES, stages)
        self.applicant, self.respondent = person(APPLICANT, 1, email=False), person(RESPONDENT, 2)

    async def file(self) -> None:
        """Both hear of the same filing and the same judge."""
        self.judge = self.office.assigned()
        parties = (self.applicant, self.respondent)
        facts = self.office.facts()
        facts = facts.model_copy(update={"received_on": facts.filed_on})
        filed = CaseFiled(case_id=self.office.case_id, facts=facts, parties=parties)
        for feeder in (self.office.feeder, self.feeder):
            await feeder.feed(filed, self.judge)

    async def carry(self) -> set[Verdict]:
        """Each hears all that the other has told since the beginning, as a log that is read anew."""
        found = await self._carry(self.office.kit, self.feeder) | await self._carry(self.stages, self.office.feeder)
        errors = [*self.feeder.failures, *self.office.feeder.failures]
        assert errors == []
        return found

    async def _carry(self, teller: Kit[Any], hearer: Feeder) -> set[Verdict]:
        async with teller.db.read() as conn:
            rows = list(await conn.execute(select(outbox).order_by(outbox.c.id)))
        records = [Delivered(Place(row.topic, 0), row.id, row.key.encode(), bytes(row.value)) for row in rows]
        return {await hearer.keeper.settle(record) for record in records}

    def move(self, days: int) -> None:
        """Later, for both."""
        for kit in (self.office.kit, self.stages):
            kit.clock.move(timedelta(days=days))  # type: ignore[attr-defined]

    async def service_day(self) -> date | None:
        """As the board shows it."""
        view = await case_view(self.stages, str(self.office.case_id))
        return next(row.actual_on for row in view.milestones if row.milestone == Milestone.SERVICE)  # type: ignore[no-any-return]

    async def stopped(self) -> tuple[bool, bool]:
        """Whether the notice's clock is stopped, for the court and for the party's page."""
        view = await case_view(self.stages, str(self.office.case_id))
        here = next(row for row in view.deadlines if row.kind == DUE)
        there = next(row for row in await self.office.rows(tables.clocks) if row.kind == DUE)
        return here.met_at is not None, there.met_at is not None

    async def tasks(self) -> set[str]:
        """The kinds of the open ones."""
        return {task.kind.value for task in (await case_view(self.stages, str(self.office.case_id))).tasks}


@pytest.fixture
async def both(fresh_database: FreshDatabase) -> AsyncIterator[Both]:
    kits = [await make_kit(service, await fresh_database(service)) for service in (NOTIFICATION, STAGES)]
    yield Both(*kits)
    for kit in kits:
        await kit.db.close()


async def test_a_mail_that_comes_back_sets_the_clock_going_until_paper_is_posted(both: Both) -> None:
    office = both.office
    await both.file()
    await send_all(office, Carrier(), MailServer())
    await both.carry()
    assert await both.service_day() == date(2026, 11, 23)
    assert await both.stopped() == (True, True)

    both.move(4)
    async with office.kit.db.begin() as tx:
        mail = await office.delivery("mail")
        await note(office.kit, tx, mail.delivery_id, Sighting(Seen.BOUNCED, detail="邮箱不存在。"))
    await both.carry()
    assert await both.service_day() is None
    assert await both.stopped() == (False, False)
    assert await fire_due(both.stages) == 1
    assert {event.kind for event in await told(both.stages, DeadlineRang)} == {DUE}
    assert await both.tasks() == {"serve_anew", "delivery_trouble", "overdue_reasons"}

    (entry,) = [row for row in await office.rows(tables.paper) if row.party_id == both.respondent.party_id]
    clerk, deed = caller(Role.CLERK), deciding.PaperAct
    await deciding.record_paper(office.kit, entry.paper_id, deed.POSTED, None, "EMS1", clerk)
    await both.carry()
    assert await both.stopped() == (True, True)
    assert await both.service_day() is None

    both.move(2)
    await deciding.record_paper(office.kit, entry.paper_id, deed.SERVED, date(2026, 11, 29), None, clerk)
    await both.carry()
    assert await both.service_day() == date(2026, 11, 29)
    assert await both.tasks() == {"overdue_reasons"}, "why it was late is still to be said"
    assert await both.carry() == {Verdict.REPEATED}


async def test_a_closure_is_heard_and_not_guessed(both: Both) -> None:
    office = both.office
    await both.file()
    await both.carry()
    party = await entered(office.kit, both.respondent)
    judge = caller(Role.JUDGE, both.judge.judge.staff_id)
    day = date(2026, 11, 23)
    await act(both.stages, judge, str(office.case_id), EnterPeriod(Period.CLOSURE, day, "履行完毕笔录"))
    await both.carry()
    await settled(office.kit)
    assert not (await visit(office.kit, party)).closed
    await act(both.stages, judge, str(office.case_id), ReachMilestone(Milestone.CLOSURE, day, "结案通知书"))
    await both.carry()
    await settled(office.kit)
    seen = await visit(office.kit, party)
    assert (seen.closed, seen.limit, seen.case.closed_on) == (True, None, day)
