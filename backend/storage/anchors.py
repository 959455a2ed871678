"""Anchors: what the running service notes outside the database, so that an older state of it is noticed.

Signatures prove that what is there was written by the service, but not that it is the newest: whoever can
write to the database could put an appeal back as it was last week, its record with it. An anchor says how
many lines the record had at some moment, and what they hash to. Lines are only ever added, so that the same
lines must be there for ever. How many anchors there are, and what the last one's signature is, stands in the
signed total, so that a file that was taken away or cut off is noticed as well.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import QifuError
from backend.storage.records import SqlIntegrity
from backend.storage.tables import HistoryRow, IntegrityRow
from backend.storage.vault import Vault

ANCHOR_FILE: Final = "audit-anchors.jsonl"
_TOTALS: Final = (IntegrityRow.appeals_filed, IntegrityRow.audit_length, IntegrityRow.audit_head)


class BrokenAnchors(QifuError):
    """The file of anchors was changed, or cannot be read; the sentence says where."""

    code = "broken_anchors"


@dataclass(frozen=True)
class Anchor:
    """One moment.

    Attributes:
        at: When.
        upto: The highest id of a line of an appeal's record.
        lines: Lines since the anchor before.
        digest: Hash of their ids and signatures.
        filed: Appeals that had ever been filed.
        audit_length: Lines of the log of other changes.
        audit_head: Signature of its last one.
        signature: Its own; empty before it is written.
    """

    at: datetime
    upto: int
    lines: int
    digest: str
    filed: int
    audit_length: int
    audit_head: str
    signature: str = field(default="", compare=False)


class Digest:
    """Hashes lines in the order of their ids."""

    def __init__(self) -> None:
        self.lines = 0
        self._hash = hashlib.sha256()

    def add(self, lines: Iterable[tuple[int, str]]) -> None:
        """Take lines: id and signature."""
        for number, signature in lines:
            self.lines += 1
            self._hash.update(f"{number}:{signature}\n".encode("utf-8", "surrogatepass"))

    @property
    def hexadecimal(self) -> str:
        """The hash of all so far."""
        return self._hash.hexdigest()


class AnchorFile:
    """The file: one signed line of JSON for each anchor, each signed together with the one before.

    Args:
        path: Where it is; copies elsewhere can be checked as well.
        vault: Signs.
    """

    def __init__(self, path: Path, vault: Vault) -> None:
        self.path = path
        self._vault = vault

    def read(self) -> tuple[Anchor, ...]:
        """All anchors, oldest first; none where there is no file.

        Raises:
            BrokenAnchors: A line was changed, or is missing before the last.
        """
        return tuple(self._read())

    def append(self, anchor: Anchor) -> Anchor:
        """Add an anchor; it is on the disk when this returns, which answers it with its signature.

        Raises:
            BrokenAnchors: What is there does not fit; it is not added to.
            OSError: The file cannot be written.
        """
        head = next((one.signature for one in reversed(list(self._read()))), "")
        values = _plain(anchor)
        signature = self._sign(head, values)
        line = json.dumps({**values, "signature": signature}, ensure_ascii=False)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            if self._torn():
                file.write("\n")
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())
        return replace(anchor, signature=signature)

    def _torn(self) -> bool:
        """Whether a kill has left the last line unfinished."""
        with self.path.open("rb") as file:
            if file.seek(0, os.SEEK_END) == 0:
                return False
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def _read(self) -> Iterator[Anchor]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        except OSError:
            raise BrokenAnchors(f"锚点文件 {self.path} 无法读取，请检查权限。") from None
        head = ""
        lines = content.split(b"\n")
        for number, line in enumerate(lines, 1):
            if not line:
                continue
            try:
                values = json.loads(line)
                signature = values.pop("signature")
                anchor = Anchor(**{**values, "at": datetime.fromisoformat(values["at"])})
            except (ValueError, TypeError, KeyError, AttributeError):
                # a kill while it was written leaves a line that was never finished, and says nothing
                if _is_fragment(line):
                    continue
                raise BrokenAnchors(f"锚点文件第 {number} 行无法辨认，被改动。") from None
            if signature != self._sign(head, values):
                raise BrokenAnchors(f"锚点文件第 {number} 行与签名不符，被改动，或者前面有缺失。")
            head = signature
            yield replace(anchor, signature=signature)

    def _sign(self, head: str, values: dict[str, Any]) -> str:
        content = json.dumps([head, values], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return self._vault.sign(b"anchor|" + content.encode("utf-8", "surrogatepass"))


def _plain(anchor: Anchor) -> dict[str, Any]:
    values = {**asdict(anchor), "at": anchor.at.isoformat(timespec="seconds")}
    del values["signature"]
    return values


def _is_fragment(line: bytes) -> bool:
    return line.startswith(b'{"at"') and not line.endswith(b"}")


class SqlAnchors:
    """What an anchor is made of, and how many there are; reached as ``work.anchors``."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._integrity = SqlIntegrity(session, vault)

    async def tip(self) -> tuple[int, int, int, str]:
        """Where the record ends at this moment, with nobody in the middle of adding to it.

        Returns:
            The highest id of a line, appeals ever filed, length and head of the log of other changes.
        """
        if self._session.get_bind().dialect.name == "postgresql":
            # ids are given before the lines are visible: wait for those who hold one
            await self._session.execute(text("LOCK TABLE appeal_history IN SHARE MODE"))
        upto = await self._session.scalar(select(func.max(HistoryRow.id))) or 0
        total = (await self._session.execute(select(*_TOTALS))).first()
        return (upto, *total) if total else (upto, 0, 0, "")

    async def signatures(self, after: int, upto: int, limit: int) -> Sequence[tuple[int, str]]:
        """Ids and signatures of the lines above ``after`` and up to ``upto``, by id."""
        query = select(HistoryRow.id, HistoryRow.signature).where(
            HistoryRow.id > after, HistoryRow.id <= upto
        )
        rows = await self._session.execute(query.order_by(HistoryRow.id).limit(limit))
        return [(row.id, row.signature) for row in rows]

    async def noted(self, kept: int, head: str) -> bool:
        """Count an anchor that was written to the file.

        Args:
            kept: Anchors that the file held before it.
            head: Its signature.

        Returns:
            Whether the file held all that were counted before.
        """
        counted = (await self._integrity.locked()).anchors
        await self._integrity.anchored(max(counted, kept) + 1, head)
        return kept >= counted

    async def restart(self, kept: Sequence[Anchor]) -> int:
        """Count only the anchors that there are from now on; answers how many were counted before."""
        counted = (await self._integrity.locked()).anchors
        await self._integrity.anchored(len(kept), kept[-1].signature if kept else "")
        return counted
