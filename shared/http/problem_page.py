"""A refusal as a page in words: what happened, what it means, what to do."""

from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from shared.errors import FactorNeeded, Invalid, Refusal, Unauthenticated
from shared.web.pages import Pages

_PAGES = Pages("shared.web")

_MEANINGS = {
    401: "没有登录，或登录已经过期。为保护当事人信息，此页暂时不能显示。",
    403: "您已登录，但您的岗位不办理此事。没有任何内容被改动。",
    404: "地址可能有误，或该事项已移走、您无权查看。",
    409: "您打开页面之后，该事项已被他人或系统改动。您的操作没有生效。",
    422: "提交的内容没有保存。",
    429: "为防止冒用和滥用，短时间内的多次尝试会被暂停。",
    500: "这是系统的问题，不是您的操作有误。本次操作没有生效，也没有只做一半。",
    503: "系统的一个部分暂时不可用。已经保存的内容不受影响，法定期限照常计算。",
}
_TODOS = {
    401: ["请登录后再打开此页。"],
    403: ["如确需办理，请联系执行管理部门。"],
    404: ["请核对地址，或返回首页重新查找。"],
    409: ["请刷新页面，核对最新状态后再办理。"],
    422: ["请返回上一页，改正后重新提交。"],
    429: ["请稍后再试。", "如情况紧急，请直接拨打下方电话。"],
    500: ["请稍后重试。", "如仍出错，请告知技术人员下方的发生时间。"],
    503: ["请过一分钟后重试。", "如情况紧急，请直接拨打下方电话。"],
}

_LOST = (
    "您刚才填写的内容太多，无法随登录保留，也没有提交。",
    [
        "请先在浏览器中“后退”，回到刚才的页面，把填写的内容复制到别处。",
        "然后重新登录，再填写提交；内容较多的，请分几次提交。",
    ],
)
"""What a form becomes that is too large to be carried through the door."""
_OF_THEIR_OWN = {
    "staff_signed_in": (
        "工作人员打开的文书会被当作当事人本人已经阅读，所以不能从这里进入。没有任何内容被改动。",
        ["先退出工作账号，再打开此页。", "或者换用自己的手机、电脑查询。"],
    ),
}
"""What the words of the status would be wrong for, by the refusal's code: what it means, what to do."""


def problem_page(request: Request, refusal: Refusal, **context: Any) -> Response:
    """The page; whoever is not signed in is shown the way to the door. Its headers are those of every refusal.

    `context`: what the page shows besides, where no service stands behind the answer (`court`).
    """
    if isinstance(refusal, Unauthenticated) and request.method == "GET":
        return Response(status_code=303, headers={"Location": _way_in(request, refusal)})
    kept = getattr(request.state, "kept", "")
    if isinstance(refusal, Unauthenticated) and kept:
        stepping_up = isinstance(refusal, FactorNeeded)
        return _PAGES.page(request, "kept_form.html", refusal.status, kept=kept, stepping_up=stepping_up, **context)
    lost = isinstance(refusal, Unauthenticated) and getattr(request.state, "lost", False)
    meaning, todo = _LOST if lost else _OF_THEIR_OWN.get(refusal.code) or _words_of(refusal)
    return _PAGES.page(
        request,
        "problem.html",
        refusal.status,
        title=refusal.title,
        what=refusal.detail,
        meaning=meaning,
        todo=todo,
        **context,
    )


def _words_of(refusal: Refusal) -> tuple[str, list[str]]:
    faults = refusal.faults if isinstance(refusal, Invalid) else ()
    meaning = _MEANINGS.get(refusal.status, "您的请求没有被接受，没有任何内容被改动。")
    todo = [fault.reason for fault in faults] or _TODOS.get(refusal.status, ["请返回上一页，核对后重试。"])
    return meaning, todo


def _way_in(request: Request, refusal: Refusal) -> str:
    """The party's entrance; for staff the renewal, which knows whether they must sign in again, and comes back here.

    Whoever only lacks a fresh second factor is asked for that alone.
    """
    path, query = request.url.path, request.url.query
    if refusal.code == "party_not_entered" or path.startswith("/p/"):
        return "/p"
    here = f"{quote(path)}?{query}" if query else quote(path)
    door = "/sign-in/code" if isinstance(refusal, FactorNeeded) else "/sign-in/refresh"
    return f"{door}?next={quote(here, safe='')}"
