"""What two people may change at once carries a version: the mark of what was read, given back with what is changed.

A form holds it in a hidden field, the API in `If-Match` or the body's `version`. Whoever read something older is
shown both values and decides; nothing is undone without a word.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Header, Request, Response
from pydantic import StringConstraints

from shared.crypto.keyring import KeyRing
from shared.errors import Conflict, Fault, Invalid

FIELD = "version"
"""The hidden field of every edit form."""

Texts = Mapping[str, str]
Version = Annotated[str, StringConstraints(min_length=1, max_length=100)]
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200, description="所读取内容的版本（ETag）")]


@dataclass(frozen=True)
class State:
    """What can be edited as it stands: its texts by field, and the mark of just these texts."""

    texts: Texts
    version: str


@dataclass(frozen=True)
class Difference:
    """A field, what was to be written into it, and what stands there now."""

    field: str
    mine: str
    theirs: str


class Stale(Conflict):
    """Somebody else has changed it since it was read. `version` is the mark of what stands now."""

    title = "内容已被他人修改"

    def __init__(self, version: str, differences: tuple[Difference, ...]) -> None:
        super().__init__("stale_version", "您读取之后，内容已被他人修改，您的修改尚未保存。请核对两边的内容后再决定。")
        self.version = version
        self.differences = differences


def state(keyring: KeyRing, about: object, texts: Texts) -> State:
    """The state of `about`. Its mark is keyed: nobody learns from it what the texts say."""
    written = json.dumps([str(about), sorted(texts.items())], ensure_ascii=False)
    return State(texts, keyring.blind_index(written, "version")[-24:])


def refuse_stale(seen: str | None, now: State, mine: Texts) -> None:
    """Raises Stale when `mine` was written over something older than `now`, and would change anything.

    `seen` None: a script that names no version changes just the fields that it names.
    """
    if seen is None or seen == now.version:
        return
    differences = tuple(
        Difference(field, text, now.texts.get(field, "")) for field, text in mine.items() if text != now.texts[field]
    )
    if differences:
        raise Stale(now.version, differences)


def seen_by(if_match: str | None, version: str | None) -> str | None:
    """The version that a request names: in the body, else in `If-Match`; `*` matches whatever stands."""
    named = version or (if_match or "").strip().removeprefix("W/").strip('"')
    return None if named in ("", "*") else named


def tag(response: Response, version: str) -> None:
    """Name the version of what is answered."""
    response.headers["ETag"] = f'"{version}"'


async def carries_version(request: Request) -> None:
    """A dependency of every edit form's route. Raises Invalid for a form that does not say what it has seen."""
    form = await request.form()
    if not isinstance(form.get(FIELD), str) or not form[FIELD]:
        await form.close()
        raise Invalid([Fault("", "这份表单缺少版本标记，没有保存。请刷新页面后重新填写。")])
