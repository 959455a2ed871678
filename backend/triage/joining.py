"""Makes messages of several matters out of appeals of one, and longer stories of one, to learn the cut from.

What stands between two matters when people tell them, and what they say after one without beginning another,
are our own sentences. The same seed always makes the same messages.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

_BETWEEN: Final = (
    "另外",
    "另外，",
    "另外就是",
    "另外还有个事，",
    "此外，",
    "除此以外，",
    "除此之外",
    "对了，",
    "对了",
    "哦对了，",
    "哦还有个事，",
    "哦还有，",
    "还有，",
    "还有",
    "还有就是",
    "还有一件事，",
    "还有个问题，",
    "顺便问下，",
    "顺便问一下",
    "顺带问一句，",
    "顺带反映下，",
    "顺道问下，",
    "顺道说一声，",
    "顺嘴问一句，",
    "顺口提一句，",
    "再一个，",
    "再一个就是",
    "再一件，",
    "再者，",
    "再就是",
    "再有，",
    "再问一下，",
    "再请教一个，",
    "至于",
    "至于另一件，",
    "不急的那个：",
    "不急的是，",
    "老板还让我打听，",
    "老板让我问问",
    "领导也让我问一下，",
    "财务还让我问，",
    "第二件，",
    "第二件事，",
    "第二，",
    "其次，",
    "同时想咨询，",
    "同时也想问，",
    "我们还想问，",
    "还想反映，",
    "还想打听一下，",
    "以及，",
    "多问一句，",
    "最后再问一个，",
    "最后一个，",
    "另一个事，",
    "另一件事是，",
    "另有一事，",
    "然后还有，",
    "然后就是",
    "换个话题，",
    "也有个事想说，",
    "那个，还有，",
    "别的还有，",
    "我们公司还有个事，",
    "除了这个，",
    "同时",
    "同时，",
    "同时也，",
    "然后",
    "然后，",
    "还有个，",
    "此外",
)
_WITHIN: Final = (
    "另外，",
    "另外补充一下，",
    "再补充一句，",
    "还有，",
    "以及因为",
    "同时，",
    "而且",
    "还有就是",
    "对了，补充一下，",
    "此外，",
    "最后，",
    "然后",
    "再说，",
    "另外说明一下，",
    "并且",
    "同时",
    "然后就",
)
_BEFORE: Final = (
    "您好，",
    "你好，",
    "领导好，",
    "您好！",
    "你好。",
    "喂你好，",
    "我是企业的，",
    "我们是钱塘的一家公司，",
    "麻烦您了，",
    "工作人员您好，",
    "想反映点情况。",
    "打扰了，",
)
_SEVERAL: Final = (
    "两件事。",
    "有两个事情，",
    "说两件事：",
    "反映两个问题，",
    "几个事一起说一下。",
    "有两个问题想问。",
    "想问两件事，",
    "攒了几个问题，",
)
_AFTER: Final = (
    "谢谢。",
    "谢谢！",
    "麻烦了。",
    "盼复。",
    "辛苦了。",
    "多谢。",
    "请尽快回复，谢谢。",
    "拜托了！",
    "望回复。",
)
_TAILS: Final = [
    "希望能尽快给个说法。",
    "一个月下来损失十几万。",
    "客户都在催，再拖订单就没了。",
    "打了好几次电话都没人接。",
    "已经影响我们正常生产了。",
    "员工意见很大，走了好几个。",
    "车停着五个月了。",
    "我们想合规经营，请几家一起来看看。",
    "到现在没有一个准话。",
    "跑了三趟都没办成。",
    "问谁都说不归他管。",
    "材料我们都备齐了。",
    "隔壁那家也是一样的情况。",
    "能不能派人来现场看一下？",
    "不知道该找哪个部门。",
    "到底归谁管？",
    "银行的贷款也快到期了。",
    "工人工资都快发不出来了。",
    "我们是小本生意，经不起折腾。",
    "去年也反映过一次，没有下文。",
    "前一任经办人说可以，现在这一任又说不行。",
    "第一任房东走了，第二任不认账。",
    "租金照样要交。",
    "设备一直闲着，每天都在亏钱。",
    "合同都签了，违约要赔的。",
    "当时说好的，现在又变了。",
    "仓库里的货都压着。",
    "孩子和老人都受不了。",
    "上个月还有人因此受伤。",
    "请协调相关部门一起解决。",
    "我们愿意配合整改。",
    "照片和视频都有。",
    "联系人一直没变。",
    "这事拖了快一年了。",
    "晚上加班的员工都不敢走。",
    "有没有类似的先例？",
    "需要什么材料我们补。",
    "费用我们可以承担。",
    "社保和房租每个月都要付。",
    "网上查了半天也没看明白。",
    "老板急得睡不着觉。",
    "我们也理解你们难处。",
]
_STOPS: Final = "。。。。；\n！"
_ENDS: Final = "。！？!?；;\n"
_COMMAS: Final = re.compile(r"[，,]")
_GREETED: Final = re.compile(r"^(?:您好|你好|领导好?|请问|喂)[，,！!。：:]?")


class Told(Protocol):
    """An appeal of one matter."""

    @property
    def text(self) -> str:
        """What it says."""
        ...

    @property
    def departments(self) -> tuple[str, ...]:
        """Ids of the departments that may lead, the best first."""
        ...


_T = TypeVar("_T", bound=Told)


@dataclass(frozen=True)
class Joined:
    """A message with the places where another matter begins.

    Attributes:
        text: The message.
        begins: Where, in characters; none for one matter.
        parts: Number of matters.
    """

    text: str
    begins: tuple[int, ...]

    @property
    def parts(self) -> int:
        """Number of matters."""
        return len(self.begins) + 1


def single(item: Told, chance: random.Random) -> Joined:
    """Returns an appeal told in several sentences, some with words that seem to begin something."""
    text = _sentences(item.text, chance, 0.6)
    if chance.random() < 0.45:
        for tail in chance.sample(_TAILS, chance.choice((1, 1, 2))):
            text = _ended(text, chance) + (chance.choice(_WITHIN) if chance.random() < 0.2 else "") + tail
    if chance.random() < 0.15:
        text = chance.choice(_BEFORE) + text
    if chance.random() < 0.15:
        text = _ended(text, chance) + chance.choice(_AFTER)
    return Joined(text, ())


def joined(items: Sequence[Told], chance: random.Random) -> Joined:
    """Returns a message that tells of several appeals, one after the other."""
    text = chance.choice(_BEFORE) if chance.random() < 0.2 else ""
    if chance.random() < 0.12:
        text += chance.choice(_SEVERAL)
    begins: list[int] = []
    for place, item in enumerate(items):
        told = _sentences(item.text, chance, 0.25)
        if chance.random() < 0.15:
            told = _ended(told, chance) + chance.choice(_TAILS)
        if place:
            told = _GREETED.sub("", told) or told
            mark = chance.choice(_BETWEEN) if chance.random() < 0.5 else ""
            if mark and chance.random() < 0.35 and text[-1] not in _ENDS:
                text += chance.choice("，，， ")
            else:
                text = _ended(text, chance)
            begins.append(len(text))
            told = mark + told
        text += told
    if chance.random() < 0.25:
        text = _ended(text, chance) + chance.choice(_AFTER)
    return Joined(text, tuple(begins))


def letter(items: Sequence[Told], chance: random.Random) -> Joined:
    """Returns appeals of one kind as one long story, as a letter tells it."""
    text = chance.choice(_BEFORE) if chance.random() < 0.6 else ""
    for place, item in enumerate(items):
        if place and chance.random() < 0.3:
            text = _ended(text, chance) + chance.choice(_TAILS)
        told = _GREETED.sub("", item.text) or item.text
        within = chance.choice(_WITHIN) if place and chance.random() < 0.15 else ""
        text = (_ended(text, chance) if text else text) + within + _sentences(told, chance, 0.3)
    if chance.random() < 0.5:
        text = _ended(text, chance) + chance.choice(_AFTER)
    return Joined(text, ())


def alike(items: Sequence[_T], kind: Callable[[_T], object], chance: random.Random) -> list[list[_T]]:
    """Returns twos to fours of appeals of the same kind."""
    kinds: dict[object, list[_T]] = {}
    order = list(items)
    chance.shuffle(order)
    for item in order:
        kinds.setdefault(kind(item), []).append(item)
    found: list[list[_T]] = []
    for told in kinds.values():
        while len(told) > 1:
            size = chance.choice((2, 2, 3, 4))
            found.append(told[:size])
            del told[:size]
    return [group for group in found if len(group) > 1]


def groups(items: Sequence[Told], chance: random.Random) -> list[list[Told]]:
    """Returns twos and threes of appeals whose departments differ."""
    order = list(items)
    chance.shuffle(order)
    found: list[list[Told]] = []
    while order:
        group: list[Told] = []
        size = 3 if chance.random() < 0.3 else 2
        for item in list(order):
            if not any(set(item.departments) & set(other.departments) for other in group):
                group.append(item)
                order.remove(item)
            if len(group) == size:
                break
        if len(group) < 2:
            break
        found.append(group)
    return found


def _sentences(text: str, chance: random.Random, share: float) -> str:
    """Some commas become full stops: so do people who write shorter sentences."""
    return _COMMAS.sub(
        lambda comma: (
            chance.choice(_STOPS) + (chance.choice(_WITHIN) if share > 0.5 and chance.random() < 0.1 else "")
            if 7 < comma.start() < len(text) - 7 and chance.random() < share
            else comma.group()
        ),
        text,
    )


def _ended(text: str, chance: random.Random) -> str:
    return text if text[-1:] in _ENDS else text + chance.choice(_STOPS)
