"""The filing form: several parties, added and removed without scripts; what was typed is kept."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.filing import (
    CASE_FIELDS,
    LATER,
    OWN_FIELDS,
    ROLE_WORDS,
    own_fields,
    read_filing,
    tells_obligation,
)
from services.case_intake.domain.numbers import ENFORCEMENT
from services.case_intake.domain.words import COLUMNS
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases import filing
from services.case_intake.usecases.filing import Act, Assign, Doubt, Once
from shared.clock import court_date
from shared.contracts.case_kinds import KINDS, CaseKind, kind_of
from shared.contracts.cases import PartyRole
from shared.contracts.reviews import ReviewGround
from shared.db.transaction import new_id
from shared.errors import Conflict, Fault, Invalid, Question, Refusal
from shared.http.forms import Typed, faults_in, typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
Texts = dict[str, str]

_PARTY_FIELD = re.compile(r"parties\.(\d{1,4})\.(\w+)", re.ASCII)
_MOST_IN_FORM = 50


@routes.get("/cases/new", Action.CASES_FILE)
async def new_case(request: Request, kit: AnyKit) -> HTMLResponse:
    """The empty form, with one applicant and one respondent."""
    today = court_date(kit.clock.now()).isoformat()
    case = {"filed_on": today, "basis_maker": kit.court.name, "assign": "auto", "key": str(new_id())}
    return _form(request, case, [_blank(PartyRole.APPLICANT), _blank(PartyRole.RESPONDENT)])


@routes.post("/cases/new", Action.CASES_FILE)
async def file_case(request: Request, kit: AnyKit, caller: CurrentCaller) -> Response:
    """File it; or change the number of parties, or show every fault beside its field."""
    form = await typed(request)
    case, parties = {name: text for name, text in form.items() if "." not in name}, party_blocks(form)
    if "add" in case or "remove" in case:
        return _form(request, case, _other_number(case, parties))
    first_shown = own_fields(KINDS[ENFORCEMENT])
    unseen = [field for field in own_fields(_kind(case)) if field not in (*case, *first_shown, *LATER)]
    if unseen or case.pop("kind", ""):
        return _form(request, case, parties, unseen=unseen)
    try:
        filed = read_filing(case, parties, kit.court.code, court_date(kit.clock.now()))
        how = Assign.AUTO if case.get("assign") == "auto" else Assign.BY_HAND
        confirmed = frozenset(doubt for doubt in Doubt if doubt == case.get("confirmed"))
        act = Act(caller.staff_id, how, confirmed=confirmed)
        answer = await filing.file_case(kit, filed, act, _once(form))
    except Invalid as refusal:
        return _form(request, case, parties, refusal)
    except Question as question:
        return _form(request, case, parties, question=question)
    except Conflict as refusal:
        return _form(request, case, parties, Invalid([Fault("case_number", refusal.detail)]))
    return RedirectResponse(f"/cases/{answer['id']}?done=filed", 303)


def party_blocks(form: Typed) -> list[Texts]:
    """The parties that a form holds, in the order of their numbers."""
    blocks: dict[int, Texts] = {}
    for name, text in form.items():
        found = _PARTY_FIELD.fullmatch(name)
        if found:
            blocks.setdefault(int(found[1]), {})[found[2]] = text
    return [blocks[at] for at in sorted(blocks)]


def _blank(role: PartyRole) -> Texts:
    return {"role": ROLE_WORDS[role]}


def _other_number(case: Texts, parties: list[Texts]) -> list[Texts]:
    added, removed = case.pop("add", ""), case.pop("remove", "")
    kept = [party for at, party in enumerate(parties) if str(at) != removed]
    if added in ROLE_WORDS and len(kept) < _MOST_IN_FORM:
        kept.append(_blank(PartyRole(added)))
    return kept


def _once(form: Typed) -> Once:
    """The same form sent twice files once; sent again with other content it is another filing."""
    mark = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
    return Once(f"form/{str(form.get('key', ''))[:50]}/{mark}", mark)


def _kind(case: Texts) -> CaseKind:
    """By the number as it is typed; without one it will be an enforcement."""
    number = case.get("case_number", "").strip()
    return kind_of(number) if number else KINDS[ENFORCEMENT]


def shown_for(kind: CaseKind, given: Texts | None = None) -> dict[str, Any]:
    """Which fields of some kinds a form shows: those of its own kind, and what was given though it belongs to none."""
    said = {field for field, text in (given or {}).items() if field in OWN_FIELDS and text not in {"", "否"}}
    grounds = kind.grounds or tuple(ReviewGround)
    return {
        "own_fields": said | set(own_fields(kind)),
        "tells_obligation": tells_obligation(kind),
        "ground_options": [(ground.label, ground.label) for ground in grounds],
    }


def _form(
    request: Request,
    case: Texts,
    parties: list[Texts],
    refusal: Invalid | None = None,
    question: Question | None = None,
    unseen: Sequence[str] = (),
) -> HTMLResponse:
    """`unseen`: what belongs to the kind of the typed number, and was not asked for yet."""
    given: Refusal | None = refusal or question
    faults = faults_in(refusal) if refusal else {}
    shown: dict[str, Any] = {"form": {**dict.fromkeys(CASE_FIELDS, ""), **case}, "parties": parties, "faults": faults}
    kind = _kind(case)
    shown |= {"kind": kind, "unseen": {field: COLUMNS[field] for field in unseen}, **shown_for(kind, case)}
    return pages.page(request, "case_new.html", given.status if given else 200, question=question, **shown)
