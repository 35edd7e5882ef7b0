"""Above the stores a row has a type of its own: what is not typed yet may only become less."""

import re
from pathlib import Path

ROOMS = ("usecases", "api", "pages", "events", "jobs", "render", "channels")
UNTYPED = re.compile(r"\bRow\[Any\]|\bdict\[str, Any\]")
MOST = 264
"""How many there are. Whoever types some lowers it; nobody raises it."""


def test_rows_and_dictionaries_without_a_type_only_become_fewer() -> None:
    files = [path for path in sorted(Path("services").rglob("*.py")) if len(path.parts) > 2 and _room(path) in ROOMS]
    counts = {str(path): len(UNTYPED.findall(path.read_text(encoding="utf-8"))) for path in files}
    found = sum(counts.values())
    most = sorted(counts.items(), key=lambda each: -each[1])[:10]
    assert found <= MOST, f"{found - MOST} more than before; most of them in {most}"
    assert found >= MOST, f"fewer than before: lower MOST to {found}"


def _room(path: Path) -> str:
    """The room of a file: the module or package right below its service."""
    return path.parts[2].removesuffix(".py")
