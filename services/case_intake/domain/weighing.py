"""What the good rows of a case come to against what is on file: the same for the preview and for the filing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.case_intake.domain.filing import CaseEntry, PartyEntry, case_texts, party_texts
from services.case_intake.domain.rows import DIFFERS, GoodRow, Judged, RowFault, case_differences, party_differences
from services.case_intake.domain.sheet import Change
from services.case_intake.domain.words import COLUMNS
from shared.contracts.cases import PartyRole

FIXED = "与登记的立案日期不同，未改动。立案日期登记后不能更改。"
MISFILED = "该当事人已标记为误录，未重新登记。如确属本案当事人，请在案件页面添加。"

SameAs = tuple[PartyRole, str]
Outcome = Literal["filed", "completed", "corrected", "unchanged", "refused"]


@dataclass(frozen=True)
class Known:
    """A case on file. `misfiled`: who was registered by mistake."""

    case: CaseEntry
    parties: tuple[PartyEntry, ...]
    misfiled: frozenset[SameAs] = frozenset()
    silent: bool = False


@dataclass(frozen=True)
class Weighed:
    """What would be done: parties registered, facts changed; `absent` are on file and not in the rows."""

    outcome: Outcome
    joining: tuple[PartyEntry, ...] = ()
    changes: tuple[Change, ...] = ()
    faults: tuple[RowFault, ...] = ()
    absent: tuple[PartyEntry, ...] = ()


@dataclass(frozen=True)
class Messages:
    """How many messages go out, by channel; `paper` are letters to be posted or collected."""

    sms: int = 0
    mail: int = 0
    paper: int = 0

    def __add__(self, other: "Messages") -> "Messages":
        return Messages(self.sms + other.sms, self.mail + other.mail, self.paper + other.paper)


@dataclass
class _Found:
    changes: list[Change] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


def weigh(judged: Judged, known: Known | None) -> Weighed:
    """Weigh one case; without `known` it is new."""
    if not judged.good:
        return Weighed("refused", faults=tuple(judged.faults))
    if known is None:
        return Weighed("filed", tuple(row.party for row in judged.good), faults=tuple(judged.faults))
    found = _compared(judged.good, known)
    registered = {party.same_as for party in known.parties}
    joining = [row for row in judged.good if row.party.same_as not in registered]
    misfiled = [RowFault(row.line, "", MISFILED) for row in joining if row.party.same_as in known.misfiled]
    new = tuple(row.party for row in joining if row.party.same_as not in known.misfiled)
    told = {row.party.same_as for row in judged.good}
    return Weighed(
        "completed" if new else "corrected" if found.changes else "unchanged",
        new,
        tuple(found.changes),
        (*judged.faults, *found.faults, *misfiled),
        tuple(party for party in known.parties if new and party.same_as not in told),
    )


def _compared(good: Sequence[GoodRow], known: Known) -> _Found:
    first, found = good[0], _Found()
    number = first.case.number.text if first.case.number else ""
    old, new = case_texts(known.case), case_texts(first.case)
    for name in case_differences(first.case, known.case):
        if name == "filed_on":
            found.faults.append(RowFault(first.line, COLUMNS[name], FIXED))
        else:
            change = Change(line=first.line, case_number=number, about="", field=name, old=old[name], new=new[name])
            found.changes.append(change)
    registered = {party.same_as: party for party in known.parties}
    for row in good:
        if row.party.same_as in registered:
            found.changes += _changes(row, registered[row.party.same_as], number)
    return found


def _changes(row: GoodRow, party: PartyEntry, number: str) -> Iterable[Change]:
    old, new, name = party_texts(party), party_texts(row.party), party.identity.name
    for fact in party_differences(row.party, party):
        yield Change(line=row.line, case_number=number, about=name, field=fact, old=old[fact], new=new[fact])


def only_approved(weighed: Weighed, approved: Iterable[Change]) -> Weighed:
    """Changes that nobody confirmed as they are become faults, and are not made."""
    confirmed = set(approved)
    made = tuple(change for change in weighed.changes if change in confirmed)
    left = tuple(
        RowFault(change.line, COLUMNS[change.field], DIFFERS) for change in weighed.changes if change not in confirmed
    )
    outcome: Outcome = "unchanged" if weighed.outcome == "corrected" and not made else weighed.outcome
    return Weighed(outcome, weighed.joining, made, (*weighed.faults, *left), weighed.absent)


def messages(case: CaseEntry, weighed: Weighed, known: Known | None, *, silent: bool) -> Messages:
    """Whom the import makes due to be told, once a judge is there: nobody before both sides are registered.

    A side that is owed nothing in a case of its kind is not told.
    Joining a complete case tells the newcomer alone; completing one tells everybody, unless it was carried over.
    """
    before = known.parties if known else ()
    roles = {party.role for party in (*before, *weighed.joining)}
    if silent or not weighed.joining or roles != set(PartyRole):
        return Messages()
    completes = known is not None and not known.silent and {party.role for party in before} != roles
    told = (*before, *weighed.joining) if completes else weighed.joining
    return sum((_messages_to(party) for party in told if case.kind.owed[party.role]), Messages())


def _messages_to(party: PartyEntry) -> Messages:
    """A text prompts; the letters go by mail to who consented and has a mailbox, else on paper (CPL 90)."""
    electronic = party.consents and bool(party.identity.email)
    return Messages(sms=bool(party.contact_phone), mail=electronic, paper=not electronic)
