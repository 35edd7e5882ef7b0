"""The reviews of objections and reconsiderations: how long each may take, from when, by which article. Data only.

A court cannot change these figures. Where nobody has said what the review is about, the kind's plain period stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shared.calendar.periods import Length, Unit

_CPL = "《中华人民共和国民事诉讼法》"
_OBJECTION_RULE = "《最高人民法院关于人民法院办理执行异议和复议案件若干问题的规定》"
_PROCEDURE_RULE = "《最高人民法院关于适用〈民事诉讼法〉执行程序若干问题的解释》第八条"
_PARTY_RULE = "《最高人民法院关于民事执行中变更、追加当事人若干问题的规定》"
_AWARD_RULE = "《最高人民法院关于人民法院办理仲裁裁决执行案件若干问题的规定》第十二条"
_NOTARIAL_RULE = "《最高人民法院关于公证债权文书执行若干问题的规定》第十六条"


class ReviewGround(StrEnum):
    """What an objection, or its reconsideration, is about (审查事由)."""

    CONDUCT = "conduct"
    THIRD_PARTY = "third_party"
    CHANGE_OF_PARTY = "change_of_party"
    AWARD_REFUSAL = "award_refusal"
    NOTARIAL_REFUSAL = "notarial_refusal"

    @property
    def label(self) -> str:
        """Its name for people."""
        return _GROUNDS[self]


_GROUNDS: Mapping[ReviewGround, str] = MappingProxyType({
    ReviewGround.CONDUCT: "执行行为异议",
    ReviewGround.THIRD_PARTY: "案外人异议",
    ReviewGround.CHANGE_OF_PARTY: "变更、追加当事人",
    ReviewGround.AWARD_REFUSAL: "不予执行仲裁裁决",
    ReviewGround.NOTARIAL_REFUSAL: "不予执行公证债权文书",
})  # fmt: skip


@dataclass(frozen=True)
class Extension:
    """By how much a period may be made longer, once. `most` is counted from the old last day."""

    most: Length
    article: str
    approver: str = "院长"


@dataclass(frozen=True)
class Review:
    """How long a review may take. `from_receipt`: counted from the receipt of what was asked for, else the filing.

    `opening`: in words what it counts from, as parties read it.
    """

    length: Length
    opening: str
    article: str
    from_receipt: bool = True
    extension: Extension | None = None

    @property
    def limit(self) -> str:
        """The limit in words, for those who wait for the ruling."""
        more = self.extension
        longer = f"；有特殊情况的，经本院{more.approver}批准可以延长，最长{more.most.words}" if more else ""
        return f"{self.opening}{self.length.words}内审查{longer}。"


_CONDUCT = Review(Length(15), "自收到书面异议之日起", f"{_CPL}第二百三十六条；{_OBJECTION_RULE}")
_THIRD_PARTY = Review(Length(15), "自收到书面异议之日起", f"{_CPL}第二百三十八条；{_OBJECTION_RULE}")
_OBJECTION = Review(Length(15), "自收到书面异议之日起", f"{_CPL}第二百三十六条、第二百三十八条；{_OBJECTION_RULE}")
_CHANGE = Review(
    Length(60), "自收到书面申请之日起", f"{_PARTY_RULE}第二十八条",
    extension=Extension(Length(60), f"{_PARTY_RULE}第二十八条"),
)  # fmt: skip
_AWARD = Review(
    Length(2, Unit.MONTH), "自立案之日起", _AWARD_RULE, from_receipt=False,
    extension=Extension(Length(1, Unit.MONTH), _AWARD_RULE),
)  # fmt: skip
_NOTARIAL = Review(
    Length(60), "自受理之日起", _NOTARIAL_RULE, from_receipt=False, extension=Extension(Length(30), _NOTARIAL_RULE)
)
_RECONSIDERATION = Review(
    Length(30), "自收到复议申请之日起", f"{_CPL}第二百三十六条；{_PROCEDURE_RULE}",
    extension=Extension(Length(30), _PROCEDURE_RULE),
)  # fmt: skip
_CHANGE_AGAIN = Review(
    Length(60), "自收到复议申请之日起", f"{_PARTY_RULE}第三十一条",
    extension=Extension(Length(60), f"{_PARTY_RULE}第三十一条"),
)  # fmt: skip

Reviews = Mapping[ReviewGround | None, Review]
OBJECTIONS: Reviews = MappingProxyType({
    None: _OBJECTION,
    ReviewGround.CONDUCT: _CONDUCT,
    ReviewGround.THIRD_PARTY: _THIRD_PARTY,
    ReviewGround.CHANGE_OF_PARTY: _CHANGE,
    ReviewGround.AWARD_REFUSAL: _AWARD,
    ReviewGround.NOTARIAL_REFUSAL: _NOTARIAL,
})  # fmt: skip
"""执异, by ground. Nobody said: the plain 15 days. That 变更追加 may be extended by 60 at most is our reading."""
RECONSIDERATIONS: Reviews = MappingProxyType({
    None: _RECONSIDERATION,
    ReviewGround.CONDUCT: _RECONSIDERATION,
    ReviewGround.CHANGE_OF_PARTY: _CHANGE_AGAIN,
    ReviewGround.AWARD_REFUSAL: _RECONSIDERATION,
    ReviewGround.NOTARIAL_REFUSAL: _RECONSIDERATION,
})  # fmt: skip
"""执复, by ground. A third party goes to court instead (CPL 238); for refusals the law names no other length."""
