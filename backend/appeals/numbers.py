"""Appeal numbers: the prefix, the local day of submission, and a count that starts at 0001 each day."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_NUMBER = re.compile(r"^[A-Z]{2}\d{8}-\d{4,}$")


def format_number(prefix: str, day: date, count: int) -> str:
    """Write a number, such as QT20261121-0042.

    Args:
        prefix: Two capital letters.
        day: Day of submission in the office's time zone.
        count: From 1 on each day; more than four digits are written out.
    """
    return f"{prefix}{day:%Y%m%d}-{count:04d}"


def parse_number(text: str) -> str | None:
    """Read a number as people write it (small letters, spaces, full-width signs); None if it is none."""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"\s+", "", plain).upper().replace("—", "-").replace("–", "-")
    return plain if _NUMBER.match(plain) else None
