"""An index by territory, so that its desk does not read the list of the whole district."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    columns = ["due_at", "assigned_at", "state", "lead_department", "level", "category", "direct_line"]
    op.create_index("ix_appeals_here", "appeals", ["territory", "id", *columns])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_appeals_here", table_name="appeals")
