"""Phones, appeal numbers, companies, people and stars in what a person writes: pure functions.

All positions refer to the text as written: `normalise` never changes a text's length.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from actions.chinese import simplified

APPEAL_PREFIX = "QT"
MAX_DESCRIPTION = 2000
MAX_NAME = 20
MAX_ENTERPRISE = 60
MIN_DESCRIPTION = 4


@dataclass(frozen=True, slots=True)
class Span:
    """A recognised piece of a message.

    Attributes:
        kind: ``phone``, ``appeal_number``, ``company``, ``person`` or ``stars``.
        value: The normalised value, for example a number without spaces.
        start: Position of the first character in the message as written.
        end: Position after the last character.
        role: ``self`` where the words say that it belongs to whoever writes (我们是…, 联系人…).
    """

    kind: str
    value: str
    start: int
    end: int
    role: Literal["self"] | None = None


def normalise(text: str) -> str:
    """Full-width letters and signs, and the digits of any script, as ASCII, and simplified characters.

    The length stays the same.
    """
    out = []
    for char in text:
        code = ord(char)
        if 0xFF01 <= code <= 0xFF5E:
            out.append(chr(code - 0xFEE0))
        elif char in "\u3000\u00a0\u2002\u2003\u2009":
            out.append(" ")
        elif char in "—–‐‑−":
            out.append("-")
        elif code > 127 and unicodedata.category(char) == "Nd":
            out.append(str(unicodedata.decimal(char)))
        else:
            out.append(char)
    return simplified("".join(out))


def squeeze(text: str) -> str:
    """What is left of a text without signs, spaces and case: the form in which set phrases are compared."""
    return "".join(c for c in normalise(text).lower() if unicodedata.category(c)[0] in "LN")


def clean(text: str) -> str:
    """Without control and format characters, runs of blanks folded, ends trimmed."""
    kept = "".join(
        " " if c in "\t\r\n" else c for c in text if c in "\t\r\n" or unicodedata.category(c)[0] != "C"
    )
    return re.sub(r"[ \u3000]+", " ", kept).strip()


# ------------------------------------------------------------------------------------------------ phones

_GAP = r"[ \-.]?"
_MOBILE = re.compile(rf"(?<![\d])(?:\+?86{_GAP})?(1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}})(?!\d)")
_LANDLINE = re.compile(
    rf"(?<![\d-])(?:\(?(0\d{{2,3}})\)?{_GAP})?([2-9]\d{{2,3}}{_GAP}\d{{4}})(?:(?:-|转|分机)(\d{{1,6}}))?(?![\d-])"
)
_EIGHT_DIGITS = re.compile(r"010|02\d|057[14]|0311|0371|0431|0451|0512|0532|0591|0755|0757|0769")
"""Area codes whose landlines have eight digits (the common ones)."""
_RUN = re.compile(r"\+?\d(?:[ \-]?\d)*")


def is_date(digits: str) -> bool:
    """Whether eight digits can be read as a day of the years 1900 to 2099, such as 20261121."""
    if len(digits) != 8 or digits[:2] not in ("19", "20"):
        return False
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def phones(text: str) -> list[Span]:
    """Numbers that can be rung: mobile (11 digits), landline with or without area code.

    Ten digits in a row are no phone, and neither is a date; digits of an appeal number are none either.
    """
    source = normalise(text)
    taken = [m.span() for pattern in (_NUMBER, _BARE_NUMBER) for m in pattern.finditer(source)]
    found: list[Span] = []

    def free(start: int, end: int) -> bool:
        return all(end <= a or start >= b for a, b in taken)

    for match in _MOBILE.finditer(source):
        start, end = match.span()
        if free(start, end):
            taken.append((start, end))
            found.append(Span("phone", _digits(match[1]), start, end))
    for match in _LANDLINE.finditer(source):
        start, end = match.span()
        area, number, extension = match[1], _digits(match[2]), match[3]
        if not free(start, end) or is_date(_digits(match[0])):
            continue
        if (area is None or _EIGHT_DIGITS.fullmatch(area)) and len(number) == 7:
            continue
        value = (f"{area}-" if area else "") + number + (f"-{extension}" if extension else "")
        taken.append((start, end))
        found.append(Span("phone", value, start, end))
    return sorted(found, key=lambda span: span.start)


def phone_problem(text: str) -> str:
    """One sentence that names what is wrong with a text that was meant to be a phone number."""
    source = normalise(text)
    runs = [_digits(run) for run in _RUN.findall(source)]
    digits = max(runs, key=len, default="")
    if re.search(r"\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}", source) or is_date(digits):
        return "这看起来是一个日期，不是电话号码。"
    if not digits:
        return "没有看到电话号码。"
    if re.match(r"[48]00", digits) and len(digits) == 10:
        return "这里不能登记 400、800 号码，请留一个手机，或带区号的座机，方便部门回电。"
    if _EIGHT_DIGITS.match(digits) and len(digits) < 12 and digits[0] == "0":
        return f"您填的号码连区号有 {len(digits)} 位，这个地区的座机号应当是 8 位（不含区号）。"
    if digits.startswith("86") and len(digits) > 11:
        digits = digits[2:]
    if digits.startswith("1"):
        if len(digits) != 11:
            return f"您填的号码有 {len(digits)} 位，手机号应当是 11 位。"
        return "这个号码不是有效的手机号，请核对前三位。"
    return f"您填的号码有 {len(digits)} 位，不是有效的手机号（11 位）或带区号的座机号。"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


# ---------------------------------------------------------------------------------------- appeal numbers

_NUMBER = re.compile(r"(?<![A-Za-z])([A-Za-z]{2})[ \-_]?(\d{8})[ \-_]*(\d{4})(?!\d)")
_BARE_NUMBER = re.compile(r"(?<!\d)(20\d{6})[ \-_]+(\d{4})(?!\d)")


def appeal_numbers(text: str) -> list[Span]:
    """Appeal numbers, tolerant of a missing hyphen, lower case and full-width characters."""
    source = normalise(text)
    found = [
        Span("appeal_number", f"{m[1].upper()}{m[2]}-{m[3]}", m.start(), m.end())
        for m in _NUMBER.finditer(source)
    ]
    if not found:
        found = [
            Span("appeal_number", f"{APPEAL_PREFIX}{m[1]}-{m[2]}", m.start(), m.end())
            for m in _BARE_NUMBER.finditer(source)
            if is_date(m[1])
        ]
    return found


# --------------------------------------------------------------------------------------------- companies

_NAME_CHARS = r"[\u4e00-\u9fffA-Za-z0-9()·&\-]"
_STRONG = (
    "股份有限公司|有限责任公司|有限公司|分公司|集团公司|股份公司|集团|研究院|研究所|事务所|合作社|工作室|经营部|商行|"
    "门市部|服务部|加工厂|制造厂"
)
_WEAK = "公司|工厂|厂|中心|商店|店|超市|酒店|饭店|餐厅|医院|诊所|幼儿园|学校|协会|商会|企业|门诊部|园区"
_STRONG_COMPANY = re.compile(rf"{_NAME_CHARS}{{2,40}}?(?:{_STRONG})(?:[\u4e00-\u9fff]{{2,8}}分公司)?")
_INTRO = (
    r"(?:我们单位是|我们公司是|我们公司叫|我们企业是|我们企业叫|我们厂叫|我们店叫|我们这边是|我们这里是|我这边是|我这里是|"
    r"这里是|这边是|我们是|我们叫|我司是|我司叫|我司为|我公司是|我公司叫|我单位是|我厂叫|我店叫|本公司是|本公司叫|本公司为|"
    r"公司全称是?|公司名称是?|公司名字是?|公司名是?|公司是|公司叫|企业名称是?|企业全称是?|企业名是?|企业是|企业叫|"
    r"单位名称是?|单位是|单位叫|厂名是?|店名是?|开的是|我是|我在|代表|名称是?)"
)
# A message that is nothing but a name with one of the weaker endings: no verb, nobody else's, no question.
_LONE_COMPANY = re.compile(
    r"(?!.*[的了没不是有在被把来去想要请我你他谁哪怎什吗开办修])(?!.*(?:隔壁|旁边|附近|对面|楼下|门口|多少|反映|举报|投诉))"
    rf"{_NAME_CHARS}{{2,20}}(?:厂|店|超市|酒店|饭店|餐厅|诊所|坊|馆)"
)
_INTRODUCED = re.compile(
    rf"{_INTRO}[::]?\s*({_NAME_CHARS}{{2,40}}?(?:{_STRONG}|{_WEAK}))(?=$|[^\u4e00-\u9fffA-Za-z0-9]|的|，|这边|负责|有)"
)
_LEAD_IN = re.compile(
    rf".*(?:{_INTRO}|你好|您好|请问|麻烦|帮忙|反映一下|投诉一下|举报|关于|隔壁|旁边|附近|对面|对接|联系|改成|改为|应该是|"
    r"写成|换成|不是|就是)"
)
_PARTICLE = re.compile(r".*[的了是在被把给跟找问叫为由让于从]")
_SELF_BEFORE = re.compile(rf"(?:{_INTRO}|我司|我公司|本公司|我们公司)[::]?\s*$")
_GENERIC_COMPANY = re.compile(
    r"^(?:(?:我们?|你们?|贵|本|该|这家?|那家?|一家|两家|几家|某|哪家|哪个|其他|外地|外资|民营|国有|小微|中小|新|老|大|小|整个|规上|规下|规模以上|高新技术|科技型|"
    r"生产型?|制造|外贸|出口|初创|创业|微型|大型|中型|小型|民办|重点|龙头|上市|家庭|个体)*"
    r"(?:的)?)?(?:公司|企业|集团|厂|工厂|店|商店|中心|园区|研究院|事务所|超市|酒店|餐厅|单位|合作社)$"
)
_SERVED_COMPANY = re.compile(
    r"(?:服务中心|担保公司|供电公司|自来水公司|燃气公司|物业公司|保险公司|银行|外贸公司|水务公司)$"
)


def companies(text: str) -> list[Span]:
    """Names of enterprises: by suffix (…有限公司) anywhere, by any suffix after words such as 我们是.

    The role is ``self`` where the words, or the place at the very start or end of the message, say that
    the enterprise is the writer's own.
    """
    source = normalise(text)
    found: list[Span] = []
    for match in _INTRODUCED.finditer(source):
        name = re.sub(r"^(?:位于|坐落|地处|在).{2,20}?的", "", match[1])
        if not _GENERIC_COMPANY.match(name) and not _SERVED_COMPANY.search(name):
            found.append(Span("company", name, match.end(1) - len(name), match.end(1), "self"))
    for match in _STRONG_COMPANY.finditer(source):
        start, end = match.span()
        lead = _LEAD_IN.match(source[start:end])
        if lead is None and source[:start].strip() + source[end:].strip():
            # names may hold such a character, but in a sentence it rather ends what stands before the name
            lead = _PARTICLE.match(source[start:end])
        if lead and lead.end() < end - start - 2:
            start += lead.end()
        name = re.sub(r"^(?:位于|坐落于?|地处).{2,20}?的", "", source[start:end]).lstrip("-·& ")
        start = end - len(name)
        if len(name) < 4 or _GENERIC_COMPANY.match(name) or _SERVED_COMPANY.search(name):
            continue
        if any(start < s.end and end > s.start for s in found):
            continue
        before, after = source[:start], source[end:]
        own = (
            bool(_SELF_BEFORE.search(before))
            or (
                not re.sub(r"[ ,，。:;你您好]", "", before)
                and re.match(r"^\s*(?:$|[,，。;!\s]|的|(?:想|要)?(?:反映|投诉))", after)
            )
            or (re.search(r"[,，。;\s]$", before) and re.match(r"[,，。;\s]", after))
            or (not after.strip(" 。.!") and re.search(r"[,。;!\s，]$|(?:——|--)$", before))
        )
        found.append(Span("company", name, start, end, "self" if own else None))
    alone = source.strip(" ,，。.!！")
    if not found and _LONE_COMPANY.fullmatch(alone) and not _GENERIC_COMPANY.match(alone):
        start = source.index(alone)
        found.append(Span("company", alone, start, start + len(alone), "self"))
    return sorted(found, key=lambda span: span.start)


def company_problem(text: str) -> str:
    """One sentence that names what is wrong with a text that was meant to be an enterprise's name."""
    if not squeeze(text):
        return "没有看到企业名称。"
    if squeeze(text).isdigit():
        return "企业名称不能只有数字。"
    if len(clean(text)) > MAX_ENTERPRISE:
        return f"企业名称太长了（最多 {MAX_ENTERPRISE} 个字）。"
    return "这不像一个企业名称。"


_FOREIGN_COMPANY = re.compile(
    r"(?i)[a-z][\w&.,'() \-]{1,50}?[ ,]+"
    r"(?:co\.?(?:,? *ltd\.?|mpany)?|ltd\.?|limited|inc\.?|corp(?:oration)?\.?|llc|gmbh|plc)(?![a-z])"
)
_QUOTES = "“”‘’\"'「」『』《》〈〉"
_SWEARING = re.compile(
    r"傻[逼比bB叉]|他妈|妈的|你妈|操你|卧槽|王八|废物|混蛋|脑残|去死|狗屁|滚蛋|^滚$|^垃圾$|^s\.?b$"
)
_WORKING_ALONE = re.compile(
    r"(?:我)?(?:是|就是|以|按)?(?:一名|一个)?(?:个人|个体户?|个体工商户|自由职业者?|自然人|私人|散户)"
    r"(?:的|身份|名义|经营|反映|投诉|没有?(?:单位|公司|企业|名字|字号|店名|执照))*"
)
_WITHOUT_COMPANY = re.compile(
    r"(?:我们?)?(?:还)?(?:没有?|无)(?:公司|单位|企业|营业执照|执照|注册|店名|名字|字号)*(?:了|的)?|(?:公司|企业)?(?:还)?(?:没|未|没有)(?:有)?(?:注册|成立|登记)(?:公司|企业)?(?:下来|好)?|"
    r"(?:公司|企业)?(?:还在|正在)?(?:筹备|筹建|注册)中?"
)
_WITHHELD = re.compile(
    r"(?:我)?(?:不|不太|不想|不愿|不愿意|不便|不方便|不能|暂不|先不)(?:想|太方便)?(?:透露|告诉你?们?|说|公开|提供|留|写|填)(?:了|吧)?|(?:我要|想|要|能)?匿名(?:吧|吗|反映|投诉)?|"
    r"(?:我)?不方便|(?:要|需要)?保密"
)


def stand_in(text: str) -> str | None:
    """What stands for an enterprise where there is none, such as 个人 or 不便透露; None for anything else."""
    plain = squeeze(text)
    if plain and re.fullmatch(f"(?:(?:{_WITHOUT_COMPANY.pattern})|{_WORKING_ALONE.pattern})+", plain):
        return "个体工商户" if "个体" in plain else "个人"
    return "不便透露" if _WITHHELD.fullmatch(plain) else None


def swears(text: str) -> bool:
    """Whether the words abuse, and name nothing."""
    return bool(_SWEARING.search(squeeze(text)))


def says_same_as_before(text: str) -> bool:
    """Whether an answer points to what was given the last time (同上, 和上次一样)."""
    return bool(
        re.fullmatch(
            r"(?:还是)?(?:同上|同前|(?:和|跟|与)?(?:上次|上回|之前|前面|上面|刚才)(?:填|说|写)?的?(?:那个|公司|企业|电话|号码|人|那家)?(?:一样|相同|一致|不变)?|老样子|一样的?|没变|不变)",
            squeeze(text),
        )
    )


_NO_NAME = re.compile(
    r"(?:我|你|他|她|谁|大家|本人|自己|前台|联系我|找我|打我|老子|爷爷?|爸爸|你猜|猜|呵呵|哈+|嘿+|嗯+|啊+|哦+|这个|那个|随意|都行|都可以|"
    r"一样|同上|如上|无名氏?|某某|匿名|机器人|人工|客服|你好|您好|谢谢|再见|好的?|可以|行|是的?|对的?|没|无|不用|不要|不是|测试|游客|用户|路人)(?:就行|就好|即可|都行|吧|呀|啊|了|们|的)*|"
    r".*(?:告诉|联系我|投诉|反映|提交|填写|登记|查询|取消|热线|街道|平台|问题|就是要|凭什么|关你).*"
)
_COMMANDING = re.compile(
    r"提交|反映|投诉|登记|查询|进度|取消|撤回|评价|热线|电话|就是要|转人工|人工客服|客服|筹备|注册|做.{0,6}的$|^(?:同上|.?(?:上次|之前|刚才)|一样)|街道$|你猜|上一步|重新|返回|"
    r"^(?:你好|您好|谢谢|再见|好的?|可以|行|是的?|对的?|确认|确定|嗯+|呵呵|哈哈)$|^(?:我|你|他)"
)


def company_answer(text: str) -> str | None:
    """The enterprise named by an answer to “企业名称是什么”, or None if it names none."""
    foreign = _FOREIGN_COMPANY.search(normalise(clean(text)))
    if foreign:
        return foreign[0].strip()
    unquoted = "".join(c for c in clean(text) if c not in _QUOTES)
    named = companies(unquoted) or companies(text)
    if named:
        return named[0].value
    substitute = stand_in(text)
    if substitute:
        return substitute
    if swears(text) or _COMMANDING.search(squeeze(text)):
        return None
    text = unquoted
    plain = re.sub(
        rf"^(?:嗯|哦|好的|好(?=[,，\s])|{_INTRO}|叫做?|就叫|就写|写)+[,，::\s]*", "", normalise(clean(text))
    )
    plain = re.sub(r"(?:吧|啊|呀|哦|呢|的)?[。.!！\s]*$", "", plain)
    letters = squeeze(plain)
    if (
        not len(letters) >= 2
        or len(plain) > MAX_ENTERPRISE
        or letters.isdigit()
        or _GENERIC_COMPANY.match(plain)
    ):
        return None
    if re.search(r"[?？,，。;；!！\n]", plain) or not re.search(r"[\u4e00-\u9fffA-Za-z]", plain):
        return None
    if re.search(r"[^\w()·&\-.' ]", plain) or len(plain) > 30:
        return None
    if re.search(
        r"了|没人|一直|不能|不让|希望|不知道|不清楚|不告诉|不方便|没有|保密|匿名|随便|无$|为什么|怎么|什么|多少|哪里|谁|个人",
        plain,
    ):
        return None
    return plain


# ------------------------------------------------------------------------------------------------ people

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈"
    "项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣邓郁单杭洪包诸左石崔吉"
    "钮龚程嵇邢滑裴陆荣翁荀羊惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙"
    "叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍桑桂濮牛寿通边扈燕冀郏浦尚农温别庄"
    "晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾毋沙"
    "养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公"
)
_TITLES = "先生|女士|小姐|老师|经理|总经理|主任|总监|主管|厂长|店长|老板|会计|师傅|工程师|董事长|同志|总"
_TITLED = re.compile(
    rf"(?<![\u4e00-\u9fff])([{_SURNAMES}][\u4e00-\u9fff]{{0,2}}?(?:{_TITLES}))(?![\u4e00-\u9fff]{{0,2}}(?:公司|厂))"
)
_TITLED_AFTER = re.compile(
    rf"(?:找|问|联系|的|是|叫|和|跟|给)([{_SURNAMES}][\u4e00-\u9fff]{{0,2}}?(?:{_TITLES}))"
)
_NAMED = re.compile(
    rf"(?:我叫|我的名字是|我名字叫|名字是|名字叫|姓名是?|联系人是?|联系人叫|联系人改成|联系人改为|联系人换成|联系人写|经办人是?|负责人是?|"
    rf"称呼我|叫我|找我就行我叫|我姓名是|请联系)[::]?\s*"
    rf"([{_SURNAMES}][\u4e00-\u9fff·]{{0,3}}?(?:{_TITLES})?)(?=$|[^\u4e00-\u9fff]|的|吧|就|是|电话|手机|联系|号码|在|来)"
)
_I_AM = re.compile(
    rf"(?:我是|我姓)([{_SURNAMES}](?:[\u4e00-\u9fff]{{1,2}}(?=$|[^\u4e00-\u9fff]|电话|手机)|(?:{_TITLES})|(?=$|[^\u4e00-\u9fff])))"
)
_OF_COMPANY = re.compile(
    rf"(?:公司|集团|厂|店|中心|院|所|部)的([{_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=$|[^\u4e00-\u9fff]|电话|手机)"
)
_NOT_NAMES = re.compile(
    r"公司|企业|工厂|部门|单位|平台|街道|你们|我们|怎么|什么|哪里|多少|为什么|不知道|不清楚|不方便|没有|随便|保密|匿名|"
    r"写错|填错|错了|不对|取消|确认|提交|电话|手机|号码|热线|编号|诉求|问题|政策|补贴"
)


_KINDS_OF_PEOPLE = re.compile(
    r"[\u4e00-\u9fff]{1,2}[人企户商员者]|房东|房客|业主|车主|店主|包工头|司机|居民|农民|高管|高新|个体|外地|外贸|台资|外资|老师|老板|单独|"
    r"应届生?|常客|游客|顾客|乘客|租客|东家|国企|于是|时候|那边|那个|那家|万一|全职|都是|向你们|和你们"
)
"""What follows 我是 without being a name."""


def people(text: str) -> list[Span]:
    """Names and forms of address (王经理); the role is ``self`` after words such as 我叫 or 联系人."""
    source = normalise(text)
    found: list[Span] = []
    patterns = (
        (_NAMED, "self"),
        (_I_AM, "self"),
        (_OF_COMPANY, "self"),
        (_TITLED, None),
        (_TITLED_AFTER, None),
    )
    for pattern, role in patterns:
        for match in pattern.finditer(source):
            start, end = match.span(1)
            if pattern is _I_AM and _KINDS_OF_PEOPLE.fullmatch(match[1]):
                continue
            if _NOT_NAMES.search(match[1]) or any(start < s.end and end > s.start for s in found):
                continue
            found.append(Span("person", match[1], start, end, "self" if role else None))
    return sorted(found, key=lambda span: span.start)


def person_answer(text: str) -> str | None:
    """The name in an answer to “联系人怎么称呼”, or None if there is none."""
    named = people(text)
    if named:
        return named[0].value
    source = normalise(clean(text))
    if swears(source) or _NO_NAME.fullmatch(squeeze(source)):
        return None
    for span in sorted(phones(source), key=lambda s: -s.start):
        source = source[: span.start] + " " + source[span.end :]
    plain = re.sub(
        r"^(?:嗯|哦|好的?|联系人|姓名|名字|我叫|我是|我姓|叫做?|就叫|就写|写|是|[,，::\s])+", "", source
    )
    plain = re.sub(r"(?:[,，、\s]*(?:电话|手机号?|号码|联系方式)是?[::]?\s*)+$", "", plain)
    plain = re.sub(r"[,，。.!！\s]*(?:吧|都?就?行|就好|都?就?可以|均可|即可)?[,，。.!！\s]*$", "", plain)
    if re.fullmatch(r"[\u4e00-\u9fff]{1,8}(?:·[\u4e00-\u9fff]{1,8})*", plain):
        fits = 2 <= len(plain) <= 12
    else:
        several = re.fullmatch(r"[\u4e00-\u9fff]{2,4}(?:[、和或/ ][\u4e00-\u9fff]{2,4}){1,2}", plain)
        # a name in any other script: letters, blanks, points and hyphens
        fits = bool(several or re.fullmatch(r"[^\W\d_](?:[^\W\d_]|[ .'·\-]){1,19}", plain))
    if plain in set(_SURNAMES) and len(plain) == 1:
        return plain
    if not fits or len(plain) > MAX_NAME or _NOT_NAMES.search(plain):
        return None
    return plain


def person_problem(text: str) -> str:
    """One sentence that names what is wrong with a text that was meant to be a name."""
    letters = squeeze(text)
    if not letters:
        return "没有看到联系人的称呼。"
    if letters.isdigit():
        return "称呼不能只有数字。"
    if len(clean(text)) > MAX_NAME:
        return f"称呼太长了（最多 {MAX_NAME} 个字）。"
    return "这不像一个人的称呼。"


# ----------------------------------------------------------------------------------------- stars, results

_STAR_WORDS = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "满": 5}
_COUNT = r"[\d.零〇半一二两三四五六七八九十百千万满负-]"
_STARS = re.compile(
    rf"(?<!{_COUNT})([1-5一二两三四五满])\s*(?:颗|个)?\s*(?:星|分(?!钟|之|公司|店|厂)|☆|★|⭐)(?!\s*半|级以|[一-鿿]?之)"
)
_ANY_STARS = re.compile(rf"{_COUNT}+\s*(?:颗|个)?半?\s*(?:星|分(?!钟|之|公司|店|厂))\s*半?")
_STAR_SIGNS = re.compile(r"(?:[★⭐🌟]\ufe0f?)+")


def stars(text: str) -> Span | None:
    """One to five stars: 给5星, 五星好评, 满分, ★★★★. Half stars and other numbers are none."""
    source = normalise(text)
    match = _STARS.search(source)
    if match:
        value = _STAR_WORDS.get(match[1]) or int(match[1])
        return Span("stars", str(value), match.start(), match.end())
    signs = _STAR_SIGNS.search(source)
    count = len(signs[0].replace("\ufe0f", "")) if signs else 0
    return Span("stars", str(count), signs.start(), signs.end()) if signs and count <= 5 else None


def impossible_stars(text: str) -> bool:
    """Whether a short text gives stars that cannot be given, such as 六星, 3.5分 or ten signs."""
    source = normalise(clean(text))
    return (
        len(source) <= 16
        and stars(text) is None
        and bool(_ANY_STARS.search(source) or _STAR_SIGNS.search(source))
    )


def stars_answer(text: str) -> int | None:
    """The number of stars in an answer to “打几星”, or None."""
    found = stars(text)
    if found:
        return int(found.value)
    bare = re.sub(r"^(?:给|打|就)+|[。!吧 ]+$", "", normalise(clean(text)))
    if bare in {"1", "2", "3", "4", "5"}:
        return int(bare)
    plain = squeeze(text)
    if not plain or impossible_stars(text):
        return None
    words = {
        **{k: v for k, v in _STAR_WORDS.items() if k != "满"},
        "非常满意": 5,
        "很满意": 5,
        "满意": 4,
        "基本满意": 3,
        "一般": 3,
        "不满意": 2,
        "非常不满意": 1,
        "很不满意": 1,
    }
    return words.get(plain)


_UNRESOLVED = re.compile(
    r"(?:没|没有|未|并未|根本没|还没|没能|不算|不)\s*(?:真正|彻底|完全|真的|给我|帮我|得到)?\s*(?:解决|办好|处理好|搞定|弄好|落实|修好)|"
    r"还是老样子|还是不行|依旧没|依然没|老问题还在|又坏了|没动静|unresolved|不同意办结|没有用|不管用|白办"
)
_DONE = "解决|办好|处理好|搞定|弄好|落实|修好|办妥|办成"
_RESOLVED = re.compile(
    rf"(?:已经?|都|全部?|总算|终于|确实|顺利|妥善|圆满)\s*(?:给我们?|帮我们?)?(?:{_DONE})|(?:{_DONE}|办结|通)(?:了|啦|咯)|"
    r"问题解决|可以了|没问题了|resolved"
)
_NOT_SAID = re.compile(
    r"(?:吗|没有|没|么|不)[?。!]*$|什么时候|何时|怎么|如何|能不能|能否|才能|希望|恳请|请.{0,6}(?:解决|处理)"
)


def result(text: str) -> Literal["resolved", "unresolved"] | None:
    """What the enterprise says of the outcome: 已解决 or 没解决; None where it says neither."""
    source = normalise(text).lower()
    if _NOT_SAID.search(source):
        return None
    if _UNRESOLVED.search(source):
        return "unresolved"
    if _RESOLVED.search(source):
        return "resolved"
    return None


# ---------------------------------------------------------------------------------------- shapes of texts

_QUESTION = re.compile(
    r"[?？]|吗$|吗[。!]?$|呢$|多少|多久|多长时间|几天|几个|几点|几号|几楼|怎么(?!没|还|都|又|也|老|总|会|这么|那么)|怎样|如何|咋(?!没|还)|什么|哪里|哪儿|哪个|哪些|"
    r"哪家|在哪|啥|有没有|能不能|可不可以|可以不|是不是|要不要|需不需要|行不行|谁|请问|想问|问下|问一下|想了解|咨询|"
    r"请教|求问|是否|能否|电话是|号码是|地址是|([\u4e00-\u9fff])不\1|(?<=[\u4e00-\u9fff]{3})(?<![还也都])[没不]$|几(?:项|次|分|颗|条|成|月|年|层|家|种|档|级|步)|"
    r"给我(?:罗列|列|讲|介绍|说)|说一说|讲讲|讲清楚|介绍一下|会怎样|为何"
)
_DEED = re.compile(
    r"帮忙|帮帮|帮我们?(?:解决|协调|处理|反映|登记|看看)|麻烦(?:协调|处理|解决|派)|协调|解决一下|尽快|处理一下|投诉|举报|反映一下|恳请|请求|求助|"
    r"希望|建议|要求|维权|管管|管一管|救急|没人管|没人修|没有人|请(?:政府|你们|有关|领导|区里|安排|派)"
)
_DIGRESSION = re.compile(r"^(?:对了|顺便|等等|等一下|等下|先问|我先问|另外问|打断一下|插一句|不好意思问)")
_COMMAND = re.compile(
    r"^[\s,，。!！]*(?:(?:你好|您好|嗨|喂|在吗|麻烦|麻烦您?|请|请问)[\s,，。!！]*)*"
    r"(?:我们?|我司|我公司|我们公司|我厂)?(?:现在|今天)?(?:这边|这里)?(?:有|要|想|想要|需要|准备|打算|来|得|希望|打电话)*(?:个|一个|一件|几个|点|些)?(?:事|事情|情况)?"
    r"(?:提交?|反映|反应|投诉|上报|申报|登记|报|递交|诉|举报|说|提出|填)(?:一?个|一下|一件|一条|下|几个|点|些|个)?"
    r"(?:企业)?(?:的)?(?:诉求单?|问题|情况|困难|投诉|意见|建议|事情|事|难题|工单)?(?:给你们|给政府|一下)?(?:吧|啊|呀)?\s*(?=[,，。:：;；!！\s]|$)"
)
_BARE_REQUEST = re.compile(
    r"(?:提|提交|反映|投诉|登记|上报|新建|填|发起|开始|创建|新增|报|办)?(?:一?个|一?件|一下|一条|下|新的?|另一?个|第二个)*(?:企业)?"
    r"(?:诉求|问题|意见|建议|困难|投诉|情况|工单|难题|事情|事|麻烦)(?:登记|提交|反映|单)?"
)
_FILLER = re.compile(
    r"我们?|你们|我司|公司|企业|厂里|我|说|要|想|想要|需要|有|帮我|帮忙|请|麻烦|你好|您好|在吗|怎么|如何|哪里|可以|能|吗|呢|吧|啊|呀|了|的|"
    r"给你们|给政府|一下|现在|今天|再|还|另外|打算|准备|希望|这边|这里|一个|个|一|件|点|些|几|来|得|和|跟|向"
)


def looks_like_question(text: str) -> bool:
    """Whether the wording asks for information, rather than tells or answers something."""
    return bool(_QUESTION.search(normalise(clean(text))))


def asks_for_a_deed(text: str) -> bool:
    """Whether the wording wants something done, rather than only known."""
    return bool(_DEED.search(normalise(text)))


def opens_digression(text: str) -> bool:
    """Whether the wording announces a side question (对了，… / 先问一下…)."""
    return bool(_DIGRESSION.search(normalise(clean(text))))


def described_problem(text: str) -> str | None:
    """The problem in a message that files an appeal; None where it only says that one is to be filed.

    Who writes, from where and with which phone is no part of the problem, and neither is the request to file.
    """
    return dissect(text).description


@dataclass(frozen=True, slots=True)
class Told:
    """What one message tells of an appeal; None for what it does not tell.

    Attributes:
        company: The writer's own enterprise.
        person: The writer's own name or form of address.
        phone: The first number that can be rung.
        territory: A street or platform as written; whether it exists, the backend knows.
        description: What remains and describes something.
    """

    company: str | None = None
    person: str | None = None
    phone: str | None = None
    territory: str | None = None
    description: str | None = None


_LABELS = {
    "company": r"(?:企业|公司|单位|店铺|工厂)(?:名称|全称|名字|名)?",
    "person": r"(?:联系|经办|负责)人(?:姓名)?|姓名|名字|称呼",
    "phone": r"(?:联系)?(?:电话|手机)(?:号码?)?|联系方式",
    "territory": r"(?:所在|所属)?(?:平台|街道|园区|地址|属地|位置|区域)(?:[或/、和]街道|街道|园区)?",
    "description": r"(?:诉求|问题|反映|投诉|情况|困难|具体)?的?(?:内容|描述|事项|说明|问题|诉求|情况|困难)",
}
_LABEL = re.compile(
    r"(?:^|(?<=[\s,;。、|]))(?:\d[.、)]\s*)?(?:"
    + "|".join(f"(?P<{name}>{words})" for name, words in _LABELS.items())
    + r")\s*:\s*"
)
_PLACE = re.compile(
    r"(?:(?<=在)|(?<=于)|(?<=属)|(?<![\u4e00-\u9fff]))((?!在|位于|企业|公司|我们|我司|厂区)[\u4e00-\u9fff]{2,5}(?:街道|镇|园区|产业园|工业园|智造园|高科园|小镇|综合保税区))"
    r"(?:办事处|办)?(?=$|[^\u4e00-\u9fff]|的|这边|这里)"
)
_MARKS = {
    "company": "\ue000",
    "person": "\ue001",
    "phone": "\ue002",
    "territory": "\ue003",
    "appeal_number": "\ue004",
}
_MARK = "[\ue000-\ue004]"
_BREAK = r"[\s,;。!、|]"
_ABOUT_US = (
    r"我们公司|我公司|我司|我们单位|我们|我|本人|本公司|这里|这边|那边|公司|企业|单位|工厂|厂|联系人|经办人|负责人|姓名|名字|名称|全称|称呼|"
    r"联系方式|联系电话|联系|电话|手机号?码?|号码|打|拨打|叫|姓|位于|坐落|地处|属于|注册地?|地址|在|是|为|的|和|或者?|就|员工|老板|法人|"
    r"一名|一个|一家|做|可以|随时|请|找|您好|你好"
)
_WHO = re.compile(rf"(?:{_MARK}|{_ABOUT_US}|{_BREAK}|[:\-()])*{_MARK}")
_WHO_LAST = re.compile(
    rf"(?:{_BREAK}|(?<=[了的啊呀]))(?:{_ABOUT_US}|[:\-()])*(?:{_MARK}(?:{_ABOUT_US}|{_BREAK}|[:\-()])*)+$"
)
_BARE_COMPANY = re.compile(rf"{_NAME_CHARS}{{2,30}}(?:{_STRONG}|{_WEAK})")
_GREETING = re.compile(
    r"(?:你们?好|您好|hi|hello|嗨|喂|在吗|早上好|下午好|晚上好|谢谢|麻烦了?|拜托了?|辛苦了?)+"
)


def dissect(text: str) -> Told:
    """Splits one message into who writes, how to call back, where, and what the problem is.

    Reads pasted forms (“公司：…联系人：…问题：…”) by their labels, and sentences in any order by what is
    recognised in them.
    """
    written = clean(text)
    source = normalise(written)
    labels = list(_LABEL.finditer(source))
    if not labels or (len(labels) == 1 and labels[0].start() > 0):
        return _dissected(written)
    told: dict[str, str | None] = {}
    rests = [written[: labels[0].start()]]
    for label, end in zip(labels, [*(m.start() for m in labels[1:]), len(source)], strict=True):
        name, value = str(label.lastgroup), written[label.end() : end].strip(" ,，;；。|、")
        if name == "description":
            told[name] = f"{told[name]}；{value}" if told.get(name) else value or None
            continue
        read = {"company": company_answer, "person": person_answer, "phone": _first_phone}.get(name)
        first, *others = re.split(r"[,，;；。]", value, maxsplit=1)
        told.setdefault(name, (read(first) or read(value) if read else first) or None)
        rests += others
    loose = _dissected("，".join(rest for rest in rests if squeeze(rest)))
    return Told(
        company=told.get("company") or loose.company,
        person=told.get("person") or loose.person,
        phone=told.get("phone") or loose.phone,
        territory=told.get("territory") or loose.territory,
        description=told.get("description") or loose.description,
    )


def _first_phone(text: str) -> str | None:
    found = phones(text)
    return found[0].value if found else None


def _dissected(written: str) -> Told:
    """Splits a message without labels."""
    source = normalise(written)
    marked = [*phones(written), *appeal_numbers(written)]
    marked += [span for span in (*companies(written), *people(written)) if span.role]
    marked += [Span("territory", m[1], m.start(1), m.end()) for m in _PLACE.finditer(source)]
    marked = _apart(marked)
    marked = _apart([*marked, *_listed(source, marked)])
    first = {span.kind: span.value for span in reversed(marked)}
    return Told(
        company=first.get("company"),
        person=first.get("person"),
        phone=first.get("phone"),
        territory=first.get("territory"),
        description=_matter(written, marked),
    )


def _apart(spans: list[Span]) -> list[Span]:
    """Without those that overlap an earlier one of the list; in the order of the text."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def _listed(source: str, marked: list[Span]) -> Iterator[Span]:
    """Names that stand alone in a list (某某食品厂 张伟 0571-…), beside something that is recognised."""
    if not any(span.kind in ("phone", "company") for span in marked):
        return
    kinds = {span.kind for span in marked}
    for part in re.finditer(rf"(?:(?!{_BREAK}).)+", source):
        alone = part[0]
        if "company" not in kinds and _BARE_COMPANY.fullmatch(alone) and not _GENERIC_COMPANY.match(alone):
            yield Span("company", alone, *part.span(), "self")
            kinds.add("company")
        elif (
            "person" not in kinds
            and re.fullmatch(rf"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}", alone)
            and person_answer(alone) == alone
        ):
            beside = [s for s in marked if 0 <= part.start() - s.end <= 2 or 0 <= s.start - part.end() <= 2]
            if any(span.kind in ("phone", "company") for span in beside):
                yield Span("person", alone, *part.span(), "self")
                kinds.add("person")


def _matter(written: str, marked: list[Span]) -> str | None:
    """What a message still says without who writes and without the request to file; None if nothing."""
    source = normalise(written)
    signs: list[tuple[str, int, int]] = []
    at = 0
    for span in [*marked, None]:
        until = span.start if span else len(source)
        signs += [(source[i], i, i + 1) for i in range(at, until)]
        if span:
            signs.append((_MARKS[span.kind], span.start, span.end))
            at = span.end
    line = "".join(sign for sign, _, _ in signs)
    start = end = 0
    kept: list[tuple[int, int]] = []
    for part in re.finditer(rf"(?:(?!{_BREAK}).)+{_BREAK}*", line):
        body = re.sub(rf"{_BREAK}+$", "", part[0])
        start, end = part.span()
        who = _WHO.match(body)
        if who and not re.fullmatch(rf"(?:在|位于|{_MARKS['territory']})+", who[0]):
            start += who.end()
            start += len(re.match(r"(?:的|这边|这里|,|:)*", line[start : part.end()])[0])  # type: ignore[index]
            body = re.sub(rf"{_BREAK}+$", "", line[start:end])
        tail = _WHO_LAST.search(body)
        if tail and tail.start() > 0:
            end = start + tail.start()
            body = body[: tail.start()]
        bare = re.sub(rf"{_MARK}|{_ABOUT_US}|[^\w]", "", body)
        if not bare or (re.search(_MARK, body) and len(bare) < 2) or _GREETING.fullmatch(squeeze(body)):
            continue
        if _asks_to_file(body):
            continue
        kept.append((start, end))
    if not kept:
        return None
    rest = "".join(written[signs[a][1] : signs[b - 1][2]] for a, b in kept if b > a)
    rest = rest.strip(" ,，:：;；、")
    command = _COMMAND.match(normalise(rest))
    if command and command.end() > 0:
        rest = rest[command.end() :].lstrip(" ,，。:：;；!！")
    bare = _FILLER.sub("", _BARE_REQUEST.sub("", squeeze(rest)))
    if len(squeeze(rest)) < MIN_DESCRIPTION or len(bare) < MIN_DESCRIPTION - 1:
        return None
    untouched = len(squeeze(rest)) >= len(squeeze(written)) - 1
    return written.strip(" ,，;；、") if untouched else rest


def _asks_to_file(clause: str) -> bool:
    """Whether a clause only says that something is to be reported (我要投诉, 帮我登记一下)."""
    return not _FILLER.sub("", _BARE_REQUEST.sub("", squeeze(clause)))


def description_problem(text: str) -> str | None:
    """One sentence that names what is wrong with a description; None where it can be filed."""
    written = clean(text)
    letters = squeeze(written)
    if not letters:
        return "没有看到文字说明。"
    if len(letters) < MIN_DESCRIPTION:
        return "说明太短了，部门没法据此办理。"
    if letters.isdigit():
        return "只有数字，没有说明是什么问题。"
    if len(written) > MAX_DESCRIPTION:
        return f"您写了 {len(written)} 个字，一件诉求最多 {MAX_DESCRIPTION} 个字，请精简后再发。"
    return None


def spans(text: str) -> Iterator[Span]:
    """Everything that is recognised in a message, in no particular order."""
    yield from phones(text)
    yield from appeal_numbers(text)
    yield from companies(text)
    yield from people(text)
    star = stars(text)
    if star:
        yield star
