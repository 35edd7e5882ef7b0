"""Typed refusals: one class, one meaning. Each carries a stable code and a Chinese sentence that says what to do.

The HTTP edge turns them into RFC 9457 problem+json; inside a consumer only `NotYet` and `Unavailable` mean "try again".
"""

from collections.abc import Sequence
from dataclasses import dataclass


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault of the program
    """Something was asked that is not done. `code` is stable; `detail` is for people, in Chinese."""

    status = 400
    title = "请求未被接受"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Fault:
    """One faulty field: its path (`parties.0.phone`) and, in Chinese, what is wrong and what to do."""

    field: str
    reason: str


class Invalid(Refusal):
    """The input is faulty; every faulty field is named at once."""

    status = 422
    title = "填写有误"

    def __init__(self, faults: Sequence[Fault], detail: str = "请按提示修改后重新提交。") -> None:
        super().__init__("invalid", detail)
        self.faults = tuple(faults)


class Unauthenticated(Refusal):
    """Nobody has signed in, or the token is no longer good."""

    status = 401
    title = "请先登录"


class FactorNeeded(Unauthenticated):
    """Signed in, but this is done only by whoever has given their second factor within `seconds`."""

    title = "请输入验证码"

    def __init__(self, seconds: int) -> None:
        detail = f"办理此事前须输入两步验证的验证码，{seconds // 60}分钟内有效。用接口的，请带验证码重新登录。"
        super().__init__("fresh_code_needed", detail)
        self.seconds = seconds


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    status = 403
    title = "没有权限"


class NotFound(Refusal):
    """No such thing, or none that the caller may know of."""

    status = 404
    title = "未找到"


class Conflict(Refusal):
    """The thing's state, or an earlier request, forbids this."""

    status = 409
    title = "与现有状态冲突"


class Question(Conflict):
    """Done only once whoever asks has seen this and confirms it, by naming `code` among what they confirm."""

    title = "请确认"

    def __init__(self, code: str, detail: str, field: str) -> None:
        super().__init__(code, detail)
        self.faults = (Fault(field, detail),)


class TooLarge(Refusal):
    """The body, or a part of it, is larger than any form or file that the product takes."""

    status = 413
    title = "内容过大"


class TooMany(Refusal):
    """Too many tries; `retry_after` seconds must pass."""

    status = 429
    title = "操作过于频繁"

    def __init__(self, code: str, detail: str, retry_after: int) -> None:
        super().__init__(code, detail)
        self.retry_after = retry_after


class Unavailable(Refusal):
    """A part that this act needs is away for the moment; the same request may succeed later."""

    status = 503
    title = "暂时无法办理"


class NotYet(Exception):  # noqa: N818 - no error: the projection is simply not there yet
    """A fact from another topic has not arrived yet; the event waits for it, and that is no failure."""
