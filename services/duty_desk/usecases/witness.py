"""The desk as a witness: it keeps the sealed days of the case log as first told, and compares what it is told later."""

from datetime import timedelta

from services.duty_desk import store
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.acts import enter_trouble
from shared.contracts.operations import TroubleReported
from shared.db.transaction import Transaction, new_id
from shared.ledger.days import SealedDay
from shared.web.formats import cn_date

_DAY = timedelta(days=1)
_WHAT_TO_DO = (
    "执行日志可能在签署以后被改写。请立即报告执行监督部门，保留进程与期限、值班台两个数据库和备份，逐案核验执行日志。"
)


async def keep_log_day(kit: DeskKit, tx: Transaction, told: SealedDay) -> None:
    """Keep a day that is new; a difference from what is known of it or of its neighbours comes to the desk.

    Days may arrive in any order. What was told first stays.
    """
    known = await store.known_log_days(tx.conn, [told.day - _DAY, told.day, told.day + _DAY])
    for fault in faults(told, known.get(told.day - _DAY), known.get(told.day), known.get(told.day + _DAY)):
        event = TroubleReported(
            trouble_id=new_id(),
            service="duty_desk",
            kind="log_rewritten",
            summary=fault + _WHAT_TO_DO,
            noticed_at=tx.now,
        )
        await enter_trouble(tx, kit, event)
    await store.keep_log_day(tx.conn, told)


def faults(told: SealedDay, before: SealedDay | None, known: SealedDay | None, after: SealedDay | None) -> list[str]:
    """What does not fit to the days as they were first told, in Chinese."""
    found = []
    if known is not None and known != told:
        found.append(f"执行日志{cn_date(told.day)}的每日签署与值班台此前留存的不一致。")
    if before is not None and told.previous != before.digest:
        found.append(f"执行日志{cn_date(before.day)}的每日签署被替换：次日的签署所依据的与值班台留存的不一致。")
    if after is not None and known is None and after.previous != told.digest:
        found.append(f"执行日志{cn_date(told.day)}的每日签署与值班台留存的次日签署不相衔接。")
    return found
