"""Drops anchors while the service runs (`backend.storage.anchors` says what they are for)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from backend.storage.anchors import Anchor, AnchorFile, Digest
from backend.storage.database import Database

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
            await asyncio.to_thread(self._file.append, anchor)
            log.info(
                "record anchored", extra={"upto": upto, "lines": digest.lines, "digest": digest.hexadecimal}
            )
        return anchor
