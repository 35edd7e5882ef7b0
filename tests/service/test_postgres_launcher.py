"""The embedded PostgreSQL as a real process: privacy of the databases, restarts and kills."""

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from shared.db.access import Part
from shared.runtime.postgres import EmbeddedPostgres, PostgresStartError, keep_alive, read_url
from shared.runtime.postgres.account import unprivileged_account
from shared.runtime.postgres.folder import ServerFolder
from shared.runtime.postgres.installation import installed_bin_folder
from shared.runtime.postgres.process import postmaster_of, retire_orphan

NAMES = ("alpha", "beta")
REPO = Path(__file__).parents[2]

OWNER = """
import sys, time
from pathlib import Path
from shared.db.access import Part
from shared.db.access import Part
from shared.runtime.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), ["alpha", "beta"])
server.start()
print(server.url("alpha", Part.OWNER), flush=True)
time.sleep(300)
"""


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """Unlike pytest's own, a folder that the server's account may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shared_server(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "数据 库", NAMES, max_connections=30)
    yield server
    server.stop()


@pytest.fixture
def server(shared_server: EmbeddedPostgres) -> EmbeddedPostgres:
    """The shared server, started by a thread that ends at once: the server must outlive it."""
    if not shared_server.is_running():
        thread = threading.Thread(target=shared_server.start)
        thread.start()
        thread.join()
    assert shared_server.is_running()
    return shared_server


@pytest.fixture
def folder(server: EmbeddedPostgres) -> ServerFolder:
    return server._folder


@asynccontextmanager
async def connected(url: str, database: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""), database=database)
    try:
        yield connection
    finally:
        await connection.close()


def superuser_url(folder: ServerFolder) -> str:
    credentials = folder.load_credentials()
    return f"postgresql://postgres:{credentials.passwords['postgres']}@127.0.0.1:{credentials.port}/postgres"


async def remember(url: str, word: str) -> None:
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (word text PRIMARY KEY)")
        await connection.execute("INSERT INTO kept VALUES ($1)", word)


async def remembers(url: str, word: str) -> bool:
    async with connected(url) as connection:
        return bool(await connection.fetchval("SELECT count(*) FROM kept WHERE word = $1", word))


def until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def owner_process(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """Start another process that owns the server; return it with the URL of `alpha`."""
    process = subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


async def test_url_has_the_promised_shape_and_connects_as_the_own_role(server: EmbeddedPostgres) -> None:
    assert re.fullmatch(r"postgresql\+asyncpg://alpha:[\w-]{40,}@127\.0\.0\.1:\d+/alpha", server.url("alpha"))
    async with connected(server.url("alpha")) as connection:
        row = await connection.fetchrow(
            "SELECT current_user::text AS me, rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication AS mighty,"
            " pg_get_userbyid(datdba)::text AS owner, pg_encoding_to_char(encoding)::text AS encoding, datcollate"
            " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
        )
    assert row is not None
    assert dict(row) == {
        "me": "alpha", "mighty": False, "owner": "alpha_owner", "encoding": "UTF8", "datcollate": "C"
    }  # fmt: skip


@pytest.mark.parametrize("part", Part)
@pytest.mark.parametrize("closed", ["beta", "postgres", "template1"])
async def test_a_role_enters_no_other_database(server: EmbeddedPostgres, closed: str, part: Part) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connected(server.url("alpha", part), database=closed):
            pass


async def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        async with connected(re.sub(r"alpha:[^@]+@", "alpha:wrong@", server.url("alpha"))):
            pass


async def test_settings_keep_to_loopback_and_to_durability(folder: ServerFolder) -> None:
    wanted = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "30", "fsync": "on",
        "synchronous_commit": "on", "TimeZone": "UTC", "data_checksums": "on", "password_encryption": "scram-sha-256",
    }  # fmt: skip
    async with connected(superuser_url(folder)) as connection:
        rows = await connection.fetch("SELECT name, setting FROM pg_settings WHERE name = ANY($1)", list(wanted))
        methods = await connection.fetch("SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert {row["name"]: row["setting"] for row in rows} == wanted
    assert [row["auth_method"] for row in methods] == ["scram-sha-256"]


def test_secrets_are_the_owners_alone_and_the_parent_keeps_its_mode(folder: ServerFolder) -> None:
    assert folder.credentials.stat().st_mode & 0o777 == 0o600
    assert folder.log.stat().st_mode & 0o777 == 0o600
    assert folder.data.stat().st_mode & 0o077 == 0
    assert folder.root.parent.stat().st_mode & 0o777 == 0o755
    assert not list(folder.root.glob("initdb-*"))


async def test_the_log_holds_nothing_that_statements_carry(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    phone = "13900000005"
    async with connected(server.url("alpha", Part.OWNER)) as connection:
        await connection.execute("CREATE TEMP TABLE people (phone text PRIMARY KEY)")
        await connection.execute("INSERT INTO people VALUES ($1)", phone)
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            await connection.execute("INSERT INTO people VALUES ($1)", phone)
        with pytest.raises(asyncpg.PostgresSyntaxError):
            await connection.execute(f"SELEKT '{phone}'")
        with pytest.raises(asyncpg.InvalidTextRepresentationError):
            await connection.execute(f"SELECT 'x{phone}'::int")
        with pytest.raises(asyncpg.RaiseError):
            await connection.execute(f"DO $$ BEGIN RAISE '{phone}'; END $$")
    assert phone in str(caught.value.detail)
    log = folder.log.read_text(encoding="utf-8")
    assert "ready to accept connections" in log
    assert phone not in log


async def test_a_crash_of_a_connection_does_not_log_its_statement(
    server: EmbeddedPostgres, folder: ServerFolder
) -> None:
    written = len(folder.log.read_text())
    async with connected(server.url("alpha", Part.OWNER)) as connection:
        running = asyncio.ensure_future(connection.execute("SELECT pg_sleep(60), '13900000006'"))
        async with connected(superuser_url(folder)) as observer:
            query = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
            while (pid := await observer.fetchval(query)) is None:
                await asyncio.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(asyncpg.PostgresConnectionError):
            await running
    told = re.compile("was terminated by signal 9.*ready to accept connections", re.DOTALL)
    assert until(lambda: bool(told.search(folder.log.read_text()[written:])), 20)
    assert "13900000006" not in folder.log.read_text()


def test_a_second_owner_is_refused_and_the_first_lives_on(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    with pytest.raises(PostgresStartError, match=rf"{folder.root}.*进程号 {os.getpid()}.*请先停止"):
        EmbeddedPostgres(folder.root, NAMES).start()
    with pytest.raises(PostgresStartError, match="无需再次启动"):
        server.start()
    assert server.is_running()


async def test_data_port_and_passwords_survive_stop_and_start(server: EmbeddedPostgres) -> None:
    url = server.url("alpha", Part.OWNER)
    await remember(url, "restart")
    server.stop()
    server.stop()
    assert not server.is_running()
    server.start()  # inside a running event loop
    assert server.url("alpha", Part.OWNER) == url
    assert await remembers(url, "restart")


async def test_a_new_name_gets_its_database_beside_the_old_ones(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    await remember(server.url("alpha", Part.OWNER), "grown")
    server.stop()
    grown = EmbeddedPostgres(folder.root, [*NAMES, "gamma"], max_connections=30)
    grown.start()
    try:
        assert await remembers(grown.url("alpha", Part.OWNER), "grown")
        await remember(grown.url("gamma", Part.OWNER), "new")
    finally:
        grown.stop()


async def test_an_installation_whose_services_were_owners_is_carried_over(
    server: EmbeddedPostgres, folder: ServerFolder
) -> None:
    """As an older build left it: the role that runs the service owns the database and all that is in it."""
    await remember(server.url("beta", Part.OWNER), "owned")
    async with connected(superuser_url(folder), database="beta") as connection:
        await connection.execute("REASSIGN OWNED BY beta_owner TO beta")
        await connection.execute("DROP OWNED BY beta_owner")
        await connection.execute("DROP ROLE beta_owner")
    server.stop()
    server.start()
    assert await remembers(server.url("beta", Part.OWNER), "owned")
    async with connected(server.url("beta")) as connection:
        for attempt in ("SELECT * FROM kept", "ALTER TABLE kept ADD COLUMN x text", "CREATE TABLE x (x text)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(attempt)


async def test_the_containers_script_makes_the_same_roles_and_carries_an_older_database_over(
    server: EmbeddedPostgres, folder: ServerFolder, tmp_path: Path
) -> None:
    """Run over a database whose service was its owner, with its server's own programs."""
    async with connected(superuser_url(folder)) as connection:
        await connection.execute("CREATE ROLE before LOGIN PASSWORD 'old'")
        await connection.execute("CREATE DATABASE delta OWNER before")
        await connection.execute("ALTER ROLE before RENAME TO delta")
        port = await connection.fetchval("SELECT inet_server_port()")
    old = f"postgresql://delta:old@127.0.0.1:{port}/delta"
    async with connected(superuser_url(folder)) as connection:
        await connection.execute("ALTER ROLE delta PASSWORD 'old'")
    await remember(old, "older")
    words = {
        "owner_delta": "delta_owner:w-1",
        "database_delta": "delta:w_2",
        "database_delta_public": "delta_public:w3",
    }
    for name, word in words.items():
        (tmp_path / name).write_text(f"postgresql+asyncpg://{word}@postgres:5432/delta")
    env = {"PATH": f"{installed_bin_folder()}:/usr/bin:/bin", "SECRETS": str(tmp_path), "PGHOST": "127.0.0.1"}
    env |= {"PGPORT": str(port), "PGPASSWORD": folder.load_credentials().passwords["postgres"]}
    subprocess.run(["bash", str(REPO / "deploy/postgres/10-databases.sh")], env=env, check=True)
    assert await remembers(f"postgresql://delta_owner:w-1@127.0.0.1:{port}/delta", "older")
    for word in ("delta:w_2", "delta_public:w3"):
        async with connected(f"postgresql://{word}@127.0.0.1:{port}/delta") as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("SELECT * FROM kept")


async def test_a_taken_port_is_chosen_anew_and_remembered(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    await remember(server.url("alpha", Part.OWNER), "moved")
    port = folder.load_credentials().port
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        server.start()
    assert folder.load_credentials().port != port
    assert read_url(folder.root, "alpha", Part.OWNER) == server.url("alpha", Part.OWNER)
    assert await remembers(server.url("alpha", Part.OWNER), "moved")


@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
@pytest.mark.parametrize("at_once", [False, True], ids=["after its death", "while it dies"])
async def test_the_server_dies_with_a_killed_owner_and_starts_again(
    server: EmbeddedPostgres, folder: ServerFolder, *, at_once: bool
) -> None:
    server.stop()
    owner, url = await asyncio.to_thread(owner_process, folder.root)
    word = f"killed {at_once}"
    try:
        await remember(url, word)
        assert read_url(folder.root, "alpha", Part.OWNER) == url
        with pytest.raises(PostgresStartError, match=f"进程号 {owner.pid}"):
            server.start()
    finally:
        kill(owner)
    if not at_once:
        assert until(lambda: postmaster_of(folder.data) is None, 8)
        with pytest.raises(PostgresStartError, match="没有运行"):
            read_url(folder.root, "alpha")
    server.start()
    assert await remembers(server.url("alpha", Part.OWNER), word)


async def test_a_killed_server_is_noticed_and_starts_again(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    await remember(server.url("alpha", Part.OWNER), "server killed")
    pid = postmaster_of(folder.data)
    assert pid
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not server.is_running(), 5)
    server.stop()
    server.start()
    assert await remembers(server.url("alpha", Part.OWNER), "server killed")


async def test_a_killed_server_is_kept_alive_at_its_place(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    url = server.url("alpha", Part.OWNER)
    await remember(url, "kept alive")
    keeper = asyncio.create_task(keep_alive(server))
    try:
        os.kill(postmaster_of(folder.data) or 0, signal.SIGKILL)
        assert await asyncio.to_thread(until, lambda: not server.is_running(), 5)
        assert await asyncio.to_thread(until, server.is_running, 20)
        assert await asyncio.to_thread(until, lambda: postmaster_of(folder.data, ready=True) is not None, 20)
    finally:
        keeper.cancel()
    assert server.url("alpha", Part.OWNER) == url
    assert await remembers(url, "kept alive")


async def test_it_comes_back_at_its_own_port_or_not_at_all(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    assert not server.revive()
    os.kill(postmaster_of(folder.data) or 0, signal.SIGKILL)
    assert until(lambda: not server.is_running(), 5)
    assert until(lambda: _bindable(folder.load_credentials().port), 5)
    with (
        socket.create_server(("127.0.0.1", folder.load_credentials().port)),
        pytest.raises(PostgresStartError, match="占用"),
    ):
        server.revive()
    assert server.revive()
    server.stop()
    assert not server.revive()


def _bindable(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def test_an_orphan_that_lives_on_is_stopped(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    pid = postmaster_of(folder.data)
    retire_orphan(folder.data, patience=0.1)
    assert pid
    assert until(lambda: not server.is_running(), 5)
    assert postmaster_of(folder.data) is None
    server.stop()


def test_a_stale_pid_that_a_stranger_carries_is_ignored(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    server.stop()
    account = unprivileged_account()
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    try:
        pid_file = folder.data / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{folder.data}\n1\n5432\n\n127.0.0.1\n1 1\nready   \n")
        with pytest.raises(PostgresStartError, match="没有运行"):
            read_url(folder.root, "alpha")
        server.start()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_read_url_names_what_is_missing(server: EmbeddedPostgres, folder: ServerFolder, tmp_path: Path) -> None:
    assert read_url(folder.root, "beta") == server.url("beta")
    with pytest.raises(PostgresStartError, match="没有名为 postgres"):
        read_url(folder.root, "postgres")
    with pytest.raises(PostgresStartError, match=f"{tmp_path}.*请先启动"):
        read_url(tmp_path, "alpha")


def test_passwords_that_do_not_fit_the_data_are_named(server: EmbeddedPostgres, folder: ServerFolder) -> None:
    server.stop()
    kept = folder.credentials.read_text()
    stored = json.loads(kept)
    stored["passwords"]["postgres"] = "wrong"
    folder.credentials.write_text(json.dumps(stored))
    with pytest.raises(PostgresStartError, match=r"credentials\.json 与数据不相符"):
        server.start()
    assert postmaster_of(folder.data) is None
    folder.credentials.write_text(kept)
    server.start()
