"""Whether a case's log holds, and against what: the one answer that the command, the API and the page give."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store import days
from services.stage_tracking.store.days import Sealing
from services.stage_tracking.store.tables import LEDGER
from shared.ledger.chain import BrokenAt, Head
from shared.ledger.days import BrokenDay, Keys, verify_days
from shared.ledger.store import check, read_head
from shared.web.formats import cn_date

_HOLDS = "执行日志完整：每条记录都与前一条相衔接，没有缺少或者改动。"
_UNSEALED = "尚未覆盖：本案还没有记录经过每日签署（当天结束后签署），整条日志连同链头被重新生成，仅凭数据库还不能发现。"
_NO_KEY = "没有给出法院的公钥，未核对每日签署的签名。"


@dataclass(frozen=True)
class Verdict:
    """What was found: `broken` in the chain itself, `day` in the sealed days, `rewritten` between the two.

    `sealed` is how far the chain was sealed, `until` the last sealed day; `signatures`: they were looked at.
    """

    head: Head
    broken: BrokenAt | None
    day: BrokenDay | None
    rewritten: Sealing | None
    sealed: Sealing | None
    signatures: bool

    @property
    def intact(self) -> bool:
        """Whether nothing was found."""
        return self.broken is None and self.day is None and self.rewritten is None

    @property
    def position(self) -> int | None:
        """The entry at which the log does not hold, where one can be named."""
        if self.broken is not None:
            return self.broken.position
        return None if self.day is not None or self.rewritten is None else self.rewritten.position

    @property
    def why(self) -> str:
        """What does not hold, in a sentence without its place in the log; empty for an intact one."""
        if self.broken is not None:
            return self.broken.why.value
        if self.day is not None:
            return f"{cn_date(self.day.day)}的每日签署不成立：{self.day.why.value}"
        if self.rewritten is not None:
            return f"与{cn_date(self.rewritten.day)}签署的链头不符，这一条或者以前的记录在签署以后被改写"
        return ""

    @property
    def words(self) -> str:
        """The whole answer."""
        if not self.intact:
            return f"{self.why}。" if self.position is None else f"第{self.position}条：{self.why}。"
        if self.sealed is None:
            return _HOLDS + _UNSEALED
        against = (
            f"与每日签署的链头核对相符：本案的第 1 至 {self.sealed.position} 条已经签署，"
            f"最后一次是{cn_date(self.sealed.day)}。"
        )
        later = self.head.position - self.sealed.position
        fresh = f"其后 {later} 条在当天结束后签署。" if later else ""
        return _HOLDS + against + fresh + ("" if self.signatures else _NO_KEY)


async def verdict(conn: AsyncConnection, chain_id: str, keys: Keys | None) -> Verdict:
    """The chain against its head, all sealed days against their signatures and lines, the chain against those.

    Without `keys` (the court's public ones) signatures are not looked at. The connection sees one snapshot.
    """
    return Verdict(
        head=await read_head(conn, LEDGER, chain_id),
        broken=await check(conn, LEDGER, chain_id),
        day=verify_days(await days.every(conn), await days.heads_by_day(conn), keys),
        rewritten=await days.rewritten_in(conn, chain_id),
        sealed=await days.sealing_of(conn, chain_id),
        signatures=keys is not None,
    )
