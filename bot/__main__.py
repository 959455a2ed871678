"""`python -m bot`: serves the dialogue engine on ``QIFU_BOT_ADDRESS``."""

from __future__ import annotations

import asyncio
import os
import sys
import warnings

from bot import logs
from bot.server import serve
from bot.settings import BadSetting, BotSettings


def main() -> int:
    """Reads the settings, serves, and returns the exit code."""
    # Rasa's frozen dependencies warn of what they would do in future versions, on every start; one of them
    # sets the filters anew when it is imported, so that a filter of ours would not hold
    warnings.showwarning = lambda *_args, **_names: None
    try:
        settings = BotSettings.from_environment()
    except BadSetting as error:
        print(error, file=sys.stderr)
        return 2
    logs.configure(settings.log_level)
    # the socket and the conversations are nobody else's
    os.umask(0o077)
    return asyncio.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
