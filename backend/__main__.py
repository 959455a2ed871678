"""`python -m backend`: the backend process — pages, API, appeals — without the bot.

Exit code 2 means that something has to be set right first, and one sentence says what; a supervisor need not
try again. Other codes may go away by themselves, such as a database that is still starting.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import sys

from aiohttp import web

from backend import logs
from backend.api.app import create_app
from backend.composition import build, vault_of
from backend.errors import ContentError, InvalidInput, QifuError
from backend.settings import InvalidSettings, Settings, load_settings
from backend.storage.schema import migrate
from backend.storage.vault import WrongKey

log = logging.getLogger(__name__)

_SHUTDOWN_SECONDS = 10.0


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def serve(settings: Settings) -> None:
    """Bring the database up to date and serve until a signal says stop."""
    migrate(settings.database_url, vault_of(settings))
    gc.disable()
    app = create_app(build(settings))
    # What was built stays for good: collected once, it need not be looked through again and again.
    gc.collect()
    gc.freeze()
    gc.enable()
    log.info("backend starts", extra={"host": settings.host, "port": settings.port})
    with asyncio.Runner(loop_factory=_event_loop) as runner:
        runner.run(_serve(app, settings))
    log.info("backend ended")


async def _serve(app: web.Application, settings: Settings) -> None:
    # A flag, not the exception that `run_app` raises from the handler: that one can hit any callback.
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_SECONDS)
    try:
        await runner.setup()
        await web.TCPSite(runner, settings.host, settings.port).start()
        await stopped.wait()
    finally:
        await runner.cleanup()


def main() -> int:
    """Serve and return the exit code."""
    if len(sys.argv) > 1:
        print("用法：python -m backend（不带参数；设置都是环境变量，见 docs/settings.md）。", file=sys.stderr)
        return 0 if sys.argv[1] in ("-h", "--help") else 2
    # what is written here holds what enterprises wrote
    os.umask(0o077)
    try:
        settings = load_settings()
        logs.configure(settings.log_level)
        serve(settings)
    except ContentError as error:
        print(f"{error.message}（运行 qifu check 查看全部问题）", file=sys.stderr)
        return 2
    except (InvalidSettings, InvalidInput, WrongKey) as error:
        print(error.message, file=sys.stderr)
        return 2
    except QifuError as error:
        print(error.message, file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}:
            print(f"不能在 {settings.host}:{settings.port} 上监听：{error.strerror}。", file=sys.stderr)
            return 2
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
