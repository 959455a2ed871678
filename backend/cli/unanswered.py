"""`qifu unanswered`: what people asked in vain, for who administers the service or writes entries."""

from __future__ import annotations

import argparse
import asyncio
import json
from datetime import datetime
from typing import TYPE_CHECKING

from backend.cli import migrate
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.hotline.unanswered import QuestionGroup

NAME = "unanswered"
HELP = "列出没有答上来的问题（已去除个人信息），相近的归在一起，问得多的在前"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--days", type=_days, default=30, metavar="天数", help="只看最近多少天问过的（默认 30）"
    )
    parser.add_argument("--json", action="store_true", help="输出一个 JSON 对象")


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3650:
        raise argparse.ArgumentTypeError("天数应是 1 到 3650 的整数")
    return int(text)


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the groups of open questions."""
    from backend.composition import build

    migrate.bring_up_to_date(settings)

    async def groups() -> tuple[QuestionGroup, ...]:
        container = build(settings)
        try:
            return await container.unanswered.all_groups(arguments.days)
        finally:
            await container.database.close()

    found = asyncio.run(groups())
    if arguments.json:
        print(
            json.dumps(
                {"days": arguments.days, "groups": [_plain(group) for group in found]}, ensure_ascii=False
            )
        )
        return 0
    times = sum(group.count for group in found)
    print(f"最近 {arguments.days} 天没有答上来的问题：{len(found)} 组，共问 {times} 次。")
    for group in found:
        print(f"{group.count}\t{group.last_at.astimezone():%Y-%m-%d}\t{group.question}")
        for one in group.questions[1:]:
            print(f"\t{one.count}\t{one.question}")
    return 0


def _plain(group: QuestionGroup) -> dict[str, object]:
    return {
        "question": group.question,
        "count": group.count,
        "first_at": _moment(group.first_at),
        "last_at": _moment(group.last_at),
        "questions": [
            {
                "id": one.id,
                "question": one.question,
                "count": one.count,
                "first_at": _moment(one.first_at),
                "last_at": _moment(one.last_at),
            }
            for one in group.questions
        ],
    }


def _moment(at: datetime) -> str:
    return at.astimezone().isoformat()
