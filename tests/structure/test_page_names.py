"""What a text tells people to open, choose or press is called so on some page."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXTS = sorted(
    path
    for folder in ("services", "shared")
    for kind in ("*.py", "*.html", "*.txt")
    for path in (ROOT / folder).rglob(kind)
    if "static" not in path.parts
)
_POINTS_AT = re.compile(r"(?:在|到|从|点|用|以|选择|取消|打开|下面)“([^”{]{2,16})”(?!方式)")
_NO_PAGE_OF_OURS = {"手动输入": "the authenticator's own menu"}


def named(text: str) -> list[str]:
    """The names that a text sends people to."""
    return [name for name in _POINTS_AT.findall(text) if name not in _NO_PAGE_OF_OURS]


def titles() -> set[str]:
    """Whatever stands alone between quotes or tags: what pages, parts, fields and buttons are called."""
    found: set[str] = set()
    for path in TEXTS:
        found.update(re.findall(r"(?<=[\">])[^\"<>{}]{2,16}(?=[\"<{])", path.read_text(encoding="utf-8")))
    return found


TITLES = titles()


@pytest.mark.parametrize("path", [path for path in TEXTS if named(path.read_text("utf-8"))], ids=lambda path: path.name)
def test_what_a_text_sends_people_to_is_called_so(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [name for name in named(text) if name not in TITLES] == []


def test_a_name_that_no_page_bears_is_found() -> None:
    assert [name for name in named("请在“文书核验”输入编号，或者在“待核实发送”页认定。") if name not in TITLES] == [
        "文书核验"
    ]
