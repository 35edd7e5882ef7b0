"""The file of a backup: a ZIP with a manifest, and for each table its rows in PostgreSQL's binary COPY format."""

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from shared.runtime.backup.cut import BackupError

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 1024 * 1024


class TableMark(BaseModel):
    """A table in the file: how many rows, and the SHA-256 of its bytes."""

    columns: list[str]
    rows: int
    sha256: str


class DatabaseMark(BaseModel):
    """A database in the file. `versions`: where its migrations stood; `sequences`: the last value of each."""

    versions: dict[str, str]
    tables: dict[str, TableMark]
    sequences: dict[str, int]


class Manifest(BaseModel):
    """What the file holds; `taken_at` (UTC) is the moment that all databases show."""

    format: int
    product: str
    taken_at: datetime
    databases: dict[str, DatabaseMark]


def entry(database: str, table: str) -> str:
    """The name of a table's rows in the file."""
    return f"{database}/{table}.copy"


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            found.update(piece)
    return found.hexdigest()


@contextmanager
def new_file(path: Path) -> Iterator[zipfile.ZipFile]:
    """A file that only its owner reads; it gets its name when it is whole. Raises BackupError."""
    if path.exists():
        raise BackupError(f"{path} 已存在，备份不会覆盖旧文件。请换一个文件名。")
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            yield archive
        draft.rename(path)
    except OSError as error:
        raise BackupError(f"无法写入 {path}：{error.strerror or error}。请检查目录、权限和磁盘空间。") from None
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def known_file(path: Path) -> Iterator[zipfile.ZipFile]:
    """A file that was kept. Raises BackupError for anything else."""
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile):
        raise BackupError(f"{path} 不存在、读不出或不是本系统的备份文件。请核对后重试。") from None
    with archive:
        yield archive


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """What the file says of itself. Raises BackupError."""
    try:
        manifest = Manifest.model_validate_json(archive.read(MANIFEST))
    except (KeyError, ValidationError, zipfile.BadZipFile):
        raise BackupError("这个文件不是本系统的备份文件，或已损坏。请换一份备份。") from None
    if manifest.format != FORMAT:
        raise BackupError(f"这份备份的格式（{manifest.format}）不是本版本所能读的（{FORMAT}）。请用当时的版本恢复。")
    return manifest


@contextmanager
def unpacked(archive: zipfile.ZipFile, database: str, tables: Mapping[str, TableMark]) -> Iterator[dict[str, Path]]:
    """The tables of a database as files, each checked against its mark. Raises BackupError."""
    with tempfile.TemporaryDirectory(prefix="yangguang-restore-") as folder:
        found = {}
        for table, mark in tables.items():
            path = Path(folder) / f"{table}.copy"
            try:
                with archive.open(entry(database, table)) as source, path.open("wb") as target:
                    while piece := source.read(_PIECE):
                        target.write(piece)
            except (KeyError, zipfile.BadZipFile, OSError):
                raise BackupError(f"备份文件已损坏（{database}/{table}）。请换一份备份。") from None
            if digest(path) != mark.sha256:
                raise BackupError(f"备份文件中的 {database}/{table} 与清单不符，可能被改动。请换一份备份。")
            found[table] = path
        yield found
