"""`qifu chat`: talk to the running service from a terminal."""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any

from backend.cli.http import call, service_url
from backend.errors import QifuError
from backend.settings import Settings

NAME = "chat"
HELP = "在终端里与正在运行的助手对话；输入数字相当于点按钮，空行结束"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--url", help="服务地址（默认按 QIFU_HOST 和 QIFU_PORT）")
    parser.add_argument("--sender", help="对话标识；给出以前的标识可以接着聊")


def render(messages: list[dict[str, Any]]) -> tuple[str, list[str]]:
    """Lay messages out as text.

    Returns:
        The text, and the payloads of the numbered buttons in it.
    """
    lines: list[str] = []
    payloads: list[str] = []
    for message in messages:
        lines.append(message["text"])
        lines += [f"  〔{c['document']} · {c['section']}〕" for c in message.get("citations") or []]
        for button in message.get("buttons") or []:
            payloads.append(button["payload"])
            lines.append(f"  {len(payloads)}. {button['title']}")
    return "\n".join(lines), payloads


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Read lines until an empty one or the end of input."""
    url = service_url(arguments.url, settings.local_url)
    sender = arguments.sender or f"terminal-{secrets.token_hex(8)}"
    call(f"{url}/healthz")
    payloads: list[str] = []
    while True:
        if sys.stdin.isatty():
            print("> ", end="", flush=True)
        line = sys.stdin.readline().strip()
        if not line:
            return 0
        chosen = int(line) if line.isdecimal() else 0
        message = payloads[chosen - 1] if 1 <= chosen <= len(payloads) else line
        try:
            answer = call(f"{url}/api/v1/chat", {"sender": sender, "message": message})
        except QifuError as error:
            print(error.message)
            continue
        text, payloads = render(answer["messages"])
        print(text, flush=True)
