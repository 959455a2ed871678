"""Whether an appeal's record is whole, and proves what the appeal is now. Pure; `backend.storage` reads.

The lines are followed from the first to the last: each signature, each text, and what each line says that the
appeal was changed to. What comes out at the end must be what is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backend.appeals import chain
from backend.appeals.engine import QUIET, RECORDED
from backend.appeals.model import Event, HistoryEvent, State
from backend.people.actors import Party

_NAMES: Final = {
    "state": "状态",
    "level": "级别",
    "category": "板块",
    "territory": "属地",
    "lead_department": "主办部门",
    "co_departments": "协办部门",
    "led_by": "曾主办部门",
    "due_at": "办理时限",
    "due_provisional": "时限暂定标记",
    "assigned_at": "交办时间",
    "first_reply_at": "首次答复时间",
    "first_resolved_at": "首次办结时间",
    "resolved_at": "办结时间",
    "closed_at": "闭环时间",
    "escalation_level": "提级级别",
    "major": "重大事项标记",
    "dissatisfied": "不满意次数",
    "feedback": "企业评价",
    "merged_into": "并入的编号",
    "erased_at": "清除个人信息的时间",
}


@dataclass(frozen=True)
class SignedLine:
    """A line of the record as it is stored, with its signatures."""

    line: HistoryEvent
    text_signature: str
    signature: str


@dataclass(frozen=True)
class Snapshot:
    """An appeal as it is stored.

    Attributes:
        number: Its number.
        recorded: The fields of `RECORDED`, as `backend.appeals.engine.plain` writes them.
        content: The signature that what was sent in has now.
        comment: The words of the enterprise's feedback; None where there is none.
        version: Its version.
        length: Lines that its record should have.
        head: What the lines should end in.
    """

    number: str
    recorded: Mapping[str, Any]
    content: str
    comment: str | None = field(repr=False)
    version: int
    length: int
    head: str


@dataclass
class _Told:
    """What the lines say that the appeal is."""

    recorded: dict[str, Any] = field(default_factory=dict)
    content: str | None = None
    comment: str | None = None
    version: int = 0

    def take(self, line: HistoryEvent) -> None:
        after = line.after
        changed = {name: after[name] for name in RECORDED if name in after}
        self.recorded |= changed
        if "content" in after:
            self.content = after["content"]
        if line.event in (Event.CONFIRM, Event.REJECT):
            self.comment = line.text
        # one line takes over what an older version of the program has left behind
        if "version" in after:
            self.version = after["version"]
        elif changed or line.event not in QUIET:
            self.version += 1


def check_record(sign: chain.Sign, stored: Snapshot, lines: Sequence[SignedLine]) -> Iterator[str]:
    """What is wrong with an appeal, one sentence each; nothing where all is well.

    Args:
        sign: Signs bytes.
        stored: The appeal.
        lines: Its record in the order in which people read it.
    """
    broken = False
    for fault in _check_chain(sign, stored, lines):
        broken = True
        yield fault
    erased_until = max((one.line.position for one in lines if one.line.event is Event.ERASE), default=0)
    told = _Told()
    for one in lines:
        told.take(one.line)
        if wrong := _check_text(sign, stored.number, one, erased=one.line.position <= erased_until):
            yield wrong
        if one.line.after.get("state") == State.CLOSED and not _enterprise_closed(one.line):
            yield f"第 {one.line.position} 条记录：诉求闭环，却没有企业的确认。"
    if not broken:
        yield from _check_fields(stored, told)


def _check_chain(sign: chain.Sign, stored: Snapshot, lines: Sequence[SignedLine]) -> Iterator[str]:
    previous, position = chain.START, 0
    for one in lines:
        line, before = one.line, position
        position = line.position
        if position > before + 1:
            missing = f"{before + 1}" if position == before + 2 else f"{before + 1} 到 {position - 1}"
            yield f"缺少第 {missing} 条记录。"
        elif position <= before:
            yield f"第 {position} 条记录的次序被改动，或者被重复。"
        elif chain.link(sign, previous, stored.number, position, line, one.text_signature) != one.signature:
            yield f"第 {position} 条记录与签名不符，被改动、替换或者插入。"
        previous = chain.head(sign, stored.number, position, one.signature)
    if position != stored.length:
        yield f"记录应有 {stored.length} 条，最后一条却是第 {position} 条，末尾有增删。"
    elif previous != stored.head:
        yield "记录的末尾与诉求中登记的不符，末尾有增删或者被替换。"


def _check_text(sign: chain.Sign, number: str, one: SignedLine, *, erased: bool) -> str | None:
    line = one.line
    if erased:
        return f"第 {line.position} 条记录的文字应已清除，却还在。" if line.text else None
    if chain.text_signature(sign, number, line.position, line.text) == one.text_signature:
        return None
    if not line.text:
        return f"第 {line.position} 条记录的文字被抹去，没有相应的清除记录。"
    return f"第 {line.position} 条记录的文字被改动。"


def _enterprise_closed(line: HistoryEvent) -> bool:
    # what an older version of the program has left is taken over with one line by the service
    taken_over = line.actor.role is Party.SYSTEM and "version" in line.after
    return taken_over or (line.event is Event.CONFIRM and line.actor.role is Party.ENTERPRISE)


def _check_fields(stored: Snapshot, told: _Told) -> Iterator[str]:
    for name in RECORDED:
        if name not in told.recorded:
            yield f"记录中没有“{_NAMES[name]}”。"
        elif told.recorded[name] != stored.recorded[name]:
            yield f"“{_NAMES[name]}”与记录不符，没有经过系统就被改动。"
    if told.content is None:
        yield "没有提交内容的签名。"
    elif told.content != stored.content:
        yield "企业提交的内容（企业、联系人、电话、正文、渠道、提交时间等）与签名不符，被改动。"
    if told.comment != stored.comment:
        yield "企业评价的文字与记录不符，被改动。"
    if told.version != stored.version:
        yield f"版本号应为 {told.version}，却是 {stored.version}，被改动。"


def missing_counts(counts: Iterable[int], last: int) -> tuple[int, ...]:
    """The counts from 1 to ``last`` that are not there."""
    return tuple(sorted(set(range(1, last + 1)) - set(counts)))
