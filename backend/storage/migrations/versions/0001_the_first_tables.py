"""The first tables."""

import sqlalchemy as sa
from alembic import op

from backend.storage.types import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# The record is only ever added to; the database refuses anything else.
_SQLITE_GUARDS = (
    """CREATE TRIGGER appeal_history_no_update BEFORE UPDATE ON appeal_history
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
    """CREATE TRIGGER appeal_history_no_delete BEFORE DELETE ON appeal_history
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
)
_POSTGRESQL_GUARDS = (
    """CREATE FUNCTION appeal_history_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the record is append-only'; END$$""",
    """CREATE TRIGGER appeal_history_append_only BEFORE UPDATE OR DELETE ON appeal_history
    FOR EACH ROW EXECUTE FUNCTION appeal_history_guard()""",
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("unit", sa.String(length=100), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
    )
    op.create_table(
        "appeal_counters",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_appeal_counters")),
    )
    op.create_table(
        "filings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filings")),
        sa.UniqueConstraint("group_id", name=op.f("uq_filings_group_id")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_filings_idempotency_key")),
    )
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sender", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=True),
        sa.Column("state", sa.String(length=10), server_default=sa.text("'open'"), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index(op.f("ix_handoffs_state_created_at"), "handoffs", ["state", "created_at"])

    op.create_table(
        "login_attempts",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_login_attempts")),
    )
    op.create_table(
        "appeals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=24), nullable=False),
        sa.Column("group_id", sa.String(length=32), nullable=False),
        sa.Column("enterprise", sa.String(length=100), nullable=False),
        sa.Column("contact", sa.String(length=40), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=10), nullable=False),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("initial_level", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("direct_line", sa.Boolean(), nullable=False),
        sa.Column("territory", sa.String(length=100), nullable=True),
        sa.Column("lead_department", sa.String(length=100), nullable=True),
        sa.Column("led_by", sa.JSON(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("assigned_at", UtcDateTime(), nullable=True),
        sa.Column("first_reply_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("closed_at", UtcDateTime(), nullable=True),
        sa.Column("escalation_level", sa.Integer(), nullable=False),
        sa.Column("feedback_at", UtcDateTime(), nullable=True),
        sa.Column("feedback_result", sa.String(length=12), nullable=True),
        sa.Column("feedback_stars", sa.Integer(), nullable=True),
        sa.Column("feedback_comment", sa.Text(), nullable=True),
        sa.Column("dissatisfied", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["filings.group_id"], name=op.f("fk_appeals_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeals")),
        sa.UniqueConstraint("number", name=op.f("uq_appeals_number")),
    )
    op.create_index(op.f("ix_appeals_group_id"), "appeals", ["group_id"])
    op.create_index(op.f("ix_appeals_lead_department"), "appeals", ["lead_department"])
    op.create_index(op.f("ix_appeals_state_due_at"), "appeals", ["state", "due_at"])
    op.create_index(op.f("ix_appeals_territory"), "appeals", ["territory"])

    op.create_table(
        "tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tokens_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_tokens_fingerprint")),
    )
    op.create_index(op.f("ix_tokens_account_id"), "tokens", ["account_id"])

    op.create_table(
        "appeal_co_departments",
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("department", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_co_departments_appeal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("appeal_id", "position", name=op.f("pk_appeal_co_departments")),
    )
    op.create_index(op.f("ix_appeal_co_departments_department"), "appeal_co_departments", ["department"])

    op.create_table(
        "appeal_history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_name", sa.String(length=64), nullable=False),
        sa.Column("actor_role", sa.String(length=12), nullable=False),
        sa.Column("actor_unit", sa.String(length=100), nullable=True),
        sa.Column("event", sa.String(length=12), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_history_appeal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_history")),
    )
    op.create_index(op.f("ix_appeal_history_appeal_id"), "appeal_history", ["appeal_id"])

    op.create_table(
        "appeal_supervision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appeal_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_supervision_appeal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal_supervision")),
    )
    op.create_index(op.f("ix_appeal_supervision_appeal_id"), "appeal_supervision", ["appeal_id"])
    op.create_index(op.f("ix_appeal_supervision_state_at"), "appeal_supervision", ["state", "at"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in _SQLITE_GUARDS if sqlite else _POSTGRESQL_GUARDS:
        op.execute(statement)


def downgrade() -> None:
    """Undo."""
    op.drop_table("appeal_supervision")

    op.drop_table("appeal_history")

    op.drop_table("appeal_co_departments")

    op.drop_table("tokens")

    op.drop_table("appeals")
    op.drop_table("login_attempts")

    op.drop_table("handoffs")
    op.drop_table("filings")
    op.drop_table("appeal_counters")
    op.drop_table("accounts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION appeal_history_guard()")
