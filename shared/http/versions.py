"""What two people may change at once carries a version: the mark of what was read, given back with what is changed.

A form holds it in a hidden field, the API in `If-Match` or the body's `version`. Whoever read something older is
shown both values and decides; nothing is undone without a word. A request that names no version is taken only where it
can undo nobody's change: as long as nobody else has changed the thing since it was made, or the caller did so last.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Self
from uuid import UUID

from fastapi import Header, Request, Response
from pydantic import Field, StringConstraints

from shared.crypto.keyring import KeyRing
from shared.errors import Conflict, Fault, Invalid
from shared.http.auth import Caller

FIELD = "version"
"""The hidden field of every edit form."""

Texts = Mapping[str, str]
Version = Annotated[str, StringConstraints(min_length=1, max_length=100)]
NamedVersion = Annotated[
    Version | None,
    Field(
        description="所读取内容的版本；也可用 If-Match 请求头。内容已被他人修改的，答复409，列出两边的内容和版本。"
        "不写版本的，只有登记后没有他人修改过、或者最后一次是本人修改的，才保存"
    ),
]
"""The `version` of the body of whatever changes something."""
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=200, description="所读取内容的版本（ETag）")]


@dataclass(frozen=True)
class Edit:
    """Who changes something, and the version that they have read; None: they name none."""

    by: UUID
    seen: str | None


@dataclass(frozen=True)
class State:
    """What can be edited as it stands: its texts by field, the mark of just these texts, and who changed it last.

    `changed_by` None: nobody since it was made. `former`: the marks of the same texts under former keys.
    """

    texts: Texts
    version: str
    changed_by: UUID | None
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """A field, what was to be written into it, and what stands there now."""

    field: str
    mine: str
    theirs: str


class Stale(Conflict):
    """Somebody else has changed it since it was read. `version` is the mark of what stands now.

    `named` False: the request did not say what it had read.
    """

    title = "内容已被他人修改"

    def __init__(self, version: str, differences: Iterable[Difference], *, named: bool = True) -> None:
        super().__init__("stale_version", _READ_BEFORE if named else _NOT_SAID)
        self.version = version
        self.differences = tuple(differences)
        self.named = named

    def showing(self, differences: Iterable[Difference]) -> Self:
        """The same with its differences as whoever reads it may see them."""
        return type(self)(self.version, differences, named=self.named)


_READ_BEFORE = "您读取之后，内容已被他人修改，您的修改尚未保存。请核对两边的内容后再决定。"
_NOT_SAID = (
    "内容已被他人修改，而这次提交没有写明所读取的版本，您的修改尚未保存。"
    "请核对两边的内容；仍要保存的，写明这里给出的版本后重新提交。"
)


def mark(keyring: KeyRing, about: object, texts: Texts) -> str:
    """The version of what stands. It is keyed: nobody learns from it what the texts say."""
    return _marks(keyring, about, texts)[0]


def _marks(keyring: KeyRing, about: object, texts: Texts) -> tuple[str, ...]:
    """What stands may have been read under each of these, that of the current key first."""
    written = json.dumps([str(about), sorted(texts.items())], ensure_ascii=False)
    return tuple(hashed[-24:] for hashed in keyring.blind_indexes(written, "version"))


def state(keyring: KeyRing, about: object, texts: Texts, changed_by: UUID | None) -> State:
    """The state of `about`."""
    version, *former = _marks(keyring, about, texts)
    return State(texts, version, changed_by, tuple(former))


def _whole(_field: str, text: str) -> str:
    return text


def refuse_stale(edit: Edit, now: State, mine: Texts, shown: Callable[[str, str], str | None] = _whole) -> None:
    """Raises Stale when `mine` would change anything and was written over something older than `now`.

    So does what names no version, once somebody else has changed the thing. `shown`: what stands there as whoever
    edits may see it, by field; wherever a refusal is answered, page or API, it says no more.
    """
    named = edit.seen is not None
    if edit.seen in (now.version, *now.former) if named else now.changed_by in (None, edit.by):
        return
    differences = [
        Difference(field, text, shown(field, now.texts[field]) or "")
        for field, text in mine.items()
        if text != now.texts[field]
    ]
    if differences:
        raise Stale(now.version, differences, named=named)


def edit_by(caller: Caller, if_match: str | None, version: str | None) -> Edit:
    """Who asks, and the version that the request names: in the body, else in `If-Match`, of which `*` names none."""
    named = version or (if_match or "").strip().removeprefix("W/").strip('"')
    return Edit(caller.staff_id, None if named in ("", "*") else named)


def tag(response: Response, version: str) -> None:
    """Name the version of what is answered."""
    response.headers["ETag"] = f'"{version}"'


async def carries_version(request: Request) -> None:
    """A dependency of every edit form's route. Raises Invalid for a form that does not say what it has seen."""
    form = await request.form()
    if not isinstance(form.get(FIELD), str) or not form[FIELD]:
        await form.close()
        raise Invalid([Fault("", "这份表单缺少版本标记，没有保存。请刷新页面后重新填写。")])
