"""`make demo`: thirty cases whose past the product has lived through; started again, it adds nothing."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.running import YANGGUANG, Product, eventually, free_port, new_folder, remove, slowness

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).parents[2]


class Demo:
    """The demonstration as its visitor starts and stops it."""

    def __init__(self) -> None:
        self.folder = new_folder()
        self.port = free_port()
        self.env = {**os.environ, "YANGGUANG_DATA": str(self.folder), "YANGGUANG_PORT": str(self.port)}
        self.said = ""

    def start(self) -> None:
        said = self.folder / "said.txt"
        with said.open("wb") as out:
            command = [sys.executable, "-m", "deploy.demo.launch"]
            self.process = subprocess.Popen(command, env=self.env, cwd=ROOT, stdout=out, stderr=out)

        def shown() -> bool:
            self.said = said.read_text()
            assert self.process.poll() is None, self.said
            return "再次启动不会重复添加" in self.said

        eventually("what there is to see", 400, shown)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    demo = Demo()
    demo.start()
    yield demo
    demo.process.kill()
    remove(demo.folder)


@pytest.fixture(scope="module")
def court(demo: Demo) -> Iterator[Product]:
    court = Product(f"http://127.0.0.1:{demo.port}", demo.folder)
    yield court
    court.close()


def seen(court: Product) -> dict[str, Any]:
    """What there is, by kind."""
    clerk, duty = court.as_("clerk"), court.as_("duty")
    return {
        "cases": clerk.get("/api/cases", params={"limit": 200}).json()["items"],
        "stages": clerk.get("/api/stages", params={"limit": 200}).json()["items"],
        "queue": duty.get("/api/desk/queue").json()["items"],
        "waiting": clerk.get("/api/notices", params={"state": "waiting"}).json()["items"],
        "unknown": clerk.get("/api/notices/troubles").json()["unknown"],
        "letters": clerk.get("/api/notices/paper", params={"limit": 200}).json()["items"],
        "messages": [(each["to"], each["body"]) for each in court.messages()],
    }


def test_the_demonstration_lives_stops_and_goes_on(demo: Demo, court: Product) -> None:
    first = seen(court)
    assert len(first["cases"]) == 30
    assert {case["period"] for case in first["stages"]} == {"investigation", "compulsory", "closure"}
    filled = re.search(r"演示数据用了 (\d+) 秒", demo.said)
    assert filled
    assert int(filled[1]) < 30 * slowness(), demo.said
    now = court.as_("duty").get("/api/desk/queue").json()["now"]
    late = [case for case in first["stages"] if case["next_due_at"] and case["next_due_at"] < now]
    assert 5 <= len(late) <= 15
    assert {item["clock"] for item in first["queue"]} == {"triage", "check", "deed"}
    assert any(item["rang_at"] for item in first["queue"])
    assert first["waiting"]
    assert first["unknown"]
    assert {"to_print", "posted", "served", "returned"} <= {letter["state"] for letter in first["letters"]}
    rung(court, [case["case_number"] for case in first["stages"]])
    verified = subprocess.run(
        [YANGGUANG, "verify-log", late[0]["case_number"]], env=demo.env, check=False, capture_output=True, text=True
    )
    assert (verified.returncode, "核验通过" in verified.stdout) == (0, True), verified.stderr
    assert demo.stop() == 0, (demo.folder / "product.log").read_text()[-3000:]
    demo.start()
    assert "30 个案件" in demo.said
    again = seen(court)
    for kind in ("cases", "letters", "messages", "unknown"):
        assert again[kind] == first[kind]
    assert demo.stop() == 0


def rung(court: Product, numbers: list[str]) -> None:
    """Every clock that is over has rung or was stopped."""
    now = court.as_("duty").get("/api/desk/queue").json()["now"]
    silent = [
        (number, clock["title"])
        for number in numbers
        for clock in court.as_("judge").get(f"/api/stages/{number}").json()["deadlines"]
        if clock["due_at"] < now and not clock["fired_at"] and not clock["met_at"]
    ]
    assert not silent
