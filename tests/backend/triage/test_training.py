"""Training learns from labelled appeals and corrections, only when something has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from backend.errors import ContentError
from backend.knowledge.loading import KnowledgeBase
from backend.triage.classifier import HEADS, MODEL, Classifier
from backend.triage.keeping import Kept, standing
from backend.triage.labelled import FOLDER, Labelled, load_labelled
from backend.triage.proposing import Triage
from backend.triage.training import fingerprint, fold_of, measure, train


@dataclass(frozen=True)
class Corrected:
    """A corrected proposal, as the database gives it."""

    text: str
    category: str
    level: str
    lead_department: str | None


def test_without_a_change_nothing_is_trained(
    base: KnowledgeBase, labelled: list[Labelled], model_dir: Path
) -> None:
    before = (model_dir / MODEL).read_bytes()
    report = train(base, labelled, [], model_dir)
    assert not report.trained
    assert report.appeals == len(labelled)
    assert set(report.quality) == set(HEADS)
    assert (model_dir / MODEL).read_bytes() == before


def test_a_correction_is_a_change_and_is_learnt(
    base: KnowledgeBase, labelled: list[Labelled], tmp_path: Path
) -> None:
    some = labelled[::6]
    text = "园区的吉祥物雕像掉了一只耳朵"
    right = Corrected(text, "兜底", "single", "区总工会")
    strange = Corrected("鲸鱼在唱歌", "海洋", "loud", "龙宫")
    assert fingerprint(base, some, []) != fingerprint(base, some, [right])
    report = train(base, some, [right, strange], tmp_path)
    assert report.trained
    assert report.corrections == 2
    problem = Triage(base, Kept(tmp_path / MODEL)).propose(text)[0]
    assert (problem.category, problem.lead_department) == ("兜底", "区总工会")


def test_too_few_appeals_are_refused(base: KnowledgeBase, labelled: list[Labelled], tmp_path: Path) -> None:
    one_level = [item for item in labelled if item.level == "simple"][:5]
    with pytest.raises(ContentError, match="太少"):
        train(base, one_level, [], tmp_path)
    assert not (tmp_path / MODEL).exists()


def test_folds_stay_the_same() -> None:
    assert [fold_of(text) for text in ("路灯", "停电", "贷款")] == [
        fold_of(text) for text in ("路灯", "停电", "贷款")
    ]
    assert {fold_of(str(number)) for number in range(50)} == {0, 1, 2}


def test_calibration_is_measured() -> None:
    honest = measure([(0.75, True)] * 3 + [(0.75, False)])
    assert (honest.right, honest.error) == (0.75, 0.0)
    boastful = measure([(1.0, False)] * 4)
    assert (boastful.right, boastful.error) == (0.0, 1.0)
    assert measure([]).error == 0.0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("not json", "不是一条标注好的诉求"),
        (
            '{"text": "路灯", "categories": ["海洋"], "level": "single", "departments": ["qt.dept.police"]}',
            "categories",
        ),
        (
            '{"text": "路灯", "categories": ["诉求"], "level": "single", "departments": ["qt.dept.moon"]}',
            "qt.dept.moon",
        ),
    ],
)
def test_a_wrong_line_is_named(base: KnowledgeBase, tmp_path: Path, line: str, sentence: str) -> None:
    folder = tmp_path / "qiantang" / FOLDER
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"qiantang/triage/a\.jsonl:1") as caught:
        load_labelled(tmp_path, base.departments)
    assert sentence in str(caught.value)


def test_a_text_is_labelled_once(base: KnowledgeBase, tmp_path: Path) -> None:
    folder = tmp_path / "qiantang" / FOLDER
    folder.mkdir(parents=True)
    line = json.dumps(
        {
            "text": "路灯坏了",
            "categories": ["诉求"],
            "level": "single",
            "departments": ["qt.dept.enforcement"],
        }
    )
    (folder / "a.jsonl").write_text(f"{line}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"a\.jsonl:3"):
        load_labelled(tmp_path, base.departments)


def test_all_boards_levels_and_most_departments_are_taught(labelled: list[Labelled]) -> None:
    assert len(labelled) >= 900
    assert len({item.categories[0] for item in labelled}) == 10
    assert {item.level for item in labelled} == {"simple", "single", "whistle"}
    assert len({key for item in labelled for key in item.departments}) >= 40


def test_a_new_model_is_taken_while_running(model_dir: Path, tmp_path: Path) -> None:
    now = [0.0]
    kept = Kept(tmp_path / MODEL, clock=lambda: now[0])
    assert kept() is None
    (tmp_path / MODEL).write_bytes((model_dir / MODEL).read_bytes())
    assert kept() is None
    now[0] = 60.0
    first = kept()
    assert isinstance(first, Classifier)
    (tmp_path / MODEL).write_bytes(b"torn")
    now[0] = 120.0
    assert kept() is first


def test_it_is_said_how_it_stands(
    base: KnowledgeBase, labelled: list[Labelled], model_dir: Path, tmp_path: Path
) -> None:
    folder = Path(__file__).parents[3] / "knowledge_base"
    assert "只按规则分诊" in standing(base, folder, tmp_path)
    assert f"学过标注诉求 {len(labelled)} 条" in standing(base, folder, model_dir)
    (tmp_path / MODEL).write_bytes(b"torn")
    assert "读不出来" in standing(base, folder, tmp_path)
