"""The tables. Every change here needs a migration; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Date, ForeignKey, Index, MetaData, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from backend.storage.types import UtcDateTime

# What the desk list filters by stands in the index itself, so that counting 200,000 appeals reads no row; the
# newest come first by their id. A time follows the id: after a column that a list of states is compared with,
# SQLite would look once for each. Not declared here: the text index (`backend.storage.fulltext`).
LIST_INDEX = "ix_appeals_list"
LEAD_INDEX = "ix_appeals_led"
TERRITORY_INDEX = "ix_appeals_here"
OPEN_INDEX = "ix_appeals_open"
OPEN_ONLY = (
    "state IN ('filed', 'assigned', 'transferred', 'in_work', 'replied', 'reopened', 'escalated', 'returned')"
)
_ONLY_OPEN = text(OPEN_ONLY)
_FILTERS = (
    "due_at",
    "assigned_at",
    "state",
    "lead_department",
    "level",
    "category",
    "territory",
    "direct_line",
)


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
    """One appeal as it is now; contact and phone are sealed by the vault."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    group_id: Mapped[str] = mapped_column(ForeignKey("filings.group_id"), index=True)
    enterprise: Mapped[str] = mapped_column(String(100))
    enterprise_key: Mapped[str] = mapped_column(String(100), server_default="")
    contact_sealed: Mapped[str] = mapped_column(Text, server_default="")
    phone_sealed: Mapped[str] = mapped_column(Text, server_default="")
    phone_hash: Mapped[str] = mapped_column(String(64), server_default="", index=True)
    text: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(String(40))
    category: Mapped[str] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(10))
    initial_level: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(12))
    direct_line: Mapped[bool]
    territory: Mapped[str | None] = mapped_column(String(100))
    lead_department: Mapped[str | None] = mapped_column(String(100))
    led_by: Mapped[list[str]]
    reasons: Mapped[list[str]]
    submitted_at: Mapped[datetime]
    due_at: Mapped[datetime]
    due_provisional: Mapped[bool]
    assigned_at: Mapped[datetime | None]
    first_reply_at: Mapped[datetime | None]
    first_resolved_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    escalation_level: Mapped[int]
    major: Mapped[bool] = mapped_column(server_default=false())
    merged_into: Mapped[str | None] = mapped_column(String(24))
    erased_at: Mapped[datetime | None]
    feedback_at: Mapped[datetime | None]
    feedback_result: Mapped[str | None] = mapped_column(String(12))
    feedback_stars: Mapped[int | None]
    feedback_comment: Mapped[str | None] = mapped_column(Text)
    dissatisfied: Mapped[int]
    version: Mapped[int]
    record_length: Mapped[int] = mapped_column(server_default="0")
    record_head: Mapped[str] = mapped_column(String(64), server_default="")

    co_departments: Mapped[list[CoDepartmentRow]] = relationship(
        order_by="CoDepartmentRow.position", cascade="all, delete-orphan", lazy="selectin"
    )

    __table_args__ = (
        Index(None, "state", "due_at"),
        Index(None, "enterprise_key", "submitted_at"),
        Index(None, "submitted_at"),
        Index(LIST_INDEX, "id", *_FILTERS),
        Index(LEAD_INDEX, "lead_department", "id", *(name for name in _FILTERS if name != "lead_department")),
        Index(TERRITORY_INDEX, "territory", "id", *(name for name in _FILTERS if name != "territory")),
        Index(
            OPEN_INDEX,
            "id",
            *_FILTERS,
            sqlite_where=_ONLY_OPEN,
            postgresql_where=_ONLY_OPEN,
        ),
    )


class CoDepartmentRow(Base):
    """A department that helps with an appeal."""

    __tablename__ = "appeal_co_departments"

    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(String(100))

    __table_args__ = (Index(None, "department", "appeal_id"),)


class CounterRow(Base):
    """The last appeal number of a day."""

    __tablename__ = "appeal_counters"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    last: Mapped[int]


class HistoryRow(Base):
    """One line of an appeal's record; the database itself refuses to change or remove it.

    Only the words of a line may be emptied, when personal data are erased; their signature stays.
    """

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
    position: Mapped[int] = mapped_column(server_default="0")
    text_signature: Mapped[str] = mapped_column(String(64), server_default="")
    signature: Mapped[str] = mapped_column(String(64), server_default="")

    __table_args__ = (Index(None, "appeal_id", "position", unique=True),)


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
    acted_at: Mapped[datetime | None]

    __table_args__ = (Index(None, "state", "at"),)


class IntegrityRow(Base):
    """One row: what the whole must add up to, signed."""

    __tablename__ = "integrity"

    id: Mapped[int] = mapped_column(primary_key=True)
    key_check: Mapped[str] = mapped_column(String(64))
    appeals_filed: Mapped[int]
    audit_length: Mapped[int]
    audit_head: Mapped[str] = mapped_column(String(64))
    anchors: Mapped[int] = mapped_column(server_default="0")
    anchor_head: Mapped[str] = mapped_column(String(64), server_default="")
    signature: Mapped[str] = mapped_column(String(64))


class AuditRow(Base):
    """A change that is no appeal's own: accounts, calendar, exports; only ever added to, and chained."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_name: Mapped[str] = mapped_column(String(64))
    actor_role: Mapped[str] = mapped_column(String(12))
    actor_unit: Mapped[str | None] = mapped_column(String(100))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(200))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    position: Mapped[int] = mapped_column(unique=True)
    signature: Mapped[str] = mapped_column(String(64))


class CalendarDayRow(Base):
    """A day that differs from the State Council's notice."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    working: Mapped[bool]
    note: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(64))


class CalendarYearRow(Base):
    """A year whose notice has been entered completely."""

    __tablename__ = "calendar_years"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    note: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(64))


class OutboxRow(Base):
    """A message on its way: to a desk, to an enterprise's door, or to the notice gateway."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(String(24))
    audience: Mapped[str] = mapped_column(String(12))
    role: Mapped[str | None] = mapped_column(String(12))
    unit: Mapped[str | None] = mapped_column(String(100))
    channel: Mapped[str] = mapped_column(String(40))
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
    read_by: Mapped[str | None] = mapped_column(String(64))
    last_error: Mapped[str | None] = mapped_column(String(300))

    __table_args__ = (Index(None, "state", "next_try_at"), Index(None, "audience", "role", "unit", "id"))


class PenaltyRow(Base):
    """An event that counts in the yearly assessment."""

    __tablename__ = "penalties"

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    kind: Mapped[str] = mapped_column(String(24))
    unit: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]
    note: Mapped[str] = mapped_column(Text)
    actor_name: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("appeal_id", "kind", "unit", "at"),
        Index(None, "at"),
        Index(None, "unit", "at"),
    )


class ServiceClockRow(Base):
    """A time limit beside 135: policy service, catch-all service, open service."""

    __tablename__ = "service_clocks"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(24))
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"), index=True)
    subject: Mapped[str] = mapped_column(String(200))
    units: Mapped[list[str]]
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))
    reminded_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(64))

    __table_args__ = (Index(None, "state", "due_at"),)


class LiaisonEnterpriseRow(Base):
    """An enterprise that a liaison is paired with."""

    __tablename__ = "liaison_enterprises"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    enterprise_key: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)
    enterprise: Mapped[str] = mapped_column(String(100))
    since: Mapped[datetime]


class LiaisonMonthRow(Base):
    """What the task force enters for a liaison's month, beside what the appeals tell."""

    __tablename__ = "liaison_months"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    entries: Mapped[dict[str, Any]]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str] = mapped_column(String(64))


class CorrectionRow(Base):
    """What the territory decided otherwise than proposed: new training data, masked."""

    __tablename__ = "triage_corrections"

    id: Mapped[int] = mapped_column(primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"), unique=True)
    text: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(10))
    level: Mapped[str] = mapped_column(String(10))
    lead_department: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime]


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
    """The fingerprint of a bearer token, signed with whose it is and how long it lasts."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    label: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    signature: Mapped[str] = mapped_column(String(64), server_default="")


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
