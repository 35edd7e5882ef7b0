import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from jinja2 import UndefinedError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Mount

from shared.clock import FixedClock
from shared.errors import Fault, Invalid, TooMany
from shared.http.problem_page import problem_page
from shared.http.problems import answering
from shared.powers import Action, Role, allowed
from shared.settings import CourtSettings
from shared.web.pages import NAV, Pages, asset, current_href, faults_by_field, nav_for, static_app

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
PAGES = Pages("shared.web")
LAYOUTS = ["layout_staff.html", "layout_public.html", "layout_desk.html", "layout_letter.html"]


@dataclass
class Someone:
    name: str = "陈晓明"
    title: str = "承办法官"
    roles: frozenset[Role] = field(default_factory=lambda: frozenset({Role.JUDGE}))
    doubted: bool = False

    def can(self, action: str) -> bool:
        return allowed(Action(action), self.roles)


def a_request(caller: Any = None, path: str = "/cases", *, kit: bool = True) -> Request:
    app = Starlette()
    if kit:
        app.state.kit = SimpleNamespace(clock=FixedClock(NOW), court=CourtSettings())
    headers = [(b"accept", b"text/html")]
    scope = {"type": "http", "method": "POST", "app": app, "path": path, "headers": headers, "query_string": b""}
    request = Request({**scope, "state": {}})
    if caller is not None:
        request.state.caller = caller
    return request


def macro(source: str, **context: Any) -> str:
    """What components write, in a page's context."""
    setup = '{% import "components.html" as ui with context %}'
    values = {"now": NOW, "court": CourtSettings(), "me": None, **context}
    return PAGES.environment.from_string(setup + source).render(values)


@pytest.mark.parametrize("name", sorted(Pages("shared.web").environment.list_templates(extensions=["html"])))
def test_every_shared_template_compiles(name: str) -> None:
    assert PAGES.environment.get_template(name).name == name


@pytest.mark.parametrize("kit", [True, False])
@pytest.mark.parametrize("caller", [None, Someone()])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_render(layout: str, caller: Any, kit: bool) -> None:
    html = PAGES.render(a_request(caller, kit=kit), layout)
    assert '<html lang="zh-CN"' in html
    assert ("重庆" in html) is kit


def test_the_rail_shows_what_the_caller_may_do_and_where_they_are() -> None:
    html = PAGES.render(a_request(Someone(roles=frozenset({Role.CLERK})), "/cases/import"), "layout_staff.html")
    assert '<a href="/cases/import" aria-current="page">' in html
    assert '<a href="/cases" aria-current' not in html
    assert "值班" not in html
    assert "纸质送达" in html


def test_nobody_signed_in_sees_no_rail_and_no_sign_out() -> None:
    html = PAGES.render(a_request(), "layout_staff.html")
    assert "/sign-out" not in html
    assert "我的工作" not in html
    assert nav_for(None) == []


def test_the_rail_names_only_actions_of_the_powers_table() -> None:
    assert {item.permission for item in NAV} <= set(Action)


def test_components_name_the_year_when_it_is_not_the_pages_own() -> None:
    source = "{{ ui.deadline(due, done_at) }}{{ none|cn_short }}"
    assert "已于 11月23日 14:05 完成—" in " ".join(re.sub("<[^>]*>", "", macro(source, due=NOW, done_at=NOW)).split())
    last_year = macro(source, due=NOW, done_at=NOW, now=NOW + timedelta(days=60))
    assert "已于 2026年11月23日 14:05 完成" in last_year


@pytest.mark.parametrize(
    ("path", "href"),
    [
        ("/cases", "/cases"),
        ("/cases/7", "/cases"),
        ("/cases/import", "/cases/import"),
        ("/cases/imports/7", "/cases/import"),
        ("/casework", ""),
    ],
)
def test_where_a_page_lies(path: str, href: str) -> None:
    assert current_href(path, NAV) == href


def test_what_people_typed_is_escaped() -> None:
    html = macro("{{ ui.field('name', '姓名', value) }}", value='"><script>')
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_a_password_is_never_written_back() -> None:
    assert "hunter2" not in macro("{{ ui.field('password', '密码', 'hunter2', type='password') }}")


def test_a_fault_stands_beside_its_field_and_in_the_summary() -> None:
    faults = faults_by_field([Fault("phone", "手机号不正确。"), Fault("", "两项互相矛盾。")])
    html = macro(
        "{% call ui.form('/x', faults) %}{{ ui.field('phone', '手机号', '138', faults=faults) }}{% endcall %}",
        faults=faults,
    )
    assert '<a href="#f-phone">手机号不正确。</a>' in html
    assert "<li>两项互相矛盾。</li>" in html
    assert 'aria-invalid="true"' in html
    assert 'value="138"' in html


def test_two_faults_of_one_field_are_both_told() -> None:
    assert faults_by_field([Fault("a", "太短。"), Fault("a", "含有空格。")]) == {"a": "太短。含有空格。"}


@pytest.mark.parametrize(
    ("due", "state", "words"),
    [
        (NOW - timedelta(hours=5), "is-late", "已超期 5 小时"),
        (NOW + timedelta(days=2, hours=3), "is-soon", "还剩 2 天 3 小时"),
        (date(2027, 1, 5), "is-off", "还剩 43 天 9 小时"),
    ],
)
def test_a_deadline_is_a_colour_an_icon_and_a_word(due: date, state: str, words: str) -> None:
    html = macro("{{ ui.deadline(due) }}", due=due)
    assert state in html
    assert words in html
    assert "<svg" in html


def test_a_clock_carries_the_servers_instant() -> None:
    html = macro("{{ ui.clock(due, 'big') }}", due=NOW + timedelta(hours=1))
    assert 'data-due="2026-11-23T07:05:00.000Z"' in html
    assert 'data-server-now="2026-11-23T06:05:00.000Z"' in html


@pytest.mark.parametrize(
    ("current", "states"),
    [
        ("investigation", ["now", "next", "next"]),
        ("compulsory", ["done", "now", "next"]),
        ("closure", ["done", "done", "now"]),
        ("closed", ["done", "done", "done"]),
    ],
)
def test_three_periods_with_today_marked(current: str, states: list[str]) -> None:
    html = macro("{{ ui.period_line(current) }}", current=current)
    found = [part.split('"')[0] for part in html.split('<li class="')[1:]]
    assert found == states
    assert html.count("今天 11月23日") == states.count("now")


def test_a_timeline_takes_instants_and_days_and_leaves_out_what_is_absent() -> None:
    items = [
        {"when": NOW, "title": "已立案"},
        {"when": date(2026, 12, 1), "title": "届满", "state": "next", "text": None},
    ]
    html = macro("{{ ui.timeline(items) }}", items=items)
    assert "2026年11月23日（周一）14:05" in html
    assert "2026年12月1日（周二）</time>" in html
    assert "None" not in html


def test_a_desk_row_tells_its_state() -> None:
    row = "{{ ui.desk_row('7', due, '车辆线索', moments=[('接手', now, '张值班'), ('行动', none, '')]) }}"
    html = macro(row, due=NOW - timedelta(minutes=1))
    assert "is-late-row" in html
    assert "已接手" in html
    assert "未行动" in html
    assert 'data-announce="7"' in html


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        macro("{{ ui.icon('no-such-icon') }}")


def test_an_absent_value_is_a_dash() -> None:
    assert macro("{{ none|cn_date }}{{ none|money }}{{ ''|dash }}{{ 0|dash }}") == "———0"


def test_a_problem_says_what_it_means_and_what_to_do() -> None:
    refusal = TooMany("too_many", "五分钟内尝试次数过多。", 300)
    response = answering(problem_page)(a_request(), refusal)
    html = bytes(response.body).decode()
    assert response.status_code == 429
    assert response.headers["retry-after"] == "300"
    assert response.headers["cache-control"] == "no-store"
    assert "五分钟内尝试次数过多。" in html
    assert "too_many" not in html
    assert "请稍后再试。" in html


def test_a_problem_page_lists_every_fault() -> None:
    refusal = Invalid([Fault("a", "甲有误。"), Fault("b", "乙有误。")])
    html = bytes(problem_page(a_request(), refusal).body).decode()
    assert "甲有误。" in html
    assert "乙有误。" in html


async def test_static_files_are_kept_for_good_only_by_version() -> None:
    app = Starlette(routes=[Mount("/static", static_app())])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://court.test") as client:
        versioned, plain = await client.get(asset("app.css")), await client.get("/static/app.css")
        outside = await client.get("/static/%2e%2e/pages.py")
    assert (versioned.status_code, plain.status_code, outside.status_code) == (200, 200, 404)
    assert "immutable" in versioned.headers["cache-control"]
    assert "immutable" not in plain.headers["cache-control"]


def test_an_asset_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        asset("no-such-file.css")
