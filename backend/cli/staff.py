"""`qifu staff`: accounts of the people who work with appeals."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from backend.cli import migrate
from backend.errors import InvalidInput
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.people.service import PeopleService

NAME = "staff"
HELP = "管理工作人员账号"

_Work = Callable[["PeopleService"], Awaitable[None]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands and their arguments."""
    from backend.people.roles import Role

    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")

    create = actions.add_parser("create", help="新建账号")
    create.add_argument("username", help="用户名")
    create.add_argument("--role", required=True, choices=[role.value for role in Role], help="角色")
    create.add_argument("--unit", help="单位名称，例如“区住建局”；部门和平台、街道的账号必填")
    create.add_argument("--print-token", action="store_true", help="不设密码，输出一个供程序使用的令牌")
    create.add_argument("--password-stdin", action="store_true", help="从标准输入读一行密码")

    actions.add_parser("list", help="列出账号")

    disable = actions.add_parser("disable", help="停用账号，它的令牌立即失效")
    disable.add_argument("username", help="用户名")

    token = actions.add_parser("token", help="为账号签发一个新令牌")
    token.add_argument("username", help="用户名")

    passwd = actions.add_parser("passwd", help="设置新密码，原有令牌失效")
    passwd.add_argument("username", help="用户名")
    passwd.add_argument("--password-stdin", action="store_true", help="从标准输入读一行密码")


def _read_password(from_stdin: bool) -> str:
    """Read a password: one line of standard input, or twice from the terminal without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidInput("没有终端可以输入密码；请用 --password-stdin 从标准输入读取。")
    first = getpass.getpass("密码：")
    if getpass.getpass("再输一次：") != first:
        raise InvalidInput("两次输入的密码不一样。")
    return first


def _create(arguments: argparse.Namespace, settings: Settings) -> _Work:
    password = None
    if arguments.password_stdin or not arguments.print_token:
        password = _read_password(arguments.password_stdin)

    async def work(people: PeopleService) -> None:
        account = await people.create_account(arguments.username, arguments.role, arguments.unit, password)
        unit = f"，{account.unit}" if account.unit else ""
        print(f"已新建账号 {account.username}（{account.role.value}{unit}）。", file=sys.stderr)
        if arguments.print_token:
            await _print_token(people, account.username, settings)

    return work


async def _print_token(people: PeopleService, username: str, settings: Settings) -> None:
    """Print the token alone on standard output, so that a script can take it."""
    issued = await people.issue_token(username, lifetime=timedelta(days=settings.token_lifetime_days))
    until = issued.expires_at.astimezone()
    print(f"令牌只显示这一次，有效期至 {until:%Y-%m-%d %H:%M}：", file=sys.stderr, flush=True)
    print(issued.token)


def _work(arguments: argparse.Namespace, settings: Settings) -> _Work:
    async def show(people: PeopleService) -> None:
        for account in await people.accounts():
            state = "停用" if account.disabled_at else "在用"
            print(f"{account.username}\t{account.role.value}\t{account.unit or '-'}\t{state}")

    async def disable(people: PeopleService) -> None:
        await people.disable(arguments.username)
        print(f"已停用账号 {arguments.username}。")

    async def token(people: PeopleService) -> None:
        await _print_token(people, arguments.username, settings)

    if arguments.action == "create":
        return _create(arguments, settings)
    if arguments.action == "passwd":
        password = _read_password(arguments.password_stdin)

        async def passwd(people: PeopleService) -> None:
            await people.set_password(arguments.username, password)
            print(f"已设置 {arguments.username} 的新密码。")

        return passwd
    return {"list": show, "disable": disable, "token": token}[arguments.action]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one thing with the accounts of the database that the service uses."""
    from backend.composition import build

    work = _work(arguments, settings)
    migrate.bring_up_to_date(settings)

    async def with_people() -> None:
        container = build(settings)
        try:
            await work(container.people)
        finally:
            await container.database.close()

    asyncio.run(with_people())
    return 0
