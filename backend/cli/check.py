"""`qifu check`: does the knowledge base keep its rules; with ``--audit``, is the record whole."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import InvalidInput, NotFound
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.storage.anchors import Anchor
    from backend.storage.vault import Vault

NAME = "check"
HELP = "检查知识库：写法、编号、引用、电话、出处，逐条列出文件和行号；--audit 核对诉求记录是否被改动"

_MOST = 1000
"""Findings that are printed; a database under another key would have one for every line."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", nargs="?", type=Path, help="知识库文件夹（默认 QIFU_KNOWLEDGE_DIR）")
    parser.add_argument(
        "--audit", action="store_true", help="核对数据库中的诉求、记录和操作日志，找出改动、删除、插入和换序"
    )
    parser.add_argument(
        "--anchors", type=Path, help="锚点文件的副本（默认数据文件夹中的 audit-anchors.jsonl）"
    )
    parser.add_argument(
        "--restart-anchors",
        action="store_true",
        help="锚点文件是自己移走的：核对以后，从现有的锚点重新登记，操作日志记下此事",
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print every problem; return 1 if there is one."""
    return _audit(arguments, settings) if arguments.audit else _check(arguments, settings)


def _check(arguments: argparse.Namespace, settings: Settings) -> int:
    from backend.knowledge.checking import check
    from backend.knowledge.loading import load
    from backend.triage.keeping import standing

    folder = arguments.folder or settings.knowledge_dir
    problems = check(folder)
    for problem in problems:
        print(f"{problem.file}:{problem.line}: {problem.message}")
    if problems:
        print(f"共 {len(problems)} 处问题。")
        return 1
    print("知识库没有发现问题。")
    print(standing(load(folder), folder, settings.model_dir))
    return 0


def _audit(arguments: argparse.Namespace, settings: Settings) -> int:
    from backend.composition import vault_of
    from backend.storage.anchors import ANCHOR_FILE, AnchorFile, BrokenAnchors
    from backend.storage.auditing import Audit, has_tables
    from backend.storage.schema import is_current

    if arguments.anchors and arguments.restart_anchors:
        raise InvalidInput("--restart-anchors 只用于数据文件夹中的锚点文件，不能与 --anchors 同用。")
    if arguments.anchors and not arguments.anchors.is_file():
        raise NotFound(f"没有锚点文件 {arguments.anchors}。")
    if not has_tables(settings.database_url) or not is_current(settings.database_url):
        raise NotFound("还没有数据库，或者它不是当前版本；请先运行 qifu migrate。")
    vault = vault_of(settings, make=False)
    found = 0
    try:
        anchors = AnchorFile(arguments.anchors or settings.data_dir / ANCHOR_FILE, vault).read()
    except BrokenAnchors as error:
        if arguments.restart_anchors:
            raise InvalidInput(f"{error}请先把它移走并保存好，再运行一次。") from None
        print(error)
        anchors, found = (), 1
    # somebody's copy, or a file that says of itself that it is spoilt, need not be complete
    audit = Audit(settings.database_url, vault, anchors, all_anchors=not (arguments.anchors or found))
    for finding in audit.findings():
        found += 1
        if found <= _MOST:
            print(f"{finding.place}：{finding.message}")
    counts = audit.counts
    seen = f"{counts.appeals} 件诉求、{counts.lines} 条记录、{counts.entries} 条日志、{counts.anchors} 个锚点"
    if arguments.restart_anchors:
        _restart(settings, vault, anchors)
    if found:
        more = f"，只列出前 {_MOST} 处" if found > _MOST else ""
        print(f"核对了{seen}，发现 {found} 处不符{more}。")
        return 1
    print(f"核对了{seen}，全部相符。")
    return 0


def _restart(settings: Settings, vault: Vault, anchors: Sequence[Anchor]) -> None:
    """Count only the anchors that there are from now on."""
    from backend.storage.anchoring import restart_anchors

    now = datetime.now(UTC).replace(microsecond=0)
    counted = asyncio.run(restart_anchors(settings.database_url, vault, anchors, now))
    print(f"总账中登记过 {counted} 个锚点，从现有的 {len(anchors)} 个重新登记；操作日志已记下。")
