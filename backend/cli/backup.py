"""`qifu backup`: one file with the databases, made while the service runs."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from backend.cli import archive
from backend.settings import Settings

NAME = "backup"
HELP = "把数据库备份成一个文件，服务可以不停"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="备份文件（默认在数据文件夹的 backups 里，按时间命名）"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the backup and say where it is."""
    now = datetime.now().astimezone()
    file = arguments.file or settings.data_dir / "backups" / f"qifu-{now:%Y%m%d-%H%M%S}.tar.gz"
    names = archive.write(file, archive.database_files(settings), now)
    print(f"已备份 {'、'.join(names)}：{file}")
    return 0
