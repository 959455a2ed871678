"""The house keeps to its plan: who may import whom, and nothing public is left undocumented."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("backend", "bot", "actions")


def imports(file: Path, *, with_types: bool = True) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever in it.

    Args:
        file: The module.
        with_types: Also what is imported only for annotations (below ``if TYPE_CHECKING``).
    """
    pending: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"), str(file))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                parent = file.relative_to(ROOT).parts[: -node.level]
                base = ".".join((*parent, *([node.module] if node.module else [])))
            else:
                base = node.module or ""
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and not with_types and ast.unparse(node.test) == "TYPE_CHECKING":
            pending.extend(node.orelse)
        else:
            pending.extend(ast.iter_child_nodes(node))


def modules(*folders: str) -> list[Path]:
    """Return all modules of folders (or files) of the project."""
    found: list[Path] = []
    for folder in folders:
        path = ROOT / folder
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def breaches(files: Iterable[Path], banned: Iterable[str], *, with_types: bool = True) -> list[str]:
    """Return `file imports name` for each import of a banned package."""
    tops = tuple(banned)
    return sorted(
        {
            f"{file.relative_to(ROOT)} imports {name}"
            for file in files
            for name in imports(file, with_types=with_types)
            if any(name == top or name.startswith(f"{top}.") for top in tops)
        }
    )


def test_the_rooms_are_where_the_plan_says() -> None:
    assert [name for name in OURS if not modules(name)] == []


def test_imports_are_found_in_every_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "room").mkdir()
    file = tmp_path / "room" / "module.py"
    file.write_text(
        "import a.b as c\nfrom d import e\nfrom . import f\nfrom .g import h\n"
        "def later():\n    import i\nif TYPE_CHECKING:\n    import j\n"
    )
    found = {"a.b", "d", "d.e", "room", "room.f", "room.g", "room.g.h", "i"}
    assert set(imports(file, with_types=False)) == found
    assert set(imports(file)) == found | {"j"}
    assert breaches([file], ["d", "room.g", "a.x"]) == [
        f"room/module.py imports {name}" for name in ("d", "d.e", "room.g", "room.g.h")
    ]


def test_the_backend_knows_nothing_of_the_dialogue_engine() -> None:
    assert breaches(modules("backend"), ["rasa", "rasa_sdk", "bot", "actions"]) == []


def test_actions_are_thin() -> None:
    allowed = {"rasa_sdk", "aiohttp", "pydantic", "actions", *sys.stdlib_module_names}
    others = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in modules("actions")
        for name in imports(file)
        if name.split(".")[0] not in allowed
    }
    assert sorted(others) == []


def test_rasa_stays_in_its_corner_of_the_bot() -> None:
    corner = {*modules("bot/nlu"), ROOT / "bot/engine.py", ROOT / "bot/train.py"}
    assert breaches([file for file in modules("bot") if file not in corner], ["rasa"]) == []


def test_the_bot_reaches_the_backend_by_http_only() -> None:
    assert breaches(modules("bot"), ["backend"]) == []


@pytest.mark.parametrize("room", ["appeals", "calculators", "documents", "figures", "people", "knowledge"])
def test_rules_are_computed_without_a_database_or_a_server(room: str) -> None:
    banned = ["sqlalchemy", "alembic", "aiosqlite", "psycopg", "aiohttp", "backend.storage", "backend.api"]
    assert breaches(modules(f"backend/{room}"), banned) == []


def test_supervision_stores_nothing_and_serves_nothing() -> None:
    banned = ["sqlalchemy", "alembic", "aiosqlite", "psycopg", "aiohttp.web"]
    assert breaches(modules("backend/supervision"), [*banned, "backend.storage", "backend.api"]) == []


def test_storage_serves_nothing_and_the_api_stores_nothing() -> None:
    assert breaches(modules("backend/storage"), ["aiohttp", "backend.api", "backend.hotline"]) == []
    assert breaches(modules("backend/api"), ["sqlalchemy", "alembic", "backend.storage"]) == []


def test_knowledge_depends_on_no_other_capability() -> None:
    others = ["appeals", "calculators", "people", "hotline", "storage", "api", "composition", "cli"]
    assert breaches(modules("backend/knowledge"), [f"backend.{name}" for name in others]) == []


def test_only_entry_points_reach_for_the_composition_root() -> None:
    entries = {ROOT / "backend/__main__.py", *modules("backend/cli", "backend/api")}
    inner = [file for file in modules("backend") if file not in entries and file.name != "composition.py"]
    assert breaches(inner, ["backend.composition", "backend.cli"], with_types=False) == []


def backend_graph() -> dict[str, set[str]]:
    """Return module → modules of the backend that it imports when it runs."""
    names = {
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): file
        for file in modules("backend")
    }
    graph: dict[str, set[str]] = {}
    for name, file in names.items():
        found = {imported for imported in imports(file, with_types=False) if imported in names} - {name}
        # `from package import module` needs the module, not what else the package holds
        packages = {one for one in found if any(other.startswith(f"{one}.") for other in found)}
        graph[name] = found - packages
    return graph


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of nodes that reach each other (Tarjan's strongly connected components)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for following in sorted(graph[node]):
            if following not in index:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], index[following])
        if low[node] == index[node]:
            group = []
            while not group or group[-1] != node:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_cycles_are_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]
    assert cycles({"a": {"b"}, "b": set()}) == []


def test_no_module_of_the_backend_imports_itself_in_a_circle() -> None:
    assert cycles(backend_graph()) == []


def test_no_room_of_the_backend_imports_itself_in_a_circle() -> None:
    rooms = {f"backend.{file.parent.name}" for file in ROOT.glob("backend/*/__init__.py")}
    graph: dict[str, set[str]] = {room: set() for room in rooms}
    for name, imported in backend_graph().items():
        room = ".".join(name.split(".")[:2])
        if room in rooms:
            graph[room] |= {".".join(other.split(".")[:2]) for other in imported} & rooms - {room}
    assert cycles(graph) == []


def test_every_setting_is_documented_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.settings import KNOWN_ELSEWHERE, Settings, variable

    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert page == importlib.import_module("settings_table").table()
    documented = set(re.findall(r"^\| `(QIFU_[A-Z_]+)` \|", page, re.MULTILINE))
    assert documented == {variable(field) for field in Settings.model_fields} | KNOWN_ELSEWHERE
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_bot_reads_only_settings_that_are_documented() -> None:
    from backend.settings import KNOWN_ELSEWHERE, Settings, variable

    text = (ROOT / "bot/settings.py").read_text(encoding="utf-8")
    read = {name for name in re.findall(r"QIFU_[A-Z_]+", text) if not name.endswith("_")}
    assert read <= {variable(field) for field in Settings.model_fields} | KNOWN_ELSEWHERE


def test_every_command_is_documented() -> None:
    from backend.cli import COMMANDS

    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^## `qifu (\w+)", text, re.MULTILINE) == [command.NAME for command in COMMANDS]


def error_codes() -> set[str]:
    """Return every code that an error can carry: of the classes, and those given where one is raised."""
    from backend.errors import QifuError

    for module in pkgutil.walk_packages([str(ROOT / "backend")], "backend."):
        if "__main__" not in module.name and ".migrations." not in module.name:
            importlib.import_module(module.name)
    pending, codes = [QifuError], set()
    while pending:
        kind = pending.pop()
        codes.add(kind.code)
        pending += kind.__subclasses__()
    for file in modules("backend"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                codes |= {
                    word.value.value
                    for word in node.keywords
                    if word.arg == "code" and isinstance(word.value, ast.Constant)
                }
    return codes


def test_every_error_code_is_documented() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z_]+)` \|", text, re.MULTILINE)
    assert len(documented) == len(set(documented))
    assert set(documented) == error_codes()


LOCKS = sorted(path.name for path in ROOT.glob("requirements*.lock"))


def requirements(lock: str) -> dict[str, tuple[str, int]]:
    """Return name → (version, number of hashes) of a lock."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (ROOT / lock).read_text(encoding="utf-8").splitlines():
        if pin := re.match(r"([a-z0-9-]+)==([^\s;]+) ?(?:;[^\\]*)?\\$", line):
            name = pin[1]
            found[name] = (pin[2], 0)
        else:
            assert re.match(r"    --hash=sha256:[0-9a-f]{64}( \\)?$", line), f"{lock}: {line}"
            found[name] = (found[name][0], found[name][1] + 1)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_versions_and_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"(^|\s)/\w|-index|find-links|@ ", text)
    assert [name for name, (_, hashes) in requirements(lock).items() if hashes == 0] == []


def test_the_locks_are_of_what_the_project_declares() -> None:
    from packaging.requirements import Requirement

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = declared["dependency-groups"]
    runtime = declared["project"]["dependencies"]
    wanted = {
        "requirements.lock": runtime,
        "requirements-dev.lock": groups["dev"],
        "requirements-node.lock": groups["node"],
        "requirements-tensorflow.lock": runtime + groups["tensorflow"],
    }
    assert sorted(wanted) == LOCKS
    for lock, texts in wanted.items():
        pinned = requirements(lock)
        for text in texts:
            requirement = Requirement(text)
            version = pinned[requirement.name.lower().replace("_", "-")][0]
            assert requirement.specifier.contains(version), f"{lock}: {text}, but {version}"


def test_the_other_locks_keep_to_the_runtimes_versions() -> None:
    runtime = requirements("requirements.lock")
    differ = {
        name
        for lock in LOCKS
        for name, (version, _) in requirements(lock).items()
        if name in runtime and runtime[name][0] != version
    }
    # tensorflow-cpu 2.12 refuses the newer one
    assert differ == {"wrapt"}


def test_the_pages_lock_holds_no_address_of_a_registry() -> None:
    text = (ROOT / "web/package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
