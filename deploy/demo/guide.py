"""What a visitor of the demonstration is told: where to look, how to sign in, what to try."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from deploy.demo.cases import serial_of
from deploy.demo.people import phone, resident_id
from shared.web.formats import cn_time

_ROLES = {"judge": "承办法官", "chief": "庭长", "clerk": "立案人员", "duty": "值班员", "management": "执行管理人员"}
_TEXT = """
演示数据已就绪：{count} 个案件，人名、证件号码、电话均为虚构。系统时间：{now}。

看哪里
  进程看板 {url}/stages    我的工作 {url}/work    值班台 {url}/desk    大屏 {url}/desk/wall
  通知 {url}/notices    纸质送达 {url}/paper    待核实发送 {url}/unknown
  外部世界（手机、邮箱、时钟、故障） {url}/sandbox

登录名和密码（其余登录名见上）
{logins}
  duty 登录时还要输入验证码，半分钟一换：YANGGUANG_DATA={data} .venv/bin/yangguang code duty

试一试
  1. 用 duty 登录值班台，另开一个窗口打开外部世界，点“前进 1 小时”：值班台不用刷新，超时的事项自己提示。
  2. 用 chief 登录进程看板，再点“前进 1 周”：{workshop} 等案的三个月期限届满；
     承办人的“我的工作”里出现说明理由的待办。
  3. 在进程看板打开 {overdue}：已过法定六个月。看期限、时间线、执行日志，然后核验执行日志：
     YANGGUANG_DATA={data} .venv/bin/yangguang verify-log {overdue}
  4. 用 clerk 看没有顺利送达的案件：
     {bounced} 退信后改用纸质    {unsure} 短信去向不明    {returned} 信件被退回
     {held} 缺少应履行义务，通知暂缓    {one_sided} 没有被执行人，不发通知
  5. 在外部世界查找手机 {phone}（{account} 的申请执行人），凭短信里的查询码和证件号码后六位 {last_six}
     用隐私窗口（登录了工作账号的浏览器会被拒绝）打开 {url}/p ，看当事人看到什么；
     凭回执码 {receipt} 打开 {url}/tips/status ，看提供线索的人看到什么。

  演示中，“发送结果不明”的等候时间由 2 分钟缩短为 2 秒。
  按 Ctrl+C 停止；数据保留在 {data} ，再次启动不会重复添加。
"""


def guide(url: str, data: Path, now: datetime, numbers: Mapping[str, str], receipt: str) -> str:
    """The text to print. `numbers` are the case numbers by their names in the story."""
    applicant = serial_of("account")
    folder = data / "secrets" / "logins"
    logins = [f"  {login:<12}{(folder / login).read_text().strip():<20}{title}" for login, title in _ROLES.items()]
    return _TEXT.format(
        count=len(numbers),
        now=cn_time(now),
        url=url,
        data=data,
        logins="\n".join(logins),
        receipt=receipt,
        phone=phone(applicant),
        last_six=resident_id(applicant)[-6:],
        **numbers,
    )
