"""`qifu migrate`: bring the database up to the code's schema."""

from __future__ import annotations

import argparse

from backend.cli import archive
from backend.cli.instance import keep_private
from backend.settings import Settings

NAME = "migrate"
HELP = "把数据库升级到当前版本的表结构；可以重复运行"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments; there are none."""


def bring_up_to_date(settings: Settings) -> None:
    """Create the database or run the migrations that it has not seen."""
    from backend.composition import vault_of
    from backend.storage.schema import migrate

    keep_private(settings.data_dir, archive.sqlite_files(settings).values())
    migrate(settings.database_url, vault_of(settings))


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Migrate and say so."""
    bring_up_to_date(settings)
    print("数据库已是最新。")
    return 0
