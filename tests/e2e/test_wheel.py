"""The built wheel, alone in another folder, runs the product: templates, static files and migrations travel in it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import httpx

from tests.fixtures.running import Process, free_port, new_folder, remove

ROOT = Path(__file__).parents[2]
ENTER = "import sys, shared; print(shared.__path__[0]); from shared.runtime.cli import main; main()"


def built(folder: Path) -> Path:
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.whl"))


def token(process: Process) -> dict[str, str]:
    """A clerk's, by the command line."""
    words = [sys.executable, "-c", ENTER, "token", "--login", "clerk"]
    done = subprocess.run(words, cwd=process.cwd, env=process.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {"authorization": f"Bearer {done.stdout.split()[-1]}"}


def test_the_wheel_runs_in_another_folder(tmp_path: Path) -> None:
    place = tmp_path / "place"
    with zipfile.ZipFile(built(tmp_path)) as wheel:
        assert not [name for name in wheel.namelist() if name.startswith(("tests/", "deploy/"))]
        wheel.extractall(place)
    folder = new_folder()
    process = Process(["all"], folder, free_port(), {"PYTHONPATH": str(place)})
    process.cwd = folder
    process.words = [sys.executable, "-c", ENTER, "serve", "all"]
    try:
        process.start()
        process.wait_ready(120)
        assert str(place / "shared") in process.log()
        for path in ("/", "/tips", "/sign-in", "/sandbox", "/docs", "/static/app.css"):
            assert httpx.get(process.url + path, timeout=20).status_code == 200, path
        assert httpx.get(f"{process.url}/api/cases", headers=token(process)).status_code == 200
        assert process.stop() == 0
    finally:
        process.kill()
        remove(folder)
