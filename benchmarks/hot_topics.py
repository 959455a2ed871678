"""Time, memory and quality of hot topics among many made-up appeals.

    .venv/bin/python -m benchmarks.hot_topics [--appeals 20000] [--file letters.jsonl]

The appeals are put together from the phrases below: each matter has phrases that tell of it, and each letter
holds some of them, with a frame, a place and sentences about nothing. A part of the letters ask about single
service items of the knowledge base instead, so that most letters belong to no large matter. With ``--file``,
letters of a JSON Lines file (``title``, ``text``) are grouped as well, each as its own enterprise's, and the
topics are printed to be read. Times are CPU times of one process, memory is its peak.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from backend.appeals.grouping import group  # noqa: E402
from backend.appeals.likeness import pairs  # noqa: E402
from backend.appeals.topics import Letter, content, topics  # noqa: E402
from backend.knowledge.loading import load  # noqa: E402

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
DAYS = 14
SHARE_OF_MATTERS = 0.4  # of the letters; the others ask about one service item each

MATTERS = (
    "变压器跳闸停电|停电没有提前通知|供电容量不够|生产线断电报废|高峰拉闸限电|电压不稳烧坏设备|申请电力增容",
    "公交站太远|末班公交太早|公交班次太少|晚班没有公交车|增设公交站点|开通接驳公交|公交改道绕远",
    "雨天道路积水|排水管道堵塞|雨水倒灌仓库|下水道污水外溢|排水沟没人疏通|暴雨积水进不了货车",
    "招工困难|一线操作工招不到|用工缺口很大|招聘会没有人来|普工流失严重|焊工钳工难招",
    "货车限行进不了厂|通行证办不下来|货车绕行成本高|限行时间不合理|大件运输通行证|渣土车通行证被停",
    "停车位不够|货车没有地方停|路边停车被贴罚单|停车场收费太高|规划公共停车场|僵尸车占车位",
    "厂房租金上涨|租赁合同到期不续|房东要求搬迁|找不到合适厂房|租金补贴没有到账|二房东乱加价",
    "工业污水纳管|污水管网没有接通|污水处理费太高|雨污分流改造|排污许可续期|污水井冒溢",
    "宽带网速太慢|只有一家运营商|专线费用太高|信号不好打不了电话|通信基站没有建|光纤没有拉进厂",
    "燃气没有通到厂区|天然气价格太高|燃气压力不足|蒸汽供应不稳定|燃气开户排队|蒸汽价格上涨",
    "人才公寓排不到|宿舍床位太少|蓝领公寓租金高|租房补贴怎么领|员工住得太远|公寓名额太少",
    "子女入学没有学位|民办学校学费高|积分入学怎么算|幼儿园太少|转学手续办不了|暑假托管没有着落",
    "贷款额度太低|银行不给续贷|担保公司要抵押|贷款利率太高|贴息资金没到账|应收账款拖欠周转难",
    "环评审批太慢|环评报告被退回|危废没有单位收|危废处置价格高|危险废物贮存超期|固废转移联单办不了",
    "消防验收不通过|消防整改通知书|老厂房消防改造|消防喷淋没有水|消防通道被占|消防检查标准不一",
    "道路坑洼破损|重车压坏路面|路灯不亮|路口没有红绿灯|修路围挡太久|人行道断头",
    "噪音被居民投诉|粉尘异味投诉|夜间施工扰民|油烟扰民投诉|搅拌站扬尘|喷漆气味投诉",
    "退税迟迟不到|留抵退税被退回|发票额度不够|税务系统登不上|研发加计扣除不会填|税控设备锁死",
    "社保补缴系统报错|工伤认定太慢|社保基数怎么核|失业金申领退回|社保转移查不到|医保报销材料反复补",
    "展会补贴没有发|出口退单证不齐|清关查验太久|海外仓政策怎么报|跨境收款被冻结|报关行资质不足",
)
FRAMES = (
    "尊敬的领导您好，{}，希望尽快解决，谢谢！",
    "{}，麻烦帮忙协调一下。",
    "反映一个问题：{}，已经影响生产经营。",
    "我公司{}，请问归哪个部门管？",
    "{}",
)
PLACES = ("在产业园东区，", "我们在河畔工业园，", "位于新湾路边，", "", "", "", "厂在江滨大道，", "")
ASIDES = (
    "我们是一家老企业",
    "厂里有一百多人",
    "打过几次电话都说在处理",
    "去年也反映过",
    "隔壁几家也是这样",
    "马上就到年底了",
    "客户一直在催",
    "希望给个准话",
    "附了照片",
    "联系不上经办人",
)


def letters(count: int) -> tuple[list[Letter], list[int]]:
    """Returns made-up letters, always the same, and the matter of each; -1 where it is of none."""
    dice = random.Random(3)
    items = [
        entry.title for entry in load(ROOT / "knowledge_base").entries.values() if entry.kind == "service"
    ]
    found, matters = [], []
    for place in range(count):
        matter = -1
        if dice.random() < SHARE_OF_MATTERS:
            # some matters are on everybody's lips, others on few
            matter = min(int(dice.expovariate(0.2)), len(MATTERS) - 1)
            said = dice.sample(MATTERS[matter].split("|"), dice.randint(2, 4))
        else:
            said = [f"想办{dice.choice(items)}", f"问一下{dice.choice(items)}的材料"][: dice.randint(1, 2)]
        said += dice.sample(ASIDES, dice.randint(1, 3))
        text = dice.choice(FRAMES).format(dice.choice(PLACES) + "，".join(said))
        enterprise = f"杭州某{dice.randrange(count)}制造有限公司"
        at = NOW - timedelta(minutes=dice.randrange(DAYS * 24 * 60))
        found.append(Letter(f"QT20261120-{place:05}", enterprise, enterprise, text, at, f"街道{place % 9}"))
        matters.append(matter)
    return found, matters


def quality(groups: list[tuple[int, ...]], matters: list[int]) -> tuple[float, float]:
    """Returns how pure the groups of matters are, and how much of each matter its largest group holds."""
    right = members = 0
    largest: Counter[int] = Counter()
    for places in groups:
        matter, count = Counter(matters[place] for place in places).most_common(1)[0]
        if matter >= 0:
            right, members = right + count, members + len(places)
            largest[matter] = max(largest[matter], count)
    total = Counter(matter for matter in matters if matter >= 0)
    return right / members, sum(largest.values()) / sum(total.values())


def megabytes() -> int:
    """The peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000


def measure(count: int) -> None:
    """Prints what the made-up letters cost."""
    told, matters = letters(count)
    before = megabytes()
    begun = time.process_time()
    counted = [pairs(content(letter)) for letter in told]
    read = time.process_time()
    groups = group(counted)
    grouped = time.process_time()
    known = {letter.number: parts for letter, parts in zip(told, counted, strict=True)}
    found = topics(told, NOW, DAYS, known=known)
    ended = time.process_time()
    pure, held = quality(groups, matters)
    characters = sum(len(letter.text) for letter in told) / count
    print(f"{count} letters of {characters:.0f} characters on average, {before} MB with them")
    print(f"pairs counted {read - begun:.1f} s (kept between lists), grouped {grouped - read:.1f} s")
    print(f"whole list of {len(found)} topics with titles {ended - grouped:.1f} s, peak {megabytes()} MB")
    print(
        f"of a topic's members {pure:.1%} are of its matter; its largest topic holds {held:.1%} of a matter"
    )


def read(file: Path) -> None:
    """Prints the topics of real letters, to be judged by people."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    told = [Letter(str(place), "", str(place), row["text"], NOW) for place, row in enumerate(rows)]
    for topic in topics(told, NOW, DAYS):
        print(topic.appeals, topic.title, " ".join(topic.keywords))


def main() -> None:
    """Measures, and prints the topics of a file where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--appeals", type=int, default=20_000)
    parser.add_argument("--file", type=Path)
    options = parser.parse_args()
    measure(options.appeals)
    if options.file:
        read(options.file)


if __name__ == "__main__":
    main()
