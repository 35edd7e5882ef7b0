import secrets
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from shared.runtime.secrets import kept, secret_path
from shared.settings import RunSettings


def test_of_several_that_start_at_once_one_makes_the_secret_and_all_read_it(tmp_path: Path) -> None:
    run, start = RunSettings(data=tmp_path), Barrier(8)

    def make() -> str:
        start.wait(10)
        return secrets.token_hex(8)

    with ThreadPoolExecutor(8) as pool:
        read = set(pool.map(lambda _: kept(run, "logins/judge", make), range(8)))
    path = secret_path(run, "logins/judge")
    assert read == {path.read_text()}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path], "no draft is left"
