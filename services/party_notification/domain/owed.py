"""Which notices a case owes to whom, and which of them wait for a missing field."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from services.party_notification.domain.notices import CaseFacts, Kind, PartyFacts, Role
from shared.contracts.cases import PartyRole
from shared.contracts.landline import is_landline


@dataclass(frozen=True)
class Waiting:
    """Why a notice cannot go out yet, and the role that must mend it."""

    fields: tuple[str, ...]
    reason: str
    owner: str


@dataclass(frozen=True)
class NoticeDue:
    """One notice owed to one party; `waits` says what holds it back, None that it may go."""

    party_id: str
    kind: Kind
    waits: Waiting | None


def is_complete(case: CaseFacts, parties: Sequence[PartyFacts]) -> bool:
    """Whether the case has the parties whom its notices name: one of each side, before that nobody is told anything.

    Where nobody is told of the filing, nothing names the other side, and whoever is there can be written to.
    """
    tells = any(case.kind_of_case.owed.values())
    return not tells or {Role.APPLICANT, Role.RESPONDENT} <= {party.role for party in parties}


def due_on_assignment(case: CaseFacts, parties: Sequence[PartyFacts]) -> list[NoticeDue]:
    """What the assignment of the judge makes due (rows 10, 13, 20); nothing while the case is incomplete."""
    if not is_complete(case, parties):
        return []
    return [due for party in parties for due in due_for_party(case, party)]


def due_for_party(case: CaseFacts, party: PartyFacts) -> list[NoticeDue]:
    """What one party of a complete case is owed: on assignment, or alone when added later."""
    kinds = [Kind(kind) for kind in case.kind_of_case.owed[PartyRole(party.role)]]
    return [NoticeDue(party.party_id, kind, missing(kind, case, party)) for kind in kinds]


@dataclass(frozen=True)
class _Need:
    label: str
    owner: str
    present: Callable[[CaseFacts, PartyFacts], bool]


_GUARDIAN = _Need("法定代理人", "clerk", lambda _, party: bool(not party.minor or party.guardian_name))
_PARTY_NAME = _Need("当事人姓名或名称", "clerk", lambda _, party: bool(party.name.strip()))
_JUDGE = _Need("承办人", "management", lambda case, _: bool(case.judge.name.strip()))
_JUDGE_PHONE = _Need("承办人的固定电话", "management", lambda case, _: is_landline(case.judge.phone))
_BASIS = _Need("执行依据文号", "clerk", lambda case, _: bool(case.basis_document.strip()))
_BASIS_MAKER = _Need("执行依据作出机关", "clerk", lambda case, _: bool(case.basis_maker.strip()))
_CAUSE = _Need("案由", "clerk", lambda case, _: bool(case.cause.strip()))
_OBLIGATION = _Need("应履行义务", "clerk", lambda case, _: bool((case.obligation or "").strip()))
_ORIGINAL = _Need("原执行案号", "clerk", lambda case, _: bool(case.main_case) or not case.kind_of_case.resumes)

_COMMON = (_PARTY_NAME, _GUARDIAN, _JUDGE, _JUDGE_PHONE)
_NEEDS: Mapping[Kind, tuple[_Need, ...]] = MappingProxyType(
    {
        Kind.CASE_ACCEPTED: (*_COMMON, _BASIS, _BASIS_MAKER, _CAUSE, _ORIGINAL),
        Kind.ENFORCEMENT_NOTICE: (*_COMMON, _BASIS, _BASIS_MAKER, _CAUSE, _OBLIGATION, _ORIGINAL),
        Kind.RIGHTS_RISKS: _COMMON,
        Kind.INTEGRITY_CARD: _COMMON,
        Kind.HANDLING: _COMMON,
        Kind.PROGRESS: _COMMON,
        Kind.MISFILED_CORRECTION: (),
    }
)


def missing(kind: Kind, case: CaseFacts, party: PartyFacts) -> Waiting | None:
    """What this kind needs and the case lacks; nothing is invented. The first lacking field names the owner."""
    lacking = [need for need in _NEEDS[kind] if not need.present(case, party)]
    if not lacking:
        return None
    labels = tuple(need.label for need in lacking)
    reason = f"缺少{'、'.join(labels)}，{kind.label}暂不发出，请补充后自动发出。"
    return Waiting(labels, reason, lacking[0].owner)
