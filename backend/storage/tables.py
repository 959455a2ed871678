"""The tables. Every change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, MetaData, String, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from backend.storage.types import UtcDateTime


class Base(DeclarativeBase):
    """Names every constraint, so that migrations can speak of it on any database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[str]: JSON(), str: String()}  # noqa: RUF012


class FilingRow(Base):
    """What was sent in at once; ``idempotency_key`` keeps a repeat from filing twice."""

    __tablename__ = "filings"

    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[str] = mapped_column(String(32), unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(200), unique=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class AppealRow(Base):
    """One appeal as it is now."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("filings.group_id"), index=True)
    enterprise: Mapped[str] = mapped_column(String(100))
    contact: Mapped[str] = mapped_column(String(40))
    phone: Mapped[str] = mapped_column(String(30))
    text: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(10))
    initial_level: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    direct_line: Mapped[bool]
    territory: Mapped[str | None] = mapped_column(String(100), index=True)
    lead_department: Mapped[str | None] = mapped_column(String(100), index=True)
    led_by: Mapped[list[str]]
    reasons: Mapped[list[str]]
    submitted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    due_provisional: Mapped[bool]
    assigned_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    escalation_level: Mapped[int]
    feedback_at: Mapped[datetime | None]
    feedback_result: Mapped[str | None] = mapped_column(String(12))
    feedback_stars: Mapped[int | None]
    feedback_comment: Mapped[str | None] = mapped_column(Text)
    dissatisfied: Mapped[int]
    version: Mapped[int]

    co_departments: Mapped[list[CoDepartmentRow]] = relationship(
        order_by="CoDepartmentRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    __table_args__ = (Index(None, "state", "due_at"),)


class CoDepartmentRow(Base):
    """A department that helps with an appeal."""

    __tablename__ = "appeal_co_departments"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(String(100), index=True)


class CounterRow(Base):
    """The last appeal number of a day."""

    __tablename__ = "appeal_counters"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


class HistoryRow(Base):
    """One line of an appeal's record; the database itself refuses to change or remove it."""

    __tablename__ = "appeal_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    at: Mapped[datetime]
    actor_name: Mapped[str] = mapped_column(String(64))
    actor_role: Mapped[str] = mapped_column(String(12))
    actor_unit: Mapped[str | None] = mapped_column(String(100))
    event: Mapped[str] = mapped_column(String(12))
    summary: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    public: Mapped[bool]
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]


class SupervisionRow(Base):
    """A supervision moment or order; a worker claims the pending ones that are due."""

    __tablename__ = "appeal_supervision"

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index(None, "state", "at"),)


class AccountRow(Base):
    """A member of staff."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(12))
    unit: Mapped[str | None] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class TokenRow(Base):
    """The fingerprint of a bearer token."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class AttemptsRow(Base):
    """Logins tried under a user name."""

    __tablename__ = "login_attempts"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]
    locked_until: Mapped[datetime | None]


class HandoffRow(Base):
    """Somebody asked for a person."""

    __tablename__ = "handoffs"

    id: Mapped[int] = mapped_column(primary_key=True)
    sender: Mapped[str] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(Text)
    number: Mapped[str | None] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(10), server_default=text("'open'"))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index(None, "state", "created_at"),)


class UnansweredRow(Base):
    """A question that had no answer, masked; ``key`` is the same for the same words."""

    __tablename__ = "unanswered_questions"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    question: Mapped[str] = mapped_column(String(300))
    count: Mapped[int]
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    handled_by: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (Index(None, "handled_at", "last_at"),)
