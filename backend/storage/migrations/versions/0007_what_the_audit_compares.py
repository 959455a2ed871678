"""Tokens are signed and anchors counted; what accounts, clocks and penalties are now is told to the log."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from backend.appeals import chain
from backend.people.actors import SYSTEM
from backend.people.audit import AuditEntry
from backend.storage.records import audit_signature, integrity_values, mark, token_signature
from backend.storage.types import UtcDateTime
from backend.storage.vault import Vault, WrongKey

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _table(name: str, *plain: str, moments: tuple[str, ...] = (), values: tuple[str, ...] = ()) -> Any:
    return sa.table(
        name,
        *(sa.column(one) for one in plain),
        *(sa.column(one, UtcDateTime()) for one in moments),
        *(sa.column(one, sa.JSON()) for one in values),
    )


_ACCOUNTS = _table("accounts", "id", "username", "role", "unit", "password_hash", moments=("disabled_at",))
_PAIRS = _table("liaison_enterprises", "account_id", "enterprise", moments=("since",))
_MONTHS = _table("liaison_months", "account_id", "month", values=("entries",))
_CLOCKS = _table(
    "service_clocks",
    "id",
    "kind",
    "appeal_id",
    "state",
    "created_by",
    "ended_by",
    moments=("due_at", "ended_at"),
    values=("units",),
)
_APPEALS = _table("appeals", "id", "number", "enterprise", moments=("erased_at",))
_HISTORY = _table("appeal_history", "id")
_PENALTIES = _table("penalties", "id", "appeal_id", "kind", "unit", "actor_name", "note", moments=("at",))
_CORRECTIONS = _table("triage_corrections", "id", "appeal_id", "text")
_TOKENS = _table(
    "tokens", "id", "account_id", "fingerprint", "label", "signature", moments=("created_at", "expires_at")
)
_INTEGRITY = _table(
    "integrity", "id", "key_check", "appeals_filed", "audit_length", "audit_head", "signature"
)
_LOG = _table(
    "audit_log",
    "actor_name",
    "actor_role",
    "actor_unit",
    "action",
    "subject",
    "position",
    "signature",
    moments=("at",),
    values=("before", "after"),
)


def upgrade() -> None:
    """Apply."""
    op.add_column("integrity", sa.Column("anchors", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "integrity", sa.Column("anchor_head", sa.String(length=64), server_default="", nullable=False)
    )
    op.add_column("tokens", sa.Column("signature", sa.String(length=64), server_default="", nullable=False))
    _sign_tokens()
    _forget_people()
    _tell_the_log()


def downgrade() -> None:
    """Undo; what was told to the log stays there, and nobody reads it."""
    bind = op.get_bind()
    total = bind.execute(sa.text("SELECT * FROM integrity")).first()
    if total is not None and _is_good(total):
        _keep_total(total.appeals_filed, total.audit_length, total.audit_head)
    op.drop_column("tokens", "signature")
    op.drop_column("integrity", "anchor_head")
    op.drop_column("integrity", "anchors")


def _vault() -> Vault:
    vault = context.config.attributes.get("vault")
    if not isinstance(vault, Vault):
        raise WrongKey("升级数据库需要数据密钥，请设置 QIFU_DATA_KEY 或保留数据文件夹中的 data.key。")
    return vault


def _rows(statement: "sa.Select[Any]") -> list[Any]:
    return list(op.get_bind().execute(statement).all())


def _sign_tokens() -> None:
    query = sa.select(_TOKENS, _ACCOUNTS.c.username).join(_ACCOUNTS, _ACCOUNTS.c.id == _TOKENS.c.account_id)
    for row in _rows(query):
        signature = token_signature(
            _vault(),
            fingerprint=row.fingerprint,
            username=row.username,
            label=row.label,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
        op.execute(sa.update(_TOKENS).where(_TOKENS.c.id == row.id).values(signature=signature))


def _forget_people() -> None:
    """What was left of people whose data were erased already."""
    erased = sa.select(_APPEALS.c.id).where(_APPEALS.c.erased_at.is_not(None))
    op.execute(sa.update(_PENALTIES).where(_PENALTIES.c.appeal_id.in_(erased)).values(note=""))
    # whose words they are cannot be known any more
    op.execute(sa.delete(_CORRECTIONS).where(_CORRECTIONS.c.appeal_id.in_(erased)))


def _tell_the_log() -> None:
    """Say what there is, so that everything later is compared, and nothing earlier is claimed."""
    entries = list(_entries())
    if not entries:
        return
    bind, vault, now = op.get_bind(), _vault(), datetime.now(UTC).replace(microsecond=0)
    total = bind.execute(sa.text("SELECT * FROM integrity")).first()
    if total is not None and not _is_good(total):
        return  # somebody has changed it: what is found must not be signed over
    filed, position, head = (
        (total.appeals_filed, total.audit_length, total.audit_head) if total is not None else (0, 0, "")
    )
    for action, subject, after in entries:
        position += 1
        entry = AuditEntry(now, SYSTEM, action, subject, {}, after)
        head = audit_signature(vault, head, position, entry)
        bind.execute(
            sa.insert(_LOG).values(
                at=now,
                actor_name=SYSTEM.name,
                actor_role=SYSTEM.role.value,
                actor_unit=None,
                action=action,
                subject=subject,
                before={},
                after=after,
                position=position,
                signature=head,
            )
        )
    _keep_total(filed, position, head)


def _is_good(total: Any) -> bool:
    values = integrity_values(
        _vault(),
        appeals_filed=total.appeals_filed,
        audit_length=total.audit_length,
        audit_head=total.audit_head,
        anchors=total.anchors,
        anchor_head=total.anchor_head,
    )
    return bool(values["signature"] == total.signature)


def _keep_total(filed: int, length: int, head: str) -> None:
    bind = op.get_bind()
    values = integrity_values(_vault(), appeals_filed=filed, audit_length=length, audit_head=head)
    kept = {name: value for name, value in values.items() if name in _INTEGRITY.c}
    if bind.execute(sa.select(_INTEGRITY.c.id)).first() is None:
        bind.execute(sa.insert(_INTEGRITY).values(kept))
    else:
        bind.execute(sa.update(_INTEGRITY).values(kept))


def _entries() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    vault = _vault()
    lines = op.get_bind().scalar(sa.select(sa.func.max(_HISTORY.c.id))) or 0
    accounts = _rows(sa.select(_ACCOUNTS).order_by(_ACCOUNTS.c.id))
    clocks = _rows(
        sa.select(_CLOCKS, _APPEALS.c.number)
        .outerjoin(_APPEALS, _APPEALS.c.id == _CLOCKS.c.appeal_id)
        .order_by(_CLOCKS.c.id)
    )
    if not (lines or accounts or clocks):
        return
    upto, digest = 0, hashlib.sha256()
    for row in _rows(sa.select(_PENALTIES).order_by(_PENALTIES.c.id)):
        upto = row.id
        told = [row.id, row.appeal_id, row.kind, row.unit, chain.moment(row.at), row.actor_name]
        digest.update(json.dumps(told, ensure_ascii=False).encode() + b"\n")
    yield "audit.begin", "audit", {"lines": lines, "penalties": upto, "digest": digest.hexdigest()}
    for row in accounts:
        of_this = sa.select(_PAIRS).where(_PAIRS.c.account_id == row.id)
        months = sa.select(_MONTHS).where(_MONTHS.c.account_id == row.id)
        hashed = row.password_hash
        yield (
            "account.known",
            row.username,
            {
                "role": row.role,
                "unit": row.unit,
                "disabled": row.disabled_at is not None,
                "password": hashed is not None,
                "password_mark": mark(vault, row.username, hashed) if hashed is not None else None,
                "enterprises": [one.enterprise for one in _rows(of_this)],
                "months": {one.month: one.entries for one in _rows(months)},
            },
        )
    for row in clocks:
        yield (
            "clock.known",
            f"clock {row.id}",
            {
                "kind": row.kind,
                "units": row.units,
                "due_at": chain.moment(row.due_at),
                "number": row.number,
                "by": row.created_by,
                "ended_at": chain.moment(row.ended_at) if row.ended_at else None,
                "ended_by": row.ended_by,
            },
        )
