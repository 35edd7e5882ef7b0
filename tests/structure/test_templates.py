"""Templates obey the content security policy that the product sends, and never leave its own host."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted(path for folder in ("services", "shared") for path in (ROOT / folder).glob("**/templates/**/*.html"))
PAGES = [path for path in TEMPLATES if "notices" not in path.parts]
"""Bodies of mail are templates too, but no pages: they lie in folders named `notices`."""
STATIC = ROOT / "shared" / "web" / "static"
OWN_FILES = [
    path
    for path in STATIC.iterdir()
    if path.suffix in {".css", ".js"} and not path.name.startswith(("htmx", "swagger"))
]

FORBIDDEN = {
    "an inline style": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)", re.IGNORECASE),
    "an inline handler": re.compile(r"<[^>{]*\son[a-z]+\s*=", re.IGNORECASE),
    "an inline htmx handler": re.compile(r"\shx-on[:\s=-]", re.IGNORECASE),
    "evaluated JavaScript": re.compile(r"""(?:javascript:|hx-(?:vals|headers)=["']js:)""", re.IGNORECASE),
    "another host": re.compile(r"""\s(?:src|href|action)\s*=\s*["'](?:https?:)?//""", re.IGNORECASE),
}


def offences(text: str) -> list[str]:
    return [what for what, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_keeps_to_the_policy(path: Path) -> None:
    assert offences(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ('<p style="color:red">', "an inline style"),
        ("<style>p{}</style>", "a style element"),
        ("<script>go()</script>", "an inline script"),
        ('<button type="button" onclick="go()">', "an inline handler"),
        ('<div hx-on:click="go()">', "an inline htmx handler"),
        ('<a href="javascript:go()">', "evaluated JavaScript"),
        ('<img src="https://example.com/a.png">', "another host"),
    ],
)
def test_a_planted_offence_is_found(planted: str, what: str) -> None:
    assert what in offences(planted)


def test_there_are_templates_to_look_at() -> None:
    assert len(TEMPLATES) > 10


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: path.name)
def test_our_own_files_load_nothing_from_elsewhere_and_evaluate_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|@import|\beval\(|new Function|innerHTML|document\.write", text)
    assert len([line for line in text.splitlines() if line.strip()]) <= 300


def test_every_vendored_file_has_its_version_and_licence() -> None:
    told = (STATIC / "VENDORED.md").read_text(encoding="utf-8")
    own = {path.name for path in OWN_FILES} | {"VENDORED.md", "icon.svg"}
    vendored = {path.name for path in STATIC.iterdir()} - own
    assert [name for name in sorted(vendored) if f"`{name}`" not in told] == []


VENDORED = re.findall(
    r"^\| (`.+?) \| (\S+).*? \| \S+ \| (.+?) \| (.+?) \|$", (STATIC / "VENDORED.md").read_text("utf-8"), re.MULTILINE
)


@pytest.mark.parametrize(("files", "package", "licence", "sums"), VENDORED, ids=lambda cell: str(cell)[:24])
def test_nothing_vendored_is_named_that_is_not_there(files: str, package: str, licence: str, sums: str) -> None:
    """Each file of a row lies here unchanged, and so does each licence that the row names."""
    named = re.findall(r"`([^`]+)`", files)
    found = [hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16] for name in named]
    assert found == sums.split(", ")
    assert [name for name in re.findall(r"`([^`]+)`", licence) if not (STATIC / name).is_file()] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_a_readme_names_no_library_of_the_pages_that_is_not_there(readme: str) -> None:
    stems = {package.partition("-")[0].partition(".")[0] for _, package, _, _ in VENDORED}
    paragraphs = [line for line in (ROOT / readme).read_text("utf-8").splitlines() if "VENDORED.md" in line]
    named = [
        word.lower()
        for line in paragraphs
        for word in re.findall(r"(?:[:：,，]|\band|和)\s*([A-Za-z]+)[\w ]*?\s?[(（]", line)
    ]
    assert [word for word in named if word not in stems] == []
    assert readme != "README.md" or named == ["htmx", "swagger"]
