"""Write docs/settings.md from backend/settings.py: `.venv/bin/python scripts/settings_table.py`."""

from __future__ import annotations

from pathlib import Path

from pydantic_core import PydanticUndefined

from backend.settings import Settings, variable

TARGET = Path(__file__).resolve().parent.parent / "docs" / "settings.md"

HEAD = """# Settings

Every setting is an environment variable. A `QIFU_*` variable that is not in this table stops the start with a
sentence, so that a misspelt one is noticed. Relative paths are relative to the current folder; an empty value
counts as unset. The table is written by `scripts/settings_table.py` from `backend/settings.py`.

| variable | default | meaning |
| --- | --- | --- |
"""

TAIL = """| `QIFU_TENSORFLOW` | unset | Read by `make`: `1` installs the real TensorFlow, \
for DIET and TED, instead of the stand-in. |
| `QIFU_TRACKER_KEY` | from the data key | Read by the bot: 64 hexadecimal digits that seal what is said in \
the store of conversations. `qifu serve` works it out; a bot that is started by itself keeps plain text \
without it. |

`QIFU_TEST_*` variables are read by the tests only: `QIFU_TEST_DATABASE_URL`, `QIFU_TEST_REDIS_URL` and
`QIFU_TEST_AMQP_URL` name servers that the tests may use. Without them those tests are skipped, except in CI.

The bot process reads `QIFU_BOT_ADDRESS`, `QIFU_BACKEND_URL`, `QIFU_TRACKER_URL`, `QIFU_TRACKER_KEY`,
`QIFU_MODEL_DIR`, `QIFU_REDIS_URL`, `QIFU_AMQP_URL`, `QIFU_LOG_LEVEL` and `QIFU_DATA_DIR` by the same names
(`bot/settings.py`); `qifu serve` gives it the values that it has worked out itself.
"""


def table() -> str:
    """Return the whole page."""
    rows = []
    for name, field in Settings.model_fields.items():
        if field.default_factory is not None:
            default = "see meaning"
        elif field.default in (None, PydanticUndefined):
            default = "unset"
        else:
            default = f"`{field.default:%H:%M}`" if name == "close_of_business" else f"`{field.default}`"
        rows.append(f"| `{variable(name)}` | {default} | {field.description} |\n")
    return HEAD + "".join(rows) + TAIL


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
