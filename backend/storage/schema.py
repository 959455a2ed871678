"""Brings a database to the newest schema, in process and without any file outside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from backend.storage.database import make_folder, prepare_sqlite, raise_sentence, sync_url
from backend.storage.vault import Vault, WrongKey

_SCRIPTS = Path(__file__).with_name("migrations")
# Any fixed number; whoever else migrates the same PostgreSQL database waits for it.
_LOCK = 0x71696675


def configuration(connection: Connection | None = None, vault: Vault | None = None) -> Config:
    """Alembic's configuration, made in code.

    Args:
        connection: An open connection for the migrations to run on.
        vault: Needed where a migration seals or opens what is there already.
    """
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["vault"] = vault
    return config


def open_engine(url: str) -> Engine:
    """A plain engine for migrations and checks.

    Raises:
        InvalidInput: Not a usable URL.
    """
    parsed = sync_url(url)
    make_folder(parsed)
    engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True)
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", prepare_sqlite)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def migrate(url: str, vault: Vault, revision: str = "head") -> None:
    """Bring the database to a revision; safe to repeat, and to run from several processes at once.

    Everything happens in one transaction, so that a killed migration leaves the old schema.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        vault: Seals what is not sealed yet, and must be the one that the database was written with.
        revision: Where to, by default the newest.

    Raises:
        InvalidInput: Not a usable URL.
        Unavailable: The database cannot be reached.
        WrongKey: The database was written with another key.
    """
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config = configuration(connection, vault)
            _check_key(connection, vault)
            present = MigrationContext.configure(connection).get_current_revision()
            if revision == "head" and present == ScriptDirectory.from_config(config).get_current_head():
                return
            if _is_older(config, present, revision):
                command.upgrade(config, revision)
            else:
                command.downgrade(config, revision)
    except DBAPIError as error:
        raise_sentence(error)
        raise
    finally:
        engine.dispose()


def _check_key(connection: Connection, vault: Vault) -> None:
    """Refuse a database that another key has written, before anything is added to it."""
    if inspect(connection).has_table("integrity"):
        check = connection.execute(text("SELECT key_check FROM integrity")).scalar()
        if check is not None and check != vault.check:
            raise WrongKey("数据密钥与这个数据库不符，请换回原来的 QIFU_DATA_KEY 或数据文件夹中的 data.key。")


def _is_older(config: Config, present: str | None, revision: str) -> bool:
    """Whether a database is below the wanted revision."""
    if present is None or revision == "head":
        return True
    if revision == "base":
        return False
    above = [
        script.revision for script in ScriptDirectory.from_config(config).walk_revisions(present, "head")
    ]
    return revision in above


def is_current(url: str) -> bool:
    """Whether the database has the newest schema.

    Raises:
        InvalidInput: Not a usable URL.
        Unavailable: The database cannot be reached.
    """
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            head = ScriptDirectory.from_config(configuration()).get_current_head()
            return MigrationContext.configure(connection).get_current_revision() == head
    except DBAPIError as error:
        raise_sentence(error)
        raise
    finally:
        engine.dispose()
