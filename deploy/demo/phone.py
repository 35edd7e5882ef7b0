"""The telephone of a demonstration's logins: it knows what their second factors share, and gives each code once."""

import time
from pathlib import Path

from services.staff.domain.factor import STEP, code_at


class Phone:
    """Reads the secrets below a data folder. Before a step's code it gives those around it, which are good as well."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "secrets" / "factors"
        self._given: dict[str, int] = {}

    def code(self, login: str) -> str | None:
        """A code that this telephone has not given yet, waited for if need be; None for who comes in without one."""
        path = self._folder / login
        if not path.exists():
            return None
        while True:
            here = int(time.time()) // STEP
            step = max(self._given.get(login, 0) + 1, here - 1)
            if step <= here + 1:
                self._given[login] = step
                return code_at(path.read_text().strip(), step)
            time.sleep(0.2)

    def words(self, login: str) -> dict[str, str]:
        """What goes with the password when `login` signs in."""
        code = self.code(login)
        return {} if code is None else {"code": code}
