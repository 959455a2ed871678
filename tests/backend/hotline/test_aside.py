from __future__ import annotations

import asyncio
import threading

import pytest

from backend.hotline.aside import Aside


def where(name: str, *, fail: bool = False) -> tuple[str, bool]:
    if fail:
        raise ValueError(name)
    return name, threading.current_thread() is threading.main_thread()


@pytest.mark.parametrize("slow", [False, True])
async def test_what_may_take_long_runs_beside_the_loop(slow: bool) -> None:
    aside = Aside(lambda: slow)
    assert await aside.run(where, "a") == ("a", not slow)
    with pytest.raises(ValueError, match="b"):
        await aside.run(where, "b", fail=True)
    assert [name for name, _ in await asyncio.gather(*(aside.run(where, str(n)) for n in range(9)))] == [
        str(n) for n in range(9)
    ]
    aside.close()
    aside.close()
