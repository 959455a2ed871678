"""Reads `knowledge_base/` into one typed, cross-checked `KnowledgeBase`.

Every problem carries the file and the line it stands in, and all of them are collected before anything is
refused, so that an official repairs a file in one go. Plain values are read as the text that stands in the
file (a phone number without quotes keeps its leading zero); pydantic turns dates and booleans into types.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from backend.errors import ContentError
from backend.knowledge.entries import (
    Board,
    Catalogue,
    Department,
    Document,
    Entry,
    Jurisdiction,
    Signal,
    Source,
    Territory,
    Topic,
)
from backend.replies import Citation

_BaseLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _TextLoader(_BaseLoader):  # type: ignore[misc]
    """Safe loader for which every plain value but an empty one is text."""


_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in _BaseLoader.yaml_implicit_resolvers.items()
}

_KINDS: dict[str, type[BaseModel]] = {
    "documents": Document,
    "jurisdiction": Jurisdiction,
    "departments": Department,
    "territories": Territory,
    "boards": Board,
    "topics": Topic,
    "signals": Signal,
    "catalogues": Catalogue,
    "entries": Entry,
}
_TYPED_WRONG = 4  # characters of a name at least in which one may be wrong
_KINDS_TEXT = "、".join(_KINDS)
_ADAPTERS: dict[str, TypeAdapter[Any]] = {kind: TypeAdapter(model) for kind, model in _KINDS.items()}


@dataclass(frozen=True, order=True)
class Problem:
    """Something in the content that must be repaired.

    Attributes:
        file: Path relative to the knowledge folder, with forward slashes.
        line: Counted from 1; 0 where the whole file or folder is meant.
        message: A sentence in Chinese that says what is wrong and, where possible, what is expected.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}：{self.message}" if self.line else f"{self.file}：{self.message}"


@dataclass(frozen=True)
class Place:
    """Where an object stands: its file, its own line and the node that knows the lines of its fields."""

    file: str
    line: int
    node: Any = field(default=None, repr=False, compare=False)

    def line_of(self, *path: str | int) -> int:
        """Returns the line of a field inside the object, or of the nearest parent that exists."""
        return self.line if self.node is None else _line_at(self.node, path)


@dataclass(frozen=True)
class KnowledgeBase:
    """Everything that `knowledge_base/` holds, by id; built by `load` and never changed.

    Attributes:
        places: Where each object of any kind stands in the files, by id.
    """

    documents: Mapping[str, Document]
    jurisdictions: Mapping[str, Jurisdiction]
    departments: Mapping[str, Department]
    territories: Mapping[str, Territory]
    boards: Mapping[str, Board]
    topics: Mapping[str, Topic]
    signals: Mapping[str, Signal]
    entries: Mapping[str, Entry]
    catalogues: Mapping[str, Catalogue] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict, repr=False)

    def jurisdiction_of(self, object_id: str) -> Jurisdiction:
        """Returns the jurisdiction whose folder holds the object, by the prefix of its id.

        Raises:
            KeyError: No folder has this prefix.
        """
        return self._by_prefix[prefix_of(object_id)]

    @property
    def _by_prefix(self) -> dict[str, Jurisdiction]:
        return {prefix_of(item.id): item for item in self.jurisdictions.values()}

    def citation(self, entry: Entry) -> Citation:
        """Returns where the facts of an entry stand, with the document's title as printed."""
        document = self.documents[entry.source.document]
        return Citation(document=document.title, section=entry.source.section, entry=entry.id)

    def department_named(self, text: str, within: Jurisdiction | None = None) -> Department | None:
        """Returns the department with this name or alias; ``within`` looks in one folder only."""
        return _named(text, self.departments.values(), within)

    def territory_named(self, text: str, within: Jurisdiction | None = None) -> Territory | None:
        """Returns the one platform or street that a text names; None if there is none or more than one."""
        found = self.territories_named(text, within)
        return found[0] if len(found) == 1 else None

    def territories_named(self, text: str, within: Jurisdiction | None = None) -> tuple[Territory, ...]:
        """Returns the platforms and streets that a text may name, several if it is ambiguous.

        A name or alias in full names one. Its beginning does too, as 前进 of 前进街道 and of 前进智造园, but
        not the district before a name that stands alone, as 钱塘 of 钱塘芯谷. A name with one wrong
        character counts where nothing else fits.

        Args:
            text: As typed.
            within: Looks in one folder only.
        """
        exact = _named(text, self.territories.values(), within)
        wanted = _plain(text)
        if exact is not None or len(wanted) < 2:
            return (exact,) if exact is not None else ()
        names = {
            territory.id: [_plain(name) for name in (territory.name, *territory.aliases)]
            for territory in self.territories.values()
            if within is None or prefix_of(territory.id) == prefix_of(within.id)
        }
        begun = [key for key, known in names.items() if any(_begins(name, wanted, known) for name in known)]
        close = [key for key, known in names.items() if any(_one_off(name, wanted) for name in known)]
        return tuple(self.territories[key] for key in begun or close)

    def jurisdiction_named(self, text: str) -> Jurisdiction | None:
        """Returns the jurisdiction with this name or alias, if the knowledge base has it."""
        return _named(text, self.jurisdictions.values(), None)

    def home(self, name: str) -> Jurisdiction:
        """Returns the jurisdiction that the setting of the home district names.

        Raises:
            ContentError: No folder is about it; the sentence lists those that there are.
        """
        found = self.jurisdiction_named(name)
        if found is None:
            known = "、".join(item.name for item in self.jurisdictions.values()) or "没有任何辖区"
            raise ContentError(f"知识库里没有“{name}”的文件夹，请检查 QIFU_HOME_DISTRICT；现有：{known}。")
        return found


def prefix_of(object_id: str) -> str:
    """Returns the two letters that say which folder an object belongs to."""
    return object_id.split(".", 1)[0]


def _plain(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


_Named = TypeVar("_Named", Department, Territory, Jurisdiction)


def _named(text: str, candidates: Iterable[_Named], within: Jurisdiction | None) -> _Named | None:
    wanted = _plain(text)
    if not wanted:
        return None
    for item in candidates:
        if within is not None and prefix_of(item.id) != prefix_of(within.id):
            continue
        if wanted == _plain(item.name) or any(wanted == _plain(alias) for alias in item.aliases):
            return item
    return None


def _begins(name: str, beginning: str, names: Collection[str]) -> bool:
    rest = name.removeprefix(beginning)
    return name.startswith(beginning) and not any(rest.startswith(other) for other in names)


def _one_off(name: str, typed: str) -> bool:
    different = sum(one != other for one, other in zip(name, typed, strict=False))
    return len(name) == len(typed) >= _TYPED_WRONG and different == 1


def _line_at(node: Any, path: Iterable[str | int]) -> int:
    line = int(node.start_mark.line) + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    line, node = int(key.start_mark.line) + 1, value
                    break
            else:
                return line
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            node = node.value[step]
            line = int(node.start_mark.line) + 1
        else:
            return line
    return line


def _doubled_keys(node: Any) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield str(key.value), int(key.start_mark.line) + 1
            seen.add(key.value)
            yield from _doubled_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _doubled_keys(value)


_MESSAGES = {
    "missing": "缺少“{field}”",
    "extra_forbidden": "不认识的字段“{field}”",
    "string_type": "“{field}”应为文字",
    "string_too_short": "“{field}”不能为空",
    "too_short": "“{field}”至少要有一项",
    "list_type": "“{field}”应为列表（每项前加 - ）",
    "model_type": "“{field}”应为若干字段",
    "model_attributes_type": "“{field}”应为若干字段",
    "dict_type": "“{field}”应为若干字段",
    "bool_parsing": "“{field}”应为 true 或 false",
    "bool_type": "“{field}”应为 true 或 false",
}


def _explain(error: Mapping[str, Any]) -> str:
    names = [str(step) for step in error["loc"] if isinstance(step, str)]
    name = ".".join(names) if names else "这一项"
    kind, context = str(error["type"]), cast("dict[str, Any]", error.get("ctx") or {})
    if kind in _MESSAGES:
        return _MESSAGES[kind].format(field=name)
    if kind == "value_error":
        return f"{name}：{context.get('error', error['msg'])}"
    if kind == "literal_error":
        return f"“{name}”的值“{error['input']}”不在允许的范围内：{context.get('expected', '')}"
    if kind.startswith("date"):
        return f"“{name}”应为日期，如 2024-03-30"
    return f"“{name}”不合要求：{error['msg']}"


class _Reader:
    """Collects objects and problems over all files of a knowledge folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.objects: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
        self.places: dict[str, Place] = {}

    def read(self) -> None:
        if not self.folder.is_dir():
            self.problems.append(Problem(str(self.folder), 0, "知识库文件夹不存在"))
            return
        folders = sorted(
            item for item in self.folder.iterdir() if item.is_dir() and not item.name.startswith(("_", "."))
        )
        if not folders:
            self.problems.append(Problem(str(self.folder), 0, "知识库是空的：每个辖区应有一个文件夹"))
        for stray in sorted([*self.folder.glob("*.yaml"), *self.folder.glob("*.yml")]):
            self.problems.append(Problem(stray.name, 0, "内容文件要放在某个辖区的文件夹里"))
        prefixes: dict[str, str] = {}
        for item in folders:
            self._read_folder(item, prefixes)
        self._follow_references()

    def _read_folder(self, folder: Path, prefixes: dict[str, str]) -> None:
        placed: list[str] = []
        jurisdictions: list[str] = []
        for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
            for kind, object_id in self._read_file(path):
                placed.append(object_id)
                if kind == "jurisdiction":
                    jurisdictions.append(object_id)
        if len(jurisdictions) != 1:
            found = "没有" if not jurisdictions else f"有 {len(jurisdictions)} 个"
            message = f"文件夹里{found} jurisdiction，应恰好有一个（jurisdiction.yaml）"
            self.problems.append(Problem(folder.name, 0, message))
            return
        prefix = prefix_of(jurisdictions[0])
        if prefix in prefixes:
            place = self.places[jurisdictions[0]]
            message = f"前缀“{prefix}.”已由文件夹 {prefixes[prefix]} 使用"
            self.problems.append(Problem(place.file, place.line_of("id"), message))
        prefixes.setdefault(prefix, folder.name)
        for object_id in placed:
            if prefix_of(object_id) != prefix:
                place = self.places[object_id]
                message = f"编号“{object_id}”应以本文件夹的前缀“{prefix}.”开头"
                self.problems.append(Problem(place.file, place.line_of("id"), message))

    def _read_file(self, path: Path) -> list[tuple[str, str]]:
        name = path.relative_to(self.folder).as_posix()
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            self.problems.append(Problem(name, 0, "读不出来：应为 UTF-8 编码的文本文件"))
            return []
        try:
            loader = _TextLoader(text)
            root = loader.get_single_node()
            data = None if root is None else loader.construct_document(root)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark is not None else 0
            detail = getattr(error, "problem", None) or "YAML 语法有误"
            self.problems.append(Problem(name, line, f"YAML 写法有误：{detail}"))
            return []
        if root is None:
            return []
        if not isinstance(data, dict):
            self.problems.append(Problem(name, 1, f"文件开头应是下列之一加冒号：{_KINDS_TEXT}"))
            return []
        for key, line in _doubled_keys(root):
            self.problems.append(Problem(name, line, f"“{key}”写了两次"))
        added = []
        for key, value_node in root.value:
            kind = str(key.value)
            if kind not in _KINDS:
                line = key.start_mark.line + 1
                self.problems.append(Problem(name, line, f"不认识的字段“{kind}”，应为：{_KINDS_TEXT}"))
                continue
            value = data[kind]
            if kind == "jurisdiction":
                added += self._add(kind, value, value_node, name)
            elif isinstance(value, list):
                for item, item_node in zip(value, value_node.value, strict=False):
                    added += self._add(kind, item, item_node, name)
            elif value is not None:
                line = key.start_mark.line + 1
                self.problems.append(Problem(name, line, f"“{kind}”下面应是列表（每项前加 - ）"))
        return added

    def _add(self, kind: str, value: Any, node: Any, file: str) -> list[tuple[str, str]]:
        place = Place(file, int(node.start_mark.line) + 1, node)
        try:
            item = _ADAPTERS[kind].validate_python(value)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                line = place.line_of(*detail["loc"])
                self.problems.append(Problem(file, line, _explain(cast("Mapping[str, Any]", detail))))
            return []
        if item.id in self.places:
            other = self.places[item.id]
            message = f"编号“{item.id}”重复，已在 {other.file}:{other.line} 用过"
            self.problems.append(Problem(file, place.line_of("id"), message))
            return []
        self.objects[kind][item.id] = item
        self.places[item.id] = place
        return [(kind, item.id)]

    def _follow_references(self) -> None:
        for kind, objects in self.objects.items():
            for item in objects.values():
                for path, wanted, target in _references(kind, item):
                    if target not in self.objects[wanted]:
                        place = self.places[item.id]
                        message = f"“{item.id}”引用的“{target}”不存在（应是 {wanted} 里的编号）"
                        self.problems.append(Problem(place.file, place.line_of(*path), message))


def _references(kind: str, item: Any) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yields (path of the field, kind that is referred to, id) for everything an object refers to."""
    source = getattr(item, "source", None)
    if isinstance(source, Source):
        yield ("source", "document"), "documents", source.document
    if kind == "entries":
        for number, target in enumerate(item.related):
            yield ("related", number), "entries", target
        for number, listing in enumerate(item.listings):
            yield ("listings", number, "catalogue"), "catalogues", listing.catalogue
    elif kind == "catalogues" and item.territory is not None:
        yield ("territory",), "territories", item.territory
    elif kind in {"boards", "topics"}:
        yield ("lead",), "departments", item.lead
        for number, target in enumerate(getattr(item, "co", [])):
            yield ("co", number), "departments", target
    elif kind == "jurisdiction" and item.hotline is not None:
        yield ("hotline",), "entries", item.hotline


def read(folder: Path) -> tuple[KnowledgeBase, list[Problem]]:
    """Reads a knowledge folder as far as it can be read.

    Returns:
        What is valid, and all problems sorted by file and line. Only with no problems is the base complete.
    """
    reader = _Reader(folder)
    reader.read()
    objects = reader.objects
    base = KnowledgeBase(
        documents=objects["documents"],
        jurisdictions=objects["jurisdiction"],
        departments=objects["departments"],
        territories=objects["territories"],
        boards=objects["boards"],
        topics=objects["topics"],
        signals=objects["signals"],
        catalogues=objects["catalogues"],
        entries=objects["entries"],
        places=reader.places,
    )
    return base, sorted(set(reader.problems))


def load(folder: Path) -> KnowledgeBase:
    """Loads and validates the knowledge base.

    Raises:
        ContentError: Anything breaks the rules; ``details`` has ``file`` and ``line`` of the first problem
            and all of them, as sentences, in ``problems``.
    """
    base, problems = read(folder)
    if problems:
        first = problems[0]
        more = f"（共 {len(problems)} 处问题）" if len(problems) > 1 else ""
        raise ContentError(
            f"知识库有误：{first}{more}",
            file=first.file,
            line=first.line,
            problems=[str(problem) for problem in problems],
        )
    # The nodes are needed only to report problems and weigh more than the content itself.
    places = {object_id: Place(place.file, place.line) for object_id, place in base.places.items()}
    return replace(base, places=places)
