"""Two people act on the same appeal at the same moment: one does it, the other is told what changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from fault_office import Answer, Office

PAIRS = 6
"""So many appeals are fought over at once."""

Deed = Callable[[Office, str, int], Coroutine[Any, Any, Answer]]
DEEDS: dict[str, Deed] = {
    "assign": lambda office, number, seen: office.office(
        number, "assign", lead_department=office.departments[0], version=seen
    ),
    "assign elsewhere": lambda office, number, seen: office.office(
        number, "assign", lead_department=office.departments[1], version=seen
    ),
    "decline": lambda office, number, seen: office.office(
        number, "decline", reason="属于司法程序，不能受理", version=seen
    ),
    "start": lambda office, number, seen: office.lead(number, "start", version=seen),
    "reply": lambda office, number, seen: office.lead(number, "reply", text="已到现场", version=seen),
    "resolve": lambda office, number, seen: office.lead(number, "resolve", text="已经疏通", version=seen),
    "transfer": lambda office, number, seen: office.office(
        number, "transfer", department=office.departments[1], reason="不属于该部门", version=seen
    ),
    "reassign": lambda office, number, seen: office.office(
        number, "reassign", lead_department=office.departments[2], reason="职责不清", version=seen
    ),
    "escalate": lambda office, number, seen: office.office(
        number, "escalate", to_level=4, major=True, reason="重大问题", version=seen
    ),
}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("assign", "assign elsewhere"),
        ("assign", "decline"),
        ("resolve", "transfer"),
        ("start", "start"),
        ("reply", "resolve"),
        ("transfer", "reassign"),
        ("escalate", "resolve"),
    ],
)
async def test_one_does_it_and_the_other_is_told_what_changed(
    office: Office, first: str, second: str
) -> None:
    new = {"assign", "decline"} >= {first.split()[0], second.split()[0]}
    numbers = [await (office.filed() if new else office.assigned()) for _ in range(PAIRS)]
    seen = {number: (await office.opened(number))["version"] for number in numbers}
    for deed in (first, second):  # both accounts exist before the race
        await DEEDS[deed](office, "QT20261119-9999", 1)
    answers = await office.at_once(
        *(
            DEEDS[deed](office, number, seen[number])
            for place, number in enumerate(numbers)
            for deed in ((first, second) if place % 2 else (second, first))
        )
    )
    for number, pair in zip(numbers, zip(answers[::2], answers[1::2], strict=True), strict=True):
        done, refused = sorted(pair, key=lambda answer: answer.status)
        assert (done.status, refused.status) == (200, 409), (done.body, refused.body)
        assert refused.code == "version_conflict"
        now = await office.opened(number)
        assert refused.details["version"] == now["version"] == seen[number] + 1
        told = [(change["event"], change["summary"]) for change in refused.details["changes"]]
        assert told == [(now["history"][-1]["event"], now["history"][-1]["summary"])]


async def test_an_enterprise_that_says_two_things_at_once_is_taken_at_its_first_word(office: Office) -> None:
    numbers = [await office.resolved() for _ in range(PAIRS)]
    words: list[dict[str, Any]] = [{"result": "resolved", "stars": 5}, {"result": "unresolved", "stars": 1}]
    answers = await office.at_once(
        *(office.of_enterprise(number, "feedback", **word) for number in numbers for word in words)
    )
    for number, pair in zip(numbers, zip(answers[::2], answers[1::2], strict=True), strict=True):
        assert sorted(answer.status for answer in pair) == [200, 409]
        assert next(answer.code for answer in pair if answer.status == 409) == "wrong_state"
        now = await office.opened(number)
        assert (now["state"], now["dissatisfied"]) in {("closed", 0), ("reopened", 1)}


async def test_the_same_word_sent_many_times_at_once_counts_once(office: Office) -> None:
    number = await office.resolved()
    word = {"result": "unresolved", "stars": 1, "comment": "还在积水"}
    answers = await office.at_once(*(office.of_enterprise(number, "feedback", **word) for _ in range(8)))
    assert {answer.status for answer in answers} == {200}
    now = await office.opened(number)
    assert (now["state"], now["dissatisfied"]) == ("reopened", 1)


async def test_a_withdrawal_and_a_resolve_at_once(office: Office) -> None:
    numbers = [await office.assigned() for _ in range(PAIRS)]
    await office.lead(numbers[0], "note", text="先看一下")
    answers = await office.at_once(
        *(
            deed
            for number in numbers
            for deed in (
                office.of_enterprise(number, "withdraw"),
                office.lead(number, "resolve", text="已经疏通"),
            )
        )
    )
    for number, (withdrawn, resolved) in zip(
        numbers, zip(answers[::2], answers[1::2], strict=True), strict=True
    ):
        assert sorted([withdrawn.status, resolved.status]) == [200, 409]
        # whom another was faster than is told where the appeal stands now
        state = "withdrawn" if withdrawn.status == 200 else "resolved"
        refused = resolved if withdrawn.status == 200 else withdrawn
        assert (await office.opened(number))["state"] == refused.details["state"] == state


async def test_merges_crosswise_never_wait_for_each_other(office: Office) -> None:
    numbers = [await office.filed() for _ in range(2 * PAIRS)]
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    async with asyncio.timeout(60):
        answers = await office.at_once(
            *(
                office.office(ends, "merge", into=stays, reason="同一件事")
                for one, other in pairs
                for ends, stays in ((one, other), (other, one))
            )
        )
    for (one, other), two in zip(pairs, zip(answers[::2], answers[1::2], strict=True), strict=True):
        assert sorted(answer.status for answer in two) == [200, 409]
        merged = [(await office.opened(number))["merged_into"] for number in (one, other)]
        assert merged in ([other, None], [None, one])


async def test_a_ring_of_merges_leaves_one_that_goes_on(office: Office) -> None:
    numbers = [await office.filed() for _ in range(5)]
    answers = await office.at_once(
        *(
            office.office(number, "merge", into=numbers[place - 1], reason="同一件事")
            for place, number in enumerate(numbers)
        )
    )
    assert {answer.status for answer in answers} <= {200, 409}
    states = [(await office.opened(number))["state"] for number in numbers]
    assert states.count("merged") == sum(answer.status == 200 for answer in answers)
    assert "filed" in states


async def test_notes_and_orders_disturb_nobody(office: Office) -> None:
    number = await office.assigned()
    seen = (await office.opened(number))["version"]
    await office.lead(number, "note", text="先看一下")
    answers = await office.at_once(
        *(office.office(number, "note", text=f"备注{count}") for count in range(4)),
        *(office.office(number, "supervise", text=f"请尽快{count}") for count in range(4)),
        office.lead(number, "reply", text="已到现场", version=seen),
    )
    assert {answer.status for answer in answers} == {200}
    history = (await office.opened(number))["history"]
    texts = [line["text"] for line in history if line["event"] in ("note", "supervise")]
    assert len(texts) == len(set(texts)) == 9
