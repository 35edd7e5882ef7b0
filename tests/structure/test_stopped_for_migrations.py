"""What an old process cannot live with is named in the manual: the service is stopped before such a migration."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_GONE = {"drop_column", "drop_table", "rename_table"}
_SAID = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME\s+(TO|COLUMN))\b", re.IGNORECASE)
_ROW = re.compile(r"^\s*\| `(\w+)` \| (\d{4}) \|", re.MULTILINE)


def takes_away(source: str) -> bool:
    """Whether a migration drops or renames a table or a column."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            renames = any(word.arg == "new_column_name" for word in node.keywords)
            if node.func.attr in _GONE or (node.func.attr == "alter_column" and renames):
                return True
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SAID.search(node.value):
            return True
    return False


def migrations() -> Iterator[tuple[str, str, str]]:
    """Each one's service, number and source; those of the tables that every service has stand under `shared`."""
    for path in sorted(ROOT.glob("s*/*/migrations/[0-9]*.py")):
        service = path.parts[-3] if "services" in path.parts else "shared"
        yield service, path.name[:4], path.read_text()


def test_every_migration_that_takes_something_away_is_named_in_the_manual() -> None:
    named = set(_ROW.findall((ROOT / "docs/operations.md").read_text()))
    found = {(service, number) for service, number, source in migrations() if takes_away(source)}
    assert found
    assert found - named == set(), "docs/operations.md: 先停止的服务"
    assert named <= {(service, number) for service, number, _ in migrations()}


@pytest.mark.parametrize(
    ("source", "takes"),
    [
        ("op.drop_column('a', 'b')", True),
        ("op.drop_table('a')", True),
        ("op.alter_column('a', 'b', new_column_name='c')", True),
        ("op.execute('ALTER TABLE a DROP COLUMN b')", True),
        ("op.execute('ALTER TABLE a RENAME TO b')", True),
        ("op.rename_table('a', 'b')", True),
        ("op.alter_column('a', 'b', nullable=False)", False),
        ("op.drop_index('a')", False),
        ("op.add_column('a', sa.Column('b'))", False),
    ],
)
def test_what_counts_as_taken_away(source: str, *, takes: bool) -> None:
    assert takes_away(source) is takes
