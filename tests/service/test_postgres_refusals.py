"""What keeps the embedded PostgreSQL from starting is named, and nothing of others is changed."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.runtime.postgres import EmbeddedPostgres, PostgresStartError, read_url
from shared.runtime.postgres.account import unprivileged_account
from shared.runtime.postgres.folder import Credentials, ServerFolder
from shared.runtime.postgres.installation import installed_bin_folder, usable_bin_folder
from shared.runtime.postgres.process import postmaster_of

NAMES = ("alpha", "beta")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike pytest's own, a folder that the server's account may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@as_root
def test_a_folder_that_only_root_may_enter_serves_and_is_left_closed(open_folder: Path) -> None:
    closed = open_folder / "只有 root"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg", NAMES)
    for _ in range(2):  # made, and found again
        server.start()
        assert postmaster_of(closed / "pg" / "data", ready=True)
        assert read_url(closed / "pg", "alpha") == server.url("alpha")
        server.stop()
        assert postmaster_of(closed / "pg" / "data") is None
    assert closed.stat().st_mode & 0o777 == 0o700


@as_root
def test_unreachable_binaries_are_copied_once(open_folder: Path) -> None:
    account = unprivileged_account()
    package = installed_bin_folder().parents[1]
    closed = open_folder / "closed-environment"
    closed.mkdir(mode=0o700)
    for name in (package.name, f"{package.name}.libs"):
        (closed / name).symlink_to(package.with_name(name))
    hidden = closed / package.name / installed_bin_folder().parent.name / "bin"
    cache = open_folder / "cache"
    copied = usable_bin_folder(hidden, account, cache)
    assert copied.is_relative_to(cache)
    assert [path.name.rpartition("-")[0] for path in cache.iterdir()] == ["postgresql"]
    touched = cache.stat().st_mtime_ns
    assert usable_bin_folder(hidden, account, cache) == copied
    assert cache.stat().st_mtime_ns == touched


def test_reachable_binaries_stay_where_they_are(tmp_path: Path) -> None:
    assert usable_bin_folder(installed_bin_folder(), None, tmp_path) == installed_bin_folder()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: None, "缺少口令文件"),
        (lambda folder: folder.credentials.write_text("{"), "口令文件 .* 已损坏"),
        (lambda folder: folder.save_credentials(Credentials()), "属于 PostgreSQL 9，"),
    ],
)
def test_a_folder_that_cannot_serve_says_why(
    open_folder: Path, make: Callable[[ServerFolder], object], words: str
) -> None:
    folder = ServerFolder(Path(tempfile.mkdtemp(dir=open_folder)))
    folder.data.mkdir()
    (folder.data / "PG_VERSION").write_text("9\n")
    make(folder)
    server = EmbeddedPostgres(folder.root, NAMES)
    with pytest.raises(PostgresStartError, match=words):
        server.start()
    assert not server.is_running()


@pytest.mark.parametrize("name", ["postgres", "template1", "pg_x", "Alpha", "a-b", "", 'a"; DROP'])
def test_names_that_are_no_plain_identifiers_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not usable"):
        EmbeddedPostgres(tmp_path, [name])
