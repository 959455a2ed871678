"""`liaison-score`: a liaison's monthly score (钱塘区助企服务联络员考核管理办法, 评分细则).

The table's version, which adds up to 100 (the text gives 15 points to the inspection, the table 10). Two
readings where the table is silent: a share between two whole percentage points costs its part of a point, and
what nobody has asked for or rated costs nothing.
"""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictBool

from backend.calculators.calculator import Calculator, Computation, Surroundings
from backend.calculators.inputs import Input, count, figure, number

_FIVE = Decimal(5)
_TEN = Decimal(10)


class Lead(StrEnum):
    """What came of a problem whose coordination the liaison took on (主动担当)."""

    NONE = "none"
    SOLVED = "solved"
    UNSOLVED = "unsolved"

    @property
    def points(self) -> Decimal:
        """10 where it was solved, 5 where it could not be solved."""
        return {"none": Decimal(0), "solved": _TEN, "unsolved": _FIVE}[self.value]


class Medium(StrEnum):
    """The level of the medium that carried a liaison's case."""

    NATIONAL = "national"
    PROVINCE = "province"
    CITY = "city"
    DISTRICT = "district"

    @property
    def points(self) -> Decimal:
        """4, 3, 2 or 1."""
        return Decimal({"national": 4, "province": 3, "city": 2, "district": 1}[self.value])

    @property
    def text(self) -> str:
        """The level as the table calls it."""
        return {"national": "国家级", "province": "省级", "city": "市级", "district": "区级"}[self.value]


_LEADS: dict[str, Lead] = {
    **{lead.value: lead for lead in Lead},
    "resolved": Lead.SOLVED,
    "unresolved": Lead.UNSOLVED,
    "coordinated": Lead.UNSOLVED,
    "tried": Lead.UNSOLVED,
    "failed": Lead.UNSOLVED,
    "成功解决": Lead.SOLVED,
    "已解决": Lead.SOLVED,
    "解决": Lead.SOLVED,
    "未解决": Lead.UNSOLVED,
    "无法解决": Lead.UNSOLVED,
    "仍无法解决": Lead.UNSOLVED,
    "经协调仍无法解决": Lead.UNSOLVED,
    "": Lead.NONE,
    "无": Lead.NONE,
    "没有": Lead.NONE,
    "no": Lead.NONE,
}
_MEDIA: dict[str, Medium] = {
    name: medium
    for medium, names in {
        Medium.NATIONAL: ("national", "nation", "state", "country", "国家级", "国家", "全国", "中央", "央媒"),
        Medium.PROVINCE: ("province", "provincial", "省级", "省"),
        Medium.CITY: ("city", "municipal", "市级", "市"),
        Medium.DISTRICT: ("district", "county", "区级", "区"),
    }.items()
    for name in names
}


def _plain(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip().lower()


def _lead(value: Any) -> Any:
    if value is None or value is False:
        return Lead.NONE
    return _LEADS.get(_plain(value), value) if isinstance(value, str) else value


def _medium(value: Any) -> Any:
    return _MEDIA.get(_plain(value), value) if isinstance(value, str) else value


def _media(value: Any) -> Any:
    """One level, several, or none."""
    if value is None:
        return ()
    if isinstance(value, str):
        return () if _plain(value) in ("", "none", "无", "没有") else (_medium(value),)
    return tuple(map(_medium, value)) if isinstance(value, list | tuple) else value


Count = Annotated[int, BeforeValidator(count), Field(ge=0, le=100_000)]
Share = Annotated[Decimal, BeforeValidator(figure), Field(ge=0, le=100, max_digits=20)]
Stars = Annotated[Decimal, BeforeValidator(figure), Field(ge=1, le=5, max_digits=20)]
Levels = Annotated[tuple[Medium, ...], BeforeValidator(_media), Field(max_length=1000)]


class LiaisonScoreInput(Input):
    """What a month's score depends on.

    Attributes:
        visit: Whether the monthly visit was made and its record uploaded.
        uploads: Valid problems that the liaison uploaded for enterprises.
        overdue: Problems that missed their time limit under 135.
        solved_pct: Share of problems that the enterprise calls solved, 0 to 100; null where none was due.
        hidden: Cases of concealed or missing reports that were found.
        stars: The enterprises' rating, 1 to 5, a mean where there are several; null where nobody rated.
        tracked: Whether the lead department says that the liaison followed the handling throughout.
        inspect_faults: Faults that the monthly inspection found.
        lead: ``solved``, ``unsolved`` or null: what came of a problem that the liaison took the lead in.
        leader_visit: Whether a district leader's visit was attended and reported at as demanded.
        posts: Articles handed in.
        media: Level of the medium that carried a case (``national``, ``province``, ``city``,
            ``district``), or a list with the highest level of each different content.
        adopted: Articles that the task force adopted.
    """

    visit: StrictBool
    uploads: Count
    overdue: Count
    solved_pct: Share | None
    hidden: Count = 0
    stars: Stars | None
    tracked: StrictBool
    inspect_faults: Count = 0
    lead: Annotated[Lead, BeforeValidator(_lead)] = Lead.NONE
    leader_visit: StrictBool = False
    posts: Count = 0
    media: Levels = ()
    adopted: Count = 0


def _left(full: Decimal, lost: Decimal) -> Decimal:
    return max(Decimal(0), full - lost)


def compute(given: LiaisonScoreInput, _around: Surroundings) -> Computation:
    """Score the month (docs/figures.md)."""
    solved = given.solved_pct if given.solved_pct is not None else Decimal(100)
    stars = given.stars if given.stars is not None else _FIVE
    media = sum((medium.points for medium in given.media), Decimal(0))
    parts: dict[str, Decimal] = {
        "走访": _FIVE if given.visit else Decimal(0),
        "问题上传": min(_TEN, _FIVE + 5 * given.uploads),
        "办结率": _left(_FIVE, Decimal(5 * given.overdue)),
        "解决率": _left(_TEN, 100 - solved),
        "瞒报": _left(_TEN, Decimal(5 * given.hidden)),
        "企业评价": _left(_TEN, 3 * (5 - stars)),
        "部门评价": _FIVE if given.tracked else Decimal(0),
        "月度督查": _left(_TEN, Decimal(5 * given.inspect_faults)),
        "主动担当": given.lead.points,
        "区领导走访": _FIVE if given.leader_visit else Decimal(0),
        "信息报送": _FIVE if given.posts >= 3 else Decimal(given.posts),
        "争先创优": min(Decimal(15), media + 3 * given.adopted),
    }
    total = sum(parts.values(), Decimal(0))
    said = {name: number(points) for name, points in parts.items()}
    total_said = number(total)
    trace = (*_steps(given, said, media), f"总分 {total_said} 分（满分 100 分）")
    return Computation(
        result={"parts": said, "total": total_said}, trace=trace, citations=("qt.liaison.score",)
    )


def _steps(given: LiaisonScoreInput, said: dict[str, int | float], media: Decimal) -> tuple[str, ...]:
    """Each part in a sentence: what was counted, how it is scored, what came out."""
    solved, stars = given.solved_pct, given.stars
    lead = {
        Lead.NONE: "没有牵头协调的问题",
        Lead.SOLVED: "牵头协调并成功解决",
        Lead.UNSOLVED: "牵头协调，经协调仍无法解决",
    }[given.lead]
    levels = "、".join(medium.text for medium in given.media)
    counted = {
        "走访": f"{'完成' if given.visit else '未完成'}当月走访并上传记录，满分 5 分",
        "问题上传": f"基础分 5 分，有效问题 {given.uploads} 个，每个加 5 分，最高 10 分",
        "办结率": f"满分 5 分，未按“135”时效办结 {given.overdue} 个，每个扣 5 分",
        "解决率": "当月没有企业反馈结果的问题，不扣分"
        if solved is None
        else f"{number(solved)}%，比 100% 低 {number(100 - solved)} 个百分点，每个百分点扣 1 分",
        "瞒报": f"满分 10 分，发现瞒报漏报 {given.hidden} 起，每起扣 5 分",
        "企业评价": "当月没有企业评价，不扣分"
        if stars is None
        else f"{number(stars)} 星，五星 10 分，每下降一星扣 3 分",
        "部门评价": f"{'全程跟踪' if given.tracked else '未全程跟踪'}，满分 5 分",
        "月度督查": f"满分 10 分，发现问题 {given.inspect_faults} 起，每起扣 5 分",
        "主动担当": lead,
        "区领导走访": "按要求在场并汇报" if given.leader_visit else "当月没有",
        "信息报送": f"{given.posts} 篇，每篇 1 分，三篇及以上 5 分",
        "争先创优": f"媒体刊登{f'（{levels}）' if levels else ''} {number(media)} 分，"
        f"采用 {given.adopted} 篇，每篇 3 分，合计最高 15 分",
    }
    return tuple(f"{name}：{text}，得 {said[name]} 分" for name, text in counted.items())


CALCULATOR = Calculator("liaison-score", "助企员月度考核得分", LiaisonScoreInput, compute)
