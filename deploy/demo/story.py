"""The story: a court carries its stock over, files this week's cases, and works; everything else the product does."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

from deploy.demo.cases import CASES, SERVED, SERVED_AFTER, VISIT, Case, serial_of
from deploy.demo.court import Court
from deploy.demo.people import mailbox, party, phone
from deploy.demo.table import numbered, table
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.runtime.progress import Progress

_WEEK = 182
"""Cases filed before this day are stock: they are carried over, and nobody is told."""
_FAULTS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "bounced": {"channel": "mail", "kind": "refuse", "at": "rcpt", "reply": "550 5.1.1 no such user"},
        "unsure": {"channel": "sms", "kind": "timeout_before", "seconds": 0.2},
    }
)
_DEED = "已到现场核实，依法采取查封措施，制作笔录。"
_AT_ONCE = 4


class Story:
    """Tells itself to a court that is empty and whose clock is still the machine's."""

    def __init__(self, court: Court, progress: Progress) -> None:
        self._court = court
        self._progress = progress
        self._today = court_date(court.now())
        self._calendar = CourtCalendar()
        self.numbers = numbered({case.name: self._day(case.filed) for case in CASES})
        self.receipt = ""

    def tell(self) -> None:
        """From the import of the stock to the visitor's arrival."""
        self._court.meet_the_judges()
        stock = [case for case in CASES if case.filed < _WEEK]
        week = [case for case in CASES if case.filed >= _WEEK]
        self._import("迁入存量案件，登记办理经过", stock, silent=True)
        self._each(stock, self._work_at)
        self._import("立案本周案件，分案，发出通知", week, silent=False)
        self._tell_of(week)
        self._progress.step("收取并处理线索")
        self._tips()
        self._court.wait_for_unknown()

    def _day(self, day: int) -> date:
        """A working day of the story; the visitor comes today."""
        on = self._today - timedelta(days=VISIT - day)
        while on < self._today and not self._calendar.is_working_day(on):
            on -= timedelta(days=1)
        return on

    def _import(self, step: str, chosen: Sequence[Case], *, silent: bool) -> None:
        self._progress.step(step)
        rows = [row for case in chosen for row in self._rows(case)]
        self._court.import_table(table(rows), silent=silent, assign="auto" if silent else "by_hand")
        self._court.wait("案件进入进程跟踪", lambda: self._court.knows(self.numbers[case.name] for case in chosen))

    def _rows(self, case: Case) -> list[dict[str, Any]]:
        applicants, _, respondents = case.parties.partition(":")
        filed_on = self._day(case.filed)
        facts = {
            "case_number": self.numbers[case.name],
            "filed_on": f"{filed_on}",
            "received_on": f"{filed_on}",
            "non_litigation": case.name == "administrative",
            "basis_document": f"（{filed_on.year - 1}）渝05民初{8000 + serial_of(case.name)}号",
            "cause": case.cause,
            "claim_amount": case.amount,
            "obligation": f"向申请执行人支付人民币{case.amount}元及逾期利息" if case.obliged else "",
        }
        sides = [("applicant", kind) for kind in applicants] + [("respondent", kind) for kind in respondents]
        first = serial_of(case.name)
        people = (party(role, first + seat, kind, filed_on) for seat, (role, kind) in enumerate(sides))
        return [facts | person for person in people]

    def _each(self, chosen: Sequence[Case], do: Callable[[Case], None]) -> None:
        """Cases do not wait for each other; what is done in one keeps its order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(do, chosen))

    def _work_at(self, case: Case) -> None:
        deeds = {case.filed + SERVED_AFTER: (SERVED,), **case.deeds}
        for day, done in deeds.items():
            for deed in done:
                self._court.act(self.numbers[case.name], deed(f"{self._day(day)}"))

    def _tell_of(self, week: Sequence[Case]) -> None:
        """Judges are assigned, the parties told, letters posted; some of it fails."""
        assigned = [case for case in week if case.assigned]
        # Alone: a carrier's call carries the messages of several people, and a cut line leaves all of them unknown.
        alone = [case for case in assigned if case.name == "unsure"]
        for together in (alone, [case for case in assigned if case not in alone]):
            for case in together:
                self._provoke(case, serial_of(case.name) + 1)
            self._each(together, lambda case: self._court.assign(self.numbers[case.name]))
            self._court.wait_until_told({self.numbers[case.name]: _notices(case) for case in together})
        self._post_letters(week)
        self._hand_over()

    def _provoke(self, case: Case, respondent: int) -> None:
        """Where the outside world fails: a mailbox that does not exist, a carrier that falls silent."""
        fault = _FAULTS.get(case.name)
        if fault is not None:
            recipient = mailbox(respondent) if fault["channel"] == "mail" else phone(respondent)
            self._court.post("public", "/sandbox/faults", [{**fault, "recipient": recipient, "count": 1}])

    def _post_letters(self, week: Sequence[Case]) -> None:
        lying = {self.numbers[case.name] for case in week if case.letters_lie}
        for at, letter in enumerate(self._letters("to_print")):
            if letter["case_number"] not in lying:
                self._record(letter, {"act": "posted", "tracking": f"DEMO{self._today:%Y%m%d}{at:02d}"})

    def _hand_over(self) -> None:
        """One letter has come back, one has been signed for; the others are on their way."""
        letters = self._letters("posted")
        back = next(letter for letter in letters if letter["case_number"] == self.numbers["returned"])
        signed = next(letter for letter in letters if letter["case_number"] == self.numbers["posted"])
        self._record(back, {"act": "returned"})
        self._record(signed, {"act": "served", "on": f"{self._today}"})

    def _letters(self, state: str) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = self._court.get("clerk", "/api/notices/paper", state=state, limit=200)["items"]
        return letters

    def _record(self, letter: dict[str, Any], body: dict[str, Any]) -> None:
        self._court.post("clerk", f"/api/notices/paper/{letter['paper_id']}", body)

    def _tips(self) -> None:
        """Half a day at the desk: two tips that are over, clocks that run and ring, one urgent thing just now."""
        path, self.receipt = self._tip("property", "被执行人名下一辆小型汽车停放在示例小区地下车库。", "car")
        self._accepted(path, "car")
        self._desk(path, "act", {"deed": _DEED})
        path, _ = self._tip("whereabouts", "被执行人可能住在示例路的旅馆，具体房号不详。", "injury")
        self._desk(path, "take")
        self._desk(path, "dismiss", {"reason": "经核实，该旅馆没有此人入住记录。"})
        path, _ = self._tip("property", "被执行人在示例工业园三号厂房存放机床四台，近日准备转移。", "machines")
        self._accepted(path, "machines")
        self._later(hours=18, minutes=20)
        self._tip("property", "被执行人在示例商场二楼经营一家门店，用他人名义收款。", "shop")
        path, _ = self._tip("whereabouts", "被执行人每天上午在示例广场茶楼，今天也在。", "unfound")
        self._desk(path, "take")
        self._later(minutes=35)
        self._desk(path, "accept-evidence", {"case_number": self.numbers["unfound"]})
        self._later(minutes=65)
        path, _ = self._tip("new_property", "被执行人新近购入示例花园住房一套，登记在其本人名下。", "overdue")
        self._desk(path, "take")
        self._tip("urgent", "被执行人正在示例码头装船运走涉案钢材，预计一小时内离开。", None)

    def _later(self, *, hours: int = 0, minutes: int = 0) -> None:
        """Time passes, and what is due rings."""
        self._court.move(self._court.now() + timedelta(hours=hours, minutes=minutes))

    def _accepted(self, path: str, case: str) -> None:
        self._desk(path, "take")
        self._desk(path, "accept-evidence", {"case_number": self.numbers[case]})

    def _tip(self, ground: str, text: str, case: str | None) -> tuple[str, str]:
        """Send a tip; its path on the desk, and the sender's receipt."""
        before = {item["item_id"] for item in self._queue()}
        number = None if case is None else self.numbers[case]
        receipt = self._court.post("public", "/api/tips", {"ground": ground, "text": text, "case_number": number})
        arrived: list[str] = []

        def there() -> bool:
            arrived[:] = [item["item_id"] for item in self._queue() if item["item_id"] not in before]
            return bool(arrived)

        self._court.wait("线索到达值班台", there)
        return f"/api/desk/items/{arrived[0]}", receipt["receipt"]

    def _queue(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self._court.get("duty", "/api/desk/queue")["items"]
        return items

    def _desk(self, path: str, act: str, body: dict[str, Any] | None = None) -> None:
        self._court.post("duty", f"{path}/{act}", body)


def _notices(case: Case) -> int:
    """How many a case tells when it is filed: three to each party, of a case with both sides and a judge."""
    applicants, _, respondents = case.parties.partition(":")
    complete = case.assigned and bool(applicants) and bool(respondents)
    return 3 * len(applicants + respondents) if complete else 0
