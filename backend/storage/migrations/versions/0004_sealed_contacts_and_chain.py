"""Contacts are sealed, and the lines of the record are chained; what is there already is taken along."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from backend.appeals import chain
from backend.appeals.engine import plain
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import Event, HistoryEvent
from backend.people.actors import SYSTEM
from backend.storage.records import chained, content_signature, integrity_values
from backend.storage.types import UtcDateTime
from backend.storage.vault import Vault, WrongKey

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENTS = (
    "submitted_at",
    "due_at",
    "assigned_at",
    "first_reply_at",
    "first_resolved_at",
    "resolved_at",
    "closed_at",
    "feedback_at",
)
_APPEALS = sa.table(
    "appeals",
    *(
        sa.column(name)
        for name in (
            "id",
            "number",
            "group_id",
            "contact",
            "phone",
            "contact_sealed",
            "phone_sealed",
            "phone_hash",
            "enterprise",
            "enterprise_key",
            "text",
            "channel",
            "category",
            "level",
            "initial_level",
            "state",
            "territory",
            "lead_department",
            "escalation_level",
            "feedback_result",
            "feedback_stars",
            "dissatisfied",
            "version",
            "record_length",
            "record_head",
        )
    ),
    *(sa.column(name, sa.Boolean()) for name in ("direct_line", "due_provisional")),
    *(sa.column(name, sa.JSON()) for name in ("led_by", "reasons")),
    *(sa.column(name, UtcDateTime()) for name in _MOMENTS),
)
_RECORDED = (
    "state",
    "level",
    "category",
    "territory",
    "lead_department",
    "co_departments",
    "led_by",
    "due_at",
    "due_provisional",
    "assigned_at",
    "first_reply_at",
    "first_resolved_at",
    "resolved_at",
    "closed_at",
    "escalation_level",
    "major",
    "dissatisfied",
    "feedback",
    "merged_into",
    "erased_at",
)
_CO = sa.table(
    "appeal_co_departments", *(sa.column(name) for name in ("appeal_id", "position", "department"))
)
_HISTORY = sa.table(
    "appeal_history",
    *(
        sa.column(name)
        for name in (
            "id",
            "appeal_id",
            "actor_name",
            "actor_role",
            "actor_unit",
            "event",
            "summary",
            "text",
            "position",
            "text_signature",
            "signature",
        )
    ),
    sa.column("at", UtcDateTime()),
    sa.column("public", sa.Boolean()),
    sa.column("before", sa.JSON()),
    sa.column("after", sa.JSON()),
)

# The words of a line may be emptied, when personal data are erased; nothing else, ever.
_COLUMNS = (
    "id",
    "appeal_id",
    "at",
    "actor_name",
    "actor_role",
    "actor_unit",
    "event",
    "summary",
    "public",
    "before",
    "after",
    "position",
    "text_signature",
    "signature",
)
_SAME = " AND ".join(f"NEW.{name} IS OLD.{name}" for name in _COLUMNS)
_SAME_JSON = " AND ".join(f"NEW.{name}::text IS NOT DISTINCT FROM OLD.{name}::text" for name in _COLUMNS)
_SQLITE_OLD_GUARD = """CREATE TRIGGER appeal_history_no_update BEFORE UPDATE ON appeal_history
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END"""
_SQLITE_GUARDS = (
    f"""CREATE TRIGGER appeal_history_no_update BEFORE UPDATE ON appeal_history
    WHEN NOT (NEW.text = '' AND {_SAME})
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
    """CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
    """CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END""",
)
_POSTGRESQL_OLD_GUARD = """CREATE OR REPLACE FUNCTION appeal_history_guard() RETURNS trigger
    LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the record is append-only'; END$$"""
_POSTGRESQL_GUARDS = (
    f"""CREATE OR REPLACE FUNCTION appeal_history_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN
    IF TG_OP = 'UPDATE' AND NEW.text = '' AND {_SAME_JSON} THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'the record is append-only';
    END$$""",
    """CREATE FUNCTION audit_log_guard() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN RAISE EXCEPTION 'the record is append-only'; END$$""",
    """CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_guard()""",
)


def upgrade() -> None:
    """Apply."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("appeal_supervision", sa.Column("acted_at", UtcDateTime(), nullable=True))
    for column in (
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("text_signature", sa.String(length=64), server_default="", nullable=False),
        sa.Column("signature", sa.String(length=64), server_default="", nullable=False),
    ):
        op.add_column("appeal_history", column)
    for column in (
        sa.Column("enterprise_key", sa.String(length=100), server_default="", nullable=False),
        sa.Column("contact_sealed", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_sealed", sa.Text(), server_default="", nullable=False),
        sa.Column("phone_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("first_resolved_at", UtcDateTime(), nullable=True),
        sa.Column("major", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("merged_into", sa.String(length=24), nullable=True),
        sa.Column("erased_at", UtcDateTime(), nullable=True),
        sa.Column("record_length", sa.Integer(), server_default="0", nullable=False),
        sa.Column("record_head", sa.String(length=64), server_default="", nullable=False),
    ):
        op.add_column("appeals", column)
    if sqlite:
        op.execute("DROP TRIGGER appeal_history_no_update")
    else:
        op.execute("ALTER TABLE appeal_history DISABLE TRIGGER appeal_history_append_only")
    _take_along()
    if not sqlite:
        op.execute("ALTER TABLE appeal_history ENABLE TRIGGER appeal_history_append_only")
    for statement in _SQLITE_GUARDS if sqlite else _POSTGRESQL_GUARDS:
        op.execute(statement)
    op.create_index(
        op.f("ix_appeal_history_appeal_id_position"), "appeal_history", ["appeal_id", "position"], unique=True
    )
    op.create_index(
        op.f("ix_appeals_enterprise_key_submitted_at"), "appeals", ["enterprise_key", "submitted_at"]
    )
    op.create_index(op.f("ix_appeals_phone_hash"), "appeals", ["phone_hash"])
    op.create_index(op.f("ix_appeals_submitted_at"), "appeals", ["submitted_at"])
    op.drop_column("appeals", "contact")
    op.drop_column("appeals", "phone")


def downgrade() -> None:
    """Undo; the contacts are readable again."""
    bind = op.get_bind()
    sqlite = bind.dialect.name == "sqlite"
    op.add_column("appeals", sa.Column("contact", sa.String(length=40), server_default="", nullable=False))
    op.add_column("appeals", sa.Column("phone", sa.String(length=30), server_default="", nullable=False))
    columns = _APPEALS.c
    for row in _rows(sa.select(columns.id, columns.contact_sealed, columns.phone_sealed)):
        vault = _vault()
        bind.execute(
            sa.update(_APPEALS)
            .where(columns.id == row.id)
            .values(contact=vault.open(row.contact_sealed), phone=vault.open(row.phone_sealed))
        )
    op.drop_index(op.f("ix_appeals_submitted_at"), table_name="appeals")
    op.drop_index(op.f("ix_appeals_phone_hash"), table_name="appeals")
    op.drop_index(op.f("ix_appeals_enterprise_key_submitted_at"), table_name="appeals")
    for name in (
        "record_head",
        "record_length",
        "erased_at",
        "merged_into",
        "major",
        "first_resolved_at",
        "phone_hash",
        "phone_sealed",
        "contact_sealed",
        "enterprise_key",
    ):
        op.drop_column("appeals", name)
    if sqlite:
        op.execute("DROP TRIGGER appeal_history_no_update")
        op.execute("DROP TRIGGER audit_log_no_update")
        op.execute("DROP TRIGGER audit_log_no_delete")
    else:
        op.execute(_POSTGRESQL_OLD_GUARD)
        op.execute("DROP TRIGGER audit_log_append_only ON audit_log")
        op.execute("DROP FUNCTION audit_log_guard()")
    op.drop_index(op.f("ix_appeal_history_appeal_id_position"), table_name="appeal_history")
    for name in ("signature", "text_signature", "position"):
        op.drop_column("appeal_history", name)
    if sqlite:
        op.execute(_SQLITE_OLD_GUARD)
    op.drop_column("appeal_supervision", "acted_at")
    op.execute("DELETE FROM integrity")


def _vault() -> Vault:
    vault = context.config.attributes.get("vault")
    if not isinstance(vault, Vault):
        raise WrongKey("升级数据库需要数据密钥，请设置 QIFU_DATA_KEY 或保留数据文件夹中的 data.key。")
    return vault


def _rows(statement: "sa.Select[Any]") -> Iterator[Any]:
    """All rows, read before anything is written."""
    return iter(op.get_bind().execute(statement).all())


def _take_along() -> None:
    """Seal the contacts and chain the records that are there already.

    What older lines leave out is said in one line more, so that from here on the record proves all of it.
    """
    bind = op.get_bind()
    appeals, history = _APPEALS.c, _HISTORY.c
    filed, now = 0, datetime.now(UTC).replace(microsecond=0)
    new = {
        "contact_sealed",
        "phone_sealed",
        "phone_hash",
        "enterprise_key",
        "first_resolved_at",
        "record_length",
        "record_head",
    }
    columns = [column for column in appeals if column.name not in new]
    for appeal in _rows(sa.select(*columns).order_by(appeals.id)):
        filed += 1
        vault = _vault()
        head, count = "", 0
        for line in _rows(sa.select(*history).where(history.appeal_id == appeal.id).order_by(history.id)):
            count += 1
            signed, signature, head = chained(vault, head, appeal.number, count, line)
            bind.execute(
                sa.update(_HISTORY)
                .where(history.id == line.id)
                .values(position=count, text_signature=signed, signature=signature)
            )
        count += 1
        line = HistoryEvent(
            now, SYSTEM, Event.NOTE, "此前的记录自此签名", "", public=False, after=_as_it_is(vault, appeal)
        )
        signature = chain.link(vault.sign, head, appeal.number, count, line, "")
        bind.execute(
            sa.insert(_HISTORY).values(
                appeal_id=appeal.id,
                at=now,
                actor_name=SYSTEM.name,
                actor_role=SYSTEM.role.value,
                actor_unit=None,
                event=line.event.value,
                summary=line.summary,
                text="",
                public=False,
                before={},
                after=dict(line.after),
                position=count,
                text_signature="",
                signature=signature,
            )
        )
        bind.execute(
            sa.update(_APPEALS)
            .where(appeals.id == appeal.id)
            .values(
                contact_sealed=vault.seal(appeal.contact),
                phone_sealed=vault.seal(appeal.phone),
                phone_hash=vault.fingerprint(appeal.phone),
                enterprise_key=enterprise_key(appeal.enterprise),
                first_resolved_at=appeal.resolved_at,
                record_length=count,
                record_head=chain.head(vault.sign, appeal.number, count, signature),
            )
        )
    if filed:
        bind.execute(
            sa.text(
                "INSERT INTO integrity (id, key_check, appeals_filed, audit_length, audit_head, signature) "
                "VALUES (:id, :key_check, :appeals_filed, :audit_length, :audit_head, :signature)"
            ),
            integrity_values(_vault(), appeals_filed=filed, audit_length=0, audit_head=""),
        )


def _as_it_is(vault: Vault, appeal: Any) -> dict[str, Any]:
    """An appeal of the older version as a line of its record tells of it."""
    helpers = sa.select(_CO.c.department).where(_CO.c.appeal_id == appeal.id).order_by(_CO.c.position)
    feedback = None
    if appeal.feedback_result is not None:
        feedback = {
            "at": plain(appeal.feedback_at),
            "result": appeal.feedback_result,
            "stars": appeal.feedback_stars,
        }
    known = {
        "co_departments": list(op.get_bind().execute(helpers).scalars()),
        "feedback": feedback,
        "first_resolved_at": plain(appeal.resolved_at),
        "major": False,
        "merged_into": None,
        "erased_at": None,
    }
    recorded = {name: known[name] if name in known else plain(getattr(appeal, name)) for name in _RECORDED}
    content = content_signature(
        vault,
        appeal.number,
        group=appeal.group_id,
        enterprise=appeal.enterprise,
        contact=appeal.contact,
        phone=appeal.phone,
        text=appeal.text,
        channel=appeal.channel,
        initial_level=appeal.initial_level,
        direct_line=appeal.direct_line,
        reasons=appeal.reasons,
        submitted_at=appeal.submitted_at,
    )
    return {**recorded, "content": content, "version": appeal.version}
