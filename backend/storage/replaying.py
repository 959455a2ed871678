"""What the signed log says about accounts, pairings, liaisons' months, tokens and clocks, against the tables.

The log's own chain is checked by `backend.storage.auditing`; here its lines are believed and replayed.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from backend.appeals import chain
from backend.appeals.likeness import enterprise_key
from backend.storage.records import mark, token_signature
from backend.storage.tables import (
    AccountRow,
    AppealRow,
    AuditRow,
    FilingRow,
    LiaisonEnterpriseRow,
    LiaisonMonthRow,
    PenaltyRow,
    ServiceClockRow,
    TokenRow,
)
from backend.storage.vault import Vault

_ACTIONS: Final = (
    "audit.begin",
    "account.known",
    "account.create",
    "account.role",
    "account.password",
    "account.own_password",
    "account.disable",
    "account.enable",
    "liaison.pair",
    "liaison.unpair",
    "liaison.month",
    "token.revoke",
    "token.revoke_all",
    "clock.known",
    "clock.start",
    "clock.recompute",
    "clock.end",
)
_END_TOKENS: Final = frozenset(
    {"account.role", "account.password", "account.own_password", "account.disable", "token.revoke_all"}
)
_CLOCK_SET_BACK: Final = timedelta(hours=2)
"""Times of so much apart do not tell which was first: somebody may have set the clock back in between."""


@dataclass
class _Account:
    """What the log says of an account; ``mark`` is None where it says nothing of the password."""

    role: str = ""
    unit: str | None = None
    disabled: bool = False
    has_password: bool | None = None
    mark: str | None = None
    enterprises: set[str] = field(default_factory=set)
    months: dict[str, Any] = field(default_factory=dict)

    def take(self, after: Mapping[str, Any]) -> None:
        if "role" in after:
            self.role, self.unit, self.disabled = after["role"], after["unit"], after["disabled"]
        if "password" in after:
            self.has_password, self.mark = after["password"], after.get("password_mark")


@dataclass
class _Ending:
    """A line that ended an account's tokens."""

    at: datetime
    label: str | None
    spares: bool


@dataclass
class Begin:
    """What an older version of the program has left, and is not judged by the record.

    Attributes:
        lines: The highest id of a line of an appeal's record.
        penalties: The highest id of a penalty.
        digest: Of the penalties up to there; None where nothing was left.
    """

    lines: int = 0
    penalties: int = 0
    digest: str | None = None


class Replay:
    """Follows the log once.

    Args:
        connection: Sees one moment.
        vault: With the key of the database.
    """

    def __init__(self, connection: Connection, vault: Vault) -> None:
        self._connection = connection
        self._vault = vault
        self.begin = Begin()
        self._accounts: dict[str, _Account] = {}
        self._endings: dict[str, list[_Ending]] = defaultdict(list)
        self._revoked: set[tuple[str, int]] = set()
        self._clocks: dict[str, dict[str, Any]] = {}
        query = select(*AuditRow.__table__.columns).where(AuditRow.action.in_(_ACTIONS)).order_by(AuditRow.id)
        for row in connection.execute(query.execution_options(yield_per=1_000)):
            self._take(row)

    def _take(self, row: Any) -> None:
        action, subject, after = row.action, row.subject, row.after
        if action == "audit.begin":
            self.begin = Begin(int(after["lines"]), int(after["penalties"]), str(after["digest"]))
            self._accounts.clear()
            self._clocks.clear()
        elif action in ("account.known", "account.create"):
            made = self._accounts[subject] = _Account()
            made.take(after)
            made.enterprises = set(after.get("enterprises", ()))
            made.months = dict(after.get("months", {}))
        elif action.startswith("clock."):
            self._take_clock(row)
        elif action == "token.revoke":
            self._revoked.add((subject, int(row.before["token"])))
        elif subject in self._accounts or action == "liaison.month":
            self._take_change(row)
        if action in _END_TOKENS:
            ending = _Ending(row.at, after.get("label"), action == "account.own_password")
            self._endings[subject].append(ending)

    def _take_change(self, row: Any) -> None:
        name, _, month = row.subject.partition(" ")
        account = self._accounts.get(name)
        if account is None:
            return
        if row.action == "liaison.month":
            account.months[month] = row.after
        elif row.action == "liaison.pair":
            account.enterprises.add(row.after["enterprise"])
        elif row.action == "liaison.unpair":
            account.enterprises.discard(row.before["enterprise"])
        else:
            account.take(row.after)
            if row.action == "account.role" and "enterprises" in row.before:
                account.enterprises.clear()

    def _take_clock(self, row: Any) -> None:
        if row.action in ("clock.known", "clock.start"):
            told = {"by": row.actor_name, "ended_at": None, "ended_by": None, **row.after}
            self._clocks[row.subject] = told
        elif row.subject in self._clocks:
            ended = {"ended_by": row.actor_name} if row.action == "clock.end" else {}
            self._clocks[row.subject] |= {**row.after, **ended}

    # -- against the tables ------------------------------------------------------

    def findings(self) -> Iterator[tuple[str, str]]:
        """Place and sentence of everything that is not as the log says."""
        yield from self._check_accounts()
        yield from self._check_tokens()
        yield from self._check_clocks()
        yield from self._check_filings()
        yield from self._check_older_penalties()

    def _check_accounts(self) -> Iterator[tuple[str, str]]:
        connection = self._connection
        paired: dict[int, set[str]] = defaultdict(set)
        for pair in connection.execute(select(*LiaisonEnterpriseRow.__table__.columns)):
            paired[pair.account_id].add(pair.enterprise)
            if pair.enterprise_key != enterprise_key(pair.enterprise):
                yield "助企员结对", f"“{pair.enterprise}”的索引与名称不符，被改动。"
        months: dict[int, dict[str, Any]] = defaultdict(dict)
        for month in connection.execute(select(*LiaisonMonthRow.__table__.columns)):
            months[month.account_id][month.month] = month.entries
        rows = connection.execute(select(*AccountRow.__table__.columns)).all()
        for gone in sorted(self._accounts.keys() - {row.username for row in rows}):
            yield "账号", f"账号 {gone} 被删除。"
        for row in rows:
            told = self._accounts.get(row.username)
            name = f"账号 {row.username}"
            if told is None:
                yield "账号", f"{name} 没有相应的日志，不是由系统建立的。"
                continue
            if (row.role, row.unit) != (told.role, told.unit):
                yield "账号", f"{name} 的角色或单位与操作日志不符，没有经过系统就被改动。"
            if (row.disabled_at is not None) is not told.disabled:
                yield "账号", f"{name} 的停用状态与操作日志不符，没有经过系统就被改动。"
            if not self._password_fits(row, told):
                yield "账号", f"{name} 的密码与操作日志不符，没有经过系统就被改动。"
            for enterprise in sorted(paired.get(row.id, set()) ^ told.enterprises):
                yield "助企员结对", f"{name} 与“{enterprise}”的结对与操作日志不符，没有经过系统就被改动。"
            there = months.get(row.id, {})
            for one in sorted({*there, *told.months}):
                if there.get(one) != told.months.get(one):
                    yield "助企员月度", f"{name} {one} 的录入与操作日志不符，没有经过系统就被改动。"

    def _password_fits(self, row: Any, told: _Account) -> bool:
        hashed = row.password_hash
        if told.has_password is None:
            return True
        if (hashed is not None) is not told.has_password:
            return False
        return told.mark is None or told.mark == mark(self._vault, row.username, hashed)

    def _check_tokens(self) -> Iterator[tuple[str, str]]:
        columns = (*TokenRow.__table__.columns, AccountRow.username)
        query = select(*columns).outerjoin(AccountRow, AccountRow.id == TokenRow.account_id)
        spared: dict[tuple[str, datetime], int] = defaultdict(int)
        for row in self._connection.execute(query.order_by(TokenRow.id)):
            place = f"账号 {row.username} 的第 {row.id} 号令牌"
            signed = token_signature(
                self._vault,
                fingerprint=row.fingerprint,
                username=row.username or "",
                label=row.label,
                created_at=row.created_at,
                expires_at=row.expires_at,
            )
            if signed != row.signature:
                yield "令牌", f"{place}与签名不符，被改动或者不是由系统签发的。"
            elif row.revoked_at is None and self._was_ended(row, spared):
                yield "令牌", f"{place}已经收回，却又有效，被改动。"

    def _was_ended(self, row: Any, spared: dict[tuple[str, datetime], int]) -> bool:
        if (row.username, row.id) in self._revoked:
            return True
        for ending in self._endings.get(row.username, ()):
            there = row.created_at < ending.at - _CLOCK_SET_BACK and row.expires_at > ending.at
            if not there or ending.label not in (None, row.label):
                continue
            if not ending.spares:
                return True
            # who changes their own password stays signed in where they do it
            spared[row.username, ending.at] += 1
            if spared[row.username, ending.at] > 1:
                return True
        return False

    def _check_clocks(self) -> Iterator[tuple[str, str]]:
        columns = (*ServiceClockRow.__table__.columns, AppealRow.number)
        query = select(*columns).outerjoin(AppealRow, AppealRow.id == ServiceClockRow.appeal_id)
        left = dict(self._clocks)
        for row in self._connection.execute(query.order_by(ServiceClockRow.id)):
            told = left.pop(f"clock {row.id}", None)
            if told is None:
                yield "其他时限", f"第 {row.id} 号时限没有相应的日志，不是由系统登记的。"
            elif not _clock_fits(row, told):
                yield "其他时限", f"第 {row.id} 号时限与操作日志不符，没有经过系统就被改动。"
        for gone in sorted(left):
            yield "其他时限", f"第 {gone.removeprefix('clock ')} 号时限被删除。"

    def _check_filings(self) -> Iterator[tuple[str, str]]:
        of_group = FilingRow.group_id == AppealRow.group_id
        orphans = select(AppealRow.number).outerjoin(FilingRow, of_group).where(FilingRow.id.is_(None))
        for number in self._connection.execute(orphans.order_by(AppealRow.id)).scalars():
            yield str(number), "提交时的登记（filings）被删除。"
        empty = select(func.count(FilingRow.id)).outerjoin(AppealRow, of_group).where(AppealRow.id.is_(None))
        if count := self._connection.scalar(empty):
            yield "提交登记", f"有 {count} 次提交没有诉求，不是由系统登记的。"

    def _check_older_penalties(self) -> Iterator[tuple[str, str]]:
        if self.begin.digest is None:
            return
        digest = hashlib.sha256()
        query = select(*PenaltyRow.__table__.columns).where(PenaltyRow.id <= self.begin.penalties)
        for row in self._connection.execute(query.order_by(PenaltyRow.id)):
            told = [row.id, row.appeal_id, row.kind, row.unit, chain.moment(row.at), row.actor_name]
            digest.update(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        if digest.hexdigest() != self.begin.digest:
            yield "考评事项", "升级以前登记的考评事项有增删或者被改动。"


def _clock_fits(row: Any, told: Mapping[str, Any]) -> bool:
    ended = datetime.fromisoformat(told["ended_at"]) if told["ended_at"] else None
    return bool(
        (row.kind, row.units, row.number, row.created_by, row.ended_by)
        == (told["kind"], told["units"], told["number"], told["by"], told["ended_by"])
        and row.due_at == datetime.fromisoformat(told["due_at"])
        and row.ended_at == ended
        and (row.state == "ended") is (ended is not None)
    )
