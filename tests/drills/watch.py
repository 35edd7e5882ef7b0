"""What people meet while something is broken: pages and answers asked for again and again beside a drill."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from tests.fixtures.running import Product


class Watch:
    """Asks for `paths` in turn, signed in as the clerk, from its beginning to its end, and notes what was no 200."""

    def __init__(self, product: Product, paths: Sequence[str]) -> None:
        self._paths = paths
        self._client = httpx.Client(base_url=product.url, headers=product.as_("clerk").headers, timeout=10)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on)
        self.asked = 0
        self.slowest = 0.0
        self.refused: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end.set()
        self._thread.join()
        self._client.close()

    def go_on_until(self, instant: float) -> None:
        """Let it ask until `instant` of the monotonic clock: an outage has its length."""
        while time.monotonic() < instant:
            self._end.wait(min(0.3, max(0.0, instant - time.monotonic())))

    def _go_on(self) -> None:
        while not self._end.wait(0.3):
            for path in self._paths:
                self._ask(path)

    def _ask(self, path: str) -> None:
        began = time.monotonic()
        try:
            answer = str(self._client.get(path).status_code)
        except httpx.HTTPError as error:
            answer = type(error).__name__
        self.asked += 1
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer != "200":
            self.refused.append((path, answer))
