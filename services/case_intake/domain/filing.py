"""What a filing says of a case and of its parties, read from texts and checked whole."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.case_intake.domain import identifiers, texts
from services.case_intake.domain.numbers import ENFORCEMENT, CaseNumber, main_case
from services.case_intake.domain.texts import Reader
from shared.contracts.case_kinds import KINDS, CaseKind, NoticeKind, Particulars, kind_of
from shared.contracts.cases import IdKind, PartyIdentity, PartyRole
from shared.contracts.reviews import ReviewGround
from shared.errors import Fault, Invalid

MAX_PARTIES = 140
"""Of one filing: it travels as one event, and every text may be as long as it can be."""
MAX_IN_CASE = 500
"""Of one case, with those added one by one."""

ROLES = {
    "申请执行人": PartyRole.APPLICANT,
    "被执行人": PartyRole.RESPONDENT,
    "applicant": PartyRole.APPLICANT,
    "respondent": PartyRole.RESPONDENT,
}
ID_KINDS = {
    "居民身份证": IdKind.RESIDENT,
    "统一社会信用代码": IdKind.COMPANY,
    "resident_id": IdKind.RESIDENT,
    "uscc": IdKind.COMPANY,
}
GROUNDS = {**{ground.label: ground for ground in ReviewGround}, **{ground.value: ground for ground in ReviewGround}}
ROLE_WORDS = {role: word for word, role in reversed(ROLES.items())}
ID_KIND_WORDS = {kind: word for word, kind in reversed(ID_KINDS.items())}
CASE_FIELDS = (
    *("filed_on", "received_on", "secured_on", "basis_document", "basis_maker", "cause", "claim_amount", "obligation"),
    *("non_litigation", "main_case", "urgent", "ground", "report_ordered"),
)
OWN_FIELDS = {
    "non_litigation": "执行、恢复执行案件（执、执恢）",
    "urgent": "财产保全案件（执保）",
    "secured_on": "财产保全案件（执保）",
    "ground": "执行异议、执行复议案件（执异、执复）",
    "report_ordered": "恢复执行案件（执恢）",
}
"""The facts that only some kinds of cases have, and which, in words."""
LATER = frozenset({"secured_on"})
"""Those that mostly come about after the filing: the form shows them and does not ask for them."""
PARTY_FIELDS = ("role", "consents", "address_confirmed_on", *PartyIdentity.model_fields)


@dataclass(frozen=True)
class CaseEntry:
    """A case's facts; without a number the next serial is allotted. Amount in CNY, days in Asia/Shanghai.

    `non_litigation` None: nobody said; it then counts as a case with a suit before it.
    """

    number: CaseNumber | None
    filed_on: date
    basis_document: str
    basis_maker: str
    cause: str
    received_on: date | None = None
    secured_on: date | None = None
    claim_amount: Decimal | None = None
    obligation: str | None = None
    non_litigation: bool | None = None
    main_case: str | None = None
    urgent: bool | None = None
    ground: ReviewGround | None = None
    report_ordered: bool | None = None

    @property
    def kind(self) -> CaseKind:
        """What kind of case it is; without a number an enforcement."""
        plain = kind_of(self.number.text) if self.number else KINDS[ENFORCEMENT]
        return plain.with_particulars(Particulars(bool(self.urgent), self.ground, bool(self.report_ordered)))


@dataclass(frozen=True)
class PartyEntry:
    """A party of a case. `minor`: under 18 on the day of filing."""

    role: PartyRole
    identity: PartyIdentity
    consents: bool
    address_confirmed_on: date | None = None
    minor: bool = False

    @property
    def same_as(self) -> tuple[PartyRole, str]:
        """Two entries of a case with equal values are the same party."""
        return self.role, self.identity.id_number

    @property
    def contact_phone(self) -> str | None:
        """The telephone that is written to: of a minor the guardian's."""
        return self.identity.guardian_phone if self.minor else self.identity.phone


@dataclass(frozen=True)
class Filing:
    """A case with its parties."""

    case: CaseEntry
    parties: tuple[PartyEntry, ...]


def read_case(
    given: Mapping[str, str], court: str, today: date, *, numbered: bool = False
) -> tuple[CaseEntry, list[Fault]]:
    """The case's facts and every fault of them; with faults the entry is not to be used."""
    reader = Reader(given)
    number = reader.may("case_number", lambda text: CaseNumber.parse(text, court))
    if numbered and not reader.given("case_number"):
        reader.lack("case_number")
    entry = CaseEntry(
        number=number,
        filed_on=reader.must("filed_on", texts.past_day(today), date.min),
        basis_document=reader.must("basis_document", texts.words(texts.line), ""),
        basis_maker=reader.must("basis_maker", texts.words(texts.line), ""),
        cause=reader.must("cause", texts.words(texts.line), ""),
        received_on=reader.may("received_on", texts.past_day(today)),
        secured_on=reader.may("secured_on", texts.past_day(today)),
        claim_amount=reader.may("claim_amount", texts.amount),
        obligation=reader.may("obligation", texts.words(texts.prose)),
        non_litigation=reader.may("non_litigation", texts.yes_no),
        main_case=reader.may("main_case", main_case),
        urgent=reader.may("urgent", texts.yes_no),
        ground=reader.may("ground", lambda text: texts.one_of(text, GROUNDS)),
        report_ordered=reader.may("report_ordered", texts.yes_no),
    )
    _check_kind(reader, entry)
    if entry.received_on and date.min < entry.filed_on < entry.received_on:
        reader.refuse("received_on", "收到申请的日期不能晚于立案日期，请核对。")
    if entry.received_on and entry.secured_on and entry.secured_on < entry.received_on:
        reader.refuse("secured_on", "提供担保的日期不能早于收到申请的日期，请核对。")
    return entry, reader.faults


def own_fields(kind: CaseKind) -> tuple[str, ...]:
    """The facts that only cases of this kind have."""
    has = {
        "non_litigation": kind.enforces,
        "urgent": kind.secures,
        "secured_on": kind.secures,
        "ground": bool(kind.grounds),
        "report_ordered": kind.resumes,
    }
    return tuple(field for field, here in has.items() if here)


def _check_kind(reader: Reader, entry: CaseEntry) -> None:
    """A fact that belongs to other kinds of cases is a slip."""
    _check_main_case(reader, entry)
    kind, own = entry.kind, own_fields(entry.kind)
    for field, where in OWN_FIELDS.items():
        if field not in own and getattr(entry, field):
            reader.refuse(field, f"本案是{kind.title}，没有这一项，请留空；{where}才填写。")
    if entry.ground and kind.grounds and entry.ground not in kind.grounds:
        ways = "、".join(f"“{ground.label}”" for ground in kind.grounds)
        reader.refuse("ground", f"{kind.title}的审查事由只能是{ways}，请核对。")


def _check_main_case(reader: Reader, entry: CaseEntry) -> None:
    """Only a case of another kind, or a resumed one, belongs to an enforcement case, and never to itself."""
    if entry.main_case is None:
        return
    if not (entry.kind.side_case or entry.kind.resumes):
        reader.refuse("main_case", "执行案件不属于其他执行案件，请留空；恢复执行、异议、保全等案件才填写。")
    elif entry.number is not None and entry.number.text == entry.main_case:
        reader.refuse("main_case", "所属执行案件不能是本案自己，请核对案号。")
    elif not entry.kind.may_be_about(kind_of(entry.main_case)):
        other = "" if entry.kind.resumes else "、“执保”"
        reader.refuse("main_case", f"应当填写执行案件（“执”、“执恢”{other}）的案号，请核对。")


def read_party(
    given: Mapping[str, str], filed_on: date | None, today: date, prefix: str = ""
) -> tuple[PartyEntry, list[Fault]]:
    """A party and every fault of it. `filed_on` None: whether the party is a minor is left open."""
    reader = Reader(given, prefix)
    role = reader.must("role", lambda text: texts.one_of(text, ROLES), PartyRole.APPLICANT)
    identity = _identity(reader)
    entry = PartyEntry(
        role=role,
        identity=identity,
        consents=reader.must("consents", texts.yes_no, stand_in=False),
        address_confirmed_on=reader.may("address_confirmed_on", texts.past_day(today)),
        minor=filed_on is not None and _minor(identity, filed_on),
    )
    if entry.minor:
        _require_guardian(reader)
    return entry, reader.faults


def _identity(reader: Reader) -> PartyIdentity:
    name = reader.must("name", texts.words(texts.line), "")
    kind = reader.must("id_kind", lambda text: texts.one_of(text, ID_KINDS), None)
    return PartyIdentity(
        name=name,
        id_kind=kind or IdKind.RESIDENT,
        id_number=reader.must("id_number", texts.unmasked(_number_reader(kind)), ""),
        phone=reader.may("phone", texts.unmasked(texts.mobile)),
        email=reader.may("email", texts.unmasked(texts.email)),
        postal_address=reader.may("postal_address", texts.unmasked(texts.words(texts.line))),
        guardian_name=reader.may("guardian_name", texts.words(texts.line)),
        guardian_phone=reader.may("guardian_phone", texts.unmasked(texts.mobile)),
        agent_name=reader.may("agent_name", texts.words(texts.line)),
        agent_phone=reader.may("agent_phone", texts.unmasked(texts.mobile)),
    )


def _number_reader(kind: IdKind | None) -> Callable[[str], str]:
    """Without a known kind the number cannot be judged, and goes no further."""
    readers = {IdKind.RESIDENT: identifiers.resident_id, IdKind.COMPANY: identifiers.company_code}
    return (lambda _: "") if kind is None else readers[kind]


def _minor(identity: PartyIdentity, filed_on: date) -> bool:
    known = identity.id_kind is IdKind.RESIDENT and len(identity.id_number) == 18
    return known and identifiers.is_minor(identity.id_number, filed_on)


def _require_guardian(reader: Reader) -> None:
    """A minor is reached through the guardian: name and mobile number are needed."""
    if not reader.given("guardian_name"):
        reader.refuse("guardian_name", "当事人立案时未满18周岁，请填写法定代理人的姓名和手机号码。")
    elif not reader.given("guardian_phone"):
        reader.refuse("guardian_phone", "当事人立案时未满18周岁，请填写法定代理人的手机号码。")


def read_filing(given: Mapping[str, str], parties: Sequence[Mapping[str, str]], court: str, today: date) -> Filing:
    """A whole filing. Raises Invalid with every fault at once; a party's fields are `parties.0.name`."""
    case, faults = read_case(given, court, today)
    day_known = date.min if any(fault.field == "filed_on" for fault in faults) else case.filed_on
    filed_on = None if day_known == date.min else day_known
    read = [read_party(party, filed_on, today, f"parties.{at}.") for at, party in enumerate(parties)]
    faults += [fault for _, found in read for fault in found]
    entries = tuple(entry for entry, _ in read)
    faults += _repeated(entries)
    if not parties:
        faults.append(Fault("parties", "请至少登记一名当事人。"))
    if case.number is None and filed_on is not None and filed_on.year < 2000:
        faults.append(Fault("case_number", "2000年以前立案的案件不能自动编号，请填写案号。"))
    if faults:
        raise Invalid(faults)
    return Filing(case, entries)


def _repeated(entries: Sequence[PartyEntry]) -> list[Fault]:
    first: dict[tuple[PartyRole, str], int] = {}
    faults = []
    for at, entry in enumerate(entries):
        if entry.identity.id_number and first.setdefault(entry.same_as, at) != at:
            reason = f"与第{first[entry.same_as] + 1}名当事人重复，请删除其中一名或更正证件号码。"
            faults.append(Fault(f"parties.{at}.id_number", reason))
    return faults


def party_texts(entry: PartyEntry) -> dict[str, str]:
    """The entry as texts again, to be shown in a form or changed in part."""
    given = {field: value or "" for field, value in entry.identity.model_dump(mode="json").items()}
    return {
        **given,
        "role": ROLE_WORDS[entry.role],
        "id_kind": ID_KIND_WORDS[entry.identity.id_kind],
        "consents": "是" if entry.consents else "否",
        "address_confirmed_on": entry.address_confirmed_on.isoformat() if entry.address_confirmed_on else "",
    }


def case_texts(entry: CaseEntry) -> dict[str, str]:
    """The facts as texts again."""
    values = {field: getattr(entry, field) for field in CASE_FIELDS}
    number = {"case_number": entry.number.text} if entry.number else {}
    return {**number, **{field: case_text(value) for field, value in values.items()}}


def case_text(value: object) -> str:
    """A fact as it is typed: 是 or 否, a day, an amount, a ground; nothing when it is not known."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, ReviewGround):
        return value.label
    return "" if value is None else str(value)


def tells_somebody(kind: CaseKind) -> bool:
    """Whether the filing of such a case is told to anybody: only then both sides are needed."""
    return any(kind.owed.values())


def tells_obligation(kind: CaseKind) -> bool:
    """Whether an execution notice is owed, which states what is to be performed."""
    return any(NoticeKind.ENFORCEMENT_NOTICE in owed for owed in kind.owed.values())


def lacking(kind: CaseKind, roles: set[PartyRole], obligation: object) -> list[str]:
    """What a case of this kind still lacks for its notices: `applicant`, `respondent`, `obligation`."""
    missing = [role.value for role in PartyRole if role not in roles] if tells_somebody(kind) else []
    return [*missing, "obligation"] if tells_obligation(kind) and not obligation else missing
