"""The story: cases are filed, time passes, the judges, the clerk and the desk act; everything else the product does."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from types import MappingProxyType
from typing import Any

from deploy.demo.cases import CASES, VISIT, Case, serial_of
from deploy.demo.court import Court
from deploy.demo.people import mailbox, party, phone
from shared.clock import SHANGHAI

_BASIS_MAKER = "重庆市第五中级人民法院"
_DAYS = sorted({day for case in CASES for day in (case.filed, *case.deeds)} | {VISIT})
_TIPS = 168
"""The day of the tips that are long closed when the visitor comes."""
_FAULTS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "bounced": {"channel": "mail", "kind": "refuse", "at": "rcpt", "reply": "550 5.1.1 no such user"},
        "unsure": {"channel": "sms", "kind": "timeout_before", "seconds": 0.2},
    }
)
_DEED = "已到现场核实，依法采取查封措施，制作笔录。"


class Story:
    """Tells itself to a court that is empty and whose clock is still the machine's."""

    def __init__(self, court: Court) -> None:
        self._court = court
        self._first = first_day(court.now())
        self.numbers: dict[str, str] = {}
        self.receipt = ""

    def tell(self) -> None:
        """From the first day to the visitor's."""
        self._court.meet_the_judges()
        for day in _DAYS:
            if day == VISIT:
                self._eve()
            self._court.live_until(self._at(day, 9 if day < VISIT else 10), self.numbers.values())
            self._day(day)
        self._visit()
        self._court.wait_for_unknown()

    def _at(self, day: int, hour: int, minute: int = 0) -> datetime:
        return self._first + timedelta(days=day, hours=hour, minutes=minute)

    def _day(self, day: int) -> None:
        """The letters of before are handed over, the judges act, new cases come in, their letters are posted."""
        if day < VISIT:
            self._hand_over(self._at(day, 0))
        for case in CASES:
            for deed in case.deeds.get(day, ()):
                self._court.act(self.numbers[case.name], deed(f"{self._at(day, 0):%Y-%m-%d}"))
        filed = [case for case in CASES if case.filed == day]
        # Alone: a carrier's call carries the messages of several people, and a cut line leaves all of them unknown.
        alone = [case for case in filed if case.name == "unsure"]
        if alone:
            self._file_all(alone)
        self._file_all([case for case in filed if case not in alone])
        if day == _TIPS:
            self._old_tips()
        self._post_letters()

    def _file_all(self, filed: Sequence[Case]) -> None:
        for case in filed:
            self._file(case)
        # Also when nobody files: what the judges published is on its way.
        self._court.wait_until_told({self.numbers[case.name]: _notices(case) for case in filed})

    def _file(self, case: Case) -> None:
        first = serial_of(case.name)
        applicants, _, respondents = case.parties.partition(":")
        confirmed_on = (self._at(case.filed, 0)).date()
        sides = [("applicant", kind) for kind in applicants] + [("respondent", kind) for kind in respondents]
        people = [party(role, first + seat, kind, confirmed_on) for seat, (role, kind) in enumerate(sides)]
        self._provoke(case, first + 1)
        obligation = f"向申请执行人支付人民币{case.amount}元及逾期利息" if case.obliged else None
        body = {
            "filed_on": f"{confirmed_on}",
            "received_on": f"{confirmed_on}",
            "basis_document": f"（{confirmed_on.year - 1}）渝05民初{8001 + first // 3}号",
            "basis_maker": _BASIS_MAKER,
            "cause": case.cause,
            "claim_amount": case.amount,
            "obligation": obligation,
            "assign": "auto" if case.assigned else "by_hand",
            "parties": people,
        }
        self.numbers[case.name] = self._court.post("clerk", "/api/cases", body)["case_number"]

    def _provoke(self, case: Case, respondent: int) -> None:
        """Where the outside world fails: a mailbox that does not exist, a carrier that falls silent."""
        fault = _FAULTS.get(case.name)
        if fault is not None:
            recipient = mailbox(respondent) if fault["channel"] == "mail" else phone(respondent)
            self._court.post("public", "/sandbox/faults", [{**fault, "recipient": recipient, "count": 1}])

    def _post_letters(self) -> None:
        lying = {self.numbers.get(case.name) for case in CASES if case.letters_lie}
        for at, letter in enumerate(self._letters("to_print")):
            if letter["case_number"] not in lying:
                tracking = f"DEMO{self._court.now():%Y%m%d}{at:02d}"
                self._record(letter, {"act": "posted", "tracking": tracking})

    def _hand_over(self, today: datetime) -> None:
        """What was posted before has been signed for three days later, or yesterday; one letter came back."""
        for letter in self._letters("posted"):
            posted = datetime.fromisoformat(letter["created_at"]) + timedelta(days=3)
            on = min(posted, today - timedelta(days=1)).astimezone(SHANGHAI).date()
            back = letter["case_number"] == self.numbers.get("returned")
            self._record(letter, {"act": "returned"} if back else {"act": "served", "on": f"{on}"})

    def _letters(self, state: str) -> list[dict[str, Any]]:
        letters: list[dict[str, Any]] = self._court.get("clerk", "/api/notices/paper", state=state, limit=200)["items"]
        return letters

    def _record(self, letter: dict[str, Any], body: dict[str, Any]) -> None:
        self._court.post("clerk", f"/api/notices/paper/{letter['paper_id']}", body)

    def _old_tips(self) -> None:
        """One that led to a deed in time, one that was not accepted."""
        path, self.receipt = self._tip("property", "被执行人名下一辆小型汽车停放在示例小区地下车库。", "car")
        self._desk(path, "take")
        self._desk(path, "accept-evidence", {"case_number": self.numbers["car"]})
        self._desk(path, "act", {"deed": _DEED})
        path, _ = self._tip("whereabouts", "被执行人可能住在示例路的旅馆，具体房号不详。", "injury")
        self._desk(path, "take")
        self._desk(path, "dismiss", {"reason": "经核实，该旅馆没有此人入住记录。"})
        self._court.wait_until_told({})

    def _eve(self) -> None:
        """The day before and the morning: evidence is accepted, so that clocks run; one tip nobody takes."""
        numbers = self.numbers.values()
        self._court.live_until(self._at(VISIT - 1, 14), numbers)
        path, _ = self._tip("property", "被执行人在示例工业园三号厂房存放机床四台，近日准备转移。", "machines")
        self._desk(path, "take")
        self._desk(path, "accept-evidence", {"case_number": self.numbers["machines"]})
        self._court.live_until(self._at(VISIT, 8, 20), numbers)
        self._tip("property", "被执行人在示例商场二楼经营一家门店，用他人名义收款。", "shop")
        path, _ = self._tip("whereabouts", "被执行人每天上午在示例广场茶楼，今天也在。", "unfound")
        self._desk(path, "take")
        self._court.live_until(self._at(VISIT, 8, 55), numbers)
        self._desk(path, "accept-evidence", {"case_number": self.numbers["unfound"]})

    def _visit(self) -> None:
        """As the visitor arrives: one tip is being checked, one urgent one has just come in."""
        path, _ = self._tip("new_property", "被执行人新近购入示例花园住房一套，登记在其本人名下。", "overdue")
        self._desk(path, "take")
        self._tip("urgent", "被执行人正在示例码头装船运走涉案钢材，预计一小时内离开。", None)

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


def first_day(now: datetime) -> datetime:
    """Midnight of the first Monday whose morning is still to come: the clock is never set back."""
    here = now.astimezone(SHANGHAI)
    day = here.date() + timedelta(days=-here.weekday() % 7)
    if day == here.date() and here.time() >= time(8, 50):
        day += timedelta(days=7)
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
