"""Starts the product on a data folder of its own and fills it once: `python -m deploy.demo.launch`.

Port and host as for `yangguang serve` (YANGGUANG_PORT, YANGGUANG_HOST); YANGGUANG_DATA, default .data/demo.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TextIO

import click
import httpx

from deploy.demo.court import Court
from deploy.demo.guide import guide
from deploy.demo.story import Story
from shared.runtime.listener import LaunchError, check_mail_port, listener
from shared.runtime.progress import STILL, Progress
from shared.settings import RunSettings

_FOLDER = Path(".data/demo")
_TOLD = "demo.json"
_SILENCE = 180.0
"""Seconds without a new step of the start after which something must be wrong; each step begins them anew."""
_PATIENCE, _STARTS = 60.0, 10.0
"""Each wait is granted so many seconds, or so many times what the start took on this machine."""
_QUICK = {"PARTY_NOTIFICATION_SETTLE": "2", "PARTY_NOTIFICATION_QUERY_GAP": "2"}
"""Nobody who watches waits minutes until an unknown sending lies before a person."""


class Demo:
    """The product as a child process, and the folder in which its data lie."""

    def __init__(self, run: RunSettings) -> None:
        self.url = f"http://{run.host}:{run.port}"
        self.data = run.data if "data" in run.model_fields_set else _FOLDER
        self.took = 0.0
        """Seconds from the start to ready: how slow this machine is."""
        self._run = run
        self._last_step = time.monotonic()
        self._child: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and wait until it is ready; its steps are told as they come. Raises ClickException."""
        try:
            listener(self._run).close()
            check_mail_port(self._run)
        except LaunchError as error:
            raise click.ClickException(str(error)) from None
        self.data.mkdir(parents=True, exist_ok=True)
        env = {**_QUICK, **os.environ, "YANGGUANG_DATA": str(self.data)}  # noqa: TID251 - the child's environment
        env["PYTHONUNBUFFERED"] = "1"
        yangguang = str(Path(sys.executable).with_name("yangguang"))
        command = [yangguang, "serve", "all", "--end-with-parent", str(os.getpid())]
        begun = time.monotonic()
        with self._log.open("ab") as log:  # its log would bury what there is to read
            self._child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603 - our own words
        threading.Thread(target=self._repeat, args=(self._child.stdout,), daemon=True).start()
        while not self._is_ready():
            self._check_start()
            time.sleep(0.2)
        self.took = time.monotonic() - begun

    def _repeat(self, said: TextIO) -> None:
        for line in said:
            click.echo(line, nl=False)
            if not line.lstrip().startswith(STILL):  # that alone is no step forward
                self._last_step = time.monotonic()

    def _check_start(self) -> None:
        if self._child is not None and self._child.poll() is not None:
            last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise click.ClickException(f"系统没有启动成功，日志在 {self._log}。{''.join(last)}")
        if time.monotonic() - self._last_step > _SILENCE:
            raise click.ClickException(
                f"系统启动停在上面最后一步已超过 {_SILENCE:.0f} 秒，不再等候。日志在 {self._log}。"
                "请检查磁盘和内存是否够用，再运行 make demo；已完成的步骤不会重来。"
            )

    @property
    def _log(self) -> Path:
        return self.data / "product.log"

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).is_success
        except httpx.HTTPError:
            return False

    def fill(self) -> None:
        """Tell the story once; say what there is to see."""
        court = Court(self.url, self.data, max(_PATIENCE, _STARTS * self.took))
        try:
            if not (self.data / _TOLD).exists():
                self._tell(court)
            told: dict[str, Any] = json.loads((self.data / _TOLD).read_text())
            click.echo(guide(self.url, self.data, court.now(), told["numbers"], told["receipt"]))
        finally:
            court.close()

    def _tell(self, court: Court) -> None:
        if court.get("clerk", "/api/cases", limit=1)["items"]:
            raise click.ClickException(
                f"上次准备演示数据时中途停止，{self.data} 里的数据不完整。请删除该文件夹后重新运行 make demo。"
            )
        click.echo("正在准备演示数据：30 个案件，半年多的办理经过……")
        begun = time.monotonic()
        with closing(Progress(click.echo)) as progress:
            story = Story(court, progress)
            story.tell()
        click.echo(f"  演示数据用了 {time.monotonic() - begun:.0f} 秒。")
        draft = self.data / f"{_TOLD}.part"
        draft.write_text(json.dumps({"numbers": story.numbers, "receipt": story.receipt}, ensure_ascii=False))
        draft.rename(self.data / _TOLD)

    def wait(self) -> None:
        """Until the product ends."""
        if self._child is not None:
            self._child.wait()

    def stop(self) -> int:
        """Ask it to end and wait; its exit status."""
        if self._child is None:
            return 0
        with suppress(ProcessLookupError):
            self._child.terminate()
        return self._child.wait()


@click.command()
def main() -> None:
    """启动系统并准备演示数据（只准备一次），按 Ctrl+C 停止。"""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs are born deaf to Ctrl+C
        signal.signal(number, signal.default_int_handler)
    demo = Demo(RunSettings())
    try:
        with suppress(KeyboardInterrupt):
            demo.start()
            demo.fill()
            demo.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # the end is under way: a second Ctrl+C must not cut it
        status = demo.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
