"""Appeals, their record and their supervision in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import CursorResult, Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals import chain
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import (
    Appeal,
    Feedback,
    FeedbackResult,
    HistoryEvent,
    Level,
    State,
    Supervision,
    SupervisionKind,
    SupervisionState,
)
from backend.appeals.notices import Message
from backend.appeals.penalties import Penalty
from backend.appeals.ports import (
    AppealPage,
    AppealQuery,
    Correction,
    DuplicateKey,
    Scope,
    StaleVersion,
    StoredGroup,
)
from backend.masking import mask_sender
from backend.storage.listing import OPEN, find, within
from backend.storage.outbox import SqlOutbox
from backend.storage.penalties import SqlPenalties
from backend.storage.records import SqlIntegrity, content_signature, history_row, line_of, line_values
from backend.storage.tables import (
    AppealRow,
    Base,
    CoDepartmentRow,
    CorrectionRow,
    CounterRow,
    FilingRow,
    HistoryRow,
    SupervisionRow,
)
from backend.storage.upserts import upsert
from backend.storage.vault import Vault

_TABLES = Base.metadata.tables
_FILINGS = _TABLES[FilingRow.__tablename__]
_APPEALS, _HISTORY = _TABLES[AppealRow.__tablename__], _TABLES[HistoryRow.__tablename__]
_CO_DEPARTMENTS, _SUPERVISION = _TABLES[CoDepartmentRow.__tablename__], _TABLES[SupervisionRow.__tablename__]


class SqlAppeals:
    """Implements `backend.appeals.ports.AppealRepository`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def add_group(self, group: StoredGroup) -> None:
        """Store a filing.

        Raises:
            DuplicateKey: The idempotency key is taken.
        """
        values = {
            "group_id": group.group,
            "idempotency_key": group.idempotency_key,
            "content_hash": group.content_hash,
            "created_at": group.created_at,
        }
        try:
            await self._session.execute(insert(_FILINGS), values)
        except IntegrityError:
            raise DuplicateKey from None

    async def group_by_key(self, idempotency_key: str) -> StoredGroup | None:
        """The filing stored under a key."""
        query = select(FilingRow).where(FilingRow.idempotency_key == idempotency_key)
        row = await self._session.scalar(query)
        if row is None:
            return None
        return StoredGroup(row.group_id, row.content_hash, row.idempotency_key, row.created_at)

    async def next_numbers(self, day: date, count: int) -> range:
        """Reserve consecutive numbers of a day; others wait until this transaction ends."""
        statement = (
            upsert(self._session, CounterRow)
            .values(day=day, last=count)
            .on_conflict_do_update(index_elements=[CounterRow.day], set_={"last": CounterRow.last + count})
            .returning(CounterRow.last)
        )
        last = (await self._session.execute(statement)).scalar_one()
        await SqlIntegrity(self._session, self._vault).filed(count)
        return range(last - count + 1, last + 1)

    async def add(self, appeal: Appeal, supervision: Sequence[Supervision], line: HistoryEvent) -> Appeal:
        """Store a new appeal with its supervision moments and the first line of its record."""
        signed = replace(line, after={**line.after, "content": signed_content(self._vault, appeal)})
        first = line_values(self._vault, appeal.number, chain.START, 1, signed)
        stored = replace(
            appeal,
            record_length=1,
            record_head=chain.head(self._vault.sign, appeal.number, 1, first["signature"]),
        )
        columns = {
            **self._columns(stored),
            **self._contact(stored),
            "version": stored.version,
            "record_length": stored.record_length,
            "record_head": stored.record_head,
        }
        # plain inserts: filing waits for every statement, and nothing of this is looked at again here
        appeal_id = await self._session.scalar(insert(_APPEALS).values(columns).returning(_APPEALS.c.id))
        await self._session.execute(insert(_HISTORY), [{"appeal_id": appeal_id, **first}])
        if appeal.co_departments:
            helpers = [
                {"appeal_id": appeal_id, "position": position, "department": name}
                for position, name in enumerate(appeal.co_departments)
            ]
            await self._session.execute(insert(_CO_DEPARTMENTS), helpers)
        if supervision:
            moments = [{"appeal_id": appeal_id, **_supervision_values(moment)} for moment in supervision]
            await self._session.execute(insert(_SUPERVISION), moments)
        return stored

    async def get(self, number: str, *, scope: Scope | None = None, lock: bool = False) -> Appeal | None:
        """The appeal of a number, kept from others' changes where ``lock`` is set."""
        query = select(AppealRow).where(AppealRow.number == number, *within(scope or Scope()))
        query = query.execution_options(populate_existing=True)
        if lock:
            # first the lock, then whose it is: what another has changed while this waited is seen only then;
            # what is not there takes both statements too, so that it cannot be told from what is hidden
            held = select(AppealRow.id).where(AppealRow.number == number).with_for_update(of=AppealRow)
            await self._session.scalar(held)
        row = await self._session.scalar(query)
        if row is None:
            return None
        appeal = self.appeal(row)
        return replace(appeal, last_at=(await self._last(appeal))[1]) if lock else appeal

    async def of_group(self, group: str) -> tuple[Appeal, ...]:
        """The appeals of a filing, in their order."""
        query = select(AppealRow).where(AppealRow.group_id == group).order_by(AppealRow.id)
        return tuple(map(self.appeal, await self._session.scalars(query)))

    async def save(self, appeal: Appeal, line: HistoryEvent, *, same_version: bool = False) -> Appeal:
        """Store a changed appeal over the version it was read at, with the line of its record.

        Raises:
            StaleVersion: It was changed in between.
        """
        position = appeal.record_length + 1
        appeal_id, last_at = await self._last(appeal)
        # a clock that was set back must not turn the record around
        later = line if last_at is None or line.at >= last_at else replace(line, at=last_at)
        new = history_row(self._vault, appeal_id, appeal.number, appeal.record_head, position, later)
        result = await self._session.execute(
            update(AppealRow)
            .where(
                AppealRow.id == appeal_id,
                AppealRow.version == appeal.version,
                AppealRow.record_length == appeal.record_length,
            )
            .values(
                **self._columns(appeal),
                version=appeal.version if same_version else appeal.version + 1,
                record_length=position,
                record_head=chain.head(self._vault.sign, appeal.number, position, new.signature),
            )
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE answers
        if result.rowcount != 1:
            raise StaleVersion
        self._session.add(new)
        query = select(AppealRow).where(AppealRow.id == appeal_id).execution_options(populate_existing=True)
        row = (await self._session.scalars(query)).one()
        if tuple(co.department for co in row.co_departments) != appeal.co_departments:
            row.co_departments.clear()
            await self._session.flush()
            row.co_departments.extend(_co_rows(appeal))
        await self._session.flush()
        return self.appeal(row)

    async def _last(self, appeal: Appeal) -> tuple[int, datetime | None]:
        """The row of an appeal, and when the last line of its record was written."""
        last = (HistoryRow.appeal_id == AppealRow.id) & (HistoryRow.position == appeal.record_length)
        query = select(AppealRow.id, HistoryRow.at).outerjoin(HistoryRow, last)
        found = (await self._session.execute(query.where(AppealRow.number == appeal.number))).one()
        return found[0], found[1]

    async def follow_up(self, number: str, messages: Sequence[Message], penalties: Sequence[Penalty]) -> None:
        """Keep what a change of an appeal gives rise to; what is there already is not kept twice."""
        appeal_id = await self._id(number)
        await SqlOutbox(self._session, self._vault).add(appeal_id, messages)
        await SqlPenalties(self._session).add(appeal_id, penalties)

    async def history(self, number: str) -> tuple[HistoryEvent, ...]:
        """The record, oldest first."""
        query = (
            select(HistoryRow)
            .join(AppealRow, AppealRow.id == HistoryRow.appeal_id)
            .where(AppealRow.number == number)
            .order_by(HistoryRow.id)
        )
        return tuple(map(line_of, await self._session.scalars(query)))

    async def supervision(self, number: str) -> tuple[Supervision, ...]:
        """Moments and orders, by time."""
        return tuple(map(supervision_of, await self._supervision_rows(number)))

    async def replace_supervision(self, number: str, supervision: Sequence[Supervision]) -> None:
        """Make the stored rows equal to these; rows that stay the same keep their identity."""
        left = list(await self._supervision_rows(number))
        appeal_id = await self._id(number)
        for wanted in supervision:
            row = next((row for row in left if _same(row, wanted)), None)
            if row is None:
                self._session.add(_supervision_row(appeal_id, wanted))
            else:
                left.remove(row)
                row.state, row.acted_at = wanted.state.value, wanted.acted_at
        for row in left:
            await self._session.delete(row)
        await self._session.flush()

    async def add_correction(self, correction: Correction) -> None:
        """Keep what the territory decided otherwise than proposed; the last decision counts.

        The words are kept without their sender, whoever it was; where that cannot be done, not at all.
        """
        columns = (AppealRow.id, AppealRow.contact_sealed, AppealRow.phone_sealed, AppealRow.enterprise)
        query = select(*columns).where(AppealRow.number == correction.number)
        of_this = (await self._session.execute(query)).one()
        words = mask_sender(
            correction.text,
            contact=self._vault.open(of_this.contact_sealed),
            phone=self._vault.open(of_this.phone_sealed),
            enterprise=of_this.enterprise,
        )
        if not words:
            await self._session.execute(delete(CorrectionRow).where(CorrectionRow.appeal_id == of_this.id))
            return
        values = {
            "text": words,
            "category": correction.category,
            "level": correction.level,
            "lead_department": correction.lead_department,
            "at": correction.at,
        }
        await self._session.execute(
            upsert(self._session, CorrectionRow)
            .values(appeal_id=of_this.id, **values)
            .on_conflict_do_update(index_elements=[CorrectionRow.appeal_id], set_=values)
        )

    async def corrections(self, limit: int) -> tuple[Correction, ...]:
        """The newest corrections, newest first."""
        query = (
            select(CorrectionRow, AppealRow.number)
            .join(AppealRow, AppealRow.id == CorrectionRow.appeal_id)
            .order_by(CorrectionRow.at.desc(), CorrectionRow.id.desc())
            .limit(limit)
        )
        return tuple(
            Correction(number, row.text, row.category, row.level, row.lead_department, row.at)
            for row, number in await self._session.execute(query)
        )

    async def not_yet_due(self, now: datetime) -> tuple[Appeal, ...]:
        """The unresolved appeals that are due after a moment."""
        query = select(AppealRow).where(AppealRow.state.in_(OPEN), AppealRow.due_at > now)
        return tuple(map(self.appeal, await self._session.scalars(query.order_by(AppealRow.id))))

    async def moments_not_yet_due(self, now: datetime) -> dict[str, list[Supervision]]:
        """The moments of the unresolved appeals that are due after a moment, by number."""
        query = (
            select(SupervisionRow, AppealRow.number)
            .join(AppealRow, AppealRow.id == SupervisionRow.appeal_id)
            .where(
                AppealRow.state.in_(OPEN),
                AppealRow.due_at > now,
                SupervisionRow.kind == SupervisionKind.MOMENT.value,
            )
        )
        found: dict[str, list[Supervision]] = {}
        for row, number in await self._session.execute(query):
            found.setdefault(number, []).append(supervision_of(row))
        return found

    async def find(self, query: AppealQuery, scope: Scope, now: datetime) -> AppealPage:
        """One page of the appeals that fit both, newest first."""
        phone_hash = self._vault.fingerprint(query.phone) if query.phone is not None else None
        found = await find(self._session, query, scope, now, phone_hash)
        # plain rows: a page is only read, and a hundred entities take longer to make than to find
        helping: dict[int, list[str]] = {}
        named = select(_CO_DEPARTMENTS).where(_CO_DEPARTMENTS.c.appeal_id.in_(found.ids))
        for co in await self._session.execute(named.order_by(_CO_DEPARTMENTS.c.position)):
            helping.setdefault(co.appeal_id, []).append(co.department)
        wanted = select(_APPEALS).where(_APPEALS.c.id.in_(found.ids)).order_by(_APPEALS.c.id.desc())
        rows = await self._session.execute(wanted)
        appeals = tuple(self.appeal(row, helping=helping.get(row.id, ())) for row in rows)
        return AppealPage(appeals, found.total, query.page, query.page_size, found.total_is_least)

    async def _id(self, number: str) -> int:
        found = await self._session.scalars(select(AppealRow.id).where(AppealRow.number == number))
        return found.one()

    async def _supervision_rows(self, number: str) -> Sequence[SupervisionRow]:
        query = (
            select(SupervisionRow)
            .join(AppealRow, AppealRow.id == SupervisionRow.appeal_id)
            .where(AppealRow.number == number)
            .order_by(SupervisionRow.at, SupervisionRow.id)
        )
        return (await self._session.scalars(query)).all()

    def _columns(self, appeal: Appeal) -> dict[str, Any]:
        """What may change, and what never does but the contact, by column."""
        feedback = appeal.feedback
        return {
            "number": appeal.number,
            "group_id": appeal.group,
            "enterprise": appeal.enterprise,
            "text": appeal.text,
            "channel": appeal.channel,
            "category": appeal.category,
            "level": appeal.level.value,
            "initial_level": appeal.initial_level.value,
            "state": appeal.state.value,
            "direct_line": appeal.direct_line,
            "territory": appeal.territory,
            "lead_department": appeal.lead_department,
            "led_by": list(appeal.led_by),
            "reasons": list(appeal.reasons),
            "submitted_at": appeal.submitted_at,
            "due_at": appeal.due_at,
            "due_provisional": appeal.due_provisional,
            "assigned_at": appeal.assigned_at,
            "first_reply_at": appeal.first_reply_at,
            "first_resolved_at": appeal.first_resolved_at,
            "resolved_at": appeal.resolved_at,
            "closed_at": appeal.closed_at,
            "escalation_level": appeal.escalation_level,
            "major": appeal.major,
            "merged_into": appeal.merged_into,
            "feedback_at": feedback.at if feedback else None,
            "feedback_result": feedback.result.value if feedback else None,
            "feedback_stars": feedback.stars if feedback else None,
            "feedback_comment": feedback.comment if feedback else None,
            "dissatisfied": appeal.dissatisfied,
        }

    def _contact(self, appeal: Appeal) -> dict[str, Any]:
        return {
            "enterprise_key": enterprise_key(appeal.enterprise),
            "contact_sealed": self._vault.seal(appeal.contact),
            "phone_sealed": self._vault.seal(appeal.phone),
            "phone_hash": self._vault.fingerprint(appeal.phone),
        }

    def appeal(
        self, row: AppealRow | Row[Any], *, contact: bool = True, helping: Sequence[str] | None = None
    ) -> Appeal:
        """The appeal of a row; its contact is unsealed, or left out where nobody needs it.

        Args:
            row: An entity or a plain row.
            contact: False leaves contact and phone empty.
            helping: Departments that help, in their order; from the entity unless given.
        """
        if helping is None:
            helping = [co.department for co in row.co_departments]
        feedback = None
        if row.feedback_at is not None and row.feedback_result is not None:
            result = FeedbackResult(row.feedback_result)
            feedback = Feedback(row.feedback_at, result, row.feedback_stars, row.feedback_comment or "")
        return Appeal(
            number=row.number,
            group=row.group_id,
            enterprise=row.enterprise,
            contact=self._vault.open(row.contact_sealed) if contact else "",
            phone=self._vault.open(row.phone_sealed) if contact else "",
            text=row.text,
            channel=row.channel,
            category=row.category,
            level=Level(row.level),
            initial_level=Level(row.initial_level),
            state=State(row.state),
            direct_line=row.direct_line,
            territory=row.territory,
            lead_department=row.lead_department,
            co_departments=tuple(helping),
            submitted_at=row.submitted_at,
            due_at=row.due_at,
            due_provisional=row.due_provisional,
            led_by=tuple(row.led_by),
            reasons=tuple(row.reasons),
            assigned_at=row.assigned_at,
            first_reply_at=row.first_reply_at,
            first_resolved_at=row.first_resolved_at,
            resolved_at=row.resolved_at,
            closed_at=row.closed_at,
            escalation_level=row.escalation_level,
            major=row.major,
            feedback=feedback,
            dissatisfied=row.dissatisfied,
            merged_into=row.merged_into,
            erased_at=row.erased_at,
            version=row.version,
            record_length=row.record_length,
            record_head=row.record_head,
        )


def _co_rows(appeal: Appeal) -> list[CoDepartmentRow]:
    return [
        CoDepartmentRow(position=position, department=name)
        for position, name in enumerate(appeal.co_departments)
    ]


def supervision_of(row: SupervisionRow) -> Supervision:
    """A moment, order or question as it is stored."""
    return Supervision(
        row.at, row.by, SupervisionKind(row.kind), SupervisionState(row.state), row.text, row.acted_at
    )


def _supervision_row(appeal_id: int, supervision: Supervision) -> SupervisionRow:
    return SupervisionRow(appeal_id=appeal_id, **_supervision_values(supervision))


def _supervision_values(supervision: Supervision) -> dict[str, Any]:
    return {
        "at": supervision.at,
        "by": supervision.by,
        "kind": supervision.kind.value,
        "state": supervision.state.value,
        "text": supervision.text,
        "acted_at": supervision.acted_at,
    }


def signed_content(vault: Vault, appeal: Appeal) -> str:
    """The signature of what the enterprise sent in, and of what was proposed for it."""
    return content_signature(
        vault,
        appeal.number,
        group=appeal.group,
        enterprise=appeal.enterprise,
        contact=appeal.contact,
        phone=appeal.phone,
        text=appeal.text,
        channel=appeal.channel,
        initial_level=appeal.initial_level.value,
        direct_line=appeal.direct_line,
        reasons=appeal.reasons,
        submitted_at=appeal.submitted_at,
    )


def _same(row: SupervisionRow, supervision: Supervision) -> bool:
    return (row.at, row.by, row.kind, row.text) == (
        supervision.at,
        supervision.by,
        supervision.kind.value,
        supervision.text,
    )
