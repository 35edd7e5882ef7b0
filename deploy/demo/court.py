"""The court as a script meets it: over HTTP alone, each act by whoever may do it."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from threading import Lock
from typing import Any

import click
import httpx

from deploy.demo.phone import Phone

Json = dict[str, Any]

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
    """A running product, whose data folder holds the password of each login, and what its telephone knows."""

    def __init__(self, url: str, data: Path, patience: float) -> None:
        self._url = url
        self._patience = patience
        self._logins = data / "secrets" / "logins"
        self._phone = Phone(data)
        self._clients: dict[str, httpx.Client] = {}
        self.login_of: dict[str, str] = {}
        self._judges: dict[str, str] = {}
        self._turns: Iterator[str] = iter(())
        self._signing_in = Lock()

    def as_(self, login: str) -> httpx.Client:
        """Signed in as `login`; `public` is nobody."""
        with self._signing_in:
            return self._client(login)

    def _client(self, login: str) -> httpx.Client:
        if login not in self._clients:
            client = httpx.Client(base_url=self._url, timeout=60, trust_env=False)
            self._clients[login] = client
            if login != "public":
                client.headers["authorization"] = f"Bearer {self._token(client, login)}"
        return self._clients[login]

    def _token(self, client: httpx.Client, login: str) -> str:
        """By password and code; one that somebody else has just used is followed by the next."""
        words = {"login": login, "password": (self._logins / login).read_text().strip()}
        while True:
            answer = client.post("/api/staff/sign-in", json=words | self._phone.words(login))
            if answer.status_code != 401 or answer.json()["code"] != "wrong_code":
                return str(_good(answer)["token"])

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
        self._turns = cycle([member["id"] for member in members if "judge" in member["roles"]])

    def stage(self, number: str) -> Json:
        """A case's clocks, milestones and judge."""
        return self.get("judge", f"/api/stages/{number}")

    def import_table(self, content: bytes, *, silent: bool, assign: str) -> None:
        """File every row of a table. Raises ClickException, also for a single fault."""
        form = {"silent": str(silent).lower(), "assign": assign}
        files = {"file": ("演示案件.csv", content)}
        answer = _good(self.as_("clerk").post("/api/cases/import", data=form, files=files))
        path = f"/api/cases/imports/{answer['id']}"
        self.wait("案件导入", lambda: self.get("clerk", path)["state"] == "done")
        faults = self.get("clerk", path)["faults"]
        if faults:
            raise click.ClickException(f"演示案件没有全部立案：{faults[0]['line']}行，{faults[0]['reason']}")

    def knows(self, numbers: Iterable[str]) -> bool:
        """Whether all these cases have arrived where periods and clocks are kept."""
        items = self.get("judge", "/api/stages", limit=200)["items"]
        return set(numbers) <= {item["case_number"] for item in items}

    def assign(self, number: str) -> None:
        """Give a case to the judge who has the fewest."""
        case = self.get("clerk", f"/api/cases/{number}")
        body = {"judge_id": next(self._turns)}
        self.post("chief", f"/api/cases/{case['id']}/assignment", body)

    def act(self, number: str, body: Json) -> None:
        """Record an act as the case's own judge."""
        if number not in self._judges:
            self._judges[number] = self.login_of[self.stage(number)["judge"]["staff_id"]]
        self.post(self._judges[number], f"/api/stages/{number}/acts", body)

    def now(self) -> datetime:
        """The product's instant."""
        return datetime.fromisoformat(self.get("duty", "/api/desk/queue")["now"])

    def move(self, to: datetime) -> None:
        """Put the product's clock to an instant that is still to come; every service has followed."""
        self.post("public", "/sandbox/clock", {"now": to.isoformat()})
        since = None
        deadline = self._deadline()
        while since is None or time.monotonic() - since < _STILL:
            self._in_time(deadline, "系统时钟")
            since = (since or time.monotonic()) if self.now() >= to else None
            time.sleep(0.15)

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
        deadline = self._deadline()
        while not done():
            self._in_time(deadline, what)
            time.sleep(_PAUSE)

    def _deadline(self) -> float:
        return time.monotonic() + self._patience

    def _in_time(self, deadline: float, what: str) -> None:
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"等候“{what}”超过 {self._patience:.0f} 秒，没有准备完。原因多在数据目录的 product.log 末尾；"
                "请删除该数据目录后重新运行 make demo。"
            )

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


def _good(answer: httpx.Response) -> Json:
    if answer.is_error:
        request = answer.request
        raise click.ClickException(f"{request.method} {request.url.path} 被拒绝（{answer.status_code}）：{answer.text}")
    body: Json = answer.json() if answer.content else {}
    return body
