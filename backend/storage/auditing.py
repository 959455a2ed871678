"""The audit: reads a whole database and finds what was edited, deleted, inserted or moved behind the system.

Everything is read in one transaction that sees one moment, so that the service may go on writing, and in
batches, so that memory does not grow with the database. What is and what is not detected is written down in
docs/decisions/signed-records.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_engine, event, func, inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from backend.appeals.auditing import SignedLine, Snapshot, check_record, missing_counts
from backend.appeals.calendar import WorkCalendar, local
from backend.appeals.likeness import enterprise_key
from backend.appeals.model import AWAITING, SETTLED, Event, SupervisionKind, SupervisionState
from backend.appeals.penalties import ONCE, Penalty, PenaltyKind
from backend.appeals.proving import Case, check_moments, check_penalties
from backend.storage.anchors import Anchor, Digest
from backend.storage.appeals import supervision_of
from backend.storage.database import BUSY_SECONDS, raise_sentence, sync_url
from backend.storage.records import (
    audit_signature,
    content_signature,
    entry_of,
    integrity_values,
    line_of,
)
from backend.storage.replaying import Begin, Replay
from backend.storage.tables import (
    AppealRow,
    AuditRow,
    CalendarDayRow,
    CalendarYearRow,
    CoDepartmentRow,
    CounterRow,
    HistoryRow,
    IntegrityRow,
    PenaltyRow,
    SupervisionRow,
)
from backend.storage.vault import Vault, WrongKey

_BATCH: Final = 500
_NAMED: Final = 5
"""How many missing numbers are named."""
_SLACK_SECONDS: Final = 60
"""An order and its line are written in one transaction, but each reads the clock."""
_AT_REST: Final = frozenset(SETTLED - AWAITING)
"""States in which nothing is still to come."""
_CALENDAR_ACTIONS: Final = ("calendar.day", "calendar.year")
_MALFORMED: Final = (ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What reading a value raises that no longer is what its column holds."""


@dataclass(frozen=True)
class Finding:
    """Something that was not done by the system.

    Attributes:
        place: An appeal's number, or the part of the database.
        message: What is wrong, as a Chinese sentence without personal data.
    """

    place: str
    message: str


@dataclass
class Counts:
    """What was looked at."""

    appeals: int = 0
    lines: int = 0
    entries: int = 0
    anchors: int = 0


def open_snapshot(url: str) -> Engine:
    """An engine whose transactions only read, and see one moment.

    Raises:
        InvalidInput: Not a usable URL.
    """
    parsed = sync_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, poolclass=NullPool, hide_parameters=True)
        event.listen(engine, "connect", _prepare_reader)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine
    return create_engine(
        parsed,
        poolclass=NullPool,
        hide_parameters=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def _prepare_reader(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None
    dbapi_connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    dbapi_connection.execute("PRAGMA query_only = ON")


class Audit:
    """One audit of one database.

    Args:
        url: ``sqlite:///path`` or ``postgresql://...``; its schema must be the present one.
        vault: With the key that the database was written with.
        anchors: What the running service has noted outside the database, oldest first.
        all_anchors: Whether these are all that the installation has, and not somebody's copy.
    """

    def __init__(
        self, url: str, vault: Vault, anchors: Sequence[Anchor] = (), *, all_anchors: bool = False
    ) -> None:
        self._url = url
        self._vault = vault
        self._anchors = anchors
        self._all_anchors = all_anchors
        self._begin = Begin()
        self.counts = Counts()

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong; `counts` is complete when this has ended.

        Raises:
            WrongKey: Nothing can be said, because the key is another one.
            Unavailable: The database cannot be read.
        """
        engine = open_snapshot(self._url)
        try:
            with engine.connect() as connection, connection.begin():
                yield from self._all(connection)
        except DBAPIError as error:
            raise_sentence(error)
            raise
        finally:
            engine.dispose()

    def _all(self, connection: Connection) -> Iterator[Finding]:
        yield from self._integrity(connection)
        yield from _guards(connection)
        replay = None
        try:
            replay = Replay(connection, self._vault)
            self._begin = replay.begin
        except _MALFORMED:
            yield Finding("操作日志", "有内容无法辨认，账号、令牌和时限无法核对。")
        yield from self._appeals(connection)
        yield from self._numbers(connection)
        yield from self._log(connection)
        if replay is not None:
            yield from self._replayed(replay)
        yield from self._anchored(connection)

    # -- totals ------------------------------------------------------------

    def _integrity(self, connection: Connection) -> Iterator[Finding]:
        rows = connection.execute(select(*IntegrityRow.__table__.columns)).all()
        filed = connection.scalar(select(func.count()).select_from(AppealRow)) or 0
        logged = connection.scalar(select(func.count()).select_from(AuditRow)) or 0
        if not rows and not filed and not logged:
            return
        if len(rows) != 1:
            yield Finding("总账", "总账应有且只有一行，被删除或者添加。")
            return
        row = rows[0]
        if row.key_check != self._vault.check and not self._fits(connection):
            raise WrongKey("数据密钥与这个数据库不符，无法核对；请换回原来的 QIFU_DATA_KEY 或 data.key。")
        expected = integrity_values(
            self._vault,
            appeals_filed=row.appeals_filed,
            audit_length=row.audit_length,
            audit_head=row.audit_head,
            anchors=row.anchors,
            anchor_head=row.anchor_head,
        )
        if row._asdict() != expected:
            yield Finding("总账", "总账与签名不符，被改动。")
        if row.appeals_filed != filed:
            yield Finding("总账", f"登记过 {row.appeals_filed} 件诉求，现有 {filed} 件。")
        if row.audit_length != logged:
            yield Finding("操作日志", f"应有 {row.audit_length} 条，现有 {logged} 条。")

    def _fits(self, connection: Connection) -> bool:
        """Whether the key has signed what is there: then it is the total that was changed, not the key."""
        query = select(AppealRow.phone_sealed).where(AppealRow.phone_sealed != "").limit(3)
        for (sealed,) in connection.execute(query):
            try:
                self._vault.open(sealed)
            except WrongKey:
                continue
            return True
        query_log = select(*AuditRow.__table__.columns).where(AuditRow.position == 1)
        first = connection.execute(query_log).first()
        return first is not None and audit_signature(self._vault, "", 1, entry_of(first)) == first.signature

    def _numbers(self, connection: Connection) -> Iterator[Finding]:
        """Each day's numbers run from 1 to its counter."""
        try:
            counters = connection.execute(select(CounterRow.day, CounterRow.last)).all()
        except _MALFORMED:
            yield Finding("编号", "当日计数有内容无法读取，被改动。")
            return
        last: dict[date, int] = {row.day: row.last for row in counters}
        counts: dict[date, list[int]] = defaultdict(list)
        for number in connection.execute(select(AppealRow.number)).yield_per(10_000).scalars():
            try:
                counts[datetime.strptime(number[2:10], "%Y%m%d").date()].append(int(number[11:]))  # noqa: DTZ007
            except ValueError:
                yield Finding(number, "编号的写法不对，被改动。")
        for day in sorted({*last, *counts}):
            if len(counts[day]) == last.get(day, 0) == max(counts[day], default=0):
                continue
            gone = missing_counts(counts[day], max([last.get(day, 0), *counts[day]]))
            if gone:
                named = "、".join(f"{n:04d}" for n in gone[:_NAMED])
                more = f" 等 {len(gone)} 个" if len(gone) > _NAMED else ""
                yield Finding(f"{day:%Y-%m-%d}", f"缺少当日第 {named}{more} 号诉求，被删除。")
            else:
                yield Finding(f"{day:%Y-%m-%d}", "当日的编号与计数不符，有增删。")

    # -- appeals ------------------------------------------------------------

    def _appeals(self, connection: Connection) -> Iterator[Finding]:
        low = -1
        highest = max(
            connection.scalar(select(func.max(column))) or 0
            for column in (AppealRow.id, HistoryRow.appeal_id, SupervisionRow.appeal_id, PenaltyRow.appeal_id)
        )
        ids = AppealRow.id
        while True:
            found = connection.scalars(select(ids).where(ids > low).order_by(ids).limit(_BATCH)).all()
            high = found[-1] if len(found) == _BATCH else max(highest, *found, low)
            yield from self._range(connection, low, high)
            low = high
            if len(found) < _BATCH:
                return

    def _range(self, connection: Connection, low: int, high: int) -> Iterator[Finding]:
        """The appeals with ids above ``low`` up to ``high``; halved where one cannot even be read."""
        try:
            batch = _Batch(connection, low, high)
        except _MALFORMED:
            if high - low > 1:
                middle = (low + high) // 2
                yield from self._range(connection, low, middle)
                yield from self._range(connection, middle, high)
            else:
                yield Finding(_number(connection, high), "有内容无法读取，被改动。")
            return
        for row in batch.appeals:
            self.counts.appeals += 1
            try:
                yield from self._appeal(row, batch)
            except _MALFORMED:
                yield Finding(str(row.number), "有内容无法辨认，被改动。")
        known = {row.id for row in batch.appeals}
        for name, kept in (
            ("记录", batch.lines),
            ("督办", batch.supervision),
            ("协办部门", batch.co),
            ("考评事项", batch.penalties),
        ):
            for gone in sorted(kept.keys() - known):
                yield Finding(f"内部编号 {gone}", f"有{name}，却没有诉求，诉求被删除。")

    def _appeal(self, row: Any, batch: _Batch) -> Iterator[Finding]:
        rows = batch.lines.get(row.id, [])
        self.counts.lines += len(rows)
        _must_be(list, row.reasons)
        for one in rows:
            _must_be(dict, one.before, one.after)
        lines = [SignedLine(line_of(one), one.text_signature, one.signature) for one in rows]
        helpers = batch.co.get(row.id, [])
        faults: list[str] = []
        if [one.position for one in helpers] != list(range(len(helpers))):
            faults.append("协办部门的次序与记录不符，被改动。")
        contact, phone = self._contact(row, faults)
        if row.phone_hash != (self._vault.fingerprint(phone) if phone else ""):
            faults.append("电话的索引与电话不符，被改动。")
        if row.enterprise_key != enterprise_key(row.enterprise):
            faults.append("企业名称的索引与企业名称不符，被改动。")
        snapshot = Snapshot(
            number=row.number,
            recorded=_recorded(row, [one.department for one in helpers]),
            content=content_signature(
                self._vault,
                row.number,
                group=row.group_id,
                enterprise=row.enterprise,
                contact=contact,
                phone=phone,
                text=row.text,
                channel=row.channel,
                initial_level=row.initial_level,
                direct_line=row.direct_line,
                reasons=row.reasons,
                submitted_at=row.submitted_at,
            ),
            comment=row.feedback_comment,
            version=row.version,
            length=row.record_length,
            head=row.record_head,
        )
        wrong = list(check_record(self._vault.sign, snapshot, lines))
        faults.extend(wrong)
        supervision = batch.supervision.get(row.id, [])
        if not wrong:  # what does not stand proves nothing
            case = Case(
                row.number,
                row.submitted_at,
                row.direct_line,
                row.erased_at is not None,
                [one.line for one in lines],
                sum(one.id <= self._begin.lines for one in rows),
            )
            faults.extend(self._check_penalties(case, batch.penalties.get(row.id, [])))
            if row.state not in _AT_REST:
                moments = [supervision_of(one) for one in supervision]
                faults.extend(check_moments(case, moments, batch.calendar))
        faults.extend(_check_orders(supervision, lines))
        faults.extend(_check_reminders(supervision, lines))
        for fault in faults:
            yield Finding(row.number, fault)

    def _check_penalties(self, case: Case, rows: Sequence[Any]) -> Iterator[str]:
        older = self._begin.penalties
        known = frozenset(PenaltyKind(one.kind) for one in rows if one.id <= older and one.kind in ONCE)
        later = [
            Penalty(PenaltyKind(one.kind), one.unit, one.at, one.note, one.actor_name)
            for one in rows
            if one.id > older
        ]
        yield from check_penalties(case, later, known)

    def _contact(self, row: Any, faults: list[str]) -> tuple[str, str]:
        try:
            return self._vault.open(row.contact_sealed), self._vault.open(row.phone_sealed)
        except WrongKey:
            faults.append("联系方式无法解密，被改动。")
            return "", ""

    # -- log ------------------------------------------------------------

    def _log(self, connection: Connection) -> Iterator[Finding]:
        columns = AuditRow.__table__.columns
        head, position = "", 0
        query = select(*columns).order_by(AuditRow.id).execution_options(yield_per=_BATCH)
        try:
            for row in connection.execute(query):
                self.counts.entries += 1
                before, position = position, row.position
                if position > before + 1:
                    yield Finding("操作日志", f"第 {before + 1} 条起缺少 {position - before - 1} 条。")
                elif position <= before:
                    yield Finding("操作日志", f"第 {position} 条的次序被改动，或者被重复。")
                elif not self._entry_fits(head, row):
                    yield Finding("操作日志", f"第 {position} 条与签名不符，被改动、替换或者插入。")
                head = row.signature
        except _MALFORMED:
            yield Finding("操作日志", f"第 {position} 条之后有内容无法读取，被改动。")
            return
        total = connection.execute(select(IntegrityRow.audit_length, IntegrityRow.audit_head)).first()
        if total and (position, head) != tuple(total):
            yield Finding("操作日志", "最后一条与总账不符，末尾有增删。")
        try:
            yield from list(_check_calendar(connection))
        except _MALFORMED:
            yield Finding("工作日历", "有无法读出的内容，没有经过系统就被改动。")

    def _entry_fits(self, head: str, row: Any) -> bool:
        try:
            _must_be(dict, row.before, row.after)
            signed = audit_signature(self._vault, head, row.position, entry_of(row))
        except _MALFORMED:
            return False
        return signed == str(row.signature)

    def _replayed(self, replay: Replay) -> Iterator[Finding]:
        try:
            for place, message in replay.findings():
                yield Finding(place, message)
        except _MALFORMED:
            yield Finding("账号和时限", "有内容无法读取，被改动。")

    # -- anchors ------------------------------------------------------------

    def _anchored(self, connection: Connection) -> Iterator[Finding]:
        """What the service has noted outside the database still stands in it."""
        if self._all_anchors:
            yield from self._counted(connection)
        if not self._anchors:
            return
        filed = connection.scalar(select(IntegrityRow.appeals_filed)) or 0
        query = (
            select(HistoryRow.id, HistoryRow.signature)
            .where(HistoryRow.id <= self._anchors[-1].upto)
            .order_by(HistoryRow.id)
        )
        rows = connection.execute(query.execution_options(yield_per=10_000))
        pending = next(rows, None)
        since = "最初"
        for anchor in self._anchors:
            self.counts.anchors += 1
            digest = Digest()
            while pending is not None and pending.id <= anchor.upto:
                digest.add([(pending.id, pending.signature)])
                pending = next(rows, None)
            at = f"{local(anchor.at):%Y-%m-%d %H:%M:%S}"
            if (digest.lines, digest.hexadecimal) != (anchor.lines, anchor.digest):
                yield Finding(
                    f"锚点 {at}",
                    f"从{since}到此时写下的记录应有 {anchor.lines} 条，现有 {digest.lines} 条，"
                    "或者内容不同：数据被换回旧的状态，或者被改动。",
                )
            if anchor.filed > filed:
                yield Finding(f"锚点 {at}", f"此时已登记 {anchor.filed} 件诉求，现在只有 {filed} 件。")
            if anchor.audit_length:
                entry = select(AuditRow.signature).where(AuditRow.position == anchor.audit_length)
                if connection.scalar(entry) != anchor.audit_head:
                    yield Finding(
                        f"锚点 {at}", f"操作日志第 {anchor.audit_length} 条与此时不同，日志被换回旧的状态。"
                    )
            since = f" {at} "

    def _counted(self, connection: Connection) -> Iterator[Finding]:
        """The file has all anchors that the total has counted."""
        total = connection.execute(select(IntegrityRow.anchors, IntegrityRow.anchor_head)).first()
        if total is None or not total.anchors:
            return
        kept = self._anchors
        if len(kept) < total.anchors:
            how = f"总账中登记过 {total.anchors} 个锚点，锚点文件里只有 {len(kept)} 个：文件被删除、截短，"
        elif total.anchor_head not in {one.signature for one in kept}:
            how = f"总账中登记的第 {total.anchors} 个锚点不在锚点文件里：文件被换成别的，"
        else:
            return
        yield Finding(
            "锚点",
            f"{how}数据是否被换回旧的状态就无法核对。请找回锚点文件的副本，加上 --anchors 副本 再核对一次；"
            "确实是自己移走的，查明后运行 qifu check --audit --restart-anchors，从现有的锚点重新登记。",
        )


class _Batch:
    """A range of appeals with all that belongs to them."""

    def __init__(self, connection: Connection, low: int, high: int) -> None:
        self._connection = connection

        def read(table: Any, key: Any, *order: Any) -> Sequence[Any]:
            within = (key > low, key <= high)
            query = select(*table.__table__.columns).where(*within).order_by(key, *order)
            return connection.execute(query).all()

        self.appeals = read(AppealRow, AppealRow.id)
        self.lines = _grouped(read(HistoryRow, HistoryRow.appeal_id, HistoryRow.id))
        self.co = _grouped(read(CoDepartmentRow, CoDepartmentRow.appeal_id, CoDepartmentRow.position))
        self.supervision = _grouped(read(SupervisionRow, SupervisionRow.appeal_id, SupervisionRow.id))
        self.penalties = _grouped(read(PenaltyRow, PenaltyRow.appeal_id, PenaltyRow.id))

    def calendar(self) -> tuple[WorkCalendar, datetime | None]:
        """The working days as they are now, and when somebody last changed them."""
        days = self._connection.execute(select(CalendarDayRow.day, CalendarDayRow.working)).tuples()
        years = self._connection.scalars(select(CalendarYearRow.year))
        changed = select(func.max(AuditRow.at)).where(AuditRow.action.in_(_CALENDAR_ACTIONS))
        return WorkCalendar(dict(days.all()), years.all()), self._connection.scalar(changed)


def _must_be(kind: type, *values: object) -> None:
    """Refuse JSON that reads like what was signed, but is of another kind.

    Raises:
        TypeError: One of the values is.
    """
    if not all(isinstance(value, kind) for value in values):
        raise TypeError


def _grouped(rows: Sequence[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.appeal_id].append(row)
    return dict(found)


def _number(connection: Connection, appeal_id: int) -> str:
    try:
        number = connection.scalar(select(AppealRow.number).where(AppealRow.id == appeal_id))
    except _MALFORMED:
        number = None
    return str(number) if number else f"内部编号 {appeal_id}"


def _recorded(row: Any, co_departments: list[str]) -> dict[str, Any]:
    """The recorded fields as the record writes them, but with the fraction of a second that it never has."""
    feedback = None
    if row.feedback_at is not None or row.feedback_result is not None or row.feedback_stars is not None:
        feedback = {
            "at": _written(row.feedback_at),
            "result": row.feedback_result,
            "stars": row.feedback_stars,
        }
    return {
        "state": row.state,
        "level": row.level,
        "category": row.category,
        "territory": row.territory,
        "lead_department": row.lead_department,
        "co_departments": co_departments,
        "led_by": row.led_by,
        "due_at": _written(row.due_at),
        "due_provisional": row.due_provisional,
        "assigned_at": _written(row.assigned_at),
        "first_reply_at": _written(row.first_reply_at),
        "first_resolved_at": _written(row.first_resolved_at),
        "resolved_at": _written(row.resolved_at),
        "closed_at": _written(row.closed_at),
        "escalation_level": row.escalation_level,
        "major": row.major,
        "dissatisfied": row.dissatisfied,
        "feedback": feedback,
        "merged_into": row.merged_into,
        "erased_at": _written(row.erased_at),
    }


def _written(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return local(moment).isoformat(timespec="microseconds" if moment.microsecond else "seconds")


def _check_orders(rows: Sequence[Any], lines: Sequence[SignedLine]) -> Iterator[str]:
    """Each order that a person gave has its line, and each such line its order."""
    if any("version" in one.line.after for one in lines):
        return  # an older version of the program wrote some of them
    orders = [row for row in rows if row.kind == SupervisionKind.ORDER]
    told = [one.line for one in lines if one.line.event in (Event.SUPERVISE, Event.RETURN)]
    if len(orders) != len(told):
        yield f"记录中有 {len(told)} 次督办，督办表中有 {len(orders)} 次，有增删。"
        return
    for order, line in zip(sorted(orders, key=lambda row: (row.at, row.id)), told, strict=True):
        apart = abs((order.at - line.at.astimezone(UTC)).total_seconds())
        fits = order.text == line.text and order.state == SupervisionState.DONE and order.by in line.summary
        if not fits or apart > _SLACK_SECONDS or order.acted_at != order.at:
            yield f"第 {line.position} 条记录中的督办与督办表不符，被改动。"


_REMINDED: Final = (SupervisionKind.MOMENT, SupervisionKind.ASK)


def _check_reminders(rows: Sequence[Any], lines: Sequence[SignedLine]) -> Iterator[str]:
    """Each moment that was acted on has its line, and each such line its moment."""
    done = Counter(
        (_written(row.at), row.by)
        for row in rows
        if row.kind in _REMINDED and row.state == SupervisionState.DONE
    )
    told = Counter(
        (one.line.after.get("moment"), one.line.after.get("by"))
        for one in lines
        if one.line.event is Event.REMIND
    )
    for moment, by in sorted((told - done).keys() | (done - told).keys(), key=str):
        what = "没有相应的记录" if done[moment, by] > told[moment, by] else "在督办表中不见了或者不再是已办"
        yield f"{moment} 由{by}的提醒{what}，被改动。"


def _check_calendar(connection: Connection) -> Iterator[Finding]:
    """The calendar is what the log says that people made of it."""
    told: dict[str, dict[str, Any]] = {action: {} for action in _CALENDAR_ACTIONS}
    query = select(AuditRow.action, AuditRow.subject, AuditRow.after, AuditRow.at, AuditRow.actor_name)
    for row in connection.execute(query.where(AuditRow.action.in_(told)).order_by(AuditRow.id)):
        if row.after:
            told[row.action][row.subject] = {**row.after, "at": row.at, "by": row.actor_name}
        else:
            told[row.action].pop(row.subject, None)
    stored = {"calendar.day": _calendar_days, "calendar.year": _calendar_years}
    for action, read in stored.items():
        found = dict(read(connection))
        for subject in sorted({*found, *told[action]}):
            if found.get(subject) != told[action].get(subject):
                yield Finding("工作日历", f"{subject} 的调整与操作日志不符，没有经过系统就被改动。")


def _calendar_days(connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in connection.execute(select(*CalendarDayRow.__table__.columns)):
        yield (
            row.day.isoformat(),
            {"working": row.working, "note": row.note, "at": row.changed_at, "by": row.changed_by},
        )


def _calendar_years(connection: Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in connection.execute(select(*CalendarYearRow.__table__.columns)):
        yield str(row.year), {"note": row.note, "at": row.changed_at, "by": row.changed_by}


_SQLITE_GUARDS: Final = {
    "appeal_history_no_update",
    "appeal_history_no_delete",
    "audit_log_no_update",
    "audit_log_no_delete",
}
_POSTGRESQL_GUARDS: Final = {"appeal_history_append_only", "audit_log_append_only"}


def _guards(connection: Connection) -> Iterator[Finding]:
    """The database itself still refuses to rewrite the record."""
    if connection.dialect.name == "sqlite":
        wanted = _SQLITE_GUARDS
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%'"
    else:
        wanted = _POSTGRESQL_GUARDS
        query = (
            "SELECT t.tgname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE t.tgrelid IN (to_regclass('appeal_history'), to_regclass('audit_log')) "
            "AND t.tgenabled IN ('O', 'A') AND p.prosrc LIKE '%RAISE EXCEPTION%'"
        )
    there = set(connection.execute(text(query)).scalars())
    for name in sorted(wanted - there):
        yield Finding("数据库", f"防止改写的触发器 {name} 被删除或者停用。")


def has_tables(url: str) -> bool:
    """Whether there is anything to audit; makes no file."""
    parsed = sync_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
        return False
    engine = open_snapshot(url)
    try:
        with engine.connect() as connection:
            return inspect(connection).has_table("integrity")
    except DBAPIError as error:
        raise_sentence(error)
        raise
    finally:
        engine.dispose()
