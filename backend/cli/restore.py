"""`qifu restore`: put the databases of a backup back, with the service stopped."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.cli import archive
from backend.cli.instance import only_one
from backend.errors import NotFound
from backend.settings import Settings

NAME = "restore"
HELP = "从备份文件恢复数据库；服务须先停止，已有数据时须加 --force"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, help="qifu backup 做的备份文件")
    parser.add_argument("--force", action="store_true", help="覆盖已有的数据")


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Restore and say what was."""
    if not arguments.file.is_file():
        raise NotFound(f"没有备份文件 {arguments.file}。")
    files = archive.database_files(settings)
    with only_one(settings.data_dir):
        names = archive.read(arguments.file, files, force=arguments.force)
    print(f"已恢复 {'、'.join(names)}。")
    return 0
