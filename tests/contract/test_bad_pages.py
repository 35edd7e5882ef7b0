"""Bad input to every page: never a 5xx, a page in words, no script taken over, nothing half-written."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
import pytest_asyncio
from fastapi.routing import APIRoute
from pydantic import BaseModel

from shared.http.auth import PARTY_COOKIE, STAFF_COOKIE
from shared.http.routes import PUBLIC
from shared.powers import Role
from shared.runtime.postgres import EmbeddedPostgres
from shared.runtime.registry import load, service_names
from tests.fixtures import odd
from tests.fixtures.databases import fresh_databases
from tests.fixtures.fuzzing import Trial, Trials
from tests.fixtures.page_forms import FORMS, Form

SCRIPT = "<script>alert(1)</script>"
TEXTS = (
    "",
    " ",
    "x" * 100_000,
    "a\x00b",
    "\x1b[31m红",
    odd.SURROGATE,
    "👩‍⚖️🇨🇳",
    "\u202e倒着写",
    "-1",
    "9" * 400,
    "9999-12-31",
    "00000000-0000-0000-0000-000000000000",
    f"\"'>{SCRIPT}",
    "//evil.example",
)
FEW = ("x" * 100_000, "a\x00b", odd.SURROGATE, "9" * 400, f"\"'>{SCRIPT}")
"""For forms with many fields."""
COSTLY = {
    "/sign-in",
    "/staff",
    "/staff/password",
    "/staff/factor/instead",
    "/staff/factor/off",
    "/staff/{staff_id}/password",
}
"""Forms that make or check the hash of a password, which is meant to take long."""
REFUSED = {
    "/sign-in": "nobody has that name",
    "/sign-in/refresh": "no session is open",
    "/sign-in/code": "no session is open",
    "/sign-in/enrol": "nobody has given a password",
    "/staff/factor": "nothing of the kind was offered",
    "/staff/factor/instead": "that is not the password",
    "/staff/factor/off": "that is not the password",
    "/staff/{staff_id}/factor": "whoever it is has none",
    "/staff/{staff_id}/enrolment-code": "whose post needs none",
    "/staff/password": "that is not the password",
    "/staff/record/{event_id}/review": "nothing has happened at the door yet",
    "/staff/record/{event_id}/refuse": "nothing has happened at the door yet",
    "/staff/tokens": "who asks is nobody whom the court knows",
    "/staff/tokens/{token_id}/revoke": "no token has that id",
    "/cases/import": "the file is sent as a part, below",
}
"""Forms that are sound and refused even so."""
OWNERS = {"/work/done": Role.MANAGEMENT, "/work/tasks/{task_id}/done": Role.MANAGEMENT}
"""Who may, where the powers table alone does not say it."""
ENDLESS = {"/desk/stream": "server-sent events: the answer never ends"}
FORM = "application/x-www-form-urlencoded"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trials(postgres: EmbeddedPostgres) -> AsyncIterator[Trials]:
    """The services on trial, one of each for the whole file."""
    async with fresh_databases(postgres) as make:
        made = Trials(make)
        yield made
        await made.close()


def _pages(name: str, method: str) -> list[APIRoute]:
    routes = [route for each in load(name).routes for route in each.router.routes]
    pages = [route for route in routes if isinstance(route, APIRoute) and not route.include_in_schema]
    return [route for route in pages if method in (route.methods or ()) and route.path not in ENDLESS]


class Browser:
    """Somebody at a page who may do what it is for."""

    def __init__(self, trial: Trial, route: APIRoute) -> None:
        self.trial = trial
        token = trial.token((route.openapi_extra or {})["x-permission"], OWNERS.get(route.path))
        cookies = [f"{STAFF_COOKIE}={token}"] if token else []
        party = trial.stock.party
        if party is not None:
            visit = trial.stock.kit.party_sessions.for_party(party.party, timedelta(hours=1), party.key)
            cookies.append(f"{PARTY_COOKIE}={visit}")
        self.headers = {"accept": "text/html", "sec-fetch-site": "same-origin", "cookie": "; ".join(cookies)}

    def filled(self, text: str) -> str:
        """With the ids of what there is."""
        return re.sub(r"\{(\w+)\}", lambda found: self.trial.stock.known[found[1]][0], text)

    async def post(self, path: str, body: bytes, kind: str, what: str) -> httpx.Response:
        """Send a form, and judge the answer."""
        headers = [*self._headers(), (b"content-type", kind.encode())]
        return await self._judge(httpx.Request("POST", f"http://test{path}", headers=headers, content=body), what)

    async def get(self, target: str, what: str) -> httpx.Response:
        """Open a page, and judge the answer."""
        return await self._judge(httpx.Request("GET", f"http://test{target}", headers=self._headers()), what)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode(), value.encode("latin-1")) for name, value in self.headers.items()]

    async def _judge(self, request: httpx.Request, what: str) -> httpx.Response:
        answer = await self.trial.send(request)
        self.trial.note(answer, what, _wrong(answer))
        return answer


def _wrong(answer: httpx.Response) -> list[str]:
    if answer.status_code >= 500:
        return ["a server error"]
    wrong = []
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    if answer.status_code >= 400 and not is_html:
        wrong.append("no page")
    if is_html and SCRIPT in answer.text:
        wrong.append("a script was taken over")
    location = answer.headers.get("location", "/")
    if not re.match(r"/(?![/\\])", location):
        wrong.append(f"leads away: {location}")
    return wrong


def _encoded(form: Form | list[tuple[str, str]]) -> bytes:
    return urlencode(form, errors="surrogatepass").encode()


def _multipart(form: Form, *, as_files: bool) -> bytes:
    name_of_file = '; filename="a.csv"\r\nContent-Type: text/csv' if as_files else ""
    parts = [
        f'--part\r\nContent-Disposition: form-data; name="{name}"{name_of_file}\r\n\r\n{value}\r\n'
        for name, value in form.items()
    ]
    return ("".join(parts) + "--part--\r\n").encode("utf-8", "surrogatepass")


def _odd_forms(sound: Form, texts: tuple[str, ...]) -> Iterator[tuple[str, bytes, str]]:
    """The form with one odd value after the other, all odd, without any, as files, twice, cut, huge, of strangers."""
    for name in sound:
        for text in texts:
            yield f"{name} = {text[:30]!a}", _encoded({**sound, name: text}), FORM
        yield f"without {name}", _encoded({other: value for other, value in sound.items() if other != name}), FORM
    for text in texts:
        yield f"all = {text[:30]!a}", _encoded(dict.fromkeys(sound, text)), FORM
    yield "sound, as parts", _multipart(sound, as_files=False), "multipart/form-data; boundary=part"
    yield "as files", _multipart(sound, as_files=True), "multipart/form-data; boundary=part"
    yield "twice", _encoded([*sound.items(), *sound.items()]), FORM
    yield "cut", _multipart(sound, as_files=False)[:-20], "multipart/form-data; boundary=part"
    yield "without a boundary", _multipart(sound, as_files=False), "multipart/form-data"
    yield "2000 fields", _encoded({**sound, **{f"field{n}": "x" for n in range(2000)}}), FORM
    yield "many parties", _encoded({**sound, **{f"parties.{n}.name": "x" for n in range(900)}}), FORM
    yield "a huge field", _encoded({**sound, "huge": "x" * 1_100_000}), FORM
    yield "strange names", _encoded({**sound, "": "x", "a\x00": "x", "\ud800": "x", "kind.kind.kind": "x"}), FORM
    yield "of another kind", b'{"a": 1}', "application/json"
    yield "of no kind", b"x", "text/plain"
    yield "empty", b"", FORM
    yield "noise", b"\xff\xfe&%=%zz&=&&%ED%A0%80=%00", FORM


@pytest.mark.long
@pytest.mark.parametrize("name", service_names())
def test_odd_forms_are_shown_again_or_taken(name: str, trials: Trials) -> None:
    trial = trials.of(name)
    trial.wait(_send_forms(trial))
    assert not trial.failures, trial.report()


async def _send_forms(trial: Trial) -> None:
    for route in _pages(trial.name, "POST"):
        browser = Browser(trial, route)
        for path, sound in _forms_of(route, trial.name):
            texts = FEW if route.path in COSTLY or len(sound) > 6 else TEXTS
            filled = {browser.filled(field): browser.filled(value) for field, value in sound.items()}
            sound_answer = await browser.post(browser.filled(path), _encoded(filled), FORM, "sound")
            taken = route.path in REFUSED or sound_answer.status_code < 400 or sound_answer.status_code == 409
            trial.note(sound_answer, "sound", [] if taken else ["a sound form is refused"])
            for what, body, kind in _odd_forms(filled, texts):
                await browser.post(browser.filled(path), body, kind, what)


def _forms_of(route: APIRoute, name: str) -> list[tuple[str, Form]]:
    """The forms that this route takes, and none before it."""
    return [form for form in FORMS[name] if _taker(form[0], name) is route]


def _taker(path: str, name: str) -> APIRoute | None:
    sent = re.sub(r"\{\w+\}", "x", path)
    return next((route for route in _pages(name, "POST") if route.path_regex.match(sent)), None)


@pytest.mark.parametrize("name", service_names())
def test_every_form_is_tried(name: str) -> None:
    for route in _pages(name, "POST"):
        assert _forms_of(route, name), route.path


@pytest.mark.long
@pytest.mark.parametrize("name", service_names())
def test_odd_addresses_lead_to_a_page(name: str, trials: Trials) -> None:
    trial = trials.of(name)
    trial.wait(_open_addresses(trial))
    assert not trial.failures, trial.report()


async def _open_addresses(trial: Trial) -> None:
    for method in ("GET", "POST"):
        for route in _pages(trial.name, method):
            browser = Browser(trial, route)
            for what, target in _odd_addresses(browser, route):
                if method == "GET":
                    await browser.get(target, what)
                else:
                    await browser.post(target, b"a=b", FORM, what)


def _odd_addresses(browser: Browser, route: APIRoute) -> Iterator[tuple[str, str]]:
    """The route's address: as it is, with each part of its path odd, with each part of its query odd."""
    # The last of each: the forms spend the first, and either test may come first.
    known = {name: browser.trial.stock.known.get(name, ["take"])[-1] for name in re.findall(r"\{(\w+)\}", route.path)}
    sound = route.path.format(**{name: quote(value) for name, value in known.items()})
    yield "sound", sound
    for name in known:
        for text in filter(None, TEXTS):
            value = quote(text[:5000].encode("utf-8", "surrogatepass"), safe="")
            yield f"{name} = {text[:30]!a}", route.path.format(**{**known, name: value})
    for name in _queries(route.dependant):
        for text in TEXTS:
            yield f"?{name} = {text[:30]!a}", f"{sound}?{urlencode({name: text[:5000]}, errors='surrogatepass')}"


def _queries(dependant: Any) -> Iterator[str]:
    """The names of what the route, and what it depends on, reads of the query."""
    for part in dependant.dependencies:
        yield from _queries(part)
    for field in dependant.query_params:
        annotation: Any = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from annotation.model_fields
        else:
            yield field.alias


COOKIES = (r'"\000"', r'"\355\240\200"', "x" * 5000, "", "=", ";;;", "é", "a.b.c", '"')


@pytest.mark.parametrize("cookie", ["yg_session", "yg_party", "yg_refresh"])
@pytest.mark.parametrize("name", ["staff", "party_notification"])
def test_odd_cookies_are_nobodys(name: str, cookie: str, trials: Trials) -> None:
    trial = trials.of(name)
    for method in ("GET", "POST"):
        for route in _pages(name, method):
            browser = Browser(trial, route)
            for value in COOKIES:
                browser.headers["cookie"] = f"{cookie}={value}"
                target = next(iter(_odd_addresses(browser, route)))[1]
                ask = browser.get(target, value) if method == "GET" else browser.post(target, b"a=b", FORM, value)
                trial.wait(ask)
    assert not trial.failures, trial.report()


def test_the_public_has_pages_of_its_own() -> None:
    pages = [route for name in service_names() for route in _pages(name, "GET")]
    assert {(route.openapi_extra or {})["x-permission"] == PUBLIC for route in pages} == {True, False}
