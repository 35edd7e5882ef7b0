"""Days of the log that are over are signed and told outside, so that who rewrites one is found.

Before a day is added, what was sealed before is looked at: whatever does not hold comes to the duty desk.
"""

from datetime import timedelta

from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import days
from shared.clock import court_date, start_of_day
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import LogDaySealed
from shared.db.transaction import Transaction, new_id
from shared.ledger.days import NOTHING, SealedDay, verify_days
from shared.runtime.service import MORE
from shared.web.formats import cn_date

_DAY = timedelta(days=1)
_AT_ONCE = 50
_NAMED = 3
_WHAT_TO_DO = "请立即报告执行监督部门，保留数据库和备份，并与值班台、送达证据中留存的签署记录核对。"


async def seal_days(kit: StageKit) -> object:
    """Sign every court day that is over and is not signed yet, those without entries too; MORE while many wait.

    The first record covers all that was there before it.
    """
    async with kit.db.read() as conn:
        last = await days.newest(conn)
    if last is not None and last.day >= court_date(kit.clock.now()) - _DAY:
        return None
    await look_back(kit)
    for _ in range(_AT_ONCE):
        if not await _seal_next(kit):
            return None
    return MORE


async def _seal_next(kit: StageKit) -> bool:
    async with kit.db.begin() as tx:
        await days.lock(tx.conn)
        last, over = await days.newest(tx.conn), court_date(tx.now) - _DAY
        day = over if last is None else last.day + _DAY
        if day > over:
            return False
        heads, came = await days.moved(tx.conn, start_of_day(day + _DAY))
        previous = NOTHING if last is None else last.digest
        sealed = SealedDay.seal(kit.signing, kit.court.name, day, previous, came, heads)
        await days.add(tx.conn, sealed, heads)
        await tx.emit(LogDaySealed(day=day, record=sealed.text, signature=sealed.signature, key_id=sealed.key_id))
        return day < over


async def look_back(kit: StageKit) -> None:
    """Tell the desk of sealed days that do not hold, and of cases whose sealed entries were replaced."""
    async with kit.db.read() as conn:
        broken = verify_days(await days.every(conn), await days.heads_by_day(conn), kit.signing.keys)
        numbers = await days.rewritten_cases(conn, _NAMED + 1)
    found = []
    if broken is not None:
        found.append(f"执行日志{cn_date(broken.day)}的每日签署不成立：{broken.why.value}。")
    if numbers:
        more = "等案件" if len(numbers) > _NAMED else ""
        found.append(f"{'、'.join(numbers[:_NAMED])}{more}的执行日志与每日签署的链头不符，签署以后被改写。")
    if found:
        async with kit.db.begin() as tx:
            for summary in found:
                await _report(tx, summary)


async def _report(tx: Transaction, summary: str) -> None:
    event = TroubleReported(
        trouble_id=new_id(),
        service="stage_tracking",
        kind="log_rewritten",
        summary=summary + _WHAT_TO_DO,
        noticed_at=tx.now,
    )
    await tx.emit(event)
