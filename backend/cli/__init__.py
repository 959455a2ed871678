"""The `qifu` command: one module for each subcommand, and this, which finds the right one.

A command's module has ``NAME``, ``HELP``, ``add_arguments(parser)`` and ``run(arguments, settings) -> int``.
It imports what is heavy inside ``run``, so that `qifu --help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from backend.cli import (
    backup,
    chat,
    check,
    eval,  # noqa: A004
    migrate,
    restore,
    serve,
    staff,
    train,
    unanswered,
)
from backend.errors import QifuError
from backend.settings import Settings, load_settings

USAGE_ERROR = 2
"""Exit code when something is missing or misused; 1 means that the work itself found faults."""

INTERRUPTED = 130


class Command(Protocol):
    """What a subcommand's module provides."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the subcommand's arguments."""
        ...

    def run(self, arguments: argparse.Namespace, settings: Settings) -> int:
        """Do the work and return the exit code."""
        ...


COMMANDS: tuple[Command, ...] = (serve, train, chat, check, eval, staff, unanswered, migrate, backup, restore)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command."""
    parser = argparse.ArgumentParser(
        prog="qifu", description="Qifu 企服助手。设置都是以 QIFU_ 开头的环境变量，见 docs/settings.md。"
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="命令")
    for command in COMMANDS:
        subparser = subparsers.add_parser(command.NAME, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Args:
        argv: Arguments without the program's name; the process's own unless given.

    Returns:
        Exit code: 0 all well, 1 the work found faults, 2 something is missing or misused.
    """
    arguments = build_parser().parse_args(argv)
    try:
        return int(arguments.run(arguments, load_settings()))
    except QifuError as error:
        print(error.message, file=sys.stderr)
    except BrokenPipeError:
        # The reader of our output has left (`qifu … | head`); nothing more can be said to it.
        sys.stderr.close()
    except OSError as error:
        where = f" {error.filename}" if error.filename else ""
        print(f"无法读写{where}：{error.strerror or error}。", file=sys.stderr)
    except KeyboardInterrupt:
        return INTERRUPTED
    return USAGE_ERROR
