"""`qifu restore`: put the databases of a backup back, with the service stopped."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime
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
    key = None if settings.data_key else settings.data_dir / archive.KEY_FILE
    fits: list[bool] = []
    with only_one(settings.data_dir):
        names = archive.read(
            arguments.file,
            files,
            force=arguments.force,
            key=key,
            check=lambda database, came_along: fits.append(_key_fits(settings, database, came_along)),
        )
        aside = _put_anchors_aside(settings.data_dir)
        if any(fits):
            _restart_anchors(settings)
    print(f"已恢复 {'、'.join(names)}。")
    if any(fits):
        print("数据密钥与备份相符。")
    if aside:
        print(f"恢复的是较早的状态，此前的锚点已移到 {aside.name}；qifu check --audit 从现在起重新积累锚点。")
    return 0


def _key_fits(settings: Settings, database: Path, came_along: Path | None) -> bool:
    """Whether the key that will be used has written a database; False where it holds nothing written by any.

    Raises:
        WrongKey: Another key has, or there is none.
    """
    from backend.composition import vault_of
    from backend.storage.vault import KEY_FILE, Vault, WrongKey, decode_key

    check = _key_check(database)
    if check is None:
        return False
    own = settings.data_key is not None or (settings.data_dir / KEY_FILE).exists()
    try:
        if own or came_along is None:
            vault = vault_of(settings, make=False)
        else:
            vault = Vault(decode_key(came_along.read_text(encoding="ascii")))
    except WrongKey as error:
        raise WrongKey(f"{error}没有改动任何数据。") from None
    if vault.check != check:
        raise WrongKey(
            "备份是用另一个数据密钥写的，没有改动任何数据；请先设置原来的 QIFU_DATA_KEY，"
            "或者把原来的 data.key 放回数据文件夹。"
        )
    return True


def _key_check(database: Path) -> str | None:
    """What a database remembers of its key; None where it has nothing to remember."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as opened:
        try:
            row = opened.execute("SELECT key_check FROM integrity").fetchone()
        except sqlite3.DatabaseError:
            return None
    return str(row[0]) if row else None


def _put_anchors_aside(data_dir: Path) -> Path | None:
    """Rename the anchors of the state that was replaced; answers where they are."""
    from backend.storage.anchors import ANCHOR_FILE

    anchors = data_dir / ANCHOR_FILE
    if not anchors.exists():
        return None
    aside = anchors.with_name(f"audit-anchors-{datetime.now().astimezone():%Y%m%d-%H%M%S}.jsonl")
    return anchors.rename(aside)


def _restart_anchors(settings: Settings) -> None:
    """Forget how many anchors the restored state had: they are with the state that was replaced."""
    from backend.composition import vault_of
    from backend.storage.anchoring import restart_anchors
    from backend.storage.schema import is_current

    if is_current(settings.database_url):
        now = datetime.now().astimezone().replace(microsecond=0)
        vault = vault_of(settings, make=False)
        asyncio.run(restart_anchors(settings.database_url, vault, (), now))
