"""Renders a service's pages in the court's frame, and serves the files that they load."""

import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.clock import court_date
from shared.errors import Fault
from shared.powers import Action
from shared.settings import COURT_WORDS
from shared.web import formats
from shared.web.masking import masked

_STATIC = Path(str(files("shared.web") / "static"))


@dataclass(frozen=True)
class NavItem:
    """One entry of the staff rail, shown to those whom the powers table lets do `permission`.

    `also`: a path besides `href` below which its pages lie.
    """

    word: str
    href: str
    permission: str
    icon: str
    also: str = ""


NAV: tuple[NavItem, ...] = (
    NavItem("我的工作", "/work", Action.STAGES_READ, "home"),
    NavItem("立案", "/cases", Action.CASES_READ, "folder"),
    NavItem("批量导入", "/cases/import", Action.CASES_FILE, "upload", also="/cases/imports"),
    NavItem("进程", "/stages", Action.STAGES_READ, "stage"),
    NavItem("通知", "/notices", Action.NOTICES_READ, "mail"),
    NavItem("纸质送达", "/paper", Action.PAPER_WORK, "paper"),
    NavItem("待核实发送", "/unknown", Action.NOTICES_DECIDE, "help"),
    NavItem("值班", "/desk", Action.DESK_READ, "bell"),
    NavItem("查看记录", "/looks", Action.LOOKS_READ, "shield", also="/tip-senders"),
    NavItem("本院设置", "/staff/court", Action.COURT_READ, "shield"),
    NavItem("人员", "/staff", Action.STAFF_MANAGE, "users"),
    NavItem("登录记录", "/staff/record", Action.STAFF_WATCH, "eye"),
)


def nav_for(caller: Any) -> list[NavItem]:
    """The rail of one member of staff; nobody signed in sees none."""
    return [item for item in NAV if caller is not None and caller.can(item.permission)]


def current_href(path: str, items: Iterable[NavItem]) -> str:
    """The rail entry that `path` lies under: the longest that fits."""
    places = ((place, item.href) for item in items for place in (item.href, item.also) if place)
    under = ((place, href) for place, href in places if path == place or path.startswith(f"{place}/"))
    return max(under, key=lambda found: len(found[0]), default=("", ""))[1]


@lru_cache
def asset(name: str) -> str:
    """The URL of a static file; its content's hash in the query lets browsers keep it for good."""
    digest = hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def faults_by_field(faults: Iterable[Fault]) -> dict[str, str]:
    """Faults as the form macros take them; two of one field are joined."""
    found: dict[str, str] = {}
    for fault in faults:
        found[fault.field] = f"{found[fault.field]}{fault.reason}" if fault.field in found else fault.reason
    return found


class _Static(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        versioned = scope.get("query_string", b"").startswith(b"v=")
        keep = "public, max-age=31536000, immutable" if versioned else "public, max-age=300"
        response.headers["Cache-Control"] = keep
        return response


def static_app() -> StaticFiles:
    """To be mounted at /static."""
    return _Static(directory=_STATIC)


def _or_dash(write: Callable[..., str]) -> Callable[..., str]:
    def filtered(value: Any, *args: Any) -> str:
        return "—" if value is None or value == "" else write(value, *args)

    return filtered


@pass_context
def _cn_short(context: Context, value: Any) -> str:
    """By the page's own clock."""
    return _or_dash(formats.cn_short)(value, context["now"])


_FILTERS: tuple[Callable[..., str], ...] = (
    formats.cn_date,
    formats.cn_time,
    formats.iso,
    formats.money,
    formats.wan,
    formats.masked_phone,
    formats.masked_name,
    formats.masked_id,
    formats.remaining,
    formats.file_size,
)


def _environment(package: str) -> Environment:
    loader = ChoiceLoader([PackageLoader(package), PackageLoader("shared.web")])
    env = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    env.filters.update({write.__name__: _or_dash(write) for write in _FILTERS})
    env.filters["cn_short"] = _cn_short
    env.filters["dash"] = lambda value: "—" if value is None or value == "" else value
    env.globals.update(
        asset=asset,
        nav_for=nav_for,
        current_href=current_href,
        until=formats.until,
        urgency=formats.urgency,
        due_instant=formats.due_instant,
        elapsed_share=formats.elapsed_share,
        court_date=court_date,
        court_words=COURT_WORDS,
        masked=masked,
        new_key=lambda: secrets.token_urlsafe(16),
    )
    return env


class Pages:
    """The templates of one package (`services.case_intake`), over the shared ones."""

    def __init__(self, package: str) -> None:
        self._env = _environment(package)

    @property
    def environment(self) -> Environment:
        """For tests that walk every template."""
        return self._env

    def render(self, request: Request, name: str, /, **context: Any) -> str:
        """A template as text: a page, or a fragment for a live stream."""
        return self._env.get_template(name).render({**_common(request), **context})

    def page(self, request: Request, name: str, /, status: int = 200, **context: Any) -> HTMLResponse:
        """A whole page; never kept by browsers or proxies, since most show people's data."""
        html = self.render(request, name, **context)
        return HTMLResponse(html, status, {"Cache-Control": "no-store"})


def _common(request: Request) -> dict[str, Any]:
    caller = getattr(request.state, "caller", None)
    # A page of the public zone shows no door to the inner network, unless the same process stands in both.
    state = getattr(request.scope.get("app"), "state", None)  # a gateway answers without an application
    inner = getattr(state, "inner", False)
    common = {"caller": caller, "me": caller, "path": request.url.path, "inner": inner}
    kit = getattr(state, "kit", None)
    return common if kit is None else {**common, "now": kit.clock.now(), "court": kit.court}
