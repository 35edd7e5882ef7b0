"""States, channels and reasons in words. No page shows an internal code."""

from services.party_notification.domain.effect import ServedBy
from services.party_notification.domain.notices import Kind, Role, ServiceWay
from services.party_notification.usecases.deciding import Ruling
from services.party_notification.usecases.history import CHANNELS
from services.party_notification.usecases.views import DeliveryView, NoticeView
from shared.powers import POSTS
from shared.powers import Role as Post

PAPER_STATES = {
    "to_print": "待打印",
    "posted": "已寄出",
    "served": "已签收",
    "returned": "已退回",
    "withdrawn": "已作废",
}
NOTICE_STATES = {"waiting": "暂未发出", "unserved": "尚未送达", "served": "已送达", "withdrawn": "已作废"}
RULINGS = (
    (Ruling.ARRIVED.value, "已送达", "已向当事人核实收到，或有其他证据。"),
    (Ruling.SEND_AGAIN.value, "重新发送", "再发一次，内容不变；当事人可能收到两次。"),
    (Ruling.ON_PAPER.value, "改用纸质", "文书列入纸质送达，由立案人员打印寄出。"),
)
READINGS = (
    ("yes", "系当事人本人阅读", "作为阅读证据，按规定计入送达。"),
    ("no", "不能认定", "不作为送达依据，另行送达。"),
)
OWN = ("yes", "核实为本人使用", "恢复发送；停止期间没有发出的，随即补发。")
NOT_OWN = ("no", "确非本人使用", "停止向它发送，文书改用纸质送达，并请立案人员更正登记。")
SUPPRESSED = "已停止向它发送。"
_WAYS = {
    ServiceWay.ELECTRONIC: "电子邮件",
    ServiceWay.ELECTRONIC_UNCONFIRMED: "电子邮件（未确认）",
    ServiceWay.PAPER: "邮寄",
    ServiceWay.COLLECT: "到院领取",
}
_DELIVERY = {
    "planned": ("off", "等待发送"),
    "claimed": ("off", "等待发送"),
    "intent": ("info", "正在发送"),
    "unknown": ("soon", "是否发出不明"),
    "sent": ("info", "已发出"),
    "delivered": ("ok", "已送达对方"),
    "failed": ("late", "未能送达"),
}
_PAPER_STANDING = {
    "to_print": ("soon", "待打印寄出"),
    "posted": ("info", "已寄出，待签收"),
    "returned": ("late", "邮寄被退回"),
}
Badge = tuple[str, str]
"""Its colour's state, its word."""


def channel(name: str) -> str:
    """短信, 电子邮件 or 纸质."""
    return CHANNELS[name]


def contact(name: str) -> str:
    """手机号码 or 电子邮箱."""
    return {"sms": "手机号码", "mail": "电子邮箱"}[name]


def role(name: str) -> str:
    """On which side the recipient stands."""
    return Role(name).label


def kind(name: str) -> str:
    """A notice's title."""
    return Kind(name).label


def owner(login_role: str | None) -> str:
    """Who must supply what a notice waits for."""
    return POSTS[Post(login_role)].title if login_role else ""


def way(name: str | None) -> str:
    """How documents travel to the recipient."""
    return _WAYS[ServiceWay(name)] if name else ""


def served_by(name: str | None) -> str:
    """The channel that took effect."""
    return ServedBy(name).label if name else ""


def delivery(view: DeliveryView, *, recalled: bool = False) -> Badge:
    """Where an attempt stands."""
    if recalled and view.state == "planned":
        return "soon", "已撤回"
    return ("late", "等待核实") if view.step == "person" else _DELIVERY[view.state]


def standing(notice: NoticeView) -> Badge:
    """Where a notice stands: what matters most about it now."""
    if notice.state != "issued":
        return _not_issued(notice)
    if notice.legal_effect.served_on is not None:
        return "ok", "已送达"
    if any(each.step == "person" for each in notice.deliveries):
        return "late", "等待核实"
    if notice.recalled:
        return "soon", "已撤回，暂不发出"
    return _PAPER_STANDING.get(notice.paper_state or "") or _under_way(notice)


def _under_way(notice: NoticeView) -> Badge:
    if notice.sent_at is None:
        return "off", "等待发送"
    return ("ok", "已发出") if notice.kind == Kind.MISFILED_CORRECTION else ("info", "已发出，尚未送达")


def _not_issued(notice: NoticeView) -> Badge:
    if notice.state == "withdrawn":
        return "off", "已作废"
    return ("soon", "等待补充") if notice.waits_owner else ("info", "暂缓发出")


def waits(notice: NoticeView) -> str:
    """Why a notice is not written yet, and who must do something about it."""
    return (notice.waits_because or "") + (f"由{owner(notice.waits_owner)}补充。" if notice.waits_owner else "")


def possibly_twice(notice: NoticeView) -> bool:
    """Whether one of its messages may have arrived more than once."""
    return any(each.possibly_twice for each in notice.deliveries)
