"""A message is cut where another matter begins, as learnt from appeals told one after the other."""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.triage.boundaries import COLUMNS, Judge, describe, pieces, slices
from backend.triage.classifier import MODEL, BrokenModel, Classifier
from backend.triage.joining import Joined, groups, joined, single
from backend.triage.proposing import Triage
from backend.triage.splitting import Subject, split

_UNSEEN = Path(__file__).parents[2] / "data" / "triage"
_SAID = "路灯不亮社保贷款。；\n！？，另外对了还有个事顺便问下 "


@dataclass(frozen=True)
class Told:
    """An appeal of one matter that triage has not been trained on."""

    text: str
    departments: tuple[str, ...]


def _told() -> list[Told]:
    lines = [
        line for path in sorted(_UNSEEN.glob("*.jsonl")) for line in path.read_text("utf-8").splitlines()
    ]
    items = [json.loads(line) for line in lines if line]
    return [Told(item["text"], tuple(item["departments"])) for item in items]


def _bare(text: str) -> str:
    return re.sub(r"\s", "", text)


def _right(triage: Triage, message: Joined) -> bool:
    found = [_bare(problem.text) for problem in triage.propose(message.text)]
    return found == [_bare(part) for part in slices(message.text, message.begins)]


def _share(triage: Triage, messages: list[Joined]) -> float:
    return sum(_right(triage, message) for message in messages) / len(messages)


def test_matters_told_one_after_the_other_are_told_apart(triage: Triage, untrained: Triage) -> None:
    chance = random.Random(7)
    messages = [joined(group, chance) for group in groups(_told(), chance)]
    learnt = _share(triage, messages)
    assert learnt >= 0.5
    assert learnt >= _share(untrained, messages) + 0.15


def test_one_matter_of_several_sentences_stays_whole(triage: Triage) -> None:
    chance = random.Random(7)
    assert _share(triage, [single(item, chance) for item in _told()]) >= 0.95
    assert _share(triage, [Joined(item.text, ()) for item in _told()]) >= 0.97


@pytest.mark.parametrize(
    "text",
    [
        "我们厂门口路灯坏了半年，夜里员工都不敢走。另外补充一下，照片我们都拍了。",
        "第一任房东把消防改造的钱拿走了，第二任说不认账，消防验收到现在过不了。",
    ],
)
def test_what_belongs_to_the_story_stays_with_it(triage: Triage, text: str) -> None:
    assert len(triage.propose(text)) == 1


@given(st.text(alphabet=_SAID, max_size=80))
def test_the_pieces_are_the_message(text: str) -> None:
    found = pieces(text)
    assert "".join(text[piece.start : piece.end] for piece in found) == text


@given(st.text(alphabet=_SAID, max_size=120))
@settings(max_examples=60, deadline=None)
def test_no_character_is_lost_to_the_judge(triage: Triage, text: str) -> None:
    assert _bare("".join(problem.text for problem in triage.propose(text))) == _bare(text)


def test_what_is_joined_can_be_taken_apart() -> None:
    chance = random.Random(3)
    for group in groups(_told(), chance):
        message = joined(group, chance)
        assert message.parts == len(group)
        assert len(slices(message.text, message.begins)) == message.parts
        assert not any(set(one.departments) & set(group[0].departments) for one in group[1:])
    assert single(_told()[0], chance).begins == ()


def test_a_long_story_and_one_sentence_are_not_judged(classifier: Classifier) -> None:
    assert describe("路灯坏了", classifier, lambda _: {}, ["路灯坏了"]) is None
    long = "门口的路灯又坏了。" * 40
    assert describe(long, classifier, lambda _: {}, [long]) is None


def test_a_judge_cuts_where_it_is_sure(classifier: Classifier) -> None:
    text = "门口的路灯坏了。银行贷款批不下来。"
    described = describe(text, classifier, lambda _: {}, [text])
    assert described is not None
    nothing = np.zeros(COLUMNS, np.float32)
    assert Judge(nothing, {}, 2.0, 0.5).cuts(described) == [text.index("银行")]
    assert Judge(nothing, {}, -2.0, 0.5).cuts(described) == []
    assert Judge(nothing, {"^银行": 4.0}, -2.0, 0.5).cuts(described) == [text.index("银行")]


def test_counted_problems_are_not_judged() -> None:
    subjects = {"路灯": Subject("t.lamp", "d.city"), "社保": Subject("t.insurance", "d.labour")}

    def subject_of(part: str) -> Subject | None:
        return next((subject for word, subject in subjects.items() if word in part), None)

    def judged(text: str, ruled: list[str]) -> list[int]:
        return []

    assert len(split("1、路灯不亮；2、社保补缴不了", subject_of, judged)) == 2
    assert len(split("路灯不亮。社保补缴不了", subject_of, judged)) == 1
    assert len(split("路灯不亮，另外社保补缴不了", subject_of, lambda text, ruled: None)) == 2
    assert len(split("反映两个问题：路灯不亮；社保补缴不了", subject_of, judged)) == 2


def test_what_is_begun_in_so_many_words_is_not_undone_by_the_judge() -> None:
    subjects = {"路灯": Subject("t.lamp", "d.city"), "社保": Subject("t.insurance", "d.labour")}

    def subject_of(part: str) -> Subject | None:
        return next((subject for word, subject in subjects.items() if word in part), None)

    for said in ("另外", "还有", "还有就是", "再一个", "此外，", "顺便反映一下"):
        assert len(split(f"路灯不亮，{said}社保补缴不了", subject_of, lambda text, ruled: [])) == 2
    text = "路灯不亮，另外社保补缴不了，食堂也关了"
    assert len(split(text, subject_of, lambda text, ruled: [text.index("食堂")])) == 3
    assert len(split("路灯不亮，另外因为社保欠着", subject_of, lambda text, ruled: [])) == 1
    assert len(split("路灯不亮，另外路灯杆也歪了", subject_of, lambda text, ruled: [])) == 1


def test_the_judge_is_kept_with_the_model(classifier: Classifier, tmp_path: Path) -> None:
    classifier.save(tmp_path / MODEL)
    again = Classifier.load(tmp_path / MODEL)
    assert again is not None
    assert classifier.judge is not None
    assert again.judge is not None
    assert np.array_equal(again.judge.weights, classifier.judge.weights)
    assert again.judge.starts == classifier.judge.starts
    Classifier(classifier.features, classifier.heads, classifier.about).save(tmp_path / MODEL)
    without = Classifier.load(tmp_path / MODEL)
    assert without is not None
    assert without.judge is None
    other = Judge(np.zeros(3, np.float32), {}, 0.0, 0.5)
    Classifier(classifier.features, classifier.heads, classifier.about, other).save(tmp_path / MODEL)
    with pytest.raises(BrokenModel):
        Classifier.load(tmp_path / MODEL)
