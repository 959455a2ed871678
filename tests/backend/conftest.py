"""A real database for the tests that want one: SQLite always, PostgreSQL where the environment names one."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from backend_vault import VAULT
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from backend.storage.database import Database, sync_url
from backend.storage.schema import migrate
from backend.storage.tables import Base

VARIABLE = "QIFU_TEST_DATABASE_URL"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with its schema, to be copied."""
    path = tmp_path_factory.mktemp("database") / "template.db"
    migrate(f"sqlite:///{path}", VAULT)
    return path


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A schema of its own in the PostgreSQL database that the environment names, dropped at the end."""
    url = os.environ.get(VARIABLE)
    if not url:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{VARIABLE} must name a PostgreSQL database in CI")
        pytest.skip(f"{VARIABLE} names no PostgreSQL database")
    schema = f"qifu_test_{uuid.uuid4().hex[:12]}"
    admin = create_engine(sync_url(url), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(url).update_query_dict({"options": f"-csearch_path={schema} -csynchronous_commit=off"})
    own_url = own.render_as_string(hide_password=False)
    try:
        migrate(own_url, VAULT)
        yield own_url
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=pytest.mark.database),
        pytest.param("postgresql", marks=pytest.mark.database),
    ]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database with its schema."""
    if request.param == "sqlite":
        path = tmp_path / "qifu.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url: str = request.getfixturevalue("postgresql_url")
    engine = create_engine(sync_url(url))
    with engine.begin() as connection:
        tables = ", ".join(Base.metadata.tables)
        # a failed test may have left a transaction open: an error is better than waiting for it
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An open database."""
    opened = Database(database_url, VAULT)
    yield opened
    await opened.close()
