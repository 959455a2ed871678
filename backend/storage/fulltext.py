"""Finding appeals by any piece of their number, enterprise or problem, down to a single character.

Both databases keep the pairs of neighbouring characters of every appeal, in Chinese the shortest thing that
means something; triggers write them in the same transaction as the appeal, and take them out when a text
changes or is erased. On SQLite ``appeal_words`` is an FTS5 index without the texts, where the pairs of a
longer word must follow one another. On PostgreSQL it is a narrow table with a GIN index over the pairs, and a
longer word is looked for in the few texts that hold all its pairs. No extension is needed. Made by migration
0005.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncSession

TABLE: Final = "appeal_words"
"""The index; not one of the declared tables, because the two databases keep it differently."""

MOST_WORDS: Final = 8
"""Words of a query that are looked for; the rest of a longer one is left out."""

_BETWEEN: Final = "\x1e"
_END: Final = "\x1f"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

WORDS: Final = sa.table(
    TABLE, sa.column("appeal_id"), sa.column("words"), sa.column("rowid"), sa.column(TABLE)
)


def folded(text: str) -> str:
    """A text as it is compared: width and case do not count, line ends are blanks."""
    return _CONTROL.sub(" ", unicodedata.normalize("NFKC", text).lower())


def pairs(*parts: str) -> str:
    """The pairs of neighbouring characters of some texts, for FTS5.

    The end of a part stands alone, so that no word is found across two parts, and a single character is the
    beginning of some pair wherever it stands.
    """
    found: list[str] = []
    for part in map(folded, parts):
        found += [part[place : place + 2] for place in range(len(part))]
        found.append(_END)
    return _BETWEEN.join(found)


def register(connection: Any) -> None:
    """Gives a new SQLite connection the function that the triggers call."""
    connection.create_function("qifu_pairs", 3, pairs, deterministic=True)


async def forget(session: AsyncSession) -> None:
    """Takes what was erased out of the file as well; to be run after erasing, in a transaction of its own.

    SQLite only notes down that an entry is gone, with the pairs still in their order; here the index is
    written anew without it, which takes seconds at 200,000 appeals, and nothing where nothing has changed.
    PostgreSQL does it in its next vacuum.
    """
    if session.get_bind().dialect.name == "sqlite":
        await session.execute(sa.insert(WORDS).values({TABLE: "optimize"}))


def words_of(query: str) -> tuple[str, ...]:
    """The words of a query, all of which must be found."""
    return tuple(dict.fromkeys(folded(query).split()))[:MOST_WORDS]


def sqlite_match(words: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """The condition on `TABLE` in SQLite."""
    wanted = []
    for word in words:
        if len(word) == 1:
            wanted.append(_quoted(word) + "*")
        else:
            # all of them in a row; the pairs of a text overlap, so this is the word itself
            wanted.append(_quoted(_BETWEEN.join(word[place : place + 2] for place in range(len(word) - 1))))
    return WORDS.c[TABLE].op("MATCH", is_comparison=True)(" AND ".join(wanted))


def postgresql_match(words: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """The condition on `TABLE` in PostgreSQL: all pairs by the index, then each longer word itself."""
    pieces = []
    for word in words:
        if len(word) == 1:
            pieces.append(_lexeme(word) + ":*")
        else:
            pieces += [_lexeme(word[place : place + 2]) for place in range(len(word) - 1)]
    query = sa.cast(" & ".join(dict.fromkeys(pieces)), TSQUERY)
    indexed = sa.func.qifu_pairs(WORDS.c.words).op("@@", is_comparison=True)(query)
    return sa.and_(indexed, *(held for held in map(_held, words) if held is not None))


def postgresql_walk(words: tuple[str, ...]) -> sa.ColumnElement[bool]:
    """The same condition without the index, for words that so many texts hold that reading on is faster."""
    return sa.and_(*(WORDS.c.words.contains(word, autoescape=True) for word in words))


def _held(word: str) -> sa.ColumnElement[bool] | None:
    return WORDS.c.words.contains(word, autoescape=True) if len(word) > 2 else None


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _lexeme(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
