"""The court as a script meets it: over HTTP alone, each act by whoever may do it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import httpx

Json = dict[str, Any]

_PATIENCE = 120.0
_STILL = 0.6
"""Seconds for which the clock must stand where it was put: by then every service has followed."""
_CALM = 3
"""So many looks in a row must find the same."""
_PAUSE = 0.3
_NEWEST = 60
"""So many notices are looked at: more than any day makes."""
_ON_THE_WAY = {("sms", "sent"), *((channel, state) for channel in ("sms", "mail") for state in ("planned", "claimed"))}
_ON_THE_WAY |= {("sms", "intent"), ("mail", "intent")}


class Court:
    """A running product. `logins` holds the password of each login in a file of its name."""

    def __init__(self, url: str, logins: Path) -> None:
        self._url = url
        self._logins = logins
        self._clients: dict[str, httpx.Client] = {}
        self.login_of: dict[str, str] = {}
        self._closed: set[str] = set()

    def as_(self, login: str) -> httpx.Client:
        """Signed in as `login`; `public` is nobody."""
        if login not in self._clients:
            client = httpx.Client(base_url=self._url, timeout=60, trust_env=False)
            self._clients[login] = client
            if login != "public":
                words = {"login": login, "password": (self._logins / login).read_text().strip()}
                token = _good(client.post("/api/staff/sign-in", json=words))["token"]
                client.headers["authorization"] = f"Bearer {token}"
        return self._clients[login]

    def post(self, login: str, path: str, body: Any = None) -> Json:
        """Do something as `login`. Raises ClickException when it is refused."""
        return _good(self.as_(login).post(path, json=body))

    def get(self, login: str, path: str, **params: Any) -> Json:
        """Look at something as `login`. Raises ClickException when it is refused."""
        return _good(self.as_(login).get(path, params=params))

    def meet_the_judges(self) -> None:
        """Learn who is who, once filing knows them: cases are assigned to whom it has heard of."""
        members = self.get("admin", "/api/staff/members", limit=200)["items"]
        self.login_of = {member["id"]: member["login"] for member in members}

    def stage(self, number: str) -> Json:
        """A case's clocks, milestones and judge."""
        return self.get("judge", f"/api/stages/{number}")

    def act(self, number: str, body: Json) -> None:
        """Record an act as the case's own judge."""
        judge = self.login_of[self.stage(number)["judge"]["staff_id"]]
        self.post(judge, f"/api/stages/{number}/acts", body)

    def now(self) -> datetime:
        """The product's instant."""
        return datetime.fromisoformat(self.get("duty", "/api/desk/queue")["now"])

    def move(self, to: datetime) -> None:
        """Put the product's clock to an instant that is still to come; every service has followed."""
        self.post("public", "/sandbox/clock", {"now": to.isoformat()})
        since = None
        deadline = time.monotonic() + _PATIENCE
        while since is None or time.monotonic() - since < _STILL:
            _in_time(deadline, "系统时钟")
            since = (since or time.monotonic()) if self.now() >= to else None
            time.sleep(0.15)

    def live_until(self, to: datetime, numbers: Iterable[str]) -> None:
        """Let time pass from bell to bell, so that each rings on its own day."""
        waiting = {number: self._clocks(number) for number in numbers if number not in self._closed}
        while True:
            dues = [due for clocks in (*waiting.values(), self._desk_clocks()) for due in clocks if due < to]
            self.move(min(min(dues, default=to) + timedelta(minutes=1), to))
            self.wait("到期提醒", lambda: self._rung(waiting))
            if not dues:
                return

    def _rung(self, waiting: dict[str, list[datetime]]) -> bool:
        """Whether whatever is due has rung; only the cases in question are looked at again."""
        now = self.now()
        for number in [number for number, clocks in waiting.items() if any(due <= now for due in clocks)]:
            waiting[number] = self._clocks(number)
        return all(due > now for clocks in (*waiting.values(), self._desk_clocks()) for due in clocks)

    def _clocks(self, number: str) -> list[datetime]:
        """When each clock of a case is due that has neither rung nor stopped. None runs in a closed case."""
        stage = self.stage(number)
        self._closed |= {number} if stage["closed_on"] else set()
        running = [clock["due_at"] for clock in stage["deadlines"] if not (clock["met_at"] or clock["fired_at"])]
        return [datetime.fromisoformat(due) for due in running]

    def _desk_clocks(self) -> list[datetime]:
        items = self.get("duty", "/api/desk/queue")["items"]
        return [datetime.fromisoformat(item["due_at"]) for item in items if item["due_at"] and not item["rang_at"]]

    def wait_until_told(self, expected: dict[str, int]) -> None:
        """Until these cases have so many notices, and nothing is on its way to anybody any more."""
        seen: list[Counter[tuple[str, str]]] = []

        def calm() -> bool:
            notices = self.get("clerk", "/api/notices", limit=_NEWEST)["items"]
            told = Counter(notice["case_number"] for notice in notices)
            seen.append(_fates(notices))
            alike = len(seen) >= _CALM and all(each == seen[-1] for each in seen[-_CALM:])
            return alike and not _moving(seen[-1]) and all(told[number] >= most for number, most in expected.items())

        self.wait("通知发送", calm)

    def wait_for_unknown(self) -> None:
        """Until a sending that nobody can account for lies before a person."""
        self.wait("待核实的发送", lambda: bool(self.get("clerk", "/api/notices/troubles")["unknown"]))

    def wait(self, what: str, done: Callable[[], bool]) -> None:
        """Look again and again until it is so. Raises ClickException when it takes too long."""
        deadline = time.monotonic() + _PATIENCE
        while not done():
            _in_time(deadline, what)
            time.sleep(_PAUSE)

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()


def _fates(notices: Iterable[Json]) -> Counter[tuple[str, str]]:
    fates: Counter[tuple[str, str]] = Counter()
    for notice in notices:
        fates.update((each["channel"], each["state"]) for each in notice["deliveries"])
        if notice["state"] == "issued" and not notice["deliveries"] and notice["paper_state"] is None:
            fates["sms", "planned"] += 1
    return fates


def _moving(fates: Counter[tuple[str, str]]) -> bool:
    return any(fates[fate] for fate in _ON_THE_WAY)


def _in_time(deadline: float, what: str) -> None:
    if time.monotonic() > deadline:
        raise click.ClickException(f"等候“{what}”超过{_PATIENCE:.0f}秒，没有准备完。日志在数据目录的 product.log。")


def _good(answer: httpx.Response) -> Json:
    if answer.is_error:
        request = answer.request
        raise click.ClickException(f"{request.method} {request.url.path} 被拒绝（{answer.status_code}）：{answer.text}")
    body: Json = answer.json() if answer.content else {}
    return body
