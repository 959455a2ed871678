"""Fill a database with appeals as a district might have them after two years, for measurements.

    python -m benchmarks.appeals_seed sqlite:////tmp/big.db [--count 200000] [--open-share 0.05] [--unsigned]

Names of departments, territories and boards come from the knowledge base. Everything else is made up from
the phrases below: enterprises that come back, contacts without a person behind them, texts of 15 to 600
characters, lives of an appeal that the life cycle allows, signed lines of the record, supervision rows. The
same seed gives the same appeals (sealed contacts differ, because sealing never gives the same twice). The
database is migrated first and must hold no appeal yet.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import json
import multiprocessing
import random
import sqlite3
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import make_url

from backend.appeals import chain
from backend.appeals.calendar import SHANGHAI, WorkCalendar
from backend.appeals.deadlines import TASKFORCE, due_at, is_provisional, silence_moments, supervision_moments
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import SETTLED, Event, HistoryEvent, Level, State
from backend.appeals.numbers import format_number
from backend.knowledge.loading import load
from backend.people.actors import ENTERPRISE, SYSTEM, Actor
from backend.people.audit import AuditEntry
from backend.people.roles import Role
from backend.storage import fulltext
from backend.storage.records import audit_signature, integrity_values
from backend.storage.schema import migrate, open_engine
from backend.storage.tables import AuditRow, HistoryRow, IntegrityRow
from backend.storage.vault import Vault, open_vault

ROOT: Final = Path(__file__).resolve().parents[1]
HOME: Final = "钱塘区"
UNTIL: Final = datetime(2026, 11, 20, 17, 30, tzinfo=SHANGHAI)
"""When the last appeal has come in, unless told otherwise."""

_BATCH = 5_000
_YEARS_BACK = timedelta(days=730)

_PLACES = ("杭州", "浙江", "钱塘", "江东", "下沙", "临江", "义蓬", "前进", "浙东", "之江")
_FIRST = (
    "安博诚达鼎峰富广恒宏华汇吉佳金景俊凯康朗乐联隆茂铭诺鹏启"
    "千庆锐瑞森盛顺泰腾天通万旺伟祥新信兴旭亚扬益永宇远源泽展正志中"
)
_SECOND = (
    "邦川德尔飞格冠海航和鸿嘉江捷科克兰力利林龙美宁欧普奇强仁荣"
    "润赛尚升思特图维微沃希翔星雅阳业易盈优裕悦韵运知智卓"
)
_TRADES = (
    "新材料科技",
    "生物医药",
    "精密机械",
    "电子商务",
    "供应链管理",
    "食品",
    "纺织",
    "汽车零部件",
    "环保设备",
    "餐饮管理",
    "信息技术",
    "物流",
    "建筑工程",
    "化工",
    "医疗器械",
    "文化传媒",
    "半导体",
    "农业开发",
    "物业服务",
    "贸易",
)
_FORMS = (
    "有限公司",
    "有限公司",
    "有限公司",
    "有限责任公司",
    "股份有限公司",
    "合伙企业（有限合伙）",
    "个体工商户",
)
_CONTACTS = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_TITLES = ("经理", "主任", "会计", "厂长", "女士", "先生")

# what it is about: board, the departments it belongs to by a part of their names, the problem in words
_TOPICS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "人才",
        ("人社", "委人才"),
        (
            "{n}名新来的工程师申请人才租房补贴，系统一直显示待审核",
            "引进的博士想办理人才落户，不知道找哪个窗口",
            "高层次人才认定材料交了{n}个月没有结果",
        ),
    ),
    (
        "科创",
        ("经信", "科协"),
        (
            "高新技术企业复审的申报系统打不开",
            "研发费用加计扣除的{y}年资料退回了{n}次",
            "想申请省级企业研究院，不清楚对营收有什么要求",
        ),
    ),
    (
        "政策",
        ("财政", "经信", "发展改革"),
        (
            "{y}年度技改补助公示以后{n}个月了还没有到账",
            "专精特新奖励资金不知道什么时候兑付",
            "招商时说好的房租补贴到现在没有人对接",
        ),
    ),
    (
        "金融",
        ("财政", "产业集团", "股权"),
        (
            "续贷时银行要求追加抵押，{n}万元的过桥资金没有着落",
            "首次申请信用贷款被拒，想了解政府性融资担保",
            "货款被下游拖欠{n}万元，现金流很紧张",
        ),
    ),
    (
        "开放",
        ("商务", "海关", "综保"),
        (
            "出口货物在海关查验停了{n}天，客户催得很急",
            "想参加广交会，展位申请没有消息",
            "跨境电商退货进综保区的流程走不通",
        ),
    ),
    (
        "法治",
        ("司法", "法院", "检察"),
        (
            "与供应商的合同纠纷已经立案{n}个月没有开庭",
            "商标被同行仿冒，想知道怎么维权",
            "员工离职带走客户资料，需要法律援助",
        ),
    ),
    (
        "诉求",
        ("执法", "住建", "交通", "水务", "供电", "环境", "街道"),
        (
            "厂区门口{r}的路灯坏了{n}天，夜班工人下班很不安全",
            "{r}修路围挡把货车出入口堵住，每天只能绕行",
            "园区北门雨天积水，{n}号厂房地下室已经进水",
            "最近两周停电{n}次，生产线设备受损",
            "隔壁工地夜间施工噪音太大，宿舍员工没法休息",
            "污水管堵塞倒灌，联系物业{n}次没有解决",
            "{r}大货车违停严重，消防通道被占",
            "食堂旁边的垃圾房没有人清运，味道很大",
        ),
    ),
    (
        "兜底",
        ("府办", "经信", "发展改革"),
        (
            "历史遗留的产权证{n}年办不下来，几个部门都说不归自己管",
            "园区没有公交，{n}名员工上下班没有办法",
            "想和区里领导反映扩产用地的事",
        ),
    ),
    (
        "项目",
        ("规划", "发展改革", "住建"),
        (
            "{n}亩工业用地的规划条件迟迟没有出来，项目开不了工",
            "新厂房桩基施工许可卡在图审{n}天",
            "项目能评批复需要哪些材料",
        ),
    ),
    (
        "审批",
        ("行政审批", "市场监管", "卫生", "消防", "应急"),
        (
            "食品经营许可证变更地址要求重新现场核查，等了{n}天",
            "营业执照增加经营范围被退回{n}次",
            "消防验收整改意见看不明白，希望上门指导",
        ),
    ),
)
_ROADS = (
    "江东大道",
    "青六路",
    "文津北路",
    "三益线",
    "义府大街",
    "新世纪大道",
    "幸福南路",
    "金沙大道",
    "围垦街",
    "纬五路",
)
_OPENINGS = ("您好，", "", "", "尊敬的领导：", "我们是做{t}的，", "咨询一下，", "反映一个问题：", "打扰了，")
_DETAILS = (
    "我们{y}年入驻园区，现在有员工{n}人，去年产值{m}万元。",
    "前后打过{n}次电话，每次都说在走流程，没有人给明确的时间。",
    "窗口说材料不全，但没有一次性告知还缺什么。",
    "这件事影响很大，{n}号就要向客户交货，晚一天要赔违约金。",
    "附近的{n}家企业也有同样的情况，大家都很着急。",
    "我们已经按要求补交了材料，包括{y}年的审计报告和社保清单。",
    "之前联系过园区，园区说要由区里的部门来定。",
    "如果需要现场查看，我们随时可以配合，{r}那一侧比较好停车。",
    "员工意见比较大，已经有{n}个人提出离职。",
    "同样的事情在外地的分厂{n}天就办好了。",
    "损失初步估计{m}万元，照片和视频都有。",
    "政策文件我们看过，条件都符合，但系统里选不到对应的选项。",
)
_REQUESTS = (
    "请帮忙协调解决。",
    "希望尽快答复。",
    "麻烦给个说法。",
    "想知道应该找哪个部门。",
    "盼复。",
    "请安排专人对接。",
)
_REPLIES = (
    "已经与企业联系，正在协调，预计{n}天内有结果。",
    "材料已经收到并转交审核，审核通过后会短信通知。",
    "现场查看过了，施工单位会在{n}天内修复。",
    "政策条件已经逐条解释，企业表示理解。",
)
_OUTCOMES = (
    "问题已经解决，企业现场确认。",
    "补贴已经拨付到账。",
    "证照已经办好，请到窗口领取。",
    "设施已修复，后续会加强巡查。",
)
_CHANNELS = ("portal", "hotline", "chat", "wechat", "portal", "hotline")


@dataclass(frozen=True)
class Names:
    """What the knowledge base gives."""

    prefix: str
    departments: tuple[str, ...]
    territories: tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """What was made.

    Attributes:
        rows: By table.
        seconds: How long it took.
    """

    rows: dict[str, int]
    seconds: float


@dataclass
class _Firm:
    name: str
    key: str
    contact: str
    phone: str
    contact_sealed: str
    phone_sealed: str
    phone_hash: str
    territory: str | None
    trade: str


@dataclass
class _Rows:
    """One batch, by table, in the columns of `_COLUMNS`."""

    filings: list[tuple[Any, ...]] = field(default_factory=list)
    appeals: list[tuple[Any, ...]] = field(default_factory=list)
    appeal_co_departments: list[tuple[Any, ...]] = field(default_factory=list)
    appeal_history: list[tuple[Any, ...]] = field(default_factory=list)
    appeal_supervision: list[tuple[Any, ...]] = field(default_factory=list)


_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "filings": ("group_id", "idempotency_key", "content_hash", "created_at"),
    "appeals": (
        "id",
        "number",
        "group_id",
        "enterprise",
        "enterprise_key",
        "contact_sealed",
        "phone_sealed",
        "phone_hash",
        "text",
        "channel",
        "category",
        "level",
        "initial_level",
        "state",
        "direct_line",
        "territory",
        "lead_department",
        "led_by",
        "reasons",
        "submitted_at",
        "due_at",
        "due_provisional",
        "assigned_at",
        "first_reply_at",
        "first_resolved_at",
        "resolved_at",
        "closed_at",
        "escalation_level",
        "major",
        "merged_into",
        "erased_at",
        "feedback_at",
        "feedback_result",
        "feedback_stars",
        "feedback_comment",
        "dissatisfied",
        "version",
        "record_length",
        "record_head",
    ),
    "appeal_co_departments": ("appeal_id", "position", "department"),
    "appeal_history": (
        "appeal_id",
        "at",
        "actor_name",
        "actor_role",
        "actor_unit",
        "event",
        "summary",
        "text",
        "public",
        "before",
        "after",
        "position",
        "text_signature",
        "signature",
    ),
    "appeal_supervision": ("appeal_id", "at", "by", "kind", "state", "text", "acted_at"),
}


def names() -> Names:
    """The units of the home district."""
    base = load(ROOT / "knowledge_base")
    home = base.home(HOME)
    return Names(
        home.appeal_prefix or "QT",
        tuple(found.name for found in base.departments.values() if base.jurisdiction_of(found.id) is home),
        tuple(found.name for found in base.territories.values() if base.jurisdiction_of(found.id) is home),
    )


class Generator:
    """Makes appeals, oldest first, in batches of rows.

    Args:
        known: Units of the knowledge base.
        vault: Seals and signs.
        count: How many appeals.
        seed: The same seed gives the same appeals.
        until: When the last one has come in; what lies after has not happened.
        open_share: Part of the older appeals that are still open; the newest are open anyhow.
        due_pending: Part of the moments of open appeals that are past and nobody has acted on yet.
        signed: Sign the lines of the record; a quarter of the time.
    """

    def __init__(
        self,
        known: Names,
        vault: Vault,
        *,
        count: int,
        seed: int,
        until: datetime,
        open_share: float,
        due_pending: float,
        signed: bool,
    ) -> None:
        self._known = known
        self._vault = vault
        self._count = count
        self._until = until
        self._open_share = open_share
        self._due_pending = due_pending
        self._signed = signed
        self._seed = seed
        self._random = random.Random(seed)
        self._calendar = WorkCalendar()
        self._timings: dict[tuple[date, Level, bool], tuple[datetime, bool, tuple[Any, ...]]] = {}
        self._candidates = {
            hints: [name for name in known.departments if any(hint in name for hint in hints)]
            for _, hints, _ in _TOPICS
        }
        self._firms = self._make_firms(max(20, count // 7))
        # few enterprises file much, most little
        self._firm_weights = list(accumulate(1 / (rank + 5) ** 0.6 for rank in range(len(self._firms))))
        self._last: dict[str, str] = {}
        self._moments = list(self._make_moments())
        self.counters: dict[date, int] = {}
        self._numbers = list(map(self._number, self._moments))

    @property
    def batches(self) -> int:
        """How many batches there are."""
        return -(-self._count // _BATCH)

    def batch(self, index: int) -> _Rows:
        """One batch; the same whichever process makes it."""
        rows, left, group, firm = _Rows(), 0, "", self._firms[0]
        self._random = random.Random(f"{self._seed} {index}")
        self._last = {}
        for position in range(index * _BATCH, min((index + 1) * _BATCH, self._count)):
            at = self._moments[position]
            if left == 0:
                left = self._random.choices((1, 2, 3), (86, 11, 3))[0]
                group = uuid.UUID(int=self._random.getrandbits(128), version=4).hex
                firm = self._firm()
                key = f"seed-{position:08d}-{group}" if self._random.random() < 0.8 else None
                rows.filings.append((group, key, f"{self._random.getrandbits(256):064x}", at))
            left -= 1
            self._add(rows, position + 1, self._numbers[position], group, firm, at)
        return rows

    def _make_firms(self, count: int) -> list[_Firm]:
        firms = []
        for position in range(count):
            trade = self._random.choice(_TRADES)
            name = _named(self._random, trade)
            contact = self._random.choice(_CONTACTS) + self._random.choice(_TITLES)
            phone = f"1380000{position % 10_000:04d}"
            firms.append(
                _Firm(
                    name,
                    enterprise_key(name),
                    contact,
                    phone,
                    self._vault.seal(contact),
                    self._vault.seal(phone),
                    self._vault.fingerprint(phone),
                    self._random.choice(self._known.territories) if self._random.random() < 0.9 else None,
                    trade,
                )
            )
        return firms

    def _firm(self) -> _Firm:
        place = self._random.random() * self._firm_weights[-1]
        return self._firms[bisect.bisect(self._firm_weights, place) % len(self._firms)]

    def _make_moments(self) -> Iterator[datetime]:
        """When the appeals come in: by day, most of them on working days and in office hours."""
        last = self._until.date()
        days = [last - timedelta(days=back) for back in range(_YEARS_BACK.days, -1, -1)]
        weights = [1.0 if self._calendar.is_working_day(day) else 0.12 for day in days]
        chosen = sorted(self._random.choices(range(len(days)), weights, k=self._count))
        start = 0
        while start < len(chosen):
            end = bisect.bisect_right(chosen, chosen[start])
            day = days[chosen[start]]
            begin = datetime(day.year, day.month, day.day, 8, tzinfo=SHANGHAI)
            seconds = sorted(int(self._random.betavariate(1.6, 2.0) * 12 * 3600) for _ in range(start, end))
            for second in seconds:
                yield min(begin + timedelta(seconds=second), self._until)
            start = end

    def _timing(self, at: datetime, level: Level, direct: bool) -> tuple[datetime, bool, tuple[Any, ...]]:
        """Due time, whether it is provisional, and the moments without the one at the submission."""
        key = (at.date(), level, direct)
        if key not in self._timings:
            moments = supervision_moments(level, at, self._calendar)
            provisional = is_provisional(at, moments[-1].at, self._calendar)
            self._timings[key] = due_at(level, at, self._calendar), provisional, moments
        return self._timings[key]

    def _add(self, rows: _Rows, appeal_id: int, number: str, group: str, firm: _Firm, at: datetime) -> None:
        pick, known = self._random, self._known
        board, hints, problems = pick.choices(_TOPICS, (6, 7, 16, 6, 6, 5, 34, 6, 6, 8))[0]
        level = pick.choices((Level.SIMPLE, Level.SINGLE, Level.WHISTLE), (25, 55, 20))[0]
        lead: str | None = pick.choice(self._candidates[hints] or known.departments)
        if pick.random() < 0.15:
            lead = pick.choice(known.departments)
        co: list[str] = []
        if level is Level.WHISTLE:
            co = list(dict.fromkeys([lead or "", *pick.sample(known.departments, pick.choice((1, 1, 2, 3)))]))
            lead = None
        elif pick.random() < 0.1:
            co = [name for name in (pick.choice(known.departments),) if name != lead]
        channel = "direct" if pick.random() < 0.01 else pick.choice(_CHANNELS)
        direct = channel == "direct"
        due, provisional, moments = self._timing(at, level, direct)
        text = _told(pick, pick.choice(problems), firm.trade)
        reasons = [f"文字中提到“{board}”", "与部门职责相近"]
        life = _Life(self, number, at, direct, firm, due)
        life.begin(
            {
                "state": State.FILED.value,
                "level": level.value,
                "category": board,
                "territory": firm.territory,
                "lead_department": lead,
                "co_departments": co,
                "led_by": [],
                "due_at": _iso(due),
                "due_provisional": provisional,
                "assigned_at": None,
                "first_reply_at": None,
                "first_resolved_at": None,
                "resolved_at": None,
                "closed_at": None,
                "escalation_level": 1,
                "major": False,
                "dissatisfied": 0,
                "feedback": None,
                "merged_into": None,
                "erased_at": None,
            },
            {
                "group": group,
                "enterprise": firm.name,
                "contact": firm.contact,
                "phone": firm.phone,
                "text": text,
                "channel": channel,
                "initial_level": level.value,
                "direct_line": direct,
                "reasons": reasons,
                "submitted_at": chain.moment(at),
            },
        )
        stays_open = at >= self._until - timedelta(days=3) or pick.random() < self._open_share
        life.run(pick, stays_open, self._last.get(firm.key))
        now = life.now
        self._last[firm.key] = number
        head = ""
        for position, line in enumerate(life.lines, 1):
            signed = signature = ""
            if self._signed:
                signed = chain.text_signature(self._vault.sign, number, position, line.text)
                signature = chain.link(self._vault.sign, head, number, position, line, signed)
                head = chain.head(self._vault.sign, number, position, signature)
            rows.appeal_history.append(
                (
                    appeal_id,
                    line.at,
                    line.actor.name,
                    line.actor.role.value,
                    line.actor.unit,
                    line.event.value,
                    line.summary,
                    line.text,
                    line.public,
                    _json(line.before),
                    _json(line.after),
                    position,
                    signed,
                    signature,
                )
            )
        feedback = now["feedback"] or {}
        rows.appeals.append(
            (
                appeal_id,
                number,
                group,
                firm.name,
                firm.key,
                firm.contact_sealed,
                firm.phone_sealed,
                firm.phone_hash,
                text,
                channel,
                now["category"],
                now["level"],
                level.value,
                now["state"],
                direct,
                now["territory"],
                now["lead_department"],
                _json(now["led_by"]),
                _json(reasons),
                at,
                due,
                provisional,
                _moment(now["assigned_at"]),
                _moment(now["first_reply_at"]),
                _moment(now["first_resolved_at"]),
                _moment(now["resolved_at"]),
                _moment(now["closed_at"]),
                now["escalation_level"],
                now["major"],
                now["merged_into"],
                None,
                _moment(feedback.get("at")),
                feedback.get("result"),
                feedback.get("stars"),
                life.comment if feedback else None,
                now["dissatisfied"],
                sum(line.event is not Event.NOTE for line in life.lines),
                len(life.lines),
                head,
            )
        )
        rows.appeal_co_departments.extend(
            (appeal_id, position, name) for position, name in enumerate(now["co_departments"])
        )
        self._supervise(rows, appeal_id, at, direct, moments, now)
        # who returns an escalation supervises it directly, and that is an order
        rows.appeal_supervision.extend(
            (appeal_id, line.at, TASKFORCE, "order", "done", line.text, line.at)
            for line in life.lines
            if line.event is Event.RETURN
        )

    def _supervise(
        self,
        rows: _Rows,
        appeal_id: int,
        at: datetime,
        direct: bool,
        moments: Sequence[Any],
        now: dict[str, Any],
    ) -> None:
        settled = State(now["state"]) in SETTLED
        ended = _moment(now["resolved_at"]) or self._until
        wanted = [(at, "两办督查室", "moment")] if direct else []
        wanted += [(moment.at, moment.by, "moment") for moment in moments]
        stopped_at = ended if settled else self._until
        for when, by, kind in wanted:
            if when <= stopped_at:
                pending = not settled and self._due_pending and self._random.random() < self._due_pending
                # a moment that was acted on would need its line in the record
                state = "pending" if pending else "stopped"
            else:
                state = "stopped" if settled else "pending"
            rows.appeal_supervision.append((appeal_id, when, by, kind, state, "", None))
        if now["state"] in (State.RESOLVED, State.NOT_ACCEPTED):
            *asks, call = silence_moments(ended, self._calendar)
            for moment, kind in (*((ask, "ask") for ask in asks), (call, "call")):
                state = "stopped" if moment.at <= self._until and kind == "ask" else "pending"
                rows.appeal_supervision.append((appeal_id, moment.at, moment.by, kind, state, "", None))

    def _number(self, at: datetime) -> str:
        day = at.date()
        self.counters[day] = self.counters.get(day, 0) + 1
        return format_number(self._known.prefix, day, self.counters[day])

    @property
    def until(self) -> datetime:
        """What lies after has not happened."""
        return self._until

    @property
    def signs(self) -> Vault:
        """Signs the contents."""
        return self._vault

    def words(self, phrases: Sequence[str], firm: _Firm) -> str:
        """One of some phrases, filled in."""
        return _filled(self._random, self._random.choice(phrases), firm.trade)

    def department(self) -> str:
        """Any department."""
        return self._random.choice(self._known.departments)

    def territory(self) -> str:
        """Any territory."""
        return self._random.choice(self._known.territories)


class _Life:
    """The life of one appeal, line by line, ended by the present."""

    def __init__(
        self, made: Generator, number: str, at: datetime, direct: bool, firm: _Firm, due: datetime
    ) -> None:
        self._made = made
        self._number = number
        self._at = at
        self._direct = direct
        self._firm = firm
        self._due = due
        self.now: dict[str, Any] = {}
        self.lines: list[HistoryEvent] = []
        self.comment = ""

    def begin(self, values: dict[str, Any], content: dict[str, Any]) -> None:
        """The filing itself."""
        self.now = values
        signature = chain.content_signature(self._made.signs.sign, self._number, content)
        after = {**values, "content": signature}
        where = values["territory"] or "平台、街道"
        summary = f"已提交诉求，初步判定为{Level(values['level']).text}，由{where}审核交办"
        self.lines.append(HistoryEvent(self._at, ENTERPRISE, Event.FILE, summary, after=after))

    def run(self, pick: random.Random, stays_open: bool, before: str | None) -> None:
        """Lets happen what happens until the present; ``before`` is the enterprise's last appeal."""
        at = self._at + timedelta(minutes=pick.randint(5, 600))
        territory = self.now["territory"] or self._made.territory()
        desk = Actor(f"desk-{territory}", Role.TERRITORY, territory)
        chance = pick.random()
        if stays_open and chance < 0.25:
            self._do(at, desk, Event.NOTE, None, "内部备注", "已电话联系企业了解情况。", public=False)
            return
        if chance > 0.97:
            if chance > 0.99 and before:
                self._do(
                    at,
                    desk,
                    Event.MERGE,
                    {"state": "merged", "merged_into": before},
                    "并案",
                    "同一件事",
                )
            elif chance > 0.985:
                moment = _iso(at)
                declined = {
                    "state": "not_accepted",
                    "resolved_at": moment,
                    "first_resolved_at": moment,
                    "first_reply_at": moment,
                }
                why = "该事项不属于本区职权范围，建议向所在地有关部门反映。"
                self._do(at, desk, Event.DECLINE, declined, f"{territory}不予受理，等待企业确认", why)
            else:
                self._do(
                    at, ENTERPRISE, Event.WITHDRAW, {"state": "withdrawn"}, "企业撤回诉求", "已经自行解决"
                )
            return
        led = [self.now["lead_department"]] if self.now["lead_department"] else []
        unit = self.now["lead_department"] or territory
        assigned = {
            "state": "assigned",
            "territory": territory,
            "assigned_at": _iso(at),
            "led_by": led,
        }
        if not self._do(at, desk, Event.ASSIGN, assigned, f"交办：由{unit}牵头办理"):
            return
        role = Role.DEPARTMENT if led else Role.TERRITORY
        worker = Actor(f"desk-{unit}", role, unit)
        resolved = self._resolution(pick, at)
        if stays_open:
            self._leave_open(pick, at, worker, desk)
            return
        if pick.random() < 0.5:
            middle = at + (resolved - at) * pick.random()
            if not self._do(middle, worker, Event.START, {"state": "in_work"}, f"{unit}开始办理"):
                return
            at = middle
        if pick.random() < 0.5:
            middle = at + (resolved - at) * pick.random()
            words = self._made.words(_REPLIES, self._firm)
            replied = {"state": "replied", "first_reply_at": _iso(middle)}
            if not self._do(middle, worker, Event.REPLY, replied, f"{unit}答复", words):
                return
        if not self._resolve(resolved, worker):
            return
        answer = resolved + timedelta(hours=pick.randint(1, 200))
        if pick.random() < 0.06 and self._feedback(
            answer, "unresolved", pick.choice((None, 1, 2)), "还没有真正解决"
        ):
            again = answer + timedelta(hours=pick.randint(4, 60))
            if not self._resolve(again, worker):
                return
            answer = again + timedelta(hours=pick.randint(1, 100))
        if self.now["state"] == "resolved" and pick.random() < 0.97:
            self._feedback(answer, "resolved", pick.choices((5, 4, 3, 2, 1), (60, 25, 10, 3, 2))[0], "感谢")

    def _resolution(self, pick: random.Random, at: datetime) -> datetime:
        due = self._due
        if pick.random() < 0.9:
            return max(at + timedelta(minutes=10), due - (due - at) * pick.random() * 0.8)
        return due + timedelta(hours=pick.randint(1, 120))

    def _leave_open(self, pick: random.Random, at: datetime, worker: Actor, desk: Actor) -> None:
        later = at + timedelta(minutes=pick.randint(5, 300))
        fate = pick.choice(
            ("assigned", "transfer", "start", "start", "reply", "escalate", "return", "reopen")
        )
        if fate == "transfer":
            other = self._made.department()
            if self.now["lead_department"] not in (None, other):
                moved = {"state": "transferred", "lead_department": other, "level": "whistle"}
                moved["led_by"] = [*self.now["led_by"], other]  # type: ignore[assignment]
                moved.update(lead_department=None)  # type: ignore[call-overload]
                moved["co_departments"] = list(dict.fromkeys([*moved["led_by"], *self.now["co_departments"]]))  # type: ignore[assignment]
                self._do(later, desk, Event.TRANSFER, moved, f"转办：{other}", "职责不在本单位")
        elif fate == "start":
            self._do(later, worker, Event.START, {"state": "in_work"}, f"{worker.unit}开始办理")
        elif fate == "reply":
            words = self._made.words(_REPLIES, self._firm)
            replied = {"state": "replied", "first_reply_at": _iso(later)}
            self._do(later, worker, Event.REPLY, replied, f"{worker.unit}答复", words)
        elif fate in ("escalate", "return"):
            raised = {"state": "escalated", "escalation_level": 2}
            why = "需要几个部门一起协调"
            if (
                self._do(later, desk, Event.ESCALATE, raised, "提级到第 2 级", why, public=False)
                and fate == "return"
            ):
                back = later + timedelta(hours=pick.randint(2, 20))
                taskforce = Actor("taskforce", Role.TASKFORCE, None)
                returned = {"state": "returned", "escalation_level": 1}
                self._do(
                    back,
                    taskforce,
                    Event.RETURN,
                    returned,
                    "专班退回提级，由原单位继续办理",
                    why,
                    public=False,
                )
        elif fate == "reopen" and self._resolve(later, worker):
            self._feedback(later + timedelta(hours=3), "unresolved", 1, "没有解决")

    def _resolve(self, at: datetime, worker: Actor) -> bool:
        moment = _iso(at)
        done = {
            "state": "resolved",
            "resolved_at": moment,
            "first_resolved_at": self.now["first_resolved_at"] or moment,
            "first_reply_at": self.now["first_reply_at"] or moment,
        }
        words = self._made.words(_OUTCOMES, self._firm)
        return self._do(at, worker, Event.RESOLVE, done, f"{worker.unit}办结，等待企业确认", words)

    def _feedback(self, at: datetime, result: str, stars: int | None, comment: str) -> bool:
        solved = result == "resolved"
        changed = {
            "state": "closed" if solved else "reopened",
            "feedback": {"at": _iso(at), "result": result, "stars": stars},
            "closed_at": _iso(at) if solved else None,
            "resolved_at": self.now["resolved_at"] if solved else None,
            "dissatisfied": self.now["dissatisfied"] + (not solved),
        }
        event = Event.CONFIRM if solved else Event.REJECT
        summary = (
            f"企业反馈已解决，评价 {stars} 星，诉求闭环"
            if solved
            else "企业反馈未解决，退回重新办理，办理时限不变"
        )
        if not self._do(at, ENTERPRISE, event, changed, summary, comment):
            return False
        self.comment = comment
        return True

    def _do(
        self,
        at: datetime,
        actor: Actor,
        event: Event,
        changes: dict[str, Any] | None,
        summary: str,
        text: str = "",
        *,
        public: bool = True,
    ) -> bool:
        """Adds a line, unless it lies in the future."""
        at = max(at, self.lines[-1].at).replace(microsecond=0)
        if at > self._made.until:
            return False
        changed = {name: new for name, new in (changes or {}).items() if self.now[name] != new}
        before = {name: self.now[name] for name in changed}
        self.now.update(changed)
        self.lines.append(HistoryEvent(at, actor, event, summary, text, public, before, changed))
        return True


def _iso(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat(timespec="seconds")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_json = json.JSONEncoder(ensure_ascii=False).encode


def made_up(pick: random.Random) -> dict[str, str]:
    """What an enterprise might send in: its name, a contact, a phone, one or two problems."""
    trade = pick.choice(_TRADES)
    told = []
    for _ in range(pick.choices((1, 2), (85, 15))[0]):
        _, _, problems = pick.choice(_TOPICS)
        told.append(_told(pick, pick.choice(problems), trade))
    return {
        "enterprise": _named(pick, trade),
        "contact": pick.choice(_CONTACTS) + pick.choice(_TITLES),
        "phone": f"1380000{pick.randrange(10_000):04d}",
        "text": "\n另外，".join(told),
    }


def _named(pick: random.Random, trade: str) -> str:
    return pick.choice(_PLACES) + pick.choice(_FIRST) + pick.choice(_SECOND) + trade + pick.choice(_FORMS)


def _filled(pick: random.Random, phrase: str, trade: str) -> str:
    return (
        phrase.replace("{n}", str(pick.randint(2, 60)))
        .replace("{m}", str(pick.randint(30, 9000)))
        .replace("{y}", str(pick.randint(2018, 2026)))
        .replace("{r}", pick.choice(_ROADS))
        .replace("{t}", trade)
    )


def _told(pick: random.Random, problem: str, trade: str) -> str:
    details = pick.sample(_DETAILS, pick.choices((0, 1, 2, 4, 8, 12), (15, 35, 25, 15, 7, 3))[0])
    phrases = [pick.choice(_OPENINGS), problem + "，" if details else problem + "。", *details]
    if pick.random() < 0.7:
        phrases.append(pick.choice(_REQUESTS))
    return "".join(_filled(pick, phrase, trade) for phrase in phrases)


def seed_database(
    url: str,
    vault: Vault,
    *,
    count: int = 200_000,
    seed: int = 1,
    until: datetime = UNTIL,
    open_share: float = 0.05,
    due_pending: float = 0.0,
    signed: bool = True,
) -> Counts:
    """Migrates a database and fills it; see `Generator` for the arguments.

    Raises:
        ValueError: It holds appeals already.
    """
    began = time.perf_counter()
    migrate(url, vault)
    made = Generator(
        names(),
        vault,
        count=count,
        seed=seed,
        until=until,
        open_share=open_share,
        due_pending=due_pending,
        signed=signed,
    )
    totals = dict.fromkeys(_COLUMNS, 0)
    sink = _Sqlite(url) if make_url(url).get_backend_name() == "sqlite" else _PostgreSql(url)
    with _working_for(made, plain=isinstance(sink, _Sqlite)) as batches:
        for rows in batches:
            for table in _COLUMNS:
                batch = getattr(rows, table)
                sink.add(table, batch)
                totals[table] += len(batch)
    sink.finish(made.counters, integrity_values(vault, appeals_filed=count, audit_length=0, audit_head=""))
    _begin_the_log(url, vault, count)
    return Counts(totals, time.perf_counter() - began)


_MADE: list[tuple[Generator, bool]] = []
"""What the processes that make batches have inherited."""


@contextmanager
def _working_for(made: Generator, *, plain: bool) -> Iterator[Iterator[_Rows]]:
    """Makes batches in two processes beside the one that writes."""
    _MADE[:] = [(made, plain)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        yield pool.imap(_batch, range(made.batches))


def _batch(index: int) -> _Rows:
    made, plain = _MADE[0]
    rows = made.batch(index)
    if plain:
        for table in _COLUMNS:
            setattr(rows, table, [tuple(map(_plain, row)) for row in getattr(rows, table)])
    return rows


class _Sqlite:
    """Writes batches into a SQLite file; what a killed fill leaves behind is useless."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(make_url(url).database or "")
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -200000")
        fulltext.register(self._connection)
        if self._connection.execute("SELECT 1 FROM appeals LIMIT 1").fetchone():
            raise ValueError("the database holds appeals already")

    def add(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        columns = _COLUMNS[table]
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(_quoted(columns))}) VALUES ({marks})"
        self._connection.executemany(statement, rows)

    def finish(self, counters: dict[date, int], integrity: dict[str, Any]) -> None:
        run = self._connection.execute
        for day, last in counters.items():
            run("INSERT INTO appeal_counters (day, last) VALUES (?, ?)", (day.isoformat(), last))
        run("DELETE FROM integrity")
        marks = ", ".join("?" * len(integrity))
        run(f"INSERT INTO integrity ({', '.join(integrity)}) VALUES ({marks})", tuple(integrity.values()))
        self._connection.commit()
        run("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


class _PostgreSql:
    """Writes batches into PostgreSQL with COPY."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"))
        if self._connection.execute("SELECT 1 FROM appeals LIMIT 1").fetchone():
            raise ValueError("the database holds appeals already")

    def add(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        names = ", ".join(_quoted(_COLUMNS[table]))
        with self._connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def finish(self, counters: dict[date, int], integrity: dict[str, Any]) -> None:
        run = self._connection.execute
        for day, last in counters.items():
            run("INSERT INTO appeal_counters (day, last) VALUES (%s, %s)", (day, last))
        run("DELETE FROM integrity")
        marks = ", ".join(["%s"] * len(integrity))
        run(f"INSERT INTO integrity ({', '.join(integrity)}) VALUES ({marks})", tuple(integrity.values()))
        run("SELECT setval(pg_get_serial_sequence('appeals', 'id'), (SELECT max(id) FROM appeals))")
        self._connection.commit()
        self._connection.autocommit = True
        run("VACUUM ANALYZE")
        self._connection.close()


def _begin_the_log(url: str, vault: Vault, filed: int) -> None:
    """Say that what is there was not judged: nobody has reminded or penalised these appeals."""
    engine = open_engine(url)
    with engine.begin() as connection:
        lines = connection.scalar(select(func.max(HistoryRow.id))) or 0
        after = {"lines": lines, "penalties": 0, "digest": hashlib.sha256().hexdigest()}
        entry = AuditEntry(
            datetime.now(UTC).replace(microsecond=0), SYSTEM, "audit.begin", "audit", {}, after
        )
        head = audit_signature(vault, "", 1, entry)
        connection.execute(
            insert(AuditRow).values(
                at=entry.at,
                actor_name=SYSTEM.name,
                actor_role=SYSTEM.role.value,
                action=entry.action,
                subject=entry.subject,
                before={},
                after=after,
                position=1,
                signature=head,
            )
        )
        total = integrity_values(vault, appeals_filed=filed, audit_length=1, audit_head=head)
        connection.execute(update(IntegrityRow).values(total))
    engine.dispose()


def _quoted(columns: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in columns]


def _plain(value: Any) -> Any:
    """A value as SQLite keeps it."""
    if type(value) is datetime:
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return value


def main() -> None:
    """Fills the database of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("url", help="sqlite:///PATH or postgresql://...")
    parser.add_argument("--count", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open-share", type=float, default=0.05)
    parser.add_argument("--due-pending", type=float, default=0.0)
    parser.add_argument("--until", type=datetime.fromisoformat, default=UNTIL, help="with an offset")
    parser.add_argument("--unsigned", action="store_true", help="leave the lines of the record unsigned")
    parser.add_argument("--data-dir", type=Path, help="folder of data.key; default: beside a SQLite file")
    given = parser.parse_args()
    beside = Path(make_url(given.url).database or ".").parent
    folder = given.data_dir or (beside if given.url.startswith("sqlite") else Path("var"))
    counts = seed_database(
        given.url,
        open_vault(None, folder),
        count=given.count,
        seed=given.seed,
        until=given.until,
        open_share=given.open_share,
        due_pending=given.due_pending,
        signed=not given.unsigned,
    )
    print(counts)


if __name__ == "__main__":
    main()
