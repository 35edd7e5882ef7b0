"""What the outside world does by itself: it answers at the mail port, and posts receipts."""

from collections.abc import Sequence
from datetime import timedelta

import httpx

from services.sandbox.channels.mailserver import SandboxMail, StoredMail
from services.sandbox.usecases.keeping import keep_mail
from services.sandbox.usecases.reporting import post_receipts
from services.sandbox.usecases.world import SandboxKit, faults_of
from shared.http.outgoing import outgoing_client
from shared.runtime.listener import LaunchError
from shared.runtime.service import Job

_BATCHES = 4  # in one go: so many time-outs still count as progress
_IDLE = 2.0  # seconds: an idle connection is left before the server at its other end (5 s) may close it


def jobs(kit: SandboxKit) -> Sequence[Job]:
    """Both. The mail port is taken at once, so that a start with the port in use fails. Raises LaunchError."""
    server = _mail_server(kit)
    limits = httpx.Limits(keepalive_expiry=_IDLE)
    client = outgoing_client(kit.settings.receipt_timeout, limits=limits)

    async def post() -> None:
        for _ in range(_BATCHES):
            if not await post_receipts(kit, client):
                return

    return (
        Job("answer at the mail port", timedelta(seconds=30), server.serve, close=server.close),
        Job("post receipts", timedelta(milliseconds=250), post, close=client.aclose),
    )


def _mail_server(kit: SandboxKit) -> SandboxMail:
    async def keep(mail: StoredMail) -> None:
        await keep_mail(kit, mail)

    server = SandboxMail(keep, faults_of(kit))
    port = kit.run.smtp_port
    try:
        server.bind(kit.settings.smtp_host, port)
    except (OSError, OverflowError):
        raise LaunchError(
            f"沙箱邮件服务器无法使用端口{port}，可能已被其他程序占用。"
            "请停止那个程序，或设置 YANGGUANG_SANDBOX_SMTP_PORT 换一个端口。"
        ) from None
    return server
