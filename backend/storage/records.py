"""Signed records in the database: lines of appeals, the log of other changes, and what all adds up to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appeals import chain
from backend.appeals.model import Event, HistoryEvent
from backend.people.actors import Actor, Party
from backend.people.audit import AuditEntry
from backend.people.roles import Role
from backend.storage.tables import AuditRow, HistoryRow, IntegrityRow
from backend.storage.upserts import upsert
from backend.storage.vault import Vault, WrongKey

_ONLY = 1
"""Id of the one row of the integrity table."""

_TOTALS = ("appeals_filed", "audit_length", "audit_head", "anchors", "anchor_head")


def actor_of(row: Any) -> Actor:
    """Who stands in a row of a record."""
    role: Role | Party = Party(row.actor_role) if row.actor_role in list(Party) else Role(row.actor_role)
    return Actor(row.actor_name, role, row.actor_unit)


def line_of(row: Any) -> HistoryEvent:
    """A line of an appeal's record as it is stored."""
    return HistoryEvent(
        at=row.at,
        actor=actor_of(row),
        event=Event(row.event),
        summary=row.summary,
        text=row.text,
        public=row.public,
        before=row.before,
        after=row.after,
        position=row.position,
    )


def chained(vault: Vault, head: str, number: str, position: int, row: Any) -> tuple[str, str, str]:
    """Signs a line that is stored already.

    Args:
        vault: Signs.
        head: After the line before.
        number: The appeal's number.
        position: From 1.
        row: The line's row.

    Returns:
        The signature of its text, its own, and the head after it.
    """
    line = line_of(row)
    signed = chain.text_signature(vault.sign, number, position, line.text)
    signature = chain.link(vault.sign, head, number, position, line, signed)
    return signed, signature, chain.head(vault.sign, number, position, signature)


def history_row(
    vault: Vault, appeal_id: int, number: str, head: str, position: int, line: HistoryEvent
) -> HistoryRow:
    """A new line's row, signed together with the one before it."""
    return HistoryRow(appeal_id=appeal_id, **line_values(vault, number, head, position, line))


def line_values(vault: Vault, number: str, head: str, position: int, line: HistoryEvent) -> dict[str, Any]:
    """The columns of a new line but the appeal's id, signed together with the line before it."""
    signed = chain.text_signature(vault.sign, number, position, line.text)
    return {
        "at": line.at,
        "actor_name": line.actor.name,
        "actor_role": line.actor.role.value,
        "actor_unit": line.actor.unit,
        "event": line.event.value,
        "summary": line.summary,
        "text": line.text,
        "public": line.public,
        "before": dict(line.before),
        "after": dict(line.after),
        "position": position,
        "text_signature": signed,
        "signature": chain.link(vault.sign, head, number, position, line, signed),
    }


def content_signature(
    vault: Vault,
    number: str,
    *,
    group: str,
    enterprise: str,
    contact: str,
    phone: str,
    text: str,
    channel: str,
    initial_level: str,
    direct_line: bool,
    reasons: Sequence[str],
    submitted_at: datetime,
) -> str:
    """The signature of everything about an appeal that nobody may change after it was filed.

    It stands in the line of the filing, and anew in the line that tells of the erasure of personal data.
    """
    content = {
        "group": group,
        "enterprise": enterprise,
        "contact": contact,
        "phone": phone,
        "text": text,
        "channel": channel,
        "initial_level": initial_level,
        "direct_line": direct_line,
        "reasons": list(reasons),
        "submitted_at": chain.moment(submitted_at),
    }
    return chain.content_signature(vault.sign, number, content)


def integrity_values(
    vault: Vault,
    *,
    appeals_filed: int,
    audit_length: int,
    audit_head: str,
    anchors: int = 0,
    anchor_head: str = "",
) -> dict[str, Any]:
    """The columns of the one row that says what everything adds up to.

    Args:
        vault: Signs.
        appeals_filed: Appeals that were ever filed.
        audit_length: Lines of the log of other changes.
        audit_head: Signature of its last one.
        anchors: Anchors that were ever written to the file.
        anchor_head: Signature of the last one.
    """
    total = f"{appeals_filed}|{audit_length}|{audit_head}"
    if anchors or anchor_head:
        # without anchors it is signed as it was before they were counted
        total += f"|{anchors}|{anchor_head}"
    return {
        "id": _ONLY,
        "key_check": vault.check,
        "appeals_filed": appeals_filed,
        "audit_length": audit_length,
        "audit_head": audit_head,
        "anchors": anchors,
        "anchor_head": anchor_head,
        "signature": vault.sign(b"integrity|" + total.encode()),
    }


def mark(vault: Vault, *secret: str) -> str:
    """A keyed fingerprint of something that may not be read, by which it is known again."""
    return chain.content_signature(vault.sign, "mark", {"secret": list(secret)})


def token_signature(
    vault: Vault, *, fingerprint: str, username: str, label: str, created_at: datetime, expires_at: datetime
) -> str:
    """The signature of a token: whose it is, what for, and from when until when."""
    content = {
        "username": username,
        "label": label,
        "created_at": chain.moment(created_at),
        "expires_at": chain.moment(expires_at),
    }
    return chain.content_signature(vault.sign, fingerprint, {"token": content})


def audit_signature(vault: Vault, head: str, position: int, entry: AuditEntry) -> str:
    """The signature of a line of the log, together with the one before it."""
    content = {
        "position": position,
        "at": chain.moment(entry.at),
        "actor": [entry.actor.name, entry.actor.role.value, entry.actor.unit],
        "action": entry.action,
        "before": dict(entry.before),
        "after": dict(entry.after),
        "head": head,
    }
    return chain.content_signature(vault.sign, entry.subject, content)


class SqlIntegrity:
    """The row that counts: locked for the rest of the transaction by whoever adds to the counts."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def locked(self) -> IntegrityRow:
        """The row, kept from others until this transaction ends; begun with zeros where it is missing.

        Raises:
            WrongKey: The database was written with another key.
        """
        query = select(IntegrityRow).where(IntegrityRow.id == _ONLY).with_for_update()
        query = query.execution_options(populate_existing=True)
        row = (await self._session.scalars(query)).one_or_none()
        if row is None:
            values = integrity_values(self._vault, appeals_filed=0, audit_length=0, audit_head="")
            await self._session.execute(
                upsert(self._session, IntegrityRow).values(values).on_conflict_do_nothing()
            )
            row = (await self._session.scalars(query)).one()
        if row.key_check != self._vault.check:
            raise WrongKey("数据密钥与这个数据库不符，请换回原来的 QIFU_DATA_KEY 或 data.key。")
        return row

    async def filed(self, count: int) -> None:
        """Count appeals that were filed."""
        row = await self.locked()
        self._set(row, appeals_filed=row.appeals_filed + count)

    async def anchored(self, count: int, head: str) -> None:
        """Say how many anchors were written, and what the last one's signature is."""
        self._set(await self.locked(), anchors=count, anchor_head=head)
        await self._session.flush()  # whoever locks the row again in this transaction reads it anew

    def _set(self, row: IntegrityRow, **changed: Any) -> None:
        totals = {name: getattr(row, name) for name in _TOTALS}
        for name, value in integrity_values(self._vault, **{**totals, **changed}).items():
            setattr(row, name, value)

    async def logged(self, entry: AuditEntry) -> AuditRow:
        """The row of a new line of the log, counted and chained."""
        row = await self.locked()
        position = row.audit_length + 1
        signature = audit_signature(self._vault, row.audit_head, position, entry)
        self._set(row, audit_length=position, audit_head=signature)
        return AuditRow(
            at=entry.at,
            actor_name=entry.actor.name,
            actor_role=entry.actor.role.value,
            actor_unit=entry.actor.unit,
            action=entry.action,
            subject=entry.subject,
            before=dict(entry.before),
            after=dict(entry.after),
            position=position,
            signature=signature,
        )


class SqlAudit:
    """Implements `backend.people.audit.AuditLog`."""

    def __init__(self, session: AsyncSession, vault: Vault) -> None:
        self._session = session
        self._vault = vault
        self._integrity = SqlIntegrity(session, vault)

    def mark(self, *secret: str) -> str:
        """A keyed fingerprint of something that may not be read, by which an audit knows it again."""
        return mark(self._vault, *secret)

    async def add(self, entry: AuditEntry) -> None:
        """Add a line in the same transaction as the change that it tells of."""
        self._session.add(await self._integrity.logged(entry))
        await self._session.flush()

    async def page(self, page: int, page_size: int) -> tuple[tuple[AuditEntry, ...], int]:
        """One page, newest first, and how many lines there are."""
        total = await self._session.scalar(select(func.count(AuditRow.id))) or 0
        query = select(AuditRow).order_by(AuditRow.id.desc()).limit(page_size).offset((page - 1) * page_size)
        return tuple(map(entry_of, await self._session.scalars(query))), total


def entry_of(row: Any) -> AuditEntry:
    """A line of the log as it is stored."""
    return AuditEntry(row.at, actor_of(row), row.action, row.subject, row.before, row.after, row.position)
