"""Finds what of a thing was asked: its phone, its address, its amount, how long it takes …

A table of patterns in general Chinese; no facts. The words that ask are also what a question has beside its
topic, so `strip` takes them out before a topic is weighed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from backend.knowledge.entries import Entry, Facet

_N = r"(?:多少|几)"
_WHERE = r"(?:哪里|哪儿|哪边|哪块|哪个地方|什么地方|啥地方|哪)"

# facet, pattern, strict: a strict facet that an entry does not state is answered with 未载明.
_TABLE: tuple[tuple[Facet, str, bool], ...] = (
    ("phone", r"(?:联系|咨询|手机)?(?:电话号码|电话号|电话|手机号码|手机号|座机|号码|联系方式)(?:是|号)?(?:多少|几号|什么|啥)?", True),
    ("phone", r"(?:打|拨打|拨|打给|致电)(?:哪个|哪一个|什么|啥|多少|几号|哪|给谁|谁)(?:电话|号码|号|热线)?", True),
    ("phone", r"(?<=热线)(?:是|号)?(?:多少|几号)", True),
    ("phone", r"(?:联系|找|问|咨询)(?:谁|哪个人|哪位|什么人|何人)|怎么联系|如何联系|联系人|对接人", False),
    ("hours", r"几点|上班时间|上下班|营业时间|办公时间|工作时间|开放时间|服务时间|接听时间|接待时间|开门|关门|下班|"
              r"(?:周末|周六|周日|星期天|星期六|星期日|礼拜天|礼拜六|节假日|中午|晚上|夜里|半夜|春节|国庆)(?:\S{0,4})(?:上班|开|办|营业|接|有人|打|值班|休息)|"
              r"(?:有人|开)?(?:24|二十四)小时(?:服务|接听|有人)|休息吗|什么时间(?:上班|办公|开放|可以打)", True),
    ("link", r"(?:网址|网站|链接|官网|小程序|公众号|app|平台)(?:是|叫)?(?:多少|什么|啥|哪个)|哪个(?:网址|网站|链接|官网|小程序|公众号|app|平台|软件|系统)|"
             r"网址|链接|(?:从|在|到|去|上)?" + _WHERE + r"(?:能|可以)?(?:登录|登陆|注册|下载|网上|线上|进入|登)|(?:怎么|如何|咋)(?:登录|登陆|登)|(?:登录|登陆)(?:入口|方式|渠道)|二维码", True),
    ("address", r"(?:详细|具体|办公|服务)?地址(?:是|在)?(?:哪里|哪儿|哪|什么|多少)?|地点|位置|几楼|几号楼|几幢|哪栋|哪层|"
                r"(?:在|位于|设在|坐落在)(?:\S{0,2})" + _WHERE + r"|怎么走|怎么过去|怎么去|去" + _WHERE + r"|(?:往|上|到)" + _WHERE + r"(?:去|跑|走)|" + _WHERE + r"(?:有|能找到|找)", False),
    ("materials", r"(?:需要|要|带|交|准备|提交|提供|递交|出具|上传)(?:的)?(?:什么|哪些|啥|几样|几份|几种)(?:材料|资料|证件|文件|东西|手续|附件|表格|证明|表)?|"
                  r"(?:什么|哪些|啥|几样|几份|要交的|申请|申报|附件)(?:材料|资料|证件|手续|附件|证明)|材料清单|材料有哪些|资料有哪些|所需材料|(?:材料|资料|证件)(?:要|需要|是|包括|有)", False),
    ("conditions", r"(?:什么|哪些|啥|申请|申报|认定|满足|符合|具备|准入|评定)(?:样的)?(?:条件|资格|要求|门槛|标准)|条件|门槛|资格|要求是|够不够格|够格|"
                   r"(?:怎么|怎样|如何|咋|啥样|什么样)(?:才|才能|才算|算|才可以|的)|满足什么|符合什么|达到什么|要达到|达到多少|能不能申请|能申请吗|可以申请吗|才能(?:评|申请|拿|享受|算|当|认定)", False),
    ("amount", r"多少钱|多少(?:万|元|块|亿)|几(?:万|块|百万|千|个亿|亿)|(?:奖|补|给|发|拿|领|兑现|奖励|补贴|补助|资助|扶持|奖金|贴)(?:到)?(?:了)?多少|(?:金额|额度|标准)(?:是)?多少|"
               r"(?:奖励|补贴|补助|奖金|资金|经费|额度|金额|资助|基金|规模)(?:\S{0,3})(?:有)?(?:多少|多大|几)", True),
    ("amount", r"(?:有|给|能拿|能领|可以拿)(?:\S{0,6})(?:奖励|补贴|补助|奖金|资助|钱)(?:吗|么|嘛|没|不)?$|收费|免费|收钱|要钱|费用|花钱|多少费|收不收", False),
    ("time_limit", r"(?:几|多少)(?:个)?(?:工作日|天|日|小时|钟头|周|星期|个月|年)|多久|多长时间|多快|时限|期限|要等|等到|什么时候(?:能|可以|会|给)?(?:回|答复|办好|办完|办结|解决|有结果|有说法|处理)|"
                   r"有效期|管几年|管多久|时效|最快|多长", False),
    ("dates", r"什么时候|何时|哪天|哪一天|几月|几号(?:前|之前|截止|开始)?|截止|截至|最晚|最迟|起止|哪年|哪一年|什么时间|几时|啥时候|开始(?:实施|施行|执行)|生效|施行|日期", True),
    ("score", _N + r"分|扣分|得分|加分|打分|评分|分值|计分|记分|满分|总分|分数|怎么算分|分怎么算", False),
    ("share", r"百分之(?:几|多少)|比例|占比|占多少|占几成|几成|百分比|税率|利率|费率|上浮|下浮|涨多少|名额", True),
    ("unit", r"(?:哪个|哪一个|什么|啥|哪些|哪家|由哪个|归哪个)(?:部门|单位|科室|局|机构|处室|委办局)|(?:归|由|是)?谁(?:来)?(?:管|负责|牵头|主管|审核|审批|评|组织|办|主办|领办|督办|交办|发起|召集|填|提交)|"
             r"归哪|责任(?:部门|单位)|主管(?:部门|单位)|牵头(?:部门|单位)|负责(?:部门|单位|人)|(?:找|问)(?:哪个|哪家|什么)(?:部门|单位|地方)?", False),
    ("audience", r"(?:什么人|哪些人|谁|哪些企业|什么企业|什么样的企业|哪类企业|哪些单位|谁能|哪种企业|啥企业|什么样的人)(?:都)?(?:可以|能|才|会|符合)?(?:申请|享受|报名|参加|用|报|办|拿|领)?|服务对象|适用(?:对象|范围)|面向(?:谁|哪些)|针对(?:谁|哪些)|对象是", False),
    ("steps", r"(?:怎么|怎样|如何|咋|咋样)(?:去|样|来)?(?:申请|申报|办理|办|弄|操作|激活|报名|报|走|提交|评|认定|处理|登记|注册|预约|参加|开通|加入|提|升级|用|搞|反映|启动|领)|"
              r"流程|步骤|手续怎么|程序|怎么个|分几步|哪几步|几步|途径", False),
    ("items", r"(?:有|包括|包含|分|分为|都是|是)?(?:哪些|哪几|那几|那些)(?:个|项|种|类|家|条|方面|内容|服务|步|块)?|(?:多少|几)(?:个|项|种|类|家|条|大|块|档|级|等)|都有(?:什么|啥)|包括什么|"
              r"有什么|清单|名单|列(?:一下|出来|个)|还有别的|还有其他|还有吗", False),
    ("definition", r"什么是|啥是|啥叫|什么叫|是什么|是啥|什么意思|啥意思|指的是|指什么|定义|解释|是个什么|干什么的|干啥的|做什么的|干嘛的", False),
)
_PATTERNS = tuple((facet, re.compile(pattern), strict) for facet, pattern, strict in _TABLE)

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
    "amount": re.compile(r"\d\s*(?:万|亿)?\s*元|[一二三四五六七八九十百]+(?:万|亿)元|免费|不收费|收费|1[:：]1"),
    "dates": re.compile(r"\d+月\d*|\d{4}\s*年|每[年月周日季]|第[一二三四]周|星期|\d+日"),
    "time_limit": re.compile(r"\d+\s*(?:个)?(?:工作日|天|小时|个月|年|日|分钟)|[一二两三四五六七八九十]+(?:个工作日|天|小时|个月|年)|当场|即时|随时|当天|常年"),
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
    if "time_limit" in found and "dates" in found and not re.search(r"截止|截至|几号|几月|哪天|最晚|最迟", question):
        del found["dates"]
    if "amount" in found and "items" in found and found["amount"][1]:
        del found["items"]
    if "hours" in found:
        found.pop("dates", None)
    if "score" in found:
        found.pop("amount", None)
        found.pop("items", None)
    if "phone" in found and found["phone"][1]:
        found.pop("unit", None)
        found.pop("audience", None)
        found.pop("items", None)
    if "unit" in found and "audience" in found:
        del found["audience"]
    if "address" in found and "link" in found:
        if found["link"][1] and re.search(r"登录|登陆|网|注册|下载", question):
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
    return has(entry, ask.facet) or any(has(entry, other) for other in _ALTERNATIVES.get(ask.facet, ()))
