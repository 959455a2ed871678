"""What is said while the dialogue engine is away, and how little is understood then.

Only whole sentences are recognised as wishes: “我要提交诉求” is one; “诉求提交后几天回复” is a question, for
the knowledge base.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal

Wish = Literal["file", "status", "human", "entry", "greeting", "thanks", "other"]

_PAYLOAD = re.compile(r"^/(\w+)(\{.*\})?$", re.DOTALL)
_POLITE = (
    r"(?:你好|您好)?[，,]?(?:我们?|我司|我公司)?(?:就?是?想|想要|需要|要|希望)?"
    r"(?:请|麻烦)?(?:你们?|您)?(?:帮忙|帮我们?|给我们?)?"
)
_END = r"(?:[，,]?(?:可以吗|行吗|好吗|谢谢|吧|呢|啊|一下))*[。.！!？?~～]*$"
_FILE = re.compile(
    "^"
    + _POLITE
    + r"(?:提交|提|报|登记|反映|上报|填写?)(?:一下|一个|一件|个|件|下)?(?:企业)?(?:诉求|问题|困难)"
    + _END
)
_STATUS = re.compile(
    "^" + _POLITE + r"(?:查询|查看|查|看看|看|了解|跟踪|问问|问)?(?:一下|下)?(?:我们?的?|之前的?|上次的?)*"
    r"(?:诉求|问题)(?:的)?(?:办理|处理)?(?:进度|进展|状态|情况|结果|到哪一?步了|办得怎么样了|怎么样了)" + _END
)
_HUMAN = re.compile(
    "^"
    + _POLITE
    + r"(?:转|找|接|换|叫)?(?:一个|个)?(?:人工|真人|客服|工作人员)(?:客服|服务|坐席)?(?:来?说话|接听)?"
    + _END
)
_GREETING = re.compile(
    r"^(?:你好|您好|嗨|哈喽|在吗|在不在|早上好|上午好|下午好|晚上好|hi|hello)[啊呀吗]?[。.！!？?~～]*$", re.I
)
_THANKS = re.compile(
    r"^(?:好的?|行|嗯)?[，,]?(?:非常|多|太)?(?:谢谢|感谢|多谢)(?:你|您|你们|了|啦)*[。.！!~～]*$"
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{8}-[0-9]{4,6}(?![0-9])")

_ASKS = re.compile(r"[?？吗呢么]|如何|多少|哪|几[个天次日]|谁|是否|能不能|可不可以|有没有|多久|多长")

_WISH_OF_INTENT: dict[str, Wish] = {
    "file_appeal": "file",
    "open_appeal_form": "file",
    "ask_status": "status",
    "give_feedback": "status",
    "open_lookup_form": "status",
    "ask_human": "human",
    "choose_entry": "entry",
    "greet": "greeting",
    "help": "greeting",
    "thank": "thanks",
    "goodbye": "thanks",
}

OPEN_APPEAL_FORM = "/open_appeal_form"
OPEN_LOOKUP_FORM = "/open_lookup_form"
FORM_PAYLOADS = {
    "/file_appeal": OPEN_APPEAL_FORM,
    "/ask_status": OPEN_LOOKUP_FORM,
    "/give_feedback": OPEN_LOOKUP_FORM,
}
"""Buttons that begin a dialogue, and what opens the same as a form of the page."""

BOT_PAYLOADS = {OPEN_APPEAL_FORM: "/file_appeal", OPEN_LOOKUP_FORM: "/ask_status"}
"""A form button pressed where there are no forms, told to the dialogue engine."""

FILE_TITLE = "提交诉求"
STATUS_TITLE = "查询进度"
HUMAN_TITLE = "转人工"

_AWAY = "对话助手正在启动或暂时不可用"
AWAY = f"{_AWAY}，现在由知识库直接回答您的问题；提交诉求和查询进度可以用下面的表单办理。"
FILE = f"{_AWAY}，暂时不能在对话里一步步登记。您可以点“提交诉求”直接填表，提交后马上得到诉求编号，不会丢失。"
STATUS = (
    f"{_AWAY}，暂时不能在对话里查询。"
    "您可以点“查询进度”，填写诉求编号和登记时的电话查看，也可以在那里反馈是否解决。"
)
FORM = (
    "对话助手暂时不可用。您在对话里已经填好的内容已保存，助手恢复后可以接着填；着急的话，可以点“提交诉求”直接填表。"
    "这一条内容暂未处理，请稍后再发一次。"
)
UNCERTAIN = (
    "抱歉，对话助手没有及时回应，这一条可能还在处理。请先等一会儿；"
    "如果刚才是在提交诉求，请先点“查询进度”确认是否已登记，避免重复提交。"
)
GREETING = f"您好，我是企服助手。您可以直接问企业服务方面的问题。{_AWAY}，提交诉求和查询进度请用下面的表单。"
THANKS = "不客气，有需要随时问我。"
HUMAN = "已记下您需要人工服务，工作人员会看到。"
HUMAN_NOT_RECORDED = "抱歉，暂时没能登记您的人工服务需求，请直接拨打热线。"


def tells_of_the_outage(text: str) -> bool:
    """Whether something that was said tells that the dialogue engine is away."""
    return _AWAY in text or text == FORM


def payload(message: str) -> tuple[str, dict[str, Any]] | None:
    """Takes a pressed button's payload apart.

    Args:
        message: What was sent, for example ``/choose_entry{"entry_id": "qt.hotline"}``.

    Returns:
        The intent and its entities; None where the message is no payload.
    """
    found = _PAYLOAD.match(message)
    if found is None:
        return None
    try:
        entities = json.loads(found[2]) if found[2] else {}
    except (ValueError, RecursionError):
        return None
    return (found[1], entities) if isinstance(entities, dict) else None


def asks(message: str) -> bool:
    """Whether a message reads like a question, rather than like an answer to one of a form."""
    return _ASKS.search(message) is not None


def wish(message: str) -> Wish:
    """Recognises the few wishes that can be served without the dialogue engine.

    Args:
        message: Cleaned text or a payload.

    Returns:
        ``other`` for everything that goes to the knowledge base.
    """
    pressed = payload(message)
    if pressed is not None:
        return _WISH_OF_INTENT.get(pressed[0], "other")
    text = re.sub(r"\s+", "", message)
    if _FILE.match(text):
        return "file"
    if _STATUS.match(text) or (_NUMBER.search(text) and len(text) < 40):
        return "status"
    for pattern, name in ((_HUMAN, "human"), (_GREETING, "greeting"), (_THANKS, "thanks")):
        if pattern.match(text):
            return name  # type: ignore[return-value]
    return "other"
