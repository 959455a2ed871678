"""Cases of the calculators worked out by hand from the notices and the documents, none of them published.

Each is (calculator, input, what the result holds at least).
"""

from __future__ import annotations

from typing import Any

Case = tuple[str, dict[str, Any], dict[str, Any]]


def _due(level: str, submitted: str, due: str, *moments: str, provisional: bool = False) -> Case:
    """A deadline with its supervision moments, all in +08:00 and without seconds."""
    by = ("专班", "专班督查考评组")
    expected: dict[str, Any] = {"due_at": f"{due}T17:30:00+08:00", "provisional": provisional}
    if moments:
        expected["supervision"] = [
            {"at": f"{at}:00:00+08:00", "by": who} for at, who in zip(moments, by, strict=False)
        ]
    return "deadline", {"level": level, "submitted_at": f"{submitted}:00+08:00"}, expected


DEADLINES: list[Case] = [
    # 2023
    _due("simple", "2023-01-20T16:00", "2023-01-28", "2023-01-29T09"),  # Spring Festival, two Sundays worked
    _due("single", "2023-01-19T10:00", "2023-01-29", "2023-01-29T12", "2023-01-30T09"),
    _due("whistle", "2023-01-18T09:00", "2023-01-30", "2023-01-30T12", "2023-01-31T09"),
    _due("simple", "2023-04-04T23:59", "2023-04-06", "2023-04-07T09"),  # one day for Qingming
    _due("simple", "2023-04-21T17:31", "2023-04-23", "2023-04-24T09"),  # the Sunday before is worked
    _due("single", "2023-04-28T17:30", "2023-05-06", "2023-05-06T12", "2023-05-08T09"),
    _due("single", "2023-09-28T18:00", "2023-10-09", "2023-10-09T12", "2023-10-10T09"),
    _due("whistle", "2023-09-29T00:00", "2023-10-11", "2023-10-11T12", "2023-10-12T09"),  # filed on a holiday
    _due("whistle", "2023-12-25T10:00", "2024-01-02", "2024-01-02T12", "2024-01-03T09"),
    _due("simple", "2023-12-29T09:00", "2024-01-02", "2024-01-03T09"),
    # 2024
    _due("simple", "2024-02-08T10:00", "2024-02-09", "2024-02-18T09"),  # New Year's Eve was worked
    _due("single", "2024-02-08T10:00", "2024-02-19", "2024-02-19T12", "2024-02-20T09"),
    _due("simple", "2024-02-03T10:00", "2024-02-04", "2024-02-05T09"),  # filed on a Saturday
    _due("simple", "2024-02-28T15:00", "2024-02-29", "2024-03-01T09"),  # leap day
    _due("single", "2024-02-28T15:00", "2024-03-04", "2024-03-04T12", "2024-03-05T09"),
    _due("simple", "2024-04-06T12:00", "2024-04-07", "2024-04-08T09"),
    _due("whistle", "2024-04-26T10:00", "2024-05-07", "2024-05-07T12", "2024-05-08T09"),
    _due("simple", "2024-05-10T19:00", "2024-05-11", "2024-05-13T09"),  # a worked Saturday
    _due("simple", "2024-06-07T10:00", "2024-06-11", "2024-06-12T09"),
    _due("single", "2024-09-12T10:00", "2024-09-18", "2024-09-18T12", "2024-09-19T09"),
    _due("single", "2024-09-28T08:00", "2024-10-08", "2024-10-08T12", "2024-10-09T09"),
    _due("whistle", "2024-09-30T17:29", "2024-10-12", "2024-10-12T12", "2024-10-14T09"),
    # 2025
    _due("whistle", "2025-01-24T10:00", "2025-02-07", "2025-02-07T12", "2025-02-08T09"),
    _due("single", "2025-01-27T17:30", "2025-02-07", "2025-02-07T12", "2025-02-08T09"),
    _due("simple", "2025-02-07T20:00", "2025-02-08", "2025-02-10T09"),
    _due("single", "2025-04-03T09:00", "2025-04-09", "2025-04-09T12", "2025-04-10T09"),
    _due("simple", "2025-04-26T09:00", "2025-04-27", "2025-04-28T09"),
    _due("single", "2025-04-30T12:30", "2025-05-08", "2025-05-08T12", "2025-05-09T09"),
    _due("simple", "2025-05-30T17:45", "2025-06-03", "2025-06-04T09"),
    _due("whistle", "2025-09-26T11:00", "2025-10-10", "2025-10-10T12", "2025-10-11T09"),
    _due("single", "2025-12-30T09:00", "2026-01-05", "2026-01-05T12", "2026-01-06T09"),  # Jan 4 is worked
    # 2026
    _due("simple", "2026-01-02T09:00", "2026-01-04", "2026-01-05T09"),
    _due("whistle", "2026-02-12T10:00", "2026-02-26", "2026-02-26T12", "2026-02-27T09"),
    _due("simple", "2026-02-13T18:30", "2026-02-14", "2026-02-24T09"),
    _due("single", "2026-02-14T17:30", "2026-02-26", "2026-02-26T12", "2026-02-27T09"),
    _due("whistle", "2026-04-03T08:00", "2026-04-13", "2026-04-13T12", "2026-04-14T09"),
    _due("single", "2026-05-07T09:00", "2026-05-11", "2026-05-11T12", "2026-05-12T09"),
    _due("simple", "2026-05-08T09:00", "2026-05-09", "2026-05-11T09"),
    _due("simple", "2026-06-18T09:00", "2026-06-22", "2026-06-23T09"),
    _due("simple", "2026-09-19T09:00", "2026-09-20", "2026-09-21T09"),  # a worked Sunday
    _due("whistle", "2026-09-24T09:00", "2026-10-09", "2026-10-09T12", "2026-10-10T09"),
    _due("whistle", "2026-10-08T00:00", "2026-10-14", "2026-10-14T12", "2026-10-15T09"),
    # 2027: no notice, so weekends and the days fixed by date only, and said so
    _due("simple", "2026-12-31T09:00", "2027-01-04", "2027-01-05T09", provisional=True),
    _due("single", "2027-04-29T09:00", "2027-05-04", "2027-05-04T12", "2027-05-05T09", provisional=True),
    _due("whistle", "2027-09-30T09:00", "2027-10-08", "2027-10-08T12", "2027-10-11T09", provisional=True),
    _due("single", "2026-12-28T10:00", "2026-12-31", "2026-12-31T12", "2027-01-04T09", provisional=True),
    _due("simple", "2026-12-29T10:00", "2026-12-30", "2026-12-31T09"),
    # the same moment in other offsets, and as the day before in UTC
    (
        "deadline",
        {"level": "simple", "submitted_at": "2026-10-08T16:30:00Z"},
        {"due_at": "2026-10-10T17:30:00+08:00"},
    ),
    (
        "deadline",
        {"level": "single", "submitted_at": "2026-03-02T23:30:00-05:00"},
        {"due_at": "2026-03-06T17:30:00+08:00"},
    ),
    (
        "deadline",
        {"level": "whistle", "submitted_at": "2026-03-02T10:00:00+08:00", "direct": True},
        {
            "due_at": "2026-03-09T17:30:00+08:00",
            "supervisor": "两办督查室",
            "supervision": [
                {"at": "2026-03-02T10:00:00+08:00", "by": "两办督查室"},
                {"at": "2026-03-09T12:00:00+08:00", "by": "专班"},
                {"at": "2026-03-10T09:00:00+08:00", "by": "专班督查考评组"},
            ],
        },
    ),
    (
        "deadline",
        {"level": "whistle", "submitted_at": "2026-03-02T10:00:00+08:00", "upgraded_from": "single"},
        {"due_at": "2026-03-09T17:30:00+08:00", "working_days": 5},
    ),
]

_WHISTLE = {"level": "whistle", "lead": "平台、街道"}

ROUTINGS: list[Case] = [
    (
        "routing",
        {"initial_level": "single", "departments": ["区财政局"]},
        {"level": "single", "lead": "区财政局", "co_departments": [], "first_department": "区财政局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区财政局", "区商务局", "区财政局"]},
        {**_WHISTLE, "co_departments": ["区财政局", "区商务局"], "first_department": "区财政局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区财政局", "区财政局", "区财政局"]},
        {"level": "single", "lead": "区财政局", "co_departments": []},
    ),
    (
        "routing",
        {"initial_level": "simple", "departments": ["区商务局", "区人社局", "区税务局", "区人社局"]},
        {**_WHISTLE, "co_departments": ["区商务局", "区人社局", "区税务局"]},
    ),
    (
        "routing",
        {"initial_level": "whistle", "departments": ["区住建局", "区规划资源局"]},
        {**_WHISTLE, "co_departments": ["区住建局", "区规划资源局"]},
    ),
    (
        "routing",
        {"initial_level": "whistle", "departments": ["区住建局"]},
        {**_WHISTLE, "co_departments": ["区住建局"]},
    ),
    (
        "routing",
        {"initial_level": "simple", "departments": []},
        {**_WHISTLE, "co_departments": [], "first_department": None},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区住建局建设科", "区住建局房管科"]},
        {"level": "single", "lead": "区住建局", "co_departments": []},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区住建局建设科", "区财政局"]},
        {**_WHISTLE, "co_departments": ["区住建局", "区财政局"]},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": [" 区财政局 ", "区财政局"]},
        {"level": "single", "lead": "区财政局"},
    ),
    (
        "routing",
        {"initial_level": "single", "departments": ["区委人才办", "区人社局"], "direct": True},
        {**_WHISTLE, "supervisor": "两办督查室"},
    ),
]

CATCH_ALLS: list[Case] = [
    *(
        ("catch-all", {"situation": situation}, {"level": level, "working_days": days})
        for level, days, situations in (
            (
                "现场办",
                1,
                (
                    "简单的问题能即办",
                    "窗口当场就能办完的简单事项",
                    "即办件",
                    "咨询办事材料",
                    "不需要多部门协商，窗口就能办",
                    "并非特殊事项，当场办结",
                    "无需领导协调，窗口即办",
                    "不复杂，立等可取",
                    "特殊人群代办，窗口当场办",
                ),
            ),
            (
                "局长办",
                3,
                (
                    "窗口不能解决的问题",
                    "窗口解决不了，需要领导领衔",
                    "窗口无法答复",
                    "领导领衔",
                    "材料简单但窗口办不了",
                    "不是窗口能解决的",
                    "需要局长出面协调",
                    "窗口不能即办的复杂问题",
                ),
            ),
            (
                "研讨办",
                5,
                (
                    "需多部门协商研究",
                    "一事一议的特殊事情",
                    "涉及三个部门",
                    "几个部门互相推诿",
                    "无先例的事项",
                    "多部门无牵头的事项",
                    "窗口不能解决，需要两个以上部门研究",
                    "一个部门解决不了",
                    "不是单个部门能定的事",
                    "涉及两家单位，需要联合审批",
                    "跨部门的难题",
                ),
            ),
        )
        for situation in situations
    ),
    (
        "catch-all",
        {"situation": "窗口即办", "submitted_at": "2026-09-30T20:00:00+08:00"},
        {"level": "现场办", "due_at": "2026-10-08T17:30:00+08:00", "provisional": False},
    ),
    (
        "catch-all",
        {"situation": "领导领衔", "submitted_at": "2024-02-08T09:00:00+08:00"},
        {"level": "局长办", "due_at": "2024-02-19T17:30:00+08:00"},
    ),
    (
        "catch-all",
        {"situation": "多部门协商", "submitted_at": "2025-01-25T09:00:00+08:00"},
        {"level": "研讨办", "due_at": "2025-02-07T17:30:00+08:00"},
    ),
]

POLICY_RETURNS: list[Case] = [
    ("policy-return", {"kind": kind, "handed_at": handed}, {"due_at": due})
    for kind, handed, due in (
        ("single_department", "2026-09-30T17:30:00+08:00", "2026-10-01T17:30:00+08:00"),  # a holiday counts
        ("joint", "2026-03-06T09:00:00+08:00", "2026-03-08T09:00:00+08:00"),  # a weekend counts
        ("single_department", "2024-02-28T16:00:00+08:00", "2024-02-29T16:00:00+08:00"),
        ("joint", "2024-02-28T16:00:00+08:00", "2024-03-01T16:00:00+08:00"),
        ("joint", "2023-02-27T08:05:09+08:00", "2023-03-01T08:05:09+08:00"),
        ("single_department", "2025-12-31T23:59:59+08:00", "2026-01-01T23:59:59+08:00"),
        ("joint", "2026-12-30T00:00:00+08:00", "2027-01-01T00:00:00+08:00"),
        ("single_department", "2026-03-03T02:00:00Z", "2026-03-04T10:00:00+08:00"),
        ("multi_department", "2026-03-03T10:00:00+08:00", "2026-03-05T10:00:00+08:00"),
        ("部门联合", "2026-03-03T10:00:00+08:00", "2026-03-05T10:00:00+08:00"),
    )
]

FULL: dict[str, Any] = {
    "visit": True,
    "uploads": 1,
    "overdue": 0,
    "solved_pct": 100,
    "hidden": 0,
    "stars": 5,
    "tracked": True,
    "inspect_faults": 0,
    "lead": "solved",
    "leader_visit": True,
    "posts": 3,
    "media": "national",
    "adopted": 4,
}
"""A month with all 100 points."""

NOTHING: dict[str, Any] = {
    "visit": False,
    "uploads": 0,
    "overdue": 9,
    "solved_pct": 0,
    "hidden": 9,
    "stars": 1,
    "tracked": False,
    "inspect_faults": 9,
    "lead": None,
    "leader_visit": False,
    "posts": 0,
    "media": None,
    "adopted": 0,
}
"""A month with nothing but the base points of 问题上传."""


def _score(part: str, points: float, **changes: Any) -> Case:
    """The full month with one change, which costs only in one part."""
    lost = {"走访": 5, "问题上传": 10, "办结率": 5, "解决率": 10, "瞒报": 10, "企业评价": 10, "部门评价": 5}
    lost |= {"月度督查": 10, "主动担当": 10, "区领导走访": 5, "信息报送": 5, "争先创优": 15}
    parts = {**lost, part: points}
    return "liaison-score", {**FULL, **changes}, {"parts": parts, "total": sum(parts.values())}


LIAISON_SCORES: list[Case] = [
    _score("走访", 5),
    _score("走访", 0, visit=False),
    _score("问题上传", 5, uploads=0),
    _score("问题上传", 10, uploads=7),
    _score("办结率", 0, overdue=1),
    _score("办结率", 0, overdue=3),
    _score("解决率", 9, solved_pct=99),
    _score("解决率", 8.5, solved_pct=98.5),
    _score("解决率", 8.7, solved_pct=98.7),
    _score("解决率", 0.5, solved_pct=90.5),
    _score("解决率", 0, solved_pct=90),
    _score("解决率", 0, solved_pct=89.9),
    _score("解决率", 0, solved_pct=0),
    _score("解决率", 10, solved_pct=None),
    _score("解决率", 10, solved_pct=100.0),
    _score("瞒报", 5, hidden=1),
    _score("瞒报", 0, hidden=2),
    _score("瞒报", 0, hidden=3),
    _score("企业评价", 7, stars=4),
    _score("企业评价", 4, stars=3),
    _score("企业评价", 1, stars=2),
    _score("企业评价", 0, stars=1),
    _score("企业评价", 8.5, stars=4.5),
    _score("企业评价", 10, stars=None),
    _score("部门评价", 0, tracked=False),
    _score("月度督查", 5, inspect_faults=1),
    _score("月度督查", 0, inspect_faults=2),
    _score("月度督查", 0, inspect_faults=3),
    _score("主动担当", 5, lead="unsolved"),
    _score("主动担当", 0, lead=None),
    _score("主动担当", 0, lead="none"),
    _score("区领导走访", 0, leader_visit=False),
    _score("信息报送", 0, posts=0),
    _score("信息报送", 1, posts=1),
    _score("信息报送", 2, posts=2),
    _score("信息报送", 5, posts=30),
    _score("争先创优", 0, media=None, adopted=0),
    _score("争先创优", 4, media="national", adopted=0),
    _score("争先创优", 3, media="省级", adopted=0),
    _score("争先创优", 2, media="city", adopted=0),
    _score("争先创优", 1, media="区", adopted=0),
    _score("争先创优", 7, media=["national", "省级"], adopted=0),
    _score("争先创优", 14, media="city", adopted=4),
    _score("争先创优", 15, media="province", adopted=4),
    _score("争先创优", 15, media=["national"] * 4, adopted=0),
    _score("争先创优", 3, media=[], adopted=1),
    ("liaison-score", NOTHING, {"total": 5}),
]

ASSESSMENTS: list[Case] = [
    ("chief-officer-score", {"five_powers": 90, "deductions": []}, {"total": 110}),
    ("chief-officer-score", {"five_powers": 100}, {"total": 120}),
    ("chief-officer-score", {"five_powers": 70, "deductions": [3] * 9}, {"total": 70, "basic": 0}),
    ("chief-officer-score", {"five_powers": 88.5, "deductions": [1, 1.5]}, {"total": 106}),
    ("chief-officer-bonus", {"grades": ["A", "S"]}, {"bonuses": [22000, 24000]}),
    ("chief-officer-bonus", {"grades": ["B", "D"], "base": 10001}, {"bonuses": [9000.9, 0]}),
    (
        "department-bonus",
        {"units": 20},
        {"rank_to_max_points": {"1-6": 3.0, "7-16": 2.4, "17-20": 1.8}},
    ),
    ("department-bonus", {"units": 5}, {"rank_to_max_points": {"1": 3.0, "2-4": 2.4, "5": 1.8}}),
    ("department-bonus", {"units": 11}, {"rank_to_max_points": {"1-3": 3.0, "4-8": 2.4, "9-11": 1.8}}),
    ("department-bonus", {"units": 1}, {"rank_to_max_points": {"1": 1.8}}),
]

CASES: list[Case] = [*DEADLINES, *ROUTINGS, *CATCH_ALLS, *POLICY_RETURNS, *LIAISON_SCORES, *ASSESSMENTS]

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("liaison-score", {}, "visit"),
    *(
        ("liaison-score", {**FULL, field: value}, field)
        for field, value in (
            ("uploads", -1),
            ("uploads", 1.5),
            ("uploads", "many"),
            ("uploads", True),
            ("uploads", None),
            ("overdue", -1),
            ("hidden", 10**9),
            ("posts", "3篇"),
            ("solved_pct", 100.1),
            ("solved_pct", -0.1),
            ("solved_pct", True),
            ("solved_pct", "nan"),
            ("solved_pct", "1e999999999"),
            ("stars", 0),
            ("stars", 5.5),
            ("stars", "五"),
            ("visit", "yes"),
            ("visit", 1),
            ("tracked", None),
            ("lead", "maybe"),
            ("lead", 5),
            ("media", "moon"),
            ("media", ["national", "moon"]),
            ("media", 4),
            ("media", {"a": 1}),
            ("adopted", 2.5),
            ("colour", "red"),
        )
    ),
    ("chief-officer-score", {"five_powers": 101}, "five_powers"),
    ("chief-officer-score", {"five_powers": 80, "deductions": [4]}, "deductions"),
    ("chief-officer-score", {"five_powers": True}, "five_powers"),
    ("chief-officer-bonus", {"grades": []}, "grades"),
    ("chief-officer-bonus", {"grades": ["E"]}, "grades"),
    ("chief-officer-bonus", {"grades": ["S"], "base": -1}, "base"),
    ("department-bonus", {"units": 0}, "units"),
    ("department-bonus", {"units": 2.5}, "units"),
    ("policy-return", {"kind": "three", "handed_at": "2026-03-03T10:00:00+08:00"}, "kind"),
    ("policy-return", {"kind": "joint", "handed_at": "2026-03-03T10:00:00"}, "handed_at"),
    ("catch-all", {"situation": "今天天气不错"}, "situation"),
    ("catch-all", {"situation": "不需要多部门协商"}, "situation"),
    ("routing", {"initial_level": "double", "departments": ["区财政局"]}, "initial_level"),
    ("routing", {"initial_level": "single", "departments": ["  "]}, "departments"),
    ("deadline", {"level": "single", "submitted_at": "2026-02-29T10:00:00+08:00"}, "submitted_at"),
    ("deadline", {"level": "", "submitted_at": "2026-02-28T10:00:00+08:00"}, "level"),
]
"""(calculator, input that cannot be used, the field at fault)."""
