"""Whether a message outside a form tells of a trouble, and whether triage can place it."""

from __future__ import annotations

import re

from actions import recognition
from actions.client import BackendError, backend

_LIKELY = 0.4
_FEW = 14
_TROUBLE = re.compile(
    r"坏|堵|漏|塌|裂|炸|爆(?:了|管|裂)|断(?:水|电|网|气|供|了|掉|货|缴)|停(?:水|电|气|网|工|产|运|摆|用|业|暖|了)|"
    r"没有?(?:水|电|网|气|信号|人|动静|着落|下文|结果|消息|处理|解决|发|到|给|拿到|收到|兑现|落实|批|通过|修|下来|学|回)|"
    r"不(?:亮|通|来|发|动|出|上|下来|了|稳|给|让|批|肯|管|理|收|修|合理|畅|足|够|热|灵|能用|作为|退|还|去|进|到|住|起|开|回)|"
    r"被(?!评|认|纳|授|选)|偷|骗|欠(?:薪|款|我|钱|了)|拖欠|拖(?:着|了|延)|一拖再拖|跑路|报错|失败|故障|卡(?:住|在|了|死|半)|扣(?:住|了|着)|"
    r"乱(?:收|停|丢|扔|排|涨|来|放|搭|倒)|吵|噪[音声]|扬尘|臭|脏|呛|熏|刺鼻|污染|积水|淹|进水|倒灌|冒(?:水|烟|用|充|出|牌)|"
    r"[通办审]不过|过不[了去]|[没未]办(?:好|下来|成|完)|侵权|山寨|仿冒|假冒|抄袭|涨(?:价|租|得|了|到|百|一|太)|翻倍|太(?=[差慢贵高大吵脏臭少难乱烂远低窄黑挤])|(?:服务|态度|卫生|质量|信号|治安).{0,3}(?:差|恶劣|不好)|"
    r"老是|老(?=[断停坏跳掉])|总是|天天|三天两头|又(?=[停断坏堵漏没])|迟迟|损失|危险|隐患|吃不消|受不了|扰民|推诿|推来推去|踢皮球|倒(?:了|塌)|丢了|没了|"
    r"松动|脱落|短缺|缺(?:人|工)|挡(?:住|了|路)|占(?:了|用|道)|违停|违建|冻结|失灵|掉线|跳闸|难(?:招|找)|招工难|半施工|夜.{0,3}施工"
)
_NAMES_A_THING = re.compile(
    r"(?:电话|热线|号码|地址|地点|流程|条件|材料|网址|方式|办法|政策|标准|时间|时限|通知|公告|名单|清单|指南|查询|申请|申报|认定|补贴|奖励|修复|移出|登记)$"
)


def tells_trouble(text: str) -> bool:
    """Whether the wording tells that something is wrong, rather than only names a matter."""
    return bool(_TROUBLE.search(recognition.normalise(text))) and not _ends_with_a_thing(text)


def names_a_matter(text: str) -> bool:
    """Whether a few words only name what somebody wants to know about (人才公寓申请, 某某补贴)."""
    return _ends_with_a_thing(text) and not recognition.asks_for_a_deed(text)


def _ends_with_a_thing(text: str) -> bool:
    return len(recognition.squeeze(text)) <= _FEW and bool(_NAMES_A_THING.search(recognition.squeeze(text)))


async def is_placed(text: str) -> bool:
    """Whether triage knows whose problem a text is; False where the backend does not answer."""
    try:
        problems = await backend().triage(text, None)
    except BackendError:
        return False
    return any(
        problem.candidates
        and problem.candidates[0].probability >= _LIKELY
        and (problem.level == "single" or problem.co_departments)
        for problem in problems
    )
