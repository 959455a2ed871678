"""Filing an appeal, following it, and saying whether it is solved: the enterprise's side."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictInt

from backend import errors
from backend.api import authentication, shapes
from backend.api.endpoints import Call, Table
from backend.api.fields import Key, Number, Phone, Request
from backend.appeals import views
from backend.appeals.filing import normal_phone
from backend.appeals.model import FeedbackResult, Filing
from backend.appeals.numbers import parse_number

TABLE = Table("appeals")


class FilingRequest(Request):
    """An appeal as an enterprise puts it; what each field must hold, `backend.appeals.filing` decides."""

    enterprise: Annotated[str, Field(title="企业名称", description="Name of the enterprise.")]
    contact: Annotated[str, Field(title="联系人", description="Person to call back.")]
    phone: Annotated[str, Field(title="联系电话", description="Mobile number, or landline with area code.")]
    text: Annotated[
        str, Field(title="诉求内容", description="One problem or several; each is filed separately.")
    ]
    territory: Annotated[
        str | None, Field(title="平台或街道", description="Platform or street; left out where not known.")
    ] = None
    channel: Annotated[str, Field(title="渠道", description="The way it came in.")] = "portal"
    idempotency_key: Annotated[
        Key | None,
        Field(
            title="请求编号", description="The caller's id of this filing: the same key never files twice."
        ),
    ] = None


class FiledRequest(Request):
    """The caller's own id of a filing."""

    idempotency_key: Annotated[
        Key, Field(title="请求编号", description="As it was sent with the filing; at least 22 characters.")
    ]


class LookupRequest(Request):
    """An appeal number and the phone that was left with it."""

    number: Annotated[Number, Field(title="诉求编号", description="For example QT20261121-0042.")]
    phone: Annotated[Phone, Field(title="联系电话", description="The phone left at filing.")]


class FeedbackRequest(Request):
    """The enterprise's word on a resolved appeal."""

    number: Annotated[Number, Field(title="诉求编号", description="For example QT20261121-0042.")]
    phone: Annotated[Phone, Field(title="联系电话", description="The phone left at filing.")]
    result: Annotated[FeedbackResult, Field(title="办理结果", description="Whether it is solved.")]
    stars: Annotated[
        StrictInt | None, Field(title="星级", ge=1, le=5, description="1 to 5; needed where it is solved.")
    ] = None
    comment: Annotated[str, Field(title="评价", description="In own words; may be empty.")] = ""


class WithdrawRequest(Request):
    """Why an appeal is taken back."""

    number: Annotated[Number, Field(title="诉求编号", description="For example QT20261121-0042.")]
    phone: Annotated[Phone, Field(title="联系电话", description="The phone left at filing.")]
    reason: Annotated[str, Field(title="撤回原因", description="In own words; may be empty.")] = ""


@TABLE.post(
    "/api/v1/appeals",
    "Files one appeal for each separate problem in a text.",
    status=201,
    errors=(errors.Conflict,),
)
async def post_appeal(call: Call, data: FilingRequest) -> shapes.FiledAppeals:
    """Files; a repetition with the same key answers the same again."""
    filed = await call.container.appeals.file(Filing(**data.model_dump()))
    if filed.created:
        for appeal in filed.appeals:
            call.metrics.filed(appeal.level.value)
    return shapes.FiledAppeals.model_validate(views.filed(filed))


@TABLE.post(
    "/api/v1/appeals/filed",
    "Shows what was filed under an idempotency key.",
    errors=(errors.NotFound,),
)
async def post_filed(call: Call, data: FiledRequest) -> shapes.FiledAppeals:
    """Answers a filing again to who lost the answer; the key itself is the proof."""
    filed = await call.container.appeals.filed_under(data.idempotency_key)
    return shapes.FiledAppeals.model_validate(views.filed(filed))


@TABLE.post(
    "/api/v1/appeals/lookup",
    "Shows an appeal to who knows its number and phone.",
    errors=(errors.NotFound, errors.TooMany),
)
async def post_lookup(call: Call, data: LookupRequest) -> shapes.FollowAnswer:
    """Shows what the enterprise may see; a wrong phone and an unknown number answer alike."""
    async with _Guessing(call, data.number, data.phone):
        record = await call.container.appeals.lookup(data.number, data.phone)
    return shapes.followed(record)


@TABLE.post(
    "/api/v1/appeals/{number}/feedback",
    "Says whether a resolved appeal is solved: closes it, or sends it back.",
    errors=(errors.Conflict, errors.NotAllowed, errors.TooMany),
)
async def post_feedback(call: Call, data: FeedbackRequest) -> shapes.FollowAnswer:
    """Takes the enterprise's word."""
    await _by_enterprise(call)
    async with _Guessing(call, data.number, data.phone):
        record = await call.container.appeals.give_feedback(
            data.number, data.phone, data.result.value, data.stars, data.comment
        )
    return shapes.followed(record)


@TABLE.post(
    "/api/v1/appeals/{number}/withdraw",
    "Takes an appeal back before it is resolved.",
    errors=(errors.Conflict, errors.NotAllowed, errors.TooMany),
)
async def post_withdraw(call: Call, data: WithdrawRequest) -> shapes.FollowAnswer:
    """Withdraws an appeal."""
    await _by_enterprise(call)
    async with _Guessing(call, data.number, data.phone):
        record = await call.container.appeals.withdraw(data.number, data.phone, data.reason)
    return shapes.followed(record)


@TABLE.post(
    "/api/v1/appeals/{number}/separate",
    "Takes an appeal out of the one that it was merged into.",
    errors=(errors.Conflict, errors.NotAllowed, errors.TooMany),
)
async def post_separate(call: Call, data: WithdrawRequest) -> shapes.FollowAnswer:
    """Lets the enterprise say that it is another matter."""
    await _by_enterprise(call)
    async with _Guessing(call, data.number, data.phone):
        record = await call.container.appeals.separate(data.number, data.phone, data.reason)
    return shapes.followed(record)


async def _by_enterprise(call: Call) -> None:
    """Refuses staff: the desks know the phone, and closing is the enterprise's own word.

    Raises:
        NotAllowed: The request carries a member of staff's token or session.
    """
    if await authentication.recognise(call.container.people, call.request) is not None:
        raise errors.NotAllowed(
            "这一步只能由企业本人办理，工作人员不能代为确认；请退出工作人员账号后，由企业凭编号和电话办理。",
            code="enterprise_only",
        )


class _Guessing:
    """Counts failures for the number and for the phone, however typed, so that neither is found by trying.

    Who knows both is never refused because others guessed: once there were too many failures, tries wait for
    their turn instead, and only a wrong one is refused.
    """

    def __init__(self, call: Call, number: str, phone: str) -> None:
        self._limit = call.limits.lookup
        self._turns = call.limits.turns
        self._caller = call.caller
        known = {"number": parse_number(number), "phone": normal_phone(phone)}
        self._keys = [f"{kind} {value}" for kind, value in known.items() if value is not None]
        self._spent: list[str] = []

    async def __aenter__(self) -> None:
        self._spent = [key for key in self._keys if self._limit.is_spent(key)]
        # counted before the answer is known: tries at the same time are tries too
        for key in self._keys:
            if key not in self._spent:
                self._limit.take(key)
        for key in self._spent:
            await self._turns.wait(key, self._caller)

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        wrong = isinstance(error, errors.NotFound)
        for key in self._keys:
            if wrong and key in self._spent:
                self._limit.take(key)
            elif not wrong and key not in self._spent:
                self._limit.give_back(key)
        if wrong:
            for key in self._spent:
                self._limit.check(key)
