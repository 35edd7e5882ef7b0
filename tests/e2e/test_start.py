"""How a start goes, and how it says that it cannot be."""

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.runtime.progress import STILL
from tests.fixtures.running import YANGGUANG, Process, free_port, remove, slowness

_COMMANDS = {
    "one process": [str(YANGGUANG), "serve", "all"],
    "separate processes": [sys.executable, "-m", "deploy.local.launch", "--kafka", "127.0.0.1:9"],
    "demonstration": [sys.executable, "-m", "deploy.demo.launch"],
}
ROOT = Path(__file__).parents[2]


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A data folder as `mktemp -d` makes it: nobody else may enter."""
    folder = Path(tempfile.mkdtemp(prefix="yangguang-run-"))
    assert folder.stat().st_mode & 0o777 == 0o700
    yield folder
    remove(folder)


@pytest.mark.parametrize("way", _COMMANDS)
@pytest.mark.parametrize("above", [0, 25], ids=["the port", "the port of the mail server"])
def test_a_busy_port_is_told_before_anything_is_started(closed_folder: Path, way: str, above: int) -> None:
    if above and way == "separate processes":
        pytest.skip("there the mail server looks for a free port of its own")
    port = free_port()
    env = {**os.environ, "YANGGUANG_DATA": str(closed_folder), "YANGGUANG_PORT": str(port)}
    with socket.create_server(("127.0.0.1", port + above)):
        begun = time.monotonic()
        done = subprocess.run(
            _COMMANDS[way], check=False, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        took = time.monotonic() - begun
    assert done.returncode != 0
    assert f"端口 {port + above} 不能使用" in done.stderr
    assert "YANGGUANG_" in done.stderr
    assert not (closed_folder / "postgres").exists()
    assert not (closed_folder / "secrets").exists()
    assert took < 3 * slowness(), f"{took:.1f} s"


def test_a_start_tells_its_steps_and_comes_back_quickly(closed_folder: Path) -> None:
    process = Process(["all"], closed_folder, free_port())
    took = []
    try:
        for _ in range(2):
            begun = time.monotonic()
            process.start()
            process.wait_ready(180)
            took.append(time.monotonic() - begun)
            assert httpx.get(f"{process.url}/readyz").status_code == 200
            assert process.stop() == 0
    finally:
        process.kill()
    said = re.findall(r"^  (\S.*)……$", process.log(), re.MULTILINE)
    steps = [step for step in said if not step.startswith(STILL)]
    assert len(steps) == 2 * len(dict.fromkeys(steps))
    assert {"载入程序", "启动数据库（首次要建库）", "连接事件日志"} <= set(steps)
    assert closed_folder.stat().st_mode & 0o777 == 0o700
    assert took[1] < 8 * slowness(), f"{took} s"
