import os
import secrets
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import FrameType

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


def test_a_secret_is_on_the_disk_before_it_is_handed_out(tmp_path: Path) -> None:
    run, synced = RunSettings(data=tmp_path), list[tuple[str, int]]()
    path = secret_path(run, "keyring.txt")

    def watch(_frame: FrameType, event: str, called: object) -> None:
        if event == "c_call" and called is os.fsync:
            descriptors = [Path(f"/proc/self/fd/{entry}") for entry in os.listdir("/proc/self/fd")]  # noqa: PTH208
            opened = [each.resolve() for each in descriptors if each.exists()]
            synced.extend((str(each), each.stat().st_size) for each in opened if each.is_relative_to(tmp_path))

    sys.setprofile(watch)
    try:
        kept(run, "keyring.txt", lambda: "k1:0123456789")
    finally:
        sys.setprofile(None)
    (draft, size), *folders = synced
    assert Path(draft).parent == path.parent
    assert (draft != str(path), size) == (True, 13), "the whole draft, before it has its name"
    assert [folder for folder, _ in folders] == [str(path.parent), str(tmp_path)]
