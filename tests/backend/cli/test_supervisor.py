"""Children are started, started again with growing pauses, and stopped in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cli import supervisor
from backend.cli.supervisor import Child, next_pause


@given(st.floats(0, supervisor.LONGEST_PAUSE_SECONDS), st.floats(0, 1000))
def test_pauses_grow_up_to_a_limit_and_begin_anew_after_a_steady_run(pause: float, ran_for: float) -> None:
    following = next_pause(pause, ran_for)
    assert 0 < following <= supervisor.LONGEST_PAUSE_SECONDS
    if ran_for >= supervisor.STEADY_SECONDS or pause == 0:
        assert following == supervisor.FIRST_PAUSE_SECONDS
    else:
        assert following == min(2 * pause, supervisor.LONGEST_PAUSE_SECONDS)


def child(code: str, *arguments: str) -> Child:
    return Child("child", [sys.executable, "-c", code, *arguments], os.environ)


async def until(file: Path, lines: int = 1) -> list[str]:
    """Wait for another process to have written lines; there is no event to wait for."""
    async with asyncio.timeout(30):
        while not file.exists() or len(found := file.read_text().splitlines()) < lines:
            await asyncio.sleep(0.01)
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "FIRST_PAUSE_SECONDS", 0.01)


NOTES_ITS_NUMBER = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n')"


@pytest.mark.usefixtures("quick")
async def test_a_child_that_ends_is_started_again(tmp_path: Path) -> None:
    task = asyncio.create_task(child(NOTES_ITS_NUMBER, str(tmp_path / "n")).keep_running())
    numbers = await until(tmp_path / "n", 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(set(numbers)) == len(numbers)


async def test_a_child_that_cannot_run_as_configured_is_left_alone() -> None:
    ended = child("raise SystemExit(2)")
    await ended.keep_running()
    assert ended.misconfigured


STOPS_POLITELY = """
import signal, sys, time
def stop(*_):
    open(sys.argv[1], "a").write("stopped\\n")
    raise SystemExit
signal.signal(signal.SIGTERM, stop)
open(sys.argv[1], "a").write("ready\\n")
while True:
    time.sleep(60)
"""


async def test_stopping_asks_the_child_and_waits_for_it(tmp_path: Path) -> None:
    running = child(STOPS_POLITELY, str(tmp_path / "n"))
    task = asyncio.create_task(running.keep_running())
    await until(tmp_path / "n")
    process = running.process
    assert process is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert (tmp_path / "n").read_text().splitlines() == ["ready", "stopped"]
    assert process.returncode == 0


async def test_a_child_that_does_not_stop_is_killed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.1)
    deaf = STOPS_POLITELY.replace("signal.signal(signal.SIGTERM, stop)", "signal.signal(15, signal.SIG_IGN)")
    running = child(deaf, str(tmp_path / "n"))
    task = asyncio.create_task(running.keep_running())
    await until(tmp_path / "n")
    process = running.process
    assert process is not None
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, sys\n"
        "from backend.cli.supervisor import Child\n"
        "command = [sys.executable, '-c', sys.argv[2], sys.argv[1]]\n"
        "asyncio.run(Child('c', command, os.environ).keep_running())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "n"), STOPS_POLITELY, cwd=Path(__file__).parents[3]
    )
    await until(tmp_path / "n")
    process.kill()
    await process.wait()
    assert (await until(tmp_path / "n", 2))[1] == "stopped"


@pytest.fixture
def checked_often(monkeypatch: pytest.MonkeyPatch, quick: None) -> None:
    monkeypatch.setattr(supervisor, "CHECK_SECONDS", 0.01)


@pytest.mark.usefixtures("checked_often")
async def test_a_child_that_stands_still_is_killed_and_started_again(tmp_path: Path) -> None:
    async def check() -> bool | None:
        process = running.process
        if process is None or f"{process.pid}" in stopped:
            return None
        found_ready.set()
        return True

    stopped: set[str] = set()
    found_ready = asyncio.Event()
    code = NOTES_ITS_NUMBER + "; import time; time.sleep(3600)"
    running = Child("child", [sys.executable, "-c", code, str(tmp_path / "n")], os.environ, check)
    task = asyncio.create_task(running.keep_running())
    (first,) = await until(tmp_path / "n")
    async with asyncio.timeout(30):
        await found_ready.wait()
    os.kill(int(first), signal.SIGSTOP)
    stopped.add(first)
    _, second = await until(tmp_path / "n", 2)
    assert first != second
    assert not Path(f"/proc/{first}").exists()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("checked_often")
@pytest.mark.parametrize(
    ("answers", "killed"),
    [
        # not ready yet: silence and refusals are a slow start
        ([None] * 50 + [True], False),
        # slow turns: a few misses, then an answer, again and again
        ([True, *([None] * 5 + [True]) * 5], False),
        # it says that a server of its own is away: that is an answer
        ([True] + [False] * 50, False),
        ([True] + [None] * 6, True),
        ([None] * 20 + [False] * 20 + [True, False] + [None] * 6, True),
    ],
)
async def test_only_a_child_that_was_ready_and_says_nothing_hangs(
    answers: list[bool | None], *, killed: bool, tmp_path: Path
) -> None:
    all_asked = asyncio.Event()
    left = iter(answers)

    async def check() -> bool | None:
        await until(tmp_path / "n")
        try:
            return next(left)
        except StopIteration:
            all_asked.set()
            return True

    code = NOTES_ITS_NUMBER + "; import time; time.sleep(3600)"
    running = Child("child", [sys.executable, "-c", code, str(tmp_path / "n")], os.environ, check)
    task = asyncio.create_task(running.keep_running())
    async with asyncio.timeout(30):
        await all_asked.wait()
    assert len(await until(tmp_path / "n", 1 + killed)) == 1 + killed
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.usefixtures("checked_often")
async def test_a_child_that_never_becomes_ready_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        return None

    monkeypatch.setattr(supervisor, "START_SECONDS", 0.05)
    code = NOTES_ITS_NUMBER + "; import time; time.sleep(3600)"
    running = Child("child", [sys.executable, "-c", code, str(tmp_path / "n")], os.environ, check)
    task = asyncio.create_task(running.keep_running())
    await until(tmp_path / "n", 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
async def test_a_killed_training_command_takes_the_trainer_along(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from backend.cli import train\n"
        "command = [sys.executable, '-c', sys.argv[2], sys.argv[1]]\n"
        "train._run(command, dict(os.environ), Path(sys.argv[1] + 'log'))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "n"), STOPS_POLITELY, cwd=Path(__file__).parents[3]
    )
    await until(tmp_path / "n")
    process.kill()
    await process.wait()
    assert (await until(tmp_path / "n", 2))[1] == "stopped"
