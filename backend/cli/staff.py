"""`qifu staff`: accounts of the people who work with appeals."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from backend.cli import migrate
from backend.errors import InvalidInput
from backend.settings import Settings

if TYPE_CHECKING:
    from backend.composition import Container

NAME = "staff"
HELP = "管理工作人员账号"

_PAGE = 100
_Work = Callable[["Container"], Awaitable[None]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands and their arguments."""
    from backend.people.roles import Role

    actions = parser.add_subparsers(dest="action", required=True, metavar="操作")
    roles = [role.value for role in Role]

    def command(name: str, words: str, *, username: bool = True) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=words)
        if username:
            added.add_argument("username", help="用户名")
        return added

    create = command("create", "新建账号")
    create.add_argument("--role", required=True, choices=roles, help="角色")
    create.add_argument("--unit", help="单位名称，例如“区住建局”；部门和平台、街道的账号必填")
    create.add_argument("--print-token", action="store_true", help="不设密码，输出一个供程序使用的令牌")
    create.add_argument("--password-stdin", action="store_true", help="从标准输入读一行密码")

    command("list", "列出账号", username=False)
    command("disable", "停用账号，它的令牌立即失效")
    command("enable", "重新启用账号")

    role = command("role", "改角色或单位，原有令牌失效")
    role.add_argument("--role", required=True, choices=roles, help="角色")
    role.add_argument("--unit", help="单位名称；部门和平台、街道的账号必填")

    token = command("token", "为账号签发一个新令牌")
    token.add_argument("--label", default="cli", help="用途，最多 40 个字")
    token.add_argument("--days", type=_days, help="有效天数；不填时按设置")

    command("tokens", "列出账号的令牌和登录")

    revoke = command("revoke", "收回令牌或登录")
    which = revoke.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", type=int, help="令牌编号，见 tokens")
    which.add_argument("--label", help="收回这个用途的全部令牌")
    which.add_argument("--all", action="store_true", help="全部收回")

    passwd = command("passwd", "设置新密码，原有令牌失效")
    passwd.add_argument("--password-stdin", action="store_true", help="从标准输入读一行密码")

    command("pair", "让助企员结对一家企业").add_argument("enterprise", help="企业名称")
    command("unpair", "取消助企员与企业的结对").add_argument("enterprise", help="企业名称")
    command("enterprises", "列出助企员结对的企业")


def _days(text: str) -> float:
    days = float(text)
    if not 0 < days <= 3660:
        raise argparse.ArgumentTypeError("应大于 0，不超过 3660")
    return days


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


def _create(arguments: argparse.Namespace) -> _Work:
    password = None
    if arguments.password_stdin or not arguments.print_token:
        password = _read_password(arguments.password_stdin)

    async def work(container: Container) -> None:
        people = container.people
        account = await people.create_account(arguments.username, arguments.role, arguments.unit, password)
        unit = f"，{account.unit}" if account.unit else ""
        print(f"已新建账号 {account.username}（{account.role.value}{unit}）。", file=sys.stderr)
        if arguments.print_token:
            await _print_token(container, account.username, "cli", None)

    return work


def _passwd(arguments: argparse.Namespace) -> _Work:
    password = _read_password(arguments.password_stdin)

    async def work(container: Container) -> None:
        await container.people.set_password(arguments.username, password)
        print(f"已设置 {arguments.username} 的新密码。")

    return work


async def _print_token(container: Container, username: str, label: str, days: float | None) -> None:
    """Print the token alone on standard output, so that a script can take it."""
    lifetime = timedelta(days=days or container.settings.token_lifetime_days)
    issued = await container.people.issue_token(username, label, lifetime)
    print(f"令牌只显示这一次，有效期至 {_minute(issued.expires_at)}：", file=sys.stderr, flush=True)
    print(issued.token)


def _minute(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def _work(arguments: argparse.Namespace) -> _Work:
    async def show(container: Container) -> None:
        for account in await container.people.accounts():
            state = "停用" if account.disabled_at else "在用"
            print(f"{account.username}\t{account.role.value}\t{account.unit or '-'}\t{state}")

    async def disable(container: Container) -> None:
        await container.people.disable(arguments.username)
        print(f"已停用账号 {arguments.username}。")

    async def enable(container: Container) -> None:
        await container.people.enable(arguments.username)
        print(f"已启用账号 {arguments.username}。")

    async def role(container: Container) -> None:
        account = await container.people.set_role(arguments.username, arguments.role, arguments.unit)
        print(
            f"{account.username} 现在是 {account.role.value}{f'，{account.unit}' if account.unit else ''}。"
        )

    async def token(container: Container) -> None:
        await _print_token(container, arguments.username, arguments.label, arguments.days)

    async def tokens(container: Container) -> None:
        now, page, shown = container.clock(), 1, 0
        while True:
            found = await container.people.tokens(arguments.username, page, _PAGE)
            for kept in found.tokens:
                state = "已收回" if kept.revoked_at else "有效" if kept.is_good(now) else "已到期"
                used = _minute(kept.last_used_at) if kept.last_used_at else "-"
                print(
                    f"{kept.id}\t{kept.label}\t{_minute(kept.created_at)}\t{_minute(kept.expires_at)}\t{used}\t{state}"
                )
            page, shown = page + 1, shown + len(found.tokens)
            if shown >= found.total or not found.tokens:
                return

    async def revoke(container: Container) -> None:
        if arguments.id is not None:
            await container.people.revoke(arguments.username, arguments.id)
            print(f"已收回 {arguments.username} 的第 {arguments.id} 号令牌。")
        else:
            count = await container.people.revoke_all(arguments.username, label=arguments.label)
            print(f"已收回 {arguments.username} 的 {count} 个令牌。")

    async def pair(container: Container) -> None:
        pairing = await container.liaisons.pair(arguments.username, arguments.enterprise)
        print(f"{pairing.username} 已结对 {pairing.enterprise}。")

    async def unpair(container: Container) -> None:
        await container.liaisons.unpair(arguments.username, arguments.enterprise)
        print(f"已取消 {arguments.username} 与 {arguments.enterprise} 的结对。")

    async def enterprises(container: Container) -> None:
        page, shown = 1, 0
        while True:
            found = await container.liaisons.pairings(arguments.username, page, _PAGE)
            for pairing in found.pairings:
                print(f"{pairing.enterprise}\t{_minute(pairing.since)}")
            page, shown = page + 1, shown + len(found.pairings)
            if shown >= found.total or not found.pairings:
                return

    if arguments.action in {"create", "passwd"}:
        return {"create": _create, "passwd": _passwd}[arguments.action](arguments)
    works = (disable, enable, role, token, tokens, revoke, pair, unpair, enterprises)
    return {"list": show, **{work.__name__: work for work in works}}[arguments.action]


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do one thing with the accounts of the database that the service uses."""
    from backend.composition import build

    work = _work(arguments)
    migrate.bring_up_to_date(settings)

    async def with_container() -> None:
        container = build(settings)
        try:
            await work(container)
        finally:
            await container.database.close()

    asyncio.run(with_container())
    return 0
