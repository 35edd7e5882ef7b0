"""A judge's acts that follow each other closely in several cases, each told to all parties: their order must show."""

import threading
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from types import TracebackType
from typing import Any, Self

import httpx

from shared.contracts.case_kinds import kind_of
from tests.drills.witness import Address, part
from tests.fixtures.running import Product, eventually


class Acts:
    """`each` published acts in each of up to `cases` cases that are the judge's own, made beside a drill."""

    def __init__(self, product: Product, candidates: Iterable[str], cases: int, each: int) -> None:
        self._each = each
        self._judge = product.as_("judge")
        self._cases = self._own(candidates, cases)
        self._thread = threading.Thread(target=self._go_on)
        self._failed: list[str] = []
        self.done = 0

    def _own(self, candidates: Iterable[str], number: int) -> list[str]:
        found: list[str] = []
        # In a case of another kind the filing tells one side only, and what is due could not be told from it.
        for case in filter(lambda number: kind_of(number).enforces, candidates):
            self._known(case)
            if len(found) < number and self._act(case, 1):
                found.append(case)
        assert found, "no case is the judge's"
        return found

    def _known(self, case: str) -> None:
        def assigned() -> bool:
            answer = self._judge.get(f"/api/stages/{case}")
            return answer.status_code == 200 and bool(answer.json()["judge"])

        eventually(f"{case} tracked and assigned", 60, assigned)

    @property
    def due(self) -> Counter[Address]:
        """A message for each act, party and channel."""
        return Counter({address: n * self._each for address, n in part(self._cases).due.items()})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._thread.join()
        self.done = len(self._cases) * self._each
        assert not self._failed, self._failed

    def _go_on(self) -> None:
        for number in range(2, self._each + 1):
            self._failed += [f"{case} {number}" for case in self._cases if not self._act(case, number)]

    def _act(self, case: str, number: int) -> bool:
        """False when the case is another judge's; a process that is away is asked again, by the same key."""
        body = {
            "kind": "work",
            "title": title(number),
            "text": f"第{number}次查询被执行人的银行存款。",
            "evidence": f"回执{number}号",
            "publish": {"audience": ["applicant", "respondent"], "notify": True, "carried_out": True},
        }

        def answered() -> httpx.Response | None:
            try:
                answer = self._judge.post(
                    f"/api/stages/{case}/acts",
                    json=body,
                    headers={"Idempotency-Key": f"{case}-{number}".encode().hex()},
                )
            except httpx.TransportError:
                return None
            return None if answer.status_code == 503 else answer

        answer = eventually("an answer", 60, answered)
        assert answer.status_code in {201, 403}, answer.text
        return answer.status_code == 201

    def logged_in_order(self) -> bool:
        """Every case's log has its acts once, in the order in which they were made."""
        wanted = [title(number) for number in range(1, self._each + 1)]
        return all(self._logged(case) == wanted for case in self._cases)

    def _logged(self, case: str) -> list[str]:
        entries = self._judge.get(f"/api/stages/{case}/log").json()["items"]
        return [entry["title"] for entry in entries if entry["kind"] == "work"]

    def overtaken(self) -> dict[str, int]:
        """How many progress notices left before one of the same party that was written earlier."""
        return {"overtaken": sum(self._overtaken(case) for case in self._cases)}

    def _overtaken(self, case: str) -> int:
        notices: list[dict[str, Any]] = self._judge.get("/api/notices", params={"case_number": case}).json()["items"]
        sent = [notice for notice in notices if notice["kind"] == "progress" and notice["sent_at"]]
        sent.sort(key=lambda notice: (notice["party_id"], notice["created_at"]))
        return sum(
            first["party_id"] == then["party_id"] and then["sent_at"] < first["sent_at"]
            for first, then in pairwise(sent)
        )


def title(number: int) -> str:
    """Of an act; says which it is."""
    return f"第{number}次网络查控"
