"""`qifu backup`: one file with the databases, made while the service runs."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path

from backend.cli import archive
from backend.errors import NotFound
from backend.settings import Settings

NAME = "backup"
HELP = "把数据库备份成一个文件，服务可以不停"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="备份文件（默认在数据文件夹的 backups 里，按时间命名）"
    )
    parser.add_argument(
        "--with-key", action="store_true", help="连同数据密钥一起备份；这样的文件要像密钥一样保管"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Write the backup and say where it is."""
    now = datetime.now().astimezone()
    file = arguments.file or settings.data_dir / "backups" / f"qifu-{now:%Y%m%d-%H%M%S}.tar.gz"
    key = settings.data_dir / archive.KEY_FILE
    if arguments.with_key and (settings.data_key or not key.is_file()):
        raise NotFound("数据文件夹里没有 data.key，无法连同备份；QIFU_DATA_KEY 请另行保存。")
    with_key = key if arguments.with_key else None
    names = archive.write(file, archive.database_files(settings), now, with_key)
    if with_key:
        print(f"已备份 {'、'.join(names)} 和数据密钥：{file}")
        print("谁得到这个文件，谁就能读出联系方式，请像密钥一样保管。")
    else:
        print(f"已备份 {'、'.join(names)}：{file}")
        print("数据密钥（data.key 或 QIFU_DATA_KEY）不在其中，请另行保存；没有它，联系方式无法恢复。")
    return 0
