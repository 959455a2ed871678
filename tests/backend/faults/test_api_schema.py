"""The API keeps to its own description, whoever calls it and whatever is sent (schemathesis).

The application runs in a thread of its own on loopback, with a SQLite file. For each endpoint requests are
made up from the description, fitting ones and ones that break it; nobody and three kinds of staff send them.
"""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import schemathesis
from fault_office import Office, open_office
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from backend.api.app import ENDPOINTS
from backend.api.endpoints import Endpoint
from backend.composition import Knowledge
from backend.people.roles import Role
from backend.text import clean

T = TypeVar("T")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
EXAMPLES = 6
ELSEWHERE = {"/api/v1/chat", "/metrics", "/readyz"}
"""What is tried elsewhere: a conversation, a text that is not JSON, and 503 as an answer that is no fault."""


@dataclass
class Served:
    """The application in its thread."""

    loop: asyncio.AbstractEventLoop
    office: Office
    url: str
    schema: Any
    number: str

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def callers(self) -> list[dict[str, str]]:
        """Headers of nobody, the task force, an admin and a department; new tokens, as some may be ended."""

        async def tokens() -> list[dict[str, str]]:
            self.office.tokens.clear()
            staff = [
                (Role.TASKFORCE, None),
                (Role.ADMIN, None),
                (Role.DEPARTMENT, self.office.departments[0]),
            ]
            found: list[dict[str, str]] = [{}]
            for role, unit in staff:
                issued = await self.office.container.people.issue_token(f"schema-{role.value}")
                found.append({"Authorization": f"Bearer {issued.token}"})
                self.office.tokens[role, unit] = issued.token
            return found

        return self.do(tokens())


@pytest.fixture(scope="module")
def served(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, read_knowledge: Knowledge
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("schema")
    shutil.copy(sqlite_template, folder / "qifu.db")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> tuple[Office, str]:
        office, _ = await open_office(folder, f"sqlite:///{folder / 'qifu.db'}", read_knowledge)
        units = {Role.TASKFORCE: None, Role.ADMIN: None, Role.DEPARTMENT: office.departments[0]}
        for role, unit in units.items():
            await office.container.people.create_account(f"schema-{role.value}", role, unit)
        return office, await office.assigned()

    office, number = asyncio.run_coroutine_threadsafe(begin(), loop).result(60)
    url = f"http://127.0.0.1:{office.client.port}"
    described = requests.get(f"{url}/api/v1/openapi.json", timeout=30).json()
    try:
        yield Served(loop, office, url, schemathesis.openapi.from_dict(described), number)
    finally:
        asyncio.run_coroutine_threadsafe(office.client.close(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.database
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize(
    "endpoint",
    [endpoint for endpoint in ENDPOINTS if endpoint.path not in ELSEWHERE],
    ids=lambda endpoint: f"{endpoint.method} {endpoint.path}",
)
def test_the_api_keeps_to_its_description(
    served: Served, endpoint: Endpoint[Any], mode: GenerationMode
) -> None:
    operation = served.schema[endpoint.path][endpoint.method]
    if mode is GenerationMode.NEGATIVE and endpoint.takes is None:
        pytest.skip("nothing can be sent")
    callers = itertools.cycle(served.callers())
    numbers = itertools.cycle([True, True, False])
    session = requests.Session()

    @seed(135)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keeps(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and "number" in endpoint.path_fields and next(numbers):
            case.path_parameters["number"] = served.number
        response = case.call(base_url=served.url, session=session, headers=next(callers), timeout=30)
        # what is sent is tidied before it is judged: what only then fits is welcome
        excluded = [] if _tidy(case.body) and _tidy(case.query) else [negative_data_rejection]
        case.validate_response(response, checks=CHECKS, excluded_checks=excluded)

    keeps()


def _tidy(sent: Any) -> bool:
    """Whether no text in it would be changed by tidying."""
    if isinstance(sent, dict):
        return all(map(_tidy, sent.values()))
    if isinstance(sent, list):
        return all(map(_tidy, sent))
    return not isinstance(sent, str) or " ".join(clean(sent, lines=True).split()) == sent
