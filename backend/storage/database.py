"""The engine and its transactions.

SQLite runs with a write-ahead log: readers never wait, and writers take turns, first inside the process by a
lock, then between processes by ``BEGIN IMMEDIATE``. A transaction that has been committed survives a killed
process and a power cut (``synchronous=FULL``). PostgreSQL runs with psycopg 3.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import event, text
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from backend.errors import InvalidInput, Unavailable
from backend.storage import fulltext
from backend.storage.anchors import SqlAnchors
from backend.storage.appeals import SqlAppeals
from backend.storage.calendar import SqlCalendar
from backend.storage.erasure import SqlErasure
from backend.storage.figures import SqlFigures
from backend.storage.handoffs import SqlHandoffs
from backend.storage.likeness import SqlLikeness
from backend.storage.listing import HintedCompiler
from backend.storage.outbox import SqlOutbox
from backend.storage.penalties import SqlPenalties
from backend.storage.people import SqlPeople
from backend.storage.records import SqlAudit
from backend.storage.service_clocks import SqlServiceClocks
from backend.storage.supervision import SqlSupervision
from backend.storage.unanswered import SqlUnanswered
from backend.storage.vault import Vault

_READ_ONLY = "qifu_read_only"
BUSY_SECONDS = 15
_BUSY = "数据库暂时繁忙或不可用，本次操作没有生效，请稍后再试。"


def async_url(url: str) -> URL:
    """The URL with the driver that this module uses.

    Args:
        url: As a person writes it: ``sqlite:///path`` or ``postgresql://...``.

    Raises:
        InvalidInput: Not a database URL, or another kind of database.
    """
    return _with_driver(url, "sqlite+aiosqlite", "postgresql+psycopg")


def sync_url(url: str) -> URL:
    """The URL for the migrations, which run without an event loop.

    Raises:
        InvalidInput: Not a database URL, or another kind of database.
    """
    return _with_driver(url, "sqlite", "postgresql+psycopg")


def _with_driver(url: str, sqlite: str, postgresql: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    name = parsed.get_backend_name() if parsed else ""
    if parsed is None or name not in ("sqlite", "postgresql", "postgres"):
        raise InvalidInput(
            "QIFU_DATABASE_URL 应以 sqlite:/// 或 postgresql:// 开头。", field="QIFU_DATABASE_URL"
        )
    return parsed.set(drivername=sqlite if name == "sqlite" else postgresql)


def _impatient(url: URL) -> URL:
    """Let PostgreSQL give up waiting for a lock, end forgotten transactions, and begin statements at once."""
    if url.get_backend_name() != "postgresql":
        return url
    given = url.query.get("options", "")
    options = given if isinstance(given, str) else " ".join(given)
    # compiling takes longer than any of our statements, and so do helpers where all cores are busy
    limits = (
        "-c jit=off -c max_parallel_workers_per_gather=0"
        f" -c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
    )
    return url.update_query_dict({"options": f"{options} {limits}".strip()})


def prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    """Settings of each new SQLite connection; transactions are begun by us, not by the driver."""
    dbapi_connection.isolation_level = None
    cursor = dbapi_connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    fulltext.register(dbapi_connection)


def _begin_sqlite(connection: Connection) -> None:
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def make_folder(url: URL) -> None:
    """Make the folder of a SQLite file."""
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)


class Database:
    """One database; shared by the whole process.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``.
        vault: Seals contacts and signs records.
        pool_size: Connections kept open.

    Raises:
        InvalidInput: Not a usable URL.
    """

    def __init__(self, url: str, vault: Vault, *, pool_size: int = 8) -> None:
        self.vault = vault
        parsed = _impatient(async_url(url))
        make_folder(parsed)
        self.engine: AsyncEngine = create_async_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=BUSY_SECONDS,
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            json_serializer=lambda value: json.dumps(value, ensure_ascii=False),
            hide_parameters=True,
        )
        self.writers: asyncio.Lock | None = None
        if parsed.get_backend_name() == "sqlite":
            self.writers = asyncio.Lock()
            self.engine.dialect.statement_compiler = HintedCompiler
            event.listen(self.engine.sync_engine, "connect", prepare_sqlite)
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)

    def unit_of_work(self, *, read_only: bool = False) -> UnitOfWork:
        """A transaction, not yet begun."""
        return UnitOfWork(self, read_only=read_only)

    async def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Unavailable: It gives none.
        """
        with _translated():
            async with self.engine.connect() as connection:
                await connection.execution_options(**{_READ_ONLY: True})
                await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


class UnitOfWork:
    """One transaction; leaving it without `commit` undoes everything.

    Attributes:
        appeals: Appeals with their record and supervision.
        anchors: What anchors of the record are made of.
        audit: The log of changes that are no appeal's own.
        calendar: Days that differ from the notices.
        erasure: Takes personal data out after the period of keeping.
        people: Accounts, tokens, login attempts.
        handoffs: Requests for a person.
        unanswered: Questions that had no answer.
        likeness: Appeals to be compared with each other.
        supervision: Moments that are due, and the phone list.
        outbox: Messages on their way.
        penalties: Events that count in the yearly assessment.
        service_clocks: Time limits beside 135.
        figures: What the appeals add up to.
    """

    anchors: SqlAnchors
    appeals: SqlAppeals
    audit: SqlAudit
    calendar: SqlCalendar
    erasure: SqlErasure
    people: SqlPeople
    handoffs: SqlHandoffs
    unanswered: SqlUnanswered
    likeness: SqlLikeness
    supervision: SqlSupervision
    outbox: SqlOutbox
    penalties: SqlPenalties
    service_clocks: SqlServiceClocks
    figures: SqlFigures

    def __init__(self, database: Database, *, read_only: bool) -> None:
        self._database = database
        self._read_only = read_only
        self._session: AsyncSession | None = None
        self._holds_lock = False

    async def __aenter__(self) -> Self:
        if self._database.writers and not self._read_only:
            try:
                # who is far back in the line is told as soon as who is first in it
                async with asyncio.timeout(BUSY_SECONDS):
                    await self._database.writers.acquire()
            except TimeoutError as error:
                raise Unavailable(_BUSY) from error
            self._holds_lock = True
        session = self._session = AsyncSession(self._database.engine, expire_on_commit=False, autoflush=False)
        try:
            with _translated():
                await session.connection(execution_options={_READ_ONLY: self._read_only})
        except BaseException:
            await self._end()
            raise
        self.anchors = SqlAnchors(session, self._database.vault)
        self.appeals = SqlAppeals(session, self._database.vault)
        self.audit = SqlAudit(session, self._database.vault)
        self.calendar = SqlCalendar(session)
        self.erasure = SqlErasure(session, self._database.vault)
        self.people = SqlPeople(session, self._database.vault)
        self.handoffs = SqlHandoffs(session)
        self.unanswered = SqlUnanswered(session)
        self.likeness = SqlLikeness(session)
        self.supervision = SqlSupervision(session, self._database.vault)
        self.outbox = SqlOutbox(session, self._database.vault)
        self.penalties = SqlPenalties(session)
        self.service_clocks = SqlServiceClocks(session)
        self.figures = SqlFigures(session, self._database.vault)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A caller that is cancelled here must still give back its connection and its turn.
        await asyncio.shield(asyncio.ensure_future(self._end()))
        if isinstance(error, DBAPIError | PoolTimeoutError):
            raise_sentence(error)

    async def commit(self) -> None:
        """Make everything durable.

        Raises:
            Unavailable: The database did not take it; nothing was changed.
        """
        if self._session is None or self._read_only:
            raise RuntimeError("this transaction cannot be committed")
        with _translated():
            await self._session.commit()

    async def _end(self) -> None:
        try:
            if self._session is not None:
                await self._session.close()
        finally:
            self._session = None
            if self._holds_lock and self._database.writers:
                self._holds_lock = False
                self._database.writers.release()


class _translated:  # noqa: N801 - used like a function
    """Turn what the driver says about a database that cannot answer into a sentence."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DBAPIError | PoolTimeoutError):
            raise_sentence(error)


def raise_sentence(error: Exception) -> None:
    """Raise a sentence for a database that is busy, full or gone, or cannot hold a value; let others pass.

    Raises:
        Unavailable: Nothing was changed; trying again later helps.
        InvalidInput: Nothing was changed; a value does not fit its column.
    """
    if isinstance(error, DataError):
        raise InvalidInput("有内容过长或含有无法保存的字符，请检查后再试。") from error
    if isinstance(error, OperationalError | InterfaceError | PoolTimeoutError) or _only_reads(error):
        raise Unavailable(_BUSY) from error


def _only_reads(error: Exception) -> bool:
    """Whether PostgreSQL takes no changes for now, as a standby does, or has ended an idle transaction."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state in ("25006", "25P03")
