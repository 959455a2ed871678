"""Indexes that the desk list reads instead of the appeals, and the text index."""

from alembic import op
from sqlalchemy import text

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_OPEN = text(
    "state IN ('filed', 'assigned', 'transferred', 'in_work', 'replied', 'reopened', 'escalated', 'returned')"
)
_TIMES = ["due_at", "assigned_at", "state"]
_FILTERS = ["level", "category", "territory", "direct_line"]

# Every category of characters but the controls, which part the pairs. The texts are not kept a second time,
# so an entry can only be taken out by naming what it holds.
_SQLITE_UP = (
    """CREATE VIRTUAL TABLE appeal_words USING fts5(
        words, content='', columnsize=0, detail=full,
        tokenize="unicode61 remove_diacritics 0 categories 'L* N* P* S* Z* M* Co Cn Cs Cf'"
    )""",
    """INSERT INTO appeal_words (rowid, words)
    SELECT id, qifu_pairs(number, enterprise, text) FROM appeals ORDER BY id""",
    """CREATE TRIGGER appeal_words_add AFTER INSERT ON appeals BEGIN
        INSERT INTO appeal_words (rowid, words)
        VALUES (NEW.id, qifu_pairs(NEW.number, NEW.enterprise, NEW.text));
    END""",
    """CREATE TRIGGER appeal_words_change AFTER UPDATE OF number, enterprise, text ON appeals
    WHEN NEW.number IS NOT OLD.number OR NEW.enterprise IS NOT OLD.enterprise OR NEW.text IS NOT OLD.text
    BEGIN
        INSERT INTO appeal_words (appeal_words, rowid, words)
        VALUES ('delete', OLD.id, qifu_pairs(OLD.number, OLD.enterprise, OLD.text));
        INSERT INTO appeal_words (rowid, words)
        VALUES (NEW.id, qifu_pairs(NEW.number, NEW.enterprise, NEW.text));
    END""",
    """CREATE TRIGGER appeal_words_remove AFTER DELETE ON appeals BEGIN
        INSERT INTO appeal_words (appeal_words, rowid, words)
        VALUES ('delete', OLD.id, qifu_pairs(OLD.number, OLD.enterprise, OLD.text));
    END""",
)
_SQLITE_DOWN = (
    "DROP TRIGGER appeal_words_add",
    "DROP TRIGGER appeal_words_change",
    "DROP TRIGGER appeal_words_remove",
    "DROP TABLE appeal_words",
)

# The cost keeps the planner from cutting every text into pairs where it should read the index. Autovacuum:
# counting by an index alone is only quick while few rows have changed since the last vacuum.
_POSTGRESQL_UP = (
    """CREATE FUNCTION qifu_pairs(words text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 2000 AS $$
    DECLARE
        signs text[] := string_to_array(words, NULL);
        found text[] := '{}';
    BEGIN
        FOR place IN 1 .. coalesce(array_length(signs, 1), 0) LOOP
            found[place] := signs[place] || coalesce(signs[place + 1], '');
        END LOOP;
        RETURN array_to_tsvector(found);
    END $$""",
    """CREATE FUNCTION qifu_folded(number text, enterprise text, words text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
        SELECT lower(normalize(
            number || chr(31) || enterprise || chr(31) || translate(words, chr(10) || chr(9), '  '), NFKC
        )) || chr(31)
    $$""",
    """CREATE TABLE appeal_words (
        appeal_id integer CONSTRAINT pk_appeal_words PRIMARY KEY
            CONSTRAINT fk_appeal_words_appeal_id REFERENCES appeals (id) ON DELETE CASCADE,
        words text NOT NULL
    )""",
    "INSERT INTO appeal_words SELECT id, qifu_folded(number, enterprise, text) FROM appeals ORDER BY id",
    "CREATE INDEX ix_appeal_words_pairs ON appeal_words USING gin (qifu_pairs(words))",
    """CREATE FUNCTION appeal_words_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO appeal_words VALUES (NEW.id, qifu_folded(NEW.number, NEW.enterprise, NEW.text))
        ON CONFLICT (appeal_id) DO UPDATE SET words = EXCLUDED.words;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER appeal_words_add AFTER INSERT ON appeals
    FOR EACH ROW EXECUTE FUNCTION appeal_words_keep()""",
    """CREATE TRIGGER appeal_words_change AFTER UPDATE OF number, enterprise, text ON appeals
    FOR EACH ROW WHEN (
        (NEW.number, NEW.enterprise, NEW.text) IS DISTINCT FROM (OLD.number, OLD.enterprise, OLD.text)
    ) EXECUTE FUNCTION appeal_words_keep()""",
    """ALTER TABLE appeals SET
    (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02)""",
)
_POSTGRESQL_DOWN = (
    "ALTER TABLE appeals RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)",
    "DROP TRIGGER appeal_words_change ON appeals",
    "DROP TRIGGER appeal_words_add ON appeals",
    "DROP FUNCTION appeal_words_keep()",
    "DROP TABLE appeal_words",
    "DROP FUNCTION qifu_folded(text, text, text)",
    "DROP FUNCTION qifu_pairs(text)",
)


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_appeals_territory", table_name="appeals")
    op.drop_index("ix_appeals_lead_department", table_name="appeals")
    op.drop_index("ix_appeal_co_departments_department", table_name="appeal_co_departments")
    op.create_index("ix_appeals_list", "appeals", ["id", *_TIMES, "lead_department", *_FILTERS])
    op.create_index("ix_appeals_led", "appeals", ["lead_department", "id", *_TIMES, *_FILTERS])
    op.create_index(
        "ix_appeals_open",
        "appeals",
        ["id", *_TIMES, "lead_department", *_FILTERS],
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_appeal_co_departments_department_appeal_id", "appeal_co_departments", ["department", "appeal_id"]
    )
    bind = op.get_bind()
    for statement in _SQLITE_UP if bind.dialect.name == "sqlite" else _POSTGRESQL_UP:
        bind.exec_driver_sql(statement)


def downgrade() -> None:
    """Undo."""
    bind = op.get_bind()
    for statement in _SQLITE_DOWN if bind.dialect.name == "sqlite" else _POSTGRESQL_DOWN:
        bind.exec_driver_sql(statement)
    op.drop_index("ix_appeal_co_departments_department_appeal_id", table_name="appeal_co_departments")
    op.drop_index("ix_appeals_open", table_name="appeals")
    op.drop_index("ix_appeals_led", table_name="appeals")
    op.drop_index("ix_appeals_list", table_name="appeals")
    op.create_index("ix_appeal_co_departments_department", "appeal_co_departments", ["department"])
    op.create_index("ix_appeals_lead_department", "appeals", ["lead_department"])
    op.create_index("ix_appeals_territory", "appeals", ["territory"])
