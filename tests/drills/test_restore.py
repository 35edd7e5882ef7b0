"""A backup taken in the middle of an import, the product killed after it, and the data brought back elsewhere.

The sandbox stands apart as the witness: it received what went out after the backup, of which the data know nothing.
Promise: nothing is lost, and what came twice is listed as possibly twice.
"""

import logging
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.drills.drill import FULL
from tests.drills.test_kill_during_import import FILE, MINE, processes
from tests.drills.witness import Inflow, imported, settled
from tests.fixtures.running import YANGGUANG, Process, Product, eventually, new_folder, remove

AFTER = 3.0 if FULL else 1.0
"""Seconds that the product lives on after its backup."""


def command(process: Process, *words: str) -> str:
    """What one of our commands says about the data of `process`."""
    done = subprocess.run([str(YANGGUANG), *words], env=process.env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_brought_back_elsewhere_it_goes_on_and_repeats_nothing_in_silence(tmp_path: Path) -> None:
    main, sandbox = processes()
    kept, keys = tmp_path / "data" / "backup.zip", tmp_path / "keys" / "keys.zip"
    kept.parent.mkdir()
    keys.parent.mkdir()
    for process in (sandbox, main):
        process.start()
    for process in (sandbox, main):
        process.wait_ready(180)
    first, product = main.folder, Product(main.url, main.folder, sandbox.url)
    try:
        inflow = Inflow(product)
        assert product.as_("clerk").post("/api/cases/import", files=FILE).status_code in {200, 202}
        eventually("the first messages", 120, lambda: inflow.number() > 5)
        known = inflow.number()  # before it begins: what comes meanwhile may be on either side of its moment
        said = command(main, "backup", str(kept), "--keys", str(keys))
        time.sleep(AFTER)
        product.close()
        main.kill()
        gone_out = inflow.number()

        main.folder = new_folder()
        main.env["YANGGUANG_DATA"] = str(main.folder)
        command(main, "restore", str(kept), "--keys", str(keys))
        main.start()
        main.wait_ready(180)
        product = Product(main.url, main.folder, sandbox.url)
        eventually("the import done", 240, lambda: imported(product))
        found = settled(product, MINE.due)
        figures = {"before the backup": known, "before the end": gone_out, "backup": said.splitlines()[0]}
        logging.getLogger(__name__).warning("brought back: %s", {**found.figures(), **figures})
        found.check(sum(MINE.due.values()) - known)
        assert known < sum(MINE.due.values())
        assert stat.S_IMODE(kept.stat().st_mode) == stat.S_IMODE(keys.stat().st_mode) == 0o600
        assert (main.folder / "secrets").stat().st_mode & 0o077 == 0
    finally:
        product.close()
        main.kill()
        sandbox.stop()
        for folder in (first, main.folder, sandbox.folder):
            remove(folder)
