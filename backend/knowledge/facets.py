# ruff: noqa: E501 - a pattern that is broken over lines is harder to read than a long one
"""Finds what of a thing was asked: its phone, its address, its amount, and so on.

A table of patterns in general Chinese; no facts. The words that ask are also what a question has beside its
topic, so `strip` takes them out before a topic is weighed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.knowledge.entries import Entry, Facet
from backend.knowledge.text import normalise

_N = r"(?:多少|几)"
_WHERE = r"(?:哪里|哪儿|哪边|哪块|哪个地方|什么地方|啥地方|哪个?网点|哪)"
_NUMBER = r"(?:电话号码|电话号|电话|手机号码|手机号|座机|号码|联系方式)"
_DAYS_OFF = r"(?:周末|周六|周日|双休日?|星期天|星期六|星期日|礼拜天|礼拜六|节假日|放假|中午|晚上|夜里|半夜|春节|国庆|下班后)"
_PAID = r"(?:奖金|奖励|奖补|补贴|补助|资助|扶持|津贴)"

# Facet, pattern, strict: what an entry does not state of a strict facet is answered with 未载明.
_TABLE: tuple[tuple[Facet, str, bool], ...] = (
    ("phone", rf"(?:联系|咨询)?(?<![打接通留挂来填]){_NUMBER}(?:是|号)?(?:多少|几号|什么|啥)?", True),
    (
        "phone",
        r"(?:怎么|如何|咋)(?:打电话|打(?!算|造|分|印|包|官司|工|开|卡)|联系)|打电话(?:给谁|找谁|到哪|去哪)|要打电话",
        True,
    ),
    (
        "phone",
        r"(?:打(?!算|造|分|印|包|官司|工|开|卡)|拨打|拨|打给|致电)(?:\S{0,4})(?:哪个|哪一个|哪条|什么|啥|多少|几号|哪里的|哪|给谁|谁)(?:的)?(?:电话|号码|号|热线)?",
        True,
    ),
    (
        "phone",
        r"(?<=热线)(?:电话|号码)?(?:是|号)?(?:多少|几号)(?:号)?|(?:哪个|哪条)热线|(?:咨询|客服|服务)热线",
        True,
    ),
    (
        "phone",
        r"(?<=热线)(?=\s|$)|(?:联系|找|问|咨询)(?:谁|哪个人|哪位|什么人|何人)|联系人|对接人|打给谁",
        False,
    ),
    (
        "hours",
        r"几点|上班时间|上下班|营业时间|办公时间|工作时间|开放时间|服务时间|接听时间|接待时间|开门(?:吗|不|时间|没)|开不开门|关门|下班(?:时间|吗|没)"
        rf"|{_DAYS_OFF}(?:\S{{0,3}})(?:上班|上不上班|开门|开放|开吗|开不开|营业|接电话|接吗|接听|有人|打得通|值班|休息|办公|能办|办理|可以办)"
        r"|(?:有人|开|是)?(?:24|二十四)小时(?:\S{0,2})(?:服务|接听|有人|吗|都|值班)|休息吗|什么时间(?:上班|办公|开放|可以打)|上不上班|营业到",
        True,
    ),
    (
        "link",
        r"(?:网址|网站|链接|官网|小程序|公众号|app|软件)(?:是|叫)?(?:多少|什么|啥|哪个)|(?:哪个|什么|啥)(?:网址|网站|链接|官网|小程序|公众号|app|软件|系统)"
        rf"|网址|链接|二维码在|(?:从|在|到|去|上)?{_WHERE}(?:能|可以)?(?:登录|登陆|注册|下载|网上|线上|进入|登)"
        r"|(?:登录|登陆)(?:入口|方式|渠道)|(?:入口|二维码)(?:是|在)?(?:哪|什么)",
        True,
    ),
    ("link", r"(?:怎么|如何|咋)(?:登录|登陆|登|进入)", False),
    (
        "address",
        rf"(?:详细|具体|办公|服务)?地址(?:是|在)?(?:哪里|哪儿|哪|什么|多少)?|(?:办公|服务|办理)?地点|位置|几楼|几号楼|几幢|哪栋|哪层|哪条路"
        rf"|(?:在|位于|设在|坐落在)(?:\S{{0,2}}){_WHERE}|怎么走|怎么过去|怎么去(?=\s|$)|去{_WHERE}(?!个)|(?:往|上|到){_WHERE}(?:去|跑|走)|{_WHERE}(?:有|能找到|找)"
        r"|(?:大厅|中心|窗口|办公室)(?:在)?(?:哪|什么地方|啥地方)",
        False,
    ),
    (
        "materials",
        r"(?:需要|要|带|交|准备|提交|提供|递交|出具|上传|备齐|备)(?:的)?(?:什么|哪些|啥|几样|几份|几种)(?:\S{0,2})(?:材料|资料|证件|文件|手续|附件|表格|证明|表|东西)"
        r"|(?:带|交|准备|提交|递交|上传|备齐)(?:些)?(?:什么|哪些|啥)|(?:什么|哪些|啥|几样|几份|要交的|申请|申报)(?:的)?(?:材料|资料|证件|附件|证明)"
        r"|材料清单|(?:材料|资料|证件|附件)(?:都)?(?:有|要|需要|是|包括|怎么准备)|所需材料",
        False,
    ),
    (
        "conditions",
        r"(?:什么|哪些|啥|申请|申报|认定|满足|符合|具备|准入|评定)(?:样的)?(?:条件|资格|要求|门槛|标准)|条件|门槛|资格|要求是|够不够格|够格"
        r"|(?:怎么|怎样|如何|咋|咋样|啥样|什么样)(?:才|才能|才算|算|才可以|的)|满足什么|符合什么|达到什么|要达到|达到多少|能不能申请|能申请吗|可以申请吗"
        r"|才能(?:评|申请|拿|享受|算|当|认定)|什么要求|啥要求",
        False,
    ),
    (
        "amount",
        rf"多少(?:奖金|奖励|补贴|补助|钱|万|元|块|亿|费|费用|经费|资金)|几(?:万|块钱|百万|千|个亿|亿|百块|钿)"
        rf"|(?:奖|补|给|发|拿|领|兑现|奖励|补贴|补助|资助|扶持|奖金|贴)(?:到)?(?:了)?多少|(?:金额|额度|总额|数额|奖励标准|补贴标准)(?:是)?(?:多少|多大|有多少)?"
        rf"|(?:{_PAID}|资金|经费|基金|规模|盘子)(?:\S{{0,3}})(?:有)?(?:多少|多大|几(?!个|项|家))",
        True,
    ),
    (
        "amount",
        rf"(?:有|给|能拿|能领|可以拿)(?:\S{{0,6}})(?:{_PAID}|钱)(?:吗|么|嘛|没|不)?(?=\s|$)|收费|免费|收钱|要钱|花钱|收不收|(?:要|交)(?:\S{{0,2}})费(?:吗|用吗|么)",
        False,
    ),
    (
        "time_limit",
        r"(?:几|多少)(?:个)?(?:工作日|天|日(?!期)|小时|钟头|周|星期|个月|月(?!份|几)|年)|多久|多长时间|多快|时限|期限|要等|等到"
        r"|什么时候(?:能|可以|会|给)?(?:回|答复|办好|办完|办结|解决|有结果|有说法|处理)|有效期|管几年|时效|最快|多长|多少时间",
        False,
    ),
    (
        "dates",
        r"什么时候|何时|哪天|哪一天|几月(?:份)?|几号(?!楼|线|门|馆|厅|窗|文)(?:前|之前|截止|开始)?|截止|截至|最晚|最迟|起止|哪年|哪一年|什么时间|几时|啥时候|啥时间"
        r"|开始(?:实施|施行|执行)|生效|失效|施行|日期",
        True,
    ),
    (
        "score",
        _N + r"分(?!钟|之)|扣分|得分|加分|打分|评分|分值|计分|记分|满分|总分|分数|怎么算分|分怎么算",
        False,
    ),
    (
        "share",
        r"百分之(?:几|多少)|比例|占比|占多少|占几成|几成|百分比|百分点|税率|利率|费率|上浮|下浮|涨多少|名额|几个点",
        True,
    ),
    (
        "unit",
        r"(?:哪个|哪一个|什么|啥|哪些|哪家|哪几家|哪几个|由哪个|归哪个|哪级|哪几级)(?:责任|主管|牵头)?(?:部门|单位|科室|局|机构|处室|委办局)|(?:哪家|由哪)(?:来)?(?:初审|审核|负责|管|评|牵头)"
        r"|(?:归|由|是|向|找|让|叫)?谁(?:来|在|给|去|家)?(?:管|负责|牵头|主管|审核|审批|评|组织|办|主办|领办|督办|交办|发起|召集|填|提交|指导|验收|签字|协调|打|认定|的责任)"
        r"|归哪|归谁|责任(?:部门|单位)|主管(?:部门|单位)|牵头(?:部门|单位)|负责(?:部门|单位|人)|(?:找|问)(?:哪个|哪家|什么)(?:部门|单位|地方)?|向谁|跟谁|谁(?=\s|$)",
        False,
    ),
    (
        "audience",
        r"(?:什么人|哪些人|哪类人|谁|哪些企业|什么企业|什么样的企业|哪类企业|哪些单位|哪种企业|啥企业|什么样的人|哪些主体)(?:都)?(?:可以|能|才|有资格|符合|适合|享受|算)"
        r"|服务对象|适用(?:对象|范围)|面向(?:谁|哪些)|针对(?:谁|哪些)|对象是|指(?:什么|哪些)人",
        False,
    ),
    (
        "steps",
        r"(?:怎么|怎样|如何|咋|咋样)(?:去|样|来)?(?:申请|申报|办理|办|弄|操作|激活|报名|报|走|提交|评|认定|处理|登记|注册|预约|参加|开通|加入|提|升级|用|搞|反映|启动|领|把)"
        r"|流程|步骤|手续怎么|程序|分几步|哪几步|几步|途径|第一步",
        False,
    ),
    (
        "items",
        r"(?:有|包括|包含|分|分为|都是|是)?(?:哪些|哪几|那几|那些)(?:个|项|种|类|家|条|方面|内容|服务|步|块)?|(?:多少|几)(?:个|项|种|类|家|条|大|块|档|级|等|位|名|场|人)|都有(?:什么|啥)|包括(?:什么|啥)"
        r"|有(?:什么|啥)|清单|名单|列(?:一下|出来|个)|还有别的|还有其他|还有吗",
        False,
    ),
    (
        "definition",
        r"什么是|啥是|啥叫|什么叫|是什么|是啥|什么意思|啥意思|指的是|指什么|指啥|定义|解释|是个什么|干什么的|干啥的|做什么的|干嘛的|怎么回事|的意思",
        False,
    ),
)
_PATTERNS = tuple((facet, re.compile(pattern), strict) for facet, pattern, strict in _TABLE)

_COUNTED = re.compile(r"多少([\u4e00-\u9fff]{2})(?=\s|$|的|才|以上|以下)")

# Where an answer of these words would be as good: “在哪里登录” may be told by a link, an address or a unit.
_ALTERNATIVES: dict[Facet, tuple[Facet, ...]] = {
    "phone": (),
    "address": ("link", "unit"),
    "link": ("steps", "address"),
    "hours": (),
    "amount": ("share",),
    "dates": ("time_limit", "hours"),
    "time_limit": ("dates",),
    "share": ("score", "amount", "items"),
    "score": ("share",),
    "unit": ("phone",),
    "conditions": ("steps", "audience"),
    "audience": ("conditions",),
    "materials": (),
}

# How a text shows that it states a facet though the entry has no field for it.
_SHOWN: dict[Facet, re.Pattern[str]] = {
    "phone": re.compile(r"(?<!\d)(?:0\d{2,3}-?)?\d{7,8}(?!\d)|1[3-9]\d{9}|400\d{7}"),
    "address": re.compile(r"\S(?:路|街|道|大街)\d+号|\d+楼|\d+幢|窗口|大厅|位于|设在"),
    "link": re.compile(r"https?://|www\.|app|小程序|公众号|网站|平台|浙里办|钉钉|系统", re.I),
    "hours": re.compile(r"\d{1,2}[:：]\d{2}|\d{1,2}点|工作日[上下]午|24小时全天"),
    "amount": re.compile(
        r"\d\s*(?:万|亿)?\s*元|[一二三四五六七八九十百]+(?:万|亿)元|免费|不收费|收费|1[:：]1"
    ),
    "dates": re.compile(r"\d+月\d*|\d{4}\s*年|每[年月周日季]|第[一二三四]周|星期|\d+日"),
    "time_limit": re.compile(
        r"\d+\s*(?:个)?(?:工作日|天|小时|个月|年|日|分钟)|[一二两三四五六七八九十]+(?:个工作日|天|小时|个月|年)|当场|即时|随时|当天|常年"
    ),
    "share": re.compile(r"[%％]|百分之|\d[:：]\d|比例|名额|不超过"),
    "score": re.compile(r"\d+\s*分"),
    "materials": re.compile(r"材料|表|证|资料"),
    "unit": re.compile(r"[局委办院会]"),
}


@dataclass(frozen=True)
class Ask:
    """One thing asked.

    Attributes:
        facet: What.
        strict: Nothing else answers it; if it is not stated, that is the answer.
    """

    facet: Facet
    strict: bool


def asked(question: str) -> tuple[Ask, ...]:
    """Returns what a normalised question asks for, in the order of the words, each facet once."""
    found: dict[Facet, tuple[int, bool]] = {}
    for facet, pattern, strict in _PATTERNS:
        match = pattern.search(question)
        if match is None:
            continue
        start, was_strict = found.get(facet, (match.start(), False))
        found[facet] = (min(start, match.start()), was_strict or strict)
    _settle(found, question)
    ordered = sorted(found.items(), key=lambda item: item[1][0])
    return tuple(Ask(facet, strict) for facet, (_, strict) in ordered)


def _settle(found: dict[Facet, tuple[int, bool]], question: str) -> None:
    """Drops the readings that a more exact one explains."""
    if (
        "time_limit" in found
        and "dates" in found
        and not re.search(r"截止|截至|几号|几月|哪天|最晚|最迟", question)
    ):
        del found["dates"]
    if "amount" in found and "items" in found and found["amount"][1]:
        del found["items"]
    if "hours" in found:
        found.pop("dates", None)
    if "score" in found:
        found.pop("amount", None)
        found.pop("items", None)
    if "phone" in found and found["phone"][1]:
        if not re.search(r"截止|日期|最晚|最迟", question):
            found.pop("dates", None)
        found.pop("unit", None)
        found.pop("audience", None)
        found.pop("items", None)
    if "unit" in found and "audience" in found:
        del found["audience"]
    if (
        "address" in found
        and found.get("link", (0, False))[1]
        and re.search(r"登录|登陆|网|注册|下载", question)
    ):
        del found["address"]
    if "definition" in found and len(found) > 1:
        del found["definition"]
    if "conditions" in found and "steps" in found and re.search(r"才|条件|资格|门槛", question):
        del found["steps"]


def strip(question: str) -> str:
    """Returns the normalised question with the words that ask replaced by spaces: what is left is the topic."""
    for _, pattern, _ in _PATTERNS:
        question = pattern.sub(" ", question)
    return re.sub(r"\s+", " ", question).strip()


def has(entry: Entry, facet: Facet) -> bool:
    """Tells whether an entry states a facet itself, in its facts or in its answer's words."""
    if getattr(entry.facts, facet, None):
        return True
    if facet in {"definition", "items", "steps", "audience", "conditions"}:
        return bool(entry.answer)
    shown = _SHOWN.get(facet)
    return shown is not None and shown.search(entry.answer) is not None


def answers(entry: Entry, ask: Ask) -> bool:
    """Tells whether an entry answers what was asked, by the facet or by one that is as good."""
    if ask.facet in entry.not_stated:
        return False
    return has(entry, ask.facet) or any(_states(entry, other) for other in _ALTERNATIVES.get(ask.facet, ()))


def _states(entry: Entry, facet: Facet) -> bool:
    shown = _SHOWN.get(facet)
    return bool(getattr(entry.facts, facet, None)) or bool(shown and shown.search(entry.answer))


def covers(entry: Entry, ask: Ask) -> bool:
    """Tells whether an entry speaks of what was asked: states it, or has itself been asked for it.

    Args:
        entry: Which entry.
        ask: What was asked.
    """
    if _states(entry, ask.facet) or any(_states(entry, other) for other in _ALTERNATIVES.get(ask.facet, ())):
        return True
    return any(ask.facet == other.facet for phrase in entry.questions for other in asked(normalise(phrase)))


def counted(question: str) -> str | None:
    """Returns what a normalised question counts with 多少, as 平米 in “要多少平米”; None for known facets."""
    match = _COUNTED.search(question)
    return match.group(1) if match and not asked(match.group()) else None
