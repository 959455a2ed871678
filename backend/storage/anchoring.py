"""Drops anchors while the service runs (`backend.storage.anchors` says what they are for)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from backend.people.actors import COMMAND_LINE
from backend.people.audit import AuditEntry
from backend.storage.anchors import Anchor, AnchorFile, Digest
from backend.storage.database import Database
from backend.storage.vault import Vault

log = logging.getLogger(__name__)

_PAGE: Final = 5_000


class Anchoring:
    """Notes how far the record has come, whenever it is called and something has happened.

    The note is a line of the file, and a line of the service's log, so that a copy is wherever logs go.

    Args:
        database: Whose record.
        file: Where the anchors are kept.
        clock: The present moment.
    """

    def __init__(self, database: Database, file: AnchorFile, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._file = file
        self._clock = clock

    async def drop(self) -> Anchor | None:
        """Drop an anchor.

        Returns:
            The anchor; None where nothing has happened since the last, or the database is older than it.

        Raises:
            BrokenAnchors: The file does not fit its signatures.
            Unavailable: The database does not answer.
            OSError: The file cannot be written.
        """
        anchors = await asyncio.to_thread(self._file.read)
        last = anchors[-1] if anchors else None
        async with self._database.unit_of_work() as work:
            upto, filed, length, head = await work.anchors.tip()
        if last and (upto, filed, length, head) == (
            last.upto,
            last.filed,
            last.audit_length,
            last.audit_head,
        ):
            return None
        if last and (upto < last.upto or filed < last.filed or length < last.audit_length):
            log.error("the database is older than its last anchor; run qifu check --audit")
            return None
        digest, done = Digest(), last.upto if last else 0
        async with self._database.unit_of_work(read_only=True) as work:
            while page := await work.anchors.signatures(done, upto, _PAGE):
                digest.add(page)
                done = page[-1][0]
        at = self._clock().replace(microsecond=0)
        anchor = Anchor(at, upto, digest.lines, digest.hexadecimal, filed, length, head)
        if upto or length:
            written = await asyncio.to_thread(self._file.append, anchor)
            # first the file: killed in between, it holds one more than is counted, which accuses nobody
            async with self._database.unit_of_work() as work:
                whole = await work.anchors.noted(len(anchors), written.signature)
                await work.commit()
            if not whole:
                log.error("anchors are missing from their file; run qifu check --audit")
            log.info(
                "record anchored", extra={"upto": upto, "lines": digest.lines, "digest": digest.hexadecimal}
            )
        return anchor


async def restart_anchors(url: str, vault: Vault, kept: Sequence[Anchor], at: datetime) -> int:
    """Begin the count of anchors anew with those that there are; the log says so.

    Args:
        url: Of the database.
        vault: With the key that it was written with.
        kept: The anchors of the file.
        at: The present moment.

    Returns:
        How many were counted before.

    Raises:
        WrongKey: The database was written with another key.
        Unavailable: The database does not answer.
    """
    database = Database(url, vault)
    try:
        async with database.unit_of_work() as work:
            counted = await work.anchors.restart(kept)
            if counted != len(kept):
                before, after = {"anchors": counted}, {"anchors": len(kept)}
                await work.audit.add(
                    AuditEntry(at, COMMAND_LINE, "anchors.restart", "anchors", before, after)
                )
                await work.commit()
    finally:
        await database.close()
    return counted
