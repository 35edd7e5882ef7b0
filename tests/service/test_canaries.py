"""A start with other keys than those of the data is refused, before anything is written."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text

from services.asset_tips import store
from services.asset_tips.service import SERVICE
from shared.bus.postgres import PostgresLog
from shared.clock import SystemClock
from shared.contracts.tips import TipGround
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import UNNAMED, Lookups
from shared.crypto.signing import SigningKey
from shared.db.access import Part
from shared.db.tables import canaries
from shared.http.routes import Zone
from shared.runtime.canaries import KeysDifferError
from shared.runtime.secrets import Secret, SecretsMissingError, Vault, kept, secret_path
from shared.runtime.service import Service
from shared.runtime.unit import Unit, build_kit
from shared.settings import Environment, RunSettings
from tests.fixtures.databases import TESTERS, FreshDatabase, as_part
from tests.fixtures.kits import as_owner_of

OF_LATER_RELEASES = (
    "DROP TABLE canaries, revocations, set_aside",
    "ALTER TABLE wrong_tries DROP CONSTRAINT wrong_tries_counted",
    "ALTER TABLE answers DROP CONSTRAINT answers_of_use",
    "UPDATE version_db SET version_num = '0007'",
)
"""What makes a database as it was before there were canaries."""
ZONES = {"staff": [Zone.STAFF], "public": [Zone.PUBLIC], "both": [*Zone]}


@asynccontextmanager
async def process(url: str, data: Path, zones: Sequence[Zone], service: Service = SERVICE) -> Any:
    """The service as a process of its own builds it."""
    roles = TESTERS.model_dump(include={"service_role", "public_role"})
    run = RunSettings(environment=Environment.TEST, data=data, database_url=url, **roles)
    keys = await asyncio.to_thread(Vault(run).keys, service.name, service.held(zones))
    kit = build_kit(service, run, keys, url, SystemClock())
    unit = Unit(service, kit, PostgresLog(url), zones, as_part(url, Part.OWNER))
    try:
        yield unit
    finally:
        await unit.close()


async def start(url: str, data: Path, *zones: Zone) -> None:
    async with process(url, data, zones) as unit:
        await unit.check_keys()
        await unit.prepare()


async def tables(url: str, data: Path) -> list[str]:
    async with process(url, data, [Zone.STAFF]) as unit, unit.kit.db.read() as conn:
        query = text("SELECT relname, n_live_tup FROM pg_stat_user_tables ORDER BY 1")
        return [str(row) for row in await conn.execute(query)]


@pytest.mark.parametrize("zones", ZONES.values(), ids=ZONES)
async def test_the_right_keys_start_again_and_others_do_not(
    fresh_database: FreshDatabase, tmp_path: Path, zones: list[Zone]
) -> None:
    url = await fresh_database(SERVICE, empty=True)
    await start(url, tmp_path / "right", *Zone)
    for zone in (*([each] for each in zones), zones):
        await start(url, tmp_path / "right", *zone)
    async with process(url, tmp_path / "lost", zones) as unit:
        with pytest.raises(KeysDifferError, match="asset_tips 的数据库里的数据不是用现在这把 YANGGUANG_"):
            await unit.check_keys()
        with pytest.raises(KeysDifferError):
            await unit.prepare()


@pytest.mark.parametrize("secret", [Secret.KEYRING, Secret.EXCHANGE, Secret.LOOKUPS])
async def test_each_ring_is_watched(fresh_database: FreshDatabase, tmp_path: Path, secret: Secret) -> None:
    url, run = await fresh_database(SERVICE, empty=True), RunSettings(data=tmp_path)
    await start(url, tmp_path, *Zone)
    path = secret_path(run, f"{secret.file_name('asset_tips')}.txt")
    right = path.read_text()
    path.write_text((Lookups if secret is Secret.LOOKUPS else KeyRing).generate().to_text())
    if secret is Secret.KEYRING:
        secret_path(run, "drop_asset_tips.txt").unlink()
    with pytest.raises(KeysDifferError, match=secret.setting):
        await start(url, tmp_path, *Zone)
    path.write_text(right)
    secret_path(run, "drop_asset_tips.txt").unlink(missing_ok=True)
    await start(url, tmp_path, *Zone)


async def test_a_new_empty_database_is_no_loss_and_nothing_is_written_by_a_look(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database(SERVICE, empty=True)
    async with process(url, tmp_path, [Zone.STAFF]) as unit:
        await unit.check_keys()
    assert await tables(url, tmp_path) == []


@pytest.mark.parametrize("migrated", [False, True])
async def test_an_older_releases_rows_are_looked_at_where_there_is_no_canary(
    fresh_database: FreshDatabase, tmp_path: Path, *, migrated: bool
) -> None:
    """Its keyring.txt was lost with the folder: keys made anew would open nothing.

    The owner may have migrated it already, without any key: then the place of the canaries is there, and empty.
    """
    url = await fresh_database(SERVICE, empty=True)
    old = KeyRing({"k1": b"1" * 32}, Lookups({UNNAMED: b"i" * 32}))
    kept(RunSettings(data=tmp_path / "kept"), "keyring.txt", old.to_text)
    await start(url, tmp_path / "kept", *Zone)
    async with process(url, tmp_path / "kept", [Zone.STAFF]) as unit, unit.kit.db.begin() as tx:
        tip = {"tip_number": "1", "receipt_index": "x", "ground": TipGround.URGENT, "channel": "web"}
        tip_id = "0197c2f0-1111-7000-8000-1234567890ab"
        body = {"tip_id": tip_id, "body": old.seal("房", tip_id), "arrived_at": tx.now}
        await store.add(tx.conn, {**tip, **body})
    async with as_owner_of(url) as conn:
        for step in ["DELETE FROM canaries"] if migrated else OF_LATER_RELEASES:
            await conn.execute(text(step))
    with pytest.raises(KeysDifferError, match="YANGGUANG_KEYRING"):
        await start(url, tmp_path / "lost", *Zone)
    await start(url, tmp_path / "kept", *Zone)
    async with process(url, tmp_path / "kept", [Zone.STAFF]) as unit, unit.kit.db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(canaries))).scalar_one() == 4


async def test_of_two_that_begin_at_once_with_different_keys_one_ends(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database(SERVICE, empty=True)
    begun = await asyncio.gather(
        *(start(url, tmp_path / name, *Zone) for name in ("one", "other")), return_exceptions=True
    )
    assert sorted(type(each).__name__ for each in begun) == ["KeysDifferError", "NoneType"]


def serve(url: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from shared.runtime.cli import main; main()", "serve", "asset_tips"]
    env = {**os.environ, "YANGGUANG_DATABASE_URL": url, "YANGGUANG_DATA": str(data), "YANGGUANG_PORT": "8121"}
    env |= {f"YANGGUANG_{name}_ROLE": getattr(TESTERS, f"{name.lower()}_role") for name in ("SERVICE", "PUBLIC")}
    env["YANGGUANG_OWNER_URL"] = as_part(url, Part.OWNER)
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)


async def test_the_command_says_so_in_one_sentence_and_keeps_no_key_that_it_made(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    url = await fresh_database(SERVICE, empty=True)
    await start(url, tmp_path / "right", *Zone)
    before = await tables(url, tmp_path / "right")
    ended = await asyncio.to_thread(serve, url, tmp_path / "lost")
    assert ended.returncode == 1
    said = [line for line in ended.stderr.splitlines() if "数据不是用现在这把" in line]
    assert len(said) == 1, ended.stderr
    assert "从备份恢复" in said[0]
    assert "Traceback" not in ended.stderr
    assert [path.name for path in (tmp_path / "lost" / "secrets").iterdir()] == []
    assert await tables(url, tmp_path / "right") == before


def test_a_signing_key_that_is_replaced_on_purpose_stands_before_the_old_one() -> None:
    old, new = SigningKey.generate(), SigningKey.generate()
    both = SigningKey.from_pem(new.to_pem() + old.to_pem())
    assert both.key_id == new.key_id
    assert both.known == {new.key_id, old.key_id}


def test_a_private_and_a_public_token_key_that_are_no_pair_are_refused(tmp_path: Path) -> None:
    run = RunSettings(data=tmp_path)
    Vault(run).keys("staff", Secret)
    secret_path(run, "token_key.pem").write_text(SigningKey.generate().to_pem())
    with pytest.raises(SecretsMissingError, match="不配对"):
        Vault(run).keys("staff", Secret)
