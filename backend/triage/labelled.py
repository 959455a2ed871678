"""Labelled appeals: what triage learns from, kept beside the knowledge base, one JSON object a line.

Fields: ``text``; ``categories`` (boards that are right, the best first); ``level``; ``departments`` (ids of
the departments that may lead, the best first); ``voice`` (how it is said, so that quality can be counted by
it); ``basis``: ``document`` where a source document names who is responsible, ``duty`` where the documents
are silent and the department's duty decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from backend.errors import ContentError
from backend.knowledge.entries import BoardName, Department, Id, LevelName

FOLDER: Final = "triage"
"""Name of the folder, in the folder of a jurisdiction, that holds them."""

Voice = Literal["chat", "voice", "letter", "angry", "long", "dialect", "typos", "operator", "plain"]


class Labelled(BaseModel):
    """One appeal with what is right for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: Annotated[str, Field(min_length=1)]
    categories: Annotated[tuple[BoardName, ...], Field(min_length=1)]
    level: LevelName
    departments: Annotated[tuple[Id, ...], Field(min_length=1)]
    voice: Voice = "plain"
    basis: Literal["document", "duty"] = "duty"


class Correction(Protocol):
    """A proposal as the territory set it right."""

    @property
    def text(self) -> str:
        """The problem, masked."""
        ...

    @property
    def category(self) -> str:
        """Board."""
        ...

    @property
    def level(self) -> str:
        """``simple``, ``single`` or ``whistle``."""
        ...

    @property
    def lead_department(self) -> str | None:
        """Name or alias of the department; None where nobody is named."""
        ...


class Corrections(Protocol):
    """Where corrected proposals are kept; any iterable of them will do."""

    def __iter__(self) -> Iterator[Correction]:
        """Gives the corrections, in any order."""
        ...


def load_labelled(folder: Path, departments: Mapping[str, Department]) -> list[Labelled]:
    """Read the labelled appeals of a knowledge base.

    Args:
        folder: Of the knowledge base.
        departments: By id; every department named must be among them.

    Returns:
        The appeals, by file and line.

    Raises:
        ContentError: A line is not a labelled appeal, or names an unknown department, or repeats a text.
    """
    found: dict[str, Labelled] = {}
    for path in sorted(folder.glob(f"*/{FOLDER}/*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            where = f"{path.relative_to(folder).as_posix()}:{number}"
            item = _read(line, where)
            if unknown := [key for key in item.departments if key not in departments]:
                raise ContentError(f"{where}：没有编号为 {unknown[0]} 的部门。")
            if item.text in found:
                raise ContentError(f"{where}：这句话前面已经标注过：{item.text[:20]}")
            found[item.text] = item
    return list(found.values())


def _read(line: str, where: str) -> Labelled:
    try:
        return Labelled.model_validate(json.loads(line))
    except (json.JSONDecodeError, ValidationError) as error:
        raise ContentError(f"{where}：不是一条标注好的诉求：{error}") from error
