"""What the README's commands install: what the lock names and nothing else, whatever the index offers meanwhile."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.package_index import Index, package_index

ROOT = Path(__file__).parents[2]
_PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "tried"
version = "1"
"""
_BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name, about = "tried-1-py3-none-any.whl", "tried-1.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\\nName: tried\\nVersion: 1\\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{about}/RECORD", "")
    return name
"""


class Clone:
    """A fresh folder with our own Makefile, and small locks; pip may reach one index."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        (folder / "deploy").mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copy(ROOT / "deploy" / "install_locked.sh", folder / "deploy")
        (folder / "pyproject.toml").write_text(_PROJECT)
        (folder / "backend.py").write_text(_BACKEND)
        own = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "MAKE", "COV_"))}
        self.env = {**own, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url, "PIP_NO_CACHE_DIR": "1"}

    def lock(self, name: str, *lines: str) -> None:
        (self.folder / name).write_text("\n".join(lines) + "\n")

    def make(self, goal: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["make", goal], check=False, cwd=self.folder, env=self.env, capture_output=True, text=True
        )

    def installed(self) -> dict[str, str]:
        words = [".venv/bin/python", "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"]
        listed = subprocess.run(words, cwd=self.folder, env=self.env, capture_output=True, text=True, check=True)
        found = dict(line.split("==") for line in listed.stdout.split())
        return {name: version for name, version in found.items() if name not in {"pip", "setuptools", "tried"}}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    (tmp_path / "wheels").mkdir()
    with package_index(tmp_path / "wheels") as index:
        yield index


def test_an_install_looks_at_nothing_that_the_lock_does_not_name(tmp_path: Path, index: Index) -> None:
    names = {"alpha": ["beta[fast]"], "beta": ["gamma; extra == 'fast'"], "gamma": [], "tested": ["alpha"]}
    lines = {name: f"{name}==1.0 --hash=sha256:{index.offer(name, '1.0', *needs)}" for name, needs in names.items()}
    for name, needs in names.items():  # a month later: newer releases of everything, with a need that is new
        index.offer(name, "2.0", *needs, "newcomer")
    index.offer("newcomer", "1.0")
    clone = Clone(tmp_path / "clone", index)
    run = [lines["alpha"], lines["beta"], lines["gamma"]]
    clone.lock("requirements.lock", *run)
    clone.lock("requirements-dev.lock", *run, lines["tested"])

    done = clone.make(".venv/dev")

    assert done.returncode == 0, done.stdout + done.stderr
    assert clone.installed() == dict.fromkeys(names, "1.0")
    assert {path.split("/")[2] for path in index.asked if path.startswith("/simple/")} == set(names)
    assert not [path for path in index.asked if "2.0" in path]


def test_a_lock_that_lacks_something_is_told(tmp_path: Path, index: Index) -> None:
    clone = Clone(tmp_path / "clone", index)
    clone.lock("requirements.lock", f"alpha==1.0 --hash=sha256:{index.offer('alpha', '1.0', 'beta')}")
    index.offer("beta", "1.0")

    done = clone.make("install")

    assert done.returncode
    assert "requires beta" in done.stderr
    assert "make lock" in done.stderr
    assert not [path for path in index.asked if "beta" in path]


def test_every_install_from_a_lock_resolves_nothing() -> None:
    places = [path for path in (ROOT / "deploy").rglob("*") if path.is_file()]
    places += [ROOT / "Makefile", ROOT / ".ci" / "run"]
    wide = re.compile(r"pip (?:install|download)(?:[^\n]*\\\n)*[^\n]*(?:-r|--requirement)\b[^\n]*")
    found = {
        match[0]: path
        for path in places
        if path.suffix != ".pyc"
        for match in wide.finditer(path.read_text(errors="replace"))
    }
    assert len(found) >= 3
    for command, path in found.items():
        assert "--no-deps" in command, (path, command)
        assert "--require-hashes" in command, (path, command)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_no_line_of_a_lock_carries_an_extra(name: str) -> None:
    """Old and new releases of pip read an extra below hashes differently."""
    pinned = re.findall(r"^(\S+)==", (ROOT / name).read_text(), re.MULTILINE)
    assert len(pinned) > 50
    assert not [pin for pin in pinned if "[" in pin]
