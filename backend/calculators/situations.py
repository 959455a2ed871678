"""Which of the three ways of 3135 a few words about a catch-all matter point to.

The words are read clause by clause. What is said not to be needed decides nothing; a negation or a limit at
the window turns "at once" into the next step, and a negation of that turns it back. Where several steps are
named the widest counts, and where the words do not tell, nothing is guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import Enum, auto


class Step(Enum):
    """The three ways, from the simplest to the widest."""

    AT_ONCE = auto()
    LEADER = auto()
    SEVERAL = auto()


_STOP = "，,。.；;！!？?：:\n"
_CLAUSES = re.compile(rf"[{_STOP}]+|但是?|不过|然而|可是|只是|而是")
# taken apart at these, a two-character word would lose its half: 不但, 不只是
_UNSPLIT = re.compile(r"不但|不仅仅?|不光|不单|不只是?")

_WINDOW = r"(?:窗口(?!期)|专窗|前台|柜台|工作人员|办事员|经办人员?|业务员)"
_AT_ONCE = (
    rf"(?:{_WINDOW}|即办|即时|立即|立刻|当[天日](?![气])|当场|当面就|立等可取|马上就?[能可]|(?<!施工)(?<!工地)(?<!事故)"
    r"现场(?!踏勘|勘|查看|查验|核查|检查|施工|管理))"
)
_SIMPLE = r"简单"

# 不是一个部门能定的：nobody alone can, which is no denial of several
_ALONE = r"(?:[一哪某]个|单个|单一|[一哪某]家)(?:部门|单位|局|委办局)"
_NOT_ALONE = (
    rf"(?:不是|并非|非|不止|不仅仅?是?|不只是?)[^{_STOP}]{{0,4}}{_ALONE}"
    rf"|{_ALONE}[^{_STOP}]{{0,6}}(?:不了|不能|无法|没法|难以|不下来|不成|不定)"
)
_COUNTED = r"(?:[多两二三四五六七八九十几数2-9]|若干|各|好几|许多|很多|不少)"
_SEVERAL = re.compile(
    rf"{_NOT_ALONE}|{_COUNTED}(?:个|家)?(?:以上)?(?:的)?(?:不同|相关|有关|职能|委办)?(?:部门|单位|委办局|局(?![长里]))"
    rf"|{_COUNTED}家[^{_STOP}]{{0,4}}(?:都|一起|共同|联合|同时|一致|商量|意见)"
    r"|跨(?:部门|单位|层级|条线|系统|局|委办)|(?:局|部门|单位)[与和跟](?:局|部门|单位)|(?:其他|其它|别的|不同)(?:部门|单位)"
    r"|(?:部门|单位)(?:之?间|联合|协商|会商|联审|配合|协同|协办|共同|一起)"
    r"|联合(?:审批|办理|会审|研究|踏勘|会商|协商|执法)|会商|会签|联审|联席|协调会|研讨|一事一议"
    r"|协商研究|(?:共同|一起|一道)(?:研究|协商|商量|商议|讨论|会商|决定|审批)|[多三各]方(?:协商|会商|协调|研究|参与)"
    r"|共同(?:认定|确认|办理|处理|解决|协调|把关)|特事特办|牵头(?:部门|单位)?(?:不明|不清|未定|没定)"
    r"|专题(?:研究|会|协商|讨论|论证|协调)|扯皮|皮球|(?:互相|相互)[^，,]{0,2}推|互推|推来推去|多头管理|各执一词"
    r"|特殊(?!人群|群体|原因|工种|作业)|(?:无|没有?)(?:明确的?)?(?:牵头|先例)|史无前例|首例"
    r"|非经常性|首次(?:遇到|出现|碰到)|(?:从未|从没|没有?|从来没有?)(?:遇到|碰到|办)过|一企一策"
    r"|(?:职责|职能|权责|分工)(?:不清|不明|交叉|有争议)"
    r"|(?:没有?|无)(?:部门|单位)(?:愿意?|肯)?(?:管|牵头|认领|负责|接)"
    r"|(?:政策|法规|法律|制度|规定)(?:上)?(?:是|属于|存在|有)?(?:个)?空白|无章可循"
    r"|(?:政策|法规|法律|制度|文件|上位法)[^，,]{0,4}(?:没有?|无|未作?)(?:明确的?)?(?:规定|依据)"
    r"|(?:没有?|无)[^，,]{0,3}(?:政策|法规|法律|制度)(?:上的?)?(?:依据|规定|可依|支持)|政策(?:没有?|不|未)明确"
)
_OTHERS_CHIEF = "".join(f"(?<!{word})" for word in ("企业", "公司", "项目", "法定", "门店", "工厂", "我方"))
_LEADER = re.compile(
    rf"{_OTHERS_CHIEF}领导(?!小组)|局长|领衔|领办|分管|一把手|第一责任人|主官|拍板|挂帅|批示|党组|局务会"
    r"|书记(?!区长直通车)|[区县]长(?!直通车)|上(?:面|级)(?:来)?(?:批|定|同意|研究|拍板)"
    rf"|{_OTHERS_CHIEF}负责人[^{_STOP}]{{0,4}}(?:牵头|协调|出面|签|批|定|研究|解决|处理|决定|同意|过问|督办)"
    rf"|(?:由|请|要|需|经|找|报|让){_OTHERS_CHIEF}[^{_STOP}]{{0,6}}负责人"
    rf"|(?:局里|局内|局机关|局班子|班子|局)(?:集体)?(?:研究|讨论|决定|出面|协调|拿主意|定夺)"
    r"|(?:找|报|问|请示|上报|汇报|反映到?)(?:到|给)?(?:局里|局机关|上级|上面)"
)

# What is said not to be needed or not to be the case: 不需要多部门协商，窗口能办.
_NEEDLESS = (
    r"不需要?|无需|无须|毋需|不用|不必|用不着|没有?必要|不涉及|未涉及|没有?涉及|没有?牵涉"
    r"|不牵涉|不找|不请|不惊动|不走|不按|不适用"
)
_DENYING = (
    r"并非|并不是|不是|不属于|不算|不存在|谈不上|够不上|不构成|(?:没有?|无)(?:什么)?(?=特殊)|不(?=特殊)"
)
_DENIED = re.compile(
    rf"(?<!不是)(?<!并非)(?<!不能)(?:(?P<needless>{_NEEDLESS})|(?:{_DENYING})(?!不|没|无|未))"
    rf"(?!{_AT_ONCE}|{_SIMPLE}|[^{_STOP}]{{0,4}}{_ALONE})(?P<what>[^{_STOP}]*?)"
    rf"(?={_AT_ONCE}|{_SIMPLE}|就[能可行]|也[能可行]|[{_STOP}]|$)"
)

# Negations that deny no help: 没问题, 不仅, 不到十分钟.
_HARMLESS = re.compile(
    r"(?:不|没有?|未|并非|不是)超[出过越]|(?:没有?|无)(?:任何|什么|啥|太大)?(?:问题|毛病|障碍|意见|异议|争议|疑问|几分钟|多久|一会|关系)"
    r"|不成问题|不在话下|不(?:错|好意思|仅仅?|但|光|单|只是?|论|急|着急|久|妨|客气|断|少|耽误|影响|拖延?|收费|同(?!意))"
    r"|(?:不|没)(?:出|到|足|超过|用)(?=[一二两三四五六七八九十半几\d])|^不管|无论|无(?:误|疑|障碍|纸化|偿|感|差别)"
    r"|非(?:常|税|公|遗|机动)|未来|未成年|难(?:得|怪|免|道|题)|特别|别(?:的|处|人|墅)|差不多|对不起|不限"
)
# Said of the matter: 不复杂 is 简单, and so is 并非不简单.
_EASY = re.compile(
    r"(?:没有?|无)(?:任何|什么|啥|太大)?(?:困难|难度)|不(?:太|怎么|算|是什么|是很|是太|是|大|那么|够)?"
    r"(?:难(?!以)|困难|费[事劲时力]|麻烦|复杂|繁琐|棘手|疑难)|(?:并非|不是|不能说|不算)不简单"
)
_HARD = r"(?:超[出过越][^，,]{0,4}(?:权限|职权|职责)|疑难|复杂|棘手|(?<!困)难(?:办|以|度|解|处理|搞|弄))"
_BEYOND = r"(?:超出|超过|超越|越权|之外|以外|范围外|权限外|有限|受限|不足)"
_FAILING = (
    r"(?:拒|退回|退件|驳回|卡住|卡壳|卡在|推诿|推脱|推托|推给|踢给|搁置|失败|请示|上报|升级|受阻|拖着|拖延"
    r"|迟迟|耽搁|束手无策|爱莫能助)"
)
_NEGATION = re.compile(rf"[不没未无非]|{_HARD}|难|{_BEYOND}|{_FAILING}")
# the deed itself fails, whoever was to do it
_FAILED = re.compile(
    r"(?:办|办理|解决|处理|搞|弄|做|协调|答复|定|受理|批|审|落实|推进|回答|答|管)(?:不|没)(?:了|成|好|下来?|掉|定|通|动|完|到|上来?|清)"
    r"|(?:不能|无法|没法|没办法|未能|没能|难以|不给|不予|不肯|不让|不愿|没有?|未)(?:够|得到|被|及时|有效)?"
    r"(?:办|解决|处理|答复|受理|协调|落实)|未果|没结果|无果|没下文|权限不[够足]|没有?权限|无权|被[拒退驳]|拒[绝收办不]|超出[^，,]{0,4}(?:权限|范围)"
)
_DOUBLE = re.compile(
    r"(?:并不是|不是|并非|绝非|没有?|不存在|从不|不会|不可能|不至于|不能|不得|无|未|哪有|怎么会|谁说|难道|哪会)"
    r"(?P<between>(?:说|因为|由于|什么|任何|所有|哪个|一个|一件|事情?|事项|问题|是|会|的|在|窗口|现场|当场|即时|即办"
    r"|工作人员|人员|真的?|完全|就|都|也|其实|有)*)"
    r"(?:(?:办|办理|解决|处理|搞|弄|做|协调|答复|定|受理|答|管)不(?:了|成|好|下来?|掉|定|通|动|完|到|上来?|清)"
    r"|不(?:能|会|可以?|给|予|肯|愿意?|让|受理|接|办|行|管|解决|处理|简单)|无法|没法|没办法|未能|没能|难以|难办|超出|超过|拒绝?|推诿)"
)
_TIED_BEFORE = re.compile(
    r"(?:(?:不是|并非|非|不属于?|不归|不在|不由|不能|不可能?|不便于?|不宜|不适[合宜]|不足以|无法|没法|没办法|难以?"
    r"|未能|没能|未在|没在|没有?在|做不到|达不到|来不及|未必能?|不一定能?|不见得能?|绝非|谈不上|称不上|算不上"
    rf"|超出|超过|超越|拒绝?|不符合)[^{_STOP}不没未无]{{0,3}}?|(?:没有?|未)(?:那么|这么|被)?"
    r"|不(?:太|够|怎么|算|甚|那么|会|予|给|许|让)?)"
    rf"(?:{_AT_ONCE}|{_SIMPLE}|马上)"
)
_ABLE = re.compile(
    r"[能可会]以?(?:够|直接|当场|现场|即时|立即|马上)*(?:办|解决|处理|答复|搞|弄|受理|给|定|做)"
    r"|即办|办[好完结妥]|解决[了掉]|能行|就行|即可|可以"
)
_OR_NOT = re.compile(r"(能|可|会|行|要|是|办|有)(?:不|没)\1")
_ASKED = re.compile(r"[能可是行会]否|吗|么$|呢$|投诉|举报|态度|排队")
_ENQUIRY = re.compile(r"咨询|问一下|问问|请问|打听")
_QUESTION = re.compile(r"为什么|为何|怎么|怎样|如何|哪|什么")

# 及 of 涉及 and 同 of 会同 join nothing
_JOINT = re.compile(
    r"(?P<acts>说(?:是|要|该|应该?|不)?(?:归|找|由|去|属于?)|推给|推到|会同|联合)|、|和|与|跟(?!进)|以及|(?<![涉普])及(?!时)|还有|(?<![会共合不相联协])同(?![意时步])"
)
_CONCERNING = re.compile(r"(?:涉及|牵涉|事关|关系到|会同|需要?|要|由|请|经|报|找|得|让)(?:到)?$")
_JOINTLY = re.compile(r"一起|共同|联合|都|同时|协商|会商|研究|审批|意见|同意|盖章|配合|协同|各说各|矛盾|推")
_ORGANS = ("", "局", "委", "办", "部门")
_LONGEST_NAME = 14


def read(situation: str, department: Callable[[str], str | None]) -> Step | None:
    """Tell which way the words point to.

    Args:
        situation: The matter in a few words.
        department: The official name for a department's name or alias; None for what is none.

    Returns:
        None where the words do not tell, or tell of nothing.
    """
    text = re.sub(r"[^\S\n]+", "", unicodedata.normalize("NFKC", situation))
    wider = _DENIED.sub("", text)
    if _SEVERAL.search(wider) or any(_lists(clause, department) for clause in _CLAUSES.split(wider)):
        return Step.SEVERAL
    if _LEADER.search(wider):
        return Step.LEADER
    return _at_the_window(_DENIED.sub(_unsaid, text))


def _unsaid(found: re.Match[str]) -> str:
    """Drop a denial of a wider way; one that may be of the window's own powers stays."""
    wide = _SEVERAL.search(found["what"]) or _LEADER.search(found["what"])
    return "" if found["needless"] or wide else found[0]


def _at_the_window(text: str) -> Step | None:
    """Weigh what the clauses say of the window: a failure beats a bare mention, a later "can" the failure."""
    failed = mentioned = able = hard = False
    for clause in _CLAUSES.split(_OR_NOT.sub("是否", _UNSPLIT.sub("", text))):
        said = _DOUBLE.sub(
            lambda found: f"{found['between']}可以办", _HARMLESS.sub("", _EASY.sub("简单", clause))
        )
        step = _clause(said)
        placed = bool(re.search(rf"{_AT_ONCE}|{_SIMPLE}", said))
        if step is Step.LEADER and placed:
            return Step.LEADER
        if step is Step.LEADER:
            failed = hard = True
            able = False
        if _FAILED.search(said):
            if mentioned:
                return Step.LEADER
            failed = True
        able = able or (step is Step.AT_ONCE and bool(_ABLE.search(said)))
        mentioned = mentioned or placed or step is Step.AT_ONCE
        if step is None and placed and _open(said):
            return None
        if step is Step.AT_ONCE and failed and not able:
            return Step.LEADER
    if hard and not able:
        return Step.LEADER
    weak = any(_enquires(clause) for clause in _CLAUSES.split(text))
    return Step.AT_ONCE if mentioned or weak else None


def _open(clause: str) -> bool:
    """Whether a clause asks, or denies something that may or may not be the window's."""
    return bool(_ASKED.search(clause) or _NEGATION.search(clause))


def _clause(clause: str) -> Step | None:
    """What one clause says of the window; harmless and double negations are already gone."""
    place = re.search(_AT_ONCE, clause)
    if _TIED_BEFORE.search(clause):
        return Step.LEADER
    if place is None:
        if re.search(_HARD, clause):
            return Step.LEADER
        if not re.search(_SIMPLE, clause):
            return None
        if _FAILED.search(clause):
            return Step.LEADER
        return None if _open(clause) else Step.AT_ONCE
    if _ASKED.search(clause):
        return None
    after = clause[place.end() :]
    if _NEGATION.search(after):
        return Step.LEADER
    if not _NEGATION.search(clause[: place.start()]):
        return Step.AT_ONCE
    return Step.AT_ONCE if _ABLE.search(after) else None


def _enquires(clause: str) -> bool:
    """Whether a clause only wants to know something, which is answered on the spot."""
    found = _ENQUIRY.search(clause)
    if found is None:
        return False
    denied = _NEGATION.search(_HARMLESS.sub("", _EASY.sub("简单", clause)))
    return denied is None or bool(_QUESTION.search(clause[found.end() :]))


def _lists(clause: str, department: Callable[[str], str | None]) -> bool:
    """Whether a clause names two departments that both have to act: 涉及住建、环保."""
    joints = list(_JOINT.finditer(clause))
    ends = [*(joint.start() for joint in joints[1:]), len(clause)]
    start = 0
    jointly = _JOINTLY.search(clause)
    for joint, end in zip(joints, ends, strict=False):
        first, lead = _named(clause[start : joint.start()], department, at_end=True)
        second, _ = _named(clause[joint.end() : end], department, at_end=False)
        start = joint.end()
        if first and second and first != second and (joint["acts"] or jointly or _CONCERNING.search(lead)):
            return True
    return False


def _named(text: str, department: Callable[[str], str | None], *, at_end: bool) -> tuple[str | None, str]:
    """The department whose name ends or begins a text, with what stands before it; the longest name wins."""
    for size in range(min(len(text), _LONGEST_NAME), 1, -1):
        name, rest = (text[-size:], text[:-size]) if at_end else (text[:size], "")
        for organ in _ORGANS:
            if found := department(name + organ):
                return found, rest
    return None, ""
