"""How a message is heard while a form is being filled: as an answer, a correction, or something else.

Pure functions on a `Turn`. An empty result means that the message is not for the form: the form steps back,
the rules answer, and the form asks its pending question again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from actions import recognition
from actions.conversation import Turn

Heard = dict[str, str | None]
"""Slot name → what was said for it; None empties the slot, so that it is asked again."""

EDIT = "edit"
"""Said for ``appeal_confirm``: something is to be changed, but not what."""

UNKNOWN_TERRITORY = "不清楚"

_FIELD_WORDS: dict[str, str] = {
    "phone": "电话|手机|号码|联系方式",
    "lookup_phone": "电话|手机|号码|联系方式",
    "contact": "联系人|姓名|名字|称呼",
    "enterprise": "公司|企业|单位|厂名|店名",
    "territory": "平台|街道|属地|园区",
    "description": "内容|描述|说明|诉求|问题",
    "appeal_number": "编号|单号",
    "stars": "星级|星|打分|评分",
}
_CHANGE = re.compile(
    r"(?:写|填|说|选|输|打|弄|搞|登记)(?:得|的)?(?:错|不对|反)|改成|改为|改一下|改下|改掉|换成|换一个|换个|更正|纠正|有误|"
    r"不对|错了|不是这|应该是|应为|应当是|要改|重填|重新(?:填|写|说|描述|选)|修改"
)
_STRONG_CHANGE = re.compile(
    r"(?:写|填|说|选|输|打)(?:得|的)?错|改成|改为|换成|更正|纠正|(?:电话|号码|手机号?|联系人|名字|姓名|公司名称?|企业名称?|"
    r"单位名称?|内容|描述|街道|平台|编号)(?:写|填|弄|选|打)?(?:的|得)?(?:错|不对|有误|改)"
)
_NEW_VALUE = re.compile(
    r".*(?:改成|改为|换成|更正为|应该是|应为|应当是|正确的?是|写成|重新说[:：]?|而是|其实是|叫做?|是|[:：])\s*(?P<value>.+)$",
    re.DOTALL,
)
_LAST_ONE = re.compile(
    r"(?:上一个|上个|上一项|前一个|前面那个|刚才那个|刚刚那个|刚才的?|刚刚的?)(?:内容|信息|一项)?(?:写|填|说|选|输|弄|答)?(?:错|不对)"
)
_STOP = re.compile(
    r"(?:我)?(?:先)?(?:取消|算了|不(?:提|报|填|办|弄|查|评|反映|登记|继续)了?|退出|放弃|停止|停)(?:吧|了|掉|算了)*"
)
_PERSON = re.compile(
    r"(?:我要|请|帮我|麻烦)?(?:转|找|接|要)?(?:接)?(?:人工|真人|客服|工作人员)(?:客服|服务)?(?:吧|谢谢)?"
)
_ASKING = (
    "ask",
    "out_of_scope",
    "nlu_fallback",
    "help",
    "bot_identity",
    "ask_status",
    "give_feedback",
    "inform",
)
_COURTESY = (
    "greet",
    "thank",
    "goodbye",
    "bot_identity",
    "help",
    "complain_bot",
    "repeat",
    "rephrase",
    "distress",
)
_OTHER_WORK = ("ask_status", "give_feedback", "withdraw")


_YES_WORDS = (
    r"嗯+|对+的?|是的?|好的?|ok|okay|行|可以|没错|没问题|没有问题|无误|yes|y|1|确认|确定|提交|交|发|就这样|就这么(?:办|定)|都对|"
    r"(?:不用?|无需|不需要)(?:再)?(?:修改|改)|没有?(?:什么)?(?:需要|要)?(?:修改|改|补充)的?|正确"
)
_YES = re.compile(
    rf"(?:(?:{_YES_WORDS})|赶紧|马上|快|那就?|就|请|麻烦|帮我|直接|上去|出去|了|吧|啊|呀|哈|谢谢|多谢|辛苦|内容|信息|以上|全部|尽快|一下|的)+"
)
_YES_SIGNS = re.compile(r"(?:👌|👍|✅|🆗|✔|🏻|🏼|🏽|🏾|🏿|\ufe0f|[\s。.!！~])+")
_CALLED_OFF = re.compile(
    r"(?:我|还是|那|就|请|麻烦|帮我|这次|这件)*(?:(?:别|不要|不|不想|不用|甭)(?:再)?(?:提交|交|发|报|提|登记|上报)|取消|算|撤销|作废|放弃)"
    r"(?:了|吧|掉|啊|上去|出去|提交|登记|这件|这次|诉求|算了|谢谢|谢|多谢|谢谢你|不好意思)*|(?:下次|以后|改天)再(?:说|提|报)吧?"
)
_START_AGAIN = re.compile(
    r"(?:我要|我想|请|全部?|都|整个|内容|信息)*(?:重新填写?|重填|重来|从头(?:再)?(?:来|开始|填)|重新(?:来|开始|登记)|全错|都错|都不对|全都?不对|填错完)(?:了|吧|一遍|一次)*"
)
_STEP_BACK = re.compile(
    r"(?:请|我要|我想|帮我)?(?:返回|退回|回到|回|后退)?(?:到)?(?:上一步|上一项|上一个问题|前一步)(?:吧|去)?|返回(?:吧|一下)?|后退|退回去?"
)
_NOT_BUT = re.compile(
    r"(?P<about>[^,，。;；]{0,14}?)(?:并?不是|不叫|不对[,，]?不是)(?P<old>[^,，。;；]{1,40}?)[,，、\s]*(?:而是|应该是|应当是|其实是|改成|是|叫)(?P<new>[^是].*)$"
)
_CHANGE_TO = re.compile(
    r"^(?:请|帮我|麻烦)?(?:把|将)?(?P<old>.{1,40}?)(?:要|需要)?(?:改成|改为|换成|换为|更正为|变更为|更改为|修改为|改到|改)(?P<new>(?!一下|下(?!沙)|掉|了|一改|正|的|吧|一个|错|动).+)$"
)


def says_yes(text: str) -> bool:
    """Whether an answer to “确认提交吗” plainly agrees: 交了吧, 没有要改的, 👌."""
    plain = recognition.squeeze(text)
    if not plain:
        return bool(text.strip()) and bool(_YES_SIGNS.fullmatch(text.strip()))
    return bool(_YES.fullmatch(plain)) and bool(re.search(_YES_WORDS, plain))


def calls_off(text: str) -> bool:
    """Whether an answer to “确认提交吗” gives the whole filing up: 不提交, 别交了, 取消吧谢谢."""
    return bool(_CALLED_OFF.fullmatch(recognition.squeeze(text)))


def _replacements(text: str, fields: tuple[str, ...], filled: Mapping[str, str]) -> Heard:
    """What “不是 A 是 B” and “A 改成 B” put in the place of what; A may be a field, its value, or nothing."""
    match = _NOT_BUT.search(text)
    if match:
        found = [(f"{match['about']}{match['old']}", match["new"])]
    else:
        parts = [_CHANGE_TO.match(part.strip()) for part in re.split(r"[,，;；。]", text)]
        whole = (
            None
            if recognition.companies(text) and "改" in recognition.companies(text)[0].value
            else _CHANGE_TO.match(text)
        )
        several = [m for m in parts if m]
        matches = several if len(several) > 1 else [whole] if whole else []
        found = [(m["old"], m["new"]) for m in matches]
    heard: Heard = {}
    for old, new in found:
        value = new.strip(" ,，。.!！:：")
        value = re.sub(r"(?:才对|才是|吧|啊|了)$", "", value)
        name = _replaced(old, value, fields, filled)
        if name and value and not any(re.fullmatch(words, value) for words in _FIELD_WORDS.values()):
            heard[name] = _sound_value(name, value)
    return heard


def _replaced(old: str, new: str, fields: tuple[str, ...], filled: Mapping[str, str]) -> str | None:
    """The field that a replacement is for: by its name, by the value that goes, or by the kind that comes."""
    named = [name for name in fields if name in _FIELD_WORDS and re.search(_FIELD_WORDS[name], old)]
    kinds = {
        "phone": recognition.phones(new),
        "lookup_phone": recognition.phones(new),
        "appeal_number": recognition.appeal_numbers(new),
        "enterprise": recognition.companies(new),
    }
    if len(named) > 1:
        named = [name for name in named if kinds.get(name)] or named[-1:]
    if named:
        return named[0]
    plain = recognition.squeeze(old)
    for name, value in filled.items():
        held = recognition.squeeze(value)
        if (
            name in fields
            and len(plain) >= 2
            and (plain == held or (name != "description" and plain in held) or held in plain)
        ):
            return name
    return next((name for name, spans in kinds.items() if spans and name in fields), None)


def _sound_value(name: str, value: str) -> str:
    if name == "enterprise":
        return recognition.company_answer(value) or value
    if name == "contact":
        return recognition.person_answer(value) or value
    return value


def is_sound(name: str, value: str) -> bool:
    """Whether a value would be taken for its field, so that the change can be confirmed in words."""
    if name in ("phone", "lookup_phone"):
        return bool(recognition.phones(value))
    if name == "enterprise":
        return recognition.company_answer(value) is not None
    if name == "contact":
        return recognition.person_answer(value) is not None
    return name in ("appeal_number", "stars", "result", "description")


def is_command(turn: Turn) -> bool:
    """Whether the message stops the form or calls for a person, whatever was asked."""
    plain = recognition.squeeze(turn.text)
    if turn.pressed:
        return turn.intent in ("cancel", "ask_human")
    if _STOP.fullmatch(plain) or _PERSON.fullmatch(plain):
        return True
    return turn.means("cancel", least=0.7, longest=12) or turn.means("ask_human", least=0.7)


def is_aside(turn: Turn) -> bool:
    """Whether the message is courtesy or another matter, so clearly that it can be no short answer."""
    if turn.pressed:
        return turn.intent not in ("inform", "affirm", "deny", "correct", "file_appeal")
    if turn.intent in _OTHER_WORK and recognition.appeal_numbers(turn.text):
        return True
    return turn.means(*_COURTESY, least=0.85, longest=15) or turn.means(*_OTHER_WORK, least=0.8, longest=40)


def is_question(turn: Turn) -> bool:
    """Whether the message asks for information instead of giving it."""
    if turn.pressed or not recognition.looks_like_question(turn.text):
        return False
    return turn.intent in _ASKING or turn.confidence < 0.5 or recognition.opens_digression(turn.text)


def gives_new_value(text: str) -> bool:
    """Whether a short message says that something was wrong and holds the name or number that is right."""
    return (
        len(text) <= 40
        and _STRONG_CHANGE.search(recognition.normalise(text)) is not None
        and bool(recognition.phones(text) or recognition.companies(text))
    )


def correction(
    turn: Turn, fields: tuple[str, ...], asked: str, filled: Mapping[str, str] | None = None
) -> Heard | None:
    """What a message changes of fields that were given before; None where it is no correction.

    Args:
        turn: The message.
        fields: The form's slots in the order in which they are asked.
        asked: The slot that is being asked.
        filled: What the form holds, so that a value can be named by its old one.

    Returns:
        The named fields, with their new values where the message holds them and None where it does not;
        ``{"appeal_confirm": EDIT}`` where nothing is named.
    """
    if turn.pressed:
        field = turn.values.get("field")
        if turn.intent != "correct":
            return None
        return {field: None} if field in fields else {fields[-1]: EDIT}
    text = recognition.normalise(turn.text)
    plain = recognition.squeeze(text)
    if _START_AGAIN.fullmatch(plain):
        return dict.fromkeys((name for name in fields if name in _FIELD_WORDS), None)
    if _STEP_BACK.fullmatch(plain):
        return {_before(fields, asked): None}
    if len(text) <= 120 and (replaced := _replacements(turn.text, fields, filled or {})):
        return replaced
    intended = turn.means("correct", least=0.6, longest=40)
    if not (intended or _STRONG_CHANGE.search(text)) or len(text) > 120:
        return None
    if not (_CHANGE.search(text) or turn.known):
        return None
    if _LAST_ONE.search(text) and not any(
        re.search(words, text) for name, words in _FIELD_WORDS.items() if name in fields
    ):
        return {_before(fields, asked): None}
    heard: Heard = {}
    for name in fields:
        words = _FIELD_WORDS.get(name)
        if words and re.search(words, text):
            heard[name] = _value_of(name, text, turn.text)
    named_by_value = {
        "phone": recognition.phones(text),
        "enterprise": recognition.companies(text),
        "appeal_number": recognition.appeal_numbers(text),
        "contact": [span for span in recognition.people(text) if span.role],
    }
    for name, spans in named_by_value.items():
        slot = "lookup_phone" if name == "phone" and "lookup_phone" in fields else name
        if spans and slot in fields and heard.get(slot) is None:
            heard[slot] = spans[-1].value
    if "description" in heard and len(heard) > 1 and heard["description"] is None:
        # “公司名写错了，问题是…” names the description by accident
        del heard["description"]
    named = named_by_value["enterprise"] or re.search(r"(?:公司|企业|单位)(?:全?名|名称|全称)", text)
    if "enterprise" in heard and len(heard) > 1 and not named:
        # “我们公司的电话写错了” is about the phone
        del heard["enterprise"]
    if heard:
        return heard
    return {fields[-1]: EDIT} if intended or turn.known else None


def named_field(text: str, fields: tuple[str, ...]) -> str | None:
    """The field that a message names and nothing else, such as “电话” after “请问要修改哪一项”."""
    plain = re.sub(r"^(?:改|修改|我要改|是)?(?:一下)?|(?:吧|错了|要改)$", "", recognition.squeeze(text))
    for name in fields:
        words = _FIELD_WORDS.get(name)
        before, after = "(?:联系|诉求|企业|公司|单位|所在)?", "(?:名称|名字|名|号码|号|或街道|内容)?"
        if words and re.fullmatch(f"{before}(?:{words}){after}", plain):
            return name
    return None


def _before(fields: tuple[str, ...], asked: str) -> str:
    position = fields.index(asked) if asked in fields else len(fields)
    return fields[max(position - 1, 0)]


def _value_of(name: str, text: str, written: str) -> str | None:
    if name in ("phone", "lookup_phone"):
        found = recognition.phones(text)
        if found:
            return found[-1].value
        match = re.search(r"\d[\d \-]{4,}", text)
        return match[0] if match else None
    if name == "appeal_number":
        numbers = recognition.appeal_numbers(text)
        return numbers[-1].value if numbers else None
    if name == "stars":
        star = recognition.stars(text)
        return star.value if star else None
    match = _NEW_VALUE.match(text)
    value = written[match.start("value") : match.end("value")].strip(" ,，。.!！") if match else ""
    value = re.sub(r"^(?:写错了?|填错了?|不对|错了?)[,，]?", "", value)
    if not value or _CHANGE.fullmatch(value) or re.fullmatch(r"错的?|不对的?|这个", value):
        return None
    if name == "enterprise":
        return recognition.company_answer(value) or value
    if name == "contact":
        return recognition.person_answer(value) or value
    return value


def details(turn: Turn, wanted: Mapping[str, Callable[[str], str | None]]) -> dict[str, str]:
    """Other slots that the same message fills by the way, such as a phone behind a name."""
    if turn.pressed:
        return {}
    return {name: value for name, read in wanted.items() if (value := read(turn.text)) is not None}


def own_company(text: str) -> str | None:
    """The writer's own enterprise, where the words say so."""
    found = [span.value for span in recognition.companies(text) if span.role]
    return found[0] if found else None


def own_name(text: str) -> str | None:
    """The writer's own name, where the words say so."""
    found = [span.value for span in recognition.people(text) if span.role]
    return found[0] if found else None


def any_phone(text: str) -> str | None:
    """The number that can be rung; None where there are several, or where it belongs to a filed appeal."""
    found = {span.value for span in recognition.phones(text)}
    return found.pop() if len(found) == 1 else None


def any_number(text: str) -> str | None:
    """The first appeal number."""
    found = recognition.appeal_numbers(text)
    return found[0].value if found else None
