"""`qifu check`: does the knowledge base keep its rules."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.settings import Settings

NAME = "check"
HELP = "检查知识库：写法、编号、引用、电话、出处；有问题时逐条列出文件和行号"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("folder", nargs="?", type=Path, help="知识库文件夹（默认 QIFU_KNOWLEDGE_DIR）")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print every problem as ``file:line: message``; return 1 if there is one."""
    from backend.knowledge.checking import check

    folder = arguments.folder or settings.knowledge_dir
    problems = check(folder)
    for problem in problems:
        print(f"{problem.file}:{problem.line}: {problem.message}")
    if problems:
        print(f"共 {len(problems)} 处问题。")
        return 1
    print("知识库没有发现问题。")
    return 0
