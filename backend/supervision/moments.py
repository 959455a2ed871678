"""What is done about the rows of one appeal that are due: reminders, questions, and what lateness costs.

Pure. A moment long past is acted on once, and the words say when it was due. Nothing here closes, resolves or
changes an appeal: its record grows, its version stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from backend.appeals.calendar import local
from backend.appeals.deadlines import INSPECTION_OFFICE
from backend.appeals.model import AWAITING, Appeal, Event, HistoryEvent, State, SupervisionKind
from backend.appeals.notices import (
    DESK_CHANNEL,
    INSPECTION_DESK,
    TASKFORCE_DESK,
    Desk,
    Message,
    MessageKind,
    lead_desk,
    message_key,
)
from backend.appeals.penalties import overdue
from backend.people.actors import SYSTEM
from backend.people.roles import Role
from backend.supervision.model import Deed, DueAppeal, DueRow

LATE: Final = timedelta(minutes=10)
"""From so much on, the words say that a moment was acted on after its time."""


def deed(due: DueAppeal, now: datetime) -> Deed:
    """What is done about the due rows of an appeal.

    Reminders are for open appeals, questions for those on which the enterprise has the word; any other row is
    no longer needed and stopped. Of several questions that are due at once, after a pause of the service, the
    enterprise gets one message.

    Args:
        due: The appeal, held by this transaction, and its due rows.
        now: The present moment.
    """
    appeal = due.appeal
    fits = [row for row in due.rows if _fits(row, appeal)]
    stopped = tuple(row.id for row in due.rows if not _fits(row, appeal))
    if not fits:
        return Deed(due, stopped=stopped)
    at = _not_before(appeal, now)
    lines: list[HistoryEvent] = []
    messages: list[Message] = []
    for row in fits:
        lines.append(_line(appeal, row, at, now))
        if row.row.kind is SupervisionKind.MOMENT:
            messages += _reminders(appeal, row, now)
    if fits[-1].row.kind is SupervisionKind.ASK:
        messages.append(_question(appeal, fits[-1], now))
    penalties = tuple(one for one in overdue(appeal, now) if one.kind not in due.penalised)
    return Deed(due, tuple(row.id for row in fits), stopped, tuple(lines), tuple(messages), penalties)


def _fits(row: DueRow, appeal: Appeal) -> bool:
    if row.row.kind is SupervisionKind.MOMENT:
        return appeal.is_open
    return row.row.kind is SupervisionKind.ASK and appeal.state in AWAITING


def _not_before(appeal: Appeal, now: datetime) -> datetime:
    """The present moment; never before what has happened to the appeal, if a clock was set back."""
    known = (appeal.assigned_at, appeal.first_reply_at, appeal.resolved_at)
    spoken = appeal.feedback.at if appeal.feedback else None
    there = [moment for moment in (*known, spoken) if moment is not None]
    return local(max(now, appeal.submitted_at, *there)).replace(microsecond=0)


def _line(appeal: Appeal, row: DueRow, at: datetime, now: datetime) -> HistoryEvent:
    due = f"{local(row.row.at):%Y-%m-%d %H:%M}"
    late = f"（应于 {due} 进行，{_why_late(appeal, row)}补办）" if now - row.row.at > LATE else ""
    if row.row.kind is SupervisionKind.ASK:
        summary = f"再次请企业确认{_question_words(appeal)}{late}"
    else:
        summary = f"{row.row.by}提醒：{_standing(appeal, row)}{late}"
    after = {"moment": local(row.row.at).isoformat(timespec="seconds"), "by": row.row.by}
    return HistoryEvent(at, SYSTEM, Event.REMIND, summary, public=False, after=after)


def _why_late(appeal: Appeal, row: DueRow) -> str:
    """Why a moment is acted on long after its time."""
    if appeal.feedback is not None and appeal.feedback.at > row.row.at:
        return "其间已答复待企业确认，企业未认可，现"
    if appeal.state is State.FILED and appeal.led_by:
        return "其间已并案，取消并案后"
    return "因系统中断"


def _standing(appeal: Appeal, row: DueRow) -> str:
    """Where the appeal stands at its moment."""
    if row.row.by == INSPECTION_OFFICE:
        return "书记区长直通车诉求，自提交起督查"
    what = "尚未交办" if appeal.state is State.FILED else "尚未办结"
    passed = "已超过办理时限" if row.row.at > appeal.due_at else "临近办理时限"
    return f"{appeal.level.text}{passed}，{what}"


def _reminders(appeal: Appeal, row: DueRow, now: datetime) -> list[Message]:
    """To who supervises and to who has to act."""
    moment = f"{local(row.row.at):%Y-%m-%d %H:%M}"
    late = f"本提醒应于 {moment} 发出，{_why_late(appeal, row)}补发。" if now - row.row.at > LATE else ""
    head = f"诉求 {appeal.number}：{_standing(appeal, row)}。办理时限 {local(appeal.due_at):%Y-%m-%d %H:%M}。"
    from_start = row.row.by == INSPECTION_OFFICE
    supervisors = [TASKFORCE_DESK, *([INSPECTION_DESK] if appeal.direct_line else [])]
    made = []
    for to in dict.fromkeys((*supervisors, *(() if from_start else _to_act(appeal)))):
        if to not in supervisors:
            task = "请抓紧交办。" if appeal.state is State.FILED else "请抓紧办理，办结后由企业确认。"
        elif from_start:
            task = "由两办督查室督查，专班协助。"
        else:
            task = f"请{row.row.by}{_CALLS.get(row.row.by, '电话督促')}{_offer(appeal, row)}。"
        made.append(
            _message(
                appeal, row, to, MessageKind.REMINDER, f"提醒：诉求 {appeal.number}", head + task + late, now
            )
        )
    return made


_CALLS: Final = {"专班": "电话并线上提醒", "专班督查考评组": "电话或上门督促"}


def _offer(appeal: Appeal, row: DueRow) -> str:
    """A supervision order is offered once the promise is broken; whether it is slow, people judge."""
    return "，进展缓慢的可发督办单" if row.row.at > appeal.due_at else ""


def _to_act(appeal: Appeal) -> Sequence[Desk]:
    lead = lead_desk(appeal)
    if appeal.state is State.FILED:
        return (lead,)
    helpers = [Desk(Role.DEPARTMENT, name) for name in appeal.co_departments]
    territory = [Desk(Role.TERRITORY, appeal.territory)] if appeal.territory else []
    return (lead, *helpers, *territory)


def _question_words(appeal: Appeal) -> str:
    return "是否已解决" if appeal.state is State.RESOLVED else "是否认可不予受理"


def _question(appeal: Appeal, row: DueRow, now: datetime) -> Message:
    body = (
        f"您的诉求 {appeal.number} 正等待您确认{_question_words(appeal)}。"
        "请凭编号和提交时的联系电话查看结果并反馈；未经您确认不会闭环。"
    )
    subject = f"请确认诉求 {appeal.number} {_question_words(appeal)}"
    return _message(appeal, row, None, MessageKind.QUESTION, subject, body, now)


def _message(
    appeal: Appeal, row: DueRow, to: Desk | None, kind: MessageKind, subject: str, body: str, now: datetime
) -> Message:
    name = f"{to.role.value}/{to.unit or ''}" if to else "enterprise"
    moment = row.row.at.astimezone().timestamp()
    return Message(
        message_key(appeal.number, row.row.kind.value, f"{moment:.0f}", row.row.by, name),
        kind,
        to,
        DESK_CHANNEL if to else appeal.channel,
        appeal.number,
        subject,
        body,
        now,
    )
