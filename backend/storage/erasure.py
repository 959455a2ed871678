"""Erases personal data in the database, and deletes what nobody needs any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, exists, or_, select, text, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.appeals import chain
from backend.appeals.model import Appeal, Event, HistoryEvent, State
from backend.appeals.ports import StaleVersion
from backend.appeals.retention import ERASED_SUBJECT
from backend.masking import mask_sender
from backend.storage import fulltext
from backend.storage.appeals import signed_content
from backend.storage.records import history_row
from backend.storage.tables import (
    AppealRow,
    AttemptsRow,
    CorrectionRow,
    FilingRow,
    HandoffRow,
    HistoryRow,
    OutboxRow,
    PenaltyRow,
    ServiceClockRow,
    SupervisionRow,
    TokenRow,
    UnansweredRow,
)
from backend.storage.vault import Vault


class SqlErasure:
    """Implements `backend.appeals.retention.ErasureRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def due(self, before: datetime, limit: int) -> tuple[str, ...]:
        """Numbers of appeals that ended before a moment, not erased yet, oldest first."""
        other = aliased(AppealRow)
        withdrawn = exists().where(
            HistoryRow.appeal_id == AppealRow.id,
            HistoryRow.event == Event.WITHDRAW.value,
            HistoryRow.at <= before,
        )
        went_on = exists().where(other.number == AppealRow.merged_into, other.erased_at.is_not(None))
        query = (
            select(AppealRow.number)
            .where(
                AppealRow.erased_at.is_(None),
                or_(
                    and_(AppealRow.state == State.CLOSED.value, AppealRow.closed_at <= before),
                    and_(AppealRow.state == State.WITHDRAWN.value, withdrawn),
                    and_(AppealRow.state == State.MERGED.value, went_on),
                ),
            )
            .order_by(AppealRow.id)
            .limit(limit)
        )
        return tuple(await self._session.scalars(query))

    async def erase(self, appeal: Appeal, line: HistoryEvent) -> None:
        """Store an appeal without its personal data, and empty all that was written about it.

        Raises:
            StaleVersion: It was changed in between.
        """
        await self._overwrite()
        columns = (AppealRow.id, AppealRow.contact_sealed, AppealRow.phone_sealed)
        query = select(*columns).where(AppealRow.number == appeal.number)
        appeal_id, contact, phone = (await self._session.execute(query)).tuples().one()
        position = appeal.record_length + 1
        signed = replace(line, after={**line.after, "content": signed_content(self._vault, appeal)})
        new = history_row(self._vault, appeal_id, appeal.number, appeal.record_head, position, signed)
        changed = await self._run(
            update(AppealRow)
            .where(
                AppealRow.id == appeal_id,
                AppealRow.version == appeal.version,
                AppealRow.record_length == appeal.record_length,
            )
            .values(
                contact_sealed="",
                phone_sealed="",
                phone_hash="",
                text=appeal.text,
                feedback_comment=appeal.feedback.comment if appeal.feedback else None,
                erased_at=appeal.erased_at,
                version=appeal.version + 1,
                record_length=position,
                record_head=chain.head(self._vault.sign, appeal.number, position, new.signature),
            )
        )
        if changed != 1:
            raise StaleVersion
        await self._run(
            update(HistoryRow).where(HistoryRow.appeal_id == appeal_id, HistoryRow.text != "").values(text="")
        )
        self._session.add(new)
        await self._session.flush()
        of_this = {"appeal_id": appeal_id}
        for table, values in (
            (SupervisionRow, {"text": ""}),
            (OutboxRow, {"body": "", "last_error": None}),
            (PenaltyRow, {"note": ""}),
            (ServiceClockRow, {"subject": appeal.number, "note": ""}),
        ):
            await self._run(update(table).filter_by(**of_this).values(values))
        await self._run(delete(HandoffRow).where(HandoffRow.number == appeal.number))
        await self._forget_filing(appeal.group)
        await self._forget_sender(appeal_id, contact, phone, appeal.enterprise)

    async def _forget_sender(self, appeal_id: int, contact: str, phone: str, enterprise: str) -> None:
        """Take the sender out of the words that triage learns from; of older ones nobody has done it."""
        kept = select(CorrectionRow.text).where(CorrectionRow.appeal_id == appeal_id)
        text_kept = await self._session.scalar(kept)
        if text_kept is None:
            return
        words = mask_sender(
            text_kept,
            contact=self._vault.open(contact),
            phone=self._vault.open(phone),
            enterprise=enterprise,
        )
        of_this = CorrectionRow.appeal_id == appeal_id
        if words:
            await self._run(update(CorrectionRow).where(of_this).values(text=words))
        else:
            await self._run(delete(CorrectionRow).where(of_this))

    async def _forget_filing(self, group: str) -> None:
        """Forget what was sent in, once all that came of it is erased: key and fingerprint of the content."""
        left = exists().where(AppealRow.group_id == group, AppealRow.erased_at.is_(None))
        await self._run(
            update(FilingRow)
            .where(FilingRow.group_id == group, ~left)
            .values(content_hash="", idempotency_key=None)
        )

    async def _overwrite(self) -> None:
        """What is taken out of a page is overwritten in this transaction, not only forgotten."""
        if self._session.get_bind().dialect.name == "sqlite":
            await self._session.execute(text("PRAGMA secure_delete = ON"))

    async def sweep(self) -> None:
        """Take what was erased out of the index of words as well, in a transaction of its own."""
        await self._overwrite()
        await fulltext.forget(self._session)

    async def tidy(
        self, questions: datetime, handoffs: datetime, tokens: datetime, limits: datetime | None
    ) -> int:
        """Delete what is about no appeal and from before these moments; answers how many rows.

        Args:
            questions: Questions without an answer.
            handoffs: Calls for a person.
            tokens: Ended tokens and login attempts.
            limits: The words of ended time limits; None keeps them for ever.
        """
        await self._overwrite()
        gone = 0
        if limits is not None:
            ended = (ServiceClockRow.appeal_id.is_(None), ServiceClockRow.ended_at < limits)
            words = {"subject": ERASED_SUBJECT, "note": ""}
            gone += await self._run(
                update(ServiceClockRow).where(*ended, ServiceClockRow.note != "").values(words)
            )
        for statement in (
            delete(UnansweredRow).where(UnansweredRow.last_at < questions),
            delete(HandoffRow).where(HandoffRow.created_at < handoffs),
            delete(TokenRow).where(or_(TokenRow.expires_at < tokens, TokenRow.revoked_at < tokens)),
            delete(AttemptsRow).where(AttemptsRow.last_at < tokens),
        ):
            gone += await self._run(statement)
        return gone

    async def _run(self, statement: Any) -> int:
        result = await self._session.execute(statement.execution_options(synchronize_session=False))
        assert isinstance(result, CursorResult)  # noqa: S101 - what a change answers
        return result.rowcount
