"""Databases of one moment in a file, and back into empty ones."""

import asyncio
import zipfile
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.case_intake.service import SERVICE as INTAKE
from services.stage_tracking.service import SERVICE as STAGES
from shared.db.access import Part
from shared.runtime.backup.archive import MANIFEST, known_file
from shared.runtime.backup.bring_back import bring_back
from shared.runtime.backup.cut import BackupError, cut, plain
from shared.runtime.backup.keep import keep
from tests.fixtures.databases import FreshDatabase, as_part

URLS = dict[str, str]


@pytest.fixture
async def urls(fresh_database: FreshDatabase) -> URLS:
    """As their owners: nobody else may lock the tables."""
    return {each.name: as_part(await fresh_database(each), Part.OWNER) for each in (INTAKE, STAGES)}


async def run(url: str, statement: str, *values: Any) -> Any:
    connection = await asyncpg.connect(plain(url))
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


ADD = "INSERT INTO outbox (event_id, topic, key, sequence, value) VALUES (gen_random_uuid(), 'cases', $1, $2, $3)"


async def filled(urls: URLS) -> None:
    for number in range(1, 40):
        await run(urls["case_intake"], ADD, "甲", number, bytes([0, number, 255]))
    await run(urls["stage_tracking"], "INSERT INTO answers VALUES ('s', 'k', 'f', '{\"甲\": [1, null]}', now())")


async def test_what_was_kept_comes_back_and_goes_on(urls: URLS, fresh_database: FreshDatabase, tmp_path: Path) -> None:
    await filled(urls)
    said: list[str] = []
    manifest = await keep(urls, tmp_path / "kept.zip", said.append)
    assert manifest.databases["case_intake"].tables["outbox"].rows == 39
    assert "暂停写入" in said[0]
    back = {name: await fresh_database() for name in urls}
    with known_file(tmp_path / "kept.zip") as archive:
        await bring_back(back, archive)
    for name, query in (
        ("case_intake", "SELECT * FROM outbox ORDER BY id"),
        ("stage_tracking", "SELECT * FROM answers"),
    ):
        assert await run(back[name], query) == await run(urls[name], query)
    await run(back["case_intake"], ADD, "甲", 40, b"")  # identities go on
    assert [row["taken_at"] for row in await run(back["case_intake"], "SELECT * FROM restorations")] == [
        manifest.taken_at
    ]


async def test_nothing_is_written_between_the_databases(urls: URLS) -> None:
    """One writer that writes first here, then there: no cut shows the second without the first."""
    stop = asyncio.Event()

    async def write() -> None:
        first, second = [await asyncpg.connect(plain(url)) for url in urls.values()]
        number = 0
        while not stop.is_set():
            number += 1
            await first.execute(ADD, "甲", number, b"")
            await second.execute(ADD, "甲", number, b"")
        await first.close()
        await second.close()

    count = "SELECT count(*) FROM outbox"
    async with asyncio.TaskGroup() as group:
        group.create_task(write())
        for _ in range(5):
            async with cut(urls) as moment:
                here, there = [await reader.fetchval(count) for reader in moment.readers.values()]
                assert here - there in {0, 1}
                before = here
                assert await moment.readers["case_intake"].fetchval(count) == before  # while the writer goes on
            assert moment.pause < 5
        stop.set()


async def test_a_writer_that_does_not_end_is_not_hit(urls: URLS, tmp_path: Path) -> None:
    connection = await asyncpg.connect(plain(urls["case_intake"]))
    async with connection.transaction():
        await connection.execute(ADD, "甲", 1, b"")
        with pytest.raises(BackupError, match="没有空隙"):
            async with cut(urls, patience=0.0):
                pass
        await connection.execute(ADD, "甲", 2, b"")
    await connection.close()
    assert len(await run(urls["case_intake"], "SELECT FROM outbox")) == 2


async def test_a_product_that_is_never_idle_is_waited_for(urls: URLS) -> None:
    """After the polite time a writer may take longer than the polite tries ever wait, and is not hit either."""
    connection = await asyncpg.connect(plain(urls["case_intake"]))

    async def write() -> None:
        async with connection.transaction():
            await connection.execute(ADD, "甲", 1, b"")
            writing.set()
            await connection.execute("SELECT pg_sleep(0.8)")

    async with asyncio.TaskGroup() as group:
        writing = asyncio.Event()
        group.create_task(write())
        await writing.wait()
        async with cut(urls, patience=0.0, politeness=0.0) as moment:
            assert await moment.readers["case_intake"].fetchval("SELECT count(*) FROM outbox") == 1
    await connection.close()


async def test_data_are_never_brought_back_over_others(
    urls: URLS, fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    await filled(urls)
    await keep(urls, tmp_path / "kept.zip", str)
    with known_file(tmp_path / "kept.zip") as archive, pytest.raises(BackupError, match="已有数据"):
        await bring_back(urls, archive)
    with known_file(tmp_path / "kept.zip") as archive, pytest.raises(BackupError, match="不一致"):
        await bring_back({"case_intake": await fresh_database()}, archive)
    with pytest.raises(BackupError, match="已存在"):
        await keep(urls, tmp_path / "kept.zip", str)


@pytest.mark.parametrize("entry", [MANIFEST, "case_intake/outbox.copy"])
async def test_a_changed_file_is_refused(urls: URLS, fresh_database: FreshDatabase, tmp_path: Path, entry: str) -> None:
    await filled(urls)
    await keep(urls, tmp_path / "kept.zip", str)
    with zipfile.ZipFile(tmp_path / "kept.zip") as good, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        for name in good.namelist():
            content = good.read(name)
            bad.writestr(name, content[:-9] if name == entry else content)
    back = {name: await fresh_database() for name in urls}
    with known_file(tmp_path / "bad.zip") as archive, pytest.raises(BackupError, match=r"损坏|改动"):
        await bring_back(back, archive)
    with pytest.raises(BackupError, match="不是本系统的备份文件"), known_file(Path(__file__)):
        pass
