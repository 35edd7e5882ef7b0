"""Production refuses to start with the demonstration's ways out: nothing falls back in silence."""

from services.party_notification.store import sending
from services.party_notification.usecases.facts import NotificationKit
from shared.runtime.secrets import SecretsMissingError
from shared.settings import Environment


def require_channels(kit: NotificationKit) -> None:
    """Raises SecretsMissingError in production, naming every variable that is missing or still an example."""
    if kit.run.environment is not Environment.PRODUCTION:
        return
    lacking = kit.settings.lacking()
    if lacking:
        raise SecretsMissingError(f"生产环境须由环境变量给出以下各项（不得沿用示例）：{'；'.join(lacking)}。")


async def start(kit: NotificationKit) -> None:
    """The public pages take receipts: that secret alone is theirs; who sends needs the channels.

    What came from a backup is held in doubt.
    """
    if kit.run.zone == "public":
        if kit.run.environment is Environment.PRODUCTION and not kit.settings.receipt_secret:
            raise SecretsMissingError("缺少 PARTY_NOTIFICATION_RECEIPT_SECRET（运营商回执地址中的秘密）。")
        return
    require_channels(kit)
    async with kit.db.begin() as tx:
        await sending.doubt_open(tx.conn)
