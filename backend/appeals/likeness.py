"""Whether two appeals tell of the same enterprise.

Pure computation: nothing here reads or stores.
"""

from __future__ import annotations

import re

from backend.knowledge import text as words

LONGEST_KEY = 100
"""Characters of an enterprise's key; the column that keeps it holds no more."""

_FORMS = re.compile("股份有限责任公司|股份有限公司|有限责任公司|有限公司|股份公司")
_ENDS = re.compile("(?<![总分子])公司$|(?:特殊普通合伙|普通合伙|有限合伙|个人独资|个体工商户)$")
_SHORTEST = 2  # fewer characters than this name nobody


def enterprise_key(name: str) -> str:
    """Returns what is the same in all spellings of an enterprise's name.

    Width, case, traditional characters, blanks, brackets and other signs do not count, nor does the legal form
    (有限公司, 有限责任公司, 股份有限公司, 有限合伙 and their like). Places do: 杭州某某 and 浙江某某 are two
    enterprises, and so are a company, its group (集团) and its branch (分公司). Idempotent.

    Args:
        name: As somebody wrote it.

    Returns:
        At most `LONGEST_KEY` characters; empty only if the name holds no letter, digit or character.
    """
    key = words.squeeze(name)
    while True:
        shorter = _ENDS.sub("", _FORMS.sub("", key))
        if shorter == key or len(shorter) < _SHORTEST:
            return key[:LONGEST_KEY]
        key = shorter
