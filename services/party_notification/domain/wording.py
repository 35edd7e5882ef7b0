"""Fixed Chinese wording that letters and mails share, where it hangs on the way of service or on what is enclosed."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from services.party_notification.domain.notices import (
    CaseFacts,
    CourtFacts,
    Kind,
    PartyFacts,
    Role,
    ServiceWay,
    main_kind,
    way_of,
)
from services.party_notification.domain.sms import NOTHING_TO_DO

VERIFY_PAGE = "核对通知真伪"
"""The title of the page where anybody checks a notice: what texts call it is what stands there."""

# The kinds of property to be reported: Provisions on Property Investigation in Civil Enforcement, Art. 5.
PROPERTY_CATEGORIES = (
    "收入、银行存款、现金、理财产品、有价证券",
    "土地使用权、房屋等不动产",
    "交通运输工具、机器设备、产品、原材料等动产",
    "债权、股权、投资权益、基金份额、信托受益权、知识产权等财产性权利",
    "其他财产",
)

SUPERVISED_ITEMS = (
    ("1. 私自会见当事人或者代理人", "2. 接受宴请、旅游、娱乐安排"),
    ("3. 收受、索要财物或者有价证券", "4. 向当事人借款借物、报销费用"),
    ("5. 无正当理由拖延执行", "6. 对财产线索不调查、不反馈"),
    ("7. 违规、超范围查封扣押冻结", "8. 违规评估、拍卖、变卖财产"),
    ("9. 截留、挪用、拖延发放执行款", "10. 违规收取费用"),
    ("11. 泄露办案秘密、当事人信息", "12. 通风报信、帮助逃避执行"),
    ("13. 应当回避而没有回避", "14. 介绍代理人或者中介机构"),
    ("15. 违规过问、打听、说情", "16. 不按规定送达、告知进展"),
    ("17. 推诿刁难、态度粗暴", "18. 其他违反纪律的情形"),
)

MAIL_EFFECT: Mapping[ServiceWay, str] = MappingProxyType(
    {
        ServiceWay.ELECTRONIC: (
            "送达说明：您已同意电子送达并确认了电子送达地址，本邮件到达您的邮箱所在系统之日为送达日期。"
            "判决书、裁定书、调解书需要纸质文书的，可以向承办人提出。"
        ),
        ServiceWay.ELECTRONIC_UNCONFIRMED: (
            "送达说明：您已同意电子送达，但电子送达地址尚未确认。您登录网页阅读文书之日为送达日期。"
        ),
    }
)


_NUMBER = re.compile(
    r"(?:^|(?<=[；;。\n]))\s*(?:[（(](?:[一二三四五六七八九十]{1,3}|\d{1,2})[）)]、?"
    r"|(?:[一二三四五六七八九十]{1,3}|\d{1,2})[、．.](?!\d))"
)


def as_item(text: str) -> str:
    """An obligation as an item of a list, which sets the number and the stop.

    One that is numbered itself loses its number. Several stay as the instrument numbers them, since it may refer to
    its items, and stand apart in quotation marks.
    """
    whole = text.strip()
    numbers = list(_NUMBER.finditer(whole))
    said = whole if not numbers or numbers[0].start() else whole[numbers[0].end() :]
    if said != whole and len(numbers) > 1:
        return f"法律文书确定的下列义务：“{_clause(whole)}”"
    return _clause(said)


def _clause(text: str) -> str:
    return text.strip().rstrip("。；;.")


def side_of(case: CaseFacts, party: PartyFacts) -> str:
    """As what a letter addresses its recipient: only an enforcement has an 申请执行人 and a 被执行人."""
    return party.role.label if case.kind_of_case.enforces else "当事人"


def way_text(party: PartyFacts, way: ServiceWay) -> str:
    """How this letter reaches its recipient, as the letter itself says."""
    if way is ServiceWay.PAPER and party.postal_address:
        return f"邮寄至您的送达地址：{party.postal_address}"
    return {
        ServiceWay.ELECTRONIC: "发至您确认的电子送达地址",
        ServiceWay.ELECTRONIC_UNCONFIRMED: "发至您的电子邮箱，请登录网页阅读",
        ServiceWay.PAPER: "纸质文书，请与承办人联系领取",
        ServiceWay.COLLECT: "纸质文书，请与承办人联系领取",
    }[way]


def mail_duties(court: CourtFacts, case: CaseFacts, party: PartyFacts, kinds: Collection[Kind]) -> list[str]:
    """What the mail's reader has to do, and by when; never empty."""
    main = main_kind(case.case_number, party.role)
    duties = _of_main(court, case, party.role) if main in kinds else _without_main(case, party.role, kinds)
    if way_of(party) is ServiceWay.ELECTRONIC_UNCONFIRMED:
        duties.insert(0, "请登录下列网页阅读文书，阅读之日为送达日期。")
    return duties


def _of_main(court: CourtFacts, case: CaseFacts, role: Role) -> list[str]:
    if not case.kind_of_case.enforces:
        return [f"请阅读附件。{NOTHING_TO_DO}；对承办人有回避理由的，可以申请回避。"]
    if role is Role.APPLICANT:
        return [
            f"请自收到受理通知书之日起{court.clue_days}日内填写《财产调查表》，提供被执行人的财产线索。",
            "请填写《收款账户确认书》，书面告知本院收取执行款的账户。",
        ]
    pay = f"请自收到执行通知书之日起{court.perform_days}日内履行义务；款项只汇入执行通知书所列的本院案款账户。"
    report = f"请自收到报告财产令之日起{court.report_days}日内填写《被执行人财产调查表》，如实报告财产。"
    return [pay, report] if case.kind_of_case.orders_report else [pay]


def _without_main(case: CaseFacts, role: Role, kinds: Collection[Kind]) -> list[str]:
    """Whoever owes something is never told that there is nothing to do."""
    main = main_kind(case.case_number, role)
    duties = [] if Kind.PROGRESS in kinds or main is None else [f"请阅读附件；{main.label}将另行送达。"]
    owes = case.kind_of_case.enforces and role is Role.RESPONDENT
    return [*duties, "尚未履行义务的，请依法履行。" if owes else f"{NOTHING_TO_DO}。"]
