"""What is remembered is little, and forgotten in time."""

from __future__ import annotations

from backend.hotline.memory import Recent


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_forgets_after_its_time() -> None:
    clock = Clock()
    recent: Recent[str, int] = Recent(10, 60, clock)
    recent.set("a", 1)
    clock.now = 59
    assert recent.get("a") == 1
    clock.now = 61
    assert recent.get("a") is None
    assert len(recent) == 0


def test_forgets_the_oldest_first() -> None:
    recent: Recent[str, int] = Recent(2, 60)
    recent.set("a", 1)
    recent.set("b", 2)
    recent.set("a", 3)
    recent.set("c", 4)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (3, None, 4)


def test_forgets_on_demand() -> None:
    recent: Recent[str, int] = Recent(2, 60)
    recent.set("a", 1)
    recent.forget("a")
    recent.forget("never there")
    assert recent.get("a") is None
