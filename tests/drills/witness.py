"""What the file owes, what the sandbox received, and what the product itself lists as unknown or as possibly twice.

The sandbox is the witness: it keeps each message before it answers. An address listed by the product is read masked, so
the person behind it is looked up by the delivery's notice and the case's parties: nothing excuses a neighbour's loss.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.e2e.test_import import FILE, told_rows
from tests.fixtures.running import Product

Address = tuple[str, str]
"""Channel and telephone or mail address."""


@dataclass(frozen=True)
class Part:
    """Some cases of the file: its rows as a file of their own, and what they owe."""

    content: bytes
    due: Counter[Address]
    cases: tuple[str, ...]

    def cut(self, number: int) -> list["Part"]:
        """So many files, each case whole in one of them."""
        return [part(self.cases[index::number]) for index in range(number)]


def part(cases: Iterable[str]) -> Part:
    """The rows of these cases; those that the import refuses are among them, and owe nothing."""
    wanted = tuple(cases)
    head, *lines = FILE.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    chosen = [line for line in lines if line.partition(",")[0] in wanted]
    rows = [row for row in told_rows() if row["案号"] in wanted]
    due = Counter(("sms", row["手机号码"]) for row in rows)
    due.update(("mail", row["电子邮箱"]) for row in rows if row["电子邮箱"] and row["同意电子送达"] == "是")
    return Part("".join([head, *chosen]).encode(), due, wanted)


def whole_file() -> Part:
    """All cases of the file, in its order."""
    return part(dict.fromkeys(row["案号"] for row in told_rows()))


@dataclass(frozen=True)
class Account:
    """Due against received, per channel and address."""

    due: Counter[Address]
    received: Counter[Address]
    unknown: Counter[Address] = field(default_factory=Counter)
    twice: Counter[Address] = field(default_factory=Counter)

    def lost_in_silence(self) -> Counter[Address]:
        """What was due, did not come, and is not listed as unknown."""
        return self.due - self.received - self.unknown

    def doubled_in_silence(self) -> Counter[Address]:
        """What came more often than due, and is not listed as possibly twice."""
        return self.received - self.due - self.twice

    def figures(self) -> dict[str, int]:
        """For the log; no address among them."""
        counts = {"due": self.due, "received": self.received, "unknown": self.unknown, "possibly twice": self.twice}
        found = {name: sum(count.values()) for name, count in counts.items()}
        return found | {"came twice": sum((self.received - self.due).values())}

    def check(self, unknown_at_most: int = 0) -> None:
        """Nothing lost and nothing twice in silence; no more in doubt than was in flight."""
        lost, doubled = self.lost_in_silence(), self.doubled_in_silence()
        assert not lost, f"lost in silence: {lost}"
        assert not doubled, f"twice in silence, or never due: {doubled}"
        assert sum(self.unknown.values()) <= unknown_at_most
        assert sum(self.twice.values()) <= unknown_at_most


def account(product: Product, due: Counter[Address], elsewhere: Counter[Address] | None = None) -> Account:
    """As it stands now. `elsewhere`: what other drills on the same product had received, which is not looked at."""
    received = Counter((message["channel"], message["to"]) for message in product.messages())
    clerk = product.as_("clerk")
    troubles: dict[str, list[dict[str, Any]]] = clerk.get("/api/notices/troubles").json()
    assert all(len(items) < 500 for items in troubles.values()), "the lists are cut off"
    listed = {name: Counter(_addresses(clerk, items, name)) for name, items in troubles.items()}
    mine = {
        name: Counter({address: n for address, n in found.items() if address in due}) for name, found in listed.items()
    }
    return Account(due, received - (elsewhere or Counter()), mine["unknown"], mine["possibly_twice"])


def _addresses(clerk: httpx.Client, items: list[dict[str, Any]], kind: str) -> Iterator[Address]:
    """The address of each item listed, unmasked."""
    for (number, channel), count in Counter((item["case_number"], item["channel"]) for item in items).items():
        ids = {item.get("delivery_id") for item in items if (item["case_number"], item["channel"]) == (number, channel)}
        notices = clerk.get("/api/notices", params={"case_number": number}).json()["items"]
        sought = {
            (notice["party_id"], delivery["delivery_id"] if kind == "unknown" else notice["party_id"])
            for notice in notices
            for delivery in notice["deliveries"]
            if delivery["channel"] == channel
            and (delivery["delivery_id"] in ids if kind == "unknown" else delivery["possibly_twice"])
        }
        assert len(sought) == count, f"{kind} of {number}: {count} listed, {len(sought)} found"
        looked = clerk.post(f"/api/cases/{number}/looks", json={"reason": "核对哪些收件人的消息去向不明"})
        assert looked.status_code == 200, looked.text
        parties = {party["id"]: party for party in looked.json()["parties"]}
        for party_id, _ in sought:
            party = parties[party_id]
            phone = party["guardian_phone"] if party["minor"] else party["phone"]
            yield channel, party["email"] if channel == "mail" else phone


def whereabouts(product: Product, lost: Iterable[Address]) -> list[str]:
    """Where the deliveries stand of the cases in which something is missing; for the log, so without an address."""
    sought = set(lost)
    owing = {row["案号"] for row in told_rows() if sought & {("sms", row["手机号码"]), ("mail", row["电子邮箱"])}}
    found: Counter[str] = Counter()
    for number in owing:
        for notice in product.as_("clerk").get("/api/notices", params={"case_number": number}).json()["items"]:
            found.update(f"{each['channel']} {each['state']} {each['step']}" for each in notice["deliveries"])
            found[f"notice {notice['state']}"] += 1
    return [f"{count} {what}" for what, count in found.items()]


class Inflow:
    """How many messages have come since its making."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._before = len(product.messages())

    def number(self) -> int:
        """Up to now."""
        return len(self._product.messages()) - self._before


def at_rest(clerk: httpx.Client) -> bool:
    """No notice has a delivery under way any more."""
    cursor: str | None = None
    while True:
        params = {"limit": 200} | ({"cursor": cursor} if cursor else {})
        page = clerk.get("/api/notices", params=params).json()
        for notice in page["items"]:
            for delivery in notice["deliveries"]:
                if delivery["step"] not in {"done", "person", "wait"} and delivery["state"] != "sent":
                    return False
        cursor = page["next"]
        if cursor is None:
            return True


def settled(product: Product, due: Counter[Address], elsewhere: Counter[Address] | None = None) -> Account:
    """The account once all is received or listed, nothing is under way, and for three seconds nothing more has come.

    When nothing has come for four minutes, as it stands, for the test to say what is missing.
    """
    inflow, before, quiet_since = Inflow(product), 0, time.monotonic()
    while time.monotonic() - quiet_since < 240:
        if inflow.number() != before:
            before, quiet_since = inflow.number(), time.monotonic()
        if time.monotonic() - quiet_since > 3 and at_rest(product.as_("clerk")):
            found = account(product, due, elsewhere)
            if not found.lost_in_silence():
                return found
        time.sleep(0.3)
    return account(product, due, elsewhere)


def imported(product: Product) -> bool:
    """Every file taken has been worked through."""
    items = product.as_("clerk").get("/api/cases/imports").json()["items"]
    return bool(items) and all(item["state"] == "done" for item in items)
