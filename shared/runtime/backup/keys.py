"""The keys of a demonstration or a small court, in a file of their own: the data alone open nothing."""

import zipfile
from pathlib import Path

from shared.runtime.backup.archive import known_file, new_file
from shared.runtime.backup.cut import BackupError
from shared.runtime.secrets import secret_path
from shared.settings import RunSettings


def check_apart(data: Path, keys: Path) -> None:
    """Whoever finds the data must not find the keys beside them. Raises BackupError."""
    if data.resolve().parent == keys.resolve().parent:
        raise BackupError("数据备份和密钥备份不能放在同一个目录：得到一份的人不应同时得到另一份。请换一个目录。")


def keep_keys(run: RunSettings, path: Path) -> int:
    """Write every secret below the data folder to `path`; how many. Raises BackupError."""
    folder = secret_path(run, "")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if not files:
        raise BackupError(f"{folder} 中没有密钥。密钥由环境变量给出的，请按运行手册另行备份。")
    with new_file(path) as archive:
        for file in files:
            archive.write(file, file.relative_to(folder).as_posix())
    return len(files)


def bring_keys_back(run: RunSettings, path: Path) -> None:
    """Put the secrets where the product looks for them. Raises BackupError when some are there."""
    folder = secret_path(run, "")
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} 中已有密钥，没有改动。请换一个空的数据目录。")
    with known_file(path) as archive:
        for name in archive.namelist():
            _put(archive, name, folder)


def _put(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise BackupError("密钥备份中有不应出现的路径，没有恢复。请换一份备份。")
    for made in reversed([parent for parent in target.parents if not parent.exists()]):
        made.mkdir(mode=0o700)
    target.touch(mode=0o600)
    target.write_bytes(archive.read(name))
