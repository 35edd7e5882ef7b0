"""Long work says what it is at, and that it still goes on."""

import threading
import time
from collections.abc import Callable

STILL = "仍在"
"""How a line begins that tells of no new step."""
_EVERY = 10.0
"""Seconds after which a step that is still at work says so, again and again."""


class Progress:
    """Tells each step when it begins, and every ten seconds how long it has taken so far.

    `say` gets whole lines. It may be called from another thread.
    """

    def __init__(self, say: Callable[[str], None], every: float = _EVERY) -> None:
        self._say = say
        self._every = every
        self._begun = time.monotonic()
        self._step = ""
        self._remarks: set[str] = set()
        self._changed = threading.Condition()
        self._over = False
        self._teller = threading.Thread(target=self._remind, name="progress", daemon=True)

    def step(self, what: str) -> None:
        """Begin a step, `what` in a few words of Chinese."""
        with self._changed:
            self._step = what
            self._changed.notify()
        self._say(f"  {what}……")
        if self._teller.ident is None:
            self._teller.start()

    def remark(self, what: str) -> None:
        """Say what somebody has to see to, in a sentence of Chinese; the same one is said once."""
        if what not in self._remarks:
            self._remarks.add(what)
            self._say(what)

    def close(self) -> None:
        """Everything is done, or has failed: nothing is said any more."""
        with self._changed:
            self._over = True
            self._changed.notify()
        if self._teller.ident is not None:
            self._teller.join()

    def _remind(self) -> None:
        with self._changed:
            while not self._over:
                if not self._changed.wait(self._every):
                    self._say(f"  {STILL}{self._step}（已 {time.monotonic() - self._begun:.0f} 秒）……")


def silent() -> Progress:
    """One that tells nobody: for processes whose owner reads their logs."""
    return Progress(lambda _line: None)
