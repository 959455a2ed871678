"""The names that the knowledge base knows: districts, departments, territories, and the hotline to name."""

from __future__ import annotations

from collections.abc import Iterator

from backend import errors
from backend.knowledge.answering import AnswerService
from backend.knowledge.entries import Department, Jurisdiction, Source, Territory
from backend.knowledge.loading import KnowledgeBase
from backend.people.roles import Role
from backend.replies import Citation, Message

_SUGGESTED_KINDS = ("faq", "contact", "channel", "faq", "service", "rule")
_LONGEST_SUGGESTION = 16


class HomeDirectory:
    """Looks names up, in the home district where nothing else is said.

    Args:
        base: What the assistant knows.
        answers: Words the hotline's entry.
        home_district: Name or alias of the home district.

    Raises:
        ContentError: The knowledge base has no such district.
    """

    def __init__(self, base: KnowledgeBase, answers: AnswerService, home_district: str) -> None:
        self._base = base
        self._answers = answers
        self.home: Jurisdiction = base.home(home_district)
        self._suggestions: list[str] | None = None

    def department(self, text: str) -> str | None:
        """The official name of a department of the home district for a name or alias."""
        found = self._base.department_named(text, self.home)
        return found.name if found else None

    def territory(self, text: str) -> str | None:
        """The official name of a platform or street of the home district for a name or alias.

        Raises:
            InvalidInput: Several may be meant, or another district.
        """
        found = self._base.territories_named(text, self.home)
        if len(found) > 1:
            names = "、".join(item.name for item in found)
            raise errors.InvalidInput(f"“{text}”可能是{names}，请选择其中一个。", field="territory")
        elsewhere = self._base.jurisdiction_named(text)
        if not found and elsewhere is not None and elsewhere.id != self.home.id:
            home = self.home.name
            said = f"{elsewhere.name}不属于{home}，请选择{home}的平台或街道；不确定时可以不填。"
            raise errors.InvalidInput(said, field="territory")
        return found[0].name if found else None

    def unit(self, role: Role, text: str) -> str | None:
        """The official name of the unit that an account acts for; some roles name theirs freely."""
        if role is Role.DEPARTMENT:
            return self.department(text)
        if role is Role.TERRITORY:
            return self.territory(text)
        return text

    def departments(self, district: str | None = None) -> list[Department]:
        """The departments of a district, the home district where none is named.

        Raises:
            InvalidInput: The knowledge base has no such district.
        """
        where = self._jurisdiction(district)
        return [found for found in self._base.departments.values() if self._in(found.id, where)]

    def territories(self, district: str | None = None) -> list[Territory]:
        """The platforms and streets of a district, the home district where none is named.

        Raises:
            InvalidInput: The knowledge base has no such district.
        """
        where = self._jurisdiction(district)
        return [found for found in self._base.territories.values() if self._in(found.id, where)]

    def place_names(self) -> list[str]:
        """Names of the home district and its territories, without aliases, which may say what one is for."""
        return [self.home.name, *(territory.name for territory in self.territories())]

    def district_of(self, object_id: str) -> str:
        """The name of the district whose folder holds an object."""
        return self._base.jurisdiction_of(object_id).name

    def citation(self, object_id: str, source: Source) -> Citation:
        """Where the facts of an object stand."""
        document = self._base.documents[source.document]
        return Citation(document=document.title, section=source.section, entry=object_id)

    def hotline(self) -> Message | None:
        """The home district's hotline as the knowledge base words it; None where it has none."""
        if self.home.hotline is None:
            return None
        return self._answers.answer_entry(self.home.hotline).messages[0]

    def hotline_text(self) -> str | None:
        """Name and number of the home district's hotline in one line; None where it has none."""
        return self._answers.hotline(self.home)

    def suggestions(self) -> list[str]:
        """A few questions to begin with, of the kinds that are asked most, that have a straight answer."""
        if self._suggestions is None:
            found: list[str] = []
            for kind in _SUGGESTED_KINDS:
                question = next((text for text in self._questions(kind) if text not in found), None)
                found += [question] if question else []
            self._suggestions = found
        return list(self._suggestions)

    def _questions(self, kind: str) -> Iterator[str]:
        for entry in self._base.entries.values():
            question = entry.questions[0]
            if entry.kind == kind and self._in(entry.id, self.home) and len(question) <= _LONGEST_SUGGESTION:
                reply = self._answers.answer(question)
                if reply.outcome == "answered" and reply.entry == entry.id:
                    yield question

    def _jurisdiction(self, name: str | None) -> Jurisdiction:
        if name is None:
            return self.home
        found = self._base.jurisdiction_named(name)
        if found is None:
            known = "、".join(item.name for item in self._base.jurisdictions.values())
            raise errors.InvalidInput(f"没有找到这个城区，目前有：{known}。", field="district")
        return found

    def _in(self, object_id: str, where: Jurisdiction) -> bool:
        return self._base.jurisdiction_of(object_id).id == where.id
