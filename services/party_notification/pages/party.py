"""The parties' own pages: enter by code, see the case, read documents, leave."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages.common import TheKit, letter_answer, locked_until, pages, public
from services.party_notification.schemas import EntryInput, NotMeInput
from services.party_notification.usecases import disowning, visits
from services.party_notification.usecases.readings import Whence
from services.party_notification.usecases.visits import Visitor
from shared.errors import Forbidden, Invalid, TooMany, Unavailable
from shared.http import sources
from shared.http.auth import PARTY_COOKIE, party_of, signed_in
from shared.http.cookies import drop_cookie, keep_cookie
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import source
from shared.http.routes import PUBLIC

_PATH = "/p"
_STAFF = (
    "这个浏览器已登录法院工作账号，不能以当事人身份查询案件。"
    "您是当事人的，请先退出工作账号，或者换用自己的手机、电脑查询。"
)


def _no_staff(request: Request) -> None:
    """Whoever works here does not come in as a party: what they opened would pass for the party's reading."""
    if signed_in(request):
        raise Forbidden("staff_signed_in", _STAFF)


def _visitor(request: Request, kit: TheKit) -> Visitor:
    _no_staff(request)
    return Visitor(party_of(request), kit.party_sessions.carried(request.cookies[PARTY_COOKIE]))


AVisitor = Annotated[Visitor, Depends(_visitor)]


@public.get("/p", PUBLIC)
async def entrance(request: Request, kit: TheKit) -> HTMLResponse:
    """Where to type the code. A link's code stands in the fragment, which only the browser sees."""
    _no_staff(request)
    return _entrance(request, kit, {})


@public.post("/p", PUBLIC)
async def enter(request: Request, kit: TheKit) -> Response:
    """Come in, or see beside the field why not."""
    _no_staff(request)
    form = await typed(request)
    try:
        given = understood(EntryInput, form)
        visitor = await visits.enter(kit, given.code, given.last_six)
    except (Invalid, TooMany) as refusal:
        return _entrance(request, kit, form, refusal)
    lifetime = timedelta(minutes=kit.settings.visit_minutes)
    response = RedirectResponse("/p/case", 303)
    token = kit.party_sessions.for_party(visitor.party, lifetime, visitor.key)
    keep_cookie(response, kit.run, PARTY_COOKIE, token, int(lifetime.total_seconds()), _PATH)
    keep_cookie(response, kit.run, sources.DEVICE_COOKIE, sources.marked(request), sources.KEPT)
    return response


def _entrance(request: Request, kit: TheKit, form: Typed, refusal: Invalid | TooMany | None = None) -> HTMLResponse:
    """The form; of what was typed the code is shown again, never the ID's end."""
    locked = refusal if isinstance(refusal, TooMany) else None
    response = pages.page(
        request,
        "entry.html",
        refusal.status if refusal else 200,
        code=form.get("code", ""),
        faults=faults_in(refusal) if isinstance(refusal, Invalid) else {},
        again=locked_until(locked, kit.clock.now()) if locked else None,
        minutes=kit.settings.visit_minutes,
    )
    if locked:
        response.headers["Retry-After"] = str(locked.retry_after)
    return response


@public.get("/p/not-me", PUBLIC)
async def not_me_form(request: Request) -> HTMLResponse:
    """Where to say that a message was meant for somebody else."""
    return _not_me(request, {})


@public.post("/p/not-me", PUBLIC)
async def not_me(request: Request, kit: TheKit) -> HTMLResponse:
    """Nothing goes to that address any more; or beside the field why not."""
    form = await typed(request)
    try:
        given = understood(NotMeInput, form)
        await disowning.disown(kit, given.reference, given.contact)
    except Invalid as refusal:
        return _not_me(request, form, 422, faults=faults_in(refusal))
    except TooMany as refusal:
        response = _not_me(request, form, 429, again=locked_until(refusal, kit.clock.now()))
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    except Unavailable as refusal:
        return _not_me(request, form, refusal.status, later=refusal.detail)
    return _not_me(request, {}, done=True)


def _not_me(request: Request, form: Typed, status: int = 200, **shown: Any) -> HTMLResponse:
    kept = {name: form.get(name, "") for name in NotMeInput.model_fields}
    return pages.page(
        request, "not_me.html", status, **{"faults": {}, "again": None, "done": False, "later": "", **kept, **shown}
    )


@public.get("/p/case", PUBLIC)
async def case(request: Request, kit: TheKit, visitor: AVisitor) -> HTMLResponse:
    """The case as this party may see it."""
    view = await visits.visit(kit, visitor)
    return pages.page(request, "party.html", visit=view, minutes=kit.settings.visit_minutes)


@public.get("/p/documents/{notice_id}", PUBLIC)
async def document(
    request: Request, notice_id: UUID, kit: TheKit, visitor: AVisitor, *, download: bool = False
) -> Response:
    """A letter's exact bytes. Opening it is read evidence, as the page before says."""
    whence = Whence(source(request), sources.device(request))
    return letter_answer(await visits.read_document(kit, visitor, notice_id, whence), download=download)


@public.post("/p/leave", PUBLIC)
async def leave(kit: TheKit) -> RedirectResponse:
    """End the visit on this device."""
    response = RedirectResponse(_PATH, 303)
    drop_cookie(response, kit.run, PARTY_COOKIE, _PATH)
    return response
