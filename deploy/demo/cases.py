"""The thirty cases: when each is filed, by whom against whom, and what the judge does in it. Days count from the first.

The visitor arrives on day 197, which is today: by then some cases are closed, some late, some just filed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Body = dict[str, Any]
Deed = Callable[[str], Body]
"""Makes an act's body for the day on which it is done."""

VISIT = 197


@dataclass(frozen=True)
class Case:
    """A case of the story. `parties`: applicants, a colon, respondents; a letter each, as `people.party` reads it.

    `deeds` are what its judge does, by day. `letters_lie`: its letters stay on the paper worklist.
    """

    name: str
    filed: int
    cause: str
    amount: str
    parties: str
    deeds: Mapping[int, Sequence[Deed]] = field(default_factory=lambda: MappingProxyType({}))
    assigned: bool = True
    obliged: bool = True
    letters_lie: bool = False


def work(title: str, text: str, evidence: str | None = None, told: str = "") -> Deed:
    """Something done; `told`: applicant, both, or nobody."""
    audience = {"": None, "applicant": ["applicant"], "both": ["applicant", "respondent"]}[told]
    publish = None if audience is None else {"audience": audience, "carried_out": True, "notify": False}
    return lambda _day: {"kind": "work", "title": title, "text": text, "evidence": evidence, "publish": publish}


def enter(period: str, evidence: str, *checked: str) -> Deed:
    """The case enters a period."""
    return lambda day: {
        "kind": "enter_period",
        "period": period,
        "on": day,
        "evidence": evidence,
        "checklist": list(checked),
    }


def reach(milestone: str, evidence: str) -> Deed:
    """A milestone is reached."""
    return lambda day: {"kind": "milestone", "milestone": milestone, "on": day, "evidence": evidence}


_INQUIRY = ("notices_sent", "network_inquiry", "field_inquiry", "report_reviewed")
_ENDING = ("money_settled", "measures_settled", "parties_told", "documents_complete")
QUERIED = work(
    "网络查控", "已通过网络查控系统查询银行存款、车辆、不动产登记，反馈结果已核对。", "查控反馈汇总表", "applicant"
)
VISITED = work("实地查证", "已到被执行人住所地走访，向社区核实居住情况，制作调查笔录。", "调查笔录")
SEALED = work(
    "查封车辆", "已依法查封被执行人名下小型汽车一辆，并在登记机关办理查封登记。", "查封笔录、协助执行回执", "both"
)
FROZEN = work("冻结存款", "已依法冻结被执行人银行存款，冻结期限一年。", "冻结裁定书、协助冻结回执", "both")
SOLD = work("拍卖成交", "查封财产经网络司法拍卖成交，价款已进入案款专户。", "拍卖成交确认书", "both")
PERFORMED = work("履行完毕", "被执行人已主动履行全部义务，案款已发还申请执行人。", "收款收据", "both")
COMPULSORY = enter("compulsory", "强制执行审批表", *_INQUIRY)
COMPULSORY_IN_PART = enter("compulsory", "强制执行审批表", *_INQUIRY[:2])
CLOSURE = enter("closure", "结案审批表", *_ENDING)
CLOSURE_IN_PART = enter("closure", "结案审批表", *_ENDING[:3])
SERVED = reach("service", "送达回证")
SERVED_AFTER = 5
"""Days from the filing of a case of the stock until its notices were served."""
ENFORCED = reach("enforcement", "强制措施裁定书")
CLOSED = reach("closure", "结案通知书")
ARCHIVED = reach("archiving", "归档清单")

CASES: tuple[Case, ...] = (
    Case("voluntary", 0, "民间借贷纠纷", "86000.00", "e:e", {21: (PERFORMED, CLOSURE, CLOSED), 56: (ARCHIVED,)}),
    Case(
        "auctioned",
        0,
        "金融借款合同纠纷",
        "1350000.00",
        "E:P",
        {21: (QUERIED, COMPULSORY, ENFORCED, SEALED), 109: (SOLD, CLOSURE, CLOSED), 147: (ARCHIVED,)},
    ),
    Case(
        "overdue",
        0,
        "买卖合同纠纷",
        "624998.14",
        "e:p",
        {21: (QUERIED, COMPULSORY_IN_PART), 56: (FROZEN, ENFORCED), 147: (VISITED,)},
    ),
    Case("unfound", 0, "机动车交通事故责任纠纷", "198400.50", "p:e", {21: (VISITED,), 56: (COMPULSORY,)}),
    Case("ending", 0, "劳动争议", "43210.00", "e:EP", {21: (QUERIED, COMPULSORY, ENFORCED), 147: (CLOSURE_IN_PART,)}),
    Case("administrative", 0, "非诉行政执行", "50000.00", "E:e", {21: (COMPULSORY,), 56: (CLOSURE, CLOSED)}),
    Case("settled", 56, "房屋租赁合同纠纷", "27600.00", "e:e", {109: (PERFORMED, CLOSURE, CLOSED)}),
    Case("machines", 56, "承揽合同纠纷", "412000.00", "E:P", {109: (QUERIED, COMPULSORY, ENFORCED, SEALED)}),
    Case("house", 56, "民间借贷纠纷", "980000.00", "e:pp", {109: (COMPULSORY,)}),
    Case("searching", 56, "合伙协议纠纷", "156000.00", "p:p", {109: (VISITED,)}),
    Case("payout", 56, "建设工程施工合同纠纷", "2860000.00", "E:E", {109: (COMPULSORY, FROZEN), 147: (CLOSURE,)}),
    Case("account", 109, "买卖合同纠纷", "73500.00", "e:e", {147: (QUERIED, COMPULSORY, FROZEN, ENFORCED)}),
    Case("workshop", 109, "加工合同纠纷", "318000.00", "E:Ep", {147: (COMPULSORY_IN_PART,)}),
    Case("support", 109, "抚养费纠纷", "18000.00", "e:p", {147: (QUERIED,)}),
    Case("warehouse", 109, "仓储合同纠纷", "266800.00", "P:E", {147: (VISITED,)}),
    Case("car", 147, "民间借贷纠纷", "120000.00", "e:e", {168: (QUERIED, COMPULSORY, SEALED, ENFORCED)}),
    Case("shop", 147, "特许经营合同纠纷", "205000.00", "e:p", {168: (COMPULSORY,), 182: (FROZEN, ENFORCED)}),
    Case("shares", 147, "股权转让纠纷", "3100000.00", "E:ee", {182: (QUERIED, COMPULSORY)}),
    Case("wages", 147, "追索劳动报酬纠纷", "36500.00", "p:E", {168: (QUERIED,)}),
    Case("injury", 147, "提供劳务者受害责任纠纷", "89000.00", "e:p", {168: (VISITED,)}),
    Case("bounced", 182, "物业服务合同纠纷", "6800.00", "E:e", letters_lie=True),
    Case("unsure", 182, "信用卡纠纷", "48200.00", "E:e"),
    Case("returned", 182, "民间借贷纠纷", "150000.00", "e:p"),
    Case("held", 182, "分家析产纠纷", "300000.00", "e:e", obliged=False),
    Case("unassigned", 189, "买卖合同纠纷", "92000.00", "e:p", assigned=False),
    Case("one_sided", 189, "侵权责任纠纷", "12000.00", "e:"),
    Case("unposted", 192, "民间借贷纠纷", "67000.00", "e:p", letters_lie=True),
    Case("posted", 192, "装饰装修合同纠纷", "54000.00", "e:pp"),
    Case("today", VISIT, "金融借款合同纠纷", "510000.00", "E:pp", letters_lie=True),
    Case("fresh", VISIT, "买卖合同纠纷", "23900.00", "e:e", assigned=False),
)


def serial_of(name: str) -> int:
    """The serial of a case's first party, an applicant; the others follow it. Three fit in a case."""
    return 3 * [case.name for case in CASES].index(name) + 1
