import os
import secrets
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from types import FrameType

import pytest

from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import UNNAMED, Lookups
from shared.crypto.sealed import SealError
from shared.runtime.secrets import Secret, SecretAbsentError, SecretsMissingError, Vault, kept, secret_path
from shared.settings import Environment, RunSettings


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


def test_in_an_older_releases_folder_new_rings_open_and_find_what_is_old(tmp_path: Path) -> None:
    """That release had one ring, with one index key, for everything."""
    old = KeyRing({"k1": b"1" * 32}, Lookups({UNNAMED: b"i" * 32}))
    run = RunSettings(data=tmp_path)
    kept(run, "keyring.txt", old.to_text)
    keys = Vault(run).keys("asset_tips", Secret)
    sealed, mark = old.seal("李证人", "tip/contact"), old.blind_index("ABCD", "tip receipt")
    assert keys.keyring.open(sealed, "tip/contact") == "李证人"
    assert keys.exchange.open(sealed, "tip/contact") == "李证人", "what waits in the log"
    assert not keys.keyring.seal("x", "p").startswith("k1.")
    assert mark in keys.lookups.indexes("ABCD", "tip receipt")
    assert old.blind_index("5001", "phone") in keys.keyring.blind_indexes("5001", "phone")
    outside = Vault(run).keys("asset_tips", {Secret.LOOKUPS}).lookups
    assert mark in outside.indexes("ABCD", "tip receipt")
    assert old.blind_index("5001", "phone") not in outside.indexes("5001", "phone"), "bound to what it is for"


def test_each_service_has_keys_of_its_own_and_what_is_not_declared_is_absent(tmp_path: Path) -> None:
    run = RunSettings(data=tmp_path)
    one, other = (Vault(run).keys(name, Secret) for name in ("one", "other"))
    for open_with in (other.keyring, other.exchange):
        with pytest.raises(SealError):
            open_with.open(one.keyring.seal("x", "p"), "p")
    assert one.keyring.open(other.exchange.seal("x", "p"), "p") == "x", "what came in an event"
    assert one.keyring.open(one.drop.seal("x", "p"), "p") == "x"
    assert one.lookups.index("x", "p") != other.lookups.index("x", "p")
    assert Vault(run).keys("one", Secret).keyring.open(one.keyring.seal("x", "p"), "p") == "x", "after a restart"
    outside = Vault(run).keys("one", {Secret.DROP})
    with pytest.raises(SecretAbsentError, match="keyring"):
        outside.keyring.open(outside.drop.seal("x", "p"), "p")


def test_production_names_the_secret_that_is_missing_or_spoilt(tmp_path: Path) -> None:
    with pytest.raises(SecretsMissingError, match="缺少 YANGGUANG_EXCHANGE"):
        Vault(RunSettings(data=tmp_path, environment=Environment.PRODUCTION)).keys("one", {Secret.EXCHANGE})
    path = tmp_path / "keyring_one"
    run = RunSettings(data=tmp_path, environment=Environment.PRODUCTION, keyring=f"@{tmp_path}/keyring_{{service}}")
    with pytest.raises(SecretsMissingError, match="无法读取 YANGGUANG_KEYRING"):
        Vault(run).keys("one", {Secret.KEYRING})
    path.write_text("k1:short")
    with pytest.raises(SecretsMissingError, match="YANGGUANG_KEYRING 的内容不是可用的密钥"):
        Vault(run).keys("one", {Secret.KEYRING})
    path.write_text(KeyRing.generate().to_text())
    assert Vault(run).keys("one", {Secret.KEYRING}).keyring.open
